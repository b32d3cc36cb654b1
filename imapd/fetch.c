/* fetch - FETCH and UID FETCH */
#include "fetch.h"

#include "imapcommand.h"
#include "modseq.h"
#include "pick.h"
#include "vanished.h"

#include <errno.h>

enum {
    FETCH_ITEM_MAX = 16 * 1048576, /* bytes of one ENVELOPE or BODYSTRUCTURE */
    FETCH_COLLECT_MAX = 65536,     /* a line is sent on when it has become so long */
};

void fetch_send_so_far(struct fetch_job *job)
{
    stream_write(&job->session->stream, str_slice(job->out));
    str_clear(job->out);
}

static bool find_fact(struct fetch_job *job, const struct fetch_kind *kind)
{
    job->found = NULL;
    if (kind->fact &&
        mailbox_cached(job->session->mailbox, fetch_message(job), kind->fact, &job->fact))
        job->found = kind;
    return job->found;
}

/* A fact that is in the cache needs nothing of the message. */
static enum fetch_need need_of(struct fetch_job *job)
{
    enum fetch_need need = FETCH_NEEDS_NOTHING;
    job->found = NULL;
    for (size_t i = 0; i < job->request->count; i++) {
        const struct fetch_item *item = &job->request->items[i];
        if (item->need > need && !find_fact(job, item->kind))
            need = item->need;
    }
    return need;
}

bool fetch_fact(struct fetch_job *job, const struct fetch_kind *kind, struct slice *bytes)
{
    if (job->found != kind && !find_fact(job, kind)) {
        str_clear(&job->scratch);
        if (!kind->make(job))
            return false;
        job->fact = str_slice(&job->scratch);
        if (job->fact.size <= MAILBOX_FACT_SIZE_MAX)
            mailbox_cache(job->session->mailbox, fetch_message(job), kind->fact, job->fact);
    }
    *bytes = job->fact;
    job->found = NULL;
    return true;
}

/* Gets hold of what the items need, so that a message that is gone is noticed before its line has
 * begun. False with errno. */
static bool prepare(struct fetch_job *job)
{
    struct slice bytes;
    uint64_t size;
    switch (need_of(job)) {
    case FETCH_NEEDS_NOTHING:
        return true;
    case FETCH_NEEDS_SIZE:
        return mailbox_crlf_size(job->session->mailbox, fetch_message(job), &size);
    case FETCH_NEEDS_FILE:
        return source_open(&job->source);
    case FETCH_NEEDS_HEADER:
        return source_header(&job->source, &bytes);
    case FETCH_NEEDS_WHOLE:
        return source_whole(&job->source, &bytes);
    }
    return false;
}

static enum answer check_items(struct fetch_job *job)
{
    enum answer answer = ANSWER_DONE;
    for (size_t i = 0; i < job->request->count && answer == ANSWER_DONE; i++) {
        struct fetch_item *item = &job->request->items[i];
        if (item->kind->check)
            answer = item->kind->check(job, item);
    }
    return answer;
}

/* Reading sets \Seen, and the client is told in the same answer (RFC 3501 6.4.5). */
static void set_seen(struct fetch_job *job)
{
    struct mailbox_message *message = fetch_message(job);
    job->tells_flags = job->tells_modseq = job->tells_uid = false;
    if (!job->request->reads || job->session->read_only || (message->flags & MAILDIR_SEEN))
        return;
    job->found = NULL;
    if (mailbox_set_flags(job->session->mailbox, message, MAILBOX_ADD, MAILDIR_SEEN, 0)) {
        bool knows_modseq = job->session->enabled & ENABLED_CONDSTORE;
        job->tells_flags = !fetch_has(job->request, "FLAGS");
        job->tells_modseq = knows_modseq && !fetch_has(job->request, "MODSEQ");
        job->tells_uid = knows_modseq && !fetch_has(job->request, "UID");
    }
}

static bool write_unasked(struct fetch_job *job, const char *name)
{
    static const struct fetch_item item;
    return str_append_byte(job->out, ' ') && fetch_kind(slice_text(name))->write(job, &item);
}

static bool write_items(struct fetch_job *job)
{
    for (size_t i = 0; i < job->request->count; i++) {
        const struct fetch_item *item = &job->request->items[i];
        if (i > 0)
            str_append_byte(job->out, ' ');
        if (!item->kind->write(job, item))
            return false;
        if (job->out->size > FETCH_COLLECT_MAX)
            fetch_send_so_far(job);
    }
    return (!job->tells_flags || write_unasked(job, "FLAGS")) &&
           (!job->tells_modseq || write_unasked(job, "MODSEQ")) &&
           (!job->tells_uid || write_unasked(job, "UID"));
}

/* All items of one message. Other than ANSWER_DONE: it was left out. */
static enum answer tell_message(struct fetch_job *job)
{
    struct imapsession *session = job->session;
    if (!prepare(job))
        return errno == ENOENT ? ANSWER_MESSAGE_GONE : ANSWER_TROUBLE;
    enum answer answer = check_items(job);
    if (answer != ANSWER_DONE)
        return answer;
    set_seen(job);
    job->out = imapsession_line(session);
    str_append_number(job->out, job->source.index + 1);
    str_append_text(job->out, " FETCH (");
    bool done = write_items(job);
    str_append_byte(job->out, ')');
    if (done)
        imapsession_send(session);
    else /* in the middle of a line there is no other way out */
        imapsession_bye(session, "The message can't be read", "unreadable");
    return ANSWER_DONE;
}

