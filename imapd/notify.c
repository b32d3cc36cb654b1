/* notify - see notify.h */
#include "notifyparts.h"

#include "clock.h"
#include "foldertree.h"
#include "imapcommand.h"
#include "io.h"
#include "update.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- what happened ----------------------------------------------------------------------------- */

/* Watches may have ended unheard, too: they are set again, which changes nothing of those that are
 * there. */
static void take_lost(struct notify *notify)
{
    notify->names_changed = notify->server_metadata_changed = true;
    for (size_t i = 0; i < notify->mailboxes.count; i++) {
        struct notify_mailbox *mailbox = &notify->mailboxes.all[i];
        mailbox->watched = (struct watched){0};
        mailbox->messages_changed = mailbox->metadata_changed = true;
    }
}

/* Another folder may get the same inode: it is not this one. */
static void take_gone(struct notify_mailbox *mailbox)
{
    mailbox->watched = (struct watched){0};
    mailbox->device = mailbox->inode = 0;
}

/* News of the selected mailbox are looked for anyway. */
static void take_news(void *owner, int id, unsigned news)
{
    struct notify *notify = owner;
    if (news & WATCH_LOST)
        take_lost(notify);
    notify->names_changed |= (news & (WATCH_NAMES | WATCH_SUBSCRIPTIONS)) != 0;
    notify->server_metadata_changed |= (news & WATCH_SERVER_METADATA) != 0;
    for (size_t i = 0; i < notify->mailboxes.count; i++) {
        struct notify_mailbox *mailbox = &notify->mailboxes.all[i];
        if (!watch_is(&mailbox->watched, id))
            continue;
        if (news & WATCH_GONE)
            take_gone(mailbox);
        mailbox->messages_changed |= (news & WATCH_MESSAGES) != 0;
        mailbox->metadata_changed |= (news & WATCH_METADATA) != 0;
        return;
    }
    if (news & WATCH_WHOLE && !watch_is(&notify->selected, id))
        watch_forget(notify->watch, id);
}

/* ---- the selected mailbox ---------------------------------------------------------------------- */

unsigned notify_selected_events(const struct imapsession *session)
{
    return session->notify ? session->notify->request.selected_events : NOTIFY_ANY_MESSAGE;
}

void notify_tell_new(struct imapsession *session, size_t first)
{
    if (session->notify && session->notify->request.has_fetch)
        fetch_tell_unasked(session, &session->notify->request.fetch, first);
}

static bool is_watched_by_name(const struct notify *notify, int id)
{
    for (size_t i = 0; i < notify->mailboxes.count; i++)
        if (watch_is(&notify->mailboxes.all[i].watched, id))
            return true;
    return false;
}

static void leave_selected(struct notify *notify)
{
    struct watched shared = notify->selected;
    for (size_t i = 0; i < WATCH_PARTS; i++)
        if (!is_watched_by_name(notify, shared.ids[i]))
            shared.ids[i] = 0;
    watch_remove(notify->watch, &notify->selected, &shared);
    notify->selected_id = 0;
}

/* Watches what is selected now. True: from now on, so there may be something to tell already. Where
 * the kernel has no watch left, news come with commands alone. */
static bool follow_selected(struct imapsession *session)
{
    struct notify *notify = session->notify;
    uint64_t id = session->mailbox && notify->request.selected_events ? session->mailbox->id : 0;
    if (id == notify->selected_id)
        return false;
    leave_selected(notify);
    if (id != 0 && !watch_add(notify->watch, &session->folder, true, &notify->selected))
        leave_selected(notify);
    notify->selected_id = id;
    return id != 0;
}

static bool is_selected(const struct imapsession *session, const struct notify_mailbox *mailbox)
{
    return session->mailbox && strcmp(session->folder.name, mailbox->name) == 0;
}

/* A folder that is renamed stays selected; one that is deleted loses its name first, and is not there any
 * more for the client (RFC 2180 3.3). */
static void check_selected(struct imapsession *session)
{
    if (!session->notify->is_idle || foldertree_exists(&session->folder) ||
        foldertree_find_open(session->mailbox->folder, &session->folder) || errno != ENOENT)
        return;
    imapsession_bye(session, "[UNAVAILABLE] The selected mailbox was deleted", "deleted");
}

/* An account that is removed takes its mailbox along. Its sessions are told (sessionend.h), but for those
 * that are older than spawnd; where one of them has a mailbox selected, that is noticed anyway. */
static void check_account(struct imapsession *session)
{
    struct stat info;
    if (stat(IMAPFOLDER_ROOT, &info) == 0 || errno != ENOENT)
        return;
    imapsession_bye(session, "The account was deleted", "deleted");
}

/* ---- telling ----------------------------------------------------------------------------------- */

