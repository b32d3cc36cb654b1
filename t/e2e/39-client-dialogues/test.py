"""What mail programs say that can't be run here, as they say it: a file for each.

C: a line that the program sends    {name} and {name+}: a literal of LITERALS, waited for or not
S: the answer has this line         ...: anything; [[name]]: a value to remember, or the same again
N: the answer has no such line      (of those read since the last C:)
O: another session of the account sends this, and gets OK
Z: from here on both sides deflate

Untagged lines come in any order, with others between them; a tagged line has to be the next one wanted. All of it
has to be right by the grammar (lib/imapgrammar.py). The account is as prepare() makes it.
"""

import base64
import os
import re

import imapgrammar
import mailclients
from dialogue import plain
from imapsession import Compressed, Imap, Unwaited
from suite import Failure, check

HERE = os.path.dirname(os.path.abspath(__file__))
DIALOGUES = sorted(name.removesuffix(".txt") for name in os.listdir(HERE) if name.endswith(".txt"))
# Of the corpus: alternative with an attachment, alternative, ISO-2022-JP, a forwarded message, a calendar.
INBOX = [19, 17, 0, 23, 24]
LITERALS = {
    "message": mailclients.simple(9000),
    "draft": mailclients.simple(9001),
    "words": "追加".encode(),
    "folder": "取引先".encode(),
}
LITERAL = re.compile(r"\{(\w+)(\+?)\}")
HOLE = re.compile(r"\[\[(\w+)\]\]")


def prepare(suite):
    mailclients.prepare(suite, DIALOGUES)
    for name in DIALOGUES:
        with Imap(suite, mailclients.address_of(name)) as one:
            for number in INBOX:
                mailclients.append(one, "INBOX", number, flags=())
            one.ok(r"SELECT INBOX")
            one.ok(r"UID STORE 1 +FLAGS (\Seen)")
            one.ok(f'CREATE "{mailclients.CUSTOMERS}"')
            one.ok(f'SUBSCRIBE "{mailclients.CUSTOMERS}"')
            mailclients.append(one, mailclients.CUSTOMERS, 33, flags=())


class OnlyStarted(Compressed):
    """The greeting is read by the dialogue."""

    def response(self):
        return None


class Player:
    """One session of a program, played from its file."""

    def __init__(self, suite, name):
        self.session = OnlyStarted(suite)
        self.other = Imap(suite, mailclients.address_of(name))
        address = mailclients.address_of(name)
        password = suite.password(address)
        self.known = {"user": address, "password": password, "plain64": plain(address, password),
                      "user64": base64.b64encode(address.encode()).decode(),
                      "password64": base64.b64encode(password.encode()).decode()}
        self.seen = []      # what came since the last C
        self.passed = []    # what of it no S has wanted so far

    def filled(self, text):
        return HOLE.sub(lambda hole: self.known[hole[1]], text)

    def pattern(self, text):
        """A regular expression for a line of an S or N."""
        parts = re.split(r"(\.\.\.|\[\[\w+\]\])", text)
        expression = ""
        for part in parts:
            hole = HOLE.fullmatch(part)
            if part == "...":
                expression += ".*?"
            elif hole:
                expression += re.escape(self.known[hole[1]]) if hole[1] in self.known else rf"(?P<{hole[1]}>[\w.-]+)"
            else:
                expression += re.escape(part)
        return re.compile(expression.encode(), re.S)

    def read(self):
        data = self.session.raw_response()
        self.session.parsed(data)
        self.seen.append(data)
        return data

    def client(self, text):
        self.seen, self.passed = [], []
        place = 0
        text = self.filled(text)
        for literal in LITERAL.finditer(text):
            content = LITERALS[literal[1]]
            self.session.send(text[place:literal.start()].encode() + b"{%d%s}\r\n" % (len(content), literal[2].encode()))
            if not literal[2]:
                answer = self.read()
                check(answer.startswith(b"+"), f"no continuation but {answer}")
            self.session.send(content)
            place = literal.end()
        self.session.send(f"{text[place:]}\r\n")

    def server(self, text):
        """Untagged lines come in any order, and each answers one S."""
        pattern = self.pattern(text)
        found = next(filter(None, map(pattern.fullmatch, self.passed)), None)
        if found:
            self.passed.remove(found[0])
        while not found:
            data = self.read()
            found = pattern.fullmatch(data)
            if not found:
                check(data.startswith(b"*"), f"wanted {pattern.pattern}, got {b' | '.join(self.seen)[-3000:]}")
                self.passed.append(data)
        self.known |= {name: value.decode() for name, value in found.groupdict().items()}

    def never(self, text):
        pattern = self.pattern(text)
        for data in self.seen:
            check(not pattern.fullmatch(data), f"not wanted: {data}")

    def other_session(self, text):
        parts = LITERAL.split(self.filled(text))
        self.other.ok(parts[0], *([Unwaited(LITERALS[parts[1]]), parts[3]] if len(parts) > 1 else []))

    def deflated(self, _):
        self.session.start_deflate()

    def play(self, path):
        act = {"C": self.client, "S": self.server, "N": self.never, "O": self.other_session, "Z": self.deflated}
        commands = 0
        with open(path, encoding="utf-8") as file, self.session, self.other:
            for number, line in enumerate(file, 1):
                line = line.rstrip("\n")
                if not line or line.startswith("#"):
                    continue
                commands += line.startswith("C:")
                try:
                    act[line[0]](line[3:])
                except (Failure, OSError, imapgrammar.GrammarError) as error:
                    raise Failure(f"{os.path.basename(path)}:{number}: {line}: {error}; {self.seen[-5:]}") from error
        return commands


def played(name):
    def test(suite):
        print(f"  {Player(suite, name).play(os.path.join(HERE, name + '.txt'))} commands")
    return test


for one_name in DIALOGUES:
    globals()[f"test_{one_name.replace('-', '_')}"] = played(one_name)
    globals()[f"test_{one_name.replace('-', '_')}"].__name__ = f"test_{one_name}"
