/* tlsrelay - see tlsrelay.h */
#include "tlsrelay.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static unsigned state_of(const struct tlsrelay *relay)
{
    return br_ssl_engine_current_state(relay->engine);
}

/* What a read or write came to. */
enum step { STEP_MOVED, STEP_WAIT, STEP_ENDED };

static enum step step_of(ssize_t result)
{
    if (result > 0)
        return STEP_MOVED;
    if (result < 0 && (errno == EAGAIN || errno == EINTR))
        return STEP_WAIT;
    return STEP_ENDED;
}

/* ---- the four ways of bytes ------------------------------------------------------------------ */

/* How many bytes left; 0 when none can now, or ever. */
static size_t send_some(struct tlsrelay *relay, const void *bytes, size_t size)
{
    ssize_t sent = send(relay->net, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    enum step step = step_of(sent);
    if (step == STEP_ENDED)
        relay->broken = true;
    return step == STEP_MOVED ? (size_t)sent : 0;
}

/* True when some of it left. */
static bool send_flight(struct tlsrelay *relay)
{
    if (relay->flight_size == 0)
        return false;
    size_t sent = send_some(relay, relay->flight, relay->flight_size);
    relay->flight_size -= sent;
    memmove(relay->flight, relay->flight + sent, relay->flight_size);
    return sent > 0;
}

/* During the handshake they wait for those that follow: two records less that wake the peer. */
static bool send_records(struct tlsrelay *relay)
{
    size_t size;
    unsigned char *bytes = br_ssl_engine_sendrec_buf(relay->engine, &size);
    if (!bytes)
        return false;
    if (relay->plain < 0 && size <= sizeof relay->flight - relay->flight_size) {
        memcpy(relay->flight + relay->flight_size, bytes, size);
        relay->flight_size += size;
        br_ssl_engine_sendrec_ack(relay->engine, size);
        return true;
    }
    if (relay->flight_size > 0)
        return send_flight(relay);
    size_t sent = send_some(relay, bytes, size);
    if (sent > 0)
        br_ssl_engine_sendrec_ack(relay->engine, sent);
    return sent > 0;
}

static bool give_plain(struct tlsrelay *relay)
{
    size_t size;
    unsigned char *bytes = br_ssl_engine_recvapp_buf(relay->engine, &size);
    if (!bytes || relay->plain < 0)
        return false;
    ssize_t given = (ssize_t)size;
    if (!relay->plain_deaf)
        given = send(relay->plain, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    switch (step_of(given)) {
    case STEP_MOVED:
        br_ssl_engine_recvapp_ack(relay->engine, (size_t)given);
        return true;
    case STEP_WAIT:
        return false;
    case STEP_ENDED:
        relay->plain_deaf = true; /* what still comes is dropped */
        return true;
    }
    return false;
}

/* RFC 5246 7.2.1: close_notify tells the peer that nothing was cut off. */
static void close_tls(struct tlsrelay *relay)
{
    relay->plain_ended = true;
    br_ssl_engine_close(relay->engine);
    relay->deadline = clock_deadline(relay->linger_ms);
}

static void take_plain(struct tlsrelay *relay)
{
    size_t room;
    unsigned char *bytes = br_ssl_engine_sendapp_buf(relay->engine, &room);
    if (!bytes || relay->plain_ended)
        return;
    ssize_t got = recv(relay->plain, bytes, room, MSG_DONTWAIT);
    switch (step_of(got)) {
    case STEP_MOVED:
        br_ssl_engine_sendapp_ack(relay->engine, (size_t)got);
        br_ssl_engine_flush(relay->engine, 0);
        relay->moved = true;
        break;
    case STEP_WAIT:
        break;
    case STEP_ENDED:
        close_tls(relay);
        break;
    }
}

/* The peer ended without close_notify, or after it: the program reads the end after the data. */
static void end_net(struct tlsrelay *relay)
{
    relay->net_ended = true;
    if (relay->plain >= 0)
        shutdown(relay->plain, SHUT_WR);
}

/* What was read ahead, to the engine. */
static bool feed_records(struct tlsrelay *relay)
{
    size_t room;
    size_t size = relay->raw_end - relay->raw_start;
    unsigned char *bytes = size > 0 ? br_ssl_engine_recvrec_buf(relay->engine, &room) : NULL;
    if (!bytes)
        return false;
    if (size > room)
        size = room;
    memcpy(bytes, relay->raw + relay->raw_start, size);
    relay->raw_start += size;
    br_ssl_engine_recvrec_ack(relay->engine, size);
    return true;
}

static void note_received(struct tlsrelay *relay, ssize_t got)
{
    switch (step_of(got)) {
    case STEP_MOVED:
        relay->moved = true;
        break;
    case STEP_WAIT:
        break;
    case STEP_ENDED:
        relay->broken = got < 0;
        end_net(relay);
        break;
    }
}

/* Asked only when nothing that was read ahead is left. */
static void take_records(struct tlsrelay *relay)
{
    size_t room;
    unsigned char *bytes = br_ssl_engine_recvrec_buf(relay->engine, &room);
    if (!bytes || relay->net_ended)
        return;
    if (room > sizeof relay->raw) {
        ssize_t got = recv(relay->net, bytes, room, MSG_DONTWAIT);
        if (got > 0)
            br_ssl_engine_recvrec_ack(relay->engine, (size_t)got);
        note_received(relay, got);
        return;
    }
    ssize_t got = recv(relay->net, relay->raw, sizeof relay->raw, MSG_DONTWAIT);
    relay->raw_start = 0;
    relay->raw_end = got > 0 ? (size_t)got : 0;
    note_received(relay, got);
}

/* ---- turning round --------------------------------------------------------------------------- */

/* Sends all that can be sent, in both directions. */
static void push(struct tlsrelay *relay)
{
    while (!relay->broken && (send_records(relay) || give_plain(relay) || feed_records(relay)))
        relay->moved = true;
    while (!relay->broken && send_flight(relay))
        relay->moved = true;
}

static short net_events(const struct tlsrelay *relay, unsigned state)
{
    bool in = (state & BR_SSL_RECVREC) && !relay->net_ended;
    bool out = (state & BR_SSL_SENDREC) || relay->flight_size > 0;
    return (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0));
}

static short plain_events(const struct tlsrelay *relay, unsigned state)
{
    bool in = (state & BR_SSL_SENDAPP) && !relay->plain_ended;
    return (short)((in ? POLLIN : 0) | (state & BR_SSL_RECVAPP ? POLLOUT : 0));
}

/* False at the deadline. A descriptor of which nothing is wanted now is left out: its POLLHUP would
 * wake us without end. */
static bool wait_for_bytes(const struct tlsrelay *relay, struct pollfd polls[2])
{
    unsigned state = state_of(relay);
    polls[0] = (struct pollfd){.fd = relay->net, .events = net_events(relay, state)};
    polls[1] = (struct pollfd){.fd = relay->plain, .events = 0};
    if (relay->plain >= 0)
        polls[1].events = plain_events(relay, state);
    for (int i = 0; i < 2; i++)
        if (polls[i].events == 0)
            polls[i].fd = -1;
    int ready = poll(polls, 2, clock_left(relay->deadline));
    return ready > 0 || (ready < 0 && errno == EINTR);
}

/* One turn: what is there goes on, then a wait for more. False at the deadline. */
static bool turn(struct tlsrelay *relay)
{
    struct pollfd polls[2];
    if (!wait_for_bytes(relay, polls))
        return false;
    if (polls[0].revents & (POLLIN | POLLHUP | POLLERR))
        take_records(relay);
    if (polls[1].revents & (POLLIN | POLLHUP | POLLERR))
        take_plain(relay);
    push(relay);
    return true;
}

void tlsrelay_init(struct tlsrelay *relay, br_ssl_engine_context *engine, int net)
{
    /* All but `raw` and `flight`: their pages are touched when there is something for them. */
    relay->engine = engine;
    relay->net = net;
    relay->plain = -1;
    relay->net_ended = relay->plain_ended = relay->plain_deaf = false;
    relay->broken = relay->moved = false;
    relay->deadline = relay->linger_ms = 0;
    relay->raw_start = relay->raw_end = relay->flight_size = 0;
}

enum tlsrelay_end tlsrelay_handshake(struct tlsrelay *relay, int64_t deadline)
{
    relay->deadline = deadline;
    push(relay);
    for (;;) {
        unsigned state = state_of(relay);
        if (relay->broken || relay->net_ended || (state & BR_SSL_CLOSED))
            return TLSRELAY_BROKEN;
        /* Our last message must be out, too: then the peer, too, knows that it is done. */
        if ((state & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)) && !(state & BR_SSL_SENDREC) &&
            relay->flight_size == 0)
            return TLSRELAY_DONE;
        if (!turn(relay))
            return TLSRELAY_TIMEOUT;
    }
}

/* Over when TLS is, or the peer can't be reached, or nothing more comes from either side. */
static bool is_over(const struct tlsrelay *relay)
{
    unsigned state = state_of(relay);
    if (relay->broken || (state & BR_SSL_CLOSED))
        return true;
    return relay->net_ended && relay->plain_ended && !(state & BR_SSL_SENDREC);
}

enum tlsrelay_end tlsrelay_run(struct tlsrelay *relay, int plain, int64_t idle_ms,
                               int64_t linger_ms)
{
    relay->plain = plain;
    relay->linger_ms = linger_ms;
    relay->deadline = clock_deadline(idle_ms);
    push(relay); /* what came with the end of the handshake */
    while (!is_over(relay)) {
        if (!turn(relay))
            return relay->plain_ended ? TLSRELAY_DONE : TLSRELAY_TIMEOUT;
        if (relay->moved && !relay->plain_ended)
            relay->deadline = clock_deadline(idle_ms);
        relay->moved = false;
    }
    return br_ssl_engine_last_error(relay->engine) == BR_ERR_OK ? TLSRELAY_DONE : TLSRELAY_BROKEN;
}
