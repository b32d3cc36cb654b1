"""The preset site, row by row of SPEC (R1 to R10, R13, R14, R18, R20): a newcomer's domain with child domains, with real clients.

Elsewhere: R1.6's programs by hand-typed settings (07, 37, 38), R5.2 and R11, virus check and its mails (03-virus), R12,
spam and quarantine, R12.4, SPF, DKIM and DMARC (49), R16, lists, R17, panel, as far as they are there.
"""

import os
import ssl
import threading

import certificates
from dialogue import greeted, logged_in
from imapsession import Imap, Unwaited
from mailclients import home, maildir_messages, write
from presets import (MEGABYTE, add_domain, arrives, codes, control_files, ctl, curl_reads, explained, fetches,
                     full_of_sessions, greeting_of_submission, notices, plaintext_logins, pop3, prepare_host, program,
                     purged_and_deleted, quota_told, receive, refused, replies, sendmail, settings, states,
                     submits_with_a_password_alone, tls_version, transfer)
from suite import check, equal, message, wait_until

DOMAIN = "example.com"
CHILD = "www.example.com"
SECOND = "shop.example.com"
OTHER = "other.example"
RATED = "rated.example"
SIZE = 50 * MEGABYTE
TOO_BIG = "552 sorry, that message size exceeds my databytes limit (#5.3.4)"
FULL = "452 sorry, mailbox is full (#4.5.2)"
RATE = "423 sorry, that message exceeds my limit"
ADMIN = f"admin:{DOMAIN}"
UID = 64000  # none of the suite's
SINKS = {}


def at(local, domain=DOMAIN):
    return f"{local}@{domain}"


def prepare(suite):
    """The site's administrator is the account admin, as its owners expect."""
    # Three failed log-ins lock here, for as long as a test likes to wait.
    SINKS["outside"] = prepare_host(suite, lock_failures=3, lock_time=8)
    add_domain(suite, DOMAIN, ("admin", "info", "sales", "staff"), "site")
    suite.mailctl("domain", "set", DOMAIN, "admin", "admin")
    add_domain(suite, OTHER, ("u1",), "site")
    certificates.install(suite, "default", ["DNS:localhost", "IP:127.0.0.1"])
    suite.start()


def outside(act):
    """(recipient, sender, data) of what leaves for other servers by act(), which waits for it itself."""
    count = len(SINKS["outside"].transactions)
    act()
    return sorted((one, done.sender, done.data) for done in SINKS["outside"].transactions[count:] for one in done.recipients)


def copies(suite, address, sender="a@sender.example"):
    """Where a message is forwarded to."""
    def act():
        with suite.smtp() as client:
            client.sendmail(sender, [address], message(sender, address))
        suite.wait_queue_empty()
    return [one for one, _, _ in outside(act)]


# ---- R1: protocols and logging in --------------------------------------------------------------------

def test_R1_1_sent_by_587_and_465_not_by_25(suite):
    submits_with_a_password_alone(suite, at("info"), at("sales"))


def test_R1_2_pop3_and_imap_by_curl(suite):
    """110 with STLS, 995, 143 with STARTTLS, 993."""
    curl_reads(suite, at("sales"), ("pop3", ("--ssl-reqd",)), ("pop3s", ()), ("imap", ("--ssl-reqd",)), ("imaps", ()))


def test_R1_2_pop3_by_getmail(suite):
    folder = home(suite, "getmail")
    write(os.path.join(folder, "rc"), f"""
[retriever]
type = SimplePOP3SSLRetriever
server = localhost
port = {suite.ports['pop3s']}
username = {at('sales')}
password = {suite.password(at('sales'))}
[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "cat >> {folder}/in")
allow_root_commands = true
[options]
read_all = true
""")
    program("getmail", "--getmaildir", folder, "--rcfile", "rc", env={"HOME": folder})
    with open(f"{folder}/in", "rb") as file:
        equal(file.read().count(b"Return-Path:"), len(suite.mailbox(at("sales"))), "messages that getmail fetched")


