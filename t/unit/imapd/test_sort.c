/* SORT: transcripts over a real Maildir, and the order by itself */
#include "account.h"

#include "clock.h"
#include "sortorder.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- transcripts ------------------------------------------------------------------------------ */

static void put(const char *date, const char *header)
{
    struct str command;
    str_init(&command, 65536);
    str_format(&command, "p APPEND INBOX \"%s\" {%zu+}\r\n%s\r\n\r\np LOGOUT\r\n", date,
               strlen(header) + 2, header);
    struct str output;
    str_init(&output, 65536);
    account_talk(str_slice(&command), &output);
    assert_true(slice_starts(str_slice(&output), SLICE("p OK [APPENDUID")));
    str_free(&output);
    str_free(&command);
}

static void ask(const char *commands, const char *expected)
{
    struct str input, output;
    str_init(&input, 65536);
    str_init(&output, 1048576);
    str_format(&input, "s EXAMINE INBOX\r\n%sz LOGOUT\r\n", commands);
    account_talk(str_slice(&input), &output);
    struct slice got = str_slice(&output);
    const char *start = memmem(got.data, got.size, "s OK", 4);
    assert_non_null(start);
    got = slice_from(got, (size_t)(start - got.data));
    got = slice_from(got, slice_find(got, '\n') + 1);
    const char *end = memmem(got.data, got.size, "* BYE", 5);
    assert_non_null(end);
    account_compare(commands, slice_part(got, 0, (size_t)(end - got.data)), expected);
    str_free(&output);
    str_free(&input);
}

static void fill_mailbox(void)
{
    put("10-Jan-2020 00:00:00 +0000",
        "From: \"Zoe\" <adam@example.jp>\r\nTo: z@x\r\nCc: b@x\r\nSubject: Re: banana\r\n"
        "Date: Wed, 1 Jan 2020 10:00:00 +0900\r\n");
    put("09-Jan-2020 00:00:00 +0000",
        "From: =?UTF-8?Q?=C3=A4nne?= <Bert@example.jp>\r\nTo: Y@x, a@x\r\nSubject: apple\r\n"
        "Date: Wed, 1 Jan 2020 02:00:00 +0000\r\nX-Long: 0123456789\r\n");
    put("08-Jan-2020 00:00:00 +0000", "From: cesar@example.jp\r\nTo: Group: ;\r\nCc: "
                                      "a@x\r\nSubject: [list] Banana\r\nDate: nonsense\r\n");
    put("07-Jan-2020 00:00:00 +0000", "X: \r\n");
}

static void commands(void **state)
{
    (void)state;
    fill_mailbox();
    ask("a SORT (ARRIVAL) US-ASCII ALL\r\n", "* SORT 4 3 2 1\na OK SORT completed\n");
    ask("a SORT (REVERSE ARRIVAL) UTF-8 ALL\r\n", "* SORT 1 2 3 4\na OK SORT completed\n");
    ask("a SORT (DATE) UTF-8 ALL\r\n", "* SORT 1 2 4 3\na OK SORT completed\n");
    ask("a SORT (FROM) UTF-8 ALL\r\n", "* SORT 4 1 2 3\na OK SORT completed\n");
    ask("a SORT (TO) UTF-8 ALL\r\n", "* SORT 4 3 2 1\na OK SORT completed\n");
    ask("a SORT (CC) UTF-8 ALL\r\n", "* SORT 2 4 3 1\na OK SORT completed\n");
    ask("a SORT (SUBJECT) UTF-8 ALL\r\n", "* SORT 4 2 1 3\na OK SORT completed\n");
    ask("a SORT (SUBJECT REVERSE ARRIVAL) UTF-8 ALL\r\n", "* SORT 4 2 1 3\na OK SORT completed\n");
    ask("a SORT (SUBJECT ARRIVAL) UTF-8 ALL\r\n", "* SORT 4 2 3 1\na OK SORT completed\n");
    ask("a SORT (SIZE) UTF-8 ALL\r\n", "* SORT 4 3 1 2\na OK SORT completed\n");
    ask("a SORT (REVERSE SIZE) UTF-8 ALL\r\n", "* SORT 2 1 3 4\na OK SORT completed\n");
    ask("a SORT (DISPLAYFROM) UTF-8 ALL\r\n", "* SORT 4 2 3 1\na OK SORT completed\n");
    ask("a SORT (DISPLAYTO) UTF-8 ALL\r\n", "* SORT 4 3 2 1\na OK SORT completed\n");
    ask("a UID SORT (ARRIVAL) US-ASCII UNDELETED 2:3\r\n", "* SORT 3 2\na OK SORT completed\n");
    ask("a SORT (ARRIVAL) US-ASCII DELETED\r\n", "* SORT\na OK SORT completed\n");
    ask("a SORT RETURN (MIN MAX COUNT) (ARRIVAL) US-ASCII ALL\r\n",
        "* ESEARCH (TAG \"a\") MIN 4 MAX 1 COUNT 4\na OK SORT completed\n");
    ask("a UID SORT RETURN () (REVERSE ARRIVAL) US-ASCII ALL\r\n",
        "* ESEARCH (TAG \"a\") UID ALL 1:4\na OK SORT completed\n");
    ask("a UID SORT RETURN (PARTIAL 2:3) (ARRIVAL) US-ASCII ALL\r\n",
        "* ESEARCH (TAG \"a\") UID PARTIAL (2:3 3,2)\na OK SORT completed\n");
    ask("a SORT RETURN (SAVE) (ARRIVAL) US-ASCII 2:3\r\nb SORT (REVERSE ARRIVAL) UTF-8 $\r\n",
        "a OK SORT completed\n* SORT 2 3\nb OK SORT completed\n");
}

