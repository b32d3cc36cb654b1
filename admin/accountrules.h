/*
 * accountrules - what an account of a domain may be given; the same for one and for a file of them
 */
#ifndef ADMIN_ACCOUNTRULES_H
#define ADMIN_ACCOUNTRULES_H

#include "domain.h"
#include "sessionend.h"

enum { ACCOUNTRULES_REASON_MAX = 768 };

/* May an account of the domain say `text`? If not, `reason` holds a sentence without the setting's
 * name. */
bool accountrules_value(const struct domain *domain, const struct setting *setting,
                        struct slice text, struct str *reason);

/* Gives the account the password `secret`, whose hash is `hash`. Where the plan keeps APOP secrets,
 * the password is kept as it is; elsewhere none is. False: no memory, or too many settings. */
bool accountrules_set_password(const struct domain *domain, struct userline *account,
                               const char *hash, struct slice secret);

/* Ends the open sessions of these accounts of the domain, of "" all of its accounts', wherever they are
 * logged in. Where stated and spawnd are down none are begun, and those that are open go on. False: no answer. */
bool accountrules_end_sessions(const char *const locals[], size_t count, const char *domain,
                               enum sessionend why);

/* The states that end by a password change (SPEC R10); to be told to stated. When it is down there
 * is nothing to end that an operator could not end later. `*connection` is -1 at first, and closed
 * by the caller. False: no answer. */
bool accountrules_end_states(int *connection, const char *local, const char *domain);

#endif
