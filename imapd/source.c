/* source - see source.h */
#include "source.h"

#include "imapsession.h"
#include "io.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SOURCE_READ_MAX = 524288,  /* longer messages are mapped */
    SOURCE_FRONT_FIRST = 4096, /* of the first read when only the header is wanted */
    SOURCE_FRONT_MOST = 65536,
};

void source_begin(struct source *source, struct mailbox *mailbox, size_t index)
{
    *source =
        (struct source){.mailbox = mailbox, .index = index, .fd = -1, .front = SOURCE_FRONT_FIRST};
    str_init(&source->bytes, IMAPSESSION_READ_MAX);
}

static void forget(struct source *source)
{
    mime_free(&source->root);
    if (source->map)
        munmap(source->map, source->map_size);
    source->map = NULL;
    io_close(&source->fd);
    source->is_known = source->is_converted = false;
    source->size = 0;
    source->header_size = 0;
}

void source_move(struct source *source, size_t index)
{
    forget(source);
    if (source->bytes.capacity > SOURCE_READ_MAX)
        str_free(&source->bytes);
    str_clear(&source->bytes);
    source->index = index;
}

void source_end(struct source *source)
{
    forget(source);
    str_free(&source->bytes);
}

static struct mailbox_message *message_of(const struct source *source)
{
    return &source->mailbox->messages[source->index];
}

/* What is a message's wire form already, by what the list says of it. */
static bool seems_wire_form(const struct source *source)
{
    const struct mailbox_message *message = message_of(source);
    return message->size == message->crlf_size;
}

/* How long it is nobody knows then. */
static bool open_file(struct source *source)
{
    if (source->fd < 0)
        source->fd = mailbox_open_unchecked(source->mailbox, message_of(source));
    return source->fd >= 0;
}

static bool convert(struct source *source)
{
    str_clear(&source->bytes);
    source->is_converted =
        mailbox_read_message(source->mailbox, message_of(source), &source->bytes);
    source->size = source->bytes.size;
    return source->is_converted;
}

bool source_open(struct source *source)
{
    if (source->is_known)
        return true;
    if (!open_file(source))
        return false;
    mailbox_check_size(source->mailbox, message_of(source), source->fd);
    source->is_known = mailbox_crlf_size(source->mailbox, message_of(source), &source->size) &&
                       (seems_wire_form(source) || convert(source));
    if (!source->is_known)
        io_close(&source->fd);
    return source->is_known;
}

/* Has at least `size` bytes of the file, which is that long, in memory. */
static bool read_up_to(struct source *source, size_t size)
{
    struct str *bytes = &source->bytes;
    if (bytes->size >= size)
        return true;
    size_t missing = size - bytes->size;
    char *room = str_reserve(bytes, missing);
    errno = ENOMEM;
    if (!room || !io_pread_all(source->fd, room, missing, (off_t)bytes->size))
        return false;
    str_added(bytes, missing);
    return true;
}

static bool map_file(struct source *source)
{
    void *map = mmap(NULL, (size_t)source->size, PROT_READ, MAP_PRIVATE, source->fd, 0);
    if (map == MAP_FAILED)
        return false;
    source->map = map;
    source->map_size = (size_t)source->size;
    return true;
}

/* A message that is not long in one read, without asking for its size: that there is not one byte more
 * than there should be tells it. */
static bool read_at_once(struct source *source)
{
    uint64_t size = message_of(source)->size;
    if (source->is_known || source->bytes.size > 0 || size > SOURCE_READ_MAX ||
        !seems_wire_form(source) || !open_file(source))
        return false;
    char *room = str_reserve(&source->bytes, (size_t)size + 1);
    if (!room || pread(source->fd, room, (size_t)size + 1, 0) != (ssize_t)size)
        return false;
    str_added(&source->bytes, (size_t)size);
    source->size = size;
    source->is_known = true;
    return true;
}

bool source_whole(struct source *source, struct slice *whole)
{
    if (!read_at_once(source) && !source_open(source))
        return false;
    bool is_long = !source->is_converted && source->size > SOURCE_READ_MAX;
    if (is_long && !source->map && !map_file(source))
        return false;
    if (!is_long && !source->is_converted && !read_up_to(source, (size_t)source->size))
        return false;
    *whole = source->map ? slice_of(source->map, source->map_size) : str_slice(&source->bytes);
    return true;
}

static bool is_empty_line(struct slice whole, size_t line)
{
    return whole.data[line] == '\r' && line + 1 < whole.size && whole.data[line + 1] == '\n' &&
           (line == 0 || (line > 1 && whole.data[line - 2] == '\r'));
}

/* Line by line, which is faster than memmem for four bytes. */
struct slice source_header_of(struct slice whole)
{
    for (size_t line = 0; line < whole.size;) {
        if (is_empty_line(whole, line))
            return slice_part(whole, 0, line + 2);
        line += slice_find(slice_from(whole, line), '\n') + 1;
    }
    return whole;
}

static bool ends_header(struct slice header)
{
    return slice_ends(header, SLICE("\r\n\r\n")) || slice_equal(header, SLICE("\r\n"));
}

/* Searches once. */
static struct slice header_in(const struct source *source, struct slice bytes)
{
    return source->header_size > 0 ? slice_part(bytes, 0, source->header_size)
                                   : source_header_of(bytes);
}

/* Reads up to source->front. False when the file ended, or can't be read. */
static bool read_front(struct source *source)
{
    struct str *bytes = &source->bytes;
    if (bytes->size >= source->front)
        return true;
    size_t missing = source->front - bytes->size;
    char *room = open_file(source) ? str_reserve(bytes, missing) : NULL;
    ssize_t got = room ? pread(source->fd, room, missing, (off_t)bytes->size) : -1;
    if (got > 0)
        str_added(bytes, (size_t)got);
    return got == (ssize_t)missing;
}

/* Tries to find the header in the front of the file, so that the rest need not be read, nor asked how
 * long it is. What one header needed the next ones are likely to need. */
static bool find_in_front(struct source *source, struct slice *header)
{
    if (source->is_converted || source->map || !seems_wire_form(source))
        return false;
    for (;;) {
        bool goes_on = read_front(source) && source->front < SOURCE_FRONT_MOST;
        *header = header_in(source, str_slice(&source->bytes));
        if (ends_header(*header))
            return true;
        if (!goes_on)
            return false;
        source->front *= 2;
    }
}

bool source_header(struct source *source, struct slice *header)
{
    struct slice whole;
    if (!find_in_front(source, header)) {
        if (!source_whole(source, &whole))
            return false;
        *header = header_in(source, whole);
    }
    source->header_size = header->size;
    return true;
}

const struct mime_part *source_root(struct source *source)
{
    struct slice whole;
    if (!source->root && source_whole(source, &whole)) {
        source->root = mime_parse_global(whole);
        if (!source->root)
            errno = ENOMEM;
    }
    return source->root;
}

bool source_read(struct source *source, uint64_t offset, char *room, size_t size)
{
    if (!source_open(source))
        return false;
    if (source->is_converted) {
        memcpy(room, source->bytes.data + offset, size);
        return true;
    }
    return io_pread_all(source->fd, room, size, (off_t)offset);
}
