/*
 * plan - where each recipient goes: to a domain of ours, to another server, nowhere
 *
 * Pure but for the table of destinations, which it fills: the directory and the routes are asked
 * through functions.
 */
#ifndef QUEUE_PLAN_H
#define QUEUE_PLAN_H

#include "directory.h"
#include "job.h"
#include "request.h"
#include "route.h"

struct plan_sources {
    /* As directory_address. */
    enum directory_result (*find_account)(void *owner, struct slice address,
                                          struct directory_account *account);
    /* As route_find; the domain is in lower case. */
    enum route_result (*find_route)(void *owner, struct slice domain, struct route *route);
    /* The largest message that an account gets; UINT64_MAX where that can't be read. */
    uint64_t (*find_size_limit)(void *owner, const struct directory_account *account);
    void *owner;
    uint64_t size; /* of the message, in the queue */
};

/* Where one recipient goes. `destination` is NULL when `outcome` says why it goes nowhere now. */
struct place {
    struct destination *destination;
    struct outcome outcome;
};

void plan_recipient(const struct plan_sources *sources, struct destination_table *destinations,
                    struct slice address, struct place *place);

/* The next run of recipients that share a job: from `places` (one for each of `count` recipients,
 * NULL for those that are done with), the indexes of those that go where the first goes. Local
 * deliveries are one by one. Takes them out of `places`. 0 when none is left. */
size_t plan_next_group(struct destination *places[], size_t count,
                       uint16_t recipients[JOB_RECIPIENTS_MAX]);

#endif
