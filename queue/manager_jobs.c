/* manager_jobs - what workers are asked, and what their answers mean for a message */
#include "clock.h"
#include "failure.h"
#include "localterms.h"
#include "log.h"
#include "manager.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    LOCAL_JOB_MS = 300000,
    REMOTE_JOB_MS = 7200000, /* a large message over a thin line; remote has its own time limits */
    BOUNCE_JOB_MS = 300000,
    LOCAL_CREW = 2, /* one writes while the other syncs */
};

const struct pool_kind manager_job_kinds[JOB_KINDS] = {
    /* What it is given while it syncs, it writes and syncs together: the more comes, the more share
     * one commit of the file system. */
    [JOB_LOCAL] = {.program = "local",
                   .job = JOB_LOCAL,
                   .is_bound = true,
                   .job_ms = LOCAL_JOB_MS,
                   .depth = POOL_DEPTH_MAX,
                   .crew = LOCAL_CREW},
    [JOB_REMOTE] = {.program = "remote", .job = JOB_REMOTE, .job_ms = REMOTE_JOB_MS, .depth = 1},
    [JOB_BOUNCE] = {.program = "bounce", .job = JOB_BOUNCE, .job_ms = BOUNCE_JOB_MS, .depth = 1},
};

/* ---- asking -------------------------------------------------------------------------------------
 */

static bool prepare_local(struct manager *manager, const struct job *job, struct str *packet,
                          struct str *reason)
{
    struct directory_account account;
    const struct loaded *loaded = job->message->loaded;
    size_t recipient = job->recipients[0];
    manager_look_at_directory(manager, job->message);
    if (directory_address(&manager->directory, loaded->file.recipients[recipient].address,
                          &account) != DIRECTORY_FOUND ||
        !slice_equal(slice_text(account.domain.name), slice_text(job->destination->name))) {
        /* It changed since the attempt was planned; the next one decides. */
        str_append_text(reason, "the account is being changed");
        return false;
    }
    struct str forward, terms;
    str_init(&forward, WIRE_MAX_SIZE);
    str_init(&terms, WIRE_MAX_SIZE);
    bool has_forward = forwarding_put(&manager->forwarding, &account, &loaded->file, recipient,
                                      request_sender(loaded), &forward, reason);
    bool done = has_forward && localterms_put(&manager->forwarding, &account, &loaded->file,
                                              request_sender(loaded), &terms);
    const struct request_delivery delivery = {.mailbox = account.local,
                                              .added = message_added(job->message),
                                              .forward = str_slice(&forward),
                                              .terms = str_slice(&terms),
                                              .is_repeat = job->message->is_repeat,
                                              .spares_folder = manager->spares_folders};
    if (done)
        request_local(packet, loaded, recipient, &delivery);
    else if (has_forward)
        str_append_text(reason, "the account's settings can't be read");
    str_free(&forward);
    str_free(&terms);
    return done;
}

static bool prepare_remote(struct manager *manager, const struct job *job, struct str *packet,
                           struct str *reason)
{
    (void)manager;
    (void)reason;
    request_remote(packet, job->message->loaded, job, message_added(job->message));
    return true;
}

static bool prepare_bounce(struct manager *manager, const struct job *job, struct str *packet,
                           struct str *reason)
{
    struct str failures;
    str_init(&failures, FAILURE_FILE_MAX);
    bool done = failure_read(manager->folders.failure, job->message->id, &failures);
    if (done)
        request_bounce(packet, job->message->loaded, job, str_slice(&failures),
                       manager_expiry(manager, job->message));
    else
        str_append_text(reason, "queue/failure can't be read");
    str_free(&failures);
    return done;
}

static bool prepare_job(void *owner, struct job *job, struct str *packet, int *fd,
                        struct str *reason)
{
    static bool (*const steps[])(struct manager * manager, const struct job *job,
                                 struct str *packet, struct str *reason) = {
        [JOB_LOCAL] = prepare_local,
        [JOB_REMOTE] = prepare_remote,
        [JOB_BOUNCE] = prepare_bounce,
    };
    struct manager *manager = owner;
    if (!manager_load(manager, job->message)) {
        str_append_text(reason, "the queue file can't be read");
        return false;
    }
    /* The file may have changed behind our back; then the indexes mean nothing. */
    for (size_t i = 0; i < job->count; i++)
        if (job->recipients[i] >= job->message->loaded->file.recipient_count) {
            str_append_text(reason, "the queue file was changed");
            return false;
        }
    if (job->destination->kind != JOB_BOUNCE && !manager_is_scanned(manager, job->message)) {
        str_append_text(reason, "it waited so long that it is scanned again");
        return false;
    }
    *fd = job->message->loaded->fd;
    return steps[job->destination->kind](manager, job, packet, reason);
}

