/*
 * compression - DEFLATE as a filter of a stream (RFC 1951, RFC 4978)
 *
 * Raw DEFLATE, no header, no checksum, which never ends. Output is brought to a byte's end where the
 * stream is flushed. Input is decoded with a window of 32 KB, which a peer may use whatever we do
 * ourselves.
 */
#ifndef COMMON_COMPRESSION_H
#define COMMON_COMPRESSION_H

#include "stream.h"

struct compression;

/* NULL without memory. */
struct compression *compression_new(void);
void compression_free(struct compression **compression);
/* For stream_set_filter. */
struct stream_filter *compression_filter(struct compression *compression);

/* Gives back what can be made again: all of the sender's memory (the peer needs none of its past to
 * go on), and of the reader's all but the text that the peer may still refer to. Called when the
 * stream was flushed; costs time at the next byte. */
void compression_slim(struct compression *compression);

#endif
