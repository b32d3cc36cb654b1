"""What goes in and out of a mailbox in bytes: COMPRESS, APPEND in all its forms, REPLACE, BINARY, PREVIEW,
FETCH of everything that senders come up with."""

import contextlib
import datetime
import email
import os
import re
import subprocess
import threading
import time

import corpus
from imapsession import Compressed, Imap, Literal, Unwaited
from suite import check, equal, wait_until

SMALL = b"From: <a@example.org>\r\nSubject: small\r\n\r\none\r\ntwo\r\n"
BINARY = bytes(range(256)) * 40
LIMIT = 104857600  # of any account


def prepare(suite):
    suite.add_domain("example.jp", "compress", "multi", "binary", "utf8", "replace", "preview", "fetch", "bombs",
                     "full", "limit")
    suite.control("plans/small", "quota 1\n")
    suite.add_domain("small.jp", "replace", plan="small")
    suite.rebuild()
    suite.start()


def user(suite, name):
    return Imap(suite, f"{name}@example.jp")


def append(session, message, folder="INBOX"):
    return int(session.ok(f"APPEND {folder} ", Unwaited(message)).code("APPENDUID")[1])


def count(session, folder="INBOX"):
    return session.ok(f"STATUS {folder} (MESSAGES)").one("STATUS")[1]["MESSAGES"]


def last(session, item):
    """The last message's item."""
    return session.fetch(f"{count(session)} {item}")


def literal8(data):
    """An argument ~{n+}, sent at once."""
    return b"~{%d+}\r\n" % len(data) + data


def mixed(*parts):
    return b"Subject: mixed\r\nMIME-Version: 1.0\r\n" + corpus.multipart("mixed", "b", *parts)


# ---- COMPRESS ------------------------------------------------------------------------------------
def test_compress(suite):
    """RFC 4978 3, 4: from the tagged OK on, both ways; once only; nothing else than DEFLATE"""
    messages = [m if isinstance(m, bytes) else m[1] for m in corpus.messages(60)]
    with Imap(suite) as one:
        one.bad("COMPRESS DEFLATE")
    with Compressed(suite, "compress@example.jp") as one:
        check("COMPRESS=DEFLATE" in one.ok("CAPABILITY").one("CAPABILITY"), "announced")
        one.bad("COMPRESS GZIP")
        one.bad("COMPRESS")
        one.bad("COMPRESS DEFLATE x")
        one.compress()
        one.no("COMPRESSIONACTIVE", "COMPRESS DEFLATE")
        for message in messages:
            append(one, message)
        one.ok("SELECT INBOX")
        before = one.wire_in
        fetched = one.ok("FETCH 1:* (FLAGS BODY.PEEK[])").fetched()
        for number, message in enumerate(messages, 1):
            equal(fetched[number]["BODY[]"], message, f"message {number}")
        size = sum(map(len, messages))
        check(one.wire_in - before < 0.85 * size, f"{size} bytes in {one.wire_in - before}")
        one.bad("NONSENSE")
        one.ok("NOOP")


def test_compressed_idle(suite):
    """RFC 4978 4: answers are flushed; RFC 2177: so is news; a session that gave its memory back goes on"""
    with Compressed(suite, "compress@example.jp") as one, user(suite, "compress") as other:
        one.ok("SELECT INBOX")
        one.compress()
        for _ in range(3):
            one.send("i IDLE\r\n")
            equal(one.response().tag, "+", "idling")
            append(other, SMALL)
            equal(one.response().kind, "EXISTS", "news")
            equal(one.response().kind, "RECENT", "news")
            one.send("DONE\r\n")
            equal(one.response()[:2], ("i", "OK"), "IDLE")
        time.sleep(2.5)  # IMAPSESSION_REST_MS
        equal(last(one, "BODY.PEEK[]"), SMALL, "after a rest")
        one.send("p1 NOOP\r\np2 FETCH 1 UID\r\np3 NOOP\r\n")
        equal([one.response().tag for _ in range(4)], ["p1", "*", "p2", "p3"], "pipelined")


