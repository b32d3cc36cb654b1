/* scanworker: questions and answers over the socket, strangers, nonsense, letting go, the alarm */
#include "unit.h"

#include "clock.h"
#include "io.h"
#include "samples.h"
#include "scanworker.h"
#include "tempfolder.h"
#include "unixsocket.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MS = 20000 };

static struct engine engine;
static char base[] = "/tmp/mail-suite-worker-XXXXXX";
static char home[4096];
static struct scanworker_note *note;
static int listener = -1;

static int begin(void **state)
{
    (void)state;
    const char *const folders[] = {"etc/clamav", base};
    struct str hex;
    if (!mkdtemp(base) || !getcwd(home, sizeof home))
        return -1;
    str_init(&hex, 1000);
    str_append_text(&hex, "Pretended:0:*:");
    encode_hex(SLICE(SAMPLES_VIRUS), &hex);
    str_append_byte(&hex, '\n');
    char path[128];
    snprintf(path, sizeof path, "%s/own.ndb", base);
    FILE *file = fopen(path, "w");
    if (!file || fputs(str_text(&hex), file) < 0 || fclose(file) != 0)
        return -1;
    str_free(&hex);
    if (!engine_load(&engine, folders, 2, 60000) || chdir(base) < 0 || mkdir("run", 0700) < 0 ||
        mkdir("run/scand", 0700) < 0 || !tempfolder_make_base(getuid()))
        return -1;
    listener = unixsocket_listen("socket", SOCK_SEQPACKET, 10);
    note = mmap(NULL, sizeof *note, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return listener >= 0 && note != MAP_FAILED ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    engine_free(&engine);
    close(listener);
    return chdir(home) == 0 && tempfolder_remove(base) ? 0 : -1;
}

/* A worker in a process of its own, without the sandbox. */
static pid_t start(uid_t welcome, unsigned timeout_s)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    struct scanworker worker = {.listener = listener,
                                .welcome = welcome,
                                .timeout_s = timeout_s,
                                .engine = &engine,
                                .policy = {true, false},
                                .note = note};
    tempfolder_name(getpid(), worker.folder);
    if (!tempfolder_make(worker.folder) || !engine_set_folder(&engine, worker.folder))
        _exit(1);
    _exit(scanworker_serve(&worker) ? 0 : 2);
}

static int stop(pid_t pid)
{
    int status;
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int connect_to_worker(void)
{
    int fd = unixsocket_connect("socket", SOCK_SEQPACKET);
    assert_true(fd >= 0);
    return fd;
}

static enum wire_result ask(int peer, struct slice message)
{
    char path[] = "question-XXXXXX";
    struct str packet;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && unlink(path) == 0);
    assert_true(io_write_all(fd, SLICE("envelope"), CLOCK_NEVER));
    assert_true(io_write_all(fd, message, CLOCK_NEVER));
    str_init(&packet, 1000);
    wire_put_text(&packet, "scan/1");
    wire_put_text(&packet, "id");
    wire_put_number(&packet, 8);
    wire_put_number(&packet, message.size);
    enum wire_result result =
        wire_send(peer, str_slice(&packet), &fd, 1, clock_deadline(ANSWER_MS));
    str_free(&packet);
    close(fd);
    return result;
}

static void expect(int peer, const char *word)
{
    struct wire_message answer;
    wire_init(&answer);
    assert_int_equal(wire_receive(peer, &answer, clock_deadline(ANSWER_MS)), WIRE_OK);
    assert_int_equal(answer.count, 2);
    assert_slice(wire_field(&answer, 0), word);
    wire_free(&answer);
}

static void expect_close(int peer)
{
    struct wire_message answer;
    wire_init(&answer);
    assert_int_equal(wire_receive(peer, &answer, clock_deadline(ANSWER_MS)), WIRE_END);
    wire_free(&answer);
    close(peer);
}

#define HEAD "Received: from x\r\nSubject: y\r\n\r\n"

static void answers(void **state)
{
    (void)state;
    pid_t pid = start(getuid(), 60);
    int peer = connect_to_worker();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(peer, SLICE(HEAD "hello\r\n")), WIRE_OK);
        expect(peer, "clean");
        assert_int_equal(ask(peer, SLICE(HEAD SAMPLES_VIRUS "\r\n")), WIRE_OK);
        expect(peer, "infected");
    }
    assert_int_equal(ask(peer, SLICE("")), WIRE_OK);
    expect(peer, "clean");
    close(peer);
    assert_int_equal(stop(pid), 0);
}

