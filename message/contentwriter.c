/* contentwriter - see contentwriter.h */
#include "contentwriter.h"

#include "encode.h"

#include <string.h>

enum {
    ENCODED_LINE_MAX = 76, /* RFC 2045 6.7 (5), 6.8 */
    QUOTED_SIZE = 3,       /* "=3D" */
    GROUP_BYTES = 3,       /* of base64 */
    GROUP_DIGITS = 4,
};

void contentwriter_init(struct contentwriter *writer, contentwriter_take *take, void *owner)
{
    writer->take = take;
    writer->owner = owner;
    writer->failed = false;
    writer->at_line_start = true;
    writer->used = 0;
}

bool contentwriter_flush(struct contentwriter *writer)
{
    if (!writer->failed && writer->used > 0)
        writer->failed = !writer->take(writer->owner, slice_of(writer->buffer, writer->used));
    writer->used = 0;
    return !writer->failed;
}

void contentwriter_put(struct contentwriter *writer, struct slice bytes)
{
    if (bytes.size == 0 || writer->failed)
        return;
    writer->at_line_start = bytes.data[bytes.size - 1] == '\n';
    if (bytes.size > sizeof writer->buffer - writer->used && !contentwriter_flush(writer))
        return;
    if (bytes.size > sizeof writer->buffer) {
        writer->failed = !writer->take(writer->owner, bytes);
        return;
    }
    memcpy(writer->buffer + writer->used, bytes.data, bytes.size);
    writer->used += bytes.size;
}

/* ---- quoted-printable -------------------------------------------------------------------------*/

struct quoted_line {
    struct contentwriter *writer;
    size_t column;
};

/* Something that must not be divided. One place is kept for the "=" of a soft line end. */
static void put_unit(struct quoted_line *line, struct slice unit)
{
    if (line->column + unit.size > ENCODED_LINE_MAX - 1) {
        contentwriter_put(line->writer, SLICE("=\r\n"));
        line->column = 0;
    }
    contentwriter_put(line->writer, unit);
    line->column += unit.size;
}

static void put_quoted_byte(struct quoted_line *line, char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned value = (unsigned char)byte;
    char unit[QUOTED_SIZE] = {'=', digits[value >> 4], digits[value & 15]};
    put_unit(line, slice_of(unit, sizeof unit));
}

/* Does the byte at the column that comes next begin what looks like a boundary? */
static bool is_dash_at_start(const struct quoted_line *line, char byte)
{
    return byte == '-' && (line->column == 0 || line->column + 1 > ENCODED_LINE_MAX - 1);
}

static bool is_plain_byte(char byte)
{
    unsigned char value = (unsigned char)byte;
    return (value >= ' ' && value < 0x7f) || byte == '\t';
}

static void put_byte(struct quoted_line *line, char byte, bool is_plain)
{
    if (is_plain && !is_dash_at_start(line, byte))
        put_unit(line, slice_of(&byte, 1));
    else
        put_quoted_byte(line, byte);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Cuts off the next line; *end is its line end: CRLF, LF, or nothing at the end of all. */
static struct slice cut_line(struct slice *rest, struct slice *end)
{
    size_t size = slice_find(*rest, '\n');
    struct slice line = slice_part(*rest, 0, size);
    *end = slice_part(*rest, size, 1);
    *rest = slice_from(*rest, size + 1);
    if (end->size > 0 && slice_ends(line, SLICE("\r"))) {
        line.size--;
        *end = SLICE("\r\n");
    }
    return line;
}

static void end_quoted_line(struct quoted_line *line, struct slice end)
{
    if (end.size == 1) { /* an LF alone is no line end on the way: it is quoted */
        put_quoted_byte(line, '\n');
        contentwriter_put(line->writer, SLICE("=\r\n"));
    } else {
        contentwriter_put(line->writer, end);
    }
}

void contentwriter_put_quoted(struct contentwriter *writer, struct slice bytes)
{
    while (bytes.size > 0 && !writer->failed) {
        struct quoted_line line = {.writer = writer};
        struct slice end, text = cut_line(&bytes, &end);
        for (size_t i = 0; i < text.size; i++) {
            bool is_last = i + 1 == text.size; /* blanks there get lost (RFC 2045 6.7 (3)) */
            char byte = text.data[i];
            put_byte(&line, byte,
                     is_plain_byte(byte) && byte != '=' && !(is_last && is_blank(byte)));
        }
        end_quoted_line(&line, end);
    }
}

static void mend_quoted_text(struct quoted_line *line, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        bool is_quoted = text.data[i] == '=' && encode_hex_byte(slice_from(text, i + 1)) >= 0;
        if (is_quoted) {
            put_unit(line, slice_part(text, i, QUOTED_SIZE));
            i += QUOTED_SIZE - 1;
        } else {
            put_byte(line, text.data[i], is_plain_byte(text.data[i]));
        }
    }
}

void contentwriter_mend_quoted(struct contentwriter *writer, struct slice text)
{
    while (text.size > 0 && !writer->failed) {
        struct quoted_line line = {.writer = writer};
        struct slice end, content = cut_line(&text, &end);
        while (content.size > 0 && is_blank(content.data[content.size - 1]))
            content.size--; /* they count for nothing, and would behind a new soft line end */
        bool is_soft = slice_ends(content, SLICE("="));
        content.size -= is_soft ? 1 : 0;
        mend_quoted_text(&line, content);
        if (is_soft)
            contentwriter_put(writer, end.size > 0 ? SLICE("=\r\n") : SLICE(""));
        else
            end_quoted_line(&line, end);
    }
}

/* ---- base64 -----------------------------------------------------------------------------------*/

static void put_group(struct contentwriter *writer, const char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned group = 0;
    char text[GROUP_DIGITS];
    for (size_t i = 0; i < GROUP_BYTES; i++)
        group = group << 8 | (i < size ? (unsigned char)bytes[i] : 0);
    for (size_t i = 0; i < GROUP_DIGITS; i++)
        text[i] = i <= size ? digits[group >> (6 * (GROUP_DIGITS - 1 - i)) & 63] : '=';
    contentwriter_put(writer, slice_of(text, sizeof text));
}

void contentwriter_put_base64(struct contentwriter *writer, struct slice bytes)
{
    size_t column = 0;
    for (size_t i = 0; i < bytes.size && !writer->failed; i += GROUP_BYTES) {
        if (column == ENCODED_LINE_MAX) {
            contentwriter_put(writer, SLICE("\r\n"));
            column = 0;
        }
        size_t left = bytes.size - i;
        put_group(writer, bytes.data + i, left < GROUP_BYTES ? left : GROUP_BYTES);
        column += GROUP_DIGITS;
    }
}

void contentwriter_mend_base64(struct contentwriter *writer, struct slice text)
{
    size_t column = 0;
    for (size_t i = 0; i < text.size && !writer->failed; i++) {
        if (encode_base64_value(text.data[i]) < 0 && text.data[i] != '=')
            continue;
        if (column == ENCODED_LINE_MAX) {
            contentwriter_put(writer, SLICE("\r\n"));
            column = 0;
        }
        contentwriter_put(writer, slice_part(text, i, 1));
        column++;
    }
}
