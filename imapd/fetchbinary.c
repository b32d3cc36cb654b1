/* fetchbinary - BINARY[n], BINARY.PEEK[n], BINARY.SIZE[n]: parts without their transfer encoding
 * (RFC 3516 4.2, RFC 9051 6.4.5) */
#include "fetch.h"
#include "headerlex.h"
#include "quote.h"

#include <errno.h>

/* Only part numbers stand between the brackets. */
static bool parse_section(struct parse *parse, struct fetch_item *item)
{
    return parse_byte(parse, '[') && section_parse(parse, &item->section) &&
           item->section.kind == SECTION_ALL;
}

bool fetchbinary_parse(struct parse *parse, struct fetch_item *item)
{
    return parse_section(parse, item) && fetchbody_parse_partial(parse, item);
}

bool fetchbinary_parse_size(struct parse *parse, struct fetch_item *item)
{
    return parse_section(parse, item);
}

/* The field's first word; empty when there is none. */
static bool encoding_is(struct slice field, const char *const *names, size_t count)
{
    struct headerlex lex;
    bool is_listed = false;
    headerlex_begin(&lex, field, ";=");
    if (headerlex_next(&lex) == HEADERLEX_WORD)
        for (size_t i = 0; i < count; i++)
            is_listed |= slice_equal_nocase(str_slice(&lex.text), slice_text(names[i]));
    headerlex_end(&lex);
    return is_listed;
}

/* The Content-Transfer-Encoding of a leaf; what holds other parts has none (RFC 2045 6.4). */
static struct slice encoding_of(struct slice whole, const struct mime_part *part)
{
    struct slice field = SLICE("");
    if (part && !part->is_multipart && !part->is_message)
        mime_find_field(slice_part(whole, part->header, part->header_size),
                        "Content-Transfer-Encoding", &field);
    return slice_trim(field);
}

/* The part that the item names, and its bytes. False with errno. */
static bool find(struct fetch_job *job, const struct fetch_item *item, struct slice *bytes,
                 struct slice *encoding, bool *found)
{
    struct slice whole;
    const struct mime_part *root = source_root(&job->source);
    if (!root || !source_whole(&job->source, &whole))
        return false;
    *found = section_find(&item->section, whole, root, bytes);
    *encoding = SLICE("");
    if (*found && section_needs_parts(&item->section))
        *encoding = encoding_of(whole, section_part(&item->section, root));
    return true;
}

enum answer fetchbinary_check(struct fetch_job *job, struct fetch_item *item)
{
    static const char *const known[] = {"7bit", "8bit", "binary", "base64", "quoted-printable"};
    struct slice bytes, encoding;
    bool found;
    if (!find(job, item, &bytes, &encoding, &found))
        return errno == ENOENT ? ANSWER_MESSAGE_GONE : ANSWER_TROUBLE;
    bool is_known =
        encoding.size == 0 || encoding_is(encoding, known, sizeof known / sizeof *known);
    return is_known ? ANSWER_DONE : ANSWER_UNKNOWN_CTE;
}

/* Decodes into memory of the job where there is something to decode. False with errno. */
static bool decode(struct fetch_job *job, const struct fetch_item *item, struct slice *bytes,
                   bool *found)
{
    static const char *const encoded[] = {"base64", "quoted-printable"};
    struct slice encoding;
    if (!find(job, item, bytes, &encoding, found))
        return false;
    if (!encoding_is(encoding, encoded, sizeof encoded / sizeof *encoded))
        return true;
    str_clear(&job->fields);
    errno = ENOMEM;
    if (!mime_decode_body(*bytes, encoding, &job->fields))
        return false;
    *bytes = str_slice(&job->fields);
    return true;
}

static void append_label(struct fetch_job *job, const struct fetch_item *item, const char *name)
{
    str_append_text(job->out, name);
    str_append_byte(job->out, '[');
    section_append(job->out, &item->section);
    str_append_byte(job->out, ']');
}

bool fetchbinary_write(struct fetch_job *job, const struct fetch_item *item)
{
    struct slice bytes;
    bool found;
    if (!decode(job, item, &bytes, &found))
        return false;
    append_label(job, item, "BINARY");
    fetchbody_append_offset(job->out, item);
    if (!found)
        return str_append_text(job->out, "NIL");
    bytes = fetchbody_cut(item, bytes);
    /* Only a literal8 may hold a NUL; clients know the plain form better. */
    if (slice_has(bytes, '\0'))
        str_append_byte(job->out, '~');
    quote_literal_head(job->out, bytes.size);
    fetch_send_so_far(job);
    stream_write(&job->session->stream, bytes);
    str_clear(&job->fields);
    return true;
}

bool fetchbinary_write_size(struct fetch_job *job, const struct fetch_item *item)
{
    struct slice bytes;
    bool found;
    if (!decode(job, item, &bytes, &found))
        return false;
    append_label(job, item, "BINARY.SIZE");
    str_append_byte(job->out, ' ');
    str_append_number(job->out, found ? bytes.size : 0);
    str_clear(&job->fields);
    return true;
}
