"""Mailboxes as names: lists, figures, uses, annotations, quota, and what happens to names in use.

Every line that the server says in these tests goes through lib/imapgrammar.py.
"""

import base64
import os
import re
import threading

from imapsession import Imap, Literal, Unwaited
from suite import check, equal

USERS = ["extended", "status", "uses", "adopted", "courier", "notes", "race", "selected", "names",
         "rev2", "quota", "full", "inbox"]
MESSAGE = b"From: <a@example.org>\r\nSubject: small\r\n\r\none\r\ntwo\r\n"
STANDARD = {"Archive", "Drafts", "Junk", "Sent", "Trash"}
JAPANESE = {"Sent": "送信済みアイテム", "Trash": "削除済みアイテム", "Drafts": "下書き", "Junk": "迷惑メール"}


def mutf7(text):
    """Modified UTF-7 (RFC 3501 5.1.3)"""
    def shifted(match):
        coded = base64.b64encode(match[0].encode("utf-16-be")).decode()
        return "&" + coded.rstrip("=").replace("/", ",") + "-"
    return re.sub("[^ -~]+", shifted, text.replace("&", "&-"))


def prepare(suite):
    suite.add_domain("example.jp", *USERS)
    suite.mailctl("user", "set", "quota@example.jp", "quota", "3")
    suite.start()


def user(suite, name):
    return Imap(suite, f"{name}@example.jp")


def listed(session, command, kind="LIST"):
    """name -> its attributes, of LIST or LSUB"""
    return {one.value[2]: set(one.value[0]) for one in session.ok(command).all(kind)}


def extended(session, command):
    """name -> (attributes, extended items)"""
    return {one.value[2]: (set(one.value[0]), one.value[3] if len(one.value) > 3 else {})
            for one in session.ok(command).all("LIST")}


def append(session, folder, message=MESSAGE, more=""):
    session.ok(f"APPEND {folder} {more}{' ' if more else ''}", Unwaited(message))


# ---- LIST ------------------------------------------------------------------------------------------
def test_selection_and_return_options(suite):
    """RFC 5258 3, 4, 5; RFC 9051 6.3.9"""
    with user(suite, "extended") as one:
        for name in ("fruit", "fruit/apple", "fruit/banana", "veg/leek"):
            one.ok(f"CREATE {name}")
        for name in ("fruit/banana", "veg/leek"):
            one.ok(f"SUBSCRIBE {name}")
        one.ok("CREATE gone")
        one.ok("SUBSCRIBE gone")
        one.ok("DELETE gone")
        plain = {name for name in listed(one, 'LIST "" *')}
        equal(plain, STANDARD | {"INBOX", "fruit", "fruit/apple", "fruit/banana", "veg", "veg/leek"}, "LIST")
        equal(listed(one, 'LIST (SUBSCRIBED) "" (fruit* veg* gone)'),
              {"fruit/banana": {r"\HasNoChildren", r"\Subscribed"},
               "veg/leek": {r"\HasNoChildren", r"\Subscribed"},
               "gone": {r"\NonExistent", r"\HasNoChildren", r"\Subscribed"}}, "SUBSCRIBED")
        equal(listed(one, 'LIST "" fruit/% RETURN (SUBSCRIBED CHILDREN)'),
              {"fruit/apple": {r"\HasNoChildren"}, "fruit/banana": {r"\HasNoChildren", r"\Subscribed"}},
              "RETURN")
        equal(listed(one, 'LIST () "" veg RETURN ()'), {"veg": {r"\NonExistent", r"\HasChildren"}}, "NonExistent")
        equal(listed(one, 'LIST "" veg'), {"veg": {r"\Noselect", r"\HasChildren"}}, "as RFC 3501 has it")
        equal(listed(one, 'LIST (REMOTE) "" (INBOX veg)').keys(), {"INBOX", "veg"}, "REMOTE")
        equal(listed(one, 'LIST (SPECIAL-USE SUBSCRIBED) "" *').keys(), STANDARD, "both")
        one.ok("UNSUBSCRIBE Junk")
        equal(listed(one, 'LIST (SPECIAL-USE SUBSCRIBED) "" *').keys(), STANDARD - {"Junk"}, "both")
        equal(listed(one, 'LIST "" ("INBOX" "Dra%" {4+}\r\nSent)').keys(), {"INBOX", "Drafts", "Sent"}, "patterns")
        equal(listed(one, 'LIST (SUBSCRIBED) "" ""'), {}, "the empty name asks for nothing here")


