/* pop3session - see pop3session.h */
#include "pop3session.h"

#include "clock.h"
#include "international.h"
#include "io.h"
#include "log.h"
#include "number.h"
#include "outgoing.h"
#include "pop3command.h"
#include "pop3reply.h"
#include "sessionend.h"

#include <errno.h>
#include <string.h>

enum { READ_SIZE = 65536 };

bool pop3session_init(struct pop3session *session, const struct pop3session_peer *peer, int in,
                      int out, struct slice pending)
{
    *session = (struct pop3session){.peer = peer, .began_ms = clock_ms()};
    session->maildrop.lock = -1;
    if (peer->terms.japanese)
        session->language = POP3LANGUAGE_JAPANESE;
    size_t input_max = pending.size > POP3SESSION_INPUT_MAX ? pending.size : POP3SESSION_INPUT_MAX;
    return stream_init(&session->stream, in, out, input_max, POP3SESSION_IDLE_MS) &&
           stream_push_pending(&session->stream, pending);
}

void pop3session_free(struct pop3session *session)
{
    maildrop_close(&session->maildrop);
    stream_free(&session->stream);
}

static void end(struct pop3session *session, const char *why)
{
    if (!session->end)
        session->end = why;
}

static void reply(struct pop3session *session, enum pop3reply name)
{
    pop3reply_send(&session->stream, session->language, name, SLICE(""));
    if (!pop3reply_is_error(name))
        return;
    if (++session->counts.errors == POP3SESSION_ERRORS_MAX) {
        pop3reply_send(&session->stream, session->language, POP3REPLY_ERRORS_TOO_MANY, SLICE(""));
        end(session, "errors");
    }
}

static void reply_syntax(struct pop3session *session, const char *syntax)
{
    session->counts.errors++;
    pop3reply_send(&session->stream, session->language, POP3REPLY_SYNTAX, slice_text(syntax));
}

/* ---- the commands ------------------------------------------------------------------------------
 */

/* The message that a word names; 0, and an answer, when there is none. */
static size_t find_message(struct pop3session *session, struct slice word)
{
    size_t number;
    if (!pop3command_number(word, session->maildrop.count, &number)) {
        reply(session, POP3REPLY_NO_SUCH_MESSAGE);
        return 0;
    }
    if (maildrop_is_deleted(&session->maildrop, number)) {
        reply(session, POP3REPLY_IS_DELETED);
        return 0;
    }
    return number;
}

static void say_stat(struct pop3session *session, struct slice argument)
{
    size_t count;
    uint64_t bytes;
    (void)argument;
    maildrop_total(&session->maildrop, &count, &bytes);
    stream_format(&session->stream, "+OK %zu %llu\r\n", count, (unsigned long long)bytes);
}

/* Listings may be long, so each line is put together without the machinery of a format. */
static void put_list_line(struct pop3session *session, size_t number)
{
    char line[NUMBER_TEXT_SIZE * 2 + 3], digits[NUMBER_TEXT_SIZE];
    struct slice text = number_format(number, digits);
    size_t size = text.size;
    memcpy(line, text.data, size);
    line[size++] = ' ';
    text = number_format(maildrop_size(&session->maildrop, number), digits);
    memcpy(line + size, text.data, text.size);
    size += text.size;
    line[size++] = '\r';
    line[size++] = '\n';
    stream_write(&session->stream, slice_of(line, size));
}

static void put_uidl_line(struct pop3session *session, size_t number)
{
    char line[NUMBER_TEXT_SIZE + MAILDROP_UNIQUE_SIZE + 3], digits[NUMBER_TEXT_SIZE];
    struct slice text = number_format(number, digits);
    size_t size = text.size;
    memcpy(line, text.data, size);
    line[size++] = ' ';
    size += maildrop_unique(&session->maildrop, number, line + size);
    line[size++] = '\r';
    line[size++] = '\n';
    stream_write(&session->stream, slice_of(line, size));
}

/* The message that is a command's one argument; 0 when there is none, which is answered. */
static size_t take_message(struct pop3session *session, struct slice argument, const char *syntax)
{
    struct slice word;
    if (pop3command_one(argument, &word))
        return find_message(session, word);
    reply_syntax(session, syntax);
    return 0;
}

