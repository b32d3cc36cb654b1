/*
 * listing - the queue as text, for mailq
 */
#ifndef QUEUE_LISTING_H
#define QUEUE_LISTING_H

#include "loaded.h"

#include <stdio.h>

struct listing_sums {
    size_t messages, broken, recipients;
    uint64_t bytes;
};

/* Writes every message of the folder `path` (queue/message, queue/hold), oldest first; `mark`
 * stands behind the id. Failures' reasons are read from `failures` (a folder). False with errno. */
bool listing_folder(FILE *out, const char *path, int failures, const char *mark,
                    struct listing_sums *sums);
/* One message; pure but for writing. `reasons` is the content of its failure file. */
void listing_message(FILE *out, const struct queuefile *file, const char *mark,
                     struct slice reasons);
void listing_sums(FILE *out, const struct listing_sums *sums);

#endif
