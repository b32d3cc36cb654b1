"""What the tests of presets share: commands that are refused and change nothing, the words of SMTP, clients of POP3."""

import contextlib
import email
import email.policy
import json
import os
import poplib
import socket
import ssl
import subprocess
import warnings

from dialogue import Dialogue, greeted, plain
from imapsession import Imap
from mailclients import home, write
from sink import Sink
from suite import PATIENCE, check, client_tls, equal, message, wait_until

MEGABYTE = 1048576

def ctl(suite, *words, text=""):
    """(exit code, standard output, standard error) of mailctl."""
    done = subprocess.run([suite.path("bin/mailctl"), *words], input=text, text=True, capture_output=True,
                          timeout=PATIENCE)
    return done.returncode, done.stdout, done.stderr


def control_files(suite):
    """path -> bytes of all that the operator's commands write; not their lock."""
    found = {}
    for top in ("control", "cdb"):
        for folder, _, names in os.walk(suite.path(top)):
            for name in names:
                if name != ".lock":
                    with open(os.path.join(folder, name), "rb") as file:
                        found[os.path.join(folder, name)] = file.read()
    return found


def refused(suite, *words, says, text=""):
    """mailctl refuses, says why, and leaves every file as it was."""
    before = control_files(suite)
    code, out, error = ctl(suite, *words, text=text)
    equal(code, 1, f"exit of {words}: {out}{error}")
    check(says in error, f"{words}: {says!r} in {error!r}")
    check(control_files(suite) == before, f"{words}: files were changed")


def replies(suite, *addresses, sender="a@sender.example", service="smtp"):
    """What another server hears at RCPT for each of these."""
    with suite.smtp(service) as client:
        client.ehlo("client.example")
        client.mail(sender)
        said = []
        for address in addresses:
            code, text = client.rcpt(address)
            said.append(f"{code} {text.decode()}")
        client.rset()
    return said


def codes(suite, *addresses, **rest):
    return [int(reply[:3]) for reply in replies(suite, *addresses, **rest)]


def arrives(suite, address, mailbox, sender="a@sender.example"):
    """Mail of another server for `address` gets into this mailbox; its bytes."""
    before = set(suite.mailbox(mailbox))
    with suite.smtp() as client:
        client.sendmail(sender, [address], message(sender, address))
    fresh = wait_until(lambda: sorted(set(suite.mailbox(mailbox)) - before), f"mail for {address} in {mailbox}")
    with open(fresh[0], "rb") as file:
        return file.read()


def sized(size, sender, recipient):
    """A message of so many bytes, line ends and all."""
    start = message(sender, recipient, body="")
    line = b"y" * 998 + b"\r\n"
    rest = size - len(start)
    lines = (rest - 2) // len(line)
    last = rest - lines * len(line) - 2
    text = start + line * lines + b"y" * last + b"\r\n"
    equal(len(text), size, "the test's own message")
    return text


def program(*command, text=None, wanted=(0,), cwd=None, env=None):
    """Runs a client; what it wrote."""
    done = subprocess.run(command, input=text, capture_output=True, timeout=2 * PATIENCE, cwd=cwd,
                          env={**os.environ, **(env or {})})
    said = (done.stdout + done.stderr).decode(errors="replace")
    check(done.returncode in wanted, f"{command[0]}: exit {done.returncode}: {said[-3000:]}")
    return said


def swaks(suite, service, *words, wanted=(0,)):
    return program("swaks", "--server", "127.0.0.1", "--port", str(suite.ports[service]), "--timeout", "60", *words,
                   wanted=wanted)


def sendmail(suite, uid, *words, text="Subject: local\n\nx\n"):
    """The sendmail command of a program that runs under this uid: exit code, complaint."""
    done = subprocess.run([suite.path("bin/sendmail"), *words], user=uid, group=uid, extra_groups=[], cwd="/",
                          input=text, text=True, capture_output=True, timeout=PATIENCE)
    return done.returncode, done.stderr


def pop3(suite, address, how="pass", tls=False, password=None):
    """Logs in over port 110: poplib's client, or the refusal as text."""
    client = poplib.POP3("127.0.0.1", suite.ports["pop3"], timeout=PATIENCE)
    try:
        if tls:
            client.stls(client_tls())
        if how == "apop":
            client.apop(address, password or suite.password(address))
        else:
            client.user(address)
            client.pass_(password or suite.password(address))
        return client
    except poplib.error_proto as error:
        client.close()
        said = error.args[0]  # of the server, or of poplib, which wants a timestamp
        return said.decode() if isinstance(said, bytes) else said


