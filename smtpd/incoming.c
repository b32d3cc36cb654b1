/* incoming - see incoming.h */
#include "incoming.h"

#include "allowance.h"
#include "clock.h"
#include "log.h"
#include "maildate.h"
#include "session.h"

#include <stdio.h>
#include <string.h>

enum {
    HEADER_SECTION_MAX = 1048576,
    /* How many times the wait for one read the whole of a message may take. */
    WAITS_MAX = 6,
    /* A client that ends lines wrongly may end the message wrongly too, and wait for our reply. */
    BARE_WAIT_MS = 5000,
};

void incoming_refuse(struct incoming *incoming, enum reply refusal)
{
    /* Line ends that leave it open where the message ends are the one thing that ends the session,
     * whatever was wrong before. */
    if (incoming->is_refused && refusal != REPLY_BARE_LINE_END)
        return;
    incoming_abort(incoming);
    incoming->is_refused = true;
    incoming->refusal = refusal;
}

void incoming_abort(struct incoming *incoming)
{
    if (incoming->is_open)
        inject_abort(&incoming->session->inject);
    incoming->is_open = false;
}

static void pass_on(void *owner, struct slice bytes)
{
    struct incoming *incoming = owner;
    if (!incoming->is_refused)
        inject_data(&incoming->session->inject, bytes);
}

/* ---- the beginning ----------------------------------------------------------------------------*/

/* A proxy that names its client has asked the DNS itself. */
static const char *client_name(struct session *session)
{
    return session->proxied.name[0] != '\0' ? session->proxied.name : vetting_name(session);
}

static void describe(const struct incoming *incoming, struct trace *trace)
{
    struct session *session = incoming->session;
    const struct envelope *envelope = &session->envelope;
    *trace = (struct trace){
        .service = session->peer->service_name,
        .client = session->peer->client,
        .name = client_name(session),
        .helo = slice_text(session->helo),
        .me = session->host.me,
        .id = incoming->id,
        .tls_version = session->tls.version,
        .tls_cipher = session->tls.cipher,
        .account = session->account,
        .is_extended = session->is_extended,
        .is_lmtp = session->peer->service == SESSION_LMTP,
        .utf8 = envelope->utf8,
        .recipient = envelope->recipient_count == 1 ? str_slice(&envelope->recipients[0].address)
                                                    : SLICE(""),
        .seconds = clock_seconds(),
    };
}

/* What a mail client leaves out is the submission server's to add (RFC 6409 8.1, 8.2); a message
 * from another server is nobody's to complete. */
static bool begin_header(struct incoming *incoming, int64_t seconds)
{
    struct session *session = incoming->session;
    char message_id[sizeof incoming->header.message_id];
    struct str date;
    if (!session_is_submission(session)) {
        header_init(&incoming->header, pass_on, incoming, NULL, NULL);
        return true;
    }
    snprintf(message_id, sizeof message_id, "Message-ID: <%s@%s>\r\n", incoming->id,
             session->host.me);
    str_init(&date, sizeof incoming->header.date);
    str_append_text(&date, "Date: ");
    maildate_format(&date, seconds);
    str_append_text(&date, "\r\n");
    const char *text = str_text(&date);
    if (text)
        header_init(&incoming->header, pass_on, incoming, text, message_id);
    str_free(&date);
    return text != NULL;
}

static bool open_message(struct incoming *incoming)
{
    struct session *session = incoming->session;
    struct trace trace;
    struct str received;
    describe(incoming, &trace);
    str_init(&received, TRACE_FIELD_MAX);
    str_clear(&session->envelope.origin);
    bool done = trace_origin(&trace, &session->envelope.origin) &&
                trace_received(&trace, &received) && begin_header(incoming, trace.seconds);
    if (done) {
        inject_begin(&session->inject, &session->envelope);
        inject_data(&session->inject, str_slice(&received));
        vetting_write_fields(session, &session->inject);
        incoming->is_open = true;
    }
    str_free(&received);
    return done;
}

/* A message may take its time: what was accepted before it is logged. */
static void reset(struct session *session)
{
    log_flush();
    session->incoming = (struct incoming){
        .session = session,
        .is_binary = session->envelope.body == ENVELOPE_BODY_BINARY,
        .deadline = clock_deadline((int64_t)session->host.data_timeout_ms * WAITS_MAX),
    };
}

static void name_message(struct incoming *incoming)
{
    struct str id = str_on(incoming->id, sizeof incoming->id);
    str_append_texts(&id, incoming->session->id, ".");
    str_append_number(&id, incoming->session->counts.messages + 1U);
    str_append_byte(&id, '\0');
}

