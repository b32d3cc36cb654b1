/*
 * shim - watches what a program does to the queue and the mail store, and makes calls fail
 *
 * Loaded by LD_PRELOAD. Maps the log that FAULT_LOG names (faultlog.h) before the program confines
 * itself; later it needs no call that the sandbox does not grant to every program that touches a
 * file: the calls themselves, fstat, futex. A call on a file or folder below ROOT/queue or ROOT/mail
 * is made under the log's lock and written down if it worked; inodes are how they are known, so
 * descriptors may be passed on and names may change.
 *
 * The harness loads it too, by its functions fault_*.
 */
#include "faultlog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* What the shim offers to the harness; the rest of what it exports bears libc's names. */
bool fault_create(const char *path, uint64_t size);
bool fault_attach(const char *path);
void fault_detach(void);
void fault_reset(uint64_t device);
void fault_track(uint64_t inode);
void fault_plan(uint32_t error, uint64_t number);
void fault_plant(uint32_t bugs, const char *program);
void fault_fill(uint32_t is_full);
void fault_note(const char *text, uint64_t size);
void fault_hold(void);
void fault_go_on(void);
uint64_t fault_used(void);
uint64_t fault_counted(void);
uint32_t fault_fired(void);
uint32_t fault_overflow(void);
const void *fault_records(void);

static struct faultlog *shared;

/* ---- the log ------------------------------------------------------------------------------------
 */

static void lock(void)
{
    if (pthread_mutex_lock(&shared->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&shared->lock);
}

static void unlock(void)
{
    int kept = errno;
    pthread_mutex_unlock(&shared->lock);
    errno = kept;
}

static uint64_t *slot_of(uint64_t inode)
{
    uint64_t at = inode * UINT64_C(0x9e3779b97f4a7c15) >> 50;
    for (unsigned i = 0; i < FAULTLOG_TRACKED_MAX; i++) {
        uint64_t *slot = &shared->tracked[(at + i) % FAULTLOG_TRACKED_MAX];
        if (*slot == inode || *slot == 0)
            return slot;
    }
    return NULL;
}

static bool is_tracked_inode(uint64_t inode)
{
    const uint64_t *slot = slot_of(inode);
    return slot && *slot == inode;
}

static void track(uint64_t inode)
{
    uint64_t *slot = slot_of(inode);
    if (!slot || shared->tracked_count > FAULTLOG_TRACKED_MAX / 2) {
        shared->overflow = 1;
        return;
    }
    shared->tracked_count += *slot == 0 ? 1 : 0;
    *slot = inode;
}

struct text {
    const void *data;
    size_t size;
};

static struct text text_of(const char *text)
{
    return (struct text){text, text ? strlen(text) : 0};
}

static void set_program(char program[FAULTLOG_PROGRAM_SIZE])
{
    snprintf(program, FAULTLOG_PROGRAM_SIZE, "%s", program_invocation_short_name);
}

/* Under the lock. */
static void put(struct faultlog_record *record, struct text name, struct text name2,
                struct text bytes)
{
    uint64_t size = sizeof *record + name.size + name2.size + bytes.size;
    size = (size + 7) / 8 * 8;
    if (shared->used + size > shared->size - sizeof *shared || size > UINT32_MAX) {
        shared->overflow = 1;
        return;
    }
    record->size = (uint32_t)size;
    record->pid = (uint32_t)getpid();
    record->name_size = (uint32_t)name.size;
    record->name2_size = (uint32_t)name2.size;
    record->bytes_size = (uint32_t)bytes.size;
    set_program(record->program);
    char *at = (char *)(shared + 1) + shared->used;
    memcpy(at, record, sizeof *record);
    at += sizeof *record;
    const struct text parts[] = {name, name2, bytes};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].size > 0)
            memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    shared->used += size;
}

static const struct text no_text = {NULL, 0};

/* ---- which calls are looked at ------------------------------------------------------------------
 */

static bool stat_fd(int fd, struct stat *info)
{
    int kept = errno;
    bool done = shared && fd >= 0 && fstat(fd, info) == 0;
    errno = kept;
    return done && info->st_dev == shared->device;
}

static bool stat_path(int folder, const char *path, struct stat *info)
{
    int kept = errno;
    bool done = fstatat(folder, path, info, AT_SYMLINK_NOFOLLOW) == 0;
    errno = kept;
    return done;
}

