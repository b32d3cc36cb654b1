"""What every run of a measurement has: its turn, its disk, its client programs, the sides; all removed at the end."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import group as groups
from disk import Disk

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Session:
    """`programs`: name -> what its source is linked with."""

    def __init__(self, option, disk_mb, programs):
        self.option, self.disk_mb, self.wanted = option, disk_mb, programs
        self.sides = []
        self.at_end = []

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def begin(self):
        groups.remove_stale()
        groups.mount_tracing()
        if groups.mount_perf():
            self.at_end.append(groups.unmount_perf)
        self.disk = Disk(self.option.disk, self.option.scratch)
        self.at_end.append(self.disk.remove)
        self.disk.make(self.disk_mb)
        self.programs = tempfile.mkdtemp(prefix="mail-suite-bench-bin-", dir=self.option.scratch)
        self.at_end.append(lambda: shutil.rmtree(self.programs))
        for name, libraries in self.wanted.items():
            subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-o",
                            os.path.join(self.programs, name), os.path.join(BENCH, f"{name}.c"),
                            *libraries], check=True)

    def end(self):
        """Whatever goes wrong, the rest is removed, too; a second Ctrl-C does not stop that."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for step in [side.stop for side in self.sides] + self.at_end[::-1]:
            try:
                step()
            except Exception as error:  # the next step may well work
                print(f"bench: at the end: {error}", file=sys.stderr)

    def launch(self, side):
        self.sides.append(side)
        side.start()
        return side

    def stop(self, side):
        side.stop()
        self.sides.remove(side)


def wait_for_turn(scratch):
    """Two measurements at a time measure each other. The lock ends with this process."""
    lock = open(os.path.join(scratch, "mail-suite-bench.lock"), "w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("bench: another run goes on; waiting for its end", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock
