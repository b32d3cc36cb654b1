/* test_blocklist - lines of control/rbl, the answers that they match; answers of lookupd as packets */
#include "unit.h"

#include "blocklist.h"

#include <stdio.h>
#include <string.h>

static struct blocklist list;

struct line_case {
    const char *line;
    const char *error; /* the beginning; NULL: it is right */
};

static void lines(void **state)
{
    static const struct line_case cases[] = {
        {"zen.spamhaus.org", NULL},
        {"  ZEN.spamhaus.org\treject\r", NULL},
        {"bl.example=127.0.0.2", NULL},
        {"bl.example=127.0.0.2|127.0.0.[4..7;9]|127.0.1.0/24 tag", NULL},
        {"bl.example=[0..255].[0..255].[0..255].[0..255] reject a text of words", NULL},
        {"bl.example reject see https://example.org/?ip=%IP%", NULL},
        {"!192.0.2.0/24", NULL},
        {"! 2001:db8::/32", NULL},
        {"!192.0.2.1", NULL},
        {"", "\"\" is not the zone"},
        {"bl..example", "\"bl..example\" is not the zone"},
        {"-bl.example!", "\"-bl.example!\" is not the zone"},
        {"bl.example=", "\"\" is not a pattern"},
        {"bl.example=127.0.0", "\"127.0.0\" is not a pattern"},
        {"bl.example=127.0.0.256", "\"127.0.0.256\" is not a pattern"},
        {"bl.example=127.0.0.[7..4]", "\"127.0.0.[7..4]\" is not a pattern"},
        {"bl.example=127.0.0.[4", "\"127.0.0.[4\" is not a pattern"},
        {"bl.example=127.0.0.[]", "\"127.0.0.[]\" is not a pattern"},
        {"bl.example=127.0.0.[4]5", "\"127.0.0.[4]5\" is not a pattern"},
        {"bl.example=127.0.0.2.1", "\"127.0.0.2.1\" is not a pattern"},
        {"bl.example=127.0.0.1/24", "\"127.0.0.1/24\" is not a pattern"},
        {"bl.example=::1", "\"::1\" is not a pattern"},
        {"bl.example=1.1.1.1|1.1.1.2|1.1.1.3|1.1.1.4|1.1.1.5|1.1.1.6|1.1.1.7|1.1.1.8|1.1.1.9",
         "more than 8 patterns"},
        {"bl.example rejct", "\"rejct\" should be reject or tag"},
        {"bl.example reject caf\xc3\xa9", "the text is not plain ASCII"},
        {"!192.0.2.1/24", "\"192.0.2.1/24\" is not a network"},
        {"!", "\"\" is not a network"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char error[BLOCKLIST_ERROR_MAX] = "";
        blocklist_init(&list);
        bool is_right = blocklist_add(&list, slice_text(cases[i].line), error);
        const char *wanted = cases[i].error ? cases[i].error : "";
        if (is_right != !cases[i].error || strncmp(error, wanted, strlen(wanted)) != 0)
            fail_msg("\"%s\": \"%s\", wanted \"%s\"", cases[i].line, error, wanted);
        assert_int_equal(list.rule_count + list.allowed_count, is_right);
    }
}

static void long_lines(void **state)
{
    char line[4000], error[BLOCKLIST_ERROR_MAX];
    (void)state;
    blocklist_init(&list);
    memset(line, 'a', sizeof line);
    assert_false(blocklist_add(&list, slice_of(line, sizeof line), error));
    /* 64 bytes of an IPv6 address have to fit in front of a zone. */
    for (size_t i = 60; i < sizeof line; i += 60)
        line[i] = '.';
    assert_true(blocklist_add(&list, slice_of(line, BLOCKLIST_ZONE_MAX), error));
    assert_false(blocklist_add(&list, slice_of(line, BLOCKLIST_ZONE_MAX + 1), error));
    memcpy(line, "bl.example tag ", 15);
    memset(line + 15, 'x', sizeof line - 15);
    assert_true(blocklist_add(&list, slice_of(line, 15 + LOOKUP_TEXT_MAX), error));
    assert_false(blocklist_add(&list, slice_of(line, 16 + LOOKUP_TEXT_MAX), error));
}

static bool matches(const char *line, unsigned a, unsigned b, unsigned c, unsigned d)
{
    char error[BLOCKLIST_ERROR_MAX];
    const unsigned char answer[4] = {(unsigned char)a, (unsigned char)b, (unsigned char)c,
                                     (unsigned char)d};
    blocklist_init(&list);
    assert_true(blocklist_add(&list, slice_text(line), error));
    return blocklist_matches(&list.rules[0], answer);
}

static void patterns(void **state)
{
    (void)state;
    assert_true(matches("bl.example", 127, 0, 0, 2));
    assert_true(matches("bl.example", 127, 1, 2, 3));
    assert_false(matches("bl.example", 192, 0, 2, 1)); /* a parked domain answers everything */
    assert_false(matches("bl.example", 127, 255, 255, 254));
    assert_true(matches("bl.example", 127, 255, 0, 254));
    assert_true(matches("bl.example=127.255.255.254", 127, 255, 255, 254));
    assert_true(matches("bl.example=127.0.0.2", 127, 0, 0, 2));
    assert_false(matches("bl.example=127.0.0.2", 127, 0, 0, 3));
    for (unsigned last = 0; last < 256; last++) {
        assert_int_equal(matches("bl.example=127.0.0.[2;4..6]", 127, 0, 0, last),
                         last == 2 || (last >= 4 && last <= 6));
        assert_int_equal(matches("bl.example=10.1.2.3|127.0.0.64/26", 127, 0, 0, last),
                         last >= 64 && last < 128);
    }
    assert_true(matches("bl.example=10.1.2.3|127.0.0.0/8", 10, 1, 2, 3));
    assert_true(matches("bl.example=0.0.0.0/0", 1, 2, 3, 4));
}

static void zones_and_networks(void **state)
{
    char error[BLOCKLIST_ERROR_MAX], line[64];
    struct ip ip;
    (void)state;
    blocklist_init(&list);
    assert_true(blocklist_add(&list, SLICE("a.example=127.0.0.2"), error));
    assert_true(blocklist_add(&list, SLICE("b.example tag"), error));
    assert_true(blocklist_add(&list, SLICE("A.example=127.0.0.3 tag"), error));
    assert_true(blocklist_add(&list, SLICE("!192.0.2.0/25"), error));
    assert_true(blocklist_add(&list, SLICE("!2001:db8::/32"), error));
    assert_int_equal(list.rule_count, 3);
    assert_int_equal(list.zone_count, 2);
    assert_int_equal(list.rules[2].zone_index, 0);
    assert_string_equal(blocklist_zone(&list, 1), "b.example");
    assert_true(ip_parse(SLICE("192.0.2.127"), &ip));
    assert_true(blocklist_is_allowed(&list, &ip));
    assert_true(ip_parse(SLICE("192.0.2.128"), &ip));
    assert_false(blocklist_is_allowed(&list, &ip));
    assert_true(ip_parse(SLICE("2001:db8:1::"), &ip));
    assert_true(blocklist_is_allowed(&list, &ip));

    blocklist_init(&list);
    for (unsigned i = 0; i < BLOCKLIST_ZONES_MAX; i++) {
        snprintf(line, sizeof line, "z%u.example", i);
        assert_true(blocklist_add(&list, slice_text(line), error));
    }
    assert_false(blocklist_add(&list, SLICE("one-more.example"), error));
    assert_int_equal(list.zone_count, BLOCKLIST_ZONES_MAX);
    while (list.rule_count < BLOCKLIST_RULES_MAX)
        assert_true(blocklist_add(&list, SLICE("z0.example=127.0.0.9"), error));
    assert_false(blocklist_add(&list, SLICE("z0.example=127.0.0.9"), error));
    while (list.allowed_count < BLOCKLIST_ALLOWED_MAX)
        assert_true(blocklist_add(&list, SLICE("!10.0.0.0/8"), error));
    assert_false(blocklist_add(&list, SLICE("!10.0.0.0/8"), error));
}

static void records(void **state)
{
    (void)state;
    assert_true(blocklist_decode(&list, SLICE("9:a.example,13:b.example tag,10:!192.0.2.1,")));
    assert_int_equal(list.rule_count, 2);
    assert_int_equal(list.allowed_count, 1);
    assert_true(blocklist_decode(&list, SLICE("")));
    assert_int_equal(list.rule_count, 0);
    assert_false(blocklist_decode(&list, SLICE("9:a.example,3:b c,")));
    assert_int_equal(list.rule_count, 0);
    assert_false(blocklist_decode(&list, SLICE("9:a.exam")));
}

/* ---- lookup.h ---------------------------------------------------------------------------------*/

static void client_packets(void **state)
{
    static struct lookup_client client, again;
    static struct wire_message message;
    (void)state;
    client = (struct lookup_client){.name = "mail.example.org", .listing_count = 2};
    client.listings[0] = (struct lookup_listing){"a.example", LOOKUP_REJECT, "why"};
    client.listings[1] = (struct lookup_listing){"b.example", LOOKUP_TAG, ""};
    wire_init(&message);
    str_init(&message.bytes, WIRE_MAX_SIZE);
    lookup_client_encode(&client, &message.bytes);
    assert_true(
        wire_split(str_slice(&message.bytes), message.fields, WIRE_MAX_FIELDS, &message.count));
    assert_true(lookup_client_decode(&message, &again));
    assert_memory_equal(&client, &again, sizeof client);
    /* Cut anywhere, it is either none, or has fewer listings. */
    for (size_t count = message.count; count-- > 0;) {
        message.count = count;
        bool done = lookup_client_decode(&message, &again);
        assert_int_equal(done, count == 2 || count == 5);
        assert_int_equal(again.listing_count, count == 5);
    }
    wire_free(&message);
}

static void odd_client_packets(void **state)
{
    static const char *const packets[] = {
        "2:no,0:,",
        "2:ok,0:,9:a.example,5:spare,0:,",
        "2:ok,2:a\0,",
    };
    static struct wire_message message;
    static struct lookup_client client;
    char long_name[400];
    (void)state;
    wire_init(&message);
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        size_t size = i == 2 ? 10 : strlen(packets[i]);
        assert_true(wire_split(slice_of(packets[i], size), message.fields, WIRE_MAX_FIELDS,
                               &message.count));
        assert_false(lookup_client_decode(&message, &client));
    }
    memset(long_name, 'a', sizeof long_name);
    message.fields[0] = SLICE("ok");
    message.fields[1] = slice_of(long_name, LOOKUP_NAME_MAX);
    message.count = 2;
    assert_true(lookup_client_decode(&message, &client));
    message.fields[1] = slice_of(long_name, LOOKUP_NAME_MAX + 1);
    assert_false(lookup_client_decode(&message, &client));
    assert_string_equal(client.name, "");
    message.fields[1] = SLICE("");
    for (size_t i = 2; i < 2 + 3 * (LOOKUP_LISTINGS_MAX + 1); i++)
        message.fields[i] = SLICE("tag");
    message.count = 2 + 3 * LOOKUP_LISTINGS_MAX;
    assert_true(lookup_client_decode(&message, &client));
    message.count += 3;
    assert_false(lookup_client_decode(&message, &client));
    wire_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(patterns),
        cmocka_unit_test(zones_and_networks),
        cmocka_unit_test(records),
        cmocka_unit_test(client_packets),
        cmocka_unit_test(odd_client_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
