"""Reports as senders ask for them, delays, the operator's verbs, restarts, customers that take turns."""

import contextlib
import email
import json
import os
import re
import signal
import smtplib
import socket
import subprocess
import time
import zlib

from sink import Sink
from suite import Suite, check, client_tls, equal, message, wait_until

SINKS = {}


def prepare(suite):
    SINKS["plain"] = Sink()
    SINKS["dsn"] = Sink()
    SINKS["dsn"].extensions = SINKS["dsn"].extensions + ["DSN"]
    SINKS["slow"] = Sink()
    suite.add_domain("example.jp", "u1", "u2")
    suite.add_domain("other.jp", "u1")
    suite.control("smtproutes",
                  "".join(f"{name}.example:127.0.0.1:{sink.port}\n" for name, sink in SINKS.items())
                  + "dead.example:127.0.0.1:1\n")
    suite.rebuild()
    suite.start()


def send(suite, sender, recipients, data=None, mail=()):
    """recipients: address, or (address, options)"""
    client = suite.smtp("submission")
    client.starttls(context=client_tls())
    with client:
        client.login(sender, suite.password(sender))
        client.ehlo_or_helo_if_needed()
        equal(client.mail(sender, list(mail))[0], 250, "MAIL")
        for one in recipients:
            address, options = one if isinstance(one, tuple) else (one, [])
            equal(client.rcpt(address, options)[0], 250, f"RCPT {address} {options}")
        code, text = client.data(data or message(sender, "somebody@example.org", "hello"))
        equal(code, 250, f"DATA {text}")


def restart_queued(suite):
    before = suite.processes("queued")
    suite.kill9("queued")
    wait_until(lambda: suite.processes("queued") not in ([], before) and suite.listens("queued"),
               "another queued")


def status_parts(raw):
    """The report parsed, and its fields: of the message, then of each recipient."""
    report = email.message_from_bytes(raw)
    equal(report.get_content_type(), "multipart/report", "form")
    equal(report["Return-Path"], "<>", "Return-Path")
    status = report.get_payload()[1]
    equal(status.get_content_type(), "message/delivery-status", "second part")
    return report, status.get_payload()


def next_report(suite, address, before):
    wait_until(lambda: len(suite.mailbox(address)) > before, "a report")
    newest = max(suite.mailbox(address), key=os.path.getmtime)
    with open(newest, "rb") as file:
        return file.read()


def test_success_is_reported_where_our_duty_ends(suite):
    before = len(suite.mailbox("u1@example.jp"))
    send(suite, "u1@example.jp",
         [("u2@example.jp", ["NOTIFY=SUCCESS", "ORCPT=rfc822;alias+2Bx@example.jp"]),
          ("a@plain.example", ["NOTIFY=SUCCESS,FAILURE"]),
          ("b@dsn.example", ["NOTIFY=SUCCESS"]), "c@plain.example"],
         mail=["RET=FULL", "ENVID=QQ314159"])
    report, fields = status_parts(next_report(suite, "u1@example.jp", before))
    suite.wait_queue_empty()
    equal(len(suite.mailbox("u1@example.jp")), before + 1, "reports")
    equal(report["Subject"], "Successful Mail Delivery Report", "Subject")
    equal(fields[0]["Original-Envelope-Id"], "QQ314159", "Original-Envelope-Id")
    passed_on = any("NOTIFY=SUCCESS" in one for one in SINKS["dsn"].commands)
    equal(len(fields), 3 if passed_on else 4, "recipients reported")
    equal(fields[1]["Original-Recipient"], "rfc822; alias+x@example.jp", "Original-Recipient")
    equal(fields[1]["Final-Recipient"], "rfc822; u2@example.jp", "Final-Recipient")
    equal(fields[1]["Action"], "delivered", "Action")
    equal(fields[2]["Final-Recipient"], "rfc822; a@plain.example", "Final-Recipient")
    equal(fields[2]["Action"], "relayed", "Action")
    check(fields[2]["Status"].startswith("2."), "Status")
    equal(report.get_payload()[2].get_content_type(), "text/rfc822-headers", "headers alone")
    text = report.get_payload()[0].get_payload(decode=True).decode()
    check("delivered to the mailbox" in text and "メールボックスに配送されました" in text, "words")
    equal(os.listdir(suite.path("queue/failure")), [], "leftovers")


