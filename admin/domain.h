/*
 * domain - one domain as its control files describe it, read and checked
 */
#ifndef ADMIN_DOMAIN_H
#define ADMIN_DOMAIN_H

#include "forwardline.h"
#include "idn.h"
#include "plans.h"
#include "userline.h"

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

/* Files are named after it: ".removing-NAME" is the longest name (accountmail.h). */
enum { DOMAIN_NAME_MAX = NAME_MAX - 10 };

/* A setting that an account says itself. */
struct domain_pair {
    const struct setting *setting;
    char *value;
    bool ignored; /* an upper layer has become tighter */
};

/* Where mail goes beside the mailbox: a row of the forwards file. */
struct domain_forward {
    struct forwardline row;
    unsigned line;
};

struct domain_account {
    char *local;
    char *hash;        /* empty: no log-in */
    char *apop_secret; /* NULL: none */
    struct domain_pair *pairs;
    size_t pair_count;
    struct domain_forward *forwards; /* in the order of forwardline_compare */
    size_t forward_count;
    char *reply;   /* the text of its automatic reply (replytext.h); NULL: none */
    unsigned line; /* of the users file; 0: postmaster, who is there without being named */
};

struct domain {
    char name[IDN_NAME_MAX + 1];
    const struct plan *plan; /* of the plans */
    uid_t uid;
    struct values own;
    char **children;
    size_t child_count;
    struct domain_account *accounts; /* sorted by local part */
    size_t account_count;
};

void domain_init(struct domain *domain);
void domain_free(struct domain *domain);

/* Reads control/domains/NAME. What is wrong is reported; `domain` holds what could be read. False
 * when there is no such folder. */
bool domain_load(struct domain *domain, const char *name, const struct sources *sources,
                 struct plans *plans, struct findings *findings);

const struct domain_account *domain_find(const struct domain *domain, const char *local);

/* The value in force for the domain (account NULL) or the account. */
struct slice domain_value(const struct domain *domain, const struct domain_account *account,
                          const struct setting *setting, enum settings_layer *layer, bool *ignored);
struct slice domain_value_named(const struct domain *domain, const struct domain_account *account,
                                const char *setting);
bool domain_is_on(const struct domain *domain, const struct domain_account *account,
                  const char *setting);
/* Does mail for that name go to the administrator, so that no account can have it? */
bool domain_is_reserved(const struct domain *domain, const char *local);
/* How many accounts count, and may be (SPEC R2.7; 0: without limit): postmaster comes with the
 * domain, and does not. */
size_t domain_accounts_named(const struct domain *domain);
uint64_t domain_accounts_max(const struct domain *domain);
/* IMAP sessions at a time (SPEC R1.5): a share of the contracted addresses, or of those that are
 * there. */
uint64_t domain_imap_sessions(const struct domain *domain);
/* The rule that holds for layers below the plan. */
enum settings_rule domain_rule(const struct domain *domain, const struct setting *setting);

#endif
