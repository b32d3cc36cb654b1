/*
 * manager: whole lives of messages, with a scand, a spawnd and workers of our own
 *
 * The fakes are threads. What a worker answers is in the recipient's name: ok..., later..., never...,
 * down... (can't be reached), die... (it closes the connection). The scanner looks for words in the message.
 */
#include "folder.h"

#include "clock.h"
#include "failure.h"
#include "io.h"
#include "manager.h"
#include "operator.h"
#include "queuectl.h"
#include "scan.h"
#include "store.h"
#include "unixsocket.h"

#include <cdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

/* ---- the fakes ---------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* What workers were asked, one line each. */
static struct str asked;
static bool spawnd_refuses;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    pthread_mutex_lock(&lock);
    str_format_list(&asked, format, list);
    pthread_mutex_unlock(&lock);
    va_end(list);
}

static void reply(int fd, const char *first, ...) __attribute__((sentinel));
static void reply(int fd, const char *first, ...)
{
    struct str packet;
    va_list list;
    va_start(list, first);
    str_init(&packet, WIRE_MAX_SIZE);
    for (const char *field = first; field; field = va_arg(list, const char *))
        wire_put_text(&packet, field);
    va_end(list);
    wire_send(fd, str_slice(&packet), NULL, 0, CLOCK_NEVER);
    str_free(&packet);
}

static const struct {
    const char *name, *verdict, *status, *text;
} rules[] = {
    {"ok", "K", "2.0.0", "fine"},
    {"later", "Z", "4.2.0", "come back"},
    {"never", "D", "5.1.1", "no such user"},
    {"down", "Z", "4.4.1", "can't connect"},
};

static bool put_verdict(struct str *packet, struct slice recipient)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (slice_starts(recipient, slice_text(rules[i].name))) {
            wire_put_text(packet, rules[i].verdict);
            wire_put_text(packet, rules[i].status);
            wire_put_text(packet, rules[i].text);
            return true;
        }
    return false;
}

/* Answers one request; false: dies instead. */
static bool work(int fd, const struct wire_message *message)
{
    struct str packet;
    bool lives = true;
    str_init(&packet, WIRE_MAX_SIZE);
    struct slice kind = wire_field(message, 0);
    struct slice sender = wire_field(message, 4);
    if (slice_equal(kind, SLICE("local/1"))) {
        note("local %.*s %.*s add=%zu\n", SLICE_PRINTF(wire_field(message, 5)),
             SLICE_PRINTF(wire_field(message, 6)), wire_field(message, 7).size);
        lives = put_verdict(&packet, wire_field(message, 6));
    } else if (slice_equal(kind, SLICE("remote/2"))) {
        note("remote %.*s:%.*s <%.*s> %zu\n", SLICE_PRINTF(wire_field(message, 9)),
             SLICE_PRINTF(wire_field(message, 10)), SLICE_PRINTF(sender),
             (message->count - 12) / 3);
        for (size_t i = 12; i < message->count; i += 3) {
            lives = put_verdict(&packet, wire_field(message, i)) && lives;
            wire_put_text(&packet, "0");
        }
    } else {
        note("bounce %.*s <%.*s>", SLICE_PRINTF(wire_field(message, 6)), SLICE_PRINTF(sender));
        for (size_t i = 7; i < message->count; i += 3)
            note(" %.*s %.*s %.*s", SLICE_PRINTF(wire_field(message, i)),
                 SLICE_PRINTF(wire_field(message, i + 1)),
                 SLICE_PRINTF(wire_field(message, i + 2)));
        note("\n");
        wire_put_text(&packet, "K");
        wire_put_text(&packet, "2.0.0");
        wire_put_text(&packet, "0000000000000");
    }
    if (lives)
        wire_send(fd, str_slice(&packet), NULL, 0, CLOCK_NEVER);
    str_free(&packet);
    return lives;
}

static void *serve_worker(void *argument)
{
    struct wire_message message;
    int fd = (int)(intptr_t)argument;
    wire_init(&message);
    while (wire_receive(fd, &message, CLOCK_NEVER) == WIRE_OK && message.fd_count == 1 &&
           work(fd, &message))
        ;
    wire_free(&message);
    close(fd);
    return NULL;
}

