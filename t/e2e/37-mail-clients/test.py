"""Mail programs and libraries as people install them, each with an account of its own: what they read is what is
there, byte by byte; what they change is changed; what they have is not fetched again.

What a program does to messages itself is undone before comparing, and said where it is done."""

import base64
import datetime
import imaplib
import json
import os
import re
import ssl
import time
import urllib.parse

import mailclients
from imapsession import Imap
from mailclients import (CUSTOMERS, QUOTES, Message, address_of, append, by_number, certificate, change_account,
                         cleaned, compare_folder, home, maildir_messages, measured, number_of, run, write)
from suite import check, equal


def prepare(suite):
    mailclients.prepare(suite, ["imaptalk", "imaplib", "mutt", "curl", "pop"])


# ---- Perl's Mail::IMAPTalk -----------------------------------------------------------------------------
def decoded(name):
    """Modified UTF-7 (RFC 3501 5.1.3) as Unicode; INBOX as Mail::IMAPTalk writes it."""
    return "Inbox" if name == "INBOX" else re.sub(
        "&([^-]+)-", lambda coded: base64.b64decode(coded[1].replace(",", "/") + "==").decode("utf-16-be"), name)


def compare_imaptalk(told, state, what):
    """What the script made of the account against what is there: everything, dates and UIDs too."""
    account, validity = state
    equal(sorted(told), sorted(map(decoded, account)), f"{what}: folders")
    for name, messages in account.items():
        folder = told[decoded(name)]
        equal(int(folder["validity"]), int(validity[name]), f"{what}: UIDVALIDITY of {name}")
        equal(sorted(map(int, folder["messages"])), sorted(messages), f"{what}: UIDs of {name}")
        for uid, one in folder["messages"].items():
            date = datetime.datetime.strptime(one["date"].strip(), "%d-%b-%Y %H:%M:%S %z").timestamp()
            flags = frozenset(one["flags"]) - {r"\Recent"}
            equal(Message(flags, date, base64.b64decode(one["text"])), messages[int(uid)], f"{what}: {name}/{uid}")
            equal(one["size"], len(messages[int(uid)].text), f"{what}: size of {name}/{uid}")
            equal(number_of(one["id"].encode()), number_of(messages[int(uid)].text),
                  f"{what}: ENVELOPE of {name}/{uid}")
            check(one["type"], f"{what}: BODYSTRUCTURE of {name}/{uid}")


def test_perl_imaptalk(suite):
    address = address_of("imaptalk")
    mailclients.fill(suite, address)
    script = os.path.join(os.path.dirname(__file__), "imaptalk.pl")
    told = {}
    before = mailclients.read_account(suite, address)
    measured(suite, address, "Mail::IMAPTalk", lambda: told.update(json.loads(run(
        "perl", script, "localhost", str(suite.ports["imaps"]), certificate(suite), address, suite.password(address)))))
    after = mailclients.read_account(suite, address)
    compare_imaptalk(told["before"], before, "before")
    compare_imaptalk(told["after"], after, "after")
    # What the script did, in one view: all messages but the one expunged, four in the new folder, one of them new.
    made = next(messages for name, messages in after[0].items() if decoded(name) == "新規/子")
    equal(sorted(number_of(one.text) for one in made.values()), [4, 5, 6, 2000], "appended, copied twice, moved")
    equal(sorted(after[0]["INBOX"]), sorted(set(before[0]["INBOX"]) - {4, 7}), "UIDs that stay")
    flagged = [uid for uid, one in sorted(after[0]["INBOX"].items()) if r"\Flagged" in one.flags]
    equal(told["answers"]["flagged"], flagged, "SEARCH FLAGGED")
    equal(told["answers"]["sorted"], len(after[0]["INBOX"]), "SORT")
    equal(told["answers"]["status"]["messages"], "4", "STATUS")
    equal(told["answers"]["metadata"], {"Inbox": {"/private/comment": "覚え書き"}}, "GETMETADATA")
    check("Archive" not in after[0], "DELETE")


