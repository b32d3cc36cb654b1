/*
 * mailboxusage - how much mail accounts and domains have, as maildirsize says or, where it is missing,
 * makes no sense or knows of a change that was cut off, as it is counted again
 *
 * Mailboxes are looked at with the domain's rights: what its programs put there can mislead nobody else.
 */
#ifndef ADMIN_MAILBOXUSAGE_H
#define ADMIN_MAILBOXUSAGE_H

#include "commandline.h"
#include "domain.h"
#include "maildirsize.h"

/* What each account has, in the order of domain->accounts; `used` has room for all. An account without a
 * mailbox has nothing. What can't be measured has is_known false. False with errno. */
struct mailboxusage {
    bool is_known;
    uint64_t bytes, messages;
};
bool mailboxusage_of_domain(const struct commandline *command, const struct domain *domain,
                            struct mailboxusage *used);
/* One account. */
struct mailboxusage mailboxusage_of(const struct commandline *command, const struct domain *domain,
                                    const struct domain_account *account);

#endif
