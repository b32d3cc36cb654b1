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
    snprintf(session->reason, sizeof session->reason, "%s", reason);
    return false;
}

/* "no", reason. A reason that does not fit is as good as none. */
static bool fail_as_told(struct tls_session *session, const struct wire_message *answer)
{
    if (!slice_equal(wire_field(answer, 0), SLICE("no")) ||
        !wire_copy_text(answer, 1, session->reason, sizeof session->reason))
        return fail(session, "tlsd answers nonsense");
    return false;
}

static bool take_answer(struct tls_session *session, struct wire_message *answer)
{
    if (!slice_equal(wire_field(answer, 0), SLICE("ok")))
        return fail_as_told(session, answer);
    if (answer->count != 4 || answer->fd_count != 1 ||
        !wire_copy_text(answer, 1, session->version, sizeof session->version) ||
        !wire_copy_text(answer, 2, session->cipher, sizeof session->cipher) ||
        !wire_copy_text(answer, 3, session->name, sizeof session->name))
        return fail(session, "tlsd answers nonsense");
    session->fd = wire_take_fd(answer, 0);
    return session->fd >= 0;
}

static bool converse(int tlsd, struct slice packet, int fd, struct tls_session *session)
{
    struct wire_message answer;
    wire_init(&answer);
    bool done = false;
    switch (wire_ask(tlsd, packet, &fd, 1, &answer, clock_deadline(TLS_HANDSHAKE_MS))) {
    case WIRE_OK:
        done = take_answer(session, &answer);
        break;
    case WIRE_TIMEOUT:
        fail(session, "no answer from tlsd in time");
        break;
    case WIRE_END:
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

bool tls_connect(int fd, const char *server_name, const char *check, struct tls_session *session)
{
    struct str packet;
    begin(&packet, session);
    wire_put_text(&packet, "client");
    wire_put_text(&packet, server_name);
    wire_put_text(&packet, check);
    return ask(fd, &packet, session);
}
