/* mimefield - header fields and their parameters, see mime.h */
#include "encode.h"
#include "mailspace.h"
#include "mime.h"
#include "number.h"

#include <stdlib.h>
#include <string.h>

/* ---- fields --------------------------------------------------------------------------------- */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* The name in front of the colon, whose place goes to *colon; blanks between them are obsolete, but
 * seen. Empty: no field. */
static struct slice field_name(struct slice line, size_t *colon)
{
    size_t size = 0;
    while (size < line.size && (unsigned char)line.data[size] > ' ' && line.data[size] != ':' &&
           line.data[size] != 0x7F)
        size++;
    *colon = size;
    while (*colon < line.size && is_blank(line.data[*colon]))
        ++*colon;
    bool is_field = *colon < line.size && line.data[*colon] == ':';
    return slice_part(line, 0, is_field ? size : 0);
}

/* The place behind the LF that comes next from `at` on. */
static size_t behind_line(struct slice text, size_t at)
{
    const char *end = memchr(text.data + at, '\n', text.size - at);
    return end ? (size_t)(end - text.data) + 1 : text.size;
}

/* The size of the field at the front: its line, which has that size, and those that continue it (RFC
 * 5322 2.2.3). */
static size_t field_size(struct slice text, size_t line_size)
{
    size_t size = line_size;
    while (size < text.size && is_blank(text.data[size]))
        size = behind_line(text, size);
    return size;
}

static bool is_line_end(char byte)
{
    return byte == '\r' || byte == '\n';
}

static struct slice field_value(struct slice whole, size_t colon)
{
    size_t start = colon + 1, end = whole.size;
    while (start < end && (is_blank(whole.data[start]) || is_line_end(whole.data[start])))
        start++;
    if (end > start && whole.data[end - 1] == '\n')
        end--;
    if (end > start && whole.data[end - 1] == '\r')
        end--;
    return slice_part(whole, start, end - start);
}

bool mime_next_field(struct slice *rest, struct mime_field *field)
{
    while (rest->size > 0) {
        size_t colon, line_size = behind_line(*rest, 0);
        struct slice name = field_name(slice_part(*rest, 0, line_size), &colon);
        size_t size = name.size > 0 ? field_size(*rest, line_size) : line_size;
        struct slice whole = slice_part(*rest, 0, size);
        *rest = slice_from(*rest, size);
        if (name.size == 0)
            continue;
        *field =
            (struct mime_field){.name = name, .value = field_value(whole, colon), .whole = whole};
        return true;
    }
    return false;
}

bool mime_find_field(struct slice header, const char *name, struct slice *value)
{
    struct mime_field field;
    while (mime_next_field(&header, &field)) {
        if (slice_equal_nocase(field.name, slice_text(name))) {
            *value = field.value;
            return true;
        }
    }
    return false;
}

/* ---- words of a structured field ------------------------------------------------------------ */

/* RFC 2045 5.1: no blanks, no controls, none of the special characters. */
static bool is_token_byte(char byte)
{
    return (unsigned char)byte > ' ' && byte != 0x7F &&
           !slice_has(SLICE("()<>@,;:\\\"/[]?="), byte);
}

static struct slice cut_token(struct slice *text)
{
    size_t size = 0;
    while (size < text->size && is_token_byte(text->data[size]))
        size++;
    struct slice token = slice_part(*text, 0, size);
    *text = slice_from(*text, size);
    return token;
}

bool mime_split_type(struct slice field, struct slice *type, struct slice *subtype)
{
    field = slice_part(field, 0, MIME_FIELD_MAX);
    mailspace_skip(&field);
    struct slice first = cut_token(&field);
    mailspace_skip(&field);
    if (first.size == 0 || !slice_starts(field, SLICE("/")))
        return false;
    field = slice_from(field, 1);
    mailspace_skip(&field);
    struct slice second = cut_token(&field);
    if (second.size == 0)
        return false;
    *type = first;
    *subtype = second;
    return true;
}

/* ISO-2022-JP writes characters with the bytes of quotes and backslashes in them, and old mailers
 * put it into quoted strings as it is. The size of such a run, 0 when there is none. */
