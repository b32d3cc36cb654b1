/*
 * controlroot - a temporary ROOT with control files as the current folder, and runs that read and compile
 * them as cdb and mailctl do
 */
#ifndef T_UNIT_ADMIN_CONTROLROOT_H
#define T_UNIT_ADMIN_CONTROLROOT_H

#include "unit.h"

#include "io.h"
#include "rebuild.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char controlroot_old[PATH_MAX];
static char controlroot_path[PATH_MAX];
static int root = -1, control = -1;

/* With the folders above it. */
static inline void write_file(const char *path, const char *content)
{
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    for (char *slash = strchr(parent, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(parent, 0755);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The first thing of a set-up: makes ROOT and goes there. */
static inline bool controlroot_enter(void)
{
    snprintf(controlroot_path, sizeof controlroot_path, "/tmp/test-control-XXXXXX");
    if (!getcwd(controlroot_old, sizeof controlroot_old) || !mkdtemp(controlroot_path) ||
        chdir(controlroot_path) < 0)
        return false;
    write_file("control/me", "mail.example.jp\n");
    root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    control = open("control", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return root >= 0 && control >= 0;
}

static inline int controlroot_remove_one(const char *path, const struct stat *info, int kind,
                                         struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline int controlroot_leave(void **state)
{
    (void)state;
    io_close(&root);
    io_close(&control);
    return chdir(controlroot_old) +
           nftw(controlroot_path, controlroot_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- one run of a program: files are read, perhaps changed, and compiled ----------------------- */

struct run {
    struct sources sources;
    struct findings findings;
};

static inline void begin(struct run *run)
{
    sources_init(&run->sources, control);
    findings_init(&run->findings);
}

/* One domain, or (NULL) all. */
static inline enum rebuild_result compile(struct run *run, const char *name)
{
    return rebuild(root, &run->sources, &name, name ? 1 : 0, &run->findings);
}

static inline bool has(const struct str *text, const char *part)
{
    return text->data && memmem(text->data, text->size, part, strlen(part));
}

static inline bool has_error(const struct run *run, const char *part)
{
    return has(&run->findings.errors, part);
}

static inline void end(struct run *run)
{
    findings_free(&run->findings);
    sources_free(&run->sources);
}

/* It goes well. */
static inline void compile_well(const char *name)
{
    struct run run;
    begin(&run);
    if (compile(&run, name) != REBUILD_DONE)
        fail_msg("%s", str_text(&run.findings.errors));
    end(&run);
}

#endif
