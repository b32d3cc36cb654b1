/* imapmetadata - see imapmetadata.h */
#include "imapmetadata.h"

#include "foldertree.h"
#include "imapcommand.h"
#include "imapname.h"
#include "metadata.h"
#include "notify.h"
#include "quote.h"
#include "specialuse.h"

#include <errno.h>
#include <string.h>

/* Entries that are no text in a file. */
static const struct slice entry_admin = {"/shared/admin", sizeof "/shared/admin" - 1};
static const struct slice entry_use = {"/private/specialuse", sizeof "/private/specialuse" - 1};

enum { VIRTUAL_TEXT_MAX = 512 };

/* ---- telling ----------------------------------------------------------------------------------- */

/* One GETMETADATA, or one folder of a LIST. */
struct get_job {
    struct imapsession *session;
    const struct imapfolder *folder; /* NULL: the server */
    const struct metadatarequest *request;
    struct metadata metadata;
    uint64_t longest; /* of the values that were left out */
    size_t told;
};

static void begin_item(struct get_job *job, struct slice name)
{
    struct str *out = &job->session->out;
    if (job->told++ > 0) {
        str_append_byte(out, ' ');
    } else {
        out = imapsession_line(job->session);
        str_append_text(out, "METADATA ");
        imapname_append(job->session, out, job->folder ? slice_text(job->folder->name) : SLICE(""));
        str_append_text(out, " (");
    }
    quote_astring(out, name);
    str_append_byte(out, ' ');
}

/* RFC 5464 5: a value with a NUL is a literal8. */
static void append_value(struct str *out, struct slice value)
{
    if (!slice_has(value, '\0')) {
        quote_string(out, value);
        return;
    }
    str_append_byte(out, '~');
    quote_literal_head(out, value.size);
    str_append(out, value);
}

static void tell_value(struct get_job *job, struct slice name, struct slice value)
{
    if (job->request->has_max_size && value.size > job->request->max_size) {
        job->longest = value.size > job->longest ? value.size : job->longest;
        return;
    }
    begin_item(job, name);
    append_value(&job->session->out, value);
}

/* RFC 5464 6.2.1.2; every domain has a postmaster (RFC 5321 4.5.1). */
static void tell_admin(struct get_job *job)
{
    struct str text;
    struct slice domain = slice_text(job->session->account);
    if (job->folder || !metadatarequest_has(job->request, entry_admin))
        return;
    domain = slice_from(domain, slice_find_last(domain, '@') + 1);
    str_init(&text, VIRTUAL_TEXT_MAX);
    str_append_text(&text, "mailto:postmaster@");
    str_append(&text, domain);
    tell_value(job, entry_admin, str_slice(&text));
    str_free(&text);
}

/* RFC 6154 4: what LIST tells as attributes. */
static void tell_use(struct get_job *job)
{
    struct specialuses uses;
    struct str text;
    if (!job->folder || !metadatarequest_has(job->request, entry_use) || !specialuse_load(&uses))
        return;
    str_init(&text, VIRTUAL_TEXT_MAX);
    specialuse_append(&text, specialuse_of(&uses, slice_text(job->folder->name)));
    if (text.size > 0)
        tell_value(job, entry_use, str_slice(&text));
    str_free(&text);
}

static bool is_virtual(const struct get_job *job, struct slice name)
{
    return slice_equal(name, job->folder ? entry_use : entry_admin);
}

static void tell_entries(struct get_job *job)
{
    for (size_t i = 0; i < job->metadata.count; i++) {
        const struct metadata_entry *entry = &job->metadata.entries[i];
        if (!is_virtual(job, entry->name) && metadatarequest_has(job->request, entry->name))
            tell_value(job, entry->name, entry->value);
    }
}

static bool has_use(const struct get_job *job)
{
    struct specialuses uses;
    return specialuse_load(&uses) && specialuse_of(&uses, slice_text(job->folder->name)) != 0;
}

static bool has_entry(const struct get_job *job, struct slice name)
{
    if (is_virtual(job, name))
        return !job->folder || has_use(job);
    return metadata_find(&job->metadata, name) != NULL;
}

