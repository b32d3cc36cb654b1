"""Clients that don't wait for each other.

What each of them alone changes - a keyword of its own on everybody's messages, messages of its own - is known
without knowing who came first: no change may be lost, and no message number may mean another message.
"""

import random
import threading
import time

from client import flag_set, uid_set
from imapgrammar import GrammarError
from imapsession import Imap, Result, Unwaited
from suite import Failure, check, message

DELETED = r"\Deleted"


class Racer(threading.Thread):
    """One client on INBOX."""

    def __init__(self, suite, address, number, shared, seconds):
        super().__init__(daemon=True)
        self.session = Imap(suite, address)
        self.address, self.number, self.shared = address, number, shared
        self.keyword = f"mine-{number}"
        self.random = random.Random(number)
        self.until = time.monotonic() + seconds
        self.slots = []        # UIDs by number; None: not told yet
        self.mine = {}         # UID -> does it have our keyword?
        self.own = {}          # UID -> mark of what we appended
        self.count, self.error = 0, None
        self.absorb(self.session.ok("SELECT INBOX"), "SELECT")
        self.learn()

    def run(self):
        try:
            while time.monotonic() < self.until:
                self.random.choice([self.store] * 6 + [self.append, self.append, self.expunge, self.fetch,
                                                       self.search, self.search, self.noop, self.idle])()
                self.learn()
                self.count += 1
        except (OSError, Failure, GrammarError) as error:
            self.error = error

    def absorb(self, result, command):
        for one in result.untagged:
            if one.kind == "EXISTS":
                check(one.number >= len(self.slots), f"{one}: {len(self.slots)} were told before")
                self.slots += [None] * (one.number - len(self.slots))
            elif one.kind == "EXPUNGE":
                check(command not in ("FETCH", "STORE", "SEARCH"), f"{one} during {command}")
                check(one.number <= len(self.slots), f"{one}: there are {len(self.slots)}")
                uid = self.slots.pop(one.number - 1)
                check(uid is None or uid in self.shared["doomed"], f"{one}: nobody expunges UID {uid}")
            elif one.kind == "FETCH":
                self.take(one)
        known = [uid for uid in self.slots if uid]
        check(known == sorted(set(known)), f"UIDs by number after {command}: {known}")

    def take(self, one):
        check(one.number <= len(self.slots), f"{one}: there are {len(self.slots)}")
        uid = self.slots[one.number - 1]
        told = one.value.get("UID")
        check(uid is None or told in (None, uid), f"{one}: this number was UID {uid}")
        self.slots[one.number - 1] = uid = uid or told
        if uid and "FLAGS" in one.value:
            has = self.keyword in flag_set(one.value["FLAGS"])
            check(has == self.mine.get(uid, False),
                  f"{one}: UID {uid} has {'' if has else 'not '}{self.keyword}, which nobody else changes")

    def learn(self):
        while None in self.slots:
            first = self.slots.index(None) + 1
            result = self.session.run(f"FETCH {first}:* (UID FLAGS)")
            self.absorb(result, "FETCH")
            if None in self.slots:  # gone before we could ask
                self.noop()

    def noop(self):
        self.absorb(self.session.ok("NOOP"), "NOOP")

    def idle(self):
        self.session.send("i IDLE\r\n")
        check(self.session.response().tag == "+", "IDLE")
        time.sleep(self.random.uniform(0, 0.01))
        self.session.send("DONE\r\n")
        untagged = [self.session.response()]
        while untagged[-1].tag != "i":
            untagged.append(self.session.response())
        self.absorb(Result(untagged.pop(), untagged), "IDLE")

    def store(self):
        if not self.slots:
            return
        numbers = self.random.sample(range(1, len(self.slots) + 1), min(len(self.slots), self.random.randint(1, 6)))
        chosen = [self.slots[number - 1] for number in numbers]
        sign = self.random.choice("+-")
        by_uid = self.random.random() < 0.5
        told = ",".join(map(str, chosen if by_uid else numbers))
        silent = self.random.choice(["", ".SILENT"])
        for uid in chosen:
            self.mine[uid] = sign == "+"
        result = self.session.run(f"{'UID ' if by_uid else ''}STORE {told} {sign}FLAGS{silent} ({self.keyword})")
        check(result.done.kind == "OK" or (not by_uid and result.done.code == "EXPUNGEISSUED"), f"{result.done}")
        self.absorb(result, "UID STORE" if by_uid else "STORE")

    def append(self):
        mark = f"{self.number}-{self.count}"
        text = message("a@example.org", self.address, "race", "z\r\n" * 20, f"X-Mark: {mark}\r\n")
        result = self.session.ok("APPEND INBOX ", Unwaited(text))
        uid = int(result.code("APPENDUID")[1])
        owner = self.shared["uids"].setdefault(uid, mark)
        check(owner == mark, f"UID {uid} was given to {owner} and {mark}")
        self.own[uid] = mark
        self.absorb(result, "APPEND")

    def expunge(self):
        """Of our own messages."""
        some = self.random.sample(sorted(self.own), min(len(self.own), 2))
        if not some:
            return
        uids = ",".join(map(str, some))
        self.shared["doomed"].update(some)
        self.absorb(self.session.ok(f"UID STORE {uids} +FLAGS.SILENT ({DELETED})"), "UID STORE")
        self.absorb(self.session.ok(f"UID EXPUNGE {uids}"), "UID EXPUNGE")
        left = set(some) & set(self.slots)
        check(not left, f"UID EXPUNGE {uids} told nothing of {left}")
        for uid in some:
            del self.own[uid]

    def fetch(self):
        result = self.session.run("FETCH 1:* (FLAGS UID)") if self.slots else None
        if result:
            check(result.done.kind == "OK" or result.done.code == "EXPUNGEISSUED", f"{result.done}")
            self.absorb(result, "FETCH")

    def search(self):
        result = self.session.ok(f"UID SEARCH KEYWORD {self.keyword}")
        known = {uid for uid in self.slots if uid} - self.shared["doomed"]
        found = set(result.one("SEARCH")) if result.all("SEARCH") else \
            set(uid_set(result.one("ESEARCH").get("ALL", "")))
        wanted = {uid for uid in known if self.mine.get(uid)}
        check(found & known == wanted, f"UID SEARCH KEYWORD {self.keyword}: {sorted(found)}, wanted {sorted(wanted)}")
        self.absorb(result, "UID SEARCH")


