/* manager - see manager.h */
#include "manager.h"

#include "admission.h"
#include "clock.h"
#include "failure.h"
#include "io.h"
#include "log.h"
#include "schedule.h"
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HOUSEKEEPING_MS = 5000,
    LOCAL_PER_DOMAIN = 32, /* deliveries into one domain at a time: two workers have their fill */
    LOCAL_IDLE_MORE = 40,  /* workers that may rest beside those that are busy */
    BOUNCE_CONCURRENCY = 2,
    READ_AGAIN_MS = 60000, /* a queue file that can't be read now */
    SWEEP_ROUNDS = 12,
    RESTING_MAX = 1000,
    LOOKED_AT_US = 1000000,
    BEGIN_STEP_MS = 2, /* between the first attempts of what waited already at the start */
    DUE_PER_ROUND = 50,
};

/* ---- files --------------------------------------------------------------------------------------
 */

static int open_folder(const char *path)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool manager_open_folders(struct manager_folders *folders)
{
    folders->message = open_folder("queue/message");
    folders->failure = open_folder("queue/failure");
    folders->hold = open_folder("queue/hold");
    folders->broken = open_folder("queue/broken");
    folders->scanned = open_folder("queue/scanned");
    return folders->message >= 0 && folders->failure >= 0 && folders->hold >= 0 &&
           folders->broken >= 0 && folders->scanned >= 0;
}

/* What an earlier life found clean counts for the same file alone. */
static void check_scan(struct message *message)
{
    uint32_t check = scanlog_check(message->loaded->inode, message->loaded->file.size);
    if (message->is_scan_old && message->scan_check != check)
        message->scanned = 0;
    message->is_scan_old = false;
    message->scan_check = check;
}

bool manager_is_scanned(const struct manager *manager, const struct message *message)
{
    int64_t age = clock_seconds() - message->scanned;
    return manager->scanner.is_off || (message->scanned > 0 && !message->is_scan_old &&
                                       age < (int64_t)manager->limits.scan_lifetime);
}

bool manager_load(struct manager *manager, struct message *message)
{
    if (message->loaded)
        return true;
    manager->last_result = loaded_open(manager->folders.message, message->id, &message->loaded);
    if (manager->last_result != LOADED_OK || !message->loaded)
        return false;
    message->arrived = message->loaded->file.arrived;
    if (!message->tenant)
        message->tenant = tenant_get(&manager->tenants, tenant_name(&message->loaded->file));
    check_scan(message);
    return true;
}

/* ---- messages that end --------------------------------------------------------------------------
 */

static void resting_remove(struct manager *manager, struct message *message)
{
    if (message->is_resting)
        message_list_remove(&manager->resting, message);
    message->is_resting = false;
}

static void due_remove(struct manager *manager, struct message *message)
{
    if (message->is_due)
        message_list_remove(&manager->due, message);
    message->is_due = false;
}

/* Nothing of it runs. */
static void forget(struct manager *manager, struct message *message)
{
    while (message->jobs) {
        struct destination *destination = message->jobs->destination;
        job_free(message->jobs);
        pool_forget(&manager->pools[destination->kind], destination);
    }
    if (message->state == MESSAGE_UNSCANNED)
        scanner_forget(&manager->scanner, message);
    resting_remove(manager, message);
    due_remove(manager, message);
    loop_clear_timer(manager->loop, &message->timer);
    message_table_remove(&manager->messages, message);
}

static void log_message(const char *event, const struct message *message, const char *key,
                        const char *value)
{
    struct log_line line;
    log_begin(&line, event);
    log_text(&line, "id", message->id);
    if (key)
        log_text(&line, key, value);
    log_end(&line);
}

static void remove_message(struct manager *manager, struct message *message, const char *cause)
{
    /* The message first: a failure file without one is cleaned away at the start. */
    bool is_removed = unlinkat(manager->folders.message, message->id, 0) == 0 || errno == ENOENT;
    if (!is_removed) {
        log_trouble("remove", message->id, errno, "look at queue/message; it will be sent again");
    } else if (message->has_failures && unlinkat(manager->folders.failure, message->id, 0) < 0 &&
               errno != ENOENT) {
        log_trouble("remove failures of", message->id, errno, "look at queue/failure");
    }
    /* What was done says a line for each recipient. */
    if (cause)
        log_message("removed", message, "cause", cause);
    forget(manager, message);
}

static void move_message(struct manager *manager, struct message *message, int folder,
                         const char *event, const char *cause)
{
    if (!transfer_file(manager->folders.message, message->id, folder))
        log_trouble(event, message->id, errno, "look at queue/ and its owner");
    else
        log_message(event, message, "cause", cause);
    forget(manager, message);
}

static void timer_due(struct loop_timer *timer);

static void set_timer(struct manager *manager, struct message *message, int64_t wait_ms)
{
    if (!loop_set_timer(manager->loop, &message->timer, clock_deadline(wait_ms), timer_due,
                        manager))
        log_trouble("set a timer for", message->id, errno, "mailctl queue flush");
}

