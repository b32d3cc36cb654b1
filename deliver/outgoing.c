/* outgoing - see outgoing.h */
#include "outgoing.h"

#include "io.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A mapping begins where a page does. */
static bool map_message(struct outgoing *outgoing, int fd, off_t start, size_t size)
{
    struct stat file;
    long page = sysconf(_SC_PAGESIZE);
    off_t before = page > 0 ? start % page : 0;
    if (size > SIZE_MAX - (size_t)before) {
        errno = EFBIG;
        return false;
    }
    if (fstat(fd, &file) < 0)
        return false;
    if (start < 0 || file.st_size < start || (uint64_t)(file.st_size - start) < size) {
        errno = EPROTO; /* what is mapped behind the end kills who reads it */
        return false;
    }
    size_t map_size = size + (size_t)before;
    void *map = mmap(NULL, map_size, PROT_READ, MAP_PRIVATE, fd, start - before);
    if (map == MAP_FAILED)
        return false;
    outgoing->map = map;
    outgoing->map_size = map_size;
    outgoing->message = slice_of((const char *)map + before, size);
    return true;
}

bool outgoing_open(struct outgoing *outgoing, int fd, off_t start, uint64_t size, char *buffer,
                   size_t capacity)
{
    *outgoing = (struct outgoing){.map = NULL};
    if (size > SIZE_MAX) {
        errno = EFBIG;
        return false;
    }
    if (size > capacity) {
        if (!map_message(outgoing, fd, start, (size_t)size))
            return false;
    } else if (io_pread_all(fd, buffer, (size_t)size, start)) {
        outgoing->message = slice_of(buffer, (size_t)size);
    } else {
        return false;
    }
    outgoing->traits = downgrade_traits(outgoing->message);
    return true;
}

void outgoing_close(struct outgoing *outgoing)
{
    if (outgoing->map)
        munmap(outgoing->map, outgoing->map_size);
    *outgoing = (struct outgoing){.map = NULL};
}

static bool count(void *owner, struct slice bytes)
{
    uint64_t *size = owner;
    *size += bytes.size;
    return true;
}

uint64_t outgoing_size(const struct outgoing *outgoing, enum outgoing_form form)
{
    uint64_t size = 0;
    return outgoing_write(outgoing, form, count, &size) ? size : 0;
}

bool outgoing_write(const struct outgoing *outgoing, enum outgoing_form form,
                    contentwriter_take *take, void *owner)
{
    if (form == OUTGOING_AS_IS)
        return outgoing->message.size == 0 || take(owner, outgoing->message);
    return downgrade_write(outgoing->message,
                           form == OUTGOING_7BIT ? DOWNGRADE_TO_7BIT : DOWNGRADE_TO_8BIT, take,
                           owner);
}