def test_compressed_nonsense_ends_only_its_session(suite):
    """RFC 1951: what is no DEFLATE can't be answered; a bomb is lines that are too long"""
    with Compressed(suite, "compress@example.jp") as one:
        one.compress()
        one.plain.sendall(b"\xff" * 1000)
        equal(one.plain.recv(100), b"", "closed")
    with Compressed(suite, "compress@example.jp") as one:
        one.compress()
        one.send(b"\0" * 50_000_000 + b"\r\n")  # 50 KB on the wire
        equal(one.response().kind, "BAD", "a line of 50 MB")
        one.ok("NOOP")


# ---- APPEND --------------------------------------------------------------------------------------
def test_multiappend(suite):
    """RFC 3502 6.3.11; RFC 4315 3: one set of UIDs"""
    first = b"Subject: 1\r\n\r\n1\r\n"
    with user(suite, "multi") as one:
        result = one.ok("APPEND INBOX (\\Seen) ", Unwaited(first), ' (\\Flagged $x) " 1-Feb-2020 10:00:00 +0000" ',
                        Literal(SMALL), " ", Unwaited(first))
        equal(result.code("APPENDUID")[1], "1:3", "APPENDUID")
        one.ok("SELECT INBOX")
        fetched = one.ok("FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])").fetched()
        equal([fetched[n]["BODY[]"] for n in (1, 2, 3)], [first, SMALL, first], "bodies")
        equal([sorted(set(fetched[n]["FLAGS"]) - {"\\Recent"}) for n in (1, 2, 3)],
              [["\\Seen"], ["$x", "\\Flagged"], []], "flags")
        equal(fetched[2]["INTERNALDATE"], " 1-Feb-2020 10:00:00 +0000", "date")
        many = [part for n in range(250) for part in (" ", Unwaited(b"Subject: %d\r\n\r\n" % n))]
        equal(one.ok("APPEND INBOX", *many).code("APPENDUID")[1], "4:253", "250 at once")


def test_multiappend_is_all_or_nothing(suite):
    """RFC 3502 6.3.11: no partial appending; RFC 7889 4, 5530: why"""
    with user(suite, "multi") as one:
        before = count(one)
        one.bad("APPEND INBOX ", Unwaited(SMALL), " (\\Bogus) ", Unwaited(SMALL))
        one.bad("APPEND INBOX ", Unwaited(SMALL), " (\\Seen", Unwaited(SMALL))
        one.bad("APPEND INBOX ", Unwaited(SMALL), Unwaited(SMALL))
        one.bad("APPEND INBOX ", Unwaited(SMALL), " x")
        one.no("CANNOT", "APPEND INBOX ", Unwaited(SMALL), " ", Unwaited(b"a\0b"), " ", Unwaited(SMALL))
        one.no("CANNOT", "APPEND INBOX ", Unwaited(SMALL), " ", Literal(b""))
        one.no("CANNOT", "APPEND INBOX ", Unwaited(SMALL), " ", Unwaited(b""))
        one.no("TRYCREATE", "APPEND none ", Unwaited(SMALL), " ", Unwaited(SMALL))
        one.no("LIMIT", "APPEND INBOX",
               *[part for _ in range(251) for part in (" ", Unwaited(SMALL))])
        one.send(f"big APPEND INBOX {{{len(SMALL)}+}}\r\n".encode() + SMALL + b" {%d}\r\n" % (LIMIT + 1))
        equal(one.response()[1::3], ("NO", "TOOBIG"), "a second one that is too large")
        equal(count(one), before, "messages")


