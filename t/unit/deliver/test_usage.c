/* usage: the question usage/1, of mailboxes and of the domain */
#include "unit.h"

#include "usage.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUOTA = 1000000, PATH_ROOM = 128 };

static char root[64];

static int begin(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/test_usage.XXXXXX");
    return mkdtemp(root) && chdir(root) == 0 ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    return chdir("/") == 0 ? nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS) : -1;
}

/* A mailbox with one message, of so many bytes as its name says. */
static void make_mailbox(const char *local, unsigned bytes)
{
    char path[PATH_ROOM];
    static const char *const parts[] = {"", "/Maildir", "/Maildir/new", "/Maildir/cur",
                                        "/Maildir/tmp"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(path, sizeof path, "%s%s", local, parts[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    snprintf(path, sizeof path, "%s/Maildir/new/1.a,S=%u", local, bytes);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

struct asked {
    const char *mailbox; /* "": the domain */
    const char *limit;
    const char *answer;
};

static bool ask(const struct asked *asked, size_t count, struct str *answer)
{
    struct str packet;
    struct wire_message message;
    wire_init(&message);
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "usage/1");
    for (size_t i = 0; i < count; i++) {
        wire_put_text(&packet, asked[i].mailbox);
        wire_put_text(&packet, asked[i].limit);
    }
    assert_true(str_append(&message.bytes, str_slice(&packet)));
    assert_true(
        wire_split(str_slice(&message.bytes), message.fields, WIRE_MAX_FIELDS, &message.count));
    assert_true(usage_is_question(&message));
    str_clear(answer);
    bool done = usage_answer(&message, answer);
    wire_free(&message);
    str_free(&packet);
    return done;
}

static void assert_answers(const struct asked *asked, size_t count)
{
    struct str answer;
    struct slice fields[WIRE_MAX_FIELDS];
    size_t got;
    str_init(&answer, WIRE_MAX_SIZE);
    assert_true(ask(asked, count, &answer));
    assert_true(wire_split(str_slice(&answer), fields, WIRE_MAX_FIELDS, &got));
    assert_int_equal(got, count);
    for (size_t i = 0; i < count; i++)
        assert_slice(fields[i], asked[i].answer);
    str_free(&answer);
}

static void mailboxes_and_domain(void **state)
{
    (void)state;
    make_mailbox("small", 10);
    make_mailbox("full", QUOTA);
    make_mailbox("over", 2 * QUOTA);
    make_mailbox("nearly", QUOTA - 1);
    static const struct asked asked[] = {
        {"small", "1000000", "room"},  {"full", "1000000", "full"},
        {"over", "1000000", "full"},   {"nearly", "1000000", "full"}, /* no ordinary message fits */
        {"nobody", "1000000", "room"},                                /* no mailbox, no mail */
        {"", "4000009", "full"},       {"", "8000000", "room"},
        {"over", "0", "room"}, /* no limit */
    };
    assert_answers(asked, sizeof asked / sizeof *asked);
}

/* What maildirsize says is not trusted: files may have gone, or come, by hand. */
static void mailboxes_are_counted(void **state)
{
    (void)state;
    make_mailbox("u1", 10);
    int fd = open("u1/Maildir/maildirsize", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    static const char text[] = "1000000S\n1000000 9\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    assert_answers(&(struct asked){"u1", "1000000", "room"}, 1);
}

static void what_is_no_mailbox(void **state)
{
    (void)state;
    assert_int_equal(mkdir("outside", 0700), 0);
    assert_int_equal(symlink("outside", "link"), 0);
    assert_int_equal(symlink("/etc", "outside/Maildir"), 0);
    int fd = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    /* What can't be measured stays as it is. */
    static const struct asked asked[] = {{"outside", "1000000", "full"},
                                         {"file", "1000000", "full"}};
    assert_answers(asked, 2);
    assert_answers(&(struct asked){"", "1000000", "room"}, 1);
}

static void bad_questions_are_refused(void **state)
{
    (void)state;
    static const struct asked asked[] = {
        {"..", "10", ""},
        {".", "10", ""},
        {"a/b", "10", ""},
        {"/etc", "10", ""},
        {"a\nb", "10", ""},
        {"u1", "", ""},
        {"u1", "-1", ""},
        {"u1", "ten", ""},
        {"u1", "1 ", ""},
        {"u1", "9223372036854775808", ""},
        {"a-name-that-is-longer-than-any-local-part-may-be-which-is-64-bytes-and-then-some-more-"
         "and-"
         "more-so-that-no-bound-that-the-suite-has-for-the-names-of-mailboxes-would-ever-be-so-"
         "large-"
         "as-this-one-is-which-goes-on-and-on-till-it-has-more-than-two-hundred-and-fifty-six-"
         "bytes-"
         "and-that-is-more-than-a-file-name-can-have",
         "10", ""},
    };
    struct str answer;
    str_init(&answer, WIRE_MAX_SIZE);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (ask(&asked[i], 1, &answer))
            fail_msg("%s of %s", asked[i].mailbox, asked[i].limit);
    str_free(&answer);
}

static void a_field_is_missing(void **state)
{
    (void)state;
    struct wire_message message;
    struct str answer;
    wire_init(&message);
    str_init(&answer, WIRE_MAX_SIZE);
    assert_false(usage_is_question(&message));
    message.count = 2;
    message.fields[0] = SLICE("usage/1");
    message.fields[1] = SLICE("u1");
    assert_false(usage_answer(&message, &answer));
    message.count = 1; /* nothing asked, nothing said */
    assert_true(usage_answer(&message, &answer));
    assert_int_equal(answer.size, 0);
    message.fields[0] = SLICE("usage/2");
    assert_false(usage_is_question(&message));
    wire_free(&message);
    str_free(&answer);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(mailboxes_and_domain),      IN_FOLDER(mailboxes_are_counted),
        IN_FOLDER(what_is_no_mailbox),        IN_FOLDER(bad_questions_are_refused),
        cmocka_unit_test(a_field_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
