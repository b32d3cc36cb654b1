/* mailboxscan - see mailbox.h: listing cur/ and new/, and bringing the list in step
 *
 * A name with a UID that the list has, and the same stem, is a known message, perhaps with other
 * flags. A name with another UID was found: above all that were given out it counts (another session
 * or a delivery gave it). The rest are candidates for the next UIDs, in order of arrival. Without an
 * index every message is found anew, so that this is done with one look at its name.
 * Everything here is done under the lock.
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
    NAMES_MAX = 1 << 30, /* bytes of candidates' names */
};

/* A file without a UID that counts. */
struct candidate {
    size_t name; /* in the scan's names */
    bool in_new;
    int64_t date; /* of the name; 0 when it tells none */
};

/* A message that was found. */
struct place {
    uint32_t uid; /* 0: it does not count */
    uint32_t at;  /* in scan->found */
};

struct scan {
    struct mailbox_message *found;
    size_t found_count, found_capacity;
    struct candidate *candidates;
    size_t count, capacity;
    struct str names; /* of candidates, each with a NUL behind it */
    bool cur, new;    /* which folders were listed */
    bool is_first;    /* the list is made from the names alone */
    bool is_behind;   /* it does not know all that is pending */
    bool put_off;     /* some candidates could not be named for want of room */
    bool is_foreign;  /* another program than ours added or removed some: nobody counted them */
    uint8_t *present; /* a bit for each message of the list */
    size_t known;     /* how many those are */
    int64_t cur_stamp, new_stamp;
    uint32_t new_mark;
};

static const char *name_of(const struct scan *scan, const struct candidate *candidate)
{
    return scan->names.data + candidate->name;
}

/* ---- renaming ----------------------------------------------------------------------------------
 */

typedef bool placer(int from, const char *name, int to, const char *new_name);

static bool place_link(int from, const char *name, int to, const char *new_name)
{
    return linkat(from, name, to, new_name, 0) == 0;
}

static bool try_name(placer *how, int from, const char *old_name, int to,
                     const struct maildir_name *facts, char name[MAILBOX_NAME_SIZE])
{
    struct str text = str_on(name, MAILBOX_NAME_SIZE - 1);
    errno = ENAMETOOLONG;
    if (!maildir_format_name(&text, facts))
        return false;
    name[text.size] = '\0';
    /* A rename to itself is no change. */
    return (from == to && strcmp(name, old_name) == 0) || how(from, old_name, to, name);
}

static bool try_new_unique(int from, const char *old_name, int to, const struct maildir_name *facts,
                           char name[MAILBOX_NAME_SIZE])
{
    struct maildir_name renamed = *facts;
    char room[MAILBOX_NAME_SIZE];
    struct str unique = str_on(room, sizeof room);
    renamed.has_email_id = true;
    renamed.email_id = maildir_email_id(facts);
    if (!maildir_new_unique(&unique, facts->date, NULL))
        return false;
    renamed.unique = str_slice(&unique);
    return try_name(maildir_rename, from, old_name, to, &renamed, name);
}

bool mailbox_rename(int from, const char *old_name, int to, const struct maildir_name *facts,
                    char name[MAILBOX_NAME_SIZE])
{
    if (try_name(maildir_rename, from, old_name, to, facts, name))
        return true;
    return (errno == ENAMETOOLONG || errno == EEXIST) &&
           try_new_unique(from, old_name, to, facts, name);
}

bool mailbox_link(int from, const char *old_name, int to, const struct maildir_name *facts,
                  char name[MAILBOX_NAME_SIZE])
{
    return try_name(place_link, from, old_name, to, facts, name);
}

/* ---- what a name tells -------------------------------------------------------------------------
 */

/* Is it the name that we would give to this message? */
static bool is_our_name(const char *name, const struct maildir_name *facts)
{
    char ours[MAILBOX_NAME_SIZE];
    struct str text = str_on(ours, sizeof ours);
    return maildir_format_name(&text, facts) && slice_equal(str_slice(&text), slice_text(name));
}

struct mailbox_message mailbox_message_by_facts(const struct maildir_name *facts, bool in_new)
{
    return (struct mailbox_message){.uid = facts->uid,
                                    .keywords = facts->keywords,
                                    .name_keywords = facts->keywords,
                                    .flags = (uint8_t)facts->flags,
                                    .name_flags = (uint8_t)facts->flags,
                                    .in_new = in_new,
                                    .size = facts->size,
                                    .crlf_size = facts->has_crlf_size ? facts->crlf_size : 0,
                                    .date = facts->date};
}

