/* header - see header.h */
#include "header.h"

#include <string.h>

void header_init(struct header *header, header_write *write, void *owner, const char *date,
                 const char *message_id)
{
    *header = (struct header){.write = write, .owner = owner, .completes = date && message_id};
    if (!header->completes)
        return;
    header->completes =
        slice_copy_text(slice_text(date), header->date, sizeof header->date) &&
        slice_copy_text(slice_text(message_id), header->message_id, sizeof header->message_id);
}

static void pass(struct header *header, struct slice bytes)
{
    if (bytes.size > 0)
        header->write(header->owner, bytes);
}

static void pass_held(struct header *header)
{
    pass(header, slice_of(header->held, header->held_size));
    header->held_size = 0;
}

static void end_section(struct header *header, bool has_empty_line)
{
    header->place = HEADER_ENDED;
    if (header->completes && !header->has_date)
        pass(header, slice_text(header->date));
    if (header->completes && !header->has_message_id)
        pass(header, slice_text(header->message_id));
    /* Else the text would be read as part of the header that begins with our Received field. */
    if (!has_empty_line)
        pass(header, SLICE("\r\n"));
    pass_held(header);
}

static void note_field(struct header *header, struct slice name)
{
    if (slice_equal_nocase(name, SLICE("received")) ||
        slice_equal_nocase(name, SLICE("delivered-to")))
        header->received++;
    else if (slice_equal_nocase(name, SLICE("date")))
        header->has_date = true;
    else if (slice_equal_nocase(name, SLICE("message-id")))
        header->has_message_id = true;
}

enum line_kind { LINE_UNDECIDED, LINE_EMPTY, LINE_FIELD, LINE_FOLDED, LINE_OTHER };

static bool is_name_byte(char byte)
{
    return byte > ' ' && byte < 0x7f && byte != ':';
}

/* RFC 5322 2.2; with blanks before the colon, as its section 4.5 has it. */
static enum line_kind kind_of(struct slice line, struct slice *name)
{
    if (line.data[0] == ' ' || line.data[0] == '\t')
        return LINE_FOLDED;
    if (line.data[0] == '\r')
        return line.size < 2 ? LINE_UNDECIDED : line.data[1] == '\n' ? LINE_EMPTY : LINE_OTHER;
    size_t end = 0;
    while (end < line.size && is_name_byte(line.data[end]))
        end++;
    *name = slice_part(line, 0, end);
    while (end < line.size && (line.data[end] == ' ' || line.data[end] == '\t'))
        end++;
    if (end < line.size)
        return line.data[end] == ':' && name->size > 0 ? LINE_FIELD : LINE_OTHER;
    return line.size < HEADER_NAME_MAX ? LINE_UNDECIDED : LINE_OTHER;
}

/* What a mailbox file has in front of a message, and some clients send: no field, and no end. */
static bool is_mbox_line(struct slice line)
{
    return slice_starts(line, SLICE("From ")) || slice_starts(line, SLICE(">From "));
}

static void decide(struct header *header)
{
    struct slice line = slice_of(header->held, header->held_size);
    struct slice name = SLICE("");
    enum line_kind kind = kind_of(line, &name);
    if (kind == LINE_UNDECIDED)
        return;
    bool is_other =
        (kind == LINE_OTHER && !is_mbox_line(line)) || (kind == LINE_FOLDED && !header->has_line);
    if (kind == LINE_EMPTY || is_other) {
        end_section(header, kind == LINE_EMPTY);
        return;
    }
    if (kind == LINE_FIELD)
        note_field(header, name);
    header->place = HEADER_IN_FIELD;
    header->has_line = true;
    pass_held(header);
}

void header_take(struct header *header, struct slice bytes)
{
    while (bytes.size > 0 && header->place != HEADER_ENDED) {
        if (header->place == HEADER_LINE_START) {
            header->held[header->held_size++] = bytes.data[0];
            bytes = slice_from(bytes, 1);
            header->size++;
            decide(header);
            continue;
        }
        size_t end = slice_find(bytes, '\n');
        if (end < bytes.size) {
            end++;
            header->place = HEADER_LINE_START;
        }
        header->size += end;
        pass(header, slice_part(bytes, 0, end));
        bytes = slice_from(bytes, end);
    }
    pass(header, bytes);
}

void header_finish(struct header *header)
{
    /* A message may end without an empty line: then it is all header. */
    if (header->place != HEADER_ENDED)
        end_section(header, header->held_size == 0);
}
