/*
 * folder - a worker's temporary folder, in which libclamav unpacks
 */
#ifndef SCAN_FOLDER_H
#define SCAN_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FOLDER_BASE "run/scand/tmp"

enum {
    FOLDER_PATH_MAX = 64,
    /* What must be free beside twice the message's size before a scan begins. */
    FOLDER_SPARE_BYTES = 16777216,
    FOLDER_SPARE_FILES = 256,
};

/* "run/scand/tmp/PID" */
void folder_name(pid_t pid, char path[FOLDER_PATH_MAX]);
/* Makes FOLDER_BASE for `owner`; as root, before the drop. */
bool folder_make_base(uid_t owner);
bool folder_make(const char *path);
/* Removes the folder with all that is in it. */
bool folder_remove(const char *path);
/* Removes the folders of processes that are gone. */
void folder_remove_stale(void);

/* Can a file be written, and is there room for what a message of that size unpacks to? False with
 * errno. libclamav would answer "clean". */
bool folder_is_usable(const char *path, uint64_t message_size);

#endif
