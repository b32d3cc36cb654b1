/* watch - see watch.h */
#include "watch.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { WATCH_BUFFER = 4096 };

static const char *const parts[WATCH_PARTS] = {
    [WATCH_FOLDER] = ".", [WATCH_NEW] = "new", [WATCH_CUR] = "cur"};

static const uint32_t name_events = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

/* Files of a folder that mean something to who watches it. All else there is locks and caches. */
static const struct {
    const char *name;
    unsigned news;
} files[] = {
    {"mailbox-index", WATCH_MESSAGES},
    {"mailbox-keywords", WATCH_MESSAGES},
    {"mailbox-metadata", WATCH_METADATA},
    {"server-metadata", WATCH_SERVER_METADATA},
    {"subscriptions", WATCH_SUBSCRIPTIONS},
    {"cur", WATCH_NAMES | WATCH_WHOLE},
    {"new", WATCH_NAMES},
};
enum { FILES = sizeof files / sizeof *files };

int watch_open(void)
{
    return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

static bool add_part(int watch, const struct imapfolder *folder, enum watch_part part,
                     struct watched *watched)
{
    char path[IMAPFOLDER_PATH_MAX + 8];
    uint32_t events = name_events;
    if (watched->ids[part] > 0)
        return true;
    if (part == WATCH_FOLDER)
        events |= IN_MODIFY | IN_MOVE_SELF;
    snprintf(path, sizeof path, "%s/%s", folder->path, parts[part]);
    int id = inotify_add_watch(watch, path, events | IN_ONLYDIR);
    watched->ids[part] = id > 0 ? id : 0;
    return id > 0;
}

bool watch_add(int watch, const struct imapfolder *folder, bool with_cur, struct watched *watched)
{
    return add_part(watch, folder, WATCH_FOLDER, watched) &&
           add_part(watch, folder, WATCH_NEW, watched) &&
           (!with_cur || add_part(watch, folder, WATCH_CUR, watched));
}

bool watch_is(const struct watched *watched, int id)
{
    for (size_t i = 0; i < WATCH_PARTS; i++)
        if (watched->ids[i] == id)
            return true;
    return false;
}

void watch_remove(int watch, struct watched *watched, const struct watched *others)
{
    for (size_t i = 0; i < WATCH_PARTS; i++) {
        /* A folder that is gone took its watches along: no trouble. */
        if (watched->ids[i] > 0 && !(others && watch_is(others, watched->ids[i])))
            (void)inotify_rm_watch(watch, watched->ids[i]);
        watched->ids[i] = 0;
    }
}

void watch_forget(int watch, int id)
{
    (void)inotify_rm_watch(watch, id);
}

/* What stands in new/ and cur/ is messages; a folder has files and folders of known names. */
static unsigned news_of(const struct inotify_event *event)
{
    if (event->mask & IN_IGNORED)
        return WATCH_GONE;
    if (event->mask & IN_MOVE_SELF)
        return WATCH_NAMES;
    if (event->len == 0)
        return 0;
    for (size_t i = 0; i < FILES; i++)
        if (strcmp(event->name, files[i].name) == 0)
            return files[i].news;
    if (event->mask & IN_ISDIR)
        return event->name[0] == '.' ? WATCH_NAMES : 0;
    return event->mask & IN_MODIFY || strncmp(event->name, "mailbox-", 8) == 0 ? 0 : WATCH_MESSAGES;
}

/* Its cur/ may have come before this watch: whoever is told of the folder looks after that. */
static void await_parts(int watch, const struct inotify_event *event)
{
    char path[sizeof IMAPFOLDER_ROOT + 1 + IMAPFOLDER_PATH_MAX];
    int size = snprintf(path, sizeof path, IMAPFOLDER_ROOT "/%s", event->name);
    if (size > 0 && (size_t)size < sizeof path)
        (void)inotify_add_watch(watch, path, IN_CREATE | IN_ONLYDIR);
}

static void take_event(int watch, const struct inotify_event *event, watch_taker *take, void *owner)
{
    if (event->mask & IN_Q_OVERFLOW) {
        take(owner, 0, WATCH_LOST);
        return;
    }
    unsigned news = news_of(event);
    if ((event->mask & IN_CREATE) && (event->mask & IN_ISDIR) && event->name[0] == '.')
        await_parts(watch, event);
    if (news != 0)
        take(owner, event->wd, news);
}

void watch_read(int watch, watch_taker *take, void *owner)
{
    char bytes[WATCH_BUFFER] __attribute__((aligned(__alignof__(struct inotify_event))));
    for (;;) {
        ssize_t size = read(watch, bytes, sizeof bytes);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return;
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)(bytes + at);
            take_event(watch, event, take, owner);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}
