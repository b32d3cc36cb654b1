/* slice - see slice.h */
#include "slice.h"

#include <string.h>

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

size_t slice_find_last(struct slice whole, char byte)
{
    const char *found = whole.size ? memrchr(whole.data, byte, whole.size) : NULL;
    return found ? (size_t)(found - whole.data) : whole.size;
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

size_t slice_find_stray(struct slice text)
{
    size_t end = slice_find(text, '\0'), at = slice_find(text, '\r');
    while (at < end && at + 1 < text.size && text.data[at + 1] == '\n')
        at += 1 + slice_find(slice_from(text, at + 1), '\r');
    return at < end ? at : end;
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
