/* mailboxindexwrite - see mailboxindex.h: appending to the log, and writing the index anew */
#include "mailboxindex.h"

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

#define NEW_NAME MAILBOX_INDEX_NAME ".new"

enum {
    ENTRY_MAX = 1024 * 1024, /* an entry that is longer grows no more */
    FOLD_LEAST = 65536,      /* a log that is shorter stays */
    FOLD_PART = 4,           /* and one that is shorter than this part of the rest */
    WRITE_SIZE = 65536,
    STEM_PADDING = 8,
};

/* ---- entries of the log ------------------------------------------------------------------------
 */

static struct mailbox_index_entry *last_entry(struct mailbox *mailbox)
{
    return mailbox->log.size > 0 ? (void *)(mailbox->log.data + mailbox->log_last) : NULL;
}

/* Where nothing can be kept, the index is not to be trusted: it is written anew, or goes. */
static void put(struct mailbox *mailbox, const void *bytes, size_t size)
{
    if (!str_append(&mailbox->log, slice_of(bytes, size)))
        mailbox->index_unusable = true;
}

static void begin_entry(struct mailbox *mailbox, enum mailbox_index_kind kind, uint64_t modseq)
{
    struct mailbox_index_entry entry = {.size = sizeof entry, .kind = kind, .modseq = modseq};
    mailbox->log_last = mailbox->log.size;
    put(mailbox, &entry, sizeof entry);
}

/* Into the last entry, where it is of the same kind and moment. */
static void put_in_entry(struct mailbox *mailbox, enum mailbox_index_kind kind, uint64_t modseq,
                         const void *bytes, size_t size)
{
    const struct mailbox_index_entry *last = last_entry(mailbox);
    if (!last || last->kind != (uint32_t)kind || last->modseq != modseq || last->size > ENTRY_MAX)
        begin_entry(mailbox, kind, modseq);
    put(mailbox, bytes, size);
    struct mailbox_index_entry *entry = last_entry(mailbox);
    if (entry && !mailbox->log.failed)
        entry->size += (uint32_t)size;
}

void mailbox_log_message(struct mailbox *mailbox, const struct mailbox_message *message)
{
    static const char zeros[STEM_PADDING];
    struct mailbox_message plain = *message;
    struct slice stem = mailbox_stem(mailbox, message);
    char length = (char)(unsigned char)stem.size;
    size_t size = sizeof plain + 1 + stem.size;
    size_t padding = (STEM_PADDING - size % STEM_PADDING) % STEM_PADDING;
    plain.recent = plain.gone = plain.changed = false;
    plain.name = 0;
    begin_entry(mailbox, MAILBOX_INDEX_MESSAGE, message->modseq);
    put(mailbox, &plain, sizeof plain);
    put(mailbox, &length, 1);
    put(mailbox, stem.data, stem.size);
    put(mailbox, zeros, padding);
    struct mailbox_index_entry *entry = last_entry(mailbox);
    if (entry && !mailbox->log.failed)
        entry->size += (uint32_t)(size + padding);
}

void mailbox_log_flags(struct mailbox *mailbox, const struct mailbox_message *message)
{
    struct mailbox_index_flags flags = {.uid = message->uid,
                                        .keywords = message->keywords,
                                        .name_keywords = message->name_keywords,
                                        .flags = message->flags,
                                        .name_flags = message->name_flags,
                                        .in_new = message->in_new};
    put_in_entry(mailbox, MAILBOX_INDEX_FLAGS, message->modseq, &flags, sizeof flags);
}

/* Joins the range that the last entry ends with. */
static bool joins_last(struct mailbox *mailbox, uint32_t uid, uint64_t modseq)
{
    const struct mailbox_index_entry *last = last_entry(mailbox);
    struct mailbox_index_range range;
    if (!last || last->kind != MAILBOX_INDEX_GONE || last->modseq != modseq || mailbox->log.failed)
        return false;
    char *at = mailbox->log.data + mailbox->log.size - sizeof range;
    memcpy(&range, at, sizeof range);
    if (range.last + 1 != uid)
        return false;
    range.last = uid;
    memcpy(at, &range, sizeof range);
    return true;
}

void mailbox_log_gone(struct mailbox *mailbox, uint32_t uid, uint64_t modseq)
{
    struct mailbox_index_range range = {uid, uid};
    mailbox_index_note_vanished(mailbox, uid, uid, modseq);
    if (!joins_last(mailbox, uid, modseq))
        put_in_entry(mailbox, MAILBOX_INDEX_GONE, modseq, &range, sizeof range);
}

void mailbox_log_cached(struct mailbox *mailbox, const struct mailbox_message *message)
{
    struct mailbox_index_cached cached = {.place = message->cached, .uid = message->uid};
    put_in_entry(mailbox, MAILBOX_INDEX_CACHED, 0, &cached, sizeof cached);
}

