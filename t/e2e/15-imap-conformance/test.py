"""IMAP by the letter: RFC 3501 and the extensions that we announce, section by section.

Every line that the server says in these tests goes through lib/imapgrammar.py.
"""

import base64
import contextlib
import email
import email.errors
import email.header
import email.utils
import random
import re
import time

import corpus
from imapsession import Imap, Literal, Unwaited
from suite import check, equal

CORPUS_COUNT = 84
LOGIN_CAPABILITIES = {"IMAP4rev1", "IMAP4rev2", "LITERAL-", "SASL-IR", "ID", "ENABLE"}
CAPABILITIES = {"IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ID", "IDLE", "NAMESPACE", "CHILDREN", "UNSELECT",
                "UIDPLUS", "MOVE", "SPECIAL-USE", "BINARY", "MULTIAPPEND", "REPLACE",
                "COMPRESS=DEFLATE", "PREVIEW"}

SMALL = b"From: <a@example.org>\r\nSubject: small\r\n\r\none\r\ntwo\r\n"
NESTED = (b"From: <outer@example.org>\r\nSubject: outer\r\nMIME-Version: 1.0\r\n"
          b"Content-Type: multipart/mixed; boundary=o\r\n\r\npreamble\r\n"
          b"--o\r\nContent-Type: text/plain\r\nX-One: 1\r\n\r\nfirst\r\n"
          b"--o\r\nContent-Type: message/rfc822\r\nX-Two: 2\r\n\r\n"
          b"From: <inner@example.org>\r\nSubject: inner\r\n"
          b"Content-Type: multipart/alternative; boundary=i\r\n\r\n"
          b"--i\r\n\r\nplain\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>html\r\n--i--\r\n\r\n"
          b"--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: leaf\r\n\r\nleaf body\r\n"
          b"--o\r\nContent-Type: text/plain\r\n\r\n\r\n--o--\r\nepilogue\r\n")


def prepare(suite):
    suite.add_domain("example.jp", "u1", "u2", "corpus", "search", "two", "folders", "list", "move",
                     "store", "append", "login", "odd")
    suite.start()


def user(suite, name):
    return Imap(suite, f"{name}@example.jp")


def append(session, folder, message, more=""):
    """APPENDs with a literal that does not wait; the new UID."""
    result = session.ok(f"APPEND {folder} {more}{' ' if more else ''}", Unwaited(message))
    return int(result.code("APPENDUID")[1])


def plain(authority, name, password):
    return base64.b64encode(f"{authority}\0{name}\0{password}".encode()).decode()


# ---- not authenticated ---------------------------------------------------------------------------
def test_greeting_and_capabilities_before_login(suite):
    """RFC 3501 7.1, 6.1.1, 11.1; RFC 4959 3; RFC 7888 6"""
    with Imap(suite, service="imap") as one:
        equal(one.greeting.kind, "OK", "greeting")
        listed = set(one.ok("CAPABILITY").one("CAPABILITY"))
        equal(set(one.greeting.detail), listed, "CAPABILITY of greeting and command")
        equal(listed, LOGIN_CAPABILITIES | {"STARTTLS", "LOGINDISABLED"}, "without TLS")
        one.no("PRIVACYREQUIRED", "LOGIN u1@example.jp secret")
        one.ok("STARTTLS")
        one.start_tls()
        equal(set(one.ok("CAPABILITY").one("CAPABILITY")),
              LOGIN_CAPABILITIES | {"AUTH=PLAIN", "AUTH=LOGIN"}, "with TLS")
        one.bad("STARTTLS")


def test_not_authenticated_state_allows_only_its_commands(suite):
    """RFC 3501 3.1, 6.1, 6.2; RFC 2971 3.1"""
    with Imap(suite) as one:
        for command in ("SELECT INBOX", "FETCH 1 FLAGS", 'LIST "" *', "NAMESPACE", "IDLE", "CLOSE",
                        "STATUS INBOX (MESSAGES)", "NONSENSE", "UID FETCH 1 FLAGS"):
            one.bad(command)
        one.bad("APPEND INBOX ", Unwaited(b"Subject: x\r\n\r\n"))
        one.ok("NOOP")
        one.ok('ID ("name" "test" "version" NIL)').one("ID")
        one.ok("ID NIL").one("ID")
        equal([r.kind for r in one.ok("LOGOUT").untagged], ["BYE"], "LOGOUT")
        equal(one.until_closed(), b"", "behind LOGOUT")


def test_login_arguments_in_every_form(suite):
    """RFC 3501 4.3, 6.2.3; RFC 7888 3"""
    name, secret = b"login@example.jp", suite.password("login@example.jp").encode()
    quoted = '"' + secret.decode() + '"'
    for arguments in ((Literal(name), " ", Literal(secret)), (Unwaited(name), " ", Unwaited(secret)),
                      (Literal(name), " " + quoted), ('"login@example.jp" ', Unwaited(secret))):
        with Imap(suite) as one:
            done = one.ok("LOGIN ", *arguments).done
            equal(CAPABILITIES - set(done.detail or CAPABILITIES), set(), "CAPABILITY of LOGIN")
            equal(CAPABILITIES - set(one.ok("capability").one("CAPABILITY")), set(), "CAPABILITY after LOGIN")


def test_authenticate_with_and_without_initial_response(suite):
    """RFC 3501 6.2.2; RFC 4959 3"""
    name = "login@example.jp"
    secret = suite.password(name)
    with Imap(suite) as one:
        one.bad("AUTHENTICATE")
        check(one.run("AUTHENTICATE X-NONE").done.kind == "NO", "unknown mechanism")
        one.send("c AUTHENTICATE PLAIN\r\n")
        equal(one.response().tag, "+", "challenge")
        one.send("*\r\n")
        equal(one.response().kind, "BAD", "cancelled")
        one.send("d AUTHENTICATE PLAIN\r\n")
        one.response()
        one.send("not base64!\r\n")
        equal(one.response().kind, "BAD", "not base64")
        check(one.run("AUTHENTICATE PLAIN =").done.kind in ("NO", "BAD"), "empty response")
        one.send("e AUTHENTICATE plain\r\n")
        equal(one.response()[:3], ("+", "+", ""), "empty challenge")
        one.send(plain("", name, secret) + "\r\n")
        equal(one.response().kind, "OK", "PLAIN")
        one.bad(f"AUTHENTICATE PLAIN {plain('', name, secret)}")
        one.bad(f'LOGIN {name} "{secret}"')
    with Imap(suite) as one:
        one.ok(f"AUTHENTICATE PLAIN {plain(name, name, secret)}")


def test_wrong_password_and_pipelined_commands(suite):
    """RFC 3501 6.2.3, 5.5; RFC 5530 3"""
    with Imap(suite) as one:
        one.no("AUTHENTICATIONFAILED", "LOGIN login@example.jp wrong")
        one.send(f'x LOGIN login@example.jp "{suite.password("login@example.jp")}"\r\n'
                 "y SELECT INBOX\r\nz LOGOUT\r\n")
        answers = [one.response()]
        while answers[-1].tag != "z":
            answers.append(one.response())
        equal([a.kind for a in answers if a.tag in "xyz"], ["OK"] * 3, "pipelined")


# ---- authenticated -------------------------------------------------------------------------------
def test_selected_commands_need_a_mailbox(suite):
    """RFC 3501 3.2, 6.4"""
    with user(suite, "odd") as one:
        for command in ("CHECK", "CLOSE", "EXPUNGE", "SEARCH ALL", "FETCH 1 FLAGS", "COPY 1 INBOX",
                        r"STORE 1 FLAGS (\Seen)", "UID SEARCH ALL", "UNSELECT", "MOVE 1 INBOX",
                        "UID EXPUNGE 1"):
            one.bad(command)
        one.ok("NOOP")


