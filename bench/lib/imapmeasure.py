"""What is measured of an IMAP and POP3 server: each function takes the client and a side, and returns row -> figure."""

import contextlib
import os
import subprocess
import time

import letters
from imapsides import CHANGED, DOMAIN, HUGE, LARGE, PASSWORD, POP, SMALL, SMALL_COUNT, WOKEN
from measure import Failed, fields

# Sessions of a measurement have a user each, of those that have a small INBOX.
APPEND_ONE, APPEND_TEN, CONNECTIONS = SMALL + 20, SMALL + 30, 10
LINK_TLS = ("-t", "-2")


class Client:
    """imapload, and how much it is asked to do."""

    def __init__(self, program, disk, amounts):
        self.program, self.amounts = program, amounts
        self.large_file = os.path.join(disk, "letters")
        self.huge_file = os.path.join(disk, "small-letters")
        self.capabilities = {}
        self.counts = {}

    def run(self, side, port, *words, text=""):
        command = [self.program, *words[:-1], str(side.ports[port]), *words[-1].split()]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{side.name}: {done.stderr.strip()}")
        return done.stdout

    def script(self, side, port, steps, options=()):
        """name -> figures. Steps are (name, command)."""
        text = "".join(f"{name} {command}\n" for name, command in steps)
        found = {}
        for line in self.run(side, port, *options, "script", text=text).splitlines():
            name, _, rest = line.removeprefix("step=").partition(" ")
            found[name] = fields(rest)
        return found

    def session(self, side, user, steps, port="imap", options=()):
        """An IMAP session with INBOX selected."""
        return self.script(side, port, [("login", f"LOGIN u{user}@{DOMAIN} {PASSWORD}"), ("select", "SELECT INBOX"),
                                        *steps, ("logout", "LOGOUT")], options)

    def saw(self, side, row, count, wanted=None):
        """That an answer was whole; what no number is known for is compared between the sides."""
        self.counts.setdefault(row, {})[side.name] = int(count)
        if wanted is not None and count != wanted:
            raise Failed(f"{side.name}: {row}: {count:.0f} answers, {wanted} are right")


# ---- reading -------------------------------------------------------------------------------------
def select_thrice(client, side, user, prefix, count):
    found = {}
    for state in ("lost", "cold", "warm"):
        if state == "lost" and not side.indexes:
            continue
        if state != "warm":
            side.chill(user, loses_index=state == "lost")
        got = client.session(side, user, [])
        side.settle()
        client.saw(side, f"{prefix}_{state}", got["select"]["exists"], count)
        found[f"{prefix}_{state}"] = got["select"]["ms"]
        found[f"login_{prefix}_{state}"] = got["connect"]["ms"] + got["login"]["ms"] + got["select"]["ms"]
    return found


def select(client, side):
    return select_thrice(client, side, LARGE, "select", client.amounts.large)


def select_huge(client, side):
    return select_thrice(client, side, HUGE, "huge_select", client.amounts.huge)


def fetch_twice(client, side, user, prefix, items, count):
    """In two sessions: what a process remembers does not make it warm."""
    found = {}
    side.chill(user)
    for state in ("cold", "warm"):
        got = client.session(side, user, [("fetch", f"FETCH 1:* {items}")])
        side.settle()
        client.saw(side, f"{prefix}_{state}", got["fetch"]["fetch"], count)
        found[f"{prefix}_{state}"] = got["fetch"]["ms"]
        found[f"opened_{prefix}_{state}"] = got["select"]["ms"] + got["fetch"]["ms"]
    return found


def fetch_flags(client, side):
    return fetch_twice(client, side, LARGE, "flags", "(FLAGS UID RFC822.SIZE)", client.amounts.large)


def fetch_flags_huge(client, side):
    return fetch_twice(client, side, HUGE, "huge_flags", "(FLAGS UID RFC822.SIZE)", client.amounts.huge)


def fetch_envelope(client, side):
    return fetch_twice(client, side, LARGE, "envelope", "ENVELOPE", client.amounts.large)


