/* test_dnsanswer - names to ask for, and answers: right, odd, and cut anywhere */
#include "unit.h"

#include "dnsanswer.h"
#include "dnsmessage.h"

static struct dnsmessage message;
static struct dnsanswer answer;

static void names(void **state)
{
    static const struct {
        const char *client;
        const char *reverse;
        const char *listed;
    } cases[] = {
        {"192.0.2.5", "5.2.0.192.in-addr.arpa", "5.2.0.192.bl.example"},
        {"255.255.255.255", "255.255.255.255.in-addr.arpa", "255.255.255.255.bl.example"},
        {"::ffff:192.0.2.5", "5.2.0.192.in-addr.arpa", "5.2.0.192.bl.example"},
        {"2001:db8::5f", "f.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
         "f.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example"},
    };
    char name[LOOKUP_NAME_MAX + 1], zone[300];
    struct ip ip;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(ip_parse(slice_text(cases[i].client), &ip));
        dnsanswer_reverse_name(&ip, name);
        assert_string_equal(name, cases[i].reverse);
        assert_true(dnsanswer_listed_name(&ip, "bl.example", name));
        assert_string_equal(name, cases[i].listed);
    }
    for (size_t size = 1; size < sizeof zone; size++) {
        memset(zone, 'a', size);
        zone[size] = '\0';
        assert_int_equal(dnsanswer_listed_name(&ip, zone, name), size <= LOOKUP_NAME_MAX - 64);
    }
}

static bool parse(enum dnsanswer_type type)
{
    return dnsanswer_parse(message.bytes, message.size, type, &answer);
}

static void addresses(void **state)
{
    const unsigned char v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 5};
    struct ip ip;
    (void)state;
    dnsmessage_begin(&message, "Host.example", ns_t_a);
    dnsmessage_add(&message, 3, "hosT.example", ns_t_a, 300, "\300\0\2\5", 4);
    dnsmessage_add(&message, 3, "host.example", ns_t_a, 200, "\300\0\2\6", 4);
    dnsmessage_add(&message, 3, "other.example", ns_t_a, 1, "\300\0\2\7", 4);
    dnsmessage_add(&message, 3, "host.example", ns_t_a, 250, "\300\0\2", 3);
    dnsmessage_add(&message, 3, "host.example", ns_t_aaaa, 250, v6, sizeof v6);
    assert_true(parse(DNSANSWER_A));
    assert_int_equal(answer.address_count, 2);
    assert_int_equal(answer.ttl_s, 200);
    assert_true(ip_parse(SLICE("192.0.2.6"), &ip));
    assert_true(dnsanswer_has_address(&answer, &ip));
    assert_true(ip_parse(SLICE("192.0.2.7"), &ip)); /* of a name that was not asked for */
    assert_false(dnsanswer_has_address(&answer, &ip));
    assert_true(parse(DNSANSWER_AAAA));
    assert_int_equal(answer.address_count, 1);
    assert_true(ip_parse(SLICE("2001:db8::5"), &ip));
    assert_true(dnsanswer_has_address(&answer, &ip));
}

static void aliases(void **state)
{
    (void)state;
    dnsmessage_begin(&message, "5.2.0.192.in-addr.arpa", ns_t_ptr);
    dnsmessage_add_name(&message, "5.2.0.192.in-addr.arpa", ns_t_cname, 900,
                        "5.0-127.2.0.192.in-addr.arpa");
    dnsmessage_add_name(&message, "5.2.0.192.in-addr.arpa", ns_t_ptr, 1, "not.this.example");
    dnsmessage_add_name(&message, "5.0-127.2.0.192.in-addr.arpa", ns_t_ptr, 600, "Client.Example");
    assert_true(parse(DNSANSWER_PTR));
    assert_int_equal(answer.name_count, 1);
    assert_string_equal(answer.names[0], "client.example");
}

