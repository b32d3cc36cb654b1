/* login, cache, apop: a question's form, remembered passwords, digests */
#include "question.h"

#include "apop.h"
#include "cache.h"
#include "login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum role asker;
    int fds;
    /* service, mechanism, client, tls, user, secret, challenge, tag, listening */
    const char *fields[9];
    bool good;
} questions[] = {
    {"smtp", ROLE_SMTPD, 0, {"smtp", "plain", "192.0.2.1", "1", "u1@a", "pw", "", "", ""}, true},
    {"imap",
     ROLE_IMAP_LOGIN,
     2,
     {"imap", "plain", "2001:db8::1", "0", "u1", "pw", "", "a1", "127.0.0.1"},
     true},
    {"imap, no early input",
     ROLE_IMAP_LOGIN,
     1,
     {"imap", "plain", "192.0.2.1", "0", "u1", "pw", "", "a1", ""},
     true},
    {"pop3 by apop",
     ROLE_POP3_LOGIN,
     1,
     {"pop3", "apop", "192.0.2.1", "1", "u1", "0123", "<1@a>", "", ""},
     true},
    {"empty user and secret",
     ROLE_SMTPD,
     0,
     {"smtp", "plain", "192.0.2.1", "1", "", "", "", "", ""},
     true},
    {"smtpd asks for imap",
     ROLE_SMTPD,
     1,
     {"imap", "plain", "192.0.2.1", "1", "u1", "pw", "", "a1", ""},
     false},
    {"imap-login asks for pop3",
     ROLE_IMAP_LOGIN,
     1,
     {"pop3", "plain", "192.0.2.1", "1", "u1", "pw", "", "", ""},
     false},
    {"no service", ROLE_SMTPD, 0, {"ftp", "plain", "192.0.2.1", "1", "u", "p", "", "", ""}, false},
    {"apop over smtp",
     ROLE_SMTPD,
     0,
     {"smtp", "apop", "192.0.2.1", "1", "u", "p", "", "", ""},
     false},
    {"no mechanism", ROLE_SMTPD, 0, {"smtp", "", "192.0.2.1", "1", "u", "p", "", "", ""}, false},
    {"client is a name",
     ROLE_SMTPD,
     0,
     {"smtp", "plain", "host", "1", "u", "p", "", "", ""},
     false},
    {"tls is 2", ROLE_SMTPD, 0, {"smtp", "plain", "192.0.2.1", "2", "u", "p", "", "", ""}, false},
    {"imap without tag",
     ROLE_IMAP_LOGIN,
     1,
     {"imap", "plain", "192.0.2.1", "1", "u", "p", "", "", ""},
     false},
    {"a tag of two words",
     ROLE_IMAP_LOGIN,
     1,
     {"imap", "plain", "192.0.2.1", "1", "u", "p", "", "a b", ""},
     false},
    {"smtp with a tag",
     ROLE_SMTPD,
     0,
     {"smtp", "plain", "192.0.2.1", "1", "u", "p", "", "a", ""},
     false},
    {"smtp with a descriptor",
     ROLE_SMTPD,
     1,
     {"smtp", "plain", "192.0.2.1", "1", "u", "p", "", "", ""},
     false},
    {"imap without a descriptor",
     ROLE_IMAP_LOGIN,
     0,
     {"imap", "plain", "192.0.2.1", "1", "u", "p", "", "a", ""},
     false},
    {"listening on a name",
     ROLE_SMTPD,
     0,
     {"smtp", "plain", "192.0.2.1", "1", "u", "p", "", "", "here"},
     false},
};

static void questions_are_taken_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const char *const *f = questions[i].fields;
        struct wire_message message;
        struct login login;
        print_message("    %s\n", questions[i].name);
        make_question(&message, "auth/1", f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8],
                      NULL);
        message.fd_count = (size_t)questions[i].fds;
        for (size_t fd = 0; fd < message.fd_count; fd++)
            message.fds[fd] = -1;
        assert_int_equal(login_read(&message, questions[i].asker, &login), questions[i].good);
        if (questions[i].good) {
            assert_string_equal(login.user, f[4]);
            assert_string_equal(login.secret, f[5]);
            assert_string_equal(login.tag, f[7]);
        }
        wire_free(&message);
    }
}

