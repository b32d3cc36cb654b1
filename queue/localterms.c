/* localterms - see localterms.h */
#include "localterms.h"

enum { MEGABYTE = 1048576 };

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

bool localterms_put(struct directory *directory, const struct directory_account *account,
                    struct str *field)
{
    struct delivery_terms terms;
    if (!localterms_fill(directory, account, &terms))
        return false;
    deliveryterms_put(field, &terms);
    return !field->failed;
}
