/* strengthen - see strengthen.h */
#include "strengthen.h"

#include "clock.h"
#include "io.h"
#include "log.h"
#include "passwordpool.h"
#include "rehash.h"
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_FOLDER "log/mailctl"
#define LOG_FILE   LOG_FOLDER "/current"
#define LOG_OLD    LOG_FOLDER "/old"

enum {
    /* Who logs in goes first: a tenth of a processor's time is left to it then. */
    NICE_COMPUTING = 10,
    /* Rebuilding everything takes seconds; who types a password lets the lock go. */
    LOCK_WAIT_MS = 300000,
    /* Somebody who edits by hand, or a full disk, may have been in the way. */
    TRIES = 6,
    TRY_AGAIN_MS = 10000,
    LOG_FILE_MAX = 1000000,
    TIME_MAX = 32,
};

/* ---- what is to be done ---- */

bool strengthen_begin(struct strengthen *work, const char *domain, size_t room, size_t size)
{
    *work = (struct strengthen){.of = calloc(room + 1, sizeof *work->of), .room = room};
    return work->of && slice_copy_text(slice_text(domain), work->domain, sizeof work->domain) &&
           vault_open(&work->vault, size);
}

bool strengthen_add(struct strengthen *work, const char *local, struct slice secret,
                    struct slice quick)
{
    struct strengthen_account *account = &work->of[work->count];
    if (work->count == work->room ||
        !slice_copy_text(slice_text(local), account->local, sizeof account->local) ||
        !vault_keep(&work->vault, secret, &account->secret) ||
        !vault_keep(&work->vault, quick, &account->quick))
        return false;
    work->count++;
    return true;
}

void strengthen_end(struct strengthen *work)
{
    vault_close(&work->vault);
    free(work->of);
    *work = (struct strengthen){0};
}

/* ---- computing ---- */

/* What every account has at the end. */
struct result {
    struct rehash *of;
    char (*hashes)[PASSWORD_HASH_MAX];
};

static void result_free(struct result *result)
{
    free(result->of);
    free(result->hashes);
    *result = (struct result){0};
}

static bool hash_all(const struct strengthen *work, struct result *result)
{
    struct passwordpool_job *jobs = calloc(work->count + 1, sizeof *jobs);
    result->hashes = calloc(work->count + 1, sizeof *result->hashes);
    bool done = jobs && result->hashes;
    for (size_t i = 0; done && i < work->count; i++)
        jobs[i] =
            (struct passwordpool_job){.secret = work->of[i].secret, .hash = result->hashes[i]};
    done = done && passwordpool_hash(jobs, work->count, PASSWORD_FULL);
    free(jobs);
    return done;
}

static bool compute(const struct strengthen *work, struct result *result)
{
    result->of = calloc(work->count + 1, sizeof *result->of);
    if (!result->of || !hash_all(work, result))
        return false;
    for (size_t i = 0; i < work->count; i++) {
        memcpy(result->of[i].local, work->of[i].local, sizeof result->of[i].local);
        result->of[i].was = work->of[i].quick;
        result->of[i].now = slice_text(result->hashes[i]);
    }
    rehash_sort(result->of, work->count);
    return true;
}

/* ---- changing ---- */

static int replace(struct commandline *command, const struct strengthen *work,
                   const struct result *result, size_t *done)
{
    struct textfile users;
    struct str fresh;
    if (!textfile_read(&users, command, work->domain, "users"))
        return EXIT_PASSING;
    str_init(&fresh, SOURCES_FILE_MAX);
    bool good = rehash_users(result->of, work->count, str_slice(&users.text), &fresh, done) &&
                (*done == 0 || sources_change(&command->sources, users.path, str_slice(&fresh)));
    str_free(&fresh);
    textfile_free(&users);
    if (!good)
        return commandline_trouble(command, "find", "memory");
    /* All others have gone, or got another password. */
    return *done == 0 ? EXIT_DONE : commandline_rebuild(command, work->domain);
}

static int lock_and_replace(struct commandline *command, const struct strengthen *work,
                            const struct result *result, size_t *done)
{
    if (!sources_lock(&command->sources, LOCK_WAIT_MS) || !sources_watch(&command->sources))
        return commandline_trouble(command, "lock", "control/.lock");
    return replace(command, work, result, done);
}

