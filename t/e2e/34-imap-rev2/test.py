"""IMAP4rev2 beside IMAP4rev1 (RFC 9051), the state of a session, and nonsense in every state."""

import base64
import contextlib
import itertools
import time

from imapsession import Imap, Literal, Unwaited
from suite import check, equal, wait_until

SMALL = b"From: <a@example.org>\r\nSubject: small\r\n\r\none\r\ntwo\r\n"
# RFC 9051 E: what IMAP4rev2 took in, and the capability that still says so to others.
FOLDED_IN = {"NAMESPACE", "UNSELECT", "UIDPLUS", "ESEARCH", "SEARCHRES", "ENABLE", "IDLE", "SASL-IR", "MOVE",
             "CHILDREN", "SPECIAL-USE", "LIST-EXTENDED", "LIST-STATUS", "STATUS=SIZE", "BINARY"}
# draft-ietf-mailmaint-imap-extensions-suggestions; Apple's technote TN3191
SUGGESTED = {"COMPRESS=DEFLATE", "ENABLE", "ESEARCH", "ID", "MOVE", "MULTISEARCH", "PREVIEW", "REPLACE", "SPECIAL-USE",
             "UTF8=ACCEPT"}
FOR_APPLE = {"COMPRESS=DEFLATE", "ESEARCH", "ID", "IDLE", "LIST-STATUS", "LITERAL+", "MOVE", "SASL-IR", "SPECIAL-USE",
             "UIDBATCHES", "UIDPLUS"}
KEYWORDS = ("$MDNSent", "$Forwarded", "$Junk", "$NotJunk", "$Phishing")
PATIENT_BADS = 20  # as many in a row are answered


def prepare(suite):
    suite.add_domain("example.jp", "u1", "u2", "u3", "words", "bad", "idle", "many", "flags", "several", "global")
    suite.control("plans/small", "message-size 2000\n")
    suite.add_domain("small.jp", "u1", plan="small")
    suite.rebuild()
    suite.start()


def rev2(suite, address):
    session = Imap(suite, address)
    equal(session.ok("ENABLE IMAP4rev2").one("ENABLED"), ["IMAP4rev2"], "ENABLED")
    return session


def append(session, folder, message=SMALL, more=""):
    result = session.ok(f"APPEND {folder} {more}{' ' if more else ''}", Unwaited(message))
    return int(result.code("APPENDUID")[1])


def kinds(result):
    return [one.kind for one in result.untagged]


def codes(result):
    return [one.code for one in result.untagged if one.code]


# ---- what is announced ---------------------------------------------------------------------------
def test_both_revisions_are_announced(suite):
    """RFC 9051 6.1.1, 7.2.2, E; RFC 7888 5: LITERAL- before login, LITERAL+ after, never both"""
    with Imap(suite) as one:
        before = set(one.ok("CAPABILITY").one("CAPABILITY"))
        equal(set(one.greeting.detail), before, "greeting")
        check({"IMAP4rev1", "IMAP4rev2", "LITERAL-", "AUTH=PLAIN"} <= before, f"before login: {before}")
        check("LITERAL+" not in before, f"one of the two: {before}")
    with Imap(suite, "u1@example.jp") as one:
        after = set(one.ok("CAPABILITY").one("CAPABILITY"))
        equal(({"IMAP4rev1", "IMAP4rev2", "LITERAL+"} | FOLDED_IN | SUGGESTED | FOR_APPLE) - after, set(), "after login")
        check(any(word.startswith("APPENDLIMIT=") for word in after), f"after login: {after}")
        check("LITERAL-" not in after and not {w for w in after if w.startswith("AUTH=")}, f"gone: {after}")


