/*
 * mailbox - one folder of a Maildir++ as a list of messages with UIDs, flags and keywords
 *
 * What imapd and pop3d work on. The Maildir is the truth: file names hold UID, flags, keyword
 * letters and sizes; small text files hold the rest:
 *     mailbox-uids      "uidvalidity N", "uidnext N" (or more), "modseq N" (or more), "mailboxid X"
 *     mailbox-keywords  one keyword per line: the n-th line is letter 'a' + n
 *     mailbox-pending   changes that were answered and are not in the names yet (mailboxpending.c)
 *     mailbox-lock      flock on it covers every change
 * Beside them lie two caches, which may be deleted, torn or stale at any time:
 *     mailbox-index     the list as fixed records, and a log of what changed since (mailboxindex.h)
 *     mailbox-cache     what was computed from messages (mailboxcache.c)
 * A session maps the records privately and reads what others append to the log: opening a folder
 * that nothing but the suite has changed lists no directory and looks at no message. Programs that
 * know nothing of all this (mutt on the server, cp by hand) are noticed by the times of cur/ and
 * new/, and followed; a UID in two files is kept by the first.
 *
 * A message that was seen once keeps its UID for ever; a UID is given out once.
 *
 * What is promised when the machine stops: a UID that was given out is in the file's name (cur/ is
 * synced once for a whole batch); `uidnext` on the disk is ahead of all that were given out, so that
 * none is given out again; appended and copied messages are there with their flags. Changes of flags and removals are not synced: they may be undone by a power cut.
 * After one, all messages count as changed (mod-sequences), so that no client misses an undone one.
 */
#ifndef MAILBOX_MAILBOX_H
#define MAILBOX_MAILBOX_H

#include "maildir.h"
#include "maildirsize.h"

#include <time.h>

enum {
    MAILBOX_MESSAGES_MAX = 2000000,
    MAILBOX_KEYWORD_MAX = 64,
    MAILBOX_UNSYNCED_MAX = 16,
    MAILBOX_WINDOWS = 4
};

/* As it lies in the index, too. */
struct mailbox_message {
    uint32_t uid;
    uint32_t keywords; /* bits, letters of mailbox_keyword */
    uint8_t flags;     /* enum maildir_flag */

    /* of this session; false in the index */
    bool recent;  /* it is the first to see it (RFC 3501 2.3.2) */
    bool gone;    /* vanished; kept in place until mailbox_forget_gone, so that message numbers stay
                   * until the client was told */
    bool changed; /* flags changed by another session; set here, cleared by the caller once the
                   * client was told */

    /* mailbox's own: where the file is, and what its name says */
    uint8_t name_flags;
    bool in_new;
    bool is_odd; /* `name` is the whole name, which is not as we would write it */
    uint8_t spare;
    uint32_t name_keywords;
    uint32_t name;   /* place of the name's stem (mailbox_stem) */
    uint64_t modseq; /* see mailbox_modseq */

    uint64_t size;      /* bytes on disk */
    uint64_t crlf_size; /* bytes as IMAP and POP3 give them (RFC822.SIZE); 0: not known yet, see
                         * mailbox_crlf_size */
    int64_t date;       /* INTERNALDATE, seconds since 1970 */
    uint64_t cached;    /* place in the cache; 0: nothing is there */
};

/* Of messages that are not gone. */
struct mailbox_totals {
    uint64_t bytes;      /* on disk */
    uint64_t crlf_bytes; /* of those whose crlf_size is known */
    uint32_t messages, unseen, deleted;
    uint32_t unmeasured; /* messages whose crlf_size is not known */
    uint32_t in_new;
    uint32_t recent; /* for this session */
};

/* UIDs first ... last were removed, not later than at `modseq`. */
struct mailbox_vanished {
    uint32_t first, last;
    uint64_t modseq;
};

