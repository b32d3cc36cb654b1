/* source - see source.h */
#include "source.h"

#include "imapsession.h"
#include "io.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

void source_begin(struct source *source, struct mailbox *mailbox, size_t index)
{
    *source = (struct source){.mailbox = mailbox, .index = index};
    str_init(&source->copy, IMAPSESSION_READ_MAX);
}

void source_end(struct source *source)
{
    mime_free(&source->root);
    if (source->map)
        munmap(source->map, source->map_size);
    source->map = NULL;
    str_free(&source->copy);
    source->loaded = false;
}

static bool map_file(struct source *source, int fd, size_t size)
{
    if (size > 0) {
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED)
            return false;
        source->map = map;
        source->map_size = size;
    }
    source->whole = slice_of(size > 0 ? source->map : "", size);
    return true;
}

static bool convert(struct source *source, struct mailbox_message *message)
{
    if (!mailbox_read_message(source->mailbox, message, &source->copy))
        return false;
    source->whole = str_slice(&source->copy);
    return true;
}

static bool load(struct source *source)
{
    struct mailbox_message *message = &source->mailbox->messages[source->index];
    uint64_t size;
    if (!mailbox_crlf_size(source->mailbox, message, &size))
        return false;
    int fd = mailbox_open_message(source->mailbox, message);
    struct stat info;
    if (fd < 0)
        return false;
    bool done = fstat(fd, &info) == 0;
    /* A file that is as long as its wire form is its wire form. */
    if (done && info.st_size >= 0 && (uint64_t)info.st_size == size)
        done = map_file(source, fd, (size_t)size);
    else
        done = done && convert(source, message);
    io_close(&fd);
    return done;
}

bool source_whole(struct source *source, struct slice *whole)
{
    if (!source->loaded)
        source->loaded = load(source);
    *whole = source->whole;
    return source->loaded;
}

struct slice source_header_of(struct slice whole)
{
    if (slice_starts(whole, SLICE("\r\n")))
        return slice_part(whole, 0, 2);
    const char *end = whole.size ? memmem(whole.data, whole.size, "\r\n\r\n", 4) : NULL;
    return end ? slice_part(whole, 0, (size_t)(end - whole.data) + 4) : whole;
}

bool source_header(struct source *source, struct slice *header)
{
    struct slice whole;
    if (!source_whole(source, &whole))
        return false;
    *header = source_header_of(whole);
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
