/*
 * database - writing a constant database: made in memory, compared, replaced together with others
 *
 * A file whose content would not change is not touched, so that a rebuild of everything writes
 * what changed only.
 */
#ifndef ADMIN_DATABASE_H
#define ADMIN_DATABASE_H

#include "replacement.h"

#include <cdb.h>
#include <sys/types.h>

struct database {
    int fd; /* -1 when broken */
    struct cdb_make make;
    int error; /* errno of the first failure */
};

void database_begin(struct database *database);
void database_add(struct database *database, struct slice key, struct slice value);
/* It is to be `folder`/`name`; nothing is added to `replacements` when it is that already. False with
 * errno when this, or something before, failed. */
bool database_commit(struct database *database, struct replacements *replacements, int folder,
                     const char *name, mode_t mode, uid_t owner, gid_t group);
/* Gives up. */
void database_drop(struct database *database);

#endif
