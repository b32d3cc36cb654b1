/*
 * io - whole reads and writes, files that are replaced in one step, descriptor flags
 *
 * Functions return false (or -1) with errno set. Descriptors are close-on-exec.
 */
#ifndef COMMON_IO_H
#define COMMON_IO_H

#include "str.h"

#include <stdint.h>
#include <sys/types.h>

/* Writes all of it. On a non-blocking descriptor waits for room till the deadline (clock.h),
 * then ETIMEDOUT. */
bool io_write_all(int fd, struct slice bytes, int64_t deadline);

/* One read of at most `size` bytes; interrupted reads are repeated. 0 at the end,
 * -1 with ETIMEDOUT when nothing came till the deadline. */
ssize_t io_read(int fd, void *bytes, size_t size, int64_t deadline);

/* Waits till `fd` is ready for `events` (POLLIN, POLLOUT). False with ETIMEDOUT or an error. */
bool io_wait(int fd, short events, int64_t deadline);

/* Reads exactly `size` bytes at `offset`; a file that ends before gives false and EPROTO. */
bool io_pread_all(int fd, void *bytes, size_t size, off_t offset);

/* Appends the whole file to `content`; EFBIG when its maximum does not allow that.
 * `directory` may be AT_FDCWD. */
bool io_read_file(int directory, const char *path, struct str *content);

/* Replaces `directory`/`name` by `content` so that a reader, or a crash at any moment, finds the
 * old file or the new one whole: temporary file, fsync, rename, fsync of the folder.
 * `owner` and `group` as for fchown ((uid_t)-1: leave). `name` has no '/'. */
bool io_replace_file(int directory, const char *name, struct slice content, mode_t mode,
                     uid_t owner, gid_t group);
/* The same for those who hold a lock on it: the new file always has the name `temporary` first, so
 * that those who are killed leave one at most. */
bool io_replace_locked_file(int directory, const char *name, const char *temporary,
                            struct slice content, mode_t mode);

bool io_sync_folder(int directory);
/* Makes a file durable, and the name that it has in `folder`. -1: the file system writes the name
 * along with the file (the setting sync-folders). */
bool io_sync_named_file(int fd, int folder);
bool io_set_nonblocking(int fd, bool on);
/* What is written leaves at once: with Nagle's algorithm a small write waits for the peer's delayed
 * acknowledgement of the one before, 40 ms. Where it is no TCP socket (behind tlsd, in tests)
 * nothing happens. */
void io_set_nodelay(int fd);
/* Closes and sets to -1; does nothing at -1. errno is kept. */
void io_close(int *fd);

#endif
