/* threadtree: threads of RFC 5256, of Zawinski's description of the algorithm, and monsters */
#include "threadtree.h"

#include "str.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 65536, SECRET = 12345 };

/* A message: its fields, with " | " between; dates of 2020 are seconds of one minute. */
struct thread_case {
    const char *name;
    const char *messages[12];
    const char *references, *refs, *subjects; /* the answers; NULL: not asked */
};

static void expand(const char *text, struct str *header)
{
    struct slice rest = slice_text(text);
    while (rest.size > 0) {
        const char *bar = memmem(rest.data, rest.size, " | ", 3);
        size_t size = bar ? (size_t)(bar - rest.data) : rest.size;
        struct slice field = slice_part(rest, 0, size);
        rest = slice_from(rest, bar ? size + 3 : size);
        static const char *const shorts[][2] = {
            {"i:", "Message-ID: "},
            {"r:", "References: "},
            {"y:", "In-Reply-To: "},
            {"s:", "Subject: "},
            {"d:", "Date: Wed, 1 Jan 2020 00:00:"},
        };
        for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++) {
            if (!slice_starts(field, slice_text(shorts[i][0])))
                continue;
            str_append_text(header, shorts[i][1]);
            field = slice_from(field, 2);
        }
        str_append(header, field);
        str_append_text(header, "\r\n");
    }
}

static void add(struct threadtree *tree, uint32_t number, struct slice header)
{
    struct str bytes;
    struct messagekeys keys;
    str_init(&bytes, MESSAGEKEYS_SIZE_MAX);
    assert_true(messagekeys_extract(header, NULL, &bytes));
    assert_true(messagekeys_read(str_slice(&bytes), &keys));
    assert_true(threadtree_add(tree, number, messagekeys_sent(&keys, number), &keys));
    str_free(&bytes);
}

static void check(const struct thread_case *one, enum threadtree_algorithm algorithm,
                  const char *wanted)
{
    struct threadtree tree;
    struct str out, header;
    if (!wanted)
        return;
    str_init(&out, HEADER_MAX);
    str_init(&header, HEADER_MAX);
    assert_true(threadtree_begin(&tree, algorithm, 12, SECRET));
    for (uint32_t i = 0; i < 12 && one->messages[i]; i++) {
        str_clear(&header);
        expand(one->messages[i], &header);
        add(&tree, i + 1, str_slice(&header));
    }
    assert_true(threadtree_finish(&tree) && threadtree_append(&tree, &out));
    if (!slice_equal(str_slice(&out), slice_text(wanted)))
        fail_msg("%s, algorithm %d: %.*s is not %s", one->name, (int)algorithm, (int)out.size,
                 out.data, wanted);
    threadtree_end(&tree);
    str_free(&out);
    str_free(&header);
}

