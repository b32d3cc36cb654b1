/* stsserver - see stsserver.h */
#include "stsserver.h"

#include "clock.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "mtasts.h"
#include "stsfetch.h"
#include "unixsocket.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const int signals_handled[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

/* ---- answers ----------------------------------------------------------------------------------*/

static void answer_policy(struct service_peer *peer, const struct stspolicy *policy)
{
    struct str packet, text;
    str_init(&packet, WIRE_MAX_SIZE);
    str_init(&text, STSPOLICY_TEXT_MAX);
    stspolicy_put(policy, &text);
    wire_put_text(&packet, "policy");
    wire_put(&packet, str_slice(&text));
    (void)service_answer(peer, str_slice(&packet), NULL, 0);
    str_free(&text);
    str_free(&packet);
}

static void answer_none(struct service_peer *peer, enum tlsreport_result result, const char *reason)
{
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "none");
    wire_put_text(&packet, tlsreport_result_name(result));
    wire_put_text(&packet, reason);
    (void)service_answer(peer, str_slice(&packet), NULL, 0);
    str_free(&packet);
}

/* ---- failures that are remembered -------------------------------------------------------------*/

static const struct stsserver_failure *find_failure(const struct stsserver *server,
                                                    const char *domain, const char *id)
{
    int64_t now = clock_seconds();
    for (size_t i = 0; i < STSSERVER_FAILURES_MAX; i++) {
        const struct stsserver_failure *failure = &server->failures[i];
        if (failure->until > now && strcmp(failure->domain, domain) == 0 &&
            strcmp(failure->id, id) == 0)
            return failure;
    }
    return NULL;
}

static void remember_failure(struct stsserver *server, const struct stsserver_fetch *fetch,
                             enum tlsreport_result result)
{
    struct stsserver_failure *failure = &server->failures[server->failure_next];
    server->failure_next = (server->failure_next + 1) % STSSERVER_FAILURES_MAX;
    *failure = (struct stsserver_failure){.result = result,
                                          .until = clock_seconds() + STSSERVER_FAILURE_SECONDS};
    memcpy(failure->domain, fetch->domain, sizeof failure->domain);
    memcpy(failure->id, fetch->id, sizeof failure->id);
}

/* ---- fetching ---------------------------------------------------------------------------------*/

static void log_fetch(const struct stsserver_fetch *fetch, const char *result, const char *reason)
{
    struct log_line line;
    log_begin(&line, "policy");
    log_text(&line, "domain", fetch->domain);
    log_text(&line, "id", fetch->id);
    log_text(&line, "result", result);
    if (reason[0] != '\0')
        log_text(&line, "reason", reason);
    log_end(&line);
}

/* Those who wait for the fetch: their data points to it. */
static void answer_waiting(struct stsserver *server, const struct stsserver_fetch *fetch,
                           const struct stspolicy *policy, enum tlsreport_result result,
                           const char *reason)
{
    struct service_peer *next;
    for (struct service_peer *peer = server->service.peers; peer; peer = next) {
        next = peer->next; /* a peer that does not take its answer is freed */
        if (peer->data != fetch)
            continue;
        peer->data = NULL;
        if (policy)
            answer_policy(peer, policy);
        else
            answer_none(peer, result, reason);
    }
}

static void end_fetch(struct stsserver_fetch *fetch)
{
    loop_remove(&fetch->server->loop, &fetch->watch);
    io_close(&fetch->fd);
    fetch->is_busy = false;
}

/* The old policy holds, where there is one (RFC 8461 5.1). */
static void take_failure(struct stsserver *server, struct stsserver_fetch *fetch,
                         enum tlsreport_result result, const char *reason)
{
    static struct stscache_entry entry;
    bool has_old = stscache_load(server->cache, fetch->domain, clock_seconds(), &entry);
    log_fetch(fetch, tlsreport_result_name(result), reason);
    remember_failure(server, fetch, result);
    end_fetch(fetch);
    answer_waiting(server, fetch, has_old ? &entry.policy : NULL, result, reason);
}

static void take_policy(struct stsserver *server, struct stsserver_fetch *fetch, struct slice text)
{
    static struct stscache_entry entry;
    const char *reason;
    if (!stspolicy_parse(text, &entry.policy, &reason)) {
        take_failure(server, fetch, TLSREPORT_STS_POLICY_INVALID, reason);
        return;
    }
    memcpy(entry.id, fetch->id, sizeof entry.id);
    entry.fetched = clock_seconds();
    if (!stscache_save(server->cache, fetch->domain, &entry))
        log_trouble("keep a policy in", STSCACHE_FOLDER, errno, NULL);
    log_fetch(fetch, "fetched", "");
    end_fetch(fetch);
    answer_waiting(server, fetch, &entry.policy, TLSREPORT_SUCCESS, "");
}

