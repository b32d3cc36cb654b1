/* imapmove - COPY, MOVE (RFC 6851) and their UID forms, with COPYUID (RFC 4315) */
#include "imapcommand.h"
#include "imapname.h"
#include "imapquota.h"
#include "modseq.h"
#include "pick.h"
#include "uidlist.h"

#include <errno.h>

struct copy_job {
    struct imapsession *session;
    struct mailbox *to;
    bool move;
    struct pick pick;
    struct uidlist from_uids, to_uids;
    uint32_t *made; /* UIDs in `to`, in the arena; to take back what was copied */
    size_t count;
};

/* RFC 3501 6.4.7: a COPY that fails leaves the other mailbox as it was. What was moved stays moved:
 * it is in one place, and COPYUID tells where. */
static void take_back(struct copy_job *job)
{
    if (job->move)
        return;
    for (size_t i = 0; i < job->count; i++) {
        struct mailbox_message *message = mailbox_find(job->to, job->made[i]);
        if (message)
            mailbox_remove(job->to, message);
    }
    job->count = 0;
}

static enum answer copy_one(struct copy_job *job, size_t index)
{
    struct mailbox *from = job->session->mailbox;
    uint32_t old_uid = from->messages[index].uid, uid;
    if (!mailbox_copy(from, &from->messages[index], job->to, job->move, &uid)) {
        if (errno != ENOENT)
            return answer_from_errno(errno);
        job->pick.gone = true;
        return ANSWER_DONE;
    }
    job->made[job->count++] = uid;
    uidlist_add(&job->from_uids, old_uid);
    uidlist_add(&job->to_uids, uid);
    return ANSWER_DONE;
}

/* Of the messages that are to be copied. */
static void measure(const struct copy_job *job, uint32_t *count, uint64_t *size)
{
    struct pick pick = job->pick;
    size_t index;
    *count = 0;
    *size = 0;
    while (pick_next(&pick, job->session, &index)) {
        ++*count;
        *size += job->session->mailbox->messages[index].size;
    }
}

static enum answer prepare(struct copy_job *job)
{
    struct imapsession *session = job->session;
    uint32_t count;
    uint64_t size;
    /* Flags that others changed meanwhile go along. */
    if (!mailbox_sync(session->mailbox))
        return answer_from_errno(errno);
    measure(job, &count, &size);
    if (!job->move && !imapquota_has_room(session, size))
        return ANSWER_NO_SPACE;
    return mailbox_expect(job->to, count) ? ANSWER_DONE : answer_from_errno(errno);
}

static enum answer copy_all(struct copy_job *job)
{
    struct imapsession *session = job->session;
    size_t index;
    job->made = arena_take_many(&session->arena, session->told_exists, sizeof *job->made);
    if (!job->made || !mailbox_lock_both(session->mailbox, job->to))
        return ANSWER_TROUBLE;
    enum answer answer = prepare(job);
    while (answer == ANSWER_DONE && pick_next(&job->pick, session, &index))
        answer = copy_one(job, index);
    if (answer != ANSWER_DONE || (job->pick.gone && !job->pick.uid))
        take_back(job);
    return mailbox_unlock_both(session->mailbox, job->to) ? answer : ANSWER_TROUBLE;
}

static void append_copyuid(struct copy_job *job, struct str *out)
{
    str_append_text(out, "COPYUID ");
    str_append_number(out, job->to->uidvalidity);
    str_append_byte(out, ' ');
    str_append(out, uidlist_end(&job->from_uids));
    str_append_byte(out, ' ');
    str_append(out, uidlist_end(&job->to_uids));
}

/* MOVE tells in an untagged line, since EXPUNGEs follow it (RFC 6851 4.3). */
static void tell_copyuid(struct copy_job *job)
{
    if (job->count == 0 || !imapsession_has(job->session, "UIDPLUS"))
        return;
    if (!job->move) {
        append_copyuid(job, &job->session->code);
        return;
    }
    struct str *out = imapsession_line(job->session);
    str_append_text(out, "OK [");
    append_copyuid(job, out);
    str_append_text(out, "] Moved");
    imapsession_send(job->session);
}

static enum answer run(struct copy_job *job, const struct imapfolder *folder)
{
    enum answer answer = ANSWER_DONE;
    job->to = imapsession_open_to_fill(job->session, folder, &answer);
    if (!job->to)
        return answer;
    uidlist_init(&job->from_uids, IMAPSESSION_OUT_MAX);
    uidlist_init(&job->to_uids, IMAPSESSION_OUT_MAX);
    answer = copy_all(job);
    if (answer == ANSWER_DONE || job->move)
        tell_copyuid(job);
    if (answer == ANSWER_DONE)
        answer = pick_end(&job->pick);
    if (answer == ANSWER_DONE && job->move && job->count > 0)
        modseq_set_code(job->session);
    uidlist_free(&job->from_uids);
    uidlist_free(&job->to_uids);
    imapsession_close_other(job->session, job->to);
    return answer;
}

static enum answer copy_or_move(struct imapsession *session, struct parse *arguments, bool move)
{
    struct copy_job job = {.session = session, .move = move};
    struct slice name;
    struct imapfolder folder;
    enum answer answer = pick_begin(&job.pick, session, arguments);
    if (answer == ANSWER_SYNTAX || !parse_space(arguments) || !parse_astring(arguments, &name) ||
        !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    if (answer != ANSWER_DONE)
        return answer;
    if (move && session->read_only)
        return ANSWER_REFUSED_READ_ONLY;
    if (imapname_take(session, name, &folder) != ANSWER_DONE)
        return ANSWER_BAD_NAME;
    return run(&job, &folder);
}

enum answer imapmove_copy(struct imapsession *session, struct parse *arguments)
{
    return copy_or_move(session, arguments, false);
}

enum answer imapmove_move(struct imapsession *session, struct parse *arguments)
{
    return copy_or_move(session, arguments, true);
}
