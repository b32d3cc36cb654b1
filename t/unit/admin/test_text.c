/* Pure pieces: changing a line of a text, routes, listening lines, output, listeners, key kinds. */
#include "ask.h"
#include "certificate.h"
#include "commandline.h"
#include "edit.h"
#include "hostfiles.h"
#include "output.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* ---- edit ---- */

static const char text[] = "# accounts\n\nu1::a=1\n  U2::\n#u3::\nu3::x\nlast::";

static void check_edit(const char *key, const char *replacement, const char *expected)
{
    struct str out;
    struct slice line = {0};
    str_init(&out, 1000);
    if (!edit_find(slice_text(text), EDIT_FIRST_FIELD, slice_text(key), &line))
        line = (struct slice){0};
    if (replacement)
        assert_true(edit_put(&out, slice_text(text), line, slice_text(replacement)));
    else
        assert_true(edit_remove(&out, slice_text(text), line));
    assert_slice(str_slice(&out), expected);
    str_free(&out);
}

static void test_edit(void **state)
{
    (void)state;
    check_edit("u1", "u1::a=2", "# accounts\n\nu1::a=2\n  U2::\n#u3::\nu3::x\nlast::");
    check_edit("u2", "u2::", "# accounts\n\nu1::a=1\nu2::\n#u3::\nu3::x\nlast::");
    check_edit("u3", NULL, "# accounts\n\nu1::a=1\n  U2::\n#u3::\nlast::");
    check_edit("last", NULL, "# accounts\n\nu1::a=1\n  U2::\n#u3::\nu3::x\n");
    check_edit("last", "last::b", "# accounts\n\nu1::a=1\n  U2::\n#u3::\nu3::x\nlast::b\n");
    check_edit("new", "new::", "# accounts\n\nu1::a=1\n  U2::\n#u3::\nu3::x\nlast::\nnew::\n");
}

static void test_edit_empty(void **state)
{
    (void)state;
    struct str out;
    struct slice line;
    str_init(&out, 1000);
    assert_false(edit_find(SLICE(""), EDIT_LINE, SLICE("a"), &line));
    assert_true(edit_put(&out, SLICE(""), (struct slice){0}, SLICE("a b")));
    assert_slice(str_slice(&out), "a b\n");
    assert_true(edit_find(str_slice(&out), EDIT_FIRST_WORD, SLICE("a"), &line));
    assert_false(edit_find(str_slice(&out), EDIT_FIRST_WORD, SLICE("b"), &line));
    assert_true(edit_find(str_slice(&out), EDIT_LINE, SLICE("a b"), &line));
    assert_false(edit_find(SLICE("# a\n"), EDIT_FIRST_WORD, SLICE("#"), &line));
    str_free(&out);
}

/* ---- routes ---- */

static void test_routes(void **state)
{
    (void)state;
    static const struct {
        const char *line, *key, *value; /* key NULL: refused */
    } cases[] = {
        {"example.jp:mail.example.jp:2525", "example.jp", "mail.example.jp:2525"},
        {"Example.JP:Mail.Example.JP", "example.jp", "mail.example.jp:25"},
        {".example.jp:mail.example.jp", ".example.jp", "mail.example.jp:25"},
        {":relay.example.net:587", "", "relay.example.net:587"},
        {":[192.0.2.1]:2525", "", "[192.0.2.1]:2525"},
        {":192.0.2.1:2525", "", "[192.0.2.1]:2525"},
        {":[2001:db8::1]:25", "", "[2001:db8::1]:25"},
        {":[2001:db8::1]", "", "[2001:db8::1]:25"},
        {"example.jp:", "example.jp", ":25"},
        {"example.jp::26", "example.jp", ":26"},
        {"\xe6\x97\xa5\xe6\x9c\xac.jp:relay.jp", "xn--wgv71a.jp", "relay.jp:25"},
        {"local:relay", "local", "relay:25"},
        {".jp:relay.jp", ".jp", "relay.jp:25"},
        {"example.jp", NULL, NULL},
        {"", NULL, NULL},
        {"a b:relay.jp", NULL, NULL},
        {"example..jp:relay.jp", NULL, NULL},
        {"example.jp:re lay", NULL, NULL},
        {"example.jp:relay.jp:0", NULL, NULL},
        {"example.jp:relay.jp:65536", NULL, NULL},
        {"example.jp:relay.jp:x", NULL, NULL},
        {"example.jp:relay.jp:25:26", NULL, NULL},
        {":[192.0.2.1", NULL, NULL},
        {":[192.0.2.1]x", NULL, NULL},
        {":[relay.jp]", NULL, NULL},
    };
    struct str key, value, reason;
    str_init(&key, 1000);
    str_init(&value, 1000);
    str_init(&reason, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        str_clear(&key);
        str_clear(&value);
        str_clear(&reason);
        bool good = hostfiles_parse_route(slice_text(cases[i].line), &key, &value, &reason);
        if (good != (cases[i].key != NULL))
            fail_msg("%s", cases[i].line);
        if (good) {
            assert_slice(str_slice(&key), cases[i].key);
            assert_slice(str_slice(&value), cases[i].value);
        } else {
            assert_true(reason.size > 0);
        }
    }
    str_free(&reason);
    str_free(&value);
    str_free(&key);
}