/* After manager_load failed. Nothing of it runs. */
static void cannot_load(struct manager *manager, struct message *message)
{
    switch (manager->last_result) {
    case LOADED_OK:
    case LOADED_TROUBLE:
        log_trouble("read", message->id, errno, "look at queue/message; it is tried again");
        set_timer(manager, message, READ_AGAIN_MS);
        break;
    case LOADED_GONE:
        log_message("gone", message, "cause", "somebody removed its file");
        forget(manager, message);
        break;
    case LOADED_BROKEN:
        move_message(manager, message, manager->folders.broken, "broken",
                     "not a whole queue file; see queue/broken");
        break;
    }
}

/* ---- what comes next ----------------------------------------------------------------------------
 */

static int64_t lifetime_of(const struct manager *manager, const struct message *message)
{
    bool is_report = message->loaded && request_sender(message->loaded).size == 0;
    return (int64_t)(is_report ? manager->limits.bounce_lifetime : manager->limits.lifetime);
}

int64_t manager_expiry(const struct manager *manager, const struct message *message)
{
    return message->arrived + lifetime_of(manager, message);
}

/* Who is asked again and again within one moment whether the directory changed has only system calls
 * from it. A message is planned by a directory that was looked at after its recipients were accepted. */
void manager_look_at_directory(struct manager *manager, const struct message *message)
{
    int64_t now = clock_microseconds();
    int64_t accepted = queuefile_id_time(slice_text(message->id));
    if (manager->looked_at > accepted && manager->looked_at <= now &&
        now - manager->looked_at < LOOKED_AT_US)
        return;
    manager->looked_at = now;
    directory_hold(&manager->directory);
}

bool manager_is_expired(const struct manager *manager, const struct message *message)
{
    return schedule_is_expired(message->arrived, clock_seconds(), lifetime_of(manager, message));
}

static void set_retry(struct manager *manager, struct message *message, int64_t seconds)
{
    if (message->timer.position == 0 && !message->is_due)
        set_timer(manager, message, seconds * 1000);
}

void manager_set_retry(struct manager *manager, struct message *message)
{
    const struct schedule schedule = {.least = (int64_t)manager->limits.retry_min,
                                      .most = (int64_t)manager->limits.retry_max,
                                      .lifetime = lifetime_of(manager, message),
                                      .warning = (int64_t)manager->limits.delay_warning};
    set_retry(manager, message, schedule_wait(&schedule, message->arrived, clock_seconds()));
}

void manager_set_retry_soon(struct manager *manager, struct message *message)
{
    set_retry(manager, message, schedule_wait_soon(message->attempts));
}

/* It goes on waiting: a restart shall not have it scanned again. */
static void keep_scan(struct manager *manager, struct message *message)
{
    const struct scanlog_entry entry = {.id = slice_text(message->id),
                                        .check = message->scan_check,
                                        .scanned = message->scanned,
                                        .lines = message_added(message)};
    if (message->state == MESSAGE_READY && message->scanned > 0 && !message->is_scan_kept)
        message->is_scan_kept = scanlog_add(&manager->scanlog, &entry);
}

static void close_loaded(struct manager *manager, struct message *message)
{
    resting_remove(manager, message);
    keep_scan(manager, message);
    if (!loaded_sync(message->loaded))
        log_trouble("sync", message->id, errno, "look at the queue's disk");
    loaded_close(&message->loaded);
}

/* Closes what is loaded and not in use now that the workers had their chance. Some of those that
 * wait for a worker stay open, since it will be soon; not a hundred thousand. */
static void rest_due(struct loop_timer *timer)
{
    struct manager *manager = timer->owner;
    struct message *next;
    for (struct message *message = manager->resting.first; message; message = next) {
        next = message->next;
        if (message->running > 0 || !message->loaded)
            resting_remove(manager, message);
        else if (!message->jobs || manager->resting.count > RESTING_MAX)
            close_loaded(manager, message);
    }
    if (!scanlog_flush(&manager->scanlog))
        log_trouble("write", "queue/scanned/journal", errno,
                    "look at the queue's disk; after a restart mail is scanned again");
}

static void rest(struct manager *manager, struct message *message)
{
    if (message->is_resting || message->is_due || !message->loaded)
        return;
    message->is_resting = true;
    message_list_append(&manager->resting, message);
    if (manager->rest.position == 0)
        loop_set_timer(manager->loop, &manager->rest, 1, rest_due, manager);
}

static void apply_wish(struct manager *manager, struct message *message)
{
    if (message->wish == MESSAGE_TO_HOLD)
        move_message(manager, message, manager->folders.hold, "held", "by the operator");
    else
        remove_message(manager, message, "deleted by the operator");
}

/* A report that fails about a report: to nobody. */
static void drop_failures(struct manager *manager, struct message *message)
{
    (void)manager;
    struct loaded *loaded = message->loaded;
    log_message("bounce-dropped", message, "cause", "a report about a report can't be delivered");
    for (size_t i = 0; i < loaded->file.recipient_count; i++)
        if (loaded->file.recipients[i].status == QUEUEFILE_FAILED &&
            !loaded_set_status(loaded, i, QUEUEFILE_DONE))
            log_trouble("mark", message->id, errno, "look at the queue's disk");
}

