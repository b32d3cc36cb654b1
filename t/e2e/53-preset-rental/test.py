"""The preset rental, row by row of SPEC (R1 to R10, R14, R18, R20): a newcomer's domain of that plan, with real clients.

Elsewhere: virus check and its mails (R11: 03-virus), spam filter (R12), SPF, DKIM and DMARC (R12.4), copies of mail
(R15), lists (R16), panel and webmail (R17), as far as they are there.
"""

import itertools
import json
import os
import ssl

import certificates
from dialogue import Dialogue, greeted, logged_in
from imapsession import Imap, Unwaited
from mailclients import MBSYNC, home, maildir_messages, write
from presets import (MEGABYTE, add_domain, arrives, codes, ctl, curl_reads, fetches, fill, login_words, mpop_by_apop,
                     plaintext_logins, pop3, prepare_host, program, purged_and_deleted, quota_told, refused, replies,
                     sendmail, settings, sized, submits_with_a_password_alone, swaks, tls_version, transfer)
from suite import check, equal, message, wait_until

DOMAIN = "rental.example"
SIZE = 100 * MEGABYTE
BOX = 384
TOO_BIG = "552 sorry, that message size exceeds my databytes limit (#5.3.4)"
FULL = "452 sorry, mailbox is full (#4.5.2)"
SINKS = {}
UID = 64300  # none of the suite's


def at(local):
    return f"{local}@{DOMAIN}"


def prepare(suite):
    SINKS["outside"] = prepare_host(suite)
    add_domain(suite, DOMAIN, ("boss", "u1", "u2", "any", "full"), "rental")
    suite.mailctl("domain", "set", DOMAIN, "admin", "boss")
    certificates.install(suite, "default", ["DNS:localhost", "IP:127.0.0.1"])
    suite.start()


# ---- R1: protocols and logging in --------------------------------------------------------------------

def test_R1_1_customers_send_by_587_and_465_not_by_25(suite):
    submits_with_a_password_alone(suite, at("u1"), at("u2"))


def test_R1_2_pop3_and_imap_by_curl(suite):
    """110, 995, 143, 993: in the clear, with STLS or STARTTLS, with TLS from the start."""
    arrives(suite, at("any"), at("any"))
    curl_reads(suite, at("any"), ("pop3", ()), ("pop3", ("--ssl-reqd",)), ("pop3s", ()), ("imap", ()),
               ("imap", ("--ssl-reqd",)), ("imaps", ()))


def test_R1_2_imap_by_mbsync_pop3_by_fetchmail_and_mpop(suite):
    """Whole mailboxes, by programs that people use."""
    for number in range(3):
        arrives(suite, at("u1"), at("u1"), sender=f"a{number}@sender.example")
    folder = home(suite, "mbsync")
    os.makedirs(os.path.join(folder, "mail"), exist_ok=True)
    rc = write(os.path.join(folder, "rc"), MBSYNC.format(
        port=suite.ports["imaps"], user=at("u1"), password=suite.password(at("u1")), home=folder, account="",
        channel="Create Both", certificate=suite.path("made/default/cert.pem")))
    program("mbsync", "-c", rc, "-a", env={"HOME": folder})
    count = len(suite.mailbox(at("u1")))
    equal(len(maildir_messages(os.path.join(folder, "mail/INBOX"), {})), count, "mbsync")
    folder = home(suite, "fetchmail")
    rc = write(os.path.join(folder, "rc"), f"""
poll localhost service {suite.ports['pop3']} proto pop3
user "{at('u1')}" password "{suite.password(at('u1'))}" sslproto "TLS1.2" no sslcertck
fetchall keep mda "cat >> {folder}/out"
""")
    program("fetchmail", "-f", rc, "--nosyslog", "--pidfile", f"{folder}/pid", env={"HOME": folder})
    with open(f"{folder}/out", "rb") as file:
        equal(file.read().count(b"Return-Path:"), count, "fetchmail")
    equal(len(fetches(suite, at("u1"), tls=True)), count, "poplib, STLS")


def test_R1_3_apop(suite):
    """Where the plan has it: the password stays on the way home, and no TLS is needed; mpop and poplib."""
    check(len(fetches(suite, at("any"), how="apop")) > 0, "by full address")
    said = pop3(suite, at("any"), how="apop", password="Wrong-Horse-10")
    check(isinstance(said, str) and "[AUTH]" in said, f"a wrong password: {said}")
    mpop_by_apop(suite, at("any"))
    # The secret follows the password.
    suite.mailctl("user", "passwd", at("any"), text="Another-Horse-7\n")
    check(isinstance(pop3(suite, at("any"), how="apop"), str), "the old one is no good")
    pop3(suite, at("any"), how="apop", password="Another-Horse-7").quit()
    suite.mailctl("user", "passwd", at("any"), text=suite.password(at("any")) + "\n")


