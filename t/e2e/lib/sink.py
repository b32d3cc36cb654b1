"""An SMTP server to send to, that remembers every transaction and answers as a test wants."""

import socketserver
import ssl
import threading


class Transaction:
    def __init__(self):
        self.sender = None
        self.recipients = []
        self.data = b""
        self.tls = False
        self.peer = None
        self.helo = None
        self.connection = 0


class Handler(socketserver.StreamRequestHandler):
    timeout = 60

    def say(self, text):
        self.wfile.write((text + "\r\n").encode())
        self.wfile.flush()

    def handle(self):
        sink = self.server.sink
        sink.connections += 1
        self.transaction = Transaction()
        self.transaction.peer = self.client_address[0]
        self.transaction.connection = sink.connections
        if sink.greeting is not None:
            self.say(sink.greeting)
            if not sink.greeting.startswith("2"):
                return
        while True:
            line = self.rfile.readline(5000)
            if not line:
                return
            words = line.decode(errors="replace").strip()
            sink.commands.append(words)
            if not self.obey(words, words.upper()):
                return

    def obey(self, words, upper):
        sink = self.server.sink
        if upper.startswith("EHLO"):
            self.transaction.helo = words[5:]
            lines = ["sink.example.org"] + sink.extensions
            if sink.tls and not self.transaction.tls:
                lines.append("STARTTLS")
            for line in lines[:-1]:
                self.say("250-" + line)
            self.say("250 " + lines[-1])
        elif upper.startswith("HELO"):
            self.say("250 sink.example.org")
        elif upper == "STARTTLS" and sink.tls:
            self.say("220 go on")
            if sink.tls == "broken":
                self.wfile.write(b"this is not TLS\r\n")
                return False
            self.connection = sink.tls.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb")
            self.transaction.tls = True
        elif upper.startswith("MAIL FROM:"):
            self.transaction.sender = words[10:].strip()
            self.transaction.recipients = []
            self.say(sink.answer("MAIL", words))
        elif upper.startswith("RCPT TO:"):
            answer = sink.answer("RCPT", words)
            if answer.startswith("2"):
                self.transaction.recipients.append(words[8:].strip().split(">")[0].lstrip("<"))
            self.say(answer)
        elif upper == "DATA":
            return self.take_data()
        elif upper == "QUIT":
            self.say("221 bye")
            return False
        elif upper in ("RSET", "NOOP"):
            self.say("250 ok")
        else:
            self.say("500 what?")
        return True

    def take_data(self):
        sink = self.server.sink
        if not self.transaction.recipients:
            self.say("554 no valid recipients")
            return True
        self.say("354 go on")
        data = bytearray()  # bytes would be copied for each line: minutes for a message of 20 MB
        while True:
            line = self.rfile.readline(200000)
            if not line:
                return False
            if line == b".\r\n":
                break
            data += line[1:] if line.startswith(b".") else line
        answer = sink.answer("DATA", "")
        if answer.startswith("2"):
            done = Transaction()
            done.__dict__.update(self.transaction.__dict__)
            done.recipients = list(self.transaction.recipients)
            done.data = bytes(data)
            sink.transactions.append(done)
        self.say(answer)
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100


class Sink:
    """Listens on host:port (0: any). `answers` maps "MAIL", "RCPT" or "DATA" to a reply, or to a
    function of the command line; "250 ok" otherwise."""

    def __init__(self, host="127.0.0.1", port=0, tls=None):
        self.transactions = []
        self.commands = []
        self.connections = 0
        self.answers = {}
        self.greeting = "220 sink.example.org ESMTP"
        self.extensions = ["PIPELINING", "SIZE 100000000", "8BITMIME"]
        self.tls = tls
        self.server = Server((host, port), Handler)
        self.server.sink = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, command, words):
        wanted = self.answers.get(command, "250 ok")
        return wanted(words) if callable(wanted) else wanted

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def server_tls(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
