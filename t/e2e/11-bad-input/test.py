"""What goes wrong on real machines: full disks, broken queue files, strange Maildirs, floods."""

import os
import socket
import time

from suite import check, equal, message, wait_until


def deliver(suite, subject="x", address="u1@example.jp", body="x\r\n", headers=""):
    with suite.smtp() as client:
        client.sendmail("a@example.org", [address],
                        message("a@example.org", address, subject, body, headers))


def test_queue_files_cut_short_or_with_garbage(suite):
    folder = suite.path("queue/message")
    owner = suite.uidbase + 7
    for name, data in (("0000000000000", b""), ("0000000000001", b"garbage\n" * 100),
                       ("0000000000002", os.urandom(10000)), ("not-an-id", b"x"),
                       ("0000000000003", b"mail-suite-queue 1\nid 0000000000003\nsize 00000000")):
        path = os.path.join(folder, name)
        with open(path + ".tmp", "wb") as file:
            file.write(data)
        os.chown(path + ".tmp", owner, owner)
        os.rename(path + ".tmp", path)
    deliver(suite, "beside garbage")
    suite.wait_messages("u1@example.jp", 1)
    suite.kill9("queued")
    suite.wait_ready()
    deliver(suite, "after a restart beside garbage")
    suite.wait_messages("u1@example.jp", 2)
    check("0000000000001" in suite.logs("queued"), "the log names the broken file")
    wait_until(lambda: suite.queue() == ["not-an-id"], "the queue has only what is no queue file, left alone")
    os.unlink(os.path.join(folder, "not-an-id"))


def test_full_disk_in_the_queue(suite):
    """A small file system of its own for the queue: 4xx, and all that was accepted comes through."""
    suite.stop()
    queue = suite.path("queue")
    os.rename(queue, queue + ".kept")
    os.mkdir(queue)
    check(os.system(f"mount -t tmpfs -o size=2m,nr_inodes=60 tmpfs {queue}") == 0, "mount")
    try:
        os.system(f"cp -a {queue}.kept/. {queue}/")
        os.chown(queue, *[os.stat(queue + ".kept").st_uid] * 2)
        suite.start()
        os.system(f"s6-svc -d {suite.path('service/queued')}")
        wait_until(lambda: not suite.processes("queued"), "queued down, so that mail piles up")
        before = len(suite.mailbox("u2@example.jp"))
        codes = []
        for number in range(60):
            try:
                deliver(suite, f"fill {number}", "u2@example.jp", "y" * 900 + "\r\n" + "z\r\n" * 30000)
                codes.append(250)
            except Exception as error:
                codes.append(getattr(error, "smtp_code", 0))
        check(250 in codes, f"some were taken: {codes}")
        check(any(400 <= code < 500 for code in codes), f"the others got 4xx: {codes}")
        check(all(code == 250 or 400 <= code < 500 for code in codes), f"nothing else: {codes}")
        os.system(f"s6-svc -u {suite.path('service/queued')}")
        suite.wait_messages("u2@example.jp", before + codes.count(250), 120)
        suite.wait_queue_empty()
        equal(len(suite.mailbox("u2@example.jp")), before + codes.count(250), "messages")
    finally:
        suite.stop()
        os.system(f"umount {queue}")
        os.rmdir(queue)
        os.rename(queue + ".kept", queue)
        suite.start()


