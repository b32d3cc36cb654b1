/*
 * removal - an account's mail on its way out, in mail/DOMAIN
 *
 *     .removing-USER  an empty file: USER is about to be removed (removal_begin); the account is taken out
 *                     of the control files then, and a crash in between can be told from an account that
 *                     is there
 *                     a folder: what was USER's, being removed
 *     USER            a file: there is no mailbox any more, and nobody makes one. The two change places in
 *                     one step: a delivery that was on its way finds the mailbox, or none
 *
 * That file keeps those away who learned of the account before it was gone: local, for mail that was
 * routed by then, and sessions that were just being started. After an hour it counts for nothing, and the
 * first who meets it takes it away; so does mailctl, when it makes an account of that name anew.
 *
 * All with the rights of the domain's uid. `domain` is mail/DOMAIN. False with errno.
 */
#ifndef MAILBOX_REMOVAL_H
#define MAILBOX_REMOVAL_H

#include <stdbool.h>
#include <stdint.h>

enum { REMOVAL_MARK_S = 60 * 60 };

/* What of an earlier removal is left goes first. Durable. */
bool removal_begin(int domain, const char *local);
/* It is not to be: as before removal_begin, if nothing was removed yet. */
bool removal_give_up(int domain, const char *local);
/* Was one begun, and not finished? */
bool removal_is_begun(int domain, const char *local);
/* Finishes it: mailbox, folders and all; true too when none was begun. */
bool removal_finish(int domain, const char *local);

/* Takes the file in the mailbox's place away: an account is made anew. */
bool removal_unmark(int domain, const char *local);
/* The same if it is older than an hour. False: there is none, or it holds. */
bool removal_unmark_old(int domain, const char *local, int64_t now);
/* Is there such a file? */
bool removal_is_marked(int domain, const char *local);

/* Removes what removals that were broken off have left, and old marks. */
bool removal_sweep(int domain, int64_t now);

#endif
