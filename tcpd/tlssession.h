/*
 * tlssession - one TLS session, in the child that serves it: request, handshake, relay
 */
#ifndef TCPD_TLSSESSION_H
#define TCPD_TLSSESSION_H

#include "tlsanchors.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TLSSESSION_REQUEST_MS = 5000,
    TLSSESSION_IDLE_MS = 35 * 60 * 1000, /* IMAP's IDLE may be silent for 29 minutes (RFC 2177) */
    TLSSESSION_LINGER_MS = 5000,         /* for the peer's close_notify */
};

struct tlssession_task {
    int asker;      /* the connection of the program that asks */
    bool as_client; /* the asker's uid may connect to servers, else only serve clients */
    int64_t handshake_ms;
    const char *keyd; /* path of its socket */
    const struct tlsanchors *anchors;
};

/* Does it all; the exit code of the child. Enters the sandbox once keyd is connected. */
int tlssession_run(const struct tlssession_task *task);

#endif
