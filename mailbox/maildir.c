/* maildir - see maildir.h */
#include "maildir.h"

#include "clock.h"
#include "hash.h"
#include "io.h"
#include "number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    NAME_SIZE_MAX = NAME_MAX,    /* of a file name */
    HOST_SIZE_MAX = 64,          /* of the host in a name; more says nothing more */
    ID_SIZE_MAX = 64,            /* of a queue id */
    ID_TIME_DIGITS = 11,         /* of a queue id: microseconds, base32 (queuefile.h) */
    COPY_SIZE = 65536,           /* bytes moved at once */
    TMP_AGE_SECONDS = 36 * 3600, /* the age that the Maildir convention names */
    UNIQUE_ATTEMPTS = 8,
    HEX_DIGITS = 16, /* of 64 bits */
    TEMPORARY_PATH_SIZE = sizeof "tmp/" - 1 + sizeof((struct maildir_delivery *)0)->temporary,
};

/* ---- names -------------------------------------------------------------------------------------
 */

static const char flag_letters[] = "DFPRST"; /* in the order of enum maildir_flag, and of ASCII */

void maildir_parse_flags(struct slice letters, struct maildir_name *parsed)
{
    for (size_t i = 0; i < letters.size; i++) {
        char letter = letters.data[i];
        const char *flag = letter ? strchr(flag_letters, letter) : NULL;
        if (flag)
            parsed->flags |= 1u << (flag - flag_letters);
        else if (letter >= 'a' && letter <= 'z')
            parsed->keywords |= UINT32_C(1) << (letter - 'a');
    }
}

static void parse_email_id(struct slice digits, struct maildir_name *parsed)
{
    if (digits.size == HEX_DIGITS && number_parse_hex(digits, &parsed->email_id))
        parsed->has_email_id = true;
}

static void parse_field(struct slice field, struct maildir_name *parsed)
{
    uint64_t number;
    if (slice_starts(field, SLICE("E="))) {
        parse_email_id(slice_from(field, 2), parsed);
        return;
    }
    if (field.size < 3 || field.data[1] != '=' ||
        !number_parse(slice_from(field, 2), INT64_MAX, &number))
        return;
    switch (field.data[0]) {
    case 'S':
        parsed->has_size = true;
        parsed->size = number;
        break;
    case 'W':
        parsed->has_crlf_size = true;
        parsed->crlf_size = number;
        break;
    case 'U':
        parsed->uid = number <= MAILDIR_UID_MAX ? (uint32_t)number : 0;
        break;
    case 'T':
        parsed->has_date = true;
        parsed->date = (int64_t)number;
        break;
    default: /* another program's */
        break;
    }
}

/* The seconds that nearly every program puts in front. */
static bool parse_seconds(struct slice unique, int64_t *seconds)
{
    uint64_t number;
    size_t end = slice_find(unique, '.');
    if (end == unique.size || !number_parse(slice_part(unique, 0, end), UINT32_MAX * 4ull, &number))
        return false;
    *seconds = (int64_t)number;
    return true;
}

bool maildir_parse_name(struct slice name, struct maildir_name *parsed)
{
    *parsed = (struct maildir_name){0};
    if (name.size == 0 || name.data[0] == '.' || slice_has(name, '/') || slice_has(name, '\0'))
        return false;
    size_t colon = slice_find(name, ':');
    struct slice info = slice_from(name, colon);
    struct slice fields = slice_part(name, 0, colon);
    parsed->unique = slice_cut(&fields, ',');
    while (fields.size > 0)
        parse_field(slice_cut(&fields, ','), parsed);
    if (!parsed->has_date)
        parsed->has_date = parse_seconds(parsed->unique, &parsed->date);
    if (slice_starts(info, SLICE(":2,"))) {
        parsed->has_info = true;
        info = slice_from(info, 3);
        maildir_parse_flags(slice_cut(&info, ','), parsed);
    }
    return true;
}