static void odd_names(void **state)
{
    static const char *const odd[] = {
        "",          "a b.example",         "a(b.example", "x\r\ny.example",
        "-.example", "caf\xc3\xa9.example", "a\\b.example"};
    char longest[250] = "";
    (void)state;
    dnsmessage_begin(&message, "x", ns_t_ptr);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        dnsmessage_add_name(&message, "x", ns_t_ptr, 60, odd[i]);
    assert_true(parse(DNSANSWER_PTR));
    for (size_t i = 0; i < answer.name_count; i++)
        fail_msg("\"%s\" is no host's name", answer.names[i]);
    for (size_t i = 0; i + 30 < sizeof longest; i += 30)
        memcpy(longest + i, "abcdefghijklmnopqrstuvwxyz012.", 30);
    dnsmessage_begin(&message, "x", ns_t_ptr);
    dnsmessage_add_name(&message, "x", ns_t_ptr, 60, longest);
    for (int i = 0; i < 5; i++)
        dnsmessage_add_name(&message, "x", ns_t_ptr, 60, "b.example");
    assert_true(parse(DNSANSWER_PTR));
    assert_int_equal(answer.name_count, DNSANSWER_NAMES_MAX);
}

static void texts(void **state)
{
    unsigned char many[3 * 256];
    (void)state;
    dnsmessage_begin(&message, "x", ns_t_txt);
    dnsmessage_add(&message, 3, "x", ns_t_txt, 60, "\3see\5 \r\n\0\377", 10);
    dnsmessage_add(&message, 3, "x", ns_t_txt, 60, "\6second", 7);
    assert_true(parse(DNSANSWER_TXT));
    assert_string_equal(answer.text, "see ????");
    /* A string that says it is longer than the record. */
    dnsmessage_begin(&message, "x", ns_t_txt);
    dnsmessage_add(&message, 3, "x", ns_t_txt, 60, "\377abc", 4);
    assert_true(parse(DNSANSWER_TXT));
    assert_string_equal(answer.text, "abc");
    memset(many, 'x', sizeof many);
    many[0] = many[256] = many[512] = 255;
    dnsmessage_begin(&message, "x", ns_t_txt);
    dnsmessage_add(&message, 3, "x", ns_t_txt, 60, many, sizeof many);
    assert_true(parse(DNSANSWER_TXT));
    assert_int_equal(strlen(answer.text), LOOKUP_TEXT_MAX);
}

static void denials(void **state)
{
    (void)state;
    dnsmessage_begin(&message, "none.example", ns_t_a);
    dnsmessage_add_soa(&message, 3600, 120);
    assert_true(parse(DNSANSWER_A));
    assert_int_equal(answer.address_count, 0);
    assert_int_equal(answer.ttl_s, 120);
    dnsmessage_begin(&message, "none.example", ns_t_a);
    dnsmessage_add_soa(&message, 60, 120);
    assert_true(parse(DNSANSWER_A));
    assert_int_equal(answer.ttl_s, 60);
}

static void cut_anywhere(void **state)
{
    (void)state;
    dnsmessage_begin(&message, "x.example", ns_t_a);
    dnsmessage_add_name(&message, "x.example", ns_t_cname, 60, "y.example");
    dnsmessage_add(&message, 3, "y.example", ns_t_a, 60, "\300\0\2\5", 4);
    dnsmessage_add_soa(&message, 60, 60);
    assert_true(parse(DNSANSWER_A));
    assert_int_equal(answer.address_count, 1);
    for (size_t size = 0; size < message.size; size++)
        assert_false(dnsanswer_parse(message.bytes, size, DNSANSWER_A, &answer));
    assert_false(dnsanswer_parse(NULL, 0, DNSANSWER_A, &answer));
}

/* Compression that points at itself, and aliases that go in circles, end. */
static void circles(void **state)
{
    (void)state;
    dnsmessage_begin(&message, "x", ns_t_ptr);
    message.bytes[7]++;
    dnsmessage_put(&message, "\1x\0", 3);
    dnsmessage_put16(&message, ns_t_ptr);
    dnsmessage_put16(&message, ns_c_in);
    dnsmessage_put32(&message, 60);
    dnsmessage_put16(&message, 2);
    dnsmessage_put16(&message, 0xc000u | (unsigned)message.size);
    assert_true(parse(DNSANSWER_PTR));
    assert_int_equal(answer.name_count, 0);
    dnsmessage_begin(&message, "x", ns_t_a);
    for (int i = 0; i < 20; i++) {
        dnsmessage_add_name(&message, "x", ns_t_cname, 60, "y");
        dnsmessage_add_name(&message, "y", ns_t_cname, 60, "x");
    }
    assert_true(parse(DNSANSWER_A));
    assert_int_equal(answer.address_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),        cmocka_unit_test(addresses), cmocka_unit_test(aliases),
        cmocka_unit_test(odd_names),    cmocka_unit_test(texts),     cmocka_unit_test(denials),
        cmocka_unit_test(cut_anywhere), cmocka_unit_test(circles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
