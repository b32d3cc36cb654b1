"""The model: what an account holds, as RFC 9051 wants it, whatever the server says.

Steps change it by what their commands mean; only what the server may choose (UIDs, UIDVALIDITY, MODSEQ,
the date of what came without one) is learnt from its answers, once, and has to stay.
"""

import bisect

from suite import Failure, check


class Message:
    """Content: the same in all copies."""

    def __init__(self, mark, data, subject, sender, words, sent_day):
        self.mark, self.data = mark, data
        self.subject, self.sender, self.words, self.sent_day = subject, sender, words, sent_day


class Entry:
    """A message in a mailbox."""

    def __init__(self, message, flags, date, step, floor):
        self.message, self.date = message, date  # seconds since 1970; None: not learnt yet
        self.uid = None
        self.least, self.most = floor, 2 ** 32 - 1  # what its UID may be
        self.history = [(step, frozenset(flags))]
        self.modseq = None       # as told for the present flags
        self.before_others = None  # flags in front of changes that were made by other programs alone
        self.modseq_above = 0    # every MODSEQ told before the last change
        self.changed_by_us = step
        self.touched = step      # last step that may have given it a new MODSEQ, though no flag changed

    @property
    def flags(self):
        return self.history[-1][1]

    @property
    def changed(self):
        return self.history[-1][0]

    def differs_since(self, step):
        """Flags that another program changed and put back may never have been seen in between."""
        before = [flags for when, flags in self.history if when <= step]
        return self.changed > step and (self.changed_by_us > step or not before or before[-1] != self.flags)

    def told(self, flags, since):
        """The first state from number `since` on that had these flags; None: it never had them."""
        for number in range(since, len(self.history)):
            if self.history[number][1] == flags:
                return number
        return None


class Mailbox:
    """Stays the same object when it is renamed."""

    def __init__(self, name):
        self.name, self.alive = name, True
        self.entries = []    # with UIDs, in their order
        self.unplaced = []   # came without a word about the UID, in order of arrival
        self.gone = {}       # UID -> entry
        self.uidvalidity = None
        self.floor = 1       # no UID below it will be given any more
        self.by_uid = {}
        self.modseq = 0      # the highest told
        self.renamed = -1    # step
        self.forgot = 0      # the last step in which the index was lost
        self.removed = []    # (step, UID)

    def __len__(self):
        return len(self.entries) + len(self.unplaced)

    def __bool__(self):
        return True  # an empty one too

    def all(self):
        return self.entries + self.unplaced

    def arrive(self, message, flags, date, step):
        entry = Entry(message, flags, date, step, self.floor)
        entry.modseq_above = self.modseq
        self.unplaced.append(entry)
        return entry

    def place(self, entry, uid):
        """The server told an entry's UID for the first time."""
        check(uid not in self.by_uid, f"UID {uid} of {self.name} given twice: to mark "
                                      f"{entry.message.mark} and {self.by_uid.get(uid) and self.by_uid[uid].message.mark}")
        check(entry.least <= uid < entry.most,
              f"UID {uid} of mark {entry.message.mark} in {self.name}: {entry.least} to {entry.most - 1} "
              "was promised")
        self.unplaced.remove(entry)
        entry.uid = uid
        self.by_uid[uid] = entry
        bisect.insort(self.entries, entry, key=lambda one: one.uid)
        if not self.unplaced:
            self.floor = max(self.floor, uid + 1)

    def uidnext(self, told):
        """A UIDNEXT that was told for the mailbox as it is now."""
        check(told >= self.floor, f"UIDNEXT {told} of {self.name}, {self.floor} or more was promised")
        if self.entries:
            check(told > self.entries[-1].uid, f"UIDNEXT {told} of {self.name} is no more than a UID")
        self.floor = told
        for entry in self.unplaced:
            entry.most = min(entry.most, told)

    def set_flags(self, entry, flags, step, foreign=False):
        flags = frozenset(flags)
        entry.touched = step
        if not foreign:
            entry.changed_by_us = step
        if flags == entry.flags:
            return False
        if not foreign:
            entry.before_others = None
        elif entry.before_others is None:
            entry.before_others = entry.flags
        entry.modseq_above, entry.modseq = self.modseq, None
        entry.history.append((step, flags))
        return True

    def remove(self, entry, step):
        self.entries.remove(entry)
        self.gone[entry.uid] = entry
        self.removed.append((step, entry.uid))

    def learn_uidvalidity(self, world, told):
        if self.uidvalidity is None:
            self.uidvalidity = told
        check(self.uidvalidity == told,
              f"UIDVALIDITY of {self.name} is {told}, was {self.uidvalidity}")
        owner = world.validities.setdefault((self.name, told), self)
        check(owner is self, f"{self.name} with UIDVALIDITY {told} was another mailbox before (RFC 9051 2.3.1.1)")

    def learn_modseq(self, entry, told):
        """RFC 7162 3: grows with each change, and stays without one."""
        if entry.modseq is None:
            check(told > entry.modseq_above or entry.before_others == entry.flags,
                  f"MODSEQ {told} of UID {entry.uid} in {self.name} after a change: {entry.modseq_above} "
                  "was told before it")
        elif entry.modseq != told:
            check(entry.touched > entry.modseq_step and told > entry.modseq,
                  f"MODSEQ of UID {entry.uid} in {self.name} is {told}, was {entry.modseq}, and nothing "
                  "changed")
        entry.modseq, entry.modseq_step = told, entry.touched
        self.modseq = max(self.modseq, told)

    def learn_highest(self, told):
        check(told >= self.modseq, f"HIGHESTMODSEQ {told} of {self.name}, {self.modseq} was told before")
        self.modseq = told

    def forget(self, step):
        """The index is gone: numbers may be new, if only they are higher."""
        self.forgot = step
        for entry in self.entries:
            entry.touched = step

    def changed_since(self, step):
        """(UIDs that CHANGEDSINCE must tell, UIDs that it may tell) for the HIGHESTMODSEQ of a step."""
        must = {entry.uid for entry in self.entries if entry.differs_since(step)}
        if self.forgot >= step:
            return must, {entry.uid for entry in self.entries}
        return must, must | {entry.uid for entry in self.entries if entry.touched > step}

    def removed_since(self, step):
        return {uid for when, uid in self.removed if when > step}


