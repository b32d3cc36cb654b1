"""The preset mailhosting, row by row of SPEC (R1 to R10, R13, R14, R18, R20): a contract of 200 addresses, with real clients.

Elsewhere: R1.6's programs by hand-typed settings (07, 37, 38), R5.2 and R11, virus check (03-virus), R12, spam,
R12.4, SPF, DKIM and DMARC (49), R16, mailing lists, R17, panel, as far as they are there.
"""

import contextlib
import os
import ssl
import time

import certificates
from dialogue import greeted, logged_in
from imapsession import Imap, Unwaited
from mailclients import MBSYNC, home, maildir_messages, write
from presets import (MEGABYTE, add_domain, arrives, codes, ctl, curl_reads, explained, fetches, full_of_sessions,
                     greeting_of_submission, notices, plaintext_logins, pop3, prepare_host, program, quota_told,
                     receive, refused, replies, sendmail, settings, states, submits_with_a_password_alone,
                     tls_version, transfer)
from suite import check, equal, message, wait_until

DOMAIN = "kaisha.example"
OTHER = "torihiki.example"
NARROW = "narrow.example"
IDS = 200
SIZE = 50 * MEGABYTE
TOO_BIG = "552 sorry, that message size exceeds my databytes limit (#5.3.4)"
FULL = "452 sorry, mailbox is full (#4.5.2)"
RATE = "423 sorry, that message exceeds my limit"
ADMIN = f"admin:{DOMAIN}"
HEAD = "mail_account,password,mail_capacity,comment\n"
UID = 64100  # none of the suite's
SINKS = {}


def at(local, domain=DOMAIN):
    return f"{local}@{domain}"


def prepare(suite):
    SINKS["outside"] = prepare_host(suite)
    add_domain(suite, DOMAIN, ("sato", "suzuki", "tanaka"), "mailhosting")
    suite.mailctl("domain", "set", DOMAIN, "accounts-max", str(IDS))
    add_domain(suite, OTHER, ("u1", "u2"), "mailhosting")
    certificates.install(suite, "default", ["DNS:localhost", "IP:127.0.0.1"])
    suite.start()


def copies(suite, address, sender="a@sender.example"):
    """Where a message is forwarded to."""
    count = len(SINKS["outside"].transactions)
    with suite.smtp() as client:
        client.sendmail(sender, [address], message(sender, address))
    suite.wait_queue_empty()
    return sorted(one for done in SINKS["outside"].transactions[count:] for one in done.recipients)


# ---- R1: protocols and logging in --------------------------------------------------------------------

def test_R1_1_sent_by_587_and_465_with_auth_alone(suite):
    submits_with_a_password_alone(suite, at("sato"), at("suzuki"))


def test_R1_2_pop3_and_imap_by_curl(suite):
    """110 with STLS, 995, 143 with STARTTLS, 993."""
    curl_reads(suite, at("suzuki"), ("pop3", ("--ssl-reqd",)), ("pop3s", ()), ("imap", ("--ssl-reqd",)), ("imaps", ()))


def test_R1_2_imap_by_mbsync_pop3_by_mpop(suite):
    """Whole mailboxes, by programs that people use; what is read by one program is read in the next."""
    count = len(suite.mailbox(at("suzuki")))
    folder = home(suite, "mbsync")
    os.makedirs(os.path.join(folder, "mail"), exist_ok=True)
    rc = write(os.path.join(folder, "rc"), MBSYNC.format(
        port=suite.ports["imaps"], user=at("suzuki"), password=suite.password(at("suzuki")), home=folder, account="",
        channel="Create Both", certificate=suite.path("made/default/cert.pem")))
    program("mbsync", "-c", rc, "-a", env={"HOME": folder})
    equal(len(maildir_messages(os.path.join(folder, "mail/INBOX"), {})), count, "mbsync")
    with Imap(suite, at("suzuki")) as imap:
        imap.ok("SELECT INBOX")
        imap.ok("STORE 1 +FLAGS (\\Seen)")
    program("mbsync", "-c", rc, "-a", env={"HOME": folder})
    flags = [one.flags for one in maildir_messages(os.path.join(folder, "mail/INBOX"), {})]
    equal(sum(r"\Seen" in one for one in flags), 1, "read there, and so here")
    folder = home(suite, "mpop")
    for name in ("new", "cur", "tmp"):
        os.makedirs(os.path.join(folder, "in", name))
    rc = write(os.path.join(folder, "rc"), f"""
account any
host localhost
port {suite.ports['pop3s']}
tls on
tls_starttls off
tls_trust_file {suite.path('made/default/cert.pem')}
auth user
user {at('suzuki')}
password {suite.password(at('suzuki'))}
delivery maildir {folder}/in
keep on
uidls_file {folder}/uidls
""")
    program("mpop", "-q", "-C", rc, "-a", env={"HOME": folder})
    equal(len(os.listdir(f"{folder}/in/new")), count, "mpop")


