/*
 * forwardline - a line of control/domains/DOMAIN/forwards: where an account's mail goes beside its
 * mailbox (forwards(5))
 *
 *     LOCAL all TARGET
 *
 * Pure.
 */
#ifndef ADMIN_FORWARDLINE_H
#define ADMIN_FORWARDLINE_H

#include "userline.h"

enum { FORWARDLINE_TARGET_MAX = 320 };

struct forwardline {
    char local[USERLINE_LOCAL_MAX + 1];      /* in lower case */
    char target[FORWARDLINE_TARGET_MAX + 1]; /* local@domain, domain in lower case */
};

/* False: `error` says what is wrong. */
bool forwardline_parse(struct forwardline *forward, struct slice line,
                       char error[USERLINE_ERROR_MAX]);
/* Is it an address that mail may be forwarded to? `target` gets its usual form. */
bool forwardline_check_target(struct slice text, char target[FORWARDLINE_TARGET_MAX + 1],
                              char error[USERLINE_ERROR_MAX]);
/* Appends the line, without its end. */
bool forwardline_format(const struct forwardline *forward, struct str *line);

#endif
