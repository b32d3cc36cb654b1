"""Sending to others: what they don't take, DSN, addresses to send from, relays with a login, bad servers."""

import email
import os
import pwd
import socket
import socketserver
import subprocess
import threading
import time

import certificates
from dialogue import Dialogue
from mailservers import Postfix
from sink import Sink
from suite import Suite, check, client_tls, equal, free_ports, message, wait_until

TEXT = "Grüße aus dem Süden.\r\n-- \r\n.dot\r\n" + "lang " * 300 + "\r\n"
HEAD = "MIME-Version: 1.0\r\nContent-Type: {}\r\nContent-Transfer-Encoding: {}\r\n"
SERVERS = {}


class Receiver(Postfix):
    """Postfix that takes all mail for x@postfix.example into one Maildir."""

    def __init__(self, folder, port, settings=""):
        store = os.path.join(folder, "store")
        os.makedirs(store)
        owner = pwd.getpwnam("nobody")
        os.chown(store, owner.pw_uid, owner.pw_gid)
        self.port, self.store = port, store
        super().__init__(folder, "error:nowhere", "virtual_mailbox_domains = postfix.example\n"
                         f"virtual_mailbox_base = {store}\nvirtual_mailbox_maps = static:all/\n"
                         f"virtual_uid_maps = static:{owner.pw_uid}\nvirtual_gid_maps = static:{owner.pw_gid}\n"
                         "virtual_minimum_uid = 1\nsmtpd_recipient_restrictions = reject_unauth_destination\n"
                         "smtpd_tls_security_level = none\n" + settings)

    def write(self, name, text):
        if name.endswith("master.cf"):
            text += f"127.0.0.1:{self.port} inet n - n - - smtpd\n"
        super().write(name, text)

    def messages(self):
        folder = os.path.join(self.store, "all/new")
        found = []
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), "rb") as file:
                found.append(file.read())
        return found


def prepare(suite):
    suite.add_domain("example.jp", "u1", "u2")
    suite.add_domain("bound.example", "u1")
    SERVERS["sink"] = Sink()
    suite.rebuild()
    suite.start()


def route(suite, **ports):
    suite.control("smtproutes", "".join(f"{name.replace('_', '.')}:127.0.0.1:{port}\n" for name, port in ports.items()))
    suite.rebuild()


def eight_bit(recipient):
    return message("u1@example.jp", recipient, "umlauts", "", HEAD.format("text/plain; charset=utf-8", "8bit")) + \
        TEXT.encode()


def body_of(text):
    """Decoded, with LF."""
    return email.message_from_bytes(text).get_payload(decode=True).replace(b"\r\n", b"\n")


# ---- what a server does not take ----

def test_eight_bits_for_a_postfix_that_takes_seven(suite):
    port = free_ports(1)[0]
    with Receiver(suite.path("postfix7"), port, "smtpd_discard_ehlo_keywords = 8bitmime, chunking, smtputf8, dsn\n") \
            as postfix:
        route(suite, postfix_example=port)
        suite.submit("u1@example.jp", ["x@postfix.example"], eight_bit("x@postfix.example"))
        text = wait_until(postfix.messages, "the message at Postfix")[0]
        check(max(text) < 128, "seven bits")
        check(b"Content-Transfer-Encoding: quoted-printable" in text, "quoted-printable")
        check(max(map(len, text.split(b"\n"))) <= 998, "no long line")
        equal(body_of(text), TEXT.encode().replace(b"\r\n", b"\n"), "the text is the same")
    suite.wait_queue_empty()


def test_chunks_and_dsn_to_postfix(suite):
    """CHUNKING without BINARYMIME; NOTIFY=SUCCESS is Postfix's to report."""
    port = free_ports(1)[0]
    with Receiver(suite.path("postfix8"), port,
                  f"sender_bcc_maps =\nrelayhost = [127.0.0.1]:{suite.ports['smtp']}\ndefault_transport = smtp\n") as postfix:
        route(suite, postfix_example=port)
        before = len(suite.mailbox("u1@example.jp"))
        client = suite.smtp("submission")
        client.starttls(context=client_tls())
        client.login("u1@example.jp", suite.password("u1@example.jp"))
        client.sendmail("u1@example.jp", ["x@postfix.example"], eight_bit("x@postfix.example"),
                        mail_options=["RET=HDRS", "ENVID=QQ314", "BODY=8BITMIME"], rcpt_options=["NOTIFY=SUCCESS"])
        large = message("u1@example.jp", "x@postfix.example", "large", "line\r\n" * 200000)
        client.sendmail("u1@example.jp", ["x@postfix.example"], large)
        client.quit()
        texts = wait_until(lambda: len(postfix.messages()) == 2 and postfix.messages(), "both at Postfix")
        first = [one for one in texts if b"umlauts" in one][0]
        check(b"Content-Transfer-Encoding: quoted-printable" in first, "a line was too long for 8bit")
        check(any(one.count(b"line\n") == 200000 for one in texts), "the large one is whole")
        report = suite.wait_messages("u1@example.jp", before + 1)[-1]
        check(b"postfix.example.org" in report and b"QQ314" in report, "Postfix reports, with the ENVID")
        suite.wait_queue_empty()
        equal(len(suite.mailbox("u1@example.jp")), before + 1, "we report nothing beside")