struct slice maildir_stem(struct slice name)
{
    struct slice rest = slice_part(name, 0, slice_find(name, ':'));
    struct slice unique = slice_cut(&rest, ',');
    struct slice field = slice_cut(&rest, ',');
    bool has_id = slice_starts(field, SLICE("E="));
    return slice_part(name, 0, unique.size + (has_id ? 1 + field.size : 0));
}

static void put_field(struct str *name, char letter, uint64_t number)
{
    str_append_byte(name, ',');
    str_append_byte(name, letter);
    str_append_byte(name, '=');
    str_append_number(name, number);
}

void maildir_format_flags(struct str *text, unsigned flags, uint32_t keywords)
{
    for (unsigned i = 0; i < sizeof flag_letters - 1; i++)
        if (flags & 1u << i)
            str_append_byte(text, flag_letters[i]);
    for (unsigned i = 0; keywords >> i && i < MAILDIR_KEYWORDS; i++)
        if (keywords & UINT32_C(1) << i)
            str_append_byte(text, (char)('a' + i));
}

static void put_email_id(struct str *name, uint64_t id)
{
    char digits[HEX_DIGITS];
    number_put_hex(id, digits, sizeof digits);
    str_append_text(name, ",E=");
    str_append(name, slice_of(digits, sizeof digits));
}

uint64_t maildir_email_id(const struct maildir_name *facts)
{
    return facts->has_email_id ? facts->email_id : hash_add(HASH_START, facts->unique);
}

bool maildir_format_name(struct str *name, const struct maildir_name *facts)
{
    int64_t seconds = 0;
    str_append(name, facts->unique);
    if (facts->has_email_id)
        put_email_id(name, facts->email_id);
    if (facts->has_size)
        put_field(name, 'S', facts->size);
    if (facts->has_crlf_size)
        put_field(name, 'W', facts->crlf_size);
    if (facts->has_date && facts->date >= 0 &&
        !(parse_seconds(facts->unique, &seconds) && seconds == facts->date))
        put_field(name, 'T', (uint64_t)facts->date);
    if (facts->uid > 0)
        put_field(name, 'U', facts->uid);
    if (facts->has_info || facts->flags || facts->keywords)
        str_append_text(name, ":2,");
    maildir_format_flags(name, facts->flags, facts->keywords);
    return !name->failed;
}

static bool is_host_byte(char byte)
{
    return slice_is_letter(byte) || slice_is_digit(byte) || byte == '.' || byte == '-';
}

/* Letters that mean something in a name are left out of the host. */
static void put_host(struct str *unique, const char *host)
{
    struct utsname machine;
    if (!host && uname(&machine) == 0)
        host = machine.nodename;
    struct slice text = slice_part(slice_text(host), 0, HOST_SIZE_MAX);
    str_append_byte(unique, '.');
    for (size_t i = 0; i < text.size; i++)
        str_append_byte(unique, is_host_byte(text.data[i]) ? text.data[i] : '_');
}

bool maildir_series_begin(struct maildir_series *series, int64_t seconds, const char *host)
{
    char digits[HEX_DIGITS];
    struct str text = str_on(series->text, sizeof series->text);
    series->size = 0;
    if (getrandom(&series->number, sizeof series->number, 0) != (ssize_t)sizeof series->number)
        return false;
    str_format(&text, "%lld.M%06uP%ldR", (long long)(seconds > 0 ? seconds : 0),
               (unsigned)(clock_microseconds() % 1000000), (long)getpid());
    series->digits = text.size;
    number_put_hex(series->number, digits, sizeof digits);
    str_append(&text, slice_of(digits, sizeof digits));
    put_host(&text, host);
    if (text.failed)
        return false;
    series->size = text.size;
    return true;
}

struct slice maildir_series_next(struct maildir_series *series)
{
    number_put_hex(series->number++, series->text + series->digits, HEX_DIGITS);
    return slice_of(series->text, series->size);
}

