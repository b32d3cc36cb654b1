/*
 * tempfolder - a worker's temporary folder, in which libclamav unpacks
 */
#ifndef SCAN_TEMPFOLDER_H
#define SCAN_TEMPFOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define TEMPFOLDER_BASE "run/scand/tmp"

enum {
    TEMPFOLDER_PATH_MAX = 64,
    /* What must be free beside twice the message's size before a scan begins. */
    TEMPFOLDER_SPARE_BYTES = 16777216,
    TEMPFOLDER_SPARE_FILES = 256,
};

/* "run/scand/tmp/PID" */
void tempfolder_name(pid_t pid, char path[TEMPFOLDER_PATH_MAX]);
/* Makes TEMPFOLDER_BASE for `owner`; as root, before the drop. */
bool tempfolder_make_base(uid_t owner);
bool tempfolder_make(const char *path);
/* Removes the folder with all that is in it. */
bool tempfolder_remove(const char *path);
/* Removes the folders of processes that are gone. */
void tempfolder_remove_stale(void);

/* Can a file be written, and is there room for what a message of that size unpacks to? False with
 * errno. libclamav would answer "clean". */
bool tempfolder_is_usable(const char *path, uint64_t message_size);

#endif