def test_appendlimit(suite):
    """RFC 7889 2, 4: announced; a literal beyond it is dropped, and the session goes on"""
    with user(suite, "limit") as one:
        limit = next(int(word[12:]) for word in one.ok("CAPABILITY").one("CAPABILITY")
                     if word.startswith("APPENDLIMIT="))
        one.send(b"a APPEND INBOX {%d}\r\n" % (limit + 1))
        equal(one.response()[1::3], ("NO", "TOOBIG"), "asked first")
        one.send(b"b APPEND INBOX {%d+}\r\n" % (limit + 1))
        for _ in range(limit // 1024):
            one.send(b"x" * 1024)
        one.send(b"x" * (limit % 1024 + 1) + b"\r\nc NOOP\r\n")
        equal(one.response()[:2], ("b", "NO"), "unasked")
        equal(one.response()[:2], ("c", "OK"), "and on")
        equal(count(one), 0, "messages")


def test_full_disk(suite):
    """RFC 3501 6.3.11: the mailbox is as before; RFC 5530: why; the session goes on"""
    maildir = suite.path("mail", "example.jp", "full", "Maildir")
    with user(suite, "full") as one:
        append(one, SMALL)
        owner = os.stat(maildir)
        with contextlib.ExitStack() as after:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=1m,mode=700,uid={owner.st_uid},gid={owner.st_gid}",
                            "tmpfs", f"{maildir}/tmp"], check=True)
            after.callback(subprocess.run, ["umount", f"{maildir}/tmp"], check=True)
            one.no("OVERQUOTA", "APPEND INBOX ", Unwaited(SMALL + b"x" * 3_000_000))
            one.no("OVERQUOTA", "APPEND INBOX ", Unwaited(SMALL), " ", Unwaited(SMALL + b"x" * 3_000_000))
            equal(os.listdir(f"{maildir}/tmp"), [], "nothing is left")
        one.ok("SELECT INBOX")
        equal(count(one), 1, "messages")
        append(one, SMALL)


# ---- BINARY --------------------------------------------------------------------------------------
def test_binary(suite):
    """RFC 3516 4.2, 4.3; RFC 9051 6.4.5: decoded parts, their sizes, parts of them"""
    text = "Grüße, \0 und mehr\r\n".encode()
    message = mixed(corpus.part("application/octet-stream", corpus.b64(BINARY), "Content-Transfer-Encoding: base64"),
                    corpus.part("text/plain; charset=utf-8", b"Gr=C3=BC=C3=9Fe,=\r\n =00 und mehr\r\n",
                                "Content-Transfer-Encoding: quoted-printable"),
                    corpus.part("text/plain", b"plain"),
                    corpus.part("text/plain", b"begin 644 x", "Content-Transfer-Encoding: x-uuencode"),
                    corpus.part("message/rfc822", SMALL))
    with user(suite, "binary") as one:
        append(one, message)
        one.ok("SELECT INBOX")
        equal(one.fetch("1 BINARY.PEEK[1]"), BINARY, "base64")
        equal(one.fetch("1 BINARY.SIZE[1]"), len(BINARY), "its size")
        equal(one.fetch("1 BINARY.PEEK[2]"), text, "quoted-printable")
        equal(one.fetch("1 BINARY.PEEK[1]<250.10>"), BINARY[250:260], "of it")
        equal(one.fetch("1 BINARY.PEEK[1]<99999.10>"), b"", "beyond it")
        equal(one.fetch("1 BINARY.PEEK[3]"), b"plain", "nothing to decode")
        equal(one.fetch("1 BINARY.PEEK[5]"), SMALL, "a message")
        equal(one.fetch("1 BINARY.PEEK[5.1]"), b"one\r\ntwo\r\n", "its body")
        equal(one.fetch("1 BINARY.PEEK[]"), message, "all")
        equal(one.fetch("1 BINARY.SIZE[]"), len(message), "its size")
        equal(one.fetch("1 BINARY.PEEK[6]"), None, "no such part")
        one.no("UNKNOWN-CTE", "FETCH 1 BINARY.PEEK[4]")
        one.no("UNKNOWN-CTE", "FETCH 1 BINARY.SIZE[4]")
        check("\\Seen" not in one.ok("FETCH 1 FLAGS").fetched()[1]["FLAGS"], "PEEK")
        items = one.ok("FETCH 1 (BINARY[3] BINARY.SIZE[2])").fetched()[1]
        equal((items["BINARY[3]"], items["BINARY.SIZE[2]"]), (b"plain", len(text)), "both")
        check("\\Seen" in items["FLAGS"], "BINARY sets it")
        for wrong in ("BINARY", "BINARY.SIZE", "BINARY[TEXT]", "BINARY[1.MIME]", "BINARY.SIZE[1]<0.1>", "BINARY[1]<0.0>",
                      "BINARY.PEEK[HEADER]", "BINARY[0]"):
            one.bad(f"FETCH 1 {wrong}")


