/* textmatch - see textmatch.h */
#include "textmatch.h"

#include "bytescan.h"
#include "imapsession.h"
#include "mime.h"
#include "source.h"

#include <string.h>

enum {
    FOLD_PIECE = 32768,    /* bytes of UTF-8 that are folded at a time */
    CHARSET_PIECE = 131072 /* bytes of a text that are converted at a time */
};

void textneedle_make(struct textneedle *needle, struct slice folded)
{
    *needle = (struct textneedle){.folded = folded, .is_ascii = !bytescan_has_high(folded)};
    for (size_t i = 0; i < folded.size; i++) {
        needle->has_blank |= folded.data[i] == ' ' || folded.data[i] == '\t';
        needle->has_line_end |= folded.data[i] == '\r' || folded.data[i] == '\n';
    }
    if (folded.size > 0)
        bytescan_choose(folded, &needle->first, &needle->second);
}

void textmatch_init(struct textmatch *match)
{
    *match = (struct textmatch){0};
    str_init(&match->line, MIME_FIELD_MAX);
    str_init(&match->decoded, IMAPSESSION_READ_MAX);
    str_init(&match->utf8, IMAPSESSION_READ_MAX);
    str_init(&match->folded, IMAPSESSION_READ_MAX);
}

void textmatch_free(struct textmatch *match)
{
    casefold_free(&match->casefold);
    charset_cache_free(&match->charsets);
    str_free(&match->line);
    str_free(&match->decoded);
    str_free(&match->utf8);
    str_free(&match->folded);
}

static bool scan(struct slice text, const struct textneedle *needle)
{
    return bytescan_has(text, needle->folded, needle->first, needle->second);
}

static bool has_byte(struct slice text, char byte)
{
    return text.size > 0 && memchr(text.data, byte, text.size);
}

/* ---- text in UTF-8 ---------------------------------------------------------------------------- */

/* How much is folded at a time: up to an ASCII character, since no form goes across one. */
static size_t fold_piece(struct slice utf8)
{
    size_t size = FOLD_PIECE;
    while (size < utf8.size && (unsigned char)utf8.data[size] >= 0x80)
        size++;
    return size < utf8.size ? size : utf8.size;
}

/* Text that is not ASCII, piece by piece; of what was folded, as much is kept as a needle could have
 * begun in. */
static bool folded_has(struct textmatch *match, struct slice utf8, const struct textneedle *needle)
{
    struct str *folded = &match->folded;
    str_clear(folded);
    while (utf8.size > 0) {
        size_t size = fold_piece(utf8);
        if (!casefold_append(&match->casefold, slice_part(utf8, 0, size), folded))
            return false;
        if (scan(str_slice(folded), needle))
            return true;
        utf8 = slice_from(utf8, size);
        if (folded->size >= needle->folded.size)
            str_remove_front(folded, folded->size - needle->folded.size + 1);
    }
    return false;
}

static bool utf8_has(struct textmatch *match, struct slice utf8, const struct textneedle *needle)
{
    if (needle->is_ascii && scan(utf8, needle))
        return true;
    return bytescan_has_high(utf8) && folded_has(match, utf8, needle);
}

/* ---- headers ---------------------------------------------------------------------------------- */

/* Neither encoded words nor charsets: what stands there is what is meant. */
static bool is_plain(struct slice text)
{
    return !bytescan_has_high(text) && !has_byte(text, '\x1b') &&
           !(text.size > 1 && memmem(text.data, text.size, "=?", 2));
}

/* `plain`: is_plain said so of it, or of what it is in. */
static bool value_has(struct textmatch *match, struct slice value, bool plain,
                      const struct textneedle *needle)
{
    value = slice_part(value, 0, MIME_FIELD_MAX);
    if (plain || is_plain(value)) {
        if (!needle->is_ascii)
            return false;
        if (!has_byte(value, '\r') && !has_byte(value, '\n'))
            return scan(value, needle);
        str_clear(&match->line);
        return mime_unfold(value, &match->line) && scan(str_slice(&match->line), needle);
    }
    str_clear(&match->utf8);
    return mime_decode_header_with(&match->charsets, value, &match->utf8) &&
           utf8_has(match, str_slice(&match->utf8), needle);
}

/* A CR that ends no line: unfolding would join what it divides. */
static bool has_stray_cr(struct slice text)
{
    for (size_t at = slice_find(text, '\r'); at < text.size;
         at += 1 + slice_find(slice_from(text, at + 1), '\r'))
        if (at + 1 == text.size || text.data[at + 1] != '\n')
            return true;
    return false;
}

/* Can the whole header do without a look at its fields? A text without blanks stands across no fold,
 * and none stands across two fields. */
static bool header_surely_lacks(struct slice header, const struct textneedle *needle)
{
    if (!needle->is_ascii)
        return true;
    return !needle->has_blank && !scan(header, needle) && !has_stray_cr(header);
}

bool textmatch_header(struct textmatch *match, struct slice header, const struct textneedle *needle)
{
    struct mime_field field;
    bool plain = is_plain(header);
    if (plain && header_surely_lacks(header, needle))
        return false;
    while (mime_next_field(&header, &field))
        if (value_has(match, slice_trim(field.whole), plain, needle))
            return true;
    return false;
}

bool textmatch_field(struct textmatch *match, struct slice header, struct slice name,
                     const struct textneedle *needle)
{
    struct mime_field field;
    while (mime_next_field(&header, &field))
        if (field.name.size == name.size && slice_equal_nocase(field.name, name) &&
            value_has(match, field.value, false, needle))
            return true;
    return false;
}

/* ---- text parts ------------------------------------------------------------------------------- */

