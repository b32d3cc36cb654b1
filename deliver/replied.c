/* replied - see replied.h */
#include "replied.h"

#include "clock.h"
#include "hash.h"
#include "io.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

enum { SUM_DIGITS = 16, LOCK_POLL_MS = 10 };

static const char file_name[] = "replied", fresh_name[] = ".replied";

uint64_t replied_sum(struct slice address)
{
    uint64_t sum = HASH_START;
    for (size_t i = 0; i < address.size; i++)
        sum = hash_add_byte(sum, (unsigned char)slice_lower(address.data[i]));
    return sum;
}

/* ---- the text -----------------------------------------------------------------------------------
 */

struct entry {
    uint64_t time, sum;
};

static bool read_entry(struct slice line, struct entry *entry)
{
    struct slice time = slice_cut(&line, ' ');
    return line.size == SUM_DIGITS && number_parse(time, INT64_MAX, &entry->time) &&
           number_parse_hex(line, &entry->sum);
}

static void put_entry(const struct entry *entry, struct str *fresh)
{
    char digits[SUM_DIGITS];
    number_put_hex(entry->sum, digits, sizeof digits);
    str_append_number(fresh, entry->time);
    str_append_byte(fresh, ' ');
    str_append(fresh, slice_of(digits, sizeof digits));
    str_append_byte(fresh, '\n');
}

/* Keeps room for one more. */
static void drop_oldest(struct str *fresh, size_t *count)
{
    size_t size = 0;
    for (; *count >= REPLIED_MAX; (*count)--)
        size += slice_find(slice_from(str_slice(fresh), size), '\n') + 1;
    str_remove_front(fresh, size);
}

struct replied_answer replied_look(struct slice text, uint64_t sum, int64_t now, uint64_t interval,
                                   struct str *fresh)
{
    struct replied_answer answer = {.is_first = true};
    const uint64_t today = now < 0 ? 0 : (uint64_t)now;
    struct entry entry;
    size_t count = 0;
    while (text.size > 0) {
        if (!read_entry(slice_cut(&text, '\n'), &entry))
            continue;
        if (entry.time > today) {
            entry.time = today;
            answer.is_changed = true;
        }
        if (today - entry.time >= interval)
            continue;
        answer.is_first = answer.is_first && entry.sum != sum;
        put_entry(&entry, fresh);
        count++;
    }
    if (answer.is_first) {
        drop_oldest(fresh, &count);
        put_entry(&(struct entry){today, sum}, fresh);
        answer.is_changed = true;
    }
    return answer;
}

/* ---- the file -----------------------------------------------------------------------------------
 */

/* Two workers may serve a domain. Who holds the lock writes a small file; a worker that is held up
 * by it for longer serves others instead. */
static bool lock(int folder)
{
    int64_t deadline = clock_deadline(REPLIED_LOCK_WAIT_MS);
    while (flock(folder, LOCK_EX | LOCK_NB) < 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || clock_left(deadline) == 0)
            return false;
        poll(NULL, 0, LOCK_POLL_MS);
    }
    return true;
}

static enum replied_result note_locked(int folder, struct slice address, int64_t now,
                                       uint64_t interval)
{
    struct str text, fresh;
    enum replied_result result = REPLIED_TROUBLE;
    str_init(&text, REPLIED_FILE_MAX);
    str_init(&fresh, REPLIED_FILE_MAX);
    if (io_read_file(folder, file_name, &text) || errno == ENOENT) {
        struct replied_answer answer =
            replied_look(str_slice(&text), replied_sum(address), now, interval, &fresh);
        errno = ENOMEM;
        bool done = !fresh.failed &&
                    (!answer.is_changed || io_replace_locked_file(folder, file_name, fresh_name,
                                                                  str_slice(&fresh), 0600));
        if (done)
            result = answer.is_first ? REPLIED_FIRST : REPLIED_BEFORE;
    }
    str_free(&text);
    str_free(&fresh);
    return result;
}

enum replied_result replied_note(const char *folder, struct slice address, int64_t now,
                                 uint64_t interval)
{
    enum replied_result result = REPLIED_TROUBLE;
    int fd = openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && lock(fd))
        result = note_locked(fd, address, now, interval);
    io_close(&fd);
    return result;
}