static size_t shifted_size(struct slice text)
{
    if (!slice_starts(text, SLICE("\x1b$")))
        return 0;
    enum { RUN_MAX = 1024 };
    struct slice run = slice_part(text, 0, RUN_MAX);
    const char *back = memmem(run.data, run.size, "\x1b(", 2);
    return back ? (size_t)(back - run.data) + 2 : 0;
}

/* A quoted string, whose first quote was cut off; folds are undone. */
static void cut_quoted(struct slice *text, struct str *out)
{
    size_t i = 0;
    while (i < text->size && text->data[i] != '"') {
        size_t shifted = shifted_size(slice_from(*text, i));
        if (shifted > 0) {
            str_append(out, slice_part(*text, i, shifted));
            i += shifted;
            continue;
        }
        if (text->data[i] == '\\' && i + 1 < text->size)
            i++;
        if (text->data[i] != '\r' && text->data[i] != '\n')
            str_append_byte(out, text->data[i]);
        i++;
    }
    *text = slice_from(*text, i + 1);
}

/* A value without quotes. The standard wants a token; people write file names with blanks. */
static void cut_unquoted(struct slice *text, struct str *out)
{
    size_t size = 0;
    while (size < text->size && text->data[size] != ';') {
        if (text->data[size] == '(' && size > 0 && mailspace_is_space(text->data[size - 1]))
            break;
        size++;
    }
    struct slice value = slice_trim(slice_part(*text, 0, size));
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] != '\r' && value.data[i] != '\n')
            str_append_byte(out, value.data[i]);
    *text = slice_from(*text, size);
}

/* Goes behind the next ';' that is in no comment and no quotes. */
static void skip_to_next(struct slice *text)
{
    while (text->size > 0 && text->data[0] != ';') {
        if (text->data[0] == '(') {
            *text = slice_from(*text, mailspace_comment(*text));
        } else if (text->data[0] == '"') {
            struct str ignored;
            str_init(&ignored, 0);
            *text = slice_from(*text, 1);
            cut_quoted(text, &ignored);
            str_free(&ignored);
        } else {
            *text = slice_from(*text, 1);
        }
    }
    *text = slice_from(*text, 1);
}

/* What stands before the first ';', without comments and quotes. */
static void cut_value(struct slice *text, struct str *value)
{
    mailspace_skip(text);
    while (text->size > 0 && text->data[0] != ';') {
        char byte = text->data[0];
        if (byte == '(') {
            *text = slice_from(*text, mailspace_comment(*text));
            continue;
        }
        *text = slice_from(*text, 1);
        if (byte == '"')
            cut_quoted(text, value);
        else if (byte != '\r' && byte != '\n')
            str_append_byte(value, byte);
    }
    *text = slice_from(*text, 1);
    while (value->size > 0 && is_blank(value->data[value->size - 1]))
        str_truncate(value, value->size - 1);
}

/* ---- RFC 2231 -------------------------------------------------------------------------------
 * A parameter may come in segments: name*0="..."; name*1*=...; in any order. "*" at the end says
 * that the value is percent-encoded, and that the first segment tells charset and language. */

enum {
    SEGMENTS_MAX = 128, /* of one field; they are searched in squares */
    SEGMENTS_FIRST = 8,
    SEGMENT_WHOLE = SEGMENTS_MAX,
};

struct segment {
    struct str name, value;
    unsigned index; /* SEGMENT_WHOLE when the name has none */
    bool is_extended;
    bool is_used;
};

struct segments {
    struct segment *list;
    size_t count, capacity;
    bool failed;
};

/* One more; NULL without memory. */
static struct segment *segment_add(struct segments *segments)
{
    if (segments->count == segments->capacity) {
        size_t capacity = segments->count > 0 ? segments->count * 2 : SEGMENTS_FIRST;
        struct segment *list = realloc(segments->list, capacity * sizeof *list);
        if (!list) {
            segments->failed = true;
            return NULL;
        }
        segments->list = list;
        segments->capacity = capacity;
    }
    return &segments->list[segments->count++];
}

