/* control/bindroutes and control/relayauth, line by line */
#include "unit.h"

#include "sendingfiles.h"

typedef bool parse_line(struct slice line, struct str *key, struct str *value, struct str *reason);

struct line_case {
    const char *line;
    const char *key; /* NULL: refused */
    struct slice value;
};

static void check_lines(parse_line *parse, const struct line_case cases[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str key, value, reason;
        str_init(&key, 1000);
        str_init(&value, 2000);
        str_init(&reason, 1000);
        bool done = parse(slice_text(cases[i].line), &key, &value, &reason);
        if (done != (cases[i].key != NULL))
            fail_msg("\"%s\": %d, %.*s", cases[i].line, done, SLICE_PRINTF(str_slice(&reason)));
        if (done) {
            assert_slice(str_slice(&key), cases[i].key);
            assert_true(slice_equal(str_slice(&value), cases[i].value));
        } else {
            assert_true(reason.size > 0);
        }
        str_free(&key);
        str_free(&value);
        str_free(&reason);
    }
}

static void bindroutes_are_compiled(void **state)
{
    (void)state;
    const struct line_case cases[] = {
        {"Example.JP 192.0.2.1", "example.jp", SLICE("192.0.2.1 - -")},
        {".example.jp 2001:DB8::1 192.0.2.1", ".example.jp", SLICE("192.0.2.1 2001:db8::1 -")},
        {"* 192.0.2.1 helo=Mail.Example.JP", "", SLICE("192.0.2.1 - mail.example.jp")},
        {"example.jp", NULL, SLICE("")},
        {"example.jp helo=mail.example.jp", NULL, SLICE("")},
        {"example.jp 192.0.2.1 192.0.2.2", NULL, SLICE("")},
        {"example.jp 192.0.2.1 helo=a..b", NULL, SLICE("")},
        {"exa mple 192.0.2.1", NULL, SLICE("")},
        {"example.jp 192.0.2.1 mail.example.jp", NULL, SLICE("")},
    };
    check_lines(sendingfiles_parse_bindroute, cases, sizeof cases / sizeof *cases);
}

static void logins_are_compiled(void **state)
{
    (void)state;
    const struct line_case cases[] = {
        {"mail.example.jp user pass word", "mail.example.jp:25", SLICE("user\0pass word")},
        {"mail.example.jp:587 u@x p", "mail.example.jp:587", SLICE("u@x\0p")},
        {"[192.0.2.1]:587 u p", "[192.0.2.1]:587", SLICE("u\0p")},
        {"mail.example.jp user", NULL, SLICE("")},
        {"mail.example.jp", NULL, SLICE("")},
        {":25 u p", NULL, SLICE("")},
        {"mail.example.jp:0 u p", NULL, SLICE("")},
    };
    check_lines(sendingfiles_parse_relayauth, cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bindroutes_are_compiled),
        cmocka_unit_test(logins_are_compiled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
