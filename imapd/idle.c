/* idle - IDLE (RFC 2177): news at once, by inotify on the mailbox's folders and its index */
#include "clock.h"
#include "foldertree.h"
#include "imapcommand.h"
#include "io.h"
#include "update.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { IDLE_LINE_MAX = 1024 };

static const uint32_t idle_events = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

static bool watch_folder(int watch, const struct imapfolder *folder, const char *name,
                         uint32_t events)
{
    char path[IMAPFOLDER_PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return inotify_add_watch(watch, path, events | IN_ONLYDIR) >= 0;
}

/* -1 when nothing is selected, or the kernel has no watch left: then IDLE only waits for DONE. */
static int watch_mailbox(const struct imapsession *session)
{
    if (!session->mailbox)
        return -1;
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch >= 0 &&
        (!watch_folder(watch, &session->folder, "new", idle_events) ||
         !watch_folder(watch, &session->folder, "cur", idle_events) ||
         !watch_folder(watch, &session->folder, ".", IN_MOVE_SELF | IN_MODIFY | IN_MOVED_TO)))
        io_close(&watch);
    return watch;
}

/* The events say no more than that there is something to look at. */
static void drain(int watch)
{
    char events[sizeof(struct inotify_event) + NAME_MAX + 1]
        __attribute__((aligned(__alignof__(struct inotify_event))));
    while (read(watch, events, sizeof events) > 0)
        ;
}

/* A folder that is deleted gets another name first, and one that is renamed has another: what the
 * client has selected is not there any more (RFC 2180 3.3). */
static void tell_news(struct imapsession *session)
{
    if (foldertree_exists(&session->folder))
        update_tell(session, true);
    else
        imapsession_bye(session, "[UNAVAILABLE] The selected mailbox was deleted or renamed",
                        "deleted");
}

/* Waits for the client or the mailbox. True: the client has sent something, or is gone, or the
 * time is up (the stream then says which). */
static bool wait_for_client(struct imapsession *session, int watch, int64_t deadline)
{
    struct pollfd descriptors[] = {{.fd = session->stream.in, .events = POLLIN},
                                   {.fd = watch, .events = POLLIN}};
    int ready = poll(descriptors, 2, clock_left(deadline));
    if (ready < 0)
        return errno != EINTR;
    if (ready == 0 || descriptors[0].revents)
        return true;
    drain(watch);
    tell_news(session);
    if (stream_flush(&session->stream) == STREAM_OK) {
        imapsession_settle(session);
        imapsession_rest(session);
    }
    return session->ended || session->stream.broken != STREAM_OK;
}

static enum answer read_done(struct imapsession *session)
{
    struct slice line;
    enum stream_result result = stream_line(&session->stream, IDLE_LINE_MAX, &line);
    if (result == STREAM_TOO_LONG)
        result = stream_skip_line(&session->stream);
    else if (result == STREAM_OK && slice_equal_nocase(slice_trim(line), SLICE("DONE")))
        return ANSWER_DONE;
    if (result != STREAM_OK)
        imapsession_lost(session, result);
    return ANSWER_IDLE_END;
}

enum answer idle_idle(struct imapsession *session, struct parse *arguments)
{
    (void)arguments;
    int64_t deadline = clock_deadline(IMAPSESSION_IDLE_MS);
    stream_write_text(&session->stream, "+ idling\r\n");
    int watch = watch_mailbox(session);
    /* What came between the last look and the watch. */
    if (session->mailbox)
        tell_news(session);
    if (stream_flush(&session->stream) == STREAM_OK && !session->ended &&
        !stream_has_input(&session->stream)) {
        str_clear(&session->reader.text);
        imapsession_settle(session);
        imapsession_rest(session);
        while (!wait_for_client(session, watch, deadline))
            ;
    }
    io_close(&watch);
    if (session->ended)
        return ANSWER_DONE;
    session->stream.deadline = deadline;
    enum answer answer = read_done(session);
    session->stream.deadline = CLOCK_NEVER;
    return answer;
}
