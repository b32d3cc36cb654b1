/*
 * replacement - many files that take the place of others together, or not at all
 *
 * All are written beside those they replace first; what fails then, a full disk above all, leaves
 * everything as it was. Only when all are on the disk do they get their names. Who may call that
 * holds the lock of the control files: the names beside (".NAME.new") are the same for all callers,
 * so that one that was killed leaves nothing behind for long.
 */
#ifndef ADMIN_REPLACEMENT_H
#define ADMIN_REPLACEMENT_H

#include "slice.h"

#include <stddef.h>
#include <sys/types.h>

/* Up to so many files and folders are synced one by one, which waits for nobody else's data. */
enum { REPLACEMENT_FEW = 16 };

struct replacement {
    int folder; /* not owned */
    char *name;
    enum replacement_kind { REPLACEMENT_FILE, REPLACEMENT_FOLDER, REPLACEMENT_REMOVAL } kind;
};

struct replacements {
    struct replacement *of;
    size_t count;
    size_t files; /* of them */
};

/* `folder` stays open till replacement_commit or replacement_drop; `name` has no '/'. `owner` and
 * `group` as for fchown ((uid_t)-1: leave). False with errno: nothing was added. */
bool replacement_add(struct replacements *replacements, int folder, const char *name,
                     struct slice content, mode_t mode, uid_t owner, gid_t group);
/* A folder (here with a path) that was made for files that follow: it goes again if they do not come. */
bool replacement_add_folder(struct replacements *replacements, int folder, const char *name);

/* What bears this name goes; that it is gone already is as good. */
bool replacement_add_removal(struct replacements *replacements, int folder, const char *name);

/* Syncs all, gives them their names in the order in which they were added, and syncs the folders.
 * False with errno; *begun: some have their names already. Empties it in any case. */
bool replacement_commit(struct replacements *replacements, bool *begun);
/* Gives up: nothing has changed. errno is kept. */
void replacement_drop(struct replacements *replacements);

#endif