bool maildir_new_unique(struct str *unique, int64_t seconds, const char *host)
{
    struct maildir_series series;
    return maildir_series_begin(&series, seconds, host) &&
           str_append(unique, maildir_series_next(&series));
}

/* The time that the queue put in front of an id; 0 for ids of another form. */
static uint64_t id_microseconds(struct slice id)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint64_t time = 0;
    if (id.size <= ID_TIME_DIGITS)
        return 0;
    for (size_t i = 0; i < ID_TIME_DIGITS; i++) {
        const char *digit = id.data[i] ? strchr(digits, id.data[i]) : NULL;
        if (!digit)
            return 0;
        time = time << 5 | (uint64_t)(digit - digits);
    }
    return time;
}

bool maildir_queue_unique(struct str *unique, const char *id, const char *host)
{
    struct slice text = slice_text(id);
    bool good = text.size > 0 && text.size <= ID_SIZE_MAX;
    for (size_t i = 0; i < text.size && good; i++)
        good = slice_is_letter(text.data[i]) || slice_is_digit(text.data[i]);
    if (!good) {
        errno = EINVAL;
        return false;
    }
    uint64_t time = id_microseconds(text);
    str_format(unique, "%llu.M%06uQ%s", (unsigned long long)(time / 1000000),
               (unsigned)(time % 1000000), id);
    put_host(unique, host);
    return !unique->failed;
}

/* ---- folders -----------------------------------------------------------------------------------
 */

static bool make_folder(int directory, const char *name)
{
    return mkdirat(directory, name, 0700) == 0 || errno == EEXIST;
}

static int open_folder(int directory, const char *path)
{
    return openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Enters `name`, which is made when missing, and closes `directory`. -1 with errno. Its name is synced
 * even when it was there: who made it may have died, or failed, before that. */
static int descend(int directory, const char *name)
{
    int fd = make_folder(directory, name) ? open_folder(directory, name) : -1;
    if (fd >= 0 && !io_sync_folder(directory))
        io_close(&fd);
    io_close(&directory);
    return fd;
}

/* tmp/ comes last: it stands for all that is needed being there, and durable. */
static bool make_parts(int folder)
{
    return make_folder(folder, "new") && make_folder(folder, "cur") && io_sync_folder(folder) &&
           make_folder(folder, "tmp");
}

bool maildir_create(int directory, const char *folder)
{
    struct slice rest = slice_text(folder);
    int fd = open_folder(directory, slice_starts(rest, SLICE("/")) ? "/" : ".");
    while (rest.size > 0 && fd >= 0) {
        char name[NAME_MAX + 1];
        struct slice part = slice_cut(&rest, '/');
        if (part.size == 0 || slice_equal(part, SLICE(".")))
            continue;
        if (slice_copy_text(part, name, sizeof name)) {
            fd = descend(fd, name);
        } else {
            errno = ENAMETOOLONG;
            io_close(&fd);
        }
    }
    bool done = fd >= 0 && make_parts(fd);
    io_close(&fd);
    return done;
}

bool maildir_rename(int from, const char *name, int to, const char *new_name)
{
    if (renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    /* A file system that can't (NFS): a link does not replace either. */
    return linkat(from, name, to, new_name, 0) == 0 && unlinkat(from, name, 0) == 0;
}

static void remove_if_old(int folder, const char *name, time_t now)
{
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
        info.st_mtime < now - TMP_AGE_SECONDS && info.st_ctime < now - TMP_AGE_SECONDS)
        unlinkat(folder, name, 0);
}

void maildir_clean_tmp(int folder)
{
    int fd = open_folder(folder, "tmp");
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        io_close(&fd);
        return;
    }
    time_t now = (time_t)clock_seconds();
    for (struct dirent *entry; (entry = readdir(list));)
        if (entry->d_name[0] != '.')
            remove_if_old(dirfd(list), entry->d_name, now);
    closedir(list);
}

