/* tlssession - see tlssession.h */
#include "tlssession.h"

#include "clock.h"
#include "exits.h"
#include "io.h"
#include "log.h"
#include "sandbox.h"
#include "tls.h"
#include "tlsengine.h"
#include "tlsrelay.h"
#include "unixsocket.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* What is asked, and what is open for it. */
struct session {
    const struct tlssession_task *task;
    int asker;
    int net;
    int plain;
    bool as_client;
    char peer[TLS_TEXT_MAX];     /* the client's address, or the server's name */
    struct wire_message request; /* the check points into it */
    struct tls_check check;
    struct tlskeys keys;
    struct tlsengine tls;
    struct tlsrelay relay;
};

/* Second net below all the deadlines: whatever hangs, the process ends. */
static void set_alarm(int64_t ms)
{
    struct itimerval timer = {.it_value.tv_sec = (time_t)(ms / 1000)};
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/* "tls/1", "server", address | "tls/1", "client", name, check... */
static bool parse_request(struct session *session)
{
    const struct wire_message *message = &session->request;
    struct slice verb = wire_field(message, 1);
    session->as_client = slice_equal(verb, SLICE("client"));
    if (!slice_equal(wire_field(message, 0), SLICE("tls/1")) ||
        !wire_copy_text(message, 2, session->peer, sizeof session->peer) || message->fd_count != 1)
        return false;
    if (session->as_client) {
        bool good = tls_check_read(message, 3, &session->check);
        session->check.server_name = session->peer;
        return good;
    }
    return message->count == 3 && slice_equal(verb, SLICE("server"));
}

static bool receive_request(struct session *session)
{
    wire_init(&session->request);
    if (wire_receive(session->asker, &session->request, clock_deadline(TLSSESSION_REQUEST_MS)) !=
            WIRE_OK ||
        !parse_request(session) || session->as_client != session->task->as_client)
        return false;
    session->net = wire_take_fd(&session->request, 0);
    if (!is_stream(session->net) || !io_set_nonblocking(session->net, true))
        return false;
    /* A record waits for nobody's acknowledgement of the one before. */
    io_set_nodelay(session->net);
    return true;
}

static void answer(struct session *session, const char *const fields[], size_t count, int fd)
{
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    for (size_t i = 0; i < count; i++)
        wire_put_text(&packet, fields[i]);
    /* An asker that is gone closes the plain end, too, which ends the relay. */
    (void)wire_send(session->asker, str_slice(&packet), &fd, fd < 0 ? 0 : 1, clock_deadline(0));
    str_free(&packet);
    io_close(&session->asker);
}

static void log_failure(const struct session *session, const char *event, const char *reason)
{
    struct log_line line;
    log_begin(&line, event);
    log_text(&line, "role", session->as_client ? "client" : "server");
    log_text(&line, "peer", session->peer);
    if (!session->as_client && tlsengine_name(&session->tls)[0] != '\0')
        log_text(&line, "name", tlsengine_name(&session->tls));
    log_text(&line, "reason", reason);
    log_end(&line);
}

static void answer_no(struct session *session, const char *reason)
{
    const char *fields[] = {"no", reason, tlsreport_result_name(tlsengine_result(&session->tls))};
    log_failure(session, "tls-failed", reason);
    answer(session, fields, session->as_client ? 3 : 2, -1);
}

static void answer_bad(struct session *session)
{
    const char *fields[] = {"no", "not a request that tlsd knows, or not from who may ask it"};
    log_event("bad-request", "role", session->task->as_client ? "client" : "server");
    answer(session, fields, 2, -1);
}

/* Our end and the asker's of what is plain. */
static bool answer_ok(struct session *session)
{
    int pair[2];
    const struct tlsverify *verify = &session->tls.verify;
    bool has_finding = session->as_client && verify->result != TLSREPORT_SUCCESS;
    const char *fields[] = {"ok",
                            tlsengine_version(&session->tls),
                            tlsengine_cipher(&session->tls),
                            tlsengine_name(&session->tls),
                            has_finding ? verify->reason : "",
                            tlsreport_result_name(verify->result)};
    if (has_finding)
        log_failure(session, "tls-unverified", verify->reason);
    if (!unixsocket_pair(SOCK_STREAM, pair)) {
        answer_no(session, "out of descriptors");
        return false;
    }
    session->plain = pair[0];
    answer(session, fields, has_finding ? 6 : 4, pair[1]);
    io_close(&pair[1]);
    return true;
}

static bool prepare(struct session *session)
{
    return session->as_client
               ? tlsengine_connect(&session->tls, &session->check, session->task->anchors)
               : tlsengine_serve(&session->tls, &session->keys);
}

/* A handshake that fails ends with an alert, which BearSSL has sent by then. */
static bool handshake(struct session *session)
{
    if (!prepare(session)) {
        answer_no(session, "TLS can't be prepared");
        return false;
    }
    tlsrelay_init(&session->relay, session->tls.engine, session->net);
    switch (tlsrelay_handshake(&session->relay, clock_deadline(session->task->handshake_ms))) {
    case TLSRELAY_DONE:
        return true;
    case TLSRELAY_TIMEOUT:
        answer_no(session, "no handshake in time");
        return false;
    case TLSRELAY_BROKEN:
        break;
    }
    answer_no(session, tlsengine_reason(&session->tls));
    return false;
}

static void serve(struct session *session)
{
    bool shaken = handshake(session);
    tlskeys_close(&session->keys);
    set_alarm(0);
    if (shaken && answer_ok(session))
        (void)tlsrelay_run(&session->relay, session->plain, TLSSESSION_IDLE_MS,
                           TLSSESSION_LINGER_MS);
}

int tlssession_run(const struct tlssession_task *task)
{
    static struct session session;
    session.task = task;
    session.asker = task->asker;
    session.net = session.plain = session.keys.fd = -1;
    set_alarm(task->handshake_ms + 2 * TLSSESSION_REQUEST_MS);
    if (!task->as_client)
        tlskeys_open(&session.keys, task->keyd);
    sandbox_enter(&(struct sandbox){.grants = SANDBOX_NOTHING});
    if (receive_request(&session))
        serve(&session);
    else
        answer_bad(&session);
    if (session.net >= 0) /* also when the asker forgets to close its copy */
        shutdown(session.net, SHUT_RDWR);
    io_close(&session.plain);
    io_close(&session.net);
    io_close(&session.asker);
    wire_free(&session.request);
    explicit_bzero(&session.tls.context, sizeof session.tls.context);
    return EXIT_DONE;
}
