/* mailboxindex - see mailboxindex.h: reading the index, the log, and what others append to it
 *
 * Writing is mailboxindexwrite.c.
 */
#include "mailboxindex.h"

#include "clock.h"
#include "hash.h"
#include "io.h"
#include "mailboxparts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SMALL_FILE = 65536,          /* what fits is read, not mapped */
    LOG_MAX = 256 * 1024 * 1024, /* more than anybody lets it grow to: damaged */
    BOOT_TOLERANCE = 10,         /* seconds; no machine starts faster */
    LOAD_ATTEMPTS = 5,
};

_Static_assert(sizeof(struct mailbox_index_header) < MAILBOX_INDEX_PAGE, "fits the first page");
_Static_assert(sizeof(struct mailbox_index_entry) % 8 == 0, "what follows is aligned");
_Static_assert(sizeof(struct mailbox_state) % 8 == 0, "a whole number of words");

uint64_t mailbox_index_seed(uint64_t index_id, uint64_t generation)
{
    uint64_t both[] = {index_id, generation};
    return hash_add_block(HASH_START, both, sizeof both);
}

uint64_t mailbox_index_sum(uint64_t seed, const struct mailbox_index_entry *entry)
{
    struct mailbox_index_entry head = *entry;
    head.sum = 0;
    uint64_t sum = hash_add_block(seed, &head, sizeof head);
    return hash_add_block(sum, entry + 1, entry->size - sizeof head);
}

void mailbox_index_close(struct mailbox *mailbox)
{
    io_close(&mailbox->index);
    free(mailbox->vanished);
    mailbox->vanished = NULL;
    mailbox->vanished_count = mailbox->vanished_capacity = 0;
}

bool mailbox_index_is_of_another_boot(const struct mailbox *mailbox)
{
    int64_t apart = clock_boot_seconds() - mailbox->state.boot;
    return apart > BOOT_TOLERANCE || apart < -BOOT_TOLERANCE;
}

/* ---- what was removed --------------------------------------------------------------------------
 */

static bool keep_vanished(struct mailbox *mailbox, const struct mailbox_vanished *range)
{
    if (mailbox->vanished_count > 0) {
        struct mailbox_vanished *last = &mailbox->vanished[mailbox->vanished_count - 1];
        if (last->modseq == range->modseq && last->last + 1 == range->first) {
            last->last = range->last;
            return true;
        }
    }
    if (mailbox->vanished_count == mailbox->vanished_capacity) {
        size_t capacity = mailbox->vanished_capacity ? mailbox->vanished_capacity * 2 : 64;
        struct mailbox_vanished *grown =
            reallocarray(mailbox->vanished, capacity, sizeof *mailbox->vanished);
        if (!grown)
            return false;
        mailbox->vanished = grown;
        mailbox->vanished_capacity = capacity;
    }
    mailbox->vanished[mailbox->vanished_count++] = *range;
    return true;
}

void mailbox_index_note_vanished(struct mailbox *mailbox, uint32_t first, uint32_t last,
                                 uint64_t modseq)
{
    struct mailbox_vanished range = {first, last, modseq};
    /* Without memory the history is shorter. */
    if (!keep_vanished(mailbox, &range) && modseq > mailbox->state.vanished_floor)
        mailbox->state.vanished_floor = modseq;
}

const struct mailbox_vanished *mailbox_vanished_since(const struct mailbox *mailbox,
                                                      uint64_t modseq, size_t *count)
{
    static const struct mailbox_vanished none = {0};
    *count = 0;
    if (modseq < mailbox->state.vanished_floor)
        return NULL;
    size_t from = mailbox->vanished_count;
    while (from > 0 && mailbox->vanished[from - 1].modseq > modseq)
        from--;
    *count = mailbox->vanished_count - from;
    return *count > 0 ? mailbox->vanished + from : &none;
}

/* ---- applying the log --------------------------------------------------------------------------
 */

static struct slice payload_of(const struct mailbox_index_entry *entry)
{
    return slice_of(entry + 1, entry->size - sizeof *entry);
}

