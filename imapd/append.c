/* append - see append.h; the arguments are in appendparse.c */
#include "append.h"

#include "appendsink.h"
#include "imapcommand.h"
#include "imapname.h"
#include "imapquota.h"
#include "modseq.h"
#include "uidlist.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    MESSAGES_MAX = 250,               /* of one command: each holds two descriptors */
    DROPPED_MAX = 1024 * 1024 * 1024, /* bytes of a literal that are read for nothing */
};

struct append_job {
    struct imapsession *session;
    struct append_head head;
    struct append_options options; /* of the message at work */
    struct mailbox *mailbox;       /* the target; NULL: none could be opened */
    uint32_t replaced;             /* UID in the selected mailbox; 0: none */
    struct appendsink *messages;   /* MESSAGES_MAX, in memory of its own */
    size_t count;
    uint64_t size;      /* of all */
    enum answer answer; /* ANSWER_DONE while all is well */
};

static void fail(struct append_job *job, enum answer answer)
{
    if (job->answer == ANSWER_DONE)
        job->answer = answer;
}

/* ---- where the messages go --------------------------------------------------------------------
 */

/* The UID of the message that REPLACE names; 0: there is none. */
static uint32_t find_replaced(const struct imapsession *session, uint32_t wanted)
{
    const struct mailbox_message *messages = session->mailbox->messages;
    size_t count = session->told_exists, at = wanted - 1;
    if (wanted == SEQUENCE_STAR)
        at = count - 1;
    else if (session->uid)
        for (at = 0; at < count && messages[at].uid != wanted;)
            at++;
    return count > 0 && at < count ? messages[at].uid : 0;
}

static void begin_replacing(struct append_job *job)
{
    struct imapsession *session = job->session;
    if (session->read_only) {
        fail(job, ANSWER_REFUSED_READ_ONLY);
        return;
    }
    job->replaced = find_replaced(session, job->head.replaced);
    if (job->replaced == 0)
        fail(job, ANSWER_BAD_SET);
    else if (mailbox_find(session->mailbox, job->replaced)->gone)
        fail(job, ANSWER_MESSAGE_GONE);
}

static void open_target(struct append_job *job)
{
    struct imapfolder folder;
    enum answer answer = ANSWER_DONE;
    if (job->head.replaces)
        begin_replacing(job);
    if (job->answer != ANSWER_DONE)
        return;
    answer = imapname_take(job->session, job->head.mailbox, &folder);
    if (answer != ANSWER_DONE) {
        fail(job, answer);
        return;
    }
    job->messages = calloc(MESSAGES_MAX, sizeof *job->messages);
    job->mailbox = job->messages ? imapsession_open_to_fill(job->session, &folder, &answer) : NULL;
    if (!job->mailbox)
        fail(job, job->messages ? answer : ANSWER_TROUBLE);
}

/* ---- one message ------------------------------------------------------------------------------
 */

/* What REPLACE removes makes room (RFC 8508 3.4). */
static bool has_room(const struct append_job *job)
{
    struct imapsession *session = job->session;
    uint64_t freed = job->head.replaces ? mailbox_find(session->mailbox, job->replaced)->size : 0;
    return job->size <= freed || imapquota_has_room(session, job->size - freed);
}

/* A literal8 is of BINARY, or within UTF8 (...) of that. */
static bool may_come(const struct append_job *job)
{
    const char *capability = job->options.is_utf8 ? "UTF8=ACCEPT" : "BINARY";
    return !job->session->reader.literal.is_binary || imapsession_has(job->session, capability);
}

/* What is wrong with a message before it comes. */
static void check_message(struct append_job *job)
{
    const struct literal *literal = &job->session->reader.literal;
    if (!may_come(job))
        fail(job, ANSWER_SYNTAX);
    else if (literal->too_long || literal->size > imapsession_message_max(job->session))
        fail(job, ANSWER_TOO_BIG);
    else if (job->options.flags_bad)
        fail(job, ANSWER_BAD_FLAG);
    else if (literal->size == 0) /* RFC 3502 6.3.11: "{0}" calls an APPEND off */
        fail(job, ANSWER_EMPTY);
    if (!job->mailbox && job->answer == ANSWER_DONE)
        open_target(job);
    if (job->answer == ANSWER_DONE && job->count == MESSAGES_MAX)
        fail(job, ANSWER_TOO_MANY);
    /* Messages of one command are in the mailbox together, or not at all. */
    job->size += literal->too_long ? 0 : literal->size;
    if (job->answer == ANSWER_DONE && !has_room(job))
        fail(job, ANSWER_NO_SPACE);
}

