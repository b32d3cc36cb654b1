"""The preset classic, row by row of SPEC (R1 to R10, R14, R18, R20): a newcomer's domain of that plan, with real clients.

Elsewhere: virus check and its mails (R11: 03-virus), spam filter (R12), copies of mail (R15), lists (R16), panel (R17), as
far as they are there.
"""

import gzip
import io
import json
import os
import subprocess
import time
import zipfile
from email.message import EmailMessage

import certificates
from dialogue import greeted, logged_in
from imapsession import Imap
from mailclients import home, write
from presets import (add_domain, arrives, codes, ctl, fetches, mpop_by_apop, pop3, prepare_host, program, refused,
                     replies, sendmail, sized, swaks)
from suite import check, equal, message, wait_until

DOMAIN = "classic.example"
OTHER = "neighbour.example"  # another contract of the plan, on the same server
MEGABYTE = 1048576
SIZE = 20971520
TOO_BIG = "552 sorry, that message size exceeds my databytes limit (#5.3.4)"
FULL = "452 sorry, mailbox is full (#4.5.2)"
PAUSED = "423 sorry, that message exceeds my limit"
TWO_HOURS = 7200
SINKS = {}
UID = 64400  # none of the suite's


def at(local, domain=DOMAIN):
    return f"{local}@{domain}"


def prepare(suite):
    SINKS["outside"] = prepare_host(suite, sendmail_limit=8)
    add_domain(suite, DOMAIN, ("boss", "u1", "u2", "web"), "classic")
    add_domain(suite, OTHER, ("boss", "u1"), "classic")
    suite.mailctl("domain", "set", DOMAIN, "admin", "boss")
    certificates.install(suite, "default", ["DNS:localhost", "IP:127.0.0.1"])
    suite.start()


def login_words(suite, address):
    return ("--auth-user", address, "--auth-password", suite.password(address))


def explained(suite, name, setting):
    return json.loads(suite.mailctl("--json", "explain", name, setting))


# ---- R1: protocols and logging in --------------------------------------------------------------------

def test_R1_1_sending_by_587_with_authentication(suite):
    """SMTP AUTH on the submission port, in the clear or under TLS; without it nothing is relayed, on any port."""
    for words in ((), ("--tls",)):
        before = len(suite.mailbox(at("u2")))
        swaks(suite, "submission", "--auth", "LOGIN", *words, *login_words(suite, at("u1")), "--from", at("u1"), "--to", at("u2"))
        suite.wait_messages(at("u2"), before + 1)
    check(" 530 " in swaks(suite, "submission", "--from", at("u1"), "--to", at("u2"), wanted=(23,)), "AUTH is wanted")
    equal(codes(suite, "someone@elsewhere.example", sender=at("u1")), [554], "relaying by 25")


def test_R1_2_R1_3_pop3_in_the_clear(suite):
    """By the programs of people: curl, fetchmail, mpop with APOP."""
    arrives(suite, at("u1"), at("u1"))
    text = program("curl", "-sS", "--user", f"{at('u1')}:{suite.password(at('u1'))}", f"pop3://localhost:{suite.ports['pop3']}/1")
    equal(text.replace("\r", ""), suite.messages(at("u1"))[0].decode().replace("\r", ""), "curl")
    text = program("curl", "-sS", "--login-options", "AUTH=+APOP", "--user", f"{at('u1')}:{suite.password(at('u1'))}",
                   f"pop3://localhost:{suite.ports['pop3']}/1")
    check("Subject: test" in text, f"curl by APOP: {text}")
    folder = home(suite, "clients")
    mpop_by_apop(suite, at("u1"))
    rc = write(os.path.join(folder, "fetchmailrc"), f"""
poll localhost service {suite.ports['pop3']} proto apop
user "{at('u1')}" password "{suite.password(at('u1'))}" sslproto ""
fetchall nokeep mda "cat >> {folder}/out"
""")
    program("fetchmail", "-f", rc, "--nosyslog", "--pidfile", f"{folder}/pid", env={"HOME": folder})
    with open(f"{folder}/out", "rb") as file:
        equal(file.read().count(b"Return-Path:"), 1, "fetchmail by APOP")
    equal(suite.mailbox(at("u1")), [], "and what it fetched is gone")


