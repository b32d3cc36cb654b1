"""A server from its backup: the commands are those that INSTALL names, run as they stand there.

RFC 3501 2.3.1.1: UIDs that were given out after the copy was taken must not come to mean other messages.
"""

import json
import os
import shutil
import subprocess

from suite import TREE, check, equal, message


def commands(heading, suite):
    """The command blocks below a heading of INSTALL, for this ROOT."""
    with open(os.path.join(TREE, "INSTALL.md"), encoding="utf-8") as file:
        section = file.read().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks, block = [], []
    for line in section.splitlines() + [""]:
        if line.startswith("    "):
            block.append(line.strip())
        elif block:
            blocks.append("\n".join(block))
            block = []
    tar = suite.root + ".tar"
    return [block.replace("/var/mail-suite", suite.root).replace("/root/mail-suite.tar", tar) for block in blocks]


def run(script):
    done = subprocess.run(["sh", "-e"], input=script, text=True, capture_output=True, cwd=TREE)
    equal((done.returncode, done.stderr), (0, ""), f"what this says: {script}")


def subjects(client):
    """UID -> (flags, subject) of INBOX."""
    lines = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    found = {}
    for line in (line for line in lines if isinstance(line, tuple)):
        uid = int(line[0].split(b"UID ")[1].split()[0].rstrip(b")"))
        found[uid] = (b"\\Flagged" in line[0], line[1].decode().strip())
    return found


def uidvalidity(client):
    client.select("INBOX")
    return int(client.response("UIDVALIDITY")[1][0])


def deliver(suite, subject):
    suite.submit("u2@example.jp", ["u1@example.jp"], message("u2@example.jp", "u1@example.jp", subject))
    suite.wait_queue_empty()


def test_a_copy_of_a_running_server_becomes_a_new_server(suite):
    copy, restore, *_ = commands("Backup and restore", suite)
    check("tar" in copy and "make setup" in restore, f"the commands of INSTALL: {copy}\n{restore}")
    for subject in ("one", "two"):
        deliver(suite, subject)
    with suite.imap("u1@example.jp") as client:
        before = uidvalidity(client)
        client.uid("STORE", "2", "+FLAGS", "(\\Flagged)")
        old = subjects(client)
    suite.mailctl("state", "lock", "u2@example.jp", "send-lock", "--cause", "kept over the backup")
    suite.control("hops-max", "50\n")
    run(copy)

    lost = deliver_late(suite)
    uid = os.stat(suite.path("mail/example.jp/u1/Maildir")).st_uid
    suite.stop()
    for entry in os.scandir(suite.root):
        shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.remove(entry.path)
    os.rmdir(suite.root)
    run(restore.replace("make setup", ":"))
    grow_older(suite.path("mail"), 3600)  # a backup is put back later than a minute after it was taken
    os.chmod(suite.root, 0o755)
    suite.setup()
    suite.start()

    equal(os.stat(suite.path("mail/example.jp/u1/Maildir")).st_uid, uid, "whose the mail is")
    with suite.imap("u1@example.jp") as client:
        equal(uidvalidity(client), before, "UIDVALIDITY")
        equal(subjects(client), old, "UIDs, flags and messages")
    shown = json.loads(suite.mailctl("state", "show", "u2@example.jp", "--json"))
    equal([state["state"] for state in shown["states"]], ["send-lock"], "states of accounts")
    suite.mailctl("state", "unlock", "u2@example.jp", "send-lock")
    deliver(suite, "three")
    with suite.imap("u1@example.jp") as client:
        client.select("INBOX")
        new = {uid: subject for uid, (_, subject) in subjects(client).items() if uid not in old}
        equal(list(new.values()), ["Subject: three"], "mail goes on")
        check(min(new) > lost, f"the UID {min(new)} is not that of the lost message, {lost}")
    suite.mailctl("store", "check", "u1@example.jp")
    os.remove(suite.root + ".tar")


def grow_older(tree, seconds):
    """All files and folders, as if what tar has just put back had been copied that much earlier."""
    for folder, _, files in os.walk(tree, topdown=False):
        for path in [os.path.join(folder, name) for name in files] + [folder]:
            times = os.stat(path)
            os.utime(path, ns=(times.st_atime_ns - seconds * 10**9, times.st_mtime_ns - seconds * 10**9))


def deliver_late(suite):
    """After the copy: a message whose UID must not be given out again. Returns that."""
    suite.mailctl("state", "unlock", "u2@example.jp", "send-lock")
    deliver(suite, "lost with the old machine")
    with suite.imap("u1@example.jp") as client:
        client.select("INBOX")
        equal(len(subjects(client)), 3, "messages before the machine was lost")
        return max(subjects(client))
