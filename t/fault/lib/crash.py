"""Power cuts: a run is written down once, then every state that it could have left is recovered."""

import re

from disk import fingerprint, is_removal
from judge import Arrivals, Verdict
from scenarios import Play

ACKNOWLEDGED = re.compile(rb"^\d+:K(\w+),")
OBSERVED = ["queue", "mail"]


def everything_kept(_change):
    return True


def nothing_kept(_change):
    return False


class Recording:
    """What a run left: the disk before it, the calls, the messages, what others took."""

    def __init__(self, base, records, play):
        self.base, self.records, self.messages = base, records, play.messages
        self.transactions = list(play.rig.world.transactions)
        self.windows = {} if play.has_killed else windows(self)

    def events(self):
        """(record, what it changes of the world's knowledge) in order."""
        ids = {message.id: message for message in self.messages if message.id}
        keys = {message.key: message for message in self.messages}
        for record in self.records:
            event = None
            if record.kind == "sent" and record.program == "queue-inject":
                found = ACKNOWLEDGED.match(record.bytes)
                if found and found.group(1).decode() in ids:
                    event = ("acknowledged", ids[found.group(1).decode()])
            elif record.kind == "note":
                what, which = record.bytes.decode().split()
                event = (what, int(which) if what == "taken" else keys[which])
            yield record, event


class Knowledge:
    """What the world knows at one point of a run."""

    def __init__(self):
        self.promised, self.taken = {}, 0

    def learn(self, event):
        what, which = event
        if what == "acknowledged":
            self.promised[which.key] = which
        elif what == "deleted":
            self.promised.pop(which.key, None)
        elif what == "taken":
            self.taken = which + 1


def record(rig, name, scenario, warm=False, plant=None, fault=None):
    """Plays the scenario on an observed rig. The disk is as it was after the installation, or, warm,
    as after one message to everybody. `plant` is a bug and a program, `fault` an error and a number.
    (recording, verdict)"""
    verdict = Verdict()
    rig.set_disk(rig.empty)
    rig.start()
    play = Play(rig)
    if warm:
        play.send("x@sink.test", ["ann@a.test", "ant@a.test", "bob@b.test"])
        rig.settle()
        play.messages.clear()
        rig.forget_mail()
    base = rig.load_disk()
    del rig.world.transactions[:]
    rig.log.start(rig.root, OBSERVED)
    if plant:
        rig.log.plant(*plant)
    if fault:
        rig.log.plan(*fault)
    scenario(play)
    if not rig.settle():
        verdict.wrong.append(f"{name}: did not come to rest: {rig.output()}")
    rig.stop()
    recording = Recording(base, rig.log.records(), play)
    check_run(rig, name, recording, verdict)
    if not fault and not any(message.id for message in recording.messages):
        verdict.wrong.append(f"{name}: no message was acknowledged: {recording.messages[0].answer}")
    if not fault:
        verdict.wrong += [f"{name}: {text}" for text in unmarked(recording)]
    return recording, verdict


def check_run(rig, name, recording, verdict):
    """The run itself, without any crash; and that the model sees what the disk became."""
    disk = recording.base.duplicate()
    knowledge = Knowledge()
    for call, event in recording.events():
        disk.apply(call)
        if event:
            knowledge.learn(event)
    wanted = fingerprint(rig.load_disk().picture(everything_kept))
    if fingerprint(disk.picture(everything_kept)) != wanted:
        verdict.wrong.append(f"{name}: the model's disk is not the real one")
    arrivals = Arrivals(recording.messages)
    arrivals.add_rig(rig)
    verdict.judge(knowledge.promised.values(), arrivals, f"{name}, no crash")


def windows(recording):
    """Of each transaction of another server: the number of the call that put it on record, so that
    it is not repeated by a crash later than that. None: never, before its file went away."""
    closed, waiting, names, inodes = {}, {}, {}, {}
    for number, (call, event) in enumerate(recording.events()):
        if call.kind in ("rename", "create", "link"):
            names[call.name2 if call.kind == "rename" else call.name] = call.inode
        if event and event[0] == "acknowledged":
            inodes[names.get(event[1].id)] = event[1]
        if event and event[0] == "taken":
            one = recording.transactions[event[1]]
            for inode, message in inodes.items():
                if one.data.endswith(message.data) and set(one.recipients) & set(message.recipients):
                    waiting[event[1]] = inode
        elif call.kind in ("sync", "unlink"):
            for taken in [one for one, inode in waiting.items() if inode == call.inode]:
                del waiting[taken]
                closed[taken] = number if call.kind == "sync" else None
    return closed


