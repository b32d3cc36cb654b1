/* sandbox - see sandbox.h: seccomp-bpf and Landlock */
#include "sandbox.h"

#include "io.h"
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "sandbox: name this machine's AUDIT_ARCH here"
#endif

/* A system call and the grant it needs; SANDBOX_NOTHING means always. */
struct rule {
    uint32_t call;
    unsigned grant;
};

static const struct rule rules[] = {
    /* descriptors one has */
    {SYS_read, 0},
    {SYS_readv, 0},
    {SYS_write, 0},
    {SYS_writev, 0},
    {SYS_pread64, 0},
    {SYS_pwrite64, 0},
    {SYS_lseek, 0},
    {SYS_close, 0},
    {SYS_fstat, 0},
    {SYS_newfstatat, 0}, /* glibc's fstat; for paths Landlock and modes decide */
    {SYS_fcntl, 0},
    {SYS_dup, 0},
    {SYS_dup3, 0},
    {SYS_pipe2, 0},
    {SYS_socketpair, 0},
    {SYS_sendmsg, 0},
    {SYS_recvmsg, 0},
    {SYS_sendto, 0},
    {SYS_recvfrom, 0},
    {SYS_shutdown, 0},
    {SYS_accept4, 0},
    {SYS_getsockopt, 0},
    {SYS_setsockopt, 0},
    {SYS_getsockname, 0},
    {SYS_getpeername, 0},
    {SYS_sendfile, 0},
    {SYS_ppoll, 0},
    {SYS_pselect6, 0},
    {SYS_epoll_create1, 0},
    {SYS_epoll_ctl, 0},
    {SYS_epoll_pwait, 0},
    {SYS_eventfd2, 0},
    {SYS_signalfd4, 0},
#ifdef SYS_poll /* calls that newer machines don't have */
    {SYS_poll, 0},
    {SYS_epoll_wait, 0},
    {SYS_dup2, 0},
    {SYS_getpgrp, 0},
    {SYS_time, 0},
#endif
    /* memory, time, itself */
    {SYS_mmap, 0},
    {SYS_munmap, 0},
    {SYS_mremap, 0},
    {SYS_mprotect, 0},
    {SYS_madvise, 0},
    {SYS_brk, 0},
    {SYS_futex, 0},
    {SYS_clock_gettime, 0},
    {SYS_clock_nanosleep, 0},
    {SYS_nanosleep, 0},
    {SYS_gettimeofday, 0},
    {SYS_setitimer, 0},
    {SYS_getrandom, 0},
    {SYS_getpid, 0},
    {SYS_gettid, 0},
    {SYS_getppid, 0},
    {SYS_getuid, 0},
    {SYS_geteuid, 0},
    {SYS_getgid, 0},
    {SYS_getegid, 0},
    {SYS_uname, 0},
    {SYS_sysinfo, 0},
    {SYS_rt_sigaction, 0},
    {SYS_rt_sigprocmask, 0},
    {SYS_rt_sigreturn, 0},
    {SYS_restart_syscall, 0},
    {SYS_tgkill, 0}, /* abort */
    {SYS_exit, 0},
    {SYS_exit_group, 0},
    /* files */
    {SYS_openat, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_statx, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_statfs, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_fstatfs, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_faccessat, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_readlinkat, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_getdents64, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_getcwd, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_chdir, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_fchdir, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_flock, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_fadvise64, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_inotify_init1, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_inotify_add_watch, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_inotify_rm_watch, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_fsync, SANDBOX_WRITE_FILES},
    {SYS_fdatasync, SANDBOX_WRITE_FILES},
    {SYS_sync_file_range, SANDBOX_WRITE_FILES},
    {SYS_ftruncate, SANDBOX_WRITE_FILES},
    {SYS_fallocate, SANDBOX_WRITE_FILES},
    {SYS_fchmod, SANDBOX_WRITE_FILES},
    {SYS_fchown, SANDBOX_WRITE_FILES},
    {SYS_copy_file_range, SANDBOX_WRITE_FILES},
    {SYS_unlinkat, SANDBOX_WRITE_FILES},
    {SYS_renameat, SANDBOX_WRITE_FILES},
    {SYS_renameat2, SANDBOX_WRITE_FILES},
    {SYS_linkat, SANDBOX_WRITE_FILES},
    {SYS_mkdirat, SANDBOX_WRITE_FILES},
    {SYS_utimensat, SANDBOX_WRITE_FILES},
    {SYS_umask, SANDBOX_WRITE_FILES},
#ifdef SYS_open
    {SYS_open, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_stat, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_lstat, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_access, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_readlink, SANDBOX_READ_FILES | SANDBOX_WRITE_FILES},
    {SYS_unlink, SANDBOX_WRITE_FILES},
    {SYS_rename, SANDBOX_WRITE_FILES},
    {SYS_link, SANDBOX_WRITE_FILES},
    {SYS_mkdir, SANDBOX_WRITE_FILES},
    {SYS_rmdir, SANDBOX_WRITE_FILES},
    {SYS_chmod, SANDBOX_WRITE_FILES},
#endif
    /* peers; socket(2) itself is looked at below */
    {SYS_connect, SANDBOX_UNIX | SANDBOX_NETWORK},
    {SYS_bind, SANDBOX_NETWORK},
    {SYS_sendmmsg, SANDBOX_NETWORK}, /* the resolver sends A and AAAA together */
    {SYS_recvmmsg, SANDBOX_NETWORK},
    {SYS_ioctl, SANDBOX_NETWORK}, /* FIONREAD, by the resolver */
    /* children; a new program would need execve, which nobody is granted */
    {SYS_clone, SANDBOX_FORK},
    {SYS_wait4, SANDBOX_FORK},
    {SYS_waitid, SANDBOX_FORK},
    {SYS_kill, SANDBOX_FORK},
    {SYS_set_robust_list, SANDBOX_FORK},
    {SYS_rseq, SANDBOX_FORK},
    /* a filter can only take away; a second Landlock rule set is not made (its calls fail, which
     * counts as "not there"): the first one's holds on. Its own may be all that is to come. */
    {SYS_landlock_create_ruleset, SANDBOX_NARROW},
    {SYS_landlock_add_rule, SANDBOX_NARROW},
    {SYS_landlock_restrict_self, SANDBOX_NARROW},
    {SYS_seccomp, SANDBOX_TIGHTEN},
    {SYS_prctl, SANDBOX_TIGHTEN},
#ifdef SYS_fork
    {SYS_fork, SANDBOX_FORK},
#endif
};

