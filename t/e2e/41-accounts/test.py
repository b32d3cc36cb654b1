"""Accounts: names, passwords, postmaster and nobody, catch-all and plus-addressing, states, presets (SPEC R2, R6, R10, R13, R20)."""

import imaplib
import itertools
import json
import os
import poplib
import re
import smtplib
import subprocess
import time

from sink import Sink
from suite import check, client_tls, equal, message, wait_until

GOOD = "Good-Password1"
PRESETS = ("site", "mailhosting", "business", "rental", "classic")


def prepare(suite):
    suite.add_domain("example.jp", "u1", "u2")
    suite.start()


def run(suite, *words, text=""):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([suite.path("bin/mailctl"), *words], input=text, text=True, capture_output=True)
    return done.returncode, done.stdout, done.stderr


def refused(suite, *words, text="", says=()):
    code, _, error = run(suite, *words, text=text)
    equal(code, 1, f"exit of {words}: {error}")
    for part in says:
        check(part in error, f"{words}: {part!r} in {error!r}")


def rcpt(suite, *addresses):
    """The replies to RCPT, from another server."""
    with suite.smtp() as client:
        client.ehlo("client.example")
        client.mail("a@example.org")
        codes = [client.rcpt(address)[0] for address in addresses]
        client.rset()
    return codes


def deliver(suite, address, mailbox):
    before = len(suite.mailbox(mailbox))
    with suite.smtp() as client:
        client.sendmail("a@example.org", [address], message("a@example.org", address))
    suite.wait_messages(mailbox, before + 1)


def login(suite, address, password):
    """What the three services say: SMTP's reply, IMAP's and POP3's line."""
    said = []
    client = suite.smtp("submission")
    client.starttls(context=client_tls())
    try:
        said.append("%d" % client.login(address, password)[0])
    except smtplib.SMTPAuthenticationError as error:
        said.append(f"{error.smtp_code} {error.smtp_error.decode()}")
    client.close()
    imap = imaplib.IMAP4("127.0.0.1", suite.ports["imap"])
    imap.starttls(client_tls())
    try:
        said.append(imap.login(address, password)[0])
    except imaplib.IMAP4.error as error:
        said.append(str(error))
    imap.shutdown()
    pop3 = poplib.POP3("127.0.0.1", suite.ports["pop3"])
    pop3.stls(client_tls())
    try:
        pop3.user(address)
        said.append(pop3.pass_(password).decode().split()[0])
    except poplib.error_proto as error:
        said.append(str(error))
    pop3.close()
    return said


def set_password(suite, address, *lines):
    suite.mailctl("user", "passwd", address, text="".join(f"{line}\n" for line in lines))


# ---- R2: names and passwords ----

def test_R2_2_names(suite):
    for name, part in (("u", "2 to 32"), ("a" * 33, "2 to 32"), (".ab", "begins and ends"), ("ab-", "begins and ends"),
                       ("a/b", "letters, digits"), ("../ab", "letters, digits"), ("..", "begins and ends"),
                       ("a b", "letters, digits"), ("u+t", "letters, digits"), ("山田", "half-width")):
        refused(suite, "user", "add", f"{name}@example.jp", text=GOOD + "\n", says=[part])
    suite.mailctl("user", "add", "Sales_2.East@Example.JP", text=GOOD + "\n")
    deliver(suite, "SALES_2.east@example.jp", "sales_2.east@example.jp")
    refused(suite, "user", "add", "sales_2.EAST@example.jp", text=GOOD + "\n", says=["already"])


def test_R2_2_international_domain(suite):
    suite.add_domain("日本語.jp")
    suite.mailctl("user", "add", "u1@日本語.jp", text=GOOD + "\n")
    deliver(suite, "u1@xn--wgv71a119e.jp", "u1@xn--wgv71a119e.jp")


def test_R2_3_passwords_say_all_that_is_wrong(suite):
    for password, parts in (("short", ["fewer than 12", "no upper-case", "no digit", "no symbol"]),
                            ("Abcdefg-123456", ["six or more digits"]), ("Abcdefghijk1", ["no symbol"]),
                            ("Abcdef 12345-", ["not half-width, or a space"])):
        refused(suite, "user", "passwd", "u1@example.jp", text=password + "\n", says=parts)
    refused(suite, "user", "passwd", "u1@example.jp", text="u1\n", says=["is the account's name", "no digit"][:1])
    refused(suite, "user", "passwd", "u1@example.jp", text="Example.JP\n", says=["is the domain's name"])
    suite.add_domain("Mail-1.example.jp")
    suite.mailctl("user", "add", "u1@mail-1.example.jp", text="Mail-1.example.net\n")
    refused(suite, "user", "passwd", "u1@mail-1.example.jp", text="Mail-1.Example.JP\n", says=["is the domain's name"])


