/* srs - see srs.h */
#include "srs.h"

#include "mailaddress.h"

#include <bearssl.h>
#include <string.h>

enum {
    HASH_DIGITS = 8, /* 40 bits: a billion tries find one by luck in a thousand */
    DAY_DIGITS = 2,
    DAYS_MODULO = 1024, /* two digits of 5 bits */
    ADDRESS_MAX = 320,
    DIGIT_BITS = 5,
    DIGIT_MASK = 31,
};

/* RFC 4648 6, in lower case: local parts are compared without regard to case on their way. */
static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static void format_digits(uint64_t value, char *text, size_t count)
{
    for (size_t i = count; i-- > 0; value >>= DIGIT_BITS)
        text[i] = digits[value & DIGIT_MASK];
}

/* The value of `count` digits; -1: others. */
static int parse_day(struct slice text)
{
    int day = 0;
    if (text.size != DAY_DIGITS)
        return -1;
    for (size_t i = 0; i < DAY_DIGITS; i++) {
        const char *digit = strchr(digits, slice_lower(text.data[i]));
        if (text.data[i] == '\0' || !digit)
            return -1;
        day = (day << DIGIT_BITS) + (int)(digit - digits);
    }
    return day;
}

static void add_lower(br_hmac_context *context, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = slice_lower(text.data[i]);
        br_hmac_update(context, &byte, 1);
    }
}

/* Over what stands behind the hash, and the domain. */
static void make_hash(struct slice secret, struct slice rest, struct slice domain,
                      char hash[HASH_DIGITS])
{
    br_hmac_key_context key;
    br_hmac_context context;
    unsigned char bytes[br_sha256_SIZE];
    uint64_t value = 0;
    br_hmac_key_init(&key, &br_sha256_vtable, secret.data, secret.size);
    br_hmac_init(&context, &key, 0);
    add_lower(&context, rest);
    br_hmac_update(&context, "@", 1);
    add_lower(&context, domain);
    br_hmac_out(&context, bytes);
    for (size_t i = 0; i < sizeof value; i++)
        value = value << 8 | bytes[i];
    format_digits(value, hash, HASH_DIGITS);
}

/* In a time that does not depend on where they differ. */
static bool is_hash(struct slice given, const char hash[HASH_DIGITS])
{
    unsigned difference = 0;
    if (given.size != HASH_DIGITS)
        return false;
    for (size_t i = 0; i < HASH_DIGITS; i++)
        difference |=
            (unsigned)((unsigned char)slice_lower(given.data[i]) ^ (unsigned char)hash[i]);
    return difference == 0;
}

/* "SRS0=", or with + or - for =, as others write it. */
static bool is_tagged(struct slice local, const char *tag)
{
    return local.size > 5 && slice_starts_nocase(local, slice_text(tag)) &&
           slice_has(SLICE("=+-"), local.data[4]);
}

bool srs_is_needed(struct slice sender, struct slice domain)
{
    size_t at = slice_find_last(sender, '@');
    return at < sender.size && !slice_equal_nocase(slice_from(sender, at + 1), domain);
}

/* Puts tag, hash, what the hash is over, and the domain together. */
static bool put_address(struct slice secret, const char *tag, struct str *rest, struct slice domain,
                        struct str *rewritten)
{
    char hash[HASH_DIGITS];
    if (rest->failed)
        return false;
    make_hash(secret, str_slice(rest), domain, hash);
    str_append_text(rewritten, tag);
    str_append(rewritten, slice_of(hash, sizeof hash));
    str_append_byte(rewritten, '=');
    str_append(rewritten, str_slice(rest));
    str_append_byte(rewritten, '@');
    return str_append(rewritten, domain);
}

/* "DAY=x.example=a" */
static void put_first(int64_t day, struct slice local, struct slice host, struct str *rest)
{
    char text[DAY_DIGITS];
    format_digits((uint64_t)day % DAYS_MODULO, text, sizeof text);
    str_append(rest, slice_of(text, sizeof text));
    str_append_byte(rest, '=');
    str_append(rest, host);
    str_append_byte(rest, '=');
    str_append(rest, local);
}

