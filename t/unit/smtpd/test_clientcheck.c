/* test_clientcheck - what is asked about a client and what it comes to; who waits, and is remembered */
#include "unit.h"

#include "clients.h"
#include "clock.h"
#include "dnsmessage.h"
#include "io.h"
#include "unixsocket.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUESTIONS_MAX = 2048 };

/* A DNS whose answers come when the test says so. */
struct asked {
    char name[LOOKUP_NAME_MAX + 1];
    int type;
    resolver_answer *answer;
    void *question;
};

static struct asked asked[QUESTIONS_MAX];
static size_t asked_count;
static size_t asked_ever;
static struct clientcheck check;
static struct clientcheck_context context;
static struct lookup_client result;
static int done_count;

static void ask(void *owner, const char *name, int type, resolver_answer *answer, void *question)
{
    (void)owner;
    assert_true(asked_count < QUESTIONS_MAX);
    struct asked *one = &asked[asked_count++];
    asked_ever++;
    *one = (struct asked){.type = type, .answer = answer, .question = question};
    snprintf(one->name, sizeof one->name, "%s", name);
}

static struct asked take(const char *name, int type)
{
    for (size_t i = 0; i < asked_count; i++) {
        struct asked one = asked[i];
        if (strcmp(one.name, name) != 0 || one.type != type)
            continue;
        asked[i] = asked[--asked_count];
        return one;
    }
    fail_msg("nobody asked for %s", name);
    abort();
}

static void answer(const char *name, int type, const struct dnsmessage *message)
{
    struct asked one = take(name, type);
    one.answer(one.question, RESOLVER_FOUND, message->bytes, message->size);
}

static void answer_with(const char *name, int type, const void *data, size_t size)
{
    static struct dnsmessage message;
    dnsmessage_begin(&message, name, type);
    dnsmessage_add(&message, 3, name, type, 300, data, size);
    answer(name, type, &message);
}

static void answer_name(const char *name, const char *host)
{
    static struct dnsmessage message;
    dnsmessage_begin(&message, name, ns_t_ptr);
    dnsmessage_add_name(&message, name, ns_t_ptr, 300, host);
    answer(name, ns_t_ptr, &message);
}

static void deny(const char *name, int type)
{
    static struct dnsmessage message;
    dnsmessage_begin(&message, name, type);
    dnsmessage_add_soa(&message, 100, 100);
    struct asked one = take(name, type);
    one.answer(one.question, RESOLVER_NONE, message.bytes, message.size);
}

static void fail_all(void)
{
    while (asked_count > 0) {
        struct asked one = asked[--asked_count];
        one.answer(one.question, RESOLVER_TROUBLE, NULL, 0);
    }
}

static void count_done(struct clientcheck *one)
{
    assert_ptr_equal(one, &check);
    done_count++;
}

static void begin(const char *const lines[])
{
    char error[BLOCKLIST_ERROR_MAX];
    context = (struct clientcheck_context){.ask = ask, .wants_names = true};
    blocklist_init(&context.list);
    for (size_t i = 0; lines[i]; i++)
        assert_true(blocklist_add(&context.list, slice_text(lines[i]), error));
    asked_count = 0;
    asked_ever = 0;
    done_count = 0;
}

static void start(const char *client)
{
    struct ip ip;
    assert_true(ip_parse(slice_text(client), &ip));
    clientcheck_start(&check, &context, &ip, count_done);
}

static const char *const no_lists[] = {NULL};

#define REVERSE "5.2.0.192.in-addr.arpa"
#define CLIENT4 "\300\0\2\5"

/* ---- one check --------------------------------------------------------------------------------*/

static void a_name_that_leads_back(void **state)
{
    (void)state;
    begin(no_lists);
    start("192.0.2.5");
    answer_name(REVERSE, "client.example");
    assert_int_equal(done_count, 0);
    clientcheck_result(&check, &result);
    assert_string_equal(result.name, "");
    answer_with("client.example", ns_t_a, CLIENT4, 4);
    assert_int_equal(done_count, 1);
    clientcheck_result(&check, &result);
    assert_string_equal(result.name, "client.example");
    assert_int_equal(check.ttl_s, 300);
    assert_int_equal(asked_count, 0);
}