def mutt(suite, address, keys):
    """mutt with these keys pushed. It wants a terminal: script(1) gives it one."""
    folder = home(suite, "mutt")
    url = f"imaps://localhost:{suite.ports['imaps']}/"
    write(os.path.join(folder, "rc"), f"""
set spoolfile="{url}INBOX" folder="{url}"
set imap_user="{address}" imap_pass="{suite.password(address)}"
set certificate_file={suite.path('made/default/cert.pem')} ssl_verify_dates=no
set mbox_type=Maildir confirmappend=no confirmcreate=no delete=yes quit=yes move=no beep=no wait_key=no
set charset=UTF-8 mark_old=no
""")
    write(os.path.join(folder, "keys"), f"push '{keys.format(home=folder)}'")
    program("script", "-qec", f"mutt -F {folder}/rc -e 'source {folder}/keys'", "/dev/null",
            env={"HOME": folder, "TERM": "xterm", "LANG": "C.UTF-8"})
    return folder


def test_R1_2_imap_by_mutt(suite):
    """All of INBOX copied to the client, one message moved to a folder of its own."""
    count = len(suite.mailbox(at("sales")))
    folder = mutt(suite, at("sales"), "<tag-pattern>~A<enter><tag-prefix><copy-message>{home}/copy<enter>"
                  "<first-entry><save-message>=仕事<enter><sync-mailbox><exit>")
    equal(len(maildir_messages(os.path.join(folder, "copy"), {})), count, "messages that mutt copied")
    equal((len(suite.mailbox(at("sales"))), len(suite.mailbox(at("sales"), ".&TtVOiw-"))), (count - 1, 1), "one is moved")


def test_R1_3_names_and_mechanisms(suite):
    """The full address, in any case of letters, by the child's name as well; PLAIN and LOGIN; no APOP though the host
    offers it; no CRAM-MD5; no POP before SMTP."""
    for service in ("submission", "submissions"):
        said = greeting_of_submission(suite, service)
        check("AUTH PLAIN LOGIN" in said and "CRAM-MD5" not in said, said)
    fetches(suite, at("info").upper(), tls=True, password=suite.password(at("info")))
    check(isinstance(pop3(suite, "info", tls=True), str), "a bare name means nothing while no domain is chosen for it")
    suite.set_host("defaultdomain", DOMAIN)
    fetches(suite, "info", tls=True)
    suite.set_host("defaultdomain", "")
    said = pop3(suite, at("info"), how="apop")
    check(isinstance(said, str), "no APOP")
    equal(codes(suite, "someone@elsewhere.example", sender=at("info")), [554], "POP before SMTP")
    refused(suite, "user", "set", at("info"), "apop", "on", says='the plan says "off"')


def test_R1_4_tls_1_2_and_nothing_older(suite):
    """On all seven ports."""
    for service in suite.ports:
        equal(tls_version(suite, service, ssl.TLSVersion.TLSv1_2), "TLSv1.2", service)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            equal(tls_version(suite, service, version), None, f"{service} {version}")


def test_R1_4_no_login_without_tls(suite):
    """On 110, 143 and 587, with the right password, and though the host would allow it."""
    said = plaintext_logins(suite, at("info"))
    check("TLS" in said[0] and said[1].startswith("NO PRIVACYREQUIRED") and said[2].startswith("538"), f"{said}")
    for layer in (("user", "set", at("info")), ("domain", "set", DOMAIN)):
        refused(suite, *layer, "plaintext-login", "on", says='the plan says "off"')


def test_R1_5_imap_sessions_two_for_each_address(suite):
    """This preset has no number of its own: the suite's, ten at least. explain says it; the eleventh hears why; POP3
    and others go on."""
    row = ctl(suite, "explain", OTHER, "imap-sessions")[1]
    check("10 are in force, by imap-sessions-percent of its addresses" in row, row)
    full_of_sessions(suite, 10, [at("u1", OTHER)], at("info"))


# ---- R2, R3: accounts --------------------------------------------------------------------------------

def test_R2_1_R2_4_admin_postmaster_nobody(suite):
    """postmaster is a mailbox of its own that can't be removed, admin an account that stays while it administrates;
    nobody is a name like any other."""
    for name in ("postmaster", "Postmaster", "admin"):
        arrives(suite, at(name), at(name.lower()))
    arrives(suite, at("postmaster", OTHER), at("postmaster", OTHER))
    refused(suite, "user", "del", at("postmaster"), says="can't be removed")
    refused(suite, "user", "del", at("admin"), says="admin is admin")
    equal(codes(suite, at("nobody")), [550], "nobody")


