/* keyworker - see keyworker.h */
#include "keyworker.h"

#include "clock.h"
#include "exits.h"
#include "log.h"
#include "number.h"
#include "service.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct worker {
    struct loop loop;
    struct service service;
    struct loop_watch leash;
    struct loop_timer finish;
    const struct keyworker_task *task;
    bool finishing;
};

/* What this connection has asked already. */
struct asker {
    unsigned verbs; /* a bit for each entry of the table below */
    const struct keypair *pair;
};

static void answer_no(struct service_peer *peer, const char *reason)
{
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "no");
    wire_put_text(&packet, reason);
    (void)service_answer(peer, str_slice(&packet), NULL, 0);
    str_free(&packet);
}

/* Sends and wipes. */
static void answer(struct service_peer *peer, struct str *packet)
{
    if (packet->failed)
        answer_no(peer, "out of memory");
    else
        (void)service_answer(peer, str_slice(packet), NULL, 0);
    if (packet->data)
        explicit_bzero(packet->data, packet->capacity);
    str_free(packet);
}

static struct worker *worker_of(struct service_peer *peer)
{
    return peer->service->owner;
}

static size_t read_kinds(struct wire_message *message, size_t first, enum key_kind kinds[KEY_KINDS])
{
    size_t count = 0;
    for (size_t i = first; i < message->count && count < KEY_KINDS; i++)
        for (size_t kind = 0; kind < KEY_KINDS; kind++)
            if (count < KEY_KINDS &&
                slice_equal(wire_field(message, i), slice_text(key_kind_name((enum key_kind)kind))))
                kinds[count++] = (enum key_kind)kind;
    return count;
}

static void answer_chain(struct service_peer *peer, struct wire_message *message)
{
    struct asker *asker = peer->data;
    enum key_kind kinds[KEY_KINDS];
    size_t count = read_kinds(message, 3, kinds);
    asker->pair = keyset_find(worker_of(peer)->task->keyset, wire_field(message, 2), kinds, count);
    if (!asker->pair) {
        answer_no(peer, "no certificate for this name that the client could use");
        return;
    }
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "ok");
    wire_put_text(&packet, key_kind_name(asker->pair->kind));
    for (size_t i = 0; i < asker->pair->chain_length; i++)
        wire_put(&packet, asker->pair->chain[i]);
    answer(peer, &packet);
}

static void answer_sign(struct service_peer *peer, struct wire_message *message)
{
    const struct asker *asker = peer->data;
    unsigned char signature[KEY_SIGNATURE_MAX];
    uint64_t algorithm;
    size_t size = 0;
    if (asker->pair && wire_number(message, 2, UINT16_MAX, &algorithm))
        size = keypair_sign(asker->pair, (unsigned)algorithm, wire_field(message, 3), signature);
    if (size == 0) {
        answer_no(peer, "nothing that a server signs");
        return;
    }
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "ok");
    wire_put(&packet, slice_of(signature, size));
    answer(peer, &packet);
}

static bool read_bytes(struct wire_message *message, size_t index, unsigned char *bytes,
                       size_t size)
{
    struct slice field = wire_field(message, index);
    if (field.size != size)
        return false;
    memcpy(bytes, field.data, size);
    return true;
}

static void answer_load(struct service_peer *peer, struct wire_message *message)
{
    struct key_session session;
    struct str packet;
    unsigned char id[KEY_SESSION_ID_SIZE];
    if (!read_bytes(message, 2, id, sizeof id) ||
        !sessiontable_load(worker_of(peer)->task->sessions, id, clock_ms(), &session)) {
        answer_no(peer, "unknown");
        return;
    }
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "ok");
    wire_put_number(&packet, session.version);
    wire_put_number(&packet, session.suite);
    wire_put(&packet, slice_of(session.secret, sizeof session.secret));
    answer(peer, &packet);
    explicit_bzero(&session, sizeof session);
}

static void answer_save(struct service_peer *peer, struct wire_message *message)
{
    struct key_session session;
    uint64_t version;
    uint64_t suite;
    if (!read_bytes(message, 2, session.id, sizeof session.id) ||
        !wire_number(message, 3, UINT16_MAX, &version) ||
        !wire_number(message, 4, UINT16_MAX, &suite) ||
        !read_bytes(message, 5, session.secret, sizeof session.secret)) {
        answer_no(peer, "no session");
        return;
    }
    session.version = (uint16_t)version;
    session.suite = (uint16_t)suite;
    sessiontable_save(worker_of(peer)->task->sessions, &session, clock_ms());
    explicit_bzero(&session, sizeof session);
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "ok");
    answer(peer, &packet);
}

struct verb {
    struct slice name;
    void (*answer)(struct service_peer *peer, struct wire_message *message);
};

static const struct verb verbs[] = {
    {SLICE_INIT("load"), answer_load},
    {SLICE_INIT("chain"), answer_chain},
    {SLICE_INIT("sign"), answer_sign},
    {SLICE_INIT("save"), answer_save},
};

static void handle_message(struct service_peer *peer, struct wire_message *message)
{
    struct asker *asker = peer->data;
    if (!asker)
        asker = peer->data = calloc(1, sizeof *asker);
    for (size_t i = 0; asker && i < sizeof verbs / sizeof *verbs; i++) {
        unsigned bit = 1u << i;
        if (!slice_equal(wire_field(message, 1), verbs[i].name))
            continue;
        if ((asker->verbs & bit) || !slice_equal(wire_field(message, 0), SLICE("key/1")))
            break;
        asker->verbs |= bit;
        verbs[i].answer(peer, message);
        return;
    }
    service_close(peer); /* asked twice, or nothing that is in the protocol */
}

static void end_if_done(struct worker *worker)
{
    if (worker->finishing && worker->service.peer_count == 0)
        loop_stop(&worker->loop);
}

static void finish_due(struct loop_timer *timer)
{
    struct worker *worker = timer->owner;
    loop_stop(&worker->loop);
}

/* The peer is still counted when this is called. */
static void forget_peer(struct service_peer *peer)
{
    struct worker *worker = worker_of(peer);
    free(peer->data);
    if (worker->finishing && worker->service.peer_count == 1)
        loop_stop(&worker->loop);
}

static bool is_asker(uid_t uid, void *owner)
{
    const struct worker *worker = owner;
    return uid == worker->task->asker;
}

static void leash_ended(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct worker *worker = watch->owner;
    worker->finishing = true;
    loop_remove(&worker->loop, watch);
    loop_remove(&worker->loop, &worker->service.watch); /* the others take what comes now */
    end_if_done(worker);
    if (!loop_set_timer(&worker->loop, &worker->finish, clock_deadline(KEYWORKER_FINISH_MS),
                        finish_due, worker))
        loop_stop(&worker->loop);
}

int keyworker_run(const struct keyworker_task *task)
{
    struct worker worker = {.task = task};
    if (!loop_init(&worker.loop) ||
        !loop_add(&worker.loop, &worker.leash, task->leash, EPOLLIN, leash_ended, &worker) ||
        !service_start(&worker.service, &worker.loop, task->listener, KEYWORKER_PEERS_MAX, is_asker,
                       handle_message, forget_peer, &worker)) {
        log_trouble("start", "a worker", 0, NULL);
        return EXIT_PASSING;
    }
    bool done = loop_run(&worker.loop);
    worker.finishing = false;
    service_stop(&worker.service);
    loop_free(&worker.loop);
    return done ? EXIT_DONE : EXIT_PASSING;
}
