"""What was promised to whom, and whether it was kept."""

import re
from collections import Counter

from rig import DOMAINS, FORWARDS, KEY, POSTMASTER, SINK_DOMAIN

# Fields that the suite may put in front of what was sent.
ADDED = re.compile(rb"(?:(?:Return-Path|Delivered-To|X-Fault-Scan|Received): [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*")
FAILED = re.compile(rb"^Final-Recipient: rfc822; ?(\S+?)\r?$", re.M | re.I)
REPORT_BEGIN = re.compile(rb"^Content-Type: multipart/report;.*?boundary=\"?([^\"\r\n]+)", re.M | re.S)

HOPELESS = 200


def is_local(address):
    local, _, domain = address.partition("@")
    return local in DOMAINS.get(domain, [])


def is_elsewhere(address):
    return address.endswith("@" + SINK_DOMAIN) and not address.startswith("never")


class Message:
    """One that a client handed over. `id` is what it was answered; None without a K."""

    def __init__(self, key, sender, recipients, data, verdict="clean"):
        self.key, self.sender, self.recipients, self.data = key, sender, recipients, data
        self.verdict = verdict
        self.id = None
        self.answer = None

    def expected(self):
        """Addresses where something must arrive: the recipients', and where their mail goes on to."""
        return self.recipients + [FORWARDS[one] for one in self.recipients if one in FORWARDS]

    def fate(self, recipient):
        """Where a copy or a report must arrive: (kind, address, who is named in the report)."""
        if self.verdict == "clean" and is_local(recipient):
            return "local", recipient, None
        if self.verdict == "clean" and is_elsewhere(recipient):
            return "remote", recipient, None
        if is_local(self.sender):
            return "report", self.sender, recipient
        if self.sender and is_elsewhere(self.sender):
            return "remote report", self.sender, recipient
        # The report can't be delivered either: postmaster hears that, of the first sender.
        return "double", POSTMASTER, self.sender or recipient


class Arrivals:
    """What lies in mailboxes and what other servers have taken, as far as it is what it should be."""

    def __init__(self, messages):
        self.messages = {message.key: message for message in messages}
        self.copies = Counter()   # (key, address)
        self.reports = Counter()  # (address, who is named, key or None)
        self.garbage = []

    def add(self, address, data, where):
        key = KEY.search(data)
        message = self.messages.get(key.group(1).decode()) if key else None
        if message and data.endswith(message.data) and \
                ADDED.fullmatch(data[:len(data) - len(message.data)]):
            self.copies[message.key, address] += 1
        elif is_whole_report(data):
            for name in FAILED.findall(data):
                self.reports[address, name.decode(), message.key if message else None] += 1
        else:
            self.garbage.append(f"{where}: {len(data)} bytes: {data[:300]!r}")

    def add_rig(self, rig, skip=0):
        for address, path, data in rig.delivered():
            self.add(address, data, path)
        for transaction in rig.world.transactions[skip:]:
            self.add_transaction(transaction)

    def add_transaction(self, transaction):
        for recipient in transaction.recipients:
            self.add(recipient, transaction.data, f"for {recipient}, at another server")

    def has_copy(self, data, recipient):
        return any(self.copies[message.key, recipient] for message in self.messages.values()
                   if data.endswith(message.data))

    def count(self, message, recipient):
        kind, address, named = message.fate(recipient)
        if kind in ("local", "remote"):
            return self.copies[message.key, address]
        if kind == "double":
            return sum(count for (where, who, _), count in self.reports.items()
                       if where == address and who == named)
        return self.reports[address, named, message.key]


def is_whole_report(data):
    begin = REPORT_BEGIN.search(data)
    return bool(begin) and data.rstrip(b"\r\n").endswith(b"--" + begin.group(1) + b"--")


class Verdict:
    """Counts over many states."""

    def __init__(self):
        self.checked = 0
        self.lost = []
        self.twice = Counter()
        self.wrong = []

    def judge(self, promised, arrivals, name):
        """`promised` are messages that were acknowledged, and not taken back."""
        for message in promised:
            for recipient in message.expected():
                self.judge_recipient(message, recipient, arrivals, name)
        self.wrong += [f"{name}: garbage: {text}" for text in arrivals.garbage]
        for message in arrivals.messages.values():
            if message.verdict == "infected" and \
                    any(arrivals.copies[message.key, one] for one in message.recipients):
                self.wrong.append(f"{name}: {message.key}: delivered with a virus")

    def judge_recipient(self, message, recipient, arrivals, name):
        if message.verdict == "infected":
            return
        self.checked += 1
        kind = message.fate(recipient)[0]
        count = arrivals.count(message, recipient)
        if count == 0:
            self.lost.append(f"{name}: {message.key} ({message.id}) for {recipient} ({kind})")
        if count > 1:
            self.twice[kind] += count - 1
            if kind == "local":
                self.wrong.append(f"{name}: {message.key}: {count} copies for {recipient}")

    def is_hopeless(self):
        """So much is wrong that more of it says nothing new."""
        return len(self.lost) + len(self.wrong) > HOPELESS

    def add(self, other):
        self.checked += other.checked
        self.lost += other.lost
        self.twice += other.twice
        self.wrong += other.wrong
