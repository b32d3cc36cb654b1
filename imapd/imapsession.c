/* imapsession - see imapsession.h */
#include "imapsession.h"

#include "capability.h"
#include "clock.h"
#include "compression.h"
#include "imapcommand.h"
#include "io.h"
#include "notify.h"
#include "searchcontext.h"
#include "sessionend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

static const struct reader_limits limits = {
    .line = IMAPSESSION_LINE_MAX,
    .literal = IMAPSESSION_LITERAL_MAX,
    .command = IMAPSESSION_COMMAND_MAX,
};

uint64_t imapsession_message_max(const struct imapsession *session)
{
    uint64_t max = session->terms.message_max;
    return max > 0 && max < IMAPSESSION_MESSAGE_MAX ? max : IMAPSESSION_MESSAGE_MAX;
}

bool imapsession_shows_recent(const struct imapsession *session, bool recent)
{
    return recent && !(session->enabled & ENABLED_REV2);
}

bool imapsession_has(const struct imapsession *session, const char *capability)
{
    uint64_t bit = capability_named(slice_text(capability));
    return bit != 0 && (capability_off(session->terms.capabilities_off) & bit) == 0;
}

static bool name_capabilities(struct imapsession *session)
{
    str_init(&session->capabilities, IMAPSESSION_CAPABILITIES_MAX);
    capability_append(&session->capabilities, CAPABILITY_AFTER_LOGIN,
                      capability_off(session->terms.capabilities_off),
                      imapsession_message_max(session));
    return !session->capabilities.failed;
}

bool imapsession_begin(struct imapsession *session, int in, int out, struct slice pending)
{
    session->how = "trouble";
    arena_init(&session->arena, IMAPSESSION_ARENA_MAX);
    str_init(&session->out, IMAPSESSION_OUT_MAX);
    str_init(&session->code, IMAPSESSION_COMMAND_MAX);
    bool begun =
        stream_init(&session->stream, in, out, reader_input_max(&limits), IMAPSESSION_IDLE_MS);
    reader_init(&session->reader, &session->stream, &limits, imapcommand_takes_literal, session);
    return begun && name_capabilities(session) &&
           (pending.size == 0 || stream_push_pending(&session->stream, pending));
}

void imapsession_end(struct imapsession *session)
{
    imapsession_unselect(session);
    notify_free(&session->notify);
    reader_free(&session->reader);
    stream_free(&session->stream);
    compression_free(&session->compression);
    str_free(&session->out);
    str_free(&session->code);
    str_free(&session->capabilities);
    arena_free(&session->arena);
}

void imapsession_greet(struct imapsession *session, struct slice tag)
{
    stream_write(&session->stream, tag);
    stream_write_text(&session->stream, " OK [CAPABILITY ");
    stream_write(&session->stream, str_slice(&session->capabilities));
    stream_write_text(&session->stream, "] Logged in\r\n");
}

void imapsession_refuse(struct imapsession *session, struct slice tag)
{
    stream_write(&session->stream, tag);
    stream_write_text(&session->stream, " NO [UNAVAILABLE] The mailbox is not available\r\n");
    imapsession_bye(session, "[UNAVAILABLE] Try again later", "trouble");
    stream_flush(&session->stream);
}

void imapsession_bye(struct imapsession *session, const char *text, const char *how)
{
    stream_format(&session->stream, "* BYE %s\r\n", text);
    session->ended = true;
    session->how = how;
}

void imapsession_lost(struct imapsession *session, enum stream_result result)
{
    enum sessionend why = sessionend_came();
    if (result == STREAM_TIMEOUT) {
        imapsession_bye(session, "Autologout; idle for too long", "timeout");
        return;
    }
    if (result == STREAM_END && why != SESSIONEND_NOT) {
        imapsession_bye(session, sessionend_text(why), sessionend_name(why));
        return;
    }
    session->ended = true;
    session->how = result == STREAM_END ? "closed" : "error";
}

static void slim_str(struct str *str)
{
    if (str->size == 0 && str->capacity > IMAPSESSION_KEEP_BUFFER)
        str_free(str);
}

void imapsession_slim(struct imapsession *session)
{
    str_clear(&session->out);
    slim_str(&session->out);
    slim_str(&session->code);
    str_clear(&session->reader.text);
    slim_str(&session->reader.text);
    stream_slim(&session->stream, IMAPSESSION_KEEP_BUFFER);
}

void imapsession_rest(struct imapsession *session)
{
    imapsession_slim(session);
    if (session->compression)
        compression_slim(session->compression);
}

void imapsession_settle(struct imapsession *session)
{
    while (session->mailbox && mailbox_settle(session->mailbox, IMAPSESSION_SETTLE) &&
           !io_wait(session->stream.in, POLLIN, clock_deadline(0)))
        ;
}

/* Before the next command is waited for. */
static void wait_lightly(struct imapsession *session)
{
    imapsession_settle(session);
    imapsession_slim(session);
    if (session->compression &&
        !io_wait(session->stream.in, POLLIN, clock_deadline(IMAPSESSION_REST_MS)))
        compression_slim(session->compression);
    if (session->notify)
        notify_wait_for_command(session);
}

