"""Extensions of SMTP and LMTP as other programs speak them: DSN, CHUNKING, BINARYMIME, XCLIENT, LIMITS."""

import contextlib
import email
import os
import re
import signal
import smtplib
import subprocess

from dialogue import Dialogue
from mailservers import Postfix
from suite import PATIENCE, check, equal, free_ports, message, wait_until


def prepare(suite):
    suite.add_domain("example.jp", "u1", "u2")
    suite.start()
    open_lmtp(suite)


def open_lmtp(suite):
    """A service that slept, for want of a line in control/listen, wakes up at HUP."""
    port = free_ports(1)[0]
    with open(suite.path("control/listen"), "a", encoding="utf-8") as file:
        file.write(f"lmtp 127.0.0.1:{port}\n")
    for pid, _ in suite.processes("tcpd"):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if file.read().split(b"\0")[1:2] == [b"lmtp"]:
                os.kill(pid, signal.SIGHUP)
    wait_until(lambda: suite.answers(port), "LMTP to be there")
    suite.ports["lmtp"] = port


def smtp(suite, service="smtp"):
    """A dialogue behind the greeting and EHLO."""
    dialogue = Dialogue(suite.ports[service])
    dialogue.expect(None, "220")
    dialogue.expect("LHLO client.example" if service == "lmtp" else "EHLO client.example", "250")
    return dialogue


@contextlib.contextmanager
def new_message(suite, address="u1@example.jp", count=1):
    """The messages that come in within; a list that is filled at the end."""
    before = set(suite.mailbox(address))
    found = []
    yield found
    fresh = wait_until(lambda: (len(set(suite.mailbox(address)) - before) >= count) and
                       sorted(set(suite.mailbox(address)) - before), f"{count} messages for {address}")
    for name in fresh:
        with open(name, "rb") as file:
            found.append(file.read())
    equal(len(found), count, f"messages for {address}")


def received(text):
    """The first Received field, unfolded."""
    start = text.index(b"Received: ")
    return re.sub(r"\r\n\s+", " ", re.match(rb"(?:[^\r]|\r\n[ \t])*", text[start:]).group(0).decode())


# ---- what is offered -----------------------------------------------------------------------------
def test_extensions_are_offered(suite):
    with Dialogue(suite.ports["smtp"]) as one:
        one.expect(None, "220 mail.example.jp ESMTP")
        lines = one.expect("EHLO client.example", "250").split("\n")
    for wanted in ["CHUNKING", "BINARYMIME", "DSN", "SMTPUTF8", "8BITMIME", "PIPELINING", "LIMITS RCPTMAX=1000",
                   "ENHANCEDSTATUSCODES"]:
        check(any(line[4:] == wanted for line in lines), f"{wanted} is not among {lines}")
    check(any(re.fullmatch(r"250-SIZE \d+", line) for line in lines), f"no limit stands in {lines}")
    check(not any("XCLIENT" in line for line in lines), "XCLIENT is offered to anybody")


# ---- CHUNKING and BINARYMIME ---------------------------------------------------------------------
def test_chunks_pipelined(suite):
    body = b"".join(b"line %06d of a message in chunks\r\n" % number for number in range(60000))
    text = message("a@example.org", "u1@example.jp", "chunks").replace(b"Hello.\r\n", body)
    commands = b"MAIL FROM:<a@example.org> BODY=8BITMIME SIZE=%d\r\nRCPT TO:<u1@example.jp>\r\n" % len(text)
    parts = [text[start:start + 99991] for start in range(0, len(text), 99991)]
    for part in parts:
        commands += b"BDAT %d\r\n" % len(part) + part
    with new_message(suite) as found, smtp(suite) as one:
        one.send(commands + b"BDAT 0 LAST\r\nQUIT\r\n")
        one.expect(None, "250 2.1.0")
        one.expect(None, "250 2.1.5")
        for part in parts:
            one.expect(None, f"250 2.0.0 {len(part)} octets")
        one.expect(None, "250 2.0.0 ok")
        one.expect(None, "221")
    check(found[0].endswith(text), "the message is not what was sent")