def test_append_literal8(suite):
    """RFC 3516 4.4: content with NULs and bare LFs comes in, and each part decodes to what was sent"""
    binary = mixed(corpus.part("text/plain", b"text"),
                   corpus.part("application/octet-stream", BINARY + b"\n\n\0", "Content-Transfer-Encoding: binary"))
    with user(suite, "binary") as one:
        one.ok("SELECT INBOX")
        for data in (SMALL, binary):
            uid = int(one.ok("APPEND INBOX ", literal8(data)).code("APPENDUID")[1])
        equal(one.fetch(f"{uid - 1} BODY.PEEK[]"), SMALL, "what is no binary stays as it is")
        equal(one.fetch(f"{uid} BINARY.PEEK[2]"), BINARY + b"\n\n\0", "binary")
        equal(one.fetch(f"{uid} BINARY.PEEK[1]"), b"text", "text")
        stored = one.fetch(f"{uid} BODY.PEEK[]")
        check(b"\0" not in stored and stored.count(b"\n") == stored.count(b"\r\n"), "in wire form")
        equal(email.message_from_bytes(stored).get_payload(1).get_payload(decode=True), BINARY + b"\n\n\0", "to others")
        one.send(b"w APPEND INBOX ~{%d}\r\n" % len(SMALL))
        equal(one.response().tag, "+", "one that waits")
        one.send(SMALL + b"\r\n")
        answers = [one.response() for _ in range(3)]
        equal([answer[:2] for answer in answers], [("*", "EXISTS"), ("*", "RECENT"), ("w", "OK")], "taken")


def test_append_utf8(suite):
    """RFC 6855 4"""
    message = "From: 山田 <山田@example.jp>\r\nSubject: 件名\r\n\r\n本文\r\n".encode()
    with user(suite, "utf8") as one:
        equal(one.ok("ENABLE UTF8=ACCEPT").one("ENABLED"), ["UTF8=ACCEPT"], "ENABLED")
        result = one.ok(b"APPEND INBOX (\\Seen) UTF8 (", literal8(message), b")")
        equal(result.code("APPENDUID")[1], "1", "UID")
        result = one.ok(b"APPEND INBOX UTF8 (", literal8(message), b") (\\Seen) UTF8 (", literal8(SMALL), b")")
        equal(result.code("APPENDUID")[1], "2:3", "two")
        one.bad(b"APPEND INBOX UTF8 (", literal8(message))
        one.bad(b"APPEND INBOX UTF8 (", literal8(message), b"))")
        one.bad(b"APPEND INBOX UTF8 ", literal8(message))
        one.bad("APPEND INBOX UTF8 (", Unwaited(message), ")")
        one.ok("SELECT INBOX")
        equal(one.fetch("1 BODY.PEEK[]"), message, "as it was sent")
        equal(one.search('SUBJECT "件名"'.encode()), [1, 2], "found")
        for charset in ("UTF-8", "US-ASCII", "x-none"):  # RFC 6855 3
            one.bad(f"SEARCH CHARSET {charset} ALL")
            one.bad(f"ESEARCH IN (selected) CHARSET {charset} ALL")
        equal(one.ok("SORT (SUBJECT) UTF-8 UID 1").one("SORT"), [1], "SORT has to name one")