enum { RULE_COUNT = sizeof rules / sizeof *rules, FILTER_FIXED = 32 };

#define LOAD(field)                                                                                \
    (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(what) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, what)
#define SKIP_UNLESS_EQUAL(value, count)                                                            \
    (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count)

/* A call that is allowed with this first argument (its lower 32 bits) and no other. */
static size_t add_first_argument(struct sock_filter *filter, size_t size, uint32_t call,
                                 uint32_t value)
{
    filter[size++] = SKIP_UNLESS_EQUAL(call, 4);
    filter[size++] = LOAD(args[0]);
    filter[size++] = SKIP_UNLESS_EQUAL(value, 1);
    filter[size++] = ANSWER(SECCOMP_RET_ALLOW);
    filter[size++] = ANSWER(SECCOMP_RET_ERRNO | EPERM);
    return size;
}

/* socket(family, ...): no network without the grant. */
static size_t add_socket_rule(struct sock_filter *filter, size_t size, unsigned grants)
{
    if (grants & SANDBOX_NETWORK) {
        filter[size++] = SKIP_UNLESS_EQUAL(SYS_socket, 1);
        filter[size++] = ANSWER(SECCOMP_RET_ALLOW);
        return size;
    }
    return grants & SANDBOX_UNIX ? add_first_argument(filter, size, SYS_socket, AF_UNIX) : size;
}

/* A plain copy of the whole process, no thread and no namespace, and limits of its own. */
static size_t add_template_rules(struct sock_filter *filter, size_t size, unsigned grants)
{
    if (!(grants & SANDBOX_TEMPLATE))
        return size;
    size = add_first_argument(filter, size, SYS_clone, CLONE_PARENT | SIGCHLD);
    return add_first_argument(filter, size, SYS_prlimit64, 0);
}