/* ---- answers ------------------------------------------------------------------------------------
 */

/* Of one answer: what becomes of which recipient. */
struct tally {
    struct outcome failures[JOB_RECIPIENTS_MAX];
    uint16_t failed[JOB_RECIPIENTS_MAX];
    uint16_t done[JOB_RECIPIENTS_MAX];
    char statuses[JOB_RECIPIENTS_MAX]; /* of those that are done: enum queuefile_status */
    struct str successes;              /* lines for queue/failure: what is to be said of them */
    size_t failed_count, done_count, deferred_count;
    bool is_unreachable; /* every one was deferred because of the connection */
    bool may_be_placed;  /* one was deferred that may be in its mailbox */
    char reason[REQUEST_STATUS_MAX + REQUEST_TEXT_MAX + 1]; /* of the last that was deferred */
};

static void read_outcome(const struct job *job, const struct wire_message *answer,
                         struct slice reason, size_t index, struct outcome *outcome)
{
    if (!answer)
        request_set_outcome(outcome, VERDICT_TEMP, "4.3.0", reason);
    else if (job->destination->kind == JOB_LOCAL)
        request_local_outcome(answer, slice_text(job->destination->name), outcome);
    else
        request_outcome(answer, index, job->count, outcome);
}

static void log_outcome(const struct job *job, const char *event, uint16_t recipient,
                        const struct outcome *outcome)
{
    struct slice address = job->message->loaded
                               ? job->message->loaded->file.recipients[recipient].address
                               : SLICE("?");
    manager_log_recipient(job->message, event, address, job->destination, outcome, job->started_ms);
}

/* Too old to be tried again: the last reason becomes the final one. */
static void expire(const struct manager *manager, const struct message *message,
                   struct outcome *outcome)
{
    struct outcome last = *outcome;
    if (outcome->verdict != VERDICT_TEMP || !message->loaded ||
        !manager_is_expired(manager, message))
        return;
    request_set_outcome(outcome, VERDICT_PERM, "5.4.7", slice_text(last.text));
    memcpy(outcome->server, last.server, sizeof outcome->server);
}

/* The host or the DNS did not answer; one that broke off (4.4.2) may mind this message alone. */
static bool is_no_connection(const struct outcome *outcome)
{
    struct slice status = slice_text(outcome->status);
    return outcome->verdict == VERDICT_TEMP &&
           (slice_equal(status, SLICE("4.4.1")) || slice_equal(status, SLICE("4.4.3")));
}

/* local places a message before it forwards it, and syncs it after it got its name: of what it is asked to do
 * again the first half may be done. Not where the mailbox has no room, or just went (4.2). */
static bool may_be_placed(const struct job *job, const struct outcome *outcome)
{
    return job->destination->kind == JOB_LOCAL &&
           !slice_starts(slice_text(outcome->status), SLICE("4.2."));
}

/* RFC 3461 5.2: where our responsibility ends, success is reported to those who asked for it. */
static char success_status(const struct job *job, uint16_t recipient, const struct outcome *outcome)
{
    const struct loaded *loaded = job->message->loaded;
    if (!loaded || outcome->is_passed_on || request_sender(loaded).size == 0 ||
        !dsn_wants_success(loaded->file.recipients[recipient].notify))
        return QUEUEFILE_DONE;
    return job->destination->kind == JOB_LOCAL ? QUEUEFILE_DELIVERED : QUEUEFILE_RELAYED;
}

static void count_success(const struct job *job, struct tally *tally, uint16_t recipient,
                          const struct outcome *outcome)
{
    char status = success_status(job, recipient, outcome);
    if (status != QUEUEFILE_DONE)
        manager_put_failure(job->message, recipient, outcome, &tally->successes);
    tally->statuses[tally->done_count] = status;
    tally->done[tally->done_count++] = recipient;
}

