"""A thousand messages as real mailboxes hold them, always the same ones.

Every shape that clients stumble over, several variants of each: plain text in the charsets of Japan and
Europe, raw and encoded headers, long lines, format=flowed, alternatives, inline pictures, attachments with
RFC 2231 and RFC 2047 names, forwarded messages, S/MIME and PGP signatures, calendars, delivery reports,
digests, empty bodies, odd but frequent violations. Lines end in CRLF; nothing holds a bare CR or LF.
"""

import base64
import quopri
import random
import textwrap

DATE = "Sat, 21 Nov 2026 {:02}:{:02}:{:02} +0900"
JAPANESE = ("お世話になっております。山田です。\r\n先日お打ち合わせした件について、資料をお送りします。\r\n"
            "ご確認のほど、よろしくお願いいたします。\r\n")
HALFWIDTH = "ﾊﾝｶｸｶﾅ ①②③ ㈱例 ～ ― －\r\n"
EUROPEAN = "Grüße aus Köln, à bientôt, señor! Cena: 20 €\r\n"
LATIN = "Grüße aus Köln, à bientôt, señor!\r\n"
RUSSIAN = "Здравствуйте, это проверка.\r\n"
CHINESE = "您好,这是测试邮件。\r\n"
KOREAN = "안녕하세요. 시험 메일입니다.\r\n"


def encoded_word(text, charset, scheme="B"):
    raw = text.encode(charset)
    if scheme == "B":
        return f"=?{charset}?B?{base64.b64encode(raw).decode()}?="
    body = "".join(chr(b) if 48 <= b < 58 or 65 <= b < 91 or 97 <= b < 123 else f"={b:02X}"
                   for b in raw)
    return f"=?{charset}?Q?{body}?="


def b64(data, width=76):
    text = base64.b64encode(data).decode()
    return "".join(text[i:i + width] + "\r\n" for i in range(0, len(text), width)).encode()


def qp(data):
    return b"\r\n".join(quopri.encodestring(line, quotetabs=False).replace(b"=\n", b"=\r\n")
                        for line in data.split(b"\r\n"))


def part(kind, body, *fields):
    head = "".join(f"{field}\r\n" for field in (f"Content-Type: {kind}", *fields))
    return head.encode() + b"\r\n" + body


def multipart(kind, boundary, *parts, preamble=b"", epilogue=b""):
    line = b"--" + boundary.encode()
    body = preamble + b"".join(line + b"\r\n" + one + b"\r\n" for one in parts) + line + b"--\r\n"
    return part(f'multipart/{kind}; boundary="{boundary}"', body + epilogue)


def text_in(charset, text, encoding):
    raw = text.encode(charset, errors="replace")
    body = {"base64": b64, "quoted-printable": qp}.get(encoding, lambda same: same)(raw)
    return part(f"text/plain; charset={charset}", body, f"Content-Transfer-Encoding: {encoding}")


def calendar(random_):
    body = ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
            f"UID:{random_.random()}@example.jp\r\nSUMMARY:打ち合わせ\r\n"
            "DTSTART:20261125T010000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    return part("text/calendar; charset=UTF-8; method=REQUEST", body.encode(),
                "Content-Transfer-Encoding: 8bit")


def attachment(random_, name_fields, size):
    data = random_.randbytes(size)
    return part(f"application/octet-stream{name_fields[0]}", b64(data),
                "Content-Transfer-Encoding: base64",
                f"Content-Disposition: attachment{name_fields[1]}")


RFC2231 = ("", ";\r\n filename*0*=UTF-8''%E8%B3%87%E6%96%99;\r\n filename*1=\"-2026.pdf\"")
RFC2047 = (';\r\n name="' + encoded_word("資料.xls", "ISO-2022-JP") + '"',
           ';\r\n filename="' + encoded_word("資料.xls", "ISO-2022-JP") + '"')
PLAIN_NAME = ('; name="report.pdf"', '; filename="report.pdf"; size=1234')