def fetch_envelope_huge(client, side):
    return fetch_twice(client, side, HUGE, "huge_envelope", "ENVELOPE", client.amounts.huge)


def fetch_bodystructure(client, side):
    return fetch_twice(client, side, LARGE, "bodystructure", "BODYSTRUCTURE", client.amounts.large)


def fetch_bodies(client, side):
    found = {}
    side.read_all(LARGE)
    for row, port, options in (("bodies", "imap", ()), ("bodies_tls", "imaps", LINK_TLS)):
        got = client.session(side, LARGE, [("fetch", "FETCH 1:* BODY.PEEK[]")], port, options)["fetch"]
        client.saw(side, row, got["literal_bytes"], client.amounts.large_bytes)
        found[row] = got["literal_bytes"] / got["ms"] / 1000
    return found


def ask_twice(client, side, row, command):
    found = {}
    side.chill(LARGE)
    for state in ("cold", "warm"):
        got = client.session(side, LARGE, [("ask", command)])["ask"]
        side.settle()
        client.saw(side, f"{row}_{state}", got["numbers"])
        found[f"{row}_{state}"] = got["ms"]
    return found


def search_text(client, side):
    return ask_twice(client, side, "text", f"SEARCH TEXT {letters.RARE_WORD}")


def search_header(client, side):
    return ask_twice(client, side, "header", f"SEARCH HEADER Subject {letters.SUBJECT_WORD}")


def search_since(client, side):
    return ask_twice(client, side, "since", f"SEARCH SINCE {letters.SINCE}")


def sort(client, side):
    return ask_twice(client, side, "sort", "SORT (SUBJECT) UTF-8 ALL")


def thread(client, side):
    return ask_twice(client, side, "thread", "THREAD REFERENCES UTF-8 ALL")


def dropped(client, side):
    """The first look of the day: nothing of the mailbox is in memory."""
    side.chill(LARGE, loses_index=False)
    found = {}
    drop_page_cache()
    found["dropped_select"] = client.session(side, LARGE, [])["select"]["ms"]
    for row, items in (("dropped_flags", "(FLAGS UID RFC822.SIZE)"), ("dropped_envelope", "ENVELOPE")):
        drop_page_cache()
        got = client.session(side, LARGE, [("fetch", f"FETCH 1:* {items}")])
        client.saw(side, row, got["fetch"]["fetch"], client.amounts.large)
        found[row] = got["select"]["ms"] + got["fetch"]["ms"]
    return found


def drop_page_cache():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3\n")


# ---- changes -------------------------------------------------------------------------------------
def changes(client, side):
    count = client.amounts.large
    side.reset(CHANGED, LARGE)
    os.sync()
    client.session(side, CHANGED, [("one", "CREATE Copies"), ("two", "CREATE Moved"), ("three", "FETCH 1:* FLAGS")])
    side.settle()
    before = side.group.cpu_seconds()
    got = client.session(side, CHANGED, [
        ("store", "STORE 1:* +FLAGS (\\Flagged)"), ("store_next", "NOOP"), ("copy", "COPY 1:* Copies"),
        ("copy_next", "NOOP"), ("move", "MOVE 1:* Moved"), ("move_next", "NOOP"), ("copies", "SELECT Copies"),
        ("delete", "STORE 1:* +FLAGS.SILENT (\\Deleted)"), ("delete_next", "NOOP"), ("expunge", "EXPUNGE"),
        ("expunge_next", "NOOP"), ("moved", "SELECT Moved")])
    side.settle()
    used = side.group.cpu_seconds() - before
    # Those that are flagged already need not be told again.
    client.saw(side, "store", got["store"]["fetch"])
    client.saw(side, "copy", got["copies"]["exists"], count)
    client.saw(side, "move", got["moved"]["exists"], count)
    client.saw(side, "expunge", got["expunge"]["expunge"], count)
    names = ("store", "copy", "move", "expunge")
    return {name: got[name]["ms"] for name in names} | {"changes_cpu": used * 1000} | {
        f"{name}_settled": got[name]["ms"] + got[f"{name}_next"]["ms"] for name in names}


