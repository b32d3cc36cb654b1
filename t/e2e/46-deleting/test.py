"""SPEC R2.6: accounts and domains go with all that is theirs; a purge loses no mail that comes meanwhile."""

import imaplib
import json
import os
import subprocess
import threading
import time

from imapsession import Imap, Literal
from sink import Sink
from suite import Failure, check, equal, message, wait_until

U1, U2 = "u1@example.jp", "u2@example.jp"


def append(one, folder, count=1):
    for number in range(count):
        one.ok(f"APPEND {folder} ", Literal(f"Subject: {number}\r\n\r\nx\r\n".encode()))


def send(suite, recipient, subject):
    suite.submit(U1, [recipient], message(U1, recipient, subject))


def left(suite, local, domain="example.jp"):
    """Whatever of an account lies in the mail store; the mark in its place is a file."""
    base = suite.path("mail", domain)
    return sorted(name for name in (os.listdir(base) if os.path.isdir(base) else [])
                  if name.startswith(".removing") or (name == local and os.path.isdir(os.path.join(base, name))))


def test_R2_6_purge_empties_all_folders_and_keeps_them(suite):
    with Imap(suite, U1) as one, Imap(suite, U1) as other:
        one.ok("CREATE Work/Deep")
        append(one, "INBOX", 3)
        append(one, "Work/Deep", 150)
        validity = one.ok("STATUS Work/Deep (UIDVALIDITY UIDNEXT)").one("STATUS")
        one.ok("SELECT INBOX")
        other.ok("SELECT Work/Deep")
        equal(json.loads(suite.mailctl("user", "purge", U1, "--dry-run", "--json"))["messages"], 153, "dry run")
        equal(len(suite.mailbox(U1)), 3, "what a dry run leaves")
        equal(json.loads(suite.mailctl("user", "purge", U1, "--json"))["removed"], 153, "removed")
        equal(len(one.ok("NOOP").numbers("EXPUNGE")), 3, "EXPUNGE in INBOX")
        equal(len(other.ok("NOOP").numbers("EXPUNGE")), 150, "EXPUNGE in Work/Deep")
        equal(one.ok("STATUS Work/Deep (UIDVALIDITY UIDNEXT)").one("STATUS"), validity, "UIDs")
        append(one, "INBOX")
        equal([items["UID"] for items in one.ok("FETCH 1:* UID").fetched().values()], [4], "the next UID")
        check("Work/Deep" in str(one.ok('LIST "" *').untagged), "the folders stay")
        equal(one.ok("GETQUOTAROOT INBOX").done.kind, "OK", "QUOTA")
    client = suite.pop3(U1)
    equal(client.stat()[0], 1, "messages over POP3")
    client.quit()
    equal({row["state"] for row in json.loads(suite.mailctl("store", "check", U1, "--json"))}, {"good"}, "check")


def test_R2_6_purge_takes_what_another_program_put_there(suite):
    """No session has seen it yet: by the folder, not by what the index knew, it is counted and removed."""
    with Imap(suite, U1) as one:
        one.ok("SELECT INBOX")
    source = suite.mailbox(U1)[0]
    new = os.path.join(os.path.dirname(os.path.dirname(source)), "new")
    with open(os.path.join(new, "1700000000.foreign.host"), "wb") as file:
        file.write(b"Subject: restored from a backup\r\n\r\nx\r\n")
    os.chown(file.name, os.stat(source).st_uid, os.stat(source).st_gid)
    equal(json.loads(suite.mailctl("user", "purge", U1, "--json"))["removed"], 2, "removed")
    equal(suite.mailbox(U1), [], "what is left")


def test_R2_6_purge_loses_nothing_that_arrives_meanwhile(suite):
    """Deliveries go on all the time; what is in the mailbox afterwards and what was removed make all."""
    sent = 60

    def deliver(part):
        for number in range(part, sent, 3):
            send(suite, U2, f"stream-{number}")

    threads = [threading.Thread(target=deliver, args=(part,)) for part in range(3)]
    removed = 0
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        removed += json.loads(suite.mailctl("user", "purge", U2, "--json"))["removed"]
    for thread in threads:
        thread.join()
    suite.wait_queue_empty()
    check(removed > 0, "some went")
    equal(removed + len(suite.mailbox(U2)), sent, "removed and left")
    with Imap(suite, U2) as one:
        equal(one.ok("SELECT INBOX").numbers("EXISTS"), [len(suite.mailbox(U2))], "over IMAP")
        one.ok("STATUS INBOX (UIDNEXT)")