static void answer_scan(int fd, struct wire_message *message)
{
    char bytes[1000];
    ssize_t got = pread(message->fds[0], bytes, sizeof bytes - 1, 0);
    bytes[got > 0 ? got : 0] = '\0';
    if (strstr(bytes, "VIRUS"))
        reply(fd, "infected", "Test-Virus", NULL);
    else if (strstr(bytes, "TOODEEP"))
        reply(fd, "refused", "archives within archives", NULL);
    else if (strstr(bytes, "NOSCAN"))
        reply(fd, "failed", "no signatures", NULL);
    else if (strstr(bytes, "NONSENSE"))
        reply(fd, "perhaps", "", NULL);
    else
        reply(fd, "clean", "X-Scanned: yes\r\n", NULL);
}

static void *serve_scan(void *argument)
{
    struct wire_message message;
    int fd = (int)(intptr_t)argument;
    wire_init(&message);
    while (wire_receive(fd, &message, CLOCK_NEVER) == WIRE_OK)
        answer_scan(fd, &message);
    wire_free(&message);
    close(fd);
    return NULL;
}

static void start_thread(void *(*run)(void *), int fd)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, (void *)(intptr_t)fd), 0);
    pthread_detach(thread);
}

static void *serve_spawn(void *argument)
{
    struct wire_message message;
    int fd = (int)(intptr_t)argument;
    wire_init(&message);
    while (wire_receive(fd, &message, CLOCK_NEVER) == WIRE_OK) {
        if (spawnd_refuses) {
            reply(fd, "temp", "not now", NULL);
            continue;
        }
        note("start %.*s %.*s\n", SLICE_PRINTF(wire_field(&message, 1)),
             SLICE_PRINTF(wire_field(&message, 2)));
        start_thread(serve_worker, wire_take_fd(&message, 0));
        reply(fd, "ok", "1", NULL);
    }
    wire_free(&message);
    close(fd);
    return NULL;
}

struct fake {
    int fd;
    void *(*serve)(void *);
};

