"""Capacity: quotas of mailboxes and domains, the state over-capacity, warnings, the receive switch."""

import contextlib
import email
import email.policy
import imaplib
import json
import os
import signal
import subprocess
import threading
import time

from sink import Sink
from suite import check, equal, message, stopped, wait_until

FULL = "sorry, mailbox is full (#4.5.2)"
MEGABYTE = 1048576
PLANS = {
    "quota": "quota 1\n",
    "final": "quota 1\nover-quota-reply 552\n",
    "pool": "domain-quota 1\nfree catch-all\n",
    "quiet": "quota 1\nquota-warning \n",
}
SINKS = {}


def prepare(suite):
    SINKS["outside"] = Sink()
    for name, text in PLANS.items():
        suite.control(f"plans/{name}", text)
    suite.add_domain("quota.jp", "u1", "u2", "ja", "en", "off", "big", "hand", "killed", "session", "busy", "old", "others", "flushed",
                     plan="quota")
    suite.add_domain("final.jp", "u1", plan="final")
    suite.add_domain("pool.jp", "u1", "u2", plan="pool")
    suite.add_domain("quiet.jp", "u1", plan="quiet")
    suite.add_domain("free.jp", "u1", "u2", "reader")
    suite.control("smtproutes", f":127.0.0.1:{SINKS['outside'].port}\n")
    suite.rebuild()
    suite.start()