def test_enable(suite):
    """RFC 5161 3.1, 3.2; RFC 9051 6.3.1"""
    with Imap(suite) as one:
        one.bad("ENABLE IMAP4rev2")
    with Imap(suite, "u1@example.jp") as one:
        one.bad("ENABLE")
        one.bad("ENABLE ")
        one.bad("ENABLE (IMAP4rev2)")
        equal(one.ok("ENABLE X-NONSENSE IMAP4rev1").one("ENABLED"), [], "nothing to enable")
        equal(one.ok("ENABLE x imap4REV2 y").one("ENABLED"), ["IMAP4rev2"], "in any case")
        equal(one.ok("ENABLE IMAP4rev2").one("ENABLED"), [], "once")
        # It announces both all the same (RFC 9051 6.3.1: it lasts till the end of the connection).
        check("IMAP4rev1" in one.ok("CAPABILITY").one("CAPABILITY"), "CAPABILITY")


def test_identity_of_the_client_is_logged(suite):
    """RFC 2971 3: name and version, bounded and on one line"""
    with Imap(suite) as one:
        equal(one.ok('ID ("name" "Before" "version" "1 2" "os" NIL)').one("ID"), [(b"name", b"mail-suite")], "ID")
        one.ok(f'LOGIN u1@example.jp "{suite.password("u1@example.jp")}"')
        one.ok("ID (\"name\" ", Literal(b"Evil\r\nimapd[1]: closed account=x"), " \"version\" \"9\")")
        one.bad("ID (name x)")
        one.bad('ID ("' + "x" * 31 + '" NIL)')
        one.ok('ID ("name" "After")')
        one.ok("LOGOUT")
    wait_until(lambda: "agent=After" in suite.logs("spawnd"), "imapd's line at the end")
    wait_until(lambda: 'agent=Before version="1 2"' in suite.logs("imaps"), "imap-login's line")
    check("Evil" not in suite.logs("spawnd"), "the last counts")


def test_names_and_passwords_in_utf8(suite):
    """RFC 9051 4.3, 6.2.2, 6.2.3; RFC 6855 5: as bytes, whatever form they come in"""
    address, password = "u1@例え.jp".encode(), "合い言葉 x".encode()
    suite.mailctl("domain", "add", "例え.jp")
    suite.mailctl("user", "add", "u1@例え.jp", "--no-policy", text="合い言葉 x\n")
    response = base64.b64encode(b"\0" + address + b"\0" + password)
    for command in ((b'LOGIN "' + address + b'" "' + password + b'"',),
                    ("LOGIN ", Literal(address), " ", Unwaited(password)),
                    (b"AUTHENTICATE PLAIN " + response,)):
        with Imap(suite) as one:
            one.ok(*command)


# ---- selecting -----------------------------------------------------------------------------------
def test_select_of_rev2(suite):
    """RFC 9051 6.3.2, 6.3.3, 7.1 (CLOSED), E 5, 24: LIST, no RECENT, no UNSEEN"""
    with Imap(suite, "u1@example.jp") as old:
        append(old, "INBOX")
        selected = old.ok("SELECT inbox")
        check({"RECENT", "EXISTS", "FLAGS"} <= set(kinds(selected)) and "LIST" not in kinds(selected),
              f"rev1: {selected}")
        check("UNSEEN" in codes(selected), f"rev1: {selected}")
        equal(codes(old.ok("SELECT Sent"))[0], "CLOSED", "RFC 7162 3.2.11: whatever the client has enabled")
    with rev2(suite, "u1@example.jp") as one:
        selected = one.ok("SELECT inbox")
        equal(selected.done.code, "READ-WRITE", "SELECT")
        check("RECENT" not in kinds(selected) and "UNSEEN" not in codes(selected), f"rev2: {selected}")
        check({"PERMANENTFLAGS", "UIDNEXT", "UIDVALIDITY"} <= set(codes(selected)), f"rev2: {selected}")
        equal((selected.one("LIST")[1], selected.one("LIST")[2]), (b"/", "INBOX"), "LIST of SELECT")
        equal(selected.numbers("EXISTS"), [1], "EXISTS")
        other = one.ok("EXAMINE Sent")
        equal(other.untagged[0].code, "CLOSED", "the first of EXAMINE")
        equal(other.done.code, "READ-ONLY", "EXAMINE")
        equal(other.one("LIST")[2], "Sent", "LIST of EXAMINE")
        gone = one.run("SELECT none")
        equal((gone.done.kind, gone.done.code, codes(gone)), ("NO", "NONEXISTENT", ["CLOSED"]), "no such")
        one.bad("FETCH 1 FLAGS")
        check("CLOSED" not in codes(one.ok("SELECT INBOX")), "nothing to close")
        for command in ("UNSELECT", "CLOSE"):
            check(not codes(one.ok(command)), command)
            one.ok("SELECT INBOX")


