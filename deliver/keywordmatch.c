/* keywordmatch - see keywordmatch.h */
#include "keywordmatch.h"

#include "casefold.h"
#include "mime.h"

#include <string.h>

enum {
    DECODED_MAX = 4 * KEYWORDMATCH_FIELD_MAX,
    FOLDED_MAX = 16 * DECODED_MAX, /* a character may become 18 */
};

void keywordmatch_init(struct keywordmatch *match)
{
    *match = (struct keywordmatch){0};
    str_init(&match->from, KEYWORDMATCH_TEXT_MAX);
    str_init(&match->subject, KEYWORDMATCH_TEXT_MAX);
    str_init(&match->decoded, DECODED_MAX);
    str_init(&match->folded, FOLDED_MAX);
}

void keywordmatch_free(struct keywordmatch *match)
{
    charset_cache_free(&match->charsets);
    str_free(&match->from);
    str_free(&match->subject);
    str_free(&match->decoded);
    str_free(&match->folded);
}

/* ---- texts as compared ------------------------------------------------------------------------- */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Makes each run of blanks one. The wide blank of Japan is one by now. */
static void join_blanks(struct str *text)
{
    size_t size = 0;
    for (size_t i = 0; i < text->size; i++)
        if (!is_blank(text->data[i]))
            text->data[size++] = text->data[i];
        else if (size == 0 || text->data[size - 1] != ' ')
            text->data[size++] = ' ';
    str_truncate(text, size);
}

/* What is too large to be folded can't be compared. */
static struct slice fold(struct keywordmatch *match, struct slice utf8)
{
    str_clear(&match->folded);
    if (!casefold_fold(utf8, &match->folded))
        return SLICE("");
    join_blanks(&match->folded);
    return str_slice(&match->folded);
}

/* A field that finds no room is not looked at; those in front of it are. */
static void add_text(struct str *text, struct slice line)
{
    if (line.size >= text->max - text->size)
        return;
    str_append(text, line);
    str_append_byte(text, '\n'); /* no keyword has one, so none is found across two fields */
}

/* RFC 5322 3.2.4: in a quoted string a backslash stands before what is meant. */
static bool drop_backslashes(struct str *text)
{
    size_t size = 0;
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] == '\\' && i + 1 < text->size)
            i++;
        text->data[size++] = text->data[i];
    }
    bool had_some = size < text->size;
    str_truncate(text, size);
    return had_some;
}

static void add_field(struct keywordmatch *match, struct slice value, bool is_structured,
                      struct str *text)
{
    str_clear(&match->decoded);
    if (!mime_decode_header_with(&match->charsets, slice_part(value, 0, KEYWORDMATCH_FIELD_MAX),
                                 &match->decoded))
        return;
    add_text(text, fold(match, str_slice(&match->decoded)));
    if (is_structured && drop_backslashes(&match->decoded))
        add_text(text, fold(match, str_slice(&match->decoded)));
}

/* ---- headers ------------------------------------------------------------------------------------ */

/* Up to the empty line. */
static struct slice cut_header(struct slice message)
{
    size_t at = 0;
    message = slice_part(message, 0, KEYWORDMATCH_HEADER_MAX);
    while (at < message.size) {
        struct slice rest = slice_from(message, at);
        if (slice_starts(rest, SLICE("\n")) || slice_starts(rest, SLICE("\r\n")))
            break;
        at += slice_find(rest, '\n') + 1;
    }
    return slice_part(message, 0, at);
}

bool keywordmatch_read(struct keywordmatch *match, struct slice header)
{
    struct mime_field field;
    str_clear(&match->from);
    str_clear(&match->subject);
    header = cut_header(header);
    while (mime_next_field(&header, &field)) {
        if (slice_equal_nocase(field.name, SLICE("From")))
            add_field(match, field.value, true, &match->from);
        else if (slice_equal_nocase(field.name, SLICE("Subject")))
            add_field(match, field.value, false, &match->subject);
    }
    return !match->from.failed && !match->subject.failed;
}

bool keywordmatch_has(struct keywordmatch *match, enum forwardrule_condition condition,
                      struct slice keyword)
{
    if (condition == FORWARDRULE_ALL)
        return true;
    struct slice wanted = fold(match, keyword);
    struct slice text = str_slice(condition == FORWARDRULE_FROM ? &match->from : &match->subject);
    return wanted.size > 0 && text.size >= wanted.size &&
           memmem(text.data, text.size, wanted.data, wanted.size);
}
