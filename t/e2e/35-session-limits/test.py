"""How many IMAP sessions a domain may have (SPEC R1.5), and what an account may not use of IMAP."""

import contextlib

from imapsession import Imap
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


def test_unknown_capabilities_are_refused(suite):
    for names in ("MOVES", "IMAP4rev1", "IDLE,MOVE"):
        said = suite.mailctl("user", "set", "u2@lean.jp", "imap-capabilities-off", names, wanted=1)
        check("no capability that can be switched off" in said, f"{names}: {said}")
