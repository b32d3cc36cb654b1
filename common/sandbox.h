/*
 * sandbox - what a process may still do: system calls (seccomp) and files (Landlock)
 *
 * Entered once, after the drop to the final uid (life.h), before the first byte of a stranger is
 * read. A call that was not granted fails with EPERM and changes nothing. A kernel without
 * Landlock is tolerated (the uid and the file modes still hold); one without seccomp is not.
 * Builds with sanitizers leave seccomp out, since the sanitizers need calls of their own.
 *
 * Always granted: descriptors one has (read, write, poll, pass on, close), memory, time, exit.
 */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include <stdbool.h>

enum sandbox_grant {
    SANDBOX_NOTHING = 0,
    SANDBOX_READ_FILES = 1 << 0,  /* open for reading, stat, list: below read_paths */
    SANDBOX_WRITE_FILES = 1 << 1, /* create, rename, link, remove, sync: below write_paths */
    SANDBOX_UNIX = 1 << 2,        /* connect to the suite's sockets */
    SANDBOX_NETWORK = 1 << 3,     /* connect to the internet, ask the DNS */
    SANDBOX_FORK = 1 << 4,        /* fork (not exec), wait, signal own children */
    SANDBOX_TIGHTEN = 1 << 5,     /* enter a second, tighter sandbox (a child, mostly) */
    SANDBOX_TEMPLATE = 1 << 6, /* make copies of itself for its parent (template.h), and end that */
    SANDBOX_NARROW = 1 << 7,   /* Landlock not yet, but by sandbox_narrow */
};

enum { SANDBOX_PATHS_MAX = 8 };

struct sandbox {
    unsigned grants;
    /* NULL-ended; relative to the current folder. A path that does not exist is skipped.
     * "." of a write path covers the current folder. */
    const char *read_paths[SANDBOX_PATHS_MAX];
    const char *write_paths[SANDBOX_PATHS_MAX];
};

/* Ends the process with a message when it can't be entered. */
void sandbox_enter(const struct sandbox *sandbox);
/* The Landlock half of a sandbox with SANDBOX_NARROW, in a copy of who entered it: its paths are those
 * of the folder that is the current one now. One layer, since each makes renames and links a tenth
 * slower. Ends the process, too. */
void sandbox_narrow(const struct sandbox *sandbox);

#endif