# ---- REPLACE -------------------------------------------------------------------------------------
def test_replace(suite):
    """RFC 8508 3.1-3.5: the new message, APPENDUID in an untagged line, the old one expunged"""
    with user(suite, "replace") as one:
        one.bad("REPLACE 1 INBOX ", Unwaited(SMALL))
        for number in range(4):
            append(one, b"Subject: %d\r\n\r\n" % number)
        one.ok("SELECT INBOX")
        one.ok("STORE 3 +FLAGS (\\Deleted)")
        result = one.ok("REPLACE 2 INBOX (\\Draft) ", Literal(SMALL))
        equal([(line.kind, line.code) for line in result.untagged if line.code], [("OK", "APPENDUID")], "untagged")
        equal(result.code("APPENDUID")[1], "5", "new UID")
        equal(result.numbers("EXPUNGE"), [2], "the old one alone")
        equal(result.numbers("EXISTS"), [4], "EXISTS")
        equal([line[1]["UID"] for line in sorted(one.ok("FETCH 1:* UID").fetched().items())], [1, 3, 4, 5], "UIDs")
        result = one.ok("UID REPLACE 4 Drafts ", Unwaited(SMALL))
        equal((result.numbers("EXPUNGE"), count(one, "Drafts")), ([3], 1), "into another mailbox")
        result = one.ok("REPLACE * INBOX ", Unwaited(SMALL))
        equal((result.numbers("EXPUNGE"), result.code("APPENDUID")[1]), ([3], "6"), "the last one")
        one.bad("REPLACE 9 INBOX ", Unwaited(SMALL))
        one.bad("UID REPLACE 2 INBOX ", Unwaited(SMALL))
        one.bad("REPLACE 1:2 INBOX ", Unwaited(SMALL))
        one.bad("REPLACE 1 INBOX")
        one.bad("REPLACE 0 INBOX ", Unwaited(SMALL))
        one.bad("REPLACE 1 INBOX ", Unwaited(SMALL), " ", Unwaited(SMALL))
        one.no("TRYCREATE", "REPLACE 1 none ", Literal(SMALL))
        one.no("CANNOT", "REPLACE 1 INBOX ", Unwaited(b"a\0"))
        equal(count(one), 3, "no message was lost or made")
        one.ok("EXAMINE INBOX")
        one.no("READ-ONLY", "REPLACE 1 INBOX ", Literal(SMALL))


def test_replace_counts_as_uid_expunge(suite):
    """RFC 8508 4.5, RFC 7162 3.2.9: VANISHED, and the highest mod-sequence in the tagged answer"""
    with user(suite, "replace") as one:
        one.ok("ENABLE QRESYNC")
        before = one.ok("SELECT INBOX").code("HIGHESTMODSEQ")
        for folder in ("INBOX", "Drafts"):
            result = one.ok(f"REPLACE 1 {folder} ", Unwaited(SMALL))
            equal(([line.code for line in result.untagged if line.code], len(result.all("VANISHED"))), (["APPENDUID"], 1), folder)
            equal(result.done.code, "HIGHESTMODSEQ", folder)
            check(int(result.done.detail) > int(before), f"{before} {result}")
            before = result.done.detail


def test_replace_in_a_full_box(suite):
    """RFC 8508 3.4: only what comes to more than the old message counts"""
    def sized(size):
        return SMALL + b"x" * 98 + b"\r\n" + b"y" * (size - len(SMALL) - 100)

    with Imap(suite, "replace@small.jp") as one:
        append(one, sized(600_000))
        one.ok("SELECT INBOX")
        one.no("OVERQUOTA", "APPEND INBOX ", Unwaited(sized(700_000)))
        one.no("OVERQUOTA", "REPLACE 1 INBOX ", Unwaited(sized(1_200_000)))
        one.ok("REPLACE 1 INBOX ", Unwaited(sized(900_000)))
        one.ok("REPLACE 1 Drafts ", Unwaited(sized(800_000)))
        one.no("OVERQUOTA", "APPEND INBOX ", Unwaited(sized(700_000)))


