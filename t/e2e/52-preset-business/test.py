"""The preset `business` as a customer gets it: a domain by `mailctl domain add --plan business`, accounts by CSV.

One test for each row of SPEC, by the plan's own values; the details stand in 40 to 48. Elsewhere: R1.6 and the
clients by hand-typed settings (07, 37, 38), R11 (03), R12's judging, R15, R17 (not of this issue), R20's table (41).
"""

import csv
import imaplib
import io
import itertools
import json
import os
import pathlib
import poplib
import re
import smtplib
import ssl
import subprocess
import threading
import time

from dialogue import Dialogue, greeted, logged_in, plain
from imapsession import Imap, Literal
from mailclients import home, run, write
from sink import Sink
from suite import PATIENCE, Failure, check, client_tls, equal, message, wait_until

DOMAIN = "kaisha.example"
OTHER = "torihiki.example"
STAFF = ("sato", "suzuki", "tanaka", "ito", "watanabe", "yamada", "nakamura", "kobayashi", "kato", "mori")
SATO, SUZUKI, TANAKA, ITO, WATANABE, YAMADA, NAKAMURA, KOBAYASHI, KATO, MORI = (f"{name}@{DOMAIN}" for name in STAFF)
REGISTER = "mail_account,password,mail_capacity,comment"
EDIT = "mail_account,password,mail_capacity"
EXPORT = "mail_account,mail_password,comment,amount_of_mail_box,spam,forward,auto,pop,mail_capacity"
MEGABYTE = 1048576
LARGEST = 100 * MEGABYTE
STRICT = "eigyo@strict.example"
TOO_BIG = "552 sorry, that message size exceeds my databytes limit (#5.3.4)"
FULL = "452 sorry, mailbox is full (#4.5.2)"
DAY = 86400
DOCOMO = "a..b@docomo.ne.jp"
UID = 64200  # none of the suite's
PASSWORDS = {}
SINKS = {}
NUMBERS = itertools.count(1)


def first_password(name):
    return f"{name.capitalize()}-Hajime-01"


def prepare(suite):
    SINKS["outside"] = Sink()
    suite.password = lambda address: PASSWORDS.get(address, first_password(address.split("@")[0]))
    suite.control("smtproutes", f":127.0.0.1:{SINKS['outside'].port}\n")
    suite.control("plaintext-auth", "on\n")
    suite.rebuild()
    suite.start()
    for domain in (DOMAIN, OTHER):
        suite.mailctl("domain", "add", domain, "--plan", "business")
    # On a plan made of this one: three failed log-ins lock, since of ten the last ones are answered late.
    suite.control("plans/business-strict", preset(suite, "lock-failures 3", "lock-time 8"))
    suite.mailctl("domain", "add", "strict.example", "--plan", "business-strict")
    suite.mailctl("user", "add", STRICT, text=first_password("eigyo") + "\n")


# ---- what the tests share ---------------------------------------------------------------------------

def command(suite, *words, data=b""):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([suite.path("bin/mailctl"), *words], input=data, capture_output=True)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode()


def control_files(suite):
    """All that is written about the domains, as text and compiled."""
    found = {}
    for folder in ("control/domains", "cdb"):
        for path, _, names in os.walk(suite.path(folder)):
            for name in names:
                with open(os.path.join(path, name), "rb") as file:
                    found[os.path.join(path, name)] = file.read()
    return found


def refused(suite, *words, data=b"", says=()):
    """Exit 1, the reason on standard error, and no file changed."""
    before = control_files(suite)
    code, _, error = command(suite, *words, data=data)
    equal(code, 1, f"exit of {words}: {error}")
    for part in says:
        check(part in error, f"{words}: {part!r} is wanted in {error!r}")
    equal(control_files(suite), before, f"files behind {words}")


def settings(suite, address):
    return json.loads(suite.mailctl("user", "show", address, "--json"))["settings"]


def load(suite, verb, text, wanted=0):
    """csv register or edit: the result as JSON."""
    code, output, error = command(suite, "csv", verb, DOMAIN, "-", "--json", data=text)
    equal(code, wanted, f"csv {verb}: {output}{error}")
    return json.loads(output)


def places(result):
    return [(error["line"], error["column"]) for error in result["errors"]]


