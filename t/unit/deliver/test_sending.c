/* bindroute, remote_delivery: which addresses are tried, and from where */
#include "unit.h"

#include "bindroute.h"
#include "remote_delivery.h"

#include <string.h>

static struct ip address(const char *text)
{
    struct ip ip;
    if (!ip_parse(slice_text(text), &ip))
        fail_msg("%s", text);
    return ip;
}

static void bindroutes_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *v4, *v6, *helo; /* NULL: no such route */
    } cases[] = {
        {"192.0.2.1 - -", "192.0.2.1", "", ""},
        {"- 2001:db8::1 mail.example.jp", "", "2001:db8::1", "mail.example.jp"},
        {"192.0.2.1 2001:db8::1 -", "192.0.2.1", "2001:db8::1", ""},
        {"- - -", NULL, NULL, NULL},
        {"", NULL, NULL, NULL},
        {"2001:db8::1 192.0.2.1 -", NULL, NULL, NULL},
        {"192.0.2.300 - -", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bindroute route;
        bool done = bindroute_parse(slice_text(cases[i].value), &route);
        if (done != (cases[i].v4 != NULL))
            fail_msg("%s: %d", cases[i].value, done);
        if (!done)
            continue;
        assert_int_equal(route.v4.size, cases[i].v4[0] ? 4 : 0);
        assert_int_equal(route.v6.size, cases[i].v6[0] ? 16 : 0);
        assert_string_equal(route.helo, cases[i].helo);
        assert_true(bindroute_equal(&route, &route));
    }
}

static void a_bound_route_reaches_its_families(void **state)
{
    (void)state;
    struct bindroute none = {.is_bound = false}, route;
    const struct ip *source;
    struct ip v4 = address("198.51.100.1"), v6 = address("2001:db8::2");
    assert_true(bindroute_source(&none, &v4, &source));
    assert_null(source);
    assert_true(bindroute_parse(SLICE("192.0.2.1 - -"), &route));
    assert_true(bindroute_source(&route, &v4, &source));
    assert_ptr_equal(source, &route.v4);
    assert_false(bindroute_source(&route, &v6, &source));
    assert_false(bindroute_equal(&none, &route));
}

static void addresses_that_are_nobodys(void **state)
{
    (void)state;
    static const char *const everybodys[] = {"192.0.2.1", "10.0.0.1", "2001:db8::1",
                                             "223.255.255.255"};
    static const char *const nobodys[] = {
        "0.0.0.0", "127.0.0.1", "127.255.0.1", "169.254.1.1", "224.0.0.1",       "255.255.255.255",
        "::",      "::1",       "fe80::1",     "ff02::1",     "::ffff:127.0.0.1"};
    for (size_t i = 0; i < sizeof everybodys / sizeof *everybodys; i++) {
        struct ip ip = address(everybodys[i]);
        assert_true(remote_delivery_is_public(&ip));
    }
    for (size_t i = 0; i < sizeof nobodys / sizeof *nobodys; i++) {
        struct ip ip = address(nobodys[i]);
        if (remote_delivery_is_public(&ip))
            fail_msg("%s", nobodys[i]);
    }
}

static void families_take_turns(void **state)
{
    (void)state;
    static const char *const given[] = {"192.0.2.1",   "192.0.2.2",   "127.0.0.1",
                                        "2001:db8::1", "2001:db8::2", "2001:db8::3"};
    static const struct {
        enum remote_delivery_families families;
        bool only_public;
        const char *wanted[7];
    } cases[] = {
        {REMOTE_BOTH_FAMILIES,
         true,
         {"192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2", "2001:db8::3"}},
        {REMOTE_BOTH_FAMILIES,
         false,
         {"192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2", "127.0.0.1", "2001:db8::3"}},
        {REMOTE_IPV4_ONLY, true, {"192.0.2.1", "192.0.2.2"}},
        {REMOTE_IPV6_ONLY, true, {"2001:db8::1", "2001:db8::2", "2001:db8::3"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mx_addresses addresses = {.count = 6};
        size_t count = 0;
        for (size_t j = 0; j < 6; j++)
            addresses.list[j] = address(given[j]);
        remote_delivery_sort(&addresses, cases[i].families, cases[i].only_public);
        for (; cases[i].wanted[count]; count++) {
            struct ip wanted = address(cases[i].wanted[count]);
            assert_true(count < addresses.count && ip_equal(&addresses.list[count], &wanted));
        }
        assert_int_equal(addresses.count, count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bindroutes_are_read),
        cmocka_unit_test(a_bound_route_reaches_its_families),
        cmocka_unit_test(addresses_that_are_nobodys),
        cmocka_unit_test(families_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
