/*
 * number - numbers in text, and arithmetic that can't overflow unseen
 */
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include "slice.h"

#include <stdint.h>

enum { NUMBER_TEXT_SIZE = 20 }; /* digits of the largest uint64_t */

/* Reads a plain decimal number, digits only and nothing else, of at most `max`. */
bool number_parse(struct slice text, uint64_t max, uint64_t *number);
/* The same for the types that callers hold most. */
bool number_parse_size(struct slice text, size_t max, size_t *number);
bool number_parse_unsigned(struct slice text, unsigned max, unsigned *number);

/* Hexadecimal in lower case, of as many digits as `text` has: 1 to 16. */
bool number_parse_hex(struct slice text, uint64_t *number);
/* Writes the last `count` hexadecimal digits of `number`, with zeros in front. */
void number_put_hex(uint64_t number, char *digits, size_t count);

/* Writes `number` in decimal into `digits` and returns the part in use. */
struct slice number_format(uint64_t number, char digits[NUMBER_TEXT_SIZE]);

/* False, with *sum untouched, when the result does not fit. */
static inline bool number_add(size_t a, size_t b, size_t *sum)
{
    size_t result;
    if (__builtin_add_overflow(a, b, &result))
        return false;
    *sum = result;
    return true;
}

static inline bool number_multiply(size_t a, size_t b, size_t *product)
{
    size_t result;
    if (__builtin_mul_overflow(a, b, &result))
        return false;
    *product = result;
    return true;
}

#endif