class Snapshot:
    """What a client kept of a mailbox."""

    def __init__(self, box, modseq, step):
        self.uidvalidity, self.modseq, self.step = box.uidvalidity, modseq, step
        self.flags = {entry.uid: entry.flags for entry in box.entries}


class World:
    """One account."""

    def __init__(self, names, subscribed):
        self.mailboxes = {name: Mailbox(name) for name in names}
        self.subscribed = set(subscribed)
        self.validities = {}
        self.step = 0
        self.kept = {}       # name -> snapshots, of mailboxes that are gone too

    def create(self, name):
        self.mailboxes[name] = Mailbox(name)
        return self.mailboxes[name]

    def delete(self, name):
        box = self.mailboxes.pop(name)
        box.alive = False
        return box

    def within(self, name):
        return [one for one in self.mailboxes if one == name or one.startswith(name + "/")]

    def rename(self, old, new):
        for name in self.within(old):
            box = self.mailboxes.pop(name)
            box.name, box.renamed = new + name[len(old):], self.step
            self.mailboxes[box.name] = box
            if box.uidvalidity is not None:
                box.learn_uidvalidity(self, box.uidvalidity)

    def rename_inbox(self, new):
        """RFC 9051 6.3.6: its messages move to a new mailbox."""
        inbox, target = self.mailboxes["INBOX"], self.create(new)
        for entry in inbox.all():
            target.arrive(entry.message, entry.flags, entry.date, self.step)
        for entry in list(inbox.entries):
            inbox.remove(entry, self.step)
        inbox.unplaced.clear()
        return target

    def parents(self):
        """Names that are not mailboxes, but have some below them."""
        found = set()
        for name in self.mailboxes:
            while "/" in name:
                name = name.rpartition("/")[0]
                found.add(name)
        return found - set(self.mailboxes)

    def listing(self):
        """name -> attributes that LIST has to tell"""
        everything = set(self.mailboxes) | self.parents()
        found = {}
        for name in everything:
            has = any(other.startswith(name + "/") for other in everything)
            found[name] = {r"\HasChildren" if has else r"\HasNoChildren"} | \
                (set() if name in self.mailboxes else {r"\Noselect"})
        return found

    def show(self, box):
        lines = [f"model of {box.name}{'' if box.alive else ' (deleted)'}: UIDVALIDITY {box.uidvalidity}, "
                 f"UIDNEXT at least {box.floor}, MODSEQ {box.modseq}"]
        for entry in box.all():
            lines.append(f"  UID {entry.uid} mark {entry.message.mark} {' '.join(sorted(entry.flags))} "
                         f"modseq {entry.modseq} changed in step {entry.changed}")
        lines.append(f"  gone: {sorted(box.gone)}")
        return lines


def difference(what, got, wanted):
    """Fails where two sets differ, and says how."""
    if got != wanted:
        raise Failure(f"{what}: too many {sorted(got - wanted)}, missing {sorted(wanted - got)}")