def test_recursivematch_tells_childinfo(suite):
    """RFC 5258 3.1, 3.5, 5"""
    with user(suite, "extended") as one:
        one.ok("CREATE tree/a/b/c")
        one.ok("CREATE tree/x")
        one.ok("SUBSCRIBE tree/a/b/c")
        child = {"CHILDINFO": ["SUBSCRIBED"]}
        equal(extended(one, 'LIST (SUBSCRIBED RECURSIVEMATCH) "" tree/%'),
              {"tree/a": ({r"\NonExistent", r"\HasChildren"}, child)}, "what does not match is told of")
        equal(extended(one, 'LIST (RECURSIVEMATCH SUBSCRIBED) "" tree*'),
              {"tree": ({r"\NonExistent", r"\HasChildren"}, child),
               "tree/a": ({r"\NonExistent", r"\HasChildren"}, child),
               "tree/a/b": ({r"\NonExistent", r"\HasChildren"}, child),
               "tree/a/b/c": ({r"\HasNoChildren", r"\Subscribed"}, {})}, "all of it")
        one.ok(r"CREATE deep/er (USE ())")
        one.ok("RENAME Archive deep/er/Archive")
        equal(extended(one, 'LIST (SPECIAL-USE RECURSIVEMATCH) "" deep'),
              {"deep": ({r"\NonExistent", r"\HasChildren"}, {"CHILDINFO": ["SPECIAL-USE"]})}, "SPECIAL-USE")
        one.ok("RENAME deep/er/Archive Archive")
        one.ok("SUBSCRIBE tree/x")
        one.ok("DELETE tree/x")
        one.ok("DELETE tree/a/b/c")
        equal(extended(one, 'LIST (SUBSCRIBED RECURSIVEMATCH) "" tree'),
              {"tree": ({r"\NonExistent", r"\HasNoChildren"}, child)}, "only names are left")


def test_malformed_lists_are_bad(suite):
    """RFC 5258 3, 6"""
    with user(suite, "extended") as one:
        for command in ('LIST (RECURSIVEMATCH) "" *', 'LIST (RECURSIVEMATCH REMOTE) "" *',
                        'LIST (NONSENSE) "" *', 'LIST "" * RETURN (NONSENSE)', 'LIST "" * RETURN',
                        'LIST "" * RETURN SUBSCRIBED', 'LIST "" ()', 'LIST "" (a', 'LIST (SUBSCRIBED "" *',
                        'LIST (SUBSCRIBED ) "" *', 'LIST "" * RETURN (STATUS)', 'LIST "" * RETURN (STATUS ())',
                        'LIST "" * RETURN (STATUS (NONSENSE))', 'LIST "" (a  b)',
                        'LIST "" * RETURN (METADATA (nonsense))'):
            one.bad(command)
            one.ok("NOOP")
        one.bad('LIST "" (' + " ".join("x" * 65) + ")")


def test_list_with_status(suite):
    """RFC 5819 2, 3"""
    with user(suite, "status") as one:
        append(one, "INBOX")
        append(one, "Sent", more=r"(\Seen)")
        one.ok("CREATE far/away")
        found = one.ok('LIST "" (INBOX Sent far) RETURN (STATUS (MESSAGES UNSEEN))')
        equal([(r.kind, r.value[2] if r.kind == "LIST" else r.value) for r in found.untagged],
              [("LIST", "INBOX"), ("STATUS", ("INBOX", {"MESSAGES": 1, "UNSEEN": 1})), ("LIST", "Sent"),
               ("STATUS", ("Sent", {"MESSAGES": 1, "UNSEEN": 0})), ("LIST", "far")], "in turn, none for far")
        one.ok("SUBSCRIBE far/away")
        found = one.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" far% RETURN (STATUS (MESSAGES))')
        equal([r.kind for r in found.untagged], ["LIST"], "a parent alone has no STATUS")


def test_status_items(suite):
    """RFC 9051 6.3.11; RFC 8438 2; RFC 7889 4; RFC 9208 4.1.4"""
    with user(suite, "status") as one:
        for more in ("", r"(\Deleted)", r"(\Deleted \Seen)"):
            append(one, "Junk", more=more)
        status = one.ok("STATUS Junk (SIZE DELETED DELETED-STORAGE APPENDLIMIT MESSAGES)").one("STATUS")[1]
        limit = status.pop("APPENDLIMIT")
        check(f"APPENDLIMIT={limit}" in one.ok("CAPABILITY").one("CAPABILITY"), "APPENDLIMIT")
        equal(status, {"MESSAGES": 3, "DELETED": 2, "DELETED-STORAGE": 2 * len(MESSAGE),
                       "SIZE": 3 * len(MESSAGE)}, "STATUS")
        one.bad("STATUS Junk (SIZE )")
        one.bad("STATUS Junk (SIZE  DELETED)")


