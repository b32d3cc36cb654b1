/* test_gate - seats, limits, rules, refusals */
#include "unit.h"

#include "access.h"
#include "connection.h"
#include "gate.h"
#include "io.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct ip address(const char *text)
{
    struct ip ip;
    assert_true(ip_parse(slice_text(text), &ip));
    return ip;
}

static void seats(void **state)
{
    struct seats all;
    struct ip a = address("192.0.2.1");
    struct ip b = address("2001:db8::1");
    struct ip same_64 = address("2001:db8::ffff:1");
    struct ip other_64 = address("2001:db8:0:1::1");
    (void)state;
    assert_true(seats_open(&all));
    for (pid_t pid = 1; pid <= 3; pid++)
        seats_sit(&all, seats_find_free(&all), pid, &a);
    struct seat *unnamed = seats_find_free(&all);
    seats_sit(&all, unnamed, 4, NULL); /* behind a proxy, not known yet */
    seats_sit(&all, seats_find_free(&all), 5, &b);
    assert_int_equal(all.count, 5);
    assert_int_equal(seats_of_client(&all, &a, NULL), 3);
    assert_int_equal(seats_of_client(&all, &a, &all.all[0]), 2);
    assert_int_equal(seats_of_client(&all, &same_64, NULL), 1);
    assert_int_equal(seats_of_client(&all, &other_64, NULL), 0);
    seats_name(unnamed, &same_64);
    assert_int_equal(seats_of_client(&all, &b, NULL), 2);
    assert_ptr_equal(seats_of(&all, 2), &all.all[1]);
    assert_ptr_equal(seats_at(&all, 1), &all.all[1]);
    seats_free(&all, &all.all[1]);
    assert_null(seats_of(&all, 2));
    assert_null(seats_at(&all, 1));
    assert_null(seats_at(&all, all.top));
    assert_int_equal(seats_of_client(&all, &a, NULL), 2);
    assert_ptr_equal(seats_find_free(&all), &all.all[1]); /* the lowest */
    for (pid_t pid = 1; pid <= 5; pid++)
        if (seats_of(&all, pid))
            seats_free(&all, seats_of(&all, pid));
    assert_int_equal(all.count, 0);
    assert_int_equal(all.top, 0);
    for (pid_t pid = 1; pid <= SEATS_CEILING; pid++)
        seats_sit(&all, seats_find_free(&all), pid, &a);
    assert_null(seats_find_free(&all));
    seats_close(&all);
}

static void put(struct cdb_make *make, const char *line, bool proxy)
{
    struct access_rule rule;
    struct str key, value;
    char error[ACCESS_ERROR_MAX];
    str_init(&key, ACCESS_KEY_MAX);
    str_init(&value, ACCESS_VALUE_MAX);
    assert_true(proxy ? access_parse_proxy(slice_text(line), &rule, error)
                      : access_parse(slice_text(line), &rule, error));
    assert_true(access_encode(&rule, &key, &value));
    assert_int_equal(
        cdb_make_add(make, key.data, (unsigned)key.size, value.data, (unsigned)value.size), 0);
    str_free(&key);
    str_free(&value);
}

