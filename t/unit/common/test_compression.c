/* compression: DEFLATE as a filter of a stream, at every split point, and what it costs in memory */
#include "unit.h"

#include "clock.h"
#include "compression.h"
#include "io.h"
#include "unixsocket.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT_MAX = 40000, BIG = 300000 };

struct ends {
    int pair[2];
    struct stream server, client;
    struct compression *served, *serving;
};

static int set_up(void **state)
{
    static struct ends ends;
    if (!unixsocket_pair(SOCK_STREAM, ends.pair) ||
        !stream_init(&ends.server, ends.pair[0], ends.pair[0], INPUT_MAX, 500) ||
        !stream_init(&ends.client, ends.pair[1], ends.pair[1], INPUT_MAX, 500))
        return -1;
    ends.serving = compression_new();
    ends.served = compression_new();
    if (!ends.serving || !ends.served ||
        stream_set_filter(&ends.server, compression_filter(ends.serving)) != STREAM_OK ||
        stream_set_filter(&ends.client, compression_filter(ends.served)) != STREAM_OK)
        return -1;
    *state = &ends;
    return 0;
}

static int tear_down(void **state)
{
    struct ends *ends = *state;
    stream_free(&ends->server);
    stream_free(&ends->client);
    compression_free(&ends->serving);
    compression_free(&ends->served);
    close(ends->pair[0]);
    close(ends->pair[1]);
    return 0;
}

static void lines_come_through(void **state)
{
    struct ends *ends = *state;
    struct slice line;
    for (int i = 0; i < 100; i++) {
        stream_format(&ends->client, "a%d NOOP\r\n", i);
        assert_int_equal(stream_flush(&ends->client), STREAM_OK);
        assert_int_equal(stream_line(&ends->server, 100, &line), STREAM_OK);
        stream_write(&ends->server, line);
        assert_int_equal(stream_flush(&ends->server), STREAM_OK);
        assert_int_equal(stream_line(&ends->client, 100, &line), STREAM_OK);
        char expected[32];
        snprintf(expected, sizeof expected, "a%d NOOP\r\n", i);
        assert_slice(line, expected);
    }
    assert_true(ends->client.bytes_in < 1200);
}

/* What raw DEFLATE, flushed, makes of `text`. */
static size_t deflate_text(struct slice text, char *wire, size_t room)
{
    z_stream state = {0};
    assert_int_equal(deflateInit2(&state, 6, Z_DEFLATED, -15, 8, 0), Z_OK);
    char *copy = malloc(text.size);
    assert_non_null(copy);
    memcpy(copy, text.data, text.size);
    state.next_in = (Bytef *)copy;
    state.avail_in = (uInt)text.size;
    state.next_out = (Bytef *)wire;
    state.avail_out = (uInt)room;
    assert_int_equal(deflate(&state, Z_SYNC_FLUSH), Z_OK);
    deflateEnd(&state);
    free(copy);
    return room - state.avail_out;
}

/* Reads lines as long as there are any. */
static void collect(struct stream *stream, struct str *text)
{
    struct slice line;
    stream->timeout_ms = 1;
    while (stream_line(stream, 100, &line) == STREAM_OK)
        assert_true(str_append(text, line));
}

static void input_is_read_at_every_split_point(void **unused)
{
    static const char text[] = "a1 SELECT INBOX\r\na2 UID FETCH 1:* (FLAGS)\r\na3 NOOP\r\n";
    (void)unused;
    char wire[200];
    size_t size = deflate_text(slice_text(text), wire, sizeof wire);
    for (size_t split = 0; split <= size; split++) {
        void *state;
        struct str got;
        str_init(&got, 1000);
        assert_int_equal(set_up(&state), 0);
        struct ends *ends = state;
        assert_int_equal(write(ends->pair[1], wire, split), split);
        collect(&ends->server, &got);
        compression_slim(ends->serving); /* wherever it stands: nothing may be lost */
        assert_int_equal(write(ends->pair[1], wire + split, size - split), size - split);
        collect(&ends->server, &got);
        assert_slice(str_slice(&got), text);
        str_free(&got);
        tear_down(&state);
    }
}

/* RFC 4978 4: 1 MB of zeros comes in about 1 KB; the stream takes as much of it as it has room. */
static void a_bomb_fills_no_more_than_the_buffer(void **state)
{
    struct ends *ends = *state;
    struct slice bytes;
    size_t total = 0;
    char *zeros = calloc(1, 1 << 20), wire[8192];
    assert_non_null(zeros);
    size_t size = deflate_text(slice_of(zeros, 1 << 20), wire, sizeof wire);
    free(zeros);
    assert_true(size < 2000);
    assert_int_equal(write(ends->pair[1], wire, size), size);
    while (total < 1 << 20) {
        assert_int_equal(stream_bytes(&ends->server, INPUT_MAX, &bytes), STREAM_OK);
        assert_true(bytes.size <= STREAM_INPUT_SIZE && ends->server.input.size <= INPUT_MAX);
        total += bytes.size;
        /* There is more, although the descriptor has nothing. */
        assert_int_equal(stream_has_input(&ends->server), total < 1 << 20);
    }
    assert_int_equal(total, 1 << 20);
}