static void fetch_ready(struct loop_watch *watch, uint32_t events)
{
    struct stsserver_fetch *fetch = watch->owner;
    struct stsserver *server = fetch->server;
    struct wire_message message;
    char reason[MTASTS_REASON_MAX] = "the fetching process ended";
    (void)events;
    wire_init(&message);
    bool whole = wire_receive(fetch->fd, &message, clock_deadline(0)) == WIRE_OK;
    if (whole && slice_equal(wire_field(&message, 0), SLICE("policy"))) {
        take_policy(server, fetch, wire_field(&message, 1));
    } else {
        if (whole)
            (void)wire_copy_text(&message, 2, reason, sizeof reason);
        take_failure(server, fetch,
                     whole ? tlsreport_result_named(wire_field(&message, 1))
                           : TLSREPORT_STS_POLICY_FETCH_ERROR,
                     reason);
    }
    wire_free(&message);
}

static _Noreturn void be_fetch(struct stsserver *server, const struct stsserver_fetch *fetch,
                               int fd)
{
    struct stsfetch_task task = {.domain = fetch->domain,
                                 .resolver = slice_text(server->resolver),
                                 .anchors = server->anchors,
                                 .answer = fd};
    io_close(&server->listener);
    io_close(&server->signals.watch.fd);
    signal(SIGALRM, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    loop_unblock_signals();
    _exit(stsfetch_run(&task));
}

static struct stsserver_fetch *find_fetch(struct stsserver *server, const char *domain)
{
    for (size_t i = 0; i < STSSERVER_FETCHES_MAX; i++)
        if (server->fetches[i].is_busy && strcmp(server->fetches[i].domain, domain) == 0)
            return &server->fetches[i];
    return NULL;
}

/* The one that is on its way already, or a new one. NULL: not now. */
static struct stsserver_fetch *start_fetch(struct stsserver *server, const char *domain,
                                           const char *id)
{
    struct stsserver_fetch *fetch = find_fetch(server, domain);
    int pair[2];
    if (fetch)
        return fetch;
    for (size_t i = 0; i < STSSERVER_FETCHES_MAX && !fetch; i++)
        if (!server->fetches[i].is_busy)
            fetch = &server->fetches[i];
    if (!fetch || !unixsocket_pair(SOCK_SEQPACKET, pair))
        return NULL;
    *fetch = (struct stsserver_fetch){.server = server, .fd = pair[0]};
    snprintf(fetch->domain, sizeof fetch->domain, "%s", domain);
    snprintf(fetch->id, sizeof fetch->id, "%s", id);
    fetch->pid = fork();
    if (fetch->pid == 0)
        be_fetch(server, fetch, pair[1]);
    io_close(&pair[1]);
    if (fetch->pid < 0 ||
        !loop_add(&server->loop, &fetch->watch, fetch->fd, EPOLLIN, fetch_ready, fetch)) {
        io_close(&fetch->fd);
        return NULL;
    }
    fetch->is_busy = true;
    return fetch;
}

/* ---- questions --------------------------------------------------------------------------------*/

/* An entry that is a day old is fetched anew, so that it never runs out while the domain's owner
 * keeps it up (RFC 8461 3.3). */
static void refresh(struct stsserver *server, const char *domain, const char *id,
                    const struct stscache_entry *entry)
{
    if (id[0] != '\0' && clock_seconds() - entry->fetched > STSSERVER_REFRESH_SECONDS &&
        !find_failure(server, domain, id))
        (void)start_fetch(server, domain, id);
}

static void find_policy(struct stsserver *server, struct service_peer *peer, const char *domain,
                        const char *id)
{
    static struct stscache_entry entry;
    const struct stsserver_failure *failure = find_failure(server, domain, id);
    bool has_old = stscache_load(server->cache, domain, clock_seconds(), &entry);
    bool is_new = id[0] != '\0' && (!has_old || strcmp(id, entry.id) != 0);
    if (has_old && !is_new)
        refresh(server, domain, id, &entry);
    struct stsserver_fetch *fetch = NULL;
    if (is_new && !failure)
        fetch = start_fetch(server, domain, id);
    if (fetch)
        peer->data = fetch; /* answered when it ends */
    else if (has_old)
        answer_policy(peer, &entry.policy);
    else if (failure)
        answer_none(peer, failure->result, "it was tried a short while ago");
    else if (is_new)
        answer_none(peer, TLSREPORT_STS_POLICY_FETCH_ERROR, "too many policies at once");
    else
        answer_none(peer, TLSREPORT_SUCCESS, "");
}

static void ask_policy(struct stsserver *server, struct service_peer *peer,
                       const struct wire_message *message)
{
    char domain[STSPOLICY_NAME_MAX + 1], id[STSPOLICY_ID_MAX + 1];
    if (message->count == 4 && stscache_is_domain(wire_field(message, 2)) &&
        wire_copy_text(message, 2, domain, sizeof domain) &&
        wire_copy_text(message, 3, id, sizeof id) && !peer->data)
        find_policy(server, peer, domain, id);
    else
        service_close(peer);
}

static void write_reports(struct loop_timer *timer)
{
    struct stsserver *server = timer->owner;
    if (!reporttable_flush(&server->table))
        log_trouble("write", TLSREPORT_FOLDER, errno, NULL);
}

static void take_report(struct stsserver *server, struct service_peer *peer,
                        const struct wire_message *message)
{
    enum { FIRST = 2, FIXED = 9 };
    struct tlsreport_line line = {.count = 1};
    if (message->count < FIXED || message->count > FIXED + TLSREPORT_POLICY_MAX ||
        wire_field(message, FIRST).size == 0) {
        service_close(peer);
        return;
    }
    line.domain = wire_field(message, FIRST);
    line.policy_type = wire_field(message, FIRST + 1);
    line.result = tlsreport_result_named(wire_field(message, FIRST + 2));
    line.sending_ip = wire_field(message, FIRST + 3);
    line.mx = wire_field(message, FIRST + 4);
    line.mx_ip = wire_field(message, FIRST + 5);
    line.reason = wire_field(message, FIRST + 6);
    for (size_t i = FIXED; i < message->count; i++)
        line.policy[line.policy_count++] = wire_field(message, i);
    if (!reporttable_add(&server->table, &line, clock_seconds()) && !server->lost_said) {
        log_trouble("count more different sessions in", server->table.date, 0, NULL);
        server->lost_said = true;
    }
    if (server->flush.position == 0)
        (void)loop_set_timer(&server->loop, &server->flush, clock_deadline(STSSERVER_FLUSH_MS),
                             write_reports, server);
}

static void flush_now(struct stsserver *server, struct service_peer *peer,
                      const struct wire_message *message)
{
    struct str packet;
    (void)message;
    bool done = peer->uid == 0 && reporttable_flush(&server->table);
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, done ? "ok" : "no");
    (void)service_answer(peer, str_slice(&packet), NULL, 0);
    str_free(&packet);
}

