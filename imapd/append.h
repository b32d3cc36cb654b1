/*
 * append - APPEND: a message from the client into a mailbox (RFC 3501 6.3.11, 4315)
 *
 * The message is a literal that goes to the disk as it comes. A refusal is said before the client
 * sends it, where the literal is a synchronising one; else the literal is read and dropped.
 */
#ifndef IMAPD_APPEND_H
#define IMAPD_APPEND_H

#include "flags.h"
#include "imapsession.h"

struct append_arguments {
    struct slice mailbox;
    struct flags flags;
    bool flags_bad; /* there is one that can't be set */
    int64_t date;   /* 0: none given */
};

/* Parses behind "APPEND " up to the announcement of the message, which must be the text's end. */
bool append_parse(struct parse *parse, struct append_arguments *arguments);

/* Takes the message that session->reader.literal announces. */
enum answer append_run(struct imapsession *session, const struct append_arguments *arguments);

#endif
