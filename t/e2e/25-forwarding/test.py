"""Forwarding: a copy goes on, SPF holds at the next server, what bounces finds its way, circles end."""

import re
import smtplib

from sink import Sink
from suite import check, equal, message, wait_until

SINKS = {}
STRANGER = "stranger@sender.example"


def prepare(suite):
    SINKS["outside"] = Sink()
    suite.add_domain("example.jp", "u1", "u2", "u3", "plain")
    suite.add_domain("example.com", "v1")
    suite.control("smtproutes", f":127.0.0.1:{SINKS['outside'].port}\n")
    suite.rebuild()
    suite.start()


def receive(suite, recipient, sender=STRANGER, data=None, options=()):
    with suite.smtp() as client:
        client.sendmail(sender, [recipient], data or message(sender or "x@y.example", recipient),
                        mail_options=list(options))


def outside(count):
    sink = SINKS["outside"]
    return wait_until(lambda: len(sink.transactions) >= count and sink.transactions,
                      f"{count} transactions outside")


def address_of(command):
    return re.match(r"<([^>]*)>", command).group(1)


def test_a_copy_goes_on_and_one_stays(suite):
    suite.mailctl("forward", "add", "u1@example.jp", "b@friend.example", "a@friend.example")
    listed = suite.mailctl("forward", "list", "u1@example.jp")
    check(listed.index("a@friend.example") < listed.index("b@friend.example"), "in order of the alphabet")
    receive(suite, "u1@example.jp")
    kept = suite.wait_messages("u1@example.jp", 1)[0]
    one = outside(1)[0]
    equal(sorted(one.recipients), ["a@friend.example", "b@friend.example"], "whither it goes")
    check(b"Delivered-To: u1@example.jp\r\n" in one.data, "the copy says where it was")
    equal(one.data.split(b"Delivered-To: u1@example.jp\r\n", 1)[1].count(b"Delivered-To"), 0,
          "once")
    check(one.data.endswith(kept.split(b"\r\n\r\n", 1)[1]), "the body is the same")
    suite.wait_queue_empty()
    equal(len(suite.mailbox("u1@example.jp")), 1, "copies in the mailbox")


def test_the_sender_is_rewritten_and_finds_back(suite):
    sink = SINKS["outside"]
    rewritten = address_of(sink.transactions[0].sender)
    check(rewritten.startswith("SRS0="), f"the sender is {rewritten}")
    check(rewritten.endswith("=sender.example=stranger@example.jp"), f"the sender is {rewritten}")
    count = len(sink.transactions)
    receive(suite, rewritten, sender="")
    back = outside(count + 1)[count]
    equal(back.recipients, [STRANGER], "where the bounce goes")
    equal(address_of(back.sender), "", "its sender")


def test_nobody_else_makes_such_addresses(suite):
    rewritten = address_of(SINKS["outside"].transactions[0].sender)
    count = len(SINKS["outside"].transactions)
    forged = [rewritten.replace("stranger", "victim"),
              rewritten.replace("sender.example", "victim.example"),
              rewritten.replace("@example.jp", "@example.com"),
              "SRS0=aaaaaaaa=ab=victim.example=x@example.jp", "SRS1=a=b==c@example.jp"]
    for address in forged:
        with suite.smtp() as client:
            client.helo("x")
            client.mail("")
            code, text = client.rcpt(address)
            equal(code, 550, f"RCPT TO:<{address}>: {text}")
    equal(len(SINKS["outside"].transactions), count, "transactions outside")


def test_own_and_null_senders_stay(suite):
    sink = SINKS["outside"]
    count = len(sink.transactions)
    suite.submit("u2@example.jp", ["u1@example.jp"], message("u2@example.jp", "u1@example.jp"))
    equal(address_of(outside(count + 1)[count].sender), "u2@example.jp", "a sender of the domain")
    receive(suite, "u1@example.jp", sender="")
    equal(address_of(outside(count + 2)[count + 1].sender), "", "the null sender")
    suite.wait_queue_empty()


