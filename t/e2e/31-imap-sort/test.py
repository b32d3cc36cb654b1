"""SORT and THREAD: what the server answers is what a plain reading of RFC 5256 in this file comes to."""

import email.utils
import imaplib
import os
import random
import re
import time

from imapsession import Imap, Unwaited
from suite import check, equal

CAPABILITIES = {"SORT", "SORT=DISPLAY", "THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "THREAD=REFS", "ESORT", "CONTEXT=SORT",
                "I18NLEVEL=1"}
START = 1577836800  # 1 Jan 2020
RANDOM_COUNT = 150
CHAIN_COUNT = 3000


def prepare(suite):
    suite.control("plans/lean", "imap-capabilities-off SORT THREAD=REFS\n")
    suite.add_domain("example.jp", "sort", "roundcube", "random", "chain", "bad", "context")
    suite.add_domain("lean.example", "off", plan="lean")
    suite.start()


def user(suite, name):
    return Imap(suite, f"{name}@{'lean.example' if name == 'off' else 'example.jp'}")


def message(number=0, sender="a@example.org", to="b@example.org", cc="", subject="", date="", more="", body=""):
    header = f"From: {sender}\r\nTo: {to}\r\n"
    for name, value in (("Cc", cc), ("Subject", subject), ("Date", date), ("Message-ID", number and f"<{number}@x>")):
        header += f"{name}: {value}\r\n" if value else ""
    return f"{header}{more}\r\n{body}".encode()


def append(session, content, arrival=None):
    when = f' "{time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(arrival))}"' if arrival else ""
    session.ok(f"APPEND INBOX{when} ", Unwaited(content))


# ---- SORT ----------------------------------------------------------------------------------------------
SORTED = [  # content, arrival
    (message(sender='"Zoe" <adam@example.org>', to="zeta@example.org", cc="beta@example.org",
             subject="Re: banana", date="Wed, 1 Jan 2020 10:00:00 +0900"), START + 40),
    (message(sender="=?UTF-8?B?w4RubmU=?= <Bert@example.org>", to="Yankee@example.org, a@example.org",
             subject="Apple", date="Wed, 1 Jan 2020 02:00:00 +0000", body="x" * 300), START + 30),
    (message(sender="cesar@example.org", to="Undisclosed:;", cc="alpha@example.org",
             subject="[list] Banana (fwd)", date="nonsense"), START + 20),
    (message(sender="=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <dora@example.org>", subject="=?UTF-8?Q?=C3=A4pfel?=",
             to="=?UTF-8?Q?=C3=84?= <delta@example.org>", date="31 Dec 2019 16:01:33 -0800"), START + 10),
]


def test_capabilities(suite):
    """RFC 5256 1; RFC 5957 1; RFC 5267 3.1; RFC 5255 4.2"""
    with user(suite, "sort") as one:
        equal(CAPABILITIES - set(one.ok("CAPABILITY").one("CAPABILITY")), set(), "missing")


def test_sort_by_every_key(suite):
    """RFC 5256 2, 3; RFC 5957 3, 4"""
    with user(suite, "sort") as one:
        for content, arrival in SORTED:
            append(one, content, arrival)
        one.ok("EXAMINE INBOX")
        for program, wanted in (
                ("ARRIVAL", [4, 3, 2, 1]), ("REVERSE ARRIVAL", [1, 2, 3, 4]), ("DATE", [3, 4, 1, 2]),
                ("SIZE", [3, 1, 4, 2]), ("REVERSE SIZE", [2, 4, 1, 3]), ("FROM", [1, 2, 3, 4]),
                ("TO", [4, 3, 2, 1]), ("CC", [2, 4, 3, 1]), ("REVERSE CC", [1, 3, 2, 4]),
                # A with diaeresis sorts as A and a combining mark, which is behind all of ASCII (RFC 5051 2)
                ("SUBJECT", [2, 4, 1, 3]), ("SUBJECT REVERSE ARRIVAL", [2, 4, 1, 3]),
                ("SUBJECT ARRIVAL", [2, 4, 3, 1]), ("REVERSE SUBJECT ARRIVAL", [3, 1, 4, 2]),
                ("DISPLAYFROM", [2, 3, 1, 4]), ("DISPLAYTO", [4, 3, 2, 1]), ("displayfrom Subject", [2, 3, 1, 4])):
            result = one.ok(f"SORT ({program}) UTF-8 ALL")
            wanted_size = sorted(range(1, 5), key=lambda n: len(SORTED[n - 1][0]))
            if "SIZE" in program:
                wanted = wanted_size[::-1] if "REVERSE" in program else wanted_size
            equal(result.one("SORT"), wanted, program)
        equal(one.ok("SORT (REVERSE DATE) US-ASCII OR FROM bert TO zeta").one("SORT"), [2, 1], "criteria")
        equal(one.ok("SORT (SUBJECT) UTF-8 SUBJECT ", Unwaited("ÄPFEL".encode())).one("SORT"), [4], "charset")
        equal(one.ok("SORT (DATE) UTF-8 DELETED").one("SORT"), [], "nothing found")


