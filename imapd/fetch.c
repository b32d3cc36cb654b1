/* fetch - FETCH and UID FETCH */
#include "fetch.h"

#include "bodystructure.h"
#include "flags.h"
#include "imapcommand.h"
#include "imapenvelope.h"
#include "maildate.h"
#include "pick.h"
#include "quote.h"
#include "source.h"

#include <errno.h>

enum {
    FETCH_ANSWER_MAX = 16 * 1048576, /* bytes of one ENVELOPE or BODYSTRUCTURE */
    FETCH_COLLECT_MAX = 65536,       /* a line is sent on when it has become so long */
};

/* One message of a FETCH. */
struct fetch_job {
    struct imapsession *session;
    const struct fetch_request *request;
    size_t index;
    struct source source;
    bool tells_flags; /* FLAGS go out although nobody asked: \Seen was set */
};

/* Writes bytes of a literal. No NUL may be in one: RFC 3501 9, CHAR8. */
static void write_bytes(struct imapsession *session, struct slice bytes)
{
    while (bytes.size > 0) {
        size_t end = slice_find(bytes, '\0');
        stream_write(&session->stream, slice_part(bytes, 0, end));
        if (end < bytes.size)
            stream_write(&session->stream, SLICE("\x80"));
        bytes = slice_from(bytes, end + 1);
    }
}

/* Sends what is collected of the line so far, to go on with a literal from elsewhere. */
static void send_so_far(struct imapsession *session)
{
    stream_write(&session->stream, str_slice(&session->out));
    str_clear(&session->out);
}

static void append_label(struct str *out, const struct fetch_item *item)
{
    if (item->label) {
        str_append_text(out, item->label);
    } else {
        str_append_text(out, "BODY[");
        section_append(out, &item->section);
        str_append_byte(out, ']');
    }
    if (item->is_partial)
        str_format(out, "<%lu>", (unsigned long)item->offset);
    str_append_byte(out, ' ');
}

static void append_bytes(struct imapsession *session, const struct fetch_item *item,
                         struct slice bytes)
{
    append_label(&session->out, item);
    if (item->is_partial)
        bytes = slice_part(slice_from(bytes, item->offset), 0, item->length);
    quote_literal_head(&session->out, bytes.size);
    send_so_far(session);
    write_bytes(session, bytes);
}

/* The section's bytes; found false: there is no such part. False with errno: not readable. */
static bool find_section(struct fetch_job *job, const struct fetch_item *item, struct slice *bytes,
                         bool *found)
{
    const struct mime_part *root = NULL;
    struct slice whole;
    if (!source_whole(&job->source, &whole))
        return false;
    if (section_needs_parts(&item->section)) {
        root = source_root(&job->source);
        if (!root)
            return false;
    }
    *found = section_find(&item->section, whole, root, bytes);
    return true;
}

static bool append_fields(struct fetch_job *job, const struct fetch_item *item, struct slice header)
{
    struct str fields;
    str_init(&fields, IMAPSESSION_READ_MAX);
    bool done = section_filter(&item->section, header, &fields);
    if (done)
        append_bytes(job->session, item, str_slice(&fields));
    else
        errno = ENOMEM;
    str_free(&fields);
    return done;
}

static bool append_body(struct fetch_job *job, const struct fetch_item *item)
{
    struct slice bytes;
    bool found;
    if (!find_section(job, item, &bytes, &found))
        return false;
    if (!found) {
        append_label(&job->session->out, item);
        return str_append_text(&job->session->out, "NIL");
    }
    if (item->section.field_count > 0)
        return append_fields(job, item, bytes);
    append_bytes(job->session, item, bytes);
    return true;
}

/* What is made out of a message can be many times its size, and the sender chose the message: an
 * answer that becomes too long is replaced by a plain one, so that the mailbox stays usable. */
static bool append_or(struct str *out, bool made, const struct str *text, const char *otherwise)
{
    return made ? str_append(out, str_slice(text)) : str_append_text(out, otherwise);
}

static bool append_structure(struct fetch_job *job, bool extended)
{
    struct slice whole;
    struct str text;
    const struct mime_part *root = source_root(&job->source);
    if (!root || !source_whole(&job->source, &whole))
        return false;
    str_init(&text, FETCH_ANSWER_MAX);
    str_append_text(&job->session->out, extended ? "BODYSTRUCTURE " : "BODY ");
    bool made = bodystructure_append(&text, whole, root, extended);
    bool done = append_or(&job->session->out, made, &text,
                          extended ? "(\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 0 NIL "
                                     "NIL NIL NIL)"
                                   : "(\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 0)");
    str_free(&text);
    return done;
}

