"""The mail systems that are compared. Each is a private instance below one folder, in a group of its own."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TREE = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TREE, "t/e2e/lib"))

import suite as harness  # noqa: E402

from group import Group  # noqa: E402

RELAY_DOMAIN = "sink.example"
# Owns the mailboxes of the other sides: any number that nobody else has.
VMAIL = 59000
SIGNATURES = os.path.join(TREE, "etc/clamav")


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def count_files(folder):
    total = 0
    with contextlib.suppress(FileNotFoundError):
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    total += count_files(entry.path)
                else:
                    total += 1
    return total


def wait_port(port):
    harness.wait_until(lambda: answers(port), f"a server on port {port}")


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
            one.recv(100)
        return True
    except OSError:
        return False


class Side:
    """What the driver needs of a mail system."""

    name = label = ""
    # Arguments of load for mail to other domains: servers differ in how they know their own clients.
    relay_options = ()

    def __init__(self, disk, boxes, domains, sink_port):
        self.folder = tempfile.mkdtemp(prefix=f"{self.name}-", dir=disk)
        os.chmod(self.folder, 0o755)
        self.boxes = boxes
        self.domains = [f"bench{number}.example" for number in range(domains)]
        self.sink_port = sink_port
        self.group = Group(self.name)
        self.port = self.relay_port = 0

    def start(self):
        raise NotImplementedError

    def stop(self):
        raise NotImplementedError

    def queued(self):
        """Files in the queue."""
        raise NotImplementedError

    def address(self, box):
        return f"u{box}@{self.domains[box % len(self.domains)]}"

    def home(self, box):
        user, domain = self.address(box).split("@")
        return f"{domain}/{user}"

    def maildir(self, box):
        return os.path.join(self.folder, "mail", self.home(box), "Maildir")

    def wait_idle(self):
        harness.wait_until(lambda: self.queued() == 0, f"{self.name}: an empty queue", 120)

    def set_aside(self, number):
        """Mail that was delivered goes out of the way, but is deleted only at the end: see disk.py."""
        for box in range(self.boxes):
            new = os.path.join(self.maildir(box), "new")
            with contextlib.suppress(FileNotFoundError):
                about = os.stat(new)
                aside = os.path.join(self.folder, "aside", str(number))
                os.makedirs(aside, exist_ok=True)
                os.rename(new, os.path.join(aside, str(box)))
                os.mkdir(new, 0o700)
                os.chown(new, about.st_uid, about.st_gid)
                os.chmod(new, about.st_mode & 0o7777)

    def throw_away_aside(self):
        shutil.rmtree(os.path.join(self.folder, "aside"), ignore_errors=True)


# ---- mail-suite ----------------------------------------------------------------------------------
class Ours(Side):
    """With the syncs that Postfix makes: of each new file, not of its folder, nor of the mark of a
    message that was relayed."""
    name, label = "mail-suite", "mail-suite"
    scans = False
    settings = {"sync-folders": "off", "sync-relayed": "off"}
    services = ()  # beside those of every test

    def __init__(self, disk, boxes, domains, sink_port, binaries):
        super().__init__(disk, boxes, domains, sink_port)
        harness.BINARIES = binaries
        self.suite = None
        sender = self.address(0)
        self.relay_options = ("-a", f"{sender}:{harness.Suite.password(sender)}", "-f", sender)

    def start(self):
        tempfile.tempdir = self.folder
        self.suite = harness.Suite()
        tempfile.tempdir = None
        self.suite.ports.update(zip(self.services, harness.free_ports(len(self.services))))
        self.suite.install()
        # A taken port or half a tree is reported by wait_ready, as in the tests.
        self.suite.control("smtproutes", f"{RELAY_DOMAIN}:127.0.0.1:{self.sink_port}\n")
        for name, value in {"connections-per-client": "1000", "plaintext-auth": "on",
                            **self.settings}.items():
            self.suite.control(name, value + "\n")
        self.set_limits()
        self.set_scan()
        self.add_mailboxes()
        self.suite.rebuild()
        self.suite.log = open(self.suite.path("suite.log"), "ab")
        self.suite.tree = self.group.popen([self.suite.path("bin/suite")], stdout=self.suite.log,
                                           stderr=self.suite.log, stdin=subprocess.DEVNULL,
                                           start_new_session=True)
        self.suite.wait_ready()
        self.port, self.relay_port = self.suite.ports["smtp"], self.suite.ports["submission"]

    def set_limits(self):
        """Limits on amounts of mail off, and log-in without TLS for the relay."""
        lines = ["plaintext-login on", "send-limit 0", "receive-limit 0", "account-send-limit 0",
                 "account-recipients-limit 0"]
        with open(self.suite.path("control/plans/default"), "a", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    def set_scan(self):
        if self.scans:
            os.makedirs(self.suite.path("signatures"))
            os.chmod(self.suite.path("signatures"), 0o755)
            self.suite.control("clamdb", self.suite.path("signatures") + "\n")
        else:
            self.suite.control("scan", "off\n")

    def add_mailboxes(self):
        """One account has a password; hashing one for each would take longer than the measurement."""
        for domain in self.domains:
            self.suite.add_domain(domain)
        self.suite.add_user(self.address(0))
        for box in range(1, self.boxes):
            user, domain = self.address(box).split("@")
            with open(self.suite.path("control/domains", domain, "users"), "a",
                      encoding="utf-8") as file:
                file.write(f"{user}::\n")

    def stop(self):
        if self.suite:
            self.suite.stop()
        self.group.remove()

    def maildir(self, box):
        return self.suite.path("mail", self.home(box), "Maildir")

    def queued(self):
        return count_files(self.suite.path("queue/message"))  # drafts, too


class OursStrict(Ours):
    """As it is installed: whatever a file system makes of it, all that was accepted is on disk."""
    name, label = "mail-suite-strict", "mail-suite with its own syncs"
    settings = {}


class OursScanning(Ours):
    name, label = "mail-suite-scan", "mail-suite with its scanner"
    scans = True


# ---- Postfix -------------------------------------------------------------------------------------
MAIN_CF = """\
# As Debian ships it, but for paths, and for limits that would throttle a measurement.
compatibility_level = 3.6
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {folder}/log/maillog
maillog_file_prefixes = {folder}/log
myhostname = mail.example.jp
mydestination =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_tls_security_level = may
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/cert.pem
smtpd_tls_key_file = {folder}/key.pem
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = hash:{folder}/mailboxes
virtual_mailbox_base = {folder}/mail
virtual_uid_maps = static:{vmail}
virtual_gid_maps = static:{vmail}
virtual_minimum_uid = 100
transport_maps = hash:{folder}/transport
smtpd_client_connection_count_limit = 0
virtual_destination_concurrency_limit = 100
lmtp_destination_concurrency_limit = 100
"""


class Postfix(Side):
    name, label = "postfix", "Postfix, virtual(8)"
    settings = ""
    filters = ""

    def start(self):
        config = os.path.join(self.folder, "config")
        for name in ("", "config", "queue", "data", "log", "mail"):
            os.makedirs(os.path.join(self.folder, name), mode=0o755, exist_ok=True)
        postfix = pwd.getpwnam("postfix")
        os.chown(os.path.join(self.folder, "data"), postfix.pw_uid, postfix.pw_gid)
        os.chown(os.path.join(self.folder, "mail"), VMAIL, VMAIL)
        subprocess.run(["openssl", "req", "-x509", "-batch", "-nodes", "-newkey", "rsa:2048", "-subj",
                        "/CN=mail.example.jp", "-keyout", f"{self.folder}/key.pem", "-out",
                        f"{self.folder}/cert.pem"], check=True, capture_output=True)
        write(f"{self.folder}/mailboxes", "".join(
            f"{self.address(box)} {self.home(box)}/Maildir/\n" for box in range(self.boxes)))
        write(f"{self.folder}/transport", f"{RELAY_DOMAIN} smtp:[127.0.0.1]:{self.sink_port}\n")
        self.port = self.relay_port = harness.free_ports(1)[0]
        write(f"{config}/main.cf", MAIN_CF.format(
            folder=self.folder, domains=" ".join(self.domains), vmail=VMAIL) + self.settings.format(folder=self.folder))
        with open("/usr/share/postfix/master.cf.dist", encoding="utf-8") as file:
            write(f"{config}/master.cf", self.master(file.read()))
        for name in ("mailboxes", "transport"):
            subprocess.run(["postmap", "-c", config, f"hash:{self.folder}/{name}"], check=True)
        self.start_helpers()
        self.group.run(["postfix", "-c", config, "start"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_port(self.port)

    def master(self, text):
        """Debian's, on our port; chroots would want copies of /etc in each instance."""
        lines = []
        for line in text.splitlines():
            words = line.split()
            if line[:1] in ("#", " ", "") or len(words) < 8:
                lines.append(line)
                continue
            words[4] = "n"
            if words[:2] == ["smtp", "inet"]:
                words[0] = f"127.0.0.1:{self.port}"
            lines.append("  ".join(words))
        return "\n".join(lines) + "\n"

    def start_helpers(self):
        """Servers that Postfix needs."""

    def stop(self):
        config = os.path.join(self.folder, "config")
        if os.path.exists(config):
            subprocess.run(["postfix", "-c", config, "stop"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        self.group.remove()

    def queued(self):
        return sum(count_files(os.path.join(self.folder, "queue", name))
                   for name in ("maildrop", "incoming", "active", "deferred"))


DOVECOT_CONF = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log/dovecot.log
protocols = lmtp
ssl = no
mail_location = maildir:{folder}/mail/%d/%n/Maildir
first_valid_uid = 1
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={vmail} gid={vmail} home={folder}/mail/%d/%n allow_all_users=yes
}}
service lmtp {{
  process_limit = 200
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


class PostfixDovecot(Postfix):
    name, label = "postfix-dovecot", "Postfix, Dovecot LMTP"
    settings = "virtual_transport = lmtp:unix:{folder}/lmtp\n"

    def start_helpers(self):
        path = f"{self.folder}/dovecot.conf"
        write(path, DOVECOT_CONF.format(folder=self.folder, vmail=VMAIL))
        os.makedirs(f"{self.folder}/run", mode=0o755, exist_ok=True)
        self.group.popen(["dovecot", "-F", "-c", path], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_until(lambda: os.path.exists(f"{self.folder}/lmtp"), "Dovecot's LMTP")


CLAMD_CONF = """\
Foreground yes
DatabaseDirectory {folder}/signatures
LocalSocket {folder}/clamd
LocalSocketMode 666
User root
LogFile {folder}/log/clamd.log
"""

MILTER_CONF = """\
Foreground yes
MilterSocket {folder}/milter
MilterSocketMode 666
ClamdSocket unix:{folder}/clamd
User root
OnInfected Reject
LogFile {folder}/log/milter.log
"""


class PostfixClamav(Postfix):
    name, label = "postfix-clamav", "Postfix, clamav-milter"
    settings = "smtpd_milters = unix:{folder}/milter\nmilter_default_action = tempfail\n"

    def start_helpers(self):
        shutil.copytree(SIGNATURES, f"{self.folder}/signatures")
        for program, text, path in [("clamd", CLAMD_CONF, "clamd"),
                                    ("clamav-milter", MILTER_CONF, "milter")]:
            write(f"{self.folder}/{program}.conf", text.format(folder=self.folder))
            self.group.popen([program, "-c", f"{self.folder}/{program}.conf"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
            harness.wait_until(lambda path=path: os.path.exists(f"{self.folder}/{path}"), program)
        time.sleep(0.5)