def test_R1_3_names_and_mechanisms(suite):
    """The full address, in any case of letters; PLAIN and LOGIN; no APOP though the host offers it; no CRAM-MD5; no POP
    before SMTP."""
    for service in ("submission", "submissions"):
        said = greeting_of_submission(suite, service)
        check("AUTH PLAIN LOGIN" in said and "CRAM-MD5" not in said, said)
    fetches(suite, at("sato").upper(), tls=True, password=suite.password(at("sato")))
    check(isinstance(pop3(suite, at("sato"), how="apop"), str), "no APOP")
    refused(suite, "domain", "set", DOMAIN, "apop", "on", says='the plan says "off"')
    equal(codes(suite, "someone@elsewhere.example", sender=at("sato")), [554], "POP before SMTP")


def test_R1_4_tls_1_2_and_newer_no_login_without_it(suite):
    """On all seven ports; 110, 143 and 587 refuse the right password in the clear though the host would allow it."""
    for service in suite.ports:
        equal(tls_version(suite, service, ssl.TLSVersion.TLSv1_2), "TLSv1.2", service)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            equal(tls_version(suite, service, version), None, f"{service} {version}")
    said = plaintext_logins(suite, at("sato"))
    check("TLS" in said[0] and said[1].startswith("NO PRIVACYREQUIRED") and said[2].startswith("538"), f"{said}")


def in_force(suite, domain):
    """How many IMAP sessions it may have, as explain says."""
    note = next(line for line in suite.mailctl("explain", domain, "imap-sessions").splitlines() if line.startswith("note"))
    return int((note.split() + ["500"])[1])


