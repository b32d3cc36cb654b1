"""How many IMAP sessions a domain may have (SPEC R1.5), and what an account may not use of IMAP."""

import contextlib

from imapsession import Imap, Unwaited
from suite import check, equal, wait_until

HALF = 6  # of twelve contracted addresses
WORDS = f"The domain has its {HALF} IMAP sessions already; close one or try again later"


def prepare(suite):
    # As mailhosting, but that a domain of few addresses has no more for it.
    suite.control("plans/half", "imap-sessions 500\nimap-sessions-percent 50\nimap-sessions-least 1\n")
    suite.control("plans/twice", "imap-sessions-least 1\n")
    suite.control("plans/lean", "imap-capabilities-off IDLE\n")
    suite.add_domain("half.jp", "u1", "u2", plan="half")
    suite.mailctl("domain", "set", "half.jp", "accounts-max", str(2 * HALF))
    suite.add_domain("twice.jp", "u1", plan="twice")
    suite.add_domain("few.jp", "u1")
    suite.add_domain("classic.jp", "u1", plan="classic")
    suite.add_domain("lean.jp", "u1", "u2", plan="lean")
    suite.add_domain("single.jp", "u1")
    suite.rebuild()
    suite.start()


def refused(suite, address, words):
    with Imap(suite) as one:
        done = one.run(f'LOGIN {address} "{suite.password(address)}"').done
        equal((done.kind, done.code), ("NO", "LIMIT"), f"{address}: {done}")
        equal(done.value, words, "why")


def logs_in(suite, address):
    with Imap(suite) as one:
        return one.run(f'LOGIN {address} "{suite.password(address)}"').done.kind == "OK"


def test_half_of_the_contracted_addresses(suite):
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(Imap(suite, f"u{1 + i % 2}@half.jp")) for i in range(HALF)]
        refused(suite, "u1@half.jp", WORDS)
        refused(suite, "u2@half.jp", WORDS)
        # Those that are there go on, and nobody else is affected: POP3, other domains.
        for one in sessions:
            one.ok("SELECT INBOX")
        suite.pop3s("u1@half.jp").quit()
        with Imap(suite, "u1@few.jp"):
            pass
        sessions.pop().ok("LOGOUT")
        wait_until(lambda: logs_in(suite, "u2@half.jp"), "there is room again")


def test_two_of_each_address_where_nothing_is_said(suite):
    """u1 and postmaster"""
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(Imap(suite, "u1@twice.jp"))
        refused(suite, "u1@twice.jp",
                "The domain has its 4 IMAP sessions already; close one or try again later")


def test_a_mail_program_has_room_in_a_domain_of_one_address(suite):
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(Imap(suite, "u1@few.jp"))
        refused(suite, "u1@few.jp",
                "The domain has its 10 IMAP sessions already; close one or try again later")


def test_no_imap_by_plan(suite):
    """SPEC R1.5: the refusal says why, POP3 goes on."""
    with Imap(suite) as one:
        one.no("CONTACTADMIN", f'LOGIN u1@classic.jp "{suite.password("u1@classic.jp")}"')
    suite.pop3s("u1@classic.jp").quit()


def capabilities(session):
    return set(session.ok("CAPABILITY").one("CAPABILITY"))


def test_capabilities_off_for_plan_and_account(suite):
    with Imap(suite, "u1@lean.jp") as one:
        listed = capabilities(one)
        check(not {"IDLE", "IMAP4rev2"} & listed, f"IDLE off, and so IMAP4rev2: {listed}")
        check({"IMAP4rev1", "MOVE", "ENABLE"} <= listed, f"the rest on: {listed}")
        one.bad("IDLE")
        equal(one.ok("ENABLE IMAP4rev2").one("ENABLED"), [], "ENABLE of what is off")
    suite.mailctl("user", "set", "u2@lean.jp", "imap-capabilities-off", "MOVE ENABLE")
    with Imap(suite, "u2@lean.jp") as one:
        listed = capabilities(one)
        check("IDLE" in listed and not {"MOVE", "ENABLE"} & listed, f"the account's own: {listed}")
        equal(one.ok("NOOP").untagged, [], "goes on")
        one.bad("ENABLE IMAP4rev2")
        one.ok("SELECT INBOX")
        one.bad("MOVE 1 Trash")
        one.bad("UID MOVE 1 Trash")
    suite.mailctl("user", "set", "u2@lean.jp", "imap-capabilities-off", "")
    with Imap(suite, "u2@lean.jp") as one:
        check({"IDLE", "MOVE", "ENABLE", "IMAP4rev2"} <= capabilities(one), "all on again")


