/*
 * hostoffer - settings of accounts that only matter where the host offers what they allow
 *
 * A plan allows APOP, but POP3 clients are greeted with the timestamp that it needs only where
 * control/apop is on: one greeting is for all domains of the host.
 */
#ifndef ADMIN_HOSTOFFER_H
#define ADMIN_HOSTOFFER_H

#include "settings.h"
#include "slice.h"

/* The host's switch (a file in `folder`, that is control/) without which this value has no effect,
 * and which is off; NULL: none. A file that can't be read says nothing. */
const char *hostoffer_missing(int folder, const struct setting *setting, struct slice value);

#endif
