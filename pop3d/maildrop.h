/*
 * maildrop - the mailbox as one POP3 session sees it: numbered, with what is marked as deleted
 *
 * The numbers are those of the moment of login (RFC 1939 5) whatever other sessions do; a message
 * that they remove can't be fetched any more. Only one POP3 session at a time has a maildrop: a
 * lock on Maildir/pop3-lock that ends with the process. Where there is a delay between logins, the
 * file's time is that of the last one.
 */
#ifndef POP3D_MAILDROP_H
#define POP3D_MAILDROP_H

#include "mailbox.h"
#include "uidlnames.h"

enum { MAILDROP_UNIQUE_SIZE = UIDLNAMES_MAX + 1 };

struct maildrop {
    struct mailbox *mailbox;
    struct uidlnames names;
    bool *deleted;   /* by position */
    uint64_t *sizes; /* the same; once is_measured */
    bool is_measured;
    size_t count;
    size_t deleted_count;
    int lock;
};

enum maildrop_result {
    MAILDROP_OK,
    MAILDROP_IN_USE,
    MAILDROP_TOO_SOON, /* less than `delay` seconds after the login before */
    MAILDROP_TROUBLE,  /* errno */
};

/* `path` is made when it is missing: a new account. */
enum maildrop_result maildrop_open(struct maildrop *maildrop, int directory, const char *path,
                                   uint64_t delay);
void maildrop_close(struct maildrop *maildrop);

/* Messages are numbered from 1. */
struct mailbox_message *maildrop_message(struct maildrop *maildrop, size_t number);
bool maildrop_is_deleted(const struct maildrop *maildrop, size_t number);
void maildrop_delete(struct maildrop *maildrop, size_t number);
void maildrop_reset(struct maildrop *maildrop);

/* As RETR sends it, without added dots. The first call measures all: it reads the files whose names
 * don't tell. */
uint64_t maildrop_size(struct maildrop *maildrop, size_t number);
/* Messages not marked as deleted, and their bytes. */
void maildrop_total(struct maildrop *maildrop, size_t *count, uint64_t *bytes);

/* What UIDL says; how long that is. Made of UID and UIDVALIDITY, so it never changes and never comes
 * back; in the form that Dovecot gives by default. A message that another server named otherwise keeps
 * that name. */
size_t maildrop_unique(struct maildrop *maildrop, size_t number, char text[MAILDROP_UNIQUE_SIZE]);

/* The UPDATE state: removes what is marked. Returns how many could not be removed. */
size_t maildrop_update(struct maildrop *maildrop);

#endif