static void enter_seccomp(unsigned grants)
{
    struct sock_filter filter[RULE_COUNT * 2 + FILTER_FIXED];
    size_t size = 0;
    filter[size++] = LOAD(arch);
    filter[size++] = SKIP_UNLESS_EQUAL(SANDBOX_ARCHITECTURE, 1);
    filter[size++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1);
    filter[size++] = ANSWER(SECCOMP_RET_KILL_PROCESS);
    filter[size++] = LOAD(nr);
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (rules[i].grant != 0 && !(rules[i].grant & grants))
            continue;
        filter[size++] = SKIP_UNLESS_EQUAL(rules[i].call, 1);
        filter[size++] = ANSWER(SECCOMP_RET_ALLOW);
    }
#ifdef SYS_clone3
    /* glibc tries clone3 first and takes clone on ENOSYS; its flags can't be seen by a filter. */
    filter[size++] = SKIP_UNLESS_EQUAL(SYS_clone3, 1);
    filter[size++] = ANSWER(SECCOMP_RET_ERRNO | ENOSYS);
#endif
    size = add_socket_rule(filter, size, grants);
    size = add_template_rules(filter, size, grants);
    filter[size++] = ANSWER(SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = {.len = (unsigned short)size, .filter = filter};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        life_die_passing("enter", "seccomp sandbox");
}

static const uint64_t landlock_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t landlock_write =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG;
static const uint64_t landlock_first_version =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM;

static void allow_paths(int ruleset, const char *const paths[], uint64_t access)
{
    for (size_t i = 0; i < SANDBOX_PATHS_MAX && paths[i]; i++) {
        int fd = open(paths[i], O_PATH | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        struct stat info;
        if (fd < 0 || fstat(fd, &info) < 0)
            life_die_passing("open for the sandbox", paths[i]);
        struct landlock_path_beneath_attr rule = {.parent_fd = fd, .allowed_access = access};
        if (!S_ISDIR(info.st_mode)) /* rights on folders make no sense on a file */
            rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
        if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
            life_die_passing("allow in the sandbox", paths[i]);
        io_close(&fd);
    }
}

/* For each rename or link between two folders the kernel goes up from both till rules grant all that
 * is handled, or else to the root, and looks at each right, and that for each layer of rules: a third
 * of what a COPY of many messages costs. So of who works in mailboxes only what its folder is granted is handled. The rest (programs,
 * devices, sockets, symbolic links) is out of reach all the same: seccomp lets no call through that
 * it takes. */
static uint64_t rights_to_handle(const struct sandbox *sandbox)
{
    bool is_left_to_seccomp =
        sandbox->grants & SANDBOX_NARROW && !(sandbox->grants & SANDBOX_NETWORK);
    return is_left_to_seccomp ? landlock_read | landlock_write : landlock_first_version;
}

static void enter_landlock(const struct sandbox *sandbox)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return;
    struct landlock_ruleset_attr rules_wanted = {.handled_access_fs = rights_to_handle(sandbox)};
    uint64_t write = landlock_read | landlock_write;
    if (version >= 2) { /* renames and links between folders */
        rules_wanted.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
        write |= LANDLOCK_ACCESS_FS_REFER;
    }
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules_wanted, sizeof rules_wanted, 0);
    if (ruleset < 0)
        life_die_passing("make", "Landlock rules");
    allow_paths(ruleset, sandbox->read_paths, landlock_read);
    allow_paths(ruleset, sandbox->write_paths, write);
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        life_die_passing("enter", "Landlock sandbox");
    io_close(&ruleset);
}

#ifdef MAIL_SUITE_SANITIZER
/* LeakSanitizer looks at memory by ptrace, which the confined can't: asked at exit. */
static int is_confined;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return is_confined;
}
#endif

void sandbox_enter(const struct sandbox *sandbox)
{
#ifdef MAIL_SUITE_SANITIZER
    is_confined = 1;
#endif
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        life_die_passing("set", "no_new_privs");
    if (!(sandbox->grants & SANDBOX_NARROW))
        enter_landlock(sandbox);
#if !defined(__SANITIZE_ADDRESS__) && !defined(MAIL_SUITE_SANITIZER)
    enter_seccomp(sandbox->grants);
#else
    (void)enter_seccomp;
#endif
}

void sandbox_narrow(const struct sandbox *sandbox)
{
    enter_landlock(sandbox);
}