def test_malformed_commands_are_bad_and_change_nothing(suite):
    """RFC 3501 7.1.3, 9"""
    with user(suite, "odd") as one:
        append(one, "INBOX", SMALL)
        one.ok("SELECT INBOX")
        for command in (
                "", "NOOP x", "SELECT", "SELECT INBOX x", "SELECT  INBOX", "LIST", 'LIST ""',
                "STATUS INBOX", "STATUS INBOX ()", "STATUS INBOX (NONSENSE)", "FETCH 0 FLAGS",
                "FETCH 1", "FETCH 1 ()", "FETCH 1 (FLAGS", "FETCH 1 BODY[1.]", "FETCH 1 BODY[0]",
                "FETCH 1 BODY[MIME]", "FETCH 1 BODY[]<0.0>", "FETCH 1 BODY[]<5>", "FETCH 1: FLAGS",
                "FETCH 1 BODY[HEADER.FIELDS]", "FETCH 1 BODY[TEXT.1]", "FETCH 1 BODY.PEEK",
                "FETCH 01 FLAGS", "FETCH 1,,2 FLAGS", "FETCH 4294967296 FLAGS", "FETCH 2 FLAGS",
                "STORE 1 FLAGS", "STORE 1 FLAGSX (\\Seen)", "STORE 1 FLAGS (\\Recent)",
                "STORE 1 FLAGS (\\*)", "STORE 1 FLAGS (a", "STORE 1 FLAGS.LOUD (a)",
                "SEARCH", "SEARCH ()", "SEARCH OR ALL", "SEARCH NOT", "SEARCH ON nodate",
                "SEARCH ON 31-Foo-2026", "SEARCH LARGER x", "SEARCH HEADER Subject", "SEARCH ALL ",
                "SEARCH CHARSET UTF-8", "UID", "UID NOOP", "UID FETCH", "UID EXPUNGE", "COPY 1",
                "COPY INBOX", "MOVE 1", "RENAME a", "CREATE", "DELETE", "SUBSCRIBE", "LSUB x",
                'CREATE "a', 'CREATE "a\\b"', "ID", "ID (a", "APPEND INBOX", "APPEND INBOX x",
                "EXPUNGE 1", "CLOSE x"):
            one.bad(command)
            one.ok("NOOP")
        for bad in (b"\r\n", b" NOOP\r\n", b"+ NOOP\r\n", b"a{b NOOP\r\n", b'"t" NOOP\r\n'):
            one.send(bad)
            equal(one.response()[:2], ("*", "BAD"), bad)
            one.ok("NOOP")
        one.bad("STORE 1 FLAGS ", Literal(b"keyword"))
        one.bad("CREATE ", Unwaited(b"a\0b"))
        equal(one.ok("FETCH 1 FLAGS").fetched()[1]["FLAGS"].count(r"\Seen"), 0, "unchanged")


def test_case_of_commands_and_inbox_does_not_matter(suite):
    """RFC 3501 9 (1), 5.1"""
    with user(suite, "odd") as one:
        one.ok("sElEcT iNbOx")
        one.ok("uid fetch 1:* (flags Uid bOdY.pEeK[hEaDeR])")
        one.ok("search unseen subject Small")
        one.ok("sTaTuS inbox (messages UIDnext)")
        one.ok("List \"\" inbox").one("LIST")


def test_select_says_all_it_must(suite):
    """RFC 3501 6.3.1, 7.1, 7.3"""
    with user(suite, "u1") as one:
        append(one, "INBOX", SMALL, r"(\Seen)")
        append(one, "INBOX", SMALL)
        result = one.ok("SELECT INBOX")
        equal(result.done.code, "READ-WRITE", "code")
        equal(result.numbers("EXISTS"), [2], "EXISTS")
        check(len(result.numbers("RECENT")) == 1, "RECENT")
        check({r"\Answered", r"\Flagged", r"\Deleted", r"\Seen", r"\Draft"} <=
              set(result.one("FLAGS")), "FLAGS")
        equal(result.code("UNSEEN"), 2, "first unseen")
        check(result.code("UIDVALIDITY") and result.code("UIDNEXT") == 3, "UIDs")
        check(r"\*" in result.code("PERMANENTFLAGS"), "PERMANENTFLAGS")


def test_recent_belongs_to_one_session(suite):
    """RFC 3501 2.3.2 (Recent), 6.3.2, 6.3.10"""
    with suite.smtp() as client:
        client.sendmail("a@example.org", ["two@example.jp"], SMALL)
    suite.wait_messages("two@example.jp", 1)
    with user(suite, "two") as one, user(suite, "two") as two:
        equal(two.ok("EXAMINE INBOX").numbers("RECENT"), [1], "EXAMINE sees it")
        equal(one.ok("STATUS INBOX (RECENT)").one("STATUS")[1], {"RECENT": 1}, "and leaves it")
        equal(one.ok("SELECT INBOX").numbers("RECENT"), [1], "SELECT takes it")
        equal(one.search("RECENT"), [1], "recent here")
        equal(one.search("NEW"), [1], "new here")
        equal(two.ok("SELECT INBOX").numbers("RECENT"), [0], "and here no more")
        equal(two.search("OLD"), [1], "old there")


def test_what_was_appended_and_copied_is_recent(suite):
    """RFC 3501 6.3.11, 6.4.7"""
    with user(suite, "two") as one:
        one.ok("CREATE recent")
        append(one, "recent", SMALL, r"(\Seen)")
        one.ok("SELECT INBOX")
        one.ok("COPY 1 recent")
        equal(one.ok("STATUS recent (RECENT)").one("STATUS")[1], {"RECENT": 2}, "STATUS")
        equal(one.ok("SELECT recent").numbers("RECENT"), [2], "SELECT")
        equal(one.search("NEW"), [2], "NEW")
        equal(one.ok("SELECT recent").numbers("RECENT"), [0], "SELECT again")


def test_failed_select_leaves_nothing_selected(suite):
    """RFC 3501 6.3.1"""
    with user(suite, "u1") as one:
        one.ok("SELECT INBOX")
        one.no("NONEXISTENT", "SELECT missing")
        one.bad("FETCH 1 FLAGS")


def test_examine_changes_nothing(suite):
    """RFC 3501 6.3.2, 7.1 (READ-ONLY)"""
    with user(suite, "u1") as one:
        result = one.ok("EXAMINE INBOX")
        equal(result.done.code, "READ-ONLY", "code")
        equal(result.code("PERMANENTFLAGS"), [], "PERMANENTFLAGS")
        one.ok("FETCH 2 BODY[]")
        check(r"\Seen" not in one.ok("FETCH 2 FLAGS").fetched()[2]["FLAGS"], "no Seen by FETCH")
        for command in (r"STORE 2 FLAGS (\Deleted)", "EXPUNGE", "MOVE 2 Trash", "UID EXPUNGE 1:*"):
            one.no("READ-ONLY", command)
        one.ok("CLOSE")
        equal(one.ok("SELECT INBOX").numbers("EXISTS"), [2], "all there")


def test_close_expunges_silently_and_unselect_does_not(suite):
    """RFC 3501 6.4.2; RFC 3691 2"""
    with user(suite, "u1") as one:
        one.ok("CREATE closing")
        for _ in range(3):
            append(one, "closing", SMALL, r"(\Deleted)")
        one.ok("SELECT closing")
        equal(one.ok("UNSELECT").untagged, [], "UNSELECT")
        equal(one.ok("SELECT closing").numbers("EXISTS"), [3], "after UNSELECT")
        equal(one.ok("CLOSE").untagged, [], "CLOSE")
        one.bad("CHECK")
        equal(one.ok("SELECT closing").numbers("EXISTS"), [0], "after CLOSE")


def test_status_of_every_item_agrees_with_select(suite):
    """RFC 3501 6.3.10, 7.2.4"""
    with user(suite, "u1") as one:
        name, status = one.ok("STATUS INBOX (UNSEEN UIDVALIDITY UIDNEXT RECENT MESSAGES)").one("STATUS")
        selected = one.ok("EXAMINE INBOX")
        equal((name, status), ("INBOX", {
            "MESSAGES": selected.numbers("EXISTS")[0], "UIDNEXT": selected.code("UIDNEXT"),
            "UIDVALIDITY": selected.code("UIDVALIDITY"), "UNSEEN": len(one.search("UNSEEN")),
            "RECENT": selected.numbers("RECENT")[0]}), "STATUS")
        one.no("NONEXISTENT", "STATUS missing (MESSAGES)")
        one.ok("STATUS ", Literal(b"INBOX"), " (MESSAGES)")


