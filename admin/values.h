/*
 * values - the settings that one file says: a plan, or a domain's settings
 *
 * Lines NAME VALUE. In a plan "free" or "fixed" may stand in front: then the layers below may say
 * anything, or nothing, whatever the table says.
 */
#ifndef ADMIN_VALUES_H
#define ADMIN_VALUES_H

#include "settings.h"
#include "sources.h"

struct value {
    bool said;
    char *text; /* owned */
    unsigned line;
    bool has_rule;
    enum settings_rule rule;
};

struct values {
    struct value *of; /* settings_count of them, in the table's order; NULL when not loaded */
};

void values_free(struct values *values);
/* Reads and checks; what is wrong is reported. False only when memory is out or the file can't be
 * read. *missing: there is no such file; all is silent then. */
bool values_load(struct values *values, const struct sources *sources, const char *path,
                 bool is_plan, struct findings *findings, bool *missing);
/* What it says of `setting`, said or not. */
const struct value *values_get(const struct values *values, const struct setting *setting);

#endif
