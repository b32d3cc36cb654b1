"""Forwards with conditions (SPEC R7, R9): whose mail goes where, once; circles end; the sending limits hold."""

import base64
import json
import os
import re
import subprocess
import time

from sink import Sink
from suite import check, equal, stopped, wait_until

SINKS = {}
STRANGER = "stranger@sender.example"
NIHONGO = "日本語"


def prepare(suite):
    SINKS["outside"] = Sink()
    suite.add_domain("example.jp", "u1", "u2", "u3", "off", "rated", "held", "limited", plan="business")
    suite.add_domain("example.com", "v1", "v2", "self")
    suite.add_domain("example.net", "w1")
    suite.add_domain("few.example", "f1", plan="rental")
    suite.control("plans/all", "free catch-all\n")
    suite.add_domain("all.example", "any", plan="all")
    suite.mailctl("child", "add", "all.example", "kid.example")
    suite.mailctl("domain", "set", "all.example", "catch-all", "any")
    suite.control("smtproutes", f":127.0.0.1:{SINKS['outside'].port}\n")
    suite.rebuild()
    suite.start()


def receive(suite, recipient, subject="test", sender=STRANGER, source=None):
    """`subject` and `source` are header bytes as they are sent."""
    subject = subject if isinstance(subject, bytes) else subject.encode()
    source = source if isinstance(source, bytes) else (source or sender).encode()
    data = b"From: " + source + b"\r\nTo: <" + recipient.encode() + b">\r\nSubject: " + subject + b"\r\n\r\nHello.\r\n"
    with suite.smtp() as client:
        client.sendmail(sender, [recipient], data)


def targets(suite, recipient, **mail):
    """Where a message goes, once all is delivered."""
    sink = SINKS["outside"]
    count = len(sink.transactions)
    receive(suite, recipient, **mail)
    suite.wait_queue_empty()
    return sorted(one for transaction in sink.transactions[count:] for one in transaction.recipients)


def outside(count):
    sink = SINKS["outside"]
    return wait_until(lambda: len(sink.transactions) >= count and sink.transactions, f"{count} transactions outside")


def forwards(suite, address):
    return json.loads(suite.mailctl("forward", "list", address, "--json"))


def read(suite, name):
    with open(suite.path(f"control/domains/{name}/forwards"), encoding="utf-8") as file:
        return file.read()


def write(suite, name, text):
    with open(suite.path(f"control/domains/{name}/forwards"), "w", encoding="utf-8") as file:
        file.write(text)


def test_R7_2_rows_are_shown_in_order_and_comments_stay(suite):
    write(suite, "example.jp", "# kept\nu2 all z@friend.example\n")
    suite.mailctl("forward", "add", "u1@example.jp", "--subject", "請求書 \"7\"", "c@friend.example", "b@friend.example")
    suite.mailctl("forward", "add", "u1@example.jp", "--from", "Boss", "boss@friend.example")
    suite.mailctl("forward", "add", "u1@example.jp", "z@friend.example", "a..b@docomo.ne.jp")
    suite.mailctl("forward", "add", "u1@example.jp", "--subject", "請求書 \"7\"", "a@friend.example")
    equal(forwards(suite, "u1@example.jp"),
          [{"condition": "all", "keyword": None, "targets": ["a..b@docomo.ne.jp"]},
           {"condition": "all", "keyword": None, "targets": ["z@friend.example"]},
           {"condition": "from", "keyword": "Boss", "targets": ["boss@friend.example"]},
           {"condition": "subject", "keyword": "請求書 \"7\"",
            "targets": ["a@friend.example", "b@friend.example", "c@friend.example"]}], "the rows")
    text = read(suite, "example.jp")
    check(text.startswith("# kept\nu2 all z@friend.example\n"), text)
    check('u1 subject "請求書 \\"7\\"" a@friend.example b@friend.example c@friend.example\n' in text, text)
    suite.mailctl("forward", "del", "u1@example.jp", "--subject", "請求書 \"7\"", "b@friend.example")
    check("a@friend.example c@friend.example\n" in read(suite, "example.jp"), "one target less")
    suite.mailctl("forward", "del", "u1@example.jp", "--subject", "請求書 \"7\"")
    suite.mailctl("forward", "del", "u1@example.jp", "--from", "Boss", "boss@friend.example")
    suite.mailctl("forward", "del", "u1@example.jp", "z@friend.example", "a..b@docomo.ne.jp")
    equal(read(suite, "example.jp"), "# kept\nu2 all z@friend.example\n", "the file")
    suite.mailctl("forward", "del", "u2@example.jp", "z@friend.example")