def test_binary_decodes_to_what_it_was(suite):
    """In the mailbox it has a form that POP3 and IMAP can give out."""
    head = message("a@example.org", "u1@example.jp", "binary", "",
                   "MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
                   "Content-Transfer-Encoding: binary\r\n")
    body = bytes(range(256)) * 40 + b"\r\n.\r\n\n.\n\r.\r" + b"\x00" * 3000 + b"no end"
    with new_message(suite) as found, smtp(suite) as one:
        one.expect("MAIL FROM:<a@example.org> BODY=BINARYMIME", "250")
        one.expect("RCPT TO:<u1@example.jp>", "250")
        one.expect("DATA", "503")
        one.expect(b"BDAT %d\r\n" % len(head) + head, "250")
        one.expect(b"BDAT %d LAST\r\n" % len(body) + body, "250")
    check(b"\0" not in found[0], "NUL in the mailbox")
    equal(email.message_from_bytes(found[0]).get_payload(decode=True), body, "what was sent")


def test_chunks_are_never_commands(suite):
    trap = b"QUIT\r\nRSET\r\nMAIL FROM:<x@example.org>\r\n"
    with smtp(suite) as one:
        one.expect(b"BDAT %d\r\n" % len(trap) + trap, "503")
        one.expect("MAIL FROM:<a@example.org>", "250")
        one.expect(b"BDAT %d LAST\r\n" % len(trap) + trap, "554")
        one.expect("RCPT TO:<u1@example.jp>", "250")
        one.expect(b"BDAT 3\r\na\nb", "550 5.6.0")
        one.expect(b"BDAT %d\r\n" % len(trap) + trap, "550 5.6.0")
        one.expect(b"BDAT %d LAST\r\n" % len(trap) + trap, "550 5.6.0")
        one.expect("NOOP", "250")
        one.expect("MAIL FROM:<a@example.org>", "250")
        one.expect("RCPT TO:<u1@example.jp>", "250")
        one.send(b"BDAT -1\r\n" + trap)
        one.expect(None, "501 5.5.4")
        equal(one.until_closed(), b"", "what follows a chunk of unknown size")


def test_a_message_too_big_in_chunks(suite):
    suite.set_host("databytes", 100000)
    with smtp(suite) as one:
        one.expect("MAIL FROM:<a@example.org>", "250")
        one.expect("RCPT TO:<u1@example.jp>", "250")
        one.expect(b"BDAT 60000\r\n" + b"x" * 59998 + b"\r\n", "250")
        one.expect(b"BDAT 60000 LAST\r\n" + b"QUIT\r\n" * 10000,
                   "552 sorry, that message size exceeds my databytes limit (#5.3.4)")
        one.expect("QUIT", "221")
    suite.set_host("databytes", 52428800)


# ---- DSN -----------------------------------------------------------------------------------------
def test_a_report_of_success_by_hand(suite):
    with new_message(suite, "u2@example.jp") as found, smtp(suite) as one:
        one.expect("MAIL FROM:<u2@example.jp> RET=HDRS ENVID=id+2B7", "250")
        one.expect("RCPT TO:<u1@example.jp> NOTIFY=SUCCESS ORCPT=rfc822;first+2Blast@example.net", "250")
        one.expect("DATA", "354")
        one.send(message("u2@example.jp", "u1@example.jp"))
        one.expect(".", "250")
    report = found[0].decode()
    for wanted in ["Original-Envelope-Id: id+7", "Original-Recipient: rfc822; first+last@example.net",
                   "Action: delivered"]:
        check(wanted.lower() in report.lower(), f"{wanted!r} is not in {report}")


def test_a_report_of_success_by_sendmail(suite):
    with new_message(suite, "u2@example.jp") as found:
        done = subprocess.run([suite.path("bin/sendmail"), "-N", "success", "-R", "hdrs", "-V", "by+2Dhand", "-f",
                               "u2@example.jp", "u1@example.jp"], input=b"Subject: x\n\nx\n", capture_output=True,
                              timeout=PATIENCE)
        equal(done.returncode, 0, done.stderr)
    check("Original-Envelope-Id: by-hand" in found[0].decode(), found[0].decode())


