"""Programs that keep two places the same: mbsync and offlineimap (server and Maildir), interimap (server and server,
by QRESYNC). Everything is copied, both sides change, both are the same again, byte by byte, flags and dates too;
then nothing more is fetched. What a program does to messages itself is undone before comparing."""

import collections
import email.parser
import email.policy
import imaplib
import os
import subprocess
import time

import mailclients
from imapsession import Imap
from mailclients import (CUSTOMERS, MBSYNC, QUOTES, RENAMED, Message, address_of, append, by_number, certificate,
                         change_account, cleaned, compare_folder, home, maildir_messages, measured, number_of, run,
                         write)
from suite import Failure, check, equal


def prepare(suite):
    mailclients.prepare(suite, ["mbsync", "offlineimap", "here", "there", "dove"])


# ---- mbsync --------------------------------------------------------------------------------------------
MBSYNC_KEYWORDS = {"P": "$Forwarded"}


def read_maildirs(path, keywords):
    return {os.path.relpath(folder, path): by_number(maildir_messages(folder, keywords), cleaned)
            for folder, names, _ in os.walk(path) if "cur" in names}


def seen_by_mbsync(messages):
    """It knows one keyword."""
    return {number: message._replace(flags=frozenset(
        flag for flag in message.flags if flag[0] == "\\" or flag in MBSYNC_KEYWORDS.values()))
        for number, message in messages.items()}


def compare_account(suite, name, local, seen_by=seen_by_mbsync, clean=cleaned, dates=True):
    """A client's folders have what the account has, as far as it keeps that. The state, for comparing UIDs."""
    state = mailclients.read_account(suite, address_of(name))
    equal(sorted(local), sorted(state[0]), f"{name}: folders")
    for folder, messages in state[0].items():
        compare_folder(local[folder], seen_by(by_number(messages.values(), clean)), f"{name}: {folder}", dates=dates)
    return state


def write_message(folder, number, flags):
    """A message that the user of a Maildir puts there."""
    name = f"{int(mailclients.date_of(number).timestamp())}.{number}.here:2,{flags}"
    path = os.path.join(folder, "cur", name)
    with open(path, "wb") as file:
        file.write(mailclients.simple(number).replace(b"\r\n", b"\n"))
    os.utime(path, (mailclients.date_of(number).timestamp(),) * 2)


def numbered_file(folder, number):
    for part in ("new", "cur"):
        for entry in os.scandir(os.path.join(folder, part)):
            with open(entry.path, "rb") as file:
                if b"<corpus-%d@" % number in file.read():
                    return entry.path
    raise Failure(f"no message {number} in {folder}")


def set_letters(path, letters):
    """The system's flags; letters of keywords stay."""
    folder, name = os.path.split(path)
    base, _, before = name.partition(":2,")
    letters += "".join(one for one in before if one.islower() or one == "P")
    os.rename(path, os.path.join(os.path.dirname(folder), "cur", base + ":2," + "".join(sorted(letters))))


def change_maildir(root):
    """What the user of a client with a Maildir does."""
    inbox = os.path.join(root, "INBOX")
    set_letters(numbered_file(inbox, 20), "FRS")
    set_letters(numbered_file(inbox, 21), "")
    os.unlink(numbered_file(inbox, 22))
    write_message(inbox, 1002, "S")
    write_message(os.path.join(root, QUOTES), 1003, "F")


def mbsync(suite, folder):
    write(os.path.join(folder, "mbsyncrc"), MBSYNC.format(
        port=suite.ports["imaps"], user=address_of("mbsync"), password=suite.password(address_of("mbsync")),
        home=folder, certificate=certificate(suite), account="PipelineDepth 20",
        channel="Create Both\nRemove Both\nExpunge Both\nCopyArrivalDate yes"))
    os.makedirs(os.path.join(folder, "mail"), exist_ok=True)
    return run("mbsync", "-c", os.path.join(folder, "mbsyncrc"), "-a", env={"HOME": folder})


