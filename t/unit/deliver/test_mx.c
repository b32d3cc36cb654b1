/* mx: answers of the DNS, good and bad, and the order of hosts */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mx.h"

#include <string.h>

/* A DNS answer under construction: header, the question "example.jp", records. */
struct packet {
    unsigned char bytes[2048];
    size_t size;
};

static void put(struct packet *packet, const void *bytes, size_t size)
{
    memcpy(packet->bytes + packet->size, bytes, size);
    packet->size += size;
}

static void put_16(struct packet *packet, unsigned value)
{
    unsigned char bytes[2] = {(unsigned char)(value >> 8), (unsigned char)value};
    put(packet, bytes, 2);
}

static size_t put_name(struct packet *packet, const char *name)
{
    size_t before = packet->size;
    struct slice rest = slice_text(name);
    while (rest.size > 0) {
        struct slice label = slice_cut(&rest, '.');
        unsigned char size = (unsigned char)label.size;
        put(packet, &size, 1);
        put(packet, label.data, label.size);
    }
    put(packet, "", 1);
    return packet->size - before;
}

static void begin(struct packet *packet, unsigned answers)
{
    packet->size = 0;
    put_16(packet, 1);
    put_16(packet, 0x8180);
    put_16(packet, 1);
    put_16(packet, answers);
    put_16(packet, 0);
    put_16(packet, 0);
    put_name(packet, "example.jp");
    put_16(packet, ns_t_mx);
    put_16(packet, ns_c_in);
}

/* The head of a record for the question's name, with its data's size to come. */
static void put_record(struct packet *packet, unsigned type, unsigned size)
{
    put_16(packet, 0xc00c);
    put_16(packet, type);
    put_16(packet, ns_c_in);
    put_16(packet, 0);
    put_16(packet, 60);
    put_16(packet, size);
}

static void put_mx(struct packet *packet, unsigned preference, const char *name)
{
    size_t at = packet->size;
    put_record(packet, ns_t_mx, 0);
    size_t head = packet->size;
    put_16(packet, preference);
    put_name(packet, name);
    packet->bytes[head - 1] = (unsigned char)(packet->size - head);
    assert_true(packet->size > at);
}

static void put_cname(struct packet *packet, const char *name)
{
    put_record(packet, ns_t_cname, 0);
    size_t head = packet->size;
    packet->bytes[head - 1] = (unsigned char)put_name(packet, name);
}

static void hosts_are_read(void **state)
{
    (void)state;
    struct packet packet;
    struct mx_list list;
    char alias[MX_NAME_MAX + 1];
    begin(&packet, 3);
    put_mx(&packet, 20, "Backup.Example.JP");
    put_mx(&packet, 10, "mx1.example.jp");
    put_mx(&packet, 10, "mx2.example.jp");
    assert_int_equal(mx_parse_hosts(packet.bytes, packet.size, &list, alias), MX_FOUND);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.hosts[0].name, "backup.example.jp");
    mx_sort(&list, 7);
    assert_string_equal(list.hosts[2].name, "backup.example.jp");
    assert_int_equal(list.hosts[0].preference, 10);
}

static void equal_hosts_change_places(void **state)
{
    (void)state;
    unsigned first = 0;
    for (unsigned seed = 0; seed < 1000; seed++) {
        struct mx_list list = {.hosts = {{10, "a"}, {10, "b"}, {5, "best"}}, .count = 3};
        mx_sort(&list, seed * 2654435761u);
        assert_string_equal(list.hosts[0].name, "best");
        first += strcmp(list.hosts[1].name, "a") == 0;
    }
    assert_in_range(first, 350, 650);
}

static void null_mx_and_none(void **state)
{
    (void)state;
    struct packet packet;
    struct mx_list list;
    char alias[MX_NAME_MAX + 1];
    begin(&packet, 1);
    put_mx(&packet, 0, "");
    assert_int_equal(mx_parse_hosts(packet.bytes, packet.size, &list, alias), MX_REFUSES);
    begin(&packet, 2); /* a root beside a host means nothing */
    put_mx(&packet, 0, "");
    put_mx(&packet, 5, "mx.example.jp");
    assert_int_equal(mx_parse_hosts(packet.bytes, packet.size, &list, alias), MX_FOUND);
    assert_int_equal(list.count, 1);
    begin(&packet, 0);
    assert_int_equal(mx_parse_hosts(packet.bytes, packet.size, &list, alias), MX_NONE);
    begin(&packet, 1);
    put_cname(&packet, "other.example.jp");
    assert_int_equal(mx_parse_hosts(packet.bytes, packet.size, &list, alias), MX_NONE);
    assert_string_equal(alias, "other.example.jp");
}

