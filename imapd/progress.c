/* progress - see progress.h */
#include "progress.h"

#include "clock.h"

void progress_begin(struct progress *progress, struct imapsession *session, uint64_t goal)
{
    bool tells = imapsession_has(session, "INPROGRESS");
    *progress =
        (struct progress){session, goal, tells ? clock_ms() + PROGRESS_INTERVAL_MS : CLOCK_NEVER};
}

static void tell(const struct progress *progress, uint64_t done)
{
    struct str *out = imapsession_line(progress->session);
    str_append_text(out, "OK [INPROGRESS (\"");
    str_append(out, progress->session->tag);
    str_format(out, "\" %llu ", (unsigned long long)done);
    if (progress->goal > 0)
        str_append_number(out, progress->goal);
    else
        str_append_text(out, "NIL");
    str_append_text(out, ")] Still at work");
    imapsession_send(progress->session);
    stream_flush(&progress->session->stream);
}

void progress_step(struct progress *progress, uint64_t done)
{
    int64_t now = clock_ms();
    /* RFC 9585 4: never beyond the goal */
    if (now < progress->next_ms || (progress->goal > 0 && done > progress->goal))
        return;
    progress->next_ms = now + PROGRESS_INTERVAL_MS;
    tell(progress, done);
}
