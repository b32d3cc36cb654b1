/* job - see job.h */
#include "job.h"

#include "hash.h"
#include "number.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS_FIRST = 64,
    RETRY_TURN = 8,
    DEAD_MIN_MS = 60000,
    DEAD_MAX_MS = 600000,
    DEAD_DOUBLINGS_MAX = 8,
    DEAD_FORGET_MS = 3600000,
};

/* ---- the table of destinations ------------------------------------------------------------------
 */

void destination_table_init(struct destination_table *table)
{
    *table = (struct destination_table){0};
}

static void destination_free(struct destination *destination)
{
    message_lines_free(&destination->reason);
    free(destination);
}

void destination_table_free(struct destination_table *table)
{
    for (size_t i = 0; i < table->bucket_count; i++)
        while (table->buckets[i]) {
            struct destination *destination = table->buckets[i];
            table->buckets[i] = destination->next_in_table;
            destination_free(destination);
        }
    free(table->buckets);
    *table = (struct destination_table){0};
}

static struct destination **bucket_of(const struct destination_table *table, enum job_kind kind,
                                      struct slice name)
{
    uint64_t hash = hash_add(HASH_START + (uint64_t)kind, name);
    return &table->buckets[(size_t)hash_fold(hash) & (table->bucket_count - 1)];
}

static void put(struct destination_table *table, struct destination *destination)
{
    struct destination **bucket =
        bucket_of(table, destination->kind, slice_text(destination->name));
    destination->next_in_table = *bucket;
    *bucket = destination;
}

static bool grow(struct destination_table *table)
{
    if (table->count < table->bucket_count)
        return true;
    struct destination_table bigger = {.count = table->count};
    bigger.bucket_count = table->bucket_count ? table->bucket_count * 2 : BUCKETS_FIRST;
    bigger.buckets = calloc(bigger.bucket_count, sizeof *bigger.buckets);
    if (!bigger.buckets)
        return table->bucket_count > 0;
    for (size_t i = 0; i < table->bucket_count; i++)
        while (table->buckets[i]) {
            struct destination *destination = table->buckets[i];
            table->buckets[i] = destination->next_in_table;
            put(&bigger, destination);
        }
    free(table->buckets);
    *table = bigger;
    return true;
}

struct destination *destination_get(struct destination_table *table, enum job_kind kind,
                                    struct slice name)
{
    if (!grow(table))
        return NULL;
    struct destination *found = *bucket_of(table, kind, name);
    while (found && !(found->kind == kind && slice_equal(slice_text(found->name), name)))
        found = found->next_in_table;
    if (found)
        return found;
    size_t size;
    if (name.size >= JOB_KEY_MAX || slice_has(name, '\0') ||
        !number_add(sizeof *found, name.size + 1, &size))
        return NULL;
    found = calloc(1, size);
    if (!found)
        return NULL;
    found->kind = kind;
    found->window = JOB_WINDOW_FIRST;
    memcpy(found->name, name.data, name.size);
    put(table, found);
    table->count++;
    return found;
}

static bool is_needed(const struct destination *destination)
{
    return destination->jobs > 0 || destination->workers > 0 || destination->failures > 0;
}

void destination_release(struct destination_table *table, struct destination *destination)
{
    if (is_needed(destination))
        return;
    struct destination **link = bucket_of(table, destination->kind, slice_text(destination->name));
    while (*link != destination)
        link = &(*link)->next_in_table;
    *link = destination->next_in_table;
    table->count--;
    destination_free(destination);
}

void destination_sweep(struct destination_table *table, int64_t now_ms)
{
    for (size_t i = 0; i < table->bucket_count; i++) {
        struct destination *next;
        for (struct destination *one = table->buckets[i]; one; one = next) {
            next = one->next_in_table;
            if (one->failures > 0 && now_ms - one->dead_until > DEAD_FORGET_MS)
                one->failures = 0;
            destination_release(table, one);
        }
    }
}

/* ---- destinations that can't be reached ---------------------------------------------------------
 */

void destination_failed(struct destination *destination, int64_t now_ms)
{
    destination->failures++;
    destination->dead_until = now_ms;
    if (destination->window > 1)
        destination->window--;
    if (destination->failures < JOB_UNREACHABLE_MIN)
        return;
    unsigned doublings = destination->failures - JOB_UNREACHABLE_MIN;
    int64_t wait = doublings > DEAD_DOUBLINGS_MAX ? DEAD_MAX_MS : (int64_t)DEAD_MIN_MS << doublings;
    destination->dead_until = now_ms + (wait < DEAD_MAX_MS ? wait : DEAD_MAX_MS);
}

void destination_set_reason(struct destination *destination, struct slice reason)
{
    struct message_lines *last = destination->reason;
    destination->reason = message_lines_share(reason, &last);
    message_lines_free(&last);
}

void destination_worked(struct destination *destination)
{
    destination->failures = 0;
    destination->dead_until = 0;
}

void destination_widen(struct destination *destination, unsigned most)
{
    if (destination->running + 1 >= destination->window && destination->window < most)
        destination->window++;
}

bool destination_is_dead(const struct destination *destination, int64_t now_ms)
{
    return destination->failures >= JOB_UNREACHABLE_MIN && destination->dead_until > now_ms;
}

/* ---- lanes --------------------------------------------------------------------------------------
 */

static void lane_link(struct lane *lane)
{
    struct destination *destination = lane->destination;
    lane->next = NULL;
    lane->previous = destination->last_lane;
    if (destination->last_lane)
        destination->last_lane->next = lane;
    else
        destination->first_lane = lane;
    destination->last_lane = lane;
}

