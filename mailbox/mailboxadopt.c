/* mailboxadopt - see mailbox.h: a folder that Dovecot or Courier kept before is taken over with its UIDs
 *
 * It is done once, before the first listing, as long as there is no mailbox-uids: each file that the
 * other server's list names gets that UID into its name; then mailbox-uids is written, and from then on
 * it alone counts. Killed in between, all is done again, and comes to the same. What the other server
 * wrote stays as it is.
 */
#include "adopt.h"
#include "io.h"
#include "mailboxparts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define COURIER_KEYWORDS "courierimapkeywords"
#define UIDLS_NAME       "mailbox-uidls"

enum {
    UIDS_GAP = 1000000, /* nobody can have used so many up unnoticed */
    UIDLS_FILE_MAX = 256 * 1024 * 1024,
    NAMES_MAX = 1 << 30,
    KEYWORDS_FILE_MAX = 65536, /* of one message */
};

struct adoption {
    struct mailbox *mailbox;
    struct adopt_list list;
    struct str uids, pop3; /* what the list points into */
    struct str names;      /* of files in `folder`, each with a NUL behind it */
    int folder;
    bool in_new;
    bool has_own; /* some names had a UID of ours: mailbox-uids was lost */
};

/* ---- what the other server wrote ---------------------------------------------------------------
 */