/* What is the same for all sessions, at a moment; part of the index. */
struct mailbox_state {
    uint32_t uidnext;
    uint32_t recent_from;      /* UIDs from here on are recent for who selects next */
    uint32_t cache_gone;       /* messages removed since the cache was begun */
    uint32_t bits;             /* enum mailbox_state_bit */
    uint32_t keyword_serial;   /* moves with mailbox-keywords */
    uint32_t uids_reserved;    /* what mailbox-uids says */
    uint32_t pending_size;     /* bytes of mailbox-pending that the list knows */
    uint32_t new_mark;         /* mailbox_mark, when new/ was listed */
    uint64_t modseq;           /* the highest that was given out */
    uint64_t modseqs_reserved; /* what mailbox-uids says */
    uint64_t modseq_floor;     /* no message's is lower */
    uint64_t vanished_floor;   /* removals up to here are not all known */
    uint64_t cache_id;         /* of the cache that `cached` points into */
    int64_t cur_stamp,
        new_stamp;  /* times of the folders when they were as the list says; 0: never */
    int64_t listed; /* seconds: when both were listed */
    int64_t boot;   /* seconds: when the machine was started that wrote this */
};

struct mailbox_pending;

/* A part of the cache that was read. */
struct mailbox_window {
    struct str bytes;
    uint64_t at;   /* its place in the file */
    uint64_t used; /* cache_reads, then */
};

/* What messages have in common that are copied from one folder under one lock. */
struct mailbox_copying {
    const struct mailbox *from; /* NULL: none yet */
    struct maildir_series names;
    uint32_t known;                     /* letters of `from` */
    uint32_t letters[MAILDIR_KEYWORDS]; /* what those are here; 0: nothing */
};

struct mailbox {
    int folder;      /* descriptor of the Maildir folder */
    bool read_only;  /* EXAMINE: flags don't change, nothing is recent for it alone */
    bool leaves_new; /* messages stay in new/, or come there: nothing is recent for it alone */
    bool only_fills; /* opened without a look around: that is made when it has the lock */
    uint32_t uidvalidity;
    uint32_t uidnext;
    uint64_t id;                      /* for ever, whatever the folder's name (RFC 8474) */
    struct mailbox_message *messages; /* in order of UID; never moves */
    size_t count;
    struct mailbox_totals totals;
    char *keywords[MAILDIR_KEYWORDS]; /* NULL: letter not in use */
    int error;                        /* errno of the last failure */

    /* The rest is mailbox's own. */
    int cur, new, lock, index, cache; /* descriptors */
    uint32_t uids_on_disk;            /* UIDs below it are never given out again */
    uint32_t keyword_serial;          /* of `keywords` */
    uint64_t modseq_reserved;         /* mod-sequences up to here are not given out again either */
    uint64_t device, inode;           /* of the folder: locks of two are taken in this order */
    struct mailbox_state state;

    /* under the lock */
    unsigned lock_depth;
    unsigned eager_left; /* names that are changed at once */
    /* what was added, less what was removed; modulo 2^64, for sizes are what the index says */
    uint64_t used_bytes, used_count;
    struct maildirsize_change usage;
    uint64_t lock_modseq; /* of all changes; 0: none yet */
    struct mailbox_copying copying;
    int unsynced[MAILBOX_UNSYNCED_MAX]; /* files to be synced before a change is answered */
    size_t unsynced_count;
    bool cur_unsynced, new_unsynced; /* folders, the same */
    bool cur_known, new_known;       /* the list is what the folder holds */
    bool cur_changed, new_changed;   /* we changed something there */
    bool state_changed;              /* to be written */
    bool has_twin;                   /* another object of this process shares the lock */
    bool index_unusable;             /* to be written anew */
    bool index_was_read;             /* as a whole: whether it is the last one was not asked yet */
    uint32_t doubted_from;           /* UIDs from here on may have been given out; 0: no doubt */
    bool scan_wanted;                /* a name was not where it should be */

