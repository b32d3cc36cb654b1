/*
 * queuectl - the names of the queue manager's control protocol (ARCHITECTURE.md, "queuectl/1")
 */
#ifndef COMMON_QUEUECTL_H
#define COMMON_QUEUECTL_H

#define QUEUECTL_SOCKET   "run/queued/socket"
#define QUEUECTL_PROTOCOL "queuectl/1"

#endif
