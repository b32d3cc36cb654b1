"""What is played while the calls are written down. Each scenario is a function of a Play."""

import random
import re
import time

from faultlog import ERRORS
from judge import Message
from rig import HURRY, netstring, read_netstrings

SMALL, MIDDLE, LARGE = 2048, 200 * 1024, 300 * 1024  # large: more than queue-inject holds in memory
CHUNK = 60000
END = b"0:,"


def body(key, size):
    """Lines that differ from each other and from those of any other message."""
    source = random.Random(key)
    lines, total = [], 0
    while total < size:
        lines.append(b"%064x %d\r\n" % (source.getrandbits(256), len(lines)))
        total += len(lines[-1])
    return b"".join(lines)


class Play:
    """A scenario on a rig: its messages, and what the world was told meanwhile."""

    count = 0

    def __init__(self, rig):
        self.rig = rig
        self.messages = []
        self.has_killed = False  # what a program knew when it was killed is not on record

    # -- clients ---------------------------------------------------------------------------------
    def message(self, sender, recipients, size=SMALL, verdict="clean"):
        Play.count += 1
        key = f"m{Play.count}"
        sender = sender.replace("KEY", key)
        data = (f"From: <{sender or 'postmaster@fault.test'}>\r\nTo: <{recipients[0]}>\r\n"
                f"Subject: {key}\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n"
                f"X-Fault-Key: {key}\r\n\r\n").encode() + body(key, size)
        message = Message(key, sender, recipients, data, verdict)
        if verdict != "clean":
            self.rig.scanner.verdicts[key] = (verdict.encode(), b"Test.Virus")
        self.messages.append(message)
        return message

    def give(self, client, message):
        """All but the end."""
        fields = [b"inject/2", b"by=smtp client=192.0.2.1", message.sender.encode(), b"7", b"0", b"",
                  b""]
        for recipient in message.recipients:
            fields += [recipient.encode(), b"", b""]
        parts = [netstring(b"".join(map(netstring, fields)))]
        for at in range(0, len(message.data), CHUNK):
            parts.append(netstring(message.data[at:at + CHUNK]))
        client.sendall(b"".join(parts))

    def read_answer(self, client, message):
        answer = b""
        while not re.fullmatch(rb"\d+:.*,", answer, re.S):
            part = client.recv(4096)
            if not part:
                return
            answer += part
        message.answer = read_netstrings(answer)[0].decode()
        if message.answer.startswith("K"):
            message.id = message.answer[1:]

    def pass_on(self, client, message):
        """A peer that breaks off has not said K."""
        try:
            self.give(client, message)
            client.sendall(END)
            self.read_answer(client, message)
        except OSError as error:
            message.answer = f"broken off: {error}"

    def send(self, sender, recipients, size=SMALL, verdict="clean"):
        """One message on its own connection."""
        message = self.message(sender, recipients, size, verdict)
        try:
            client = self.rig.connect_inject()
        except OSError:
            return message
        with client:
            self.pass_on(client, message)
        return message

    # -- operators -------------------------------------------------------------------------------
    def wait(self, condition, what):
        """A scenario goes on after some seconds anyway: a fault may have prevented what it waits for."""
        end = time.monotonic() + 3
        hurry = time.monotonic() + HURRY
        while not condition() and time.monotonic() < end:
            time.sleep(0.002)
            self.rig.supervise()
            if time.monotonic() > hurry:
                self.control("flush")
                hurry = time.monotonic() + HURRY
        return what

    def control(self, *words):
        try:
            return self.rig.control(*words)
        except OSError:
            return None

    def wait_tried(self, local, times):
        """Till the other server was asked about this local part so often."""
        def tried():
            return sum(f"TO:<{local}@" in line for line in self.rig.world.commands) >= times
        return self.wait(tried, f"{times} attempts for {local}")

    def kill(self, *programs):
        self.has_killed = True
        for program in programs:
            self.rig.kill(program)
        self.rig.supervise()

    def take_back(self, message):
        if message.id:
            self.rig.log.note(f"deleted {message.key}")
            self.control("delete", message.id)



def one_message(play):
    play.send("x@sink.test", ["ann@a.test"])


def several_recipients(play):
    play.send("x@sink.test", ["ann@a.test", "ant@a.test", "bob@b.test"], MIDDLE)


def two_at_once(play):
    first = play.message("x@sink.test", ["ann@a.test", "bob@b.test"], LARGE)
    second = play.message("y@sink.test", ["bob@b.test", "ant@a.test"])
    with play.rig.connect_inject() as one, play.rig.connect_inject() as other:
        play.give(one, first)
        play.give(other, second)
        one.sendall(END)
        other.sendall(END)
        play.read_answer(other, second)
        play.read_answer(one, first)


