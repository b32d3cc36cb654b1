/*
 * appendsink - one message on its way from the client to the disk
 *
 * A literal8 may hold what a message in wire form can't: a NUL, or an LF that ends no line. Such a
 * message is collected in a file without a name first, and then stored with these parts encoded, as
 * RFC 3516 4.4 allows; each part decodes to what was sent.
 */
#ifndef IMAPD_APPENDSINK_H
#define IMAPD_APPENDSINK_H

#include "answer.h"
#include "mailbox.h"

struct appendsink {
    struct mailbox_append append;
    bool open;          /* `append` is begun, and not committed */
    int spool;          /* -1, or where a literal8 is collected */
    bool has_binary;    /* it holds something that can't be stored as it is */
    bool last_was_cr;   /* in it */
    enum answer answer; /* ANSWER_DONE while all is well */
};

/* append.flags, keywords and date are the caller's to set. */
void appendsink_begin(struct appendsink *sink, struct mailbox *mailbox, bool is_binary);
void appendsink_write(struct appendsink *sink, struct slice bytes);
/* All was written. Has the disk begin to take it. */
void appendsink_finish(struct appendsink *sink);
/* Drops what was written; `answer` is the first that goes wrong. */
void appendsink_fail(struct appendsink *sink, enum answer answer);

#endif
