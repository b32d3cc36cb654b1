/* imaplist - LIST, LSUB, NAMESPACE */
#include "imaplist.h"

#include "foldertree.h"
#include "imapcommand.h"
#include "imapmetadata.h"
#include "imapname.h"
#include "imapstatus.h"
#include "listrequest.h"
#include "mutf7.h"
#include "specialuse.h"
#include "subscribe.h"

#include <errno.h>

/* A pattern with its reference in front. */
struct list_pattern {
    struct slice text; /* in the arena */
    bool is_utf8;      /* else it is no modified UTF-7, and matches names as they are written */
};

/* One LIST or LSUB at work. */
struct list_job {
    struct imapsession *session;
    const struct listrequest *request;
    struct list_pattern patterns[LISTREQUEST_PATTERNS_MAX];
    size_t pattern_count;
    struct foldertree tree;
    struct subscriptions subscriptions;
    struct specialuses uses;
    bool tells_children, tells_uses;
};

/* ---- matching ---------------------------------------------------------------------------------- */

static bool prepare_pattern(struct list_job *job, struct slice pattern, struct list_pattern *made)
{
    struct str joined, utf8;
    str_init(&joined, IMAPSESSION_COMMAND_MAX);
    str_init(&utf8, IMAPSESSION_COMMAND_MAX);
    str_append(&joined, job->request->reference);
    str_append(&joined, pattern);
    made->is_utf8 = imapname_take_pattern(job->session, str_slice(&joined), &utf8);
    bool done =
        !joined.failed &&
        arena_copy(&job->session->arena, str_slice(made->is_utf8 ? &utf8 : &joined), &made->text);
    str_free(&joined);
    str_free(&utf8);
    return done;
}

static bool prepare_patterns(struct list_job *job)
{
    for (size_t i = 0; i < job->request->pattern_count; i++)
        if (!prepare_pattern(job, job->request->patterns[i], &job->patterns[job->pattern_count++]))
            return false;
    return true;
}

static bool matches_one(const struct list_pattern *pattern, struct slice name, struct slice utf8)
{
    return imapfolder_matches(pattern->text, pattern->is_utf8 ? utf8 : name);
}

static bool matches(const struct list_job *job, struct slice name)
{
    char bytes[IMAPFOLDER_UTF8_MAX];
    struct str utf8 = str_on(bytes, sizeof bytes);
    bool found = false;
    if (!imapname_normal(name, &utf8))
        return false;
    for (size_t i = 0; i < job->pattern_count && !found; i++)
        found = matches_one(&job->patterns[i], name, str_slice(&utf8));
    return found;
}

/* ---- LIST -------------------------------------------------------------------------------------- */

static bool is_subscribed(const struct foldertree_entry *entry)
{
    return entry->subscribed;
}

static unsigned uses_of(const struct list_job *job, const struct foldertree_entry *entry)
{
    return entry->exists && job->tells_uses ? specialuse_of(&job->uses, slice_text(entry->name))
                                            : 0;
}

/* Does it have what the selection options ask for? */
static bool is_selected(const struct list_job *job, const struct foldertree_entry *entry)
{
    unsigned selects = job->request->selects;
    if ((selects & LISTREQUEST_SUBSCRIBED) && !is_subscribed(entry))
        return false;
    if ((selects & LISTREQUEST_SPECIAL_USE) && uses_of(job, entry) == 0)
        return false;
    /* RFC 5258 3.1: a subscribed name is told even if there is no folder. */
    return entry->exists || entry->has_children || (selects & LISTREQUEST_SUBSCRIBED);
}

static void mark_entries(struct list_job *job)
{
    struct slice rest = str_slice(&job->subscriptions.names), name;
    while (subscribe_next(&rest, &name)) {
        struct foldertree_entry *entry = foldertree_find(&job->tree, name);
        if (entry)
            entry->subscribed = true;
    }
    for (size_t i = 0; i < job->tree.count; i++)
        job->tree.entries[i].meets = is_selected(job, &job->tree.entries[i]);
    if (job->request->selects & LISTREQUEST_RECURSIVE)
        foldertree_spread(&job->tree);
}

static void append_attribute(struct str *out, const char *attribute)
{
    if (out->data[out->size - 1] != '(')
        str_append_byte(out, ' ');
    str_append_text(out, attribute);
}

