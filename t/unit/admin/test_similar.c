/* Passwords that are like another: what is found, what is not, how much it costs. */
#include "newpassword.h"
#include "password.h"
#include "policy.h"
#include "similar.h"
#include "unit.h"

#include <string.h>

struct search {
    const char *wanted;
    size_t seen;
    bool found;
};

static bool look(void *owner, struct slice like)
{
    struct search *search = owner;
    search->seen++;
    search->found = slice_equal(like, slice_text(search->wanted));
    return !search->found;
}

static bool is_like(const char *fresh, const char *old)
{
    struct search search = {.wanted = old};
    similar_each(slice_text(fresh), look, &search);
    assert_in_range(search.seen, 0, SIMILAR_MAX);
    return search.found;
}

static void finds_what_is_like(void **state)
{
    (void)state;
    static const char *const like[][2] = {
        {"Summer-Time-2026", "Summer-Time-2026"},  {"Summer-Time-2026", "summer-time-2026"},
        {"Summer-Time-2026", "SUMMER-TIME-2026"},  {"Summer-Time-2026", "sUMMER-tIME-2026"},
        {"Summer-Time-2026", "summer-Time-2026"},  {"Summer-Time-2026", "6202-emiT-remmuS"},
        {"Summer-Time-2026", "Summer-Time-2025"},  {"Summer-Time-2026", "Summer-Time-1026"},
        {"Summer-Time-2026", "Summer-Time-"},      {"Summer-Time-2026", "Summer-Time-202"},
        {"Summer-Time-2026", "ummer-Time-2026"},   {"Summer-Time-2026", "Summer-Time-2026!"},
        {"Summer-Time-2026", "Summer-Time-20267"}, {"Summer-2026-Time!", "Summer-2026-Time."},
        {"Summer-2026-Time!", "Summer-2026-Time"}, {"Summer-2026-Time!", "Summer-2023-Time!"},
    };
    for (size_t i = 0; i < sizeof like / sizeof *like; i++)
        if (!is_like(like[i][0], like[i][1]))
            fail_msg("%s is like %s", like[i][0], like[i][1]);
}

static void lets_others_pass(void **state)
{
    (void)state;
    static const char *const others[] = {"Winter-Time-2026", "Summer-Time-3025", "Time-Summer-2026",
                                         "x", "Summer-Time-2026-and-more"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(is_like("Summer-Time-2026", others[i]));
    assert_false(is_like("", "x"));
    assert_false(is_like("", ""));
}

static void long_ones_cost_no_more(void **state)
{
    (void)state;
    char longest[PASSWORD_SECRET_MAX + 2];
    memset(longest, '7', sizeof longest - 1);
    for (size_t size = 1; size < sizeof longest; size += 17) {
        longest[size] = '\0';
        (void)is_like(longest, "none");
        longest[size] = '7';
    }
}

static void a_void_password_is_compared(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_MAX], bytes[POLICY_REASONS_MAX];
    struct str reasons = str_on(bytes, sizeof bytes);
    struct userline line;
    userline_init(&line);
    const struct newpassword of = {"u1", "example.jp", &line};
    assert_false(newpassword_withdraw(&of)); /* there is none */
    assert_true(password_hash(SLICE("Summer-Time-2025"), hash));
    assert_true(str_append_text(&line.hash, hash));
    assert_true(newpassword_is_old(&of, SLICE("Summer-Time-2025")));
    assert_true(newpassword_check(&of, SLICE("Summer-Time-2026"), &reasons));
    assert_true(newpassword_withdraw(&of));
    assert_true(newpassword_withdraw(&of)); /* once is enough */
    assert_true(userline_is_void(str_slice(&line.hash)));
    assert_slice(slice_from(str_slice(&line.hash), 1), hash);
    assert_false(newpassword_is_old(&of, SLICE("Summer-Time-2025")));
    assert_false(newpassword_check(&of, SLICE("Summer-Time-2026"), &reasons));
    assert_slice(str_slice(&reasons), "the password is like the old one: think of another");
    userline_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_like),
        cmocka_unit_test(lets_others_pass),
        cmocka_unit_test(long_ones_cost_no_more),
        cmocka_unit_test(a_void_password_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