static void names_that_do_not(void **state)
{
    (void)state;
    begin(no_lists);
    start("192.0.2.5");
    answer_name(REVERSE, "liar.example");
    answer_with("liar.example", ns_t_a, "\300\0\2\6", 4);
    clientcheck_result(&check, &result);
    assert_string_equal(result.name, "");
    start("192.0.2.5");
    answer_name(REVERSE, "gone.example");
    deny("gone.example", ns_t_a);
    clientcheck_result(&check, &result);
    assert_string_equal(result.name, "");
    assert_int_equal(check.ttl_s, 100);
    start("192.0.2.5");
    deny(REVERSE, ns_t_ptr);
    assert_int_equal(done_count, 3);
    start("2001:db8::5");
    answer_name("5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "client.example");
    answer_with("client.example", ns_t_aaaa, "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\5", 16);
    clientcheck_result(&check, &result);
    assert_string_equal(result.name, "client.example");
    context.wants_names = false;
    start("192.0.2.5");
    assert_int_equal(done_count, 5);
    assert_int_equal(asked_count, 0);
}

static void lists(void **state)
{
    static const char *const lines[] = {
        "a.example=127.0.0.2", "a.example=127.0.0.3 tag", "b.example reject ask %IP%, not %IP",
        "c.example tag",       "!198.51.100.0/24",        NULL};
    (void)state;
    begin(lines);
    context.wants_names = false;
    start("192.0.2.5");
    assert_int_equal(asked_count, 3); /* a zone is asked once */
    answer_with("5.2.0.192.b.example", ns_t_a, "\177\0\0\2", 4);
    answer_with("5.2.0.192.a.example", ns_t_a, "\177\0\0\3", 4);
    deny("5.2.0.192.c.example", ns_t_a);
    answer_with("5.2.0.192.a.example", ns_t_txt, "\3why", 4);
    assert_int_equal(done_count, 1);
    clientcheck_result(&check, &result);
    assert_int_equal(result.listing_count, 2);
    assert_string_equal(result.listings[0].zone, "a.example");
    assert_int_equal(result.listings[0].action, LOOKUP_TAG);
    assert_string_equal(result.listings[0].text, "why");
    assert_int_equal(result.listings[1].action, LOOKUP_REJECT);
    assert_string_equal(result.listings[1].text, "ask 192.0.2.5, not %IP");
    start("198.51.100.7");
    assert_int_equal(done_count, 2);
    clientcheck_result(&check, &result);
    assert_int_equal(result.listing_count, 0);
}

static void trouble_is_not_listed(void **state)
{
    static const char *const lines[] = {"a.example", NULL};
    (void)state;
    begin(lines);
    start("192.0.2.5");
    struct asked one = take("5.2.0.192.a.example", ns_t_a);
    one.answer(one.question, RESOLVER_FOUND, (const unsigned char *)"garbage", 7);
    fail_all();
    assert_int_equal(done_count, 1);
    clientcheck_result(&check, &result);
    assert_int_equal(result.listing_count, 0);
    assert_string_equal(result.name, "");
    assert_int_equal(check.ttl_s, CLIENTCHECK_TROUBLE_TTL_S);
    /* A list that is listed in is so without its text, too. */
    start("192.0.2.5");
    answer_with("5.2.0.192.a.example", ns_t_a, "\177\0\0\3", 4);
    fail_all();
    clientcheck_result(&check, &result);
    assert_int_equal(result.listing_count, 1);
    assert_string_equal(result.listings[0].text, "");
}

static void silent_lists_are_left_alone(void **state)
{
    static const char *const lines[] = {"a.example", "b.example", NULL};
    (void)state;
    begin(lines);
    context.wants_names = false;
    for (int i = 0; i < CLIENTCHECK_ZONE_TROUBLES; i++) {
        start("192.0.2.5");
        assert_int_equal(asked_count, 2);
        deny("5.2.0.192.b.example", ns_t_a);
        fail_all();
    }
    start("192.0.2.5");
    assert_int_equal(asked_count, 1);
    deny("5.2.0.192.b.example", ns_t_a);
    assert_int_equal(done_count, CLIENTCHECK_ZONE_TROUBLES + 1);
    /* It is tried again after a while; and anew with another list. */
    context.zones[0].rests_until = clock_ms() - 1;
    start("192.0.2.5");
    answer_with("5.2.0.192.a.example", ns_t_a, "\177\0\0\2", 4);
    deny("5.2.0.192.b.example", ns_t_a);
    fail_all();
    clientcheck_result(&check, &result);
    assert_int_equal(result.listing_count, 1);
    assert_int_equal(context.zones[0].rests_until, 0);
}

static void a_list_that_changes_meanwhile(void **state)
{
    static const char *const lines[] = {"a.example", "b.example", NULL};
    (void)state;
    begin(lines);
    start("192.0.2.5");
    answer_with("5.2.0.192.a.example", ns_t_a, "\177\0\0\2", 4);
    blocklist_init(&context.list);
    clientcheck_change_list(&context);
    answer_with("5.2.0.192.b.example", ns_t_a, "\177\0\0\2", 4);
    fail_all();
    assert_int_equal(done_count, 1);
    assert_false(clientcheck_is_current(&check));
    clientcheck_result(&check, &result);
    assert_int_equal(result.listing_count, 0);
}

/* ---- who waits --------------------------------------------------------------------------------*/

static struct clients clients;
static struct loop loop;
static struct service service;
static char folder[] = "/tmp/mail-suite-clients-XXXXXX";

static bool welcome(uid_t uid, void *owner)
{
    (void)owner;
    return uid == getuid();
}

static void question_came(struct service_peer *peer, struct wire_message *message)
{
    struct ip ip;
    assert_true(ip_parse(wire_field(message, 0), &ip));
    clients_ask(&clients, &ip, peer);
}

static int start_service(void **state)
{
    static const unsigned char seed[RECENT_SEED_SIZE] = "0123456789abcde";
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) < 0 || !loop_init(&loop) ||
        !clients_init(&clients, &loop, seed))
        return -1;
    clients.context.ask = ask;
    clients.context.wants_names = true;
    int fd = unixsocket_listen("socket", SOCK_SEQPACKET, 1000);
    asked_count = 0;
    return service_start(&service, &loop, fd, 1000, welcome, question_came, clients_gone, NULL)
               ? 0
               : -1;
}