static const struct {
    const char *verb;
    void (*obey)(struct stsserver *server, struct service_peer *peer,
                 const struct wire_message *message);
} verbs[] = {{"policy", ask_policy}, {"report", take_report}, {"flush", flush_now}};

static void take_message(struct service_peer *peer, struct wire_message *message)
{
    struct stsserver *server = peer->service->owner;
    bool is_ours = slice_equal(wire_field(message, 0), SLICE("mtasts/1"));
    for (size_t i = 0; is_ours && i < sizeof verbs / sizeof *verbs; i++) {
        if (slice_equal(wire_field(message, 1), slice_text(verbs[i].verb))) {
            verbs[i].obey(server, peer, message);
            return;
        }
    }
    service_close(peer);
}

static bool is_welcome(uid_t uid, void *owner)
{
    const struct stsserver *server = owner;
    return uid == server->asker || uid == 0;
}

/* ---- life -------------------------------------------------------------------------------------*/

static void sweep(struct loop_timer *timer)
{
    struct stsserver *server = timer->owner;
    int64_t now = clock_seconds();
    stscache_sweep(server->cache, now);
    reporttable_sweep(server->reports, now);
    (void)loop_set_timer(&server->loop, timer, clock_deadline(STSSERVER_SWEEP_MS), sweep, server);
}

static void handle_signal(int number, void *owner)
{
    struct stsserver *server = owner;
    if (number == SIGCHLD)
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ; /* its socket's end says what there is to say */
    else if (number == SIGHUP)
        write_reports(&server->flush);
    else
        loop_stop(&server->loop);
}

static bool start(struct stsserver *server)
{
    server->flush.owner = server;
    reporttable_open(&server->table, server->reports, clock_seconds());
    return loop_init(&server->loop) &&
           loop_add_signals(&server->loop, &server->signals, signals_handled,
                            sizeof signals_handled / sizeof *signals_handled, handle_signal,
                            server) &&
           service_start(&server->service, &server->loop, server->listener, STSSERVER_PEERS_MAX,
                         is_welcome, take_message, NULL, server) &&
           loop_set_timer(&server->loop, &server->sweep, clock_deadline(0), sweep, server);
}

void stsserver_run(struct stsserver *server)
{
    if (!start(server) || !loop_run(&server->loop))
        life_die_passing("wait for", "questions");
    write_reports(&server->flush);
    reporttable_free(&server->table);
    service_stop(&server->service);
    loop_free(&server->loop);
}