typedef void put_line(struct pop3session *session, size_t number);

static void say_listing(struct pop3session *session, struct slice argument, const char *syntax,
                        put_line *put)
{
    if (slice_trim(argument).size == 0) {
        reply(session, POP3REPLY_OK);
        for (size_t number = 1; number <= session->maildrop.count; number++)
            if (!maildrop_is_deleted(&session->maildrop, number))
                put(session, number);
        stream_write(&session->stream, SLICE(".\r\n"));
        return;
    }
    size_t number = take_message(session, argument, syntax);
    if (number == 0)
        return;
    stream_write(&session->stream, SLICE("+OK "));
    put(session, number);
}

static void say_list(struct pop3session *session, struct slice argument)
{
    say_listing(session, argument, "LIST [message]", put_list_line);
}

static void say_uidl(struct pop3session *session, struct slice argument)
{
    say_listing(session, argument, "UIDL [message]", put_uidl_line);
}

/* A part of a message as it is read. */
struct chunk {
    char bytes[READ_SIZE];
    ssize_t got; /* 0: no more, though there should be; -1: errno */
};

static void read_chunk(int fd, struct chunk *chunk)
{
    chunk->got = io_read(fd, chunk->bytes, sizeof chunk->bytes, CLOCK_NEVER);
}

/* `size` as the disk has it: saves a read that only finds the end. The first chunk is there. */
static void send_file(struct pop3session *session, int fd, struct chunk *chunk, uint64_t size,
                      uint64_t body_lines)
{
    struct outgoing outgoing;
    bool more = true;
    outgoing_begin(&outgoing, &session->stream, body_lines);
    for (uint64_t done = 0; done < size && more; done += (uint64_t)chunk->got) {
        if (done > 0)
            read_chunk(fd, chunk);
        if (chunk->got <= 0)
            break;
        more = outgoing_feed(&outgoing, slice_of(chunk->bytes, (size_t)chunk->got));
    }
    session->counts.bytes += outgoing.bytes;
    if (chunk->got <= 0 && size > 0) {
        /* "+OK" is out: only a closed connection tells the client that this isn't all. */
        log_trouble("read", "a message", chunk->got < 0 ? errno : EPROTO, "check the disk");
        end(session, "read-trouble");
        return;
    }
    outgoing_end(&outgoing);
    session->counts.retrieved++;
}

/* Nothing has been said yet. */
static bool may_send(struct pop3session *session, const struct chunk *chunk, uint64_t size)
{
    if (size > 0 && chunk->got <= 0) {
        log_trouble("read", "a message", chunk->got < 0 ? errno : EPROTO, "check the disk");
        reply(session, POP3REPLY_READ_TROUBLE);
        return false;
    }
    /* RFC 6856 2.1 */
    if (size > 0 && !session->peer->terms.utf8 &&
        international_is(slice_of(chunk->bytes, (size_t)chunk->got))) {
        reply(session, POP3REPLY_NEEDS_UTF8);
        return false;
    }
    return true;
}

static void send_opened(struct pop3session *session, int fd, size_t number, uint64_t body_lines)
{
    struct chunk chunk;
    chunk.got = 0;
    uint64_t size = maildrop_message(&session->maildrop, number)->size;
    if (size > 0)
        read_chunk(fd, &chunk);
    if (!may_send(session, &chunk, size))
        return;
    if (body_lines == OUTGOING_ALL)
        stream_format(&session->stream, "+OK %llu octets\r\n",
                      (unsigned long long)maildrop_size(&session->maildrop, number));
    else
        reply(session, POP3REPLY_OK);
    send_file(session, fd, &chunk, size, body_lines);
}

static void log_unopened(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    char name[MAILBOX_NAME_SIZE];
    int error = errno;
    log_trouble("open", mailbox_name(mailbox, message, name) ? name : "a message", error,
                "check the owner of the file");
    errno = error;
}