/* NULL: it is to be dropped. */
static struct appendsink *begin_message(struct append_job *job)
{
    if (job->answer != ANSWER_DONE)
        return NULL;
    struct appendsink *sink = &job->messages[job->count++];
    sink->append.date = job->options.date;
    if (!flags_keywords(job->mailbox, &job->options.flags, true, &sink->append.keywords))
        sink->append.keywords = 0; /* better a message without its label than no message */
    sink->append.flags = job->options.flags.flags;
    appendsink_begin(sink, job->mailbox, job->session->reader.literal.is_binary);
    fail(job, sink->answer);
    return sink;
}

/* Reads the whole literal, into `sink` where there is one. False: the client is gone. */
static bool read_literal(struct imapsession *session, struct appendsink *sink)
{
    uint64_t size = session->reader.literal.size;
    while (size > 0) {
        struct slice bytes;
        size_t most = size < STREAM_INPUT_SIZE ? (size_t)size : STREAM_INPUT_SIZE;
        enum stream_result result = stream_bytes(&session->stream, most, &bytes);
        if (result != STREAM_OK) {
            imapsession_lost(session, result);
            return false;
        }
        if (sink)
            appendsink_write(sink, bytes);
        size -= bytes.size;
    }
    return true;
}

/* One that comes unasked is read and dropped, within reason. False: there is nothing to go on with,
 * the client waits for the answer or is told to go. */
static bool drop_message(struct append_job *job)
{
    const struct literal *literal = &job->session->reader.literal;
    if (literal->waits)
        return false;
    if (!literal->too_long && literal->size <= DROPPED_MAX)
        return read_literal(job->session, NULL);
    imapsession_bye(job->session, "[TOOBIG] Message too large", "limit");
    return false;
}

/* The message that reader.literal announces. False: nothing of the command follows. */
static bool take_message(struct append_job *job)
{
    check_message(job);
    struct appendsink *sink = begin_message(job);
    if (!sink || sink->answer != ANSWER_DONE)
        return drop_message(job);
    reader_accept(&job->session->reader);
    if (!read_literal(job->session, sink)) {
        fail(job, ANSWER_TROUBLE);
        return false;
    }
    appendsink_finish(sink);
    fail(job, sink->answer);
    return true;
}

/* ---- all messages ------------------------------------------------------------------------------
 */

/* Clients send a literal and the line end behind it by two writes, and their kernel (Nagle) holds
 * the second back till the first is acknowledged: without this 40 ms later. */
