"""A Maildir of Dovecot or Courier taken over with all its numbers; and what mailctl store finds and mends.

RFC 3501 2.3.1.1 and RFC 9051 2.3.1.1 (UIDs and UIDVALIDITY stay), RFC 1939 7 (so do UIDLs).
"""

import contextlib
import imaplib
import json
import os
import poplib
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import threading
import time

import certificates
import corpus
from suite import PATIENCE, Failure, check, equal, free_ports, wait_until

DOMAIN = "example.jp"
JAPANESE = "&ZeVnLIqe-/&MOEw,DDr-"  # 日本語/メール in modified UTF-7
FOLDERS = ["INBOX", "Work", "Work/2026", JAPANESE, "A&-B"]
MANY = 3000


def prepare(suite):
    suite.add_domain(DOMAIN, "u1", "u2", "many", "hurt")
    # A name that mbsync can verify.
    certificates.install(suite, "default", ["DNS:localhost", "IP:127.0.0.1"])
    suite.start()


# ---- Dovecot ------------------------------------------------------------------------------------

CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap pop3 lmtp
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%n/Maildir
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 1
maildir_copy_with_hardlinks = yes
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={folder}/mail/%n allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    address = 127.0.0.1
    port = {pop3}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
service lmtp {{
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
}}
"""


class Dovecot:
    """Debian's, with a folder, a uid and ports of its own."""

    uid = 999999  # it takes none as large as ours

    def __init__(self, suite):
        self.folder = suite.path("dovecot")
        self.imap_port, self.pop3_port = free_ports(2)

    def __enter__(self):
        os.makedirs(os.path.join(self.folder, "mail"), exist_ok=True)
        os.makedirs(os.path.join(self.folder, "run"), exist_ok=True)
        os.chown(os.path.join(self.folder, "mail"), self.uid, self.uid)
        path = os.path.join(self.folder, "dovecot.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=self.folder, uid=self.uid, imap=self.imap_port,
                                     pop3=self.pop3_port))
        self.process = subprocess.Popen(["dovecot", "-F", "-c", path], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(os.path.join(self.folder, "lmtp")) and self.answers(), "Dovecot")
        return self

    def answers(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.imap_port), timeout=5).close()
            return True
        return False

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)

    def imap(self, user):
        client = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=PATIENCE)
        client.login(user, "secret")
        return client

    def uidls(self, user):
        client = poplib.POP3("127.0.0.1", self.pop3_port, timeout=PATIENCE)
        client.user(user)
        client.pass_("secret")
        lines = client.uidl()[1]
        client.quit()
        return [line.split()[1] for line in lines]

    def deliver(self, user, data):
        with smtplib.LMTP(os.path.join(self.folder, "lmtp")) as client:
            client.sendmail("sender@example.org", [user], data)

    def hand_over(self, suite, user, account):
        """The whole Maildir, in the place of the account's."""
        home = suite.path("mail", DOMAIN, account)
        os.makedirs(home, mode=0o700, exist_ok=True)
        os.rename(os.path.join(self.folder, "mail", user, "Maildir"), os.path.join(home, "Maildir"))
        give_away(suite, home)


def give_away(suite, home):
    """As an operator does: all of it belongs to the domain then."""
    uid = next(row["uid"] for row in json.loads(suite.mailctl("--json", "domain", "list"))
               if row["domain"] == DOMAIN)
    for path in (os.path.dirname(home), home):
        os.chmod(path, 0o700)
    for base, folders, names in os.walk(os.path.dirname(home)):
        for name in [*folders, *names, "."]:
            os.chown(os.path.join(base, name), uid, uid)


def quoted(name):
    return f'"{name}"'


def ok(answer, what=""):
    check(answer[0] == "OK", f"{what}: {answer}")
    return answer[1]