/* ---- reports ------------------------------------------------------------------------------------
 */

typedef bool is_wanted(const struct queuefile_recipient *recipient);

static bool is_failed(const struct queuefile_recipient *recipient)
{
    return recipient->status == QUEUEFILE_FAILED;
}

static bool is_success(const struct queuefile_recipient *recipient)
{
    return queuefile_is_success(recipient->status);
}

static bool is_to_be_warned(const struct queuefile_recipient *recipient)
{
    return recipient->status == QUEUEFILE_TODO && dsn_wants_delay(recipient->notify);
}

/* By enum job_report, in the order in which they go out. */
static is_wanted *const report_wants[] = {
    [JOB_REPORT_FAILED] = is_failed,
    [JOB_REPORT_SUCCESS] = is_success,
    [JOB_REPORT_DELAYED] = is_to_be_warned,
};
enum { REPORTS = sizeof report_wants / sizeof *report_wants };

/* Is it time to warn of a delay? Reports have nobody to be warned. */
static bool is_late(const struct manager *manager, const struct message *message)
{
    int64_t warning = (int64_t)manager->limits.delay_warning;
    return warning > 0 && request_sender(message->loaded).size > 0 &&
           clock_seconds() - message->arrived >= warning && !manager_is_expired(manager, message);
}

/* The recipients of the next report, of which REPORTS means none. */
static enum job_report find_report(const struct manager *manager, const struct message *message,
                                   uint16_t recipients[REQUEST_BOUNCE_MAX], size_t *count)
{
    const struct queuefile *file = &message->loaded->file;
    unsigned reports = is_late(manager, message) ? REPORTS : JOB_REPORT_DELAYED;
    for (unsigned report = 0; report < reports; report++) {
        *count = 0;
        for (size_t i = 0; i < file->recipient_count && *count < REQUEST_BOUNCE_MAX; i++)
            if (report_wants[report](&file->recipients[i]))
                recipients[(*count)++] = (uint16_t)i;
        if (*count > 0)
            return (enum job_report)report;
    }
    return (enum job_report)REPORTS;
}

/* False: nothing is to be reported now. */
static bool start_report(struct manager *manager, struct message *message)
{
    uint16_t recipients[REQUEST_BOUNCE_MAX];
    size_t count;
    enum job_report report = find_report(manager, message, recipients, &count);
    if (message->report_waits || report == (enum job_report)REPORTS)
        return false;
    struct destination *destination =
        destination_get(&manager->destinations, JOB_BOUNCE, SLICE("bounce"));
    struct job *job = destination ? job_new(message, destination, recipients, count) : NULL;
    if (!job)
        return false;
    job->report = (unsigned char)report;
    pool_wake(&manager->pools[JOB_BOUNCE], destination);
    return true;
}

static bool is_double(const struct message *message)
{
    return slice_equal(message->loaded->file.sender, SLICE(ADMISSION_DOUBLE_SENDER));
}

static bool is_finished(const struct message *message)
{
    const struct loaded *loaded = message->loaded;
    return loaded_count(loaded, QUEUEFILE_DONE) == loaded->file.recipient_count;
}

/* No job is left. */
static void settle_idle(struct manager *manager, struct message *message)
{
    if (message->loaded && loaded_count(message->loaded, QUEUEFILE_FAILED) > 0 &&
        is_double(message))
        drop_failures(manager, message);
    if (!message->loaded) /* it could not be opened: the timer decides */
        manager_set_retry_soon(manager, message);
    else if (is_finished(message))
        remove_message(manager, message, NULL);
    else if (!start_report(manager, message))
        manager_set_retry(manager, message);
}

void manager_settle(struct manager *manager, struct message *message)
{
    char id[sizeof message->id];
    memcpy(id, message->id, sizeof id);
    if (message->wish != MESSAGE_GOES_ON && message->running == 0) {
        apply_wish(manager, message);
        return;
    }
    if (!message->jobs)
        settle_idle(manager, message);
    message = message_table_find(&manager->messages, slice_text(id));
    if (message && message->running == 0)
        rest(manager, message);
}

void manager_note_reason(struct manager *manager, struct message *message, uint16_t recipient,
                         const struct outcome *outcome)
{
    char text[REQUEST_STATUS_MAX + REQUEST_TEXT_MAX + 1];
    snprintf(text, sizeof text, "%s %s", outcome->status, outcome->text);
    message_set_reason(message, recipient, slice_text(text), &manager->last_reason);
}

bool manager_owes_failure(const struct message *message, uint16_t recipient)
{
    return dsn_wants_failure(message->loaded->file.recipients[recipient].notify);
}