static void acknowledge(const struct imapsession *session)
{
    int on = 1;
    (void)setsockopt(session->stream.in, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

/* What follows a message: the line end, or the announcement of another (then true). */
static bool read_on(struct append_job *job)
{
    struct imapsession *session = job->session;
    struct reader *reader = &session->reader;
    struct parse parse;
    struct append_options before = job->options;
    if (!stream_has_input(&session->stream))
        acknowledge(session);
    session->appended = &before;
    enum reader_result result = reader_finish(reader);
    session->appended = NULL;
    switch (result) {
    case READER_COMMAND:
        if (!slice_equal(str_slice(&reader->text), before.is_utf8 ? SLICE(")") : SLICE("")))
            fail(job, ANSWER_NO_MORE);
        return false;
    case READER_MESSAGE:
        /* RFC 8508 3.2: one message */
        if (job->head.replaces || !imapsession_has(session, "MULTIAPPEND"))
            fail(job, ANSWER_NO_MORE);
        parse_begin(&parse, str_slice(&reader->text), &session->arena);
        if (!append_parse_options(&parse, &before, &job->options))
            fail(job, ANSWER_SYNTAX);
        return true;
    case READER_REFUSED:
        fail(job, ANSWER_NO_MORE);
        return false;
    case READER_CLOSING:
        imapsession_bye(session, reader->why, "limit");
        break;
    case READER_GONE:
        imapsession_lost(session, reader->stream_result);
        break;
    }
    fail(job, ANSWER_TROUBLE);
    return false;
}

/* RFC 3502: a mailbox that could not take all is left as it was. */
static void take_back(struct append_job *job, const uint32_t *uids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mailbox_message *message = mailbox_find(job->mailbox, uids[i]);
        if (message)
            mailbox_remove(job->mailbox, message);
    }
}

static bool commit_one(struct append_job *job, struct appendsink *sink, uint32_t *uid)
{
    sink->open = false;
    if (mailbox_append_commit(job->mailbox, &sink->append, uid))
        return true;
    fail(job, answer_from_errno(errno));
    return false;
}

/* Waits for the disk before the lock is taken. */
static void settle_all(struct append_job *job)
{
    for (size_t i = 0; i < job->count; i++)
        if (!maildir_settle(&job->messages[i].append.delivery))
            fail(job, answer_from_errno(job->messages[i].append.delivery.error));
}

static void commit_several(struct append_job *job, uint32_t *uids)
{
    size_t done = 0;
    settle_all(job);
    if (job->answer != ANSWER_DONE || !mailbox_lock(job->mailbox)) {
        fail(job, ANSWER_TROUBLE);
        return;
    }
    while (done < job->count && commit_one(job, &job->messages[done], &uids[done]))
        done++;
    if (job->answer != ANSWER_DONE)
        take_back(job, uids, done);
    if (!mailbox_unlock(job->mailbox)) {
        fail(job, ANSWER_TROUBLE);
        take_back(job, uids, done);
    }
}

static void append_code(struct append_job *job, struct str *out, const uint32_t *uids)
{
    struct uidlist list;
    if (!imapsession_has(job->session, "UIDPLUS"))
        return;
    uidlist_init(&list, IMAPSESSION_LINE_MAX);
    for (size_t i = 0; i < job->count; i++)
        uidlist_add(&list, uids[i]);
    str_append_text(out, "APPENDUID ");
    str_append_number(out, job->mailbox->uidvalidity);
    str_append_byte(out, ' ');
    str_append(out, uidlist_end(&list));
    uidlist_free(&list);
}

/* In an untagged line, since the EXPUNGE follows it (RFC 8508 3.3). */
static void tell_replacement(struct append_job *job, const uint32_t *uids)
{
    struct str code;
    str_init(&code, IMAPSESSION_LINE_MAX);
    append_code(job, &code, uids);
    if (code.size > 0) {
        struct str *out = imapsession_line(job->session);
        str_append_text(out, "OK [");
        str_append(out, str_slice(&code));
        str_append_text(out, "] Replacement is there");
        imapsession_send(job->session);
    }
    str_free(&code);
}

/* The message that was replaced goes when the new one is safe (RFC 8508 3.4). */
static void remove_replaced(struct append_job *job, const uint32_t *uids)
{
    struct imapsession *session = job->session;
    tell_replacement(job, uids);
    struct mailbox_message *message = mailbox_find(session->mailbox, job->replaced);
    if (!message || message->gone)
        return;
    if (mailbox_remove(session->mailbox, message))
        modseq_set_code(session); /* as UID EXPUNGE does (4.5) */
    else
        fail(job, answer_from_errno(errno));
}

static void commit(struct append_job *job)
{
    uint32_t uids[MESSAGES_MAX];
    if (job->count == 1)
        commit_one(job, &job->messages[0], &uids[0]);
    else
        commit_several(job, uids);
    if (job->answer != ANSWER_DONE)
        return;
    if (job->head.replaces)
        remove_replaced(job, uids);
    else
        append_code(job, &job->session->code, uids);
}

static void end_job(struct append_job *job)
{
    for (size_t i = 0; i < job->count; i++)
        appendsink_fail(&job->messages[i], job->answer);
    free(job->messages);
    imapsession_close_other(job->session, job->mailbox);
}

enum answer append_run(struct imapsession *session, struct parse *parse, enum answer answer)
{
    struct append_job job = {.session = session, .answer = answer};
    bool replaces = session->command && strcmp(session->command->name, "REPLACE") == 0;
    if (answer == ANSWER_DONE && (!append_parse_head(parse, replaces, &job.head) ||
                                  !append_parse_options(parse, NULL, &job.options)))
        fail(&job, ANSWER_SYNTAX);
    bool whole = true, more;
    do {
        whole = take_message(&job);
        more = whole && read_on(&job);
    } while (more);
    if (whole && job.answer == ANSWER_DONE)
        commit(&job);
    end_job(&job);
    return job.answer;
}