static void raise_modseq(struct mailbox *mailbox, uint64_t modseq)
{
    if (modseq > mailbox->state.modseq)
        mailbox->state.modseq = modseq;
}

/* Takes over all but what is this session's own. */
static void take_message(struct mailbox *mailbox, struct mailbox_message *known,
                         const struct mailbox_message *message)
{
    bool differs = known->flags != message->flags || known->keywords != message->keywords;
    struct mailbox_message taken = *message;
    taken.recent = known->recent;
    taken.gone = known->gone;
    /* At the first look nothing is news. */
    taken.changed = known->changed || (differs && mailbox->uidnext != 0);
    mailbox_view_uncount(mailbox, known);
    *known = taken;
    mailbox_view_count(mailbox, known);
}

static bool apply_message(struct mailbox *mailbox, const struct mailbox_index_entry *entry)
{
    struct mailbox_message message;
    struct slice payload = payload_of(entry);
    if (payload.size < sizeof message + 1)
        return false;
    memcpy(&message, payload.data, sizeof message);
    struct slice name = slice_from(payload, sizeof message);
    name = slice_part(name, 1, (unsigned char)name.data[0]);
    message.recent = message.gone = message.changed = false;
    if (!mailbox_view_keep_name(mailbox, name, &message.name))
        return false;
    raise_modseq(mailbox, message.modseq);
    struct mailbox_message *known = mailbox_find(mailbox, message.uid);
    if (known) {
        take_message(mailbox, known, &message);
        return true;
    }
    if (mailbox->count > 0 && mailbox->messages[mailbox->count - 1].uid > message.uid)
        return true; /* it was removed, and forgotten here, before it was changed: nobody does that */
    if (message.uid >= mailbox->state.uidnext)
        mailbox->state.uidnext = message.uid + 1;
    return mailbox_view_add(mailbox, &message) != NULL;
}

static bool apply_flags(struct mailbox *mailbox, const struct mailbox_index_entry *entry)
{
    struct slice payload = payload_of(entry);
    raise_modseq(mailbox, entry->modseq);
    for (size_t at = 0; at + sizeof(struct mailbox_index_flags) <= payload.size;
         at += sizeof(struct mailbox_index_flags)) {
        struct mailbox_index_flags flags;
        memcpy(&flags, payload.data + at, sizeof flags);
        struct mailbox_message *known = mailbox_find(mailbox, flags.uid);
        if (!known)
            continue;
        struct mailbox_message message = *known;
        message.flags = flags.flags;
        message.keywords = flags.keywords;
        message.name_flags = flags.name_flags;
        message.name_keywords = flags.name_keywords;
        message.in_new = flags.in_new;
        if (message.modseq < entry->modseq)
            message.modseq = entry->modseq;
        take_message(mailbox, known, &message);
    }
    return true;
}

static void apply_range(struct mailbox *mailbox, const struct mailbox_index_range *range)
{
    for (size_t i = mailbox_view_position(mailbox, range->first);
         i < mailbox->count && mailbox->messages[i].uid <= range->last; i++)
        if (!mailbox->messages[i].gone)
            mailbox_view_set_gone(mailbox, &mailbox->messages[i]);
}

static bool apply_gone(struct mailbox *mailbox, const struct mailbox_index_entry *entry)
{
    struct slice payload = payload_of(entry);
    raise_modseq(mailbox, entry->modseq);
    for (size_t at = 0; at + sizeof(struct mailbox_index_range) <= payload.size;
         at += sizeof(struct mailbox_index_range)) {
        struct mailbox_index_range range;
        memcpy(&range, payload.data + at, sizeof range);
        if (range.first == 0 || range.last < range.first)
            continue;
        apply_range(mailbox, &range);
        mailbox_index_note_vanished(mailbox, range.first, range.last, entry->modseq);
    }
    return true;
}

static bool apply_cached(struct mailbox *mailbox, const struct mailbox_index_entry *entry)
{
    struct slice payload = payload_of(entry);
    for (size_t at = 0; at + sizeof(struct mailbox_index_cached) <= payload.size;
         at += sizeof(struct mailbox_index_cached)) {
        struct mailbox_index_cached cached;
        memcpy(&cached, payload.data + at, sizeof cached);
        struct mailbox_message *known = mailbox_find(mailbox, cached.uid);
        if (known)
            known->cached = cached.place;
    }
    return true;
}

