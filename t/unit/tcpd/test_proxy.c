/* test_proxy - PROXY headers: good, bad, cut anywhere, and not a byte read too far */
#include "unit.h"

#include "clock.h"
#include "io.h"
#include "proxy.h"
#include "str.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIGNATURE      "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(literal) literal, sizeof(literal) - 1

struct sample {
    const char *bytes;
    size_t size;
    enum proxy_result result;
    const char *client; /* NULL: no addresses */
    uint16_t client_port;
    const char *server;
    uint16_t server_port;
};

static const struct sample samples[] = {
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n"), PROXY_DONE, "192.0.2.1", 56324,
     "198.51.100.1", 25},
    {BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), PROXY_DONE, "2001:db8::1", 1,
     "2001:db8::2", 65535},
    {BYTES("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n"), PROXY_DONE, "192.0.2.1", 1,
     "192.0.2.2", 2},
    {BYTES("PROXY UNKNOWN\r\n"), PROXY_DONE, NULL, 0, NULL, 0},
    {BYTES("PROXY UNKNOWN ffff:f...f:ffff what ever 1 2\r\n"), PROXY_DONE, NULL, 0, NULL, 0},
    {BYTES("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"), PROXY_DONE, "0.0.0.0", 0,
     "255.255.255.255", 65535},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 056324 25\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1  198.51.100.1 1 2\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("PROXY TCP4 ::1 ::1 1 2\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("PROXY TCP6 192.0.2.1 192.0.2.1 1 2\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 -1 2\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("PROXY TCP5 192.0.2.1 198.51.100.1 1 2\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("PROXY \r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("EHLO example.jp\r\n"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES("\r\n\r\n\1"), PROXY_BAD, NULL, 0, NULL, 0},
    {BYTES(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\0\x19"), PROXY_DONE, "192.0.2.1",
     56324, "198.51.100.1", 25},
    {BYTES(SIGNATURE "\x21\x11\0\x0f\xc0\0\2\1\xc6\x33\x64\1\xdc\4\0\x19\4\0\0"), PROXY_DONE,
     "192.0.2.1", 56324, "198.51.100.1", 25}, /* with a TLV */
    {BYTES(SIGNATURE "\x21\x21\0\x24\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                     "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\1\0\2"),
     PROXY_DONE, "2001:db8::1", 1, "2001:db8::2", 2},
    {BYTES(SIGNATURE "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"
                     "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\2\0\1\0\2"),
     PROXY_DONE, "192.0.2.1", 1, "192.0.2.2", 2},                  /* mapped */
    {BYTES(SIGNATURE "\x20\0\0\0"), PROXY_DONE, NULL, 0, NULL, 0}, /* LOCAL */
    {BYTES(SIGNATURE "\x20\x11\0\4abcd"), PROXY_DONE, NULL, 0, NULL, 0},
    {BYTES(SIGNATURE "\x21\0\0\0"), PROXY_DONE, NULL, 0, NULL, 0},      /* AF_UNSPEC */
    {BYTES(SIGNATURE "\x21\x11\0\4abcd"), PROXY_BAD, NULL, 0, NULL, 0}, /* too short */
    {BYTES(SIGNATURE "\x21\x12\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\0\x19"), PROXY_BAD, NULL, 0,
     NULL, 0},                                                          /* UDP */
    {BYTES(SIGNATURE "\x21\x31\0\0"), PROXY_BAD, NULL, 0, NULL, 0},     /* unix socket */
    {BYTES(SIGNATURE "\x31\x11\0\0"), PROXY_BAD, NULL, 0, NULL, 0},     /* version 3 */
    {BYTES(SIGNATURE "\x22\x11\0\0"), PROXY_BAD, NULL, 0, NULL, 0},     /* command 2 */
    {BYTES(SIGNATURE "\x21\x11\xff\xff"), PROXY_BAD, NULL, 0, NULL, 0}, /* 64 KB of it */
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static void check_header(const struct sample *sample, const struct proxy_header *header)
{
    char text[IP_TEXT_MAX];
    assert_int_equal(header->has_addresses, sample->client != NULL);
    if (!sample->client)
        return;
    ip_format(&header->client, text);
    assert_string_equal(text, sample->client);
    ip_format(&header->server, text);
    assert_string_equal(text, sample->server);
    assert_int_equal(header->client_port, sample->client_port);
    assert_int_equal(header->server_port, sample->server_port);
}

static void whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct proxy_header header;
        size_t size;
        enum proxy_result result =
            proxy_parse(slice_of(samples[i].bytes, samples[i].size), &header, &size);
        if (result != samples[i].result)
            fail_msg("sample %zu: %d", i, (int)result);
        if (result == PROXY_DONE) {
            assert_int_equal(size, samples[i].size);
            check_header(&samples[i], &header);
        }
    }
}

/* Every beginning of a good header wants more, and what follows one is not looked at. */
static void split(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct proxy_header header;
        struct str longer;
        size_t size;
        if (samples[i].result != PROXY_DONE)
            continue;
        for (size_t cut = 0; cut < samples[i].size; cut++)
            assert_int_equal(proxy_parse(slice_of(samples[i].bytes, cut), &header, &size),
                             PROXY_MORE);
        str_init(&longer, 4096);
        str_append(&longer, slice_of(samples[i].bytes, samples[i].size));
        str_append_text(&longer, "EHLO x\r\n\r\n");
        assert_int_equal(proxy_parse(str_slice(&longer), &header, &size), PROXY_DONE);
        assert_int_equal(size, samples[i].size);
        str_free(&longer);
    }
}

static void v1_limit(void **state)
{
    char line[200];
    struct proxy_header header;
    size_t size;
    (void)state;
    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    assert_int_equal(proxy_parse(slice_of(line, PROXY_V1_MAX - 1), &header, &size), PROXY_MORE);
    assert_int_equal(proxy_parse(slice_of(line, PROXY_V1_MAX), &header, &size), PROXY_BAD);
    memcpy(line + PROXY_V1_MAX - 2, "\r\n", 2);
    assert_int_equal(proxy_parse(slice_of(line, sizeof line), &header, &size), PROXY_DONE);
    assert_int_equal(size, PROXY_V1_MAX);
}

struct writer {
    int fd;
    const struct sample *sample;
};

static void *write_slowly(void *owner)
{
    struct writer *writer = owner;
    for (size_t i = 0; i < writer->sample->size; i++) {
        (void)!write(writer->fd, writer->sample->bytes + i, 1);
        if (i % 5 == 0)
            usleep(200);
    }
    (void)!write(writer->fd, "rest", 4);
    return NULL;
}

/* Byte by byte, with what follows close behind: just the header is taken. */
static void received(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        int pair[2];
        pthread_t thread;
        struct proxy_header header;
        char rest[8];
        if (samples[i].result != PROXY_DONE)
            continue;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        struct writer writer = {pair[1], &samples[i]};
        assert_int_equal(pthread_create(&thread, NULL, write_slowly, &writer), 0);
        assert_true(proxy_receive(pair[0], clock_deadline(5000), &header));
        pthread_join(thread, NULL);
        check_header(&samples[i], &header);
        assert_int_equal(read(pair[0], rest, sizeof rest), 4);
        assert_memory_equal(rest, "rest", 4);
        io_close(&pair[0]);
        io_close(&pair[1]);
    }
}

static void not_received(void **state)
{
    int pair[2];
    struct proxy_header header;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(pair[1], "PROXY T", 7), 7);
    assert_false(proxy_receive(pair[0], clock_deadline(20), &header));
    assert_int_equal(errno, ETIMEDOUT);
    assert_int_equal(write(pair[1], "PC4 x", 5), 5);
    io_close(&pair[1]);
    assert_false(proxy_receive(pair[0], clock_deadline(1000), &header));
    assert_int_equal(errno, EPROTO); /* "PC4" begins no header */
    io_close(&pair[0]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(pair[1], "PROXY T", 7), 7);
    io_close(&pair[1]);
    assert_false(proxy_receive(pair[0], clock_deadline(1000), &header));
    assert_int_equal(errno, ECONNRESET);
    io_close(&pair[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),    cmocka_unit_test(split),        cmocka_unit_test(v1_limit),
        cmocka_unit_test(received), cmocka_unit_test(not_received),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
