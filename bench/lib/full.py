"""The whole measurement: all cases, all sides, interleaved; figures go to a JSON file as they come."""

import copy
import json
import os
import platform
import re
import subprocess
import time

import sides as systems
from measure import Case, Failed, Floor, busy_seconds

KB, MB = 1 << 10, 1 << 20

# Messages of one run: a few seconds' worth on any side.
MESSAGES = {(2 * KB, 1): 500, (20 * KB, 1): 500, (MB, 1): 60,
            (2 * KB, 10): 2000, (20 * KB, 10): 1500, (MB, 10): 100,
            (2 * KB, 50): 2000, (20 * KB, 50): 1500, (MB, 50): 100}


def case(length, sessions, many=False, recipients=1, relay=False):
    messages = MESSAGES[length, sessions]
    if recipients > 1:
        messages = 100
    return Case(sessions, length, recipients, many, messages, relay)


DELIVERY = [case(length, sessions, many) for length in (2 * KB, 20 * KB, MB)
            for sessions in (1, 10, 50) for many in (False, True)]
MANY_RECIPIENTS = [case(length, sessions, recipients=50)
                   for length, sessions in ((2 * KB, 1), (2 * KB, 10), (20 * KB, 10))]
RELAY = [case(2 * KB, 10, relay=True), case(2 * KB, 10, True, relay=True),
         case(20 * KB, 10, relay=True)]
SCAN = [case(2 * KB, 10), case(20 * KB, 10), case(MB, 10)]

# title, sides, cases. The first side is ours, the second what it is compared with.
GROUPS = [
    ("delivery", [systems.Ours, systems.Postfix, systems.OursStrict, systems.PostfixDovecot],
     DELIVERY + MANY_RECIPIENTS),
    ("relay", [systems.Ours, systems.Postfix, systems.OursStrict], RELAY),
    ("scan", [systems.OursScanning, systems.PostfixClamav], SCAN),
]
# Counted apart, since that slows things: what a message costs in system calls, and memory.
COUNTED = [case(2 * KB, 10), case(2 * KB, 10, True), case(20 * KB, 10), case(2 * KB, 10, recipients=50)]
REMEMBERED = [case(2 * KB, 50), case(2 * KB, 50, True), case(MB, 50)]
FLOORS = ["folders", "together", "files", "inplace", "reused", "maildir"]
FLOORS_BESIDE = ["folders", "files"]


class Results:
    """All figures so far, in a file that is written after each."""

    def __init__(self, path, about):
        self.path, self.about, self.rows = path, about, []

    def add(self, group, what, side, kind, figures):
        self.rows.append({"group": group, "case": str(what), "messages": what.messages,
                          "recipients": what.recipients, "side": side, "kind": kind,
                          "figures": figures})
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump({"about": self.about, "rows": self.rows}, file, indent=1)
        os.rename(self.path + ".new", self.path)


def version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True,
                          text=True)
    return done.stdout


def busy_before_start():
    """What others make of the CPUs, of 1."""
    seconds = 3
    before = busy_seconds()
    time.sleep(seconds)
    return (busy_seconds() - before) / seconds / os.cpu_count()


def machine(disk, packages):
    """What figures are worth little without."""
    done = subprocess.run(["git", "-C", systems.TREE, "describe", "--always", "--dirty"],
                          capture_output=True, text=True)
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "commit": done.stdout.strip() or "a copy of the tree",
            "kernel": platform.release(), "cpus": os.cpu_count(),
            "cpu": model.group(1) if model else platform.machine(), "memory_mb": memory,
            "disk": disk.describe(), "busy": busy_before_start(),
            "versions": {name: version(name) for name in packages}}


def about(session, rounds):
    option = session.option
    return machine(session.disk, ("postfix", "dovecot-lmtpd", "clamav-milter", "libclamav12")) | {
        "boxes": option.boxes, "domains": option.domains, "scale": option.scale, "rounds": rounds}


class Full:
    def __init__(self, session, option, path):
        self.session, self.option = session, option
        self.rounds = option.rounds or 3
        self.stuck = []
        self.results = Results(path, about(session, self.rounds))

    def wanted(self, cases):
        found = [copy.copy(one) for one in cases if re.search(self.option.cases, str(one))]
        for one in found:
            one.messages = max(2 * one.sessions, int(one.messages * self.option.scale))
        return found

    def one(self, group, side, what, kind, **options):
        """A side that fails at a case is out of this case; one that stays stuck, out of its group's rest."""
        if side in self.stuck:
            return
        try:
            figures = self.session.meter.measure(side, what, **options)
        except (Failed, systems.harness.Failure) as failure:
            print(f"failed: {failure}", flush=True)
            self.results.add(group, what, side.name, "failed", {"text": str(failure)[:300]})
            self.let_recover(side)
            return
        self.results.add(group, what, side.name, kind, figures)
        print(f"  {kind:7} {side.name:16}", *(f"{name}={value:.2f}" for name, value in figures.items()),
              flush=True)

    def let_recover(self, side):
        try:
            side.wait_idle()
        except systems.harness.Failure as failure:
            print(f"failed: {failure}: no more of it", flush=True)
            self.stuck.append(side)

    def rounds_of(self, group, what, competitors):
        """A, B, C, then B, C, A, and so on: whoever goes first has no lasting advantage."""
        print(f"{group}: {what}", flush=True)
        for number in range(self.rounds):
            start = number % len(competitors)
            for side in competitors[start:] + competitors[:start]:
                self.one(group, side, what, "rate")
        # Where freed inodes cost time, nothing is deleted before the end.
        if self.session.disk.kind == "journal":
            for side in competitors:
                side.throw_away_aside()

    def group(self, title, kinds, cases):
        cases = self.wanted(cases)
        counted = self.wanted(COUNTED if title == "delivery" else cases)
        remembered = self.wanted(REMEMBERED) if title == "delivery" else []
        if not cases:
            return
        running = [self.session.start(kind) for kind in kinds]
        disk = self.session.disk.path
        beside = [Floor(disk, variant) for variant in FLOORS_BESIDE] if title == "delivery" else []
        for what in cases:
            self.rounds_of(title, what, running + (beside if what.recipients == 1 else []))
        for what in counted:
            for side in running:
                self.one(title, side, what, "counts", count=True)
        for what in remembered:
            for side in running:
                self.one(title, side, what, "memory", memory=True)
        for side in running:
            side.throw_away_aside()
            self.session.stop(side)

    def floors(self):
        floors = [Floor(self.session.disk.path, variant) for variant in FLOORS]
        for what in self.wanted([case(2 * KB, sessions) for sessions in (1, 10, 50)]):
            self.rounds_of("floor", what, floors)

    def run(self):
        names = self.option.groups.split(",")
        if "floor" in names:
            self.floors()
        for title, kinds, cases in GROUPS:
            if title in names:
                self.group(title, kinds, cases)


def run(session, option, path):
    Full(session, option, path).run()
    print(f"figures: {path}")
