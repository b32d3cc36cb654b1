"""What an operator edits: errors with file and line, nothing half done, nothing restarted."""

import json
import os
import subprocess

from suite import check, equal, free_ports, message, wait_until


def rebuild(suite, wanted):
    done = subprocess.run([suite.path("bin/cdb"), "rebuild"], capture_output=True, text=True)
    equal(done.returncode, wanted, f"cdb rebuild: {done.stderr}")
    return done.stderr


def compiled(suite):
    found = {}
    for folder, _, files in os.walk(suite.path("cdb")):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                found[os.path.join(folder, name)] = file.read()
    return found


def test_all_errors_at_once_and_nothing_changed(suite):
    before = compiled(suite)
    suite.control("databytes", "20MB\n")
    suite.control("smtproutes", "# a comment\nexample.org:127.0.0.1:notaport\n")
    suite.control("access", "smtp 192.0.2.0/33 deny\n")
    with open(suite.path("control/domains/example.jp/users"), "a", encoding="utf-8") as file:
        file.write("..bad name..\n")
    text = rebuild(suite, 1)
    for wanted in ("databytes", "smtproutes line 2", "access line 1", "example.jp/users line "):
        check(wanted in text, f"{wanted} in: {text}")
    equal(compiled(suite), before, "compiled files")
    with open(suite.path("control/domains/example.jp/users"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    with open(suite.path("control/domains/example.jp/users"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines[:-1]) + "\n")
    for name in ("databytes", "smtproutes", "access"):
        os.unlink(suite.path("control", name))
    rebuild(suite, 0)


def test_unknown_setting_names_are_errors(suite):
    suite.control("databyte", "100\n")
    text = rebuild(suite, 1)
    check("control/databyte" in text, text)
    os.unlink(suite.path("control/databyte"))
    rebuild(suite, 0)


def test_a_new_user_needs_no_restart(suite):
    pids = suite.processes("queued"), suite.processes("authd"), suite.processes("tcpd")
    suite.add_user("late@example.jp")
    suite.submit("late@example.jp", ["u1@example.jp"],
                 message("late@example.jp", "u1@example.jp", "from the new one"))
    suite.submit("u1@example.jp", ["late@example.jp"],
                 message("u1@example.jp", "late@example.jp", "to the new one"))
    suite.wait_messages("late@example.jp", 1)
    check(pids[0] == suite.processes("queued"), "queued was not restarted")
    check(pids[2] == suite.processes("tcpd"), "tcpd was not restarted")
    suite.mailctl("user", "passwd", "late@example.jp", "--no-policy", text="another one\n")
    with suite.smtp("submission") as client:
        client.starttls()
        client.ehlo()
        code = client.docmd("AUTH", "PLAIN AGxhdGVAZXhhbXBsZS5qcABzZWNyZXQgb2YgbGF0ZUBleGFtcGxlLmpw")
        equal(code[0], 535, "the old password")


def test_deleted_means_gone(suite):
    suite.mailctl("user", "del", "late@example.jp")
    left = suite.path("mail/example.jp/late")  # an empty file keeps late deliveries out for an hour
    check(os.path.isfile(left) and os.path.getsize(left) == 0, "the mail is removed")
    with suite.smtp() as client:
        client.ehlo()
        client.mail("a@example.org")
        equal(client.rcpt("late@example.jp")[0], 550, "mail for a deleted user")


def test_mailctl_refuses_with_a_reason(suite):
    for words, text in ((("user", "add", "u1@example.jp"), "Longenough1!"),
                        (("user", "add", "x@example.net"), "Longenough1!"),
                        (("user", "add", "new@example.jp"), "short"),
                        (("user", "add", "new@example.jp"), "alllowercaseletters1!"),
                        (("user", "add", ".dot@example.jp"), "Longenough1!"),
                        (("user", "del", "postmaster@example.jp"), ""),
                        (("domain", "add", "example.jp"), ""),
                        (("domain", "add", "no..dots"), ""),
                        (("child", "add", "example.jp", "example.jp"), "")):
        reason = suite.mailctl(*words, text=text + "\n", wanted=1)
        check(len(reason) > 10 and "mailctl" in reason, f"{words}: {reason!r}")
    check("new" not in suite.mailctl("user", "list", "example.jp"), "nothing was added")


def test_json_and_explain(suite):
    users = json.loads(suite.mailctl("user", "list", "example.jp", "--json"))
    names = json.dumps(users)
    check("u1" in names and "u2" in names, names)
    suite.mailctl("user", "set", "u1@example.jp", "comment", "営業 部長")
    check("営業 部長" in suite.mailctl("user", "show", "u1@example.jp"), "comment in UTF-8")
    text = suite.mailctl("explain", "u1@example.jp", "message-size")
    check("52428800" in text and "system" in text, text)
    suite.mailctl("domain", "set", "example.jp", "message-size", "1000000")
    text = suite.mailctl("explain", "u1@example.jp", "message-size")
    check("1000000" in text and "domain" in text, text)
    json.loads(suite.mailctl("status", "--json"))


def test_hand_edits_are_kept(suite):
    users = suite.path("control/domains/example.jp/users")
    with open(users, encoding="utf-8") as file:
        text = file.read()
    with open(users, "w", encoding="utf-8") as file:
        file.write("# sales department\n" + text)
    suite.mailctl("user", "set", "u2@example.jp", "comment", "edited")
    with open(users, encoding="utf-8") as file:
        check(file.read().startswith("# sales department\n"), "the comment is kept")


def test_setup_again_keeps_everything(suite):
    suite.control("databytes", "123456\n")
    suite.setup()
    with open(suite.path("control/databytes"), encoding="ascii") as file:
        equal(file.read(), "123456\n", "control/databytes")
    suite.submit("u1@example.jp", ["u2@example.jp"],
                 message("u1@example.jp", "u2@example.jp", "after setup"))
    suite.wait_messages("u2@example.jp", 1)


def test_access_rules(suite):
    suite.control("access", "smtp 127.0.0.9 deny\n")
    suite.rebuild()

    def banner(source):
        import socket
        try:
            with socket.create_connection(("127.0.0.1", suite.ports["smtp"]), timeout=20,
                                          source_address=(source, 0)) as one:
                return one.recv(200)
        except ConnectionResetError:
            return b""

    wait_until(lambda: not banner("127.0.0.9").startswith(b"220"), "127.0.0.9 is denied")
    check(banner("127.0.0.1").startswith(b"220"), "127.0.0.1 is served")


def test_second_instance_beside_the_first(suite):
    """A port that is in use is named in the log, and the service comes up once it is free."""
    import socket
    port = free_ports(1)[0]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with open(suite.path("control/listen"), "a", encoding="ascii") as file:
            file.write(f"pop3 127.0.0.1:{port}\n")
        suite.kill9("tcpd")
        wait_until(lambda: str(port) in suite.logs("pop3"), "the log names the port")
    wait_until(lambda: suite.answers(port), "served once the port is free")
    suite.wait_ready()
