/*
 * inject - giving messages to queue-inject (client side)
 *
 * A connection takes one message. Its worker is free for the next peer as soon as it has answered,
 * and is not woken once more to learn that nothing follows. Protocol, over the stream
 * socket run/inject/socket: one netstring that holds the envelope's fields as netstrings
 * ("inject/2", origin, sender, body "7"|"8"|"B", utf8 "0"|"1", ret ""|"FULL"|"HDRS", envid, then
 * for each recipient address, notify, orcpt: common/dsn.h), then the message as
 * netstrings of any size up to INJECT_CHUNK_MAX, then the empty netstring. The answer is one
 * netstring: K and the queue id; Z or D and the reason, which begins with its enhanced status code
 * ("Z4.3.1 the queue's disk is full"). It comes after the empty netstring, never before, and
 * the connection's end after it. A connection that ends before the empty netstring leaves nothing in
 * the queue.
 *
 * The message is in wire form: lines end in CRLF, no dot-stuffing.
 */
#ifndef COMMON_INJECT_H
#define COMMON_INJECT_H

#include "envelope.h"
#include "verdict.h"

#include <stdint.h>

#define INJECT_SOCKET "run/inject/socket"
enum {
    INJECT_CHUNK_MAX = 65536,
    INJECT_REPLY_MAX = 512,
    INJECT_TIMEOUT_MS = 120000,
    /* Limits of a message's size are for what its sender wrote; what our programs put in front of it
     * (Received, and what sendmail adds) comes on top. */
    INJECT_FIELDS_ADDED_MAX = 65536,
    /* A thousand recipients with all they may say, sender and origin, and what frames them. */
    INJECT_ENVELOPE_MAX = ENVELOPE_RECIPIENTS_MAX *
                              (ENVELOPE_ADDRESS_MAX + DSN_ORCPT_MAX + DSN_NOTIFY_TEXT_MAX + 16) +
                          2048,
};

struct inject {
    const char *path;  /* of the socket: INJECT_SOCKET, unless who is not in ROOT says another */
    int fd;            /* -1 when not connected */
    struct str output; /* the envelope, not sent yet */
    struct str chunk;  /* bytes of the message, not sent yet */
    bool broken;       /* the connection failed; inject_finish says so */
    uint64_t size;     /* bytes of the message so far */
};

void inject_init(struct inject *inject);
/* Gives up a message that was begun, as inject_abort, and frees all. */
void inject_close(struct inject *inject);

/* Begins a message. The connection is made when bytes are to go; trouble shows in inject_finish. */
void inject_begin(struct inject *inject, const struct envelope *envelope);
void inject_data(struct inject *inject, struct slice bytes);
/* Ends the message and waits until it is on disk. VERDICT_OK: `reply` is the queue id;
 * otherwise the reason, fit for the end of an SMTP reply. */
enum verdict inject_finish(struct inject *inject, struct str *reply);
/* Gives up the message that was begun: what queue-inject has of it, it drops. */
void inject_abort(struct inject *inject);

#endif