static void test_listen(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool good, proxy;
    } cases[] = {
        {"smtp 0.0.0.0:25", true, false},
        {"imaps [::1]:993 proxy", true, true},
        {"web 127.0.0.1:8080", true, false},
        {"smtps 0.0.0.0:25", false, false},
        {"smtp localhost:25", false, false},
        {"smtp 0.0.0.0", false, false},
        {"smtp 0.0.0.0:0", false, false},
        {"smtp 0.0.0.0:65536", false, false},
        {"smtp 0.0.0.0:25 porxy", false, false},
        {"smtp 0.0.0.0:25 proxy more", false, false},
        {"smtp", false, false},
        {"", false, false},
    };
    struct slice service, endpoint;
    struct str reason;
    bool proxy;
    str_init(&reason, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        str_clear(&reason);
        bool good =
            hostfiles_parse_listen(slice_text(cases[i].line), &service, &endpoint, &proxy, &reason);
        if (good != cases[i].good || (good && proxy != cases[i].proxy))
            fail_msg("%s", cases[i].line);
        assert_true(good == (reason.size == 0));
    }
    str_free(&reason);
}

/* ---- output ---- */

static void check_output(const char *json, const char *expected)
{
    struct str out;
    json_error_t error;
    json_t *value = json_loads(json, JSON_DECODE_ANY, &error);
    assert_non_null(value);
    str_init(&out, 10000);
    assert_true(output_text(value, &out));
    assert_slice(str_slice(&out), expected);
    str_free(&out);
    json_decref(value);
}

static void test_output(void **state)
{
    (void)state;
    check_output("[]", "");
    check_output("\"text\"", "text\n");
    check_output("[\"a\", \"b\"]", "a\nb\n");
    check_output("{\"a\": 1, \"long\": true, \"none\": null}", "a     1\nlong  on\nnone  -\n");
    check_output("{\"a\": [\"x\", \"y\"]}", "a  x y\n");
    check_output("[{\"id\": \"1\", \"name\": \"x\"}, {\"id\": \"22\"}]", "id  name\n1   x\n22\n");
    check_output("{\"n\": 1, \"o\": {\"p\": false}}", "n  1\no\n  p  off\n");
    check_output("{\"h\": [\"a: b\", \"c\"], \"t\": \"x\\ty\"}", "h\n  a: b\n  c\nt  x y\n");
    check_output("\"a\\u001b[31m\"", "a?[31m\n");
    /* Also those of eight bits, and such as turn the direction of writing. */
    check_output("\"\\u0085\\u009b31m\\u00a0\"", "????31m\xc2\xa0\n");
    check_output("\"a\\u202eb\\u2066c\\u2028d\\u200ee\\u20ac\"", "a???b???c???d\xe2\x80\x8e"
                                                                 "e\xe2\x82\xac\n");
    /* A text may have lines, a cell of a table not. */
    check_output("{\"t\": \"x\\ny\"}", "t  x\ny\n");
    check_output("[{\"t\": \"x\\ny\", \"u\": 1}]", "t    u\nx?y  1\n");
    check_output("[{\"a\": \"\xe6\x97\xa5\", \"b\": \"x\"}, {\"a\": \"yy\", \"b\": \"z\"}]",
                 "a   b\n\xe6\x97\xa5   x\nyy  z\n");
}

