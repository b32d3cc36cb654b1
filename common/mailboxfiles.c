/* mailboxfiles - see mailbox.h: UIDVALIDITY, UIDNEXT and the names of keywords
 *
 * mailbox-uids has a fixed size and lies in one sector, so its numbers are overwritten in place
 * without a sync: the UIDs in the file names tell as much. Only when the message with the highest
 * UID goes must the file be on the disk before.
 */
#include "clock.h"
#include "io.h"
#include "mailboxparts.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char uids_name[] = "mailbox-uids";
static const char keywords_name[] = "mailbox-keywords";

enum {
    UIDS_FILE_MAX = 256,
    UIDS_GAP = 1000000,
    KEYWORDS_FILE_MAX = MAILDIR_KEYWORDS * (MAILBOX_KEYWORD_MAX + 1),
};

/* ---- mailbox-uids ------------------------------------------------------------------------------
 */

/* What the file says; 0 where it says nothing of use. */
struct uids {
    uint32_t uidvalidity, uidnext;
    size_t size;
};

static uint32_t parse_line(struct slice line, struct slice head)
{
    uint64_t number = 0;
    if (!slice_starts(line, head) ||
        !number_parse(slice_trim(slice_from(line, head.size)), UINT32_MAX, &number))
        return 0;
    return (uint32_t)number;
}

static struct uids parse_uids(struct slice content)
{
    struct uids uids = {.size = content.size};
    uids.uidvalidity = parse_line(slice_cut(&content, '\n'), SLICE("uidvalidity "));
    uids.uidnext = parse_line(slice_cut(&content, '\n'), SLICE("uidnext "));
    return uids;
}

static bool format_uids(struct str *text, const struct mailbox *mailbox)
{
    return str_format(text, "uidvalidity %010u\nuidnext %010u\n", (unsigned)mailbox->uidvalidity,
                      (unsigned)mailbox->uidnext);
}

/* False with errno only where trying again may help: garbage is an empty struct. */
static bool read_uids(struct mailbox *mailbox, struct uids *uids)
{
    struct str content;
    str_init(&content, UIDS_FILE_MAX);
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

/* In place where the file has its usual size. `sync`: on the disk when it returns. */
static bool write_uids(struct mailbox *mailbox, size_t old_size, bool sync)
{
    struct str text;
    str_init(&text, UIDS_FILE_MAX);
    bool done = format_uids(&text, mailbox);
    if (done && old_size != text.size) {
        done = io_replace_file(mailbox->folder, uids_name, str_slice(&text), 0600, (uid_t)-1,
                               (gid_t)-1);
        sync = done;
    } else if (done) {
        int fd = openat(mailbox->folder, uids_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        done = fd >= 0 && pwrite(fd, text.data, text.size, 0) == (ssize_t)text.size &&
               (!sync || fdatasync(fd) == 0);
        io_close(&fd);
    }
    if (done && sync)
        mailbox->uids_on_disk = mailbox->uidnext;
    int error = errno;
    str_free(&text);
    errno = error;
    return done || mailbox_fail(mailbox);
}

/* The file is lost or damaged. UIDs in names are kept, but which higher ones were given out to
 * messages that are gone nobody knows. So, with nothing to go by, UIDVALIDITY changes, as RFC 3501
 * 2.3.1.1 wants it, and is higher than the old one since time went on. Where the old one can still
 * be read it stays, so that no client fetches everything again: a gap that nobody can have used up
 * keeps old and new UIDs apart. */
static bool rebuild_uids(struct mailbox *mailbox, struct uids uids, uint32_t highest)
{
    uint64_t next = (uint64_t)highest + 1;
    mailbox->uidvalidity = uids.uidvalidity;
    if (mailbox->uidvalidity == 0)
        mailbox->uidvalidity = (uint32_t)clock_seconds();
    else
        next += UIDS_GAP;
    mailbox->uidnext = next <= MAILDIR_UID_MAX ? (uint32_t)next : MAILDIR_UID_MAX;
    return write_uids(mailbox, 0, true);
}

bool mailbox_load_uids(struct mailbox *mailbox, uint32_t highest)
{
    struct uids uids = {0};
    if (!read_uids(mailbox, &uids) && errno != ENOENT)
        return mailbox_fail(mailbox);
    if (uids.uidvalidity == 0 || uids.uidnext == 0)
        return rebuild_uids(mailbox, uids, highest);
    mailbox->uidvalidity = uids.uidvalidity;
    /* Behind the names after a power cut, or when a file came with a UID of its own. */
    mailbox->uidnext = uids.uidnext > highest ? uids.uidnext : highest + 1;
    return true;
}

bool mailbox_reserve_uids(struct mailbox *mailbox, uint32_t count, uint32_t *first)
{
    struct uids uids = {0};
    uint64_t next = (uint64_t)mailbox->uidnext + count;
    *first = mailbox->uidnext;
    if (next > MAILDIR_UID_MAX) {
        errno = EOVERFLOW;
        return mailbox_fail(mailbox);
    }
    if (!read_uids(mailbox, &uids))
        return mailbox_fail(mailbox);
    mailbox->uidnext = (uint32_t)next;
    if (write_uids(mailbox, uids.size, false))
        return true;
    mailbox->uidnext = *first;
    return false;
}

bool mailbox_return_uids(struct mailbox *mailbox, uint32_t next)
{
    struct uids uids = {0};
    if (!read_uids(mailbox, &uids))
        return mailbox_fail(mailbox);
    mailbox->uidnext = next;
    return write_uids(mailbox, uids.size, false);
}

static bool is_highest(const struct mailbox *mailbox, uint32_t uid)
{
    size_t last = mailbox->count;
    while (last > 0 && mailbox->messages[last - 1].gone)
        last--;
    return last == 0 || mailbox->messages[last - 1].uid <= uid;
}

bool mailbox_keep_uid_used(struct mailbox *mailbox, uint32_t uid)
{
    struct uids uids = {0};
    if (uid < mailbox->uids_on_disk || !is_highest(mailbox, uid))
        return true;
    if (!read_uids(mailbox, &uids))
        return mailbox_fail(mailbox);
    if (uids.uidnext > mailbox->uidnext)
        mailbox->uidnext = uids.uidnext;
    return write_uids(mailbox, uids.size, true);
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
    struct stat info;
    int64_t stamp = 0;
    if (fstatat(mailbox->folder, keywords_name, &info, AT_SYMLINK_NOFOLLOW) == 0)
        /* The file is always replaced, so its number changes too. */
        stamp = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec +
                (int64_t)(info.st_ino & 0xffffff);
    else if (errno != ENOENT)
        return mailbox_fail(mailbox);
    if (stamp == mailbox->keywords_stamp)
        return true;
    struct str content;
    str_init(&content, KEYWORDS_FILE_MAX);
    bool done = io_read_file(mailbox->folder, keywords_name, &content);
    if (done || errno == EFBIG || errno == ENOENT) /* what fits of a file that is too long */
        done = take_keywords(mailbox, str_slice(&content));
    if (done)
        mailbox->keywords_stamp = stamp;
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
    if (mailbox->keywords[letter] && write_keywords(mailbox))
        return UINT32_C(1) << letter;
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
