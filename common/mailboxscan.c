/* mailboxscan - see mailbox.h: listing cur/ and new/, and bringing the list in step
 *
 * A name with a UID that the list has, and the same unique part, is a known message, perhaps with
 * other flags. All other names are candidates: those with a UID above all that were given out keep
 * it (another session gave it), the rest get the next UIDs, in order of arrival. Everything here is
 * done under the lock.
 */
#include "clock.h"
#include "io.h"
#include "mailboxparts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LISTINGS_MAX = 3,    /* when programs outside the suite rename under our eyes */
    DATE_TOLERANCE = 60, /* seconds between a name's time and the file's that mean nothing */
    CAPACITY_FIRST = 64,
};

/* A file that is not in the list. */
struct candidate {
    char *name; /* owned till a message takes it */
    uint32_t uid;
    int64_t date; /* of the name; 0 when it tells none */
    bool in_new;
};

struct scan {
    struct candidate *candidates;
    size_t count, capacity;
    bool cur, new; /* which folders were listed */
    bool put_off;  /* some candidates could not be named for want of room */
};

/* ---- messages of the list ----------------------------------------------------------------------
 */

/* The first message whose UID is not below. */
static size_t position_of(const struct mailbox *mailbox, uint32_t uid)
{
    size_t low = 0, high = mailbox->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mailbox->messages[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct mailbox_message *mailbox_find(struct mailbox *mailbox, uint32_t uid)
{
    size_t at = position_of(mailbox, uid);
    return at < mailbox->count && mailbox->messages[at].uid == uid ? &mailbox->messages[at] : NULL;
}

struct maildir_name mailbox_facts(const struct mailbox_message *message)
{
    struct maildir_name facts;
    maildir_parse_name(slice_text(message->name), &facts);
    facts.uid = message->uid;
    facts.flags = message->flags;
    facts.keywords = message->keywords;
    facts.has_date = true;
    facts.date = message->date;
    facts.has_info = !message->in_new;
    facts.has_size = true;
    facts.size = message->size;
    facts.has_crlf_size = message->crlf_size > 0 || message->size == 0;
    facts.crlf_size = message->crlf_size;
    return facts;
}

int mailbox_folder_of(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    return message->in_new ? mailbox->new : mailbox->cur;
}

static bool make_room(struct mailbox *mailbox)
{
    if (mailbox->count < mailbox->capacity)
        return true;
    if (mailbox->count >= MAILBOX_MESSAGES_MAX) {
        errno = EFBIG;
        return mailbox_fail(mailbox);
    }
    size_t capacity = mailbox->capacity ? mailbox->capacity * 2 : CAPACITY_FIRST;
    struct mailbox_message *messages = reallocarray(mailbox->messages, capacity, sizeof *messages);
    if (!messages)
        return mailbox_fail(mailbox);
    mailbox->messages = messages;
    mailbox->capacity = capacity;
    return true;
}

struct mailbox_message *mailbox_add(struct mailbox *mailbox, const struct maildir_name *facts,
                                    char *name)
{
    if (!make_room(mailbox))
        return NULL;
    struct mailbox_message *message = &mailbox->messages[mailbox->count++];
    *message = (struct mailbox_message){.uid = facts->uid,
                                        .flags = facts->flags,
                                        .keywords = facts->keywords,
                                        .present = true,
                                        .size = facts->size,
                                        .crlf_size = facts->has_crlf_size ? facts->crlf_size : 0,
                                        .date = facts->date,
                                        .name = name};
    return message;
}

/* ---- renaming ----------------------------------------------------------------------------------
 */

typedef bool place(int from, const char *name, int to, const char *new_name);

static bool place_link(int from, const char *name, int to, const char *new_name)
{
    return linkat(from, name, to, new_name, 0) == 0;
}

static char *try_name(place *how, int from, const char *old_name, int to,
                      const struct maildir_name *facts)
{
    struct str text;
    str_init(&text, NAME_MAX);
    errno = ENAMETOOLONG;
    const char *name = maildir_format_name(&text, facts) ? str_text(&text) : NULL;
    char *kept = NULL;
    /* A rename to itself is no change. */
    if (name && from == to && strcmp(name, old_name) == 0)
        kept = strdup(name);
    else if (name && how(from, old_name, to, name))
        kept = strdup(name);
    int error = errno;
    str_free(&text);
    errno = error;
    return kept;
}

static char *try_new_unique(place *how, int from, const char *old_name, int to,
                            const struct maildir_name *facts)
{
    struct maildir_name renamed = *facts;
    struct str unique;
    str_init(&unique, NAME_MAX);
    char *name = NULL;
    if (maildir_new_unique(&unique, facts->date, NULL)) {
        renamed.unique = str_slice(&unique);
        name = try_name(how, from, old_name, to, &renamed);
    }
    int error = errno;
    str_free(&unique);
    errno = error;
    return name;
}

char *mailbox_rename(int from, const char *old_name, int to, const struct maildir_name *facts)
{
    char *name = try_name(maildir_rename, from, old_name, to, facts);
    if (!name && (errno == ENAMETOOLONG || errno == EEXIST))
        name = try_new_unique(maildir_rename, from, old_name, to, facts);
    return name;
}

char *mailbox_link(int from, const char *old_name, int to, const struct maildir_name *facts)
{
    return try_new_unique(place_link, from, old_name, to, facts);
}

/* ---- listing -----------------------------------------------------------------------------------
 */

static void free_scan(struct scan *scan)
{
    for (size_t i = 0; i < scan->count; i++)
        free(scan->candidates[i].name);
    free(scan->candidates);
    *scan = (struct scan){0};
}

static bool add_candidate(struct mailbox *mailbox, struct scan *scan, const char *name,
                          const struct maildir_name *facts, bool in_new)
{
    if (scan->count == scan->capacity) {
        size_t capacity = scan->capacity ? scan->capacity * 2 : CAPACITY_FIRST;
        struct candidate *candidates = reallocarray(scan->candidates, capacity, sizeof *candidates);
        if (!candidates)
            return mailbox_fail(mailbox);
        scan->candidates = candidates;
        scan->capacity = capacity;
    }
    char *kept = strdup(name);
    if (!kept)
        return mailbox_fail(mailbox);
    scan->candidates[scan->count++] = (struct candidate){.name = kept,
                                                         .uid = facts->uid,
                                                         .date = facts->has_date ? facts->date : 0,
                                                         .in_new = in_new};
    return true;
}

/* Does a message's name begin with this unique part? */
static bool has_unique(const char *name, struct slice unique)
{
    return strncmp(name, unique.data, unique.size) == 0 &&
           (name[unique.size] == '\0' || name[unique.size] == ',' || name[unique.size] == ':');
}

/* The message is where and what the name says. */
static bool take_name(struct mailbox *mailbox, struct mailbox_message *message, const char *name,
                      const struct maildir_name *facts, bool in_new)
{
    message->gone = false;
    message->present = true;
    message->in_new = in_new;
    if (strcmp(message->name, name) == 0)
        return true;
    char *kept = strdup(name);
    if (!kept)
        return mailbox_fail(mailbox);
    free(message->name);
    message->name = kept;
    if (message->flags != facts->flags || message->keywords != facts->keywords)
        message->changed = true;
    message->flags = facts->flags;
    message->keywords = facts->keywords;
    if (facts->has_crlf_size)
        message->crlf_size = facts->crlf_size;
    return true;
}

static bool is_there(int folder, const char *name)
{
    struct stat info;
    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool take_entry(struct mailbox *mailbox, struct scan *scan, const char *name, bool in_new)
{
    struct maildir_name facts;
    if (!maildir_parse_name(slice_text(name), &facts))
        return true;
    struct mailbox_message *message = facts.uid ? mailbox_find(mailbox, facts.uid) : NULL;
    if (!message || !has_unique(message->name, facts.unique))
        return add_candidate(mailbox, scan, name, &facts, in_new);
    /* Two files of one message: moved between our two listings, or a copy made by hand. */
    if (message->present && is_there(mailbox_folder_of(mailbox, message), message->name)) {
        facts.uid = 0;
        return add_candidate(mailbox, scan, name, &facts, in_new);
    }
    return take_name(mailbox, message, name, &facts, in_new);
}

/* Folders, sockets and links are not messages; a FIFO would hang who opens it. */
static bool is_file(int folder, const struct dirent *entry)
{
    struct stat info;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_REG;
    return fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
}

static bool list_folder(struct mailbox *mailbox, struct scan *scan, int folder, bool in_new)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        mailbox_fail(mailbox);
        io_close(&fd);
        return false;
    }
    bool good = true;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(list);
        if (!entry && errno)
            good = mailbox_fail(mailbox);
        if (!entry || !good)
            break;
        if (entry->d_name[0] != '.' && is_file(folder, entry))
            good = take_entry(mailbox, scan, entry->d_name, in_new);
    }
    closedir(list);
    return good;
}