static void send_message(struct pop3session *session, size_t number, uint64_t body_lines)
{
    struct mailbox_message *message = maildrop_message(&session->maildrop, number);
    int fd = mailbox_open_message(session->maildrop.mailbox, message);
    if (fd < 0) {
        if (errno != ENOENT)
            log_unopened(session->maildrop.mailbox, message);
        reply(session, errno == ENOENT ? POP3REPLY_IS_GONE : POP3REPLY_READ_TROUBLE);
        return;
    }
    send_opened(session, fd, number, body_lines);
    io_close(&fd);
}

static void say_retr(struct pop3session *session, struct slice argument)
{
    size_t number = take_message(session, argument, "RETR message");
    if (number > 0)
        send_message(session, number, OUTGOING_ALL);
}

static void say_top(struct pop3session *session, struct slice argument)
{
    struct slice word, lines;
    uint64_t body_lines;
    if (!pop3command_two(argument, &word, &lines) ||
        !number_parse(lines, OUTGOING_ALL - 1, &body_lines)) {
        reply_syntax(session, "TOP message lines");
        return;
    }
    size_t number = find_message(session, word);
    if (number > 0)
        send_message(session, number, body_lines);
}

static void say_dele(struct pop3session *session, struct slice argument)
{
    size_t number = take_message(session, argument, "DELE message");
    if (number > 0) {
        maildrop_delete(&session->maildrop, number);
        reply(session, POP3REPLY_OK);
    }
}

static void say_noop(struct pop3session *session, struct slice argument)
{
    (void)argument;
    reply(session, POP3REPLY_OK);
}

static void say_rset(struct pop3session *session, struct slice argument)
{
    (void)argument;
    maildrop_reset(&session->maildrop);
    reply(session, POP3REPLY_OK);
}

