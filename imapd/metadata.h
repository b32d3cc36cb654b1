/*
 * metadata - the annotations of a mailbox, or of the account (RFC 5464), in a small file
 *
 * A mailbox's lie in its folder, "mailbox-metadata": so they go with it when it is renamed, and
 * vanish with it. Those of the "server" (mailbox name "") lie in Maildir/server-metadata: nobody
 * but this account sees them. An entry is "NAME SIZE", a line end, the value of SIZE bytes and a
 * line end. The file is replaced in one step, under flock on its folder.
 */
#ifndef IMAPD_METADATA_H
#define IMAPD_METADATA_H

#include "imapfolder.h"
#include "str.h"

enum {
    METADATA_VALUE_MAX = 65536,  /* bytes; [METADATA MAXSIZE 65536] */
    METADATA_ENTRIES_MAX = 128,  /* of a mailbox; [METADATA TOOMANY] */
    METADATA_FILE_MAX = 1048576, /* bytes; [METADATA TOOMANY] */
};

struct metadata_entry {
    struct slice name, value; /* name in lower case */
};

struct metadata {
    struct str content; /* what the entries point into */
    struct metadata_entry entries[METADATA_ENTRIES_MAX];
    size_t count;
};

/* Reads entries out of the file's content, up to the first that makes no sense. */
void metadata_parse(struct slice content, struct metadata *metadata);
bool metadata_format(const struct metadata *metadata, struct str *content);
/* The value; NULL: there is no such entry. */
const struct slice *metadata_find(const struct metadata *metadata, struct slice name);
/* Sets an entry to a value that outlives `metadata`, or removes it (NULL). False: too many. */
bool metadata_set(struct metadata *metadata, struct slice name, const struct slice *value);

/* Reads a mailbox's annotations, or the server's (`folder` NULL); none is an empty list. False with
 * errno; ENOENT: no such mailbox is found out only where `folder` is looked at, by the caller. */
bool metadata_load(const struct imapfolder *folder, struct metadata *metadata);
void metadata_free(struct metadata *metadata);
/* The same, locked, for a change. The descriptor of the folder, -1 with errno (ENOENT: no such
 * mailbox). */
int metadata_lock(const struct imapfolder *folder, struct metadata *metadata);
bool metadata_store(int lock, const struct imapfolder *folder, const struct metadata *metadata);
void metadata_unlock(int *lock);

#endif