/* What was asked for by its whole name and isn't there is NIL, so that a client knows. */
static void tell_absent(struct get_job *job)
{
    for (size_t i = 0; i < job->request->count && job->request->depth == 0; i++) {
        if (has_entry(job, job->request->names[i]))
            continue;
        begin_item(job, job->request->names[i]);
        str_append_text(&job->session->out, "NIL");
    }
}

static bool tell(struct get_job *job)
{
    bool done = metadata_load(job->folder, &job->metadata);
    if (done) {
        tell_admin(job);
        tell_use(job);
        tell_entries(job);
        tell_absent(job);
        if (job->told > 0) {
            str_append_byte(&job->session->out, ')');
            imapsession_send(job->session);
        }
    }
    metadata_free(&job->metadata);
    return done;
}

void imapmetadata_tell(struct imapsession *session, const struct imapfolder *folder,
                       const struct metadatarequest *request)
{
    struct get_job job = {.session = session, .folder = folder, .request = request};
    (void)tell(&job);
}

/* ---- GETMETADATA ------------------------------------------------------------------------------- */

/* The name of a mailbox, or "" for the server: *folder is left NULL then. */
static enum answer take_mailbox(const struct imapsession *session, struct slice name,
                                struct imapfolder *room, const struct imapfolder **folder)
{
    *folder = NULL;
    if (name.size == 0)
        return ANSWER_DONE;
    if (imapname_take(session, name, room) != ANSWER_DONE || !foldertree_exists(room))
        return ANSWER_NO_MAILBOX;
    *folder = room;
    return ANSWER_DONE;
}

/* RFC 5464's grammar has the options in front of the mailbox, its examples behind it. */
static bool parse_get(struct parse *arguments, struct slice *mailbox,
                      struct metadatarequest *request)
{
    struct metadatarequest before = {0};
    bool options = parse_peek(arguments) == '(';
    if (options && (!metadatarequest_parse_options(arguments, &before) || !parse_space(arguments)))
        return false;
    if (!parse_astring(arguments, mailbox) || !parse_space(arguments) ||
        !metadatarequest_parse(arguments, request) || !parse_at_end(arguments))
        return false;
    if (options) {
        request->depth = before.depth;
        request->has_max_size = before.has_max_size;
        request->max_size = before.max_size;
    }
    return true;
}

enum answer imapmetadata_get(struct imapsession *session, struct parse *arguments)
{
    struct slice mailbox;
    struct imapfolder room;
    struct metadatarequest request;
    if (!parse_get(arguments, &mailbox, &request))
        return ANSWER_SYNTAX;
    struct get_job job = {.session = session, .request = &request};
    enum answer answer = take_mailbox(session, mailbox, &room, &job.folder);
    if (answer != ANSWER_DONE)
        return answer;
    if (!tell(&job))
        return answer_from_errno(errno);
    if (job.longest > 0)
        str_format(&session->code, "METADATA LONGENTRIES %llu", (unsigned long long)job.longest);
    return ANSWER_DONE;
}

/* ---- SETMETADATA ------------------------------------------------------------------------------- */

/* The changes of one SETMETADATA, in order. */
struct set_job {
    struct imapsession *session;
    const struct imapfolder *folder;
    struct metadata_entry changes[METADATAREQUEST_ENTRIES_MAX]; /* no data: to be removed */
    size_t count;
    bool sets_use;
    unsigned use; /* bits */
};

static bool parse_value(struct parse *arguments, struct slice *value)
{
    bool is_nil = false;
    if (parse_literal8(arguments, value))
        return true;
    if (!parse_nstring(arguments, value, &is_nil))
        return false;
    if (is_nil)
        *value = (struct slice){0};
    else if (value->size == 0)
        *value = SLICE("");
    return true;
}

static bool parse_changes(struct parse *arguments, struct set_job *job)
{
    if (!parse_byte(arguments, '('))
        return false;
    do {
        if (job->count == METADATAREQUEST_ENTRIES_MAX)
            return false;
        struct metadata_entry *change = &job->changes[job->count++];
        if (!metadatarequest_parse_name(arguments, &change->name) || !parse_space(arguments) ||
            !parse_value(arguments, &change->value))
            return false;
    } while (parse_space(arguments));
    return parse_byte(arguments, ')');
}