def sized(size, recipient):
    """A message that takes about `size` bytes."""
    data = message("s@sender.example", recipient)
    line = b"x" * 98 + b"\r\n"
    return data + line * (max(0, size - len(data)) // len(line))


def receive(suite, recipient, size, sender="s@sender.example"):
    with suite.smtp() as client:
        client.sendmail(sender, [recipient], sized(size, recipient))


def refused(suite, recipient):
    """The reply to RCPT; None: it was taken."""
    with suite.smtp() as client:
        client.ehlo("c")
        client.mail("s@sender.example")
        code, text = client.rcpt(recipient)
        return None if code == 250 else f"{code} {text.decode()}"


def states(suite, name):
    return suite.mailctl("state", "show", name)


def usage(suite, address):
    return sum(os.path.getsize(name) for name in suite.mailbox(address))


def reported(suite, address):
    """What the file maildirsize says."""
    local, domain = address.split("@")
    with open(suite.path("mail", domain, local, "Maildir", "maildirsize"), encoding="ascii") as file:
        return sum(int(line.split()[0]) for line in file.read().splitlines()[1:])


def fill(suite, address, sizes=(700000, 336000)):
    """Brings a mailbox of 1 MB to its end, and has one message turned away."""
    for number, size in enumerate(sizes):
        receive(suite, address, size)
        wait_until(lambda: usage(suite, address) > sum(sizes[:number + 1]) - 2000, "its arrival")
    receive(suite, address, 30000)
    wait_until(lambda: "over-capacity" in states(suite, address), "the state over-capacity")


def drop_queue(suite):
    suite.mailctl("queue", "delete", "all")
    suite.wait_queue_empty()


def warnings(suite, address):
    found = []
    for one in suite.messages(address):
        mail = email.message_from_bytes(one, policy=email.policy.default)
        if mail["Auto-Submitted"] == "auto-generated":
            found.append(mail)
    return found


def test_R4_1_a_message_larger_than_the_quota_goes_back(suite):
    receive(suite, "big@quota.jp", MEGABYTE + 1000, sender="u1@free.jp")
    bounced = suite.wait_messages("u1@free.jp", 1)[0]
    check(b"5.2.3" in bounced, "the reason")
    suite.wait_queue_empty()
    equal(suite.mailbox("big@quota.jp"), [], "the mailbox")


def test_R4_2_a_full_mailbox_defers_then_refuses_at_rcpt(suite):
    check(refused(suite, "u1@quota.jp") is None, "it has room")
    fill(suite, "u1@quota.jp")
    check(usage(suite, "u1@quota.jp") <= MEGABYTE + 3000, "never above, but for the warnings")
    equal(len(suite.queue()), 1, "what was queued before waits")
    wait_until(lambda: "4.2.2" in suite.logs("queued") and FULL in suite.logs("queued"), "and why")
    equal(refused(suite, "u1@quota.jp"), f"452 {FULL}", "what senders hear")
    check(refused(suite, "u2@quota.jp") is None, "others of the domain receive")
    check("full: " in states(suite, "u1@quota.jp"), "the cause")


def test_R10_an_operators_state_is_not_ended(suite):
    suite.mailctl("state", "lock", "u2@quota.jp", "over-capacity", "--cause", "moving house")
    suite.mailctl("user", "purge", "u1@quota.jp")
    wait_until(lambda: "over-capacity" not in states(suite, "u1@quota.jp"), "the end of the state")
    check("moving house" in states(suite, "u2@quota.jp"), "the operator's stays")
    suite.mailctl("state", "unlock", "u2@quota.jp", "over-capacity")
    check(refused(suite, "u1@quota.jp") is None, "it receives again")
    suite.mailctl("queue", "flush")
    suite.wait_messages("u1@quota.jp", 1)
    suite.wait_queue_empty()


def test_R10_ends_by_itself_when_mail_is_expunged(suite):
    fill(suite, "u1@quota.jp", (650000, 357000))
    drop_queue(suite)
    with suite.imap("u1@quota.jp") as imap:
        imap.select("INBOX")
        imap.store("1:*", "+FLAGS", "\\Deleted")
        imap.expunge()
    wait_until(lambda: "over-capacity" not in states(suite, "u1@quota.jp"), "the end of the state", 90)
    check(refused(suite, "u1@quota.jp") is None, "it receives again")


def test_R10_ends_when_the_quota_is_raised(suite):
    fill(suite, "u2@quota.jp")
    drop_queue(suite)
    suite.control("plans/quota", "quota 2\n")
    suite.rebuild()
    suite.mailctl("user", "set", "u2@quota.jp", "quota", "2")
    wait_until(lambda: "over-capacity" not in states(suite, "u2@quota.jp"), "the end of the state")
    suite.control("plans/quota", PLANS["quota"])
    suite.rebuild()


def tries(suite, address):
    """Deliveries that were tried, of all mail for the address."""
    return suite.logs("queued").count(f"recipient={address} ")


def test_R4_2_a_flush_meets_the_quota_that_was_just_raised(suite):
    address, other = "flushed@quota.jp", "u1@free.jp"
    receive(suite, address, 700000)
    suite.wait_messages(address, 1)
    receive(suite, address, 400000)
    wait_until(lambda: tries(suite, address) == 2, "the refusal")
    suite.control("plans/quota", "quota 2\n")
    before = len(suite.mailbox(other))
    receive(suite, other, 1000)
    suite.wait_messages(other, before + 1)
    suite.rebuild()
    suite.mailctl("queue", "flush")
    suite.wait_messages(address, 2)
    suite.wait_queue_empty()
    equal(tries(suite, address), 3, "tries")
    suite.control("plans/quota", PLANS["quota"])
    suite.rebuild()


def test_R4_2_for_good_where_the_plan_says_so(suite):
    fill(suite, "u1@final.jp")
    equal(refused(suite, "u1@final.jp"), "552 sorry, mailbox is full (#5.2.2)", "what senders hear")
    wait_until(lambda: "5.2.2" in suite.logs("queued"), "what was queued before went back")
    wait_until(lambda: not suite.queue() or SINKS["outside"].transactions, "the bounce")


def test_R4_2_the_sender_reads_why_it_came_back(suite):
    """The bounce of what was queued before the mailbox was full, in its sender's mailbox."""
    suite.mailctl("user", "purge", "u1@final.jp")
    wait_until(lambda: "over-capacity" not in states(suite, "u1@final.jp"), "the end of the state")
    for number, size in enumerate((700000, 336000)):
        receive(suite, "u1@final.jp", size)
        suite.wait_messages("u1@final.jp", number + 1)
    receive(suite, "u1@final.jp", 30000, sender="reader@free.jp")
    bounce = email.message_from_bytes(suite.wait_messages("reader@free.jp", 1)[0], policy=email.policy.default)
    equal(bounce.get_content_type(), "multipart/report", "a report")
    text, status, original = bounce.iter_parts()
    check("u1@final.jp" in text.get_content() and "mailbox is full" in text.get_content(), text.get_content())
    check("Status: 5.2.2" in str(status), str(status))
    check("s@sender.example" in str(original) or "Subject: test" in str(original), "the message's header")


def test_R4_2_deferred_and_then_returned_when_it_is_too_old(suite):
    suite.set_host("queue-lifetime", "60")
    try:
        for number, size in enumerate((700000, 336000)):
            receive(suite, "old@quota.jp", size)
            suite.wait_messages("old@quota.jp", number + 1)
        before = len(suite.mailbox("reader@free.jp"))
        receive(suite, "old@quota.jp", 30000, sender="reader@free.jp")
        wait_until(lambda: len(suite.queue()) == 1, "it waits")
        equal(len(suite.mailbox("reader@free.jp")), before, "no report yet")
        time.sleep(60)
        suite.mailctl("queue", "flush")
        suite.wait_messages("reader@free.jp", before + 1, 30)
        bounce = [one for one in suite.messages("reader@free.jp") if b"old@quota.jp" in one][0]
        check(b"5.4.7" in bounce and b"mailbox is full" in bounce, bounce.decode())
        suite.wait_queue_empty()
    finally:
        suite.set_host("queue-lifetime", "432000")


def test_R4_2_the_domains_disk(suite):
    receive(suite, "u1@pool.jp", 700000)
    suite.wait_messages("u1@pool.jp", 1)
    receive(suite, "u2@pool.jp", 335000)
    suite.wait_messages("u2@pool.jp", 1)
    receive(suite, "u1@pool.jp", 30000)
    wait_until(lambda: "over-capacity" in states(suite, "pool.jp"), "the domain's state")
    equal(refused(suite, "u1@pool.jp"), f"452 {FULL}", "u1")
    equal(refused(suite, "u2@pool.jp"), f"452 {FULL}", "u2")
    for other in ("u1@free.jp", "u1@quiet.jp"):
        check(refused(suite, other) is None, f"{other} receives")
        before = len(suite.mailbox(other))
        receive(suite, other, 1000)
        suite.wait_messages(other, before + 1)
    suite.mailctl("child", "add", "pool.jp", "sub.pool.jp")
    suite.mailctl("domain", "set", "pool.jp", "catch-all", "u2")
    for address in ("u1@sub.pool.jp", "nobody.there@pool.jp", "nobody.there@sub.pool.jp"):
        equal(refused(suite, address), f"452 {FULL}", address)
    suite.mailctl("user", "purge", "u1@pool.jp")
    wait_until(lambda: "over-capacity" not in states(suite, "pool.jp"), "the end of the state")
    for address in ("u1@sub.pool.jp", "nobody.there@pool.jp"):
        check(refused(suite, address) is None, f"{address} receives again")
    drop_queue(suite)


def test_R4_4_nobody_waits_for_a_stated_that_is_stopped(suite):
    """A mailbox runs full while stated is stopped: all other mail goes on; the state comes later."""
    address = "busy@quota.jp"
    for number, size in enumerate((700000, 336000)):
        receive(suite, address, size)
        suite.wait_messages(address, number + 1)
    before = len(suite.mailbox("u1@free.jp"))
    receive(suite, "u1@free.jp", 1000)
    suite.wait_messages("u1@free.jp", before + 1)
    suite.wait_queue_empty()
    with stopped(suite, "stated"):
        receive(suite, address, 30000)
        wait_until(lambda: f"recipient={address} " in suite.logs("queued") and "4.2.2" in
                   suite.logs("queued").split(f"recipient={address} ")[-1], "the refusal")
        start = time.monotonic()
        for _ in range(8):
            receive(suite, "u1@free.jp", 1000)
        suite.wait_messages("u1@free.jp", before + 9)
        took = time.monotonic() - start
        check(took < 3, f"others' mail took {took:.1f} s")
        wait_until(lambda: "run/stated/socket" in suite.logs("queued"), "the log says so")
    drop_queue(suite)


def test_R4_warnings_once_for_each_level(suite):
    suite.mailctl("user", "set", "ja@quota.jp", "notice-language", "ja")
    suite.mailctl("user", "set", "en@quota.jp", "notice-language", "en")
    for address, word in (("ja@quota.jp", "使用量"), ("en@quota.jp", "is 80% full")):
        receive(suite, address, 850000)
        wait_until(lambda a=address: warnings(suite, a), "the warning")
        receive(suite, address, 20000)
        suite.wait_messages(address, 3)
        equal(len(warnings(suite, address)), 1, "warnings")
        mail = warnings(suite, address)[0]
        equal(mail["From"], "postmaster@quota.jp", "From")
        equal(mail["To"], address, "To")
        check(mail["Date"] and mail["Message-ID"], "Date and Message-ID")
        check("80%" in mail["Subject"], mail["Subject"])
        check(word in mail.get_content(), mail.get_content())
        receive(suite, address, 130000)
        wait_until(lambda a=address: len(warnings(suite, a)) == 2, "the second warning")
        suite.wait_queue_empty()
    receive(suite, "u1@quiet.jp", 1000000)
    suite.wait_messages("u1@quiet.jp", 1)
    suite.wait_queue_empty()
    equal(warnings(suite, "u1@quiet.jp"), [], "warnings where the plan wants none")


def test_R4_4_files_removed_by_hand_make_room(suite):
    receive(suite, "hand@quota.jp", 1000000)
    suite.wait_messages("hand@quota.jp", 1)
    suite.wait_queue_empty()
    for name in suite.mailbox("hand@quota.jp"):
        os.unlink(name)
    receive(suite, "hand@quota.jp", 900000)
    wait_until(lambda: usage(suite, "hand@quota.jp") > 890000, "the arrival")
    suite.wait_queue_empty()
    equal(reported(suite, "hand@quota.jp"), usage(suite, "hand@quota.jp"), "usage")


def test_R4_4_usage_is_true_after_kill_9(suite):
    for _ in range(5):
        for _ in range(8):
            receive(suite, "killed@quota.jp", 3000)
        suite.kill9("local")
        suite.kill9("queued")
    suite.wait_queue_empty(60)
    equal(len(suite.mailbox("killed@quota.jp")), 40, "messages")
    # Who forgot to count is found out by the next question, at the latest.
    receive(suite, "killed@quota.jp", 3000)
    suite.wait_messages("killed@quota.jp", 41)
    suite.wait_queue_empty()
    equal(reported(suite, "killed@quota.jp"), usage(suite, "killed@quota.jp"), "usage")
    suite.mailctl("store", "rebuild", "killed@quota.jp")
    receive(suite, "killed@quota.jp", 3000)
    suite.wait_messages("killed@quota.jp", 42)
    suite.wait_queue_empty()
    equal(reported(suite, "killed@quota.jp"), usage(suite, "killed@quota.jp"), "after a recount")


def told_usage(suite, address):
    """Octets, in units of 1024 as RFC 9208 has it, in use as IMAP tells it."""
    with suite.imap(address) as imap:
        _, (_, answer) = imap.getquotaroot("INBOX")
        return int(answer[0].split(b"STORAGE ")[1].split()[0])


def kill_amid(folder, count, victims):
    """kill -9 when messages come to the folder. Was that before all were there?"""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        if os.listdir(folder):
            for pid, _ in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            break
    return 0 < len(os.listdir(folder)) < count


def test_R4_4_usage_is_true_after_kill_9_of_sessions(suite):
    """Sessions die amid a COPY; who looks next says what is there."""
    address, count, hits = "session@quota.jp", 400, 0
    folder = suite.path("mail/quota.jp/session/Maildir/.Work/new")
    with suite.imap(address) as imap:
        imap.create("Work")
        equal(told_usage(suite, address), 0, "usage")
        for _ in range(count):
            imap.append("INBOX", "", "", sized(100, address))
    for round_number in range(8):
        outcome = []
        with contextlib.suppress(imaplib.IMAP4.error, OSError), suite.imap(address) as imap:
            imap.select("INBOX")
            victims = suite.processes("imapd")
            killer = threading.Thread(
                target=lambda v=victims, o=outcome: o.append(kill_amid(folder, count, v)))
            killer.start()
            imap.copy("1:*", "Work")
        killer.join()
        hits += outcome[0]
        there = usage(suite, address) + sum(os.path.getsize(name) for name in suite.mailbox(address, ".Work"))
        equal(told_usage(suite, address), (there + 1023) // 1024, f"usage after {round_number + 1} kills")
        with suite.imap(address) as imap:
            imap.select("Work")
            imap.store("1:*", "+FLAGS", "\\Deleted")
            imap.expunge()
        if hits == 2:
            break
    check(hits > 0, "a kill hit a change")


def test_R9_receive_off_forwards_and_keeps_nothing(suite):
    receive(suite, "off@quota.jp", 1000)
    suite.wait_messages("off@quota.jp", 1)
    suite.mailctl("user", "set", "off@quota.jp", "receive", "off")
    receive(suite, "off@quota.jp", 1000)
    suite.wait_queue_empty()
    wait_until(lambda: "not kept: the account receives no mail" in suite.logs("queued"), "the log says so")
    suite.mailctl("forward", "add", "off@quota.jp", "a@friend.example")
    count = len(SINKS["outside"].transactions)
    receive(suite, "off@quota.jp", 1000)
    wait_until(lambda: len(SINKS["outside"].transactions) > count, "the copy")
    suite.wait_queue_empty()
    wait_until(lambda: "forwarded, not kept" in suite.logs("queued"), "the log says so")
    # Nor does a state matter: nothing is stored.
    suite.mailctl("state", "lock", "off@quota.jp", "over-capacity", "--cause", "test")
    check(refused(suite, "off@quota.jp") is None, "it takes mail")
    suite.mailctl("state", "unlock", "off@quota.jp", "over-capacity")
    equal(len(suite.mailbox("off@quota.jp")), 1, "what was stored before stays")
    suite.mailctl("user", "set", "off@quota.jp", "receive", "on")
    receive(suite, "off@quota.jp", 1000)
    suite.wait_messages("off@quota.jp", 2)


def test_R4_4_files_that_others_add_and_remove_are_counted(suite):
    """A session that sees them come and go makes the usage true again; before APPEND is refused all is counted."""
    address = "others@quota.jp"
    for _ in range(4):
        receive(suite, address, 100000)
    suite.wait_messages(address, 4)
    suite.wait_queue_empty()
    folder = suite.path("mail/quota.jp/others/Maildir")
    with suite.imap(address) as imap:
        imap.select("INBOX")

        def expect(what):
            imap.noop()
            _, (_, answer) = imap.getquotaroot("INBOX")
            equal(int(answer[0].split(b"STORAGE ")[1].split()[0]), (usage(suite, address) + 1023) // 1024, what)

        expect("at first")
        for name in suite.mailbox(address)[:2]:
            os.unlink(name)
        expect("two removed")
        owner = os.stat(folder).st_uid
        with open(f"{folder}/tmp/1234567890.x.y", "wb") as file:
            file.write(sized(150000, address))
        os.chown(f"{folder}/tmp/1234567890.x.y", owner, owner)
        os.rename(f"{folder}/tmp/1234567890.x.y", f"{folder}/new/1234567890.x.y")
        expect("one added")
    receive(suite, address, 600000)
    wait_until(lambda: usage(suite, address) > 900000, "its arrival")
    suite.wait_queue_empty()
    for name in suite.mailbox(address):
        os.unlink(name)
    with suite.imap(address) as imap:
        equal(imap.append("INBOX", "", "", sized(300000, address))[0], "OK", "APPEND into what was emptied by hand")


def test_R4_imap_append_over_quota(suite):
    receive(suite, "u1@quota.jp", 1000000)
    wait_until(lambda: usage(suite, "u1@quota.jp") > 990000, "the arrival")
    with suite.imap("u1@quota.jp") as imap:
        result, answer = imap.append("INBOX", "", "", sized(100000, "u1@quota.jp"))
        equal(result, "NO", "APPEND")
        check(b"OVERQUOTA" in answer[0], f"{answer}")


WARNING = "quotas are 2 MB together, domain-quota is 1 MB"


def test_R4_1_more_promised_than_there_is_warns(suite):
    for address in ("u1@pool.jp", "u2@pool.jp"):
        suite.mailctl("user", "set", address, "quota", "1")
    done = subprocess.run([suite.path("bin/cdb"), "rebuild", "pool.jp"], capture_output=True, text=True)
    equal(done.returncode, 0, "it is allowed")
    check(WARNING in done.stderr, done.stderr)


def said(suite, *words, text=""):
    """What mailctl says beside its result; it must succeed."""
    done = subprocess.run([suite.path("bin/mailctl"), *words], capture_output=True, text=True, input=text)
    equal(done.returncode, 0, f"mailctl {' '.join(words)}: {done.stderr}")
    return done.stderr


def test_R4_1_each_way_to_promise_more_warns(suite):
    free = "quotas are {} MB together, domain-quota is 1 MB"
    equal(said(suite, "user", "set", "u1@free.jp", "quota", "2"), "", "no domain-quota, no warning")
    check(free.format(2) in said(suite, "domain", "set", "free.jp", "domain-quota", "1"), "domain set")
    check(free.format(3) in said(suite, "user", "set", "u2@free.jp", "quota", "1"), "user set")
    rows = "mail_account,password,mail_capacity,comment\nrow1,Vex7-lantern,5,\n"
    check(free.format(8) in said(suite, "csv", "register", "free.jp", "-", "--wait", text=rows), "csv register")
    rows = "mail_account,password,mail_capacity\nrow1,,4\n"
    check(free.format(7) in said(suite, "csv", "edit", "free.jp", "-", "--wait", text=rows), "csv edit")
    equal(said(suite, "domain", "set", "free.jp", "domain-quota", "7"), "", "just as much as there is")
    equal(said(suite, "domain", "set", "free.jp", "domain-quota", "0"), "", "no limit")
    check(refused(suite, "row1@free.jp") is None, "what was promised is there")


def test_R4_mailctl_shows_used_space_against_the_limit(suite):
    shown = json.loads(suite.mailctl("domain", "show", "pool.jp", "--json"))["used"]
    there = [name for user in ("u1", "u2") for name in suite.mailbox(f"{user}@pool.jp")]
    equal(shown, {"bytes": sum(map(os.path.getsize, there)), "messages": len(there), "limit": MEGABYTE}, "used")
    check(json.loads(suite.mailctl("domain", "show", "free.jp", "--json"))["used"]["limit"] is None, "no limit")
    check("used" in suite.mailctl("domain", "show", "pool.jp"), "for people")
    # A mailbox without the file, one that makes no sense, and one with a change that was cut off.
    path = suite.path("mail/pool.jp/u1/Maildir/maildirsize")
    there = suite.mailbox("u1@pool.jp")
    for content in (None, "1048576S\n99 ", "1048576S\n5 1\n0 0 +\n"):
        if content is None:
            os.unlink(path)
        else:
            with open(path, "w", encoding="ascii") as file:
                file.write(content)
        shown = json.loads(suite.mailctl("user", "show", "u1@pool.jp", "--json"))["used"]
        equal(shown, {"bytes": sum(map(os.path.getsize, there)), "messages": len(there)}, f"used, of {content!r}")
    equal(os.stat(path).st_uid, os.stat(suite.path("mail/pool.jp/u1")).st_uid, "the owner of the file")
    equal(json.loads(suite.mailctl("user", "show", "u2@free.jp", "--json", wanted=0))["used"],
          {"bytes": 0, "messages": 0}, "without a mailbox")
