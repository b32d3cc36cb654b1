/*
 * adopt - what Dovecot or Courier wrote beside a Maildir, read so that its UIDs, keywords and POP3
 * names can be kept
 *
 *     dovecot-uidlist       version 3: "3 V<uidvalidity> N<uidnext> ...", then a line for each message,
 *                           "<uid> <letter><value> ... :<file name>"; version 1 as courierimapuiddb
 *     courierimapuiddb      "1 <uidvalidity> <uidnext>", then "<uid> <file name>"
 *     dovecot-keywords      "<number> <keyword>": number 0 is letter a
 *     courierimapkeywords/:list   a keyword per line, an empty line, "<file name>:<number> ..."
 *     courierimapkeywords/<file name>   a keyword per line: newer than what :list says
 *     courierpop3dsizelist  "/<version> <next> <uidvalidity>", then "<file name> <size> <n>:<uidvalidity>"
 *
 * Parsers only: bytes in, entries out. The files may be torn, stale or nonsense: what makes no sense is
 * passed over, and costs what its length does. Slices of entries point into the bytes that were given.
 */
#ifndef MAILBOX_ADOPT_H
#define MAILBOX_ADOPT_H

#include "maildir.h"

enum {
    ADOPT_FILE_MAX = 512 * 1024 * 1024,
    ADOPT_ENTRIES_MAX = 4000000,
    ADOPT_KEYWORD_MAX = 64,
    ADOPT_UIDL_MAX = 70, /* RFC 1939 7 */
};
/* What is higher leaves no room for mail that is still to come. */
#define ADOPT_UID_MAX (MAILDIR_UID_MAX - 100000000u)

struct adopt_entry {
    struct slice base;   /* the file's name up to the ':' */
    struct slice unique; /* up to the ',' too */
    struct slice uidl;   /* the name that POP3 clients know, if it is not made of the UID */
    uint32_t uid;
    uint32_t keywords;                   /* those that are not in the file's name */
    uint32_t uidl_uid, uidl_uidvalidity; /* Courier's POP3 name: "UID<uid>-<uidvalidity>" */
    bool is_taken;                       /* by a file; the caller's to set */
};

struct adopt_list {
    uint32_t uidvalidity;
    uint32_t uidnext; /* above all UIDs that were given out */
    struct adopt_entry *entries;
    size_t count, capacity;
    char keywords[MAILDIR_KEYWORDS][ADOPT_KEYWORD_MAX + 1]; /* by letter; empty: none */
};

/* A list of UIDs of either server, into an empty list, which is sorted for adopt_find. False: none of
 * use, EINVAL; or ENOMEM. Free it in any case. */
bool adopt_parse_uids(struct slice content, struct adopt_list *list);
/* Courier's list of POP3 names. Without a list of UIDs (uidvalidity 0) it is one. The same results. */
bool adopt_parse_pop3(struct slice content, struct adopt_list *list);
void adopt_parse_dovecot_keywords(struct slice content, struct adopt_list *list);
void adopt_parse_courier_keywords(struct slice content, struct adopt_list *list);
/* All keywords of one message, a line each. */
void adopt_take_keywords(struct slice content, struct adopt_list *list, struct adopt_entry *entry);
void adopt_free(struct adopt_list *list);

/* The entry of the file with this name, whatever its flags. NULL: none, or it is taken. */
struct adopt_entry *adopt_find(struct adopt_list *list, struct slice name);
/* The same by the unique part alone: some program added fields to the name. */
struct adopt_entry *adopt_find_unique(struct adopt_list *list, struct slice name);

/* Appends the POP3 name of its own that an entry has. False: it has none. */
bool adopt_uidl(const struct adopt_entry *entry, struct str *uidl);

#endif