def look(client, folder):
    """All that a client remembers of a folder: UIDVALIDITY, UIDNEXT, {uid: (flags, date, size, bytes)}."""
    ok(client.select(quoted(folder), readonly=True), folder)
    validity = int(client.response("UIDVALIDITY")[1][-1])
    following = int(client.response("UIDNEXT")[1][-1])
    found = {}
    data = client.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1]
    for part in data:
        if not isinstance(part, tuple):
            continue
        line = part[0].decode()
        flags = set(re.search(r"FLAGS \(([^)]*)\)", line)[1].split()) - {"\\Recent"}
        date = time.mktime(imaplib.Internaldate2tuple(line.encode()))
        found[int(re.search(r"UID (\d+)", line)[1])] = (
            flags, date, int(re.search(r"RFC822.SIZE (\d+)", line)[1]), part[1])
    return validity, following, found


def listed(client, command="list"):
    names = set()
    for line in ok(getattr(client, command)()):
        match = re.search(rb'"/" "?([^"]*)"?$', line or b"")
        if match:
            names.add(match[1].decode())
    return names


def fill(dovecot, user):
    """Messages by LMTP and APPEND, flags, keywords, dates, copies, expunges, folders, subscriptions."""
    for number in range(12):
        dovecot.deliver(user, corpus.message(number))
    with dovecot.imap(user) as client:
        for folder in FOLDERS[1:]:
            ok(client.create(quoted(folder)), folder)
        for folder in ("Work", JAPANESE):
            ok(client.subscribe(quoted(folder)), folder)
        for number in range(12, 30):
            date = imaplib.Time2Internaldate(1500000000 + number * 86400)
            flags = ["(\\Seen)", "($Forwarded NonJunk)", "(\\Flagged \\Answered $MDNSent)", None][number % 4]
            ok(client.append(quoted(FOLDERS[number % 5]), flags, date, corpus.message(number)))
        ok(client.select("INBOX"))
        ok(client.store("1:3", "+FLAGS", "(\\Seen)"))
        ok(client.store("4", "+FLAGS", "(\\Deleted Later)"))
        ok(client.copy("5:7", quoted(JAPANESE)))
        ok(client.store("8", "+FLAGS", "(\\Deleted)"))
        ok(client.uid("EXPUNGE", "8"))
        # The last one goes, too: UIDNEXT stands in the list alone.
        client.append("INBOX", None, None, corpus.message(31))
        ok(client.store("*", "+FLAGS", "(\\Deleted)"))
        ok(client.expunge())


MBSYNC = """\
IMAPAccount account
Host localhost
Port {port}
User {user}
Pass "{password}"
{tls}
AuthMechs LOGIN

IMAPStore far
Account account

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX Work Work/2026 {japanese}
Create Near
Sync All
SyncState *
"""


def mbsync(suite, port, user, password, tls):
    folder = suite.path("clients/mbsync")
    os.makedirs(os.path.join(folder, "mail"), exist_ok=True)
    with open(os.path.join(folder, "mbsyncrc"), "w", encoding="utf-8") as file:
        file.write(MBSYNC.format(port=port, user=user, password=password, home=folder, tls=tls,
                                 japanese=JAPANESE))
    done = subprocess.run(["mbsync", "-c", os.path.join(folder, "mbsyncrc"), "-a"], capture_output=True,
                          timeout=300, env={**os.environ, "HOME": folder})
    check(done.returncode == 0, f"mbsync: {done.stdout}{done.stderr}")
    return {os.path.join(base, name): os.stat(os.path.join(base, name)).st_mtime_ns
            for base, _, names in os.walk(os.path.join(folder, "mail")) for name in names
            if os.path.basename(base) in ("cur", "new")}