/* RFC 5258 3.5: something below meets the selection, shown or not. */
static void append_childinfo(struct str *out, unsigned selects)
{
    str_append_text(out, " (\"CHILDINFO\" (");
    if (selects & LISTREQUEST_SPECIAL_USE)
        append_attribute(out, "\"SPECIAL-USE\"");
    if (selects & LISTREQUEST_SUBSCRIBED)
        append_attribute(out, "\"SUBSCRIBED\"");
    str_append_text(out, "))");
}

static void append_name(const struct imapsession *session, struct str *out, struct slice name)
{
    str_append_text(out, ") \"/\" ");
    imapname_append(session, out, name);
}

/* Knows the client \NonExistent (RFC 5258 3, RFC 9051 7.3.1)? */
static bool is_new_style(const struct list_job *job)
{
    return job->request->is_extended || (job->session->enabled & ENABLED_REV2);
}

/* CHILDREN and SPECIAL-USE are told whether they are asked for or not (RFC 3348, RFC 6154 2). */
static void tell_entry(struct list_job *job, const struct foldertree_entry *entry)
{
    const struct listrequest *request = job->request;
    struct str *out = imapsession_line(job->session);
    str_append_text(out, "LIST (");
    if (!entry->exists)
        append_attribute(out, is_new_style(job) ? "\\NonExistent" : "\\Noselect");
    if (job->tells_children)
        append_attribute(out, entry->has_children ? "\\HasChildren" : "\\HasNoChildren");
    if (uses_of(job, entry)) {
        append_attribute(out, "");
        specialuse_append(out, uses_of(job, entry));
    }
    if (is_subscribed(entry) && ((request->selects | request->returns) & LISTREQUEST_SUBSCRIBED))
        append_attribute(out, "\\Subscribed");
    append_name(job->session, out, slice_text(entry->name));
    if (entry->below_meets)
        append_childinfo(out, request->selects);
    imapsession_send(job->session);
}

/* What the return options want beside the LIST line. A folder that is just being deleted, or can't
 * be read, has no more to tell: LIST goes on (RFC 5819 2). */
static void tell_details(struct list_job *job, const struct foldertree_entry *entry)
{
    const struct listrequest *request = job->request;
    struct imapfolder folder;
    if (!entry->exists || !entry->meets || !imapfolder_named(slice_text(entry->name), &folder))
        return;
    if (request->returns & LISTREQUEST_STATUS)
        (void)imapstatus_tell(job->session, &folder, request->status_items);
    if (request->returns & LISTREQUEST_METADATA)
        imapmetadata_tell(job->session, &folder, &request->metadata);
}

static void tell_all(struct list_job *job)
{
    for (size_t i = 0; i < job->tree.count; i++) {
        const struct foldertree_entry *entry = &job->tree.entries[i];
        if ((!entry->meets && !entry->below_meets) || !matches(job, slice_text(entry->name)))
            continue;
        tell_entry(job, entry);
        tell_details(job, entry);
    }
}

static enum answer list(struct list_job *job)
{
    bool with_missing = job->request->selects & LISTREQUEST_SUBSCRIBED;
    bool subscriptions_count =
        (job->request->selects | job->request->returns) & LISTREQUEST_SUBSCRIBED;
    if (!prepare_patterns(job))
        return ANSWER_TROUBLE;
    if (subscriptions_count && !subscribe_load(&job->subscriptions))
        return answer_from_errno(errno);
    if (!specialuse_load(&job->uses) ||
        !foldertree_read_with(&job->tree,
                              with_missing ? str_slice(&job->subscriptions.names) : SLICE("")))
        return answer_from_errno(errno);
    mark_entries(job);
    tell_all(job);
    return ANSWER_DONE;
}

