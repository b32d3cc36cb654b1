/* local_delivery and loop_check: requests, loops, files in the mailbox */
#include "unit.h"

#include "local_delivery.h"
#include "loop_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- loops -------------------------------------------------------------------------------------- */

struct loop_case {
    const char *name, *header;
    bool is_looping;
    unsigned received;
};
static const struct loop_case loop_cases[] = {
    {"nothing", "Subject: x\r\n\r\n", false, 0},
    {"here before", "Delivered-To: u1@example.jp\r\n\r\n", true, 0},
    {"any case, any blanks", "delivered-to :  U1@Example.JP \r\n\r\n", true, 0},
    {"another", "Delivered-To: u2@example.jp\r\n\r\n", false, 0},
    {"longer", "Delivered-To: u1@example.jp.org\r\n\r\n", false, 0},
    {"as addressed", "Delivered-To: U1@child.jp\r\n\r\n", true, 0},
    {"another's", "Delivered-To: u2@child.jp\r\n\r\n", false, 0},
    {"in the body", "Subject: x\r\n\r\nDelivered-To: u1@example.jp\r\n", false, 0},
    {"with LF", "Delivered-To: u1@example.jp\n\n", true, 0},
    {"other field", "X-Delivered-To: u1@example.jp\r\n\r\n", false, 0},
    {"received", "Received: a\r\n\tb\r\nreceived: c\r\nReceived-SPF: no\r\n\r\nReceived: x\r\n",
     false, 2},
    {"no end", "Delivered-To: u1@example.jp", false, 0},
};

static void finds_loops_at_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof loop_cases / sizeof *loop_cases; i++) {
        const struct loop_case *one = &loop_cases[i];
        for (size_t cut = 0; cut <= strlen(one->header); cut++) {
            struct loop_check check;
            loop_check_init(&check, SLICE("u1@child.jp"), SLICE("u1@example.jp"));
            loop_check_feed(&check, slice_of(one->header, cut));
            loop_check_feed(&check, slice_text(one->header + cut));
            if (check.is_looping != one->is_looping || check.received != one->received)
                fail_msg("%s, cut at %zu", one->name, cut);
        }
    }
}

static void counts_a_hundred_received(void **state)
{
    (void)state;
    struct loop_check check;
    loop_check_init(&check, SLICE("u1@child.jp"), SLICE("u1@example.jp"));
    for (int i = 0; i < 100; i++)
        loop_check_feed(&check, SLICE("Received: by x\r\n"));
    assert_false(loop_check_is_bad(&check));
    loop_check_feed(&check, SLICE("Received: by x\r\n"));
    assert_true(loop_check_is_bad(&check));
}

static void bears_long_lines(void **state)
{
    (void)state;
    struct loop_check check;
    loop_check_init(&check, SLICE("u1@child.jp"), SLICE("u1@example.jp"));
    loop_check_feed(&check, SLICE("Delivered-To: u1@example.jp"));
    for (int i = 0; i < 100000; i++)
        loop_check_feed(&check, SLICE("          "));
    loop_check_feed(&check, SLICE("\r\nDelivered-To: u1@example.jp\r\n"));
    assert_true(check.is_looping);
    assert_int_equal(check.size, 0);
}

/* ---- requests ----------------------------------------------------------------------------------- */

static const char *const good[] = {"local/4",
                                   "0cw9x2k4m7q1p",
                                   "10",
                                   "20",
                                   "s@example.org",
                                   "u1",
                                   "u1@example.jp",
                                   "X-Scanned: yes\r\n",
                                   "",
                                   "8",
                                   "0",
                                   "folder",
                                   "7:receive,3:off,"};
enum { GOOD_COUNT = sizeof good / sizeof *good };

static bool parse(const char *const fields[], size_t count)
{
    struct wire_message message;
    struct local_request request;
    wire_init(&message);
    for (size_t i = 0; i < count; i++)
        message.fields[i] = slice_text(fields[i]);
    message.count = count;
    bool done = local_request_parse(&message, &request);
    message.count = 0;
    wire_free(&message);
    return done;
}

