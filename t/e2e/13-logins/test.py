"""Logins: every mechanism, what plans allow, locks that end, states that stop an account."""

import crypt
import imaplib
import json
import poplib
import smtplib
import time

from suite import PATIENCE, Failure, check, client_tls, equal, message, wait_until


def prepare(suite):
    suite.control("lock-failures", "4\n")
    # Seconds are whole, and the way to "the lock outlives stated" takes eleven of them.
    suite.control("lock-time", "15\n")
    suite.control("apop", "on\n")
    with open(suite.path("control/plans/default"), "a", encoding="utf-8") as plan:
        plan.write("imap-sessions-least 200\n")
    suite.rebuild()
    suite.add_domain("example.jp", "u1", "u2", "u3")
    suite.add_domain("classic.example", "u1", plan="classic")
    suite.start()


def imap_login(suite, user, password, source="127.0.0.1"):
    """(OK or NO, the server's words)"""
    client = imaplib.IMAP4_SSL("127.0.0.1", suite.ports["imaps"], ssl_context=client_tls(),
                               timeout=PATIENCE) if source == "127.0.0.1" else \
        Elsewhere(suite.ports["imaps"], source)
    try:
        answer = client.login(user, password)
        client.logout()
        return "OK", answer[1][0].decode()
    except imaplib.IMAP4.error as error:
        client.shutdown()
        return "NO", str(error)


class Elsewhere(imaplib.IMAP4_SSL):
    """The same from another address of the loopback network."""

    def __init__(self, port, source):
        self.source = source
        super().__init__("127.0.0.1", port, ssl_context=client_tls(), timeout=PATIENCE)

    def _create_socket(self, timeout):
        import socket
        plain = socket.create_connection((self.host, self.port), timeout, (self.source, 0))
        return self.ssl_context.wrap_socket(plain, server_hostname=self.host)


def test_names_and_passwords(suite):
    good = suite.password("u1@example.jp")
    equal(imap_login(suite, "u1@example.jp", good)[0], "OK", "the right one")
    equal(imap_login(suite, "U1@EXAMPLE.JP", good)[0], "OK", "in capitals")
    for user, password in (("u1@example.jp", good.upper()), ("u1@example.jp", ""),
                           ("u1", good), ("none@example.jp", good), ("u1@example.org", good),
                           ("postmaster@example.jp", "")):
        result, words = imap_login(suite, user, password)
        equal(result, "NO", f"{user} {password!r}")
        check("AUTHENTICATIONFAILED" in words, words)
    suite.mailctl("state", "unlock", "u1@example.jp")
    suite.set_host("defaultdomain", "example.jp")
    equal(imap_login(suite, "u2", suite.password("u2@example.jp"))[0], "OK", "a bare local part")


def test_many_at_one_moment(suite):
    """More descriptors are on their way to authd than the kernel lets a uid with few files have there."""
    clients = []
    try:
        for number in range(100):
            clients.append(Elsewhere(suite.ports["imaps"], f"127.0.3.{1 + number % 10}"))
        for number, client in enumerate(clients):
            client.send(f"a LOGIN u{1 + number % 3}@example.jp \"secret of u{1 + number % 3}@example.jp\"\r\n".encode())
        for client in clients:
            line = client.readline()
            while line.startswith(b"* "):
                line = client.readline()
            check(line.startswith(b"a OK"), f"{line}")
    finally:
        for client in clients:
            client.shutdown()


def test_literals_and_quoted_strings(suite):
    """nginx's mail proxy logs in with synchronising literals."""
    from dialogue import Dialogue
    password = suite.password("u1@example.jp")
    with Dialogue(suite.ports["imaps"]) as imap:
        imap.start_tls()
        imap.line()
        imap.send("a LOGIN {13}\r\n")
        check(imap.line().startswith(b"+"), "first literal")
        imap.send(f"u1@example.jp {{{len(password)}}}\r\n")
        check(imap.line().startswith(b"+"), "second literal")
        imap.send(password + "\r\nb NOOP\r\n")
        check(imap.line().startswith(b"a OK"), "logged in")
        check(imap.line().startswith(b"b OK"), "and what was pipelined is answered")


def test_nonsense_before_login_is_bad(suite):
    """RFC 3501 7.1.3, RFC 2971 3.1; RFC 1939 4: NOOP belongs to the transaction state."""
    from dialogue import Dialogue
    with Dialogue(suite.ports["imaps"]) as imap:
        imap.start_tls()
        imap.line()
        for command in ("ID", "ID (((", "ID NIL x", 'ID ("a")', "LOGIN x", "SELECT INBOX"):
            imap.send(f"t {command}\r\n")
            check(imap.line().startswith(b"t BAD"), command)
        imap.send('t ID ("name" "x" "version" NIL)\r\n')
        check(imap.line().startswith(b"* ID"), "a good ID")
    with Dialogue(suite.ports["pop3s"]) as pop3:
        pop3.start_tls()
        pop3.line()
        for command in ("NOOP", "STAT", "RETR 1"):
            pop3.send(f"{command}\r\n")
            check(pop3.line().startswith(b"-ERR"), command)


