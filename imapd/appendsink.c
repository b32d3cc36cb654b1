/* appendsink - see appendsink.h */
#include "appendsink.h"

#include "clock.h"
#include "downgrade.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

void appendsink_fail(struct appendsink *sink, enum answer answer)
{
    if (sink->open)
        mailbox_append_abort(&sink->append);
    sink->open = false;
    io_close(&sink->spool);
    if (sink->answer == ANSWER_DONE)
        sink->answer = answer;
}

static void fail_by(struct appendsink *sink, int error)
{
    enum answer answer = answer_from_errno(error);
    /* A folder that vanished meanwhile could be made again (RFC 3501 6.3.11). */
    appendsink_fail(sink, answer == ANSWER_NO_MAILBOX ? ANSWER_TRY_CREATE : answer);
}

void appendsink_begin(struct appendsink *sink, struct mailbox *mailbox, bool is_binary)
{
    sink->spool = -1;
    sink->answer = ANSWER_DONE;
    sink->open = mailbox_append_begin(mailbox, &sink->append);
    if (!sink->open) {
        fail_by(sink, errno);
    } else if (is_binary) {
        sink->spool = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (sink->spool < 0)
            fail_by(sink, errno);
    }
}

static bool has_bare_lf(struct appendsink *sink, struct slice bytes)
{
    for (size_t at; (at = slice_find(bytes, '\n')) < bytes.size;
         bytes = slice_from(bytes, at + 1)) {
        bool is_line_end = at > 0 ? bytes.data[at - 1] == '\r' : sink->last_was_cr;
        sink->last_was_cr = false;
        if (!is_line_end)
            return true;
    }
    return false;
}

static void collect(struct appendsink *sink, struct slice bytes)
{
    sink->has_binary = sink->has_binary || slice_has(bytes, '\0') || has_bare_lf(sink, bytes);
    sink->last_was_cr = bytes.data[bytes.size - 1] == '\r';
    if (!io_write_all(sink->spool, bytes, CLOCK_NEVER))
        fail_by(sink, errno);
}

/* For downgrade_write too. */
static bool store(void *owner, struct slice bytes)
{
    struct appendsink *sink = owner;
    if (!mailbox_append_write(&sink->append, bytes))
        fail_by(sink, sink->append.delivery.error);
    return sink->open;
}

void appendsink_write(struct appendsink *sink, struct slice bytes)
{
    if (!sink->open || bytes.size == 0)
        return;
    if (sink->spool >= 0)
        collect(sink, bytes);
    else if (slice_has(bytes, '\0')) /* RFC 3501 9, CHAR8 */
        appendsink_fail(sink, ANSWER_NUL);
    else
        store(sink, bytes);
}

static void store_spooled(struct appendsink *sink)
{
    struct stat info;
    if (fstat(sink->spool, &info) < 0 || info.st_size <= 0) {
        appendsink_fail(sink, ANSWER_TROUBLE);
        return;
    }
    size_t size = (size_t)info.st_size;
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, sink->spool, 0);
    if (map == MAP_FAILED) {
        fail_by(sink, errno);
        return;
    }
    struct slice message = slice_of(map, size);
    bool done = sink->has_binary ? downgrade_write(message, DOWNGRADE_TO_8BIT, store, sink)
                                 : store(sink, message);
    if (!done)
        appendsink_fail(sink, ANSWER_TROUBLE);
    munmap(map, size);
    io_close(&sink->spool);
}

void appendsink_finish(struct appendsink *sink)
{
    if (sink->open && sink->spool >= 0)
        store_spooled(sink);
    if (sink->open)
        maildir_begin_sync(&sink->append.delivery);
}
