"""Automatic replies (SPEC R8): the text, whom they answer, how often, in which charset."""

import email
import email.policy
import json
import os
import time

from sink import Sink
from suite import check, equal, message, wait_until

SINKS = {}
TEXT = "ただいま不在です。\n月曜日にお返事します。(~ - は使えます)\n"
NEXT = {"number": 0}


def prepare(suite):
    SINKS["outside"] = Sink()
    suite.add_domain("example.jp", "u1", "u2", "u3", "off", "any", "pair", plan="business")
    suite.add_domain("example.com", "pair", "w1", plan="business")
    suite.add_domain("site.example", "x1", plan="site")
    suite.add_domain("parent.example", "c1", "c2")
    suite.mailctl("child", "add", "parent.example", "child.example")
    suite.control("smtproutes", f":127.0.0.1:{SINKS['outside'].port}\n")
    suite.rebuild()
    suite.start()


def receive(suite, recipient, sender=None, data=None, to=None, headers="", subject="test", options=()):
    """A stranger's message; each has a sender of its own, unless one is named."""
    if sender is None:
        NEXT["number"] += 1
        sender = f"stranger{NEXT['number']}@sender.example"
    with suite.smtp() as client:
        client.sendmail(sender, [recipient],
                        data or message(sender or "x@sender.example", to or recipient, subject, headers=headers),
                        mail_options=list(options))
    return sender


def replies_to(sender):
    return [one for one in SINKS["outside"].transactions if one.recipients == [sender]]


def wait_reply(sender, count=1):
    found = wait_until(lambda: len(replies_to(sender)) >= count and replies_to(sender),
                       f"{count} replies to {sender}")
    equal(len(found), count, f"replies to {sender}")
    return parse(found[-1].data)


def no_reply(suite, sender, why, count=0):
    suite.wait_queue_empty()
    equal(len(replies_to(sender)), count, f"replies to {sender} ({why})")


def parse(data):
    return email.message_from_bytes(data, policy=email.policy.default)


def address_of(reply, field):
    (one,) = reply[field].addresses
    equal(one.display_name, "", f"the name in {field}")
    return one.addr_spec


def content(reply):
    return reply.get_content().replace("\r\n", "\n")


# ---- R8.1 the text -------------------------------------------------------------------------------

def test_R8_1_width(suite):
    set_reply = ("reply", "set", "u1@example.jp")
    for text in ["a" * 600, "あ" * 300, "ｱ" * 600, "あa" * 200]:
        suite.mailctl(*set_reply, text=text)
        equal(suite.mailctl("reply", "set", "u1@example.jp", text=text + "x", wanted=1).count("600 half-width"), 1,
              f"one more than {text[:2]}...")
        shown = suite.mailctl("reply", "show", "u1@example.jp")
        check(text in shown and "active" in shown, shown)
    said = suite.mailctl("reply", "set", "u1@example.jp", text="a" * 65537, wanted=1)
    check("the text has more than 65536 bytes" in said, said)


def test_R8_1_seven_characters(suite):
    for pair in ["―", "～〜", "∥‖", "－−", "￠¢", "￡£", "￢¬"]:
        for one in pair:
            refused = suite.mailctl("reply", "set", "u1@example.jp", text=f"abc\ndef {one}\n", wanted=1)
            check(f'line 2: "{one}" (U+{ord(one):04X})' in refused, refused)
    suite.mailctl("reply", "set", "u1@example.jp", text="~-|\n")
    refused = suite.mailctl("reply", "set", "u1@example.jp", text="a\tb\n", wanted=1)
    check("U+0009" in refused, refused)