def test_esort(suite):
    """RFC 5267 3.1, 3.2, 4.4; RFC 4731 3.1"""
    with user(suite, "sort") as one:
        one.ok("SELECT INBOX")
        for options, program, wanted in (
                ("()", "ARRIVAL", {"ALL": "4,3,2,1"}), ("(ALL)", "REVERSE ARRIVAL", {"ALL": "1:4"}),
                ("(MIN MAX)", "ARRIVAL", {"MIN": 4, "MAX": 1}), ("(COUNT)", "DATE", {"COUNT": 4}),
                ("(MIN MAX COUNT ALL)", "DATE", {"MIN": 3, "MAX": 2, "COUNT": 4, "ALL": "3:4,1:2"})):
            found = one.ok(f"SORT RETURN {options} ({program}) UTF-8 ALL").one("ESEARCH")
            for key, value in wanted.items():
                equal(found.get(key), str(value), f"{options} {program}: {key} of {found}")
        found = one.ok("UID SORT RETURN (PARTIAL 2:3) (ARRIVAL) UTF-8 ALL").one("ESEARCH")
        check("3,2" in str(found["PARTIAL"]), f"PARTIAL: {found}")
        one.bad("SORT RETURN (ALL PARTIAL 1:2) (DATE) UTF-8 ALL")


def test_after_an_expunge(suite):
    """RFC 5256 3: numbers are those of the moment; of other sessions' removals nothing is told (RFC 3501 7.4.1)"""
    with user(suite, "sort") as one, user(suite, "sort") as two:
        append(one, message(subject="zzz", sender="zzz@x"))
        one.ok("SELECT INBOX")
        two.ok("SELECT INBOX")
        equal(one.ok("SORT (FROM) UTF-8 ALL").one("SORT"), [1, 2, 3, 4, 5], "before")
        two.ok("STORE 3 +FLAGS (\\Deleted)")
        two.ok("EXPUNGE")
        result = one.ok("SORT (FROM) UTF-8 ALL")
        check(not result.numbers("EXPUNGE") and set(result.one("SORT")) <= {1, 2, 3, 4, 5}, f"{result}")
        one.ok("NOOP")
        equal(one.ok("SORT (FROM) UTF-8 ALL").one("SORT"), [1, 2, 3, 4], "after")
        equal(one.ok("UID SORT (FROM) UTF-8 ALL").one("SORT"), [1, 2, 4, 5], "UIDs")