def race(suite, address, clients, seconds, first):
    """Returns how many steps were taken."""
    with Imap(suite, address) as session:
        for number in range(first):
            session.ok("APPEND INBOX ", Unwaited(message("a@example.org", address, "race", "first\r\n",
                                                         f"X-Mark: first-{number}\r\n")))
    shared = {"doomed": set(), "uids": {}}
    racers = [Racer(suite, address, number, shared, seconds) for number in range(clients)]
    for one in racers:
        one.start()
    for one in racers:
        one.join(seconds + 60)
        check(not one.is_alive(), f"client {one.number} hangs")
    for one in racers:
        check(one.error is None, f"client {one.number} after {one.count} steps: {one.error!r}")
    agree(suite, address, racers, first)
    return sum(one.count for one in racers)


def agree(suite, address, racers, first):
    """After NOOP all see the same, and it is what each of them did."""
    wanted = {uid for one in racers for uid in one.own}
    views = []
    for session in [*(one.session for one in racers), Imap(suite, address)]:
        session.ok("NOOP" if session in [one.session for one in racers] else "SELECT INBOX")
        fetched = session.ok("FETCH 1:* (UID FLAGS)").fetched()
        views.append({items["UID"]: flag_set(items["FLAGS"]) for items in fetched.values()})
        session.socket.close()
    for number, view in enumerate(views):
        check(view == views[-1], f"client {number} sees something else than a new session: "
                                 f"{[uid for uid in set(view) | set(views[-1]) if view.get(uid) != views[-1].get(uid)]}")
    for uid, flags in views[-1].items():
        for one in racers:
            check((one.keyword in flags) == one.mine.get(uid, False),
                  f"UID {uid}: {one.keyword} of client {one.number}: {sorted(flags)}")
    check(len(views[-1]) == first + len(wanted), f"{len(views[-1])} messages, wanted {first} and {len(wanted)}")
    check(wanted <= set(views[-1]), f"lost: {wanted - set(views[-1])}")


