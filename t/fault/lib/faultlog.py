"""The log of calls that the shim keeps (faultlog.h), as the harness sees it."""

import ctypes
import os
import struct

KINDS = ["", "create", "mkdir", "write", "truncate", "sync", "sync-failed", "link", "unlink",
         "rename", "owner", "sent", "note", "fault"]
ERRORS = {"EIO": 1, "ENOSPC": 2, "EDQUOT": 3, "EMFILE": 4, "EINTR": 5, "short": 6}
BUGS = {"no file sync": 1, "no folder sync": 2, "hidden errors": 4}

HEAD = struct.Struct("=IIIIII QQQ q Q IIII 16s")
# Programs have ceilings of memory, and it counts for them.
SIZE = 48 << 20


class Record:
    """One call that was made: see struct faultlog_record."""

    __slots__ = ("kind", "pid", "uid", "gid", "mode", "inode", "parent", "parent2", "offset",
                 "length", "name", "name2", "bytes", "program")

    def __init__(self, **fields):
        for name in self.__slots__:
            setattr(self, name, fields.get(name))

    def __repr__(self):
        shown = self.bytes[:40] if self.bytes else b""
        return (f"{self.program} {self.kind} inode={self.inode} {self.parent}/{self.name} "
                f"{self.name2} at={self.offset} {len(self.bytes or b'')}:{shown!r}")


def parse(memory):
    """All records of `memory`, in order."""
    records, at = [], 0
    while at < len(memory):
        (size, kind, pid, uid, gid, mode, inode, parent, parent2, offset, length, name_size,
         name2_size, bytes_size, _is_new, program) = HEAD.unpack_from(memory, at)
        body = at + HEAD.size
        name_end = body + name_size
        name2_end = name_end + name2_size
        records.append(Record(
            kind=KINDS[kind], pid=pid, uid=uid, gid=gid, mode=mode, inode=inode, parent=parent,
            parent2=parent2, offset=offset, length=length, name=os.fsdecode(memory[body:name_end]),
            name2=os.fsdecode(memory[name_end:name2_end]),
            bytes=memory[name2_end:name2_end + bytes_size],
            program=program.rstrip(b"\0").decode()))
        at += size
    return records


class FaultLog:
    """The shared memory, through the shim itself."""

    def __init__(self, shim, path):
        self.shim = ctypes.CDLL(shim)
        self.shim.fault_create.argtypes = [ctypes.c_char_p, ctypes.c_uint64]
        self.shim.fault_create.restype = ctypes.c_bool
        self.shim.fault_reset.argtypes = [ctypes.c_uint64]
        self.shim.fault_track.argtypes = [ctypes.c_uint64]
        self.shim.fault_plan.argtypes = [ctypes.c_uint32, ctypes.c_uint64]
        self.shim.fault_plant.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
        self.shim.fault_fill.argtypes = [ctypes.c_uint32]
        self.shim.fault_note.argtypes = [ctypes.c_char_p, ctypes.c_uint64]
        self.shim.fault_used.restype = ctypes.c_uint64
        self.shim.fault_counted.restype = ctypes.c_uint64
        self.shim.fault_records.restype = ctypes.c_void_p
        if not self.shim.fault_create(path.encode(), SIZE):
            raise OSError(f"{path}: the log can't be made")

    def start(self, root, folders):
        """Forgets everything, and observes what is below these folders from now on."""
        self.shim.fault_reset(os.stat(root).st_dev)
        for folder in folders:
            self.shim.fault_track(os.stat(os.path.join(root, folder)).st_ino)
            for base, names, files in os.walk(os.path.join(root, folder)):
                for name in names + files:
                    self.shim.fault_track(os.lstat(os.path.join(base, name)).st_ino)

    def plan(self, error, number):
        """Call `number` of those that can answer `error` will."""
        self.shim.fault_plan(ERRORS[error], number)

    def plant(self, bug, program):
        self.shim.fault_plant(BUGS[bug], program.encode())

    def fill(self, full):
        self.shim.fault_fill(1 if full else 0)

    def note(self, text):
        data = text.encode()
        self.shim.fault_note(data, len(data))

    def fired(self):
        return bool(self.shim.fault_fired())

    def records(self):
        if self.shim.fault_overflow():
            raise OSError("the log is full: its records say nothing")
        return parse(ctypes.string_at(self.shim.fault_records(), self.shim.fault_used()))
