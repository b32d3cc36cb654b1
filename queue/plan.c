/* plan - see plan.h */
#include "plan.h"

#include "inject.h"

#include <stdio.h>

static void nowhere(struct place *place, enum verdict verdict, const char *status, const char *text)
{
    place->destination = NULL;
    request_set_outcome(&place->outcome, verdict, status, slice_text(text));
}

/* Mail for a host named by a route is one destination, whatever its domain; else the domain is. */
static void plan_remote(const struct plan_sources *sources, struct destination_table *destinations,
                        struct slice domain, struct place *place)
{
    struct route route;
    char name[JOB_KEY_MAX];
    struct slice key = domain;
    if (sources->find_route(sources->owner, domain, &route) != ROUTE_FOUND) {
        nowhere(place, VERDICT_TEMP, "4.3.5", "the routes can't be read");
        return;
    }
    if (route.host[0] != '\0') {
        snprintf(name, sizeof name, "%s:%s", route.host, route.port);
        key = slice_text(name);
    }
    place->destination = destination_get(destinations, JOB_REMOTE, key);
    if (place->destination)
        place->destination->is_routed = route.host[0] != '\0';
    else
        nowhere(place, VERDICT_TEMP, "4.3.0", "no memory");
}

/* smtpd asks before it takes a message (SPEC R5.1); what comes by the sendmail command, or was
 * forwarded, meets the mailbox's limit here. Mail of ordinary size fits everywhere: nothing is
 * looked up. */
static bool is_too_large(const struct plan_sources *sources,
                         const struct directory_account *account)
{
    return sources->size > INJECT_FIELDS_ADDED_MAX &&
           sources->size - INJECT_FIELDS_ADDED_MAX >
               sources->find_size_limit(sources->owner, account);
}

static void plan_local(const struct plan_sources *sources, struct destination_table *destinations,
                       const struct directory_account *account, struct place *place)
{
    if (is_too_large(sources, account)) {
        nowhere(place, VERDICT_PERM, "5.3.4",
                "sorry, that message size exceeds my databytes limit (#5.3.4)");
        return;
    }
    place->destination = destination_get(destinations, JOB_LOCAL, slice_text(account->domain.name));
    if (!place->destination)
        nowhere(place, VERDICT_TEMP, "4.3.0", "no memory");
}

void plan_recipient(const struct plan_sources *sources, struct destination_table *destinations,
                    struct slice address, struct place *place)
{
    struct directory_account account;
    size_t at = slice_find_last(address, '@');
    switch (sources->find_account(sources->owner, address, &account)) {
    case DIRECTORY_FOUND:
        plan_local(sources, destinations, &account, place);
        break;
    case DIRECTORY_UNKNOWN_USER:
        nowhere(place, VERDICT_PERM, "5.1.1", "there is no such mailbox here");
        break;
    case DIRECTORY_UNKNOWN_DOMAIN:
        plan_remote(sources, destinations, slice_from(address, at + 1), place);
        break;
    case DIRECTORY_TROUBLE:
        nowhere(place, VERDICT_TEMP, "4.3.5", "the account directory can't be read");
        break;
    }
}

size_t plan_next_group(struct destination *places[], size_t count,
                       uint16_t recipients[JOB_RECIPIENTS_MAX])
{
    size_t first = 0;
    while (first < count && !places[first])
        first++;
    if (first == count)
        return 0;
    const struct destination *destination = places[first];
    size_t most = destination->kind == JOB_LOCAL ? 1 : JOB_RECIPIENTS_MAX;
    size_t taken = 0;
    for (size_t i = first; i < count && taken < most; i++)
        if (places[i] == destination) {
            recipients[taken++] = (uint16_t)i;
            places[i] = NULL;
        }
    return taken;
}
