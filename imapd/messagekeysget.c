/* messagekeysget - the keys of a message in its file, see messagekeys.h */
#include "io.h"
#include "messagekeys.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Nearly all headers are shorter: one read. */
enum { READ_SIZE = 8192 };

/* Is the empty line there that ends a header, of whichever line ends? `from`: where it was looked
 * for already. */
static bool has_end(struct slice text, size_t from)
{
    struct slice rest = slice_from(text, from);
    if (slice_starts(text, SLICE("\n")) || slice_starts(text, SLICE("\r\n")))
        return true;
    return rest.size > 0 &&
           (memmem(rest.data, rest.size, "\n\r\n", 3) || memmem(rest.data, rest.size, "\n\n", 2));
}

static struct slice header_of(struct slice text)
{
    if (slice_starts(text, SLICE("\n")) || slice_starts(text, SLICE("\r\n")))
        return SLICE("");
    const char *wire = text.size > 0 ? memmem(text.data, text.size, "\n\r\n", 3) : NULL;
    const char *plain = text.size > 0 ? memmem(text.data, text.size, "\n\n", 2) : NULL;
    const char *end = !wire || (plain && plain < wire) ? plain : wire;
    return end ? slice_part(text, 0, (size_t)(end - text.data) + 1) : text;
}

/* Reads till the header has ended. */
static bool read_header(int fd, struct str *text)
{
    ssize_t got = 1;
    size_t looked = 0;
    while (got > 0 && text->size < MESSAGEKEYS_HEADER_MAX && !has_end(str_slice(text), looked)) {
        looked = text->size > 2 ? text->size - 2 : 0;
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
    }
    return got >= 0;
}

static bool extract(int fd, struct str *bytes)
{
    struct str text;
    str_init(&text, MESSAGEKEYS_HEADER_MAX + READ_SIZE);
    bool done = read_header(fd, &text);
    if (done && !messagekeys_extract(header_of(str_slice(&text)), bytes)) {
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
