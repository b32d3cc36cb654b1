/*
 * message - what the queue manager keeps in memory of each message
 *
 * Small, since there may be a hundred thousand: recipients and text stay on disk and are read again
 * (loaded.h) when something is done.
 */
#ifndef QUEUE_MESSAGE_H
#define QUEUE_MESSAGE_H

#include "loaded.h"
#include "loop.h"

enum message_state {
    MESSAGE_FOUND,     /* at the start: nothing was done with it yet */
    MESSAGE_UNSCANNED, /* in one list at a time: scanner's, resting, due */
    MESSAGE_SCANNING,
    MESSAGE_SCAN_LATER, /* a scan failed: the timer says when the next is due */
    MESSAGE_READY,      /* scanned: it has jobs, or a timer for the next attempt */
};

/* What an operator asked for while something was running: done when that has ended. */
enum message_wish { MESSAGE_GOES_ON, MESSAGE_TO_HOLD, MESSAGE_TO_DELETE };

/* Text that messages share which got the same: header lines of the scanner, reasons. */
struct message_lines {
    unsigned users;
    size_t size;
    char text[];
};

/* Why recipients were deferred last time: "4.4.1 can't connect". Not of more than
 * MESSAGE_REASONS_MAX of them, and only till a restart. */
enum { MESSAGE_REASONS_MAX = 64 };
struct message_reasons {
    size_t count, capacity;
    struct message_reason {
        struct message_lines *text;
        uint16_t recipient;
    } of[];
};

struct job;
struct tenant;

struct message {
    char id[QUEUEFILE_ID_SIZE + 1];
    unsigned char state; /* enum message_state */
    unsigned char wish;  /* enum message_wish */
    bool is_fresh;       /* announced while we run, and not tried yet: goes first */
    bool has_failures;   /* queue/failure/ID may be there */
    bool report_waits;   /* a report could not be sent: not before the timer */
    bool is_due;         /* in the manager's list of those to be tried */
    bool is_repeat;      /* a local delivery may have been made before */
    bool is_resting;     /* in the manager's list of those to be closed */
    bool is_scan_kept;   /* in the scanlog */
    bool is_scan_old;    /* from there: not compared with the file yet */
    unsigned short attempts;
    unsigned short scan_failures;
    unsigned short running; /* jobs that a worker has */
    uint32_t scan_check;    /* of scanlog.h */
    int64_t scanned;        /* when it was found clean, in seconds since 1970; 0: it was not */
    struct job *jobs;       /* all of them, waiting or running */
    int64_t arrived;        /* 0: not read yet */
    int64_t started_ms;     /* of what is running: scan */
    struct loaded *loaded;  /* while something is done */
    struct tenant *tenant;  /* for whom it is in the queue; NULL: not read yet */
    struct message_lines *lines;
    struct message_reasons *reasons;
    struct loop_timer timer;
    struct message *next_in_table;
    struct message *next, *previous; /* in one list at a time: scanner's, resting, due */
};

/* All messages, found by id. */
struct message_table {
    struct message **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
};

void message_table_init(struct message_table *table);
/* Frees the messages too. */
void message_table_free(struct message_table *table);
struct message *message_table_find(const struct message_table *table, struct slice id);
/* NULL without memory. The id must not be there yet. */
struct message *message_table_add(struct message_table *table, struct slice id);
/* Takes it out and frees it. */
void message_table_remove(struct message_table *table, struct message *message);
/* The messages one after the other: NULL starts, NULL ends. Nothing may change meanwhile. */
struct message *message_table_next(const struct message_table *table,
                                   const struct message *message);

/* A first-in first-out list by `next` and `previous`. */
struct message_list {
    struct message *first, *last;
    size_t count;
};
void message_list_append(struct message_list *list, struct message *message);
void message_list_prepend(struct message_list *list, struct message *message);
void message_list_remove(struct message_list *list, struct message *message);

/* Gives `message` these lines; `last` are the ones given before, which are shared when equal. */
bool message_set_lines(struct message *message, struct slice lines, struct message_lines **last);
struct slice message_added(const struct message *message);
void message_lines_free(struct message_lines **lines);
/* `text` with one user more: the last one when it is the same. NULL without memory. */
struct message_lines *message_lines_share(struct slice text, struct message_lines **last);

/* Notes why the recipient was deferred; `last` as above. Without memory nothing is noted. */
void message_set_reason(struct message *message, uint16_t recipient, struct slice text,
                        struct message_lines **last);
/* Empty: none is known. */
struct slice message_reason(const struct message *message, uint16_t recipient);

#endif