def test_R1_3_apop_and_its_secret(suite):
    """A wrong digest and an unknown name sound alike; the secret is for the program that checks logins alone."""
    said = [pop3(suite, name, how="apop", password="Wrong-Horse-10") for name in (at("u1"), at("gone"))]
    check(said[0] == said[1] and said[0].startswith("-ERR [AUTH]"), f"{said}")
    pop3(suite, at("u1"), how="apop").quit()
    found = []
    for folder, _, names in os.walk(suite.path("cdb")):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                if suite.password(at("u1")).encode() in file.read():
                    found.append(path)
                    equal(os.stat(path).st_mode & 0o007, 0, f"rights of others on {path}")
    equal({os.path.basename(os.path.dirname(path)) for path in found}, {"secret"}, "where the secret stands")
    # POP before SMTP: never.
    equal(codes(suite, "someone@elsewhere.example", sender=at("u1")), [554], "port 25 behind a POP3 login")


def test_R1_3_apop_has_to_be_offered_by_the_host(suite):
    """Whoever makes a domain of the plan is told where the host does not: one greeting is for all its domains."""
    suite.set_host("apop", "off")
    code, _, error = ctl(suite, "domain", "add", "early.example", "--plan", "classic")
    check(code == 0 and "warning: control/apop: it is off" in error, error)
    equal(explained(suite, "early.example", "apop")["note"], "not offered: control/apop is off", "explain")
    check(isinstance(pop3(suite, at("u1"), how="apop"), str), "no APOP")
    suite.set_host("apop", "on")
    equal(explained(suite, "early.example", "apop")["note"], "", "explain, offered")
    pop3(suite, at("u1"), how="apop").quit()
    suite.mailctl("domain", "del", "early.example")
    equal(ctl(suite, "domain", "add", "early.example", "--plan", "classic"), (0, "", ""), "no warning now")
    suite.mailctl("domain", "del", "early.example")


def test_R1_3_bare_names(suite):
    """A host for one domain takes the part before the @; no CRAM-MD5."""
    suite.set_host("defaultdomain", DOMAIN)
    for how in ("pass", "apop"):
        pop3(suite, "u1", how=how).quit()
    swaks(suite, "submission", "--auth", "PLAIN", *login_words(suite, "u1"), "--from", at("u1"), "--to", at("u2"),
          "--quit-after", "RCPT")
    suite.set_host("defaultdomain", "")
    with greeted(suite, "submission") as smtp:
        check("CRAM-MD5" not in smtp.expect("EHLO c", "250"), "no CRAM-MD5")


def test_R1_5_no_imap(suite):
    """The refusal says why, to who has the right password; POP3 goes on; nobody below the plan can switch it on."""
    for service in ("imap", "imaps"):
        with Imap(suite, service=service) as imap:
            said = imap.no("CONTACTADMIN", f'LOGIN {at("u1")} "{suite.password(at("u1"))}"')
            equal(said.done.value, "This service is switched off for this account", service)
            imap.no("AUTHENTICATIONFAILED", f'LOGIN {at("u1")} "Wrong-Horse-10"')
    fetches(suite, at("u1"))
    for words in (("user", "set", at("u1")), ("domain", "set", DOMAIN)):
        refused(suite, *words, "imap", "on", says='the plan says "off", and a lower layer may only switch it off')


# ---- R2, R3: accounts --------------------------------------------------------------------------------

def test_R2_4_postmaster_and_nobody_are_the_administrators(suite):
    for name in ("postmaster", "nobody"):
        arrives(suite, at(name), at("boss"))
        arrives(suite, at(name, OTHER), at("postmaster", OTHER))  # no administrator is named there
        refused(suite, "user", "add", at(name), text="Correct-Horse-9\n", says="administrator")
    refused(suite, "user", "del", at("postmaster"), says="can't be removed")


def test_R2_7_accounts_of_the_contract(suite):
    suite.mailctl("domain", "set", DOMAIN, "accounts-max", "4")
    refused(suite, "user", "add", at("fifth"), text="Correct-Horse-9\n", says="all 4 accounts of its contract")
    suite.mailctl("domain", "unset", DOMAIN, "accounts-max")