/* A name and the folder that it is in. */
struct place {
    bool is_tracked; /* a name below queue/ or mail/ */
    uint64_t parent;
    const char *name;
    bool exists;
    struct stat info; /* when it does */
};

/* Under the lock. */
static void find_place(int folder, const char *path, struct place *place)
{
    char parent[PATH_MAX];
    struct stat info;
    *place = (struct place){.name = path};
    const char *slash = path ? strrchr(path, '/') : NULL;
    size_t size = slash ? (size_t)(slash - path) : 0;
    if (!path || path[0] == '\0' || size >= sizeof parent)
        return;
    if (slash)
        place->name = slash + 1;
    memcpy(parent, path, size);
    parent[size] = '\0';
    if (slash == path)
        memcpy(parent, "/", 2);
    else if (!slash)
        memcpy(parent, ".", 2);
    if (!stat_path(folder, parent, &info) || info.st_dev != shared->device)
        return;
    place->parent = info.st_ino;
    place->exists = stat_path(folder, path, &place->info);
    /* "." of a tracked folder is that folder, to be read or synced: no name in it. */
    place->is_tracked = is_tracked_inode(info.st_ino);
}

/* ---- calls that fail ----------------------------------------------------------------------------
 */

enum {
    CAN_EIO = 1 << FAULTLOG_EIO,
    CAN_ENOSPC = 1 << FAULTLOG_ENOSPC,
    CAN_EDQUOT = 1 << FAULTLOG_EDQUOT,
    CAN_EMFILE = 1 << FAULTLOG_EMFILE,
    CAN_EINTR = 1 << FAULTLOG_EINTR,
    CAN_SHORT = 1 << FAULTLOG_SHORT,
    ON_OPEN = CAN_EIO | CAN_EMFILE | CAN_EINTR,
    ON_CREATE = ON_OPEN | CAN_ENOSPC | CAN_EDQUOT,
    ON_READ = CAN_EIO | CAN_EINTR | CAN_SHORT,
    ON_WRITE = CAN_EIO | CAN_ENOSPC | CAN_EDQUOT | CAN_EINTR | CAN_SHORT,
    ON_SYNC = CAN_EIO | CAN_ENOSPC | CAN_EDQUOT | CAN_EINTR,
    ON_NAME = CAN_EIO | CAN_ENOSPC | CAN_EDQUOT,
    ON_REMOVE = CAN_EIO,
    ON_TRUNCATE = CAN_EIO | CAN_EINTR,
};

static const int errnos[] = {
    [FAULTLOG_EIO] = EIO,       [FAULTLOG_ENOSPC] = ENOSPC, [FAULTLOG_EDQUOT] = EDQUOT,
    [FAULTLOG_EMFILE] = EMFILE, [FAULTLOG_EINTR] = EINTR,   [FAULTLOG_SHORT] = 0,
};

/* Is it this call's turn to fail? Under the lock. True with errno, or with errno 0: be short. */
static bool is_failing(unsigned can, const char *call)
{
    if (shared->error == FAULTLOG_NOTHING || !(can & 1u << shared->error))
        return false;
    if (++shared->counted != shared->fail_at)
        return false;
    shared->fired = 1;
    put(&(struct faultlog_record){.kind = FAULTLOG_FAULT, .offset = (int64_t)shared->error},
        text_of(call), no_text, no_text);
    errno = errnos[shared->error];
    return true;
}

/* Nothing new fits on a full disk; what is there can be overwritten. */
static bool is_full(bool grows)
{
    if (!shared->is_full || !grows)
        return false;
    errno = ENOSPC;
    return true;
}

static bool has_bug(enum faultlog_bug bug)
{
    char program[FAULTLOG_PROGRAM_SIZE];
    set_program(program);
    return shared->bugs & (unsigned)bug &&
           (shared->bug_program[0] == '\0' || strcmp(shared->bug_program, program) == 0);
}

/* ---- open ---------------------------------------------------------------------------------------
 */

static void record_new(enum faultlog_kind kind, const struct place *place, const struct stat *info)
{
    track(info->st_ino);
    put(&(struct faultlog_record){.kind = kind,
                                  .uid = info->st_uid,
                                  .gid = info->st_gid,
                                  .mode = info->st_mode,
                                  .inode = info->st_ino,
                                  .parent = place->parent},
        text_of(place->name), no_text, no_text);
}