static const struct {
    size_t field;
    const char *value;
} bad_fields[] = {
    {0, "local/3"},
    {9, "x"},
    {10, "yes"},
    {11, ""},
    {11, "1"},
    {1, "../../x"},
    {1, "0cw9"},
    {2, "-1"},
    {2, ""},
    {3, "1 "},
    {3, "99999999999999999999"},
    {4, "a\r\nX: y"},
    {5, ""},
    {5, ".."},
    {5, ".hidden"},
    {5, "a/b"},
    {5, "/etc"},
    {5, "a\nb"},
    {6, ""},
    {6, "u1@example.jp\r\nSubject: x"},
    {7, "no line end"},
    {7, "X: y\n"},
    {12, "7:receive,"},
    {12, "7:receive,5:maybe,"},
    {12, "7:unknown,1:1,"},
};

static void refuses_bad_requests(void **state)
{
    (void)state;
    assert_true(parse(good, GOOD_COUNT));
    for (size_t count = 0; count < GOOD_COUNT; count++)
        assert_false(parse(good, count));
    for (size_t i = 0; i < sizeof bad_fields / sizeof *bad_fields; i++) {
        const char *fields[GOOD_COUNT];
        memcpy(fields, good, sizeof fields);
        fields[bad_fields[i].field] = bad_fields[i].value;
        if (parse(fields, GOOD_COUNT))
            fail_msg("field %zu: \"%s\"", bad_fields[i].field, bad_fields[i].value);
    }
}

static void maps_errors(void **state)
{
    (void)state;
    static const struct {
        int error;
        const char *status;
    } cases[] = {{EDQUOT, "4.2.2"}, {ENOSPC, "4.3.1"}, {EACCES, "4.3.5"}, {ENOTDIR, "4.3.5"},
                 {EIO, "4.3.0"},    {0, "4.3.0"},      {EFBIG, "4.3.0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct local_result result;
        local_result_from_errno(cases[i].error, &result);
        assert_int_equal(result.verdict, VERDICT_TEMP);
        assert_string_equal(result.status, cases[i].status);
    }
}

/* ---- deliveries --------------------------------------------------------------------------------- */

enum { FRONT = 37 }; /* bytes in front of the message, as the queue's block is */

/* Delivers `message` to the mailbox on these terms; the result. */
static struct local_result deliver_on(const char *mailbox, const char *recipient,
                                      struct slice message, bool is_repeat,
                                      const struct delivery_terms *terms)
{
    struct local_request request = {.id = "0cw9x2k4m7q1p",
                                    .start = FRONT,
                                    .size = message.size,
                                    .sender = SLICE("s@example.org"),
                                    .recipient = slice_text(recipient),
                                    .added = SLICE("X-Scanned: yes\r\n"),
                                    .terms = *terms,
                                    .is_repeat = is_repeat};
    struct local_result result;
    char front[FRONT] = {0};
    int fd = open("message", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    snprintf(request.mailbox, sizeof request.mailbox, "%s", mailbox);
    assert_int_equal(write(fd, front, FRONT), FRONT);
    assert_int_equal(write(fd, message.data, message.size), (ssize_t)message.size);
    struct local_delivery delivery;
    struct capacity capacity = {.domain = "example.jp"};
    local_place(&capacity, &request, fd, &delivery);
    local_commit(&request, &delivery, &result);
    close(fd);
    unlink("message");
    return result;
}

static struct local_result deliver_marked(const char *mailbox, const char *recipient,
                                          struct slice message, bool is_repeat)
{
    struct delivery_terms terms;
    deliveryterms_init(&terms);
    return deliver_on(mailbox, recipient, message, is_repeat, &terms);
}

static struct local_result deliver(const char *mailbox, const char *recipient, struct slice message)
{
    return deliver_marked(mailbox, recipient, message, false);
}

static unsigned count_in(const char *mailbox, const char *part)
{
    char path[100];
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/Maildir/%s", mailbox, part);
    DIR *list = opendir(path);
    if (!list)
        return 0;
    for (struct dirent *entry; (entry = readdir(list));)
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(list);
    return count;
}

static unsigned count_new(const char *mailbox)
{
    return count_in(mailbox, "new");
}

static void read_new(const char *mailbox, struct str *content)
{
    char path[600];
    snprintf(path, sizeof path, "%s/Maildir/new", mailbox);
    DIR *list = opendir(path);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/Maildir/new/%s", mailbox, entry->d_name);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        char bytes[4096];
        for (size_t got; (got = fread(bytes, 1, sizeof bytes, file)) > 0;)
            str_append(content, slice_of(bytes, got));
        fclose(file);
    }
    closedir(list);
}

#define HEAD "Return-Path: <s@example.org>\r\nDelivered-To: u1@example.jp\r\nX-Scanned: yes\r\n"

static void delivers_small_and_large(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 1000, LOCAL_DELIVERY_BUFFER, LOCAL_DELIVERY_BUFFER + 1,
                                   1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char mailbox[20];
        struct str content;
        char *bytes = malloc(sizes[i]);
        assert_non_null(bytes);
        memset(bytes, 'x', sizes[i]);
        snprintf(mailbox, sizeof mailbox, "size%zu", i);
        struct local_result result = deliver(mailbox, "u1@example.jp", slice_of(bytes, sizes[i]));
        assert_int_equal(result.verdict, VERDICT_OK);
        str_init(&content, 2000000);
        read_new(mailbox, &content);
        assert_int_equal(content.size, sizeof HEAD - 1 + sizes[i]);
        assert_true(slice_starts(str_slice(&content), SLICE(HEAD)));
        assert_true(slice_ends(str_slice(&content), slice_of(bytes, sizes[i])));
        str_free(&content);
        free(bytes);
    }
}

