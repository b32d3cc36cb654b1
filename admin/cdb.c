/*
 * cdb - compiles the control files into constant databases
 *
 * Runs as     root: it reads password hashes and writes what others may only read
 * Started by  the operator, mailctl's own code, make setup; ends when done
 * Descriptors 2 errors and warnings
 * Reads       control/
 * Writes      cdb/, and makes the folders below mail/ that accounts lack
 * Trusts      nothing it reads: all is checked before anything is written
 * If taken    is root; no stranger's bytes reach it
 * Limits      file 256 MiB, database 4 GiB; waits 30 s for another one that compiles
 * Exits       0 done, 1 refused (all errors are on standard error, nothing was changed), 100 wrong
 *             use, 111 passing trouble
 */
#include "exits.h"
#include "idn.h"
#include "life.h"
#include "log.h"
#include "rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 30000 };

/* NULL-ended, the caller's to free. */
static char **domain_names(char **arguments, int count)
{
    char **names = calloc((size_t)count + 1, sizeof *names);
    if (!names)
        life_die_passing("find", "memory");
    for (int i = 0; i < count; i++) {
        names[i] = malloc(IDN_NAME_MAX + 1);
        if (!names[i])
            life_die_passing("find", "memory");
        if (!idn_to_ascii(slice_text(arguments[i]), names[i]))
            life_die_permanent("rebuild", arguments[i], "give a domain's name, as example.jp");
    }
    return names;
}

static void free_names(char **names)
{
    for (char **name = names; *name; name++)
        free(*name);
    free(names);
}

int main(int argc, char **argv)
{
    struct sources sources;
    struct findings findings;

    life_begin("cdb");
    umask(022);
    if (argc < 2 || strcmp(argv[1], "rebuild") != 0)
        life_die_permanent("understand", argc < 2 ? "" : argv[1], "use: cdb rebuild [DOMAIN...]");
    char **names = domain_names(argv + 2, argc - 2);

    int root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int folder = open("control", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || folder < 0)
        life_die_passing("open", "control");
    sources_init(&sources, folder);
    if (!sources_lock(&sources, LOCK_WAIT_MS))
        life_die_passing("lock", "control/.lock");

    findings_init(&findings);
    enum rebuild_result result =
        rebuild(root, &sources, (const char *const *)names, (size_t)argc - 2, &findings);
    findings_print(&findings, "cdb", STDERR_FILENO);
    if (result == REBUILD_REFUSED)
        log_event("refused", "cause", "the lines above; nothing was changed");
    sources_free(&sources);
    free_names(names);
    return result == REBUILD_DONE      ? EXIT_DONE
           : result == REBUILD_REFUSED ? EXIT_REFUSED
                                       : EXIT_PASSING;
}