/* "\Sent" or "\Drafts \Sent" as bits. */
static bool read_uses(struct slice value, unsigned *bits)
{
    *bits = 0;
    while (value.size > 0) {
        struct slice word = slice_cut_word(&value);
        unsigned bit = specialuse_bit(word);
        if (word.size > 0 && bit == 0)
            return false;
        *bits |= bit;
    }
    return true;
}

/* Refuses the whole command before anything was changed. */
static enum answer check_change(struct set_job *job, const struct metadata_entry *change)
{
    if (slice_equal(change->name, SLICE("/private")) || slice_equal(change->name, SLICE("/shared")))
        return ANSWER_SYNTAX;
    if (change->value.size > METADATA_VALUE_MAX)
        return ANSWER_METADATA_LONG;
    if (!job->folder && slice_equal(change->name, entry_admin))
        return ANSWER_NOT_PERMITTED;
    if (!job->folder || !slice_equal(change->name, entry_use))
        return ANSWER_DONE;
    job->sets_use = true;
    if (imapfolder_is_inbox(job->folder) || !read_uses(change->value, &job->use))
        return ANSWER_USE_UNKNOWN;
    return ANSWER_DONE;
}

static enum answer check_changes(struct set_job *job)
{
    enum answer answer = ANSWER_DONE;
    for (size_t i = 0; i < job->count && answer == ANSWER_DONE; i++)
        answer = check_change(job, &job->changes[i]);
    return answer;
}

static bool make_changes(const struct set_job *job, struct metadata *metadata)
{
    for (size_t i = 0; i < job->count; i++) {
        const struct metadata_entry *change = &job->changes[i];
        if (job->folder && slice_equal(change->name, entry_use))
            continue;
        if (!metadata_set(metadata, change->name, change->value.data ? &change->value : NULL))
            return false;
    }
    return true;
}

static enum answer store_changes(const struct set_job *job)
{
    struct metadata metadata;
    if (job->sets_use && job->count == 1)
        return ANSWER_DONE;
    int lock = metadata_lock(job->folder, &metadata);
    enum answer answer = lock >= 0 ? ANSWER_DONE : answer_from_errno(errno);
    if (lock >= 0 && !make_changes(job, &metadata))
        answer = ANSWER_METADATA_MANY;
    else if (lock >= 0 && !metadata_store(lock, job->folder, &metadata))
        answer = errno == EFBIG ? ANSWER_METADATA_MANY : answer_from_errno(errno);
    metadata_free(&metadata);
    metadata_unlock(&lock);
    return answer;
}

/* The folder gets the uses, and who had them has them no more. */
static enum answer store_use(const struct set_job *job)
{
    struct specialuses uses;
    if (!job->sets_use)
        return ANSWER_DONE;
    int lock = specialuse_lock(&uses);
    if (lock < 0)
        return answer_from_errno(errno);
    specialuse_set(&uses, slice_text(job->folder->name), job->use);
    enum answer answer = specialuse_store(lock, &uses) ? ANSWER_DONE : answer_from_errno(errno);
    specialuse_unlock(&lock);
    return answer;
}

/* RFC 7162 3.2: who synchronises learns so that the mailbox has changed. */
static enum answer raise_modseq(const struct set_job *job)
{
    enum answer answer = ANSWER_DONE;
    if (!job->folder)
        return ANSWER_DONE;
    struct mailbox *mailbox = imapsession_open_to_fill(job->session, job->folder, &answer);
    if (!mailbox)
        return answer;
    if (!mailbox_raise_modseq(mailbox))
        answer = answer_from_errno(errno);
    imapsession_close_other(job->session, mailbox);
    return answer;
}

enum answer imapmetadata_set(struct imapsession *session, struct parse *arguments)
{
    struct slice mailbox;
    struct imapfolder room;
    struct set_job job = {.session = session};
    if (!parse_astring(arguments, &mailbox) || !parse_space(arguments) ||
        !parse_changes(arguments, &job) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    enum answer answer = take_mailbox(session, mailbox, &room, &job.folder);
    if (answer == ANSWER_DONE)
        answer = check_changes(&job);
    if (answer == ANSWER_DONE)
        answer = store_changes(&job);
    if (answer == ANSWER_DONE)
        notify_expect(session, "", job.folder ? job.folder->name : "");
    if (answer == ANSWER_DONE)
        answer = store_use(&job);
    return answer == ANSWER_DONE ? raise_modseq(&job) : answer;
}
