/*
 * rates - how many messages domains and accounts sent and received within a window that slides
 *
 * A counter is a ring of RATES_SLOTS numbers, each for a stretch of a sixteenth of the window (a
 * second at least); what is older is forgotten a stretch at a time. So what was counted counts for
 * its whole window, and less than two stretches longer.
 *
 * A counter is made by the first question that names its window; what is counted without one is
 * nobody's limit and not kept. The table is bounded, the least recently used go first. Pure: the
 * time is an argument. When the clock is set back by less than a window, the newest stretch goes on
 * till the clock is there again; by more, the counter begins anew.
 */
#ifndef AUTHD_RATES_H
#define AUTHD_RATES_H

#include "tally.h"

#include <stdbool.h>

enum {
    RATES_SLOTS = 17, /* sixteen full stretches, and the one that is being filled */
    RATES_MAX = 32768,
    RATES_NAME_MAX = 320,
    RATES_WINDOW_MAX = 30 * 86400,
};

enum rates_kind {
    RATES_SENT,       /* messages of a domain's accounts; the name is "@domain" */
    RATES_RECEIVED,   /* messages to them, a message with many recipients once */
    RATES_MESSAGES,   /* messages of one account */
    RATES_RECIPIENTS, /* recipients of these */
    RATES_MISUSE,     /* the same within a window of its own: is that still the owner? */
    RATES_REJECTED,   /* recipients of ours that it named and that do not exist */
    RATES_KINDS,
};

struct rates {
    struct tally_table table; /* key: kind's letter, name; the counter is its `more` */
    size_t dirty;             /* counters that changed since rates_flush; some may be gone */
};

/* A stretch's number is the time divided by rates_stretch(window). */
struct rates_record {
    enum rates_kind kind;
    struct slice name;
    int64_t window_s;
    uint64_t limit;
    int64_t stretch;
    uint64_t count;
};

/* The kind's name in records and questions. */
const char *rates_kind_name(enum rates_kind kind);
/* False: no such kind. */
bool rates_kind_from(struct slice text, enum rates_kind *kind);
int64_t rates_stretch(int64_t window_s);

/* False without memory. */
bool rates_init(struct rates *rates, uint64_t seed);
void rates_free(struct rates *rates);

/* Is the limit reached, so that the next message would be above it? Makes the counter; one that had
 * another window goes on with what it has. Without memory nothing is. */
bool rates_is_reached(struct rates *rates, enum rates_kind kind, struct slice name,
                      int64_t window_s, uint64_t limit, int64_t now);
/* Counts `count` more, if there is a counter. True: it came to its alarm, which is off then. */
bool rates_add(struct rates *rates, enum rates_kind kind, struct slice name, uint64_t count,
               int64_t now);
/* Where the counter, which must be there, stands below `count`, it is to tell when it comes there; if
 * several were named, at the least of them. False: it is there already. */
bool rates_set_alarm(struct rates *rates, enum rates_kind kind, struct slice name, uint64_t count,
                     int64_t now);
/* The counter begins anew. False: there is none. */
bool rates_restart(struct rates *rates, enum rates_kind kind, struct slice name);
/* What is within the window at `now`; `record` (its stretch is not set). False: no counter. */
bool rates_find(const struct rates *rates, enum rates_kind kind, struct slice name, int64_t now,
                struct rates_record *record);

/* Sets one stretch of a counter, which it makes. False: nonsense, or no memory. */
bool rates_restore(struct rates *rates, const struct rates_record *record);

typedef void rates_each(void *owner, const struct rates_record *record);
/* Calls `each` for every stretch that changed since the last flush. */
void rates_flush(struct rates *rates, rates_each *each, void *owner);
/* Is there anything to flush? */
bool rates_is_dirty(const struct rates *rates);
/* Calls `each` for every stretch that is in its window, least recently used counters first. */
void rates_walk(const struct rates *rates, int64_t now, rates_each *each, void *owner);
/* Forgets the counters, from the least recently used on, that have nothing in their window. */
void rates_tidy(struct rates *rates, int64_t now);

#endif
