"""What smtpd asks about its clients: reverse names, blocklists, greylisting, rates, patience.

Clients of any address come in by the PROXY protocol; dnsmasq on loopback is their DNS.
"""

import atexit
import contextlib
import os
import re
import socket
import subprocess
import time

from dialogue import Dialogue
from suite import check, equal, free_ports, message, wait_until

PORTS = {}
# Client: what the DNS has about it.
NAMED = "192.0.2.5"      # a name that leads back
UNNAMED = "192.0.2.6"    # nothing
LIAR = "192.0.2.7"       # a name that leads elsewhere
LISTED = "192.0.2.9"     # in bl.example, with a text
TAGGED = "192.0.2.10"    # in tag.example
ALLOWED = "198.51.100.1"  # in bl.example, and spared by an own line
NAMED6 = "2001:db8::5"
LISTED6 = "2001:db8::9"
NIBBLES6 = "9" + ".0" * 23 + ".8.b.d.0.1.0.0.2"

RBL = """# lists
bl.example
tag.example=127.0.0.[2..4]|127.0.1.0/24 tag
text.example=127.0.0.7 reject see https://text.example/%IP%
!198.51.100.0/24
"""


def start_dns(suite, port, extra=""):
    config = suite.path("dnsmasq.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(f"port={port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\n"
                   "local=/example/\nlocal=/in-addr.arpa/\nlocal=/ip6.arpa/\nlocal=/example.org/\n"
                   "host-record=client.example.org,192.0.2.5,2001:db8::5\n"
                   "ptr-record=7.2.0.192.in-addr.arpa,client.example.org\n"
                   "address=/9.2.0.192.bl.example/127.0.0.2\n"
                   "txt-record=9.2.0.192.bl.example,\"seen spamming\\r\\n250 ok\"\n"
                   "address=/1.100.51.198.bl.example/127.0.0.2\n"
                   # By this a list says that it does not answer us.
                   "address=/6.2.0.192.bl.example/127.255.255.254\n"
                   "address=/10.2.0.192.tag.example/127.0.0.3\n"
                   "address=/11.2.0.192.tag.example/127.0.0.5\n"
                   "address=/12.2.0.192.text.example/127.0.0.7\n"
                   f"address=/{NIBBLES6}.bl.example/127.0.0.2\n"
                   f"user=root\n{extra}")
    server = subprocess.Popen(["dnsmasq", "-k", "-C", config], stderr=subprocess.DEVNULL)
    atexit.register(server.kill)
    wait_until(lambda: answers_dns(port), "dnsmasq")
    return server


def answers_dns(port):
    question = b"\0\1\1\0\0\1\0\0\0\0\0\0\6client\7example\3org\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(0.2)
        with contextlib.suppress(OSError):
            one.sendto(question, ("127.0.0.1", port))
            return len(one.recv(512)) > len(question)
    return False


def prepare(suite):
    PORTS["proxy"], PORTS["dns"] = free_ports(2)
    with open(suite.path("control/listen"), "a", encoding="ascii") as file:
        file.write(f"smtp 127.0.0.1:{PORTS['proxy']} proxy\n")
    suite.control("proxies", "127.0.0.1\n")
    suite.control("resolver", f"127.0.0.1:{PORTS['dns']}\n")
    suite.control("greylist-delay", "2\n")
    suite.rebuild()
    suite.add_domain("example.jp", "u1", "u2")
    PORTS["server"] = start_dns(suite, PORTS["dns"])
    suite.start()


@contextlib.contextmanager
def client(address, greeting="220"):
    """A session of a client with that address, behind the greeting."""
    with Dialogue(PORTS["proxy"]) as smtp:
        family, ours = ("TCP6", "::1") if ":" in address else ("TCP4", "127.0.0.1")
        smtp.send(f"PROXY {family} {address} {ours} 4711 25\r\n".encode())
        smtp.expect(None, greeting)
        yield smtp


def begin(smtp, sender="a@example.org", recipient="u1@example.jp", wanted="250"):
    smtp.expect("EHLO client.example", "250")
    smtp.expect(f"MAIL FROM:<{sender}>", "250")
    return smtp.expect(f"RCPT TO:<{recipient}>", wanted)


def send(suite, address, recipient="u1@example.jp", sender="a@example.org"):
    """Sends a message from that client. Returns it as delivered."""
    before = len(suite.mailbox(recipient))
    with client(address) as smtp:
        begin(smtp, sender, recipient)
        smtp.expect("DATA", "354")
        smtp.send(message(sender or "nobody@example.org", recipient) + b".\r\n")
        smtp.expect(None, "250")
        smtp.expect("QUIT", "221")
    suite.wait_messages(recipient, before + 1)
    return max(suite.mailbox(recipient), key=os.path.getmtime)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def test_nothing_is_on_by_default(suite):
    text = read(send(suite, LISTED))
    check(b"X-Blocklist" not in text, "no list is asked")
    for name in ("greylisted", "blocklisted", "dns-silent"):
        check(name not in suite.logs("smtp") + suite.logs("lookupd"), name)


def test_reverse_name_in_received(suite):
    check(b"(client.example.org [192.0.2.5])" in read(send(suite, NAMED)), "the confirmed name")
    check('client=192.0.2.5 helo=client.example name=client.example.org"' in
          suite.logs("smtp"), "in the message's origin")
    check(b" ([192.0.2.6])" in read(send(suite, UNNAMED)), "no name")
    check(b" ([192.0.2.7])" in read(send(suite, LIAR)), "a name that does not lead back")
    check(b"(client.example.org [IPv6:2001:db8::5])" in read(send(suite, NAMED6)), "IPv6")
    # Loopback clients are nobody to ask about.
    suite.smtp().sendmail("a@example.org", ["u1@example.jp"], message("a@example.org", "u1@example.jp"))
    suite.wait_queue_empty()
    newest = max(suite.mailbox("u1@example.jp"), key=os.path.getmtime)
    check(b"([127.0.0.1])" in read(newest), "loopback")


def test_names_can_be_switched_off(suite):
    suite.set_host("client-names", "off")
    check(b" ([192.0.2.5])" in read(send(suite, NAMED)), "no name")
    suite.set_host("client-names", "on")
    check(b"(client.example.org [192.0.2.5])" in read(send(suite, NAMED)), "the name again")


def test_blocklists(suite):
    suite.control("rbl", RBL)
    suite.rebuild()
    with client(LISTED) as smtp:
        reply = begin(smtp, wanted="550")
        equal(reply, "550 5.7.1 192.0.2.9 is listed by bl.example: seen spamming??250 ok",
              "list and text, in one line")
        smtp.expect("RCPT TO:<unknown@example.jp>", "550 5.1.1")
        smtp.expect("RCPT TO:<Postmaster@example.jp>", "250")
        smtp.expect("DATA", "354")
        smtp.send(message("a@example.org", "postmaster@example.jp") + b".\r\n")
        smtp.expect(None, "250")
    text = suite.wait_messages("postmaster@example.jp", 1)[-1]
    check(b"\r\nX-Blocklist: 192.0.2.9 bl.example\r\n\t(seen spamming??250 ok)\r\n" in text,
          "the postmaster sees why")
    with client(LISTED6) as smtp:
        begin(smtp, wanted="550 5.7.1 2001:db8::9 is listed by bl.example")
    with client("192.0.2.12") as smtp:
        begin(smtp, wanted="550 5.7.1 192.0.2.12 is listed by text.example: "
                           "see https://text.example/192.0.2.12")
    check(b"\r\nX-Blocklist: 192.0.2.10 tag.example\r\n" in read(send(suite, TAGGED)), "tagged")
    for other in (NAMED, UNNAMED, ALLOWED, "192.0.2.11"):
        check(b"X-Blocklist" not in read(send(suite, other)), f"{other} is not listed")
    check("list=bl.example" in suite.logs("smtp"), "in the log")


def test_errors_of_the_file_are_said(suite):
    suite.control("rbl", "bl.example=127.0.0.300\n\nno_zone! tag\nbl.example maybe\n!192.0.2.1/24\n")
    done = subprocess.run([suite.path("bin/cdb"), "rebuild"], capture_output=True, text=True)
    for line in (1, 3, 4, 5):
        check(f"control/rbl line {line}: " in done.stderr, f"line {line}: {done.stderr}")
    equal(done.returncode, 1, "exit code")
    with client(LISTED) as smtp:
        begin(smtp, wanted="550")
    os.remove(suite.path("control/rbl"))
    suite.rebuild()
    send(suite, LISTED)


def test_greylisting(suite):
    suite.mailctl("user", "set", "u2@example.jp", "greylist", "on")
    with client(NAMED) as smtp:
        smtp.expect("EHLO client.example", "250")
        smtp.expect("MAIL FROM:<list-4711@example.org>", "250")
        # Each recipient has its own say.
        smtp.expect("RCPT TO:<u1@example.jp>", "250")
        reply = smtp.expect("RCPT TO:<u2@example.jp>", "450")
        check(re.fullmatch(r"450 4\.7\.1 greylisted, try again in [12] seconds", reply), reply)
    # What is known outlives the process.
    suite.kill9("lookupd")
    wait_until(lambda: suite.listens("lookupd"), "lookupd runs again")
    time.sleep(2.1)
    # From another address of its network, and with another number.
    send(suite, "192.0.2.200", "u2@example.jp", "list-4712@example.org")
    send(suite, NAMED, "u2@example.jp", "list-4713@example.org")
    with client("192.0.3.5") as smtp:
        begin(smtp, "list-4711@example.org", "u2@example.jp", wanted="450")
    # Not where one logs in, nor from this machine.
    suite.submit("u1@example.jp", ["u2@example.jp"], message("u1@example.jp", "u2@example.jp"))
    with Dialogue(suite.ports["smtp"]) as smtp:
        smtp.expect(None, "220")
        begin(smtp, "new@example.org", "u2@example.jp")


def test_greylisting_spares_callbacks_but_not_bounces(suite):
    with client("192.0.4.5") as smtp:
        begin(smtp, "", "u2@example.jp")
        smtp.expect("DATA", "450 4.7.1 greylisted, try again later")
        smtp.expect("MAIL FROM:<>", "250")
        smtp.expect("RCPT TO:<u1@example.jp>", "250")
        smtp.expect("DATA", "354")
        smtp.send(b"Subject: bounce\r\n\r\n.\r\n")
        smtp.expect(None, "250")
    time.sleep(2.1)
    send(suite, "192.0.4.5", "u2@example.jp", "")


def test_greylisting_knows_networks_in_the_end(suite):
    suite.set_host("greylist-passes", "1")
    with client(NAMED) as smtp:
        begin(smtp, "quite@new.example", "u2@example.jp")
    suite.set_host("greylist-passes", "0")
    with client(NAMED) as smtp:
        begin(smtp, "quite@other.example", "u2@example.jp", wanted="450")
    suite.mailctl("user", "set", "u2@example.jp", "greylist", "off")
    send(suite, "192.0.3.5", "u2@example.jp", "list-4711@example.org")


def test_rates(suite):
    suite.set_host("connection-rate", "2")
    for _ in range(2):
        with client("203.0.113.1") as smtp:
            smtp.expect("QUIT", "221")
    with client("203.0.113.1", "421 4.7.0 too many connections within a minute") as smtp:
        equal(smtp.until_closed(), b"", "the end of the connection")
    with client("203.0.113.2") as smtp:
        smtp.expect("QUIT", "221")
    suite.set_host("connection-rate", "0")
    with client("203.0.113.1") as smtp:
        smtp.expect("QUIT", "221")

    suite.set_host("message-rate", "1")
    with client("203.0.113.1") as smtp:
        begin(smtp)
        smtp.expect("RSET", "250")
        smtp.expect("MAIL FROM:<a@example.org>", "450 4.7.1 too much mail within a minute")
    with Dialogue(suite.ports["smtp"]) as smtp:
        smtp.expect(None, "220")
        for _ in range(3):
            begin(smtp)
            smtp.expect("RSET", "250")
    suite.set_host("message-rate", "0")

    suite.set_host("recipient-rate", "2")
    with client("203.0.113.3") as smtp:
        begin(smtp)
        smtp.expect("RCPT TO:<u2@example.jp>", "250")
        smtp.expect("RCPT TO:<u1@example.jp>", "450 4.7.1 too much mail within a minute")
    suite.set_host("recipient-rate", "0")


def test_early_talkers(suite):
    """Off: whoever pipelines too early is served. On: it is refused, and who waits is not."""
    header = b"PROXY TCP4 203.0.113.9 127.0.0.1 1 25\r\n"
    with Dialogue(PORTS["proxy"]) as smtp:
        smtp.send(header + b"EHLO early\r\n")
        smtp.expect(None, "220")
        smtp.expect(None, "250")
    suite.set_host("greet-delay", "300")
    with Dialogue(PORTS["proxy"]) as smtp:
        smtp.send(header + b"EHLO early\r\n")
        smtp.expect(None, "521 5.5.1 you spoke before the greeting")
    with client("203.0.113.9") as smtp:
        smtp.expect("EHLO patient", "250")
    suite.set_host("greet-delay", "0")


def test_tarpit(suite):
    """Answers to errors beyond the limit come later than those before; others don't wait."""
    suite.control("tarpit-errors", "2\n")
    suite.set_host("tarpit-delay", "1")
    with client("203.0.113.9") as smtp:
        times = []
        for _ in range(4):
            begun = time.monotonic()
            smtp.expect("NONSENSE", "500")
            times.append(time.monotonic() - begun)
        check(min(times[2:]) >= 1 > max(times[:2]), f"seconds: {times}")
        # While it waits, it has no place at our servers, and answers that are ready are out.
        begun = time.monotonic()
        smtp.send(b"NOOP\r\nNONSENSE\r\nNOOP\r\n")
        smtp.expect(None, "250")
        first = time.monotonic() - begun
        smtp.expect(None, "500")
        smtp.expect(None, "250")
        check(first < 1 <= time.monotonic() - begun, f"the first answer after {first} s")
    os.remove(suite.path("control/tarpit-errors"))
    suite.set_host("tarpit-delay", "0")


def test_dead_dns_stops_no_mail(suite):
    suite.control("rbl", RBL)
    PORTS["server"].kill()
    PORTS["server"].wait()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", PORTS["dns"]))
        suite.set_host("client-names", "on")
        begun = time.monotonic()
        check(b" ([198.18.0.1])" in read(send(suite, "198.18.0.1")), "let in unknown")
        check(time.monotonic() - begun < 30, "soon enough")
        # After a few of these a list is not waited for at all.
        with contextlib.ExitStack() as stack:
            sessions = [stack.enter_context(client(f"198.18.1.{number}")) for number in range(25)]
            for smtp in sessions:
                begin(smtp)
        wait_until(lambda: "dns-silent source=bl.example" in suite.logs("lookupd") and
                   'dns-silent source="reverse names"' in suite.logs("lookupd"), "said so")
        equal(suite.logs("lookupd").count("dns-silent source=bl.example"), 1, "once")
        begun = time.monotonic()
        send(suite, "198.18.2.1")
        check(time.monotonic() - begun < 4, "at once now")


def test_without_lookupd(suite):
    subprocess.run(["s6-svc", "-wd", "-d", suite.path("service/lookupd")], check=True)
    suite.mailctl("user", "set", "u2@example.jp", "greylist", "on")
    suite.set_host("message-rate", "1")
    send(suite, LISTED, "u2@example.jp")
    check("object=run/lookupd/socket" in suite.logs("smtp"), "said so")
    subprocess.run(["s6-svc", "-u", suite.path("service/lookupd")], check=True)
    PORTS["server"] = start_dns(suite, PORTS["dns"])
    wait_until(lambda: suite.listens("lookupd"), "lookupd runs again")
    suite.control("message-rate", "0\n")
    suite.rebuild()
    with client(LISTED) as smtp:
        begin(smtp, wanted="550")
