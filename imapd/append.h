/*
 * append - APPEND and REPLACE: messages from the client into a mailbox (RFC 3501 6.3.11, 4315; several
 * at once 3502; binary 3516; UTF8 6855 4; REPLACE 8508)
 *
 * A message is a literal that goes to the disk as it comes. A refusal is said before the client
 * sends it, where the literal is a synchronising one; else it and all that follows is read and
 * dropped. Either all messages of a command come into the mailbox, or none.
 */
#ifndef IMAPD_APPEND_H
#define IMAPD_APPEND_H

#include "flags.h"
#include "imapsession.h"

/* What stands before the first message. */
struct append_head {
    bool replaces;
    uint32_t replaced; /* number or UID; SEQUENCE_STAR: the last message */
    struct slice mailbox;
};

/* What stands before the bytes of each message. */
struct append_options {
    struct flags flags;
    bool flags_bad; /* there is one that can't be set */
    int64_t date;   /* 0: none given */
    bool is_utf8;   /* "UTF8 (~{n}": a parenthesis follows the bytes */
};

/* Parses behind "APPEND " or, with `replaces`, "REPLACE ", up to and with the mailbox. */
bool append_parse_head(struct parse *parse, bool replaces, struct append_head *head);
/* From there, or from behind the bytes of a message (whose options are `before`, else NULL), up to
 * the announcement of the next message, which must be the text's end. */
bool append_parse_options(struct parse *parse, const struct append_options *before,
                          struct append_options *options);

/* Does the command at work, or one that begins with `text`, take the literal at the end of `text` as
 * a message? For reader_init. */
bool append_takes(struct imapsession *session, struct slice text);

/* Takes the messages, the first of which session->reader.literal announces. `parse` stands behind
 * the command's name and space; `answer`: what is wrong with the command already, or
 * ANSWER_DONE. */
enum answer append_run(struct imapsession *session, struct parse *parse, enum answer answer);

#endif
