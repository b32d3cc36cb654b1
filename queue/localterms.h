/*
 * localterms - what local is told about an account: its compiled settings, as the field `terms`
 */
#ifndef QUEUE_LOCALTERMS_H
#define QUEUE_LOCALTERMS_H

#include "deliveryterms.h"
#include "directory.h"

/* The terms of an account. False: trouble with the directory. */
bool localterms_fill(struct directory *directory, const struct directory_account *account,
                     struct delivery_terms *terms);
/* The same as a field of local/4. False also: no memory. */
bool localterms_put(struct directory *directory, const struct directory_account *account,
                    struct str *field);

#endif
