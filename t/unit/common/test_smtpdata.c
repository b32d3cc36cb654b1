/* smtpdata: the end of a message, dots, and line ends that smuggle */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtpdata.h"
#include "str.h"

/* SLICE is no constant for tables. */
#define BYTES(literal)                                                                             \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

struct decode_case {
    const char *name;
    struct slice input;
    struct slice message;
    struct slice rest;
    bool ended;
    bool has_bare;
    uint64_t line_max;
};

static const struct decode_case decode_cases[] = {
    {"empty message", BYTES(".\r\nQUIT\r\n"), BYTES(""), BYTES("QUIT\r\n"), true, false, 0},
    {"one line", BYTES("hello\r\n.\r\n"), BYTES("hello\r\n"), BYTES(""), true, false, 5},
    {"stuffed dot", BYTES("..\r\n.\r\n"), BYTES(".\r\n"), BYTES(""), true, false, 1},
    {"stuffed word", BYTES("..a\r\n.b\r\n.\r\n"), BYTES(".a\r\nb\r\n"), BYTES(""), true, false, 2},
    {"dots within a line", BYTES("a.b.\r\n.\r\n"), BYTES("a.b.\r\n"), BYTES(""), true, false, 4},
    {"no end yet", BYTES("a\r\n.\r"), BYTES("a\r\n"), BYTES(""), false, false, 1},
    {"empty lines", BYTES("\r\n\r\n.\r\n"), BYTES("\r\n\r\n"), BYTES(""), true, false, 0},
    {"NUL is a byte", BYTES("a\0b\r\n.\r\n"), BYTES("a\0b\r\n"), BYTES(""), true, false, 3},
    {"LF dot LF is no end", BYTES("a\n.\nMAIL\r\n.\r\n"), BYTES("a\n.\nMAIL\r\n"), BYTES(""), true,
     true, 8},
    {"LF dot CRLF is no end", BYTES("a\n.\r\nMAIL\r\n.\r\n"), BYTES("a\n.\r\nMAIL\r\n"), BYTES(""),
     true, true, 4},
    {"CRLF dot LF is no end", BYTES("a\r\n.\nMAIL\r\n.\r\n"), BYTES("a\r\n\nMAIL\r\n"), BYTES(""),
     true, true, 5},
    {"CRLF dot CR is no end", BYTES("a\r\n.\rb\r\n.\r\n"), BYTES("a\r\n\rb\r\n"), BYTES(""), true,
     true, 2},
    {"CR dot CR is no end", BYTES("a\r.\rb\r\n.\r\n"), BYTES("a\r.\rb\r\n"), BYTES(""), true, true,
     5},
    {"CRLF dot CR CR LF is no end", BYTES("a\r\n.\r\r\nb\r\n.\r\n"), BYTES("a\r\n\r\r\nb\r\n"),
     BYTES(""), true, true, 1},
    {"CR CR LF", BYTES("a\r\r\n.\r\n"), BYTES("a\r\r\n"), BYTES(""), true, true, 2},
    {"lone LF alone", BYTES("\n.\r\n.\r\n"), BYTES("\n.\r\n"), BYTES(""), true, true, 2},
    {"LF behind NUL", BYTES("\0\n\r\n.\r\n"), BYTES("\0\n\r\n"), BYTES(""), true, true, 2},
};

/* Decodes `input` in parts of at most `step` bytes. */
static void decode(struct slice input, size_t step, struct smtpdata_decoder *decoder,
                   struct str *message, struct slice *rest)
{
    *rest = input;
    smtpdata_decoder_init(decoder);
    while (rest->size > 0 && !decoder->ended) {
        struct slice part = slice_part(*rest, 0, step);
        size_t taken = 0;
        while (taken < part.size && !decoder->ended) {
            struct slice run;
            taken += smtpdata_decode(decoder, slice_from(part, taken), &run);
            assert_true(str_append(message, run));
        }
        *rest = slice_from(*rest, taken);
    }
}

static void check_decode(const struct decode_case *one, size_t step)
{
    struct smtpdata_decoder decoder;
    struct str message;
    struct slice rest;
    str_init(&message, 1000);
    decode(one->input, step, &decoder, &message, &rest);
    if (!slice_equal(str_slice(&message), one->message) || !slice_equal(rest, one->rest) ||
        decoder.ended != one->ended || decoder.has_bare != one->has_bare ||
        decoder.line_max != one->line_max || decoder.size != one->message.size)
        fail_msg("%s in steps of %zu: message \"%.*s\", rest \"%.*s\", ended %d, bare %d, line %d",
                 one->name, step, SLICE_PRINTF(str_slice(&message)), SLICE_PRINTF(rest),
                 decoder.ended, decoder.has_bare, (int)decoder.line_max);
    str_free(&message);
}

