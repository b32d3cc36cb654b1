/* mailboxcache - see mailbox.h: what was computed from messages, in the file mailbox-cache
 *
 * A header with a number, which the index's state names, then entries, appended under mailbox-lock:
 * for each message a chain from the newest fact to the oldest, whose head is the record's `cached`.
 * An entry is never changed; one whose sum or UID is not right is not there. The file is begun anew
 * (a new name, since others read the old one) when the index doesn't know it, and when more is
 * in it of messages that are gone than of others.
 */
#include "clock.h"
#include "hash.h"
#include "io.h"
#include "mailboxparts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define CACHE_NAME     "mailbox-cache"
#define CACHE_NEW_NAME CACHE_NAME ".new"
#define CACHE_MAGIC    UINT64_C(0x3165686361636d01)
#define CACHE_FILE_MAX (UINT64_C(4) << 30)

enum {
    WINDOW_SIZE = 65536,
    NEW_MAX = 1024 * 1024,  /* what is kept in memory before it is written */
    SHED_LEAST = 1000,      /* messages gone that are not worth the work */
    PREVIOUS_IS_BEFORE = 1, /* `previous` while it is not written: the entry in front */
};

struct cache_header {
    uint64_t magic, id;
};

struct cache_entry {
    uint32_t size; /* with this and padding: a multiple of 8 */
    uint32_t length;
    uint32_t uid, fact;
    uint64_t previous; /* place of the message's next older entry; 0: none */
    uint64_t sum;      /* of the whole with 0 here, begun with the cache's number */
};

static uint64_t sum_of(uint64_t id, const struct cache_entry *entry)
{
    struct cache_entry head = *entry;
    head.sum = 0;
    uint64_t sum = hash_add_block(HASH_START ^ id, &head, sizeof head);
    return hash_add_block(sum, entry + 1, entry->size - sizeof head);
}

static void close_file(struct mailbox *mailbox)
{
    io_close(&mailbox->cache);
    mailbox->cache_open_id = 0;
    for (size_t i = 0; i < MAILBOX_WINDOWS; i++)
        str_clear(&mailbox->cache_windows[i].bytes);
}

static void free_windows(struct mailbox *mailbox)
{
    for (size_t i = 0; i < MAILBOX_WINDOWS; i++)
        str_free(&mailbox->cache_windows[i].bytes);
}

void mailbox_cache_close(struct mailbox *mailbox)
{
    close_file(mailbox);
    free_windows(mailbox);
    str_free(&mailbox->cache_new);
}

