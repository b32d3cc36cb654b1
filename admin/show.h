/*
 * show - accounts, domains and settings as results
 */
#ifndef ADMIN_SHOW_H
#define ADMIN_SHOW_H

#include "domain.h"
#include "mailboxusage.h"

#include <jansson.h>

/* A value as its kind has it: number, true or false, text. */
json_t *show_value(const struct setting *setting, struct slice value);
/* All settings in force for the account, or (NULL) the domain: {name: value, ...} */
json_t *show_settings(const struct domain *domain, const struct domain_account *account);
/* bytes, messages; null: it can't be measured. */
json_t *show_used(struct mailboxusage used);
json_t *show_domain(const struct domain *domain);
json_t *show_domain_row(const struct domain *domain);
json_t *show_account(const struct domain *domain, const struct domain_account *account);
json_t *show_account_row(const struct domain *domain, const struct domain_account *account);
/* Seconds since 1970 as "2026-11-22T10:20:30+09:00"; null for 0. */
json_t *show_time(int64_t seconds);
/* A string; bytes that are not UTF-8 become '?'. */
json_t *show_text(struct slice text);

#endif
