/*
 * csvaccounts - what the rows of a CSV file want of a domain's accounts (SPEC R3)
 *
 *     register    mail_account,password,mail_capacity,comment
 *     edit        mail_account,password,mail_capacity
 *
 * An empty field: what the domain or plan says (register), or unchanged (edit); a new account needs a
 * password. mail_capacity is in MB. Nothing is done here: the rows are checked, and every error is
 * reported.
 */
#ifndef ADMIN_CSVACCOUNTS_H
#define ADMIN_CSVACCOUNTS_H

#include "csvtable.h"
#include "domain.h"
#include "password.h"

enum csvaccounts_kind { CSVACCOUNTS_REGISTER, CSVACCOUNTS_EDIT };

/* The bytes are the table's. */
struct csvaccount {
    char local[USERLINE_LOCAL_MAX + 1]; /* in lower case; empty: it was wrong */
    unsigned line;
    struct slice password; /* empty: none */
    struct slice quota;
    struct slice comment;
    bool exists;                  /* as of csvaccounts_check */
    char hash[PASSWORD_HASH_MAX]; /* of the password, when the caller has computed it */
};

struct csvaccounts {
    enum csvaccounts_kind kind;
    struct csvaccount *of;      /* in the file's order */
    struct csvaccount **sorted; /* by name */
    size_t count;
};

/* Takes the rows: header, number of fields, names, no name twice. False only when memory is out. The
 * caller frees in any case; the table has to stay as long. */
bool csvaccounts_read(struct csvaccounts *accounts, enum csvaccounts_kind kind,
                      const struct csvtable *table, struct csvproblems *problems);
void csvaccounts_free(struct csvaccounts *accounts);

/* Compares them with the domain: which exist, which values it may have, how many accounts. */
void csvaccounts_check(struct csvaccounts *accounts, const struct domain *domain,
                       struct csvproblems *problems);

/* NULL when the file has none of that name. Only behind csvaccounts_read. */
struct csvaccount *csvaccounts_find(const struct csvaccounts *accounts, const char *local);

#endif