def test_a_second_hop_keeps_the_first(suite):
    sink = SINKS["outside"]
    count = len(sink.transactions)
    receive(suite, "u1@example.jp", sender="SRS0=zzzz=ab=first.example=a@second.example")
    rewritten = address_of(outside(count + 1)[count].sender)
    check(re.fullmatch(r"SRS1=[a-z2-7]{8}=second\.example==zzzz=ab=first\.example=a@example\.jp",
                       rewritten), f"the sender is {rewritten}")
    receive(suite, rewritten, sender="")
    equal(outside(count + 2)[count + 1].recipients, ["SRS0=zzzz=ab=first.example=a@second.example"],
          "where the bounce goes")


def test_circles_end(suite):
    suite.mailctl("forward", "add", "u2@example.jp", "v1@example.com")
    suite.mailctl("forward", "add", "v1@example.com", "u3@example.jp")
    suite.mailctl("forward", "add", "u3@example.jp", "u2@example.jp")
    before = {one: len(suite.mailbox(one)) for one in ("u2@example.jp", "u3@example.jp", "v1@example.com")}
    receive(suite, "u2@example.jp", sender="")
    suite.wait_queue_empty()
    for one, count in before.items():
        equal(len(suite.mailbox(one)) - count, 1, f"copies for {one}")
    suite.mailctl("forward", "add", "plain@example.jp", "plain@example.jp")
    receive(suite, "plain@example.jp", sender="")
    suite.wait_queue_empty()
    equal(len(suite.mailbox("plain@example.jp")), 1, "copies where it is forwarded to itself")


def test_rules_of_the_file(suite):
    refused = suite.mailctl("forward", "add", "u1@example.jp", "nodomain", wanted=1)
    check("no mail address" in refused, refused)
    suite.mailctl("domain", "set", "example.jp", "forwards", "2")
    refused = suite.mailctl("forward", "add", "u1@example.jp", "c@friend.example", wanted=1)
    check("may have 2" in refused, refused)
    check("c@friend.example" not in suite.mailctl("forward", "list", "u1@example.jp"), "nothing was changed")
    suite.mailctl("forward", "del", "u1@example.jp", "a@friend.example")
    suite.mailctl("forward", "add", "u1@example.jp", "c@friend.example")
    suite.mailctl("user", "del", "u3@example.jp")
    with open(suite.path("control/domains/example.jp/forwards"), encoding="utf-8") as file:
        check("u3" not in file.read(), "the forwards of a removed account are gone")


def test_forwarding_ends(suite):
    count = len(SINKS["outside"].transactions)
    suite.mailctl("forward", "del", "u1@example.jp", "b@friend.example", "c@friend.example")
    before = len(suite.mailbox("u1@example.jp"))
    receive(suite, "u1@example.jp")
    suite.wait_messages("u1@example.jp", before + 1)
    suite.wait_queue_empty()
    equal(len(SINKS["outside"].transactions), count, "transactions outside")


def test_a_copy_that_is_refused_is_reported(suite):
    sink = SINKS["outside"]
    suite.mailctl("forward", "add", "u1@example.jp", "gone@friend.example")
    sink.answers["RCPT"] = lambda words: "550 5.1.1 gone" if "gone@" in words else "250 ok"
    count = len(sink.transactions)
    receive(suite, "u1@example.jp")
    report = outside(count + 1)[count]
    sink.answers.clear()
    equal(report.recipients, [STRANGER], "the report reaches the first sender")
    check(b"Final-Recipient: rfc822; gone@friend.example" in report.data, "and names who was gone")


def test_without_a_secret_nothing_is_rewritten(suite):
    sink = SINKS["outside"]
    suite.set_host("srs-secret", "")
    count = len(sink.transactions)
    receive(suite, "u1@example.jp")
    equal(address_of(outside(count + 1)[count].sender), STRANGER, "the sender")
    with suite.smtp() as client:
        try:
            client.sendmail("", ["SRS0=aaaaaaaa=ab=x.example=y@example.jp"], "x")
            check(False, "such an address is taken")
        except smtplib.SMTPRecipientsRefused as refused:
            equal(list(refused.recipients.values())[0][0], 550, "reply")
