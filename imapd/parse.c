/* parse - see parse.h */
#include "parse.h"

#include "charset.h"
#include "literal.h"
#include "number.h"

#include <string.h>

typedef bool byte_test(char byte);

void parse_begin(struct parse *parse, struct slice text, struct arena *arena)
{
    *parse = (struct parse){.text = text, .arena = arena};
}

bool parse_at_end(const struct parse *parse)
{
    return parse->at >= parse->text.size;
}

char parse_peek(const struct parse *parse)
{
    return parse_at_end(parse) ? '\0' : parse->text.data[parse->at];
}

bool parse_byte(struct parse *parse, char byte)
{
    if (parse_at_end(parse) || parse->text.data[parse->at] != byte)
        return false;
    parse->at++;
    return true;
}

bool parse_space(struct parse *parse)
{
    return parse_byte(parse, ' ');
}

/* ATOM-CHAR: any CHAR but atom-specials. */
static bool is_atom_byte(char byte)
{
    return byte > ' ' && byte < 0x7f && !strchr("(){%*\"\\]", byte);
}

static bool is_astring_byte(char byte)
{
    return is_atom_byte(byte) || byte == ']';
}

static bool is_tag_byte(char byte)
{
    return is_astring_byte(byte) && byte != '+';
}

static bool is_pattern_byte(char byte)
{
    return is_astring_byte(byte) || byte == '%' || byte == '*';
}

static bool is_name_byte(char byte)
{
    return slice_is_letter(byte) || slice_is_digit(byte) || byte == '.' || byte == '-';
}

static bool is_sequence_byte(char byte)
{
    return slice_is_digit(byte) || byte == ':' || byte == ',' || byte == '*';
}

static bool is_saved_byte(char byte)
{
    return byte == '$';
}

static bool take_run(struct parse *parse, byte_test *belongs, struct slice *run)
{
    size_t end = parse->at;
    while (end < parse->text.size && belongs(parse->text.data[end]))
        end++;
    *run = slice_part(parse->text, parse->at, end - parse->at);
    parse->at = end;
    return run->size > 0;
}

bool parse_tag(struct parse *parse, struct slice *tag)
{
    return take_run(parse, is_tag_byte, tag);
}

bool parse_atom(struct parse *parse, struct slice *atom)
{
    return take_run(parse, is_atom_byte, atom);
}

bool parse_name(struct parse *parse, struct slice *name)
{
    return take_run(parse, is_name_byte, name);
}

bool parse_word(struct parse *parse, const char *word)
{
    struct parse ahead = *parse;
    struct slice atom;
    if (!parse_atom(&ahead, &atom) || !slice_equal_nocase(atom, slice_text(word)))
        return false;
    *parse = ahead;
    return true;
}

/* Takes the backslashes out of what stood between the quotes. */
static bool unescape(struct parse *parse, struct slice raw, struct slice *string)
{
    char *text = arena_take(parse->arena, raw.size + 1);
    if (!text)
        return false;
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        if (raw.data[i] == '\\')
            i++;
        text[size++] = raw.data[i];
    }
    *string = slice_of(text, size);
    return true;
}

static bool parse_quoted(struct parse *parse, struct slice *string)
{
    size_t start = parse->at + 1;
    bool escaped = false;
    for (size_t i = start; i < parse->text.size; i++) {
        char byte = parse->text.data[i];
        if (byte == '"') {
            struct slice raw = slice_part(parse->text, start, i - start);
            if (parse->utf8 && !charset_is_utf8(raw))
                return false;
            if (escaped && !unescape(parse, raw, string))
                return false;
            if (!escaped)
                *string = raw;
            parse->at = i + 1;
            return true;
        }
        if (byte == '\r' || byte == '\n' || byte == '\0')
            return false;
        if (byte != '\\')
            continue;
        /* quoted-specials are the only bytes that a backslash may stand before */
        char next = i + 1 < parse->text.size ? parse->text.data[i + 1] : '\0';
        if (next != '"' && next != '\\')
            return false;
        escaped = true;
        i++;
    }
    return false;
}

static bool parse_literal(struct parse *parse, struct slice *string)
{
    struct slice rest = slice_from(parse->text, parse->at);
    size_t head = slice_find(rest, '\n');
    struct literal literal;
    if (head == rest.size || !literal_at_end(slice_part(rest, 0, head + 1), &literal) ||
        literal.start != 0 || literal.too_long || literal.size > rest.size - (head + 1))
        return false;
    *string = slice_part(rest, head + 1, (size_t)literal.size);
    parse->at += head + 1 + (size_t)literal.size;
    return true;
}

bool parse_literal8(struct parse *parse, struct slice *string)
{
    struct parse ahead = *parse;
    if (!parse_byte(&ahead, '~') || !parse_literal(&ahead, string))
        return false;
    *parse = ahead;
    return true;
}

bool parse_string(struct parse *parse, struct slice *string)
{
    switch (parse_peek(parse)) {
    case '"':
        return parse_quoted(parse, string);
    case '{':
        return parse_literal(parse, string);
    default:
        return false;
    }
}

bool parse_astring(struct parse *parse, struct slice *string)
{
    return parse_string(parse, string) || take_run(parse, is_astring_byte, string);
}

bool parse_nstring(struct parse *parse, struct slice *string, bool *is_nil)
{
    *is_nil = parse_word(parse, "NIL");
    if (*is_nil)
        *string = SLICE("");
    return *is_nil || parse_string(parse, string);
}

bool parse_pattern(struct parse *parse, struct slice *pattern)
{
    return parse_string(parse, pattern) || take_run(parse, is_pattern_byte, pattern);
}

bool parse_number(struct parse *parse, uint64_t max, uint64_t *number)
{
    struct parse ahead = *parse;
    struct slice digits;
    if (!take_run(&ahead, slice_is_digit, &digits) || !number_parse(digits, max, number))
        return false;
    *parse = ahead;
    return true;
}

bool parse_sequence(struct parse *parse, struct sequence *sequence)
{
    struct parse ahead = *parse;
    struct slice text;
    if (!(take_run(&ahead, is_saved_byte, &text) || take_run(&ahead, is_sequence_byte, &text)) ||
        !sequence_parse(text, parse->arena, sequence))
        return false;
    *parse = ahead;
    return true;
}

bool parse_flag(struct parse *parse, struct slice *flag)
{
    struct parse ahead = *parse;
    struct slice atom;
    size_t start = ahead.at;
    parse_byte(&ahead, '\\');
    if (!parse_atom(&ahead, &atom))
        return false;
    *flag = slice_part(parse->text, start, ahead.at - start);
    *parse = ahead;
    return true;
}

bool parse_is_atom(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_atom_byte(text.data[i]))
            return false;
    return text.size > 0;
}