def test_R7_2_subject_however_it_is_written(suite):
    suite.mailctl("forward", "add", "u1@example.jp", "--subject", NIHONGO, "s@friend.example")
    jis = NIHONGO.encode("iso-2022-jp")
    subjects = [NIHONGO.encode(), jis, b"Re: " + jis + b" x",
                b"=?ISO-2022-JP?B?" + base64.b64encode(jis) + b"?=",
                b"=?utf-8?b?" + base64.b64encode(NIHONGO[:1].encode()) + b"?=\r\n =?utf-8?b?" +
                base64.b64encode(NIHONGO[1:].encode()) + b"?=",
                b"=?Shift_JIS?B?" + base64.b64encode(NIHONGO.encode("cp932")) + b"?="]
    for subject in subjects:
        equal(targets(suite, "u1@example.jp", subject=subject), ["s@friend.example"], f"{subject}")
    equal(targets(suite, "u1@example.jp", subject="nihongo"), [], "another subject")
    equal(targets(suite, "u1@example.jp", source=NIHONGO.encode() + b" <a@x.example>"), [], "it is in From")
    suite.mailctl("forward", "del", "u1@example.jp", "--subject", NIHONGO)


def test_R7_2_keywords_with_blanks_and_symbols(suite):
    suite.mailctl("forward", "add", "u1@example.jp", "--subject", "[50% off] \"a\\b\" (c*)", "s@friend.example")
    equal(targets(suite, "u1@example.jp", subject="New: [50% OFF]\r\n \"A\\B\" (C*)!"), ["s@friend.example"], "symbols")
    equal(targets(suite, "u1@example.jp", subject="[50% off] (c*)"), [], "others")
    suite.mailctl("forward", "del", "u1@example.jp", "--subject", "[50% off] \"a\\b\" (c*)")
    suite.mailctl("forward", "add", "u1@example.jp", "--subject", "ｉｎｖｏｉｃｅ　７", "s@friend.example")
    equal(targets(suite, "u1@example.jp", subject="Invoice  7"), ["s@friend.example"], "full and half width")
    suite.mailctl("forward", "del", "u1@example.jp", "--subject", "ｉｎｖｏｉｃｅ　７")


def test_R7_2_from_is_name_and_address(suite):
    suite.mailctl("forward", "add", "u1@example.jp", "--from", "Yamada", "n@friend.example")
    suite.mailctl("forward", "add", "u1@example.jp", "--from", "@SHOP.example", "a@friend.example")
    equal(targets(suite, "u1@example.jp", source=b"=?utf-8?Q?Taro=20YAMADA?= <t@x.example>"), ["n@friend.example"], "name")
    equal(targets(suite, "u1@example.jp", source=b"x <orders@shop.example>"), ["a@friend.example"], "address")
    equal(targets(suite, "u1@example.jp", source=b"Yamada <a@shop.example>"),
          ["a@friend.example", "n@friend.example"], "both")
    equal(targets(suite, "u1@example.jp", subject="Yamada"), [], "in the subject")