def refuse(words):
    return "550 5.1.1 no such user" if "gone" in words else "250 ok"


def test_failures_come_back_as_wanted(suite):
    SINKS["plain"].answers["RCPT"] = refuse
    body = "Hello.\r\n" * 100
    data = message("u1@example.jp", "gone@plain.example", "whole", body)
    cases = [(["RET=FULL"], [], "message/rfc822"), (["RET=HDRS"], [], "text/rfc822-headers"),
             ([], ["NOTIFY=FAILURE"], "message/rfc822")]
    for mail, options, wanted in cases:
        before = len(suite.mailbox("u1@example.jp"))
        send(suite, "u1@example.jp", [("gone@plain.example", options)], data, mail)
        report, fields = status_parts(next_report(suite, "u1@example.jp", before))
        equal(fields[1]["Action"], "failed", "Action")
        equal(fields[1]["Status"], "5.1.1", "Status")
        equal(fields[1]["Remote-MTA"], "dns; sink.example.org", "Remote-MTA")
        original = report.get_payload()[2]
        equal(original.get_content_type(), wanted, f"the original with {mail}")
        equal(body.replace("\r\n", "\n") in original.as_string().replace("\r\n", "\n"),
              wanted == "message/rfc822", "the body")
        suite.wait_queue_empty()
    before = len(suite.mailbox("u1@example.jp"))
    for options in (["NOTIFY=NEVER"], ["NOTIFY=SUCCESS"], ["NOTIFY=DELAY"]):
        send(suite, "u1@example.jp", [("gone@plain.example", options)])
    suite.wait_queue_empty()
    equal(len(suite.mailbox("u1@example.jp")), before, "reports nobody wanted")
    large = message("u1@example.jp", "gone@plain.example", "large", "x" * 70 + "\r\n" * 1)
    large += b"0123456789012345678901234567890123456789\r\n" * 2000
    send(suite, "u1@example.jp", ["gone@plain.example"], large, ["RET=FULL"])
    report, _ = status_parts(next_report(suite, "u1@example.jp", before))
    equal(report.get_payload()[2].get_content_type(), "text/rfc822-headers", "beyond bounce-size")
    suite.wait_queue_empty()
    SINKS["plain"].answers.clear()


def test_a_delay_is_told_once(suite):
    suite.set_host("delay-warning", "1")
    suite.set_host("retry-min", "10")
    time.sleep(5.5)  # settings are read every 5 seconds
    SINKS["plain"].answers["RCPT"] = "450 4.2.0 busy"
    before = len(suite.mailbox("u1@example.jp"))
    send(suite, "u1@example.jp", ["late@plain.example", ("late2@plain.example", ["NOTIFY=FAILURE"])])
    report, fields = status_parts(next_report(suite, "u1@example.jp", before))
    equal(report["Subject"], "Delayed Mail (still being retried)", "Subject")
    equal(len(fields), 2, "recipients that want to know")
    equal(fields[1]["Final-Recipient"], "rfc822; late@plain.example", "Final-Recipient")
    equal(fields[1]["Action"], "delayed", "Action")
    check(fields[1]["Status"].startswith("4."), "Status")
    check(fields[1]["Will-Retry-Until"], "Will-Retry-Until")
    wait_until(lambda: len(suite.queue()) == 1, "the report has left the queue")
    [name] = suite.queue()
    shown = json.loads(suite.mailctl("--json", "queue", "show", name))
    check("450 4.2.0 busy" in shown["recipients"][0]["reason"], f"reason: {shown}")
    equal(shown["recipients"][0]["warned"], True, "warned")
    check(shown["attempts"] >= 1 and shown["next-attempt"], "progress")
    restart_queued(suite)
    attempts = len(SINKS["plain"].commands)
    suite.mailctl("queue", "flush", name)
    wait_until(lambda: len(SINKS["plain"].commands) > attempts, "another attempt")
    time.sleep(1)
    equal(len(suite.mailbox("u1@example.jp")), before + 1, "warnings")
    SINKS["plain"].answers.clear()
    suite.mailctl("queue", "flush")
    suite.wait_queue_empty()
    suite.set_host("delay-warning", "14400")
    time.sleep(5.5)