GLOBAL = ("Subject: outer\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\ntext\r\n--o\r\n"
          "Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
          "Subject: 内の件名\r\nFrom: <内@example.jp>\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
          "--i\r\nContent-Transfer-Encoding: base64\r\n\r\naW5uZXI=\r\n--i--\r\n--o\r\n"
          "Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA0KDQo=\r\n"
          "--o--\r\n").encode()


def test_message_global(suite):
    """RFC 9051 9, media-message: an envelope and a body as message/rfc822 has; RFC 3501 knows no such thing"""
    def check_old(session, number):
        for item in ("BODYSTRUCTURE", "BODY"):
            parts = session.fetch(f"{number} {item}")["parts"]
            check(not any("envelope" in part for part in parts), f"rev1: {parts}")

    def check_new(session, number):
        for item in ("BODYSTRUCTURE", "BODY"):
            _, plain, encoded = session.fetch(f"{number} {item}")["parts"]
            equal(plain["envelope"][1], "内の件名".encode(), f"Subject in {item}")
            equal([part["type"] for part in plain["parts"]], ["multipart/mixed"], item)
            equal((encoded["envelope"][1], encoded["encoding"]), (None, "base64"), f"nobody looks into it: {item}")
        equal(session.fetch(f"{number} BODY.PEEK[2.HEADER.FIELDS (SUBJECT)]"), "Subject: 内の件名\r\n\r\n".encode(), "its header")
        equal((session.fetch(f"{number} BODY.PEEK[2.1]"), session.fetch(f"{number} BINARY.PEEK[2.1]")), (b"aW5uZXI=", b"inner"), "its part")
        equal(session.fetch(f"{number} BINARY.PEEK[3]"), b"Subject: x\r\n\r\n", "encoded as a whole")

    with Imap(suite, "global@example.jp") as old, rev2(suite, "global@example.jp") as new, \
            rev2(suite, "global@example.jp") as other:
        for number, order in enumerate(((check_old, check_new), (check_new, check_old)), 1):
            append(old, "INBOX", GLOBAL)
            for session in (old, new, other):
                session.ok("SELECT INBOX")
            # The second finds what the first has had kept.
            for one in order:
                one(old if one is check_old else new, number)
            check_new(other, number)
        check(old.search('SUBJECT "outer" BODY "inner"'), "text of the part within")


def test_no_recent(suite):
    """RFC 9051 2.3.2, 7.4.1, E 5"""
    with rev2(suite, "u2@example.jp") as one, Imap(suite, "u2@example.jp") as two:
        one.ok("SELECT INBOX")
        append(two, "INBOX")
        told = one.ok("NOOP")
        equal((told.numbers("EXISTS"), "RECENT" in kinds(told)), ([1], False), f"news: {told}")
        flags = one.ok("FETCH 1 (FLAGS UID)").fetched()[1]["FLAGS"]
        check(r"\Recent" not in flags, f"FETCH: {flags}")
        changed = one.ok(r"STORE 1 +FLAGS (\Seen)").fetched()[1]
        check(r"\Recent" not in changed["FLAGS"] and changed["UID"] == 1, f"STORE: {changed}")