/* An empty text where there is no such file, or none that could be one. */
static bool read_file(struct mailbox *mailbox, const char *name, struct str *content)
{
    struct stat info;
    bool is_file = fstatat(mailbox->folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0
                       ? S_ISREG(info.st_mode)
                       : errno != ENOENT && errno != ENOTDIR;
    if (!is_file || io_read_file(mailbox->folder, name, content))
        return true;
    str_clear(content);
    return errno == ENOENT || errno == EFBIG || mailbox_fail(mailbox);
}

/* Nonsense is an empty list. */
static bool parse(struct adoption *adoption, struct str *content,
                  bool (*parser)(struct slice content, struct adopt_list *list))
{
    errno = 0;
    return content->size == 0 || parser(str_slice(content), &adoption->list) || errno == EINVAL ||
           mailbox_fail(adoption->mailbox);
}

static bool read_uids(struct adoption *adoption)
{
    static const char *const names[] = {"dovecot-uidlist", "courierimapuiddb"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        str_clear(&adoption->uids);
        if (!read_file(adoption->mailbox, names[i], &adoption->uids) ||
            !parse(adoption, &adoption->uids, adopt_parse_uids))
            return false;
        if (adoption->list.uidvalidity != 0)
            return true;
    }
    return true;
}

static bool read_pop3(struct adoption *adoption)
{
    return read_file(adoption->mailbox, "courierpop3dsizelist", &adoption->pop3) &&
           parse(adoption, &adoption->pop3, adopt_parse_pop3);
}

/* A message whose keywords were changed last has a file of its own. */
static bool take_keyword_file(struct adoption *adoption, int folder, const char *name)
{
    struct adopt_entry *entry = adopt_find(&adoption->list, slice_text(name));
    struct str content;
    struct stat info;
    if (!entry || fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(info.st_mode))
        return true;
    str_init(&content, KEYWORDS_FILE_MAX);
    bool done = io_read_file(folder, name, &content);
    if (done)
        adopt_take_keywords(str_slice(&content), &adoption->list, entry);
    else
        done = errno == ENOENT || errno == EFBIG || mailbox_fail(adoption->mailbox);
    str_free(&content);
    return done;
}

static bool read_keyword_files(struct adoption *adoption)
{
    int fd = openat(adoption->mailbox->folder, COURIER_KEYWORDS,
                    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *files = fd >= 0 ? fdopendir(fd) : NULL;
    if (!files) {
        io_close(&fd);
        return true;
    }
    bool done = true;
    for (const struct dirent *file; done && (file = readdir(files));)
        done = take_keyword_file(adoption, fd, file->d_name);
    closedir(files);
    return done;
}

static bool read_keywords(struct adoption *adoption)
{
    struct str content;
    str_init(&content, ADOPT_FILE_MAX);
    bool done = read_file(adoption->mailbox, "dovecot-keywords", &content);
    if (done && content.size > 0) {
        adopt_parse_dovecot_keywords(str_slice(&content), &adoption->list);
    } else if (done) {
        done = read_file(adoption->mailbox, COURIER_KEYWORDS "/:list", &content);
        adopt_parse_courier_keywords(str_slice(&content), &adoption->list);
        done = done && read_keyword_files(adoption);
    }
    str_free(&content);
    return done;
}

/* ---- the files of messages ---------------------------------------------------------------------
 */

static bool adopt_file(struct adoption *adoption, const char *name)
{
    struct mailbox *mailbox = adoption->mailbox;
    struct maildir_name facts;
    char renamed[MAILBOX_NAME_SIZE];
    if (!maildir_parse_name(slice_text(name), &facts))
        return true;
    adoption->has_own = adoption->has_own || facts.uid != 0;
    struct adopt_entry *entry = adopt_find(&adoption->list, slice_text(name));
    if (!entry)
        entry = adopt_find_unique(&adoption->list, slice_text(name));
    /* A name that has one of our fields, and so is not as it is in the list, was named by us. */
    bool is_another = entry && facts.uid != 0 && facts.uid != entry->uid &&
                      !slice_equal(entry->base, slice_part(slice_text(name), 0, entry->base.size));
    if (!entry || is_another)
        return true;
    facts.uid = entry->uid;
    facts.keywords |= entry->keywords;
    facts.has_info = !adoption->in_new;
    mailbox_changes_folder(mailbox, adoption->in_new);
    if (!mailbox_ask_file(adoption->folder, name, 0, &facts) ||
        !mailbox_rename(adoption->folder, name, adoption->folder, &facts, renamed))
        return errno == ENOENT || mailbox_fail(mailbox);
    entry->is_taken = true;
    return true;
}

static bool keep_name(void *owner, const char *name)
{
    struct adoption *adoption = owner;
    return str_append(&adoption->names, slice_of(name, strlen(name) + 1)) ||
           mailbox_fail(adoption->mailbox);
}

/* All names first: a listing may show what was renamed meanwhile once more. */
static bool adopt_folder(struct adoption *adoption, int folder, bool in_new)
{
    adoption->folder = folder;
    adoption->in_new = in_new;
    str_clear(&adoption->names);
    bool done = mailbox_list_files(adoption->mailbox, folder, keep_name, adoption);
    for (size_t at = 0; done && at < adoption->names.size;
         at += strlen(adoption->names.data + at) + 1)
        done = adopt_file(adoption, adoption->names.data + at);
    return done && (io_sync_folder(folder) || mailbox_fail(adoption->mailbox));
}

/* ---- what is kept of it ------------------------------------------------------------------------
 */

static int compare_uids(const void *first, const void *second)
{
    const struct adopt_entry *a = first, *b = second;
    return (a->uid > b->uid) - (a->uid < b->uid);
}

/* Lines "UID NAME", in order of UID, for POP3 names that are not made as ours are. */
static bool write_uidls(struct adoption *adoption)
{
    struct adopt_list *list = &adoption->list;
    struct str text;
    str_init(&text, UIDLS_FILE_MAX);
    if (list->count > 1)
        qsort(list->entries, list->count, sizeof *list->entries, compare_uids);
    for (size_t i = 0; i < list->count; i++) {
        size_t before = text.size;
        if (!list->entries[i].is_taken)
            continue;
        str_append_number(&text, list->entries[i].uid);
        str_append_byte(&text, ' ');
        if (adopt_uidl(&list->entries[i], &text))
            str_append_byte(&text, '\n');
        else
            str_truncate(&text, before);
    }
    bool done = text.size == 0 ||
                (!text.failed && io_replace_file(adoption->mailbox->folder, UIDLS_NAME,
                                                 str_slice(&text), 0600, (uid_t)-1, (gid_t)-1));
    int error = errno;
    str_free(&text);
    errno = error;
    return done || mailbox_fail(adoption->mailbox);
}

/* mailbox-uids comes last: it says that all this was done. */
static bool carry_out(struct adoption *adoption)
{
    struct mailbox *mailbox = adoption->mailbox;
    struct adopt_list *list = &adoption->list;
    return adopt_folder(adoption, mailbox->new, true) &&
           adopt_folder(adoption, mailbox->cur, false) &&
           mailbox_begin_keywords(mailbox, list->keywords) && write_uidls(adoption) &&
           mailbox_begin_uids(mailbox, list->uidvalidity,
                              list->uidnext + (adoption->has_own ? UIDS_GAP : 0));
}

static void free_adoption(struct adoption *adoption)
{
    int error = errno;
    adopt_free(&adoption->list);
    str_free(&adoption->uids);
    str_free(&adoption->pop3);
    str_free(&adoption->names);
    errno = error;
}

bool mailbox_adopt(struct mailbox *mailbox)
{
    struct mailbox_uids uids;
    struct adoption adoption = {.mailbox = mailbox};
    if (mailbox->uidvalidity != 0)
        return true;
    if (!mailbox_read_uids(mailbox, &uids) && errno != ENOENT)
        return mailbox_fail(mailbox);
    if (uids.uidvalidity != 0)
        return true;
    str_init(&adoption.uids, ADOPT_FILE_MAX);
    str_init(&adoption.pop3, ADOPT_FILE_MAX);
    str_init(&adoption.names, NAMES_MAX);
    bool done = read_uids(&adoption) && read_pop3(&adoption);
    if (done && adoption.list.uidvalidity != 0)
        done = read_keywords(&adoption) && carry_out(&adoption);
    free_adoption(&adoption);
    return done;
}
