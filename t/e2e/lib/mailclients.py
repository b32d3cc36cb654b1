"""What tests of mail programs share: an account as people have them, all that is in it, and what a program's
run cost the server."""

import datetime
import os
import re
import subprocess
import time
from typing import NamedTuple

import certificates
import corpus
from imapsession import Imap, Unwaited
from suite import Failure, check, equal, wait_until

# In a client's run nothing takes so long, however busy the machine.
PATIENCE = 120
# Folders as IMAP names them (RFC 3501 5.1.3), and how many messages each gets.
QUOTES = "&TtVOiw-/&iYt6TTCCMIo-"          # 仕事/見積もり
CUSTOMERS = "&U9ZfFVFI-"                   # 取引先
RENAMED = "&TtVOiw-/&iYt6TWb4-"            # 仕事/見積書
NEW = "&ZbCJjw-"                           # 新規
FOLDERS = {"INBOX": 120, "Sent": 30, QUOTES: 40, CUSTOMERS: 30}
FLAGS = [(), (r"\Seen",), (r"\Seen", r"\Answered"), (r"\Flagged",), (r"\Draft", r"\Seen"), (r"\Seen", "$Forwarded"),
         ("$label1", "NonJunk"), (r"\Seen", r"\Flagged", r"\Answered")]
LETTERS = {"F": r"\Flagged", "R": r"\Answered", "S": r"\Seen", "D": r"\Draft", "T": r"\Deleted"}
FIRST_DATE = datetime.datetime(2019, 2, 28, 12, 0, 7, tzinfo=datetime.timezone(datetime.timedelta(hours=9)))

# mbsyncrc; `account` and `channel` are further lines of theirs.
MBSYNC = """
IMAPAccount a
Host localhost
Port {port}
User {user}
Pass "{password}"
SSLType IMAPS
CertificateFile {certificate}
{account}

IMAPStore far
Account a

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
{channel}
Sync All
SyncState *
"""


class Message(NamedTuple):
    """A message as a server or a client has it."""
    flags: frozenset
    date: float                          # INTERNALDATE
    text: bytes


class Cost(NamedTuple):
    """What a client's run meant for the server."""
    sessions: int
    commands: int
    sent: int                            # bytes from the server to the client, as on the wire
    received: int
    seconds: float


def prepare(suite, accounts):
    """Starts a suite with a name that clients can verify. `prober` is for settle()."""
    suite.add_domain("example.jp", "prober", *accounts)
    certificates.install(suite, "default", ["DNS:localhost", "IP:127.0.0.1"])
    suite.start()


def certificate(suite):
    return suite.path("made/default/cert.pem")


def address_of(name):
    return f"{name}@example.jp"


def date_of(number):
    return FIRST_DATE + datetime.timedelta(hours=7 * number)


