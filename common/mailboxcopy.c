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

/* The message under `name` in folder_for_new is the last of the list; takes `name` over. */
static bool add_last(struct mailbox *mailbox, const struct maildir_name *facts, char *name,
                     bool recent)
{
    struct mailbox_message *message = mailbox_add(mailbox, facts, name);
    if (mailbox->leaves_new)
        mailbox->new_unsynced = mailbox->new_changed = true;
    else
        mailbox->cur_unsynced = true;
    if (!message) { /* the file is there: the next sync finds it */
        mailbox->in_step = false;
        free(name);
        return false;
    }
    message->recent = recent;
    message->in_new = mailbox->leaves_new;
    mailbox->in_new_count += message->in_new;
    return true;
}

/* A UID for a message that comes into `mailbox`, whose list is then in step. */
static bool next_uid(struct mailbox *mailbox, uint32_t *uid)
{
    uint32_t highest = 0;
    if (!mailbox_sync_locked(mailbox))
        return false;
    if (mailbox->count > 0)
        highest = mailbox->messages[mailbox->count - 1].uid;
    if (mailbox->uidnext > highest + 1)
        highest = mailbox->uidnext - 1;
    return mailbox_load_uids(mailbox, highest) && mailbox_reserve_uids(mailbox, 1, uid) &&
           mailbox_begin_change(mailbox);
}

static bool place_append(struct mailbox *mailbox, struct mailbox_append *append,
                         struct maildir_name *facts)
{
    if (!next_uid(mailbox, &facts->uid))
        return false;
    int tmp = openat(mailbox->folder, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *name =
        tmp < 0 ? NULL
                : mailbox_rename(tmp, append->delivery.temporary, folder_for_new(mailbox), facts);
    io_close(&tmp);
    if (!name)
        return mailbox_fail(mailbox);
    append->delivery.temporary[0] = '\0';
    return add_last(mailbox, facts, name, true);
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
    bool done = maildir_new_unique(&unique, append->date, NULL);
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
    if (done && !maildir_settle(delivery)) {
        errno = delivery->error;
        done = mailbox_fail(mailbox);
    }
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

/* Keywords have other letters in another folder. Those that find no letter there are lost: the
 * message matters more. */
static uint32_t map_keywords(const struct mailbox *from, uint32_t keywords, struct mailbox *to)
{
    uint32_t mapped = 0;
    for (size_t i = 0; i < MAILDIR_KEYWORDS; i++)
        if (keywords & UINT32_C(1) << i && from->keywords[i])
            mapped |= mailbox_keyword(to, slice_text(from->keywords[i]), true);
    return mapped;
}

/* A copy of the bytes, for file systems that can't link. */
static char *copy_file(struct mailbox *from, const struct mailbox_message *message,
                       struct mailbox *to, const struct maildir_name *facts)
{
    struct maildir_delivery delivery;
    char *name = NULL;
    int fd = openat(mailbox_folder_of(from, message), message->name,
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    if (!maildir_begin(&delivery, to->folder, ".", NULL, NULL)) {
        io_close(&fd);
        errno = delivery.error;
        return NULL;
    }
    if (maildir_copy(&delivery, fd, 0, message->size) && maildir_settle(&delivery)) {
        int tmp = openat(to->folder, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        name = tmp < 0 ? NULL : mailbox_rename(tmp, delivery.temporary, folder_for_new(to), facts);
        io_close(&tmp);
        if (name)
            delivery.temporary[0] = '\0';
    } else {
        errno = delivery.error;
    }
    int error = errno;
    maildir_abort(&delivery);
    io_close(&fd);
    errno = error;
    return name;
}

static bool cannot_link(int error)
{
    return error == EMLINK || error == EXDEV || error == EPERM || error == EOPNOTSUPP;
}

static char *place_copy(struct mailbox *from, const struct mailbox_message *message,
                        struct mailbox *to, const struct maildir_name *facts, bool move)
{
    int folder = mailbox_folder_of(from, message), target = folder_for_new(to);
    char *name = NULL;
    errno = EXDEV;
    if (from->device == to->device)
        name = move ? mailbox_rename(folder, message->name, target, facts)
                    : mailbox_link(folder, message->name, target, facts);
    if (name || !cannot_link(errno))
        return name;
    name = copy_file(from, message, to, facts);
    if (name && move)
        unlinkat(folder, message->name, 0);
    return name;
}

static bool copy_locked(struct mailbox *from, struct mailbox_message *message, struct mailbox *to,
                        bool move, uint32_t *uid)
{
    uint32_t old_uid = message->uid;
    struct maildir_name facts = mailbox_facts(message);
    facts.has_info = !to->leaves_new;
    facts.keywords = map_keywords(from, message->keywords, to);
    if (!next_uid(to, &facts.uid))
        return false;
    /* The list of one and the same mailbox may have moved. */
    message = mailbox_find(from, old_uid);
    if (!message || message->gone) {
        errno = ENOENT;
        return mailbox_fail(to);
    }
    facts.unique = (struct slice){message->name, facts.unique.size};
    if (move && (!mailbox_keep_uid_used(from, old_uid) || !mailbox_begin_change(from)))
        return false;
    char *name = place_copy(from, message, to, &facts, move);
    if (!name)
        return mailbox_fail(to);
    message->gone = move;
    *uid = facts.uid;
    return add_last(to, &facts, name, true);
}

bool mailbox_copy(struct mailbox *from, struct mailbox_message *message, struct mailbox *to,
                  bool move, uint32_t *uid)
{
    uint32_t old_uid = message->uid;
    *uid = 0;
    if (to->read_only || (move && from->read_only) || message->gone) {
        errno = message->gone ? ENOENT : EROFS;
        return mailbox_fail(to);
    }
    if (!mailbox_lock_both(from, to))
        return false;
    from->error = to->error = 0;
    bool done = copy_locked(from, message, to, move, uid);
    if (!done && to->error == ENOENT && mailbox_refresh(from)) {
        message = mailbox_find(from, old_uid);
        done = message && !message->gone && copy_locked(from, message, to, move, uid);
    }
    int error = to->error ? to->error : from->error;
    done = mailbox_unlock_both(from, to) && done;
    errno = error;
    return done;
}