static bool is_wanted(const struct imapsession *session, const struct fetch_modifiers *modifiers,
                      size_t index)
{
    const struct mailbox *mailbox = session->mailbox;
    return !modifiers->is_changed ||
           mailbox_modseq(mailbox, &mailbox->messages[index]) > modifiers->changed_since;
}

static void begin_job(struct fetch_job *job, struct imapsession *session,
                      struct fetch_request *request)
{
    *job = (struct fetch_job){.session = session, .request = request};
    source_begin(&job->source, session->mailbox, 0);
    str_init(&job->scratch, FETCH_ITEM_MAX);
    str_init(&job->fields, IMAPSESSION_READ_MAX);
}

static void end_job(struct fetch_job *job)
{
    source_end(&job->source);
    mailbox_cache_flush(job->session->mailbox);
    str_free(&job->scratch);
    str_free(&job->fields);
}

static bool goes_on(const struct imapsession *session)
{
    return !session->ended && session->stream.broken == STREAM_OK;
}

static enum answer tell_all(struct imapsession *session, struct pick *pick,
                            struct fetch_request *request, const struct fetch_modifiers *modifiers)
{
    enum answer answer = ANSWER_DONE;
    size_t index;
    struct fetch_job job;
    begin_job(&job, session, request);
    while (goes_on(session) && pick_next(pick, session, &index)) {
        if (!is_wanted(session, modifiers, index))
            continue;
        source_move(&job.source, index);
        enum answer told = tell_message(&job);
        if (told == ANSWER_MESSAGE_GONE)
            pick->gone = true;
        else if (told != ANSWER_DONE)
            answer = told;
    }
    end_job(&job);
    return answer == ANSWER_DONE ? pick_end(pick) : answer;
}

/* Items and modifiers that not every account, session or form of the command has. */
static bool may_have(struct imapsession *session, const struct fetch_request *request,
                     const struct fetch_modifiers *modifiers)
{
    for (size_t i = 0; i < request->count; i++) {
        const char *capability = request->items[i].kind->capability;
        if (capability && !imapsession_has(session, capability))
            return false;
    }
    /* RFC 9394 3.3: of UID FETCH alone */
    if (modifiers->is_page && (!session->uid || !imapsession_has(session, "PARTIAL")))
        return false;
    /* RFC 7162 3.2.6: the same, from who has enabled QRESYNC */
    if (modifiers->tells_vanished &&
        (!session->uid || !modifiers->is_changed || !(session->enabled & ENABLED_QRESYNC)))
        return false;
    bool knows_modseq = modifiers->is_changed || fetch_has(request, "MODSEQ");
    return !knows_modseq || modseq_enable(session);
}

/* What goes out without being asked for. */
static bool add_items(struct imapsession *session, struct fetch_request *request,
                      const struct fetch_modifiers *modifiers)
{
    if (modifiers->is_changed && !fetch_has(request, "MODSEQ") &&
        !fetch_add(&session->arena, request, "MODSEQ"))
        return false;
    /* RFC 7162 3.2: MODSEQ never comes without UID */
    bool wants_uid =
        session->uid || (session->enabled & ENABLED_QRESYNC && fetch_has(request, "MODSEQ"));
    return !wants_uid || fetch_has(request, "UID") || fetch_add(&session->arena, request, "UID");
}

static enum answer tell_vanished(struct imapsession *session, const struct pick *pick,
                                 const struct fetch_modifiers *modifiers)
{
    struct vanished_known known = {
        .modseq = modifiers->changed_since, .uids = pick->set, .has_uids = true};
    return modifiers->tells_vanished ? vanished_tell_earlier(session, &known) : ANSWER_DONE;
}

enum answer fetch_fetch(struct imapsession *session, struct parse *arguments)
{
    struct pick pick;
    struct fetch_request request;
    struct fetch_modifiers modifiers;
    enum answer answer = pick_begin(&pick, session, arguments);
    if (answer == ANSWER_SYNTAX || !parse_space(arguments) || !fetch_parse(arguments, &request) ||
        !fetch_parse_modifiers(arguments, &modifiers) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    if (!may_have(session, &request, &modifiers))
        return ANSWER_SYNTAX;
    if (answer != ANSWER_DONE)
        return answer;
    if (!add_items(session, &request, &modifiers))
        return ANSWER_TROUBLE;
    answer = tell_vanished(session, &pick, &modifiers);
    if (answer != ANSWER_DONE)
        return answer;
    if (modifiers.is_page)
        pick_page(&pick, session, &modifiers.page);
    return tell_all(session, &pick, &request, &modifiers);
}

bool fetch_prepare_unasked(struct imapsession *session, struct arena *arena,
                           struct fetch_request *request)
{
    request->reads = false;
    return may_have(session, request, &(struct fetch_modifiers){0}) &&
           (fetch_has(request, "UID") || fetch_add(arena, request, "UID"));
}

void fetch_tell_unasked(struct imapsession *session, struct fetch_request *request, size_t first)
{
    struct fetch_job job;
    begin_job(&job, session, request);
    for (size_t i = first; i < session->told_exists && goes_on(session); i++) {
        source_move(&job.source, i);
        /* One that has vanished meanwhile is told so with the next expunges. */
        if (!session->mailbox->messages[i].gone)
            (void)tell_message(&job);
    }
    end_job(&job);
}
