/*
 * replyrules - is this a message that an automatic reply may answer? (SPEC R8.2, RFC 3834 2 and 5,
 * RFC 5230 4.5 and 4.6)
 *
 * Pure: the envelope and the header of a stranger's message in, the rule that stops the reply out.
 * What a header claims can only stop a reply, never cause one.
 */
#ifndef DELIVER_REPLYRULES_H
#define DELIVER_REPLYRULES_H

#include "slice.h"

enum replyrules_verdict {
    REPLYRULES_ANSWER,
    REPLYRULES_NO_SENDER,   /* the null sender, or one without a domain */
    REPLYRULES_OWN,         /* the account's own address, as sender or as author */
    REPLYRULES_PROGRAM,     /* sender, author, or who wants the replies, is a program by his name */
    REPLYRULES_LONG_HEADER, /* its end was not seen, so what it says is not known */
    REPLYRULES_LIST,        /* a mailing list's */
    REPLYRULES_BULK,        /* Precedence */
    REPLYRULES_AUTOMATIC,   /* made by a program, or its maker wants no reply */
    REPLYRULES_SPAM,        /* said to be spam */
    REPLYRULES_LOOP,        /* it was delivered here before */
    REPLYRULES_NOT_ADDRESSED, /* the account's address is in no field of recipients */
};

struct replyrules_mail {
    struct slice sender;    /* of the envelope */
    struct slice recipient; /* of the envelope, as it was addressed */
    struct slice mailbox;   /* the account's local part, in lower case */
    struct slice domain;    /* the account's, A-labels */
    struct slice added;     /* header lines of ours */
    struct slice header;    /* of the message, with the empty line if it was found */
    bool is_whole;          /* it was */
};

enum replyrules_verdict replyrules_decide(const struct replyrules_mail *mail);
/* A word for the log. */
const char *replyrules_name(enum replyrules_verdict verdict);

/* The header at the front of a message, with the empty line; *is_whole: that line is there. A message
 * without a body has none, and is its header when `is_all` of it is there. */
struct slice replyrules_header(struct slice message, bool is_all, bool *is_whole);

#endif