def test_R7_2_one_copy_for_each_target(suite):
    suite.mailctl("forward", "add", "u1@example.jp", "n@friend.example")
    suite.mailctl("forward", "add", "u1@example.jp", "--subject", "test", "n@friend.example", "a@friend.example")
    kept = len(suite.mailbox("u1@example.jp"))
    equal(targets(suite, "u1@example.jp", source=b"Yamada <a@shop.example>"),
          ["a@friend.example", "n@friend.example"], "each once")
    equal(len(suite.mailbox("u1@example.jp")), kept + 1, "R7.3: a copy stays")
    suite.mailctl("forward", "del", "u1@example.jp", "n@friend.example")
    suite.mailctl("forward", "del", "u1@example.jp", "--from", "Yamada")
    suite.mailctl("forward", "del", "u1@example.jp", "--from", "@SHOP.example")
    suite.mailctl("forward", "del", "u1@example.jp", "--subject", "test")


def test_R7_4_the_copy_is_as_it_came(suite):
    suite.mailctl("forward", "add", "u1@example.jp", "--subject", "signed", "a@friend.example")
    count = len(SINKS["outside"].transactions)
    receive(suite, "u1@example.jp", subject="signed\r\nDKIM-Signature: v=1; b=abc=")
    copy = outside(count + 1)[count].data
    suite.wait_queue_empty()
    kept = suite.messages("u1@example.jp")
    own = copy[copy.index(b"From: "):]
    check(any(one.endswith(own) for one in kept), "what was signed is the same bytes")
    check(copy.index(b"Delivered-To: u1@example.jp") < copy.index(b"Received: "), "Delivered-To stands in front")
    suite.mailctl("forward", "del", "u1@example.jp", "--subject", "signed")


def test_R7_1_limits(suite):
    refused = suite.mailctl("forward", "add", "f1@few.example", "--from", "x", "a@friend.example", wanted=1)
    check("conditional-forwards is off" in refused and "line 1" in refused, refused)
    ten = [f"t{i}@friend.example" for i in range(10)]
    suite.mailctl("forward", "add", "f1@few.example", *ten)
    check("may have 10" in suite.mailctl("forward", "add", "f1@few.example", "x@friend.example", wanted=1), "eleven")
    many = [f"t{i:03}@friend.example" for i in range(300)]
    write(suite, "example.jp", "u3 all one@friend.example\nu3 from \"a b\" " + " ".join(many[:150]) +
          "\nu3 subject \"c\" " + " ".join(many[150:299]) + "\n")
    suite.rebuild()
    equal(sum(len(row["targets"]) for row in forwards(suite, "u3@example.jp")), 300, "of all conditions together")
    check("may have 300" in suite.mailctl("forward", "add", "u3@example.jp", "--from", "d", "x@friend.example", wanted=1), "301")
    equal(len(targets(suite, "u3@example.jp", subject="abC", source=b"a  B <x@y.example>")), 300, "all rows hold")
    write(suite, "example.jp", "")
    suite.rebuild()


def test_R7_4_what_is_refused(suite):
    for words, text in [(["-a@friend.example"], "may not begin with -"), (["\"-a\"@friend.example"], "no mail address"),
                        (["x"], "no mail address"), (["--from", "  ", "a@friend.example"], "a keyword has"),
                        (["--from", "a\nb", "a@friend.example"], "a keyword has"),
                        (["--from", "a", "--subject", "b", "a@friend.example"], "one condition")]:
        refused = suite.mailctl("forward", "add", "u1@example.jp", *words[:-1], "--", words[-1], wanted=1)
        check(text in refused, f"{words}: {refused}")
    for line, text in [('u1 from "a b a@friend.example', "quote is not closed"), ('u1 from "a"', "no mail address"),
                       ('u1 to "a" a@friend.example', "from|subject"), ('u1 from "a" a@x.example a@x.example', "twice"),
                       ('nobody1 all a@x.example', "no account"), ('u1 all a@x.example b@x.example', "no mail address")]:
        write(suite, "example.jp", f"# first\n{line}\n")
        refused = suite.mailctl("forward", "list", "u1@example.jp", wanted=1)
        check(text in refused and "forwards line 2" in refused, f"{line}: {refused}")
    write(suite, "example.jp", 'u1 from "a" a@x.example\nu1 from "a" b@x.example\n')
    check("line 2" in suite.mailctl("forward", "list", "u1@example.jp", wanted=1), "the same keyword twice")
    write(suite, "example.jp", "")
    suite.rebuild()