def test_R1_3_names(suite):
    """The full address; in any case of letters; a bare local part where one domain is meant; no POP before SMTP."""
    pop3(suite, at("u1").upper(), password=suite.password(at("u1"))).quit()
    check(isinstance(pop3(suite, "u1"), str), "a bare name means nothing while no domain is chosen for it")
    suite.set_host("defaultdomain", DOMAIN)
    for how in ("pass", "apop"):
        pop3(suite, "u1", how=how).quit()
    with Imap(suite) as imap:
        imap.ok(f'LOGIN u1 "{suite.password("u1")}"')
    swaks(suite, "submission", "--tls", "--auth", "LOGIN", *login_words(suite, "u1"), "--from", at("u1"), "--to", at("u2"),
          "--quit-after", "RCPT")
    suite.set_host("defaultdomain", "")
    # Who has just read his mail is a stranger to port 25.
    equal(codes(suite, "someone@elsewhere.example", sender=at("u1")), [554], "POP before SMTP")
    for service in ("submission", "submissions"):
        with Dialogue(suite.ports[service]) as smtp:
            if service == "submissions":
                smtp.start_tls()
            smtp.expect(None, "220")
            check("CRAM-MD5" not in smtp.expect("EHLO c", "250"), "no CRAM-MD5")


def test_R1_4_tls_1_2_and_nothing_older(suite):
    """On all seven ports."""
    for service in suite.ports:
        equal(tls_version(suite, service, ssl.TLSVersion.TLSv1_2), "TLSv1.2", service)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            equal(tls_version(suite, service, version), None, f"{service} {version}")


def test_R1_4_plaintext_login_is_allowed_until_the_domain_forbids_it(suite):
    """On 110, 143 and 587, as the plan says; a domain, or one account, may be stricter."""
    equal([word.split()[0] for word in plaintext_logins(suite, at("u1"))], ["+OK", "OK", "235"], "in the clear")
    suite.mailctl("user", "set", at("u1"), "plaintext-login", "off")
    pop3_words, imap_words, smtp_words = plaintext_logins(suite, at("u1"))
    check("TLS" in pop3_words and imap_words.startswith("NO") and smtp_words.startswith("53"),
          f"{pop3_words} {imap_words} {smtp_words}")
    fetches(suite, at("u1"), tls=True)
    suite.mailctl("user", "unset", at("u1"), "plaintext-login")


# ---- R2, R3: accounts --------------------------------------------------------------------------------

def test_R2_2_R2_3_names_and_passwords(suite):
    refused(suite, "user", "add", at("x"), text="Correct-Horse-9\n", says="2 to 32")
    refused(suite, "user", "add", at("new"), text="correct-horse\n", says="no upper-case letter; it has no digit")
    suite.mailctl("user", "add", at("new"), "--comment", "営業部", text="Correct-Horse-9\n")
    equal(settings(suite, at("new"))["comment"], "営業部", "comment")


def test_R2_4_postmaster_and_nobody_are_the_administrators(suite):
    """They reach the administrator's mailbox and can't be made, by hand or by CSV, nor removed."""
    for name in ("postmaster", "nobody", "Postmaster", "NOBODY"):
        arrives(suite, at(name), at("boss"))
        refused(suite, "user", "add", at(name), text="Correct-Horse-9\n", says="administrator")
    refused(suite, "csv", "register", DOMAIN, "-", says="line 3: mail_account",
            text="mail_account,password,mail_capacity,comment\nalso,Correct-Horse-9,,\nnobody,Correct-Horse-9,,\n")
    refused(suite, "user", "del", at("postmaster"), says="can't be removed")
    refused(suite, "user", "del", at("boss"), says="admin is boss")
    suite.mailctl("domain", "set", DOMAIN, "admin", "u2")
    arrives(suite, at("nobody"), at("u2"))
    suite.mailctl("domain", "set", DOMAIN, "admin", "boss")


def test_R2_6_purged_and_deleted(suite):
    purged_and_deleted(suite, at("new"))


