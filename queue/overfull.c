/* overfull - see overfull.h */
#include "overfull.h"

#include "clock.h"
#include "hash.h"
#include "io.h"
#include "localterms.h"
#include "log.h"
#include "unixsocket.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
    ROUND_MS = 60000,
    ROUND_SHARE = 20,
    HURRY_MS = 200,
    TOLD_MS = 60000,
    DOWN_MS = 60000,
    WORKER_MS = 60000,
    NUMBER_SIZE = 24,
};

static void next_part(struct overfull *overfull);
static void next_domain(struct overfull *overfull);
static void round_due(struct loop_timer *timer);

/* ---- stated ------------------------------------------------------------------------------------
 */

/* Without stated the states stay as they are; it is not waited for twice in a minute. */
static bool is_answered(struct overfull *overfull, bool is_asked)
{
    if (is_asked)
        return true;
    overfull->state_down_until = clock_deadline(DOWN_MS);
    log_trouble("ask", STATE_SOCKET, 0, "full mailboxes are noted later");
    return false;
}

static bool is_down(const struct overfull *overfull)
{
    return clock_ms() < overfull->state_down_until;
}

static uint64_t hash_of(struct slice name)
{
    return hash_add(HASH_START, name);
}

/* A full mailbox may be met by hundreds of messages that wait. */
static bool was_told(struct overfull *overfull, struct slice name)
{
    uint64_t hash = hash_of(name);
    int64_t now = clock_ms();
    for (size_t i = 0; i < OVERFULL_TOLD_MAX; i++)
        if (overfull->told[i].name == hash && overfull->told[i].at > 0 &&
            now - overfull->told[i].at < TOLD_MS)
            return true;
    overfull->told[overfull->next_told].name = hash;
    overfull->told[overfull->next_told].at = now;
    overfull->next_told = (overfull->next_told + 1) % OVERFULL_TOLD_MAX;
    return false;
}

static void forget_told(struct overfull *overfull, struct slice name)
{
    uint64_t hash = hash_of(name);
    for (size_t i = 0; i < OVERFULL_TOLD_MAX; i++)
        if (overfull->told[i].name == hash)
            overfull->told[i].at = 0;
}

void overfull_note(struct overfull *overfull, struct slice name, const char *cause)
{
    char text[OVERFULL_NAME_MAX];
    if (is_down(overfull) || !slice_copy_text(name, text, sizeof text) || was_told(overfull, name))
        return;
    (void)is_answered(overfull, state_ask(&overfull->state_fd, &overfull->answer, "set", text,
                                          STATE_OVER_CAPACITY, "0", cause, (const char *)NULL));
}

/* False: it could not be asked for. */
static bool clear(struct overfull *overfull, const char *name)
{
    forget_told(overfull, slice_text(name));
    return is_answered(overfull, state_ask(&overfull->state_fd, &overfull->answer, "clear", name,
                                           STATE_OVER_CAPACITY, (const char *)NULL));
}

/* The part of stated's list behind `skip`. */
static bool read_part(struct overfull *overfull)
{
    char digits[NUMBER_SIZE];
    struct str skip = str_on(digits, sizeof digits);
    overfull->count = 0;
    str_append_number(&skip, overfull->skip);
    str_append_byte(&skip, '\0');
    if (is_down(overfull) ||
        !is_answered(overfull, state_ask(&overfull->state_fd, &overfull->answer, "list",
                                         STATE_OVER_CAPACITY, digits, (const char *)NULL)))
        return false;
    for (size_t i = 1; i < overfull->answer.count && overfull->count < STATE_LIST_MAX; i++)
        if (wire_copy_text(&overfull->answer, i, overfull->names[overfull->count].name,
                           sizeof overfull->names[0].name))
            overfull->count++;
    return overfull->count > 0;
}

/* ---- the round ---------------------------------------------------------------------------------
 */

static void end_round(struct overfull *overfull)
{
    int64_t took = clock_ms() - overfull->began_ms;
    int64_t wait = took * ROUND_SHARE > ROUND_MS ? took * ROUND_SHARE : ROUND_MS;
    bool is_again = overfull->is_again;
    overfull->is_running = overfull->is_again = false;
    loop_set_timer(overfull->loop, &overfull->timer, clock_deadline(is_again ? HURRY_MS : wait),
                   round_due, overfull);
}