def test_R2_2_R2_3_names_and_passwords(suite):
    """Each rule says that it is the one; comments are UTF-8."""
    for name, says in (("x", "2 to 32"), ("a" * 33, "2 to 32"), ("-ab", "begins and ends"), ("a+b", "letters, digits")):
        refused(suite, "user", "add", at(name), text="Correct-Horse-9\n", says=says)
    for password, says in (("correct-horse", "no upper-case letter; it has no digit"), ("Short-1", "fewer than 12"),
                           ("Abc-1234567-xyz", "six or more digits")):
        refused(suite, "user", "add", at("new"), text=f"{password}\n", says=says)
    suite.mailctl("user", "add", at("New"), "--comment", "営業部", text="Correct-Horse-9\n")
    equal(settings(suite, at("new"))["comment"], "営業部", "comment")


def test_R2_6_purged_and_deleted(suite):
    purged_and_deleted(suite, at("new"))


def test_R2_7_as_many_accounts_as_the_contract_has(suite):
    """No number by the plan; one that the operator sets holds, for the administrator as well."""
    suite.mailctl("domain", "set", OTHER, "accounts-max", "2")
    add = ("user", "add", at("u3", OTHER))
    suite.mailctl("user", "add", at("u2", OTHER), text="Correct-Horse-9\n")
    for front in ((), ("--as", f"admin:{OTHER}")):
        refused(suite, *front, *add, text="Correct-Horse-9\n", says="all 2 accounts of its contract (accounts-max)")
    suite.mailctl("user", "del", at("u2", OTHER))
    suite.mailctl("domain", "unset", OTHER, "accounts-max")


def test_R3_accounts_by_csv(suite):
    """All or nothing, with every error; quotas by it, and what the export says."""
    head = "mail_account,password,mail_capacity,comment\n"
    refused(suite, "csv", "register", DOMAIN, "-", text=f"{head}csv1,Correct-Horse-9,100,\ninfo,Correct-Horse-9,,\nx,short,,\n",
            says="line 3: mail_account")
    suite.mailctl("csv", "register", DOMAIN, "-", text=f"{head}csv1,Correct-Horse-9,100,受付\ncsv2,Correct-Horse-9,,\n")
    fetches(suite, at("csv2"), tls=True, password="Correct-Horse-9")
    suite.mailctl("csv", "edit", DOMAIN, "-", text="mail_account,password,mail_capacity\ncsv2,,200\ngone,,1\n")
    rows = {line.split(",")[0]: line.split(",") for line in suite.mailctl("csv", "export", DOMAIN).splitlines()[1:]}
    equal((rows["csv1"][1:3], rows["csv1"][8], rows["csv2"][8]), (["", "受付"], "100", "200"), "exported")
    for name in ("csv1", "csv2"):
        suite.mailctl("user", "del", at(name))


# ---- R4: capacity ------------------------------------------------------------------------------------

def test_R4_3_each_account_has_its_own_limit_and_so_has_the_administrator(suite):
    """In MB; IMAP shows it; its owner is warned at 80 and 95 percent; beyond it senders hear 452 for it alone, till
    there is room."""
    equal(explained(suite, at("info"), "quota"), ("0", "plan", "admin"), "none by itself")
    for text in ("1.5", "50MB", "-1", "1048577"):
        refused(suite, "user", "set", at("admin"), "quota", text, says="is not a number from 0 to 1048576")
    suite.mailctl("user", "purge", at("admin"))
    suite.mailctl("--as", ADMIN, "user", "set", at("admin"), "quota", "3")
    suite.mailctl("--as", ADMIN, "user", "set", at("info"), "quota", "500")
    check("3072" in f"{quota_told(suite, at('admin'))}" and "512000" in f"{quota_told(suite, at('info'))}", "QUOTA")
    for size, count in ((1500000, 0), (1150000, 1), (450000, 2)):
        receive(suite, at("admin"), size)
        suite.wait_queue_empty()
        wait_until(lambda wanted=count: len(notices(suite, at("admin"))) == wanted, f"{count} warnings")
    first, second = sorted(notices(suite, at("admin")), key=lambda mail: mail["Subject"])
    check("80%" in first["Subject"] and "95%" in second["Subject"], f"{first['Subject']} {second['Subject']}")
    check("使用量" in first.get_content() and "full" in first.get_content(), "in Japanese and English")
    receive(suite, at("admin"), 200000, b"z")
    wait_until(lambda: "over-capacity" in states(suite, at("admin")), "the state over-capacity")
    equal(replies(suite, at("admin")), [FULL], "what senders hear")
    equal(codes(suite, at("info"), at("sales")), [250, 250], "others receive")
    suite.mailctl("user", "set", at("admin"), "quota", "5")
    wait_until(lambda: states(suite, at("admin")) == {}, "normal by itself")
    suite.mailctl("queue", "flush")
    wait_until(lambda: any(b"zzzz" in text for text in suite.messages(at("admin"))), "what waited")
    suite.mailctl("user", "purge", at("admin"))
    suite.mailctl("user", "unset", at("admin"), "quota")
    suite.mailctl("user", "unset", at("info"), "quota")