# ---- PREVIEW -------------------------------------------------------------------------------------
def test_preview(suite):
    """RFC 8970 3, 4: at most 200 characters of text, in UTF-8, whatever the message is written in"""
    japanese = "お世話になっております。山田です。"
    cases = [
        (b"Subject: x\r\n\r\nHello,\r\n\r\n   this  is\ta test.\r\n", "Hello, this is a test."),
        (b"Subject: x\r\n" + corpus.text_in("iso-2022-jp", corpus.JAPANESE, "7bit"), japanese),
        (b"Subject: x\r\n" + corpus.text_in("shift_jis", corpus.JAPANESE, "base64"), japanese),
        (b"Subject: x\r\n\r\n" + corpus.JAPANESE.encode("iso-2022-jp"), japanese),
        (b"Subject: x\r\n" + corpus.part("text/plain", corpus.JAPANESE.encode("iso-2022-jp")), japanese),
        (b"Subject: x\r\n" + corpus.text_in("iso-8859-1", corpus.LATIN, "quoted-printable"), corpus.LATIN.strip()),
        (b"Subject: x\r\n" + corpus.part("text/html", b"<html><head><title>T</title><style>p {}</style></head>"
                                         b"<body><p>One &amp; two<br>three</p><!-- no --></body></html>"),
         "One & two three"),
        (mixed(corpus.part("image/png", b"xx", "Content-Disposition: inline"), corpus.part("text/plain", b"below")),
         "below"),
        (mixed(corpus.part("text/plain", b"attached", "Content-Disposition: attachment; filename=x"),
               corpus.part("text/plain", b"the text")), "the text"),
        (b"Subject: x\r\n\r\n> what you said\r\n> before\r\nmy answer\r\n-- \r\nsignature\r\n", "my answer"),
        (b"Subject: x\r\n\r\n> all quoted\r\n", "> all quoted"),
        (b"Subject: x\r\n\r\n" + b"word " * 100, ("word " * 40).strip()),
        (b"Subject: x\r\n" + corpus.part("application/pdf", b"%PDF"), ""),
        (b"Subject: empty\r\n\r\n", ""),
    ]
    with user(suite, "preview") as one:
        for message, _ in cases:
            append(one, message)
        one.ok("SELECT INBOX")
        lazy = one.ok("FETCH 1:* (PREVIEW (LAZY) UID)").fetched()
        for number, (_, wanted) in enumerate(cases, 1):
            got = one.fetch(f"{number} PREVIEW").decode()
            check(got.startswith(wanted) and len(got) <= 200, f"{number}: {got!r}")
            check(got == wanted or len(got) > 30, f"{number}: {got!r}")
            equal(lazy[number]["PREVIEW"].decode(), got, "LAZY")
        for wrong in ("PREVIEW (EAGER)", "PREVIEW ()", "(PREVIEW (LAZY)", "PREVIEW[1]"):
            one.bad(f"FETCH 1 {wrong}")
        check("\\Seen" not in one.ok("FETCH 1 FLAGS").fetched()[1]["FLAGS"], "not read")


# ---- FETCH ---------------------------------------------------------------------------------------
def test_partial_fetches(suite):
    """RFC 3501 6.4.5, RFC 9051 6.4.5: from any place, beyond the end, of messages of any size"""
    large = SMALL + b"0123456789abcde\r\n" * 50_000
    with user(suite, "fetch") as one:
        for message in (SMALL, large):
            append(one, message)
        one.ok("SELECT INBOX")
        for number, message in ((1, SMALL), (2, large)):
            for offset, size in ((0, 1), (3, 7), (len(message) - 1, 5), (len(message), 5), (len(message) + 9, 5),
                                 (0, 4294967295), (4294967295, 1), (1, len(message))):
                equal(one.fetch(f"{number} BODY.PEEK[]<{offset}.{size}>"), message[offset:offset + size],
                      f"{offset}.{size}")
                text = message[len(SMALL) - 10:]
                equal(one.fetch(f"{number} BODY.PEEK[TEXT]<{offset}.{size}>"), text[offset:offset + size], "TEXT")
            equal(one.fetch(f"{number} RFC822"), message, "RFC822")
        for wrong in ("BODY[]<0.0>", "BODY[]<0>", "BODY[]<.1>", "BODY[]<0.9223372036854775808>", "BODY[]<-1.1>", "BODY[]<0.1"):
            one.bad(f"FETCH 1 {wrong}")