/* What the client said may be anything; it only never names anybody. */
static void odd_names_and_passwords_are_nobodys(void **state)
{
    (void)state;
    struct wire_message message;
    struct login login;
    char large[AUTH_SECRET_MAX + 2] = {0};
    memset(large, 'x', sizeof large - 1);
    make_question(&message, "auth/1", "smtp", "plain", "192.0.2.1", "1", large, large, large, "",
                  "", NULL);
    assert_true(login_read(&message, ROLE_SMTPD, &login));
    assert_string_equal(login.user, "");
    assert_string_equal(login.secret, "");
    message.fields[5] = SLICE("u1\0");
    message.fields[6] = SLICE("a\0b");
    assert_true(login_read(&message, ROLE_SMTPD, &login));
    assert_string_equal(login.user, "");
    assert_string_equal(login.secret, "");
    wire_free(&message);
}

static void mapped_addresses_are_written_as_ipv4(void **state)
{
    (void)state;
    struct wire_message message;
    struct login login;
    make_question(&message, "auth/1", "smtp", "plain", "::ffff:192.0.2.1", "1", "u", "p", "", "",
                  "", NULL);
    assert_true(login_read(&message, ROLE_SMTPD, &login));
    assert_string_equal(login.client, "192.0.2.1");
    wire_free(&message);
}

/* ---- cache ------------------------------------------------------------------------------------ */

static void a_right_password_is_remembered_for_a_while(void **state)
{
    (void)state;
    struct cache *cache = malloc(sizeof *cache);
    assert_non_null(cache);
    assert_true(cache_init(cache));
    assert_false(cache_has(cache, "u1@a", "hash", "pw", 1000));
    cache_add(cache, "u1@a", "hash", "pw", 1000);
    assert_true(cache_has(cache, "u1@a", "hash", "pw", 1000));
    assert_true(cache_has(cache, "u1@a", "hash", "pw", 1000 + CACHE_TTL_MS - 1));
    assert_false(cache_has(cache, "u1@a", "hash", "pw", 1000 + CACHE_TTL_MS));
    assert_false(cache_has(cache, "u1@a", "hash", "pW", 1000));
    assert_false(cache_has(cache, "u2@a", "hash", "pw", 1000));
    assert_false(cache_has(cache, "u1@a", "new hash", "pw", 1000)); /* password changed */
    assert_false(cache_has(cache, "u1@ah", "ash", "pw", 1000));     /* fields don't run together */
    assert_false(cache_has(cache, "u1@a", "hashp", "w", 1000));
    free(cache);
}

static void the_cache_is_bounded(void **state)
{
    (void)state;
    struct cache *cache = malloc(sizeof *cache);
    assert_non_null(cache);
    assert_true(cache_init(cache));
    int kept = 0;
    enum { MANY = 3 * CACHE_SETS * CACHE_WAYS };
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        cache_add(cache, name, "hash", "pw", 1000 + i);
        assert_true(cache_has(cache, name, "hash", "pw", 1000 + i));
    }
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        kept += cache_has(cache, name, "hash", "pw", 1000 + MANY);
    }
    assert_in_range(kept, CACHE_SETS * CACHE_WAYS / 2, CACHE_SETS * CACHE_WAYS);
    free(cache);
}

/* ---- apop ------------------------------------------------------------------------------------- */

static void apop_is_as_in_rfc_1939(void **state)
{
    (void)state;
    struct slice banner = SLICE("<1896.697170952@dbc.mtview.ca.us>");
    struct slice digest = SLICE("c4c9334bac560ecc979e58001b3e22fb");
    assert_true(apop_matches(banner, SLICE("tanstaaf"), digest));
    assert_false(apop_matches(banner, SLICE("tanstaaF"), digest));
    assert_false(apop_matches(SLICE("<1@b>"), SLICE("tanstaaf"), digest));
    assert_false(apop_matches(banner, SLICE(""), digest));
    assert_false(apop_matches(SLICE(""), SLICE("tanstaaf"), digest));
    assert_false(apop_matches(banner, SLICE("tanstaaf"), slice_part(digest, 0, 31)));
    assert_false(apop_matches(banner, SLICE("tanstaaf"), SLICE("")));
    assert_false(
        apop_matches(banner, SLICE("tanstaaf"), SLICE("c4c9334bac560ecc979e58001b3e22fb0")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_taken_or_refused),
        cmocka_unit_test(odd_names_and_passwords_are_nobodys),
        cmocka_unit_test(mapped_addresses_are_written_as_ipv4),
        cmocka_unit_test(a_right_password_is_remembered_for_a_while),
        cmocka_unit_test(the_cache_is_bounded),
        cmocka_unit_test(apop_is_as_in_rfc_1939),
    };
    return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
