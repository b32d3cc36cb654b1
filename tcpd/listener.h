/*
 * listener - the lines of control/listen and the sockets they ask for
 *
 *     SERVICE ADDRESS:PORT [proxy]
 */
#ifndef TCPD_LISTENER_H
#define TCPD_LISTENER_H

#include "control.h"
#include "ip.h"

enum { LISTENER_MAX = 64, LISTENER_BACKLOG = 4096 };

struct listener_line {
    struct slice service; /* into the line that was parsed */
    struct ip ip;
    uint16_t port;
    bool proxy; /* each connection begins with a PROXY header */
};

struct listener_list {
    struct listener_line lines[LISTENER_MAX]; /* their `service` is not kept */
    size_t count;
};

/* One line. False: `error` (CONTROL_ERROR_MAX) says what would be right. */
bool listener_parse(struct slice line, struct listener_line *parsed, char *error);
/* All of control/listen is checked; the lines of `service` are kept. False: control->error. */
bool listener_read(struct control *control, struct slice service, struct listener_list *list);
bool listener_same(const struct listener_line *a, const struct listener_line *b);
/* "192.0.2.1:25", "[::1]:25". */
void listener_name(const struct listener_line *line, char text[IP_TEXT_MAX + 10]);
/* A listening socket: non-blocking, close-on-exec; what is accepted from it has TCP_NODELAY and
 * keepalive. -1 with errno. */
int listener_open(const struct listener_line *line);

#endif