/* One try; the current folder is ROOT. */
static int change(const struct strengthen *work, const struct result *result, size_t *done)
{
    struct commandline command = {.here = -1, .sources.lock = -1};
    command.root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    command.folder = open("control", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    findings_init(&command.findings);
    sources_init(&command.sources, command.folder);
    int code = command.root < 0 || command.folder < 0
                   ? commandline_trouble(&command, "open", "control")
                   : lock_and_replace(&command, work, result, done);
    sources_free(&command.sources);
    findings_free(&command.findings);
    io_close(&command.folder);
    io_close(&command.root);
    return code;
}

static int change_patiently(const struct strengthen *work, const struct result *result,
                            size_t *done)
{
    int code = change(work, result, done);
    for (int i = 1; i < TRIES && code != EXIT_DONE; i++) {
        (void)poll(NULL, 0, TRY_AGAIN_MS);
        code = change(work, result, done);
    }
    return code;
}

/* ---- the log ---- */

/* As in the services' logs, where the logger puts it in front. */
static void log_time(struct log_line *line)
{
    char text[TIME_MAX] = "";
    struct tm parts;
    time_t now = time(NULL);
    if (localtime_r(&now, &parts) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &parts) > 0)
        log_text(line, "time", text);
}

static void log_begun(const struct strengthen *work)
{
    struct log_line line;
    log_begin(&line, "strengthening");
    log_time(&line);
    log_text(&line, "domain", work->domain);
    log_number(&line, "passwords", (int64_t)work->count);
    log_end(&line);
}

static void log_done(const struct strengthen *work, size_t done, int64_t started)
{
    struct log_line line;
    log_begin(&line, "strengthened");
    log_time(&line);
    log_text(&line, "domain", work->domain);
    log_number(&line, "passwords", (int64_t)done);
    log_number(&line, "left-alone", (int64_t)(work->count - done));
    log_number(&line, "ms", clock_ms() - started);
    log_end(&line);
}

static void log_failed(const struct strengthen *work, int error)
{
    struct log_line line;
    log_begin(&line, "trouble");
    log_time(&line);
    log_text(&line, "action", "give passwords their hashes at full strength");
    log_text(&line, "object", work->domain);
    if (error != 0)
        log_text(&line, "cause", strerror(error));
    log_text(&line, "remedy",
             "they work by quick ones; see mailctl user list, and set them again by mailctl csv "
             "edit --wait or user passwd");
    log_end(&line);
}

/* ---- the process ---- */

/* Two files, of which the older goes. */
static int open_log(void)
{
    struct stat info;
    (void)!mkdir(LOG_FOLDER, 0750);
    if (lstat(LOG_FILE, &info) == 0 && info.st_size > LOG_FILE_MAX)
        (void)!rename(LOG_FILE, LOG_OLD);
    return open(LOG_FILE, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
}

/* One of these processes computes at a time: however many files come, the work takes the memory of one,
 * and no more of the processors. The lock goes with the process. */
static void wait_turn(void)
{
    int turn = open(LOG_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    while (turn >= 0 && flock(turn, LOCK_EX) < 0 && errno == EINTR)
        continue;
}

/* Nothing of the caller's stays open: whoever reads a pipe of it till the end has not to wait, and
 * locks of scripts go with the scripts. */
static void detach(void)
{
    (void)setsid();
    (void)close_range(0, UINT_MAX, 0);
    (void)open("/dev/null", O_RDWR);
    (void)dup2(STDIN_FILENO, STDOUT_FILENO);
    (void)dup2(STDIN_FILENO, STDERR_FILENO);
    int log = open_log();
    if (log >= 0) {
        (void)dup2(log, STDERR_FILENO);
        (void)close(log);
    }
    (void)prctl(PR_SET_NAME, "mailctl-hash");
    (void)prctl(PR_SET_DUMPABLE, 0);
}

static int work_through(const struct strengthen *work)
{
    struct result result = {0};
    int64_t started = clock_ms();
    size_t done = 0;
    int before = getpriority(PRIO_PROCESS, 0);
    log_begun(work);
    if (before < NICE_COMPUTING)
        (void)setpriority(PRIO_PROCESS, 0, NICE_COMPUTING);
    int code = compute(work, &result) ? EXIT_DONE : EXIT_PASSING;
    int error = errno;
    /* Nobody has to wait for a lock that one has who is not let run. */
    (void)setpriority(PRIO_PROCESS, 0, before);
    if (code == EXIT_DONE) {
        error = 0; /* told already */
        code = change_patiently(work, &result, &done);
    }
    if (code == EXIT_DONE)
        log_done(work, done, started);
    else
        log_failed(work, error);
    result_free(&result);
    return code;
}

pid_t strengthen_start(struct strengthen *work)
{
    pid_t child = fork();
    if (child > 0)
        return child;
    if (child < 0) {
        (void)work_through(work);
        return 0;
    }
    vault_hold(&work->vault);
    detach();
    wait_turn();
    int code = work_through(work);
    strengthen_end(work);
    _exit(code);
}
