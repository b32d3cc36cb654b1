/* loaded - see loaded.h */
#include "loaded.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_READ = 4096, NEXT_READ = 65536 };

/* Reads on till the block is whole. */
static enum loaded_result read_block(struct loaded *loaded)
{
    size_t step = FIRST_READ;
    for (;;) {
        char *room = str_reserve(&loaded->block, step);
        if (!room)
            return loaded->block.size + step > loaded->block.max ? LOADED_BROKEN : LOADED_TROUBLE;
        ssize_t got = pread(loaded->fd, room, step, (off_t)loaded->block.size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return LOADED_TROUBLE;
        str_added(&loaded->block, (size_t)got);
        int parsed = queuefile_parse(str_slice(&loaded->block), &loaded->file);
        if (parsed == 1)
            return LOADED_OK;
        if (parsed < 0)
            return errno == ENOMEM ? LOADED_TROUBLE : LOADED_BROKEN;
        if (got == 0)
            return LOADED_BROKEN;
        step = NEXT_READ;
    }
}

/* A file, whose block fits its name and its length? */
static enum loaded_result read_file(struct loaded *loaded)
{
    struct stat info;
    if (fstat(loaded->fd, &info) < 0)
        return LOADED_TROUBLE;
    loaded->inode = (uint64_t)info.st_ino;
    enum loaded_result result = S_ISREG(info.st_mode) ? read_block(loaded) : LOADED_BROKEN;
    if (result != LOADED_OK)
        return result;
    bool is_whole = info.st_size >= loaded->file.start &&
                    (uint64_t)(info.st_size - loaded->file.start) == loaded->file.size;
    return is_whole && slice_equal(loaded->file.id, slice_text(loaded->id)) ? LOADED_OK
                                                                            : LOADED_BROKEN;
}

static enum loaded_result open_result(int error)
{
    if (error == ENOENT)
        return LOADED_GONE;
    /* A symbolic link or a socket that somebody put there. */
    return error == ELOOP || error == ENXIO ? LOADED_BROKEN : LOADED_TROUBLE;
}

static enum loaded_result open_named(int folder, const char *name, const char *id,
                                     struct loaded **loaded)
{
    struct loaded *fresh = calloc(1, sizeof *fresh);
    *loaded = NULL;
    if (!fresh)
        return LOADED_TROUBLE;
    fresh->write = -1;
    fresh->folder = folder;
    memcpy(fresh->id, id, strnlen(id, QUEUEFILE_ID_SIZE));
    str_init(&fresh->block, QUEUEFILE_BLOCK_MAX + NEXT_READ);
    fresh->fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    enum loaded_result result = fresh->fd < 0 ? open_result(errno) : read_file(fresh);
    int error = errno;
    if (result == LOADED_OK)
        *loaded = fresh;
    else
        loaded_close(&fresh);
    errno = error;
    return result;
}

enum loaded_result loaded_open(int folder, const char *id, struct loaded **loaded)
{
    return open_named(folder, id, id, loaded);
}

enum loaded_result loaded_open_draft(int folder, const char *id, struct loaded **loaded)
{
    char name[QUEUEFILE_ID_SIZE + 2];
    queuefile_draft_name(id, name);
    return open_named(folder, name, id, loaded);
}

void loaded_close(struct loaded **loaded)
{
    if (!*loaded)
        return;
    io_close(&(*loaded)->fd);
    io_close(&(*loaded)->write);
    queuefile_free(&(*loaded)->file);
    str_free(&(*loaded)->block);
    free(*loaded);
    *loaded = NULL;
}

bool loaded_set_status(struct loaded *loaded, size_t index, enum queuefile_status status)
{
    char byte = (char)status;
    struct queuefile_recipient *recipient = &loaded->file.recipients[index];
    recipient->status = byte;
    if (loaded->write < 0)
        loaded->write = openat(loaded->folder, loaded->id, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    return loaded->write >= 0 && pwrite(loaded->write, &byte, 1, recipient->offset) == 1;
}

bool loaded_sync(struct loaded *loaded)
{
    return loaded->write < 0 || fdatasync(loaded->write) == 0;
}

size_t loaded_count(const struct loaded *loaded, enum queuefile_status status)
{
    size_t count = 0;
    for (size_t i = 0; i < loaded->file.recipient_count; i++)
        count += loaded->file.recipients[i].status == (char)status ? 1 : 0;
    return count;
}

size_t loaded_count_todo(const struct loaded *loaded)
{
    return loaded_count(loaded, QUEUEFILE_TODO) + loaded_count(loaded, QUEUEFILE_WARNED);
}
