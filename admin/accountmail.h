/*
 * accountmail - an account's mailbox when the account goes, and when one of its name comes
 *
 * Between begin and finish the account is taken out of the control files (mailbox/removal.h). False with
 * errno; a domain that never got mail has nothing to be removed.
 */
#ifndef ADMIN_ACCOUNTMAIL_H
#define ADMIN_ACCOUNTMAIL_H

#include <stdbool.h>
#include <sys/types.h>

bool accountmail_begin(int root, const char *domain, uid_t uid, const char *local);
/* The account stays after all. */
bool accountmail_give_up(int root, const char *domain, uid_t uid, const char *local);
/* Was a removal begun, and not finished? */
bool accountmail_is_begun(int root, const char *domain, uid_t uid, const char *local);
bool accountmail_finish(int root, const char *domain, uid_t uid, const char *local);
/* An account is being made: nothing of an earlier one of that name is left then. */
bool accountmail_welcome(int root, const char *domain, uid_t uid, const char *local);

/* Removes mail/DOMAIN of a domain that is gone: out of everybody's sight in one step, then for good. What
 * is left of an earlier try goes along. *found (may be NULL): there was something. */
bool accountmail_remove_domain(int root, const char *domain, bool *found);

#endif
