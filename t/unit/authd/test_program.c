/* program: what spawnd lets itself be asked, and by whom */
#include "question.h"

#include "program.h"

#include <string.h>

static const struct {
    const char *name;
    enum role asker;
    int fds;
    const char *fields[8];
    const char *wrong; /* part of the reason; NULL: taken */
} requests[] = {
    {"imapd",
     ROLE_AUTHD,
     2,
     {"imapd", "example.jp", "u1", "u1@example.jp", "a001", "192.0.2.1", "1", "quota=1"},
     NULL},
    {"imapd over IPv6",
     ROLE_AUTHD,
     2,
     {"imapd", "example.jp", "u1", "u1@example.jp", ".", "2001:db8::1", "0", ""},
     NULL},
    {"pop3d",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "u1", "u1@example.jp", "192.0.2.1", "1", "quota=1"},
     NULL},
    {"local", ROLE_QUEUE, 1, {"local", "example.jp", "", "example.jp"}, NULL},
    {"ageing", ROLE_NIGHTLY, 1, {"ageing", "example.jp", "", "example.jp"}, NULL},
    {"ageing for queued", ROLE_QUEUE, 1, {"ageing", "example.jp", "", "example.jp"}, "no such"},
    {"local for nightly", ROLE_NIGHTLY, 1, {"local", "example.jp", "", "example.jp"}, "no such"},
    {"ageing of another domain",
     ROLE_NIGHTLY,
     1,
     {"ageing", "example.jp", "", "example.net"},
     "argument"},
    {"remote", ROLE_QUEUE, 1, {"remote", "", ""}, NULL},
    {"bounce", ROLE_QUEUE, 1, {"bounce", "", ""}, NULL},
    {"a program of others", ROLE_AUTHD, 1, {"local", "example.jp", "", "example.jp"}, "no such"},
    {"imapd for queued",
     ROLE_QUEUE,
     2,
     {"imapd", "example.jp", "u1", "u1@example.jp", "a", "192.0.2.1", "1", "quota=1"},
     "no such"},
    {"any program", ROLE_AUTHD, 2, {"sh", "example.jp", "u1"}, "no such"},
    {"a path", ROLE_AUTHD, 2, {"../bin/sh", "example.jp", "u1"}, "no such"},
    {"no program", ROLE_AUTHD, 2, {""}, "no such"},
    {"too few descriptors",
     ROLE_AUTHD,
     1,
     {"imapd", "example.jp", "u1", "u1@example.jp", "a", "192.0.2.1", "1", "quota=1"},
     "descriptors"},
    {"too many descriptors", ROLE_QUEUE, 2, {"remote", "", ""}, "descriptors"},
    {"a domain that leads away", ROLE_QUEUE, 1, {"local", "..", "", ".."}, "domain"},
    {"a domain with a slash", ROLE_QUEUE, 1, {"local", "a/b", "", "a/b"}, "domain"},
    {"a domain in upper case", ROLE_QUEUE, 1, {"local", "Example.jp", "", "Example.jp"}, "domain"},
    {"no domain", ROLE_QUEUE, 1, {"local", "", "", ""}, "domain"},
    {"a domain where none belongs", ROLE_QUEUE, 1, {"remote", "example.jp", ""}, "domain"},
    {"a local part that leads away",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "..", "..@example.jp", "192.0.2.1", "1", "quota=1"},
     "local part"},
    {"a hidden local part",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", ".ssh", ".ssh@example.jp", "192.0.2.1", "1", "quota=1"},
     "local part"},
    {"a local part with a slash",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "a/b", "a/b@example.jp", "192.0.2.1", "1", "quota=1"},
     "local part"},
    {"a local part with a space",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "a b", "a b@example.jp", "192.0.2.1", "1", "quota=1"},
     "local part"},
    {"somebody else's name",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "u1", "u2@example.jp", "192.0.2.1", "1", "quota=1"},
     "argument"},
    {"a name of another domain",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "u1", "u1@example.com", "192.0.2.1", "1", "quota=1"},
     "argument"},
    {"a tag with a space",
     ROLE_AUTHD,
     2,
     {"imapd", "example.jp", "u1", "u1@example.jp", "a b", "192.0.2.1", "1", "quota=1"},
     "argument"},
    {"an empty tag",
     ROLE_AUTHD,
     2,
     {"imapd", "example.jp", "u1", "u1@example.jp", "", "192.0.2.1", "1", "quota=1"},
     "argument"},
    {"a tag with a plus",
     ROLE_AUTHD,
     2,
     {"imapd", "example.jp", "u1", "u1@example.jp", "+", "192.0.2.1", "1", "quota=1"},
     "argument"},
    {"an option for a client",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "u1", "u1@example.jp", "--help", "1", "quota=1"},
     "argument"},
    {"tls that is neither",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "u1", "u1@example.jp", "192.0.2.1", "2", "quota=1"},
     "argument"},
    {"terms that are none",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "u1", "u1@example.jp", "192.0.2.1", "1", "-x"},
     "argument"},
    {"terms twice",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "u1", "u1@example.jp", "192.0.2.1", "1", "quota=1 quota=1"},
     "argument"},
    {"no terms",
     ROLE_AUTHD,
     2,
     {"pop3d", "example.jp", "u1", "u1@example.jp", "192.0.2.1", "1"},
     "number"},
    {"an argument too many", ROLE_QUEUE, 1, {"remote", "", "", "-x"}, "number"},
    {"an argument too few", ROLE_QUEUE, 1, {"local", "example.jp", ""}, "number"},
};

static void requests_are_taken_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const char *const *f = requests[i].fields;
        struct wire_message message;
        struct program_request request;
        print_message("    %s\n", requests[i].name);
        make_question(&message, "spawn/1", f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], NULL);
        message.fd_count = (size_t)requests[i].fds;
        for (size_t fd = 0; fd < message.fd_count; fd++)
            message.fds[fd] = -1;
        const char *wrong = program_read_request(&message, requests[i].asker, &request);
        if (!requests[i].wrong) {
            assert_null(wrong);
            assert_string_equal(request.program->name, f[0]);
            assert_string_equal(request.domain, f[1]);
            assert_string_equal(request.local, f[2]);
            for (size_t a = 0; a < request.argument_count; a++)
                assert_string_equal(request.arguments[a], f[3 + a]);
        } else {
            assert_non_null(wrong);
            assert_non_null(strstr(wrong, requests[i].wrong));
        }
        wire_free(&message);
    }
}

static void limits_are_exact(void **state)
{
    (void)state;
    char tag[PROGRAM_TAG_MAX + 1];
    memset(tag, 'a', sizeof tag);
    assert_true(program_is_tag(slice_of(tag, PROGRAM_TAG_MAX)));
    assert_false(program_is_tag(slice_of(tag, PROGRAM_TAG_MAX + 1)));
    assert_false(program_is_folder_name(SLICE("a\0b")));
    assert_false(program_is_folder_name(SLICE("a\x7f")));
    assert_true(program_is_folder_name(SLICE("\xe3\x81\x82"))); /* UTF-8 */
}

static void another_protocol_is_refused(void **state)
{
    (void)state;
    struct wire_message message;
    struct program_request request;
    make_question(&message, "spawn/2", "remote", "", "", NULL);
    assert_non_null(program_read_request(&message, ROLE_QUEUE, &request));
    wire_free(&message);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_taken_or_refused),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(another_protocol_is_refused),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
