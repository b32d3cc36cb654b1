/* inject_stream: a peer's bytes, whole, in pieces at every cut, and spoiled */
#include "unit.h"

#include "inject.h"
#include "inject_stream.h"

#include <stdio.h>
#include <string.h>

struct seen {
    struct str text; /* "E<envelope>D<data>" */
    bool refuse;
};

static bool see_envelope(void *owner, struct slice fields)
{
    struct seen *seen = owner;
    str_append_text(&seen->text, "E");
    str_append(&seen->text, fields);
    str_append_text(&seen->text, "D");
    return !seen->refuse;
}

static void see_data(void *owner, struct slice bytes)
{
    struct seen *seen = owner;
    assert_true(str_append(&seen->text, bytes));
}

static const struct inject_stream_hooks hooks = {see_envelope, see_data};

static const char message[] = "3:env,5:hello,1:!,0:,";
static const char message_seen[] = "EenvDhello!";

static void takes_a_message_at_every_cut(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= sizeof message - 1; cut++) {
        struct inject_stream stream;
        struct seen seen = {0};
        str_init(&seen.text, 1000);
        inject_stream_init(&stream, &hooks, &seen);
        assert_true(inject_stream_feed(&stream, slice_of(message, cut)));
        assert_int_equal(stream.state == INJECT_STREAM_DONE, cut == sizeof message - 1);
        assert_true(inject_stream_feed(&stream, slice_of(message + cut, sizeof message - 1 - cut)));
        assert_slice(str_slice(&seen.text), message_seen);
        assert_int_equal(stream.state, INJECT_STREAM_DONE);
        inject_stream_free(&stream);
        str_free(&seen.text);
    }
}

static void takes_single_bytes(void **state)
{
    (void)state;
    struct inject_stream stream;
    struct seen seen = {0};
    str_init(&seen.text, 1000);
    inject_stream_init(&stream, &hooks, &seen);
    for (size_t i = 0; i < sizeof message - 1; i++) {
        assert_int_not_equal(stream.state, INJECT_STREAM_DONE);
        assert_true(inject_stream_feed(&stream, slice_of(message + i, 1)));
    }
    assert_slice(str_slice(&seen.text), message_seen);
    assert_int_equal(stream.state, INJECT_STREAM_DONE);
    inject_stream_free(&stream);
    str_free(&seen.text);
}

static void takes_an_empty_message(void **state)
{
    (void)state;
    struct inject_stream stream;
    struct seen seen = {0};
    str_init(&seen.text, 1000);
    inject_stream_init(&stream, &hooks, &seen);
    assert_true(inject_stream_feed(&stream, SLICE("0:,0:,")));
    assert_slice(str_slice(&seen.text), "ED");
    assert_int_equal(stream.state, INJECT_STREAM_DONE);
    inject_stream_free(&stream);
    str_free(&seen.text);
}

static const char *const bad[] = {
    ":x,",
    "a:x,",
    "-1:x,",
    "01:x,",
    "1 :x,",
    "3:env5:hello,",
    "3:env,05:h",
    "3:env,:",
    "3:envX",
    "99999999999:x",
    "870049:",
    "3:env,65537:",
    "3:env,0:x",
    "3:env,1:ab",
    "\0",
    "3:env,1:a,0;,",
    "18446744073709551617:x,",
    "3:env,1:a,0:,3:env,", /* one message is all */
    "0:,0:,\n",
};

static void refuses_what_is_no_stream(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct inject_stream stream;
        struct seen seen = {0};
        size_t size = bad[i][0] ? strlen(bad[i]) : 1;
        str_init(&seen.text, 1000);
        inject_stream_init(&stream, &hooks, &seen);
        if (inject_stream_feed(&stream, slice_of(bad[i], size)))
            fail_msg("taken: %s", bad[i]);
        inject_stream_free(&stream);
        str_free(&seen.text);
    }
}

static void stops_when_the_hook_says_so(void **state)
{
    (void)state;
    struct inject_stream stream;
    struct seen seen = {.refuse = true};
    str_init(&seen.text, 1000);
    inject_stream_init(&stream, &hooks, &seen);
    assert_false(inject_stream_feed(&stream, slice_text(message)));
    assert_slice(str_slice(&seen.text), "EenvD");
    inject_stream_free(&stream);
    str_free(&seen.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_message_at_every_cut), cmocka_unit_test(takes_single_bytes),
        cmocka_unit_test(takes_an_empty_message),       cmocka_unit_test(refuses_what_is_no_stream),
        cmocka_unit_test(stops_when_the_hook_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