def test_R2_4_postmaster_and_nobody(suite):
    """Both by plan, with an administrator and without."""
    for mode, admin in itertools.product(("box", "admin"), (False, True)):
        domain = f"{mode}-{admin}.example".lower()
        with open(suite.path("control/plans/reserved"), "w", encoding="utf-8") as file:
            file.write(f"postmaster {mode}\n")
        suite.add_domain(domain, "boss", plan="reserved")
        if admin:
            suite.mailctl("domain", "set", domain, "admin", "boss")
        refused(suite, "user", "del", f"postmaster@{domain}", says=["can't be removed"])
        goes_to = "boss" if mode == "admin" and admin else "postmaster"
        deliver(suite, f"postmaster@{domain}", f"{goes_to}@{domain}")
        if mode == "admin":
            deliver(suite, f"nobody@{domain}", f"{goes_to}@{domain}")
            for name in ("postmaster", "nobody"):
                refused(suite, "user", "add", f"{name}@{domain}", text=GOOD + "\n", says=["administrator"])
        else:
            equal(rcpt(suite, f"nobody@{domain}"), [550], "nobody is unknown")
            suite.mailctl("user", "add", f"nobody@{domain}", text=GOOD + "\n")
            deliver(suite, f"nobody@{domain}", f"nobody@{domain}")
            refused(suite, "user", "add", f"postmaster@{domain}", text=GOOD + "\n", says=["already"])
        suite.mailctl("domain", "del", domain)


def test_R2_5_comments_count_in_characters(suite):
    text = "営業部" * 85
    suite.mailctl("user", "set", "u1@example.jp", "comment", text)
    equal(json.loads(suite.mailctl("--json", "user", "show", "u1@example.jp"))["settings"]["comment"], text, "comment")
    refused(suite, "user", "set", "u1@example.jp", "comment", text + "x", says=["255 characters"])
    suite.mailctl("user", "unset", "u1@example.jp", "comment")


def test_R2_7_one_more_than_the_contract(suite):
    suite.add_domain("small.example", "a1", "a2")
    suite.mailctl("domain", "set", "small.example", "accounts-max", "2")
    refused(suite, "user", "add", "a3@small.example", text=GOOD + "\n", says=["all 2 accounts of its contract"])
    path = suite.path("control/domains/small.example/users")
    with open(path, encoding="utf-8") as file:
        before = file.read()
    suite.control("domains/small.example/users", before + "a3::\n")
    done = subprocess.run([suite.path("bin/cdb"), "rebuild"], capture_output=True, text=True)
    last = before.count("\n") + 1
    check(done.returncode != 0 and f"users line {last}: 3 accounts, but accounts-max is 2" in done.stderr, done.stderr)
    equal(rcpt(suite, "a3@small.example", "a2@small.example"), [550, 250], "the running state is unchanged")
    suite.control("domains/small.example/users", before)
    suite.rebuild()


# ---- R6: child domains, catch-all, plus-addressing ----

def test_R6_every_combination(suite):
    """Child domain, catch-all and plus-addressing, each there or not."""
    for child, catch_all, plus in itertools.product((False, True), repeat=3):
        domain = f"combined{child:d}{catch_all:d}{plus:d}.example"
        with open(suite.path("control/plans/combined"), "w", encoding="utf-8") as file:
            file.write(f"free catch-all\nplus-addressing {'on' if plus else 'off'}\npostmaster box\n")
        suite.add_domain(domain, "u1", "rest", plan="combined")
        if child:
            suite.mailctl("child", "add", domain, f"sub.{domain}")
        if catch_all:
            suite.mailctl("domain", "set", domain, "catch-all", "rest")
        names = [domain] + ([f"sub.{domain}"] if child else [])
        caught = "rest" if catch_all else None
        for name in names:
            for local, wanted in (("u1", "u1"), ("U1", "u1"), ("u1+tag", "u1" if plus else caught),
                                  ("gone", caught), ("gone+tag", caught), ("nobody", caught)):
                equal(rcpt(suite, f"{local}@{name}"), [250 if wanted else 550],
                      f"{local}@{name}, catch-all {catch_all}, plus {plus}")
                if wanted:
                    deliver(suite, f"{local}@{name}", f"{wanted}@{domain}")
        suite.wait_queue_empty()
        suite.mailctl("domain", "del", domain)


def test_R6_plus_addressing_of_one_account(suite):
    equal(rcpt(suite, "u1+a@example.jp"), [250], "on, as everywhere")
    suite.mailctl("user", "set", "u1@example.jp", "plus-addressing", "off")
    equal(rcpt(suite, "u1+a@example.jp", "u2+a@example.jp"), [550, 250], "off for one")
    suite.mailctl("user", "unset", "u1@example.jp", "plus-addressing")


# ---- R10 ----

