"""Control groups: what all processes of one side use, reaped children included, and nobody else.

Works with version 2 (cpu and memory in one tree), with version 1 (cpuacct, perf_event apart), and
with mixtures. perf_event of version 1 is mounted where it is not, since perf counts by it.
"""

import contextlib
import os
import subprocess
import time

PREFIX = "mail-suite-bench-"
PERF_MOUNT = "/sys/fs/cgroup/perf_event"


def mounts():
    with open("/proc/mounts", encoding="ascii", errors="replace") as file:
        return [line.split()[1:4] for line in file]


def hierarchies():
    """controller -> mount point; "" is version 2."""
    found = {}
    for where, kind, options in mounts():
        if kind == "cgroup2":
            found[""] = where
        elif kind == "cgroup":
            for name in ("cpuacct", "perf_event"):
                if name in options.split(","):
                    found[name] = where
    return found


def mount_tracing():
    """perf finds the kernel's tracepoints there; it stays, as on most machines."""
    if not os.path.isdir("/sys/kernel/tracing/events"):
        subprocess.run(["mount", "-t", "tracefs", "none", "/sys/kernel/tracing"], check=True)


def mount_perf():
    """True if we mounted it, and so have to unmount it."""
    found = hierarchies()
    if "cpuacct" not in found or "perf_event" in found:
        return False
    os.makedirs(PERF_MOUNT, exist_ok=True)
    done = subprocess.run(["mount", "-t", "cgroup", "-o", "perf_event", "none", PERF_MOUNT])
    return done.returncode == 0


def unmount_perf():
    subprocess.run(["umount", PERF_MOUNT])
    with contextlib.suppress(OSError):
        os.rmdir(PERF_MOUNT)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def remove_stale():
    """Ends what a session left that was killed: its groups bear the number of a process that is gone."""
    for where in hierarchies().values():
        for name in os.listdir(where):
            if name.startswith(PREFIX):
                owner, _, rest = name.removeprefix(PREFIX).partition("-")
                if not os.path.exists(f"/proc/{owner}"):
                    Group(rest, owner).remove()


class Group:
    """One group, in every hierarchy that there is."""

    def __init__(self, name, owner=0):
        self.name = f"{PREFIX}{owner or os.getpid()}-{name}"
        self.folders = {controller: os.path.join(where, self.name)
                        for controller, where in hierarchies().items()}
        for folder in self.folders.values():
            os.makedirs(folder, exist_ok=True)

    def enter(self):
        """For preexec_fn: the process and all that it starts belong to the group."""
        for folder in self.folders.values():
            with open(os.path.join(folder, "cgroup.procs"), "w", encoding="ascii") as file:
                file.write(str(os.getpid()))

    def popen(self, command, **options):
        return subprocess.Popen(command, preexec_fn=self.enter, **options)

    def run(self, command, **options):
        """For programs that leave daemons behind: those inherit the group."""
        return subprocess.run(command, preexec_fn=self.enter, check=True, **options)

    def cpu_seconds(self):
        if "cpuacct" in self.folders:
            return int(read(os.path.join(self.folders["cpuacct"], "cpuacct.usage"))) / 1e9
        for line in read(os.path.join(self.folders[""], "cpu.stat")).splitlines():
            if line.startswith("usage_usec"):
                return int(line.split()[1]) / 1e6
        raise OSError("no control group counts CPU time here")

    def pids(self):
        folder = self.folders.get("cpuacct") or self.folders[""]
        return [int(word) for word in read(os.path.join(folder, "cgroup.procs")).split()]

    def memory_kb(self):
        """Proportional set size of all processes: pages that several share count once."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
        return total

    def kill_all(self):
        for _ in range(100):
            pids = self.pids()
            if not pids:
                return
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            time.sleep(0.05)

    def remove(self):
        self.kill_all()
        for folder in self.folders.values():
            for _ in range(20):
                try:
                    os.rmdir(folder)
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.1)
