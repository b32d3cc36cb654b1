"""NOTIFY (RFC 5465): events of mailboxes told as they happen, to one of several clients."""

import contextlib
import os
import select
import time

from imapsession import Imap, Unwaited
from suite import Failure, check, equal, message, wait_until

SMALL = b"From: <a@example.org>\r\nSubject: small\r\n\r\none\r\ntwo\r\n"
QUIET = 0.3        # seconds in which nothing may come
EVENTS = ["MessageNew", "MessageExpunge", "FlagChange", "MailboxName", "SubscriptionChange",
          "MailboxMetadataChange", "ServerMetadataChange"]
BOTH = "MessageNew MessageExpunge"
USERS = ("syntax", "status", "selected", "delayed", "none", "names", "subs", "meta", "idle", "switch", "deliver",
         "context", "many", "busy", "foreign", "gone")


def prepare(suite):
    suite.add_domain("example.jp", *USERS)
    suite.rebuild()
    suite.start()


def append(session, folder="INBOX", data=SMALL):
    return int(session.ok(f"APPEND {folder} ", Unwaited(data)).code("APPENDUID")[1])


class Watcher(Imap):
    """A client that listens without asking."""
    def news(self, kind, patience=10.0):
        """What comes up to the first of that kind, all of it."""
        self.socket.settimeout(patience)
        found = []
        while not found or found[-1].kind != kind:
            found.append(self.response())
            check(found[-1].tag == "*", f"unasked: {found}")
        return found

    def one(self, kind):
        return self.news(kind)[-1].value

    def silence(self, seconds=QUIET):
        """Nothing comes."""
        deadline = time.monotonic() + seconds
        while not self.pending:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                self.socket.settimeout(left)
                self.pending += self.socket.recv(65536)
        raise Failure(f"unasked: {self.pending!r}")


@contextlib.contextmanager
def pair(suite, address):
    with Watcher(suite, address) as one, Imap(suite, address) as two:
        yield one, two


# ---- the command ---------------------------------------------------------------------------------
def test_syntax(suite):
    """RFC 5465 3.1, 5, 6.1, 8: BAD for what can't be, NO [BADEVENT] for what isn't there"""
    with Watcher(suite, "syntax@example.jp") as one:
        check("NOTIFY" in one.ok("CAPABILITY").one("CAPABILITY"), "announced")
        for words in ("", " ", " SET", " SET ", " SET STATUS", " NONE x", " SOME", " SET ()", " SET (SELECTED)",
                      " SET (SELECTED ())", f" SET (SELECTED ({BOTH})", f" SET  (SELECTED ({BOTH}))",
                      " SET (SELECTED (MessageNew))", " SET (PERSONAL (MessageExpunge))",
                      " SET (PERSONAL (FlagChange))", f" SET (SELECTED ({BOTH} MailboxName))",
                      f" SET (SELECTED ({BOTH})) (SELECTED-DELAYED ({BOTH}))",
                      " SET (PERSONAL (MessageNew (UID) MessageExpunge))", " SET (SUBTREE (MailboxName))",
                      " SET (MAILBOXES () (MailboxName))", f" SET (SELECTED (MessageNew () MessageExpunge))",
                      " SET (EVERYTHING (MailboxName))", f" SET (PERSONAL {BOTH})", " SET (PERSONAL NONE NONE)",
                      f" SET (SELECTED (MessageNew (NONSENSE) MessageExpunge))"):
            one.bad("NOTIFY" + words)
            one.ok("NOOP")
        for event in ("AnnotationChange", "Nonsense", "MailboxName AnnotationChange"):
            bad = one.run(f"NOTIFY SET (PERSONAL ({event}))")
            equal((bad.done.kind, bad.done.code), ("NO", "BADEVENT"), event)
            equal(bad.done.detail, ("(" + " ".join(EVENTS) + ")").encode(), "what there is")
        for words in ("NONE", f"SET (SELECTED ({BOTH}))", f"set status (selected-delayed ({BOTH.lower()} flagchange))",
                      "SET (PERSONAL NONE)", "SET (SELECTED NONE) (INBOXES (MailboxName)) (SUBSCRIBED NONE)",
                      f"SET (SUBTREE (INBOX Sent) ({BOTH})) (MAILBOXES \"no such\" (MailboxName))",
                      f"SET (SELECTED (MessageNew (UID BODY.PEEK[HEADER.FIELDS (From)] FLAGS) MessageExpunge))",
                      "NONE"):
            one.ok("NOTIFY " + words)