def append(client, side):
    found = {}
    count = client.amounts.appended
    for row, first, users in (("append_one", APPEND_ONE, 1), ("append_ten", APPEND_TEN, CONNECTIONS)):
        for user in range(first, first + users):
            side.reset(user, SMALL)
        os.sync()
        before = side.group.cpu_seconds()
        got = fields(client.run(side, "imap", "-f", str(first), "-u", str(users), "-n", str(CONNECTIONS), "-m",
                                str(count), f"append {client.large_file} INBOX"))
        side.settle()
        found[row] = count / got["ms"] * 1000
        found[f"{row}_cpu"] = (side.group.cpu_seconds() - before) * 1000 / count
    return found


# ---- sessions ------------------------------------------------------------------------------------
def sessions(client, side):
    found = {}
    count = client.amounts.sessions
    kinds = (("sessions_tls", "imaps", LINK_TLS), ("sessions_resumed", "imaps", (*LINK_TLS, "-r")),
             ("sessions_plain", "imap", ()), ("pop3_sessions", "pop3s", (*LINK_TLS, "-3")))
    for row, port, options in kinds:
        before = side.group.cpu_seconds()
        got = fields(client.run(side, port, "-f", str(SMALL), "-u", str(SMALL_COUNT), "-n", str(CONNECTIONS), "-m",
                                str(count), *options, "sessions"))
        side.settle()  # what is left to do when the client has its answer is part of the cost
        found[row] = count / got["ms"] * 1000
        found[f"{row}_cpu"] = (side.group.cpu_seconds() - before) * 1000 / count
        if "-r" in options:
            client.saw(side, row, got["resumed"])
    return found


def memory(client, side):
    count = client.amounts.idle
    time.sleep(1)
    before = side.group.memory_kb()
    command = [client.program, "-f", str(SMALL), "-u", str(SMALL_COUNT), "-n", str(CONNECTIONS), "-m", str(count),
               *LINK_TLS, str(side.ports["imaps"]), "hold"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    try:
        line = process.stdout.readline()
        if not line:
            raise Failed(f"{side.name}: {process.stderr.read().strip()}")
        time.sleep(3)
        held = side.group.memory_kb() - before
        number = len(side.group.pids())
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    client.saw(side, "memory", number)
    wait_gone(side, number - count)
    return {"memory": held / count}


def wait_gone(side, most):
    """Till the processes of those sessions have ended."""
    end = time.monotonic() + 30
    while len(side.group.pids()) > most and time.monotonic() < end:
        time.sleep(0.2)


def wake(client, side):
    found = {}
    for row, by in (("wake_append", "append"), ("wake_lmtp", str(side.ports["lmtp"]))):
        side.settle()
        side.reset(WOKEN, SMALL)
        got = fields(client.run(side, "imap", "-f", str(WOKEN), "-m", str(client.amounts.wakes), f"wake {by}"))
        found[row] = got["median_ms"]
    return found


# ---- POP3 ----------------------------------------------------------------------------------------
def pop3(client, side):
    found = {}
    count = client.amounts.large
    login = [("user", f"USER u{POP}@{DOMAIN}"), ("pass", f"PASS {PASSWORD}")]
    side.chill(POP)
    for state in ("cold", "warm"):
        got = client.script(side, "pop3", [*login, ("stat", "STAT"), ("uidl", "UIDL"), ("quit", "QUIT")], ("-3",))
        side.settle()
        client.saw(side, f"uidl_{state}", got["uidl"]["lines"], count)
        found[f"uidl_{state}"] = got["pass"]["ms"] + got["stat"]["ms"] + got["uidl"]["ms"]
    got = client.script(side, "pop3", [*login, ("retr", f"PIPELINE {count}"), ("quit", "QUIT")], ("-3",))["retr"]
    client.saw(side, "retr", got["literals"], count)
    found["retr"] = count / got["ms"] * 1000
    found["retr_mb"] = got["bytes"] / got["ms"] / 1000
    return found
