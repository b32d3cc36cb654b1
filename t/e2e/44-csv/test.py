"""CSV files (SPEC R3): registration, edit, export, samples, in UTF-8 and Shift_JIS; all of a file or nothing."""

import csv
import imaplib
import io
import json
import os
import signal
import subprocess

from suite import PATIENCE, check, client_tls, equal, wait_until

REGISTER = "mail_account,password,mail_capacity,comment"
EDIT = "mail_account,password,mail_capacity"
EXPORT = "mail_account,mail_password,comment,amount_of_mail_box,spam,forward,auto,pop,mail_capacity"
ROWS = 1500
SOME = 300  # of which the hashes are quick ones first, on a machine with less than twelve processors
PASSWORD = "Correct-Horse-{}"
PLANS = {"many": "account-send-limit 0\n", "five": "accounts-max 5\n"}


def prepare(suite):
    for name, text in PLANS.items():
        suite.control(f"plans/{name}", text)
    suite.add_domain("example.jp", "u1", "u2")
    suite.add_domain("many.jp", plan="many")
    for name in ("quick.jp", "other.jp"):
        suite.add_domain(name, plan="many")
    suite.add_domain("five.jp", "one", "two", plan="five")
    suite.add_domain("copy.jp")
    suite.add_domain("admin.jp", plan="rental")
    suite.start()


def run(suite, *words, data=b"", wanted=0):
    done = subprocess.run([suite.path("bin/mailctl"), *words], input=data, capture_output=True)
    check(done.returncode == wanted,
          f"mailctl {' '.join(words)}: exit {done.returncode}: {done.stdout!r} {done.stderr!r}")
    return done


def load(suite, verb, domain, data, wanted=0):
    """The result as JSON."""
    if isinstance(data, str):
        data = data.encode()
    return json.loads(run(suite, "csv", verb, domain, "-", "--json", data=data, wanted=wanted).stdout)


def refused(suite, verb, domain, data):
    """Lines and columns of the errors; nothing has changed."""
    before = state(suite, domain)
    result = load(suite, verb, domain, data, wanted=1)
    equal(state(suite, domain), before, "the domain's files behind a refused one")
    equal(result["error_count"], len(result["errors"]), "errors counted")
    return result["errors"]


def places(errors):
    return [(error["line"], error["column"]) for error in errors]


def state(suite, domain):
    """All that the domain consists of: control files, compiled files, folders."""
    found = {}
    for folder in (f"control/domains/{domain}", "cdb"):
        for path, _, names in os.walk(suite.path(folder)):
            for name in names:
                with open(os.path.join(path, name), "rb") as file:
                    found[os.path.join(path, name)] = file.read()
    found["mail"] = sorted(os.listdir(suite.path("mail", domain)))
    return found


def users(suite, domain):
    with open(suite.path(f"control/domains/{domain}/users"), encoding="utf-8") as file:
        return file.read()


def shown(suite, address):
    return json.loads(suite.mailctl("user", "show", address, "--json"))["settings"]


def can_log_in(suite, address, password):
    client = imaplib.IMAP4("127.0.0.1", suite.ports["imap"], timeout=PATIENCE)
    client.starttls(client_tls())
    try:
        client.login(address, password)
        client.logout()
        return True
    except imaplib.IMAP4.error:
        client.shutdown()
        return False


