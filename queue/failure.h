/*
 * failure - why recipients failed: queue/failure/ID, one line each, till the report is out
 */
#ifndef QUEUE_FAILURE_H
#define QUEUE_FAILURE_H

#include "str.h"

#include <stdbool.h>

enum {
    FAILURE_TEXT_MAX = 500,
    FAILURE_STATUS_MAX = 16,
    FAILURE_LINE_MAX = 900,
    FAILURE_FILE_MAX = 1000000, /* 1000 recipients */
};

struct failure {
    struct slice recipient, status, text;
};

/* Appends a line: three netstrings and LF. Longer texts are cut, control bytes become spaces. */
bool failure_format(struct str *line, const struct failure *failure);
/* Cuts the next line off *rest. False at the end, and at the first that is broken (a crash cut it:
 * the recipient's status byte was not written then). */
bool failure_next(struct slice *rest, struct failure *failure);

/* Appends `lines` to the file `id` in `folder` and syncs. False with errno. */
bool failure_append(int folder, const char *id, struct slice lines);
/* The whole file; a missing one is empty. */
bool failure_read(int folder, const char *id, struct str *content);

#endif