/* clang-format off */
static const struct thread_case cases[] = {
    {"nothing", {NULL}, "", "", ""},
    {"one", {"i:<a@x>"}, "(1)", "(1)", "(1)"},
    {"two that have nothing in common", {"i:<a@x> | s:a", "i:<b@x> | s:b"}, "(1)(2)", "(1)(2)", "(1)(2)"},
    {"the order of dates", {"i:<a@x> | s:a | d:05", "i:<b@x> | s:b | d:04"}, "(2)(1)", "(2)(1)", "(2)(1)"},
    {"dates that are the same: the order of the mailbox", {"s:a | d:05", "s:b | d:05", "s:c | d:05"}, "(1)(2)(3)", "(1)(2)(3)", "(1)(2)(3)"},
    {"a reply", {"i:<a@x>", "i:<b@x> | r:<a@x>"}, "(1 2)", "(1 2)", "(1 2)"},
    {"a reply by In-Reply-To alone", {"i:<a@x>", "i:<b@x> | y:<a@x>"}, "(1 2)", "(1 2)", NULL},
    {"In-Reply-To counts only without References", {"i:<a@x> | s:a", "i:<b@x> | s:b", "i:<c@x> | s:c | r:<a@x> | y:<b@x>"}, "(1 3)(2)", "(2)(1 3)", NULL},
    {"In-Reply-To counts where References hold no id", {"i:<a@x>", "i:<c@x> | r:none (at all) | y:message of <a@x>"}, "(1 2)", NULL, NULL},
    {"of In-Reply-To the first", {"i:<a@x> | s:a", "i:<b@x> | s:b", "i:<c@x> | s:c | y:<a@x> <b@x>"}, "(1 3)(2)", NULL, NULL},
    {"the reply is there first", {"i:<b@x> | r:<a@x>", "i:<a@x>"}, "(2 1)", "(2 1)", NULL},
    {"a chain and a branch, RFC 5256 4", {"i:<2@x>", "i:<3@x>", "i:<6@x> | r:<3@x>", "i:<4@x> | r:<3@x> <6@x>", "i:<23@x> | r:<3@x> <6@x> <4@x>", "i:<44@x> | r:<3@x> <6@x>", "i:<7@x> | r:<3@x> <6@x> <44@x>", "i:<96@x> | r:<3@x> <6@x> <44@x> <7@x>"},
     "(1)(2 3 (4 5)(6 7 8))", "(1)(2 3 (4 5)(6 7 8))", NULL},
    {"siblings without their parent, RFC 5256 4", {"i:<b@x> | r:<a@x>", "i:<c@x> | r:<a@x>"}, "((1)(2))", "((1)(2))", NULL},
    {"one without its parent is no child of a dummy", {"i:<b@x> | r:<a@x>"}, "(1)", "(1)", NULL},
    {"two dummies one above the other, one child", {"i:<c@x> | r:<a@x> <b@x>"}, "(1)", "(1)", NULL},
    {"two dummies one above the other, two children", {"i:<c@x> | r:<a@x> <b@x>", "i:<d@x> | r:<a@x> <b@x>"}, "((1)(2))", "((1)(2))", NULL},
    {"dummies at different depths", {"i:<c@x> | r:<a@x> <b@x>", "i:<d@x> | r:<a@x>", "i:<e@x> | r:<a@x> <b@x> <c@x>"}, "((1 3)(2))", NULL, NULL},
    {"a dummy between is spliced out", {"i:<a@x>", "i:<c@x> | r:<a@x> <b@x>", "i:<d@x> | r:<a@x> <b@x>"}, "(1 (2)(3))", "(1 (2)(3))", NULL},
    {"a dummy becomes a message", {"i:<c@x> | r:<a@x> <b@x>", "i:<b@x> | r:<a@x>", "i:<a@x>"}, "(3 2 1)", "(3 2 1)", NULL},
    {"truncated references", {"i:<a@x>", "i:<b@x> | r:<a@x>", "i:<c@x> | r:<a@x> <b@x>", "i:<d@x> | r:<a@x> <c@x>"}, "(1 2 3 4)", "(1 2 3 4)", NULL},
    {"truncated references come first", {"i:<d@x> | r:<a@x> <c@x>", "i:<c@x> | r:<a@x> <b@x>", "i:<b@x> | r:<a@x>", "i:<a@x>"}, "(4 3 2 1)", "(4 3 2 1)", NULL},
    {"the own word counts more", {"i:<c@x> | r:<b@x> <a@x>", "i:<a@x> | s:a", "i:<b@x> | r:<a@x> | s:b"}, "(2 (1)(3))", NULL, NULL},
    {"a message without references loses the parent that others gave it", {"i:<c@x> | r:<b@x> <a@x> | s:c", "i:<a@x> | s:a", "i:<b@x> | s:b"}, "(2 1)(3)", NULL, NULL},
    {"a loop of two", {"i:<a@x> | r:<b@x>", "i:<b@x> | r:<a@x>"}, "(2 1)", "(2 1)", NULL},
    {"a loop of one", {"i:<a@x> | r:<a@x>"}, "(1)", "(1)", NULL},
    {"a loop of three", {"i:<a@x> | r:<c@x>", "i:<b@x> | r:<a@x>", "i:<c@x> | r:<b@x>"}, "(3 1 2)", "(3 1 2)", NULL},
    {"a loop in one field", {"i:<a@x> | r:<b@x> <c@x> <b@x>"}, "(1)", "(1)", NULL},
    {"the own id among the references", {"i:<b@x>", "i:<a@x> | r:<a@x> <b@x>"}, "(2 1)", NULL, NULL},
    {"the same id twice: the first has it", {"i:<a@x> | s:a", "i:<a@x> | s:b", "i:<b@x> | r:<a@x> | s:c"}, "(1 3)(2)", NULL, NULL},
    {"the same message twice", {"i:<a@x> | s:a", "i:<b@x> | r:<a@x> | s:Re: a", "i:<b@x> | r:<a@x> | s:Re: a"}, "(1 (2)(3))", "(1 (2)(3))", NULL},
    {"no ids at all", {"s:a", "s:b", "s:c"}, "(1)(2)(3)", NULL, NULL},
    {"ids without '@' are none", {"i:<a> | s:a", "i:<b@x> | r:<a> | s:b"}, "(1)(2)", NULL, NULL},
    {"quotes in an id, RFC 5256 3", {"i:<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>", "i:<b@x> | r:<01KF8JCEOCBS0045PS@xxx.yyy.com>"}, "(1 2)", NULL, NULL},
    {"case of an id counts", {"i:<a@x> | s:a", "i:<b@x> | r:<A@x> | s:b"}, "(1)(2)", NULL, NULL},
    {"folds and comments between ids", {"i:<a@x>", "i:<b@x> | r:<a@x>", "i:<c@x> | r:\r\n\t<a@x> (first)\r\n\t<b@x>"}, "(1 2 3)", NULL, NULL},
    {"ids without blanks between", {"i:<a@x>", "i:<c@x> | r:<a@x><b@x>"}, "(1 2)", NULL, NULL},

    {"equal subjects, RFC 5256 3 step 5: two that are no replies", {"i:<a@x> | s:a", "i:<b@x> | s:a"}, "((1)(2))", "(1)(2)", "(1 2)"},
    {"a reply by subject is a child", {"i:<a@x> | s:a", "i:<b@x> | s:Re: a"}, "(1 2)", "(1)(2)", "(1 2)"},
    {"a reply by subject that came first too", {"i:<b@x> | s:Re: a | d:01", "i:<a@x> | s:a | d:02"}, "(2 1)", "(1)(2)", "(1 2)"},
    {"two replies without what they answer", {"i:<b@x> | s:Re: a", "i:<a@x> | s:Re: a"}, "((1)(2))", "(1)(2)", "(1 2)"},
    {"a third joins the dummy", {"s:a", "s:a", "s:a", "s:Fwd: a"}, "((1)(2)(3)(4))", NULL, "(1 (2)(3)(4))"},
    {"a dummy of references is better than a message", {"i:<a@x> | s:a", "i:<b@x> | s:a | r:<z@x>", "i:<c@x> | s:a | r:<z@x>"}, "((1)(2)(3))", "(1)((2)(3))", NULL},
    {"two dummies become one", {"s:Re: a | r:<y@x>", "s:Re: a | r:<y@x>", "s:Re: a | r:<z@x>", "s:Re: a | r:<z@x>"}, "((1)(2)(3)(4))", "((1)(2))((3)(4))", NULL},
    {"a thread joins with all that hangs on it", {"i:<a@x> | s:a", "i:<b@x> | s:b | r:<a@x>", "i:<c@x> | s:Re: a", "i:<d@x> | s:d | r:<c@x>"}, "(1 (2)(3 4))", NULL, NULL},
    {"only the subject of the first counts", {"i:<a@x> | s:a", "i:<b@x> | s:b | r:<a@x>", "i:<c@x> | s:b"}, "(1 2)(3)", NULL, NULL},
    {"empty subjects join nothing", {"s:", "s:Re: ", "s:Fwd:"}, "(1)(2)(3)", NULL, "(1 (2)(3))"},
    {"subjects in any case, and list names", {"s:Hello", "s:RE: [list] hELLO (fwd)"}, "(1 2)", NULL, "(1 2)"},
    {"subjects beyond ASCII", {"s:=?ISO-8859-1?Q?=C4rger?=", "s:Re: =?UTF-8?B?w6RyZ2Vy?="}, "(1 2)", NULL, "(1 2)"},
    {"joined siblings are in the order of dates", {"i:<a@x> | s:a | d:01", "i:<b@x> | s:Re: a | d:09", "i:<c@x> | s:x | r:<a@x> | d:05"}, "(1 (3)(2))", NULL, NULL},
    {"a dummy stands where its first child would", {"s:z | d:05", "r:<q@x> | s:b | d:09", "r:<q@x> | s:c | d:03"}, "((3)(2))(1)", NULL, NULL},
    {"REFS: by the latest message", {"i:<a@x> | s:a | d:01", "i:<b@x> | s:b | d:02", "i:<c@x> | s:c | r:<a@x> | d:03"}, "(1 3)(2)", "(2)(1 3)", NULL},
    {"ordered subject: by the first of each", {"s:b | d:05", "s:a | d:07", "s:b | d:09", "s:a | d:03", "s:Re: b | d:02"}, NULL, NULL, "(5 (1)(3))(4 2)"},
    {"ordered subject, RFC 5256 3: siblings", {"s:x", "s:y", "s:Re: x", "s:y", "s:x", "s:x"}, NULL, NULL, "(1 (3)(5)(6))(2 4)"},
};
/* clang-format on */