def exported(suite):
    text = command(suite, "csv", "export", DOMAIN, "--no-bom")[1]
    return {row["mail_account"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


def receive(suite, recipient, subject="test", body="Hello.\r\n", sender=None, headers="", to=None):
    """Mail from another server; who sent it."""
    sender = sender or f"stranger{next(NUMBERS)}@sender.example"
    with suite.smtp() as client:
        client.sendmail(sender, [recipient], message(sender, to or recipient, subject, body, headers))
    return sender


def rcpt(suite, recipient):
    """What another server hears to RCPT."""
    with suite.smtp() as client:
        client.ehlo("client.example")
        client.mail("a@sender.example")
        code, text = client.rcpt(recipient)
        return f"{code} {text.decode()}"


def deliver(suite, recipient, mailbox=None, **mail):
    """The same, till it lies in a mailbox; its bytes."""
    mailbox = mailbox or recipient
    before = set(suite.mailbox(mailbox))
    receive(suite, recipient, **mail)
    name = wait_until(lambda: set(suite.mailbox(mailbox)) - before, f"mail for {mailbox}").pop()
    with open(name, "rb") as file:
        return file.read()


def outside(suite, act):
    """(recipient, data) of all that leaves for other servers by what act() does."""
    count = len(SINKS["outside"].transactions)
    act()
    suite.wait_queue_empty()
    return sorted((one, done.data) for done in SINKS["outside"].transactions[count:] for one in done.recipients)


def forwarded(suite, recipient, **mail):
    """Where a message is forwarded to."""
    return [one for one, _ in outside(suite, lambda: receive(suite, recipient, **mail))]


def mail_from(suite, address):
    """What submission says to MAIL once the account has logged in."""
    with logged_in(suite, address) as smtp:
        return smtp.ask(f"MAIL FROM:<{address}>")


def behind_tls(suite):
    """SMTP on 465 behind EHLO; before it, what was said."""
    smtp = Dialogue(suite.ports["submissions"])
    smtp.start_tls()
    smtp.expect(None, "220")
    smtp.extensions = smtp.expect("EHLO client.example", "250")
    return smtp


def login(suite, address, password=None):
    """What the three services say to a log-in: SMTP's reply, IMAP's and POP3's line."""
    password = password or suite.password(address)
    with behind_tls(suite) as smtp:
        said = [smtp.ask("AUTH PLAIN " + plain(address, password))]
    said.append(login_imap(suite, address, password))
    pop3 = poplib.POP3_SSL("127.0.0.1", suite.ports["pop3s"], context=client_tls(), timeout=PATIENCE)
    try:
        pop3.user(address)
        said.append(pop3.pass_(password).decode().split()[0])
    except poplib.error_proto as error:
        said.append(str(error))
    pop3.close()
    return said


def login_imap(suite, address, password=None):
    imap = imaplib.IMAP4_SSL("127.0.0.1", suite.ports["imaps"], ssl_context=client_tls(), timeout=PATIENCE)
    try:
        return imap.login(address, password or suite.password(address))[0]
    except imaplib.IMAP4.error as error:
        return str(error)
    finally:
        imap.shutdown()


def states(suite, name):
    return {row["state"]: row for row in json.loads(suite.mailctl("state", "show", name, "--json"))["states"]}


def history(suite, name):
    """Newest first."""
    rows = json.loads(suite.mailctl("state", "show", name, "--json"))["history"]
    return [(row["state"], row["event"]) for row in rows]


def set_password(suite, address, fresh, times=1):
    suite.mailctl("user", "passwd", address, text=f"{fresh}\n" * times)
    PASSWORDS[address] = fresh


# ---- R3: CSV, and with it the first accounts --------------------------------------------------------

def test_R3_1_the_accounts_come_by_csv(suite):
    """The sample file, filled in and saved by Excel as Shift_JIS; 1 MB units; comments in Japanese."""
    sample = command(suite, "csv", "sample", "register")[1]
    equal(sample.lstrip("\ufeff").splitlines()[0], REGISTER, "mail-accounts-sample.csv")
    refused(suite, "csv", "register", DOMAIN, "-", data=sample.encode(), says=["line 2: password"])
    rows = "".join(f"{name},{first_password(name)},{1 if name == 'ito' else ''},営業部　{number}課\r\n"
                   for number, name in enumerate(STAFF))
    equal(load(suite, "register", f"{REGISTER}\r\n{rows}".encode("cp932")), {"registered": len(STAFF)}, "registered")
    equal(settings(suite, SUZUKI)["comment"], "営業部　1課", "comment")
    equal(settings(suite, ITO)["quota"], 1, "mail_capacity in MB")
    for address in (SATO, MORI):
        equal([said.split()[0] for said in login(suite, address)], ["235", "OK", "+OK"], f"{address} logs in")


def test_R3_1_one_error_and_nothing_is_registered(suite):
    """One that is there already, or one row of wrong form: every error is listed with its line."""
    rows = ["shinjin1,Shinjin-Desu-1,10,", "sato,Sato-Hajime-01,10,", "shinjin2,short,10,", "s,Shinjin-Desu-1,10,",
            "shinjin3,Shinjin-Desu-123456,10,", "shinjin4,Shinjin-Desu-1,1.5,", "shinjin5,Shinjin-Desu-1",
            "shinjin6,kaisha.example,10,"]
    data = "\n".join([REGISTER, *rows]).encode()
    refused(suite, "csv", "register", DOMAIN, "-", data=data, says=["nothing was changed", "standard input line 3: mail_account"])
    equal(places(load(suite, "register", data, wanted=1)),
          [(3, "mail_account"), (4, "password"), (5, "mail_account"), (6, "password"), (7, "mail_capacity"), (8, ""),
           (9, "password")], "errors")
    check("shinjin1" not in exported(suite), "not even the good row")


def test_R3_2_passwords_and_capacities_change_by_csv(suite):
    """Header mail_account,password,mail_capacity; an empty field stays; who is not there is passed over."""
    equal(command(suite, "csv", "sample", "edit")[1].lstrip("\ufeff").splitlines()[0], EDIT, "mail-password-sample.csv")
    data = f"{EDIT}\r\nmori,Mori-Atarashii-02,\r\nkato,,300\r\ndareka,Dareka-Desu-03,5\r\nsato,,\r\n".encode()
    equal(load(suite, "edit", data), {"changed": 2, "unchanged": 1, "skipped": 1}, "edited")
    check("[AUTHENTICATIONFAILED]" in login_imap(suite, MORI), "the old password")
    PASSWORDS[MORI] = "Mori-Atarashii-02"
    equal(login(suite, MORI)[1], "OK", "the new one")
    equal((settings(suite, KATO)["quota"], login(suite, KATO)[1]), (300, "OK"), "kato has 300 MB and the old password")
    refused(suite, "csv", "edit", DOMAIN, "-", data=f"{EDIT}\nkato,,400\nmori,yowai,\n".encode(), says=["line 3: password"])
    equal(settings(suite, KATO)["quota"], 300, "nothing was changed")


def test_R3_3_export(suite):
    """The seed's nine columns; no password; switches as 0 and 1."""
    suite.mailctl("user", "set", MORI, "spam-tag", "on")
    suite.mailctl("user", "set", KATO, "receive", "off")
    suite.mailctl("forward", "add", MORI, SATO)
    suite.mailctl("reply", "set", KATO, text="不在です。\n")
    text = command(suite, "csv", "export", DOMAIN)[1]
    equal(text.split("\r\n")[0], "\ufeff" + EXPORT, "header")
    check("mori,,営業部　9課,0,1,1,0,1,0\r\n" in text and "kato,,営業部　8課,0,0,0,1,0,300\r\n" in text, text)
    equal(sorted(exported(suite)), sorted([*STAFF, "postmaster"]), "accounts")
    suite.mailctl("user", "set", MORI, "spam-tag", "off")
    suite.mailctl("user", "set", KATO, "receive", "on")
    suite.mailctl("forward", "del", MORI, SATO)
    suite.mailctl("reply", "clear", KATO)


# ---- R1: protocols, ports, authentication -----------------------------------------------------------

def test_R1_1_submission_asks_for_a_login_and_25_relays_for_nobody(suite):
    with greeted(suite, "submission") as smtp:
        check("STARTTLS" in smtp.expect("EHLO c", "250"), "STARTTLS on 587")
        smtp.expect(f"MAIL FROM:<{SATO}>", "530")
    with behind_tls(suite) as smtp:
        check("STARTTLS" not in smtp.extensions, "465 has TLS already")
        smtp.expect(f"MAIL FROM:<{SATO}>", "530")
    with greeted(suite) as smtp:
        check("AUTH" not in smtp.expect("EHLO c", "250"), "no log-in on 25")
        smtp.expect(f"MAIL FROM:<{SATO}>", "250")
        smtp.expect("RCPT TO:<someone@sender.example>", "554 5.7.1")


def test_R1_2_programs_send_and_fetch(suite):
    """swaks by 587 and 465; curl by all four; fetchmail by POP over SSL; mbsync by IMAP over SSL."""
    for port, tls, mechanism in (("submission", "--tls", "PLAIN"), ("submissions", "--tls-on-connect", "LOGIN")):
        run("swaks", "--server", "127.0.0.1", "--port", str(suite.ports[port]), tls, "--auth", mechanism, "--auth-user", SATO,
            "--auth-password", suite.password(SATO), "--from", SATO, "--to", SUZUKI, "--header", f"Subject: by {port}")
    suite.wait_messages(SUZUKI, 2)
    stored = sorted(suite.messages(SUZUKI))
    for name, path in (("imap", "/INBOX;MAILINDEX=1"), ("imaps", "/INBOX;MAILINDEX=2"), ("pop3", "/1"), ("pop3s", "/2")):
        text = run("curl", "-sS", "-k", "--ssl-reqd", "--user", f"{SUZUKI}:{suite.password(SUZUKI)}",
                   f"{name}://127.0.0.1:{suite.ports[name]}{path}")
        check(text in stored, f"by {name}: {text!r}")
    folder = home(suite, "fetchmail")
    write(f"{folder}/rc", f"""poll 127.0.0.1 service {suite.ports['pop3s']} proto pop3 uidl
user "{SUZUKI}" password "{suite.password(SUZUKI)}" ssl no sslcertck fetchall keep mda "cat >> {folder}/out"
""")
    run("fetchmail", "-f", f"{folder}/rc", "-i", f"{folder}/ids", "--nosyslog", "--pidfile", f"{folder}/pid",
        env={"HOME": folder})
    with open(f"{folder}/out", "rb") as file:
        equal(file.read().count(b"Subject: by "), 2, "messages by fetchmail")


def test_R1_3_plain_and_login_no_cram_md5_no_apop(suite):
    """Nor does a POP3 session let anybody send."""
    with behind_tls(suite) as smtp:
        offered = re.search(r"AUTH ([^\n]*)", smtp.extensions)[1].split()
        equal(sorted(offered), ["LOGIN", "PLAIN"], "mechanisms")
        smtp.expect("AUTH CRAM-MD5", "504")
    pop3 = poplib.POP3_SSL("127.0.0.1", suite.ports["pop3s"], context=client_tls(), timeout=PATIENCE)
    check("CRAM-MD5" not in pop3.capa()["SASL"], "nor over POP3")
    pop3.user(SATO)
    pop3.pass_(suite.password(SATO))
    with greeted(suite, "submission") as smtp:
        smtp.expect("EHLO c", "250")
        smtp.expect(f"MAIL FROM:<{SATO}>", "530")
    pop3.quit()
    plain_pop3 = poplib.POP3("127.0.0.1", suite.ports["pop3"], timeout=PATIENCE)
    check(b"<" not in plain_pop3.welcome, f"no timestamp: {plain_pop3.welcome}")
    plain_pop3.close()
    check("[AUTHENTICATIONFAILED]" in login_imap(suite, "sato"), "the user name is the whole address")
    equal(login(suite, SATO.upper(), suite.password(SATO))[1], "OK", "in capitals")


def test_R1_4_tls_1_2_and_newer(suite):
    for version, good in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
        context = client_tls()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        for service in ("submissions", "imaps", "pop3s"):
            with Dialogue(suite.ports[service]) as one:
                try:
                    one.socket = context.wrap_socket(one.socket)
                    equal(good, True, f"{service} by {version}")
                except ssl.SSLError as error:
                    equal(good, False, f"{service} by {version}: {error}")


def test_R1_4_without_tls_too(suite):
    """The seed's list of ports has 110, 143 and 587 without encryption: host and plan allow it."""
    pop3 = poplib.POP3("127.0.0.1", suite.ports["pop3"], timeout=PATIENCE)
    pop3.user(SATO)
    check(pop3.pass_(suite.password(SATO)).startswith(b"+OK"), "POP3")
    pop3.quit()
    with imaplib.IMAP4("127.0.0.1", suite.ports["imap"], timeout=PATIENCE) as imap:
        equal(imap.login(SATO, suite.password(SATO))[0], "OK", "IMAP")
    with suite.smtp("submission") as smtp:
        equal(smtp.login(SATO, suite.password(SATO))[0], 235, "SMTP")
    suite.mailctl("user", "set", SATO, "plaintext-login", "off")
    with suite.smtp("submission") as smtp:
        try:
            smtp.login(SATO, suite.password(SATO))
            raise Failure("one account may be kept from it")
        except smtplib.SMTPAuthenticationError as error:
            check(error.smtp_code in (535, 538), f"{error}")
    suite.mailctl("user", "unset", SATO, "plaintext-login")
    equal(login(suite, SATO)[1], "OK", "under TLS as ever")


# ---- R2: accounts -----------------------------------------------------------------------------------

def test_R2_2_names(suite):
    for name, part in (("a", "2 to 32"), ("a" * 33, "2 to 32"), ("-ab", "begins and ends"), ("ab.", "begins and ends"),
                       ("a+b", "letters, digits"), ("山田", "half-width"), ("../etc", "letters, digits")):
        refused(suite, "user", "add", f"{name}@{DOMAIN}", data=b"Dareka-Desu-01\n", says=[part])
    for name in ("ab", "A-b_c.9", "x" * 32):
        suite.mailctl("user", "add", f"{name}@{DOMAIN}", text="Dareka-Desu-01\n")
        deliver(suite, f"{name.upper()}@{DOMAIN}", f"{name.lower()}@{DOMAIN}")
        suite.mailctl("user", "del", f"{name}@{DOMAIN}")
    refused(suite, "user", "add", f"SATO@{DOMAIN}", data=b"Dareka-Desu-01\n", says=["already"])


def test_R2_3_passwords(suite):
    for password, part in (("Abcde-67890", "fewer than 12"), ("ABCDE-678901", "no lower-case"), ("abcde-678901", "no upper-case"),
                           ("Abcdefghijk-", "no digit"), ("Abcdefghijk1", "no symbol"), ("Abcde-123456", "six or more digits"),
                           ("kaisha.example", "domain's name"), ("Ａbcdefghijk-1", "half-width")):
        refused(suite, "user", "passwd", SATO, data=f"{password}\n".encode(), says=[part])
    for symbol in "#()+-.[]{}!<>_:*$@%^&,~":
        set_password(suite, SATO, f"Abcdefghij1{symbol}")
    equal([said.split()[0] for said in login(suite, SATO)], ["235", "OK", "+OK"], "the last one counts")


def test_R2_4_postmaster_is_a_mailbox_that_stays(suite):
    refused(suite, "user", "del", f"postmaster@{DOMAIN}", says=["can't be removed"])
    refused(suite, "user", "add", f"postmaster@{DOMAIN}", data=b"Postmaster-01\n", says=["already"])
    set_password(suite, f"postmaster@{DOMAIN}", "Kanrisha-Desu-1")
    deliver(suite, f"Postmaster@{DOMAIN}", f"postmaster@{DOMAIN}")
    with Imap(suite, f"postmaster@{DOMAIN}") as imap:
        equal(imap.ok("SELECT INBOX").numbers("EXISTS"), [1], "its mail by IMAP")
    check(rcpt(suite, f"nobody@{DOMAIN}").startswith("550"), "nobody is no account here")


def test_R2_5_what_an_account_has(suite):
    """Quota, comment, receive switch, spam switches, forwards, automatic reply: each shown as it was set."""
    for name, value, shown in (("quota", "200", 200), ("comment", "総務部　加藤 <kato>", "総務部　加藤 <kato>"),
                               ("receive", "off", False), ("spam-tag", "on", True), ("spam-folder", "on", True)):
        suite.mailctl("user", "set", KATO, name, value)
        equal(settings(suite, KATO)[name], shown, name)
        suite.mailctl("user", "unset", KATO, name)
    equal((settings(suite, KATO)["spam-tag"], settings(suite, KATO)["spam-folder"]), (False, False), "off by default")
    refused(suite, "user", "set", KATO, "quota", "1.5", says=["number"])
    refused(suite, "user", "set", KATO, "comment", "x" * 256, says=["255 characters"])


def test_R2_6_purge_keeps_the_account_and_what_arrives(suite):
    """Emptied with its forwards and settings kept, while an IMAP session has it open; no arriving mail is lost."""
    for _ in range(5):
        deliver(suite, KOBAYASHI)
    suite.mailctl("forward", "add", KOBAYASHI, "kobayashi@friend.example")
    sent = 12
    with Imap(suite, KOBAYASHI) as imap:
        imap.ok("SELECT INBOX")
        sender = threading.Thread(target=lambda: [receive(suite, KOBAYASHI) for _ in range(sent)])
        sender.start()
        removed = json.loads(suite.mailctl("user", "purge", KOBAYASHI, "--json"))["removed"]
        sender.join()
        suite.wait_queue_empty()
        equal(removed + len(suite.mailbox(KOBAYASHI)), 5 + sent, "removed and left")
        equal(imap.ok("STATUS INBOX (MESSAGES)").done.kind, "OK", "the session goes on")
    check("kobayashi@friend.example" in suite.mailctl("forward", "list", KOBAYASHI), "the forward stays")
    suite.mailctl("forward", "del", KOBAYASHI, "kobayashi@friend.example")


def test_R2_6_an_account_goes_with_all_that_is_its_own(suite):
    address = f"taishoku@{DOMAIN}"
    suite.mailctl("user", "add", address, text=f"{first_password('taishoku')}\n")
    suite.mailctl("forward", "add", address, "--subject", "見積", "a@friend.example")
    suite.mailctl("reply", "set", address, text="退職しました。\n")
    deliver(suite, address)
    with Imap(suite, address) as imap:
        imap.ok("SELECT INBOX")
        suite.mailctl("user", "del", address)
        imap.send("a NOOP\r\n")
        equal(imap.response().kind, "BYE", "the open session is told")
    check(rcpt(suite, address).startswith("550"), "unknown")
    check(not any(b"taishoku" in text for name, text in control_files(suite).items() if "/control/" in name), "control files")
    refused(suite, "user", "del", address, says=["no account"])
    suite.mailctl("user", "add", address, text=f"{first_password('taishoku')}\n")
    with Imap(suite, address) as imap:
        equal(imap.ok("SELECT INBOX").numbers("EXISTS"), [0], "a new one of the name has nothing of the old")
    equal(json.loads(suite.mailctl("forward", "list", address, "--json")), [], "nor its forwards")
    suite.mailctl("user", "del", address)


def test_R2_7_one_more_than_the_contract(suite):
    suite.mailctl("domain", "set", DOMAIN, "accounts-max", str(len(STAFF)))
    refused(suite, "user", "add", f"shinjin@{DOMAIN}", data=b"Shinjin-Desu-1\n", says=["all 10 accounts of its contract"])
    suite.mailctl("domain", "unset", DOMAIN, "accounts-max")


# ---- R4, R5, R6 -------------------------------------------------------------------------------------

def fill(suite, address):
    """A mailbox of 1 MB to its end."""
    line = "x" * 98 + "\r\n"
    deliver(suite, address, body=line * 7000)
    deliver(suite, address, body=line * 3360)


def test_R4_R10_over_capacity_452_and_its_end(suite):
    """The state comes with the first message that finds no room; it ends with a larger quota, or with less mail."""
    fill(suite, ITO)
    receive(suite, ITO, body="x" * 98 + "\r\n" * 30000)
    wait_until(lambda: "over-capacity" in states(suite, ITO), "the state")
    equal(rcpt(suite, ITO), FULL, "what a sender hears")
    check(not rcpt(suite, SATO).startswith("4"), "others receive")
    found = states(suite, ITO)["over-capacity"]
    check(found["cause"].startswith("full: ") and found["since"] and "raise the quota" in found["cure"], f"{found}")
    equal(mail_from(suite, ITO)[:3], "250", "it sends as ever")
    suite.mailctl("user", "set", ITO, "quota", "2")
    wait_until(lambda: "over-capacity" not in states(suite, ITO), "its end, by a larger quota")
    suite.flush_queue()
    equal(history(suite, ITO)[:2], [("over-capacity", "cleared"), ("over-capacity", "set")], "what is remembered")
    suite.mailctl("user", "set", ITO, "quota", "1")
    receive(suite, ITO, body="x" * 98 + "\r\n" * 30000)
    wait_until(lambda: "over-capacity" in states(suite, ITO), "the state again")
    with Imap(suite, ITO) as imap:
        used, most = imap.ok("GETQUOTAROOT INBOX").one("QUOTA")[1]["STORAGE"]
        check(used > most == 1024, f"R4.4: used space, and the quota, over IMAP: {used} of {most} KiB")
    suite.mailctl("user", "purge", ITO)
    wait_until(lambda: "over-capacity" not in states(suite, ITO), "its end, by less mail")
    suite.flush_queue()


def test_R4_4_used_space_in_the_export_and_the_list(suite):
    row = exported(suite)["suzuki"]
    equal((row["amount_of_mail_box"], row["mail_capacity"]), ("1", "0"), "MB, rounded up; no limit of its own")
    (shown,) = [one for one in json.loads(suite.mailctl("user", "list", DOMAIN, "--json")) if one["user"] == SUZUKI]
    equal(shown["used"]["bytes"], sum(os.path.getsize(name) for name in suite.mailbox(SUZUKI)), "bytes")


def test_R4_warnings_at_80_and_95_percent(suite):
    suite.mailctl("user", "set", MORI, "quota", "1")
    line = "x" * 98 + "\r\n"
    for lines, percent in ((8700, "80%"), (1350, "95%")):
        receive(suite, MORI, body=line * lines)
        wait_until(lambda wanted=percent: any(b"auto-generated" in text and wanted.encode() in text
                                              for text in suite.messages(MORI)), f"the warning at {percent}")
    suite.mailctl("user", "unset", MORI, "quota")
    suite.mailctl("user", "purge", MORI)


def sized(size):
    head = message(SATO, SUZUKI, "all of it")
    line = b"y" * 998 + b"\r\n"
    data = head + line * ((size - len(head)) // len(line) - 1)
    return data + b"z" * (size - len(data) - 2) + b"\r\n"


def test_R5_1_100_MB_and_no_byte_more(suite):
    """Everything counted, attachments too; refused at MAIL where SIZE says so, else behind the data."""
    before = len(suite.mailbox(SUZUKI))
    with logged_in(suite, SATO) as smtp:
        check(f"SIZE {LARGEST}" in smtp.expect("EHLO c", "250"), "SIZE offered")
        equal(smtp.ask(f"MAIL FROM:<{SATO}> SIZE={LARGEST + 1}"), TOO_BIG, "at MAIL")
        for size, wanted in ((LARGEST + 1, TOO_BIG), (LARGEST, "250")):
            smtp.expect(f"MAIL FROM:<{SATO}>", "250")
            smtp.expect(f"RCPT TO:<{SUZUKI}>", "250")
            smtp.expect("DATA", "354")
            data = sized(size)
            equal(len(data), size, "the test's own message")
            smtp.send(data + b".\r\n")
            smtp.expect(None, wanted)
    suite.wait_messages(SUZUKI, before + 1, 120)
    largest = max(suite.mailbox(SUZUKI), key=os.path.getsize)
    check(os.path.getsize(largest) >= LARGEST, "it is stored whole")
    suite.mailctl("user", "purge", SUZUKI)


def test_R6_no_children_no_catch_all(suite):
    """Unknown local parts are refused at RCPT; user+tag is the user's."""
    refused(suite, "child", "add", DOMAIN, f"osaka.{DOMAIN}", says=["has no child domains"])
    refused(suite, "domain", "set", DOMAIN, "catch-all", "sato", says=["may not change it"])
    for local in ("dareka", "dareka+tag", "nobody"):
        check(rcpt(suite, f"{local}@{DOMAIN}").startswith("550"), local)
    deliver(suite, f"sato+shop@{DOMAIN}", SATO)
    suite.mailctl("user", "set", SATO, "plus-addressing", "off")
    check(rcpt(suite, f"sato+shop@{DOMAIN}").startswith("550"), "where the account has it off")
    suite.mailctl("user", "unset", SATO, "plus-addressing")


# ---- R7: forwards -----------------------------------------------------------------------------------

def rows(suite, address):
    return json.loads(suite.mailctl("forward", "list", address, "--json"))


def test_R7_1_300_addresses_of_all_conditions(suite):
    """The 301st is refused, whatever its condition; all 300 get the message, each once."""
    many = [f"t{number:03}@friend.example" for number in range(300)]
    suite.mailctl("forward", "add", TANAKA, *many[:100])
    suite.mailctl("forward", "add", TANAKA, "--from", "本社", *many[100:200])
    suite.mailctl("forward", "add", TANAKA, "--subject", "至急", *many[200:])
    for words in ((), ("--from", "本社"), ("--subject", "別"), ("--subject", "至急")):
        refused(suite, "forward", "add", TANAKA, *words, "x@friend.example", says=["may have 300"])
    equal(forwarded(suite, TANAKA, subject="=?UTF-8?B?6Iez5oCl?=", headers="X: y\r\n"), many[:100] + many[200:],
          "all, and the subject's")
    for words in (tuple(many[:100]), ("--from", "本社"), ("--subject", "至急")):
        suite.mailctl("forward", "del", TANAKA, *words)
    equal(rows(suite, TANAKA), [], "none is left")


def test_R7_2_conditions(suite):
    """All: each target a row of its own, by the alphabet. From, Subject: those given together are one row."""
    suite.mailctl("forward", "add", TANAKA, "c@friend.example", "a@friend.example")
    suite.mailctl("forward", "add", TANAKA, "--from", "鈴木 部長", "f@friend.example")
    suite.mailctl("forward", "add", TANAKA, "--subject", "[見積] 50% (案)", "z@friend.example", "s@friend.example", DOCOMO)
    equal([(row["condition"], row["keyword"], row["targets"]) for row in rows(suite, TANAKA)],
          [("all", None, ["a@friend.example"]), ("all", None, ["c@friend.example"]),
           ("from", "鈴木 部長", ["f@friend.example"]),
           ("subject", "[見積] 50% (案)", [DOCOMO, "s@friend.example", "z@friend.example"])], "the list")
    always = ["a@friend.example", "c@friend.example"]
    equal(forwarded(suite, TANAKA), always, "any message")
    jis = "Re: [見積] 50% (案) 第2版".encode("iso-2022-jp").decode("ascii")
    equal(forwarded(suite, TANAKA, subject=jis), sorted(always + [DOCOMO, "s@friend.example", "z@friend.example"]),
          "a subject in ISO-2022-JP, with blanks and symbols")
    sender = "=?UTF-8?B?6Yi05pyoIOmDqOmVtw==?="
    data = message("buchou@sender.example", TANAKA).replace(b"From: <", f"From: {sender} <".encode())
    with_name = outside(suite, lambda: suite.smtp().sendmail("buchou@sender.example", [TANAKA], data))
    equal([one for one, _ in with_name], [*always, "f@friend.example"], "the name in From, decoded")
    equal(forwarded(suite, TANAKA, subject="=?UTF-8?B?6Yi05pyoIOmDqOmVtw==?="), always, "the name in Subject is none in From")
    suite.mailctl("forward", "del", TANAKA, "--subject", "[見積] 50% (案)", "z@friend.example")
    equal(rows(suite, TANAKA)[-1]["targets"], [DOCOMO, "s@friend.example"], "one less")


def test_R7_3_a_copy_stays(suite):
    before = len(suite.mailbox(TANAKA))
    forwarded(suite, TANAKA)
    equal(len(suite.mailbox(TANAKA)), before + 1, "the original is kept by default")


def test_R7_4_no_hyphen_first_and_no_circles(suite):
    refused(suite, "forward", "add", TANAKA, "--", "-x@friend.example", says=["may not begin with -"])
    suite.mailctl("user", "add", f"buka@{OTHER}", text="Torihiki-Desu-1\n")
    suite.mailctl("forward", "add", TANAKA, f"buka@{OTHER}")
    suite.mailctl("forward", "add", f"buka@{OTHER}", TANAKA)
    before = len(suite.mailbox(TANAKA))
    forwarded(suite, TANAKA)
    equal((len(suite.mailbox(TANAKA)), len(suite.mailbox(f"buka@{OTHER}"))), (before + 1, 1), "each has it once")
    suite.mailctl("forward", "del", f"buka@{OTHER}", TANAKA)
    suite.mailctl("forward", "del", TANAKA, f"buka@{OTHER}")


# ---- R8: automatic replies --------------------------------------------------------------------------

AWAY = "お世話になっております。\n本日は休業です。(~ - # は使えます)\n"


def answered(suite, recipient, **mail):
    """The replies that a message makes."""
    return [data for _, data in outside(suite, lambda: receive(suite, recipient, **mail)) if b"auto-replied" in data]


def test_R8_1_300_wide_or_600_narrow_characters(suite):
    for text in ("あ" * 300, "a" * 600, "あa" * 200):
        suite.mailctl("reply", "set", WATANABE, text=text)
        refused(suite, "reply", "set", WATANABE, data=(text + "x").encode(), says=["600 half-width"])
    for one in "―～∥－￠￡￢":
        refused(suite, "reply", "set", WATANABE, data=f"休業{one}です\n".encode(), says=[f'"{one}" (U+{ord(one):04X})'])


def test_R8_2_one_reply_a_day_and_none_to_machines(suite):
    suite.mailctl("reply", "set", WATANABE, text=AWAY)
    jis = "Content-Type: text/plain; charset=ISO-2022-JP\r\n"
    sender = "kyaku@sender.example"
    (reply,) = answered(suite, WATANABE, sender=sender, headers=jis)
    check(b"iso-2022-jp" in reply.lower() and "本日は休業です。".encode("iso-2022-jp") in reply, "in ISO-2022-JP, as the sender writes")
    check(b"Auto-Submitted: auto-replied" in reply and f"From: <{WATANABE}>".encode() in reply, f"{reply!r}")
    equal(answered(suite, WATANABE, sender=sender), [], "the same day")
    for field in ("List-Id: <l.sender.example>", "Precedence: bulk", "Auto-Submitted: auto-generated", "X-Spam-Flag: YES"):
        equal(answered(suite, WATANABE, headers=f"{field}\r\n"), [], field)
    equal(answered(suite, WATANABE, to="dareka@sender.example"), [], "not addressed to it")
    equal(len(answered(suite, WATANABE)), 1, "another sender")


def test_R8_2_two_that_answer_each_other(suite):
    suite.mailctl("reply", "set", f"buka@{OTHER}", text=AWAY)
    PASSWORDS[f"buka@{OTHER}"] = "Torihiki-Desu-1"
    before = len(suite.mailbox(WATANABE)), len(suite.mailbox(f"buka@{OTHER}"))
    suite.submit(f"buka@{OTHER}", [WATANABE], message(f"buka@{OTHER}", WATANABE))
    suite.wait_messages(f"buka@{OTHER}", before[1] + 1)
    suite.wait_queue_empty()
    equal((len(suite.mailbox(WATANABE)), len(suite.mailbox(f"buka@{OTHER}"))), (before[0] + 1, before[1] + 1),
          "one message there, one reply back")
    suite.mailctl("reply", "clear", f"buka@{OTHER}")


def test_R8_1_an_empty_text_is_off(suite):
    suite.mailctl("reply", "set", WATANABE, text="\n")
    equal(answered(suite, WATANABE), [], "no text")
    equal(exported(suite)["watanabe"]["auto"], "0", "the export says so")


# ---- R9: the receive switch -------------------------------------------------------------------------

def preset(suite, *more):
    """The preset's text with other lines of an operator's in place of its own."""
    with open(suite.path("control/plans/business"), encoding="utf-8") as file:
        text = file.read()
    for line in more:
        name = line.removeprefix("free ").split()[0]
        text = re.sub(rf"^{name}( .*)?\n", "", text, flags=re.M)
    return text + "".join(f"{line}\n" for line in more)


def test_R9_off_in_every_combination(suite):
    """With both kinds of forwards, automatic reply, plus-addressing and (on a plan made of this one) catch-all.
    Off: nothing is stored; forwards under all and the reply work; a keyword's forwards need it on."""
    suite.control("plans/business-all", preset(suite, "free catch-all"))
    suite.mailctl("domain", "add", "all.example", "--plan", "business-all")
    suite.mailctl("user", "add", "eigyo@all.example", text="Eigyo-Hajime-01\n")
    suite.mailctl("domain", "set", "all.example", "catch-all", "eigyo")
    address, kept = "eigyo@all.example", 0
    suite.mailctl("forward", "add", address, "all@friend.example")
    suite.mailctl("forward", "add", address, "--subject", "message", "some@friend.example")
    last = (True, True)
    for receive_on, to_all, by_keyword, reply in itertools.product((True, False), repeat=4):
        for is_there, wanted, words in ((last[0], to_all, ["all@friend.example"]),
                                        (last[1], by_keyword, ["--subject", "message", "some@friend.example"])):
            if is_there != wanted:
                suite.mailctl("forward", "add" if wanted else "del", address, *words)
        last = (to_all, by_keyword)
        suite.mailctl("user", "set", address, "receive", "on" if receive_on else "off")
        suite.mailctl("reply", *(("set",) if reply else ("clear",)), address, text=AWAY)
        senders = {}

        def send():
            for local in ("eigyo", "eigyo+tag", "dareka"):
                senders[local] = receive(suite, f"{local}@all.example", subject="message")

        got = [one for one, _ in outside(suite, send)]
        what = f"receive {receive_on}, all {to_all}, keyword {by_keyword}, reply {reply}"
        equal(got.count("all@friend.example"), 3 if to_all else 0, f"to all: {what}")
        equal(got.count("some@friend.example"), 3 if by_keyword and receive_on else 0, f"by keyword: {what}")
        equal([got.count(senders[local]) for local in senders], [int(reply), int(reply), 0], f"answered: {what}")
        kept += 3 if receive_on else 0
        equal(len(suite.mailbox(address)), kept, f"stored: {what}")


def test_R9_the_keyword_and_what_is_there(suite):
    """Who switches it off is told of forwards by keyword; mail that was stored before stays."""
    suite.mailctl("forward", "add", YAMADA, "--from", "課長", "k@friend.example")
    deliver(suite, YAMADA)
    code, _, said = command(suite, "user", "set", YAMADA, "receive", "off")
    check(code == 0 and "only its forwards under all work" in said, said)
    equal(exported(suite)["yamada"]["pop"], "0", "the export says so")
    receive(suite, YAMADA)
    suite.wait_queue_empty()
    equal(len(suite.mailbox(YAMADA)), 1, "messages")
    suite.mailctl("user", "set", YAMADA, "receive", "on")
    suite.mailctl("forward", "del", YAMADA, "--from", "課長")


# ---- R10: states ------------------------------------------------------------------------------------

def seconds(text):
    """Of a time as mailctl says it."""
    return time.mktime(time.strptime(text[:19].replace("T", " "), "%Y-%m-%d %H:%M:%S"))


def sent_by_program(suite, sender):
    """The exit code of a local program's sendmail -f."""
    return subprocess.run([suite.path("bin/sendmail"), "-f", sender, SUZUKI], user=UID, group=UID, extra_groups=[], cwd="/",
                          input=b"Subject: x\n\nx\n", capture_output=True, timeout=PATIENCE).returncode


def test_R10_normal(suite):
    check("normal" in suite.mailctl("state", "show", NAKAMURA), "an account without a state")
    equal(states(suite, NAKAMURA), {}, "for programs")


def test_R10_misuse_by_a_rule_till_the_password_changes(suite):
    """Too many recipients that do not exist: it can't send, not even by a program of the machine; it logs in and receives."""
    suite.mailctl("user", "set", NAKAMURA, "misuse-rejected", "5")
    with logged_in(suite, NAKAMURA) as smtp:
        smtp.expect(f"MAIL FROM:<{NAKAMURA}>", "250")
        for number in range(5):
            smtp.expect(f"RCPT TO:<dareka{number}@{DOMAIN}>", "550")
    wait_until(lambda: mail_from(suite, NAKAMURA).startswith("450 4.7.1 sending is stopped: misuse of this account was detected"),
               "the reply to MAIL")
    equal(sent_by_program(suite, NAKAMURA), 75, "EX_TEMPFAIL of sendmail")
    found = states(suite, NAKAMURA)["misuse-detected"]
    check(found["cause"] and found["since"] and not found["until"] and "new password" in found["cure"], f"{found}")
    equal(login(suite, NAKAMURA)[1:], ["OK", "+OK"], "it reads its mail")
    deliver(suite, NAKAMURA)
    suite.kill9("stated")
    wait_until(lambda: command(suite, "state", "show", NAKAMURA)[0] == 0, "stated is back")
    check(mail_from(suite, NAKAMURA).startswith("450"), "over a restart")
    suite.mailctl("user", "passwd", NAKAMURA, text=suite.password(NAKAMURA) + "\n")
    check("misuse-detected" in states(suite, NAKAMURA), "the same password is no change")
    set_password(suite, NAKAMURA, "Betsu-No-Angou-7")
    check(mail_from(suite, NAKAMURA).startswith("250"), "a new password ends it")
    equal(states(suite, NAKAMURA), {}, "normal")


def test_R10_misuse_by_masses_of_recipients(suite):
    """Within ten minutes; forwarded mail counts, too. The domain's others send as ever."""
    suite.mailctl("user", "set", ITO, "misuse-recipients", "30")
    suite.submit(ITO, [f"t{number}@friend.example" for number in range(20)], message(ITO, SUZUKI))
    suite.mailctl("forward", "add", ITO, *(f"f{number}@friend.example" for number in range(10)))
    equal(len(forwarded(suite, ITO)), 10, "copies")
    wait_until(lambda: mail_from(suite, ITO).startswith("450 4.7.1 sending is stopped: misuse"), "the reply to MAIL")
    check("600 seconds" in states(suite, ITO)["misuse-detected"]["cause"], f"{states(suite, ITO)}")
    equal(forwarded(suite, ITO), [], "no more copies for outside")
    check(mail_from(suite, SATO).startswith("250"), "others send")
    suite.mailctl("forward", "del", ITO, *(f"f{number}@friend.example" for number in range(10)))
    set_password(suite, ITO, "Ito-Atarashii-22")
    equal(states(suite, ITO), {}, "a new password ends it")
    check(mail_from(suite, ITO).startswith("250"), "it sends again")
    suite.mailctl("user", "unset", ITO, "misuse-recipients")


def test_R10_misuse_by_the_operator(suite):
    suite.mailctl("state", "lock", NAKAMURA, "misuse-detected", "--cause", "complaints from outside")
    check("(complaints from outside)" in mail_from(suite, NAKAMURA), "the cause is said")
    set_password(suite, NAKAMURA, "Mata-Betsu-No-8")
    equal(states(suite, NAKAMURA), {}, "a new password ends it, too")


def test_R10_account_lock_by_failed_logins_ends_by_itself(suite):
    """The plan sets count and time. The right password is refused meanwhile, in words that say for how long; mail
    comes in."""
    for _ in range(2):
        check("[AUTHENTICATIONFAILED]" in login_imap(suite, STRICT, "Machigai-Desu-1"), "a wrong password")
    # The one that locks is answered late.
    last = threading.Thread(target=login_imap, args=(suite, STRICT, "Machigai-Desu-1"))
    last.start()
    wait_until(lambda: "account-lock" in states(suite, STRICT), "the lock")
    smtp, imap, pop3 = login(suite, STRICT)
    check(smtp.startswith("454 4.7.0"), smtp)
    check("[UNAVAILABLE]" in imap and "failed" in imap, imap)
    check("[SYS/TEMP]" in pop3, pop3)
    found = states(suite, STRICT)["account-lock"]
    check("3 failed logins" in found["cause"] and found["until"] and found["cure"], f"{found}")
    deliver(suite, STRICT)
    last.join()
    check(not mail_from(suite, KATO).startswith("4"), "other accounts log in from there")
    wait_until(lambda: login_imap(suite, STRICT) == "OK", "its end")
    equal(states(suite, STRICT), {}, "normal")
    check(("account-lock", "locked") in history(suite, STRICT), f"remembered: {history(suite, STRICT)}")


def test_R10_account_lock_by_the_operator(suite):
    suite.mailctl("state", "lock", KATO, "account-lock", "--cause", "unpaid")
    smtp, imap, pop3 = login(suite, KATO)
    check(smtp.startswith("525 5.7.13") and "(unpaid)" in smtp, smtp)
    check("[CONTACTADMIN]" in imap and "[SYS/PERM]" in pop3, imap + pop3)
    suite.mailctl("state", "unlock", KATO, "account-lock")
    equal(login(suite, KATO)[1], "OK", "unlocked")


def test_R10_send_lock_for_a_day(suite):
    """Mass sending: the next message is refused, and so are a program's and copies for outside, for a day."""
    suite.mailctl("user", "set", YAMADA, "account-send-limit", "3")
    for _ in range(3):
        suite.submit(YAMADA, [SUZUKI], message(YAMADA, SUZUKI))
    wait_until(lambda: mail_from(suite, YAMADA).startswith("450 4.7.1 sending is stopped for a time: too much mail was sent"),
               "the lock")
    equal(sent_by_program(suite, YAMADA), 75, "EX_TEMPFAIL of sendmail")
    found = states(suite, YAMADA)["send-lock"]
    check("3 messages sent within 86400 seconds" in found["cause"], f"{found}")
    equal(seconds(found["until"]) - seconds(found["since"]), DAY, "a day")
    suite.mailctl("forward", "add", YAMADA, "y@friend.example")
    before = len(suite.mailbox(YAMADA))
    equal(forwarded(suite, YAMADA), [], "copies for outside")
    equal(len(suite.mailbox(YAMADA)), before + 1, "it receives")
    suite.mailctl("forward", "del", YAMADA, "y@friend.example")
    equal(login(suite, YAMADA)[1:], ["OK", "+OK"], "it reads its mail")
    check(mail_from(suite, MORI).startswith("250"), "others send")
    suite.mailctl("state", "unlock", YAMADA, "send-lock")
    check(mail_from(suite, YAMADA).startswith("250"), "the operator may end it earlier")
    suite.mailctl("user", "unset", YAMADA, "account-send-limit")


def test_R10_send_lock_ends_by_itself(suite):
    """On a plan made of this one, where the day has four seconds."""
    suite.control("plans/business-short", preset(suite, "send-lock-time 4", "account-send-limit 2"))
    suite.mailctl("domain", "add", "short.example", "--plan", "business-short")
    suite.mailctl("user", "add", "eigyo@short.example", text="Eigyo-Hajime-01\n")
    for _ in range(2):
        suite.submit("eigyo@short.example", [SUZUKI], message("eigyo@short.example", SUZUKI))
    wait_until(lambda: mail_from(suite, "eigyo@short.example").startswith("450"), "the lock")
    suite.kill9("stated")
    wait_until(lambda: command(suite, "state", "show", "eigyo@short.example")[0] == 0, "stated is back")
    wait_until(lambda: mail_from(suite, "eigyo@short.example").startswith("250"), "its end")


def test_R10_password_changed_by_force(suite):
    """The old one is void, the flag is shown; a new one is set twice, and may not be like the old one."""
    old = suite.password(MORI)
    suite.mailctl("user", "force-password", MORI, "--cause", "found in a list")
    smtp, imap, pop3 = login(suite, MORI)
    check(smtp.startswith("535 5.7.8 This password is void"), smtp)
    check("[EXPIRED]" in imap and "[AUTH]" in pop3 and "is void" in pop3, imap + pop3)
    equal(json.loads(suite.mailctl("user", "show", MORI, "--json"))["password"], "forced", "the flag")
    check("found in a list" in states(suite, MORI)["password-forced"]["cause"], "the cause")
    deliver(suite, MORI)
    for fresh in (old, old.swapcase(), old[::-1], old[:-1] + "9", old + "!"):
        refused(suite, "user", "passwd", MORI, data=f"{fresh}\n{fresh}\n".encode(), says=["like the old one"])
    refused(suite, "user", "passwd", MORI, data=b"Ao-Iro-Kuruma-5\n", says=["twice"])
    refused(suite, "user", "passwd", MORI, data=b"Ao-Iro-Kuruma-5\nAo-Iro-Kuruma-6\n", says=["twice"])
    set_password(suite, MORI, "Ao-Iro-Kuruma-5", 2)
    equal([said.split()[0] for said in login(suite, MORI)], ["235", "OK", "+OK"], "the new one")
    equal(states(suite, MORI), {}, "normal")


def test_R10_every_change_is_logged_and_listed(suite):
    suite.mailctl("state", "lock", MORI, "send-lock", "--hours", "24")
    listed = json.loads(suite.mailctl("state", "show", DOMAIN, "--json"))["accounts"]
    equal([(row["of"], row["state"]) for row in listed], [(MORI, "send-lock")], "the states of the domain's accounts")
    suite.mailctl("state", "unlock", MORI, "send-lock")
    for line in (f"state-set account={MORI} state=send-lock", f"state-cleared account={MORI} state=send-lock",
                 f"state-set account={NAKAMURA} state=misuse-detected", f"state-cleared account={NAKAMURA} state=misuse-detected",
                 f"state-set account={ITO} state=over-capacity", f"state-cleared account={ITO} state=over-capacity",
                 f"state-set account={MORI} state=password-forced", f"state-cleared account={MORI} state=password-forced",
                 f"state-set account={YAMADA} state=send-lock", f"locked scope=pair account={STRICT}"):
        wait_until(lambda text=line: text in suite.logs("stated"), line)


# ---- R14: ageing ------------------------------------------------------------------------------------

def append(imap, folder, text, days):
    date = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(time.time() - days * DAY))
    imap.ok(f'APPEND {folder} "{date}" ', Literal(f"Subject: {text}\r\n\r\nx\r\n".encode()))


def texts(suite, address, folder=""):
    return sorted(re.search(rb"Subject: (\S+)", one)[1].decode() for one in suite.messages(address, folder))


def put_into_trash(suite, imap, text, days):
    """A message of long ago that got into the trash `days` ago: that moment is in its file's name."""
    append(imap, "Trash", text, 1000)
    for path in suite.mailbox(WATANABE, ".Trash"):
        with open(path, "rb") as file:
            if file.read().startswith(f"Subject: {text}\r".encode()):
                place, name = os.path.split(path)
                moment, rest = name.split(".", 1)
                os.rename(path, os.path.join(place, f"{int(moment) - days * DAY}.{rest}"))


def test_R14_archive_after_180_days_trash_after_31(suite):
    """While the mailbox is open over IMAP; days in the trash count from when it got there; what comes from
    the future (the clock was set back) stays."""
    suite.mailctl("user", "purge", WATANABE)
    with Imap(suite, WATANABE) as inbox, Imap(suite, WATANABE) as trash:
        for text, days in (("furui", 181), ("atarashii", 179), ("mirai", -400)):
            append(inbox, "INBOX", text, days)
        for text, days in (("suteta", 32), ("gomi", 30), ("ashita", -400)):
            put_into_trash(suite, inbox, text, days)
        inbox.ok("SELECT INBOX")
        trash.ok("SELECT Trash")
        (row,) = json.loads(suite.mailctl("age", WATANABE, "--dry-run", "--json"))
        equal((row["archived"], row["deleted"]), (1, 1), "dry run")
        equal(len(suite.mailbox(WATANABE)), 3, "it does nothing")
        suite.mailctl("age", DOMAIN)
        equal(len(inbox.ok("NOOP").numbers("EXPUNGE")), 1, "EXPUNGE in INBOX")
        equal(len(trash.ok("NOOP").numbers("EXPUNGE")), 1, "EXPUNGE in the trash")
        check("\\Archive" in str(inbox.ok('LIST "" * RETURN (SPECIAL-USE)').untagged), "the folder bears its use")
    equal(texts(suite, WATANABE), ["atarashii", "mirai"], "INBOX")
    equal(texts(suite, WATANABE, ".Archive"), ["furui"], "the archive")
    equal(texts(suite, WATANABE, ".Trash"), ["ashita", "gomi"], "the trash")


def test_R14_the_night_does_the_same(suite):
    """nightly, at the hour that the host says."""
    with Imap(suite, WATANABE) as imap:
        append(imap, "INBOX", "yoru", 200)
        suite.set_host("ageing-hour", (time.localtime().tm_hour - 1) % 24)
        # A suite that starts within the night of the default hour has done it already.
        pathlib.Path(suite.path("state/nightly/done")).unlink(missing_ok=True)
        suite.kill9("nightly")
        wait_until(lambda: texts(suite, WATANABE, ".Archive") == ["furui", "yoru"], "the night's work")
    refused(suite, "user", "set", WATANABE, "archive-days", "0", says=["may not change it"])


# ---- R13: who may do what ---------------------------------------------------------------------------

def test_R13_the_administrator_has_all_accounts(suite):
    """Accounts, capacities, comments, CSV, passwords, and all that users have; not what the plan fixes, nor another domain."""
    front = ("--as", f"admin:{DOMAIN}")
    suite.mailctl(*front, "user", "add", f"haken@{DOMAIN}", "--quota", "5", "--comment", "派遣", text="Haken-Hajime-01\n")
    for words, text in ((("user", "set", f"haken@{DOMAIN}", "quota", "7"), ""),
                        (("user", "set", f"haken@{DOMAIN}", "comment", "派遣　二課"), ""),
                        (("user", "passwd", f"haken@{DOMAIN}"), "Haken-Atarashii-2\n"),
                        (("forward", "add", f"haken@{DOMAIN}", "--from", "本社", "a@friend.example"), ""),
                        (("reply", "set", f"haken@{DOMAIN}"), AWAY), (("reply", "clear", f"haken@{DOMAIN}"), ""),
                        (("user", "set", f"haken@{DOMAIN}", "receive", "off"), ""),
                        (("user", "set", f"haken@{DOMAIN}", "spam-folder", "on"), ""),
                        (("user", "purge", f"haken@{DOMAIN}"), ""), (("state", "show", f"haken@{DOMAIN}"), ""),
                        (("csv", "edit", DOMAIN, "-"), f"{EDIT}\nhaken,,8\n")):
        suite.mailctl(*front, *words, text=text)
    check("haken" in suite.mailctl(*front, "csv", "export", DOMAIN), "the export")
    suite.mailctl(*front, "user", "del", f"haken@{DOMAIN}")
    for words in (("user", "show", f"buka@{OTHER}"), ("user", "set", SATO, "apop", "on"), ("domain", "set", DOMAIN, "plan", "rental"),
                  ("domain", "set", DOMAIN, "domain-quota", "0"), ("queue", "list")):
        refused(suite, *front, *words)


def test_R13_a_user_has_his_own(suite):
    """Password, forwards, automatic reply, receive and spam switches, purge; no capacity, no comment, no CSV, nobody else's."""
    front = ("--as", f"user:{SATO}")
    fresh = "Sato-Jibun-De-3"
    for words, text in ((("user", "passwd", SATO), f"{fresh}\n"), (("forward", "add", SATO, "a@friend.example"), ""),
                        (("forward", "del", SATO, "a@friend.example"), ""), (("reply", "set", SATO), AWAY),
                        (("reply", "clear", SATO), ""), (("user", "set", SATO, "receive", "on"), ""),
                        (("user", "set", SATO, "spam-tag", "on"), ""), (("user", "unset", SATO, "spam-tag"), ""),
                        (("user", "purge", SATO), ""), (("state", "show", SATO), ""), (("explain", SATO, "forwards"), "")):
        suite.mailctl(*front, *words, text=text)
    PASSWORDS[SATO] = fresh
    equal(login_imap(suite, SATO), "OK", "by the new password")
    for words in (("user", "set", SATO, "quota", "900"), ("user", "set", SATO, "comment", "社長"), ("user", "del", SATO),
                  ("user", "show", SUZUKI), ("forward", "list", SUZUKI), ("user", "purge", SUZUKI), ("csv", "export", DOMAIN),
                  ("state", "unlock", SATO), ("user", "list", DOMAIN)):
        refused(suite, *front, *words)


# ---- R18: local programs ----------------------------------------------------------------------------

def test_R18_sendmail_counts_for_the_account_and_its_domain(suite):
    """As PHP calls it: recipients from the header, a lone dot is text; no sender is refused more than by a client."""
    before = len(suite.mailbox(SUZUKI))
    text = f"To: {SUZUKI}\nSubject: from a form\n\none\n.\ntwo\n"
    done = subprocess.run([suite.path("bin/sendmail"), "-t", "-i", f"-f{YAMADA}"], input=text.encode(), user=UID, group=UID,
                          extra_groups=[], cwd="/", capture_output=True, timeout=PATIENCE)
    equal(done.returncode, 0, done.stderr)
    check(b"two" in suite.wait_messages(SUZUKI, before + 1)[-1], "all of it")
    suite.mailctl("state", "lock", YAMADA, "send-lock")
    equal(sent_by_program(suite, YAMADA), 75, "EX_TEMPFAIL while the account may not send")
    suite.mailctl("state", "unlock", YAMADA, "send-lock")
    equal(sent_by_program(suite, YAMADA), 0, "afterwards")


# ---- R20 --------------------------------------------------------------------------------------------

def test_R20_explain_says_value_layer_and_who(suite):
    for name, value, layer, who in (("forwards", "300", "plan", "admin"), ("message-size", "104857600", "plan", "admin"),
                                    ("archive-days", "180", "plan", "operator"), ("trash-days", "31", "plan", "operator"),
                                    ("conditional-forwards", "on", "plan", "operator"), ("apop", "off", "plan", "operator"),
                                    ("plaintext-login", "on", "plan", "operator"), ("spam-tag", "off", "plan", "user"),
                                    ("quota", "0", "plan", "admin"), ("quota-warning", "80 95", "plan", "admin"),
                                    ("over-quota-reply", "452", "plan", "operator"), ("postmaster", "box", "plan", "operator"),
                                    ("send-lock-time", "86400", "plan", "operator"), ("lock-failures", "10", "plan", "operator"),
                                    ("lock-time", "900", "plan", "operator"), ("auto-reply", "on", "plan", "user")):
        found = json.loads(suite.mailctl("explain", SATO, name, "--json"))
        equal((found["value"], found["layer"], found["who"]), (value, layer, who), name)
    for name, value in (("forwards", "301"), ("message-size", "104857601"), ("apop", "on"), ("archive-days", "0")):
        refused(suite, "user", "set", SATO, name, value)
