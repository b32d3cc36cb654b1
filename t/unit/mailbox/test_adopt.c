/* adopt: lists of UIDs, keywords and POP3 names of Dovecot and Courier, whole, ugly and cut anywhere */
#include "unit.h"

#include "adopt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct adopt_list parse(const char *content)
{
    struct adopt_list list;
    if (!adopt_parse_uids(slice_text(content), &list))
        fail_msg("not taken: %s", content);
    return list;
}

static uint32_t uid_of(struct adopt_list *list, const char *name)
{
    const struct adopt_entry *entry = adopt_find(list, slice_text(name));
    return entry ? entry->uid : 0;
}

static void assert_uidl(struct adopt_list *list, const char *name, const char *wanted)
{
    struct str uidl;
    str_init(&uidl, 200);
    const struct adopt_entry *entry = adopt_find(list, slice_text(name));
    assert_non_null(entry);
    assert_int_equal(adopt_uidl(entry, &uidl), wanted != NULL);
    assert_slice(str_slice(&uidl), wanted ? wanted : "");
    str_free(&uidl);
}

/* ---- dovecot-uidlist ---------------------------------------------------------------------------
 */

static void version_3(void **state)
{
    (void)state;
    struct adopt_list list = parse("3 V1795354191 N1 G40c017104fee026b0f31000083ecc375\n"
                                   "1 :1795354191.M1P1.vm,S=12,W=14\n"
                                   "2 S12 W14 G00ff :1795354191.M2P1.vm\n"
                                   "7 Pold-name.17 O3 W9 :1795354191.M3P1.vm,S=12:2,S\n");
    assert_int_equal(list.uidvalidity, 1795354191);
    assert_int_equal(list.uidnext, 8); /* the header is not written with each message */
    assert_int_equal(list.count, 3);
    assert_int_equal(uid_of(&list, "1795354191.M1P1.vm,S=12,W=14:2,Sab"), 1);
    assert_int_equal(uid_of(&list, "1795354191.M1P1.vm"), 0);
    assert_int_equal(adopt_find_unique(&list, SLICE("1795354191.M1P1.vm,S=9:2,"))->uid, 1);
    assert_int_equal(uid_of(&list, "1795354191.M2P1.vm"), 2);
    assert_int_equal(uid_of(&list, "1795354191.M3P1.vm,S=12"), 7);
    assert_uidl(&list, "1795354191.M3P1.vm,S=12", "old-name.17");
    assert_uidl(&list, "1795354191.M2P1.vm", NULL);
    adopt_free(&list);
}

static void version_1(void **state)
{
    (void)state;
    struct adopt_list list = parse("1 1038161234 17\r\n3 10381.1_0.host:2,S\r\n16 a b c,S=3\r\n");
    assert_int_equal(list.uidvalidity, 1038161234);
    assert_int_equal(list.uidnext, 17);
    assert_int_equal(uid_of(&list, "10381.1_0.host"), 3);
    assert_int_equal(uid_of(&list, "a b c,S=3:2,"), 16);
    adopt_free(&list);
}

static void names_with_blanks_and_colons(void **state)
{
    (void)state;
    struct adopt_list list = parse("3 V9 N9 G0\n1 W3 :my mail :1\n2 ::2,S\n3 :a  b\n4 S1 :\n5 S1\n"
                                   "6 P:x :seven\n");
    assert_int_equal(list.count, 3);
    assert_int_equal(uid_of(&list, "my mail :2,S"), 1);
    assert_int_equal(uid_of(&list, "a  b"), 3);
    assert_uidl(&list, "seven", ":x");
    adopt_free(&list);
}

static void uids_that_are_none(void **state)
{
    (void)state;
    struct adopt_list list =
        parse("3 N5 V9\n9 :i\n0 :z\n-1 :m\n4294967296 :o\n4294967295 :p\n4193918720 :q\n"
              "8 :h\n8 :g\nx :y\n\n17\n 3 :k\n3:j\n");
    assert_int_equal(list.uidnext, 18); /* that line names no file */
    assert_int_equal(uid_of(&list, "i"), 9);
    assert_int_equal(uid_of(&list, "h"), 8); /* the caller finds out that both can't be */
    assert_int_equal(uid_of(&list, "g"), 8);
    assert_int_equal(list.count, 3);
    adopt_free(&list);
}

