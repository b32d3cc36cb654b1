"""Who runs as whom, and what happens when one of them dies."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess

from dialogue import Dialogue
from sink import Sink
from suite import Failure, check, equal, message, wait_until

SUPERVISORS = ("s6-svscan", "s6-supervise")
DAEMONS = ["tcpd", "tlsd", "keyd", "authd", "spawnd", "stated", "lookupd", "queue-inject", "queued", "scand",
           "mtastsd", "nightly"]


# Role numbers of common/roles.h; None: the uid of a domain. Whether seccomp holds it: tcpd and
# spawnd must exec, scand's master and loader have children that add their own filters.
ROLES = {"tcpd": ({0, 1, 2}, False), "smtpd": ({0}, True), "imap-login": ({1}, True),
         "pop3-login": ({2}, True), "tlsd": ({3}, True), "keyd": ({4}, True),
         "authd": ({5}, True), "stated": ({6}, True), "lookupd": ({13}, True), "queue-inject": ({7}, False),
         "queued": ({7}, True), "scand": ({8}, False), "local": (None, True), "mtastsd": ({14}, True),
         "nightly": ({15}, True),
         "imapd": (None, True), "pop3d": (None, True)}
# Builds with sanitizers leave seccomp out.
SANITIZED = "SUITE_NO_CEILING" in os.environ
# SETUID, SETGID, CHOWN, KILL
SPAWND_CAPABILITIES = 1 << 7 | 1 << 6 | 1 << 0 | 1 << 5


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        pairs = (line.partition(":") for line in file)
        return {name: value.strip() for name, _, value in pairs}


def uid_of(pid):
    """All its uids; none when it has ended meanwhile."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
            open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("Uid:"):
                return {int(word) for word in line.split()[1:]}
    return set()


def round_trip(suite, subject):
    suite.submit("u1@example.jp", ["u2@example.jp"],
                 message("u1@example.jp", "u2@example.jp", subject))
    wanted = f"Subject: {subject}".encode()
    wait_until(lambda: any(wanted in text for text in suite.messages("u2@example.jp")), subject)
    with suite.imap("u2@example.jp") as client:
        client.select("INBOX")
        found = client.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
        equal(len(found), 1, f"{subject} over IMAP")


def test_spawnd_is_the_one_root_program(suite):
    round_trip(suite, "so that every program has run")
    clients = [suite.imap("u1@example.jp"), suite.pop3("u2@example.jp")]
    roots = {name for pid, name in suite.processes()
             if 0 in uid_of(pid) and name not in SUPERVISORS}
    equal(roots, {"spawnd"}, "programs that run as root")
    names = {name for _, name in suite.processes()}
    for program in DAEMONS + ["imapd", "pop3d", "local"]:
        check(program in names, f"{program} runs")
    sessions = [uid_of(pid) for name in ("imapd", "pop3d", "local")
                for pid, _ in suite.processes(name)]
    check(all(min(uids) >= suite.uidbase + 100 for uids in sessions if uids), f"domain uids {sessions}")
    for client in clients:
        client.logout() if hasattr(client, "logout") else client.quit()


def test_uids_rights_and_sandboxes_are_as_the_trust_table_says(suite):
    clients = [suite.imap("u1@example.jp"), suite.pop3("u2@example.jp"), suite.smtp()]
    waiting = [Dialogue(suite.ports[service]) for service in ("imap", "pop3")]
    for one in waiting:
        one.line()
    round_trip(suite, "while all of them run")
    for name, (roles, confined) in ROLES.items():
        pids = [pid for pid, _ in suite.processes(name)]
        check(pids, f"{name} runs")
        for pid in pids:
            status = status_of(pid)
            uids = {int(word) - suite.uidbase for word in status["Uid"].split()}
            gids = {int(word) - suite.uidbase for word in status["Gid"].split()}
            equal(len(uids), 1, f"uids of {name}")
            equal(gids, uids, f"group of {name}")
            check(uids <= roles if roles else min(uids) >= 100, f"uid of {name}: {uids}")
            groups = {int(word) - suite.uidbase for word in status.get("Groups", "").split()}
            check(groups <= {20}, f"groups of {name}: {groups}")
            for kind in ("CapEff", "CapPrm", "CapInh"):
                equal(int(status[kind], 16), 0, f"{kind} of {name}")
            equal(status["NoNewPrivs"], "1", f"no_new_privs of {name}")
            if confined and not SANITIZED:
                equal(status["Seccomp"], "2", f"seccomp of {name}")
    workers = [status_of(pid)["Seccomp"] for pid, _ in suite.processes("scand")]
    check(SANITIZED or workers.count("2") >= 2, f"scand's workers are confined: {workers}")
    for pid, _ in suite.processes("spawnd"):
        equal(int(status_of(pid)["CapEff"], 16) & ~SPAWND_CAPABILITIES, 0, "spawnd's capabilities")
    for one in waiting:
        one.socket.close()
    for client in clients:
        client.logout() if hasattr(client, "logout") else client.quit()


