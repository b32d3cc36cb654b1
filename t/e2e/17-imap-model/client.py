"""A client: a connection, and the mailbox as it was told about it, checked at each line against the model."""

import calendar
import collections
import re
import time

from imapsession import Imap
from suite import Failure, check
from world import difference

TRANSCRIPT = 30
LINE_SHOWN = 400
MARK = re.compile(rb"X-Mark: (\d+)", re.I)
RECENT = r"\Recent"
LEARN = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-Mark)])"


class Gone(Exception):
    """The server said BYE, or closed."""


def internaldate(text):
    """Seconds since 1970 of a date-time."""
    zone = int(text[-5] + "1") * (int(text[-4:-2]) * 3600 + int(text[-2:]) * 60)
    return calendar.timegm(time.strptime(text[:-6].strip(), "%d-%b-%Y %H:%M:%S")) - zone


def flag_set(flags):
    """All in one case, and without \\Recent, which is not the message's."""
    return frozenset(one.lower() if one[0] != "\\" else "\\" + one[1:].capitalize()
                     for one in flags) - {RECENT}


def uid_set(text):
    """The numbers of "3,5:7"."""
    found = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        first, last = int(first), int(last or first)
        check(abs(last - first) < 100000, f"a set without bounds: {text}")
        found += range(min(first, last), max(first, last) + 1)
    return found


def in_set(text, number, highest):
    """Is the number in a set as a command has it?"""
    for part in text.split(","):
        first, _, last = part.partition(":")
        bounds = sorted(highest if one == "*" else int(one) for one in (first, last or first))
        if bounds[0] <= number <= bounds[1]:
            return True
    return False


# modified UTF-7 and the same in UTF-8, for those who enabled it
WIDE = {"&ZeVnLIqe-": "日本語"}


