/*
 * local - writes messages into the mailboxes of one domain
 *
 * Runs as     the uid of the domain, no groups; sandbox: files below mail/DOMAIN, our sockets,
 *             the tables of iconv
 * Started by  spawnd for queued, in mail/DOMAIN; stays for many deliveries, as long as that folder has its
 *             name
 * Descriptors 0 queued (local/4, usage/1, ARCHITECTURE.md), 2 log; puts copies that are forwarded, and
 *             automatic replies, into run/inject/socket
 * Reads       the tables of iconv, where a forward has a keyword
 * Trusts      queued's word on mailbox and recipient, which may not leave this folder; nothing in
 *             the message
 * If taken    attacker has the mail of this one domain, and the queue files that come in, for
 *             reading; may queue mail as this domain
 * Limits      100 Received fields, no Delivered-To twice: 5.4.6; disk and quota: 4.x
 * Exits       0 queued closed the connection, or mail/DOMAIN is another folder, 100 wrong use, 111 passing trouble
 */
#include "autoreply.h"
#include "clock.h"
#include "exits.h"
#include "forward.h"
#include "io.h"
#include "life.h"
#include "local_delivery.h"
#include "log.h"
#include "sandbox.h"
#include "state.h"
#include "usage.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    QUEUED = STDIN_FILENO,
    ANSWER_MAX = 4096,
    TASKS_MAX = 16, /* deliveries that share a commit of the file system */
    COMMITS_APART_MS = 8,
};

/* From mail/DOMAIN. */
#define ROOT_ABOVE "../../"

static const struct sandbox sandbox = {
    .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES | SANDBOX_UNIX,
    .read_paths = {CHARSET_FOLDER},
    .write_paths = {"."},
};

/* One of what queued asked for. */
struct task {
    struct wire_message message;
    struct local_request request; /* points into the message */
    struct local_delivery delivery;
    bool is_usage; /* no delivery, but a question about room (usage.h) */
};

struct worker {
    struct task tasks[TASKS_MAX];
    int64_t next_commit; /* clock_ms; what comes before that shares it */
    struct capacity capacity;
    struct forward forward;
    struct slice domain; /* whose accounts these are */
    struct str packet;
    int folder; /* has something to read when mail/DOMAIN has another name; -1: nobody tells */
};

/* A domain that is deleted, and perhaps made anew at once, has another folder than ours, and maybe
 * another uid: queued then starts another worker for what comes. */
static int watch_folder(void)
{
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch >= 0 && inotify_add_watch(watch, ".", IN_MOVE_SELF | IN_DELETE_SELF) < 0)
        io_close(&watch);
    return watch;
}

static void worker_init(struct worker *worker)
{
    for (size_t i = 0; i < TASKS_MAX; i++)
        wire_init(&worker->tasks[i].message);
    str_init(&worker->packet, ANSWER_MAX);
    forward_init(&worker->forward, ROOT_ABOVE INJECT_SOCKET);
    worker->folder = watch_folder();
}

static void worker_free(struct worker *worker)
{
    for (size_t i = 0; i < TASKS_MAX; i++)
        wire_free(&worker->tasks[i].message);
    str_free(&worker->packet);
    forward_free(&worker->forward);
    io_close(&worker->folder);
}

static bool read_task(struct task *task)
{
    task->is_usage = usage_is_question(&task->message);
    task->delivery.is_placed = false;
    if (task->is_usage)
        return true;
    if (task->message.fd_count == 1 && local_request_parse(&task->message, &task->request) &&
        forward_check(task->request.forward))
        return true;
    log_trouble("understand", "queued", 0, "install all programs from one build");
    return false;
}

/* What queued has stated keep: which mailbox, or the domain, and why. */
static void put_mark(struct str *packet, const struct capacity_mark *full, const char *mailbox,
                     const char *domain)
{
    char bytes[ANSWER_MAX];
    struct str text = str_on(bytes, sizeof bytes);
    if (full->what == CAPACITY_NONE_FULL)
        return;
    str_append_texts(&text, full->what == CAPACITY_MAILBOX_FULL ? mailbox : "", "@", domain);
    wire_put(packet, str_slice(&text));
    str_clear(&text);
    str_append_text(&text, STATE_FULL_CAUSE);
    capacity_put_megabytes(&text, full->used);
    str_append_text(&text, " of ");
    capacity_put_megabytes(&text, full->limit);
    str_append_text(&text, " MB");
    wire_put(packet, str_slice(&text));
}

