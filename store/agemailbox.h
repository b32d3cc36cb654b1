/*
 * agemailbox - ageing the mail of one account (SPEC R14)
 *
 * Messages of INBOX whose date of receipt (INTERNALDATE) is too old move to the folder that has the use
 * \Archive, which is made where it is missing. Messages that came into the folder with the use \Trash
 * (SAVEDATE, RFC 8514) too long ago are removed; its subfolders are left alone, because what lies in a
 * folder that was moved there came into that folder long before. INBOX is never the trash, and what is
 * the archive, too, loses nothing.
 *
 * Batches of at most AGEMAILBOX_BATCH under the mailboxes' locks, so that a session waits for
 * milliseconds; what was done stays done whatever comes then, and a second run goes on with the rest.
 */
#ifndef STORE_AGEMAILBOX_H
#define STORE_AGEMAILBOX_H

#include "ageing.h"

#include <stdbool.h>
#include <stdint.h>

enum { AGEMAILBOX_BATCH = 64 };

/* Shall the next batch be begun? */
typedef bool agemailbox_goes_on(void *owner);

struct agemailbox {
    struct ageing_days days;
    bool only_looks;
    int64_t now; /* seconds since 1970 */
    agemailbox_goes_on *goes_on;
    void *owner;
    struct ageing_result result; /* what was done, or would be; also when it ended early */
    const char *trouble;         /* NULL, or what could not be done */
};

/* The current folder is the account's, mail/DOMAIN/USER; one without mail needs no ageing. False with
 * errno and `trouble`. */
bool agemailbox_run(struct agemailbox *work);

#endif
