"""Mail of the machine's own programs (SPEC R18): mail(1), cron, PHP, Perl; limits; exit codes."""

import email
import json
import os
import shutil
import smtplib
import socket
import subprocess

from suite import Failure, PATIENCE, check, equal, wait_until

LIMIT = 3
UID = 64200  # none of the suite's


def prepare(suite):
    suite.control("sendmail-limit", "200\n")
    suite.add_domain("example.jp", "u1", "u2")
    suite.add_domain("busy.example.jp", "web", "other")
    suite.mailctl("domain", "set", "busy.example.jp", "send-limit", str(LIMIT))
    suite.rebuild()
    suite.start()


def sendmail(suite, *words, text="Subject: x\n\nx\n", uid=UID):
    return subprocess.run([suite.path("bin/sendmail"), *words], user=uid, group=uid, extra_groups=[], cwd="/",
                          input=text.encode(), capture_output=True, timeout=PATIENCE)


def arrived(suite, address, words, text="Subject: x\n\nx\n"):
    """What the mailbox gets of this call."""
    before = set(suite.mailbox(address))
    done = sendmail(suite, *words, text=text)
    equal(done.returncode, 0, f"sendmail {words}: {done.stderr}")
    return fresh(suite, address, before)


def fresh(suite, address, before):
    names = wait_until(lambda: sorted(set(suite.mailbox(address)) - before), f"mail for {address}")
    with open(names[0], "rb") as file:
        return email.message_from_bytes(file.read())


def returned_to(letter):
    return letter["Return-Path"]


# ---- as programs call it ----------------------------------------------------------------------------

def test_R18_as_php_calls_it(suite):
    """-t -i: recipients from the header, Bcc gone, a lone dot is text."""
    before = set(suite.mailbox("u2@example.jp"))
    letter = arrived(suite, "u1@example.jp", ["-t", "-i"],
                     "To: u1@example.jp\nBcc: u2@example.jp\nSubject: from PHP\n\none\n.\ntwo\n")
    check("Bcc" not in letter, letter.as_string())
    check("one\r\n.\r\ntwo" in letter.as_bytes().decode() or "one\n.\ntwo" in letter.as_bytes().decode(), letter.as_bytes().decode())
    check("Bcc" not in fresh(suite, "u2@example.jp", before), "nor does the hidden one show it")
    letter = arrived(suite, "u1@example.jp", ["-ti", "-fu2@example.jp"], "To: u1@example.jp\nSubject: y\n\ny\n")
    equal(returned_to(letter), "<u2@example.jp>", "the sender by -f")


def test_R18_as_cron_calls_it(suite):
    letter = arrived(suite, "u1@example.jp", ["-i", "-FCronDaemon", "-B8BITMIME", "-oem", "u1@example.jp"],
                     "Subject: Cron <root@host> job\n\noutput\n")
    check("CronDaemon" in letter["From"], letter["From"])
    check(letter["Date"] and letter["Message-ID"], "Date and Message-ID are added")


def test_R18_a_list_in_one_argument(suite):
    """MAILTO="u1@example.jp,u2@example.jp" of a crontab comes as one; mailers hand over names, too."""
    for words in (["u1@example.jp,u2@example.jp"], ["Joe <u1@example.jp>, u2@example.jp"], ['"Joe, Jr." <u1@example.jp>', "<u2@example.jp>"]):
        before = set(suite.mailbox("u2@example.jp"))
        arrived(suite, "u1@example.jp", ["-i", "-FCronDaemon", "-B8BITMIME", "-oem", *words])
        fresh(suite, "u2@example.jp", before)
    letter = arrived(suite, "u1@example.jp", ["-itf", "Web Server <u2@example.jp>"], "To : u1@example.jp\nBcc : u2@example.jp\n\nx\n")
    equal(returned_to(letter), "<u2@example.jp>", "the sender")
    check("Bcc" not in letter.as_string(), letter.as_string())


