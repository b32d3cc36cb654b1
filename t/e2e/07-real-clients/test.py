"""Programs that people use: curl, mbsync, mutt, mpop, fetchmail, swaks; on 1,000 messages of all kinds."""

import mailbox
import os
import re
import subprocess

import certificates
import corpus
from mailclients import MBSYNC, home, write
from suite import check, equal, message, wait_until

EVERYTHING = corpus.messages()


def prepare(suite):
    suite.add_domain("example.jp", "u1", "u2")
    # A name that the clients can verify.
    certificates.install(suite, "default", ["DNS:localhost", "IP:127.0.0.1"])
    suite.start()


def run(*command, cwd=None, text=None, wanted=(0,), env=None):
    done = subprocess.run(command, input=text, cwd=cwd, capture_output=True, timeout=300,
                          env={**os.environ, **(env or {})})
    check(done.returncode in wanted,
          f"{command[0]}: exit {done.returncode}: {(done.stdout + done.stderr)[-2000:].decode(errors='replace')}")
    return done.stdout


def by_id(messages):
    """Message-ID -> bytes, without what the servers put in front, line ends as LF."""
    result = {}
    for text in messages:
        text = text.replace(b"\r\n", b"\n")
        text = re.sub(rb"X-TUID: .*\n", b"", text, count=1)  # mbsync marks what it copies
        # and mutt counts it
        text = re.sub(rb"(Status: .*\n)?Content-Length: .*\nLines: .*\n", b"", text, count=1)
        start = text.find(b"Received: from a.example.org")
        number = text[text.index(b"<corpus-") + 8:].split(b"@")[0]
        result[int(number)] = text[start:]
    return result


SENT = {number: text.replace(b"\r\n", b"\n") for number, text in enumerate(EVERYTHING)}


def compare(got, what):
    equal(sorted(got), sorted(SENT), f"{what}: messages")
    for number, text in got.items():
        if text != SENT[number]:
            raise AssertionError(f"{what}: message {number} differs:\n{text[:600]!r}\n"
                                 f"{SENT[number][:600]!r}")


def test_a_thousand_messages_come_in(suite):
    for start in range(0, len(EVERYTHING), 100):
        with suite.smtp() as client:
            for text in EVERYTHING[start:start + 100]:
                client.sendmail("sender@example.org", ["u1@example.jp"], text,
                                mail_options=["BODY=8BITMIME"])
    compare(by_id(suite.wait_messages("u1@example.jp", 1000, 180)), "stored")


def test_swaks_sends(suite):
    run("swaks", "--server", "127.0.0.1", "--port", str(suite.ports["submission"]), "--tls",
        "--auth", "PLAIN", "--auth-user", "u1@example.jp", "--auth-password",
        suite.password("u1@example.jp"), "--from", "u1@example.jp", "--to", "u2@example.jp",
        "--header", "Subject: swaks")
    run("swaks", "--server", "127.0.0.1", "--port", str(suite.ports["submissions"]),
        "--tls-on-connect", "--auth", "LOGIN", "--auth-user", "u1@example.jp", "--auth-password",
        suite.password("u1@example.jp"), "--from", "u1@example.jp", "--to", "u2@example.jp")
    suite.wait_messages("u2@example.jp", 2)


def test_curl_reads(suite):
    user = f"u2@example.jp:{suite.password('u2@example.jp')}"
    for address in (f"imap://127.0.0.1:{suite.ports['imap']}/INBOX;MAILINDEX=1",
                    f"imaps://127.0.0.1:{suite.ports['imaps']}/INBOX;MAILINDEX=1",
                    f"pop3://127.0.0.1:{suite.ports['pop3']}/1",
                    f"pop3s://127.0.0.1:{suite.ports['pop3s']}/1"):
        text = run("curl", "-sS", "-k", "--ssl-reqd", "--user", user, address)
        equal(text, suite.messages("u2@example.jp")[0], address)


def mbsync(suite, folder):
    write(os.path.join(folder, "mbsyncrc"), MBSYNC.format(
        port=suite.ports["imaps"], user="u1@example.jp", password=suite.password("u1@example.jp"), home=folder,
        account="AuthMechs PLAIN LOGIN", channel="Create Both\nExpunge Both",
        certificate=suite.path("made/default/cert.pem")))
    os.makedirs(os.path.join(folder, "mail"), exist_ok=True)
    return run("mbsync", "-c", os.path.join(folder, "mbsyncrc"), "-a", env={"HOME": folder})