static bool apply_state(struct mailbox *mailbox, const struct mailbox_index_entry *entry)
{
    struct mailbox_state state;
    if (payload_of(entry).size != sizeof state)
        return false;
    memcpy(&state, entry + 1, sizeof state);
    if (state.cache_id != mailbox->state.cache_id)
        mailbox_view_forget_cached(mailbox);
    mailbox->state = state;
    return true;
}

static bool apply(struct mailbox *mailbox, const struct mailbox_index_entry *entry)
{
    switch (entry->kind) {
    case MAILBOX_INDEX_MESSAGE:
        return apply_message(mailbox, entry);
    case MAILBOX_INDEX_FLAGS:
        return apply_flags(mailbox, entry);
    case MAILBOX_INDEX_GONE:
        return apply_gone(mailbox, entry);
    case MAILBOX_INDEX_CACHED:
        return apply_cached(mailbox, entry);
    case MAILBOX_INDEX_STATE:
        return apply_state(mailbox, entry);
    default:
        return true; /* a later version's, which an earlier one may pass over */
    }
}

static bool is_whole(const struct mailbox_index_entry *entry, size_t left, uint64_t seed)
{
    return left >= sizeof *entry && entry->size >= sizeof *entry && entry->size <= left &&
           entry->size % 8 == 0 && entry->sum == mailbox_index_sum(seed, entry);
}

/* Applies the records at the beginning of `bytes`, which are those at log_end. False: no memory. */
static bool apply_log(struct mailbox *mailbox, const char *bytes, size_t size)
{
    uint64_t seed = mailbox_index_seed(mailbox->index_id, mailbox->generation);
    size_t at = 0;
    for (;;) {
        /* malloc and the sizes of records see to it that this is aligned. */
        const struct mailbox_index_entry *entry = (const void *)(bytes + at);
        if (!is_whole(entry, size - at, seed))
            return true;
        if (!apply(mailbox, entry))
            return false;
        at += entry->size;
        mailbox->log_end += entry->size;
    }
}

/* Reads what the log has behind log_end, up to `size` of the file. */
static bool read_log(struct mailbox *mailbox, uint64_t size)
{
    if (size <= mailbox->log_end)
        return true;
    size_t length = (size_t)(size - mailbox->log_end);
    char *bytes = length <= LOG_MAX ? malloc(length) : NULL;
    if (!bytes) {
        errno = length <= LOG_MAX ? ENOMEM : EFBIG;
        return mailbox_fail(mailbox);
    }
    ssize_t got = pread(mailbox->index, bytes, length, (off_t)mailbox->log_end);
    bool done = got >= 0 && apply_log(mailbox, bytes, (size_t)got);
    if (!done)
        mailbox_fail(mailbox);
    free(bytes);
    return done;
}

