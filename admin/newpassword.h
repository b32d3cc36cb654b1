/*
 * newpassword - a password that an account gets: what it must be, and what follows (SPEC R2.3, R10)
 */
#ifndef ADMIN_NEWPASSWORD_H
#define ADMIN_NEWPASSWORD_H

#include "userline.h"

#define NEWPASSWORD_LIKE_VOID "the password is like the old one: think of another"

/* Whose it is. */
struct newpassword {
    const char *local, *domain;
    struct userline *account; /* its line */
};

/* May the account have it? It keeps to the policy, and is not like one that was made void. If not,
 * `reasons` (of POLICY_REASONS_MAX) says all that is wrong. */
bool newpassword_check(const struct newpassword *of, struct slice secret, struct str *reasons);
/* The last of that: `hash` is one that was made void (userline.h), and `secret` is like its password.
 * Takes as long as many hashes. */
bool newpassword_is_like_void(struct slice secret, struct slice hash);
/* Is it the one that the account has? Then it is no change. */
bool newpassword_is_old(const struct newpassword *of, struct slice secret);
/* Makes the account's password void: nobody can log in by it, and its hash stays for the
 * comparison. False: there is none. */
bool newpassword_withdraw(const struct newpassword *of);
#endif