def test_every_domain_has_its_own_uid(suite):
    suite.add_domain("example.net", "u1")
    owners = {os.stat(suite.path("mail", domain)).st_uid if os.path.exists(
        suite.path("mail", domain)) else domain for domain in ("example.jp", "example.net")}
    equal(len(owners), 2, "owners of the two domains' mail")
    mode = os.stat(suite.path("mail/example.jp")).st_mode
    equal(stat.S_IMODE(mode), 0o700, "mode of the domain's mail folder")


def test_nothing_is_setuid(suite):
    for folder, folders, files in os.walk(suite.root):
        # s6 makes its fifo folders event/ setgid; nothing in them is a program.
        folders[:] = [name for name in folders if name != "event"]
        for name in folders + files:
            mode = os.lstat(os.path.join(folder, name)).st_mode
            if stat.S_ISLNK(mode):
                continue
            check(not mode & (stat.S_ISUID | stat.S_ISGID), f"{folder}/{name} is setuid or setgid")


def test_secrets_are_kept_from_those_who_need_none(suite):
    """Each role tries to read what is not its business."""
    secret = {"cdb/secret/example.jp.cdb": 5, "control/domains/example.jp/users": None}
    for name in os.listdir(suite.path("control/tls/default")):
        if name.startswith("key"):
            secret[f"control/tls/default/{name}"] = 4
    secret["mail/example.jp/u1/Maildir/new"] = 100
    for path, owner in secret.items():
        for role in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 101):
            uid = suite.uidbase + role
            command = ["setpriv", f"--reuid={uid}", f"--regid={uid}",
                       f"--groups={suite.uidbase + 20}", "ls" if path.startswith("mail") else "cat",
                       suite.path(path)]
            readable = subprocess.run(command, capture_output=True).returncode == 0
            equal(readable, role == owner, f"{path} readable by role {role}")


def test_every_program_killed_once(suite):
    for number, program in enumerate(DAEMONS):
        check(suite.kill9(program) > 0, f"{program} was running")
        wait_until(lambda program=program: suite.processes(program), f"{program} is back")
        suite.wait_ready()
        round_trip(suite, f"after {program} {number}")


def test_every_short_lived_program_killed_once(suite):
    """A killed session is the client's loss alone; what a worker was doing is done again."""
    with Sink() as sink:
        suite.control("smtproutes", f":127.0.0.1:{sink.port}\n")
        suite.rebuild()
        sessions = [suite.imap("u1@example.jp"), suite.pop3("u2@example.jp"), suite.smtp(),
                    Dialogue(suite.ports["imap"]), Dialogue(suite.ports["pop3"])]
        sink.answers["RCPT"] = lambda words: "550 5.1.1 no" if "gone@" in words else "250 ok"
        for number, program in enumerate(("local", "imapd", "pop3d", "smtpd", "imap-login",
                                          "pop3-login", "remote", "bounce")):
            bounces = len(suite.mailbox("u1@example.jp"))
            suite.submit("u1@example.jp", ["good@example.org", "gone@example.org"],
                         message("u1@example.jp", "good@example.org", f"before {program}"))
            wait_until(lambda number=number: len(sink.transactions) == number + 1, "relayed")
            suite.wait_messages("u1@example.jp", bounces + 1)
            round_trip(suite, f"before {program}")
            check(suite.kill9(program) > 0, f"{program} was running")
            round_trip(suite, f"after {program}")
        suite.wait_queue_empty()
        for one in sessions[3:]:
            one.socket.close()


def test_a_crash_brings_a_new_template(suite):
    """Nobody gets to try the same address layout twice; the other sessions go on."""
    def templates():
        return {pid for pid, _ in suite.processes("smtpd")} - \
            {pid for pid, _ in suite.sessions("smtpd")}

    def layout(pid):
        with open(f"/proc/{pid}/maps", encoding="ascii") as file:
            return next(line.split()[0] for line in file if "/bin/smtpd" in line)

    with Dialogue(suite.ports["smtp"]) as other, Dialogue(suite.ports["smtp"]) as victim:
        other.expect(None, "220")
        victim.expect(None, "220")
        sessions = [pid for pid, _ in suite.sessions("smtpd")]
        equal(len(sessions), 2, "sessions")
        equal(len({layout(pid) for pid in sessions}), 1, "layouts of copies of one template")
        before = templates()
        os.kill(max(sessions), signal.SIGTRAP)  # sanitizers make an exit of SIGSEGV
        wait_until(lambda: len(before - templates()) == 1 and len(templates()) == len(before),
                   "a new template for the service")
        check("session-crashed" in suite.logs("smtp"), "the log says so")
        with Dialogue(suite.ports["smtp"]) as fresh:
            fresh.expect(None, "220")
            pid, = {pid for pid, _ in suite.sessions("smtpd")} - set(sessions)
            check(layout(pid) != layout(min(sessions)), "another layout")
            survivor = victim if min(sessions) != sessions[0] else other
            survivor.expect("NOOP", "250")