def test_wishes_that_are_none(suite):
    with smtp(suite) as one:
        one.expect("MAIL FROM:<a@example.org> RET=SOME", "501 5.5.4")
        one.expect("MAIL FROM:<a@example.org> ENVID=+", "501 5.5.4")
        one.expect("MAIL FROM:<a@example.org>", "250")
        one.expect("RCPT TO:<u1@example.jp> NOTIFY=NEVER,FAILURE", "501 5.5.4")
        one.expect("RCPT TO:<u1@example.jp> ORCPT=u1@example.jp", "501 5.5.4")
        one.expect("RCPT TO:<u1@example.jp> " + " ".join(f"P{number}=1" for number in range(100)), "555 5.5.4")


# ---- XCLIENT -------------------------------------------------------------------------------------
def test_xclient_of_a_listed_proxy(suite):
    with smtp(suite) as one:
        one.expect("XCLIENT ADDR=198.51.100.7", "550")
    suite.control("xclient", "127.0.0.1\n")
    suite.rebuild()
    with new_message(suite) as found, Dialogue(suite.ports["smtp"]) as one:
        one.expect(None, "220")
        check("XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT" in
              one.expect("EHLO proxy.example", "250"), "XCLIENT is not offered")
        # As nginx's mail proxy says it.
        one.expect("XCLIENT ADDR=198.51.100.7 NAME=mx.example.org", "220 mail.example.jp ESMTP")
        one.expect("MAIL FROM:<a@example.org>", "503")
        one.expect("EHLO mx.example.org", "250")
        one.expect("MAIL FROM:<a@example.org>", "250")
        one.expect("RCPT TO:<a@example.net>", "554")
        one.expect("RCPT TO:<u1@example.jp>", "250")
        one.expect("DATA", "354")
        one.send(message("a@example.org", "u1@example.jp"))
        one.expect(".", "250")
        one.expect("XCLIENT ADDR=198.51.100.8 LOGIN=u1@example.jp", "220")
        one.expect("EHLO home.example", "250")
        one.expect("MAIL FROM:<u1@example.jp>", "250")
        one.expect("RCPT TO:<a@example.net>", "250")
    check(received(found[0]).startswith("Received: from mx.example.org (mx.example.org [198.51.100.7]) by "
                                        "mail.example.jp with ESMTP id "), received(found[0]))
    wait_until(lambda: re.search(r"accepted .*client=198\.51\.100\.7", suite.logs("smtp")),
               "the client in the log")
    suite.control("xclient", "")
    suite.rebuild()


# ---- LMTP ----------------------------------------------------------------------------------------
def test_lmtp_by_smtplib(suite):
    """It reads one answer to the message, so there is one recipient; the dialogues below have more."""
    with new_message(suite) as found, smtplib.LMTP("127.0.0.1", suite.ports["lmtp"], timeout=PATIENCE) as client:
        refused = client.sendmail("a@example.org", ["none@example.jp", "u1@example.jp", "a@example.net"],
                                  message("a@example.org", "u1@example.jp"))
    equal({address: code for address, (code, _) in refused.items()},
          {"none@example.jp": 550, "a@example.net": 554}, "refused")
    check(" with LMTP id " in received(found[0]), received(found[0]))


