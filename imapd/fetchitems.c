/* fetchitems - the items of FETCH and who answers them, see fetch.h */
#include "bodystructure.h"
#include "fetch.h"
#include "flags.h"
#include "imapenvelope.h"
#include "maildate.h"

struct mailbox_message *fetch_message(const struct fetch_job *job)
{
    return &job->session->mailbox->messages[job->source.index];
}

/* What is made out of a message can be many times its size, and the sender chose the message: an
 * answer that becomes too long is replaced by a plain one, so that the mailbox stays usable. */
static bool append_or(struct fetch_job *job, bool made, const char *otherwise)
{
    bool done = made ? str_append(job->out, str_slice(&job->scratch))
                     : str_append_text(job->out, otherwise);
    str_clear(&job->scratch);
    return done;
}

static bool write_structure(struct fetch_job *job, const struct fetch_item *item)
{
    struct slice whole;
    bool extended = item->kind->name[4] != '\0'; /* BODYSTRUCTURE, or BODY */
    const struct mime_part *root = source_root(&job->source);
    if (!root || !source_whole(&job->source, &whole))
        return false;
    str_append_text(job->out, extended ? "BODYSTRUCTURE " : "BODY ");
    bool made = bodystructure_append(&job->scratch, whole, root, extended);
    return append_or(job, made,
                     extended ? "(\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 0 NIL "
                                "NIL NIL NIL)"
                              : "(\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 0)");
}

static bool write_envelope(struct fetch_job *job, const struct fetch_item *item)
{
    struct slice header;
    (void)item;
    if (!source_header(&job->source, &header))
        return false;
    str_append_text(job->out, "ENVELOPE ");
    bool made = imapenvelope_append(&job->scratch, header);
    return append_or(job, made, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
}

static bool write_flags(struct fetch_job *job, const struct fetch_item *item)
{
    struct mailbox_message *message = fetch_message(job);
    (void)item;
    str_append_text(job->out, "FLAGS ");
    flags_append(job->out, job->session->mailbox, message->flags, message->keywords,
                 imapsession_shows_recent(job->session, message->recent));
    message->changed = false;
    return !job->out->failed;
}

static bool write_date(struct fetch_job *job, const struct fetch_item *item)
{
    (void)item;
    str_append_text(job->out, "INTERNALDATE \"");
    return maildate_format_imap(job->out, fetch_message(job)->date) &&
           str_append_byte(job->out, '"');
}

static bool write_size(struct fetch_job *job, const struct fetch_item *item)
{
    uint64_t size;
    (void)item;
    if (!mailbox_crlf_size(job->session->mailbox, fetch_message(job), &size))
        return false;
    str_append_text(job->out, "RFC822.SIZE ");
    return str_append_number(job->out, size);
}

static bool write_uid(struct fetch_job *job, const struct fetch_item *item)
{
    (void)item;
    str_append_text(job->out, "UID ");
    return str_append_number(job->out, fetch_message(job)->uid);
}

/* "BODY": BODYSTRUCTURE without extension data; the parser puts it in the place of BODY[...]. */
static const struct fetch_kind body_plain = {
    .name = "BODY", .write = write_structure, .need = FETCH_NEEDS_WHOLE};

static bool parse_body(struct parse *parse, struct fetch_item *item)
{
    if (parse_peek(parse) == '[')
        return fetchbody_parse(parse, item);
    *item = (struct fetch_item){.kind = &body_plain, .need = body_plain.need};
    return true;
}

/* RFC822 and its kin are sections under an older name, which RFC 9051 has no more; clients of
 * RFC 3501 on the same server do. */
static const struct fetch_kind kinds[] = {
    {"BINARY", fetchbinary_parse, fetchbinary_check, fetchbinary_write, FETCH_NEEDS_WHOLE, true, 0},
    {"BINARY.PEEK", fetchbinary_parse, fetchbinary_check, fetchbinary_write, FETCH_NEEDS_WHOLE,
     false, 0},
    {"BINARY.SIZE", fetchbinary_parse_size, fetchbinary_check, fetchbinary_write_size,
     FETCH_NEEDS_WHOLE, false, 0},
    {"BODY", parse_body, NULL, fetchbody_write, FETCH_NEEDS_WHOLE, true, 0},
    {"BODY.PEEK", fetchbody_parse, NULL, fetchbody_write, FETCH_NEEDS_WHOLE, false, 0},
    {"BODYSTRUCTURE", NULL, NULL, write_structure, FETCH_NEEDS_WHOLE, false, 0},
    {"ENVELOPE", NULL, NULL, write_envelope, FETCH_NEEDS_HEADER, false, 0},
    {"FLAGS", NULL, NULL, write_flags, FETCH_NEEDS_NOTHING, false, 0},
    {"INTERNALDATE", NULL, NULL, write_date, FETCH_NEEDS_NOTHING, false, 0},
    {"PREVIEW", fetchpreview_parse, NULL, fetchpreview_write, FETCH_NEEDS_FILE, false, 0},
    {"RFC822", NULL, NULL, fetchbody_write, FETCH_NEEDS_FILE, true, SECTION_ALL},
    {"RFC822.HEADER", NULL, NULL, fetchbody_write, FETCH_NEEDS_HEADER, false, SECTION_HEADER},
    {"RFC822.SIZE", NULL, NULL, write_size, FETCH_NEEDS_SIZE, false, 0},
    {"RFC822.TEXT", NULL, NULL, fetchbody_write, FETCH_NEEDS_WHOLE, true, SECTION_TEXT},
    {"UID", NULL, NULL, write_uid, FETCH_NEEDS_NOTHING, false, 0},
};

const struct fetch_kind *fetch_kind(struct slice name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_equal_nocase(name, slice_text(kinds[i].name)))
            return &kinds[i];
    return NULL;
}
