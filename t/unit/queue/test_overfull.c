/* overfull: what stated is asked and told, and that nobody waits for it */
#include "folder.h"

#include "clock.h"
#include "io.h"
#include "overfull.h"
#include "unixsocket.h"

#include <cdb.h>
#include <sys/socket.h>

enum { QUICK_MS = 1000, ROUNDS_MAX = 200, SAID_MAX = 4096 };

/* stated as the tests want it; it serves between two rounds of the loop. */
struct stated {
    int listener, peers[2];
    size_t peer_count;
    bool is_stopped;
    const char *answer;    /* to "set" and "clear"; NULL: it closes the connection */
    const char *listed[3]; /* in the state; cleared ones leave */
    size_t listed_count;
    char bytes[SAID_MAX];
    struct str said; /* "verb name" in order, a line each */
};

struct fixture {
    struct loop loop;
    struct spawner spawner;
    struct directory directory;
    struct overfull overfull;
    struct stated stated;
};

static void start_stated(struct stated *stated)
{
    mkdir("run/stated", 0700);
    unlink(STATE_SOCKET);
    stated->listener = unixsocket_listen(STATE_SOCKET, SOCK_SEQPACKET, 8);
    assert_true(stated->listener >= 0);
}

static void stop_stated(struct stated *stated)
{
    io_close(&stated->listener);
    for (size_t i = 0; i < stated->peer_count; i++)
        io_close(&stated->peers[i]);
    stated->peer_count = 0;
    unlink(STATE_SOCKET);
}

static void write_no_domains(void)
{
    struct cdb_make make;
    int fd = open("cdb/domains.cdb", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(cdb_make_start(&make, fd), 0);
    assert_int_equal(cdb_make_finish(&make), 0);
    close(fd);
}

static void begin_test(struct fixture *fixture)
{
    *fixture = (struct fixture){.stated = {.listener = -1, .answer = "ok"}};
    fixture->stated.said = str_on(fixture->stated.bytes, SAID_MAX);
    write_no_domains();
    assert_true(loop_init(&fixture->loop));
    spawner_init(&fixture->spawner, &fixture->loop);
    directory_init(&fixture->directory);
    overfull_init(&fixture->overfull, &fixture->loop, &fixture->spawner, &fixture->directory);
}

static void end_test(struct fixture *fixture)
{
    stop_stated(&fixture->stated);
    overfull_free(&fixture->overfull);
    spawner_free(&fixture->spawner);
    directory_close(&fixture->directory);
    loop_free(&fixture->loop);
}

static void put_list(const struct stated *stated, const struct wire_message *question,
                     struct str *packet)
{
    uint64_t skip = 0;
    assert_true(wire_number(question, 3, 1000, &skip));
    wire_put_text(packet, "ok");
    for (size_t i = skip; i < stated->listed_count; i++)
        wire_put_text(packet, stated->listed[i]);
}

/* Takes it off the list. */
static void note_cleared(struct stated *stated, struct slice name)
{
    for (size_t i = 0; i < stated->listed_count; i++)
        if (slice_equal(name, slice_text(stated->listed[i])))
            stated->listed[i] = stated->listed[--stated->listed_count];
}

static void answer_one(struct stated *stated, size_t peer)
{
    struct wire_message question;
    struct str packet;
    wire_init(&question);
    str_init(&packet, WIRE_MAX_SIZE);
    if (wire_receive(stated->peers[peer], &question, 0) == WIRE_OK) {
        struct slice verb = wire_field(&question, 1);
        assert_slice(wire_field(&question, 0), "state/1");
        str_append(&stated->said, verb);
        str_append_byte(&stated->said, ' ');
        str_append(&stated->said, wire_field(&question, 2));
        str_append_byte(&stated->said, '\n');
        if (slice_equal(verb, SLICE("list")))
            put_list(stated, &question, &packet);
        else if (stated->answer)
            wire_put_text(&packet, stated->answer);
        if (slice_equal(verb, SLICE("clear")))
            note_cleared(stated, wire_field(&question, 2));
        if (packet.size > 0)
            assert_int_equal(wire_send(stated->peers[peer], str_slice(&packet), NULL, 0, 0),
                             WIRE_OK);
        else
            io_close(&stated->peers[peer]);
    }
    wire_free(&question);
    str_free(&packet);
}

static void serve(struct stated *stated)
{
    if (stated->listener < 0 || stated->is_stopped)
        return;
    while (stated->peer_count < 2) {
        int peer = accept4(stated->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer < 0)
            break;
        stated->peers[stated->peer_count++] = peer;
    }
    for (size_t i = 0; i < stated->peer_count; i++)
        if (stated->peers[i] >= 0)
            answer_one(stated, i);
}

static void run(struct fixture *fixture, const char *till)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        assert_true(loop_once(&fixture->loop, 5));
        serve(&fixture->stated);
        if (till && strstr(str_text(&fixture->stated.said), till))
            break;
    }
    for (int i = 0; i < 3; i++)
        assert_true(loop_once(&fixture->loop, 5));
}

