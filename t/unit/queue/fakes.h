/*
 * fakes - a manager with a scand, a spawnd and workers of our own, for tests of whole lives
 *
 * The fakes are threads. What a worker answers is in the recipient's name: ok..., later..., never...,
 * down... (can't be reached), dsn... (done, and the next server reports), die... (it closes the
 * connection), last... (done, but of the next request it reads nothing: it dies). The scanner looks for words in the message.
 */
#ifndef T_UNIT_QUEUE_FAKES_H
#define T_UNIT_QUEUE_FAKES_H

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
static bool spawnd_refuses, bounce_refuses;
static _Atomic unsigned scans; /* that were asked for */

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void note(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    pthread_mutex_lock(&lock);
    str_format_list(&asked, format, list);
    pthread_mutex_unlock(&lock);
    va_end(list);
}

static void reply(int fd, const char *first, ...) __attribute__((sentinel));
static inline void reply(int fd, const char *first, ...)
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
    {"half", "Z", "4.3.0", "it can't be forwarded now"},
    {"never", "D", "5.1.1", "no such user"},
    {"down", "Z", "4.4.1", "can't connect"},
    {"dsn", "K", "2.1.5", "250 2.1.5 fine, I report"},
    {"last", "K", "2.0.0", "fine"},
};

static inline bool put_verdict(struct str *packet, struct slice recipient)
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

/* One line: kind, sender, envid, then address, action (but failed), status, text, orcpt, server. */
static inline void note_report(const struct wire_message *message)
{
    struct str line;
    str_init(&line, WIRE_MAX_SIZE);
    str_format(&line, "bounce %.*s <%.*s>", SLICE_PRINTF(wire_field(message, 6)),
               SLICE_PRINTF(wire_field(message, 4)));
    if (wire_field(message, 11).size > 0)
        str_format(&line, " envid=%.*s", SLICE_PRINTF(wire_field(message, 11)));
    for (size_t i = 12; i < message->count; i++) {
        struct slice field = wire_field(message, i);
        if (field.size > 0 && !slice_equal(field, SLICE("failed")))
            str_format(&line, " %.*s", SLICE_PRINTF(field));
    }
    note("%s\n", str_text(&line));
    str_free(&line);
}

/* Answers one request; false: dies instead. */
static inline bool work(int fd, const struct wire_message *message)
{
    struct str packet;
    bool lives = true, is_last = false;
    str_init(&packet, WIRE_MAX_SIZE);
    struct slice kind = wire_field(message, 0);
    struct slice sender = wire_field(message, 4);
    if (slice_equal(kind, SLICE("local/4"))) {
        bool is_repeat = slice_equal(wire_field(message, 10), SLICE("1"));
        note("local %.*s %.*s add=%zu%s\n", SLICE_PRINTF(wire_field(message, 5)),
             SLICE_PRINTF(wire_field(message, 6)), wire_field(message, 7).size,
             is_repeat ? " repeat" : "");
        lives = put_verdict(&packet, wire_field(message, 6));
        is_last = slice_starts(wire_field(message, 6), SLICE("last"));
    } else if (slice_equal(kind, SLICE("remote/2"))) {
        note("remote %.*s:%.*s <%.*s> %zu\n", SLICE_PRINTF(wire_field(message, 9)),
             SLICE_PRINTF(wire_field(message, 10)), SLICE_PRINTF(sender),
             (message->count - 12) / 3);
        for (size_t i = 12; i < message->count; i += 3) {
            struct slice recipient = wire_field(message, i);
            lives = put_verdict(&packet, recipient) && lives;
            wire_put_text(&packet, slice_starts(recipient, SLICE("dsn")) ? "1" : "0");
            wire_put_text(&packet, "mx.other.example");
        }
    } else {
        note_report(message);
        wire_put_text(&packet, bounce_refuses ? "Z" : "K");
        wire_put_text(&packet, bounce_refuses ? "4.3.0" : "2.0.0");
        wire_put_text(&packet, "0000000000000");
    }
    if (lives)
        wire_send(fd, str_slice(&packet), NULL, 0, CLOCK_NEVER);
    str_free(&packet);
    return lives && !(is_last && io_wait(fd, POLLIN, clock_deadline(20000)));
}