def test_lf_files_count_as_they_are_given_out(suite):
    """RFC 8438 2"""
    maildir = os.path.join(suite.path("mail/example.jp/status/Maildir"))
    with user(suite, "status") as one:
        one.ok("CREATE foreign")
        path = os.path.join(maildir, ".foreign/cur/1700000000.x.y:2,")
        with open(path, "wb") as file:
            file.write(MESSAGE.replace(b"\r\n", b"\n"))
        os.chown(path, os.stat(maildir).st_uid, os.stat(maildir).st_gid)
        equal(one.ok("STATUS foreign (SIZE)").one("STATUS")[1], {"SIZE": len(MESSAGE)}, "SIZE")


# ---- SPECIAL-USE -----------------------------------------------------------------------------------
def uses(session):
    """use -> name"""
    found = {}
    for name, attributes in listed(session, 'LIST (SPECIAL-USE) "" *').items():
        for one in attributes - {r"\HasChildren", r"\HasNoChildren"}:
            found[one] = name
    return found


def test_uses_follow_their_folders(suite):
    """RFC 6154 2, 3, 4"""
    with user(suite, "uses") as one:
        equal(uses(one), {"\\" + name: name for name in STANDARD}, "at first")
        for attribute in (r"\All", r"\Flagged", r"\Important", r"\Nonsense"):
            one.no("USEATTR", f"CREATE everything (USE ({attribute}))")
        one.no("USEATTR", r"CREATE Sent2 (USE (\Sent))")
        equal(listed(one, 'LIST "" (everything Sent2)'), {}, "neither was made")
        one.ok("RENAME Sent Old/Sent")
        equal(uses(one)[r"\Sent"], "Old/Sent", "RENAME")
        one.ok("RENAME Old Older")
        equal(uses(one)[r"\Sent"], "Older/Sent", "RENAME of what is above")
        one.ok("DELETE Older/Sent")
        check(r"\Sent" not in uses(one), "DELETE")
        one.ok("DELETE Drafts")
        one.ok(r"CREATE Both (USE (\Sent \drafts))")
        equal((uses(one)[r"\Sent"], uses(one)[r"\Drafts"]), ("Both", "Both"), "two uses")
        one.ok('SETMETADATA Both (/private/specialuse "\\\\Sent")')
        one.ok('SETMETADATA Archive (/private/specialuse "\\\\Archive \\\\Drafts")')
        equal((uses(one)[r"\Sent"], uses(one)[r"\Drafts"]), ("Both", "Archive"), "SETMETADATA")
        one.no("USEATTR", 'SETMETADATA Archive (/private/specialuse "\\\\All")')
        equal(one.ok("GETMETADATA Archive /private/specialuse").one("METADATA"),
              ("Archive", {"/private/specialuse": rb"\Archive \Drafts"}), "GETMETADATA")
        one.ok("DELETE Trash")
        one.ok(f"CREATE {mutf7('ゴミ箱')}")
        equal(uses(one)[r"\Trash"], mutf7("ゴミ箱"), "a folder that a Japanese client makes")
        for bad in ("CREATE x (USE)", "CREATE x (USE Sent)", "CREATE x (USE (Sent))", "CREATE x ()",
                    r"CREATE x (USE (\Sent)", r"CREATE x (OTHER (\Sent))", r"CREATE x USE (\Sent)"):
            one.bad(bad)
    with user(suite, "uses") as one:
        equal(uses(one)[r"\Sent"], "Both", "kept")