def test_R8_1_files_and_empty_texts(suite):
    name = suite.path("reply.txt")
    with open(name, "w", encoding="utf-8", newline="") as file:
        file.write("\ufeff" + TEXT.replace("\n", "\r\n"))
    suite.mailctl("reply", "set", "u1@example.jp", name)
    with open(suite.path("control/domains/example.jp/replies/u1"), encoding="utf-8", newline="") as file:
        equal(file.read(), TEXT, "what is kept")
    suite.mailctl("reply", "set", "u1@example.jp", text="\n")
    check(not os.path.exists(suite.path("control/domains/example.jp/replies/u1")), "an empty text is off")
    no_reply(suite, receive(suite, "u1@example.jp"), "no text")
    suite.mailctl("reply", "set", "u1@example.jp", text=TEXT)
    suite.mailctl("reply", "clear", "u1@example.jp")
    check(not os.path.exists(suite.path("control/domains/example.jp/replies/u1")), "cleared is off")
    suite.mailctl("reply", "set", "u9@example.jp", text=TEXT, wanted=1)


def test_R8_1_files_edited_badly(suite):
    suite.mailctl("reply", "set", "u1@example.jp", text="good\n")
    name = suite.path("control/domains/example.jp/replies/u1")
    with open(name, "w", encoding="utf-8") as file:
        file.write("one\ntwo ―\n")
    refused = suite.mailctl("user", "set", "u2@example.jp", "comment", "x", wanted=1)
    check('control/domains/example.jp/replies/u1 line 2: "―" (U+2015)' in refused, refused)
    equal(content(wait_reply(receive(suite, "u1@example.jp"))), "good\n", "what was compiled before holds")
    with open(name, "w", encoding="utf-8") as file:
        file.write(TEXT)
    suite.rebuild()


def test_plans(suite):
    refused = suite.mailctl("reply", "set", "x1@site.example", text=TEXT, wanted=1)
    check("auto-reply off" in refused, refused)
    suite.mailctl("reply", "set", "off@example.jp", text=TEXT)
    suite.mailctl("user", "set", "off@example.jp", "auto-reply", "off")
    no_reply(suite, receive(suite, "off@example.jp"), "switched off")
    suite.mailctl("user", "unset", "off@example.jp", "auto-reply")
    wait_reply(receive(suite, "off@example.jp"))


# ---- the reply -----------------------------------------------------------------------------------

def test_the_reply(suite):
    sender = receive(suite, "u1@example.jp", headers="Message-ID: <m2@sender.example>\r\n"
                     "References: <m0@sender.example> <m1@sender.example>\r\n"
                     "Reply-To: <elsewhere@sender.example>\r\n", subject="Hello there")
    reply = wait_reply(sender)
    equal(replies_to(sender)[0].sender.split()[0], "<>", "envelope sender")
    equal(address_of(reply, "From"), "u1@example.jp", "From")
    equal(address_of(reply, "To"), sender, "To")
    equal(reply["Subject"], "自動返信: Hello there", "Subject")
    equal(reply["Auto-Submitted"], "auto-replied", "Auto-Submitted")
    equal(reply["In-Reply-To"], "<m2@sender.example>", "In-Reply-To")
    equal(reply["References"].split(), ["<m0@sender.example>", "<m1@sender.example>", "<m2@sender.example>"],
          "References")
    check(reply["Date"] and reply["Message-ID"].endswith("@example.jp>"), "Date and Message-ID")
    equal(reply.get_content_charset(), "utf-8", "charset")
    equal(content(reply), TEXT, "text")
    equal(reply.defects, [], "defects")


def test_iso_2022_jp(suite):
    sender = "jis@sender.example"
    subject = "=?ISO-2022-JP?B?GyRCJDQ/TUdbJCwbKEI=?="
    data = (f"From: <{sender}>\r\nTo: <u1@example.jp>\r\nSubject: {subject}\r\n"
            "Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n").encode() + "こんにちは。\r\n".encode("iso-2022-jp")
    receive(suite, "u1@example.jp", sender, data)
    reply = wait_reply(sender)
    equal(reply.get_content_charset(), "iso-2022-jp", "charset")
    equal(reply["Content-Transfer-Encoding"], "7bit", "encoding")
    equal(content(reply), TEXT, "text")
    check(reply["Subject"].startswith("自動返信: ご"), reply["Subject"])
    suite.mailctl("reply", "set", "u2@example.jp", text="ｱｲｳ①\n")
    receive(suite, "u2@example.jp", sender, data.replace(b"u1@", b"u2@"))
    reply = wait_reply(sender, 2)
    equal(reply.get_content_charset(), "utf-8", "charset where ISO-2022-JP has not all characters")
    equal(content(reply), "ｱｲｳ①\n", "text")