void manager_put_failure(const struct message *message, uint16_t recipient,
                         const struct outcome *outcome, struct str *lines)
{
    struct failure failure = {.recipient = message->loaded->file.recipients[recipient].address,
                              .status = slice_text(outcome->status),
                              .text = slice_text(outcome->text),
                              .server = slice_text(outcome->server)};
    failure_format(lines, &failure);
}

/* Those of whom nobody wants to hear are done; no reason is written for them. */
static bool mark_failed(struct loaded *loaded, uint16_t recipient)
{
    bool is_owed = dsn_wants_failure(loaded->file.recipients[recipient].notify);
    return loaded_set_status(loaded, recipient, is_owed ? QUEUEFILE_FAILED : QUEUEFILE_DONE);
}

bool manager_fail(struct manager *manager, struct message *message, const uint16_t recipients[],
                  const struct outcome outcomes[], size_t count)
{
    struct str lines;
    struct loaded *loaded = message->loaded;
    str_init(&lines, FAILURE_FILE_MAX);
    for (size_t i = 0; i < count; i++)
        if (manager_owes_failure(message, recipients[i]))
            manager_put_failure(message, recipients[i], &outcomes[i], &lines);
    bool done =
        !lines.failed && (lines.size == 0 ||
                          failure_append(manager->folders.failure, message->id, str_slice(&lines)));
    if (!done)
        log_trouble("write", "queue/failure", errno, "make room on the queue's disk");
    message->has_failures = message->has_failures || lines.size > 0;
    for (size_t i = 0; i < count && done; i++)
        done = mark_failed(loaded, recipients[i]);
    done = done && loaded_sync(loaded);
    str_free(&lines);
    return done;
}

/* All recipients that are still to do, for one reason. */
static void fail_all(struct manager *manager, struct message *message, const char *status,
                     struct slice text)
{
    const struct queuefile *file = &message->loaded->file;
    for (size_t i = 0; i < file->recipient_count; i++) {
        struct outcome outcome;
        uint16_t index = (uint16_t)i;
        if (!queuefile_is_todo(file->recipients[i].status))
            continue;
        request_set_outcome(&outcome, VERDICT_PERM, status, text);
        if (!manager_fail(manager, message, &index, &outcome, 1))
            break;
        manager->failed++;
        manager_log_recipient(message, "failed", file->recipients[i].address, NULL, &outcome,
                              message->started_ms);
    }
}

