/* io - see io.h */
#include "io.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IO_READ_SIZE = 65536, IO_SMALL_READ_SIZE = 4096 };

bool io_wait(int fd, short events, int64_t deadline)
{
    struct pollfd poll_one = {.fd = fd, .events = events};
    for (;;) {
        int ready = poll(&poll_one, 1, clock_left(deadline));
        if (ready > 0)
            return true;
        if (ready == 0) {
            errno = ETIMEDOUT;
            return false;
        }
        if (errno != EINTR)
            return false;
    }
}

bool io_write_all(int fd, struct slice bytes, int64_t deadline)
{
    while (bytes.size > 0) {
        ssize_t written = write(fd, bytes.data, bytes.size);
        if (written >= 0) {
            bytes = slice_from(bytes, (size_t)written);
        } else if (errno == EAGAIN) {
            if (!io_wait(fd, POLLOUT, deadline))
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

ssize_t io_read(int fd, void *bytes, size_t size, int64_t deadline)
{
    for (;;) {
        if (deadline != CLOCK_NEVER && !io_wait(fd, POLLIN, deadline))
            return -1;
        ssize_t got = read(fd, bytes, size);
        if (got >= 0)
            return got;
        if (errno == EAGAIN) {
            if (!io_wait(fd, POLLIN, deadline))
                return -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
}

bool io_pread_all(int fd, void *bytes, size_t size, off_t offset)
{
    char *at = bytes;
    while (size > 0) {
        ssize_t got = pread(fd, at, size, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0) {
            errno = EPROTO;
            return false;
        }
        at += got;
        size -= (size_t)got;
        offset += got;
    }
    return true;
}

/* 1: there may be more, 0: that was all, -1: errno. */
static int take_read(int fd, char *bytes, size_t size, struct str *content)
{
    ssize_t got = io_read(fd, bytes, size, CLOCK_NEVER);
    if (got <= 0)
        return (int)got;
    if (str_append(content, slice_of(bytes, (size_t)got)))
        return 1;
    errno = EFBIG;
    return -1;
}

/* Apart from the beginning, so that a small file does not touch all these pages. */
__attribute__((noinline)) static int read_rest(int fd, struct str *content)
{
    char bytes[IO_READ_SIZE];
    int more;
    do
        more = take_read(fd, bytes, sizeof bytes, content);
    while (more > 0);
    return more;
}

static bool read_to_end(int fd, struct str *content)
{
    char bytes[IO_SMALL_READ_SIZE];
    size_t before = content->size;
    int more = take_read(fd, bytes, sizeof bytes, content);
    if (more > 0 && content->size - before < sizeof bytes)
        more = take_read(fd, bytes, sizeof bytes, content); /* its end, nearly always */
    if (more > 0)
        more = read_rest(fd, content);
    return more == 0;
}

bool io_read_file(int directory, const char *path, struct str *content)
{
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = read_to_end(fd, content);
    int error = errno;
    io_close(&fd);
    errno = error;
    return done;
}

static bool write_new(int fd, struct slice content, mode_t mode, uid_t owner, gid_t group)
{
    if ((owner != (uid_t)-1 || group != (gid_t)-1) && fchown(fd, owner, group) < 0)
        return false;
    /* After fchown, which clears bits, and whatever the umask was. */
    return fchmod(fd, mode) == 0 && io_write_all(fd, content, CLOCK_NEVER) && fsync(fd) == 0;
}

static bool replace_by(int directory, const char *name, const char *temporary, struct slice content,
                       mode_t mode, uid_t owner, gid_t group)
{
    int fd =
        openat(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool done = write_new(fd, content, mode, owner, group);
    io_close(&fd);
    done = done && renameat(directory, temporary, directory, name) == 0;
    if (!done) {
        int error = errno;
        unlinkat(directory, temporary, 0);
        errno = error;
        return false;
    }
    return io_sync_folder(directory);
}

bool io_replace_file(int directory, const char *name, struct slice content, mode_t mode,
                     uid_t owner, gid_t group)
{
    char temporary[NAME_MAX + 1];
    int size = snprintf(temporary, sizeof temporary, ".%s.%ld", name, (long)getpid());
    if (size < 0 || (size_t)size >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    return replace_by(directory, name, temporary, content, mode, owner, group);
}

bool io_replace_locked_file(int directory, const char *name, const char *temporary,
                            struct slice content, mode_t mode)
{
    return replace_by(directory, name, temporary, content, mode, (uid_t)-1, (gid_t)-1);
}

bool io_sync_folder(int directory)
{
    if (directory != AT_FDCWD)
        return fsync(directory) == 0;
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (here < 0)
        return false;
    bool done = fsync(here) == 0;
    io_close(&here);
    return done;
}

bool io_sync_named_file(int fd, int folder)
{
    if (folder < 0)
        return fsync(fd) == 0;
    /* The commit of the folder takes along what the file has by then, so that the file needs none of
     * its own. The other way round it would: of a folder that others change, too, the last change
     * is what is synced. */
    (void)!sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return io_sync_folder(folder) && fdatasync(fd) == 0;
}

bool io_set_nonblocking(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return false;
    int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return wanted == flags || fcntl(fd, F_SETFL, wanted) == 0;
}

void io_set_nodelay(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void io_close(int *fd)
{
    if (*fd >= 0) {
        int error = errno;
        close(*fd);
        errno = error;
    }
    *fd = -1;
}