def binary_message(recipient):
    body = bytes(range(256)) * 20 + b"\r\nend\r\n"
    return message("u1@example.jp", recipient, "binary", "", HEAD.format("application/x-bytes", "binary")) + body, body


def send_binary(suite, recipient):
    text, body = binary_message(recipient)
    with Dialogue(suite.ports["smtp"]) as one:
        one.expect(None, "220")
        one.expect("EHLO client.example", "250")
        one.expect("MAIL FROM:<a@example.org> BODY=BINARYMIME", "250")
        one.expect(f"RCPT TO:<{recipient}>", "250")
        one.expect(b"BDAT %d LAST\r\n" % len(text) + text, "250")
    return body


def test_binary_for_readers(suite):
    before = len(suite.mailbox("u2@example.jp"))
    body = send_binary(suite, "u2@example.jp")
    text = suite.wait_messages("u2@example.jp", before + 1)[-1]
    equal(email.message_from_bytes(text).get_payload(decode=True), body, "the same bytes")
    check(b"\0" not in text and b"Content-Transfer-Encoding: base64" in text, "in base64")
    imap = suite.imap("u2@example.jp")
    imap.select()
    fetched = imap.fetch("*", "(BODY[])")[1][0][1]
    equal(email.message_from_bytes(fetched).get_payload(decode=True), body, "the same bytes by IMAP")
    imap.logout()


# ---- where from ----

def test_bindroutes(suite):
    sink = SERVERS["sink"]
    count = len(sink.transactions)
    suite.control("bindroutes", "example.jp 127.0.0.11\nbound.example 127.0.0.12 helo=out.bound.example\n* 127.0.0.13\n")
    route(suite, far_example=sink.port)
    wanted = {"u1@example.jp": ("127.0.0.11", "mail.example.jp"), "u1@bound.example": ("127.0.0.12", "out.bound.example"),
              "": ("127.0.0.13", "mail.example.jp"), "x@other.example": ("127.0.0.13", "mail.example.jp")}
    for sender in list(wanted) * 2:
        subprocess.run([suite.path("bin/sendmail"), "-f", sender, "x@far.example"], input=b"Subject: bound\n\nx\n",
                       check=True)
    done = wait_until(lambda: len(sink.transactions) == count + 8 and sink.transactions[count:], "eight messages")
    for one in done:
        equal((one.peer, one.helo), wanted[one.sender.split(">")[0][1:]], f"peer and name of {one.sender}")
    suite.control("bindroutes", "")
    suite.rebuild()


def test_bindroutes_are_checked(suite):
    suite.control("bindroutes", "example.jp 127.0.0.1 127.0.0.2\nexample.org mail\n.x\n")
    done = subprocess.run([suite.path("bin/cdb"), "rebuild"], capture_output=True, text=True)
    check(done.returncode != 0 and "line 1" in done.stderr + done.stdout and "line 2" in done.stderr + done.stdout and
          "line 3" in done.stderr + done.stdout, done.stderr + done.stdout)
    suite.control("bindroutes", "")


def test_a_connection_is_used_again_with_bounds(suite):
    sink = SERVERS["sink"]
    suite.set_host("sync-relayed", "off")
    route(suite, far_example=sink.port)
    count, connections = len(sink.transactions), sink.connections
    with open(suite.path("many.sh"), "w", encoding="ascii") as file:
        file.write("for i in $(seq 300); do printf 'Subject: %s\\n\\nx\\n' $i | "
                   f"{suite.path('bin/sendmail')} -f u1@example.jp x@far.example; done\n")
    subprocess.run(["sh", suite.path("many.sh")], check=True)
    wait_until(lambda: len(sink.transactions) >= count + 300, "300 messages")
    equal(len(sink.transactions), count + 300, "transactions")
    per = {}
    for one in sink.transactions[count:]:
        per[one.connection] = per.get(one.connection, 0) + 1
    check(max(per.values()) <= 100, f"messages of one connection: {per}")
    check(sink.connections - connections <= 60, f"{sink.connections - connections} connections for 300 messages")