def test_context_is_kept_up_to_date(suite):
    """RFC 5267 4.3: a client that follows ADDTO and REMOVEFROM has what a new SORT would give, whoever did what"""
    chance = random.Random(5)
    with user(suite, "context") as one, user(suite, "context") as two:
        for number in range(20):
            append(one, message(subject=str(chance.randrange(9)), body="x" * chance.randrange(99)), START + number)
        one.ok("SELECT INBOX")
        two.ok("SELECT INBOX")
        program = "(SUBJECT REVERSE SIZE) UTF-8 UNDELETED"
        order = list(one.ok(f"UID SORT {program}").one("SORT"))
        tag = str(one.ok(f"UID SORT RETURN (UPDATE COUNT) {program}").one("ESEARCH")["TAG"])
        for step in range(150):
            session = chance.choice([one, two])
            numbers = f"{chance.choice(order or [1])},{chance.choice(order or [1])}"
            command = chance.choice(["+FLAGS.SILENT (\\Deleted)", "-FLAGS.SILENT (\\Deleted)", "append", "expunge"])
            if command == "append":
                append(two, message(subject=str(chance.randrange(9)), body="x" * chance.randrange(99)))
                result = []
            elif command == "expunge":
                result = session.ok("EXPUNGE").untagged if chance.random() < .2 else []
            else:
                everything = chance.random() < .3
                result = session.ok(f"UID STORE {'1:*' if everything and command[0] == '-' else numbers} {command}").untagged
            for answer in [*(result if session is one else []), *one.ok("NOOP").untagged]:
                follow(order, answer, tag)
            equal(order, one.ok(f"UID SORT {program}").one("SORT"), f"step {step}")
        one.ok(f'CANCELUPDATE "{tag}"')


def follow(order, answer, tag):
    """Carries out one ADDTO or REMOVEFROM."""
    if answer.kind != "ESEARCH" or answer.value.get("TAG") != tag:
        return
    for change in ("REMOVEFROM", "ADDTO"):
        words = re.findall(r"\d+", str(answer.value.get(change, "")))
        for place, uid in zip(map(int, words[::2]), map(int, words[1::2])):
            if change == "ADDTO":
                order.insert(place - 1, uid)
            else:
                equal(order.pop(place - 1), uid, "the message at that place")


# ---- THREAD --------------------------------------------------------------------------------------------
class Node:
    def __init__(self, number=0):
        self.number, self.parent, self.children = number, None, []

    def hang(self, parent):
        if self.parent:
            self.parent.children.remove(self)
        self.parent = parent
        if parent:
            parent.children.append(self)

    def is_above(self, other):
        while other and other is not self:
            other = other.parent
        return other is self


def link(messages):
    """Step 1: messages are (id, references, subject, date), numbers from 1."""
    ids, nodes = {}, []
    for number, (own, references, *_) in enumerate(messages, 1):
        node = ids.setdefault(own, Node()) if own else Node()
        if node.number:
            node = Node()
        node.number = number
        nodes.append(node)
        last = None
        for reference in references:
            dummy = ids.setdefault(reference, Node())
            if last and not dummy.parent and not dummy.is_above(last):
                dummy.hang(last)
            last = dummy
        node.hang(None)
        if last and not node.is_above(last):
            node.hang(last)
    return list({id(node): node for node in [*ids.values(), *nodes]}.values())


def prune(nodes):
    """Steps 2 and 3."""
    for node in nodes:
        while not node.number and node.parent or (not node.number and len(node.children) < 2 and node in nodes):
            for child in list(node.children):
                child.hang(node.parent)
            node.hang(None)
            nodes = [one for one in nodes if one is not node]
    return [node for node in nodes if not node.parent]


def references_threads(messages, join=True):
    """Steps 4 to 6, or REFS."""
    def rank(node):
        if not node.number:
            return min(map(rank, node.children))
        return messages[node.number - 1][3], node.number

    def latest(node):
        return max([rank(node), *map(latest, node.children)])

    def show(node):
        node.children.sort(key=rank)
        nested = [show(child) for child in node.children]
        own = [node.number] if node.number else []
        return own + (nested[0] if own and len(nested) == 1 else nested)

    def base(node):
        subject = messages[(node.number or min(node.children, key=rank).number) - 1][2]
        return re.sub(r"^(re: )*", "", subject), bool(node.number) and subject.startswith("re: ")

    roots = sorted(prune(link(messages)), key=rank)
    if not join:
        return [show(root) for root in sorted(roots, key=latest)]
    table = {}
    for root in roots:
        subject, reply = base(root)
        known = table.setdefault(subject, root)
        if known.number and (not root.number or (base(known)[1] and not reply)):
            table[subject] = root
    for root in list(roots):
        subject, reply = base(root)
        known = table[subject]
        if not subject or known is root or root not in roots:
            continue
        roots.remove(root)
        if not known.number and not root.number:
            for child in list(root.children):
                child.hang(known)
        elif not known.number or (reply and not base(known)[1]):
            root.hang(known)
        else:
            table[subject] = Node()
            roots[roots.index(known)] = table[subject]
            known.hang(table[subject])
            root.hang(table[subject])
    return [show(root) for root in sorted(roots, key=rank)]


