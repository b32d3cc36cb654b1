"""SEARCH: its answers by return options, $, pages, results kept up to date, and text in any charset."""

import base64
import random

from imapsession import Imap, Unwaited
from suite import check, equal

CAPABILITIES = {"CONTEXT=SEARCH", "ESEARCH", "I18NLEVEL=1", "INPROGRESS", "PARTIAL", "SEARCHRES", "WITHIN"}


def prepare(suite):
    suite.add_domain("example.jp", "answers", "saved", "context", "text", "random", "bad", "objects", "none")
    suite.mailctl("user", "set", "none@example.jp", "imap-capabilities-off", "OBJECTID")
    suite.start()


def user(suite, name):
    return Imap(suite, f"{name}@example.jp")


def append(session, content, flags=""):
    session.ok(f"APPEND INBOX {flags}", Unwaited(content))


def fill(session, count):
    for number in range(1, count + 1):
        append(session, f"Subject: {'odd' if number % 2 else 'even'} {number}\r\n\r\nbody\r\n".encode())
    session.ok("SELECT INBOX")


def test_capabilities(suite):
    """RFC 4731 2; RFC 5182 1; RFC 5032 2; RFC 5255 4.2; RFC 5267 4; RFC 9394 3; RFC 9585 3"""
    with user(suite, "answers") as one:
        equal(CAPABILITIES - set(one.ok("CAPABILITY").one("CAPABILITY")), set(), "missing")


def test_answers(suite):
    """RFC 4731 3.1; RFC 9394 3.1, 3.3; RFC 9051 6.4.4"""
    with user(suite, "answers") as one:
        fill(one, 7)
        for options, keys, wanted in (
                ("()", "SUBJECT odd", {"ALL": "1,3,5,7"}), ("(ALL)", "ALL", {"ALL": "1:7"}),
                ("(MIN MAX)", "SUBJECT even", {"MIN": "2", "MAX": "6"}), ("(COUNT)", "SUBJECT even", {"COUNT": "3"}),
                ("(MIN MAX COUNT ALL)", "FROM nobody", {"COUNT": "0"}),
                ("(PARTIAL 2:3)", "SUBJECT odd", {"PARTIAL": "(2:3 3,5)"}),
                ("(PARTIAL -1:-2 COUNT)", "SUBJECT odd", {"PARTIAL": "(-1:-2 5,7)", "COUNT": "4"}),
                ("(PARTIAL 9:10)", "ALL", {"PARTIAL": "(9:10 NIL)"})):
            found = one.ok(f"SEARCH RETURN {options} {keys}").one("ESEARCH")
            equal({k: v for k, v in found.items() if k != "TAG"}, wanted, f"{options} {keys}")
        check(one.ok("UID SEARCH RETURN (MIN) ALL").one("ESEARCH")["UID"], "UID")
        page = one.ok("UID FETCH 1:* (UID) (PARTIAL -1:-2)").fetched()
        equal(sorted(page), [6, 7], "a page of UID FETCH")
        equal(one.ok("SEARCH RETURN (COUNT) YOUNGER 3600").one("ESEARCH")["COUNT"], "7", "RFC 5032 3: YOUNGER")
        equal(one.search("OLDER 3600"), [], "RFC 5032 3: OLDER")
        one.ok("ENABLE IMAP4rev2")
        equal(one.ok("SEARCH SUBJECT odd").one("ESEARCH")["ALL"], "1,3,5,7", "RFC 9051 6.4.4: no SEARCH answer")


def test_saved(suite):
    """RFC 5182 2"""
    with user(suite, "saved") as one, user(suite, "saved") as two:
        fill(one, 6)
        check(not one.ok("SEARCH RETURN (SAVE) SUBJECT odd").numbers("ESEARCH"), "2.1: told nothing")
        equal(sorted(one.ok("FETCH $ UID").fetched()), [1, 3, 5], "FETCH $")
        two.ok("SELECT INBOX")
        two.ok("STORE 3 +FLAGS.SILENT (\\Deleted)")
        two.ok("EXPUNGE")
        one.ok("NOOP")
        equal(sorted(v["UID"] for v in one.ok("UID FETCH $ UID").fetched().values()), [1, 5], "after an expunge")
        equal(one.search("$ UID 5"), [4], "in a search")
        one.ok("COPY $ Archive")
        one.ok("UID STORE $ +FLAGS.SILENT (\\Deleted)")
        one.ok("UID EXPUNGE $")
        equal(one.ok("UID SEARCH ALL").one("SEARCH"), [2, 4, 6], "UID EXPUNGE $")
        one.ok("FETCH $ UID")
        one.ok("SEARCH RETURN (SAVE) ALL")
        one.no("BADCHARSET", "SEARCH RETURN (SAVE) CHARSET x-none TEXT a")
        equal(one.search("$"), [], "2.1: a NO empties it")
        one.ok("SEARCH RETURN (SAVE) ALL")
        one.ok("SELECT INBOX")
        equal(one.search("$"), [], "2.1: and so does SELECT")


