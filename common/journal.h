/*
 * journal - records on disk: appended, checksummed, now and then written anew
 *
 * A line is 8 hex digits of CRC-32 of the record, a space, the record, LF. A crash can tear the
 * last line only; the tail that does not check out is cut. A bad line further up (a bad disk, an
 * editor) is skipped, counted, and the file kept beside as NAME.damaged.
 *
 * An append is one write: a killed process loses nothing that was appended, a power cut what came
 * after the last journal_sync.
 */
#ifndef COMMON_JOURNAL_H
#define COMMON_JOURNAL_H

#include "str.h"

#include <sys/types.h>

enum {
    JOURNAL_RECORD_MAX = 2048,
    JOURNAL_FILE_MAX = 256 * 1024 * 1024,
    JOURNAL_COMPACT_LEAST = 1024 * 1024, /* a smaller file is not worth the work */
};

struct journal {
    int folder; /* not owned */
    const char *name;
    int fd;
    off_t size;       /* of whole lines */
    off_t compact_at; /* size from which journal_wants_compaction */
    bool unsynced;
};

/* What a replay met. */
struct journal_replay {
    size_t records;
    size_t damaged;  /* lines that were skipped */
    size_t refused;  /* records that `apply` returned false for */
    size_t cut_size; /* bytes of a torn tail */
};

typedef bool journal_apply(void *owner, struct slice record);

/* Opens (makes) the file and gives each record to `apply`. False with errno. */
bool journal_open(struct journal *journal, int folder, const char *name, journal_apply *apply,
                  void *owner, struct journal_replay *replay);
void journal_close(struct journal *journal);

/* False with errno (the disk is full): the file is as it was. */
bool journal_append(struct journal *journal, struct slice record);
/* The same for lines made by journal_put_line, in one write. None: nothing is done. */
bool journal_append_lines(struct journal *journal, struct slice lines);
/* Makes sure that what was appended is on disk. */
bool journal_sync(struct journal *journal);

bool journal_wants_compaction(const struct journal *journal);
/* Replaces the file by `lines` (made by journal_put_line) in one step. False with errno: the old
 * file goes on. */
bool journal_replace(struct journal *journal, struct slice lines);
void journal_put_line(struct str *lines, struct slice record);

/* Cuts the first line off *rest. 1: `record` is good; 0: it is not; -1: a tail without LF. */
int journal_cut_line(struct slice *rest, struct slice *record);

#endif