static void *accept_all(void *argument)
{
    struct fake *fake = argument;
    for (;;) {
        if (!io_wait(fake->fd, POLLIN, CLOCK_NEVER))
            return NULL;
        int fd = accept(fake->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        start_thread(fake->serve, fd);
    }
}

static struct fake scand = {.serve = serve_scan}, spawnd = {.serve = serve_spawn};

static void start_fake(struct fake *fake, const char *path)
{
    pthread_t thread;
    fake->fd = unixsocket_listen(path, SOCK_SEQPACKET, 50);
    assert_true(fake->fd >= 0);
    assert_int_equal(pthread_create(&thread, NULL, accept_all, fake), 0);
    pthread_detach(thread);
}

static void stop_fake(struct fake *fake, const char *path)
{
    shutdown(fake->fd, SHUT_RDWR);
    unlink(path);
    usleep(20000);
    close(fake->fd);
}

/* ---- the directory ------------------------------------------------------------------------------ */

static void write_cdb(const char *path, const char *const pairs[][2])
{
    struct cdb_make make;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(cdb_make_start(&make, fd), 0);
    for (size_t i = 0; pairs[i][0]; i++)
        assert_int_equal(cdb_make_add(&make, pairs[i][0], (unsigned)strlen(pairs[i][0]),
                                      pairs[i][1], (unsigned)strlen(pairs[i][1])),
                         0);
    assert_int_equal(cdb_make_finish(&make), 0);
    close(fd);
}

static void write_directory(void)
{
    static const char *const domains[][2] = {{"example.jp", "10:example.jp,5:70100,"},
                                             {"child.jp", "10:example.jp,5:70100,"},
                                             {NULL, NULL}};
    static const char *const accounts[][2] = {
        {"aok1", ""},        {"aok2", ""},       {"alater1", ""}, {"anever1", ""},
        {"adie1", ""},       {"scatch-all", ""}, {"sadmin", ""},  {"spostmaster", "box"},
        {"apostmaster", ""}, {NULL, NULL}};
    static const char *const routes[][2] = {{"routed.example", "relay.example:2525"},
                                            {".routed.example", "relay.example:2525"},
                                            {NULL, NULL}};
    static const char *const host[][2] = {
        {"me", "mail.test"}, {"queue-lifetime", "1000"}, {NULL, NULL}};
    write_cdb("cdb/domains.cdb", domains);
    write_cdb("cdb/domain/example.jp.cdb", accounts);
    write_cdb("cdb/routes.cdb", routes);
    write_cdb("cdb/host.cdb", host);
}

/* ---- the manager under test --------------------------------------------------------------------- */

struct fixture {
    struct loop loop;
    struct manager manager;
    struct store_folders store;
};

static struct fixture *fixture;

static int set_up(void **state)
{
    struct manager_folders folders;
    (void)state;
    fixture = calloc(1, sizeof *fixture);
    str_init(&asked, 1000000);
    spawnd_refuses = false;
    start_fake(&scand, SCAN_SOCKET);
    start_fake(&spawnd, SPAWN_SOCKET);
    if (!fixture || !loop_init(&fixture->loop) || !manager_open_folders(&folders) ||
        !store_open_folders(&fixture->store))
        return -1;
    manager_init(&fixture->manager, &fixture->loop, &folders);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_fake(&scand, SCAN_SOCKET);
    stop_fake(&spawnd, SPAWN_SOCKET);
    manager_free(&fixture->manager);
    loop_free(&fixture->loop);
    close(fixture->store.tmp);
    close(fixture->store.message);
    free(fixture);
    usleep(20000); /* workers see the end of their sockets */
    str_free(&asked);
    return system("rm -f queue/*/*") != 0;
}

/* Puts a message for recipients (divided by blanks) into the queue, not announced yet. */
static void put(const char *sender, const char *recipients, const char *text, char *id)
{
    struct store store;
    struct envelope envelope;
    struct slice rest = slice_text(recipients);
    envelope_init(&envelope);
    str_append_text(&envelope.sender, sender);
    for (struct slice one; (one = slice_cut_word(&rest)).size > 0;)
        assert_true(envelope_add_recipient(&envelope, one));
    store_init(&store, &fixture->store);
    store_begin(&store, &envelope);
    store_write(&store, slice_text(text));
    assert_int_equal(store_commit(&store), VERDICT_OK);
    memcpy(id, store.id, sizeof store.id);
    store_free(&store);
    envelope_free(&envelope);
}

static void add(const char *sender, const char *recipients, const char *text, char *id)
{
    put(sender, recipients, text, id);
    manager_add(&fixture->manager, slice_text(id), true);
}

static bool is_settled(void)
{
    const struct manager *manager = &fixture->manager;
    if (manager_is_busy(manager) || manager->due.first || manager->scanner.fresh.count ||
        manager->scanner.old.count)
        return false;
    for (size_t i = 0; i < JOB_KINDS; i++)
        if (manager->pools[i].ring || manager->pools[i].wake.position != 0)
            return false;
    return manager->rest.position == 0;
}

/* Till nothing is left to do but to wait. */
static void run(void)
{
    int64_t deadline = clock_deadline(20000);
    do
        assert_true(loop_once(&fixture->loop, 20));
    while (!is_settled() && clock_ms() < deadline);
    assert_true(is_settled());
}

static void expect_asked(const char *text)
{
    pthread_mutex_lock(&lock);
    bool found = strstr(str_text(&asked) ? str_text(&asked) : "", text) != NULL;
    pthread_mutex_unlock(&lock);
    if (!found)
        fail_msg("not asked: %s\nbut: %s", text, str_text(&asked));
}

static unsigned count_asked(const char *text)
{
    unsigned count = 0;
    pthread_mutex_lock(&lock);
    for (const char *at = str_text(&asked); at && (at = strstr(at, text)); at++)
        count++;
    pthread_mutex_unlock(&lock);
    return count;
}

static char status_of(const char *id, size_t recipient)
{
    struct loaded *loaded;
    assert_int_equal(loaded_open(fixture->store.message, id, &loaded), LOADED_OK);
    char status = loaded->file.recipients[recipient].status;
    loaded_close(&loaded);
    return status;
}

#define ID                                                                                         \
    char id[QUEUEFILE_ID_SIZE + 1];                                                                \
    (void)state

/* ---- tests -------------------------------------------------------------------------------------- */

static void delivers_everywhere(void **state)
{
    ID;
    add("s@example.org",
        "ok1@example.jp ok2@child.jp ok@other.example ok2@other.example "
        "ok@routed.example ok@sub.routed.example",
        "hello\r\n", id);
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    assert_int_equal(fixture->manager.messages.count, 0);
    expect_asked("local ok1 ok1@example.jp add=16\n");
    expect_asked("local ok2 ok2@child.jp add=16\n");
    expect_asked("remote :25 <s@example.org> 2\n");
    expect_asked("remote relay.example:2525 <s@example.org> 2\n");
    expect_asked("start local example.jp\n");
    assert_int_equal(fixture->manager.delivered, 6);
}

static void keeps_workers_for_the_next(void **state)
{
    ID;
    for (int i = 0; i < 20; i++) {
        add("s@example.org", "ok1@example.jp ok@other.example", "hello\r\n", id);
        run();
    }
    assert_int_equal(count_asked("start local"), 1);
    assert_int_equal(count_asked("start remote"), 1);
    assert_int_equal(count_asked("local ok1"), 20);
}

static void reports_failures(void **state)
{
    ID;
    add("s@example.org", "never@other.example ok1@example.jp nobody@example.jp", "hello\r\n", id);
    run();
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
    assert_int_equal(count_asked("\nbounce "), 1);
    expect_asked("bounce failed <s@example.org> never@other.example 5.1.1 no such user "
                 "nobody@example.jp 5.1.1 there is no such mailbox here\n");
}

static void tries_again_what_may_work(void **state)
{
    ID;
    add("s@example.org", "ok1@example.jp later1@example.jp later@other.example", "hello\r\n", id);
    run();
    assert_int_equal(status_of(id, 0), 'D');
    assert_int_equal(status_of(id, 1), 'T');
    assert_int_equal(status_of(id, 2), 'T');
    assert_null(message_table_find(&fixture->manager.messages, slice_text(id))->loaded);
    assert_true(manager_flush(&fixture->manager, slice_text(id)));
    run();
    assert_int_equal(count_asked("local ok1 "), 1);
    assert_int_equal(count_asked("local later1 "), 2);
    assert_int_equal(count_asked("\nremote "), 2);
    assert_int_equal(count_asked("\nbounce "), 0);
}

static void reports_failures_while_others_wait(void **state)
{
    ID;
    add("s@example.org", "never1@example.jp later@other.example", "hello\r\n", id);
    run();
    assert_int_equal(count_asked("bounce failed <s@example.org> never1@example.jp"), 1);
    assert_int_equal(status_of(id, 0), 'D');
    assert_int_equal(status_of(id, 1), 'T');
    manager_flush_all(&fixture->manager);
    run();
    assert_int_equal(count_asked("\nbounce "), 1);
}

static void survives_dying_workers(void **state)
{
    ID;
    add("s@example.org", "die1@example.jp ok1@example.jp die@other.example", "hello\r\n", id);
    run();
    assert_int_equal(status_of(id, 0), 'T');
    assert_int_equal(status_of(id, 1), 'D');
    assert_int_equal(status_of(id, 2), 'T');
}

static void groups_recipients(void **state)
{
    ID;
    struct str recipients;
    str_init(&recipients, 100000);
    for (int i = 0; i < 250; i++)
        str_format(&recipients, "ok%d@other.example ", i);
    add("s@example.org", str_text(&recipients), "hello\r\n", id);
    run();
    assert_int_equal(count_asked("remote :25 <s@example.org> 60\n"), 4);
    assert_int_equal(count_asked("remote :25 <s@example.org> 10\n"), 1);
    assert_int_equal(folder_count("queue/message"), 0);
    str_free(&recipients);
}

static void reports_many_in_parts(void **state)
{
    ID;
    struct str recipients;
    str_init(&recipients, 100000);
    for (int i = 0; i < 150; i++)
        str_format(&recipients, "never%d@other.example ", i);
    add("s@example.org", str_text(&recipients), "hello\r\n", id);
    run();
    assert_int_equal(count_asked("bounce failed"), 3);
    assert_int_equal(count_asked("@other.example 5.1.1 no such user"), 150);
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
    str_free(&recipients);
}

static void stops_infected_mail(void **state)
{
    ID;
    add("s@example.org", "ok1@example.jp ok@other.example", "VIRUS\r\n", id);
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    assert_int_equal(asked.size, 0);
}

static void returns_refused_mail(void **state)
{
    ID;
    add("s@example.org", "ok1@example.jp", "TOODEEP\r\n", id);
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    expect_asked("bounce failed <s@example.org> ok1@example.jp 5.7.1 archives within archives\n");
    assert_int_equal(count_asked("\nlocal "), 0);
}

static void never_passes_unscanned(void **state)
{
    ID;
    static const char *const texts[] = {"NOSCAN\r\n", "NONSENSE\r\n"};
    for (size_t i = 0; i < 2; i++) {
        add("s@example.org", "ok1@example.jp", texts[i], id);
        run();
        manager_flush_all(&fixture->manager);
        run();
        assert_int_equal(status_of(id, 0), 'T');
    }
    assert_int_equal(asked.size, 0);
    assert_int_equal(folder_count("queue/message"), 2);
}

static void waits_for_the_scanner(void **state)
{
    ID;
    stop_fake(&scand, SCAN_SOCKET);
    add("s@example.org", "ok1@example.jp", "hello\r\n", id);
    for (int i = 0; i < 10; i++)
        assert_true(loop_once(&fixture->loop, 10));
    assert_int_equal(asked.size, 0);
    assert_int_equal(status_of(id, 0), 'T');
    start_fake(&scand, SCAN_SOCKET);
    run(); /* after half a second */
    expect_asked("local ok1 ok1@example.jp");
    assert_int_equal(folder_count("queue/message"), 0);
}

static void waits_for_spawnd(void **state)
{
    ID;
    spawnd_refuses = true;
    add("s@example.org", "ok1@example.jp", "hello\r\n", id);
    for (int i = 0; i < 10; i++)
        assert_true(loop_once(&fixture->loop, 10));
    assert_int_equal(asked.size, 0);
    spawnd_refuses = false;
    run();
    expect_asked("local ok1 ok1@example.jp");
    assert_int_equal(folder_count("queue/message"), 0);
}

/* Changes the time of arrival in the file. */
static void make_old(const char *id)
{
    char path[64];
    struct str content;
    str_init(&content, 100000);
    snprintf(path, sizeof path, "queue/message/%s", id);
    assert_true(io_read_file(AT_FDCWD, path, &content));
    char *at = strstr(content.data, "\narrived ");
    memcpy(at + 9, "1000000000", 10);
    folder_write(path, content.data, content.size);
    str_free(&content);
}

static void gives_up_in_the_end(void **state)
{
    ID;
    put("s@example.org", "later1@example.jp down@other.example ok1@example.jp", "hello\r\n", id);
    make_old(id);
    manager_add(&fixture->manager, slice_text(id), false);
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    expect_asked("later1@example.jp 5.4.7 come back");
    expect_asked("down@other.example 5.4.7 can't connect");
    expect_asked("local ok1 ");
}

static void gives_up_unscanned_mail(void **state)
{
    ID;
    put("s@example.org", "ok1@example.jp", "NOSCAN\r\n", id);
    make_old(id);
    manager_add(&fixture->manager, slice_text(id), false);
    run();
    expect_asked("bounce failed <s@example.org> ok1@example.jp 5.4.7 the message could not be "
                 "scanned in time\n");
    assert_int_equal(count_asked("\nlocal "), 0);
}

static void reports_to_postmaster_and_then_to_nobody(void **state)
{
    ID;
    add("", "never@other.example", "a report\r\n", id);
    run();
    expect_asked("bounce double <> never@other.example 5.1.1 no such user\n");
    add("#@[]", "never@other.example", "a report about a report\r\n", id);
    run();
    assert_int_equal(count_asked("\nbounce "), 1);
    expect_asked("remote :25 <> 1\n"); /* nobody else sees that sender */
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
}

static void spares_dead_destinations(void **state)
{
    ID;
    for (int i = 0; i < 3; i++) {
        add("s@example.org", "down@dead.example", "hello\r\n", id);
        run();
    }
    /* Twice it was tried; the third message waits without. Others are not touched. */
    assert_int_equal(count_asked("\nremote "), 2);
    add("s@example.org", "ok@other.example", "hello\r\n", id);
    run();
    assert_int_equal(count_asked("\nremote "), 3);
    assert_int_equal(fixture->manager.messages.count, 3);
    manager_flush_all(&fixture->manager);
    run();
    assert_true(count_asked("\nremote ") >= 5);
}

static void puts_garbage_aside(void **state)
{
    ID;
    folder_write("queue/message/0000000000000", "garbage", 7);
    manager_add(&fixture->manager, SLICE("0000000000000"), true);
    put("s@example.org", "ok1@example.jp", "hello\r\n", id);
    char path[64];
    snprintf(path, sizeof path, "queue/message/%s", id);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(truncate(path, info.st_size - 1), 0);
    manager_add(&fixture->manager, slice_text(id), true);
    manager_add(&fixture->manager, SLICE("../../etc/pass"), true);
    manager_add(&fixture->manager, SLICE("0000000000009"), true); /* no such file */
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    assert_int_equal(folder_count("queue/broken"), 2);
    assert_int_equal(fixture->manager.messages.count, 0);
    assert_int_equal(asked.size, 0);
}

static void goes_on_where_it_was(void **state)
{
    ID;
    /* As a crash leaves it: one done, one failed and noted, one to do. */
    put("s@example.org", "ok1@example.jp never@other.example ok2@example.jp", "hello\r\n", id);
    struct loaded *loaded;
    assert_int_equal(loaded_open(fixture->store.message, id, &loaded), LOADED_OK);
    assert_true(loaded_set_status(loaded, 0, QUEUEFILE_DONE));
    assert_true(loaded_set_status(loaded, 1, QUEUEFILE_FAILED));
    loaded_close(&loaded);
    manager_add(&fixture->manager, slice_text(id), false);
    manager_add(&fixture->manager, slice_text(id), true); /* announced a second time */
    run();
    assert_int_equal(count_asked("\nlocal "), 1);
    expect_asked("local ok2 ");
    expect_asked("bounce failed <s@example.org> never@other.example 5.0.0 delivery failed\n");
    assert_int_equal(folder_count("queue/message"), 0);
}

static void obeys_the_operator(void **state)
{
    ID;
    char other[QUEUEFILE_ID_SIZE + 1];
    struct manager *manager = &fixture->manager;
    add("s@example.org", "later@other.example", "hello\r\n", id);
    add("s@example.org", "later1@example.jp", "hello\r\n", other);
    run();
    assert_true(manager_hold(manager, slice_text(id)));
    assert_false(manager_hold(manager, SLICE("0000000000000")));
    assert_int_equal(folder_count("queue/hold"), 1);
    manager_flush_all(manager);
    run();
    assert_int_equal(count_asked("\nremote "), 1);
    assert_true(manager_release(manager, slice_text(id)));
    assert_false(manager_release(manager, slice_text(id)));
    assert_int_equal(folder_count("queue/hold"), 0);
    run();
    assert_int_equal(count_asked("remote :25"), 2);
    assert_true(manager_delete(manager, slice_text(id)));
    assert_true(manager_hold(manager, slice_text(other)));
    assert_true(manager_delete(manager, slice_text(other)));
    assert_false(manager_delete(manager, slice_text(other)));
    assert_int_equal(folder_count("queue/message") + folder_count("queue/hold"), 0);
    assert_int_equal(manager->messages.count, 0);
}

static void deletes_what_is_being_scanned(void **state)
{
    ID;
    struct manager *manager = &fixture->manager;
    add("s@example.org", "ok1@example.jp", "hello\r\n", id);
    assert_true(loop_once(&fixture->loop, 0)); /* the question is out */
    assert_true(manager_delete(manager, slice_text(id)));
    run();
    assert_int_equal(folder_count("queue/message"), 0);
    assert_int_equal(asked.size, 0);
}

static void answers_commands(void **state)
{
    ID;
    struct wire_message message;
    struct str packet;
    add("s@example.org", "later1@example.jp", "hello\r\n", id);
    run();
    str_init(&packet, 10000);
    wire_init(&message);
    message.fields[0] = SLICE(QUEUECTL_PROTOCOL);
    message.fields[1] = SLICE("status");
    message.count = 2;
    operator_run(&fixture->manager, &message, &packet);
    assert_true(slice_starts(str_slice(&packet), SLICE("2:ok,")));
    assert_non_null(strstr(str_text(&packet), "messages=1 "));
    str_clear(&packet);
    message.fields[1] = SLICE("delete");
    operator_run(&fixture->manager, &message, &packet);
    assert_true(slice_starts(str_slice(&packet), SLICE("2:no,")));
    str_clear(&packet);
    message.fields[2] = SLICE("0000000000000");
    message.fields[3] = slice_text(id);
    message.count = 4;
    operator_run(&fixture->manager, &message, &packet);
    assert_slice(str_slice(&packet), "2:no,24:no message 0000000000000,");
    assert_int_equal(folder_count("queue/message"), 0);
    str_clear(&packet);
    message.fields[1] = SLICE("dance");
    operator_run(&fixture->manager, &message, &packet);
    assert_true(slice_starts(str_slice(&packet), SLICE("2:no,")));
    wire_free(&message);
    str_free(&packet);
}

static void waits_when_the_directory_is_broken(void **state)
{
    ID;
    assert_int_equal(rename("cdb/domains.cdb", "cdb/away"), 0);
    add("s@example.org", "ok1@example.jp", "hello\r\n", id);
    run();
    assert_int_equal(status_of(id, 0), 'T');
    assert_int_equal(asked.size, 0);
    assert_int_equal(rename("cdb/away", "cdb/domains.cdb"), 0);
    manager_flush_all(&fixture->manager);
    run();
    expect_asked("local ok1 ");
}

static int enter(void **state)
{
    if (folder_enter(state) < 0)
        return -1;
    write_directory();
    /* Log lines are not what is tested; cmocka's complaints still go where they went. */
    int kept = dup(STDERR_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (kept < 0 || nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0)
        return -1;
    stderr = fdopen(kept, "w");
    return close(nowhere);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(delivers_everywhere),
        TEST(keeps_workers_for_the_next),
        TEST(reports_failures),
        TEST(tries_again_what_may_work),
        TEST(reports_failures_while_others_wait),
        TEST(survives_dying_workers),
        TEST(groups_recipients),
        TEST(reports_many_in_parts),
        TEST(stops_infected_mail),
        TEST(returns_refused_mail),
        TEST(never_passes_unscanned),
        TEST(waits_for_the_scanner),
        TEST(waits_for_spawnd),
        TEST(gives_up_in_the_end),
        TEST(gives_up_unscanned_mail),
        TEST(reports_to_postmaster_and_then_to_nobody),
        TEST(spares_dead_destinations),
        TEST(puts_garbage_aside),
        TEST(goes_on_where_it_was),
        TEST(obeys_the_operator),
        TEST(deletes_what_is_being_scanned),
        TEST(answers_commands),
        TEST(waits_when_the_directory_is_broken),
    };
    return cmocka_run_group_tests(tests, enter, folder_leave);
}
