/*
 * mailbox - one folder of a Maildir++ as a list of messages with UIDs, flags and keywords
 *
 * What imapd and pop3d work on. The Maildir is the truth: file names hold UID, flags, keyword
 * letters and sizes; small text files hold the rest:
 *     mailbox-uids      "uidvalidity N" and "uidnext N", each N ten digits
 *     mailbox-keywords  one keyword per line: the n-th line is letter 'a' + n
 *     mailbox-lock      flock on it covers every change; "changes N" counts them, so that a session
 *                       knows without a listing that no other one changed anything
 * Several processes see each other's changes by mailbox_sync. A message that was seen once keeps
 * its UID for ever; a UID is given out once. A later index is a cache behind this same interface.
 *
 * What is promised when the machine stops: a UID that was given out is in the file's name (cur/ is
 * synced once for a whole batch); `uidnext` is on the disk before a message that has the highest
 * UID is removed, so that none is given out again; appended and copied messages are there with
 * their flags. Changes of flags and removals are not synced: they may be undone by a power cut.
 *
 * Programs that know nothing of the lock (mutt on the server, cp by hand) are tolerated: their
 * renames are followed, their files get UIDs, a UID in two files is kept by the first.
 */
#ifndef COMMON_MAILBOX_H
#define COMMON_MAILBOX_H

#include "maildir.h"

#include <time.h>

enum { MAILBOX_MESSAGES_MAX = 2000000, MAILBOX_KEYWORD_MAX = 64 };

struct mailbox_message {
    uint32_t uid;
    unsigned flags;     /* enum maildir_flag */
    uint32_t keywords;  /* bits, letters of mailbox_keyword */
    bool recent;        /* this session is the first to see it (RFC 3501 2.3.2) */
    bool in_new;        /* the file is in new/ still */
    bool gone;          /* vanished; kept in place until mailbox_forget_gone, so that message
                         * numbers stay until the client was told */
    bool changed;       /* flags changed by another session; set here, cleared by the caller once
                         * the client was told */
    bool present;       /* of the listing under way; mailbox's own */
    uint64_t size;      /* bytes on disk */
    uint64_t crlf_size; /* bytes as IMAP and POP3 give them (RFC822.SIZE); 0: not known yet, see
                         * mailbox_crlf_size */
    int64_t date;       /* INTERNALDATE, seconds since 1970 */
    char *name;         /* file name; owned by the mailbox */
};

struct mailbox {
    int folder;      /* descriptor of the Maildir folder */
    bool read_only;  /* EXAMINE: flags don't change, nothing is recent for it alone */
    bool leaves_new; /* messages stay in new/, or come there: nothing is recent for it alone */
    uint32_t uidvalidity, uidnext;
    struct mailbox_message *messages; /* in order of UID */
    size_t count, capacity;
    char *keywords[MAILDIR_KEYWORDS]; /* NULL: letter not in use */
    int lock;
    int64_t seen_new, seen_cur; /* stamps of the directories at the last sync */
    int error;                  /* errno of the last failure */

    /* The rest is mailbox's own. */
    int cur, new;                     /* descriptors of the folders */
    int64_t stamped_new, stamped_cur; /* when the stamps were taken */
    uint64_t changes;                 /* the counter at the last sync */
    uint64_t changes_locked;          /* and when the lock was taken */
    unsigned lock_depth;
    bool synced;            /* a first listing was made */
    bool in_step;           /* under the lock: the list is what cur/ holds */
    bool cur_changed;       /* under the lock: something was renamed or removed */
    bool cur_unsynced;      /* under the lock: cur/ is to be synced before it is given back */
    bool new_unsynced;      /* the same for new/ */
    bool new_changed;       /* under the lock: we put messages into new/, and have them */
    size_t in_new_count;    /* messages with in_new, or more */
    uint32_t uids_on_disk;  /* UIDs below it can't be given out again after a power cut */
    uint64_t device, inode; /* of the folder: locks of two are taken in this order */
    int64_t keywords_stamp;
};

/* Opens `path` relative to `directory`. NULL with errno: ENOENT no such folder; others are passing
 * trouble. Syncs once. */