def ids(suite, *words):
    return {row["id"]: row["state"] for row in
            json.loads(suite.mailctl("--json", "queue", "list", *words))}


def count(suite, *words):
    return json.loads(suite.mailctl("--json", "queue", *words))["messages"]


def test_the_operators_verbs(suite):
    for i in range(3):
        send(suite, "u1@example.jp", [f"x{i}@dead.example"])
    send(suite, "u2@example.jp", ["y@dead.example"])
    send(suite, "u1@other.jp", ["y@dead.example", "z@slow.example"])
    wait_until(lambda: suite.logs("queued").count("recipient=y@dead.example") >= 2, "attempts")
    wait_until(lambda: "delivered" in "".join(
        line for line in suite.logs("queued").splitlines() if "z@slow.example" in line), "z")
    equal(len(ids(suite)), 5, "messages")
    equal(len(ids(suite, "--sender", "example.jp")), 4, "of a domain")
    equal(len(ids(suite, "--sender", "u1@example.jp")), 3, "of a sender")
    equal(len(ids(suite, "--recipient", "y@dead.example")), 2, "to a recipient")
    equal(len(ids(suite, "--recipient", "slow.example")), 0, "that is done")
    equal(len(ids(suite, "--sender", "<>")), 0, "reports")
    equal(count(suite, "hold", "--sender", "u1@example.jp"), 3, "held")
    states = sorted(ids(suite).values())
    equal(states, ["hold", "hold", "hold", "queued", "queued"], "states")
    equal(count(suite, "release", "all", "--recipient", "x0@dead.example"), 1, "released")
    equal(count(suite, "requeue", "all"), 5, "begun anew")
    equal(set(ids(suite).values()), {"queued"}, "states")
    scans = suite.logs("queued").count("verdict=clean")
    equal(count(suite, "flush", "--recipient", "dead.example"), 5, "flushed by destination")
    wait_until(lambda: suite.logs("queued").count("verdict=clean") >= scans, "scans")
    equal(count(suite, "delete", "--sender", "other.jp"), 1, "deleted")
    suite.mailctl("queue", "delete", wanted=1)
    suite.mailctl("queue", "hold", "nonsense", wanted=1)
    one = sorted(ids(suite))[0]
    suite.mailctl("queue", "hold", one)
    equal(count(suite, "delete", "all"), 4, "deleted")
    wait_until(lambda: not suite.queue(), "an empty queue")
    equal(os.listdir(suite.path("queue/hold")), [], "held")


def test_a_restart_scans_nothing_again(suite):
    for i in range(20):
        send(suite, "u1@example.jp", [f"x{i}@dead.example"])
    wait_until(lambda: len(suite.queue()) == 20 and
               len(re.findall(r"deferred.*x\d+@dead", suite.logs("queued"))) >= 20, "attempts")
    time.sleep(0.5)
    for _ in range(2):
        before = suite.logs("queued").count("verdict=clean")
        restart_queued(suite)
        suite.mailctl("queue", "flush")
        time.sleep(1)
        equal(suite.logs("queued").count("verdict=clean"), before, "scans")
    suite.mailctl("queue", "delete", "all")


