/*
 * scanlog - which messages that wait were found clean, kept over a restart
 *
 * A journal (common/journal.h) in queue/scanned: id, a check of the file, when it was scanned, and the
 * header lines that the scanner wants added. Nothing in it is synced: what is lost is scanned again.
 * A message counts as clean by it only as long as a scan holds (scan-lifetime), and if its file is
 * the one that was scanned.
 */
#ifndef QUEUE_SCANLOG_H
#define QUEUE_SCANLOG_H

#include "journal.h"

enum { SCANLOG_LINES_MAX = 1024 }; /* longer ones are not kept */

struct scanlog_entry {
    struct slice id;
    uint32_t check;  /* of scanlog_check */
    int64_t scanned; /* seconds since 1970 */
    struct slice lines;
};

struct scanlog {
    struct journal journal;
    struct str pending; /* lines that are not written yet */
    bool is_open;
};

/* Says of a file whether it is the same: by inode and size of the message. */
uint32_t scanlog_check(uint64_t inode, uint64_t size);

/* One entry as a record; pure. False: its lines are too long. */
bool scanlog_format(struct str *record, const struct scanlog_entry *entry);
bool scanlog_parse(struct slice record, struct scanlog_entry *entry);

typedef bool scanlog_apply(void *owner, const struct scanlog_entry *entry);
/* Opens the journal in `folder` and gives each entry to `apply`. False with errno: nothing is kept. */
bool scanlog_open(struct scanlog *log, int folder, scanlog_apply *apply, void *owner);
void scanlog_close(struct scanlog *log);
/* Notes an entry; false when it can't be kept. */
bool scanlog_add(struct scanlog *log, const struct scanlog_entry *entry);
/* Writes what was noted, in one go. False with errno. */
bool scanlog_flush(struct scanlog *log);
/* Is most of it about messages that are gone? Then `lines`, of scanlog_put, take its place. */
bool scanlog_is_stale(const struct scanlog *log);
void scanlog_put(struct str *lines, const struct scanlog_entry *entry);
bool scanlog_replace(struct scanlog *log, struct slice lines);

#endif
