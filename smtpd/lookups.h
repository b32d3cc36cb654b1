/*
 * lookups - lookupd's answers (lookup.h): clients, rates, greylisting, and the settings behind them
 *
 * Settings, cdb/rbl.cdb and the resolver may change at any time: they are looked at with each
 * question. What greylisting knows is kept in state/greylist/journal.
 */
#ifndef SMTPD_LOOKUPS_H
#define SMTPD_LOOKUPS_H

#include "clients.h"
#include "directory.h"
#include "greylist.h"
#include "journal.h"
#include "rates.h"

enum { LOOKUPS_RESOLVER_MAX = 64 };

struct lookups {
    struct loop *loop;
    struct directory directory;
    struct cdbfile lists;
    bool has_lists;
    ino_t lists_inode;
    struct timespec lists_changed;
    char server[LOOKUPS_RESOLVER_MAX + 1];
    struct resolver resolver;
    struct clients clients;
    struct rates rates;
    struct greylist greylist;
    struct journal journal;
    bool is_unwritable; /* said so */
    struct str answer;
};

/* `folder` is state/greylist, opened. False with errno. */
bool lookups_open(struct lookups *lookups, struct loop *loop, int folder,
                  struct journal_replay *replay);
void lookups_close(struct lookups *lookups);

/* A question has come, for service_message. */
void lookups_answer(struct lookups *lookups, struct service_peer *peer,
                    struct wire_message *message);
/* Now and then: makes the journal durable; shorter, if it has grown. */
void lookups_sync(struct lookups *lookups);
void lookups_tidy(struct lookups *lookups);

#endif
