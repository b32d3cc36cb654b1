/* scanner - see scanner.h */
#include "scanner.h"

#include "clock.h"
#include "io.h"
#include "log.h"
#include "peer.h"
#include "scan.h"
#include "schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { PACKET_MAX = 256, PER_ROUND = 50, OLD_TURN = 8 };

struct scanner_connection {
    struct scanner *scanner;
    struct message *message; /* NULL: idle */
    int fd;
    struct loop_watch watch;
    struct loop_timer timer;
    struct scanner_connection *next, *previous;
};

static void wake(struct scanner *scanner);

/* ---- the lines ----------------------------------------------------------------------------------
 */

static bool is_in_turns(const struct message *message)
{
    return message->is_fresh && message->tenant;
}

static void line_add(struct scanner *scanner, struct message *message, bool is_first)
{
    struct tenant *tenant = message->tenant;
    bool is_new = is_in_turns(message);
    struct message_list *list = is_new ? &tenant->scans : &scanner->old;
    message->state = MESSAGE_UNSCANNED;
    if (is_first)
        message_list_prepend(list, message);
    else
        message_list_append(list, message);
    scanner->fresh_count += is_new ? 1 : 0;
    if (is_new)
        ring_append(&scanner->tenants, &tenant->scan_node, tenant);
}

static void line_remove(struct scanner *scanner, struct message *message)
{
    struct tenant *tenant = message->tenant;
    if (!is_in_turns(message)) {
        message_list_remove(&scanner->old, message);
        return;
    }
    message_list_remove(&tenant->scans, message);
    scanner->fresh_count--;
    if (tenant->scans.count == 0)
        ring_remove(&tenant->scan_node);
}

static struct message *take(struct scanner *scanner)
{
    bool is_old_turn = ++scanner->turn % OLD_TURN == 0;
    struct message *message = scanner->old.first;
    if (scanner->fresh_count > 0 && (!message || !is_old_turn)) {
        struct tenant *tenant = ring_turn(&scanner->tenants);
        message = tenant ? tenant->scans.first : message;
    }
    if (message)
        line_remove(scanner, message);
    return message;
}

/* ---- connections --------------------------------------------------------------------------------
 */

static void connection_close(struct scanner_connection *connection)
{
    struct scanner *scanner = connection->scanner;
    loop_clear_timer(scanner->loop, &connection->timer);
    loop_remove(scanner->loop, &connection->watch);
    io_close(&connection->fd);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        scanner->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    free(connection);
}

/* Takes the message off the connection. */
static struct message *release(struct scanner_connection *connection)
{
    struct message *message = connection->message;
    struct scanner *scanner = connection->scanner;
    if (!message)
        return NULL;
    connection->message = NULL;
    loop_clear_timer(scanner->loop, &connection->timer);
    scanner->busy--;
    wake(scanner);
    return message;
}

static void fail(struct scanner_connection *connection, const char *reason)
{
    struct scanner *scanner = connection->scanner;
    struct message *message = release(connection);
    connection_close(connection);
    if (message)
        scanner->hooks->done(scanner->owner, message, SCANNER_FAILED, slice_text(reason));
}

enum scanner_result scanner_read_answer(const struct wire_message *answer, struct slice *text)
{
    static const struct {
        const char *word;
        enum scanner_result result;
    } words[] = {
        {"clean", SCANNER_CLEAN},
        {"infected", SCANNER_INFECTED},
        {"refused", SCANNER_REFUSED},
        {"failed", SCANNER_FAILED},
    };
    *text = wire_field(answer, 1);
    for (size_t i = 0; answer->count == 2 && i < sizeof words / sizeof *words; i++)
        if (slice_equal(wire_field(answer, 0), slice_text(words[i].word)))
            return words[i].result;
    *text = SLICE("the scanner's answer is not understood");
    return SCANNER_FAILED;
}

static void answer_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct scanner_connection *connection = watch->owner;
    struct scanner *scanner = connection->scanner;
    struct slice text;
    enum wire_result result = wire_receive(connection->fd, &scanner->incoming, CLOCK_NEVER);
    if (result == WIRE_TIMEOUT)
        return;
    if (result != WIRE_OK || !connection->message) {
        fail(connection, "the scanner closed the connection");
        return;
    }
    struct message *message = release(connection);
    enum scanner_result verdict = scanner_read_answer(&scanner->incoming, &text);
    scanner->hooks->done(scanner->owner, message, verdict, text);
}

static void answer_late(struct loop_timer *timer)
{
    log_trouble("wait for an answer of", SCAN_SOCKET, ETIMEDOUT, "see the log of scand");
    fail(timer->owner, "the scanner took too long");
}

static struct scanner_connection *connection_new(struct scanner *scanner)
{
    struct scanner_connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return NULL;
    *connection = (struct scanner_connection){
        .scanner = scanner, .fd = peer_connect(SCAN_SOCKET), .next = scanner->connections};
    if (connection->fd < 0 || !loop_add(scanner->loop, &connection->watch, connection->fd, EPOLLIN,
                                        answer_ready, connection)) {
        io_close(&connection->fd);
        free(connection);
        return NULL;
    }
    if (scanner->connections)
        scanner->connections->previous = connection;
    scanner->connections = connection;
    return connection;
}

