/* queuefile: the block in front of a message - written, read back, cut at every byte, spoiled */
#include "unit.h"

#include "queuefile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char good[] = "mail-suite-queue 1\n"
                           "id 0cw9x2k4m7q1p\n"
                           "size 0000000000001234\n"
                           "check 1a2b3c4d\n"
                           "arrived 1763766000\n"
                           "origin by=submission client=192.0.2.1\n"
                           "body 8bit utf8 ret=HDRS envid=QQ+2B1\n"
                           "sender u1@example.jp\n"
                           "T u2@example.jp\n"
                           "D u3@example.org\n"
                           " notify=SUCCESS,DELAY orcpt=rfc822;u@example.com\n"
                           "F x@example.net\n"
                           "\n";

static void reads_all_fields(void **state)
{
    (void)state;
    struct queuefile file;
    assert_int_equal(queuefile_parse(SLICE("x"), &file), -1);
    assert_int_equal(queuefile_parse(slice_text(good), &file), 1);
    assert_slice(file.id, "0cw9x2k4m7q1p");
    assert_int_equal(file.size, 1234);
    assert_int_equal(file.check, 0x1a2b3c4d);
    assert_int_equal(file.arrived, 1763766000);
    assert_slice(file.origin, "by=submission client=192.0.2.1");
    assert_int_equal(file.body, ENVELOPE_BODY_8BIT);
    assert_true(file.utf8);
    assert_int_equal(file.ret, DSN_RETURN_HEADERS);
    assert_slice(file.envid, "QQ+2B1");
    assert_int_equal(file.recipients[1].notify, DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY);
    assert_slice(file.recipients[1].orcpt, "rfc822;u@example.com");
    assert_int_equal(file.recipients[2].notify, 0);
    assert_slice(file.sender, "u1@example.jp");
    assert_int_equal(file.recipient_count, 3);
    assert_int_equal(file.start, (off_t)sizeof good - 1);
    static const char statuses[] = "TDF";
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(file.recipients[i].status, statuses[i]);
        assert_int_equal(good[file.recipients[i].offset], statuses[i]);
    }
    assert_slice(file.recipients[2].address, "x@example.net");
    queuefile_free(&file);
}

static void asks_for_more_at_every_cut(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof good - 1; size++) {
        struct queuefile file;
        /* A copy of just these bytes, so that a sanitizer sees a read beyond them. */
        char *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, good, size);
        if (queuefile_parse(slice_of(copy, size), &file) != 0)
            fail_msg("cut at %zu is not \"more\"", size);
        free(copy);
    }
}

struct bad_case {
    const char *name, *text;
};

#define HEAD                                                                                       \
    "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 0000000000001234\ncheck 1a2b3c4d\narrived "        \
    "1\norigin o\nbody "                                                                           \
    "7bit\n"

static const struct bad_case bad_cases[] = {
    {"other version", "mail-suite-queue 2\n"},
    {"version with more", "mail-suite-queue 1 \n"},
    {"garbage", "\001\002\003"},
    {"id too short", "mail-suite-queue 1\nid 0cw9\n"},
    {"id with a slash", "mail-suite-queue 1\nid 0cw9x2k4m7q/p\n"},
    {"id in capitals", "mail-suite-queue 1\nid 0CW9X2K4M7Q1P\n"},
    {"size of 15 digits", "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 000000000001234\n"},
    {"size with a sign", "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize -000000000001234\n"},
    {"check in capitals",
     "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 0000000000001234\ncheck 1A2B3C4D\n"},
    {"check of 7 digits",
     "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 0000000000001234\ncheck 1a2b3c4\n"},
    {"arrived is no number",
     "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 0000000000001234\ncheck 1a2b3c4d\narrived soon\n"},
    {"arrived is too large",
     "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 0000000000001234\ncheck 1a2b3c4d\narrived "
     "99999999999999999999\n"},
    {"control byte in origin", "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 0000000000001234\ncheck "
                               "1a2b3c4d\narrived 1\norigin a\rb\n"},
    {"body of another kind",
     "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 0000000000001234\ncheck 1a2b3c4d\narrived "
     "1\norigin o\nbody 9bit\n"},
    {"body with another word", "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 0000000000001234\ncheck "
                               "1a2b3c4d\narrived 1\norigin o\nbody 7bit "
                               "x\n"},
    {"no sender line", HEAD "T u@example.jp\n\n"},
    {"no recipients", HEAD "sender \n\n"},
    {"unknown status", HEAD "sender \nX u@example.jp\n\n"},
    {"no blank behind the status", HEAD "sender \nTu@example.jp\n\n"},
    {"empty recipient", HEAD "sender \nT \n\n"},
    {"wishes of nobody", HEAD "sender \n notify=NEVER\n\n"},
    {"empty wishes", HEAD "sender \nT u@x\n \n\n"},
    {"unknown wish", HEAD "sender \nT u@x\n fish=NEVER\n\n"},
    {"wish twice", HEAD "sender \nT u@x\n notify=NEVER notify=NEVER\n\n"},
    {"wishes twice", HEAD "sender \nT u@x\n notify=NEVER\n orcpt=rfc822;x\n\n"},
    {"orcpt without type", HEAD "sender \nT u@x\n orcpt=x\n\n"},
    {"ret of another kind",
     "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 0000000000001234\ncheck 1a2b3c4d\narrived "
     "1\norigin o\nbody 7bit ret=ALL\n"},
    {"NUL in recipient", HEAD "sender \nT u\x7f@example.jp\n\n"},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
        struct queuefile file;
        if (queuefile_parse(slice_text(bad_cases[i].text), &file) != -1)
            fail_msg("taken: %s", bad_cases[i].name);
        assert_null(file.recipients);
    }
}

