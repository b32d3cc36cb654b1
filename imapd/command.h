/*
 * command - the table of commands, and the functions that carry them out
 *
 * A handler parses what follows the command's name and one space, acts, writes untagged answers and
 * returns how it ended. The tagged answer, and news of the mailbox before it, are written by
 * command_run.
 */
#ifndef IMAPD_COMMAND_H
#define IMAPD_COMMAND_H

#include "session.h"

typedef enum answer command_handler(struct session *session, struct parse *arguments);

enum command_trait {
    COMMAND_SELECTED = 1 << 0,   /* needs a selected mailbox */
    COMMAND_UID = 1 << 1,        /* "UID NAME" exists too */
    COMMAND_ARGUMENTS = 1 << 2,  /* has arguments, so a space follows its name */
    COMMAND_NO_EXPUNGE = 1 << 3, /* message numbers must not move (RFC 3501 7.4.1), unless UID */
    COMMAND_QUIET = 1 << 4,      /* no news of the mailbox before its answer */
};

struct command {
    const char *name;
    command_handler *handler;
    unsigned traits;
};

/* Carries out the command in session->reader.text. */
void command_run(struct session *session);
/* The same for one that stops at a message literal: APPEND. */
void command_run_append(struct session *session);
/* For reader_init: does APPEND take this literal? */
reader_takes command_takes_literal;

/* Writes the tagged answer. */
void command_answer(struct session *session, enum answer answer);

/* select.c */
command_handler select_select, select_examine, select_close, select_unselect, select_expunge,
    select_check;
/* list.c, status.c */
command_handler list_list, list_lsub, list_namespace, status_status;
/* manage.c */
command_handler manage_create, manage_delete, manage_rename, manage_subscribe, manage_unsubscribe;
/* fetch.c, store.c, copy.c, search.c */
command_handler fetch_fetch, store_store, copy_copy, copy_move, search_search;
/* idle.c */
command_handler idle_idle;

#endif
