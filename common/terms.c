/* terms - see terms.h */
#include "terms.h"

#include "capability.h"
#include "number.h"

static bool is_key(struct slice key)
{
    for (size_t i = 0; i < key.size; i++)
        if (!(key.data[i] >= 'a' && key.data[i] <= 'z') && key.data[i] != '-')
            return false;
    return key.size > 0;
}

static bool is_value(struct slice value)
{
    return value.size > 0 && !slice_has_control(value) && !slice_has_high(value);
}

/* Cuts off the next field. False: it has not the form. */
static bool next_field(struct slice *rest, struct slice *key, struct slice *value)
{
    bool more = slice_has(*rest, ' ');
    struct slice field = slice_cut(rest, ' ');
    if (!slice_has(field, '=') || (more && rest->size == 0))
        return false;
    *key = slice_cut(&field, '=');
    *value = field;
    return is_key(*key) && is_value(*value);
}

static bool is_repeated(struct slice before, struct slice wanted)
{
    while (before.size > 0) {
        struct slice field = slice_cut(&before, ' ');
        if (slice_equal(slice_cut(&field, '='), wanted))
            return true;
    }
    return false;
}

bool terms_is_well_formed(struct slice text)
{
    struct slice rest = text, key, value;
    size_t count = 0;
    if (text.size > TERMS_MAX)
        return false;
    while (rest.size > 0) {
        struct slice before = slice_part(text, 0, text.size - rest.size);
        if (++count > TERMS_FIELDS_MAX || !next_field(&rest, &key, &value) ||
            is_repeated(before, key))
            return false;
    }
    return true;
}

/* ---- the keys ----------------------------------------------------------------------------------
 */

static bool read_quota(struct slice value, struct terms *terms)
{
    return number_parse(value, UINT64_MAX, &terms->quota);
}

static void write_quota(struct str *out, const struct terms *terms)
{
    if (terms->quota > 0)
        str_append_number(out, terms->quota);
}

static bool read_message_max(struct slice value, struct terms *terms)
{
    return number_parse(value, UINT64_MAX, &terms->message_max);
}

static void write_message_max(struct str *out, const struct terms *terms)
{
    if (terms->message_max > 0)
        str_append_number(out, terms->message_max);
}

static bool read_off(struct slice value, struct terms *terms)
{
    while (value.size > 0) {
        uint64_t bit = capability_optional(slice_cut(&value, ','));
        if (bit == 0)
            return false;
        terms->capabilities_off |= bit;
    }
    return true;
}

static void write_off(struct str *out, const struct terms *terms)
{
    capability_append_names(out, terms->capabilities_off, ',');
}

static const struct {
    const char *key;
    bool (*read)(struct slice value, struct terms *terms);
    void (*write)(struct str *out, const struct terms *terms); /* nothing: its default */
} keys[] = {
    {"capabilities-off", read_off, write_off},
    {"message-max", read_message_max, write_message_max},
    {"quota", read_quota, write_quota},
};
enum { KEYS = sizeof keys / sizeof *keys };

static void append_field(struct str *out, size_t key, const struct terms *terms, bool first)
{
    size_t before = out->size;
    if (!first)
        str_append_byte(out, ' ');
    str_append_text(out, keys[key].key);
    str_append_byte(out, '=');
    size_t start = out->size;
    keys[key].write(out, terms);
    if (out->size == start)
        str_truncate(out, before);
}

void terms_append(struct str *out, const struct terms *terms)
{
    size_t start = out->size;
    for (size_t i = 0; i < KEYS; i++)
        append_field(out, i, terms, out->size == start);
}

static bool read_field(struct slice key, struct slice value, struct terms *terms)
{
    for (size_t i = 0; i < KEYS; i++)
        if (slice_equal(key, slice_text(keys[i].key)))
            return keys[i].read(value, terms);
    return false;
}

bool terms_parse(struct slice text, struct terms *terms)
{
    struct slice rest = text, key, value;
    *terms = (struct terms){0};
    if (!terms_is_well_formed(text))
        return false;
    while (rest.size > 0)
        if (!next_field(&rest, &key, &value) || !read_field(key, value, terms))
            return false;
    return true;
}
