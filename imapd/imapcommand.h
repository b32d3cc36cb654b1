/*
 * imapcommand - the table of commands, and the functions that carry them out
 *
 * A handler parses what follows the command's name and one space, acts, writes untagged answers and
 * returns how it ended. The tagged answer, and news of the mailbox before it, are written by
 * imapcommand_run.
 */
#ifndef IMAPD_IMAPCOMMAND_H
#define IMAPD_IMAPCOMMAND_H

#include "imapsession.h"

typedef enum answer imapcommand_handler(struct imapsession *session, struct parse *arguments);

enum imapcommand_trait {
    IMAPCOMMAND_SELECTED = 1 << 0,  /* needs a selected mailbox */
    IMAPCOMMAND_UID = 1 << 1,       /* "UID NAME" exists too */
    IMAPCOMMAND_ARGUMENTS = 1 << 2, /* has arguments, so a space follows its name */
    IMAPCOMMAND_NO_EXPUNGE =
        1 << 3,                    /* message numbers must not move (RFC 3501 7.4.1), unless UID */
    IMAPCOMMAND_QUIET = 1 << 4,    /* no news of the mailbox before its answer */
    IMAPCOMMAND_EXPUNGES = 1 << 5, /* removes messages, and says so by the news before its answer */
};

struct imapcommand {
    const char *name;
    imapcommand_handler *handler;
    unsigned traits;
};

/* Carries out the command in session->reader.text. */
void imapcommand_run(struct imapsession *session);
/* The same for one that stops at a message literal: APPEND, REPLACE. */
void imapcommand_run_append(struct imapsession *session);
/* For reader_init: is this literal a message? */
reader_takes imapcommand_takes_literal;

/* Writes the tagged answer. */
void imapcommand_answer(struct imapsession *session, enum answer answer);

/* imapselect.c */
imapcommand_handler imapselect_select, imapselect_examine, imapselect_close, imapselect_unselect,
    imapselect_expunge, imapselect_check;
/* imaplist.c, imapstatus.c */
imapcommand_handler imaplist_list, imaplist_lsub, imaplist_namespace, imapstatus_status;
/* imapmetadata.c */
imapcommand_handler imapmetadata_get, imapmetadata_set;
/* imapquota.c */
imapcommand_handler imapquota_get, imapquota_get_root, imapquota_set;
/* manage.c */
imapcommand_handler manage_create, manage_delete, manage_rename, manage_subscribe,
    manage_unsubscribe;
/* fetch.c, imapstore.c, imapmove.c, search.c */
imapcommand_handler fetch_fetch, imapstore_store, imapmove_copy, imapmove_move, search_search,
    searchcontext_cancel;
/* sort.c, thread.c */
imapcommand_handler sort_sort, thread_thread;
/* multisearch.c, uidbatches.c */
imapcommand_handler multisearch_esearch, uidbatches_uidbatches;
/* enable.c */
imapcommand_handler enable_enable;
/* notify.c */
imapcommand_handler notify_notify;
/* idle.c, imapcompress.c */
imapcommand_handler idle_idle, imapcompress_compress;

#endif
