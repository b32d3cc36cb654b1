/* quotawarning: when it comes, how often, and what it says */
#include "unit.h"

#include "charset.h"
#include "quotawarning.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void finds_the_percentage(void **state)
{
    (void)state;
    static const struct percents percents = {3, {50, 80, 95}};
    static const struct {
        uint64_t used, quota;
        unsigned reached;
    } cases[] = {
        {0, 1000, 0},
        {499, 1000, 0},
        {500, 1000, 50},
        {799, 1000, 50},
        {800, 1000, 80},
        {949, 1000, 80},
        {950, 1000, 95},
        {2000, 1000, 95},
        {UINT64_MAX, UINT64_MAX, 95},
        {UINT64_MAX / 2 - 1, UINT64_MAX, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(quotawarning_reached(&percents, cases[i].used, cases[i].quota),
                         cases[i].reached);
    assert_int_equal(quotawarning_reached(&(struct percents){0}, 1000, 1000), 0);
}

static struct local_request request_in(enum deliveryterms_language language)
{
    struct local_request request = {
        .id = "0cw9x2k4m7q1p",
        .sender = SLICE("s@example.org"),
        .mailbox = "u1",
        .recipient = SLICE("u1@example.jp"),
        .terms = {
            .receives = true, .quota = 10485760, .warnings = {2, {80, 95}}, .language = language}};
    return request;
}

static bool has(struct slice text, const char *part)
{
    return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* Lines end in CRLF and are short, the header is ASCII, the body UTF-8. */
static void check_form(struct slice text)
{
    const char *body = memmem(text.data, text.size, "\r\n\r\n", 4);
    assert_non_null(body);
    assert_false(slice_has_high(slice_of(text.data, (size_t)(body - text.data))));
    assert_true(charset_is_utf8(text));
    while (text.size > 0) {
        struct slice line = slice_cut(&text, '\n');
        assert_true(slice_ends(line, SLICE("\r")));
        assert_false(slice_has_control(slice_part(line, 0, line.size - 1)));
        assert_true(line.size <= 200);
        if (slice_starts(line, SLICE("Subject:")) || slice_starts(line, SLICE(" =?")))
            assert_true(line.size <= 77);
    }
}

static void writes_in_each_language(void **state)
{
    (void)state;
    static const struct {
        enum deliveryterms_language language;
        bool japanese, english;
    } cases[] = {{DELIVERYTERMS_BOTH, true, true},
                 {DELIVERYTERMS_JAPANESE, true, false},
                 {DELIVERYTERMS_ENGLISH, false, true}};
    for (size_t i = 0; i < 3; i++) {
        struct local_request request = request_in(cases[i].language);
        struct str text;
        str_init(&text, QUOTAWARNING_MAX);
        assert_true(quotawarning_write(&request, "example.jp", 80, 8504000, 1795291200, &text));
        check_form(str_slice(&text));
        assert_true(slice_starts(str_slice(&text),
                                 SLICE("Return-Path: <>\r\nDelivered-To: u1@example.jp\r\n")));
        assert_true(has(str_slice(&text), "\r\nFrom: postmaster@example.jp\r\n"));
        assert_true(has(str_slice(&text), "\r\nAuto-Submitted: auto-generated\r\n"));
        assert_true(
            has(str_slice(&text), "\r\nMessage-ID: <0cw9x2k4m7q1p.u1.quota-80@example.jp>"));
        assert_true(has(str_slice(&text), "\r\nDate: "));
        assert_true(has(str_slice(&text), "8.1 MB"));
        assert_true(has(str_slice(&text), "10.0 MB"));
        assert_int_equal(has(str_slice(&text), "使用量"), cases[i].japanese);
        assert_int_equal(has(str_slice(&text), "is 80% full"), cases[i].english);
        str_free(&text);
    }
}

/* Long names end in a refusal, not in a message that was cut. */
static void fails_without_room(void **state)
{
    (void)state;
    struct local_request request = request_in(DELIVERYTERMS_BOTH);
    char bytes[QUOTAWARNING_MAX];
    struct str text = str_on(bytes, sizeof bytes);
    assert_true(quotawarning_write(&request, "example.jp", 80, 8504000, 1795291200, &text));
    for (size_t size = 0, whole = text.size; size < whole; size++) {
        text = str_on(bytes, size);
        assert_false(quotawarning_write(&request, "example.jp", 80, 8504000, 1795291200, &text));
    }
}

/* ---- in a mailbox ------------------------------------------------------------------------------- */

static unsigned count_new(void)
{
    unsigned count = 0;
    DIR *list = opendir("u1/Maildir/new");
    for (struct dirent *entry; list && (entry = readdir(list));)
        count += entry->d_name[0] != '.' ? 1 : 0;
    if (list)
        closedir(list);
    return count;
}

static void say(struct local_request *request, unsigned number, unsigned before, unsigned after)
{
    snprintf(request->id, sizeof request->id, "0cw9x2k4m7%03u", number);
    uint64_t percent = request->terms.quota / 100;
    quotawarning_check(request, "example.jp", "u1/Maildir", before * percent + 99,
                       after * percent + 99);
}

static void tells_once_for_each_level(void **state)
{
    (void)state;
    static const struct {
        unsigned before, after, mails;
    } steps[] = {
        {0, 50, 0},  {50, 79, 0}, {79, 80, 1}, {80, 81, 1},
        {81, 94, 1}, {94, 95, 2}, {95, 99, 2}, {96, 97, 2}, /* not below either */
        {90, 96, 3},                                        /* was below 95, not below 80 */
        {10, 20, 3}, {20, 85, 4}, {10, 99, 5},              /* both at once: one mail */
    };
    struct local_request request = request_in(DELIVERYTERMS_BOTH);
    assert_true(maildir_create(AT_FDCWD, "u1/Maildir"));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        say(&request, (unsigned)i, steps[i].before, steps[i].after);
        if (count_new() != steps[i].mails)
            fail_msg("step %zu: %u mails", i, count_new());
    }
    /* A repeat of what brought it about, after a crash in front of the mark. */
    assert_int_equal(unlink("u1/Maildir/quota-warned"), 0);
    request.is_repeat = true;
    say(&request, 11, 10, 99);
    assert_int_equal(count_new(), 5);
    /* A mark that was torn. */
    assert_int_equal(
        system("printf 9 > u1/Maildir/quota-warned; printf x >> u1/Maildir/quota-warned"), 0);
    request.is_repeat = false;
    say(&request, 12, 98, 99);
    assert_int_equal(count_new(), 6);
    say(&request, 13, 98, 99);
    assert_int_equal(count_new(), 6);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static int enter(void **state)
{
    char *path = strdup("/tmp/test_quotawarning.XXXXXX");
    *state = path;
    return !path || !mkdtemp(path) || chdir(path) < 0 ? -1 : 0;
}

static int leave(void **state)
{
    int done = chdir("/") || nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return done;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_percentage),
        cmocka_unit_test(writes_in_each_language),
        cmocka_unit_test(fails_without_room),
        cmocka_unit_test(tells_once_for_each_level),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
