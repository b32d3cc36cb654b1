/*
 * modseq - mod-sequences on the wire (RFC 7162, CONDSTORE)
 */
#ifndef IMAPD_MODSEQ_H
#define IMAPD_MODSEQ_H

#include "imapsession.h"

/* mod-sequence-value, or with 0 mod-sequence-valzer: at most 2^63 - 1. */
bool modseq_parse(struct parse *parse, uint64_t *modseq);
/* A command that only a client of CONDSTORE sends: it is told mod-sequences from now on (3.1). False:
 * CONDSTORE is off for this account. */
bool modseq_enable(struct imapsession *session);
/* "MODSEQ (17)" */
bool modseq_append(struct str *out, const struct imapsession *session,
                   const struct mailbox_message *message);
/* "HIGHESTMODSEQ 17" as the code of the tagged answer, where the client wants it after an expunge
 * (3.2.7, 3.2.8). */
void modseq_set_code(struct imapsession *session);

#endif
