/*
 * question - a question of queued: scan this part of this file (scan/1)
 */
#ifndef SCAN_QUESTION_H
#define SCAN_QUESTION_H

#include "wire.h"

enum { QUESTION_ID_MAX = 64 };

struct question {
    char id[QUESTION_ID_MAX + 1];
    uint64_t start, size; /* of the message in the file */
};

/* False for anything that is not a question. */
bool question_parse(const struct wire_message *message, struct question *request);

/* The message, mapped read-only. */
struct question_map {
    void *base;
    size_t length;
    struct slice message;
};
/* False with errno when the file does not hold that part (EPROTO) or can't be mapped. */
bool question_map(const struct question *request, int fd, struct question_map *map);
void question_unmap(struct question_map *map);

#endif
