/* store - see store.h */
#include "store.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

int store_open_folder(void)
{
    return open("queue/message", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void store_init(struct store *store, int folder)
{
    *store = (struct store){.folder = folder, .fd = -1};
    str_init(&store->buffer, STORE_BUFFER_MAX + QUEUEFILE_BLOCK_MAX);
}

static void fail(struct store *store, int error)
{
    if (store->error == 0) /* a call that did only half of it leaves no errno */
        store->error = error != 0 ? error : EIO;
}

static void drop_file(struct store *store)
{
    if (store->fd >= 0 && unlinkat(store->folder, store->draft, 0) < 0)
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
    store->check = 0;
    queuefile_new_id(store->id);
    queuefile_draft_name(store->id, store->draft);
    if (!queuefile_format(&store->buffer, slice_text(store->id), clock_seconds(), envelope,
                          &store->seal_offset))
        fail(store, store->buffer.failed ? ENOMEM : EINVAL);
}

static void open_file(struct store *store)
{
    if (store->fd >= 0)
        return;
    store->fd = openat(store->folder, store->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
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
    store->check = (uint32_t)crc32_z(store->check, (const unsigned char *)bytes.data, bytes.size);
    if (!str_append(&store->buffer, bytes))
        fail(store, ENOMEM);
    if (store->buffer.size >= STORE_BUFFER_MAX)
        write_buffer(store);
}

static void seal(struct store *store)
{
    char bytes[QUEUEFILE_SEAL_SIZE];
    queuefile_format_seal(store->size, store->check, bytes);
    if (store->error != 0)
        return;
    if (store->fd < 0) /* nothing was written yet: the block stands in the buffer */
        memcpy(store->buffer.data + store->seal_offset, bytes, sizeof bytes);
    else if (pwrite(store->fd, bytes, sizeof bytes, store->seal_offset) != (ssize_t)sizeof bytes)
        fail(store, errno);
}

/* Gives the draft its name. A queue manager that was started just now may have found it whole, and
 * done so. */
static bool give_name(const struct store *store)
{
    int folder = store->folder;
    return renameat2(folder, store->draft, folder, store->id, RENAME_NOREPLACE) == 0 ||
           (errno == ENOENT && faccessat(folder, store->id, F_OK, 0) == 0);
}

/* Two messages with the same id in the same microsecond: the block names the id too, so the name
 * can't just be changed; it happens once in a thousand years, and the client tries again. */
static void publish(struct store *store)
{
    if (store->error != 0)
        return;
    if (!io_sync_named_file(store->fd, store->spares_folder ? -1 : store->folder) ||
        !give_name(store))
        fail(store, errno);
    else
        io_close(&store->fd);
}

enum verdict store_commit(struct store *store)
{
    seal(store);
    write_buffer(store);
    publish(store);
    store_abort(store);
    return verdict_from_errno(store->error) == VERDICT_PERM ? VERDICT_TEMP
                                                            : verdict_from_errno(store->error);
}
