/* ehlo - see ehlo.h */
#include "ehlo.h"

#include "proxied.h"

bool ehlo_offers_starttls(const struct session *session)
{
    return !tls_is_on(&session->tls); /* on 465 it is there from the first byte */
}

bool ehlo_offers_auth(const struct session *session)
{
    return session_is_submission(session) && session->account[0] == '\0' &&
           (tls_is_on(&session->tls) || session->host.plaintext_auth);
}

static bool always(const struct session *session)
{
    (void)session;
    return true;
}

static void append_size(const struct session *session, struct str *reply)
{
    if (session->size_limit == UINT64_MAX)
        return;
    str_append_byte(reply, ' ');
    str_append_number(reply, session->size_limit);
}

static void append_recipients(const struct session *session, struct str *reply)
{
    str_append_number(reply, session->host.recipients_max);
}

struct extension {
    const char *keyword;
    bool (*is_offered)(const struct session *session);
    void (*append_value)(const struct session *session, struct str *reply);
};

static const struct extension extensions[] = {
    {"PIPELINING", always, NULL},
    {"SIZE", always, append_size},
    {"8BITMIME", always, NULL},
    {"SMTPUTF8", always, NULL},
    {"CHUNKING", always, NULL},
    {"BINARYMIME", always, NULL},
    {"DSN", always, NULL},
    /* RFC 9422: messages of one session and domains of one message have no limit of their own. */
    {"LIMITS RCPTMAX=", always, append_recipients},
    {"STARTTLS", ehlo_offers_starttls, NULL},
    {"AUTH PLAIN LOGIN", ehlo_offers_auth, NULL},
    {"XCLIENT " XCLIENT_ATTRIBUTES, proxied_is_trusted, NULL},
    {"ENHANCEDSTATUSCODES", always, NULL}, /* always there, so it is the line without a hyphen */
};

bool ehlo_format(const struct session *session, struct str *reply)
{
    size_t count = sizeof extensions / sizeof *extensions;
    str_append_texts(reply, "250-", session->host.me, "\r\n");
    for (size_t i = 0; i < count; i++) {
        const struct extension *extension = &extensions[i];
        if (!extension->is_offered(session))
            continue;
        str_append_texts(reply, i + 1 == count ? "250 " : "250-", extension->keyword);
        if (extension->append_value)
            extension->append_value(session, reply);
        str_append_text(reply, "\r\n");
    }
    return !reply->failed;
}
