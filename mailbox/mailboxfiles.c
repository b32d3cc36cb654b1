/* mailboxfiles - see mailbox.h: UIDVALIDITY, UIDNEXT, mod-sequences, and the names of keywords
 *
 * mailbox-uids has a fixed size and lies in one sector, so its numbers are overwritten in place. The
 * file is ahead of the UIDs and mod-sequences that are given out, always, and by so much that it is
 * not written each time: without an index the next ones begin there.
 */
#include "clock.h"
#include "io.h"
#include "mailboxparts.h"
#include "maildirsize.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

static const char uids_name[] = "mailbox-uids";
static const char keywords_name[] = "mailbox-keywords";
static const char uidvalidity_name[] = "mailbox-uidvalidity";

enum {
    UIDS_FILE_MAX = 256,
    UIDS_GAP = 1000000,
    UIDS_AHEAD = 1000,
    UIDS_PUT_BACK_GAP = 100000, /* chown looks like putting back: 40,000 times are enough */
    MODSEQS_AHEAD = 100000,
    MODSEQS_PUT_BACK_GAP = 100000000,
    ID_DIGITS = 16,
    UIDVALIDITY_DIGITS = 10,
    UIDVALIDITY_AHEAD_MAX = 100 * 24 * 3600, /* seconds; what is farther ahead is damaged */
    KEYWORDS_FILE_MAX = MAILDIR_KEYWORDS * (MAILBOX_KEYWORD_MAX + 1),
};

/* ---- mailbox-uids ------------------------------------------------------------------------------
 */

static uint64_t parse_line(struct slice line, struct slice head, uint64_t max)
{
    uint64_t number = 0;
    if (!slice_starts(line, head) ||
        !number_parse(slice_trim(slice_from(line, head.size)), max, &number))
        return 0;
    return number;
}

static uint64_t parse_id(struct slice line)
{
    uint64_t id = 0;
    struct slice head = SLICE("mailboxid ");
    if (!slice_starts(line, head) || line.size != head.size + ID_DIGITS ||
        !number_parse_hex(slice_from(line, head.size), &id))
        return 0;
    return id;
}

static struct mailbox_uids parse_uids(struct slice content)
{
    struct mailbox_uids uids = {.size = content.size};
    uids.uidvalidity =
        (uint32_t)parse_line(slice_cut(&content, '\n'), SLICE("uidvalidity "), UINT32_MAX);
    uids.uidnext = (uint32_t)parse_line(slice_cut(&content, '\n'), SLICE("uidnext "), UINT32_MAX);
    uids.modseq = parse_line(slice_cut(&content, '\n'), SLICE("modseq "), INT64_MAX / 2);
    uids.id = parse_id(slice_cut(&content, '\n'));
    return uids;
}

static bool format_uids(struct str *text, const struct mailbox *mailbox)
{
    return str_format(text, "uidvalidity %010u\nuidnext %010u\nmodseq %020llu\nmailboxid %016llx\n",
                      (unsigned)mailbox->uidvalidity, (unsigned)mailbox->uids_on_disk,
                      (unsigned long long)mailbox->modseq_reserved,
                      (unsigned long long)mailbox->id);
}

/* False with errno only where trying again may help: garbage is an empty struct. */
bool mailbox_read_uids(struct mailbox *mailbox, struct mailbox_uids *uids)
{
    struct str content;
    str_init(&content, UIDS_FILE_MAX);
    *uids = (struct mailbox_uids){0};
    bool done = io_read_file(mailbox->folder, uids_name, &content);
    if (done || errno == EFBIG) {
        *uids = parse_uids(str_slice(&content));
        done = true;
    }
    int error = errno;
    str_free(&content);
    errno = error;
    return done;
}

