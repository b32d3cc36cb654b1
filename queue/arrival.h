/*
 * arrival - notices new files in queue/message
 *
 * The kernel announces each name (inotify), and at the start, or when announcements were lost, the
 * folder is read once. Nothing is opened here.
 */
#ifndef QUEUE_ARRIVAL_H
#define QUEUE_ARRIVAL_H

#include "loop.h"
#include "slice.h"

/* A file is there. `is_new`: it came just now. May be called again for the same name. */
typedef void arrival_found(void *owner, struct slice name, bool is_new);

struct arrival {
    struct loop_watch watch;
    int folder; /* not owned */
    int fd;     /* inotify */
    arrival_found *found;
    void *owner;
};

/* Starts to watch the folder open as `folder` at `path`. False with errno. */
bool arrival_init(struct arrival *arrival, struct loop *loop, int folder, const char *path,
                  arrival_found *found, void *owner);
void arrival_free(struct arrival *arrival, struct loop *loop);
/* Reports all that is there. The number of files; -1 with errno. */
long arrival_read_folder(struct arrival *arrival);

#endif