bool mailbox_message_from_name(struct mailbox *mailbox, const char *name,
                               const struct maildir_name *facts, bool in_new,
                               struct mailbox_message *message)
{
    /* All that mailbox_name will say. */
    struct maildir_name ours = *facts;
    ours.has_info = !in_new;
    ours.has_size = ours.has_date = true;
    ours.has_crlf_size =
        facts->has_crlf_size ? facts->crlf_size > 0 || facts->size == 0 : facts->size == 0;
    *message = mailbox_message_by_facts(facts, in_new);
    struct slice kept = maildir_stem(slice_text(name));
    if (!is_our_name(name, &ours)) {
        message->is_odd = true;
        kept = slice_text(name);
    }
    return mailbox_view_keep_name(mailbox, kept, &message->name);
}

/* ---- known messages ----------------------------------------------------------------------------
 */

static void see(struct scan *scan, size_t position)
{
    scan->present[position / 8] |= (uint8_t)(1u << position % 8);
}

static bool is_seen(const struct scan *scan, size_t position)
{
    return scan->present[position / 8] >> position % 8 & 1;
}

bool mailbox_has_stem(const struct mailbox *mailbox, const struct mailbox_message *message,
                      const char *name)
{
    struct slice stem = mailbox_stem(mailbox, message);
    if (message->is_odd)
        stem = maildir_stem(stem);
    return slice_equal(stem, maildir_stem(slice_text(name)));
}

static bool has_name(const struct mailbox *mailbox, const struct mailbox_message *message,
                     const char *name)
{
    char ours[MAILBOX_NAME_SIZE];
    return mailbox_name(mailbox, message, ours) && strcmp(ours, name) == 0;
}

/* Flags in a name that were not ours count; what is pending of ours stays where they are not. */
static bool flags_differ(const struct mailbox_message *message, const struct mailbox_message *named)
{
    bool is_ours =
        named->name_flags == message->name_flags && named->name_keywords == message->name_keywords;
    return !is_ours && (message->flags != named->flags || message->keywords != named->keywords);
}

static void take_flags(struct mailbox_message *message, const struct mailbox_message *named)
{
    if (!flags_differ(message, named))
        return;
    message->changed = true;
    message->flags = named->flags;
    message->keywords = named->keywords;
}

/* The message is where and what the name says. */
static bool take_name(struct mailbox *mailbox, struct mailbox_message *message, const char *name,
                      const struct maildir_name *facts, bool in_new)
{
    struct mailbox_message named;
    if (!message->gone && message->in_new == in_new && has_name(mailbox, message, name))
        return true;
    if (!mailbox_message_from_name(mailbox, name, facts, in_new, &named))
        return false;
    uint64_t modseq =
        flags_differ(message, &named) ? mailbox_give_modseq(mailbox) : message->modseq;
    if (modseq == 0 && flags_differ(message, &named))
        return false;
    mailbox_view_uncount(mailbox, message);
    message->modseq = modseq;
    take_flags(message, &named);
    message->gone = false;
    message->name_flags = named.name_flags;
    message->name_keywords = named.name_keywords;
    message->is_odd = named.is_odd;
    message->name = named.name;
    message->in_new = in_new;
    if (named.crlf_size > 0)
        message->crlf_size = named.crlf_size;
    mailbox_view_count(mailbox, message);
    mailbox_log_message(mailbox, message);
    return true;
}