static bool append_envelope(struct fetch_job *job)
{
    struct slice header;
    struct str text;
    if (!source_header(&job->source, &header))
        return false;
    str_init(&text, FETCH_ANSWER_MAX);
    str_append_text(&job->session->out, "ENVELOPE ");
    bool made = imapenvelope_append(&text, header);
    bool done =
        append_or(&job->session->out, made, &text, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    str_free(&text);
    return done;
}

static struct mailbox_message *message_of(const struct fetch_job *job)
{
    return &job->session->mailbox->messages[job->index];
}

static bool append_flags(struct fetch_job *job)
{
    struct mailbox_message *message = message_of(job);
    struct str *out = &job->session->out;
    str_append_text(out, "FLAGS ");
    flags_append(out, job->session->mailbox, message->flags, message->keywords,
                 imapsession_shows_recent(job->session, message->recent));
    message->changed = false;
    return !out->failed;
}

static bool append_date(struct fetch_job *job)
{
    struct str *out = &job->session->out;
    str_append_text(out, "INTERNALDATE \"");
    return maildate_format_imap(out, message_of(job)->date) && str_append_byte(out, '"');
}

static bool append_size(struct fetch_job *job)
{
    uint64_t size;
    if (!mailbox_crlf_size(job->session->mailbox, message_of(job), &size))
        return false;
    str_append_text(&job->session->out, "RFC822.SIZE ");
    return str_append_number(&job->session->out, size);
}

static bool append_uid(struct fetch_job *job)
{
    str_append_text(&job->session->out, "UID ");
    return str_append_number(&job->session->out, message_of(job)->uid);
}

static bool append_item(struct fetch_job *job, const struct fetch_item *item)
{
    switch (item->kind) {
    case FETCH_BODY:
        return append_body(job, item);
    case FETCH_BODYSTRUCTURE:
        return append_structure(job, true);
    case FETCH_BODY_PLAIN:
        return append_structure(job, false);
    case FETCH_ENVELOPE:
        return append_envelope(job);
    case FETCH_FLAGS:
        return append_flags(job);
    case FETCH_INTERNALDATE:
        return append_date(job);
    case FETCH_SIZE:
        return append_size(job);
    case FETCH_UID:
        return append_uid(job);
    }
    return false;
}

/* Gets hold of what the items need, so that a message that is gone is noticed before its line has
 * begun. False with errno. */
static bool prepare(struct fetch_job *job)
{
    for (size_t i = 0; i < job->request->count; i++) {
        enum fetch_kind kind = job->request->items[i].kind;
        struct slice whole;
        uint64_t size;
        if (kind <= FETCH_ENVELOPE && !source_whole(&job->source, &whole))
            return false;
        if (kind == FETCH_SIZE && !mailbox_crlf_size(job->session->mailbox, message_of(job), &size))
            return false;
    }
    return true;
}

static bool peeks(const struct fetch_request *request)
{
    for (size_t i = 0; i < request->count; i++)
        if (!request->items[i].peeks)
            return false;
    return true;
}

/* Reading sets \Seen, and the client is told in the same answer (RFC 3501 6.4.5). */
static void set_seen(struct fetch_job *job)
{
    struct mailbox_message *message = message_of(job);
    if (job->session->read_only || (message->flags & MAILDIR_SEEN) || peeks(job->request))
        return;
    if (mailbox_set_flags(job->session->mailbox, message, MAILBOX_ADD, MAILDIR_SEEN, 0))
        job->tells_flags = !fetch_has(job->request, FETCH_FLAGS);
}

/* All items of one message. False with errno when its file can't be read. */
static bool tell_message(struct fetch_job *job)
{
    struct imapsession *session = job->session;
    if (!prepare(job))
        return false;
    set_seen(job);
    struct str *out = imapsession_line(session);
    str_append_number(out, job->index + 1);
    str_append_text(out, " FETCH (");
    bool done = true;
    for (size_t i = 0; i < job->request->count && done; i++) {
        if (i > 0)
            str_append_byte(out, ' ');
        done = append_item(job, &job->request->items[i]);
        if (done && out->size > FETCH_COLLECT_MAX)
            send_so_far(session);
    }
    if (done && job->tells_flags) {
        str_append_byte(out, ' ');
        done = append_flags(job);
    }
    str_append_byte(out, ')');
    if (done)
        imapsession_send(session);
    else /* in the middle of a line there is no other way out */
        imapsession_bye(session, "The message can't be read", "unreadable");
    return true;
}

static enum answer tell_all(struct imapsession *session, struct pick *pick,
                            const struct fetch_request *request)
{
    enum answer answer = ANSWER_DONE;
    size_t index;
    while (!session->ended && session->stream.broken == STREAM_OK &&
           pick_next(pick, session, &index)) {
        struct fetch_job job = {.session = session, .request = request, .index = index};
        source_begin(&job.source, session->mailbox, index);
        if (!tell_message(&job)) {
            if (errno == ENOENT)
                pick->gone = true;
            else
                answer = ANSWER_TROUBLE;
        }
        source_end(&job.source);
    }
    return answer == ANSWER_DONE ? pick_end(pick) : answer;
}

enum answer fetch_fetch(struct imapsession *session, struct parse *arguments)
{
    struct pick pick;
    struct fetch_request request;
    enum answer answer = pick_begin(&pick, session, arguments);
    if (answer == ANSWER_SYNTAX || !parse_space(arguments) || !fetch_parse(arguments, &request))
        return ANSWER_SYNTAX;
    if (answer != ANSWER_DONE)
        return answer;
    if (session->uid && !fetch_has(&request, FETCH_UID) &&
        !fetch_add(&session->arena, &request, FETCH_UID))
        return ANSWER_TROUBLE;
    return tell_all(session, &pick, &request);
}