static void write_rules(const char *line)
{
    struct cdb_make make;
    int fd = open("cdb/new", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(cdb_make_start(&make, fd), 0);
    put(&make, line, false);
    put(&make, "10.0.0.0/8", true);
    assert_int_equal(cdb_make_finish(&make), 0);
    close(fd);
    assert_int_equal(rename("cdb/new", ACCESS_FILE), 0);
}

static void gate(void **state)
{
    struct gate it = {.service = tcpservice_find(SLICE("smtp")),
                      .rules.file.fd = -1,
                      .limits = {.connections_max = 3, .connections_per_client = 2}};
    struct ip a = address("192.0.2.1");
    struct ip proxy = address("10.0.0.1");
    (void)state;
    assert_true(seats_open(&it.seats));
    /* Without a file everybody may come in, and nobody is a proxy. */
    assert_true(gate_refresh(&it));
    assert_true(gate_ask(&it, &a, NULL).pass);
    assert_false(gate_is_proxy(&it, &proxy));
    write_rules("smtp 192.0.2.0/24 allow RELAY=1");
    assert_true(gate_refresh(&it));
    struct gate_answer answer = gate_ask(&it, &a, NULL);
    assert_true(answer.pass);
    assert_slice(answer.variables, "RELAY=1");
    assert_true(gate_is_proxy(&it, &proxy));
    assert_false(gate_is_proxy(&it, &a));
    /* The file is opened anew when it was replaced. */
    write_rules("smtp 192.0.2.0/24 deny");
    assert_true(gate_refresh(&it));
    answer = gate_ask(&it, &a, NULL);
    assert_false(answer.pass);
    assert_int_equal(answer.refusal, TCPSERVICE_DENIED);
    /* Rules that were read once hold on when the file is gone. */
    assert_int_equal(unlink(ACCESS_FILE), 0);
    assert_true(gate_refresh(&it));
    assert_false(gate_ask(&it, &a, NULL).pass);
    access_close(&it.rules);
    /* Limits. */
    for (pid_t pid = 1; pid <= 2; pid++)
        seats_sit(&it.seats, seats_find_free(&it.seats), pid, &a);
    assert_true(gate_has_room(&it));
    answer = gate_ask(&it, &a, NULL);
    assert_false(answer.pass);
    assert_int_equal(answer.refusal, TCPSERVICE_CLIENT);
    assert_true(gate_ask(&it, &a, &it.seats.all[0]).pass); /* its own seat does not count */
    assert_true(gate_ask(&it, &proxy, NULL).pass);
    seats_sit(&it.seats, seats_find_free(&it.seats), 3, &proxy);
    assert_false(gate_has_room(&it));
    seats_close(&it.seats);
}

static void lmtp_is_for_loopback_and_whom_a_line_names(void **state)
{
    static const struct {
        const char *rule; /* NULL: no file */
        const char *client;
        bool passes;
    } cases[] = {
        {NULL, "127.0.0.1", true},
        {NULL, "::1", true},
        {NULL, "192.0.2.1", false},
        {"* 192.0.2.0/24 allow", "192.0.2.1", false},
        {"smtp 192.0.2.0/24 allow", "192.0.2.1", false},
        {"lmtp 192.0.2.0/24 allow", "192.0.2.1", true},
        {"lmtp 192.0.2.0/24 allow", "198.51.100.1", false},
        {"lmtp 127.0.0.0/8 deny", "127.0.0.1", false},
        {"* 127.0.0.0/8 deny", "127.0.0.1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gate it = {.service = tcpservice_find(SLICE("lmtp")),
                          .rules.file.fd = -1,
                          .limits = {.connections_max = 3, .connections_per_client = 2}};
        struct ip client;
        assert_true(ip_parse(slice_text(cases[i].client), &client));
        assert_true(seats_open(&it.seats));
        if (cases[i].rule)
            write_rules(cases[i].rule);
        assert_true(gate_refresh(&it));
        if (gate_ask(&it, &client, NULL).pass != cases[i].passes)
            fail_msg("%s, %s", cases[i].rule ? cases[i].rule : "no rule", cases[i].client);
        access_close(&it.rules);
        seats_close(&it.seats);
        if (cases[i].rule)
            assert_int_equal(unlink(ACCESS_FILE), 0);
    }
}

static void broken_rules(void **state)
{
    struct gate it = {.service = tcpservice_find(SLICE("smtp")), .rules.file.fd = -1};
    (void)state;
    int folder = open("cdb", O_RDONLY | O_DIRECTORY);
    assert_true(
        io_replace_file(folder, "access.cdb", SLICE("garbage"), 0600, (uid_t)-1, (gid_t)-1));
    close(folder);
    assert_false(gate_refresh(&it)); /* passing trouble, never "everybody" */
    assert_int_equal(unlink(ACCESS_FILE), 0);
}

/* In each protocol's words; nothing where TLS comes first. */
static void refusals(void **state)
{
    static const struct {
        const char *service;
        const char *beginning; /* NULL: nothing is said */
    } cases[] = {
        {"smtp", "421 "},      {"submission", "421 "},
        {"submissions", NULL}, {"pop3", "-ERR [SYS/TEMP] "},
        {"pop3s", NULL},       {"imap", "* BYE "},
        {"imaps", NULL},       {"lmtp", "421 "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tcpservice *service = tcpservice_find(slice_text(cases[i].service));
        assert_non_null(service);
        for (int refusal = TCPSERVICE_FULL; refusal <= TCPSERVICE_TROUBLE; refusal++) {
            int pair[2];
            char text[256];
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
            connection_refuse(pair[0], service, (enum tcpservice_refusal)refusal);
            io_close(&pair[0]);
            ssize_t got = read(pair[1], text, sizeof text);
            assert_int_equal(got > 0, cases[i].beginning != NULL);
            if (got > 0) {
                struct slice said = slice_of(text, (size_t)got);
                assert_true(slice_ends(said, SLICE("\r\n")));
                assert_true(refusal == TCPSERVICE_DENIED ||
                            slice_starts(said, slice_text(cases[i].beginning)));
            }
            io_close(&pair[1]);
            assert_non_null(connection_refusal_name((enum tcpservice_refusal)refusal));
        }
    }
    assert_null(tcpservice_find(SLICE("web")));
    assert_true(tcpservice_is_known(SLICE("web")));
    assert_false(tcpservice_is_known(SLICE("http")));
}

static char folder_name[] = "/tmp/test_gate.XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder_name) && chdir(folder_name) == 0 ? mkdir("cdb", 0700) : -1;
}

static int leave(void **state)
{
    (void)state;
    return rmdir("cdb") == 0 ? rmdir(folder_name) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seats),
        cmocka_unit_test(gate),
        cmocka_unit_test(lmtp_is_for_loopback_and_whom_a_line_names),
        cmocka_unit_test(broken_rules),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
