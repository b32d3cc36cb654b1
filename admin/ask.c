/* ask - see ask.h */
#include "ask.h"

#include "clock.h"
#include "io.h"
#include "ip.h"
#include "queuectl.h"
#include "unixsocket.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ENDPOINT_MAX = 48, TABLE_MAX = 67108864 };

static enum ask_result exchange(int fd, const struct str *question, struct wire_message *answer)
{
    if (question->failed || wire_ask(fd, str_slice(question), NULL, 0, answer,
                                     clock_deadline(ASK_TIMEOUT_MS)) != WIRE_OK)
        return ASK_DOWN;
    return slice_equal(wire_field(answer, 0), SLICE("ok")) ? ASK_OK : ASK_NO;
}

enum ask_result ask_queue_whole(const char *verb, const char *const *ids, size_t count,
                                struct wire_message *answer)
{
    struct str question;
    int fd = unixsocket_connect(QUEUECTL_SOCKET, SOCK_SEQPACKET);
    if (fd < 0)
        return ASK_DOWN;
    str_init(&question, WIRE_MAX_SIZE);
    wire_put_text(&question, QUEUECTL_PROTOCOL);
    wire_put_text(&question, verb);
    for (size_t i = 0; i < count; i++)
        wire_put_text(&question, ids[i]);
    enum ask_result result = exchange(fd, &question, answer);
    str_free(&question);
    io_close(&fd);
    return result;
}

enum ask_result ask_queue(const char *verb, const char *const *ids, size_t count, struct str *text)
{
    struct wire_message answer;
    wire_init(&answer);
    enum ask_result result = ask_queue_whole(verb, ids, count, &answer);
    if (result != ASK_DOWN)
        str_append(text, wire_field(&answer, 1));
    wire_free(&answer);
    return result;
}

void ask_to_measure(void)
{
    struct str text;
    str_init(&text, ASK_TEXT_MAX);
    /* Where queued is down nothing is full: it looks when it starts. */
    (void)ask_queue("measure", NULL, 0, &text);
    str_free(&text);
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

/* An address and port as /proc/net/tcp has them: words of the machine's byte order in hexadecimal,
 * "0100007F:0019". */
static bool format_endpoint(const struct ip *ip, uint16_t port, char text[ENDPOINT_MAX])
{
    size_t used = 0;
    for (unsigned at = 0; at < ip->size; at += sizeof(uint32_t)) {
        uint32_t word;
        memcpy(&word, ip->bytes + at, sizeof word);
        int size = snprintf(text + used, ENDPOINT_MAX - used, "%08X", (unsigned)word);
        if (size < 0)
            return false;
        used += (size_t)size;
    }
    return snprintf(text + used, ENDPOINT_MAX - used, ":%04X", (unsigned)port) > 0;
}

bool ask_find_listener(struct slice table, struct slice endpoint)
{
    struct ip ip;
    uint16_t port;
    char wanted[ENDPOINT_MAX];
    if (!ip_parse_endpoint(endpoint, &ip, &port) || !format_endpoint(&ip, port, wanted))
        return false;
    while (table.size > 0) {
        struct slice line = slice_cut(&table, '\n');
        slice_cut_word(&line); /* its number */
        struct slice local = slice_cut_word(&line);
        slice_cut_word(&line); /* the peer */
        struct slice state = slice_cut_word(&line);
        if (slice_equal(local, slice_text(wanted)) && slice_equal(state, SLICE("0A")))
            return true;
    }
    return false;
}

bool ask_is_listening(struct slice endpoint)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    struct str text;
    bool found = false;
    str_init(&text, TABLE_MAX);
    for (size_t i = 0; !found && i < sizeof tables / sizeof tables[0]; i++) {
        str_clear(&text);
        found = io_read_file(AT_FDCWD, tables[i], &text) &&
                ask_find_listener(str_slice(&text), endpoint);
    }
    str_free(&text);
    return found;
}
