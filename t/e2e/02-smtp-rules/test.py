"""Who may send what to whom, and how strictly the lines are read."""

import base64

from dialogue import Dialogue, greeted, logged_in, plain
from suite import check, equal, message

OVER_SIZE = "552 sorry, that message size exceeds my databytes limit (#5.3.4)"


def prepare(suite):
    suite.control("databytes", "100000\n")
    suite.control("errors-max", "5\n")
    suite.control("recipients-max", "100\n")
    suite.add_domain("example.jp", "u1", "u2")
    suite.mailctl("child", "add", "example.jp", "www.example.jp")
    suite.rebuild()
    suite.start()


def test_recipients_on_port_25(suite):
    with greeted(suite) as smtp:
        smtp.expect("EHLO c", "250")
        smtp.expect("MAIL FROM:<a@example.org>", "250 2.1.0")
        smtp.expect("RCPT TO:<u1@example.jp>", "250 2.1.5")
        smtp.expect("RCPT TO:<U2@EXAMPLE.JP>", "250 2.1.5")
        smtp.expect("RCPT TO:<u1@www.example.jp>", "250 2.1.5")
        smtp.expect("RCPT TO:<nobody-here@example.jp>", "550 5.1.1")
        smtp.expect("RCPT TO:<postmaster@example.jp>", "250")
        smtp.expect("RCPT TO:<u1@example.org>", "55")


def test_no_relaying_for_loopback(suite):
    with greeted(suite) as smtp:
        smtp.expect("EHLO localhost", "250")
        smtp.expect("MAIL FROM:<u1@example.jp>", "250")
        reply = smtp.expect("RCPT TO:<x@example.org>", "55")
        check("5.7.1" in reply, reply)
        for trick in ("<x%example.org@example.jp>", "<@example.jp:x@example.org>",
                      '<"x@example.org"@example.jp>'):
            reply = smtp.ask("RCPT TO:" + trick)
            check(reply.startswith("5") or reply.startswith("421"), f"{trick}: {reply}")


def test_auth_only_under_tls(suite):
    with greeted(suite, "submission") as smtp:
        reply = smtp.expect("EHLO c", "250")
        check("STARTTLS" in reply and "AUTH" not in reply, reply)
        smtp.expect("AUTH PLAIN " + plain("u1@example.jp", "x"), "5")
        smtp.expect("MAIL FROM:<u1@example.jp>", "530")
    with greeted(suite) as smtp:
        check("AUTH" not in smtp.expect("EHLO c", "250"), "no AUTH on port 25")
    with Dialogue(suite.ports["submissions"]) as smtp:
        smtp.start_tls()
        smtp.expect(None, "220")
        reply = smtp.expect("EHLO c", "250")
        check("AUTH PLAIN LOGIN" in reply and "STARTTLS" not in reply, reply)
        smtp.expect("MAIL FROM:<u1@example.jp>", "530 5.7.0")


def test_every_form_of_auth(suite):
    password = suite.password("u1@example.jp")
    words = [base64.b64encode(word.encode()).decode() for word in ("u1@example.jp", password)]
    steps = [
        [("AUTH PLAIN " + plain("u1@example.jp", password), "235")],
        [("AUTH PLAIN", "334"), (plain("u1@example.jp", password), "235")],
        [("AUTH LOGIN", "334 VXNlcm5hbWU6"), (words[0], "334 UGFzc3dvcmQ6"), (words[1], "235")],
        [("AUTH LOGIN " + words[0], "334 UGFzc3dvcmQ6"), (words[1], "235")],
        [("AUTH PLAIN", "334"), ("*", "501")],
        [("AUTH PLAIN !!!", "501")],
        [("AUTH CRAM-MD5", "504")],
        [("AUTH PLAIN " + plain("u1@example.jp", "wrong"), "535 5.7.8")],
        [("AUTH PLAIN " + plain("nobody-here@example.jp", "wrong"), "535 5.7.8")],
    ]
    for step in steps:
        with greeted(suite, "submission") as smtp:
            smtp.expect("EHLO c", "250")
            smtp.expect("STARTTLS", "220")
            smtp.start_tls()
            smtp.expect("EHLO c", "250")
            for command, start in step:
                smtp.expect(command, start)


def test_sender_must_belong_to_the_account(suite):
    with logged_in(suite) as smtp:
        smtp.expect("MAIL FROM:<u2@example.jp>", "553 5.7.1")
        smtp.expect("MAIL FROM:<x@example.org>", "553 5.7.1")
        smtp.expect("MAIL FROM:<u1@example.jp>", "250")
        smtp.expect("RSET", "250")
        smtp.expect("MAIL FROM:<u1@www.example.jp>", "250")
        smtp.expect("RCPT TO:<somebody@example.org>", "250")


def test_order_of_commands(suite):
    with greeted(suite) as smtp:
        smtp.expect("MAIL FROM:<a@example.org>", "503")
        smtp.expect("HELO c", "250")
        smtp.expect("RCPT TO:<u1@example.jp>", "503")
        smtp.expect("DATA", "503")
        smtp.expect("NONSENSE", "500")


def test_too_many_errors(suite):
    with greeted(suite) as smtp:
        smtp.expect("EHLO c", "250")
        replies = []
        while len(replies) < 20:
            reply = smtp.ask("NONSENSE")
            replies.append(reply[:3])
            if reply.startswith("421") or not reply:
                break
        equal(replies[-1], "421", "the end of patience")
        check(len(replies) <= 7, f"after {len(replies)} errors")
        equal(smtp.line(), b"", "the connection")


