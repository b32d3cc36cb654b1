/*
 * folders - what is in a folder, and folders made and removed as another uid
 */
#ifndef ADMIN_FOLDERS_H
#define ADMIN_FOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct folders_names {
    char **of; /* sorted, owned */
    size_t count;
};

/* The names in `path` but for those that begin with '.' or end in '~'. A missing folder is empty.
 * False with errno. */
bool folders_list(int directory, const char *path, struct folders_names *names);
void folders_names_free(struct folders_names *names);
/* Puts a name among the sorted ones, unless it is there; false without memory. Takes one out, if it is
 * there. */
bool folders_names_add(struct folders_names *names, const char *name);
void folders_names_remove(struct folders_names *names, const char *name);

/* Makes the folder, mode 0700, where missing, owned by `uid` from the start. *made may be NULL. */
bool folders_make(int directory, const char *name, uid_t uid, bool *made);
/* Removes `name` and all below it, as `uid`, so that whatever its owner put there can mislead
 * nobody else. A missing one is done already. `uid` -1: as oneself. */
bool folders_remove(int directory, const char *name, uid_t uid);

/* The same for what is in the open folder; the folder stays. */
bool folders_remove_content(int folder, uid_t uid);

/* Goes on as `uid` and its group (effective only), and back to root. Both false with errno. */
bool folders_act_as(uid_t uid);
bool folders_act_as_root(void);

#endif
