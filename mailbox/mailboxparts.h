/*
 * mailboxparts - what the files mailbox*.c share with each other and with nobody else
 */
#ifndef MAILBOX_MAILBOXPARTS_H
#define MAILBOX_MAILBOXPARTS_H

#include "mailbox.h"

#include <limits.h>
#include <sys/stat.h>

/* Keeps errno in mailbox->error; false, for the caller's return. */
bool mailbox_fail(struct mailbox *mailbox);

/* ---- mailbox.c */
/* Opens the folder, and reads nothing yet. NULL with errno. */
struct mailbox *mailbox_begin(int directory, const char *path, bool read_only, bool leaves_new);

/* ---- mailboxview.c: the list in memory */
/* Address space for all messages that a folder may have, so that they never move. */
bool mailbox_view_begin(struct mailbox *mailbox);
void mailbox_view_end(struct mailbox *mailbox);
/* A cache that was begun anew holds nothing of what the records point to. */
void mailbox_view_forget_cached(struct mailbox *mailbox);
/* Keeps a stem (or a whole odd name). False without room. */
bool mailbox_view_keep_name(struct mailbox *mailbox, struct slice name, uint32_t *place);
/* The stem, or the whole odd name. Empty for a place that is none. */
struct slice mailbox_stem(const struct mailbox *mailbox, const struct mailbox_message *message);
/* Puts a message behind the last one. NULL without room. */
struct mailbox_message *mailbox_view_add(struct mailbox *mailbox,
                                         const struct mailbox_message *message);
/* To be called around each change of a message's flags, sizes, place or absence. */
void mailbox_view_count(struct mailbox *mailbox, const struct mailbox_message *message);
void mailbox_view_uncount(struct mailbox *mailbox, const struct mailbox_message *message);
void mailbox_view_set_gone(struct mailbox *mailbox, struct mailbox_message *message);
/* What came and went between two looks of the caller's was never there. */
void mailbox_view_forget_unknown(struct mailbox *mailbox);
/* The first message whose UID is not below. */
size_t mailbox_view_position(const struct mailbox *mailbox, uint32_t uid);

/* What a name would say that tells all that the list knows of a message. The slices point into the
 * mailbox's names. */
struct maildir_name mailbox_facts(const struct mailbox *mailbox,
                                  const struct mailbox_message *message);
/* The same as mailbox_name, for whom has these facts already. */
bool mailbox_name_by_facts(const struct mailbox *mailbox, const struct mailbox_message *message,
                           const struct maildir_name *facts, char name[MAILBOX_NAME_SIZE]);
/* The folder that the message's file lies in. */
int mailbox_folder_of(const struct mailbox *mailbox, const struct mailbox_message *message);
/* Does the name say what the list says, and is the file where it belongs? */
bool mailbox_is_settled(const struct mailbox *mailbox, const struct mailbox_message *message);

/* ---- mailbox.c */
/* Nothing open, nothing known. */
void mailbox_init(struct mailbox *mailbox);

/* ---- mailboxlock.c */
#define MAILBOX_LOCK_NAME "mailbox-lock"
/* The lock alone: nothing is read, and nothing is written when the object is closed. */
bool mailbox_lock_alone(struct mailbox *mailbox);
/* As far as the times tell, of which none is trusted after a start of the machine. */
bool mailbox_is_known(const struct mailbox *mailbox);
/* When a file or folder was changed, in nanoseconds. */
int64_t mailbox_time_of(const struct stat *info);
/* Does the file or folder bear a time of an earlier day, which was given to it afterwards? */
bool mailbox_was_put_back(const struct stat *info);
/* For who has the state alone: is cur/ as it says? */
bool mailbox_cur_is_known(const struct mailbox *mailbox);
/* The time of a folder, which no later change will leave as it is; 0: there is none that would do. */
int64_t mailbox_stamp(int folder);
/* Moves with each delivery to new/ that had no lock; state.new_mark: when new/ was listed. */
uint32_t mailbox_mark(const struct mailbox *mailbox);
/* Of such a delivery, when the file has its name. */
void mailbox_set_mark(int folder);
/* To be called under the lock before the first change of a name in the folder. */
void mailbox_changes_folder(struct mailbox *mailbox, bool in_new);

/* Under the lock: the file is durable when the lock was given back; takes the descriptor over. */
bool mailbox_sync_file(struct mailbox *mailbox, int *fd);
/* Between two objects of one folder that share the lock: writes what `from` did, has `to` read it. */
void mailbox_pass_to_twin(struct mailbox *from, struct mailbox *to);

