"""Mod-sequences (RFC 7162): who is told them, when, and what a client may conclude from them."""

from imapsession import Imap, Unwaited
from suite import check, equal

SMALL = b"From: <a@example.org>\r\nSubject: small\r\n\r\none\r\n"


def prepare(suite):
    suite.add_domain("example.jp", *(f"u{i}" for i in range(1, 13)))
    suite.rebuild()
    suite.start()


def opened(suite, name, *enabled, messages=3):
    """A session with so many messages in the selected INBOX, and what it has enabled."""
    session = Imap(suite, f"{name}@example.jp")
    for _ in range(messages):
        session.ok("APPEND INBOX ", Unwaited(SMALL))
    if enabled:
        session.ok("ENABLE " + " ".join(enabled))
    session.ok("SELECT INBOX")
    return session


def codes(result):
    return [one.code for one in result.untagged if one.code]


def highest(session):
    return session.ok("STATUS INBOX (HIGHESTMODSEQ)").one("STATUS")[1]["HIGHESTMODSEQ"]


def modseq(session, number):
    return session.ok(f"FETCH {number} MODSEQ").fetched()[number]["MODSEQ"]


# ---- the first command of the extension ------------------------------------------------------------
def test_the_first_enabling_command_tells_the_highest(suite):
    """RFC 7162 3.1: of the mailbox that is selected, before anything else, and once"""
    commands = ("ENABLE CONDSTORE", "ENABLE QRESYNC", "STATUS INBOX (HIGHESTMODSEQ)", "FETCH 1 MODSEQ",
                "FETCH 1 FLAGS (CHANGEDSINCE 1)", "SEARCH MODSEQ 1", "STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT \\Seen",
                "ESEARCH IN (mailboxes Sent selected) MODSEQ 1")
    with opened(suite, "u1", messages=1):
        pass
    for command in commands:
        with opened(suite, "u1", messages=0) as one:
            told = one.ok("SELECT INBOX").code("HIGHESTMODSEQ")
            result = one.ok(command)
            equal(codes(result), ["HIGHESTMODSEQ"], command)
            equal(result.code("HIGHESTMODSEQ"), told, command)
            check("HIGHESTMODSEQ" not in codes(one.ok("FETCH 1 MODSEQ")), f"once: {command}")
    with Imap(suite, "u1@example.jp") as one:
        check(not codes(one.ok("ENABLE CONDSTORE")), "nothing is selected")
        equal(codes(one.ok("SELECT INBOX")).count("HIGHESTMODSEQ"), 1, "SELECT")
    with opened(suite, "u1", messages=0) as one:
        result = one.ok("EXAMINE Sent (CONDSTORE)")
        equal(codes(result)[0], "CLOSED", "nothing of the mailbox before")
        equal(codes(result).count("HIGHESTMODSEQ"), 1, "EXAMINE")


def test_reading_tells_uid_and_modseq(suite):
    """RFC 7162 3.2.4: FETCH that sets \\Seen, for who has enabled CONDSTORE"""
    with opened(suite, "u2") as one:
        equal(set(one.ok("FETCH 1 BODY[TEXT]").fetched()[1]), {"BODY[TEXT]", "FLAGS"}, "a client of RFC 3501")
        one.ok("ENABLE CONDSTORE")
        found = one.ok("FETCH 2 BODY[TEXT]").fetched()[2]
        check(found["UID"] == 2 and "\\Seen" in found["FLAGS"], f"FETCH 2: {found}")
        equal(found["MODSEQ"], modseq(one, 2), "FETCH 2")
        equal(set(one.ok("FETCH 2 BODY[TEXT]").fetched()[2]), {"BODY[TEXT]"}, "nothing was set")
        equal(set(one.ok("UID FETCH 3 (BODY[TEXT] FLAGS)").fetched()[3]), {"BODY[TEXT]", "FLAGS", "MODSEQ", "UID"}, "3")


# ---- removals ------------------------------------------------------------------------------------
def remove(session, uid):
    session.ok(f"UID STORE {uid} +FLAGS.SILENT \\Deleted")
    session.ok(f"UID EXPUNGE {uid}")


def test_close_tells_no_modseq(suite):
    """RFC 7162 3.2.7 to 3.2.9: EXPUNGE and UID EXPUNGE tell the highest, CLOSE, whose removals nobody was told, not"""
    with opened(suite, "u3", "QRESYNC") as one:
        one.ok("STORE 1:3 +FLAGS.SILENT \\Deleted")
        equal(one.ok("UID EXPUNGE 1").done.code, "HIGHESTMODSEQ", "UID EXPUNGE")
        one.ok("STORE 1 -FLAGS.SILENT \\Deleted")
        before = one.ok("EXPUNGE")
        equal(before.done.code, "HIGHESTMODSEQ", "EXPUNGE")
        one.ok("STORE 1 +FLAGS.SILENT \\Deleted")
        closed = one.ok("CLOSE")
        equal((closed.done.code, closed.untagged), ("", []), "CLOSE")
        check(highest(one) > int(before.done.detail), "it has moved on")


