/*
 * forwardrule - where an account's mail goes on to, and which mail (forwards(5)), as compiled and as
 * local is told it
 *
 * A record is a run of rules. A rule is a netstring that holds netstrings: condition ("all", "from",
 * "subject"), keyword (UTF-8; empty under "all"), then each target. Pure.
 */
#ifndef COMMON_FORWARDRULE_H
#define COMMON_FORWARDRULE_H

#include "str.h"

enum {
    FORWARDRULE_TARGETS_MAX = 300,  /* of an account (SPEC R7.1) */
    FORWARDRULE_TARGET_MAX = 320,   /* bytes */
    FORWARDRULE_KEYWORD_MAX = 256,  /* bytes */
    FORWARDRULE_RECORD_MAX = 40000, /* bytes: it travels to local in one packet with other things */
    FORWARDRULE_OVERHEAD = 8,       /* a netstring is longer than what it holds by less than this */
    FORWARDRULE_RULE_OVERHEAD = 4 * FORWARDRULE_OVERHEAD, /* the same of a rule */
};

/* In the order in which they are shown. */
enum forwardrule_condition { FORWARDRULE_ALL, FORWARDRULE_FROM, FORWARDRULE_SUBJECT };

struct forwardrule {
    enum forwardrule_condition condition;
    struct slice keyword;
    struct slice targets; /* for forwardrule_cut_target */
};

const char *forwardrule_name(enum forwardrule_condition condition);
/* False: there is no such condition. */
bool forwardrule_find(struct slice name, enum forwardrule_condition *condition);
/* A keyword: 1 to FORWARDRULE_KEYWORD_MAX bytes of UTF-8, not blanks alone, no control characters. */
bool forwardrule_is_keyword(struct slice text);

/* Cuts the first rule, or target, off the front: 1 one, 0 there is none, -1 that is no record. */
int forwardrule_cut(struct slice *record, struct forwardrule *rule);
int forwardrule_cut_target(struct slice *targets, struct slice *target);

/* Appends the rule. */
bool forwardrule_put(struct str *record, const struct forwardrule *rule);

#endif
