/* messagefile - see messagefile.h */
#include "messagefile.h"

#include "imapsession.h"
#include "io.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FIRST_READ = 4096,  /* what most headers fit in */
    READ_MOST = 262144, /* bytes of a message that is read; a larger one is mapped */
};

void messagefile_init(struct messagefile *file)
{
    *file = (struct messagefile){.fd = -1};
    str_init(&file->bytes, IMAPSESSION_READ_MAX);
}

void messagefile_end(struct messagefile *file)
{
    if (file->map)
        munmap(file->map, file->map_size);
    file->map = NULL;
    io_close(&file->fd);
}

void messagefile_free(struct messagefile *file)
{
    messagefile_end(file);
    str_free(&file->bytes);
}

void messagefile_begin(struct messagefile *file, struct mailbox *mailbox, size_t index)
{
    messagefile_end(file);
    file->mailbox = mailbox;
    file->index = index;
    file->failed = file->whole = false;
    file->header_size = 0;
    str_clear(&file->bytes);
}

static bool open_file(struct messagefile *file)
{
    if (file->fd < 0 && !file->failed)
        file->fd = mailbox_open_unchecked(file->mailbox, &file->mailbox->messages[file->index]);
    file->failed |= file->fd < 0;
    return !file->failed;
}

/* Reads `size` bytes more, or what there is. */
static bool read_more(struct messagefile *file, size_t size)
{
    char *room = str_reserve(&file->bytes, size);
    ssize_t got = room ? pread(file->fd, room, size, (off_t)file->bytes.size) : -1;
    if (got < 0) {
        file->failed = !room || errno != EINTR;
        return !file->failed;
    }
    str_added(&file->bytes, (size_t)got);
    file->whole = (size_t)got < size;
    return true;
}

static bool map_file(struct messagefile *file)
{
    struct stat info;
    if (fstat(file->fd, &info) < 0 || info.st_size <= 0)
        return false;
    void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file->fd, 0);
    if (map == MAP_FAILED)
        return false;
    file->map = map;
    file->map_size = (size_t)info.st_size;
    file->whole = true;
    return true;
}

static struct slice bytes_of(const struct messagefile *file)
{
    return file->map ? slice_of(file->map, file->map_size) : str_slice(&file->bytes);
}

/* Reads on, `first` bytes at first, until the whole message is there or `enough` of it. */
static bool read_until(struct messagefile *file, size_t first, bool (*enough)(struct messagefile *))
{
    size_t step = first;
    while (!file->whole && !(enough && enough(file))) {
        bool large = file->bytes.size + step > READ_MOST;
        file->failed |= large ? !map_file(file) : !read_more(file, step);
        if (file->failed)
            return false;
        step = file->bytes.size > FIRST_READ ? file->bytes.size : FIRST_READ;
    }
    return true;
}

/* The size of the header with its empty line; 0 where that did not come. */
static size_t find_header(struct slice bytes)
{
    for (size_t line = 0; line < bytes.size;) {
        struct slice rest = slice_from(bytes, line);
        if (rest.data[0] == '\n')
            return line + 1;
        if (slice_starts(rest, SLICE("\r\n")))
            return line + 2;
        line += slice_find(rest, '\n') + 1;
    }
    return 0;
}

static bool has_header(struct messagefile *file)
{
    if (file->header_size == 0)
        file->header_size = find_header(bytes_of(file));
    return file->header_size > 0;
}

bool messagefile_header(struct messagefile *file, struct slice *header)
{
    if (!open_file(file) || !read_until(file, FIRST_READ, has_header))
        return false;
    size_t size = has_header(file) ? file->header_size : SIZE_MAX;
    *header = slice_part(bytes_of(file), 0, size);
    return true;
}

bool messagefile_whole(struct messagefile *file, struct slice *whole, size_t *header_size)
{
    uint64_t size = file->mailbox->messages[file->index].size;
    size_t have = file->bytes.size;
    /* One byte more than it should have tells that there is no more. */
    size_t first = size >= have && size - have < READ_MOST ? (size_t)size - have + 1 : READ_MOST;
    if (!open_file(file) || !read_until(file, first, NULL))
        return false;
    *whole = bytes_of(file);
    *header_size = has_header(file) ? file->header_size : whole->size;
    return true;
}
