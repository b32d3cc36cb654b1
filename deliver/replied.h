/*
 * replied - who was answered when: the file `replied` in an account's folder (replies(5))
 *
 * Lines of a time (seconds since 1970) and a sum of the address, the oldest first. Sums, not
 * addresses: a line has one length whatever strangers call themselves, and nobody's correspondents
 * can be read there when their mail is gone. Two addresses with one sum cost a reply.
 */
#ifndef DELIVER_REPLIED_H
#define DELIVER_REPLIED_H

#include "str.h"

#include <stdint.h>

enum {
    REPLIED_MAX = 4096,         /* entries; the oldest go */
    REPLIED_FILE_MAX = 262144,  /* more than they can be */
    REPLIED_LOCK_WAIT_MS = 500, /* for the worker that has the file */
};

uint64_t replied_sum(struct slice address);

struct replied_answer {
    bool is_first;   /* nobody of that sum within the interval: `fresh` has an entry for it */
    bool is_changed; /* `fresh` differs in what counts: it is to be written */
};
/* Reads a file's text into `fresh`, which is empty: without what is older than the interval or makes
 * no sense, with the times of the future (the clock was set back) as `now`, and with the new entry.
 * Pure. A failed append shows in `fresh`. */
struct replied_answer replied_look(struct slice text, uint64_t sum, int64_t now, uint64_t interval,
                                   struct str *fresh);

enum replied_result {
    REPLIED_FIRST, /* and noted, on disk */
    REPLIED_BEFORE,
    REPLIED_TROUBLE, /* errno says; nothing may be sent */
};
/* The same for the file in `folder` of the current folder, one process at a time. */
enum replied_result replied_note(const char *folder, struct slice address, int64_t now,
                                 uint64_t interval);

#endif
