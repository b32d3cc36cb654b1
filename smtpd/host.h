/*
 * host - what the host's operator set for smtpd, read once per connection
 */
#ifndef SMTPD_HOST_H
#define SMTPD_HOST_H

#include "directory.h"

struct host {
    char me[DIRECTORY_DOMAIN_MAX + 1];
    char postmaster[DIRECTORY_DOMAIN_MAX + DIRECTORY_LOCAL_MAX + 2]; /* for RCPT TO:<postmaster> */
    uint64_t databytes;                                              /* 0: no limit */
    uint64_t recipients_max;
    uint64_t errors_max;
    uint64_t timeout_ms;      /* for a command */
    uint64_t data_timeout_ms; /* for each wait within DATA */
    uint64_t line_max;        /* bytes of a line of a message */
    uint64_t hops_max;        /* Received fields */
    bool plaintext_auth;      /* offer AUTH on 587 before STARTTLS */
};

/* False: the compiled settings can't be read. */
bool host_read(struct directory *directory, struct host *host);

#endif