void manager_log_recipient(const struct message *message, const char *event, struct slice recipient,
                           const struct destination *destination, const struct outcome *outcome,
                           int64_t started_ms)
{
    static const char *const kinds[] = {"local", "remote", "bounce"};
    struct log_line line;
    char seconds[32];
    int64_t ms = clock_ms() - started_ms;
    snprintf(seconds, sizeof seconds, "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000));
    log_begin(&line, event);
    log_text(&line, "id", message->id);
    log_value(&line, "recipient", recipient);
    if (destination) {
        log_text(&line, "by", kinds[destination->kind]);
        log_text(&line, "to", destination->name);
    }
    log_number(&line, "attempt", message->attempts);
    log_text(&line, "status", outcome->status);
    log_text(&line, "text", outcome->text);
    log_text(&line, "seconds", seconds);
    log_end_later(&line); /* of several answers at once */
}

/* ---- scanning -----------------------------------------------------------------------------------
 */

static bool prepare_scan(void *owner, struct message *message, int *fd, uint64_t *start,
                         uint64_t *size)
{
    struct manager *manager = owner;
    if (!manager_load(manager, message))
        return false;
    *fd = message->loaded->fd;
    *start = (uint64_t)message->loaded->file.start;
    *size = message->loaded->file.size;
    return true;
}

static void log_scan(const struct message *message, const char *verdict, struct slice text)
{
    struct log_line line;
    log_begin(&line, "scanned");
    log_text(&line, "id", message->id);
    log_text(&line, "verdict", verdict);
    if (text.size > 0)
        log_value(&line, "text", text);
    log_number(&line, "ms", clock_ms() - message->started_ms);
    log_end(&line);
}

static void scan_clean(struct manager *manager, struct message *message, struct slice text)
{
    if (text.size > REQUEST_ADDED_MAX || !message_set_lines(message, text, &manager->last_lines)) {
        log_trouble("keep the scanner's lines for", message->id, 0, NULL);
        message->state = MESSAGE_SCAN_LATER;
        set_timer(manager, message, READ_AGAIN_MS);
        rest(manager, message);
        return;
    }
    log_scan(message, "clean", SLICE(""));
    message->state = MESSAGE_READY;
    message->scanned = clock_seconds();
    message->is_scan_kept = false;
    manager_attempt(manager, message);
}

static void scan_infected(struct manager *manager, struct message *message, struct slice text)
{
    const struct queuefile *file = &message->loaded->file;
    for (size_t i = 0; i < file->recipient_count; i++) {
        struct log_line line;
        log_begin(&line, "infected");
        log_text(&line, "id", message->id);
        log_value(&line, "name", text);
        log_value(&line, "sender", file->sender);
        log_value(&line, "recipient", file->recipients[i].address);
        log_value(&line, "origin", file->origin);
        log_end(&line);
    }
    remove_message(manager, message, "infected");
}

static void scan_refused(struct manager *manager, struct message *message, struct slice text)
{
    log_scan(message, "refused", text);
    message->state = MESSAGE_READY;
    fail_all(manager, message, "5.7.1", text);
    manager_settle(manager, message);
}

static void scan_failed(struct manager *manager, struct message *message, struct slice text)
{
    log_scan(message, "failed", text);
    if (manager_is_expired(manager, message)) {
        message->state = MESSAGE_READY;
        fail_all(manager, message, "5.4.7", SLICE("the message could not be scanned in time"));
        manager_settle(manager, message);
        return;
    }
    message->state = MESSAGE_SCAN_LATER;
    if (message->scan_failures < UINT16_MAX)
        message->scan_failures++;
    set_timer(manager, message, schedule_scan_wait(message->scan_failures) * 1000);
    rest(manager, message);
}

/* It is not noted as scanned: when scanning is on again, it will be, unless it is delivered. */
static void scan_skipped(struct manager *manager, struct message *message, struct slice text)
{
    (void)text;
    message->state = MESSAGE_READY;
    manager_attempt(manager, message);
}

static void end_scan(void *owner, struct message *message, enum scanner_result result,
                     struct slice text)
{
    static void (*const steps[])(struct manager * manager, struct message * message,
                                 struct slice text) = {
        [SCANNER_CLEAN] = scan_clean,     [SCANNER_INFECTED] = scan_infected,
        [SCANNER_REFUSED] = scan_refused, [SCANNER_FAILED] = scan_failed,
        [SCANNER_SKIPPED] = scan_skipped,
    };
    struct manager *manager = owner;
    message->state = MESSAGE_SCAN_LATER;
    if (message->wish != MESSAGE_GOES_ON)
        apply_wish(manager, message);
    else if (result == SCANNER_DROPPED)
        cannot_load(manager, message);
    else
        steps[result](manager, message, text);
}

static const struct scanner_hooks scanner_hooks = {.prepare = prepare_scan, .done = end_scan};

/* A scan holds for a time; a message that waits longer meets newer signatures. */
static void attempt_or_scan(struct manager *manager, struct message *message)
{
    if (message->jobs || manager_is_scanned(manager, message))
        manager_attempt(manager, message);
    else
        scanner_add(&manager->scanner, message);
}

/* Some of those whose time has come; the rest in the next rounds, so that a hundred thousand of them
 * (a flush, a host that was down) hold up nobody. */
static void attempt_due(struct loop_timer *timer)
{
    struct manager *manager = timer->owner;
    for (size_t i = 0; i < DUE_PER_ROUND && manager->due.first; i++) {
        struct message *message = manager->due.first;
        due_remove(manager, message);
        if (manager_load(manager, message))
            attempt_or_scan(manager, message);
        else if (message->running == 0)
            cannot_load(manager, message);
    }
    if (manager->due.first)
        loop_set_timer(manager->loop, timer, clock_deadline(1), attempt_due, manager);
}

static void timer_due(struct loop_timer *timer)
{
    struct manager *manager = timer->owner;
    struct message *message =
        (struct message *)(void *)((char *)timer - offsetof(struct message, timer));
    resting_remove(manager, message);
    message->is_fresh = false;
    message->report_waits = false;
    if (message->state == MESSAGE_SCAN_LATER) {
        scanner_add(&manager->scanner, message);
        return;
    }
    message->is_due = true;
    message_list_append(&manager->due, message);
    if (manager->attempts.position == 0)
        loop_set_timer(manager->loop, &manager->attempts, 0, attempt_due, manager);
}

/* For whom it is, says its file; the scanner will want that open, unless a lot are in line. */
static void look_at(struct manager *manager, struct message *message)
{
    if (manager_load(manager, message) && manager->scanner.fresh_count >= RESTING_MAX)
        loaded_close(&message->loaded);
}

void manager_add(struct manager *manager, struct slice id, bool is_fresh)
{
    if (!queuefile_is_id(id)) {
        struct log_line line;
        log_begin(&line, "ignored");
        log_value(&line, "file", id);
        log_text(&line, "cause", "not a queue id");
        log_end(&line);
        return;
    }
    if (message_table_find(&manager->messages, id))
        return;
    struct message *message = message_table_add(&manager->messages, id);
    if (!message) {
        log_trouble("remember", "a message", ENOMEM, "it is found again at the next start");
        return;
    }
    message->arrived = queuefile_id_time(id) / 1000000;
    message->is_fresh = is_fresh;
    message->has_failures = message->is_repeat = !is_fresh;
    message->state = MESSAGE_FOUND;
    if (is_fresh)
        look_at(manager, message);
    if (is_fresh || manager->has_begun)
        scanner_add(&manager->scanner, message);
}

static bool apply_scan(void *owner, const struct scanlog_entry *entry)
{
    struct manager *manager = owner;
    struct message *message = message_table_find(&manager->messages, entry->id);
    int64_t age = clock_seconds() - entry->scanned;
    if (!message || message->state != MESSAGE_FOUND || age < 0 ||
        age >= (int64_t)manager->limits.scan_lifetime ||
        !message_set_lines(message, entry->lines, &manager->last_lines))
        return true;
    message->scan_check = entry->check;
    message->scanned = entry->scanned;
    message->is_scan_kept = message->is_scan_old = true;
    return true;
}

void manager_begin(struct manager *manager)
{
    int64_t wait_ms = 0;
    if (!scanlog_open(&manager->scanlog, manager->folders.scanned, apply_scan, manager))
        log_trouble("open", "queue/scanned/journal", errno, "all mail that waits is scanned again");
    for (struct message *one = message_table_next(&manager->messages, NULL); one;
         one = message_table_next(&manager->messages, one)) {
        if (one->state != MESSAGE_FOUND)
            continue;
        if (one->scanned > 0) {
            one->state = MESSAGE_READY;
            set_timer(manager, one, wait_ms);
            wait_ms += BEGIN_STEP_MS;
        } else {
            scanner_add(&manager->scanner, one);
        }
    }
    manager->has_begun = true;
}

/* The entries of messages that are there. */
static void rewrite_scanlog(struct manager *manager)
{
    struct str lines;
    str_init(&lines, JOURNAL_FILE_MAX);
    for (struct message *one = message_table_next(&manager->messages, NULL); one;
         one = message_table_next(&manager->messages, one))
        if (one->is_scan_kept && one->scanned > 0)
            scanlog_put(&lines, &(struct scanlog_entry){.id = slice_text(one->id),
                                                        .check = one->scan_check,
                                                        .scanned = one->scanned,
                                                        .lines = message_added(one)});
    if (lines.failed || !scanlog_replace(&manager->scanlog, str_slice(&lines)))
        log_trouble("write anew", "queue/scanned/journal", errno, "look at the queue's disk");
    str_free(&lines);
}

/* ---- the operator's wishes ----------------------------------------------------------------------
 */

static void flush(struct manager *manager, struct message *message)
{
    if (message->timer.position == 0)
        return;
    loop_clear_timer(manager->loop, &message->timer);
    timer_due(&message->timer);
}

/* What was found out before the operator asked counts no more: he may have mended it, or have changed the
 * directory, just for this. */
static void forgive_all(struct manager *manager)
{
    manager->looked_at = 0;
    for (size_t i = 0; i < manager->destinations.bucket_count; i++)
        for (struct destination *one = manager->destinations.buckets[i]; one;
             one = one->next_in_table)
            destination_worked(one);
    for (size_t i = 0; i < JOB_KINDS; i++)
        pool_hurry(&manager->pools[i]);
    scanner_hurry(&manager->scanner);
}

bool manager_flush(struct manager *manager, struct slice id)
{
    struct message *message = message_table_find(&manager->messages, id);
    if (!message)
        return false;
    forgive_all(manager);
    flush(manager, message);
    return true;
}

void manager_flush_all(struct manager *manager)
{
    forgive_all(manager);
    for (struct message *one = message_table_next(&manager->messages, NULL); one;
         one = message_table_next(&manager->messages, one))
        flush(manager, one);
}

static bool wish(struct manager *manager, struct slice id, enum message_wish what)
{
    struct message *message = message_table_find(&manager->messages, id);
    if (!message)
        return false;
    message->wish = (unsigned char)what;
    if (message->running == 0 && message->state != MESSAGE_SCANNING)
        apply_wish(manager, message);
    return true;
}

bool manager_hold(struct manager *manager, struct slice id)
{
    return wish(manager, id, MESSAGE_TO_HOLD);
}

bool manager_release(struct manager *manager, struct slice id)
{
    char name[QUEUEFILE_ID_SIZE + 1];
    if (!queuefile_is_id(id) || !slice_copy_text(id, name, sizeof name))
        return false;
    struct message *message = message_table_find(&manager->messages, id);
    if (message && message->wish == MESSAGE_TO_HOLD) {
        message->wish = MESSAGE_GOES_ON;
        return true;
    }
    if (message || !transfer_file(manager->folders.hold, name, manager->folders.message))
        return false;
    manager_add(manager, id, true);
    return true;
}

static bool delete_held(struct manager *manager, struct slice id)
{
    char name[QUEUEFILE_ID_SIZE + 1];
    if (!queuefile_is_id(id) || !slice_copy_text(id, name, sizeof name) ||
        unlinkat(manager->folders.hold, name, 0) < 0)
        return false;
    unlinkat(manager->folders.failure, name, 0);
    return true;
}

bool manager_delete(struct manager *manager, struct slice id)
{
    return wish(manager, id, MESSAGE_TO_DELETE) || delete_held(manager, id);
}

/* Jobs that no worker has. */
static void drop_waiting_jobs(struct manager *manager, struct message *message)
{
    struct job *next;
    for (struct job *job = message->jobs; job; job = next) {
        struct destination *destination = job->destination;
        next = job->sibling;
        if (!job->is_waiting)
            continue;
        job_free(job);
        pool_forget(&manager->pools[destination->kind], destination);
    }
}

bool manager_requeue(struct manager *manager, struct slice id)
{
    struct message *message = message_table_find(&manager->messages, id);
    if (!message || message->wish == MESSAGE_TO_HOLD)
        return manager_release(manager, id);
    if (message->state == MESSAGE_READY) {
        drop_waiting_jobs(manager, message);
        message->scanned = 0;
        message->is_scan_kept = false;
        manager_set_retry(manager, message);
    }
    forgive_all(manager);
    flush(manager, message);
    return true;
}

static const char *progress_of(const struct message *message)
{
    static const char *const words[] = {
        [MESSAGE_FOUND] = "found",
        [MESSAGE_UNSCANNED] = "waits for the scanner",
        [MESSAGE_SCANNING] = "is being scanned",
        [MESSAGE_SCAN_LATER] = "could not be scanned, waits",
        [MESSAGE_READY] = "waits for its next attempt",
    };
    if (message->running > 0)
        return "is being delivered";
    return message->jobs ? "waits for its turn at a destination" : words[message->state];
}

bool manager_show(const struct manager *manager, struct slice id, struct str *packet)
{
    const struct message *message = message_table_find(&manager->messages, id);
    if (!message)
        return false;
    int64_t next = message->timer.position == 0
                       ? 0
                       : clock_seconds() + (message->timer.at - clock_ms()) / 1000;
    wire_put_text(packet, "ok");
    wire_put_text(packet, progress_of(message));
    wire_put_number(packet, message->attempts);
    wire_put_number(packet, next > 0 ? (uint64_t)next : 0);
    wire_put_number(packet, (uint64_t)message->scanned);
    for (size_t i = 0; message->reasons && i < message->reasons->count; i++) {
        uint16_t recipient = message->reasons->of[i].recipient;
        wire_put_number(packet, recipient);
        wire_put(packet, message_reason(message, recipient));
    }
    return true;
}

void manager_status(const struct manager *manager, struct str *text)
{
    size_t counts[MESSAGE_READY + 1] = {0};
    size_t waiting = 0;
    for (struct message *one = message_table_next(&manager->messages, NULL); one;
         one = message_table_next(&manager->messages, one)) {
        counts[one->state]++;
        waiting += one->state == MESSAGE_READY && one->timer.position != 0 ? 1 : 0;
    }
    str_format(text,
               "messages=%zu unscanned=%zu scanning=%zu scan-later=%zu waiting=%zu local=%u "
               "remote=%u bounce=%u workers=%u destinations=%zu delivered=%llu deferred=%llu "
               "failed=%llu",
               manager->messages.count, counts[MESSAGE_UNSCANNED], counts[MESSAGE_SCANNING],
               counts[MESSAGE_SCAN_LATER], waiting, manager->pools[JOB_LOCAL].busy,
               manager->pools[JOB_REMOTE].busy, manager->pools[JOB_BOUNCE].busy,
               manager->pools[JOB_LOCAL].worker_count + manager->pools[JOB_REMOTE].worker_count +
                   manager->pools[JOB_BOUNCE].worker_count,
               manager->destinations.count, (unsigned long long)manager->delivered,
               (unsigned long long)manager->deferred, (unsigned long long)manager->failed);
}

/* ---- start, settings, stop ----------------------------------------------------------------------
 */

static void read_setting(struct manager *manager, const char *name, uint64_t otherwise,
                         uint64_t *number)
{
    if (!directory_host_number(&manager->directory, name, number) || *number == 0)
        *number = otherwise;
}

/* What can't be read leaves it as it is: nothing passes unscanned by accident. */
static void read_scan_switch(struct manager *manager)
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    bool is_off = manager->scanner.is_off;
    if (directory_host(&manager->directory, "scan", &value))
        is_off = slice_equal(str_slice(&value), SLICE("off"));
    str_free(&value);
    if (is_off == manager->scanner.is_off)
        return;
    log_event(is_off ? "scanning-is-off" : "scanning-is-on", "by", "control/scan");
    scanner_set_off(&manager->scanner, is_off);
}

