/* csvtext - see csvtext.h */
#include "csvtext.h"

#include <csv.h>
#include <errno.h>
#include <iconv.h>

/* glibc's name for what Windows writes; its SJIS has a yen sign where that has a backslash. */
#define SHIFT_JIS "CP932"

enum { BLOCK = 16384 };

struct place {
    unsigned line, column; /* in characters; from 1 */
};

static struct place place_behind(struct slice utf8)
{
    struct place place = {1, 1};
    for (size_t i = 0; i < utf8.size; i++) {
        if (utf8.data[i] == '\n')
            place = (struct place){place.line + 1, 1};
        else
            place.column += ((unsigned char)utf8.data[i] & 0xc0) != 0x80;
    }
    return place;
}

enum conversion { CONVERTED, ILLEGAL, TROUBLE };

/* Appends `from` in the other charset; what comes before the first illegal byte in any case, and
 * *done says how much that was. */
static enum conversion convert(const char *to_name, const char *from_name, struct slice from,
                               struct str *to, size_t *done)
{
    iconv_t handle = iconv_open(to_name, from_name);
    if (handle == (iconv_t)-1)
        return TROUBLE;
    /* iconv wants a pointer to bytes that it could change; it doesn't. */
    union {
        const char *given;
        char *wanted;
    } in = {from.data};
    size_t left = from.size;
    enum conversion result = CONVERTED;
    while (left > 0 && result == CONVERTED) {
        char block[BLOCK], *out = block;
        size_t room = sizeof block;
        size_t got = iconv(handle, &in.wanted, &left, &out, &room);
        int error = errno;
        if (!str_append(to, slice_of(block, sizeof block - room)))
            result = TROUBLE;
        else if (got == (size_t)-1 && error != E2BIG)
            result = ILLEGAL;
        explicit_bzero(block, sizeof block);
    }
    *done = from.size - left;
    iconv_close(handle);
    return result;
}

static void report(struct csvproblems *problems, struct place utf8, struct place shift_jis,
                   bool marked)
{
    if (marked)
        csvproblems_add(problems, utf8.line, "",
                        "character %u: this is no UTF-8, which the file says to be: save it as "
                        "\"CSV UTF-8\", or as Shift_JIS without a byte order mark",
                        utf8.column);
    else
        csvproblems_add(problems, utf8.line, "",
                        "character %u: this is no UTF-8, and the file is no Shift_JIS either (line "
                        "%u character %u): save it as \"CSV UTF-8\"",
                        utf8.column, shift_jis.line, shift_jis.column);
}

bool csvtext_decode(struct slice bytes, struct str *utf8, struct csvproblems *problems)
{
    size_t done;
    bool marked = slice_starts(bytes, SLICE(CSVTEXT_MARK));
    if (marked)
        bytes = slice_from(bytes, strlen(CSVTEXT_MARK));
    str_prepare(utf8, bytes.size);
    enum conversion result = convert("UTF-8", "UTF-8", bytes, utf8, &done);
    if (result != ILLEGAL)
        return result == CONVERTED;
    struct place broken = place_behind(str_slice(utf8));
    str_clear(utf8);
    if (!marked) {
        str_prepare(utf8, 2 * bytes.size);
        result = convert("UTF-8", SHIFT_JIS, bytes, utf8, &done);
    }
    if (result == ILLEGAL) {
        report(problems, broken, place_behind(str_slice(utf8)), marked);
        str_clear(utf8);
    }
    return result != TROUBLE;
}

/* ---- writing ---- */

static bool wants_quotes(struct slice field)
{
    if (field.size == 0)
        return false;
    /* Many readers, libcsv by itself among them, drop blanks around a field. */
    if (field.data[0] == ' ' || field.data[field.size - 1] == ' ')
        return true;
    for (size_t i = 0; i < field.size; i++)
        if (slice_has(SLICE(",\"\r\n\t"), field.data[i]))
            return true;
    return false;
}

bool csvtext_put_field(struct str *text, struct slice field)
{
    if (!wants_quotes(field))
        return str_append(text, field);
    size_t size = csv_write(NULL, 0, field.data, field.size);
    char *room = str_reserve(text, size);
    if (!room)
        return false;
    str_added(text, csv_write(room, size, field.data, field.size));
    return true;
}

bool csvtext_to_shift_jis(struct slice utf8, struct str *text, unsigned *line)
{
    size_t done;
    *line = 0;
    enum conversion result = convert(SHIFT_JIS, "UTF-8", utf8, text, &done);
    if (result == ILLEGAL)
        *line = place_behind(slice_part(utf8, 0, done)).line;
    return result == CONVERTED;
}