# ---- relays with a login ----

def make_relay(relay):
    relay.add_domain("relay.example", "u1")
    pem = certificates.install(relay, "default", ["DNS:relay.example", "DNS:localhost"])
    relay.rebuild()
    relay.start()
    return pem


def send_by_relay(suite):
    subprocess.run([suite.path("bin/sendmail"), "-f", "u1@relay.example", "u1@relay.example"],
                   input=b"Subject: by relay\n\nx\n", check=True)


def authorize(suite, endpoint, password):
    suite.control("relayauth", f"{endpoint} u1@relay.example {password}\n")
    os.chmod(suite.path("control/relayauth"), 0o600)
    suite.rebuild()


def deferred(suite, text):
    wait_until(lambda: text in suite.logs("queued"), f"{text!r} in queued's log", 20)


def restart(suite, *names):
    """With what is new in control/; a worker is there again before anything is sent."""
    for name in names:
        suite.kill9(name)
    if "tlsd" in names:
        wait_until(lambda: suite.listens("tlsd"), "tlsd")
    time.sleep(0.5)


def test_relay_with_login(suite):
    with Suite() as relay:
        pem = make_relay(relay)
        endpoint = f"localhost:{relay.ports['submission']}"
        suite.control("inet-protocols", "ipv4\n")
        suite.control("smtproutes", f"relay.example:{endpoint}\n")
        # Nobody vouches for the certificate: the password is not said.
        authorize(suite, endpoint, "wrong word")
        restart(suite, "remote")
        send_by_relay(suite)
        wait_until(lambda: " 4.7.5" in suite.logs("queued") or "=4.7.5" in suite.logs("queued"), "deferred for TLS")
        check("AUTH" not in relay.logs("submission") and "login" not in relay.logs("authd"), "no password was said")
        # Now they do, but it is the wrong one: deferred, not bounced.
        suite.set_host("tls-ca", pem)
        restart(suite, "tlsd", "remote")
        suite.mailctl("queue", "flush")
        deferred(suite, "no login at the relay localhost")
        equal(len(suite.queue()), 1, "it waits")
        authorize(suite, endpoint, relay.password("u1@relay.example"))
        suite.mailctl("queue", "flush")
        text = relay.wait_messages("u1@relay.example", 1)[0]
        check(b"ESMTPSA" in text, "with TLS and login")
        suite.wait_queue_empty()
        # An operator who asks for less TLS gets no login.
        suite.control("tlspolicy", "localhost may\n")
        suite.rebuild()
        restart(suite, "remote")
        send_by_relay(suite)
        deferred(suite, "no password is said to localhost")
        suite.control("tlspolicy", "localhost encrypt\n")
        suite.rebuild()
        suite.mailctl("queue", "flush")
        relay.wait_messages("u1@relay.example", 2)
        suite.wait_queue_empty()
    for name in ("relayauth", "tlspolicy", "inet-protocols", "tls-ca"):
        os.unlink(suite.path("control", name))
    suite.rebuild()


def test_a_file_with_passwords_is_for_root_alone(suite):
    suite.control("relayauth", "mail.example:587 user word\n")
    os.chmod(suite.path("control/relayauth"), 0o644)
    done = subprocess.run([suite.path("bin/cdb"), "rebuild"], capture_output=True, text=True)
    check(done.returncode != 0 and "chmod 600" in done.stdout + done.stderr, done.stdout + done.stderr)
    os.unlink(suite.path("control/relayauth"))


# ---- servers that err ----

class Bad(socketserver.ThreadingTCPServer):
    """`play(connection, number)` for each connection; `messages` that were taken with 250."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, play):
        self.play, self.number, self.messages = play, 0, []
        super().__init__(("127.0.0.1", 0), None)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        self.number += 1
        try:
            self.play(self, request, self.number)
        except OSError:
            pass

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def say(connection, text, pieces=False):
    data = text.encode("latin-1")
    for part in ([data[i:i + 1] for i in range(len(data))] if pieces else [data]):
        connection.sendall(part)


def lines(connection):
    with connection.makefile("rb") as file:
        yield from file


def talk(server, connection, end, pieces=False, extensions="", data_limit=None):
    """A server that is good but for `end`, what it says to the message; None: closes without a word."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    say(connection, "220 bad.example ESMTP \xff\r\n", pieces)
    data = None
    for line in lines(connection):
        if data is not None:
            data += line
            if data_limit and len(data) > data_limit:
                return
            if line == b".\r\n":
                if end is None:
                    return
                if end.startswith("250"):
                    server.messages.append(data)
                say(connection, end, pieces)
                data = None
        elif line.startswith(b"EHLO"):
            say(connection, f"250-bad.example \xe9\r\n{extensions}250 SIZE\r\n", pieces)
        elif line == b"DATA\r\n":
            say(connection, "354 go on\r\n", pieces)
            data = b""
        elif line == b"QUIT\r\n":
            return
        else:
            say(connection, "250-ok \xfe\r\n250 ok\r\n", pieces)


