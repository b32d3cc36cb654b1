/* operator - see operator.h */
#include "operator.h"

#include "log.h"
#include "queuectl.h"

enum { FIRST_ID = 2, ANSWER_MAX = WIRE_MAX_SIZE, TEXT_MAX = 2048 };

static void answer(struct str *packet, bool done, struct slice text)
{
    wire_put_text(packet, done ? "ok" : "no");
    wire_put(packet, text);
}

/* A verb on each id named; "no" names those that are not there. */
static void for_each(struct manager *manager, const struct wire_message *message,
                     bool (*step)(struct manager *manager, struct slice id), struct str *packet)
{
    struct str text;
    size_t done = 0;
    str_init(&text, TEXT_MAX);
    for (size_t i = FIRST_ID; i < message->count; i++) {
        struct slice id = wire_field(message, i);
        if (step(manager, id)) {
            done++;
        } else {
            struct slice shown = slice_part(id, 0, QUEUEFILE_ID_SIZE);
            str_format(&text, "%sno message %.*s", text.size ? ", " : "", SLICE_PRINTF(shown));
        }
    }
    bool is_good = text.size == 0 && !text.failed && message->count > FIRST_ID;
    if (message->count <= FIRST_ID)
        str_append_text(&text, "name at least one id");
    else if (is_good)
        str_format(&text, "%zu", done);
    text.failed = false;
    answer(packet, is_good, str_slice(&text));
    wire_put_number(packet, done);
    str_free(&text);
}

static void run_flush(struct manager *manager, const struct wire_message *message,
                      struct str *packet)
{
    if (message->count > FIRST_ID) {
        for_each(manager, message, manager_flush, packet);
        return;
    }
    manager_flush_all(manager);
    answer(packet, true, SLICE("all"));
}

static void run_hold(struct manager *manager, const struct wire_message *message,
                     struct str *packet)
{
    for_each(manager, message, manager_hold, packet);
}

static void run_release(struct manager *manager, const struct wire_message *message,
                        struct str *packet)
{
    for_each(manager, message, manager_release, packet);
}

static void run_delete(struct manager *manager, const struct wire_message *message,
                       struct str *packet)
{
    for_each(manager, message, manager_delete, packet);
}

static void run_requeue(struct manager *manager, const struct wire_message *message,
                        struct str *packet)
{
    for_each(manager, message, manager_requeue, packet);
}

static void run_show(struct manager *manager, const struct wire_message *message,
                     struct str *packet)
{
    if (!manager_show(manager, wire_field(message, FIRST_ID), packet))
        answer(packet, false, SLICE("no such message"));
}

static void run_status(struct manager *manager, const struct wire_message *message,
                       struct str *packet)
{
    (void)message;
    struct str text;
    str_init(&text, TEXT_MAX);
    manager_status(manager, &text);
    answer(packet, !text.failed, str_slice(&text));
    str_free(&text);
}

static void run_measure(struct manager *manager, const struct wire_message *message,
                        struct str *packet)
{
    (void)message;
    manager_measure(manager);
    answer(packet, true, SLICE("full mailboxes are measured"));
}

static const struct verb {
    const char *name;
    void (*run)(struct manager *manager, const struct wire_message *message, struct str *packet);
} verbs[] = {
    {"flush", run_flush},     {"hold", run_hold},     {"measure", run_measure},
    {"release", run_release}, {"delete", run_delete}, {"requeue", run_requeue},
    {"show", run_show},       {"status", run_status},
};

void operator_run(struct manager *manager, const struct wire_message *message, struct str *packet)
{
    if (!slice_equal(wire_field(message, 0), SLICE(QUEUECTL_PROTOCOL))) {
        answer(packet, false, SLICE("not " QUEUECTL_PROTOCOL));
        return;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (slice_equal(wire_field(message, 1), slice_text(verbs[i].name))) {
            verbs[i].run(manager, message, packet);
            return;
        }
    answer(packet, false, SLICE("verbs: flush hold measure release delete requeue show status"));
}

static void log_command(const struct service_peer *peer, const struct wire_message *message)
{
    struct log_line line;
    log_begin(&line, "command");
    log_number(&line, "uid", (int64_t)peer->uid);
    log_value(&line, "verb", wire_field(message, 1));
    log_number(&line, "ids", message->count > FIRST_ID ? (int64_t)(message->count - FIRST_ID) : 0);
    log_end(&line);
}

static void take_message(struct service_peer *peer, struct wire_message *message)
{
    struct str packet;
    str_init(&packet, ANSWER_MAX);
    bool only_looks = slice_equal(wire_field(message, 1), SLICE("status")) ||
                      slice_equal(wire_field(message, 1), SLICE("show"));
    if (!only_looks)
        log_command(peer, message);
    operator_run(peer->service->owner, message, &packet);
    if (packet.failed)
        service_close(peer);
    else
        service_answer(peer, str_slice(&packet), NULL, 0);
    str_free(&packet);
}

static bool is_welcome(uid_t uid, void *owner)
{
    (void)owner;
    return uid == 0;
}

bool operator_start(struct service *service, struct loop *loop, int fd, struct manager *manager)
{
    return service_start(service, loop, fd, OPERATOR_PEERS_MAX, is_welcome, take_message, NULL,
                         manager);
}