def test_R3_accounts_by_csv(suite):
    """Registered with the plan's space; more than the plan has is refused with its line."""
    head = "mail_account,password,mail_capacity,comment\n"
    refused(suite, "csv", "register", DOMAIN, "-", text=f"{head}csv1,Correct-Horse-9,100,\ncsv2,Correct-Horse-9,385,\n",
            says="line 3: mail_capacity")
    suite.mailctl("csv", "register", DOMAIN, "-", text=f"{head}csv1,Correct-Horse-9,100,\ncsv2,Correct-Horse-9,,\n")
    pop3(suite, at("csv2"), how="apop", password="Correct-Horse-9").quit()
    rows = {line.split(",")[0]: line.split(",") for line in suite.mailctl("csv", "export", DOMAIN).splitlines()[1:]}
    equal((rows["csv1"][8], rows["csv2"][8]), ("100", str(BOX)), "mail_capacity")
    equal(rows["csv2"][1], "", "no password")
    suite.mailctl("csv", "edit", DOMAIN, "-", text="mail_account,password,mail_capacity\ncsv1,,384\ngone,,1\n")
    equal(settings(suite, at("csv1"))["quota"], BOX, "as edited")


# ---- R4: capacity ------------------------------------------------------------------------------------

def test_R4_3_a_box_has_384_megabytes(suite):
    """No more by account or domain; IMAP shows it; what is beyond hears the 452, and mail fits again when there is room."""
    explained = json.loads(suite.mailctl("--json", "explain", at("u1"), "quota"))
    equal((explained["value"], explained["layer"]), (str(BOX), "plan"), "explain")
    for layer in (("user", "set", at("u1")), ("domain", "set", DOMAIN)):
        for value in ("385", "0"):
            refused(suite, *layer, "quota", value, says='the plan says "384", and a lower layer may only lower it')
    fill(suite, at("full"), BOX - 1)
    told = quota_told(suite, at("full"))
    check(str(BOX * 1024) in f"{told}", f"QUOTA: {told}")
    with Imap(suite, at("full")) as imap:
        imap.no("OVERQUOTA", "APPEND INBOX ", Unwaited(sized(MEGABYTE + 5000, "a@sender.example", at("full"))))
    shown = json.loads(suite.mailctl("user", "show", at("full"), "--json"))
    check(shown["used"]["bytes"] > (BOX - 1) * MEGABYTE, f"user show: {shown['used']}")
    row = next(line for line in suite.mailctl("csv", "export", DOMAIN).splitlines() if line.startswith("full,"))
    equal((row.split(",")[3], row.split(",")[8]), (str(BOX), str(BOX)), "the export: used, allowed")
    with suite.smtp() as client:
        client.sendmail("a@sender.example", [at("full")], sized(MEGABYTE + 5000, "a@sender.example", at("full")))
    wait_until(lambda: "over-capacity" in suite.mailctl("state", "show", at("full")), "the state over-capacity")
    equal(replies(suite, at("full"), at("u1"))[0], FULL, "what senders hear")
    equal(codes(suite, at("u1")), [250], "others receive")
    with Imap(suite, at("full")) as imap:
        imap.ok("SELECT INBOX")
        imap.ok(f"STORE {imap.search(f'LARGER {MEGABYTE * 2}')[0]} +FLAGS (\\Deleted)")
        imap.ok("EXPUNGE")
    suite.mailctl("user", "set", at("full"), "quota", str(BOX))  # has it measured at once, not within a minute
    wait_until(lambda: codes(suite, at("full")) == [250], "room again")
    suite.mailctl("queue", "flush")
    wait_until(lambda: any(len(text) > MEGABYTE for text in suite.messages(at("full"))), "what waited")


def test_R4_1_the_domains_disk(suite):
    """More promised than the contract has: warned of, allowed."""
    code, _, error = ctl(suite, "domain", "set", DOMAIN, "domain-quota", "1000")
    check(code == 0 and "together, domain-quota is 1000 MB" in error, error)
    suite.mailctl("domain", "unset", DOMAIN, "domain-quota")


# ---- R5: size ----------------------------------------------------------------------------------------

