/* question: questions of queued, and what is none; the part of the file that is looked at */
#include "unit.h"

#include "io.h"
#include "question.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    const char *fields[6];
    size_t fds;
    bool good;
} cases[] = {
    {"good", {"scan/1", "0cw9x2k4m7q1p", "120", "4000"}, 1, true},
    {"empty message", {"scan/1", "a", "0", "0"}, 1, true},
    {"largest", {"scan/1", "a", "1", "9223372036854775806"}, 1, true},
    {"sum too large", {"scan/1", "a", "2", "9223372036854775806"}, 1, false},
    {"no descriptor", {"scan/1", "a", "0", "0"}, 0, false},
    {"two descriptors", {"scan/1", "a", "0", "0"}, 2, false},
    {"other version", {"scan/2", "a", "0", "0"}, 1, false},
    {"field missing", {"scan/1", "a", "0"}, 1, false},
    {"field too many", {"scan/1", "a", "0", "0", "x"}, 1, false},
    {"no id", {"scan/1", "", "0", "0"}, 1, false},
    {"id with a blank", {"scan/1", "a b", "0", "0"}, 1, false},
    {"id with a line end", {"scan/1", "a\nb", "0", "0"}, 1, false},
    {"id too long",
     {"scan/1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "0", "0"},
     1,
     false},
    {"sign", {"scan/1", "a", "-1", "0"}, 1, false},
    {"not a number", {"scan/1", "a", "0", "x"}, 1, false},
    {"number too large", {"scan/1", "a", "0", "18446744073709551616"}, 1, false},
    {"nothing", {NULL}, 1, false},
};

static void parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire_message message = {0};
        struct question request;
        for (size_t j = 0; j < 6 && cases[i].fields[j]; j++)
            message.fields[message.count++] = slice_text(cases[i].fields[j]);
        message.fd_count = cases[i].fds;
        if (question_parse(&message, &request) != cases[i].good)
            fail_msg("%s", cases[i].name);
    }
}

static void maps_the_message_alone(void **state)
{
    (void)state;
    char path[] = "/tmp/mail-suite-request-XXXXXX";
    struct question request = {.start = 9, .size = 7};
    struct question_map map;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && unlink(path) == 0);
    assert_true(io_write_all(fd, SLICE("envelope\nmessage"), INT64_MAX));
    assert_true(question_map(&request, fd, &map));
    assert_slice(map.message, "message");
    question_unmap(&map);
    request.size = 8;
    assert_false(question_map(&request, fd, &map));
    assert_int_equal(errno, EPROTO);
    question_unmap(&map);
    request = (struct question){.start = 16, .size = 0};
    assert_true(question_map(&request, fd, &map));
    assert_int_equal(map.message.size, 0);
    question_unmap(&map);
    close(fd);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_false(question_map(&request, ends[0], &map));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(maps_the_message_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