/* The file that the index speaks of. */
static bool open_file(struct mailbox *mailbox)
{
    struct cache_header header;
    if (mailbox->state.cache_id == 0)
        return false;
    if (mailbox->cache_open_id == mailbox->state.cache_id)
        return mailbox->cache >= 0;
    close_file(mailbox);
    mailbox->cache_open_id = mailbox->state.cache_id; /* asked once */
    mailbox->cache =
        openat(mailbox->folder, CACHE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (mailbox->cache < 0 || !io_pread_all(mailbox->cache, &header, sizeof header, 0) ||
        header.magic != CACHE_MAGIC || header.id != mailbox->state.cache_id)
        io_close(&mailbox->cache);
    return mailbox->cache >= 0;
}

/* ---- reading -----------------------------------------------------------------------------------
 *
 * Facts of one kind, of one message after the other, were written one behind the other. So each kind
 * has a window of its own, which takes in the next ones with the one that is asked for.
 */

static struct slice in_window(const struct mailbox_window *window, uint64_t place)
{
    if (place < window->at || place - window->at >= window->bytes.size)
        return SLICE("");
    return slice_from(str_slice(&window->bytes), (size_t)(place - window->at));
}

static bool is_whole(const struct mailbox *mailbox, struct slice bytes)
{
    struct cache_entry head;
    if (bytes.size < sizeof head)
        return false;
    memcpy(&head, bytes.data, sizeof head);
    if (head.size % 8 != 0 || head.size > bytes.size || head.size < sizeof head ||
        head.length > head.size - sizeof head)
        return false;
    const struct cache_entry *entry = (const void *)bytes.data;
    return head.sum == sum_of(mailbox->state.cache_id, entry);
}

static bool read_window(struct mailbox *mailbox, struct mailbox_window *window, uint64_t place,
                        size_t size)
{
    str_clear(&window->bytes);
    char *room = str_reserve(&window->bytes, size);
    if (!room)
        return false;
    ssize_t got = pread(mailbox->cache, room, size, (off_t)place);
    if (got <= 0)
        return false;
    str_added(&window->bytes, (size_t)got);
    window->at = place;
    return true;
}

/* The one that has the place, or else the one that was not used for longest. */
static struct mailbox_window *choose_window(struct mailbox *mailbox, uint64_t place)
{
    struct mailbox_window *chosen = &mailbox->cache_windows[0];
    for (size_t i = 0; i < MAILBOX_WINDOWS; i++) {
        struct mailbox_window *window = &mailbox->cache_windows[i];
        if (in_window(window, place).size > 0) {
            chosen = window;
            break;
        }
        if (window->used < chosen->used)
            chosen = window;
    }
    chosen->used = ++mailbox->cache_reads;
    return chosen;
}

static const struct cache_entry *read_entry(struct mailbox *mailbox, uint64_t place)
{
    struct mailbox_window *window = choose_window(mailbox, place);
    if (place % 8 != 0)
        return NULL;
    if (is_whole(mailbox, in_window(window, place)))
        return (const void *)in_window(window, place).data;
    if (!read_window(mailbox, window, place, WINDOW_SIZE))
        return NULL;
    struct slice bytes = in_window(window, place);
    struct cache_entry head;
    if (bytes.size >= sizeof head) {
        memcpy(&head, bytes.data, sizeof head);
        if (head.size > bytes.size && head.size <= MAILBOX_FACT_SIZE_MAX + sizeof head + 8 &&
            read_window(mailbox, window, place, head.size))
            bytes = in_window(window, place);
    }
    return is_whole(mailbox, bytes) ? (const void *)bytes.data : NULL;
}

bool mailbox_cached(struct mailbox *mailbox, const struct mailbox_message *message,
                    enum mailbox_fact fact, struct slice *bytes)
{
    uint64_t place = message->cached;
    if (place == 0 || !open_file(mailbox))
        return false;
    for (int hops = 0; place != 0 && hops < MAILBOX_FACTS; hops++) {
        const struct cache_entry *entry = read_entry(mailbox, place);
        if (!entry || entry->uid != message->uid)
            return false;
        if (entry->fact == (uint32_t)fact) {
            *bytes = slice_of(entry + 1, entry->length);
            return true;
        }
        place = entry->previous;
    }
    return false;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

void mailbox_cache(struct mailbox *mailbox, struct mailbox_message *message, enum mailbox_fact fact,
                   struct slice bytes)
{
    static const char zeros[8];
    struct str *new = &mailbox->cache_new;
    if (bytes.size > MAILBOX_FACT_SIZE_MAX || message->gone)
        return;
    if (new->size > NEW_MAX)
        mailbox_cache_flush(mailbox);
    size_t padding = (8 - bytes.size % 8) % 8;
    struct cache_entry entry = {.size = (uint32_t)(sizeof entry + bytes.size + padding),
                                .length = (uint32_t)bytes.size,
                                .uid = message->uid,
                                .fact = (uint32_t)fact};
    if (new->size > 0) {
        const struct cache_entry *last = (const void *)(new->data + mailbox->cache_new_last);
        entry.previous = last->uid == message->uid ? PREVIOUS_IS_BEFORE : 0;
    }
    size_t before = new->size;
    str_append(new, slice_of(&entry, sizeof entry));
    str_append(new, bytes);
    str_append(new, slice_of(zeros, padding));
    if (new->failed) {
        str_truncate(new, before);
        new->failed = false;
        return;
    }
    mailbox->cache_new_last = before;
}

void mailbox_cache_flush(struct mailbox *mailbox)
{
    free_windows(mailbox);
    /* All is done when the lock is given back. */
    if (mailbox->cache_new.size > 0 && mailbox->lock_depth == 0 && mailbox_lock(mailbox))
        (void)mailbox_unlock(mailbox);
}

static void forget_all(struct mailbox *mailbox)
{
    mailbox_view_forget_cached(mailbox);
    mailbox->state.cache_id = 0;
    mailbox->state.cache_gone = 0;
    mailbox->state_changed = true;
}

static bool begin_file(struct mailbox *mailbox)
{
    struct cache_header header = {.magic = CACHE_MAGIC};
    close_file(mailbox);
    forget_all(mailbox);
    int fd = openat(mailbox->folder, CACHE_NEW_NAME,
                    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    bool done = fd >= 0 &&
                getrandom(&header.id, sizeof header.id, 0) == (ssize_t)sizeof header.id &&
                header.id != 0 && pwrite(fd, &header, sizeof header, 0) == (ssize_t)sizeof header &&
                renameat(mailbox->folder, CACHE_NEW_NAME, mailbox->folder, CACHE_NAME) == 0;
    if (!done) {
        io_close(&fd);
        unlinkat(mailbox->folder, CACHE_NEW_NAME, 0);
        return false;
    }
    mailbox->cache = fd;
    mailbox->cache_open_id = mailbox->state.cache_id = header.id;
    /* In front of the places in it, which readers would take for those in the old one. */
    mailbox_log_state(mailbox);
    return true;
}

/* Gives the new entries their places, which begin at `at`. */
static void chain(struct mailbox *mailbox, uint64_t at)
{
    struct str *new = &mailbox->cache_new;
    uint64_t before = 0;
    for (size_t offset = 0; offset < new->size;) {
        struct cache_entry *entry = (void *)(new->data + offset);
        const struct mailbox_message *message = mailbox_find(mailbox, entry->uid);
        if (entry->previous == PREVIOUS_IS_BEFORE)
            entry->previous = before;
        else
            entry->previous = message ? message->cached : 0;
        entry->sum = sum_of(mailbox->state.cache_id, entry);
        before = at + offset;
        offset += entry->size;
    }
}

static void point_to(struct mailbox *mailbox, uint64_t at)
{
    const struct str *new = &mailbox->cache_new;
    struct mailbox_message *message = NULL;
    for (size_t offset = 0; offset < new->size;) {
        const struct cache_entry *entry = (const void *)(new->data + offset);
        uint64_t place = at + offset;
        offset += entry->size;
        message = mailbox_find(mailbox, entry->uid);
        if (!message || message->gone)
            continue;
        message->cached = place;
        const struct cache_entry *next = (const void *)(new->data + offset);
        if (offset >= new->size || next->uid != entry->uid)
            mailbox_log_cached(mailbox, message);
    }
}

static bool append_new(struct mailbox *mailbox)
{
    struct stat info;
    struct str *new = &mailbox->cache_new;
    if ((!open_file(mailbox) && !begin_file(mailbox)) || fstat(mailbox->cache, &info) < 0)
        return false;
    uint64_t at = ((uint64_t)info.st_size + 7) & ~UINT64_C(7);
    if (at + new->size > CACHE_FILE_MAX)
        return false;
    chain(mailbox, at);
    if (pwrite(mailbox->cache, new->data, new->size, (off_t)at) != (ssize_t) new->size) {
        /* Nothing points to it: at worst the bytes lie there. */
        (void)!ftruncate(mailbox->cache, info.st_size);
        return false;
    }
    point_to(mailbox, at);
    return true;
}

void mailbox_cache_write(struct mailbox *mailbox)
{
    if (mailbox->cache_new.size == 0)
        return;
    (void)append_new(mailbox);
    str_free(&mailbox->cache_new);
    mailbox->cache_new_last = 0;
}

void mailbox_cache_shed(struct mailbox *mailbox)
{
    if (mailbox->state.cache_id == 0 || mailbox->state.cache_gone < SHED_LEAST ||
        mailbox->state.cache_gone < mailbox->totals.messages)
        return;
    unlinkat(mailbox->folder, CACHE_NAME, 0);
    close_file(mailbox);
    forget_all(mailbox);
}