def test_a_maildir_of_dovecot_keeps_all_its_numbers(suite):
    with Dovecot(suite) as dovecot:
        fill(dovecot, "u1")
        with dovecot.imap("u1") as client:
            before = {folder: look(client, folder) for folder in FOLDERS}
            subscribed = listed(client, "lsub")
        uidls = dovecot.uidls("u1")
        synced = mbsync(suite, dovecot.imap_port, "u1", "secret", "SSLType None")
        equal(len(synced), sum(len(messages) for name, (_, _, messages) in before.items() if name != "A&-B"),
              f"mbsync against Dovecot: {sorted(synced)}")
        dovecot.hand_over(suite, "u1", "u1")
    # POP3 first: the first look at INBOX is its.
    client = suite.pop3s(f"u1@{DOMAIN}")
    equal([line.split()[1] for line in client.uidl()[1]], uidls, "UIDLs")
    client.quit()
    with suite.imaps(f"u1@{DOMAIN}") as client:
        for folder in FOLDERS:
            validity, following, messages = look(client, folder)
            wanted_validity, wanted_following, wanted = before[folder]
            equal(validity, wanted_validity, f"{folder}: UIDVALIDITY")
            check(following >= wanted_following, f"{folder}: UIDNEXT {following} < {wanted_following}")
            equal(sorted(messages), sorted(wanted), f"{folder}: UIDs")
            for uid, facts in wanted.items():
                for what, got, want in zip(("flags", "date", "size", "bytes"), messages[uid], facts):
                    equal(got, want, f"{folder}, UID {uid}: {what}")
        check(subscribed <= listed(client, "lsub"), f"subscribed: {listed(client, 'lsub')}")
    # A client that has all fetches nothing.
    after = mbsync(suite, suite.ports["imaps"], f"u1@{DOMAIN}", suite.password(f"u1@{DOMAIN}"),
                   "SSLType IMAPS\nCertificateFile " + suite.path("made/default/cert.pem"))
    equal(after, synced, "mbsync after the change of servers")
    equal(state_of_store(suite, "u1")[0], 0, "store check")


def test_new_mail_comes_behind_and_foreign_files_stay(suite):
    folder = suite.path("mail", DOMAIN, "u1/Maildir")
    for name in ("dovecot-uidlist", "dovecot-keywords", "subscriptions"):
        check(os.path.exists(os.path.join(folder, name)), f"{name} is still there")
    with suite.imaps(f"u1@{DOMAIN}") as client:
        _, following, messages = look(client, "INBOX")
        ok(client.append("INBOX", "(Later $Forwarded)", None, corpus.message(40)))
        _, _, more = look(client, "INBOX")
        equal(sorted(set(more) - set(messages)), [following], "the new UID")
        check({"Later", "$Forwarded"} <= more[following][0], f"keywords: {more[following][0]}")


def test_many_messages_of_dovecot(suite):
    with Dovecot(suite) as dovecot:
        with dovecot.imap("many") as client:
            ok(client.select("INBOX"))
            ok(client.append("INBOX", None, None, corpus.message(1)))
            while int(ok(client.select("INBOX"))[0]) < MANY:
                ok(client.copy("1:*", "INBOX"))
            ok(client.store("2,5,7:90", "+FLAGS", "(\\Deleted)"))
            ok(client.expunge())
            before = look(client, "INBOX")
        dovecot.hand_over(suite, "many", "many")
    start = time.monotonic()
    with suite.imaps(f"many@{DOMAIN}") as client:
        ok(client.select("INBOX"))
        took = time.monotonic() - start
        after = look(client, "INBOX")
    equal(after[0], before[0], "UIDVALIDITY")
    equal(sorted(after[2]), sorted(before[2]), "UIDs")
    check(took < 20, f"the first look at {len(before[2])} messages took {took:.1f} s")


# ---- Courier ------------------------------------------------------------------------------------

