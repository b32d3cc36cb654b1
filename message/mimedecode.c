/* mimedecode - transfer encodings and encoded words, see mime.h */
#include "charset.h"
#include "encode.h"
#include "mime.h"

#include <string.h>

/* ---- base64 (RFC 2045 6.8) ------------------------------------------------------------------ */

enum { BASE64_SKIP = 64, BASE64_PAD = 65 };

static void fill_base64_table(unsigned char table[256])
{
    for (unsigned i = 0; i < 256; i++) {
        int value = encode_base64_value((char)i);
        table[i] = value >= 0 ? (unsigned char)value : BASE64_SKIP;
    }
    table['='] = BASE64_PAD;
}

/* Bytes that are not of the alphabet don't count. Padding ends a group, not the text: gateways
 * put encoded pieces one behind the other. Returns the number of bytes written. */
static size_t decode_base64(struct slice text, char *out)
{
    unsigned char table[256];
    fill_base64_table(table);
    size_t written = 0;
    unsigned group = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned value = table[(unsigned char)text.data[i]];
        if (value == BASE64_PAD)
            bits = 0;
        if (value >= BASE64_SKIP)
            continue;
        group = (group << 6 | value) & 0xFFFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[written++] = (char)(group >> bits & 255);
        }
    }
    return written;
}

/* ---- quoted-printable (RFC 2045 6.7) -------------------------------------------------------- */

/* Writes the line without its line end; true when it ends softly. */
static bool decode_quoted_line(struct slice line, char *out, size_t *written)
{
    while (line.size > 0 && (line.data[line.size - 1] == ' ' || line.data[line.size - 1] == '\t'))
        line.size--; /* rule 3: blanks at the end were added on the way */
    for (size_t i = 0; i < line.size; i++) {
        if (line.data[i] == '=' && i + 1 == line.size)
            return true;
        int byte = line.data[i] == '=' ? encode_hex_byte(slice_from(line, i + 1)) : -1;
        out[(*written)++] = byte >= 0 ? (char)byte : line.data[i];
        i += byte >= 0 ? 2 : 0;
    }
    return false;
}

static size_t decode_quoted(struct slice text, char *out)
{
    size_t written = 0;
    while (text.size > 0) {
        size_t size = slice_find(text, '\n');
        struct slice line = slice_part(text, 0, size);
        struct slice end = slice_part(text, size, 1);
        if (end.size > 0 && slice_ends(line, SLICE("\r"))) {
            line.size--;
            end = slice_part(text, size - 1, 2);
        }
        text = slice_from(text, size + 1);
        bool is_soft = decode_quoted_line(line, out, &written);
        if (!is_soft && end.size > 0) {
            memcpy(out + written, end.data, end.size);
            written += end.size;
        }
    }
    return written;
}

/* ---- bodies --------------------------------------------------------------------------------- */

bool mime_decode_body(struct slice body, struct slice transfer_encoding, struct str *out)
{
    /* "base64 (comment)", "base64;": the word counts. */
    struct slice name = slice_trim(transfer_encoding);
    size_t size = 0;
    while (size < name.size && !slice_has(SLICE(" \t\r\n(;"), name.data[size]))
        size++;
    name.size = size;
    bool is_base64 = slice_equal_nocase(name, SLICE("base64"));
    bool is_quoted = slice_equal_nocase(name, SLICE("quoted-printable"));
    if (!is_base64 && !is_quoted)
        return str_append(out, body);
    if (body.size == 0)
        return !out->failed;
    /* Neither ever writes more than it reads, and base64 no more than three quarters. */
    char *room = str_reserve(out, is_base64 ? body.size / 4 * 3 + 3 : body.size);
    if (!room)
        return false;
    str_added(out, is_base64 ? decode_base64(body, room) : decode_quoted(body, room));
    return true;
}

/* ---- encoded words (RFC 2047) --------------------------------------------------------------- */

struct encoded_word {
    struct slice charset; /* without the language of RFC 2231 5 */
    struct slice text;
    bool is_base64;
    size_t size; /* of the whole word */
};

/* A text with bytes of words that follow each other in one charset, so that a character may be
 * split between two words, as many mailers do against the standard. */
struct decoder {
    struct charset_cache *cache; /* or NULL */
    struct str *utf8;
    struct str bytes;
    struct slice charset; /* of `bytes` */
    bool has_word;        /* bytes wait */
    size_t next_end;      /* where the next "?=" was found, so that each is searched for once */
};

enum { LABEL_MAX = 64 };

/* Position of the first "?=" at or behind `start`; the size of the text when there is none. */
static size_t find_end(struct decoder *decoder, struct slice text, size_t start)
{
    if (decoder->next_end < start || decoder->next_end == 0) {
        struct slice rest = slice_from(text, start);
        const char *found = rest.size > 1 ? memmem(rest.data, rest.size, "?=", 2) : NULL;
        decoder->next_end = found ? (size_t)(found - text.data) : text.size;
    }
    return decoder->next_end;
}

/* Base64 with other bytes in it is no encoded word: it would decode to noise. */
static bool is_base64_text(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (encode_base64_value(text.data[i]) < 0 && !slice_has(SLICE("= \t"), text.data[i]))
            return false;
    return true;
}

/* The encoded word that begins at `start`. Longer than the standard's 75 bytes is taken, and so
 * are blanks inside of Q: both are common. */
