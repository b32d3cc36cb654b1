/*
 * sort - what SORT asks for, and messages of a mailbox put in that order (RFC 5256 3)
 */
#ifndef IMAPD_SORT_H
#define IMAPD_SORT_H

#include "searchresult.h"
#include "sortorder.h"

struct sort_program {
    struct sortorder_criterion criteria[SORTORDER_CRITERIA_MAX];
    size_t count;
};

/* Puts the messages, which are in the order of the mailbox, in that of the program. Those that have
 * vanished meanwhile are left out, unless they are to be kept; then no progress is told, either. False
 * without memory. */
bool sort_messages(struct imapsession *session, const struct sort_program *program, bool keep,
                   struct searchresult *found);

#endif
