/* test_dane - TLSA records in answers of the DNS: which of them count */
#include "unit.h"

#include "dane.h"

#include <arpa/nameser.h>
#include <string.h>

enum { TYPE_TLSA = 52, PACKET_MAX = 8192 };

/* An answer about "x" with records whose owner is the question's name. */
struct packet {
    unsigned char bytes[PACKET_MAX];
    size_t size;
};

static void put(struct packet *packet, const void *bytes, size_t size)
{
    assert_true(packet->size + size <= PACKET_MAX);
    memcpy(packet->bytes + packet->size, bytes, size);
    packet->size += size;
}

static void begin(struct packet *packet)
{
    static const unsigned char head[] = {0, 1, 0x81, 0xa0, 0, 1, 0,         0, 0, 0,
                                         0, 0, 1,    'x',  0, 0, TYPE_TLSA, 0, 1};
    packet->size = 0;
    put(packet, head, sizeof head);
}

/* `kind` is "311"; the data is `size` bytes of `fill`. */
static void add(struct packet *packet, const char *kind, unsigned char fill, size_t size)
{
    const unsigned char head[] = {0xc0,
                                  12,
                                  0,
                                  TYPE_TLSA,
                                  0,
                                  1,
                                  0,
                                  0,
                                  0,
                                  60,
                                  (unsigned char)((size + 3) >> 8),
                                  (unsigned char)(size + 3),
                                  (unsigned char)(kind[0] - '0'),
                                  (unsigned char)(kind[1] - '0'),
                                  (unsigned char)(kind[2] - '0')};
    put(packet, head, sizeof head);
    for (size_t i = 0; i < size; i++)
        put(packet, &fill, 1);
    packet->bytes[7]++;
}

static enum dane_result parse(const struct packet *packet, struct dane *dane)
{
    return dane_parse(slice_of(packet->bytes, packet->size), dane);
}

static void which_count(void **state)
{
    static const struct {
        const char *kind;
        size_t size;
        enum dane_result result;
    } cases[] = {
        {"311", 32, DANE_USABLE},     {"301", 32, DANE_USABLE},   {"211", 32, DANE_USABLE},
        {"312", 64, DANE_USABLE},     {"310", 91, DANE_USABLE},   {"200", 900, DANE_USABLE},
        {"311", 31, DANE_UNUSABLE},   {"311", 33, DANE_UNUSABLE}, {"312", 32, DANE_UNUSABLE},
        {"310", 0, DANE_UNUSABLE},    {"111", 32, DANE_UNUSABLE}, {"011", 32, DANE_UNUSABLE},
        {"411", 32, DANE_UNUSABLE},   {"321", 32, DANE_UNUSABLE}, {"313", 32, DANE_UNUSABLE},
        {"300", 5000, DANE_UNUSABLE},
    };
    static struct packet packet;
    static struct dane dane;
    (void)state;
    begin(&packet);
    assert_int_equal(parse(&packet, &dane), DANE_NONE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(&packet);
        add(&packet, cases[i].kind, 7, cases[i].size);
        if (parse(&packet, &dane) != cases[i].result)
            fail_msg("%s with %zu bytes", cases[i].kind, cases[i].size);
        assert_int_equal(dane.seen, 1);
    }
}

static void the_strongest_hash_of_a_kind(void **state)
{
    static struct packet packet;
    static struct dane dane;
    struct str text;
    (void)state;
    begin(&packet);
    add(&packet, "311", 1, 32);
    add(&packet, "312", 2, 64);
    add(&packet, "301", 3, 32); /* another kind: its own strongest */
    add(&packet, "310", 4, 91); /* no hash at all stays */
    add(&packet, "111", 5, 32);
    assert_int_equal(parse(&packet, &dane), DANE_USABLE);
    assert_int_equal(dane.count, 3);
    assert_int_equal(dane.seen, 5);
    str_init(&text, 1000);
    assert_true(dane_put_record(dane.records[1], &text));
    assert_slice(str_slice(&text),
                 "3 0 1 0303030303030303030303030303030303030303030303030303030303030303");
    assert_false(dane_put_record(SLICE("ab"), &text));
    str_free(&text);
}

static void many_records(void **state)
{
    static struct packet packet;
    static struct dane dane;
    (void)state;
    begin(&packet);
    for (size_t i = 0; i < TLS_RECORDS_MAX + 5; i++)
        add(&packet, "311", (unsigned char)i, 32);
    assert_int_equal(parse(&packet, &dane), DANE_USABLE);
    assert_int_equal(dane.count, TLS_RECORDS_MAX);
    assert_int_equal(dane.seen, TLS_RECORDS_MAX + 5);
}

static void damaged_answers(void **state)
{
    static struct packet packet;
    static struct dane dane;
    (void)state;
    begin(&packet);
    add(&packet, "311", 1, 32);
    add(&packet, "211", 2, 32);
    for (size_t size = 0; size < packet.size; size++)
        assert_int_equal(dane_parse(slice_of(packet.bytes, size), &dane), DANE_TROUBLE);
    for (size_t at = 0; at < packet.size; at++)
        for (unsigned value = 0; value < 256; value += 5) {
            unsigned char kept = packet.bytes[at];
            packet.bytes[at] = (unsigned char)value;
            assert_in_range(parse(&packet, &dane), DANE_NONE, DANE_TROUBLE);
            packet.bytes[at] = kept;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_count),
        cmocka_unit_test(the_strongest_hash_of_a_kind),
        cmocka_unit_test(many_records),
        cmocka_unit_test(damaged_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