def test_ascii_and_long_lines(suite):
    suite.mailctl("reply", "set", "u2@example.jp", text="I am away. " * 50 + "\n")
    sender = receive(suite, "u2@example.jp")
    reply = wait_reply(sender)
    equal(reply.get_content_charset(), "us-ascii", "charset")
    equal(content(reply).replace("\n", ""), "I am away. " * 50, "text")
    check(max(len(line) for line in replies_to(sender)[0].data.split(b"\r\n")) <= 78, "lines are folded")
    check(reply["Subject"].startswith("Auto: "), reply["Subject"])
    suite.mailctl("reply", "set", "u2@example.jp", text="返" * 300)
    data = message("jis2@sender.example", "u2@example.jp", headers="X: =?iso-2022-jp?B?GyRCJCIbKEI=?=\r\n")
    receive(suite, "u2@example.jp", "jis2@sender.example", data)
    reply = wait_reply("jis2@sender.example")
    equal(content(reply).replace("\n", ""), "返" * 300, "text")
    check(max(len(line) for line in replies_to("jis2@sender.example")[0].data.split(b"\r\n")) <= 78, "folded")


# ---- R8.2 whom it answers ------------------------------------------------------------------------

def test_R8_2_never_answers(suite):
    senders = ["MAILER-DAEMON@sender.example", "owner-list@sender.example", "list-request@sender.example",
               "listserv@sender.example", "Majordomo@sender.example", "list-bounces+u1=example.jp@sender.example",
               "no-reply@sender.example"]
    for sender in senders:
        no_reply(suite, receive(suite, "u1@example.jp", sender), sender)
    fields = ["List-Id: <l.sender.example>", "List-Unsubscribe: <mailto:x@sender.example>", "Precedence: bulk",
              "Precedence: junk", "Precedence: list", "Auto-Submitted: auto-replied",
              "Auto-Submitted: auto-generated; x=y", "X-Auto-Response-Suppress: DR, OOF",
              "Content-Type: multipart/report; boundary=x", "X-Spam-Flag: YES", "X-ML-Name: friends"]
    for field in fields:
        no_reply(suite, receive(suite, "u1@example.jp", headers=field + "\r\n"), field)
    count = len(SINKS["outside"].transactions)
    receive(suite, "u1@example.jp", "")
    suite.wait_queue_empty()
    equal(len(SINKS["outside"].transactions), count, "mail after one from the null sender")
    wait_reply(receive(suite, "u1@example.jp", headers="Auto-Submitted: no\r\n"))


def test_R8_2_not_addressed(suite):
    no_reply(suite, receive(suite, "u1@example.jp", to="friends@sender.example"), "Bcc")
    no_reply(suite, receive(suite, "u1@example.jp", to='"u1@example.jp" <x@sender.example>'), "a name")
    wait_reply(receive(suite, "u1@example.jp", to="x@sender.example", headers="Cc: A <U1@Example.JP>\r\n"))
    wait_reply(receive(suite, "u1@example.jp", to="x@sender.example", headers="Resent-To: u1@example.jp\r\n"))
    wait_reply(receive(suite, "u1+shop@example.jp"))
    suite.mailctl("reply", "set", "c1@parent.example", text=TEXT)
    reply = wait_reply(receive(suite, "c1@child.example"))
    equal(address_of(reply, "From"), "c1@child.example", "the address that was written to")


