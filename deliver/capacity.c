/* capacity - see capacity.h */
#include "capacity.h"

#include "clock.h"
#include "hash.h"
#include "io.h"
#include "maildirsize.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    COUNT_TRUSTED_MS = 10000,
    SUM_TRUSTED_MS = 60000,
    SUM_TRUSTED_NEAR_MS = 1000,
    NEAR = 16,     /* part of the limit that is left when it is near */
    ORDINARY = 64, /* part of the limit */
    PATH_SIZE = 300,
    MEGABYTE = 1048576,
};

bool capacity_is_full(uint64_t used, uint64_t limit)
{
    uint64_t ordinary = limit / ORDINARY;
    if (ordinary > CAPACITY_ORDINARY_MAX)
        ordinary = CAPACITY_ORDINARY_MAX;
    return limit > 0 && (used >= limit || limit - used < ordinary);
}

void capacity_put_megabytes(struct str *text, uint64_t bytes)
{
    str_append_number(text, bytes / MEGABYTE);
    str_append_byte(text, '.');
    str_append_number(text, bytes % MEGABYTE * 10 / MEGABYTE);
}

static bool fits(uint64_t used, uint64_t limit, uint64_t bytes)
{
    return used <= limit && bytes <= limit - used;
}

static int open_mailbox(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* ---- a mailbox ---------------------------------------------------------------------------------
 */

bool capacity_count_mailbox(const char *path, uint64_t quota, uint64_t *used)
{
    struct maildirsize size = {0};
    int maildir = open_mailbox(path);
    bool done = maildir >= 0 ? maildirsize_count(maildir, quota, &size) : errno == ENOENT;
    int error = errno;
    io_close(&maildir);
    *used = size.bytes;
    errno = error;
    return done;
}

/* A mailbox that seems full is counted before mail is refused: files may have gone by hand. That takes
 * its time, so who sends much to a full mailbox gets the same count for a while. */
static bool was_counted(struct capacity *capacity, const char *path)
{
    uint64_t mailbox = hash_add(HASH_START, slice_text(path));
    int64_t now = clock_ms();
    for (size_t i = 0; i < CAPACITY_COUNTED_MAX; i++)
        if (capacity->counted[i].mailbox == mailbox && capacity->counted[i].at > 0 &&
            now - capacity->counted[i].at < COUNT_TRUSTED_MS)
            return true;
    capacity->counted[capacity->next].mailbox = mailbox;
    capacity->counted[capacity->next].at = now;
    capacity->next = (capacity->next + 1) % CAPACITY_COUNTED_MAX;
    return false;
}

static bool mailbox_has_room(struct capacity *capacity, uint64_t quota, const char *path,
                             uint64_t bytes, uint64_t *used)
{
    struct maildirsize size = {0};
    int maildir = open_mailbox(path);
    bool is_known = maildir >= 0 ? maildirsize_read(maildir, quota, &size) : errno == ENOENT;
    if (maildir >= 0 && is_known && !fits(size.bytes, quota, bytes) && !was_counted(capacity, path))
        is_known = maildirsize_count(maildir, quota, &size);
    io_close(&maildir);
    *used = capacity->mailbox_used = is_known ? size.bytes : CAPACITY_UNKNOWN;
    return !is_known || fits(size.bytes, quota, bytes);
}

/* ---- the domain --------------------------------------------------------------------------------
 */

static bool add_mailbox(const char *local, uint64_t *used)
{
    char path[PATH_SIZE];
    struct maildirsize size;
    int length = snprintf(path, sizeof path, "%s/Maildir", local);
    if (length < 0 || (size_t)length >= sizeof path)
        return true;
    int maildir = open_mailbox(path);
    if (maildir < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    bool done = maildirsize_peek(maildir, &size);
    io_close(&maildir);
    if (done && __builtin_add_overflow(*used, size.bytes, used))
        *used = UINT64_MAX;
    return done;
}

/* One that can't be measured is left out. */
bool capacity_sum_domain(uint64_t *used)
{
    DIR *domain = opendir(".");
    *used = 0;
    if (!domain)
        return false;
    errno = 0;
    const struct dirent *file;
    while ((file = readdir(domain))) {
        if (file->d_name[0] != '.')
            (void)add_mailbox(file->d_name, used);
        errno = 0;
    }
    bool done = errno == 0;
    closedir(domain);
    return done;
}

static bool is_old(const struct capacity *capacity, int64_t trusted_ms)
{
    return capacity->domain_at == 0 || clock_ms() - capacity->domain_at >= trusted_ms;
}

static bool sum_again(struct capacity *capacity)
{
    int64_t now = clock_ms();
    if (!capacity_sum_domain(&capacity->domain_bytes))
        return false;
    capacity->domain_at = now > 0 ? now : 1;
    return true;
}

static bool domain_has_room(struct capacity *capacity, uint64_t limit, uint64_t bytes,
                            uint64_t *used)
{
    bool is_known = !is_old(capacity, SUM_TRUSTED_MS) || sum_again(capacity);
    bool is_near = is_known && !fits(capacity->domain_bytes, limit - limit / NEAR, bytes);
    if (is_near && is_old(capacity, SUM_TRUSTED_NEAR_MS))
        is_known = sum_again(capacity);
    /* Room may have been made a moment ago, and what is refused here puts the domain into its state. */
    if (is_known && !fits(capacity->domain_bytes, limit, bytes) && is_old(capacity, 1))
        is_known = sum_again(capacity);
    *used = capacity->domain_bytes;
    return !is_known || fits(capacity->domain_bytes, limit, bytes);
}

void capacity_add(struct capacity *capacity, uint64_t bytes)
{
    if (__builtin_add_overflow(capacity->domain_bytes, bytes, &capacity->domain_bytes))
        capacity->domain_bytes = UINT64_MAX;
}

/* ---- both --------------------------------------------------------------------------------------
 */

static enum capacity_answer refuse(const struct delivery_terms *terms, enum capacity_full what,
                                   uint64_t used, uint64_t limit, struct capacity_mark *full)
{
    if (capacity_is_full(used, limit))
        *full = (struct capacity_mark){.what = what, .used = used, .limit = limit};
    return terms->refuses_for_good ? CAPACITY_FULL_FOR_GOOD : CAPACITY_FULL;
}

enum capacity_answer capacity_check(struct capacity *capacity, const struct delivery_terms *terms,
                                    const char *path, uint64_t bytes, struct capacity_mark *full)
{
    uint64_t used;
    *full = (struct capacity_mark){.what = CAPACITY_NONE_FULL};
    capacity->mailbox_used = CAPACITY_UNKNOWN;
    if ((terms->quota > 0 && bytes > terms->quota) ||
        (terms->domain_quota > 0 && bytes > terms->domain_quota))
        return CAPACITY_TOO_LARGE;
    if (terms->quota > 0 && !mailbox_has_room(capacity, terms->quota, path, bytes, &used))
        return refuse(terms, CAPACITY_MAILBOX_FULL, used, terms->quota, full);
    if (terms->domain_quota > 0 && !domain_has_room(capacity, terms->domain_quota, bytes, &used))
        return refuse(terms, CAPACITY_DOMAIN_FULL, used, terms->domain_quota, full);
    return CAPACITY_FITS;
}

int capacity_lock(const struct delivery_terms *terms, const char *path)
{
    char folder[PATH_SIZE];
    int length = snprintf(folder, sizeof folder, "%s/tmp", path);
    if (terms->quota == 0 || length < 0 || (size_t)length >= sizeof folder)
        return -1;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && flock(fd, LOCK_EX) < 0)
        io_close(&fd);
    return fd;
}
