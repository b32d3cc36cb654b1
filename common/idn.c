/* idn - see idn.h */
#include "idn.h"

#include <idn2.h>

enum { LABEL_MAX = 63, INPUT_MAX = 1023 };

static bool is_label_byte(char byte)
{
    return slice_is_letter(byte) || slice_is_digit(byte) || byte == '-';
}

static bool is_label(struct slice label)
{
    if (label.size == 0 || label.size > LABEL_MAX || label.data[0] == '-' ||
        label.data[label.size - 1] == '-')
        return false;
    for (size_t i = 0; i < label.size; i++)
        if (!is_label_byte(label.data[i]))
            return false;
    return true;
}

/* At least two labels, the last not a number: neither "localhost" nor "192.0.2.1". */
static bool is_name(struct slice name)
{
    size_t labels = 0;
    bool numeric = true;
    if (name.size == 0 || name.data[name.size - 1] == '.')
        return false;
    while (name.size > 0) {
        struct slice label = slice_cut(&name, '.');
        if (!is_label(label))
            return false;
        numeric = true;
        for (size_t i = 0; i < label.size; i++)
            numeric = numeric && slice_is_digit(label.data[i]);
        labels++;
    }
    return labels >= 2 && !numeric;
}

bool idn_to_ascii(struct slice name, char ascii[IDN_NAME_MAX + 1])
{
    char text[INPUT_MAX + 1];
    char *converted = NULL;
    ascii[0] = '\0';
    if (!slice_copy_text(name, text, sizeof text))
        return false;
    /* libidn2 lets empty labels through, hence is_name after it. */
    if (idn2_to_ascii_8z(text, &converted, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
        return false;
    bool good = is_name(slice_text(converted)) &&
                slice_copy_text(slice_text(converted), ascii, IDN_NAME_MAX + 1);
    idn2_free(converted);
    for (char *at = ascii; *at; at++)
        *at = slice_lower(*at);
    return good;
}

bool idn_to_unicode(const char *ascii, char *text, size_t capacity)
{
    char *converted = NULL;
    if (idn2_to_unicode_8z8z(ascii, &converted, 0) != IDN2_OK)
        return slice_copy_text(slice_text(ascii), text, capacity);
    bool good = slice_copy_text(slice_text(converted), text, capacity);
    idn2_free(converted);
    return good;
}