/* RFC 5267 4.3: places are those of the moment, one change after the other. */
static void contexts(void **state)
{
    (void)state;
    static const char input[] =
        "s SELECT INBOX\r\n"
        "a UID SORT RETURN (UPDATE COUNT) (SUBJECT DATE) UTF-8 UNDELETED\r\n"
        "b SORT RETURN (UPDATE) (REVERSE ARRIVAL) UTF-8 UNFLAGGED\r\n"
        "c STORE 2:3 +FLAGS.SILENT (\\Deleted)\r\n"
        "d STORE 3 -FLAGS.SILENT (\\Deleted)\r\n"
        "e APPEND INBOX \"01-Jan-2020 00:00:00 +0000\" {18+}\r\nSubject: avocado\r\n\r\n"
        "f UID EXPUNGE 2\r\n"
        "g STORE 1:4 +FLAGS.SILENT (\\Deleted \\Flagged)\r\n"
        "h STORE 1:4 -FLAGS.SILENT (\\Deleted)\r\n"
        "i CANCELUPDATE \"a\"\r\nj STORE 1 +FLAGS.SILENT (\\Deleted)\r\nk EXPUNGE\r\nz LOGOUT\r\n";
    static const char expected[] =
        "* ESEARCH (TAG \"a\") UID COUNT 4\na OK SORT completed\n"
        "* ESEARCH (TAG \"b\") ALL 1:4\nb OK SORT completed\n"
        "* ESEARCH (TAG \"a\") UID REMOVEFROM (4 3 2 2)\nc OK STORE completed\n"
        "* ESEARCH (TAG \"a\") UID ADDTO (3 3)\nd OK STORE completed\n"
        "* 5 EXISTS\n* # RECENT\n* ESEARCH (TAG \"b\") ADDTO (5 5)\n"
        "* ESEARCH (TAG \"a\") UID ADDTO (2 5)\ne OK [APPENDUID # 5] APPEND completed\n"
        "* ESEARCH (TAG \"b\") REMOVEFROM (2 2)\n* 2 EXPUNGE\n* 4 EXISTS\n* # RECENT\nf OK EXPUNGE "
        "completed\n"
        "* ESEARCH (TAG \"b\") REMOVEFROM (4 4 3 3 2 2 1 1)\n"
        "* ESEARCH (TAG \"a\") UID REMOVEFROM (4 3 3 1 2 5 1 4)\ng OK STORE completed\n"
        "* ESEARCH (TAG \"a\") UID ADDTO (1 4 2 5 3 1 4 3)\nh OK STORE completed\n"
        "i OK CANCELUPDATE completed\nj OK STORE completed\n* 1 EXPUNGE\n* 3 EXISTS\n* # RECENT\nk "
        "OK EXPUNGE completed\n"
        "* BYE Logging out\nz OK LOGOUT completed\n";
    struct str output;
    str_init(&output, 65536);
    fill_mailbox();
    account_talk(slice_text(input), &output);
    struct slice got = str_slice(&output);
    const char *start = memmem(got.data, got.size, "\r\ns OK", 6);
    assert_non_null(start);
    got = slice_from(got, (size_t)(start - got.data) + 2);
    account_compare("contexts", slice_from(got, slice_find(got, '\n') + 1), expected);
    str_free(&output);
}

