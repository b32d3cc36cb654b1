/* data - see data.h */
#include "data.h"

#include "number.h"

/* Reads to the end of the message. False: the session is over. */
static bool read_message(struct incoming *incoming)
{
    struct stream *stream = &incoming->session->stream;
    while (!incoming->decoder.ended) {
        struct slice bytes;
        if (!incoming_read(incoming, SESSION_INPUT_MAX, &bytes))
            return false;
        stream_unread(stream, bytes.size - incoming_take(incoming, bytes));
    }
    return true;
}

void data_receive(struct session *session, struct slice argument)
{
    if (argument.size > 0) {
        session_reply_detail(session, REPLY_SYNTAX, SLICE("DATA without parameters"));
        return;
    }
    /* RFC 3030 3: what may hold anything has no end that could be recognized. */
    if (session->envelope.body == ENVELOPE_BODY_BINARY) {
        session_reply(session, REPLY_BINARY_NEEDS_BDAT);
        return;
    }
    incoming_begin(session, INCOMING_DOTS);
    if (session->incoming.is_refused) {
        incoming_report(&session->incoming, false);
        session_reset(session);
        return;
    }
    session_reply(session, REPLY_DATA_GO);
    if (read_message(&session->incoming))
        incoming_finish(&session->incoming);
    session_reset(session);
}

/* ---- BDAT -------------------------------------------------------------------------------------*/

/* Reads the bytes of a chunk. False: the session is over. */
static bool read_chunk(struct incoming *incoming, uint64_t size)
{
    while (size > 0) {
        struct slice bytes;
        size_t most = size < SESSION_INPUT_MAX ? (size_t)size : (size_t)SESSION_INPUT_MAX;
        if (!incoming_read(incoming, most, &bytes))
            return false;
        size -= bytes.size;
        if (!incoming->is_refused)
            (void)incoming_take(incoming, bytes);
    }
    return true;
}

/* A chunk that belongs to no message: read, and answered with what is wrong. */
static void skip_chunk(struct session *session, uint64_t size, enum reply problem)
{
    incoming_begin_refused(session, problem);
    if (read_chunk(&session->incoming, size))
        session_reply(session, problem);
}

static void answer_chunk(struct session *session, const struct smtpcommand_bdat *chunk)
{
    char digits[NUMBER_TEXT_SIZE];
    struct incoming *incoming = &session->incoming;
    if (chunk->is_last) {
        incoming_finish(incoming);
        session_reset(session);
    } else if (incoming->is_refused) {
        /* RFC 3030 4.2: the client goes on with RSET, but may have sent more chunks by then. */
        incoming_report(incoming, false);
    } else {
        if (chunk->size > 0)
            session->counts.idle_commands = 0;
        session_reply_detail(session, REPLY_CHUNK_OK, number_format(chunk->size, digits));
    }
}

static void take_chunk(struct session *session, const struct smtpcommand_bdat *chunk)
{
    struct incoming *incoming = &session->incoming;
    if (session->state == SESSION_RCPT)
        incoming_begin(session, INCOMING_CHUNKS);
    session->state = SESSION_BDAT;
    /* What will be too big need not travel to the queue first. */
    if (incoming->decoder.size > session->size_limit ||
        chunk->size > session->size_limit - incoming->decoder.size)
        incoming_refuse(incoming, REPLY_TOO_BIG);
    if (read_chunk(incoming, chunk->size))
        answer_chunk(session, chunk);
}

void data_receive_chunk(struct session *session, struct slice argument)
{
    struct smtpcommand_bdat chunk;
    if (!smtpcommand_parse_bdat(argument, &chunk)) {
        session_reply(session, REPLY_CHUNK_BAD);
        return;
    }
    switch (session->state) {
    case SESSION_START:
        skip_chunk(session, chunk.size, REPLY_HELO_FIRST);
        break;
    case SESSION_READY:
        skip_chunk(session, chunk.size, REPLY_MAIL_FIRST);
        break;
    case SESSION_MAIL:
        skip_chunk(session, chunk.size, session_no_recipients(session));
        break;
    case SESSION_RCPT:
    case SESSION_BDAT:
    case SESSION_STATE_COUNT:
        take_chunk(session, &chunk);
        break;
    }
}