static void part_due(struct loop_timer *timer)
{
    next_part(timer->owner);
}

static void domain_due(struct loop_timer *timer)
{
    next_domain(timer->owner);
}

static void round_due(struct loop_timer *timer)
{
    struct overfull *overfull = timer->owner;
    overfull->is_running = true;
    overfull->began_ms = clock_ms();
    overfull->skip = 0;
    next_part(overfull);
}

static void next_part(struct overfull *overfull)
{
    /* What a limit is may just have been compiled. */
    directory_hold(overfull->directory);
    if (read_part(overfull))
        next_domain(overfull);
    else
        end_round(overfull);
}

/* Everything else has its turn between two domains. */
static void go_on(struct overfull *overfull)
{
    loop_set_timer(overfull->loop, &overfull->timer, 0, domain_due, overfull);
}

/* ---- one domain --------------------------------------------------------------------------------
 */

static struct slice domain_of(const char *name)
{
    return slice_from(state_domain(slice_text(name)), 1);
}

enum look { LOOK_MEASURE, LOOK_CLEAR, LOOK_LEAVE };

/* What the directory says: is there a limit at all? */
static enum look look_up(struct overfull *overfull, const char *name,
                         struct directory_account *account, uint64_t *limit)
{
    struct slice text = slice_text(name);
    struct delivery_terms terms;
    bool is_domain = text.size > 0 && text.data[0] == '@';
    *account = (struct directory_account){.local = ""};
    enum directory_result result =
        is_domain ? directory_domain(overfull->directory, domain_of(name), &account->domain)
                  : directory_address(overfull->directory, text, account);
    if (result == DIRECTORY_TROUBLE)
        return LOOK_LEAVE;
    struct slice local = slice_part(text, 0, text.size - state_domain(text).size);
    if (result != DIRECTORY_FOUND || !slice_equal(slice_text(account->local), local))
        return LOOK_CLEAR; /* it is gone, or leads to another */
    if (!localterms_fill(overfull->directory, account, &terms))
        return LOOK_LEAVE;
    *limit = is_domain ? terms.domain_quota : terms.quota;
    return *limit == 0 || (!is_domain && !terms.receives) ? LOOK_CLEAR : LOOK_MEASURE;
}

/* Takes the name off the part; puts it into the question if it has to be measured. */
static void take_name(struct overfull *overfull, size_t index)
{
    struct directory_account account;
    uint64_t limit;
    char *name = overfull->names[index].name;
    switch (look_up(overfull, name, &account, &limit)) {
    case LOOK_MEASURE:
        wire_put_text(&overfull->question, account.local);
        wire_put_number(&overfull->question, limit);
        overfull->asked[overfull->asked_count++] = index;
        return;
    case LOOK_CLEAR:
        if (clear(overfull, name))
            break;
        overfull->skip++;
        break;
    case LOOK_LEAVE:
        overfull->skip++;
        break;
    }
    name[0] = '\0';
}

/* Ends what was asked; `answer` may be NULL. What stays in its state is passed over in the next part. */
static void finish_domain(struct overfull *overfull, const struct wire_message *answer)
{
    bool rooms[STATE_LIST_MAX] = {false};
    if (answer && answer->count == overfull->asked_count)
        for (size_t i = 0; i < overfull->asked_count; i++)
            rooms[i] = slice_equal(wire_field(answer, i), SLICE("room"));
    loop_clear_timer(overfull->loop, &overfull->limit);
    spawner_cancel(overfull->spawner, &overfull->ask);
    loop_remove(overfull->loop, &overfull->watch);
    io_close(&overfull->fd);
    io_close(&overfull->their_fd);
    for (size_t i = 0; i < overfull->asked_count; i++) {
        char *name = overfull->names[overfull->asked[i]].name;
        if (!rooms[i] || !clear(overfull, name))
            overfull->skip++;
        name[0] = '\0';
    }
    overfull->asked_count = 0;
    go_on(overfull);
}

static void worker_ready(struct loop_watch *watch, uint32_t events)
{
    struct overfull *overfull = watch->owner;
    (void)events;
    /* clear() needs overfull->answer for itself: what it says is read before. */
    enum wire_result result = wire_receive(overfull->fd, &overfull->answer, CLOCK_NEVER);
    if (result != WIRE_TIMEOUT)
        finish_domain(overfull, result == WIRE_OK ? &overfull->answer : NULL);
}