static void notices_a_repeat(void **state)
{
    (void)state;
    struct slice message = SLICE("Subject: x\r\n\r\nhello\r\n");
    assert_int_equal(deliver("repeat", "u1@example.jp", message).verdict, VERDICT_OK);
    struct local_result again = deliver("repeat", "u1@example.jp", message);
    assert_int_equal(again.verdict, VERDICT_OK);
    assert_string_equal(again.text, "delivered before");
    assert_int_equal(count_new("repeat"), 1);
    /* Two addresses that lead to one mailbox get a copy each. */
    assert_int_equal(deliver("repeat", "alias@example.jp", message).verdict, VERDICT_OK);
    assert_int_equal(count_new("repeat"), 2);
}

/* A mail program took it to cur/, with flags, before it came again. */
static void notices_a_repeat_in_cur(void **state)
{
    (void)state;
    struct slice message = SLICE("Subject: x\r\n\r\nhello\r\n");
    assert_int_equal(deliver_marked("taken", "u1@example.jp", message, true).verdict, VERDICT_OK);
    assert_int_equal(count_new("taken"), 1);
    assert_int_equal(system("cd taken/Maildir && for f in new/*; do "
                            "mv \"$f\" \"cur/${f#new/}:2,S\"; done"),
                     0);
    struct local_result again = deliver_marked("taken", "u1@example.jp", message, true);
    assert_int_equal(again.verdict, VERDICT_OK);
    assert_string_equal(again.text, "delivered before");
    assert_int_equal(count_new("taken"), 0);
}

