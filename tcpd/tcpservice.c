/* tcpservice - see tcpservice.h */
#include "tcpservice.h"

#include <string.h>

/* The answers before a session begins, by protocol. RFC 5321 3.8 and 4.3.2 let 421 and 554 stand
 * for the greeting; RFC 3501 7.1.5 BYE; RFC 3206 SYS/TEMP, and SYS/PERM for what will not change.
 */
#define SMTP_REFUSALS                                                                              \
    {                                                                                              \
        [TCPSERVICE_FULL] = "421 4.3.2 Too many connections, try again later\r\n",                 \
        [TCPSERVICE_CLIENT] = "421 4.7.0 Too many connections from your address\r\n",              \
        [TCPSERVICE_DENIED] = "554 5.7.1 No service for your address\r\n",                         \
        [TCPSERVICE_TROUBLE] = "421 4.3.0 Passing trouble, try again later\r\n",                   \
    }
#define POP3_REFUSALS                                                                              \
    {                                                                                              \
        [TCPSERVICE_FULL] = "-ERR [SYS/TEMP] Too many connections, try again later\r\n",           \
        [TCPSERVICE_CLIENT] = "-ERR [SYS/TEMP] Too many connections from your address\r\n",        \
        [TCPSERVICE_DENIED] = "-ERR [SYS/PERM] No service for your address\r\n",                   \
        [TCPSERVICE_TROUBLE] = "-ERR [SYS/TEMP] Passing trouble, try again later\r\n",             \
    }
#define IMAP_REFUSALS                                                                              \
    {                                                                                              \
        [TCPSERVICE_FULL] = "* BYE [UNAVAILABLE] Too many connections, try again later\r\n",       \
        [TCPSERVICE_CLIENT] = "* BYE [UNAVAILABLE] Too many connections from your address\r\n",    \
        [TCPSERVICE_DENIED] = "* BYE [NOPERM] No service for your address\r\n",                    \
        [TCPSERVICE_TROUBLE] = "* BYE [UNAVAILABLE] Passing trouble, try again later\r\n",         \
    }

static const struct tcpservice services[] = {
    {"smtp", "smtpd", "starttls", ROLE_SMTPD, SMTP_REFUSALS},
    {"submission", "smtpd", "starttls", ROLE_SMTPD, SMTP_REFUSALS},
    {"submissions", "smtpd", "implicit", ROLE_SMTPD, {NULL}},
    {"lmtp", "smtpd", "starttls", ROLE_SMTPD, SMTP_REFUSALS},
    {"pop3", "pop3-login", "starttls", ROLE_POP3_LOGIN, POP3_REFUSALS},
    {"pop3s", "pop3-login", "implicit", ROLE_POP3_LOGIN, {NULL}},
    {"imap", "imap-login", "starttls", ROLE_IMAP_LOGIN, IMAP_REFUSALS},
    {"imaps", "imap-login", "implicit", ROLE_IMAP_LOGIN, {NULL}},
};

const struct tcpservice *tcpservice_find(struct slice name)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (slice_equal(name, slice_text(services[i].name)))
            return &services[i];
    return NULL;
}

bool tcpservice_is_closed(const struct tcpservice *service)
{
    return strcmp(service->name, "lmtp") == 0;
}

bool tcpservice_is_known(struct slice name)
{
    return tcpservice_find(name) || slice_equal(name, SLICE("web"));
}
