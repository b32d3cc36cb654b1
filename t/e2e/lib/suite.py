"""A whole suite in a scratch ROOT: own ports, own uids, started and stopped like a real one.

Every end-to-end test gets one. What a test needs to know of the suite stands here once:
ports, mailctl, processes, the files of queue and mail store.
"""

import contextlib
import imaplib
import os
import poplib
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BINARIES = os.environ.get("BINARIES", os.path.join(TREE, "build/gcc/bin"))
SERVICES = ["smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps"]
# Above what any installation of ours uses; each suite of a run takes the next range.
UIDBASE = 1000000
UID_RANGE = 30000

# Real servers need a moment; a test that waits longer than this has failed.
PATIENCE = 60


class Failure(Exception):
    """What a test says when the suite does not do what it should."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


def wait_until(condition, what, patience=PATIENCE):
    """Waits till condition() gives something true, and returns that."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"waited {patience} s in vain: {what}")
        time.sleep(0.05)


@contextlib.contextmanager
def stopped(suite, name):
    """A program that hangs."""
    victims = suite.processes(name)
    for pid, _ in victims:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid, _ in victims:
            os.kill(pid, signal.SIGCONT)


def free_ports(count):
    """Ports that nobody listens on now, on 127.0.0.1 and ::1."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def client_tls():
    """TLS as a client that does not know our certificate; names are a test of their own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def message(sender, recipient, subject="test", body="Hello.\r\n", headers=""):
    """A small message in wire form."""
    return (f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\n"
            f"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n{headers}\r\n{body}").encode()


