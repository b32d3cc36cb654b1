/*
 * foldertree - the folders of the account on disk: listing, making, removing, renaming
 *
 * The current folder is the account's, mail/DOMAIN/USER. False or -1 come with errno.
 */
#ifndef MAILBOX_FOLDERTREE_H
#define MAILBOX_FOLDERTREE_H

#include "imapfolder.h"
#include "specialuse.h"

struct foldertree_entry {
    char *name;        /* on the wire */
    bool exists;       /* false: only a name above one that exists */
    bool has_children; /* ... of which one exists */
    bool subscribed;   /* the caller's */
    bool meets;        /* the caller's: what it looks for */
    bool below_meets;  /* by foldertree_spread: something below it does */
};

struct foldertree {
    struct foldertree_entry *entries; /* in order of name, INBOX first */
    size_t count, capacity;
};

enum { FOLDERTREE_MAX = 20000 };

/* All folders, and the names above them. */
bool foldertree_read(struct foldertree *tree);
/* The same with names (a line each) whose folders need not be there. */
bool foldertree_read_with(struct foldertree *tree, struct slice names);
void foldertree_free(struct foldertree *tree);
struct foldertree_entry *foldertree_find(const struct foldertree *tree, struct slice name);
/* Sets `below_meets` everywhere. */
void foldertree_spread(struct foldertree *tree);

/* Till foldertree_release nobody makes, removes or renames folders: a rename of many is seen as a whole, or
 * not at all. For looking alone. The descriptor, -1 with errno. */
int foldertree_hold(void);
void foldertree_release(int *hold);

bool foldertree_exists(const struct imapfolder *folder);
/* What the folder that is open is called now. ENOENT: it is none any more. */
bool foldertree_find_open(int open, struct imapfolder *folder);
/* EEXIST when it is there already. */
bool foldertree_create(const struct imapfolder *folder);
/* Takes the folder out of sight in one step, then removes what is in it. */
bool foldertree_remove(const struct imapfolder *folder);
/* Renames a folder (not INBOX) and what is below it; the folder itself comes last, so that the same
 * again finishes what was interrupted. ENOENT: neither is there; EEXIST: a target is; ENAMETOOLONG. */
bool foldertree_rename(const struct imapfolder *from, const struct imapfolder *to);

/* Makes the Maildir, and at an account's first login gives each use of RFC 6154 a folder: one that
 * is there by a customary name, or else a new one, subscribed. */
bool foldertree_prepare(void);

/* The folder that has a use; in an account that has never seen a log-in over IMAP one by a customary
 * name. *bits are all its uses. False with ENOENT: none. */
bool foldertree_find_use(enum specialuse use, struct imapfolder *folder, unsigned *bits);
/* The same; where there is none, one by a customary name gets the use, or else one is made,
 * subscribed, as at a first log-in. */
bool foldertree_provide_use(enum specialuse use, struct imapfolder *folder, unsigned *bits);

#endif
