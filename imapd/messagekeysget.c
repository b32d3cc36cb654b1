/* messagekeysget - the keys of a message in its file, see messagekeys.h */
#include "io.h"
#include "messagekeys.h"

#include <errno.h>
#include <unistd.h>

/* Nearly all headers are shorter: one read. */
enum { READ_SIZE = 8192 };

/* The size of the line end that an empty line at the front is; 0: there is none. */
static size_t empty_line(struct slice text)
{
    return slice_starts(text, SLICE("\n")) ? 1 : slice_starts(text, SLICE("\r\n")) ? 2 : 0;
}

/* Moves *end, where a line begins, on to the empty line that ends the header, of whichever line
 * ends; or to the last line, and false. */
static bool find_end(struct slice text, size_t *end)
{
    for (;;) {
        struct slice rest = slice_from(text, *end);
        if (empty_line(rest) > 0)
            return true;
        size_t size = slice_find(rest, '\n');
        if (size == rest.size)
            return false;
        *end += size + 1;
    }
}

/* Reads till the header has ended; *size is its size then. */
static bool read_header(int fd, struct str *text, size_t *size)
{
    ssize_t got = 1;
    bool ended = false;
    *size = 0;
    while (got > 0 && text->size < MESSAGEKEYS_HEADER_MAX && !ended) {
        char *room = str_reserve(text, READ_SIZE);
        if (!room) {
            errno = ENOMEM;
            return false;
        }
        do
            got = pread(fd, room, READ_SIZE, (off_t)text->size);
        while (got < 0 && errno == EINTR);
        if (got > 0)
            str_added(text, (size_t)got);
        ended = find_end(str_slice(text), size);
    }
    if (!ended)
        *size = text->size;
    return got >= 0;
}

static bool extract(int fd, struct str *bytes)
{
    struct str text;
    size_t size;
    str_init(&text, MESSAGEKEYS_HEADER_MAX + READ_SIZE);
    bool done = read_header(fd, &text, &size);
    if (done && !messagekeys_extract(slice_part(str_slice(&text), 0, size), bytes)) {
        errno = ENOMEM;
        done = false;
    }
    str_free(&text);
    return done;
}

bool messagekeys_get(struct mailbox *mailbox, struct mailbox_message *message, struct str *bytes)
{
    str_clear(bytes);
    int fd = mailbox_open_message(mailbox, message);
    if (fd < 0)
        return false;
    bool done = extract(fd, bytes);
    io_close(&fd);
    return done;
}
