/* policy - see policy.h */
#include "policy.h"

enum { LENGTH_MIN = 12, DIGIT_RUN_MAX = 5 };

#define SYMBOLS "#()+-.[]{}!<>_:*$@%^&,~"

static bool is_lower(char byte)
{
    return byte >= 'a' && byte <= 'z';
}

static bool is_upper(char byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static bool is_symbol(char byte)
{
    return slice_has(SLICE(SYMBOLS), byte);
}

static bool is_half_width(char byte)
{
    return byte > ' ' && byte < 0x7f;
}

typedef bool class_of(char byte);

static bool has_class(struct slice text, class_of *is)
{
    for (size_t i = 0; i < text.size; i++)
        if (is(text.data[i]))
            return true;
    return false;
}

static bool all_of_class(struct slice text, class_of *is)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is(text.data[i]))
            return false;
    return true;
}

static bool has_digit_run(struct slice text)
{
    size_t run = 0;
    for (size_t i = 0; i < text.size; i++) {
        run = slice_is_digit(text.data[i]) ? run + 1 : 0;
        if (run > DIGIT_RUN_MAX)
            return true;
    }
    return false;
}

enum policy_rule policy_check(struct slice password, struct slice local, struct slice domain)
{
    /* The two comparisons come first: a name that is the password breaks other rules as well, and
     * this is the one to say. */
    if (slice_equal_nocase(password, local))
        return POLICY_SAME_AS_NAME;
    if (slice_equal_nocase(password, domain))
        return POLICY_SAME_AS_DOMAIN;
    if (password.size < LENGTH_MIN)
        return POLICY_LENGTH;
    if (!all_of_class(password, is_half_width))
        return POLICY_CHARACTERS;
    if (!has_class(password, is_lower))
        return POLICY_LOWER;
    if (!has_class(password, is_upper))
        return POLICY_UPPER;
    if (!has_class(password, slice_is_digit))
        return POLICY_DIGIT;
    if (!has_class(password, is_symbol))
        return POLICY_SYMBOL;
    if (has_digit_run(password))
        return POLICY_DIGIT_RUN;
    return POLICY_GOOD;
}

const char *policy_text(enum policy_rule rule)
{
    static const char *const texts[] = {
        [POLICY_GOOD] = "the password is good",
        [POLICY_LENGTH] = "the password has fewer than 12 characters",
        [POLICY_CHARACTERS] = "the password has a character that is not half-width, or a space",
        [POLICY_LOWER] = "the password has no lower-case letter",
        [POLICY_UPPER] = "the password has no upper-case letter",
        [POLICY_DIGIT] = "the password has no digit",
        [POLICY_SYMBOL] = ("the password has no symbol of # ( ) + - . [ ] { } ! < > _ : * $ @ % ^ "
                           "& , ~"),
        [POLICY_SAME_AS_NAME] = "the password is the account's name",
        [POLICY_SAME_AS_DOMAIN] = "the password is the domain's name",
        [POLICY_DIGIT_RUN] = "the password has six or more digits in a row",
    };
    return texts[rule];
}
