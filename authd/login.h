/*
 * login - a question to authd, read and checked (common/auth.h, "auth/1")
 *
 * A pure function of the message and the peer's uid. What the program in front says about its
 * client must be of its form, or the program loses its connection. What the client said (user,
 * secret) may be anything and is only bounded: it leads to "failed", never to a closed connection.
 */
#ifndef AUTHD_LOGIN_H
#define AUTHD_LOGIN_H

#include "auth.h"
#include "ip.h"
#include "roles.h"
#include "terms.h"
#include "wire.h"

enum login_service { LOGIN_SMTP, LOGIN_IMAP, LOGIN_POP3, LOGIN_SERVICES };
enum login_mechanism { LOGIN_BY_PASSWORD, LOGIN_BY_APOP };

enum { LOGIN_CHALLENGE_MAX = 512, LOGIN_TAG_MAX = 64 };

struct login {
    enum login_service service;
    enum login_mechanism mechanism;
    bool tls;
    char client[IP_TEXT_MAX];
    char tag[LOGIN_TAG_MAX + 1];
    struct terms chosen; /* by a POP3 client */
    /* As the client said it, NUL-free; too long for any account: empty. */
    char user[AUTH_USER_MAX + 1];
    char secret[AUTH_SECRET_MAX + 1];
    char challenge[LOGIN_CHALLENGE_MAX + 1];
};

/* One row per service. */
struct login_service_kind {
    const char *name;
    enum role asker;     /* the only uid that may ask for it */
    const char *setting; /* the account's switch, or NULL */
    const char *program; /* that gets the connection, or NULL */
};
const struct login_service_kind *login_service(enum login_service service);

/* False: not a question, or not this role's to ask. */
bool login_read(const struct wire_message *message, enum role asker, struct login *login);

#endif