/* ---- delivery ----------------------------------------------------------------------------------
 */

static bool fail(struct maildir_delivery *delivery, int error)
{
    if (delivery->error == 0)
        delivery->error = error;
    return false;
}

static bool start_name(struct maildir_delivery *delivery, const char *id, const char *host)
{
    str_clear(&delivery->name);
    errno = ENOMEM;
    return id ? maildir_queue_unique(&delivery->name, id, host)
              : maildir_new_unique(&delivery->name, clock_seconds(), host);
}

/* Opens the Maildir, which is made when missing. */
static bool enter(struct maildir_delivery *delivery, int directory, const char *path)
{
    delivery->folder = open_folder(directory, path);
    if (delivery->folder < 0 && errno == ENOENT && maildir_create(directory, path))
        delivery->folder = open_folder(directory, path);
    return delivery->folder >= 0;
}

/* From the Maildir. */
static void put_temporary_path(const struct maildir_delivery *delivery,
                               char path[TEMPORARY_PATH_SIZE])
{
    snprintf(path, TEMPORARY_PATH_SIZE, "tmp/%s", delivery->temporary);
}

/* Two deliveries of one id must not share a file, so the name in tmp/ is always a new one. Where tmp/
 * itself is missing, nothing above it is known to be durable either. */
static bool open_temporary(struct maildir_delivery *delivery, int directory, const char *folder)
{
    struct str unique;
    str_init(&unique, sizeof delivery->temporary - 1);
    for (int attempt = 0; attempt < UNIQUE_ATTEMPTS && delivery->fd < 0; attempt++) {
        char path[TEMPORARY_PATH_SIZE];
        str_clear(&unique);
        errno = ENOMEM;
        if (!maildir_new_unique(&unique, clock_seconds(), "") ||
            !slice_copy_text(str_slice(&unique), delivery->temporary, sizeof delivery->temporary))
            break;
        put_temporary_path(delivery, path);
        delivery->fd =
            openat(delivery->folder, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (delivery->fd < 0 && errno == ENOENT && attempt == 0)
            maildir_create(directory, folder);
        else if (delivery->fd < 0 && errno != EEXIST)
            break;
    }
    int error = errno;
    str_free(&unique);
    errno = error;
    return delivery->fd >= 0;
}

bool maildir_begin(struct maildir_delivery *delivery, int directory, const char *path,
                   const char *id, const char *host)
{
    *delivery = (struct maildir_delivery){.folder = -1, .new = -1, .fd = -1};
    str_init(&delivery->name, NAME_SIZE_MAX);
    if (start_name(delivery, id, host) && enter(delivery, directory, path) &&
        open_temporary(delivery, directory, path))
        return true;
    fail(delivery, errno ? errno : EIO);
    maildir_abort(delivery);
    return false;
}

/* How many LF have no CR in front: what the message grows by on its way out. */
static uint64_t count_bare_lf(struct slice bytes, bool last_was_cr)
{
    uint64_t count = 0;
    const char *end = bytes.data + bytes.size;
    for (const char *at = bytes.data; at < end; at++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            break;
        count += !(at > bytes.data ? at[-1] == '\r' : last_was_cr);
    }
    return count;
}

bool maildir_write(struct maildir_delivery *delivery, struct slice bytes)
{
    if (delivery->error != 0 || bytes.size == 0)
        return delivery->error == 0;
    if (!io_write_all(delivery->fd, bytes, CLOCK_NEVER))
        return fail(delivery, errno);
    delivery->size += bytes.size;
    delivery->crlf_size += bytes.size + count_bare_lf(bytes, delivery->last_was_cr);
    delivery->last_was_cr = bytes.data[bytes.size - 1] == '\r';
    return true;
}

bool maildir_copy(struct maildir_delivery *delivery, int from, off_t offset, uint64_t size)
{
    char bytes[COPY_SIZE];
    while (size > 0 && delivery->error == 0) {
        size_t part = size < sizeof bytes ? (size_t)size : sizeof bytes;
        if (!io_pread_all(from, bytes, part, offset))
            return fail(delivery, errno);
        maildir_write(delivery, slice_of(bytes, part));
        offset += (off_t)part;
        size -= part;
    }
    return delivery->error == 0;
}

bool maildir_settle(struct maildir_delivery *delivery)
{
    if (delivery->error == 0 && fsync(delivery->fd) < 0)
        fail(delivery, errno);
    return delivery->error == 0;
}

/* The final name: the unique part, and the sizes now that they are known. */
static bool finish_name(struct maildir_delivery *delivery)
{
    struct str name;
    str_init(&name, NAME_SIZE_MAX);
    struct maildir_name facts = {.unique = str_slice(&delivery->name),
                                 .has_size = true,
                                 .size = delivery->size,
                                 .has_crlf_size = true,
                                 .crlf_size = delivery->crlf_size,
                                 .uid = delivery->uid};
    if (!maildir_format_name(&name, &facts)) {
        str_free(&name);
        return fail(delivery, ENAMETOOLONG);
    }
    str_free(&delivery->name);
    delivery->name = name;
    return true;
}

/* Gives the file its name in new/. A file that has the name already is of the same delivery, which
 * died before it was answered: whether that one reached the disk whole is not known, so this one
 * takes its place. */
static bool move_to_new(struct maildir_delivery *delivery, int new, const char *name)
{
    char path[TEMPORARY_PATH_SIZE];
    put_temporary_path(delivery, path);
    bool done = maildir_rename(delivery->folder, path, new, name);
    if (!done && errno == EEXIST) {
        delivery->repeated = true;
        done = renameat(delivery->folder, path, new, name) == 0;
    }
    if (!done)
        return fail(delivery, errno);
    delivery->temporary[0] = '\0';
    return true;
}

bool maildir_place(struct maildir_delivery *delivery)
{
    if (delivery->error != 0 || !finish_name(delivery))
        return false;
    const char *name = str_text(&delivery->name);
    delivery->new = open_folder(delivery->folder, "new");
    if (delivery->new < 0 || !name)
        return fail(delivery, name ? errno : ENOMEM);
    return move_to_new(delivery, delivery->new, name);
}

void maildir_begin_sync(const struct maildir_delivery *delivery)
{
    /* Trouble shows when it is synced. */
    (void)!sync_file_range(delivery->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

void maildir_await_data(const struct maildir_delivery *delivery)
{
    (void)!sync_file_range(delivery->fd, 0, 0,
                           SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                               SYNC_FILE_RANGE_WAIT_AFTER);
}

enum verdict maildir_commit(struct maildir_delivery *delivery)
{
    bool is_placed = delivery->new >= 0 || maildir_place(delivery);
    if (is_placed && delivery->error == 0 &&
        !io_sync_named_file(delivery->fd, delivery->spares_folder ? -1 : delivery->new)) {
        fail(delivery, errno);
        /* What could not be written may look whole till the next start, and its name may be on disk:
         * it goes for good, since nobody may come with the message again. */
        if (unlinkat(delivery->new, str_text(&delivery->name), 0) == 0)
            (void)!io_sync_folder(delivery->new);
    }
    int error = delivery->error;
    maildir_abort(delivery);
    return verdict_from_errno(error);
}

void maildir_abort(struct maildir_delivery *delivery)
{
    if (delivery->fd >= 0 && delivery->temporary[0] != '\0') {
        char path[TEMPORARY_PATH_SIZE];
        put_temporary_path(delivery, path);
        unlinkat(delivery->folder, path, 0);
    }
    io_close(&delivery->fd);
    io_close(&delivery->new);
    io_close(&delivery->folder);
    str_free(&delivery->name);
}
