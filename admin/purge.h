/*
 * purge - emptying a mailbox: every message that is there at the start, and nothing else
 */
#ifndef ADMIN_PURGE_H
#define ADMIN_PURGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Removes all messages from the Maildir++ `path` and its folders, as `uid`. A folder that is not
 * there is empty. False with errno. */
bool purge_maildir(int directory, const char *path, uid_t uid, size_t *removed);

#endif