def test_size_announced_and_real(suite):
    with greeted(suite) as smtp:
        check("SIZE 100000" in smtp.expect("EHLO c", "250"), "SIZE offered")
        equal(smtp.ask("MAIL FROM:<a@example.org> SIZE=100001"), OVER_SIZE, "at MAIL")
        for size, wanted in ((100000, "250 2.0.0"), (100001, OVER_SIZE)):
            head = b"From: <a@example.org>\r\nSubject: size\r\n\r\n"
            body = (b"y" * 78 + b"\r\n") * 2000
            data = (head + body)[:size - 2] + b"\r\n"
            data = data.replace(b"\r\r\n", b"y\r\n").replace(b"y\n\r\n", b"yy\r\n")
            equal(len(data), size, "the test's own message")
            smtp.expect("MAIL FROM:<a@example.org>", "250")
            smtp.expect("RCPT TO:<u2@example.jp>", "250")
            smtp.expect("DATA", "354")
            smtp.send(data + b".\r\n")
            smtp.expect(None, wanted)


def test_bare_line_ends_are_refused(suite):
    """SMTP smuggling: a second message hidden behind something that is almost a final dot."""
    before = len(suite.mailbox("u1@example.jp"))
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"x\ny\r\n", b"x\ry\r\n"):
        with greeted(suite) as smtp:
            smtp.expect("EHLO c", "250")
            smtp.expect("MAIL FROM:<a@example.org>", "250")
            smtp.expect("RCPT TO:<u1@example.jp>", "250")
            smtp.expect("DATA", "354")
            smtp.send(b"Subject: smuggled\r\n\r\nx" + end + b"MAIL FROM:<evil@example.org>\r\n"
                      b"RCPT TO:<u1@example.jp>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\n")
            reply = smtp.reply()
            check(reply.startswith("5"), f"{end!r}: {reply}")
            check(b"354" not in smtp.until_closed(), f"{end!r}: no command is taken from the body")
    suite.wait_queue_empty()
    equal(len(suite.mailbox("u1@example.jp")), before, "messages delivered")


def test_pipelining(suite):
    with greeted(suite) as smtp:
        smtp.expect("EHLO c", "250")
        smtp.send("MAIL FROM:<a@example.org>\r\nRCPT TO:<u1@example.jp>\r\n"
                  "RCPT TO:<none@example.jp>\r\nDATA\r\n")
        equal([smtp.reply()[:3] for _ in range(4)], ["250", "250", "550", "354"], "replies")
        smtp.send("Subject: pipelined\r\n\r\nx\r\n.\r\nQUIT\r\n")
        equal([smtp.reply()[:3] for _ in range(2)], ["250", "221"], "replies")


def test_too_many_recipients(suite):
    with greeted(suite) as smtp:
        smtp.expect("EHLO c", "250")
        smtp.expect("MAIL FROM:<>", "250")
        for number in range(100):
            smtp.expect(f"RCPT TO:<u1+{number}@example.jp>", "250")
        smtp.expect("RCPT TO:<u2@example.jp>", "452 4.5.3")


def test_long_lines_and_nuls(suite):
    with greeted(suite) as smtp:
        smtp.expect("EHLO " + "x" * 5000, "5")
        smtp.expect("NOOP", "250")
        smtp.expect(b"NO\0OP\r\n", "5")
        smtp.expect("NOOP", "250")
    with greeted(suite) as smtp:
        try:
            for _ in range(100):
                smtp.send(b"x" * 1000000)
            smtp.send(b"\r\n")
            reply = smtp.reply()
        except (BrokenPipeError, ConnectionResetError):
            reply = smtp.reply()
        check(reply == "" or reply[0] in "45", f"100 MB in one line: {reply}")


def test_starttls_forgets_plaintext(suite):
    """CVE-2011-0411: what was sent before the handshake must not be obeyed after it."""
    with greeted(suite, "submission") as smtp:
        smtp.expect("EHLO c", "250")
        smtp.send("STARTTLS\r\nEHLO injected\r\nNOOP\r\n")
        smtp.expect(None, "220")
        try:
            smtp.start_tls()
        except OSError:
            return  # the bytes spoiled the handshake: just as good
        smtp.send("QUIT\r\n")
        equal(smtp.reply()[:3], "221", "first reply after the handshake")


def test_ends_at_every_point(suite):
    """A client that vanishes after each byte of a dialogue leaves nothing behind."""
    suite.wait_queue_empty()
    before = len(suite.mailbox("u2@example.jp"))
    text = (b"EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<u2@example.jp>\r\nDATA\r\n"
            b"Subject: cut\r\n\r\nx\r\n.\r\n")
    for size in range(0, len(text) - 1, 3):
        with Dialogue(suite.ports["smtp"]) as smtp:
            smtp.reply()
            smtp.send(text[:size])
    with suite.smtp() as client:
        client.sendmail("a@example.org", ["u2@example.jp"],
                        message("a@example.org", "u2@example.jp", "whole"))
    suite.wait_messages("u2@example.jp", before + 1)
    suite.wait_queue_empty()
    equal(len(suite.mailbox("u2@example.jp")), before + 1, "messages delivered")