def test_idle_begins_and_ends(suite):
    """RFC 2177 3"""
    with user(suite, "u1") as one, user(suite, "u1") as two:
        one.send("i IDLE\r\n")
        equal(one.response().tag, "+", "IDLE without a mailbox")
        one.send("done\r\n")
        equal(one.response()[:2], ("i", "OK"), "DONE")
        one.ok("SELECT INBOX")
        one.send("j IDLE\r\nDONE\r\n")
        equal([one.response()[:2] for _ in range(2)], [("+", "+"), ("j", "OK")], "pipelined DONE")
        one.send("k IDLE\r\n")
        one.response()
        append(two, "INBOX", SMALL, r"(\Deleted)")
        answer = one.response()
        equal((answer.kind, answer.number), ("EXISTS", 3), "new one")
        two.ok("SELECT INBOX")
        two.ok("EXPUNGE")
        while (answer := one.response()).kind != "EXPUNGE":
            pass
        equal(answer.number, 3, "EXPUNGE while idling")
        one.send("k NOOP\r\n")
        while (answer := one.response()).tag != "k":
            pass
        equal(answer.kind, "BAD", "something else than DONE")
        one.ok("NOOP")
        one.bad("IDLE x")


# ---- folders -------------------------------------------------------------------------------------
def listed(session, command):
    return {one.value[2]: set(one.value[0]) for one in session.ok(command).untagged
            if one.kind in ("LIST", "LSUB")}


def test_create_makes_levels_above_and_refuses_twins(suite):
    """RFC 3501 6.3.3"""
    with user(suite, "folders") as one:
        one.ok("CREATE a/b/c/")
        one.no("ALREADYEXISTS", "CREATE a/b/c")
        one.no("ALREADYEXISTS", "CREATE inbox")
        found = listed(one, 'LIST "" a*')
        equal(set(found), {"a", "a/b", "a/b/c"}, "levels")
        check(r"\HasChildren" in found["a/b"] and r"\HasNoChildren" in found["a/b/c"], "CHILDREN")
        one.ok("CREATE ", Literal(b"by literal"))
        one.ok("CREATE ", Unwaited(b'quote " and \\'))
        check({"by literal", 'quote " and \\'} <= set(listed(one, 'LIST "" *')), "by literal")
        one.ok("DELETE ", Unwaited(b'quote " and \\'))


def test_delete_of_a_parent_keeps_its_children(suite):
    """RFC 3501 6.3.4, 6.3.8"""
    with user(suite, "folders") as one:
        one.ok("CREATE p")
        one.ok("CREATE p/q")
        append(one, "p", SMALL)
        one.ok("DELETE p")
        found = listed(one, 'LIST "" p*')
        check(r"\Noselect" in found["p"] and r"\Noselect" not in found["p/q"], f"{found}")
        check(one.run("DELETE p").done.kind == "NO", "a Noselect name with children")
        check(one.run("SELECT p").done.kind == "NO", "SELECT of Noselect")
        before = one.run("CREATE p")
        equal(before.done.kind, "OK", "CREATE of a Noselect name")
        equal(one.ok("SELECT p").numbers("EXISTS"), [0], "empty again")
        one.ok("DELETE p/q")
        one.ok("DELETE p")
        equal(listed(one, 'LIST "" p*'), {}, "both gone")
        one.no("CANNOT", "DELETE INBOX")
        one.no("NONEXISTENT", "DELETE missing")


def test_a_new_folder_of_an_old_name_has_other_uids(suite):
    """RFC 3501 2.3.1.1, 6.3.3"""
    with user(suite, "folders") as one:
        one.ok("CREATE again")
        append(one, "again", SMALL)
        before = one.ok("STATUS again (UIDVALIDITY UIDNEXT)").one("STATUS")[1]
        one.ok("DELETE again")
        one.ok("CREATE again")
        after = one.ok("STATUS again (UIDVALIDITY UIDNEXT)").one("STATUS")[1]
        check(after["UIDVALIDITY"] > before["UIDVALIDITY"], f"{before} {after}")


def test_rename_moves_children_and_makes_levels(suite):
    """RFC 3501 6.3.5"""
    with user(suite, "folders") as one:
        one.ok("CREATE r/s/t")
        one.ok("RENAME r x/y")
        equal(set(listed(one, 'LIST "" x*')), {"x", "x/y", "x/y/s", "x/y/s/t"}, "children")
        equal(listed(one, 'LIST "" r*'), {}, "old names")
        one.no("ALREADYEXISTS", "RENAME x INBOX")
        one.no("NONEXISTENT", "RENAME missing elsewhere")
        check(one.run("RENAME x x/z").done.kind == "NO", "below itself")


def test_rename_of_inbox_moves_its_messages(suite):
    """RFC 3501 6.3.5"""
    with user(suite, "folders") as one:
        append(one, "INBOX", SMALL, r"(\Flagged tag)")
        one.ok("CREATE INBOX/below")
        one.ok("RENAME INBOX saved/inbox")
        equal(one.ok("STATUS INBOX (MESSAGES)").one("STATUS")[1], {"MESSAGES": 0}, "INBOX is empty")
        one.ok("SELECT saved/inbox")
        flags = set(one.ok("FETCH 1 FLAGS").fetched()[1]["FLAGS"])
        check({r"\Flagged", "tag"} <= flags, f"flags: {flags}")
        check("INBOX/below" in listed(one, 'LIST "" *'), "what is below INBOX stays")


def test_list_patterns(suite):
    """RFC 3501 6.3.8"""
    with user(suite, "list") as one:
        for name in ("w", "w/2026", "w/2026/may", "wide", "&MMYwuTDI-", "&MMYwuTDI-/&U9dP4Q-"):
            one.run(f"CREATE {name}")
        equal(listed(one, 'LIST "" ""'), {"": {r"\Noselect"}}, "separator")
        for reference, pattern, wanted in (
                ("", "w", {"w"}), ("", "w%", {"w", "wide"}),
                ("", "w*", {"w", "w/2026", "w/2026/may", "wide"}), ("", "w/%", {"w/2026"}),
                ("w/", "%", {"w/2026"}), ("w/2026/", "*", {"w/2026/may"}),
                ("", "%/%", {"w/2026", "&MMYwuTDI-/&U9dP4Q-"}), ("", "*may", {"w/2026/may"}),
                ("", "w/%/m*y", {"w/2026/may"}), ("", "&MMYwuTDI-/*", {"&MMYwuTDI-/&U9dP4Q-"}),
                ("", "inbox", {"INBOX"}), ("", "InB%", {"INBOX"}), ("", "none*", set())):
            equal(set(listed(one, f'LIST "{reference}" "{pattern}"')), wanted, f"{reference} {pattern}")
        equal(set(one.ok("LIST ", Literal(b"w/"), " ", Unwaited(b"%")).one("LIST")[2].split()),
              {"w/2026"}, "literals")


def test_special_use_namespace_and_id(suite):
    """RFC 6154 2, 5; RFC 2342 5; RFC 2971 3"""
    with user(suite, "list") as one:
        found = listed(one, 'LIST "" %')
        for name in ("Drafts", "Sent", "Junk", "Trash"):
            check("\\" + name in found[name], f"{name}: {found[name]}")
        only = listed(one, 'LIST (SPECIAL-USE) "" *')
        check(only and set(only) <= {"Archive", "Drafts", "Sent", "Junk", "Trash"}, f"{only}")
        listed(one, 'LIST "" * RETURN (SPECIAL-USE)')
        equal(one.ok("NAMESPACE").one("NAMESPACE"), [[(b"", b"/")], None, None], "NAMESPACE")
        one.ok('ID ("name" "x" "os" NIL)').one("ID")
        one.ok("ID NIL").one("ID")