def test_R18_who_is_named_twice_gets_one_copy(suite):
    before = len(suite.mailbox("u1@example.jp"))
    text = "To: u1@example.jp, Joe <u1@Example.JP>\nCc: <u1@EXAMPLE.jp>\nSubject: once\n\nx\n"
    equal(sendmail(suite, "-t", "u1@example.jp", "u1@example.JP", text=text).returncode, 0, "sendmail")
    suite.wait_queue_empty()
    equal(len(suite.mailbox("u1@example.jp")) - before, 1, "copies")


def test_R18_null_sender(suite):
    for null in (["-f", "<>"], ["-f", ""], ["-f<>"]):
        letter = arrived(suite, "u1@example.jp", [*null, "u1@example.jp"])
        equal(returned_to(letter), "<>", f"{null}")
        equal(letter["From"], "<MAILER-DAEMON@mail.example.jp>", "who it is from")


def test_R18_name_of_the_sender(suite):
    letter = arrived(suite, "u1@example.jp", ["-F", "Sales, Tokyo", "-f", "u2@example.jp", "u1@example.jp"])
    equal(email.utils.parseaddr(letter["From"]), ("Sales, Tokyo", "u2@example.jp"), "From")
    letter = arrived(suite, "u1@example.jp", ["-F", "\u5c71\u7530", "u1@example.jp"])
    equal(letter["From"].split()[0], "=?UTF-8?B?5bGx55Sw?=", "a name in Japanese")
    letter = arrived(suite, "u1@example.jp", ["-F", "Nobody", "u1@example.jp"], "From: a@example.org\nSubject: z\n\nz\n")
    equal(letter["From"], "a@example.org", "a From that is there stays")


def test_R18_resent(suite):
    """With Resent- fields these alone name recipients."""
    before = len(suite.mailbox("u2@example.jp"))
    letter = arrived(suite, "u1@example.jp", ["-t"], "To: u2@example.jp\nResent-To: u1@example.jp\n"
                     "Resent-Bcc: postmaster@example.jp\nResent-From: b@example.org\nSubject: again\n\nx\n")
    check("Resent-Bcc" not in letter and letter["To"] == "u2@example.jp", letter.as_string())
    wait_until(lambda: suite.mailbox("postmaster@example.jp"), "the hidden one")
    equal(len(suite.mailbox("u2@example.jp")), before, "mail of the first recipient")


def test_R18_flags_that_mean_nothing(suite):
    arrived(suite, "u1@example.jp", ["-G", "-U", "-n", "-v", "-Odelivery=b", "-O", "x=y", "-om", "-odi", "-L", "tag",
                                     "-X/dev/null", "-h5", "-Ac", "-em", "-i", "--", "u1@example.jp"])
    for idle in (["-q"], ["-q30m"], ["-bi"]):
        equal(sendmail(suite, *idle, text="").returncode, 0, f"{idle}")


def test_R18_mail_command(suite):
    """bsd-mailx, which hands it to the program that mailrc names."""
    rc = suite.path("mailrc")
    with open(rc, "w", encoding="ascii") as file:
        file.write(f"set sendmail={suite.path('bin/sendmail')}\n")
    before = set(suite.mailbox("u1@example.jp"))
    done = subprocess.run(["bsd-mailx", "-s", "from mail(1)", "-c", "u2@example.jp", "u1@example.jp"], input="Hello.\n",
                          text=True, env={**os.environ, "MAILRC": rc, "HOME": "/nonexistent"}, capture_output=True,
                          timeout=PATIENCE)
    equal(done.returncode, 0, done.stderr)
    letter = fresh(suite, "u1@example.jp", before)
    equal((letter["Subject"], letter["Cc"]), ("from mail(1)", "u2@example.jp"), "the letter")
    check("Hello." in letter.get_payload(), "its text")