static void count_outcome(struct manager *manager, const struct job *job, struct tally *tally,
                          uint16_t recipient, struct outcome *outcome)
{
    tally->is_unreachable = tally->is_unreachable && is_no_connection(outcome);
    expire(manager, job->message, outcome);
    switch (outcome->verdict) {
    case VERDICT_OK:
        count_success(job, tally, recipient, outcome);
        log_outcome(job, "delivered", recipient, outcome);
        break;
    case VERDICT_TEMP:
        tally->deferred_count++;
        tally->may_be_placed = tally->may_be_placed || may_be_placed(job, outcome);
        snprintf(tally->reason, sizeof tally->reason, "%s %s", outcome->status, outcome->text);
        manager_note_reason(manager, job->message, recipient, outcome);
        log_outcome(job, "deferred", recipient, outcome);
        break;
    case VERDICT_PERM:
        tally->failures[tally->failed_count] = *outcome;
        tally->failed[tally->failed_count++] = recipient;
        log_outcome(job, "failed", recipient, outcome);
        break;
    }
}

static void take_tally(struct manager *manager, const struct job *job,
                       const struct wire_message *answer, struct slice reason, struct tally *tally)
{
    tally->failed_count = tally->done_count = tally->deferred_count = 0;
    tally->reason[0] = '\0';
    tally->is_unreachable = answer != NULL;
    tally->may_be_placed = false;
    for (size_t i = 0; i < job->count && i < JOB_RECIPIENTS_MAX; i++) {
        struct outcome outcome;
        read_outcome(job, answer, reason, i, &outcome);
        if (outcome.full[0])
            overfull_note(&manager->overfull, slice_text(outcome.full), outcome.cause);
        count_outcome(manager, job, tally, job->recipients[i], &outcome);
    }
    manager->delivered += tally->done_count;
    manager->deferred += tally->deferred_count;
    manager->failed += tally->failed_count;
}

/* Does the file stay? Then the status bytes must be on disk; else it goes away in a moment. */
static bool is_anything_left(const struct job *job, const struct tally *tally)
{
    const struct loaded *loaded = job->message->loaded;
    size_t left = loaded->file.recipient_count - loaded_count(loaded, QUEUEFILE_DONE);
    return left > tally->done_count || tally->successes.size > 0;
}

/* A local delivery that is repeated after a power cut is seen by its file name, so its status byte
 * is synced when the message rests (manager.c), and needs none when the file goes away in a moment.
 * Another server sees no repeat: a remote delivery is on disk before anything else happens, unless
 * the operator takes the risk (sync-relayed). */
static void mark_done(const struct manager *manager, struct job *job, const struct tally *tally)
{
    struct message *message = job->message;
    if (tally->done_count == 0 || !message->loaded)
        return;
    bool is_remote = job->destination->kind != JOB_LOCAL;
    bool is_kept = (is_remote && !manager->is_relay_lax) || is_anything_left(job, tally);
    bool done = true;
    for (size_t i = 0; i < tally->done_count; i++) {
        enum queuefile_status status = (enum queuefile_status)tally->statuses[i];
        if (is_kept)
            done = loaded_set_status(message->loaded, tally->done[i], status) && done;
        else
            message->loaded->file.recipients[tally->done[i]].status = (char)status;
    }
    if (is_remote && is_kept)
        done = loaded_sync(message->loaded) && done;
    if (!done)
        log_trouble("mark as delivered", message->id, errno,
                    "look at the queue's disk; it may be sent twice after a restart");
}

/* What reports of success will say. Behind the status byte: without these words a report is
 * poorer, with a byte too old a delivery would be repeated. */
static void note_successes(struct manager *manager, struct message *message,
                           const struct tally *tally)
{
    if (tally->successes.size == 0)
        return;
    message->has_failures = true;
    if (tally->successes.failed ||
        !failure_append(manager->folders.failure, message->id, str_slice(&tally->successes)))
        log_trouble("write", "queue/failure", errno, "make room on the queue's disk");
}

/* The destination is down: those that wait for it wait till their own next attempt, so that a dead
 * host's jobs take nobody's turn. */
static void defer_waiting(struct manager *manager, struct destination *destination)
{
    struct log_line line;
    log_begin(&line, "unreachable");
    log_text(&line, "destination", destination->name);
    log_number(&line, "failures", destination->failures);
    log_number(&line, "waiting", (int64_t)destination->waiting);
    log_number(&line, "seconds", (destination->dead_until - clock_ms()) / 1000);
    log_end(&line);
    struct job *job;
    while ((job = job_take_any(destination))) {
        struct message *message = job->message;
        manager->deferred += job->count;
        manager_set_retry(manager, message);
        job_free(job);
        if (message->running == 0)
            manager_settle(manager, message);
    }
}