def test_a_maildir_of_courier_keeps_uids_keywords_subscriptions(suite):
    home = suite.path("mail", DOMAIN, "u2")
    maildir = os.path.join(home, "Maildir")
    shutil.rmtree(home, ignore_errors=True)
    files = {
        "courierimapuiddb": "1 1038161234 12\n3 1038161300.M1P1_0.host,S=27\n11 1038161400.M2P1_0.host,S=27\n",
        "courierimapkeywords/:list": "$Label1\nWork\n\n1038161300.M1P1_0.host,S=27:1 0\n",
        "courierimapsubscribed": "INBOX\nINBOX.Old\nINBOX.&ZeVnLIqe-\n",
        "courierpop3dsizelist": "/3 5 1038161234\n1038161300.M1P1_0.host,S=27:2,S 29 4:1038161234:0\n",
        "cur/1038161300.M1P1_0.host,S=27:2,S": "Subject: one\nX: y\n\nbody\n\n\n",
        "cur/1038161400.M2P1_0.host,S=27:2,RS": "Subject: two\nX: y\n\nbody\n\n\n",
        "new/1038161500.M3P1_0.host,S=27": "Subject: new\nX: y\n\nbody\n\n\n",
        ".Old/courierimapuiddb": "1 1038169999 100\n99 1038161600.M4P1_0.host,S=27\n",
        ".Old/cur/1038161600.M4P1_0.host,S=27:2,FS": "Subject: old\nX: y\n\nbody\n\n\n",
    }
    for folder in ("", ".Old", ".&ZeVnLIqe-"):
        for part in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(maildir, folder, part))
    os.mkdir(os.path.join(maildir, "courierimapkeywords"))
    for name, text in files.items():
        with open(os.path.join(maildir, name), "w", encoding="ascii") as file:
            file.write(text)
        date = re.search(r"(10381\d+)\.M", name)
        if date:
            os.utime(os.path.join(maildir, name), (int(date[1]), int(date[1])))
    give_away(suite, home)
    with suite.imaps(f"u2@{DOMAIN}") as client:
        validity, following, messages = look(client, "INBOX")
        equal((validity, following, sorted(messages)), (1038161234, 13, [3, 11, 12]), "INBOX")
        equal(messages[3][0], {"\\Seen", "$Label1", "Work"}, "keywords")
        equal(messages[11][0], {"\\Seen", "\\Answered"}, "flags")
        equal(messages[3][1], 1038161300, "date")
        equal(messages[3][2], len(messages[3][3]), "size")
        validity, following, messages = look(client, "Old")
        equal((validity, following, sorted(messages)), (1038169999, 100, [99]), "Old")
        check({"INBOX", "Old", "&ZeVnLIqe-"} <= listed(client, "lsub"), f"{listed(client, 'lsub')}")
    client = suite.pop3s(f"u2@{DOMAIN}")
    names = [line.split()[1].decode() for line in client.uidl()[1]]
    client.quit()
    equal(names, ["UID4-1038161234", f"{11:08x}{1038161234:08x}", f"{12:08x}{1038161234:08x}"], "UIDLs")
    equal(state_of_store(suite, "u2")[0], 0, "store check")


# ---- mailctl store ------------------------------------------------------------------------------

def state_of_store(suite, user, *folder):
    """(exit code, {folder: findings}) of mailctl store check."""
    done = subprocess.run([suite.path("bin/mailctl"), "--json", "store", "check", f"{user}@{DOMAIN}", *folder],
                          capture_output=True, text=True, timeout=PATIENCE)
    check(done.returncode in (0, 1), f"store check: exit {done.returncode}: {done.stdout}{done.stderr}")
    rows = json.loads(done.stdout)
    return done.returncode, {row["folder"]: row["findings"] for row in rows}


def hurt_folder(suite):
    return suite.path("mail", DOMAIN, "hurt/Maildir")


def test_store_check_and_rebuild(suite):
    with suite.imaps(f"hurt@{DOMAIN}") as client:
        for number in range(100):
            ok(client.append("INBOX", ["(\\Seen)", "($Label1)", None][number % 3], None, corpus.message(number)))
        ok(client.select("INBOX"))
        ok(client.store("7,9", "+FLAGS", "(\\Deleted)"))
        ok(client.expunge())
        ok(client.fetch("1:*", "(ENVELOPE BODYSTRUCTURE)"))
    code, found = state_of_store(suite, "hurt")
    equal((code, found["INBOX"]), (0, []), "after a session")
    check({"INBOX", "Sent", "Trash"} <= set(found), f"folders: {set(found)}")
    equal(set(state_of_store(suite, "hurt", "INBOX")[1]), {"INBOX"}, "one folder")
    text = suite.mailctl("store", "check", f"hurt@{DOMAIN}", "Sent")
    check(re.search(r"^Sent +0 +0 +good", text, re.M), text)
    suite.mailctl("store", "check", f"hurt@{DOMAIN}", "None", wanted=1)
    suite.mailctl("store", "check", f"nobody@{DOMAIN}", wanted=1)
    suite.mailctl("store", "check", f"hurt@{DOMAIN}", "../../u1", wanted=1)
    with suite.imaps(f"hurt@{DOMAIN}") as client:
        before = look(client, "INBOX")
    check("rebuilt" in suite.mailctl("store", "rebuild", f"hurt@{DOMAIN}"), "rebuild")
    owner = os.stat(hurt_folder(suite)).st_uid
    for name in ("mailbox-index", "mailbox-uids", "mailbox-lock"):
        equal(os.stat(os.path.join(hurt_folder(suite), name)).st_uid, owner, f"owner of {name}")
    with suite.imaps(f"hurt@{DOMAIN}") as client:
        after = look(client, "INBOX")
    equal((after[0], after[2]), (before[0], before[2]), "after the rebuild")
    equal(state_of_store(suite, "hurt")[0], 0, "after the rebuild")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def overwrite(path, data):
    """In place, as a broken disk or a careless copy would: who has it open sees it."""
    with open(path, "r+b") as file:
        file.write(data)
        file.truncate(len(data))


