/*
 * failure - what is to be reported of recipients: queue/failure/ID, one line each, till that is done
 */
#ifndef QUEUE_FAILURE_H
#define QUEUE_FAILURE_H

#include "str.h"

#include <stdbool.h>

enum {
    FAILURE_TEXT_MAX = 500,
    FAILURE_STATUS_MAX = 16,
    FAILURE_SERVER_MAX = 256,
    FAILURE_LINE_MAX = 1300,
    FAILURE_FILE_MAX = 1400000, /* 1000 recipients */
};

struct failure {
    struct slice recipient, status, text;
    struct slice server; /* the other server; empty: none, or unknown */
};

/* Appends a line: four netstrings and LF. Longer texts are cut, control bytes become spaces. */
bool failure_format(struct str *line, const struct failure *failure);
/* Cuts the next line off *rest. False at the end, and at the first that is broken (a crash cut it:
 * the recipient's status byte was not written then). */
bool failure_next(struct slice *rest, struct failure *failure);

/* Appends `lines` to the file `id` in `folder` and syncs. False with errno. */
bool failure_append(int folder, const char *id, struct slice lines);
/* The last line about `recipient` in the content of such a file; without one *failure is left. */
void failure_find(struct slice lines, struct slice recipient, struct failure *failure);
/* The whole file; a missing one is empty. */
bool failure_read(int folder, const char *id, struct str *content);

#endif
