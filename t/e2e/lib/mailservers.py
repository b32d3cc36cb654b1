"""Servers of others that send to the suite: Debian's Postfix, in a folder of its own."""

import os
import pwd
import subprocess

from suite import PATIENCE, check, wait_until

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {folder}/log/maillog
maillog_file_prefixes = {folder}/log
myhostname = postfix.example.org
mydestination =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks_style = host
default_transport = {transport}
relayhost =
"""


class Postfix:
    """Hands all it is given to `transport`, e.g. "lmtp:inet:127.0.0.1:24"."""

    def __init__(self, folder, transport, settings=""):
        self.folder = folder
        self.transport = transport
        self.settings = settings

    def __enter__(self):
        for name in ("", "config", "queue", "data", "log"):
            os.makedirs(os.path.join(self.folder, name), mode=0o755, exist_ok=True)
        os.chown(os.path.join(self.folder, "data"), pwd.getpwnam("postfix").pw_uid, -1)
        self.write("config/main.cf", MAIN_CF.format(folder=self.folder, transport=self.transport) +
                   self.settings)
        with open("/usr/share/postfix/master.cf.dist", encoding="utf-8") as file:
            self.write("config/master.cf", self.without_chroot(file.read()))
        done = self.run("postfix", "start")
        check(done.returncode == 0, f"postfix start: {done.stdout}{done.stderr}")
        return self

    def __exit__(self, *_):
        self.run("postfix", "stop")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    @staticmethod
    def without_chroot(text):
        """Debian's master.cf without its SMTP server, and without chroots, which want copies of /etc."""
        lines = []
        for line in text.splitlines():
            words = line.split()
            if line[:1] not in ("#", " ", "") and len(words) >= 8:
                if words[:2] == ["smtp", "inet"]:
                    continue
                words[4] = "n"
                line = "  ".join(words)
            lines.append(line)
        return "\n".join(lines) + "\n"

    def run(self, program, *arguments, text=None):
        return subprocess.run([program, "-c", os.path.join(self.folder, "config"), *arguments], input=text,
                              capture_output=True, text=True, timeout=PATIENCE)

    def send(self, sender, recipients, text, *options):
        done = subprocess.run(["sendmail", "-C", os.path.join(self.folder, "config"), "-i", "-f", sender,
                               *options, *recipients], input=text, capture_output=True, timeout=PATIENCE)
        check(done.returncode == 0, f"Postfix's sendmail: {done.stderr}")

    def log(self):
        try:
            with open(os.path.join(self.folder, "log/maillog"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, text):
        wait_until(lambda: text in self.log(), f"{text!r} in Postfix's log")