static int open_tracked(int folder, const char *path, int flags, mode_t mode,
                        const struct place *place)
{
    struct stat info;
    bool creates = (flags & O_CREAT) && !place->exists;
    if (is_failing(creates ? ON_CREATE : ON_OPEN, "open") || is_full(creates))
        return -1;
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (fd < 0 || flags & O_PATH || fstat(fd, &info) < 0)
        return fd;
    if (creates)
        record_new(FAULTLOG_CREATE, place, &info);
    else if (flags & O_TRUNC && place->info.st_size > 0)
        put(&(struct faultlog_record){.kind = FAULTLOG_TRUNCATE, .inode = info.st_ino}, no_text,
            no_text, no_text);
    return fd;
}

static int do_open(int folder, const char *path, int flags, mode_t mode)
{
    struct place place;
    if (!shared)
        return (int)syscall(SYS_openat, folder, path, flags, mode);
    if ((flags & O_TMPFILE) == O_TMPFILE) { /* nothing here uses it, and it is not modelled */
        errno = EOPNOTSUPP;
        return -1;
    }
    lock();
    find_place(folder, path, &place);
    int fd = place.is_tracked ? open_tracked(folder, path, flags, mode, &place)
                              : (int)syscall(SYS_openat, folder, path, flags, mode);
    unlock();
    return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return do_open(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return do_open(folder, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int folder, const char *path, int flags, ...) __attribute__((alias("openat")));

int creat(const char *path, mode_t mode)
{
    return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char *path, mode_t mode) __attribute__((alias("creat")));

/* What fortified programs call when they give no mode. */
int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags, 0);
}
int __open64_2(const char *path, int flags) __attribute__((alias("__open_2")));
int __openat_2(int folder, const char *path, int flags);
int __openat_2(int folder, const char *path, int flags)
{
    return do_open(folder, path, flags, 0);
}
int __openat64_2(int folder, const char *path, int flags) __attribute__((alias("__openat_2")));

/* ---- write --------------------------------------------------------------------------------------
 */

enum { AT_POSITION = -1, PARTS_MAX = 64 };

static size_t parts_size(const struct iovec *parts, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    return size;
}

/* The first `size` bytes of `parts`. */
static int cut_parts(const struct iovec *parts, int count, size_t size, struct iovec *cut)
{
    int used = 0;
    for (; used < count && used < PARTS_MAX && size > 0; used++) {
        cut[used] = parts[used];
        if (cut[used].iov_len > size)
            cut[used].iov_len = size;
        size -= cut[used].iov_len;
    }
    return used;
}

/* What a program says to another, or to a client: no lock is held while it goes out. */
static void record_sent(const struct iovec *parts, size_t count)
{
    char bytes[FAULTLOG_SENT_MAX];
    size_t size = 0;
    for (size_t i = 0; i < count && size < sizeof bytes; i++) {
        size_t part =
            parts[i].iov_len < sizeof bytes - size ? parts[i].iov_len : sizeof bytes - size;
        memcpy(bytes + size, parts[i].iov_base, part);
        size += part;
    }
    lock();
    put(&(struct faultlog_record){.kind = FAULTLOG_SENT}, no_text, no_text,
        (struct text){bytes, size});
    unlock();
}

static ssize_t write_plain(int fd, const struct iovec *parts, int count, off_t offset)
{
    return offset == AT_POSITION ? syscall(SYS_writev, fd, parts, count)
                                 : syscall(SYS_pwritev, fd, parts, count, (long)offset, 0L);
}

/* One part goes by the call that a sandbox grants to everybody. */
static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t offset)
{
    if (count != 1)
        return write_plain(fd, parts, count, offset);
    return offset == AT_POSITION
               ? syscall(SYS_write, fd, parts->iov_base, parts->iov_len)
               : syscall(SYS_pwrite64, fd, parts->iov_base, parts->iov_len, offset);
}

static void record_write(uint64_t inode, off_t at, const struct iovec *parts, int count,
                         size_t written)
{
    for (int i = 0; i < count && written > 0; i++) {
        size_t size = parts[i].iov_len < written ? parts[i].iov_len : written;
        put(&(struct faultlog_record){.kind = FAULTLOG_WRITE, .inode = inode, .offset = at},
            no_text, no_text, (struct text){parts[i].iov_base, size});
        at += (off_t)size;
        written -= size;
    }
}

