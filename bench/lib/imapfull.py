"""The whole measurement of IMAP and POP3: mailboxes are filled, then each measure goes round the sides."""

import json
import os
import re
import statistics

import imapmeasure as measures
import letters
import profile as profiler
from full import machine
from imapsides import HUGE, LARGE, POP, SMALL, SMALL_COUNT, WOKEN, DovecotFast, DovecotMaildir, DovecotSdbox, Ours
from measure import Failed, fields
from sides import harness

# name -> sides, capability that a side must have, function
MAIN = (Ours, DovecotMaildir, DovecotSdbox)
ALL = (Ours, DovecotMaildir, DovecotSdbox, DovecotFast)
MEASURES = {
    "select": (MAIN, "", measures.select),
    "flags": (MAIN, "", measures.fetch_flags),
    "envelope": (MAIN, "", measures.fetch_envelope),
    "bodystructure": (MAIN, "", measures.fetch_bodystructure),
    "bodies": (MAIN, "", measures.fetch_bodies),
    "text": (MAIN, "", measures.search_text),
    "header": (MAIN, "", measures.search_header),
    "since": (MAIN, "", measures.search_since),
    "sort": (MAIN, "SORT", measures.sort),
    "thread": (MAIN, "THREAD=REFERENCES", measures.thread),
    "changes": (MAIN, "MOVE", measures.changes),
    "append": (MAIN, "LITERAL+", measures.append),
    "wake": (ALL, "IDLE", measures.wake),
    "sessions": (ALL, "", measures.sessions),
    "memory": (ALL, "IDLE", measures.memory),
    "pop3": (MAIN, "", measures.pop3),
    "huge-select": (MAIN, "", measures.select_huge),
    "huge-flags": (MAIN, "", measures.fetch_flags_huge),
    "huge-envelope": (MAIN, "", measures.fetch_envelope_huge),
    "dropped": (MAIN, "", measures.dropped),
}


SMALL_MESSAGES = 10


class Amounts:
    def __init__(self, quick):
        self.large, self.huge = 10000, 0 if quick else 100000
        self.appended, self.sessions, self.wakes = (1000, 300, 5) if quick else (3000, 2000, 20)
        self.idle = 200 if quick else 1000
        self.large_bytes = 0


class Results:
    """All figures so far, in a file that is written after each."""

    def __init__(self, path, about):
        self.path, self.data = path, {"about": about, "rows": [], "notes": []}

    def add(self, measure, side, found):
        self.data["rows"] += [{"row": row, "side": side.name, "value": value} for row, value in found.items()]
        print(f"  {measure:14} {side.name:16}", *(f"{row}={value:.2f}" for row, value in found.items()), flush=True)
        self.save()

    def note(self, text):
        if text not in self.data["notes"]:
            print(f"  {text}", flush=True)
            self.data["notes"].append(text)
        self.save()

    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.data, file, indent=1)
        os.rename(self.path + ".new", self.path)


