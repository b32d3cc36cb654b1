"""SPEC R14: INBOX to the archive by the messages' dates of receipt, trash away after its days there."""

import datetime
import fcntl
import json
import os
import re
import signal
import subprocess
import time

from imapsession import Imap, Literal
from suite import check, equal, wait_until

DAY = 86400
U1, U2, U3 = "u1@example.jp", "u2@example.jp", "u3@example.jp"


def prepare(suite):
    # The last night was over hours ago.
    suite.set_host("ageing-hour", (time.localtime().tm_hour + 2) % 24)
    suite.add_domain("example.jp", "u1", "u2", plan="business")
    suite.add_domain("example.net", "u1", plan="site")
    suite.start()


def append(one, folder, text, days=0, flags="()"):
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
    date = moment.strftime("%d-%b-%Y %H:%M:%S +0000")
    one.ok(f'APPEND {folder} {flags} "{date}" ', Literal(f"Subject: {text}\r\n\r\n{text}\r\n".encode()))


def make_older(suite, address, folder, days):
    """Puts all messages of a folder into it `days` ago: their SAVEDATE is in the names."""
    for path in suite.mailbox(address, folder):
        place, name = os.path.split(path)
        seconds, rest = name.split(".", 1)
        os.utime(path, (time.time(), int(seconds) - days * DAY))
        os.rename(path, os.path.join(place, f"{int(seconds) - days * DAY}.{rest}"))


def texts(suite, address, folder=""):
    return sorted(re.search(rb"Subject: (\S+)", one)[1].decode() for one in suite.messages(address, folder))


def age(suite, *words):
    return json.loads(suite.mailctl("age", "--json", *words))


def maildirsize(suite, address):
    local, domain = address.split("@")
    with open(suite.path("mail", domain, local, "Maildir/maildirsize"), encoding="ascii") as file:
        lines = [line.split() for line in file.read().splitlines()[1:]]
    return sum(int(line[0]) for line in lines), sum(int(line[1]) for line in lines)


def test_R14_settings_of_the_plans(suite):
    for address, wanted in ((U1, ("180", "31")), ("u1@example.net", ("0", "0"))):
        found = tuple(suite.mailctl("explain", address, name) for name in ("archive-days", "trash-days"))
        check(all(value in text.split() for value, text in zip(wanted, found)), f"{address}: {found}")


def test_R14_POP3_clients_are_told_how_long_INBOX_keeps_mail(suite):
    """RFC 2449 6.7; the lesser of what the plan promises and what ageing leaves."""
    for expire, archive, wanted in ((0, 180, "180"), (30, 180, "30"), (365, 180, "180"), (30, 0, "30"), (0, 0, "NEVER")):
        suite.control("plans/days", f"pop3-expire {expire}\narchive-days {archive}\n")
        suite.add_domain("days.example", "u1", plan="days")
        client = suite.pop3("u1@days.example")
        equal(client.capa()["EXPIRE"], [wanted], f"pop3-expire {expire}, archive-days {archive}")
        client.quit()
        suite.mailctl("domain", "del", "days.example")


def test_R14_a_dry_run_does_nothing(suite):
    with Imap(suite, U1) as one:
        append(one, "INBOX", "old", 181, r"(\Seen \Flagged $label)")
        append(one, "INBOX", "older", 4000)
        append(one, "INBOX", "young", 179)
        append(one, "Trash", "lies", 400)
        append(one, "Trash", "gone", 1)
    # SAVEDATE counts, not the message's date.
    lies, gone = (next(path for path in suite.mailbox(U1, ".Trash")
                       if open(path, "rb").read().startswith(f"Subject: {text}".encode()))
                  for text in ("lies", "gone"))
    place, name = os.path.split(gone)
    seconds, rest = name.split(".", 1)
    os.rename(gone, os.path.join(place, f"{int(seconds) - 32 * DAY}.{rest}"))
    check(os.path.exists(lies), "the other stays")
    for words in ((), ("example.jp",), (U1,)):
        rows = age(suite, "--dry-run", *words)
        equal([(row["account"], row["archived"], row["deleted"]) for row in rows], [(U1, 2, 1)], str(words))
    equal(age(suite, "--dry-run", U2), [], "nothing to do there")
    check("u1@example.jp" in suite.mailctl("age", "--dry-run"), "as text")
    equal(texts(suite, U1), ["old", "older", "young"], "INBOX")
    equal(texts(suite, U1, ".Trash"), ["gone", "lies"], "the trash")


