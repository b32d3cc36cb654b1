/*
 * access - who may connect to which service, and who may speak for others: control/access,
 * control/proxies and control/xclient in cdb/access.cdb
 *
 * A line of control/access is
 *     SERVICE|* ADDRESS[/BITS] allow|deny [NAME=VALUE...]
 * and of control/proxies and control/xclient
 *     ADDRESS[/BITS]
 * (who may speak for other clients by the PROXY protocol, by XCLIENT). In the file a network is a key and its
 * answer the value, both readable:  "smtp 192.0.2.0/24" -> "allow RELAY=1",
 * "* 2001:db8::/32" -> "deny", "proxy 10.0.0.0/8" -> "allow", "xclient 10.0.0.5/32" -> "allow". The longest prefix wins, and with
 * equal prefixes a service's own line wins over "*". Nothing found: everybody may connect, and
 * nobody is a proxy; for lmtp, which only a line of its own opens, the caller takes loopback alone.
 *
 * Both the compiler of control files (cdb rebuild) and tcpd use this module.
 */
#ifndef COMMON_ACCESS_H
#define COMMON_ACCESS_H

#include "cdbfile.h"
#include "ip.h"
#include "str.h"

#define ACCESS_FILE "cdb/access.cdb"

enum {
    ACCESS_KEY_MAX = 96,
    ACCESS_VALUE_MAX = 1024, /* bytes of a line's variables with "allow" in front */
    ACCESS_VARIABLES_MAX = 16,
    ACCESS_ERROR_MAX = 256,
    ACCESS_BITS_MAX = 128,
};

struct access_rule {
    struct slice service; /* "smtp" ... "imaps", "*", "proxy" (control/proxies), "xclient" */
    struct ip network;
    unsigned bits;
    bool allow;
    struct slice variables[ACCESS_VARIABLES_MAX]; /* "NAME=VALUE" each */
    size_t variable_count;
};

/* Is it a service that tcpd listens for? */
bool access_is_service(struct slice name);

/* Parse one line, which the rule's slices point into. False: `error` holds the reason with what
 * would be right, without file and line. */
bool access_parse(struct slice line, struct access_rule *rule, char error[ACCESS_ERROR_MAX]);
bool access_parse_proxy(struct slice line, struct access_rule *rule, char error[ACCESS_ERROR_MAX]);
bool access_parse_xclient(struct slice line, struct access_rule *rule,
                          char error[ACCESS_ERROR_MAX]);

/* The record for cdb/access.cdb, appended to `key` and `value`. A second line with the same key
 * contradicts the first: the compiler says so. False when they are full. */
bool access_encode(const struct access_rule *rule, struct str *key, struct str *value);

enum { ACCESS_IPV4, ACCESS_IPV6, ACCESS_FAMILIES };

/* cdb/access.cdb, and which prefix lengths its lines have: only these are looked up. An address has
 * 33 prefixes or 129, and a real file two or three lengths. */
struct access {
    struct cdbfile file; /* fd -1: there is none */
    unsigned read;       /* the file's `opened` when the lengths were read */
    bool is_broken;
    bool has_length[ACCESS_FAMILIES][ACCESS_BITS_MAX + 1];
};

/* Opens the file, or opens it anew if it was replaced since. False with errno (ENOENT: no such
 * file); what was open before stays in force then. */
bool access_refresh(struct access *access, int directory, const char *path);
void access_close(struct access *access);

enum access_result {
    ACCESS_ALLOW,
    ACCESS_DENY,
    ACCESS_NONE,    /* no line matches, or there is no file */
    ACCESS_TROUBLE, /* the file is broken */
};

/* The rule that holds for `ip` at `service` ("proxy", "xclient": for those). With ACCESS_ALLOW, *variables
 * are its "NAME=VALUE" words, divided by single spaces; it points into the file. */
enum access_result access_find(struct access *access, struct slice service, const struct ip *ip,
                               struct slice *variables);

#endif
