/* scanworker - see scanworker.h */
#include "scanworker.h"

#include "clock.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "number.h"
#include "sandbox.h"
#include "tempfolder.h"
#include "unixsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    ANSWER_MS = 10000,
    ANSWER_MAX = 1024,
    STATM_MAX = 1024,
    FIRST_MS = 1000,                /* who has just connected is about to ask */
    MEMORY_BYTES_MORE = 2147483647, /* beside the signatures */
    FILE_BYTES_MAX = 1073741824,    /* above libclamav's own limits */
    OPEN_FILES_MAX = 256,
};

/* ---- confinement ---------------------------------------------------------------------------- */

/* Address space in use, the first number of statm; the signatures are most of it. */
static size_t memory_in_use(void)
{
    size_t pages = 0;
    struct str text;
    str_init(&text, STATM_MAX);
    if (io_read_file(AT_FDCWD, "/proc/self/statm", &text)) {
        struct slice rest = str_slice(&text);
        if (!number_parse_size(slice_cut_word(&rest), SIZE_MAX / 65536, &pages))
            pages = 0;
    }
    str_free(&text);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void limit(void)
{
    struct life_limits limits = {.memory_bytes = memory_in_use() + MEMORY_BYTES_MORE,
                                 .open_files = OPEN_FILES_MAX,
                                 .file_bytes = FILE_BYTES_MAX};
    struct rlimit no_processes = {0, 0};
    /* A write beyond the limit is an error that libclamav tells of, not a death. */
    signal(SIGXFSZ, SIG_IGN);
    life_limit(&limits);
    if (setrlimit(RLIMIT_NPROC, &no_processes) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        life_die_passing("limit", "a worker");
}

void scanworker_confine(struct scanworker *worker)
{
    char reason[REASON_MAX];
    tempfolder_name(getpid(), worker->folder);
    if (!tempfolder_make(worker->folder))
        life_die_passing("make", worker->folder);
    if (!engine_set_folder(worker->engine, worker->folder))
        life_die_passing("use", worker->folder);
    limit();
    /* Character set modules are opened by iconv when a message asks for them. */
    struct sandbox sandbox = {.grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES,
                              .read_paths = {"/usr/lib"},
                              .write_paths = {worker->folder}};
    sandbox_enter(&sandbox);
    if (!engine_is_sound(worker->engine, reason)) {
        log_trouble("scan", "a test message", 0, reason);
        exit(EXIT_PASSING);
    }
}

/* ---- one question --------------------------------------------------------------------------- */

/* The default action of SIGALRM ends the process, whatever the library is doing. */
static void set_alarm(unsigned seconds)
{
    struct itimerval timer = {.it_value = {.tv_sec = (time_t)seconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void scan(struct scanworker *worker, const struct question *request, int fd,
                 struct findings *findings)
{
    struct question_map map;
    *findings = (struct findings){0};
    if (!tempfolder_is_usable(worker->folder, request->size)) {
        worker->is_spoilt = errno != ENOSPC;
        snprintf(findings->reason, REASON_MAX, "temporary folder: %s", strerror(errno));
        return;
    }
    if (!question_map(request, fd, &map)) {
        snprintf(findings->reason, REASON_MAX, "queue file: %s", strerror(errno));
        return;
    }
    set_alarm(worker->timeout_s);
    engine_scan(worker->engine, map.message, findings);
    set_alarm(0);
    question_unmap(&map);
}

static void log_judgement(const struct question *request, const struct judgement *judgement,
                          int64_t ms)
{
    struct log_line line;
    if (strcmp(judgement->word, "clean") == 0 && judgement->text[0] == '\0')
        return;
    log_begin(&line, judgement->word);
    log_text(&line, "id", request->id);
    log_value(&line, "text", slice_trim(slice_text(judgement->text)));
    log_number(&line, "size", (int64_t)request->size);
    log_number(&line, "ms", ms);
    log_end(&line);
}

static bool answer(struct scanworker *worker, const struct judgement *judgement)
{
    struct str packet;
    str_init(&packet, ANSWER_MAX);
    wire_put_text(&packet, judgement->word);
    wire_put_text(&packet, judgement->text);
    bool sent = !packet.failed && wire_send(worker->peer, str_slice(&packet), NULL, 0,
                                            clock_deadline(ANSWER_MS)) == WIRE_OK;
    str_free(&packet);
    return sent;
}

/* False: the connection is to be closed. */
static bool serve_question(struct scanworker *worker)
{
    struct question request;
    struct findings findings;
    if (!question_parse(&worker->question, &request))
        return false;
    int fd = wire_take_fd(&worker->question, 0);
    int64_t began = clock_ms();
    memcpy(worker->note->id, request.id, sizeof worker->note->id);
    scan(worker, &request, fd, &findings);
    worker->note->id[0] = '\0';
    io_close(&fd);
    worker->scans++;
    struct judgement judgement = judge(&findings, &worker->policy);
    log_judgement(&request, &judgement, clock_ms() - began);
    return answer(worker, &judgement);
}

/* ---- one connection ------------------------------------------------------------------------- */

/* Reads one question if one is there, and answers it. WIRE_TIMEOUT: none is there. */
static enum wire_result take_question(struct scanworker *worker)
{
    enum wire_result result = wire_receive(worker->peer, &worker->question, CLOCK_NEVER);
    worker->has_asked |= result == WIRE_OK;
    if (result == WIRE_OK && !serve_question(worker))
        result = WIRE_BAD;
    return result;
}

/* How long the peer, who has asked nothing yet, may take for its first question. */
static int first_question_wait(const struct scanworker *worker)
{
    return worker->has_asked ? 0 : clock_left(worker->first_by);
}

static void let_go(struct scanworker *worker)
{
    struct pollfd ready = {.fd = worker->peer, .events = POLLIN};
    poll(&ready, 1, first_question_wait(worker));
    shutdown(worker->peer, SHUT_RD);
    while (take_question(worker) == WIRE_OK)
        continue;
    io_close(&worker->peer);
}

static void accept_peer(struct scanworker *worker)
{
    uid_t uid;
    pid_t pid;
    int fd = accept4(worker->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return; /* another worker was faster */
    if (!unixsocket_peer(fd, &uid, &pid) || uid != worker->welcome) {
        io_close(&fd);
        return;
    }
    worker->peer = fd;
    worker->has_asked = false;
    worker->first_by = clock_deadline(FIRST_MS);
}

/* One round. False: it is time to end. */
static bool serve_round(struct scanworker *worker)
{
    if (worker->is_spoilt)
        return false;
    /* Others are looked at when this peer has had its turn. */
    int wait = worker->peer >= 0 ? first_question_wait(worker) : 0;
    struct pollfd ready[] = {{.fd = worker->signals, .events = POLLIN},
                             {.fd = worker->peer, .events = POLLIN},
                             {.fd = wait > 0 ? -1 : worker->listener, .events = POLLIN}};
    if (poll(ready, 3, wait > 0 ? wait : -1) < 0)
        return errno == EINTR;
    if (ready[0].revents || worker->scans >= SCANWORKER_SCANS_MAX)
        return false;
    if (worker->peer >= 0 && ready[1].revents) {
        enum wire_result result = take_question(worker);
        if (result != WIRE_OK && result != WIRE_TIMEOUT)
            io_close(&worker->peer);
        return true;
    }
    /* Idle, and somebody waits. */
    if (ready[2].revents) {
        if (worker->peer >= 0)
            let_go(worker);
        accept_peer(worker);
    }
    return true;
}

bool scanworker_serve(struct scanworker *worker)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    worker->peer = -1;
    worker->scans = 0;
    worker->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    if (worker->signals < 0)
        return false;
    wire_init(&worker->question);
    while (serve_round(worker))
        continue;
    if (worker->peer >= 0)
        let_go(worker);
    wire_free(&worker->question);
    io_close(&worker->signals);
    return !worker->is_spoilt;
}