def one_after_the_other(play):
    """By one worker, into mailboxes that are there, with what the queue keeps of earlier ones."""
    for size in (SMALL, LARGE, SMALL, SMALL):
        play.send("x@sink.test", ["ann@a.test", "bob@b.test"], size)
        if size == LARGE:
            play.rig.settle()


def another_server(play):
    play.rig.world.refusals["soft"] = ["451 4.3.0 not now", "250 ok"]
    play.send("ann@a.test", ["r1@sink.test", "soft@sink.test", "bob@b.test"], MIDDLE)
    play.wait_tried("soft", 1)
    play.control("flush")
    play.send("ann@a.test", ["r2@sink.test"])


def failure_and_report(play):
    play.rig.world.refusals["never"] = ["550 5.1.1 no such user"]
    play.send("ann@a.test", ["gone@a.test", "bob@b.test"])
    play.send("bob@b.test", ["never@sink.test", "r1@sink.test", "gone@b.test"], MIDDLE)
    play.send("x@sink.test", ["gone@a.test"])


def report_that_fails(play):
    play.send("gone-KEY@a.test", ["none@b.test"])
    play.send("", [f"null{Play.count}@b.test"])


def forwarded(play):
    play.send("x@sink.test", ["fwd@a.test", "bob@b.test"])
    play.send("x@sink.test", ["fwd@a.test"], LARGE)


def operator(play):
    play.rig.world.refusals["late"] = ["451 4.3.0 not now"]
    held = play.send("ann@a.test", ["late@sink.test", "bob@b.test"])
    deleted = play.send("ann@a.test", ["late@sink.test", "bob@b.test"])
    play.wait_tried("late", 2)
    if held.id:
        play.control("hold", held.id)
        play.wait(lambda: held.id in play.rig.names("queue/hold"), "held")
    play.take_back(deleted)
    play.send("x@sink.test", ["ant@a.test"])
    play.rig.world.refusals["late"] = ["250 ok"]
    play.rig.release_held()


def given_up(play):
    """What could not be delivered at once is deleted, and the next message makes that last: nobody comes
    again and mends the mailbox."""
    message = play.send("ann@a.test", ["bob@b.test"])
    play.wait(lambda: f"id={message.id} " in play.rig.output() or not play.rig.names("queue/message"),
              "an attempt")
    play.take_back(message)
    play.send("x@sink.test", ["ann@a.test"])


def scan_verdicts(play):
    play.send("ann@a.test", ["bob@b.test"], verdict="infected")
    play.send("ann@a.test", ["bob@b.test"], verdict="refused")


def disk_full(play):
    play.rig.log.fill(True)
    play.send("x@sink.test", ["ann@a.test"])
    play.send("x@sink.test", ["ann@a.test"], LARGE)
    play.rig.log.fill(False)
    message = play.send("x@sink.test", ["ann@a.test", "gone@b.test", "r1@sink.test"], MIDDLE)
    play.rig.log.fill(True)
    time.sleep(0.05)
    play.send("x@sink.test", ["ann@a.test"])
    play.rig.log.fill(False)
    play.control("flush", *([message.id] if message.id else []))


def killed_programs(play):
    play.send("x@sink.test", ["ann@a.test", "bob@b.test", "r1@sink.test"], LARGE)
    play.kill("queued")
    play.send("ann@a.test", ["gone@a.test", "bob@b.test"])
    play.kill("queue-inject", "queued")
    play.rig.wait(lambda: play.rig.listens("queue-inject", 1), "queue-inject")
    play.send("x@sink.test", ["ant@a.test"])


def everything(play):
    """For faults one by one: each kind of delivery once, small and in pieces."""
    play.send("ann@a.test", ["ann@a.test", "bob@b.test", "r1@sink.test", "gone@a.test"])
    play.send("x@sink.test", ["bob@b.test"], LARGE)


SCENARIOS = {
    "one message": one_message,
    "several recipients": several_recipients,
    "two at once": two_at_once,
    "one after the other": one_after_the_other,
    "another server": another_server,
    "failure and report": failure_and_report,
    "report that fails": report_that_fails,
    "forwarded": forwarded,
    "operator": operator,
    "scan verdicts": scan_verdicts,
    "disk full": disk_full,
    "killed programs": killed_programs,
}
# These begin with a mailbox and a queue that were used before.
WARM = {"one after the other", "another server"}
# These are played with sync-folders off, too (all, when there is time): each way into the queue and out
# of it, by each program that makes or moves a file.
FILES_ONLY = ["one message", "two at once", "one after the other", "failure and report", "forwarded",
              "killed programs"]
# These are played for the n-th call that fails, with these errors (all, when there is time).
FAULTY = {
    "everything": (everything, list(ERRORS)),
    "operator": (operator, ["EIO"]),
    # Runs differ a little: errors that few calls know, so that the sync is surely among those that fail.
    "given up": (given_up, ["ENOSPC", "EDQUOT"]),
}
FILES_ONLY_FAULTY = {"everything": (everything, ["EIO"])}
