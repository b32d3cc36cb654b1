"""Mail for other domains: routes, several recipients, passing and permanent trouble, TLS, MX."""

import email
import os
import subprocess

from sink import Sink, server_tls
from suite import check, equal, free_ports, message, wait_until

SINKS = {}


def prepare(suite):
    SINKS["plain"] = Sink()
    SINKS["default"] = Sink()
    suite.add_domain("example.jp", "u1", "u2")
    suite.control("smtproutes", f"example.org:127.0.0.1:{SINKS['plain'].port}\n"
                                f":127.0.0.1:{SINKS['default'].port}\n")
    suite.rebuild()
    suite.start()


def send(suite, *recipients, subject="out"):
    suite.submit("u1@example.jp", list(recipients),
                 message("u1@example.jp", recipients[0], subject, "line\r\n.dot\r\n..\r\n"))


def delivered(sink, count):
    return wait_until(lambda: len(sink.transactions) >= count and sink.transactions,
                      f"{count} transactions")


def test_two_recipients_in_one_transaction(suite):
    sink = SINKS["plain"]
    send(suite, "a@example.org", "b@example.org")
    one = delivered(sink, 1)[0]
    equal(one.recipients, ["a@example.org", "b@example.org"], "recipients")
    check(one.sender.startswith("<u1@example.jp>"), f"sender {one.sender}")
    check(one.data.endswith(b"line\r\n.dot\r\n..\r\n"), "the body arrives as sent")
    suite.wait_queue_empty()
    equal(len(sink.transactions), 1, "transactions")
    equal(SINKS["default"].connections, 0, "connections to the default route")


def test_default_route(suite):
    send(suite, "c@elsewhere.example")
    equal(delivered(SINKS["default"], 1)[0].recipients, ["c@elsewhere.example"], "recipients")


def test_each_recipient_has_its_own_fate(suite):
    sink = SINKS["plain"]
    count = len(sink.transactions)
    tries = []

    def answer(words):
        if "gone@" in words:
            return "550 5.1.1 no such user here"
        if "later@" in words:
            tries.append(words)
            return "450 4.2.0 try later" if len(tries) == 1 else "250 ok"
        return "250 ok"

    sink.answers["RCPT"] = answer
    before = len(suite.mailbox("u1@example.jp"))
    send(suite, "good@example.org", "gone@example.org", "later@example.org")
    first = delivered(sink, count + 1)[count]
    equal(first.recipients, ["good@example.org"], "first attempt")
    wait_until(lambda: len(suite.queue()) == 1, "the rest waits")
    wait_until(lambda: ": deferred" in suite.logs("queued") or "Z" in suite.logs("queued"),
               "the deferral is in the log")
    suite.mailctl("queue", "flush")
    second = delivered(sink, count + 2)[count + 1]
    equal(second.recipients, ["later@example.org"], "second attempt")
    bounce = suite.wait_messages("u1@example.jp", before + 1)[-1]
    suite.wait_queue_empty()
    sink.answers.clear()
    parsed = email.message_from_bytes(bounce)
    equal(parsed["Return-Path"], "<>", "Return-Path of the bounce")
    equal(parsed.get_content_type(), "multipart/report", "form of the bounce")
    equal(parsed.get_param("report-type"), "delivery-status", "report-type")
    status = parsed.get_payload()[1]
    equal(status.get_content_type(), "message/delivery-status", "second part")
    fields = status.get_payload()[1]
    check("gone@example.org" in fields["Final-Recipient"], "Final-Recipient")
    equal(fields["Action"], "failed", "Action")
    equal(fields["Status"], "5.1.1", "Status")
    check("550 5.1.1 no such user here" in fields["Diagnostic-Code"], "Diagnostic-Code")
    check("good@example.org" not in str(status), "only the failed recipient is named")
    check(b"Message-ID" in bounce.partition(b"message/rfc822")[2] or
          b"From: " in bounce.partition(b"message/rfc822")[2], "the message came back whole")


def test_bounce_of_a_bounce_goes_to_the_postmaster(suite):
    sink = SINKS["plain"]
    sink.answers["RCPT"] = "550 5.1.1 nobody"
    before = len(suite.mailbox("postmaster@example.jp"))
    suite.set_host("postmaster", "postmaster@example.jp")
    sendmail = subprocess.run([suite.path("bin/sendmail"), "-f", "", "x@example.org"],
                              input=b"Subject: null sender\n\nx\n", capture_output=True)
    equal(sendmail.returncode, 0, f"sendmail {sendmail.stderr}")
    text = suite.wait_messages("postmaster@example.jp", before + 1)[-1]
    check(b"x@example.org" in text, "the double bounce names the recipient")
    sink.answers.clear()
    suite.wait_queue_empty()


def test_tls_when_offered_and_without_when_broken(suite):
    certificate = suite.path("control/tls/default")
    pems = sorted(name for name in os.listdir(certificate))
    keys = [name for name in pems if name.startswith("key")]
    certs = [name for name in pems if name.startswith("cert")]
    tls = server_tls(os.path.join(certificate, certs[0]), os.path.join(certificate, keys[0]))
    with Sink(tls=tls) as good, Sink(tls="broken") as broken:
        suite.control("smtproutes", f"tls.example:127.0.0.1:{good.port}\n"
                                    f"broken.example:127.0.0.1:{broken.port}\n")
        suite.rebuild()
        send(suite, "x@tls.example")
        check(delivered(good, 1)[0].tls, "TLS was used")
        send(suite, "x@broken.example")
        check(not delivered(broken, 1)[0].tls, "delivered without TLS after a broken handshake")
    suite.wait_queue_empty()


def test_mx_and_fall_over(suite):
    """dnsmasq says where; the first address does not answer, the second takes the mail."""
    dns, smtp = free_ports(2)
    del smtp
    with Sink(host="127.0.0.3", port=0) as sink:
        # All MX hosts answer on port 25; so the sink needs that port on an address of its own.
        sink.close()
        sink = Sink(host="127.0.0.3", port=25)
        config = suite.path("dnsmasq.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"port={dns}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\n"
                       "mx-host=mx.example,first.mx.example,10\n"
                       "mx-host=mx.example,second.mx.example,20\n"
                       "mx-host=null.example,.,0\n"
                       "host-record=first.mx.example,127.0.0.2\n"
                       "host-record=second.mx.example,127.0.0.3\n"
                       "host-record=plain.example,127.0.0.3\n"
                       "local=/example/\nuser=root\n")
        server = subprocess.Popen(["dnsmasq", "-k", "-C", config], stderr=subprocess.DEVNULL)
        try:
            suite.control("smtproutes", "")
            suite.set_host("resolver", f"127.0.0.1:{dns}")
            suite.kill9("remote")
            send(suite, "x@mx.example")
            equal(delivered(sink, 1)[0].recipients, ["x@mx.example"], "by the second MX")
            send(suite, "x@plain.example")
            equal(delivered(sink, 2)[1].recipients, ["x@plain.example"], "by the address")
            before = len(suite.mailbox("u1@example.jp"))
            send(suite, "x@missing.example")
            text = suite.wait_messages("u1@example.jp", before + 1)[-1]
            check(b"5.1.2" in text or b"5.4.4" in text, "no such domain")
        finally:
            server.terminate()
            server.wait()
            sink.close()
    suite.wait_queue_empty()
