/*
 * autoreply - the automatic answer of an account to a message that it got (replies(5), SPEC R8)
 */
#ifndef DELIVER_AUTOREPLY_H
#define DELIVER_AUTOREPLY_H

#include "inject.h"
#include "local_delivery.h"

/* Answers the message in `fd` where the account has a text, the rules let it, and the sender was not
 * answered lately; `domain` is the account's. Whom it does not reach hears nothing: a reply is never
 * a reason to deliver the message again. */
void autoreply_answer(struct inject *inject, const struct local_request *request,
                      struct slice domain, int fd);

#endif