def test_R8_2_child_domains_and_tags_together(suite):
    reply = wait_reply(receive(suite, "c1+shop@child.example"))
    equal(address_of(reply, "From"), "c1@child.example", "From")
    reply = wait_reply(receive(suite, "c1@parent.example", to="C1+shop@Parent.Example"))
    equal(address_of(reply, "From"), "c1@parent.example", "From")
    no_reply(suite, receive(suite, "c1@parent.example", to="c2@parent.example"), "another account's address")
    no_reply(suite, receive(suite, "c1@parent.example", to="c1@elsewhere.example"), "another domain")


def test_R8_2_not_for_those_behind_whom_it_stands(suite):
    suite.mailctl("domain", "set", "parent.example", "admin", "c1")
    suite.mailctl("domain", "set", "parent.example", "postmaster", "admin")
    before = len(suite.mailbox("c1@parent.example"))
    for name in ("postmaster", "nobody"):
        no_reply(suite, receive(suite, f"{name}@parent.example", headers="Cc: c1@parent.example\r\n"), name)
    equal(len(suite.mailbox("c1@parent.example")), before + 2, "they come to the administrator")
    suite.mailctl("domain", "unset", "parent.example", "postmaster")
    suite.mailctl("domain", "unset", "parent.example", "admin")


def test_R8_2_not_what_a_catch_all_takes(suite):
    suite.control("plans/all", "free catch-all\n")
    suite.add_domain("all.example", "any", plan="all")
    suite.mailctl("domain", "set", "all.example", "catch-all", "any")
    suite.mailctl("reply", "set", "any@all.example", text=TEXT)
    no_reply(suite, receive(suite, "unknown@all.example"), "a catch-all")
    suite.wait_messages("any@all.example", 1)
    wait_reply(receive(suite, "any@all.example"))


def test_R8_2_not_itself(suite):
    suite.submit("c1@parent.example", ["c1@child.example"], message("c1@parent.example", "c1@child.example"))
    suite.submit("u1@example.jp", ["u1@example.jp"], message("u1@example.jp", "u1@example.jp"))
    suite.wait_queue_empty()
    for one in ("u1@example.jp", "c1@parent.example"):
        equal([text for text in suite.messages(one) if b"Message-ID: <auto." in text], [], f"replies of {one} to itself")
    suite.submit("u3@example.jp", ["u1@example.jp"], message("u3@example.jp", "u1@example.jp"))
    suite.wait_messages("u3@example.jp", 1)


def replies_in(suite, *addresses):
    return sum(b"Message-ID: <auto." in text for one in addresses for text in suite.messages(one))


def test_R8_2_nothing_to_forged_senders(suite):
    """Who is ours logs in; anybody else who bears such an address is not answered, nor is what is forwarded of his."""
    boxes = ("u3@example.jp", "pair@example.com", "c2@parent.example")
    before = replies_in(suite, *boxes)
    suite.mailctl("forward", "add", "w1@example.com", "u1@example.jp")
    forged = {"u3@example.jp": "our domain", "nobody-here@example.jp": "nobody of ours", "c2@child.example": "a child domain",
              "pair@example.com": "another domain of ours"}
    for sender, why in forged.items():
        for recipient in ("u1@example.jp", "w1@example.com"):
            receive(suite, recipient, sender, message(sender, recipient, headers="Cc: u1@example.jp\r\n"))
        suite.wait_queue_empty()
    check(suite.logs("queued").count("reason=unauthenticated") == 2 * len(forged), "all are logged")
    equal(replies_in(suite, *boxes), before, "replies to them")
    sender = receive(suite, "w1@example.com", headers="Cc: u1@example.jp\r\n")
    reply = wait_until(lambda: [one for one in SINKS["outside"].transactions if one.recipients == [sender]], "a reply through the forwarder")
    check(b"Auto-Submitted: auto-replied" in reply[0].data, "a stranger's forwarded mail is answered")
    suite.mailctl("forward", "del", "w1@example.com", "u1@example.jp")