static void known_threads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(&cases[i], THREADTREE_REFERENCES, cases[i].references);
        check(&cases[i], THREADTREE_REFS, cases[i].refs);
        check(&cases[i], THREADTREE_ORDEREDSUBJECT, cases[i].subjects);
    }
}

/* ---- monsters --------------------------------------------------------------------------------- */

enum { CHAIN = 100000 };

static void add_link(struct threadtree *tree, uint32_t number, uint64_t id, uint64_t parent,
                     const char *subject)
{
    uint8_t reference[8];
    for (size_t i = 0; i < sizeof reference; i++)
        reference[i] = (uint8_t)(parent >> 8 * i);
    struct messagekeys keys = {.id = id};
    keys.references = slice_of(reference, parent ? sizeof reference : 0);
    keys.texts[MESSAGEKEYS_SUBJECT] = slice_text(subject);
    assert_true(threadtree_add(tree, number, number, &keys));
}

/* The n-th of a permutation of 1 ... CHAIN (65537 is prime to it). */
static uint32_t shuffled(uint32_t n)
{
    return (uint32_t)((uint64_t)n * 65537 % CHAIN) + 1;
}

static uint32_t forward(uint32_t n)
{
    return n + 1;
}

static uint32_t backward(uint32_t n)
{
    return CHAIN - n;
}

