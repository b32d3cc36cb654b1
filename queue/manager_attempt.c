/* manager_attempt - one attempt: every recipient that has no job gets one, or a verdict */
#include "clock.h"
#include "log.h"
#include "manager.h"
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define ROUTES_PATH "cdb/routes.cdb"

static enum directory_result find_account(void *owner, struct slice address,
                                          struct directory_account *account)
{
    struct manager *manager = owner;
    return directory_address(&manager->directory, address, account);
}

static enum cdbfile_result look_up_route(void *table, struct slice key, struct slice *value)
{
    return cdbfile_find(table, key, value);
}

static enum route_result find_route(void *owner, struct slice domain, struct route *route)
{
    struct manager *manager = owner;
    if (!cdbfile_refresh(&manager->routes, AT_FDCWD, ROUTES_PATH))
        return ROUTE_TROUBLE;
    return route_find(look_up_route, &manager->routes, domain, route);
}

static uint64_t find_size_limit(void *owner, const struct directory_account *account)
{
    struct manager *manager = owner;
    uint64_t limit;
    return directory_setting_number(&manager->directory, account, "message-size", &limit)
               ? limit
               : UINT64_MAX;
}

/* An attempt under way: arrays of one element per recipient of the message. */
struct attempt {
    struct manager *manager;
    struct message *message;
    size_t count;
    struct destination **places;
    bool *has_job;
    struct outcome *failures; /* of the recipients in `failed` */
    uint16_t *failed;
    size_t failed_count;
};

static bool attempt_init(struct attempt *attempt, struct manager *manager, struct message *message)
{
    size_t count = message->loaded->file.recipient_count;
    *attempt = (struct attempt){.manager = manager,
                                .message = message,
                                .count = count,
                                .places = calloc(count, sizeof(struct destination *)),
                                .has_job = calloc(count, sizeof(bool)),
                                .failed = calloc(count, sizeof(uint16_t))};
    return attempt->places && attempt->has_job && attempt->failed;
}

static void attempt_free(struct attempt *attempt)
{
    free(attempt->places);
    free(attempt->has_job);
    free(attempt->failures);
    free(attempt->failed);
}

static void mark_jobs(struct attempt *attempt)
{
    for (const struct job *job = attempt->message->jobs; job; job = job->sibling)
        for (size_t i = 0; i < job->count && job->destination->kind != JOB_BOUNCE; i++)
            if (job->recipients[i] < attempt->count)
                attempt->has_job[job->recipients[i]] = true;
}

/* Room for outcomes is made only when somebody fails, which is rare. */
static bool add_failure(struct attempt *attempt, size_t recipient, const struct outcome *outcome)
{
    if (!attempt->failures)
        attempt->failures = calloc(attempt->count, sizeof *attempt->failures);
    if (!attempt->failures)
        return false;
    attempt->failures[attempt->failed_count] = *outcome;
    attempt->failed[attempt->failed_count++] = (uint16_t)recipient;
    return true;
}

static void defer(struct attempt *attempt, size_t recipient, const struct outcome *outcome,
                  const struct destination *destination)
{
    struct manager *manager = attempt->manager;
    struct message *message = attempt->message;
    struct outcome expired;
    if (manager_is_expired(manager, message)) {
        request_set_outcome(&expired, VERDICT_PERM, "5.4.7", slice_text(outcome->text));
        if (add_failure(attempt, recipient, &expired))
            return;
    }
    manager->deferred++;
    manager_note_reason(manager, message, (uint16_t)recipient, outcome);
    manager_log_recipient(message, "deferred", message->loaded->file.recipients[recipient].address,
                          destination, outcome, clock_ms());
    manager_set_retry(manager, message);
}

/* The reason of the last try stands for those that wait without one. */
static void set_unreachable(struct outcome *outcome, const struct destination *destination)
{
    struct slice text = SLICE("the destination could not be reached a short while ago");
    if (destination->reason) {
        text = slice_of(destination->reason->text, destination->reason->size);
        slice_cut(&text, ' ');
    }
    request_set_outcome(outcome, VERDICT_TEMP, "4.4.1", text);
}

static void place_recipient(struct attempt *attempt, const struct plan_sources *sources, size_t i)
{
    struct place place;
    const struct queuefile_recipient *recipient = &attempt->message->loaded->file.recipients[i];
    if (!queuefile_is_todo(recipient->status) || attempt->has_job[i])
        return;
    plan_recipient(sources, &attempt->manager->destinations, recipient->address, &place);
    if (place.destination && destination_is_dead(place.destination, clock_ms())) {
        set_unreachable(&place.outcome, place.destination);
        defer(attempt, i, &place.outcome, place.destination);
    } else if (place.destination) {
        attempt->places[i] = place.destination;
    } else if (place.outcome.verdict == VERDICT_TEMP || !add_failure(attempt, i, &place.outcome)) {
        defer(attempt, i, &place.outcome, NULL);
    }
}

static void note_failures(struct attempt *attempt)
{
    const struct queuefile *file = &attempt->message->loaded->file;
    if (attempt->failed_count == 0)
        return;
    if (!manager_fail(attempt->manager, attempt->message, attempt->failed, attempt->failures,
                      attempt->failed_count)) {
        manager_set_retry(attempt->manager, attempt->message);
        return;
    }
    attempt->manager->failed += attempt->failed_count;
    for (size_t i = 0; i < attempt->failed_count; i++)
        manager_log_recipient(attempt->message, "failed",
                              file->recipients[attempt->failed[i]].address, NULL,
                              &attempt->failures[i], clock_ms());
}

/* At the first attempt of a message that came while we run; after a restart it was counted before. */
static void count_forwarded(const struct attempt *attempt)
{
    size_t outside = 0;
    if (!attempt->message->is_fresh || attempt->message->attempts != 1)
        return;
    for (size_t i = 0; i < attempt->count; i++)
        outside += attempt->places[i] && attempt->places[i]->kind == JOB_REMOTE;
    forwarding_count(&attempt->manager->forwarding, &attempt->message->loaded->file, outside);
}

static void start_jobs(struct attempt *attempt)
{
    uint16_t recipients[JOB_RECIPIENTS_MAX];
    for (;;) {
        size_t first = 0;
        while (first < attempt->count && !attempt->places[first])
            first++;
        if (first == attempt->count)
            return;
        struct destination *destination = attempt->places[first];
        size_t count = plan_next_group(attempt->places, attempt->count, recipients);
        if (job_new(attempt->message, destination, recipients, count))
            pool_wake(&attempt->manager->pools[destination->kind], destination);
        else
            manager_set_retry(attempt->manager, attempt->message);
    }
}

void manager_attempt(struct manager *manager, struct message *message)
{
    const struct plan_sources sources = {.find_account = find_account,
                                         .find_route = find_route,
                                         .find_size_limit = find_size_limit,
                                         .owner = manager,
                                         .size = message->loaded->file.size};
    struct attempt attempt;
    if (message->attempts < UINT16_MAX)
        message->attempts++;
    if (attempt_init(&attempt, manager, message)) {
        manager_look_at_directory(manager, message);
        mark_jobs(&attempt);
        for (size_t i = 0; i < attempt.count; i++)
            place_recipient(&attempt, &sources, i);
        note_failures(&attempt);
        count_forwarded(&attempt);
        start_jobs(&attempt);
    } else {
        log_trouble("plan the deliveries of", message->id, ENOMEM, NULL);
        manager_set_retry(manager, message);
    }
    attempt_free(&attempt);
    manager_settle(manager, message);
}
