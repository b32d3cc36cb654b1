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
static bool made_or(struct fetch_job *job, bool made, const char *otherwise)
{
    if (made)
        return true;
    str_clear(&job->scratch);
    return str_append_text(&job->scratch, otherwise);
}

#define STRUCTURE_PLAIN "(\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 0)"
#define STRUCTURE_EXTENDED                                                                         \
    "(\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 0 NIL NIL NIL NIL)"

static bool make_structure_as(struct fetch_job *job, unsigned form, const char *otherwise)
{
    struct slice whole;
    const struct mime_part *root = source_root(&job->source);
    if (!root || !source_whole(&job->source, &whole))
        return false;
    return made_or(job, bodystructure_append(&job->scratch, whole, root, form), otherwise);
}

/* What is kept is the form of RFC 3501. */
static bool make_structure(struct fetch_job *job)
{
    return make_structure_as(job, BODYSTRUCTURE_EXTENDED, STRUCTURE_EXTENDED);
}

static bool make_envelope(struct fetch_job *job)
{
    struct slice header;
    if (!source_header(&job->source, &header))
        return false;
    return made_or(job, imapenvelope_append(&job->scratch, header),
                   "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
}

/* A fact that is kept as it goes on the wire. */
static bool write_fact(struct fetch_job *job, const struct fetch_item *item)
{
    struct slice bytes;
    if (!fetch_fact(job, item->kind, &bytes))
        return false;
    str_append_text(job->out, item->kind->name);
    str_append_byte(job->out, ' ');
    return str_append(job->out, bytes);
}

static unsigned structure_form(const struct fetch_job *job)
{
    return job->session->enabled & ENABLED_REV2 ? BODYSTRUCTURE_REV2 : BODYSTRUCTURE_PLAIN;
}

/* The few that have another form in IMAP4rev2 are made anew for it. One that has vanished since it was
 * looked for is a plain one. */
static bool write_structure(struct fetch_job *job, const struct fetch_item *item)
{
    struct slice bytes;
    unsigned form = structure_form(job);
    if (!fetch_fact(job, item->kind, &bytes))
        return false;
    if (form == BODYSTRUCTURE_REV2 && bodystructure_has_forms(bytes)) {
        str_clear(&job->scratch);
        if (!make_structure_as(job, form | BODYSTRUCTURE_EXTENDED, STRUCTURE_EXTENDED))
            (void)made_or(job, false, STRUCTURE_EXTENDED);
        bytes = str_slice(&job->scratch);
    }
    str_append_text(job->out, "BODYSTRUCTURE ");
    return str_append(job->out, bytes);
}

/* BODY, which clients of today don't ask for, and nobody keeps. */
static bool write_body_plain(struct fetch_job *job, const struct fetch_item *item)
{
    (void)item;
    str_clear(&job->scratch);
    if (!make_structure_as(job, structure_form(job), STRUCTURE_PLAIN))
        return false;
    str_append_text(job->out, "BODY ");
    return str_append(job->out, str_slice(&job->scratch));
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

/* RFC 8514: NIL where nobody knows. */
static bool write_save_date(struct fetch_job *job, const struct fetch_item *item)
{
    int64_t date = mailbox_save_date(job->session->mailbox, fetch_message(job));
    (void)item;
    if (date <= 0)
        return str_append_text(job->out, "SAVEDATE NIL");
    str_append_text(job->out, "SAVEDATE \"");
    return maildate_format_imap(job->out, date) && str_append_byte(job->out, '"');
}

/* "BODY": BODYSTRUCTURE without extension data; the parser puts it in the place of BODY[...]. */
static const struct fetch_kind body_plain = {
    .name = "BODY", .write = write_body_plain, .need = FETCH_NEEDS_WHOLE};

static bool parse_body(struct parse *parse, struct fetch_item *item)
{
    if (parse_peek(parse) == '[')
        return fetchbody_parse(parse, item);
    *item = (struct fetch_item){.kind = &body_plain, .need = body_plain.need};
    return true;
}

/* RFC822 and its kin are sections under an older name, which RFC 9051 has no more; clients of
 * RFC 3501 on the same server do. */
/* clang-format off */
static const struct fetch_kind kinds[] = {
    {.name = "BINARY", .parse = fetchbinary_parse, .check = fetchbinary_check,
     .write = fetchbinary_write, .need = FETCH_NEEDS_WHOLE, .reads = true, .capability = "BINARY"},
    {.name = "BINARY.PEEK", .parse = fetchbinary_parse, .check = fetchbinary_check,
     .write = fetchbinary_write, .need = FETCH_NEEDS_WHOLE, .capability = "BINARY"},
    {.name = "BINARY.SIZE", .parse = fetchbinary_parse_size, .check = fetchbinary_check,
     .write = fetchbinary_write_size, .need = FETCH_NEEDS_WHOLE, .capability = "BINARY"},
    {.name = "BODY", .parse = parse_body, .write = fetchbody_write, .need = FETCH_NEEDS_WHOLE,
     .reads = true},
    {.name = "BODY.PEEK", .parse = fetchbody_parse, .write = fetchbody_write,
     .need = FETCH_NEEDS_WHOLE},
    {.name = "BODYSTRUCTURE", .write = write_structure, .need = FETCH_NEEDS_WHOLE,
     .fact = MAILBOX_BODYSTRUCTURE, .make = make_structure},
    {.name = "EMAILID", .write = fetchobject_write_email, .capability = "OBJECTID"},
    {.name = "ENVELOPE", .write = write_fact, .need = FETCH_NEEDS_HEADER,
     .fact = MAILBOX_ENVELOPE, .make = make_envelope},
    {.name = "FLAGS", .write = write_flags},
    {.name = "INTERNALDATE", .write = write_date},
    {.name = "MODSEQ", .write = fetchobject_write_modseq, .capability = "CONDSTORE"},
    {.name = "PREVIEW", .parse = fetchpreview_parse, .write = fetchpreview_write,
     .need = FETCH_NEEDS_FILE, .fact = MAILBOX_PREVIEW, .make = fetchpreview_make,
     .capability = "PREVIEW"},
    {.name = "RFC822", .write = fetchbody_write, .need = FETCH_NEEDS_FILE, .reads = true,
     .section = SECTION_ALL},
    {.name = "RFC822.HEADER", .write = fetchbody_write, .need = FETCH_NEEDS_HEADER,
     .section = SECTION_HEADER},
    {.name = "RFC822.SIZE", .write = write_size, .need = FETCH_NEEDS_SIZE},
    {.name = "RFC822.TEXT", .write = fetchbody_write, .need = FETCH_NEEDS_WHOLE, .reads = true,
     .section = SECTION_TEXT},
    {.name = "SAVEDATE", .write = write_save_date, .capability = "SAVEDATE"},
    {.name = "THREADID", .write = fetchobject_write_thread, .need = FETCH_NEEDS_HEADER,
     .fact = MAILBOX_KEYS, .make = fetchobject_make_keys, .capability = "OBJECTID"},
    {.name = "UID", .write = write_uid},
};
/* clang-format on */

const struct fetch_kind *fetch_kind(struct slice name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_equal_nocase(name, slice_text(kinds[i].name)))
            return &kinds[i];
    return NULL;
}
