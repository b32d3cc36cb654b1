/* tls - see tls.h */
#include "tls.h"

#include "clock.h"
#include "io.h"
#include "unixsocket.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool fail(struct tls_session *session, const char *reason)
{
    session->result = TLSREPORT_VALIDATION_FAILURE;
    snprintf(session->reason, sizeof session->reason, "%s", reason);
    return false;
}

/* "no", reason and, for clients, result. A reason that does not fit is as good as none. */
static bool fail_as_told(struct tls_session *session, const struct wire_message *answer)
{
    if (!slice_equal(wire_field(answer, 0), SLICE("no")) ||
        !wire_copy_text(answer, 1, session->reason, sizeof session->reason))
        return fail(session, "tlsd answers nonsense");
    session->result = tlsreport_result_named(wire_field(answer, 2));
    return false;
}

/* What a lenient check found behind the four fields of every success. */
static bool take_finding(struct tls_session *session, const struct wire_message *answer)
{
    if (answer->count == 4)
        return true;
    session->result = tlsreport_result_named(wire_field(answer, 5));
    return answer->count == 6 && wire_copy_text(answer, 4, session->reason, sizeof session->reason);
}

static bool take_answer(struct tls_session *session, struct wire_message *answer)
{
    if (!slice_equal(wire_field(answer, 0), SLICE("ok")))
        return fail_as_told(session, answer);
    if (answer->fd_count != 1 || !take_finding(session, answer) ||
        !wire_copy_text(answer, 1, session->version, sizeof session->version) ||
        !wire_copy_text(answer, 2, session->cipher, sizeof session->cipher) ||
        !wire_copy_text(answer, 3, session->name, sizeof session->name))
        return fail(session, "tlsd answers nonsense");
    session->fd = wire_take_fd(answer, 0);
    return session->fd >= 0;
}

/* Six texts. */
enum { ANSWER_MAX = 8 * TLS_TEXT_MAX };

static bool converse(int tlsd, struct slice packet, int fd, struct tls_session *session)
{
    WIRE_UNFILLED struct wire_message answer;
    wire_init_small(&answer, ANSWER_MAX);
    bool done = false;
    switch (wire_ask(tlsd, packet, &fd, 1, &answer, clock_deadline(TLS_HANDSHAKE_MS))) {
    case WIRE_OK:
        done = take_answer(session, &answer);
        break;
    case WIRE_TIMEOUT:
        fail(session, "no answer from tlsd in time");
        break;
    case WIRE_END:
    case WIRE_RESET:
    case WIRE_BAD:
    case WIRE_ERROR:
        fail(session, "tlsd ended the conversation");
        break;
    }
    wire_free(&answer);
    return done;
}

static bool ask(int fd, struct str *packet, struct tls_session *session)
{
    bool done = false;
    int tlsd = packet->failed ? -1 : unixsocket_connect(TLS_SOCKET, SOCK_SEQPACKET);
    if (packet->failed)
        fail(session, "out of memory");
    else if (tlsd < 0)
        fail(session, "tlsd is not there");
    else
        done = converse(tlsd, str_slice(packet), fd, session);
    io_close(&tlsd);
    str_free(packet);
    return done;
}

static void begin(struct str *packet, struct tls_session *session)
{
    *session = (struct tls_session){.fd = -1};
    str_init(packet, WIRE_MAX_SIZE);
    wire_put_text(packet, "tls/1");
}

bool tls_serve(int fd, const char *peer_address, struct tls_session *session)
{
    struct str packet;
    begin(&packet, session);
    wire_put_text(&packet, "server");
    wire_put_text(&packet, peer_address);
    return ask(fd, &packet, session);
}

enum tls_result tls_serve_stream(struct stream *stream, const char *peer_address,
                                 struct tls_session *session)
{
    if (!tls_serve(stream->in, peer_address, session)) {
        session->version[0] = '\0';
        return TLS_REFUSED;
    }
    int plain = session->fd;
    session->fd = -1;
    bool done = dup2(plain, stream->in) >= 0 && dup2(plain, stream->out) >= 0 &&
                io_set_nonblocking(stream->in, true);
    io_close(&plain);
    stream_switch(stream, stream->in, stream->out);
    return done ? TLS_SERVED : TLS_DESCRIPTORS;
}

bool tls_is_on(const struct tls_session *session)
{
    return session->version[0] != '\0';
}

const char *tls_name(const struct tls_session *session)
{
    return tls_is_on(session) ? session->version : "none";
}

/* ---- the check of a server ---- */

static const char *const check_words[] = {
    [TLS_CHECK_NONE] = "none", [TLS_CHECK_NAMES] = "names", [TLS_CHECK_DANE] = "dane"};

void tls_check_put(const struct tls_check *check, struct str *packet)
{
    bool is_lenient = check->kind == TLS_CHECK_NAMES && check->is_lenient;
    wire_put_text(packet, is_lenient ? "names-lenient" : check_words[check->kind]);
    if (check->kind == TLS_CHECK_DANE) {
        wire_put_number(packet, check->record_count);
        for (size_t i = 0; i < check->record_count; i++)
            wire_put(packet, check->records[i]);
    }
    if (check->kind != TLS_CHECK_NONE)
        for (size_t i = 0; i < check->name_count; i++)
            wire_put(packet, check->names[i]);
}

static bool read_word(struct slice word, struct tls_check *check)
{
    check->is_lenient = slice_equal(word, SLICE("names-lenient"));
    check->kind = TLS_CHECK_NAMES;
    if (check->is_lenient)
        return true;
    for (size_t i = 0; i < sizeof check_words / sizeof *check_words; i++) {
        if (slice_equal(word, slice_text(check_words[i]))) {
            check->kind = (enum tls_check_kind)i;
            return true;
        }
    }
    return false;
}

static bool read_records(const struct wire_message *message, size_t *at, struct tls_check *check)
{
    uint64_t count;
    if (!wire_number(message, *at, TLS_RECORDS_MAX, &count) || count == 0 ||
        count > message->count - *at - 1)
        return false;
    for (++*at; check->record_count < count; ++*at) {
        struct slice record = wire_field(message, *at);
        if (record.size < 3 || record.size > TLS_RECORD_MAX)
            return false;
        check->records[check->record_count++] = record;
    }
    return true;
}

bool tls_check_read(const struct wire_message *message, size_t first, struct tls_check *check)
{
    *check = (struct tls_check){.server_name = ""};
    size_t at = first + 1;
    if (first >= message->count || !read_word(wire_field(message, first), check) ||
        (check->kind == TLS_CHECK_DANE && !read_records(message, &at, check)) ||
        message->count - at > TLS_NAMES_MAX)
        return false;
    while (at < message->count)
        check->names[check->name_count++] = wire_field(message, at++);
    return check->kind != TLS_CHECK_NONE ? check->name_count > 0 : check->name_count == 0;
}

bool tls_connect(int fd, const struct tls_check *check, struct tls_session *session)
{
    struct str packet;
    begin(&packet, session);
    wire_put_text(&packet, "client");
    wire_put_text(&packet, check->server_name);
    tls_check_put(check, &packet);
    return ask(fd, &packet, session);
}