def test_R3_accounts_by_csv(suite):
    """With APOP from the first login; no box has a limit of its own, and a row that wants one is refused."""
    head = "mail_account,password,mail_capacity,comment\n"
    refused(suite, "csv", "register", DOMAIN, "-", says="line 3: mail_capacity",
            text=f"{head}csv1,Correct-Horse-9,,\ncsv2,Correct-Horse-9,50,\n")
    suite.mailctl("csv", "register", DOMAIN, "-", text=f"{head}csv1,Correct-Horse-9,,\ncsv2,Correct-Horse-9,0,\n")
    for name in ("csv1", "csv2"):
        pop3(suite, at(name), how="apop", password="Correct-Horse-9").quit()
        suite.mailctl("user", "del", at(name))


# ---- R4: capacity ------------------------------------------------------------------------------------

def deliver(suite, recipient, size, sender="a@sender.example"):
    with suite.smtp() as client:
        client.sendmail(sender, [recipient], sized(size, sender, recipient))


def usage(suite, *addresses):
    return sum(os.path.getsize(name) for address in addresses for name in suite.mailbox(address))


def test_R4_2_the_domains_disk_is_the_only_limit(suite):
    """452 at RCPT for each of its addresses once it is full; what was queued before waits; neighbours go on."""
    for layer in (("user", "set", at("u1")), ("domain", "set", DOMAIN)):
        refused(suite, *layer, "quota", "5", says='the plan says "0", and a lower layer may not change it')
    check(int(explained(suite, DOMAIN, "domain-quota")["value"]) > 0, "the contract has a disk")
    suite.mailctl("domain", "set", DOMAIN, "domain-quota", "2")
    for name in ("boss", "u1", "u2", "web"):
        suite.mailctl("user", "purge", at(name))
    deliver(suite, at("u1"), 1500000)  # more than half: no box is limited
    deliver(suite, at("u2"), 575000)
    wait_until(lambda: usage(suite, at("u1"), at("u2")) > 2000000, "two messages")
    equal(replies(suite, at("web"))[0][:3], "250", "there is room")
    deliver(suite, at("web"), 150000)
    wait_until(lambda: "over-capacity" in suite.mailctl("state", "show", DOMAIN), "the state over-capacity")
    equal(replies(suite, at("u1"), at("u2"), at("web"), at("postmaster")), [FULL] * 4, "all of the domain")
    equal(codes(suite, at("u1", OTHER)), [250], "the neighbour")
    with logged_in(suite, at("u1")) as smtp:
        smtp.expect(f"MAIL FROM:<{at('u1')}>", "250")
        smtp.expect(f"RCPT TO:<{at('u1', OTHER)}>", "250")
        equal(smtp.ask(f"RCPT TO:<{at('u2')}>"), FULL, "a customer who writes to his own domain")
    restart(suite)
    equal(replies(suite, at("u1"))[0], FULL, "over a restart of all")
    client = pop3(suite, at("u1"), how="apop")
    client.dele(1)
    client.quit()
    suite.mailctl("user", "purge", at("u2"))  # and have it measured at once, not within a minute
    wait_until(lambda: codes(suite, at("u1"), at("u2")) == [250, 250], "room again")
    suite.mailctl("queue", "flush")
    suite.wait_messages(at("web"), 1)
    suite.mailctl("domain", "unset", DOMAIN, "domain-quota")


def restart(suite):
    suite.stop()
    suite.start()


# ---- R5.1, R5.2: size --------------------------------------------------------------------------------

def transfer(smtp, sender, recipient, text):
    smtp.expect(f"MAIL FROM:<{sender}>", "250")
    smtp.expect(f"RCPT TO:<{recipient}>", "250")
    smtp.expect("DATA", "354")
    smtp.send(text + b".\r\n")
    return smtp.reply()