def subject_threads(messages):
    order = sorted(range(1, len(messages) + 1), key=lambda n: (messages[n - 1][3], n))
    threads = {}
    for number in order:
        threads.setdefault(re.sub(r"^(re: )*", "", messages[number - 1][2]), []).append(number)
    return [one if len(one) < 3 else [one[0], *([n] for n in one[1:])] for one in threads.values()]


def random_messages(seed):
    chance = random.Random(seed)
    ids = [f"<{n}@x>" for n in range(RANDOM_COUNT)]
    for number in range(RANDOM_COUNT):
        own = chance.choice(["", chance.choice(ids)] + [ids[number]] * 8)
        references = chance.sample(ids, chance.choice([0, 0, 0, 1, 1, 2, 3, 5]))
        subject = chance.choice(["", "re: "]) * chance.choice([1, 2]) + chance.choice(["", *map(str, range(40))])
        yield own, references, subject, START + chance.randrange(RANDOM_COUNT)


def test_threads_of_random_messages(suite):
    """RFC 5256 3: REFERENCES and ORDEREDSUBJECT, against the algorithms above, which are its text"""
    with user(suite, "random") as one:
        for seed in range(4):
            messages = list(random_messages(seed))
            one.ok(f"CREATE r{seed}")
            for own, references, subject, date in messages:
                more = f"References: {' '.join(references)}\r\n" if references else ""
                content = message(subject=subject, date=email.utils.formatdate(date),
                                  more=more + (f"Message-ID: {own}\r\n" if own else ""))
                one.ok(f"APPEND r{seed} ", Unwaited(content))
            one.ok(f"EXAMINE r{seed}")
            for algorithm, wanted in (("REFERENCES", references_threads(messages)),
                                      ("REFS", references_threads(messages, join=False)),
                                      ("ORDEREDSUBJECT", subject_threads(messages))):
                equal(one.ok(f"THREAD {algorithm} UTF-8 ALL").one("THREAD"), wanted, f"{algorithm}, seed {seed}")
            dates = sorted(range(1, RANDOM_COUNT + 1), key=lambda n: (messages[n - 1][3], n))
            equal(one.ok("SORT (DATE) UTF-8 ALL").one("SORT"), dates, "SORT (DATE)")


def test_thread_of_a_search(suite):
    """RFC 5256 3: messages that the search leaves out are as if they were not there"""
    with user(suite, "roundcube") as one:
        append(one, message(1, subject="one"), START)
        append(one, message(2, subject="re: one", more="References: <1@x>\r\n"), START + 1)
        append(one, message(3, subject="re: one", more="References: <1@x> <2@x>\r\n"), START + 2)
        append(one, message(4, subject="two"), START + 3)
        one.ok("SELECT INBOX")
        equal(one.ok("THREAD REFERENCES UTF-8 ALL").one("THREAD"), [[1, 2, 3], [4]], "all")
        equal(one.ok("THREAD REFERENCES UTF-8 NOT 2").one("THREAD"), [[1, 3], [4]], "without the middle")
        equal(one.ok("UID THREAD REFS UTF-8 2:4").one("THREAD"), [[2, 3], [4]], "without the first")
        equal(one.ok("THREAD REFERENCES UTF-8 DELETED").one("THREAD"), [], "nothing")


