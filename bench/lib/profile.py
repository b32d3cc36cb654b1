"""Where our side spends its time: perf over its group, symbols and system calls by program."""

import collections
import os
import re
import subprocess
import tempfile
import time

import signal

ROWS = 60


def record(group, events, run):
    """Runs run() while perf records; returns the file."""
    file = tempfile.NamedTemporaryFile(suffix=".perf", delete=False)
    file.close()
    words = []
    for event in events:
        words += ["-e", event, "-G", group.name]
    process = subprocess.Popen(["perf", "record", "-q", "-a", "-m", "2048", "-o", file.name] + words,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        run()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
    return file.name


def report(path, *sort):
    done = subprocess.run(["perf", "report", "-i", path, "--stdio", "-q", "--sort", ",".join(sort),
                           "--percent-limit", "0.4"], capture_output=True, text=True)
    lines = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
    return lines[:ROWS]


def system_call_names():
    """number -> name, as the C library's headers have them."""
    done = subprocess.run(["cpp", "-dM", "-include", "sys/syscall.h", "/dev/null"],
                          capture_output=True, text=True)
    return {int(number): name
            for name, number in re.findall(r"#define __NR_(\w+) (\d+)$", done.stdout, re.M)}


def system_calls(path, messages):
    """Lines: per program, its calls per message."""
    names = system_call_names()
    done = subprocess.run(["perf", "script", "-i", path, "-F", "comm,event,trace"],
                          capture_output=True, text=True)
    calls = collections.defaultdict(collections.Counter)
    for program, number in re.findall(r"^\s*(.*?)\s+raw_syscalls:sys_enter:\s+NR (\d+)", done.stdout,
                                      re.M):
        calls[program][names.get(int(number), number)] += 1
    lines = []
    for program, counter in sorted(calls.items(), key=lambda item: -item[1].total()):
        lines.append(f"{program}: {counter.total() / messages:.1f}")
        lines.append("    " + ", ".join(f"{name} {count / messages:.2f}"
                                        for name, count in counter.most_common(25)
                                        if count / messages >= 0.01))
    total = sum(counter.total() for counter in calls.values())
    return [f"all: {total / messages:.1f}"] + lines


def profile_run(side, what, run, units, unit):
    """Prints two tables for run(), which does something `units` times."""
    print(f"\n==== {side.label}: {what}: CPU time by program and symbol ====")
    path = record(side.group, ["cpu-clock"], run)
    print(*report(path, "comm"), sep="\n")
    print()
    print(*report(path, "comm", "dso"), sep="\n")
    print()
    print(*report(path, "comm", "dso", "symbol"), sep="\n")
    os.unlink(path)
    print(f"\n==== {side.label}: {what}: system calls per {unit}, by program ====")
    path = record(side.group, ["raw_syscalls:sys_enter"], run)
    print(*system_calls(path, units), sep="\n")
    os.unlink(path)


def profile(meter, side, case):
    profile_run(side, case, lambda: meter.measure(side, case), case.messages, "message")