static ssize_t write_tracked(int fd, const struct iovec *parts, int count, off_t offset,
                             const struct stat *info)
{
    struct iovec cut[PARTS_MAX];
    off_t at = offset;
    if (offset == AT_POSITION)
        at = fcntl(fd, F_GETFL) & O_APPEND ? info->st_size : lseek(fd, 0, SEEK_CUR);
    size_t size = parts_size(parts, count);
    if (is_full(at + (off_t)size > info->st_size))
        return -1;
    if (is_failing(size > 1 ? ON_WRITE : ON_WRITE & ~CAN_SHORT, "write")) {
        if (errno != 0)
            return -1;
        count = cut_parts(parts, count, size / 2, cut);
        parts = cut;
    }
    ssize_t written = write_parts(fd, parts, count, offset);
    if (written > 0)
        record_write(info->st_ino, at, parts, count, (size_t)written);
    return written;
}

static ssize_t do_write(int fd, const struct iovec *parts, int count, off_t offset)
{
    struct stat info;
    if (!shared || fd == STDERR_FILENO || !(stat_fd(fd, &info) && S_ISREG(info.st_mode))) {
        if (shared && fd != STDERR_FILENO && fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode))
            record_sent(parts, (size_t)count);
        return write_parts(fd, parts, count, offset);
    }
    lock();
    ssize_t written = is_tracked_inode(info.st_ino) && fstat(fd, &info) == 0
                          ? write_tracked(fd, parts, count, offset, &info)
                          : write_parts(fd, parts, count, offset);
    unlock();
    return written;
}

static struct iovec part_of(const void *bytes, size_t size)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    return do_write(fd, &(struct iovec){(void *)(uintptr_t)bytes, size}, 1, AT_POSITION);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    struct iovec part = part_of(bytes, size);
    return do_write(fd, &part, 1, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
    __attribute__((alias("pwrite")));

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return do_write(fd, parts, count, AT_POSITION);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    return do_write(fd, parts, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
    __attribute__((alias("pwritev")));

ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    if (flags != 0) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return do_write(fd, parts, count, offset);
}
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
    __attribute__((alias("pwritev2")));

/* Copies within the kernel become a read and a write here, which POSIX programs must be ready for:
 * both calls may move less than they were asked to. */
enum { MOVE_MAX = 65536 };

static ssize_t move(int to, off_t *to_offset, int from, off_t *from_offset, size_t size)
{
    char bytes[MOVE_MAX];
    size_t part = size < sizeof bytes ? size : sizeof bytes;
    ssize_t got = from_offset ? pread(from, bytes, part, *from_offset) : read(from, bytes, part);
    if (got <= 0)
        return got;
    struct iovec one = part_of(bytes, (size_t)got);
    ssize_t written = do_write(to, &one, 1, to_offset ? *to_offset : AT_POSITION);
    if (written > 0 && from_offset)
        *from_offset += written;
    else if (written >= 0 && written < got && !from_offset)
        lseek(from, written - got, SEEK_CUR);
    if (written > 0 && to_offset)
        *to_offset += written;
    return written;
}

static bool is_observed(int fd)
{
    struct stat info;
    if (!stat_fd(fd, &info))
        return false;
    lock();
    bool is = is_tracked_inode(info.st_ino);
    unlock();
    return is;
}

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size,
                        unsigned flags)
{
    if (!is_observed(to))
        return syscall(SYS_copy_file_range, from, from_offset, to, to_offset, size, flags);
    return move(to, to_offset, from, from_offset, size);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t size)
{
    if (!is_observed(to))
        return syscall(SYS_sendfile, to, from, offset, size);
    return move(to, NULL, from, offset, size);
}
ssize_t sendfile64(int to, int from, off64_t *offset, size_t size)
    __attribute__((alias("sendfile")));

ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size,
               unsigned flags)
{
    if (!is_observed(to))
        return syscall(SYS_splice, from, from_offset, to, to_offset, size, flags);
    return move(to, to_offset, from, from_offset, size);
}

