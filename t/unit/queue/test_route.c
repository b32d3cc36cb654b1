/* route: values as they stand in cdb/routes.cdb, and which key decides */
#include "unit.h"

#include "route.h"

struct value_case {
    const char *value;
    bool good;
    const char *host, *port;
};
static const struct value_case value_cases[] = {
    {"", true, "", "25"},
    {"relay.example.org:587", true, "relay.example.org", "587"},
    {"relay.example.org", true, "relay.example.org", "25"},
    {"[192.0.2.1]:2525", true, "[192.0.2.1]", "2525"},
    {"[2001:db8::1]", true, "[2001:db8::1]", "25"},
    {"[2001:db8::1]:26", true, "[2001:db8::1]", "26"},
    {":25", false, "", ""},
    {"host:", false, "", ""},
    {"host:0", false, "", ""},
    {"host:65536", false, "", ""},
    {"host:smtp", false, "", ""},
    {"a host:25", false, "", ""},
    {"host\n:25", false, "", ""},
};

static void parses_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++) {
        struct route route;
        const struct value_case *one = &value_cases[i];
        if (route_parse(slice_text(one->value), &route) != one->good)
            fail_msg("\"%s\"", one->value);
        if (one->good) {
            assert_string_equal(route.host, one->host);
            assert_string_equal(route.port, one->port);
        }
    }
}

struct entry {
    const char *key, *value;
};

static enum cdbfile_result look_up(void *table, struct slice key, struct slice *value)
{
    for (const struct entry *entry = table; entry->key; entry++)
        if (slice_equal(key, slice_text(entry->key))) {
            *value = slice_text(entry->value);
            return CDBFILE_FOUND;
        }
    return CDBFILE_MISSING;
}

static enum cdbfile_result be_broken(void *table, struct slice key, struct slice *value)
{
    (void)table;
    (void)key;
    (void)value;
    return CDBFILE_TROUBLE;
}

struct find_case {
    const char *domain, *host;
};
static const struct find_case find_cases[] = {
    {"example.org", "exact"},
    {"mail.example.org", "parent"},
    {"a.b.example.org", "parent"},
    {"deep.mail.example.org", "deeper"},
    {"example.net", "all"},
    {"net", "all"},
    {"direct.example", ""},
    {"[192.0.2.1]", "all"},
    {"", "all"},
    {".example.org", "parent"},
};

static void finds_the_nearest(void **state)
{
    (void)state;
    struct entry table[] = {{"example.org", "exact:25"},
                            {".example.org", "parent:25"},
                            {".mail.example.org", "deeper:25"},
                            {"direct.example", ""},
                            {"broken.example", "host:port"},
                            {"", "all:25"},
                            {NULL, NULL}};
    struct route route;
    for (size_t i = 0; i < sizeof find_cases / sizeof *find_cases; i++) {
        assert_int_equal(route_find(look_up, table, slice_text(find_cases[i].domain), &route),
                         ROUTE_FOUND);
        assert_string_equal(route.host, find_cases[i].host);
    }
    assert_int_equal(route_find(look_up, table, SLICE("broken.example"), &route), ROUTE_TROUBLE);
    table[5].key = NULL;
    assert_int_equal(route_find(look_up, table, SLICE("example.net"), &route), ROUTE_FOUND);
    assert_string_equal(route.host, "");
    assert_int_equal(route_find(be_broken, NULL, SLICE("example.net"), &route), ROUTE_TROUBLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_values),
        cmocka_unit_test(finds_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
