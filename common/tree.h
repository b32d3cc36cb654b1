/*
 * tree - removing a folder with all that is in it
 *
 * Links are removed, never followed. What others put into it meanwhile goes, too, as long as they do not
 * go on for ever. False with errno.
 */
#ifndef COMMON_TREE_H
#define COMMON_TREE_H

#include <stdbool.h>

/* Removes `name` and all below it. A missing one is done already. */
bool tree_remove(int directory, const char *name);
/* Removes all that is in the open folder; the folder stays. */
bool tree_remove_content(int folder);

#endif