def test_save_date(suite):
    """RFC 8514 4.1-4.3: when a message came into this mailbox, whatever its INTERNALDATE; SEARCH by it"""
    with user(suite, "fetch") as one:
        one.ok("CREATE saved")
        one.ok('APPEND saved " 1-Feb-2020 10:00:00 +0000" ', Unwaited(SMALL))
        one.ok("SELECT saved")
        items = one.ok("FETCH 1 (SAVEDATE INTERNALDATE)").fetched()[1]
        equal(items["INTERNALDATE"], " 1-Feb-2020 10:00:00 +0000", "INTERNALDATE")
        saved = datetime.datetime.strptime(items["SAVEDATE"].strip(), "%d-%b-%Y %H:%M:%S %z").timestamp()
        check(abs(saved - time.time()) < 60, items["SAVEDATE"])
        equal((one.search("SAVEDSINCE 1-Jan-2021"), one.search("SAVEDBEFORE 1-Jan-2021"),
               one.search("SAVEDATESUPPORTED")), ([1], [], [1]), "SEARCH")


def test_header_fields(suite):
    """RFC 3501 6.4.5: a thousand names, in every depth"""
    inner = b"Subject: inner\r\nX-1: a\r\n\r\nbody\r\n"
    message = mixed(corpus.part("text/plain", b"x"), corpus.part("message/rfc822", mixed(
        corpus.part("text/plain", b"y"), corpus.part("message/rfc822", inner))))
    with user(suite, "fetch") as one:
        append(one, message)
        one.ok("SELECT INBOX")
        equal(last(one, "BODY.PEEK[2.2.HEADER.FIELDS.NOT (x-1)]"), b"Subject: inner\r\n\r\n", "NOT")
        equal(last(one, "BODY.PEEK[2.2.HEADER.FIELDS (x-1)]"), b"X-1: a\r\n\r\n", "FIELDS")
        equal(last(one, "BODY.PEEK[2.HEADER.FIELDS.NOT (subject mime-version)]"),
              b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n', "one up")
        equal(last(one, "BODY.PEEK[1.HEADER.FIELDS (subject)]"), None, "no message there")
        names = " ".join(f"X-{n}" for n in range(1000))
        equal(last(one, f"BODY.PEEK[2.2.HEADER.FIELDS ({names})]"), b"X-1: a\r\n\r\n", "a thousand names")
        equal(last(one, f"BODY.PEEK[2.2.HEADER.FIELDS.NOT ({names})]"), b"Subject: inner\r\n\r\n", "not these")


def put(suite, name, number, data):
    """A file in the Maildir, as another program would leave it there."""
    folder = suite.path("mail", "example.jp", name, "Maildir", "new")
    path = f"{folder}/1700000000.M{number}P1.host"
    with open(path, "wb") as file:
        file.write(data)
    owner = os.stat(folder)
    os.chown(path, owner.st_uid, owner.st_gid)
    return path


def bombs():
    """name -> message that costs a naive server minutes or gigabytes"""
    nested = SMALL
    for _ in range(2000):
        nested = b"Content-Type: message/rfc822\r\n\r\n" + nested
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000))
    return {
        "100,000 parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000 + b"--b--\r\n",
        "2,000 messages within each other": nested,
        "3,000 multiparts within each other": deep,
        "a header of 10 MB": b"Subject: x\r\n" + b"X-Filler: " + b"y" * 10_000_000 + b"\r\n\r\nbody\r\n",
        "300,000 fields": b"".join(b"To: <u%d@example.org>\r\n" % n for n in range(300_000)) + b"\r\nbody\r\n",
        "a million addresses": b"To: " + b"a@b," * 1_000_000 + b"\r\n\r\nbody\r\n",
        "200,000 parameters": b"Content-Type: text/plain" + b"; a*0*=x" * 200_000 + b"\r\n\r\nbody\r\n",
        "dates of nonsense": b"Date: Sat, 99 Nov 99999 99:99:99 +9999\r\n\r\nbody\r\n",
        "one line of 8 MB": b"Subject: x\r\n\r\n" + b"z" * 8_000_000,
        "only a header": b"Subject: x\r\n",
        "nothing but NULs": b"\0" * 100_000,
        "HTML that never ends": b"Content-Type: text/html\r\n\r\n" + b"<a " * 1_000_000 + b"<style>" * 100_000,
        "comments in comments": b"From: " + b"(" * 500_000 + b"\r\n\r\n",
        "unknown everything": b"Content-Type: text/plain; charset=x-none\r\nContent-Transfer-Encoding: x\r\n\r\n\xff\xfe",
    }


