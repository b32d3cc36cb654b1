/*
 * store - putting one message into queue/message so that it stays there
 *
 * It is written as a draft (common/queuefile.h), in one go where it fits into memory in small, else as
 * it comes; size and check, the seal, come last. File and folder are synced (spares_folder: the file
 * alone), and then it gets its name, by which the queue manager learns of it: so it never works on
 * what is not on disk. The draft has its name in the folder before it is synced, so that one commit
 * of the file system's journal takes both. After any failure nothing is left.
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include "envelope.h"
#include "queuefile.h"
#include "verdict.h"

enum { STORE_BUFFER_MAX = 262144 };

/* Opens queue/message below the current folder. -1 with errno. */
int store_open_folder(void);

struct store {
    int folder;         /* queue/message, the caller's */
    bool spares_folder; /* the file system writes a name with its file: the folder isn't synced */
    char id[QUEUEFILE_ID_SIZE + 1];
    char draft[QUEUEFILE_ID_SIZE + 2]; /* its name till it is on disk */
    int fd;                            /* -1: nothing was written yet */
    off_t seal_offset;
    uint64_t size;     /* of the message so far */
    uint32_t check;    /* of the same */
    struct str buffer; /* not written yet: block and message */
    int error;         /* errno of the first failure */
};

void store_init(struct store *store, int folder);
void store_free(struct store *store);

/* Trouble shows in store_commit. */
void store_begin(struct store *store, const struct envelope *envelope);
void store_write(struct store *store, struct slice bytes);
/* VERDICT_OK: durable as store->id. Otherwise nothing is left, and store->error says why. */
enum verdict store_commit(struct store *store);
void store_abort(struct store *store);

#endif