static inline void *serve_worker(void *argument)
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

static inline void answer_scan(int fd, struct wire_message *message)
{
    scans++;
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

static inline void *serve_scan(void *argument)
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

static inline void start_thread(void *(*run)(void *), int fd)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, (void *)(intptr_t)fd), 0);
    pthread_detach(thread);
}

static inline void *serve_spawn(void *argument)
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

static inline void *accept_all(void *argument)
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

static inline void start_fake(struct fake *fake, const char *path)
{
    pthread_t thread;
    fake->fd = unixsocket_listen(path, SOCK_SEQPACKET, 50);
    assert_true(fake->fd >= 0);
    assert_int_equal(pthread_create(&thread, NULL, accept_all, fake), 0);
    pthread_detach(thread);
}

static inline void stop_fake(struct fake *fake, const char *path)
{
    shutdown(fake->fd, SHUT_RDWR);
    unlink(path);
    usleep(20000);
    close(fake->fd);
}

/* ---- the directory ------------------------------------------------------------------------------ */

static inline void write_cdb(const char *path, const char *const pairs[][2])
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

static inline void write_directory(const char *const host[][2])
{
    static const char *const domains[][2] = {{"example.jp", "10:example.jp,5:70100,"},
                                             {"child.jp", "10:example.jp,5:70100,"},
                                             {NULL, NULL}};
    static const char *const accounts[][2] = {{"aok1", ""},
                                              {"aok2", ""},
                                              {"alater1", ""},
                                              {"ahalf1", ""},
                                              {"anever1", ""},
                                              {"adie1", ""},
                                              {"alast1", ""},
                                              {"scatch-all", ""},
                                              {"sadmin", ""},
                                              {"splus-addressing", "on"},
                                              {"smisuse-recipients", "0"},
                                              {"smisuse-rejected", "0"},
                                              {"smisuse-window", "600"},
                                              {"spostmaster", "box"},
                                              {"apostmaster", ""},
                                              {"sreceive", "on"},
                                              {"squota", "0"},
                                              {"sdomain-quota", "0"},
                                              {"sover-quota-reply", "452"},
                                              {"squota-warning", "80 95"},
                                              {"snotice-language", "both"},
                                              {NULL, NULL}};
    static const char *const routes[][2] = {{"routed.example", "relay.example:2525"},
                                            {".routed.example", "relay.example:2525"},
                                            {NULL, NULL}};
    write_cdb("cdb/domains.cdb", domains);
    write_cdb("cdb/domain/example.jp.cdb", accounts);
    write_cdb("cdb/routes.cdb", routes);
    write_cdb("cdb/host.cdb", host);
}

/* ---- the manager under test --------------------------------------------------------------------- */

struct fixture {
    struct loop loop;
    struct manager manager;
    int folder;
};

static struct fixture *fixture;

static inline int set_up(void **state)
{
    struct manager_folders folders;
    (void)state;
    fixture = calloc(1, sizeof *fixture);
    str_init(&asked, 1000000);
    spawnd_refuses = bounce_refuses = false;
    scans = 0;
    start_fake(&scand, SCAN_SOCKET);
    start_fake(&spawnd, SPAWN_SOCKET);
    if (!fixture || !loop_init(&fixture->loop) || !manager_open_folders(&folders) ||
        (fixture->folder = store_open_folder()) < 0)
        return -1;
    manager_init(&fixture->manager, &fixture->loop, &folders);
    manager_begin(&fixture->manager);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    stop_fake(&scand, SCAN_SOCKET);
    stop_fake(&spawnd, SPAWN_SOCKET);
    manager_free(&fixture->manager);
    loop_free(&fixture->loop);
    close(fixture->folder);
    free(fixture);
    usleep(20000); /* workers see the end of their sockets */
    str_free(&asked);
    return system("rm -f queue/*/*") != 0;
}