def test_bombs(suite):
    """Bounded time and memory for every item of FETCH, and the session goes on"""
    made = bombs()
    with user(suite, "bombs") as one:
        for number, data in enumerate(made.values()):
            put(suite, "bombs", number, data)
        one.ok("SELECT INBOX")
        wait_until(lambda: one.ok("NOOP") and count(one) == len(made), "all are there")
        for number, name in enumerate(made, 1):
            for item in ("ENVELOPE", "BODYSTRUCTURE", "BODY", "PREVIEW", "BODY.PEEK[HEADER]", "BODY.PEEK[1]",
                         "BODY.PEEK[HEADER.FIELDS (Subject)]", "BODY.PEEK[1.1.1.1.1.1.1.1.MIME]", "BINARY.SIZE[1]",
                         "RFC822.SIZE", "BODY.PEEK[]"):
                start = time.monotonic()
                result = one.run(f"FETCH {number} {item}")
                took = time.monotonic() - start
                check(result.done.kind in ("OK", "NO"), f"{name}, {item}: {result.done}")
                check(took < 5, f"{name}, {item}: {took:.1f} s")
        pid = suite.sessions("imapd")[0][0]
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            peak = int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])
        check(peak < 200_000, f"{peak} KB at most")


def test_files_vanish(suite):
    """RFC 2180 4.1: a message that another program removed leaves no half line, and the session goes on"""
    with user(suite, "bombs") as one:
        one.ok("SELECT INBOX")
        before = one.ok("NOOP") and count(one)
        paths = [put(suite, "bombs", 900 + n, SMALL) for n in range(3)]
        wait_until(lambda: one.ok("NOOP") and count(one) == before + 3, "they are there")
        name = os.path.basename(paths[1]).split(",")[0]
        for folder in ("new", "cur"):
            for path in os.scandir(suite.path("mail", "example.jp", "bombs", "Maildir", folder)):
                if path.name.startswith(name):
                    os.remove(path.path)
        result = one.run(f"FETCH {before + 1}:{before + 3} (UID BODY.PEEK[] ENVELOPE)")
        check(result.done.kind in ("OK", "NO"), f"{result.done}")
        equal(sorted(set(result.fetched()) - {before + 2}), [before + 1, before + 3], "the others")
        one.ok("NOOP")


def test_two_read_while_one_removes(suite):
    """RFC 2180 4.1, under load: three sessions, no line that can't be parsed"""
    with user(suite, "fetch") as one:
        for _ in range(4):
            one.ok("APPEND INBOX", *[part for _ in range(100) for part in (" ", Unwaited(SMALL))])

    finished = []

    def read():
        with user(suite, "fetch") as session:
            session.ok("SELECT INBOX")
            for _ in range(10):
                result = session.run("FETCH 1:* (UID FLAGS BODY.PEEK[] ENVELOPE)")
                check(result.done.kind in ("OK", "NO"), f"{result.done}")
                for item in result.fetched().values():
                    check("BODY[]" not in item or item["BODY[]"], "a body")
                session.ok("NOOP")
                if not count(session):
                    break
        finished.append(True)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    with user(suite, "fetch") as one:
        one.ok("SELECT INBOX")
        while one.ok("NOOP") and count(one) > 10:
            one.ok("STORE 1:7 +FLAGS.SILENT (\\Deleted)")
            one.ok("EXPUNGE")
    for reader in readers:
        reader.join()
    equal(len(finished), len(readers), "readers that found nothing wrong")