def test_too_much(suite):
    """RFC 5465 5.8: what can't be watched is refused, and what was set before stays"""
    with pair(suite, "syntax@example.jp") as (one, two):
        one.ok("NOTIFY SET (PERSONAL (MailboxName))")
        names = " ".join(f"x{i}" for i in range(600))
        one.no("NOTIFICATIONOVERFLOW", f"NOTIFY SET (MAILBOXES ({names}) (MailboxName)) (SUBTREE ({names}) (MailboxName))")
        two.ok("CREATE Still")
        equal(one.one("LIST"), ([], b"/", "Still"), "as before")


def test_status_at_once(suite):
    """RFC 5465 3.1: the figures of all watched mailboxes but the selected one"""
    with Watcher(suite, "status@example.jp") as one:
        append(one, "Sent")
        one.ok("SELECT INBOX")
        plain = one.ok(f"NOTIFY SET (PERSONAL ({BOTH}))")
        check("STATUS" not in [each.kind for each in plain.untagged], f"not asked for: {plain}")
        told = dict(each.value for each in one.ok(f"NOTIFY SET STATUS (PERSONAL ({BOTH} FlagChange))").all("STATUS"))
        equal(set(told), {"Archive", "Drafts", "Junk", "Sent", "Trash"}, "all but INBOX")
        equal((told["Sent"]["MESSAGES"], told["Sent"]["UIDNEXT"], told["Sent"]["UNSEEN"]), (1, 2, 1), "Sent")
        check(all({"UIDVALIDITY", "HIGHESTMODSEQ"} <= set(each) for each in told.values()), f"CONDSTORE: {told}")
        some = one.ok(f"NOTIFY SET STATUS (SUBTREE Sent ({BOTH})) (INBOXES ({BOTH})) (MAILBOXES Junk (MailboxName))")
        equal([each.value[0] for each in some.all("STATUS")], ["Sent"], "message events alone")


# ---- other mailboxes -----------------------------------------------------------------------------
def test_other_mailboxes(suite):
    """RFC 5465 5.1, 5.2, 5.3: STATUS, at once, with no command at work"""
    with pair(suite, "status@example.jp") as (one, two):
        one.ok("SELECT INBOX")
        one.ok(f"NOTIFY SET (SELECTED ({BOTH})) (MAILBOXES (Junk Trash) ({BOTH} FlagChange)) (MAILBOXES Drafts ({BOTH}))")
        append(two, "Junk")
        name, new = one.one("STATUS")
        equal((name, new["MESSAGES"], new["UIDNEXT"], new["UNSEEN"]), ("Junk", 1, 2, 1), "new")
        two.ok("SELECT Junk")
        two.ok("STORE 1 +FLAGS.SILENT (\\Seen \\Deleted)")
        name, flags = one.one("STATUS")
        equal((name, flags["MESSAGES"], flags["UNSEEN"]), ("Junk", 1, 0), "flags")
        check(flags["HIGHESTMODSEQ"] > new["HIGHESTMODSEQ"], f"{new} {flags}")
        two.ok("MOVE 1 Trash")
        moved = {}
        while len(moved) < 2:
            moved.update([one.one("STATUS")])
        equal((moved["Junk"]["MESSAGES"], moved["Trash"]["MESSAGES"]), (0, 1), "moved")
        append(two, "Drafts")
        equal(one.one("STATUS")[1]["MESSAGES"], 1, "Drafts")
        two.ok("SELECT Drafts")
        two.ok("STORE 1 +FLAGS.SILENT \\Seen")
        append(two, "Archive")
        one.silence()
        one.ok("NOTIFY NONE")
        append(two, "Junk")
        one.silence()


