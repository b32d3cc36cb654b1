/*
 * addresslist - the addresses in To, Cc and Bcc (RFC 5322 3.4), and in the arguments of sendmail
 *
 * Pure. Comments, display names, groups, quoted strings, routes and folded lines are understood; so
 * are lists with empty elements. A bare name without "@" is given back as it is.
 */
#ifndef QUEUE_ADDRESSLIST_H
#define QUEUE_ADDRESSLIST_H

#include "str.h"

enum { ADDRESSLIST_COMMENT_DEPTH_MAX = 20, ADDRESSLIST_ADDRESS_MAX = 320 };

enum addresslist_result {
    ADDRESSLIST_ONE, /* an address is in `address` */
    ADDRESSLIST_END, /* no more */
    ADDRESSLIST_BAD, /* something that is no address; *rest is behind it */
};

/* Cuts the next address off *rest, without comments and display name, into `address` (which is
 * cleared). `rest` starts as the field's value, unfolded or not. */
enum addresslist_result addresslist_next(struct slice *rest, struct str *address);

#endif