def test_R9_receive_off(suite):
    suite.mailctl("forward", "add", "off@example.jp", "all@friend.example")
    suite.mailctl("forward", "add", "off@example.jp", "--subject", "test", "some@friend.example")
    equal(targets(suite, "off@example.jp"), ["all@friend.example", "some@friend.example"], "while it receives")
    said = subprocess.run([suite.path("bin/mailctl"), "user", "set", "off@example.jp", "receive", "off"],
                          capture_output=True, text=True, check=True).stderr
    check("only its forwards under all work" in said, said)
    equal(targets(suite, "off@example.jp"), ["all@friend.example"], "while it does not")
    equal(len(suite.mailbox("off@example.jp")), 1, "what was stored stays, nothing is added")
    suite.mailctl("user", "set", "off@example.jp", "receive", "on")
    equal(targets(suite, "off@example.jp"), ["all@friend.example", "some@friend.example"], "again")
    suite.mailctl("forward", "del", "off@example.jp", "--subject", "test")


def circle(suite, *links):
    for source, target in zip(links, links[1:] + links[:1]):
        suite.mailctl("forward", "add", source, target)
    before = {one: len(suite.mailbox(one)) for one in links}
    bounces = targets(suite, links[0])
    for source, target in zip(links, links[1:] + links[:1]):
        equal(len(suite.mailbox(source)) - before[source], 1, f"copies for {source}")
        suite.mailctl("forward", "del", source, target)
    return bounces


def test_R7_4_circles_end(suite):
    suite.mailctl("child", "add", "example.com", "child.example")
    for alias in ["self@example.com", "self@child.example", "self+tag@example.com"]:
        suite.mailctl("forward", "add", "self@example.com", alias)
        equal(circle_of_one(suite), [], f"{alias}: nobody hears of it")
        suite.mailctl("forward", "del", "self@example.com", alias)
    equal(circle(suite, "u2@example.jp", "u3@example.jp"), [STRANGER], "one report, of two in a domain")
    equal(circle(suite, "u2@example.jp", "v1@example.com"), [STRANGER], "of two domains")
    equal(circle(suite, "u2@example.jp", "v1@example.com", "w1@example.net"), [STRANGER], "of three")


def test_R7_4_circles_end_under_whichever_name(suite):
    """A child domain's name, a tag, a catch-all: the mail is in each mailbox once, and one report goes out."""
    suite.mailctl("forward", "add", "v1@example.com", "w1@example.net")
    suite.mailctl("forward", "add", "any@all.example", "w1@example.net")
    for back in ("v1@child.example", "v1+back@example.com", "whoever@kid.example"):
        account = "any@all.example" if "kid" in back else "v1@example.com"
        suite.mailctl("forward", "add", "w1@example.net", back)
        for address in (account, back, account.replace("@", "+tag@"), "someone@all.example"):
            if address == "someone@all.example" and account != "any@all.example":
                continue
            before = [len(suite.mailbox(one)) for one in (account, "w1@example.net")]
            equal(targets(suite, address), [STRANGER], f"{address}, back by {back}: reports")
            equal([len(suite.mailbox(one)) - count for one, count in zip((account, "w1@example.net"), before)], [1, 1],
                  f"{address}, back by {back}: copies")
        suite.mailctl("forward", "del", "w1@example.net", back)
    suite.mailctl("forward", "del", "v1@example.com", "w1@example.net")


def circle_of_one(suite):
    before = len(suite.mailbox("self@example.com"))
    bounces = targets(suite, "self@example.com")
    equal(len(suite.mailbox("self@example.com")), before + 1, "it is there once")
    return bounces