def test_folders_that_are_there_get_the_uses(suite):
    """RFC 6154 2: a Maildir that Japanese clients have filled, with Dovecot's list"""
    maildir = suite.path("mail/example.jp/adopted/Maildir")
    owner = os.stat(suite.path("mail/example.jp"))
    make_maildir(suite, "adopted", [mutf7(name) for name in JAPANESE.values()])
    with open(os.path.join(maildir, "subscriptions"), "w", encoding="ascii") as file:
        file.write("V\t2\n\n" + mutf7("下書き") + "\n")
    os.chown(os.path.join(maildir, "subscriptions"), owner.st_uid, owner.st_gid)
    with user(suite, "adopted") as one:
        equal(uses(one), {"\\" + use: mutf7(name) for use, name in JAPANESE.items()} |
              {r"\Archive": "Archive"}, "uses")
        equal(set(listed(one, 'LSUB "" *', "LSUB")), {mutf7("下書き"), "Archive"}, "only what is new")
    make_maildir(suite, "courier", ["Sent Messages", "Sent Items", "Deleted Messages", "other"])
    with user(suite, "courier") as one:
        found = uses(one)
        equal((found[r"\Sent"], found[r"\Trash"]), ("Sent Items", "Deleted Messages"), "English ones")
        equal(set(listed(one, 'LSUB "" *', "LSUB")),
              {"Sent Items", "Sent Messages", "Deleted Messages", "other", "Archive", "Drafts", "Junk"},
              "without a list all are shown")


def make_maildir(suite, name, folders):
    domain = suite.path("mail/example.jp")
    owner = os.stat(domain)
    account = os.path.join(domain, name)
    paths = [account, os.path.join(account, "Maildir")]
    for folder in [""] + ["." + one for one in folders]:
        above = os.path.join(account, "Maildir", folder)
        paths += [above] + [os.path.join(above, part) for part in ("cur", "new", "tmp")]
    for path in paths:
        os.makedirs(path, mode=0o700, exist_ok=True)
        os.chown(path, owner.st_uid, owner.st_gid)


# ---- METADATA --------------------------------------------------------------------------------------
def metadata(session, *parts):
    return session.ok(*parts).one("METADATA")


def test_annotations_are_set_and_found(suite):
    """RFC 5464 3, 4.2, 4.3, 5"""
    with user(suite, "notes") as one:
        one.ok('SETMETADATA INBOX (/private/comment "mine" /shared/comment ', Unwaited("日本".encode()), ")")
        equal(metadata(one, "GETMETADATA INBOX (/shared/comment /Private/COMMENT)"),
              ("INBOX", {"/private/comment": b"mine", "/shared/comment": "日本".encode()}), "both")
        one.ok('SETMETADATA INBOX (/private/a "1" /private/a/b "22" /private/a/b/c "333")')
        equal(metadata(one, "GETMETADATA INBOX /private/a")[1], {"/private/a": b"1"}, "DEPTH 0")
        equal(metadata(one, "GETMETADATA (DEPTH 1) INBOX /private/a")[1],
              {"/private/a": b"1", "/private/a/b": b"22"}, "DEPTH 1")
        equal(set(metadata(one, "GETMETADATA INBOX (DEPTH infinity) (/private)")[1]),
              {"/private/comment", "/private/a", "/private/a/b", "/private/a/b/c"}, "DEPTH infinity")
        result = one.ok("GETMETADATA (MAXSIZE 2 DEPTH infinity) INBOX (/private/a)")
        equal((set(result.one("METADATA")[1]), result.done.code, result.done.detail),
              ({"/private/a", "/private/a/b"}, "METADATA", b"LONGENTRIES 3"), "MAXSIZE")
        one.ok("SETMETADATA INBOX (/private/a NIL /private/none NIL)")
        equal(metadata(one, "GETMETADATA INBOX (/private/a)")[1], {"/private/a": None}, "NIL removes")
        one.ok('SETMETADATA INBOX (/private/empty "")')
        equal(metadata(one, "GETMETADATA INBOX /private/empty")[1], {"/private/empty": b""}, "empty is a value")
        one.ok("SETMETADATA INBOX (/private/binary ~", Unwaited(b"a\0b\r\n"), ")")
        equal(metadata(one, "GETMETADATA INBOX /private/binary")[1], {"/private/binary": b"a\0b\r\n"}, "literal8")
        one.bad("SETMETADATA INBOX (/private/binary ", Unwaited(b"a\0b"), ")")
    with user(suite, "notes") as one:
        equal(metadata(one, "GETMETADATA INBOX /private/binary")[1], {"/private/binary": b"a\0b\r\n"}, "kept")


def test_annotations_of_the_server(suite):
    """RFC 5464 3.3, 6.2.1"""
    with user(suite, "notes") as one:
        equal(metadata(one, 'GETMETADATA "" (/shared/admin /shared/comment)'),
              ("", {"/shared/admin": b"mailto:postmaster@example.jp", "/shared/comment": None}), "admin")
        one.no("NOPERM", 'SETMETADATA "" (/shared/admin "x")')
        one.ok('SETMETADATA "" (/private/comment "account" /shared/comment "both")')
        equal(metadata(one, 'GETMETADATA (DEPTH infinity) "" (/private /shared)')[1],
              {"/shared/admin": b"mailto:postmaster@example.jp", "/shared/comment": b"both",
               "/private/comment": b"account"}, "all")
    with user(suite, "names") as one:
        equal(metadata(one, 'GETMETADATA "" /private/comment')[1], {"/private/comment": None}, "not another's")