static bool parse_word(struct decoder *decoder, struct slice text, size_t start,
                       struct encoded_word *word)
{
    struct slice head = slice_part(text, start, LABEL_MAX + 5);
    if (!slice_starts(head, SLICE("=?")))
        return false;
    struct slice rest = slice_from(head, 2);
    struct slice label = slice_cut(&rest, '?');
    if (label.size == 0 || rest.size < 2 || rest.data[1] != '?')
        return false;
    char encoding = slice_lower(rest.data[0]);
    if ((encoding != 'b' && encoding != 'q') || slice_has(label, ' '))
        return false;
    size_t begin = start + 2 + label.size + 3;
    size_t end = find_end(decoder, text, begin);
    if (end >= text.size)
        return false;
    word->charset = slice_cut(&label, '*');
    word->text = slice_part(text, begin, end - begin);
    word->is_base64 = encoding == 'b';
    word->size = end + 2 - start;
    return !word->is_base64 || is_base64_text(word->text);
}

/* RFC 2047 4.2: "_" is a blank in any charset. */
static void decode_q(struct slice text, struct str *bytes)
{
    for (size_t i = 0; i < text.size; i++) {
        int byte = text.data[i] == '=' ? encode_hex_byte(slice_from(text, i + 1)) : -1;
        char plain = text.data[i] == '_' ? ' ' : text.data[i];
        str_append_byte(bytes, byte >= 0 ? (char)byte : plain);
        i += byte >= 0 ? 2 : 0;
    }
}

static void flush_words(struct decoder *decoder)
{
    if (decoder->has_word && !charset_to_utf8_with(decoder->cache, decoder->charset,
                                                   str_slice(&decoder->bytes), decoder->utf8, NULL))
        decoder->utf8->failed = true;
    str_clear(&decoder->bytes);
    decoder->has_word = false;
}

static void add_word(struct decoder *decoder, const struct encoded_word *word)
{
    if (decoder->has_word && !slice_equal_nocase(decoder->charset, word->charset))
        flush_words(decoder);
    decoder->charset = word->charset;
    decoder->has_word = true;
    if (word->is_base64)
        mime_decode_body(word->text, SLICE("base64"), &decoder->bytes);
    else
        decode_q(word->text, &decoder->bytes);
    decoder->utf8->failed |= decoder->bytes.failed;
}

/* Text outside of words: 8-bit text that is no ISO-2022-JP is UTF-8 or Latin-1. */
static void add_plain(struct decoder *decoder, struct slice text)
{
    flush_words(decoder);
    struct slice charset = charset_of(SLICE("us-ascii"), text);
    if (!charset_to_utf8_with(decoder->cache, charset, text, decoder->utf8, NULL))
        decoder->utf8->failed = true;
}

static bool is_only_blanks(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != ' ' && text.data[i] != '\t')
            return false;
    return true;
}

static void decode_words(struct decoder *decoder, struct slice text)
{
    size_t plain = 0; /* where the text outside of words began */
    size_t at = 0;
    while (at < text.size && !decoder->utf8->failed) {
        struct encoded_word word;
        if (!parse_word(decoder, text, at, &word)) {
            /* The next place where a word could begin. */
            at += 1 + slice_find(slice_from(text, at + 1), '=');
            continue;
        }
        struct slice between = slice_part(text, plain, at - plain);
        /* RFC 2047 6.2: blanks between words are not shown. */
        if (!decoder->has_word || !is_only_blanks(between))
            add_plain(decoder, between);
        add_word(decoder, &word);
        at += word.size;
        plain = at;
    }
    add_plain(decoder, slice_from(text, plain));
}

/* RFC 5322 2.2.3: a line end before a blank is taken away. Others have no business here. */
bool mime_unfold(struct slice value, struct str *line)
{
    while (value.size > 0) {
        size_t size = 0;
        while (size < value.size && value.data[size] != '\r' && value.data[size] != '\n')
            size++;
        str_append(line, slice_part(value, 0, size));
        value = slice_from(value, size + 1);
    }
    return !line->failed;
}

/* Nothing to decode: nearly all fields. */
static bool is_plain(struct slice value)
{
    for (size_t i = 0; i < value.size; i++)
        if ((unsigned char)value.data[i] >= 0x80 || value.data[i] == '\x1b' ||
            (value.data[i] == '?' && i > 0 && value.data[i - 1] == '='))
            return false;
    return true;
}

bool mime_decode_header(struct slice value, struct str *utf8)
{
    return mime_decode_header_with(NULL, value, utf8);
}

bool mime_decode_header_with(struct charset_cache *cache, struct slice value, struct str *utf8)
{
    if (value.size <= MIME_FIELD_MAX && is_plain(value))
        return mime_unfold(value, utf8);
    struct str line;
    str_init(&line, MIME_FIELD_MAX);
    mime_unfold(slice_part(value, 0, MIME_FIELD_MAX), &line);
    struct decoder decoder = {.cache = cache, .utf8 = utf8};
    str_init(&decoder.bytes, MIME_FIELD_MAX);
    if (line.failed)
        utf8->failed = true;
    else
        decode_words(&decoder, str_slice(&line));
    str_free(&decoder.bytes);
    str_free(&line);
    return !utf8->failed;
}

bool mime_decode_parameter(const struct mime_parameter *parameter, struct str *utf8)
{
    struct slice value = str_slice(&parameter->value);
    if (parameter->charset.size > 0)
        return charset_to_utf8(str_slice(&parameter->charset), value, utf8, NULL);
    return mime_decode_header(value, utf8);
}