def test_R5_1_20971520_bytes_pass_and_20971521_do_not(suite):
    """In and out; at MAIL where SIZE says it to who has logged in, at RCPT to other servers, else behind the data."""
    with greeted(suite) as smtp:
        smtp.expect("EHLO c", "250")
        smtp.expect(f"MAIL FROM:<a@sender.example> SIZE={SIZE + 1}", "250")
        equal(smtp.ask(f"RCPT TO:<{at('u2')}>"), TOO_BIG, "by SIZE, from outside")
        smtp.expect("RSET", "250")
        smtp.expect(f"MAIL FROM:<a@sender.example> SIZE={SIZE}", "250")
        smtp.expect(f"RCPT TO:<{at('u2')}>", "250")
        smtp.expect("RSET", "250")
        equal(transfer(smtp, "a@sender.example", at("u2"), sized(SIZE + 1, "a@sender.example", at("u2"))), TOO_BIG, "in")
        check(transfer(smtp, "a@sender.example", at("u2"), sized(SIZE, "a@sender.example", at("u2"))).startswith("250 2.0.0"), "in")
    with logged_in(suite, at("u1")) as smtp:
        check(f"SIZE {SIZE}\n" in smtp.expect("EHLO c", "250") + "\n", "SIZE")
        equal(smtp.ask(f"MAIL FROM:<{at('u1')}> SIZE={SIZE + 1}"), TOO_BIG, "by SIZE, of a customer")
        away = "someone@elsewhere.example"
        equal(transfer(smtp, at("u1"), away, sized(SIZE + 1, at("u1"), away)), TOO_BIG, "out")
        check(transfer(smtp, at("u1"), away, sized(SIZE, at("u1"), away)).startswith("250 2.0.0"), "out")
    outside = SINKS["outside"].transactions
    wait_until(lambda: [done for done in outside if len(done.data) >= SIZE], "the one that goes out")
    wait_until(lambda: usage(suite, at("u2")) > SIZE, "the one that comes in")
    refused(suite, "domain", "set", DOMAIN, "message-size", str(SIZE + 1), says="a lower layer may only lower it")


def with_attachment(recipient, name, content):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@sender.example", recipient, "packed"
    mail.set_content("See the file.\n")
    mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def zipped(size):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("zeros", bytes(size))
    return out.getvalue()


def test_R5_2_an_attachment_before_compression(suite):
    """Of 100 MB and more it goes back, however small it was packed; of one byte less it is delivered."""
    whole = 100 * MEGABYTE
    for name, pack in (("a.zip", zipped), ("a.gz", lambda size: gzip.compress(bytes(size), 1))):
        before = len(suite.mailbox(at("u1"))), len(suite.mailbox(at("boss", OTHER)))
        for size in (whole, whole - 1):
            suite.submit(at("boss", OTHER), [at("u1")], with_attachment(at("u1"), name, pack(size)))
        suite.wait_messages(at("u1"), before[0] + 1)
        suite.wait_messages(at("boss", OTHER), before[1] + 1)
        suite.wait_queue_empty()
        equal(len(suite.mailbox(at("u1"))), before[0] + 1, f"of two by {name}")
        report = suite.messages(at("boss", OTHER))[-1]
        check(b"too large to be checked" in report, f"the report: {report[:2000]}")


# ---- R5.3: rates -------------------------------------------------------------------------------------

def counted(suite, name):
    return {row["counter"]: row for row in json.loads(suite.mailctl("--json", "state", "show", name))["counters"]}


def states(suite, name):
    return {row["state"]: row for row in json.loads(suite.mailctl("--json", "state", "show", name))["states"]}


def receives(suite, recipient):
    """One message of another server: the reply to RCPT, or to the data."""
    with greeted(suite) as smtp:
        smtp.expect("EHLO c", "250")
        smtp.expect("MAIL FROM:<a@sender.example>", "250")
        said = smtp.ask(f"RCPT TO:<{recipient}>")
        if said[0] != "2":
            return said
        smtp.expect("DATA", "354")
        smtp.send(message("a@sender.example", recipient) + b".\r\n")
        return smtp.reply()


def sends(suite, sender, *recipients):
    """One message of a customer: the reply to MAIL, or to the data."""
    with logged_in(suite, sender) as smtp:
        said = smtp.ask(f"MAIL FROM:<{sender}>")
        if said[0] != "2":
            return said
        for recipient in recipients:
            smtp.expect(f"RCPT TO:<{recipient}>", "250")
        smtp.expect("DATA", "354")
        smtp.send(message(sender, recipients[0]) + b".\r\n")
        return smtp.reply()


