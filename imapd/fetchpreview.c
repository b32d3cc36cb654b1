/* fetchpreview - PREVIEW and PREVIEW (LAZY): the beginning of a message's text (RFC 8970) */
#include "fetch.h"
#include "preview.h"
#include "quote.h"

/* LAZY lets the server say NIL where making a preview takes long: it never does here. */
bool fetchpreview_parse(struct parse *parse, struct fetch_item *item)
{
    struct parse ahead = *parse;
    (void)item;
    if (!parse_space(&ahead) || !parse_byte(&ahead, '('))
        return true;
    if (!parse_word(&ahead, "LAZY") || !parse_byte(&ahead, ')'))
        return false;
    *parse = ahead;
    return true;
}

bool fetchpreview_make(struct fetch_job *job)
{
    if (!source_open(&job->source))
        return false;
    uint64_t whole = job->source.size;
    size_t size = whole < PREVIEW_READ_MAX ? (size_t)whole : PREVIEW_READ_MAX;
    str_clear(&job->fields);
    char *room = size > 0 ? str_reserve(&job->fields, size) : NULL;
    if (size > 0 && (!room || !source_read(&job->source, 0, room, size)))
        return false;
    str_added(&job->fields, size);
    preview_append(&job->scratch, str_slice(&job->fields));
    return true;
}

bool fetchpreview_write(struct fetch_job *job, const struct fetch_item *item)
{
    struct slice text;
    if (!fetch_fact(job, item->kind, &text))
        return false;
    str_append_text(job->out, "PREVIEW ");
    return quote_string(job->out, text);
}