static struct scanner_connection *find_idle(const struct scanner *scanner)
{
    struct scanner_connection *connection = scanner->connections;
    while (connection && connection->message)
        connection = connection->next;
    return connection;
}

/* scand does not take questions: everybody waits. */
static void pause_scanning(struct scanner *scanner)
{
    struct log_line line;
    int error = errno;
    int64_t wait = schedule_peer_wait_ms(++scanner->failures);
    scanner->paused_until = clock_deadline(wait);
    log_begin(&line, "trouble");
    log_text(&line, "action", "ask");
    log_text(&line, "object", SCAN_SOCKET);
    log_text(&line, "cause", strerror(error));
    log_number(&line, "waiting", (int64_t)(scanner->fresh_count + scanner->old.count));
    log_number(&line, "again_ms", wait);
    log_text(&line, "remedy", "see that scand runs; mail waits meanwhile");
    log_end(&line);
}

static bool send_question(struct scanner_connection *connection, const struct message *message,
                          int fd, uint64_t start, uint64_t size)
{
    struct str packet;
    str_init(&packet, PACKET_MAX);
    wire_put_text(&packet, SCAN_PROTOCOL);
    wire_put_text(&packet, message->id);
    wire_put_number(&packet, start);
    wire_put_number(&packet, size);
    bool sent =
        !packet.failed && wire_send(connection->fd, str_slice(&packet), &fd, 1, 0) == WIRE_OK;
    str_free(&packet);
    return sent;
}

/* Asks about one message. False: scand can't be asked now, and the message is in line again. */
static bool ask(struct scanner *scanner, struct message *message)
{
    int fd;
    uint64_t start, size;
    message->state = MESSAGE_SCANNING;
    message->started_ms = clock_ms();
    if (!scanner->hooks->prepare(scanner->owner, message, &fd, &start, &size)) {
        scanner->hooks->done(scanner->owner, message, SCANNER_DROPPED, SLICE(""));
        return true;
    }
    if (scanner->is_off) {
        scanner->hooks->done(scanner->owner, message, SCANNER_SKIPPED, SLICE(""));
        return true;
    }
    for (;;) {
        struct scanner_connection *idle = find_idle(scanner);
        struct scanner_connection *connection = idle ? idle : connection_new(scanner);
        if (!connection) {
            line_add(scanner, message, true);
            return false;
        }
        connection->message = message;
        scanner->busy++;
        if (send_question(connection, message, fd, start, size) &&
            loop_set_timer(scanner->loop, &connection->timer, clock_deadline(SCANNER_TIMEOUT_MS),
                           answer_late, connection)) {
            scanner->failures = 0;
            return true;
        }
        int error = errno;
        release(connection);
        connection_close(connection);
        if (!idle) {
            errno = error;
            line_add(scanner, message, true);
            return false;
        }
        /* An idle connection may be of a scand that is gone: the next one, or a new one. */
    }
}

static bool is_paused(const struct scanner *scanner)
{
    return scanner->paused_until > 0 && scanner->paused_until > clock_ms();
}

static void hand_out(struct loop_timer *timer)
{
    struct scanner *scanner = timer->owner;
    unsigned given = 0;
    while (scanner->busy < scanner->connection_max && !scanner->is_stopping &&
           !is_paused(scanner)) {
        /* Others have their turn, too, where nothing here makes us wait. */
        if (++given > PER_ROUND) {
            wake(scanner);
            return;
        }
        struct message *message = take(scanner);
        if (!message)
            return;
        if (!ask(scanner, message))
            pause_scanning(scanner);
    }
    if (is_paused(scanner))
        loop_set_timer(scanner->loop, &scanner->wake, scanner->paused_until, hand_out, scanner);
}

static void wake(struct scanner *scanner)
{
    loop_set_timer(scanner->loop, &scanner->wake, 0, hand_out, scanner);
}

void scanner_init(struct scanner *scanner, struct loop *loop, const struct scanner_hooks *hooks,
                  void *owner)
{
    *scanner = (struct scanner){.loop = loop, .hooks = hooks, .owner = owner, .connection_max = 1};
    ring_init(&scanner->tenants);
    wire_init(&scanner->incoming);
}

void scanner_free(struct scanner *scanner)
{
    scanner->is_stopping = true;
    while (scanner->connections) {
        release(scanner->connections); /* NOLINT(clang-analyzer-unix.Malloc): the head moves on */
        connection_close(scanner->connections);
    }
    loop_clear_timer(scanner->loop, &scanner->wake);
    wire_free(&scanner->incoming);
}

void scanner_set_limit(struct scanner *scanner, unsigned connections)
{
    scanner->connection_max =
        connections < SCANNER_CONNECTIONS_MAX ? connections : SCANNER_CONNECTIONS_MAX;
    wake(scanner);
}

void scanner_set_off(struct scanner *scanner, bool is_off)
{
    scanner->is_off = is_off;
    wake(scanner);
}

void scanner_add(struct scanner *scanner, struct message *message)
{
    line_add(scanner, message, false);
    if (scanner->wake.position == 0)
        wake(scanner);
}

void scanner_forget(struct scanner *scanner, struct message *message)
{
    line_remove(scanner, message);
}

void scanner_hurry(struct scanner *scanner)
{
    scanner->paused_until = 0;
    wake(scanner);
}