def test_lmtp_answers_in_order(suite):
    with new_message(suite) as first, new_message(suite, "u2@example.jp"), smtp(suite, "lmtp") as one:
        for address in ("u1", "u2"):
            one.expect("MAIL FROM:<a@example.org>" if address == "u1" else "NOOP", "250")
            one.expect(f"RCPT TO:<{address}@example.jp>", "250")
        one.expect("DATA", "354")
        one.send(message("a@example.org", "u1@example.jp"))
        one.expect(".", "250 2.0.0 ok")
        one.expect(None, "250 2.0.0 ok")
        one.expect("QUIT", "221")
    check(" for <" not in received(first[0]), "one recipient hears of another")
    with new_message(suite), smtp(suite, "lmtp") as one:
        one.expect("EHLO client.example", "500")
        one.expect("MAIL FROM:<a@example.org>", "250")
        one.expect("DATA", "503")
        for _ in range(2):
            one.expect("RCPT TO:<u1@example.jp>", "250")
        one.expect(b"BDAT 6\r\na: b\r\n", "250 2.0.0 6 octets")
        one.expect(b"BDAT 5 LAST\r\n\r\nx\r\n", "250 2.0.0 ok")
        one.expect(None, "250 2.0.0 ok")
        one.expect("QUIT", "221")
    with Dialogue(suite.ports["smtp"]) as one:
        one.expect(None, "220")
        one.expect("LHLO client.example", "500")


def test_lmtp_by_swaks(suite):
    with new_message(suite) as found:
        done = subprocess.run(["swaks", "--protocol", "LMTP", "--server", "127.0.0.1", "--port",
                               str(suite.ports["lmtp"]), "--from", "a@example.org", "--to", "u1@example.jp"],
                              capture_output=True, text=True, timeout=PATIENCE)
        equal(done.returncode, 0, done.stdout + done.stderr)
    check(" with LMTP id " in received(found[0]), received(found[0]))


def test_lmtp_is_not_for_strangers(suite):
    suite.control("access", "lmtp 127.0.0.1 deny\n* 127.0.0.0/8 allow\n")
    suite.rebuild()
    with Dialogue(suite.ports["lmtp"]) as one:
        one.expect(None, "554 5.7.1")
    suite.control("access", "")
    suite.rebuild()


def test_postfix_delivers_by_lmtp(suite):
    with Postfix(suite.path("postfix-lmtp"), f"lmtp:inet:127.0.0.1:{suite.ports['lmtp']}") as postfix:
        with new_message(suite) as first, new_message(suite, "u2@example.jp") as second:
            postfix.send("a@example.org", ["u1@example.jp", "u2@example.jp", "none@example.jp"],
                         message("a@example.org", "u1@example.jp", "by Postfix").replace(b"\r\n", b"\n"))
        postfix.wait_log("to=<none@example.jp>")
        check(re.search(r"to=<none@example\.jp>.*status=bounced.*550 5\.1\.1", postfix.log()), postfix.log())
        check(re.search(r"to=<u1@example\.jp>.*dsn=2\.0\.0, status=sent \(250 2\.0\.0 ok", postfix.log()),
              postfix.log())
    check("Subject: by Postfix" in first[0].decode() and "Subject: by Postfix" in second[0].decode(),
          "not what was sent")


def test_postfix_hands_wishes_on(suite):
    """Its smtp client passes NOTIFY, ORCPT, RET and ENVID on to us, since we offer DSN."""
    with Postfix(suite.path("postfix-smtp"), f"smtp:[127.0.0.1]:{suite.ports['smtp']}",
                 "smtp_tls_security_level = may\n") as postfix:
        with new_message(suite) as found, new_message(suite, "u2@example.jp") as reports:
            postfix.send("u2@example.jp", ["u1@example.jp"],
                         message("u2@example.jp", "u1@example.jp", "by Postfix").replace(b"\r\n", b"\n"),
                         "-N", "success", "-R", "hdrs", "-V", "envelope-7")
    line = received(found[0])
    check(re.match(r"Received: from postfix\.example\.org \(\S*\[127\.0\.0\.1\]\) \(using TLSv1\.2 with cipher \S+ "
                   r"\(\d+/\d+ bits\)\) by mail\.example\.jp with ESMTPS id \S+ for <u1@example\.jp>; ", line), line)
    check("original-envelope-id: envelope-7" in reports[0].decode().lower(), reports[0].decode())