static void decodes_at_every_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof decode_cases / sizeof *decode_cases; i++)
        for (size_t step = 1; step <= decode_cases[i].input.size; step++)
            check_decode(&decode_cases[i], step);
}

static void a_line_is_measured_before_its_end(void **state)
{
    (void)state;
    struct smtpdata_decoder decoder;
    char long_line[5000];
    struct slice run;
    for (size_t i = 0; i < sizeof long_line; i++)
        long_line[i] = 'x';
    smtpdata_decoder_init(&decoder);
    for (int i = 0; i < 3; i++)
        assert_int_equal(smtpdata_decode(&decoder, slice_of(long_line, sizeof long_line), &run),
                         sizeof long_line);
    assert_int_equal(decoder.line_max, 3 * sizeof long_line);
}

/* ---- every end that is none -------------------------------------------------------------------*/

enum { VARIANT_MAX = 7 };

/* What the decoder should make of `input`, in the plainest words. */
struct verdict {
    size_t used; /* bytes up to the end of the message, or all */
    bool ended;
    bool has_bare;
};

static bool is_line_start(struct slice input, size_t at)
{
    return at == 0 || (at >= 2 && input.data[at - 2] == '\r' && input.data[at - 1] == '\n');
}

static struct verdict judge(struct slice input)
{
    struct verdict verdict = {.used = input.size};
    for (size_t i = 0; i < input.size && !verdict.ended; i++)
        if (is_line_start(input, i) && slice_starts(slice_from(input, i), SLICE(".\r\n"))) {
            verdict.ended = true;
            verdict.used = i + 3;
        }
    for (size_t i = 0; i < verdict.used; i++) {
        bool is_cr = input.data[i] == '\r', is_lf = input.data[i] == '\n';
        if ((is_cr && i + 1 < verdict.used && input.data[i + 1] != '\n') ||
            (is_lf && (i == 0 || input.data[i - 1] != '\r')))
            verdict.has_bare = true;
    }
    return verdict;
}

static void check_variant(struct slice input, size_t split)
{
    struct smtpdata_decoder decoder;
    struct verdict wanted = judge(input);
    size_t used = 0;
    smtpdata_decoder_init(&decoder);
    while (used < input.size && !decoder.ended) {
        struct slice run, part = slice_from(input, used);
        if (used < split)
            part = slice_part(part, 0, split - used);
        used += smtpdata_decode(&decoder, part, &run);
    }
    if (decoder.ended != wanted.ended || decoder.has_bare != wanted.has_bare || used != wanted.used)
        fail_msg("split at %zu, %zu bytes: ended %d, bare %d, used %zu", split, input.size,
                 decoder.ended, decoder.has_bare, used);
}

/* All runs of CR, LF, dot and a letter up to a length, split at every point: the message ends at
 * CRLF dot CRLF and nowhere else, and whatever might be taken for a line end is reported. */
static void only_one_end_ends(void **state)
{
    (void)state;
    static const char alphabet[] = {'\r', '\n', '.', 'a'};
    char input[VARIANT_MAX];
    size_t checked = 0;
    for (size_t size = 1; size <= VARIANT_MAX; size++)
        for (size_t number = 0; number < (size_t)1 << (2 * size); number++) {
            for (size_t i = 0; i < size; i++)
                input[i] = alphabet[number >> (2 * i) & 3];
            for (size_t split = 1; split <= size; split++, checked++)
                check_variant(slice_of(input, size), split);
        }
    assert_true(checked > 100000);
}

/* ---- without dots -----------------------------------------------------------------------------*/

struct plain_case {
    struct slice input;
    bool has_bare;
};

static const struct plain_case plain_cases[] = {
    {BYTES(""), false},           {BYTES(".\r\n"), false},   {BYTES("a\r\n.\r\nb"), false},
    {BYTES("\r\n..\r\n"), false}, {BYTES("a\nb\r\n"), true}, {BYTES("a\rb\r\n"), true},
    {BYTES("a\r"), true},         {BYTES("\n"), true},       {BYTES("a\r\n.\r"), true},
    {BYTES("\r\r\n"), true},      {BYTES("a\r\n.\n"), true},
};

