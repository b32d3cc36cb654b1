/* header: the header section as it streams by, at every split point */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "header.h"

#define DATE "Date: now\r\n"
#define ID   "Message-ID: <1@me>\r\n"

struct header_case {
    const char *name;
    const char *message;
    const char *completed; /* as a submission comes out */
    const char *plain;     /* as mail from elsewhere does; NULL: untouched */
    unsigned received;
};

static const struct header_case cases[] = {
    {"both missing", "A: b\r\n\r\nx\r\n", "A: b\r\n" DATE ID "\r\nx\r\n", NULL, 0},
    {"both there", "DATE: x\r\nmessage-id: y\r\n\r\n", "DATE: x\r\nmessage-id: y\r\n\r\n", NULL, 0},
    {"one missing", "Date : x\r\n\r\n", "Date : x\r\n" ID "\r\n", NULL, 0},
    {"names that begin alike", "Dates: x\r\nMessage-IDs: y\r\n\r\n",
     "Dates: x\r\nMessage-IDs: y\r\n" DATE ID "\r\n", NULL, 0},
    {"in the body it is no field", "A: b\r\n\r\nDate: x\r\n", "A: b\r\n" DATE ID "\r\nDate: x\r\n",
     NULL, 0},
    {"folded lines are no fields", "A: b\r\n Date: x\r\n\tMessage-ID: y\r\n\r\n",
     "A: b\r\n Date: x\r\n\tMessage-ID: y\r\n" DATE ID "\r\n", NULL, 0},
    {"no header", "\r\nx\r\n", DATE ID "\r\nx\r\n", NULL, 0},
    {"text alone", "hello you\r\nDate: x\r\n", DATE ID "\r\nhello you\r\nDate: x\r\n",
     "\r\nhello you\r\nDate: x\r\n", 0},
    {"text behind fields", "A: b\r\nhello\r\n", "A: b\r\n" DATE ID "\r\nhello\r\n",
     "A: b\r\n\r\nhello\r\n", 0},
    {"a field without name", ": b\r\n", DATE ID "\r\n: b\r\n", "\r\n: b\r\n", 0},
    {"a folded line that goes on with nothing of the client's", " by forged\r\nDate: x\r\n\r\n",
     DATE ID "\r\n by forged\r\nDate: x\r\n\r\n", "\r\n by forged\r\nDate: x\r\n\r\n", 0},
    {"a mailbox file's line", "From a b\r\nDate: x\r\n\r\n", "From a b\r\nDate: x\r\n" ID "\r\n",
     NULL, 0},
    {"no empty line at the end", "A: b\r\n", "A: b\r\n" DATE ID, NULL, 0},
    {"nothing", "", DATE ID, NULL, 0},
    {"hops", "Received: 1\r\nreceived: 2\r\nDelivered-To: 3\r\nReceivedX: 4\r\n\r\nReceived: 5\r\n",
     "Received: 1\r\nreceived: 2\r\nDelivered-To: 3\r\nReceivedX: 4\r\n" DATE ID
     "\r\nReceived: 5\r\n",
     NULL, 3},
};

static void collect(void *owner, struct slice bytes)
{
    assert_true(str_append(owner, bytes));
}

static void check(const struct header_case *one, size_t step, bool completes)
{
    struct header header;
    struct str output;
    struct slice rest = slice_text(one->message);
    const char *expected = completes ? one->completed : one->plain ? one->plain : one->message;
    str_init(&output, 10000);
    header_init(&header, collect, &output, completes ? DATE : NULL, completes ? ID : NULL);
    for (; rest.size > 0; rest = slice_from(rest, step))
        header_take(&header, slice_part(rest, 0, step));
    header_finish(&header);
    if (!slice_equal(str_slice(&output), slice_text(expected)) || header.received != one->received)
        fail_msg("%s in steps of %zu: \"%.*s\", %u", one->name, step,
                 SLICE_PRINTF(str_slice(&output)), header.received);
    str_free(&output);
}

static void headers_at_every_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step < 80; step++) {
            check(&cases[i], step, true);
            check(&cases[i], step, false);
        }
}

static void ignore(void *owner, struct slice bytes)
{
    (void)owner;
    (void)bytes;
}

static void sizes_are_counted(void **state)
{
    (void)state;
    struct header header;
    header_init(&header, ignore, NULL, NULL, NULL);
    header_take(&header, SLICE("A: "));
    for (int i = 0; i < 1000; i++)
        header_take(&header, SLICE("xxxxxxxxxx"));
    assert_int_equal(header.size, 10003);
    header_take(&header, SLICE("\r\n\r\nxxxxxxxxxxxxxxx"));
    assert_int_equal(header.size, 10007);
}

static void a_name_without_end_is_text(void **state)
{
    (void)state;
    struct header header;
    header_init(&header, ignore, NULL, NULL, NULL);
    for (int i = 0; i < HEADER_NAME_MAX; i++)
        header_take(&header, SLICE("x"));
    assert_int_equal(header.place, HEADER_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_at_every_step),
        cmocka_unit_test(sizes_are_counted),
        cmocka_unit_test(a_name_without_end_is_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