# ---- mutt ----------------------------------------------------------------------------------------------
MUTT = """
set spoolfile="{url}INBOX" folder="{url}"
set imap_user="{user}" imap_pass="{password}"
set certificate_file={certificate} ssl_verify_dates=no
set imap_condstore=yes imap_qresync=yes imap_deflate=yes
set header_cache={home}/headers message_cachedir={home}/messages
set mbox_type=Maildir
set confirmappend=no confirmcreate=no delete=yes quit=yes move=no beep=no
set charset=UTF-8
set wait_key=no
set sort=mailbox-order
set mark_old=no
"""


def mutt(suite, folder, keys):
    """mutt with these keys pushed. It wants a terminal: script(1) gives it one."""
    url = f"imaps://localhost:{suite.ports['imaps']}/"
    address = address_of("mutt")
    write(os.path.join(folder, "rc"), MUTT.format(url=url, user=address, password=suite.password(address),
                                                  certificate=certificate(suite), home=folder))
    os.makedirs(os.path.join(folder, "messages"), exist_ok=True)
    os.makedirs(os.path.join(folder, "headers"), exist_ok=True)
    write(os.path.join(folder, "keys"), f"push '{keys}'")
    run("script", "-qec", f"mutt -F {folder}/rc -e 'source {folder}/keys'", "/dev/null",
        env={"HOME": folder, "TERM": "xterm", "LANG": "C.UTF-8"})


def as_mutt_copies(text):
    """mutt notes flags and counts in the headers of messages that it writes."""
    return re.sub(rb"^(X-Status|Status|Content-Length|Lines): .*\n", b"", cleaned(text), flags=re.M)


