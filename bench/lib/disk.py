"""The disk that all sides write to.

journal   an ext4 with a journal in a file of its own, mounted by loop with direct I/O: what a server has.
          It is made anew for each session and thrown away whole.
plain     a folder of the file system that SCRATCH lies on.

An ext4 without a journal (some virtual machines have one) looks for up to five minutes at every inode that
was freed a moment ago before it gives it out again (recently_deleted() in the kernel's ialloc.c), so that
there each run slows the next down; with a journal that search does not exist.
"""

import os
import shutil
import subprocess
import tempfile


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Disk:
    def __init__(self, kind, scratch):
        self.kind = kind
        self.folder = tempfile.mkdtemp(prefix="mail-suite-bench-", dir=scratch)
        os.chmod(self.folder, 0o755)
        # Kept between sessions: blocks that the file system below has to find cost time.
        self.image = os.path.join(scratch, "mail-suite-bench.ext4")
        self.path = self.folder
        self.loop = None

    def remove_stale(self):
        """What a session left that was killed."""
        done = subprocess.run(["losetup", "-n", "-O", "NAME", "-j", self.image], capture_output=True,
                              text=True)
        for loop in done.stdout.split():
            subprocess.run(["umount", loop])
            subprocess.run(["losetup", "-d", loop])

    def make(self, size_mb):
        if self.kind != "journal":
            return
        self.remove_stale()
        if not os.path.exists(self.image) or os.path.getsize(self.image) < size_mb << 20:
            run("dd", "if=/dev/zero", f"of={self.image}", "bs=1M", f"count={size_mb}",
                "conv=fsync", "status=none")
        run("mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0",
            "-i", "8192", self.image)
        self.path = os.path.join(self.folder, "disk")
        os.mkdir(self.path)
        self.loop = subprocess.run(
            ["losetup", "--find", "--show", "--direct-io=on", self.image], check=True,
            capture_output=True, text=True).stdout.strip()
        run("mount", "-o", "relatime", self.loop, self.path)
        os.chmod(self.path, 0o755)

    def describe(self):
        done = subprocess.run(["findmnt", "-n", "-o", "SOURCE,FSTYPE,OPTIONS", "-T", self.path],
                              capture_output=True, text=True)
        kind = {"journal": "ext4 with a journal, a file mounted by loop with direct I/O",
                "plain": "the machine's own file system"}[self.kind]
        return f"{kind} ({' '.join(done.stdout.split())})"

    def remove(self):
        if self.loop:
            subprocess.run(["umount", self.path])
            subprocess.run(["losetup", "-d", self.loop])
        shutil.rmtree(self.folder, ignore_errors=True)