def test_imported_hashes(suite):
    """Users move in from elsewhere with the hashes that they have."""
    users = suite.path("control/domains/example.jp/users")
    methods = {"sha512": crypt.METHOD_SHA512, "sha256": crypt.METHOD_SHA256,
               "bcrypt": crypt.METHOD_BLOWFISH, "md5": crypt.METHOD_MD5}
    with open(users, encoding="utf-8") as file:
        line = next(line for line in file if line.startswith("u3"))
    old = line.split(":")[1].split()[0] if ":" in line else line.split()[1]
    with open(users, "a", encoding="utf-8") as file:
        for name, method in methods.items():
            hashed = crypt.crypt("Imported-1", crypt.mksalt(method))
            file.write(line.replace("u3", name, 1).replace(old, hashed))
    suite.rebuild()
    for name in methods:
        equal(imap_login(suite, f"{name}@example.jp", "Imported-1")[0], "OK", name)
        equal(imap_login(suite, f"{name}@example.jp", "wrong")[0], "NO", name)


def test_unknown_users_take_as_long(suite):
    def seconds(user, source):
        start = time.monotonic()
        imap_login(suite, user, "wrong", source)
        return time.monotonic() - start

    # The quickest of three, since other work on the machine only adds.
    known = min(seconds("u2@example.jp", f"127.0.0.{70 + i}") for i in range(3))
    unknown = min(seconds(f"nobody-{i}@example.jp", f"127.0.0.{80 + i}") for i in range(3))
    check(abs(known - unknown) < 0.15, f"known {known:.3f} s, unknown {unknown:.3f} s")


def test_a_lock_and_its_end(suite):
    good = suite.password("u3@example.jp")
    for _ in range(4):
        imap_login(suite, "u3@example.jp", "wrong", "127.0.0.50")
    result, words = imap_login(suite, "u3@example.jp", good, "127.0.0.50")
    equal(result, "NO", f"locked: {words}")
    equal(imap_login(suite, "u3@example.jp", good, "127.0.0.51")[0], "OK",
          "another address is not locked out")
    suite.kill9("stated")
    wait_until(lambda: suite.listens("stated"), "stated is back")
    equal(imap_login(suite, "u3@example.jp", good, "127.0.0.50")[0], "NO", "the lock outlives stated")
    wait_until(lambda: imap_login(suite, "u3@example.jp", good, "127.0.0.50")[0] == "OK",
               "the lock ends by itself", 40)


def test_states_set_by_the_operator(suite):
    suite.mailctl("state", "lock", "u2@example.jp")
    equal(imap_login(suite, "u2@example.jp", suite.password("u2@example.jp"))[0], "NO", "locked")
    check("lock" in suite.mailctl("state", "show", "u2@example.jp"), "state show")
    suite.mailctl("state", "unlock", "u2@example.jp")
    equal(imap_login(suite, "u2@example.jp", suite.password("u2@example.jp"))[0], "OK", "unlocked")
    suite.mailctl("state", "lock", "u2@example.jp", "send-lock")
    equal(imap_login(suite, "u2@example.jp", suite.password("u2@example.jp"))[0], "OK",
          "a send lock lets him read")
    try:
        suite.submit("u2@example.jp", ["u1@example.jp"],
                     message("u2@example.jp", "u1@example.jp", "locked"))
        raise Failure("a sender under send-lock was served")
    except smtplib.SMTPException:
        pass
    suite.mailctl("state", "unlock", "u2@example.jp", "send-lock")
    suite.submit("u2@example.jp", ["u1@example.jp"],
                 message("u2@example.jp", "u1@example.jp", "unlocked"))
    suite.wait_messages("u1@example.jp", 1)


def test_apop_and_no_imap_where_the_plan_says_so(suite):
    address = "u1@classic.example"
    client = poplib.POP3("127.0.0.1", suite.ports["pop3"], timeout=PATIENCE)
    check(b"<" in client.welcome, f"banner {client.welcome}")
    client.apop(address, suite.password(address))
    client.quit()
    client = poplib.POP3("127.0.0.1", suite.ports["pop3"], timeout=PATIENCE)
    try:
        client.apop("u1@example.jp", suite.password("u1@example.jp"))
        raise Failure("APOP on a plan without it")
    except poplib.error_proto:
        client.close()
    result, words = imap_login(suite, address, suite.password(address))
    equal(result, "NO", f"IMAP on a plan without it: {words}")
    check("classic.example" in json.dumps(json.loads(
        suite.mailctl("domain", "list", "--json"))), "domain list")


def test_pop3_auth_and_capabilities(suite):
    client = poplib.POP3("127.0.0.1", suite.ports["pop3"], timeout=PATIENCE)
    before = client.capa()
    check("STLS" in before and "USER" not in before, f"before TLS: {before}")
    client.stls(client_tls())
    after = client.capa()
    for wanted in ("TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "SASL", "USER"):
        check(wanted in after, f"{wanted} in {after}")
    try:
        client.user("u1@example.jp")
        client.pass_("wrong")
        raise Failure("a wrong password")
    except poplib.error_proto as error:
        check(b"[AUTH]" in error.args[0], f"{error}")
    client.close()


def test_pop3_lock(suite):
    first = suite.pop3s("u1@example.jp")
    try:
        suite.pop3s("u1@example.jp")
        raise Failure("two POP3 sessions on one mailbox")
    except poplib.error_proto as error:
        check(b"[IN-USE]" in error.args[0], f"{error}")
    first.close()  # without QUIT: the lock goes with the connection
    wait_until(lambda: try_pop3(suite, "u1@example.jp"), "the lock is gone", 10)


def try_pop3(suite, address):
    try:
        suite.pop3s(address).quit()
        return True
    except poplib.error_proto:
        return False
