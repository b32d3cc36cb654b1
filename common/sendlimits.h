/*
 * sendlimits - the limits of what an account sends, as rules for stated (state.h)
 *
 * Whatever leaves an account counts: mail that its owner submits (smtpd), and copies that are
 * forwarded to addresses outside (queued).
 */
#ifndef COMMON_SENDLIMITS_H
#define COMMON_SENDLIMITS_H

#include "directory.h"
#include "state.h"

/* Fills all rules. False: the directory can't be read. */
bool sendlimits_read(struct directory *directory, const struct directory_account *account,
                     struct state_rule rules[STATE_RULES_MAX]);

#endif
