/* arrival - see arrival.h */
#include "arrival.h"

#include "io.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { EVENTS_SIZE = 16384 };

long arrival_read_folder(struct arrival *arrival)
{
    long count = 0;
    int fd = openat(arrival->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        io_close(&fd);
        return -1;
    }
    errno = 0;
    for (struct dirent *entry; (entry = readdir(list)); errno = 0)
        if (entry->d_name[0] != '.') {
            arrival->found(arrival->owner, slice_text(entry->d_name), false);
            count++;
        }
    int error = errno;
    closedir(list);
    errno = error;
    return error ? -1 : count;
}

static void read_again(struct arrival *arrival)
{
    log_event("announcements-lost", NULL, NULL);
    if (arrival_read_folder(arrival) < 0)
        log_trouble("read", "queue/message", errno, "start queued again");
}

static void take_event(struct arrival *arrival, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW)
        read_again(arrival);
    else if (event->len > 0 && event->name[0] != '.' && !(event->mask & IN_ISDIR))
        arrival->found(arrival->owner, slice_text(event->name), true);
}

static void events_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct arrival *arrival = watch->owner;
    union {
        struct inotify_event event;
        char bytes[EVENTS_SIZE];
    } buffer;
    ssize_t got = read(arrival->fd, &buffer, sizeof buffer);
    size_t at = 0;
    while (got > 0 && at + sizeof(struct inotify_event) <= (size_t)got) {
        struct inotify_event head;
        memcpy(&head, buffer.bytes + at, sizeof head);
        take_event(arrival, (const struct inotify_event *)(const void *)(buffer.bytes + at));
        at += sizeof head + head.len;
    }
}

bool arrival_init(struct arrival *arrival, struct loop *loop, int folder, const char *path,
                  arrival_found *found, void *owner)
{
    *arrival = (struct arrival){.folder = folder,
                                .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC),
                                .found = found,
                                .owner = owner};
    if (arrival->fd < 0)
        return false;
    if (inotify_add_watch(arrival->fd, path, IN_MOVED_TO | IN_ONLYDIR) < 0 ||
        !loop_add(loop, &arrival->watch, arrival->fd, EPOLLIN, events_ready, arrival)) {
        io_close(&arrival->fd);
        return false;
    }
    return true;
}

void arrival_free(struct arrival *arrival, struct loop *loop)
{
    loop_remove(loop, &arrival->watch);
    io_close(&arrival->fd);
}
