"""Random steps of several clients on one account, each checked against the model.

One command at a time, so that the model knows what has to come of it; what a client has not been told
yet is the difference between its view and the mailbox. Deterministic per seed, as far as the server is.
"""

import os
import random
import re
import time

import search
from client import Client, Gone, View, flag_set, in_set, uid_set
from imapsession import Literal, Unwaited
from suite import Failure, check, wait_until
from world import Message, Snapshot, World, difference

WORDS = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima".split()
SYSTEM = [r"\Answered", r"\Flagged", r"\Deleted", r"\Seen", r"\Draft"]
KEYWORDS = ["$Forwarded", "$Junk", "NonJunk", "kw-1", "KW-2", "kw3", "$Label1"]
NAMES = ["work", "work/now", "work/later", "play", "play/now", "dots.in.it", "&ZeVnLIqe-", "INBOX/below"]
LETTERS = {"D": r"\Draft", "F": r"\Flagged", "P": "$forwarded", "R": r"\Answered", "S": r"\Seen",
           "T": r"\Deleted"}
OLD_TICK = 0.13   # seconds after which a change in a folder moves its time for sure (mailbox/mailbox.h)
IDLE_PATIENCE = 5
MOST_MESSAGES = 60
INDEX_FILES = ("mailbox-index", "mailbox-cache", "mailbox-log")


class Context:
    """What search keys may refer to."""

    def __init__(self, view):
        self.view, self.depth = view, 2
        self.keywords, self.words = KEYWORDS, WORDS

    def numbers(self, random_):
        text = random_set(random_, range(1, len(self.view.slots) + 1)) or "1:*"
        return text, {number for number in range(1, len(self.view.slots) + 1)
                      if in_set(text, number, len(self.view.slots))}

    def uids(self, random_):
        known = [uid for uid in self.view.uids() if uid]
        text = random_set(random_, known) or "1:*"
        return text, {uid for uid in known if in_set(text, uid, self.view.highest())}


def random_set(random_, numbers):
    """A sequence set of some of the numbers, in any form. "" when there is none."""
    numbers = list(numbers)
    if not numbers:
        return ""
    kind = random_.randrange(6)
    if kind == 0:
        return random_.choice(["1:*", "*:1"]) if numbers[0] >= 1 else "1:*"
    if kind == 1:
        return "*"
    first, last = random_.choice(numbers), random_.choice(numbers)
    if kind == 2:
        return f"{first}:{last}"
    if kind == 3:
        return f"{first}:*"
    some = random_.sample(numbers, min(len(numbers), random_.randint(1, 4)))
    return ",".join(map(str, some))


def join_set(numbers):
    return ",".join(map(str, sorted(numbers)))


def found_numbers(result):
    """Of SEARCH or ESEARCH."""
    if result.all("ESEARCH"):
        told = result.one("ESEARCH")
        found = set(uid_set(told["ALL"])) if "ALL" in told else set()
        check(int(told.get("COUNT", len(found))) == len(found), f"COUNT: {told}")
        check(not found or (int(told.get("MIN", min(found))) == min(found) and
                            int(told.get("MAX", max(found))) == max(found)), f"MIN and MAX: {told}")
        return found
    found = [one for one in result.one("SEARCH") if not isinstance(one, tuple)]
    check(len(found) == len(set(found)), f"SEARCH found twice: {found}")
    return set(found)


