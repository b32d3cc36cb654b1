/* localterms: what compiled settings become for local */
#include "folder.h"

#include "clock.h"
#include "localterms.h"
#include "srs.h"
#include "wire.h"

#include <cdb.h>

static const char *const settings[][2] = {
    {"sreceive", "on"},
    {"squota", "0"},
    {"sdomain-quota", "0"},
    {"sover-quota-reply", "552"},
    {"squota-warning", "80 95"},
    {"snotice-language", "both"},
    {"sauto-reply-interval", "86400"},
    {"scatch-all", ""},
    {"spostmaster", "box"},
    {"splus-addressing", "on"},
    {"aanswers", "19:auto-reply-interval,4:3600,"},
    {"ranswers", "6:Away\r\n,6:Away\r\n,"},
    {"abroken-reply", ""},
    {"rbroken-reply", "6:Away\r\n,"},
    {"aplain", ""},
    {"asmall", "5:quota,1:3,"},
    {"aenglish", "5:quota,1:3,15:notice-language,2:en,13:quota-warning,0:,"},
    {"aforwards", "7:receive,3:off,"},
    {"ahuge", "5:quota,20:18446744073709551615,"},
    {"abroken", "5:quota,1:3,13:quota-warning,5:95 80,"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

/* The compiled domain, but for the setting `missing`. */
static void write_domain(const char *missing)
{
    struct cdb_make make;
    int fd = open("cdb/domain/new", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(cdb_make_start(&make, fd), 0);
    for (size_t i = 0; i < SETTINGS; i++)
        if (!missing || strcmp(settings[i][0], missing) != 0)
            assert_int_equal(cdb_make_add(&make, settings[i][0], (unsigned)strlen(settings[i][0]),
                                          settings[i][1], (unsigned)strlen(settings[i][1])),
                             0);
    assert_int_equal(cdb_make_finish(&make), 0);
    close(fd);
    assert_int_equal(rename("cdb/domain/new", "cdb/domain/example.jp.cdb"), 0);
}

static void write_domains(void)
{
    struct cdb_make make;
    int fd = open("cdb/domains.cdb", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(cdb_make_start(&make, fd), 0);
    assert_int_equal(cdb_make_add(&make, "example.jp", 10, "10:example.jp,5:70100,", 22), 0);
    assert_int_equal(cdb_make_add(&make, "child.example", 13, "10:example.jp,5:70100,", 22), 0);
    assert_int_equal(cdb_make_add(&make, "other.example", 13, "10:example.jp,5:70100,", 22), 0);
    assert_int_equal(cdb_make_finish(&make), 0);
    close(fd);
}

/* NULL: they can't be formed. */
static void check_terms_by(const char *origin, const char *local, const char *sender,
                           const char *wanted)
{
    const struct queuefile file = {.id = SLICE("1"), .origin = slice_text(origin)};
    struct directory directory;
    struct forwarding forwarding;
    struct directory_account account = {.domain = {.name = "example.jp"}};
    struct str field;
    snprintf(account.local, sizeof account.local, "%s", local);
    str_init(&field, WIRE_MAX_SIZE);
    directory_init(&directory);
    forwarding_init(&forwarding, &directory);
    bool done = localterms_put(&forwarding, &account, &file, slice_text(sender), &field);
    if (done != (wanted != NULL))
        fail_msg("%s", local);
    if (done)
        assert_slice(str_slice(&field), wanted);
    forwarding_free(&forwarding);
    directory_close(&directory);
    str_free(&field);
}

static void check_terms_for(const char *local, const char *sender, const char *wanted)
{
    check_terms_by("by=submission client=192.0.2.1 helo=h user=u@example.jp", local, sender,
                   wanted);
}

static void check_terms(const char *local, const char *wanted)
{
    check_terms_for(local, "s@sender.example", wanted);
}

/* Who can't be answered needs no text. */
static void tells_what_is_answered(void **state)
{
    static const char terms[] = "10:auto-reply,25:4:3600,6:Away\r\n,6:Away\r\n,,";
    (void)state;
    write_domains();
    write_domain(NULL);
    check_terms("answers", terms);
    check_terms_for("answers", "plain@example.jp", terms);
    check_terms_for("answers", "unknown@example.jp", terms);
    check_terms_for("answers", "", "");
    check_terms_for("answers", "answers@example.jp", "");
    check_terms_for("answers", "Answers+tag@CHILD.example", "");
    check_terms("broken-reply", NULL);
    check_terms_for("broken-reply", "", "");
    assert_int_equal(unlink("cdb/domains.cdb"), 0);
}

#define BY_FORWARD "by=forward id=1 user=plain@other.example uid=70100"

static const char secret[] = "a secret of sixteen and more";

static void write_host(void)
{
    struct cdb_make make;
    int fd = open("cdb/host.cdb", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(cdb_make_start(&make, fd), 0);
    assert_int_equal(cdb_make_add(&make, "srs-secret", 10, secret, sizeof secret - 1), 0);
    assert_int_equal(cdb_make_finish(&make), 0);
    close(fd);
}

/* What a domain of ours has forwarded. */
static void check_forwarded(const char *sender, const char *wanted)
{
    struct str rewritten;
    str_init(&rewritten, ENVELOPE_ADDRESS_MAX);
    assert_true(srs_forward(slice_text(secret), clock_seconds() / 86400, slice_text(sender),
                            SLICE("other.example"), &rewritten));
    check_terms_by(BY_FORWARD, "answers", str_text(&rewritten), wanted);
    str_free(&rewritten);
}

/* Senders of ours log in; who says that he is one of them, and did not, is not answered. */
static void tells_nothing_to_the_forged(void **state)
{
    static const char terms[] = "10:auto-reply,25:4:3600,6:Away\r\n,6:Away\r\n,,";
    static const struct {
        const char *origin, *sender;
        bool is_answered;
    } cases[] = {
        {"by=smtp client=192.0.2.1 helo=h", "s@sender.example", true},
        {"by=smtp client=192.0.2.1 helo=h", "plain@example.jp", false},
        {"by=smtp client=192.0.2.1 helo=h", "Plain@CHILD.example", false},
        {"by=smtp client=192.0.2.1 helo=h", "unknown@example.jp", false},
        {"by=smtp client=192.0.2.1 helo=h", "SRS0=a=b=sender.example=s@example.jp", false},
        {"by=smtp client=192.0.2.1 helo=user=plain@example.jp", "plain@example.jp", false},
        {"by=smtp client=192.0.2.1 helo=h tls=TLSv1.2 user=plain@example.jp", "plain@example.jp",
         true},
        {"by=submissions client=192.0.2.1 helo=h user=plain@example.jp", "plain@example.jp", true},
        {"by=lmtp client=192.0.2.1 helo=h", "plain@example.jp", true},
        {"by=sendmail uid=1000", "plain@example.jp", true},
        {BY_FORWARD, "SRS0=a=b=sender.example=s@example.jp", false}, /* not made by us */
        {BY_FORWARD, "other@example.jp", false},
        {BY_FORWARD, "s@sender.example", true},
    };
    (void)state;
    write_domains();
    write_domain(NULL);
    write_host();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_terms_by(cases[i].origin, "answers", cases[i].sender,
                       cases[i].is_answered ? terms : "");
    check_forwarded(
        "s@sender.example",
        "10:auto-reply,25:4:3600,6:Away\r\n,6:Away\r\n,,13:auto-reply-to,16:s@sender.example,");
    check_forwarded("SRS0=a=b=c.example=d@sender.example",
                    "10:auto-reply,25:4:3600,6:Away\r\n,6:Away\r\n,,13:auto-reply-to,"
                    "35:SRS0=a=b=c.example=d@sender.example,");
    check_forwarded("plain@child.example", "");
    check_forwarded("unknown@example.jp", "");
    /* Whether it was made here can't be told without the secret. */
    assert_int_equal(unlink("cdb/host.cdb"), 0);
    check_terms_by(BY_FORWARD, "answers", "SRS0=a=b=c.example=d@example.jp", NULL);
    assert_int_equal(unlink("cdb/domains.cdb"), 0);
}

static void tells_what_is_set(void **state)
{
    (void)state;
    write_domain(NULL);
    check_terms("plain", "");
    check_terms("forwards", "7:receive,3:off,");
    check_terms("small", "16:over-quota-reply,3:552,5:quota,7:3145728,13:quota-warning,5:80 95,");
    check_terms("english", "15:notice-language,2:en,16:over-quota-reply,3:552,5:quota,7:3145728,");
}

/* A delivery waits rather than pass a limit by. */
static void waits_for_sound_settings(void **state)
{
    (void)state;
    write_domain(NULL);
    check_terms("huge", NULL);
    check_terms("broken", NULL);
    write_domain("sreceive");
    check_terms("plain", NULL);
    write_domain("sdomain-quota");
    check_terms("plain", NULL);
    write_domain("snotice-language");
    check_terms("plain", "");
    check_terms("small", NULL);
    assert_int_equal(unlink("cdb/domain/example.jp.cdb"), 0);
    check_terms("plain", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_is_answered),
        cmocka_unit_test(tells_nothing_to_the_forged),
        cmocka_unit_test(tells_what_is_set),
        cmocka_unit_test(waits_for_sound_settings),
    };
    return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
