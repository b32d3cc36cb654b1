/*
 * returned - recipients that are rewritten senders: what comes back of forwarded mail (srs.h)
 */
#ifndef COMMON_RETURNED_H
#define COMMON_RETURNED_H

#include "directory.h"
#include "srs.h"

/* Whose address is it really? SRS_NONE where `address` is no such one, of no domain of ours, or no
 * secret is set. SRS_OK appends the first sender's, through as many domains of ours as forwarded it; `original` is
 * empty before. SRS_TROUBLE also when the directory can't be
 * read. */
enum srs_result returned_find(struct directory *directory, struct slice address,
                              int64_t now_seconds, struct str *original);

#endif
