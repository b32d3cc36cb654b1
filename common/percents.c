/* percents - see percents.h */
#include "percents.h"

#include "number.h"

bool percents_parse(struct slice text, struct percents *percents)
{
    unsigned last = 0, value;
    *percents = (struct percents){0};
    if (slice_ends(text, SLICE(" ")))
        return false;
    while (text.size > 0) {
        struct slice word = slice_cut(&text, ' ');
        if (percents->count == PERCENTS_MAX || !number_parse_unsigned(word, 100, &value) ||
            value <= last || word.data[0] == '0')
            return false;
        percents->values[percents->count++] = (unsigned char)value;
        last = value;
    }
    return true;
}

void percents_append(struct str *text, const struct percents *percents)
{
    for (size_t i = 0; i < percents->count; i++) {
        if (i > 0)
            str_append_byte(text, ' ');
        str_append_number(text, percents->values[i]);
    }
}