/* ---- who listens ---- */

static void test_listeners(void **state)
{
    (void)state;
    static const char table[] = "  sl  local_address rem_address   st tx_queue\n"
                                "   0: 0100007F:4679 00000000:0000 0A 00000000:00000000\n"
                                "   1: 0100007F:4680 0100007F:0019 01 00000000:00000000\n"
                                "   2: 00000000000000000000000001000000:1F90 0:0 0A 0\n";
    struct slice whole = slice_text(table);
    assert_true(ask_find_listener(whole, SLICE("127.0.0.1:18041")));
    assert_false(ask_find_listener(whole, SLICE("127.0.0.1:18048"))); /* a connection */
    assert_false(ask_find_listener(whole, SLICE("127.0.0.1:25")));
    assert_true(ask_find_listener(whole, SLICE("[::1]:8080")));
    assert_false(ask_find_listener(whole, SLICE("nonsense")));
    assert_false(ask_find_listener(SLICE(""), SLICE("127.0.0.1:25")));
}

static void test_key_kinds(void **state)
{
    (void)state;
    static const char ecdsa[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\n"
                                "q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n"
                                "-----END PUBLIC KEY-----\n";
    static const char rsa_start[] = "-----BEGIN PUBLIC KEY-----\n"
                                    "MA0GCSqGSIb3DQEBAQUA\n-----END PUBLIC KEY-----\n";
    enum certificate_kind kind;
    assert_true(certificate_kind_of(slice_text(ecdsa), &kind) && kind == CERTIFICATE_ECDSA);
    assert_true(certificate_kind_of(slice_text(rsa_start), &kind) && kind == CERTIFICATE_RSA);
    assert_false(certificate_kind_of(SLICE(""), &kind));
    assert_false(certificate_kind_of(SLICE("-----BEGIN X-----\n!!\n-----END X-----\n"), &kind));
    assert_false(certificate_kind_of(SLICE("MCowBQYDK2VwAyEAAAAA"), &kind));
}

/* ---- the manual ---- */

/* The lines of an item as one text: ".Xr replies 5 ." is "replies(5).". */
static void flatten(const char *item, char *flat_text, size_t size)
{
    struct str flat = str_on(flat_text, size);
    struct slice rest = slice_text(item);
    while (rest.size > 0 && !slice_starts(rest, SLICE(".It ")) &&
           !slice_starts(rest, SLICE(".El"))) {
        struct slice line = slice_cut(&rest, '\n');
        if (flat.size > 0)
            str_append_byte(&flat, ' ');
        if (slice_starts(line, SLICE(".Xr "))) {
            (void)slice_cut_word(&line);
            str_append(&flat, slice_cut_word(&line));
            str_append_byte(&flat, '(');
            str_append(&flat, slice_cut_word(&line));
            str_append_byte(&flat, ')');
            line = slice_trim(line);
        }
        str_append(&flat, line);
    }
    str_append_byte(&flat, '\0');
    assert_false(flat.failed);
}

static void test_manual(void **state)
{
    (void)state;
    static char manual[131072];
    FILE *file = fopen("man/mailctl.1", "r");
    assert_non_null(file);
    manual[fread(manual, 1, sizeof manual - 1, file)] = '\0';
    fclose(file);
    for (const struct commandline_verb *verb = commandline_verbs; verb->group; verb++) {
        char item[256], said[4096];
        snprintf(item, sizeof item, ".It Cm %s\n", verb->synopsis);
        const char *at = strstr(manual, item);
        if (!at)
            fail_msg("mailctl(1) lacks: %s", verb->synopsis);
        flatten(at + strlen(item), said, sizeof said);
        if (strncmp(said, verb->help, strlen(verb->help)) != 0)
            fail_msg("mailctl(1) says of %s:\n%s\nand its help:\n%s", verb->synopsis, said,
                     verb->help);
        assert_true(strncmp(verb->synopsis, verb->group, strlen(verb->group)) == 0);
        assert_true(verb->least <= verb->most && verb->most <= COMMANDLINE_WORDS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit),      cmocka_unit_test(test_edit_empty),
        cmocka_unit_test(test_routes),    cmocka_unit_test(test_listen),
        cmocka_unit_test(test_output),    cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_key_kinds), cmocka_unit_test(test_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
