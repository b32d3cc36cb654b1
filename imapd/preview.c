/* preview - see preview.h */
#include "preview.h"

#include "charset.h"
#include "htmltext.h"
#include "mailspace.h"
#include "mime.h"

enum { DECODED_MAX = 16384 }; /* bytes of a part that are looked at */

/* ---- characters --------------------------------------------------------------------------------
 */

/* Writes text with each run of blanks as one space, up to so many characters. */
struct shortener {
    struct str *out;
    size_t characters;
    bool blank; /* one is due before the next character */
};

static size_t character_size(struct slice text)
{
    unsigned char first = (unsigned char)text.data[0];
    size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    return size < text.size ? size : text.size;
}

/* What fills up the first line of advertising mail, so that nothing else is seen there. */
static bool is_invisible(struct slice character)
{
    static const char *const invisible[] = {
        "\xc2\xad",     /* soft hyphen */
        "\xcd\x8f",     /* combining grapheme joiner */
        "\xe2\x80\x8b", /* zero width space, non-joiner, joiner */
        "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\x8e", "\xe2\x80\x8f", /* marks of direction */
        "\xe2\x81\xa0",                                                 /* word joiner */
        "\xef\xbb\xbf", /* zero width no-break space */
    };
    for (size_t i = 0; i < sizeof invisible / sizeof *invisible; i++)
        if (slice_equal(character, slice_text(invisible[i])))
            return true;
    return false;
}

static bool is_blank(struct slice character)
{
    unsigned char byte = (unsigned char)character.data[0];
    return byte <= ' ' || byte == 0x7f || slice_equal(character, SLICE("\xc2\xa0")) ||
           slice_equal(character, SLICE("\xe3\x80\x80")); /* ideographic */
}

static bool is_full(const struct shortener *shortener)
{
    return shortener->characters >= PREVIEW_CHARACTERS;
}

static void add_character(struct shortener *shortener, struct slice character)
{
    if (is_blank(character)) {
        shortener->blank = shortener->characters > 0;
    } else if (!is_invisible(character)) {
        bool spaced = shortener->blank && shortener->characters + 1 < PREVIEW_CHARACTERS;
        if (spaced)
            str_append_byte(shortener->out, ' ');
        str_append(shortener->out, character);
        shortener->characters += 1 + spaced;
        shortener->blank = false;
    }
}

static void add_text(struct shortener *shortener, struct slice text)
{
    while (text.size > 0 && !is_full(shortener)) {
        size_t size = character_size(text);
        add_character(shortener, slice_part(text, 0, size));
        text = slice_from(text, size);
    }
    shortener->blank = shortener->characters > 0;
}

/* ---- text --------------------------------------------------------------------------------------
 */

/* Lines of others, and all behind the mark of a signature (RFC 3676 4.3, 4.5), tell nothing new. */
static void add_own_lines(struct shortener *shortener, struct slice text)
{
    while (text.size > 0 && !is_full(shortener)) {
        struct slice line = slice_cut(&text, '\n');
        struct slice bare = slice_without_line_end(line);
        if (slice_equal(bare, SLICE("-- ")) || slice_equal(bare, SLICE("-- \r")))
            return;
        if (!slice_starts(line, SLICE(">")))
            add_text(shortener, line);
    }
}

static void shorten(struct str *out, struct slice text)
{
    struct shortener shortener = {.out = out};
    add_own_lines(&shortener, text);
    if (shortener.characters == 0) /* nothing but what others wrote */
        add_text(&shortener, text);
}

/* ---- parts -------------------------------------------------------------------------------------
 */

static bool is_attachment(struct slice header)
{
    struct slice field;
    return mime_find_field(header, "Content-Disposition", &field) &&
           slice_starts_nocase(slice_trim(field), SLICE("attachment"));
}

/* The part's text in UTF-8; `scratch` holds it before. */
static bool decode(struct slice header, struct slice body, struct str *scratch, struct str *utf8)
{
    struct slice encoding = SLICE(""), type = SLICE("");
    struct mime_parameters parameters;
    mime_find_field(header, "Content-Transfer-Encoding", &encoding);
    mime_find_field(header, "Content-Type", &type);
    if (!mime_decode_body(slice_part(body, 0, DECODED_MAX), encoding, scratch) ||
        !mime_parse_parameters(type, &parameters))
        return false;
    const struct mime_parameter *charset = mime_parameter(&parameters, "charset");
    struct slice text = str_slice(scratch);
    struct slice label = charset ? str_slice(&charset->value) : SLICE("");
    bool done = charset_to_utf8(charset_of(label, text), text, utf8, NULL);
    mime_free_parameters(&parameters);
    return done;
}

static void append_part(struct str *out, struct slice message, const struct mime_part *part)
{
    struct slice header = slice_part(message, part->header, part->header_size);
    struct str scratch, utf8, text;
    str_init(&scratch, DECODED_MAX);
    str_init(&utf8, 6 * DECODED_MAX);
    str_init(&text, 6 * DECODED_MAX);
    bool is_html = slice_equal_nocase(part->subtype, SLICE("html"));
    if (!is_attachment(header) &&
        decode(header, slice_part(message, part->body, part->body_size), &scratch, &utf8)) {
        if (is_html)
            htmltext_append(&text, str_slice(&utf8));
        shorten(out, str_slice(is_html ? &text : &utf8));
    }
    str_free(&scratch);
    str_free(&utf8);
    str_free(&text);
}

static bool is_readable(const struct mime_part *part)
{
    return !part->is_multipart && slice_equal_nocase(part->type, SLICE("text")) &&
           (slice_equal_nocase(part->subtype, SLICE("plain")) ||
            slice_equal_nocase(part->subtype, SLICE("html")));
}

void preview_append(struct str *utf8, struct slice message)
{
    enum { TEXTS_MAX = 8 };
    message = slice_part(message, 0, PREVIEW_READ_MAX);
    struct mime_part *root = mime_parse(message);
    size_t start = utf8->size, texts = 0;
    for (const struct mime_part *part = root; part && utf8->size == start && texts < TEXTS_MAX;
         part = mime_next_part(part)) {
        if (!is_readable(part))
            continue;
        append_part(utf8, message, part);
        texts++;
    }
    mime_free(&root);
}