def test_R7_4_a_circle_with_a_condition(suite):
    suite.mailctl("forward", "add", "u2@example.jp", "v2@example.com")
    suite.mailctl("forward", "add", "v2@example.com", "--subject", "back", "u2@example.jp")
    equal(targets(suite, "u2@example.jp", subject="no"), [], "the condition does not hold")
    equal(targets(suite, "u2@example.jp", subject="comes back"), [STRANGER], "it does")
    equal(targets(suite, "u2@example.jp", subject="comes back", sender="", source=b"x@y.example"),
          ["postmaster@mail.example.jp"], "of a report, the operator alone hears")
    suite.mailctl("forward", "del", "u2@example.jp", "v2@example.com")
    suite.mailctl("forward", "del", "v2@example.com", "--subject", "back")


def test_R7_4_a_circle_of_three_with_conditions(suite):
    """Each link has a condition of its own; the mail goes as far as they hold, and round at most once."""
    links = [("u2@example.jp", "--subject", "one", "v1@example.com"), ("v1@example.com", "--from", "Boss", "w1@example.net"),
             ("w1@example.net", "--subject", "three", "u2@example.jp")]
    for source, option, keyword, target in links:
        suite.mailctl("forward", "add", source, option, keyword, target)
    boxes = [link[0] for link in links]
    for subject, author, copies, bounces in [("two", "x@y.example", [1, 0, 0], []), ("one", "x@y.example", [1, 1, 0], []),
                                             ("one", "Boss <b@y.example>", [1, 1, 1], []),
                                             ("one three", "Boss <b@y.example>", [1, 1, 1], [STRANGER])]:
        before = [len(suite.mailbox(one)) for one in boxes]
        equal(targets(suite, "u2@example.jp", subject=subject, source=author), bounces, f"{subject}: reports")
        equal([len(suite.mailbox(one)) - count for one, count in zip(boxes, before)], copies, f"{subject}: copies")
    for source, option, keyword, _ in links:
        suite.mailctl("forward", "del", source, option, keyword)


def test_R7_4_to_oneself_under_a_condition(suite):
    """Under whatever name: mail is there once, and nobody hears of a loop."""
    suite.mailctl("forward", "add", "self@example.com", "--subject", "test", "self@example.com", "self@child.example",
                  "self+tag@child.example", "v2@example.com")
    kept, other = len(suite.mailbox("self@example.com")), len(suite.mailbox("v2@example.com"))
    for address in ("self@example.com", "self@child.example", "self+tag@example.com"):
        equal(targets(suite, address), [], f"{address}: reports")
    equal(len(suite.mailbox("self@example.com")), kept + 3, "each is there once")
    equal(len(suite.mailbox("v2@example.com")), other + 3, "the other target")
    suite.mailctl("forward", "del", "self@example.com", "--subject", "test")


def test_R7_1_300_rows_at_work_in_one_message(suite):
    """As many keywords as there may be, all of them in the message, each with a target of its own."""
    words = [f"w{number:03}" for number in range(300)]
    write(suite, "example.jp", "".join(f'u3 {"from" if number % 2 else "subject"} "{word}" t{number:03}@friend.example\n'
                                       for number, word in enumerate(words)))
    suite.rebuild()
    sink = SINKS["outside"]
    count = len(sink.transactions)
    began = time.monotonic()
    receive(suite, "u3@example.jp", subject="\r\n ".join(words), source='"' + "\r\n ".join(words) + '" <x@y.example>')
    wait_until(lambda: sum(len(one.recipients) for one in sink.transactions[count:]) >= 300, "300 copies")
    seconds = time.monotonic() - began
    suite.wait_queue_empty()
    equal(sorted(one for transaction in sink.transactions[count:] for one in transaction.recipients),
          [f"t{number:03}@friend.example" for number in range(300)], "each target once")
    equal(len(sink.transactions) - count, 5, "transactions, of 60 recipients each")
    check(seconds < 10, f"it took {seconds:.1f} s")
    write(suite, "example.jp", "")
    suite.rebuild()


