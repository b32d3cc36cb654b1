/* mailboxcopy - see mailbox.h: APPEND, COPY and MOVE
 *
 * The target's list is brought in step under the lock before a UID is given out, so that the new
 * message is the last one also in this session's list.
 */
#include "clock.h"
#include "io.h"
#include "mailbox.h"
#include "mailboxparts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- APPEND ------------------------------------------------------------------------------------
 */

bool mailbox_append_begin(struct mailbox *mailbox, struct mailbox_append *append)
{
    if (maildir_begin(&append->delivery, mailbox->folder, ".", NULL, NULL))
        return true;
    errno = append->delivery.error;
    return mailbox_fail(mailbox);
}

bool mailbox_append_write(struct mailbox_append *append, struct slice bytes)
{
    return maildir_write(&append->delivery, bytes);
}

void mailbox_append_abort(struct mailbox_append *append)
{
    maildir_abort(&append->delivery);
}

/* Where a message goes that comes into `mailbox`: it is recent for whoever selects that first
 * (RFC 3501 6.3.11, 6.4.7). */
static int folder_for_new(const struct mailbox *mailbox)
{
    return mailbox->leaves_new ? mailbox->new : mailbox->cur;
}

/* The message under `name` in folder_for_new, which is as we write it, is the last of the list. */
static bool add_last(struct mailbox *mailbox, const struct maildir_name *facts, const char *name)
{
    bool in_new = mailbox->leaves_new;
    struct mailbox_message message = mailbox_message_by_facts(facts, in_new);
    if (in_new)
        mailbox->new_unsynced = true;
    else
        mailbox->cur_unsynced = true;
    mailbox_changes_folder(mailbox, in_new);
    mailbox->used_bytes += facts->size;
    mailbox->used_count++;
    struct mailbox_message *added = NULL;
    if (mailbox_view_keep_name(mailbox, maildir_stem(slice_text(name)), &message.name)) {
        message.modseq = mailbox_give_modseq(mailbox);
        added = message.modseq ? mailbox_view_add(mailbox, &message) : NULL;
    }
    if (!added) { /* the file is there: a listing finds it */
        mailbox->cur_known = mailbox->new_known = false;
        return false;
    }
    mailbox_log_message(mailbox, added);
    return true;
}

/* A UID for a message that comes into `mailbox`, whose list is then in step. */
static bool next_uid(struct mailbox *mailbox, uint32_t *uid)
{
    bool is_known = mailbox->cur_known && mailbox->new_known && !mailbox->index_unusable;
    return (is_known || mailbox_scan(mailbox, true, true)) && mailbox_give_uids(mailbox, 1, uid);
}

static bool place_append(struct mailbox *mailbox, struct mailbox_append *append,
                         struct maildir_name *facts)
{
    char name[MAILBOX_NAME_SIZE];
    if (!next_uid(mailbox, &facts->uid))
        return false;
    mailbox_begin_usage(mailbox);
    int tmp = openat(mailbox->folder, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = tmp >= 0 && mailbox_rename(tmp, append->delivery.temporary, folder_for_new(mailbox),
                                           facts, name);
    if (!done)
        mailbox_fail(mailbox);
    io_close(&tmp);
    if (!done)
        return false;
    append->delivery.temporary[0] = '\0';
    return mailbox_sync_file(mailbox, &append->delivery.fd) && add_last(mailbox, facts, name);
}

/* For programs that take a message's date from its file. */
static void set_file_date(const struct mailbox_append *append)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)append->date}};
    (void)futimens(append->delivery.fd, times);
}

