"""Infected mail never reaches a mailbox, and no mail passes unscanned."""

import base64
import io
import os
import time
import zipfile

from suite import check, equal, message, wait_until

# The EICAR test string, put together here so that no file of the tree holds it.
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-" + "FILE!$H+H*"


def prepare(suite):
    os.makedirs(suite.path("signatures"))
    os.chmod(suite.path("signatures"), 0o755)
    suite.control("clamdb", suite.path("signatures") + "\n")
    suite.rebuild()
    suite.add_domain("example.jp", "u1", "u2")
    suite.start()


def attached(data, name):
    body = base64.encodebytes(data).decode().replace("\n", "\r\n")
    return message(
        "u1@example.jp", "u2@example.jp", f"attached {name}",
        f"--b\r\nContent-Type: text/plain\r\n\r\nsee there\r\n--b\r\n"
        f"Content-Type: application/octet-stream; name={name}\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{body}--b--\r\n",
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n")


def zipped(data, name="eicar.com"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def infected_count(suite):
    return suite.logs("queued").count(": infected ")


def test_eicar_in_many_wrappings(suite):
    eicar = EICAR.encode()
    cases = [message("u1@example.jp", "u2@example.jp", "bare", EICAR + "\r\n"),
             attached(eicar, "eicar.com"), attached(zipped(eicar), "eicar.zip"),
             attached(zipped(zipped(eicar), "inner.zip"), "outer.zip"),
             message("u1@example.jp", "u2@example.jp", "forwarded",
                     attached(eicar, "eicar.com").decode(),
                     "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n")]
    for number, data in enumerate(cases, 1):
        suite.submit("u1@example.jp", ["u2@example.jp"], data)
        wait_until(lambda number=number: infected_count(suite) >= number, f"case {number} stopped")
    suite.wait_queue_empty()
    equal(suite.messages("u2@example.jp"), [], "messages delivered")


def test_also_from_outside_and_from_the_host(suite):
    before = infected_count(suite)
    with suite.smtp() as client:
        client.sendmail("x@example.org", ["u2@example.jp"], attached(EICAR.encode(), "a.com"))
    wait_until(lambda: infected_count(suite) == before + 1, "by port 25: stopped")
    sendmail = os.popen(f"{suite.path('bin/sendmail')} -f u1@example.jp u2@example.jp", "w")
    sendmail.write(f"Subject: by sendmail\n\n{EICAR}\n")
    equal(sendmail.close(), None, "sendmail's exit")
    wait_until(lambda: infected_count(suite) == before + 2, "by sendmail: stopped")
    suite.wait_queue_empty()
    equal(suite.messages("u2@example.jp"), [], "messages delivered")


def test_harmless_mail_passes(suite):
    suite.submit("u1@example.jp", ["u2@example.jp"], attached(zipped(b"harmless"), "fine.zip"))
    suite.wait_messages("u2@example.jp", 1)


def test_new_signature_without_restart(suite):
    marker = b"a text that a signature of tomorrow will know"
    suite.submit("u1@example.jp", ["u2@example.jp"], attached(marker, "marker.txt"))
    suite.wait_messages("u2@example.jp", 2)
    name = suite.path("signatures/tomorrow.ndb")
    with open(name + ".new", "w", encoding="ascii") as file:
        file.write(f"Tomorrow:0:*:{marker.hex()}\n")
    os.chmod(name + ".new", 0o644)
    os.rename(name + ".new", name)
    # Mail keeps flowing while the new signatures are loaded; then it is caught.
    before = infected_count(suite)
    end = time.monotonic() + 60
    while infected_count(suite) == before:
        check(time.monotonic() < end, "the new signature is in use")
        suite.submit("u1@example.jp", ["u2@example.jp"], attached(marker, "marker.txt"))
        suite.wait_queue_empty()
    count = len(suite.mailbox("u2@example.jp"))
    suite.submit("u1@example.jp", ["u2@example.jp"], attached(marker, "marker.txt"))
    suite.wait_queue_empty()
    equal(len(suite.mailbox("u2@example.jp")), count, "messages once the signature is in use")


def test_mail_waits_while_the_scanner_is_down(suite):
    before = len(suite.mailbox("u2@example.jp"))
    service = suite.path("service/scand")
    os.system(f"s6-svc -d {service}")
    wait_until(lambda: not suite.processes("scand"), "scand down")
    suite.submit("u1@example.jp", ["u2@example.jp"],
                 message("u1@example.jp", "u2@example.jp", "waits"))
    time.sleep(3)
    equal(len(suite.mailbox("u2@example.jp")), before, "messages while the scanner is down")
    equal(len(suite.queue()), 1, "messages in the queue")
    os.system(f"s6-svc -u {service}")
    suite.wait_messages("u2@example.jp", before + 1)
