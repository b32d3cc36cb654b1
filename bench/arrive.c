/*
 * arrive - waits until COUNT files have come into folders, and says when the last one did
 *
 *   arrive COUNT < list of folders, a line each
 *
 * Prints "ready" once it watches, then "end=SECONDS" (CLOCK_MONOTONIC). A file comes by link, rename or creation.
 * Exits       0 done, 1 with a line on standard error, also when nothing came for 60 s
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

enum { SILENCE_MS = 60000 };

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "arrive: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch_folders(int inotify)
{
    char line[PATH_MAX];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (inotify_add_watch(inotify, line, IN_CREATE | IN_MOVED_TO) < 0)
            die(line);
    }
}

static unsigned long read_events(int inotify)
{
    _Alignas(struct inotify_event) char events[65536];
    unsigned long count = 0;
    ssize_t got = read(inotify, events, sizeof events);
    if (got < 0)
        die("inotify");
    for (ssize_t at = 0; at < got;) {
        const struct inotify_event *event = (const struct inotify_event *)(events + at);
        if (event->mask & IN_Q_OVERFLOW) {
            errno = EOVERFLOW;
            die("inotify");
        }
        count++;
        at += (ssize_t)(sizeof *event + event->len);
    }
    return count;
}

int main(int argc, char **argv)
{
    unsigned long wanted = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    unsigned long count = 0;
    int inotify = inotify_init1(IN_CLOEXEC);
    if (wanted == 0 || inotify < 0)
        die("use: arrive COUNT");
    watch_folders(inotify);
    puts("ready");
    fflush(stdout);
    while (count < wanted) {
        struct pollfd one = {.fd = inotify, .events = POLLIN};
        if (poll(&one, 1, SILENCE_MS) == 0) {
            fprintf(stderr, "arrive: silence for %d s; %lu of %lu came\n", SILENCE_MS / 1000, count,
                    wanted);
            return 1;
        }
        count += read_events(inotify);
    }
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    printf("end=%ld.%06ld count=%lu\n", (long)time.tv_sec, time.tv_nsec / 1000, count);
    return 0;
}
