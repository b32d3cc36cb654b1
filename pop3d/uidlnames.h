/*
 * uidlnames - POP3 names that an other server gave to messages: the file mailbox-uidls
 *
 * Lines "UID NAME", in order of UID, written when a Maildir of Dovecot or Courier was taken over
 * (mailbox/mailboxadopt.c), and never changed. Messages that are not in it are named after their UID.
 */
#ifndef POP3D_UIDLNAMES_H
#define POP3D_UIDLNAMES_H

#include "str.h"

enum { UIDLNAMES_MAX = 70 }; /* RFC 1939 7 */

struct uidlnames {
    struct str content;
    struct uidlname {
        uint32_t uid;
        struct slice name;
    } * of;
    size_t count;
};

void uidlnames_init(struct uidlnames *names);
/* A missing file is an empty list; lines that make no sense are passed over. False with errno. */
bool uidlnames_load(struct uidlnames *names, int folder);
void uidlnames_free(struct uidlnames *names);
/* The same for the content of a file, which has to stay. */
bool uidlnames_parse(struct uidlnames *names, struct slice content);
/* Empty: it has none. */
struct slice uidlnames_find(const struct uidlnames *names, uint32_t uid);

#endif
