/*
 * pem - the objects in a PEM file (RFC 7468)
 */
#ifndef TCPD_PEM_H
#define TCPD_PEM_H

#include "str.h"

enum { PEM_NAME_MAX = 64 };

/* Called for each object; false ends the walk. */
typedef bool pem_object(const char *name, struct slice der, void *owner);

enum pem_result {
    PEM_DONE,
    PEM_ENDED,     /* by the callback */
    PEM_ENCRYPTED, /* with a passphrase */
    PEM_BROKEN,
};

enum pem_result pem_walk(struct slice text, pem_object *found, void *owner);

#endif