static void refuses_long_lines_early(void **state)
{
    (void)state;
    struct queuefile file;
    struct str text;
    str_init(&text, QUEUEFILE_BLOCK_MAX * 2);
    str_append_text(&text, HEAD "sender \nT ");
    for (size_t i = 0; i < ENVELOPE_ADDRESS_MAX + 1; i++)
        str_append_byte(&text, 'a');
    assert_int_equal(queuefile_parse(str_slice(&text), &file), -1);
    str_clear(&text);
    /* An endless block is garbage at its maximum, not for ever "more". */
    str_append_text(
        &text,
        "mail-suite-queue 1\nid 0cw9x2k4m7q1p\nsize 0000000000001234\ncheck 1a2b3c4d\narrived "
        "1\norigin ");
    while (text.size < QUEUEFILE_BLOCK_MAX)
        str_append_byte(&text, 'a');
    assert_int_equal(queuefile_parse(str_slice(&text), &file), -1);
    str_free(&text);
}

static void fill(struct envelope *envelope, size_t recipients)
{
    envelope_init(envelope);
    str_append_text(&envelope->origin, "by=test");
    str_append_text(&envelope->sender, "s@example.org");
    for (size_t i = 0; i < recipients; i++) {
        char address[64];
        bool is_last = i > 0 && i + 1 == recipients;
        snprintf(address, sizeof address, "u%zu@example.jp", i);
        assert_true(envelope_add_recipient_dsn(
            envelope, slice_text(address), is_last ? DSN_NOTIFY_NEVER : 0,
            is_last ? SLICE("rfc822;last@example.com") : SLICE("")));
    }
}

static void reads_what_it_writes(void **state)
{
    (void)state;
    for (size_t count = 1; count <= ENVELOPE_RECIPIENTS_MAX; count = count * 10) {
        struct envelope envelope;
        struct queuefile file;
        struct str block;
        off_t seal_offset;
        char seal[QUEUEFILE_SEAL_SIZE];
        fill(&envelope, count);
        envelope.utf8 = true;
        envelope.ret = DSN_RETURN_FULL;
        str_append_text(&envelope.envid, "QQ+2B1");
        str_init(&block, QUEUEFILE_BLOCK_MAX);
        assert_true(queuefile_format(&block, SLICE("0cw9x2k4m7q1p"), 77, &envelope, &seal_offset));
        assert_int_equal(queuefile_parse(str_slice(&block), &file), 1);
        assert_int_equal(file.size, 0); /* till the end is known: a torn file shows */
        queuefile_free(&file);
        queuefile_format_seal(9876543210, 0xfedc0123, seal);
        memcpy(block.data + seal_offset, seal, sizeof seal);
        assert_int_equal(queuefile_parse(str_slice(&block), &file), 1);
        assert_int_equal(file.size, 9876543210);
        assert_int_equal(file.check, 0xfedc0123);
        assert_int_equal(file.recipient_count, count);
        assert_int_equal(file.start, (off_t)block.size);
        assert_int_equal(file.arrived, 77);
        assert_true(file.utf8);
        assert_int_equal(file.ret, DSN_RETURN_FULL);
        assert_slice(file.envid, "QQ+2B1");
        assert_int_equal(file.recipients[0].notify, 0);
        assert_int_equal(file.recipients[count - 1].notify, count > 1 ? DSN_NOTIFY_NEVER : 0);
        assert_slice(file.recipients[count - 1].orcpt, count > 1 ? "rfc822;last@example.com" : "");
        assert_int_equal(file.body, ENVELOPE_BODY_7BIT);
        queuefile_free(&file);
        str_free(&block);
        envelope_free(&envelope);
    }
}

static void writes_no_line_breaks(void **state)
{
    (void)state;
    struct envelope envelope;
    struct str block;
    off_t offset;
    str_init(&block, QUEUEFILE_BLOCK_MAX);
    fill(&envelope, 1);
    str_append_text(&envelope.sender, "\nT evil@example.org");
    assert_false(queuefile_format(&block, SLICE("0cw9x2k4m7q1p"), 1, &envelope, &offset));
    envelope_free(&envelope);
    fill(&envelope, 0);
    assert_false(queuefile_format(&block, SLICE("0cw9x2k4m7q1p"), 1, &envelope, &offset));
    assert_false(queuefile_format(&block, SLICE("../../etc/pas"), 1, &envelope, &offset));
    envelope_free(&envelope);
    str_free(&block);
}

static void ids_are_names_in_order(void **state)
{
    (void)state;
    char before[QUEUEFILE_ID_SIZE + 1], after[QUEUEFILE_ID_SIZE + 1];
    queuefile_new_id(before);
    assert_true(queuefile_is_id(slice_text(before)));
    for (int i = 0; i < 1000; i++) {
        queuefile_new_id(after);
        assert_true(queuefile_is_id(slice_text(after)));
        assert_true(strncmp(before, after, 11) <= 0); /* the time's digits */
        memcpy(before, after, sizeof before);
    }
    assert_false(queuefile_is_id(SLICE("")));
    assert_false(queuefile_is_id(SLICE("0cw9x2k4m7q1")));
    assert_false(queuefile_is_id(SLICE("0cw9x2k4m7q1p0")));
    assert_false(queuefile_is_id(SLICE("0cw9x2k4m7q1\0")));
    assert_false(queuefile_is_id(SLICE("../../../../x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_fields),
        cmocka_unit_test(asks_for_more_at_every_cut),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_long_lines_early),
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(writes_no_line_breaks),
        cmocka_unit_test(ids_are_names_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
