/*
 * noscan - takes scand's place and calls every message clean at once
 *
 * For measurements of the mail system without its scanner, as long as the setting "scan" is not there to
 * switch it off. The driver puts it into a scratch ROOT as bin/scand; it is never installed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "noscan: %s: %s\n", what, strerror(errno));
    exit(111);
}

/* ROOT is the folder above that of the program. */
static void enter_root(void)
{
    char path[PATH_MAX] = "";
    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0)
        die("/proc/self/exe");
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(path, '/');
        if (slash == NULL)
            die(path);
        *slash = 0;
    }
    if (chdir(path) != 0)
        die(path);
}

static int listen_here(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "run/scand/socket"};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (unlink(address.sun_path) != 0 && errno != ENOENT)
        die("unlink");
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(address.sun_path, 0666) != 0 || listen(fd, 128) != 0)
        die(address.sun_path);
    return fd;
}

/* The descriptor that comes along is dropped by the kernel, since no room is offered for it. */
static void serve(int client)
{
    static const char clean[] = "5:clean,0:,";
    char request[512];
    if (recv(client, request, sizeof request, 0) <= 0)
        close(client);
    else if (send(client, clean, sizeof clean - 1, MSG_NOSIGNAL) < 0)
        close(client);
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
}

int main(void)
{
    enter_root();
    int listener = listen_here();
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(epoll, &event, 1, -1) != 1)
            continue;
        if (event.data.fd != listener) {
            serve(event.data.fd);
            continue;
        }
        int client = accept(listener, NULL, NULL);
        if (client >= 0)
            watch(epoll, client);
    }
}
