/*
 * forwardline - a line of control/domains/DOMAIN/forwards: where an account's mail goes beside its
 * mailbox, and which mail (forwards(5))
 *
 *     LOCAL all TARGET
 *     LOCAL from "KEYWORD" TARGET...
 *     LOCAL subject "KEYWORD" TARGET...
 *
 * A keyword is quoted as a value of users(5). Pure.
 */
#ifndef ADMIN_FORWARDLINE_H
#define ADMIN_FORWARDLINE_H

#include "forwardrule.h"
#include "userline.h"

enum {
    FORWARDLINE_TARGETS_MAX = FORWARDRULE_TARGETS_MAX,
    FORWARDLINE_TARGET_MAX = FORWARDRULE_TARGET_MAX,
};

struct forwardline {
    char local[USERLINE_LOCAL_MAX + 1]; /* in lower case */
    enum forwardrule_condition condition;
    struct str keyword; /* as meant: without quotes; empty under all */
    char **targets;     /* local@domain, domain in lower case; in the order of the alphabet */
    size_t target_count;
};

void forwardline_init(struct forwardline *forward);
void forwardline_free(struct forwardline *forward);

/* Reads a line into `forward`, which is emptied before. False: `error` says what is wrong. */
bool forwardline_parse(struct forwardline *forward, struct slice line,
                       char error[USERLINE_ERROR_MAX]);
/* Is it an address that mail may be forwarded to? `target` gets its usual form. */
bool forwardline_check_target(struct slice text, char target[FORWARDLINE_TARGET_MAX + 1],
                              char error[USERLINE_ERROR_MAX]);
/* Appends the line, without its end. */
bool forwardline_format(const struct forwardline *forward, struct str *line);

/* `target` is as forwardline_check_target makes it. */
bool forwardline_has_target(const struct forwardline *forward, const char *target);
/* Puts it where it belongs. False: FORWARDLINE_TARGETS_MAX are there, or memory is out. */
bool forwardline_add_target(struct forwardline *forward, const char *target);
/* False: it is not there. */
bool forwardline_del_target(struct forwardline *forward, const char *target);

/* The order in which lines of one account are shown: "all", "from", "subject", then by keyword. */
int forwardline_compare(const struct forwardline *left, const struct forwardline *right);
/* Appends the rule as programs read it. */
bool forwardline_put_rule(const struct forwardline *forward, struct str *record);

#endif
