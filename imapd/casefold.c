/* casefold - see casefold.h */
#include "casefold.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>

static bool is_ascii(struct slice text)
{
    unsigned char all = 0;
    for (size_t i = 0; i < text.size; i++)
        all |= (unsigned char)text.data[i];
    return all < 0x80;
}

static bool fold_ascii(struct slice text, struct str *folded)
{
    char *room = text.size ? str_reserve(folded, text.size) : NULL;
    if (!room)
        return text.size == 0;
    for (size_t i = 0; i < text.size; i++)
        room[i] = slice_lower(text.data[i]);
    str_added(folded, text.size);
    return true;
}

bool casefold_fold(struct slice utf8, struct str *folded)
{
    if (is_ascii(utf8))
        return fold_ascii(utf8, folded);
    size_t size = 0;
    uint8_t *text =
        u8_casefold((const uint8_t *)utf8.data, utf8.size, NULL, UNINORM_NFKD, NULL, &size);
    if (!text) /* broken UTF-8: compared as it is */
        return fold_ascii(utf8, folded);
    bool done = str_append(folded, slice_of(text, size));
    free(text);
    return done;
}

bool casefold_contains(struct slice utf8, struct slice folded)
{
    if (folded.size == 0)
        return true;
    struct str text;
    str_init(&text, SIZE_MAX / 2);
    bool found = casefold_fold(utf8, &text) && text.size >= folded.size &&
                 memmem(text.data, text.size, folded.data, folded.size);
    str_free(&text);
    return found;
}
