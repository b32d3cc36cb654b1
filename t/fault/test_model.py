#!/usr/bin/python3
"""Tests of the model of the disk, and of the shim that feeds it."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))

import disk as disks  # noqa: E402
from disk import Disk, NamingDisk, fingerprint, write_picture  # noqa: E402
from faultlog import FaultLog, Record  # noqa: E402
from judge import Arrivals, Message, is_whole_report  # noqa: E402
from rig import scratch  # noqa: E402

BUILD = os.environ.get("FAULT_BUILD", os.path.join(HERE, "../../build/gcc/t/fault"))
QUEUE, TMP, MESSAGE, FILE, OTHER = 1, 2, 3, 10, 11


def keep(_change):
    return True


def drop(_change):
    return False


def small_disk(kind=Disk):
    """queue/tmp and queue/message, empty."""
    disk = kind()
    for inode in (QUEUE, TMP, MESSAGE):
        disk.nodes[inode] = disks.Folder(0, 0, 0o700)
    disk.nodes[QUEUE].base = {"tmp": TMP, "message": MESSAGE}
    disk.tops = {"queue": QUEUE}
    return disk


def play(disk, *calls):
    for kind, fields in calls:
        disk.apply(Record(kind=kind, uid=0, gid=0, mode=0o600, **fields))
    return disk


CREATE = ("create", {"parent": TMP, "name": "a", "inode": FILE})
WRITE = ("write", {"inode": FILE, "offset": 0, "bytes": b"whole"})
SYNC_FILE = ("sync", {"inode": FILE})
RENAME = ("rename", {"parent": TMP, "name": "a", "parent2": MESSAGE, "name2": "a", "inode": FILE})
SYNC_MESSAGE = ("sync", {"inode": MESSAGE})
SYNC_TMP = ("sync", {"inode": TMP})
FSYNC = ("sync", {"inode": FILE, "name": "fsync"})
FDATASYNC = ("sync", {"inode": FILE, "name": "fdatasync"})
FSYNC_FAILED = ("sync-failed", {"inode": FILE})
LINK = ("link", {"parent": MESSAGE, "name": "b", "inode": FILE})
CREATE_OTHER = ("create", {"parent": MESSAGE, "name": "other", "inode": OTHER})
RENAME_OTHER = ("rename", {"parent": MESSAGE, "name": "other", "parent2": MESSAGE, "name2": "b",
                           "inode": OTHER})
UNLINK = ("unlink", {"parent": MESSAGE, "name": "a", "inode": FILE})


def files(picture):
    return {path.removeprefix("queue/"): content
            for path, _inode, _uid, _gid, _mode, content in picture if content is not None}


def all_states(disk):
    return [files(picture) for _name, picture in disk.states()]


class Model(unittest.TestCase):
    def test_nothing_synced_may_be_gone_or_there(self):
        disk = play(small_disk(), CREATE, WRITE)
        self.assertEqual(files(disk.picture(drop)), {})
        self.assertEqual(files(disk.picture(keep)), {"tmp/a": b"whole"})

    def test_a_synced_file_without_a_synced_name_may_be_gone(self):
        disk = play(small_disk(), CREATE, WRITE, SYNC_FILE)
        self.assertIn({}, all_states(disk))
        self.assertNotIn({"tmp/a": b""}, all_states(disk))

    def test_a_rename_that_survives_bytes_that_don_t(self):
        states = all_states(play(small_disk(), CREATE, WRITE, RENAME))
        self.assertIn({"message/a": b""}, states)
        self.assertIn({"message/a": b"\0\0\0\0\0"}, states)
        self.assertIn({"message/a": b"wh"}, states)

    def test_the_right_order_leaves_one_state_for_the_message(self):
        disk = play(small_disk(), CREATE, WRITE, SYNC_FILE, RENAME, SYNC_MESSAGE)
        for state in all_states(disk):
            self.assertEqual(state["message/a"], b"whole")

    def test_the_sync_of_one_folder_says_nothing_of_the_other(self):
        disk = play(small_disk(), CREATE, WRITE, SYNC_FILE, SYNC_TMP, RENAME, SYNC_TMP)
        self.assertEqual(files(disk.picture(drop)), {})

    def test_a_rename_is_never_neither_name(self):
        disk = play(small_disk(), CREATE, WRITE, SYNC_FILE, SYNC_TMP, RENAME)
        for state in all_states(disk):
            self.assertIn(b"whole", state.values())
        self.assertIn({"tmp/a": b"whole", "message/a": b"whole"}, all_states(disk))

    def test_an_unlink_may_be_undone(self):
        disk = play(small_disk(), CREATE, WRITE, SYNC_FILE, RENAME, SYNC_MESSAGE, UNLINK)
        self.assertIn({"message/a": b"whole"}, all_states(disk))
        self.assertIn({}, all_states(disk))

    def test_a_failed_sync_is_not_made_good_by_the_next(self):
        disk = play(small_disk(), CREATE, SYNC_TMP, WRITE, ("sync-failed", {"inode": FILE}),
                    SYNC_FILE)
        self.assertEqual(files(disk.picture(drop)), {"tmp/a": b""})

    def test_bytes_that_are_overwritten_are_old_or_new(self):
        disk = play(small_disk(), CREATE, WRITE, SYNC_FILE, SYNC_TMP,
                    ("write", {"inode": FILE, "offset": 0, "bytes": b"W"}))
        self.assertEqual({state["tmp/a"] for state in all_states(disk)}, {b"whole", b"Whole"})

    def test_every_change_may_be_the_only_one_and_the_only_one_lost(self):
        disk = play(small_disk(), CREATE, SYNC_FILE, SYNC_TMP,
                    *(("write", {"inode": FILE, "offset": at, "bytes": b"x"}) for at in range(3)))
        contents = {state["tmp/a"] for state in all_states(disk)}
        self.assertTrue({b"x", b"\0x", b"\0\0x", b"xx", b"x\0x", b"\0xx", b"xxx", b""} <= contents)


class NamingModel(unittest.TestCase):
    """The disk on which the fsync of a file takes its names along, and nothing else."""

    def states(self, *calls, kind=NamingDisk):
        return all_states(play(small_disk(kind), *calls))

    def test_an_fsync_makes_name_and_bytes_safe(self):
        self.assertEqual(self.states(CREATE, WRITE, FSYNC), [{"tmp/a": b"whole"}] * 2)
        self.assertIn({}, self.states(CREATE, WRITE, FSYNC, kind=Disk))

    def test_an_fsync_makes_a_rename_before_it_safe(self):
        calls = CREATE, WRITE, RENAME, FSYNC
        self.assertEqual(self.states(*calls), [{"message/a": b"whole"}] * 2)
        self.assertIn({}, self.states(*calls, kind=Disk))

    def test_a_rename_after_it_is_half_done_or_undone_but_never_neither_name(self):
        states = self.states(CREATE, WRITE, FSYNC, RENAME)
        for wanted in ({"tmp/a"}, {"message/a"}, {"tmp/a", "message/a"}):
            self.assertIn({name: b"whole" for name in wanted}, states)
        self.assertNotIn({}, states)

    def test_a_chain_of_renames_is_safe(self):
        back = ("rename", {"parent": MESSAGE, "name": "a", "parent2": MESSAGE, "name2": "c",
                           "inode": FILE})
        self.assertEqual(self.states(CREATE, WRITE, RENAME, back, FSYNC),
                         [{"message/c": b"whole"}] * 2)

    def test_a_rename_over_another_file_is_safe(self):
        over = ("rename", {"parent": TMP, "name": "a", "parent2": MESSAGE, "name2": "other",
                           "inode": FILE})
        self.assertEqual({state["message/other"] for state in
                          self.states(CREATE_OTHER, CREATE, WRITE, over, FSYNC)}, {b"whole"})

    def test_a_link_is_safe(self):
        for state in self.states(CREATE, WRITE, LINK, FSYNC):
            self.assertEqual(state, {"tmp/a": b"whole", "message/b": b"whole"})

    def test_an_fdatasync_says_nothing_of_names(self):
        for calls in ((CREATE, WRITE, FDATASYNC), (CREATE, WRITE, RENAME, FDATASYNC)):
            self.assertIn({}, self.states(*calls))
        self.assertIn({"tmp/a": b"whole"},
                      self.states(CREATE, WRITE, FSYNC, RENAME, FDATASYNC))

    def test_an_fsync_after_an_fdatasync_takes_the_names_of_both(self):
        self.assertEqual(self.states(CREATE, WRITE, FDATASYNC, RENAME, FSYNC),
                         [{"message/a": b"whole"}] * 2)

    def test_names_of_other_files_in_the_folder_stay_unsafe(self):
        states = self.states(CREATE_OTHER, CREATE, WRITE, RENAME, FSYNC, RENAME_OTHER)
        self.assertIn({"message/a": b"whole"}, states)
        states = self.states(CREATE_OTHER, RENAME_OTHER, CREATE, WRITE, RENAME, FSYNC)
        self.assertIn({"message/a": b"whole"}, states)
        self.assertIn({"message/a": b"whole", "message/other": b""}, states)

    def test_removals_stay_unsafe(self):
        self.assertIn({"message/a": b"whole"}, self.states(CREATE, WRITE, RENAME, FSYNC, UNLINK))
        # Of one of its own names, too.
        unlinked = ("unlink", {"parent": TMP, "name": "a", "inode": FILE})
        self.assertIn({"tmp/a": b"whole", "message/b": b"whole"},
                      self.states(CREATE, WRITE, LINK, FSYNC, unlinked, FSYNC))

    def test_the_folder_itself_may_be_gone(self):
        calls = (("mkdir", {"parent": MESSAGE, "name": "box", "inode": OTHER}),
                 ("create", {"parent": OTHER, "name": "a", "inode": FILE}), WRITE, FSYNC)
        self.assertIn({}, self.states(*calls))
        self.assertIn({"message/box/a": b"whole"}, self.states(*calls))

    def test_the_fsync_of_a_folder_says_nothing_of_its_own_name(self):
        folder = ("mkdir", {"parent": MESSAGE, "name": "box", "inode": OTHER})
        disk = play(small_disk(NamingDisk), folder, ("sync", {"inode": OTHER, "name": "fsync"}))
        self.assertNotIn("queue/message/box", [row[0] for row in disk.picture(drop)])

    def test_an_fsync_that_failed_makes_no_name_safe_nor_does_the_next(self):
        for calls in ((FSYNC_FAILED,), (FSYNC_FAILED, FSYNC)):
            self.assertIn({}, self.states(CREATE, WRITE, RENAME, *calls))

    def test_a_folder_s_sync_is_worth_what_it_was(self):
        disk = play(small_disk(NamingDisk), CREATE, WRITE, RENAME, FSYNC_FAILED, SYNC_MESSAGE)
        self.assertEqual(files(disk.picture(drop)), {"message/a": b""})


SCRIPT = """
import os, sys
os.chdir(sys.argv[1])
folder = os.open("queue/message", os.O_RDONLY)
fd = os.open("queue/tmp/a", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
os.write(fd, b"hello ")
os.writev(fd, [b"wor", b"ld"])
os.pwrite(fd, b"H", 0)
os.fdatasync(fd)
os.rename("queue/tmp/a", "queue/message/a")
os.fsync(folder)
os.link("queue/message/a", "mail/b")
os.mkdir("mail/box", 0o700)
os.ftruncate(fd, 5)
os.unlink("queue/message/a")
os.fsync(fd)
other = os.open("queue/tmp/c", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
os.write(other, b"1")
os.write(other, b"2")
source = os.open(sys.argv[0], os.O_RDONLY)
os.sendfile(other, source, 0, 7)
os.chown("mail/box", 5, 6)
outside = os.open("outside", os.O_WRONLY | os.O_CREAT, 0o600)
os.write(outside, b"nobody looks")
"""


class Shim(unittest.TestCase):
    def setUp(self):
        self.root = scratch()
        for folder in ("queue/tmp", "queue/message", "mail"):
            os.makedirs(os.path.join(self.root, folder))
        self.log = FaultLog(os.path.join(BUILD, "shim.so"), os.path.join(self.root, "log"))
        self.script = os.path.join(self.root, "script")
        with open(self.script, "w", encoding="ascii") as file:
            file.write(SCRIPT)
        self.base = Disk.load(self.root)
        self.log.start(self.root, ["queue", "mail"])

    def tearDown(self):
        shutil.rmtree(self.root)

    def run_script(self):
        return subprocess.run(
            [sys.executable, self.script, self.root], capture_output=True, text=True,
            env={"LD_PRELOAD": os.path.join(BUILD, "shim.so"),
                 "FAULT_LOG": os.path.join(self.root, "log"), "PATH": os.environ["PATH"]})

    def test_the_model_has_what_the_disk_has(self):
        done = self.run_script()
        self.assertEqual(done.returncode, 0, done.stderr)
        kinds = [record.kind for record in self.log.records()]
        self.assertEqual(kinds, ["create", "write", "write", "write", "write", "sync", "rename",
                                 "sync", "link", "mkdir", "truncate", "unlink", "sync", "create",
                                 "write", "write", "write", "owner"])
        self.assertEqual([record.name for record in self.log.records() if record.kind == "sync"],
                         ["fdatasync", "fsync", "fsync"])
        for record in self.log.records():
            self.base.apply(record)
        self.assertEqual(fingerprint(self.base.picture(keep)),
                         fingerprint(Disk.load(self.root).picture(keep)))
        self.assertEqual(files(self.base.picture(drop)), {"message/a": b"Hello"})

    def test_a_picture_becomes_the_disk(self):
        self.run_script()
        picture = Disk.load(self.root).picture(keep)
        other = tempfile.mkdtemp(dir=self.root)
        write_picture(picture, other)
        self.assertEqual(fingerprint(Disk.load(other).picture(keep)), fingerprint(picture))

    def fault(self, error, number):
        self.log.plan(error, number)
        done = self.run_script()
        self.assertTrue(self.log.fired())
        return done.stderr.strip().splitlines()[-1] if done.stderr else ""

    def test_the_call_that_is_named_fails(self):
        self.assertIn("No space left", self.fault("ENOSPC", 2))
        self.assertEqual([record.kind for record in self.log.records()], ["create", "fault"])

    def test_short_writes_are_half_of_it(self):
        self.fault("short", 1)
        writes = [record.bytes for record in self.log.records() if record.kind == "write"]
        self.assertEqual(writes[0], b"hel")

    def test_a_failed_sync_is_known(self):
        self.assertIn("Input/output error", self.fault("EIO", 6))
        self.assertEqual(self.log.records()[-1].kind, "sync-failed")

    def test_a_number_too_large_fails_nothing(self):
        self.log.plan("EIO", 1000)
        self.assertEqual(self.run_script().returncode, 0)
        self.assertFalse(self.log.fired())

    def test_planted_bugs_are_syncs_that_are_not(self):
        self.log.plant("no file sync", "")
        self.assertEqual(self.run_script().returncode, 0)
        self.assertEqual(sum(record.kind == "sync" for record in self.log.records()), 1)

    def test_a_full_disk_takes_nothing_new(self):
        self.log.fill(True)
        self.assertIn("No space left", self.run_script().stderr)


class Judging(unittest.TestCase):
    def setUp(self):
        self.message = Message("m1", "ann@a.test", ["bob@b.test"],
                               b"X-Fault-Key: m1\r\n\r\nline one\r\nline two\r\n")

    def arrive(self, data):
        arrivals = Arrivals([self.message])
        arrivals.add("bob@b.test", data, "here")
        return arrivals.count(self.message, "bob@b.test"), len(arrivals.garbage)

    def test_what_was_sent_with_fields_in_front_is_a_copy(self):
        self.assertEqual(self.arrive(b"Return-Path: <ann@a.test>\r\nDelivered-To: bob@b.test\r\n" +
                                     self.message.data), (1, 0))

    def test_anything_else_is_garbage(self):
        data = self.message.data
        for text in (b"", data[:-1], data[:20], b"\0" * len(data), data + b"x", b"junk" + data,
                     data.replace(b"one", b"\0ne")):
            self.assertEqual(self.arrive(text), (0, 1), text)

    def test_a_report_must_be_whole(self):
        report = (b"Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"x\"\r\n"
                  b"\r\n--x\r\n\r\nFinal-Recipient: rfc822;bob@b.test\r\n\r\n--x--\r\n")
        self.assertTrue(is_whole_report(report))
        self.assertFalse(is_whole_report(report[:-8]))


if __name__ == "__main__":
    unittest.main()