static bool overwrite(struct mailbox *mailbox, struct slice text)
{
    struct stat info;
    int fd = openat(mailbox->folder, uids_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool done = fd >= 0 && fstat(fd, &info) == 0 && (uint64_t)info.st_size == text.size &&
                pwrite(fd, text.data, text.size, 0) == (ssize_t)text.size && fdatasync(fd) == 0;
    io_close(&fd);
    return done;
}

/* In place where the file has its usual size. It is on the disk when this returns true. */
static bool write_uids(struct mailbox *mailbox)
{
    struct str text;
    str_init(&text, UIDS_FILE_MAX);
    bool done =
        format_uids(&text, mailbox) &&
        (overwrite(mailbox, str_slice(&text)) ||
         io_replace_file(mailbox->folder, uids_name, str_slice(&text), 0600, (uid_t)-1, (gid_t)-1));
    int error = errno;
    str_free(&text);
    errno = error;
    return done || mailbox_fail(mailbox);
}

static uint64_t new_id(void)
{
    uint64_t id = 0;
    while (getrandom(&id, sizeof id, 0) == (ssize_t)sizeof id && id == 0)
        ;
    return id != 0 ? id : (uint64_t)clock_microseconds();
}

/* Folders lie in INBOX, which lies in a folder that is no Maildir (Maildir++). */
int mailbox_open_account(int folder)
{
    struct stat info;
    bool is_inbox = fstatat(folder, "../cur", &info, 0) < 0;
    return openat(folder, is_inbox ? "." : "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void mailbox_begin_usage(struct mailbox *mailbox)
{
    if (mailbox->usage.has_begun)
        return;
    int account = mailbox_open_account(mailbox->folder);
    if (account >= 0)
        maildirsize_begin(account, &mailbox->usage);
    io_close(&account);
}

void mailbox_end_usage(struct mailbox *mailbox)
{
    if (!mailbox->usage.has_begun)
        return;
    int account = -1;
    if (mailbox->usage.fd < 0 || mailbox->usage.is_long)
        account = mailbox_open_account(mailbox->folder);
    maildirsize_end(account, &mailbox->usage, (int64_t)mailbox->used_bytes,
                    (int64_t)mailbox->used_count);
    io_close(&account);
    mailbox->used_bytes = mailbox->used_count = 0;
}

/* A number that no other folder of the account has, or had: a name with a UIDVALIDITY must never mean
 * two mailboxes (RFC 9051 2.3.1.1), and folders are renamed. The time, but later than the last one
 * that was given, which stands in a file beside INBOX. */
static uint32_t new_uidvalidity(struct mailbox *mailbox)
{
    char text[UIDVALIDITY_DIGITS + 1];
    uint64_t last = 0, now = (uint64_t)clock_seconds();
    int account = mailbox_open_account(mailbox->folder);
    int fd = openat(account, uidvalidity_name,
                    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    io_close(&account);
    if (fd < 0 || flock(fd, LOCK_EX) < 0) {
        io_close(&fd);
        return (uint32_t)now;
    }
    ssize_t got = pread(fd, text, sizeof text, 0);
    if (got > 0 && number_parse(slice_trim(slice_of(text, (size_t)got)), UINT32_MAX - 1, &last) &&
        last >= now && last < now + UIDVALIDITY_AHEAD_MAX)
        now = last + 1;
    snprintf(text, sizeof text, "%010u", (unsigned)now);
    text[UIDVALIDITY_DIGITS] = '\n';
    /* Where it can't be kept the time has to do. */
    (void)!pwrite(fd, text, sizeof text, 0);
    io_close(&fd);
    return (uint32_t)now;
}

static uint32_t bounded(uint64_t uidnext)
{
    return uidnext <= MAILDIR_UID_MAX ? (uint32_t)uidnext : MAILDIR_UID_MAX;
}

/* The file is lost or damaged. UIDs in names are kept, but which higher ones were given out to
 * messages that are gone nobody knows. So, with nothing to go by, UIDVALIDITY changes, as RFC 3501
 * 2.3.1.1 wants it, and is higher than the old one since time went on. Where the old one can still
 * be read it stays, so that no client fetches everything again: a gap that nobody can have used up
 * keeps old and new UIDs apart. */
static uint32_t rebuilt_uidnext(struct mailbox *mailbox, uint32_t highest)
{
    uint64_t next = (uint64_t)highest + 1;
    if (mailbox->uidvalidity == 0)
        mailbox->uidvalidity = new_uidvalidity(mailbox);
    else
        next += UIDS_GAP;
    return bounded(next);
}

static uint32_t ahead_of(uint64_t uidnext)
{
    return bounded(uidnext + UIDS_AHEAD);
}

static bool were_put_back(const struct mailbox *mailbox)
{
    struct stat info;
    return fstatat(mailbox->folder, uids_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           mailbox_was_put_back(&info);
}

void mailbox_leave_gap(struct mailbox *mailbox)
{
    if (!were_put_back(mailbox))
        return;
    mailbox->uids_on_disk = bounded((uint64_t)mailbox->uids_on_disk + UIDS_PUT_BACK_GAP);
    mailbox->modseq_reserved += MODSEQS_PUT_BACK_GAP;
}

bool mailbox_load_uids(struct mailbox *mailbox, uint32_t highest)
{
    struct mailbox_uids uids;
    if (!mailbox_read_uids(mailbox, &uids) && errno != ENOENT)
        return mailbox_fail(mailbox);
    if (mailbox->uidvalidity != 0 && uids.uidvalidity != mailbox->uidvalidity) {
        errno = ESTALE;
        return mailbox_fail(mailbox);
    }
    bool is_whole = uids.uidvalidity != 0 && uids.uidnext != 0 && uids.id != 0;
    is_whole = is_whole && !were_put_back(mailbox);
    mailbox->uidvalidity = uids.uidvalidity;
    mailbox->id = uids.id != 0 ? uids.id : new_id();
    mailbox->modseq_reserved = uids.modseq;
    mailbox->uids_on_disk = uids.uidvalidity != 0 && uids.uidnext != 0
                                ? uids.uidnext
                                : rebuilt_uidnext(mailbox, highest);
    mailbox_leave_gap(mailbox);
    if (mailbox->state.uidnext < mailbox->uids_on_disk)
        mailbox->state.uidnext = mailbox->uids_on_disk;
    /* Behind the names after a power cut, or when a file came with a UID of its own. */
    if (mailbox->state.uidnext <= highest)
        mailbox->state.uidnext = highest + 1;
    if (!is_whole)
        mailbox->uids_on_disk = ahead_of(mailbox->state.uidnext);
    mailbox->state.uids_reserved = mailbox->uids_on_disk;
    mailbox->state.modseqs_reserved = mailbox->modseq_reserved;
    return is_whole || write_uids(mailbox);
}

bool mailbox_begin_uids(struct mailbox *mailbox, uint32_t uidvalidity, uint32_t uidnext)
{
    mailbox->uidvalidity = uidvalidity;
    mailbox->uids_on_disk = uidnext;
    mailbox->id = new_id();
    mailbox->modseq_reserved = 0;
    return write_uids(mailbox);
}

/* The file is ahead of all UIDs that were given out, whoever removes the messages, and whatever is
 * lost with the index or in a power cut. */
static bool reserve_uids(struct mailbox *mailbox, uint64_t next)
{
    uint32_t before = mailbox->uids_on_disk;
    if (next <= before)
        return true;
    mailbox->uids_on_disk = ahead_of(next);
    if (write_uids(mailbox))
        return true;
    mailbox->uids_on_disk = before;
    return false;
}

bool mailbox_expect(struct mailbox *mailbox, uint32_t count)
{
    uint64_t next = (uint64_t)mailbox->state.uidnext + count;
    bool is_known = mailbox->cur_known && mailbox->new_known && !mailbox->index_unusable;
    /* Else a listing may move UIDNEXT first; what can't be reserved now shows with the message. */
    return !is_known || next > MAILDIR_UID_MAX || reserve_uids(mailbox, next);
}

bool mailbox_give_uids(struct mailbox *mailbox, uint32_t count, uint32_t *first)
{
    uint64_t next = (uint64_t)mailbox->state.uidnext + count;
    *first = mailbox->state.uidnext;
    if (next > MAILDIR_UID_MAX) {
        errno = EOVERFLOW;
        return mailbox_fail(mailbox);
    }
    if (!reserve_uids(mailbox, next))
        return false;
    mailbox->state.uidnext = (uint32_t)next;
    mailbox->state.uids_reserved = mailbox->uids_on_disk;
    mailbox->state_changed = true;
    return true;
}

bool mailbox_keep_uid_used(struct mailbox *mailbox, uint32_t uid)
{
    return reserve_uids(mailbox, (uint64_t)uid + 1);
}

uint64_t mailbox_give_modseq(struct mailbox *mailbox)
{
    if (mailbox->lock_modseq != 0)
        return mailbox->lock_modseq;
    uint64_t modseq = mailbox->state.modseq + 1;
    if (modseq > mailbox->modseq_reserved) {
        uint64_t before = mailbox->modseq_reserved;
        mailbox->modseq_reserved = modseq + MODSEQS_AHEAD;
        if (!write_uids(mailbox)) {
            mailbox->modseq_reserved = before;
            return 0;
        }
    }
    mailbox->state.modseq = mailbox->lock_modseq = modseq;
    mailbox->state.modseqs_reserved = mailbox->modseq_reserved;
    mailbox->state_changed = true;
    return modseq;
}

/* ---- mailbox-keywords --------------------------------------------------------------------------
 */

/* An atom (RFC 3501 "flag-keyword"): anything else would break the protocol or the file. */
static bool is_keyword(struct slice keyword)
{
    if (keyword.size == 0 || keyword.size > MAILBOX_KEYWORD_MAX)
        return false;
    for (size_t i = 0; i < keyword.size; i++)
        if (keyword.data[i] <= ' ' || keyword.data[i] > '~' ||
            strchr("(){%*\"\\]", keyword.data[i]))
            return false;
    return true;
}

static void forget_keywords(struct mailbox *mailbox)
{
    for (size_t i = 0; i < MAILDIR_KEYWORDS; i++) {
        free(mailbox->keywords[i]);
        mailbox->keywords[i] = NULL;
    }
}

static bool take_keywords(struct mailbox *mailbox, struct slice content)
{
    forget_keywords(mailbox);
    for (size_t i = 0; i < MAILDIR_KEYWORDS && content.size > 0; i++) {
        struct slice line = slice_cut(&content, '\n');
        if (!is_keyword(line))
            continue;
        mailbox->keywords[i] = strndup(line.data, line.size);
        if (!mailbox->keywords[i])
            return false;
    }
    return true;
}

bool mailbox_load_keywords(struct mailbox *mailbox)
{
    struct str content;
    str_init(&content, KEYWORDS_FILE_MAX);
    bool done = io_read_file(mailbox->folder, keywords_name, &content);
    if (done || errno == EFBIG || errno == ENOENT) /* what fits of a file that is too long */
        done = take_keywords(mailbox, str_slice(&content));
    if (done)
        mailbox->keyword_serial = mailbox->state.keyword_serial;
    else
        mailbox_fail(mailbox);
    str_free(&content);
    return done;
}

static uint32_t find_keyword(const struct mailbox *mailbox, struct slice keyword)
{
    for (size_t i = 0; i < MAILDIR_KEYWORDS; i++)
        if (mailbox->keywords[i] && slice_equal_nocase(slice_text(mailbox->keywords[i]), keyword))
            return UINT32_C(1) << i;
    return 0;
}

/* A letter without a name that no message wears: after the file was lost, letters in use must not
 * take on a new meaning. MAILDIR_KEYWORDS when there is none. */
static size_t free_letter(const struct mailbox *mailbox)
{
    uint32_t used = 0;
    for (size_t i = 0; i < mailbox->count; i++)
        used |= mailbox->messages[i].keywords;
    size_t letter = 0;
    while (letter < MAILDIR_KEYWORDS && (mailbox->keywords[letter] || used & UINT32_C(1) << letter))
        letter++;
    return letter;
}

static bool write_keywords(struct mailbox *mailbox)
{
    struct str content;
    str_init(&content, KEYWORDS_FILE_MAX);
    size_t count = MAILDIR_KEYWORDS;
    while (count > 0 && !mailbox->keywords[count - 1])
        count--;
    for (size_t i = 0; i < count; i++) {
        if (mailbox->keywords[i])
            str_append_text(&content, mailbox->keywords[i]);
        str_append_byte(&content, '\n');
    }
    bool done = !content.failed && io_replace_file(mailbox->folder, keywords_name,
                                                   str_slice(&content), 0600, (uid_t)-1, (gid_t)-1);
    int error = errno;
    str_free(&content);
    errno = error;
    return done || mailbox_fail(mailbox);
}

bool mailbox_begin_keywords(struct mailbox *mailbox,
                            char keywords[MAILDIR_KEYWORDS][MAILBOX_KEYWORD_MAX + 1])
{
    size_t count = 0;
    if (!mailbox_load_keywords(mailbox))
        return false;
    for (size_t i = 0; i < MAILDIR_KEYWORDS; i++)
        if (mailbox->keywords[i])
            return true;
    for (size_t i = 0; i < MAILDIR_KEYWORDS; i++) {
        if (!is_keyword(slice_text(keywords[i])))
            continue;
        mailbox->keywords[i] = strdup(keywords[i]);
        if (!mailbox->keywords[i])
            return mailbox_fail(mailbox);
        count++;
    }
    return count == 0 || write_keywords(mailbox);
}

static uint32_t make_keyword(struct mailbox *mailbox, struct slice keyword)
{
    uint32_t bit = find_keyword(mailbox, keyword);
    if (bit)
        return bit;
    size_t letter = free_letter(mailbox);
    if (letter == MAILDIR_KEYWORDS) {
        errno = ENOSPC;
        mailbox_fail(mailbox);
        return 0;
    }
    mailbox->keywords[letter] = strndup(keyword.data, keyword.size);
    if (mailbox->keywords[letter] && write_keywords(mailbox)) {
        mailbox->keyword_serial = ++mailbox->state.keyword_serial;
        mailbox->state_changed = true;
        return UINT32_C(1) << letter;
    }
    free(mailbox->keywords[letter]);
    mailbox->keywords[letter] = NULL;
    return 0;
}

uint32_t mailbox_keyword(struct mailbox *mailbox, struct slice keyword, bool create)
{
    uint32_t bit = find_keyword(mailbox, keyword);
    if (bit || !create || mailbox->read_only || !is_keyword(keyword) || !mailbox_lock(mailbox))
        return bit;
    if (mailbox_load_keywords(mailbox))
        bit = make_keyword(mailbox, keyword);
    return mailbox_unlock(mailbox) ? bit : 0;
}
