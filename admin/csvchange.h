/*
 * csvchange - the users file as it is when the rows of a CSV file have become true
 *
 * New accounts come at the end; of the others their lines change, and everything else in the file
 * stays, comments and order too. Pure.
 */
#ifndef ADMIN_CSVCHANGE_H
#define ADMIN_CSVCHANGE_H

#include "csvaccounts.h"

struct csvchange_counts {
    size_t done;      /* accounts that were added, or changed */
    size_t unchanged; /* rows that say nothing */
    size_t skipped;   /* rows of accounts that there are not */
};

/* Appends the new text. The accounts have been checked against `domain`, and have hashes. False:
 * memory is out, or an account would have too many settings. */
bool csvchange_register(const struct csvaccounts *accounts, const struct domain *domain,
                        struct slice users, struct str *fresh, struct csvchange_counts *counts);
bool csvchange_edit(const struct csvaccounts *accounts, const struct domain *domain,
                    struct slice users, struct str *fresh, struct csvchange_counts *counts);

#endif
