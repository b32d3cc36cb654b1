/*
 * folder - what is in a folder, and folders made and removed as another uid
 */
#ifndef ADMIN_FOLDER_H
#define ADMIN_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct folder_names {
    char **of; /* sorted, owned */
    size_t count;
};

/* The names in `path` but for those that begin with '.' or end in '~'. A missing folder is empty.
 * False with errno. */
bool folder_list(int directory, const char *path, struct folder_names *names);
void folder_names_free(struct folder_names *names);

/* Makes the folder, mode 0700, where missing, owned by `uid` from the start. *made may be NULL. */
bool folder_make(int directory, const char *name, uid_t uid, bool *made);
/* Removes `name` and all below it, as `uid`, so that whatever its owner put there can mislead
 * nobody else. A missing one is done already. `uid` -1: as oneself. */
bool folder_remove(int directory, const char *name, uid_t uid);

/* The same for what is in the open folder; the folder stays. */
bool folder_remove_content(int folder, uid_t uid);

/* Goes on as `uid` and its group (effective only), and back to root. Both false with errno. */
bool folder_act_as(uid_t uid);
bool folder_act_as_root(void);

#endif
