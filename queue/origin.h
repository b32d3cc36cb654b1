/*
 * origin - what the queue knows about how a message came (queuefile.h): words "key=value"
 */
#ifndef QUEUE_ORIGIN_H
#define QUEUE_ORIGIN_H

#include "slice.h"

/* The value of the first word that begins with `key` ("by="); empty: there is none. */
struct slice origin_word(struct slice origin, struct slice key);

#endif
