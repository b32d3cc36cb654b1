/*
 * accountfolder - an account's empty folder as the current one, as setup and teardown of a test
 */
#ifndef T_UNIT_ACCOUNTFOLDER_H
#define T_UNIT_ACCOUNTFOLDER_H

#include "unit.h"

#include "foldertree.h"
#include "io.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ACCOUNT_PATH_MAX = 64 };

static char account_path[ACCOUNT_PATH_MAX];

/* As before the first mail. */
static inline int account_make_bare(void **state)
{
    (void)state;
    snprintf(account_path, sizeof account_path, "/tmp/test_account.XXXXXX");
    return mkdtemp(account_path) && chdir(account_path) == 0 ? 0 : -1;
}

/* As after the first log-in. */
static inline int account_make(void **state)
{
    return account_make_bare(state) == 0 && foldertree_prepare() ? 0 : -1;
}

static inline int account_remove_entry(const char *path, const struct stat *info, int kind,
                                       struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline int account_remove(void **state)
{
    (void)state;
    return chdir("/") < 0 || nftw(account_path, account_remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0;
}

static inline void account_write_file(const char *path, struct slice content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && io_write_all(fd, content, INT64_MAX));
    io_close(&fd);
}

#endif