static void end_by_overflow(struct imapsession *session)
{
    struct str *out = imapsession_line(session);
    str_append_text(out, "OK [NOTIFICATIONOVERFLOW] Events are not told any more");
    imapsession_send(session);
    notify_free(&session->notify);
}

static bool is_own_server(const struct notify *notify)
{
    return notify->has_own && !notify->own_from[0] && !notify->own_to[0];
}

/* What changed in the selected mailbox is told when it is left, if it differs then. */
static void tell_mailboxes(struct imapsession *session)
{
    struct notify *notify = session->notify;
    if (notify->server_metadata_changed)
        notifymailbox_tell_server(session, !is_own_server(notify));
    for (size_t i = 0; i < notify->mailboxes.count && session->stream.broken == STREAM_OK; i++) {
        struct notify_mailbox *mailbox = &notify->mailboxes.all[i];
        if (mailbox->metadata_changed)
            notifymailbox_tell_annotations(session, mailbox);
        if (mailbox->messages_changed && !is_selected(session, mailbox))
            notifymailbox_tell(session, mailbox);
    }
}

static void tell_events(struct imapsession *session)
{
    struct notify *notify = session->notify;
    watch_read(notify->watch, take_news, notify);
    /* Passing trouble: again when something else happens. */
    if (notify->names_changed && notify->request.events != 0)
        notify->names_changed = !notifynames_refresh(session, true);
    if (!notify->overflow)
        tell_mailboxes(session);
    notify->has_own = false;
    if (notify->overflow)
        end_by_overflow(session);
}

void notify_tell(struct imapsession *session, unsigned tells)
{
    if (session->notify)
        tell_events(session);
    if (session->mailbox && session->notify)
        check_selected(session);
    if (!session->mailbox)
        check_account(session);
    if (session->notify && !session->ended)
        (void)follow_selected(session);
    if (session->mailbox && !session->ended)
        update_tell(session, tells);
}

void notify_expect(struct imapsession *session, const char *from, const char *to)
{
    struct notify *notify = session->notify;
    if (!notify)
        return;
    notify->has_own =
        slice_copy_text(slice_text(from), notify->own_from, sizeof notify->own_from) &&
        slice_copy_text(slice_text(to), notify->own_to, sizeof notify->own_to);
}

/* ---- waiting ----------------------------------------------------------------------------------- */

static bool is_over(const struct imapsession *session)
{
    return session->ended || session->stream.broken != STREAM_OK;
}

/* Where the kernel has no watch left, the session looks now and then by itself. */
static int64_t next_look(const struct imapsession *session, int64_t deadline)
{
    int64_t look = clock_deadline(NOTIFY_LOOK_MS);
    return session->notify || !session->mailbox || deadline < look ? deadline : look;
}

/* True: the client has sent something, or the time is up. */
static bool poll_both(const struct imapsession *session, int64_t deadline)
{
    struct pollfd descriptors[] = {
        {.fd = session->stream.in, .events = POLLIN},
        {.fd = session->notify ? session->notify->watch : -1, .events = POLLIN}};
    int ready = poll(descriptors, 2, clock_left(next_look(session, deadline)));
    if (ready < 0)
        return errno != EINTR;
    return descriptors[0].revents || (ready == 0 && clock_left(deadline) == 0);
}

static void flush(struct imapsession *session)
{
    if (stream_flush(&session->stream) != STREAM_OK || session->ended)
        return;
    imapsession_settle(session);
    imapsession_rest(session);
}

void notify_wait(struct imapsession *session, int64_t deadline, unsigned tells)
{
    flush(session);
    while (!is_over(session) && !poll_both(session, deadline)) {
        notify_tell(session, tells);
        flush(session);
    }
}

/* SELECTED: expunges are told at any time (6.1). */
static unsigned tells_between_commands(const struct notify *notify)
{
    return notify->request.has_selected && !notify->request.is_delayed ? UPDATE_EXPUNGES : 0;
}

/* A mailbox that has just been selected, or expunges that a command has held back? */
static bool needs_update(struct imapsession *session, unsigned tells)
{
    const struct mailbox *mailbox = session->mailbox;
    bool is_new = follow_selected(session);
    return mailbox && (is_new || (tells && mailbox->totals.messages != mailbox->count));
}

void notify_wait_for_command(struct imapsession *session)
{
    int64_t deadline = clock_deadline(IMAPSESSION_IDLE_MS);
    unsigned tells = tells_between_commands(session->notify);
    tell_events(session);
    if (session->notify && needs_update(session, tells))
        update_tell(session, tells);
    notify_wait(session, deadline, tells);
    if (!is_over(session) && clock_left(deadline) == 0 &&
        !io_wait(session->stream.in, POLLIN, deadline))
        imapsession_lost(session, STREAM_TIMEOUT);
}

