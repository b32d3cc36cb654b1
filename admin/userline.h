/*
 * userline - one line of a domain's users file, and what an account may be called
 *
 *     u1:$y$j9T$...:quota=100 comment="Sales, \"2nd\" floor"
 *
 * Local part, password hash of crypt(3) (empty: no log-in; with '!' in front: of a password that the
 * operator made void, SPEC R10), then the account's own settings, divided by spaces. A value with anything but letters, digits and -_.,@/+%$ stands in double
 * quotes, where a backslash stands before a quote or a backslash. The key apop-secret is not a
 * setting: it is the password as it is, kept only where the setting apop is on.
 */
#ifndef ADMIN_USERLINE_H
#define ADMIN_USERLINE_H

#include "str.h"

#define USERLINE_APOP_SECRET "apop-secret"
#define USERLINE_VOID        "!"

enum {
    USERLINE_LOCAL_MIN = 2, /* SPEC R2.2 */
    USERLINE_LOCAL_MAX = 32,
    USERLINE_PAIRS_MAX = 64,
    USERLINE_KEY_MAX = 32,
    USERLINE_VALUE_MAX = 1024,
    USERLINE_ERROR_MAX = 256,
};

struct userline_pair {
    char key[USERLINE_KEY_MAX + 1];
    struct str value; /* as meant: without quotes */
};

struct userline {
    char local[USERLINE_LOCAL_MAX + 1]; /* in lower case */
    struct str hash;
    struct userline_pair pairs[USERLINE_PAIRS_MAX];
    size_t pair_count;
};

void userline_init(struct userline *account);
void userline_free(struct userline *account);

/* Reads a line into `account`, which is emptied before. False: `error` holds what is wrong and what
 * to do. Whether keys are settings and values right is checked elsewhere. */
bool userline_parse(struct userline *account, struct slice line, char error[USERLINE_ERROR_MAX]);
/* Appends the line, without its end. */
bool userline_format(const struct userline *account, struct str *line);

/* Is it the hash of a password that was made void? */
bool userline_is_void(struct slice hash);

/* Cuts a value off the front of *rest, where no blank stands, as it is meant: without quotes. False:
 * `error` says what is wrong. */
bool userline_cut_value(struct slice *rest, struct str *value, char error[USERLINE_ERROR_MAX]);
/* Appends a value in quotes, which it may always have. */
void userline_put_quoted(struct str *line, struct slice value);

/* NULL when the account does not say. */
const struct str *userline_value(const struct userline *account, const char *key);
/* Replaces or adds. False when there are too many, or the value is too long. */
bool userline_set(struct userline *account, const char *key, struct slice value);
/* False when it was not there. */
bool userline_unset(struct userline *account, const char *key);

/* A name as SPEC R2.2 wants it, into `local` in lower case. False: `error` says the rule. */
bool userline_check_local(struct slice name, char local[USERLINE_LOCAL_MAX + 1],
                          char error[USERLINE_ERROR_MAX]);

#endif