/* ---- mailboxfiles.c */
/* Reads mailbox-uids; uidvalidity 0 where there is none to go by. */
struct mailbox_uids {
    uint32_t uidvalidity, uidnext;
    uint64_t modseq, id;
    size_t size;
};
bool mailbox_read_uids(struct mailbox *mailbox, struct mailbox_uids *uids);
/* Makes it when missing, and whole; `highest` is the highest UID in a file name. Sets uidvalidity,
 * id, state.uidnext and what is reserved. Under the lock. */
bool mailbox_load_uids(struct mailbox *mailbox, uint32_t highest);
/* Under the lock: where mailbox-uids is one of an earlier day that was put back, nobody knows how much was
 * given out since: what is reserved then is beyond all that can have been. */
void mailbox_leave_gap(struct mailbox *mailbox);
/* Gives out `count` UIDs from *first on. */
bool mailbox_give_uids(struct mailbox *mailbox, uint32_t count, uint32_t *first);
/* A higher mod-sequence than all before. 0 with trouble. */
uint64_t mailbox_give_modseq(struct mailbox *mailbox);
/* Before a message is removed: sees to it that its UID isn't given out again. */
bool mailbox_keep_uid_used(struct mailbox *mailbox, uint32_t uid);
bool mailbox_load_keywords(struct mailbox *mailbox);
/* Under the lock, for a folder that another server kept: begins with these numbers, or, where there
 * are no keywords yet, with these keywords, by letter; empty ones are none. */
bool mailbox_begin_uids(struct mailbox *mailbox, uint32_t uidvalidity, uint32_t uidnext);
bool mailbox_begin_keywords(struct mailbox *mailbox,
                            char keywords[MAILDIR_KEYWORDS][MAILBOX_KEYWORD_MAX + 1]);

/* ---- mailboxadopt.c */
/* Under the lock, before a folder is listed for the first time: what Dovecot or Courier kept is taken
 * over. True too when there is nothing to do. */
bool mailbox_adopt(struct mailbox *mailbox);

/* The account's Maildir, which holds what is of all its folders; -1 with errno. */
int mailbox_open_account(int folder);
/* Under the lock: keep Maildir/maildirsize right. Before the first message comes or goes; before the
 * lock is given back. */
void mailbox_begin_usage(struct mailbox *mailbox);
void mailbox_end_usage(struct mailbox *mailbox);

/* ---- mailboxindex.c */
enum mailbox_state_bit {
    MAILBOX_STATE_PENDING = 1 << 0, /* mailbox-pending is there */
    MAILBOX_STATE_CHANGED = 1 << 1, /* we changed names since the folders were listed */
};
enum mailbox_index_result {
    MAILBOX_INDEX_OK,
    MAILBOX_INDEX_NONE,    /* none, or none of use: it is to be written anew */
    MAILBOX_INDEX_TROUBLE, /* errno */
};
/* Takes over what stands in the index, or what is new in it since. */
enum mailbox_index_result mailbox_index_load(struct mailbox *mailbox);
/* Under the lock: the same, and cuts off a torn end. */
enum mailbox_index_result mailbox_index_catch_up(struct mailbox *mailbox);
/* Opens the index, and under the lock reads its state alone, so that something can be appended. False:
 * there is none that is right. */
bool mailbox_index_open(struct mailbox *mailbox);
bool mailbox_index_read_state(struct mailbox *mailbox);
/* Is all in front of the log of the file that was loaded as it was written? */
bool mailbox_index_is_whole(const struct mailbox *mailbox);
void mailbox_index_note_vanished(struct mailbox *mailbox, uint32_t first, uint32_t last,
                                 uint64_t modseq);

/* ---- mailboxindexwrite.c */
/* Under the lock: adds to what is to be written. */
void mailbox_log_message(struct mailbox *mailbox, const struct mailbox_message *message);
void mailbox_log_flags(struct mailbox *mailbox, const struct mailbox_message *message);
void mailbox_log_gone(struct mailbox *mailbox, uint32_t uid, uint64_t modseq);
void mailbox_log_cached(struct mailbox *mailbox, const struct mailbox_message *message);
/* The state as it is now; else it stands at the end of what is written. */
void mailbox_log_state(struct mailbox *mailbox);
/* Writes it, with the state; now and then the whole index anew. Where that can't be, the index is
 * removed. */
void mailbox_index_flush(struct mailbox *mailbox);
/* The first of that alone: for who knows only the state. */
void mailbox_index_append(struct mailbox *mailbox);
void mailbox_index_close(struct mailbox *mailbox);
/* The machine was started anew since the index was written. */
bool mailbox_index_is_of_another_boot(const struct mailbox *mailbox);