static void worker_late(struct loop_timer *timer)
{
    log_trouble("wait for an answer of", "local", 0, "see its log");
    finish_domain(timer->owner, NULL);
}

static void worker_started(struct spawner_ask *ask, enum verdict verdict, struct slice reason)
{
    struct overfull *overfull = ask->owner;
    (void)reason;
    io_close(&overfull->their_fd);
    if (verdict != VERDICT_OK)
        finish_domain(overfull, NULL);
}

/* The question waits in the socket till the worker reads it. */
static void ask_worker(struct overfull *overfull)
{
    int pair[2];
    if (overfull->question.failed || !unixsocket_pair(SOCK_SEQPACKET, pair)) {
        finish_domain(overfull, NULL);
        return;
    }
    overfull->fd = pair[0];
    overfull->their_fd = pair[1];
    overfull->ask = (struct spawner_ask){.program = "local",
                                         .domain = slice_text(overfull->domain),
                                         .fd = overfull->their_fd,
                                         .answer = worker_started,
                                         .owner = overfull};
    if (!io_set_nonblocking(overfull->fd, true) ||
        wire_send(overfull->fd, str_slice(&overfull->question), NULL, 0, 0) != WIRE_OK ||
        !loop_add(overfull->loop, &overfull->watch, overfull->fd, EPOLLIN, worker_ready,
                  overfull) ||
        !loop_set_timer(overfull->loop, &overfull->limit, clock_deadline(WORKER_MS), worker_late,
                        overfull)) {
        finish_domain(overfull, NULL);
        return;
    }
    spawner_start(overfull->spawner, &overfull->ask);
}

/* All of the part that are of one domain. */
static void next_domain(struct overfull *overfull)
{
    size_t first = 0;
    while (first < overfull->count && overfull->names[first].name[0] == '\0')
        first++;
    if (first == overfull->count) {
        loop_set_timer(overfull->loop, &overfull->timer, 0, part_due, overfull);
        return;
    }
    if (!slice_copy_text(domain_of(overfull->names[first].name), overfull->domain,
                         sizeof overfull->domain))
        overfull->domain[0] = '\0';
    str_clear(&overfull->question);
    wire_put_text(&overfull->question, "usage/1");
    for (size_t i = first; i < overfull->count; i++)
        if (overfull->names[i].name[0] != '\0' &&
            (i == first ||
             slice_equal(domain_of(overfull->names[i].name), slice_text(overfull->domain))))
            take_name(overfull, i);
    if (overfull->asked_count > 0)
        ask_worker(overfull);
    else
        go_on(overfull);
}

/* ---- beginning and end -------------------------------------------------------------------------
 */

void overfull_hurry(struct overfull *overfull)
{
    overfull->state_down_until = 0; /* who asks knows that stated may be back */
    overfull->is_again = overfull->is_running;
    if (!overfull->is_running)
        loop_set_timer(overfull->loop, &overfull->timer, clock_deadline(HURRY_MS), round_due,
                       overfull);
}

void overfull_init(struct overfull *overfull, struct loop *loop, struct spawner *spawner,
                   struct directory *directory)
{
    *overfull = (struct overfull){.loop = loop,
                                  .spawner = spawner,
                                  .directory = directory,
                                  .state_fd = -1,
                                  .fd = -1,
                                  .their_fd = -1};
    wire_init(&overfull->answer);
    str_init(&overfull->question, WIRE_MAX_SIZE);
    loop_set_timer(loop, &overfull->timer, clock_deadline(ROUND_MS), round_due, overfull);
}

void overfull_free(struct overfull *overfull)
{
    loop_clear_timer(overfull->loop, &overfull->timer);
    loop_clear_timer(overfull->loop, &overfull->limit);
    spawner_cancel(overfull->spawner, &overfull->ask);
    loop_remove(overfull->loop, &overfull->watch);
    io_close(&overfull->fd);
    io_close(&overfull->their_fd);
    io_close(&overfull->state_fd);
    wire_free(&overfull->answer);
    str_free(&overfull->question);
}
