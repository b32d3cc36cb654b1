/* mutf7 - see mutf7.h */
#include "mutf7.h"

#include <string.h>

enum {
    MUTF7_SURROGATES = 0xd800,
    MUTF7_LOW_SURROGATES = 0xdc00,
    MUTF7_AFTER_SURROGATES = 0xe000,
    MUTF7_SUPPLEMENT = 0x10000,
    MUTF7_LAST = 0x10ffff,
};

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool is_printable(uint32_t character)
{
    return character >= 0x20 && character <= 0x7e;
}

static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0);
}

static void append_utf8(struct str *out, uint32_t character)
{
    if (character < 0x80) {
        str_append_byte(out, (char)character);
        return;
    }
    int follow = character < 0x800 ? 1 : character < MUTF7_SUPPLEMENT ? 2 : 3;
    static const unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};
    str_append_byte(out, (char)(lead[follow] | (character >> (6 * follow))));
    while (follow-- > 0)
        str_append_byte(out, (char)(0x80 | ((character >> (6 * follow)) & 0x3f)));
}

/* One UTF-16 unit has come out of the base64. *high is the first half of a pair, or 0. */
static bool take_unit(struct str *out, uint32_t unit, uint32_t *high)
{
    if (*high) {
        if (unit < MUTF7_LOW_SURROGATES || unit >= MUTF7_AFTER_SURROGATES)
            return false;
        append_utf8(out, MUTF7_SUPPLEMENT + ((*high - MUTF7_SURROGATES) << 10) +
                             (unit - MUTF7_LOW_SURROGATES));
        *high = 0;
        return true;
    }
    if (unit >= MUTF7_SURROGATES && unit < MUTF7_LOW_SURROGATES) {
        *high = unit;
        return true;
    }
    /* What can stand for itself must; so "&ADw-" is no other spelling of "<". */
    if (is_printable(unit) || is_control(unit) ||
        (unit >= MUTF7_LOW_SURROGATES && unit < MUTF7_AFTER_SURROGATES))
        return false;
    append_utf8(out, unit);
    return true;
}

static bool decode_shifted(struct slice base64, struct str *out)
{
    uint32_t bits = 0, high = 0;
    unsigned count = 0;
    for (size_t i = 0; i < base64.size; i++) {
        const char *digit = base64.data[i] ? strchr(digits, base64.data[i]) : NULL;
        if (!digit)
            return false;
        bits = (bits << 6) | (uint32_t)(digit - digits);
        count += 6;
        if (count >= 16) {
            count -= 16;
            if (!take_unit(out, (bits >> count) & 0xffff, &high))
                return false;
            bits &= (1u << count) - 1;
        }
    }
    return high == 0 && count < 6 && bits == 0;
}

bool mutf7_to_utf8(struct slice name, struct str *utf8)
{
    bool after_shift = false;
    while (name.size > 0) {
        char byte = name.data[0];
        if (!is_printable((unsigned char)byte))
            return false;
        if (byte != '&') {
            str_append_byte(utf8, byte);
            name = slice_from(name, 1);
            after_shift = false;
            continue;
        }
        size_t end = slice_find(name, '-');
        if (end == name.size)
            return false;
        struct slice base64 = slice_part(name, 1, end - 1);
        if (base64.size == 0) {
            str_append_byte(utf8, '&');
            after_shift = false;
        } else if (after_shift || !decode_shifted(base64, utf8)) {
            return false; /* "&...-&...-" is written in one shift */
        } else {
            after_shift = true;
        }
        name = slice_from(name, end + 1);
    }
    return !utf8->failed;
}

/* Cuts one character off the front. False: broken UTF-8. */
static bool cut_character(struct slice *rest, uint32_t *character)
{
    unsigned char lead = (unsigned char)rest->data[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size == 0 || lead > 0xf4 || rest->size < size)
        return false;
    static const unsigned masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, MUTF7_SUPPLEMENT};
    uint32_t value = lead & masks[size];
    for (size_t i = 1; i < size; i++) {
        unsigned char byte = (unsigned char)rest->data[i];
        if ((byte & 0xc0) != 0x80)
            return false;
        value = (value << 6) | (byte & 0x3f);
    }
    if (value < least[size] || value > MUTF7_LAST ||
        (value >= MUTF7_SURROGATES && value < MUTF7_AFTER_SURROGATES))
        return false;
    *character = value;
    *rest = slice_from(*rest, size);
    return true;
}

/* The base64 that is being written. */
struct shift {
    bool open;
    uint32_t bits;
    unsigned count;
};

static void put_unit(struct shift *shift, struct str *name, uint32_t unit)
{
    if (!shift->open) {
        str_append_byte(name, '&');
        *shift = (struct shift){.open = true};
    }
    shift->bits = (shift->bits << 16) | unit;
    shift->count += 16;
    while (shift->count >= 6) {
        shift->count -= 6;
        str_append_byte(name, digits[(shift->bits >> shift->count) & 0x3f]);
    }
    shift->bits &= (1u << shift->count) - 1;
}

static void close_shift(struct shift *shift, struct str *name)
{
    if (!shift->open)
        return;
    if (shift->count > 0)
        str_append_byte(name, digits[(shift->bits << (6 - shift->count)) & 0x3f]);
    str_append_byte(name, '-');
    shift->open = false;
}

bool mutf7_from_utf8(struct slice utf8, struct str *name)
{
    struct shift shift = {0};
    while (utf8.size > 0) {
        uint32_t character = 0;
        if (!cut_character(&utf8, &character) || is_control(character))
            return false;
        if (is_printable(character)) {
            close_shift(&shift, name);
            str_append_text(name, character == '&' ? "&-" : (char[]){(char)character, '\0'});
        } else if (character >= MUTF7_SUPPLEMENT) {
            character -= MUTF7_SUPPLEMENT;
            put_unit(&shift, name, MUTF7_SURROGATES + (character >> 10));
            put_unit(&shift, name, MUTF7_LOW_SURROGATES + (character & 0x3ff));
        } else {
            put_unit(&shift, name, character);
        }
    }
    close_shift(&shift, name);
    return !name->failed;
}

bool mutf7_is_valid(struct slice name)
{
    struct str utf8;
    size_t room = name.size < SIZE_MAX / 4 ? name.size * 4 : name.size;
    str_init(&utf8, room);
    bool valid = mutf7_to_utf8(name, &utf8);
    str_free(&utf8);
    return valid;
}
