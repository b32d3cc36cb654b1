/*
 * folder - a temporary ROOT for tests of the queue: queue/..., run/..., cdb/
 */
#ifndef T_UNIT_QUEUE_FOLDER_H
#define T_UNIT_QUEUE_FOLDER_H

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline int folder_remove_one(const char *path, const struct stat *info, int type,
                                    struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

/* For cmocka's group set-up: makes the folder and goes there; *state is its path. */
static inline int folder_enter(void **state)
{
    static const char *const folders[] = {
        "queue", "queue/message", "queue/failure", "queue/hold", "queue/broken", "queue/scanned",
        "run",   "run/scand",     "run/spawnd",    "run/inject", "cdb",          "cdb/domain"};
    char *path = strdup("/tmp/test_queue.XXXXXX");
    *state = path;
    if (!path || !mkdtemp(path) || chdir(path) < 0)
        return -1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(folders[i], 0700) < 0)
            return -1;
    return 0;
}

static inline int folder_leave(void **state)
{
    int done = chdir("/") || nftw(*state, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return done;
}

/* Names in a folder but . and .. */
static inline unsigned folder_count(const char *path)
{
    unsigned count = 0;
    DIR *list = opendir(path);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));)
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(list);
    return count;
}

/* Files of queue/message that are being written. */
static inline unsigned draft_count(void)
{
    unsigned count = 0;
    DIR *list = opendir("queue/message");
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));)
        count += entry->d_name[0] == '.' && entry->d_name[1] != '.' && entry->d_name[1] != '\0';
    closedir(list);
    return count;
}

static inline void folder_write(const char *path, const char *text, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    close(fd);
}

#endif