/* Two halves, each from its middle on, so that long chains are asked for their roots. */
static uint32_t halves(uint32_t n)
{
    return n % 2 ? CHAIN / 2 - n / 2 : CHAIN / 2 + 1 + n / 2;
}

static void a_chain(void **state)
{
    (void)state;
    uint32_t (*const orders[])(uint32_t) = {forward, backward, shuffled, halves};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct threadtree tree;
        struct str out;
        str_init(&out, 1 << 22);
        assert_true(threadtree_begin(&tree, THREADTREE_REFERENCES, CHAIN, SECRET));
        for (uint32_t n = 0; n < CHAIN; n++) {
            uint32_t place = orders[i](n);
            add_link(&tree, place, place, place - 1, "x");
        }
        assert_true(threadtree_finish(&tree) && threadtree_append(&tree, &out));
        struct slice rest = str_slice(&out);
        assert_true(slice_starts(rest, SLICE("(1 2 3 4 ")));
        assert_true(slice_ends(rest, SLICE(" 99999 100000)")));
        assert_int_equal(slice_find(slice_from(rest, 1), '('), rest.size - 1);
        threadtree_end(&tree);
        str_free(&out);
    }
}

/* Each message has an earlier chain as its child: links that only a root tells from loops. */
static void a_ring(void **state)
{
    (void)state;
    struct threadtree tree;
    struct str out;
    str_init(&out, 1 << 22);
    assert_true(threadtree_begin(&tree, THREADTREE_REFS, CHAIN, SECRET));
    for (uint32_t n = 1; n <= CHAIN; n++)
        add_link(&tree, n, n, n == 1 ? CHAIN : n - 1, "");
    assert_true(threadtree_finish(&tree) && threadtree_append(&tree, &out));
    assert_true(slice_starts(str_slice(&out), SLICE("(100000 1 2 3")));
    threadtree_end(&tree);
    str_free(&out);
}

