/*
 * operations - what mailctl does, one function per verb; the table is in operations.c
 */
#ifndef ADMIN_OPERATIONS_H
#define ADMIN_OPERATIONS_H

#include "commandline.h"

int operations_domain_add(struct commandline *command);
int operations_domain_del(struct commandline *command);
int operations_domain_set(struct commandline *command);
int operations_domain_unset(struct commandline *command);
int operations_domain_show(struct commandline *command);
int operations_domain_list(struct commandline *command);
int operations_child_add(struct commandline *command);
int operations_child_del(struct commandline *command);

int operations_user_add(struct commandline *command);
int operations_user_del(struct commandline *command);
int operations_user_force(struct commandline *command);
int operations_user_passwd(struct commandline *command);
int operations_user_set(struct commandline *command);
int operations_user_unset(struct commandline *command);
int operations_user_show(struct commandline *command);
int operations_user_list(struct commandline *command);
int operations_user_purge(struct commandline *command);

int operations_forward_add(struct commandline *command);
int operations_forward_list(struct commandline *command);
int operations_forward_del(struct commandline *command);
/* Takes the forwards of an account that is to go out of its domain's file. False: refused already,
 * and *result is the exit code. */
bool operations_forward_forget(struct commandline *command, const char *name, const char *local,
                               int *result);

int operations_reply_set(struct commandline *command);
int operations_reply_show(struct commandline *command);
int operations_reply_clear(struct commandline *command);
/* Takes the text of an account that is to go away. False with errno. */
bool operations_reply_forget(struct commandline *command, const char *name, const char *local);

int operations_csv_register(struct commandline *command);
int operations_csv_edit(struct commandline *command);
int operations_csv_export(struct commandline *command);
int operations_csv_sample(struct commandline *command);

int operations_state_show(struct commandline *command);
int operations_state_lock(struct commandline *command);
int operations_state_unlock(struct commandline *command);

int operations_queue_list(struct commandline *command);
int operations_queue_show(struct commandline *command);
int operations_queue_flush(struct commandline *command);
int operations_queue_hold(struct commandline *command);
int operations_queue_release(struct commandline *command);
int operations_queue_delete(struct commandline *command);
int operations_queue_requeue(struct commandline *command);

int operations_store_check(struct commandline *command);
int operations_store_rebuild(struct commandline *command);

int operations_age(struct commandline *command);
int operations_explain(struct commandline *command);
int operations_status(struct commandline *command);
int operations_cert(struct commandline *command);
int operations_tls_report(struct commandline *command);
int operations_completion(struct commandline *command);
int operations_help(struct commandline *command);

#endif
