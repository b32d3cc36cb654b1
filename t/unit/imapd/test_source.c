/* source: what FETCH gets of messages with headers of all sizes, and of files whose names lie */
#include "account.h"

#include "source.h"

#include <errno.h>

/* A header of `size` bytes with its empty line, in which To comes last, and some text behind it. */
static void put_message(struct str *message, size_t size, size_t body)
{
    static const char front[] = "X: ", end[] = "\r\nTo: a@b\r\n\r\n";
    str_append_text(message, front);
    for (size_t i = sizeof front + sizeof end - 2; i < size; i++)
        str_append_byte(message, (char)('a' + i % 23));
    str_append_text(message, end);
    for (size_t i = 0; i < body; i++)
        str_append_byte(message, i % 70 == 68 ? '\r' : i % 70 == 69 ? '\n' : 'b');
}

/* As a file whose name says that size, and that it is the size on the wire, too. */
static void put_file(struct slice message, size_t number, size_t told)
{
    char path[64];
    snprintf(path, sizeof path, "Maildir/cur/%zu.M1.host,S=%zu,W=%zu:2,", 1000 + number, told,
             told);
    account_write_file(path, message);
}

static void check_header(struct source *source, struct slice message, size_t header_size)
{
    struct slice header;
    assert_true(source_header(source, &header));
    assert_true(slice_equal(header, slice_part(message, 0, header_size)));
}

static void check_whole(struct source *source, struct slice message)
{
    struct slice whole;
    assert_true(source_whole(source, &whole));
    assert_true(slice_equal(whole, message));
    assert_int_equal(source->size, message.size);
}

/* In this order: header, whole, header again; or the other way round; or the size in front. */
static void check_source(struct source *source, struct slice message, size_t header_size, int order)
{
    char byte;
    if (order == 2) {
        assert_true(source_open(source));
        assert_int_equal(source->size, message.size);
    }
    if (order != 1)
        check_header(source, message, header_size);
    check_whole(source, message);
    check_header(source, message, header_size);
    assert_true(source_root(source) && source_root(source)->header_size == header_size);
    assert_true(source_read(source, message.size - 1, &byte, 1));
    assert_int_equal(byte, message.data[message.size - 1]);
}

static const struct {
    size_t header, body;
} sizes[] = {
    {17, 0},       {17, 1},       {100, 500},       {4095, 0},      {4095, 1},    {4096, 0},
    {4096, 1},     {4097, 5000},  {100, 100000},    {8191, 1},      {8192, 1},    {8193, 9000},
    {20000, 10},   {65536, 1},    {65537, 1},       {65537, 70000}, {200000, 10}, {100, 524187},
    {100, 524188}, {100, 524189}, {300000, 300000}, {600000, 10},
};
enum { SIZES = sizeof sizes / sizeof *sizes, ORDERS = 3 };

/* `more`: by how much the names say too much. */
static void check_all(void **state, int more, int order)
{
    struct str messages[SIZES];
    assert_int_equal(account_make(state), 0);
    for (size_t i = 0; i < SIZES; i++) {
        str_init(&messages[i], 1 << 20);
        put_message(&messages[i], sizes[i].header, sizes[i].body);
        put_file(str_slice(&messages[i]), i, (size_t)((int)messages[i].size + more));
    }
    struct mailbox *mailbox = mailbox_open(AT_FDCWD, "Maildir", false);
    assert_true(mailbox && mailbox->count == SIZES);
    struct source source;
    source_begin(&source, mailbox, 0);
    for (size_t i = 0; i < SIZES; i++) {
        source_move(&source, i);
        check_source(&source, str_slice(&messages[i]), sizes[i].header, order);
        assert_int_equal(mailbox->messages[i].size, messages[i].size);
        str_free(&messages[i]);
    }
    source_end(&source);
    mailbox_close(&mailbox);
    assert_int_equal(account_remove(state), 0);
}

static void headers_and_messages_of_all_sizes(void **state)
{
    for (int order = 0; order < ORDERS; order++)
        check_all(state, 0, order);
}

static void names_that_lie(void **state)
{
    static const int more[] = {-13, -1, 1, 5000, 1000000};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        for (int order = 0; order < ORDERS; order++)
            check_all(state, more[i], order);
}

/* Its lines end in LF, but its name says that it is in wire form. */
static void a_name_that_lies_about_the_form(void **state)
{
    for (int order = 0; order < ORDERS; order++) {
        struct source source;
        struct slice file = SLICE("Subject: s\n\nbody\n"),
                     wire = SLICE("Subject: s\r\n\r\nbody\r\n");
        assert_int_equal(account_make(state), 0);
        put_file(file, 0, wire.size);
        struct mailbox *mailbox = mailbox_open(AT_FDCWD, "Maildir", false);
        assert_true(mailbox && mailbox->count == 1);
        source_begin(&source, mailbox, 0);
        check_source(&source, wire, 14, order);
        source_end(&source);
        mailbox_close(&mailbox);
        assert_int_equal(account_remove(state), 0);
    }
}

static void a_file_that_is_gone(void **state)
{
    struct source source;
    struct slice bytes;
    assert_int_equal(account_make(state), 0);
    put_file(SLICE("Subject: s\r\n\r\nbody\r\n"), 0, 20);
    struct mailbox *mailbox = mailbox_open(AT_FDCWD, "Maildir", false);
    assert_true(mailbox && mailbox->count == 1);
    char name[MAILBOX_NAME_SIZE];
    assert_true(mailbox_name(mailbox, &mailbox->messages[0], name));
    assert_int_equal(unlinkat(mailbox->cur, name, 0), 0);
    source_begin(&source, mailbox, 0);
    for (int i = 0; i < 2; i++) {
        errno = 0;
        assert_false(source_header(&source, &bytes));
        assert_int_equal(errno, ENOENT);
        errno = 0;
        assert_false(source_whole(&source, &bytes));
        assert_int_equal(errno, ENOENT);
        assert_false(source_open(&source));
    }
    assert_true(mailbox->messages[0].gone);
    source_end(&source);
    mailbox_close(&mailbox);
    assert_int_equal(account_remove(state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_and_messages_of_all_sizes),
        cmocka_unit_test(names_that_lie),
        cmocka_unit_test(a_name_that_lies_about_the_form),
        cmocka_unit_test(a_file_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
