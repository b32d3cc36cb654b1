/*
 * forward - the copy of a message that goes on to an account's other addresses (forwards(5))
 *
 * What is to be done comes with the request of local/4, as one field of netstrings: body
 * ("7"|"8"|"B"), utf8 ("0"|"1"), notify ("" or "NEVER"), sender, then each address. An empty field
 * stands for no forwarding. The copy is the message as it came, with a Delivered-To field in front
 * by which a circle is seen, and goes back into the queue.
 */
#ifndef DELIVER_FORWARD_H
#define DELIVER_FORWARD_H

#include "inject.h"
#include "local_delivery.h"

enum { FORWARD_TARGETS_MAX = 300 };

/* Fills `envelope` (initialised or used) but for its origin. False: not such a field. */
bool forward_read(struct slice field, struct envelope *envelope);

/* Puts the copy into the queue by `inject`. VERDICT_OK: it is on disk there. */
void forward_message(struct inject *inject, struct envelope *envelope,
                     const struct local_request *request, int fd, struct local_result *result);

#endif