static void remove_files(const char *path)
{
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(folder), entry->d_name, 0), 0);
    closedir(folder);
}

/* A file that vanishes between the list and the look into it is no message any more. */
static void vanished(void **state)
{
    (void)state;
    struct messagekeys_reader reader;
    struct messagekeys keys;
    fill_mailbox();
    struct mailbox *mailbox = mailbox_open(AT_FDCWD, "Maildir", true);
    assert_non_null(mailbox);
    assert_int_equal(mailbox->count, 4);
    messagekeys_begin(&reader, mailbox);
    assert_true(messagekeys_get(&reader, 0, &keys));
    assert_slice(keys.texts[MESSAGEKEYS_SUBJECT], "BANANA");
    remove_files("Maildir/cur");
    remove_files("Maildir/new");
    for (size_t i = 1; i < mailbox->count; i++)
        assert_false(messagekeys_get(&reader, i, &keys));
    messagekeys_end(&reader);
    mailbox_close(&mailbox);
}

/* ---- the order by itself ---------------------------------------------------------------------- */

enum { ENTRIES = 500 };

struct plain_entry {
    int64_t arrival;
    uint64_t size;
    char text[16];
    size_t text_size;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *seed >> 33;
}

/* Texts that differ in front of, at and behind the eighth byte, one the beginning of the other, with
 * NULs and bytes beyond ASCII. */
static struct plain_entry random_entry(uint64_t *seed)
{
    static const char bytes[] = {0, 'A', 'B', (char)0xC3};
    struct plain_entry entry = {.arrival = (int64_t)(next_random(seed) % 5) - 2,
                                .size = next_random(seed) % 3,
                                .text_size = next_random(seed) % 12};
    for (size_t i = 0; i < entry.text_size; i++)
        entry.text[i] = next_random(seed) % 4 > 0 ? 'A' : bytes[next_random(seed) % sizeof bytes];
    return entry;
}

static int compare_plain(const struct plain_entry *a, const struct plain_entry *b,
                         struct sortorder_criterion criterion)
{
    int result = 0;
    if (criterion.key == SORTORDER_ARRIVAL || criterion.key == SORTORDER_DATE)
        result = (a->arrival > b->arrival) - (a->arrival < b->arrival);
    else if (criterion.key == SORTORDER_SIZE)
        result = (a->size > b->size) - (a->size < b->size);
    else {
        size_t least = a->text_size < b->text_size ? a->text_size : b->text_size;
        result = memcmp(a->text, b->text, least);
        if (result == 0)
            result = (a->text_size > b->text_size) - (a->text_size < b->text_size);
    }
    return criterion.reverse ? -result : result;
}

static void random_orders(void **state)
{
    (void)state;
    static const struct sortorder_criterion programs[][2] = {
        {{SORTORDER_ARRIVAL, false}, {SORTORDER_SUBJECT, false}},
        {{SORTORDER_DATE, true}, {SORTORDER_SIZE, false}},
        {{SORTORDER_SUBJECT, false}, {SORTORDER_ARRIVAL, true}},
        {{SORTORDER_DISPLAY_TO, true}, {SORTORDER_SIZE, true}},
        {{SORTORDER_SIZE, true}, {SORTORDER_CC, false}},
    };
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        static struct plain_entry entries[ENTRIES];
        struct sortorder order;
        assert_true(sortorder_begin(&order, programs[i], 2, ENTRIES));
        for (uint32_t j = 0; j < ENTRIES; j++) {
            entries[j] = random_entry(&seed);
            struct messagekeys keys = {.has_date = false};
            for (size_t k = 0; k < MESSAGEKEYS_TEXTS; k++)
                keys.texts[k] = slice_of(entries[j].text, entries[j].text_size);
            assert_true(sortorder_add(
                &order, j, &(struct sortorder_facts){entries[j].arrival, entries[j].size, &keys}));
        }
        assert_false(sortorder_add(&order, 0, &(struct sortorder_facts){0, 0, NULL}));
        sortorder_sort(&order);
        for (size_t j = 1; j < ENTRIES; j++) {
            uint32_t a = order.entries[j - 1].number, b = order.entries[j].number;
            int first = compare_plain(&entries[a], &entries[b], programs[i][0]);
            int second = compare_plain(&entries[a], &entries[b], programs[i][1]);
            assert_true(first < 0 || (first == 0 && (second < 0 || (second == 0 && a < b))));
        }
        sortorder_end(&order);
    }
}

