"""What an IMAP server may say: the grammar of RFC 3501 section 9, strictly.

parse(bytes) takes one whole response, literals included and the last CRLF taken off, and gives a Response;
GrammarError where a byte stands that may not. Strings become bytes, NIL None, lists lists, numbers ints.
"""

import re
from typing import NamedTuple

ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
ASTRING = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]+')
QUOTED = re.compile(rb'"((?:[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]|\\["\\])*)"')
QUOTED_UTF8 = re.compile(rb'"((?:[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f\x80-\xff]|\\["\\])*)"')
TEXT = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]+")
NUMBER = re.compile(rb"\d+")
OBJECT_ID = re.compile(rb"\(([A-Za-z0-9_-]{1,255})\)")
STATUS = re.compile(rb"MESSAGES|RECENT|UIDNEXT|UIDVALIDITY|UNSEEN|APPENDLIMIT|DELETED-STORAGE|DELETED|SIZE"
                    rb"|HIGHESTMODSEQ")
DATE = re.compile(rb'"( \d|\d\d)-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{4}'
                  rb' \d\d:\d\d:\d\d [+-]\d{4}"')
UIDS = re.compile(rb"[1-9]\d*(:[1-9]\d*)?(,[1-9]\d*(:[1-9]\d*)?)*")
WORDS = rb"(HEADER\.FIELDS(?:\.NOT)?(?= \()|HEADER(?=\])|TEXT(?=\])"
SECTION = re.compile(rb"\[(?:[1-9]\d*(?:\.[1-9]\d*)*(?:\." + WORDS + rb"|MIME(?=\])))?|" + WORDS + rb")|)")
LITERAL = re.compile(rb"\{(\d+)\}\r\n")
BINARY = re.compile(rb"BINARY(\.SIZE)?\[(?:[1-9]\d*(?:\.[1-9]\d*)*)?\](?:<\d+>)? ")
BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")
FLAGS = {rb"\Answered", rb"\Flagged", rb"\Deleted", rb"\Seen", rb"\Draft"}


class GrammarError(Exception):
    """A response that RFC 3501 does not know."""


def lower(text):
    return text.decode("ascii", "backslashreplace").lower()


class Response(NamedTuple):
    tag: str          # "*", "+" or the command's
    kind: str         # OK NO BAD BYE PREAUTH, FETCH, EXISTS, LIST ...
    value: object     # of resp-text: its text
    number: int = 0   # of EXISTS, EXPUNGE, FETCH ...
    code: str = ""    # of resp-text: the word in []
    detail: object = None