def test_R5_1_a_message_has_100_megabytes(suite):
    """104857600 bytes pass, in and out; one more is refused, at MAIL where SIZE says it, else behind the data."""
    suite.mailctl("user", "purge", at("u2"))
    with greeted(suite) as smtp:
        smtp.expect("EHLO c", "250")
        equal(smtp.ask(f"MAIL FROM:<a@sender.example> SIZE={SIZE + 1}"), TOO_BIG, "at MAIL")
        equal(transfer(smtp, "a@sender.example", at("u2"), SIZE + 1), TOO_BIG, "behind the data")
        check(transfer(smtp, "a@sender.example", at("u2"), SIZE).startswith("250 2.0.0"), "100 MB")
    with logged_in(suite, at("u1")) as smtp:
        check(f"SIZE {SIZE}" in smtp.expect("EHLO c", "250"), "SIZE as the plan has it")
        equal(smtp.ask(f"MAIL FROM:<{at('u1')}> SIZE={SIZE + 1}"), TOO_BIG, "at MAIL, from a customer")
        smtp.expect(f"MAIL FROM:<{at('u1')}> SIZE={SIZE}", "250")
    wait_until(lambda: any(len(text) > SIZE for text in suite.messages(at("u2"))), "the one that fits")
    suite.wait_queue_empty()
    equal(len(suite.mailbox(at("u2"))), 1, "and nothing else")
    suite.mailctl("user", "purge", at("u2"))


# ---- R6: domains, catch-all --------------------------------------------------------------------------

def test_R6_1_no_child_domains(suite):
    refused(suite, "child", "add", DOMAIN, f"sub.{DOMAIN}", says="the plan rental has no child domains")


def test_R6_2_R6_3_catch_all(suite):
    """Unknown names are refused at RCPT till the domain chooses a mailbox; what is known never goes there."""
    equal([reply[:9] for reply in replies(suite, at("gone"), at("gone+tag"))], ["550 5.1.1"] * 2, "without")
    refused(suite, "domain", "set", DOMAIN, "catch-all", "gone", says="there is no such account")
    suite.mailctl("domain", "set", DOMAIN, "catch-all", "any")
    for name in ("gone", "GONE.1", "gone+tag", "a..b", "info"):
        arrives(suite, at(name), at("any"))
    for name, mailbox in (("u1", "u1"), ("u1+tag", "u1"), ("any", "any"), ("postmaster", "boss"), ("nobody", "boss"),
                          ("nobody+tag", "boss")):
        arrives(suite, at(name), at(mailbox))
    refused(suite, "user", "del", at("any"), says="catch-all is any")
    suite.submit(at("u1"), [at("typo")], message(at("u1"), at("typo")))
    wait_until(lambda: any(b"To: <typo@" in text for text in suite.messages(at("any"))), "mail of our own to unknown names")
    # A name that is added is no longer caught, one that is removed is again.
    suite.mailctl("user", "add", at("info"), text="Correct-Horse-9\n")
    arrives(suite, at("info"), at("info"))
    suite.mailctl("user", "del", at("info"))
    arrives(suite, at("info"), at("any"))


def test_R6_2_R9_catch_all_plus_addressing_and_the_receive_switch(suite):
    """Whatever the catch-all's account does with its mail it does with what it caught."""
    outside = SINKS["outside"].transactions
    suite.mailctl("user", "set", at("any"), "receive", "off")
    before, count = len(suite.mailbox(at("any"))), len(outside)
    equal(codes(suite, at("gone"), at("any+tag")), [250, 250], "off: taken")
    suite.mailctl("forward", "add", at("any"), "friend@elsewhere.example")
    with suite.smtp() as client:
        client.sendmail("a@sender.example", [at("gone")], message("a@sender.example", at("gone")))
    wait_until(lambda: len(outside) > count, "the forwarded copy")
    equal(outside[-1].recipients, ["friend@elsewhere.example"], "where it went")
    suite.wait_queue_empty()
    equal(len(suite.mailbox(at("any"))), before, "nothing is kept")
    suite.mailctl("user", "unset", at("any"), "receive")
    arrives(suite, at("gone"), at("any"))
    wait_until(lambda: len(outside) > count + 1, "both: kept and forwarded")
    suite.mailctl("forward", "del", at("any"), "friend@elsewhere.example")
    # Off for one account: an address with + is unknown, and so the catch-all's.
    suite.mailctl("user", "set", at("u1"), "plus-addressing", "off")
    arrives(suite, at("u1+tag"), at("any"))
    suite.mailctl("user", "unset", at("u1"), "plus-addressing")
    arrives(suite, at("u1+tag"), at("u1"))
    # Full: who writes to unknown names hears it.
    suite.mailctl("state", "lock", at("any"), "over-capacity")
    equal(replies(suite, at("gone"), at("u1+x"))[0], FULL, "of the catch-all")
    suite.mailctl("state", "unlock", at("any"), "over-capacity")
    suite.mailctl("domain", "unset", DOMAIN, "catch-all")
    equal(codes(suite, at("gone")), [550], "without again")