def send_to(suite, server, body="x\r\n"):
    route(suite, bad_example=server.port)
    suite.submit("u1@example.jp", ["x@bad.example"], message("u1@example.jp", "x@bad.example", "to bad", body))


def test_replies_byte_by_byte(suite):
    with Bad(lambda server, one, _: talk(server, one, "250-2.0.0 \xe9\r\n250 taken\r\n", pieces=True,
                                         extensions="250-PIPELINING\r\n")) as server:
        send_to(suite, server)
        suite.wait_queue_empty()
        equal(len(server.messages), 1, "messages")


def test_closed_within_the_message(suite):
    """Tried again, whole, and once."""
    with Bad(lambda server, one, number: talk(server, one, "250 ok\r\n", data_limit=1000 if number == 1 else None)) \
            as server:
        send_to(suite, server, "line\r\n" * 100000)
        wait_until(lambda: server.number == 1 and "4.4.2" in suite.logs("queued"), "the first try")
        suite.mailctl("queue", "flush")
        suite.wait_queue_empty()
        equal([one.count(b"line\r\n") for one in server.messages], [100000], "messages")


def test_closed_behind_250(suite):
    def play(server, connection, _):
        for line in (b"220 x\r\n", b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            connection.sendall(line)
            data = connection.recv(100000)
        while not data.endswith(b"\r\n.\r\n"):
            data += connection.recv(100000)
        server.messages.append(b"")
        connection.sendall(b"250 taken\r\n")
        connection.shutdown(socket.SHUT_RDWR)
    with Bad(play) as server:
        send_to(suite, server)
        suite.wait_queue_empty()
        equal((server.number, len(server.messages)), (1, 1), "connections and messages")


def test_endless_replies(suite):
    def play(_server, connection, _number):
        while True:
            connection.sendall(b"220-all is well\r\n" * 50)
    with Bad(play) as server:
        send_to(suite, server)
        wait_until(lambda: "no SMTP" in suite.logs("queued"), "the reason in the log")
        equal(len(suite.queue()), 1, "it waits")
        suite.mailctl("queue", "delete", suite.queue()[0])
    suite.wait_queue_empty()


def test_lies_about_chunking(suite):
    """Offered, and then unknown: nothing is lost, nothing is taken for commands."""
    def play(server, connection, _number):
        say(connection, "220 liar\r\n")
        for line in lines(connection):
            if line.startswith(b"EHLO"):
                say(connection, "250-liar\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
            elif line.startswith((b"MAIL", b"RCPT")):
                say(connection, "250 ok\r\n")
            else:
                say(connection, "500 what?\r\n")
    with Bad(play) as server:
        before = len(suite.mailbox("u1@example.jp"))
        send_to(suite, server)
        text = suite.wait_messages("u1@example.jp", before + 1)[-1]
        check(b"500 what?" in text, "the bounce says what was said")
    suite.wait_queue_empty()


# ---- the DNS ----

def test_mail_that_would_come_back(suite):
    dns = free_ports(1)[0]
    sink = Sink(host="127.0.0.5", port=25)
    sink.greeting = "220 hello"
    config = suite.path("dnsmasq.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(f"port={dns}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\n"
                   "mx-host=self.example,a.self.example,10\nhost-record=a.self.example,127.0.0.5\n"
                   "local=/example/\nuser=root\n")
    server = subprocess.Popen(["dnsmasq", "-k", "-C", config], stderr=subprocess.DEVNULL)
    try:
        suite.control("smtproutes", "")
        suite.set_host("resolver", f"127.0.0.1:{dns}")
        for name, private, wanted in (("sink.example.org", "on", b"5.4.6"), ("mail.example.jp", "off", b"5.4.4")):
            suite.set_host("private-mx", private)
            suite.set_host("me", name)
            restart(suite, "remote")
            before = len(suite.mailbox("u1@example.jp"))
            suite.submit("u1@example.jp", ["x@self.example"], message("u1@example.jp", "x@self.example"))
            check(wanted in suite.wait_messages("u1@example.jp", before + 1)[-1], f"{wanted} in the bounce")
        equal(sink.transactions, [], "messages")
    finally:
        server.terminate()
        server.wait()
        sink.close()
    suite.wait_queue_empty()