def test_mutt(suite):
    folder = home(suite, "mutt")
    address = address_of("mutt")
    mailclients.fill(suite, address)

    def compare(copy):
        got = by_number(maildir_messages(os.path.join(folder, copy), {}), as_mutt_copies)
        wanted = by_number(mailclients.read_account(suite, address)[0]["INBOX"].values(), as_mutt_copies)
        compare_folder(got, wanted, f"mutt: {copy}", flags=False, dates=False)

    def copy_all(copy):
        mutt(suite, folder, f"<tag-pattern>~A<enter><tag-prefix><copy-message>{folder}/{copy}<enter><exit>")

    full = measured(suite, address, "mutt copies all", lambda: copy_all("first"))
    compare("first")
    before = mailclients.read_account(suite, address)
    again = measured(suite, address, "mutt copies all again", lambda: copy_all("second"))
    compare("second")
    equal(mailclients.read_account(suite, address), before, "the account, UIDs and all")
    check(again.sent < full.sent // 20, f"mutt has fetched again: {again}")
    # Flags, deletion and saving into another folder by mutt; mail and flags by others.
    change_account(suite, "mutt")
    measured(suite, address, "mutt changes", lambda: mutt(
        suite, folder, "12<enter><flag-message><last-entry><delete-message>"
        f"<tag-pattern>~i corpus-50@<enter><tag-prefix><save-message>=取引先<enter><sync-mailbox><quit>"))
    after = mailclients.read_account(suite, address)[0]
    equal(set(before[0]["INBOX"]) ^ set(after["INBOX"]), {11, 12, 13, 14, 15, 51}, "UIDs that went")
    came = set(by_number(after[CUSTOMERS].values())) - set(by_number(before[0][CUSTOMERS].values()))
    equal(came, {11, 12, 13, 14, 50}, "moved by others, saved by mutt")
    equal(after["INBOX"][17].flags, {r"\Flagged"}, "flagged by mutt")
    compare_folder(by_number(after["INBOX"].values()), {number_of(message.text): message for uid, message in
                   before[0]["INBOX"].items() if uid in after["INBOX"]}, "what stays", flags=False)


# ---- curl ----------------------------------------------------------------------------------------------
def test_curl(suite):
    folder = home(suite, "curl")
    address = address_of("curl")
    mailclients.fill(suite, address)
    base = f"imaps://localhost:{suite.ports['imaps']}/"
    quotes = base + urllib.parse.quote(QUOTES)

    def curl(*arguments):
        return run("curl", "-sS", "--cacert", certificate(suite), "--user", f"{address}:{suite.password(address)}",
                   *arguments)

    state = mailclients.read_account(suite, address)[0]
    measured(suite, address, "curl fetches 40 messages in one session", lambda: curl(
        quotes + ";UID=[1-40]", "-o", os.path.join(folder, "#1")))
    for uid, message in state[QUOTES].items():
        with open(os.path.join(folder, str(uid)), "rb") as file:
            equal(file.read(), message.text, f"UID {uid} as curl stores it")
    equal(curl(quotes + ";UID=3;SECTION=HEADER.FIELDS%20(MESSAGE-ID)").strip(),
          b"Message-ID: <corpus-%d@example.org>" % number_of(state[QUOTES][3].text), "a section")
    check(QUOTES.encode() in curl(base), "LIST")
    numbers = [uid for uid, message in state["INBOX"].items() if r"\Flagged" in message.flags]
    equal(curl(base + "INBOX", "-X", "UID SEARCH FLAGGED").split()[2:], [b"%d" % uid for uid in numbers], "SEARCH")
    path = os.path.join(folder, "new")
    with open(path, "wb") as file:
        file.write(mailclients.simple(3000))
    curl("-T", path, quotes)
    curl("-X", r"UID STORE 1 +Flags \Flagged", quotes)
    after = mailclients.read_account(suite, address)[0][QUOTES]
    equal(after[41].text, mailclients.simple(3000), "APPEND")
    check(r"\Flagged" in after[1].flags, "STORE")


# ---- Python's imaplib ----------------------------------------------------------------------------------
def test_python_imaplib(suite):
    """Everything that the library has a method for."""
    address = address_of("imaplib")
    mailclients.fill(suite, address)
    state = mailclients.read_account(suite, address)[0]
    context = ssl.create_default_context(cafile=certificate(suite))
    with imaplib.IMAP4_SSL("localhost", suite.ports["imaps"], ssl_context=context) as client:
        def ok(answer):
            equal(answer[0], "OK", f"imaplib: {answer[1]}")
            return answer[1]
        ok(client.authenticate("PLAIN", lambda _: f"\0{address}\0{suite.password(address)}".encode()))
        check(b"UIDPLUS" in ok(client.capability())[0].split(), "capabilities")
        # Before UTF8=ACCEPT, in which this version sends APPEND's literal wrongly.
        ok(client.append(QUOTES, r"(\Seen $label3)", mailclients.date_of(4000), mailclients.simple(4000)))
        ok(client.append(QUOTES, None, None, "Subject: 生のまま\r\nMessage-ID: <corpus-4001@x>\r\n\r\n".encode()))
        ok(client.enable("UTF8=ACCEPT"))
        check(client.utf8_enabled, "UTF8=ACCEPT")
        # Names are UTF-8 from here on (RFC 6855 3).
        names = [line.decode().rsplit(' "/" ', 1)[1].strip('"') for line in ok(client.list())
                 if rb"\Noselect" not in line]
        equal(sorted(names), sorted(decoded(name).replace("Inbox", "INBOX") for name in state), "LIST")
        equal(ok(client.select('"仕事/見積もり"')), [b"42"], "SELECT")
        fetched = [one for one in ok(client.uid("FETCH", "1:*", "(UID BODY.PEEK[])")) if isinstance(one, tuple)]
        equal([text for _, text in fetched][:40], [one.text for _, one in sorted(state[QUOTES].items())], "FETCH")
        check(ok(client.noop()), "NOOP")
        equal(ok(client.search(None, "SUBJECT", '"生のまま"')), [b"42"], "SEARCH in UTF-8")
        equal(ok(client.store("1:2", "+FLAGS.SILENT", r"(\Deleted)"))[0], None, "STORE says nothing")
        equal(len(ok(client.expunge())), 2, "EXPUNGE")
        ok(client.create('"新規/子"'))
        ok(client.uid("COPY", "10:12", '"新規/子"'))
        ok(client.uid("MOVE", "13", '"新規/子"'))
        order = ok(client.sort("(REVERSE DATE)", "UTF-8", "ALL"))[0].split()
        equal(sorted(map(int, order)), list(range(1, 40)), "SORT")
        check(ok(client.thread("REFERENCES", "UTF-8", "ALL"))[0], "THREAD")
        ok(client.unselect())
        ok(client.rename('"新規"', '"改名"'))
        ok(client.subscribe('"改名/子"'))
        check("改名/子".encode() in b"".join(ok(client.lsub())), "LSUB")
        check(b"MESSAGES 4" in ok(client.status('"改名/子"', "(MESSAGES UIDNEXT)"))[0], "STATUS")
        equal(ok(client.getquotaroot("INBOX"))[0], [b'"INBOX"'], "GETQUOTAROOT, where there is no quota")
        ok(client.delete("Archive"))
        equal(ok(client.namespace()), [b'(("" "/")) NIL NIL'], "NAMESPACE")
    after = {decoded(name): messages for name, messages in mailclients.read_account(suite, address)[0].items()}
    equal(after["仕事/見積もり"][41], Message(frozenset({r"\Seen", "$label3"}), mailclients.date_of(4000).timestamp(),
                                       mailclients.simple(4000)), "what imaplib has appended")
    equal([one.text for one in after["改名/子"].values()], [state[QUOTES][uid].text for uid in (10, 11, 12, 13)], "copies")


# ---- POP3: mail stays on the server, and is fetched once ------------------------------------------------
FETCHMAIL = """
set invisible
poll localhost service {port} proto pop3 uidl
user "{user}" password "{password}" ssl sslcertck sslcertfile {certificate} keep no rewrite
mda "{home}/deliver"
"""
MPOP = """
account a
host localhost
port {port}
tls on
tls_starttls off
tls_trust_file {certificate}
auth user
user {user}
password {password}
delivery maildir {home}/mail
received_header off
keep on
uidls_file {home}/uidls
"""
# A program that delivers what it reads into a Maildir, as fetchmail wants one.
DELIVER = """#!/bin/sh
name=$(date +%s).$$.$(od -An -N4 -tx4 /dev/urandom | tr -d ' ').here
cat > {home}/mail/tmp/$name && mv {home}/mail/tmp/$name {home}/mail/new/$name
"""


def pop_client(suite, name, configuration, *command):
    folder = home(suite, name)
    for part in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, "mail", part), exist_ok=True)
    address = address_of("pop")
    rc = write(os.path.join(folder, "rc"), configuration.format(
        port=suite.ports["pop3s"], user=address, password=suite.password(address), certificate=certificate(suite),
        home=folder))
    os.chmod(write(os.path.join(folder, "deliver"), DELIVER.format(home=folder)), 0o700)

    def fetch():
        run(*(word.format(rc=rc, home=folder) for word in command), env={"HOME": folder}, wanted=(0, 1))
        messages = by_number(maildir_messages(os.path.join(folder, "mail"), {}), cleaned)
        return {number: message.text for number, message in messages.items()}
    return fetch