def test_R4_1_R4_2_the_contracts_disk(suite):
    """More promised than it has: warned of and allowed. What it has is the end for all accounts together."""
    suite.mailctl("domain", "set", DOMAIN, "domain-quota", "2")
    code, _, said = ctl(suite, "user", "set", at("info"), "quota", "200")
    check(code == 0 and "quotas are 200 MB together, domain-quota is 2 MB" in said, said)
    suite.mailctl("user", "unset", at("info"), "quota")
    receive(suite, at("staff"), 1050000)
    suite.wait_messages(at("staff"), 1)
    receive(suite, at("info"), 1020000)
    wait_until(lambda: sum(map(len, suite.messages(at("info")))) > 1000000, "the second")
    receive(suite, at("sales"), 40000, b"x")
    wait_until(lambda: "over-capacity" in states(suite, DOMAIN), "the state of the domain")
    equal(replies(suite, at("info")) + replies(suite, at("sales")), [FULL] * 2, "what senders hear")
    equal(codes(suite, at("u1", OTHER)), [250], "others receive")
    suite.mailctl("user", "purge", at("staff"))
    wait_until(lambda: "over-capacity" not in states(suite, DOMAIN), "normal by itself")
    suite.mailctl("queue", "flush")
    wait_until(lambda: any(b"xxxx" in text for text in suite.messages(at("sales"))), "what waited")
    wait_until(lambda: codes(suite, at("info")) == [250], "room again")
    suite.mailctl("domain", "unset", DOMAIN, "domain-quota")


# ---- R5: size and rates ------------------------------------------------------------------------------

def test_R5_1_a_message_has_50_megabytes(suite):
    """52428800 bytes pass, in and out; one more is refused, at MAIL where SIZE says it, else behind the data."""
    suite.mailctl("user", "purge", at("staff"))
    with greeted(suite) as smtp:
        smtp.expect("EHLO c", "250")
        equal(smtp.ask(f"MAIL FROM:<a@sender.example> SIZE={2 * SIZE + 1}"), TOO_BIG, "at MAIL, beyond the host's own")
        smtp.expect(f"MAIL FROM:<a@sender.example> SIZE={SIZE + 1}", "250")
        equal(smtp.ask(f"RCPT TO:<{at('staff')}>"), TOO_BIG, "at RCPT, who the recipient is being known then")
        smtp.expect("RSET", "250")
        equal(transfer(smtp, "a@sender.example", at("staff"), SIZE + 1), TOO_BIG, "behind the data")
        check(transfer(smtp, "a@sender.example", at("staff"), SIZE).startswith("250 2.0.0"), "50 MB")
    with logged_in(suite, at("info")) as smtp:
        check(f"SIZE {SIZE}" in smtp.expect("EHLO c", "250"), "SIZE as the plan has it")
        equal(smtp.ask(f"MAIL FROM:<{at('info')}> SIZE={SIZE + 1}"), TOO_BIG, "at MAIL, from a customer")
        smtp.expect(f"MAIL FROM:<{at('info')}> SIZE={SIZE}", "250")
    wait_until(lambda: any(len(text) > SIZE for text in suite.messages(at("staff"))), "the one that fits")
    suite.wait_queue_empty()
    equal(len(suite.mailbox(at("staff"))), 1, "and nothing else")
    suite.mailctl("user", "purge", at("staff"))


def mail_from(suite, address):
    with logged_in(suite, address) as smtp:
        return smtp.ask(f"MAIL FROM:<{address}>")