void incoming_begin(struct session *session, enum incoming_framing framing)
{
    struct incoming *incoming = &session->incoming;
    reset(session);
    if (framing == INCOMING_DOTS)
        smtpdata_decoder_init(&incoming->decoder);
    else
        smtpdata_decoder_init_plain(&incoming->decoder);
    name_message(incoming);
    if (!vetting_takes_message(session))
        incoming_refuse(incoming, REPLY_GREYLISTED_MESSAGE);
    else if (!open_message(incoming))
        incoming_refuse(incoming, REPLY_TROUBLE);
}

void incoming_begin_refused(struct session *session, enum reply refusal)
{
    reset(session);
    smtpdata_decoder_init_plain(&session->incoming.decoder);
    incoming_refuse(&session->incoming, refusal);
}

/* ---- bytes ------------------------------------------------------------------------------------*/

static bool is_in_header(const struct incoming *incoming)
{
    return incoming->header.place != HEADER_ENDED;
}

static void check_limits(struct incoming *incoming)
{
    const struct session *session = incoming->session;
    const struct smtpdata_decoder *decoder = &incoming->decoder;
    /* Under BDAT it is certain where the message ends, and so the session may go on. */
    if (incoming->has_bare)
        incoming_refuse(incoming, decoder->is_plain ? REPLY_BARE_IN_CHUNK : REPLY_BARE_LINE_END);
    if (decoder->size > session->size_limit)
        incoming_refuse(incoming, REPLY_TOO_BIG);
    if (incoming->header.size > HEADER_SECTION_MAX)
        incoming_refuse(incoming, REPLY_HEADER_TOO_BIG);
    if (decoder->line_max > session->host.line_max && !incoming->is_binary)
        incoming_refuse(incoming, REPLY_LINE_OF_DATA_TOO_LONG);
    if (incoming->header.received > session->host.hops_max)
        incoming_refuse(incoming, REPLY_LOOP);
}

/* A binary body may hold what it likes; that its header may not, is judged line by line. */
static struct slice next_piece(const struct incoming *incoming, struct slice input)
{
    if (!incoming->is_binary || !is_in_header(incoming))
        return input;
    return slice_part(input, 0, slice_find(input, '\n') + 1);
}

static size_t take_piece(struct incoming *incoming, struct slice piece)
{
    size_t used = 0;
    while (used < piece.size && !incoming->decoder.ended) {
        struct slice run;
        bool counts = !incoming->is_binary || is_in_header(incoming);
        used += smtpdata_decode(&incoming->decoder, slice_from(piece, used), &run);
        if (run.size > 0 && !incoming->is_refused)
            header_take(&incoming->header, run);
        if (counts)
            incoming->has_bare = incoming->decoder.has_bare;
    }
    return used;
}

size_t incoming_take(struct incoming *incoming, struct slice input)
{
    size_t used = 0;
    while (used < input.size && !incoming->decoder.ended)
        used += take_piece(incoming, next_piece(incoming, slice_from(input, used)));
    check_limits(incoming);
    return used;
}

bool incoming_read(struct incoming *incoming, size_t max, struct slice *bytes)
{
    struct session *session = incoming->session;
    struct stream *stream = &session->stream;
    bool is_doubtful = incoming->has_bare && !incoming->decoder.is_plain;
    stream->timeout_ms = (int64_t)session->host.data_timeout_ms;
    if (is_doubtful && stream->timeout_ms > BARE_WAIT_MS)
        stream->timeout_ms = BARE_WAIT_MS;
    stream->deadline = incoming->deadline;
    enum stream_result result = stream_bytes(stream, max, bytes);
    if (result == STREAM_OK)
        return true;
    if (result == STREAM_TIMEOUT && is_doubtful) {
        *bytes = SLICE("");
        incoming->decoder.ended = true;
        return true;
    }
    if (result == STREAM_TIMEOUT)
        session_reply(session, REPLY_TIMEOUT);
    else
        session_end(session, "disconnected within a message");
    return false;
}

/* ---- the end ----------------------------------------------------------------------------------*/

/* RFC 2033 4.2: LMTP answers for each recipient that was accepted. It is one error all the same. */
static void answer(struct incoming *incoming, enum reply name, struct slice detail)
{
    struct session *session = incoming->session;
    unsigned errors = session->counts.errors;
    unsigned count = session->peer->service == SESSION_LMTP ? session->accepted : 1;
    for (unsigned i = 0; i < count; i++)
        session_reply_detail(session, name, detail);
    if (session->counts.errors > errors + 1)
        session->counts.errors = errors + 1;
}