def test_delivery(suite):
    """RFC 5465 5.2: a delivery into a mailbox that is not selected; how long it takes from its file's time"""
    with Watcher(suite, "deliver@example.jp") as one:
        one.ok("SELECT Sent")
        one.ok(f"NOTIFY SET (INBOXES ({BOTH}))")
        took = []
        for i in range(1, 11):
            with suite.smtp() as smtp:
                smtp.sendmail("a@example.org", ["deliver@example.jp"],
                              message("a@example.org", "deliver@example.jp", f"number {i}"))
            check(select.select([one.socket], [], [], 10)[0], "nothing came")
            now = time.time()
            took.append(now - newest(suite, "deliver@example.jp"))
            equal(one.one("STATUS")[1]["MESSAGES"], i, "MESSAGES")
        took.sort()
        print(f"delivery to STATUS: median {took[5] * 1000:.1f} ms, worst {took[-1] * 1000:.1f} ms")
        check(took[5] < 0.5, f"{took}")


def newest(suite, address):
    """When the last message came into new/: a rename sets the time of the folder."""
    return os.stat(os.path.join(folder(suite, address), "new")).st_mtime


def folder(suite, address):
    user, domain = address.split("@")
    return suite.path("mail", domain, user, "Maildir")


# ---- the selected mailbox ------------------------------------------------------------------------
def test_selected(suite):
    """RFC 5465 5.1 - 5.3, 6.1: EXISTS with the items asked for, FETCH, EXPUNGE, at once"""
    with pair(suite, "selected@example.jp") as (one, two):
        append(two)
        two.ok("SELECT INBOX")
        one.ok("SELECT INBOX")
        append(two)
        told = one.ok("NOTIFY SET (SELECTED (MessageNew (UID BODY[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange))")
        equal(told.numbers("EXISTS"), [2], "what had gathered")
        equal(told.all("FETCH"), [], "before it")
        uid = append(two)
        news = one.news("FETCH")
        check("EXISTS" in [each.kind for each in news], f"{news}")
        equal((news[-1].number, news[-1].value["UID"]), (3, uid), "new")
        equal(news[-1].value["BODY[HEADER.FIELDS (SUBJECT)]"], b"Subject: small\r\n\r\n", "item")
        check("\\Seen" not in two.ok("FETCH 3 FLAGS").fetched()[3]["FLAGS"], "nobody has read it")
        two.ok("STORE 1 +FLAGS.SILENT \\Deleted")
        flags = one.news("FETCH")[-1]
        check(flags.number == 1 and "\\Deleted" in flags.value["FLAGS"] and "UID" in flags.value, f"{flags}")
        two.ok("EXPUNGE")
        equal(one.news("EXPUNGE")[-1].number, 1, "at once")
        # What is held back by a command comes behind it.
        two.ok("UID STORE 2 +FLAGS.SILENT \\Deleted")
        one.news("FETCH")
        one.socket.setblocking(True)
        two.send("x1 EXPUNGE\r\n")
        wait_until(lambda: len(suite.messages("selected@example.jp")) == 1, "expunged")
        found = one.ok("FETCH 1:* UID")
        if not found.all("EXPUNGE"):
            equal(one.news("EXPUNGE")[-1].number, 1, "behind FETCH")


def test_selected_delayed(suite):
    """RFC 5465 6.1: EXPUNGE waits for a command that allows it, IDLE is one"""
    with pair(suite, "delayed@example.jp") as (one, two):
        for _ in range(3):
            append(two)
        two.ok("SELECT INBOX")
        one.ok("SELECT INBOX")
        one.ok(f"NOTIFY SET (SELECTED-DELAYED ({BOTH}))")
        two.ok("STORE 1 +FLAGS.SILENT \\Deleted")
        two.ok("EXPUNGE")
        one.silence()
        append(two)
        equal([each.number for each in one.news("RECENT") if each.kind == "EXISTS"], [4], "new comes at once")
        one.silence()
        equal(one.ok("NOOP").numbers("EXPUNGE"), [1], "NOOP")
        two.ok("STORE 1 +FLAGS.SILENT \\Deleted")
        two.ok("EXPUNGE")
        one.silence()
        one.send("i1 IDLE\r\n")
        equal([each.number for each in (one.response(), one.response()) if each.kind == "EXPUNGE"], [1], "IDLE")
        one.send("DONE\r\n")
        equal(one.response().tag, "i1", "DONE")