def fetches(suite, address, **how):
    """The messages that a POP3 client gets, without what it would delete."""
    client = pop3(suite, address, **how)
    check(not isinstance(client, str), f"{address} {how}: {client}")
    texts = [b"\r\n".join(client.retr(number + 1)[1]) + b"\r\n" for number in range(client.stat()[0])]
    client.quit()
    return texts


def strict_password(address):
    """One that the policy takes, for suite.password; without blanks, so that all clients' files can have it."""
    return f"Correct-{address.partition('@')[0].capitalize()}-9"


def add_domain(suite, domain, users, plan):
    """As an operator does it by hand, with passwords that the policy takes."""
    suite.mailctl("domain", "add", domain, "--plan", plan)
    for user in users:
        suite.mailctl("user", "add", f"{user}@{domain}", text=suite.password(f"{user}@{domain}") + "\n")


def prepare_host(suite, **control):
    """The host offers APOP and log-in without TLS, both off where nobody asks for them, so that it's the plan that
    decides; the sink that all mail for outside goes to."""
    outside = Sink()
    suite.password = strict_password
    suite.control("apop", "on\n")
    suite.control("plaintext-auth", "on\n")
    suite.control("smtproutes", f":127.0.0.1:{outside.port}\n")
    for name, value in control.items():
        suite.control(name.replace("_", "-"), f"{value}\n")
    suite.rebuild()
    return outside


def settings(suite, address):
    return json.loads(suite.mailctl("user", "show", address, "--json"))["settings"]


def login_words(suite, address):
    return ("--auth-user", address, "--auth-password", suite.password(address))


def tls_version(suite, service, version):
    """What is spoken when the client knows this version alone; None: it is refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", suite.ports[service]), timeout=PATIENCE) as plain_socket:
        starts = {"submission": (b"EHLO c\r\n", b"STARTTLS\r\n"), "smtp": (b"EHLO c\r\n", b"STARTTLS\r\n"),
                  "pop3": (b"STLS\r\n",), "imap": (b"a STARTTLS\r\n",)}.get(service, ())
        if starts:
            plain_socket.recv(1000)
        for line in starts:
            plain_socket.sendall(line)
            plain_socket.recv(1000)
        try:
            with context.wrap_socket(plain_socket) as one:
                return one.version()
        except (ssl.SSLError, ConnectionResetError):
            return None


def quota_told(suite, address):
    with Imap(suite, address) as imap:
        return imap.ok("GETQUOTAROOT INBOX").one("QUOTA")


def fill(suite, address, megabytes):
    """Brings mail of that size to a mailbox as a move from another host does; of holes, so the disk has none of it."""
    local, domain = address.split("@")
    folder = suite.path("mail", domain, local, "Maildir/cur")
    if not os.path.isdir(folder):
        arrives(suite, address, address)
    stat = os.stat(folder)
    with open(os.path.join(folder, f"1700000000.M1P1.moved,S={megabytes * MEGABYTE}:2,S"), "wb") as file:
        file.write(b"Subject: large\r\n\r\n")
        file.truncate(megabytes * MEGABYTE)
        os.fchown(file.fileno(), stat.st_uid, stat.st_gid)
    suite.mailctl("store", "rebuild", address)


def submits_with_a_password_alone(suite, sender, recipient):
    """587 and 465 take mail of who has logged in, by PLAIN and LOGIN, 465 without STARTTLS; 25 knows no AUTH and
    relays nothing."""
    for service, tls in (("submission", "--tls"), ("submissions", "--tls-on-connect")):
        for mechanism in ("PLAIN", "LOGIN"):
            before = len(suite.mailbox(recipient))
            swaks(suite, service, tls, "--auth", mechanism, *login_words(suite, sender), "--from", sender,
                  "--to", recipient, "--header", f"Subject: {service} {mechanism}")
            suite.wait_messages(recipient, before + 1)
        said = swaks(suite, service, tls, "--from", sender, "--to", recipient, wanted=(23,))
        check(" 530 " in said, f"without AUTH: {said}")
    said = swaks(suite, "submissions", "--tls-on-connect", "--quit-after", "EHLO")
    check("STARTTLS" not in said and "AUTH PLAIN LOGIN" in said, said)
    check("STARTTLS" in swaks(suite, "submission", "--quit-after", "EHLO"), "587 has STARTTLS")
    said = swaks(suite, "smtp", "--tls", "--auth", "PLAIN", *login_words(suite, sender), "--from", sender,
                 "--to", recipient, wanted=(28,))
    check("Host did not advertise authentication" in said, said)
    said = replies(suite, "someone@elsewhere.example", sender=sender)[0]
    check(said.startswith("554 5.7.1"), f"relaying by 25: {said}")


def curl_reads(suite, address, *ways):
    """The first message, the same bytes by each (protocol, further words of curl)."""
    with open(suite.mailbox(address)[0], "rb") as file:
        wanted = file.read().decode().replace("\r", "")
    for protocol, words in ways:
        place = "1" if protocol.startswith("pop3") else "INBOX;MAILINDEX=1"
        url = f"{protocol}://localhost:{suite.ports[protocol]}/{place}"
        got = program("curl", "-sS", "--cacert", suite.path("made/default/cert.pem"), *words,
                      "--user", f"{address}:{suite.password(address)}", url)
        equal(got.replace("\r", ""), wanted, f"{url} {words}")


def plaintext_logins(suite, address):
    """What 110, 143 and 587 say to a log-in without TLS."""
    words = []
    client = pop3(suite, address)
    words.append(client if isinstance(client, str) else "+OK")
    with Imap(suite, service="imap") as imap:
        done = imap.run(f'LOGIN {address} "{suite.password(address)}"').done
        words.append(f"{done.kind} {done.code}")
    with greeted(suite, "submission") as smtp:
        smtp.expect("EHLO c", "250")
        words.append(smtp.ask("AUTH PLAIN " + plain(address, suite.password(address))))
    return words


def mpop_by_apop(suite, address):
    """mpop fetches all of the mailbox and leaves it there."""
    folder = home(suite, "mpop")
    for name in ("new", "cur", "tmp"):
        os.makedirs(os.path.join(folder, "in", name))
    rc = write(os.path.join(folder, "rc"), f"""
