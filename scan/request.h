/*
 * request - a question of queued: scan this part of this file (scan/1)
 */
#ifndef SCAN_REQUEST_H
#define SCAN_REQUEST_H

#include "wire.h"

enum { REQUEST_ID_MAX = 64 };

struct request {
    char id[REQUEST_ID_MAX + 1];
    uint64_t start, size; /* of the message in the file */
};

/* False for anything that is not a question. */
bool request_parse(const struct wire_message *message, struct request *request);

/* The message, mapped read-only. */
struct request_map {
    void *base;
    size_t length;
    struct slice message;
};
/* False with errno when the file does not hold that part (EPROTO) or can't be mapped. */
bool request_map(const struct request *request, int fd, struct request_map *map);
void request_unmap(struct request_map *map);

#endif