def wait_written(suite, name, counter, count):
    """Counts are told a moment later, and written by stated within a second."""
    wait_until(lambda: counted(suite, name)[counter]["count"] == count, f"{count} {counter} by {name}", 10)
    told = time.time()
    wait_until(lambda: os.stat(suite.path("state/journal")).st_mtime > told - 0.001 or time.time() > told + 1.5, "its journal", 5)


def kill_stated(suite):
    old = {pid for pid, _ in suite.processes("stated")}
    check(suite.kill9("stated") > 0, "stated was running")
    wait_until(lambda: {pid for pid, _ in suite.processes("stated")} - old and suite.listens("stated"), "stated's return")


def two_hours_at_most(row):
    lasts = seconds(row["until"]) - seconds(row["since"])
    check(0 < lasts <= TWO_HOURS, f"it lasts {lasts} s: {row}")
    equal(lasts, TWO_HOURS, "as the plan says")


def seconds(text):
    return time.mktime(time.strptime(text[:19].replace("T", " "), "%Y-%m-%d %H:%M:%S")) if isinstance(text, str) else text


def test_R5_3_the_plans_numbers(suite):
    for setting, value in (("send-limit", "3000"), ("send-window", "3600"), ("receive-limit", "20000"),
                           ("receive-window", "3600"), ("limit-pause", str(TWO_HOURS))):
        row = explained(suite, DOMAIN, setting)
        equal((row["value"], row["layer"]), (value, "plan"), setting)
    refused(suite, "domain", "set", DOMAIN, "limit-pause", "60", says="a lower layer may not change it")
    refused(suite, "domain", "set", DOMAIN, "send-limit", "3001", says="a lower layer may only lower it")


def test_R5_3_sending(suite):
    """Counts in the window outlive kill -9 and a restart of the tree; beyond the limit the contract pauses, and it alone."""
    before = counted(suite, DOMAIN)["sent"]["count"]
    suite.mailctl("domain", "set", DOMAIN, "send-limit", str(before + 4))
    sends(suite, at("u1"), at("u1", OTHER), at("boss", OTHER))
    wait_written(suite, DOMAIN, "sent", before + 1)
    kill_stated(suite)
    equal(counted(suite, DOMAIN)["sent"]["count"], before + 1, "a message, not its two recipients, over kill -9")
    check(sends(suite, at("u2"), at("u1", OTHER)).startswith("250"), "the second")
    wait_written(suite, DOMAIN, "sent", before + 2)
    restart(suite)
    equal(counted(suite, DOMAIN)["sent"]["count"], before + 2, "over a restart of all")
    for number in (3, 4):
        check(sends(suite, at("u1"), at("u1", OTHER)).startswith("250"), f"number {number}")
    wait_written(suite, DOMAIN, "sent", before + 4)
    equal(sends(suite, at("u1"), at("u1", OTHER)), PAUSED, "the next")
    equal(sends(suite, at("u2"), at("u1", OTHER)), PAUSED, "another account of the contract")
    said = swaks(suite, "submission", "--auth", "PLAIN", *login_words(suite, at("u1")), "--from", at("u1"),
                 "--to", at("u1", OTHER), wanted=(23,))
    check(f"<** {PAUSED}" in said, f"as a client shows it: {said}")
    row = states(suite, DOMAIN)["send-pause"]
    two_hours_at_most(row)
    check(f"{before + 4} messages sent within 3600 seconds" in row["cause"] and row["cure"], f"{row}")
    check("send-pause" in states(suite, at("u1")), "an account shows it, too")
    check(receives(suite, at("u1")).startswith("250"), "receiving is counted apart")
    check(sends(suite, at("u1", OTHER), at("u2")).startswith("250"), "the neighbour sends")
    kill_stated(suite)
    equal(sends(suite, at("u1"), at("u1", OTHER)), PAUSED, "over kill -9")
    restart(suite)
    equal(sends(suite, at("u1"), at("u1", OTHER)), PAUSED, "over a restart of all")
    suite.mailctl("state", "unlock", DOMAIN)
    suite.mailctl("domain", "unset", DOMAIN, "send-limit")


