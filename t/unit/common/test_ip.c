/* test_ip - addresses, networks, endpoints, sockets' addresses */
#include "unit.h"

#include "ip.h"

#include <netinet/in.h>
#include <string.h>

struct parse_case {
    const char *text;
    const char *shown; /* NULL: refused */
};

static void addresses(void **state)
{
    static const struct parse_case cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::1", "::1"},
        {"2001:DB8::0:1", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"}, /* mapped */
        {"::ffff:c000:201", "192.0.2.1"},
        {"::192.0.2.1", "::192.0.2.1"}, /* compatible is not mapped */
        {"", NULL},
        {" 192.0.2.1", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.01", NULL},
        {"192.0.2.1.", NULL},
        {"0x7f000001", NULL},
        {"1", NULL},
        {":::", NULL},
        {"fe80::1%eth0", NULL},
        {"[::1]", NULL},
        {"1:2:3:4:5:6:7:8:9", NULL},
        {"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ip ip;
        char text[IP_TEXT_MAX];
        assert_int_equal(ip_parse(slice_text(cases[i].text), &ip), cases[i].shown != NULL);
        if (cases[i].shown) {
            ip_format(&ip, text);
            assert_string_equal(text, cases[i].shown);
        }
    }
    struct ip ip;
    assert_false(ip_parse(slice_of("1.2.3.4\0", 8), &ip));
}

static void networks(void **state)
{
    static const struct {
        const char *text;
        const char *network; /* NULL: refused */
        unsigned bits;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0", 24},
        {"192.0.2.1", "192.0.2.1", 32},
        {"0.0.0.0/0", "0.0.0.0", 0},
        {"::/0", "::", 0},
        {"2001:db8::/32", "2001:db8::", 32},
        {"2001:db8::1", "2001:db8::1", 128},
        {"::ffff:192.0.2.0/120", "192.0.2.0", 24},
        {"::ffff:192.0.2.1", "192.0.2.1", 32},
        {"192.0.2.1/24", NULL, 0}, /* host bits */
        {"192.0.2.128/24", NULL, 0},
        {"2001:db8::1/127", NULL, 0},
        {"192.0.2.0/33", NULL, 0},
        {"2001:db8::/129", NULL, 0},
        {"::ffff:192.0.2.0/95", NULL, 0},
        {"192.0.2.0/", NULL, 0},
        {"192.0.2.0/-1", NULL, 0},
        {"192.0.2.0/24/24", NULL, 0},
        {"/24", NULL, 0},
        {"", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ip network;
        unsigned bits;
        char text[IP_TEXT_MAX];
        bool good = ip_parse_network(slice_text(cases[i].text), &network, &bits);
        assert_int_equal(good, cases[i].network != NULL);
        if (good) {
            ip_format(&network, text);
            assert_string_equal(text, cases[i].network);
            assert_int_equal(bits, cases[i].bits);
        }
    }
}

static void membership(void **state)
{
    static const struct {
        const char *ip;
        const char *network;
        bool in;
    } cases[] = {
        {"192.0.2.1", "192.0.2.0/24", true},
        {"192.0.3.1", "192.0.2.0/24", false},
        {"192.0.2.129", "192.0.2.128/25", true},
        {"192.0.2.127", "192.0.2.128/25", false},
        {"9.9.9.9", "0.0.0.0/0", true},
        {"::1", "0.0.0.0/0", false},
        {"9.9.9.9", "::/0", false},
        {"2001:db8::5", "2001:db8::/64", true},
        {"2001:db8:0:1::5", "2001:db8::/64", false},
        {"::ffff:192.0.2.9", "192.0.2.0/24", true},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.2", "192.0.2.1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ip ip, network;
        unsigned bits;
        assert_true(ip_parse(slice_text(cases[i].ip), &ip));
        assert_true(ip_parse_network(slice_text(cases[i].network), &network, &bits));
        assert_int_equal(ip_in_network(&ip, &network, bits), cases[i].in);
    }
}

static void masks(void **state)
{
    struct ip all;
    (void)state;
    assert_true(ip_parse(SLICE("255.255.255.255"), &all));
    for (unsigned bits = 0; bits <= 32; bits++) {
        struct ip network = ip_network(&all, bits);
        uint32_t wanted = bits == 0 ? 0 : 0xffffffffu << (32 - bits);
        uint32_t is = (uint32_t)network.bytes[0] << 24 | (uint32_t)network.bytes[1] << 16 |
                      (uint32_t)network.bytes[2] << 8 | network.bytes[3];
        assert_int_equal(is, wanted);
    }
}

static void endpoints(void **state)
{
    static const struct {
        const char *text;
        const char *ip; /* NULL: refused */
        uint16_t port;
    } cases[] = {
        {"192.0.2.1:25", "192.0.2.1", 25},
        {"[::1]:65535", "::1", 65535},
        {"[::]:25", "::", 25},
        {"0.0.0.0:1", "0.0.0.0", 1},
        {"192.0.2.1:0", NULL, 0},
        {"192.0.2.1:65536", NULL, 0},
        {"192.0.2.1:", NULL, 0},
        {"192.0.2.1", NULL, 0},
        {":25", NULL, 0},
        {"::1:25", NULL, 0}, /* brackets are needed */
        {"[::1]25", NULL, 0},
        {"[::1:25", NULL, 0},
        {"[192.0.2.1]:25", NULL, 0},
        {"[]:25", NULL, 0},
        {"localhost:25", NULL, 0},
        {"192.0.2.1:25 ", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ip ip;
        uint16_t port;
        char text[IP_TEXT_MAX];
        bool good = ip_parse_endpoint(slice_text(cases[i].text), &ip, &port);
        assert_int_equal(good, cases[i].ip != NULL);
        if (good) {
            ip_format(&ip, text);
            assert_string_equal(text, cases[i].ip);
            assert_int_equal(port, cases[i].port);
        }
    }
}

static void sockets(void **state)
{
    static const char *const texts[] = {"192.0.2.1", "2001:db8::1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_storage address;
        struct ip ip, back;
        uint16_t port;
        assert_true(ip_parse(slice_text(texts[i]), &ip));
        socklen_t size = ip_to_socket(&ip, 2525, &address);
        assert_int_equal(size, i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        assert_true(ip_from_socket(&address, &back, &port));
        assert_true(ip_equal(&ip, &back));
        assert_int_equal(port, 2525);
    }
    struct sockaddr_storage strange = {.ss_family = AF_UNIX};
    struct ip ip;
    uint16_t port;
    assert_false(ip_from_socket(&strange, &ip, &port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses), cmocka_unit_test(networks),  cmocka_unit_test(membership),
        cmocka_unit_test(masks),     cmocka_unit_test(endpoints), cmocka_unit_test(sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