def test_R8_2_From_that_is_forged(suite):
    for headers, author, why in [("", "u1@example.jp", "From is the account itself"), ("Sender: u1@example.jp\r\n", None, "Sender is"),
                                 ("", "no-reply@shop.example", "From is a program"),
                                 ("Reply-To: <noreply@shop.example>\r\n", None, "nobody reads replies"),
                                 ("Return-Path: <>\r\n", None, "it came with the null sender before")]:
        data = message(author or "x@shop.example", "u1@example.jp", headers=headers)
        no_reply(suite, receive(suite, "u1@example.jp", data=data), why)
    wait_reply(receive(suite, "u1@example.jp", data=message("x@another.example", "u1@example.jp",
                                                            headers="Reply-To: <y@third.example>\r\n")))


def test_R8_2_two_that_answer(suite):
    """Ours end at once; one of another make that marks nothing ends after one reply each."""
    for one in ("pair@example.jp", "pair@example.com"):
        suite.mailctl("reply", "set", one, text=TEXT)
    suite.submit("pair@example.jp", ["pair@example.com"], message("pair@example.jp", "pair@example.com"))
    got = suite.wait_messages("pair@example.jp", 1)
    suite.wait_queue_empty()
    equal(len(suite.mailbox("pair@example.jp")), 1, "the one reply")
    equal(len(suite.mailbox("pair@example.com")), 1, "the one message")
    equal(got[0].count(b"Auto-Submitted: auto-replied"), 1, "marked")
    for _ in range(3):
        receive(suite, "u1@example.jp", "robot@sender.example", subject="I am away")
    suite.wait_queue_empty()
    wait_reply("robot@sender.example")


# ---- how often -----------------------------------------------------------------------------------

def memory(suite, address):
    local, domain = address.split("@")
    return suite.path("mail", domain, local, "replied")


def move_memory(suite, address, seconds):
    """As if the clock went on by that."""
    with open(memory(suite, address), encoding="ascii") as file:
        lines = [line.split() for line in file]
    with open(memory(suite, address), "w", encoding="ascii") as file:
        file.write("".join(f"{int(when) - seconds} {who}\n" for when, who in lines))


def test_R8_2_once_a_day(suite):
    sender = receive(suite, "u1@example.jp", "often@sender.example")
    wait_reply(sender)
    receive(suite, "u1@example.jp", "Often@Sender.Example")
    no_reply(suite, sender, "the same day", 1)
    move_memory(suite, "u1@example.jp", 86300)
    receive(suite, "u1@example.jp", sender)
    no_reply(suite, sender, "less than a day later", 1)
    move_memory(suite, "u1@example.jp", 101)
    receive(suite, "u1@example.jp", sender)
    wait_reply(sender, 2)
    check(b"often" not in open(memory(suite, "u1@example.jp"), "rb").read(), "addresses are not kept")


def test_another_interval(suite):
    suite.mailctl("user", "set", "u1@example.jp", "auto-reply-interval", "60")
    sender = receive(suite, "u1@example.jp", "hourly@sender.example")
    wait_reply(sender)
    receive(suite, "u1@example.jp", sender)
    no_reply(suite, sender, "within a minute", 1)
    move_memory(suite, "u1@example.jp", 61)
    receive(suite, "u1@example.jp", sender)
    wait_reply(sender, 2)
    suite.mailctl("user", "set", "u1@example.jp", "auto-reply-interval", "59", wanted=1)
    suite.mailctl("user", "unset", "u1@example.jp", "auto-reply-interval")


def test_a_clock_set_back(suite):
    sender = receive(suite, "u1@example.jp", "future@sender.example")
    wait_reply(sender)
    move_memory(suite, "u1@example.jp", -10000000)
    receive(suite, "u1@example.jp", sender)
    no_reply(suite, sender, "answered in the future", 1)
    with open(memory(suite, "u1@example.jp"), encoding="ascii") as file:
        check(all(int(line.split()[0]) <= time.time() for line in file), "the future became now")
    move_memory(suite, "u1@example.jp", 86400)
    receive(suite, "u1@example.jp", sender)
    wait_reply(sender, 2)