/* Of other programs, with LF, and headers that need more than one read; at each boundary of it. */
static void odd_files(void **state)
{
    (void)state;
    enum { READ = 8192, FILES = 8 };
    for (unsigned i = 0; i < FILES; i++) {
        char path[64];
        struct str text;
        str_init(&text, 65536);
        str_append_text(&text, "X-Long: ");
        while (text.size < READ - 8 + i)
            str_append_byte(&text, 'x');
        str_format(&text, "\nSubject: %c\n\nSubject: body\n", 'h' - (char)i);
        snprintf(path, sizeof path, "Maildir/new/1600000000.%u.host", i);
        account_write_file(path, str_slice(&text));
        str_free(&text);
    }
    ask("a SORT (SUBJECT) UTF-8 ALL\r\n", "* SORT 8 7 6 5 4 3 2 1\na OK SORT completed\n");
}

/* What the first command extracted the next session finds; and nobody misses it when it is gone, cut
 * or of another time. */
static void kept_keys(void **state)
{
    (void)state;
    static const char asked[] = "a SORT (SUBJECT) UTF-8 ALL\r\nb THREAD REFS UTF-8 ALL\r\n";
    static const char answer[] =
        "* SORT 4 2 1 3\na OK SORT completed\n* THREAD (1)(2)(4)(3)\nb OK THREAD completed\n";
    struct stat info;
    fill_mailbox();
    ask(asked, answer);
    assert_int_equal(stat("Maildir/mailbox-cache", &info), 0);
    ask(asked, answer);
    for (off_t size = info.st_size; size > 0; size -= 40) {
        assert_int_equal(truncate("Maildir/mailbox-cache", size), 0);
        ask(asked, answer);
    }
    assert_int_equal(unlink("Maildir/mailbox-cache"), 0);
    ask(asked, answer);
}

static void bad_commands(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "SORT",
        "SORT ()",
        "SORT () UTF-8 ALL",
        "SORT (ARRIVAL) UTF-8",
        "SORT (ARRIVAL)",
        "SORT ARRIVAL UTF-8 ALL",
        "SORT (REVERSE) UTF-8 ALL",
        "SORT (REVERSE REVERSE DATE) UTF-8 ALL",
        "SORT (ARRIVAL NONSENSE) UTF-8 ALL",
        "SORT (ARRIVAL  DATE) UTF-8 ALL",
        "SORT (ARRIVAL) (UTF-8) ALL",
        "SORT (ARRIVAL) UTF-8 ALL)",
        "SORT RETURN (ARRIVAL) UTF-8 ALL",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char command[128];
        snprintf(command, sizeof command, "a %s\r\n", bad[i]);
        ask(command, "a BAD Arguments not understood\n");
    }
    ask("a SORT (ARRIVAL) X-UNKNOWN ALL\r\n", "a NO [BADCHARSET ~\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commands, account_make, account_remove),
        cmocka_unit_test_setup_teardown(contexts, account_make, account_remove),
        cmocka_unit_test_setup_teardown(vanished, account_make, account_remove),
        cmocka_unit_test(random_orders),
        cmocka_unit_test_setup_teardown(odd_files, account_make, account_remove),
        cmocka_unit_test_setup_teardown(kept_keys, account_make, account_remove),
        cmocka_unit_test_setup_teardown(bad_commands, account_make, account_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
