/*
 * policy - what a password must be (SPEC R2.3)
 */
#ifndef ADMIN_POLICY_H
#define ADMIN_POLICY_H

#include "str.h"

/* In the order in which they are named. */
enum policy_rule {
    POLICY_SAME_AS_NAME,
    POLICY_SAME_AS_DOMAIN,
    POLICY_LENGTH,
    POLICY_CHARACTERS,
    POLICY_LOWER,
    POLICY_UPPER,
    POLICY_DIGIT,
    POLICY_SYMBOL,
    POLICY_DIGIT_RUN,
    POLICY_RULES,
};

/* Room for the reasons, whatever is wrong. */
enum { POLICY_REASONS_MAX = 640 };

/* The rules that the password breaks, 1 << rule each; 0: it is good. `local` and `domain` are the
 * account's. */
unsigned policy_broken(struct slice password, struct slice local, struct slice domain);
/* Appends "the password has no digit; it has ...", a part for each rule. */
void policy_explain(unsigned broken, struct str *reasons);

#endif
