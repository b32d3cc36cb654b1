/*
 * asker - questions to another server of the suite, without waiting for the answer
 *
 * Keeps a few connections, each with one question under way, so that answers can't be mixed up;
 * further questions wait for one. A server that is being started anew is tried again till the
 * question's deadline.
 */
#ifndef AUTHD_ASKER_H
#define AUTHD_ASKER_H

#include "loop.h"
#include "wire.h"

enum { ASKER_CONNECTIONS_MAX = 16, ASKER_FDS_MAX = 2, ASKER_PACKET_MAX = 4096 };

struct asker_question;
/* `answer` is NULL when there was none in time; it is the asker's. */
typedef void asker_done(struct asker_question *question, const struct wire_message *answer);

/* Sits in its owner's struct. */
struct asker_question {
    struct asker *asker; /* NULL: not under way */
    struct str packet;
    int fds[ASKER_FDS_MAX]; /* not owned */
    size_t fd_count;
    bool repeat; /* may be asked again when the server dies before it answers */
    asker_done *done;
    void *owner;
    struct loop_timer timer;
    struct asker_connection *connection;
    struct asker_question *next; /* while it waits */
};

struct asker_connection {
    struct asker *asker;
    int fd; /* -1: free place */
    struct loop_watch watch;
    struct asker_question *question; /* NULL: idle */
};

struct asker {
    struct loop *loop;
    const char *path;
    struct asker_connection connections[ASKER_CONNECTIONS_MAX];
    struct asker_question *first, *last; /* waiting */
    struct loop_timer retry;
    struct wire_message answer;
};

void asker_init(struct asker *asker, struct loop *loop, const char *path);
void asker_free(struct asker *asker);

/* Before a question is filled in: its packet is empty then. */
void asker_prepare(struct asker_question *question);
/* Asks; `done` is called once, never from within. False without memory. */
bool asker_ask(struct asker *asker, struct asker_question *question, int64_t timeout_ms,
               asker_done *done, void *owner);
/* `done` will not be called. Frees what the question holds. */
void asker_cancel(struct asker_question *question);

#endif
