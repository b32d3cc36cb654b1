/* overfull - see overfull.h */
#include "overfull.h"

#include "clock.h"
#include "hash.h"
#include "io.h"
#include "localterms.h"
#include "log.h"
#include "unixsocket.h"

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

/* Without stated the states stay as they are; it is not asked for a minute then. */
static bool is_answered(struct overfull *overfull, const struct wire_message *answer)
{
    if (answer)
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

static void send_note(struct overfull *overfull);

static void note_done(struct statequery *query, const struct wire_message *answer)
{
    struct overfull *overfull = query->owner;
    overfull->first_note = (overfull->first_note + 1) % OVERFULL_NOTES_MAX;
    overfull->note_count--;
    if (!is_answered(overfull, answer))
        overfull->note_count = 0; /* the next delivery notes them again */
    else if (overfull->note_count > 0)
        send_note(overfull);
}

static void send_note(struct overfull *overfull)
{
    const struct overfull_full *note = &overfull->notes[overfull->first_note];
    const char *fields[] = {"set", note->name, STATE_OVER_CAPACITY, "0", note->cause};
    statequery_ask(&overfull->noting, fields, sizeof fields / sizeof *fields, note_done);
}

void overfull_note(struct overfull *overfull, struct slice name, const char *cause)
{
    struct overfull_full *note =
        &overfull->notes[(overfull->first_note + overfull->note_count) % OVERFULL_NOTES_MAX];
    if (is_down(overfull) || overfull->note_count == OVERFULL_NOTES_MAX ||
        !slice_copy_text(name, note->name, sizeof note->name) ||
        !slice_copy_text(slice_text(cause), note->cause, sizeof note->cause) ||
        was_told(overfull, name))
        return;
    overfull->note_count++;
    if (!statequery_is_asking(&overfull->noting))
        send_note(overfull);
}

/* ---- the round ---------------------------------------------------------------------------------
 */

static void go_on(struct overfull *overfull);

/* What stays in its state is passed over in the next part. */
static void pass_over(struct overfull *overfull, struct overfull_name *name)
{
    overfull->skip++;
    name->todo = OVERFULL_DONE;
}

static void clear_done(struct statequery *query, const struct wire_message *answer)
{
    struct overfull *overfull = query->owner;
    struct overfull_name *name = &overfull->names[overfull->clearing];
    if (is_answered(overfull, answer))
        name->todo = OVERFULL_DONE;
    else
        pass_over(overfull, name);
    go_on(overfull);
}

static void clear(struct overfull *overfull, size_t index)
{
    struct overfull_name *name = &overfull->names[index];
    const char *fields[] = {"clear", name->name, STATE_OVER_CAPACITY};
    forget_told(overfull, slice_text(name->name));
    if (is_down(overfull)) {
        pass_over(overfull, name);
        go_on(overfull);
        return;
    }
    overfull->clearing = index;
    statequery_ask(&overfull->query, fields, sizeof fields / sizeof *fields, clear_done);
}

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

/* The part of stated's list behind `skip`. */
static void take_part(struct statequery *query, const struct wire_message *answer)
{
    struct overfull *overfull = query->owner;
    if (!is_answered(overfull, answer)) {
        end_round(overfull);
        return;
    }
    for (size_t i = 1; i < answer->count && overfull->count < STATE_LIST_MAX; i++) {
        struct overfull_name *name = &overfull->names[overfull->count];
        name->todo = OVERFULL_LOOK;
        if (wire_copy_text(answer, i, name->name, sizeof name->name))
            overfull->count++;
    }
    /* What a limit is may just have been compiled. */
    directory_hold(overfull->directory);
    if (overfull->count > 0)
        next_domain(overfull);
    else
        end_round(overfull);
}

static void next_part(struct overfull *overfull)
{
    char digits[NUMBER_SIZE];
    struct str skip = str_on(digits, sizeof digits);
    const char *fields[] = {"list", STATE_OVER_CAPACITY, digits};
    overfull->count = 0;
    str_append_number(&skip, overfull->skip);
    str_append_byte(&skip, '\0');
    if (is_down(overfull))
        end_round(overfull);
    else
        statequery_ask(&overfull->query, fields, sizeof fields / sizeof *fields, take_part);
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

/* Puts the name into the question if it has to be measured. */
static void take_name(struct overfull *overfull, size_t index)
{
    struct directory_account account;
    uint64_t limit;
    struct overfull_name *name = &overfull->names[index];
    switch (look_up(overfull, name->name, &account, &limit)) {
    case LOOK_MEASURE:
        wire_put_text(&overfull->question, account.local);
        wire_put_number(&overfull->question, limit);
        overfull->asked[overfull->asked_count++] = index;
        break;
    case LOOK_CLEAR:
        name->todo = OVERFULL_CLEAR;
        break;
    case LOOK_LEAVE:
        pass_over(overfull, name);
        break;
    }
}

/* Ends what was asked; `answer` may be NULL. */
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
        struct overfull_name *name = &overfull->names[overfull->asked[i]];
        if (rooms[i])
            name->todo = OVERFULL_CLEAR;
        else
            pass_over(overfull, name);
    }
    overfull->asked_count = 0;
    go_on(overfull);
}

static void worker_ready(struct loop_watch *watch, uint32_t events)
{
    struct overfull *overfull = watch->owner;
    (void)events;
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

/* The first name of the part that is to be treated so; `count` when there is none. */
static size_t find_todo(const struct overfull *overfull, enum overfull_todo todo)
{
    size_t i = 0;
    while (i < overfull->count && overfull->names[i].todo != todo)
        i++;
    return i;
}

/* All of the part that are of the domain of the `first`. */
static void look_at_domain(struct overfull *overfull, size_t first)
{
    if (!slice_copy_text(domain_of(overfull->names[first].name), overfull->domain,
                         sizeof overfull->domain))
        overfull->domain[0] = '\0';
    str_clear(&overfull->question);
    wire_put_text(&overfull->question, "usage/1");
    for (size_t i = first; i < overfull->count; i++)
        if (overfull->names[i].todo == OVERFULL_LOOK &&
            (i == first ||
             slice_equal(domain_of(overfull->names[i].name), slice_text(overfull->domain))))
            take_name(overfull, i);
    if (overfull->asked_count > 0)
        ask_worker(overfull);
    else
        go_on(overfull);
}

static void next_domain(struct overfull *overfull)
{
    size_t to_clear = find_todo(overfull, OVERFULL_CLEAR);
    size_t to_look = find_todo(overfull, OVERFULL_LOOK);
    if (to_clear < overfull->count)
        clear(overfull, to_clear);
    else if (to_look < overfull->count)
        look_at_domain(overfull, to_look);
    else
        loop_set_timer(overfull->loop, &overfull->timer, 0, part_due, overfull);
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
    *overfull = (struct overfull){
        .loop = loop, .spawner = spawner, .directory = directory, .fd = -1, .their_fd = -1};
    statequery_init(&overfull->noting, loop, overfull);
    statequery_init(&overfull->query, loop, overfull);
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
    statequery_free(&overfull->noting);
    statequery_free(&overfull->query);
    wire_free(&overfull->answer);
    str_free(&overfull->question);
}