def test_R10_forced_password(suite):
    set_password(suite, "u2@example.jp", "Summer-Time-2025")
    equal(login(suite, "u2@example.jp", "Summer-Time-2025"), ["235", "OK", "+OK"], "before")
    suite.mailctl("user", "force-password", "u2@example.jp", "--cause", "seen in a list of stolen passwords")
    smtp, imap, pop3 = login(suite, "u2@example.jp", "Summer-Time-2025")
    check(smtp.startswith("535 5.7.8 This password is void"), smtp)
    check("[EXPIRED]" in imap and "is void" in imap, imap)
    check("[AUTH]" in pop3 and "is void" in pop3, pop3)
    check("[AUTHENTICATIONFAILED]" in login(suite, "u2@example.jp", "Wrong-Time-2025")[1], "a wrong one is told nothing")
    shown = json.loads(suite.mailctl("--json", "user", "show", "u2@example.jp"))
    equal(shown["password"], "forced", "the flag")
    equal([(one["state"], one["cause"]) for one in shown["states"]],
          [("password-forced", "seen in a list of stolen passwords")], "the state")
    refused(suite, "state", "lock", "u1@example.jp", "password-forced", says=["mailctl user force-password u1@example.jp"])
    refused(suite, "state", "unlock", "u2@example.jp", "password-forced", says=["mailctl user passwd u2@example.jp"])
    shown = suite.mailctl("state", "show", "u2@example.jp")
    check("password-forced" in shown and "stolen passwords" in shown, shown)
    for fresh in ("Summer-Time-2025", "summer-Time-2025", "Summer-Time-2026", "Summer-Time-2025!", "5202-emiT-remmuS"):
        refused(suite, "user", "passwd", "u2@example.jp", text=f"{fresh}\n{fresh}\n", says=["like the old one"])
    refused(suite, "user", "passwd", "u2@example.jp", text="Quite-Another9\n", says=["twice"])
    refused(suite, "user", "passwd", "u2@example.jp", text="Quite-Another9\nQuite-Another8\n", says=["twice"])
    set_password(suite, "u2@example.jp", "Quite-Another9", "Quite-Another9")
    equal(login(suite, "u2@example.jp", "Quite-Another9"), ["235", "OK", "+OK"], "afterwards")
    check("password-forced" not in json.dumps(json.loads(suite.mailctl("--json", "state", "show", "u2@example.jp"))["states"]),
          "the state is over")
    set_password(suite, "u2@example.jp", "Good-Password-3", "Good-Password-3")


def send(suite, address, password, recipients):
    """MAIL and RCPT by submission: the reply to MAIL, then those to RCPT."""
    client = suite.smtp("submission")
    client.starttls(context=client_tls())
    with client:
        client.login(address, password)
        code, text = client.mail(address)
        if code != 250:
            return f"{code} {text.decode()}", []
        codes = [client.rcpt(one)[0] for one in recipients]
        client.rset()
        return str(code), codes


def test_R10_misuse_by_rejected_recipients(suite):
    suite.add_domain("misuse.example", "u1", plan="business")
    suite.mailctl("user", "set", "u1@misuse.example", "misuse-rejected", "5")
    set_password(suite, "u1@misuse.example", GOOD)
    unknown = [f"gone{i}@example.jp" for i in range(5)]
    equal(send(suite, "u1@misuse.example", GOOD, unknown), ("250", [550] * 5), "they are refused")
    said, _ = send(suite, "u1@misuse.example", GOOD, [])
    check(said.startswith("450 4.7.1 sending is stopped: misuse of this account was detected"), said)
    suite.kill9("stated")
    wait_until(lambda: run(suite, "state", "show", "u1@misuse.example")[0] == 0, "stated again")
    check(send(suite, "u1@misuse.example", GOOD, [])[0].startswith("450"), "over a restart")
    equal(login(suite, "u1@misuse.example", GOOD), ["235", "OK", "+OK"], "logging in goes on")
    suite.mailctl("user", "passwd", "u1@misuse.example", text=GOOD + "\n")
    check(send(suite, "u1@misuse.example", GOOD, [])[0].startswith("450"), "the same password is no change")
    set_password(suite, "u1@misuse.example", "Another-Password2")
    equal(send(suite, "u1@misuse.example", "Another-Password2", ["u1@example.jp"]), ("250", [250]), "it is over")


def test_R10_misuse_by_recipients_that_other_servers_refuse(suite):
    """They count when their servers have said that there are none; what is refused for other reasons doesn't."""
    sink = Sink()
    sink.answers["RCPT"] = lambda line: ("550 5.1.1 no such user" if "gone" in line else
                                         "550 5.7.1 not from you" if "shy" in line else "250 ok")
    suite.control("smtproutes", f"other.example:127.0.0.1:{sink.port}\n")
    suite.rebuild()
    suite.mailctl("user", "set", "u1@misuse.example", "misuse-rejected", "3")
    client = suite.smtp("submission")
    client.starttls(context=client_tls())
    client.login("u1@misuse.example", "Another-Password2")
    names = ["gone1", "shy1", "there", "shy2", "gone2", "shy3", "gone3"]
    client.sendmail("u1@misuse.example", [f"{name}@other.example" for name in names],
                    message("u1@misuse.example", "somebody@other.example"))
    wait_until(lambda: client.mail("u1@misuse.example")[0] == 450 or client.rset()[0] == 0, "stopped")
    client.close()
    shown = json.loads(suite.mailctl("--json", "state", "show", "u1@misuse.example"))["states"]
    equal([(one["state"], one["cause"].split()[0]) for one in shown], [("misuse-detected", "3")], "the state")
    set_password(suite, "u1@misuse.example", GOOD)
    sink.close()


