/* slice, number: cutting, comparing, numbers at their limits */
#include "unit.h"

#include "number.h"

static void cuts_at_separator(void **state)
{
    (void)state;
    struct slice rest = SLICE("a::b");
    assert_slice(slice_cut(&rest, ':'), "a");
    assert_slice(slice_cut(&rest, ':'), "");
    assert_slice(slice_cut(&rest, ':'), "b");
    assert_slice(slice_cut(&rest, ':'), "");
    assert_int_equal(rest.size, 0);
}

static void cuts_words(void **state)
{
    (void)state;
    struct slice rest = SLICE(" \t one  two ");
    assert_slice(slice_cut_word(&rest), "one");
    assert_slice(slice_cut_word(&rest), "two");
    assert_slice(slice_cut_word(&rest), "");
}

static void trims_both_ends(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE(" \r\n x y\t\n")), "x y");
    assert_slice(slice_trim(SLICE(" \r\n\t")), "");
    assert_slice(slice_trim(SLICE("")), "");
}

static void takes_off_one_line_end(void **state)
{
    (void)state;
    assert_slice(slice_without_line_end(SLICE("a\r\n")), "a");
    assert_slice(slice_without_line_end(SLICE("a\n")), "a");
    assert_slice(slice_without_line_end(SLICE("a\r")), "a");
    assert_slice(slice_without_line_end(SLICE("a\r\n\r\n")), "a\r\n");
    assert_slice(slice_without_line_end(SLICE("a\n\r")), "a\n");
    assert_slice(slice_without_line_end(SLICE("\n")), "");
    assert_slice(slice_without_line_end(SLICE("")), "");
}

static void finds_stray_bytes(void **state)
{
    (void)state;
    assert_int_equal(slice_find_stray(SLICE("")), 0);
    assert_int_equal(slice_find_stray(SLICE("a\r\nb\r\n")), 6);
    assert_int_equal(slice_find_stray(SLICE("a\r\nb\rc\0")), 4);
    assert_int_equal(slice_find_stray(SLICE("a\r\n\0\r")), 3);
    assert_int_equal(slice_find_stray(SLICE("\r\r\n")), 0);
    assert_int_equal(slice_find_stray(SLICE("a\r")), 1);
}

static void knows_control_and_high_bytes(void **state)
{
    (void)state;
    assert_false(slice_has_control(SLICE("")));
    assert_false(slice_has_control(SLICE(" ~\x80\xff")));
    assert_true(slice_has_control(SLICE("a\0")));
    assert_true(slice_has_control(SLICE("\x1f")));
    assert_true(slice_has_control(SLICE("a\x7f")));
    assert_false(slice_has_high(SLICE("")));
    assert_false(slice_has_high(SLICE("\0 ~\x7f")));
    assert_true(slice_has_high(SLICE("a\x80")));
    assert_true(slice_has_high(SLICE("\xff")));
}

static void compares_without_case(void **state)
{
    (void)state;
    assert_true(slice_equal_nocase(SLICE("InBoX"), SLICE("inbox")));
    assert_false(slice_equal_nocase(SLICE("inbox"), SLICE("inbo")));
    /* '@' and '`' differ from letters' case by the same bit. */
    assert_false(slice_equal_nocase(SLICE("@"), SLICE("`")));
    assert_true(slice_starts_nocase(SLICE("Re: x"), SLICE("RE:")));
    assert_false(slice_starts(SLICE("R"), SLICE("Re")));
    assert_true(slice_ends(SLICE("a.example"), SLICE(".example")));
    assert_false(slice_ends(SLICE("e"), SLICE(".example")));
}

static void parts_are_clipped(void **state)
{
    (void)state;
    assert_slice(slice_from(SLICE("abc"), 5), "");
    assert_slice(slice_part(SLICE("abc"), 1, 100), "bc");
    assert_slice(slice_part(SLICE("abc"), 9, SIZE_MAX), "");
    assert_int_equal(slice_find(SLICE("abc"), 'x'), 3);
    assert_int_equal(slice_find_last(SLICE("abab"), 'a'), 2);
    assert_int_equal(slice_find(SLICE(""), 'x'), 0);
}

static void copies_only_what_fits(void **state)
{
    (void)state;
    char text[4] = "???";
    assert_true(slice_copy_text(SLICE("abc"), text, sizeof text));
    assert_string_equal(text, "abc");
    assert_false(slice_copy_text(SLICE("abcd"), text, sizeof text));
    assert_string_equal(text, "");
    assert_false(slice_copy_text(SLICE("a\0b"), text, sizeof text));
    assert_false(slice_copy_text(SLICE(""), text, 0));
}

static void numbers_in_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        bool good;
        uint64_t value;
    } cases[] = {
        {"0", 0, true, 0},
        {"007", 10, true, 7},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999", UINT64_MAX, false, 0},
        {"11", 10, false, 0},
        {"", 10, false, 0},
        {"-1", 10, false, 0},
        {"+1", 10, false, 0},
        {" 1", 10, false, 0},
        {"1 ", 10, false, 0},
        {"1a", 100, false, 0},
        {"\xb2", 100, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 0;
        bool good = number_parse(slice_text(cases[i].text), cases[i].max, &value);
        if (good != cases[i].good || (good && value != cases[i].value))
            fail_msg("number \"%s\"", cases[i].text);
    }
}

static void hexadecimal(void **state)
{
    (void)state;
    char digits[16];
    uint64_t number = 1;
    number_put_hex(UINT64_C(0x0123456789abcdef), digits, 16);
    assert_memory_equal(digits, "0123456789abcdef", 16);
    assert_true(number_parse_hex(slice_of(digits, 16), &number));
    assert_true(number == UINT64_C(0x0123456789abcdef));
    number_put_hex(UINT64_MAX, digits, 3);
    assert_memory_equal(digits, "fff3", 4); /* no more than was asked for */
    assert_true(number_parse_hex(SLICE("00f"), &number) && number == 15);
    static const char *const bad[] = {"", "F", "0x1", " 1", "g", "-1", "00000000000000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (number_parse_hex(slice_text(bad[i]), &number) || number != 15)
            fail_msg("number \"%s\"", bad[i]);
    assert_false(number_parse_hex(slice_of("1\0", 2), &number));
}

static void numbers_to_text(void **state)
{
    (void)state;
    char digits[NUMBER_TEXT_SIZE];
    assert_slice(number_format(0, digits), "0");
    assert_slice(number_format(UINT64_MAX, digits), "18446744073709551615");
}

static void arithmetic_says_when_it_overflows(void **state)
{
    (void)state;
    size_t result = 7;
    assert_false(number_add(SIZE_MAX, 1, &result));
    assert_false(number_multiply(SIZE_MAX / 2, 3, &result));
    assert_int_equal(result, 7);
    assert_true(number_add(SIZE_MAX - 1, 1, &result));
    assert_true(result == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_at_separator),
        cmocka_unit_test(cuts_words),
        cmocka_unit_test(trims_both_ends),
        cmocka_unit_test(takes_off_one_line_end),
        cmocka_unit_test(finds_stray_bytes),
        cmocka_unit_test(knows_control_and_high_bytes),
        cmocka_unit_test(compares_without_case),
        cmocka_unit_test(parts_are_clipped),
        cmocka_unit_test(copies_only_what_fits),
        cmocka_unit_test(numbers_in_text),
        cmocka_unit_test(hexadecimal),
        cmocka_unit_test(numbers_to_text),
        cmocka_unit_test(arithmetic_says_when_it_overflows),
    };
    return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}