def test_templates_of_a_domain(suite):
    """imapd is copied for each session; who crashes takes the template along, the sessions go on."""
    def templates():
        return {pid for pid, _ in suite.processes("imapd")} - \
            {pid for pid, _ in suite.sessions("imapd")}

    with suite.imap("u1@example.jp") as one:
        one.select("INBOX")
        before = templates()
        equal(len(before), 1, "templates of the domain")
        two = suite.imap("u2@example.jp")
        two.select("INBOX")
        equal(templates(), before, "the same template serves both")
        folders = {os.readlink(f"/proc/{pid}/cwd"): pid for pid, _ in suite.sessions("imapd")}
        equal(set(folders), {suite.path("mail", "example.jp", user) for user in ("u1", "u2")}, "their folders")
        os.kill(folders[suite.path("mail", "example.jp", "u2")], signal.SIGTRAP)  # sanitizers make an exit of SIGSEGV
        wait_until(lambda: not templates(), "the template of a session that crashed ends")
        two.shutdown()
        check("signal=5" in suite.logs("spawnd"), "the log says so")
        one.noop()
        # A template that is killed is replaced by the next session.
        for _ in range(3):
            with suite.imap("u2@example.jp") as three:
                three.select("INBOX")
            for pid in templates():
                os.kill(pid, signal.SIGKILL)
        one.noop()
        # So is one whose mail/DOMAIN is another folder now.
        with suite.imap("u2@example.jp"):
            before = templates()
        folder = suite.path("mail", "example.jp")
        os.rename(folder, folder + ".away")
        with suite.imap("u1@example.jp"):
            check(os.path.isdir(os.path.join(folder, "u1")), "a new folder")
            check(not templates() & before, "a new template")
        shutil.rmtree(folder)
        os.rename(folder + ".away", folder)


def test_host_settings_hold_at_the_next_connection(suite):
    for number, switch in enumerate(("on", "off", "on", "off")):
        suite.set_host("me", f"mail{number}.example.jp")
        with Dialogue(suite.ports["smtp"]) as one:
            one.expect(None, f"220 mail{number}.example.jp")
        suite.set_host("plaintext-auth", switch)
        with Dialogue(suite.ports["imap"]) as one:
            equal(b"LOGINDISABLED" in one.line(), switch == "off", f"plaintext-auth {switch}")
    suite.set_host("me", "mail.example.jp")


def descriptors(suite, name):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid, _ in suite.processes(name))


def test_idle_clients_keep_no_place_at_our_own_servers(suite):
    """authd, stated and queue-inject have places for some; who fails, or stops in the middle, gives his back."""
    count = 25
    before = {name: descriptors(suite, name) for name in ("authd", "stated")}
    logins = [Dialogue(suite.ports["imaps"]) for _ in range(count)]
    for number, one in enumerate(logins):
        one.start_tls()
        one.line()
        one.expect(f"a LOGIN nobody{number}@example.jp wrong", "a NO")
    senders = [Dialogue(suite.ports["smtp"]) for _ in range(count)]
    for one in senders:
        one.expect(None, "220")
        one.expect("HELO client", "250")
        one.expect("MAIL FROM:<a@example.org>", "250")
        one.expect("RCPT TO:<u1@example.jp>", "250")
    wait_until(lambda: descriptors(suite, "authd") < before["authd"] + count // 2 and
               descriptors(suite, "stated") < before["stated"] + count // 2, "places given back")
    for one in senders:
        one.expect("DATA", "354")
    check(len(suite.processes("queue-inject")) < count // 2 + 2, "no child waits for a slow message")
    for number, one in enumerate(senders):
        one.send(f"Subject: idle {number}\r\n\r\nx\r\n.\r\n".encode())
        one.expect(None, "250")
    # Another message after a pause finds its way, too.
    wait_until(lambda: len(suite.processes("queue-inject")) < count, "connections given back")
    senders[0].expect("MAIL FROM:<a@example.org>", "250")
    senders[0].expect("RCPT TO:<u1@example.jp>", "250")
    senders[0].expect("DATA", "354")
    senders[0].send(b"Subject: once more\r\n\r\nx\r\n.\r\n")
    senders[0].expect(None, "250")
    for one in logins + senders:
        one.socket.close()


def test_a_taken_queue_leads_setup_nowhere(suite):
    """setup gives folders away as root: the queue's uid must not choose which."""
    queue, hold, victim = (suite.path(name) for name in ("queue", "queue/hold", "victim"))
    uid = os.stat(hold).st_uid
    done = subprocess.run(["mv", hold, hold + ".kept"], user=uid, group=uid, extra_groups=[],
                          capture_output=True, check=False)
    check(done.returncode != 0 and os.stat(queue).st_uid == 0, "queue/ is root's own")
    os.rename(hold, hold + ".kept")
    os.mkdir(victim)
    os.symlink(victim, hold)
    os.lchown(hold, uid, uid)
    try:
        suite.setup()
        raise AssertionError("setup followed a link")
    except Failure as failure:
        check("symbolic link" in str(failure), f"setup says what is wrong: {failure}")
    equal(os.stat(victim).st_uid, 0, "where the link leads stays root's")
    os.unlink(hold)
    os.rename(hold + ".kept", hold)
    suite.setup()
