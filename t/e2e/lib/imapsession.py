"""IMAP by hand, each byte of ours chosen and each of the server's checked by imapgrammar."""

import re
import zlib
from typing import NamedTuple

import imapgrammar
from dialogue import Dialogue
from suite import Failure, check

UTF8 = {"IMAP4rev2", "UTF8=ACCEPT"}
LITERAL = re.compile(rb"\{(\d+)\}$")


class Result(NamedTuple):
    """What came back of one command."""
    done: imapgrammar.Response       # the tagged line
    untagged: list

    def all(self, kind):
        return [one for one in self.untagged if one.kind == kind]

    def numbers(self, kind):
        return [one.number for one in self.all(kind)]

    def one(self, kind):
        found = self.all(kind)
        check(len(found) == 1, f"one {kind} wanted: {self.untagged}")
        return found[0].value

    def fetched(self):
        """message number -> its items, of all FETCH lines together"""
        found = {}
        for one in self.all("FETCH"):
            found.setdefault(one.number, {}).update(one.value)
        return found

    def code(self, name):
        """The detail of the code, of whatever line."""
        for one in [self.done, *self.untagged]:
            if one.code == name:
                return one.detail
        raise Failure(f"no code {name}: {self.done} {self.untagged}")


class Literal(bytes):
    """An argument to be sent as {n}, once the server says so."""


class Unwaited(Literal):
    """An argument to be sent as {n+}, at once (RFC 7888)."""


class Imap(Dialogue):
    def __init__(self, suite, address=None, service="imaps"):
        super().__init__(suite.ports[service])
        self.count = 0
        self.utf8 = False
        if service == "imaps":
            self.start_tls()
        self.greeting = self.response()
        if address:
            self.ok(f'LOGIN {address} "{suite.password(address)}"')

    def bytes_to_line_end(self):
        while b"\r\n" not in self.pending:
            got = self.socket.recv(65536)
            if not got:
                raise Failure(f"closed behind {self.pending!r}")
            self.pending += got
        line, _, self.pending = self.pending.partition(b"\r\n")
        return line

    def response(self):
        """The next response, parsed."""
        return self.parsed(self.raw_response())

    def parsed(self, data):
        answer = imapgrammar.parse(data, self.utf8)
        self.utf8 |= answer.kind == "ENABLED" and not UTF8.isdisjoint(answer.value)
        return answer

    def raw_response(self):
        """The next response, whole."""
        data = self.bytes_to_line_end()
        while True:
            literal = LITERAL.search(data)
            if not literal:
                return data
            size = int(literal[1])
            while len(self.pending) < size:
                self.pending += self.socket.recv(262144)
            data += b"\r\n" + self.pending[:size]
            self.pending = self.pending[size:]
            data += self.bytes_to_line_end()

    def send_parts(self, parts):
        """Sends up to each literal and waits for "+" where one is due; no more once it is refused."""
        data = b""
        for part in parts:
            if not isinstance(part, Literal):
                data += part.encode() if isinstance(part, str) else part
                continue
            waits = not isinstance(part, Unwaited)
            data += b"{%d%s}\r\n" % (len(part), b"" if waits else b"+")
            if waits:
                self.send(data)
                data = b""
                answer = self.response()
                if answer.tag != "+":
                    self.untagged.append(answer)
                    return
            data += part
        self.send(data + b"\r\n")

    def run(self, *parts):
        """Runs a command of texts, bytes and Literals. The Result, whatever it is."""
        self.count += 1
        tag = f"a{self.count}"
        self.untagged = []
        self.send_parts([f"{tag} ", *parts])
        untagged = self.untagged
        while not (untagged and untagged[-1].tag == tag):
            untagged.append(self.response())
        return Result(untagged.pop(), untagged)

    def wants(self, kind, *parts):
        result = self.run(*parts)
        if result.done.kind != kind:
            raise Failure(f"{parts}: {result.done}, wanted {kind}")
        return result

    def ok(self, *parts):
        return self.wants("OK", *parts)

    def no(self, code, *parts):
        result = self.wants("NO", *parts)
        check(result.done.code == code, f"{parts}: {result.done}, wanted [{code}]")
        return result

    def bad(self, *parts):
        return self.wants("BAD", *parts)

    def search(self, *parts):
        return self.ok("SEARCH ", *parts).one("SEARCH")

    def fetch(self, what):
        """FETCH of one message and one item: its value."""
        number, item = what.split(" ", 1)
        items = self.ok(f"FETCH {number} {item}").fetched()[int(number)]
        return next(value for name, value in items.items() if name not in ("UID", "FLAGS"))


class Compressed(Imap):
    """A session whose bytes go through DEFLATE once COMPRESS was answered."""

    def compress(self):
        self.ok("COMPRESS DEFLATE")
        self.start_deflate()

    def start_deflate(self):
        self.deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.inflate = zlib.decompressobj(-15)
        self.plain, self.socket = self.socket, self
        self.wire_in = 0

    def sendall(self, data):
        self.plain.sendall(self.deflate.compress(data) + self.deflate.flush(zlib.Z_SYNC_FLUSH))

    def recv(self, size):
        while True:
            got = self.plain.recv(size)
            self.wire_in += len(got)
            data = self.inflate.decompress(got)
            if data or not got:
                return data

    def close(self):
        self.plain.close()
