/* listener - see listener.h */
#include "listener.h"

#include "io.h"
#include "tcpservice.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static bool fail(char *error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(error, CONTROL_ERROR_MAX, format, list);
    va_end(list);
    return false;
}

static struct slice shown(struct slice word)
{
    return slice_part(word, 0, 64);
}

bool listener_parse(struct slice line, struct listener_line *parsed, char *error)
{
    *parsed = (struct listener_line){.service = slice_cut_word(&line)};
    struct slice endpoint = slice_cut_word(&line);
    struct slice option = slice_cut_word(&line);
    if (!tcpservice_is_known(parsed->service))
        return fail(error,
                    "\"%.*s\" is not a service (smtp submission submissions lmtp pop3 pop3s imap "
                    "imaps web)",
                    SLICE_PRINTF(shown(parsed->service)));
    if (!ip_parse_endpoint(endpoint, &parsed->ip, &parsed->port))
        return fail(error, "\"%.*s\" is not ADDRESS:PORT (try 0.0.0.0:25, [::]:25 or 192.0.2.1:25)",
                    SLICE_PRINTF(shown(endpoint)));
    parsed->proxy = slice_equal(option, SLICE("proxy"));
    if (option.size > 0 && !parsed->proxy)
        return fail(error, "\"%.*s\" should be proxy or nothing", SLICE_PRINTF(shown(option)));
    if (slice_trim(line).size > 0)
        return fail(error, "too many words; should be SERVICE ADDRESS:PORT [proxy]");
    return true;
}

/* The service bound to an address is no part of it: two services can't share a port. */
bool listener_same(const struct listener_line *a, const struct listener_line *b)
{
    return ip_equal(&a->ip, &b->ip) && a->port == b->port;
}

static bool keep(struct listener_list *list, const struct listener_line *line, char *error)
{
    for (size_t i = 0; i < list->count; i++)
        if (listener_same(&list->lines[i], line))
            return fail(error, "the same address and port twice");
    if (list->count == LISTENER_MAX)
        return fail(error, "more than %d lines for one service", LISTENER_MAX);
    list->lines[list->count] = *line;
    list->lines[list->count++].service = slice_text(NULL);
    return true;
}

bool listener_read(struct control *control, struct slice service, struct listener_list *list)
{
    struct control_lines lines;
    struct slice line;
    char error[CONTROL_ERROR_MAX];
    bool good = true;
    list->count = 0;
    if (!control_lines_open(control, "listen", &lines))
        return false;
    while (good && control_next_line(&lines, &line)) {
        struct listener_line parsed;
        good = listener_parse(line, &parsed, error) &&
               (!slice_equal(parsed.service, service) || keep(list, &parsed, error));
        if (!good)
            control_fail(control, "listen", lines.number, "%s", error);
    }
    control_lines_free(&lines);
    return good;
}

void listener_name(const struct listener_line *line, char text[IP_TEXT_MAX + 10])
{
    char address[IP_TEXT_MAX];
    ip_format(&line->ip, address);
    snprintf(text, IP_TEXT_MAX + 10, line->ip.size == 4 ? "%s:%u" : "[%s]:%u", address,
             (unsigned)line->port);
}

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

int listener_open(const struct listener_line *line)
{
    struct sockaddr_storage address;
    socklen_t size = ip_to_socket(&line->ip, line->port, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    /* Accepted sockets inherit these, which saves two system calls for each connection. Without
     * V6ONLY, [::]:25 and 0.0.0.0:25 could not stand side by side. */
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
        !set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) ||
        !set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) ||
        (address.ss_family == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
        bind(fd, (const struct sockaddr *)&address, size) < 0 || listen(fd, LISTENER_BACKLOG) < 0)
        io_close(&fd);
    return fd;
}