def test_annotations_follow_their_mailbox(suite):
    """RFC 5464 4.3, RFC 9051 6.3.6"""
    with user(suite, "notes") as one:
        one.ok("CREATE a/b")
        one.ok('SETMETADATA a/b (/private/comment "x")')
        one.ok("RENAME a c")
        equal(metadata(one, "GETMETADATA c/b /private/comment")[1], {"/private/comment": b"x"}, "RENAME")
        one.no("NONEXISTENT", "GETMETADATA a/b /private/comment")
        one.ok("DELETE c/b")
        one.ok("CREATE c/b")
        equal(metadata(one, "GETMETADATA c/b /private/comment")[1], {"/private/comment": None}, "DELETE")


def test_annotations_have_limits(suite):
    """RFC 5464 4.3"""
    with user(suite, "notes") as one:
        one.ok("CREATE limits")
        result = one.no("METADATA", "SETMETADATA limits (/private/x ", Unwaited(b"x" * 65537), ")")
        equal(result.done.detail, b"MAXSIZE 65536", "too long")
        one.ok("SETMETADATA limits (/private/x ", Literal(b"x" * 65536), ")")
        equal(len(metadata(one, "GETMETADATA limits /private/x")[1]["/private/x"]), 65536, "as long as may be")
        for i in range(127):
            one.ok(f'SETMETADATA limits (/private/n/{i} "{i}")')
        result = one.no("METADATA", 'SETMETADATA limits (/private/n/1 "new" /private/y "y")')
        equal(result.done.detail, b"TOOMANY", "too many")
        equal(metadata(one, "GETMETADATA limits /private/n/1")[1], {"/private/n/1": b"1"}, "all or nothing")
        one.ok('SETMETADATA limits (/private/n/1 NIL /private/y "y")')


def test_malformed_annotations_are_bad(suite):
    """RFC 5464 3.2, 5"""
    with user(suite, "notes") as one:
        for bad in ("GETMETADATA", "GETMETADATA INBOX", "GETMETADATA INBOX ()", "GETMETADATA INBOX /other/x",
                    "GETMETADATA INBOX /private/", "GETMETADATA INBOX /private//x", "GETMETADATA INBOX (/private/x",
                    'GETMETADATA INBOX "/private/a*"', 'GETMETADATA INBOX "/private/a%"',
                    "GETMETADATA (DEPTH 2) INBOX /private/x", "GETMETADATA (DEPTH) INBOX /private/x",
                    "GETMETADATA (MAXSIZE x) INBOX /private/x", "GETMETADATA (OTHER 1) INBOX /private/x",
                    "GETMETADATA () INBOX /private/x", "SETMETADATA INBOX ()", "SETMETADATA INBOX (/private/x)",
                    'SETMETADATA INBOX (/private/x "1"', 'SETMETADATA INBOX (/private "1")',
                    "SETMETADATA INBOX (/private/x atom)", 'SETMETADATA INBOX /private/x "1"'):
            one.bad(bad)
            one.ok("NOOP")
        one.no("NONEXISTENT", "GETMETADATA missing /private/comment")
        one.no("NONEXISTENT", 'SETMETADATA missing (/private/comment "x")')


def test_list_with_metadata(suite):
    """RFC 9590 3"""
    with user(suite, "notes") as one:
        one.ok('SETMETADATA Sent (/private/color "#f00" /private/a/b "2")')
        found = one.ok('LIST "" (Sent Trash) RETURN (METADATA (/private/color))')
        equal([one.value for one in found.all("METADATA")],
              [("Sent", {"/private/color": b"#f00"}), ("Trash", {"/private/color": None})], "METADATA")
        found = one.ok('LIST (SPECIAL-USE) "" Sent RETURN (STATUS (MESSAGES) METADATA (DEPTH 1) (/private/a))')
        equal([one.kind for one in found.untagged], ["LIST", "STATUS", "METADATA"], "with STATUS")