def test_held_back_removals_hold_the_highest_back(suite):
    """RFC 7162 3.2, 6: a client that loses its connection before VANISHED must be told of it when it comes again"""
    with opened(suite, "u4", "QRESYNC") as one, opened(suite, "u4", messages=0) as other:
        before = int(one.ok("SELECT INBOX").code("HIGHESTMODSEQ"))
        remove(other, 2)
        stored = one.ok("STORE 1 +FLAGS.SILENT \\Seen")
        check(stored.fetched()[1]["MODSEQ"] > before and not stored.all("VANISHED"), f"STORE: {stored}")
        told = int(stored.code("HIGHESTMODSEQ"))
        check(told <= before, f"held back: {told} {before}")
        equal([r.code for r in stored.untagged][-1], "HIGHESTMODSEQ", "behind the FETCH")
        equal(int(one.ok("FETCH 1 FLAGS").code("HIGHESTMODSEQ")), told, "still")
        with Imap(suite, "u4@example.jp") as again:
            again.ok("ENABLE QRESYNC")
            validity = again.ok("STATUS INBOX (UIDVALIDITY)").one("STATUS")[1]["UIDVALIDITY"]
            result = again.ok(f"SELECT INBOX (QRESYNC ({validity} {told}))")
            check(result.all("VANISHED"), f"{result}")
        now = one.ok("NOOP")
        check(now.all("VANISHED"), f"NOOP: {now}")
        check(int(now.code("HIGHESTMODSEQ")) >= stored.fetched()[1]["MODSEQ"], f"and goes on: {now}")
        check("HIGHESTMODSEQ" not in codes(one.ok("NOOP")), "once")
    with opened(suite, "u4", "CONDSTORE", messages=0) as one, opened(suite, "u4", messages=0) as other:
        remove(other, 1)
        check(not codes(one.ok("SEARCH ALL")), "no QRESYNC")


def test_numbers_among_the_keys_hold_removals_back(suite):
    """RFC 7162 3.2.10.2: UID SEARCH with message numbers is told no removals, without them it may be"""
    for enabled, kind in (((), "EXPUNGE"), (("QRESYNC",), "VANISHED")):
        name = "u5" if enabled else "u6"
        with opened(suite, name, *enabled, messages=6) as one, opened(suite, name, messages=0) as other:
            for uid, held_back, free in ((1, "UID SEARCH 2:3", "UID SEARCH UID 2:3"),
                                         (2, "UID SEARCH NOT (SEEN OR 1 ALL)", "UID SEARCH SEEN"),
                                         (3, "UID SORT (ARRIVAL) UTF-8 1:2", "UID SORT (ARRIVAL) UTF-8 ALL"),
                                         (4, "UID THREAD REFERENCES UTF-8 *", "UID THREAD REFERENCES UTF-8 ALL")):
                remove(other, uid)
                check(not one.ok(held_back).all(kind), held_back)
                check(not one.ok(held_back).all(kind), held_back)
                check(one.ok(free).all(kind), free)
            one.ok("SEARCH RETURN (SAVE) ALL")
            remove(other, 5)
            check(one.ok("UID SEARCH $").all(kind), "$ stands for UIDs")


# ---- what else counts ----------------------------------------------------------------------------
def test_annotations_move_it(suite):
    """RFC 7162 3.2: SETMETADATA of a mailbox, selected or not; of the server, nothing"""
    with opened(suite, "u7") as one:
        for _ in range(2):
            before = highest(one)
            one.ok('SETMETADATA INBOX (/private/comment "x")')
            after = highest(one)
            check(after > before, f"{before} {after}")
            one.ok('SETMETADATA INBOX (/private/comment NIL)')
            check(highest(one) > after, "removed")
            one.ok("SELECT Sent")
        before = highest(one)
        one.ok('SETMETADATA "" (/private/comment "x")')
        one.bad('SETMETADATA INBOX (/private/comment)')
        equal(highest(one), before, "INBOX is as it was")
        one.ok("SETMETADATA Archive (/private/specialuse NIL)")


def test_sizes_of_63_bits(suite):
    """RFC 9051 9, number64: LARGER, SMALLER and the ends of a partial"""
    most = 2**63 - 1
    with opened(suite, "u8", messages=1) as one:
        equal(one.search(f"LARGER {2**32}"), [], "LARGER")
        equal(one.search(f"SMALLER {most}"), [1], "SMALLER")
        equal(one.fetch(f"1 BODY.PEEK[]<0.{most}>"), SMALL, "all of it")
        equal(one.fetch(f"1 BODY.PEEK[]<{most}.{most}>"), b"", "behind its end")
        equal(one.fetch(f"1 BODY.PEEK[TEXT]<{2**32}.1>"), b"", "behind its end")
        equal(one.fetch(f"1 BINARY.PEEK[1]<1.{2**32}>"), b"ne\r\n", "BINARY")
        for command in (f"SEARCH LARGER {most + 1}", f"FETCH 1 BODY.PEEK[]<0.{most + 1}>", f"FETCH 1 BODY[]<{2**64}.1>"):
            one.bad(command)


def test_a_tag_of_a_search_that_is_kept_up_to_date(suite):
    """RFC 5267 4.3: another search of that tag is refused, and the first goes on"""
    with opened(suite, "u9") as one:
        one.send(b"x UID SEARCH RETURN (UPDATE ALL) UNFLAGGED\r\nx SEARCH RETURN (UPDATE) ALL\r\n"
                 b"x UID SORT RETURN (UPDATE) (ARRIVAL) UTF-8 ALL\r\nx SEARCH RETURN (COUNT) ALL\r\n")
        answers = [one.response() for _ in range(6)]
        equal([a.kind for a in answers], ["ESEARCH", "OK", "BAD", "BAD", "ESEARCH", "OK"], "answers")
        told = one.ok("STORE 2 +FLAGS.SILENT \\Flagged").one("ESEARCH")
        equal((told["TAG"], told["REMOVEFROM"]), ("x", "(0 2)"), "the first")
        one.ok('CANCELUPDATE "x"')
        one.send(b"x SEARCH RETURN (UPDATE COUNT) ALL\r\n")
        equal([one.response().kind for _ in range(2)], ["ESEARCH", "OK"], "when it is cancelled")
