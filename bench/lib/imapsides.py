"""The IMAP and POP3 servers that are compared: this tree, and Debian's Dovecot in several manners.

All have the same users with one password and one hash of it, and offer IMAP and POP3 with and without TLS, and LMTP.
"""

import contextlib
import glob
import os
import shutil
import socket
import subprocess
import time

import sides as systems
from sides import VMAIL, write

DOMAIN = "bench0.example"
PASSWORD = "secret"
# SHA-256 crypt at its least cost: the same on all sides, and not what is measured.
HASH = "$5$rounds=1000$mailsuitebench$RWEjWwO9eupeXqKmvwpwUcVUX4.FJ..BdLj8XUpJFL9"

# Users by number.
LARGE, HUGE, CHANGED, WOKEN, POP = range(5)
SMALL, SMALL_COUNT = 10, 100


def remove(pattern):
    for path in glob.glob(pattern):
        os.unlink(path)


class MailStore:
    """What the measurement needs of a side beside what Side has: ports, homes that can be put back, caches that can go."""

    # Files below the home that the server makes again.
    indexes, caches = (), ()
    ports = {}

    def user_home(self, user):
        raise NotImplementedError

    def settle(self):
        """Waits for what goes on when clients have had all answers."""
        time.sleep(0.3)

    def prepared(self, user):
        return os.path.join(self.folder, "prepared", str(user))

    def keep(self, user, source=None):
        """What `user` (or `source`) has now becomes that which reset() puts back."""
        self.settle()
        os.makedirs(os.path.dirname(self.prepared(user)), exist_ok=True)
        shutil.rmtree(self.prepared(user), ignore_errors=True)
        self.copy(self.user_home(user if source is None else source), self.prepared(user))

    def reset(self, user, source=None):
        """No session of the user may be under way."""
        shutil.rmtree(self.user_home(user), ignore_errors=True)
        self.copy(self.prepared(user if source is None else source), self.user_home(user))

    @staticmethod
    def copy(source, target):
        subprocess.run(["cp", "-a", source, target], check=True)

    def chill(self, user, loses_index=True):
        """INBOX with nothing cached of what messages hold, and without an index unless that is more than a cache; but
        in the page cache."""
        self.settle()
        for pattern in self.caches + (self.indexes if loses_index else ()):
            remove(os.path.join(self.user_home(user), pattern))
        self.read_all(user)

    def read_all(self, user):
        """Not every machine keeps in memory what was written or read a minute ago."""
        buffer = bytearray(1 << 20)
        for folder, _, names in os.walk(self.user_home(user)):
            for name in names:
                with open(os.path.join(folder, name), "rb", buffering=0) as file:
                    while file.readinto(buffer):
                        pass

    def capabilities(self):
        """Of a session that is logged in."""
        with socket.create_connection(("127.0.0.1", self.ports["imap"]), timeout=60) as one:
            one.sendall(f"a LOGIN u{LARGE}@{DOMAIN} {PASSWORD}\r\nb CAPABILITY\r\nc LOGOUT\r\n".encode())
            data = b""
            with contextlib.suppress(ConnectionError):
                while piece := one.recv(65536):
                    data += piece
        found = [line for line in data.decode().splitlines() if line.startswith("* CAPABILITY")]
        return set(found[-1].split()[2:]) if found else set()


class Ours(MailStore, systems.Ours):
    """As installed: with all its syncs."""
    settings = {"connections-per-client": "3000", "connections-max": "3000", "tls-sessions-max": "3000",
                "sessions-max": "8000", "sessions-per-domain": "8000", "concurrency-local": "60"}
    services = ("lmtp",)
    indexes, caches = ("Maildir/mailbox-index*",), ("Maildir/mailbox-cache*",)

    def __init__(self, disk, binaries):
        super().__init__(disk, SMALL + SMALL_COUNT, 1, 25, binaries)
        self.relay_options = ()

    def add_mailboxes(self):
        self.suite.add_domain(DOMAIN)
        path = self.suite.path("control/domains", DOMAIN, "users")
        with open(path, "a", encoding="utf-8") as file:
            file.write("".join(f"u{number}:{HASH}:\n" for number in range(self.boxes)))

    def set_limits(self):
        super().set_limits()
        with open(self.suite.path("control/plans/default"), "a", encoding="utf-8") as file:
            file.write("imap-sessions 100000\nimap-sessions-percent 0\n")

    def start(self):
        super().start()
        self.ports = self.suite.ports

    def settle(self):
        """Sessions that ended may have files to rename."""
        super().settle()
        systems.harness.wait_until(lambda: not self.suite.sessions("imapd") and not self.suite.sessions("pop3d"),
                                   f"{self.name}: the end of all sessions")

    def user_home(self, user):
        return self.suite.path("mail", DOMAIN, f"u{user}")


