/* encodedword: header text as RFC 2047 has it, and read again */
#include "encodedword.h"
#include "mime.h"
#include "unit.h"

static void leaves_ascii_alone(void **state)
{
    (void)state;
    char bytes[100];
    struct str field = str_on(bytes, sizeof bytes);
    assert_true(encodedword_append(&field, SLICE("Your mailbox is 80% full"), 9));
    assert_slice(str_slice(&field), "Your mailbox is 80% full");
    str_clear(&field);
    assert_true(encodedword_append(&field, SLICE("a\r\nBcc: b"), 9));
    assert_slice(str_slice(&field), "=?UTF-8?B?YQ0KQmNjOiBi?=");
}

/* Whatever the length and the place in the line, lines keep to 76 bytes and words to characters. */
static void folds_between_characters(void **state)
{
    (void)state;
    struct str text, field, decoded;
    str_init(&text, 1000);
    str_init(&field, 4000);
    str_init(&decoded, 4000);
    for (size_t count = 1; count < 80; count++) {
        str_append_text(&text, count % 4 == 0   ? "a"
                               : count % 4 == 1 ? "é"
                               : count % 4 == 2 ? "日"
                                                : "𠮷");
        for (size_t used = 0; used < 90; used += 5) {
            str_clear(&field);
            str_clear(&decoded);
            assert_true(encodedword_append(&field, str_slice(&text), used));
            struct slice rest = str_slice(&field);
            for (size_t at = used; rest.size > 0; at = 0) {
                struct slice line = slice_without_line_end(slice_cut(&rest, '\n'));
                assert_true(line.size == 0 || at + line.size <= 76);
            }
            assert_true(mime_decode_header(str_slice(&field), &decoded));
            struct slice value = slice_trim(str_slice(&decoded)); /* the fold in front */
            assert_true(slice_equal(value, str_slice(&text)));
        }
    }
    str_free(&text);
    str_free(&field);
    str_free(&decoded);
}

static void bears_what_is_no_text(void **state)
{
    (void)state;
    char bytes[2000];
    struct str field = str_on(bytes, sizeof bytes);
    char nonsense[300];
    memset(nonsense, 0x80, sizeof nonsense);
    assert_true(encodedword_append(&field, slice_of(nonsense, sizeof nonsense), 9));
    assert_true(field.size > 400);
    struct str none = str_on(bytes, 20);
    assert_false(encodedword_append(&none, SLICE("日本語日本語"), 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_ascii_alone),
        cmocka_unit_test(folds_between_characters),
        cmocka_unit_test(bears_what_is_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