def test_R5_3_a_limit_that_the_operator_sets_for_one_contract(suite):
    """The plan has the suite's own numbers. A lower one of a domain holds in both directions, over a restart of the
    tree; others are not affected; at most an hour later it goes on."""
    add_domain(suite, RATED, ("u1",), "site")
    equal(explained(suite, RATED, "send-limit"), ("50000", "system", "operator"), "by itself")
    suite.mailctl("domain", "set", RATED, "send-limit", "3")
    suite.mailctl("domain", "set", RATED, "receive-limit", "5")
    refused(suite, "domain", "set", RATED, "send-limit", "50001", says="may only lower it")
    for _ in range(3):
        suite.submit(at("u1", RATED), [at("info")], message(at("u1", RATED), at("info")))
    wait_until(lambda: mail_from(suite, at("u1", RATED)) == RATE, "the fourth")
    suite.wait_queue_empty()
    suite.stop()
    suite.start()
    equal(mail_from(suite, at("u1", RATED)), RATE, "over a restart")
    check(mail_from(suite, at("info")).startswith("250"), "another contract sends")
    found = states(suite, RATED)["send-pause"]
    check(found["until"] and "3 messages" in found["cause"], f"{found}")
    for _ in range(5):
        arrives(suite, at("u1", RATED), at("u1", RATED))
    wait_until(lambda: replies(suite, at("u1", RATED)) == [RATE], "the sixth that it would get")
    equal(codes(suite, at("info")), [250], "others receive")
    suite.mailctl("domain", "unset", RATED, "send-limit")
    suite.mailctl("domain", "unset", RATED, "receive-limit")
    suite.mailctl("state", "unlock", RATED)
    check(mail_from(suite, at("u1", RATED)).startswith("250"), "by the operator, earlier")
    equal(codes(suite, at("u1", RATED)), [250], "both")


# ---- R6: child domains -------------------------------------------------------------------------------

def test_R6_1_mail_for_every_child_reaches_the_parents_mailbox(suite):
    """For all users, those that come later as well, with + and in any case of letters; from the moment on that it is
    added, and no longer when it is removed."""
    equal(codes(suite, at("info", CHILD)), [554], "before it is ours")
    suite.mailctl("child", "add", DOMAIN, CHILD)
    suite.mailctl("--as", ADMIN, "child", "add", DOMAIN, SECOND)
    for child in (CHILD, SECOND):
        for name in ("info", "sales", "admin", "postmaster"):
            arrives(suite, at(name, child), at(name))
        arrives(suite, at("info+tag", child), at("info"))
        arrives(suite, at("INFO", child.upper()), at("info"))
    suite.mailctl("user", "add", at("later"), text=suite.password(at("later")) + "\n")
    arrives(suite, at("later", CHILD), at("later"))
    suite.submit(at("sales"), [at("info", CHILD)], message(at("sales"), at("info", CHILD)))
    wait_until(lambda: any(b"To: <info@www." in text and b"From: <sales@" in text for text in suite.messages(at("info"))),
               "mail from inside")
    suite.mailctl("child", "del", DOMAIN, SECOND)
    equal(codes(suite, at("info", SECOND), at("info", CHILD)), [554, 250], "when it is removed")


def test_R6_1_who_has_a_mailbox_sends_and_logs_in_by_the_childs_name(suite):
    with logged_in(suite, at("info", CHILD)) as smtp:
        smtp.expect(f"MAIL FROM:<{at('info', CHILD)}>", "250")
        smtp.expect("RSET", "250")
        smtp.expect(f"MAIL FROM:<{at('info')}>", "250")
        smtp.expect("RSET", "250")
        smtp.expect(f"MAIL FROM:<{at('sales', CHILD)}>", "553")
    pop3(suite, at("info", CHILD), tls=True).quit()
    with Imap(suite, at("info", CHILD)) as imap:
        imap.ok("SELECT INBOX")


def test_R6_1_what_is_no_child(suite):
    """Each is refused, says why, and changes no file."""
    refused(suite, "child", "add", DOMAIN, CHILD, says=f"{CHILD} is a child of {DOMAIN} already")
    refused(suite, "child", "add", OTHER, CHILD, says=f"{CHILD} is a child of {DOMAIN} already")
    refused(suite, "child", "add", DOMAIN, DOMAIN, says=f"there is a domain {DOMAIN} already")
    refused(suite, "child", "add", DOMAIN, OTHER, says=f"there is a domain {OTHER} already")
    refused(suite, "child", "add", DOMAIN, "info", says="is no domain name")
    refused(suite, "child", "del", DOMAIN, SECOND, says=SECOND)
    refused(suite, "domain", "add", CHILD, "--plan", "site", says=f"{CHILD} is a child of {DOMAIN} already")
    refused(suite, "domain", "set", DOMAIN, "plan", "mailhosting", says="the plan mailhosting has no child domains")
    refused(suite, "--as", ADMIN, "child", "add", DOMAIN, "www.elsewhere.example", says="is not for")
    refused(suite, "--as", f"user:{at('info')}", "child", "add", DOMAIN, SECOND, says="is not for")