def test_selected_none(suite):
    """RFC 5465 3.1: without SELECTED there is no news of it, but of what the client removes itself"""
    with pair(suite, "none@example.jp") as (one, two):
        append(two)
        two.ok("SELECT INBOX")
        one.ok("SELECT INBOX")
        one.ok(f"NOTIFY SET (PERSONAL ({BOTH}))")
        append(two)
        one.silence()
        equal(one.ok("NOOP").untagged, [], "NOOP")
        one.ok("STORE 1 +FLAGS.SILENT \\Deleted")
        equal(one.ok("EXPUNGE").numbers("EXPUNGE"), [1], "its own")
        one.ok("NOTIFY NONE")
        append(two)
        one.silence()
        equal(one.ok("NOOP").numbers("EXISTS")[-1:], [2], "as without NOTIFY")


def test_leaving_the_selected_mailbox(suite):
    """RFC 5465 3.1: SELECTED is what is selected when it happens"""
    with pair(suite, "switch@example.jp") as (one, two):
        one.ok("SELECT INBOX")
        one.ok(f"NOTIFY SET (SELECTED-DELAYED ({BOTH})) (MAILBOXES (INBOX Sent) ({BOTH}))")
        append(two)
        equal([each.kind for each in one.news("EXISTS")][-1], "EXISTS", "selected")
        one.ok("SELECT Sent")
        equal(one.one("STATUS")[1]["MESSAGES"], 1, "INBOX is another one now")
        append(two, "Sent")
        one.news("EXISTS")
        append(two)
        equal(one.one("STATUS")[1]["MESSAGES"], 2, "INBOX")
        one.ok("CLOSE")
        equal(one.one("STATUS")[0], "Sent", "not selected any more")
        append(two, "Sent")
        equal(one.one("STATUS"), ("Sent", one_status(two, "Sent")), "Sent")


def one_status(session, name):
    return session.ok(f"STATUS {name} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)").one("STATUS")[1]


def test_idle(suite):
    """RFC 5465 7, RFC 2177: events come during IDLE as well"""
    with pair(suite, "idle@example.jp") as (one, two):
        one.ok("SELECT INBOX")
        one.ok(f"NOTIFY SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge)) (PERSONAL ({BOTH} MailboxName))")
        one.send("i1 IDLE\r\n")
        equal(one.response().tag, "+", "IDLE")
        uid = append(two)
        equal(one.news("FETCH")[-1].value["UID"], uid, "selected")
        append(two, "Sent")
        equal(one.one("STATUS")[0], "Sent", "other")
        two.ok("CREATE Idle")
        equal(one.one("LIST")[2], "Idle", "name")
        one.send("DONE\r\n")
        while one.response().tag != "i1":
            pass


def test_context(suite):
    """RFC 5465 5.1, 5.2; RFC 5267 4.3: FETCH stands before ESEARCH"""
    with pair(suite, "context@example.jp") as (one, two):
        append(two)
        two.ok("SELECT INBOX")
        one.ok("SELECT INBOX")
        one.ok("UID SEARCH RETURN (UPDATE ALL) UNFLAGGED")
        one.ok("NOTIFY SET (SELECTED (MessageNew (UID) MessageExpunge FlagChange))")
        append(two)
        equal([each.kind for each in one.news("ESEARCH")][-2:], ["FETCH", "ESEARCH"], "new")
        two.ok("NOOP")
        two.ok("STORE 1 +FLAGS.SILENT \\Flagged")
        equal([each.kind for each in one.news("ESEARCH")][-2:], ["FETCH", "ESEARCH"], "flags")


