/* maildirsize - see maildirsize.h */
#include "maildirsize.h"

#include "clock.h"
#include "io.h"
#include "maildir.h"
#include "number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAILDIRSIZE_NAME "maildirsize"
enum {
    /* Other programs may let it grow; what is larger than this is counted again. */
    MAILDIRSIZE_READ_MAX = 1048576,
    MAILDIRSIZE_LINE_MAX = 64,
    MAILDIRSIZE_LOCK_TRIES = 1000, /* each was lost to another that has folded the file */
};

/* ---- the content -------------------------------------------------------------------------------
 */

/* "10485760S,1000C", "10485760S" or "1000C". Limits of messages are not ours. */
static bool parse_limits(struct slice line, struct maildirsize *size)
{
    while (line.size > 0) {
        struct slice field = slice_cut(&line, ',');
        uint64_t number;
        if (field.size < 2 ||
            !number_parse(slice_part(field, 0, field.size - 1), (uint64_t)INT64_MAX, &number))
            return false;
        if (field.data[field.size - 1] == 'S')
            size->limit = number;
        else if (field.data[field.size - 1] != 'C')
            return false;
    }
    return true;
}

static bool parse_signed(struct slice text, int64_t *number)
{
    uint64_t value;
    bool negative = slice_starts(text, SLICE("-"));
    if (!number_parse(slice_from(text, negative), (uint64_t)INT64_MAX, &value))
        return false;
    *number = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* "+": a change begins; "=": it is done. */
static bool count_mark(struct slice mark, int64_t *under_way)
{
    if (slice_equal(mark, SLICE("+")))
        ++*under_way;
    else if (slice_equal(mark, SLICE("=")))
        --*under_way;
    else
        return mark.size == 0;
    return true;
}

struct sums {
    int64_t bytes, messages, under_way;
};

/* "bytes count", with any blanks around (Courier pads them), and a mark. */
static bool add_line(struct slice line, struct sums *sums)
{
    int64_t bytes, messages;
    return parse_signed(slice_cut_word(&line), &bytes) &&
           parse_signed(slice_cut_word(&line), &messages) &&
           count_mark(slice_trim(line), &sums->under_way) &&
           !__builtin_add_overflow(sums->bytes, bytes, &sums->bytes) &&
           !__builtin_add_overflow(sums->messages, messages, &sums->messages);
}

bool maildirsize_parse(struct slice content, struct maildirsize *size)
{
    struct sums sums = {0};
    *size = (struct maildirsize){0};
    if (!slice_ends(content, SLICE("\n")) || !parse_limits(slice_cut(&content, '\n'), size))
        return false;
    while (content.size > 0)
        if (!add_line(slice_cut(&content, '\n'), &sums))
            return false;
    if (sums.bytes < 0 || sums.messages < 0 || sums.under_way < 0)
        return false;
    size->bytes = (uint64_t)sums.bytes;
    size->messages = (uint64_t)sums.messages;
    size->under_way = (uint64_t)sums.under_way;
    return true;
}

bool maildirsize_has_room(const struct maildirsize *size, uint64_t bytes)
{
    return size->limit == 0 || (size->bytes <= size->limit && bytes <= size->limit - size->bytes);
}

/* ---- the file ----------------------------------------------------------------------------------
 */

/* Opens the file and locks it; one that was replaced before the lock came is left. */
static int open_locked(int maildir, int flags, int lock, struct stat *info)
{
    for (int i = 0; i < MAILDIRSIZE_LOCK_TRIES; i++) {
        int fd =
            openat(maildir, MAILDIRSIZE_NAME, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0)
            return -1;
        bool is_locked = flock(fd, lock) == 0;
        bool is_busy = !is_locked && errno == EWOULDBLOCK;
        if (is_locked && fstat(fd, info) == 0 && info->st_nlink > 0)
            return fd;
        io_close(&fd);
        if (is_busy)
            break;
    }
    errno = EAGAIN;
    return -1;
}

static bool read_content(int fd, const struct stat *info, struct maildirsize *size)
{
    struct str content;
    if (info->st_size <= 0 || info->st_size > MAILDIRSIZE_READ_MAX)
        return false;
    str_init(&content, MAILDIRSIZE_READ_MAX);
    char *room = str_reserve(&content, (size_t)info->st_size);
    bool done = room && io_pread_all(fd, room, (size_t)info->st_size, 0);
    if (done)
        str_added(&content, (size_t)info->st_size);
    done = done && maildirsize_parse(str_slice(&content), size);
    str_free(&content);
    return done;
}

static bool write_new(int maildir, const char *temporary, const struct maildirsize *size)
{
    char bytes[2 * MAILDIRSIZE_LINE_MAX];
    struct str content = str_on(bytes, sizeof bytes);
    str_append_number(&content, size->limit);
    str_append_text(&content, "S\n");
    str_append_number(&content, size->bytes);
    str_append_byte(&content, ' ');
    str_append_number(&content, size->messages);
    str_append_byte(&content, '\n');
    int fd =
        openat(maildir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool done = fd >= 0 && !content.failed && io_write_all(fd, str_slice(&content), CLOCK_NEVER);
    io_close(&fd);
    return done;
}

/* Replaces the file by one of a single line. */
static bool replace(int maildir, const struct maildirsize *size)
{
    char temporary[MAILDIRSIZE_LINE_MAX];
    snprintf(temporary, sizeof temporary, "tmp/maildirsize.%ld.%lld", (long)getpid(),
             (long long)clock_microseconds());
    if (write_new(maildir, temporary, size) &&
        renameat(maildir, temporary, maildir, MAILDIRSIZE_NAME) == 0)
        return true;
    int error = errno;
    unlinkat(maildir, temporary, 0);
    errno = error;
    return false;
}

/* The file, if nobody changes anything just now: whose change is under way holds the shared lock.
 * Changes that are under way all the same were cut off. Never waits. */
static int open_alone(int maildir, int flags, struct stat *info)
{
    return open_locked(maildir, O_RDONLY | flags, LOCK_EX | LOCK_NB, info);
}

/* Makes a long file short, when nobody is at work: else who is at work last does it. One that makes no
 * sense, or knows of a change that was cut off, isn't worth its room: who wants to know counts again. */
static void shorten(int maildir)
{
    struct maildirsize size;
    struct stat info;
    int fd = open_alone(maildir, 0, &info);
    if (fd < 0)
        return;
    if (info.st_size > MAILDIRSIZE_FILE_MAX) {
        if (read_content(fd, &info, &size) && size.under_way == 0)
            (void)replace(maildir, &size);
        else
            (void)unlinkat(maildir, MAILDIRSIZE_NAME, 0);
    }
    io_close(&fd);
}

static bool put_line(int fd, int64_t bytes, int64_t messages, const char *mark)
{
    char text[MAILDIRSIZE_LINE_MAX];
    int size =
        snprintf(text, sizeof text, "%lld %lld%s\n", (long long)bytes, (long long)messages, mark);
    return io_write_all(fd, slice_of(text, (size_t)size), CLOCK_NEVER);
}

/* ---- changes -----------------------------------------------------------------------------------
 */

static int open_to_add(int maildir, struct stat *info)
{
    return open_locked(maildir, O_WRONLY | O_APPEND, LOCK_SH, info);
}

/* All is counted again when it is asked for. */
static void leave_mark(int maildir)
{
    struct stat info;
    int fd = open_to_add(maildir, &info);
    if (fd >= 0)
        (void)put_line(fd, 0, 0, " +");
    io_close(&fd);
}

void maildirsize_begin(int maildir, struct maildirsize_change *change)
{
    struct stat info;
    *change = (struct maildirsize_change){.has_begun = true, .fd = open_to_add(maildir, &info)};
    if (change->fd < 0)
        return;
    change->is_long = info.st_size > MAILDIRSIZE_FILE_MAX - 2 * MAILDIRSIZE_LINE_MAX;
    if (!put_line(change->fd, 0, 0, " +"))
        io_close(&change->fd);
}

void maildirsize_end(int maildir, struct maildirsize_change *change, int64_t bytes,
                     int64_t messages)
{
    bool is_noted = change->fd >= 0 && put_line(change->fd, bytes, messages, " =");
    io_close(&change->fd);
    /* Who made the file meanwhile may have counted a part of what was changed. */
    if (!is_noted && (bytes != 0 || messages != 0))
        leave_mark(maildir);
    if (change->is_long)
        shorten(maildir);
    *change = (struct maildirsize_change){.fd = -1};
}

void maildirsize_end_uncounted(int maildir, struct maildirsize_change *change)
{
    if (change->fd < 0)
        leave_mark(maildir);
    io_close(&change->fd);
    *change = (struct maildirsize_change){.fd = -1};
}

void maildirsize_forget(int maildir)
{
    leave_mark(maildir);
}

/* ---- counting ----------------------------------------------------------------------------------
 */

static bool count_message(int folder, const char *name, struct maildirsize *size)
{
    struct maildir_name parsed;
    struct stat info;
    if (!maildir_parse_name(slice_text(name), &parsed))
        return true;
    if (!parsed.has_size) {
        if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            return errno == ENOENT;
        if (!S_ISREG(info.st_mode))
            return true;
        parsed.size = (uint64_t)info.st_size;
    }
    size->messages++;
    /* A name may lie; a sum beyond what a disk can hold is none. */
    if (__builtin_add_overflow(size->bytes, parsed.size, &size->bytes) ||
        size->bytes > (uint64_t)INT64_MAX)
        size->bytes = (uint64_t)INT64_MAX;
    return true;
}

static DIR *open_folder(int directory, const char *path)
{
    int fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder)
        io_close(&fd);
    return folder;
}

/* Calls `act` for each name. A folder that is not there has none. */
typedef bool name_act(int folder, const char *name, struct maildirsize *size);

static bool for_each_name(int directory, const char *path, name_act *act, struct maildirsize *size)
{
    DIR *folder = open_folder(directory, path);
    if (!folder)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    bool done = true;
    while (done) {
        errno = 0;
        const struct dirent *file = readdir(folder);
        if (!file) {
            done = errno == 0;
            break;
        }
        done = act(dirfd(folder), file->d_name, size);
    }
    int error = errno;
    closedir(folder);
    errno = error;
    return done;
}

static bool count_parts(int directory, const char *path, struct maildirsize *size)
{
    char part[300];
    static const char *const parts[] = {"new", "cur"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int length = snprintf(part, sizeof part, "%s/%s", path, parts[i]);
        if (length < 0 || (size_t)length >= sizeof part ||
            !for_each_name(directory, part, count_message, size))
            return false;
    }
    return true;
}

/* ".Work" is a folder; "..removed-1" is one on its way out. */
static bool count_folder(int maildir, const char *name, struct maildirsize *size)
{
    if (name[0] != '.' || name[1] == '\0' || name[1] == '.')
        return true;
    return count_parts(maildir, name, size);
}

static bool count_all(int maildir, struct maildirsize *size)
{
    size->bytes = size->messages = 0;
    return count_parts(maildir, ".", size) && for_each_name(maildir, ".", count_folder, size);
}

/* `fd` is the file, alone (open_alone), or -1: then there is no writing. */
static bool count_into(int maildir, int fd, uint64_t limit, struct maildirsize *size)
{
    *size = (struct maildirsize){.limit = limit};
    return count_all(maildir, size) && (fd < 0 || replace(maildir, size));
}

bool maildirsize_count(int maildir, uint64_t limit, struct maildirsize *size)
{
    struct stat info;
    /* The file is there before the counting begins, so that who changes something waits for the end. */
    int fd = open_alone(maildir, O_CREAT, &info);
    if (fd < 0 && errno == ELOOP && unlinkat(maildir, MAILDIRSIZE_NAME, 0) == 0)
        fd = open_alone(maildir, O_CREAT, &info);
    bool done = count_into(maildir, fd, limit, size);
    int error = errno;
    io_close(&fd);
    errno = error;
    return done;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* Maildir++: before mail is refused for good, what the file says is looked at again. */
static bool is_doubtful(const struct maildirsize *size, const struct stat *info)
{
    return size->limit > 0 && size->bytes >= size->limit &&
           clock_seconds() - (int64_t)info->st_mtime > MAILDIRSIZE_TRUST_S;
}

/* Makes one line of all, with the limit `limit`; counts, where a change was cut off. */
static bool put_right(int maildir, uint64_t limit, struct maildirsize *size)
{
    struct stat info;
    struct maildirsize found;
    int fd = open_alone(maildir, 0, &info);
    if (fd < 0) /* others are at work: what the file says is true so far */
        return errno == EAGAIN || maildirsize_count(maildir, limit, size);
    bool done = read_content(fd, &info, &found) && found.under_way == 0;
    if (done) {
        *size = found;
        size->limit = limit;
        done = replace(maildir, size);
    } else {
        done = count_into(maildir, fd, limit, size);
    }
    io_close(&fd);
    return done;
}

static bool read_file(int maildir, struct stat *info, struct maildirsize *size)
{
    int fd = openat(maildir, MAILDIRSIZE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool is_sound =
        fd >= 0 && fstat(fd, info) == 0 && S_ISREG(info->st_mode) && read_content(fd, info, size);
    io_close(&fd);
    return is_sound;
}

bool maildirsize_read(int maildir, uint64_t limit, struct maildirsize *size)
{
    struct stat info;
    if (!read_file(maildir, &info, size))
        return maildirsize_count(maildir, limit, size);
    bool is_other_limit = size->limit != limit;
    size->limit = limit;
    if (is_doubtful(size, &info))
        return maildirsize_count(maildir, limit, size);
    return (!is_other_limit && size->under_way == 0 && info.st_size <= MAILDIRSIZE_FILE_MAX) ||
           put_right(maildir, limit, size);
}

bool maildirsize_peek(int maildir, struct maildirsize *size)
{
    struct stat info;
    if (!read_file(maildir, &info, size))
        return maildirsize_count(maildir, 0, size);
    return size->under_way == 0 || put_right(maildir, size->limit, size);
}