def test_R6_2_R6_3_no_catch_all(suite):
    """Unknown names are refused at RCPT, in parent and child; nobody can choose a mailbox for them."""
    equal([reply[:9] for reply in replies(suite, at("gone"), at("gone+tag"), at("gone", CHILD), at("nobody", CHILD),
                                          at("gone+info", CHILD))], ["550 5.1.1"] * 5, "unknown")
    refused(suite, "domain", "set", DOMAIN, "catch-all", "info", says='the plan says ""')
    refused(suite, "--as", ADMIN, "domain", "set", DOMAIN, "catch-all", "info", says='the plan says ""')
    with logged_in(suite, at("info")) as smtp:
        smtp.expect(f"MAIL FROM:<{at('info')}>", "250")
        smtp.expect(f"RCPT TO:<{at('gone', CHILD)}>", "550 5.1.1")
    equal(suite.queue(), [], "nothing is accepted and bounced")


def test_R6_plus_addressing_off_in_parent_and_child(suite):
    suite.mailctl("user", "set", at("info"), "plus-addressing", "off")
    equal(codes(suite, at("info+x"), at("info+x", CHILD), at("sales+x", CHILD)), [550, 550, 250], "off for one")
    suite.mailctl("user", "unset", at("info"), "plus-addressing")
    arrives(suite, at("info+x", CHILD), at("info"))


# ---- R7, R8, R9: forwards, replies, the switch -------------------------------------------------------

def test_R7_ten_forwards_and_no_keywords(suite):
    """By the administrator for all accounts, by the user for his own; the eleventh and what the plan has not are refused."""
    targets = [f"t{number}@elsewhere.example" for number in range(10)]
    user = f"user:{at('sales')}"
    for option in ("--from", "--subject"):
        refused(suite, "forward", "add", at("sales"), option, "word", targets[0], says="conditional-forwards is off")
    refused(suite, "forward", "add", at("sales"), "--", "-x@elsewhere.example", says="may not begin with -")
    refused(suite, "--as", user, "forward", "add", at("info"), targets[0], says="is not for")
    suite.mailctl("--as", ADMIN, "forward", "add", at("sales"), *reversed(targets[5:]))
    suite.mailctl("--as", user, "forward", "add", at("sales"), *reversed(targets[:5]))
    refused(suite, "--as", ADMIN, "forward", "add", at("sales"), "t10@elsewhere.example", says="has 11 forwards, but may have 10")
    equal([word for word in suite.mailctl("forward", "list", at("sales")).split() if "@" in word], targets, "in order")
    before = len(suite.mailbox(at("sales")))
    equal(copies(suite, at("sales", CHILD)), targets, "ten copies, of the child's mail, too")
    equal(len(suite.mailbox(at("sales"))), before + 1, "beside ours")
    suite.mailctl("forward", "del", at("sales"), *targets)


def test_R7_3_R9_left_on_the_server_or_not(suite):
    """The user chooses; without forwards nothing at all is kept; what was stored before stays."""
    suite.mailctl("forward", "add", at("sales"), "a..b@docomo.ne.jp")
    before = len(suite.mailbox(at("sales")))
    suite.mailctl("--as", f"user:{at('sales')}", "user", "set", at("sales"), "receive", "off")
    equal([one.replace('"', "") for one in copies(suite, at("sales"))], ["a..b@docomo.ne.jp"], "forwarded")
    equal(len(suite.mailbox(at("sales"))), before, "and not kept")
    suite.mailctl("forward", "del", at("sales"), "a..b@docomo.ne.jp")
    equal(copies(suite, at("sales")), [], "neither")
    equal(len(suite.mailbox(at("sales"))), before, "nor kept")
    suite.mailctl("user", "unset", at("sales"), "receive")
    arrives(suite, at("sales"), at("sales"))


def test_R7_4_circles_end_and_the_sender_passes_spf(suite):
    """Each has its copy once, the first sender one report. What leaves has a sender of ours (SRS), and so passes SPF
    at the next server; one's own address by the child's name is no circle at all."""
    suite.mailctl("forward", "add", at("sales"), at("info"))
    suite.mailctl("forward", "add", at("info"), at("sales"), at("info", CHILD), "friend@elsewhere.example")
    before = {name: len(suite.mailbox(at(name))) for name in ("info", "sales")}

    def act():
        with suite.smtp() as client:
            client.sendmail("a@sender.example", [at("sales")], message("a@sender.example", at("sales")))
        suite.wait_queue_empty()
    left = outside(act)
    equal([one for one, _, _ in left], ["a@sender.example", "friend@elsewhere.example"], "outside")
    check(b"5.4.6" in left[0][2] and left[0][1].startswith("<>"), f"the report: {left[0]}")
    check(left[1][1].startswith("<SRS0=") and f"@{DOMAIN}>" in left[1][1], f"the sender of the copy: {left[1][1]}")
    after = {name: len(suite.mailbox(at(name))) - count for name, count in before.items()}
    equal(after, {"info": 1, "sales": 1}, "inside")
    suite.mailctl("forward", "del", at("sales"), at("info"))
    suite.mailctl("forward", "del", at("info"), at("sales"), at("info", CHILD), "friend@elsewhere.example")


