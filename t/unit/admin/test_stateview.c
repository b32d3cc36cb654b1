/* States as people and programs see them, out of stated's answers. */
#include "state.h"
#include "stateview.h"
#include "unit.h"

#include <string.h>

/* An answer to "get": name, since, until, cause. */
static void answer_with(struct wire_message *answer, struct str *packet,
                        const char *const states[][STATEVIEW_FIELDS], size_t count)
{
    wire_init(answer);
    str_init(packet, WIRE_MAX_SIZE);
    wire_put_text(packet, "ok");
    for (size_t i = 0; i < count; i++)
        for (size_t field = 0; field < STATEVIEW_FIELDS; field++)
            wire_put_text(packet, states[i][field]);
    assert_true(wire_split(str_slice(packet), answer->fields, WIRE_MAX_FIELDS, &answer->count));
}

static const char *text_of(const json_t *states, size_t at, const char *key)
{
    return json_string_value(json_object_get(json_array_get(states, at), key));
}

static void test_states_have_cause_time_and_cure(void **state)
{
    (void)state;
    static const char *const states[][STATEVIEW_FIELDS] = {
        {"send-lock", "1700000000", "1700003600", "too much"},
        {"password-forced", "1700000000", "0", ""},
        {"unheard-of", "x", "", "a \xff byte"},
    };
    struct wire_message answer;
    struct str packet;
    json_t *rows = json_array();
    answer_with(&answer, &packet, states, 3);
    stateview_append(rows, &answer, "u1@example.jp");
    stateview_append(rows, &answer, "@example.jp");
    assert_int_equal(json_array_size(rows), 6);
    assert_string_equal(text_of(rows, 0, "of"), "u1@example.jp");
    assert_string_equal(text_of(rows, 3, "of"), "example.jp");
    assert_string_equal(text_of(rows, 0, "state"), "send-lock");
    assert_string_equal(text_of(rows, 0, "cause"), "too much");
    assert_non_null(text_of(rows, 0, "since"));
    assert_non_null(text_of(rows, 0, "until"));
    assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "until")));
    assert_non_null(strstr(text_of(rows, 1, "cure"), "user passwd"));
    assert_string_equal(text_of(rows, 2, "cure"), "");
    assert_true(json_is_null(json_object_get(json_array_get(rows, 2), "since")));
    assert_string_equal(text_of(rows, 2, "cause"), "a ? byte");
    json_decref(rows);
    wire_free(&answer);
    str_free(&packet);
}

static void test_table(void **state)
{
    (void)state;
    json_t *table = json_pack("{s:[{s:s}], s:[{s:s}, {s:s}]}", "example.jp", "state", "send-pause",
                              "u1@example.jp", "state", "send-lock", "state", "account-lock");
    json_t *found = stateview_find(table, "u1", "example.jp");
    assert_int_equal(json_array_size(found), 3);
    assert_string_equal(text_of(found, 0, "state"), "send-pause");
    json_decref(found);
    found = stateview_find(table, "u2", "example.jp");
    assert_int_equal(json_array_size(found), 1);
    json_decref(found);
    found = stateview_find(table, "u1", "example.com");
    assert_true(json_is_array(found) && json_array_size(found) == 0);
    json_decref(found);
    found = stateview_find(NULL, "u1", "example.jp");
    assert_true(json_is_null(found));
    json_decref(found);
    json_decref(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_have_cause_time_and_cure),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
