/*
 * stateview - the states of accounts and domains, as stated knows them, for people and programs
 *
 * A state is shown as an object: of, state, since, until, cause, cure (what ends it, beside its time).
 * `fd` is the connection, -1 at first; the caller closes it.
 */
#ifndef ADMIN_STATEVIEW_H
#define ADMIN_STATEVIEW_H

#include "wire.h"

#include <jansson.h>

enum { STATEVIEW_FIELDS = 4 }; /* of the answer to "get", for each state */

/* Appends to `states` those of an answer to "get" about `name`, "user@domain" or "@domain". */
void stateview_append(json_t *states, const struct wire_message *answer, const char *name);

/* An array of the states of the domain's accounts; as far as stated answers. */
json_t *stateview_of_accounts(int *fd, const char *domain);

/* All states that hold for the account: its domain's and its own. null: stated does not answer. */
json_t *stateview_of(const char *local, const char *domain);

/* The same for all accounts of a domain, whose states are asked for at once. NULL: stated does not
 * answer. Free it by json_decref. */
json_t *stateview_table(const char *domain);
/* Out of such a table; json_null without one. */
json_t *stateview_find(const json_t *table, const char *local, const char *domain);

#endif