def test_R3_1_registration(suite):
    with open(suite.path("control/domains/example.jp/users"), "a", encoding="utf-8") as file:
        file.write("# by hand, without an end")
    before = users(suite, "example.jp")
    data = (f"{REGISTER}\r\nyamada,Correct-Horse-1,500,営業部 山田\r\n"
            "\"Suzuki\",\"Correct,Horse-2\",,\"a \"\"b\"\", c\"\r\n")
    equal(load(suite, "register", "example.jp", data), {"registered": 2}, "result")
    check(can_log_in(suite, "yamada@example.jp", "Correct-Horse-1"), "yamada logs in")
    check(can_log_in(suite, "suzuki@example.jp", "Correct,Horse-2"), "suzuki logs in")
    check(not can_log_in(suite, "suzuki@example.jp", "Correct-Horse-1"), "with his own password alone")
    equal(shown(suite, "yamada@example.jp")["quota"], 500, "quota in MB")
    equal(shown(suite, "yamada@example.jp")["comment"], "営業部 山田", "comment")
    equal(shown(suite, "suzuki@example.jp")["comment"], 'a "b", c', "comment in quotes")
    check(users(suite, "example.jp").startswith(before + "\n"), "what stood there stays")
    added = users(suite, "example.jp")[len(before) + 1:].splitlines()
    equal([line.split(":")[0] for line in added], ["yamada", "suzuki"], "behind it, in the file's order")


def test_R3_1_every_error_is_listed_and_nothing_is_done(suite):
    rows = [
        "good1,Correct-Horse-1,100,",            # 2
        "u1,Correct-Horse-1,100,",               # 3: is there
        "x,Correct-Horse-1,100,",                # 4: too short a name
        "good2,short,100,",                      # 5
        "good3,Correct-Horse-1,100MB,",          # 6
        "good4,Correct-Horse-1,1.5,",            # 7: 1 MB units
        "good5,,100,",                           # 8: no password
        "good6,Correct-Horse-1",                 # 9
        "good7,Correct-Horse-1,100,,extra",      # 10
        "GOOD1,Correct-Horse-1,100,",            # 11: stands in line 2
        "good8,Correct-Horse-111111,100,",       # 12: six digits
        'good9,Correct"Horse-1,100,',            # 13: stray quote
        '"good10"x,Correct-Horse-1,100,',        # 14: behind a quote
        "-good,bad,x,",                          # 15: all that is wrong with a row
        "good11,good11,100,",                    # 16
        "good12,Correct-Horse-1,100," + "x" * 300,  # 17: comment too long
        '"unclosed,Correct-Horse-1,100,',        # 18
    ]
    errors = refused(suite, "register", "example.jp", "\n".join([REGISTER] + rows) + "\n")
    equal(places(errors), [
        (3, "mail_account"), (4, "mail_account"), (5, "password"), (6, "mail_capacity"),
        (7, "mail_capacity"), (8, "password"), (9, ""), (10, ""), (11, "mail_account"),
        (12, "password"), (13, ""), (14, ""), (15, "mail_account"), (15, "password"),
        (15, "mail_capacity"), (16, "password"), (17, "comment"), (18, "")], "errors")
    text = run(suite, "csv", "register", "example.jp", "-", wanted=1,
               data="\n".join([REGISTER] + rows).encode()).stderr.decode()
    check("standard input line 11: mail_account: good1 stands in line 2 already" in text, text)
    check("18 errors, nothing was changed" in text, text)


def test_R3_1_wrong_headers_and_bytes(suite):
    row = "good1,Correct-Horse-1,100,\n"
    for data, wanted in (
            ("", (1, "")), (EDIT + "\n" + row, (1, "")), (row, (1, "")),
            (REGISTER.upper() + "\n" + row, (1, "")), (REGISTER + ",x\n" + row, (1, "")),
            (REGISTER + "\r" + row, (1, "")), (REGISTER + "\n" + row.replace("100", "1\0"), (2, "")),
            (REGISTER.encode() + b"\n" + row.encode() + b"a,b,1,\xff\xfe\n", (3, "")),
            (REGISTER.encode("utf-16"), (1, ""))):
        equal(places(refused(suite, "register", "example.jp", data)), [wanted], f"errors of {data!r}")