void mailbox_log_state(struct mailbox *mailbox)
{
    mailbox->state.boot = clock_boot_seconds();
    begin_entry(mailbox, MAILBOX_INDEX_STATE, mailbox->state.modseq);
    put(mailbox, &mailbox->state, sizeof mailbox->state);
    struct mailbox_index_entry *entry = last_entry(mailbox);
    if (entry && !mailbox->log.failed)
        entry->size += (uint32_t)sizeof mailbox->state;
}

static void put_sums(struct mailbox *mailbox)
{
    uint64_t seed = mailbox_index_seed(mailbox->index_id, mailbox->generation);
    for (size_t at = 0; at < mailbox->log.size;) {
        struct mailbox_index_entry *entry = (void *)(mailbox->log.data + at);
        entry->sum = mailbox_index_sum(seed, entry);
        at += entry->size;
    }
}

/* One write: a reader finds all of it, or the beginning of something that is not there yet. */
static bool append_log(struct mailbox *mailbox)
{
    mailbox_log_state(mailbox);
    if (mailbox->log.failed)
        return false;
    put_sums(mailbox);
    ssize_t written =
        pwrite(mailbox->index, mailbox->log.data, mailbox->log.size, (off_t)mailbox->log_end);
    if (written != (ssize_t)mailbox->log.size)
        return false;
    mailbox->log_end += mailbox->log.size;
    return true;
}

/* ---- the whole file ----------------------------------------------------------------------------
 */

struct writing {
    int fd;
    char *bytes;
    size_t size;
    uint64_t at; /* of what was handed over */
    uint64_t sum;
    bool failed;
};

static void write_out(struct writing *writing)
{
    writing->sum = hash_add_block(writing->sum, writing->bytes, writing->size);
    if (!writing->failed &&
        !io_write_all(writing->fd, slice_of(writing->bytes, writing->size), CLOCK_NEVER))
        writing->failed = true;
    writing->size = 0;
}

static void hand_over(struct writing *writing, const void *bytes, size_t size)
{
    const char *from = bytes;
    writing->at += size;
    while (size > 0) {
        size_t part = WRITE_SIZE - writing->size < size ? WRITE_SIZE - writing->size : size;
        memcpy(writing->bytes + writing->size, from, part);
        writing->size += part;
        from += part;
        size -= part;
        if (writing->size == WRITE_SIZE)
            write_out(writing);
    }
}

static void pad(struct writing *writing, uint64_t to)
{
    static const char zeros[256];
    while (writing->at % to != 0) {
        uint64_t missing = to - writing->at % to;
        hand_over(writing, zeros, missing < sizeof zeros ? (size_t)missing : sizeof zeros);
    }
}

static void write_messages(struct mailbox *mailbox, struct writing *writing,
                           struct mailbox_index_header *header)
{
    uint64_t names = 0;
    for (size_t i = 0; i < mailbox->count; i++) {
        struct mailbox_message message = mailbox->messages[i];
        if (message.gone)
            continue;
        message.recent = message.changed = false;
        message.name = (uint32_t)names;
        names += 1 + mailbox_stem(mailbox, &mailbox->messages[i]).size;
        hand_over(writing, &message, sizeof message);
        header->count++;
    }
    pad(writing, MAILBOX_INDEX_PAGE);
    if (names > INT32_MAX)
        writing->failed = true;
}

static void write_names(struct mailbox *mailbox, struct writing *writing,
                        struct mailbox_index_header *header)
{
    header->names_at = writing->at;
    for (size_t i = 0; i < mailbox->count; i++) {
        if (mailbox->messages[i].gone)
            continue;
        struct slice stem = mailbox_stem(mailbox, &mailbox->messages[i]);
        char length = (char)(unsigned char)stem.size;
        hand_over(writing, &length, 1);
        hand_over(writing, stem.data, stem.size);
    }
    header->names_size = writing->at - header->names_at;
    pad(writing, sizeof(uint64_t));
}

/* The oldest are dropped where there are too many. */
static void write_vanished(struct mailbox *mailbox, struct writing *writing,
                           struct mailbox_index_header *header)
{
    size_t count = mailbox->vanished_count;
    size_t from = count > MAILBOX_INDEX_VANISHED_MAX ? count - MAILBOX_INDEX_VANISHED_MAX / 2 : 0;
    for (size_t i = 0; i < from; i++)
        if (mailbox->vanished[i].modseq > mailbox->state.vanished_floor)
            mailbox->state.vanished_floor = mailbox->vanished[i].modseq;
    header->vanished_at = writing->at;
    header->vanished_count = count - from;
    if (count > from)
        hand_over(writing, mailbox->vanished + from, (count - from) * sizeof *mailbox->vanished);
    pad(writing, sizeof(uint64_t));
    header->log_at = writing->at;
}

static uint64_t count_first_seen(const struct mailbox *mailbox)
{
    uint64_t count = 0;
    for (size_t i = 0; i < mailbox->count; i++) {
        if (mailbox->messages[i].gone)
            continue;
        if (!(mailbox->messages[i].flags & MAILDIR_SEEN))
            break;
        count++;
    }
    return count;
}