def nested(depth):
    inner = part("text/plain", b"the innermost part\r\n")
    for level in range(depth):
        inner = multipart("mixed", f"level-{level}", inner,
                          part("text/plain", f"beside level {level}\r\n".encode()))
    return inner


def smime(random_):
    kind = 'signed; protocol="application/pkcs7-signature"; micalg=sha-256'
    return multipart(
        kind, "smime-1", text_in("utf-8", JAPANESE, "base64"),
        part('application/pkcs7-signature; name="smime.p7s"', b64(random_.randbytes(900)),
             "Content-Transfer-Encoding: base64",
             'Content-Disposition: attachment; filename="smime.p7s"'))


def report():
    status = b"Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; x@example.org\r\n" \
             b"Action: failed\r\nStatus: 5.1.1\r\n"
    return multipart("report", "report-1", part("text/plain", b"It could not be delivered.\r\n"),
                     part("message/delivery-status", status),
                     part("message/rfc822", b"From: <a@example.org>\r\nSubject: original\r\n\r\n"
                                            b"text\r\n"))


def flowed(random_):
    words = ["lorem", "ipsum", "dolor", "sit", "amet", ">quoted", "From the start", "-- "]
    text = " ".join(random_.choice(words) for _ in range(200))
    lines = textwrap.wrap(text, 70, break_long_words=False)
    return part("text/plain; charset=us-ascii; format=flowed; delsp=no",
                "".join(line + " \r\n" for line in lines).encode())


def bodies(random_, i):
    """All shapes; `i` varies them."""
    html = part("text/html; charset=UTF-8", f"<html><body><p>{JAPANESE}</p></body></html>\r\n".encode(),
                "Content-Transfer-Encoding: 8bit")
    picture = part('image/png; name="p.png"', b64(random_.randbytes(700 + i % 300)),
                   "Content-Transfer-Encoding: base64", f"Content-ID: <p{i}@example.jp>",
                   "Content-Disposition: inline")
    plain = text_in("utf-8", JAPANESE, "8bit")
    return [
        lambda: text_in("iso-2022-jp", JAPANESE, "7bit"),
        lambda: text_in("shift_jis", JAPANESE, "8bit"),
        lambda: text_in("cp932", HALFWIDTH, "base64"),
        lambda: text_in("euc-jp", JAPANESE, "8bit"),
        lambda: text_in("utf-8", JAPANESE + HALFWIDTH, "base64"),
        lambda: text_in("utf-8", EUROPEAN, "quoted-printable"),
        lambda: text_in("iso-8859-1", LATIN, "quoted-printable"),
        lambda: text_in("windows-1252", EUROPEAN, "8bit"),
        lambda: text_in("koi8-r", RUSSIAN, "8bit"),
        lambda: text_in("gb18030", CHINESE, "base64"),
        lambda: text_in("euc-kr", KOREAN, "8bit"),
        lambda: part("text/plain", b"no charset named, plain ASCII\r\n"),
        lambda: b"\r\nno MIME field at all\r\n",
        lambda: b"\r\n",
        lambda: flowed(random_),
        lambda: part("text/plain", b"x" * (900 + i % 90) + b"\r\nshort\r\n" * 5),
        lambda: part("text/plain", b".\r\n..\r\n.leading dots\r\nFrom the beginning\r\n"),
        lambda: multipart("alternative", f"alt-{i}", plain, html),
        lambda: multipart("related", f"rel-{i}", html, picture),
        lambda: multipart("mixed", f"mix-{i}", multipart("alternative", f"in-{i}", plain, html),
                          attachment(random_, PLAIN_NAME, 3000 + i)),
        lambda: multipart("mixed", f"mix-{i}", plain, attachment(random_, RFC2231, 2000 + i)),
        lambda: multipart("mixed", f"mix-{i}", text_in("iso-2022-jp", JAPANESE, "7bit"),
                          attachment(random_, RFC2047, 5000)),
        lambda: multipart("mixed", f"mix-{i}", plain, attachment(random_, PLAIN_NAME, 150000)),
        lambda: multipart("mixed", f"fwd-{i}", plain,
                          part("message/rfc822", b"From: <b@example.org>\r\nSubject: inner\r\n" +
                               multipart("alternative", f"deep-{i}", plain, html))),
        lambda: multipart("mixed", f"cal-{i}", plain, calendar(random_)),
        lambda: multipart("digest", f"dig-{i}",
                          b"\r\nFrom: a@example.org\r\nSubject: one\r\n\r\nfirst\r\n",
                          b"\r\nFrom: b@example.org\r\nSubject: two\r\n\r\nsecond\r\n"),
        lambda: nested(1 + i % 12),
        lambda: smime(random_),
        report,
        lambda: multipart("mixed", f"pre-{i}", plain, preamble=b"This is MIME.\r\n",
                          epilogue=b"epilogue\r\n"),
        lambda: part('multipart/mixed; boundary="never-closed"',
                     b"--never-closed\r\nContent-Type: text/plain\r\n\r\nopen end\r\n"),
        lambda: part("multipart/mixed", b"no boundary at all\r\n"),
        lambda: part("text/plain; charset=x-unknown-charset", b"what is this?\r\n"),
        lambda: part("application/pdf", b64(random_.randbytes(4000)),
                     "Content-Transfer-Encoding: base64"),
    ]