static bool was_listed(const struct scan *scan, const struct mailbox_message *message)
{
    return message->in_new ? scan->new : scan->cur;
}

static void expect_all(struct mailbox *mailbox)
{
    for (size_t i = 0; i < mailbox->count; i++)
        mailbox->messages[i].present = false;
}

static bool misses_some(const struct mailbox *mailbox, const struct scan *scan)
{
    for (size_t i = 0; i < mailbox->count; i++) {
        const struct mailbox_message *message = &mailbox->messages[i];
        if (!message->present && !message->gone && was_listed(scan, message))
            return true;
    }
    return false;
}

static void mark_gone(struct mailbox *mailbox, const struct scan *scan)
{
    for (size_t i = 0; i < mailbox->count; i++) {
        struct mailbox_message *message = &mailbox->messages[i];
        if (!message->present && was_listed(scan, message))
            message->gone = true;
    }
}

/* new/ comes first: messages move from there to cur/, and so are seen twice rather than never. */
static bool list_once(struct mailbox *mailbox, struct scan *scan, bool cur, bool new)
{
    free_scan(scan);
    scan->cur = cur;
    scan->new = new;
    if (cur || mailbox->in_new_count > 0)
        expect_all(mailbox);
    return (!new ||
            (mailbox_stamp_new(mailbox) && list_folder(mailbox, scan, mailbox->new, true))) &&
           (!cur ||
            (mailbox_stamp_cur(mailbox) && list_folder(mailbox, scan, mailbox->cur, false)));
}

