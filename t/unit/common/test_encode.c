/* encode: RFC 4648's own examples, every length, and what a strict decoder must refuse */
#include "unit.h"

#include "encode.h"

static const struct {
    const char *bytes, *base64, *hex;
} good[] = {
    {"", "", ""},
    {"f", "Zg==", "66"},
    {"fo", "Zm8=", "666f"},
    {"foo", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "666f6f62"},
    {"fooba", "Zm9vYmE=", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "666f6f626172"},
    {"\xfb\xff\xbf", "+/+/", "fbffbf"},
};

static void encodes_and_decodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct str out;
        str_init(&out, 100);
        assert_true(encode_base64(slice_text(good[i].bytes), &out));
        assert_slice(str_slice(&out), good[i].base64);
        str_clear(&out);
        assert_true(encode_from_base64(slice_text(good[i].base64), &out));
        assert_slice(str_slice(&out), good[i].bytes);
        str_clear(&out);
        assert_true(encode_hex(slice_text(good[i].bytes), &out));
        assert_slice(str_slice(&out), good[i].hex);
        str_clear(&out);
        assert_true(encode_from_hex(slice_text(good[i].hex), &out));
        assert_slice(str_slice(&out), good[i].bytes);
        str_free(&out);
    }
}

static void every_byte_and_length_comes_back(void **state)
{
    (void)state;
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct str text, back;
        str_init(&text, 1000);
        str_init(&back, 1000);
        struct slice whole = slice_of(bytes, size);
        assert_true(encode_base64(whole, &text) && encode_from_base64(str_slice(&text), &back));
        assert_true(slice_equal(whole, str_slice(&back)));
        str_clear(&text);
        str_clear(&back);
        assert_true(encode_hex(whole, &text) && encode_from_hex(str_slice(&text), &back));
        assert_true(slice_equal(whole, str_slice(&back)));
        str_free(&text);
        str_free(&back);
    }
}

static void refuses_what_is_not_base64(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } bad[] = {
        {"one digit", "Z"},
        {"two digits", "Zg"},
        {"three digits", "Zg="},
        {"padding alone", "===="},
        {"three pads", "Z==="},
        {"pad inside", "Zg==Zg=="},
        {"pad then digit", "Zg=g"},
        {"bits under a pad", "Zh=="},
        {"bits under one pad", "Zm9="},
        {"line end", "Zm9v\r\n"},
        {"blank", "Zm 9"},
        {"other alphabet", "-_-_"},
        {"high byte", "Zm9\xe3"},
        {"pad in front", "=Zm9"},
        {"pad after a group", "Zm9v="},
        {"five digits", "Zm9vY"},
        {"one pad", "="},
        {"star of SASL", "*"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct str out;
        str_init(&out, 100);
        str_append_text(&out, "kept");
        if (encode_from_base64(slice_text(bad[i].text), &out))
            fail_msg("%s: \"%s\" was taken", bad[i].name, bad[i].text);
        assert_slice(str_slice(&out), "kept");
        str_free(&out);
    }
}

static void refuses_what_is_not_hex(void **state)
{
    (void)state;
    static const char *const bad[] = {"6", "6g", "g6", "0x", " 6", "66 ", "6\xe3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct str out;
        str_init(&out, 100);
        assert_false(encode_from_hex(slice_text(bad[i]), &out));
        assert_int_equal(out.size, 0);
        str_free(&out);
    }
    struct str out;
    str_init(&out, 100);
    assert_true(encode_from_hex(SLICE("FfAa"), &out));
    assert_slice(str_slice(&out), "\xff\xaa");
    str_free(&out);
}

static void a_full_buffer_is_an_answer(void **state)
{
    (void)state;
    struct str out;
    str_init(&out, 7);
    assert_false(encode_base64(SLICE("foob"), &out));
    str_clear(&out);
    assert_false(encode_hex(SLICE("foob"), &out));
    str_clear(&out);
    assert_false(encode_from_base64(SLICE("Zm9vYmFyZm9v"), &out));
    assert_int_equal(out.size, 0);
    str_clear(&out);
    assert_false(encode_from_hex(SLICE("0102030405060708"), &out));
    assert_int_equal(out.size, 0);
    str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_and_decodes),
        cmocka_unit_test(every_byte_and_length_comes_back),
        cmocka_unit_test(refuses_what_is_not_base64),
        cmocka_unit_test(refuses_what_is_not_hex),
        cmocka_unit_test(a_full_buffer_is_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