def test_R6_a_plan_of_ones_own_with_child_domains(suite):
    """rental and one line more: catch-all, child domain, + and reserved names, in every combination."""
    with open(suite.path("control/plans/rental"), encoding="utf-8") as file:
        text = file.read()
    suite.control("plans/rental-child", text.replace("child-domains off", "child-domains on"))
    for caught, plus in itertools.product((False, True), repeat=2):
        domain = f"c{caught:d}{plus:d}.example"
        add_domain(suite, domain, ("boss", "u1", "any"), "rental-child")
        suite.mailctl("domain", "set", domain, "admin", "boss")
        suite.mailctl("child", "add", domain, f"sub.{domain}")
        if caught:
            suite.mailctl("domain", "set", domain, "catch-all", "any")
        if not plus:
            suite.mailctl("user", "set", f"u1@{domain}", "plus-addressing", "off")
        rest = "any" if caught else None
        for name in (domain, f"sub.{domain}"):
            for local, mailbox in (("u1", "u1"), ("u1+tag", "u1" if plus else rest), ("gone", rest), ("nobody", "boss"),
                                   ("postmaster", "boss")):
                equal(codes(suite, f"{local}@{name}"), [250 if mailbox else 550], f"{local}@{name}, {caught}, {plus}")
                if mailbox:
                    arrives(suite, f"{local}@{name}", f"{mailbox}@{domain}")
        equal(codes(suite, f"u1@deeper.sub.{domain}"), [554], "no child of a child")
        suite.mailctl("domain", "del", domain)


# ---- R7, R8, R9: forwards, replies, the switch -------------------------------------------------------

def test_R7_ten_forwards_and_no_keywords(suite):
    targets = [f"t{number}@elsewhere.example" for number in range(10)]
    refused(suite, "forward", "add", at("u2"), "--from", "word", targets[0], says="conditional-forwards is off")
    refused(suite, "forward", "add", at("u2"), "--subject", "word", targets[0], says="conditional-forwards is off")
    refused(suite, "forward", "add", at("u2"), "--", "-x@elsewhere.example", says="may not begin with -")
    suite.mailctl("forward", "add", at("u2"), *reversed(targets))
    refused(suite, "forward", "add", at("u2"), "t10@elsewhere.example", says="has 11 forwards, but may have 10")
    shown = suite.mailctl("forward", "list", at("u2"))
    equal([word for word in shown.split() if "@" in word], targets, "in alphabetical order")
    outside = SINKS["outside"].transactions
    count = len(outside)
    arrives(suite, at("u2"), at("u2"))
    wait_until(lambda: sorted(one for done in outside[count:] for one in done.recipients) == targets, "ten copies beside ours")
    suite.mailctl("forward", "del", at("u2"), *targets)


def test_R7_docomo(suite):
    """A carrier's address that breaks RFC 5321 is a target and a sender like any other."""
    outside = SINKS["outside"].transactions
    suite.mailctl("forward", "add", at("u2"), "a..b@docomo.ne.jp")
    count = len(outside)
    arrives(suite, at("u2"), at("u2"), sender="c.@ezweb.ne.jp")
    wait_until(lambda: len(outside) > count, "the copy")
    equal(outside[-1].recipients[0].replace('"', ""), "a..b@docomo.ne.jp", "its recipient")
    suite.mailctl("forward", "del", at("u2"), "a..b@docomo.ne.jp")


def test_R8_no_automatic_reply(suite):
    refused(suite, "reply", "set", at("u1"), text="I am away.\n", says="the plan says auto-reply off")
    refused(suite, "user", "set", at("u1"), "auto-reply", "on", says='the plan says "off"')


# ---- R10, R14, R18, R20 ------------------------------------------------------------------------------

def test_R10_states(suite):
    """Seen with cause and cure, said to the client, ended by hand."""
    suite.mailctl("state", "lock", at("u2"), "send-lock", "--cause", "a newsletter gone wrong")
    with logged_in(suite, at("u2")) as smtp:
        smtp.expect(f"MAIL FROM:<{at('u2')}>", "450 4.7.1")
    shown = json.loads(suite.mailctl("--json", "state", "show", at("u2")))["states"]
    equal([(one["state"], one["cause"]) for one in shown], [("send-lock", "a newsletter gone wrong")], "state show")
    fetches(suite, at("u2"), tls=True)
    suite.mailctl("state", "unlock", at("u2"), "send-lock")
    suite.mailctl("user", "force-password", at("u2"))
    for how in ("pass", "apop"):
        check(isinstance(pop3(suite, at("u2"), how=how), str), f"{how} by the void password")
    suite.mailctl("user", "passwd", at("u2"), text="Quite-Another8\nQuite-Another8\n")
    for how in ("pass", "apop"):
        pop3(suite, at("u2"), how=how, password="Quite-Another8").quit()


