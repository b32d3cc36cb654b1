/*
 * local_delivery - one message into one mailbox of the current folder (mail/DOMAIN)
 */
#ifndef DELIVER_LOCAL_DELIVERY_H
#define DELIVER_LOCAL_DELIVERY_H

#include "capacity.h"
#include "deliveryterms.h"
#include "envelope.h"
#include "maildir.h"
#include "verdict.h"
#include "wire.h"

enum {
    LOCAL_DELIVERY_ID_MAX = 13,
    LOCAL_DELIVERY_MAILBOX_MAX = 64,
    LOCAL_DELIVERY_ADDRESS_MAX = 320,
    LOCAL_DELIVERY_ADDED_MAX = 65536,
    LOCAL_DELIVERY_BUFFER = 131072, /* messages up to here are read and written in one go */
};

/* A request of local/4 (ARCHITECTURE.md). Slices point into the wire message. */
struct local_request {
    char id[LOCAL_DELIVERY_ID_MAX + 1];
    uint64_t start, size;
    struct slice sender;
    char mailbox[LOCAL_DELIVERY_MAILBOX_MAX + 1]; /* a folder of the current folder */
    struct slice recipient;
    struct slice added;
    struct slice forward; /* forward.h; empty: it goes nowhere else */
    enum envelope_body body;
    struct delivery_terms terms;
    bool is_repeat;     /* it may have been delivered before */
    bool spares_folder; /* maildir.h */
};

/* False: not local/4, or a value that must not come near a file name or a header. */
bool local_request_parse(const struct wire_message *message, struct local_request *request);

/* "local@domain": the account of the domain, by whatever name it was addressed. */
void local_delivery_account(const struct local_request *request, const char *domain,
                            char address[LOCAL_DELIVERY_ADDRESS_MAX + 1]);
/* The lines in front of the message: Return-Path, Delivered-To, and what was to be added. */
bool local_delivery_head(const struct local_request *request, struct str *head);
/* What the delivery is called in the mailbox: queue id and recipient, so that a repeat is seen and
 * two recipients that share a mailbox get one each. */
void local_delivery_name(const struct local_request *request, char name[32]);

struct local_result {
    enum verdict verdict;
    const char *status;
    const char *text;
    struct capacity_mark full; /* what has no room for an ordinary message any more */
};

/* A delivery under way. Several may be placed before the first is committed: then one commit of the
 * file system's journal takes them all. */
struct local_delivery {
    struct maildir_delivery maildir;
    char path[LOCAL_DELIVERY_MAILBOX_MAX + sizeof "/Maildir"];
    bool is_placed;             /* in new/; what is left is to make it durable */
    struct local_result result; /* decided, unless it is placed */
};
/* Writes the message in `fd` into its mailbox, if that, and the domain, has room. */
void local_place(struct capacity *capacity, const struct local_request *request, int fd,
                 struct local_delivery *delivery);
/* Others were placed behind it: they are to share a commit. */
void local_begin_sync(const struct local_delivery *delivery);
/* Ends the delivery. Durable when the verdict is VERDICT_OK. */
void local_commit(const struct local_request *request, struct local_delivery *delivery,
                  struct local_result *result);
/* What an errno of the Maildir means for the message. */
void local_result_from_errno(int error, struct local_result *result);

#endif
