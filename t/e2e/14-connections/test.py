"""Connections: IPv6, PROXY protocol, limits, ten thousand at once, a stop that lets sessions end."""

import os
import resource
import socket
import struct
import time

from dialogue import Dialogue
from suite import check, equal, free_ports, message, wait_until

SUITE = {"ipv6": True}
FLOOD = 10000
PORTS = {}


def prepare(suite):
    PORTS["proxy"], = free_ports(1)
    with open(suite.path("control/listen"), "a", encoding="ascii") as file:
        file.write(f"smtp 127.0.0.1:{PORTS['proxy']} proxy\n")
    suite.control("proxies", "127.0.0.1\n")
    suite.control("connections-per-client", "5\n")
    suite.rebuild()
    suite.add_domain("example.jp", "u1", "u2")
    suite.start()


def banner(port, first=b"", source="127.0.0.1", host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), timeout=20,
                                      source_address=(source, 0)) as one:
            if first:
                one.sendall(first)
            return one.recv(500)
    except (ConnectionResetError, BrokenPipeError):
        return b""


def test_ipv6(suite):
    check(banner(suite.ports["smtp"], host="::1", source="::").startswith(b"220"), "on [::1]")


def proxy2(address, port):
    return (b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", 12) + socket.inet_aton(address) +
            socket.inet_aton("127.0.0.1") + struct.pack("!HH", port, 25))


def test_proxy_protocol(suite):
    for header, client in ((b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n", "192.0.2.7"),
                           (b"PROXY TCP6 2001:db8::7 ::1 4711 25\r\n", "2001:db8::7"),
                           (proxy2("192.0.2.8", 4712), "192.0.2.8")):
        check(banner(PORTS["proxy"], header).startswith(b"220"), f"{header}")
        wait_until(lambda client=client: f"client={client} " in suite.logs("smtp"),
                   f"{client} in the log")
    # One byte at a time, and with the first command right behind it.
    with Dialogue(PORTS["proxy"]) as smtp:
        for byte in b"PROXY TCP4 192.0.2.9 127.0.0.1 1 25\r":
            smtp.send(bytes([byte]))
            time.sleep(0.002)
        smtp.send(b"\nEHLO c\r\n")
        smtp.expect(None, "220")
        smtp.expect(None, "250")


def test_proxy_from_elsewhere_or_garbled_is_refused(suite):
    for first, source in ((b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n", "127.0.0.2"),
                          (b"EHLO no-header\r\n", "127.0.0.1"),
                          (b"PROXY TCP4 nonsense\r\n", "127.0.0.1"),
                          (b"PROXY " + b"x" * 200 + b"\r\n", "127.0.0.1"),
                          (b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c" + b"x" * 12, "127.0.0.1")):
        check(not banner(PORTS["proxy"], first, source).startswith(b"220"), f"{first} {source}")
    # Without "proxy" on its line a port takes no header.
    with Dialogue(suite.ports["smtp"]) as smtp:
        smtp.expect(None, "220")
        smtp.expect("PROXY TCP4 192.0.2.7 127.0.0.1 4711 25", "5")


def test_connections_per_client(suite):
    wait_until(lambda: not suite.sessions("smtpd"), "the sessions before have ended")
    open_ones = [Dialogue(suite.ports["smtp"]) for _ in range(5)]
    for one in open_ones:
        one.expect(None, "220")
    sixth = banner(suite.ports["smtp"])
    check(sixth.startswith(b"421 4.7.0"), f"the sixth: {sixth}")
    check(banner(suite.ports["smtp"], source="127.0.0.3").startswith(b"220"), "another client")
    check(banner(suite.ports["imap"]).startswith(b"* OK"), "another service")
    for one in open_ones:
        one.socket.close()
    wait_until(lambda: banner(suite.ports["smtp"]).startswith(b"220"), "room again")


def test_ten_thousand_connections_at_once(suite):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(FLOOD + 500, hard)), hard))
    idle = []
    start = time.monotonic()
    try:
        for number in range(FLOOD):
            one = socket.socket()
            one.setblocking(False)
            one.bind((f"127.{1 + number // 20000}.{number // 100 % 200}.{1 + number % 100}", 0))
            try:
                one.connect(("127.0.0.1", suite.ports["smtp"]))
            except BlockingIOError:
                pass
            idle.append(one)
        # A client of another service does not notice, and the flooded one answers in its words.
        before = len(suite.mailbox("u2@example.jp"))
        suite.submit("u1@example.jp", ["u2@example.jp"],
                     message("u1@example.jp", "u2@example.jp", "through the flood"))
        suite.wait_messages("u2@example.jp", before + 1)
        refused = banner(suite.ports["smtp"], source="127.0.0.4")
        check(refused == b"" or refused[:3] in (b"421", b"220"), f"{refused}")
        running = len(suite.sessions("smtpd"))
        check(running <= 1100, f"{running} processes")
        print(f"flood: {len(idle)} connections, {running} served at once, "
              f"{time.monotonic() - start:.1f} s")
    finally:
        for one in idle:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    wait_until(lambda: not suite.sessions("smtpd"), "the flood is gone")
    wait_until(lambda: banner(suite.ports["smtp"]).startswith(b"220"), "served again")


def test_graceful_stop_lets_sessions_end(suite):
    with Dialogue(suite.ports["smtp"]) as smtp:
        smtp.expect(None, "220")
        smtp.expect("EHLO c", "250")
        os.system(f"s6-svc -d {suite.path('service/smtp')}")
        wait_until(lambda: not suite.answers(suite.ports["smtp"]), "no new connections")
        before = len(suite.mailbox("u1@example.jp"))
        smtp.expect("MAIL FROM:<a@example.org>", "250")
        smtp.expect("RCPT TO:<u1@example.jp>", "250")
        smtp.expect("DATA", "354")
        smtp.send("Subject: last words\r\n\r\nx\r\n.\r\n")
        smtp.expect(None, "250")
        smtp.expect("QUIT", "221")
    suite.wait_messages("u1@example.jp", before + 1)
    os.system(f"s6-svc -u {suite.path('service/smtp')}")
    wait_until(lambda: suite.answers(suite.ports["smtp"]), "served again")


def test_more_of_the_operators_queue_commands(suite):
    """mailq and mailctl queue: hold, release, delete."""
    os.system(f"s6-svc -d {suite.path('service/scand')}")
    wait_until(lambda: not suite.processes("scand"), "scand down, so that mail waits")
    for number in range(2):
        suite.submit("u1@example.jp", ["u2@example.jp"],
                     message("u1@example.jp", "u2@example.jp", f"waiting {number}"))
    first, second = wait_until(lambda: len(suite.queue()) == 2 and suite.queue(), "two messages")
    listed = os.popen(suite.path("bin/mailq")).read()
    check(first in listed and second in listed and "u2@example.jp" in listed, listed)
    suite.mailctl("queue", "hold", first)
    check(first in suite.mailctl("queue", "list"), "a held message is listed")
    suite.mailctl("queue", "delete", second)
    equal(suite.queue(), [], "nothing waits but what is held")
    before = len(suite.mailbox("u2@example.jp"))
    os.system(f"s6-svc -u {suite.path('service/scand')}")
    wait_until(lambda: suite.listens("scand"), "scand up")
    time.sleep(1)
    equal(len(suite.mailbox("u2@example.jp")), before, "a held message stays")
    suite.mailctl("queue", "release", first)
    suite.wait_messages("u2@example.jp", before + 1)
    suite.wait_queue_empty()
    equal(len(suite.mailbox("u2@example.jp")), before + 1, "the deleted one is gone")