class Run:
    """One seed."""

    def __init__(self, suite, address, seed, clients=2, foreign=False, forget=False):
        self.suite, self.address, self.seed = suite, address, seed
        self.random = random.Random(seed)
        self.foreign, self.forget = foreign, forget
        self.mark = 0
        self.world = None
        self.counts = {}
        local, domain = address.split("@")
        self.maildir = suite.path("mail", domain, local, "Maildir")
        self.clients = []
        self.last = "start"
        self.meet()
        self.clients = [Client(suite, address, self.world, f"client {i}") for i in range(clients)]
        self.capabilities = self.clients[0].session.capabilities
        self.condstore = "CONDSTORE" in self.capabilities
        for client in self.clients:
            self.greet(client)
        self.steps = self.weigh()

    def meet(self):
        """The folders that a new account has."""
        first = Client(self.suite, self.address, None, "first")
        names = [one.value[2] for one in first.ask('LIST "" *').all("LIST")]
        subscribed = [one.value[2] for one in first.ask('LSUB "" *').all("LSUB")]
        first.close()
        check("INBOX" in names, f"LIST of a new account: {names}")
        self.world = World(names, subscribed)

    def weigh(self):
        selected = {self.store: 16, self.fetch: 8, self.search: 10, self.copy: 5, self.move: 4,
                    self.expunge: 4, self.uid_expunge: 3, self.close: 1, self.unselect: 1, self.check: 1,
                    self.noop: 8, self.idle: 5, self.empty_set: 1}
        always = {self.append: 8, self.select: 8, self.status: 3, self.list: 1, self.create: 1,
                  self.delete: 0.7, self.rename: 0.7, self.subscribe: 1, self.deliver: 1.5,
                  self.drop_file: 1.5, self.reconnect: 0.7, self.audit: 1}
        if self.condstore:
            selected.update({self.resync: 5, self.store_unchanged: 5})
        if self.foreign:
            always.update({self.drop_file: 4, self.rename_file: 4, self.remove_file: 1})
        if self.forget:
            always[self.forget_index] = 2
        return selected, always

    # -- running -----------------------------------------------------------------------------------
    def go(self, count):
        try:
            for _ in range(count):
                self.step()
            self.last = "the last audit"
            self.quiet()
            for client in self.clients:
                client.close()
            self.full_audit()
        except Exception as error:
            raise Failure(self.report(error)) from error

    def step(self):
        self.world.step += 1
        client = self.random.choice(self.clients)
        if client.idle_since is not None:
            chosen = self.end_idle
        else:
            selected, always = self.steps
            weights = {**always, **(selected if client.view else {})}
            chosen = self.random.choices(list(weights), list(weights.values()))[0]
        self.last = f"{chosen.__name__} of {client.name}"
        self.counts[chosen.__name__] = self.counts.get(chosen.__name__, 0) + 1
        for one in self.clients:
            one.transcript.append(f"-- step {self.world.step}: {self.last}")
        chosen(client)
        if not client.session:
            self.connect(client)

    def connect(self, client):
        client.connect()
        self.greet(client)

    def greet(self, client):
        """Some clients know more than others."""
        if {"IMAP4rev2", "ENABLE"} <= self.capabilities and self.random.random() < 0.3:
            client.enable("IMAP4rev2")
        if "QRESYNC" in client.session.capabilities and self.random.random() < 0.5:
            client.enable("QRESYNC")
        elif self.condstore and "ENABLE" in client.session.capabilities and self.random.random() < 0.3:
            client.enable("CONDSTORE")

    def report(self, error):
        lines = [f"seed {self.seed}, step {self.world.step} ({self.last}): {error}"]
        if not isinstance(error, Failure):
            import traceback
            lines += traceback.format_exc().splitlines()
        for client in self.clients:
            lines += [f"--- {client.name}", *client.transcript]
            if client.view:
                lines += client.view.show()
        shown = {client.view.box for client in self.clients if client.view}
        for box in shown or [box for box in self.world.mailboxes.values() if len(box)]:
            lines += self.world.show(box)
        return "\n    ".join(lines)

    # -- choices -----------------------------------------------------------------------------------
    def a_mailbox(self):
        """A name; INBOX and what others look at more often than others."""
        names = sorted(self.world.mailboxes)
        busy = [client.view.box.name for client in self.clients if client.view and client.view.box.alive]
        return self.random.choice(names + ["INBOX"] * 4 + busy * 4)

    def some_flags(self, keywords=True):
        pool = SYSTEM + (KEYWORDS if keywords else [])
        chosen = self.random.sample(pool, self.random.choice([0, 1, 1, 1, 2, 3]))
        return [self.random.choice([one, one.upper(), one.lower()]) if one[0] == "\\" else one
                for one in chosen]

    def pick(self, client, uid):
        """(set, entries that it names and are there, is one of them gone?)"""
        view = client.view
        if not view.slots:
            return None, [], False
        if uid:
            text = random_set(self.random, [slot.uid for slot in view.slots if slot.uid] or [1])
            chosen = [slot for slot in view.slots
                      if slot.uid and in_set(text, slot.uid, view.highest())]
        else:
            text = random_set(self.random, range(1, len(view.slots) + 1))
            chosen = [slot for number, slot in enumerate(view.slots, 1)
                      if in_set(text, number, len(view.slots))]
        there = [view.box.by_uid[slot.uid] for slot in chosen if view.alive(slot)]
        return text, there, len(there) < len(chosen)

    def new_message(self):
        self.mark += 1
        words = self.random.sample(WORDS, 4)
        sent = 20000 + self.random.randrange(40)
        subject = f"{words[1]} {self.mark}"
        sender = f"{words[2]}@example.org"
        size = self.random.choice([10, 200, 800, 3000, 20000])
        body = (" ".join(words) + "\r\n") * max(1, size // 28)
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(sent * search.DAY + 43200))
        data = (f"From: <{sender}>\r\nTo: <{self.address}>\r\nSubject: {subject}\r\nDate: {date}\r\n"
                f"X-Word: {words[0]}\r\nX-Mark: {self.mark}\r\n\r\n{body}")
        return Message(self.mark, data.encode(), subject, sender, words, sent)

    # -- mailboxes ---------------------------------------------------------------------------------
    def select(self, client, name=None, read_only=None):
        name = name or self.a_mailbox()
        if read_only is None:
            read_only = self.random.random() < 0.2
        box = self.world.mailboxes[name]
        kept = self.choose_kept(client, name)
        more, some = "", False
        if kept:
            some = kept.flags and self.random.random() < 0.4
            known = f" {join_set(kept.flags)}" if some else ""
            more = f" (QRESYNC ({kept.uidvalidity} {kept.modseq}{known}))"
        elif self.condstore and self.random.random() < 0.2:
            more = " (CONDSTORE)"
            client.enabled.add("CONDSTORE")
        had_view = client.view is not None
        try:
            result = client.ask(f'{"EXAMINE" if read_only else "SELECT"} {client.quoted(name)}{more}')
        except Gone:
            self.connect(client)
            return
        client.view = None
        self.check_select(client, box, result, read_only, had_view)
        told = [one for one in result.untagged if one.kind == "VANISHED" and one.value[0]]
        client.view = View(box, read_only, self.world.step)
        client.absorb([one for one in result.untagged if one not in told], fetching=True)
        client.learn()
        box.uidnext(result.code("UIDNEXT"))
        client.in_step()
        self.check_resync(box, kept, told, result, some)
        self.keep(client, box, result)

    def check_select(self, client, box, result, read_only, had_view):
        check(result.done.kind == "OK", f"SELECT {box.name}: {result.done}")
        check(result.done.code == ("READ-ONLY" if read_only else "READ-WRITE"), f"{result.done}")
        check(result.numbers("EXISTS") == [len(box)],
              f"SELECT {box.name}: EXISTS {result.numbers('EXISTS')}, there are {len(box)}")
        box.learn_uidvalidity(self.world, result.code("UIDVALIDITY"))
        self.check_unseen(box, result)
        closed = [one for one in result.untagged if one.code == "CLOSED"]
        check(not closed or had_view, f"{closed}: nothing was selected")
        check(closed or not had_view or not {"QRESYNC", "IMAP4rev2"} & client.enabled,
              "no CLOSED (RFC 7162 3.2.11, RFC 9051 6.3.2)")

    # -- CONDSTORE and QRESYNC (RFC 7162) --------------------------------------------------------------
    def choose_kept(self, client, name):
        kept = self.world.kept.get(name)
        if "QRESYNC" not in client.enabled or not kept or self.random.random() < 0.3:
            return None
        return self.random.choice(kept[-6:])

    def keep(self, client, box, result):
        """A snapshot of what the client has now."""
        told = [one.detail for one in [*result.untagged, result.done] if one.code == "HIGHESTMODSEQ"]
        if self.condstore:
            check(len(told) == 1 or any(one.code == "NOMODSEQ" for one in result.untagged),
                  "HIGHESTMODSEQ (RFC 7162 3.1.2)")
        if told:
            box.learn_highest(told[0])
            self.world.kept.setdefault(box.name, []).append(Snapshot(box, told[0], self.world.step))

    def check_resync(self, box, kept, told, result, known_only):
        """What was kept and what SELECT told make the mailbox of now; where the client said what it
        knows, as far as it knew it."""
        vanished = {uid for one in told for uid in uid_set(one.value[1])}
        check(kept or not told, f"VANISHED (EARLIER) unasked: {told}")
        check(not vanished & {entry.uid for entry in box.entries}, f"{told}: some are there")
        if not kept:
            return
        if kept.uidvalidity != box.uidvalidity:
            check(not told, f"{told}: UIDVALIDITY is another one (RFC 7162 3.2.5)")
            return
        flags = {uid: flags for uid, flags in kept.flags.items() if uid not in vanished}
        for one in result.all("FETCH"):
            check("UID" in one.value and "FLAGS" in one.value and "MODSEQ" in one.value, f"{one}")
            flags[one.value["UID"]] = flag_set(one.value["FLAGS"])
        wanted = {entry.uid: entry.flags for entry in box.entries
                  if not known_only or entry.uid in flags}
        difference(f"UIDs of {box.name} after QRESYNC from step {kept.step}", set(flags), set(wanted))
        wrong = {uid: (sorted(flags[uid]), sorted(wanted[uid])) for uid in wanted if flags[uid] != wanted[uid]}
        check(not wrong, f"flags in {box.name} after QRESYNC from step {kept.step}, kept and of now: {wrong}")
        _, may = box.changed_since(kept.step)
        difference(f"FETCH in QRESYNC of {box.name} from step {kept.step}: not changed",
                   {one.value["UID"] for one in result.all("FETCH")} - may, set())

    def resync(self, client):
        """CHANGEDSINCE, VANISHED and SEARCH MODSEQ from some step on."""
        self.noop(client)
        view = client.view
        if not view or not view.box.alive:
            return
        box = view.box
        kept = [one for one in self.world.kept.get(box.name, []) if one.uidvalidity == box.uidvalidity]
        if not kept or not view.slots:
            return
        one = self.random.choice(kept[-6:])
        vanished = "QRESYNC" in client.enabled and self.random.random() < 0.6
        result = client.ask(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {one.modseq}{' VANISHED' if vanished else ''})")
        client.enabled.add("CONDSTORE")
        check(result.done.kind == "OK", f"{result.done}")
        gone = {uid for told in result.all("VANISHED") if told.value[0] for uid in uid_set(told.value[1])}
        client.absorb([told for told in result.untagged if told.kind != "VANISHED"], uid=True)
        must, may = box.changed_since(one.step)
        got = {told.value["UID"] for told in result.all("FETCH")}
        check(must <= got <= may, f"CHANGEDSINCE {one.modseq} of step {one.step}: told UIDs {sorted(got)}, "
                                  f"must {sorted(must)}, may {sorted(may)}")
        low = [told for told in result.all("FETCH") if told.value["MODSEQ"] <= one.modseq]
        check(not low, f"CHANGEDSINCE {one.modseq}: {low}")
        if vanished:
            difference("VANISHED (EARLIER) but there", gone & {entry.uid for entry in box.entries}, set())
            lost = {uid for uid in box.removed_since(one.step) if uid <= view.highest()} - gone
            check(not lost, f"gone since step {one.step}, and not VANISHED (EARLIER): {sorted(lost)}")
        self.search_modseq(client)

    def search_modseq(self, client):
        client.learn_modseqs()
        box = client.view.box
        least = self.random.choice([entry.modseq for entry in box.entries])
        found = found_numbers(client.ask(f"UID SEARCH MODSEQ {least}"))
        difference(f"SEARCH MODSEQ {least}", found,
                   {entry.uid for entry in box.entries if entry.modseq >= least})

    def store_unchanged(self, client):
        """STORE with UNCHANGEDSINCE, of which MODIFIED names what was left alone."""
        self.noop(client)
        view = client.view
        if not view or not view.box.alive or view.read_only or not view.slots:
            return
        client.learn_modseqs()
        box, uid, step = view.box, self.random.random() < 0.5, self.world.step
        text, there, _ = self.pick(client, uid)
        since = self.random.choice([entry.modseq for entry in box.entries] + [box.modseq])
        flags, how = self.some_flags(), self.random.choice(["", "+", "-"])
        silent = ".SILENT" if self.random.random() < 0.4 else ""
        left = {entry.uid for entry in there if entry.modseq > since}
        numbers = {slot.uid: number for number, slot in enumerate(view.slots, 1)}

        def effect(result):
            told = set(uid_set(result.done.detail)) if result.done.code == "MODIFIED" else set()
            difference(f"MODIFIED, UNCHANGEDSINCE {since}", told,
                       left if uid else {numbers[one] for one in left})
            for entry in there:
                if entry.uid not in left:
                    self.change(box, entry, how, flag_set(flags), step)

        def told(result):
            self.know_own_changes(client, there, step)
            for entry in there:
                if entry.uid not in left and entry.changed == step:
                    check(any(one.number == numbers[entry.uid] and "MODSEQ" in one.value
                              for one in result.all("FETCH")), f"no MODSEQ of UID {entry.uid} (RFC 7162 3.1.3)")
        client.enabled.add("CONDSTORE")
        client.command(effect, f"{'UID ' if uid else ''}STORE {text} (UNCHANGEDSINCE {since}) "
                               f"{how}FLAGS{silent} ({' '.join(flags)})", expunges=uid, searched=told)

    @staticmethod
    def know_own_changes(client, there, step):
        """A silent STORE: the client knows what it did, if it knew what was there."""
        changed = {entry.uid: entry for entry in there if entry.changed == step}
        for slot in client.view.slots:
            entry = changed.get(slot.uid)
            if entry and slot.flags == entry.history[-2][1]:
                slot.flags, slot.state = entry.flags, len(entry.history) - 1

    def check_unseen(self, box, result):
        told = [one.detail for one in result.untagged if one.code == "UNSEEN"]
        if told and not box.unplaced:
            unseen = [number for number, entry in enumerate(box.entries, 1) if r"\Seen" not in entry.flags]
            check(told == unseen[:1], f"first unseen of {box.name}: told {told}, is {unseen[:1]}")

    def close(self, client):
        box, step = client.view.box, self.world.step
        removes = not client.view.read_only

        def effect(_):
            client.view = None
            if removes:
                self.remove_deleted(box, step)
        self.leave(client, effect, "CLOSE")

    def unselect(self, client):
        def effect(_):
            client.view = None
        self.leave(client, effect, "UNSELECT")

    def leave(self, client, effect, command):
        deleted = not client.view.box.alive
        if client.command(None if deleted else effect, command, kinds=("OK",)) is None:
            client.view = None

    def remove_deleted(self, box, step, within=None):
        for entry in list(box.entries):
            if r"\Deleted" in entry.flags and (within is None or within(entry.uid)):
                box.remove(entry, step)

    def status(self, client):
        name = self.a_mailbox()
        box = self.world.mailboxes[name]
        items = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN" + (" HIGHESTMODSEQ" if self.condstore else "")
        if self.condstore:
            client.enabled.add("CONDSTORE")

        def effect(result):
            told_name, values = result.one("STATUS")
            check(client.told_name(told_name) == name, f"STATUS of {told_name}")
            unseen = sum(r"\Seen" not in entry.flags for entry in box.all())
            check(values["MESSAGES"] == len(box), f"{values}: there are {len(box)} in {name}")
            check(values["UNSEEN"] == unseen, f"{values}: {unseen} are unseen in {name}")
            box.learn_uidvalidity(self.world, values["UIDVALIDITY"])
            box.uidnext(values["UIDNEXT"])
            if "HIGHESTMODSEQ" in values:
                box.learn_highest(values["HIGHESTMODSEQ"])
                if not box.unplaced:
                    self.world.kept.setdefault(name, []).append(
                        Snapshot(box, values["HIGHESTMODSEQ"], self.world.step))
        client.command(effect, f'STATUS {client.quoted(name)} ({items})', selected=False)

    def list(self, client):
        def effect(result):
            told = {client.told_name(one.value[2]): set(one.value[0]) for one in result.all("LIST")}
            wanted = self.world.listing()
            difference("names of LIST", set(told), set(wanted))
            for name, attributes in wanted.items():
                if r"\NonExistent" in told[name]:  # which means it too (RFC 5258 3)
                    told[name].add(r"\Noselect")
                check(attributes <= told[name] and (r"\Noselect" in told[name]) == (r"\Noselect" in attributes),
                      f"LIST of {name}: {sorted(told[name])}, wanted {sorted(attributes)}")
        client.command(effect, 'LIST "" *', selected=False)

        def subscribed(result):
            told = {client.told_name(one.value[2]) for one in result.all("LSUB") + result.all("LIST")}
            difference("subscribed names", told, self.world.subscribed)
        extended = "LIST-EXTENDED" in self.capabilities or "IMAP4rev2" in client.enabled
        if client.session and extended and ("IMAP4rev2" in client.enabled or self.random.random() < 0.5):
            client.command(subscribed, 'LIST (SUBSCRIBED) "" *', selected=False)
            return
        if client.session:
            client.command(subscribed, 'LSUB "" *', selected=False)

    def create(self, client):
        name = self.random.choice(NAMES)
        there = name in self.world.mailboxes

        def effect(result):
            if result.done.kind == "OK":
                self.world.create(name)
        client.command(effect, f'CREATE {client.quoted(name)}', selected=False, kinds=("NO",) if there else ("OK",))

    def delete(self, client):
        name = self.random.choice(NAMES)
        there = name in self.world.mailboxes
        own = client.view and client.view.box.name == name and client.view.box.alive

        def effect(result):
            if result.done.kind == "OK":
                self.world.delete(name)
                if own:
                    client.view = None
        client.command(effect, f'DELETE {client.quoted(name)}', selected=False, kinds=("OK",) if there else ("NO",))

    def rename(self, client):
        old, new = self.random.choice(NAMES + ["INBOX"]), self.random.choice(NAMES)
        within = self.world.within(old)
        targets = [new + name[len(old):] for name in within]
        if old == "INBOX":
            good = new not in self.world.mailboxes
        else:
            good = bool(within) and not any(name in self.world.mailboxes for name in [new, *targets]) and \
                not (new + "/").startswith(old + "/")

        def effect(result):
            if result.done.kind != "OK":
                return
            if old == "INBOX":
                self.world.rename_inbox(new)
            else:
                self.world.rename(old, new)
        client.command(effect, f'RENAME {client.quoted(old)} {client.quoted(new)}', selected=False,
                       kinds=("OK",) if good else ("NO",))

    def subscribe(self, client):
        name = self.random.choice(NAMES + ["INBOX"])
        if self.random.random() < 0.5:
            good = name in self.world.mailboxes
            if client.command(None, f'SUBSCRIBE {client.quoted(name)}', selected=False,
                              kinds=("OK",) if good else ("NO",)) and good:
                self.world.subscribed.add(name)
            return
        client.command(None, f'UNSUBSCRIBE {client.quoted(name)}', selected=False, kinds=("OK", "NO"))
        self.world.subscribed.discard(name)

    # -- messages ----------------------------------------------------------------------------------
    def append(self, client):
        name = self.a_mailbox() if self.random.random() < 0.95 else self.random.choice(NAMES)
        box = self.world.mailboxes.get(name)
        if box and len(box) >= MOST_MESSAGES:
            return
        message, flags, date, more = self.new_message(), [], None, ""
        if self.random.random() < 0.6:
            flags = self.some_flags()
            more += f"({' '.join(flags)}) "
        if self.random.random() < 0.5:
            date = int(time.time()) - self.random.choice([0, 1, 2, 400, 800]) * search.DAY - \
                self.random.randrange(80000)
            zone = self.random.choice([0, 9, -5])
            more += time.strftime('"%d-%b-%Y %H:%M:%S', time.gmtime(date + zone * 3600)) + f' {zone:+03d}00" '
        literal = self.random.choice([Literal, Unwaited])(message.data)

        def effect(result):
            if result.done.kind == "NO":
                check(result.done.code == "TRYCREATE", f"APPEND to nowhere: {result.done}")
                return
            self.placed(box, [(message, flag_set(flags), date)], *result.code("APPENDUID"))
        client.command(effect, f'APPEND {client.quoted(name)} {more}', literal, selected=False,
                       kinds=("OK",) if box else ("NO",))

    def placed(self, box, arrivals, uidvalidity, uids):
        """APPENDUID or COPYUID told UIDs of what came."""
        box.learn_uidvalidity(self.world, int(uidvalidity))
        uids = uid_set(uids)
        check(len(uids) == len(arrivals), f"{len(arrivals)} messages came, UIDs told: {uids}")
        entries = [box.arrive(*arrival, self.world.step) for arrival in arrivals]
        for entry, uid in zip(entries, uids):
            box.place(entry, uid)

    def store(self, client):
        uid = self.random.random() < 0.5
        text, there, gone = self.pick(client, uid)
        if text is None:
            return
        how = self.random.choice(["", "+", "+", "-"])
        silent = self.random.random() < 0.3
        flags = self.some_flags()
        item = f"{how}FLAGS{'.SILENT' if silent else ''}"
        if self.random.random() < 0.2:
            item = item.lower()
        listed = " ".join(flags) if flags and self.random.random() < 0.2 else f"({' '.join(flags)})"
        read_only, box, step = client.view.read_only, client.view.box, self.world.step

        def effect(result):
            if read_only:
                return
            self.check_gone(result, gone, uid)
            for entry in there:
                self.change(box, entry, how, flag_set(flags), step)

        def told(result):
            if not read_only and silent:
                self.know_own_changes(client, there, step)
            if read_only or silent:
                return
            for entry in there:
                number = client.view.uids().index(entry.uid) + 1
                check(any(one.number == number and "FLAGS" in one.value for one in result.all("FETCH"))
                      or bool(result.all("EXPUNGE")) or bool(result.all("VANISHED")),
                      f"STORE told nothing of message {number}, UID {entry.uid} (RFC 9051 6.4.6)")
                slot = client.view.slots[number - 1]
                check(slot.flags == entry.flags, f"STORE of message {number}, UID {entry.uid}: flags are "
                                                 f"{sorted(entry.flags)}, told were {sorted(slot.flags)}")
        client.command(effect, f"{'UID ' if uid else ''}STORE {text} {item} {listed}",
                       kinds=("NO",) if read_only else self.kinds(gone, uid), expunges=uid, searched=told)

    @staticmethod
    def kinds(gone, uid):
        return ("OK", "NO") if gone and not uid else ("OK",)

    @staticmethod
    def check_gone(result, gone, uid):
        if result.done.kind == "NO":
            check(gone and not uid and result.done.code == "EXPUNGEISSUED", f"{result.done}")

    @staticmethod
    def change(box, entry, how, flags, step):
        changed = {"": flags, "+": entry.flags | flags, "-": entry.flags - flags}[how]
        box.set_flags(entry, changed, step)

    def fetch(self, client):
        uid = self.random.random() < 0.5
        text, there, gone = self.pick(client, uid)
        if text is None:
            return
        items = self.random.choice([
            "FLAGS", "(FLAGS UID)", "(UID FLAGS INTERNALDATE RFC822.SIZE)", "ALL", "FAST", "BODY.PEEK[]",
            "(BODY.PEEK[HEADER.FIELDS (X-Mark)] FLAGS)", "BODY[]", "RFC822", "(BODY[TEXT] UID)", "ENVELOPE",
            "(INTERNALDATE UID)", "(BODYSTRUCTURE RFC822.SIZE)"])
        sees = items in ("BODY[]", "RFC822", "(BODY[TEXT] UID)") and not client.view.read_only
        box, step = client.view.box, self.world.step
        numbers = {slot.uid: number for number, slot in enumerate(client.view.slots, 1)}

        def effect(result):
            self.check_gone(result, gone, uid)
            if sees:
                for entry in there:
                    box.set_flags(entry, entry.flags | {r"\Seen"}, step)

        def told(result):
            got = result.fetched()
            if result.all("EXPUNGE") or result.all("VANISHED"):
                return
            for entry in there:
                check(len(got.get(numbers[entry.uid], ())) >= 1,
                      f"FETCH told nothing of message {numbers[entry.uid]}, UID {entry.uid}")
        client.command(effect, f"{'UID ' if uid else ''}FETCH {text} {items}", kinds=self.kinds(gone, uid),
                       expunges=uid, searched=told)

    def search(self, client):
        uid = self.random.random() < 0.5
        context = Context(client.view)
        keys = [search.key(self.random, context) for _ in range(self.random.choice([1, 1, 2, 3]))]
        text = " ".join(one for one, _ in keys)
        slots = list(client.view.slots)
        states = {slot.uid: slot.state for slot in slots}
        box = client.view.box

        def searched(result):
            found = found_numbers(result)
            possible = set(box.by_uid) if uid else set(range(1, len(client.view.slots) + 1))
            check(found <= possible, f"SEARCH found what is not there: {found - possible}")
            for number, slot in enumerate(slots, 1):
                if not client.view.alive(slot):
                    continue
                entry = box.by_uid[slot.uid]
                wanted = {all(test(entry, flags, number) for _, test in keys)
                          for _, flags in entry.history[states[slot.uid]:]}
                is_found = (slot.uid if uid else number) in found
                check(is_found in wanted, f"SEARCH {text}: message {number}, UID {slot.uid} mark "
                                          f"{entry.message.mark} is {'' if is_found else 'not '}found")
        returns = "RETURN (COUNT MAX ALL MIN) " \
            if "ESEARCH" in self.capabilities and self.random.random() < 0.4 else ""
        if client.view.slots:
            client.command(None, f"{'UID ' if uid else ''}SEARCH {returns}{text}", expunges=uid, searched=searched)

    def copy(self, client, move=False):
        uid = self.random.random() < 0.6
        text, there, gone = self.pick(client, uid)
        name = self.a_mailbox() if self.random.random() < 0.95 else self.random.choice(NAMES)
        target, source = self.world.mailboxes.get(name), client.view.box
        if text is None or not source.alive or (target and len(target) + len(there) > MOST_MESSAGES):
            return
        read_only = move and client.view.read_only
        step = self.world.step
        command = "MOVE" if move else "COPY"

        def effect(result):
            if read_only or target is None:
                return
            self.check_gone(result, gone, uid)
            if result.done.kind == "NO" and not move:
                return
            self.copied(result, there, source, target)
            if move:
                for entry in there:
                    if entry in source.entries:
                        source.remove(entry, step)
        kinds = ("NO",) if read_only or target is None else self.kinds(gone, uid)
        client.command(effect, f'{"UID " if uid else ""}{command} {text} {client.quoted(name)}', kinds=kinds)

    def copied(self, result, there, source, target):
        found = [one for one in [*result.untagged, result.done] if one.code == "COPYUID"]
        if not there:
            check(not found, f"nothing was copied, and COPYUID says {found}")
            return
        check(len(found) == 1, f"one COPYUID wanted: {found}")
        uidvalidity, from_uids, to_uids = found[0].detail
        from_uids = uid_set(from_uids)
        check(sorted(from_uids) == sorted(entry.uid for entry in there),
              f"COPYUID from {from_uids}, wanted {sorted(entry.uid for entry in there)}")
        sources = [source.by_uid[one] for one in from_uids]
        self.placed(target, [(one.message, one.flags, one.date) for one in sources], uidvalidity, to_uids)

    def move(self, client):
        self.copy(client, move=True)

    def expunge(self, client):
        box, step, read_only = client.view.box, self.world.step, client.view.read_only

        def effect(_):
            if not read_only:
                self.remove_deleted(box, step)
        client.command(effect, "EXPUNGE", kinds=("NO",) if read_only else ("OK",))

    def uid_expunge(self, client):
        box, step, read_only = client.view.box, self.world.step, client.view.read_only
        text, _, _ = self.pick(client, True)
        if text is None:
            return
        highest = client.view.highest()
        ranges_end = "*" in text
        if ranges_end and box.entries and box.entries[-1].uid != highest:
            return  # "*" is the highest UID of the mailbox, or of what was told: both are right

        def effect(_):
            if not read_only:
                self.remove_deleted(box, step, lambda uid: in_set(text, uid, highest))
        client.command(effect, f"UID EXPUNGE {text}", kinds=("NO",) if read_only else ("OK",))

    def noop(self, client):
        if client.command(None, "NOOP") and client.view:
            client.in_step()

    def check(self, client):
        client.command(None, "CHECK")

    def empty_set(self, client):
        """Numbers that are not there: BAD (RFC 9051 9, seq-number); UIDs that are not there: OK."""
        beyond = len(client.view.slots) + 100
        client.command(None, f"FETCH {beyond} FLAGS", kinds=("BAD",), expunges=False)
        if client.view and client.view.box.alive:
            client.command(None, f"UID STORE {4000000000} +FLAGS (\\Seen)",
                           kinds=("NO",) if client.view.read_only else ("OK",))

    # -- idle --------------------------------------------------------------------------------------
    def idle(self, client):
        session = client.session
        session.count += 1
        client.idle_tag = f"a{session.count}"
        session.send(f"{client.idle_tag} IDLE\r\n")
        client.idle_since = self.world.step
        try:
            self.read_idle(client, lambda one: one.tag == "+")
        except (Failure, OSError):
            self.check_deleted(client)

    def read_idle(self, client, until, patience=60):
        """Takes what comes till `until` says so of a response. False when the time is up."""
        end = time.monotonic() + patience
        while True:
            client.session.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                one = client.session.response()
            except TimeoutError:
                return False
            finally:
                if client.session:
                    client.session.socket.settimeout(60)
            if one.kind == "BYE":
                raise Failure(f"BYE: {one.value}")
            if one.tag == "*":
                client.absorb([one])
            if until(one):
                return True

    def check_deleted(self, client):
        """A BYE under IDLE is right where the mailbox has lost its name (RFC 2180 3.3)."""
        if client.view.box.alive and client.view.box.renamed < client.view.since:
            raise
        client.close()

    def end_idle(self, client):
        """Within seconds the client has to hear of everything; and behind DONE in any case."""
        box = client.view.box
        try:
            if box.alive and self.random.random() < 0.6 and not self.idle_in_step(client):
                self.read_idle(client, lambda one: self.idle_in_step(client), IDLE_PATIENCE)
                if not self.idle_in_step(client):
                    client.in_step()
            client.session.send("DONE\r\n")
            self.read_idle(client, lambda one: one.tag == client.idle_tag)
        except (Failure, OSError):
            self.check_deleted(client)
            return
        client.idle_since = None
        if box.alive:
            client.learn()
            client.in_step()
        else:
            client.close()

    @staticmethod
    def idle_in_step(client):
        """As far as can be told while nothing can be asked."""
        box, slots = client.view.box, client.view.slots
        known = {slot.uid: slot for slot in slots if slot.uid}
        return len(slots) == len(box) and all(
            entry.uid not in known or known[entry.uid].flags in (None, entry.flags)
            for entry in box.entries) and not set(known) & set(box.gone)

    # -- from outside ------------------------------------------------------------------------------
    def deliver(self, _):
        """By SMTP, through the whole chain."""
        inbox = self.world.mailboxes["INBOX"]
        if len(inbox) >= MOST_MESSAGES:
            return
        message = self.new_message()
        before = len(self.suite.mailbox(self.address))
        with self.suite.smtp() as smtp:
            smtp.sendmail("sender@example.org", [self.address], message.data)
        wait_until(lambda: len(self.suite.mailbox(self.address)) > before, "the delivery")
        mark = f"X-Mark: {message.mark}\r\n".encode()
        message.data = next(data for data in self.suite.messages(self.address) if mark in data)
        inbox.arrive(message, (), None, self.world.step)

    def folder_path(self, box):
        if box.name == "INBOX":
            return self.maildir
        return os.path.join(self.maildir, "." + box.name.replace(".", "&AC4-").replace("/", "."))

    def drop_file(self, _):
        """Another program delivers into new/ or cur/, with LF or CRLF."""
        box = self.world.mailboxes[self.a_mailbox()]
        if len(box) >= MOST_MESSAGES:
            return
        message, path = self.new_message(), self.folder_path(box)
        part = self.random.choice(["new", "new", "cur"])
        letters = "".join(sorted(self.random.sample("DFPRS", self.random.randrange(3)))) if part == "cur" else ""
        name = f"{int(time.time())}.{self.seed}_{message.mark}.elsewhere" + (f":2,{letters}" if part == "cur" else "")
        temporary = os.path.join(path, "tmp", name)
        with open(temporary, "wb") as file:
            file.write(message.data.replace(b"\r\n", b"\n") if self.random.random() < 0.5 else message.data)
        owner = os.stat(path)
        os.chown(temporary, owner.st_uid, owner.st_gid)
        time.sleep(OLD_TICK)
        os.rename(temporary, os.path.join(path, part, name))
        box.arrive(message, {LETTERS[one] for one in letters}, None, self.world.step)

    def some_file(self):
        """(mailbox, entry, folder, name) of some message in cur/ that has a UID in its name; or None."""
        box = self.world.mailboxes[self.a_mailbox()]
        folder = os.path.join(self.folder_path(box), "cur")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        found = [(box.by_uid[int(uid[1])], name) for name in names
                 if (uid := re.search(r",U=(\d+)", name)) and int(uid[1]) in box.by_uid]
        if not found:
            return None
        entry, name = self.random.choice(found)
        return (box, entry, folder, name) if entry in box.entries else None

    def rename_file(self, _):
        """Another program changes flags, as mutt does."""
        chosen = self.some_file()
        if not chosen:
            return
        box, entry, folder, name = chosen
        base, _, info = name.partition(":2,")
        kept = "".join(one for one in info if one.islower())
        letters = "".join(sorted(self.random.sample("DFPRST", self.random.randrange(4))))
        flags = {LETTERS[one] for one in letters} | \
            {one for one in entry.flags if one not in LETTERS.values()}
        time.sleep(OLD_TICK)
        os.rename(os.path.join(folder, name), os.path.join(folder, f"{base}:2,{letters}{kept}"))
        box.set_flags(entry, flags, self.world.step, foreign=True)

    def remove_file(self, _):
        chosen = self.some_file()
        if chosen:
            box, entry, folder, name = chosen
            time.sleep(OLD_TICK)
            os.unlink(os.path.join(folder, name))
            box.remove(entry, self.world.step)

    # -- sessions ----------------------------------------------------------------------------------
    def reconnect(self, client):
        client.close()
        self.connect(client)

    def quiet(self):
        for client in self.clients:
            if client.idle_since is not None:
                self.end_idle(client)
            if not client.session:
                self.connect(client)
            self.noop(client)

    def forget_index(self, _):
        """Whatever is a cache may be deleted while nobody looks."""
        for client in self.clients:
            if client.idle_since is not None:
                self.end_idle(client)
            client.close()
        if forget_index(self.maildir):
            for box in self.world.mailboxes.values():
                box.forget(self.world.step)
        for client in self.clients:
            self.connect(client)

    def audit(self, client):
        """All facts of the selected mailbox."""
        if not client.view or not client.view.slots or not client.view.box.alive:
            return
        self.noop(client)
        if client.view and client.view.slots:
            client.command(None, "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)", expunges=False)
            if self.condstore and client.view:
                client.learn_modseqs()

    def full_audit(self):
        """A new session reads everything."""
        reader = Client(self.suite, self.address, self.world, "auditor")
        self.clients.append(reader)
        for name in sorted(self.world.mailboxes):
            self.world.step += 1
            self.select(reader, name, read_only=True)
            if reader.view.slots:
                reader.command(None, "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY.PEEK[])",
                               expunges=False)
                check(all(slot.flags is not None for slot in reader.view.slots), "flags of all")
        self.list(reader)
        reader.close()
        self.clients.remove(reader)


def forget_index(maildir):
    """Removes the files that are caches. Returns how many."""
    count = 0
    for folder, _, names in os.walk(maildir):
        for name in names:
            if name.startswith(INDEX_FILES):
                os.unlink(os.path.join(folder, name))
                count += 1
    return count
