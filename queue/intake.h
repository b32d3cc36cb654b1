/*
 * intake - a peer's message: from the stream of inject/2 into the queue, and the answer
 *
 * Whatever is wrong with a message, its bytes are read to their end and then answered, so that the
 * peer, which writes first and reads then, never waits for a reader that is gone.
 */
#ifndef QUEUE_INTAKE_H
#define QUEUE_INTAKE_H

#include "admission.h"
#include "inject_limits.h"
#include "inject_stream.h"
#include "store.h"

enum { INTAKE_READ_SIZE = 131072 };

struct intake {
    struct inject_stream stream;
    struct store store;
    struct envelope envelope;
    struct str answer;
    int peer_fd;
    uid_t uid;
    enum admission_trust trust;
    struct inject_limits limits;
    struct localsender local; /* as whom a stranger sends */
    int state_fd;             /* stated, for strangers; -1 for all others */
    const char *refusal;      /* answer, whatever else comes; NULL: it goes on */
    struct str input;         /* what was read last; stays for the next peer */
};

void intake_init(struct intake *intake, int folder);
void intake_free(struct intake *intake);
/* Opens what a peer of this uid needs, before the sandbox. */
void intake_prepare(struct intake *intake, uid_t uid);
/* Reads a message from `fd` (not owned) and answers it, unless the peer ends or errs before. */
void intake_serve(struct intake *intake, int fd, uid_t uid, const struct inject_limits *limits);

#endif
