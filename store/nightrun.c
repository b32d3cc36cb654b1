/* nightrun - see nightrun.h */
#include "nightrun.h"

#include "clock.h"
#include "io.h"
#include "log.h"
#include "spawn.h"
#include "unixsocket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ACCOUNT_MS = 60 * 60 * 1000, /* one with a million messages to move takes minutes */
    ADDRESS_MAX = DIRECTORY_LOCAL_MAX + DIRECTORY_DOMAIN_MAX + 2,
    REASON_MAX = 512,
};

bool nightrun_wait(struct nightrun *run, int fd, int64_t deadline)
{
    struct pollfd fds[] = {{.fd = run->signals, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    int ready;
    do
        ready = poll(fds, 2, clock_left(deadline));
    while (ready < 0 && errno == EINTR);
    run->is_told = run->is_told || fds[0].revents != 0;
    return ready > 0 && !run->is_told;
}

static bool is_told(struct nightrun *run)
{
    return run->is_told || (!nightrun_wait(run, -1, clock_deadline(0)) && run->is_told);
}

/* ---- one account -------------------------------------------------------------------------------
 */

static void log_account(const struct directory_account *account, const struct ageing_result *result)
{
    char address[ADDRESS_MAX];
    struct str text = str_on(address, sizeof address);
    struct log_line line;
    str_append_texts(&text, account->local, "@", account->domain.name);
    log_begin(&line, "aged");
    log_value(&line, "account", str_slice(&text));
    log_number(&line, "archived", (int64_t)result->archived);
    log_number(&line, "deleted", (int64_t)result->deleted);
    log_number(&line, "bytes-deleted", (int64_t)result->deleted_bytes);
    log_end(&line);
}

static void log_failure(struct nightrun *run, const char *local, const char *domain,
                        const char *reason)
{
    char bytes[ADDRESS_MAX];
    struct str where = str_on(bytes, sizeof bytes);
    struct log_line line;
    run->report.failed++;
    str_append_texts(&where, local, local[0] ? "@" : "", domain);
    nightreport_set_error(&run->report, str_slice(&where), slice_text(reason));
    log_begin(&line, "failed");
    log_text(&line, "domain", domain);
    if (local[0])
        log_text(&line, "account", local);
    log_text(&line, "reason", reason);
    log_end(&line);
}

static void add(struct nightrun *run, const struct ageing_result *result)
{
    run->report.archived += result->archived;
    run->report.archived_bytes += result->archived_bytes;
    run->report.deleted += result->deleted;
    run->report.deleted_bytes += result->deleted_bytes;
}

/* A worker that gave no answer is left: the next account gets another one. */
static void age_account(struct nightrun *run, int *worker, const struct directory_account *account,
                        const struct ageing_days *days)
{
    struct ageing_request request = {.days = *days};
    struct ageing_result result;
    char text[AGEING_TEXT_MAX] = "ageing does not answer";
    enum ageing_answer answer = AGEING_GONE;
    if (!slice_copy_text(slice_text(account->local), request.local, sizeof request.local))
        return;
    int64_t deadline = clock_deadline(ACCOUNT_MS);
    if (ageing_ask(*worker, &request, deadline) && nightrun_wait(run, *worker, deadline))
        answer = ageing_receive(*worker, &run->message, &result, text, deadline);
    if (run->is_told)
        return;
    if (answer == AGEING_GONE)
        io_close(worker);
    if (answer != AGEING_DONE) {
        log_failure(run, account->local, account->domain.name, text);
        return;
    }
    run->report.accounts++;
    add(run, &result);
    if (result.archived > 0 || result.deleted > 0)
        log_account(account, &result);
}

/* ---- one domain --------------------------------------------------------------------------------
 */

/* A worker of the domain: our end of it; -1: none is to be had, and that is said. */
static int start_worker(struct nightrun *run, const struct directory_domain *domain)
{
    int pair[2];
    char bytes[REASON_MAX];
    struct str reason = str_on(bytes, sizeof bytes);
    if (!unixsocket_pair(SOCK_SEQPACKET, pair)) {
        log_failure(run, "", domain->name, strerror(errno));
        return -1;
    }
    struct spawn_request request = {.program = "ageing",
                                    .domain = slice_text(domain->name),
                                    .arguments = {slice_text(domain->name)},
                                    .argument_count = 1,
                                    .fds = &pair[1],
                                    .fd_count = 1};
    enum verdict verdict = spawn_ask(&run->spawnd, &request, &reason);
    io_close(&pair[1]);
    if (verdict == VERDICT_OK)
        return pair[0];
    str_append_byte(&reason, '\0');
    log_failure(run, "", domain->name, bytes);
    io_close(&pair[0]);
    return -1;
}

/* The worker is started for the first account that wants it. */
static enum directory_result age_domain(struct nightrun *run, const struct directory_domain *domain)
{
    struct directory_account account;
    enum directory_result result = DIRECTORY_FOUND;
    unsigned place = 0;
    int worker = -1;
    bool goes_on = true, had_worker = false;
    while (goes_on && !is_told(run) &&
           (result = directory_next_account(run->directory, &place, domain, &account)) ==
               DIRECTORY_FOUND) {
        struct ageing_days days;
        if (!ageing_days(run->directory, &account, &days)) {
            log_failure(run, account.local, domain->name, "its settings can't be read");
            continue;
        }
        if (!ageing_is_wanted(&days))
            continue;
        if (worker < 0)
            worker = start_worker(run, domain);
        goes_on = worker >= 0;
        had_worker = had_worker || goes_on;
        if (goes_on)
            age_account(run, &worker, &account, &days);
    }
    if (had_worker)
        run->report.domains++;
    io_close(&worker);
    return result;
}

/* ---- the night ---------------------------------------------------------------------------------
 */

static void log_night(const struct nightreport *report, int64_t began)
{
    static const char *const events[NIGHTREPORT_RESULTS] = {
        [NIGHTREPORT_DONE] = "night-done",
        [NIGHTREPORT_FAILED] = "night-done",
        [NIGHTREPORT_BROKEN_OFF] = "night-broken-off",
    };
    struct log_line line;
    log_begin(&line, events[report->result]);
    log_number(&line, "domains", (int64_t)report->domains);
    log_number(&line, "accounts", (int64_t)report->accounts);
    log_number(&line, "archived", (int64_t)report->archived);
    log_number(&line, "deleted", (int64_t)report->deleted);
    log_number(&line, "bytes-deleted", (int64_t)report->deleted_bytes);
    log_number(&line, "failed", (int64_t)report->failed);
    log_number(&line, "ms", clock_ms() - began);
    log_end(&line);
}

static void age_domains(struct nightrun *run)
{
    struct directory_domain domain;
    enum directory_result result = DIRECTORY_UNKNOWN_DOMAIN;
    unsigned place = 0;
    directory_hold(run->directory);
    while (!is_told(run) &&
           (result = directory_next_domain(run->directory, &place, &domain)) == DIRECTORY_FOUND)
        if (age_domain(run, &domain) == DIRECTORY_TROUBLE)
            log_failure(run, "", domain.name, "its compiled settings can't be read");
    if (result == DIRECTORY_TROUBLE)
        log_failure(run, "", "", "cdb/domains.cdb can't be read");
}

static enum nightreport_result result_of(const struct nightrun *run)
{
    if (run->is_told)
        return NIGHTREPORT_BROKEN_OFF;
    return run->report.failed > 0 && run->report.accounts == 0 ? NIGHTREPORT_FAILED
                                                               : NIGHTREPORT_DONE;
}

enum nightreport_result nightrun_do(struct nightrun *run)
{
    int64_t began = clock_ms();
    run->report = (struct nightreport){.began = (uint64_t)clock_seconds()};
    log_event("night-begins", NULL, NULL);
    age_domains(run);
    io_close(&run->spawnd); /* a day of silence is to come */
    wire_clear(&run->message);
    run->report.ended = (uint64_t)clock_seconds();
    run->report.result = result_of(run);
    log_night(&run->report, began);
    return run->report.result;
}
