/* international - see international.h */
#include "international.h"

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Cuts off the next field with its folded lines. Empty at the end of the header. */
static struct slice cut_field(struct slice *rest)
{
    struct slice whole = *rest;
    size_t size = 0;
    do {
        struct slice line = slice_cut(rest, '\n');
        if (size == 0 && slice_trim(line).size == 0)
            return slice_part(whole, 0, 0);
        size = whole.size - rest->size;
    } while (rest->size > 0 && is_blank(rest->data[0]));
    return slice_part(whole, 0, size);
}

/* Has the trace field's with-clause a protocol of RFC 6531? */
static bool names_utf8(struct slice field)
{
    struct slice rest = field;
    while (rest.size > 0) {
        struct slice line = slice_trim(slice_cut(&rest, '\n'));
        while (line.size > 0)
            if (slice_equal_nocase(slice_cut_word(&line), SLICE("with")))
                return slice_starts_nocase(slice_cut_word(&line), SLICE("UTF8"));
    }
    return false;
}

bool international_is(struct slice head)
{
    struct slice rest = head;
    bool traced = false;
    for (struct slice field = cut_field(&rest); field.size > 0; field = cut_field(&rest)) {
        if (!traced && slice_starts_nocase(field, SLICE("Received:"))) {
            if (!names_utf8(field))
                return false;
            traced = true;
        }
        if (traced && slice_has_high(field))
            return true;
    }
    return false;
}