SMALL = b"Subject: small\r\n\r\nx\r\n"
LITERAL8 = b"~{%d+}\r\n" % len(SMALL) + SMALL

# What a capability brings to commands that are there without it.
BROUGHT = {
    "APPENDLIMIT": ["STATUS INBOX (APPENDLIMIT)"],
    "BINARY": ["FETCH 1 BINARY[1]", "FETCH 1 BINARY.PEEK[1]", "UID FETCH 1 (UID BINARY.SIZE[1])",
               b"APPEND INBOX " + LITERAL8],
    "CONDSTORE": ["FETCH 1 MODSEQ", "FETCH 1 FLAGS (CHANGEDSINCE 1)", "STATUS INBOX (HIGHESTMODSEQ)", "SELECT INBOX (CONDSTORE)",
                  "SEARCH MODSEQ 1", "STORE 1 (UNCHANGEDSINCE 1) FLAGS ()", 'LIST "" * RETURN (STATUS (HIGHESTMODSEQ))'],
    "CONTEXT=SEARCH": ["SEARCH RETURN (UPDATE) ALL", "SEARCH RETURN (CONTEXT COUNT) ALL", "ESEARCH RETURN (UPDATE) ALL"],
    "CONTEXT=SORT": ["SORT RETURN (UPDATE) (SUBJECT) UTF-8 ALL"],
    "CREATE-SPECIAL-USE": ["CREATE x (USE (\\Sent))", "CREATE x (USE ())"],
    "ESEARCH": ["SEARCH RETURN () ALL", "SEARCH RETURN (MIN) ALL", "ESEARCH ALL"],
    "ESORT": ["SORT RETURN (COUNT) (SUBJECT) UTF-8 ALL"],
    "LIST-EXTENDED": ['LIST () "" *', 'LIST "" (INBOX)', 'LIST "" * RETURN ()', 'LIST (SUBSCRIBED) "" *'],
    "LIST-METADATA": ['LIST "" * RETURN (METADATA (/private/comment))'],
    "LIST-STATUS": ['LIST "" * RETURN (STATUS (MESSAGES))'],
    "MULTIAPPEND": [b"APPEND INBOX {%d+}\r\n%s {%d+}\r\n%s" % (len(SMALL), SMALL, len(SMALL), SMALL)],
    "OBJECTID": ["FETCH 1 EMAILID", "FETCH 1 THREADID", "STATUS INBOX (MAILBOXID)", "SEARCH EMAILID x"],
    "PARTIAL": ["UID FETCH 1:* UID (PARTIAL 1:1)"],
    "PARTIAL CONTEXT=SEARCH": ["SEARCH RETURN (PARTIAL 1:1) ALL"],
    "PREVIEW": ["FETCH 1 PREVIEW", "FETCH 1 (PREVIEW (LAZY))"],
    "QUOTA=RES-STORAGE": ["STATUS INBOX (DELETED-STORAGE)"],
    "SAVEDATE": ["FETCH 1 SAVEDATE", "SEARCH SAVEDSINCE 1-Jan-2020", "SEARCH OR SEEN NOT SAVEDATESUPPORTED"],
    "SEARCHRES": ["SEARCH RETURN (SAVE) ALL", "FETCH $ UID", "UID FETCH $ UID", "SEARCH $", "SEARCH UID $", "UID EXPUNGE $",
                  "STORE $ FLAGS ()", "COPY $ Sent"],
    "SORT=DISPLAY": ["SORT (DISPLAYFROM) UTF-8 ALL", "SORT (SUBJECT REVERSE DISPLAYTO) UTF-8 ALL"],
    "SPECIAL-USE": ['LIST (SPECIAL-USE) "" *', 'LIST "" * RETURN (SPECIAL-USE)', "CREATE x (USE (\\Sent))"],
    "STATUS=SIZE": ["STATUS INBOX (SIZE)", 'LIST "" * RETURN (STATUS (SIZE))'],
    "THREAD=REFS": ["THREAD REFS UTF-8 ALL"],
    "UIDPLUS": ["UID EXPUNGE 1"],
    "UTF8=ACCEPT": [b"APPEND INBOX UTF8 (" + LITERAL8 + b")"],
    "WITHIN": ["SEARCH OLDER 1", "SEARCH YOUNGER 1", "SORT (SUBJECT) UTF-8 OLDER 1"],
}
COMMON = ["FETCH 1 (FLAGS BODY[])", "SEARCH ALL", "SORT (SUBJECT) UTF-8 ALL", "STATUS INBOX (MESSAGES)", "COPY 1 Sent",
          'LIST "" *', "THREAD REFERENCES UTF-8 ALL", "SELECT INBOX"]