static bool answer(const struct task *task, const char *domain, const struct local_result *result,
                   struct str *packet)
{
    char letter[] = {verdict_letter(result->verdict), '\0'};
    str_clear(packet);
    wire_put_text(packet, letter);
    wire_put_text(packet, result->status);
    wire_put_text(packet, result->text);
    put_mark(packet, &result->full, task->request.mailbox, domain);
    return !packet->failed && wire_send(QUEUED, str_slice(packet), NULL, 0, CLOCK_NEVER) == WIRE_OK;
}

static bool answer_usage(struct task *task, struct str *packet)
{
    str_clear(packet);
    bool is_told = usage_answer(&task->message, packet) &&
                   wire_send(QUEUED, str_slice(packet), NULL, 0, CLOCK_NEVER) == WIRE_OK;
    wire_clear(&task->message);
    return is_told;
}

static bool finish(struct worker *worker, struct task *task)
{
    struct local_result result;
    if (task->is_usage)
        return answer_usage(task, &worker->packet);
    local_commit(&task->request, &task->delivery, &result);
    /* The mailbox came first: a copy that can't be queued is tried again, and the mailbox notices. */
    if (result.verdict == VERDICT_OK)
        forward_message(&worker->forward, &task->request, worker->capacity.domain,
                        task->message.fds[0], &result);
    if (result.verdict == VERDICT_OK)
        autoreply_answer(&worker->forward.inject, &task->request, worker->domain,
                         task->message.fds[0]);
    bool is_told = answer(task, worker->capacity.domain, &result, &worker->packet);
    wire_clear(&task->message);
    return is_told;
}

/* A commit of the file system costs more than all else in a delivery. So one delivery after a pause is
 * committed at once, but those of a busy time wait for each other, nobody else does, till a moment
 * that is the same for all domains' workers: their commits are one, too. */
static int64_t choose_next_commit(void)
{
    return (clock_ms() / COMMITS_APART_MS + 1) * COMMITS_APART_MS;
}

/* Waits for a request, without end. False: the folder has gone from under us first. */
static bool wait_for_request(const struct worker *worker)
{
    struct pollfd descriptors[] = {{.fd = QUEUED, .events = POLLIN},
                                   {.fd = worker->folder, .events = POLLIN}};
    int ready;
    do
        ready = poll(descriptors, 2, -1);
    while (ready < 0 && errno == EINTR);
    return descriptors[1].revents == 0;
}

/* Waits for one request, takes those that come before the next commit along, and writes them. False:
 * one could not be read. */
static bool place_some(struct worker *worker, size_t *count)
{
    enum wire_result result = WIRE_OK;
    int64_t deadline = CLOCK_NEVER;
    for (*count = 0; *count < TASKS_MAX; (*count)++, deadline = worker->next_commit) {
        struct task *task = &worker->tasks[*count];
        result = wire_receive(QUEUED, &task->message, deadline);
        if (result != WIRE_OK)
            break;
        if (!read_task(task))
            return false;
        if (!task->is_usage)
            local_place(&worker->capacity, &task->request, task->message.fds[0], &task->delivery);
    }
    return result == WIRE_OK || result == WIRE_TIMEOUT;
}

/* All are written before the first is synced, since its commit takes the others along. A request that
 * can't be read ends the worker: it has no answer, and answers are told apart by their order. */
static bool serve_some(struct worker *worker)
{
    size_t count;
    if (!wait_for_request(worker))
        return false;
    bool goes_on = place_some(worker, &count);
    for (size_t i = 0; count > 1 && i < count; i++)
        local_begin_sync(&worker->tasks[i].delivery);
    for (size_t i = 0; i < count; i++)
        if (!finish(worker, &worker->tasks[i]))
            return false;
    worker->next_commit = choose_next_commit();
    return goes_on;
}

int main(int argc, char **argv)
{
    static struct worker worker;
    life_begin_command("local");
    if (argc != 2 || argv[1][0] == '\0')
        life_die_permanent("start", "local", "it is started by spawnd, for a domain");
    if (geteuid() == 0)
        life_die_permanent("run as", "root", "it is started by spawnd, as the domain's uid");
    sandbox_enter(&sandbox);
    worker_init(&worker);
    worker.capacity.domain = argv[1];
    worker.domain = slice_text(argv[1]);
    while (serve_some(&worker))
        ;
    worker_free(&worker);
    return EXIT_DONE;
}
