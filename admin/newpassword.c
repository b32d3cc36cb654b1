/* newpassword - see newpassword.h */
#include "newpassword.h"

#include "clock.h"
#include "password.h"
#include "policy.h"
#include "similar.h"

/* Comparing costs what the scheme of the old hash costs; there are dearer ones than ours. */
enum { COMPARING_MS = 15000 };

struct comparison {
    struct slice hash;
    int64_t deadline;
    bool found;
};

static bool compare(void *owner, struct slice like)
{
    struct comparison *comparison = owner;
    comparison->found = password_verify(like, comparison->hash) == PASSWORD_MATCHES;
    return !comparison->found && clock_ms() < comparison->deadline;
}

bool newpassword_is_like_void(struct slice secret, struct slice hash)
{
    struct comparison comparison = {.hash = slice_from(hash, strlen(USERLINE_VOID)),
                                    .deadline = clock_deadline(COMPARING_MS)};
    if (!userline_is_void(hash))
        return false;
    similar_each(secret, compare, &comparison);
    return comparison.found;
}

bool newpassword_check(const struct newpassword *of, struct slice secret, struct str *reasons)
{
    struct slice hash = str_slice(&of->account->hash);
    unsigned broken = policy_broken(secret, slice_text(of->local), slice_text(of->domain));
    if (broken != 0)
        policy_explain(broken, reasons);
    else if (newpassword_is_like_void(secret, hash))
        str_append_text(reasons, NEWPASSWORD_LIKE_VOID);
    return reasons->size == 0;
}

bool newpassword_is_old(const struct newpassword *of, struct slice secret)
{
    return password_verify(secret, str_slice(&of->account->hash)) == PASSWORD_MATCHES;
}

bool newpassword_withdraw(const struct newpassword *of)
{
    char bytes[PASSWORD_HASH_MAX + sizeof USERLINE_VOID];
    struct str hash = str_on(bytes, sizeof bytes);
    if (of->account->hash.size == 0)
        return false;
    (void)userline_unset(of->account, USERLINE_APOP_SECRET);
    if (userline_is_void(str_slice(&of->account->hash)))
        return true;
    str_append_text(&hash, USERLINE_VOID);
    str_append(&hash, str_slice(&of->account->hash));
    str_clear(&of->account->hash);
    return str_append(&of->account->hash, str_slice(&hash));
}
