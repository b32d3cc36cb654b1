/*
 * queueview - what is in the queue, read from its files
 */
#ifndef ADMIN_QUEUEVIEW_H
#define ADMIN_QUEUEVIEW_H

#include "slice.h"

#include <jansson.h>

/* All messages of queue/FOLDER ("message", "hold", "broken") as rows, appended to `rows`. A file
 * that does not parse is a row that says so. False with errno. */
bool queueview_list(int root, const char *folder, json_t *rows);

/* How many there are. False with errno. */
bool queueview_count(int root, const char *folder, size_t *count);

/* One message in full; NULL: there is none of this id (errno ENOENT), or trouble. */
json_t *queueview_show(int root, const char *id);

#endif
