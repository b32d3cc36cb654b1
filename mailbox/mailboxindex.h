/*
 * mailboxindex - the file mailbox-index: the list of a folder as fixed records, and a log behind them
 *
 *     struct mailbox_index_header     what stands where, totals, the state; page 0
 *     struct mailbox_message ...      `count`, in order of UID; page 1 and on
 *     stems of names                  from a page's beginning; a byte of length, the bytes
 *     struct mailbox_vanished ...     what was removed
 *     log                             records, each a struct mailbox_index_entry and what it is about
 *
 * Everything in front of the log is written once, to a new file that then takes the old one's place.
 * The log is appended to, under mailbox-lock, one write a time; the last record of a write is the
 * state. Who reads needs no lock: a record whose sum is not right is not there yet. A file that was
 * replaced is read to its end first; then the new one goes on where it ended, if its generation is
 * the next one.
 *
 * Byte order and sizes are the machine's: an index that was carried elsewhere is not one (magic).
 */
#ifndef MAILBOX_MAILBOXINDEX_H
#define MAILBOX_MAILBOXINDEX_H

#include "mailbox.h"

#define MAILBOX_INDEX_NAME  "mailbox-index"
#define MAILBOX_INDEX_MAGIC UINT64_C(0x3130787869616d01) /* its bytes tell the byte order */

enum {
    MAILBOX_INDEX_PAGE = 4096,
    MAILBOX_INDEX_VERSION = 2,
    MAILBOX_INDEX_VANISHED_MAX = 4096, /* ranges that are kept when the index is written anew */
};

struct mailbox_index_header {
    uint64_t magic;
    uint32_t version, header_size, message_size, state_size;
    uint64_t index_id; /* the same through all generations */
    uint64_t generation;
    uint32_t uidvalidity, count;
    uint64_t names_at, names_size;
    uint64_t vanished_at, vanished_count;
    uint64_t log_at;
    uint64_t first_unseen;
    struct mailbox_totals totals;
    struct mailbox_state state;
    uint64_t mailbox_id; /* of the folder: two accounts' may have one UIDVALIDITY */
    uint64_t
        body_sum; /* of all between header and log; looked at once after a start of the machine */
    uint64_t sum; /* of the header in front of this */
};

enum mailbox_index_kind {
    MAILBOX_INDEX_MESSAGE =
        1,                /* new, or all of a known one: struct mailbox_message, stem, padding */
    MAILBOX_INDEX_FLAGS,  /* struct mailbox_index_flags ... */
    MAILBOX_INDEX_GONE,   /* struct mailbox_index_range ... */
    MAILBOX_INDEX_CACHED, /* struct mailbox_index_cached ... */
    MAILBOX_INDEX_STATE,  /* struct mailbox_state */
};

struct mailbox_index_entry {
    uint32_t size; /* with this; a multiple of 8 */
    uint32_t kind;
    uint64_t modseq;
    uint64_t sum; /* of the whole with 0 in this place, begun with the generation */
};

struct mailbox_index_flags {
    uint32_t uid;
    uint32_t keywords, name_keywords;
    uint8_t flags, name_flags;
    uint8_t in_new, spare;
};

struct mailbox_index_range {
    uint32_t first, last;
};

struct mailbox_index_cached {
    uint64_t place;
    uint32_t uid, spare;
};

/* What a sum begins with. */
uint64_t mailbox_index_seed(uint64_t index_id, uint64_t generation);
uint64_t mailbox_index_sum(uint64_t seed, const struct mailbox_index_entry *entry);

#endif
