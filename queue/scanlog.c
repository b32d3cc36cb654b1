/* scanlog - see scanlog.h */
#include "scanlog.h"

#include "hash.h"
#include "number.h"
#include "queuefile.h"
#include "wire.h"

#define NAME "journal"

enum { PENDING_MAX = 1048576, FIELDS = 4 };

uint32_t scanlog_check(uint64_t inode, uint64_t size)
{
    const uint64_t numbers[] = {inode, size};
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (unsigned shift = 0; shift < 64; shift += 8)
            hash = hash_add_byte(hash, (unsigned char)(numbers[i] >> shift & 0xff));
    return (uint32_t)hash_fold(hash);
}

bool scanlog_format(struct str *record, const struct scanlog_entry *entry)
{
    if (entry->lines.size > SCANLOG_LINES_MAX || entry->scanned < 0)
        return false;
    /* A record of the journal has no line ends: those of the header lines become NUL. */
    char lines[SCANLOG_LINES_MAX];
    size_t size = 0;
    for (size_t i = 0; i < entry->lines.size; i++)
        if (entry->lines.data[i] != '\r')
            lines[size++] = entry->lines.data[i] == '\n' ? '\0' : entry->lines.data[i];
    wire_put(record, entry->id);
    wire_put_number(record, entry->check);
    wire_put_number(record, (uint64_t)entry->scanned);
    wire_put(record, slice_of(lines, size));
    return !record->failed;
}

bool scanlog_parse(struct slice record, struct scanlog_entry *entry)
{
    struct slice fields[FIELDS];
    size_t count;
    uint64_t check, scanned;
    if (!wire_split(record, fields, FIELDS, &count) || count != FIELDS ||
        !queuefile_is_id(fields[0]) || !number_parse(fields[1], UINT32_MAX, &check) ||
        !number_parse(fields[2], INT64_MAX, &scanned) || fields[3].size > SCANLOG_LINES_MAX)
        return false;
    *entry = (struct scanlog_entry){
        .id = fields[0], .check = (uint32_t)check, .scanned = (int64_t)scanned, .lines = fields[3]};
    return true;
}

struct replay {
    scanlog_apply *apply;
    void *owner;
    struct str lines;
};

static bool apply_record(void *owner, struct slice record)
{
    struct replay *replay = owner;
    struct scanlog_entry entry;
    if (!scanlog_parse(record, &entry))
        return false;
    str_clear(&replay->lines);
    for (size_t i = 0; i < entry.lines.size; i++)
        if (entry.lines.data[i] == '\0')
            str_append_text(&replay->lines, "\r\n");
        else
            str_append_byte(&replay->lines, entry.lines.data[i]);
    entry.lines = str_slice(&replay->lines);
    return !replay->lines.failed && replay->apply(replay->owner, &entry);
}

bool scanlog_open(struct scanlog *log, int folder, scanlog_apply *apply, void *owner)
{
    struct journal_replay found;
    struct replay replay = {.apply = apply, .owner = owner};
    str_init(&log->pending, PENDING_MAX);
    str_init(&replay.lines, 2 * SCANLOG_LINES_MAX);
    log->is_open = journal_open(&log->journal, folder, NAME, apply_record, &replay, &found);
    str_free(&replay.lines);
    return log->is_open;
}

void scanlog_close(struct scanlog *log)
{
    if (log->is_open)
        journal_close(&log->journal);
    log->is_open = false;
    str_free(&log->pending);
}

void scanlog_put(struct str *lines, const struct scanlog_entry *entry)
{
    struct str record;
    str_init(&record, JOURNAL_RECORD_MAX);
    if (scanlog_format(&record, entry))
        journal_put_line(lines, str_slice(&record));
    str_free(&record);
}

bool scanlog_add(struct scanlog *log, const struct scanlog_entry *entry)
{
    if (!log->is_open)
        return false;
    size_t before = log->pending.size;
    scanlog_put(&log->pending, entry);
    return log->pending.size > before;
}

bool scanlog_flush(struct scanlog *log)
{
    bool done = !log->is_open || log->pending.size == 0 ||
                journal_append_lines(&log->journal, str_slice(&log->pending));
    str_clear(&log->pending);
    return done;
}

bool scanlog_is_stale(const struct scanlog *log)
{
    return log->is_open && journal_wants_compaction(&log->journal);
}

bool scanlog_replace(struct scanlog *log, struct slice lines)
{
    return journal_replace(&log->journal, lines);
}