/* As a whole page, so that the file is never shorter than where its log begins. */
static bool write_header(struct mailbox *mailbox, const struct writing *writing,
                         struct mailbox_index_header *header)
{
    char page[MAILBOX_INDEX_PAGE] = {0};
    mailbox->state.boot = clock_boot_seconds();
    header->state = mailbox->state;
    header->totals = mailbox->totals;
    header->first_unseen = count_first_seen(mailbox);
    header->body_sum = writing->sum;
    header->sum = hash_add_block(HASH_START, header, offsetof(struct mailbox_index_header, sum));
    memcpy(page, header, sizeof *header);
    return pwrite(writing->fd, page, sizeof page, 0) == (ssize_t)sizeof page;
}

static bool write_all(struct mailbox *mailbox, struct writing *writing,
                      struct mailbox_index_header *header)
{
    writing->bytes = malloc(WRITE_SIZE);
    if (!writing->bytes || lseek(writing->fd, MAILBOX_INDEX_PAGE, SEEK_SET) < 0)
        return false;
    writing->at = MAILBOX_INDEX_PAGE;
    write_messages(mailbox, writing, header);
    write_names(mailbox, writing, header);
    write_vanished(mailbox, writing, header);
    write_out(writing);
    return !writing->failed && write_header(mailbox, writing, header);
}

static bool begin_header(struct mailbox *mailbox, bool is_next, struct mailbox_index_header *header)
{
    *header = (struct mailbox_index_header){.magic = MAILBOX_INDEX_MAGIC,
                                            .version = MAILBOX_INDEX_VERSION,
                                            .header_size = sizeof *header,
                                            .message_size = sizeof(struct mailbox_message),
                                            .state_size = sizeof(struct mailbox_state),
                                            .index_id = mailbox->index_id,
                                            .generation = mailbox->generation + 1,
                                            .uidvalidity = mailbox->uidvalidity,
                                            .mailbox_id = mailbox->id};
    return is_next || getrandom(&header->index_id, sizeof header->index_id, 0) ==
                          (ssize_t)sizeof header->index_id;
}

/* An empty folder that stands there goes, as any file does. */
static bool take_place(const struct mailbox *mailbox)
{
    int folder = mailbox->folder;
    if (renameat(folder, NEW_NAME, folder, MAILBOX_INDEX_NAME) == 0)
        return true;
    return errno == EISDIR && unlinkat(folder, MAILBOX_INDEX_NAME, AT_REMOVEDIR) == 0 &&
           renameat(folder, NEW_NAME, folder, MAILBOX_INDEX_NAME) == 0;
}

/* `is_next`: what was the index till now tells all that this one begins with. */
static bool write_anew(struct mailbox *mailbox, bool is_next)
{
    struct mailbox_index_header header;
    struct writing writing = {
        .sum = HASH_START,
        .fd = openat(mailbox->folder, NEW_NAME,
                     O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)};
    bool done = writing.fd >= 0 && begin_header(mailbox, is_next, &header) &&
                write_all(mailbox, &writing, &header) && take_place(mailbox);
    free(writing.bytes);
    if (!done) {
        io_close(&writing.fd);
        return false;
    }
    io_close(&mailbox->index);
    mailbox->index = writing.fd;
    mailbox->index_id = header.index_id;
    mailbox->generation = header.generation;
    mailbox->log_start = mailbox->log_end = header.log_at;
    mailbox->index_unusable = false;
    return true;
}

static bool is_too_long(const struct mailbox *mailbox)
{
    uint64_t length = mailbox->log_end - mailbox->log_start;
    return length > FOLD_LEAST && length > mailbox->log_start / FOLD_PART;
}

/* No index is better than a wrong one; and where the disk is full there is room again. */
static void give_up(struct mailbox *mailbox)
{
    unlinkat(mailbox->folder, NEW_NAME, 0);
    unlinkat(mailbox->folder, MAILBOX_INDEX_NAME, 0);
    io_close(&mailbox->index);
    mailbox->index_unusable = true;
}

void mailbox_index_append(struct mailbox *mailbox)
{
    if (mailbox->log.failed || !append_log(mailbox))
        give_up(mailbox);
}

void mailbox_index_flush(struct mailbox *mailbox)
{
    bool has_news = mailbox->log.size > 0 || mailbox->state_changed;
    if (!mailbox->index_unusable && mailbox->index >= 0) {
        if (has_news && !append_log(mailbox))
            give_up(mailbox);
        else if (is_too_long(mailbox)) {
            mailbox_cache_shed(mailbox);
            if (!write_anew(mailbox, true))
                unlinkat(mailbox->folder, NEW_NAME, 0);
        }
    }
    if ((mailbox->index_unusable || mailbox->index < 0) && !write_anew(mailbox, false))
        give_up(mailbox);
    str_clear(&mailbox->log);
    mailbox->log_last = 0;
    mailbox->state_changed = false;
    if (mailbox->log.capacity > WRITE_SIZE)
        str_free(&mailbox->log);
}