static void tells_each_once(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_test(&fixture);
    start_stated(&fixture.stated);
    for (int i = 0; i < 3; i++) {
        overfull_note(&fixture.overfull, SLICE("u1@example.jp"), "full: 1.0 of 1.0 MB");
        overfull_note(&fixture.overfull, SLICE("@example.jp"), "full: 1.0 of 1.0 MB");
    }
    run(&fixture, "set @example.jp");
    assert_string_equal(str_text(&fixture.stated.said), "set u1@example.jp\nset @example.jp\n");
    assert_int_equal(fixture.overfull.note_count, 0);
    end_test(&fixture);
}

static void more_than_there_is_room_for_is_told_later(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_test(&fixture);
    start_stated(&fixture.stated);
    fixture.stated.is_stopped = true;
    char name[32];
    for (int i = 0; i < 3 * OVERFULL_NOTES_MAX; i++) {
        snprintf(name, sizeof name, "u%d@example.jp", i);
        overfull_note(&fixture.overfull, slice_text(name), "full: 1.0 of 1.0 MB");
    }
    assert_int_equal(fixture.overfull.note_count, OVERFULL_NOTES_MAX);
    fixture.stated.is_stopped = false;
    snprintf(name, sizeof name, "set u%d@", OVERFULL_NOTES_MAX - 1);
    run(&fixture, name);
    assert_int_equal(fixture.overfull.note_count, 0);
    overfull_note(&fixture.overfull, SLICE("u100@example.jp"), "full: 1.0 of 1.0 MB");
    run(&fixture, "set u100@");
    end_test(&fixture);
}

static void names_and_causes_that_are_too_long_are_dropped(void **state)
{
    (void)state;
    struct fixture fixture;
    static char name[OVERFULL_NAME_MAX + 1], cause[STATE_CAUSE_MAX + 2];
    begin_test(&fixture);
    memset(name, 'x', sizeof name - 1);
    memset(cause, 'x', sizeof cause - 1);
    overfull_note(&fixture.overfull, slice_text(name), "full: 1.0 of 1.0 MB");
    overfull_note(&fixture.overfull, SLICE("u1@example.jp"), cause);
    assert_int_equal(fixture.overfull.note_count, 0);
    end_test(&fixture);
}

/* Without stated, and with one that closes at each question: it is left alone for a minute. */
static void trouble_is_not_met_twice(void **state)
{
    (void)state;
    for (int is_there = 0; is_there < 2; is_there++) {
        struct fixture fixture;
        begin_test(&fixture);
        if (is_there)
            start_stated(&fixture.stated);
        fixture.stated.answer = NULL;
        overfull_note(&fixture.overfull, SLICE("u1@example.jp"), "full: 1.0 of 1.0 MB");
        overfull_note(&fixture.overfull, SLICE("u2@example.jp"), "full: 1.0 of 1.0 MB");
        run(&fixture, "set u1");
        assert_int_equal(fixture.overfull.note_count, 0);
        assert_true(fixture.overfull.state_down_until > clock_ms());
        overfull_note(&fixture.overfull, SLICE("u3@example.jp"), "full: 1.0 of 1.0 MB");
        assert_int_equal(fixture.overfull.note_count, 0);
        assert_string_equal(str_text(&fixture.stated.said), is_there ? "set u1@example.jp\n" : "");
        end_test(&fixture);
    }
}

static void nobody_waits_for_one_that_is_stopped(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_test(&fixture);
    start_stated(&fixture.stated);
    fixture.stated.is_stopped = true;
    int64_t start = clock_ms();
    overfull_note(&fixture.overfull, SLICE("u1@example.jp"), "full: 1.0 of 1.0 MB");
    overfull_hurry(&fixture.overfull);
    for (int i = 0; i < 60; i++)
        assert_true(loop_once(&fixture.loop, 5));
    assert_true(clock_ms() - start < QUICK_MS);
    assert_true(fixture.overfull.is_running);
    fixture.stated.is_stopped = false;
    run(&fixture, "list");
    assert_non_null(strstr(str_text(&fixture.stated.said), "set u1@example.jp\n"));
    end_test(&fixture);
}

/* Their domain is gone, or their names were never sound: the states end, and the round does. */
static void a_round_clears_what_is_gone(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_test(&fixture);
    start_stated(&fixture.stated);
    fixture.stated.listed[0] = "u1@gone.example";
    fixture.stated.listed[1] = "@gone.example";
    fixture.stated.listed[2] = "nonsense";
    fixture.stated.listed_count = 3;
    overfull_hurry(&fixture.overfull);
    run(&fixture, "clear nonsense");
    run(&fixture, NULL);
    assert_int_equal(fixture.stated.listed_count, 0);
    assert_false(fixture.overfull.is_running);
    end_test(&fixture);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_enter, folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(tells_each_once),
        IN_FOLDER(more_than_there_is_room_for_is_told_later),
        IN_FOLDER(names_and_causes_that_are_too_long_are_dropped),
        IN_FOLDER(trouble_is_not_met_twice),
        IN_FOLDER(nobody_waits_for_one_that_is_stopped),
        IN_FOLDER(a_round_clears_what_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
