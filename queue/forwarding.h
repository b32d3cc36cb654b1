/*
 * forwarding - what local is told about the copies that go on from an account (forwards(5))
 *
 * The sender of a copy is rewritten here (common/srs.h), so that no program of a domain's uid needs
 * the secret.
 */
#ifndef QUEUE_FORWARDING_H
#define QUEUE_FORWARDING_H

#include "directory.h"
#include "queuefile.h"

/* Appends the field of local/4 (deliver/forward.h) for an account's mail: nothing where it is not
 * forwarded. `recipient` is the index in the file. False: trouble with the directory, or no
 * memory. */
bool forwarding_put(struct directory *directory, const struct directory_account *account,
                    const struct queuefile *file, size_t recipient, struct slice sender,
                    int64_t now_seconds, struct str *field);

#endif