def test_pop3_programs_leave_mail_and_fetch_it_once(suite):
    address = address_of("pop")
    mailclients.fill(suite, address, {"INBOX": 120})
    clients = {
        "fetchmail": pop_client(suite, "fetchmail", FETCHMAIL, "fetchmail", "-f", "{rc}", "-i", "{home}/ids",
                                "--nosyslog", "--pidfile", "{home}/pid"),
        "mpop": pop_client(suite, "mpop", MPOP, "mpop", "-q", "-C", "{rc}", "-a")}
    everything = {}
    for what, change in {
            "all": "NOOP", "nothing": "NOOP", "flags have changed": r"UID STORE 7:9 FLAGS (\Seen \Flagged)",
            "five are gone": r"UID STORE 1:5 +FLAGS.SILENT (\Deleted)", "one came": None}.items():
        with Imap(suite, address) as one:
            one.ok("SELECT INBOX")
            one.ok(change) if change else append(one, "INBOX", 5000, mailclients.simple(5000))
            one.ok("CLOSE")
        account = by_number(mailclients.read_account(suite, address)[0]["INBOX"].values(), cleaned)
        everything |= {number: message.text for number, message in account.items()}
        for name, fetch in clients.items():
            start = time.monotonic()
            got = fetch()
            print(f"  {name}, {what}: {time.monotonic() - start:.1f} s")
            # One that is fetched a second time is there twice, which by_number refuses.
            equal(sorted(got), sorted(everything), f"{name}, {what}: messages")
            for number, text in got.items():
                equal(text, everything[number], f"{name}, {what}: message {number}")
    equal(len(account), 116, "messages on the server")