static bool is_there(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    char name[MAILBOX_NAME_SIZE];
    struct stat info;
    return mailbox_name(mailbox, message, name) &&
           fstatat(mailbox_folder_of(mailbox, message), name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- listing -----------------------------------------------------------------------------------
 */

static void free_scan(struct scan *scan)
{
    free(scan->found);
    free(scan->candidates);
    free(scan->present);
    str_free(&scan->names);
}

/* Room for one more of `count` items of `size` bytes. */
static bool make_room(struct mailbox *mailbox, void **items, size_t count, size_t *capacity,
                      size_t size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : CAPACITY_FIRST;
    void *grown = count < MAILBOX_MESSAGES_MAX ? reallocarray(*items, wanted, size) : NULL;
    if (!grown) {
        errno = count < MAILBOX_MESSAGES_MAX ? ENOMEM : EFBIG;
        return mailbox_fail(mailbox);
    }
    *items = grown;
    *capacity = wanted;
    return true;
}

static bool add_candidate(struct mailbox *mailbox, struct scan *scan, const char *name,
                          const struct maildir_name *facts, bool in_new)
{
    void *items = scan->candidates;
    if (!make_room(mailbox, &items, scan->count, &scan->capacity, sizeof *scan->candidates))
        return false;
    scan->candidates = items;
    scan->candidates[scan->count] = (struct candidate){
        .name = scan->names.size, .date = facts->has_date ? facts->date : 0, .in_new = in_new};
    if (!str_append(&scan->names, slice_of(name, strlen(name) + 1))) {
        errno = ENOMEM;
        return mailbox_fail(mailbox);
    }
    scan->count++;
    return true;
}

bool mailbox_ask_file(int folder, const char *name, int64_t tolerance, struct maildir_name *facts)
{
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (!facts->has_size || facts->size != (uint64_t)info.st_size) {
        facts->has_size = true;
        facts->size = (uint64_t)info.st_size;
        facts->has_crlf_size = false;
    }
    /* Other programs keep INTERNALDATE in the file's time. */
    int64_t apart = info.st_mtime - facts->date;
    if (!facts->has_date || apart > tolerance || apart < -tolerance) {
        facts->has_date = true;
        facts->date = info.st_mtime > 0 ? info.st_mtime : 0;
    }
    return true;
}

static bool add_found(struct mailbox *mailbox, struct scan *scan, const char *name,
                      struct maildir_name *facts, bool in_new)
{
    void *items = scan->found;
    if (!make_room(mailbox, &items, scan->found_count, &scan->found_capacity, sizeof *scan->found))
        return false;
    scan->found = items;
    facts->has_info = !in_new;
    if (!(facts->has_size && facts->has_date) &&
        !mailbox_ask_file(in_new ? mailbox->new : mailbox->cur, name, DATE_TOLERANCE, facts))
        return errno == ENOENT || mailbox_fail(mailbox);
    if (!mailbox_message_from_name(mailbox, name, facts, in_new, &scan->found[scan->found_count]))
        return false;
    scan->found_count++;
    return true;
}

/* The file of a message that was removed, and answered so, before its file was. */
static bool drop_removed(struct mailbox *mailbox, const char *name, bool in_new)
{
    mailbox_changes_folder(mailbox, in_new);
    return unlinkat(in_new ? mailbox->new : mailbox->cur, name, 0) == 0 || errno == ENOENT ||
           mailbox_fail(mailbox);
}

static bool take_entry(struct mailbox *mailbox, struct scan *scan, const char *name, bool in_new)
{
    struct maildir_name facts;
    if (!maildir_parse_name(slice_text(name), &facts))
        return true;
    if (facts.uid && mailbox_pending_removes(mailbox, facts.uid))
        return drop_removed(mailbox, name, in_new);
    if (facts.uid == 0)
        return add_candidate(mailbox, scan, name, &facts, in_new);
    struct mailbox_message *message = mailbox_find(mailbox, facts.uid);
    if (!message || !mailbox_has_stem(mailbox, message, name))
        return add_found(mailbox, scan, name, &facts, in_new);
    size_t position = (size_t)(message - mailbox->messages);
    /* Two files of one message: moved between our two listings, or a copy made by hand. */
    if (is_seen(scan, position) && is_there(mailbox, message))
        return has_name(mailbox, message, name) ||
               add_candidate(mailbox, scan, name, &facts, in_new);
    see(scan, position);
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

bool mailbox_list_files(struct mailbox *mailbox, int folder, mailbox_take_file *take, void *owner)
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
            good = take(owner, entry->d_name);
    }
    closedir(list);
    return good;
}

struct listing {
    struct mailbox *mailbox;
    struct scan *scan;
    bool in_new;
};

static bool take_listed(void *owner, const char *name)
{
    const struct listing *listing = owner;
    return take_entry(listing->mailbox, listing->scan, name, listing->in_new);
}

static bool list_folder(struct mailbox *mailbox, struct scan *scan, int folder, bool in_new)
{
    return mailbox_list_files(mailbox, folder, take_listed,
                              &(struct listing){mailbox, scan, in_new});
}

static bool is_missed(const struct scan *scan, const struct mailbox *mailbox, size_t position)
{
    const struct mailbox_message *message = &mailbox->messages[position];
    return !message->gone && !is_seen(scan, position) && (message->in_new ? scan->new : scan->cur);
}

static bool misses_some(const struct mailbox *mailbox, const struct scan *scan)
{
    for (size_t i = 0; i < scan->known; i++)
        if (is_missed(scan, mailbox, i))
            return true;
    return false;
}

static bool mark_gone(struct mailbox *mailbox, struct scan *scan)
{
    for (size_t i = 0; i < scan->known; i++) {
        if (!is_missed(scan, mailbox, i))
            continue;
        scan->is_foreign = true;
        uint64_t modseq = mailbox_give_modseq(mailbox);
        if (modseq == 0)
            return false;
        mailbox_note_removal(mailbox, &mailbox->messages[i], modseq);
    }
    return true;
}

/* new/ comes first: messages move from there to cur/, and so are seen twice rather than never. The
 * stamps come before: what changes later has a later time. */
static bool list_once(struct mailbox *mailbox, struct scan *scan, bool cur, bool new)
{
    scan->found_count = scan->count = 0;
    str_clear(&scan->names);
    memset(scan->present, 0, scan->known / 8 + 1);
    scan->cur = cur;
    scan->new = new;
    if (new) {
        scan->new_mark = mailbox_mark(mailbox);
        scan->new_stamp = mailbox_stamp(mailbox->new);
    }
    if (cur)
        scan->cur_stamp = mailbox_stamp(mailbox->cur);
    return (!new || list_folder(mailbox, scan, mailbox->new, true)) &&
           (!cur || list_folder(mailbox, scan, mailbox->cur, false));
}

static bool moved_meanwhile(const struct mailbox *mailbox, const struct scan *scan)
{
    struct stat info;
    return fstat(mailbox->cur, &info) == 0 && mailbox_time_of(&info) != scan->cur_stamp;
}

/* Lists the folders and marks what is gone. A program that renames without our lock can hide a file
 * from readdir: then the listing is made again. */
static bool list_folders(struct mailbox *mailbox, struct scan *scan, bool cur, bool new)
{
    for (int listing = 1; listing <= LISTINGS_MAX; listing++) {
        if (!list_once(mailbox, scan, cur, new))
            return mailbox->error ? false : mailbox_fail(mailbox);
        if (!misses_some(mailbox, scan))
            return true;
        if (cur && !moved_meanwhile(mailbox, scan))
            break;
        cur = new = true;
    }
    return mark_gone(mailbox, scan);
}

/* ---- taking what was found ---------------------------------------------------------------------
 */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

struct sorting {
    const struct mailbox *mailbox;
    const struct scan *scan;
};

static int compare_places(const void *first, const void *second, void *owner)
{
    const struct place *a = first, *b = second;
    const struct sorting *sorting = owner;
    if (a->uid != b->uid)
        return a->uid > b->uid ? 1 : -1;
    /* Not by the order of the listing: whoever looks finds the same. */
    struct slice one = mailbox_stem(sorting->mailbox, &sorting->scan->found[a->at]);
    struct slice other = mailbox_stem(sorting->mailbox, &sorting->scan->found[b->at]);
    int order = memcmp(one.data, other.data, one.size < other.size ? one.size : other.size);
    return order ? order : compare_numbers((int64_t)one.size, (int64_t)other.size);
}

/* What was found, by UID. NULL: no memory. */
static struct place *sort_found(struct mailbox *mailbox, const struct scan *scan)
{
    struct place *places = calloc(scan->found_count + 1, sizeof *places);
    for (size_t i = 0; places && i < scan->found_count; i++)
        places[i] = (struct place){scan->found[i].uid, (uint32_t)i};
    if (places && scan->found_count > 1)
        qsort_r(places, scan->found_count, sizeof *places, compare_places,
                &(struct sorting){mailbox, scan});
    if (!places)
        mailbox_fail(mailbox);
    return places;
}

/* It is to get another UID. */
static bool make_candidate(struct mailbox *mailbox, struct scan *scan,
                           const struct mailbox_message *message)
{
    char name[MAILBOX_NAME_SIZE];
    struct maildir_name facts;
    return (mailbox_name(mailbox, message, name) && maildir_parse_name(slice_text(name), &facts) &&
            add_candidate(mailbox, scan, name, &facts, message->in_new)) ||
           mailbox_fail(mailbox);
}

/* UIDs that were given out before to others of the list, or stand twice, don't count. *highest is the
 * highest that does. */
static bool check_uids(struct mailbox *mailbox, struct scan *scan, struct place *places,
                       uint32_t *highest)
{
    for (size_t i = 0; i < scan->found_count; i++) {
        if (places[i].uid > *highest) {
            *highest = places[i].uid;
            continue;
        }
        if (!make_candidate(mailbox, scan, &scan->found[places[i].at]))
            return false;
        places[i].uid = 0;
    }
    return true;
}

/* Without an index nothing is known of what was changed when. */
static bool begin_state(struct mailbox *mailbox)
{
    mailbox->state.modseq = mailbox->modseq_reserved;
    uint64_t modseq = mailbox_give_modseq(mailbox);
    mailbox->state.modseq_floor = mailbox->state.vanished_floor = modseq;
    return modseq != 0;
}

/* Names that tell UIDs from here on count. */
static uint32_t first_free_uid(const struct mailbox *mailbox)
{
    return mailbox->doubted_from != 0 ? mailbox->doubted_from : mailbox->state.uidnext;
}

/* The numbers that are given out: at the first look the names tell which UIDs are in use, afterwards
 * the state does. */
static bool load_numbers(struct mailbox *mailbox, struct scan *scan, struct place *places)
{
    uint32_t highest = scan->is_first ? 0 : first_free_uid(mailbox) - 1;
    if (!check_uids(mailbox, scan, places, &highest))
        return false;
    if (mailbox->count + scan->found_count + scan->count > MAILBOX_MESSAGES_MAX) {
        errno = EFBIG;
        return mailbox_fail(mailbox);
    }
    if (scan->is_first)
        return mailbox_load_uids(mailbox, highest) && begin_state(mailbox);
    if (mailbox->state.uidnext <= highest)
        mailbox->state.uidnext = highest + 1;
    return true;
}

static bool add_to_list(struct mailbox *mailbox, struct mailbox_message *message)
{
    message->modseq = mailbox_give_modseq(mailbox);
    struct mailbox_message *added = message->modseq ? mailbox_view_add(mailbox, message) : NULL;
    /* A mailbox that is read for the first time is written as a whole. */
    if (added && !mailbox->index_unusable)
        mailbox_log_message(mailbox, added);
    return added != NULL;
}

static bool take_found(struct mailbox *mailbox, struct scan *scan)
{
    struct place *places = sort_found(mailbox, scan);
    bool done = places && load_numbers(mailbox, scan, places);
    for (size_t i = 0; done && i < scan->found_count; i++)
        if (places[i].uid)
            done = add_to_list(mailbox, &scan->found[places[i].at]);
    free(places);
    return done;
}

/* ---- taking candidates -------------------------------------------------------------------------
 */

static int compare_candidates(const void *first, const void *second, void *owner)
{
    const struct candidate *a = first, *b = second;
    int order = compare_numbers(a->date, b->date);
    return order ? order : strcmp(name_of(owner, a), name_of(owner, b));
}

/* It stays in its folder: who may bring it to cur/ does so later, as with all that is in new/
 * (mailbox_empty_new). False with errno; ENOENT when somebody was faster. */
static bool name_candidate(struct mailbox *mailbox, const struct candidate *candidate, int folder,
                           const char *old_name, const struct maildir_name *facts,
                           char name[MAILBOX_NAME_SIZE])
{
    mailbox_changes_folder(mailbox, candidate->in_new);
    if (candidate->in_new)
        mailbox->new_unsynced = true;
    else
        mailbox->cur_unsynced = true;
    return mailbox_rename(folder, old_name, folder, facts, name);
}

/* A longer name may need a block, or a larger quota. Who has a full disk must still be able to read
 * and remove the mail that he knows. */
static bool is_no_room(int error)
{
    return error == ENOSPC || error == EDQUOT;
}

static bool take_candidate(struct mailbox *mailbox, struct scan *scan,
                           const struct candidate *candidate, uint32_t uid)
{
    struct maildir_name facts;
    struct mailbox_message message;
    char name[MAILBOX_NAME_SIZE];
    const char *old_name = name_of(scan, candidate);
    int folder = candidate->in_new ? mailbox->new : mailbox->cur;
    maildir_parse_name(slice_text(old_name), &facts);
    scan->is_foreign = scan->is_foreign || !facts.has_size;
    facts.uid = uid;
    facts.has_info = !candidate->in_new;
    errno = 0;
    /* The file is asked once in its life: afterwards it stands in the name. */
    bool done = mailbox_ask_file(folder, old_name, DATE_TOLERANCE, &facts) &&
                name_candidate(mailbox, candidate, folder, old_name, &facts, name);
    if (!done && is_no_room(errno)) {
        scan->put_off = true;
        return true;
    }
    if (!done)
        return errno == ENOENT || mailbox_fail(mailbox);
    return mailbox_message_from_name(mailbox, name, &facts, candidate->in_new, &message) &&
           add_to_list(mailbox, &message);
}

static bool take_candidates(struct mailbox *mailbox, struct scan *scan)
{
    uint32_t next = 0;
    if (scan->count == 0)
        return true;
    if (scan->count > 1)
        qsort_r(scan->candidates, scan->count, sizeof *scan->candidates, compare_candidates, scan);
    if (!mailbox_give_uids(mailbox, (uint32_t)scan->count, &next))
        return false;
    for (size_t i = 0; i < scan->count && !scan->put_off; i++) {
        if (!take_candidate(mailbox, scan, &scan->candidates[i], next))
            return false;
        next += !scan->put_off;
    }
    /* Nobody has seen those that were not used: we hold the lock. */
    if (scan->put_off)
        mailbox->state.uidnext = next;
    return true;
}

/* ---- in step -----------------------------------------------------------------------------------
 */

static void take_scan_stamps(struct mailbox *mailbox, const struct scan *scan)
{
    mailbox->state_changed = true;
    if (scan->cur) {
        mailbox->state.cur_stamp = scan->cur_stamp;
        mailbox->cur_known = true;
    }
    if (scan->new) {
        mailbox->state.new_stamp = scan->new_stamp;
        mailbox->state.new_mark = scan->new_mark;
        mailbox->new_known = true;
    }
    if (scan->cur && scan->new) {
        mailbox->state.listed = clock_seconds();
        mailbox->state.bits &= ~(uint32_t)MAILBOX_STATE_CHANGED;
    }
}

/* The next look is to list everything again. */
static void distrust(struct mailbox *mailbox)
{
    mailbox->state.cur_stamp = mailbox->state.new_stamp = 0;
    mailbox->cur_known = mailbox->new_known = false;
    mailbox->state_changed = true;
}

/* What lies in new/ was not seen by anybody. */
static void begin_recent(struct mailbox *mailbox)
{
    size_t i = mailbox->count;
    while (i > 0 && mailbox->messages[i - 1].in_new)
        i--;
    mailbox->state.recent_from =
        i < mailbox->count ? mailbox->messages[i].uid : mailbox->state.uidnext;
}

static bool prepare(struct mailbox *mailbox, struct scan *scan)
{
    str_init(&scan->names, NAMES_MAX);
    scan->known = mailbox->count;
    scan->present = calloc(scan->known / 8 + 1, 1);
    if (!scan->present)
        return mailbox_fail(mailbox);
    scan->is_behind = scan->is_first || !mailbox_pending_is_known(mailbox);
    if (!mailbox->index_unusable && !scan->is_behind &&
        !(mailbox->state.bits & MAILBOX_STATE_PENDING))
        return true;
    /* UIDVALIDITY and what is reserved may have been lost along with the index. */
    if (!scan->is_first && mailbox->index_unusable && !mailbox_load_uids(mailbox, 0))
        return false;
    return mailbox_pending_load(mailbox);
}

static void forget_usage(const struct mailbox *mailbox)
{
    int account = mailbox_open_account(mailbox->folder);
    if (account >= 0)
        maildirsize_forget(account);
    io_close(&account);
}

bool mailbox_scan(struct mailbox *mailbox, bool cur, bool new)
{
    struct scan scan = {0};
    scan.is_first = mailbox->state.recent_from == 0;
    if (cur && new && !mailbox->read_only)
        maildir_clean_tmp(mailbox->folder);
    mailbox->error = 0;
    mailbox->scan_wanted = false;
    bool done = (!scan.is_first || mailbox_adopt(mailbox)) && prepare(mailbox, &scan) &&
                list_folders(mailbox, &scan, cur, new) && take_found(mailbox, &scan) &&
                take_candidates(mailbox, &scan);
    if (done && scan.is_behind)
        done = mailbox_pending_apply(mailbox);
    if (done && scan.is_first)
        begin_recent(mailbox);
    if (done)
        mailbox->doubted_from = 0;
    if (done && !scan.put_off)
        take_scan_stamps(mailbox, &scan);
    else
        distrust(mailbox);
    if (scan.is_foreign)
        forget_usage(mailbox);
    free(mailbox->removed);
    mailbox->removed = NULL;
    mailbox->removed_count = 0;
    free_scan(&scan);
    return done;
}
