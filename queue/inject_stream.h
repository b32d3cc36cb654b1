/*
 * inject_stream - the byte stream of inject/2 cut into envelope, data and end (common/inject.h)
 *
 * A pure, incremental parser: bytes in, hooks called. Only the envelope is held in memory, and it
 * has a maximum; the message passes through in pieces as they come.
 */
#ifndef QUEUE_INJECT_STREAM_H
#define QUEUE_INJECT_STREAM_H

#include "str.h"

#include <stdint.h>

struct inject_stream_hooks {
    bool (*envelope)(void *owner, struct slice fields); /* netstrings, gone after the call; false:
                                                           they are none of inject/2 */
    void (*data)(void *owner, struct slice bytes);
};

enum inject_stream_state {
    INJECT_STREAM_ENVELOPE_SIZE,
    INJECT_STREAM_ENVELOPE,
    INJECT_STREAM_ENVELOPE_END, /* its comma is next */
    INJECT_STREAM_CHUNK_SIZE,
    INJECT_STREAM_CHUNK,
    INJECT_STREAM_CHUNK_END,
    INJECT_STREAM_DONE, /* the message is whole; no byte may follow */
};

struct inject_stream {
    const struct inject_stream_hooks *hooks;
    void *owner;
    enum inject_stream_state state;
    uint64_t number; /* the length that is being read */
    unsigned digits;
    uint64_t left; /* bytes of the netstring still to come */
    bool is_last;  /* the chunk that is being read is the empty one */
    struct str envelope;
};

void inject_stream_init(struct inject_stream *stream, const struct inject_stream_hooks *hooks,
                        void *owner);
void inject_stream_free(struct inject_stream *stream);
/* False: not inject/2, or beyond a limit. Close the connection. */
bool inject_stream_feed(struct inject_stream *stream, struct slice bytes);

#endif