static void read_settings(struct manager *manager)
{
    struct manager_limits *limits = &manager->limits;
    struct manager_limits before = *limits;
    uint64_t scan_workers;
    read_setting(manager, "concurrency-scan", 4, &limits->scan);
    /* A connection holds a worker of scand: with more of them than workers, some would wait till
     * the others are idle. */
    read_setting(manager, "scan-workers", limits->scan, &scan_workers);
    if (scan_workers < limits->scan)
        limits->scan = scan_workers;
    read_setting(manager, "concurrency-local", 60, &limits->local);
    read_setting(manager, "concurrency-remote", 100, &limits->remote);
    read_setting(manager, "concurrency-destination", 20, &limits->destination);
    read_setting(manager, "scan-lifetime", SCHEDULE_SCAN_LIFETIME, &limits->scan_lifetime);
    read_setting(manager, "queue-lifetime", SCHEDULE_LIFETIME_DEFAULT, &limits->lifetime);
    read_setting(manager, "bounce-lifetime", SCHEDULE_LIFETIME_DEFAULT, &limits->bounce_lifetime);
    read_setting(manager, "retry-min", SCHEDULE_WAIT_MIN, &limits->retry_min);
    read_setting(manager, "retry-max", SCHEDULE_WAIT_MAX, &limits->retry_max);
    if (!directory_host_number(&manager->directory, "delay-warning", &limits->delay_warning))
        limits->delay_warning = SCHEDULE_WARNING_DEFAULT;
    read_scan_switch(manager);
    manager->is_relay_lax = directory_host_is_off(&manager->directory, "sync-relayed");
    manager->spares_folders = directory_host_is_off(&manager->directory, "sync-folders");
    if (memcmp(&before, limits, sizeof before) == 0)
        return;
    unsigned local = (unsigned)limits->local;
    unsigned remote = (unsigned)limits->remote;
    scanner_set_limit(&manager->scanner, (unsigned)limits->scan);
    pool_set_limits(&manager->pools[JOB_LOCAL],
                    &(struct pool_limits){local, local + LOCAL_IDLE_MORE, LOCAL_PER_DOMAIN});
    pool_set_limits(&manager->pools[JOB_REMOTE],
                    &(struct pool_limits){remote, remote, (unsigned)limits->destination});
    pool_set_limits(
        &manager->pools[JOB_BOUNCE],
        &(struct pool_limits){BOUNCE_CONCURRENCY, BOUNCE_CONCURRENCY, BOUNCE_CONCURRENCY});
}

