/*
 * modseq - mod-sequences on the wire (RFC 7162, CONDSTORE)
 */
#ifndef IMAPD_MODSEQ_H
#define IMAPD_MODSEQ_H

#include "imapsession.h"

/* mod-sequence-value, or with 0 mod-sequence-valzer: at most 2^63 - 1. */
bool modseq_parse(struct parse *parse, uint64_t *modseq);
/* A command that only a client of CONDSTORE sends: it is told mod-sequences from now on, and first
 * the highest of the selected mailbox (3.1). False: CONDSTORE is off for this account. */
bool modseq_enable(struct imapsession *session);
/* "* OK [HIGHESTMODSEQ 17]": all changes up to there were told. */
void modseq_tell_highest(struct imapsession *session);
/* News were told. Where removals are held back, a client that will ask for them after a break must
 * not take a later mod-sequence for where it stands (3.2, 6). */
void modseq_note_told(struct imapsession *session);
/* "MODSEQ (17)" */
bool modseq_append(struct str *out, const struct imapsession *session,
                   const struct mailbox_message *message);
/* "HIGHESTMODSEQ 17" as the code of the tagged answer, where the client wants it after an expunge
 * (3.2.7, 3.2.9). */
void modseq_set_code(struct imapsession *session);

#endif
