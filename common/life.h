/*
 * life - the life-cycle that every program of the suite shares
 *
 *     life_begin("smtpd", ...)     find ROOT and go there, name for the log, signals, umask
 *     ... open what needs privilege ...
 *     life_drop(ROLE_SMTPD, ...)   groups, gid, uid, verified; no new privileges
 *     sandbox_enter(...)           what is left may do only what the program needs (sandbox.h)
 *     ... work ...
 *
 * These functions end the process when they fail, with a message: going on would be unsafe.
 */
#ifndef COMMON_LIFE_H
#define COMMON_LIFE_H

#include "roles.h"

#include <stdbool.h>
#include <sys/types.h>

/* Makes ROOT (the folder above the one this binary is in) the current folder, so that every path is
 * "control/me", "run/authd/socket" and so on; sets the log's name, ignores SIGPIPE, umask 077,
 * reads control/uidbase. It and what it starts run as SCHED_BATCH: who is woken waits till the one
 * that works has to wait itself, which saves a quarter of the switches between processes when
 * there is much to do. Closes nothing. Exits 111 when ROOT can't be entered. */
void life_begin(const char *program);

/* The same without entering ROOT: for commands that work in the caller's folder. */
void life_begin_command(const char *program);

/* ROOT as an absolute path, and uidbase; after life_begin. */
const char *life_root(void);
uid_t life_uid(enum role role);
bool life_is_domain_uid(uid_t uid);

/* Gives up root for ever: takes the role's uid and group and, with `directory`, the supplementary
 * group that may read cdb/. Then checks that nothing of root is left, and sets no_new_privs.
 * When not started as root: goes on if the uid is the role's already, else exits 100.
 * `chroot_to` is a folder below ROOT to chroot into, or NULL. */
void life_drop(enum role role, bool directory, const char *chroot_to);
/* The same for a uid that is no role: a domain's. For spawnd, after fork. */
void life_drop_to_uid(uid_t uid);

/* Ceilings that come as a second net below the program's own limits; 0 leaves one alone. */
struct life_limits {
    unsigned long memory_bytes; /* RLIMIT_AS; left alone under sanitizers */
    unsigned long open_files;
    unsigned long file_bytes;
};
void life_limit(const struct life_limits *limits);

/* What the program that starts this one has put into the environment. Not there: EXIT_PERMANENT,
 * and `remedy` says who should have started it. */
const char *life_environment(const char *name, const char *remedy);

/* Ends the program with a message like "smtpd: trouble action=... object=... cause=... remedy=...".
 * EXIT_PASSING, with errno as the cause. */
_Noreturn void life_die_passing(const char *action, const char *object);
/* EXIT_PERMANENT: wrong use or configuration; `remedy` says what to do. */
_Noreturn void life_die_permanent(const char *action, const char *object, const char *remedy);

#endif