static void cut_name(struct slice *text, struct str *name)
{
    size_t size = 0;
    while (size < text->size && !mailspace_is_space(text->data[size]) &&
           !slice_has(SLICE("=;("), text->data[size])) {
        str_append_byte(name, slice_lower(text->data[size]));
        size++;
    }
    *text = slice_from(*text, size);
}

/* Takes "*", "*3", "*3*" off the name. */
static void take_marks(struct segment *segment)
{
    struct slice name = str_slice(&segment->name);
    size_t star = slice_find(name, '*');
    struct slice marks = slice_from(name, star + 1);
    if (star == name.size || star == 0)
        return;
    bool is_extended = marks.size == 0 || slice_ends(marks, SLICE("*"));
    if (slice_ends(marks, SLICE("*")))
        marks.size--;
    if (marks.size > 0 && !number_parse_unsigned(marks, SEGMENTS_MAX - 1, &segment->index))
        return;
    segment->is_extended = is_extended;
    str_truncate(&segment->name, star);
}

static void segment_parse(struct slice *text, struct segments *segments)
{
    struct segment *segment = segment_add(segments);
    if (!segment)
        return;
    *segment = (struct segment){.index = SEGMENT_WHOLE};
    str_init(&segment->name, MIME_FIELD_MAX);
    str_init(&segment->value, MIME_FIELD_MAX);
    cut_name(text, &segment->name);
    mailspace_skip(text);
    bool has_value = slice_starts(*text, SLICE("=")) && segment->name.size > 0;
    if (has_value) {
        *text = slice_from(*text, 1);
        mailspace_skip(text);
        if (slice_starts(*text, SLICE("\""))) {
            *text = slice_from(*text, 1);
            cut_quoted(text, &segment->value);
        } else {
            cut_unquoted(text, &segment->value);
        }
        take_marks(segment);
    }
    segment->is_used = !has_value; /* nothing worth using */
    segments->failed |= segment->name.failed || segment->value.failed;
    skip_to_next(text);
}

static void decode_percent(struct slice text, struct str *out)
{
    for (size_t i = 0; i < text.size; i++) {
        int byte = text.data[i] == '%' ? encode_hex_byte(slice_from(text, i + 1)) : -1;
        str_append_byte(out, byte >= 0 ? (char)byte : text.data[i]);
        i += byte >= 0 ? 2 : 0;
    }
}

/* charset'language'text; a value without the quotes is text alone. */
static void decode_extended(struct slice value, bool is_first, struct mime_parameter *parameter)
{
    struct slice rest = value;
    struct slice charset = slice_cut(&rest, '\'');
    if (is_first && slice_has(rest, '\'')) {
        slice_cut(&rest, '\'');
        str_append(&parameter->charset, charset);
        value = rest;
    }
    decode_percent(value, &parameter->value);
}

static void append_segment(struct segment *segment, bool is_first, struct mime_parameter *parameter)
{
    if (segment->is_extended)
        decode_extended(str_slice(&segment->value), is_first, parameter);
    else
        str_append(&parameter->value, str_slice(&segment->value));
}

static struct segment *find_segment(struct segments *segments, const struct str *name,
                                    unsigned index, bool is_extended)
{
    for (size_t i = 0; i < segments->count; i++) {
        struct segment *segment = &segments->list[i];
        if (!segment->is_used && segment->index == index && segment->is_extended == is_extended &&
            slice_equal(str_slice(&segment->name), str_slice(name)))
            return segment;
    }
    return NULL;
}

/* "name*=" says most, then segments; "name=" is what older readers are offered. */
static void join(struct segments *segments, struct mime_parameter *parameter)
{
    const struct str *name = &parameter->name;
    struct segment *whole = find_segment(segments, name, SEGMENT_WHOLE, true);
    if (whole) {
        append_segment(whole, true, parameter);
        return;
    }
    for (unsigned index = 0; index < SEGMENTS_MAX; index++) {
        struct segment *part = find_segment(segments, name, index, true);
        if (!part)
            part = find_segment(segments, name, index, false);
        if (!part && index > 0)
            return;
        if (!part)
            break;
        append_segment(part, index == 0, parameter);
    }
    whole = find_segment(segments, name, SEGMENT_WHOLE, false);
    if (whole)
        append_segment(whole, true, parameter);
}