# ---- QUOTA -----------------------------------------------------------------------------------------
def test_quota(suite):
    """RFC 9208 3, 4"""
    with user(suite, "quota") as one:
        equal(one.ok("GETQUOTAROOT INBOX").one("QUOTAROOT"), ("INBOX", ["account"]), "QUOTAROOT")
        equal(one.ok("GETQUOTA account").one("QUOTA"), ("account", {"STORAGE": (0, 3072)}), "empty")
        append(one, "INBOX", b"Subject: x\r\n\r\n" + b"x" * 10000)
        append(one, "Trash", b"Subject: x\r\n\r\n" + b"x" * 1000, r"(\Deleted)")
        equal(one.ok("GETQUOTAROOT Trash").one("QUOTA"), ("account", {"STORAGE": (11, 3072)}), "used")
        one.no("NONEXISTENT", "GETQUOTA other")
        equal(one.ok("GETQUOTAROOT missing").one("QUOTAROOT"), ("missing", ["account"]), "of one that is not there yet")
        one.no("NONEXISTENT", "GETQUOTAROOT a//b")
        one.no("NOPERM", "SETQUOTA account (STORAGE 1)")
        for bad in ("GETQUOTA", "GETQUOTA account x", "GETQUOTAROOT", "GETQUOTAROOT INBOX x", "SETQUOTA account"):
            one.bad(bad)
    with user(suite, "names") as one:
        equal(one.ok("GETQUOTAROOT INBOX").one("QUOTAROOT"), ("INBOX", []), "without limit no root")
        one.no("NONEXISTENT", "GETQUOTA account")


# ---- names -----------------------------------------------------------------------------------------
NFC, NFD = "\u304c\u3093\u3070\u308b", "\u304b\u3099\u3093\u306f\u3099\u308b"  # がんばる


def test_names_that_can_not_be(suite):
    """RFC 3501 5.1, 5.1.3; RFC 9051 5.1"""
    with user(suite, "names") as one:
        for name in ("a//b", "/a", "a/../b", ".", '""', '"a*"', '"a%"', "&Jjo!-", "&AGE-", "x" * 240, "&AAo-", "&ICg-",
                     "x&ICk-"):
            text = one.no("CANNOT", f"CREATE {name}").done.value
            check("name" in text or "level" in text, f"{name}: {text}")
        one.no("CANNOT", "CREATE ", Unwaited(b"a\tb"))
        one.no("CANNOT", "CREATE ", Unwaited("日本".encode()))
        one.no("CANNOT", "CREATE ", Unwaited(b"x" * 70000))
        one.no("CANNOT", f"RENAME Sent {'y' * 240}")
        one.ok("CREATE " + "x" * 239)
        one.ok("DELETE " + "x" * 239)
        one.ok("CREATE trailing/")
        check("trailing" in listed(one, 'LIST "" trail*'), "the separator at the end is taken off")
        one.ok("SUBSCRIBE trailing/")


def test_names_are_normalised(suite):
    """RFC 9051 5.1, 6.3.4, 6.3.9.7; RFC 5198 3"""
    with user(suite, "names") as one:
        one.ok(f"CREATE {mutf7(NFD)}")
        equal(set(listed(one, f'LIST "" {mutf7(NFC)}')), {mutf7(NFC)}, "made in NFC")
        equal(set(listed(one, f'LIST "" {mutf7(NFD)}')), {mutf7(NFC)}, "found in NFD")
        equal(set(listed(one, f'LIST "" {mutf7(NFD[:2])}*')), {mutf7(NFC)}, "by a pattern within the base64")
        append(one, mutf7(NFD))
        equal(one.ok(f"STATUS {mutf7(NFD)} (MESSAGES)").one("STATUS"), (mutf7(NFC), {"MESSAGES": 1}), "STATUS")
        one.no("ALREADYEXISTS", f"CREATE {mutf7(NFC)}")
        one.ok(f"RENAME {mutf7(NFD)} x{mutf7(NFD)}")
        one.ok(f"DELETE x{mutf7(NFD)}")