static int do_truncate(int fd, off_t size)
{
    struct stat info;
    if (!stat_fd(fd, &info))
        return (int)syscall(SYS_ftruncate, fd, size);
    lock();
    bool is = is_tracked_inode(info.st_ino);
    int done = -1;
    if (!is || !is_failing(ON_TRUNCATE, "ftruncate"))
        done = (int)syscall(SYS_ftruncate, fd, size);
    if (done == 0 && is)
        put(&(struct faultlog_record){.kind = FAULTLOG_TRUNCATE,
                                      .inode = info.st_ino,
                                      .offset = size},
            no_text, no_text, no_text);
    unlock();
    return done;
}

int ftruncate(int fd, off_t size)
{
    return do_truncate(fd, size);
}
int ftruncate64(int fd, off64_t size) __attribute__((alias("ftruncate")));

/* Room without content is not modelled: the program hears that the file system can't. */
int fallocate(int fd, int mode, off_t offset, off_t size)
{
    if (!is_observed(fd))
        return (int)syscall(SYS_fallocate, fd, mode, offset, size);
    errno = EOPNOTSUPP;
    return -1;
}
int fallocate64(int fd, int mode, off64_t offset, off64_t size) __attribute__((alias("fallocate")));

int posix_fallocate(int fd, off_t offset, off_t size)
{
    return is_observed(fd) || syscall(SYS_fallocate, fd, 0, offset, size) < 0 ? EOPNOTSUPP : 0;
}
int posix_fallocate64(int fd, off64_t offset, off64_t size)
    __attribute__((alias("posix_fallocate")));

/* ---- read ---------------------------------------------------------------------------------------
 */

/* True when the call is to fail; *size is halved when it is to be short. */
static bool read_fails(int fd, size_t *size)
{
    struct stat info;
    if (!shared || shared->error == FAULTLOG_NOTHING || !stat_fd(fd, &info) ||
        !S_ISREG(info.st_mode))
        return false;
    lock();
    bool fails = is_tracked_inode(info.st_ino) &&
                 is_failing(*size > 1 ? ON_READ : ON_READ & ~CAN_SHORT, "read");
    if (fails && errno == 0) {
        *size /= 2;
        fails = false;
    }
    unlock();
    return fails;
}

ssize_t read(int fd, void *bytes, size_t size)
{
    return read_fails(fd, &size) ? -1 : syscall(SYS_read, fd, bytes, size);
}
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    return read(fd, bytes, size < room ? size : room);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    return read_fails(fd, &size) ? -1 : syscall(SYS_pread64, fd, bytes, size, offset);
}
ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset) __attribute__((alias("pread")));
ssize_t __pread_chk(int fd, void *bytes, size_t size, off_t offset, size_t room);
ssize_t __pread_chk(int fd, void *bytes, size_t size, off_t offset, size_t room)
{
    return pread(fd, bytes, size < room ? size : room, offset);
}
ssize_t __pread64_chk(int fd, void *bytes, size_t size, off64_t offset, size_t room)
    __attribute__((alias("__pread_chk")));

/* ---- sync ---------------------------------------------------------------------------------------
 */

/* After a failed sync the kernel takes the pages for written: the next one says nothing of them.
 * EINTR comes before anything was tried. */
static int fail_sync(const struct stat *info)
{
    int error = errno;
    if (error != EINTR)
        put(&(struct faultlog_record){.kind = FAULTLOG_SYNC_FAILED, .inode = info->st_ino}, no_text,
            no_text, no_text);
    errno = error;
    return has_bug(FAULTLOG_HIDE_ERRORS) ? 0 : -1;
}

static int do_sync(int fd, long call, const char *name)
{
    struct stat info;
    if (!stat_fd(fd, &info))
        return (int)syscall(call, fd);
    lock();
    int done = 0;
    bool is_folder = S_ISDIR(info.st_mode);
    if (!is_tracked_inode(info.st_ino))
        done = (int)syscall(call, fd);
    else if (is_failing(ON_SYNC, is_folder ? "sync of a folder" : "sync of a file"))
        done = fail_sync(&info);
    else if (!has_bug(is_folder ? FAULTLOG_NO_FOLDER_SYNC : FAULTLOG_NO_FILE_SYNC))
        put(&(struct faultlog_record){.kind = FAULTLOG_SYNC, .inode = info.st_ino}, text_of(name),
            no_text, no_text);
    unlock();
    return done;
}

int fsync(int fd)
{
    return do_sync(fd, SYS_fsync, "fsync");
}