def test_R5_3_receiving(suite):
    """The same for what comes: other servers hear the 423 and come again; the neighbour is not touched."""
    before = counted(suite, DOMAIN)["received"]["count"]
    suite.mailctl("domain", "set", DOMAIN, "receive-limit", str(before + 2))
    for _ in range(2):
        check(receives(suite, at("u1")).startswith("250"), "within the limit")
    wait_written(suite, DOMAIN, "received", before + 2)
    equal(receives(suite, at("u1")), PAUSED, "the next")
    equal(receives(suite, at("u2")), PAUSED, "another mailbox of the contract")
    two_hours_at_most(states(suite, DOMAIN)["receive-pause"])
    kill_stated(suite)
    restart(suite)
    equal(receives(suite, at("u1")), PAUSED, "over kill -9 and a restart of all")
    check(receives(suite, at("u1", OTHER)).startswith("250"), "the neighbour receives")
    check(sends(suite, at("u1"), at("u1", OTHER)).startswith("250"), "sending is counted apart")
    fetches(suite, at("u1"))
    suite.mailctl("state", "unlock", DOMAIN)
    suite.mailctl("domain", "unset", DOMAIN, "receive-limit")


def test_R5_3_the_pause_ends_by_itself(suite):
    """The operator makes the plan's pause short; two hours is the longest that a plan may say."""
    with open(suite.path("control/plans/classic"), encoding="utf-8") as file:
        text = file.read()
    suite.control("plans/classic", text.replace("limit-pause 7200", "limit-pause 7201"))
    done = subprocess.run([suite.path("bin/cdb"), "rebuild"], capture_output=True, text=True)
    check(done.returncode != 0 and "control/plans/classic line" in done.stderr and "7200" in done.stderr, done.stderr)
    suite.control("plans/classic", text.replace("limit-pause 7200", "limit-pause 3"))
    suite.rebuild()
    limit = counted(suite, DOMAIN)["sent"]["count"] + 1
    suite.mailctl("domain", "set", DOMAIN, "send-limit", str(limit))
    check(sends(suite, at("u1"), at("u1", OTHER)).startswith("250"), "the last")
    wait_written(suite, DOMAIN, "sent", limit)
    equal(sends(suite, at("u1"), at("u1", OTHER)), PAUSED, "paused")
    wait_until(lambda: "send-pause" not in states(suite, DOMAIN), "the end of the pause", 20)
    check(sends(suite, at("u1"), at("u1", OTHER)).startswith("250"), "and the counter began anew")
    suite.mailctl("domain", "unset", DOMAIN, "send-limit")
    suite.control("plans/classic", text)
    suite.rebuild()


# ---- R6 to R10 ---------------------------------------------------------------------------------------

def test_R6_neither_catch_all_nor_child_domains(suite):
    """Unknown names are refused at RCPT, never bounced; + is part of what the plan has."""
    equal([reply[:9] for reply in replies(suite, at("gone"), at("gone+u1"))], ["550 5.1.1"] * 2, "unknown names")
    refused(suite, "domain", "set", DOMAIN, "catch-all", "u1", says="may not change it")
    refused(suite, "child", "add", DOMAIN, f"sub.{DOMAIN}", says="the plan classic has no child domains")
    arrives(suite, at("u1+shop"), at("u1"))
    suite.mailctl("user", "set", at("u1"), "plus-addressing", "off")
    equal(codes(suite, at("u1+shop")), [550], "off for one account")
    suite.mailctl("user", "unset", at("u1"), "plus-addressing")


def test_R7_R8_R9_forwards_no_replies_the_switch(suite):
    """Ten targets, none by keyword, no automatic reply; with the switch off mail is forwarded and not kept."""
    targets = [f"t{number}@elsewhere.example" for number in range(10)]
    refused(suite, "forward", "add", at("u2"), "--subject", "word", targets[0], says="conditional-forwards is off")
    suite.mailctl("forward", "add", at("u2"), *targets)
    refused(suite, "forward", "add", at("u2"), "t10@elsewhere.example", says="has 11 forwards, but may have 10")
    refused(suite, "reply", "set", at("u2"), text="I am away.\n", says="the plan says auto-reply off")
    suite.mailctl("user", "set", at("u2"), "receive", "off")
    outside = SINKS["outside"].transactions
    before, kept = len(outside), len(suite.mailbox(at("u2")))
    check(receives(suite, at("u2")).startswith("250"), "it is taken")
    wait_until(lambda: sorted(one for done in outside[before:] for one in done.recipients) == targets, "ten copies")
    suite.wait_queue_empty()
    equal(len(suite.mailbox(at("u2"))), kept, "kept")
    suite.mailctl("user", "unset", at("u2"), "receive")
    suite.mailctl("forward", "del", at("u2"), *targets)


