/*
 * registry - cdb/domains.cdb: which domains there are, whose children they are, under which uid
 */
#ifndef ADMIN_REGISTRY_H
#define ADMIN_REGISTRY_H

#include "domain.h"
#include "findings.h"
#include "replacement.h"

struct registry_entry {
    char *name;   /* A-labels, lower case */
    char *parent; /* the same as name for a domain that has accounts */
    uid_t uid;
};

struct registry {
    struct registry_entry *of;
    size_t count;
};

void registry_free(struct registry *registry);
/* Reads the compiled file. False with errno: ENOENT, or it is broken. */
bool registry_load(struct registry *registry, int folder);
/* Adds the domain and its children; false when memory is out. */
bool registry_add(struct registry *registry, const struct domain *domain);
/* Takes out the domain and its children. */
void registry_remove(struct registry *registry, const char *parent);
/* Names and uids that are there twice are errors. Sorts. */
void registry_check(struct registry *registry, struct findings *findings);
/* NULL when `name` is not there. The second is faster, and right only behind registry_check. */
const struct registry_entry *registry_find(const struct registry *registry, const char *name);
const struct registry_entry *registry_find_sorted(const struct registry *registry,
                                                  const char *name);
/* A uid that no domain has: the one behind the highest, or the lowest hole. 0: none is left. */
uid_t registry_next_uid(const struct registry *registry);
/* Puts it to `replacements`, with the names people read beside those of A-labels. */
bool registry_write(const struct registry *registry, struct replacements *replacements, int folder,
                    gid_t group);

#endif
