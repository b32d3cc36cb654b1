/*
 * settings - the one table of everything that can be set (SPEC R20)
 *
 * Host settings are one file each in control/. Account and domain settings are looked up account,
 * domain, plan, system; a lower layer may only tighten what an upper one says, unless the plan says
 * otherwise. The compiler of control files, mailctl and the manual page control(5) all work from
 * this table; programs read compiled values (directory.h) and never link it.
 */
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include "str.h"

#include <stdint.h>

/* Where a setting may stand. An account's setting may stand in the domain and the plan too. */
enum settings_scope { SETTINGS_HOST, SETTINGS_DOMAIN, SETTINGS_ACCOUNT };

enum settings_kind {
    SETTINGS_SWITCH,       /* on, off */
    SETTINGS_NUMBER,       /* least ... most */
    SETTINGS_BYTES,        /* the same, in bytes */
    SETTINGS_CHOICE,       /* one of `choices` */
    SETTINGS_TEXT,         /* one line of UTF-8, `least` to `most` characters */
    SETTINGS_NAME,         /* a host's name of A-labels; empty if `least` is 0 */
    SETTINGS_LOCAL,        /* the local part of an address; empty if `least` is 0 */
    SETTINGS_ADDRESS,      /* local@domain; empty if `least` is 0 */
    SETTINGS_ENDPOINT,     /* an IP address with or without a port; empty if `least` is 0 */
    SETTINGS_PATH,         /* an absolute path */
    SETTINGS_PERCENTS,     /* percentages that rise, "80 95"; may be empty (percents.h) */
    SETTINGS_CAPABILITIES, /* names of IMAP capabilities that can be switched off (capability.h) */
};

/* What a layer may do to the value of the layer above it. */
enum settings_rule {
    SETTINGS_FREE,    /* anything that is within the table's bounds */
    SETTINGS_LOWER,   /* a lower number */
    SETTINGS_LOWER_0, /* a lower number, where 0 stands for "without limit" */
    SETTINGS_OFF,     /* switch off, but not on */
    SETTINGS_FIXED,   /* nothing */
};

enum settings_who { SETTINGS_OPERATOR, SETTINGS_ADMIN, SETTINGS_USER };

/* From the weakest to the strongest voice. */
enum settings_layer {
    SETTINGS_SYSTEM,
    SETTINGS_PLAN,
    SETTINGS_OF_DOMAIN,
    SETTINGS_OF_ACCOUNT,
    SETTINGS_LAYERS,
};

enum { SETTINGS_VALUE_MAX = 1024, SETTINGS_NAME_MAX = 32 };

struct setting {
    const char *name;
    enum settings_scope scope;
    enum settings_kind kind;
    const char *otherwise; /* the default; NULL: must be given */
    uint64_t least, most; /* numbers: of the value; text: of its characters; others: of its bytes */
    const char *choices;  /* SETTINGS_CHOICE: words */
    enum settings_who who;
    enum settings_rule rule;
    const char *readers;  /* the programs that act on it; "" none yet: set, shown, not enforced */
    const char *sentence; /* what it does */
    const char *reply;    /* what a client is told when it bites, or NULL */
};

extern const struct setting settings_table[];
extern const size_t settings_count;

/* The host's setting of that name; NULL when there is none. */
const struct setting *settings_find_host(struct slice name);
/* The account's or domain's setting of that name. */
const struct setting *settings_find(struct slice name);

/* Is `value` right for the setting? If not, `reason` says what is, as the end of a sentence:
 * "is not a number of bytes from 1 to 10 (try 5)". */
bool settings_check(const struct setting *setting, struct slice value, struct str *reason);

/* May a layer whose upper layers have `upper` in force say `lower`? Both have passed
 * settings_check. */
bool settings_may(enum settings_rule rule, struct slice upper, struct slice lower);

/* What the layers say; `said` false where a layer is silent. The system layer is the table's. */
struct settings_stack {
    struct {
        bool said;
        struct slice value;
    } layer[SETTINGS_LAYERS];
    bool plan_rules;         /* the plan gives another rule than the table */
    enum settings_rule rule; /* which one */
};

/* The value in force and the layer it comes from. A layer that says what it may not say any more
 * (the plan became tighter) does not count; *ignored (may be NULL) tells. */
struct slice settings_in_force(const struct setting *setting, const struct settings_stack *stack,
                               enum settings_layer *layer, bool *ignored);

const char *settings_scope_name(enum settings_scope scope);
const char *settings_kind_name(enum settings_kind kind);
const char *settings_layer_name(enum settings_layer layer);
const char *settings_who_name(enum settings_who who);
/* "may be lowered", ... */
const char *settings_rule_text(enum settings_rule rule);

#endif