def test_R8_no_automatic_reply(suite):
    refused(suite, "reply", "set", at("info"), text="I am away.\n", says="the plan says auto-reply off")
    refused(suite, "user", "set", at("info"), "auto-reply", "on", says='the plan says "off"')


# ---- R10: states -------------------------------------------------------------------------------------

def login_imap(suite, address, password):
    with Imap(suite) as imap:
        done = imap.run(f'LOGIN {address} "{password}"').done
        return "OK" if done.kind == "OK" else done.code


def test_R10_misuse_and_send_lock(suite):
    """Can't send, by either name, nor by a program; reads and receives. A new password ends the first."""
    suite.mailctl("state", "lock", at("staff"), "misuse-detected", "--cause", "complaints from outside")
    for name in (at("staff"), at("staff", CHILD)):
        said = mail_from(suite, name)
        check(said.startswith("450 4.7.1 sending is stopped: misuse of this account was detected"), said)
        check("(complaints from outside)" in said, said)
    equal(sendmail(suite, UID, "-f", at("staff"), at("info"))[0], 75, "EX_TEMPFAIL of sendmail")
    fetches(suite, at("staff"), tls=True)
    arrives(suite, at("staff"), at("staff"))
    suite.mailctl("user", "passwd", at("staff"), text="Quite-Another-8\n")
    equal(states(suite, at("staff")), {}, "normal")
    suite.mailctl("user", "passwd", at("staff"), text=suite.password(at("staff")) + "\n")
    suite.mailctl("user", "set", at("staff"), "account-send-limit", "1")
    suite.submit(at("staff"), [at("info")], message(at("staff"), at("info")))
    wait_until(lambda: mail_from(suite, at("staff")).startswith("450 4.7.1 sending is stopped for a time"), "send lock")
    suite.mailctl("user", "unset", at("staff"), "account-send-limit")
    suite.mailctl("state", "unlock", at("staff"), "send-lock")
    check(mail_from(suite, at("staff")).startswith("250"), "ended")


def test_R10_account_lock_ends_by_itself(suite):
    """Of failed log-ins by the parent's and the child's name together."""
    for name in (at("sales"), at("sales", CHILD)):
        equal(login_imap(suite, name, "Wrong-Horse-10"), "AUTHENTICATIONFAILED", name)
    last = threading.Thread(target=login_imap, args=(suite, at("sales"), "Wrong-Horse-11"))
    last.start()
    wait_until(lambda: "account-lock" in states(suite, at("sales")), "the lock")
    equal(login_imap(suite, at("sales"), suite.password(at("sales"))), "UNAVAILABLE", "the right password meanwhile")
    arrives(suite, at("sales", CHILD), at("sales"))
    last.join()
    wait_until(lambda: login_imap(suite, at("sales"), suite.password(at("sales"))) == "OK", "its end")


def test_R10_password_changed_by_force(suite):
    """Void, flag shown; a new one is given twice and not like the old one."""
    suite.mailctl("user", "force-password", at("staff"), "--cause", "found in a list")
    equal(login_imap(suite, at("staff"), suite.password(at("staff"))), "EXPIRED", "the old one")
    check("found in a list" in states(suite, at("staff"))["password-forced"]["cause"], "the flag")
    old = suite.password(at("staff"))
    refused(suite, "user", "passwd", at("staff"), text=f"{old}!\n{old}!\n", says="like the old one")
    refused(suite, "user", "passwd", at("staff"), text="Quite-Another-8\n", says="twice")
    suite.mailctl("user", "passwd", at("staff"), text="Quite-Another-8\nQuite-Another-8\n")
    equal(login_imap(suite, at("staff"), "Quite-Another-8"), "OK", "the new one")
    suite.mailctl("user", "passwd", at("staff"), text=f"{old}\n")


# ---- R13, R14, R18, R20 ------------------------------------------------------------------------------

