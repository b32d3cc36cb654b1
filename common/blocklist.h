/*
 * blocklist - the DNS blocklists that clients are looked up in: control/rbl in cdb/rbl.cdb
 *
 * A line of control/rbl is
 *     ZONE[=PATTERN[|PATTERN...]] [reject|tag [TEXT...]]
 * or, for clients that are in no list whatever it says,
 *     !ADDRESS[/BITS]
 * A pattern says which of the list's answers count: an IPv4 address, a network, or what Postfix
 * takes, "127.0.0.[2..4;10]". Without one those of 127.0.0.0/8 do (RFC 5782 2.1) but for
 * 127.255.255.0/24, by which lists say that they refuse to answer. In the text %IP% is the client.
 * A zone may have several lines: the first that matches counts.
 *
 * The file's one record, "lines", holds them as netstrings; both the compiler (cdb rebuild) and
 * lookupd parse them here.
 */
#ifndef COMMON_BLOCKLIST_H
#define COMMON_BLOCKLIST_H

#include "ip.h"
#include "lookup.h"
#include "str.h"

#define BLOCKLIST_FILE "cdb/rbl.cdb"
#define BLOCKLIST_KEY  "lines"

enum {
    BLOCKLIST_ZONE_MAX = 189, /* so that the 64 bytes of an IPv6 client fit in front */
    BLOCKLIST_PATTERNS_MAX = 8,
    BLOCKLIST_RULES_MAX = 32,
    BLOCKLIST_ZONES_MAX = LOOKUP_LISTINGS_MAX,
    BLOCKLIST_ALLOWED_MAX = 1000,
    BLOCKLIST_ERROR_MAX = 256,
    BLOCKLIST_RECORD_MAX = 262144,
};

/* Each byte of an answer has its set of values that match. */
struct blocklist_pattern {
    unsigned char bytes[4][32];
};

struct blocklist_rule {
    char zone[BLOCKLIST_ZONE_MAX + 1]; /* in lower case */
    size_t zone_index;                 /* of the list's different zones, by first appearance */
    struct blocklist_pattern patterns[BLOCKLIST_PATTERNS_MAX];
    size_t pattern_count; /* 0: the usual answers */
    enum lookup_action action;
    char text[LOOKUP_TEXT_MAX + 1]; /* "": the list's own */
};

struct blocklist_network {
    struct ip network;
    unsigned bits;
};

struct blocklist {
    struct blocklist_rule rules[BLOCKLIST_RULES_MAX];
    size_t rule_count;
    size_t zone_count;
    struct blocklist_network allowed[BLOCKLIST_ALLOWED_MAX];
    size_t allowed_count;
};

void blocklist_init(struct blocklist *list);
/* Takes one line. False: `error` holds the reason with what would be right, without file and
 * line. */
bool blocklist_add(struct blocklist *list, struct slice line, char error[BLOCKLIST_ERROR_MAX]);
/* Takes the record of the compiled file. False: it is none. */
bool blocklist_decode(struct blocklist *list, struct slice record);

bool blocklist_is_allowed(const struct blocklist *list, const struct ip *client);
/* Does an answer of the zone mean that this rule applies? */
bool blocklist_matches(const struct blocklist_rule *rule, const unsigned char answer[4]);
/* The name of a zone by its index. */
const char *blocklist_zone(const struct blocklist *list, size_t zone_index);

#endif