/* Power went before its bytes were on disk: it is none, it goes, and the message comes again. */
static void a_torn_one_is_no_repeat(void **state)
{
    (void)state;
    static const char *const damages[] = {
        "truncate -s 5 $f",
        "truncate -s 0 $f; truncate -s $size $f",
        "dd if=/dev/zero of=$f bs=1 count=10 conv=notrunc",
        "dd if=/dev/zero of=$f bs=1 seek=60 count=10 conv=notrunc",
        "dd if=/dev/zero of=$f bs=1 seek=$((size - 3)) count=3 conv=notrunc",
        "printf x >> $f",
    };
    static const char *const moves[] = {"", "mv $f cur/${f#new/}:2,S; f=$(echo cur/*);"};
    struct slice message = SLICE("Subject: x\r\n\r\nhello\r\n");
    for (size_t i = 0; i < 2 * sizeof damages / sizeof *damages; i++) {
        char command[400];
        snprintf(command, sizeof command,
                 "cd torn/Maildir && f=$(echo new/*) && size=$(stat -c %%s $f) && { %s %s; } "
                 "2>/dev/null",
                 moves[i % 2], damages[i / 2]);
        assert_string_equal(deliver_marked("torn", "u1@example.jp", message, true).text,
                            "delivered");
        assert_int_equal(system(command), 0);
        assert_string_equal(deliver_marked("torn", "u1@example.jp", message, true).text,
                            "delivered");
        assert_int_equal(count_new("torn"), 1);
        assert_int_equal(count_in("torn", "cur"), 0);
        assert_int_equal(system("grep -q hello torn/Maildir/new/* && rm torn/Maildir/new/*"), 0);
    }
}

static void stops_loops(void **state)
{
    (void)state;
    struct str message;
    struct local_result result;
    str_init(&message, 1000000);
    str_append_text(&message, "Delivered-To: u1@example.jp\r\n\r\n");
    result = deliver("loop", "u1@example.jp", str_slice(&message));
    assert_int_equal(result.verdict, VERDICT_PERM);
    assert_string_equal(result.status, "5.4.6");
    assert_int_equal(deliver("loop2", "u2@example.jp", str_slice(&message)).verdict, VERDICT_OK);
    str_clear(&message);
    while (message.size < 300000) /* a header larger than what is held, and the loop at its end */
        str_append_text(&message, "X-Filler: ..............................................\r\n");
    str_append_text(&message, "Delivered-To: u1@example.jp\r\n\r\nbody\r\n");
    result = deliver("loop", "u1@example.jp", str_slice(&message));
    assert_int_equal(result.verdict, VERDICT_PERM);
    assert_int_equal(count_new("loop"), 0);
    str_free(&message);
}

static void waits_for_bad_mailboxes(void **state)
{
    (void)state;
    int file = open("afile", O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    close(file);
    struct local_result result = deliver("afile", "u1@example.jp", SLICE("x\r\n"));
    assert_int_equal(result.verdict, VERDICT_TEMP);
    assert_string_equal(result.status, "4.3.5");
}

static void mends_missing_folders(void **state)
{
    (void)state;
    static const char *const folders[] = {"mend/Maildir/new", "mend/Maildir/tmp",
                                          "mend/Maildir/cur"};
    assert_int_equal(deliver("mend", "u1@example.jp", SLICE("x\r\n")).verdict, VERDICT_OK);
    assert_int_equal(system("rm -r mend/Maildir/new/*"), 0);
    for (size_t i = 0; i < 3; i++) {
        struct local_result result;
        assert_int_equal(rmdir(folders[i]), 0);
        result = deliver("mend", "u1@example.jp", SLICE("x\r\n"));
        assert_int_equal(result.verdict, VERDICT_OK);
        assert_int_equal(count_new("mend"), 1);
        assert_int_equal(system("rm -r mend/Maildir/new/*"), 0);
    }
}

static void waits_for_a_message_that_was_cut(void **state)
{
    (void)state;
    struct local_request request = {.id = "0cw9x2k4m7q1p",
                                    .start = 0,
                                    .size = 100,
                                    .recipient = SLICE("u1@example.jp"),
                                    .mailbox = "cut"};
    struct local_result result;
    int fd = open("message", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, "short", 5), 5);
    struct capacity capacity = {.domain = "example.jp"};
    struct local_delivery delivery;
    local_place(&capacity, &request, fd, &delivery);
    local_commit(&request, &delivery, &result);
    assert_int_equal(result.verdict, VERDICT_TEMP);
    request.size = 1000000;
    local_place(&capacity, &request, fd, &delivery);
    local_commit(&request, &delivery, &result);
    assert_int_equal(result.verdict, VERDICT_TEMP);
    assert_int_equal(count_new("cut"), 0);
    close(fd);
    unlink("message");
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
    static char path[] = "/tmp/test_local.XXXXXX";
    *state = mkdtemp(path);
    return !*state || chdir(*state) < 0;
}