/* What not every account has. */
static bool may_ask(struct imapsession *session, const struct listrequest *request)
{
    static const struct {
        enum listrequest_option option;
        const char *capability;
    } options[] = {
        {LISTREQUEST_METADATA, "LIST-METADATA"},
        {LISTREQUEST_SPECIAL_USE, "SPECIAL-USE"},
        {LISTREQUEST_STATUS, "LIST-STATUS"},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if ((request->selects | request->returns) & options[i].option &&
            !imapsession_has(session, options[i].capability))
            return false;
    if (request->is_extended && !imapsession_has(session, "LIST-EXTENDED"))
        return false;
    return !(request->returns & LISTREQUEST_STATUS) ||
           imapstatus_may_tell(session, request->status_items);
}

enum answer imaplist_list(struct imapsession *session, struct parse *arguments)
{
    struct listrequest request;
    if (!listrequest_parse(arguments, &request) || !may_ask(session, &request))
        return ANSWER_SYNTAX;
    if (!request.is_extended && request.patterns[0].size == 0) {
        /* RFC 3501 6.3.8: an empty name asks for the separator and the root of the reference. */
        stream_write_text(&session->stream, "* LIST (\\Noselect) \"/\" \"\"\r\n");
        return ANSWER_DONE;
    }
    struct list_job job = {
        .session = session,
        .request = &request,
        .tells_children =
            imapsession_has(session, "CHILDREN") || request.returns & LISTREQUEST_CHILDREN,
        .tells_uses = imapsession_has(session, "SPECIAL-USE"),
    };
    enum answer answer = list(&job);
    foldertree_free(&job.tree);
    subscribe_free(&job.subscriptions);
    return answer;
}

/* ---- LSUB -------------------------------------------------------------------------------------- */

/* The subscribed name itself, or with '%' the highest name above it that matches and is not
 * subscribed: "\Noselect" (RFC 3501 6.3.9). */
static bool lsub_name(const struct list_job *job, struct slice *name, bool *is_above)
{
    *is_above = false;
    if (matches(job, *name))
        return true;
    struct slice pattern = job->request->patterns[0];
    if (pattern.size == 0 || pattern.data[pattern.size - 1] != '%')
        return false;
    *is_above = true;
    while (imapfolder_parent(*name, name))
        if (matches(job, *name))
            return !subscribe_has(&job->subscriptions, *name);
    return false;
}

static void tell_lsub(const struct list_job *job, struct slice name, bool is_above)
{
    struct str *out = imapsession_line(job->session);
    str_append_text(out, "LSUB (");
    if (is_above)
        append_attribute(out, "\\Noselect");
    append_name(job->session, out, name);
    imapsession_send(job->session);
}

static void lsub(const struct list_job *job)
{
    struct slice rest = str_slice(&job->subscriptions.names), name;
    struct subscriptions told; /* names above, each once */
    str_init(&told.names, SUBSCRIBE_FILE_MAX);
    while (subscribe_next(&rest, &name)) {
        bool is_above;
        if (!lsub_name(job, &name, &is_above) || (is_above && subscribe_has(&told, name)))
            continue;
        tell_lsub(job, name, is_above);
        if (!is_above)
            continue;
        str_append(&told.names, name);
        str_append_byte(&told.names, '\n');
    }
    subscribe_free(&told);
}

enum answer imaplist_lsub(struct imapsession *session, struct parse *arguments)
{
    struct listrequest request = {.pattern_count = 1};
    if (!parse_astring(arguments, &request.reference) || !parse_space(arguments) ||
        !parse_pattern(arguments, &request.patterns[0]) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    struct list_job job = {.session = session, .request = &request};
    enum answer answer =
        prepare_patterns(&job) && subscribe_load(&job.subscriptions) ? ANSWER_DONE : ANSWER_TROUBLE;
    if (answer == ANSWER_DONE)
        lsub(&job);
    subscribe_free(&job.subscriptions);
    return answer;
}

/* ---- what else has LIST's form ----------------------------------------------------------------- */

void imaplist_tell_renamed(struct imapsession *session, const struct imapfolder *folder,
                           struct slice old_name)
{
    struct slice name = slice_text(folder->name);
    struct str *out = imapsession_line(session);
    str_append_text(out, "LIST (");
    append_name(session, out, name);
    if (!slice_equal(name, old_name)) {
        str_append_text(out, " (\"OLDNAME\" (");
        imapname_append(session, out, old_name);
        str_append_text(out, "))");
    }
    imapsession_send(session);
}

void imaplist_tell_attribute(struct imapsession *session, struct slice name, const char *attribute)
{
    struct str *out = imapsession_line(session);
    str_append_texts(out, "LIST (", attribute);
    append_name(session, out, name);
    imapsession_send(session);
}

/* INBOX in small letters is no other name. */
static bool is_inbox(struct slice name)
{
    return slice_equal_nocase(name, SLICE(IMAPFOLDER_INBOX));
}

void imaplist_tell_name(struct imapsession *session, const struct imapfolder *folder,
                        struct slice given)
{
    struct str old;
    str_init(&old, IMAPSESSION_COMMAND_MAX);
    bool other = !is_inbox(given) && mutf7_from_utf8(given, &old);
    imaplist_tell_renamed(session, folder, other ? str_slice(&old) : slice_text(folder->name));
    str_free(&old);
}

enum answer imaplist_namespace(struct imapsession *session, struct parse *arguments)
{
    (void)arguments;
    stream_write_text(&session->stream, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    return ANSWER_DONE;
}