def test_R10_locked_and_void(suite):
    """A state stops APOP as it stops a password."""
    suite.mailctl("state", "lock", at("u2"), "account-lock", "--cause", "unpaid")
    for how in ("pass", "apop"):
        said = pop3(suite, at("u2"), how=how)
        check(isinstance(said, str) and "unpaid" in said, f"{how}: {said}")
    suite.mailctl("state", "unlock", at("u2"), "account-lock")
    suite.mailctl("user", "force-password", at("u2"))
    for how in ("pass", "apop"):
        check(isinstance(pop3(suite, at("u2"), how=how), str), f"{how} by the void password")
    suite.mailctl("user", "passwd", at("u2"), text="Quite-Another8\nQuite-Another8\n")
    pop3(suite, at("u2"), how="apop", password="Quite-Another8").quit()


def test_R13_who_may_do_what(suite):
    """The administrator runs accounts; the contract (disk, rates, plan) is the operator's; a user has his own account."""
    admin, user = ("--as", f"admin:{DOMAIN}"), ("--as", f"user:{at('u1')}")
    suite.mailctl(*admin, "user", "add", at("clerk"), text="Correct-Clerk-9\n")
    pop3(suite, at("clerk"), how="apop").quit()
    suite.mailctl(*admin, "user", "del", at("clerk"))
    for setting, value in (("domain-quota", "5000"), ("send-limit", "10"), ("accounts-max", "0")):
        refused(suite, *admin, "domain", "set", DOMAIN, setting, value, says="operator")
    refused(suite, *admin, "user", "list", OTHER, says="admin")
    suite.mailctl(*user, "user", "passwd", at("u1"), text="Another-Horse-7\n")
    pop3(suite, at("u1"), how="apop", password="Another-Horse-7").quit()
    suite.mailctl(*admin, "user", "passwd", at("u1"), text=suite.password(at("u1")) + "\n")
    suite.mailctl(*user, "user", "set", at("u1"), "receive", "on")
    suite.mailctl(*user, "user", "unset", at("u1"), "receive")
    for words in (("user", "show", at("u2")), ("user", "add", at("clerk")), ("user", "set", at("u1"), "message-size", "5000"),
                  ("csv", "export", DOMAIN)):
        refused(suite, *user, *words, says="user", text="Correct-Clerk-9\n")


def test_R14_nothing_is_aged(suite):
    equal(suite.mailctl("age", "--dry-run", DOMAIN), "", "what ageing would do")


# ---- R18: programs of the machine --------------------------------------------------------------------

CGI = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
printf 'To: %s\\nFrom: {sender}\\nSubject: order %s\\n\\nThank you.\\n' "$QUERY_STRING" "$1" | {sendmail} -t -i -f {sender} || echo "exit $?"
"""


def test_R18_a_cgi_counts_for_its_domain(suite):
    """Under the web server's uid: as one message more of the contract, and stopped when that is."""
    script = write(suite.path("order.cgi"), CGI.format(sender=at("web"), sendmail=suite.path("bin/sendmail")))
    os.chmod(script, 0o755)

    def order(number):
        done = subprocess.run([script, str(number)], user=UID, group=UID, extra_groups=[], cwd="/", capture_output=True, text=True,
                              env={"QUERY_STRING": at("u1", OTHER), "GATEWAY_INTERFACE": "CGI/1.1"})
        return done.stdout.partition("\n\n")[2].strip(), done.stderr
    sent = counted(suite, DOMAIN)["sent"]["count"]
    suite.mailctl("domain", "set", DOMAIN, "send-limit", str(sent + 3))
    mailbox = len(suite.mailbox(at("u1", OTHER)))
    for number in range(2):
        equal(order(number), ("", ""), f"order {number}")
    wait_until(lambda: counted(suite, DOMAIN)["sent"]["count"] == sent + 2, "counted for the contract")
    check(sends(suite, at("u1"), at("u1", OTHER)).startswith("250"), "who logs in shares the limit")
    wait_written(suite, DOMAIN, "sent", sent + 3)
    shown, complaint = order(3)
    equal(shown, "exit 75", "one more")
    check("sorry, that message exceeds my limit" in complaint, complaint)
    suite.wait_messages(at("u1", OTHER), mailbox + 3)
    equal(sends(suite, at("u1"), at("u1", OTHER)), PAUSED, "by login, too")
    equal(sendmail(suite, UID, "-f", at("boss", OTHER), at("u1")), (0, ""), "the neighbour's pages")
    suite.mailctl("state", "unlock", DOMAIN)
    suite.mailctl("domain", "unset", DOMAIN, "send-limit")


