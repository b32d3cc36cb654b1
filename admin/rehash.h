/*
 * rehash - the users file with other hashes of the same passwords
 *
 * A hash takes the place of the one that it is about, and of no other: who got another password
 * meanwhile, or went, is left alone. One that was made void meanwhile stays void. Nothing else in
 * the file changes. Pure.
 */
#ifndef ADMIN_REHASH_H
#define ADMIN_REHASH_H

#include "str.h"
#include "userline.h"

struct rehash {
    char local[USERLINE_LOCAL_MAX + 1]; /* in lower case */
    struct slice was, now;
};

/* For rehash_users. */
void rehash_sort(struct rehash *of, size_t count);

/* Appends the new text; *done counts the hashes that were replaced. `of` is sorted, no name twice.
 * False: memory is out. */
bool rehash_users(const struct rehash *of, size_t count, struct slice users, struct str *fresh,
                  size_t *done);

#endif
