/*
 * sink - a server that takes and forgets mail, and says when COUNT messages were there
 *
 *   sink PORT COUNT
 *
 * Speaks as much ESMTP as Postfix and remote use: PIPELINING, 8BITMIME, SIZE. One process, one loop.
 * Prints "ready" once it listens, then "end=SECONDS" (CLOCK_MONOTONIC) at the last message, and ends when
 * its clients have closed, or after a second.
 * Exits       0 done, 1 with a line on standard error, also when nothing came for 60 s
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SILENCE_MS = 60000,
    FAREWELL_MS = 1000,
    LINE_MAX_BYTES = 4096,
    ANSWERS_MAX = 65536,
    CLIENTS_MAX = 1024
};

struct client {
    int fd;
    bool in_data, is_closing;
    unsigned matched; /* bytes of CRLF . CRLF that were seen */
    unsigned recipients;
    char line[LINE_MAX_BYTES];
    size_t line_length;
    char answers[ANSWERS_MAX];
    size_t answers_length;
};

struct sink {
    unsigned long wanted, count, open, connections, recipients;
    int epoll, listener;
    struct client *clients; /* CLIENTS_MAX of them, by descriptor */
};

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "sink: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void answer(struct client *client, const char *text)
{
    size_t length = strlen(text);
    if (length > sizeof client->answers - client->answers_length)
        die("answers");
    memcpy(client->answers + client->answers_length, text, length);
    client->answers_length += length;
}

static void count_message(struct sink *sink, struct client *client)
{
    sink->count++;
    sink->recipients += client->recipients;
    client->recipients = 0;
    answer(client, "250 2.0.0 forgotten\r\n");
    if (sink->count != sink->wanted)
        return;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    printf("end=%ld.%06ld connections=%lu recipients=%lu\n", (long)time.tv_sec, time.tv_nsec / 1000,
           sink->connections, sink->recipients);
    fflush(stdout);
}

static void command(struct client *client)
{
    const char *line = client->line;
    client->line[client->line_length] = 0;
    if (strncasecmp(line, "EHLO", 4) == 0) {
        answer(client, "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n"
                       "250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n");
    } else if (strncasecmp(line, "DATA", 4) == 0) {
        answer(client, "354 go on\r\n");
        client->in_data = true;
        client->matched = 2; /* the CRLF of the command counts: an empty message is a lone dot */
    } else if (strncasecmp(line, "QUIT", 4) == 0) {
        answer(client, "221 2.0.0 bye\r\n");
        client->is_closing = true;
    } else {
        if (strncasecmp(line, "RCPT", 4) == 0)
            client->recipients++;
        answer(client, "250 2.0.0 ok\r\n");
    }
}

/* Takes bytes of a message up to its end; returns how many. */
static size_t take_data(struct sink *sink, struct client *client, const char *bytes, size_t length)
{
    static const char end[] = "\r\n.\r\n";
    for (size_t i = 0; i < length; i++) {
        if (client->matched == 0) {
            const char *next = memchr(bytes + i, '\r', length - i);
            if (next == NULL)
                return length;
            i = (size_t)(next - bytes);
        }
        if (bytes[i] == end[client->matched])
            client->matched++;
        else
            client->matched = bytes[i] == '\r' ? 1 : 0;
        if (client->matched == sizeof end - 1) {
            client->in_data = false;
            count_message(sink, client);
            return i + 1;
        }
    }
    return length;
}

static size_t take_line(struct client *client, const char *bytes, size_t length)
{
    const char *end = memchr(bytes, '\n', length);
    size_t part = end == NULL ? length : (size_t)(end - bytes) + 1;
    if (part > sizeof client->line - 1 - client->line_length)
        die("a long line");
    memcpy(client->line + client->line_length, bytes, part);
    client->line_length += part;
    if (end != NULL) {
        command(client);
        client->line_length = 0;
    }
    return part;
}

static void close_client(struct sink *sink, struct client *client)
{
    close(client->fd);
    sink->open--;
}

static void serve(struct sink *sink, struct client *client)
{
    static char bytes[262144];
    ssize_t got = recv(client->fd, bytes, sizeof bytes, 0);
    if (got <= 0) {
        close_client(sink, client);
        return;
    }
    for (size_t at = 0; at < (size_t)got && !client->is_closing;) {
        if (client->in_data)
            at += take_data(sink, client, bytes + at, (size_t)got - at);
        else
            at += take_line(client, bytes + at, (size_t)got - at);
    }
    if (client->answers_length > 0 &&
        send(client->fd, client->answers, client->answers_length, MSG_NOSIGNAL) < 0)
        client->is_closing = true;
    client->answers_length = 0;
    if (client->is_closing)
        close_client(sink, client);
}

static void welcome(struct sink *sink)
{
    static const char greeting[] = "220 sink.example ESMTP\r\n";
    int fd = accept(sink->listener, NULL, NULL);
    if (fd < 0 || fd >= CLIENTS_MAX)
        die("accept");
    struct client *client = &sink->clients[fd];
    client->fd = fd;
    client->in_data = client->is_closing = false;
    client->recipients = 0;
    client->line_length = client->answers_length = 0;
    sink->open++;
    sink->connections++;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = client->fd};
    if (epoll_ctl(sink->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
        die("epoll_ctl");
    if (send(client->fd, greeting, sizeof greeting - 1, MSG_NOSIGNAL) < 0)
        close_client(sink, client);
}

static void listen_at(struct sink *sink, unsigned long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sink->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sink->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (sink->listener < 0 || sink->epoll < 0 ||
        setsockopt(sink->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(sink->listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(sink->listener, 1024) != 0)
        die("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = sink->listener};
    if (epoll_ctl(sink->epoll, EPOLL_CTL_ADD, sink->listener, &event) != 0)
        die("epoll_ctl");
}

int main(int argc, char **argv)
{
    struct sink sink = {0};
    struct epoll_event events[64];
    if (argc != 3) {
        fprintf(stderr, "sink: use: sink PORT COUNT\n");
        return 1;
    }
    sink.wanted = strtoul(argv[2], NULL, 10);
    sink.clients = calloc(CLIENTS_MAX, sizeof *sink.clients);
    if (sink.clients == NULL)
        die("memory");
    listen_at(&sink, strtoul(argv[1], NULL, 10));
    puts("ready");
    fflush(stdout);
    while (sink.count < sink.wanted || sink.open > 0) {
        bool is_done = sink.count >= sink.wanted;
        int count = epoll_wait(sink.epoll, events, 64, is_done ? FAREWELL_MS : SILENCE_MS);
        if (count == 0 && is_done)
            break;
        if (count == 0) {
            fprintf(stderr, "sink: silence for %d s; %lu of %lu came\n", SILENCE_MS / 1000,
                    sink.count, sink.wanted);
            exit(1);
        }
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == sink.listener)
                welcome(&sink);
            else
                serve(&sink, &sink.clients[events[i].data.fd]);
        }
    }
    free(sink.clients);
    return 0;
}
