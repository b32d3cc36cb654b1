/* fetchbody - BODY[...], BODY.PEEK[...] and their older names (RFC 3501 6.4.5, 7.4.2) */
#include "fetch.h"
#include "quote.h"

#include <errno.h>

bool fetchbody_parse_partial(struct parse *parse, struct fetch_item *item)
{
    uint64_t offset, length;
    if (!parse_byte(parse, '<'))
        return true;
    if (!parse_number(parse, INT64_MAX, &offset) || !parse_byte(parse, '.') ||
        !parse_number(parse, INT64_MAX, &length) || length == 0 || !parse_byte(parse, '>'))
        return false;
    item->is_partial = true;
    item->offset = offset;
    item->length = length;
    return true;
}

static enum fetch_need need_of(const struct section *section)
{
    if (section->depth > 0 || section->kind == SECTION_TEXT)
        return FETCH_NEEDS_WHOLE;
    return section->kind == SECTION_ALL ? FETCH_NEEDS_FILE : FETCH_NEEDS_HEADER;
}

bool fetchbody_parse(struct parse *parse, struct fetch_item *item)
{
    if (!parse_byte(parse, '[') || !section_parse(parse, &item->section) ||
        !fetchbody_parse_partial(parse, item))
        return false;
    item->need = need_of(&item->section);
    return true;
}

void fetchbody_append_offset(struct str *out, const struct fetch_item *item)
{
    if (item->is_partial) {
        str_append_byte(out, '<');
        str_append_number(out, item->offset);
        str_append_byte(out, '>');
    }
    str_append_byte(out, ' ');
}

static void append_label(struct str *out, const struct fetch_item *item)
{
    if (item->kind->name[0] == 'R') { /* RFC822 and its like */
        str_append_text(out, item->kind->name);
    } else {
        str_append_text(out, "BODY[");
        section_append(out, &item->section);
        str_append_byte(out, ']');
    }
    fetchbody_append_offset(out, item);
}

struct slice fetchbody_cut(const struct fetch_item *item, struct slice bytes)
{
    return item->is_partial ? slice_part(slice_from(bytes, item->offset), 0, item->length) : bytes;
}

/* No NUL may be in a literal (RFC 3501 9, CHAR8): it becomes 0x80. */
static void replace_nul(char *bytes, size_t size)
{
    struct slice rest = slice_of(bytes, size);
    for (size_t at; (at = slice_find(rest, '\0')) < rest.size; rest = slice_from(rest, at + 1))
        bytes[(size_t)(rest.data - bytes) + at] = (char)0x80;
}

/* The literal's data, from memory. */
static void write_bytes(struct fetch_job *job, struct slice bytes)
{
    while (bytes.size > 0) {
        size_t end = slice_find(bytes, '\0');
        stream_write(&job->session->stream, slice_part(bytes, 0, end));
        if (end < bytes.size)
            stream_write(&job->session->stream, SLICE("\x80"));
        bytes = slice_from(bytes, end + 1);
    }
}

static bool append_bytes(struct fetch_job *job, const struct fetch_item *item, struct slice bytes)
{
    append_label(job->out, item);
    bytes = fetchbody_cut(item, bytes);
    quote_literal_head(job->out, bytes.size);
    fetch_send_so_far(job);
    write_bytes(job, bytes);
    return true;
}

/* BODY[]: from the file straight into the output, and of a part only that part. */
static bool append_file(struct fetch_job *job, const struct fetch_item *item)
{
    struct stream *stream = &job->session->stream;
    if (!source_open(&job->source)) /* its size isn't known yet when a header was read before */
        return false;
    uint64_t offset = 0, left = job->source.size;
    if (item->is_partial) {
        offset = item->offset < left ? item->offset : left;
        left = item->length < left - offset ? item->length : left - offset;
    }
    append_label(job->out, item);
    quote_literal_head(job->out, left);
    fetch_send_so_far(job);
    while (left > 0) {
        size_t room;
        char *at = stream_room(stream, left < SIZE_MAX ? (size_t)left : SIZE_MAX, &room);
        if (!at)
            return true; /* the stream knows */
        if (!source_read(&job->source, offset, at, room))
            return false;
        replace_nul(at, room);
        stream_wrote(stream, room);
        offset += room;
        left -= room;
    }
    return true;
}

/* The section's bytes; found false: there is no such part. False with errno: not readable. */
static bool find_section(struct fetch_job *job, const struct fetch_item *item, struct slice *bytes,
                         bool *found)
{
    const struct section *section = &item->section;
    struct slice whole;
    *found = true;
    if (item->need == FETCH_NEEDS_HEADER)
        return source_header(&job->source, bytes);
    const struct mime_part *root = NULL;
    if (section_needs_parts(section) && !(root = source_root(&job->source)))
        return false;
    if (!source_whole(&job->source, &whole))
        return false;
    *found = section_find(section, whole, root, bytes);
    return true;
}

static bool append_fields(struct fetch_job *job, const struct fetch_item *item, struct slice header)
{
    str_clear(&job->fields);
    bool done = section_filter(&item->section, header, &job->fields);
    if (done)
        append_bytes(job, item, str_slice(&job->fields));
    else
        errno = ENOMEM;
    return done;
}

bool fetchbody_write(struct fetch_job *job, const struct fetch_item *item)
{
    struct slice bytes;
    bool found;
    if (item->need == FETCH_NEEDS_FILE)
        return append_file(job, item);
    if (!find_section(job, item, &bytes, &found))
        return false;
    if (!found) {
        append_label(job->out, item);
        return str_append_text(job->out, "NIL");
    }
    if (item->section.field_count > 0)
        return append_fields(job, item, bytes);
    return append_bytes(job, item, bytes);
}
