/* store - see store.h */
#include "store.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool store_open_folders(struct store_folders *folders)
{
    folders->tmp = open("queue/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folders->message = open("queue/message", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folders->tmp >= 0 && folders->message >= 0;
}

void store_init(struct store *store, const struct store_folders *folders)
{
    *store = (struct store){.folders = folders, .fd = -1};
    str_init(&store->buffer, STORE_BUFFER_MAX + QUEUEFILE_BLOCK_MAX);
}

static void fail(struct store *store, int error)
{
    if (store->error == 0) /* a call that did only half of it leaves no errno */
        store->error = error != 0 ? error : EIO;
}

static void drop_file(struct store *store)
{
    if (store->fd >= 0 && unlinkat(store->folders->tmp, store->id, 0) < 0)
        fail(store, errno);
    io_close(&store->fd);
}

void store_free(struct store *store)
{
    drop_file(store);
    str_free(&store->buffer);
}

void store_abort(struct store *store)
{
    drop_file(store);
    str_clear(&store->buffer);
}

void store_begin(struct store *store, const struct envelope *envelope)
{
    store_abort(store);
    store->error = 0;
    store->size = 0;
    queuefile_new_id(store->id);
    if (!queuefile_format(&store->buffer, slice_text(store->id), clock_seconds(), envelope,
                          &store->size_offset))
        fail(store, store->buffer.failed ? ENOMEM : EINVAL);
}

static void open_file(struct store *store)
{
    if (store->fd >= 0)
        return;
    store->fd =
        openat(store->folders->tmp, store->id, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (store->fd < 0)
        fail(store, errno);
}

static void write_buffer(struct store *store)
{
    if (store->error == 0)
        open_file(store);
    if (store->error == 0 && !io_write_all(store->fd, str_slice(&store->buffer), CLOCK_NEVER))
        fail(store, errno);
    str_clear(&store->buffer);
}

void store_write(struct store *store, struct slice bytes)
{
    store->size += bytes.size;
    if (store->error != 0)
        return;
    if (!str_append(&store->buffer, bytes))
        fail(store, ENOMEM);
    if (store->buffer.size >= STORE_BUFFER_MAX)
        write_buffer(store);
}

static void set_size(struct store *store)
{
    char digits[QUEUEFILE_SIZE_DIGITS];
    queuefile_format_size(store->size, digits);
    if (store->error != 0)
        return;
    if (store->fd < 0) /* nothing was written yet: the block stands in the buffer */
        memcpy(store->buffer.data + store->size_offset, digits, sizeof digits);
    else if (pwrite(store->fd, digits, sizeof digits, store->size_offset) != (ssize_t)sizeof digits)
        fail(store, errno);
}

/* Two messages with the same id in the same microsecond: the block names the id too, so the name
 * can't just be changed; it happens once in a thousand years, and the client tries again. */
static void publish(struct store *store)
{
    const struct store_folders *folders = store->folders;
    if (store->error != 0)
        return;
    if (fdatasync(store->fd) < 0 ||
        renameat2(folders->tmp, store->id, folders->message, store->id, RENAME_NOREPLACE) < 0) {
        fail(store, errno);
        return;
    }
    io_close(&store->fd);
    if (fsync(folders->message) < 0) {
        fail(store, errno);
        /* The manager may have taken it already; then it is delivered, and sent again. */
        unlinkat(folders->message, store->id, 0);
    }
}

enum verdict store_commit(struct store *store)
{
    set_size(store);
    write_buffer(store);
    publish(store);
    store_abort(store);
    return verdict_from_errno(store->error) == VERDICT_PERM ? VERDICT_TEMP
                                                            : verdict_from_errno(store->error);
}
