"""IMAP in several sessions at once: they see each other, and IDLE wakes at once."""

import time

from dialogue import Dialogue
from suite import check, equal, message


class Imap(Dialogue):
    """IMAP by hand: tagged commands, untagged answers."""

    def __init__(self, suite, address):
        super().__init__(suite.ports["imaps"])
        self.start_tls()
        self.count = 0
        check(self.line().startswith(b"* OK"), "greeting")
        self.ok(f'LOGIN {address} "{suite.password(address)}"')

    def run(self, command, literal=None):
        """(tagged line, untagged lines)"""
        self.count += 1
        tag = f"t{self.count}"
        self.send(f"{tag} {command}\r\n")
        if literal is not None:
            line = self.line()
            check(line.startswith(b"+"), f"{command}: {line}")
            self.send(literal + b"\r\n")
        untagged = []
        while True:
            line = self.line()
            check(line, f"{command}: closed")
            if line.startswith(tag.encode() + b" "):
                return line.decode(), untagged
            untagged.append(line.decode(errors="replace"))

    def ok(self, command, literal=None):
        tagged, untagged = self.run(command, literal)
        check(tagged.split()[1] == "OK", f"{command}: {tagged}")
        return untagged


def deliver(suite, subject):
    with suite.smtp() as client:
        client.sendmail("a@example.org", ["u1@example.jp"],
                        message("a@example.org", "u1@example.jp", subject))


def test_changes_are_seen_by_the_other(suite):
    for number in range(3):
        deliver(suite, f"number {number}")
    suite.wait_messages("u1@example.jp", 3)
    with Imap(suite, "u1@example.jp") as one, Imap(suite, "u1@example.jp") as two:
        check("* 3 EXISTS" in one.ok("SELECT INBOX"), "three messages")
        two.ok("SELECT INBOX")
        one.ok(r"STORE 2 +FLAGS (\Flagged $Important)")
        seen = two.ok("NOOP")
        check(any(line.startswith("* 2 FETCH") and r"\Flagged" in line and "$Important" in line
                  for line in seen), f"flags: {seen}")
        one.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
        one.ok("EXPUNGE")
        # No EXPUNGE while sequence numbers are in use (RFC 3501 7.4.1).
        during = two.ok("FETCH 1:* (UID)")
        check(not any("EXPUNGE" in line for line in during), f"during FETCH: {during}")
        check("* 1 EXPUNGE" in two.ok("NOOP"), "expunge")
        one.ok("APPEND INBOX {%d}" % 30, b"Subject: x\r\n\r\n0123456789abcd\r\n")
        check("* 3 EXISTS" in two.ok("NOOP"), "the appended one")


def test_idle_wakes_at_once(suite):
    with Imap(suite, "u1@example.jp") as one, Imap(suite, "u1@example.jp") as two:
        one.ok("SELECT INBOX")
        two.ok("SELECT INBOX")
        one.send("i IDLE\r\n")
        check(one.line().startswith(b"+"), "idling")
        start = time.monotonic()
        deliver(suite, "wake up")
        line = one.line()
        while not line.endswith(b"EXISTS"):
            line = one.line()
        print(f"idle: delivery to EXISTS {1000 * (time.monotonic() - start):.0f} ms, SMTP included")
        two.ok(r"STORE 1 +FLAGS (\Answered)")
        line = one.line()
        while b"FETCH" not in line:
            line = one.line()
        check(rb"\Answered" in line, f"flags while idling: {line}")
        one.send("DONE\r\n")
        line = one.line()
        while not line.startswith(b"i "):
            line = one.line()
        check(line.startswith(b"i OK"), line)


def test_uids_stay(suite):
    def uids():
        with suite.imap("u1@example.jp") as client:
            client.select("INBOX")
            validity = client.response("UIDVALIDITY")[1]
            return validity, client.uid("FETCH", "1:*", "(UID)")[1]
    before = uids()
    suite.kill9("imapd")
    deliver(suite, "one more")
    suite.wait_messages("u1@example.jp", len(before[1]) + 1)
    after = uids()
    equal(after[0], before[0], "UIDVALIDITY")
    equal(after[1][:-1], before[1], "UIDs")


def test_folders_with_names_of_all_kinds(suite):
    with Imap(suite, "u2@example.jp") as one:
        for name in ("&MMYwuTDI-", "Work", "Work/2026", '"a b"', "&AOk-t&AOk-"):
            one.ok(f"CREATE {name}")
            one.ok(f"SUBSCRIBE {name}")
        listed = "\n".join(one.ok('LIST "" "*"'))
        for name in ("&MMYwuTDI-", "Work/2026", "a b", "&AOk-t&AOk-"):
            check(name in listed, f"{name} in {listed}")
        for attribute in (r"\Drafts", r"\Sent", r"\Junk", r"\Trash"):
            check(attribute in listed, f"{attribute} in {listed}")
        one.ok("RENAME Work Arbeit")
        listed = "\n".join(one.ok('LIST "" "*"'))
        check("Arbeit/2026" in listed and "Work" not in listed, listed)
        one.ok("DELETE Arbeit/2026")
        for bad in ("CREATE INBOX", "DELETE INBOX", "DELETE missing", "SELECT missing",
                    'CREATE ""', 'CREATE "../evil"', 'CREATE "a/../../b"', "RENAME missing x"):
            check(one.run(bad)[0].split()[1] in ("NO", "BAD"), bad)


def test_bad_commands_do_not_end_the_session(suite):
    with Imap(suite, "u2@example.jp") as one:
        for bad in ("NONSENSE", "SELECT", "FETCH 1", "FETCH x FLAGS", "STORE", "SEARCH NONSENSE",
                    "LOGIN a b", "FETCH 1 BODY[", "SEARCH (((", "UID", "UID NONSENSE", "APPEND"):
            one.ok("NOOP")
            check(one.run(bad)[0].split()[1] in ("NO", "BAD"), bad)
        one.ok("SELECT INBOX")


def test_a_literal_of_four_gigabytes(suite):
    with Imap(suite, "u2@example.jp") as one:
        one.send("big APPEND INBOX {4294967296}\r\n")
        line = one.line()
        check(line.startswith((b"big NO", b"big BAD", b"* BYE")), line)