def test_customers_take_turns(suite):
    """One queues hundreds for a slow server; another's one message, and mail between other boxes,
    goes through among the first."""
    sink = SINKS["slow"]
    sink.transactions.clear()

    def slow(_words):
        time.sleep(1)
        return "250 ok"

    sink.answers["DATA"] = slow
    client = suite.smtp("submission")
    client.starttls(context=client_tls())
    with client:
        client.login("u1@example.jp", suite.password("u1@example.jp"))
        for i in range(200):
            client.sendmail("u1@example.jp", [f"bulk{i}@slow.example"],
                            message("u1@example.jp", "x@slow.example", "bulk"))
    box = len(suite.mailbox("u2@example.jp"))
    start = time.monotonic()
    send(suite, "u1@other.jp", ["single@slow.example", "u2@example.jp"])
    suite.wait_messages("u2@example.jp", box + 1)
    local = time.monotonic() - start
    wait_until(lambda: any("single@slow.example" in one.recipients
                           for one in list(sink.transactions)), "the other's message")
    done = len(sink.transactions)
    took = time.monotonic() - start
    print(f"fairness: {done} of 201 were delivered when the other customer's message was, after "
          f"{took:.2f} s; its local copy after {local:.2f} s")
    check(took < 5 and done < 120, "the other customer waited")
    sink.answers.clear()
    suite.wait_queue_empty()
    equal(len(sink.transactions), 201, "all were delivered once")


def test_a_server_that_never_answers_holds_up_nobody(suite):
    """Its connections hang; a quarter of the workers stays for others."""
    hole = socket.socket()
    hole.bind(("127.0.0.1", 0))
    hole.listen(100)
    with open(suite.path("control/smtproutes"), "a", encoding="utf-8") as routes:
        for i in range(12):
            routes.write(f"hang{i}.example:[127.0.0.{i + 2}]:{hole.getsockname()[1]}\n")
    holes = [hole]
    for i in range(12):
        one = socket.socket()
        one.bind((f"127.0.0.{i + 2}", hole.getsockname()[1]))
        one.listen(100)
        holes.append(one)
    suite.set_host("concurrency-remote", "16")
    time.sleep(5.5)
    for i in range(12):
        for k in range(5):
            send(suite, "u1@example.jp", [f"x{k}@hang{i}.example"])
    time.sleep(1)
    start = time.monotonic()
    sink = SINKS["plain"]
    done = len(sink.transactions)
    for i in range(5):
        send(suite, "u1@other.jp", [f"quick{i}@plain.example"])
    wait_until(lambda: len(sink.transactions) == done + 5, "the others", 20)
    print(f"slow servers: 5 messages to another in {time.monotonic() - start:.2f} s")
    for one in holes:
        one.close()
    suite.mailctl("queue", "delete", "all")
    suite.wait_queue_empty()


class SmallDisk(Suite):
    """A suite whose queue, or mail store, lies on a small disk of its own in memory."""

    def __init__(self, folder, options):
        super().__init__()
        self.mounted = self.path(folder)
        os.mkdir(self.mounted, 0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options + ",mode=755", "small",
                        self.mounted], check=True)

    def remove(self):
        subprocess.run(["umount", "-l", self.mounted], check=False)
        super().remove()