def test_subscriptions_outlive_their_folders(suite):
    """RFC 3501 6.3.6, 6.3.7, 6.3.9"""
    with user(suite, "list") as one:
        for name in ("sub", "sub/one", "sub/one/deep"):
            one.run(f"CREATE {name}")
        one.ok("SUBSCRIBE sub/one")
        one.ok("SUBSCRIBE ", Unwaited(b"sub/one/deep"))
        equal(set(listed(one, 'LSUB "" "sub*"')), {"sub/one", "sub/one/deep"}, "LSUB *")
        above = listed(one, 'LSUB "" "sub%"')
        equal(above, {"sub": {r"\Noselect"}}, "LSUB %")
        one.ok("DELETE sub/one/deep")
        check("sub/one/deep" in listed(one, 'LSUB "" "*"'), "DELETE leaves the subscription")
        one.ok("UNSUBSCRIBE sub/one/deep")
        check("sub/one/deep" not in listed(one, 'LSUB "" "*"'), "UNSUBSCRIBE")
        check(one.run("SUBSCRIBE missing").done.kind == "NO", "6.3.6: validated")


def test_japanese_folder_names(suite):
    """RFC 3501 5.1.3"""
    with user(suite, "list") as one:
        one.ok("CREATE &ZeVnLIqe-")
        one.ok("RENAME &ZeVnLIqe- &U,BTFw-")
        check("&U,BTFw-" in listed(one, 'LIST "" *'), "RENAME")
        append(one, "&U,BTFw-", SMALL)
        equal(one.ok("SELECT &U,BTFw-").numbers("EXISTS"), [1], "SELECT")
        for bad in ("&ZeVnLIqe", "&AGE-", "&-&&", "&ZeV!-", "&2D3-"):
            check(one.run(f"CREATE {bad}").done.kind in ("NO", "BAD"), bad)
        check(one.run("CREATE ", Literal("日本語".encode())).done.kind in ("NO", "BAD"), "raw UTF-8")
        one.ok("CREATE A&-B")
        check("A&-B" in listed(one, 'LIST "" A*'), "&-")


# ---- APPEND ----------------------------------------------------------------------------------------
def test_append_with_every_kind_of_argument(suite):
    """RFC 3501 6.3.11; RFC 7888 3; RFC 4315 3"""
    with user(suite, "append") as one:
        validity = one.ok("STATUS INBOX (UIDVALIDITY)").one("STATUS")[1]["UIDVALIDITY"]
        for number, parts in enumerate((
                ("INBOX ", Literal(SMALL)), ("INBOX ", Unwaited(SMALL)),
                (Literal(b"INBOX"), " ", Literal(SMALL)), (Unwaited(b"inbox"), " () ", Unwaited(SMALL)),
                (r'"INBOX" (\Seen $Label1 custom) ', Literal(SMALL)),
                (r'INBOX (\Draft) "05-Jan-2020 23:59:60 +0900" ', Unwaited(SMALL)),
                ('INBOX " 1-Jan-2020 00:30:00 -1130" ', Literal(SMALL))), 1):
            code = one.ok("APPEND ", *parts).code("APPENDUID")
            equal(code, [validity, str(number)], "APPENDUID")
        one.ok("SELECT INBOX")
        found = one.ok("FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)").fetched()
        check({r"\Seen", "$Label1", "custom"} <= set(found[5]["FLAGS"]), f"{found[5]}")
        check(r"\Draft" in found[6]["FLAGS"], f"{found[6]}")
        equal({one["RFC822.SIZE"] for one in found.values()}, {len(SMALL)}, "sizes")
        def moment(number):
            return email.utils.parsedate_to_datetime(found[number]["INTERNALDATE"].replace("-", " ", 2))
        equal(moment(7).timestamp(), 1577880000.0, "-1130")
        check(abs(moment(6).timestamp() - 1578236400) <= 1, "a leap second")


def test_append_refusals(suite):
    """RFC 3501 6.3.11, 7.1 (TRYCREATE); RFC 7888 4"""
    with user(suite, "append") as one:
        one.no("TRYCREATE", "APPEND missing ", Literal(SMALL))
        one.no("TRYCREATE", "APPEND missing ", Unwaited(SMALL))
        one.bad(r"APPEND INBOX (\Recent) ", Unwaited(SMALL))
        one.bad(r"APPEND INBOX (\Nonsense) ", Unwaited(SMALL))
        one.bad('APPEND INBOX "32-Jan-2020 00:00:00 +0000" ', Unwaited(SMALL))
        one.bad('APPEND INBOX "1-Jan-2020 00:00:00 +0000" x ', Unwaited(SMALL))
        one.bad("APPEND INBOX ", Unwaited(SMALL), " x")
        check(one.run("APPEND INBOX ", Unwaited(b"a\0b\r\n")).done.kind in ("NO", "BAD"), "NUL")
        check(one.run("APPEND INBOX ", Unwaited(b"")).done.kind in ("NO", "BAD"), "empty")
        one.send("z APPEND INBOX {999999999999}\r\n")
        equal(one.response()[1::3], ("NO", "TOOBIG"), "too big")
        equal(one.ok("STATUS INBOX (MESSAGES)").one("STATUS")[1], {"MESSAGES": 7}, "no more came")


def test_append_to_the_selected_mailbox_is_told(suite):
    """RFC 3501 6.3.11, 7.3.1"""
    with user(suite, "append") as one:
        one.ok("SELECT INBOX")
        result = one.ok("APPEND INBOX ", Unwaited(SMALL))
        equal(result.numbers("EXISTS"), [8], "EXISTS")
        equal(result.numbers("RECENT"), [1], "RECENT")


# ---- FETCH -----------------------------------------------------------------------------------------
def test_sections_of_nested_messages(suite):
    """RFC 3501 6.4.5 (section-spec), 7.4.2"""
    header, _, body = NESTED.partition(b"\r\n\r\n")
    inner = NESTED[NESTED.index(b"From: <inner"):NESTED.index(b"\r\n--o\r\nContent-Type: message/rfc822"
                                                             b"\r\n\r\nSubject: leaf")]
    inner_header, _, inner_body = inner.partition(b"\r\n\r\n")
    with user(suite, "u2") as one:
        append(one, "INBOX", NESTED)
        one.ok("SELECT INBOX")
        for section, wanted in (
                ("", NESTED), ("HEADER", header + b"\r\n\r\n"), ("TEXT", body), ("1", b"first"),
                ("1.MIME", b"Content-Type: text/plain\r\nX-One: 1\r\n\r\n"), ("2", inner),
                ("2.MIME", b"Content-Type: message/rfc822\r\nX-Two: 2\r\n\r\n"),
                ("2.HEADER", inner_header + b"\r\n\r\n"), ("2.TEXT", inner_body),
                ("2.1", b"plain"), ("2.1.MIME", b"\r\n"), ("2.2", b"<p>html"),
                ("2.2.MIME", b"Content-Type: text/html\r\n\r\n"), ("3.HEADER", b"Subject: leaf\r\n\r\n"),
                ("3.1", b"leaf body"), ("3.TEXT", b"leaf body"), ("4", b""), ("5", None), ("2.3", None),
                ("1.HEADER", None), ("3.2", None), ("99999.1", None)):
            equal(one.fetch(f"1 BODY.PEEK[{section}]"), wanted, section)


def test_header_fields(suite):
    """RFC 3501 6.4.5 (HEADER.FIELDS)"""
    with user(suite, "u2") as one:
        one.ok("SELECT INBOX")
        for section, wanted in (
                ("HEADER.FIELDS (SUBJECT)", b"Subject: outer\r\n\r\n"),
                ("HEADER.FIELDS (from subject)", b"From: <outer@example.org>\r\nSubject: outer\r\n\r\n"),
                ("HEADER.FIELDS (X-None)", b"\r\n"), ('HEADER.FIELDS ("Subject")', b"Subject: outer\r\n\r\n"),
                ("HEADER.FIELDS.NOT (Content-Type MIME-Version From)", b"Subject: outer\r\n\r\n"),
                ("2.HEADER.FIELDS (Subject)", b"Subject: inner\r\n\r\n"),
                ("2.HEADER.FIELDS.NOT (Content-Type Subject)", b"From: <inner@example.org>\r\n\r\n")):
            equal(one.fetch(f"1 BODY.PEEK[{section}]"), wanted, section)
        result = one.ok("FETCH 1 BODY.PEEK[HEADER.FIELDS (", Literal(b"Subject"), ")]")
        equal(list(result.fetched()[1].values())[0], b"Subject: outer\r\n\r\n", "name as a literal")


