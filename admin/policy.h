/*
 * policy - what a password must be (SPEC R2.3)
 */
#ifndef ADMIN_POLICY_H
#define ADMIN_POLICY_H

#include "slice.h"

enum policy_rule {
    POLICY_GOOD,
    POLICY_LENGTH,
    POLICY_CHARACTERS,
    POLICY_LOWER,
    POLICY_UPPER,
    POLICY_DIGIT,
    POLICY_SYMBOL,
    POLICY_SAME_AS_NAME,
    POLICY_SAME_AS_DOMAIN,
    POLICY_DIGIT_RUN,
};

/* The first rule that the password breaks. `local` and `domain` are the account's. */
enum policy_rule policy_check(struct slice password, struct slice local, struct slice domain);
/* What the rule asks for, as a sentence. */
const char *policy_text(enum policy_rule rule);

#endif
