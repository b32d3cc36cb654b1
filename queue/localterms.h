/*
 * localterms - what local is told about an account: its compiled settings, as the field `terms`
 */
#ifndef QUEUE_LOCALTERMS_H
#define QUEUE_LOCALTERMS_H

#include "deliveryterms.h"
#include "directory.h"
#include "forwarding.h"

/* The terms of an account, but for its automatic reply. False: trouble with the directory. */
bool localterms_fill(struct directory *directory, const struct directory_account *account,
                     struct delivery_terms *terms);
/* All of them for a message of `sender`, as a field of local/4. An account that may not send now does
 * not answer, and nobody answers a sender of ours who did not log in. False also: no memory. */
bool localterms_put(struct forwarding *forwarding, const struct directory_account *account,
                    const struct queuefile *file, struct slice sender, struct str *field);

#endif