static void a_file_that_came_back_has_its_newer_uid(void **state)
{
    (void)state;
    struct adopt_list list = parse("3 V9 N5\n1 :a\n2 :b\n7 :a\n3 :a:2,S\n");
    assert_int_equal(list.count, 2);
    assert_int_equal(uid_of(&list, "a"), 7);
    adopt_find(&list, SLICE("a"))->is_taken = true;
    assert_null(adopt_find(&list, SLICE("a:2,F")));
    assert_null(adopt_find_unique(&list, SLICE("a,S=3")));
    adopt_free(&list);
}

static void a_torn_line_names_no_file_but_its_uid_counts(void **state)
{
    (void)state;
    struct adopt_list list = parse("3 V9 N5\n1 :a\n12 :b");
    assert_int_equal(list.count, 1);
    assert_int_equal(list.uidnext, 13);
    adopt_free(&list);
    list = parse("3 V9 N5\n1 :a\n12");
    assert_int_equal(list.uidnext, 5);
    adopt_free(&list);
}

static void no_lists(void **state)
{
    (void)state;
    static const char *const contents[] = {
        "",
        "\n",
        "3",
        "3 V9 N5",
        "3 V0 N5\n",
        "3 V9\n",
        "3 N5\n",
        "2 V9 N5\n",
        "3 9 5\n",
        "1 V9 N5\n",
        "1 9\n",
        "1 0 5\n",
        "1 9 0\n",
        "3 V9 N0\n",
        "3 V4294967296 N1\n",
        "3V9N5\n",
        "x 1 2\n",
        "1 9 x\n",
        "3 V9 N4294967295\n",
        "mailbox\n",
        "\x01\x02\n",
    };
    struct adopt_list list;
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        errno = 0;
        assert_false(adopt_parse_uids(slice_text(contents[i]), &list));
        assert_int_equal(errno, EINVAL);
        assert_int_equal(list.uidvalidity, 0);
        assert_int_equal(list.count, 0);
        adopt_free(&list);
    }
}

static void cut_anywhere_nothing_is_wrong(void **state)
{
    (void)state;
    static const char whole[] = "3 V9 N5 Gff\n1 W3 Pu1 :one,S=3\n2 :two:2,S\n10 :ten\n";
    for (size_t size = 0; size < sizeof whole; size++) {
        struct adopt_list list;
        char *bytes = malloc(size + 1);
        assert_non_null(bytes);
        memcpy(bytes, whole, size);
        if (adopt_parse_uids(slice_of(bytes, size), &list)) {
            assert_int_equal(list.uidvalidity, 9);
            uint32_t one = uid_of(&list, "one,S=3:2,"), two = uid_of(&list, "two");
            assert_true((one == 0 || one == 1) && (two == 0 || two == 2) && list.uidnext >= 5);
        }
        adopt_free(&list);
        free(bytes);
    }
}

static void many(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct str content;
    struct adopt_list list;
    str_init(&content, 1 << 26);
    str_append_text(&content, "3 V9 N5\n");
    for (unsigned i = 1; i <= COUNT; i++)
        str_format(&content, "%u :%u.M%uP1.h,S=3\n", i, 2000000000 - i * 7919 % 100003, i);
    assert_true(adopt_parse_uids(str_slice(&content), &list));
    assert_int_equal(list.count, COUNT);
    for (unsigned i = 1; i <= COUNT; i++) {
        char name[64];
        snprintf(name, sizeof name, "%u.M%uP1.h,S=3:2,S", 2000000000 - i * 7919 % 100003, i);
        assert_int_equal(uid_of(&list, name), i);
    }
    adopt_free(&list);
    str_free(&content);
}

/* ---- keywords ----------------------------------------------------------------------------------
 */

static void keywords_of_dovecot(void **state)
{
    (void)state;
    struct adopt_list list = parse("3 V9 N5\n1 :a\n");
    adopt_parse_dovecot_keywords(
        SLICE("0 $Forwarded\n2 NonJunk\n26 far\nx y\n5\n-1 z\n1 "
              "0123456789012345678901234567890123456789012345678901234567890123456789\n3 torn"),
        &list);
    assert_string_equal(list.keywords[0], "$Forwarded");
    assert_string_equal(list.keywords[1], "");
    assert_string_equal(list.keywords[2], "NonJunk");
    assert_string_equal(list.keywords[3], "");
    adopt_free(&list);
}