    /* mailboxview.c */
    const char *names; /* stems: those of the index, mapped */
    size_t names_size;
    void *names_map;
    size_t names_map_size;
    struct str more_names; /* and those that came since */
    size_t known_count;    /* those that were there when mailbox_sync last returned */
    size_t first_unseen;   /* all in front of it are seen */

    /* mailboxindex.c */
    uint64_t index_id, generation;
    uint64_t log_start, log_end; /* read so far */
    struct str log;              /* records that are not written yet */
    size_t log_last;             /* where the last of them begins, which may grow */
    struct mailbox_vanished *vanished;
    size_t vanished_count, vanished_capacity;

    /* mailboxcache.c */
    uint64_t cache_open_id; /* of the file that `cache` is; 0: none */
    struct mailbox_window cache_windows[MAILBOX_WINDOWS];
    uint64_t cache_reads;
    struct str cache_new;  /* not written yet */
    size_t cache_new_last; /* where the last of it begins */

    /* mailboxpending.c */
    struct mailbox_pending *pending;
    size_t pending_count, pending_done, pending_capacity;
    struct str journal;     /* lines that are not written yet */
    uint64_t journal_bytes; /* that this session wrote into it */
    uint32_t *removed;      /* during a scan: UIDs whose files are only waiting to be removed */
    size_t removed_count;
};

/* Opens `path` relative to `directory`. NULL with errno: ENOENT no such folder; others are passing
 * trouble. Syncs once. */
struct mailbox *mailbox_open(int directory, const char *path, bool read_only);
/* The same for who is no session and works on what lies there: all that is new stays so for the session
 * that selects the folder next. */
struct mailbox *mailbox_open_to_tend(int directory, const char *path);
/* The same for who only puts messages in, by mailbox_append and mailbox_copy. Till the first of them the
 * list may be behind what other programs did to the folder: nothing is to be concluded from it. */
struct mailbox *mailbox_open_to_fill(int directory, const char *path);
/* Carries out what mailbox_settle would. */
void mailbox_close(struct mailbox **mailbox);

/* Takes over what others did: new messages appended, flags changed, vanished ones marked `gone`.
 * Cheap when nothing changed. ENOENT: the folder was deleted; ESTALE: its UIDs are others now. */
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

/* Changes of many messages at once are answered when they stand in mailbox-pending; the names follow
 * afterwards, by this: `most` of them; it is for the time when the client waits for nothing. True:
 * there is more. Any session that opens the folder for change takes over what a killed one left. */
bool mailbox_settle(struct mailbox *mailbox, size_t most);

/* Removes messages marked `gone` from the list. */
void mailbox_forget_gone(struct mailbox *mailbox);

/* The message with this UID, or NULL. */
struct mailbox_message *mailbox_find(struct mailbox *mailbox, uint32_t uid);
/* Position of the first message that is not seen; `count` when there is none. */
size_t mailbox_first_unseen(struct mailbox *mailbox);

/* RFC 7162: a message's mod-sequence, and the highest of the mailbox. */
uint64_t mailbox_modseq(const struct mailbox *mailbox, const struct mailbox_message *message);
uint64_t mailbox_highest_modseq(const struct mailbox *mailbox);
/* Raises the latter: something else than a message has changed. */
bool mailbox_raise_modseq(struct mailbox *mailbox);
/* What was removed since then, in no order, with repetitions; `*count` ranges, valid till the next
 * call. NULL: not known any more (each UID that is not in the list may have been). */
const struct mailbox_vanished *mailbox_vanished_since(const struct mailbox *mailbox,
                                                      uint64_t modseq, size_t *count);

/* When the message came into this folder (RFC 8514), seconds since 1970; 0: not known. */
int64_t mailbox_save_date(const struct mailbox *mailbox, const struct mailbox_message *message);
/* RFC 8474: the same for all copies of a message. */
uint64_t mailbox_email_id(const struct mailbox *mailbox, const struct mailbox_message *message);

enum { MAILBOX_NAME_SIZE = 256 };
/* The file's name. False when it can't be made. */
bool mailbox_name(const struct mailbox *mailbox, const struct mailbox_message *message,
                  char name[MAILBOX_NAME_SIZE]);