def offer(suite, sender, recipient, size):
    """What the server says to a message of this size."""
    try:
        with suite.smtp() as client:
            client.sendmail(sender, [recipient], message(sender, recipient, "fill",
                                                         "x" * 70 + "\r\n" + "y\r\n" * (size // 3)))
        return 250, b""
    except smtplib.SMTPDataError as error:
        return error.smtp_code, error.smtp_error
    except smtplib.SMTPSenderRefused as error:
        return error.smtp_code, error.smtp_error
    except smtplib.SMTPRecipientsRefused as error:
        return next(iter(error.recipients.values()))


def pause_scanner(suite):
    """Once a message went through, all its processes are there; stopped, they start no other."""
    before = len(suite.mailbox("u1@example.jp"))
    equal(offer(suite, "a@example.org", "u1@example.jp", 100)[0], 250, "a first message")
    suite.wait_messages("u1@example.jp", before + 1)
    for path in suite.mailbox("u1@example.jp"):
        os.unlink(path)
    suite.wait_queue_empty()
    for _ in range(2):
        for pid, _name in suite.processes("scand"):
            os.kill(pid, signal.SIGSTOP)


def survives_a_full_queue(suite):
    """Fills the queue with mail that waits for the scanner; then lets it go."""
    suite.add_domain("example.jp", "u1")
    suite.start()
    pause_scanner(suite)
    accepted = 0
    while accepted < 400:
        code, text = offer(suite, "a@example.org", "u1@example.jp", 30000)
        if code != 250:
            break
        accepted += 1
    check(1 < accepted < 400, f"the disk is full after {accepted} messages")
    check(code == 452 and b"4.3.1" in text, f"a full queue: {code} {text}")
    equal(len(suite.queue()), accepted, "what was acknowledged is there")
    equal([name for name in os.listdir(suite.path("queue/message")) if name[0] == "."], [],
          "and nothing else")
    for pid, _ in suite.processes("scand"):
        os.kill(pid, signal.SIGCONT)
    suite.wait_messages("u1@example.jp", accepted)
    suite.wait_queue_empty()
    equal(offer(suite, "a@example.org", "u1@example.jp", 30000)[0], 250, "with room again")
    suite.wait_messages("u1@example.jp", accepted + 1)
    print(f"full queue: {accepted} messages acknowledged, then {code}; all delivered")


def test_a_full_queue_loses_nothing(_suite):
    with SmallDisk("queue", "size=1500k") as suite:
        survives_a_full_queue(suite)


def test_a_queue_without_inodes_loses_nothing(_suite):
    with SmallDisk("queue", "size=20m,nr_inodes=40") as suite:
        survives_a_full_queue(suite)


def test_reasons_that_find_no_room_lose_nothing(_suite):
    """The queue's disk is full when a recipient fails for good: it stays to do, and is reported when
    there is room."""
    with SmallDisk("queue", "size=600k") as suite, Sink() as sink:
        sink.answers["RCPT"] = "550 5.1.1 no such user"
        suite.add_domain("example.jp", "u1")
        suite.control("smtproutes", f":127.0.0.1:{sink.port}\n")
        suite.rebuild()
        suite.set_host("retry-min", "10")
        suite.start()
        pause_scanner(suite)
        send(suite, "u1@example.jp", ["gone@plain.example"])
        filler = os.open(suite.path("queue/filler"), os.O_WRONLY | os.O_CREAT, 0o600)
        with contextlib.suppress(OSError):
            while True:
                os.write(filler, b"x" * 4096)
        os.close(filler)
        for pid, _ in suite.processes("scand"):
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: "object=queue/failure" in suite.logs("queued"), "no room for the reason")
        [name] = suite.queue()
        with open(suite.path("queue/message", name), "rb") as file:
            check(b"\nT gone@plain.example" in file.read(), "it stays to do")
        equal(suite.mailbox("u1@example.jp"), [], "reports")
        os.unlink(suite.path("queue/filler"))
        suite.mailctl("queue", "flush")
        suite.wait_messages("u1@example.jp", 1)
        suite.wait_queue_empty()


def test_a_full_mail_store_loses_nothing(_suite):
    for options in ("size=600k", "size=20m,nr_inodes=30"):
        with SmallDisk("mail", options) as suite:
            suite.add_domain("example.jp", "u1")
            suite.start()
            sent = 0
            while sent < 60 and "deferred" not in suite.logs("queued"):
                equal(offer(suite, "a@example.org", "u1@example.jp", 30000)[0], 250, "taken")
                sent += 1
            wait_until(lambda: "deferred" in suite.logs("queued"), "a deferral")
            check("4.3.1" in suite.logs("queued"), "4.3.1 in the log")
            wait_until(lambda: len(suite.mailbox("u1@example.jp")) + len(suite.queue()) == sent and
                       all(f"deferred id={name} " in suite.logs("queued") for name in suite.queue()),
                       "every message is in one place, and none is under way")
            held = len(suite.queue())
            taken = suite.mailbox("u1@example.jp")
            for path in taken:
                os.unlink(path)
            suite.mailctl("queue", "flush")
            suite.wait_queue_empty()
            equal(len(suite.mailbox("u1@example.jp")), held, "delivered when there was room")
            print(f"full mail store ({options}): {sent} sent, {len(taken)} fitted, {held} waited")


WAITING = int(os.environ.get("WAITING", "100000"))
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def queue_id(microseconds):
    digits = ""
    for _ in range(11):
        digits = DIGITS[microseconds & 31] + digits
        microseconds >>= 5
    return digits + "00"


def fnv(numbers):
    """scanlog_check"""
    value = 14695981039346656037
    for number in numbers:
        for byte in number.to_bytes(8, "little"):
            value = (value ^ byte) * 1099511628211 % 2 ** 64
    return (value ^ value >> 32) & 0xffffffff


def fill(suite, count):
    """Messages for a dead destination, as they lie there after an hour: scanned, tried, waiting."""
    owner = os.stat(suite.path("queue/message"))
    now = time.time()
    body = b"From: <u1@example.jp>\r\nSubject: bulk\r\n\r\n" + b"x" * 200 + b"\r\n"
    with open(suite.path("queue/scanned/journal"), "wb") as journal:
        for i in range(count):
            name = queue_id(int(now * 1e6) - (count - i) * 1000)
            block = (f"mail-suite-queue 1\nid {name}\nsize {len(body):016d}\n"
                     f"check {zlib.crc32(body):08x}\narrived {int(now)}\n"
                     f"origin by=submission client=127.0.0.1 user=u1@example.jp\nbody 7bit\n"
                     f"sender u1@example.jp\nT x{i}@dead.example\n\n").encode()
            fd = os.open(suite.path("queue/message", name), os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(fd, block + body)
            os.fchown(fd, owner.st_uid, owner.st_gid)
            check_ = str(fnv([os.fstat(fd).st_ino, len(body)]))
            os.close(fd)
            fields = [name, check_, str(int(now)), ""]
            record = "".join(f"{len(field)}:{field}," for field in fields).encode()
            journal.write(b"%08x %s\n" % (zlib.crc32(record), record))
    os.chown(suite.path("queue/scanned/journal"), owner.st_uid, owner.st_gid)


def latency(suite, count=20):
    """Seconds from MAIL to the file in new/: median, longest."""
    times = []
    for _ in range(count):
        before = len(suite.mailbox("u2@example.jp"))
        start = time.monotonic()
        with suite.smtp() as client:
            client.sendmail("a@example.org", ["u2@example.jp"],
                            message("a@example.org", "u2@example.jp"))
        while len(suite.mailbox("u2@example.jp")) == before:
            time.sleep(0.001)
        times.append(time.monotonic() - start)
    times.sort()
    return f"{times[len(times) // 2] * 1000:.0f} ms (longest {times[-1] * 1000:.0f})", \
        times[len(times) // 2]


def memory(suite):
    with open(f"/proc/{suite.processes('queued')[0][0]}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) * 1024


def test_a_hundred_thousand_that_wait_slow_nobody(_suite):
    with Suite() as suite:
        suite.add_domain("example.jp", "u1", "u2")
        suite.control("smtproutes", "dead.example:127.0.0.1:1\n")
        suite.rebuild()
        suite.start()
        empty, empty_median = latency(suite)
        empty_memory = memory(suite)
        suite.stop()
        fill(suite, WAITING)
        suite.start()
        started = wait_until(lambda: re.search(rf"started messages={WAITING} ms=(\d+)",
                                               suite.logs("queued")), "queued in the log")
        check(started and int(started.group(1)) < 2000, f"start-up: {started}")
        first, first_median = latency(suite)
        each = (memory(suite) - empty_memory) / WAITING
        suite.mailctl("queue", "flush")
        flushed, flushed_median = latency(suite)
        start = time.monotonic()
        rows = json.loads(suite.mailctl("--json", "queue", "list"))
        listed = time.monotonic() - start
        check(len(rows) == WAITING, f"listed {len(rows)}")
        scans = suite.logs("queued").count("verdict=clean")
        print(f"queue of {WAITING}: read in {started.group(1)} ms; new mail takes {first} while it "
              f"starts, {flushed} after a flush of all, {empty} with an empty queue; {each:.0f} bytes "
              f"a message; listed in {listed:.1f} s")
        check(scans <= 60, f"what was scanned is scanned again: {scans}")
        check(first_median < empty_median * 4 + 0.05, "slow while it starts")
        check(flushed_median < empty_median * 4 + 0.1, "slow after a flush")
        check(each < 300, "bytes a message")
        start = time.monotonic()
        done = count(suite, "delete", "all")
        print(f"deleted {done} in {time.monotonic() - start:.1f} s")
        suite.wait_queue_empty()