def changes(result, tag):
    return [(name, value[name]) for value in (r.value for r in result.untagged if r.kind == "ESEARCH")
            for name in ("ADDTO", "REMOVEFROM") if name in value and value["TAG"] == tag]


def test_context(suite):
    """RFC 5267 4.3: ADDTO and REMOVEFROM, whoever changed the messages"""
    with user(suite, "context") as one, user(suite, "context") as two:
        fill(one, 4)
        two.ok("SELECT INBOX")
        tag = one.ok("UID SEARCH RETURN (UPDATE ALL) UNFLAGGED").one("ESEARCH")["TAG"]
        two.ok("STORE 2:3 +FLAGS.SILENT (\\Flagged)")
        equal(changes(one.ok("NOOP"), tag), [("REMOVEFROM", "(0 2:3)")], "flags of another session")
        equal(changes(one.ok("STORE 3 -FLAGS.SILENT (\\Flagged)"), tag), [("ADDTO", "(0 3)")], "own flags")
        append(two, b"Subject: new\r\n\r\nx\r\n")
        result = one.ok("NOOP")
        equal(changes(result, tag), [("ADDTO", "(0 5)")], "a new message")
        kinds = [r.kind for r in result.untagged]
        check(kinds.index("EXISTS") < kinds.index("ESEARCH"), f"4.3.1: not before EXISTS: {kinds}")
        two.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
        two.ok("EXPUNGE")
        result = one.ok("NOOP")
        equal(changes(result, tag), [("REMOVEFROM", "(0 1)")], "an expunge")
        one.ok(f'CANCELUPDATE "{tag}"')
        two.ok("STORE 1:* +FLAGS.SILENT (\\Flagged)")
        equal(changes(one.ok("NOOP"), tag), [], "4.3.4: cancelled")
        one.bad(f'CANCELUPDATE "{tag}"')
        result = one.ok("SEARCH RETURN (UPDATE COUNT) 1:2")
        check(any(r.code == "NOUPDATE" for r in result.untagged), f"4.3.2: {result.untagged}")


def part(charset, text, coding="base64"):
    return (f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n"
            .encode() + (base64.encodebytes(text.encode(charset)).replace(b"\n", b"\r\n") if coding == "base64"
                         else text.encode(charset) + b"\r\n"))


# charset, coding, text
TEXTS = [("utf-8", "base64", "Die Straße nach Ürümqi"), ("iso-2022-jp", "7bit", "来週の会議について"),
         ("shift_jis", "8bit", "来週の会議について"), ("euc-jp", "8bit", "来週の会議について"), ("gb18030", "8bit", "下周的会议"),
         ("koi8-r", "8bit", "ПРИВЕТ мир"), ("utf-7", "7bit", "Привет"), ("utf-16", "base64", "привет"),
         ("iso-8859-9", "8bit", "DIŞI ve dışı"), ("iso-8859-7", "8bit", "ΟΔΟΣ"), ("utf-8", "8bit", "ｆｕｌｌ ｗｉｄｔｈ")]


def test_objects(suite):
    """RFC 8474 5.1, 5.2, 6"""
    with user(suite, "objects") as one:
        for name, more in (("first", ""), ("answer", "References: <first@x>\r\n"), ("other", "")):
            append(one, f"Message-ID: <{name}@x>\r\n{more}Subject: {name}\r\n\r\nbody\r\n".encode())
        append(one, b"Subject: nameless\r\n\r\nbody\r\n")
        one.ok("SELECT INBOX")
        one.ok("COPY 1 Archive")
        emails, threads = ([one.fetch(f"{n} {item}") for n in range(1, 5)] for item in ("EMAILID", "THREADID"))
        equal(len(set(emails)), 4, f"each message has its own: {emails}")
        equal([threads.index(thread) for thread in threads], [0, 0, 2, 3], "answers are in the thread of the first")
        for number, email in enumerate(emails, 1):
            equal(one.search(f"EMAILID {email}"), [number], "the message of that EMAILID")
        equal(one.search(f"THREADID {threads[0]}"), [1, 2], "the messages of a thread")
        equal(one.search(f"THREADID {threads[3]}"), [4], "a message without a name is a thread of its own")
        equal(one.search(f"NOT THREADID {threads[0]} NOT EMAILID {emails[2]}"), [4], "NOT")
        equal(one.search(f"OR EMAILID {emails[3]} THREADID {threads[0]}"), [1, 2, 4], "OR")
        equal(one.ok(f"SORT (REVERSE SUBJECT) UTF-8 THREADID {threads[0]}").one("SORT"), [1, 2], "SORT")
        for nothing in (threads[0], emails[0].upper() + "0", "x", "_-", "9" * 255):
            equal(one.search(f"EMAILID {nothing}"), [], "an EMAILID that is not here")
        for wrong in ("", "()", "a.b", '"a b"', "9" * 256):
            one.bad(f"SEARCH EMAILID {wrong}")
            one.bad(f"SEARCH THREADID {wrong}")
        one.ok("SELECT Archive")
        equal(one.search(f"EMAILID {emails[0]}"), [1], "a copy has the EMAILID of its original")
        equal(one.search(f"THREADID {threads[1]}"), [1], "and its thread")
    with user(suite, "none") as one:
        fill(one, 1)
        check("OBJECTID" not in one.ok("CAPABILITY").one("CAPABILITY"), "OBJECTID is off for this account")
        one.bad("SEARCH EMAILID x")
        one.bad("SEARCH OR SEEN NOT THREADID x")
        equal(one.search("ALL"), [1], "the session goes on")


