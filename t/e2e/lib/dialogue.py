"""A raw connection, for what client libraries would not do."""

import base64
import socket

from suite import PATIENCE, Failure, client_tls


class Dialogue:
    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=PATIENCE)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def start_tls(self):
        self.socket = client_tls().wrap_socket(self.socket)

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        """The next line without its end; b"" when the server closed."""
        while b"\n" not in self.pending:
            try:
                got = self.socket.recv(65536)
            except ConnectionResetError:
                got = b""
            if not got:
                rest, self.pending = self.pending, b""
                return rest
            self.pending += got
        line, _, self.pending = self.pending.partition(b"\n")
        return line.rstrip(b"\r")

    def reply(self):
        """A whole SMTP reply as text, lines joined by LF; "" when the server closed."""
        lines = []
        while True:
            line = self.line()
            if not line:
                return "\n".join(lines)
            lines.append(line.decode(errors="replace"))
            if line[3:4] != b"-":
                return "\n".join(lines)

    def ask(self, command):
        self.send(command + "\r\n" if isinstance(command, str) else command)
        return self.reply()

    def expect(self, command, start):
        """Sends (None: nothing), and wants a reply that starts so."""
        got = self.reply() if command is None else self.ask(command)
        if not got.startswith(start):
            raise Failure(f"{command!r}: got {got!r}, wanted {start!r}")
        return got

    def until_closed(self):
        """Everything till the server closes."""
        data = b""
        while True:
            line = self.line()
            if not line and not self.pending:
                return data
            data += line + b"\n"


def greeted(suite, service="smtp"):
    """SMTP behind the greeting."""
    dialogue = Dialogue(suite.ports[service])
    dialogue.expect(None, "220 mail.example.jp")
    return dialogue


def plain(address, password):
    """The words of AUTH PLAIN (RFC 4616)."""
    return base64.b64encode(f"\0{address}\0{password}".encode()).decode()


def logged_in(suite, address="u1@example.jp"):
    """SMTP on the submission port, under TLS, behind AUTH."""
    dialogue = greeted(suite, "submission")
    dialogue.expect("EHLO c", "250")
    dialogue.expect("STARTTLS", "220")
    dialogue.start_tls()
    dialogue.expect("EHLO c", "250")
    dialogue.expect("AUTH PLAIN " + plain(address, suite.password(address)), "235 2.7.0")
    return dialogue