def test_strange_maildirs(suite):
    maildir = suite.path("mail/example.jp/u1/Maildir")
    uid = os.stat(maildir).st_uid
    names = ["plain", "1700000000.M1P1.host,S=5:2,S", "1700000001.x:2,", "1700000002.y,U=4294967295:2,S",
             "dup,U=7:2,", "dup2,U=7:2,", "n" * 240, "1700000003.z,S=99999999999999999999:2,ZZ",
             "with space", "new\nline"]
    for number, name in enumerate(names):
        path = os.path.join(maildir, "cur" if number % 2 else "new", name)
        with open(path, "wb") as file:
            file.write(b"Subject: foreign\n\nLF only\n")
        os.chown(path, uid, uid)
    os.makedirs(os.path.join(maildir, "cur/a-directory"))
    os.symlink("/etc/passwd", os.path.join(maildir, "new/link"))
    with suite.imap("u1@example.jp") as client:
        count = int(client.select("INBOX")[1][0])
        check(count >= len(names), f"{count} messages")
        found = client.search(None, "SUBJECT", "foreign")[1][0].split()
        check(len(found) >= len(names) - 1, f"{len(found)} readable ones")
        body = client.fetch(found[0], "(BODY.PEEK[])")[1][0][1]
        equal(body, b"Subject: foreign\r\n\r\nLF only\r\n", "LF becomes CRLF")
        text = str(client.fetch(f"1:{count}", "(BODY.PEEK[TEXT])"))
        check("root:" not in text, "a link leads nowhere")


def test_wrong_owner_and_missing_folders(suite):
    maildir = suite.path("mail/example.jp/u2/Maildir")
    uid = os.stat(maildir).st_uid
    os.system(f"rm -rf {maildir}/tmp {maildir}/new")
    deliver(suite, "folders missing", "u2@example.jp")
    suite.wait_messages("u2@example.jp", 1)
    suite.wait_queue_empty()
    os.chown(maildir, 0, 0)
    deliver(suite, "wrong owner", "u2@example.jp")
    time.sleep(2)
    equal(len(suite.queue()), 1, "the message waits")
    check("u2" in suite.logs("spawnd") + suite.logs("queued"), "the log names the place")
    os.chown(maildir, uid, uid)
    suite.mailctl("queue", "flush")
    suite.wait_queue_empty()


def test_silent_clients_and_floods(suite):
    """Thousands of connections that say nothing: the others are still served."""
    idle = []
    try:
        for number in range(3000):
            one = socket.socket()
            one.settimeout(5)
            one.bind((f"127.0.{1 + number // 40 % 200}.{1 + number % 40}", 0))
            try:
                one.connect(("127.0.0.1", suite.ports["smtp"]))
                idle.append(one)
            except OSError:
                one.close()
                break
        before = len(suite.mailbox("u1@example.jp"))
        suite.submit("u2@example.jp", ["u1@example.jp"],
                     message("u2@example.jp", "u1@example.jp", "through the flood"))
        suite.wait_messages("u1@example.jp", before + 1)
    finally:
        for one in idle:
            one.close()
    wait_until(lambda: len(suite.processes("smtpd")) < 10, "the flood's processes are gone")
    deliver(suite, "after the flood")


def test_headers_of_ten_megabytes_and_deep_mime(suite):
    with suite.smtp() as client:
        try:
            client.sendmail("a@example.org", ["u1@example.jp"],
                            b"Subject: huge\r\n" + b"X-Header: y\r\n" * 800000 + b"\r\nx\r\n")
            raise AssertionError("a header of 10 MB was taken")
        except Exception as error:
            check(getattr(error, "smtp_code", 0) // 100 == 5, f"{error}")
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i)
                    for i in range(1000)) + b"\r\nbottom\r\n"
    data = b"From: <a@example.org>\r\nSubject: deep\r\nMIME-Version: 1.0\r\n" + deep
    with suite.imap("u2@example.jp") as client:
        client.append("INBOX", "", None, data)
        client.append("INBOX", "", None,
                      b"Subject: huge\r\n" + b"X-Header: y\r\n" * 800000 + b"\r\nx\r\n")
        client.select("INBOX")
        count = int(client.select("INBOX")[1][0])
        start = time.monotonic()
        for number in range(1, count + 1):
            check(client.fetch(str(number), "(BODYSTRUCTURE ENVELOPE RFC822.SIZE)")[0] == "OK",
                  "structure")
        print(f"bad input: structures of {count} messages in {time.monotonic() - start:.1f} s")