def test_R18_cron_is_limited_by_its_uid(suite):
    """Whoever it says it is: sendmail-limit is eight here."""
    for number in range(8):
        equal(sendmail(suite, UID + 1, "-i", "-FCronDaemon", "-oem", "-f", f"root@host{number}.example", at("boss")), (0, ""),
              f"message {number}")
    code, complaint = sendmail(suite, UID + 1, "-f", "root@host.example", at("boss"))
    equal(code, 75, "the ninth")
    check("sorry, that message exceeds my limit" in complaint, complaint)
    restart(suite)
    equal(sendmail(suite, UID + 1, "-f", "root@host.example", at("boss"))[0], 75, "over a restart of all")
    equal(sendmail(suite, UID + 2, "-f", "root@host.example", at("boss")), (0, ""), "another uid")
    check("send-pause" in states(suite, f"uid={UID + 1}"), "its state")


def test_R18_R5_1_the_size_holds_for_them_too(suite):
    """As sender at once, as recipient by a report: 20 MB, beside what servers put in front."""
    suite.mailctl("user", "purge", at("u1"))
    text = "Subject: large\n\n" + ("y" * 99 + "\n") * (SIZE // 100)
    code, complaint = sendmail(suite, UID + 3, "-f", at("web"), "someone@elsewhere.example", text=text)
    check(code == 69 and "sorry, that message size exceeds my databytes limit (#5.3.4)" in complaint, f"{code} {complaint}")
    equal(sendmail(suite, UID + 3, "-f", at("web"), at("u1", OTHER), text=text[:SIZE * 9 // 10]), (0, ""), "a smaller one")
    suite.mailctl("domain", "add", "large.example", "--plan", "business")
    suite.mailctl("user", "add", "u1@large.example", text="Correct-U1-9\n")
    equal(sendmail(suite, UID + 3, "-f", "u1@large.example", at("u1"), "u1@large.example", text=text), (0, ""), "of a domain that may")
    suite.wait_messages("u1@large.example", 2)
    suite.wait_queue_empty()
    equal(suite.mailbox(at("u1")), [], "what the small one got")
    report = b"".join(text for text in suite.messages("u1@large.example") if len(text) < MEGABYTE)
    check(b"sorry, that message size exceeds my databytes limit (#5.3.4)" in report, report)
    # A forward does not get around it either.
    suite.mailctl("forward", "add", "u1@large.example", at("u1"))
    deliver(suite, "u1@large.example", SIZE + 200000)
    suite.wait_messages("u1@large.example", 3)
    suite.wait_queue_empty()
    equal(suite.mailbox(at("u1")), [], "what the small one got by a forward")


def test_R20_the_column_of_the_preset(suite):
    """What is in force without a word of the domain."""
    wanted = {"imap": "off", "pop3": "on", "apop": "on", "plaintext-login": "on", "message-size": str(SIZE), "quota": "0",
              "over-quota-reply": "452", "forwards": "10", "conditional-forwards": "off", "auto-reply": "off", "catch-all": "",
              "postmaster": "admin", "child-domains": "off", "account-send-limit": "0", "spam-tag": "off", "spam-folder": "off"}
    rows = {row["setting"]: row for name in (at("u1", OTHER), OTHER)
            for row in json.loads(suite.mailctl("--json", "explain", name))}
    for name, value in wanted.items():
        equal((rows[name]["value"], rows[name]["layer"]), (value, "plan"), name)
