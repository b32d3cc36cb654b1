/* reporttable - see reporttable.h */
#include "reporttable.h"

#include "hash.h"
#include "io.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY_SECONDS = 86400 };

static void forget(struct reporttable *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->entries[i].key);
    table->count = 0;
    table->lost = 0;
    table->is_dirty = false;
}

static bool add_key(struct reporttable *table, struct slice key, uint64_t count)
{
    uint64_t hash = hash_add(HASH_START, key);
    for (size_t i = 0; i < table->count; i++) {
        struct reporttable_entry *entry = &table->entries[i];
        if (entry->hash == hash && slice_equal(slice_text(entry->key), key)) {
            entry->count += count;
            return true;
        }
    }
    if (!table->entries || table->count == TLSREPORT_LINES_MAX)
        return false;
    char *kept = strndup(key.data, key.size);
    if (!kept)
        return false;
    table->entries[table->count++] =
        (struct reporttable_entry){.count = count, .hash = hash, .key = kept};
    return true;
}

/* Only lines that parse come back: the rest of a line behind its count is the key. */
static void read_file(struct reporttable *table)
{
    struct str content;
    str_init(&content, TLSREPORT_FILE_MAX);
    if (io_read_file(table->folder, table->date, &content)) {
        struct slice rest = str_slice(&content);
        while (rest.size > 0) {
            struct tlsreport_line line;
            struct slice text = slice_cut(&rest, '\n');
            if (!tlsreport_parse(text, &line))
                continue;
            slice_cut(&text, '\t');
            (void)add_key(table, text, line.count);
        }
    }
    str_free(&content);
}

void reporttable_open(struct reporttable *table, int folder, int64_t now)
{
    *table = (struct reporttable){.folder = folder,
                                  .entries = calloc(TLSREPORT_LINES_MAX, sizeof *table->entries)};
    tlsreport_date(now, table->date);
    read_file(table);
}

static void turn_day(struct reporttable *table, int64_t now)
{
    char date[TLSREPORT_DATE_SIZE];
    tlsreport_date(now, date);
    if (strcmp(date, table->date) == 0)
        return;
    (void)reporttable_flush(table);
    forget(table);
    memcpy(table->date, date, sizeof date);
    read_file(table);
}

bool reporttable_add(struct reporttable *table, const struct tlsreport_line *line, int64_t now)
{
    struct str key;
    turn_day(table, now);
    str_init(&key, TLSREPORT_KEY_MAX);
    bool done = tlsreport_put_key(&key, line) && add_key(table, str_slice(&key), 1);
    str_free(&key);
    if (done)
        table->is_dirty = true;
    else
        table->lost++;
    return done;
}

bool reporttable_flush(struct reporttable *table)
{
    struct str content;
    if (!table->is_dirty)
        return true;
    str_init(&content, TLSREPORT_FILE_MAX);
    for (size_t i = 0; i < table->count; i++) {
        str_append_number(&content, table->entries[i].count);
        str_append_byte(&content, '\t');
        str_append_text(&content, table->entries[i].key);
        str_append_byte(&content, '\n');
    }
    bool done = !content.failed && io_replace_file(table->folder, table->date, str_slice(&content),
                                                   0600, (uid_t)-1, (gid_t)-1);
    str_free(&content);
    if (done)
        table->is_dirty = false;
    return done;
}

void reporttable_sweep(int folder, int64_t now)
{
    char oldest[TLSREPORT_DATE_SIZE];
    tlsreport_date(now - (int64_t)REPORTTABLE_DAYS * DAY_SECONDS, oldest);
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *open = copy < 0 ? NULL : fdopendir(copy);
    if (!open) {
        io_close(&copy);
        return;
    }
    for (struct dirent *file = readdir(open); file; file = readdir(open))
        if (tlsreport_is_date(slice_text(file->d_name)) && strcmp(file->d_name, oldest) < 0)
            (void)unlinkat(folder, file->d_name, 0);
    closedir(open);
}

void reporttable_free(struct reporttable *table)
{
    forget(table);
    free(table->entries);
    table->entries = NULL;
}
