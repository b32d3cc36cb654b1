/* reader: whole commands out of a stream, at every split point, and its limits */
#include "unit.h"

#include "io.h"
#include "reader.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct reader_limits limits = {.line = 100, .literal = 32, .command = 128};

struct writer {
    int fd;
    struct slice first, second;
};

/* Writes the two halves so that they come by two reads. */
static void *write_halves(void *owner)
{
    struct writer *writer = owner;
    (void)io_write_all(writer->fd, writer->first, INT64_MAX);
    usleep(300);
    (void)io_write_all(writer->fd, writer->second, INT64_MAX);
    shutdown(writer->fd, SHUT_WR);
    return NULL;
}

/* Reads all commands and writes down what came: "command|" for whole ones, "!why|" for refused. */
static void read_all(struct reader *reader, struct str *seen)
{
    for (;;) {
        switch (reader_next(reader)) {
        case READER_COMMAND:
            str_append(seen, str_slice(&reader->text));
            str_append_byte(seen, '|');
            break;
        case READER_REFUSED:
            str_append_byte(seen, '!');
            str_append(seen, reader_tag(str_slice(&reader->text)));
            str_append_byte(seen, ' ');
            str_append_text(seen, reader->why);
            str_append_byte(seen, '|');
            break;
        case READER_CLOSING:
            str_append_text(seen, "BYE ");
            str_append_text(seen, reader->why);
            return;
        case READER_MESSAGE:
        case READER_GONE:
            return;
        }
    }
}

static void check_split(const char *name, struct slice input, size_t split, const char *expected)
{
    int pair[2];
    pthread_t thread;
    struct stream stream;
    struct reader reader;
    struct str seen;
    assert_true(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    struct writer writer = {pair[1], slice_part(input, 0, split), slice_from(input, split)};
    assert_int_equal(pthread_create(&thread, NULL, write_halves, &writer), 0);
    assert_true(stream_init(&stream, pair[0], pair[0], reader_input_max(&limits), 20000));
    reader_init(&reader, &stream, &limits, NULL, NULL);
    str_init(&seen, 65536);
    read_all(&reader, &seen);
    if (!slice_equal(str_slice(&seen), slice_text(expected)))
        fail_msg("%s, split at %zu: \"%.*s\"", name, split, SLICE_PRINTF(str_slice(&seen)));
    shutdown(pair[0], SHUT_RDWR);
    pthread_join(thread, NULL);
    str_free(&seen);
    reader_free(&reader);
    stream_free(&stream);
    close(pair[0]);
    close(pair[1]);
}

#define TEN   "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const struct {
    const char *name, *input, *expected;
} cases[] = {
    {"lines", "a NOOP\r\nb NOOP\nc\r\n", "a NOOP|b NOOP|c|"},
    {"an unfinished line is no command", "a NOOP\r\nb NO", "a NOOP|"},
    {"a literal", "a LOGIN {2}\r\nxy {3}\r\nabc\r\nb\r\n", "a LOGIN {2}\r\nxy {3}\r\nabc|b|"},
    {"a literal that does not wait", "a {4+}\r\n\r\n\r\n\r\nb\r\n", "a {4+}\r\n\r\n\r\n|b|"},
    {"a literal of nothing", "a {0+}\r\n\r\nb\r\n", "a {0+}\r\n|b|"},
    {"too long a line", "a " SIXTY SIXTY "\r\nb\r\n", "!a Line too long|b|"},
    {"too long, without a tag", SIXTY SIXTY "\r\nb\r\n", "!* Line too long|b|"},
    {"too large a literal", "a {33}\r\nb\r\n", "!a Literal too large|b|"},
    {"a huge literal", "a {99999999999999999999}\r\nb\r\n", "!a Literal too large|b|"},
    {"too large, and on its way", "a {33+}\r\nb\r\n", "BYE Literal too large"},
    {"many small ones",
     "a {30+}\r\n" TEN TEN TEN "{30+}\r\n" TEN TEN TEN "{30}\r\n" TEN TEN TEN "{30}\r\nb\r\n",
     "!a Literal too large|b|"},
};

static void every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t split = 0; split <= strlen(cases[i].input); split++)
            check_split(cases[i].name, slice_text(cases[i].input), split, cases[i].expected);
}

static void nul(void **state)
{
    (void)state;
    check_split("NUL", SLICE("a N\0OP\r\nb {2+}\r\n\0x\r\nc\r\n"), 3,
                "!a NUL in command|!b NUL in command|c|");
}

static void tags(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tag;
    } texts[] = {
        {"a NOOP", "a"},   {"a", "a"},       {"", "*"},      {" a", "*"},
        {"(a) NOOP", "*"}, {"a+ NOOP", "*"}, {"a\x01", "*"}, {TEN SIXTY " NOOP", "*"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_slice(reader_tag(slice_text(texts[i].text)), texts[i].tag);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split),
        cmocka_unit_test(nul),
        cmocka_unit_test(tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
