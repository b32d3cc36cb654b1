/* bytescan - see bytescan.h */
#include "bytescan.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK = 16 };

typedef uint8_t block __attribute__((vector_size(BLOCK)));

/* From frequent to rare; what is not here is rarer still. */
static const char frequent[] = " etaoinsrhldcum\nfpgwybv.,=<>/:-0123456789-kxjqz\r";

static size_t rareness(char byte)
{
    for (size_t i = 0; i < sizeof frequent - 1; i++)
        if (frequent[i] == byte)
            return i;
    return sizeof frequent;
}

void bytescan_choose(struct slice wanted, size_t *first, size_t *second)
{
    *first = *second = 0;
    for (size_t i = 1; i < wanted.size; i++)
        if (rareness(wanted.data[i]) > rareness(wanted.data[*first]))
            *first = i;
    if (wanted.size > 1 && *first == 0)
        *second = 1;
    for (size_t i = 0; i < wanted.size; i++)
        if (i != *first && rareness(wanted.data[i]) > rareness(wanted.data[*second]))
            *second = i;
}

/* 0x20 for letters, which is what their two cases differ by. */
static uint8_t case_bit(char byte)
{
    return byte >= 'a' && byte <= 'z' ? 0x20 : 0;
}

static bool equal_at(const char *text, struct slice wanted)
{
    for (size_t i = 0; i < wanted.size; i++)
        if (((uint8_t)text[i] | case_bit(wanted.data[i])) != (uint8_t)wanted.data[i])
            return false;
    return true;
}

struct probe {
    size_t place;
    uint8_t byte, bit;
};

static struct probe probe_at(struct slice wanted, size_t place)
{
    return (struct probe){place, (uint8_t)wanted.data[place], case_bit(wanted.data[place])};
}

static block splat(uint8_t byte)
{
    return (block){0} + byte;
}

static block load(const char *from)
{
    block bytes;
    memcpy(&bytes, from, sizeof bytes);
    return bytes;
}

static bool is_zero(block bytes)
{
    uint64_t halves[2];
    memcpy(halves, &bytes, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

/* One after the other, from `at` to before `end`. */
static bool scan_slowly(struct slice text, struct slice wanted, struct probe probe, size_t at,
                        size_t end)
{
    for (; at < end; at++)
        if (((uint8_t)text.data[at + probe.place] | probe.bit) == probe.byte &&
            equal_at(text.data + at, wanted))
            return true;
    return false;
}

bool bytescan_has(struct slice text, struct slice wanted, size_t first, size_t second)
{
    if (wanted.size == 0)
        return true;
    if (text.size < wanted.size)
        return false;
    struct probe one = probe_at(wanted, first), two = probe_at(wanted, second);
    block one_byte = splat(one.byte), one_bit = splat(one.bit);
    block two_byte = splat(two.byte), two_bit = splat(two.bit);
    size_t end = text.size - wanted.size + 1; /* places where it may begin */
    size_t at = 0;
    for (; end - at >= BLOCK; at += BLOCK) {
        block ones = load(text.data + at + one.place) | one_bit;
        block twos = load(text.data + at + two.place) | two_bit;
        block fits = (block)(ones == one_byte) & (block)(twos == two_byte);
        if (!is_zero(fits) && scan_slowly(text, wanted, one, at, at + BLOCK))
            return true;
    }
    return scan_slowly(text, wanted, one, at, end);
}

bool bytescan_has_high(struct slice text)
{
    block all = {0};
    size_t at = 0;
    for (; text.size - at >= BLOCK; at += BLOCK)
        all |= load(text.data + at);
    unsigned rest = 0;
    for (; at < text.size; at++)
        rest |= (uint8_t)text.data[at];
    return rest >= 0x80 || !is_zero(all & splat(0x80));
}

/* Of bytes from blank to '~', and none a quote or a backslash. */
static bool is_plain_block(block bytes)
{
    block odd = (block)(bytes < splat(' ')) | (block)(bytes > splat('~')) |
                (block)(bytes == splat('"')) | (block)(bytes == splat('\\'));
    return is_zero(odd);
}

/* Of 8 to 16 bytes: the first and the last eight. */
static block load_short(struct slice text)
{
    uint64_t halves[2];
    block bytes;
    memcpy(&halves[0], text.data, sizeof halves[0]);
    memcpy(&halves[1], text.data + text.size - sizeof halves[1], sizeof halves[1]);
    memcpy(&bytes, halves, sizeof bytes);
    return bytes;
}

static bool is_plain_byte(char byte)
{
    return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

bool bytescan_is_plain(struct slice text)
{
    if (text.size < BLOCK / 2) {
        for (size_t i = 0; i < text.size; i++)
            if (!is_plain_byte(text.data[i]))
                return false;
        return true;
    }
    if (text.size < BLOCK)
        return is_plain_block(load_short(text));
    for (size_t at = 0; at + BLOCK < text.size; at += BLOCK)
        if (!is_plain_block(load(text.data + at)))
            return false;
    return is_plain_block(load(text.data + text.size - BLOCK));
}
