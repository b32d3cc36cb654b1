/* ask - see ask.h */
#include "ask.h"

#include "clock.h"
#include "io.h"
#include "ip.h"
#include "queuectl.h"
#include "unixsocket.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static enum ask_result exchange(int fd, const struct str *question, struct wire_message *answer,
                                struct str *text)
{
    if (question->failed || wire_ask(fd, str_slice(question), NULL, 0, answer,
                                     clock_deadline(ASK_TIMEOUT_MS)) != WIRE_OK)
        return ASK_DOWN;
    str_append(text, wire_field(answer, 1));
    return slice_equal(wire_field(answer, 0), SLICE("ok")) ? ASK_OK : ASK_NO;
}

enum ask_result ask_queue(const char *verb, const char *const *ids, size_t count, struct str *text)
{
    struct str question;
    struct wire_message answer;
    int fd = unixsocket_connect(QUEUECTL_SOCKET, SOCK_SEQPACKET);
    if (fd < 0)
        return ASK_DOWN;
    str_init(&question, WIRE_MAX_SIZE);
    wire_put_text(&question, QUEUECTL_PROTOCOL);
    wire_put_text(&question, verb);
    for (size_t i = 0; i < count; i++)
        wire_put_text(&question, ids[i]);
    wire_init(&answer);
    enum ask_result result = exchange(fd, &question, &answer, text);
    wire_free(&answer);
    str_free(&question);
    io_close(&fd);
    return result;
}

bool ask_is_up(const char *path)
{
    int fd = unixsocket_connect(path, SOCK_SEQPACKET);
    /* queue-inject's is a stream. */
    if (fd < 0 && errno == EPROTOTYPE)
        fd = unixsocket_connect(path, SOCK_STREAM);
    bool up = fd >= 0;
    io_close(&fd);
    return up;
}

/* Listening on all addresses is asked on loopback. */
static void choose_reachable(struct ip *ip)
{
    bool any = true;
    for (unsigned i = 0; i < ip->size; i++)
        any = any && ip->bytes[i] == 0;
    if (!any)
        return;
    if (ip->size == 4)
        ip->bytes[0] = 127;
    ip->bytes[ip->size - 1] = 1;
}

bool ask_is_listening(struct slice endpoint)
{
    struct ip ip;
    uint16_t port;
    struct sockaddr_storage address;
    if (!ip_parse_endpoint(endpoint, &ip, &port))
        return false;
    choose_reachable(&ip);
    socklen_t size = ip_to_socket(&ip, port, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool up = connect(fd, (const struct sockaddr *)&address, size) == 0;
    if (!up && errno == EINPROGRESS && io_wait(fd, POLLOUT, clock_deadline(ASK_CONNECT_MS))) {
        int error = 0;
        socklen_t length = sizeof error;
        up = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
    }
    io_close(&fd);
    return up;
}
