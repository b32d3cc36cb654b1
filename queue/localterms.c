/* localterms - see localterms.h */
#include "localterms.h"

enum { MEGABYTE = 1048576, REPLY_MAX = 8192 };

static bool fill_numbers(struct directory *directory, const struct directory_account *account,
                         struct delivery_terms *terms)
{
    static const char *const names[] = {"quota", "domain-quota"};
    uint64_t numbers[2];
    return directory_setting_numbers(directory, account, names, numbers, 2) &&
           !__builtin_mul_overflow(numbers[0], (uint64_t)MEGABYTE, &terms->quota) &&
           !__builtin_mul_overflow(numbers[1], (uint64_t)MEGABYTE, &terms->domain_quota);
}

/* Appends nothing of what was there before. */
static bool look_up(struct directory *directory, const struct directory_account *account,
                    const char *name, struct str *value)
{
    str_clear(value);
    return directory_setting(directory, account, name, value);
}

/* What says something only where there is a limit. */
static bool fill_manners(struct directory *directory, const struct directory_account *account,
                         struct delivery_terms *terms)
{
    char bytes[DIRECTORY_VALUE_MAX];
    struct str value = str_on(bytes, sizeof bytes);
    if (!look_up(directory, account, "over-quota-reply", &value))
        return false;
    terms->refuses_for_good = slice_equal(str_slice(&value), SLICE("552"));
    return look_up(directory, account, "quota-warning", &value) &&
           percents_parse(str_slice(&value), &terms->warnings) &&
           look_up(directory, account, "notice-language", &value) &&
           deliveryterms_parse_language(str_slice(&value), &terms->language);
}

bool localterms_fill(struct directory *directory, const struct directory_account *account,
                     struct delivery_terms *terms)
{
    deliveryterms_init(terms);
    return directory_setting_is_on(directory, account, "receive", &terms->receives) &&
           fill_numbers(directory, account, terms) &&
           ((terms->quota == 0 && terms->domain_quota == 0) ||
            fill_manners(directory, account, terms));
}

/* Nobody answers himself, under whichever name: of a child domain, an alias, what a catch-all takes. */
static bool is_own(struct directory *directory, const struct directory_account *account,
                   struct slice sender)
{
    struct directory_account found = {.local = ""};
    struct slice domain = slice_from(sender, slice_find_last(sender, '@') + 1);
    return directory_domain(directory, domain, &found.domain) == DIRECTORY_FOUND &&
           slice_equal(slice_text(found.domain.name), slice_text(account->domain.name)) &&
           directory_address(directory, sender, &found) == DIRECTORY_FOUND &&
           slice_equal(slice_text(found.local), slice_text(account->local));
}

/* What mail of `sender` may be answered with; whether it is, local decides by the message. */
static bool fill_reply(struct forwarding *forwarding, const struct directory_account *account,
                       struct slice id, struct slice sender, struct delivery_terms *terms,
                       struct str *utf8, struct str *seven)
{
    struct directory *directory = forwarding->directory;
    if (sender.size == 0)
        return true;
    if (!directory_reply(directory, account, utf8, seven))
        return false;
    if (utf8->size == 0 || is_own(directory, account, sender) ||
        !forwarding_may_answer(forwarding, account, id))
        return true;
    terms->reply = str_slice(utf8);
    terms->reply_seven = str_slice(seven);
    return directory_setting_number(directory, account, "auto-reply-interval",
                                    &terms->reply_interval);
}

bool localterms_put(struct forwarding *forwarding, const struct directory_account *account,
                    struct slice id, struct slice sender, struct str *field)
{
    struct delivery_terms terms;
    struct str utf8, seven;
    str_init(&utf8, REPLY_MAX);
    str_init(&seven, REPLY_MAX);
    bool done = localterms_fill(forwarding->directory, account, &terms) &&
                fill_reply(forwarding, account, id, sender, &terms, &utf8, &seven);
    if (done)
        deliveryterms_put(field, &terms);
    str_free(&utf8);
    str_free(&seven);
    return done && !field->failed;
}
