/* quote - see quote.h */
#include "quote.h"

#include "bytescan.h"
#include "headerlex.h"
#include "mime.h"
#include "parse.h"

#include <string.h>

/* What stands in one line of an answer stays short for clients with line limits. */
enum { QUOTE_QUOTED_MAX = 4096 };

static bool may_be_quoted(struct slice text, bool utf8)
{
    if (text.size > QUOTE_QUOTED_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if ((byte >= 0x80 && !utf8) || byte == '\r' || byte == '\n' || byte == '\0')
            return false;
    }
    return true;
}

/* Nothing in it has to be escaped, or looked at again. */
static bool append_plain(struct str *out, struct slice text)
{
    char *room = str_reserve(out, text.size + 2);
    if (!room)
        return false;
    *room = '"';
    if (text.size > 0)
        memcpy(room + 1, text.data, text.size);
    room[text.size + 1] = '"';
    str_added(out, text.size + 2);
    return true;
}

static bool append_escaped(struct str *out, struct slice text)
{
    str_append_byte(out, '"');
    for (size_t start = 0; start < text.size;) {
        size_t end = start + (text.data[start] == '"' || text.data[start] == '\\');
        if (end > start)
            str_append_byte(out, '\\');
        while (end < text.size && text.data[end] != '"' && text.data[end] != '\\')
            end++;
        str_append(out, slice_part(text, start, end - start));
        start = end;
    }
    return str_append_byte(out, '"');
}

bool quote_literal_head(struct str *out, uint64_t size)
{
    str_append_byte(out, '{');
    str_append_number(out, size);
    return str_append_text(out, "}\r\n");
}

static bool append_literal(struct str *out, struct slice text)
{
    quote_literal_head(out, text.size);
    while (text.size > 0) {
        size_t end = slice_find(text, '\0');
        str_append(out, slice_part(text, 0, end));
        if (end < text.size)
            str_append_byte(out, (char)0x80);
        text = slice_from(text, end + 1);
    }
    return !out->failed;
}

static bool append_string(struct str *out, struct slice text, bool utf8)
{
    if (text.size <= QUOTE_QUOTED_MAX && bytescan_is_plain(text))
        return append_plain(out, text);
    return may_be_quoted(text, utf8) ? append_escaped(out, text) : append_literal(out, text);
}

bool quote_string(struct str *out, struct slice text)
{
    return append_string(out, text, false);
}

bool quote_utf8(struct str *out, struct slice text)
{
    return append_string(out, text, true);
}

static bool append_unfolded(struct str *out, struct slice value)
{
    struct str text;
    str_init(&text, MIME_FIELD_MAX);
    bool done = headerlex_unfold(value, &text) ? quote_string(out, str_slice(&text))
                                               : str_append(out, SLICE("NIL"));
    str_free(&text);
    return done;
}

bool quote_field(struct str *out, struct slice value)
{
    value = slice_trim(slice_part(value, 0, MIME_FIELD_MAX));
    return headerlex_is_folded(value) ? append_unfolded(out, value) : quote_string(out, value);
}

bool quote_nstring(struct str *out, struct slice text)
{
    return text.data ? quote_string(out, text) : str_append_text(out, "NIL");
}

bool quote_astring(struct str *out, struct slice text)
{
    return parse_is_atom(text) ? str_append(out, text) : quote_string(out, text);
}
