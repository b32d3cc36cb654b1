/*
 * verbs - what mailctl does, one function per verb; the table is in verbs.c
 */
#ifndef ADMIN_VERBS_H
#define ADMIN_VERBS_H

#include "command.h"

int verbs_domain_add(struct command *command);
int verbs_domain_del(struct command *command);
int verbs_domain_set(struct command *command);
int verbs_domain_unset(struct command *command);
int verbs_domain_show(struct command *command);
int verbs_domain_list(struct command *command);
int verbs_child_add(struct command *command);
int verbs_child_del(struct command *command);

int verbs_user_add(struct command *command);
int verbs_user_del(struct command *command);
int verbs_user_passwd(struct command *command);
int verbs_user_set(struct command *command);
int verbs_user_unset(struct command *command);
int verbs_user_show(struct command *command);
int verbs_user_list(struct command *command);
int verbs_user_purge(struct command *command);

int verbs_state_show(struct command *command);
int verbs_state_lock(struct command *command);
int verbs_state_unlock(struct command *command);

int verbs_queue_list(struct command *command);
int verbs_queue_show(struct command *command);
int verbs_queue_flush(struct command *command);
int verbs_queue_hold(struct command *command);
int verbs_queue_release(struct command *command);
int verbs_queue_delete(struct command *command);

int verbs_explain(struct command *command);
int verbs_status(struct command *command);
int verbs_cert(struct command *command);
int verbs_help(struct command *command);

#endif
