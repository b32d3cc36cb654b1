/* srs: forward and back, a second hop, forged, expired and odd addresses */
#include "unit.h"

#include "srs.h"

enum { DAY = 20779 };

static const struct slice secret = {"0123456789abcdef", 16};

static void rewrite(const char *sender, const char *domain, struct str *rewritten)
{
    str_clear(rewritten);
    if (!srs_forward(secret, DAY, slice_text(sender), slice_text(domain), rewritten))
        fail_msg("%s can't be rewritten", sender);
}

static enum srs_result back(const struct str *address, int64_t day, struct str *original)
{
    struct slice whole = str_slice(address);
    size_t at = slice_find_last(whole, '@');
    str_clear(original);
    return srs_reverse(secret, day, slice_part(whole, 0, at), slice_from(whole, at + 1), original);
}

struct pair {
    struct str rewritten, original;
};

static void pair_init(struct pair *pair)
{
    str_init(&pair->rewritten, 1000);
    str_init(&pair->original, 1000);
}

static void pair_free(struct pair *pair)
{
    str_free(&pair->rewritten);
    str_free(&pair->original);
}

static void comes_back(void **state)
{
    (void)state;
    static const char *const senders[] = {
        "a@x.example",
        "User.Name+tag=1=2@x.example",
        "a..b@docomo.ne.jp",
        "\xe3\x81\x82@x.example",
    };
    struct pair pair;
    pair_init(&pair);
    for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
        rewrite(senders[i], "example.jp", &pair.rewritten);
        assert_true(slice_starts(str_slice(&pair.rewritten), SLICE("SRS0=")));
        assert_true(slice_ends(str_slice(&pair.rewritten), SLICE("@example.jp")));
        for (int64_t day = DAY - 1; day <= DAY + SRS_DAYS; day++) {
            assert_int_equal(back(&pair.rewritten, day, &pair.original), SRS_OK);
            assert_slice(str_slice(&pair.original), senders[i]);
        }
        assert_int_equal(back(&pair.rewritten, DAY + SRS_DAYS + 1, &pair.original), SRS_EXPIRED);
        assert_int_equal(back(&pair.rewritten, DAY - 2, &pair.original), SRS_EXPIRED);
    }
    pair_free(&pair);
}

static void a_second_hop_knows_the_first(void **state)
{
    (void)state;
    static const struct {
        const char *sender, *original;
    } cases[] = {
        {"SRS0=abcd=TT=x.example=a@y.example", "SRS0=abcd=TT=x.example=a@y.example"},
        {"SRS0+abcd=TT=x.example=a@y.example", "SRS0+abcd=TT=x.example=a@y.example"},
        {"SRS1=zzzz=y.example==abcd=TT=x.example=a@z.example",
         "SRS0=abcd=TT=x.example=a@y.example"},
    };
    struct pair pair;
    pair_init(&pair);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rewrite(cases[i].sender, "example.jp", &pair.rewritten);
        assert_true(slice_starts(str_slice(&pair.rewritten), SLICE("SRS1=")));
        assert_int_equal(back(&pair.rewritten, DAY, &pair.original), SRS_OK);
        assert_slice(str_slice(&pair.original), cases[i].original);
    }
    pair_free(&pair);
}

static void knows_no_forgery(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    rewrite("a@x.example", "example.jp", &pair.rewritten);
    size_t at = slice_find_last(str_slice(&pair.rewritten), '@');
    /* Every byte behind the tag counts, in any case of letters but that. */
    for (size_t i = 5; i < at; i++) {
        char kept = pair.rewritten.data[i];
        pair.rewritten.data[i] = kept == 'q' ? 'z' : 'q';
        assert_int_equal(back(&pair.rewritten, DAY, &pair.original), SRS_FORGED);
        pair.rewritten.data[i] = kept;
    }
    for (size_t i = 0; i < at; i++)
        if (pair.rewritten.data[i] >= 'a' && pair.rewritten.data[i] <= 'z')
            pair.rewritten.data[i] = (char)(pair.rewritten.data[i] - 'a' + 'A');
    assert_int_equal(back(&pair.rewritten, DAY, &pair.original), SRS_OK);
    /* At another domain it is worth nothing. */
    assert_int_equal(srs_reverse(secret, DAY, slice_part(str_slice(&pair.rewritten), 0, at),
                                 SLICE("example.org"), &pair.original),
                     SRS_FORGED);
    pair_free(&pair);
}

static void leaves_others_alone(void **state)
{
    (void)state;
    static const struct {
        const char *local;
        enum srs_result result;
    } cases[] = {
        {"u1", SRS_NONE},       {"", SRS_NONE},           {"SRS0", SRS_NONE},
        {"SRS0=", SRS_NONE},    {"SRS0x", SRS_NONE},      {"SRS0xy", SRS_NONE},
        {"SRS0=x", SRS_FORGED}, {"srs1====", SRS_FORGED}, {"SRS0=abcdefgh=", SRS_FORGED},
    };
    struct str original;
    str_init(&original, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (srs_reverse(secret, DAY, slice_text(cases[i].local), SLICE("example.jp"), &original) !=
            cases[i].result)
            fail_msg("%s", cases[i].local);
    str_free(&original);
}

static void refuses_what_would_be_no_address(void **state)
{
    (void)state;
    char longest[256 + 16];
    struct str rewritten;
    str_init(&rewritten, 1000);
    for (size_t i = 0; i < 250; i++)
        longest[i] = 'x';
    for (size_t i = 0; i < sizeof "@x.example"; i++)
        longest[250 + i] = "@x.example"[i];
    assert_false(srs_forward(secret, DAY, slice_text(longest), SLICE("example.jp"), &rewritten));
    str_clear(&rewritten);
    assert_false(srs_forward(secret, DAY, SLICE(""), SLICE("example.jp"), &rewritten));
    str_clear(&rewritten);
    assert_false(srs_forward(secret, DAY, SLICE("u@[192.0.2.1]"), SLICE("example.jp"), &rewritten));
    str_clear(&rewritten);
    assert_false(
        srs_forward(secret, DAY, SLICE("\"a b\"@x.example"), SLICE("example.jp"), &rewritten));
    str_clear(&rewritten);
    assert_false(
        srs_forward(secret, DAY, SLICE("SRS1=a@x.example"), SLICE("example.jp"), &rewritten));
    str_free(&rewritten);
}

static void knows_who_needs_it(void **state)
{
    (void)state;
    assert_true(srs_is_needed(SLICE("a@x.example"), SLICE("example.jp")));
    assert_false(srs_is_needed(SLICE("a@EXAMPLE.jp"), SLICE("example.jp")));
    assert_false(srs_is_needed(SLICE(""), SLICE("example.jp")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(a_second_hop_knows_the_first),
        cmocka_unit_test(knows_no_forgery),
        cmocka_unit_test(leaves_others_alone),
        cmocka_unit_test(refuses_what_would_be_no_address),
        cmocka_unit_test(knows_who_needs_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
