/* clients - see clients.h */
#include "clients.h"

#include "clock.h"
#include "log.h"

#include <stdlib.h>

/* One who waits: the peer's `data`. */
struct waiter {
    struct service_peer *peer;
    struct clients_check *check;
    struct waiter *next, *previous;
};

/* A check in the making. */
struct clients_check {
    struct clientcheck check; /* first: the callback is given this */
    struct clients *clients;
    struct loop_timer patience;
    bool is_late; /* patience is over */
    struct waiter *waiters;
    struct clients_check *next, *previous;
};

struct answer {
    struct recent_entry entry;
    struct clients *clients;
    struct clients_check *check; /* NULL: none in the making */
    struct str packet;
    int64_t ends; /* clock_ms; 0: no answer yet */
};

static struct answer *as_answer(struct recent_entry *entry)
{
    return (struct answer *)(void *)entry;
}

static struct recent_key key_of(const struct ip *client)
{
    return recent_key_of_ip(client, client->size * 8, 0);
}

static void drop_answer(struct recent_entry *entry)
{
    struct answer *answer = as_answer(entry);
    if (answer->clients)
        answer->clients->bytes -= answer->packet.size;
    str_free(&answer->packet);
}

bool clients_init(struct clients *clients, struct loop *loop,
                  const unsigned char seed[RECENT_SEED_SIZE])
{
    *clients = (struct clients){.loop = loop};
    blocklist_init(&clients->context.list);
    return recent_init(&clients->answers, sizeof(struct answer), CLIENTS_REMEMBERED_MAX,
                       drop_answer, seed);
}

void clients_forget(struct clients *clients)
{
    recent_clear(&clients->answers);
}

void clients_change_list(struct clients *clients)
{
    clientcheck_change_list(&clients->context);
    clients_forget(clients);
}

void clients_free(struct clients *clients)
{
    recent_free(&clients->answers);
}

/* ---- who waits --------------------------------------------------------------------------------*/

static void leave(struct waiter *waiter)
{
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        waiter->check->waiters = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    waiter->peer->data = NULL;
    free(waiter);
}

void clients_gone(struct service_peer *peer)
{
    if (peer->data)
        leave(peer->data);
}

static bool wait_for(struct clients_check *check, struct service_peer *peer)
{
    struct waiter *waiter = malloc(sizeof *waiter);
    if (!waiter)
        return false;
    *waiter = (struct waiter){.peer = peer, .check = check, .next = check->waiters};
    if (check->waiters)
        check->waiters->previous = waiter;
    check->waiters = waiter;
    peer->data = waiter;
    return true;
}

/* Who asked reads it when it likes to: the place here is free at once. */
static void answer_peer(struct service_peer *peer, struct slice packet)
{
    if (service_answer(peer, packet, NULL, 0))
        service_close(peer);
}

static void answer_unknown(struct service_peer *peer)
{
    static const struct lookup_client unknown;
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    lookup_client_encode(&unknown, &packet);
    answer_peer(peer, str_slice(&packet));
    str_free(&packet);
}

static void answer_waiters(struct clients_check *check, struct slice packet)
{
    struct waiter *next;
    for (struct waiter *waiter = check->waiters; waiter; waiter = next) {
        struct service_peer *peer = waiter->peer;
        next = waiter->next;
        leave(waiter);
        answer_peer(peer, packet);
    }
}

static bool put_result(const struct clients_check *check, struct str *packet)
{
    static struct lookup_client result;
    str_init(packet, WIRE_MAX_SIZE);
    clientcheck_result(&check->check, &result);
    lookup_client_encode(&result, packet);
    return !packet->failed;
}

/* ---- checks -----------------------------------------------------------------------------------*/

static int64_t ttl_ms(uint32_t ttl_s)
{
    if (ttl_s < CLIENTS_TTL_LEAST_S)
        ttl_s = CLIENTS_TTL_LEAST_S;
    if (ttl_s > CLIENTS_TTL_MOST_S)
        ttl_s = CLIENTS_TTL_MOST_S;
    return (int64_t)ttl_s * 1000;
}

/* The place that waits for the check's result; NULL when it had to make room. */
static struct answer *place_of(struct clients *clients, const struct clients_check *check)
{
    struct recent_key key = key_of(&check->check.client);
    struct answer *answer = as_answer(recent_find(&clients->answers, &key));
    return answer && answer->check == check ? answer : NULL;
}