static int stop_service(void **state)
{
    (void)state;
    fail_all();
    service_stop(&service);
    assert_int_equal(clients.check_count, 0);
    clients_free(&clients);
    loop_free(&loop);
    if (unlink("socket") < 0 || chdir("/") < 0 || rmdir(folder) < 0)
        return -1;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    return 0;
}

static void turn(void)
{
    for (int i = 0; i < 20; i++)
        assert_true(loop_once(&loop, 0));
}

static int question(const char *client)
{
    struct str packet;
    str_init(&packet, 1000);
    int fd = unixsocket_connect("socket", SOCK_SEQPACKET);
    wire_put_text(&packet, client);
    assert_int_equal(wire_send(fd, str_slice(&packet), NULL, 0, 0), WIRE_OK);
    str_free(&packet);
    turn();
    return fd;
}

/* The answer's name; "-" when there is none yet. */
static const char *name_of(int fd)
{
    turn();
    if (!io_wait(fd, POLLIN, clock_deadline(0)))
        return "-";
    assert_true(lookup_client_read(fd, clock_deadline(1000), &result));
    close(fd);
    return result.name;
}

static void one_question_for_all_who_wait(void **state)
{
    (void)state;
    int first = question("192.0.2.5"), second = question("192.0.2.5"),
        third = question("192.0.2.5");
    assert_int_equal(asked_count, 1);
    close(second); /* it did not want to wait */
    turn();
    answer_name(REVERSE, "client.example");
    assert_string_equal(name_of(first), "-");
    answer_with("client.example", ns_t_a, CLIENT4, 4);
    assert_string_equal(name_of(first), "client.example");
    assert_string_equal(name_of(third), "client.example");
    assert_int_equal(service.peer_count, 0);
    /* Remembered from now on. */
    assert_string_equal(name_of(question("192.0.2.5")), "client.example");
    assert_int_equal(asked_count, 0);
    clients_forget(&clients);
    int again = question("192.0.2.5");
    assert_int_equal(asked_count, 1);
    close(again);
    turn();
    fail_all();
}

static void questions_in_flight_have_a_bound(void **state)
{
    char text[32];
    int fds[CLIENTS_CHECKS_MAX];
    (void)state;
    for (int i = 0; i < CLIENTS_CHECKS_MAX; i++) {
        snprintf(text, sizeof text, "10.0.%d.%d", i / 256, i % 256);
        fds[i] = question(text);
    }
    assert_int_equal(asked_count, CLIENTS_CHECKS_MAX);
    assert_string_equal(name_of(question("10.1.0.1")), ""); /* unknown, at once */
    assert_int_equal(asked_count, CLIENTS_CHECKS_MAX);
    fail_all();
    for (int i = 0; i < CLIENTS_CHECKS_MAX; i++)
        assert_string_equal(name_of(fds[i]), "");
    assert_int_equal(clients.check_count, 0);
    assert_int_equal(clients.answers.count, CLIENTS_CHECKS_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_leads_back),
        cmocka_unit_test(names_that_do_not),
        cmocka_unit_test(lists),
        cmocka_unit_test(trouble_is_not_listed),
        cmocka_unit_test(silent_lists_are_left_alone),
        cmocka_unit_test(a_list_that_changes_meanwhile),
        cmocka_unit_test_setup_teardown(one_question_for_all_who_wait, start_service, stop_service),
        cmocka_unit_test_setup_teardown(questions_in_flight_have_a_bound, start_service,
                                        stop_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