static void keywords_of_courier(void **state)
{
    (void)state;
    struct adopt_list list = parse("1 9 5\n1 a,S=1\n2 b\n3 c\n");
    adopt_parse_courier_keywords(SLICE("$Label1\nWork\n\na,S=1:0 1\nb:1 7 26 x\nnone:0\n\nc\nb:0"),
                                 &list);
    assert_string_equal(list.keywords[0], "$Label1");
    assert_string_equal(list.keywords[1], "Work");
    assert_int_equal(adopt_find(&list, SLICE("a,S=1"))->keywords, 3);
    assert_int_equal(adopt_find(&list, SLICE("b"))->keywords, 0x82);
    assert_int_equal(adopt_find(&list, SLICE("c"))->keywords, 0);
    adopt_take_keywords(SLICE("work\nNew\n\ntorn"), &list, adopt_find(&list, SLICE("a,S=1")));
    assert_int_equal(adopt_find(&list, SLICE("a,S=1"))->keywords, 6);
    assert_string_equal(list.keywords[2], "New");
    adopt_free(&list);
}

static void more_keywords_than_letters(void **state)
{
    (void)state;
    char line[16];
    struct adopt_list list = parse("1 9 5\n1 a\n");
    struct adopt_entry *entry = adopt_find(&list, SLICE("a"));
    for (unsigned i = 0; i < 40; i++) {
        snprintf(line, sizeof line, "k%u\n", i);
        adopt_take_keywords(slice_text(line), &list, entry);
        assert_int_equal(entry->keywords, i < 26 ? 1u << i : 0);
    }
    adopt_free(&list);
}

/* ---- POP3 --------------------------------------------------------------------------------------
 */

static void names_of_courier(void **state)
{
    (void)state;
    static const char pop3[] =
        "/3 9 1038161234\na,S=1:2,S 12 4:1038161234:0\nb b 17 5:0\nc 3 0:0\nd 3 6:1:1\ntorn 1 7:";
    struct adopt_list list = parse("1 9 5\n1 a,S=1\n2 b b\n3 c\n");
    assert_true(adopt_parse_pop3(slice_text(pop3), &list));
    assert_int_equal(list.count, 3);
    assert_uidl(&list, "a,S=1", "UID4-1038161234");
    assert_uidl(&list, "b b", "UID5");
    assert_uidl(&list, "c", NULL);
    adopt_free(&list);
}

static void an_account_without_imap(void **state)
{
    (void)state;
    struct adopt_list list = {0};
    assert_true(
        adopt_parse_pop3(SLICE("/2 9 1038161234\na,S=1 12 4:1038161234\nb 17 12:1\n"), &list));
    assert_int_equal(list.uidvalidity, 1038161234);
    assert_int_equal(list.uidnext, 13);
    assert_int_equal(uid_of(&list, "a,S=1:2,"), 4);
    assert_uidl(&list, "b", "UID12-1");
    adopt_free(&list);
    static const char *const none[] = {"", "/3 9 5", "3 9 5\n", "/3 0 5\n", "/3 5 0\n", "/3\n"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct adopt_list empty = {0};
        assert_false(adopt_parse_pop3(slice_text(none[i]), &empty));
        assert_int_equal(empty.uidvalidity, 0);
        adopt_free(&empty);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_3),
        cmocka_unit_test(version_1),
        cmocka_unit_test(names_with_blanks_and_colons),
        cmocka_unit_test(uids_that_are_none),
        cmocka_unit_test(a_file_that_came_back_has_its_newer_uid),
        cmocka_unit_test(a_torn_line_names_no_file_but_its_uid_counts),
        cmocka_unit_test(no_lists),
        cmocka_unit_test(cut_anywhere_nothing_is_wrong),
        cmocka_unit_test(many),
        cmocka_unit_test(keywords_of_dovecot),
        cmocka_unit_test(keywords_of_courier),
        cmocka_unit_test(more_keywords_than_letters),
        cmocka_unit_test(names_of_courier),
        cmocka_unit_test(an_account_without_imap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
