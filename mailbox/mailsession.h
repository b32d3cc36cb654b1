/*
 * mailsession - from a template of imapd or pop3d to the session of one account
 *
 * spawnd names the account to a copy of the template (template.h) by these variables, whose form it has
 * checked: FOLDER, the name of the account's folder in mail/DOMAIN; ACCOUNT, LOCAL@DOMAIN; CLIENT, an
 * address; TLS, "0" or "1"; TERMS (terms.h); for imapd TAG, of the command that is answered first.
 */
#ifndef MAILBOX_MAILSESSION_H
#define MAILBOX_MAILSESSION_H

#include "sandbox.h"
#include "terms.h"
#include "wire.h"

struct mailsession {
    const char *folder, *account, *client, *tls;
    const char *tag; /* NULL: there is none */
    struct terms terms;
};

/* Points into `connection`. False when something is missing, or its terms are none. */
bool mailsession_read(struct mailsession *session, const struct wire_message *connection);
/* Makes the account's folder where it is not there yet, goes into it, and narrows the sandbox to
 * `sandbox`, whose "." is then that folder. As the domain's uid: a link leads nowhere that this uid
 * could not go by itself. False with errno; then the current folder, to which the sandbox is narrowed
 * all the same, is still the domain's. */
bool mailsession_enter(const struct mailsession *session, const struct sandbox *sandbox);

#endif
