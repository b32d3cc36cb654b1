/*
 * stscache - MTA-STS policies that were fetched, one file each in state/mta-sts
 *
 * A file is called as its domain, and holds "ID SECONDS" (of the TXT record; when it was fetched,
 * since 1970) and behind that line the policy.
 */
#ifndef DELIVER_STSCACHE_H
#define DELIVER_STSCACHE_H

#include "stspolicy.h"

#define STSCACHE_FOLDER "state/mta-sts"

struct stscache_entry {
    char id[STSPOLICY_ID_MAX + 1];
    int64_t fetched;
    struct stspolicy policy;
};

/* May this domain name a file? In lower case and A-labels only. */
bool stscache_is_domain(struct slice domain);

/* False: there is none that is still valid at `now`; one that is not is removed. */
bool stscache_load(int folder, const char *domain, int64_t now, struct stscache_entry *entry);
bool stscache_save(int folder, const char *domain, const struct stscache_entry *entry);
/* Removes what is not valid any more. */
void stscache_sweep(int folder, int64_t now);

#endif
