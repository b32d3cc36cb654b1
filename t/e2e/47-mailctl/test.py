"""mailctl as the one tool: many operators at once, text that stays as people wrote it."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from suite import TREE, check, equal, wait_until

WORKERS = 8


def prepare(suite):
    suite.start()


def text_of(suite, *parts):
    with open(suite.path("control", "domains", *parts), "rb") as file:
        return file.read()


def write(suite, domain, name, text):
    with open(suite.path("control/domains", domain, name), "wb") as file:
        file.write(text)


def run(suite, *words, text=""):
    return subprocess.run([suite.path("bin/mailctl"), *words], input=text, text=True, capture_output=True)


def add_user(suite, address):
    return run(suite, "user", "add", address, "--no-policy", text="a secret\n")


def all_at_once(jobs):
    with ThreadPoolExecutor(WORKERS) as pool:
        return [job.result() for job in [pool.submit(*job) for job in jobs]]


def no_leftovers(suite):
    for folder, _, files in os.walk(suite.path("control")):
        for name in files:
            check(not name.endswith(".new"), f"{folder}/{name} was left behind")


# ---- what the manual shows --------------------------------------------------------------------------

# Pages whose EXAMPLES are transcripts: "# " and a command, then what it says.
PAGES = ("mailctl.1", "cdb.8", "plan.5")


def transcript(page):
    """(command, lines it says) of a page's source, in order."""
    with open(os.path.join(TREE, "man", page), encoding="utf-8") as file:
        source = file.read()
    section = re.search(r"^\.Sh EXAMPLES\n(.*?)^\.Sh ", source, re.M | re.S).group(1)
    found = []
    for block in re.findall(r"^\.Bd -literal\n(.*?)^\.Ed", section, re.M | re.S):
        for line in block.replace("\\&", "").replace("\\e", "\\").splitlines():
            if line.startswith("# "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def fits(wanted, said):
    """"..." stands for any text of a line; a line of nothing else for any lines."""
    lines = ["(?:.*\n)*" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r"[ ]*\n"
             for line in wanted]
    return re.fullmatch("".join(lines), said) is not None


def test_R19_the_manual_says_what_is_so(suite):
    env = {**os.environ, "PATH": suite.path("bin") + ":" + os.environ["PATH"], "TZ": "UTC"}
    for page in PAGES:
        commands = transcript(page)
        check(len(commands) > 4, f"{page} has no transcript")
        for command, wanted in commands:
            done = subprocess.run(["sh", "-c", command], cwd=suite.root, env=env, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            check(fits(wanted, done.stdout), f"{page}: {command}\nsays:\n{done.stdout}the page:\n" + "\n".join(wanted))


# ---- two operators at once --------------------------------------------------------------------------

def test_R19_parallel_changes_of_one_domain_are_all_kept(suite):
    suite.mailctl("domain", "add", "busy.example.jp")
    suite.add_user("first@busy.example.jp")
    jobs = [(add_user, suite, f"u{number}@busy.example.jp") for number in range(30)]
    jobs += [(run, suite, "forward", "add", "first@busy.example.jp", f"t{number}@example.org") for number in range(8)]
    jobs += [(run, suite, "domain", "set", "busy.example.jp", "quota", str(100 + number)) for number in range(4)]
    jobs += [(run, suite, "child", "add", "busy.example.jp", f"c{number}.busy.example.jp") for number in range(8)]
    for done in all_at_once(jobs):
        equal(done.returncode, 0, f"{done.args}: {done.stderr}")
    users = text_of(suite, "busy.example.jp", "users").decode()
    for number in range(30):
        equal(users.count(f"\nu{number}:$"), 1, f"u{number} in {users}")
    children = text_of(suite, "busy.example.jp", "children").decode().split()
    equal(sorted(children), [f"c{number}.busy.example.jp" for number in range(8)], "children")
    targets = text_of(suite, "busy.example.jp", "forwards").decode()
    equal(targets.count("@example.org"), 8, f"targets in {targets}")
    with suite.smtp() as client:
        client.ehlo()
        client.mail("a@example.org")
        equal(client.rcpt("u29@c7.busy.example.jp")[0], 250, "all of it is compiled")
    suite.rebuild()
    no_leftovers(suite)


def test_R19_parallel_changes_of_many_domains(suite):
    """Each gets a uid of its own, and domains.cdb has all of them."""
    for done in all_at_once([(run, suite, "domain", "add", f"d{number}.example.jp") for number in range(12)]):
        equal(done.returncode, 0, f"{done.args}: {done.stderr}")
    jobs = [(run, suite, "domain", "set", f"d{number}.example.jp", "quota", f"{300 + number}")
            for number in range(12)]
    jobs += [(run, suite, "user", "set", f"postmaster@d{number}.example.jp", "comment", f"number {number}")
             for number in range(12)]
    for done in all_at_once(jobs):
        equal(done.returncode, 0, f"{done.args}: {done.stderr}")
    uids = set()
    for number in range(12):
        uids.add(text_of(suite, f"d{number}.example.jp", "uid"))
        equal(text_of(suite, f"d{number}.example.jp", "settings"), f"quota {300 + number}\n".encode(), "settings")
        shown = json.loads(suite.mailctl("user", "show", f"postmaster@d{number}.example.jp", "--json"))
        check(f"number {number}" in json.dumps(shown), shown)
    equal(len(uids), 12, "different uids")


def test_R19_killed_at_any_moment(suite):
    """What a kill leaves is the old text or the new, and holds nobody up."""
    suite.mailctl("domain", "add", "killed.example.jp")
    begun = time.monotonic()
    for number in range(40):
        child = subprocess.Popen([suite.path("bin/mailctl"), "user", "set", "postmaster@killed.example.jp", "comment",
                                  f"turn {number}"], stderr=subprocess.DEVNULL)
        time.sleep(0.0004 * number)
        child.send_signal(signal.SIGKILL)
        child.wait()
        lines = text_of(suite, "killed.example.jp", "users").decode().splitlines()
        check(lines[0].startswith("# NAME") and len(lines) <= 2, f"lines: {lines}")
        check(len(lines) < 2 or lines[1].startswith('postmaster::comment="turn '), f"lines: {lines}")
    suite.mailctl("user", "set", "postmaster@killed.example.jp", "comment", "at the end")
    check(time.monotonic() - begun < 20, "nobody waited for the lock of a dead process")
    check("at the end" in text_of(suite, "killed.example.jp", "users").decode(), "the last change")
    suite.rebuild()
    no_leftovers(suite)


def hold_lock(suite):
    lock = open(suite.path("control/.lock"), "r+", encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def test_R19_who_waits_says_so_and_gives_up(suite):
    with hold_lock(suite):
        waits = subprocess.Popen([suite.path("bin/mailctl"), "domain", "set", "killed.example.jp", "quota", "7"],
                                 stderr=subprocess.PIPE, text=True)
        begun = time.monotonic()
        equal(waits.stderr.readline(), f"mailctl: waiting for process {os.getpid()}, which changes control files\n",
              "what is said after two seconds")
        check(1.5 < time.monotonic() - begun < 10, "after two seconds")
        # Who only looks waits for nobody.
        suite.mailctl("domain", "show", "killed.example.jp")
        equal(waits.wait(60), 111, "exit code")
        check(25 < time.monotonic() - begun < 45, "after half a minute")
        check("nothing was done" in waits.stderr.read(), "says that nothing was done")
    check(not os.path.exists(suite.path("control/domains/killed.example.jp/settings")), "nothing was done")
    with hold_lock(suite) as lock:
        waits = subprocess.Popen([suite.path("bin/mailctl"), "domain", "set", "killed.example.jp", "quota", "7"],
                                 stderr=subprocess.PIPE, text=True)
        waits.stderr.readline()
        fcntl.flock(lock, fcntl.LOCK_UN)
        equal(waits.wait(60), 0, "goes on")
    equal(text_of(suite, "killed.example.jp", "settings"), b"quota 7\n", "settings")


def type_password(suite, meanwhile):
    """user passwd at a terminal; what it says."""
    master, slave = os.openpty()
    child = subprocess.Popen([suite.path("bin/mailctl"), "user", "passwd", "first@busy.example.jp", "--no-policy"],
                             stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    said = os.read(master, 1000)
    begun = time.monotonic()
    meanwhile()
    check(time.monotonic() - begun < 1.5, "nobody waits for somebody who types")
    os.write(master, b"a new secret\n")
    while b"once more" not in said and child.poll() is None:
        said += os.read(master, 1000)
    os.write(master, b"a new secret\n")
    code = child.wait(20)
    said += os.read(master, 1000)
    os.close(master)
    return code, said.decode()


def test_R19_nobody_waits_for_a_terminal(suite):
    code, said = type_password(suite, lambda: suite.mailctl("domain", "set", "d1.example.jp", "quota", "11"))
    equal(code, 0, said)
    code, said = type_password(suite, lambda: suite.mailctl("user", "set", "first@busy.example.jp", "quota", "5"))
    equal(code, 111, said)
    check("somebody changed control files meanwhile" in said, said)
    check("quota=5" in text_of(suite, "busy.example.jp", "users").decode(), "the other's change")


def says_nothing(suite, meanwhile, *words, text):
    """A command behind a pipe in which something comes only after `meanwhile`; (exit code, what it says)."""
    child = subprocess.Popen([suite.path("bin/mailctl"), *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: child.poll() is not None or holder(suite) == child.pid, "it has begun")
    begun = time.monotonic()
    meanwhile()
    check(time.monotonic() - begun < 10, "nobody waits for somebody who types")
    said = child.communicate(text, 20)[1]
    return child.returncode, said


def holder(suite):
    with open(suite.path("control/.lock"), encoding="ascii") as file:
        return int(file.read() or 0)


def test_R19_nobody_waits_for_a_pipe_that_stays_silent(suite):
    """As ssh HOST mailctl ... has one."""
    address = "first@busy.example.jp"
    for words, text in ((["user", "passwd", address], "Correct-Horse-9\n"), (["user", "add", "late@busy.example.jp"], "Correct-Horse-9\n"),
                        (["reply", "set", address], "I am away.\n")):
        code, said = says_nothing(suite, lambda: suite.mailctl("domain", "set", "d1.example.jp", "quota", "12"), *words, text=text)
        equal((code, said), (0, ""), f"{words}")
        if words[1] == "add":
            suite.mailctl("user", "del", words[2])
        code, said = says_nothing(suite, lambda: suite.mailctl("user", "set", address, "quota", "6"), *words, text=text)
        equal(code, 111, f"{words}: {said}")
        check("somebody changed control files meanwhile" in said, said)
        suite.mailctl("user", "unset", address, "quota")
    suite.mailctl("reply", "clear", address)


# ---- the text stays ---------------------------------------------------------------------------------

ODD = {
    "users": (b"\n#  the   house\n\n\t# indented\nzed::  quota=5   receive=off\n\n   \n"
              b"alpha::comment=\"two  blanks, \\\"quoted\\\"\"\n# last one\nbeta::"),
    "settings": b"# limits\n\n  quota    77\nmessage-size\t2000000\n#end",
    "children": b"# ours\n\nb.odd.example.jp\n   \na.odd.example.jp  \n",
    "forwards": b"#to whom\n\nzed   all    one@example.org\n\n\nalpha all two@example.org\n# behind\n",
}


def lay_out(suite):
    for name, text in ODD.items():
        write(suite, "odd.example.jp", name, text)
    suite.rebuild()


def changed(suite, name):
    """Lines that are gone, lines that are new; the order of the others is checked."""
    before = ODD[name].splitlines()
    after = text_of(suite, "odd.example.jp", name).splitlines()
    kept = [line for line in before if line in after]
    equal([line for line in after if line in before], kept, f"what stays in {name}, in its order")
    return [line for line in before if line not in after], [line for line in after if line not in before]


def test_R19_each_verb_keeps_all_other_lines(suite):
    suite.mailctl("domain", "add", "odd.example.jp")
    address = "beta@odd.example.jp"
    cases = (
        (("user", "add", "new@odd.example.jp", "--no-policy"), {"users": (0, 1)}),
        (("user", "passwd", address, "--no-policy"), {"users": (1, 1)}),
        (("user", "set", address, "quota", "4"), {"users": (1, 1)}),
        (("user", "unset", "zed@odd.example.jp", "quota"), {"users": (1, 1)}),
        (("user", "del", "zed@odd.example.jp"), {"users": (1, 0), "forwards": (1, 0)}),
        (("domain", "set", "odd.example.jp", "quota", "78"), {"settings": (1, 1)}),
        (("domain", "set", "odd.example.jp", "databytes-none", "1"), None),
        (("domain", "unset", "odd.example.jp", "message-size"), {"settings": (1, 0)}),
        (("child", "add", "odd.example.jp", "c.odd.example.jp"), {"children": (0, 1)}),
        (("child", "del", "odd.example.jp", "a.odd.example.jp"), {"children": (1, 0)}),
        (("forward", "add", address, "three@example.org"), {"forwards": (0, 1)}),
        (("forward", "del", "zed@odd.example.jp", "one@example.org"), {"forwards": (1, 0)}),
    )
    for words, wanted in cases:
        lay_out(suite)
        suite.mailctl(*words, text="a secret\n", wanted=0 if wanted is not None else 1)
        for name, text in ODD.items():
            if name not in (wanted or {}):
                equal(text_of(suite, "odd.example.jp", name), text, f"{name} after {words}")
                continue
            gone, fresh = changed(suite, name)
            equal((len(gone), len(fresh)), wanted[name], f"lines of {name} after {words}: {gone} {fresh}")
    no_leftovers(suite)


def test_R19_what_editors_of_other_systems_leave(suite):
    """Refused with the line and what to do, and what runs stays; line ends of CRLF do no harm."""
    cases = (("users", b"\xef\xbb\xbf" + ODD["users"], "users line 1: it begins with a byte order mark: save it as UTF-8 without"),
             ("settings", b"\xef\xbb\xbfquota 7\n", "settings line 1: it begins with a byte order mark"),
             ("children", b"\xef\xbb\xbfb.odd.example.jp\n", "children line 1: it begins with a byte order mark"),
             ("users", ODD["users"].replace(b"\n", b"\r"), "users line 1: a CR without LF"),
             ("users", ODD["users"].decode().encode("utf-16-le"), "users line 2: a NUL byte"),
             ("settings", b"message-size 2000000\nquota\0 77\n", "settings line 2: a NUL byte"))
    for name, text, reason in cases:
        lay_out(suite)
        write(suite, "odd.example.jp", name, text)
        before = files_below(suite.path("control"), suite.path("cdb"))
        for command in ([suite.path("bin/cdb"), "rebuild"], [suite.path("bin/mailctl"), "user", "set", "alpha@odd.example.jp", "quota", "3"]):
            done = subprocess.run(command, capture_output=True, text=True)
            equal(done.returncode, 1, f"{command}: {done.stderr}")
            check(f"control/domains/odd.example.jp/{reason}" in done.stderr, f"{reason}: {done.stderr}")
        equal(files_below(suite.path("control"), suite.path("cdb")), before, f"files: {reason}")
    for name, text in ODD.items():
        write(suite, "odd.example.jp", name, text.replace(b"\n", b"\r\n"))
    suite.mailctl("user", "set", "beta@odd.example.jp", "quota", "3")
    check(b"beta::quota=3" in text_of(suite, "odd.example.jp", "users").split(b"\r\n")[-1], "the line is changed")


def test_R19_links(suite):
    """One is read, and not written to; one that leads nowhere is no file that is missing."""
    lay_out(suite)
    path = suite.path("control/domains/odd.example.jp/users")
    os.rename(path, suite.path("elsewhere"))
    os.symlink(suite.path("elsewhere"), path)
    suite.rebuild()
    said = suite.mailctl("user", "set", "beta@odd.example.jp", "quota", "3", wanted=1)
    check("users: it is a symbolic link, which is not written to: edit what it points to" in said, said)
    os.rename(suite.path("elsewhere"), suite.path("nowhere"))
    done = subprocess.run([suite.path("bin/cdb"), "rebuild"], capture_output=True, text=True)
    equal(done.returncode, 111, done.stderr)
    check("users: can't read it" in done.stderr, done.stderr)
    with suite.smtp() as client:
        client.ehlo()
        client.mail("a@example.org")
        equal(client.rcpt("beta@odd.example.jp")[0], 250, "the running state")
    os.unlink(path)
    os.unlink(suite.path("nowhere"))
    lay_out(suite)


def test_R19_owner_and_mode_stay(suite):
    path = suite.path("control/domains/odd.example.jp/users")
    os.chown(path, 12345, 12346)
    os.chmod(path, 0o640)
    suite.mailctl("user", "set", "alpha@odd.example.jp", "quota", "9")
    found = os.stat(path)
    equal((found.st_uid, found.st_gid, found.st_mode & 0o7777), (12345, 12346, 0o640), "owner and mode")
    os.chown(path, 0, 0)
    os.chmod(path, 0o600)


def test_R19_a_bad_line_by_hand_is_refused_by_every_change(suite):
    lay_out(suite)
    write(suite, "odd.example.jp", "users", ODD["users"] + b"\nbad name::\n")
    before = {name: text_of(suite, "odd.example.jp", name) for name in ODD}
    reason = suite.mailctl("forward", "add", "beta@odd.example.jp", "x@example.org", wanted=1)
    check("control/domains/odd.example.jp/users line 11: " in reason, reason)
    for name, text in before.items():
        equal(text_of(suite, "odd.example.jp", name), text, name)
    with suite.smtp() as client:
        client.ehlo()
        client.mail("a@example.org")
        equal(client.rcpt("beta@odd.example.jp")[0], 250, "the running state")
    lay_out(suite)


def test_R19_disk_full_leaves_the_old(suite):
    """RLIMIT_FSIZE stands for a full disk: no file may grow beyond what it says."""
    lay_out(suite)
    before = {}
    for top in ("control", "cdb"):
        for folder, _, files in os.walk(suite.path(top)):
            for name in files:
                if name != ".lock":
                    with open(os.path.join(folder, name), "rb") as file:
                        before[os.path.join(folder, name)] = file.read()
    done = subprocess.run(["sh", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh", suite.path("bin/mailctl"), "domain",
                           "add", "full.example.jp"], capture_output=True, text=True)
    equal(done.returncode, 111, f"exit code: {done.stderr}")
    check("can't" in done.stderr, done.stderr)
    done = subprocess.run(["sh", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh", suite.path("bin/mailctl"), "user",
                           "set", "beta@odd.example.jp", "quota", "3"], capture_output=True, text=True)
    equal(done.returncode, 111, f"exit code: {done.stderr}")
    check(not os.path.exists(suite.path("control/domains/full.example.jp")), "no half of a domain")
    for path, content in before.items():
        with open(path, "rb") as file:
            equal(file.read(), content, path)
    no_leftovers(suite)
    suite.rebuild()


@contextlib.contextmanager
def full_disk(folder):
    """The same folder on a disk of its own, which is full."""
    run_tool("cp", "-a", folder, folder + ".copy")
    run_tool("mount", "-t", "tmpfs", "-o", "size=512k", "none", folder)
    try:
        run_tool("cp", "-a", folder + ".copy/.", folder)
        with open(os.path.join(folder, ".filler"), "wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)) == 4096:
                pass
        yield
    finally:
        run_tool("umount", "-l", folder)
        shutil.rmtree(folder + ".copy")


def run_tool(*words):
    subprocess.run(words, check=True, capture_output=True)


def files_below(*tops):
    found = {}
    for top in tops:
        for folder, _, files in os.walk(top):
            for name in files:
                if name not in (".lock", ".filler"):
                    with open(os.path.join(folder, name), "rb") as file:
                        found[os.path.join(folder, name)] = file.read()
    return found


def test_R19_disk_full_while_each_verb_rewrites(suite):
    """The disk of the domain's texts, or that of the databases: exit 111, all of both as it was, and mail goes on."""
    lay_out(suite)
    address, password = "beta@odd.example.jp", "Correct-Horse-9\n"
    verbs = ((("user", "set", address, "quota", "3"), ""), (("user", "passwd", address), password),
             (("user", "add", "more@odd.example.jp"), password), (("domain", "set", "odd.example.jp", "quota", "70"), ""),
             (("child", "add", "odd.example.jp", "d.odd.example.jp"), ""), (("forward", "add", address, "--subject", "x", "a@x.example"), ""),
             (("reply", "set", address), "I am away.\n"), (("csv", "edit", "odd.example.jp", "-"), "mail_account,password,mail_capacity\nbeta,,5\n"),
             (("csv", "register", "odd.example.jp", "-"),
              "mail_account,password,mail_capacity,comment\n" + "".join(f"n{i},Correct-Horse-9,,{'x' * 200}\n" for i in range(30))))
    for folder in ("control/domains/odd.example.jp", "cdb/domain"):
        with full_disk(suite.path(folder)):
            before = files_below(suite.path("control"), suite.path("cdb"))
            for words, text in verbs:
                if folder == "cdb/domain" and words[:2] in (("user", "passwd"), ("child", "add")):
                    continue  # these are compiled into files elsewhere
                done = run(suite, *words, text=text)
                equal(done.returncode, 111, f"{words}, {folder} full: {done.stderr}")
                check("No space left" in done.stderr, f"{words}: {done.stderr}")
                equal(files_below(suite.path("control"), suite.path("cdb")), before, f"files behind {words}, {folder} full")
            no_leftovers(suite)
            with suite.smtp() as client:
                client.ehlo()
                client.mail("a@example.org")
                equal(client.rcpt(address)[0], 250, "the running state")
    for words, text in verbs:
        suite.mailctl(*words, text=text)
    suite.mailctl("reply", "clear", address)


def test_R19_one_domain_alone_is_read(suite):
    """A change of one domain opens no other domain's files."""
    trace = suite.path("trace")
    done = subprocess.run(["strace", "-f", "-e", "trace=openat", "-o", trace, suite.path("bin/mailctl"), "user", "set",
                           "beta@odd.example.jp", "quota", "6"], capture_output=True, text=True)
    equal(done.returncode, 0, done.stderr)
    with open(trace, encoding="utf-8", errors="replace") as file:
        lines = file.read()
    check("domains/odd.example.jp" in lines, "the trace shows what is opened")
    check("busy.example.jp" not in lines and "d1.example.jp" not in lines, "no other domain")


def test_R19_a_domain_goes_in_one_step(suite):
    suite.mailctl("domain", "del", "killed.example.jp")
    check(not os.path.exists(suite.path("control/domains/killed.example.jp")), "gone")
    check(not os.path.exists(suite.path("control/domains/.deleted")), "nothing is left")
    wait_until(lambda: not os.path.exists(suite.path("mail/killed.example.jp")), "the mail is gone")
    check("killed.example.jp" not in suite.mailctl("domain", "list"), "not listed")


# ---- JSON -------------------------------------------------------------------------------------------

def stuck_message(suite):
    """The id of a message that waits."""
    suite.control("smtproutes", "dead.example:127.0.0.1:1\n")
    suite.rebuild()
    suite.submit("u1@json.example", "a@dead.example", b"Subject: x\r\n\r\nx\r\n")
    return wait_until(lambda: json.loads(suite.mailctl("--json", "queue", "list", "--sender", "json.example")),
                      "it waits")[0]["id"]


def test_R19_json_of_every_verb_that_shows(suite):
    """The table of verbs says which these are; each is called here, so a new one has to come along."""
    suite.add_domain("json.example", "u1", "u2")
    message_id = stuck_message(suite)
    suite.mailctl("forward", "add", "u1@json.example", "a@example.org")
    header = "mail_account,password,mail_capacity"
    calls = {
        "domain show": ["json.example"], "domain list": [], "user show": ["u1@json.example"], "user list": ["json.example"],
        "user purge": ["u1@json.example", "--dry-run"], "forward list": ["u1@json.example"],
        "reply show": ["u1@json.example"], "csv register": ["json.example", "-"], "csv edit": ["json.example", "-"],
        "state show": ["u1@json.example"], "queue list": [], "queue show": [message_id], "queue flush": [message_id],
        "queue hold": [message_id], "queue release": ["all"], "queue requeue": ["--sender", "json.example"],
        "queue delete": [message_id], "store check": ["u2@json.example"], "store rebuild": ["u2@json.example"],
        "age": ["--dry-run", "json.example"], "explain": ["u1@json.example"], "status": [], "tls-report": [], "help": ["user"],
    }
    texts = {"csv register": f"{header},comment\nu7,Good-Password1,,\n", "csv edit": f"{header}\nu7,,9\n"}
    verbs = {row["verb"]: row["output"] for row in json.loads(suite.mailctl("help", "--json"))}
    equal(sorted(calls), sorted(verb for verb, output in verbs.items() if output == "json"), "verbs that show something")
    for verb, words in calls.items():
        for front, behind in ((["--json"], []), ([], ["--json"])):
            text = texts.get(verb, "") if front else texts.get(verb, "").replace("u7", "u8")
            if verb.startswith("queue ") and not front and verb != "queue list":
                continue  # the message has gone its way
            done = run(suite, *front, *verb.split(), *words, *behind, text=text)
            if verb == "tls-report" and done.returncode == 1:
                equal(done.stdout, "", "no report, and no half of one")
                continue
            equal((done.returncode, done.stderr), (0, ""), f"{verb}: {done.stdout}")
            check(isinstance(json.loads(done.stdout), (dict, list)), f"{verb}: {done.stdout}")
    json.loads(suite.mailctl("--json", "help", "settings"))
    refused = run(suite, "--json", "csv", "edit", "json.example", "-", text=f"{header}\nu7,short,\n")
    equal(json.loads(refused.stdout)["error_count"], 1, "errors of CSV")
    for words in (["user", "set", "u1@json.example", "quota", "7"], ["state", "lock", "u1@json.example"],
                  ["state", "unlock", "u1@json.example"], ["child", "add", "json.example", "www.json.example"]):
        equal(suite.mailctl("--json", *words), "", f"{words} says nothing")
    suite.mailctl("domain", "del", "json.example")


# ---- what others wrote ------------------------------------------------------------------------------

def test_R19_nothing_of_strangers_reaches_the_terminal_as_it_is(suite):
    """Control characters (those of eight bits, too) and such as turn the direction: in what is shown, and in refusals."""
    suite.add_domain("seen.example", "u1")
    suite.control("smtproutes", "dead.example:127.0.0.1:1\n")
    suite.rebuild()
    suite.submit("u1@seen.example", "a@dead.example", "Subject: a\u009b31mb\u202ec\x1b]0;d\x07\r\n\r\nx\r\n".encode())
    found = wait_until(lambda: json.loads(suite.mailctl("--json", "queue", "list", "--sender", "seen.example")), "it waits")
    said = suite.mailctl("queue", "show", found[0]["id"])
    check("Subject: a??31mb???c?]0;d?\n" in said, said)
    check("\u009b" in "".join(json.loads(suite.mailctl("--json", "queue", "show", found[0]["id"]))["header"]), "JSON is what it is")
    suite.mailctl("queue", "delete", found[0]["id"])
    suite.mailctl("user", "set", "u1@seen.example", "comment", "Sales \u202e)on( 営業")
    check("Sales ???)on( 営業\n" in suite.mailctl("user", "list", "seen.example"), "a comment")
    suite.mailctl("state", "lock", "u1@seen.example", "send-lock", "--cause", "x\nu2@seen.example  misuse-detected")
    check("x?u2@seen.example" in suite.mailctl("state", "show", "u1@seen.example"), "a cell is one line")
    for words in (["user", "set", "u1@seen.example", "comment", "x\x1b[2J\nmailctl: done"], ["user", "show", "u1\x1b[2J\u009b@seen.example"],
                  ["domain", "show", "a\nb\u202ec.example"], ["a\x1b[2J\nb"]):
        refused = run(suite, *words)
        equal((refused.returncode, refused.stderr.count("\n")), (1, 1), f"{words}: {refused.stderr!r}")
        check(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", refused.stderr), f"{words}: {refused.stderr!r}")
    suite.mailctl("domain", "del", "seen.example")


# ---- help and completion ----------------------------------------------------------------------------

def test_R19_help_names_what_it_does_not_know(suite):
    for words, name in ((["frob"], "frob"), (["user", "frob"], "user frob")):
        check(f'unknown verb "{name}"' in suite.mailctl("help", *words, wanted=1), f"help {words}")


def test_R19_help_as_a_value_is_none(suite):
    suite.add_domain("help.example", "u1")
    suite.mailctl("forward", "add", "u1@help.example", "--from", "--help", "a@example.org")
    check("--help" in suite.mailctl("forward", "list", "u1@help.example"), "the keyword of a customer")
    suite.mailctl("forward", "del", "u1@help.example", "--from=--help")
    check("Forwards the account's mail" in suite.mailctl("forward", "add", "u1@help.example", "--from", "x", "--help"), "asked for")
    suite.mailctl("domain", "del", "help.example")


def test_R19_help_of_each_verb(suite):
    """By both ways, without being root, and a change of nothing."""
    groups = set()
    for line in suite.mailctl("help").splitlines():
        if not line.startswith("  "):
            continue
        words = line.split()
        name = [word for word in words[:2] if word.isalpha() and word.islower() or word == "tls-report"]
        text = suite.mailctl("help", *name)
        check(" ".join(words[:2]) in text and "    " in text, f"help {name}: {text}")
        equal(suite.mailctl(*name, "--help"), text, f"{name} --help")
        groups.add(words[0])
    for group in sorted(groups):
        check(f"mailctl {group}" in suite.mailctl(group, "--help"), f"{group} --help")
    equal(suite.mailctl("--help"), suite.mailctl("help"), "--help alone")
    before = text_of(suite, "odd.example.jp", "settings")
    suite.mailctl("domain", "set", "odd.example.jp", "quota", "66", "--help")
    equal(text_of(suite, "odd.example.jp", "settings"), before, "nothing was done")
    done = subprocess.run([suite.path("bin/mailctl"), "user", "add", "--help"], user=64300, capture_output=True, text=True)
    equal(done.returncode, 0, done.stderr)


def verbs(suite):
    """(words of the verb, how many it wants, how many it takes or None) of all that help lists."""
    found = []
    for line in suite.mailctl("help").splitlines():
        if not line.startswith("  "):
            continue
        words = line.split()
        name = [word for place, word in enumerate(words[:2]) if re.fullmatch("[a-z][a-z-]*", word)]
        rest = " ".join(words[len(name):])
        optional = re.findall(r"\[([^]]*)\]", rest)
        needed = re.sub(r"\[[^]]*\]", "", rest).split()
        most = None if "..." in rest else len(needed) + sum(not one.startswith("--") for one in optional)
        # A verb may be two words.
        found.append((name, len(needed), 2 if "VERB" in rest else most))
    return found


def test_R19_wrong_use_of_each_verb(suite):
    """Exit 1, one line that says what is wrong, and nothing is changed."""
    def state():
        return files_below(suite.path("control"), suite.path("cdb"), suite.path("mail"))

    def refused(words, why):
        done = run(suite, *words)
        equal((done.returncode, done.stdout), (1, ""), f"{words}: {why}: {done.stderr}")
        lines = done.stderr.splitlines()
        check(len(lines) == 1 and lines[0].startswith("mailctl: "), f"{words}: {why}: {done.stderr}")
        return lines[0]

    suite.add_domain("wrong.example", "u1")
    found = verbs(suite)
    check(len(found) > 40 and (["domain", "add"], 1, 1) in found and (["age"], 0, 1) in found, found)
    before = state()
    for name, least, most in found:
        for words in (name, [*name, *["x"] * (least - 1)]) if least > 0 else ():
            refused(words, "too few")
        if most is not None:
            check("use: mailctl" in refused([*name, *["x"] * (most + 1)], "one too many"), name)
        refused([*name, *["x"] * 2000], "far too many")
        for option in ("--nosuch", "--nosuch=1", "--json=1", "--"):
            words = [*name, *["x"] * least, option]
            if option != "--":
                check(option in refused(words, option) or name[0] == "help", f"{words}: which one")
            elif most is not None:
                refused([*name, option, *["--x"] * (most + 1)], "words behind --")
    for words in ([], ["nosuch"], ["domain"], ["domain", "nosuch"], ["--nosuch"], ["--as"], ["--as", "admin:wrong.example"],
                  ["--as", "nobody:wrong.example", "status"], ["--as", "admin:", "domain", "show", "wrong.example"], [""]):
        refused(words, "no verb")
    after = state()
    equal([path for path in {*before, *after} if before.get(path) != after.get(path)], [], "what changed")


def complete(suite, line):
    """What bash would offer behind this line, by the file that setup installed."""
    program = (f". {suite.path('etc/mailctl.bash')}; COMP_LINE=$1; COMP_POINT=${{#1}}; _mailctl; "
               "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", program, "bash", line], capture_output=True, text=True,
                          env={**os.environ, "PATH": suite.path("bin") + ":" + os.environ["PATH"]})
    equal(done.returncode, 0, done.stderr)
    equal(done.stderr, "", f"complaints about {line!r}")
    return [word for word in done.stdout.split("\n") if word]


def test_R19_bash_completes(suite):
    lay_out(suite)
    for line, wanted in (
            ("mailctl us", ["user"]), ("mailctl child ", ["add", "del"]), ("mailctl domain un", ["unset"]),
            ("mailctl domain show od", ["odd.example.jp"]), ("mailctl user set alpha@", ["odd.example.jp"]),
            ("mailctl user set al", ["alpha@odd.example.jp"]), ("mailctl user show zed@o", ["odd.example.jp"]),
            ("mailctl user set alpha@odd.example.jp rec", ["receive"]),
            ("mailctl user set alpha@odd.example.jp receive ", ["on", "off"]),
            ("mailctl domain set odd.example.jp plan", ["plan"]),
            ("mailctl domain set odd.example.jp plan bus", ["business"]),
            ("mailctl domain add new.example.jp --pl", ["--plan"]),
            ("mailctl domain add new.example.jp --plan cl", ["classic"]),
            ("mailctl domain add --plan classic ", sorted(os.listdir(suite.path("control/domains")))),
            ("mailctl state lock odd.example.jp send", ["send-lock", "send-pause"]),
            ("mailctl queue flush a", ["all"]), ("mailctl explain odd.example.jp quo", None),
            ("mailctl help sett", ["settings"]), ("mailctl --json domain li", ["list"]),
            ("mailctl --as admin:odd.example.jp user se", ["set"]), ("mailctl nonsense x", []), ("mailctl cert mail.example.jp ", []),
            ("mailctl domain show odd.example.jp beyond ", []), ("mailctl user add x@y.example --no", ["--no-policy"])):
        found = complete(suite, line)
        if wanted is None:
            check("quota" in found, f"{line!r}: {found}")
        else:
            equal(found, wanted, f"{line!r}")


def test_R19_completion_by_bash_itself(suite):
    """With readline: the line as it stands after a tab."""
    program = f"PATH={suite.path('bin')}:$PATH; . {suite.path('etc/mailctl.bash')}; PS1='> '\n"
    master, slave = os.openpty()
    shell = subprocess.Popen(["bash", "--norc", "--noprofile", "-i"], stdin=slave, stdout=slave, stderr=slave,
                             env={"TERM": "dumb", "PATH": os.environ["PATH"], "HOME": "/nonexistent"}, start_new_session=True)
    os.close(slave)
    try:
        os.write(master, program.encode())
        os.write(master, b"mailctl us\tsho\talp\t\n")
        said = b""
        deadline = time.monotonic() + 20
        while b"accounts\r" not in said and b"comment" not in said and time.monotonic() < deadline:
            said += os.read(master, 4096)
        check(b"mailctl user show alpha@odd.example.jp" in said, said.decode(errors="replace"))
    finally:
        shell.kill()
        shell.wait()
        os.close(master)


def test_R19_completion_without_rights(suite):
    done = subprocess.run([suite.path("bin/mailctl"), "completion", "words", "--", "user", "show", ""], user=64300,
                          capture_output=True, text=True)
    equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "names are root's")
    suite.mailctl("completion", "zsh", wanted=1)
