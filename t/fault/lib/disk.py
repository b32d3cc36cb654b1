"""A disk that forgets what was not synced (t/fault/README.md says what that means).

Disk.load makes one from a folder tree, all of it durable. Disk.apply takes the records of the log, one
by one. Disk.states gives every picture of the tree that a power cut could leave now, each with the
name of what happened to what was not synced. NamingDisk forgets less: the names of a synced file.
"""

import copy
import hashlib
import os
import stat


ZEROS = object()


class Change:
    """One change of a file's bytes, of its owner, or of a folder's names."""

    __slots__ = ("kind", "durable", "doomed", "offset", "bytes", "name", "inode", "rename")

    def __init__(self, kind, offset=0, data=b"", name=None, inode=None, rename=None):
        self.kind = kind  # "write", "truncate", "owner"; "add", "remove"
        self.durable = False
        self.doomed = False  # a sync of it failed: no later one makes it durable
        self.offset, self.bytes = offset, data
        self.name, self.inode = name, inode
        self.rename = rename  # the other half, of a rename


class File:
    def __init__(self, uid, gid, mode, content=b""):
        self.uid, self.gid, self.mode = uid, gid, mode
        self.base = content
        self.changes = []
        self.is_folder = False

    def content(self, kept):
        """The bytes when only these changes happened; kept(change) is True, False, a
        number of bytes, or ZEROS."""
        data = self.base
        for change in self.changes:
            how = True if change.durable else kept(change)
            if how is False or change.kind == "owner":
                continue
            data = changed(data, change, how)
        return data

    def settle(self):
        """Changes that are durable at the front become the base."""
        while self.changes and self.changes[0].durable:
            change = self.changes.pop(0)
            if change.kind == "owner":
                self.uid, self.gid = change.offset, change.inode
            else:
                self.base = changed(self.base, change, True)


class Folder:
    def __init__(self, uid, gid, mode):
        self.uid, self.gid, self.mode = uid, gid, mode
        self.base = {}
        self.changes = []
        self.is_folder = True

    def names(self, kept):
        names = self.base
        copied = False
        for change in self.changes:
            if change.kind == "owner" or not (change.durable or kept(change)):
                continue
            if not copied:
                names, copied = dict(names), True
            if change.kind == "add":
                names[change.name] = change.inode
            else:
                names.pop(change.name, None)
        return names

    def settle(self):
        while self.changes and self.changes[0].durable:
            change = self.changes.pop(0)
            if change.kind == "owner":
                self.uid, self.gid = change.offset, change.inode
            elif change.kind == "add":
                self.base[change.name] = change.inode
            else:
                self.base.pop(change.name, None)


def changed(data, change, how):
    if change.kind == "truncate":
        return data[:change.offset].ljust(change.offset, b"\0")
    new = change.bytes
    end = change.offset + len(new)
    if how is ZEROS:  # the length is on disk, the bytes are not; what was there before is
        return data.ljust(end, b"\0")
    if how is not True:
        new = new[:how]
    return data[:change.offset].ljust(change.offset, b"\0") + new + data[change.offset + len(new):]


def owner(node, kept):
    uid, gid = node.uid, node.gid
    for change in node.changes:
        if change.kind == "owner" and (change.durable or kept(change)):
            uid, gid = change.offset, change.inode
    return uid, gid


