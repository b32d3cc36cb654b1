/*
 * smtp_reply - what a server answers (RFC 5321 4.2), line by line, strictly and bounded
 *
 * Pure: lines in, a reply out.
 */
#ifndef DELIVER_SMTP_REPLY_H
#define DELIVER_SMTP_REPLY_H

#include "str.h"
#include "verdict.h"

enum {
    SMTP_REPLY_LINES_MAX = 100,
    SMTP_REPLY_TEXT_MAX = 400, /* of the reply as a whole, for reports */
    SMTP_REPLY_STATUS_MAX = 12,
};

struct smtp_reply {
    unsigned code;                      /* 200 to 599; 0: nothing was read */
    char status[SMTP_REPLY_STATUS_MAX]; /* enhanced, in keeping with the code; "" without one */
    char text[SMTP_REPLY_TEXT_MAX];     /* code and text of the lines, printable, on one line */
    size_t text_size;
    unsigned lines;
};

enum smtp_reply_result {
    SMTP_REPLY_MORE, /* another line follows */
    SMTP_REPLY_DONE,
    SMTP_REPLY_BAD, /* no reply: the dialogue can't go on */
};

void smtp_reply_init(struct smtp_reply *reply);
/* Takes the next line, with its line end; *text is what stands behind the code. */
enum smtp_reply_result smtp_reply_line(struct smtp_reply *reply, struct slice line,
                                       struct slice *text);
/* 2xx and 3xx K, 4xx Z, 5xx D. */
enum verdict smtp_reply_verdict(const struct smtp_reply *reply);
/* The status, or the general one of the code's class. */
const char *smtp_reply_status(const struct smtp_reply *reply);

#endif