struct mailbox *mailbox_open(int directory, const char *path, bool read_only);
/* The same for who only puts messages in, by mailbox_append and mailbox_copy: all that is new stays
 * so for the session that selects the folder next. */
struct mailbox *mailbox_open_to_fill(int directory, const char *path);
void mailbox_close(struct mailbox **mailbox);

/* Takes over what others did: new messages appended, flags changed, vanished ones marked `gone`.
 * `messages` may move in memory: here, in mailbox_append_commit and for the target of
 * mailbox_copy; nowhere else. Cheap when nothing changed. */
bool mailbox_sync(struct mailbox *mailbox);

/* Holds the lock over several changes, which is cheaper than one lock each, and makes appended and
 * copied messages durable together: mailbox_unlock says whether that went well. Nests. Waits
 * MAILBOX_LOCK_MS at most, then false with ETIMEDOUT. Not for the time of a network wait. */
enum { MAILBOX_LOCK_MS = 30000 };
bool mailbox_lock(struct mailbox *mailbox);
bool mailbox_unlock(struct mailbox *mailbox);
/* The same for two folders (which may be one), in an order that can't deadlock. */
bool mailbox_lock_both(struct mailbox *a, struct mailbox *b);
bool mailbox_unlock_both(struct mailbox *a, struct mailbox *b);

/* Removes messages marked `gone` from the list. */
void mailbox_forget_gone(struct mailbox *mailbox);

/* The message with this UID, or NULL. */
struct mailbox_message *mailbox_find(struct mailbox *mailbox, uint32_t uid);

/* Opens the message for reading, following a rename by another session. -1 with errno; ENOENT when
 * it is gone (then marked so). */
int mailbox_open_message(struct mailbox *mailbox, struct mailbox_message *message);
/* The whole message in wire form (LF files get CRLF) into `text`; false with errno, EFBIG beyond
 * its max. Sets crlf_size. */
bool mailbox_read_message(struct mailbox *mailbox, struct mailbox_message *message,
                          struct str *text);
/* RFC822.SIZE; reads the file only where the name does not tell, and then puts it into the name. */
bool mailbox_crlf_size(struct mailbox *mailbox, struct mailbox_message *message, uint64_t *size);

enum mailbox_change { MAILBOX_REPLACE, MAILBOX_ADD, MAILBOX_REMOVE };
/* Changes flags and keywords by renaming the file. */
bool mailbox_set_flags(struct mailbox *mailbox, struct mailbox_message *message,
                       enum mailbox_change change, unsigned flags, uint32_t keywords);
/* The bit of a keyword, made when missing and `create`. 0: none free, not there, or trouble. */
uint32_t mailbox_keyword(struct mailbox *mailbox, struct slice keyword, bool create);

/* Removes one message for good, and marks it `gone`. True too when another session was faster. */
bool mailbox_remove(struct mailbox *mailbox, struct mailbox_message *message);

/* APPEND: a delivery straight into cur/ with flags, keywords, date and a UID. */
struct mailbox_append {
    struct maildir_delivery delivery;
    unsigned flags;
    uint32_t keywords;
    int64_t date; /* seconds since 1970; 0: now */
};
/* flags, keywords and date are the caller's to set, at any time before the commit. */
bool mailbox_append_begin(struct mailbox *mailbox, struct mailbox_append *append);
bool mailbox_append_write(struct mailbox_append *append, struct slice bytes);
/* Durable when it returns true; *uid is the new message's. */
bool mailbox_append_commit(struct mailbox *mailbox, struct mailbox_append *append, uint32_t *uid);
void mailbox_append_abort(struct mailbox_append *append);

/* COPY and MOVE into another folder of the same account: hard link, or rename; durable when it
 * returns, or, under mailbox_lock_both, when the lock is given back. Keyword letters are mapped by
 * name. The new message is in `to`'s list. `message` is not to be used afterwards when both are
 * the same mailbox. */
bool mailbox_copy(struct mailbox *from, struct mailbox_message *message, struct mailbox *to,
                  bool move, uint32_t *uid);

#endif