account one
host localhost
port {suite.ports['pop3']}
tls off
auth apop
user {address}
password {suite.password(address)}
delivery maildir {folder}/in
keep on
uidls_file {folder}/uidls
""")
    program("mpop", "-q", "-C", rc, "-a", env={"HOME": folder})
    equal(len(os.listdir(f"{folder}/in/new")), len(suite.mailbox(address)), "messages that mpop fetched by APOP")


def full_of_sessions(suite, count, addresses, other):
    """The domain of these accounts has so many IMAP sessions; the next hears why, POP3 and other domains go on."""
    with contextlib.ExitStack() as stack:
        for number in range(count):
            stack.enter_context(Imap(suite, addresses[number % len(addresses)]))
        with Imap(suite) as one:
            done = one.no("LIMIT", f'LOGIN {addresses[0]} "{suite.password(addresses[0])}"').done
            equal(done.value, f"The domain has its {count} IMAP sessions already; close one or try again later", "why")
        pop3(suite, addresses[0], tls=True).quit()
        with Imap(suite, other):
            pass


def purged_and_deleted(suite, address):
    """Mail alone, then all of it."""
    local, domain = address.split("@")
    arrives(suite, address, address)
    suite.mailctl("user", "purge", address)
    equal(suite.mailbox(address), [], "purged")
    arrives(suite, address, address)
    suite.mailctl("user", "del", address)
    check(not os.path.isdir(suite.path("mail", domain, local)), "its mail is gone")
    equal(codes(suite, address), [550], "and so is the address")


def greeting_of_submission(suite, service):
    """The answer to EHLO under TLS."""
    with Dialogue(suite.ports[service]) as smtp:
        if service == "submissions":
            smtp.start_tls()
        smtp.expect(None, "220")
        said = smtp.expect("EHLO c", "250")
        if service == "submission":
            smtp.expect("STARTTLS", "220")
            smtp.start_tls()
            said = smtp.expect("EHLO c", "250")
        return said


def transfer(smtp, sender, recipient, size):
    """The reply behind the data of a message of so many bytes."""
    smtp.expect(f"MAIL FROM:<{sender}>", "250")
    smtp.expect(f"RCPT TO:<{recipient}>", "250")
    smtp.expect("DATA", "354")
    smtp.send(sized(size, sender, recipient) + b".\r\n")
    return smtp.reply()


def states(suite, name):
    """state -> its row, as programs see them."""
    return {row["state"]: row for row in json.loads(suite.mailctl("--json", "state", "show", name))["states"]}


def explained(suite, name, setting):
    """(value, layer, who may change it)"""
    row = json.loads(suite.mailctl("--json", "explain", name, setting))
    return row["value"], row["layer"], row["who"]


def receive(suite, address, size, letter=b"y"):
    """From another server, about so many bytes of this letter."""
    with suite.smtp() as client:
        client.sendmail("a@sender.example", [address],
                        message("a@sender.example", address, body="") + (letter * 70 + b"\r\n") * (size // 72))


def notices(suite, address):
    """What the suite itself wrote to the owner, parsed."""
    found = []
    for one in suite.messages(address):
        mail = email.message_from_bytes(one, policy=email.policy.default)
        if mail["Auto-Submitted"] == "auto-generated":
            found.append(mail)
    return found