@contextlib.contextmanager
def without(suite, names):
    """A session with a message selected."""
    suite.mailctl("user", "set", "u1@single.jp", "imap-capabilities-off", names)
    with Imap(suite, "u1@single.jp") as one:
        one.ok("APPEND INBOX ", Unwaited(SMALL))
        one.ok("SELECT INBOX")
        yield one


def test_what_is_off_is_refused(suite):
    """Beside its own commands, what a capability brings to others; the rest of these stays."""
    for names, brought in BROUGHT.items():
        with without(suite, names) as one:
            check(not set(names.split()) & capabilities(one), f"{names} is announced")
            for command in brought:
                one.bad(command)
            for command in COMMON:
                one.ok(command)


def test_what_is_off_is_not_told(suite):
    with without(suite, "UIDPLUS CHILDREN SPECIAL-USE") as one:
        for command in ("COPY 1 Sent", "MOVE 1 Sent"):
            result = one.ok(command)
            check("COPYUID" not in [line.code for line in [result.done, *result.untagged]], f"UIDPLUS: {result}")
        check(not one.ok("APPEND INBOX ", Unwaited(SMALL)).done.code, "UIDPLUS")
        number = one.ok("SELECT INBOX").numbers("EXISTS")[0]
        codes = [line.code for line in one.ok(f"REPLACE {number} INBOX ", Unwaited(SMALL)).untagged]
        check("APPENDUID" not in codes, f"UIDPLUS: {codes}")
        equal({flag for line in one.ok('LIST "" *').all("LIST") for flag in line.value[0]}, set(), "attributes")
        equal(one.ok('LIST "" INBOX RETURN (CHILDREN)').one("LIST")[0], [r"\HasNoChildren"], "CHILDREN of LIST-EXTENDED")


def test_what_builds_on_it_is_off_too(suite):
    for name, others in (("CONDSTORE", {"QRESYNC"}), ("ENABLE", {"QRESYNC", "UTF8=ACCEPT", "IMAP4rev2"}),
                         ("ESEARCH", {"CONTEXT=SEARCH", "MULTISEARCH", "SEARCHRES", "IMAP4rev2"}),
                         ("SORT", {"ESORT", "CONTEXT=SORT", "SORT=DISPLAY"}), ("METADATA", {"LIST-METADATA"}),
                         ("LIST-EXTENDED", {"LIST-STATUS", "LIST-METADATA", "IMAP4rev2"}),
                         ("SPECIAL-USE", {"CREATE-SPECIAL-USE", "IMAP4rev2"}), ("QUOTA", {"QUOTA=RES-STORAGE"})):
        with without(suite, "") as one:
            before = capabilities(one)
        with without(suite, name) as one:
            equal(before - capabilities(one), {name} | others, f"without {name}")
    with without(suite, "CONDSTORE") as one:
        equal(one.ok("ENABLE QRESYNC CONDSTORE").one("ENABLED"), [], "without CONDSTORE")
    for names in ("CONTEXT=SEARCH", "CONTEXT=SORT"):
        with without(suite, names) as one:
            kind = "SORT RETURN (UPDATE) (SUBJECT) UTF-8" if names == "CONTEXT=SEARCH" else "SEARCH RETURN (UPDATE)"
            one.ok(f"{kind} ALL")
            one.ok(f'CANCELUPDATE "a{one.count}"')
    with without(suite, "CONTEXT=SEARCH CONTEXT=SORT") as one:
        one.bad('CANCELUPDATE "a1"')


def test_unknown_capabilities_are_refused(suite):
    for names in ("MOVES", "IMAP4rev1", "IDLE,MOVE"):
        said = suite.mailctl("user", "set", "u2@lean.jp", "imap-capabilities-off", names, wanted=1)
        check("no capability that can be switched off" in said, f"{names}: {said}")