class Parser:
    def __init__(self, data, utf8=False):
        self.data, self.at, self.quoted = data, 0, QUOTED_UTF8 if utf8 else QUOTED

    def fail(self, what):
        raise GrammarError(f"{what} wanted at {self.at}: {self.data[max(0, self.at - 60):self.at]!r}"
                           f" >here> {self.data[self.at:self.at + 60]!r}")

    def peek(self, text):
        return self.data.startswith(text, self.at)

    def has(self, text):
        found = self.peek(text)
        self.at += len(text) if found else 0
        return found

    def want(self, text):
        if not self.has(text):
            self.fail(text)

    def take(self, pattern, what):
        found = pattern.match(self.data, self.at)
        if not found:
            self.fail(what)
        self.at = found.end()
        return found

    def end(self):
        if self.at != len(self.data):
            self.fail("the end")

    # -- 9: number, nz-number, string, nstring, astring ----------------------------------------------
    def number(self, least=0):
        value = int(self.take(NUMBER, "number")[0])
        if not least <= value < 2 ** 32:
            self.fail(f"number from {least}")
        return value

    def number64(self):
        value = int(self.take(NUMBER, "number64")[0])
        if value >= 2 ** 63:
            self.fail("number64")
        return value

    def string(self):
        if self.peek(b'"'):
            return re.sub(rb"\\(.)", rb"\1", self.take(self.quoted, "quoted")[1])
        size = int(self.take(LITERAL, "string")[1])
        value = self.data[self.at:self.at + size]
        if len(value) != size or b"\0" in value:
            self.fail("literal without NUL")
        self.at += size
        return value

    def nstring(self):
        return None if self.has(b"NIL") else self.string()

    def astring(self):
        return self.string() if self.peek(b'"') or self.peek(b"{") else \
            self.take(ASTRING, "astring")[0]

    def listed(self, one, empty=True, space=b" "):
        """( one SP one ... )"""
        self.want(b"(")
        values = []
        while not self.has(b")"):
            if values:
                self.want(space)
            values.append(one())
        if not values and not empty:
            self.fail("something in ()")
        return values

    def nil_or(self, one):
        return None if self.has(b"NIL") else one()

    def flag(self, others=(), free=False):
        if not self.peek(b"\\"):
            return self.take(ATOM, "keyword")[0].decode()
        self.want(b"\\")
        if self.has(b"*"):
            if rb"\*" not in others:
                self.fail("no \\*")
            return r"\*"
        name = b"\\" + self.take(ATOM, "flag")[0]
        if not free and name not in FLAGS and name not in others:
            self.fail("flag of RFC 3501")
        return name.decode()

    # -- envelope --------------------------------------------------------------------------------------
    def address(self):
        self.want(b"(")
        values = [self.nstring()]
        for _ in range(3):
            self.want(b" ")
            values.append(self.nstring())
        self.want(b")")
        return values

    def addresses(self):
        return self.nil_or(lambda: self.listed(self.address, empty=False, space=b""))

    def envelope(self):
        self.want(b"(")
        values = [self.nstring()]
        for one in [self.nstring] + [self.addresses] * 6 + [self.nstring] * 2:
            self.want(b" ")
            values.append(one())
        self.want(b")")
        return values

    # -- body ------------------------------------------------------------------------------------------
    def pair(self):
        name = self.string()
        self.want(b" ")
        return name.lower(), self.string()

    def params(self):
        return dict(self.nil_or(lambda: self.listed(self.pair, empty=False)) or [])

    def disposition(self):
        def inner():
            self.want(b"(")
            kind = self.string()
            self.want(b" ")
            params = self.params()
            self.want(b")")
            return kind, params
        return self.nil_or(inner)

    def language(self):
        return self.listed(self.string, empty=False) if self.peek(b"(") else self.nstring()

    def extension(self, extended, *first):
        """What BODYSTRUCTURE has more than BODY. Ours always says all of it."""
        values = []
        if not extended:
            return values
        for one in [*first, self.disposition, self.language, self.nstring]:
            self.want(b" ")
            values.append(one())
        return values

    def body(self, extended):
        self.want(b"(")
        part = self.multipart(extended) if self.peek(b"(") else self.single(extended)
        self.want(b")")
        return part

    def multipart(self, extended):
        parts = []
        while self.peek(b"("):
            parts.append(self.body(extended))
        self.want(b" ")
        subtype = self.string()
        extra = self.extension(extended, self.params)
        return {"type": "multipart/" + lower(subtype), "parts": parts,
                "params": extra[0] if extra else {}, "disposition": extra[1] if extra else None}

    def single(self, extended):
        kind = self.string().lower()
        values = []
        for one in (self.string, self.params, self.nstring, self.nstring, self.string, self.number):
            self.want(b" ")
            values.append(one())
        part = {"type": f"{lower(kind)}/{lower(values[0])}", "params": values[1],
                "id": values[2], "encoding": lower(values[4]), "size": values[5],
                "parts": []}
        # RFC 9051 9, media-message: message/global as well; whoever asks says whether it may be so
        is_message = part["type"] == "message/rfc822" or part["type"] == "message/global" and self.peek(b" (")
        if is_message:
            self.want(b" ")
            part["envelope"] = self.envelope()
            self.want(b" ")
            part["parts"] = [self.body(extended)]
        if is_message or kind == b"text":
            self.want(b" ")
            part["lines"] = self.number()
        extra = self.extension(extended, self.nstring)
        part["disposition"] = extra[1] if extra else None
        return part

    # -- FETCH -----------------------------------------------------------------------------------------
    def section(self):
        found = self.take(SECTION, "section")
        word = found[1] or found[2] or b""
        if word.startswith(b"HEADER.FIELDS"):
            self.want(b" ")
            self.listed(self.astring, empty=False)
        self.want(b"]")
        name = self.data[found.start():self.at]
        start = self.at
        if self.has(b"<"):
            self.number64()  # as in the request; the answer's "number" was forgotten in RFC 9051 9
            self.want(b">")
        value = self.data[start:self.at]
        self.want(b" ")
        return (b"BODY" + name + value).decode(), self.nstring()

    def binary(self):
        found = self.take(BINARY, "BINARY[...]")
        if found[1]:
            return found[0].decode().strip(), self.number()
        value = self.literal8() if self.has(b"~") else self.nstring()
        return found[0].decode().strip(), value

    def object_id(self):
        """RFC 8474 7: a name of at most 255 letters, digits, _ and -, in parentheses"""
        return self.take(OBJECT_ID, "objectid")[1].decode()

    def item(self):
        simple = {b"FLAGS ": lambda: self.listed(lambda: self.flag((rb"\Recent",))),
                  b"UID ": lambda: self.number(1), b"RFC822.SIZE ": self.number,
                  b"INTERNALDATE ": lambda: self.take(DATE, "date-time")[0].decode().strip('"'),
                  b"ENVELOPE ": self.envelope, b"BODYSTRUCTURE ": lambda: self.body(True),
                  b"BODY ": lambda: self.body(False), b"RFC822 ": self.nstring,
                  b"RFC822.HEADER ": self.nstring, b"RFC822.TEXT ": self.nstring,
                  b"PREVIEW ": self.nstring,
                  b"SAVEDATE ": lambda: self.nil_or(lambda: self.take(DATE, "date-time")[0].decode().strip('"')),
                  b"MODSEQ ": lambda: self.listed(self.number64, empty=False)[0],
                  b"EMAILID ": self.object_id, b"THREADID ": lambda: self.nil_or(self.object_id)}
        for name, one in simple.items():
            if self.has(name):
                return name.decode().strip(), one()
        if self.peek(b"BINARY"):
            return self.binary()
        self.want(b"BODY")
        return self.section()

    def fetch(self):
        return dict(self.listed(self.item, empty=False))

    # -- mailbox data ------------------------------------------------------------------------------------
    def mailbox_list(self):
        flags = self.listed(lambda: self.flag(free=True))
        if len({r"\Noselect", r"\Marked", r"\Unmarked"} & set(flags)) > 1:
            self.fail("one mbx-list-sflag")
        self.want(b" ")
        separator = self.nil_or(lambda: self.take(self.quoted, "quoted")[1])
        self.want(b" ")
        name = self.astring().decode()
        return (flags, separator, name) + ((self.list_extended(),) if self.has(b" ") else ())

    def list_extended(self):
        """RFC 5258 6: mbox-list-extended, with the two items that have a standard"""
        def item():
            name = self.astring().decode()
            if name not in ("CHILDINFO", "OLDNAME"):
                self.fail("CHILDINFO or OLDNAME")
            self.want(b" ")
            return name, [one.decode() for one in self.listed(self.astring, empty=False)]
        return dict(self.listed(item, empty=False))

    def status(self):
        def pair():
            if self.has(b"MAILBOXID "):
                return "MAILBOXID", self.object_id()
            name = self.take(STATUS, "item")[0]
            self.want(b" ")
            return name.decode(), self.number64()
        name = self.astring()
        self.want(b" ")
        return name.decode(), dict(self.listed(pair))

    def metadata(self):
        """RFC 5464 5: a dict, with values; unasked a list of names"""
        def pair():
            name = self.astring().decode()
            self.want(b" ")
            return name, self.literal8() if self.has(b"~") else self.nstring()
        mailbox = self.astring().decode()
        self.want(b" ")
        if self.peek(b"("):
            return mailbox, dict(self.listed(pair, empty=False))
        names = [self.astring().decode()]
        while self.has(b" "):
            names.append(self.astring().decode())
        return mailbox, names

    def literal8(self):
        size = int(self.take(LITERAL, "literal8")[1])
        self.at += size
        return self.data[self.at - size:self.at]

    def quota(self):
        """RFC 9208 6"""
        def resource():
            name = self.take(ATOM, "resource")[0].decode()
            self.want(b" ")
            usage = self.number64()
            self.want(b" ")
            return name, (usage, self.number64())
        root = self.astring().decode()
        self.want(b" ")
        return root, dict(self.listed(resource))

    def quotaroot(self):
        names = [self.astring().decode()]
        while self.has(b" "):
            names.append(self.astring().decode())
        return names[0], names[1:]

    def search(self):
        """The numbers, and behind them RFC 7162 3.1.5: the highest MODSEQ."""
        numbers = []
        while self.has(b" "):
            if self.has(b"(MODSEQ "):
                numbers.append(("MODSEQ", self.number64()))
                self.want(b")")
                break
            numbers.append(self.number(1))
        return numbers

    def vanished(self):
        """RFC 7162 7: (is it EARLIER, the UIDs)"""
        earlier = self.has(b"(EARLIER) ")
        return earlier, self.take(UIDS, "uid-set")[0].decode()

    def words(self):
        words = []
        while self.has(b" "):
            words.append(self.take(ATOM, "word")[0].decode())
        return words

    def esearch(self):
        """RFC 4466 2.6.2, RFC 9051 9: the tag, UID or not, what was asked for."""
        found = {}
        if self.has(b' (TAG "'):
            found["TAG"] = self.take(TAG, "tag")[0].decode()
            self.want(b'"')
            if self.has(b" MAILBOX "):  # RFC 7377 2.1
                found["MAILBOX"] = self.astring().decode()
                self.want(b" UIDVALIDITY ")
                found["UIDVALIDITY"] = self.number(1)
            self.want(b")")
        if self.has(b" UID"):
            found["UID"] = True
        while self.has(b" "):
            name = self.take(ATOM, "search-modifier-name")[0].decode()
            self.want(b" ")
            found[name] = self.take(re.compile(rb"[\d:,]+|\([^()]*\)"), "value")[0].decode()
        return found

    def uidbatches(self):
        """RFC 10022 4: the tag, ranges from the newest on"""
        self.want(b' (TAG "')
        self.take(TAG, "tag")
        self.want(b'")')
        ranges = []
        while self.has(b"," if ranges else b" "):
            high = self.number(1)
            self.want(b":")
            ranges.append((high, self.number(1)))
        return ranges

    def namespace(self):
        def one():
            self.want(b"(")
            prefix = self.string()
            self.want(b" ")
            value = prefix, self.nil_or(lambda: self.take(self.quoted, "quoted")[1])
            self.want(b")")
            return value
        spaces = []
        for i in range(3):
            if i:
                self.want(b" ")
            spaces.append(self.nil_or(lambda: self.listed(one, empty=False, space=b"")))
        return spaces

    def identity(self):
        def pair():
            name = self.string()
            self.want(b" ")
            return name, self.nstring()
        return self.nil_or(lambda: self.listed(pair))

    def capability(self):
        words = []
        while not words or self.has(b" "):
            words.append(self.take(ATOM, "capability")[0].decode())
        if "IMAP4rev1" not in words:
            self.fail("IMAP4rev1")
        return words

    # -- RFC 5256 5 --------------------------------------------------------------------------------------
    def sort(self):
        found = []
        while self.has(b" "):
            found.append(self.number(1))
        return found

    def threads(self):
        """Threads as lists of numbers and, behind them, of at least two threads; parentheses may nest deep."""
        top = []
        open_lists = [top]
        if self.at == len(self.data):
            return top
        self.want(b" ")
        while self.at < len(self.data):
            inner = open_lists[-1]
            if self.has(b"("):
                open_lists.append([])
                inner.append(open_lists[-1])
            elif self.has(b")") and len(open_lists) > 1:
                nested = [one for one in inner if isinstance(one, list)]
                if not inner or len(nested) == 1 or inner[len(inner) - len(nested):] != nested:
                    self.fail("thread-members, then no or two thread-lists")
                open_lists.pop()
            elif len(open_lists) > 1 and not (inner and isinstance(inner[-1], list)):
                if inner:
                    self.want(b" ")
                if not self.peek(b"("):
                    inner.append(self.number(1))
            else:
                self.fail("thread-list")
        if len(open_lists) > 1:
            self.fail(")")
        return top

    # -- resp-text ---------------------------------------------------------------------------------------
    def code_detail(self, code):
        if code in ("UIDNEXT", "UIDVALIDITY", "UNSEEN"):
            self.want(b" ")
            return self.number(1)
        if code == "PERMANENTFLAGS":
            self.want(b" ")
            return self.listed(lambda: self.flag((rb"\*",)))
        if code == "HIGHESTMODSEQ":
            self.want(b" ")
            return self.number64()
        if code == "MODIFIED":
            self.want(b" ")
            return self.take(UIDS, "set")[0].decode()
        if code == "CAPABILITY":
            self.want(b" ")
            return self.capability()
        if code in ("APPENDUID", "COPYUID"):
            self.want(b" ")
            values = [self.number(1)]
            for _ in range(1 if code == "APPENDUID" else 2):
                self.want(b" ")
                values.append(self.take(UIDS, "uid-set")[0].decode())
            return values
        if code == "MAILBOXID":
            self.want(b" ")
            return self.object_id()
        if code == "BADCHARSET" and self.has(b" "):
            return self.listed(self.astring, empty=False)
        if self.has(b" "):
            return self.take(re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x5c\x5e-\x7f]+"), "text")[0]
        return None

    def resp_text(self):
        code, detail = "", None
        if self.has(b"["):
            code = self.take(ATOM, "resp-text-code")[0].decode()
            detail = self.code_detail(code)
            self.want(b"]")
            self.want(b" ")
        text = self.take(TEXT, "text")[0].decode()
        self.end()
        return text, code, detail

    # -- responses ---------------------------------------------------------------------------------------
    def numbered(self):
        number = self.number()
        self.want(b" ")
        kind = self.take(ATOM, "EXISTS, RECENT, EXPUNGE or FETCH")[0].decode()
        value = None
        if kind not in ("EXISTS", "RECENT", "EXPUNGE", "FETCH") or \
                (kind in ("EXPUNGE", "FETCH") and not number):
            self.fail("a message's number and what it has")
        if kind == "FETCH":
            self.want(b" ")
            value = self.fetch()
        return Response("*", kind, value, number)

    def untagged(self):
        if NUMBER.match(self.data, self.at):
            return self.numbered()
        kind = self.take(ATOM, "response")[0].decode()
        if kind in ("OK", "NO", "BAD", "BYE", "PREAUTH"):
            self.want(b" ")
            text, code, detail = self.resp_text()
            return Response("*", kind, text, 0, code, detail)
        if kind == "SEARCH":
            return Response("*", kind, self.search())
        if kind == "SORT":
            return Response("*", kind, self.sort())
        if kind == "THREAD":
            return Response("*", kind, self.threads())
        if kind == "ENABLED":
            return Response("*", kind, self.words())
        if kind == "ESEARCH":
            return Response("*", kind, self.esearch())
        if kind == "UIDBATCHES":
            return Response("*", kind, self.uidbatches())
        data = {"FLAGS": lambda: self.listed(self.flag), "LIST": self.mailbox_list,
                "METADATA": self.metadata, "QUOTA": self.quota, "QUOTAROOT": self.quotaroot,
                "LSUB": self.mailbox_list, "STATUS": self.status, "CAPABILITY": self.capability,
                "VANISHED": self.vanished, "NAMESPACE": self.namespace, "ID": self.identity}
        if kind not in data:
            self.fail("response")
        self.want(b" ")
        return Response("*", kind, data[kind]())

    def response(self):
        if self.has(b"+ "):
            rest = self.data[self.at:]
            if BASE64.match(rest):
                return Response("+", "+", rest.decode())
            text, code, detail = self.resp_text()
            return Response("+", "+", text, 0, code, detail)
        if self.has(b"* "):
            value = self.untagged()
            self.end()
            return value
        tag = self.take(TAG, "tag")[0].decode()
        self.want(b" ")
        kind = self.take(re.compile(rb"OK|NO|BAD"), "OK, NO or BAD")[0].decode()
        self.want(b" ")
        text, code, detail = self.resp_text()
        return Response(tag, kind, text, 0, code, detail)


def parse(data, utf8=False):
    """utf8: the client has enabled UTF-8 in quoted strings (RFC 6855 3, RFC 9051 4.3)"""
    return Parser(data, utf8).response()
