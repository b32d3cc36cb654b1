/*
 * plans - the plans that domains are bound to, each read once
 */
#ifndef ADMIN_PLANS_H
#define ADMIN_PLANS_H

#include "values.h"

#define PLANS_DEFAULT "default"

enum { PLANS_NAME_MAX = 32 };

struct plan {
    char name[PLANS_NAME_MAX + 1];
    bool exists;
    struct values values;
    struct plan *next;
};

struct plans {
    struct plan *first;
};

void plans_free(struct plans *plans);
/* A name that may be a file: lower-case letters, digits, hyphens. */
bool plans_is_name(struct slice name);
/* Reads the plan when it is asked for first; what is wrong in it is reported then. A plan that does
 * not exist has exists == false (but "default" without a file is an empty plan). NULL when memory
 * is out. */
const struct plan *plans_find(struct plans *plans, const struct sources *sources, struct slice name,
                              struct findings *findings);
/* Reads all plans there are. */
bool plans_load_all(struct plans *plans, const struct sources *sources, struct findings *findings);

#endif