def damages(suite):
    """(what, file, what becomes of its bytes)"""
    other = read(suite.path("mail", DOMAIN, "u2/Maildir/mailbox-index"))
    old = read(os.path.join(hurt_folder(suite), "mailbox-index"))
    return [
        ("index empty", "mailbox-index", lambda data: b""),
        ("index cut in its header", "mailbox-index", lambda data: data[:100]),
        ("index cut in its records", "mailbox-index", lambda data: data[:6000]),
        ("torn log tail", "mailbox-index", lambda data: data[:-13]),
        ("rubbish behind the log", "mailbox-index", lambda data: data + b"rubbish" * 50),
        ("rubbish in the middle", "mailbox-index", lambda data: data[:5000] + b"\xa5" * 300 + data[5300:]),
        ("rubbish all over", "mailbox-index", lambda data: os.urandom(len(data))),
        ("index of another folder", "mailbox-index", lambda data: other),
        ("index of another day", "mailbox-index", lambda data: old),
        ("cache cut", "mailbox-cache", lambda data: data[:len(data) // 2]),
        ("rubbish in the cache", "mailbox-cache", lambda data: data[:16] + os.urandom(len(data) - 16)),
        ("rubbish in mailbox-pending", "mailbox-pending",
         lambda data: data + b"flags 0 T\nremove ../../x\n\xff\xfe\nflags 3"),
    ]


def do_damage(suite, name, change):
    """True: there was something to damage."""
    path = os.path.join(hurt_folder(suite), name)
    if name == "mailbox-pending" and not os.path.exists(path):
        with open(path, "wb"):
            pass
        os.chown(path, *([os.stat(hurt_folder(suite)).st_uid] * 2))
    with contextlib.suppress(FileNotFoundError):
        overwrite(path, change(read(path)))
        return True
    return False


def change_something(client, turn):
    """Flags, mail that comes and goes; what the folder is then."""
    ok(client.select("INBOX"))
    ok(client.append("INBOX", "($Label1)", None, corpus.message(turn % 50)))
    ok(client.store("1:5", "+FLAGS" if turn % 2 else "-FLAGS", "(\\Flagged)"))
    ok(client.store("6", "+FLAGS", "(\\Deleted)"))
    ok(client.expunge())
    ok(client.fetch("1:*", "(ENVELOPE BODYSTRUCTURE)"))


def holds(client, before, what):
    """UIDVALIDITY and messages are what they were; what the folder is now."""
    after = look(client, "INBOX")
    equal((after[0], after[2]), (before[0], before[2]), what)
    return after


def is_intact(suite, what):
    equal(state_of_store(suite, "hurt", "INBOX"), (0, {"INBOX": []}), what)


def test_damaged_files_cost_no_mail_uid_or_flag(suite):
    turn = 0
    for what, name, change in damages(suite):
        turn += 1
        with suite.imaps(f"hurt@{DOMAIN}") as client:
            change_something(client, turn)
            before = look(client, "INBOX")
        check(do_damage(suite, name, change), f"{what}: nothing to damage")
        with suite.imaps(f"hurt@{DOMAIN}") as client:
            after = holds(client, before, f"{what}: a session afterwards")
            check(after[1] >= before[1], f"{what}: UIDNEXT {after[1]} < {before[1]}")
            ok(client.select("INBOX"))
            ok(client.fetch("1:*", "(ENVELOPE BODYSTRUCTURE)"))
        if "cache" in name:
            suite.mailctl("store", "rebuild", f"hurt@{DOMAIN}")
        is_intact(suite, f"{what}: check afterwards")


def test_damaged_files_and_a_rebuild(suite):
    turn = 100
    for what, name, change in damages(suite):
        turn += 1
        with suite.imaps(f"hurt@{DOMAIN}") as client:
            change_something(client, turn)
            before = look(client, "INBOX")
        check(do_damage(suite, name, change), f"{what}: nothing to damage")
        suite.mailctl("store", "rebuild", f"hurt@{DOMAIN}")
        if "pending" not in name:
            is_intact(suite, f"{what}: check afterwards")
        with suite.imaps(f"hurt@{DOMAIN}") as client:
            holds(client, before, f"{what}: rebuilt")
        with suite.imaps(f"hurt@{DOMAIN}") as client:
            ok(client.select("INBOX"))
        is_intact(suite, f"{what}: check at the end")


def test_damaged_files_while_a_session_is_open(suite):
    turn = 200
    for what, name, change in damages(suite):
        turn += 1
        with suite.imaps(f"hurt@{DOMAIN}") as open_one:
            change_something(open_one, turn)
            before = look(open_one, "INBOX")
            ok(open_one.select("INBOX"))
            check(do_damage(suite, name, change), f"{what}: nothing to damage")
            with suite.imaps(f"hurt@{DOMAIN}") as client:
                holds(client, before, f"{what}: another session")
            ok(open_one.noop())
            ok(open_one.store("1", "+FLAGS", "(\\Answered)"))
            uid = min(before[2])
            flags, *rest = before[2][uid]
            before[2][uid] = (flags | {"\\Answered"}, *rest)
            holds(open_one, before, f"{what}: the open session")
        if name != "mailbox-index":
            suite.mailctl("store", "rebuild", f"hurt@{DOMAIN}")
        with suite.imaps(f"hurt@{DOMAIN}") as client:
            holds(client, before, f"{what}: a third session")
            ok(client.select("INBOX"))
        is_intact(suite, f"{what}: check afterwards")


def highest_modseq(client):
    return int(re.search(rb"HIGHESTMODSEQ (\d+)", ok(client.status("INBOX", "(HIGHESTMODSEQ)"))[0]).group(1))


def come_and_go(client):
    """A message that leaves no trace but in the index; its UID, and the highest mod-sequence then."""
    uid = int(re.search(rb"APPENDUID \d+ (\d+)", ok(client.append("INBOX", None, None, corpus.message(1)))[0]).group(1))
    ok(client.select("INBOX"))
    ok(client.uid("STORE", str(uid), "+FLAGS", "(\\Deleted)"))
    ok(client.expunge())
    return uid, highest_modseq(client)


def gives_nothing_out_again(suite, uid, modseq, what):
    """RFC 9051 2.3.1.1, RFC 7162 3.1.2.2"""
    address = f"hurt@{DOMAIN}"
    count = len(suite.mailbox(address))
    with suite.smtp() as client:
        client.sendmail("sender@example.org", [address], corpus.message(2))
    suite.wait_messages(address, count + 1)
    with suite.imaps(address) as client:
        after = look(client, "INBOX")
        check(max(after[2]) > uid, f"{what}: UID {max(after[2])} after {uid}")
        check(after[1] > uid, f"{what}: UIDNEXT {after[1]} after {uid}")
        check(highest_modseq(client) > modseq, f"{what}: HIGHESTMODSEQ is not above {modseq}")
    is_intact(suite, what)


def test_an_index_of_another_day_gives_nothing_out_again(suite):
    for what, change in (("older", lambda old, new: old), ("cut", lambda old, new: new[:len(new) - 1500]),
                         ("flipped", lambda old, new: new[:-1500] + bytes([new[-1500] ^ 1]) + new[-1499:])):
        path = os.path.join(hurt_folder(suite), "mailbox-index")
        with suite.imaps(f"hurt@{DOMAIN}") as client:
            change_something(client, 3)
        old = read(path)
        with suite.imaps(f"hurt@{DOMAIN}") as client:
            before = look(client, "INBOX")
            uid, modseq = come_and_go(client)
        time.sleep(0.05)  # the clock of files ticks slowly
        overwrite(path, change(old, read(path)))
        with suite.imaps(f"hurt@{DOMAIN}") as client:
            holds(client, before, what)
        gives_nothing_out_again(suite, uid, modseq, what)


def test_a_backup_that_is_put_back(suite):
    """With its times, over what is there: what came since stays, and no number is given out twice."""
    address, folder = f"hurt@{DOMAIN}", hurt_folder(suite)
    backup = suite.path("backup")
    with suite.imaps(address) as client:
        ok(client.select("INBOX"))
    subprocess.run(["cp", "-a", folder, backup], check=True)
    an_hour_ago = time.time() - 3600
    for name in ("mailbox-uids", "mailbox-index", "cur", "new"):
        os.utime(os.path.join(backup, name), (an_hour_ago, an_hour_ago))
    with suite.imaps(address) as client:
        ok(client.append("INBOX", "(\\Flagged)", None, corpus.message(9)))
        before = look(client, "INBOX")
        uid, modseq = come_and_go(client)
    subprocess.run(["cp", "-a", backup + "/.", folder], check=True)
    with suite.imaps(address) as client:
        after = holds(client, before, "put back")
        check(after[1] > before[1] + 50000, f"put back: UIDNEXT {after[1]} after {before[1]}")
    gives_nothing_out_again(suite, uid, modseq, "put back")


def test_what_is_no_index_is_said_and_mended(suite):
    path = os.path.join(hurt_folder(suite), "mailbox-index")
    owner = os.stat(path).st_uid
    with suite.imaps(f"hurt@{DOMAIN}") as client:
        before = look(client, "INBOX")

    def put(mode, of):
        with open(path, "wb") as file:
            file.write(b"index")
        os.chmod(path, mode)
        os.chown(path, of, of)

    for what, make in (("folder", lambda: os.mkdir(path)), ("link", lambda: os.symlink("/etc/passwd", path)),
                       ("fifo", lambda: os.mkfifo(path)), ("of root", lambda: put(0o600, 0)),
                       ("not to be written", lambda: put(0o400, owner))):
        for mends in (True, False):
            os.unlink(path)
            make()
            code, found = state_of_store(suite, "hurt", "INBOX")
            check(code == 1 and found["INBOX"], f"{what} is found: {found}")
            if mends:
                suite.mailctl("store", "rebuild", f"hurt@{DOMAIN}")
                is_intact(suite, f"{what}: rebuilt")
            with suite.imaps(f"hurt@{DOMAIN}") as client:
                holds(client, before, what)
            is_intact(suite, what)


def test_damage_is_found(suite):
    for what, change in (("rubbish", lambda data: os.urandom(len(data))),
                         ("middle", lambda data: data[:5000] + b"\xa5" * 300 + data[5300:]),
                         ("cut", lambda data: data[:3000])):
        with suite.imaps(f"hurt@{DOMAIN}") as client:
            ok(client.select("INBOX"))
        check(do_damage(suite, "mailbox-index", change), what)
        code, found = state_of_store(suite, "hurt", "INBOX")
        check(code == 1 and found["INBOX"], f"{what} is found: {found}")
    suite.mailctl("store", "rebuild", f"hurt@{DOMAIN}", "INBOX")
    equal(state_of_store(suite, "hurt")[0], 0, "at the end")


def test_a_wrong_maildirsize_is_found(suite):
    path = os.path.join(hurt_folder(suite), "maildirsize")
    with open(path, "w", encoding="ascii") as file:
        file.write("0S\n123 4\n")
    os.chown(path, *([os.stat(hurt_folder(suite)).st_uid] * 2))
    code, found = state_of_store(suite, "hurt")
    check(code == 1 and "123 bytes in 4 messages" in found["maildirsize"][0], f"{found}")
    total = sum(os.stat(name).st_size for name in suite.mailbox(f"hurt@{DOMAIN}"))
    with open(path, "w", encoding="ascii") as file:
        file.write(f"0S\n{total} {len(suite.mailbox(f'hurt@{DOMAIN}'))}\n")
    equal(state_of_store(suite, "hurt")[0], 0, "the right sum")


def test_a_large_index_damaged(suite):
    """Beyond what is read at once: it is mapped, and changed in place only by what replaces files."""
    path = suite.path("mail", DOMAIN, "many/Maildir/mailbox-index")
    with suite.imaps(f"many@{DOMAIN}") as client:
        ok(client.select("INBOX"))
        ok(client.store("1:2000", "+FLAGS", "(\\Flagged)"))
        before = look(client, "INBOX")
    whole = read(path)
    check(len(whole) > 200000, f"large: {len(whole)}")
    owner = os.stat(path).st_uid
    for what, data in (("cut", whole[:100000]), ("cut in the log", whole[:-24]), ("header", os.urandom(200) + whole[200:]),
                       ("empty", b""), ("gone", None)):
        os.unlink(path)
        if data is not None:
            with open(path, "wb") as file:
                file.write(data)
            os.chown(path, owner, owner)
        with suite.imaps(f"many@{DOMAIN}") as client:
            after = look(client, "INBOX")
        equal((after[0], after[2] == before[2]), (before[0], True), f"{what}: a session afterwards")
        equal(state_of_store(suite, "many"), (0, state_of_store(suite, "many")[1]), f"{what}: check")
    # In the middle of the records, while the machine runs: check finds it, rebuild mends it.
    data = read(path)
    overwrite(path, data[:50000] + b"\xa5" * 300 + data[50300:])
    code, found = state_of_store(suite, "many", "INBOX")
    check(code == 1 and any("sum" in one for one in found["INBOX"]), f"{found}")
    suite.mailctl("store", "rebuild", f"many@{DOMAIN}")
    with suite.imaps(f"many@{DOMAIN}") as client:
        after = look(client, "INBOX")
    equal((after[0], after[2] == before[2]), (before[0], True), "rebuilt")
    equal(state_of_store(suite, "many")[0], 0, "rebuilt")


def test_check_is_right_while_mail_comes_and_sessions_work(suite):
    address = f"hurt@{DOMAIN}"
    stop = threading.Event()
    faults = []

    def deliver():
        number = 0
        while not stop.is_set():
            with suite.smtp() as client:
                for _ in range(5):
                    number += 1
                    client.sendmail("sender@example.org", [address], corpus.message(number % 50))

    def work(turn):
        with suite.imaps(address) as client:
            while not stop.is_set():
                turn += 1
                try:
                    change_something(client, turn)
                except Failure as failure:  # of two who expunge one may be told so (RFC 2180 4.1.2)
                    check("EXPUNGEISSUED" in str(failure), str(failure))

    def guarded(function, *arguments):
        try:
            function(*arguments)
        except Exception as error:  # pylint: disable=broad-except
            faults.append(repr(error))

    threads = [threading.Thread(target=guarded, args=(deliver,)),
               threading.Thread(target=guarded, args=(work, 0)), threading.Thread(target=guarded, args=(work, 1))]
    os.unlink(os.path.join(hurt_folder(suite), "maildirsize"))
    for thread in threads:
        thread.start()
    try:
        end = time.monotonic() + 6
        checks = 0
        while time.monotonic() < end:
            equal(state_of_store(suite, "hurt", "INBOX"), (0, {"INBOX": []}), "check while all goes on")
            checks += 1
            if checks % 5 == 0:
                suite.mailctl("store", "rebuild", address)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    equal(faults, [], "the clients' troubles")
    check(checks > 5, f"{checks} checks")
    suite.wait_queue_empty()
    with suite.imaps(address) as client:
        ok(client.select("INBOX"))
    equal(state_of_store(suite, "hurt"), (0, state_of_store(suite, "hurt")[1]), "at the end")