def test_R18_perl_mail_send(suite):
    before = set(suite.mailbox("u1@example.jp"))
    program = ('use Mail::Send; my $m = Mail::Send->new(To => "u1\\@example.jp", Subject => "from Perl"); '
               'my $h = $m->open("sendmail"); print $h "Hello.\\n"; $h->close or die "not sent";')
    done = subprocess.run(["perl", "-e", program], env={**os.environ, "PERL_MAILERS": f"sendmail:{suite.path('bin/sendmail')}"},
                          text=True, capture_output=True, timeout=PATIENCE)
    equal(done.returncode, 0, done.stderr)
    equal(fresh(suite, "u1@example.jp", before)["Subject"], "from Perl", "Subject")


def test_R18_mutt(suite):
    """It appends -f, 8BITMIME and the recipients to its sendmail setting."""
    rc = suite.path("muttrc")
    with open(rc, "w", encoding="ascii") as file:
        file.write(f"set sendmail=\"{suite.path('bin/sendmail')} -oem -oi\"\nset from=u2@example.jp\nset use_from=yes\n"
                   "set use_envelope_from=yes\nset use_8bitmime=yes\nset copy=no\nset charset=utf-8\n")
    before = set(suite.mailbox("u1@example.jp"))
    done = subprocess.run(["mutt", "-F", rc, "-s", "from mutt: \u3042", "u1@example.jp"], input="\u3042\n.\nend\n", text=True,
                          env={**os.environ, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}, capture_output=True, timeout=PATIENCE)
    equal(done.returncode, 0, done.stdout + done.stderr)
    letter = fresh(suite, "u1@example.jp", before)
    equal(returned_to(letter), "<u2@example.jp>", "the envelope's sender")
    check(".\nend" in letter.get_payload(decode=True).decode().replace("\r\n", "\n"), "a line that is a dot is text")


# ---- -bs: SMTP on standard input and output ---------------------------------------------------------

class Pipe(smtplib.SMTP):
    """smtplib on the two ends of a child."""
    def __init__(self, suite, uid=UID):
        super().__init__()
        ours, theirs = socket.socketpair()
        self.child = subprocess.Popen([suite.path("bin/sendmail"), "-bs"], user=uid, group=uid, extra_groups=[], cwd="/",
                                      stdin=theirs, stdout=theirs)
        theirs.close()
        ours.settimeout(PATIENCE)
        self.sock = ours
        self.file = None
        equal(self.getreply()[0], 220, "the greeting")


def test_R18_bs_several_messages(suite):
    """Dots, 8 bits, what is missing is added; Bcc goes; the next message begins anew."""
    one = Pipe(suite)
    for number in range(3):
        before = set(suite.mailbox("u1@example.jp"))
        one.sendmail("u2@example.jp", ["u1@example.jp"],
                     f"Subject: by pipe {number}\r\nBcc: u3@example.jp\r\n\r\n.\r\n..two\r\n\u3042\r\n".encode(), ["BODY=8BITMIME"])
        letter = fresh(suite, "u1@example.jp", before)
        equal(letter["Subject"], f"by pipe {number}", "Subject")
        check(letter["Date"] and letter["Message-ID"] and "Bcc" not in letter, letter.as_string())
        equal(letter.get_payload(decode=True), b".\r\n..two\r\n\xe3\x81\x82\r\n", "text")
        equal(returned_to(letter), "<u2@example.jp>", "sender")
    equal(one.docmd("MAIL", "FROM:<u2@example.jp>")[0], 250, "MAIL")
    equal(one.rset()[0], 250, "RSET")
    one.quit()
    equal(one.child.wait(PATIENCE), 0, "exit code")


def test_R18_bs_swaks(suite):
    before = set(suite.mailbox("u1@example.jp"))
    done = subprocess.run(["swaks", "--pipe", f"{suite.path('bin/sendmail')} -bs", "--from", "u2@example.jp", "--to",
                           "u1@example.jp", "--h-Subject", "from swaks"], capture_output=True, text=True, timeout=PATIENCE)
    equal(done.returncode, 0, done.stdout + done.stderr)
    equal(fresh(suite, "u1@example.jp", before)["Subject"], "from swaks", "Subject")