/* "y.example==REST": of SRS0 at y.example its whole local part but for the tag; of SRS1 the host
 * that it names, since that is who knows. */
static bool put_second(struct slice local, struct slice host, struct str *rest)
{
    if (is_tagged(local, "SRS0")) {
        str_append(rest, host);
        str_append_byte(rest, '=');
        return str_append(rest, slice_from(local, 4));
    }
    struct slice inner = slice_from(local, 5);
    slice_cut(&inner, '='); /* the hash of who rewrote it last */
    return inner.size > 0 && str_append(rest, inner);
}

bool srs_forward(struct slice secret, int64_t day, struct slice sender, struct slice domain,
                 struct str *rewritten)
{
    struct mailaddress address;
    struct str rest;
    bool done = false;
    if (day < 0 || !mailaddress_parse(sender, MAILADDRESS_UTF8, &address))
        return false;
    str_init(&rest, ADDRESS_MAX);
    bool is_second = is_tagged(address.local, "SRS0") || is_tagged(address.local, "SRS1");
    /* A quoted local part stays one: the quotes go around all of it, which nobody's parser likes;
     * such senders are rare enough to go as they are. */
    if (address.local.data[0] != '"') {
        if (is_second)
            done = put_second(address.local, address.domain, &rest);
        else
            put_first(day, address.local, address.domain, &rest);
        done = (done || !is_second) &&
               put_address(secret, is_second ? "SRS1=" : "SRS0=", &rest, domain, rewritten);
    }
    str_free(&rest);
    return done && mailaddress_parse(str_slice(rewritten), MAILADDRESS_UTF8, &address);
}

static bool is_recent(int made, int64_t day)
{
    int64_t age = (day - made) % DAYS_MODULO;
    if (age < 0)
        age += DAYS_MODULO;
    /* A day ahead is another host's clock. */
    return age <= SRS_DAYS || age == DAYS_MODULO - 1;
}

/* "DAY=x.example=a" -> "a@x.example" */
static enum srs_result read_first(struct slice rest, int64_t day, struct str *original)
{
    int made = parse_day(slice_cut(&rest, '='));
    struct slice host = slice_cut(&rest, '=');
    if (made < 0 || host.size == 0 || rest.size == 0)
        return SRS_FORGED;
    if (!is_recent(made, day))
        return SRS_EXPIRED;
    str_append(original, rest);
    str_append_byte(original, '@');
    return str_append(original, host) ? SRS_OK : SRS_TROUBLE;
}

/* "y.example=SEPARATOR REST" -> "SRS0 SEPARATOR REST@y.example" */
static enum srs_result read_second(struct slice rest, struct str *original)
{
    struct slice host = slice_cut(&rest, '=');
    if (host.size == 0 || rest.size < 2 || !slice_has(SLICE("=+-"), rest.data[0]))
        return SRS_FORGED;
    str_append_text(original, "SRS0");
    str_append(original, rest);
    str_append_byte(original, '@');
    return str_append(original, host) ? SRS_OK : SRS_TROUBLE;
}

enum srs_result srs_reverse(struct slice secret, int64_t day, struct slice local,
                            struct slice domain, struct str *original)
{
    char hash[HASH_DIGITS];
    struct mailaddress address;
    bool is_first = is_tagged(local, "SRS0");
    if (!is_first && !is_tagged(local, "SRS1"))
        return SRS_NONE;
    struct slice rest = slice_from(local, 5);
    struct slice given = slice_cut(&rest, '=');
    make_hash(secret, rest, domain, hash);
    if (!is_hash(given, hash))
        return SRS_FORGED;
    enum srs_result result =
        is_first ? read_first(rest, day, original) : read_second(rest, original);
    if (result == SRS_OK && !mailaddress_parse(str_slice(original), MAILADDRESS_UTF8, &address))
        return SRS_FORGED;
    return result;
}