/* ---- mailboxcache.c */
void mailbox_cache_close(struct mailbox *mailbox);
/* Under the lock: writes what is kept in memory. */
void mailbox_cache_write(struct mailbox *mailbox);
/* Before the index is written anew: is half of the cache of no use any more? Then it is left, too. */
void mailbox_cache_shed(struct mailbox *mailbox);

/* ---- mailboxpending.c */
/* Under the lock: the message's name is to follow. False without memory. */
bool mailbox_pend_flags(struct mailbox *mailbox, const struct mailbox_message *message);
bool mailbox_pend_removal(struct mailbox *mailbox, const struct mailbox_message *message);
/* Only moved to cur/: nobody would miss it. */
bool mailbox_pend_move(struct mailbox *mailbox, const struct mailbox_message *message);
/* Under the lock: makes sure that what is pending outlives this process. */
bool mailbox_pending_write(struct mailbox *mailbox);
/* Under the lock, before the folders are listed: which files are only waiting to be removed. What is
 * pending counts as known then. */
bool mailbox_pending_load(struct mailbox *mailbox);
/* Does the list know all that is pending? Not so when the index was cut, or is an old one. */
bool mailbox_pending_is_known(const struct mailbox *mailbox);
/* Under the lock, when the list was made from names, or does not know all: flags that are not in them
 * yet. */
bool mailbox_pending_apply(struct mailbox *mailbox);
void mailbox_pending_free(struct mailbox *mailbox);
bool mailbox_pending_is_empty(const struct mailbox *mailbox);
/* What the file says, line by line, in its order. `kind` of a line that makes no sense: NONE. */
enum mailbox_pending_kind { MAILBOX_PENDING_NONE, MAILBOX_PENDING_FLAGS, MAILBOX_PENDING_REMOVAL };
struct mailbox_pending_line {
    enum mailbox_pending_kind kind;
    uint32_t uid;
    struct slice rest; /* letters, or folder and name */
};
bool mailbox_pending_read(struct mailbox *mailbox, struct str *content);
/* False at the end. */
bool mailbox_pending_next(struct slice *rest, struct mailbox_pending_line *line);
/* Was the message with this UID removed, though its file is there still? */
bool mailbox_pending_removes(const struct mailbox *mailbox, uint32_t uid);

/* ---- mailboxchange.c */
/* Under the lock: does this message's name change at once? Few do; when there are many, the client
 * gets his answer first. A journal that is there counts before the names, so it has to know of all. */
bool mailbox_is_eager(struct mailbox *mailbox, const struct mailbox_message *message);
/* Under the lock: the file gets the name and the folder that the list says, now. False with errno. */
bool mailbox_rename_message(struct mailbox *mailbox, struct mailbox_message *message);
/* Under the lock: the file has left the folder, or is about to. */
void mailbox_note_removal(struct mailbox *mailbox, struct mailbox_message *message,
                          uint64_t modseq);
/* Under the lock: messages that are in new/ get to cur/, at once or afterwards. */
bool mailbox_empty_new(struct mailbox *mailbox);

/* ---- mailboxscan.c */
/* Under the lock: lists what is not known, and brings the list in step. */
bool mailbox_scan(struct mailbox *mailbox, bool cur, bool new);
/* Calls `take` for each file of cur/ or new/, till it says false. */
typedef bool mailbox_take_file(void *owner, const char *name);
bool mailbox_list_files(struct mailbox *mailbox, int folder, mailbox_take_file *take, void *owner);
/* What only the file itself tells: its size and, where that is more than `tolerance` seconds from the
 * name's, its date. False with errno. */
bool mailbox_ask_file(int folder, const char *name, int64_t tolerance, struct maildir_name *facts);
/* Renames `old_name` in `from` to what `facts` say in `to`, never over another file; a name that
 * is too long, or taken, gets a new unique part. The name that it got is in `name`. False with
 * errno. */
bool mailbox_rename(int from, const char *old_name, int to, const struct maildir_name *facts,
                    char name[MAILBOX_NAME_SIZE]);
/* The same by a hard link; a name that is taken is EEXIST. */
bool mailbox_link(int from, const char *old_name, int to, const struct maildir_name *facts,
                  char name[MAILBOX_NAME_SIZE]);
/* Is it this message's file, whatever flags the name tells? */
bool mailbox_has_stem(const struct mailbox *mailbox, const struct mailbox_message *message,
                      const char *name);
/* A message as a name tells it; not yet the name itself. */
struct mailbox_message mailbox_message_by_facts(const struct maildir_name *facts, bool in_new);
/* Fills in uid, flags, name and sizes as a file's name tells them. False without room for it. */
bool mailbox_message_from_name(struct mailbox *mailbox, const char *name,
                               const struct maildir_name *facts, bool in_new,
                               struct mailbox_message *message);

#endif
