"""Suites to be broken: ROOTs without a service tree, whose queue and mail store are ours.

A Template is one installed ROOT with domains and accounts. Rigs are copies of it. A rig runs the real
spawnd, queue-inject and queued, and what these start; the scanner and the other servers are played
here. An observed rig runs them with the shim.
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e", "lib"))

import sink as sinks  # noqa: E402
import suite as suites  # noqa: E402
from disk import write_picture  # noqa: E402
from faultlog import FaultLog  # noqa: E402
from mode import AS_INSTALLED  # noqa: E402

PROGRAMS = ["spawnd", "queue-inject", "queued", "local", "remote", "bounce"]
DAEMONS = {"spawnd": socket.SOCK_SEQPACKET, "queue-inject": socket.SOCK_STREAM,
           "queued": socket.SOCK_SEQPACKET}
ROLE_SMTPD = 0
PR_SET_CHILD_SUBREAPER = 36
STEP = 0.002
# A suite that is not at rest after so long is stuck; a machine may be slow. queued is started anew
# before that, as an operator would: some faults are found again only by that.
PATIENCE = 20
RESTART = 4
# After so long without an end, what waits for its next attempt is told to go on.
HURRY = 0.1

ME = "mail.fault.test"
POSTMASTER = "keeper@a.test"
DOMAINS = {"a.test": ["ann", "ant", "keeper", "fwd"], "b.test": ["bob"]}
SINK_DOMAIN = "sink.test"
FORWARDS = {"fwd@a.test": "friend@sink.test"}  # and a copy stays
KEY = re.compile(rb"^X-Fault-Key: (\S+)\r?$", re.M)


def netstring(data):
    return b"%d:%s," % (len(data), data)


def read_netstrings(data):
    fields = []
    while data:
        size, _, rest = data.partition(b":")
        fields.append(rest[:int(size)])
        data = rest[int(size) + 1:]
    return fields


def scratch():
    """A folder on a memory disk where there is one: thousands of trees are made."""
    for base in (os.environ.get("FAULT_DIR"), "/dev/shm", tempfile.gettempdir()):
        if base and os.path.isdir(base) and os.access(base, os.W_OK) and can_execute(base):
            folder = tempfile.mkdtemp(prefix="mail-suite-fault-", dir=base)
            os.chmod(folder, 0o755)
            return folder
    raise OSError("no folder to work in")


def can_execute(folder):
    with open("/proc/mounts", encoding="utf-8") as file:
        mounts = [line.split() for line in file]
    best = max((one for one in mounts if folder.startswith(one[1])), key=lambda one: len(one[1]))
    return "noexec" not in best[3].split(",")


class Template:
    """One ROOT, made as an operator makes it."""

    def __init__(self, folder, binaries):
        suites.BINARIES = binaries
        tempfile.tempdir = folder
        self.suite = suites.Suite()
        self.root = self.suite.root
        self.uidbase = self.suite.uidbase
        self.suite.install()
        self.suite.set_host("me", ME)
        self.suite.set_host("postmaster", POSTMASTER)
        for domain, users in DOMAINS.items():
            self.suite.add_domain(domain, *users)
        for address, target in FORWARDS.items():
            self.suite.mailctl("forward", "add", address, target)


class Scanner:
    """Plays scand: every message is clean, and gets a line, unless `verdicts` says else."""

    def __init__(self, path):
        self.verdicts = {}
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.listen(50)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with peer:
            while True:
                try:
                    data, fds, _flags, _address = socket.recv_fds(peer, 65536, 4)
                    if not data:
                        return
                    fields = read_netstrings(data)
                    head = os.pread(fds[0], 4096, int(fields[2]))
                    key = KEY.search(head.partition(b"\r\n\r\n")[0])
                    verdict = self.verdicts.get(key.group(1).decode() if key else "",
                                                (b"clean", b"X-Fault-Scan: clean\r\n"))
                    peer.sendall(b"".join(map(netstring, verdict)))
                except OSError:
                    return
                finally:
                    for fd in fds:
                        os.close(fd)
                    fds = []


class Transactions(list):
    """Tells of a message before the server says 250 to it, and in the order in which they came: two
    connections may end at once."""

    def __init__(self, told):
        super().__init__()
        self.told = told
        self.lock = threading.Lock()

    def append(self, transaction):
        with self.lock:
            super().append(transaction)
            self.told(transaction)


class Handler(sinks.Handler):
    # Small answers go out at once; else every transaction waits for a delayed acknowledgement.
    disable_nagle_algorithm = True

    def handle(self):
        busy = self.server.sink.busy
        busy.add(self)
        try:
            super().handle()
        except OSError:
            pass  # the client was killed
        finally:
            busy.discard(self)


class World(sinks.Sink):
    """The other servers: they take everything, but for what `refusals` says of a local part."""

    def __init__(self, told):
        self.busy = set()
        super().__init__()
        self.server.RequestHandlerClass = Handler
        self.transactions = Transactions(told)
        self.refusals = {}  # local part -> answers, used up one by one; the last one stays
        self.answers = {"RCPT": self.answer_recipient}

    def answer_recipient(self, words):
        local = words[8:].strip().lstrip("<").split("@")[0]
        answers = self.refusals.get(local)
        if not answers:
            return "250 ok"
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Rig:
    """A ROOT in `folder`; with `shim` (its path, the wrapper's path) an observed one."""

    def __init__(self, template, folder, shim=None, mode=AS_INSTALLED):
        self.root = folder
        self.mode = mode
        self.uidbase = template.uidbase
        self.processes = {}
        self.restarts = 0
        self.log = None
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.world = World(self.tell)
        self.copy(template, self.world.port, shim)
        self.scanner = Scanner(self.path("run/scand/socket"))
        if shim:
            self.log = FaultLog(self.path("fault/shim.so"), self.path("fault/log"))
        # No mailbox is there yet: each is made by its first message.
        shutil.rmtree(self.path("mail"))
        os.mkdir(self.path("mail"), 0o711)
        os.chmod(self.path("mail"), 0o711)
        self.empty = self.load_disk().picture(lambda change: True)

    def tell(self, transaction):
        """What another server has taken is known to the world from here on."""
        if self.log:
            self.log.note(f"taken {len(self.world.transactions) - 1}")

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def copy(self, template, port, shim):
        os.mkdir(self.root)
        os.chmod(self.root, 0o755)
        for name in ["bin", "cdb", "control", "run", "queue", "mail", "state"]:
            subprocess.run(["cp", "-a", os.path.join(template.root, name), self.root], check=True)
        routes = f"{SINK_DOMAIN}:127.0.0.1:{port}"
        for name, value in {"smtproutes": routes, **self.mode.settings}.items():
            with open(self.path("control", name), "w", encoding="ascii") as file:
                file.write(f"{value}\n")
        subprocess.run([self.path("bin/cdb"), "rebuild"], check=True, capture_output=True)
        if shim:
            self.observe(*shim)

    def observe(self, shim, wrapper):
        os.mkdir(self.path("real"))
        os.mkdir(self.path("fault"))
        for folder in ("real", "fault"):
            os.chmod(self.path(folder), 0o755)
        for program in PROGRAMS:
            os.rename(self.path("bin", program), self.path("real", program))
            shutil.copy(wrapper, self.path("bin", program))
            os.chmod(self.path("bin", program), 0o755)
        shutil.copy(shim, self.path("fault/shim.so"))
        os.chmod(self.path("fault/shim.so"), 0o755)

    # -- life ------------------------------------------------------------------------------------
    def start(self):
        for program in DAEMONS:
            self.start_daemon(program)
        for program, kind in DAEMONS.items():
            self.wait(lambda program=program, kind=kind: self.listens(program, kind),
                      f"the socket of {program}")
        # It listens before it has looked at its folders, and answers after that.
        self.wait(lambda: self.control("status"), "queued")

    def start_daemon(self, program):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket_of(program))
        with open(self.path("output"), "ab") as output:
            self.processes[program] = subprocess.Popen(
                [self.path("bin", program)], stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, close_fds=False)

    def supervise(self):
        """What ended is started again."""
        for program, process in self.processes.items():
            if process.poll() is not None:
                self.restarts += 1
                self.start_daemon(program)

    def kill(self, program):
        with self.between_calls():
            self.processes[program].kill()
            self.processes[program].wait()

    @contextlib.contextmanager
    def between_calls(self):
        """What is killed meanwhile has written down all that it has done."""
        if self.log:
            self.log.shim.fault_hold()
        try:
            yield
        finally:
            if self.log:
                self.log.shim.fault_go_on()

    def socket_of(self, program):
        return self.path("run", program.removeprefix("queue-"), "socket")

    def listens(self, program, kind):
        with socket.socket(socket.AF_UNIX, kind) as one:
            try:
                one.connect(self.socket_of(program))
                return True
            except OSError:
                return False

    def wait(self, condition, what, patience=PATIENCE):
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise suites.Failure(f"waited {patience} s in vain: {what}\n{self.output()}")
            time.sleep(STEP)

    def output(self):
        with open(self.path("output"), encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def stop(self):
        """kill -9 to all of it; what spawnd has started is ours by now (a subreaper)."""
        with self.between_calls():
            for process in self.processes.values():
                process.kill()
                process.wait()
            self.processes = {}
            kill_children()
        # What they had sent is taken or not before anything else begins.
        end = time.monotonic() + PATIENCE
        while self.world.busy and time.monotonic() < end:
            time.sleep(STEP)

    # -- the disk --------------------------------------------------------------------------------
    def load_disk(self):
        return self.mode.disk.load(self.root)

    def set_disk(self, picture):
        for top in ("queue", "mail"):
            shutil.rmtree(self.path(top))
        write_picture(picture, self.root)
        with open(self.path("output"), "wb"):
            pass

    def forget_mail(self):
        """Empties the mailboxes, and leaves them there."""
        for _address, path, _data in self.delivered():
            os.unlink(path)

    def names(self, folder):
        return [name for name in os.listdir(self.path(folder)) if not name.startswith(".")]

    def delivered(self):
        """(address, path, bytes) of every message in the mail store."""
        found = []
        for base, folders, files in os.walk(self.path("mail")):
            folders.sort()
            parts = os.path.relpath(base, self.path("mail")).split("/")
            if len(parts) != 4 or parts[3] not in ("new", "cur"):
                continue
            for name in files:
                with open(os.path.join(base, name), "rb") as file:
                    found.append((f"{parts[1]}@{parts[0]}", os.path.join(base, name), file.read()))
        return found

    # -- clients and operators -------------------------------------------------------------------
    def connect_inject(self):
        """As smtpd does: the kernel tells queue-inject whose connection it is."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(PATIENCE)
        os.setegid(self.uidbase + ROLE_SMTPD)
        os.seteuid(self.uidbase + ROLE_SMTPD)
        try:
            client.connect(self.path("run/inject/socket"))
        finally:
            os.seteuid(0)
            os.setegid(0)
        return client

    def control(self, verb, *ids):
        """queuectl/1: the text of an "ok", else None."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(PATIENCE)
            client.connect(self.path("run/queued/socket"))
            client.send(b"".join(netstring(word.encode()) for word in
                                 ("queuectl/1", verb, *ids)))
            fields = read_netstrings(client.recv(65536))
        return fields[1].decode() if fields and fields[0] == b"ok" else None

    def settle(self, patience=PATIENCE):
        """Waits till the queue is empty; what waits for a later attempt is told to go on, and what is
        held is released."""
        end = time.monotonic() + patience
        hurry = time.monotonic() + HURRY
        restart = time.monotonic() + RESTART
        while self.names("queue/message") or self.names("queue/hold"):
            time.sleep(STEP)
            self.supervise()
            now = time.monotonic()
            if now > restart:
                self.kill("queued")
                restart = now + RESTART
            if now > end:
                return False
            if now > hurry:
                with contextlib.suppress(OSError):
                    self.release_held()
                    self.control("flush")
                hurry = now + HURRY
        return True

    def release_held(self):
        for name in self.names("queue/hold"):
            self.control("release", name)


def kill_children():
    while True:
        for pid in children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def children():
    """Of all threads of this process."""
    found = []
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):
            with open(f"/proc/self/task/{thread}/children", encoding="ascii") as file:
                found += [int(pid) for pid in file.read().split()]
    return found
