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
    MAILDIRSIZE_COUNT_TRIES = 3,
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

/* "bytes count", with any blanks around: Courier pads them. */
static bool add_line(struct slice line, int64_t *bytes, int64_t *messages)
{
    int64_t more_bytes, more_messages;
    return parse_signed(slice_cut_word(&line), &more_bytes) &&
           parse_signed(slice_cut_word(&line), &more_messages) && slice_trim(line).size == 0 &&
           !__builtin_add_overflow(*bytes, more_bytes, bytes) &&
           !__builtin_add_overflow(*messages, more_messages, messages);
}

bool maildirsize_parse(struct slice content, struct maildirsize *size)
{
    int64_t bytes = 0, messages = 0;
    *size = (struct maildirsize){0};
    if (!slice_ends(content, SLICE("\n")) || !parse_limits(slice_cut(&content, '\n'), size))
        return false;
    while (content.size > 0)
        if (!add_line(slice_cut(&content, '\n'), &bytes, &messages))
            return false;
    if (bytes < 0 || messages < 0)
        return false;
    size->bytes = (uint64_t)bytes;
    size->messages = (uint64_t)messages;
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
        int fd = openat(maildir, MAILDIRSIZE_NAME, flags | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            return -1;
        if (flock(fd, lock) == 0 && fstat(fd, info) == 0 && info->st_nlink > 0)
            return fd;
        io_close(&fd);
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

/* Makes one line of all, with the limit `limit`. False: it has to be counted. */
static bool fold(int maildir, uint64_t limit, struct maildirsize *size)
{
    struct stat info;
    int fd = open_locked(maildir, O_RDONLY, LOCK_EX, &info);
    bool done = fd >= 0 && read_content(fd, &info, size);
    size->limit = limit;
    done = done && replace(maildir, size);
    io_close(&fd);
    return done;
}

/* Makes a long file short. One that makes no sense isn't worth its room: who wants to know counts
 * again. */
static bool shorten(int maildir)
{
    struct maildirsize size;
    struct stat info;
    int fd = open_locked(maildir, O_RDONLY, LOCK_EX, &info);
    bool done = fd >= 0 ? info.st_size <= MAILDIRSIZE_FILE_MAX : errno == ENOENT;
    if (fd >= 0 && !done)
        done = read_content(fd, &info, &size) ? replace(maildir, &size)
                                              : unlinkat(maildir, MAILDIRSIZE_NAME, 0) == 0;
    io_close(&fd);
    return done;
}

bool maildirsize_add(int maildir, int64_t bytes, int64_t messages)
{
    char text[MAILDIRSIZE_LINE_MAX];
    struct stat info;
    if (bytes == 0 && messages == 0)
        return true;
    int size = snprintf(text, sizeof text, "%lld %lld\n", (long long)bytes, (long long)messages);
    int fd = open_locked(maildir, O_WRONLY | O_APPEND, LOCK_SH, &info);
    if (fd < 0)
        return errno == ENOENT;
    bool done = io_write_all(fd, slice_of(text, (size_t)size), CLOCK_NEVER);
    io_close(&fd);
    if (done && info.st_size + size > MAILDIRSIZE_FILE_MAX)
        done = shorten(maildir);
    return done;
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

/* The size of the file, and which it is: who appended meanwhile has changed that. */
static bool stamp(int maildir, struct stat *info)
{
    *info = (struct stat){0};
    return fstatat(maildir, MAILDIRSIZE_NAME, info, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT;
}

bool maildirsize_count(int maildir, uint64_t limit, struct maildirsize *size)
{
    *size = (struct maildirsize){.limit = limit};
    struct stat before, after;
    /* What comes while we count may be counted or not: better once more than wrong. */
    for (int i = 0; i < MAILDIRSIZE_COUNT_TRIES; i++) {
        if (!stamp(maildir, &before) || !count_all(maildir, size) || !stamp(maildir, &after))
            return false;
        if (before.st_ino == after.st_ino && before.st_size == after.st_size)
            break;
    }
    return replace(maildir, size);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* Maildir++: before mail is refused for good, what the file says is looked at again. */
static bool is_doubtful(const struct maildirsize *size, const struct stat *info)
{
    return size->limit > 0 && size->bytes >= size->limit &&
           clock_seconds() - (int64_t)info->st_mtime > MAILDIRSIZE_TRUST_S;
}

bool maildirsize_read(int maildir, uint64_t limit, struct maildirsize *size)
{
    struct stat info;
    int fd = openat(maildir, MAILDIRSIZE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool sound = fd >= 0 && fstat(fd, &info) == 0 && read_content(fd, &info, size);
    io_close(&fd);
    if (sound) {
        bool other_limit = size->limit != limit;
        size->limit = limit;
        if (!is_doubtful(size, &info) &&
            ((!other_limit && info.st_size <= MAILDIRSIZE_FILE_MAX) || fold(maildir, limit, size)))
            return true;
    }
    return maildirsize_count(maildir, limit, size);
}

bool maildirsize_peek(int maildir, struct maildirsize *size)
{
    struct stat info;
    int fd = openat(maildir, MAILDIRSIZE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool is_sound = fd >= 0 && fstat(fd, &info) == 0 && read_content(fd, &info, size);
    io_close(&fd);
    return is_sound || maildirsize_count(maildir, 0, size);
}

void maildirsize_forget(int maildir)
{
    (void)unlinkat(maildir, MAILDIRSIZE_NAME, 0);
}