def simple(number):
    """A message that a test adds to what the corpus gave."""
    return (f"From: <adder@example.org>\r\nTo: <u1@example.jp>\r\nSubject: =?UTF-8?B?6L+95Yqg?= {number}\r\n"
            f"Date: Sat, 21 Nov 2026 12:00:{number % 60:02} +0900\r\nMessage-ID: <corpus-{number}@example.org>\r\n"
            f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n追加 {number}\r\n").encode()


def append(session, folder, number, text=None, flags=None):
    flags = FLAGS[number % len(FLAGS)] if flags is None else flags
    date = date_of(number).strftime("%d-%b-%Y %H:%M:%S %z")
    session.ok(f'APPEND "{folder}" ({" ".join(flags)}) "{date}" ', Unwaited(text or corpus.message(number)))


def fill(suite, address, folders=None):
    """Puts the corpus into an account, with flags, keywords and dates of arrival. How many messages."""
    number = 0
    with Imap(suite, address) as one:
        for folder, count in (folders or FOLDERS).items():
            if folder not in ("INBOX", "Sent"):
                one.ok(f'CREATE "{folder}"')
                one.ok(f'SUBSCRIBE "{folder}"')
            for _ in range(count):
                append(one, folder, number)
                number += 1
        one.ok("LOGOUT")
    return number


def folders_of(session):
    entries = [entry.value for entry in session.ok('LIST "" *').all("LIST")]
    return sorted(entry[2] for entry in entries if not {r"\NonExistent", r"\Noselect"} & set(entry[0]))


def number_of(text):
    """Of the Message-ID."""
    found = re.search(rb"<corpus-(\d+)@", text)
    check(found, f"a message that none has sent: {text[:400]!r}")
    return int(found[1])


def read_session(session):
    """folder -> {UID: Message}; beside it folder -> UIDVALIDITY"""
    everything, validity = {}, {}
    for folder in folders_of(session):
        opened = session.ok(f'EXAMINE "{folder}"')
        validity[folder] = opened.code("UIDVALIDITY")
        everything[folder] = {}
        if opened.numbers("EXISTS") == [0]:
            continue
        for items in session.ok("UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])").fetched().values():
            date = datetime.datetime.strptime(items["INTERNALDATE"].strip(), "%d-%b-%Y %H:%M:%S %z")
            flags = frozenset(flag.decode() if isinstance(flag, bytes) else flag for flag in items["FLAGS"])
            everything[folder][items["UID"]] = Message(flags - {r"\Recent"}, date.timestamp(), items["BODY[]"])
    return everything, validity


def read_account(suite, address):
    with Imap(suite, address) as one:
        result = read_session(one)
        one.ok("LOGOUT")
        return result


def by_number(folder, clean=lambda text: text):
    """Messages of one folder by the number in their Message-ID; none twice."""
    result = {}
    for message in folder:
        number = number_of(message.text)
        check(number not in result, f"message {number} is there twice")
        result[number] = message._replace(text=clean(message.text))
    return result


def compare_folder(got, wanted, what, flags=True, dates=True):
    """Both number -> Message."""
    equal(sorted(got), sorted(wanted), f"{what}: messages")
    for number, message in got.items():
        if message.text != wanted[number].text:
            raise Failure(f"{what}: message {number} differs:\n{message.text[:700]!r}\n{wanted[number].text[:700]!r}")
        if flags:
            equal(message.flags, wanted[number].flags, f"{what}: flags of message {number}")
        if dates:
            equal(message.date, wanted[number].date, f"{what}: date of message {number}")


def closed_lines(suite, address):
    """The fields of the log's lines about sessions that have ended, IMAP and POP3."""
    found = []
    for line in suite.logs("spawnd").splitlines():
        if f" account={address} " in line and ": closed " in line:
            found.append(dict(word.split("=", 1) for word in line.split(": closed ", 1)[1].split(" ") if "=" in word))
    return found


def settle(suite, prober="prober@example.jp"):
    """Waits till all sessions have ended and their lines are in the log: lines come in order."""
    wait_until(lambda: not suite.sessions("imapd") and not suite.sessions("pop3d"), "the end of all sessions")
    before = len(closed_lines(suite, prober))
    with Imap(suite, prober) as one:
        one.ok("LOGOUT")
    wait_until(lambda: len(closed_lines(suite, prober)) > before, "lines in the log")


def run(*command, cwd=None, text=None, env=None, wanted=(0,)):
    """Runs a program; what it wrote."""
    done = subprocess.run(command, input=text, cwd=cwd, capture_output=True, timeout=PATIENCE,
                          env={**os.environ, **(env or {})})
    check(done.returncode in wanted,
          f"{command[0]}: exit {done.returncode}: {(done.stdout + done.stderr)[-3000:].decode(errors='replace')}")
    return done.stdout


def measured(suite, address, what, run_client):
    """Runs a client and prints and returns what that cost."""
    settle(suite)
    before = len(closed_lines(suite, address))
    start = time.monotonic()
    run_client()
    seconds = time.monotonic() - start
    settle(suite)
    lines = closed_lines(suite, address)[before:]
    check(lines, f"{what}: no session of {address}")
    cost = Cost(len(lines), *(sum(int(line[name]) for line in lines) for name in ("commands", "out", "in")), seconds)
    print(f"  {what}: {cost.seconds:.1f} s, {cost.sessions} sessions, {cost.commands} commands, "
          f"{cost.sent} bytes sent, {cost.received} received", flush=True)
    return cost


def home(suite, name):
    folder = suite.path("clients", name)
    os.makedirs(folder, exist_ok=True)
    return folder


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o600)
    return path


def cleaned(text):
    """As programs store it that keep lines with LF, without the mark that mbsync leaves."""
    return re.sub(rb"^X-TUID: .*\n", b"", text.replace(b"\r\n", b"\n"), count=1, flags=re.M)


def maildir_messages(path, keywords):
    """The messages of one folder of a client."""
    letters = LETTERS | keywords
    found = []
    for part in ("new", "cur"):
        for entry in os.scandir(os.path.join(path, part)):
            flags = frozenset(letters[letter] for letter in entry.name.partition(":2,")[2])
            with open(entry.path, "rb") as file:
                found.append(Message(flags, entry.stat().st_mtime, file.read()))
    return found


def change_account(suite, name):
    """What happens in the account while the client is away: flags, keywords, mail, deletion, moving, folders."""
    with Imap(suite, address_of(name)) as one:
        one.ok("SELECT INBOX")
        one.ok(r"UID STORE 1:9 +FLAGS (\Flagged $label2)")
        one.ok(r"UID STORE 5,7 -FLAGS (\Seen)")
        one.ok(r"UID STORE 11 +FLAGS (\Deleted)")
        one.ok("UID EXPUNGE 11")
        one.ok(f'UID MOVE 12:15 "{CUSTOMERS}"')
        append(one, "INBOX", 1000, simple(1000))
        one.ok(f'CREATE "{NEW}"')
        append(one, NEW, 1001, simple(1001))
        one.ok("LOGOUT")
