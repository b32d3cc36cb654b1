/* casefold - see casefold.h */
#include "casefold.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* ---- ASCII, eight bytes at a time -------------------------------------------------------------- */

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

/* Of bytes that are ASCII; others keep what they are. */
static uint64_t lower_word(uint64_t word)
{
    uint64_t low = word & EACH_BYTE(0x7F);
    uint64_t from_a = low + EACH_BYTE(0x80 - 'A'), behind_z = low + EACH_BYTE(0x7F - 'Z');
    uint64_t is_upper = (from_a ^ behind_z) & ~word & EACH_BYTE(0x80);
    return word | is_upper >> 2;
}

static void lower_ascii(char *out, struct slice text)
{
    size_t i = 0;
    for (; text.size - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof word);
        word = lower_word(word);
        memcpy(out + i, &word, sizeof word);
    }
    for (; i < text.size; i++)
        out[i] = lower(text.data[i]);
}

static bool fold_ascii(struct slice text, struct str *folded)
{
    char *room = text.size ? str_reserve(folded, text.size) : NULL;
    if (!room)
        return text.size == 0;
    lower_ascii(room, text);
    str_added(folded, text.size);
    return true;
}

/* How many bytes at the front are ASCII. */
static size_t ascii_size(struct slice text)
{
    size_t size = 0;
    for (; text.size - size >= sizeof(uint64_t); size += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.data + size, sizeof word);
        if (word & EACH_BYTE(0x80))
            break;
    }
    while (size < text.size && (unsigned char)text.data[size] < 0x80)
        size++;
    return size;
}

/* ---- any text --------------------------------------------------------------------------------- */

/* Appends, a dotless i (U+0131) as an i, whose capital it shares. */
static bool append_undotted(struct slice text, struct str *folded)
{
    const char *found;
    while (text.size > 1 && (found = memmem(text.data, text.size, "\xC4\xB1", 2))) {
        size_t size = (size_t)(found - text.data);
        if (!str_append(folded, slice_part(text, 0, size)) || !str_append_byte(folded, 'i'))
            return false;
        text = slice_from(text, size + 2);
    }
    return str_append(folded, text);
}

bool casefold_fold(struct slice utf8, struct str *folded)
{
    if (ascii_size(utf8) == utf8.size)
        return fold_ascii(utf8, folded);
    size_t size = 0, again_size = 0;
    uint8_t *text =
        u8_casefold((const uint8_t *)utf8.data, utf8.size, NULL, UNINORM_NFKD, NULL, &size);
    if (!text) /* broken UTF-8: compared as it is */
        return fold_ascii(utf8, folded);
    /* What NFKD brings out may have capitals in it: the letters of mathematics, units. */
    uint8_t *again = u8_casefold(text, size, NULL, UNINORM_NFKD, NULL, &again_size);
    bool done = again && append_undotted(slice_of(again, again_size), folded);
    free(again);
    free(text);
    return done;
}

/* ---- the table --------------------------------------------------------------------------------
 * The form of a character stands by itself if it begins with a starter (canonical combining class
 * 0) that nothing before it can change. Others, marks above all, are folded together with the
 * character before them, which NFKD may put them in another order with. */

enum { FORM_MAX = 6, FORM_UNKNOWN = 0, FORM_COMPLEX = 255 };

struct form {
    unsigned char size; /* or FORM_... */
    char bytes[FORM_MAX + 1];
};

struct casefold_page {
    struct form forms[256];
};

static bool begins_with_starter(const uint8_t *text, size_t size)
{
    ucs4_t character;
    return size > 0 && u8_mbtouc(&character, text, size) > 0 &&
           uc_combining_class(character) == UC_CCC_NR;
}

static void make_form(struct slice character, struct form *form)
{
    struct str folded;
    size_t size = 0;
    str_init(&folded, 256);
    form->size = FORM_COMPLEX;
    uint8_t *once =
        u8_casefold((const uint8_t *)character.data, character.size, NULL, NULL, NULL, &size);
    bool starts = once && begins_with_starter(once, size) &&
                  begins_with_starter((const uint8_t *)character.data, character.size);
    free(once);
    if (starts && casefold_fold(character, &folded) && folded.size <= FORM_MAX &&
        begins_with_starter((const uint8_t *)folded.data, folded.size)) {
        form->size = (unsigned char)folded.size;
        memcpy(form->bytes, folded.data, folded.size);
    }
    str_free(&folded);
}

/* The size of the valid UTF-8 character at the front, and its form; NULL where it has none that stands
 * by itself. */
static const struct form *find_form(struct casefold *table, struct slice text, size_t *size)
{
    ucs4_t character;
    int length = u8_mbtoucr(&character, (const uint8_t *)text.data, text.size);
    *size = length > 0 ? (size_t)length : 1;
    if (length <= 0 || character >= CASEFOLD_PAGES * 256)
        return NULL;
    struct casefold_page **page = &table->pages[character >> 8];
    if (!*page)
        *page = calloc(1, sizeof **page);
    if (!*page)
        return NULL;
    struct form *form = &(*page)->forms[character & 255];
    if (form->size == FORM_UNKNOWN)
        make_form(slice_part(text, 0, *size), form);
    return form->size == FORM_COMPLEX ? NULL : form;
}

/* Folds what has no form by itself, from the character before it (at `from`) up to the next that has
 * one. Returns where that is. */
static size_t fold_complex(struct casefold *table, struct slice text, size_t from, size_t at,
                           struct str *folded)
{
    size_t size;
    while (at < text.size && ((unsigned char)text.data[at] >= 0x80) &&
           !find_form(table, slice_from(text, at), &size))
        at += size;
    casefold_fold(slice_part(text, from, at - from), folded);
    return at;
}

bool casefold_append(struct casefold *table, struct slice utf8, struct str *folded)
{
    size_t at = 0;
    size_t last = 0, last_folded = folded->size; /* where the character before began */
    while (at < utf8.size && !folded->failed) {
        struct slice rest = slice_from(utf8, at);
        size_t size = ascii_size(rest);
        if (size > 0) {
            fold_ascii(slice_part(rest, 0, size), folded);
            at += size;
            last = at - 1;
            last_folded = folded->size - 1;
            continue;
        }
        const struct form *form = find_form(table, rest, &size);
        if (form) {
            last = at;
            last_folded = folded->size;
            at += size;
            str_append(folded, slice_of(form->bytes, form->size));
            continue;
        }
        str_truncate(folded, last_folded);
        at = fold_complex(table, utf8, last, at, folded);
        last = at;
        last_folded = folded->size;
    }
    return !folded->failed;
}

void casefold_free(struct casefold *table)
{
    for (size_t i = 0; i < CASEFOLD_PAGES; i++)
        free(table->pages[i]);
    *table = (struct casefold){0};
}