# ---- names ---------------------------------------------------------------------------------------
def test_names(suite):
    """RFC 5465 5.4: LIST of what is made, deleted, renamed by others; not by the client itself"""
    with pair(suite, "names@example.jp") as (one, two):
        one.ok(f"NOTIFY SET (PERSONAL ({BOTH} MailboxName))")
        two.ok("CREATE Work")
        equal(one.one("LIST"), ([], b"/", "Work"), "CREATE")
        equal(one.one("STATUS")[0], "Work", "and its figures")
        two.ok("CREATE Work/2026")
        equal(one.one("LIST")[2], "Work/2026", "below")
        one.one("STATUS")
        two.ok("RENAME Work Labour")
        names = {}
        while len(names) < 2:
            told = one.one("LIST")
            names[told[2]] = told[3]["OLDNAME"]
        equal(names, {"Labour": ["Work"], "Labour/2026": ["Work/2026"]}, "RENAME")
        append(two, "Labour/2026")
        equal(one.one("STATUS")[0], "Labour/2026", "watched under its new name")
        two.ok("DELETE Labour/2026")
        equal(one.one("LIST"), (["\\NonExistent"], b"/", "Labour/2026"), "DELETE")
        one.ok("CREATE Own")
        one.ok("RENAME Own Mine")
        one.ok("DELETE Mine")
        one.silence()
        one.ok("NOTIFY SET (SUBTREE Labour (MailboxName))")
        two.ok("CREATE Elsewhere")
        two.ok("CREATE Labour/New")
        equal(one.one("LIST")[2], "Labour/New", "SUBTREE")


def test_rename_of_many(suite):
    """Whoever looks while they get their names one by one sees all of it, or nothing"""
    suite.add_user("renames@example.jp")
    with pair(suite, "renames@example.jp") as (one, two):
        two.ok("CREATE A")
        for number in range(20):
            two.ok(f"CREATE A/{number}")
        one.ok("NOTIFY SET (PERSONAL (MailboxName))")
        for turn in range(20):
            before, after = "AB" if turn % 2 == 0 else "BA"
            two.ok(f"RENAME {before} {after}")
            told = dict((name, rest) for _, _, name, *rest in (one.one("LIST") for _ in range(21)))
            equal({name: rest and rest[0].get("OLDNAME") for name, rest in told.items()},
                  {name: [name.replace(after, before)] for name in [after, *(f"{after}/{number}" for number in range(20))]},
                  f"turn {turn}")


def test_rename_of_the_selected_mailbox(suite):
    """RFC 5465 5.4: it stays selected, and watched"""
    with pair(suite, "names@example.jp") as (one, two):
        two.ok("CREATE Before")
        one.ok("SELECT Before")
        one.ok(f"NOTIFY SET (SELECTED ({BOTH} FlagChange)) (PERSONAL (MailboxName))")
        two.ok("RENAME Before After")
        equal(one.one("LIST")[2:], ("After", {"OLDNAME": ["Before"]}), "RENAME")
        append(two, "After")
        one.news("EXISTS")
        equal(len(one.ok("UID FETCH 1:* FLAGS").fetched()), 1, "FETCH")
        two.ok("RENAME After Again")
        one.news("LIST")
        append(two, "Again")
        one.news("EXISTS")


def test_delete_of_the_selected_mailbox(suite):
    """RFC 2180 3.3, RFC 5465 5.4"""
    with pair(suite, "gone@example.jp") as (one, two):
        two.ok("CREATE Doomed")
        one.ok("SELECT Doomed")
        one.ok(f"NOTIFY SET (SELECTED ({BOTH})) (PERSONAL (MailboxName))")
        two.ok("DELETE Doomed")
        kinds = [each.kind for each in one.news("BYE")]
        check("LIST" in kinds, f"{kinds}")