def test_R10_states_end_and_are_remembered(suite):
    address = "u1@example.jp"
    set_password(suite, address, GOOD)
    suite.mailctl("state", "lock", address, "account-lock", "--hours", "1", "--cause", "asked by phone")
    smtp, imap, pop3 = login(suite, address, GOOD)
    check(smtp.startswith("454 4.7.0 this account is locked (asked by phone); it ends at 20"), smtp)
    check("[UNAVAILABLE] this account is locked" in imap, imap)
    check("[SYS/TEMP] this account is locked" in pop3, pop3)
    suite.mailctl("state", "lock", address, "account-lock", "--cause", "unpaid")
    smtp, imap, pop3 = login(suite, address, GOOD)
    check(smtp.startswith("525 5.7.13 this account is locked (unpaid)"), smtp)
    check("[CONTACTADMIN]" in imap and "[SYS/PERM]" in pop3, imap + pop3)
    suite.mailctl("state", "unlock", address, "account-lock")
    equal(login(suite, address, GOOD), ["235", "OK", "+OK"], "unlocked")
    suite.mailctl("state", "lock", address, "send-lock", "--hours", "24")
    said, _ = send(suite, address, GOOD, [])
    check(said.startswith("450 4.7.1 sending is stopped for a time: too much mail was sent"), said)
    suite.kill9("stated")
    wait_until(lambda: run(suite, "state", "show", address)[0] == 0, "stated again")
    shown = json.loads(suite.mailctl("--json", "state", "show", address))
    equal([one["state"] for one in shown["states"]], ["send-lock"], "over a restart")
    check(shown["states"][0]["cure"] and shown["states"][0]["since"] and shown["states"][0]["until"], shown)
    equal([(one["state"], one["event"]) for one in shown["history"]][:4],
          [("send-lock", "set"), ("account-lock", "cleared"), ("account-lock", "set"), ("account-lock", "set")], "history")
    listed = json.loads(suite.mailctl("--json", "state", "show", "example.jp"))["accounts"]
    check([address, "send-lock"] in [[one["of"], one["state"]] for one in listed], f"of the domain: {listed}")
    suite.mailctl("state", "unlock", address, "send-lock")
    equal(send(suite, address, GOOD, [])[0], "250", "it is over")
    suite.mailctl("state", "lock", address, "send-lock", "--hours", "1")
    wait_until(lambda: re.search(r"state-set account=u1@example.jp state=send-lock until=20\S+T\S+ cause=", suite.logs("stated")),
               "till when")
    suite.mailctl("state", "unlock", address, "send-lock")
    for line in ("state-set account=u1@example.jp state=send-lock", "state-cleared account=u1@example.jp state=send-lock"):
        wait_until(lambda text=line: text in suite.logs("stated"), line)


def test_R10_user_show_and_list_say_the_states(suite):
    suite.add_domain("many.example", "u1", "u2", "u3")
    equal(json.loads(suite.mailctl("--json", "user", "show", "u1@many.example"))["states"], [], "normal")
    check("normal" in suite.mailctl("user", "show", "u1@many.example"), "for people")
    suite.mailctl("state", "lock", "u1@many.example", "send-lock", "--cause", "too much", "--hours", "2")
    suite.mailctl("state", "lock", "u2@many.example", "misuse-detected")
    suite.mailctl("state", "lock", "many.example", "send-pause", "--hours", "1")
    shown = json.loads(suite.mailctl("--json", "user", "show", "u1@many.example"))["states"]
    equal([(one["of"], one["state"], one["cause"], one["cure"]) for one in shown],
          [("many.example", "send-pause", "set by the operator", "mailctl state unlock"),
           ("u1@many.example", "send-lock", "too much", "mailctl state unlock")], "states")
    equal(shown, json.loads(suite.mailctl("--json", "state", "show", "u1@many.example"))["states"], "as state show")
    check(all(one["since"] and one["until"] for one in shown), f"since and until: {shown}")
    listed = {row["user"]: [one["state"] for one in row["states"]]
              for row in json.loads(suite.mailctl("--json", "user", "list", "many.example"))}
    equal(listed, {"postmaster@many.example": ["send-pause"], "u1@many.example": ["send-pause", "send-lock"],
                   "u2@many.example": ["send-pause", "misuse-detected"], "u3@many.example": ["send-pause"]}, "list")
    text = suite.mailctl("user", "show", "u1@many.example")
    check(re.search(r"u1@many.example +send-lock +20\S+ +20\S+ +too much +mailctl state unlock", text), text)
    suite.mailctl("domain", "del", "many.example")


# ---- open sessions end ----

