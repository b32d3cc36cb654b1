"""What the tests of presets share: commands that are refused and change nothing, the words of SMTP, clients of POP3."""

import os
import poplib
import subprocess

from suite import PATIENCE, check, client_tls, equal, message, wait_until

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