def test_R2_6_an_account_goes_with_all_that_is_its_own(suite):
    suite.add_user("gone@example.jp")
    suite.mailctl("forward", "add", "gone@example.jp", "away@elsewhere.example")
    suite.mailctl("state", "lock", "gone@example.jp", "send-lock")
    send(suite, "gone@example.jp", "before")
    wait_until(lambda: suite.mailbox("gone@example.jp"), "a message")
    suite.mailctl("user", "del", "gone@example.jp")
    equal(left(suite, "gone"), [], "mail")
    for folder, _, files in os.walk(suite.path("control/domains/example.jp")):
        for name in files:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                check("gone" not in file.read(), f"{folder}/{name}")
    try:
        suite.imap("gone@example.jp")
        raise Failure("it logs in")
    except imaplib.IMAP4.error:
        pass
    with suite.smtp() as client:
        client.ehlo()
        client.mail("<>")
        equal(client.rcpt("gone@example.jp")[0], 550, "RCPT")
    check("no account" in suite.mailctl("user", "del", "gone@example.jp", wanted=1), "a second time")
    # A new one of that name has nothing of the old, and gets its mail at once.
    suite.add_user("gone@example.jp")
    check("send-lock" not in suite.mailctl("state", "show", "gone@example.jp"), "its states")
    with Imap(suite, "gone@example.jp") as one:
        equal(one.ok("SELECT INBOX").numbers("EXISTS"), [0], "the new mailbox")
    send(suite, "gone@example.jp", "after")
    wait_until(lambda: len(suite.mailbox("gone@example.jp")) == 1, "mail for the new one")
    suite.mailctl("user", "del", "gone@example.jp")


def test_R2_6_from_under_open_sessions(suite):
    suite.add_user("open@example.jp")
    with Imap(suite, "open@example.jp") as idle, Imap(suite, "open@example.jp") as busy:
        append(busy, "INBOX", 20)
        idle.ok("SELECT INBOX")
        busy.ok("SELECT INBOX")
        pop = suite.pop3("open@example.jp")
        equal(pop.stat()[0], 20, "over POP3")
        idle.send(b"i IDLE\r\n")
        equal(idle.response().tag, "+", "IDLE")
        suite.mailctl("user", "del", "open@example.jp")
        equal(left(suite, "open"), [], "at once")
        while idle.response().kind != "BYE":
            pass
        for command in ("NOOP", "APPEND INBOX {1+}\r\nx", 'CREATE "New"'):
            try:
                busy.send(b"b " + command.encode() + b"\r\n")
                answer = busy.response()
                while answer.tag == "*" and answer.kind != "BYE":
                    answer = busy.response()
            except (Failure, OSError):
                break
            check(answer.kind in ("BYE", "NO", "BAD"), f"{command}: {answer}")
            if answer.kind == "BYE":
                break
        for act in (lambda: pop.retr(1), lambda: pop.dele(2), pop.quit):
            try:
                act()
            except Exception:  # -ERR, or closed
                pass
        pop.close()
    time.sleep(0.5)
    equal(left(suite, "open"), [], "no file came back")
    wait_until(lambda: not [one for one in os.listdir("/proc") if one.isdigit() and is_gone(one)], "no session is left")
    check("signal=11" not in suite.logs("spawnd") and "signal=6" not in suite.logs("spawnd"), suite.logs("spawnd"))


def test_R2_6_sessions_that_have_nothing_selected_end_too(suite):
    """At once; those that are older than spawnd, which does not know them, at their next command."""
    suite.add_user("open@example.jp")
    with Imap(suite, "open@example.jp") as busy, Imap(suite, "open@example.jp") as leaves:
        busy.ok("CREATE Work")
        busy.ok("DELETE Work")
        spawnd = suite.processes("spawnd")
        suite.kill9("spawnd")
        wait_until(lambda: suite.processes("spawnd") not in ([], spawnd), "another spawnd")
        with Imap(suite, "open@example.jp") as idle, Imap(suite, "open@example.jp") as told:
            idle.send(b"i IDLE\r\n")
            equal(idle.response().tag, "+", "IDLE")
            told.ok("NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))")
            suite.mailctl("user", "del", "open@example.jp")
            for one, name in ((idle, "IDLE"), (told, "NOTIFY")):
                answer = one.response()
                while answer.kind != "BYE":
                    answer = one.response()
                check("account" in str(answer), f"{name}: {answer}")
        busy.send(b"b NOOP\r\n")
        check("account was deleted" in str(busy.response()), "the next command")
        leaves.send(b"l LOGOUT\r\n")
        equal([leaves.response().kind, leaves.response().kind], ["BYE", "OK"], "LOGOUT")
    equal(left(suite, "open"), [], "no file came back")