static void lane_unlink(struct lane *lane)
{
    struct destination *destination = lane->destination;
    if (lane->previous)
        lane->previous->next = lane->next;
    else
        destination->first_lane = lane->next;
    if (lane->next)
        lane->next->previous = lane->previous;
    else
        destination->last_lane = lane->previous;
}

static struct lane *lane_get(struct destination *destination, struct tenant *tenant)
{
    struct lane *lane = destination->last_lane;
    while (lane && lane->tenant != tenant)
        lane = lane->previous;
    if (lane)
        return lane;
    lane = calloc(1, sizeof *lane);
    if (!lane)
        return NULL;
    lane->destination = destination;
    lane->tenant = tenant_share(tenant);
    lane_link(lane);
    return lane;
}

static size_t lane_waiting(const struct lane *lane)
{
    return lane->fresh.count + lane->old.count;
}

static void lane_open(struct lane *lane, struct ring *tenants)
{
    enum job_kind kind = lane->destination->kind;
    struct tenant *tenant = lane->tenant;
    ring_append(&tenant->turns[kind].lanes, &lane->node, lane);
    ring_append(tenants, &tenant->turns[kind].node, tenant);
}

static void lane_close(struct lane *lane)
{
    enum job_kind kind = lane->destination->kind;
    struct tenant *tenant = lane->tenant;
    ring_remove(&lane->node);
    if (ring_is_empty(&tenant->turns[kind].lanes))
        ring_remove(&tenant->turns[kind].node);
}

static void lane_release(struct lane *lane)
{
    if (lane->jobs > 0)
        return;
    lane_close(lane);
    lane_unlink(lane);
    tenant_release(&lane->tenant);
    free(lane);
}

void job_open(struct destination *destination, struct ring *tenants, bool is_open)
{
    destination->is_open = is_open;
    for (struct lane *lane = destination->first_lane; lane; lane = lane->next) {
        if (is_open && lane_waiting(lane) > 0)
            lane_open(lane, tenants);
        else
            lane_close(lane);
    }
}

/* ---- jobs ---------------------------------------------------------------------------------------
 */

static struct job_list *list_of(struct job *job)
{
    return job->is_fresh ? &job->lane->fresh : &job->lane->old;
}

static void list_append(struct job *job)
{
    struct job_list *list = list_of(job);
    job->next = NULL;
    job->previous = list->last;
    if (list->last)
        list->last->next = job;
    else
        list->first = job;
    list->last = job;
    list->count++;
    job->destination->waiting++;
    job->is_waiting = true;
}

static void list_prepend(struct job *job)
{
    struct job_list *list = list_of(job);
    job->previous = NULL;
    job->next = list->first;
    if (list->first)
        list->first->previous = job;
    else
        list->last = job;
    list->first = job;
    list->count++;
    job->destination->waiting++;
    job->is_waiting = true;
}

static void list_remove(struct job *job)
{
    struct job_list *list = list_of(job);
    if (job->previous)
        job->previous->next = job->next;
    else
        list->first = job->next;
    if (job->next)
        job->next->previous = job->previous;
    else
        list->last = job->previous;
    list->count--;
    job->destination->waiting--;
    job->next = job->previous = NULL;
    job->is_waiting = false;
    if (lane_waiting(job->lane) == 0)
        lane_close(job->lane);
}

struct job *job_new(struct message *message, struct destination *destination,
                    const uint16_t recipients[], size_t count)
{
    size_t size;
    if (!number_multiply(count, sizeof *recipients, &size) ||
        !number_add(size, sizeof(struct job), &size))
        return NULL;
    struct lane *lane =
        count <= UINT16_MAX && message->tenant ? lane_get(destination, message->tenant) : NULL;
    struct job *job = lane ? calloc(1, size) : NULL;
    if (!job) {
        if (lane)
            lane_release(lane);
        return NULL;
    }
    job->message = message;
    job->destination = destination;
    job->lane = lane;
    lane->jobs++;
    destination->jobs++;
    job->is_fresh = message->is_fresh;
    job->count = (uint16_t)count;
    memcpy(job->recipients, recipients, count * sizeof *recipients);
    job->sibling = message->jobs;
    if (message->jobs)
        message->jobs->previous_sibling = job;
    message->jobs = job;
    list_append(job);
    return job;
}

void job_free(struct job *job)
{
    if (job->is_waiting)
        list_remove(job);
    job->destination->jobs--;
    job->lane->jobs--;
    lane_release(job->lane);
    if (job->previous_sibling)
        job->previous_sibling->sibling = job->sibling;
    else
        job->message->jobs = job->sibling;
    if (job->sibling)
        job->sibling->previous_sibling = job->previous_sibling;
    free(job);
}

struct job *job_take(struct lane *lane, bool may_be_old)
{
    struct job *fresh = lane->fresh.first;
    struct job *old = may_be_old ? lane->old.first : NULL;
    bool is_old_turn = ++lane->turn % RETRY_TURN == 0;
    struct job *job = old && (!fresh || is_old_turn) ? old : fresh;
    if (!job)
        return NULL;
    list_remove(job);
    lane_unlink(lane);
    lane_link(lane);
    return job;
}

struct job *job_take_any(struct destination *destination)
{
    struct lane *lane = destination->first_lane;
    while (lane && lane_waiting(lane) == 0)
        lane = lane->next;
    return lane ? job_take(lane, true) : NULL;
}

void job_return(struct job *job)
{
    list_prepend(job);
}