def test_R18_bs_pipelined_by_a_script(suite):
    """All at once, LF alone, a report wanted: as a script writes it."""
    before = set(suite.mailbox("u1@example.jp"))
    done = sendmail(suite, "-bs", text="EHLO script\nMAIL FROM:<u1@example.jp> RET=HDRS\nRCPT TO:<nosuch@example.jp>\n"
                    "DATA\nSubject: to nobody\n\nx\n.\nQUIT\n")
    equal(done.returncode, 0, done.stderr)
    check(b"250 2.0.0 queued as " in done.stdout and done.stdout.endswith(b"221 2.0.0 bye\r\n"), done.stdout)
    # Who is not there is found out in the queue: the sender is told.
    report = fresh(suite, "u1@example.jp", before)
    equal(returned_to(report), "<>", "a report")
    check("nosuch@example.jp" in report.as_string(), report.as_string())


def test_R18_bs_has_the_same_limits(suite):
    suite.mailctl("state", "lock", "u2@example.jp", "send-lock")
    one = Pipe(suite, UID + 90)
    try:
        one.sendmail("u2@example.jp", ["u1@example.jp"], "Subject: x\r\n\r\nx\r\n")
        raise Failure("it was sent")
    except smtplib.SMTPDataError as error:
        equal(error.smtp_code, 451, str(error))
    suite.mailctl("state", "unlock", "u2@example.jp", "send-lock")
    one.sendmail("u2@example.jp", ["u1@example.jp"], "Subject: x\r\n\r\nx\r\n")
    one.quit()
    shown = json.loads(suite.mailctl("state", "show", f"uid={UID + 90}", "--json"))
    check("sent" in json.dumps(shown), shown)
    suite.set_host("databytes", "100000")
    letter = "Subject: x\n\n" + ("x" * 70 + "\n") * 4000
    equal(sendmail(suite, "u1@example.jp", text=letter).returncode, 69, "too large")
    big = sendmail(suite, "-bs", text=f"MAIL FROM:<>\nRCPT TO:<u1@example.jp>\nDATA\n{letter}.\n")
    check(b"\r\n554 5.3.4 sorry, that message size exceeds my databytes limit" in big.stdout, big.stdout)
    equal(big.returncode, 0, "the dialogue went well")
    suite.set_host("databytes", "104857600")


def test_R18_the_queue_is_shown_to_root_alone(suite):
    done = sendmail(suite, "-bp", text="")
    equal(done.returncode, 77, done.stderr)
    check(b"only root" in done.stderr, done.stderr)
    for words in (["bin/sendmail", "-bp"], ["bin/mailq"]):
        done = subprocess.run([suite.path(words[0]), *words[1:]], capture_output=True, text=True, timeout=PATIENCE)
        equal(done.returncode, 0, done.stderr)


def test_R18_exit_codes(suite):
    cases = ((["-bs"], "MAIL FROM:<>\nRCPT TO:<u1@example.jp>\nDATA\nSubject: cut off\n", 76), (["-Z", "u1@example.jp"], "", 64), (["-f"], "", 64), (["-bd"], "", 64), ([], "Subject: x\n\nx\n", 64),
             (["-N", "sometimes", "u1@example.jp"], "", 64), (["-q", "u1@example.jp"], "x\n", 64), (["-t", "-q1h"], "To: u1@example.jp\n\nx\n", 64),
             (["-f", "no address", "u1@example.jp"], "x\n", 64), (["u1@example.jp,no address"], "x\n", 65), ([""], "x\n", 64),
             (["-t"], "To: <no address@@>\n\nx\n", 65),
             (["-t"], "X: " + "x" * 1100000 + "\n\nx\n", 65), (["-i", "u1@example.jp\x01"], "x\n", 69))
    for words, text, wanted in cases:
        done = sendmail(suite, *words, text=text)
        equal(done.returncode, wanted, f"sendmail {words}: {done.stderr}")
        check(done.stderr.startswith(b"sendmail: ") or words == ["-bs"], f"what is wrong: {done.stderr}")
    # What can't be read: a folder.
    folder = os.open("/", os.O_RDONLY)
    done = subprocess.run([suite.path("bin/sendmail"), "u1@example.jp"], stdin=folder, capture_output=True, timeout=PATIENCE)
    os.close(folder)
    equal(done.returncode, 74, f"unreadable: {done.stderr}")
    # 75 by limits below; here without the queue.
    elsewhere = suite.path("elsewhere")
    os.makedirs(os.path.join(elsewhere, "bin"))
    shutil.copy(suite.path("bin/sendmail"), os.path.join(elsewhere, "bin/sendmail"))
    done = subprocess.run([os.path.join(elsewhere, "bin/sendmail"), "u1@example.jp"], input=b"x\n", capture_output=True,
                          timeout=PATIENCE)
    equal(done.returncode, 75, f"no queue: {done.stderr}")