def test_R1_5_imap_sessions_by_contracted_addresses(suite):
    """Half of them, 500 at most; as many as are there does not count, and the domain can't have more."""
    suite.mailctl("domain", "add", NARROW, "--plan", "mailhosting")
    equal(in_force(suite, NARROW), 500, "the largest contract, while no other is set")
    for ids in (200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1500):
        suite.mailctl("domain", "set", NARROW, "accounts-max", str(ids))
        equal(in_force(suite, NARROW), min(ids // 2, 500), f"of {ids} addresses")
    refused(suite, "domain", "set", NARROW, "imap-sessions", "501", says="may only lower it")
    refused(suite, "domain", "set", NARROW, "imap-sessions-percent", "100", says="may not change it")
    suite.mailctl("domain", "del", NARROW)


def test_R1_5_the_hundredandfirst_session_of_200_addresses(suite):
    """A hundred sessions at once, all at work, from one address of one office; the next hears why. POP3, sending and
    other domains go on, and so does who comes when one has left."""
    said = f"The domain has its {IDS // 2} IMAP sessions already; close one or try again later"
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(Imap(suite, at(("sato", "suzuki", "tanaka")[number % 3]))) for number in range(IDS // 2)]
        for name in ("sato", "postmaster"):
            if name == "postmaster":
                suite.mailctl("user", "passwd", at(name), text=suite.password(at(name)) + "\n")
            with Imap(suite) as one:
                equal(one.no("LIMIT", f'LOGIN {at(name)} "{suite.password(at(name))}"').done.value, said, "why")
        pop3(suite, at("sato"), tls=True).quit()
        arrives(suite, at("sato"), at("sato"))
        suite.submit(at("sato"), [at("tanaka")], message(at("sato"), at("tanaka")))
        with Imap(suite, at("u1", OTHER)):
            pass
        for one in sessions:
            one.ok("SELECT INBOX")
        sessions.pop().ok("LOGOUT")

        def again():
            with Imap(suite) as one:
                return one.run(f'LOGIN {at("sato")} "{suite.password(at("sato"))}"').done.kind == "OK"
        wait_until(again, "room for one more")


def test_R1_5_five_hundred_sessions_of_the_largest_contract(suite):
    """All that a domain can have: the next one hears the same words, and POP3 has room still."""
    full_of_sessions(suite, 500, [at("u1", OTHER), at("u2", OTHER)], at("sato"))


# ---- R2, R3: accounts --------------------------------------------------------------------------------

def test_R2_2_R2_3_names_and_passwords(suite):
    refused(suite, "user", "add", at("x"), text="Correct-Horse-9\n", says="2 to 32")
    refused(suite, "user", "add", at("new"), text="correct-horse\n", says="no upper-case letter; it has no digit")
    refused(suite, "user", "add", at("new"), text="Abc-1234567-xyz\n", says="six or more digits")


def test_R2_4_postmaster_is_a_mailbox(suite):
    arrives(suite, at("postmaster"), at("postmaster"))
    refused(suite, "user", "del", at("postmaster"), says="can't be removed")
    equal(codes(suite, at("nobody")), [550], "nobody is a name like any other")


def test_R2_7_R3_1_two_hundred_addresses_and_no_more(suite):
    """All of the contract by one CSV file; the 201st is refused, by hand, by CSV and in the users file; a larger
    contract than this preset's largest is none."""
    start = time.monotonic()
    rows = "".join(f"id{number:03},Correct-Horse-9,,{number}号\n" for number in range(IDS - 3))
    refused(suite, "csv", "register", DOMAIN, "-", text=f"{HEAD}{rows}more,Correct-Horse-9,,\n",
            says=f"{IDS - 2} accounts more, but {DOMAIN} has 3 and may have {IDS} (accounts-max): take 1 rows out")
    suite.mailctl("csv", "register", DOMAIN, "-", text=HEAD + rows)
    took = time.monotonic() - start
    check(took < 30, f"{took:.1f} s")
    said = f"{DOMAIN} has all {IDS} accounts of its contract (accounts-max); remove one, or have it raised"
    for front in ((), ("--as", ADMIN)):
        refused(suite, *front, "user", "add", at("more"), text="Correct-Horse-9\n", says=said)
    refused(suite, "csv", "register", DOMAIN, "-", text=f"{HEAD}more,Correct-Horse-9,,\n", says="accounts-max")
    refused(suite, "domain", "set", DOMAIN, "accounts-max", str(IDS - 1), says=f"{IDS} accounts, but accounts-max is {IDS - 1}")
    for number in ("1501", "0"):
        refused(suite, "domain", "set", DOMAIN, "accounts-max", number, says='the plan says "1500", and a lower layer may')
    refused(suite, "--as", ADMIN, "domain", "set", DOMAIN, "accounts-max", "300", says=" is no")
    # All of them are there: the first and the last receive and log in.
    for name in ("id000", f"id{IDS - 4:03}"):
        arrives(suite, at(name), at(name))
        fetches(suite, at(name), tls=True, password="Correct-Horse-9")
    suite.mailctl("user", "del", at("id000"))
    suite.mailctl("user", "add", at("more"), text="Correct-Horse-9\n")
    suite.mailctl("domain", "set", DOMAIN, "accounts-max", "300")
    suite.mailctl("user", "add", at("id000"), text="Correct-Horse-9\n")


def test_R2_7_the_users_file_by_hand(suite):
    """One account too many is refused with its line, and what runs stays as it was."""
    suite.mailctl("domain", "set", OTHER, "accounts-max", "2")
    with open(suite.path("control/domains", OTHER, "users"), encoding="utf-8") as file:
        text = file.read()
    suite.control(f"domains/{OTHER}/users", f"{text}u3::\n")
    said = program(suite.path("bin/cdb"), "rebuild", wanted=(1,))
    lines = len(text.splitlines()) + 1
    check(f"control/domains/{OTHER}/users line {lines}: 3 accounts, but accounts-max is 2" in said, said)
    equal(codes(suite, at("u1", OTHER), at("u3", OTHER)), [250, 550], "what runs")
    suite.control(f"domains/{OTHER}/users", text)
    suite.rebuild()


def test_R3_2_R3_3_edited_and_exported(suite):
    """Quotas of many by CSV in MB; an error anywhere and nothing is changed."""
    edit = "mail_account,password,mail_capacity\n"
    refused(suite, "csv", "edit", DOMAIN, "-", text=f"{edit}id001,,50\nid002,,1.5\nid003,short,\n", says="line 3: mail_capacity")
    suite.mailctl("csv", "edit", DOMAIN, "-", text=f"{edit}id001,,50\nid002,,5120\ngone,,1\n")
    rows = {line.split(",")[0]: line.split(",") for line in suite.mailctl("csv", "export", DOMAIN).splitlines()[1:]}
    equal([rows[name][8] for name in ("id001", "id002", "id003")], ["50", "5120", "0"], "mail_capacity")
    equal((rows["id003"][1], rows["id003"][2]), ("", "3号"), "password and comment")


# ---- R4: capacity ------------------------------------------------------------------------------------

def test_R4_1_the_contracts_disk_by_the_megabyte(suite):
    """50 MB for the one, 5 GB for the other, nothing smaller than 1 MB; when the sum is more than the contract's disk
    that is said, and allowed."""
    suite.mailctl("domain", "set", DOMAIN, "domain-quota", "10240")
    for address, megabytes in (("sato", "50"), ("suzuki", "5120")):
        code, _, said = ctl(suite, "user", "set", at(address), "quota", megabytes)
        # The CSV file promised 5170 before.
        equal((code, "together, domain-quota is 10240 MB" in said), (0, address == "suzuki"), said)
        check(str(int(megabytes) * 1024) in f"{quota_told(suite, at(address))}", "QUOTA over IMAP")
    for text in ("0.5", "50MB", "-1", "1048577"):
        refused(suite, "user", "set", at("tanaka"), "quota", text, says="is not a number from 0 to 1048576")
    said = program(suite.path("bin/cdb"), "rebuild")
    check("the accounts' quotas are 10340 MB together, domain-quota is 10240 MB" in said, said)
    refused(suite, "--as", ADMIN, "domain", "set", DOMAIN, "domain-quota", "20480", says=" is no")
    suite.mailctl("domain", "unset", DOMAIN, "domain-quota")


def test_R4_2_R10_the_pool_is_full(suite):
    """For all its addresses, those with room of their own as well; senders hear 452; others receive; it ends by itself."""
    suite.mailctl("domain", "set", OTHER, "domain-quota", "2")
    receive(suite, at("u1", OTHER), 1050000)
    suite.wait_messages(at("u1", OTHER), 1)
    suite.wait_queue_empty()
    receive(suite, at("u2", OTHER), 1020000)
    suite.wait_messages(at("u2", OTHER), 1)
    suite.wait_queue_empty()
    receive(suite, at("u2", OTHER), 60000, b"x")
    wait_until(lambda: "over-capacity" in states(suite, OTHER), "the state of the domain")
    equal(replies(suite, at("u1", OTHER)) + replies(suite, at("u2", OTHER)), [FULL] * 2, "what senders hear")
    equal(codes(suite, at("sato")), [250], "others receive")
    suite.mailctl("user", "purge", at("u1", OTHER))
    wait_until(lambda: "over-capacity" not in states(suite, OTHER), "normal by itself")
    suite.mailctl("queue", "flush")
    wait_until(lambda: any(b"xxxx" in text for text in suite.messages(at("u2", OTHER))), "what waited")
    suite.mailctl("domain", "unset", OTHER, "domain-quota")


def test_R2_6_R4_4_R10_one_mailbox_is_full(suite):
    """Its owner is warned in the language that he chose; senders hear 452 for it alone; he makes room by
    purging it himself."""
    suite.mailctl("user", "set", at("tanaka"), "quota", "1")
    suite.mailctl("--as", f"user:{at('tanaka')}", "user", "set", at("tanaka"), "notice-language", "ja")
    receive(suite, at("tanaka"), 1035000)
    (warning,) = wait_until(lambda: notices(suite, at("tanaka")), "the warning")
    check("95%" in warning["Subject"] and "使用量" in warning.get_content() and "full" not in warning.get_content(),
          warning.as_string())
    receive(suite, at("tanaka"), 40000, b"x")
    wait_until(lambda: "over-capacity" in states(suite, at("tanaka")), "the state")
    equal(replies(suite, at("tanaka")), [FULL], "what senders hear")
    equal(codes(suite, at("sato")), [250], "others receive")
    suite.mailctl("--as", f"user:{at('tanaka')}", "user", "purge", at("tanaka"))
    wait_until(lambda: states(suite, at("tanaka")) == {}, "normal by itself")
    suite.mailctl("queue", "flush")
    wait_until(lambda: any(b"xxxx" in text for text in suite.messages(at("tanaka"))), "what waited")
    suite.mailctl("user", "unset", at("tanaka"), "quota")


# ---- R5: size and rates ------------------------------------------------------------------------------

def test_R5_1_a_message_has_50_megabytes(suite):
    """52428800 bytes pass, in and out; one more is refused."""
    suite.mailctl("user", "purge", at("tanaka"))
    with greeted(suite) as smtp:
        smtp.expect("EHLO c", "250")
        equal(transfer(smtp, "a@sender.example", at("tanaka"), SIZE + 1), TOO_BIG, "behind the data")
        check(transfer(smtp, "a@sender.example", at("tanaka"), SIZE).startswith("250 2.0.0"), "50 MB")
    with logged_in(suite, at("sato")) as smtp:
        check(f"SIZE {SIZE}" in smtp.expect("EHLO c", "250"), "SIZE as the plan has it")
        equal(smtp.ask(f"MAIL FROM:<{at('sato')}> SIZE={SIZE + 1}"), TOO_BIG, "at MAIL, from a customer")
        check(transfer(smtp, at("sato"), at("tanaka"), SIZE).startswith("250 2.0.0"), "50 MB from a customer")
    wait_until(lambda: sum(len(text) > SIZE for text in suite.messages(at("tanaka"))) == 2, "those that fit")
    suite.wait_queue_empty()
    suite.mailctl("user", "purge", at("tanaka"))


def mail_from(suite, address):
    with logged_in(suite, address) as smtp:
        return smtp.ask(f"MAIL FROM:<{address}>")


def test_R5_3_one_address_sends_masses(suite):
    """The plan has the suite's own numbers; a lower one for one address holds over a restart of the tree, and stops it
    alone; one for the contract stops all of it."""
    equal(explained(suite, at("u1", OTHER), "account-send-limit"), ("10000", "system", "admin"), "by itself")
    suite.mailctl("user", "set", at("u1", OTHER), "account-send-limit", "2")
    for _ in range(2):
        suite.submit(at("u1", OTHER), [at("sato")], message(at("u1", OTHER), at("sato")))
    wait_until(lambda: mail_from(suite, at("u1", OTHER)).startswith("450 4.7.1 sending is stopped for a time"), "the third")
    suite.wait_queue_empty()
    suite.stop()
    suite.start()
    check(mail_from(suite, at("u1", OTHER)).startswith("450 4.7.1"), "over a restart")
    check(mail_from(suite, at("u2", OTHER)).startswith("250"), "another address of the contract")
    suite.mailctl("domain", "set", OTHER, "send-limit", "4")
    for _ in range(2):
        suite.submit(at("u2", OTHER), [at("sato")], message(at("u2", OTHER), at("sato")))
    wait_until(lambda: mail_from(suite, at("u2", OTHER)) == RATE, "all of the contract, with what went before the restart")
    check(mail_from(suite, at("sato")).startswith("250"), "other contracts")
    suite.mailctl("domain", "unset", OTHER, "send-limit")
    suite.mailctl("user", "unset", at("u1", OTHER), "account-send-limit")
    suite.mailctl("state", "unlock", OTHER)
    suite.mailctl("state", "unlock", at("u1", OTHER), "send-lock")
    check(mail_from(suite, at("u1", OTHER)).startswith("250"), "by the operator, earlier")


# ---- R6 to R9 ----------------------------------------------------------------------------------------

def test_R6_no_child_domain_no_catch_all(suite):
    """Unknown names are refused at RCPT; + is the account's."""
    refused(suite, "child", "add", DOMAIN, f"www.{DOMAIN}", says="the plan mailhosting has no child domains")
    refused(suite, "domain", "set", DOMAIN, "catch-all", "sato", says='the plan says ""')
    equal([reply[:9] for reply in replies(suite, at("gone"), at("gone+tag"))], ["550 5.1.1"] * 2, "unknown")
    arrives(suite, at("SATO+tag"), at("sato"))


def test_R7_R9_ten_forwards_kept_or_not(suite):
    """The eleventh, those by keyword and what begins with - are refused; the copy stays or not as the user chooses."""
    targets = [f"t{number}@elsewhere.example" for number in range(10)]
    user = ("--as", f"user:{at('suzuki')}")
    for option in ("--from", "--subject"):
        refused(suite, "forward", "add", at("suzuki"), option, "word", targets[0], says="conditional-forwards is off")
    refused(suite, "forward", "add", at("suzuki"), "--", "-x@elsewhere.example", says="may not begin with -")
    suite.mailctl(*user, "forward", "add", at("suzuki"), *reversed(targets))
    refused(suite, *user, "forward", "add", at("suzuki"), "t10@elsewhere.example", says="has 11 forwards, but may have 10")
    equal([word for word in suite.mailctl("forward", "list", at("suzuki")).split() if "@" in word], targets, "in order")
    before = len(suite.mailbox(at("suzuki")))
    equal(copies(suite, at("suzuki")), targets, "ten copies")
    equal(len(suite.mailbox(at("suzuki"))), before + 1, "beside ours")
    suite.mailctl(*user, "user", "set", at("suzuki"), "receive", "off")
    equal(copies(suite, at("suzuki")), targets, "without ours")
    equal(len(suite.mailbox(at("suzuki"))), before + 1, "nothing more is kept")
    suite.mailctl("user", "unset", at("suzuki"), "receive")
    suite.mailctl("forward", "del", at("suzuki"), *targets)


def test_R8_no_automatic_reply(suite):
    refused(suite, "reply", "set", at("sato"), text="I am away.\n", says="the plan says auto-reply off")
    refused(suite, "user", "set", at("sato"), "auto-reply", "on", says='the plan says "off"')


# ---- R10, R13, R14, R18, R20 -------------------------------------------------------------------------

def test_R10_states(suite):
    """Seen with cause, said to the client and to programs, ended by a new password or by hand."""
    suite.mailctl("state", "lock", at("sato"), "misuse-detected", "--cause", "complaints")
    check("(complaints)" in mail_from(suite, at("sato")), "said at MAIL")
    equal(sendmail(suite, UID, "-f", at("sato"), at("suzuki"))[0], 75, "EX_TEMPFAIL of sendmail")
    fetches(suite, at("sato"), tls=True)
    arrives(suite, at("sato"), at("sato"))
    suite.mailctl("user", "passwd", at("sato"), text="Quite-Another-8\n")
    equal(states(suite, at("sato")), {}, "normal")
    suite.mailctl("user", "force-password", at("sato"), "--cause", "found in a list")
    said = pop3(suite, at("sato"), tls=True, password="Quite-Another-8")
    check(isinstance(said, str) and "is void" in said, f"{said}")
    again = suite.password(at("sato"))
    suite.mailctl("user", "passwd", at("sato"), text=f"{again}\n{again}\n")
    suite.mailctl("state", "lock", at("sato"), "account-lock", "--cause", "unpaid")
    check("unpaid" in pop3(suite, at("sato"), tls=True), "said at log-in")
    suite.mailctl("state", "unlock", at("sato"), "account-lock")
    pop3(suite, at("sato"), tls=True).quit()


def test_R13_administrator_and_user(suite):
    """The administrator divides the contract's disk and makes accounts; the user has his own; neither has what is the
    operator's."""
    user = f"user:{at('suzuki')}"
    suite.mailctl("--as", ADMIN, "user", "add", at("made"), "--quota", "50", text="Correct-Horse-9\n")
    suite.mailctl("--as", ADMIN, "user", "set", at("made"), "quota", "80")
    equal(settings(suite, at("made"))["quota"], 80, "quota")
    suite.mailctl("--as", ADMIN, "user", "del", at("made"))
    suite.mailctl("--as", user, "user", "passwd", at("suzuki"), text=suite.password(at("suzuki")) + "\n")
    for actor, words in ((user, ("user", "set", at("suzuki"), "quota", "9")), (user, ("user", "show", at("sato"))),
                         (user, ("csv", "export", DOMAIN)), (ADMIN, ("user", "show", at("u1", OTHER))),
                         (ADMIN, ("domain", "del", DOMAIN)), (ADMIN, ("state", "unlock", at("sato")))):
        refused(suite, "--as", actor, *words, says=" is not for ")


def test_R14_nothing_is_aged(suite):
    with Imap(suite, at("sato")) as imap:
        imap.ok('APPEND INBOX "01-Jan-2001 00:00:00 +0900" ', Unwaited(message("a@sender.example", at("sato"))))
    equal(suite.mailctl("age", "--dry-run", DOMAIN), "", "what ageing would do")
    refused(suite, "domain", "set", DOMAIN, "trash-days", "30", says="may not change it")


def test_R18_programs_of_the_machine(suite):
    before = len(suite.mailbox(at("suzuki")))
    text = f"To: {at('suzuki')}\nSubject: form\n\n.\nend\n"
    equal(sendmail(suite, UID, "-t", "-i", f"-f{at('sato')}", text=text), (0, ""), "-t")
    check(any(b"\nend" in text for text in suite.wait_messages(at("suzuki"), before + 1)), "all of it")


def test_R20_the_column_of_the_preset(suite):
    """What is in force without a word of the domain, which layer says it, and who may change it."""
    suite.mailctl("domain", "add", "plain.example", "--plan", "mailhosting")
    for name, value, layer, who in (
            ("imap", "on", "plan", "admin"), ("pop3", "on", "plan", "admin"), ("apop", "off", "plan", "operator"),
            ("plaintext-login", "off", "plan", "operator"), ("imap-sessions", "500", "plan", "operator"),
            ("imap-sessions-percent", "50", "plan", "operator"), ("accounts-max", "1500", "plan", "operator"),
            ("message-size", str(SIZE), "plan", "admin"), ("quota", "0", "plan", "admin"),
            ("quota-warning", "80 95", "plan", "admin"), ("notice-language", "both", "plan", "user"),
            ("domain-quota", "0", "plan", "operator"), ("over-quota-reply", "452", "plan", "operator"),
            ("forwards", "10", "plan", "admin"), ("conditional-forwards", "off", "plan", "operator"),
            ("auto-reply", "off", "plan", "user"), ("receive", "on", "plan", "user"), ("plus-addressing", "on", "plan", "admin"),
            ("spam-tag", "off", "plan", "user"), ("spam-folder", "off", "plan", "user"), ("catch-all", "", "plan", "admin"),
            ("postmaster", "box", "plan", "operator"), ("child-domains", "off", "plan", "operator"),
            ("archive-days", "0", "system", "operator"), ("trash-days", "0", "system", "operator")):
        equal(explained(suite, "postmaster@plain.example", name), (value, layer, who), name)
    for name, value in (("forwards", "11"), ("message-size", str(SIZE + 1)), ("child-domains", "on")):
        refused(suite, "domain", "set", "plain.example", name, value, says="the plan says")
    suite.mailctl("domain", "del", "plain.example")
