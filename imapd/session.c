/* session - see session.h */
#include "session.h"

#include "capability.h"
#include "clock.h"
#include "command.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const struct reader_limits limits = {
    .line = SESSION_LINE_MAX,
    .literal = SESSION_LITERAL_MAX,
    .command = SESSION_COMMAND_MAX,
};

bool session_begin(struct session *session, int in, int out, struct slice pending)
{
    session->how = "trouble";
    arena_init(&session->arena, SESSION_ARENA_MAX);
    str_init(&session->out, SESSION_OUT_MAX);
    str_init(&session->code, SESSION_COMMAND_MAX);
    bool begun = stream_init(&session->stream, in, out, reader_input_max(&limits), SESSION_IDLE_MS);
    reader_init(&session->reader, &session->stream, &limits, command_takes_literal, session);
    return begun && (pending.size == 0 || stream_push_pending(&session->stream, pending));
}

void session_end(struct session *session)
{
    session_unselect(session);
    reader_free(&session->reader);
    stream_free(&session->stream);
    str_free(&session->out);
    str_free(&session->code);
    arena_free(&session->arena);
}

void session_greet(struct session *session, struct slice tag)
{
    stream_write(&session->stream, tag);
    stream_write_text(&session->stream,
                      " OK [CAPABILITY " CAPABILITY_AFTER_LOGIN "] Logged in\r\n");
}

void session_refuse(struct session *session, struct slice tag)
{
    stream_write(&session->stream, tag);
    stream_write_text(&session->stream, " NO [UNAVAILABLE] The mailbox is not available\r\n");
    session_bye(session, "Try again later", "trouble");
    stream_flush(&session->stream);
}

void session_bye(struct session *session, const char *text, const char *how)
{
    stream_format(&session->stream, "* BYE %s\r\n", text);
    session->ended = true;
    session->how = how;
}

void session_lost(struct session *session, enum stream_result result)
{
    if (result == STREAM_TIMEOUT) {
        session_bye(session, "Autologout; idle for too long", "timeout");
        return;
    }
    session->ended = true;
    session->how = result == STREAM_END ? "closed" : "error";
}

static void slim_str(struct str *str)
{
    if (str->size == 0 && str->capacity > SESSION_KEEP_BUFFER)
        str_free(str);
}

void session_slim(struct session *session)
{
    str_clear(&session->out);
    slim_str(&session->out);
    slim_str(&session->code);
    slim_str(&session->stream.output);
    str_clear(&session->reader.text);
    slim_str(&session->reader.text);
    if (stream_pending(&session->stream).size == 0) {
        stream_discard_pending(&session->stream);
        slim_str(&session->stream.input);
    }
}

/* A command that could not be read whole. */
static void refuse(struct session *session)
{
    struct reader *reader = &session->reader;
    struct slice tag = reader_tag(str_slice(&reader->text));
    struct str *out = session_line(session);
    str_clear(out);
    str_append(out, tag);
    str_append_text(out, reader->too_big ? " NO [TOOBIG] " : " BAD ");
    str_append_text(out, reader->why);
    session_send(session);
    session->commands++;
    if (++session->bad_in_row > SESSION_BAD_MAX)
        session_bye(session, "Too many commands that make no sense", "bad-commands");
}

bool session_step(struct session *session)
{
    if (stream_pending(&session->stream).size == 0 && stream_flush(&session->stream) == STREAM_OK)
        session_slim(session);
    switch (reader_next(&session->reader)) {
    case READER_COMMAND:
        command_run(session);
        break;
    case READER_MESSAGE:
        command_run_append(session);
        break;
    case READER_REFUSED:
        refuse(session);
        break;
    case READER_CLOSING:
        session_bye(session, session->reader.why, "limit");
        break;
    case READER_GONE:
        session_lost(session, session->reader.stream_result);
        break;
    }
    if (session->stream.broken != STREAM_OK && !session->ended)
        session_lost(session, session->stream.broken);
    return !session->ended;
}

void session_run(struct session *session)
{
    while (session_step(session))
        ;
    stream_flush(&session->stream);
}

struct str *session_line(struct session *session)
{
    str_clear(&session->out);
    str_append_text(&session->out, "* ");
    return &session->out;
}

void session_send(struct session *session)
{
    struct str *out = &session->out;
    str_append_text(out, "\r\n");
    if (out->failed)
        session_bye(session, "Out of memory", "memory");
    else
        stream_write(&session->stream, str_slice(out));
    str_clear(out);
}

void session_unselect(struct session *session)
{
    mailbox_close(&session->mailbox);
    session->told_exists = session->told_recent = session->told_keywords = 0;
}

static bool is_selected(const struct session *session, const struct folder *folder)
{
    return session->mailbox && strcmp(folder->path, session->folder.path) == 0;
}

static struct mailbox *open_other(struct session *session, const struct folder *folder,
                                  bool for_change, enum answer *answer)
{
    if (is_selected(session, folder) && (!for_change || !session->read_only))
        return session->mailbox;
    struct mailbox *mailbox = mailbox_open(AT_FDCWD, folder->path, !for_change);
    if (!mailbox)
        *answer = answer_from_errno(errno);
    return mailbox;
}

struct mailbox *session_open_to_read(struct session *session, const struct folder *folder,
                                     enum answer *answer)
{
    return open_other(session, folder, false, answer);
}

struct mailbox *session_open_to_fill(struct session *session, const struct folder *folder,
                                     enum answer *answer)
{
    struct mailbox *mailbox = open_other(session, folder, true, answer);
    if (!mailbox && *answer == ANSWER_NO_MAILBOX)
        *answer = ANSWER_TRY_CREATE;
    return mailbox;
}

void session_close_other(struct session *session, struct mailbox *mailbox)
{
    if (mailbox && mailbox != session->mailbox)
        mailbox_close(&mailbox);
}
