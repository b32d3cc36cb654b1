/*
 * account - what authd has to know about the account that a user name stands for
 */
#ifndef AUTHD_ACCOUNT_H
#define AUTHD_ACCOUNT_H

#include "directory.h"
#include "login.h"
#include "password.h"
#include "terms.h"

enum account_result { ACCOUNT_KNOWN, ACCOUNT_UNKNOWN, ACCOUNT_TROUBLE };

struct account {
    /* "local@domain" in lower case; of an unknown one, what was typed, for counting failures. */
    char name[AUTH_USER_MAX + 1];
    char domain[DIRECTORY_DOMAIN_MAX + 1];
    char local[DIRECTORY_LOCAL_MAX + 1];
    bool plaintext; /* a password may come without TLS */
    bool service;   /* imap, pop3: the account has the service */
    bool apop;
    uint64_t lock_failures; /* of its domain's plan; 0: the host's */
    uint64_t lock_seconds;
    struct terms terms; /* of a known account, where a program gets it */
    bool
        expired; /* the password is void, though it may be the right one: a new one has to be set */
    char hash[PASSWORD_HASH_MAX +
              1]; /* empty: no login by password; while it is read, with a mark */
    char apop_secret[AUTH_SECRET_MAX + 1]; /* empty: none */
};

/* Looks up. An unknown account (no such domain or user, no hash) gives ACCOUNT_UNKNOWN with `name`,
 * and `plaintext` as its domain has it. The name counts as it stands: catch-all, plus-addressing
 * and the aliases of directory.h are for mail, nobody logs in by them. */
enum account_result account_find(struct directory *directory, const struct login *login,
                                 struct account *account);
/* Forgets hash and secret. */
void account_wipe(struct account *account);

#endif