def open_sessions(suite, address, password):
    """IMAP in IDLE, IMAP with nothing selected, POP3, submission; each past its login, behind TLS and without."""
    idle = imaplib.IMAP4("127.0.0.1", suite.ports["imap"])
    idle.starttls(client_tls())
    idle.login(address, password)
    idle.select()
    idle.send(b"i1 IDLE\r\n")
    idle.readline()
    bare = imaplib.IMAP4_SSL("127.0.0.1", suite.ports["imaps"], ssl_context=client_tls())
    bare.login(address, password)
    pop3 = poplib.POP3("127.0.0.1", suite.ports["pop3"])
    pop3.stls(client_tls())
    pop3.user(address)
    pop3.pass_(password)
    smtp = suite.smtp("submission")
    smtp.starttls(context=client_tls())
    smtp.login(address, password)
    for one in (idle, bare, pop3, smtp):
        one.sock.settimeout(5)
    return idle, bare, pop3, smtp


def say_end(sessions):
    """What they hear without having said anything; SMTP at its next command. Then the connection is closed."""
    idle, bare, pop3, smtp = sessions
    said = [idle.readline().decode(), bare.readline().decode(), pop3.file.readline().decode()]
    code, text = smtp.docmd("NOOP")
    said.append(f"{code} {text.decode()}")
    rest = [idle.readline(), bare.readline(), pop3.file.readline(), smtp.file.readline()]
    equal(rest, [b""] * 4, "closed")
    for one in sessions:
        getattr(one, "shutdown", one.close)()
    return said


def still_open(sessions):
    idle, bare, pop3, smtp = sessions
    idle.send(b"DONE\r\n")
    line = idle.readline()
    while line.startswith(b"* "):
        line = idle.readline()
    check(line.startswith(b"i1 OK"), line)
    equal((bare.noop()[0], pop3.noop(), smtp.noop()[0]), ("OK", b"+OK", 250), "sessions go on")
    for one in sessions:
        getattr(one, "shutdown", one.close)()


def test_R10_a_new_password_ends_open_sessions(suite):
    suite.add_domain("ends.example", "u2")
    set_password(suite, "u2@ends.example", GOOD)
    suite.mailctl("user", "add", "u1@ends.example", text=GOOD + "\n")
    other = open_sessions(suite, "u2@ends.example", GOOD)
    for step, words, lines in (("changed", ["user", "passwd", "u1@ends.example"], "Other-Password2\n"),
                               ("void", ["user", "force-password", "u1@ends.example"], "")):
        sessions = open_sessions(suite, "u1@ends.example", GOOD if step == "changed" else "Other-Password2")
        begun = time.monotonic()
        suite.mailctl(*words, text=lines)
        said = say_end(sessions)
        check(time.monotonic() - begun < 3, f"at once: {time.monotonic() - begun}")
        check(said[0].startswith("* BYE The password") and step in said[0], said)
        equal(said[1], said[0], "IMAP")
        check(said[2].startswith("-ERR The password") and step in said[2], said)
        check(said[3].startswith("421 4.7.0 "), said)
    still_open(other)
    for line in ("sessions-ended account=u1@ends.example reason=password-changed count=3",
                 "sessions-ended account=u1@ends.example reason=password-forced count=3"):
        wait_until(lambda text=line: text in suite.logs("spawnd"), line)


def test_R10_a_lock_by_the_operator_ends_open_sessions(suite):
    """An account's, and a domain's; one by failed log-ins ends none, or a stranger could. Sending may be stopped in them."""
    set_password(suite, "u1@ends.example", GOOD, GOOD)
    for whose in ("u1@ends.example", "ends.example"):
        sessions = open_sessions(suite, "u1@ends.example", GOOD)
        other = open_sessions(suite, "u2@ends.example", GOOD)
        suite.mailctl("state", "lock", whose, "send-lock")
        suite.mailctl("state", "lock", whose, "account-lock", "--hours", "1")
        for ended in [sessions] if "@" in whose else [sessions, other]:
            said = say_end(ended)
            equal(said[:3], [f"{front} The account was locked; ask the administrator\r\n" for front in ("* BYE", "* BYE", "-ERR")],
                  "what they hear")
            check(said[3].startswith("421 4.7.0 ") and "locked" in said[3], said)
        if "@" in whose:
            still_open(other)
        check("[UNAVAILABLE] this account is locked" in login(suite, "u1@ends.example", GOOD)[1], "nor do they come back")
        suite.mailctl("state", "unlock", whose, "account-lock")
        suite.mailctl("state", "unlock", whose, "send-lock")
        equal(login(suite, "u1@ends.example", GOOD), ["235", "OK", "+OK"], "unlocked")
    wait_until(lambda: "sessions-ended account=u1@ends.example reason=account-locked count=3" in suite.logs("spawnd"), "the log")
    sessions = open_sessions(suite, "u1@ends.example", GOOD)
    suite.mailctl("domain", "set", "ends.example", "lock-failures", "1")
    login(suite, "u1@ends.example", "Wrong-Password1")
    shown = json.loads(suite.mailctl("--json", "state", "show", "u1@ends.example"))["states"]
    equal([one["state"] for one in shown], ["account-lock"], "locked by failed log-ins")
    still_open(sessions)
    suite.mailctl("domain", "set", "ends.example", "lock-failures", "10")
    suite.mailctl("state", "unlock", "u1@ends.example", "account-lock")


