/*
 * forward - the copy of a message that goes on to an account's other addresses (forwards(5))
 *
 * What is to be done comes with the request of local/4, as one field of netstrings: body
 * ("7"|"8"|"B"), utf8 ("0"|"1"), notify (dsn.h), sender, then each rule (forwardrule.h). An
 * empty field stands for no forwarding. The copy is the message as it came, with a Delivered-To field in
 * front by which a circle is seen, and goes back into the queue; whatever rules hold for it, each address
 * gets it once. Where the account was addressed by another name than its own (a child domain's, with a tag, by
 * a catch-all), a second Delivered-To field has that: the circle may come back to any of them.
 */
#ifndef DELIVER_FORWARD_H
#define DELIVER_FORWARD_H

#include "forwardrule.h"
#include "inject.h"
#include "keywordmatch.h"
#include "local_delivery.h"

/* What a worker keeps from message to message. */
struct forward {
    struct inject inject;
    struct envelope envelope;
    struct keywordmatch match;
};
void forward_init(struct forward *forward, const char *inject_path);
void forward_free(struct forward *forward);

/* Is it such a field? */
bool forward_check(struct slice field);
/* Fills the envelope, but for its origin, with the addresses that a message of this header goes to;
 * there may be none. False: not such a field, or no memory. */
bool forward_choose(struct forward *forward, struct slice field, struct slice header);

/* Puts the copy, if there is to be one, into the queue; `domain` is the account's. VERDICT_OK: it is on
 * disk there; `result` stays as it was where the message goes nowhere. */
void forward_message(struct forward *forward, const struct local_request *request,
                     const char *domain, int fd, struct local_result *result);

#endif