class Connection(Imap):
    """Keeps what was said last."""

    def __init__(self, suite, address, transcript):
        self.transcript = transcript
        super().__init__(suite, address)
        self.socket.settimeout(60)
        self.capabilities = set(self.ok("CAPABILITY").one("CAPABILITY"))

    def send(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        head, _, literal = data.rstrip().partition(b"\r\n")
        more = f" ... {len(literal)} bytes" if literal else ""
        self.transcript.append("C: " + head[:LINE_SHOWN].decode("utf-8", "replace") + more)
        super().send(data)

    def bytes_to_line_end(self):
        line = super().bytes_to_line_end()
        self.transcript.append("S: " + line[:LINE_SHOWN].decode("utf-8", "replace"))
        return line


class Slot:
    """A message number."""

    def __init__(self):
        self.uid = None
        self.flags = None   # as told last
        self.state = 0      # which of the entry's states that was, or the first that it may have been
        self.modseq = None
        self.dead = False   # known to be of a message that went before its UID was told


class View:
    """A selected mailbox, as the client knows it."""

    def __init__(self, box, read_only, since):
        self.box, self.read_only, self.since = box, read_only, since
        self.slots = []
        self.known_flags, self.permanent = set(), set()

    def uids(self):
        return [slot.uid for slot in self.slots]

    def highest(self):
        return self.slots[-1].uid or 0 if self.slots else 0

    def alive(self, slot):
        return slot.uid in self.box.by_uid and slot.uid not in self.box.gone

    def lacks_date(self, slot):
        return self.alive(slot) and self.box.by_uid[slot.uid].date is None

    def show(self):
        return [f"view of {self.box.name}{' (read-only)' if self.read_only else ''}:"] + \
            [f"  {i} UID {slot.uid} {slot.flags and ' '.join(sorted(slot.flags))} modseq {slot.modseq}"
             for i, slot in enumerate(self.slots, 1)]


class Client:
    def __init__(self, suite, address, world, name):
        self.suite, self.address, self.world, self.name = suite, address, world, name
        self.transcript = collections.deque(maxlen=TRANSCRIPT)
        self.view = None
        self.idle_since = None
        self.enabled = set()
        self.session = None
        self.connect()

    def connect(self):
        self.session = Connection(self.suite, self.address, self.transcript)
        self.view, self.idle_since, self.enabled = None, None, set()

    def close(self):
        if self.session:
            self.session.socket.close()
        self.session = self.view = self.idle_since = None

    def enable(self, name):
        """RFC 5161"""
        result = self.ask(f"ENABLE {name}")
        check(result.done.kind == "OK" and name in result.one("ENABLED"), f"ENABLE {name}: {result}")
        self.enabled |= {"CONDSTORE", name} if name == "QRESYNC" else {name}

    def quoted(self, name):
        """A mailbox's name as this client says it (RFC 9051 5.1)."""
        if "IMAP4rev2" in self.enabled:
            for narrow, wide in WIDE.items():
                name = name.replace(narrow, wide)
        return f'"{name}"'

    def told_name(self, name):
        """And as it is told it."""
        if "IMAP4rev2" in self.enabled:
            for narrow, wide in WIDE.items():
                name = name.replace(wide, narrow)
        return name

    # -- commands ----------------------------------------------------------------------------------
    def ask(self, *parts):
        """Runs a command. Gone when there is no answer."""
        try:
            return self.session.run(*parts)
        except (Failure, OSError) as error:
            if isinstance(error, Failure) and not str(error).startswith("closed"):
                raise
            self.close()
            raise Gone(str(error)) from error

    def command(self, effect, *parts, kinds=("OK",), expunges=True, searched=None, selected=True):
        """Runs a command, lets `effect(result)` change the model, and checks all that was told.

        A mailbox that was deleted under the client may be answered by anything but lies about others; a
        command that is not about the selected mailbox is done and answered all the same."""
        deleted = self.view and not self.view.box.alive
        words = str(parts[0]).split()
        uid = words[0] == "UID"
        fetching = "FETCH" in words[:2]
        try:
            result = self.ask(*parts)
        except Gone:
            check(deleted and selected, f"{parts}: the connection was closed")
            return None
        if deleted:
            if not selected:
                check(result.done.kind in kinds, f"{parts}: {result.done}, wanted {' or '.join(kinds)}")
                if effect:
                    effect(result)
            if any(one.kind == "BYE" for one in result.untagged):
                self.close()
            return None if selected else result
        check(result.done.kind in kinds, f"{parts}: {result.done}, wanted {' or '.join(kinds)}")
        if effect:
            effect(result)
        if self.view:
            self.absorb(result.untagged, expunges, uid, fetching)
            if searched:
                searched(result)
            self.learn()
        return result

    def absorb(self, responses, expunges=True, uid=False, fetching=False):
        """Takes over what was told."""
        for one in responses:
            take = getattr(self, "take_" + one.kind.lower(), None)
            if one.kind == "EXPUNGE":
                check(expunges, f"EXPUNGE during a FETCH, STORE or SEARCH (RFC 9051 7.5.1): {one}")
            check(one.kind != "FETCH" or not uid or "UID" in one.value,
                  f"FETCH without UID during a UID command: {one}")
            if one.kind == "FETCH" and "FLAGS" in one.value and not fetching:
                check("CONDSTORE" not in self.enabled or "MODSEQ" in one.value,
                      f"{one}: no MODSEQ (RFC 7162 3.2)")
                check("QRESYNC" not in self.enabled or "UID" in one.value,
                      f"{one}: no UID (RFC 7162 3.2.4)")
            if take:
                take(one)
        self.check_order()

    def take_exists(self, one):
        view = self.view
        check(one.number >= len(view.slots), f"{one}: fewer than the {len(view.slots)} told before")
        told = {slot.uid for slot in view.slots}
        untold = len(view.box.unplaced) + sum(entry.uid not in told for entry in view.box.entries)
        unknown = sum(slot.uid is None for slot in view.slots)
        check(one.number - len(view.slots) + unknown <= untold or self.idle_since is not None,
              f"{one}: more than there are ({len(view.slots)} told, {untold} not told)")
        view.slots += [Slot() for _ in range(one.number - len(view.slots))]

    def take_expunge(self, one):
        view = self.view
        check("QRESYNC" not in self.enabled, f"EXPUNGE after ENABLE QRESYNC: {one}")
        check(one.number <= len(view.slots), f"{one}: there are {len(view.slots)}")
        slot = view.slots.pop(one.number - 1)
        check(slot.uid is None or not view.alive(slot), f"{one}: UID {slot.uid} is there")

    def take_vanished(self, one):
        earlier, uids = one.value
        view = self.view
        check(not earlier, f"VANISHED (EARLIER) unasked: {one}")
        check("QRESYNC" in self.enabled, f"VANISHED before ENABLE QRESYNC: {one}")
        for uid in uid_set(uids):
            check(uid in view.box.gone, f"{one}: UID {uid} did not vanish")
            found = [slot for slot in view.slots if slot.uid == uid] or \
                [slot for slot in view.slots if slot.uid is None]
            check(found, f"{one}: UID {uid} was not in the view (RFC 7162 3.2.10)")
            view.slots.remove(found[0])

    def take_recent(self, one):
        check("IMAP4rev2" not in self.enabled, f"{one}: not in IMAP4rev2 (RFC 9051 appendix E)")

    def take_flags(self, one):
        self.view.known_flags = flag_set(one.value)

    def take_ok(self, one):
        if one.code == "PERMANENTFLAGS":
            self.view.permanent = flag_set(one.detail)

    def take_bye(self, one):
        raise Failure(f"BYE: {one.value}")

    def take_fetch(self, one):
        view, items = self.view, one.value
        check(one.number <= len(view.slots), f"{one}: there are {len(view.slots)}")
        slot = view.slots[one.number - 1]
        if "UID" in items:
            check(slot.uid in (None, items["UID"]), f"{one}: was UID {slot.uid}")
            self.name_slot(slot, items)
        entry = view.box.by_uid.get(slot.uid)
        if entry is None:
            check(slot.uid is None, f"{one}: UID {slot.uid} was never given")
            return
        self.check_items(one, entry, items)
        if "FLAGS" in items:
            flags = flag_set(items["FLAGS"])
            state = entry.told(flags, slot.state)
            check(state is not None, f"{one}: flags of UID {slot.uid} are {sorted(entry.flags)}, and since "
                                     f"{sorted(slot.flags or ())} was told never were {sorted(flags)}")
            slot.flags, slot.state = flags, state
        if "MODSEQ" in items and slot.uid not in view.box.gone:
            self.take_modseq(one, slot, entry, items["MODSEQ"])

    def take_modseq(self, one, slot, entry, told):
        """It may be of the past, as the flags; never of a past before what was told."""
        check(told > 0 and told >= (slot.modseq or 0), f"{one}: MODSEQ {slot.modseq} was told before")
        if entry.modseq is not None and slot.state == len(entry.history) - 1:
            check(told <= entry.modseq or entry.touched > entry.modseq_step,
                  f"{one}: MODSEQ of UID {entry.uid} was {entry.modseq}, and nothing changed")
        slot.modseq = told
        self.view.box.modseq = max(self.view.box.modseq, told)

    def learn_modseqs(self):
        """All of them; the view is in step, so they are those of now."""
        if not self.view.slots:
            return
        result = self.ask("FETCH 1:* (UID FLAGS MODSEQ)")
        self.enabled.add("CONDSTORE")
        self.absorb(result.untagged, expunges=False, fetching=True)
        told = {one.value["UID"]: one.value["MODSEQ"] for one in result.all("FETCH")}
        for entry in self.view.box.entries:
            check(entry.uid in told, f"FETCH 1:* (MODSEQ) told nothing of UID {entry.uid}")
            self.view.box.learn_modseq(entry, told[entry.uid])

    def name_slot(self, slot, items):
        """A number's UID is told for the first time, perhaps that of a message that nobody had a UID of."""
        box, uid = self.view.box, items["UID"]
        slot.uid = uid
        if uid in box.by_uid:
            return
        header = next((value for name, value in items.items() if name.startswith("BODY[HEADER")), None)
        found = MARK.search(header or b"")
        if not found:
            slot.uid = None  # told unasked: it is asked for next
            return
        mark, flags = int(found[1]), flag_set(items["FLAGS"])
        fitting = [entry for entry in box.unplaced
                   if entry.message.mark == mark and (entry.flags == flags)] or \
            [entry for entry in box.unplaced if entry.message.mark == mark]
        check(fitting, f"UID {uid} in {box.name} has mark {mark}, which nobody put there")
        box.place(fitting[0], uid)

    def check_items(self, one, entry, items):
        """What never changes."""
        message = entry.message
        if "RFC822.SIZE" in items:
            check(items["RFC822.SIZE"] == len(message.data),
                  f"{one}: RFC822.SIZE of mark {message.mark} is {len(message.data)}")
        if "INTERNALDATE" in items:
            date = internaldate(items["INTERNALDATE"])
            if entry.date is None:
                check(abs(date - time.time()) < 120, f"{one}: it came now")
                entry.date = date
            check(date == entry.date, f"{one}: INTERNALDATE was {entry.date}, is {date}")
        if "ENVELOPE" in items:
            check(items["ENVELOPE"][1] == message.subject.encode(), f"{one}: subject {message.subject}")
        for name in ("BODY[]", "RFC822"):
            if name in items:
                check(items[name] == message.data, f"UID {entry.uid}: {name} is not what mark "
                                                   f"{message.mark} was: {items[name][:200]!r}")
        if "BODY[TEXT]" in items:
            check(items["BODY[TEXT]"] == message.data.partition(b"\r\n\r\n")[2], f"{one}: text")
        for name, value in items.items():
            if name.startswith("BODY[HEADER.FIELDS"):
                found = MARK.search(value)
                check(found and int(found[1]) == message.mark, f"{one}: mark is {message.mark}")

    def check_order(self):
        uids = [uid for uid in self.view.uids() if uid is not None]
        check(uids == sorted(set(uids)), f"UIDs in order of message numbers: {uids}")
        for slot in self.view.slots:
            if slot.flags is not None:
                missing = {one for one in slot.flags if not one.startswith("\\")} - self.view.known_flags
                check(not missing, f"keywords {missing} were told in no FLAGS")

    # -- keeping up ----------------------------------------------------------------------------------
    def learn(self):
        """Asks for what is new, as clients do."""
        new = [i for i, slot in enumerate(self.view.slots, 1)
               if not slot.dead and (slot.uid is None or self.view.lacks_date(slot))]
        if not new:
            return
        result = self.ask(f"FETCH {new[0]}:{new[-1]} {LEARN}")
        check(result.done.kind in ("OK", "NO"), f"{result.done}")
        self.absorb(result.untagged, expunges=False, fetching=True)
        left = [slot for slot in self.view.slots if slot.uid is None]
        check(not left or result.done.code == "EXPUNGEISSUED",
              f"FETCH {new[0]}:{new[-1]} told nothing of {len(left)} messages")
        for slot in left:
            slot.dead = True

    def in_step(self, flags=True):
        """The view has to be the mailbox, now."""
        box = self.view.box
        check(None not in self.view.uids(), "every UID was told")
        check(len(self.view.slots) == len(box), f"{self.name}: {len(self.view.slots)} messages told, "
                                                f"there are {len(box)} in {box.name}")
        difference(f"{self.name}: UIDs of {box.name} as told", set(self.view.uids()),
                   {entry.uid for entry in box.all()})
        for number, slot in enumerate(self.view.slots, 1):
            entry = box.by_uid[slot.uid]
            if flags:
                slot.state = len(entry.history) - 1
            check(not flags or slot.flags in (None, entry.flags),
                  f"{self.name}: message {number}, UID {slot.uid} in {box.name}: told last "
                  f"{sorted(slot.flags or ())}, has {sorted(entry.flags)}")

    def is_in_step(self):
        try:
            self.in_step()
        except Failure:
            return False
        return True