SUBJECTS = [
    "plain words", "", encoded_word("お打ち合わせの件", "UTF-8"),
    encoded_word("打合せ", "ISO-2022-JP"), encoded_word("請求書", "Shift_JIS"),
    encoded_word("Grüße", "ISO-8859-1", "Q"),
    encoded_word("長い件名は二つの", "UTF-8") + "\r\n " + encoded_word("語に分かれます", "UTF-8"),
    "Re: [list 123] a folded\r\n\tsubject line", "生の UTF-8 の件名", "=?UTF-8?B?broken!?=",
    'quotes " and \\ backslash', "x" * 400,
]
SENDERS = [
    "<plain@example.org>", '"Quoted, Name" <q@example.org>',
    encoded_word("山田太郎", "ISO-2022-JP") + " <yamada@example.jp>",
    "old.style@example.org (with a comment)", "a..b@docomo.ne.jp",
    "group: one@example.org, two@example.org;", "生のまま <raw@example.jp>",
]


def message(number):
    """Message `number`, bytes with CRLF. The same number gives the same bytes."""
    random_ = random.Random(number)
    shapes = bodies(random_, number)
    body = shapes[number % len(shapes)]()
    date = DATE.format(number // 3600 % 24, number // 60 % 60, number % 60)
    mime = "" if body.startswith(b"\r\n") else "MIME-Version: 1.0\r\n"
    extra = "X-Long: " + "y" * 3000 + "\r\n" if number % 50 == 7 else ""
    head = (f"Received: from a.example.org ([192.0.2.{number % 250}])\r\n"
            f"\tby b.example.org with ESMTP; {date}\r\n"
            f"From: {SENDERS[number % len(SENDERS)]}\r\n"
            f"To: <u1@example.jp>, \"Second\" <u2@example.jp>\r\n"
            f"Subject: {SUBJECTS[number % len(SUBJECTS)]}\r\n"
            f"Date: {date}\r\nMessage-ID: <corpus-{number}@example.org>\r\n{mime}{extra}")
    return head.encode() + body


def messages(count=1000):
    return [message(number) for number in range(count)]


if __name__ == "__main__":
    everything = messages()
    for one in everything:
        bare = one.replace(b"\r\n", b"")
        assert b"\r" not in bare and b"\n" not in bare, one
        assert max(map(len, one.split(b"\r\n"))) < 4000
    print(len(everything), "messages,", sum(map(len, everything)), "bytes")
