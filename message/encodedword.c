/* encodedword - see encodedword.h */
#include "encodedword.h"

#include "encode.h"

#define OPENING "=?UTF-8?B?"
enum {
    LINE_MAX_SIZE = 76, /* RFC 2047 2: of a line with an encoded word */
    WORD_MAX = 75,      /* of an encoded word */
    FRAME = sizeof OPENING - 1 + 2,
    ASCII_MAX = 900, /* RFC 5322 2.1.1: a line has 998 bytes at most */
};

/* Bytes whose base64 has room in `space`, as whole characters. */
static size_t piece_size(struct slice text, size_t space)
{
    size_t size = space > FRAME ? (space - FRAME) / 4 * 3 : 0;
    if (size >= text.size)
        return text.size;
    while (size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    return size;
}

static void append_word(struct str *field, struct slice bytes)
{
    str_append_text(field, OPENING);
    encode_base64(bytes, field);
    str_append_text(field, "?=");
}

static bool is_plain(struct slice text)
{
    return text.size <= ASCII_MAX && !slice_has_high(text) && !slice_has_control(text);
}

bool encodedword_append(struct str *field, struct slice text, size_t used)
{
    if (is_plain(text))
        return str_append(field, text);
    while (text.size > 0 && !field->failed) {
        size_t space = used < LINE_MAX_SIZE ? LINE_MAX_SIZE - used : 0;
        size_t size = piece_size(text, space < WORD_MAX ? space : WORD_MAX);
        /* Four bytes that are no character would never find room. */
        if (size == 0 && used <= 1)
            size = text.size < 4 ? text.size : 4;
        if (size > 0)
            append_word(field, slice_part(text, 0, size));
        text = slice_from(text, size);
        if (text.size > 0)
            str_append_text(field, "\r\n ");
        used = 1;
    }
    return !field->failed;
}
