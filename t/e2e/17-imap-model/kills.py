"""imapd and local are killed at random moments under load; what was acknowledged has to be there.

Each message belongs to one worker, who notes before each command what may come of it, and after the OK what
did. Whoever is killed in between leaves two states possible, of which the audit must find one.
"""

import contextlib
import random
import re
import smtplib
import threading
import time

from client import flag_set, uid_set
from imapgrammar import GrammarError
from imapsession import Imap, Unwaited
from suite import Failure, check, message
from stress import forget_index

FOLDERS = ["INBOX", "Archive", "Junk"]
FLAGS = [r"\Answered", r"\Flagged", r"\Seen", r"\Draft", "kw-1", "kw-2", "kw-3"]
MARK = re.compile(rb"X-Mark: (\S+)", re.I)
FIRST_MESSAGES = 12
LOST = (OSError, Failure, GrammarError, smtplib.SMTPException)


class Refused(Exception):
    """A NO or BAD that nothing explains."""


def state_of(copies):
    """What can be compared: the copies with folder and flags."""
    return tuple(sorted((folder, tuple(sorted(flags))) for folder, _, flags in copies))


class Item:
    """A message and its copies, as its worker knows them: (folder, UID, flags)."""

    def __init__(self, copies=()):
        self.copies = list(copies)
        self.possible = {state_of(self.copies)}

    def certain(self):
        return len(self.possible) == 1

    def attempt(self, copies):
        self.possible = {state_of(self.copies), state_of(copies)}

    def done(self, copies):
        self.copies = list(copies)
        self.possible = {state_of(self.copies)}


class Load(threading.Thread):
    """Works till it is told to stop, over as many connections as it takes."""

    def __init__(self, suite, address, name, seed):
        super().__init__(daemon=True)
        self.suite, self.address, self.label = suite, address, name
        self.random = random.Random(seed)
        self.items, self.acknowledged, self.connections, self.trouble = {}, 0, 0, None
        self.stop = threading.Event()

    def begin(self):
        """A thread runs once; what it knows goes on."""
        threading.Thread.__init__(self, daemon=True)
        self.stop = threading.Event()
        self.start()

    def run(self):
        while not self.stop.is_set():
            try:
                self.connections += 1
                with contextlib.closing(self.connect()) as connection:
                    while not self.stop.is_set():
                        self.step(connection)
            except LOST:
                time.sleep(0.01)
            except Exception as error:  # shown by the main thread
                self.trouble = error
                return

    def new_item(self):
        mark = f"{self.label}-{len(self.items)}"
        self.items[mark] = Item()
        return mark, self.items[mark]


class Sender(Load):
    """Deliveries through the chain."""

    def connect(self):
        return smtplib.SMTP("127.0.0.1", self.suite.ports["smtp"], timeout=20)

    def step(self, client):
        mark, item = self.new_item()
        wanted = [("INBOX", None, frozenset())]
        item.attempt(wanted)
        client.sendmail("a@example.org", [self.address],
                        message("a@example.org", self.address, "load", "x\r\n" * 100, f"X-Mark: {mark}\r\n"))
        item.done(wanted)
        self.acknowledged += 1


class Session(Imap):
    """Knows what is selected."""

    selected = None

    def close(self):
        self.socket.close()

    def must(self, *parts):
        result = self.run(*parts)
        if result.done.kind != "OK":
            raise Refused(f"{parts}: {result.done}")
        return result

    def enter(self, folder):
        if self.selected != folder:
            self.must(f"SELECT {folder}")
            self.selected = folder