def test_R3_1_utf8_mark_line_ends_and_shift_jis(suite):
    text = f"{REGISTER}\n\nmark1,Correct-Horse-1,10,髙橋①～ｱ\n,,,\n"
    load(suite, "register", "example.jp", b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    load(suite, "register", "example.jp", text.replace("mark1", "mark2").encode("cp932"))
    for name in ("mark1", "mark2"):
        equal(shown(suite, f"{name}@example.jp")["comment"], "髙橋①～ｱ", "comment")


def test_R3_1_contract_and_reserved_names(suite):
    rows = "".join(f"more{i},Correct-Horse-1,,\n" for i in range(4))
    equal(places(refused(suite, "register", "five.jp", f"{REGISTER}\n{rows}")), [(0, "")], "errors")
    equal(load(suite, "register", "five.jp", f"{REGISTER}\n" + rows.split("\n", 1)[1]),
          {"registered": 3}, "five accounts")
    for name in ("postmaster", "nobody"):
        equal(places(refused(suite, "register", "admin.jp", f"{REGISTER}\n{name},Correct-Horse-1,,\n")),
              [(2, "mail_account")], name)


def hashes(suite, domain):
    """By account, as the users file has them."""
    return {line.split(":")[0]: line.split(":")[1] for line in users(suite, domain).splitlines()
            if line and not line.startswith("#")}


def passwords(suite, domain):
    """What user list says of them."""
    return {row["user"].split("@")[0]: row["password"]
            for row in json.loads(suite.mailctl("user", "list", domain, "--json"))}


def logged(suite):
    return suite.logs("mailctl")


def is_gone(process):
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def wait_gone(process):
    wait_until(lambda: is_gone(process), f"the end of process {process}", 4 * PATIENCE)


def make_quick(suite, domain, kind="register", password=PASSWORD.format(1)):
    """SOME accounts with quick hashes; the process that would make others of them stands still."""
    rows = "".join(f"user{i:04},{password},{',' if kind == 'register' else ''}\n" for i in range(SOME))
    result = load(suite, kind, domain, f"{REGISTER if kind == 'register' else EDIT}\n{rows}")
    os.kill(result["process"], signal.SIGSTOP)
    equal(result["strengthening"], SOME, "passwords to be hashed at full strength")
    check(0 < result["seconds"] < 60, f"seconds: {result['seconds']}")
    check(logged(suite).count(f"[{result['process']}]: strengthened") == 0, "it stopped in time")
    return result["process"]


def go_on(process):
    os.kill(process, signal.SIGCONT)
    wait_gone(process)


def test_R3_1_1500_accounts_and_logins(suite):
    rows = "".join(f"user{i:04},{PASSWORD.format(i % 7)},{i % 50},コメント{i}\r\n" for i in range(ROWS))
    result = load(suite, "register", "many.jp", f"{REGISTER}\r\n{rows}")
    equal((result["registered"], result["strengthening"]), (ROWS, ROWS), "result")
    # At once, while the hashes at full strength are computed.
    for i in (0, 1, 777, ROWS - 1):
        check(can_log_in(suite, f"user{i:04}@many.jp", PASSWORD.format(i % 7)), f"user{i:04} logs in")
    check(not can_log_in(suite, "user0001@many.jp", PASSWORD.format(2)), "not by another password")
    equal(passwords(suite, "many.jp")["user0777"], "set (quick hash)", "said of a password")
    suite.mailctl("user", "set", "user0002@many.jp", "comment", "meanwhile")  # nobody has the lock
    suite.mailctl("state", "lock", "user0003@many.jp", "misuse-detected")
    check(not is_gone(result["process"]), "all that while it was at work")
    session = imaplib.IMAP4("127.0.0.1", suite.ports["imap"], timeout=PATIENCE)
    session.starttls(client_tls())
    session.login("user0004@many.jp", PASSWORD.format(4))
    session.select()
    wait_gone(result["process"])
    equal(session.noop()[0], "OK", "a session goes on")
    session.logout()
    found = hashes(suite, "many.jp")
    equal({found[f"user{i:04}"][:7] for i in range(ROWS)}, {"$y$j9T$"}, "hashes in the end")
    for i in (0, 1, 777, ROWS - 1):
        check(can_log_in(suite, f"user{i:04}@many.jp", PASSWORD.format(i % 7)), f"user{i:04} logs in again")
    check(not can_log_in(suite, "user0001@many.jp", PASSWORD.format(2)), "not by another password")
    equal(shown(suite, "user0002@many.jp")["comment"], "meanwhile", "a change in between")
    check("misuse-detected" in suite.mailctl("state", "show", "user0003@many.jp"), "it is the same password")
    said = passwords(suite, "many.jp")
    equal((len(said), said.pop("postmaster"), set(said.values())), (ROWS + 1, "none", {"set"}), "with postmaster")
    check(f"domain=many.jp passwords={ROWS} left-alone=0" in logged(suite), logged(suite))


def test_R3_few_passwords_and_wait(suite):
    rows = "".join(f"wait{i:04},{PASSWORD.format(1)},,\n" for i in range(SOME))
    done = run(suite, "csv", "register", "quick.jp", "-", "--wait", "--json", data=f"{REGISTER}\n{rows}".encode())
    equal(json.loads(done.stdout), {"registered": SOME}, "with --wait")
    equal(load(suite, "register", "quick.jp", f"{REGISTER}\nfew1,{PASSWORD.format(1)},,\n"), {"registered": 1}, "one")
    equal({text[:7] for text in hashes(suite, "quick.jp").values()}, {"$y$j9T$"}, "hashes")


def test_R3_who_changed_meanwhile_is_left_alone(suite):
    with open(suite.path("control/domains/quick.jp/users"), "a", encoding="utf-8") as file:
        file.write("# by hand\n")
    process = make_quick(suite, "quick.jp")
    quick = hashes(suite, "quick.jp")
    suite.mailctl("user", "passwd", "user0001@quick.jp", text="Battery+Staple7\n")
    suite.mailctl("user", "del", "user0002@quick.jp")
    suite.mailctl("user", "force-password", "user0003@quick.jp")
    text = users(suite, "quick.jp")
    with open(suite.path("control/domains/quick.jp/users"), "w", encoding="utf-8") as file:
        file.write("# in front\n" + text.replace("user0004:", "User0004:"))
    other = hashes(suite, "quick.jp")["user0001"]
    go_on(process)
    found = hashes(suite, "quick.jp")
    equal(found["user0001"], other, "a new password")
    check("user0002" not in found, "who was deleted stays so")
    check(found["user0003"].startswith("!$y$j9T$"), "a void one stays void, at full strength")
    check(found["User0004"].startswith("$y$j9T$"), "a line that was edited")
    check(found["user0005"].startswith("$y$j9T$") and quick["user0005"].startswith("$y$j75$"), "all others")
    text = users(suite, "quick.jp")
    check(text.startswith("# in front\n") and "\n# by hand\n" in text, "comments")
    check(f"passwords={SOME - 2} left-alone=2" in logged(suite), logged(suite))
    check(can_log_in(suite, "user0001@quick.jp", "Battery+Staple7"), "by the new password")
    check(not can_log_in(suite, "user0001@quick.jp", PASSWORD.format(1)), "not by the file's")
    check(not can_log_in(suite, "user0003@quick.jp", PASSWORD.format(1)), "void")
    check(can_log_in(suite, "user0004@quick.jp", PASSWORD.format(1)), "the others by the file's")
    suite.mailctl("user", "passwd", "user0003@quick.jp", text="Battery+Staple7\nBattery+Staple7\n")
    suite.add_user("user0002@quick.jp")


def test_R3_two_files_for_the_same_accounts(suite):
    first = make_quick(suite, "other.jp")
    second = make_quick(suite, "other.jp", kind="edit", password=PASSWORD.format(2))
    go_on(first)
    check(f"[{first}]: strengthened" in logged(suite) and f"left-alone={SOME}" in logged(suite), logged(suite))
    check(can_log_in(suite, "user0007@other.jp", PASSWORD.format(2)), "by the second file")
    go_on(second)
    equal({text[:7] for text in hashes(suite, "other.jp").values()}, {"$y$j9T$"}, "hashes")
    check(can_log_in(suite, "user0007@other.jp", PASSWORD.format(2)), "by the second file still")
    check(not can_log_in(suite, "user0007@other.jp", PASSWORD.format(1)), "not by the first")


def test_R3_two_files_at_once(suite):
    rows = "".join(f"{{0}}{i:04},{PASSWORD.format(3)},,\n" for i in range(SOME))
    loads = [subprocess.Popen([suite.path("bin/mailctl"), "csv", "register", domain, "-", "--json"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) for domain in ("quick.jp", "other.jp")]
    for one in loads:
        one.stdin.write(f"{REGISTER}\n{rows.format('both')}".encode())
        one.stdin.close()
    results = [json.loads(one.stdout.read()) for one in loads]
    equal([one.wait() for one in loads], [0, 0], "exit codes")
    for result in results:
        wait_gone(result["process"])
    for domain in ("quick.jp", "other.jp"):
        equal({text[:7] for name, text in hashes(suite, domain).items() if name.startswith("both")}, {"$y$j9T$"},
              f"hashes of {domain}")
        check(can_log_in(suite, f"both0123@{domain}", PASSWORD.format(3)), f"log-in at {domain}")


def test_R3_killed_and_mended(suite):
    process = make_quick(suite, "quick.jp", kind="edit", password=PASSWORD.format(4))
    os.kill(process, signal.SIGKILL)
    wait_gone(process)
    check(can_log_in(suite, "user0009@quick.jp", PASSWORD.format(4)), "the quick hash works on")
    equal(json.loads(suite.mailctl("user", "show", "user0009@quick.jp", "--json"))["password"], "set (quick hash)",
          "shown")
    suite.mailctl("user", "passwd", "user0009@quick.jp", text=f"{PASSWORD.format(4)}\n")
    equal(passwords(suite, "quick.jp")["user0009"], "set", "mended by user passwd")
    rows = "".join(f"{name},{PASSWORD.format(4)},\n" for name, text in passwords(suite, "quick.jp").items()
                   if text == "set (quick hash)")
    done = run(suite, "csv", "edit", "quick.jp", "-", "--wait", "--json", data=f"{EDIT}\n{rows}".encode())
    check("process" not in json.loads(done.stdout), done.stdout)
    check("set (quick hash)" not in passwords(suite, "quick.jp").values(), "mended by csv edit --wait")
    check(can_log_in(suite, "user0010@quick.jp", PASSWORD.format(4)), "log-in")


def test_R3_the_process_holds_nothing_of_the_callers(suite):
    reader, writer = os.pipe()
    rows = "".join(f"user{i:04},{PASSWORD.format(5)},\n" for i in range(SOME))
    done = subprocess.run([suite.path("bin/mailctl"), "csv", "edit", "quick.jp", "-", "--json"], check=True,
                          input=f"{EDIT}\n{rows}".encode(), capture_output=True, pass_fds=(writer,))
    process = json.loads(done.stdout)["process"]
    os.close(writer)
    wait_until(lambda: is_gone(process) or "/log/mailctl/" in os.readlink(f"/proc/{process}/fd/2"), "its log")
    os.kill(process, signal.SIGSTOP)
    equal(os.read(reader, 1), b"", "the pipe's end")
    equal(os.getsid(process), process, "a session of its own")
    equal({os.readlink(f"/proc/{process}/fd/{fd}") for fd in (0, 1)}, {"/dev/null"}, "0 and 1")
    check(len(os.listdir(f"/proc/{process}/fd")) <= 5, "descriptors of its own")
    os.close(reader)
    go_on(process)


def test_R3_trouble_is_logged_and_tried_again(suite):
    process = make_quick(suite, "quick.jp", kind="edit", password=PASSWORD.format(6))
    path = suite.path("control/domains/quick.jp/users")
    text = users(suite, "quick.jp")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "no colons\n")
    os.kill(process, signal.SIGCONT)
    wait_until(lambda: "control/domains/quick.jp/users line " in logged(suite), "the error in the log")
    equal(users(suite, "quick.jp"), text + "no colons\n", "nothing was changed")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    wait_gone(process)
    equal({text[:7] for text in hashes(suite, "quick.jp").values()}, {"$y$j9T$"}, "at the next try")


def test_R3_2_edit(suite):
    before = users(suite, "example.jp").splitlines()
    data = f"{EDIT}\r\nYamada,,700\r\nnobody.there,Correct-Horse-9,\r\nsuzuki,Correct-Horse-9,\r\nu2,,\r\n"
    equal(load(suite, "edit", "example.jp", data), {"changed": 2, "unchanged": 1, "skipped": 1}, "result")
    after = users(suite, "example.jp").splitlines()
    changed = [old.split(":")[0] for old, new in zip(before, after) if old != new]
    equal((changed, len(after)), (["yamada", "suzuki"], len(before)), "lines changed")
    equal(shown(suite, "yamada@example.jp")["quota"], 700, "quota")
    equal(shown(suite, "yamada@example.jp")["comment"], "営業部 山田", "comment")
    check(can_log_in(suite, "yamada@example.jp", "Correct-Horse-1"), "an empty password is no change")
    check(can_log_in(suite, "suzuki@example.jp", "Correct-Horse-9"), "the new password")
    check(not can_log_in(suite, "suzuki@example.jp", "Correct,Horse-2"), "the old password")
    load(suite, "edit", "example.jp", f"{EDIT}\npostmaster,Correct-Horse-8,5\n")
    check(can_log_in(suite, "postmaster@example.jp", "Correct-Horse-8"), "postmaster has no line before")


def test_R3_2_an_error_anywhere_changes_nothing(suite):
    data = f"{EDIT}\nyamada,,800\nsuzuki,weak,\nnobody.there,weak,x\nu1,,-5\n"
    equal(places(refused(suite, "edit", "example.jp", data)),
          [(3, "password"), (4, "password"), (4, "mail_capacity"), (5, "mail_capacity")], "errors")
    refused(suite, "edit", "example.jp", f"{REGISTER}\nyamada,,800,\n")


def test_R3_2_a_forced_change_and_misuse(suite):
    suite.mailctl("user", "force-password", "yamada@example.jp")
    check(not can_log_in(suite, "yamada@example.jp", "Correct-Horse-1"), "void")
    equal(places(refused(suite, "edit", "example.jp", f"{EDIT}\nyamada,correct-Horse-1,\n")), [(2, "password")], "like")
    load(suite, "edit", "example.jp", f"{EDIT}\nyamada,Battery+Staple7,\n")
    check(can_log_in(suite, "yamada@example.jp", "Battery+Staple7"), "another one")
    suite.mailctl("state", "lock", "suzuki@example.jp", "misuse-detected")
    load(suite, "edit", "example.jp", f"{EDIT}\nsuzuki,Correct-Horse-9,\n")
    check("misuse-detected" in suite.mailctl("state", "show", "suzuki@example.jp"), "the same password ends nothing")
    load(suite, "edit", "example.jp", f"{EDIT}\nsuzuki,Correct-Horse-8,\n")
    check("misuse-detected" not in suite.mailctl("state", "show", "suzuki@example.jp"), "another one does")


def test_R3_3_export(suite):
    suite.mailctl("user", "set", "u1@example.jp", "spam-tag", "on")
    suite.mailctl("user", "set", "u1@example.jp", "comment", '=1+2, "x"')
    suite.mailctl("user", "set", "u2@example.jp", "receive", "off")
    suite.mailctl("forward", "add", "u1@example.jp", "u2@example.jp")
    suite.mailctl("reply", "set", "u2@example.jp", text="I am away.\n")
    done = run(suite, "csv", "export", "example.jp", "--no-bom").stdout
    equal(done.split(b"\r\n")[0].decode(), EXPORT, "header")
    check(b'u1,,"=1+2, ""x""",0,1,1,0,1,0\r\n' in done, f"u1 in {done.decode()}")
    rows = {row["mail_account"]: row for row in csv.DictReader(io.StringIO(done.decode(), newline=""))}
    equal({row["mail_password"] for row in rows.values()}, {""}, "passwords")
    equal([rows["u2"][key] for key in ("spam", "forward", "auto", "pop")], ["0", "0", "1", "0"], "switches")
    equal(rows["yamada"]["mail_capacity"], "700", "capacity")
    equal(sorted(rows), sorted(line.split(":")[0] for line in users(suite, "example.jp").splitlines()
                               if not line.startswith("#")), "accounts")
    equal(run(suite, "csv", "export", "example.jp").stdout, b"\xef\xbb\xbf" + done, "with a mark")
    # Compared as text: some characters have two codes there.
    equal(run(suite, "csv", "export", "example.jp", "--shift-jis").stdout.decode("cp932"), done.decode(), "Shift_JIS")
    suite.mailctl("user", "set", "u1@example.jp", "comment", "한국")
    run(suite, "csv", "export", "example.jp", "--shift-jis", wanted=1)


def test_R3_3_used_space(suite):
    suite.submit("u1@example.jp", ["yamada@example.jp"], b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" * 900000)
    suite.wait_messages("yamada@example.jp", 1)
    rows = csv.DictReader(io.StringIO(run(suite, "csv", "export", "example.jp", "--no-bom").stdout.decode()))
    used = {row["mail_account"]: row["amount_of_mail_box"] for row in rows}
    equal((used["yamada"], used["u2"]), ("2", "0"), "MB, rounded up")


def test_R3_3_what_was_exported_registers_elsewhere(suite):
    rows = csv.DictReader(io.StringIO(run(suite, "csv", "export", "many.jp", "--no-bom").stdout.decode()))
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(REGISTER.split(","))
    for row in list(rows)[1:101]:
        writer.writerow([row["mail_account"], "Correct-Horse-1", row["mail_capacity"], row["comment"]])
    equal(load(suite, "register", "copy.jp", file.getvalue())["registered"], 100, "registered")
    ours, theirs = (run(suite, "csv", "export", domain, "--no-bom").stdout.decode().split("\r\n")
                    for domain in ("copy.jp", "many.jp"))
    equal(sorted(ours[2:-1]), sorted(theirs[2:102]), "exported again")


def test_R3_samples(suite):
    for kind, header, name in (("register", REGISTER, "mail-accounts-sample.csv"),
                               ("edit", EDIT, "mail-password-sample.csv")):
        with open(suite.path("etc/csv", name), "rb") as file:
            text = file.read()
        equal(run(suite, "csv", "sample", kind).stdout, text, name)
        equal(text.decode("utf-8-sig").split("\r\n")[0], header, "header")
        # Its passwords are known to everybody: whoever forgets to change them is told.
        check((3, "password") in places(refused(suite, kind, "example.jp", text)), "as it is, it is refused")
        filled = text.replace(b"(password)", b"Correct-Horse-1")
        load(suite, kind, "example.jp", filled)
    equal(shown(suite, "sample-user1@example.jp")["quota"], 2000, "registered and edited")


def test_a_file_by_name_from_the_callers_folder(suite):
    folder = suite.path("callers")
    os.makedirs(folder)
    with open(os.path.join(folder, "accounts.csv"), "w", encoding="utf-8") as file:
        file.write(f"{REGISTER}\nfile1,weak,,\n")
    done = subprocess.run([suite.path("bin/mailctl"), "csv", "register", "example.jp", "accounts.csv"],
                          cwd=folder, capture_output=True, text=True)
    check(done.returncode == 1 and "accounts.csv line 2: password: " in done.stderr, done.stderr)
    check("there is no file" in suite.mailctl("csv", "register", "example.jp", "nothing.csv", wanted=1), "missing")
    check("there is no domain" in suite.mailctl("csv", "register", "nothing.jp", "-", wanted=1), "no domain")