void incoming_report(struct incoming *incoming, bool for_all)
{
    struct session *session = incoming->session;
    unsigned errors = session->counts.errors;
    bool is_first = !incoming->is_reported;
    incoming->is_reported = true;
    if (is_first)
        session_log_refused(session, incoming->refusal, "sender",
                            str_slice(&session->envelope.sender));
    if (for_all)
        answer(incoming, incoming->refusal, SLICE(""));
    else
        session_reply(session, incoming->refusal);
    if (!is_first)
        session->counts.errors = errors;
}

static void log_accepted(struct incoming *incoming, struct slice queue_id)
{
    const struct session *session = incoming->session;
    struct log_line line;
    log_begin(&line, "accepted");
    log_value(&line, "id", queue_id);
    log_text(&line, "session", session->id);
    log_value(&line, "sender", str_slice(&session->envelope.sender));
    log_number(&line, "recipients", (int64_t)session->envelope.recipient_count);
    log_number(&line, "size", (int64_t)incoming->decoder.size);
    log_value(&line, "origin", str_slice(&session->envelope.origin));
    log_end_later(&line); /* often the session ends with the message */
}

static void accept_message(struct incoming *incoming, struct slice queue_id)
{
    struct session *session = incoming->session;
    session->counts.messages++;
    session->counts.recipients += (unsigned)session->envelope.recipient_count;
    session->counts.idle_commands = 0;
    log_accepted(incoming, queue_id);
    answer(incoming, REPLY_ACCEPTED, queue_id);
    allowance_count(session);
}

/* The reason as queue-inject gave it, with an enhanced status in front where it has none. */
static void reply_not_queued(struct incoming *incoming, enum reply name, const char *status,
                             struct slice reason)
{
    struct str detail;
    str_init(&detail, INJECT_REPLY_MAX + 8);
    if (!slice_starts(reason, slice_part(slice_text(status), 0, 2)))
        str_format(&detail, "%s ", status);
    str_append(&detail, reason);
    answer(incoming, name, str_slice(&detail));
    str_free(&detail);
}

static void log_not_queued(struct incoming *incoming, struct slice reason)
{
    struct log_line line;
    log_begin(&line, "not-queued");
    log_text(&line, "session", incoming->session->id);
    log_value(&line, "sender", str_slice(&incoming->session->envelope.sender));
    log_value(&line, "reason", reason);
    log_end(&line);
}

static void queue(struct incoming *incoming)
{
    struct str reply;
    str_init(&reply, INJECT_REPLY_MAX);
    incoming->is_open = false;
    switch (inject_finish(&incoming->session->inject, &reply)) {
    case VERDICT_OK:
        accept_message(incoming, str_slice(&reply));
        break;
    case VERDICT_TEMP:
        log_not_queued(incoming, str_slice(&reply));
        reply_not_queued(incoming,
                         slice_starts(str_slice(&reply), SLICE("4.3.1")) ? REPLY_QUEUE_FULL
                                                                         : REPLY_QUEUE_TROUBLE,
                         "4.3.0", str_slice(&reply));
        break;
    case VERDICT_PERM:
        log_not_queued(incoming, str_slice(&reply));
        reply_not_queued(incoming, REPLY_QUEUE_REFUSED, "5.6.0", str_slice(&reply));
        break;
    }
    str_free(&reply);
}

/* A last line without line end gets one, so that whoever sends the text on by DATA, and whoever
 * puts a header in front, finds whole lines; a binary body stays as it is. */
static void end_last_line(struct incoming *incoming)
{
    bool is_whole = incoming->decoder.place == SMTPDATA_LINE_START;
    if (!is_whole && (!incoming->is_binary || is_in_header(incoming)))
        header_take(&incoming->header, SLICE("\r\n"));
}

void incoming_finish(struct incoming *incoming)
{
    bool is_text = !incoming->is_binary || is_in_header(incoming);
    smtpdata_decode_end(&incoming->decoder);
    incoming->has_bare = incoming->has_bare || (is_text && incoming->decoder.has_bare);
    check_limits(incoming);
    if (incoming->is_refused) {
        incoming_report(incoming, true);
        return;
    }
    if (incoming->decoder.is_plain)
        end_last_line(incoming);
    header_finish(&incoming->header);
    queue(incoming);
}
