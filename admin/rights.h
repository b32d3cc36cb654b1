/*
 * rights - who may do what with mailctl (SPEC R13)
 *
 * mailctl runs as root, but may act for somebody who may less: "mailctl --as admin:DOMAIN verb..." and
 * "--as user:USER@DOMAIN". Who that is, the caller has found out (a control panel, by its login); what
 * he may do is decided here, before anything is read or changed. The operator is nobody of these.
 */
#ifndef ADMIN_RIGHTS_H
#define ADMIN_RIGHTS_H

#include "idn.h"
#include "str.h"
#include "userline.h"

/* A role, and a set of them: who may use a verb. */
enum rights {
    RIGHTS_OPERATOR = 1,
    RIGHTS_ADMIN = 2,   /* his own domain and its accounts */
    RIGHTS_USER = 4,    /* his own account */
    RIGHTS_NO_ROOT = 8, /* it touches nothing of the host: who is not root may, too */
    RIGHTS_UP_TO_ADMIN = RIGHTS_OPERATOR | RIGHTS_ADMIN,
    RIGHTS_UP_TO_USER = RIGHTS_UP_TO_ADMIN | RIGHTS_USER,
};

enum { RIGHTS_NAME_MAX = USERLINE_LOCAL_MAX + IDN_NAME_MAX + 16, RIGHTS_REASON_MAX = 2048 };

struct rights_actor {
    enum rights role;
    char local[USERLINE_LOCAL_MAX + 1]; /* of a user */
    char domain[IDN_NAME_MAX + 1];
    char name[RIGHTS_NAME_MAX]; /* "user:u1@example.jp" */
};

/* "admin:DOMAIN", "user:USER@DOMAIN". False: neither. */
bool rights_read_actor(struct rights_actor *actor, const char *word);

/* May its actor do what the command line says? If not, `reason` says who may. Nothing is looked up:
 * whether there is such an account the verb itself finds out. */
struct commandline;
bool rights_may(const struct commandline *command, struct str *reason);
/* The same for a child domain: an admin's lie below his domain. Whoever adds a child gets its mail, and
 * nobody here can know who else's a foreign name is. */
bool rights_may_add_child(const struct commandline *command, const char *domain, const char *child,
                          struct str *reason);

/* "operator", "admin", "user". */
const char *rights_role_name(enum rights role);

#endif