/* As after a crash: the manager forgets everything, and finds what lies in queue/message. */
static inline void restart(void)
{
    struct manager_folders folders;
    manager_free(&fixture->manager);
    assert_true(manager_open_folders(&folders));
    manager_init(&fixture->manager, &fixture->loop, &folders);
    DIR *list = opendir("queue/message");
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));)
        if (entry->d_name[0] != '.')
            manager_add(&fixture->manager, slice_text(entry->d_name), false);
    closedir(list);
    manager_begin(&fixture->manager);
}

/* "address", "address/NOTIFY", "address/NOTIFY/ORCPT" */
static inline bool add_recipient(struct envelope *envelope, struct slice words)
{
    unsigned notify;
    struct slice address = slice_cut(&words, '/');
    return dsn_parse_notify(slice_cut(&words, '/'), &notify) &&
           envelope_add_recipient_dsn(envelope, address, notify, words);
}

/* Puts a message for recipients (divided by blanks) into the queue, not announced yet. */
static inline void put(const char *sender, const char *recipients, const char *text, char *id)
{
    struct store store;
    struct envelope envelope;
    struct slice rest = slice_text(recipients);
    envelope_init(&envelope);
    str_append_text(&envelope.sender, sender);
    for (struct slice one; (one = slice_cut_word(&rest)).size > 0;)
        assert_true(add_recipient(&envelope, one));
    store_init(&store, fixture->folder);
    store_begin(&store, &envelope);
    store_write(&store, slice_text(text));
    assert_int_equal(store_commit(&store), VERDICT_OK);
    memcpy(id, store.id, sizeof store.id);
    store_free(&store);
    envelope_free(&envelope);
}

static inline void add(const char *sender, const char *recipients, const char *text, char *id)
{
    put(sender, recipients, text, id);
    manager_add(&fixture->manager, slice_text(id), true);
}

static inline bool is_settled(void)
{
    const struct manager *manager = &fixture->manager;
    if (manager_is_busy(manager) || manager->due.first || manager->scanner.fresh_count ||
        manager->scanner.old.count)
        return false;
    for (size_t i = 0; i < JOB_KINDS; i++)
        if (!ring_is_empty(&manager->pools[i].tenants) || manager->pools[i].wake.position != 0)
            return false;
    return manager->rest.position == 0;
}

/* Till nothing is left to do but to wait. */
static inline void run(void)
{
    int64_t deadline = clock_deadline(20000);
    do
        assert_true(loop_once(&fixture->loop, 5));
    while (!is_settled() && clock_ms() < deadline);
    assert_true(is_settled());
}

static inline void expect_asked(const char *text)
{
    pthread_mutex_lock(&lock);
    bool found = strstr(str_text(&asked) ? str_text(&asked) : "", text) != NULL;
    pthread_mutex_unlock(&lock);
    if (!found)
        fail_msg("not asked: %s\nbut: %s", text, str_text(&asked));
}

static inline unsigned count_asked(const char *text)
{
    unsigned count = 0;
    pthread_mutex_lock(&lock);
    for (const char *at = str_text(&asked); at && (at = strstr(at, text)); at++)
        count++;
    pthread_mutex_unlock(&lock);
    return count;
}

static inline char status_of(const char *id, size_t recipient)
{
    struct loaded *loaded;
    assert_int_equal(loaded_open(fixture->folder, id, &loaded), LOADED_OK);
    char status = loaded->file.recipients[recipient].status;
    loaded_close(&loaded);
    return status;
}

#define ID                                                                                         \
    char id[QUEUEFILE_ID_SIZE + 1];                                                                \
    (void)state

/* The group's set-up, with these settings of the host. */
static inline int enter_quietly(void **state, const char *const host[][2])
{
    if (folder_enter(state) < 0)
        return -1;
    write_directory(host);
    /* Log lines are not what is tested; cmocka's complaints still go where they went. */
    int kept = dup(STDERR_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (kept < 0 || nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0)
        return -1;
    stderr = fdopen(kept, "w");
    return close(nowhere);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
