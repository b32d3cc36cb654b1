/* inject: what leaves for queue-inject, its answers, and a peer that dies at any point */
#include "unit.h"

#include "inject.h"
#include "io.h"
#include "unixsocket.h"
#include "wire.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A queue-inject that takes connections one after the other, keeps what it reads, and answers the
 * message of each (seen by the empty netstring at its end) with the next of its answers. */
struct server {
    int fd;
    const char *const *answers;
    pthread_t thread;
    struct str input;
    unsigned connections;
};

enum { INPUT_MAX = 4000000 };

static bool ends_message(const struct str *input)
{
    return slice_ends(str_slice(input), SLICE(",0:,"));
}

static void *serve(void *argument)
{
    struct server *server = argument;
    while (*server->answers) {
        int fd;
        io_wait(server->fd, POLLIN, INT64_MAX);
        fd = accept(server->fd, NULL, NULL);
        server->connections++;
        size_t before = server->input.size;
        for (;;) {
            char bytes[10000];
            ssize_t got = read(fd, bytes, sizeof bytes);
            if (got <= 0)
                break;
            str_append(&server->input, slice_of(bytes, (size_t)got));
            if (!ends_message(&server->input) || server->input.size - before < 10)
                continue;
            const char *answer = *server->answers++;
            if (strcmp(answer, "close") != 0)
                (void)io_write_all(fd, slice_text(answer), INT64_MAX);
            break;
        }
        close(fd);
    }
    return NULL;
}

static void start(struct server *server, const char *const *answers)
{
    *server = (struct server){.answers = answers};
    str_init(&server->input, INPUT_MAX);
    server->fd = unixsocket_listen(INJECT_SOCKET, SOCK_STREAM, 5);
    assert_true(server->fd >= 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
    pthread_join(server->thread, NULL);
    str_free(&server->input);
    io_close(&server->fd);
}

static void fill(struct envelope *envelope)
{
    envelope_init(envelope);
    str_append_text(&envelope->origin, "by=test");
    str_append_text(&envelope->sender, "s@example.org");
    envelope_add_recipient(envelope, SLICE("u1@example.jp"));
    envelope_add_recipient(envelope, SLICE("u2@example.jp"));
}

#define ENVELOPE                                                                                   \
    "98:8:inject/"                                                                                 \
    "2,7:by=test,13:s@example.org,1:7,1:0,0:,0:,13:u1@example.jp,0:,0:,13:u2@example.jp,0:,0:,,"

static void sends_two_messages(void **state)
{
    (void)state;
    static const char *const answers[] = {"14:K0cw9x2k4m7q1p,", "9:Z4.3.1 no,", NULL};
    struct server server;
    struct inject inject;
    struct envelope envelope;
    struct str reply;
    start(&server, answers);
    fill(&envelope);
    inject_init(&inject);
    str_init(&reply, INJECT_REPLY_MAX);
    inject_begin(&inject, &envelope);
    inject_data(&inject, SLICE("Subject: x\r\n"));
    inject_data(&inject, SLICE("\r\n"));
    assert_int_equal(inject_finish(&inject, &reply), VERDICT_OK);
    assert_slice(str_slice(&reply), "0cw9x2k4m7q1p");
    inject_begin(&inject, &envelope);
    inject_data(&inject, SLICE("a\r\n"));
    assert_int_equal(inject_finish(&inject, &reply), VERDICT_TEMP);
    assert_slice(str_slice(&reply), "4.3.1 no");
    inject_close(&inject);
    pthread_join(server.thread, NULL);
    assert_int_equal(server.connections, 2);
    assert_slice(str_slice(&server.input),
                 ENVELOPE "14:Subject: x\r\n\r\n,0:," ENVELOPE "3:a\r\n,0:,");
    str_free(&server.input);
    io_close(&server.fd);
    str_free(&reply);
    envelope_free(&envelope);
}

static void cuts_long_messages_into_chunks(void **state)
{
    (void)state;
    static const char *const answers[] = {"3:K0c,", NULL};
    struct server server;
    struct inject inject;
    struct envelope envelope;
    struct str reply, joined;
    enum { SIZE = 300000, STEP = 7777 };
    char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)('a' + i % 23);
    start(&server, answers);
    fill(&envelope);
    inject_init(&inject);
    str_init(&reply, INJECT_REPLY_MAX);
    str_init(&joined, SIZE);
    inject_begin(&inject, &envelope);
    for (size_t at = 0; at < SIZE; at += STEP)
        inject_data(&inject, slice_part(slice_of(bytes, SIZE), at, STEP));
    assert_int_equal(inject.size, SIZE);
    assert_int_equal(inject_finish(&inject, &reply), VERDICT_OK);
    inject_close(&inject);
    pthread_join(server.thread, NULL);
    struct slice rest = str_slice(&server.input);
    struct slice field;
    assert_int_equal(wire_cut_netstring(&rest, rest.size, &field), 1);
    while (wire_cut_netstring(&rest, INJECT_CHUNK_MAX, &field) == 1 && field.size > 0)
        assert_true(str_append(&joined, field));
    assert_int_equal(rest.size, 0);
    assert_true(slice_equal(str_slice(&joined), slice_of(bytes, SIZE)));
    free(bytes);
    str_free(&server.input);
    str_free(&joined);
    str_free(&reply);
    io_close(&server.fd);
    envelope_free(&envelope);
}

