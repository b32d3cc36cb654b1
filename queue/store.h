/*
 * store - putting one message into queue/message so that it stays there
 *
 * A message that fits into memory in small is written with its final size in one go; a larger one
 * goes to queue/tmp as it comes, and its size is filled in at the end. Either way the file is
 * synced in queue/tmp, renamed, and the folder synced, before store_commit says VERDICT_OK. After
 * any failure nothing is left in either folder.
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include "envelope.h"
#include "queuefile.h"
#include "verdict.h"

enum { STORE_BUFFER_MAX = 262144 };

/* The folders of the queue. */
struct store_folders {
    int tmp;
    int message;
};
/* Opens queue/tmp and queue/message below the current folder. False with errno. */
bool store_open_folders(struct store_folders *folders);

struct store {
    const struct store_folders *folders;
    char id[QUEUEFILE_ID_SIZE + 1];
    int fd; /* -1: nothing was written yet */
    off_t size_offset;
    uint64_t size;     /* of the message so far */
    struct str buffer; /* not written yet: block and message */
    int error;         /* errno of the first failure */
};

void store_init(struct store *store, const struct store_folders *folders);
void store_free(struct store *store);

/* Trouble shows in store_commit. */
void store_begin(struct store *store, const struct envelope *envelope);
void store_write(struct store *store, struct slice bytes);
/* VERDICT_OK: durable as store->id. Otherwise nothing is left, and store->error says why. */
enum verdict store_commit(struct store *store);
void store_abort(struct store *store);

#endif
