/* slice - see slice.h */
#include "slice.h"

#include <string.h>

struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){data, size};
}

struct slice slice_text(const char *text)
{
    return (struct slice){text ? text : "", text ? strlen(text) : 0};
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

char slice_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool slice_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

bool slice_is_letter(char byte)
{
    char lower = slice_lower(byte);
    return lower >= 'a' && lower <= 'z';
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (slice_lower(a.data[i]) != slice_lower(b.data[i]))
            return false;
    return true;
}

bool slice_starts(struct slice whole, struct slice prefix)
{
    return whole.size >= prefix.size && slice_equal(slice_part(whole, 0, prefix.size), prefix);
}

bool slice_starts_nocase(struct slice whole, struct slice prefix)
{
    return whole.size >= prefix.size &&
           slice_equal_nocase(slice_part(whole, 0, prefix.size), prefix);
}

bool slice_ends(struct slice whole, struct slice suffix)
{
    return whole.size >= suffix.size &&
           slice_equal(slice_from(whole, whole.size - suffix.size), suffix);
}

size_t slice_find(struct slice whole, char byte)
{
    const char *found = whole.size ? memchr(whole.data, byte, whole.size) : NULL;
    return found ? (size_t)(found - whole.data) : whole.size;
}

size_t slice_find_last(struct slice whole, char byte)
{
    const char *found = whole.size ? memrchr(whole.data, byte, whole.size) : NULL;
    return found ? (size_t)(found - whole.data) : whole.size;
}

bool slice_has(struct slice whole, char byte)
{
    return slice_find(whole, byte) < whole.size;
}

struct slice slice_from(struct slice whole, size_t start)
{
    if (start > whole.size)
        start = whole.size;
    /* An empty slice may have no data, and nothing may be added to NULL. */
    return start == 0 ? whole : (struct slice){whole.data + start, whole.size - start};
}

struct slice slice_part(struct slice whole, size_t start, size_t size)
{
    struct slice part = slice_from(whole, start);
    if (part.size > size)
        part.size = size;
    return part;
}

struct slice slice_cut(struct slice *rest, char separator)
{
    size_t end = slice_find(*rest, separator);
    struct slice head = slice_part(*rest, 0, end);
    *rest = slice_from(*rest, end < rest->size ? end + 1 : end);
    return head;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

struct slice slice_cut_word(struct slice *rest)
{
    size_t start = 0;
    while (start < rest->size && is_blank(rest->data[start]))
        start++;
    size_t end = start;
    while (end < rest->size && !is_blank(rest->data[end]))
        end++;
    struct slice word = slice_part(*rest, start, end - start);
    *rest = slice_from(*rest, end);
    return word;
}

static bool is_space(char byte)
{
    return is_blank(byte) || byte == '\r' || byte == '\n';
}

struct slice slice_trim(struct slice whole)
{
    while (whole.size > 0 && is_space(whole.data[0]))
        whole = slice_from(whole, 1);
    while (whole.size > 0 && is_space(whole.data[whole.size - 1]))
        whole.size--;
    return whole;
}

struct slice slice_without_line_end(struct slice line)
{
    if (slice_ends(line, SLICE("\n")))
        line.size--;
    if (slice_ends(line, SLICE("\r")))
        line.size--;
    return line;
}

bool slice_has_control(struct slice whole)
{
    for (size_t i = 0; i < whole.size; i++)
        if ((unsigned char)whole.data[i] < ' ' || whole.data[i] == 0x7f)
            return true;
    return false;
}

bool slice_has_high(struct slice whole)
{
    for (size_t i = 0; i < whole.size; i++)
        if ((unsigned char)whole.data[i] >= 0x80)
            return true;
    return false;
}

bool slice_copy_text(struct slice whole, char *text, size_t capacity)
{
    if (capacity == 0)
        return false;
    text[0] = '\0';
    if (whole.size >= capacity || slice_has(whole, '\0'))
        return false;
    if (whole.size > 0)
        memcpy(text, whole.data, whole.size);
    text[whole.size] = '\0';
    return true;
}
