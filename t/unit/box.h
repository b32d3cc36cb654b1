/*
 * box - a folder of a test's own with a Maildir "m" in it, as setup and teardown of a test
 */
#ifndef T_UNIT_BOX_H
#define T_UNIT_BOX_H

#include "unit.h"

#include "io.h"
#include "maildir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

struct box {
    char path[64];
    int fd;
};

static inline int make_box(void **state)
{
    static struct box box;
    snprintf(box.path, sizeof box.path, "/tmp/test_box.XXXXXX");
    if (!mkdtemp(box.path))
        return -1;
    box.fd = open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = &box;
    return box.fd >= 0 && maildir_create(box.fd, "m") ? 0 : -1;
}

static inline int remove_box(void **state)
{
    struct box *box = *state;
    char command[128];
    io_close(&box->fd);
    snprintf(command, sizeof command, "rm -rf '%s'", box->path);
    return system(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_box, remove_box)

#endif