static void start_compression(struct imapsession *session)
{
    session->starts_compression = false;
    enum stream_result result =
        stream_set_filter(&session->stream, compression_filter(session->compression));
    if (result != STREAM_OK)
        imapsession_lost(session, result);
}

/* A command that could not be read whole. */
static void refuse(struct imapsession *session)
{
    struct reader *reader = &session->reader;
    struct slice tag = reader_tag(str_slice(&reader->text));
    struct str *out = imapsession_line(session);
    str_clear(out);
    str_append(out, tag);
    str_append_text(out, reader->too_big ? " NO [TOOBIG] " : " BAD ");
    str_append_text(out, reader->why);
    imapsession_send(session);
    session->commands++;
    if (++session->bad_in_row > IMAPSESSION_BAD_MAX)
        imapsession_bye(session, "[CLIENTBUG] Too many commands that make no sense",
                        "bad-commands");
}

bool imapsession_step(struct imapsession *session)
{
    if (!stream_has_input(&session->stream) && stream_flush(&session->stream) == STREAM_OK)
        wait_lightly(session);
    if (session->ended)
        return false;
    enum reader_result result = reader_next(&session->reader);
    if (sessionend_came() != SESSIONEND_NOT) { /* though the client has sent more */
        imapsession_lost(session, STREAM_END);
        return false;
    }
    switch (result) {
    case READER_COMMAND:
        imapcommand_run(session);
        break;
    case READER_MESSAGE:
        imapcommand_run_append(session);
        break;
    case READER_REFUSED:
        refuse(session);
        break;
    case READER_CLOSING:
        imapsession_bye(session, session->reader.why, "limit");
        break;
    case READER_GONE:
        imapsession_lost(session, session->reader.stream_result);
        break;
    }
    if (session->starts_compression && !session->ended)
        start_compression(session);
    if (session->stream.broken != STREAM_OK && !session->ended)
        imapsession_lost(session, session->stream.broken);
    return !session->ended;
}

void imapsession_run(struct imapsession *session)
{
    while (imapsession_step(session))
        ;
    stream_flush(&session->stream);
}

struct str *imapsession_line(struct imapsession *session)
{
    str_clear(&session->out);
    str_append_text(&session->out, "* ");
    return &session->out;
}

void imapsession_send(struct imapsession *session)
{
    struct str *out = &session->out;
    str_append_text(out, "\r\n");
    if (out->failed)
        imapsession_bye(session, "Out of memory", "memory");
    else
        stream_write(&session->stream, str_slice(out));
    str_clear(out);
}

void imapsession_unselect(struct imapsession *session)
{
    savedsearch_clear(&session->saved);
    searchcontext_clear(session);
    mailbox_close(&session->mailbox);
    session->told_exists = session->told_recent = session->told_keywords = 0;
    session->holds_back = false;
}

/* By name, and still the same folder: another session may have renamed ours and made a new one. */
bool imapsession_is_selected(const struct imapsession *session, const struct imapfolder *folder)
{
    struct stat ours, named;
    return session->mailbox && strcmp(folder->path, session->folder.path) == 0 &&
           fstat(session->mailbox->folder, &ours) == 0 && stat(folder->path, &named) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

typedef struct mailbox *mailbox_opener(int directory, const char *path);

static struct mailbox *open_read_only(int directory, const char *path)
{
    return mailbox_open(directory, path, true);
}

static struct mailbox *open_other(struct imapsession *session, const struct imapfolder *folder,
                                  mailbox_opener *open, enum answer *answer)
{
    bool for_change = open != open_read_only;
    if (imapsession_is_selected(session, folder) && (!for_change || !session->read_only))
        return session->mailbox;
    struct mailbox *mailbox = open(AT_FDCWD, folder->path);
    if (!mailbox)
        *answer = answer_from_errno(errno);
    return mailbox;
}

struct mailbox *imapsession_open_to_read(struct imapsession *session,
                                         const struct imapfolder *folder, enum answer *answer)
{
    return open_other(session, folder, open_read_only, answer);
}

struct mailbox *imapsession_open_to_empty(struct imapsession *session,
                                          const struct imapfolder *folder, enum answer *answer)
{
    return open_other(session, folder, mailbox_open_to_tend, answer);
}

struct mailbox *imapsession_open_to_fill(struct imapsession *session,
                                         const struct imapfolder *folder, enum answer *answer)
{
    struct mailbox *mailbox = open_other(session, folder, mailbox_open_to_fill, answer);
    if (!mailbox && *answer == ANSWER_NO_MAILBOX)
        *answer = ANSWER_TRY_CREATE;
    return mailbox;
}

void imapsession_close_other(struct imapsession *session, struct mailbox *mailbox)
{
    if (mailbox && mailbox != session->mailbox)
        mailbox_close(&mailbox);
}