bool mailbox_append_commit(struct mailbox *mailbox, struct mailbox_append *append, uint32_t *uid)
{
    struct maildir_delivery *delivery = &append->delivery;
    struct str unique;
    str_init(&unique, NAME_MAX);
    if (append->date <= 0)
        append->date = clock_seconds();
    else
        set_file_date(append);
    errno = ENOMEM;
    bool done = maildir_new_unique(&unique, clock_seconds(), NULL);
    struct maildir_name facts = {.unique = str_slice(&unique),
                                 .has_size = true,
                                 .size = delivery->size,
                                 .has_crlf_size = true,
                                 .crlf_size = delivery->crlf_size,
                                 .flags = append->flags,
                                 .keywords = append->keywords,
                                 .has_date = true,
                                 .date = append->date,
                                 .has_info = !mailbox->leaves_new};
    if (!done)
        mailbox_fail(mailbox);
    if (done && delivery->error != 0) {
        errno = delivery->error;
        done = mailbox_fail(mailbox);
    }
    if (done)
        maildir_await_data(delivery);
    if (done && mailbox_lock(mailbox)) {
        done = place_append(mailbox, append, &facts);
        done = mailbox_unlock(mailbox) && done;
    } else {
        done = false;
    }
    *uid = done ? facts.uid : 0;
    maildir_abort(delivery);
    str_free(&unique);
    errno = mailbox->error;
    return done;
}

/* ---- COPY and MOVE -----------------------------------------------------------------------------
 */

static bool begin_copying(const struct mailbox *from, struct mailbox *to)
{
    if (to->copying.from == from)
        return true;
    to->copying = (struct mailbox_copying){0};
    if (!maildir_series_begin(&to->copying.names, clock_seconds(), NULL))
        return mailbox_fail(to);
    to->copying.from = from;
    return true;
}

static uint32_t map_keyword(const struct mailbox *from, size_t letter, struct mailbox *to)
{
    struct mailbox_copying *copying = &to->copying;
    uint32_t bit = UINT32_C(1) << letter;
    if (!(copying->known & bit) && from->keywords[letter])
        copying->letters[letter] = mailbox_keyword(to, slice_text(from->keywords[letter]), true);
    copying->known |= bit;
    return copying->letters[letter];
}

/* Keywords have other letters in another folder. Those that find no letter there are lost: the
 * message matters more. */
static uint32_t map_keywords(const struct mailbox *from, uint32_t keywords, struct mailbox *to)
{
    uint32_t mapped = 0;
    for (size_t i = 0; keywords >> i && i < MAILDIR_KEYWORDS; i++)
        if (keywords & UINT32_C(1) << i)
            mapped |= map_keyword(from, i, to);
    return mapped;
}