static void keep_house(struct loop_timer *timer)
{
    struct manager *manager = timer->owner;
    manager->looked_at = 0;
    directory_hold(&manager->directory);
    read_settings(manager);
    if (++manager->rounds % SWEEP_ROUNDS == 0)
        destination_sweep(&manager->destinations, clock_ms());
    if (scanlog_is_stale(&manager->scanlog))
        rewrite_scanlog(manager);
    loop_set_timer(manager->loop, timer, clock_deadline(HOUSEKEEPING_MS), keep_house, manager);
}

void manager_init(struct manager *manager, struct loop *loop, const struct manager_folders *folders)
{
    *manager = (struct manager){.loop = loop, .folders = *folders, .routes = {.fd = -1}};
    message_table_init(&manager->messages);
    destination_table_init(&manager->destinations);
    tenant_table_init(&manager->tenants);
    directory_init(&manager->directory);
    forwarding_init(&manager->forwarding, &manager->directory);
    spawner_init(&manager->spawner, loop);
    overfull_init(&manager->overfull, loop, &manager->spawner, &manager->directory);
    scanner_init(&manager->scanner, loop, &scanner_hooks, manager);
    for (size_t i = 0; i < JOB_KINDS; i++)
        pool_init(&manager->pools[i], loop, &manager->spawner, &manager->destinations,
                  &manager_job_hooks, manager, &manager_job_kinds[i]);
    read_settings(manager);
    loop_set_timer(loop, &manager->housekeeping, clock_deadline(HOUSEKEEPING_MS), keep_house,
                   manager);
}