def test_a_long_chain(suite):
    """A chain of replies is one flat list, whatever its length and order; each with the last few references."""
    with user(suite, "chain") as one:
        one.ok("SELECT INBOX")
    folder = suite.path("mail/example.jp/chain/Maildir/new")
    owner = os.stat(folder).st_uid
    places = list(range(1, CHAIN_COUNT + 1))
    random.Random(1).shuffle(places)
    for number, place in enumerate(places):
        references = " ".join(f"<{n}@x>" for n in range(max(1, place - 5), place))
        name = f"{folder}/{START + number}.M{place}.host"
        with open(name, "wb") as file:
            file.write(message(place, more=f"References: {references}\r\n" if references else ""))
        os.chown(name, owner, owner)
    with user(suite, "chain") as one:
        equal(one.ok("EXAMINE INBOX").numbers("EXISTS"), [CHAIN_COUNT], "messages")
        numbers = {place: number for number, place in enumerate(places, 1)}
        wanted = [numbers[place] for place in range(1, CHAIN_COUNT + 1)]
        for algorithm in ("REFERENCES", "REFS"):
            equal(one.ok(f"THREAD {algorithm} US-ASCII ALL").one("THREAD"), [wanted], algorithm)


# ---- clients -------------------------------------------------------------------------------------------
def test_roundcube(suite):
    """What Roundcube sends for its list: by arrival, by threads, by display names; in imaplib's words"""
    client = suite.imaps("roundcube@example.jp")
    client.select("INBOX")
    for command in ("SORT", "THREAD"):
        check(command in imaplib.Commands, command)
    equal(client.uid("THREAD", "REFS", "US-ASCII", "ALL"), ("OK", [b"(1 2 3)(4)"]), "UID THREAD REFS")
    equal(client.uid("SORT", "(ARRIVAL)", "US-ASCII", "UNDELETED"), ("OK", [b"1 2 3 4"]), "UID SORT")
    equal(client.uid("SORT", "(REVERSE DATE)", "UTF-8", "ALL"), ("OK", [b"4 3 2 1"]), "UID SORT")
    equal(client.uid("SORT", "(DISPLAYFROM)", "US-ASCII", "UNDELETED"), ("OK", [b"1 2 3 4"]), "SORT=DISPLAY")
    equal(client.sort("(SUBJECT)", "UTF-8", "ALL"), ("OK", [b"1 2 3 4"]), "SORT")
    equal(client.thread("REFERENCES", "UTF-8", "ALL"), ("OK", [b"(1 2 3)(4)"]), "THREAD")
    equal(client.thread("ORDEREDSUBJECT", "UTF-8", "ALL"), ("OK", [b"(1 (2)(3))(4)"]), "THREAD")
    client.logout()


# ---- refusals ------------------------------------------------------------------------------------------
def test_bad_commands(suite):
    """RFC 5256 5: BAD, and the session goes on; BADCHARSET (RFC 3501 7.1)"""
    with user(suite, "bad") as one:
        one.bad("SORT (DATE) UTF-8 ALL")  # nothing is selected
        one.ok("SELECT INBOX")
        for command in ("SORT", "SORT ", "SORT ()", "SORT () UTF-8 ALL", "SORT (DATE) UTF-8", "SORT DATE UTF-8 ALL",
                        "SORT (REVERSE) UTF-8 ALL", "SORT (DATE NONE) UTF-8 ALL", "SORT (DATE) UTF-8 NONE",
                        "SORT (DATE) UTF-8 ALL ALL)", "THREAD", "THREAD REFERENCES", "THREAD REFERENCES UTF-8",
                        "THREAD NONE UTF-8 ALL", "THREAD (REFERENCES) UTF-8 ALL", "THREAD REFERENCES UTF-8 NONE",
                        "SORT (" + "DATE " * 1000 + ") UTF-8 ALL", "UID SORT", "UID THREAD"):
            one.bad(command)
        equal(one.ok("SORT (" + "DATE " * 1000 + "SIZE) UTF-8 ALL").one("SORT"), [], "a key a thousand times")
        one.no("BADCHARSET", "SORT (DATE) X-NONE ALL")
        one.no("BADCHARSET", "THREAD REFERENCES X-NONE ALL")


def test_switched_off(suite):
    """What the plan's imap-capabilities-off names is not announced, and not there"""
    with user(suite, "off") as one:
        check(not {"SORT", "THREAD=REFS"} & set(one.ok("CAPABILITY").one("CAPABILITY")), "announced")
        one.ok("SELECT INBOX")
        one.bad("SORT (DATE) UTF-8 ALL")
        one.bad("THREAD REFS UTF-8 ALL")
        one.ok("THREAD REFERENCES UTF-8 ALL")
