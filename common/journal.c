/* journal - see journal.h */
#include "journal.h"

#include "clock.h"
#include "encode.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

enum { CRC_DIGITS = 8, CRC_BYTES = 4, JOURNAL_LINE_MAX = CRC_DIGITS + 1 + JOURNAL_RECORD_MAX + 1 };

/* CRC-32 as of IEEE 802.3, four bits at a time: counters are written every second. */
static uint32_t crc32_of(struct slice bytes)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= (unsigned char)bytes.data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static void put_crc(struct str *lines, struct slice record)
{
    uint32_t crc = crc32_of(record);
    unsigned char bytes[CRC_BYTES];
    for (int i = 0; i < CRC_BYTES; i++)
        bytes[i] = (unsigned char)(crc >> (24 - 8 * i));
    encode_hex(slice_of(bytes, sizeof bytes), lines);
}

void journal_put_line(struct str *lines, struct slice record)
{
    put_crc(lines, record);
    str_append_byte(lines, ' ');
    str_append(lines, record);
    str_append_byte(lines, '\n');
}

int journal_cut_line(struct slice *rest, struct slice *record)
{
    size_t end = slice_find(*rest, '\n');
    struct slice line = slice_part(*rest, 0, end);
    if (end == rest->size)
        return -1;
    *rest = slice_from(*rest, end + 1);
    *record = slice_from(line, CRC_DIGITS + 1);
    if (line.size <= CRC_DIGITS + 1 || line.data[CRC_DIGITS] != ' ' ||
        record->size > JOURNAL_RECORD_MAX)
        return 0;
    struct str expected;
    str_init(&expected, CRC_DIGITS);
    put_crc(&expected, *record);
    bool same = slice_equal(str_slice(&expected), slice_part(line, 0, CRC_DIGITS));
    str_free(&expected);
    return same ? 1 : 0;
}

/* Gives the records to `apply`; returns the size up to the last good line. */
static size_t replay_lines(struct slice content, journal_apply *apply, void *owner,
                           struct journal_replay *replay)
{
    struct slice rest = content;
    size_t good_size = 0;
    size_t bad_run = 0;
    for (;;) {
        struct slice record;
        int kind = rest.size > 0 ? journal_cut_line(&rest, &record) : -1;
        if (kind < 0)
            break;
        if (kind == 0) {
            bad_run++;
            continue;
        }
        /* Bad lines that good ones follow are damage; those at the end are a torn tail. */
        replay->damaged += bad_run;
        bad_run = 0;
        replay->records++;
        if (!apply(owner, record))
            replay->refused++;
        good_size = content.size - rest.size;
    }
    replay->cut_size = content.size - good_size;
    return good_size;
}

static bool keep_damaged(const struct journal *journal)
{
    char name[NAME_MAX + 1];
    int size = snprintf(name, sizeof name, "%s.damaged", journal->name);
    if (size < 0 || (size_t)size >= sizeof name)
        return false;
    if (unlinkat(journal->folder, name, 0) < 0 && errno != ENOENT)
        return false;
    return linkat(journal->folder, journal->name, journal->folder, name, 0) == 0;
}

static bool open_append(struct journal *journal)
{
    journal->fd = openat(journal->folder, journal->name,
                         O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return journal->fd >= 0;
}

bool journal_open(struct journal *journal, int folder, const char *name, journal_apply *apply,
                  void *owner, struct journal_replay *replay)
{
    struct str content;
    *journal = (struct journal){
        .folder = folder, .name = name, .fd = -1, .compact_at = JOURNAL_COMPACT_LEAST};
    *replay = (struct journal_replay){0};
    str_init(&content, JOURNAL_FILE_MAX);
    bool done = io_read_file(folder, name, &content) || errno == ENOENT;
    if (done) {
        journal->size = (off_t)replay_lines(str_slice(&content), apply, owner, replay);
        done = (replay->damaged == 0 || keep_damaged(journal)) && open_append(journal) &&
               (replay->cut_size == 0 || ftruncate(journal->fd, journal->size) == 0);
    }
    if (replay->damaged > 0)
        journal->compact_at = 0;
    int error = errno;
    str_free(&content);
    errno = error;
    if (!done)
        journal_close(journal);
    return done;
}

void journal_close(struct journal *journal)
{
    io_close(&journal->fd);
}

bool journal_append_lines(struct journal *journal, struct slice lines)
{
    if (lines.size == 0)
        return true;
    if (io_write_all(journal->fd, lines, CLOCK_NEVER)) {
        journal->size += (off_t)lines.size;
        journal->unsynced = true;
        return true;
    }
    int error = errno;
    if (ftruncate(journal->fd, journal->size) < 0) {
        /* Half a line stays; the next replay skips it as damaged. */
        error = errno;
    }
    errno = error;
    return false;
}

bool journal_append(struct journal *journal, struct slice record)
{
    struct str line;
    str_init(&line, JOURNAL_LINE_MAX);
    journal_put_line(&line, record);
    bool fits = !line.failed && record.size <= JOURNAL_RECORD_MAX;
    bool done = fits && journal_append_lines(journal, str_slice(&line));
    int error = fits ? errno : EINVAL;
    str_free(&line);
    errno = error;
    return done;
}

bool journal_sync(struct journal *journal)
{
    if (journal->unsynced && fdatasync(journal->fd) < 0)
        return false;
    journal->unsynced = false;
    return true;
}

bool journal_wants_compaction(const struct journal *journal)
{
    return journal->size >= journal->compact_at;
}

bool journal_replace(struct journal *journal, struct slice lines)
{
    /* Should this fail, not at once again. */
    journal->compact_at = journal->size + JOURNAL_COMPACT_LEAST;
    if (!io_replace_file(journal->folder, journal->name, lines, 0600, (uid_t)-1, (gid_t)-1))
        return false;
    io_close(&journal->fd);
    if (!open_append(journal))
        return false;
    journal->size = (off_t)lines.size;
    journal->unsynced = false;
    off_t twice = journal->size * 2;
    journal->compact_at = twice > JOURNAL_COMPACT_LEAST ? twice : JOURNAL_COMPACT_LEAST;
    return true;
}
