/* capability: the table, what is announced, what is off */
#include "unit.h"

#include "capability.h"

static void every_name_is_found_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < capability_count; i++)
        assert_true(capability_named(slice_text(capability_table[i].name)) == UINT64_C(1) << i);
    assert_true(capability_named(SLICE("idle")) != 0);
    assert_true(capability_named(SLICE("IDL")) == 0 && capability_named(SLICE("")) == 0);
}

static void some_stay_on(void **state)
{
    (void)state;
    assert_true(capability_named(SLICE("IMAP4rev1")) != 0);
    assert_true(capability_optional(SLICE("IMAP4rev1")) == 0);
    assert_true(capability_optional(SLICE("MOVE")) == capability_named(SLICE("MOVE")));
}

static void names_are_read(void **state)
{
    uint64_t set;
    struct slice wrong = {0};
    (void)state;
    assert_true(capability_read_names(SLICE(""), &set, NULL) && set == 0);
    assert_true(capability_read_names(SLICE("  move\tIDLE "), &set, &wrong));
    assert_true(set == (capability_named(SLICE("MOVE")) | capability_named(SLICE("IDLE"))));
    assert_false(capability_read_names(SLICE("MOVE MOVES"), &set, &wrong));
    assert_slice(wrong, "MOVES");
    assert_false(capability_read_names(SLICE("IMAP4rev1"), &set, NULL));
}

static void assert_announced(enum capability_trait when, uint64_t off, const char *name, bool is)
{
    struct str out;
    str_init(&out, 4096);
    capability_append(&out, when, off, 1000);
    assert_false(out.failed);
    struct slice rest = str_slice(&out);
    bool found = false;
    while (rest.size > 0)
        found |= slice_equal(slice_cut(&rest, ' '), slice_text(name));
    assert_int_equal(found, is);
    str_free(&out);
}

static void what_is_announced(void **state)
{
    (void)state;
    assert_announced(CAPABILITY_BEFORE_LOGIN, 0, "IMAP4rev1", true);
    assert_announced(CAPABILITY_BEFORE_LOGIN, 0, "MOVE", false);
    assert_announced(CAPABILITY_AFTER_LOGIN, 0, "MOVE", true);
    assert_announced(CAPABILITY_AFTER_LOGIN, capability_named(SLICE("MOVE")), "MOVE", false);
    assert_announced(CAPABILITY_AFTER_LOGIN, capability_named(SLICE("MOVE")), "IDLE", true);
}

static void commands_go_with_it(void **state)
{
    uint64_t off = capability_named(SLICE("MOVE"));
    (void)state;
    assert_true(capability_hides(off, SLICE("move")));
    assert_false(capability_hides(off, SLICE("IDLE")));
    assert_false(capability_hides(0, SLICE("MOVE")));
    assert_false(capability_hides(UINT64_MAX, SLICE("NOOP")));
}

/* RFC 9051 E: IMAP4rev2 promises MOVE, so one goes with the other. */
static void rev2_goes_with_what_it_promises(void **state)
{
    uint64_t move = capability_named(SLICE("MOVE")), id = capability_named(SLICE("ID"));
    (void)state;
    assert_true(capability_off(0) == 0);
    assert_true(capability_off(id) == id);
    assert_true(capability_off(move) == (move | capability_named(SLICE("IMAP4rev2"))));
}

/* RFC 7162 3.2.3: there is no QRESYNC without CONDSTORE, and nobody can enable it without ENABLE. */
static void what_builds_on_it_goes_with_it(void **state)
{
    (void)state;
    uint64_t qresync = capability_named(SLICE("QRESYNC"));
    assert_true(capability_off(qresync) == qresync);
    assert_true(capability_off(capability_named(SLICE("CONDSTORE"))) & qresync);
    assert_true(capability_off(capability_named(SLICE("ENABLE"))) & qresync);
    /* Through another one, too. */
    assert_true(capability_off(capability_named(SLICE("SORT"))) &
                capability_named(SLICE("CONTEXT=SORT")));
}

static void a_command_of_two_goes_with_the_last(void **state)
{
    (void)state;
    uint64_t search = capability_named(SLICE("CONTEXT=SEARCH"));
    uint64_t sort = capability_named(SLICE("CONTEXT=SORT"));
    assert_false(capability_hides(search, SLICE("CANCELUPDATE")));
    assert_false(capability_hides(sort, SLICE("CANCELUPDATE")));
    assert_true(capability_hides(search | sort, SLICE("CANCELUPDATE")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found_once),
        cmocka_unit_test(some_stay_on),
        cmocka_unit_test(names_are_read),
        cmocka_unit_test(what_is_announced),
        cmocka_unit_test(commands_go_with_it),
        cmocka_unit_test(rev2_goes_with_what_it_promises),
        cmocka_unit_test(what_builds_on_it_goes_with_it),
        cmocka_unit_test(a_command_of_two_goes_with_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