class Worker(Load):
    """Flags, copies, moves, appends and expunges messages of its own."""

    def connect(self):
        return Session(self.suite, self.address)

    def step(self, session):
        known = [item for item in self.items.values() if item.certain() and item.copies]
        kinds = [self.append] if len(known) < FIRST_MESSAGES else \
            [self.store] * 8 + [self.append, self.move, self.move, self.copy, self.expunge, self.expunge]
        self.random.choice(kinds)(session, self.random.choice(known) if known else None)
        self.acknowledged += 1

    def some_flags(self):
        return self.random.sample(FLAGS, self.random.randrange(4))

    def append(self, session, _):
        mark, item = self.new_item()
        folder, flags = self.random.choice(FOLDERS), self.some_flags()
        item.attempt([(folder, None, flag_set(flags))])
        text = message("a@example.org", self.address, "load", "y\r\n" * 50, f"X-Mark: {mark}\r\n")
        result = session.must(f"APPEND {folder} ({' '.join(flags)}) ", Unwaited(text))
        item.done([(folder, int(result.code("APPENDUID")[1]), flag_set(flags))])

    def pick(self, session, item):
        """One of the copies: (it, the others). Its folder is selected."""
        copy = self.random.choice(item.copies)
        session.enter(copy[0])
        return copy, [one for one in item.copies if one is not copy]

    def store(self, session, item):
        (folder, uid, _), others = self.pick(session, item)
        flags = self.some_flags()
        wanted = [*others, (folder, uid, flag_set(flags))]
        item.attempt(wanted)
        session.must(f"UID STORE {uid} FLAGS ({' '.join(flags)})")
        item.done(wanted)

    def copied_to(self, session, item, command):
        (folder, uid, flags), others = self.pick(session, item)
        target = self.random.choice([one for one in FOLDERS if one != folder])
        stays = [] if command == "MOVE" else [(folder, uid, flags)]
        item.attempt([*others, *stays, (target, None, flags)])
        result = session.must(f"UID {command} {uid} {target}")
        _, _, uids = result.code("COPYUID")
        item.done([*others, *stays, (target, uid_set(uids)[0], flags)])

    def move(self, session, item):
        self.copied_to(session, item, "MOVE")

    def copy(self, session, item):
        if len(item.copies) < 2:
            self.copied_to(session, item, "COPY")

    def expunge(self, session, item):
        (folder, uid, flags), others = self.pick(session, item)
        marked = flags | {r"\Deleted"}
        item.attempt([*others, (folder, uid, marked)])
        session.must(f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)")
        item.done([*others, (folder, uid, marked)])
        item.attempt(others)
        session.must(f"UID EXPUNGE {uid}")
        item.done(others)


class Assault:
    """Several accounts under load, and the audits between the rounds."""

    def __init__(self, suite, addresses, seed):
        self.suite, self.random = suite, random.Random(seed)
        self.loads = {address: [Worker(suite, address, f"worker{i}", seed + i) for i in range(3)] +
                      [Sender(suite, address, "sender", seed)] for address in addresses}
        self.owners = {}  # (address, folder, UIDVALIDITY, UID) -> mark: for ever
        self.kills = self.doubts = self.found = 0

    def everybody(self):
        return [load for loads in self.loads.values() for load in loads]

    def round(self, kills):
        for load in self.everybody():
            load.begin()
        for _ in range(kills):
            time.sleep(self.random.uniform(0.15, 0.6))
            self.kills += self.suite.kill9("imapd")
            if self.random.random() < 0.7:
                self.kills += self.suite.kill9("local")
        for load in self.everybody():
            load.stop.set()
        for load in self.everybody():
            load.join(60)
            check(not load.is_alive(), f"{load.label} of {load.address} hangs")
            if load.trouble:
                raise Failure(f"{load.label} of {load.address}: {load.trouble!r}") from load.trouble
        self.suite.flush_queue()
        for address in self.loads:
            with_index = self.audit(address)
            forget_index(self.suite.path("mail", *reversed(address.split("@")), "Maildir"))
            without = self.audit(address)
            check(with_index == without, f"{address}: without its index the mailbox is another one")

    def read(self, address):
        """mark -> copies"""
        found = {}
        with contextlib.closing(Session(self.suite, address)) as session:
            for folder in FOLDERS:
                selected = session.must(f"EXAMINE {folder}")
                uidvalidity = selected.code("UIDVALIDITY")
                if selected.numbers("EXISTS") == [0]:
                    continue
                fetched = session.must("FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (X-Mark)])").fetched()
                for items in fetched.values():
                    header = next(value for name, value in items.items() if name.startswith("BODY"))
                    check(MARK.search(header), f"{folder} UID {items['UID']} is torn: {header!r}")
                    mark = MARK.search(header)[1].decode()
                    place = (address, folder, uidvalidity, items["UID"])
                    owner = self.owners.setdefault(place, mark)
                    check(owner == mark, f"UID {place} was {owner}, is {mark}")
                    found.setdefault(mark, []).append((folder, items["UID"], flag_set(items["FLAGS"])))
        return found

    def audit(self, address):
        found = self.read(address)
        states = {mark: state_of(copies) for mark, copies in found.items()}
        wrong = []
        for load in self.loads[address]:
            for mark, item in load.items.items():
                state = states.pop(mark, ())
                self.doubts += not item.certain()
                self.found += len(state)
                if state not in item.possible:
                    wrong.append(f"{mark}: is {state}, may be {sorted(item.possible)}")
                item.done(found.get(mark, []))
        check(not wrong, f"{address}: {len(wrong)} messages are not what was acknowledged:\n    " +
              "\n    ".join(wrong[:10]))
        check(not states, f"{address}: messages of nobody: {states}")
        return {mark: sorted((folder, uid, sorted(flags)) for folder, uid, flags in copies)
                for mark, copies in found.items()}
