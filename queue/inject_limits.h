/*
 * inject_limits - what the operator allows a peer of queue-inject, at the time of its connection
 */
#ifndef QUEUE_INJECT_LIMITS_H
#define QUEUE_INJECT_LIMITS_H

#include "localrate.h"

struct inject_limits {
    uint64_t databytes; /* largest message: what smtpd may put in front is on top of the setting */
    bool spares_folder; /* the setting sync-folders is off */
    struct localrate rate; /* of strangers; not read here */
};

/* What can't be read is as the table of settings says. */
void inject_limits_read(struct directory *directory, struct inject_limits *limits);

#endif
