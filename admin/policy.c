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

unsigned policy_broken(struct slice password, struct slice local, struct slice domain)
{
    const bool broken[POLICY_RULES] = {
        [POLICY_SAME_AS_NAME] = slice_equal_nocase(password, local),
        [POLICY_SAME_AS_DOMAIN] = slice_equal_nocase(password, domain),
        [POLICY_LENGTH] = password.size < LENGTH_MIN,
        [POLICY_CHARACTERS] = !all_of_class(password, is_half_width),
        [POLICY_LOWER] = !has_class(password, is_lower),
        [POLICY_UPPER] = !has_class(password, is_upper),
        [POLICY_DIGIT] = !has_class(password, slice_is_digit),
        [POLICY_SYMBOL] = !has_class(password, is_symbol),
        [POLICY_DIGIT_RUN] = has_digit_run(password),
    };
    unsigned rules = 0;
    for (unsigned rule = 0; rule < POLICY_RULES; rule++)
        rules |= broken[rule] ? 1u << rule : 0;
    return rules;
}

void policy_explain(unsigned broken, struct str *reasons)
{
    static const char *const texts[POLICY_RULES] = {
        [POLICY_SAME_AS_NAME] = "is the account's name",
        [POLICY_SAME_AS_DOMAIN] = "is the domain's name",
        [POLICY_LENGTH] = "has fewer than 12 characters",
        [POLICY_CHARACTERS] = "has a character that is not half-width, or a space",
        [POLICY_LOWER] = "has no lower-case letter",
        [POLICY_UPPER] = "has no upper-case letter",
        [POLICY_DIGIT] = "has no digit",
        [POLICY_SYMBOL] = "has no symbol of # ( ) + - . [ ] { } ! < > _ : * $ @ % ^ & , ~",
        [POLICY_DIGIT_RUN] = "has six or more digits in a row",
    };
    const char *between = "the password ";
    for (unsigned rule = 0; rule < POLICY_RULES; rule++) {
        if (!(broken & 1u << rule))
            continue;
        str_append_texts(reasons, between, texts[rule]);
        between = "; it ";
    }
}
