/* outgoing: line ends, dots and TOP's limit, at every split point */
#include "unit.h"

#include "outgoing.h"

#include <string.h>

static const struct {
    const char *what, *stored;
    uint64_t lines;
    const char *sent;
} cases[] = {
    {"empty", "", OUTGOING_ALL, ".\r\n"},
    {"wire form", "a: b\r\n\r\nc\r\n", OUTGOING_ALL, "a: b\r\n\r\nc\r\n.\r\n"},
    {"bare LF", "a: b\n\nc\n", OUTGOING_ALL, "a: b\r\n\r\nc\r\n.\r\n"},
    {"mixed", "a\r\nb\nc\r\n\nd\n", OUTGOING_ALL, "a\r\nb\r\nc\r\n\r\nd\r\n.\r\n"},
    {"no end", "a", OUTGOING_ALL, "a\r\n.\r\n"},
    {"ends in CR", "a\r", OUTGOING_ALL, "a\r\n.\r\n"},
    {"bare CR", "a\rb\r\rc\r\n", OUTGOING_ALL, "a\rb\r\rc\r\n.\r\n"},
    {"dot", ".\r\n", OUTGOING_ALL, "..\r\n.\r\n"},
    {"dots", ".a\r\n..\r\nb.\r\n.\n.", OUTGOING_ALL, "..a\r\n...\r\nb.\r\n..\r\n..\r\n.\r\n"},
    {"dot behind bare CR", "a\r.\r\n", OUTGOING_ALL, "a\r.\r\n.\r\n"},
    {"only line ends", "\n\r\n\n", OUTGOING_ALL, "\r\n\r\n\r\n.\r\n"},
    {"top 0", "a: b\r\n.c: d\r\n\r\ne\r\nf\r\n", 0, "a: b\r\n..c: d\r\n\r\n.\r\n"},
    {"top 1", "a: b\r\n\r\n.e\r\nf\r\n", 1, "a: b\r\n\r\n..e\r\n.\r\n"},
    {"top 2 of 2", "a: b\r\n\r\ne\r\nf\r\n", 2, "a: b\r\n\r\ne\r\nf\r\n.\r\n"},
    {"top beyond", "a: b\n\ne\nf", 9, "a: b\r\n\r\ne\r\nf\r\n.\r\n"},
    {"top counts blank lines", "a: b\n\n\n\ne\n", 2, "a: b\r\n\r\n\r\n\r\n.\r\n"},
    {"top with no body", "a: b\r\nc: d\r\n", 5, "a: b\r\nc: d\r\n.\r\n"},
    {"top with no header", "\r\nbody\r\nmore\r\n", 1, "\r\nbody\r\n.\r\n"},
    {"a line of CRs is not blank", "a: b\r\n\r\r\nc\r\n\r\nd\r\ne\r\n", 1,
     "a: b\r\n\r\r\nc\r\n\r\nd\r\n.\r\n"},
};

/* Feeds pieces that end at `first`, `second` and the end. */
static void run(const char *what, const char *stored, uint64_t lines, size_t first, size_t second,
                const char *sent)
{
    struct stream stream;
    struct outgoing outgoing;
    struct slice text = slice_text(stored);
    assert_true(stream_init(&stream, 0, 1, 100, 0));
    outgoing_begin(&outgoing, &stream, lines);
    const struct slice pieces[] = {slice_part(text, 0, first),
                                   slice_part(text, first, second - first),
                                   slice_from(text, second)};
    bool more = true;
    for (size_t i = 0; i < 3 && more; i++)
        if (pieces[i].size > 0)
            more = outgoing_feed(&outgoing, pieces[i]);
    outgoing_end(&outgoing);
    if (!slice_equal(str_slice(&stream.output), slice_text(sent)))
        fail_msg("%s, split at %zu and %zu: \"%.*s\"", what, first, second,
                 SLICE_PRINTF(str_slice(&stream.output)));
    str_clear(&stream.output);
    stream_free(&stream);
}

static void messages_go_out_whole_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].stored);
        for (size_t first = 0; first <= size; first++)
            for (size_t second = first; second <= size; second++)
                run(cases[i].what, cases[i].stored, cases[i].lines, first, second, cases[i].sent);
    }
}

static void bytes_are_counted_without_dots(void **state)
{
    (void)state;
    struct stream stream;
    struct outgoing outgoing;
    assert_true(stream_init(&stream, 0, 1, 100, 0));
    outgoing_begin(&outgoing, &stream, OUTGOING_ALL);
    assert_true(outgoing_feed(&outgoing, SLICE(".a\nb\r\n")));
    outgoing_end(&outgoing);
    assert_int_equal(outgoing.bytes, 7);
    str_clear(&stream.output);
    stream_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_out_whole_at_every_split),
        cmocka_unit_test(bytes_are_counted_without_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
