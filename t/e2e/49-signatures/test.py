"""Forwarded mail at the next server (SPEC R7.4): the author's DKIM signature holds, as real verifiers see it, and SPF
passes for the rewritten sender. Nothing is signed again."""

import base64
import re
import subprocess

import dkim
import spf

from dialogue import Dialogue
from sink import Sink
from suite import check, equal, wait_until

SINKS = {}
KEYS = {}  # what the DNS would say: name -> record
SIGNERS = {}  # selector -> how to sign
AUTHOR = "author@sender.example"
SPF = {"sender.example": b"v=spf1 ip4:192.0.2.7 -all", "example.jp": b"v=spf1 ip4:127.0.0.1 -all",
       "example.com": b"v=spf1 ip4:127.0.0.1 -all"}


def openssl(*words, text=b""):
    return subprocess.run(["openssl", *words], input=text, capture_output=True, check=True).stdout


def make_keys():
    rsa = openssl("genrsa", "-traditional", "2048")
    public = openssl("rsa", "-pubout", "-outform", "DER", text=rsa)
    SIGNERS["rsa"] = {"privkey": rsa}
    KEYS[b"rsa._domainkey.sender.example."] = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    ed25519 = openssl("genpkey", "-algorithm", "ed25519")
    public = openssl("pkey", "-pubout", "-outform", "DER", text=ed25519)[-32:]
    seed = openssl("pkey", "-outform", "DER", text=ed25519)[-32:]
    SIGNERS["ed25519"] = {"privkey": base64.b64encode(seed), "signature_algorithm": b"ed25519-sha256"}
    KEYS[b"ed25519._domainkey.sender.example."] = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public)


def prepare(suite):
    make_keys()
    SINKS["outside"], SINKS["old"] = Sink(), Sink()
    SINKS["old"].extensions.remove("8BITMIME")
    suite.add_domain("example.jp", "u1", "u2", "u3", "box")
    suite.add_domain("example.com", "v1")
    suite.control("smtproutes", f":127.0.0.1:{SINKS['outside'].port}\nold.example:127.0.0.1:{SINKS['old'].port}\n")
    suite.rebuild()
    suite.start()
    suite.mailctl("forward", "add", "u1@example.jp", "friend@outside.example")
    suite.mailctl("forward", "add", "u3@example.jp", "friend@old.example")
    suite.mailctl("forward", "add", "u2@example.jp", "--subject", "offer", "v1@example.com")
    suite.mailctl("forward", "add", "v1@example.com", "friend@outside.example")


def sign(text, selector="rsa", form=b"relaxed", **more):
    line = dkim.sign(text, selector.encode(), b"sender.example", canonicalize=(form, form), **SIGNERS[selector], **more)
    check(verify(line + text), "what we signed holds here")
    return line + text


def verify(text):
    return dkim.verify(text, dnsfunc=lambda name, timeout=5: KEYS.get(name))


def send(suite, recipient, text, body="8BITMIME"):
    """In one chunk: so the message may end as it likes."""
    with Dialogue(suite.ports["smtp"]) as one:
        one.expect(None, "220")
        one.expect("EHLO mail.sender.example", "250")
        one.expect(f"MAIL FROM:<{AUTHOR}> BODY={body}", "250")
        one.expect(f"RCPT TO:<{recipient}>", "250")
        one.expect(b"BDAT %d LAST\r\n" % len(text) + text, "250")
        one.expect("QUIT", "221")


def forwarded(suite, text, recipient="u1@example.jp", body="8BITMIME", server="outside"):
    """The transaction at the next server."""
    sink = SINKS[server]
    count = len(sink.transactions)
    send(suite, recipient, text, body)
    found = wait_until(lambda: len(sink.transactions) > count and sink.transactions, "the forwarded copy")
    suite.wait_queue_empty()
    equal(len(sink.transactions), count + 1, "copies")
    equal(found[count].recipients, [f"friend@{server}.example"], "to")
    return found[count]


def head(subject="an offer", more=""):
    return (f"From: Author <{AUTHOR}>\r\nTo: <u1@example.jp>\r\nSubject: {subject}\r\n"
            f"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n{more}").encode()


MIME = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
BODIES = {
    "plain": b"Hello.\r\n",
    "no body": b"",
    "one empty line": b"\r\n",
    "empty lines at the end": b"Hello.\r\n\r\n\r\n",
    "no line end at the end": b"Hello.\r\nThere",
    "8 bits": "日本語の本文です。\r\n".encode() * 20,
    "ISO-2022-JP": "日本語の本文です。\r\n".encode("iso-2022-jp") * 20,
    "bytes of no charset": bytes(range(128, 256)) + b"\r\n",
    "dots": b".\r\n..\r\n.From\r\n...x\r\n.\r\n",
    "blanks": b"a  b \t\r\n\t\r\n   \r\nc\t\t\r\n",
    "From at a line's start": b"From here on\r\n>From there\r\n",
    "lines of 998 bytes": (b"x" * 998 + b"\r\n") * 3,
    "1 MB": b"0123456789abcdef" * 4 + b"\r\n" + (b"line of some length, many times over\r\n" * 28000),
}


def test_R7_4_signatures_hold_whatever_the_body(suite):
    for name, body in BODIES.items():
        text = head(more=MIME) + b"\r\n" + body
        for form in (b"simple", b"relaxed"):
            signed = sign(text, form=form)
            copy = forwarded(suite, signed).data
            check(verify(copy), f"{name}, {form}")
            whole = signed if signed.endswith(b"\r\n") else signed + b"\r\n"
            check(copy.endswith(b"\r\n" + whole), f"{name}, {form}: the bytes behind our fields are those that came")


