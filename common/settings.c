/* settings - see settings.h */
#include "settings.h"

#include "capability.h"
#include "ip.h"
#include "mailaddress.h"
#include "number.h"
#include "percents.h"

#define GIGABYTE UINT64_C(1073741824)
#define TERABYTE (1024 * GIGABYTE)
#define DAY      UINT64_C(86400)

/* clang-format off */
const struct setting settings_table[] = {
    /* name, scope, kind, default, least, most, choices, who, rule, readers, sentence, reply */

    /* ---- the host: control/NAME ---- */
    {"me", SETTINGS_HOST, SETTINGS_NAME, NULL, 1, 253, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd pop3-login remote bounce sendmail", "The name of this machine, as it greets and signs.", NULL},
    {"defaultdomain", SETTINGS_HOST, SETTINGS_NAME, "", 0, 253, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "authd", "The domain of users who log in without one, as taro for taro@example.jp; empty: they can't.", NULL},
    {"databytes", SETTINGS_HOST, SETTINGS_BYTES, "104857600", 1024, TERABYTE, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd queue-inject", "The largest message that is taken, whatever a plan allows.",
     "552 sorry, that message size exceeds my databytes limit (#5.3.4)"},
    {"sendmail-limit", SETTINGS_HOST, SETTINGS_NUMBER, "10000", 0, 1000000000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queue-inject", "Messages that a user of this machine may send by the sendmail command within sendmail-window; 0: no limit.",
     "sorry, that message exceeds my limit"},
    {"sendmail-window", SETTINGS_HOST, SETTINGS_NUMBER, "3600", 1, DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queue-inject", "Seconds within which sendmail-limit is counted.", NULL},
    {"sendmail-pause", SETTINGS_HOST, SETTINGS_NUMBER, "3600", 1, 7200, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queue-inject", "Seconds for which a user who reached sendmail-limit can't send.", NULL},
    {"timeout-smtp", SETTINGS_HOST, SETTINGS_NUMBER, "300", 5, 86400, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd", "Seconds that an SMTP client may be silent.", NULL},
    {"timeout-smtp-data", SETTINGS_HOST, SETTINGS_NUMBER, "600", 5, 86400, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd", "Seconds that an SMTP client may be silent while it sends a message.", NULL},
    {"line-max", SETTINGS_HOST, SETTINGS_BYTES, "1048576", 1000, 1073741824, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd", "The longest line of a message.", NULL},
    {"hops-max", SETTINGS_HOST, SETTINGS_NUMBER, "100", 10, 10000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd", "The most Received fields of a message; one with more is taken to go in circles, and is refused.", NULL},
    {"recipients-max", SETTINGS_HOST, SETTINGS_NUMBER, "1000", 100, 1000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd", "The most recipients of one message; RFC 5321 asks for at least 100.", NULL},
    {"errors-max", SETTINGS_HOST, SETTINGS_NUMBER, "20", 1, 1000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd", "Errors of one SMTP client after which the connection is closed.", NULL},
    {"client-names", SETTINGS_HOST, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "lookupd", "Look up the reverse names of clients on port 25, for Received fields and logs.", NULL},
    {"connection-rate", SETTINGS_HOST, SETTINGS_NUMBER, "0", 0, 1000000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd lookupd", "Connections to port 25 that one address may make within a minute; 0: no limit.", "421 4.7.0 too many connections within a minute, try again later"},
    {"message-rate", SETTINGS_HOST, SETTINGS_NUMBER, "0", 0, 1000000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd lookupd", "Messages that one address may send to port 25 within a minute; 0: no limit.", "450 4.7.1 too much mail within a minute, try again later"},
    {"recipient-rate", SETTINGS_HOST, SETTINGS_NUMBER, "0", 0, 1000000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd lookupd", "Recipients that one address may name on port 25 within a minute; 0: no limit.", "450 4.7.1 too much mail within a minute, try again later"},
    {"greet-delay", SETTINGS_HOST, SETTINGS_NUMBER, "0", 0, 30000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd", "Milliseconds before a client on port 25 is greeted, and one that speaks earlier is refused; 0: neither.", "521 5.5.1 you spoke before the greeting"},
    {"tarpit-errors", SETTINGS_HOST, SETTINGS_NUMBER, "10", 0, 1000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd", "Errors of an SMTP client that are answered at once; the answer to each further one is delayed.", NULL},
    {"tarpit-delay", SETTINGS_HOST, SETTINGS_NUMBER, "1", 0, 60, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd", "Seconds of that delay; 0: none.", NULL},
    {"greylist-delay", SETTINGS_HOST, SETTINGS_NUMBER, "300", 1, 86400, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "lookupd", "Seconds that a greylisted client has to wait before its next try counts.", NULL},
    {"greylist-window", SETTINGS_HOST, SETTINGS_NUMBER, "172800", 60, 30 * DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "lookupd", "Seconds within which that try has to come; a later one counts as the first again.", NULL},
    {"greylist-lifetime", SETTINGS_HOST, SETTINGS_NUMBER, "3024000", 60, 366 * DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "lookupd", "Seconds without mail after which greylisting forgets a client that has passed.", NULL},
    {"greylist-passes", SETTINGS_HOST, SETTINGS_NUMBER, "5", 0, 1000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "lookupd", "How many pairs of sender and recipient have to pass before a network is not greylisted any more; 0: it always is.", NULL},
    {"plaintext-auth", SETTINGS_HOST, SETTINGS_SWITCH, "off", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd imap-login pop3-login", "Offer log-in without TLS; the domain's plaintext-login decides then.", NULL},
    {"apop", SETTINGS_HOST, SETTINGS_SWITCH, "off", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "pop3-login", "Greet POP3 clients with the timestamp that APOP needs.", NULL},
    {"connections-max", SETTINGS_HOST, SETTINGS_NUMBER, "1000", 1, 100000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "tcpd", "The most connections of one service at a time.", NULL},
    {"connections-per-client", SETTINGS_HOST, SETTINGS_NUMBER, "50", 1, 100000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "tcpd", "The most connections of one service from one address at a time.", NULL},
    {"tls-handshake-timeout", SETTINGS_HOST, SETTINGS_NUMBER, "30", 1, 300, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "tlsd", "Seconds for a TLS handshake.", NULL},
    {"tls-sessions-max", SETTINGS_HOST, SETTINGS_NUMBER, "2000", 1, 100000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "tlsd", "The most TLS connections at a time.", NULL},
    {"sessions-max", SETTINGS_HOST, SETTINGS_NUMBER, "4000", 1, 100000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "spawnd", "The most IMAP and POP3 sessions at a time.", NULL},
    {"sessions-per-domain", SETTINGS_HOST, SETTINGS_NUMBER, "1000", 1, 100000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "spawnd", "The most IMAP and POP3 sessions of one domain at a time.", NULL},
    {"lock-failures", SETTINGS_HOST, SETTINGS_NUMBER, "10", 1, 1000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "stated", "Failed log-ins after which an account is locked for a time.", NULL},
    {"lock-window", SETTINGS_HOST, SETTINGS_NUMBER, "600", 10, DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "stated", "Seconds within which failed log-ins are counted.", NULL},
    {"lock-time", SETTINGS_HOST, SETTINGS_NUMBER, "900", 1, 7 * DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "stated", "Seconds for which such a lock holds.", NULL},
    {"ageing-hour", SETTINGS_HOST, SETTINGS_NUMBER, "3", 0, 23, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "nightly", "The hour, in local time, within which mail is aged each night (archive-days, trash-days).", NULL},
    {"concurrency-scan", SETTINGS_HOST, SETTINGS_NUMBER, "4", 1, 100, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "The most messages that are scanned at a time.", NULL},
    {"concurrency-local", SETTINGS_HOST, SETTINGS_NUMBER, "60", 1, 500, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "The most local deliveries at a time.", NULL},
    {"concurrency-remote", SETTINGS_HOST, SETTINGS_NUMBER, "100", 1, 500, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "The most remote deliveries at a time.", NULL},
    {"concurrency-destination", SETTINGS_HOST, SETTINGS_NUMBER, "20", 1, 500, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "The most remote deliveries to one domain at a time; it starts with 5, and each success allows one more.", NULL},
    {"queue-lifetime", SETTINGS_HOST, SETTINGS_NUMBER, "432000", 60, 30 * DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "Seconds that delivery is tried before the message bounces.", NULL},
    {"bounce-lifetime", SETTINGS_HOST, SETTINGS_NUMBER, "432000", 60, 30 * DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "The same for reports, that is mail with the null sender.", NULL},
    {"retry-min", SETTINGS_HOST, SETTINGS_NUMBER, "300", 10, DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "Seconds between two attempts of one message, at least.", NULL},
    {"retry-max", SETTINGS_HOST, SETTINGS_NUMBER, "4000", 10, DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "Seconds between two attempts of one message, at most.", NULL},
    {"sync-relayed", SETTINGS_HOST, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "Sync at once that another server took a message; off: relaying is faster, and a power cut within seconds sends the message twice.", NULL},
    {"sync-folders", SETTINGS_HOST, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queue-inject queued", "Sync the folder of a new message as well as its file; off where the file system writes a file's name along with it (ext4, XFS, Btrfs): Postfix relies on that, and it is faster.", NULL},
    {"delay-warning", SETTINGS_HOST, SETTINGS_NUMBER, "14400", 0, 30 * DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "Seconds after which a sender is told, once, that a message could not be delivered yet; 0: never.", NULL},
    {"scan-lifetime", SETTINGS_HOST, SETTINGS_NUMBER, "86400", 60, 30 * DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "Seconds for which a scan holds while mail waits; after that it is scanned again, with the signatures of that time.", NULL},
    {"bounce-size", SETTINGS_HOST, SETTINGS_BYTES, "50000", 1, 20971520, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "bounce", "The largest message that is returned whole with the report of its failure; of a larger one only the header is.", NULL},
    {"postmaster", SETTINGS_HOST, SETTINGS_ADDRESS, "", 0, 320, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd bounce", "Where bounces that can't be delivered go; empty: postmaster@me.", NULL},
    {"bouncefrom", SETTINGS_HOST, SETTINGS_LOCAL, "MAILER-DAEMON", 1, 64, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "bounce", "The local part in From of a bounce; the domain is me.", NULL},
    {"helo", SETTINGS_HOST, SETTINGS_NAME, "", 0, 253, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "remote", "The name said to other servers; empty: me.", NULL},
    {"resolver", SETTINGS_HOST, SETTINGS_ENDPOINT, "", 0, 64, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "remote lookupd", "The DNS server to ask, ADDRESS or ADDRESS:PORT; empty: as /etc/resolv.conf says.", NULL},
    {"srs-secret", SETTINGS_HOST, SETTINGS_TEXT, "", 0, 128, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued smtpd", "The secret with which the senders of forwarded mail are rewritten (SRS), at least 16 bytes; shorter or empty: they are not rewritten.", NULL},
    {"inet-protocols", SETTINGS_HOST, SETTINGS_CHOICE, "both", 0, 0, "both ipv4 ipv6", SETTINGS_OPERATOR, SETTINGS_FIXED,
     "remote", "Which addresses of other servers are tried.", NULL},
    {"private-mx", SETTINGS_HOST, SETTINGS_SWITCH, "off", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "remote", "Send mail to hosts whose addresses in the DNS are no public server's: loopback, link-local, multicast.", NULL},
    {"tls-out", SETTINGS_HOST, SETTINGS_CHOICE, "may", 0, 0, "none may encrypt dane dane-only verify secure",
     SETTINGS_OPERATOR, SETTINGS_FIXED,
     "remote", "TLS toward servers that control/tlspolicy does not name; the words are those of tlspolicy(5).", NULL},
    {"dane", SETTINGS_HOST, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "remote", "Follow the TLSA records of destinations, where the resolver is on loopback and validates.", NULL},
    {"mta-sts", SETTINGS_HOST, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "remote", "Follow the MTA-STS policies of destinations.", NULL},
    {"tls-ca", SETTINGS_HOST, SETTINGS_PATH, "/etc/ssl/certs/ca-certificates.crt", 1, 1000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "tlsd mtastsd", "The file of trusted certificates (PEM) to which other servers' chains must lead.", NULL},
    {"clamdb", SETTINGS_HOST, SETTINGS_PATH, "/var/lib/clamav", 1, 1000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "scand", "The folder of ClamAV's signatures.", NULL},
    {"scan", SETTINGS_HOST, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "queued", "Have scand scan every message; off lets viruses pass, so another host in front has to look for them.", NULL},
    {"scan-workers", SETTINGS_HOST, SETTINGS_NUMBER, "2", 1, 64, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "scand queued", "Scanning processes.", NULL},
    {"scan-timeout", SETTINGS_HOST, SETTINGS_NUMBER, "120", 5, 170, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "scand", "Seconds for one message; after that it waits and is tried again.", NULL},
    {"scan-encrypted", SETTINGS_HOST, SETTINGS_CHOICE, "pass", 0, 0, "pass refuse", SETTINGS_OPERATOR, SETTINGS_FIXED,
     "scand", "Mail with an archive that is encrypted: pass with a header field, or refuse.", NULL},
    {"scan-limits", SETTINGS_HOST, SETTINGS_CHOICE, "refuse", 0, 0, "pass refuse", SETTINGS_OPERATOR, SETTINGS_FIXED,
     "scand", "Mail with an archive beyond the scanner's limits (too deep, too large): pass or refuse.", NULL},

    /* ---- account: control/domains/DOMAIN/users, the domain's settings, the plan ---- */
    {"imap", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_ADMIN, SETTINGS_OFF,
     "authd", "May log in over IMAP.", NULL},
    {"imap-capabilities-off", SETTINGS_ACCOUNT, SETTINGS_CAPABILITIES, "", 0, 1000, NULL, SETTINGS_ADMIN, SETTINGS_FREE,
     "authd", "IMAP capabilities to switch off, names with blanks between them, to help a client that uses one wrongly.", NULL},
    {"pop3", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_ADMIN, SETTINGS_OFF,
     "authd", "May log in over POP3.", NULL},
    {"pop3-login-delay", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "0", 0, DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "authd", "Seconds that have to pass between two POP3 log-ins; 0: none.", "-ERR [LOGIN-DELAY] that was too soon after the log-in before"},
    {"pop3-expire", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "0", 0, 36500, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "authd", "Days that mail is kept at least, as POP3 clients are told; 0: for ever.", NULL},
    {"apop", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "off", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_OFF,
     "authd", "May log in by APOP; needs control/apop on, and the password is kept readable for it.", NULL},
    {"plaintext-login", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "off", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_OFF,
     "authd", "May log in without TLS; needs control/plaintext-auth on.", NULL},
    {"message-size", SETTINGS_ACCOUNT, SETTINGS_BYTES, "52428800", 1024, TERABYTE, NULL, SETTINGS_ADMIN, SETTINGS_LOWER,
     "smtpd queue-inject queued", "The largest message that an account may send or receive.",
     "552 sorry, that message size exceeds my databytes limit (#5.3.4)"},
    {"quota", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "0", 0, 1048576, NULL, SETTINGS_ADMIN, SETTINGS_LOWER_0,
     "authd queued", "Space for the account's mail in MB; 0: no limit of its own.",
     "452 sorry, mailbox is full (#4.5.2)"},
    {"quota-warning", SETTINGS_ACCOUNT, SETTINGS_PERCENTS, "80 95", 0, 31, NULL, SETTINGS_ADMIN, SETTINGS_FREE,
     "queued", "Percentages of the quota at which the owner of a mailbox is warned by mail; empty: never.", NULL},
    {"notice-language", SETTINGS_ACCOUNT, SETTINGS_CHOICE, "both", 0, 0, "both ja en", SETTINGS_USER, SETTINGS_FREE,
     "queued", "The language of the suite's own mail to the owner of a mailbox: Japanese, English, or both.", NULL},
    {"account-send-limit", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "10000", 0, 1000000000, NULL, SETTINGS_ADMIN, SETTINGS_LOWER_0,
     "smtpd queued", "Messages that an account may send within account-send-window; then it gets into the state send-lock; 0: no limit.",
     "450 4.7.1 sending is stopped for a time: too much mail was sent"},
    {"account-recipients-limit", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "50000", 0, 1000000000, NULL, SETTINGS_ADMIN, SETTINGS_LOWER_0,
     "smtpd queued", "The same, counting the recipients of these messages.",
     "450 4.7.1 sending is stopped for a time: too much mail was sent"},
    {"archive-days", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "0", 0, 36500, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "authd nightly mailctl", "Days after which mail in INBOX is moved to the archive folder; 0: never.", NULL},
    {"trash-days", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "0", 0, 36500, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "nightly mailctl", "Days after which mail in the trash folder is deleted, counted from when it got there; 0: never.", NULL},
    {"misuse-recipients", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "0", 0, 1000000000, NULL, SETTINGS_OPERATOR, SETTINGS_LOWER_0,
     "smtpd queued", "Recipients that an account may send to within misuse-window; then it is in the state misuse-detected until its password is changed; 0: no such rule.",
     "450 4.7.1 sending is stopped: misuse of this account was detected; change the password"},
    {"misuse-rejected", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "0", 0, 1000000000, NULL, SETTINGS_OPERATOR, SETTINGS_LOWER_0,
     "smtpd queued", "The same, counting recipients that do not exist: here, or elsewhere as other servers say.",
     "450 4.7.1 sending is stopped: misuse of this account was detected; change the password"},
    {"forwards", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "20", 0, 300, NULL, SETTINGS_ADMIN, SETTINGS_LOWER,
     "cdb mailctl", "The most addresses that an account's mail may be forwarded to, those of all conditions together.", NULL},
    {"conditional-forwards", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_OFF,
     "cdb mailctl", "Mail may also be forwarded by a keyword in its From or Subject.", NULL},
    {"plus-addressing", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_ADMIN, SETTINGS_OFF,
     "smtpd queued", "Mail for USER+ANYTHING goes to USER.", NULL},
    {"auto-reply", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_USER, SETTINGS_OFF,
     "cdb mailctl", "Answer mail with the account's text, where it has one (mailctl reply).", NULL},
    {"auto-reply-interval", SETTINGS_ACCOUNT, SETTINGS_NUMBER, "86400", 60, 30 * DAY, NULL, SETTINGS_ADMIN, SETTINGS_FREE,
     "queued local", "Seconds within which the same sender is answered only once.", NULL},
    {"receive", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_USER, SETTINGS_FREE,
     "smtpd queued", "Keep arriving mail in the mailbox; off: it is only forwarded and answered, where that was set up.", NULL},
    {"greylist", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "off", 0, 0, NULL, SETTINGS_ADMIN, SETTINGS_FREE,
     "smtpd", "Take mail from servers that are not known yet only at their second try, after greylist-delay.", "450 4.7.1 greylisted, try again in 300 seconds"},
    {"spam-tag", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "off", 0, 0, NULL, SETTINGS_USER, SETTINGS_FREE,
     "", "Put [SPAM] in front of the subject of spam.", NULL},
    {"spam-folder", SETTINGS_ACCOUNT, SETTINGS_SWITCH, "off", 0, 0, NULL, SETTINGS_USER, SETTINGS_FREE,
     "", "File spam in the spam folder.", NULL},
    {"comment", SETTINGS_ACCOUNT, SETTINGS_TEXT, "", 0, 255, NULL, SETTINGS_ADMIN, SETTINGS_FREE,
     "mailctl", "Free text about the account.", NULL},

    /* ---- domain: the domain's settings, the plan ---- */
    {"catch-all", SETTINGS_DOMAIN, SETTINGS_LOCAL, "", 0, 64, NULL, SETTINGS_ADMIN, SETTINGS_FIXED,
     "cdb", "The account that gets mail for unknown local parts; empty: such mail is refused.", NULL},
    {"postmaster", SETTINGS_DOMAIN, SETTINGS_CHOICE, "admin", 0, 0, "admin box", SETTINGS_OPERATOR, SETTINGS_FIXED,
     "cdb", "Whether postmaster is a mailbox of its own (box), or mail for it and for nobody goes to the account that the setting admin names (admin).", NULL},
    {"admin", SETTINGS_DOMAIN, SETTINGS_LOCAL, "", 0, 64, NULL, SETTINGS_OPERATOR, SETTINGS_FREE,
     "cdb", "The administrator's account; empty: the mailbox postmaster.", NULL},
    {"child-domains", SETTINGS_DOMAIN, SETTINGS_SWITCH, "on", 0, 0, NULL, SETTINGS_OPERATOR, SETTINGS_OFF,
     "cdb", "May have child domains.", NULL},
    {"accounts-max", SETTINGS_DOMAIN, SETTINGS_NUMBER, "0", 0, 1000000, NULL, SETTINGS_OPERATOR, SETTINGS_LOWER_0,
     "cdb", "The most accounts of the domain, not counting postmaster; 0: no limit.", NULL},
    {"imap-sessions", SETTINGS_DOMAIN, SETTINGS_NUMBER, "500", 1, 100000, NULL, SETTINGS_OPERATOR, SETTINGS_LOWER,
     "cdb", "The most IMAP sessions of the domain at a time.", "NO [LIMIT] The domain has its 500 IMAP sessions already; close one or try again later"},
    {"imap-sessions-percent", SETTINGS_DOMAIN, SETTINGS_NUMBER, "200", 0, 100000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "cdb", "The same per hundred addresses of the domain (accounts-max or, where that is 0, the accounts that exist); 0: imap-sessions alone counts.", NULL},
    {"imap-sessions-least", SETTINGS_DOMAIN, SETTINGS_NUMBER, "10", 1, 100000, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "cdb", "Sessions that a domain has however few its addresses are, since one mail program opens several.", NULL},
    {"lock-failures", SETTINGS_DOMAIN, SETTINGS_NUMBER, "0", 0, 1000, NULL, SETTINGS_OPERATOR, SETTINGS_LOWER_0,
     "authd", "Failed log-ins after which an account of the domain is locked for a time; 0: as control/lock-failures says.",
     "454 4.7.0 Too many failed logins; try again in 15 minutes"},
    {"lock-time", SETTINGS_DOMAIN, SETTINGS_NUMBER, "0", 0, 7 * DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "authd", "Seconds for which such a lock holds; 0: as control/lock-time says.", NULL},
    {"send-limit", SETTINGS_DOMAIN, SETTINGS_NUMBER, "50000", 0, 1000000000, NULL, SETTINGS_OPERATOR, SETTINGS_LOWER_0,
     "smtpd queue-inject queued", "Messages that the domain's accounts may send within send-window; then their sending pauses; 0: no limit.",
     "423 sorry, that message exceeds my limit"},
    {"send-window", SETTINGS_DOMAIN, SETTINGS_NUMBER, "3600", 1, DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd queue-inject queued", "Seconds within which send-limit is counted.", NULL},
    {"receive-limit", SETTINGS_DOMAIN, SETTINGS_NUMBER, "200000", 0, 1000000000, NULL, SETTINGS_OPERATOR, SETTINGS_LOWER_0,
     "smtpd", "Messages that the domain may receive within receive-window; then its receiving pauses; 0: no limit.",
     "423 sorry, that message exceeds my limit"},
    {"receive-window", SETTINGS_DOMAIN, SETTINGS_NUMBER, "3600", 1, DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd", "Seconds within which receive-limit is counted.", NULL},
    {"limit-pause", SETTINGS_DOMAIN, SETTINGS_NUMBER, "3600", 1, 7200, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd queue-inject queued", "Seconds for which sending or receiving pauses when such a limit is reached.", NULL},
    {"account-send-window", SETTINGS_DOMAIN, SETTINGS_NUMBER, "86400", 1, 30 * DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd queued", "Seconds within which account-send-limit and account-recipients-limit are counted.", NULL},
    {"send-lock-time", SETTINGS_DOMAIN, SETTINGS_NUMBER, "86400", 1, 7 * DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd queued", "Seconds for which an account that reached one of them can't send.", NULL},
    {"misuse-window", SETTINGS_DOMAIN, SETTINGS_NUMBER, "600", 1, DAY, NULL, SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd queued", "Seconds within which misuse-recipients and misuse-rejected are counted.", NULL},
    {"over-quota-reply", SETTINGS_DOMAIN, SETTINGS_CHOICE, "452", 0, 0, "452 552", SETTINGS_OPERATOR, SETTINGS_FIXED,
     "smtpd queued", "What senders hear while a mailbox or the domain is full: try again later (452), or give up (552).",
     "452 sorry, mailbox is full (#4.5.2)"},
    {"domain-quota", SETTINGS_DOMAIN, SETTINGS_NUMBER, "0", 0, 1073741824, NULL, SETTINGS_OPERATOR, SETTINGS_LOWER_0,
     "queued", "Space for all mail of the domain in MB; 0: no limit.",
     "452 sorry, mailbox is full (#4.5.2)"},
};
/* clang-format on */

const size_t settings_count = sizeof settings_table / sizeof settings_table[0];

static const struct setting *find(struct slice name, bool host)
{
    for (size_t i = 0; i < settings_count; i++)
        if ((settings_table[i].scope == SETTINGS_HOST) == host &&
            slice_equal(name, slice_text(settings_table[i].name)))
            return &settings_table[i];
    return NULL;
}

const struct setting *settings_find_host(struct slice name)
{
    return find(name, true);
}

const struct setting *settings_find(struct slice name)
{
    return find(name, false);
}

/* ---- one check per kind ---- */

typedef bool check(const struct setting *setting, struct slice value, struct str *reason);

static bool has_word(const char *words, struct slice word)
{
    struct slice rest = slice_text(words);
    while (rest.size > 0)
        if (slice_equal(slice_cut_word(&rest), word))
            return true;
    return false;
}

static bool check_switch(const struct setting *setting, struct slice value, struct str *reason)
{
    (void)setting;
    if (has_word("on off", value))
        return true;
    str_append_text(reason, "is neither \"on\" nor \"off\"");
    return false;
}

static bool check_amount(const struct setting *setting, struct slice value, struct str *reason,
                         const char *what)
{
    uint64_t number;
    if (number_parse(value, setting->most, &number) && number >= setting->least)
        return true;
    str_format(reason, "is not %s from %llu to %llu", what, (unsigned long long)setting->least,
               (unsigned long long)setting->most);
    if (setting->otherwise)
        str_format(reason, " (try %s)", setting->otherwise);
    return false;
}

static bool check_number(const struct setting *setting, struct slice value, struct str *reason)
{
    return check_amount(setting, value, reason, "a number");
}

static bool check_bytes(const struct setting *setting, struct slice value, struct str *reason)
{
    return check_amount(setting, value, reason, "a number of bytes");
}

static bool check_choice(const struct setting *setting, struct slice value, struct str *reason)
{
    if (has_word(setting->choices, value))
        return true;
    str_format(reason, "is not one of: %s", setting->choices);
    return false;
}

/* Well-formed UTF-8 of `size` bytes at `text`, shortest form, no surrogates, no controls. */
static size_t character_size(const unsigned char *text, size_t size)
{
    unsigned char first = text[0];
    size_t need = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first > 0xf4 || need == 0 || need > size || first < 0x20 || first == 0x7f)
        return 0;
    for (size_t i = 1; i < need; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
        (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f) ||
        (first == 0xc2 && text[1] < 0xa0))
        return 0;
    return need;
}

static bool is_line(struct slice value, uint64_t *characters)
{
    *characters = 0;
    while (value.size > 0) {
        size_t size = character_size((const unsigned char *)value.data, value.size);
        if (size == 0)
            return false;
        value = slice_from(value, size);
        ++*characters;
    }
    return true;
}

static bool check_text(const struct setting *setting, struct slice value, struct str *reason)
{
    uint64_t characters;
    if (is_line(value, &characters) && characters >= setting->least && characters <= setting->most)
        return true;
    str_format(reason, "is not one line of UTF-8 of at most %llu characters",
               (unsigned long long)setting->most);
    return false;
}

static bool may_be_empty(const struct setting *setting, struct slice value)
{
    return value.size == 0 && setting->least == 0;
}

static bool check_name(const struct setting *setting, struct slice value, struct str *reason)
{
    if (may_be_empty(setting, value) ||
        (value.size <= setting->most && mailaddress_is_domain(value, 0)))
        return true;
    str_append_text(reason, "is not a host name (such as mail.example.jp)");
    return false;
}

static bool check_local(const struct setting *setting, struct slice value, struct str *reason)
{
    bool good = value.size >= setting->least && value.size <= setting->most;
    for (size_t i = 0; good && i < value.size; i++)
        good = slice_is_letter(value.data[i]) || slice_is_digit(value.data[i]) ||
               slice_has(SLICE("-_."), value.data[i]);
    if (!good)
        str_append_text(reason, "is not the part of an address before the @ (such as admin)");
    return good;
}

static bool check_address(const struct setting *setting, struct slice value, struct str *reason)
{
    struct mailaddress address;
    if (may_be_empty(setting, value) ||
        (value.size <= setting->most && mailaddress_parse(value, 0, &address)))
        return true;
    str_append_text(reason, "is not a mail address (such as postmaster@example.jp)");
    return false;
}

static bool check_endpoint(const struct setting *setting, struct slice value, struct str *reason)
{
    struct ip ip;
    uint16_t port;
    if (may_be_empty(setting, value) || ip_parse(value, &ip) ||
        ip_parse_endpoint(value, &ip, &port))
        return true;
    str_append_text(reason,
                    "is not ADDRESS or ADDRESS:PORT (such as 127.0.0.1, 127.0.0.1:53, [::1]:53)");
    return false;
}

static bool check_path(const struct setting *setting, struct slice value, struct str *reason)
{
    uint64_t characters;
    if (value.size > 0 && value.size <= setting->most && value.data[0] == '/' &&
        is_line(value, &characters))
        return true;
    str_append_text(reason, "is not an absolute path");
    return false;
}

static bool check_percents(const struct setting *setting, struct slice value, struct str *reason)
{
    struct percents percents;
    (void)setting;
    if (percents_parse(value, &percents))
        return true;
    str_format(reason, "is not up to %d percentages from 1 to 100 that rise (such as 80 95)",
               PERCENTS_MAX);
    return false;
}

static bool check_capabilities(const struct setting *setting, struct slice value,
                               struct str *reason)
{
    uint64_t set;
    struct slice wrong = {0};
    if (value.size <= setting->most && capability_read_names(value, &set, &wrong))
        return true;
    str_append_text(reason, "names ");
    str_append_printable(reason, slice_part(wrong, 0, SETTINGS_NAME_MAX));
    str_append_text(reason,
                    ", which is no capability that can be switched off (such as IDLE MOVE)");
    return false;
}

static const struct {
    const char *name;
    check *check;
} kinds[] = {
    [SETTINGS_SWITCH] = {"switch", check_switch},
    [SETTINGS_NUMBER] = {"number", check_number},
    [SETTINGS_BYTES] = {"bytes", check_bytes},
    [SETTINGS_CHOICE] = {"choice", check_choice},
    [SETTINGS_TEXT] = {"text", check_text},
    [SETTINGS_NAME] = {"host name", check_name},
    [SETTINGS_LOCAL] = {"local part", check_local},
    [SETTINGS_ADDRESS] = {"address", check_address},
    [SETTINGS_ENDPOINT] = {"IP address", check_endpoint},
    [SETTINGS_PATH] = {"path", check_path},
    [SETTINGS_PERCENTS] = {"percentages", check_percents},
    [SETTINGS_CAPABILITIES] = {"capabilities", check_capabilities},
};

bool settings_check(const struct setting *setting, struct slice value, struct str *reason)
{
    return kinds[setting->kind].check(setting, value, reason);
}

/* ---- layers ---- */

static uint64_t amount(struct slice value, bool zero_is_none)
{
    uint64_t number = 0;
    if (!number_parse(value, UINT64_MAX, &number))
        return 0;
    return zero_is_none && number == 0 ? UINT64_MAX : number;
}

bool settings_may(enum settings_rule rule, struct slice upper, struct slice lower)
{
    bool zero_is_none = rule == SETTINGS_LOWER_0;
    if (slice_equal(upper, lower))
        return true;
    switch (rule) {
    case SETTINGS_FREE:
        return true;
    case SETTINGS_LOWER:
    case SETTINGS_LOWER_0:
        return amount(lower, zero_is_none) <= amount(upper, zero_is_none);
    case SETTINGS_OFF:
        return slice_equal(lower, SLICE("off"));
    case SETTINGS_FIXED:
        break;
    }
    return false;
}

struct slice settings_in_force(const struct setting *setting, const struct settings_stack *stack,
                               enum settings_layer *layer, bool *ignored)
{
    struct slice value = slice_text(setting->otherwise);
    enum settings_rule rule = stack->plan_rules ? stack->rule : setting->rule;
    bool passed_over = false;
    *layer = SETTINGS_SYSTEM;
    for (enum settings_layer at = SETTINGS_PLAN; at < SETTINGS_LAYERS; at++) {
        if (!stack->layer[at].said)
            continue;
        /* The plan is the operator's word and may loosen what is only a default. */
        if (at != SETTINGS_PLAN && !settings_may(rule, value, stack->layer[at].value)) {
            passed_over = true;
            continue;
        }
        value = stack->layer[at].value;
        *layer = at;
    }
    if (ignored)
        *ignored = passed_over;
    return value;
}

/* ---- names ---- */

const char *settings_scope_name(enum settings_scope scope)
{
    static const char *const names[] = {"host", "domain", "account"};
    return names[scope];
}

const char *settings_kind_name(enum settings_kind kind)
{
    return kinds[kind].name;
}

const char *settings_layer_name(enum settings_layer layer)
{
    static const char *const names[] = {"system", "plan", "domain", "account"};
    return layer < SETTINGS_LAYERS ? names[layer] : "?";
}

const char *settings_who_name(enum settings_who who)
{
    static const char *const names[] = {"operator", "admin", "user"};
    return names[who];
}

const char *settings_rule_text(enum settings_rule rule)
{
    static const char *const texts[] = {
        [SETTINGS_FREE] = "a lower layer may say anything",
        [SETTINGS_LOWER] = "a lower layer may only lower it",
        [SETTINGS_LOWER_0] = "a lower layer may only lower it (0: without limit)",
        [SETTINGS_OFF] = "a lower layer may only switch it off",
        [SETTINGS_FIXED] = "a lower layer may not change it",
    };
    return texts[rule];
}
