/*
 * manager - the life of every message in the queue: scan, route, deliver, try again, report, remove
 *
 *     announced -> scanned -> attempt: jobs for each destination -> all done: removed
 *                   |                     |  passing trouble: the timer, another attempt
 *                   |                     |  permanent: noted, reported to the sender
 *                   |- infected: removed  `- too old: as permanent
 *                   `- failed: waits, scanned again
 *
 * Whatever happens, the files tell all that matters: killed at any moment and started again, the
 * manager goes on. What it holds in memory is who has to be asked next.
 */
#ifndef QUEUE_MANAGER_H
#define QUEUE_MANAGER_H

#include "directory.h"
#include "forwarding.h"
#include "overfull.h"
#include "pool.h"
#include "request.h"
#include "scanlog.h"
#include "scanner.h"

struct manager_folders {
    int message, failure, hold, broken, scanned;
};

struct manager_limits {
    uint64_t scan, local, remote, destination;
    uint64_t scan_lifetime, lifetime, bounce_lifetime, delay_warning, retry_min, retry_max;
};

struct manager {
    struct loop *loop;
    struct manager_folders folders;
    struct message_table messages;
    struct destination_table destinations;
    struct tenant_table tenants;
    struct scanner scanner;
    struct scanlog scanlog;
    struct spawner spawner;
    struct overfull overfull;
    struct pool pools[JOB_KINDS];
    struct directory directory;
    struct forwarding forwarding;
    int64_t looked_at; /* when its files were looked at, in microseconds since 1970 */
    struct cdbfile routes;
    struct manager_limits limits;
    bool spares_folders; /* the setting sync-folders is off */
    bool is_relay_lax;   /* marks of what was relayed are not synced where the file goes away */
    struct message_lines *last_lines, *last_reason; /* for sharing */
    struct message_list resting; /* loaded, and to be closed unless a worker takes their jobs */
    struct loop_timer rest;
    struct message_list due; /* their time has come */
    struct loop_timer attempts;
    struct loop_timer housekeeping;
    enum loaded_result last_result; /* why the last message could not be opened */
    unsigned rounds;                /* of housekeeping */
    bool has_begun;
    uint64_t delivered, deferred, failed; /* recipients since the start */
};

/* Opens (and makes, where missing) the folders below queue/. False with errno. */
bool manager_open_folders(struct manager_folders *folders);

void manager_init(struct manager *manager, struct loop *loop,
                  const struct manager_folders *folders);
void manager_free(struct manager *manager);

/* A message is in queue/message. One that is known already is left alone. */
void manager_add(struct manager *manager, struct slice id, bool is_fresh);
/* All that was there at the start was added. What was found clean in an earlier life is tried in the
 * next minutes, the rest is scanned; no file is opened before that. */
void manager_begin(struct manager *manager);
/* No new work from now on. */
void manager_stop(struct manager *manager);
bool manager_is_busy(const struct manager *manager);

/* An operator's wishes. False: no such message. */
bool manager_flush(struct manager *manager, struct slice id);
void manager_flush_all(struct manager *manager);
bool manager_hold(struct manager *manager, struct slice id);
bool manager_release(struct manager *manager, struct slice id);
bool manager_delete(struct manager *manager, struct slice id);
/* Anew: released if it is held, scanned and routed again, and tried. */
bool manager_requeue(struct manager *manager, struct slice id);
/* What the file does not say, as fields of queuectl/1's answer to "show". */
bool manager_show(const struct manager *manager, struct slice id, struct str *packet);
void manager_status(const struct manager *manager, struct str *text);
/* Room was made somewhere: who is full is looked at in a moment. */
void manager_measure(struct manager *manager);

/* ---- between the manager's own files ---- */

/* Does the last scan hold, or is scanning off? It must be loaded. */
bool manager_is_scanned(const struct manager *manager, const struct message *message);
/* Opens the message unless it is; false: last_result says why. */
bool manager_load(struct manager *manager, struct message *message);
/* Decides what comes next; the message may be gone afterwards. */
void manager_settle(struct manager *manager, struct message *message);
/* The next attempt comes when its time has come, by age; or soon, after trouble of our own. */
void manager_set_retry(struct manager *manager, struct message *message);
void manager_set_retry_soon(struct manager *manager, struct message *message);
/* When the message is given up, in seconds since 1970. It is loaded. */
int64_t manager_expiry(const struct manager *manager, const struct message *message);
/* Keeps in mind why the recipient was deferred. */
void manager_note_reason(struct manager *manager, struct message *message, uint16_t recipient,
                         const struct outcome *outcome);
/* Will somebody be told that this recipient failed? */
bool manager_owes_failure(const struct message *message, uint16_t recipient);
/* Puts what is to be reported of the recipient into lines for queue/failure. */
void manager_put_failure(const struct message *message, uint16_t recipient,
                         const struct outcome *outcome, struct str *lines);
/* Notes why `count` recipients failed and marks them; they stay to do if that can't be written. */
bool manager_fail(struct manager *manager, struct message *message, const uint16_t recipients[],
                  const struct outcome outcomes[], size_t count);
bool manager_is_expired(const struct manager *manager, const struct message *message);
/* Before the directory is asked for a message. */
void manager_look_at_directory(struct manager *manager, const struct message *message);
/* Puts jobs in line for the recipients that have none. manager_attempt.c */
void manager_attempt(struct manager *manager, struct message *message);
/* The hooks of the pools. manager_jobs.c */
extern const struct pool_hooks manager_job_hooks;
extern const struct pool_kind manager_job_kinds[JOB_KINDS];

/* One line of the log about one recipient. `event` is delivered, deferred or failed. */
void manager_log_recipient(const struct message *message, const char *event, struct slice recipient,
                           const struct destination *destination, const struct outcome *outcome,
                           int64_t started_ms);

#endif