/* ---- beginning and ending ---------------------------------------------------------------------- */

static struct notify *begin(void)
{
    struct notify *notify = calloc(1, sizeof *notify);
    if (!notify)
        return NULL;
    arena_init(&notify->arena, NOTIFY_ARENA_MAX);
    notify->watch = watch_open();
    if (notify->watch < 0)
        notify_free(&notify);
    return notify;
}

void notify_free(struct notify **notify)
{
    struct notify *old = *notify;
    if (!old)
        return;
    notifynames_free(old);
    str_free(&old->annotations);
    arena_free(&old->arena);
    io_close(&old->watch);
    free(old);
    *notify = NULL;
}

void notify_begin_idle(struct imapsession *session)
{
    if (session->notify || !session->mailbox)
        return;
    /* Where the kernel has none left, IDLE looks from time to time. */
    session->notify = begin();
    if (!session->notify)
        return;
    session->notify->is_idle = true;
    session->notify->request.selected_events = NOTIFY_ANY_MESSAGE;
}

void notify_end_idle(struct imapsession *session)
{
    if (session->notify && session->notify->is_idle)
        notify_free(&session->notify);
}

/* ---- NOTIFY ------------------------------------------------------------------------------------ */

static size_t count_names(const struct notify_request *request)
{
    size_t count = 0;
    for (size_t i = 0; i < request->count; i++)
        count += request->groups[i].filter.name_count;
    return count;
}

/* The request outlives the command. */
static enum answer take_request(struct imapsession *session, struct notify *notify,
                                const struct parse *arguments)
{
    struct parse parse;
    struct slice text = slice_from(arguments->text, arguments->at), kept;
    if (text.size > NOTIFY_TEXT_MAX)
        return ANSWER_NOTIFY_MUCH;
    if (!arena_copy(&notify->arena, text, &kept))
        return ANSWER_TROUBLE;
    parse_begin(&parse, kept, &notify->arena);
    parse.utf8 = arguments->utf8;
    if (!notify_parse(session, &parse, &notify->request))
        return ANSWER_SYNTAX;
    if (notify->request.has_unknown) {
        notify_append_events(&session->code, session);
        return ANSWER_BAD_EVENT;
    }
    return count_names(&notify->request) > NOTIFY_NAMES_MAX ? ANSWER_NOTIFY_MUCH : ANSWER_DONE;
}

/* Figures from which changes are counted, told where that was asked for (3.1). */
static enum answer read_all(struct imapsession *session)
{
    struct notify *notify = session->notify;
    if (notify->request.events == 0)
        return ANSWER_DONE;
    if (!notifynames_refresh(session, false))
        return notify->overflow ? ANSWER_NOTIFY_MUCH : answer_from_errno(errno);
    notifymailbox_tell_server(session, false);
    for (size_t i = 0; i < notify->mailboxes.count && !notify->overflow; i++) {
        struct notify_mailbox *mailbox = &notify->mailboxes.all[i];
        notifymailbox_tell_annotations(session, mailbox);
        mailbox->is_quiet = !notify->request.status || is_selected(session, mailbox);
        notifymailbox_tell(session, mailbox);
    }
    return notify->overflow ? ANSWER_NOTIFY_MUCH : ANSWER_DONE;
}

/* The one that was set before stays in effect if this one can't be. */
static enum answer set(struct imapsession *session, const struct parse *arguments)
{
    struct notify *before = session->notify, *notify = begin();
    if (!notify)
        return ANSWER_NOTIFY_MUCH;
    enum answer answer = take_request(session, notify, arguments);
    if (answer == ANSWER_DONE) {
        session->notify = notify;
        answer = read_all(session);
    }
    session->notify = answer == ANSWER_DONE ? notify : before;
    notify_free(answer == ANSWER_DONE ? &before : &notify);
    return answer;
}

/* 3.1: whatever is wanted from now on, what has gathered is told first. */
static void tell_gathered(struct imapsession *session)
{
    struct notify *notify = session->notify;
    if (!session->mailbox)
        return;
    session->notify = NULL;
    update_tell(session, UPDATE_EXPUNGES);
    session->notify = notify;
}

enum answer notify_notify(struct imapsession *session, struct parse *arguments)
{
    if (parse_word(arguments, "NONE") && parse_at_end(arguments)) {
        notify_free(&session->notify);
        return ANSWER_DONE;
    }
    if (!parse_word(arguments, "SET"))
        return ANSWER_SYNTAX;
    enum answer answer = set(session, arguments);
    if (answer == ANSWER_DONE)
        tell_gathered(session);
    return answer;
}
