/* question - see question.h */
#include "question.h"

#include "scan.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

static bool is_id(struct slice id)
{
    for (size_t i = 0; i < id.size; i++)
        if (id.data[i] <= ' ' || id.data[i] > '~')
            return false;
    return id.size > 0;
}

bool question_parse(const struct wire_message *message, struct question *request)
{
    return message->count == 4 && slice_equal(wire_field(message, 0), slice_text(SCAN_PROTOCOL)) &&
           is_id(wire_field(message, 1)) &&
           wire_copy_text(message, 1, request->id, sizeof request->id) &&
           wire_number(message, 2, INT64_MAX, &request->start) &&
           wire_number(message, 3, INT64_MAX, &request->size) &&
           request->start <= INT64_MAX - request->size && message->fd_count == 1;
}

bool question_map(const struct question *request, int fd, struct question_map *map)
{
    struct stat info;
    *map = (struct question_map){.length = (size_t)(request->start + request->size)};
    if (fstat(fd, &info) < 0)
        return false;
    if (!S_ISREG(info.st_mode) || (uint64_t)info.st_size < map->length) {
        errno = EPROTO;
        return false;
    }
    map->message = SLICE("");
    if (request->size == 0)
        return true;
    /* The envelope in front is small: mapping it too saves looking at page borders. */
    map->base = mmap(NULL, map->length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map->base == MAP_FAILED) {
        map->base = NULL;
        return false;
    }
    map->message = slice_of((const char *)map->base + request->start, (size_t)request->size);
    return true;
}

void question_unmap(struct question_map *map)
{
    if (map->base)
        munmap(map->base, map->length);
    *map = (struct question_map){0};
}
