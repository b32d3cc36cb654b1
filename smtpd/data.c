/* data - see data.h */
#include "data.h"

#include "allowance.h"
#include "clock.h"
#include "header.h"
#include "log.h"
#include "maildate.h"
#include "smtpdata.h"

#include <stdio.h>
#include <string.h>

enum {
    HEADER_SECTION_MAX = 1048576,
    /* How many times the wait for one read the whole of DATA may take. */
    DATA_WAITS_MAX = 6,
    /* A client that ends lines wrongly may end the message wrongly too, and wait for our reply. */
    DATA_BARE_WAIT_MS = 5000,
};

/* One message on its way in. */
struct incoming {
    struct session *session;
    struct smtpdata_decoder decoder;
    struct header header;
    bool is_refused;
    enum reply refusal; /* the first thing that was wrong with it */
    char id[SESSION_ID_MAX + 16];
};

static void refuse(struct incoming *incoming, enum reply refusal)
{
    if (incoming->is_refused && refusal != REPLY_BARE_LINE_END)
        return;
    if (!incoming->is_refused)
        inject_abort(&incoming->session->inject);
    incoming->is_refused = true;
    incoming->refusal = refusal;
}

static void pass_on(void *owner, struct slice bytes)
{
    struct incoming *incoming = owner;
    if (!incoming->is_refused)
        inject_data(&incoming->session->inject, bytes);
}

static void describe(const struct incoming *incoming, struct trace *trace)
{
    const struct session *session = incoming->session;
    *trace = (struct trace){
        .service = session->peer->service_name,
        .client = session->peer->client,
        .name = vetting_name(incoming->session),
        .helo = slice_text(session->helo),
        .me = session->host.me,
        .id = incoming->id,
        .tls_version = session->tls.version,
        .tls_cipher = session->tls.cipher,
        .account = session->account,
        .is_extended = session->is_extended,
        .utf8 = session->envelope.utf8,
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

static bool begin(struct incoming *incoming, struct session *session)
{
    struct trace trace;
    struct str received;
    *incoming = (struct incoming){.session = session};
    smtpdata_decoder_init(&incoming->decoder);
    snprintf(incoming->id, sizeof incoming->id, "%s.%u", session->id, session->counts.messages + 1);
    describe(incoming, &trace);
    str_init(&received, TRACE_FIELD_MAX);
    str_clear(&session->envelope.origin);
    bool done = trace_origin(&trace, &session->envelope.origin) &&
                trace_received(&trace, &received) && begin_header(incoming, trace.seconds);
    if (done) {
        inject_begin(&session->inject, &session->envelope);
        inject_data(&session->inject, str_slice(&received));
        vetting_write_fields(session, &session->inject);
    }
    str_free(&received);
    return done;
}

static void check_limits(struct incoming *incoming)
{
    const struct session *session = incoming->session;
    if (incoming->decoder.has_bare)
        refuse(incoming, REPLY_BARE_LINE_END);
    if (incoming->decoder.size > session->size_limit)
        refuse(incoming, REPLY_TOO_BIG);
    if (incoming->header.size > HEADER_SECTION_MAX)
        refuse(incoming, REPLY_HEADER_TOO_BIG);
    if (incoming->decoder.line_max > session->host.line_max)
        refuse(incoming, REPLY_LINE_OF_DATA_TOO_LONG);
    if (incoming->header.received > session->host.hops_max)
        refuse(incoming, REPLY_LOOP);
}

/* Takes what is in `input`; gives back what lies behind the end of the message. */
static void take_bytes(struct incoming *incoming, struct slice input)
{
    struct slice run;
    while (input.size > 0 && !incoming->decoder.ended) {
        input = slice_from(input, smtpdata_decode(&incoming->decoder, input, &run));
        if (run.size > 0 && !incoming->is_refused)
            header_take(&incoming->header, run);
    }
    check_limits(incoming);
    stream_unread(&incoming->session->stream, input.size);
}

/* Reads to the end of the message. False: the session is over. */
static bool read_message(struct incoming *incoming)
{
    struct session *session = incoming->session;
    struct stream *stream = &session->stream;
    int64_t wait_ms = (int64_t)session->host.data_timeout_ms;
    stream->timeout_ms = wait_ms;
    stream->deadline = clock_deadline(wait_ms * DATA_WAITS_MAX);
    while (!incoming->decoder.ended) {
        struct slice bytes;
        if (incoming->decoder.has_bare && stream->timeout_ms > DATA_BARE_WAIT_MS)
            stream->timeout_ms = DATA_BARE_WAIT_MS;
        enum stream_result result = stream_bytes(stream, SESSION_INPUT_MAX, &bytes);
        if (result == STREAM_TIMEOUT && incoming->decoder.has_bare)
            return true;
        if (result == STREAM_TIMEOUT) {
            session_reply(session, REPLY_TIMEOUT);
            return false;
        }
        if (result != STREAM_OK) {
            session_end(session, "disconnected within DATA");
            return false;
        }
        take_bytes(incoming, bytes);
    }
    return true;
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
    log_text(&line, "service", session->peer->service_name);
    log_text(&line, "client", session->peer->client);
    if (session->account[0] != '\0')
        log_text(&line, "user", session->account);
    log_end(&line);
}

static void accept_message(struct incoming *incoming, struct slice queue_id)
{
    struct session *session = incoming->session;
    session->counts.messages++;
    session->counts.recipients += (unsigned)session->envelope.recipient_count;
    session->counts.idle_commands = 0;
    allowance_count(session);
    log_accepted(incoming, queue_id);
    session_reply_detail(session, REPLY_ACCEPTED, queue_id);
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
    session_reply_detail(incoming->session, name, str_slice(&detail));
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

static void finish(struct incoming *incoming)
{
    struct session *session = incoming->session;
    struct str reply;
    if (incoming->is_refused) {
        session_refuse(session, incoming->refusal, "sender", str_slice(&session->envelope.sender));
        return;
    }
    header_finish(&incoming->header);
    str_init(&reply, INJECT_REPLY_MAX);
    switch (inject_finish(&session->inject, &reply)) {
    case VERDICT_OK:
        accept_message(incoming, str_slice(&reply));
        break;
    case VERDICT_TEMP:
        log_not_queued(incoming, str_slice(&reply));
        reply_not_queued(incoming, REPLY_QUEUE_TROUBLE, "4.3.0", str_slice(&reply));
        break;
    case VERDICT_PERM:
        log_not_queued(incoming, str_slice(&reply));
        reply_not_queued(incoming, REPLY_QUEUE_REFUSED, "5.6.0", str_slice(&reply));
        break;
    }
    str_free(&reply);
}

void data_receive(struct session *session, struct slice argument)
{
    struct incoming incoming;
    if (argument.size > 0) {
        session_reply_detail(session, REPLY_SYNTAX, SLICE("DATA without parameters"));
        return;
    }
    if (!vetting_takes_message(session)) {
        session_refuse(session, REPLY_GREYLISTED_MESSAGE, "sender", SLICE(""));
        session_reset(session);
        return;
    }
    if (!begin(&incoming, session)) {
        session_refuse(session, REPLY_TROUBLE, "sender", str_slice(&session->envelope.sender));
        return;
    }
    session_reply(session, REPLY_DATA_GO);
    if (read_message(&incoming))
        finish(&incoming);
    else
        inject_abort(&session->inject);
    session_reset(session);
}