def test_a_broken_memory(suite):
    with open(memory(suite, "u1@example.jp"), "wb") as file:
        file.write(b"nonsense\n\0\xff\n1 2\n")
    wait_reply(receive(suite, "u1@example.jp", "broken@sender.example"))
    receive(suite, "u1@example.jp", "broken@sender.example")
    no_reply(suite, "broken@sender.example", "the same day", 1)


# ---- other services ------------------------------------------------------------------------------

def test_R9_receive_off_answers(suite):
    suite.mailctl("user", "set", "u1@example.jp", "receive", "off")
    before = len(suite.mailbox("u1@example.jp"))
    wait_reply(receive(suite, "u1@example.jp"))
    equal(len(suite.mailbox("u1@example.jp")), before, "nothing is kept")
    suite.mailctl("user", "unset", "u1@example.jp", "receive")


def test_R10_who_may_not_send_does_not_answer(suite):
    for state in ("send-lock", "misuse-detected"):
        suite.mailctl("state", "lock", "u1@example.jp", state)
        before = len(suite.mailbox("u1@example.jp"))
        no_reply(suite, receive(suite, "u1@example.jp"), state)
        equal(len(suite.mailbox("u1@example.jp")), before + 1, "mail comes in as ever")
        suite.mailctl("state", "unlock", "u1@example.jp", state)
    suite.mailctl("state", "lock", "u1@example.jp", "account-lock")
    wait_reply(receive(suite, "u1@example.jp"))
    suite.mailctl("state", "unlock", "u1@example.jp")


def sent(suite, address):
    shown = json.loads(suite.mailctl("--json", "state", "show", address))
    return {row["counter"]: row["count"] for row in shown["counters"]}.get("messages", 0)


def test_replies_count_as_sent(suite):
    suite.mailctl("reply", "set", "u3@example.jp", text=TEXT)
    before = sent(suite, "u3@example.jp")
    wait_reply(receive(suite, "u3@example.jp"))
    wait_until(lambda: sent(suite, "u3@example.jp") == before + 1, "one message more that u3 sent")
    suite.mailctl("user", "set", "u3@example.jp", "account-send-limit", str(before + 2))
    wait_reply(receive(suite, "u3@example.jp"))
    wait_until(lambda: sent(suite, "u3@example.jp") == before + 2, "two messages more that u3 sent")
    no_reply(suite, receive(suite, "u3@example.jp"), "the limit is reached")


def test_a_reply_that_is_refused_bothers_nobody(suite):
    sink = SINKS["outside"]
    sink.answers["RCPT"] = lambda words: "550 5.1.1 gone"
    before = len(suite.mailbox("u1@example.jp"))
    receive(suite, "u1@example.jp", "gone@sender.example")
    suite.wait_messages("u1@example.jp", before + 1)
    suite.wait_queue_empty()
    sink.answers.clear()
    equal(len(suite.mailbox("u1@example.jp")), before + 1, "no report comes")


def test_a_killed_worker_never_answers_twice(suite):
    senders = [f"kill{number}@sender.example" for number in range(30)]
    for number, sender in enumerate(senders):
        receive(suite, "u1@example.jp", sender)
        if number % 3 == 0:
            suite.kill9("local")
    suite.flush_queue(120)
    for sender in senders:
        check(len(replies_to(sender)) <= 1, f"{sender} got {len(replies_to(sender))} replies")
    check(sum(len(replies_to(sender)) for sender in senders) >= 15, "most are answered")


def test_a_removed_account(suite):
    suite.mailctl("user", "del", "u1@example.jp")
    check(not os.path.exists(suite.path("control/domains/example.jp/replies/u1")), "its text goes along")
    suite.rebuild()