def test_R7_2_international_domains(suite):
    """Either form finds the other."""
    suite.mailctl("forward", "add", "u1@example.jp", "--from", "@日本語.example", "a@friend.example")
    suite.mailctl("forward", "add", "u1@example.jp", "--from", "@xn--mnchen-3ya.example", "b@friend.example")
    for domain, found in [("日本語", "a"), ("xn--wgv71a119e", "a"), ("münchen", "b"), ("MÜNCHEN", "b"), ("XN--MNCHEN-3YA", "b")]:
        equal(targets(suite, "u1@example.jp", source=f"Name <x@{domain}.example>".encode()), [f"{found}@friend.example"], domain)
    suite.mailctl("forward", "del", "u1@example.jp", "--from", "@日本語.example")
    suite.mailctl("forward", "del", "u1@example.jp", "--from", "@xn--mnchen-3ya.example")


def test_R7_4_an_international_target_beside_others(suite):
    """What the next server does not take keeps the copy from nobody else."""
    suite.mailctl("forward", "add", "u1@example.jp", "a@friend.example", "花子@friend.example", "b@other.example")
    sink = SINKS["outside"]
    count = len(sink.transactions)
    receive(suite, "u1@example.jp", subject="=?utf-8?B?5pel?=")
    suite.wait_queue_empty()
    equal(sorted(one for transaction in sink.transactions[count:] for one in transaction.recipients if one != STRANGER),
          ["a@friend.example", "b@other.example"], "without SMTPUTF8")
    report = [one.data for one in sink.transactions[count:] if one.recipients == [STRANGER]]
    equal([data.count(b"Status: 5.6.7") for data in report], [1], "one report, of one target")
    suite.mailctl("forward", "del", "u1@example.jp", "a@friend.example", "花子@friend.example", "b@other.example")


def word(charset, text, codec=None, how="B"):
    data = text.encode(codec or charset)
    coded = base64.b64encode(data) if how == "B" else b"".join(b"=%02X" % byte for byte in data)
    return b"=?" + charset.encode() + b"?" + how.encode() + b"?" + coded + b"?="


def test_R7_2_names_in_every_charset(suite):
    """As mailers write them: the tables are loaded under the domain's sandbox."""
    names = {NIHONGO: [("ISO-2022-JP", None), ("iso-2022-jp-2", "iso2022_jp_2"), ("Shift_JIS", None), ("EUC-JP", None), ("windows-31j", "cp932"),
                       ("CP932", None), ("UTF-8", None), ("utf-16be", None), ("utf-7", None)],
             "中文": [("GB2312", None), ("gbk", None), ("GB18030", None), ("Big5", None), ("big5-hkscs", "big5hkscs")],
             "한국": [("EUC-KR", None), ("iso-2022-kr", None), ("ks_c_5601-1987", "euc-kr")],
             "Иван": [("KOI8-R", None), ("koi8-u", None), ("windows-1251", None), ("ISO-8859-5", None)],
             "Jörg": [("ISO-8859-1", None), ("iso-8859-15", None), ("windows-1252", None), ("macintosh", "mac-roman")],
             "Łukasz": [("ISO-8859-2", None), ("windows-1250", None)], "Αθήνα": [("iso-8859-7", None)], "שלום": [("windows-1255", None)],
             "ไทย": [("tis-620", None)]}
    for name, charsets in names.items():
        suite.mailctl("forward", "add", "u1@example.jp", "--from", name, "n@friend.example")
        for charset, codec in charsets:
            for how in ("B", "Q"):
                source = word(charset, name, codec, how) + b" <a@x.example>"
                equal(targets(suite, "u1@example.jp", source=source), ["n@friend.example"], f"{source}")
        suite.mailctl("forward", "del", "u1@example.jp", "--from", name)
    suite.mailctl("forward", "add", "u1@example.jp", "--from", NIHONGO, "n@friend.example")
    jis = NIHONGO.encode("iso-2022-jp")
    for source in [jis, b'"' + jis + b'"', NIHONGO.encode(), word("ISO-2022-JP", "日") + b"\r\n " + word("ISO-2022-JP", "本語"),
                   word("Shift_JIS", "日") + b"\r\n\t" + word("EUC-JP", "本") + b"\r\n " + word("utf-8", "語"),
                   word("ISO-2022-JP", NIHONGO)[:-6] + b"?=", b'"' + word("utf-8", NIHONGO) + b'"']:
        equal(targets(suite, "u1@example.jp", source=source + b"\r\n <a@x.example>"), ["n@friend.example"], f"{source}")
    suite.mailctl("forward", "del", "u1@example.jp", "--from", NIHONGO)


