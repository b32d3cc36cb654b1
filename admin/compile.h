/*
 * compile - one domain's control files into cdb/domain/NAME.cdb and cdb/secret/NAME.cdb
 */
#ifndef ADMIN_COMPILE_H
#define ADMIN_COMPILE_H

#include "domain.h"
#include "replacement.h"

/* cdb/, opened, and who may read what is below it. */
struct compile_target {
    int folder; /* cdb */
    int domain; /* cdb/domain */
    int secret; /* cdb/secret */
    int relay;  /* cdb/relay: for remote alone */
    gid_t directory_group;
    gid_t secret_group;
    gid_t relay_group;
};

/* Opens ROOT/cdb with its folders, which are made where missing. `root` is a descriptor. False
 * with errno. */
bool compile_open(struct compile_target *target, int root);
void compile_close(struct compile_target *target);

/* Puts both to `replacements`. False: reported. */
bool compile_domain(const struct compile_target *target, const struct domain *domain,
                    struct replacements *replacements, struct findings *findings);
/* Removes the files of a domain that is no more. */
bool compile_remove(const struct compile_target *target, const char *name,
                    struct findings *findings);

#endif
