/* headerlex - see headerlex.h */
#include "headerlex.h"

#include "mailspace.h"
#include "mime.h"

#include <string.h>

void headerlex_begin(struct headerlex *lex, struct slice field, const char *specials)
{
    *lex = (struct headerlex){.rest = slice_part(field, 0, MIME_FIELD_MAX), .specials = specials};
    str_init(&lex->text, MIME_FIELD_MAX);
    str_init(&lex->comment, MIME_FIELD_MAX);
}

void headerlex_end(struct headerlex *lex)
{
    str_free(&lex->text);
    str_free(&lex->comment);
}

static bool is_line_end(char byte)
{
    return byte == '\r' || byte == '\n';
}

/* ISO-2022-JP writes characters with the bytes of quotes, brackets and backslashes in them, and old
 * mailers put it into headers as it is. The size of such a run at the front; 0 when there is none.
 */
static size_t shifted_size(struct slice text)
{
    enum { RUN_MAX = 1024 };
    if (!slice_starts(text, SLICE("\x1b$")))
        return 0;
    struct slice run = slice_part(text, 0, RUN_MAX);
    const char *back = memmem(run.data, run.size, "\x1b(", 2);
    return back ? (size_t)(back - run.data) + 2 : 0;
}

/* Takes text up to the closing byte that matches the opening one, which was taken. */
static void take_enclosed(struct headerlex *lex, char open, char close, struct str *text)
{
    size_t depth = 1, i = 0;
    for (; i < lex->rest.size; i++) {
        char byte = lex->rest.data[i];
        size_t shifted = shifted_size(slice_from(lex->rest, i));
        if (shifted > 0) {
            str_append(text, slice_part(lex->rest, i, shifted));
            i += shifted - 1;
            continue;
        }
        if (byte == close && --depth == 0)
            break;
        if (byte == open && open != close)
            depth++;
        if (byte == '\\' && i + 1 < lex->rest.size)
            byte = lex->rest.data[++i];
        if (!is_line_end(byte))
            str_append_byte(text, byte);
    }
    lex->rest = slice_from(lex->rest, i + 1);
}

static void skip_space(struct headerlex *lex)
{
    lex->spaced = false;
    while (lex->rest.size > 0) {
        char byte = lex->rest.data[0];
        if (!mailspace_is_space(byte) && byte != '(')
            return;
        lex->rest = slice_from(lex->rest, 1);
        lex->spaced = true;
        if (byte == '(') {
            str_clear(&lex->comment);
            take_enclosed(lex, '(', ')', &lex->comment);
        }
    }
}

static bool is_special(const struct headerlex *lex, char byte)
{
    return byte != '\0' && strchr(lex->specials, byte);
}

static bool ends_word(const struct headerlex *lex, char byte)
{
    return mailspace_is_space(byte) || byte == '(' || byte == '"' || is_special(lex, byte);
}

enum headerlex_token headerlex_next(struct headerlex *lex)
{
    skip_space(lex);
    str_clear(&lex->text);
    if (lex->rest.size == 0)
        return HEADERLEX_END;
    char first = lex->rest.data[0];
    if (first == '"') {
        lex->rest = slice_from(lex->rest, 1);
        take_enclosed(lex, '"', '"', &lex->text);
        return HEADERLEX_WORD;
    }
    if (is_special(lex, first)) {
        lex->special = first;
        lex->rest = slice_from(lex->rest, 1);
        return HEADERLEX_SPECIAL;
    }
    size_t size = 0;
    do {
        size_t shifted = shifted_size(slice_from(lex->rest, size));
        size += shifted > 0 ? shifted : 1;
    } while (size < lex->rest.size && !ends_word(lex, lex->rest.data[size]));
    str_append(&lex->text, slice_part(lex->rest, 0, size));
    lex->rest = slice_from(lex->rest, size);
    return HEADERLEX_WORD;
}

bool headerlex_is_folded(struct slice value)
{
    return slice_has(value, '\n') || slice_has(value, '\r');
}

/* A fold, with all blanks around its line end, becomes one space. */
bool headerlex_unfold(struct slice value, struct str *text)
{
    value = slice_trim(slice_part(value, 0, MIME_FIELD_MAX));
    while (value.size > 0) {
        size_t size = 0;
        while (size < value.size && !is_line_end(value.data[size]))
            size++;
        str_append(text, slice_part(value, 0, size));
        bool is_fold = size < value.size;
        while (size < value.size && mailspace_is_space(value.data[size]))
            size++;
        if (is_fold)
            str_append_byte(text, ' ');
        value = slice_from(value, size);
    }
    return !text->failed;
}
