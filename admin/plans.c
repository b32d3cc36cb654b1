/* plans - see plans.h */
#include "plans.h"

#include "folders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool plans_is_name(struct slice name)
{
    if (name.size == 0 || name.size > PLANS_NAME_MAX || name.data[0] == '-')
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (!(name.data[i] >= 'a' && name.data[i] <= 'z') && !slice_is_digit(name.data[i]) &&
            name.data[i] != '-')
            return false;
    return true;
}

void plans_free(struct plans *plans)
{
    while (plans->first) {
        struct plan *plan = plans->first;
        plans->first = plan->next;
        values_free(&plan->values);
        free(plan);
    }
}

const struct plan *plans_find(struct plans *plans, const struct sources *sources, struct slice name,
                              struct findings *findings)
{
    char path[PATH_MAX];
    bool missing;
    for (const struct plan *known = plans->first; known; known = known->next)
        if (slice_equal(name, slice_text(known->name)))
            return known;
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan || !slice_copy_text(name, plan->name, sizeof plan->name)) {
        free(plan);
        return NULL;
    }
    plan->next = plans->first;
    plans->first = plan;
    snprintf(path, sizeof path, "plans/%s", plan->name);
    if (!values_load(&plan->values, sources, path, true, findings, &missing))
        return NULL;
    plan->exists = !missing || strcmp(plan->name, PLANS_DEFAULT) == 0;
    return plan;
}

bool plans_load_all(struct plans *plans, const struct sources *sources, struct findings *findings)
{
    struct folders_names names;
    if (!folders_list(sources->folder, "plans", &names)) {
        findings_trouble(findings, "control/plans", "list it");
        return false;
    }
    for (size_t i = 0; i < names.count; i++) {
        struct slice name = slice_text(names.of[i]);
        if (!plans_is_name(name))
            findings_error(findings, "control/plans", 0,
                           "\"%s\" is no name for a plan (lower-case letters, digits, hyphens): "
                           "rename or remove it",
                           names.of[i]);
        else if (!plans_find(plans, sources, name, findings))
            findings_error(findings, "control/plans", 0, "%s can't be read", names.of[i]);
    }
    folders_names_free(&names);
    return true;
}
