/* append - see append.h */
#include "append.h"

#include "imapname.h"

#include "maildate.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static bool parse_flags(struct parse *parse, struct append_arguments *arguments)
{
    if (parse_peek(parse) != '(')
        return true;
    enum flags_result result = flags_parse(parse, false, &arguments->flags);
    arguments->flags_bad = result == FLAGS_UNKNOWN;
    return result != FLAGS_SYNTAX && parse_space(parse);
}

static bool parse_date(struct parse *parse, struct append_arguments *arguments)
{
    struct slice text;
    if (parse_peek(parse) != '"')
        return true;
    return parse_string(parse, &text) && maildate_parse_imap(text, &arguments->date) &&
           parse_space(parse);
}

bool append_parse(struct parse *parse, struct append_arguments *arguments)
{
    struct literal literal;
    *arguments = (struct append_arguments){0};
    if (!parse_astring(parse, &arguments->mailbox) || !parse_space(parse) ||
        !parse_flags(parse, arguments) || !parse_date(parse, arguments))
        return false;
    struct slice rest = slice_from(parse->text, parse->at);
    return literal_at_end(rest, &literal) && literal.start == 0;
}

/* ---- the message ------------------------------------------------------------------------------
 */

/* Where the bytes of the literal go; a writer that fails makes the rest be dropped. */
struct sink {
    struct mailbox_append append;
    bool open;
    enum answer answer; /* ANSWER_DONE while all is well */
};

static void sink_fail(struct sink *sink, enum answer answer)
{
    if (sink->open)
        mailbox_append_abort(&sink->append);
    sink->open = false;
    if (sink->answer == ANSWER_DONE)
        sink->answer = answer;
}

static void sink_write(struct sink *sink, struct slice bytes)
{
    if (!sink->open)
        return;
    if (slice_has(bytes, '\0'))
        sink_fail(sink, ANSWER_NUL);
    else if (!mailbox_append_write(&sink->append, bytes))
        sink_fail(sink, answer_from_errno(sink->append.delivery.error));
}

/* Reads the whole literal. False: the client is gone. */
static bool read_literal(struct imapsession *session, uint64_t size, struct sink *sink)
{
    while (size > 0) {
        struct slice bytes;
        size_t most = size < STREAM_INPUT_SIZE ? (size_t)size : STREAM_INPUT_SIZE;
        enum stream_result result = stream_bytes(&session->stream, most, &bytes);
        if (result != STREAM_OK) {
            imapsession_lost(session, result);
            return false;
        }
        sink_write(sink, bytes);
        size -= bytes.size;
    }
    return true;
}

/* Clients send a literal and the line end behind it by two writes, and their kernel (Nagle) holds
 * the second back till the first is acknowledged: without this 40 ms later. */
static void acknowledge(const struct imapsession *session)
{
    int on = 1;
    (void)setsockopt(session->stream.in, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

/* What follows the literal: nothing but the line end. */
static bool read_line_end(struct imapsession *session, struct sink *sink)
{
    struct reader *reader = &session->reader;
    if (stream_pending(&session->stream).size == 0)
        acknowledge(session);
    switch (reader_finish(reader)) {
    case READER_COMMAND:
        if (reader->text.size > 0)
            sink_fail(sink, ANSWER_NO_MORE);
        return true;
    case READER_MESSAGE:
    case READER_REFUSED:
        sink_fail(sink, ANSWER_NO_MORE);
        return true;
    case READER_CLOSING:
        imapsession_bye(session, reader->why, "limit");
        break;
    case READER_GONE:
        imapsession_lost(session, reader->stream_result);
        break;
    }
    return false;
}

static void tell_uid(struct imapsession *session, const struct mailbox *mailbox, uint32_t uid)
{
    str_format(&session->code, "APPENDUID %lu %lu", (unsigned long)mailbox->uidvalidity,
               (unsigned long)uid);
}

static enum answer take_message(struct imapsession *session, struct mailbox *mailbox,
                                const struct append_arguments *arguments, uint64_t size)
{
    struct sink sink = {.answer = ANSWER_DONE};
    uint32_t uid;
    sink.append.flags = arguments->flags.flags;
    sink.append.date = arguments->date;
    if (!flags_keywords(mailbox, &arguments->flags, true, &sink.append.keywords))
        sink.append.keywords = 0; /* better a message without its label than no message */
    sink.open = mailbox_append_begin(mailbox, &sink.append);
    if (!sink.open)
        sink.answer = answer_from_errno(errno);
    if (!read_literal(session, size, &sink) || !read_line_end(session, &sink)) {
        sink_fail(&sink, ANSWER_TROUBLE);
        return sink.answer;
    }
    if (sink.open) {
        sink.open = false;
        if (mailbox_append_commit(mailbox, &sink.append, &uid))
            tell_uid(session, mailbox, uid);
        else
            sink.answer = answer_from_errno(errno);
    }
    return sink.answer;
}

/* Refuses before the message came; one that comes unasked is read and dropped. */
static enum answer refuse(struct imapsession *session, const struct literal *literal,
                          enum answer answer)
{
    struct sink nowhere = {.answer = answer};
    if (literal->waits)
        return answer;
    if (literal->too_long || literal->size > IMAPSESSION_MESSAGE_MAX)
        imapsession_bye(session, "[TOOBIG] Message too large", "limit");
    else if (read_literal(session, literal->size, &nowhere))
        read_line_end(session, &nowhere);
    return answer;
}

enum answer append_run(struct imapsession *session, const struct append_arguments *arguments)
{
    struct literal literal = session->reader.literal;
    struct imapfolder folder;
    enum answer answer = ANSWER_DONE;
    if (literal.too_long || literal.size > imapsession_message_max(session))
        return refuse(session, &literal, ANSWER_TOO_BIG);
    if (arguments->flags_bad)
        return refuse(session, &literal, ANSWER_BAD_FLAG);
    if (literal.size == 0) /* RFC 3502: "{0}" calls an APPEND off */
        return refuse(session, &literal, ANSWER_EMPTY);
    if (imapname_take(session, arguments->mailbox, &folder) != ANSWER_DONE)
        return refuse(session, &literal, ANSWER_BAD_NAME);
    struct mailbox *mailbox = imapsession_open_to_fill(session, &folder, &answer);
    if (!mailbox)
        return refuse(session, &literal, answer);
    reader_accept(&session->reader);
    answer = take_message(session, mailbox, arguments, literal.size);
    imapsession_close_other(session, mailbox);
    return answer;
}
