/*
 * usage - the question usage/1: have mailboxes, and the domain, room again? (ARCHITECTURE.md)
 */
#ifndef DELIVER_USAGE_H
#define DELIVER_USAGE_H

#include "wire.h"

bool usage_is_question(const struct wire_message *message);
/* Appends the answer's fields: "room" or "full" for each that was asked for. Each mailbox is counted.
 * False: not such a question. */
bool usage_answer(const struct wire_message *message, struct str *packet);

#endif