def test_search_answers_with_esearch(suite):
    """RFC 9051 6.4.4, 7.3.4, E 4"""
    with rev2(suite, "u3@example.jp") as one:
        for _ in range(3):
            append(one, "INBOX")
        one.ok("SELECT INBOX")
        found = one.ok("SEARCH ALL")
        check("SEARCH" not in kinds(found), f"SEARCH: {found}")
        equal(found.one("ESEARCH")["ALL"], "1:3", "ESEARCH")
        equal(found.one("ESEARCH")["TAG"], found.done.tag, "its tag")
        found = one.ok("UID SEARCH RETURN (MIN MAX COUNT) 2:3").one("ESEARCH")
        equal((found["UID"], found["MIN"], found["MAX"], found["COUNT"]), (True, "2", "3", "2"), "RETURN")
        one.ok("SEARCH RETURN (SAVE) 2")
        equal(list(one.ok("FETCH $ UID").fetched()), [2], "$ (RFC 9051 6.4.4.1)")
        check("ALL" not in one.ok("SEARCH SUBJECT nowhere").one("ESEARCH"), "nothing found")


def test_keywords_of_rfc_9051(suite):
    """RFC 9051 2.3.2: they are kept, whatever the case of their letters"""
    with rev2(suite, "flags@example.jp") as one:
        append(one, "INBOX", more=f"({' '.join(KEYWORDS)})")
        permanent = one.ok("SELECT INBOX").code("PERMANENTFLAGS")
        check(r"\*" in permanent and set(KEYWORDS) <= set(permanent), f"PERMANENTFLAGS: {permanent}")
        equal(set(one.ok("FETCH 1 FLAGS").fetched()[1]["FLAGS"]), set(KEYWORDS), "kept")
        for word in KEYWORDS:
            equal(one.ok(f"SEARCH KEYWORD {word.upper()}").one("ESEARCH").get("ALL"), "1", word)
            one.ok(f"STORE 1 -FLAGS ({word.lower()})")
        equal(one.ok("FETCH 1 FLAGS").fetched()[1]["FLAGS"], [], "taken away")
        append(one, "INBOX")
        told = one.ok("STORE 2 +FLAGS ($Work)")
        # RFC 9051 7.3.5: a new keyword comes with FLAGS before it is used.
        check(kinds(told).index("FLAGS") < kinds(told).index("FETCH"), f"FLAGS first: {kinds(told)}")


def test_an_examined_mailbox_does_not_change(suite):
    """RFC 9051 6.3.3, 7.1 (PERMANENTFLAGS): nothing can be set"""
    with rev2(suite, "u3@example.jp") as one:
        append(one, "Archive")
        equal(one.ok("EXAMINE Archive").code("PERMANENTFLAGS"), [], "PERMANENTFLAGS")
        one.ok("FETCH 1 BODY[]")
        equal(one.ok("FETCH 1 FLAGS").fetched()[1]["FLAGS"], [], "not even \\Seen")
        one.no("READ-ONLY", r"STORE 1 +FLAGS (\Seen)")
        one.no("READ-ONLY", "EXPUNGE")
        one.ok("CLOSE")


def test_codes_of_refusals(suite):
    """RFC 9051 7.1, RFC 5530: NONEXISTENT, ALREADYEXISTS, HASCHILDREN, CANNOT, TRYCREATE"""
    with rev2(suite, "words@example.jp") as one:
        one.no("NONEXISTENT", "SELECT none")
        one.no("NONEXISTENT", "DELETE none")
        one.no("NONEXISTENT", "STATUS none (MESSAGES)")
        one.no("NONEXISTENT", "RENAME none other")
        one.no("ALREADYEXISTS", "CREATE Sent")
        one.no("ALREADYEXISTS", "RENAME Archive Sent")
        one.no("CANNOT", "DELETE INBOX")
        one.no("TRYCREATE", "APPEND none ", Literal(SMALL))
        one.ok("CREATE a/b")
        one.no("HASCHILDREN", "DELETE a")
        append(one, "INBOX")
        one.ok("SELECT INBOX")
        one.no("TRYCREATE", "COPY 1 none")
        one.no("TRYCREATE", "MOVE 1 none")
        equal(one.run("AUTHENTICATE PLAIN").done[1::3], ("BAD", "CLIENTBUG"), "logged in already")