static void plain_text_goes_through(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plain_cases / sizeof *plain_cases; i++)
        for (size_t step = 1; step <= plain_cases[i].input.size; step++) {
            struct smtpdata_decoder decoder;
            struct slice rest = plain_cases[i].input;
            struct str output;
            str_init(&output, 1000);
            smtpdata_decoder_init_plain(&decoder);
            while (rest.size > 0) {
                struct slice run;
                rest = slice_from(rest, smtpdata_decode(&decoder, slice_part(rest, 0, step), &run));
                assert_true(str_append(&output, run));
            }
            smtpdata_decode_end(&decoder);
            assert_true(slice_equal(str_slice(&output), plain_cases[i].input));
            assert_int_equal(decoder.has_bare, plain_cases[i].has_bare);
            assert_int_equal(decoder.size, plain_cases[i].input.size);
            assert_false(decoder.ended);
            str_free(&output);
        }
}

struct encode_case {
    const char *name;
    struct slice input;
    struct slice plain;
    struct slice stuffed;
};

static const struct encode_case encode_cases[] = {
    {"nothing", BYTES(""), BYTES(""), BYTES(".\r\n")},
    {"a line", BYTES("a\r\n"), BYTES("a\r\n"), BYTES("a\r\n.\r\n")},
    {"no line end", BYTES("a"), BYTES("a\r\n"), BYTES("a\r\n.\r\n")},
    {"lone LF", BYTES("a\nb\n"), BYTES("a\r\nb\r\n"), BYTES("a\r\nb\r\n.\r\n")},
    {"lone LFs", BYTES("\n\n"), BYTES("\r\n\r\n"), BYTES("\r\n\r\n.\r\n")},
    {"lone CR", BYTES("a\rb\r\n"), BYTES("a b\r\n"), BYTES("a b\r\n.\r\n")},
    {"CR CR LF", BYTES("a\r\r\nb"), BYTES("a \r\nb\r\n"), BYTES("a \r\nb\r\n.\r\n")},
    {"CR at the end", BYTES("a\r"), BYTES("a\r\n"), BYTES("a\r\n.\r\n")},
    {"a dot", BYTES(".\r\n"), BYTES(".\r\n"), BYTES("..\r\n.\r\n")},
    {"dots", BYTES(".a\r\n..b\r\nc.d\r\n"), BYTES(".a\r\n..b\r\nc.d\r\n"),
     BYTES("..a\r\n...b\r\nc.d\r\n.\r\n")},
    {"LF dot LF", BYTES("a\n.\nb\n"), BYTES("a\r\n.\r\nb\r\n"), BYTES("a\r\n..\r\nb\r\n.\r\n")},
    {"CR dot CR", BYTES("a\r.\rb"), BYTES("a . b\r\n"), BYTES("a . b\r\n.\r\n")},
    {"LF dot CRLF", BYTES("\n.\r\n"), BYTES("\r\n.\r\n"), BYTES("\r\n..\r\n.\r\n")},
    {"dot, no end", BYTES("."), BYTES(".\r\n"), BYTES("..\r\n.\r\n")},
    {"NUL", BYTES("\0\n"), BYTES("\0\r\n"), BYTES("\0\r\n.\r\n")},
};

static void check_encode(const struct encode_case *one, size_t step, bool stuffs)
{
    struct smtpdata_encoder encoder;
    struct str output;
    struct slice rest = one->input, expected = stuffs ? one->stuffed : one->plain;
    str_init(&output, 1000);
    smtpdata_encoder_init(&encoder, stuffs);
    while (rest.size > 0) {
        struct slice run, part = slice_part(rest, 0, step);
        size_t used = smtpdata_encode(&encoder, part, &run);
        assert_true(used > 0 || run.size > 0);
        assert_true(str_append(&output, run));
        rest = slice_from(rest, used);
    }
    assert_true(str_append(&output, smtpdata_encode_end(&encoder)));
    if (!slice_equal(str_slice(&output), expected))
        fail_msg("%s in steps of %zu: \"%.*s\"", one->name, step, SLICE_PRINTF(str_slice(&output)));
    str_free(&output);
}

static void encodes_at_every_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof encode_cases / sizeof *encode_cases; i++)
        for (size_t step = 1; step <= encode_cases[i].input.size + 1; step++) {
            check_encode(&encode_cases[i], step, false);
            check_encode(&encode_cases[i], step, true);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_at_every_step),
        cmocka_unit_test(only_one_end_ends),
        cmocka_unit_test(plain_text_goes_through),
        cmocka_unit_test(a_line_is_measured_before_its_end),
        cmocka_unit_test(encodes_at_every_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
