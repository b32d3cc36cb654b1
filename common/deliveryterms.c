/* deliveryterms - see deliveryterms.h */
#include "deliveryterms.h"

#include "number.h"
#include "wire.h"

enum { AUTO_REPLY_MAX = 32768, ADDRESS_MAX = 320 };

void deliveryterms_init(struct delivery_terms *terms)
{
    *terms = (struct delivery_terms){.receives = true};
}

/* ---- values ------------------------------------------------------------------------------------
 */

static const char *const languages[] = {
    [DELIVERYTERMS_BOTH] = "both",
    [DELIVERYTERMS_JAPANESE] = "ja",
    [DELIVERYTERMS_ENGLISH] = "en",
};

bool deliveryterms_parse_language(struct slice word, enum deliveryterms_language *language)
{
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
        if (slice_equal(word, slice_text(languages[i]))) {
            *language = (enum deliveryterms_language)i;
            return true;
        }
    return false;
}

static void put_number(struct str *field, const char *key, uint64_t number)
{
    if (number == 0)
        return;
    wire_put_text(field, key);
    wire_put_number(field, number);
}

/* Read is what put writes: a value other than the default. */
static bool read_number(struct slice value, uint64_t *number)
{
    return number_parse(value, (uint64_t)INT64_MAX, number) && *number > 0;
}

/* ---- the keys ----------------------------------------------------------------------------------
 */

static void put_receive(struct str *field, const char *key, const struct delivery_terms *terms)
{
    if (terms->receives)
        return;
    wire_put_text(field, key);
    wire_put_text(field, "off");
}

static bool read_receive(struct slice value, struct delivery_terms *terms)
{
    terms->receives = false;
    return slice_equal(value, SLICE("off"));
}

static void put_quota(struct str *field, const char *key, const struct delivery_terms *terms)
{
    put_number(field, key, terms->quota);
}

static bool read_quota(struct slice value, struct delivery_terms *terms)
{
    return read_number(value, &terms->quota);
}

static void put_domain_quota(struct str *field, const char *key, const struct delivery_terms *terms)
{
    put_number(field, key, terms->domain_quota);
}

static bool read_domain_quota(struct slice value, struct delivery_terms *terms)
{
    return read_number(value, &terms->domain_quota);
}

static void put_reply(struct str *field, const char *key, const struct delivery_terms *terms)
{
    if (!terms->refuses_for_good)
        return;
    wire_put_text(field, key);
    wire_put_text(field, "552");
}

static bool read_reply(struct slice value, struct delivery_terms *terms)
{
    terms->refuses_for_good = true;
    return slice_equal(value, SLICE("552"));
}

static void put_warnings(struct str *field, const char *key, const struct delivery_terms *terms)
{
    char bytes[PERCENTS_TEXT_MAX];
    struct str text = str_on(bytes, sizeof bytes);
    percents_append(&text, &terms->warnings);
    if (text.size == 0)
        return;
    wire_put_text(field, key);
    wire_put(field, str_slice(&text));
}

static bool read_warnings(struct slice value, struct delivery_terms *terms)
{
    return percents_parse(value, &terms->warnings) && terms->warnings.count > 0;
}

static void put_language(struct str *field, const char *key, const struct delivery_terms *terms)
{
    if (terms->language == DELIVERYTERMS_BOTH)
        return;
    wire_put_text(field, key);
    wire_put_text(field, languages[terms->language]);
}

static bool read_language(struct slice value, struct delivery_terms *terms)
{
    return deliveryterms_parse_language(value, &terms->language) &&
           terms->language != DELIVERYTERMS_BOTH;
}

/* Interval, text, text in seven bits. */
static void put_auto_reply(struct str *field, const char *key, const struct delivery_terms *terms)
{
    struct str value;
    if (terms->reply.size == 0)
        return;
    str_init(&value, AUTO_REPLY_MAX);
    wire_put_number(&value, terms->reply_interval);
    wire_put(&value, terms->reply);
    wire_put(&value, terms->reply_seven);
    wire_put_text(field, key);
    wire_put(field, str_slice(&value));
    field->failed = field->failed || value.failed;
    str_free(&value);
}

static bool read_auto_reply(struct slice value, struct delivery_terms *terms)
{
    struct slice parts[3];
    size_t count;
    if (!wire_split(value, parts, 3, &count) || count != 3)
        return false;
    terms->reply = parts[1];
    terms->reply_seven = parts[2];
    return read_number(parts[0], &terms->reply_interval) && terms->reply.size > 0;
}

static void put_reply_to(struct str *field, const char *key, const struct delivery_terms *terms)
{
    if (terms->reply_to.size == 0)
        return;
    wire_put_text(field, key);
    wire_put(field, terms->reply_to);
}

static bool read_reply_to(struct slice value, struct delivery_terms *terms)
{
    terms->reply_to = value;
    return slice_has(value, '@') && !slice_has_control(value) && value.size <= ADDRESS_MAX;
}

/* Named as the settings are that they come from. */
static const struct {
    const char *key;
    void (*put)(struct str *field, const char *key, const struct delivery_terms *terms);
    bool (*read)(struct slice value, struct delivery_terms *terms);
} keys[] = {
    {"auto-reply", put_auto_reply, read_auto_reply},
    {"auto-reply-to", put_reply_to, read_reply_to},
    {"domain-quota", put_domain_quota, read_domain_quota},
    {"notice-language", put_language, read_language},
    {"over-quota-reply", put_reply, read_reply},
    {"quota", put_quota, read_quota},
    {"quota-warning", put_warnings, read_warnings},
    {"receive", put_receive, read_receive},
};
enum { KEYS = sizeof keys / sizeof *keys };
_Static_assert(KEYS <= 32, "one bit each");

void deliveryterms_put(struct str *field, const struct delivery_terms *terms)
{
    for (size_t i = 0; i < KEYS; i++)
        keys[i].put(field, keys[i].key, terms);
}

/* `seen` has a bit for each key that was read. */
static bool read_pair(struct slice key, struct slice value, uint32_t *seen,
                      struct delivery_terms *terms)
{
    size_t i = 0;
    while (i < KEYS && !slice_equal(key, slice_text(keys[i].key)))
        i++;
    if (i == KEYS || (*seen >> i & 1) != 0)
        return false;
    *seen |= UINT32_C(1) << i;
    return keys[i].read(value, terms);
}

bool deliveryterms_read(struct slice field, struct delivery_terms *terms)
{
    struct slice pairs[2 * KEYS];
    size_t count;
    uint32_t seen = 0;
    deliveryterms_init(terms);
    if (!wire_split(field, pairs, 2 * KEYS, &count) || count % 2 != 0)
        return false;
    for (size_t i = 0; i < count; i += 2)
        if (!read_pair(pairs[i], pairs[i + 1], &seen, terms))
            return false;
    return true;
}
