/*
 * queueview - what is in the queue, read from its files
 */
#ifndef ADMIN_QUEUEVIEW_H
#define ADMIN_QUEUEVIEW_H

#include "queuefile.h"

#include <jansson.h>

/* Which messages: those from SENDER (an address, a domain, "<>"), those with a recipient to do that
 * is RECIPIENT (an address, a domain). NULL: any. */
struct queueview_filter {
    const char *sender, *recipient;
};
/* Pure. */
bool queueview_matches(const struct queueview_filter *filter, const struct queuefile *file);

/* All messages of queue/FOLDER ("message", "hold", "broken") as rows, appended to `rows`. A file
 * that does not parse is a row that says so. False with errno. */
bool queueview_list(int root, const char *folder, const struct queueview_filter *filter,
                    json_t *rows);
/* The same as ids alone. Without a filter no file is opened. */
bool queueview_select(int root, const char *folder, const struct queueview_filter *filter,
                      json_t *ids);

/* How many there are. False with errno. */
bool queueview_count(int root, const char *folder, size_t *count);

/* One message in full; NULL: there is none of this id (errno ENOENT), or trouble. */
json_t *queueview_show(int root, const char *id);

#endif
