/* number - see number.h */
#include "number.h"

bool number_parse(struct slice text, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;
    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
        if (digit >= 10 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value) || value > max)
            return false;
    }
    *number = value;
    return true;
}

bool number_parse_size(struct slice text, size_t max, size_t *number)
{
    uint64_t value;
    if (!number_parse(text, max, &value))
        return false;
    *number = (size_t)value;
    return true;
}

bool number_parse_unsigned(struct slice text, unsigned max, unsigned *number)
{
    uint64_t value;
    if (!number_parse(text, max, &value))
        return false;
    *number = (unsigned)value;
    return true;
}

static const char hex_digits[] = "0123456789abcdef";

bool number_parse_hex(struct slice text, uint64_t *number)
{
    uint64_t value = 0;
    if (text.size == 0 || text.size > sizeof value * 2)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const char *digit = text.data[i] ? strchr(hex_digits, text.data[i]) : NULL;
        if (!digit)
            return false;
        value = value << 4 | (uint64_t)(digit - hex_digits);
    }
    *number = value;
    return true;
}

void number_put_hex(uint64_t number, char *digits, size_t count)
{
    for (size_t i = count; i > 0; i--, number >>= 4)
        digits[i - 1] = hex_digits[number & 15];
}

struct slice number_format(uint64_t number, char digits[NUMBER_TEXT_SIZE])
{
    size_t start = NUMBER_TEXT_SIZE;
    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return slice_of(digits + start, NUMBER_TEXT_SIZE - start);
}
