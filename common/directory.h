/*
 * directory - who lives here: domains, accounts and their settings, as compiled by `cdb rebuild`
 *
 * - cdb/domains.cdb: domain in lower case (A-labels, or UTF-8) -> netstrings parent domain, uid
 * - cdb/domain/PARENT.cdb: "a" LOCALPART -> the account's own settings in force, netstrings key,
 *   value, key, value ...; "f" LOCALPART -> where its mail is forwarded to, rules of forwardrule.h
 *   (no record: nowhere); "r" LOCALPART -> the text of its automatic reply, netstrings UTF-8 and seven
 *   bits (ASCII or ISO-2022-JP; empty: a character is in neither), both with CRLF (no record: it does not
 *   answer); "s" SETTING -> the domain's value (of domain, plan or system layer);
 *   "d" NAME -> a number that cdb worked out of settings and accounts (imap-sessions)
 * - cdb/host.cdb: SETTING -> the host's value (control/SETTING, or its default)
 * - cdb/secret/PARENT.cdb, readable by authd alone: LOCALPART -> password hash (no key: no login);
 *   "apop " LOCALPART -> the APOP secret as it is, only where the setting apop is on
 *
 * Local parts are compared in lower case (SPEC R2.2). All of it is read-only; a lookup in a file
 * that is gone or broken is DIRECTORY_TROUBLE (4xx), never "unknown".
 */
#ifndef COMMON_DIRECTORY_H
#define COMMON_DIRECTORY_H

#include "cdbfile.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    DIRECTORY_DOMAIN_MAX = 255,
    DIRECTORY_LOCAL_MAX = 64,
    DIRECTORY_VALUE_MAX = 1024,
    DIRECTORY_PATH_MAX = DIRECTORY_DOMAIN_MAX + 32,
};

enum directory_result {
    DIRECTORY_FOUND,
    DIRECTORY_UNKNOWN_DOMAIN, /* not ours: mail for it is relayed, or refused */
    DIRECTORY_UNKNOWN_USER,
    DIRECTORY_TROUBLE,
};

struct directory {
    struct cdbfile domains;
    struct cdbfile domain; /* of the parent last asked for */
    struct cdbfile host;
    bool holds;    /* directory_hold was called */
    unsigned held; /* files that were looked at since, one bit each */
    char open_domain[DIRECTORY_DOMAIN_MAX + 1];
    char path[DIRECTORY_PATH_MAX]; /* of that file */
};

/* A domain as found: a child's parent, or itself. */
struct directory_domain {
    char name[DIRECTORY_DOMAIN_MAX + 1]; /* the parent: the one that has accounts and a uid */
    uid_t uid;
};

/* An account as found. */
struct directory_account {
    struct directory_domain domain;
    char local[DIRECTORY_LOCAL_MAX + 1]; /* in lower case: the folder's name below mail/DOMAIN/ */
};

/* Looks nothing up yet; the current folder is ROOT. */
void directory_init(struct directory *directory);
void directory_close(struct directory *directory);

/* From now on whether a file has changed is looked at once, not at each question, till the next
 * call: for those who ask many questions about one message. */
void directory_hold(struct directory *directory);

/* Files that changed since are opened anew. */
enum directory_result directory_domain(struct directory *directory, struct slice name,
                                       struct directory_domain *domain);
/* An account by local part and domain (a child's name leads to its parent); `account` is the
 * mailbox. In this order: postmaster and nobody, where they are the administrator's; an account of
 * that name; for "user+tag" whose "user" is (where his setting plus-addressing is on); the domain's
 * catch-all. */
enum directory_result directory_account(struct directory *directory, struct slice local,
                                        struct slice domain, struct directory_account *account);
/* "local@domain" as one slice. */
enum directory_result directory_address(struct directory *directory, struct slice address,
                                        struct directory_account *account);

/* One after the other all domains that have accounts (not the children), and all accounts of one, in
 * no order. *place is 0 at first; directory_hold comes before, and is not repeated meanwhile.
 * DIRECTORY_UNKNOWN_DOMAIN, DIRECTORY_UNKNOWN_USER: that was the last. */
enum directory_result directory_next_domain(struct directory *directory, unsigned *place,
                                            struct directory_domain *domain);
enum directory_result directory_next_account(struct directory *directory, unsigned *place,
                                             const struct directory_domain *domain,
                                             struct directory_account *account);

/* Appends the rules (forwardrule.h) by which the account's mail is forwarded; none is nothing.
 * False: trouble. */
bool directory_forwards(struct directory *directory, const struct directory_account *account,
                        struct str *rules);

/* Appends the account's automatic reply, in both forms; none is nothing. False: trouble. */
bool directory_reply(struct directory *directory, const struct directory_account *account,
                     struct str *utf8, struct str *seven);

/* The value in force for an account or (account->local empty) its domain: account's own, else the
 * compiled value of domain, plan or system. Names and types: settings.h. False: trouble, or no
 * such setting. */
bool directory_setting(struct directory *directory, const struct directory_account *account,
                       const char *name, struct str *value);
bool directory_setting_is_on(struct directory *directory, const struct directory_account *account,
                             const char *name, bool *on);
bool directory_setting_number(struct directory *directory, const struct directory_account *account,
                              const char *name, uint64_t *number);
/* Several at once, at the price of one. */
bool directory_setting_numbers(struct directory *directory, const struct directory_account *account,
                               const char *const names[], uint64_t numbers[], size_t count);

/* A number that cdb worked out for the domain: "imap-sessions", how many it may have at a time.
 * False: trouble, or it is not there. */
bool directory_derived_number(struct directory *directory, const struct directory_domain *domain,
                              const char *name, uint64_t *number);

/* The host's settings: every name of the table in settings.h with scope "host" is there. */
bool directory_host(struct directory *directory, const char *name, struct str *value);
/* A number that changes when cdb/host.cdb is replaced; 0 while it can't be read. */
unsigned directory_host_version(struct directory *directory);
/* The value is "on", or "off"; neither, when it can't be read. */
bool directory_host_is_on(struct directory *directory, const char *name);
bool directory_host_is_off(struct directory *directory, const char *name);
bool directory_host_number(struct directory *directory, const char *name, uint64_t *number);

#endif