class Suite:
    """One instance. Use it as a context manager: it is stopped and removed at the end."""

    count = 0

    def __init__(self, ipv6=False):
        self.root = tempfile.mkdtemp(prefix="mail-suite-e2e-")
        os.chmod(self.root, 0o755)
        self.uidbase = UIDBASE + UID_RANGE * (Suite.count + 1000 * (os.getpid() % 100))
        Suite.count += 1
        self.ports = dict(zip(SERVICES, free_ports(len(SERVICES))))
        self.hosts = ["127.0.0.1"] + (["[::1]"] if ipv6 else [])
        self.tree = None
        self.log = None

    # -- life ------------------------------------------------------------------------------------
    def __enter__(self):
        try:
            self.install()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        if not os.environ.get("KEEP"):
            self.remove()

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def install(self):
        os.makedirs(self.path("control"), exist_ok=True)
        os.chmod(self.path("control"), 0o755)
        self.control("uidbase", f"{self.uidbase}\n")
        self.control("me", "mail.example.jp\n")
        self.control("private-mx", "on\n")  # all the world is on loopback here
        self.control("listen", "".join(f"{service} {host}:{port}\n" for host in self.hosts
                                       for service, port in self.ports.items()))
        self.setup()

    def setup(self):
        done = subprocess.run([os.path.join(TREE, "etc/setup"), BINARIES, self.root], cwd=TREE,
                              capture_output=True, text=True)
        check(done.returncode == 0, f"make setup: {done.stdout}{done.stderr}")

    def start(self):
        self.log = open(self.path("suite.log"), "ab")
        self.tree = subprocess.Popen([self.path("bin/suite")], stdout=self.log, stderr=self.log,
                                     stdin=subprocess.DEVNULL, start_new_session=True)
        self.wait_ready()

    def wait_ready(self):
        for service, port in self.ports.items():
            wait_until(lambda port=port: self.answers(port), f"{service} on port {port}")
        for name in ["authd", "stated", "lookupd", "mtastsd", "spawnd", "inject", "queued", "scand", "tlsd",
                     "keyd"]:
            wait_until(lambda name=name: self.listens(name), f"run/{name}/socket")

    def answers(self, port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return True
        except OSError:
            return False

    def listens(self, name):
        kind = socket.SOCK_STREAM if name == "inject" else socket.SOCK_SEQPACKET
        with socket.socket(socket.AF_UNIX, kind) as one:
            try:
                one.connect(self.path(f"run/{name}/socket"))
                return True
            except OSError:
                return False

    def stop(self):
        if self.tree and self.tree.poll() is None:
            self.tree.terminate()
            try:
                self.tree.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                pass
        self.tree = None
        self.kill_all()
        if self.log:
            self.log.close()
            self.log = None

    def kill_all(self):
        """kill -9 to everything that runs from this ROOT, supervisors first."""
        for _ in range(50):
            found = self.processes()
            if not found:
                return
            for pid, _name in sorted(found, key=lambda one: not one[1].startswith("s6-")):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        if self.tree:
            self.tree.wait()

    # -- processes -------------------------------------------------------------------------------
    def processes(self, name=None):
        """(pid, program) of all that belongs to this suite: its binaries and its supervisors."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                program = os.readlink(f"/proc/{entry}/exe")
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    command = file.read().decode(errors="replace")
                folder = os.readlink(f"/proc/{entry}/cwd")
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                    if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                        continue
            except OSError:
                continue
            ours = program.startswith(self.root + "/bin/")
            supervisor = self.root in command.split("\0") or self.root in command or \
                folder.startswith(self.root + "/")
            if not ours and not supervisor:
                continue
            if int(entry) == os.getpid():
                continue
            base = os.path.basename(program.replace(" (deleted)", ""))
            if name is None or (ours and base == name):
                found.append((int(entry), base))
        return found

    def sessions(self, name):
        """Those of a program's processes that serve a client: its templates may be copied, they not."""
        found = []
        for pid, base in self.processes(name):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/limits", encoding="ascii") as file:
                    if any(line.split()[:3] == ["Max", "processes", "0"] for line in file):
                        found.append((pid, base))
        return found

    def kill9(self, name):
        """kill -9 to every process of one program. Returns how many there were."""
        victims = self.processes(name)
        for pid, _ in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(victims)

    # -- files -----------------------------------------------------------------------------------
    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def control(self, name, text):
        with open(self.path("control", name), "w", encoding="utf-8") as file:
            file.write(text)

    def rebuild(self):
        done = subprocess.run([self.path("bin/cdb"), "rebuild"], capture_output=True, text=True)
        check(done.returncode == 0, f"cdb rebuild: {done.stderr}")

    def set_host(self, name, text):
        """A host setting, compiled."""
        self.control(name, f"{text}\n")
        self.rebuild()

    def mailbox(self, address, folder=""):
        """The files of all messages of one folder."""
        local, domain = address.split("@")
        base = self.path("mail", domain, local, "Maildir", folder)
        found = []
        for part in ("new", "cur"):
            with contextlib.suppress(FileNotFoundError):
                found += [entry.path for entry in os.scandir(os.path.join(base, part))
                          if entry.is_file(follow_symlinks=False)]
        return sorted(found)

    def messages(self, address, folder=""):
        """The bytes of all messages of one folder. One that is renamed meanwhile is read again."""
        result = []
        for name in self.mailbox(address, folder):
            try:
                with open(name, "rb") as file:
                    result.append(file.read())
            except FileNotFoundError:
                return self.messages(address, folder)
        return result

    def wait_messages(self, address, count, patience=PATIENCE):
        wait_until(lambda: len(self.mailbox(address)) >= count,
                   f"{count} messages for {address}; queue: {self.queue()}", patience)
        return self.messages(address)

    def queue(self):
        """Ids of the messages; names with a dot are being written."""
        return sorted(one for one in os.listdir(self.path("queue/message")) if one[0] != ".")

    def wait_queue_empty(self, patience=PATIENCE):
        wait_until(lambda: not self.queue(), "an empty queue", patience)

    def flush_queue(self, patience=PATIENCE):
        """Tries all again, till the queue is empty: what fails just when the command comes waits for the next."""
        def is_empty():
            self.mailctl("queue", "flush")
            return not self.queue()

        wait_until(is_empty, "an empty queue", patience)

    def logs(self, service):
        with contextlib.suppress(FileNotFoundError):
            with open(self.path("log", service, "current"), encoding="utf-8",
                      errors="replace") as file:
                return file.read()
        return ""

    def sanitizer_reports(self):
        """What AddressSanitizer and UBSan had to say, in builds that have them."""
        found = []
        for service in os.listdir(self.path("log")) if os.path.isdir(self.path("log")) else []:
            for line in self.logs(service).splitlines():
                if "Sanitizer" in line or "runtime error:" in line:
                    found.append(f"{service}: {line}")
        return found

    # -- operator --------------------------------------------------------------------------------
    def mailctl(self, *words, text="", wanted=0):
        done = subprocess.run([self.path("bin/mailctl"), *words], input=text, text=True,
                              capture_output=True)
        check(done.returncode == wanted,
              f"mailctl {' '.join(words)}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout if wanted == 0 else done.stderr

    def add_domain(self, domain, *users, plan=None):
        self.mailctl("domain", "add", domain, *(["--plan", plan] if plan else []))
        for user in users:
            self.add_user(f"{user}@{domain}")

    def add_user(self, address):
        self.mailctl("user", "add", address, "--no-policy", text=self.password(address) + "\n")

    @staticmethod
    def password(address):
        return f"secret of {address}"

    # -- clients ---------------------------------------------------------------------------------
    def smtp(self, service="smtp"):
        return smtplib.SMTP("127.0.0.1", self.ports[service], timeout=PATIENCE)

    def submit(self, sender, recipients, data, service="submission", options=()):
        """Sends as the account `sender`, the way a mail program does."""
        if service == "submissions":
            client = smtplib.SMTP_SSL("127.0.0.1", self.ports[service], timeout=PATIENCE,
                                      context=client_tls())
        else:
            client = self.smtp(service)
            client.starttls(context=client_tls())
        with client:
            client.login(sender, self.password(sender))
            return client.sendmail(sender, recipients, data, mail_options=list(options))

    def imap(self, address):
        client = imaplib.IMAP4("127.0.0.1", self.ports["imap"], timeout=PATIENCE)
        client.starttls(client_tls())
        client.login(address, self.password(address))
        return client

    def imaps(self, address):
        client = imaplib.IMAP4_SSL("127.0.0.1", self.ports["imaps"], ssl_context=client_tls(),
                                   timeout=PATIENCE)
        client.login(address, self.password(address))
        return client

    def pop3(self, address):
        client = poplib.POP3("127.0.0.1", self.ports["pop3"], timeout=PATIENCE)
        client.stls(client_tls())
        client.user(address)
        client.pass_(self.password(address))
        return client

    def pop3s(self, address):
        client = poplib.POP3_SSL("127.0.0.1", self.ports["pop3s"], context=client_tls(),
                                 timeout=PATIENCE)
        client.user(address)
        client.pass_(self.password(address))
        return client