def test_text_of_any_charset(suite):
    """RFC 9051 6.4.4; RFC 5255 4.1: i;unicode-casemap; RFC 2047, RFC 2045"""
    with user(suite, "text") as one:
        for charset, coding, text in TEXTS:
            append(one, b"Subject: x\r\nMIME-Version: 1.0\r\n" + part(charset, text, coding))
        within = b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" \
            b"Content-Type: message/rfc822\r\n\r\nSubject: =?iso-2022-jp?B?" + \
            base64.b64encode("議事録".encode("iso-2022-jp")) + b"?=\r\n" + part("utf-8", "ÄRGER") + b"\r\n--b--\r\n"
        append(one, within)
        # From before MIME, and from programs that know none of it.
        for header in (b"", b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"):
            append(one, b"Subject: x\r\n" + header + b"\r\n" + "無題の通知".encode("iso-2022-jp") + b"\r\n")
        one.ok("SELECT INBOX")
        for wanted, numbers in (("STRASSE", [1]), ("straße NACH ü", [1]), ("会議", [2, 3, 4]), ("会议", [5]),
                                ("привет", [6, 7, 8]), ("МИР", [6]), ("dişi", [9]), ("οδος", [10]), ("full WIDTH", [11]),
                                ("ärger", [12]), ("議事録", [12]), ("無題の", [13, 14]), ("nirgends", [])):
            for key in ("BODY", "TEXT"):
                found = one.ok(f"SEARCH CHARSET UTF-8 {key} ", Unwaited(wanted.encode())).one("SEARCH")
                equal(found, numbers, f"{key} {wanted}")
        found = one.ok("SEARCH CHARSET ISO-2022-JP BODY ", Unwaited("会議".encode("iso-2022-jp"))).one("SEARCH")
        equal(found, [2, 3, 4], "the charset of the command")
        detail = one.no("BADCHARSET", "SEARCH CHARSET x-none BODY a").done.detail
        check("UTF-8" in str(detail), f"RFC 9051 7.1: the charsets that are known: {detail}")


def test_random_words(suite):
    """Every message with the word, and no other, whatever it is encoded in"""
    dice = random.Random(4)
    letters = "abcXYZéÉßжЖ本語ｱ１"
    with user(suite, "random") as one:
        texts = []
        for _ in range(60):
            text = " ".join("".join(dice.choice(letters) for _ in range(dice.randint(1, 4))) for _ in range(30))
            texts.append(text)
            append(one, b"Subject: r\r\n" + part("utf-8", text, dice.choice(["base64", "8bit"])))
        one.ok("SELECT INBOX")
        for _ in range(40):
            start = dice.randrange(len(texts[0]) - 3)
            wanted = dice.choice(texts)[start:start + dice.randint(2, 3)].strip() or "a"
            found = one.ok("SEARCH CHARSET UTF-8 BODY ", Unwaited(wanted.swapcase().encode())).one("SEARCH")
            exact = [n + 1 for n, text in enumerate(texts) if wanted in text]
            check(set(exact) <= set(found), f"{wanted}: {exact} not all in {found}")


def test_bad_input(suite):
    """Nonsense is BAD, and the session goes on; monsters cost little"""
    with user(suite, "bad") as one:
        parts = b"".join(b"--b\r\n\r\n\r\n" for _ in range(20000))
        append(one, b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts)
        append(one, b"X: =?utf-8?q?" + b"=C3=A9" * 100000 + b"?=\r\n" * 20 + b"\r\nx\r\n")
        one.ok("SELECT INBOX")
        equal(one.search("TEXT nothing"), [], "monsters")
        for command in ("SEARCH RETURN ALL", "SEARCH RETURN (PARTIAL 0:1) ALL", "SEARCH RETURN (PARTIAL 1:-1) ALL",
                        "SEARCH RETURN (ALL PARTIAL 1:2) ALL", "SEARCH $,1", "SEARCH OLDER 0", "SEARCH SAVEDON x",
                        "FETCH 1 UID (PARTIAL 1:2)", "UID FETCH 1 UID (PARTIAL 1)", "CANCELUPDATE x", "CANCELUPDATE"):
            one.bad(command)
        one.ok("NOOP")