def test_R14_open_sessions_see_it_as_any_change(suite):
    with Imap(suite, U1) as inbox, Imap(suite, U1) as archive, Imap(suite, U1) as trash:
        inbox.ok("ENABLE CONDSTORE")
        before = inbox.ok("SELECT INBOX").code("HIGHESTMODSEQ")
        archive.ok("SELECT Archive")
        trash.ok("SELECT Trash")
        size = maildirsize(suite, U1) if os.path.exists(
            suite.path("mail/example.jp/u1/Maildir/maildirsize")) else None
        rows = age(suite, "example.jp")
        equal([(row["archived"], row["deleted"]) for row in rows], [(2, 1)], "what was done")
        seen = inbox.ok("NOOP")
        equal(len(seen.numbers("EXPUNGE")) + len(seen.all("VANISHED")), 2, f"EXPUNGE {seen}")
        after = inbox.ok("STATUS INBOX (HIGHESTMODSEQ)").one("STATUS")
        check(str(before) not in str(after), f"HIGHESTMODSEQ moves on from {before}: {after}")
        equal(archive.ok("NOOP").numbers("EXISTS")[-1:], [2], "EXISTS in the archive")
        equal(len(trash.ok("NOOP").numbers("EXPUNGE")), 1, "EXPUNGE in the trash")
        got = str(archive.ok("UID FETCH 1:* (UID FLAGS INTERNALDATE)").untagged)
        check("$label" in got and "Flagged" in got and "Seen" in got, f"flags and keywords: {got}")
        old = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=181)
        check(old.strftime("%b-%Y") in got, f"the message's date: {got}")
        if size:
            equal(maildirsize(suite, U1)[1], size[1] - 1, "messages in maildirsize")
    equal(texts(suite, U1), ["young"], "INBOX")
    equal(texts(suite, U1, ".Archive"), ["old", "older"], "the archive")
    equal(texts(suite, U1, ".Trash"), ["lies"], "the trash")
    equal(age(suite), [], "a second time there is nothing to do")
    equal(json.loads(suite.mailctl("store", "check", U1, "--json"))[0]["state"], "good", "store check")


def test_R14_the_archive_is_made_where_it_is_missing(suite):
    """Also in an account that no IMAP client has ever seen, and where the folder was deleted."""
    with Imap(suite, U1) as one:
        append(one, "INBOX", "third", 200)
        one.ok("DELETE Archive")
        age(suite, U1)
        listed = str(one.ok('LIST (SUBSCRIBED) "" * RETURN (SPECIAL-USE)').untagged)
        check("Archive" in listed, f"LIST: {listed}")
    equal(texts(suite, U1, ".Archive"), ["third"], "the new archive")
    base = suite.path("mail/example.jp/u2/Maildir")
    suite.submit(U1, [U2], b"Subject: delivered\r\n\r\nx\r\n")
    suite.wait_messages(U2, 1)
    make_older(suite, U2, "", 200)
    check(not os.path.exists(base + "/special-use"), "no IMAP session was there")
    equal([(row["account"], row["archived"]) for row in age(suite, "example.jp")], [(U2, 1)], "done")
    equal(len(suite.messages(U2, ".Archive")), 1, "the archive of an account without IMAP")


def test_R14_other_folders_and_uses(suite):
    """Another name for the archive; a folder in the trash keeps what is in it; INBOX is no trash."""
    with Imap(suite, U1) as one:
        one.ok("RENAME Archive Keep")
        one.ok("CREATE Trash/Below")
        append(one, "Trash/Below", "below", 1000)
        make_older(suite, U1, ".Trash.Below", 100)
        append(one, "INBOX", "fourth", 181)
        append(one, "Keep", "kept", 1000)
        make_older(suite, U1, ".Keep", 1000)
        age(suite)
    equal(texts(suite, U1, ".Keep"), ["fourth", "kept", "third"], "the archive by another name")
    equal(texts(suite, U1, ".Trash.Below"), ["below"], "below the trash")


def test_R14_many_messages_in_a_busy_mailbox(suite):
    """700 messages move while a session reads and deliveries come: each is in one place, UIDs rise."""
    suite.add_user(U3)
    with Imap(suite, U3) as one:
        append(one, "INBOX", "first", 400)
        source = suite.mailbox(U3)[0]
        place, name = os.path.split(source)
        seconds, rest = name.split(".", 1)
        rest = re.sub(r",U=\d+", "", rest)
        for number in range(699):
            os.link(source, os.path.join(place, f"{int(seconds) - 1000}.{number}{rest}"))
        equal(one.ok("SELECT INBOX").numbers("EXISTS"), [700], "before")
        suite.submit(U1, [U3], b"Subject: meanwhile\r\n\r\nx\r\n")
        equal([row["archived"] for row in age(suite, U3)], [700], "archived")
        suite.wait_messages(U3, 1)
        equal(len(one.ok("NOOP").numbers("EXPUNGE")), 700, "EXPUNGE")
        equal(one.ok("SELECT Archive").numbers("EXISTS"), [700], "the archive")
        uids = [items["UID"] for items in one.ok("FETCH 1:* UID").fetched().values()]
        equal(len(set(uids)), 700, "UIDs")
    equal(texts(suite, U3), ["meanwhile"], "INBOX")
    equal({row["state"] for row in json.loads(suite.mailctl("store", "check", U3, "--json"))}, {"good"}, "check")


