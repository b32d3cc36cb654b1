/* auth - see auth.h */
#include "auth.h"

#include "clock.h"
#include "io.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { AUTH_PACKET_MAX = 8192 };

static const char *const names[] = {
    [AUTH_OK] = "ok",
    [AUTH_FAILED] = "failed",
    [AUTH_LOCKED] = "locked",
    [AUTH_TLS_REQUIRED] = "tls-required",
    [AUTH_DISABLED] = "disabled",
    [AUTH_LIMIT] = "limit",
    [AUTH_EXPIRED] = "expired",
    [AUTH_TROUBLE] = "trouble",
};
enum { AUTH_NAME_COUNT = sizeof names / sizeof *names };

const char *auth_code_name(enum auth_code code)
{
    return (unsigned)code < AUTH_NAME_COUNT ? names[code] : names[AUTH_TROUBLE];
}

enum auth_code auth_code_named(struct slice name)
{
    for (unsigned code = 0; code < AUTH_NAME_COUNT; code++)
        if (slice_equal(name, slice_text(names[code])))
            return (enum auth_code)code;
    return AUTH_TROUBLE;
}

static void put_question(struct str *packet, const struct auth_request *request)
{
    wire_put_text(packet, "auth/1");
    wire_put_text(packet, request->service);
    wire_put_text(packet, request->mechanism);
    wire_put_text(packet, request->client);
    wire_put_text(packet, request->tls ? "1" : "0");
    wire_put(packet, request->user);
    wire_put(packet, request->secret);
    wire_put(packet, request->challenge);
    wire_put(packet, request->tag);
    wire_put_text(packet, request->listening);
}

static void set_trouble(struct auth_answer *answer)
{
    *answer = (struct auth_answer){.code = AUTH_TROUBLE};
    snprintf(answer->text, sizeof answer->text, "%s",
             "Authentication is not available at the moment; try again later");
}

static void read_answer(const struct wire_message *message, struct auth_answer *answer)
{
    uint64_t wait_ms;
    struct slice result = wire_field(message, 0);
    if (slice_equal(result, SLICE("ok"))) {
        if (wire_copy_text(message, 1, answer->account, sizeof answer->account) &&
            answer->account[0] != '\0') {
            answer->code = AUTH_OK;
            answer->text[0] = '\0';
        }
        return;
    }
    enum auth_code code = auth_code_named(wire_field(message, 1));
    if (code != AUTH_OK && wire_number(message, 2, AUTH_WAIT_MAX_MS, &wait_ms) &&
        wire_copy_text(message, 3, answer->text, sizeof answer->text)) {
        answer->code = code;
        answer->wait_ms = (int64_t)wait_ms;
    }
}

/* Two texts and a few words. */
enum { ANSWER_MAX = AUTH_USER_MAX + AUTH_TEXT_MAX + 512 };

void auth_ask(const struct auth_request *request, struct auth_answer *answer)
{
    struct str packet;
    WIRE_UNFILLED struct wire_message message;
    int fds[2] = {request->client_fd, request->input_fd};
    size_t fd_count = request->client_fd < 0 ? 0 : request->input_fd < 0 ? 1 : 2;
    int fd = -1;
    set_trouble(answer);
    str_init(&packet, AUTH_PACKET_MAX);
    str_reserve(&packet, AUTH_PACKET_MAX); /* growing would leave copies of the secret behind */
    wire_init_small(&message, ANSWER_MAX);
    put_question(&packet, request);
    if (!packet.failed && wire_ask_kept(&fd, AUTH_SOCKET, str_slice(&packet), fds, fd_count,
                                        &message, AUTH_TIMEOUT_MS))
        read_answer(&message, answer);
    /* authd has better use for the place than an idle connection: who has failed once and then sits
     * there would take one of the places from those who log in. */
    io_close(&fd);
    if (packet.data)
        explicit_bzero(packet.data, packet.capacity);
    wire_free(&message);
    str_free(&packet);
}

void auth_wait(const struct auth_answer *answer, int64_t deadline)
{
    int64_t wait_ms = answer->wait_ms;
    if (wait_ms > AUTH_WAIT_MAX_MS)
        wait_ms = AUTH_WAIT_MAX_MS;
    if (deadline != CLOCK_NEVER && wait_ms > clock_left(deadline))
        wait_ms = clock_left(deadline);
    if (wait_ms <= 0)
        return;
    struct timespec left = {.tv_sec = wait_ms / 1000, .tv_nsec = (wait_ms % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}