def test_pipelined_commands_are_answered_in_order(suite):
    """RFC 9051 5.5: as if each had waited for the one before"""
    with rev2(suite, "u3@example.jp") as one:
        names = ["SELECT INBOX", "FETCH 1:* FLAGS", r"STORE 1 +FLAGS.SILENT (\Deleted)", "EXPUNGE", "NOOP",
                 "FETCH 1 UID", "SEARCH ALL", "IDLE"]
        one.send("".join(f"p{i} {name}\r\n" for i, name in enumerate(names)) + "DONE\r\nlast LOGOUT\r\n")
        tagged = []
        while not tagged or tagged[-1].tag != "last":
            answer = one.response()
            if answer.tag not in ("*", "+"):
                tagged.append(answer)
        equal([(a.tag, a.kind) for a in tagged],
              [(f"p{i}", "OK") for i in range(len(names))] + [("last", "OK")], "in order")


def test_message_size_limit_of_the_account(suite):
    """RFC 9051 6.3.12, RFC 7889: larger than the account's plan allows"""
    with Imap(suite, "u1@small.jp") as one:
        append(one, "INBOX", SMALL)
        one.no("TOOBIG", "APPEND INBOX ", Literal(b"Subject: x\r\n\r\n" + b"x" * 2000))
        one.no("TOOBIG", "APPEND INBOX ", Unwaited(b"Subject: x\r\n\r\n" + b"x" * 2000))
        one.ok("NOOP")


# ---- what draft-ietf-mailmaint-imap-extensions-suggestions and Apple's TN3191 ask for ------------
def test_search_in_several_mailboxes(suite):
    """RFC 7377 2"""
    with rev2(suite, "several@example.jp") as one:
        one.ok('CREATE "仕事/a"')
        one.ok('CREATE "仕事/b"')
        for folder in ("INBOX", "仕事/a", "仕事/a", "Sent"):
            append(one, f'"{folder}"')
        answers = one.ok("ESEARCH IN (personal) RETURN (COUNT ALL) SUBJECT small").all("ESEARCH")
        found = [answer.value for answer in answers]
        equal({(f["MAILBOX"], f["COUNT"], f["ALL"]) for f in found},
              {("INBOX", "1", "1"), ("仕事/a", "2", "1:2"), ("Sent", "1", "1")}, "personal")
        check(all(f["UID"] and f["UIDVALIDITY"] for f in found), f"correlators: {found}")
        below = one.ok('ESEARCH IN (subtree "仕事") ALL').all("ESEARCH")
        equal([answer.value["MAILBOX"] for answer in below], ["仕事/a"], "subtree")
        one.ok("SELECT INBOX")
        append(one, "INBOX")
        equal(one.ok("ESEARCH ALL").one("ESEARCH")["ALL"], "1:2", "the selected one")
        equal(one.ok("SEARCH ALL").one("ESEARCH")["ALL"], "1:2", "which stays selected")
        one.bad("ESEARCH IN (personal) 1:2")
        one.bad("ESEARCH IN (personal) RETURN (SAVE) ALL")
        one.bad("ESEARCH IN (nonsense) ALL")


