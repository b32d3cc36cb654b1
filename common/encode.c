/* encode - see encode.h */
#include "encode.h"

#include "number.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_digits[] = "0123456789abcdef";

static unsigned byte_at(struct slice bytes, size_t index)
{
    return (unsigned char)bytes.data[index];
}

/* Room for the digits of that many groups, one at least; NULL, and `text` failed, without. */
static char *reserve(struct str *text, size_t groups, size_t digits)
{
    size_t size;
    if (number_multiply(groups, digits, &size))
        return str_reserve(text, size);
    text->failed = true;
    return NULL;
}

bool encode_base64(struct slice bytes, struct str *text)
{
    if (bytes.size == 0)
        return !text->failed;
    char *out = reserve(text, bytes.size / 3 + (bytes.size % 3 != 0), 4);
    if (!out)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        unsigned group = byte_at(bytes, i) << 16 | (left > 1 ? byte_at(bytes, i + 1) << 8 : 0) |
                         (left > 2 ? byte_at(bytes, i + 2) : 0);
        out[at++] = base64_digits[group >> 18];
        out[at++] = base64_digits[group >> 12 & 63];
        out[at++] = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        out[at++] = left > 2 ? base64_digits[group & 63] : '=';
    }
    str_added(text, at);
    return true;
}

int encode_base64_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    if (digit == '+')
        return 62;
    return digit == '/' ? 63 : -1;
}

/* Decodes a group of four digits, the last `padding` of them '='. RFC 4648 3.5: bits that the
 * padding makes useless must be zero, so that equal bytes have one writing. */
static bool decode_group(const char digits[4], size_t padding, char bytes[3])
{
    unsigned group = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? encode_base64_value(digits[i]) : 0;
        if (value < 0)
            return false;
        group = group << 6 | (unsigned)value;
    }
    bytes[0] = (char)(group >> 16 & 255);
    bytes[1] = (char)(group >> 8 & 255);
    bytes[2] = (char)(group & 255);
    unsigned useless = padding == 0 ? 0 : padding == 1 ? group & 255 : group & 65535;
    return useless == 0;
}

static size_t padding_of(struct slice text)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    return padding;
}

bool encode_from_base64(struct slice text, struct str *bytes)
{
    if (text.size % 4 != 0)
        return false;
    size_t before = bytes->size;
    size_t padding = padding_of(text);
    for (size_t i = 0; i < text.size; i += 4) {
        char group[3];
        size_t missing = i + 4 == text.size ? padding : 0;
        if (!decode_group(text.data + i, missing, group) ||
            !str_append(bytes, slice_of(group, 3 - missing))) {
            str_truncate(bytes, before);
            return false;
        }
    }
    return !bytes->failed;
}

bool encode_hex(struct slice bytes, struct str *text)
{
    if (bytes.size == 0)
        return !text->failed;
    char *out = reserve(text, bytes.size, 2);
    if (!out)
        return false;
    for (size_t i = 0; i < bytes.size; i++) {
        out[2 * i] = hex_digits[byte_at(bytes, i) >> 4];
        out[2 * i + 1] = hex_digits[byte_at(bytes, i) & 15];
    }
    str_added(text, 2 * bytes.size);
    return true;
}

int encode_hex_value(char digit)
{
    if (slice_is_digit(digit))
        return digit - '0';
    char lower = slice_lower(digit);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int encode_hex_byte(struct slice text)
{
    int high = text.size > 1 ? encode_hex_value(text.data[0]) : -1;
    int low = high >= 0 ? encode_hex_value(text.data[1]) : -1;
    return low >= 0 ? high * 16 + low : -1;
}

bool encode_from_hex(struct slice text, struct str *bytes)
{
    if (text.size % 2 != 0)
        return false;
    size_t before = bytes->size;
    for (size_t i = 0; i < text.size; i += 2) {
        int byte = encode_hex_byte(slice_from(text, i));
        if (byte < 0 || !str_append_byte(bytes, (char)byte)) {
            str_truncate(bytes, before);
            return false;
        }
    }
    return !bytes->failed;
}
