/* htmltext - see htmltext.h */
#include "htmltext.h"

#include "encode.h"
#include "number.h"

#include <string.h>

/* ---- character references (HTML 13.5, those that mail uses) ------------------------------------
 */

enum { REFERENCE_MAX = 12 }; /* bytes between '&' and ';' */

static const struct {
    const char *name, *text;
} references[] = {
    {"amp", "&"},
    {"apos", "'"},
    {"copy", "\xc2\xa9"},
    {"euro", "\xe2\x82\xac"},
    {"gt", ">"},
    {"hellip", "\xe2\x80\xa6"},
    {"laquo", "\xc2\xab"},
    {"ldquo", "\xe2\x80\x9c"},
    {"lsquo", "\xe2\x80\x98"},
    {"lt", "<"},
    {"mdash", "\xe2\x80\x94"},
    {"middot", "\xc2\xb7"},
    {"nbsp", " "},
    {"ndash", "\xe2\x80\x93"},
    {"quot", "\""},
    {"raquo", "\xc2\xbb"},
    {"rdquo", "\xe2\x80\x9d"},
    {"reg", "\xc2\xae"},
    {"rsquo", "\xe2\x80\x99"},
    {"shy", ""},
    {"yen", "\xc2\xa5"},
    {"zwj", ""},
    {"zwnj", ""},
};

static void append_code_point(struct str *text, uint64_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000) ||
        code > 0x10ffff) {
        str_append_byte(text, ' ');
    } else if (code < 0x80) {
        str_append_byte(text, (char)code);
    } else if (code < 0x800) {
        str_append_byte(text, (char)(0xc0 | code >> 6));
        str_append_byte(text, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        str_append_byte(text, (char)(0xe0 | code >> 12));
        str_append_byte(text, (char)(0x80 | (code >> 6 & 0x3f)));
        str_append_byte(text, (char)(0x80 | (code & 0x3f)));
    } else {
        str_append_byte(text, (char)(0xf0 | code >> 18));
        str_append_byte(text, (char)(0x80 | (code >> 12 & 0x3f)));
        str_append_byte(text, (char)(0x80 | (code >> 6 & 0x3f)));
        str_append_byte(text, (char)(0x80 | (code & 0x3f)));
    }
}

static bool parse_hex(struct slice digits, uint64_t *code)
{
    *code = 0;
    for (size_t i = 0; i < digits.size; i++) {
        int value = encode_hex_value(digits.data[i]);
        if (value < 0)
            return false;
        *code = *code << 4 | (unsigned)value; /* at most REFERENCE_MAX digits */
    }
    return digits.size > 0;
}

static bool append_named(struct str *text, struct slice name)
{
    uint64_t code;
    if (slice_starts_nocase(name, SLICE("#x")) && parse_hex(slice_from(name, 2), &code)) {
        append_code_point(text, code);
        return true;
    }
    if (slice_starts(name, SLICE("#")) && number_parse(slice_from(name, 1), UINT32_MAX, &code)) {
        append_code_point(text, code);
        return true;
    }
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        if (slice_equal(name, slice_text(references[i].name)))
            return str_append_text(text, references[i].text) || text->failed;
    return false;
}

/* `html` begins with '&'. The size of what was taken. */
static size_t take_reference(struct str *text, struct slice html)
{
    struct slice name = slice_part(html, 1, REFERENCE_MAX);
    size_t size = slice_find(name, ';');
    if (size < name.size && append_named(text, slice_part(name, 0, size)))
        return size + 2;
    str_append_byte(text, '&');
    return 1;
}

/* ---- tags ------------------------------------------------------------------------------------ */

/* Elements whose content is not shown. */
static bool is_hidden(struct slice name)
{
    return slice_equal_nocase(name, SLICE("head")) || slice_equal_nocase(name, SLICE("script")) ||
           slice_equal_nocase(name, SLICE("style")) || slice_equal_nocase(name, SLICE("title"));
}

/* Elements within a line, whose tags divide no words. */
static bool is_inline(struct slice name)
{
    static const char *const names[] = {"a",      "abbr", "b",    "big", "code",  "em",
                                        "font",   "i",    "mark", "s",   "small", "span",
                                        "strong", "sub",  "sup",  "tt",  "u",     "wbr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_equal_nocase(name, slice_text(names[i])))
            return true;
    return false;
}

/* The size of the tag at the front, with its '>'; one that never ends is all the rest. A '>' in a
 * quoted value ends none. */
static size_t tag_size(struct slice html)
{
    char quote = '\0';
    for (size_t i = 1; i < html.size; i++) {
        char byte = html.data[i];
        if (quote) {
            quote = byte == quote ? '\0' : quote;
        } else if (byte == '>') {
            return i + 1;
        } else if ((byte == '"' || byte == '\'') && html.data[i - 1] == '=') {
            quote = byte;
        }
    }
    return html.size;
}

static struct slice tag_name(struct slice tag)
{
    size_t size = 0;
    while (size < tag.size && (slice_is_letter(tag.data[size]) || slice_is_digit(tag.data[size])))
        size++;
    return slice_part(tag, 0, size);
}

/* The size of what follows up to "</name", from behind the opening tag. Called for a name at most
 * as often as such an end is found, so time stays linear: without an end all is hidden. */
static size_t hidden_size(struct slice html, struct slice name)
{
    for (size_t i = 0; i < html.size; i++) {
        i += slice_find(slice_from(html, i), '<');
        struct slice tag = slice_from(html, i);
        if (slice_starts(tag, SLICE("</")) &&
            slice_equal_nocase(tag_name(slice_from(tag, 2)), name))
            return i;
    }
    return html.size;
}

static size_t comment_size(struct slice html)
{
    const char *end = memmem(html.data, html.size, "-->", 3);
    return end ? (size_t)(end - html.data) + 3 : html.size;
}

/* `html` begins with '<'. The size of what was taken. */
static size_t take_tag(struct str *text, struct slice html)
{
    if (slice_starts(html, SLICE("<!--")))
        return comment_size(html);
    char next = html.size > 1 ? html.data[1] : '\0';
    if (!slice_is_letter(next) && next != '/' && next != '!' && next != '?') {
        str_append_byte(text, '<');
        return 1;
    }
    struct slice name = tag_name(slice_from(html, next == '/' ? 2 : 1));
    size_t size = tag_size(html);
    if (next != '/' && is_hidden(name))
        size += hidden_size(slice_from(html, size), name);
    if (!is_inline(name))
        str_append_byte(text, ' ');
    return size;
}

bool htmltext_append(struct str *text, struct slice html)
{
    while (html.size > 0) {
        size_t size = 0;
        while (size < html.size && html.data[size] != '<' && html.data[size] != '&')
            size++;
        str_append(text, slice_part(html, 0, size));
        html = slice_from(html, size);
        if (html.size > 0)
            html = slice_from(html, html.data[0] == '<' ? take_tag(text, html)
                                                        : take_reference(text, html));
    }
    return !text->failed;
}