static void strangers_and_nonsense_lose_the_connection(void **state)
{
    (void)state;
    pid_t pid = start(getuid() + 1, 60);
    expect_close(connect_to_worker());
    assert_int_equal(stop(pid), 0);
    pid = start(getuid(), 60);
    int peer = connect_to_worker();
    assert_int_equal(wire_send(peer, SLICE("not netstrings"), NULL, 0, CLOCK_NEVER), WIRE_OK);
    expect_close(peer);
    peer = connect_to_worker();
    assert_int_equal(wire_send(peer, SLICE("6:scan/1,1:a,1:0,1:1,"), NULL, 0, CLOCK_NEVER),
                     WIRE_OK);
    expect_close(peer);
    peer = connect_to_worker();
    assert_int_equal(ask(peer, SLICE(HEAD "still here\r\n")), WIRE_OK);
    expect(peer, "clean");
    close(peer);
    assert_int_equal(stop(pid), 0);
}

/* What arrived before SIGTERM is answered; what comes later fails at the sender. */
static void lets_go_without_losing_a_question(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        pid_t pid = start(getuid(), 60);
        int peer = connect_to_worker();
        assert_int_equal(ask(peer, SLICE(HEAD "one\r\n")), WIRE_OK);
        expect(peer, "clean");
        assert_int_equal(ask(peer, SLICE(HEAD SAMPLES_VIRUS "\r\n")), WIRE_OK);
        assert_int_equal(stop(pid), 0);
        expect(peer, "infected");
        assert_int_equal(ask(peer, SLICE(HEAD "late\r\n")), WIRE_END);
        expect_close(peer);
    }
}

/* Who has connected but not asked yet gets the first question answered. */
static void a_fresh_peer_gets_its_turn(void **state)
{
    (void)state;
    pid_t pid = start(getuid(), 60);
    int first = connect_to_worker();
    int second = connect_to_worker();
    usleep(200000);
    assert_int_equal(ask(first, SLICE(HEAD "one\r\n")), WIRE_OK);
    expect(first, "clean");
    /* The second waits: the first is let go when it is idle. */
    assert_int_equal(ask(second, SLICE(HEAD "two\r\n")), WIRE_OK);
    expect(second, "clean");
    expect_close(first);
    close(second);
    assert_int_equal(stop(pid), 0);
}

static void a_lost_folder_ends_the_worker(void **state)
{
    (void)state;
    char path[TEMPFOLDER_PATH_MAX];
    int status;
    pid_t pid = start(getuid(), 60);
    int peer = connect_to_worker();
    assert_int_equal(ask(peer, SLICE(HEAD "one\r\n")), WIRE_OK);
    expect(peer, "clean");
    tempfolder_name(pid, path);
    assert_true(tempfolder_remove(path));
    assert_int_equal(ask(peer, SLICE(HEAD SAMPLES_VIRUS "\r\n")), WIRE_OK);
    expect(peer, "failed");
    expect_close(peer);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}

static void the_alarm_ends_a_scan_that_takes_too_long(void **state)
{
    (void)state;
    struct str mail;
    int status;
    str_init(&mail, 64 * SAMPLES_MAX);
    samples_mail_begin(&mail);
    for (int i = 0; i < 12000; i++) {
        struct str zip;
        str_init(&zip, SAMPLES_MAX);
        samples_zips(&zip, SLICE("content that takes a while to look through"), 5);
        samples_mail_attach(&mail, str_slice(&zip));
        str_free(&zip);
    }
    samples_mail_end(&mail);
    pid_t pid = start(getuid(), 1);
    int peer = connect_to_worker();
    assert_int_equal(ask(peer, str_slice(&mail)), WIRE_OK);
    expect_close(peer);
    assert_string_equal(note->id, "id"); /* for the loader's log */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
    str_free(&mail);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(strangers_and_nonsense_lose_the_connection),
        cmocka_unit_test(lets_go_without_losing_a_question),
        cmocka_unit_test(a_fresh_peer_gets_its_turn),
        cmocka_unit_test(a_lost_folder_ends_the_worker),
        cmocka_unit_test(the_alarm_ends_a_scan_that_takes_too_long),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
