/* terms - see terms.h */
#include "terms.h"

#include "capability.h"
#include "number.h"

static bool is_key(struct slice key)
{
    for (size_t i = 0; i < key.size; i++)
        if (!(key.data[i] >= 'a' && key.data[i] <= 'z') && key.data[i] != '-' &&
            !slice_is_digit(key.data[i]))
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

static void write_number(struct str *out, uint64_t number)
{
    if (number > 0)
        str_append_number(out, number);
}

static bool read_quota(struct slice value, struct terms *terms)
{
    return number_parse(value, UINT64_MAX, &terms->quota);
}

static void write_quota(struct str *out, const struct terms *terms)
{
    write_number(out, terms->quota);
}

static bool read_message_max(struct slice value, struct terms *terms)
{
    return number_parse(value, UINT64_MAX, &terms->message_max);
}

static void write_message_max(struct str *out, const struct terms *terms)
{
    write_number(out, terms->message_max);
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

static bool read_login_delay(struct slice value, struct terms *terms)
{
    return number_parse(value, UINT32_MAX, &terms->login_delay);
}

static void write_login_delay(struct str *out, const struct terms *terms)
{
    write_number(out, terms->login_delay);
}

static bool read_expire(struct slice value, struct terms *terms)
{
    return number_parse(value, UINT32_MAX, &terms->expire);
}

static void write_expire(struct str *out, const struct terms *terms)
{
    write_number(out, terms->expire);
}

static bool read_utf8(struct slice value, struct terms *terms)
{
    terms->utf8 = slice_equal(value, SLICE("on"));
    return terms->utf8;
}

static void write_utf8(struct str *out, const struct terms *terms)
{
    if (terms->utf8)
        str_append_text(out, "on");
}

static bool read_language(struct slice value, struct terms *terms)
{
    terms->japanese = slice_equal(value, SLICE("ja"));
    return terms->japanese;
}

static void write_language(struct str *out, const struct terms *terms)
{
    if (terms->japanese)
        str_append_text(out, "ja");
}

static const struct key {
    const char *name;
    bool (*read)(struct slice value, struct terms *terms);
    void (*write)(struct str *out, const struct terms *terms); /* nothing: its default */
    bool is_chosen;                                            /* by the client */
} keys[] = {
    {"capabilities-off", read_off, write_off, false},
    {"expire", read_expire, write_expire, false},
    {"language", read_language, write_language, true},
    {"login-delay", read_login_delay, write_login_delay, false},
    {"message-max", read_message_max, write_message_max, false},
    {"quota", read_quota, write_quota, false},
    {"utf8", read_utf8, write_utf8, true},
};
enum { KEYS = sizeof keys / sizeof *keys };

static void append_field(struct str *out, const struct key *key, const struct terms *terms,
                         bool first)
{
    size_t before = out->size;
    if (!first)
        str_append_byte(out, ' ');
    str_append_text(out, key->name);
    str_append_byte(out, '=');
    size_t start = out->size;
    key->write(out, terms);
    if (out->size == start)
        str_truncate(out, before);
}

static void append_fields(struct str *out, const struct terms *terms, bool only_chosen)
{
    size_t start = out->size;
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].is_chosen || !only_chosen)
            append_field(out, &keys[i], terms, out->size == start);
}

void terms_append(struct str *out, const struct terms *terms)
{
    append_fields(out, terms, false);
}

void terms_append_chosen(struct str *out, const struct terms *terms)
{
    append_fields(out, terms, true);
}

static bool read_field(struct slice name, struct slice value, bool only_chosen, struct terms *terms)
{
    for (size_t i = 0; i < KEYS; i++)
        if (slice_equal(name, slice_text(keys[i].name)))
            return (keys[i].is_chosen || !only_chosen) && keys[i].read(value, terms);
    return false;
}

static bool read_fields(struct slice text, bool only_chosen, struct terms *terms)
{
    struct slice rest = text, name, value;
    *terms = (struct terms){0};
    if (!terms_is_well_formed(text))
        return false;
    while (rest.size > 0)
        if (!next_field(&rest, &name, &value) || !read_field(name, value, only_chosen, terms))
            return false;
    return true;
}

bool terms_parse(struct slice text, struct terms *terms)
{
    return read_fields(text, false, terms);
}

bool terms_parse_chosen(struct slice text, struct terms *terms)
{
    return read_fields(text, true, terms);
}