static bool moved_meanwhile(struct mailbox *mailbox)
{
    struct stat info;
    return fstat(mailbox->cur, &info) == 0 &&
           (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec != mailbox->seen_cur;
}

/* Lists the folders and marks what is gone. A program that renames without our lock can hide a file
 * from readdir: then the listing is made again. */
static bool list_folders(struct mailbox *mailbox, struct scan *scan, bool cur, bool new)
{
    for (int listing = 1; listing <= LISTINGS_MAX; listing++) {
        if (!list_once(mailbox, scan, cur, new))
            return mailbox->error ? false : mailbox_fail(mailbox);
        if (!cur && mailbox->in_new_count == 0)
            return true;
        if (!misses_some(mailbox, scan))
            return true;
        if (!moved_meanwhile(mailbox))
            break;
        cur = new = true;
    }
    mark_gone(mailbox, scan);
    return true;
}

/* ---- taking candidates -------------------------------------------------------------------------
 */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Those with a UID first, by UID; the others by arrival. */
static int compare_candidates(const void *first, const void *second)
{
    const struct candidate *a = first, *b = second;
    if (!a->uid != !b->uid)
        return a->uid ? -1 : 1;
    int order = compare_numbers(a->uid, b->uid);
    if (order == 0 && !a->uid)
        order = compare_numbers(a->date, b->date);
    return order ? order : strcmp(a->name, b->name);
}

static void sort_candidates(struct scan *scan)
{
    if (scan->count > 1)
        qsort(scan->candidates, scan->count, sizeof *scan->candidates, compare_candidates);
}

/* UIDs that were given out before this session's list, or stand twice, don't count. Returns the
 * highest that stays. */
static uint32_t check_uids(const struct mailbox *mailbox, struct scan *scan)
{
    uint32_t highest = mailbox->synced ? mailbox->uidnext - 1 : 0;
    bool dropped = false;
    for (size_t i = 0; i < scan->count && scan->candidates[i].uid; i++) {
        struct candidate *candidate = &scan->candidates[i];
        if (candidate->uid > highest) {
            highest = candidate->uid;
        } else {
            candidate->uid = 0;
            dropped = true;
        }
    }
    if (dropped)
        sort_candidates(scan);
    return highest;
}

static size_t count_without_uid(const struct scan *scan)
{
    size_t count = 0;
    while (count < scan->count && !scan->candidates[scan->count - 1 - count].uid)
        count++;
    return count;
}

/* What only the file itself tells, once in its life: afterwards it stands in the name. */
static bool ask_file(int folder, const char *name, struct maildir_name *facts, bool is_new)
{
    struct stat info;
    if (!is_new && facts->has_size && facts->has_date)
        return true;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (!facts->has_size || facts->size != (uint64_t)info.st_size) {
        facts->has_size = true;
        facts->size = (uint64_t)info.st_size;
        facts->has_crlf_size = false;
    }
    /* Other programs keep INTERNALDATE in the file's time. */
    int64_t apart = info.st_mtime - facts->date;
    if (!facts->has_date || apart > DATE_TOLERANCE || apart < -DATE_TOLERANCE) {
        facts->has_date = true;
        facts->date = info.st_mtime > 0 ? info.st_mtime : 0;
    }
    return true;
}

/* The new message's file gets the name for `facts`, and its folder. NULL with errno; ENOENT when
 * somebody was faster. */
static char *place_candidate(struct mailbox *mailbox, struct candidate *candidate, int from, int to,
                             struct maildir_name *facts)
{
    facts->has_info = to == mailbox->cur;
    bool stays = from == to && candidate->uid != 0;
    char *name = candidate->name;
    if (stays) {
        candidate->name = NULL;
        return name;
    }
    if (!mailbox_begin_change(mailbox))
        return NULL;
    if (to == mailbox->cur)
        mailbox->cur_unsynced = true;
    else
        mailbox->new_unsynced = true;
    return mailbox_rename(from, name, to, facts);
}

/* A longer name may need a block, or a larger quota. Who has a full disk must still be able to read
 * and remove the mail that he knows. */
static bool is_no_room(int error)
{
    return error == ENOSPC || error == EDQUOT;
}

static bool take_candidate(struct mailbox *mailbox, struct scan *scan, struct candidate *candidate,
                           uint32_t uid)
{
    struct maildir_name facts;
    int from = candidate->in_new ? mailbox->new : mailbox->cur;
    /* EXAMINE gives UIDs, but leaves messages new for the next session (RFC 3501 6.3.2). */
    int to = mailbox->leaves_new ? from : mailbox->cur;
    maildir_parse_name(slice_text(candidate->name), &facts);
    facts.uid = uid;
    errno = 0;
    char *name = ask_file(from, candidate->name, &facts, candidate->uid == 0)
                     ? place_candidate(mailbox, candidate, from, to, &facts)
                     : NULL;
    if (!name && is_no_room(errno)) {
        scan->put_off = true;
        return true;
    }
    if (!name)
        return errno == ENOENT || mailbox_fail(mailbox);
    struct mailbox_message *message = mailbox_add(mailbox, &facts, name);
    if (!message) {
        free(name);
        return false;
    }
    message->recent = candidate->in_new;
    message->in_new = to == mailbox->new;
    mailbox->in_new_count += message->in_new;
    return true;
}

static bool take_candidates(struct mailbox *mailbox, struct scan *scan)
{
    sort_candidates(scan);
    uint32_t highest = check_uids(mailbox, scan), next = 0;
    size_t without = count_without_uid(scan);
    if (mailbox->count + scan->count > MAILBOX_MESSAGES_MAX) {
        errno = EFBIG;
        return mailbox_fail(mailbox);
    }
    if (!mailbox_load_uids(mailbox, highest))
        return false;
    /* Before the first rename: a UID must not be given out twice, whenever we are killed. */
    if (without > 0 && !mailbox_reserve_uids(mailbox, (uint32_t)without, &next))
        return false;
    for (size_t i = 0; i < scan->count && !scan->put_off; i++) {
        struct candidate *candidate = &scan->candidates[i];
        uint32_t uid = candidate->uid ? candidate->uid : next;
        if (!take_candidate(mailbox, scan, candidate, uid))
            return false;
        next += uid == next && !scan->put_off;
    }
    /* Nobody has seen those that were not used: we hold the lock. */
    if (scan->put_off && without > 0 && next > 0)
        return mailbox_return_uids(mailbox, next);
    return true;
}

/* ---- in step -----------------------------------------------------------------------------------
 */

bool mailbox_sync_locked(struct mailbox *mailbox)
{
    /* Our own changes under this lock moved the times, and are in the list. */
    bool cur = mailbox->cur_changed ? !mailbox->in_step : !mailbox_cur_is_known(mailbox);
    /* What others delivered since then has no UID yet, and is found as soon as we let go. */
    bool new = !mailbox->new_changed && !mailbox_new_is_known(mailbox);
    struct scan scan = {0};
    mailbox->error = 0;
    if (!cur && !new)
        return true;
    bool done = list_folders(mailbox, &scan, cur, new);
    if (done && scan.cur)
        mailbox->in_step = true;
    if (scan.count > 0 || !mailbox->synced)
        done = done && take_candidates(mailbox, &scan);
    done = done && mailbox_load_keywords(mailbox);
    if (!done || scan.put_off) { /* the next sync is to list everything again */
        mailbox->in_step = false;
        mailbox->seen_cur = mailbox->seen_new = -1;
    }
    free_scan(&scan);
    if (!done)
        return false;
    mailbox->synced = true;
    if (mailbox->in_step)
        mailbox->changes = mailbox->changes_locked;
    return true;
}

bool mailbox_sync(struct mailbox *mailbox)
{
    if (mailbox_cur_is_known(mailbox) && mailbox_new_is_known(mailbox))
        return true;
    if (!mailbox_lock(mailbox))
        return false;
    bool done = mailbox_sync_locked(mailbox);
    return mailbox_unlock(mailbox) && done;
}

bool mailbox_refresh(struct mailbox *mailbox)
{
    struct scan scan = {0};
    if (!mailbox_lock(mailbox))
        return false;
    mailbox->error = 0;
    bool done = list_folders(mailbox, &scan, true, true);
    free_scan(&scan);
    /* What is new was seen and dropped: the next sync has to find it. */
    mailbox->in_step = false;
    mailbox->seen_cur = mailbox->seen_new = -1;
    return mailbox_unlock(mailbox) && done;
}