DOVECOT_CONF = """\
# As Debian ships it, but for paths and ports, and for limits that would stop a measurement.
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log/dovecot.log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
first_valid_uid = 1
default_client_limit = 6000
default_process_limit = 3000
mail_max_userip_connections = 3000
passdb {{
  driver = passwd-file
  args = scheme=SHA256-CRYPT {folder}/users
}}
userdb {{
  driver = static
  args = uid={vmail} gid={vmail} home={folder}/mail/%d/%n
}}
namespace inbox {{
  inbox = yes
}}
service imap {{
  process_limit = 3000
}}
service pop3 {{
  process_limit = 3000
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""


class Dovecot(MailStore, systems.Side):
    location = ""
    settings = ""

    def __init__(self, disk, _binaries):
        super().__init__(disk, SMALL + SMALL_COUNT, 1, 25)

    def start(self):
        names = ("imap", "imaps", "pop3", "pop3s", "lmtp")
        self.ports = dict(zip(names, systems.harness.free_ports(len(names))))
        for name in ("run", "log", "mail"):
            os.makedirs(os.path.join(self.folder, name), mode=0o755)
        os.chown(os.path.join(self.folder, "mail"), VMAIL, VMAIL)
        subprocess.run(["openssl", "req", "-x509", "-batch", "-nodes", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-subj", "/CN=mail.example.jp", "-keyout",
                        f"{self.folder}/key.pem", "-out", f"{self.folder}/cert.pem"], check=True,
                       capture_output=True)
        write(f"{self.folder}/users", "".join(f"u{number}@{DOMAIN}:{HASH}\n" for number in range(self.boxes)))
        path = f"{self.folder}/dovecot.conf"
        write(path, (DOVECOT_CONF + self.settings).format(folder=self.folder, vmail=VMAIL, **self.ports) +
              f"mail_location = {self.location}\n")
        self.group.popen(["dovecot", "-F", "-c", path], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for port in (self.ports["imap"], self.ports["pop3"], self.ports["lmtp"]):
            systems.wait_port(port)

    def stop(self):
        self.group.remove()

    def queued(self):
        return 0

    def user_home(self, user):
        return os.path.join(self.folder, "mail", DOMAIN, f"u{user}")


class DovecotMaildir(Dovecot):
    name, label = "dovecot-maildir", "Dovecot, Maildir"
    location = "maildir:~/Maildir"
    indexes, caches = ("Maildir/dovecot.index*",), ("Maildir/dovecot.index.cache",)


class DovecotSdbox(Dovecot):
    """Its index holds the flags, so that only the cache can go; but the index learns, too, orders of sorting for one,
    so it is put back as it was when the mail had come."""
    name, label = "dovecot-sdbox", "Dovecot, sdbox"
    location = "sdbox:~/sdbox"
    inbox = "sdbox/mailboxes/INBOX/dbox-Mails"
    caches = (f"{inbox}/dovecot.index.cache",)

    def chill(self, user, loses_index=True):
        kept = os.path.join(self.prepared(LARGE if user == POP else user), self.inbox)
        for path in glob.glob(f"{kept}/dovecot.index*"):
            self.copy(path, os.path.join(self.user_home(user), self.inbox))
        super().chill(user, loses_index)


class DovecotFast(DovecotMaildir):
    """Its documented high-performance mode: processes serve many, or one after the other; logins are remembered."""
    name, label = "dovecot-fast", "Dovecot, Maildir, processes reused"
    settings = """\
auth_cache_size = 10 M
mailbox_idle_check_interval = 1 secs
service imap-login {{
  service_count = 0
  process_min_avail = 2
}}
service pop3-login {{
  service_count = 0
  process_min_avail = 2
}}
service imap {{
  service_count = 100
  process_min_avail = 4
}}
service pop3 {{
  service_count = 100
  process_min_avail = 4
}}
"""


ALL = [Ours, DovecotMaildir, DovecotSdbox, DovecotFast]
