/*
 * csvexport - the accounts of a domain as CSV (SPEC R3.3)
 *
 *     mail_account,mail_password,comment,amount_of_mail_box,spam,forward,auto,pop,mail_capacity
 *
 * Passwords are never there: mail_password is empty. amount_of_mail_box and mail_capacity are in MB,
 * what is used rounded up; a capacity of 0 is one without limit. spam (is the subject marked),
 * forward, auto (is mail answered) and pop (is mail kept) are 0 or 1.
 */
#ifndef ADMIN_CSVEXPORT_H
#define ADMIN_CSVEXPORT_H

#include "domain.h"

enum { CSVEXPORT_MAX = 268435456 };

/* Appends header and accounts; `used` has bytes for each of the domain's accounts, in its order.
 * False when memory is out. */
bool csvexport_write(const struct domain *domain, const uint64_t *used, struct str *text);

#endif