static int open_file(const struct mailbox *mailbox)
{
    return openat(mailbox->folder, MAILBOX_INDEX_NAME,
                  O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

/* ---- reading the whole -------------------------------------------------------------------------
 */

/* A folder, a link, or a file of another owner in its place is no index; the next one that is written takes
 * its place. */
static bool is_none(int error)
{
    return error == ENOENT || error == EACCES || error == EPERM || error == EISDIR ||
           error == ELOOP || error == ENXIO;
}

/* The file as it was opened; its beginning, which is all of a small one. */
struct reading {
    int fd;
    uint64_t file_size;
    char *bytes;
    size_t size;
    struct mailbox_index_header header;
};

static void end_reading(struct reading *reading)
{
    io_close(&reading->fd);
    free(reading->bytes);
    reading->bytes = NULL;
}

static bool is_ordered(const struct mailbox_index_header *header, uint64_t file_size)
{
    uint64_t records_end =
        MAILBOX_INDEX_PAGE + (uint64_t)header->count * sizeof(struct mailbox_message);
    return header->count <= MAILBOX_MESSAGES_MAX && header->names_at >= records_end &&
           header->names_at % MAILBOX_INDEX_PAGE == 0 && header->names_at <= file_size &&
           header->names_size <= INT32_MAX &&
           header->vanished_at >= header->names_at + header->names_size &&
           header->vanished_at <= file_size &&
           header->vanished_count <= MAILBOX_INDEX_VANISHED_MAX && header->log_at % 8 == 0 &&
           header->log_at >=
               header->vanished_at + header->vanished_count * sizeof(struct mailbox_vanished) &&
           header->log_at <= file_size;
}

static bool is_header(const struct mailbox_index_header *header, uint64_t file_size)
{
    return header->magic == MAILBOX_INDEX_MAGIC && header->version == MAILBOX_INDEX_VERSION &&
           header->header_size == sizeof *header &&
           header->message_size == sizeof(struct mailbox_message) &&
           header->state_size == sizeof(struct mailbox_state) &&
           header->sum ==
               hash_add_block(HASH_START, header, offsetof(struct mailbox_index_header, sum)) &&
           is_ordered(header, file_size);
}

/* Of a small file, which is read anyway, that costs nothing worth speaking of. */
static bool small_body_is_whole(const struct reading *reading)
{
    uint64_t size = reading->header.log_at - MAILBOX_INDEX_PAGE;
    return hash_add_block(HASH_START, reading->bytes + MAILBOX_INDEX_PAGE, (size_t)size) ==
           reading->header.body_sum;
}

static bool is_small(const struct reading *reading)
{
    return reading->size == reading->file_size;
}

/* The sum over all in front of the log, as it lies on the disk. */
static bool body_is_whole(const struct reading *reading)
{
    uint64_t at = MAILBOX_INDEX_PAGE, sum = HASH_START;
    char *bytes = malloc(SMALL_FILE);
    while (bytes && at < reading->header.log_at) {
        uint64_t left = reading->header.log_at - at;
        size_t part = left < SMALL_FILE ? (size_t)left : SMALL_FILE;
        if (!io_pread_all(reading->fd, bytes, part, (off_t)at))
            break;
        sum = hash_add_block(sum, bytes, part);
        at += part;
    }
    free(bytes);
    return at == reading->header.log_at && sum == reading->header.body_sum;
}

bool mailbox_index_is_whole(const struct mailbox *mailbox)
{
    struct reading reading = {.fd = mailbox->index};
    return io_pread_all(mailbox->index, &reading.header, sizeof reading.header, 0) &&
           body_is_whole(&reading);
}

static enum mailbox_index_result begin_reading(struct mailbox *mailbox, struct reading *reading)
{
    struct stat info;
    *reading = (struct reading){.fd = open_file(mailbox)};
    if (reading->fd < 0)
        return is_none(errno) ? MAILBOX_INDEX_NONE : MAILBOX_INDEX_TROUBLE;
    reading->bytes = malloc(SMALL_FILE);
    if (!reading->bytes || fstat(reading->fd, &info) < 0)
        return MAILBOX_INDEX_TROUBLE;
    if (!S_ISREG(info.st_mode))
        return MAILBOX_INDEX_NONE;
    ssize_t got = pread(reading->fd, reading->bytes, SMALL_FILE, 0);
    if (got < 0)
        return MAILBOX_INDEX_TROUBLE;
    /* Of a file that grows meanwhile the rest is read as news. */
    reading->size = (uint64_t)got < (uint64_t)info.st_size ? (size_t)got : (size_t)info.st_size;
    reading->file_size = (uint64_t)info.st_size;
    if (reading->size < sizeof reading->header)
        return MAILBOX_INDEX_NONE;
    memcpy(&reading->header, reading->bytes, sizeof reading->header);
    return is_header(&reading->header, reading->file_size) ? MAILBOX_INDEX_OK : MAILBOX_INDEX_NONE;
}

static bool copy_small(struct mailbox *mailbox, const struct reading *reading)
{
    const struct mailbox_index_header *header = &reading->header;
    memcpy(mailbox->messages, reading->bytes + MAILBOX_INDEX_PAGE,
           header->count * sizeof *mailbox->messages);
    return str_append(&mailbox->more_names,
                      slice_of(reading->bytes + header->names_at, (size_t)header->names_size));
}

static bool map_large(struct mailbox *mailbox, const struct reading *reading)
{
    const struct mailbox_index_header *header = &reading->header;
    size_t size = (size_t)(header->names_at - MAILBOX_INDEX_PAGE);
    if (size > 0 && mmap(mailbox->messages, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
                         reading->fd, MAILBOX_INDEX_PAGE) == MAP_FAILED)
        return false;
    if (header->names_size == 0)
        return true;
    void *names = mmap(NULL, (size_t)header->names_size, PROT_READ, MAP_SHARED, reading->fd,
                       (off_t)header->names_at);
    if (names == MAP_FAILED)
        return false;
    mailbox->names_map = names;
    mailbox->names_map_size = mailbox->names_size = (size_t)header->names_size;
    mailbox->names = names;
    return true;
}

static bool read_vanished(struct mailbox *mailbox, const struct reading *reading)
{
    size_t count = (size_t)reading->header.vanished_count;
    mailbox->vanished_count = mailbox->vanished_capacity = 0;
    free(mailbox->vanished);
    mailbox->vanished = NULL;
    if (count == 0)
        return true;
    mailbox->vanished = calloc(count, sizeof *mailbox->vanished);
    if (!mailbox->vanished ||
        !io_pread_all(reading->fd, mailbox->vanished, count * sizeof *mailbox->vanished,
                      (off_t)reading->header.vanished_at))
        return false;
    mailbox->vanished_count = mailbox->vanished_capacity = count;
    return true;
}

/* Goes over from what mailbox->index was to this file. */
static void take_file(struct mailbox *mailbox, struct reading *reading)
{
    io_close(&mailbox->index);
    mailbox->index = reading->fd;
    reading->fd = -1;
    mailbox->index_id = reading->header.index_id;
    mailbox->generation = reading->header.generation;
    mailbox->log_start = mailbox->log_end = reading->header.log_at;
}

static void take_header(struct mailbox *mailbox, const struct mailbox_index_header *header)
{
    mailbox->count = header->count;
    mailbox->totals = header->totals;
    mailbox->totals.recent = 0;
    mailbox->first_unseen =
        header->first_unseen < header->count ? (size_t)header->first_unseen : header->count;
    mailbox->state = header->state;
    mailbox->uidvalidity = header->uidvalidity;
}

/* Into an empty list. */
static bool take_all(struct mailbox *mailbox, struct reading *reading)
{
    if (!(is_small(reading) ? copy_small(mailbox, reading) : map_large(mailbox, reading)) ||
        !read_vanished(mailbox, reading))
        return false;
    take_header(mailbox, &reading->header);
    take_file(mailbox, reading);
    mailbox->index_was_read = true;
    if (is_small(reading)) {
        size_t at = (size_t)mailbox->log_end;
        return apply_log(mailbox, reading->bytes + at, reading->size - at);
    }
    return read_log(mailbox, reading->file_size);
}

/* UIDVALIDITY is what mailbox-uids says, whoever changed it; and so is which folder it is. */
static bool is_of_these_uids(struct mailbox *mailbox, const struct mailbox_index_header *header)
{
    struct mailbox_uids uids = {0};
    if (!mailbox_read_uids(mailbox, &uids) || uids.uidvalidity != header->uidvalidity ||
        uids.uidnext == 0 || uids.id != header->mailbox_id)
        return false;
    mailbox->id = uids.id;
    mailbox->uids_on_disk = uids.uidnext;
    mailbox->modseq_reserved = uids.modseq;
    return true;
}

static bool is_of_use(struct mailbox *mailbox, const struct reading *reading)
{
    struct mailbox other = {.state = reading->header.state};
    if (!is_of_these_uids(mailbox, &reading->header))
        return false;
    if (is_small(reading))
        return small_body_is_whole(reading);
    return !mailbox_index_is_of_another_boot(&other) || body_is_whole(reading);
}

static enum mailbox_index_result load_empty(struct mailbox *mailbox)
{
    struct reading reading;
    enum mailbox_index_result result = begin_reading(mailbox, &reading);
    if (result == MAILBOX_INDEX_OK && !is_of_use(mailbox, &reading))
        result = MAILBOX_INDEX_NONE;
    if (result == MAILBOX_INDEX_OK && !take_all(mailbox, &reading)) {
        result = MAILBOX_INDEX_TROUBLE;
        mailbox_fail(mailbox);
    }
    int error = errno;
    end_reading(&reading);
    errno = error;
    return result;
}

/* ---- the state alone ---------------------------------------------------------------------------
 */

bool mailbox_index_open(struct mailbox *mailbox)
{
    mailbox->index = open_file(mailbox);
    return mailbox->index >= 0;
}

/* What was written last ends with it. */
static bool read_last_state(struct mailbox *mailbox)
{
    /* The entry and the state behind it, aligned. */
    uint64_t room[(sizeof(struct mailbox_index_entry) + sizeof(struct mailbox_state)) / 8] = {0};
    const struct mailbox_index_entry *entry = (const void *)room;
    uint64_t seed = mailbox_index_seed(mailbox->index_id, mailbox->generation);
    if (mailbox->log_end - mailbox->log_start < sizeof room ||
        !io_pread_all(mailbox->index, room, sizeof room, (off_t)(mailbox->log_end - sizeof room)))
        return false;
    return entry->kind == MAILBOX_INDEX_STATE && entry->size == sizeof room &&
           is_whole(entry, sizeof room, seed) && apply_state(mailbox, entry);
}

bool mailbox_index_read_state(struct mailbox *mailbox)
{
    struct mailbox_index_header header;
    struct stat info;
    if (fstat(mailbox->index, &info) < 0 || info.st_nlink == 0 ||
        !io_pread_all(mailbox->index, &header, sizeof header, 0) ||
        !is_header(&header, (uint64_t)info.st_size))
        return false;
    mailbox->index_id = header.index_id;
    mailbox->generation = header.generation;
    mailbox->uidvalidity = header.uidvalidity;
    mailbox->state = header.state;
    mailbox->log_start = header.log_at;
    mailbox->log_end = (uint64_t)info.st_size;
    return mailbox->log_end == mailbox->log_start || read_last_state(mailbox);
}

/* ---- another file than the one that was read ---------------------------------------------------
 */

/* `fresh` is what the index says now; messages that both have keep what is this session's own. */
static bool merge(struct mailbox *mailbox, struct mailbox *fresh)
{
    size_t own = 0, count = mailbox->count;
    for (size_t i = 0; i < fresh->count; i++) {
        struct mailbox_message message = fresh->messages[i];
        if (message.gone)
            continue;
        if (!mailbox_view_keep_name(mailbox, mailbox_stem(fresh, &message), &message.name))
            return false;
        for (; own < count && mailbox->messages[own].uid < message.uid; own++)
            if (!mailbox->messages[own].gone)
                mailbox_view_set_gone(mailbox, &mailbox->messages[own]);
        if (own < count && mailbox->messages[own].uid == message.uid)
            take_message(mailbox, &mailbox->messages[own++], &message);
        else if (own == count && !mailbox_view_add(mailbox, &message))
            return false;
    }
    for (; own < count; own++)
        if (!mailbox->messages[own].gone)
            mailbox_view_set_gone(mailbox, &mailbox->messages[own]);
    return true;
}

static void take_index(struct mailbox *mailbox, struct mailbox *fresh)
{
    io_close(&mailbox->index);
    mailbox->index = fresh->index;
    mailbox->index_was_read = true;
    mailbox->index_id = fresh->index_id;
    mailbox->generation = fresh->generation;
    mailbox->log_start = fresh->log_start;
    mailbox->log_end = fresh->log_end;
    mailbox->state = fresh->state;
    free(mailbox->vanished);
    mailbox->vanished = fresh->vanished;
    mailbox->vanished_count = fresh->vanished_count;
    mailbox->vanished_capacity = fresh->vanished_capacity;
    fresh->index = -1;
    fresh->vanished = NULL;
}

static enum mailbox_index_result load_beside(struct mailbox *mailbox)
{
    struct mailbox fresh;
    enum mailbox_index_result result = MAILBOX_INDEX_TROUBLE;
    uint32_t uidvalidity = mailbox->uidvalidity;
    mailbox_init(&fresh);
    fresh.folder = mailbox->folder;
    if (mailbox_view_begin(&fresh))
        result = load_empty(&fresh);
    if (result == MAILBOX_INDEX_OK && fresh.uidvalidity != uidvalidity) {
        errno = ESTALE;
        result = MAILBOX_INDEX_TROUBLE;
    }
    if (result == MAILBOX_INDEX_OK) {
        mailbox->id = fresh.id;
        mailbox->uids_on_disk = fresh.uids_on_disk;
        mailbox->modseq_reserved = fresh.modseq_reserved;
        if (merge(mailbox, &fresh))
            take_index(mailbox, &fresh);
        else
            result = MAILBOX_INDEX_TROUBLE;
    }
    if (result == MAILBOX_INDEX_TROUBLE)
        mailbox_fail(mailbox);
    mailbox_view_end(&fresh);
    mailbox_index_close(&fresh);
    errno = mailbox->error;
    return result;
}

enum mailbox_index_result mailbox_index_load(struct mailbox *mailbox)
{
    return mailbox->index < 0 && mailbox->count == 0 && mailbox->generation == 0
               ? load_empty(mailbox)
               : load_beside(mailbox);
}

/* The file that was read is not the index any more. */
static enum mailbox_index_result follow(struct mailbox *mailbox)
{
    struct reading reading;
    enum mailbox_index_result result = begin_reading(mailbox, &reading);
    bool goes_on = result == MAILBOX_INDEX_OK && reading.header.index_id == mailbox->index_id &&
                   reading.header.generation == mailbox->generation + 1 &&
                   reading.header.uidvalidity == mailbox->uidvalidity;
    if (goes_on) {
        take_file(mailbox, &reading);
        if (reading.header.state.cache_id != mailbox->state.cache_id)
            mailbox_view_forget_cached(mailbox);
        mailbox->state = reading.header.state;
        if (!read_log(mailbox, reading.file_size))
            result = MAILBOX_INDEX_TROUBLE;
    }
    end_reading(&reading);
    return result == MAILBOX_INDEX_OK && !goes_on ? load_beside(mailbox) : result;
}

/* What was appended, and if the file was replaced, what stands in the new one. */
static enum mailbox_index_result read_news(struct mailbox *mailbox, struct stat *info)
{
    for (int attempt = 0; attempt < LOAD_ATTEMPTS; attempt++) {
        if (mailbox->index < 0)
            return mailbox_index_load(mailbox);
        if (fstat(mailbox->index, info) < 0 || !read_log(mailbox, (uint64_t)info->st_size)) {
            mailbox_fail(mailbox);
            return MAILBOX_INDEX_TROUBLE;
        }
        if ((uint64_t)info->st_size < mailbox->log_end) /* cut by hand */
            return MAILBOX_INDEX_NONE;
        if (info->st_nlink > 0)
            return MAILBOX_INDEX_OK;
        enum mailbox_index_result result = follow(mailbox);
        if (result != MAILBOX_INDEX_OK)
            return result;
    }
    /* Replaced again and again while we read: who takes the lock has the last word. */
    errno = EAGAIN;
    mailbox_fail(mailbox);
    return MAILBOX_INDEX_TROUBLE;
}

enum mailbox_index_result mailbox_index_catch_up(struct mailbox *mailbox)
{
    struct stat info = {0};
    enum mailbox_index_result result = read_news(mailbox, &info);
    /* Under the lock nobody writes: what is no record is what a killed process left. */
    if (mailbox->lock_depth > 0 && result == MAILBOX_INDEX_OK && mailbox->index >= 0 &&
        fstat(mailbox->index, &info) == 0 && (uint64_t)info.st_size > mailbox->log_end &&
        ftruncate(mailbox->index, (off_t)mailbox->log_end) < 0)
        result = MAILBOX_INDEX_NONE;
    return result;
}