def test_R10_the_same_password_ends_none(suite):
    sessions = open_sessions(suite, "u2@ends.example", GOOD)
    set_password(suite, "u2@ends.example", GOOD)
    suite.rebuild()
    still_open(sessions)


def test_R3_2_csv_edit_ends_them_and_stronger_hashes_do_not(suite):
    """The passwords get quick hashes first; the others follow and are the same passwords'."""
    many = [f"bulk{number}" for number in range(120)]
    suite.mailctl("csv", "register", "ends.example", "-", "--wait", text="mail_account,password,mail_capacity,comment\n" +
                  "".join(f"{name},Bulk-Password-2,,\n" for name in many))
    sessions = open_sessions(suite, "u2@ends.example", GOOD)
    before = suite.logs("mailctl").count("strengthened")
    said = json.loads(suite.mailctl("--json", "csv", "edit", "ends.example", "-", text="mail_account,password,mail_capacity\n" +
                                    "".join(f"{name},Bulk-Password-3,\n" for name in ["u2", *many])))
    check(all("password was changed" in one for one in say_end(sessions)), "as by user passwd")
    sessions = open_sessions(suite, "u2@ends.example", "Bulk-Password-3")
    # A machine of many processors needs no quick ones.
    wait_until(lambda: suite.logs("mailctl").count("strengthened") > before or "strengthening" not in said,
               "stronger hashes", 120)
    equal(login(suite, "u2@ends.example", "Bulk-Password-3")[:2], ["235", "OK"], "logins go on")
    still_open(sessions)
    set_password(suite, "u2@ends.example", GOOD)


def test_R2_6_deletion_ends_open_sessions(suite):
    sessions = open_sessions(suite, "u2@ends.example", GOOD)
    suite.mailctl("user", "del", "u2@ends.example")
    said = say_end(sessions)
    check(said[0].startswith("* BYE ") and said[1] == "* BYE The account was deleted\r\n", said)
    check(said[2] == "-ERR The account was deleted\r\n" and said[3].startswith("421 "), said)
    suite.mailctl("user", "add", "u2@ends.example", text=GOOD + "\n")
    sessions = open_sessions(suite, "u2@ends.example", GOOD)
    suite.mailctl("domain", "del", "ends.example")
    check(all(one.startswith(("* BYE ", "-ERR ", "421 ")) for one in say_end(sessions)), "a domain's")


def test_R10_who_does_not_listen_is_killed(suite):
    """A client that takes no answer, and one that never stops sending."""
    suite.mailctl("user", "add", "deaf@example.jp", text=GOOD + "\n")
    deliver(suite, "deaf@example.jp", "deaf@example.jp")
    clients = []
    for _ in range(2):
        client = imaplib.IMAP4("127.0.0.1", suite.ports["imap"])
        client.starttls(client_tls())
        client.login("deaf@example.jp", GOOD)
        client.select()
        clients.append(client)
    deaf, talker = clients
    deaf.sock.settimeout(0.5)
    try:
        while True:
            deaf.send(b"f FETCH 1 BODY[]\r\n" * 1000)
    except (TimeoutError, OSError):
        pass
    suite.mailctl("user", "passwd", "deaf@example.jp", text="Other-Password2\n")
    talker.sock.settimeout(5)
    talker.send(b"n NOOP\r\n" * 1000)
    equal(talker.readline()[:18], b"* BYE The password", "more commands help nobody")
    equal(talker.readline(), b"", "closed")
    wait_until(lambda: "child-ended program=imapd account=deaf@example.jp" in
               suite.logs("spawnd"), "killed after ten seconds", 20)
    for client in clients:
        client.shutdown()


# ---- R13: who may do what ----

def tree_of(suite):
    """All control files with what stands in them, and how the mailboxes lie."""
    files = {}
    for top in ("control", "mail"):
        for folder, _, names in os.walk(suite.path(top)):
            for name in names:
                if top == "control" and name != ".lock":
                    with open(os.path.join(folder, name), "rb") as file:
                        files[os.path.join(folder, name)] = file.read()
                elif top == "mail" and ".eml" in name:
                    files[os.path.join(folder, name)] = b""
    return files


def try_as(suite, actor, *words, text=""):
    return run(suite, "--as", actor, *words, text=text)