/* A comb: at each step of the chain another child, so that parentheses nest 50,000 deep. */
static void a_comb(void **state)
{
    (void)state;
    struct threadtree tree;
    struct str out;
    str_init(&out, 1 << 22);
    assert_true(threadtree_begin(&tree, THREADTREE_REFERENCES, CHAIN, SECRET));
    for (uint32_t n = 1; n <= CHAIN; n++)
        add_link(&tree, n, n, n == 1 ? 0 : n % 2 ? n - 2 : n - 1, "");
    assert_true(threadtree_finish(&tree) && threadtree_append(&tree, &out));
    assert_true(slice_starts(str_slice(&out), SLICE("(1 (2)(3 (4)(5 ")));
    size_t depth = 0, deepest = 0;
    for (size_t i = 0; i < out.size; i++) {
        depth += out.data[i] == '(';
        deepest = depth > deepest ? depth : deepest;
        depth -= out.data[i] == ')';
    }
    assert_int_equal(depth, 0);
    assert_int_equal(deepest, CHAIN / 2);
    threadtree_end(&tree);
    str_free(&out);
}

static void many_of_one_subject(void **state)
{
    (void)state;
    for (int algorithm = THREADTREE_ORDEREDSUBJECT; algorithm <= THREADTREE_REFS; algorithm++) {
        struct threadtree tree;
        struct str out;
        str_init(&out, 1 << 22);
        assert_true(threadtree_begin(&tree, (enum threadtree_algorithm)algorithm, CHAIN, SECRET));
        for (uint32_t n = 1; n <= CHAIN; n++)
            add_link(&tree, n, n % 10, 10 + n % 7, "x");
        assert_true(threadtree_finish(&tree) && threadtree_append(&tree, &out));
        assert_int_equal(tree.root_count, algorithm == THREADTREE_REFS ? 7 : 1);
        threadtree_end(&tree);
        str_free(&out);
    }
}

static void beyond_its_capacity(void **state)
{
    (void)state;
    struct threadtree tree;
    struct messagekeys keys = {0};
    assert_true(threadtree_begin(&tree, THREADTREE_REFS, 1, SECRET));
    assert_true(threadtree_add(&tree, 1, 0, &keys));
    assert_false(threadtree_add(&tree, 2, 0, &keys));
    threadtree_end(&tree);
}

/* ---- the forest, against walking up ----------------------------------------------------------- */

enum { TREES = 300, STEPS = 30000 };

static void forest_is_right(void **state)
{
    (void)state;
    struct threadforest forest = {0};
    uint32_t parents[TREES];
    uint64_t random = SECRET;
    for (size_t i = 0; i < TREES; i++) {
        parents[i] = THREADFOREST_NONE;
        assert_true(threadforest_add(&forest));
    }
    for (size_t step = 0; step < STEPS; step++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint32_t a = (uint32_t)(random >> 33) % TREES, b = (uint32_t)(random >> 45) % TREES;
        uint32_t root = a;
        while (parents[root] != THREADFOREST_NONE)
            root = parents[root];
        assert_int_equal(threadforest_root(&forest, a), root);
        if (parents[b] != THREADFOREST_NONE) {
            threadforest_cut(&forest, b);
            parents[b] = THREADFOREST_NONE;
        } else if (root != b) {
            threadforest_link(&forest, b, a);
            parents[b] = a;
        }
    }
    threadforest_free(&forest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_threads),
        cmocka_unit_test(a_chain),
        cmocka_unit_test(a_ring),
        cmocka_unit_test(a_comb),
        cmocka_unit_test(many_of_one_subject),
        cmocka_unit_test(beyond_its_capacity),
        cmocka_unit_test(forest_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
