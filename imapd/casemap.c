/* casemap - see casemap.h */
#include "casemap.h"

#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

static void append_character(struct str *form, ucs4_t character)
{
    enum { UTF8_MAX = 6 };
    char *room = str_reserve(form, UTF8_MAX);
    int size = room ? u8_uctomb((uint8_t *)room, character, UTF8_MAX) : 0;
    if (size > 0)
        str_added(form, (size_t)size);
}

/* RFC 5051 2 (2)(b): by the decomposition property, again and again; Unicode's data are three levels
 * deep. */
static void append_decomposed(struct str *form, ucs4_t character)
{
    ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
    int tag;
    int count = uc_decomposition(character, &tag, parts);
    if (count < 0)
        append_character(form, character);
    for (int i = 0; i < count; i++)
        append_decomposed(form, parts[i]);
}

/* A run of ASCII, which has no other forms than capitals. */
static size_t append_ascii(struct str *form, struct slice text)
{
    size_t size = 0;
    while (size < text.size && (unsigned char)text.data[size] < 0x80)
        size++;
    char *room = size > 0 ? str_reserve(form, size) : NULL;
    if (!room)
        return size;
    for (size_t i = 0; i < size; i++) {
        char byte = text.data[i];
        room[i] = byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
    }
    str_added(form, size);
    return size;
}

/* The character at the front, which is not ASCII. */
static size_t append_mapped(struct str *form, struct slice text)
{
    ucs4_t character;
    int size = u8_mbtoucr(&character, (const uint8_t *)text.data, text.size);
    if (size <= 0) {
        str_append_byte(form, text.data[0]);
        return 1;
    }
    append_decomposed(form, uc_totitle(character));
    return (size_t)size;
}

bool casemap_append(struct str *form, struct slice utf8)
{
    while (utf8.size > 0 && !form->failed) {
        size_t size = append_ascii(form, utf8);
        utf8 = slice_from(utf8, size);
        if (utf8.size > 0)
            utf8 = slice_from(utf8, append_mapped(form, utf8));
    }
    return !form->failed;
}
