/*
 * folder - names of mailboxes: on the wire and on disk (Maildir++)
 *
 * On the wire a name is modified UTF-7, its levels are parted by '/'. On disk the levels are parted
 * by '.' as Maildir++ has it: "Work/2026" lies in Maildir/.Work.2026, so a Maildir of Dovecot or
 * Courier keeps its folders. Because '/' and not '.' parts levels toward the client, folders may be
 * called "example.jp" or "v1.2": a '.' of a name is written "&AC4-" on disk, a spelling that
 * modified UTF-7 itself never produces. INBOX, in any case, is Maildir itself.
 */
#ifndef IMAPD_FOLDER_H
#define IMAPD_FOLDER_H

#include "slice.h"

enum {
    FOLDER_DISK_MAX = 240, /* of 255 bytes of a file name: room for marks of our own */
    FOLDER_NAME_MAX = FOLDER_DISK_MAX,
    FOLDER_PATH_MAX = FOLDER_DISK_MAX + 16,
};
#define FOLDER_SEPARATOR '/'
#define FOLDER_ROOT      "Maildir"
#define FOLDER_INBOX     "INBOX"

struct folder {
    char name[FOLDER_NAME_MAX + 1]; /* on the wire, INBOX in capitals */
    char path[FOLDER_PATH_MAX + 1]; /* "Maildir" or "Maildir/.Work.2026" */
};

/* Checks a name as a client gave it and fills `folder`. False: no name that can exist here (empty
 * level, not modified UTF-7, too long). */
bool folder_named(struct slice name, struct folder *folder);
/* The same for a name that shall be created: no wildcards, one '/' at the end is taken off. */
bool folder_named_new(struct slice name, struct folder *folder);
/* From the file name of a folder, ".Work.2026". False for what is no folder of ours. */
bool folder_from_disk(struct slice file_name, struct folder *folder);

bool folder_is_inbox(const struct folder *folder);
/* Is `name` the folder itself or one below it? */
bool folder_is_within(struct slice name, struct slice above);
/* The name above; false at the top. */
bool folder_parent(struct slice name, struct slice *parent);

/* LIST's patterns: '*' any run of bytes, '%' any run without '/'. INBOX in any case. */
bool folder_matches(struct slice pattern, struct slice name);

/* "\Sent" for Sent and so on (RFC 6154); NULL for other names. */
const char *folder_special_use(struct slice name);
/* The folders that every account begins with: the index-th, NULL behind the last. */
const char *folder_standard(size_t index);

#endif