def test_mbsync(suite):
    folder = home(suite, "mbsync")
    mail = os.path.join(folder, "mail")
    address = address_of("mbsync")
    mailclients.fill(suite, address)
    full = measured(suite, address, "mbsync fetches all", lambda: mbsync(suite, folder))
    compare_account(suite, "mbsync", read_maildirs(mail, MBSYNC_KEYWORDS))
    change_account(suite, "mbsync")
    change_maildir(mail)
    measured(suite, address, "mbsync after changes on both sides", lambda: mbsync(suite, folder))
    # Renaming on both sides takes what mbsync knows along, if UIDVALIDITY stays.
    with Imap(suite, address) as one:
        one.ok(f'RENAME "{QUOTES}" "{RENAMED}"')
    os.rename(os.path.join(mail, QUOTES), os.path.join(mail, RENAMED))
    state = compare_account(suite, "mbsync", read_maildirs(mail, MBSYNC_KEYWORDS))
    again = measured(suite, address, "mbsync, nothing changed", lambda: mbsync(suite, folder))
    equal(compare_account(suite, "mbsync", read_maildirs(mail, MBSYNC_KEYWORDS)), state, "the account, UIDs and all")
    check(again.sent < full.sent // 20, f"mbsync has fetched again: {again}")


# ---- offlineimap ---------------------------------------------------------------------------------------
OFFLINEIMAP = """
[general]
accounts = a
metadata = {home}/metadata
ui = quiet
socktimeout = 60

[Account a]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {home}/mail
sep = /
customflag_a = $label1
customflag_b = $label2
customflag_c = NonJunk
customflag_d = $Forwarded

[Repository far]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = {user}
remotepass = {password}
ssl = yes
sslcacertfile = {certificate}
"""
OFFLINEIMAP_KEYWORDS = {"a": "$label1", "b": "$label2", "c": "NonJunk", "d": "$Forwarded"}


def regenerated(text):
    """offlineimap writes messages anew as Python's parser has understood them: so do we before comparing."""
    kind = email.policy.default.clone(cte_type="8bit", utf8=True, refold_source="none")
    wire = email.parser.BytesParser(policy=kind.clone(linesep="\r\n")).parsebytes(text)
    return cleaned(wire.as_bytes(policy=kind))


def offlineimap(suite, folder):
    write(os.path.join(folder, "rc"), OFFLINEIMAP.format(
        port=suite.ports["imaps"], user=address_of("offlineimap"), home=folder, certificate=certificate(suite),
        password=suite.password(address_of("offlineimap")).replace("%", "%%")))
    return run("offlineimap", "-1", "-c", os.path.join(folder, "rc"), env={"HOME": folder})


def test_offlineimap(suite):
    folder = home(suite, "offlineimap")
    mail = os.path.join(folder, "mail")
    address = address_of("offlineimap")
    mailclients.fill(suite, address)

    def compare():
        # It keeps no dates of arrival.
        return compare_account(suite, "offlineimap", read_maildirs(mail, OFFLINEIMAP_KEYWORDS), seen_by=dict,
                               clean=regenerated, dates=False)

    full = measured(suite, address, "offlineimap fetches all", lambda: offlineimap(suite, folder))
    compare()
    change_account(suite, "offlineimap")
    change_maildir(mail)
    measured(suite, address, "offlineimap after changes on both sides", lambda: offlineimap(suite, folder))
    state = compare()
    again = measured(suite, address, "offlineimap, nothing changed", lambda: offlineimap(suite, folder))
    equal(compare(), state, "offlineimap: the account, UIDs and all")
    check(again.sent < full.sent // 20, f"offlineimap has fetched again: {again}")


# ---- interimap -----------------------------------------------------------------------------------------
INTERIMAP = """
database = {home}/state.db
logfile = {home}/log
ignore-mailbox = ^Drafts$

[local]
type = imaps
host = localhost
port = {port}
username = here@example.jp
password = {here}
SSL_CAfile = {certificate}
compress = NO

[remote]
type = imaps
host = localhost
port = {port}
username = there@example.jp
password = {there}
SSL_CAfile = {certificate}
compress = YES
"""


HERE, THERE = "here@example.jp", "there@example.jp"


def interimap(suite, folder, *arguments):
    """The command, its configuration written."""
    write(os.path.join(folder, "config"), INTERIMAP.format(
        home=folder, port=suite.ports["imaps"], certificate=certificate(suite), here=suite.password(HERE),
        there=suite.password(THERE)))
    return ["interimap", f"--config={folder}/config", *arguments]


def synchronise(suite, folder, what):
    return measured(suite, HERE, what, lambda: run(*interimap(suite, folder, "--debug"), env={"HOME": folder}))


def compare_both(suite):
    """The two accounts hold the same, dates and keywords too. What they hold."""
    here, there = mailclients.read_account(suite, HERE), mailclients.read_account(suite, THERE)
    equal(sorted(here[0]), sorted(there[0]), "folders")
    for name, messages in here[0].items():
        compare_folder(by_number(there[0][name].values()), by_number(messages.values()), f"interimap: {name}")
    return here, there


def change_there(suite):
    with Imap(suite, THERE) as one:
        one.ok("SELECT INBOX")
        fetched = one.ok("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])").fetched().values()
        uids = {number_of(items["BODY[HEADER.FIELDS (MESSAGE-ID)]"]): items["UID"] for items in fetched}
        one.ok(f"UID STORE {uids[30]},{uids[31]} FLAGS ($label5 \\Answered)")
        one.ok(f"UID STORE {uids[2]} +FLAGS ($label4)")  # here, too, gets a flag
        one.ok(f"UID STORE {uids[32]},{uids[34]} +FLAGS (\\Deleted)")
        one.ok(f"UID EXPUNGE {uids[32]},{uids[34]}")
        one.ok(f'UID MOVE {uids[36]}:{uids[38]} "{QUOTES}"')
        append(one, "INBOX", 1010, mailclients.simple(1010))
        append(one, CUSTOMERS, 1011, mailclients.simple(1011))


def test_interimap(suite):
    folder = home(suite, "interimap")
    mailclients.fill(suite, HERE)
    full = synchronise(suite, folder, "interimap copies all")
    compare_both(suite)
    change_account(suite, "here")
    change_there(suite)
    synchronise(suite, folder, "interimap after changes on both sides")
    with open(os.path.join(folder, "log"), encoding="utf-8") as file:
        log = file.read()
    for said in "(QRESYNC (", "* VANISHED (EARLIER) ", "[HIGHESTMODSEQ ", " MODSEQ (":
        check(said in log, f"interimap has done without {said}")
    here, there = compare_both(suite)
    equal(by_number(here[0]["INBOX"].values())[2].flags, {r"\Seen", r"\Answered", r"\Flagged", "$label2", "$label4"},
          "flags that both sides gave")
    for arguments in ("--rename", QUOTES, RENAMED), ("--delete", "Archive"):
        run(*interimap(suite, folder, *arguments), env={"HOME": folder})
    synchronise(suite, folder, "interimap after a RENAME and a DELETE")
    state = compare_both(suite)
    check(RENAMED in state[0][0] and QUOTES not in state[1][0] and "Archive" not in state[1][0], "folders have changed")
    equal(state[1][1][RENAMED], there[1][QUOTES], "UIDVALIDITY is renamed along")
    again = synchronise(suite, folder, "interimap, nothing changed")
    equal(compare_both(suite), state, "interimap: both accounts, UIDs and all")
    check(again.sent < 8000 < full.sent // 20, f"interimap has fetched again: {again}")


def start_and_stop_in_the_middle(suite, folder, address, least, stop):
    """Starts interimap, and lets stop() loose as soon as the account has got a part of the mail."""
    with subprocess.Popen(interimap(suite, folder), env={**os.environ, "HOME": folder}, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as client:
        while client.poll() is None and len(suite.mailbox(address)) < least:
            time.sleep(0.002)
        stop(client)
        client.wait(mailclients.PATIENCE)
    mailclients.settle(suite)
    return len(suite.mailbox(address))


def test_interimap_killed_in_the_middle_goes_on(suite):
    """First interimap dies, then the server's sessions; nothing is lost, and both sides agree in the end."""
    folder = home(suite, "interimap")
    count = {address: len(suite.mailbox(address)) for address in (HERE, THERE)}
    equal(count[HERE], count[THERE], "INBOX before")
    with Imap(suite, HERE) as here, Imap(suite, THERE) as there:
        for number in range(2000, 2400):
            append(here, "INBOX", number)
        for number in range(2400, 2500):
            append(there, "INBOX", number)
        here.ok("SELECT INBOX")
        here.ok(r"UID STORE 50:60 +FLAGS (\Flagged)")
    parts = [count[THERE] + 100]
    for stop in lambda client: client.kill(), lambda client: suite.kill9("imapd"):
        parts.append(start_and_stop_in_the_middle(suite, folder, THERE, parts[-1] + 1, stop))
    print(f"  interimap stopped with {parts[1:]} of {count[THERE] + 500} messages in INBOX")
    check(parts[1] < count[THERE] + 500, "interimap was done before it was stopped")
    for _ in range(2):  # the second looks over what the first had to do
        synchronise(suite, folder, "interimap goes on")
    here, there = (mailclients.read_account(suite, address)[0]["INBOX"].values() for address in (HERE, THERE))
    numbers = sorted(number_of(one.text) for one in here)
    equal(numbers, sorted(number_of(one.text) for one in there), "messages")
    check(collections.Counter(here) == collections.Counter(there), "the two sides differ")
    check(set(numbers) >= set(range(2000, 2500)), "messages are lost")
    # What was copied when its APPEND had no answer yet is copied back: nobody can tell it from new mail.
    twice = len(numbers) - len(set(numbers))
    check(twice <= parts[2] - count[THERE] - 100, f"{twice} messages are there twice")
    state = mailclients.read_account(suite, HERE), mailclients.read_account(suite, THERE)
    again = synchronise(suite, folder, "interimap, nothing changed")
    equal((mailclients.read_account(suite, HERE), mailclients.read_account(suite, THERE)), state, "both accounts")
    check(again.sent < 8000, f"interimap has fetched again: {again}")


# ---- interimap between us and Dovecot -------------------------------------------------------------------
DOVECOT = """
ssl = no
base_dir = {home}/run
log_path = {home}/log
mail_location = maildir:{home}/Maildir
namespace {{
  inbox = yes
  separator = /
}}
"""
INTERIMAP_DOVECOT = """
database = {home}/state.db
ignore-mailbox = ^(Drafts|Junk|Trash|Archive)$

[local]
type = tunnel
command = {command}
null-stderr = YES

[remote]
type = imaps
host = localhost
port = {port}
username = dove@example.jp
password = {password}
SSL_CAfile = {certificate}
"""
NOBODY = 65534


class DovecotAccount:
    """Dovecot's imap for one account, without its services: `doveadm exec imap` speaks on its standard input."""

    def __init__(self, suite):
        self.home = home(suite, "dovecot")
        os.makedirs(os.path.join(self.home, "run"))
        for name in ("", "run"):
            os.chown(os.path.join(self.home, name), NOBODY, NOBODY)
        configuration = write(os.path.join(self.home, "dovecot.conf"), DOVECOT.format(home=self.home))
        os.chmod(configuration, 0o644)
        self.command = write(os.path.join(self.home, "imap"), (
            f"#!/bin/sh\nHOME={self.home} USER=nobody exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups "
            f"doveadm -c {configuration} exec imap 2>/dev/null\n"))
        os.chmod(self.command, 0o755)

    def read(self):
        """folder -> number -> Message, by Python's imaplib."""
        with imaplib.IMAP4_stream(self.command) as client:
            everything = {}
            for line in client.list()[1]:
                name = line.decode().rsplit(' "/" ', 1)[1].strip('"')
                if rb"\Noselect" in line or client.select(f'"{name}"', readonly=True)[1] == [b"0"]:
                    continue
                found = client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")[1]
                everything[name] = by_number(Message(
                    frozenset(flag.decode() for flag in imaplib.ParseFlags(head)) - {r"\Recent"},
                    time.mktime(imaplib.Internaldate2tuple(head)), text) for head, text in found[::2])
            return everything

    def do(self, folder, *command):
        with imaplib.IMAP4_stream(self.command) as client:
            client.select(f'"{folder}"')
            equal(client.uid(*command)[0], "OK", f"Dovecot: {command}")
            client.expunge()


def test_interimap_with_dovecot(suite):
    folder = home(suite, "interimap-dovecot")
    address = address_of("dove")
    dovecot = DovecotAccount(suite)
    mailclients.fill(suite, address)
    write(os.path.join(folder, "config"), INTERIMAP_DOVECOT.format(
        home=folder, port=suite.ports["imaps"], certificate=certificate(suite),
        password=suite.password(address), command=dovecot.command))

    def synchronise_with_dovecot(what):
        return measured(suite, address, what,
                        lambda: run("interimap", f"--config={folder}/config", env={"HOME": folder}))

    def compare():
        state = mailclients.read_account(suite, address)
        here = {name: by_number(messages.values()) for name, messages in state[0].items() if messages}
        there = dovecot.read()
        equal(sorted(there), sorted(here), "folders")
        for name, messages in here.items():
            compare_folder(there[name], messages, f"Dovecot: {name}")
        return state

    full = synchronise_with_dovecot("interimap copies all to Dovecot")
    compare()
    change_account(suite, "dove")
    dovecot.do("INBOX", "STORE", "30,31", "FLAGS", "($label5 \\Answered)")
    dovecot.do("INBOX", "STORE", "33:35", "+FLAGS", "(\\Deleted)")
    dovecot.do("INBOX", "MOVE", "40:43", CUSTOMERS)
    dovecot.do("INBOX", "COPY", "44", QUOTES)
    synchronise_with_dovecot("interimap with Dovecot after changes on both sides")
    state = compare()
    again = synchronise_with_dovecot("interimap with Dovecot, nothing changed")
    equal(compare(), state, "the account, UIDs and all")
    check(again.sent < 8000 < full.sent // 20, f"interimap has fetched again: {again}")