class Wrecker(threading.Thread):
    """Makes, fills, renames and deletes the same few folders as others do, as fast as it can."""

    NAMES = ["wreck", "wreck/below", "ruin"]

    def __init__(self, suite, address, number, seconds):
        super().__init__(daemon=True)
        self.suite, self.address, self.number = suite, address, number
        self.random = random.Random(number)
        self.until = time.monotonic() + seconds
        self.count, self.ended, self.error = 0, 0, None
        self.answers = {"OK": 0, "NO": 0}

    def run(self):
        try:
            while time.monotonic() < self.until:
                with Imap(self.suite, self.address) as session:
                    self.go(session)
        except (OSError, Failure, GrammarError) as error:
            self.error = error

    def go(self, session):
        """Till the time is up, or the server says BYE: the selected folder was deleted."""
        selected = False
        while time.monotonic() < self.until:
            parts = self.choose(selected)
            try:
                result = session.run(*parts)
            except Failure as error:
                bye = [one for one in session.untagged if one.kind == "BYE"]
                check(bye, f"{parts}: closed without a BYE: {error} {session.untagged}")
                self.ended += 1
                return
            self.count += 1
            check(result.done.kind in self.answers, f"{parts}: {result.done}")
            self.answers[result.done.kind] += 1
            if result.all("BYE"):
                self.ended += 1
                return
            if parts[0].startswith("SELECT"):
                selected = result.done.kind == "OK"
            elif parts[0].startswith("DELETE") and result.done.kind == "OK":
                selected = False  # it may have been ours

    def choose(self, selected):
        name, other = self.random.choice(self.NAMES), self.random.choice(self.NAMES)
        text = message("a@example.org", self.address, "wreck", "w\r\n", f"X-Mark: {self.number}-{self.count}\r\n")
        always = [(f"CREATE {name}",), (f"DELETE {name}",), (f"RENAME {name} {other}x",), (f"RENAME {other}x {name}",),
                  (f"SELECT {name}",), (f"APPEND {name} ", Unwaited(text)), (f"STATUS {name} (MESSAGES UIDNEXT)",),
                  ('LIST "" *',), (f"SUBSCRIBE {name}",)]
        within = [("UID STORE 1:* +FLAGS (\\Deleted kw)",), ("EXPUNGE",), (f"UID COPY 1:* {name}",), ("NOOP",),
                  (f"UID MOVE 1:* {name}",), ("UID FETCH 1:* (FLAGS BODY[])",), ("UID SEARCH TEXT wreck",)]
        return self.random.choice(always + within * 2 if selected else always)


def wreck(suite, address, clients, seconds):
    """Folders deleted, renamed and made under everybody's feet; INBOX is not touched. The clients."""
    with Imap(suite, address) as session:
        for number in range(5):
            session.ok("APPEND INBOX (kw) ", Unwaited(message("a@example.org", address, "kept", f"{number}\r\n")))
    wreckers = [Wrecker(suite, address, number, seconds) for number in range(clients)]
    for one in wreckers:
        one.start()
    for one in wreckers:
        one.join(seconds + 60)
        check(not one.is_alive(), f"client {one.number} hangs")
    for one in wreckers:
        check(one.error is None, f"client {one.number} after {one.count} commands: {one.error!r}")
    with Imap(suite, address) as session:
        for one in session.ok('LIST "" *').all("LIST"):
            if r"\Noselect" not in one.value[0]:
                count = session.ok(f'SELECT "{one.value[2]}"').numbers("EXISTS")[0]
                check(not count or len(session.ok("FETCH 1:* (UID FLAGS BODY.PEEK[])").fetched()) == count,
                      f"all of {one.value[2]} can be read")
        check(session.ok("SELECT INBOX").numbers("EXISTS") == [5], "INBOX is as it was")
    return wreckers