def test_names_of_other_servers_are_as_they_are(suite):
    """Such as NFD: found by LIST in either form, and a name that is there is not made again"""
    with user(suite, "names") as one:
        one.ok(f"CREATE {mutf7(NFC)}")
        folder = suite.path("mail/example.jp/names/Maildir/.")
        os.rename(folder + mutf7(NFC), folder + mutf7(NFD))
        for name in (NFD, NFC):
            equal(set(listed(one, f'LIST "" {mutf7(name)}')), {mutf7(NFD)}, "LIST")
        equal(one.ok(f"STATUS {mutf7(NFD)} (MESSAGES)").one("STATUS"), (mutf7(NFD), {"MESSAGES": 0}), "STATUS")
        one.no("ALREADYEXISTS", f"CREATE {mutf7(NFD)}")
        one.no("ALREADYEXISTS", f"RENAME Sent {mutf7(NFD)}")
        one.ok(f"RENAME {mutf7(NFD)} x{mutf7(NFD)}")
        equal(set(listed(one, 'LIST "" x*')), {"x" + mutf7(NFC)}, "NFC by RENAME")
        one.ok(f"DELETE x{mutf7(NFC)}")


def test_utf8_on_the_wire(suite):
    """RFC 9051 5.1, 6.3.2, 6.3.4, 6.3.6, 6.3.9.7; RFC 6855 3"""
    with user(suite, "rev2") as one:
        one.ok("CREATE &ZeVnLIqe-/A&-B")
        one.ok("ENABLE IMAP4rev2")
        found = extended(one, 'LIST "" "日*"')
        equal(set(found), {"日本語", "日本語/A&B"}, "LIST")
        equal(found["日本語"][0], {r"\NonExistent", r"\HasChildren"}, "rev2 knows NonExistent")
        equal(one.ok(f'CREATE "{NFD}"').one("LIST"), ([], b"/", NFC, {"OLDNAME": [NFD]}), "CREATE")
        equal(one.ok(f'SELECT "{NFD}"').one("LIST"), ([], b"/", NFC, {"OLDNAME": [NFD]}), "SELECT")
        equal(one.ok(f'SELECT "{NFC}"').one("LIST"), ([], b"/", NFC), "SELECT by its name")
        equal(one.ok('RENAME "日本語/A&B" "日本語/がく"').one("LIST"),
              ([], b"/", "日本語/がく", {"OLDNAME": ["日本語/A&B"]}), "RENAME")
        equal(one.ok('STATUS "日本語/がく" (MESSAGES)').one("STATUS"), ("日本語/がく", {"MESSAGES": 0}), "STATUS")
        one.ok("CREATE ", Unwaited("リテラル".encode()))
        one.ok('SUBSCRIBE "リテラル"')
        equal(set(listed(one, 'LSUB "" "リ%"', "LSUB")), {"リテラル"}, "LSUB")
        one.ok('SETMETADATA "リテラル" (/private/comment "x")')
        equal(one.ok('GETMETADATA "リテラル" /private/comment').one("METADATA")[0], "リテラル", "METADATA")
        equal(one.ok('GETQUOTAROOT "リテラル"').one("QUOTAROOT"), ("リテラル", []), "QUOTAROOT")
        one.ok("CREATE &ZeVnLIqe-x")
        check("&ZeVnLIqe-x" in listed(one, 'LIST "" &*'), "what looks like base64 is taken as it stands")
        for bad in (b"\xe3\x81", b"\xc0\xaf", b"\xed\xa0\x80"):
            one.bad(b'CREATE "' + bad + b'"')
            one.bad(b'LIST "" "' + bad + b'"')
            one.no("CANNOT", "CREATE ", Unwaited(bad))
        one.no("CANNOT", b'CREATE "a\xc2\x85"')
        one.ok("NOOP")
    with user(suite, "rev2") as one:
        found = listed(one, 'LIST "" *')
        check({mutf7("日本語/がく"), mutf7(NFC), mutf7("リテラル"), "&-ZeVnLIqe-x"} <= set(found), "rev1 sees the same")


# ---- names in use ----------------------------------------------------------------------------------
def test_renaming_inbox(suite):
    """RFC 9051 6.3.6"""
    with user(suite, "inbox") as one, user(suite, "inbox") as other:
        one.ok("CREATE INBOX/below")
        for _ in range(3):
            append(one, "INBOX", more=r"(\Flagged)")
        other.ok("SELECT INBOX")
        one.ok("RENAME INBOX old/mail")
        equal(one.ok("STATUS old/mail (MESSAGES)").one("STATUS")[1], {"MESSAGES": 3}, "moved")
        equal(one.ok("STATUS INBOX (MESSAGES)").one("STATUS")[1], {"MESSAGES": 0}, "INBOX is there, empty")
        equal(sorted(listed(one, 'LIST "" INBOX*')), ["INBOX", "INBOX/below"], "what is below stays")
        equal(sorted(other.ok("NOOP").numbers("EXPUNGE")), [1, 2, 3], "who has it selected is told")
        one.no("ALREADYEXISTS", "RENAME INBOX old/mail")
        one.no("ALREADYEXISTS", "RENAME old/mail INBOX")


