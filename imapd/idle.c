/* idle - IDLE (RFC 2177): news at once, as notify.h has them */
#include "clock.h"
#include "imapcommand.h"
#include "notify.h"
#include "update.h"

enum { IDLE_LINE_MAX = 1024 };

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
    notify_begin_idle(session);
    /* What came between the last look and the watch. */
    notify_tell(session, UPDATE_EXPUNGES);
    if (stream_flush(&session->stream) == STREAM_OK && !session->ended &&
        !stream_has_input(&session->stream)) {
        str_clear(&session->reader.text);
        notify_wait(session, deadline, UPDATE_EXPUNGES);
    }
    notify_end_idle(session);
    if (session->ended)
        return ANSWER_DONE;
    session->stream.deadline = deadline;
    enum answer answer = read_done(session);
    session->stream.deadline = CLOCK_NEVER;
    return answer;
}