def test_R14_what_is_refused(suite):
    check("no domain" in suite.mailctl("age", "example.org", wanted=1), "unknown domain")
    check("no account" in suite.mailctl("age", "nobody9@example.jp", wanted=1), "unknown account")
    suite.mailctl("user", "set", U1, "archive-days", "10", wanted=1)


def test_R14_the_nightly_service(suite):
    """It begins at once when it is started within the night, and does nothing twice in one night."""
    def nights():
        return len(re.findall("night-done.* failed=0 ", suite.logs("nightly")))

    def status():
        # Exit 111 while nightly starts again.
        return json.loads(subprocess.run([suite.path("bin/mailctl"), "status", "--json"], capture_output=True,
                                         text=True).stdout)

    equal(len(suite.processes("nightly")), 1, "nightly")
    wait_until(lambda: [one["state"] for one in status()["services"] if one["service"] == "nightly"] == ["up"],
               "nightly is up in mailctl status")
    equal(status()["last night"], None, "no night yet")
    equal(suite.logs("nightly").count("night-begins"), 0, "by day")
    # The night that begins within the hour before this one has begun, and is not over.
    suite.set_host("ageing-hour", (time.localtime().tm_hour - 1) % 24)
    suite.kill9("nightly")
    wait_until(lambda: nights() == 1, "the first night")
    with Imap(suite, U1) as one:
        append(one, "INBOX", "fifth", 181)
        append(one, "Trash", "sixth")
    make_older(suite, U1, ".Trash", 32)
    began = suite.logs("nightly").count("night-begins")
    suite.kill9("nightly")
    wait_until(lambda: suite.logs("nightly").count("started") == 3, "nightly again")
    time.sleep(1)
    equal(suite.logs("nightly").count("night-begins"), began, "nights")
    os.remove(suite.path("state/nightly/done"))
    suite.kill9("nightly")
    wait_until(lambda: nights() == 2, "another night")
    log = suite.logs("nightly")
    check("aged account=u1@example.jp archived=1 deleted=2 bytes-deleted=" in log, log)
    check(re.search(r"night-done domains=1 accounts=4 archived=1 deleted=2 bytes-deleted=\d+ failed=0", log), log)
    equal(texts(suite, U1, ".Trash"), [], "the trash")
    wait_until(lambda: status()["last night"]["archived"] == 1, "the report")
    night = status()["last night"]
    equal([night[name] for name in ("result", "domains", "accounts", "archived", "deleted", "failed", "error")],
          ["done", 1, 4, 1, 2, 0, None], f"mailctl status: {night}")
    check(abs(datetime.datetime.fromisoformat(night["began"]).timestamp() - time.time()) < 60, night["began"])
    check("last night" in suite.mailctl("status"), "as text")
    # An account that fails is named; the others have their turn.
    with Imap(suite, U2) as one:
        append(one, "INBOX", "seventh")
    folder = suite.path("mail/example.jp/u2")
    os.chmod(folder, 0)
    os.remove(suite.path("state/nightly/done"))
    suite.kill9("nightly")
    wait_until(lambda: status()["last night"]["failed"] == 1, "a night in which one failed")
    os.chmod(folder, 0o700)
    night = status()["last night"]
    check(night["result"] == "done" and night["accounts"] == 3 and night["error"].startswith("u2@example.jp: "), night)
    wait_until(lambda: not suite.processes("ageing"), "the worker ends")
    os.kill(suite.processes("nightly")[0][0], signal.SIGTERM)
    wait_until(lambda: suite.logs("nightly").count("started") == 6, "nightly after SIGTERM")
    check("child-ended program=ageing" not in suite.logs("spawnd"), "how the workers ended")


def test_R14_a_worker_that_dies_leaves_the_others_their_turn(suite):
    """It waits for u1's mailbox, which is locked, and is killed there."""
    for address, text in ((U1, "eighth"), (U2, "ninth")):
        with Imap(suite, address) as one:
            append(one, "INBOX", text, 181)
    with open(suite.path("mail/example.jp/u1/Maildir/mailbox-lock"), "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.remove(suite.path("state/nightly/done"))
        suite.kill9("nightly")
        wait_until(lambda: suite.processes("ageing"), "the worker")
        suite.kill9("ageing")
        wait_until(lambda: suite.logs("nightly").splitlines()[-1].count("night-done"), "the night's end")
    check(re.search("failed domain=example.jp account=u1 .*\n(.*\n)*.*night-done domains=1 accounts=3 archived=1 .* failed=1 ",
                    suite.logs("nightly")), suite.logs("nightly"))
    check("ninth" in texts(suite, U2, ".Archive") and "eighth" in texts(suite, U1), "what was done")
    age(suite)
    check("eighth" in texts(suite, U1, ".Keep"), "the next time")