def unmarked(recording):
    return [f"transaction {taken} of another server was not on record when its file went away"
            for taken, number in recording.windows.items() if number is None]


class State:
    """What may be left at one point, and what the world knows then."""

    def __init__(self, name, picture, knowledge, number):
        self.name, self.picture, self.number = name, picture, number
        self.promised, self.taken = list(knowledge.promised.values()), knowledge.taken


def states(recording, thorough):
    """(number of the crash point, state) of all that is different."""
    disk = recording.base.duplicate()
    knowledge, seen, points = Knowledge(), set(), 0
    for number, (call, event) in enumerate(recording.events()):
        applied = disk.apply(call)
        if event:
            knowledge.learn(event)
        if not applied and not event:
            continue
        points += 1
        known = (frozenset(knowledge.promised), knowledge.taken)
        for name, picture in disk.states(thorough):
            mark = (fingerprint(picture), known)
            if mark not in seen:
                seen.add(mark)
                yield points, State(f"call {number} ({call.program} {call.kind}), {name}", picture,
                                    knowledge, number)


def acknowledged_states(recording):
    """What is left for certain when a client has just heard the K, and at the end; there also without
    what was removed, which nobody synced."""
    disk = recording.base.duplicate()
    knowledge = Knowledge()
    for number, (call, event) in enumerate(recording.events()):
        disk.apply(call)
        if event:
            knowledge.learn(event)
        if event and event[0] == "acknowledged":
            yield State(f"call {number}, at the answer", disk.picture(nothing_kept), knowledge,
                        number)
    yield State("at the end", disk.picture(nothing_kept), knowledge, len(recording.records))
    yield State("at the end, removals kept", disk.picture(is_removal), knowledge,
                len(recording.records))


def recover(rig, name, recording, state, verdict):
    """Starts the suite on what is left, and judges it when it has come to rest."""
    name = f"{name}, {state.name}"
    rig.set_disk(state.picture)
    del rig.world.transactions[:]
    rig.world.refusals = {"never": ["550 5.1.1 no such user"]}
    rig.scanner.verdicts = {message.key: (message.verdict.encode(), b"Test.Virus")
                            for message in recording.messages if message.verdict != "clean"}
    rig.start()
    if not rig.settle():
        verdict.wrong.append(f"{name}: did not come to rest: {rig.names('queue/message')}\n"
                             f"{rig.output()}")
    rig.stop()
    arrivals = Arrivals(recording.messages)
    arrivals.add_rig(rig)
    for number, transaction in enumerate(recording.transactions[:state.taken]):
        again = [one for one in transaction.recipients if arrivals.has_copy(transaction.data, one)]
        closed = recording.windows.get(number)
        if again and closed is not None and closed <= state.number:
            verdict.wrong.append(f"{name}: sent again to {again}, though it was on record")
        arrivals.add_transaction(transaction)
    verdict.judge(state.promised, arrivals, name)


def check(rig, name, recording, thorough, share, shares):
    """Recovers every state of this share. (points, states, verdict)."""
    verdict = Verdict()
    points = count = 0
    for number, (points, state) in enumerate(states(recording, thorough)):
        if number % shares != share or verdict.is_hopeless():
            continue
        count += 1
        recover(rig, name, recording, state, verdict)
    return points, count, verdict


def check_fault(observed, plain, name, scenario, fault, plant=None):
    """One call fails. (did it?, states, verdict) of the run, and of power cuts after it."""
    recording, verdict = record(observed, f"{name}, {fault[0]} at call {fault[1]}", scenario,
                                plant=plant, fault=fault)
    # Where the mark itself could not be written, a repeat is what is left.
    recording.windows = {}
    if not observed.log.fired():
        return False, 0, verdict
    call = next(call for call in recording.records if call.kind == "fault")
    name = f"{name}, {fault[0]} at call {fault[1]} ({call.program} {call.name})"
    count = 0
    for state in acknowledged_states(recording):
        count += 1
        recover(plain, name, recording, state, verdict)
    return True, count, verdict