# Verb, words behind it, standard input; whether admin and user may (SPEC R13).
R13 = (
    (("user", "add"), ["new@r13.example"], GOOD + "\n", True, False),
    (("user", "del"), ["new@r13.example"], "", True, False),
    (("user", "set"), ["u1@r13.example", "quota", "50"], "", True, False),
    (("user", "set"), ["u1@r13.example", "comment", "text"], "", True, False),
    (("user", "list"), ["r13.example"], "", True, False),
    (("csv", "register"), ["r13.example", "-"],
     "mail_account,password,mail_capacity,comment\nbulk,Another-Pass-1,,\n", True, False),
    (("csv", "edit"), ["r13.example", "-"], "mail_account,password,mail_capacity\nbulk,,7\n", True, False),
    (("csv", "export"), ["r13.example"], "", True, False),
    (("user", "passwd"), ["u1@r13.example"], "Other-Password-7\n", True, True),
    (("user", "set"), ["u1@r13.example", "spam-tag", "on"], "", True, True),
    (("user", "set"), ["u1@r13.example", "spam-folder", "on"], "", True, True),
    (("user", "unset"), ["u1@r13.example", "comment"], "", True, False),
    (("user", "set"), ["u1@r13.example", "receive", "off"], "", True, True),
    (("user", "set"), ["u1@r13.example", "auto-reply", "on"], "", True, True),
    (("forward", "add"), ["u1@r13.example", "a@example.org"], "", True, True),
    (("forward", "list"), ["u1@r13.example"], "", True, True),
    (("forward", "del"), ["u1@r13.example", "a@example.org"], "", True, True),
    (("reply", "set"), ["u1@r13.example"], "away\n", True, True),
    (("reply", "show"), ["u1@r13.example"], "", True, True),
    (("reply", "clear"), ["u1@r13.example"], "", True, True),
    (("user", "show"), ["u1@r13.example"], "", True, True),
    (("state", "show"), ["u1@r13.example"], "", True, True),
    (("explain",), ["u1@r13.example", "quota"], "", True, True),
    (("user", "purge"), ["u1@r13.example"], "", True, True),
    (("child", "add"), ["r13.example", "www.r13.example"], "", True, False),
    (("child", "del"), ["r13.example", "www.r13.example"], "", True, False),
    (("domain", "set"), ["r13.example", "quota-warning", "70"], "", True, False),
    (("domain", "show"), ["r13.example"], "", True, False),
    (("domain", "set"), ["r13.example", "plan", "rental"], "", False, False),
    (("domain", "set"), ["r13.example", "domain-quota", "9"], "", False, False),
    (("domain", "set"), ["r13.example", "accounts-max", "900"], "", False, False),
    (("user", "set"), ["u1@r13.example", "misuse-recipients", "0"], "", False, False),
    (("user", "force-password"), ["u1@r13.example"], "", False, False),
    (("state", "lock"), ["u1@r13.example"], "", False, False),
    (("state", "unlock"), ["u1@r13.example"], "", False, False),
    (("child", "add"), ["r13.example", "www.elsewhere.example"], "", False, False),
    (("csv", "register"), ["r13.example", "/etc/passwd"], "", False, False),
    (("domain", "add"), ["another.example"], "", False, False),
    (("domain", "del"), ["r13.example"], "", False, False),
    (("domain", "list"), [], "", False, False),
    (("queue", "list"), [], "", False, False),
    (("status",), [], "", False, False),
)


def test_R13_who_may_do_what(suite):
    suite.add_domain("r13.example", "u1", "u2")
    suite.add_domain("other.example", "u1")
    for verb, words, text, admin, user in R13:
        strangers = ("admin:other.example", "user:u2@r13.example", "user:u1@other.example")
        done = False
        for actor, may in (*((stranger, False) for stranger in strangers), ("user:u1@r13.example", user),
                           ("admin:r13.example", admin)):
            before = None if may else tree_of(suite)
            code, _, error = try_as(suite, actor, *verb, *words, text=text)
            if may:
                # What the user did already, the admin can't do once more.
                check(" is not for " not in error and (done or code == 0), f"{verb} {words} as {actor}: {error}")
                done = True
            else:
                equal(code, 1, f"{verb} {words} as {actor}: {error}")
                check(" is not for " in error or " is no setting that " in error, error)
                equal(tree_of(suite), before, f"{verb} {words} as {actor}: what is on disk")


def test_R13_no_child_below_the_domain_of_somebody_else(suite):
    """Between an administrator's domain and its new child none of another customer may lie; for the operator one may."""
    suite.add_domain("shop.r13.example", "u1")
    suite.mailctl("--as", "admin:r13.example", "child", "add", "r13.example", "a.r13.example")
    suite.mailctl("--as", "admin:r13.example", "child", "add", "r13.example", "b.a.r13.example")
    refused(suite, "--as", "admin:r13.example", "child", "add", "r13.example", "mail.shop.r13.example",
            says=["which lies below shop.r13.example, is not for admin:r13.example"])
    suite.mailctl("--as", "admin:shop.r13.example", "child", "add", "shop.r13.example", "mail.shop.r13.example")
    suite.mailctl("child", "add", "r13.example", "www.shop.r13.example")
    suite.mailctl("domain", "del", "shop.r13.example")