def test_R7_4_signatures_hold_whatever_the_header(suite):
    headers = {
        "folded and with blanks": head("an\r\n\toffer  of \r\n many  blanks\t", "X-Odd:no blank\r\nx-LOWER:   three\t \r\n"),
        "8 bits": head("日本語 offer"),
        "ISO-2022-JP": head().replace(b"an offer", "日本語".encode("iso-2022-jp")),
        "Received and Return-Path of others": b"Return-Path: <x@y.example>\r\nReceived: from a by b; Sat, 21 Nov 2026 11:00:00 "
                                              b"+0000\r\nReceived: from c by d; Sat, 21 Nov 2026 10:00:00 +0000\r\n" + head(),
        "a field twice": head(more="Comments: one\r\nComments: two\r\n"),
        "a long field": head(more="References: " + "\r\n ".join(f"<{number}@sender.example>" for number in range(300)) + "\r\n"),
        "Sender, Reply-To, lists": head(more="Reply-To: <r@sender.example>\r\nList-Id: <l.sender.example>\r\n"
                                             "List-Unsubscribe: <https://sender.example/u>\r\n"),
    }
    for name, fields in headers.items():
        for form in (b"simple", b"relaxed"):
            signed = sign(fields + b"\r\nHello.\r\n", form=form)
            check(verify(forwarded(suite, signed).data), f"{name}, {form}")


def test_R7_4_all_that_we_add_may_be_signed_as_absent(suite):
    """Who signs one Received more than there are says that none may come; for the others that is usual."""
    text = head() + b"\r\nHello.\r\n"
    absent = [b"from", b"from", b"to", b"to", b"subject", b"subject", b"date", b"date", b"message-id", b"cc", b"sender",
              b"reply-to", b"reply-to", b"in-reply-to", b"references", b"mime-version", b"content-type",
              b"content-transfer-encoding", b"list-id", b"list-unsubscribe", b"resent-from", b"resent-to", b"resent-date"]
    check(verify(forwarded(suite, sign(text, include_headers=absent)).data), "oversigned")


def test_R7_4_other_algorithms_and_several_signatures(suite):
    text = head() + b"\r\nHello.\r\n"
    copy = forwarded(suite, sign(sign(text, "ed25519"), "rsa")).data
    check(all(dkim.DKIM(copy).verify(number, dnsfunc=lambda name, timeout=5: KEYS.get(name)) for number in (0, 1)), "both hold")


def test_R7_4_to_a_server_without_8BITMIME(suite):
    """What is 7-bit is not touched; 8-bit content has to be encoded (RFC 6152 3), and says so in its fields."""
    text = sign(head() + b"\r\nHello.\r\n")
    for body in ("7BIT", "8BITMIME"):
        check(verify(forwarded(suite, text, "u3@example.jp", body, "old").data), f"7-bit, said to be {body}")
    copy = forwarded(suite, sign(head(more=MIME) + b"\r\n" + "日本語\r\n".encode()), "u3@example.jp", server="old").data
    check(all(byte < 128 for byte in copy) and not verify(copy), "encoded")


def test_R7_4_lines_that_SMTP_does_not_allow(suite):
    """RFC 5321 4.5.3.1.6: they have to be encoded for the next server."""
    copy = forwarded(suite, sign(head(more=MIME) + b"\r\n" + b"x" * 5000 + b"\r\n")).data
    check(max(len(line) for line in copy.split(b"\r\n")) <= 998 and not verify(copy), "encoded")


def test_R7_4_what_was_changed_is_found_out(suite):
    """The verifier is no rubber stamp."""
    copy = forwarded(suite, sign(head() + b"\r\nHello.\r\n")).data
    check(verify(copy), "as it came")
    check(not verify(copy.replace(b"Hello.", b"Hullo.")), "another body")
    check(not verify(copy.replace(b"an offer", b"[x] an offer")), "another subject")


def look_up(name, kind, *_words, **_options):
    text = SPF.get(name.rstrip(".").lower())
    return [((name, kind), (text,))] if text and kind == "TXT" else []


def judge_spf(transaction):
    spf.DNSLookup = look_up
    sender = re.match(r"<([^>]*)>", transaction.sender).group(1)
    return spf.check2(i=transaction.peer, s=sender, h=transaction.helo)[0], sender


def test_R7_4_SPF_passes_for_the_rewritten_sender(suite):
    text = sign(head() + b"\r\nHello.\r\n")
    transaction = forwarded(suite, text)
    result, sender = judge_spf(transaction)
    equal(result, "pass", sender)
    check(sender.startswith("SRS0=") and sender.endswith("@example.jp"), sender)
    transaction.sender = f"<{AUTHOR}>"
    equal(judge_spf(transaction)[0], "fail", "the author's own from here")


def test_R7_4_over_two_hops(suite):
    transaction = forwarded(suite, sign(head() + b"\r\nHello.\r\n"), "u2@example.jp")
    result, sender = judge_spf(transaction)
    equal(result, "pass", sender)
    check(sender.startswith("SRS1=") and sender.endswith("@example.com"), sender)
    check(verify(transaction.data), "the signature")
    equal(re.findall(rb"Delivered-To: (\S+)", transaction.data), [b"v1@example.com", b"u2@example.jp"], "the way")


def test_R7_4_nothing_is_signed_again(suite):
    """A signature of ours would say that we wrote it, in the author's place; his own counts."""
    copy = forwarded(suite, head() + b"\r\nHello.\r\n").data
    check(not re.search(rb"^(DKIM-Signature|ARC-[A-Za-z-]*|Authentication-Results):", copy, re.M | re.I), copy[:1000])


def test_R7_4_what_is_kept_verifies_too(suite):
    send(suite, "box@example.jp", sign(head() + b"\r\nHello.\r\n"))
    check(verify(suite.wait_messages("box@example.jp", 1)[0]), "in the mailbox")