def test_R7_4_what_bounces_at_the_target_goes_to_the_first_sender(suite):
    sink = SINKS["outside"]
    suite.mailctl("forward", "add", "u2@example.jp", "--subject", "test", "gone@friend.example")
    sink.answers["RCPT"] = lambda words: "550 5.1.1 gone" if "gone@" in words else "250 ok"
    count = len(sink.transactions)
    receive(suite, "u2@example.jp")
    report = outside(count + 1)[count]
    sink.answers.clear()
    equal(report.recipients, [STRANGER], "the report")
    suite.wait_queue_empty()
    suite.mailctl("forward", "del", "u2@example.jp", "--subject", "test")


def test_R7_4_the_first_sender_hears_what_he_asked_for(suite):
    """RFC 3461: of a copy, too. Success is told of the mailbox."""
    sink = SINKS["outside"]
    suite.mailctl("forward", "add", "u2@example.jp", "gone@friend.example")
    for notify, actions in [("", [b"failed"]), ("NEVER", []), ("SUCCESS", [b"delivered"]), ("FAILURE", [b"failed"]),
                            ("SUCCESS,FAILURE", [b"delivered", b"failed"]), ("DELAY", [])]:
        sink.answers["RCPT"] = lambda words: "550 5.1.1 gone" if "gone@" in words else "250 ok"
        count = len(sink.transactions)
        with suite.smtp() as client:
            client.sendmail(STRANGER, ["u2@example.jp"], "Subject: test\r\n\r\nHello.\r\n",
                            rcpt_options=[f"NOTIFY={notify}"] if notify else [])
        suite.wait_queue_empty()
        equal(sorted(re.search(rb"\nAction: (\w+)", one.data).group(1) for one in sink.transactions[count:]), actions, f"NOTIFY={notify}")
    sink.answers.clear()
    suite.mailctl("forward", "del", "u2@example.jp", "gone@friend.example")


def test_R7_3_the_mailbox_has_it_once_while_no_copy_can_be_queued(suite):
    """The copy is tried again; what was delivered before is seen, read or not, where IMAP has an index and where not."""
    suite.mailctl("forward", "add", "v2@example.com", "--subject", "test", "a@friend.example")
    socket = suite.path("run/inject/socket")
    for is_indexed in (False, True):
        if is_indexed:
            with suite.imap("v2@example.com") as imap:
                imap.select("INBOX")
        kept, count = len(suite.mailbox("v2@example.com")), len(SINKS["outside"].transactions)
        with stopped(suite, "scand"):
            receive(suite, "v2@example.com")
            os.rename(socket, socket + ".away")
        tries = suite.logs("queued").count("the forwarded copy can't be queued now")
        for number in range(3):
            suite.mailctl("queue", "flush")
            wait_until(lambda t=tries + number: suite.logs("queued").count("the forwarded copy can't be queued now") > t, "another try")
            equal(len(suite.mailbox("v2@example.com")), kept + 1, f"copies in the mailbox after {number + 1} tries")
        with suite.imap("v2@example.com") as imap:
            imap.select("INBOX")
            imap.store("1:*", "+FLAGS", "\\Seen")
        os.rename(socket + ".away", socket)
        suite.flush_queue()
        equal(len(suite.mailbox("v2@example.com")), kept + 1, "copies in the mailbox")
        equal([one.recipients for one in SINKS["outside"].transactions[count:]], [["a@friend.example"]], "copies outside")
    suite.mailctl("forward", "del", "v2@example.com", "--subject", "test")