# ---- limits -----------------------------------------------------------------------------------------

def test_R18_counts_for_the_domain_it_sends_as(suite):
    for number in range(LIMIT):
        equal(sendmail(suite, "-f", "web@busy.example.jp", "u1@example.jp", uid=UID + number).returncode, 0, f"message {number}")
    done = sendmail(suite, "-f", "web@busy.example.jp", "u1@example.jp")
    equal(done.returncode, 75, "one beyond the domain's limit")
    check(b"sorry, that message exceeds my limit" in done.stderr, done.stderr)
    equal(sendmail(suite, "-f", "nosuch@busy.example.jp", "u1@example.jp").returncode, 75, "any address of the domain")
    equal(sendmail(suite, "-f", "u2@example.jp", "u1@example.jp").returncode, 0, "another domain")
    equal(sendmail(suite, "-f", "a@example.org", "u1@example.jp").returncode, 0, "none of ours")
    equal(sendmail(suite, "-f", "<>", "u1@example.jp").returncode, 0, "nobody")
    shown = suite.mailctl("state", "show", "busy.example.jp")
    check("send-pause" in shown, f"state: {shown!r}")
    # It is one limit: who logs in meets it, too.
    with suite.smtp("submission") as client:
        client.starttls()
        client.ehlo()
        client.login("other@busy.example.jp", suite.password("other@busy.example.jp"))
        equal(client.mail("other@busy.example.jp")[0] // 100, 4, "MAIL of an account of the domain")
    suite.mailctl("state", "unlock", "busy.example.jp")


def test_R18_a_locked_account_does_not_send_here_either(suite):
    suite.mailctl("domain", "set", "busy.example.jp", "send-limit", "40000")
    suite.mailctl("state", "lock", "web@busy.example.jp", "send-lock", "--cause", "its pages send spam")
    equal(sendmail(suite, "-f", "web@busy.example.jp", "u1@example.jp").returncode, 75, "the locked one")
    equal(sendmail(suite, "-f", "other@busy.example.jp", "u1@example.jp").returncode, 0, "another one")
    suite.mailctl("state", "unlock", "web@busy.example.jp", "send-lock")
    equal(sendmail(suite, "-f", "web@busy.example.jp", "u1@example.jp").returncode, 0, "unlocked")


def test_R18_limited_by_uid(suite):
    shown = json.loads(suite.mailctl("state", "show", f"uid={UID}", "--json"))
    check("sent" in json.dumps(shown), shown)
    suite.set_host("sendmail-limit", "1")
    equal(sendmail(suite, "-f", "u2@example.jp", "u1@example.jp", uid=UID + 50).returncode, 0, "the first")
    equal(sendmail(suite, "-f", "u2@example.jp", "u1@example.jp", uid=UID + 50).returncode, 75, "the second")
    equal(sendmail(suite, "-f", "u2@example.jp", "u1@example.jp", uid=UID + 51).returncode, 0, "another uid")
