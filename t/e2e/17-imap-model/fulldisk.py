"""A disk that is full during APPEND, COPY, MOVE, STORE and EXPUNGE: NO, and the session goes on."""

import contextlib
import os
import subprocess

from client import flag_set, uid_set
from imapsession import Imap, Unwaited
from stress import forget_index
from suite import check, equal, message

SIZE = 3 * 1048576
FOLDERS = ["INBOX", "Archive"]
BIG = "0123456789abcdef" * 4 + "\r\n"


@contextlib.contextmanager
def small_disk(suite, address, options):
    """The account's Maildir on a file system of its own. Its path."""
    with Imap(suite, address):
        pass
    local, domain = address.split("@")
    path = suite.path("mail", domain, local, "Maildir")
    owner = os.stat(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options},mode=700,uid={owner.st_uid},gid={owner.st_gid}",
                    "small", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=False)


class Owner:
    """Knows what was acknowledged: folder -> UID -> flags."""

    def __init__(self, suite, address):
        self.suite, self.address = suite, address
        self.known = {folder: {} for folder in FOLDERS}
        self.refused = {}
        self.session = Imap(suite, address)
        self.session.ok("SELECT INBOX")

    def run(self, *parts):
        """OK or NO; True for OK."""
        result = self.session.run(*parts)
        check(result.done.kind in ("OK", "NO"), f"{parts[0]}: {result.done}")
        if result.done.kind == "NO":
            word = parts[0].split()[1 if parts[0].startswith("UID") else 0]
            self.refused[word] = self.refused.get(word, 0) + 1
            check(result.done.code in ("OVERQUOTA", "LIMIT", "UNAVAILABLE", "SERVERBUG"), f"{parts[0]}: {result.done}")
        return result

    def append(self, lines):
        result = self.run("APPEND INBOX (\\Flagged) ",
                          Unwaited(message("a@example.org", self.address, "full", BIG * lines)))
        if result.done.kind == "OK":
            self.known["INBOX"][int(result.code("APPENDUID")[1])] = frozenset({r"\Flagged"})
        return result.done.kind == "OK"

    def store(self, uid, flags):
        result = self.run(f"UID STORE {uid} FLAGS ({' '.join(flags)})")
        if result.done.kind == "OK":
            self.known["INBOX"][uid] = flag_set(flags)

    def transfer(self, command, uids):
        result = self.run(f"UID {command} {','.join(map(str, uids))} Archive")
        found = [one for one in [*result.untagged, result.done] if one.code == "COPYUID"]
        check(command == "MOVE" or result.done.kind == "OK" or not found, f"{result}: copied, and NO")
        if found:
            _, old, new = found[0].detail
            for source, target in zip(uid_set(old), uid_set(new)):
                self.known["Archive"][target] = self.known["INBOX"][source]
                if command == "MOVE":
                    del self.known["INBOX"][source]

    def expunge(self, uid):
        if self.run(f"UID STORE {uid} +FLAGS (\\Deleted)").done.kind == "OK":
            self.known["INBOX"][uid] |= {r"\Deleted"}
            if self.run(f"UID EXPUNGE {uid}").done.kind == "OK":
                del self.known["INBOX"][uid]

    def audit(self, what):
        """This session, and a new one, see just what was acknowledged."""
        self.compare(self.session, "INBOX", f"{what}, same session")
        with Imap(self.suite, self.address) as session:
            for folder in FOLDERS:
                session.ok(f"EXAMINE {folder}")
                self.compare(session, folder, f"{what}, new session")

    def compare(self, session, folder, what):
        session.ok("NOOP")
        fetched = session.ok("UID FETCH 1:* (UID FLAGS BODY.PEEK[])").fetched().values()
        found = {items["UID"]: flag_set(items["FLAGS"]) for items in fetched}
        if folder != "INBOX":  # a copy whose keyword found no room goes without
            found = {uid: flags | {one for one in self.known[folder].get(uid, ()) if one[0] != "\\"}
                     for uid, flags in found.items()}
        equal(found, self.known[folder], f"{folder}, {what}")
        check(all(items["BODY[]"] for items in fetched), f"{folder}, {what}: texts")

    def try_everything(self):
        """Each kind of change, while there is no room."""
        uids = sorted(self.known["INBOX"])
        for number, uid in enumerate(uids[:12]):
            self.store(uid, [r"\Seen", f"new-{number}"] if number % 2 else [r"\Answered"])
        self.transfer("COPY", uids[:8])
        self.transfer("MOVE", uids[8:10])
        self.append(200)
        self.append(1)
        self.expunge(max(self.known["INBOX"]))


def fill(path):
    """Takes the last byte. The file that does."""
    name = os.path.join(path, "filler")
    with open(name, "wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return name


def fill_inodes(path):
    """Takes the last file name. The folder that does."""
    name = os.path.join(path, "filler")
    os.mkdir(name)
    with contextlib.suppress(OSError):
        for number in range(100000):
            with open(os.path.join(name, str(number)), "wb"):
                pass
    return name


def live_through(suite, address, options, exhaust):
    """Returns what was refused how often."""
    with small_disk(suite, address, options) as path:
        owner = Owner(suite, address)
        for lines in (1, 40, 200) * 5:
            check(owner.append(lines), "APPEND while there is room")
        owner.audit("before")
        filler = exhaust(path)
        owner.try_everything()
        owner.audit("full")
        owner.session.ok("SELECT INBOX")
        owner.try_everything()
        owner.audit("full, selected anew")
        forget_index(path)
        with Imap(suite, address) as session:  # reading without an index, and no room to make one
            session.ok("EXAMINE INBOX")
            owner.compare(session, "INBOX", "full, without an index")
        subprocess.run(["rm", "-r", filler], check=True)
        refused = dict(owner.refused)
        owner.session.ok("SELECT INBOX")
        owner.try_everything()
        owner.audit("with room again")
        equal(owner.refused, refused, "refused although there is room")
        forget_index(path)
        owner.session.ok("SELECT INBOX")
        owner.audit("with a new index")
        owner.session.socket.close()
        return refused