def test_mbsync_pulls_pushes_and_expunges(suite):
    folder = home(suite, "mbsync")
    mbsync(suite, folder)
    inbox = mailbox.Maildir(os.path.join(folder, "mail/INBOX"), factory=None)
    compare(by_id(inbox.get_bytes(key) for key in inbox.keys()), "mbsync")
    # Flags, a deletion and a new message made here appear there, and the other way round.
    keys = sorted(inbox.keys())
    flagged, deleted = inbox[keys[0]], inbox[keys[1]]
    flagged.set_flags("FRS")
    inbox[keys[0]] = flagged
    deleted.set_flags("ST")
    inbox[keys[1]] = deleted
    inbox.add(mailbox.MaildirMessage(message("u1@example.jp", "u1@example.jp", "pushed")))
    inbox.flush()
    mbsync(suite, folder)
    with suite.imap("u1@example.jp") as client:
        count = int(client.select("INBOX")[1][0])
        equal(count, 1000, "messages on the server")
        equal(len(client.search(None, "FLAGGED", "ANSWERED", "SEEN")[1][0].split()), 1, "flagged")
        equal(len(client.search(None, "SUBJECT", "pushed")[1][0].split()), 1, "pushed")
        client.uid("STORE", "1:10", "+FLAGS", r"(\Flagged)")
        client.create("Work/Japan")
        client.append("Work/Japan", "", None, message("a@example.org", "b@example.org", "filed"))
    mbsync(suite, folder)
    inbox = mailbox.Maildir(os.path.join(folder, "mail/INBOX"), factory=None)
    check(sum("F" in inbox[key].get_flags() for key in inbox.keys()) >= 9, "flags pulled")
    run("grep", "-rlq", "Subject: filed", os.path.join(folder, "mail"))


def test_mutt_reads_and_saves(suite):
    folder = home(suite, "mutt")
    url = f"imaps://u1%40example.jp@127.0.0.1:{suite.ports['imaps']}/INBOX"
    write(os.path.join(folder, "muttrc"), f"""
set folder={folder}
set spoolfile="{url}"
set imap_user="u1@example.jp"
set imap_pass="{suite.password('u1@example.jp')}"
set ssl_verify_host=no ssl_verify_dates=no
set certificate_file={suite.path('made/default/cert.pem')}
set header_cache={folder}/cache
set mbox_type=Maildir
set confirmappend=no confirmcreate=no delete=no quit=yes move=no
set charset=UTF-8
set wait_key=no
set sort=mailbox-order
""")
    write(os.path.join(folder, "keys"), "push '<tag-pattern>~A<enter><tag-prefix><copy-message>"
          f"{folder}/copy<enter><exit>'")
    # mutt reads from a terminal: script(1) gives it one.
    run("script", "-qec", f"mutt -F {folder}/muttrc -f {url} -e 'source {folder}/keys'", "/dev/null",
        env={"HOME": folder, "TERM": "xterm", "LANG": "C.UTF-8"})
    copies = mailbox.Maildir(os.path.join(folder, "copy"), factory=None)
    with suite.imap("u1@example.jp") as client:
        count = int(client.select("INBOX", readonly=True)[1][0])
    equal(len(copies), count, "messages that mutt copied")
    texts = [copies.get_bytes(key) for key in copies.keys()]
    got = by_id(text for text in texts if b"<corpus-" in text)
    check(len(got) >= 999, f"{len(got)} of the corpus")  # the mbsync test deleted one
    for number, text in got.items():
        equal(text, SENT[number], f"message {number} as mutt copied it")


def test_mpop_and_fetchmail_fetch(suite):
    folder = home(suite, "mpop")
    os.makedirs(os.path.join(folder, "in/new"), exist_ok=True)
    os.makedirs(os.path.join(folder, "in/cur"), exist_ok=True)
    os.makedirs(os.path.join(folder, "in/tmp"), exist_ok=True)
    write(os.path.join(folder, "mpoprc"), f"""
account u1
host 127.0.0.1
port {suite.ports['pop3s']}
tls on
tls_starttls off
tls_certcheck off
auth user
user u1@example.jp
password {suite.password('u1@example.jp')}
delivery maildir {folder}/in
keep on
uidls_file {folder}/uidls
""")
    run("mpop", "-q", "-C", os.path.join(folder, "mpoprc"), "-a", env={"HOME": folder})
    fetched = mailbox.Maildir(os.path.join(folder, "in"), factory=None)
    equal(len(fetched), len(suite.mailbox("u1@example.jp")), "messages that mpop fetched")
    run("mpop", "-q", "-C", os.path.join(folder, "mpoprc"), "-a", env={"HOME": folder})
    fetched = mailbox.Maildir(os.path.join(folder, "in"), factory=None)
    equal(len(fetched), len(suite.mailbox("u1@example.jp")), "a second time fetches nothing")
    folder = home(suite, "fetchmail")
    write(os.path.join(folder, "rc"), f"""
poll 127.0.0.1 service {suite.ports['pop3']} proto pop3 uidl
user "u2@example.jp" password "{suite.password('u2@example.jp')}" sslproto "TLS1.2" no sslcertck
fetchall keep mda "cat >> {folder}/out; echo >> {folder}/out"
""")
    run("fetchmail", "-f", os.path.join(folder, "rc"), "-i", os.path.join(folder, "ids"),
        "--nosyslog", "--pidfile", os.path.join(folder, "pid"), env={"HOME": folder})
    with open(os.path.join(folder, "out"), "rb") as file:
        text = file.read()
    equal(text.count(b"Return-Path:"), len(suite.mailbox("u2@example.jp")), "by fetchmail")


def test_pop3_deletes_what_imap_sees(suite):
    before = len(suite.mailbox("u2@example.jp"))
    client = suite.pop3("u2@example.jp")
    client.dele(1)
    client.quit()
    wait_until(lambda: len(suite.mailbox("u2@example.jp")) == before - 1, "one message fewer")
    with suite.imap("u2@example.jp") as client:
        equal(int(client.select("INBOX")[1][0]), before - 1, "messages over IMAP")
