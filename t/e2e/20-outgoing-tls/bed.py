"""The test bed: a signed zone and an unsigned one, a validating resolver, web servers with policies.

test.   signed, and the resolver has its key: what it holds is secure
plain.  unsigned and known to be so
Mail servers answer on port 25, web servers on port 443, of loopback addresses that no other run has.
"""

import hashlib
import http.server
import os
import signal
import ssl
import subprocess
import threading

from suite import free_ports, wait_until

NET = f"127.{20 + os.getpid() % 200}.{os.getpid() // 200 % 250}"
WEB = f"{NET}.200"


def run(*words, cwd=None):
    return subprocess.run(words, cwd=cwd, check=True, capture_output=True, text=True).stdout


# ---- certificates ---------------------------------------------------------------------------------

class Authority:
    """A CA; its certificates are for the names given, expired if wanted so."""

    def __init__(self, folder):
        os.makedirs(folder)
        self.folder = folder
        self.certificate = f"{folder}/ca.pem"
        self.make("ca", ["-subj", "/CN=Test CA", "-addext", "basicConstraints=critical,CA:TRUE"])
        os.chmod(folder, 0o755)
        os.chmod(self.certificate, 0o644)

    def make(self, name, options, days="30"):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", days, "-keyout", f"{self.folder}/{name}.key",
            "-out", f"{self.folder}/{name}.pem", *options)

    def issue(self, name, hosts, expired=False):
        """A chain of leaf and CA; (chain, key)."""
        base = f"{self.folder}/{name}"
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=unused", "-keyout", f"{base}.key", "-out", f"{base}.csr")
        with open(f"{base}.ext", "w", encoding="ascii") as file:
            file.write("subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts) + "\n")
        dates = ["-days", "-1"] if expired else ["-days", "30"]
        run("openssl", "x509", "-req", "-in", f"{base}.csr", "-CA", self.certificate, "-CAkey",
            f"{self.folder}/ca.key", "-extfile", f"{base}.ext", "-out", f"{base}.pem", *dates)
        with open(f"{base}.chain", "w", encoding="ascii") as file:
            for one in (f"{base}.pem", self.certificate):
                with open(one, encoding="ascii") as part:
                    file.write(part.read())
        return f"{base}.chain", f"{base}.key"

    def self_signed(self, name, host, days="30"):
        self.make(name, ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"], days)
        return f"{self.folder}/{name}.pem", f"{self.folder}/{name}.key"


def digest(pem, selector):
    """SHA-256 of the first certificate (selector 0) or of its key (1), as TLSA wants it."""
    with open(pem, encoding="ascii") as file:
        first = file.read().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    der = ssl.PEM_cert_to_DER_cert(first)
    if selector == 1:
        public = subprocess.run(["openssl", "x509", "-noout", "-pubkey"], input=first, text=True,
                                check=True, capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                             input=public.encode(), check=True, capture_output=True).stdout
    return hashlib.sha256(der).hexdigest()


# ---- the DNS --------------------------------------------------------------------------------------

HEAD = "$ORIGIN {0}\n$TTL 60\n@ SOA ns.{0} host.{0} 1 3600 600 86400 60\n@ NS ns.{0}\nns A 127.0.0.1\n"


class Dns:
    """nsd with both zones, and unbound in front of it."""

    def __init__(self, folder, signed, plain, tamper=lambda text: text):
        os.makedirs(folder)
        self.folder = folder
        self.authority, self.port = free_ports(2)
        self.write("test", HEAD.format("test.") + signed)
        self.write("plain", HEAD.format("plain.") + plain)
        key = run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "test", cwd=folder).strip()
        run("ldns-signzone", "-f", "test.signed", "test", key, cwd=folder)
        with open(f"{folder}/test.signed", encoding="ascii") as file:
            text = tamper(file.read())
        self.write("test.signed", text)
        with open(f"{folder}/{key}.ds", encoding="ascii") as file:
            self.anchor = " ".join(file.read().split())
        self.processes = [self.start_nsd(), self.start_unbound()]
        wait_until(lambda: "NOERROR" in self.ask("ns.test"), "the resolver answers")

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="ascii") as file:
            file.write(text)

    def start_nsd(self):
        self.write("nsd.conf", f"""
server:
  ip-address: 127.0.0.1@{self.authority}
  username: ""
  zonesdir: "{self.folder}"
  pidfile: ""
  database: ""
  xfrdfile: "{self.folder}/xfrd"
  xfrdir: "{self.folder}"
  zonelistfile: "{self.folder}/zonelist"
remote-control:
  control-enable: no
zone:
  name: "test."
  zonefile: "test.signed"
zone:
  name: "plain."
  zonefile: "plain"
""")
        return subprocess.Popen(["nsd", "-d", "-c", f"{self.folder}/nsd.conf"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start_unbound(self):
        self.write("unbound.conf", f"""
server:
  interface: 127.0.0.1@{self.port}
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  pidfile: ""
  directory: "{self.folder}"
  do-not-query-localhost: no
  trust-anchor: "{self.anchor}"
  domain-insecure: "plain."
  local-zone: "test." nodefault
  module-config: "validator iterator"
  num-threads: 1
  cache-max-negative-ttl: 1
remote-control:
  control-enable: no
stub-zone:
  name: "test."
  stub-addr: 127.0.0.1@{self.authority}
stub-zone:
  name: "plain."
  stub-addr: 127.0.0.1@{self.authority}
""")
        return subprocess.Popen(["unbound", "-d", "-c", f"{self.folder}/unbound.conf"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def change_plain(self, plain):
        """Other records in the unsigned zone; the resolver forgets what it knew."""
        self.write("plain", HEAD.format("plain.") + plain)
        self.processes[0].send_signal(signal.SIGHUP)
        self.processes[1].terminate()
        self.processes[1].wait()
        self.processes[1] = self.start_unbound()
        wait_until(lambda: "NOERROR" in self.ask("ns.test"), "the resolver answers")

    def ask(self, name, kind="A"):
        done = subprocess.run(["drill", "-p", str(self.port), "@127.0.0.1", name, kind],
                              capture_output=True, text=True)
        return done.stdout

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait()


# ---- the web --------------------------------------------------------------------------------------

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # the name is http.server's
        web = self.server.web
        host = self.headers.get("Host", "").split(":")[0].removeprefix("mta-sts.")
        web.requests.append((host, self.path))
        status, kind, body = web.pages.get(host, (404, "text/plain", "nothing"))
        self.send_response(status)
        if status == 301:
            self.send_header("Location", body)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class Web:
    """Serves policies: pages[domain] is (status, type, body)."""

    def __init__(self, chain, key, host=WEB):
        self.pages = {}
        self.requests = []
        self.server = http.server.ThreadingHTTPServer((host, 443), Handler)
        self.server.daemon_threads = True
        self.server.web = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def policy(self, domain, mode, *hosts, age=86400):
        body = f"version: STSv1\r\nmode: {mode}\r\n" + \
            "".join(f"mx: {host}\r\n" for host in hosts) + f"max_age: {age}\r\n"
        self.pages[domain] = (200, "text/plain; charset=utf-8", body)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