static enum verdict send_one(struct inject *inject, struct str *reply)
{
    struct envelope envelope;
    fill(&envelope);
    inject_begin(inject, &envelope);
    inject_data(inject, SLICE("a\r\n"));
    enum verdict verdict = inject_finish(inject, reply);
    envelope_free(&envelope);
    return verdict;
}

struct answer_case {
    const char *name, *answer;
};
static const struct answer_case bad_answers[] = {
    {"closed", "close"},
    {"no netstring", "hello"},
    {"empty", "0:,"},
    {"more than one", "2:Kx,1:K,"},
    {"cut", "14:K0cw"},
    {"too long", "600:K"},
    {"unknown letter", "2:Qx,"},
};

static void counts_nonsense_as_trouble(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_answers / sizeof *bad_answers; i++) {
        const char *answers[] = {bad_answers[i].answer, NULL};
        struct server server;
        struct inject inject;
        struct str reply;
        start(&server, answers);
        inject_init(&inject);
        str_init(&reply, INJECT_REPLY_MAX);
        if (send_one(&inject, &reply) != VERDICT_TEMP)
            fail_msg("%s: no passing trouble", bad_answers[i].name);
        assert_true(reply.size > 0);
        inject_close(&inject);
        stop(&server);
        str_free(&reply);
    }
}

static void says_so_without_a_server(void **state)
{
    (void)state;
    struct inject inject;
    struct str reply;
    unlink(INJECT_SOCKET);
    inject_init(&inject);
    str_init(&reply, INJECT_REPLY_MAX);
    assert_int_equal(send_one(&inject, &reply), VERDICT_TEMP);
    assert_true(slice_starts(str_slice(&reply), SLICE("4.3.0 ")));
    inject_abort(&inject);
    inject_close(&inject);
    str_free(&reply);
}

static int enter_folder(void **state)
{
    static char folder[] = "/tmp/test_inject.XXXXXX";
    *state = mkdtemp(folder);
    return !*state || chdir(*state) < 0 || mkdir("run", 0700) < 0 || mkdir("run/inject", 0700) < 0;
}

static int leave_folder(void **state)
{
    unlink(INJECT_SOCKET);
    return rmdir("run/inject") || rmdir("run") || chdir("/") || rmdir(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_two_messages),
        cmocka_unit_test(cuts_long_messages_into_chunks),
        cmocka_unit_test(counts_nonsense_as_trouble),
        cmocka_unit_test(says_so_without_a_server),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
