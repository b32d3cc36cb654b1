/*
 * account - one line of a domain's users file, and what an account may be called
 *
 *     u1:$y$j9T$...:quota=100 comment="Sales, \"2nd\" floor"
 *
 * Local part, password hash of crypt(3) (empty: no log-in), then the account's own settings,
 * divided by spaces. A value with anything but letters, digits and -_.,@/+%$ stands in double
 * quotes, where a backslash stands before a quote or a backslash. The key apop-secret is not a
 * setting: it is the password as it is, kept only where the setting apop is on.
 */
#ifndef ADMIN_ACCOUNT_H
#define ADMIN_ACCOUNT_H

#include "str.h"

#define ACCOUNT_APOP_SECRET "apop-secret"

enum {
    ACCOUNT_LOCAL_MIN = 2, /* SPEC R2.2 */
    ACCOUNT_LOCAL_MAX = 32,
    ACCOUNT_PAIRS_MAX = 64,
    ACCOUNT_KEY_MAX = 32,
    ACCOUNT_VALUE_MAX = 1024,
    ACCOUNT_ERROR_MAX = 256,
};

struct account_pair {
    char key[ACCOUNT_KEY_MAX + 1];
    struct str value; /* as meant: without quotes */
};

struct account {
    char local[ACCOUNT_LOCAL_MAX + 1]; /* in lower case */
    struct str hash;
    struct account_pair pairs[ACCOUNT_PAIRS_MAX];
    size_t pair_count;
};

void account_init(struct account *account);
void account_free(struct account *account);

/* Reads a line into `account`, which is emptied before. False: `error` holds what is wrong and what
 * to do. Whether keys are settings and values right is checked elsewhere. */
bool account_parse(struct account *account, struct slice line, char error[ACCOUNT_ERROR_MAX]);
/* Appends the line, without its end. */
bool account_format(const struct account *account, struct str *line);

/* NULL when the account does not say. */
const struct str *account_value(const struct account *account, const char *key);
/* Replaces or adds. False when there are too many, or the value is too long. */
bool account_set(struct account *account, const char *key, struct slice value);
/* False when it was not there. */
bool account_unset(struct account *account, const char *key);

/* A name as SPEC R2.2 wants it, into `local` in lower case. False: `error` says the rule. */
bool account_check_local(struct slice name, char local[ACCOUNT_LOCAL_MAX + 1],
                         char error[ACCOUNT_ERROR_MAX]);

#endif