def test_R13_ceilings_hold_for_everybody(suite):
    suite.control("plans/tight", "quota 100\nmessage-size 1000000\n")
    suite.add_domain("tight.example", "u1", plan="tight")
    for actor in ("admin:tight.example", None):
        front = ["--as", actor] if actor else []
        refused(suite, *front, "user", "set", "u1@tight.example", "quota", "200", says=["may only lower it"])
        refused(suite, *front, "user", "set", "u1@tight.example", "message-size", "2000000", says=["may only lower it"])
        suite.mailctl(*front, "user", "set", "u1@tight.example", "quota", "50")
    suite.mailctl("domain", "del", "tight.example")


def test_R13_a_role_is_no_word_of_a_customer(suite):
    """--as counts in front of the verb alone, once, and options that only the operator has are refused."""
    for words in (["user", "show", "u1@other.example", "--as", "admin:other.example"],
                  ["--as", "admin:r13.example", "--as", "admin:other.example", "user", "show", "u1@other.example"],
                  ["--as", "root", "user", "show", "u1@other.example"],
                  ["--as", "admin:", "user", "show", "u1@other.example"],
                  ["--as", "user:u1@other.example", "user", "passwd", "u1@other.example", "--no-policy"]):
        code, said, error = run(suite, *words, text="x\nx\n")
        equal((code, said), (1, ""), f"{words}: {error}")
    _, _, error = run(suite, "--as", "user:u1@other.example", "user", "passwd", "u1@other.example", text="short\n")
    check("--no-policy" not in error and "fewer than 12" in error, error)
    equal(json.loads(run(suite, "--as", "user:u1@other.example", "--json", "user", "show", "u1@other.example")[1])["user"],
          "u1@other.example", "--json beside --as")
    verbs = [row["verb"] for row in json.loads(run(suite, "--json", "--as", "user:u1@other.example", "help")[1])]
    check("user passwd" in verbs and "user add" not in verbs, f"help says what he may: {verbs}")


# ---- R20 ----

# What the presets say in SPEC's table, of what a plan can say.
ROWS = {
    "imap": (True, True, True, True, False),
    "apop": (False, False, False, True, True),
    "plaintext-login": (False, False, True, True, True),
    "message-size": (52428800, 52428800, 104857600, 104857600, 20971520),
    "quota": (None, None, None, 384, 0),
    "over-quota-reply": ("452",) * 5,
    "forwards": (10, 10, 300, 10, 10),
    "conditional-forwards": (False, False, True, False, False),
    "spam-tag": (False,) * 5,
    "spam-folder": (False,) * 5,
    "catch-all": ("",) * 5,
    "postmaster": ("box", "box", "box", "admin", "admin"),
    "child-domains": (True, False, False, False, False),
    "archive-days": (0, 0, 180, 0, 0),
    "trash-days": (0, 0, 31, 0, 0),
    "plus-addressing": (True,) * 5,
    "misuse-recipients": (0, 0, 1000, 0, 0),
}


def test_R20_presets(suite):
    for number, plan in enumerate(PRESETS):
        suite.add_domain(f"{plan}.example", "u1", plan=plan)
        settings = json.loads(suite.mailctl("--json", "domain", "show", f"{plan}.example"))["settings"]
        for name, values in ROWS.items():
            if values[number] is not None:
                equal(settings[name], values[number], f"{name} of {plan}")
        code, _, error = run(suite, "domain", "set", f"{plan}.example", "catch-all", "u1")
        equal(code == 0, plan == "rental", f"catch-all on {plan}: {error}")
        code, _, error = run(suite, "child", "add", f"{plan}.example", f"sub.{plan}.example")
        equal(code == 0, plan == "site", f"child domains on {plan}: {error}")
    refused(suite, "user", "set", "u1@classic.example", "quota", "5", says=["may not change it"])


def test_R20_a_sixth_plan(suite):
    """As plan(5) has it: an operator writes one, and a mistake is told with its line."""
    suite.control("plans/sixth", "# sixth: as in the manual\nquota 384\nfree catch-all\nfixed plaintext-login off\n")
    suite.add_domain("sixth.example", "u1", plan="sixth")
    suite.mailctl("domain", "set", "sixth.example", "catch-all", "u1")
    deliver(suite, "anybody@sixth.example", "u1@sixth.example")
    refused(suite, "user", "set", "u1@sixth.example", "plaintext-login", "on", says=["may not change it"])
    explained = json.loads(suite.mailctl("--json", "explain", "u1@sixth.example", "quota"))
    equal((explained["value"], explained["layer"]), ("384", "plan"), "explain")
    suite.control("plans/sixth", "quota 384\nfree catch-all\nqouta 5\n")
    done = subprocess.run([suite.path("bin/cdb"), "rebuild"], capture_output=True, text=True)
    check(done.returncode != 0 and "control/plans/sixth line 3" in done.stderr, done.stderr)
    equal(rcpt(suite, "anybody@sixth.example"), [250], "the running state is unchanged")
    suite.control("plans/sixth", "quota 384\nfree catch-all\n")
    suite.rebuild()
