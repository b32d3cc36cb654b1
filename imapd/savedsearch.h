/*
 * savedsearch - the messages that "$" stands for (RFC 5182, RFC 9051 6.4.4.1)
 *
 * Kept as UIDs: an expunge moves no UID, and a message that is gone is just not found any more. At
 * most one range per message, so it is no longer than the mailbox.
 */
#ifndef IMAPD_SAVEDSEARCH_H
#define IMAPD_SAVEDSEARCH_H

#include "sequence.h"

struct savedsearch {
    struct sequence_range *uids; /* sorted; they don't touch */
    size_t count;
};

/* Takes `count` UIDs in any order, which are sorted in place. False without memory; nothing is
 * saved then. */
bool savedsearch_set(struct savedsearch *saved, uint32_t *uids, size_t count);
void savedsearch_clear(struct savedsearch *saved);

#endif