/* Takes the packet over, unless nobody should rely on it any more. */
static void remember(struct clients *clients, const struct clients_check *check, struct str *packet)
{
    struct answer *answer = place_of(clients, check);
    if (!answer || !clientcheck_is_current(&check->check))
        return;
    answer->packet = *packet;
    answer->ends = clock_deadline(ttl_ms(check->check.ttl_s));
    clients->bytes += packet->size;
    str_init(packet, 0);
    while (clients->bytes > CLIENTS_BYTES_MAX && clients->answers.oldest != &answer->entry)
        recent_remove(&clients->answers, clients->answers.oldest);
}

static void end_check(struct clients *clients, struct clients_check *check)
{
    struct answer *answer = place_of(clients, check);
    if (answer)
        answer->check = NULL;
    loop_clear_timer(clients->loop, &check->patience);
    if (check->previous)
        check->previous->next = check->next;
    else
        clients->checks = check->next;
    if (check->next)
        check->next->previous = check->previous;
    clients->check_count--;
    free(check);
}

static void check_done(struct clientcheck *done)
{
    struct clients_check *check = (struct clients_check *)(void *)done;
    struct clients *clients = check->clients;
    struct str packet;
    if (put_result(check, &packet)) {
        answer_waiters(check, str_slice(&packet));
        remember(clients, check, &packet);
    }
    str_free(&packet);
    end_check(clients, check);
}

/* The rest comes too late for those who wait now, but may be kept for others. */
static void answer_partly(struct clients_check *check)
{
    struct str packet;
    check->is_late = true;
    if (put_result(check, &packet))
        answer_waiters(check, str_slice(&packet));
    str_free(&packet);
}

static void patience_over(struct loop_timer *timer)
{
    answer_partly(timer->owner);
}

static bool join_check(struct clients_check *check, struct service_peer *peer)
{
    if (!wait_for(check, peer))
        return false;
    if (check->is_late)
        answer_partly(check);
    return true;
}

static struct clients_check *make_check(struct clients *clients)
{
    bool has_room = clients->check_count < CLIENTS_CHECKS_MAX;
    struct clients_check *check = has_room ? calloc(1, sizeof *check) : NULL;
    if (!check) {
        if (!clients->is_full)
            log_event("too-many-questions", NULL, NULL);
        clients->is_full = true;
        return NULL;
    }
    clients->is_full = false;
    check->clients = clients;
    check->next = clients->checks;
    if (clients->checks)
        clients->checks->previous = check;
    clients->checks = check;
    clients->check_count++;
    return check;
}

static bool begin_check(struct clients *clients, const struct ip *client, struct answer *answer,
                        struct service_peer *peer)
{
    struct clients_check *check = make_check(clients);
    if (!check)
        return false;
    if (!wait_for(check, peer) ||
        !loop_set_timer(clients->loop, &check->patience, clock_deadline(CLIENTS_PATIENCE_MS),
                        patience_over, check)) {
        clients_gone(peer);
        end_check(clients, check);
        return false;
    }
    answer->check = check;
    clientcheck_start(&check->check, &clients->context, client, check_done);
    return true;
}

static struct answer *find_answer(struct clients *clients, const struct ip *client)
{
    struct recent_key key = key_of(client);
    struct answer *answer = as_answer(recent_get(&clients->answers, &key));
    if (answer && !answer->clients) {
        answer->clients = clients;
        str_init(&answer->packet, WIRE_MAX_SIZE);
    }
    return answer;
}

static void forget_packet(struct answer *answer)
{
    answer->clients->bytes -= answer->packet.size;
    str_free(&answer->packet);
    answer->ends = 0;
}

void clients_ask(struct clients *clients, const struct ip *client, struct service_peer *peer)
{
    struct answer *answer = find_answer(clients, client);
    if (answer && answer->ends > clock_ms()) {
        answer_peer(peer, str_slice(&answer->packet));
        return;
    }
    if (answer && answer->ends > 0)
        forget_packet(answer);
    bool waits = answer && (answer->check ? join_check(answer->check, peer)
                                          : begin_check(clients, client, answer, peer));
    if (!waits)
        answer_unknown(peer);
}
