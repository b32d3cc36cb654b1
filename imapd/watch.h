/*
 * watch - what happens to folders of the account, by inotify: for IDLE and NOTIFY
 *
 * A folder costs one watch on itself (its index, its annotations; of Maildir also the folders that
 * come and go, and the account's own files) and one on its new/; cur/ is watched where a change by
 * programs that know no index matters at once. Watches stay with a folder that is renamed.
 */
#ifndef IMAPD_WATCH_H
#define IMAPD_WATCH_H

#include "imapfolder.h"

#include <stdbool.h>

enum watch_news {
    WATCH_MESSAGES = 1 << 0,        /* messages or flags */
    WATCH_METADATA = 1 << 1,        /* annotations of the folder */
    WATCH_NAMES = 1 << 2,           /* folders came, went, or got another name */
    WATCH_SUBSCRIPTIONS = 1 << 3,   /* the list of them */
    WATCH_SERVER_METADATA = 1 << 4, /* annotations of the account */
    WATCH_WHOLE = 1 << 5,           /* a folder that was just made has become one */
    WATCH_GONE = 1 << 6,            /* the folder is no more, nor is this watch */
    WATCH_LOST = 1 << 7,            /* more than the kernel kept: anything may have happened */
};

enum watch_part { WATCH_FOLDER, WATCH_NEW, WATCH_CUR, WATCH_PARTS };

/* A folder's watches; all zero: none. */
struct watched {
    int ids[WATCH_PARTS]; /* 0: none */
};

/* A descriptor to poll for POLLIN; -1 with errno. */
int watch_open(void);
/* Watches what is not watched yet. False with errno: ENOSPC: the kernel has no watch left; ENOENT: the
 * folder, or a part of it, is not there. */
bool watch_add(int watch, const struct imapfolder *folder, bool with_cur, struct watched *watched);
/* Ends those watches that are not also `others`, which may be NULL. */
void watch_remove(int watch, struct watched *watched, const struct watched *others);
/* Ends the watch of a folder that was just made, if it is still the one that watch_read has set. */
void watch_forget(int watch, int id);
bool watch_is(const struct watched *watched, int id);

/* `news` of the folder of that id; 0 with WATCH_LOST. */
typedef void watch_taker(void *owner, int id, unsigned news);
/* Takes all that has happened, without waiting. A folder that has just been made is none before it has
 * its cur/: it gets a watch of an id that nobody knows, till it is told so with WATCH_WHOLE. */
void watch_read(int watch, watch_taker *take, void *owner);

#endif