class Full:
    def __init__(self, session, option, path):
        self.session, self.option = session, option
        self.rounds = option.rounds or (1 if option.quick else 5)
        self.amounts = Amounts(option.quick)
        self.client = measures.Client(os.path.join(session.programs, "imapload"), session.disk.path, self.amounts)
        self.wanted = [name for name in MEASURES if re.search(option.measures, name) and self.is_possible(name)]
        self.sides = []
        self.results = Results(path, machine(session.disk, ("dovecot-core",)) | {
            "rounds": self.rounds, "messages": self.amounts.large, "huge": self.amounts.huge})

    def is_possible(self, name):
        if name == "dropped":
            return self.option.drop_caches
        return self.amounts.huge > 0 or not name.startswith("huge-")

    def needs(self, *prefixes):
        return any(name.startswith(prefix) for name in self.wanted for prefix in prefixes)

    def run(self):
        self.amounts.large_bytes = letters.write(self.client.large_file, self.amounts.large)
        if self.needs("huge-"):
            letters.write(self.client.huge_file, self.amounts.large, small=True)
        kinds = [kind for kind in ALL if any(kind in MEASURES[name][0] for name in self.wanted)
                 and re.search(self.option.sides, kind.name)]
        self.sides = [self.session.launch(kind(self.session.disk.path, os.path.join(self.option.build, "bin")))
                      for kind in kinds]
        for side in self.sides:
            self.fill(side)
        if self.option.profile:
            self.profile()
        else:
            for name in self.wanted:
                self.measure(name)
            self.compare_counts()

    def profile(self):
        for name in self.wanted:
            for side in self.sides:
                if type(side) in MEASURES[name][0]:
                    profiler.profile_run(side, name, lambda name=name, side=side: self.one(name, side, MEASURES[name][2]),
                                        1, "run")

    def fill(self, side):
        """By APPEND over one connection, so that the order is the same everywhere."""
        self.append(side, SMALL, SMALL_MESSAGES, self.client.large_file)
        side.keep(SMALL)
        for user in [WOKEN, *range(SMALL + 1, SMALL + SMALL_COUNT)]:
            side.reset(user, SMALL)
        if type(side) in MAIN:
            self.append(side, LARGE, self.amounts.large, self.client.large_file)
            side.keep(LARGE)
            side.reset(POP, LARGE)
            if self.needs("huge-"):
                self.append(side, HUGE, self.amounts.large, self.client.huge_file)
                self.multiply(side)
        self.client.capabilities[side.name] = side.capabilities()

    def multiply(self, side):
        """Copies, by the server: to append all of them would take longer than the measurement."""
        times = self.amounts.huge // self.amounts.large - 1
        self.client.session(side, HUGE, [(f"copy{number}", f"COPY 1:{self.amounts.large} INBOX")
                                         for number in range(times)])
        self.client.session(side, HUGE, [("fetch", "FETCH 1:* FLAGS")])

    def append(self, side, user, count, file):
        """The first session finds mail that no session has seen, and sorts it in: that is part of the filling."""
        got = fields(self.client.run(side, "imap", "-f", str(user), "-m", str(count), f"append {file} INBOX"))
        self.client.session(side, user, [("fetch", "FETCH 1:* FLAGS")])
        print(f"  filled: {side.name}, {count} messages, {count / got['ms'] * 1000:.0f}/s", flush=True)

    def measure(self, name):
        """A, B, C, then B, C, A, and so on: whoever goes first has no lasting advantage."""
        kinds, capability, function = MEASURES[name]
        sides = []
        for side in self.sides:
            if type(side) not in kinds:
                continue
            if capability and capability not in self.client.capabilities[side.name]:
                self.results.note(f"{side.label} has no {capability}: {name} is left out")
            else:
                sides.append(side)
        for number in range(self.rounds):
            start = number % len(sides) if sides else 0
            for side in sides[start:] + sides[:start]:
                self.one(name, side, function)

    def one(self, name, side, function):
        side.settle()
        os.sync()  # what the last one left to write is not this one's cost
        try:
            self.results.add(name, side, function(self.client, side))
        except (Failed, harness.Failure) as failure:
            self.results.note(f"failed: {name}: {failure}")

    def compare_counts(self):
        for row, counts in self.client.counts.items():
            if row not in ("memory", "sessions_resumed") and len(set(counts.values())) > 1:
                self.results.note(f"{row}: the sides found " + ", ".join(f"{name} {count}" for name, count in
                                                                        counts.items()))
        for row, what in (("sessions_resumed", "sessions resumed"), ("memory", "processes with all sessions idle")):
            for name, count in self.client.counts.get(row, {}).items():
                self.results.note(f"{what}: {name} {count}")


def medians(path):
    """about, notes, and (row, side) -> median."""
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    values = {}
    for row in data["rows"]:
        values.setdefault((row["row"], row["side"]), []).append(row["value"])
    return data["about"], data["notes"], {key: statistics.median(list_) for key, list_ in values.items()}