def test_R5_copies_for_outside_count_as_sent(suite):
    suite.mailctl("forward", "add", "rated@example.jp", "a@friend.example", "b@friend.example", "v1@example.com")
    targets(suite, "rated@example.jp")
    shown = suite.mailctl("state", "show", "rated@example.jp")
    check(re.search(r"recipients +2\b", shown), f"two recipients outside: {shown}")


def test_R10_who_may_not_send_forwards_inside_only(suite):
    suite.mailctl("state", "lock", "rated@example.jp", "misuse-detected")
    inside = len(suite.mailbox("v1@example.com"))
    kept = len(suite.mailbox("rated@example.jp"))
    equal(targets(suite, "rated@example.jp"), [], "outside")
    equal(len(suite.mailbox("v1@example.com")), inside + 1, "inside")
    equal(len(suite.mailbox("rated@example.jp")), kept + 1, "it is kept")
    wait_until(lambda: "not-forwarded" in suite.logs("queued") and "misuse-detected" in suite.logs("queued"),
               "it is logged")
    suite.mailctl("state", "unlock", "rated@example.jp", "misuse-detected")
    equal(targets(suite, "rated@example.jp"), ["a@friend.example", "b@friend.example"], "then it may again")


def test_R5_a_limit_that_is_reached_stops_copies_for_outside(suite):
    suite.mailctl("user", "set", "limited@example.jp", "account-recipients-limit", "3")
    suite.mailctl("forward", "add", "limited@example.jp", "a@friend.example", "b@friend.example", "v2@example.com")
    for expected in [["a@friend.example", "b@friend.example"], ["a@friend.example", "b@friend.example"], [], []]:
        kept = len(suite.mailbox("limited@example.jp")), len(suite.mailbox("v2@example.com"))
        equal(targets(suite, "limited@example.jp"), expected, "outside")
        equal((len(suite.mailbox("limited@example.jp")), len(suite.mailbox("v2@example.com"))), (kept[0] + 1, kept[1] + 1), "inside")
    check("send-lock" in suite.mailctl("state", "show", "limited@example.jp"), "its state")


def test_R10_what_nothing_would_keep_waits(suite):
    suite.mailctl("forward", "add", "held@example.jp", "a@friend.example")
    suite.mailctl("user", "set", "held@example.jp", "receive", "off")
    suite.mailctl("state", "lock", "held@example.jp", "send-lock")
    count = len(SINKS["outside"].transactions)
    receive(suite, "held@example.jp")
    wait_until(lambda: "may not send now" in suite.logs("queued"), "the deferral")
    equal(len(suite.queue()), 1, "it waits")
    suite.mailctl("state", "unlock", "held@example.jp", "send-lock")
    suite.mailctl("queue", "flush")
    equal(outside(count + 1)[count].recipients, ["a@friend.example"], "it goes on")
    suite.wait_queue_empty()


def test_stated_away_holds_no_mail_up(suite):
    """smtpd takes no mail from strangers without stated; what is in the queue by then goes on."""
    SINKS["outside"].answers["MAIL"] = "451 4.3.0 later"
    suite.mailctl("forward", "add", "w1@example.net", "rated@example.jp")
    receive(suite, "w1@example.net")
    wait_until(lambda: "451" in suite.logs("queued"), "a deferral")
    count = len(SINKS["outside"].transactions)
    SINKS["outside"].answers.clear()
    suite.kill9("stated")
    suite.mailctl("queue", "flush")
    equal(sorted(outside(count + 1)[count].recipients), ["a@friend.example", "b@friend.example"], "where it goes")
