/*
 * addresslist - the addresses of a header field (RFC 5322 3.4), and whatever else stands in such
 * fields; any bytes are accepted
 */
#ifndef IMAPD_ADDRESSLIST_H
#define IMAPD_ADDRESSLIST_H

#include "slice.h"

enum addresslist_kind {
    ADDRESSLIST_MAILBOX,
    ADDRESSLIST_GROUP, /* begins: only its `name` */
    ADDRESSLIST_GROUP_END,
};

/* As written: quotes and comments taken away, encoded words not decoded. Valid during the call. */
struct addresslist_entry {
    enum addresslist_kind kind;
    struct slice name;    /* phrase or comment; empty: none */
    struct slice mailbox; /* local part; empty when only a name stood there */
    struct slice domain;  /* empty: none */
};

/* Takes one entry; false: no more of them are wanted. */
typedef bool addresslist_take(void *owner, const struct addresslist_entry *entry);

/* Gives the entries of the field, in order. What stands behind 128 KiB is not told. */
void addresslist_walk(struct slice field, addresslist_take *take, void *owner);

#endif