# ---- SMTPUTF8 ------------------------------------------------------------------------------------
def test_utf8_addresses(suite):
    with new_message(suite) as found, suite.smtp() as client:
        client.sendmail("あ@例え.jp", ["u1@example.jp"],
                        message("あ@例え.jp", "u1@example.jp", "日本語").replace(b"Hello", "こんにちは".encode()),
                        mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    check(" with UTF8SMTP id " in received(found[0]), received(found[0]))
    check("Subject: 日本語".encode() in found[0], "the subject is another")
    with smtp(suite) as one:
        one.expect("MAIL FROM:<あ@example.org>", "553 5.6.7")
        one.expect(b"MAIL FROM:<\xff@example.org> SMTPUTF8\r\n", "501 5.1.7")


# ---- bad input -----------------------------------------------------------------------------------
ENDS = [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n\n.\n", b"\r\r\n.\r\r\n",
        b"\r\n.\r\r\n", b"\n\r\n.\n", b"\r\n.\x00\r\n", b"\r\n.\t\r\n", b"\r\n. \r\n", b"\r\n\x00.\r\n"]
LEGAL = {b"\r\n.\x00\r\n", b"\r\n.\t\r\n", b"\r\n. \r\n", b"\r\n\x00.\r\n"}


def test_nothing_is_smuggled(suite):
    """Behind each thing that is not CRLF.CRLF stands a second transaction. It must not happen."""
    trap = b"MAIL FROM:<smuggler@example.org>\r\nRCPT TO:<u2@example.jp>\r\nDATA\r\nsmuggled\r\n.\r\n"
    before = suite.mailbox("u2@example.jp")
    for end in ENDS:
        with smtp(suite) as one:
            one.expect("MAIL FROM:<a@example.org>", "250")
            one.expect("RCPT TO:<u1@example.jp>", "250")
            one.expect("DATA", "354")
            one.send(b"Subject: x\r\n\r\nx" + end + trap + b"QUIT\r\n")
            replies = one.until_closed().decode().split("\n")
        if end in LEGAL:
            check(replies[0].startswith("250 2.0.0 ok"), f"{end!r}: {replies}")
            check(replies[1].startswith("221") or not replies[1], f"{end!r}: {replies}")
        else:
            check(replies[0].startswith("550 5.6.0"), f"{end!r}: {replies}")
            equal([line for line in replies[1:] if line], [], f"{end!r}: behind the refusal")
    suite.wait_queue_empty()
    equal(suite.mailbox("u2@example.jp"), before, "smuggled")


def test_commands_behind_starttls_are_forgotten(suite):
    with Dialogue(suite.ports["smtp"]) as one:
        one.expect(None, "220")
        one.expect("EHLO client.example", "250")
        one.send("STARTTLS\r\nEHLO injected\r\nMAIL FROM:<x@example.org>\r\n")
        one.expect(None, "220")
        one.start_tls()
        one.expect("RCPT TO:<u1@example.jp>", "503")
        one.expect("EHLO client.example", "250")
        one.expect("NOOP", "250 2.0.0 ok")


def test_what_strains_a_line(suite):
    with smtp(suite) as one:
        one.expect("MAIL FROM:<" + "x" * 65536 + "@example.org>", "500 5.5.2")
        one.expect(b"MAIL FROM:<a\x00@example.org>\r\n", "500 5.5.2")
        one.expect("MAIL FROM:<a..b@docomo.ne.jp>", "250")
        one.expect("RCPT TO:<@a.example,@b.example:u1@example.jp>", "250")
        one.expect('RCPT TO:<"u1"@example.jp>', "250")
        one.expect('RCPT TO:<"u1@example.jp>', "501")
        one.send(b"X" * 3000000)
        one.send(b"\r\nNOOP\r\n")
        one.expect(None, "500 5.5.2")
        one.expect(None, "250 2.0.0 ok")


def test_the_queue_ends_empty(suite):
    """The one recipient elsewhere has no server, so its message may wait."""
    wait_until(lambda: len(suite.queue()) <= 1, "a queue without more than the message for example.net")
    check(os.path.isdir(suite.path("queue/message")), "no queue")
