/* addresslist - see addresslist.h */
#include "addresslist.h"

#include <string.h>

/* One element is read token by token. Outside of <> everything may be part of a display name or an
 * address: which of both is known only at the end. */
struct reader {
    struct slice rest;
    struct str *address; /* what an address would be: tokens joined */
    bool has_space;      /* two words in a row: it can't be an address but a display name */
    bool after_word;     /* the last token was a word, and blanks or a comment may follow it */
    bool had_blank;      /* there was something between the last token and this */
    bool is_bad;
    bool is_angle; /* "<...>" was read: the address is final */
};

static char peek(const struct reader *reader)
{
    return reader->rest.size > 0 ? reader->rest.data[0] : '\0';
}

static void skip(struct reader *reader, size_t size)
{
    reader->rest = slice_from(reader->rest, size);
}

/* "(...)", nested, with quoted pairs. One that is not closed takes the rest. */
static void skip_comment(struct reader *reader)
{
    unsigned depth = 0;
    do {
        char byte = peek(reader);
        if (byte == '\\')
            skip(reader, 1);
        else if (byte == '(')
            depth++;
        else if (byte == ')')
            depth--;
        if (depth > ADDRESSLIST_COMMENT_DEPTH_MAX)
            reader->is_bad = true;
        skip(reader, 1);
    } while (depth > 0 && reader->rest.size > 0);
    if (depth > 0)
        reader->is_bad = true;
}

static void skip_blanks(struct reader *reader)
{
    while (reader->rest.size > 0 && strchr(" \t\r\n(", peek(reader)) && peek(reader) != '\0') {
        if (peek(reader) == '(')
            skip_comment(reader);
        else
            skip(reader, 1);
        reader->had_blank = true;
    }
}

/* A quoted string, quotes and all. */
static struct slice take_quoted(struct reader *reader)
{
    size_t at = 1;
    while (at < reader->rest.size && reader->rest.data[at] != '"')
        at += reader->rest.data[at] == '\\' ? 2 : 1;
    if (at >= reader->rest.size) {
        reader->is_bad = true;
        at = reader->rest.size - 1;
    }
    struct slice token = slice_part(reader->rest, 0, at + 1);
    skip(reader, token.size);
    return token;
}

static bool is_special(char byte)
{
    return byte == '\0' || strchr(" \t\r\n()<>[]:;@\\,.\"", byte) != NULL;
}

static struct slice take_word(struct reader *reader)
{
    size_t size = 0;
    while (size < reader->rest.size && !is_special(reader->rest.data[size]))
        size++;
    struct slice token = slice_part(reader->rest, 0, size);
    skip(reader, size);
    return token;
}

/* "[...]" */
static struct slice take_literal(struct reader *reader)
{
    size_t end = slice_find(reader->rest, ']');
    if (end == reader->rest.size) {
        reader->is_bad = true;
        end = reader->rest.size - 1;
    }
    struct slice token = slice_part(reader->rest, 0, end + 1);
    skip(reader, token.size);
    return token;
}

static void add(struct reader *reader, struct slice token, bool is_word)
{
    /* "user . name @ host" is one address (RFC 5322 4.4); "user name" is none. */
    if (is_word && reader->after_word && reader->had_blank)
        reader->has_space = true;
    reader->after_word = is_word;
    reader->had_blank = false;
    /* A long display name is not an address's fault: it is forgotten at '<'. */
    str_append(reader->address, token);
}

/* A token that may stand in an address. False: none is here. */
static bool read_token(struct reader *reader)
{
    char byte = peek(reader);
    if (byte == '"') {
        add(reader, take_quoted(reader), true);
    } else if (byte == '[') {
        add(reader, take_literal(reader), true);
    } else if (byte == '@' || byte == '.') {
        add(reader, slice_part(reader->rest, 0, 1), false);
        skip(reader, 1);
    } else if (!is_special(byte)) {
        add(reader, take_word(reader), true);
    } else {
        return false;
    }
    return true;
}

static void start_over(struct reader *reader)
{
    str_clear(reader->address);
    reader->has_space = false;
    reader->after_word = false;
    reader->had_blank = false;
}

/* "<a@b>", "<@route,@route:a@b>": what stands before was a display name. */
static void read_angle(struct reader *reader)
{
    skip(reader, 1);
    start_over(reader);
    reader->is_bad = reader->is_bad || reader->is_angle;
    reader->is_angle = true;
    for (;;) {
        skip_blanks(reader);
        if (read_token(reader))
            continue;
        char byte = peek(reader);
        skip(reader, 1);
        if (byte == '>')
            return;
        if (byte == ':' || (byte == ',' && slice_starts(str_slice(reader->address), SLICE("@")))) {
            start_over(reader); /* the route is dropped (RFC 5321 appendix C) */
            continue;
        }
        reader->is_bad = true;
        if (reader->rest.size == 0)
            return;
    }
}

/* To the end of this element: a comma, a group's end, or the end of all. */
static void read_element(struct reader *reader)
{
    for (;;) {
        skip_blanks(reader);
        if (reader->rest.size == 0)
            return;
        char byte = peek(reader);
        if (byte == ',' || byte == ';') {
            skip(reader, 1);
            return;
        }
        if (byte == '<') {
            read_angle(reader);
        } else if (byte == ':' && !reader->is_angle) {
            skip(reader, 1); /* "group name:" */
            start_over(reader);
        } else if (reader->is_angle || !read_token(reader)) {
            reader->is_bad = true;
            skip(reader, 1);
        }
    }
}

static enum addresslist_result judge(struct reader *reader)
{
    bool is_empty = reader->address->size == 0 && !reader->address->failed;
    /* "<>" is no recipient. */
    if (reader->is_bad || reader->has_space || reader->address->failed ||
        (is_empty && reader->is_angle))
        return ADDRESSLIST_BAD;
    return is_empty ? ADDRESSLIST_END : ADDRESSLIST_ONE;
}

enum addresslist_result addresslist_next(struct slice *rest, struct str *address)
{
    while (rest->size > 0) {
        struct reader reader = {.rest = *rest, .address = address};
        str_clear(address);
        read_element(&reader);
        *rest = reader.rest;
        enum addresslist_result result = judge(&reader);
        if (result != ADDRESSLIST_END)
            return result;
    }
    str_clear(address);
    return ADDRESSLIST_END;
}
