/*
 * imapfolder - names of mailboxes: on the wire and on disk (Maildir++)
 *
 * On the wire a name is modified UTF-7, its levels are parted by '/'. On disk the levels are parted
 * by '.' as Maildir++ has it: "Work/2026" lies in Maildir/.Work.2026, so a Maildir of Dovecot or
 * Courier keeps its folders. Because '/' and not '.' parts levels toward the client, folders may be
 * called "example.jp" or "v1.2": a '.' of a name is written "&AC4-" on disk, a spelling that
 * modified UTF-7 itself never produces. INBOX, in any case, is Maildir itself.
 */
#ifndef MAILBOX_IMAPFOLDER_H
#define MAILBOX_IMAPFOLDER_H

#include "slice.h"

enum {
    IMAPFOLDER_DISK_MAX = 240, /* of 255 bytes of a file name: room for marks of our own */
    IMAPFOLDER_NAME_MAX = IMAPFOLDER_DISK_MAX,
    IMAPFOLDER_UTF8_MAX = 2 * IMAPFOLDER_NAME_MAX, /* of a name in UTF-8 */
    IMAPFOLDER_PATH_MAX = IMAPFOLDER_DISK_MAX + 16,
};
#define IMAPFOLDER_SEPARATOR '/'
#define IMAPFOLDER_ROOT      "Maildir"
#define IMAPFOLDER_INBOX     "INBOX"

/* What is wrong with a name. */
enum imapfolder_fault {
    IMAPFOLDER_FINE,
    IMAPFOLDER_EMPTY_LEVEL, /* also "." and ".." */
    IMAPFOLDER_CONTROL,
    IMAPFOLDER_ENCODING, /* not modified UTF-7 */
    IMAPFOLDER_LONG,
    IMAPFOLDER_WILDCARD,
};

struct imapfolder {
    char name[IMAPFOLDER_NAME_MAX + 1]; /* on the wire, INBOX in capitals */
    char path[IMAPFOLDER_PATH_MAX + 1]; /* "Maildir" or "Maildir/.Work.2026" */
};

/* Checks a name in modified UTF-7 and fills `folder`. */
enum imapfolder_fault imapfolder_check(struct slice name, struct imapfolder *folder);
/* The same for a name that shall be created: no wildcards, one '/' at the end is taken off. */
enum imapfolder_fault imapfolder_check_new(struct slice name, struct imapfolder *folder);
/* imapfolder_check for who wants no reason. */
bool imapfolder_named(struct slice name, struct imapfolder *folder);
/* From the file name of a folder, ".Work.2026". False for what is no folder of ours. */
bool imapfolder_from_disk(struct slice file_name, struct imapfolder *folder);

bool imapfolder_is_inbox(const struct imapfolder *folder);
/* Is `name` the folder itself or one below it? */
bool imapfolder_is_within(struct slice name, struct slice above);
/* The name above; false at the top. */
bool imapfolder_parent(struct slice name, struct slice *parent);

/* LIST's patterns: '*' any run of bytes, '%' any run without '/'. INBOX in any case. Both in UTF-8,
 * or both in modified UTF-7. */
bool imapfolder_matches(struct slice pattern, struct slice name);

#endif