static void mark_used(struct segments *segments, const struct str *name)
{
    for (size_t i = 0; i < segments->count; i++)
        if (slice_equal(str_slice(&segments->list[i].name), str_slice(name)))
            segments->list[i].is_used = true;
}

static bool parameter_is_whole(const struct mime_parameter *parameter)
{
    return !parameter->name.failed && !parameter->value.failed && !parameter->charset.failed;
}

/* How most parameters are: all in one piece, and no other piece has the name. */
static bool is_alone(const struct segments *segments, const struct segment *one)
{
    if (one->index != SEGMENT_WHOLE || one->is_extended)
        return false;
    for (size_t i = 0; i < segments->count; i++)
        if (&segments->list[i] != one &&
            slice_equal(str_slice(&segments->list[i].name), str_slice(&one->name)))
            return false;
    return true;
}

/* Its texts change hands. */
static void take_over(struct segment *segment, struct mime_parameter *parameter)
{
    parameter->name = segment->name;
    parameter->value = segment->value;
    str_init(&segment->name, MIME_FIELD_MAX);
    str_init(&segment->value, MIME_FIELD_MAX);
    segment->is_used = true;
}

static bool join_all(struct segments *segments, struct mime_parameters *parameters)
{
    for (size_t i = 0; i < segments->count; i++) {
        struct segment *segment = &segments->list[i];
        if (segment->is_used || parameters->count == MIME_PARAMETERS_MAX)
            continue;
        struct mime_parameter *parameter = &parameters->list[parameters->count++];
        str_init(&parameter->charset, MIME_FIELD_MAX);
        if (is_alone(segments, segment)) {
            take_over(segment, parameter);
            continue;
        }
        str_init(&parameter->name, MIME_FIELD_MAX);
        str_init(&parameter->value, MIME_FIELD_MAX);
        str_append(&parameter->name, str_slice(&segment->name));
        join(segments, parameter);
        mark_used(segments, &parameter->name);
        if (!parameter_is_whole(parameter))
            return false;
    }
    return true;
}

static void segments_free(struct segments *segments)
{
    for (size_t i = 0; i < segments->count; i++) {
        str_free(&segments->list[i].name);
        str_free(&segments->list[i].value);
    }
    free(segments->list);
}

/* ---- public --------------------------------------------------------------------------------- */

bool mime_parse_parameters(struct slice field, struct mime_parameters *parameters)
{
    *parameters = (struct mime_parameters){0};
    str_init(&parameters->value, MIME_FIELD_MAX);
    struct slice rest = slice_part(field, 0, MIME_FIELD_MAX);
    cut_value(&rest, &parameters->value);
    if (rest.size == 0 && !parameters->value.failed)
        return true;
    struct segments segments = {.count = 0};
    for (mailspace_skip(&rest); rest.size > 0 && segments.count < SEGMENTS_MAX && !segments.failed;
         mailspace_skip(&rest))
        segment_parse(&rest, &segments);
    bool done = !segments.failed && !parameters->value.failed;
    if (done && segments.count > 0) {
        size_t most = segments.count < MIME_PARAMETERS_MAX ? segments.count : MIME_PARAMETERS_MAX;
        parameters->list = calloc(most, sizeof *parameters->list);
        done = parameters->list && join_all(&segments, parameters);
    }
    segments_free(&segments);
    if (!done)
        mime_free_parameters(parameters);
    return done;
}

void mime_free_parameters(struct mime_parameters *parameters)
{
    for (size_t i = 0; i < parameters->count; i++) {
        str_free(&parameters->list[i].name);
        str_free(&parameters->list[i].value);
        str_free(&parameters->list[i].charset);
    }
    free(parameters->list);
    str_free(&parameters->value);
    parameters->list = NULL;
    parameters->count = 0;
}

const struct mime_parameter *mime_parameter(const struct mime_parameters *parameters,
                                            const char *name)
{
    for (size_t i = 0; i < parameters->count; i++)
        if (slice_equal_nocase(str_slice(&parameters->list[i].name), slice_text(name)))
            return &parameters->list[i];
    return NULL;
}