static void note_reachability(struct manager *manager, struct destination *destination,
                              const struct tally *tally)
{
    if (destination->kind != JOB_REMOTE)
        return;
    if (!tally->is_unreachable) {
        destination_worked(destination);
        destination_widen(destination, (unsigned)manager->limits.destination);
        return;
    }
    destination_failed(destination, clock_ms());
    destination_set_reason(destination, slice_text(tally->reason));
    if (destination_is_dead(destination, clock_ms()))
        defer_waiting(manager, destination);
}

static size_t count_unknown(const struct tally *tally)
{
    size_t count = 0;
    for (size_t i = 0; i < tally->failed_count; i++)
        count += forwarding_is_unknown(tally->failures[i].status);
    return count;
}

static void end_delivery(struct manager *manager, struct job *job,
                         const struct wire_message *answer, struct slice reason)
{
    struct tally tally;
    struct message *message = job->message;
    struct destination *destination = job->destination;
    str_init(&tally.successes, FAILURE_LINE_MAX * JOB_RECIPIENTS_MAX);
    take_tally(manager, job, answer, reason, &tally);
    mark_done(manager, job, &tally);
    note_successes(manager, message, &tally);
    bool is_noted = tally.failed_count == 0 || manager_fail(manager, message, tally.failed,
                                                            tally.failures, tally.failed_count);
    if (destination->kind == JOB_REMOTE)
        forwarding_count_rejected(&manager->forwarding, &message->loaded->file,
                                  count_unknown(&tally));
    job_free(job);
    str_free(&tally.successes);
    message->is_fresh = message->is_fresh && tally.deferred_count == 0;
    /* A worker that died may have done it. */
    message->is_repeat = message->is_repeat || tally.may_be_placed || !answer;
    if (!is_noted || (tally.deferred_count > 0 && !answer))
        manager_set_retry_soon(manager, message);
    else if (tally.deferred_count > 0)
        manager_set_retry(manager, message);
    if (answer) {
        message->running++; /* not settled, and so not gone, before we say so */
        note_reachability(manager, destination, &tally);
        message->running--;
    }
    manager_settle(manager, message);
}

static void log_report(const struct job *job, const char *event, const struct outcome *outcome)
{
    static const char *const kinds[] = {"failed", "success", "delayed"};
    struct log_line line;
    log_begin(&line, event);
    log_text(&line, "id", job->message->id);
    log_text(&line, "report", kinds[job->report]);
    if (job->message->loaded)
        log_value(&line, "sender", job->message->loaded->file.sender);
    log_number(&line, "recipients", (int64_t)job->count);
    log_text(&line, "status", outcome->status);
    log_text(&line, "text", outcome->text);
    log_end(&line);
}

/* A report went out, or never will: its recipients are finished, or were warned. */
static void finish_report(const struct manager *manager, struct job *job)
{
    struct tally tally = {.done_count = job->count};
    for (size_t i = 0; i < job->count; i++) {
        tally.done[i] = job->recipients[i];
        tally.statuses[i] = job->report == JOB_REPORT_DELAYED ? QUEUEFILE_WARNED : QUEUEFILE_DONE;
    }
    mark_done(manager, job, &tally);
}

static void end_report(struct manager *manager, struct job *job, const struct wire_message *answer,
                       struct slice reason)
{
    struct outcome outcome;
    struct message *message = job->message;
    if (answer)
        request_outcome(answer, 0, 1, &outcome);
    else
        request_set_outcome(&outcome, VERDICT_TEMP, "4.3.0", reason);
    switch (outcome.verdict) {
    case VERDICT_OK:
        log_report(job, "bounced", &outcome);
        finish_report(manager, job);
        break;
    case VERDICT_PERM:
        log_report(job, "bounce-lost", &outcome);
        finish_report(manager, job);
        break;
    case VERDICT_TEMP:
        log_report(job, "bounce-deferred", &outcome);
        message->report_waits = true;
        manager_set_retry_soon(manager, message);
        break;
    }
    job_free(job);
    manager_settle(manager, message);
}

static void end_job(void *owner, struct job *job, const struct wire_message *answer,
                    struct slice reason)
{
    if (job->destination->kind == JOB_BOUNCE)
        end_report(owner, job, answer, reason);
    else
        end_delivery(owner, job, answer, reason);
}

const struct pool_hooks manager_job_hooks = {.prepare = prepare_job, .done = end_job};
