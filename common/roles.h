/*
 * roles - the uids of the suite, as offsets from control/uidbase
 *
 * The uids are numbers without names in /etc/passwd, so that a second instance beside the first
 * needs only another uidbase. Every role has a group of the same number. Each customer domain has
 * a uid (and group) of its own from ROLE_FIRST_DOMAIN on.
 */
#ifndef COMMON_ROLES_H
#define COMMON_ROLES_H

enum role {
    ROLE_SMTPD = 0,      /* tcpd and smtpd of smtp, submission, submissions */
    ROLE_IMAP_LOGIN = 1, /* tcpd and imap-login */
    ROLE_POP3_LOGIN = 2, /* tcpd and pop3-login */
    ROLE_TLSD = 3,
    ROLE_KEYD = 4,   /* reads control/tls */
    ROLE_AUTHD = 5,  /* reads cdb/secret */
    ROLE_STATED = 6, /* owns state/ */
    ROLE_QUEUE = 7,  /* queue-inject and queued; owns queue/ */
    ROLE_SCAND = 8,  /* scand, its loader and its workers */
    ROLE_REMOTE = 10,
    ROLE_BOUNCE = 11,
    ROLE_LOG = 12,       /* owns log/ */
    ROLE_LOOKUPD = 13,   /* asks the DNS about smtpd's clients */
    ROLE_MTASTSD = 14,   /* fetches MTA-STS policies; owns state/mta-sts */
    ROLE_NIGHTLY = 15,   /* has mail aged; owns state/nightly */
    ROLE_DIRECTORY = 20, /* a group only: may read the compiled account directory, cdb/ */
    ROLE_FIRST_DOMAIN = 100,
    ROLE_LAST_DOMAIN = 29999,
};

#define ROLES_DEFAULT_UIDBASE 70000u

#endif