static void the_best_of_many_stay(void **state)
{
    (void)state;
    struct packet packet;
    struct mx_list list;
    char alias[MX_NAME_MAX + 1], name[] = "a0.example.jp";
    begin(&packet, 40);
    for (unsigned i = 0; i < 40; i++) {
        name[0] = (char)('a' + i / 10);
        name[1] = (char)('0' + i % 10);
        put_mx(&packet, 100 - i, name);
    }
    assert_int_equal(mx_parse_hosts(packet.bytes, packet.size, &list, alias), MX_FOUND);
    assert_int_equal(list.count, MX_HOSTS_MAX);
    mx_sort(&list, 1);
    assert_int_equal(list.hosts[0].preference, 61);
    assert_int_equal(list.hosts[MX_HOSTS_MAX - 1].preference, 80);
}

static void addresses_are_read(void **state)
{
    (void)state;
    struct packet packet;
    struct mx_addresses addresses = {.count = 0};
    char alias[MX_NAME_MAX + 1], text[IP_TEXT_MAX];
    begin(&packet, 4);
    put_cname(&packet, "other.example.jp");
    put_record(&packet, ns_t_a, 4);
    put(&packet, "\300\0\002\001", 4);
    put_record(&packet, ns_t_a, 3); /* of the wrong size */
    put(&packet, "\300\0\002", 3);
    put_record(&packet, ns_t_aaaa, 16);
    put(&packet, "\040\001\015\270\0\0\0\0\0\0\0\0\0\0\0\001", 16);
    assert_int_equal(mx_parse_addresses(packet.bytes, packet.size, &addresses, alias), MX_FOUND);
    assert_int_equal(addresses.count, 2);
    ip_format(&addresses.list[0], text);
    assert_string_equal(text, "192.0.2.1");
    ip_format(&addresses.list[1], text);
    assert_string_equal(text, "2001:db8::1");
}

/* An answer cut anywhere, or with any byte changed, is trouble or an answer, never a crash. */
static void damaged_answers(void **state)
{
    (void)state;
    struct packet packet;
    struct mx_list list;
    struct mx_addresses addresses = {.count = 0};
    char alias[MX_NAME_MAX + 1];
    begin(&packet, 3);
    put_cname(&packet, "other.example.jp");
    put_mx(&packet, 10, "mx1.example.jp");
    put_record(&packet, ns_t_a, 4);
    put(&packet, "\300\0\002\001", 4);
    for (size_t size = 0; size < packet.size; size++)
        assert_int_equal(mx_parse_hosts(packet.bytes, size, &list, alias), MX_TROUBLE);
    for (size_t at = 0; at < packet.size; at++)
        for (unsigned value = 0; value < 256; value += 5) {
            unsigned char kept = packet.bytes[at];
            packet.bytes[at] = (unsigned char)value;
            assert_in_range(mx_parse_hosts(packet.bytes, packet.size, &list, alias), MX_FOUND,
                            MX_TROUBLE);
            assert_in_range(mx_parse_addresses(packet.bytes, packet.size, &addresses, alias),
                            MX_FOUND, MX_TROUBLE);
            packet.bytes[at] = kept;
        }
}

static void we_are_no_host_for_others(void **state)
{
    (void)state;
    struct mx_list list = {.hosts = {{5, "best"}, {10, "Me.Example"}, {10, "a"}, {20, "b"}},
                           .count = 4};
    assert_true(mx_remove_self(&list, "me.example"));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.hosts[0].name, "best");
    struct mx_list alone = {.hosts = {{10, "me.example"}, {20, "b"}}, .count = 2};
    assert_false(mx_remove_self(&alone, "me.example"));
    struct mx_list others = {.hosts = {{10, "a"}}, .count = 1};
    assert_true(mx_remove_self(&others, "me.example"));
    assert_int_equal(others.count, 1);
}

static void resolvers(void **state)
{
    (void)state;
    struct mx_resolver resolver;
    static const char *const good[] = {"127.0.0.1", "127.0.0.1:5353", "::1", "[::1]:5353"};
    static const char *const bad[] = {"localhost", "127.0.0.1:", "127.0.0.1:99999", "1"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(mx_open(&resolver, slice_text(good[i])));
        mx_close(&resolver);
        assert_false(mx_open(&resolver, slice_text(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_are_read),
        cmocka_unit_test(equal_hosts_change_places),
        cmocka_unit_test(null_mx_and_none),
        cmocka_unit_test(the_best_of_many_stay),
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(damaged_answers),
        cmocka_unit_test(we_are_no_host_for_others),
        cmocka_unit_test(resolvers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
