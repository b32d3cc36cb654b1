/*
 * loaded - a queue file, opened and its block in memory, while something is done with it
 */
#ifndef QUEUE_LOADED_H
#define QUEUE_LOADED_H

#include "queuefile.h"

struct loaded {
    int fd;    /* for reading alone: it goes to workers of other uids */
    int write; /* for status bytes; opened when the first is written, else -1 */
    int folder;
    uint64_t inode;
    char id[QUEUEFILE_ID_SIZE + 1];
    struct str block; /* `file` points into it */
    struct queuefile file;
};

enum loaded_result {
    LOADED_OK,
    LOADED_GONE,    /* no such file */
    LOADED_BROKEN,  /* cut short, or not a queue file: never to be delivered */
    LOADED_TROUBLE, /* errno: passing */
};

/* Opens `id` in `folder`. Anything but LOADED_OK leaves *loaded NULL. */
enum loaded_result loaded_open(int folder, const char *id, struct loaded **loaded);
/* The same for its draft (draft.h). */
enum loaded_result loaded_open_draft(int folder, const char *id, struct loaded **loaded);
void loaded_close(struct loaded **loaded);

/* Writes one recipient's status byte, in memory and in the file; loaded_sync makes them
 * last. False with errno. */
bool loaded_set_status(struct loaded *loaded, size_t index, enum queuefile_status status);
bool loaded_sync(struct loaded *loaded);
size_t loaded_count(const struct loaded *loaded, enum queuefile_status status);
/* Recipients that are to do. */
size_t loaded_count_todo(const struct loaded *loaded);

#endif
