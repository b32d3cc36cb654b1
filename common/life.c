/* life - see life.h */
#include "life.h"

#include "control.h"
#include "exits.h"
#include "io.h"
#include "log.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Facts of this process, set once by life_begin. */
static char root[PATH_MAX];
static uid_t uidbase = ROLES_DEFAULT_UIDBASE;

_Noreturn void life_die_passing(const char *action, const char *object)
{
    log_trouble(action, object, errno, NULL);
    exit(EXIT_PASSING);
}

_Noreturn void life_die_permanent(const char *action, const char *object, const char *remedy)
{
    log_trouble(action, object, 0, remedy);
    exit(EXIT_PERMANENT);
}

/* ROOT/bin/PROGRAM -> ROOT */
static void find_root(void)
{
    ssize_t size = readlink("/proc/self/exe", root, sizeof root - 1);
    if (size <= 0)
        life_die_passing("find ROOT from", "/proc/self/exe");
    root[size] = '\0';
    for (int level = 0; level < 2; level++) {
        char *slash = strrchr(root, '/');
        if (!slash)
            life_die_permanent("find ROOT from", root, "install by make setup");
        *slash = '\0';
    }
    if (root[0] == '\0')
        memcpy(root, "/", 2);
}

static void read_uidbase(void)
{
    struct control control;
    uint64_t base = ROLES_DEFAULT_UIDBASE;
    int folder = control_open_root(root);
    if (folder < 0)
        return; /* not installed: only roles' uids would differ, and life_drop checks them */
    control_init(&control, folder);
    if (!control_number(&control, "uidbase", 1000, 4000000000u, ROLES_DEFAULT_UIDBASE, &base))
        life_die_permanent("read", "control/uidbase", control.error);
    uidbase = (uid_t)base;
    io_close(&folder);
}

void life_begin_command(const char *program)
{
    log_init(program);
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    find_root();
    read_uidbase();
}

void life_begin(const char *program)
{
    life_begin_command(program);
    const struct sched_param parameter = {.sched_priority = 0};
    (void)!sched_setscheduler(0, SCHED_BATCH, &parameter); /* without it goes on, slower */
    if (chdir(root) < 0)
        life_die_passing("enter", root);
}

const char *life_root(void)
{
    return root;
}

uid_t life_uid(enum role role)
{
    return uidbase + (uid_t)role;
}

bool life_is_domain_uid(uid_t uid)
{
    return uid >= life_uid(ROLE_FIRST_DOMAIN) && uid <= life_uid(ROLE_LAST_DOMAIN);
}

/* What a hole in the program would look for: any way back. */
static void verify_dropped(uid_t uid)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;
    if (getresuid(&real, &effective, &saved) < 0 ||
        getresgid(&real_group, &effective_group, &saved_group) < 0)
        life_die_passing("verify", "the dropped uid");
    if (real != uid || effective != uid || saved != uid || real_group != uid ||
        effective_group != uid || saved_group != uid || setuid(0) == 0 || setgid(0) == 0)
        life_die_permanent("drop", "root", "do not start this program");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        life_die_passing("set", "no_new_privs");
}

static void change_to(uid_t uid, const gid_t *groups, size_t count)
{
    if (setgroups(count, groups) < 0 || setresgid(uid, uid, uid) < 0 ||
        setresuid(uid, uid, uid) < 0)
        life_die_passing("drop", "root");
    verify_dropped(uid);
}

void life_drop(enum role role, bool directory, const char *chroot_to)
{
    uid_t uid = life_uid(role);
    if (geteuid() != 0) {
        if (geteuid() != uid)
            life_die_permanent("run as", "this uid", "start it as root; it drops by itself");
        verify_dropped(uid);
        return;
    }
    if (chroot_to && (chroot(chroot_to) < 0 || chdir("/") < 0))
        life_die_passing("chroot to", chroot_to);
    gid_t group = life_uid(ROLE_DIRECTORY);
    change_to(uid, &group, directory ? 1 : 0);
}

void life_drop_to_uid(uid_t uid)
{
    if (uid == 0)
        life_die_permanent("drop to", "uid 0", "never");
    change_to(uid, NULL, 0);
}

static void set_limit(__rlimit_resource_t resource, unsigned long value, const char *name)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
    if (value > 0 && setrlimit(resource, &limit) < 0)
        life_die_passing("limit", name);
}

void life_limit(const struct life_limits *limits)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(MAIL_SUITE_SANITIZER)
    set_limit(RLIMIT_AS, limits->memory_bytes, "memory");
#endif
    set_limit(RLIMIT_NOFILE, limits->open_files, "open files");
    set_limit(RLIMIT_FSIZE, limits->file_bytes, "file size");
    set_limit(RLIMIT_CORE, 0, "core files");
}

const char *life_environment(const char *name, const char *remedy)
{
    const char *value = getenv(name);
    if (!value)
        life_die_permanent("find in the environment", name, remedy);
    return value;
}
