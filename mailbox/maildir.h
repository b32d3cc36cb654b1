/*
 * maildir - names and files of a Maildir, and delivery into it
 *
 * A file name carries the facts, so that an index can be made from a directory listing alone:
 *
 *     1765509226.M438369Q1j5q2k4m7q1ab.mail1,S=2048,W=2048,U=17:2,FSab
 *
 * in front of the first ',' the unique part; S the size on disk, W the size with CRLF line ends, U
 * the UID (missing until one is given), E what a copy has in common with the message that it is one
 * of; behind ":2," the flags D F P R S T and the keyword letters
 * a-z. Messages of our own are stored in wire form (CRLF), so S and W are equal and a message goes
 * out without a look at its lines. Files of other programs (LF, no S or W) are read just as well.
 * The leading seconds say when the file came into this folder, which is the message's date, too, where
 * no T=seconds says otherwise (a copy; a file of another program whose mtime tells more).
 *
 * Delivery from the queue names the file after the queue id and the time in it, never after the
 * clock: a repeat after a crash meets its own name in new/ and is noticed. One that was moved to
 * cur/ before the repeat came is not (that would cost a listing of cur/ per delivery), nor one
 * whose size differs; the window is that between a delivery and the status byte in the queue.
 */
#ifndef MAILBOX_MAILDIR_H
#define MAILBOX_MAILDIR_H

#include "str.h"
#include "verdict.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum maildir_flag {
    MAILDIR_DRAFT = 1 << 0,   /* D */
    MAILDIR_FLAGGED = 1 << 1, /* F */
    MAILDIR_PASSED = 1 << 2,  /* P */
    MAILDIR_REPLIED = 1 << 3, /* R */
    MAILDIR_SEEN = 1 << 4,    /* S */
    MAILDIR_TRASHED = 1 << 5, /* T */
};
enum { MAILDIR_KEYWORDS = 26 };

struct maildir_name {
    struct slice unique; /* up to the first ',' or ':' */
    bool has_email_id;
    uint64_t email_id; /* E=, hexadecimal */
    bool has_size, has_crlf_size;
    uint64_t size;      /* S= */
    uint64_t crlf_size; /* W= */
    uint32_t uid;       /* U=; 0 when missing, or out of the range that is given out */
    unsigned flags;     /* enum maildir_flag */
    uint32_t keywords;  /* bit 0 is 'a' */
    bool has_date;
    int64_t date;  /* T=, else the seconds that the unique part begins with */
    bool has_info; /* ":2," is there, as in cur/; written also without it if flags ask for it */
};
/* Larger UIDs in names don't count: a file with a forged one would use up all UIDs at once. */
#define MAILDIR_UID_MAX 0xffefffffu

/* Parses a file name; slices point into it. False for names that are not messages (beginning
 * with '.', holding '/', empty). Foreign fields and letters are ignored. */
bool maildir_parse_name(struct slice name, struct maildir_name *parsed);
/* The part of a name that no other field tells: the unique part, and E= where it follows. */
struct slice maildir_stem(struct slice name);
/* Writes the name for these facts (fields in the order above, T only where the unique part does
 * not say the same). False when the str is full. */
bool maildir_format_name(struct str *name, const struct maildir_name *facts);

/* The flags and keywords of `letters`, as they stand behind ":2,"; and the other way round. */
void maildir_parse_flags(struct slice letters, struct maildir_name *parsed);
void maildir_format_flags(struct str *text, unsigned flags, uint32_t keywords);
/* The same for a message and all its copies: E=, else made of the unique part. */
uint64_t maildir_email_id(const struct maildir_name *facts);

/* New unique parts of many messages: what they have in common is found out once, and a number in them
 * is counted up from one that is random. */
enum { MAILDIR_UNIQUE_MAX = 128 };
struct maildir_series {
    char text[MAILDIR_UNIQUE_MAX];
    size_t size;   /* 0: not begun */
    size_t digits; /* where the number stands */
    uint64_t number;
};
/* They begin with `seconds`. `host` may be NULL: the machine's name. */
bool maildir_series_begin(struct maildir_series *series, int64_t seconds, const char *host);
/* Valid till the next one is asked for. */
struct slice maildir_series_next(struct maildir_series *series);
/* Appends a new unique part that begins with `seconds`. `host` may be NULL: the machine's name. */
bool maildir_new_unique(struct str *unique, int64_t seconds, const char *host);
/* The unique part of message `id` from the queue: the same each time. */
bool maildir_queue_unique(struct str *unique, const char *id, const char *host);

/* Makes FOLDER with cur, new, tmp (mode 0700) where missing, durable, and the folders it lies in.
 * `folder` is relative to `directory`. */
bool maildir_create(int directory, const char *folder);
/* Renames without ever replacing a file: EEXIST. */
bool maildir_rename(int from, const char *name, int to, const char *new_name);
/* What deliveries that died left in tmp/ for more than a day and a half is removed. */
void maildir_clean_tmp(int folder);

/* One delivery, in pieces: begin opens tmp/, the caller writes, place makes it visible in new/,
 * commit makes it durable. The name comes before the sync, so that one commit of the file system's
 * journal takes both. Whoever reads meanwhile sees a whole message that a power cut could still take
 * away, or leave torn; it would come again, and take the place of that, since commit has not said
 * that it is there. Several deliveries may be placed before the first is committed: they share that
 * commit. Deliveries of the same `id` to the same folder end in one file: `repeated` is set then. */
struct maildir_delivery {
    int folder;         /* the Maildir, owned */
    int new;            /* its new/, once it was placed, owned */
    int fd;             /* the file in tmp/, owned */
    bool spares_folder; /* the file system writes a name with its file: new/ isn't synced */
    char temporary[256];
    struct str name;
    uint64_t size, crlf_size;
    uint32_t uid; /* to stand in the name; 0: none */
    bool last_was_cr;
    bool repeated;
    int error; /* errno of the first failure */
};
/* `path` is relative to `directory`; it is created when missing (a new account). `id` may be NULL
 * for a message that is not from the queue. False with delivery->error set. */
bool maildir_begin(struct maildir_delivery *delivery, int directory, const char *path,
                   const char *id, const char *host);
bool maildir_write(struct maildir_delivery *delivery, struct slice bytes);
/* The same for `size` bytes at `offset` of a file. */
bool maildir_copy(struct maildir_delivery *delivery, int from, off_t offset, uint64_t size);
/* The last write is done. False with delivery->error set. */
bool maildir_place(struct maildir_delivery *delivery);
/* Has the file system begin to write a delivery that was placed: without, ext4 would give its data
 * their place on the disk when they are synced, one after the other, and each would need a commit of
 * its own. Makes nothing durable. */
void maildir_begin_sync(const struct maildir_delivery *delivery);
/* The same, and waits till the data has left. Then the commit that takes the name has all there is to
 * say of the file; while data is on its way ext4 says the last of it in the commit after that. Trouble
 * shows when the file is synced. */
void maildir_await_data(const struct maildir_delivery *delivery);
/* Places it unless that was done, and ends the delivery. VERDICT_OK: it is on disk. */
enum verdict maildir_commit(struct maildir_delivery *delivery);
void maildir_abort(struct maildir_delivery *delivery);

/* For deliveries that end elsewhere than in new/ (mailbox_append): makes the bytes durable; the
 * caller renames "tmp/" `temporary`, and calls maildir_abort, which then removes nothing. */
bool maildir_settle(struct maildir_delivery *delivery);

#endif
