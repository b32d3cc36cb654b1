/* str: growing, the hard maximum, failure that stays */
#include "unit.h"

#include "str.h"

#include <string.h>

static void grows_up_to_its_maximum(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 100);
    for (int i = 0; i < 100; i++)
        assert_true(str_append_byte(&str, 'x'));
    assert_int_equal(str.size, 100);
    assert_false(str_append_byte(&str, 'y'));
    assert_true(str.failed);
    assert_int_equal(str.size, 100);
    str_free(&str);
    assert_null(str.data);
    assert_int_equal(str.max, 100);
}

static void failure_stays_until_cleared(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 4);
    assert_false(str_append(&str, SLICE("12345")));
    assert_int_equal(str.size, 0);
    assert_false(str_append(&str, SLICE("1")));
    assert_null(str_text(&str));
    str_clear(&str);
    assert_true(str_append(&str, SLICE("1234")));
    assert_string_equal(str_text(&str), "1234");
    str_free(&str);
}

static void formats_to_the_last_byte(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 8);
    assert_true(str_format(&str, "%s-%d", "abc", 1234));
    assert_slice(str_slice(&str), "abc-1234");
    assert_false(str_format(&str, "%s", "x"));
    assert_slice(str_slice(&str), "abc-1234");
    str_free(&str);
}

static void removes_and_truncates(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 100);
    str_append_text(&str, "hello");
    str_append_number(&str, 42);
    str_remove_front(&str, 2);
    assert_slice(str_slice(&str), "llo42");
    str_truncate(&str, 3);
    str_truncate(&str, 50);
    assert_slice(str_slice(&str), "llo");
    str_remove_front(&str, 99);
    assert_int_equal(str.size, 0);
    str_free(&str);
}

static void keeps_nul_but_not_as_text(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 100);
    str_append(&str, SLICE("a\0b"));
    assert_int_equal(str.size, 3);
    assert_null(str_text(&str));
    str_free(&str);
}

static void reserves_room(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 10);
    char *room = str_reserve(&str, 10);
    assert_non_null(room);
    memcpy(room, "0123456789", 10);
    str_added(&str, 5);
    assert_slice(str_slice(&str), "01234");
    assert_null(str_reserve(&str, SIZE_MAX));
    assert_true(str.failed);
    str_free(&str);
}

static void prepares_room(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 10);
    str_prepare(&str, 11); /* more than it may have */
    assert_null(str.data);
    assert_false(str.failed);
    str_prepare(&str, 10);
    const char *data = str.data;
    assert_non_null(data);
    assert_int_equal(str.size, 0);
    assert_true(str_append_text(&str, "0123456789"));
    assert_ptr_equal(str.data, data);
    str_free(&str);
}

static void appends_several_texts(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 6);
    assert_true(str_append_texts(&str, "a", "", "bc"));
    assert_slice(str_slice(&str), "abc");
    assert_false(str_append_texts(&str, "de", "fg", "h"));
    assert_true(str.failed);
    str_free(&str);
}

static void stays_on_the_callers_memory(void **state)
{
    (void)state;
    char bytes[5] = "xxxx";
    struct str str = str_on(bytes, 4);
    assert_true(str_append_text(&str, "abc"));
    assert_ptr_equal(str.data, bytes);
    assert_false(str_append_text(&str, "de"));
    str_clear(&str);
    assert_true(str_append_text(&str, "1234"));
    assert_ptr_equal(str.data, bytes);
    assert_int_equal(bytes[4], '\0');
}

static void fills_in_what_is_printable(void **state)
{
    (void)state;
    const struct {
        const char *text;
        struct slice detail;
        const char *filled;
    } cases[] = {
        {"no place", SLICE("x"), "no place"},          {"$", SLICE(" ~"), " ~"},
        {"a $ b", SLICE("1\r\n2"), "a 1??2 b"},        {"$$", SLICE("$"), "$$"},
        {"a$", SLICE("\0\x1f\x7f\x80\xff"), "a?????"}, {"a$b", SLICE(""), "ab"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str str;
        str_init(&str, 20);
        assert_true(str_append_filled(&str, slice_text(cases[i].text), cases[i].detail));
        assert_slice(str_slice(&str), cases[i].filled);
        str_free(&str);
    }
    struct str full;
    str_init(&full, 3);
    assert_false(str_append_filled(&full, SLICE("a$b"), SLICE("12")));
    assert_false(str_append_printable(&full, SLICE("")));
    str_free(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_up_to_its_maximum),
        cmocka_unit_test(failure_stays_until_cleared),
        cmocka_unit_test(formats_to_the_last_byte),
        cmocka_unit_test(removes_and_truncates),
        cmocka_unit_test(keeps_nul_but_not_as_text),
        cmocka_unit_test(reserves_room),
        cmocka_unit_test(fills_in_what_is_printable),
        cmocka_unit_test(appends_several_texts),
        cmocka_unit_test(prepares_room),
        cmocka_unit_test(stays_on_the_callers_memory),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