void manager_measure(struct manager *manager)
{
    overfull_hurry(&manager->overfull);
}

void manager_stop(struct manager *manager)
{
    manager->scanner.is_stopping = true;
    for (size_t i = 0; i < JOB_KINDS; i++)
        manager->pools[i].is_stopping = true;
}

bool manager_is_busy(const struct manager *manager)
{
    unsigned busy = manager->scanner.busy;
    for (size_t i = 0; i < JOB_KINDS; i++)
        busy += manager->pools[i].busy;
    return busy > 0;
}

void manager_free(struct manager *manager)
{
    scanner_free(&manager->scanner);
    for (size_t i = 0; i < JOB_KINDS; i++)
        pool_free(&manager->pools[i]);
    overfull_free(&manager->overfull);
    spawner_free(&manager->spawner);
    loop_clear_timer(manager->loop, &manager->housekeeping);
    loop_clear_timer(manager->loop, &manager->rest);
    loop_clear_timer(manager->loop, &manager->attempts);
    for (struct message *one = message_table_next(&manager->messages, NULL); one;
         one = message_table_next(&manager->messages, one)) {
        loop_clear_timer(manager->loop, &one->timer);
        while (one->jobs)
            job_free(one->jobs);
    }
    message_table_free(&manager->messages);
    message_lines_free(&manager->last_lines);
    message_lines_free(&manager->last_reason);
    destination_table_free(&manager->destinations);
    tenant_table_free(&manager->tenants);
    scanlog_close(&manager->scanlog);
    forwarding_free(&manager->forwarding);
    directory_close(&manager->directory);
    cdbfile_close(&manager->routes);
    int *const fds[] = {&manager->folders.message, &manager->folders.failure,
                        &manager->folders.hold, &manager->folders.broken,
                        &manager->folders.scanned};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        io_close(fds[i]);
}