def test_subscriptions(suite):
    """RFC 5465 5.5, 6.4: SUBSCRIBE and UNSUBSCRIBE by others; SUBSCRIBED follows them"""
    with pair(suite, "subs@example.jp") as (one, two):
        two.ok("CREATE News")
        one.ok("NOTIFY SET (PERSONAL (SubscriptionChange))")
        two.ok("SUBSCRIBE News")
        equal(one.one("LIST"), (["\\Subscribed"], b"/", "News"), "SUBSCRIBE")
        two.ok("UNSUBSCRIBE News")
        equal(one.one("LIST"), ([], b"/", "News"), "UNSUBSCRIBE")
        one.ok("SUBSCRIBE News")
        one.ok("UNSUBSCRIBE News")
        one.silence()
        one.ok(f"NOTIFY SET (SUBSCRIBED ({BOTH}))")
        append(two, "News")
        one.silence()
        two.ok("SUBSCRIBE News")
        equal(one.one("STATUS")[0], "News", "watched now")
        append(two, "News")
        equal(one.one("STATUS")[1]["MESSAGES"], 2, "watched")
        two.ok("UNSUBSCRIBE News")
        append(two, "News")
        one.silence()


def test_metadata(suite):
    """RFC 5465 5.6, 5.7; RFC 5464 4.4.2: names of the entries that changed"""
    with pair(suite, "meta@example.jp") as (one, two):
        two.ok('SETMETADATA Sent (/private/comment "old")')
        one.ok("NOTIFY SET (PERSONAL (MailboxMetadataChange ServerMetadataChange))")
        two.ok('SETMETADATA Sent (/private/comment "new" /shared/comment "x")')
        equal(one.one("METADATA"), ("Sent", ["/private/comment", "/shared/comment"]), "set")
        two.ok('SETMETADATA Sent (/shared/comment NIL)')
        equal(one.one("METADATA"), ("Sent", ["/shared/comment"]), "removed")
        two.ok('SETMETADATA "" (/private/comment "x")')
        equal(one.one("METADATA"), ("", ["/private/comment"]), "server")
        two.ok('SETMETADATA Sent (/private/comment "new")')
        one.ok('SETMETADATA Sent (/private/comment "mine")')
        one.ok('SETMETADATA "" (/private/comment "mine")')
        one.silence()


# ---- many at once --------------------------------------------------------------------------------
def test_three_clients(suite):
    """What others do at the same time arrives at all, and the last figures are right"""
    address = "many@example.jp"
    with Watcher(suite, address) as one, Watcher(suite, address) as two, Imap(suite, address) as three:
        for each in (one, two):
            each.ok(f"NOTIFY SET (PERSONAL ({BOTH} FlagChange))")
        for i in range(30):
            append(three, ("INBOX", "Sent", "Junk")[i % 3])
        for each in (one, two):
            last = {}
            while [value["MESSAGES"] for value in last.values()] != [10, 10, 10]:
                last.update([each.one("STATUS")])
            each.silence()
        append(one, "Sent")
        equal(two.one("STATUS")[1]["MESSAGES"], 11, "of a client that watches itself")


def test_many_mailboxes(suite):
    """300 mailboxes are watched, each of them"""
    with pair(suite, "busy@example.jp") as (one, two):
        for i in range(300):
            two.ok(f"CREATE many/{i}")
        begun = time.monotonic()
        one.ok(f"NOTIFY SET (PERSONAL ({BOTH} FlagChange MailboxName))")
        print(f"NOTIFY SET of 306 mailboxes: {(time.monotonic() - begun) * 1000:.1f} ms")
        for i in (0, 150, 299):
            append(two, f"many/{i}")
            equal(one.one("STATUS")[0], f"many/{i}", "STATUS")


def test_changes_by_hand(suite):
    """A folder made by other programs, and a message that cp puts there"""
    with Watcher(suite, "foreign@example.jp") as one:
        one.ok(f"NOTIFY SET (PERSONAL ({BOTH} MailboxName))")
        root = folder(suite, "foreign@example.jp")
        owner = os.stat(root)
        made = os.path.join(root, ".ByHand")
        for name in ("", "new", "cur", "tmp"):
            os.makedirs(os.path.join(made, name), exist_ok=True)
            os.chown(os.path.join(made, name), owner.st_uid, owner.st_gid)
            time.sleep(0.05)
        equal(one.one("LIST")[2], "ByHand", "mkdir")
        one.news("STATUS")
        path = os.path.join(made, "new", "1.by.hand")
        with open(path, "wb") as file:
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(SMALL)
        equal(one.one("STATUS")[1]["MESSAGES"], 1, "cp")
