/* reader - see reader.h */
#include "reader.h"

#include "parse.h"

size_t reader_input_max(const struct reader_limits *limits)
{
    return limits->line + STREAM_INPUT_SIZE;
}

void reader_init(struct reader *reader, struct stream *stream, const struct reader_limits *limits,
                 reader_takes *takes, void *owner)
{
    *reader = (struct reader){.stream = stream, .limits = *limits, .takes = takes, .owner = owner};
    str_init(&reader->text, limits->command);
}

void reader_free(struct reader *reader)
{
    str_free(&reader->text);
}

static enum reader_result gone(struct reader *reader, enum stream_result result)
{
    reader->stream_result = result;
    return READER_GONE;
}

static enum reader_result refuse(struct reader *reader, const char *why)
{
    reader->why = why;
    return READER_REFUSED;
}

static enum reader_result closing(struct reader *reader, const char *why)
{
    reader->why = why;
    return READER_CLOSING;
}

static enum reader_result line_too_long(struct reader *reader)
{
    /* Only a first line has the tag; later ones follow it in `text`. */
    if (reader->text.size == 0)
        str_append(&reader->text,
                   slice_part(stream_pending(reader->stream), 0, READER_TAG_MAX + 1));
    enum stream_result skipped = stream_skip_line(reader->stream);
    return skipped == STREAM_OK ? refuse(reader, "Line too long") : gone(reader, skipped);
}

/* Reads a literal's bytes behind `text`. */
static enum reader_result read_literal(struct reader *reader, size_t size)
{
    while (size > 0) {
        struct slice bytes;
        enum stream_result result = stream_bytes(reader->stream, size, &bytes);
        if (result != STREAM_OK)
            return gone(reader, result);
        if (!str_append(&reader->text, bytes))
            return closing(reader, "Out of memory");
        size -= bytes.size;
    }
    return READER_COMMAND;
}

/* Only a literal8, "~{5}", may hold NULs (RFC 3516 4.4, RFC 5464 5). */
static void look_for_nul(struct reader *reader, size_t start, bool is_literal8)
{
    reader->has_nul |= !is_literal8 && slice_has(slice_from(str_slice(&reader->text), start), '\0');
}

static enum reader_result literal_too_long(struct reader *reader)
{
    if (!reader->literal.waits)
        return closing(reader, "Literal too large");
    reader->too_big = true;
    return refuse(reader, "Literal too large");
}

/* A literal that goes into memory. */
static enum reader_result take_literal(struct reader *reader)
{
    const struct literal *literal = &reader->literal;
    size_t room = reader->limits.command - reader->text.size;
    if (literal->too_long || literal->size > reader->limits.literal || literal->size > room)
        return literal_too_long(reader);
    size_t start = reader->text.size;
    reader_accept(reader);
    enum reader_result result = read_literal(reader, (size_t)literal->size);
    look_for_nul(reader, start, literal->is_binary);
    return result;
}

static enum reader_result whole_command(struct reader *reader)
{
    str_truncate(&reader->text, slice_without_line_end(str_slice(&reader->text)).size);
    if (reader->has_nul)
        return refuse(reader, "NUL in command");
    return READER_COMMAND;
}

/* Reads on, line by line, till the command is whole. */
static enum reader_result read_lines(struct reader *reader)
{
    for (;;) {
        struct slice line;
        enum stream_result read = stream_line(reader->stream, reader->limits.line, &line);
        if (read == STREAM_TOO_LONG)
            return line_too_long(reader);
        if (read != STREAM_OK)
            return gone(reader, read);
        bool announces = literal_at_end(line, &reader->literal);
        size_t start = reader->text.size;
        if (!str_append(&reader->text, line)) {
            /* The bytes of an announced literal would come as commands. */
            if (announces && !reader->literal.waits)
                return closing(reader, "Command too long");
            return refuse(reader, "Command too long");
        }
        look_for_nul(reader, start, false);
        if (!announces)
            return whole_command(reader);
        reader->literal.start += start;
        if (reader->takes && reader->takes(str_slice(&reader->text), reader->owner))
            return READER_MESSAGE;
        enum reader_result taken = take_literal(reader);
        if (taken != READER_COMMAND)
            return taken;
    }
}

enum reader_result reader_next(struct reader *reader)
{
    str_clear(&reader->text);
    reader->has_nul = false;
    reader->too_big = false;
    reader->why = "";
    return read_lines(reader);
}

void reader_accept(struct reader *reader)
{
    if (reader->literal.waits)
        stream_write_text(reader->stream, "+ OK\r\n");
}

enum reader_result reader_finish(struct reader *reader)
{
    str_clear(&reader->text);
    reader->has_nul = false;
    return read_lines(reader);
}

struct slice reader_tag(struct slice text)
{
    struct parse parse;
    struct slice tag;
    parse_begin(&parse, text, NULL);
    if (!parse_tag(&parse, &tag) || (parse_peek(&parse) != ' ' && !parse_at_end(&parse)) ||
        tag.size > READER_TAG_MAX)
        return SLICE("*");
    return tag;
}
