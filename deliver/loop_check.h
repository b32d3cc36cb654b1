/*
 * loop_check - has this message been here before?
 *
 * Reads the header of a message in pieces and looks for a Delivered-To field with the recipient we
 * are about to deliver to, or with the account that it leads to (which may be reached by a child
 * domain's name, a tag, a catch-all), and counts Received fields (RFC 5321 6.3). Pure and incremental.
 */
#ifndef DELIVER_LOOP_CHECK_H
#define DELIVER_LOOP_CHECK_H

#include "slice.h"

enum { LOOP_CHECK_RECEIVED_MAX = 100, LOOP_CHECK_LINE_MAX = 512 };

struct loop_check {
    struct slice recipient, account; /* the caller's: addresses */
    char line[LOOP_CHECK_LINE_MAX];  /* the beginning of the line that is being read */
    size_t size;                     /* of that line, without its end, however long */
    unsigned received;
    bool is_looping; /* delivered to the recipient before */
    bool is_over;    /* the empty line was read */
};

void loop_check_init(struct loop_check *check, struct slice recipient, struct slice account);
void loop_check_feed(struct loop_check *check, struct slice bytes);
bool loop_check_is_bad(const struct loop_check *check);

#endif
