/* launch - see launch.h */
#include "launch.h"

#include "exits.h"
#include "io.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors of the started program, and where the child keeps what it needs until exec. */
enum {
    CHILD_FREE_FD = 3,
    CHILD_REPORT_FD = 4,
    CHILD_MAIL_FD = 5,
    CHILD_DOMAIN_FD = 6,
    CHILD_SAFE_FD = 10,
};

/* What the child writes on the report: READY alone, or a failure as one whole struct. */
static const char ready_mark = 'R';
struct failure {
    char mark;
    char step[sizeof((struct launch_report *)NULL)->step];
    int error;
};

/* ---- in the child -----------------------------------------------------------------------------
 */

static _Noreturn void fail(const char *step)
{
    struct failure failure = {.mark = 'F', .error = errno};
    snprintf(failure.step, sizeof failure.step, "%s", step);
    ssize_t written = write(CHILD_REPORT_FD, &failure, sizeof failure);
    (void)written; /* without the report's READY the parent takes it for a failure anyway */
    _exit(EXIT_PASSING);
}

/* Moves a descriptor out of the way of those that get fixed numbers. */
static int moved_away(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, CHILD_SAFE_FD);
    if (moved < 0)
        _exit(EXIT_PASSING);
    return moved;
}

static void place(int fd, int wanted, bool only_until_exec)
{
    if (dup3(fd, wanted, only_until_exec ? O_CLOEXEC : 0) < 0)
        _exit(EXIT_PASSING);
}

/* 0 is what it works for, 1 and 2 go to the log. All else that spawnd has is closed: sockets, pending
 * requests, other reports. */
static void arrange_descriptors(const struct launch *launch, int report)
{
    int work = moved_away(launch->fd);
    int mail = moved_away(launch->mail);
    place(moved_away(report), CHILD_REPORT_FD, true);
    place(mail, CHILD_MAIL_FD, true);
    place(work, STDIN_FILENO, false);
    place(STDERR_FILENO, STDOUT_FILENO, false);
    if (close(CHILD_FREE_FD) < 0 && errno != EBADF)
        fail("close descriptors");
    if (close_range(CHILD_DOMAIN_FD, UINT_MAX, 0) < 0)
        fail("close descriptors");
}

/* A folder in mail/ that is still root's was just made, or by a child that died before it gave it
 * away. Its name is on disk first: mail is delivered into it and forgotten elsewhere. */
static void give_domain_folder(int folder, uid_t uid)
{
    int mail = openat(CHILD_MAIL_FD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mail < 0 || fsync(mail) < 0)
        fail("sync mail");
    io_close(&mail);
    if (fchownat(folder, "", uid, uid, AT_EMPTY_PATH) < 0)
        fail("give mail/DOMAIN to its uid");
}

/* Makes mail/DOMAIN for its uid, as root, and holds it. mail/ is root's own, so nobody can put
 * something else in place of the name meanwhile; what is there but is not a folder of this uid is
 * refused, and a link is not followed. Root does not enter it. */
static void hold_domain_folder(const struct launch *launch)
{
    const char *domain = launch->request->domain;
    struct stat info;
    if (mkdirat(CHILD_MAIL_FD, domain, 0700) < 0 && errno != EEXIST)
        fail("make mail/DOMAIN");
    int folder = openat(CHILD_MAIL_FD, domain, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        fail("open mail/DOMAIN");
    if (fstat(folder, &info) < 0)
        fail("look at mail/DOMAIN");
    if (info.st_uid == 0) {
        give_domain_folder(folder, launch->uid);
    } else if (info.st_uid != launch->uid) {
        errno = EPERM;
        fail("use mail/DOMAIN, which is not the domain's own");
    }
    if (folder != CHILD_DOMAIN_FD && dup3(folder, CHILD_DOMAIN_FD, O_CLOEXEC) < 0)
        fail("hold mail/DOMAIN");
}

static void reset_signals(void)
{
    signal(SIGPIPE, SIG_DFL);
    loop_unblock_signals();
}

static _Noreturn void run(const struct program_request *request)
{
    char path[PATH_MAX];
    char name[PROGRAM_ARGUMENT_SIZE];
    char arguments[PROGRAM_ARGUMENTS_MAX][PROGRAM_ARGUMENT_SIZE];
    char *argv[PROGRAM_ARGUMENTS_MAX + 2] = {name};
    char search[] = "PATH=/usr/bin:/bin";
    char *environment[] = {search, NULL};
    snprintf(name, sizeof name, "%s", request->program->name);
    memcpy(arguments, request->arguments, sizeof arguments);
    for (size_t i = 0; i < request->argument_count; i++)
        argv[i + 1] = arguments[i];
    int size = snprintf(path, sizeof path, "%s/bin/%s", life_root(), request->program->name);
    if (size < 0 || (size_t)size >= sizeof path) {
        errno = ENAMETOOLONG;
        fail("name the program");
    }
    if (write(CHILD_REPORT_FD, &ready_mark, 1) != 1)
        _exit(EXIT_PASSING);
    execve(path, argv, environment);
    fail("execute the program");
}

static _Noreturn void become(const struct launch *launch, int report)
{
    const struct program *program = launch->request->program;
    bool in_mail = program->place != PROGRAM_IN_ROOT;
    arrange_descriptors(launch, report);
    reset_signals();
    life_limit(&program->limits);
    if (in_mail) {
        hold_domain_folder(launch); /* root's last act */
        life_drop_to_uid(launch->uid);
        if (fchdir(CHILD_DOMAIN_FD) < 0)
            fail("enter mail/DOMAIN");
    } else {
        life_drop(program->role, true, NULL);
    }
    run(launch->request);
}

/* ---- in the parent ----------------------------------------------------------------------------
 */

pid_t launch_start(const struct launch *launch, int *report)
{
    int ends[2];
    *report = -1;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        become(launch, ends[1]);
    io_close(&ends[1]);
    if (pid < 0)
        io_close(&ends[0]);
    *report = ends[0];
    return pid;
}

bool launch_read_report(int fd, struct launch_report *report)
{
    char bytes[1 + sizeof(struct failure)];
    for (;;) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return false;
        if (got <= 0)
            return true;
        struct slice rest = slice_of(bytes, (size_t)got);
        if (rest.data[0] == ready_mark) {
            report->state = LAUNCH_READY;
            rest = slice_from(rest, 1);
        }
        if (rest.size == sizeof(struct failure)) {
            struct failure failure;
            memcpy(&failure, rest.data, sizeof failure);
            report->state = LAUNCH_FAILED;
            report->error = failure.error;
            snprintf(report->step, sizeof report->step, "%.*s", (int)sizeof failure.step - 1,
                     failure.step);
        }
    }
}