/* RFC 2449 5: what can be said in this state. */
static void say_capa(struct pop3session *session, struct slice argument)
{
    (void)argument;
    const struct terms *terms = &session->peer->terms;
    struct stream *stream = &session->stream;
    reply(session, POP3REPLY_CAPA);
    stream_write(stream, SLICE("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                               "UTF8 USER\r\nLANG\r\n"));
    if (terms->login_delay > 0)
        stream_format(stream, "LOGIN-DELAY %llu\r\n", (unsigned long long)terms->login_delay);
    if (terms->expire > 0)
        stream_format(stream, "EXPIRE %llu\r\n", (unsigned long long)terms->expire);
    else
        stream_write(stream, SLICE("EXPIRE NEVER\r\n"));
    stream_write(stream, SLICE("IMPLEMENTATION mail-suite\r\n.\r\n"));
}

static void say_lang(struct pop3session *session, struct slice argument)
{
    struct slice tag = slice_trim(argument);
    if (tag.size == 0)
        pop3language_list(&session->stream, session->language);
    else
        reply(session, pop3language_named(tag, &session->language) ? POP3REPLY_LANGUAGE
                                                                   : POP3REPLY_LANGUAGE_UNKNOWN);
}

static void say_quit(struct pop3session *session, struct slice argument)
{
    (void)argument;
    size_t failed = maildrop_update(&session->maildrop);
    session->counts.removed = session->maildrop.deleted_count - failed;
    if (failed > 0)
        log_trouble("remove", "messages", session->maildrop.mailbox->error,
                    "check the owner and the disk of the Maildir");
    pop3reply_send(&session->stream, session->language,
                   failed > 0 ? POP3REPLY_NOT_ALL_DELETED : POP3REPLY_BYE, SLICE(""));
    end(session, "quit");
}

/* ---- the dialogue ------------------------------------------------------------------------------
 */

typedef void handler(struct pop3session *session, struct slice argument);

static handler *const handlers[POP3COMMAND_COUNT] = {
    [POP3COMMAND_CAPA] = say_capa, [POP3COMMAND_DELE] = say_dele, [POP3COMMAND_LANG] = say_lang,
    [POP3COMMAND_LIST] = say_list, [POP3COMMAND_NOOP] = say_noop, [POP3COMMAND_QUIT] = say_quit,
    [POP3COMMAND_RETR] = say_retr, [POP3COMMAND_RSET] = say_rset, [POP3COMMAND_STAT] = say_stat,
    [POP3COMMAND_TOP] = say_top,   [POP3COMMAND_UIDL] = say_uidl,
};

static void dispatch(struct pop3session *session, struct slice line)
{
    struct pop3command command;
    switch (pop3command_parse(line, &command)) {
    case POP3COMMAND_LINE_TOO_LONG:
        reply(session, POP3REPLY_LINE_TOO_LONG);
        return;
    case POP3COMMAND_LINE_BAD:
        reply(session, POP3REPLY_LINE_BAD);
        return;
    case POP3COMMAND_LINE_OK:
        break;
    }
    if (handlers[command.verb])
        handlers[command.verb](session, command.argument);
    else
        reply(session, POP3REPLY_UNKNOWN_COMMAND);
}

static void end_by_stream(struct pop3session *session, enum stream_result result)
{
    end(session, stream_end_name(result));
}

/* Told so from outside; what the client sends meanwhile counts for nothing. */
static bool is_over(struct pop3session *session)
{
    enum sessionend why = sessionend_came();
    if (why == SESSIONEND_NOT)
        return false;
    pop3reply_send(&session->stream, session->language, POP3REPLY_SESSION_OVER,
                   slice_text(sessionend_text(why)));
    end(session, sessionend_name(why));
    return true;
}

static void serve(struct pop3session *session)
{
    struct stream *stream = &session->stream;
    while (!session->end) {
        struct slice line;
        enum stream_result result = stream_line(stream, POP3COMMAND_LINE_MAX, &line);
        if (is_over(session))
            break;
        if (result == STREAM_OK) {
            dispatch(session, line);
        } else if (result == STREAM_TOO_LONG) {
            reply(session, POP3REPLY_LINE_TOO_LONG);
            result = stream_skip_line(stream);
        }
        if (result != STREAM_OK)
            end_by_stream(session, result);
        else if (stream->broken != STREAM_OK)
            end_by_stream(session, stream->broken);
    }
}

static void log_session(const struct pop3session *session)
{
    struct log_line line;
    log_begin(&line, "session");
    log_text(&line, "account", session->peer->account);
    log_text(&line, "client", session->peer->client);
    log_text(&line, "tls", session->peer->tls);
    log_number(&line, "messages", (int64_t)session->counts.messages);
    log_number(&line, "retrieved", (int64_t)session->counts.retrieved);
    log_number(&line, "bytes", (int64_t)session->counts.bytes);
    log_number(&line, "deleted", (int64_t)session->counts.removed);
    log_number(&line, "ms", clock_ms() - session->began_ms);
    log_text(&line, "end", session->end);
    log_end(&line);
}

/* RFC 2449 8.1.1 */
static void reply_too_soon(struct pop3session *session)
{
    char digits[NUMBER_TEXT_SIZE];
    pop3reply_send(&session->stream, session->language, POP3REPLY_TOO_SOON,
                   number_format(session->peer->terms.login_delay, digits));
}

static void reply_trouble(struct pop3session *session)
{
    pop3reply_send(&session->stream, session->language, POP3REPLY_MAILBOX_TROUBLE, SLICE(""));
    end(session, "mailbox-trouble");
}

void pop3session_refuse(struct pop3session *session)
{
    reply_trouble(session);
    (void)stream_flush(&session->stream);
    log_session(session);
}

void pop3session_run(struct pop3session *session, int directory, const char *path)
{
    switch (maildrop_open(&session->maildrop, directory, path, session->peer->terms.login_delay)) {
    case MAILDROP_OK:
        pop3reply_send(&session->stream, session->language, POP3REPLY_WELCOME, SLICE(""));
        serve(session);
        break;
    case MAILDROP_IN_USE:
        pop3reply_send(&session->stream, session->language, POP3REPLY_IN_USE, SLICE(""));
        end(session, "in-use");
        break;
    case MAILDROP_TOO_SOON:
        reply_too_soon(session);
        end(session, "too-soon");
        break;
    case MAILDROP_TROUBLE:
        log_trouble("open", path, errno, "check the Maildir's owner and modes");
        reply_trouble(session);
        break;
    }
    /* Before the last answer leaves: a client may be back the moment it has it. */
    session->counts.messages = session->maildrop.count;
    maildrop_close(&session->maildrop);
    (void)stream_flush(&session->stream);
    log_session(session);
}
