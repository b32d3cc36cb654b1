/* source - see source.h */
#include "source.h"

#include "imapsession.h"
#include "io.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SOURCE_READ_MAX = 524288, /* longer messages are mapped */
    SOURCE_HEADER_STEP = 8192 /* of the first read when only the header is wanted */
};

void source_begin(struct source *source, struct mailbox *mailbox, size_t index)
{
    *source = (struct source){.mailbox = mailbox, .index = index, .fd = -1};
    str_init(&source->bytes, IMAPSESSION_READ_MAX);
}

static void forget(struct source *source)
{
    mime_free(&source->root);
    if (source->map)
        munmap(source->map, source->map_size);
    source->map = NULL;
    io_close(&source->fd);
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

static bool convert(struct source *source, struct mailbox_message *message)
{
    source->is_converted = mailbox_read_message(source->mailbox, message, &source->bytes);
    source->size = source->bytes.size;
    return source->is_converted;
}

bool source_open(struct source *source)
{
    struct mailbox_message *message = &source->mailbox->messages[source->index];
    if (source->fd >= 0)
        return true;
    source->is_converted = false;
    source->fd = mailbox_open_message(source->mailbox, message);
    if (source->fd < 0)
        return false;
    /* A file that is as long as its wire form is its wire form. */
    bool done = mailbox_crlf_size(source->mailbox, message, &source->size);
    if (done && message->size != source->size)
        done = convert(source, message);
    if (!done)
        io_close(&source->fd);
    return done;
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

bool source_whole(struct source *source, struct slice *whole)
{
    if (!source_open(source))
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

/* Tries to find the header in the front of the file, so that the rest need not be read. */
static bool find_in_front(struct source *source, struct slice *header)
{
    size_t size = SOURCE_HEADER_STEP;
    if (source->is_converted || source->size <= size || !read_up_to(source, size))
        return false;
    *header = header_in(source, str_slice(&source->bytes));
    return ends_header(*header);
}

bool source_header(struct source *source, struct slice *header)
{
    struct slice whole;
    if (!source_open(source))
        return false;
    if (source->map || !find_in_front(source, header)) {
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
        source->root = mime_parse(whole);
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
