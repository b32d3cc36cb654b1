/* writewatch - see writewatch.h */

/* The inline variants of <fcntl.h> would be redefined here. */
#undef _FORTIFY_SOURCE

#include "writewatch.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Calls of the C library know no context: this is the process's one, for its one scan. */
static int first_error;

void writewatch_begin(void)
{
    first_error = 0;
}

int writewatch_error(void)
{
    return first_error;
}

static void note(void)
{
    /* An interrupted or would-block write is repeated by whoever made it. */
    if (first_error == 0 && errno != EINTR && errno != EAGAIN)
        first_error = errno ? errno : EIO;
}

/* A write that took less than asked for is the last one before the disk is full. */
static ssize_t checked(ssize_t written, size_t wanted)
{
    if (written < 0) {
        note();
    } else if ((size_t)written < wanted) {
        errno = ENOSPC;
        note();
    }
    return written;
}

/* ---- system calls --------------------------------------------------------------------------- */

ssize_t write(int fd, const void *bytes, size_t size)
{
    return checked(syscall(SYS_write, fd, bytes, size), size);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return checked(syscall(SYS_pwrite64, fd, bytes, size, offset), size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    return checked(syscall(SYS_writev, fd, parts, count), size);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list list;
        va_start(list, flags);
        mode = va_arg(list, mode_t); /* NOLINT(clang-analyzer-valist.Uninitialized): it is */
        va_end(list);
    }
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd < 0 && (flags & O_CREAT))
        note();
    return fd;
}

/* ---- buffered ------------------------------------------------------------------------------- */

/* POSIX lets a pointer to data hold a function; ISO C wants it copied. */
static void find(const char *name, void *function, size_t size)
{
    void *address = dlsym(RTLD_NEXT, name);
    memcpy(function, &address, size);
}

size_t fwrite(const void *bytes, size_t size, size_t count, FILE *file)
{
    size_t (*next)(const void *, size_t, size_t, FILE *);
    find("fwrite", &next, sizeof next);
    size_t written = next(bytes, size, count, file);
    if (written < count && size > 0)
        note();
    return written;
}

int fflush(FILE *file)
{
    int (*next)(FILE *);
    find("fflush", &next, sizeof next);
    int result = next(file);
    if (result != 0)
        note();
    return result;
}

int fclose(FILE *file)
{
    int (*next)(FILE *);
    find("fclose", &next, sizeof next);
    int result = next(file);
    if (result != 0)
        note();
    return result;
}