/* A copy of the bytes, for file systems that can't link. */
static bool copy_file(struct mailbox *from, const struct mailbox_message *message,
                      const char *old_name, struct mailbox *to, const struct maildir_name *facts,
                      char name[MAILBOX_NAME_SIZE])
{
    struct maildir_delivery delivery;
    int fd = openat(mailbox_folder_of(from, message), old_name,
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    if (!maildir_begin(&delivery, to->folder, ".", NULL, NULL)) {
        io_close(&fd);
        errno = delivery.error;
        return false;
    }
    bool done = maildir_copy(&delivery, fd, 0, message->size) && maildir_settle(&delivery);
    errno = delivery.error;
    if (done) {
        int tmp = openat(to->folder, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        done = tmp >= 0 && mailbox_rename(tmp, delivery.temporary, folder_for_new(to), facts, name);
        io_close(&tmp);
        if (done)
            delivery.temporary[0] = '\0';
    }
    int error = errno;
    maildir_abort(&delivery);
    io_close(&fd);
    errno = error;
    return done;
}

static bool cannot_link(int error)
{
    return error == EMLINK || error == EXDEV || error == EPERM || error == EOPNOTSUPP;
}

static bool place_copy(struct mailbox *from, const struct mailbox_message *message,
                       const char *old_name, struct mailbox *to, const struct maildir_name *facts,
                       bool rename, char name[MAILBOX_NAME_SIZE])
{
    int folder = mailbox_folder_of(from, message), target = folder_for_new(to);
    bool done = false;
    errno = EXDEV;
    if (from->device == to->device)
        done = rename ? mailbox_rename(folder, old_name, target, facts, name)
                      : mailbox_link(folder, old_name, target, facts, name);
    if (done || !cannot_link(errno))
        return done;
    done = copy_file(from, message, old_name, to, facts, name);
    if (done && rename)
        unlinkat(folder, old_name, 0);
    return done;
}

/* Of many that move, each has a second name first, and loses its old one after the answer. A power
 * cut may leave it in both folders, never in none (RFC 6851 3.3). */
static void leave(struct mailbox *from, const struct mailbox_message *message, const char *old_name,
                  bool renamed)
{
    if (!renamed && mailbox_pend_removal(from, message))
        return;
    mailbox_changes_folder(from, message->in_new);
    if (!renamed)
        unlinkat(mailbox_folder_of(from, message), old_name, 0);
}

/* What the copy's name says: it came here now, has the message's date, and is one with it. */
static struct maildir_name facts_of_copy(const struct mailbox *from,
                                         const struct mailbox_message *message, struct mailbox *to,
                                         const struct maildir_name *old)
{
    struct maildir_name facts = *old;
    facts.email_id = maildir_email_id(old);
    facts.has_email_id = true;
    facts.unique = maildir_series_next(&to->copying.names);
    facts.has_info = !to->leaves_new;
    facts.keywords = map_keywords(from, message->keywords, to);
    return facts;
}

static bool copy_as(struct mailbox *from, struct mailbox_message *message, struct mailbox *to,
                    bool move, uint32_t *uid)
{
    char old_name[MAILBOX_NAME_SIZE], name[MAILBOX_NAME_SIZE];
    struct maildir_name old = mailbox_facts(from, message);
    struct maildir_name facts = facts_of_copy(from, message, to, &old);
    uint64_t modseq = move ? mailbox_give_modseq(from) : 1;
    if (modseq == 0 || (move && !mailbox_keep_uid_used(from, message->uid)) ||
        !next_uid(to, &facts.uid))
        return false;
    mailbox_begin_usage(to);
    if (move)
        mailbox_begin_usage(from);
    bool rename = move && (from->has_twin || mailbox_is_eager(from, message));
    if (!mailbox_name_by_facts(from, message, &old, old_name) ||
        !place_copy(from, message, old_name, to, &facts, rename, name))
        return mailbox_fail(to);
    if (move) {
        leave(from, message, old_name, rename);
        mailbox_note_removal(from, message, modseq);
    }
    *uid = facts.uid;
    return add_last(to, &facts, name);
}

static bool copy_locked(struct mailbox *from, struct mailbox_message *message, struct mailbox *to,
                        bool move, uint32_t *uid)
{
    if (message->gone) {
        errno = ENOENT;
        return mailbox_fail(to);
    }
    if (!begin_copying(from, to))
        return false;
    if (from->has_twin && to->has_twin)
        mailbox_pass_to_twin(from, to);
    bool done = copy_as(from, message, to, move, uid);
    if (from->has_twin && to->has_twin)
        mailbox_pass_to_twin(to, from);
    return done;
}

bool mailbox_copy(struct mailbox *from, struct mailbox_message *message, struct mailbox *to,
                  bool move, uint32_t *uid)
{
    *uid = 0;
    if (to->read_only || (move && from->read_only)) {
        errno = EROFS;
        return mailbox_fail(to);
    }
    if (!mailbox_lock_both(from, to))
        return false;
    from->error = to->error = 0;
    bool done = copy_locked(from, message, to, move, uid);
    if (!done && to->error == ENOENT && !message->gone && mailbox_scan(from, true, true))
        done = copy_locked(from, message, to, move, uid);
    int error = to->error ? to->error : from->error;
    done = mailbox_unlock_both(from, to) && done;
    errno = error;
    return done;
}