def is_gone(pid):
    try:
        return ".removing-" in os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False


def test_R2_6_while_mail_comes_in(suite):
    """It is delivered before, or it bounces; nothing makes the mailbox anew."""
    for turn in range(3):
        suite.add_user("busy@example.jp")
        stop = threading.Event()

        def deliver():
            while not stop.is_set():
                try:
                    send(suite, "busy@example.jp", "stream")
                except Exception:  # refused: it is gone
                    return

        threads = [threading.Thread(target=deliver) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(suite.mailbox("busy@example.jp")) > 3, "some mail")
        suite.mailctl("user", "del", "busy@example.jp")
        stop.set()
        for thread in threads:
            thread.join()
        suite.mailctl("queue", "flush")

        def is_over():
            suite.mailctl("queue", "flush")
            return not suite.queue()

        wait_until(is_over, f"an empty queue, turn {turn}")
        equal(left(suite, "busy"), [], "the mailbox")


def test_R2_6_broken_off_anywhere_it_is_finished_by_the_same_command(suite):
    for number in range(1, 40, 3):
        address = f"crash{number}@example.jp"
        suite.add_user(address)
        with Imap(suite, address) as one:
            append(one, "INBOX", 5)
        victim = subprocess.Popen([suite.path("bin/mailctl"), "user", "del", address],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(number / 4000)
        victim.kill()
        victim.wait()
        done = subprocess.run([suite.path("bin/mailctl"), "user", "del", address], capture_output=True, text=True)
        check(done.returncode == 0 or "no account" in done.stderr, f"{number}: {done.stderr}")
        equal(left(suite, address.split("@")[0]), [], f"mail, killed after {number / 4} ms")
        suite.add_user(address)
        with Imap(suite, address) as one:
            equal(one.ok("SELECT INBOX").numbers("EXISTS"), [0], "the next of that name")


def test_R2_6_a_refused_removal_leaves_nothing_begun(suite):
    """Else the account's mail would go one day, when its line was taken out by hand and the name was added again."""
    suite.add_user("boss@example.jp")
    suite.mailctl("domain", "set", "example.jp", "admin", "boss")
    before = left(suite, "boss")
    check("admin is boss" in suite.mailctl("user", "del", "boss@example.jp", wanted=1), "the administrator's mailbox")
    equal(left(suite, "boss"), before, "what lies there")
    send(suite, "boss@example.jp", "kept")
    suite.wait_messages("boss@example.jp", 1)
    suite.mailctl("domain", "unset", "example.jp", "admin")
    users = suite.path("control/domains/example.jp/users")
    with open(users, encoding="utf-8") as file:
        lines = file.readlines()
    with open(users, "w", encoding="utf-8") as file:
        file.writelines(line for line in lines if not line.startswith("boss:"))
    suite.rebuild()
    suite.add_user("boss@example.jp")
    equal(len(suite.messages("boss@example.jp")), 1, "mail of an account that never was removed")
    suite.mailctl("user", "del", "boss@example.jp")


def test_R2_6_a_domain_is_gone_by_the_same_command(suite):
    """As a kill leaves it: behind the step that takes the text away, before the domain is compiled out."""
    suite.add_domain("half.example", "u1")
    domains = suite.path("control/domains")
    os.rename(os.path.join(domains, "half.example"), os.path.join(domains, ".deleted"))
    suite.mailctl("domain", "del", "half.example")
    check(not os.path.lexists(os.path.join(domains, ".deleted")), "the text")
    check(not os.path.lexists(suite.path("mail/half.example")), "the mail")
    check(not os.path.lexists(suite.path("cdb/domain/half.example.cdb")), "what was compiled")
    suite.add_domain("half.example", "u1")
    suite.mailctl("domain", "del", "half.example")


def test_R2_6_what_was_left_is_swept_at_night(suite):
    base = suite.path("mail/example.jp")
    owner = os.stat(base).st_uid
    for path in (".removing-lost", ".removing-lost/Maildir", "old"):
        (os.mkdir if path != "old" else lambda one: open(one, "w").close())(os.path.join(base, path))
        os.chown(os.path.join(base, path), owner, owner)
    os.chmod(os.path.join(base, "old"), 0o400)
    os.utime(os.path.join(base, "old"), (1, 1))
    suite.mailctl("domain", "set", "example.jp", "archive-days", "10", wanted=1)
    with open(suite.path("control/plans/default"), "a", encoding="utf-8") as file:
        file.write("\narchive-days 100\n")
    suite.rebuild()
    suite.mailctl("age", "example.jp")
    check(not os.path.lexists(os.path.join(base, ".removing-lost")), "the folder")
    check(not os.path.lexists(os.path.join(base, "old")), "the mark")


def test_R2_6_a_domain_goes_while_its_mail_is_queued(suite):
    """Its mail is not lost: the sender is told."""
    suite.add_domain("leaving.example", "u9")
    send(suite, "u9@leaving.example", "early")
    wait_until(lambda: suite.mailbox("u9@leaving.example"), "a message")
    # No delivery is possible now: the message waits.
    box = suite.path("mail/leaving.example/u9/Maildir/tmp")
    os.chmod(box, 0)
    os.chown(box, 0, 0)
    send(suite, "u9@leaving.example", "waits")
    wait_until(lambda: any("deferred" in line for line in suite.logs("queued").splitlines()
                           if "leaving.example" in line), "it waits")
    os.chown(box, suite.uidbase, suite.uidbase)
    os.rmdir(box)
    suite.mailctl("domain", "del", "leaving.example")
    check(not [name for name in os.listdir(suite.path("mail")) if "leaving" in name], "its folder")
    check("no domain" in suite.mailctl("domain", "del", "leaving.example", wanted=1), "a second time")
    before = len(suite.mailbox(U1))

    def is_told():
        suite.mailctl("queue", "flush")
        return len(suite.mailbox(U1)) > before

    wait_until(is_told, "a bounce")
    check(any(b"waits" in one and b"leaving.example" in one for one in suite.messages(U1)), "its text")
    check(not os.path.exists(suite.path("mail/leaving.example")), "no folder came back")
    # One that was broken off.
    os.mkdir(suite.path("mail/.removing-leaving.example"))
    suite.mailctl("domain", "del", "leaving.example")
    check(not os.path.exists(suite.path("mail/.removing-leaving.example")), "what was left")


def test_R2_6_a_domain_that_is_added_again_at_once_gets_its_mail_at_once(suite):
    """The worker that delivered last lies in the folder that went, and is told so."""
    for turn in range(3):
        suite.add_domain("again.example", "u9")
        send(suite, "u9@again.example", f"turn-{turn}")
        wait_until(lambda: suite.mailbox("u9@again.example"), "a message")
        equal(len(suite.mailbox("u9@again.example")), 1, f"messages, turn {turn}")
        suite.mailctl("domain", "del", "again.example")
    check(not [line for line in suite.logs("queued").splitlines()
               if "deferred" in line and "again.example" in line], "nothing was deferred")


def test_R2_6_a_domain_goes_while_what_it_sent_and_forwarded_is_queued(suite):
    """It goes out as it would have; what comes back finds no mailbox, and nothing goes in circles."""
    with Sink() as outside:
        suite.control("smtproutes", f":127.0.0.1:{outside.port}\n")
        suite.rebuild()
        for answer in ("250 ok", "550 5.1.1 gone"):
            suite.add_domain("away.example", "u9")
            suite.mailctl("forward", "add", "u9@away.example", "y@far.example")
            outside.answers["RCPT"] = "451 4.3.0 later"
            suite.submit("u9@away.example", ["x@far.example"], message("u9@away.example", "x@far.example", "sent"))
            with suite.smtp() as client:
                client.sendmail("s@sender.example", ["u9@away.example"], message("s@sender.example", "u9@away.example"))
            wait_until(lambda: all(f"deferred id={one} " in suite.logs("queued") for one in suite.queue()) and
                       len(suite.queue()) == 2, "both wait")
            suite.mailctl("domain", "del", "away.example")
            count = len(outside.transactions)
            outside.answers["RCPT"] = lambda words, last=answer: last if "far.example" in words else "250 ok"

            def is_over():
                suite.mailctl("queue", "flush")
                return not suite.queue()

            wait_until(is_over, f"an empty queue, {answer}")
            got = sorted(one for done in outside.transactions[count:] for one in done.recipients)
            if answer.startswith("250"):
                equal(got, ["x@far.example", "y@far.example"], "what goes out")
            else:
                check("u9@away.example" in got and len(got) <= 3 and "x@far.example" not in got, f"reports: {got}")
            check(not os.path.exists(suite.path("mail/away.example")), "no folder came back")
    suite.control("smtproutes", "")
    suite.rebuild()
