"""A raw connection, for what client libraries would not do."""

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
