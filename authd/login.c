/* login - see login.h */
#include "login.h"

#include "program.h"

#include <string.h>

_Static_assert((int)LOGIN_TAG_MAX == (int)PROGRAM_TAG_MAX, "one limit for tags");

static const struct login_service_kind kinds[LOGIN_SERVICES] = {
    [LOGIN_SMTP] = {.name = "smtp", .asker = ROLE_SMTPD},
    [LOGIN_IMAP] = {.name = "imap",
                    .asker = ROLE_IMAP_LOGIN,
                    .setting = "imap",
                    .program = "imapd"},
    [LOGIN_POP3] = {.name = "pop3",
                    .asker = ROLE_POP3_LOGIN,
                    .setting = "pop3",
                    .program = "pop3d"},
};

/* Fields of auth/1. */
enum {
    FIELD_PROTOCOL,
    FIELD_SERVICE,
    FIELD_MECHANISM,
    FIELD_CLIENT,
    FIELD_TLS,
    FIELD_USER,
    FIELD_SECRET,
    FIELD_CHALLENGE,
    FIELD_TAG,
    FIELD_LISTENING,
    FIELDS,
};

const struct login_service_kind *login_service(enum login_service service)
{
    return &kinds[service];
}

static bool read_service(struct slice text, enum role asker, struct login *login)
{
    for (int i = 0; i < LOGIN_SERVICES; i++) {
        if (slice_equal(text, slice_text(kinds[i].name))) {
            login->service = (enum login_service)i;
            return kinds[i].asker == asker;
        }
    }
    return false;
}

static bool read_mechanism(struct slice text, struct login *login)
{
    bool apop = slice_equal(text, SLICE("apop"));
    login->mechanism = apop ? LOGIN_BY_APOP : LOGIN_BY_PASSWORD;
    return apop ? login->service == LOGIN_POP3 : slice_equal(text, SLICE("plain"));
}

/* The client's address in one writing, however it came. */
static bool read_client(struct slice text, struct login *login)
{
    struct ip ip;
    if (!ip_parse(text, &ip))
        return false;
    ip_format(&ip, login->client);
    return true;
}

static bool read_tls(struct slice text, struct login *login)
{
    login->tls = slice_equal(text, SLICE("1"));
    return login->tls || slice_equal(text, SLICE("0"));
}

static bool read_tag(struct slice text, struct login *login)
{
    if (login->service == LOGIN_POP3)
        return terms_parse_chosen(text, &login->chosen);
    bool good = login->service == LOGIN_IMAP ? program_is_tag(text) : text.size == 0;
    return good && slice_copy_text(text, login->tag, sizeof login->tag);
}

static bool is_listening(struct slice text)
{
    struct ip ip;
    return text.size == 0 || ip_parse(text, &ip);
}

static bool has_descriptors(const struct wire_message *message, const struct login *login)
{
    bool hands_over = kinds[login->service].program;
    return hands_over ? message->fd_count == 1 || message->fd_count == 2 : message->fd_count == 0;
}

bool login_read(const struct wire_message *message, enum role asker, struct login *login)
{
    *login = (struct login){0};
    if (message->count != FIELDS || !slice_equal(message->fields[FIELD_PROTOCOL], SLICE("auth/1")))
        return false;
    if (!read_service(message->fields[FIELD_SERVICE], asker, login) ||
        !read_mechanism(message->fields[FIELD_MECHANISM], login) ||
        !read_client(message->fields[FIELD_CLIENT], login) ||
        !read_tls(message->fields[FIELD_TLS], login) ||
        !read_tag(message->fields[FIELD_TAG], login) ||
        !is_listening(message->fields[FIELD_LISTENING]) || !has_descriptors(message, login))
        return false;
    /* Too long, or with a NUL: stays empty, which is nobody's name and nobody's password. */
    slice_copy_text(message->fields[FIELD_USER], login->user, sizeof login->user);
    slice_copy_text(message->fields[FIELD_SECRET], login->secret, sizeof login->secret);
    slice_copy_text(message->fields[FIELD_CHALLENGE], login->challenge, sizeof login->challenge);
    return true;
}