/* What a part's header says of its text. */
struct part_facts {
    struct slice type, encoding; /* the first fields; no data: not there */
};

static void read_facts(struct slice header, struct part_facts *facts)
{
    struct mime_field field;
    *facts = (struct part_facts){0};
    while (mime_next_field(&header, &field)) {
        if (!facts->type.data && slice_equal_nocase(field.name, SLICE("Content-Type")))
            facts->type = field.value;
        else if (!facts->encoding.data &&
                 slice_equal_nocase(field.name, SLICE("Content-Transfer-Encoding")))
            facts->encoding = field.value;
    }
}

enum { LABEL_MAX = 64 }; /* of a label that long no charset is known */

/* The charset that is named; empty: none. */
static void read_label(struct slice type, struct str *label)
{
    struct mime_parameters parameters;
    if (type.size == 0 || !mime_parse_parameters(type, &parameters))
        return;
    const struct mime_parameter *found = mime_parameter(&parameters, "charset");
    if (found)
        str_append(label, slice_part(str_slice(&found->value), 0, LABEL_MAX));
    mime_free_parameters(&parameters);
}

/* Converts up to a line's end, where all charsets of mail but the foreign ones begin anew. */
static size_t charset_piece(struct slice bytes, bool divides)
{
    if (!divides || bytes.size <= CHARSET_PIECE)
        return bytes.size;
    size_t end = CHARSET_PIECE + slice_find(slice_from(bytes, CHARSET_PIECE), '\n');
    return end < bytes.size ? end + 1 : bytes.size;
}

static bool converted_has(struct textmatch *match, struct slice charset, struct slice bytes,
                          const struct textneedle *needle, bool divides)
{
    do { /* of nothing, too: the empty text is in it */
        size_t size = charset_piece(bytes, divides);
        str_clear(&match->utf8);
        if (!charset_to_utf8_with(&match->charsets, charset, slice_part(bytes, 0, size),
                                  &match->utf8, NULL))
            return false;
        if (utf8_has(match, str_slice(&match->utf8), needle))
            return true;
        bytes = slice_from(bytes, size);
    } while (bytes.size > 0);
    return false;
}

static bool text_has(struct textmatch *match, struct slice charset, struct slice bytes,
                     const struct textneedle *needle)
{
    enum charset_family family = charset_family(charset);
    bool is_ascii = family != CHARSET_FOREIGN && !bytescan_has_high(bytes) &&
                    (family <= CHARSET_ASCII || !has_byte(bytes, '\x1b'));
    if (is_ascii)
        return needle->is_ascii && scan(bytes, needle);
    if (family <= CHARSET_ASCII && needle->is_ascii && scan(bytes, needle))
        return true;
    if (family == CHARSET_UTF8 && charset_is_utf8(bytes))
        return folded_has(match, bytes, needle);
    bool divides = (family == CHARSET_ASCII || family == CHARSET_MULTI) && !needle->has_line_end;
    return converted_has(match, charset, bytes, needle, divides);
}

static bool has_encoding(struct slice field)
{
    field = slice_trim(field);
    return field.size > 0 && (slice_starts_nocase(field, SLICE("base64")) ||
                              slice_starts_nocase(field, SLICE("quoted-printable")));
}

static bool text_part_has(struct textmatch *match, const struct part_facts *facts,
                          struct slice body, const struct textneedle *needle)
{
    char room[LABEL_MAX];
    struct str label = str_on(room, sizeof room);
    read_label(facts->type, &label);
    if (has_encoding(facts->encoding)) {
        str_clear(&match->decoded);
        if (!mime_decode_body(body, facts->encoding, &match->decoded))
            return false;
        body = str_slice(&match->decoded);
    }
    return text_has(match, charset_of(str_slice(&label), body), body, needle);
}

/* ---- bodies ----------------------------------------------------------------------------------- */

/* What is shown as text: text itself, and the reports of message/delivery-status and its like. */
static bool is_text(struct slice type)
{
    return slice_equal_nocase(type, SLICE("text")) || slice_equal_nocase(type, SLICE("message"));
}

static bool part_has(struct textmatch *match, struct slice whole, const struct mime_part *part,
                     const struct textneedle *needle)
{
    for (const struct mime_part *child = part->first_child; child; child = child->next) {
        struct slice inner = slice_part(whole, child->header, child->header_size);
        if (textmatch_header(match, inner, needle) || part_has(match, whole, child, needle))
            return true;
    }
    if (part->first_child || !is_text(part->type))
        return false;
    struct part_facts facts;
    read_facts(slice_part(whole, part->header, part->header_size), &facts);
    return text_part_has(match, &facts, slice_part(whole, part->body, part->body_size), needle);
}

static bool parts_have(struct textmatch *match, struct slice whole, const struct textneedle *needle)
{
    struct mime_part *root = mime_parse_global(whole);
    bool found = root && part_has(match, whole, root, needle);
    mime_free(&root);
    return found;
}

bool textmatch_body(struct textmatch *match, struct slice message, size_t header_size,
                    const struct textneedle *needle)
{
    struct part_facts facts;
    struct slice type = SLICE("text"), subtype = SLICE("plain");
    read_facts(slice_part(message, 0, header_size), &facts);
    if (facts.type.size > 0 && !mime_split_type(facts.type, &type, &subtype))
        type = SLICE("text");
    bool is_leaf = !slice_equal_nocase(type, SLICE("multipart")) &&
                   !slice_equal_nocase(type, SLICE("message"));
    if (!is_leaf)
        return parts_have(match, message, needle);
    return is_text(type) && text_part_has(match, &facts, slice_from(message, header_size), needle);
}
