/*
 * operator - what operators may ask of the running manager (queuectl/1)
 */
#ifndef QUEUE_OPERATOR_H
#define QUEUE_OPERATOR_H

#include "manager.h"
#include "service.h"

enum { OPERATOR_PEERS_MAX = 20 };

/* Serves on `fd`, for root alone. */
bool operator_start(struct service *service, struct loop *loop, int fd, struct manager *manager);
/* Carries out one message and writes the answer. */
void operator_run(struct manager *manager, const struct wire_message *message, struct str *answer);

#endif