int fdatasync(int fd)
{
    return do_sync(fd, SYS_fdatasync, "fdatasync");
}

/* Promises nothing after a power cut (its manual says so): not a sync. syncfs and sync do more than
 * is modelled, and count as nothing: a program that relies on them is told so by losses. */
int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    return is_observed(fd) ? 0 : (int)syscall(SYS_sync_file_range, fd, offset, size, flags);
}

/* ---- names --------------------------------------------------------------------------------------
 */

static int do_rename(int from, const char *old, int to, const char *new, unsigned flags)
{
    struct place source, target;
    if (!shared)
        return (int)syscall(SYS_renameat2, from, old, to, new, flags);
    lock();
    find_place(from, old, &source);
    find_place(to, new, &target);
    bool is = source.is_tracked || target.is_tracked;
    int done = -1;
    if (!is || !is_failing(ON_NAME, "rename"))
        done = (int)syscall(SYS_renameat2, from, old, to, new, flags);
    if (done == 0 && is)
        put(&(struct faultlog_record){.kind = FAULTLOG_RENAME,
                                      .inode = source.info.st_ino,
                                      .parent = source.parent,
                                      .parent2 = target.parent},
            text_of(source.name), text_of(target.name), no_text);
    unlock();
    return done;
}

int rename(const char *old, const char *new)
{
    return do_rename(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int renameat(int from, const char *old, int to, const char *new)
{
    return do_rename(from, old, to, new, 0);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    if (flags & RENAME_EXCHANGE) { /* not modelled */
        errno = EINVAL;
        return -1;
    }
    return do_rename(from, old, to, new, flags);
}

static int do_link(int from, const char *old, int to, const char *new, int flags)
{
    struct place source, target;
    if (!shared)
        return (int)syscall(SYS_linkat, from, old, to, new, flags);
    lock();
    find_place(from, old, &source);
    find_place(to, new, &target);
    int done = -1;
    if (!target.is_tracked || !(is_failing(ON_NAME, "link") || is_full(true)))
        done = (int)syscall(SYS_linkat, from, old, to, new, flags);
    if (done == 0 && target.is_tracked && stat_path(to, new, &target.info)) {
        put(&(struct faultlog_record){.kind = FAULTLOG_LINK,
                                      .inode = target.info.st_ino,
                                      .parent = target.parent},
            text_of(target.name), no_text, no_text);
    }
    unlock();
    return done;
}

int link(const char *old, const char *new)
{
    return do_link(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
    return do_link(from, old, to, new, flags);
}

static int do_unlink(int folder, const char *path, int flags)
{
    struct place place;
    if (!shared)
        return (int)syscall(SYS_unlinkat, folder, path, flags);
    lock();
    find_place(folder, path, &place);
    int done = -1;
    if (!place.is_tracked || !is_failing(ON_REMOVE, "unlink"))
        done = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (done == 0 && place.is_tracked)
        put(&(struct faultlog_record){.kind = FAULTLOG_UNLINK,
                                      .inode = place.info.st_ino,
                                      .parent = place.parent},
            text_of(place.name), no_text, no_text);
    unlock();
    return done;
}

int unlink(const char *path)
{
    return do_unlink(AT_FDCWD, path, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
    return do_unlink(folder, path, flags);
}

int rmdir(const char *path)
{
    return do_unlink(AT_FDCWD, path, AT_REMOVEDIR);
}

static int do_mkdir(int folder, const char *path, mode_t mode)
{
    struct place place;
    struct stat info;
    if (!shared)
        return (int)syscall(SYS_mkdirat, folder, path, mode);
    lock();
    find_place(folder, path, &place);
    int done = -1;
    if (!place.is_tracked || !(is_failing(ON_NAME, "mkdir") || is_full(!place.exists)))
        done = (int)syscall(SYS_mkdirat, folder, path, mode);
    if (done == 0 && place.is_tracked && stat_path(folder, path, &info))
        record_new(FAULTLOG_MKDIR, &place, &info);
    unlock();
    return done;
}

int mkdir(const char *path, mode_t mode)
{
    return do_mkdir(AT_FDCWD, path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    return do_mkdir(folder, path, mode);
}

/* ---- owners -------------------------------------------------------------------------------------
 */

static int do_chown(int folder, const char *path, uid_t uid, gid_t gid, int flags)
{
    struct stat info;
    int done = (int)syscall(SYS_fchownat, folder, path, uid, gid, flags);
    if (done < 0 || !shared || fstatat(folder, path, &info, flags) < 0)
        return done;
    lock();
    if (info.st_dev == shared->device && is_tracked_inode(info.st_ino))
        put(&(struct faultlog_record){.kind = FAULTLOG_OWNER,
                                      .inode = info.st_ino,
                                      .offset = (int64_t)info.st_uid,
                                      .length = info.st_gid},
            no_text, no_text, no_text);
    unlock();
    return done;
}

int fchownat(int folder, const char *path, uid_t uid, gid_t gid, int flags)
{
    return do_chown(folder, path, uid, gid, flags);
}

int fchown(int fd, uid_t uid, gid_t gid)
{
    return do_chown(fd, "", uid, gid, AT_EMPTY_PATH);
}

int chown(const char *path, uid_t uid, gid_t gid)
{
    return do_chown(AT_FDCWD, path, uid, gid, 0);
}

/* ---- answers to clients -------------------------------------------------------------------------
 */

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (shared)
        record_sent(message->msg_iov, message->msg_iovlen);
    return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t sendto(int fd, const void *bytes, size_t size, int flags, __CONST_SOCKADDR_ARG address,
               socklen_t address_size)
{
    struct iovec part = part_of(bytes, size);
    if (shared)
        record_sent(&part, 1);
    return syscall(SYS_sendto, fd, bytes, size, flags, address.__sockaddr__, address_size);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    return sendto(fd, bytes, size, flags, (const struct sockaddr *)NULL, 0);
}

/* ---- for the harness ----------------------------------------------------------------------------
 */

bool fault_attach(const char *path)
{
    struct stat info;
    fault_detach();
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    void *memory = MAP_FAILED;
    if (fstat(fd, &info) == 0)
        memory = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED)
        return false;
    shared = memory;
    return true;
}

void fault_detach(void)
{
    if (shared)
        munmap(shared, shared->size);
    shared = NULL;
}

bool fault_create(const char *path, uint64_t size)
{
    pthread_mutexattr_t kind;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    bool done = syscall(SYS_ftruncate, fd, size) == 0 && fchmod(fd, 0666) == 0;
    close(fd);
    if (!done || !fault_attach(path))
        return false;
    shared->size = size;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    return pthread_mutex_init(&shared->lock, &kind) == 0;
}

void fault_reset(uint64_t device)
{
    lock();
    shared->used = 0;
    shared->device = device;
    shared->tracked_count = 0;
    memset(shared->tracked, 0, sizeof shared->tracked);
    fault_plan(FAULTLOG_NOTHING, 0);
    fault_plant(0, "");
    shared->is_full = 0;
    shared->overflow = 0;
    unlock();
}

void fault_track(uint64_t inode)
{
    lock();
    track(inode);
    unlock();
}

void fault_plan(uint32_t error, uint64_t number)
{
    shared->counted = 0;
    shared->fired = 0;
    shared->fail_at = number;
    shared->error = error;
}

void fault_plant(uint32_t bugs, const char *program)
{
    shared->bugs = bugs;
    snprintf(shared->bug_program, sizeof shared->bug_program, "%s", program);
}

void fault_fill(uint32_t full)
{
    lock();
    shared->is_full = full;
    unlock();
}

/* Between these no call on the disk is under way: nobody dies in the middle of one that the log does
 * not know yet. */
void fault_hold(void)
{
    lock();
}

void fault_go_on(void)
{
    unlock();
}

void fault_note(const char *text, uint64_t size)
{
    lock();
    put(&(struct faultlog_record){.kind = FAULTLOG_NOTE}, no_text, no_text,
        (struct text){text, size});
    unlock();
}

uint64_t fault_used(void)
{
    return shared->used;
}

uint64_t fault_counted(void)
{
    return shared->counted;
}

uint32_t fault_fired(void)
{
    return shared->fired;
}

uint32_t fault_overflow(void)
{
    return shared->overflow;
}

const void *fault_records(void)
{
    return shared + 1;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULT_LOG");
    if (!path)
        return;
    if (!fault_attach(path)) {
        static const char text[] = "shim: the log can't be mapped\n";
        syscall(SYS_write, STDERR_FILENO, text, sizeof text - 1);
        _exit(111);
    }
}
