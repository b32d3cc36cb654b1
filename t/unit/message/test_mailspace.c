/* mailspace: blanks and comments, nested, quoted, never ending */
#include "unit.h"

#include "mailspace.h"

static void skips_blanks_and_comments(void **state)
{
    (void)state;
    static const struct {
        const char *text, *left;
    } cases[] = {
        {"", ""},
        {"a b", "a b"},
        {" \t\r\n a", "a"},
        {"(one) (two)\r\n a (three)", "a (three)"},
        {"(one (two) three)a", "a"},
        {"(one \\) two)a", "a"},
        {"(one \\( two)a", "a"},
        {"(never ( ends)", ""},
        {"(never ends \\", ""},
        {")a", ")a"},
        {"\va", "\va"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice text = slice_text(cases[i].text);
        mailspace_skip(&text);
        assert_slice(text, cases[i].left);
    }
}

static void measures_a_comment(void **state)
{
    (void)state;
    assert_int_equal(mailspace_comment(SLICE("(a(b)c)d")), 7);
    assert_int_equal(mailspace_comment(SLICE("(a")), 2);
    assert_int_equal(mailspace_comment(SLICE("(\0)x")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skips_blanks_and_comments),
        cmocka_unit_test(measures_a_comment),
    };
    return cmocka_run_group_tests_name("mailspace", tests, NULL, NULL);
}