/* Opens the message for reading, following a rename by another session. -1 with errno; ENOENT when
 * it is gone (then marked so). */
int mailbox_open_message(struct mailbox *mailbox, struct mailbox_message *message);
/* The same in two steps, for who needs not know how long the file is, or sees it when he reads: the
 * size in its name may be wrong till the second. */
int mailbox_open_unchecked(struct mailbox *mailbox, struct mailbox_message *message);
void mailbox_check_size(struct mailbox *mailbox, struct mailbox_message *message, int fd);
/* The whole message in wire form (LF files get CRLF) into `text`; false with errno, EFBIG beyond
 * its max. Sets crlf_size. */
bool mailbox_read_message(struct mailbox *mailbox, struct mailbox_message *message,
                          struct str *text);
/* RFC822.SIZE; reads the file only where the name does not tell, and then puts it into the name. */
bool mailbox_crlf_size(struct mailbox *mailbox, struct mailbox_message *message, uint64_t *size);

/* What was computed from a message's bytes and is wanted again. */
enum mailbox_fact {
    MAILBOX_ENVELOPE = 1,  /* as on the wire */
    MAILBOX_BODYSTRUCTURE, /* the same */
    MAILBOX_KEYS,          /* for SORT and THREAD */
    MAILBOX_PREVIEW,       /* UTF-8 */
    MAILBOX_FACTS
};
/* False: not there. *bytes are valid till the next call of anything here. */
bool mailbox_cached(struct mailbox *mailbox, const struct mailbox_message *message,
                    enum mailbox_fact fact, struct slice *bytes);
/* Keeps it, in memory first; many are written at once, at the latest by mailbox_cache_flush at the
 * end of a command. Trouble is none of the caller's: it is a cache. */
enum { MAILBOX_FACT_SIZE_MAX = 65536 };
void mailbox_cache(struct mailbox *mailbox, struct mailbox_message *message, enum mailbox_fact fact,
                   struct slice bytes);
void mailbox_cache_flush(struct mailbox *mailbox);

enum mailbox_change { MAILBOX_REPLACE, MAILBOX_ADD, MAILBOX_REMOVE };
/* Changes flags and keywords. */
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
/* Durable when it returns true (or, under the lock, when that is given back); *uid is the new
 * message's. */
bool mailbox_append_commit(struct mailbox *mailbox, struct mailbox_append *append, uint32_t *uid);
void mailbox_append_abort(struct mailbox_append *append);

/* COPY and MOVE into another folder of the same account: hard link, or rename; durable when it
 * returns, or, under mailbox_lock_both(from, to), when the lock is given back. Of many that move the
 * old names go afterwards (mailbox_settle). Keyword letters are mapped by
 * name. The new message is in `to`'s list. */
/* Before many of them, under the lock: reserves UIDs for all in one write. */
bool mailbox_expect(struct mailbox *mailbox, uint32_t count);
bool mailbox_copy(struct mailbox *from, struct mailbox_message *message, struct mailbox *to,
                  bool move, uint32_t *uid);

/* Makes the index anew from names and mailbox-pending alone; the cache goes. UIDs, UIDVALIDITY, flags
 * and keywords stay; sessions go on. False with errno. */
bool mailbox_rebuild(int directory, const char *path);

/* Compares, under the lock, what stands in the folder's files with each other, and changes nothing but
 * what is missing of the Maildir. `tell` is called for each thing that is wrong. What the next session
 * takes over by itself (mail that came, other programs' changes, an index that is missing) is not.
 * False with errno: it could not be compared. */
struct mailbox_checked {
    uint64_t messages, bytes; /* of the files, as maildirsize counts */
    uint64_t findings;
};
typedef void mailbox_tell(void *owner, const char *text);
bool mailbox_check(int directory, const char *path, mailbox_tell *tell, void *owner,
                   struct mailbox_checked *checked);

#endif