def test_deleted_while_selected(suite):
    """RFC 9051 6.3.5, 7.1.5"""
    with user(suite, "selected") as one:
        for command in ("NOOP", "FETCH 1 BODY[]", r"STORE 1 +FLAGS (\Seen)", "IDLE", "COPY 1 INBOX", "EXPUNGE",
                        "UID SEARCH ALL"):
            one.ok("CREATE busy")
            append(one, "busy")
            with user(suite, "selected") as other:
                other.ok("SELECT busy")
                if command == "IDLE":
                    other.send("i IDLE\r\n")
                    equal(other.response().tag, "+", "IDLE")
                one.ok("DELETE busy")
                if command != "IDLE":
                    other.send(f"x {command}\r\n")
                last = other.response()
                while last.tag == "*" and last.kind != "BYE":
                    last = other.response()
                check(last.kind in ("BYE", "NO", "OK"), f"{command}: {last}")
            check("busy" not in listed(one, 'LIST "" *'), "gone")
        one.ok("CREATE busy")
        one.ok("SELECT busy")
        one.ok("DELETE busy")
        one.bad("CHECK")
        one.ok("SELECT INBOX")


def test_renamed_while_selected(suite):
    """RFC 9051 6.3.6: the session goes on with the mailbox, not with the name"""
    with user(suite, "selected") as one, user(suite, "selected") as other:
        one.ok("CREATE first")
        append(one, "first")
        other.ok("SELECT first")
        one.ok("RENAME first second")
        one.ok("CREATE first")
        append(one, "first", b"Subject: new\r\n\r\n")
        append(one, "first", b"Subject: new\r\n\r\n")
        other.ok(r"STORE 1 +FLAGS (\Seen)")
        equal(other.ok("STATUS first (MESSAGES UNSEEN)").one("STATUS")[1], {"MESSAGES": 2, "UNSEEN": 2}, "the new one")
        other.ok("COPY 1 first")
        equal(one.ok("STATUS first (MESSAGES)").one("STATUS")[1], {"MESSAGES": 3}, "COPY to the new one")
        equal(one.ok("STATUS second (MESSAGES UNSEEN)").one("STATUS")[1], {"MESSAGES": 1, "UNSEEN": 0}, "the old one")
        equal(other.fetch("1 BODY.PEEK[]"), MESSAGE, "and it goes on")


def test_two_sessions_make_and_remove_one_name(suite):
    """RFC 9051 6.3.4, 6.3.5: one of them wins, each time, and UIDVALIDITY grows"""
    outcomes, troubles = [], []

    def work(number):
        try:
            with user(suite, "race") as one:
                for _ in range(40):
                    for command in (r"CREATE both", "STATUS both (UIDVALIDITY)", "DELETE both",
                                    "RENAME both both2", "DELETE both2"):
                        done = one.run(command).done
                        outcomes.append((command.split()[0], done.kind, done.code))
        except Exception as error:  # of a thread: told by the test below
            troubles.append(f"{number}: {error!r}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    equal(troubles, [], "sessions")
    fine = {("OK", ""), ("OK", "MAILBOXID"), ("NO", "ALREADYEXISTS"), ("NO", "NONEXISTENT")}
    equal({(command, kind, code) for command, kind, code in outcomes if (kind, code) not in fine}, set(), "answers")
    made = sum(1 for command, kind, _ in outcomes if command == "CREATE" and kind == "OK")
    gone = sum(1 for command, kind, _ in outcomes if command == "DELETE" and kind == "OK")
    with user(suite, "race") as one:
        left = sum(name.startswith("both") for name in listed(one, 'LIST "" both*'))
        equal(made - gone, left, "made, removed, left")
        one.ok('SETMETADATA INBOX (/private/comment "alive")')


def test_uses_hold_when_sessions_race(suite):
    """RFC 6154 3: of two CREATEs with the same use one is refused"""
    with user(suite, "race") as one, user(suite, "race") as other:
        one.ok("DELETE Sent")
        for number in range(10):
            one.send(f"a CREATE one{number} (USE (\\Sent))\r\n")
            other.send(f"b CREATE other{number} (USE (\\Sent))\r\n")
            answers = sorted((session.response().kind for session in (one, other)))
            equal(answers, ["NO", "OK"], "one of them")
            holder = uses(one)[r"\Sent"]
            one.ok(f"DELETE {holder}")
