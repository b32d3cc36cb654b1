/* resolver - see resolver.h */
#include "resolver.h"

#include "clock.h"
#include "ip.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>

/* ---- c-ares' sockets and timeouts in our loop -------------------------------------------------*/

static void set_timer(struct resolver *resolver);

static void timer_due(struct loop_timer *timer)
{
    struct resolver *resolver = timer->owner;
    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(resolver);
}

static void set_timer(struct resolver *resolver)
{
    struct timeval left;
    if (!ares_timeout(resolver->channel, NULL, &left)) {
        loop_clear_timer(resolver->loop, &resolver->timer);
        return;
    }
    int64_t wait_ms = (int64_t)left.tv_sec * 1000 + left.tv_usec / 1000 + 1;
    /* Without memory for the timer, the next packet or question moves c-ares on. */
    (void)loop_set_timer(resolver->loop, &resolver->timer, clock_deadline(wait_ms), timer_due,
                         resolver);
}

static void socket_ready(struct loop_watch *watch, uint32_t events)
{
    struct resolver *resolver = watch->owner;
    bool is_readable = events & (EPOLLIN | EPOLLERR | EPOLLHUP);
    int fd = watch->fd;
    ares_process_fd(resolver->channel, is_readable ? fd : ARES_SOCKET_BAD,
                    events & EPOLLOUT ? fd : ARES_SOCKET_BAD);
    set_timer(resolver);
}

static struct loop_watch *find_socket(struct resolver *resolver, int fd)
{
    for (size_t i = 0; i < RESOLVER_SOCKETS_MAX; i++)
        if (resolver->sockets[i].active && resolver->sockets[i].fd == fd)
            return &resolver->sockets[i];
    return NULL;
}

static void watch_socket(struct resolver *resolver, int fd, uint32_t events)
{
    for (size_t i = 0; i < RESOLVER_SOCKETS_MAX; i++)
        if (!resolver->sockets[i].active) {
            /* A socket that is not watched is one whose questions time out. */
            (void)loop_add(resolver->loop, &resolver->sockets[i], fd, events, socket_ready,
                           resolver);
            return;
        }
}

static void socket_changed(void *owner, ares_socket_t fd, int readable, int writable)
{
    struct resolver *resolver = owner;
    struct loop_watch *watch = find_socket(resolver, fd);
    uint32_t events = (readable ? (uint32_t)EPOLLIN : 0) | (writable ? (uint32_t)EPOLLOUT : 0);
    if (watch && events == 0)
        loop_remove(resolver->loop, watch);
    else if (watch)
        (void)loop_change(resolver->loop, watch, events);
    else if (events != 0)
        watch_socket(resolver, fd, events);
}

/* ---- opening ----------------------------------------------------------------------------------*/

static bool set_server(struct resolver *resolver, struct slice server)
{
    struct ip ip;
    uint16_t port = NS_DEFAULTPORT;
    if (server.size == 0)
        return true;
    if (!ip_parse(server, &ip) && !ip_parse_endpoint(server, &ip, &port))
        return false;
    struct ares_addr_port_node node = {
        .family = ip.size == 4 ? AF_INET : AF_INET6, .udp_port = port, .tcp_port = port};
    memcpy(&node.addr, ip.bytes, ip.size);
    return ares_set_servers_ports(resolver->channel, &node) == ARES_SUCCESS;
}

bool resolver_open(struct resolver *resolver, struct loop *loop, struct slice server)
{
    *resolver = (struct resolver){.loop = loop};
    /* Sockets are closed when nothing is in flight: the next ones have ports that nobody has seen. */
    struct ares_options options = {
        .flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = RESOLVER_TIMEOUT_MS,
        .tries = RESOLVER_TRIES,
        .ednspsz = 1232,
        .sock_state_cb = socket_changed,
        .sock_state_cb_data = resolver,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
               ARES_OPT_SOCK_STATE_CB;
    if (ares_init_options(&resolver->channel, &options, mask) != ARES_SUCCESS)
        return false;
    if (set_server(resolver, server))
        return true;
    resolver_close(resolver);
    return false;
}

void resolver_close(struct resolver *resolver)
{
    struct ares_channeldata *channel = resolver->channel;
    if (!channel)
        return;
    resolver->channel = NULL; /* callbacks may ask again */
    loop_clear_timer(resolver->loop, &resolver->timer);
    ares_destroy(channel);
}

/* ---- questions --------------------------------------------------------------------------------*/

struct question {
    resolver_answer *answer;
    void *owner;
};

static enum resolver_result result_of(int status)
{
    if (status == ARES_SUCCESS)
        return RESOLVER_FOUND;
    return status == ARES_ENODATA || status == ARES_ENOTFOUND ? RESOLVER_NONE : RESOLVER_TROUBLE;
}

static void answered(void *owner, int status, int timeouts, unsigned char *bytes, int size)
{
    struct question *question = owner;
    enum resolver_result result = result_of(status);
    bool has_bytes = result != RESOLVER_TROUBLE && bytes && size > 0;
    (void)timeouts;
    question->answer(question->owner, result, has_bytes ? bytes : NULL,
                     has_bytes ? (size_t)size : 0);
    free(question);
}

void resolver_ask(struct resolver *resolver, const char *name, int type, resolver_answer *answer,
                  void *owner)
{
    struct question *question = malloc(sizeof *question);
    if (!question || !resolver->channel) {
        free(question);
        answer(owner, RESOLVER_TROUBLE, NULL, 0);
        return;
    }
    *question = (struct question){.answer = answer, .owner = owner};
    ares_query(resolver->channel, name, ns_c_in, type, answered, question);
    if (resolver->channel)
        set_timer(resolver);
}