def test_R13_who_may_do_what(suite):
    """The administrator chooses the catch-all and lowers boxes; the plan's bounds hold for him, too; a user has his own account."""
    admin, user = ("--as", f"admin:{DOMAIN}"), ("--as", f"user:{at('u1')}")
    suite.mailctl(*admin, "domain", "set", DOMAIN, "catch-all", "any")
    arrives(suite, at("unknown"), at("any"))
    suite.mailctl(*admin, "domain", "unset", DOMAIN, "catch-all")
    suite.mailctl(*admin, "user", "set", at("u1"), "quota", "100")
    refused(suite, *admin, "user", "set", at("u1"), "quota", "385", says='the plan says "384"')
    refused(suite, *user, "user", "set", at("u1"), "quota", "50", says="quota")
    suite.mailctl(*admin, "user", "unset", at("u1"), "quota")
    for setting, value in (("domain-quota", "5000"), ("postmaster", "box")):
        refused(suite, *admin, "domain", "set", DOMAIN, setting, value, says="operator")
    suite.mailctl(*user, "forward", "add", at("u1"), "friend@elsewhere.example")
    suite.mailctl(*user, "forward", "del", at("u1"), "friend@elsewhere.example")
    refused(suite, *user, "forward", "add", at("u2"), "friend@elsewhere.example", says="user")
    refused(suite, *user, "domain", "show", DOMAIN, says="user")


def test_R14_nothing_is_aged(suite):
    with Imap(suite, at("u1")) as imap:
        imap.ok('APPEND INBOX "01-Jan-2001 00:00:00 +0900" ', Unwaited(message("a@sender.example", at("u1"))))
    equal(suite.mailctl("age", "--dry-run", DOMAIN), "", "what ageing would do")
    refused(suite, "domain", "set", DOMAIN, "archive-days", "30", says="may not change it")


def test_R18_programs_of_the_machine(suite):
    """CGI and cron: to mailboxes, to other servers; what is for nobody goes back to the sender; counted for the domain."""
    before = len(suite.mailbox(at("u1")))
    outside, count = SINKS["outside"].transactions, len(SINKS["outside"].transactions)

    def sent():
        counters = json.loads(suite.mailctl("--json", "state", "show", DOMAIN))["counters"]
        return next(row["count"] for row in counters if row["counter"] == "sent")
    counted = sent()
    equal(sendmail(suite, UID, "-f", at("u2"), at("u1")), (0, ""), "to ours")
    equal(sendmail(suite, UID, "-t", "-i", "-f", at("u2"), text="To: someone@elsewhere.example\nSubject: x\n\nx\n"), (0, ""), "away")
    suite.wait_messages(at("u1"), before + 1)
    wait_until(lambda: len(outside) > count, "the one for another server")
    wait_until(lambda: sent() == counted + 2, "two messages of the domain")
    kept = len(suite.mailbox(at("u2")))
    equal(sendmail(suite, UID, "-f", at("u2"), at("gone")), (0, ""), "to nobody")
    suite.wait_messages(at("u2"), kept + 1)
    check(any(b"5.1.1" in text for text in suite.messages(at("u2"))), "the report says why")


def test_R20_the_column_of_the_preset(suite):
    """What is in force without a word of the domain, and who may change it."""
    wanted = {"imap": "on", "pop3": "on", "apop": "on", "plaintext-login": "on", "message-size": str(SIZE), "quota": str(BOX),
              "over-quota-reply": "452", "forwards": "10", "conditional-forwards": "off", "auto-reply": "off",
              "spam-tag": "off", "spam-folder": "off", "catch-all": "", "postmaster": "admin", "child-domains": "off"}
    suite.mailctl("domain", "add", "plain.example", "--plan", "rental")
    rows = {row["setting"]: row for name in ("postmaster@plain.example", "plain.example")
            for row in json.loads(suite.mailctl("--json", "explain", name))}
    for name, value in wanted.items():
        equal((rows[name]["value"], rows[name]["layer"]), (value, "plan"), name)
    suite.mailctl("domain", "del", "plain.example")