static void a_line_beyond_the_limit_is_found_in_what_was_inflated(void **state)
{
    struct ends *ends = *state;
    struct slice line;
    char wire[1000];
    static char text[100000];
    memset(text, 'x', sizeof text - 6);
    memcpy(text + sizeof text - 6, "\r\nb\r\n", 5);
    size_t size = deflate_text(slice_of(text, sizeof text - 1), wire, sizeof wire);
    assert_int_equal(write(ends->pair[1], wire, size), size);
    assert_int_equal(stream_line(&ends->server, 1000, &line), STREAM_TOO_LONG);
    assert_int_equal(stream_skip_line(&ends->server), STREAM_OK);
    assert_int_equal(stream_line(&ends->server, 1000, &line), STREAM_OK);
    assert_slice(line, "b\r\n");
    assert_false(stream_has_input(&ends->server));
}

static void broken_input_is_an_error(void **state)
{
    struct ends *ends = *state;
    struct slice line;
    assert_int_equal(write(ends->pair[1], "\xff\xff\xff\xff", 4), 4);
    assert_int_equal(stream_line(&ends->server, 100, &line), STREAM_ERROR);
    assert_int_equal(errno, EPROTO);
}

/* What a client sent behind COMPRESS without waiting is compressed already. */
static void pending_input_is_taken_as_compressed(void **state)
{
    struct ends *ends = *state;
    struct slice line;
    struct stream late;
    char wire[100];
    static const char first[] = "a COMPRESS DEFLATE\r\n";
    size_t size = deflate_text(SLICE("b NOOP\r\n"), wire, sizeof wire);
    assert_int_equal(write(ends->pair[1], first, sizeof first - 1), sizeof first - 1);
    assert_int_equal(write(ends->pair[1], wire, size), size);
    assert_true(stream_init(&late, ends->pair[0], ends->pair[0], INPUT_MAX, 500));
    assert_int_equal(stream_line(&late, 100, &line), STREAM_OK);
    assert_int_equal(stream_set_filter(&late, compression_filter(ends->serving)), STREAM_OK);
    assert_int_equal(stream_line(&late, 100, &line), STREAM_OK);
    assert_slice(line, "b NOOP\r\n");
    stream_free(&late);
}

/* An answer longer than the buffer leaves in several writes, and is readable at once. */
static void long_answers_are_whole_after_a_flush(void **state)
{
    struct ends *ends = *state;
    static char sent[BIG], got[BIG];
    for (size_t i = 0; i < BIG; i++)
        sent[i] = (char)('a' + (i * i >> 7) % 26);
    stream_write(&ends->server, slice_of(sent, 10));
    stream_write(&ends->server, slice_of(sent + 10, 70000));
    for (size_t at = 70010; at < BIG;) {
        size_t room;
        char *out = stream_room(&ends->server, BIG - at, &room);
        assert_non_null(out);
        memcpy(out, sent + at, room);
        stream_wrote(&ends->server, room);
        at += room;
    }
    assert_int_equal(stream_flush(&ends->server), STREAM_OK);
    for (size_t at = 0; at < BIG;) {
        struct slice bytes;
        assert_int_equal(stream_bytes(&ends->client, BIG - at, &bytes), STREAM_OK);
        memcpy(got + at, bytes.data, bytes.size);
        at += bytes.size;
    }
    assert_memory_equal(sent, got, BIG);
    assert_false(stream_has_input(&ends->client));
}

static void slim_ends_go_on_where_they_were(void **state)
{
    struct ends *ends = *state;
    struct slice line;
    for (int i = 0; i < 50; i++) {
        stream_format(&ends->client, "a UID FETCH %d (FLAGS BODY.PEEK[])\r\n", i);
        stream_flush(&ends->client);
        assert_int_equal(stream_line(&ends->server, 100, &line), STREAM_OK);
        stream_write(&ends->server, line);
        stream_flush(&ends->server);
        assert_int_equal(stream_line(&ends->client, 100, &line), STREAM_OK);
        assert_true(slice_starts(line, SLICE("a UID FETCH ")));
        compression_slim(ends->serving);
        stream_slim(&ends->server, 0);
    }
    /* The client kept its past: it refers to what the server's end had to remember. */
    assert_true(ends->server.bytes_in < 50 * 16);
}

#if !defined(MAIL_SUITE_SANITIZER)
static void an_idle_end_holds_little_memory(void **state)
{
    struct ends *ends = *state;
    struct slice line;
    stream_write_text(&ends->client, "a IDLE\r\n");
    stream_flush(&ends->client);
    assert_int_equal(stream_line(&ends->server, 100, &line), STREAM_OK);
    stream_write_text(&ends->server, "+ idling\r\n");
    stream_flush(&ends->server);
    size_t before = mallinfo2().uordblks;
    compression_slim(ends->serving);
    assert_true(before - mallinfo2().uordblks > 250000);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_through, set_up, tear_down),
        cmocka_unit_test(input_is_read_at_every_split_point),
        cmocka_unit_test_setup_teardown(a_bomb_fills_no_more_than_the_buffer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_beyond_the_limit_is_found_in_what_was_inflated,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_input_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pending_input_is_taken_as_compressed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_answers_are_whole_after_a_flush, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slim_ends_go_on_where_they_were, set_up, tear_down),
#if !defined(MAIL_SUITE_SANITIZER)
        cmocka_unit_test_setup_teardown(an_idle_end_holds_little_memory, set_up, tear_down),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