static int leave(void **state)
{
    return chdir("/") || nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void keeps_nothing_when_receive_is_off(void **state)
{
    (void)state;
    struct delivery_terms terms;
    deliveryterms_init(&terms);
    assert_int_equal(deliver("off", "off@example.jp", SLICE("Subject: x\r\n\r\ny\r\n")).verdict,
                     VERDICT_OK);
    terms.receives = false;
    terms.quota = 1; /* has no say */
    struct local_result result =
        deliver_on("off", "2off@example.jp", SLICE("Subject: x\r\n\r\n"), false, &terms);
    assert_int_equal(result.verdict, VERDICT_OK);
    assert_string_equal(result.text, "not kept: the account receives no mail");
    assert_int_equal(count_new("off"), 1);
    /* No mailbox is made for it, and a loop is one all the same. */
    result = deliver_on("never", "never@example.jp",
                        SLICE("Delivered-To: never@example.jp\r\n\r\n"), false, &terms);
    assert_int_equal(result.verdict, VERDICT_PERM);
    assert_int_equal(access("never", F_OK), -1);
}

/* ---- room --------------------------------------------------------------------------------------- */

enum { KILOBYTE = 1024 };

/* A message that takes `size` bytes in the mailbox, from another recipient each time. */
static struct local_result deliver_sized(const char *mailbox, size_t size,
                                         const struct delivery_terms *terms)
{
    static unsigned number;
    char recipient[64], *bytes = malloc(size);
    struct str head;
    assert_non_null(bytes);
    snprintf(recipient, sizeof recipient, "%06u@example.jp", number++ % 1000000);
    struct local_request request = {.recipient = slice_text(recipient),
                                    .sender = SLICE("s@example.org"),
                                    .added = SLICE("X-Scanned: yes\r\n")};
    str_init(&head, 1000);
    assert_true(local_delivery_head(&request, &head));
    assert_true(size > head.size + 2);
    memset(bytes, 'x', size);
    memcpy(bytes, "\r\n", 2);
    struct local_result result =
        deliver_on(mailbox, recipient, slice_of(bytes, size - head.size), false, terms);
    str_free(&head);
    free(bytes);
    return result;
}

static struct delivery_terms terms_with_quota(uint64_t quota)
{
    struct delivery_terms terms;
    deliveryterms_init(&terms);
    terms.quota = quota;
    return terms;
}

static void keeps_to_the_quota(void **state)
{
    (void)state;
    struct delivery_terms terms = terms_with_quota(100 * KILOBYTE);
    struct local_result result = deliver_sized("quota", 60 * KILOBYTE, &terms);
    assert_int_equal(result.verdict, VERDICT_OK);
    /* Too large for what is left: that says nothing about smaller ones. */
    result = deliver_sized("quota", 40 * KILOBYTE + 1, &terms);
    assert_int_equal(result.verdict, VERDICT_TEMP);
    assert_string_equal(result.status, "4.2.2");
    assert_string_equal(result.text, "sorry, mailbox is full (#4.5.2)");
    assert_int_equal(result.full.what, CAPACITY_NONE_FULL);
    /* To the last byte, and not one more. */
    assert_int_equal(deliver_sized("quota", 40 * KILOBYTE, &terms).verdict, VERDICT_OK);
    result = deliver_sized("quota", 200, &terms);
    assert_int_equal(result.verdict, VERDICT_TEMP);
    assert_int_equal(result.full.what, CAPACITY_MAILBOX_FULL);
    assert_int_equal(result.full.used, 100 * KILOBYTE);
    assert_int_equal(result.full.limit, 100 * KILOBYTE);
    assert_int_equal(count_new("quota"), 2);
    terms.refuses_for_good = true;
    result = deliver_sized("quota", 200, &terms);
    assert_int_equal(result.verdict, VERDICT_PERM);
    assert_string_equal(result.status, "5.2.2");
    terms.quota *= 2;
    assert_int_equal(deliver_sized("quota", 200, &terms).verdict, VERDICT_OK);
}

static void refuses_for_good_what_never_fits(void **state)
{
    (void)state;
    struct delivery_terms terms = terms_with_quota(100 * KILOBYTE);
    struct local_result result = deliver_sized("never", 100 * KILOBYTE + 1, &terms);
    assert_int_equal(result.verdict, VERDICT_PERM);
    assert_string_equal(result.status, "5.2.3");
    assert_int_equal(result.full.what, CAPACITY_NONE_FULL);
    terms.quota = 0;
    terms.domain_quota = 100 * KILOBYTE;
    assert_string_equal(deliver_sized("never", 100 * KILOBYTE + 1, &terms).status, "5.2.3");
    assert_int_equal(count_new("never"), 0);
    assert_int_equal(
        deliver_sized("whole", 100 * KILOBYTE,
                      &(struct delivery_terms){.receives = true, .quota = 100 * KILOBYTE})
            .verdict,
        VERDICT_OK);
}

/* What maildirsize does not know: the mailbox is counted before mail is refused. */
static void counts_before_it_refuses(void **state)
{
    (void)state;
    struct delivery_terms terms = terms_with_quota(100 * KILOBYTE);
    assert_int_equal(deliver_sized("counted", 90 * KILOBYTE, &terms).verdict, VERDICT_OK);
    assert_int_equal(deliver_sized("counted", 20 * KILOBYTE, &terms).verdict, VERDICT_TEMP);
    assert_int_equal(system("rm counted/Maildir/new/*"), 0);
    assert_int_equal(deliver_sized("counted", 20 * KILOBYTE, &terms).verdict, VERDICT_OK);
    assert_int_equal(system("echo nonsense > counted/Maildir/maildirsize"), 0);
    assert_int_equal(deliver_sized("counted", 81 * KILOBYTE, &terms).verdict, VERDICT_TEMP);
    assert_int_equal(deliver_sized("counted", 80 * KILOBYTE, &terms).verdict, VERDICT_OK);
}

static void keeps_to_the_domains_quota(void **state)
{
    (void)state;
    uint64_t used;
    assert_int_equal(system("rm -rf domain && mkdir domain"), 0);
    assert_int_equal(chdir("domain"), 0);
    struct delivery_terms terms = terms_with_quota(0);
    terms.domain_quota = 100 * KILOBYTE;
    assert_int_equal(deliver_sized("a", 40 * KILOBYTE, &terms).verdict, VERDICT_OK);
    assert_int_equal(deliver_sized("b", 40 * KILOBYTE, &terms).verdict, VERDICT_OK);
    struct local_result result = deliver_sized("c", 20 * KILOBYTE + 1, &terms);
    assert_int_equal(result.verdict, VERDICT_TEMP);
    assert_int_equal(result.full.what, CAPACITY_NONE_FULL);
    assert_int_equal(deliver_sized("c", 20 * KILOBYTE, &terms).verdict, VERDICT_OK);
    result = deliver_sized("a", 200, &terms);
    assert_string_equal(result.status, "4.2.2");
    assert_int_equal(result.full.what, CAPACITY_DOMAIN_FULL);
    assert_true(capacity_sum_domain(&used));
    assert_int_equal(used, 100 * KILOBYTE);
    assert_int_equal(system("rm -r b; mkdir e .f; touch g"), 0);
    assert_true(capacity_sum_domain(&used));
    assert_int_equal(used, 60 * KILOBYTE);
    assert_int_equal(chdir(".."), 0);
}

static void remembers_the_domains_sum(void **state)
{
    (void)state;
    assert_int_equal(system("rm -rf domain && mkdir domain"), 0);
    assert_int_equal(chdir("domain"), 0);
    struct capacity capacity = {.domain = "example.jp"};
    struct capacity_mark full;
    struct delivery_terms terms = terms_with_quota(0);
    terms.domain_quota = 1000 * KILOBYTE;
    assert_int_equal(deliver_sized("a", 100 * KILOBYTE, &terms).verdict, VERDICT_OK);
    assert_int_equal(capacity_check(&capacity, &terms, "a/Maildir", 1, &full), CAPACITY_FITS);
    assert_int_equal(capacity.domain_bytes, 100 * KILOBYTE);
    int64_t at = capacity.domain_at;
    assert_int_equal(system("rm -r a"), 0);
    /* Far from the limit the sum is old; its own deliveries are in it. */
    capacity_add(&capacity, 700 * KILOBYTE);
    assert_int_equal(capacity_check(&capacity, &terms, "a/Maildir", 1, &full), CAPACITY_FITS);
    assert_int_equal(capacity.domain_at, at);
    capacity_add(&capacity, 700 * KILOBYTE);
    /* Near it, it is summed again once it is older than a second. */
    capacity.domain_at -= 2000;
    assert_int_equal(capacity_check(&capacity, &terms, "a/Maildir", 1, &full), CAPACITY_FITS);
    assert_int_equal(capacity.domain_bytes, 0);
    /* And before anything is refused, in any case: somebody may have made room just now. */
    capacity_add(&capacity, 2000 * KILOBYTE);
    capacity.domain_at -= 5;
    assert_int_equal(capacity_check(&capacity, &terms, "a/Maildir", 1, &full), CAPACITY_FITS);
    assert_int_equal(capacity.domain_bytes, 0);
    assert_int_equal(full.what, CAPACITY_NONE_FULL);
    assert_int_equal(chdir(".."), 0);
}

/* A 64th is left, or not. */
static void tells_what_is_full(void **state)
{
    (void)state;
    static const struct {
        uint64_t used, limit;
        bool is_full;
    } cases[] = {
        {0, 0, false},
        {1000, 0, false},
        {0, 640, false},
        {630, 640, false},
        {631, 640, true},
        {640, 640, true},
        {641, 640, true},
        {UINT64_MAX, 640, true},
        {UINT64_C(1) << 40, (UINT64_C(1) << 40) + CAPACITY_ORDINARY_MAX, false},
        {(UINT64_C(1) << 40) + 1, (UINT64_C(1) << 40) + CAPACITY_ORDINARY_MAX, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (capacity_is_full(cases[i].used, cases[i].limit) != cases[i].is_full)
            fail_msg("case %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_loops_at_every_cut),
        cmocka_unit_test(counts_a_hundred_received),
        cmocka_unit_test(bears_long_lines),
        cmocka_unit_test(refuses_bad_requests),
        cmocka_unit_test(maps_errors),
        cmocka_unit_test(delivers_small_and_large),
        cmocka_unit_test(notices_a_repeat),
        cmocka_unit_test(notices_a_repeat_in_cur),
        cmocka_unit_test(a_torn_one_is_no_repeat),
        cmocka_unit_test(stops_loops),
        cmocka_unit_test(waits_for_bad_mailboxes),
        cmocka_unit_test(mends_missing_folders),
        cmocka_unit_test(waits_for_a_message_that_was_cut),
        cmocka_unit_test(keeps_nothing_when_receive_is_off),
        cmocka_unit_test(keeps_to_the_quota),
        cmocka_unit_test(refuses_for_good_what_never_fits),
        cmocka_unit_test(counts_before_it_refuses),
        cmocka_unit_test(keeps_to_the_domains_quota),
        cmocka_unit_test(remembers_the_domains_sum),
        cmocka_unit_test(tells_what_is_full),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
