"""One case on one side: the load, what arrived when, what it cost."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from sides import RELAY_DOMAIN

# Messages that find all processes started, caches filled, Maildirs made.
WARM_UP = 100

EVENTS = {
    "syscalls": ["raw_syscalls:sys_enter"],
    "fsync": ["syscalls:sys_enter_fsync"],
    "fdatasync": ["syscalls:sys_enter_fdatasync"],
    "forks": ["sched:sched_process_fork"],
    "execs": ["sched:sched_process_exec"],
    "switches": ["context-switches"],
}


class Case:
    """What is sent, and how."""

    def __init__(self, sessions, length=2048, recipients=1, many=False, messages=0, relay=False,
                 note=""):
        self.sessions, self.length, self.recipients = sessions, length, recipients
        self.many, self.relay, self.note = many, relay, note
        self.messages = messages

    def __str__(self):
        if self.length >= 1 << 20:
            size = f"{self.length >> 20} MB"
        else:
            size = f"{self.length >> 10} KB"
        words = [size, f"{self.sessions} connection" + ("s" if self.sessions > 1 else ""),
                 "many messages each" if self.many else "one message each"]
        if self.recipients > 1:
            words.append(f"{self.recipients} recipients")
        if self.relay:
            words.append("relayed")
        return ", ".join(words)


class Failed(Exception):
    """A side did not do what was asked."""


def busy_seconds():
    """What all CPUs of the machine have worked: the load, the disk's threads and interrupts, too."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, irq, softirq = map(int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def commits(path):
    """Of the journal of the ext4 that `path` lies on; 0 where there is none."""
    number = os.stat(path).st_dev
    device = os.path.basename(os.path.realpath(
        f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"))
    with contextlib.suppress(FileNotFoundError):
        with open(f"/proc/fs/jbd2/{device}-8/info", encoding="ascii") as info:
            return int(info.readline().split()[0])
    return 0


def fields(line):
    return {key: float(value) for key, value in (word.split("=") for word in line.split())}


class Counter:
    """perf over one group: events of the kernel, nothing is slowed much."""

    def __init__(self, group):
        self.file = tempfile.NamedTemporaryFile("r", suffix=".perf")
        events = ",".join(event for names in EVENTS.values() for event in names)
        groups = ",".join([group.name] * events.count(",")) + f",{group.name}"
        self.process = subprocess.Popen(
            ["perf", "stat", "-a", "-x", ";", "-o", self.file.name, "-e", events, "-G", groups], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.3)

    def end(self):
        """name -> count"""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        counts = {}
        for line in self.file.read().splitlines():
            words = line.split(";")
            for name, events in EVENTS.items():
                if len(words) > 2 and words[2] in events and words[0].isdigit():
                    counts[name] = counts.get(name, 0) + int(words[0])
        self.file.close()
        return counts


class MemoryWatch(threading.Thread):
    """The most memory that a group was seen to have."""

    def __init__(self, group):
        super().__init__(daemon=True)
        self.group, self.peak, self.is_over = group, 0, threading.Event()

    def run(self):
        while not self.is_over.wait(0.05):
            self.peak = max(self.peak, self.group.memory_kb())

    def end(self):
        self.is_over.set()
        self.join()
        return self.peak


class Floor:
    """floor.c in place of a mail system: its rate alone is of interest."""

    def __init__(self, disk, variant):
        self.disk, self.variant = disk, variant
        self.name, self.number = f"floor-{variant}", 0

    def measure(self, meter, case):
        self.number += 1
        folder = os.path.join(self.disk, "floor", f"{self.variant}-{self.number}")
        os.makedirs(folder)
        os.sync()
        done = subprocess.run([meter.program("floor"), folder, self.variant, str(case.sessions),
                               str(case.messages), str(case.length)], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{self.name}, {case}: {done.stderr}")
        return fields(done.stdout)

    def throw_away_aside(self):
        shutil.rmtree(os.path.join(self.disk, "floor"), ignore_errors=True)

    def wait_idle(self):
        """Nothing goes on after its end."""


class Meter:
    """Runs cases. Programs of bench/ lie in `programs`."""

    def __init__(self, programs):
        self.programs = programs
        self.number = 0

    def program(self, name):
        return os.path.join(self.programs, name)

    def watcher(self, side, case):
        """A process that prints when the last message is there."""
        if case.relay:
            command, text = [self.program("sink"), str(side.sink_port), str(case.messages)], ""
        else:
            command = [self.program("arrive"), str(case.messages * case.recipients)]
            text = "".join(os.path.join(side.maildir(box), "new") + "\n"
                           for box in range(side.boxes))
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        process.stdin.write(text)
        process.stdin.close()
        if process.stdout.readline() != "ready\n":
            raise Failed(f"{side.name}: {process.stderr.read()}")
        return process

    def load(self, side, case):
        per_connection = -(-case.messages // case.sessions) if case.many else 1
        addresses = [f"u{number}@{RELAY_DOMAIN}" for number in range(side.boxes)] if case.relay else \
            [side.address(box) for box in range(side.boxes)]
        command = [self.program("load"), "-s", str(case.sessions), "-m", str(case.messages), "-k",
                   str(per_connection), "-r", str(case.recipients), "-l", str(case.length)]
        port = side.port
        if case.relay:
            command += side.relay_options
            port = side.relay_port
        done = subprocess.run(command + ["127.0.0.1", str(port)], capture_output=True, text=True,
                              input="".join(address + "\n" for address in addresses))
        if done.returncode != 0:
            raise Failed(f"{side.name}, {case}: {done.stderr}")
        return fields(done.stdout)

    def warm_up(self, side):
        case = Case(10, messages=max(WARM_UP, 2 * side.boxes))
        self.load(side, case)
        side.wait_idle()

    def measure(self, side, case, count=False, memory=False):
        """name -> figure, all per message but for rate and memory."""
        if isinstance(side, Floor):
            return side.measure(self, case)
        self.number += 1
        side.set_aside(self.number)
        os.sync()
        watcher = self.watcher(side, case)
        counter = Counter(side.group) if count else None
        watch = MemoryWatch(side.group) if memory else None
        if watch:
            watch.start()
        try:
            journal = commits(side.maildir(0))
            machine = busy_seconds()
            before = side.group.cpu_seconds()
            sent = self.load(side, case)
            line = watcher.stdout.readline()
            if not line:
                raise Failed(f"{side.name}, {case}: {watcher.stderr.read()}")
            side.wait_idle()
            used = side.group.cpu_seconds() - before
            machine = busy_seconds() - machine
            journal = commits(side.maildir(0)) - journal
            end = fields(line)["end"]
        finally:
            counts = counter.end() if counter else {}
            peak = watch.end() if watch else 0
            with contextlib.suppress(ProcessLookupError):
                watcher.kill()
            watcher.wait()
            watcher.stdout.close()
            watcher.stderr.close()
        result = {"rate": case.messages / (end - sent["start"]),
                  "accept_rate": case.messages / (sent["end"] - sent["start"]),
                  "median_ms": sent["median_ms"], "p99_ms": sent["p99_ms"],
                  "cpu_ms": used * 1000 / case.messages,
                  "machine_ms": machine * 1000 / case.messages,
                  "commits": journal / case.messages}
        result.update({name: value / case.messages for name, value in counts.items()})
        if memory:
            result["memory_mb"] = peak / 1024
        return result