class Disk:
    TOPS = ("queue", "mail")

    def __init__(self):
        self.nodes = {}
        self.tops = {}  # name -> inode

    @classmethod
    def load(cls, root):
        disk = cls()
        for top in cls.TOPS:
            disk.tops[top] = disk.load_node(os.path.join(root, top))
        return disk

    def load_node(self, path):
        info = os.lstat(path)
        mode = stat.S_IMODE(info.st_mode)
        if stat.S_ISDIR(info.st_mode):
            node = Folder(info.st_uid, info.st_gid, mode)
            node.base = {name: self.load_node(os.path.join(path, name)) for name in os.listdir(path)}
        else:
            with open(path, "rb") as file:
                node = File(info.st_uid, info.st_gid, mode, file.read())
        self.nodes[info.st_ino] = node
        return info.st_ino

    def duplicate(self):
        """One to which nothing was applied, of one to which nothing was."""
        disk = type(self)()
        disk.tops = dict(self.tops)
        for inode, node in self.nodes.items():
            disk.nodes[inode] = copy.copy(node)
            disk.nodes[inode].changes = []
            if node.is_folder:
                disk.nodes[inode].base = dict(node.base)
        return disk

    # -- what happens ----------------------------------------------------------------------------
    def apply(self, record):
        """True when the record was about this disk."""
        step = getattr(self, "take_" + record.kind.replace("-", "_"), None)
        return bool(step and step(record))

    def change_folder(self, inode, change):
        folder = self.nodes.get(inode)
        if folder is None:
            return None
        folder.changes.append(change)
        return change

    def take_create(self, record):
        self.nodes[record.inode] = File(record.uid, record.gid, stat.S_IMODE(record.mode))
        return self.change_folder(record.parent, Change("add", name=record.name,
                                                        inode=record.inode))

    def take_mkdir(self, record):
        self.nodes[record.inode] = Folder(record.uid, record.gid, stat.S_IMODE(record.mode))
        return self.change_folder(record.parent, Change("add", name=record.name,
                                                        inode=record.inode))

    def take_write(self, record):
        node = self.nodes.get(record.inode)
        if node:
            node.changes.append(Change("write", record.offset, record.bytes))
        return node

    def take_truncate(self, record):
        node = self.nodes.get(record.inode)
        if node:
            node.changes.append(Change("truncate", record.offset))
        return node

    def take_owner(self, record):
        node = self.nodes.get(record.inode)
        if node:
            node.changes.append(Change("owner", record.offset, inode=record.length))
        return node

    def take_link(self, record):
        return self.change_folder(record.parent, Change("add", name=record.name,
                                                        inode=record.inode))

    def take_unlink(self, record):
        return self.change_folder(record.parent, Change("remove", name=record.name))

    def take_rename(self, record):
        add = Change("add", name=record.name2, inode=record.inode)
        remove = Change("remove", name=record.name, rename=add)
        add.rename = remove
        # Within one folder the new name comes first: both are there for a moment, never none.
        return (self.change_folder(record.parent2, add), self.change_folder(record.parent, remove))

    def take_sync(self, record):
        node = self.nodes.get(record.inode)
        if node:
            for change in node.changes:
                change.durable = not change.doomed
            node.settle()
        return node

    def take_sync_failed(self, record):
        node = self.nodes.get(record.inode)
        if node and not node.is_folder:
            for change in node.changes:
                change.doomed = True
        return node

    # -- what may be left ------------------------------------------------------------------------
    def pending(self):
        """Changes that a power cut may undo, of files and folders that can be reached."""
        seen = [change for inode in self.reachable() for change in self.nodes[inode].changes
                if not change.durable]
        return seen

    def reachable(self):
        """Inodes under any name that may be left, in order of their discovery."""
        found, waiting = {}, list(self.tops.values())
        while waiting:
            inode = waiting.pop(0)
            node = self.nodes.get(inode)
            if inode in found or node is None:
                continue
            found[inode] = True
            if node.is_folder:
                waiting += list(node.base.values())
                waiting += [change.inode for change in node.changes if change.kind == "add"]
        return list(found)

    def picture(self, kept):
        """The tree as a sorted tuple of (path, inode, uid, gid, mode, bytes or None)."""
        rows = []
        for top, inode in self.tops.items():
            self.draw(top, inode, kept, rows)
        return rows

    def draw(self, path, inode, kept, rows):
        node = self.nodes[inode]
        uid, gid = owner(node, kept)
        if not node.is_folder:
            rows.append((path, inode, uid, gid, node.mode, node.content(kept)))
            return
        rows.append((path, inode, uid, gid, node.mode, None))
        for name, child in sorted(node.names(kept).items()):
            self.draw(path + "/" + name, child, kept, rows)

    def states(self, thorough=True):
        """(name, picture) of what may be left: some choices are the same picture."""
        pending = self.pending()
        for name, kept in choices(pending, thorough):
            yield name, self.picture(kept)


class NamingDisk(Disk):
    """The fsync (not the fdatasync) of a file takes the names along that it got and left before."""

    def __init__(self):
        super().__init__()
        self.renamed = {}  # inode of a file -> changes of its names since its last fsync

    def change_folder(self, inode, change):
        made = super().change_folder(inode, change)
        # Of a rename both halves; of an unlink nothing.
        named = change if change.kind == "add" else change.rename
        if made and named:
            self.renamed.setdefault(named.inode, []).append(change)
        return made

    def take_sync(self, record):
        node = super().take_sync(record)
        if node and not node.is_folder and record.name == "fsync":
            for change in self.renamed.pop(record.inode, []):
                change.durable = True
        return node

    def take_sync_failed(self, record):
        self.renamed.pop(record.inode, None)  # no later fsync makes up for it; that of a folder does
        return super().take_sync_failed(record)


def is_name(change):
    return change.kind in ("add", "remove")


def is_removal(change):
    return change.kind == "remove" and alone(change)


def choices(pending, thorough):
    """(name, function that says of a change whether it survived)."""
    yield "all lost", lambda change: False
    yield "all kept", lambda change: True
    if not pending:
        return
    yield "names kept, bytes lost", is_name
    yield "names kept, bytes zero", lambda change: is_name(change) or ZEROS
    yield "bytes kept, names lost", lambda change: not is_name(change)
    yield "removals kept", is_removal
    yield "torn", lambda change: len(change.bytes) // 2 if len(change.bytes) > 1 else True
    if not thorough:
        return
    for one in pending:
        yield f"only {one.kind} {one.name}", lambda change, one=one: change is one and alone(one)
        yield f"all but {one.kind} {one.name}", lambda change, one=one: change is not one and \
            not (one.kind == "add" and change is one.rename)


def alone(change):
    """Half a rename does not survive as "neither name": what goes from the one folder is lost only
    when the other folder has it (README.md, "Renames")."""
    return not (change.kind == "remove" and change.rename and not change.rename.durable)


def fingerprint(picture):
    """Equal for states in which nothing differs but inode numbers."""
    digest = hashlib.blake2b(digest_size=16)
    for path, _inode, uid, gid, mode, content in picture:
        digest.update(f"{path}\0{uid} {gid} {mode} {'-' if content is None else len(content)}\0"
                      .encode())
        digest.update(content or b"")
    return digest.digest()


def write_picture(picture, root):
    """Makes the tree in `root`, in place of what was there."""
    names = {}
    for path, inode, uid, gid, mode, content in picture:
        full = os.path.join(root, path)
        if content is None:
            os.mkdir(full)
        elif inode in names:
            os.link(names[inode], full)
            continue
        else:
            names[inode] = full
            with open(full, "wb") as file:
                file.write(content)
        os.chown(full, uid, gid)
        os.chmod(full, mode)
