/* localterms - see localterms.h */
#include "localterms.h"

#include "clock.h"
#include "log.h"
#include "origin.h"
#include "returned.h"

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

static bool is_ours(struct directory *directory, struct slice address)
{
    struct directory_domain domain;
    struct slice name = slice_from(address, slice_find_last(address, '@') + 1);
    return directory_domain(directory, name, &domain) != DIRECTORY_UNKNOWN_DOMAIN;
}

/* A sender of ours who is a stranger: who is ours logs in. How a copy came that was forwarded is not
 * known; of that `who` sent it. */
static bool may_be_forged(struct directory *directory, struct slice origin, struct slice sender,
                          struct slice who)
{
    struct slice by = origin_word(origin, SLICE("by="));
    if (slice_equal(by, SLICE("forward")))
        return is_ours(directory, who);
    bool is_stranger =
        slice_equal(by, SLICE("smtp")) && origin_word(origin, SLICE("user=")).size == 0;
    return is_stranger && is_ours(directory, sender);
}

static void log_forged(struct slice id, struct slice sender)
{
    struct log_line line;
    log_begin(&line, "not-auto-replied");
    log_value(&line, "id", id);
    log_value(&line, "to", sender);
    log_text(&line, "reason", "unauthenticated");
    log_end(&line);
}

static bool is_answerable(struct forwarding *forwarding, const struct directory_account *account,
                          const struct queuefile *file, struct slice sender, struct slice who)
{
    if (is_own(forwarding->directory, account, who))
        return false;
    if (!may_be_forged(forwarding->directory, file->origin, sender, who))
        return forwarding_may_answer(forwarding, account, file->id);
    log_forged(file->id, sender);
    return false;
}

/* What terms point into. */
struct reply {
    struct str utf8, seven;
    struct str to; /* empty: the sender as he stands there */
};

/* What mail of `sender` may be answered with; whether it is, local decides by the message. */
static bool fill_reply(struct forwarding *forwarding, const struct directory_account *account,
                       const struct queuefile *file, struct slice sender,
                       struct delivery_terms *terms, struct reply *reply)
{
    struct directory *directory = forwarding->directory;
    if (sender.size == 0)
        return true;
    if (!directory_reply(directory, account, &reply->utf8, &reply->seven))
        return false;
    if (reply->utf8.size == 0)
        return true;
    enum srs_result result = returned_find(directory, sender, clock_seconds(), &reply->to);
    if (result != SRS_NONE && result != SRS_OK)
        return result != SRS_TROUBLE; /* nobody would get it */
    struct slice who = result == SRS_OK ? str_slice(&reply->to) : sender;
    if (!is_answerable(forwarding, account, file, sender, who))
        return true;
    terms->reply = str_slice(&reply->utf8);
    terms->reply_seven = str_slice(&reply->seven);
    terms->reply_to = str_slice(&reply->to);
    return directory_setting_number(directory, account, "auto-reply-interval",
                                    &terms->reply_interval);
}

bool localterms_put(struct forwarding *forwarding, const struct directory_account *account,
                    const struct queuefile *file, struct slice sender, struct str *field)
{
    struct delivery_terms terms;
    struct reply reply;
    str_init(&reply.utf8, REPLY_MAX);
    str_init(&reply.seven, REPLY_MAX);
    str_init(&reply.to, ENVELOPE_ADDRESS_MAX);
    bool done = localterms_fill(forwarding->directory, account, &terms) &&
                fill_reply(forwarding, account, file, sender, &terms, &reply);
    if (done)
        deliveryterms_put(field, &terms);
    str_free(&reply.utf8);
    str_free(&reply.seven);
    str_free(&reply.to);
    return done && !field->failed;
}
