/* keywordmatch - see keywordmatch.h */
#include "keywordmatch.h"

#include "idn.h"
#include "mime.h"

#include <string.h>

enum {
    DECODED_MAX = 4 * KEYWORDMATCH_FIELD_MAX,
    FOLDED_MAX = 16 * DECODED_MAX, /* a character may become 18 */
    LABEL_MAX = 63,                /* bytes of a label of the DNS */
    UNICODE_LABEL_MAX = 4 * LABEL_MAX,
};

void keywordmatch_init(struct keywordmatch *match)
{
    *match = (struct keywordmatch){0};
    str_init(&match->from.lines, KEYWORDMATCH_TEXT_MAX);
    str_init(&match->subject.lines, KEYWORDMATCH_TEXT_MAX);
    str_init(&match->decoded, DECODED_MAX);
    str_init(&match->labels, DECODED_MAX);
    str_init(&match->folded, FOLDED_MAX);
}

void keywordmatch_free(struct keywordmatch *match)
{
    charset_cache_free(&match->charsets);
    casefold_free(&match->folds);
    str_free(&match->from.lines);
    str_free(&match->subject.lines);
    str_free(&match->decoded);
    str_free(&match->labels);
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

/* Characters of JIS X 0208 that systems give two codes in Unicode (SPEC R8.1); the others of the seven
 * are one when they are folded. */
static const struct {
    struct slice code, usual; /* as folded; the usual one is no longer */
} twins[] = {
    {SLICE_INIT("\xe3\x80\x9c"), SLICE_INIT("~")},            /* wave dash, U+301C and U+FF5E */
    {SLICE_INIT("\xe2\x88\x92"), SLICE_INIT("-")},            /* minus, U+2212 and U+FF0D */
    {SLICE_INIT("\xe2\x80\x96"), SLICE_INIT("\xe2\x88\xa5")}, /* double bar, U+2016 and U+2225 */
    {SLICE_INIT("\xe2\x80\x94"), SLICE_INIT("\xe2\x80\x95")}, /* dash, U+2014 and U+2015 */
};

/* The twin at the front of the text; NULL: there is none. */
static const struct slice *find_twin(struct slice text)
{
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
        if (slice_starts(text, twins[i].code))
            return &twins[i].usual;
    return NULL;
}

static void join_twins(struct str *text)
{
    size_t size = 0;
    for (size_t i = 0; i < text->size; i++) {
        bool may_be = (unsigned char)text->data[i] >= 0xe2;
        const struct slice *usual = may_be ? find_twin(slice_from(str_slice(text), i)) : NULL;
        if (usual) {
            memcpy(text->data + size, usual->data, usual->size);
            size += usual->size;
            i += 2;
        } else {
            text->data[size++] = text->data[i];
        }
    }
    str_truncate(text, size);
}

/* What is too large to be folded can't be compared. */
static struct slice fold(struct keywordmatch *match, struct slice utf8)
{
    str_clear(&match->folded);
    if (!casefold_append(&match->folds, utf8, &match->folded))
        return SLICE("");
    join_twins(&match->folded);
    join_blanks(&match->folded);
    return str_slice(&match->folded);
}

static void add_text(struct keywordmatch_text *text, struct slice line)
{
    text->is_full = text->is_full || line.size >= text->lines.max - text->lines.size;
    if (text->is_full)
        return;
    str_append(&text->lines, line);
    /* No keyword has one, so none is found across two fields. */
    str_append_byte(&text->lines, '\n');
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

static size_t label_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size && (slice_is_letter(text.data[size]) ||
                                slice_is_digit(text.data[size]) || text.data[size] == '-'))
        size++;
    return size;
}

static bool append_label(struct slice label, struct str *text)
{
    char ascii[LABEL_MAX + 1], unicode[UNICODE_LABEL_MAX + 1];
    if (slice_starts_nocase(label, SLICE("xn--")) && slice_copy_text(label, ascii, sizeof ascii) &&
        idn_to_unicode(ascii, unicode, sizeof unicode) &&
        !slice_equal(slice_text(unicode), label)) {
        str_append_text(text, unicode);
        return true;
    }
    str_append(text, label);
    return false;
}

/* International domains have two forms, and a reader is shown either: here A-labels ("xn--...") become
 * U-labels (RFC 5890 2.3.2.1). False: there are none, or no room. */
static bool append_with_unicode_labels(struct slice text, struct str *unicode)
{
    bool has_some = false;
    while (text.size > 0) {
        size_t size = label_size(text);
        has_some = append_label(slice_part(text, 0, size), unicode) || has_some;
        str_append(unicode, slice_part(text, size, 1));
        text = slice_from(text, size + 1);
    }
    return has_some && !unicode->failed;
}

static void add_field(struct keywordmatch *match, struct slice value, bool is_structured,
                      struct keywordmatch_text *text)
{
    str_clear(&match->decoded);
    if (text->is_full ||
        !mime_decode_header_with(&match->charsets, slice_part(value, 0, KEYWORDMATCH_FIELD_MAX),
                                 &match->decoded))
        return;
    add_text(text, fold(match, str_slice(&match->decoded)));
    if (is_structured && drop_backslashes(&match->decoded))
        add_text(text, fold(match, str_slice(&match->decoded)));
    str_clear(&match->labels);
    if (is_structured && append_with_unicode_labels(str_slice(&match->decoded), &match->labels))
        add_text(text, fold(match, str_slice(&match->labels)));
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

static void text_clear(struct keywordmatch_text *text)
{
    str_clear(&text->lines);
    text->is_full = false;
}

bool keywordmatch_read(struct keywordmatch *match, struct slice header)
{
    struct mime_field field;
    text_clear(&match->from);
    text_clear(&match->subject);
    header = cut_header(header);
    while (mime_next_field(&header, &field)) {
        if (slice_equal_nocase(field.name, SLICE("From")))
            add_field(match, field.value, true, &match->from);
        else if (slice_equal_nocase(field.name, SLICE("Subject")))
            add_field(match, field.value, false, &match->subject);
    }
    return !match->from.lines.failed && !match->subject.lines.failed;
}

static bool has_folded(struct keywordmatch *match, struct slice text, struct slice keyword)
{
    struct slice wanted = fold(match, keyword);
    return wanted.size > 0 && text.size >= wanted.size &&
           memmem(text.data, text.size, wanted.data, wanted.size);
}

bool keywordmatch_has(struct keywordmatch *match, enum forwardrule_condition condition,
                      struct slice keyword)
{
    if (condition == FORWARDRULE_ALL)
        return true;
    struct slice text =
        str_slice(condition == FORWARDRULE_FROM ? &match->from.lines : &match->subject.lines);
    if (has_folded(match, text, keyword))
        return true;
    str_clear(&match->labels);
    return condition == FORWARDRULE_FROM && append_with_unicode_labels(keyword, &match->labels) &&
           has_folded(match, text, str_slice(&match->labels));
}
