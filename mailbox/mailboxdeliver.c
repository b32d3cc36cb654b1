/* mailboxdeliver - see mailboxdeliver.h */
#include "mailboxdeliver.h"

#include "io.h"
#include "mailboxparts.h"
#include "maildirsize.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* A delivery doesn't wait long for a session that changes much: it has no need to. */
enum { LOCK_ATTEMPTS = 5, LOCK_WAIT_MS = 2 };

static bool take_lock(struct mailbox *mailbox)
{
    mailbox->lock = openat(mailbox->folder, MAILBOX_LOCK_NAME,
                           O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    for (int attempt = 0; mailbox->lock >= 0 && attempt < LOCK_ATTEMPTS; attempt++) {
        struct timespec wait = {.tv_nsec = LOCK_WAIT_MS * 1000000};
        if (flock(mailbox->lock, LOCK_EX | LOCK_NB) == 0)
            return true;
        nanosleep(&wait, NULL);
    }
    return false;
}

/* The index with its state, under the lock, and nothing of the messages. Where cur/ is not as the index says
 * it may be an older one, and a session has to look into that first. */
static bool begin(struct mailbox *mailbox, int folder)
{
    mailbox_init(mailbox);
    mailbox->folder = folder;
    return mailbox_index_open(mailbox) && take_lock(mailbox) && mailbox_index_read_state(mailbox) &&
           !mailbox_index_is_of_another_boot(mailbox) && mailbox_cur_is_known(mailbox);
}

static void end(struct mailbox *mailbox)
{
    mailbox_index_close(mailbox);
    io_close(&mailbox->lock);
    str_free(&mailbox->log);
    str_free(&mailbox->more_names);
}

/* Before mailbox-uids has to be written again a session does that: none was here for long. */
static bool give_numbers(struct mailbox *mailbox, uint32_t *uid, uint64_t *modseq)
{
    if (mailbox->state.uidnext >= mailbox->state.uids_reserved ||
        mailbox->state.modseq >= mailbox->state.modseqs_reserved)
        return false;
    *uid = mailbox->state.uidnext++;
    *modseq = ++mailbox->state.modseq;
    return true;
}

static void record(struct mailbox *mailbox, struct maildir_delivery *delivery, uint64_t modseq)
{
    struct mailbox_message message;
    struct maildir_name facts;
    const char *name = str_text(&delivery->name);
    if (!name || !maildir_parse_name(slice_text(name), &facts) ||
        !mailbox_message_from_name(mailbox, name, &facts, true, &message))
        return;
    message.modseq = modseq;
    mailbox_log_message(mailbox, &message);
    mailbox_index_append(mailbox);
}

bool mailboxdeliver_place(struct maildir_delivery *delivery, bool repeats)
{
    struct mailbox mailbox;
    uint64_t modseq;
    bool is_indexed = !repeats && begin(&mailbox, delivery->folder) &&
                      give_numbers(&mailbox, &delivery->uid, &modseq);
    /* Deliveries go to INBOX, the account's own folder. */
    struct maildirsize_change usage;
    maildirsize_begin(delivery->folder, &usage);
    bool placed = maildir_place(delivery);
    bool is_more = placed && !delivery->repeated;
    if (placed && !is_indexed)
        mailbox_set_mark(delivery->folder);
    if (is_more && is_indexed)
        record(&mailbox, delivery, modseq);
    maildirsize_end(delivery->folder, &usage, is_more ? (int64_t)delivery->size : 0, is_more);
    if (!repeats)
        end(&mailbox);
    return placed;
}