def test_partial_fetches_at_the_edges(suite):
    """RFC 3501 6.4.5 (<partial>)"""
    size = len(NESTED)
    with user(suite, "u2") as one:
        one.ok("SELECT INBOX")
        for offset, length in ((0, 1), (0, size), (0, size + 1), (size - 1, 1), (size - 1, 9), (size, 1),
                               (size + 5, 5), (3, 4294967295), (4294967295, 1)):
            items = one.ok(f"FETCH 1 BODY.PEEK[]<{offset}.{length}>").fetched()[1]
            equal(items, {f"BODY[]<{offset}>": NESTED[offset:offset + length]}, f"{offset}.{length}")
        equal(one.ok("FETCH 1 BODY.PEEK[2.1]<1.3>").fetched()[1], {"BODY[2.1]<1>": b"lai"}, "of a part")
        equal(one.ok("FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject)]<9.5>").fetched()[1],
              {"BODY[HEADER.FIELDS (Subject)]<9>": b"outer"}, "of fields")
        equal(one.ok("FETCH 1 BODY.PEEK[9]<0.5>").fetched()[1].popitem()[1], None, "of nothing")


def test_old_names_and_macros(suite):
    """RFC 3501 6.4.5, 7.4.2"""
    header = NESTED[:NESTED.index(b"\r\n\r\n") + 4]
    with user(suite, "u2") as one:
        one.ok("SELECT INBOX")
        equal(one.fetch("1 RFC822.HEADER"), header, "RFC822.HEADER")
        equal(set(one.ok("FETCH 1 FAST").fetched()[1]), {"FLAGS", "INTERNALDATE", "RFC822.SIZE"}, "FAST")
        equal(set(one.ok("FETCH 1 ALL").fetched()[1]),
              {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"}, "ALL")
        equal(set(one.ok("FETCH 1 FULL").fetched()[1]),
              {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"}, "FULL")
        check(r"\Seen" not in one.ok("FETCH 1 FLAGS").fetched()[1]["FLAGS"], "none of these reads")
        equal(one.fetch("1 RFC822.TEXT"), NESTED[len(header):], "RFC822.TEXT")
        check(r"\Seen" in one.ok("FETCH 1 FLAGS").fetched()[1]["FLAGS"], "RFC822.TEXT reads")


def test_reading_tells_that_it_set_seen(suite):
    """RFC 3501 6.4.5 (BODY[]): the flags should be in the answer"""
    with user(suite, "u2") as one:
        one.ok("SELECT INBOX")
        one.ok(r"STORE 1 -FLAGS.SILENT (\Seen)")
        for item in ("BODY[]", "RFC822", "BODY[TEXT]", "BODY[1]"):
            check(r"\Seen" in one.ok(f"FETCH 1 {item}").fetched()[1].get("FLAGS", ()), item)
            one.ok(r"STORE 1 -FLAGS.SILENT (\Seen)")
        check(r"\Seen" not in one.ok("FETCH 1 (BODY.PEEK[] FLAGS)").fetched()[1]["FLAGS"], "PEEK")


def test_uid_fetch_always_tells_the_uid(suite):
    """RFC 3501 6.4.8"""
    with user(suite, "u2") as one:
        one.ok("SELECT INBOX")
        uid = one.ok("FETCH 1 UID").fetched()[1]["UID"]
        equal(one.ok(f"UID FETCH {uid} RFC822.SIZE").fetched(),
              {1: {"UID": uid, "RFC822.SIZE": len(NESTED)}}, "UID FETCH")
        equal(one.ok("UID FETCH 777777 FLAGS").untagged, [], "a UID that is none")
        equal(list(one.ok("UID FETCH 777777:* UID").fetched()), [1], "'*' is the last one, whatever is lower")


def fill_corpus(suite):
    with user(suite, "corpus") as one:
        for number in range(CORPUS_COUNT):
            append(one, "INBOX", corpus.message(number))


def test_bytes_and_sizes_of_the_corpus(suite):
    """RFC 3501 2.3.4, 7.4.2"""
    fill_corpus(suite)
    with user(suite, "corpus") as one:
        one.ok("SELECT INBOX")
        found = one.ok("FETCH 1:* (RFC822.SIZE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT])").fetched()
        for number in range(CORPUS_COUNT):
            message, items = corpus.message(number), found[number + 1]
            check(items["BODY[]"] == message, f"bytes of {number}")
            check(items["BODY[HEADER]"] + items["BODY[TEXT]"] == message, f"parts of {number}")
            equal(items["RFC822.SIZE"], len(message), f"size of {number}")


def leaves(body, prefix=""):
    """(section, part) of everything that has no parts but a message"""
    if body["type"].startswith("multipart/"):
        for number, part in enumerate(body["parts"], 1):
            yield from leaves(part, f"{prefix}{number}.")
        return
    section = prefix.rstrip(".") or "1"
    yield section, body
    if body["parts"]:
        inner = body["parts"][0]
        inside = f"{section}."
        yield from leaves(inner, inside if inner["type"].startswith("multipart/") else inside + "1.")


def test_bodystructure_agrees_with_what_its_parts_hold(suite):
    """RFC 3501 7.4.2 (BODYSTRUCTURE, BODY)"""
    with user(suite, "corpus") as one:
        one.ok("SELECT INBOX")
        for number, items in one.ok("FETCH 1:* (BODY BODYSTRUCTURE)").fetched().items():
            body = items["BODYSTRUCTURE"]
            equal(items["BODY"]["type"], body["type"], f"BODY of {number}")
            parts = list(leaves(body))
            wanted = " ".join(f"BODY.PEEK[{section}]" for section, _ in parts)
            got = one.ok(f"FETCH {number} ({wanted})").fetched()[number]
            for section, part in parts:
                data = got[f"BODY[{section}]"]
                if data is None and part["size"] == 0:
                    continue
                equal(len(data), part["size"], f"{number}: size of {section}, {part['type']}")
                if "lines" in part:
                    equal(part["lines"], data.count(b"\n"), f"{number}: lines of {section}")


def types(part):
    return [part.get_content_type().lower()] + \
        [kind for one in (part.get_payload() if part.is_multipart() else []) for kind in types(one)]


def our_types(body):
    return [body["type"]] + [kind for one in body["parts"] for kind in our_types(one)]


def test_bodystructure_has_the_parts_that_python_sees(suite):
    """RFC 3501 7.4.2; RFC 2046 5"""
    with user(suite, "corpus") as one:
        one.ok("SELECT INBOX")
        found = one.ok("FETCH 1:* BODYSTRUCTURE").fetched()
        for number in range(CORPUS_COUNT):
            message = email.message_from_bytes(corpus.message(number))
            if "no boundary" in str(message.get_payload()):
                continue
            equal(our_types(found[number + 1]["BODYSTRUCTURE"]),
                  without_report(types(message)), f"types of {number}")


def without_report(kinds):
    """Python gives message/delivery-status parts of its own."""
    if "message/delivery-status" not in kinds:
        return kinds
    at = kinds.index("message/delivery-status")
    return kinds[:at + 1] + kinds[kinds.index("message/rfc822"):]


def test_envelope_agrees_with_python(suite):
    """RFC 3501 7.4.2 (ENVELOPE)"""
    with user(suite, "corpus") as one:
        one.ok("SELECT INBOX")
        found = one.ok("FETCH 1:* ENVELOPE").fetched()
        for number in range(CORPUS_COUNT):
            envelope, raw = found[number + 1]["ENVELOPE"], corpus.message(number)
            header = raw[:raw.index(b"\r\n\r\n")].decode("utf-8", "surrogateescape")
            fields = dict(re.findall(r"(?m)^([A-Za-z-]+): ?([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", header))
            fields = {name: re.sub(r"\r\n(?=[ \t])", "", value).strip() for name, value in fields.items()}
            texts = [value.decode("utf-8", "surrogateescape") for value in (envelope[0], envelope[1], envelope[9])]
            equal([re.sub(r"\s+", " ", one) for one in texts],
                  [re.sub(r"\s+", " ", fields[name]) for name in ("Date", "Subject", "Message-ID")],
                  f"texts of {number}")
            equal(envelope[5], [[None, None, b"u1", b"example.jp"],
                                [b"Second", None, b"u2", b"example.jp"]], f"To of {number}")
            equal(envelope[2:5], [envelope[2]] * 3, f"Sender, Reply-To of {number}")
            equal(envelope[6:9], [None] * 3, f"Cc, Bcc, In-Reply-To of {number}")
            addresses = [a for a in envelope[2] if a[3] is not None]
            wanted = [address for _, address in email.utils.getaddresses([fields["From"]]) if address]
            equal([b"@".join(a[2:]).decode() for a in addresses], wanted, f"From of {number}")


def test_group_addresses(suite):
    """RFC 3501 7.4.2 (address structure)"""
    with user(suite, "corpus") as one:
        one.ok("SELECT INBOX")
        equal(one.fetch("6 ENVELOPE")[2],
              [[None, None, b"group", None], [None, None, b"one", b"example.org"],
               [None, None, b"two", b"example.org"], [None] * 4], "group")


SHARDS = [b"(", b")", b'"', b"\\", b"<", b">", b"@", b",", b";", b":", b"=", b"\r\n ", b"\r\n", b"\r\n\r\n", b"\x80",
          b"\xff", b"\x01", b"{5}", b"=?UTF-8?B?", b"?=", b"--", b"\t", b" ", b"/", b"*0*=", b"a" * 5000, b"[", b"]",
          b"Content-Type: message/rfc822\r\n\r\n", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
          b"Content-Language: a, b\r\n", b"Content-Disposition: ;\r\n", b"\x7f", b"NIL"]


def broken(number):
    """A message of the corpus with pieces put in, cut out and doubled; always the same ones."""
    random_ = random.Random(number)
    message = bytearray(corpus.message(number)[:6000])
    for _ in range(random_.randint(1, 12)):
        at, other = random_.randrange(len(message)), random_.randrange(len(message))
        choice = random_.random()
        if choice < 0.6:
            message[at:at] = random_.choice(SHARDS)
        elif choice < 0.8 and len(message) > 100:
            del message[at:at + random_.randint(1, 40)]
        else:
            message[at:at] = message[other:other + random_.randint(1, 300)]
    return bytes(message)


def test_answers_about_broken_messages_keep_the_grammar(suite):
    """RFC 3501 9: whatever a message looks like"""
    with user(suite, "store") as one:
        one.ok("CREATE broken")
        for number in range(120):
            append(one, "broken", broken(number))
        one.ok("SELECT broken")
        found = one.ok("FETCH 1:* (ENVELOPE BODY BODYSTRUCTURE RFC822.SIZE BODY.PEEK[] BODY.PEEK[HEADER]"
                       " BODY.PEEK[TEXT] BODY.PEEK[HEADER.FIELDS (From)])").fetched()
        for number, items in found.items():
            equal(items["BODY[HEADER]"] + items["BODY[TEXT]"], items["BODY[]"], f"halves of {number}")
            equal(items["RFC822.SIZE"], len(items["BODY[]"]), f"size of {number}")
            for section, part in leaves(items["BODYSTRUCTURE"]):
                data = one.fetch(f"{number} BODY.PEEK[{section}]")
                equal(len(data or b""), part["size"], f"size of {number}, {section}")


# ---- SEARCH ----------------------------------------------------------------------------------------
SEARCHED = [
    # (flags, internal date, header, body)
    (r"\Seen", "01-Feb-2026 12:00:00 +0000", "From: Alice <alice@example.org>\r\nTo: u1@example.jp\r\n"
     "Subject: Hello World\r\nDate: Sun, 1 Feb 2026 23:30:00 -0500\r\nX-Tag: blue\r\n", "lorem ipsum"),
    (r"\Answered kw", "02-Feb-2026 00:00:00 +0000", "From: bob@example.org\r\nCc: carol@example.org\r\n"
     "Subject: second\r\nDate: Mon, 2 Feb 2026 01:00:00 +0900\r\nX-Tag:\r\n", "dolor sit"),
    (r"\Flagged \Draft", "02-Feb-2026 23:59:59 +0000", "From: alice@example.net\r\n"
     "Bcc: hidden@example.org\r\nSubject: Re: hello\r\nDate: Tue, 3 Feb 2026 00:00:00 +0000\r\n",
     "amet " * 100),
    (r"\Deleted KW2", "03-Feb-2026 00:00:00 +0000", "From: dave@example.org\r\nTo: alice@example.org\r\n"
     "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n", "Hello again"),
    ("", "04-Feb-2026 08:00:00 +0900", "Subject: last\r\n", "LOREM"),
]


def fill_search(suite):
    with user(suite, "search") as one:
        one.ok("CREATE known")
        for flags, date, header, body in SEARCHED:
            append(one, "known", f"{header}\r\n{body}\r\n".encode(), f'({flags}) "{date}"')
        return one.ok("STATUS known (UIDNEXT)").one("STATUS")[1]["UIDNEXT"]


def test_search_by_every_key(suite):
    """RFC 3501 6.4.4"""
    equal(fill_search(suite), 6, "UIDNEXT")
    sizes = [len(f"{header}\r\n{body}\r\n") for _, _, header, body in SEARCHED]
    with user(suite, "search") as one:
        one.ok("SELECT known")
        for keys, wanted in (
                ("ALL", "12345"), ("2:4", "234"), ("*", "5"), ("5:2,1", "12345"), ("UID 2,4:*", "245"),
                ("ANSWERED", "2"), ("UNANSWERED", "1345"), ("DELETED", "4"), ("UNDELETED", "1235"),
                ("DRAFT", "3"), ("UNDRAFT", "1245"), ("FLAGGED", "3"), ("UNFLAGGED", "1245"),
                ("SEEN", "1"), ("UNSEEN", "2345"), ("KEYWORD kw", "2"), ("KEYWORD KW", "2"),
                ("UNKEYWORD kw", "1345"), ("KEYWORD none", ""), ("UNKEYWORD none", "12345"),
                ("BEFORE 2-Feb-2026", "1"), ("ON 2-Feb-2026", "23"), ('ON "02-Feb-2026"', "23"),
                ("SINCE 3-Feb-2026", "45"), ("SENTBEFORE 2-Feb-2026", "1"), ("SENTON 2-Feb-2026", "2"),
                ("SENTSINCE 2-Feb-2026", "23"), ("SENTSINCE 3-Feb-2026", "3"),
                ("FROM alice", "13"), ("FROM ALICE@EXAMPLE.ORG", "1"), ("TO alice", "4"),
                ("CC carol", "2"), ("BCC hidden", "3"), ("SUBJECT hello", "13"), ('SUBJECT "lo w"', "1"),
                ("HEADER x-tag blue", "1"), ('HEADER X-Tag ""', "12"), ("HEADER X-None x", ""),
                ('SUBJECT ""', "12345"), ('CC ""', "2"), ("BODY lorem", "15"), ("BODY hello", "4"),
                ("TEXT hello", "134"), ("TEXT x-tag", "12"), ("LARGER 400", "3"),
                (f"SMALLER {sizes[4]}", ""), (f"SMALLER {sizes[4] + 1}", "5"),
                (f"LARGER {sizes[2]}", ""), (f"LARGER {sizes[2] - 1}", "3"),
                ("NOT SEEN", "2345"), ("OR SEEN FLAGGED", "13"), ("SEEN FLAGGED", ""),
                ("OR (SEEN SUBJECT hello) NOT (UNDELETED)", "14"), ("NOT NOT 2", "2"),
                ("(1:3 (UNSEEN))", "23"), ("OR OR 1 2 OR 3 4", "1234"), ("10:20", ""), ("UID 10:20", "")):
            equal("".join(map(str, one.search(keys))), wanted, f"SEARCH {keys}")
        equal(one.ok("UID SEARCH FLAGGED").one("SEARCH"), [3], "UID SEARCH")
        equal(one.search("SUBJECT ", Literal(b"hello"), " FROM ", Unwaited(b"net")), [3], "literals")
        equal(one.search("CHARSET UTF-8 SUBJECT ", Literal("grüsse".encode())) or
              one.search("CHARSET UTF-8 SUBJECT ", Literal("GRÜ".encode())), [4], "folding")


def decoded_header(value):
    """As Python decodes it; what is broken stays as it is."""
    with contextlib.suppress(LookupError, UnicodeDecodeError, email.errors.HeaderParseError):
        parts = email.header.decode_header(re.sub(r"\r\n(?=[ \t])", "", value))
        return "".join(part if isinstance(part, str) else part.decode(charset or "utf-8")
                       for part, charset in parts)
    return value


def body_text(message):
    texts = []
    for part in message.walk():
        if part.get_content_maintype() != "text" or part.is_multipart():
            continue
        with contextlib.suppress(LookupError):
            texts.append(part.get_payload(decode=True).decode(
                part.get_content_charset() or "utf-8", "replace"))
    return "\n".join(texts)


def test_search_finds_japanese_in_every_charset(suite):
    """RFC 3501 6.4.4 (CHARSET)"""
    messages = [email.message_from_bytes(corpus.message(n)) for n in range(CORPUS_COUNT)]
    with user(suite, "corpus") as one:
        one.ok("SELECT INBOX")
        for key, text in (("BODY", "先日お打ち合わせした"), ("BODY", "資料をお送り"), ("TEXT", "山田です"),
                          ("BODY", "ﾊﾝｶｸｶﾅ"), ("BODY", "㈱例")):
            wanted = [n + 1 for n, message in enumerate(messages) if text in body_text(message)]
            check(wanted, text)
            for charset in ("UTF-8", "Shift_JIS", "ISO-2022-JP", "EUC-JP"):
                with contextlib.suppress(UnicodeEncodeError):
                    query = text.encode(charset)
                    found = one.search(f"CHARSET {charset} {key} ", Literal(query))
                    equal(found, wanted, f"{key} {text} in {charset}")


def test_search_finds_japanese_subjects(suite):
    """RFC 3501 6.4.4; RFC 2047 6.2"""
    with user(suite, "corpus") as one:
        one.ok("SELECT INBOX")
        for subject, text, charset in ((2, "打ち合わせの件", "ISO-2022-JP"), (3, "打合せ", "UTF-8"),
                                       (4, "請求書", "EUC-JP"), (6, "二つの語に分かれます", "Shift_JIS"),
                                       (8, "の件名", "UTF-8")):
            wanted = [n + 1 for n in range(CORPUS_COUNT) if text in decoded_header(
                corpus.SUBJECTS[n % len(corpus.SUBJECTS)]).replace("  ", " ")]
            equal(one.search(f"CHARSET {charset} SUBJECT ", Unwaited(text.encode(charset))), wanted,
                  f"{corpus.SUBJECTS[subject]} in {charset}")
        yamada = one.search("CHARSET UTF-8 FROM ", Literal("山田太郎".encode()))
        equal(yamada, [n + 1 for n in range(CORPUS_COUNT) if n % 7 == 2], "FROM")


def test_search_in_a_charset_nobody_knows(suite):
    """RFC 3501 6.4.4, 7.1 (BADCHARSET)"""
    with user(suite, "corpus") as one:
        one.ok("SELECT INBOX")
        result = one.no("BADCHARSET", "SEARCH CHARSET X-NONE ALL")
        check(b"UTF-8" in result.done.detail, f"{result.done.detail}")
        one.no("BADCHARSET", "SEARCH CHARSET X-NONE SUBJECT ", Literal(b"\xff\xfe"))
        for charset in result.done.detail:
            one.ok(b"SEARCH CHARSET " + charset + b" 1")
        one.ok("SEARCH CHARSET US-ASCII SUBJECT x")


# ---- STORE, EXPUNGE --------------------------------------------------------------------------------
def test_store_in_all_six_forms(suite):
    """RFC 3501 6.4.6"""
    with user(suite, "store") as one:
        append(one, "INBOX", SMALL)
        append(one, "INBOX", SMALL)
        one.ok("SELECT INBOX")
        def flags_after(command):
            told = one.ok(command).fetched()
            real = set(one.ok("FETCH 1 FLAGS").fetched()[1]["FLAGS"]) - {r"\Recent"}
            if ".SILENT" in command:
                equal(told, {}, command)
            else:
                equal(set(told[1]["FLAGS"]) - {r"\Recent"}, real, command)
            return real
        for command, wanted in (
                (r"STORE 1 FLAGS (\Seen \Draft)", {r"\Seen", r"\Draft"}),
                (r"STORE 1 +FLAGS (\Flagged kw)", {r"\Seen", r"\Draft", r"\Flagged", "kw"}),
                (r"STORE 1 -FLAGS (\Draft none)", {r"\Seen", r"\Flagged", "kw"}),
                (r"STORE 1 FLAGS.SILENT (\Answered)", {r"\Answered"}),
                (r"STORE 1 +FLAGS.SILENT ($Forwarded KW)", {r"\Answered", "$Forwarded", "kw"}),
                (r"STORE 1 -FLAGS.SILENT (Kw)", {r"\Answered", "$Forwarded"}),
                (r"STORE 1 FLAGS ()", set()), (r"STORE 1 +FLAGS \Seen", {r"\Seen"}),
                (r"STORE 1 FLAGS \Seen \Flagged", {r"\Seen", r"\Flagged"}),
                (r"UID STORE 1 -FLAGS.SILENT (\Seen)", {r"\Flagged"})):
            equal(flags_after(command), wanted, command)
        equal(set(one.ok("FETCH 2 FLAGS").fetched()[2]["FLAGS"]) - {r"\Recent"}, set(), "the other one")


def test_new_keywords_are_announced(suite):
    """RFC 3501 7.2.6, 7.1 (PERMANENTFLAGS)"""
    with user(suite, "store") as one:
        one.ok("SELECT INBOX")
        result = one.ok("STORE 1 +FLAGS (brand-new)")
        check("brand-new" in result.one("FLAGS"), "FLAGS")
        check("brand-new" in result.code("PERMANENTFLAGS"), "PERMANENTFLAGS")
        check("brand-new" in one.ok("SELECT INBOX").code("PERMANENTFLAGS"), "they stay")


def test_uid_store_tells_the_uid(suite):
    """RFC 3501 6.4.8"""
    with user(suite, "store") as one:
        one.ok("SELECT INBOX")
        equal(one.ok(r"UID STORE 2 +FLAGS (\Seen)").fetched()[2]["UID"], 2, "UID")
        one.ok(r"UID STORE 999 +FLAGS (\Seen)")
        one.bad(r"STORE 999 +FLAGS (\Seen)")


def test_expunge_counts_down_as_it_goes(suite):
    """RFC 3501 6.4.3, 7.4.1; RFC 4315 2.1"""
    with user(suite, "store") as one:
        one.ok("CREATE numbers")
        for _ in range(7):
            append(one, "numbers", SMALL)
        one.ok("SELECT numbers")
        one.ok(r"STORE 1,3,4,7 +FLAGS.SILENT (\Deleted)")
        left = list(range(1, 8))
        for number in one.ok("UID EXPUNGE 3:6").numbers("EXPUNGE"):
            left.pop(number - 1)
        equal(left, [1, 2, 5, 6, 7], "UID EXPUNGE")
        for number in one.ok("EXPUNGE").numbers("EXPUNGE"):
            left.pop(number - 1)
        equal(left, [2, 5, 6], "EXPUNGE")
        equal([items["UID"] for _, items in sorted(one.ok("FETCH 1:* UID").fetched().items())], left, "UIDs")
        equal(one.ok("STATUS numbers (UIDNEXT)").one("STATUS")[1]["UIDNEXT"], 8, "UIDNEXT")
        equal(append(one, "numbers", SMALL), 8, "no UID twice")


# ---- COPY, MOVE ------------------------------------------------------------------------------------
def test_copy_keeps_flags_and_dates(suite):
    """RFC 3501 6.4.7; RFC 4315 3"""
    with user(suite, "move") as one:
        one.ok("CREATE target")
        for number in range(4):
            append(one, "INBOX", SMALL, rf'(\Flagged tag{number}) "0{number + 1}-Jan-2020 00:00:00 +0000"')
        one.ok("SELECT INBOX")
        before = one.ok("FETCH 1:* (FLAGS INTERNALDATE)").fetched()
        validity = one.ok("STATUS target (UIDVALIDITY)").one("STATUS")[1]["UIDVALIDITY"]
        equal(one.ok("COPY 2,4 target").code("COPYUID"), [validity, "2,4", "1:2"], "COPYUID")
        equal(one.ok("UID COPY 1:3 ", Unwaited(b"target")).code("COPYUID")[1:], ["1:3", "3:5"], "UID COPY")
        one.ok("UID COPY 999 target")
        one.no("TRYCREATE", "COPY 1 missing")
        one.no("TRYCREATE", "UID COPY 1 missing")
        one.bad("COPY 9 target")
        one.ok("SELECT target")
        after = one.ok("FETCH 1:* (FLAGS INTERNALDATE)").fetched()
        for copy, original in zip((1, 2, 3, 4, 5), (2, 4, 1, 2, 3)):
            equal(after[copy]["INTERNALDATE"], before[original]["INTERNALDATE"], "date")
            check(set(before[original]["FLAGS"]) - {r"\Recent"} <= set(after[copy]["FLAGS"]), "flags")


def test_move_between_folders(suite):
    """RFC 6851 3, 4.3"""
    with user(suite, "move") as one:
        one.ok("SELECT INBOX")
        result = one.ok("MOVE 2:3 target")
        kinds = [r.kind for r in result.untagged if r.kind == "EXPUNGE" or r.code == "COPYUID"]
        equal(kinds, ["OK", "EXPUNGE", "EXPUNGE"], "order")
        equal(result.code("COPYUID")[1:], ["2:3", "6:7"], "COPYUID")
        equal([items["UID"] for items in one.ok("FETCH 1:* UID").fetched().values()], [1, 4], "left")
        equal(one.ok("UID MOVE 4 target").numbers("EXPUNGE"), [2], "UID MOVE")
        one.no("TRYCREATE", "MOVE 1 missing")
        one.ok("UID MOVE 999 target")
        equal(one.ok("STATUS target (MESSAGES)").one("STATUS")[1], {"MESSAGES": 8}, "arrived")


def test_copy_and_move_within_one_folder(suite):
    """RFC 3501 6.4.7; RFC 6851 3.3"""
    with user(suite, "move") as one:
        one.ok("SELECT INBOX")
        equal(one.ok("COPY 1 INBOX").numbers("EXISTS"), [2], "COPY to itself")
        result = one.run("MOVE 1 INBOX")
        check(result.done.kind in ("OK", "NO"), f"{result}")
        equal(len(one.search("ALL")), 2, "none is lost")


# ---- two sessions ----------------------------------------------------------------------------------
def test_vanished_messages_keep_their_numbers_for_a_while(suite):
    """RFC 3501 7.4.1; RFC 2180 4.1; RFC 5530 3 (EXPUNGEISSUED)"""
    with user(suite, "two") as one, user(suite, "two") as two:
        one.ok("CREATE shared")
        for _ in range(4):
            append(one, "shared", SMALL)
        one.ok("SELECT shared")
        two.ok("SELECT shared")
        one.ok(r"STORE 2 +FLAGS.SILENT (\Deleted)")
        one.ok("EXPUNGE")
        for command in ("FETCH 1:4 BODY.PEEK[]", "SEARCH ALL", r"STORE 1:4 +FLAGS (\Answered)", "FETCH 4 UID"):
            result = two.run(command)
            check(result.done.kind in ("OK", "NO") and not result.numbers("EXPUNGE"), f"{command} {result.done}")
        equal(two.ok("FETCH 4 UID").fetched()[4]["UID"], 4, "the number holds")
        equal(two.ok("NOOP").numbers("EXPUNGE"), [2], "and now it goes")
        equal(two.ok("FETCH 3 UID").fetched()[3]["UID"], 4, "renumbered")


def test_own_silent_store_is_told_to_others_only(suite):
    """RFC 3501 6.4.6, 7.4.2"""
    with user(suite, "two") as one, user(suite, "two") as two:
        one.ok("SELECT shared")
        two.ok("SELECT shared")
        equal(one.ok(r"STORE 1 FLAGS.SILENT (\Flagged)").fetched(), {}, "silent")
        equal(one.ok("NOOP").fetched(), {}, "and stays so")
        check(r"\Flagged" in two.ok("NOOP").fetched()[1]["FLAGS"], "the other hears of it")


def test_the_selected_folder_goes_away(suite):
    """RFC 3501 3.4, 7.1.5; RFC 2180 3"""
    with user(suite, "two") as one, user(suite, "two") as two:
        one.ok("CREATE doomed")
        two.ok("SELECT doomed")
        one.ok("DELETE doomed")
        two.send("x NOOP\r\n")
        answer = two.response()
        check(answer.kind in ("BYE", "OK", "NO"), f"{answer}")
        one.ok("CREATE mine")
        one.ok("SELECT mine")
        one.ok("DELETE mine")
        one.ok("NOOP")


def test_untagged_size_changes_come_with_any_command(suite):
    """RFC 3501 5.2, 7.3.1"""
    with user(suite, "two") as one, user(suite, "two") as two:
        count = one.ok("SELECT shared").numbers("EXISTS")[0]
        append(two, "shared", SMALL)
        equal(one.ok("CHECK").numbers("EXISTS"), [count + 1], "CHECK")
        append(two, "shared", SMALL)
        equal(one.ok("FETCH 1 FLAGS").numbers("EXISTS"), [count + 2], "FETCH")


# ---- limits ----------------------------------------------------------------------------------------
def test_long_lines_and_large_literals_are_answered(suite):
    """RFC 3501 7.1; RFC 7888 4; RFC 2683 3.2.1.5"""
    with user(suite, "odd") as one:
        check(one.run("CREATE " + "x" * 2000).done.kind in ("NO", "BAD"), "a long name")
        one.ok("SELECT INBOX")
        one.ok("FETCH " + ",".join(["1"] * 3900) + " FLAGS")
        one.ok("SEARCH " + "NOT " * 10 + "ALL")
        check(one.run("SEARCH " + "NOT " * 1000 + "ALL").done.kind in ("OK", "BAD"), "deep")
        check(one.run("SEARCH " + "(" * 1000 + "ALL" + ")" * 1000).done.kind in ("OK", "BAD"), "deeper")
        one.bad("NOOP " + "x" * 300000)
        check(one.run("SELECT ", Literal(b"x" * 100000)).done.kind in ("NO", "BAD"), "a large literal")
        one.send("l SELECT {99999999999999999999}\r\n")
        check(one.response().kind in ("NO", "BAD"), "an absurd literal")
        one.ok("NOOP")


def test_endless_nonsense_ends_with_bye(suite):
    """RFC 3501 7.1.5"""
    with user(suite, "odd") as one:
        for number in range(500):
            one.send(f"n{number} NONSENSE\r\n")
            answer = one.response()
            if answer.kind == "BYE":
                return
            equal(answer.kind, "BAD", "nonsense")
        check(False, "500 times nonsense")


def test_logout_says_bye_first(suite):
    """RFC 3501 6.1.3"""
    with user(suite, "odd") as one:
        one.ok("SELECT INBOX")
        equal([r.kind for r in one.ok("LOGOUT").untagged], ["BYE"], "BYE")
        start = time.monotonic()
        equal(one.until_closed(), b"", "closed")
        check(time.monotonic() - start < 5, "at once")