def test_batches_of_uids(suite):
    """RFC 10022 3: from the newest on, touching, down to 1"""
    count, size = 1300, 500
    with rev2(suite, "several@example.jp") as one:
        one.ok("CREATE batches")
        for start in range(0, count, 100):
            parts = []
            for _ in range(min(100, count - start)):
                parts += [" ", Unwaited(SMALL)]
            one.ok("APPEND batches", *parts)
        one.ok("SELECT batches")
        one.ok(r"STORE 1:100,601 +FLAGS.SILENT (\Deleted)")
        one.ok("EXPUNGE")
        left = count - 101
        ranges = one.ok(f"UIDBATCHES {size}").one("UIDBATCHES")
        equal((ranges[0][0], ranges[-1][1], len(ranges)), (count, 1, -(-left // size)), f"{ranges}")
        check(all(low == high + 1 for (_, low), (high, _) in zip(ranges, ranges[1:])), f"they touch: {ranges}")
        sizes = [int(one.ok(f"UID SEARCH RETURN (COUNT) UID {low}:{high}").one("ESEARCH")["COUNT"])
                 for high, low in ranges]
        equal(sizes, [size, size, left - 2 * size], "as many in each")
        equal(one.ok(f"UIDBATCHES {size} 2:3").one("UIDBATCHES"), ranges[1:], "some of them")
        equal(one.ok(f"UIDBATCHES {size} 9:10").one("UIDBATCHES"), [], "none of them")
        one.no("TOOFEW", f"UIDBATCHES {size - 1}")


# ---- IDLE ----------------------------------------------------------------------------------------
def test_idle(suite):
    """RFC 9051 6.3.13: with DONE in the same segment, in any case, selected or not"""
    with Imap(suite, "idle@example.jp") as one:
        for before in ("NOOP", "SELECT INBOX"):
            one.ok(before)
            one.send("x1 IDLE\r\nDONE\r\nx2 IDLE\r\ndone\r\nx3 IDLE\r\nnonsense\r\nx4 NOOP\r\n")
            answers = [one.response() for _ in range(7)]
            equal([(a.tag, a.kind) for a in answers if a.tag != "+"],
                  [("x1", "OK"), ("x2", "OK"), ("x3", "BAD"), ("x4", "OK")], before)


def test_a_folder_deleted_under_an_idle(suite):
    """RFC 2180 3.3: who has it selected is told by a BYE, and it costs others nothing"""
    with Imap(suite, "idle@example.jp") as one, Imap(suite, "idle@example.jp") as two:
        two.ok("CREATE doomed")
        append(two, "doomed")
        one.ok("SELECT doomed")
        one.send("i IDLE\r\n")
        equal(one.response().tag, "+", "idling")
        two.ok("DELETE doomed")
        answer = one.response()
        while answer.kind in ("EXISTS", "EXPUNGE"):
            answer = one.response()
        equal(answer.kind, "BYE", f"{answer}")
        equal(one.until_closed(), b"", "closed")
        two.ok("NOOP")


def test_a_folder_renamed_under_an_idle(suite):
    """RFC 9051 6.3.6: it stays selected, as without IDLE"""
    with Imap(suite, "idle@example.jp") as one, Imap(suite, "idle@example.jp") as two:
        two.ok("CREATE before")
        two.ok("CREATE before/below")
        one.ok("SELECT before")
        one.send("i IDLE\r\n")
        equal(one.response().tag, "+", "idling")
        for count, (old, new) in enumerate((("before", "after"), ("after", "again/after")), 1):
            two.ok(f"RENAME {old} {new}")
            append(two, new)
            equal([(answer.number, answer.kind) for answer in (one.response(), one.response())],
                  [(count, "EXISTS"), (count, "RECENT")], new)
        two.ok("CREATE after")
        one.send("DONE\r\n")
        equal(one.response().tag, "i", "IDLE ends")
        one.ok("COPY 1 again/after")
        equal(two.ok("STATUS again/after (MESSAGES)").one("STATUS")[1], {"MESSAGES": 3}, "the new name is its own")
        one.ok("DELETE again/after")
        one.bad("CHECK")


# ---- nonsense ------------------------------------------------------------------------------------
NONSENSE = [
    "", " ", "x", "(", ")", "{", "}", "{}", "{x}", '"', '"x', "\\", "%", "*", "[", "]", "\x00", "\x7f", "\x80\xff",
    "1", "0", "-1", "4294967296", "99999999999999999999999", "1:", ":1", "1,,2", "*:*:*", "1:2:3", "NIL", "()", "(()",
    "(" * 200, "INBOX", "INBOX INBOX", "INBOX (", "INBOX ()", "INBOX (NONSENSE)", "INBOX (MESSAGES", "1 (", "1 ()",
    "1 (FLAGS", "1 BODY[", "1 BODY[HEADER.FIELDS]", "1 BODY[HEADER.FIELDS ()]", "1 BODY[]<", "1 BODY[]<1>",
    "1 BODY[]<0.0>", "1 BODY[0]", "1 FLAGS (", "1 +FLAGS", "1 +FLAGS (\\Recent)", "1 +FLAGS (\\Nonsense)", "CHARSET",
    "CHARSET UTF-8", "OR", "OR ALL", "NOT", "SINCE yesterday", "SINCE 31-Foo-2020", "SINCE 1-Jan-20", "HEADER",
    "HEADER x", "UID", "LARGER x", "KEYWORD", "RETURN", "RETURN (", "RETURN (NONSENSE)", '"" (', '"" ()', '"" "x',
    '"" % RETURN', '"" % RETURN (', '"" % RETURN (NONSENSE)', "(NONSENSE) \"\" %", "x" * 3000, "é" * 40,
]
COMMANDS = ["FETCH", "UID FETCH", "STORE", "UID STORE", "SEARCH", "UID SEARCH", "COPY", "UID COPY", "MOVE",
            "UID MOVE", "UID EXPUNGE", "APPEND", "CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE", "LIST",
            "LSUB", "STATUS", "SELECT", "EXAMINE", "ENABLE", "ID", "LOGIN", "AUTHENTICATE", "UID", "NONSENSE",
            "UID NONSENSE", "CAPABILITY", "NOOP", "IDLE", "NAMESPACE", "CLOSE", "UNSELECT", "EXPUNGE", "CHECK",
            "STARTTLS"]


def nonsense_lines():
    """Lines of which none opens a literal, begins an IDLE or ends the session."""
    for name, rest in itertools.product(COMMANDS, NONSENSE):
        line = f"{name} {rest}" if rest else name
        if not (name in ("IDLE", "AUTHENTICATE") and not rest.strip()) and "{" not in rest:
            yield line
    yield from NONSENSE


def feed(session, lines, allowed):
    """Each line is answered by its tag, and by no more than one tagged answer; how many were BAD."""
    bads = 0
    for number, line in enumerate(lines):
        tag = f"n{number}"
        session.send(f"{tag} {line}\r\nok{number} NOOP\r\n".encode("latin-1"))
        answers = []
        while not answers or answers[-1].tag != f"ok{number}":
            answers.append(session.response())
        tagged = [one for one in answers if one.tag not in ("*", "+")]
        check(len(tagged) == 2 and tagged[1].kind == "OK", f"{line!r}: {tagged}")
        check(tagged[0].tag in (tag, "*") and tagged[0].kind in allowed, f"{line!r}: {tagged[0]}")
        bads += tagged[0].kind == "BAD"
    return bads


def spoken(suite, state):
    session = Imap(suite, "bad@example.jp")
    if state == "rev2":
        session.ok("ENABLE IMAP4rev2")
    if state != "authenticated":
        session.ok("SELECT INBOX")
    return session


def test_nonsense_in_every_state_is_bad_and_the_session_goes_on(suite):
    """RFC 9051 7.1.3: some of it is right in some state, so OK and NO are answers too; what matters is
    that each is answered and nothing is lost behind it."""
    lines = list(nonsense_lines())
    with Imap(suite, "bad@example.jp") as one:
        append(one, "INBOX")
    for state in ("authenticated", "selected", "rev2"):
        with spoken(suite, state) as one:
            bads = feed(one, lines, ("BAD", "NO", "OK"))
            check(bads > len(lines) / 2, f"{state}: {bads} BAD of {len(lines)}")
            print(f"{state}: {bads} BAD of {len(lines)}")


def test_what_is_no_command_is_always_bad(suite):
    lines = ["FETCH", "FETCH 1", "FETCH x FLAGS", "FETCH 1 NONSENSE", "FETCH 1 (FLAGS", "FETCH 0 FLAGS", "STORE 1",
             "STORE 1 FLAGS", "STORE 1 NONSENSE (\\Seen)", "SEARCH NONSENSE", "SEARCH SINCE x", "SEARCH OR ALL",
             "SEARCH (ALL", "COPY 1", "COPY INBOX", "MOVE", "UID", "UID NOOP", "UID EXPUNGE", "UID EXPUNGE x",
             "APPEND INBOX", "APPEND INBOX x", "CREATE", "CREATE a b", "DELETE", "RENAME a", "RENAME a b c",
             "SUBSCRIBE", "LIST", 'LIST ""', 'LIST "" % NONSENSE', 'LIST (NONSENSE) "" %', "LSUB", "STATUS INBOX",
             "STATUS INBOX ()", "STATUS INBOX (NONSENSE)", "SELECT", "SELECT a b c", "EXAMINE", "ENABLE", "ID",
             "ID (a)", 'ID ("a")', "LOGIN", "LOGIN a b", "AUTHENTICATE", "AUTHENTICATE PLAIN", "STARTTLS",
             "NONSENSE", "CAPABILITY x", "NOOP x", "IDLE x", "NAMESPACE x", "CLOSE x", "UNSELECT x", "EXPUNGE x",
             "LOGOUT x", "SELECT  INBOX", "NOOP ", 'SELECT "INBOX', 'SELECT "a\\b"', "SELECT (INBOX)"]
    for state in ("authenticated", "selected", "rev2"):
        with spoken(suite, state) as one:
            equal(feed(one, lines, ("BAD",)), len(lines), state)


def test_tags_that_are_none(suite):
    """RFC 9051 9 (tag)"""
    with Imap(suite, "bad@example.jp") as one:
        for line in ("", " ", " NOOP", "+ NOOP", "* NOOP", "( NOOP", '"a" NOOP', "a{ NOOP", "%", "a+b NOOP", "\xe9 NOOP"):
            one.send(line.encode("latin-1") + b"\r\ng NOOP\r\n")
            equal((one.response().kind, one.response().kind), ("BAD", "OK"), repr(line))


def test_too_many_in_a_row_end_the_session(suite):
    with Imap(suite, "bad@example.jp") as one:
        for _ in range(3):
            for _ in range(PATIENT_BADS):
                one.bad("NONSENSE")
            one.ok("NOOP")
        for _ in range(PATIENT_BADS + 1):
            one.send("x NONSENSE\r\n")
        answers = [one.response() for _ in range(PATIENT_BADS + 2)]
        equal((answers[-1].kind, answers[-1].code), ("BYE", "CLIENTBUG"), "the last")
        equal(one.until_closed(), b"", "closed")


def test_nonsense_before_login(suite):
    """RFC 9051 3.1, 6.2; three failed logins are the end"""
    for chunk in range(0, len(NONSENSE), 9):
        with Imap(suite) as one:
            for number, rest in enumerate(NONSENSE[chunk:chunk + 9]):
                if "{" in rest:
                    continue
                # What could be a name and a password would only be slow.
                name = "AUTHENTICATE" if " " in rest else "LOGIN"
                one.send(f"n{number} {name} {rest}\r\nok NOOP\r\n".encode("latin-1"))
                first, second = one.response(), one.response()
                check(first.kind in ("BAD", "NO") and second.kind == "OK", f"{rest!r}: {first} {second}")


def test_many_sessions_change_one_folder(suite):
    """Two delete and rename the folder that others have selected: nobody hangs, none dies unheard."""
    with contextlib.ExitStack() as stack:
        maker, breaker = (stack.enter_context(Imap(suite, "many@example.jp")) for _ in range(2))
        for turn in range(5):
            maker.ok("CREATE play")
            append(maker, "play")
            with Imap(suite, "many@example.jp") as watcher:
                watcher.ok("SELECT play")
                breaker.ok("DELETE play" if turn % 2 else f"RENAME play play{turn}")
                start = time.monotonic()
                try:
                    watcher.run("FETCH 1 (FLAGS BODY.PEEK[])")
                    watcher.run("EXPUNGE")
                    watcher.run("NOOP")
                except Exception as error:  # BYE: the connection is closed
                    check("closed" in str(error) or isinstance(error, OSError), f"{error}")
                check(time.monotonic() - start < 5, "nobody hangs")
        wait_until(lambda: maker.ok("NOOP").done.kind == "OK", "the maker goes on")