def test_R13_administrator_and_user(suite):
    """The administrator: all accounts of his site; the user: his own; neither what is the operator's."""
    user = f"user:{at('info')}"
    suite.mailctl("--as", ADMIN, "user", "add", at("made"), "--quota", "50", text="Correct-Horse-9\n")
    suite.mailctl("--as", ADMIN, "user", "passwd", at("made"), text="Quite-Another-8\n")
    suite.mailctl("--as", ADMIN, "user", "del", at("made"))
    suite.mailctl("--as", user, "user", "set", at("info"), "spam-tag", "on")
    suite.mailctl("--as", user, "user", "unset", at("info"), "spam-tag")
    for actor, words in ((user, ("user", "add", at("made"))), (user, ("user", "set", at("info"), "quota", "9")),
                         (user, ("user", "purge", at("sales"))), (user, ("csv", "export", DOMAIN)),
                         (ADMIN, ("user", "show", at("u1", OTHER))), (ADMIN, ("domain", "del", DOMAIN)),
                         (ADMIN, ("child", "add", OTHER, f"www.{OTHER}")), (ADMIN, ("state", "unlock", at("info")))):
        refused(suite, "--as", actor, *words, text="Correct-Horse-9\n", says=" is not for ")
    for name in ("domain-quota", "accounts-max", "plan"):
        refused(suite, "--as", ADMIN, "domain", "set", DOMAIN, name, "9", says=" is no")


def test_R14_nothing_is_aged(suite):
    with Imap(suite, at("info")) as imap:
        imap.ok('APPEND INBOX "01-Jan-2001 00:00:00 +0900" ', Unwaited(message("a@sender.example", at("info"))))
    equal(suite.mailctl("age", "--dry-run", DOMAIN), "", "what ageing would do")
    refused(suite, "domain", "set", DOMAIN, "archive-days", "30", says="may not change it")


def test_R18_programs_of_the_machine(suite):
    """CGI and cron send for the site, by the child's name as well; what they may not is refused by exit code."""
    before = len(suite.mailbox(at("info")))
    for sender in (at("sales"), at("sales", CHILD)):
        equal(sendmail(suite, UID, "-f", sender, at("info", CHILD)), (0, ""), "to ours")
    text = f"To: {at('info')}\nSubject: form\n\n.\nend\n"
    equal(sendmail(suite, UID, "-t", "-i", f"-f{at('sales')}", text=text), (0, ""), "-t")
    check(any(b"\n.\r\nend" in text or b"\n.\nend" in text for text in suite.wait_messages(at("info"), before + 3)), "all of it")


def test_R20_the_column_of_the_preset(suite):
    """What is in force without a word of the domain, which layer says it, and who may change it."""
    suite.mailctl("domain", "add", "plain.example", "--plan", "site")
    for name, value, layer, who in (
            ("imap", "on", "plan", "admin"), ("pop3", "on", "plan", "admin"), ("apop", "off", "plan", "operator"),
            ("plaintext-login", "off", "plan", "operator"), ("message-size", str(SIZE), "plan", "admin"),
            ("quota", "0", "plan", "admin"), ("quota-warning", "80 95", "plan", "admin"),
            ("notice-language", "both", "plan", "user"), ("domain-quota", "0", "plan", "operator"),
            ("over-quota-reply", "452", "plan", "operator"), ("forwards", "10", "plan", "admin"),
            ("conditional-forwards", "off", "plan", "operator"), ("auto-reply", "off", "plan", "user"),
            ("receive", "on", "plan", "user"), ("plus-addressing", "on", "plan", "admin"),
            ("spam-tag", "off", "plan", "user"), ("spam-folder", "off", "plan", "user"), ("catch-all", "", "plan", "admin"),
            ("postmaster", "box", "plan", "operator"), ("child-domains", "on", "plan", "operator"),
            ("archive-days", "0", "system", "operator"), ("trash-days", "0", "system", "operator"),
            ("accounts-max", "0", "system", "operator"), ("imap-sessions-percent", "200", "system", "operator")):
        equal(explained(suite, "postmaster@plain.example", name), (value, layer, who), name)
    for name, value in (("forwards", "11"), ("message-size", str(SIZE + 1)), ("conditional-forwards", "on")):
        refused(suite, "domain", "set", "plain.example", name, value, says="the plan says")
    suite.mailctl("domain", "del", "plain.example")
    check(not [path for path in control_files(suite) if "plain.example" in path], "nothing is left of it")
