/* metadata, metadatarequest: annotations in their file, and what asks for them */
#include "account.h"

#include "metadata.h"
#include "metadatarequest.h"

#include <errno.h>

static void check_content(struct slice given, const char *written)
{
    struct metadata metadata = {0};
    struct str content;
    str_init(&content, METADATA_FILE_MAX);
    metadata_parse(given, &metadata);
    assert_true(metadata_format(&metadata, &content));
    assert_slice(str_slice(&content), written);
    str_free(&content);
}

static void content(void **state)
{
    (void)state;
    check_content(SLICE(""), "");
    check_content(SLICE("/private/a 1\nx\n/shared/b 0\n\n"), "/private/a 1\nx\n/shared/b 0\n\n");
    check_content(SLICE("/private/a 3\na\nb\n"), "/private/a 3\na\nb\n");
    static const char *const broken[] = {
        "/private/b",
        "/private/b\n",
        "/private/b 1",
        "/private/b 1\n",
        "/private/b 1\nx",
        "/private/b 1\nxy\n",
        " 1\nx\n",
        "/private/b x\nx\n",
        "/private/b -1\nx\n",
        "/private/b 99999999999999999999\nx\n",
        "/private/b 65537\nx\n",
        "\n\n",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct str text;
        str_init(&text, 4096);
        str_append_texts(&text, "/private/a 1\nx\n", broken[i]);
        check_content(str_slice(&text), "/private/a 1\nx\n");
        str_free(&text);
    }
}

/* A file that ends anywhere gives the entries that are whole. */
static void every_split_point(void **state)
{
    (void)state;
    static const char text[] = "/private/a 2\nxy\n/shared/b 3\n\n\n\n\n";
    for (size_t i = 0; i < sizeof text; i++) {
        struct metadata metadata = {0};
        metadata_parse(slice_of(text, i), &metadata);
        assert_int_equal(metadata.count, (i >= 16) + (i >= 32));
    }
}

static void entries_are_set_and_removed(void **state)
{
    (void)state;
    struct metadata metadata = {0};
    struct slice x = SLICE("x"), y = SLICE("y");
    char names[METADATA_ENTRIES_MAX + 1][16];
    for (size_t i = 0; i <= METADATA_ENTRIES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "/private/%zu", i);
        assert_int_equal(metadata_set(&metadata, slice_text(names[i]), &x),
                         i < METADATA_ENTRIES_MAX);
    }
    assert_true(metadata_set(&metadata, SLICE("/private/3"), &y));
    assert_slice(*metadata_find(&metadata, SLICE("/private/3")), "y");
    assert_true(metadata_set(&metadata, SLICE("/private/3"), NULL));
    assert_true(metadata_set(&metadata, SLICE("/private/none"), NULL));
    assert_null(metadata_find(&metadata, SLICE("/private/3")));
    assert_slice(*metadata_find(&metadata, SLICE("/private/127")), "x");
    assert_int_equal(metadata.count, METADATA_ENTRIES_MAX - 1);
}

static void a_file_of_a_folder_and_of_the_server(void **state)
{
    (void)state;
    struct metadata metadata;
    struct imapfolder folder, missing;
    struct slice value = slice_of("a\0b\n", 4);
    assert_true(imapfolder_named(SLICE("Sent"), &folder));
    assert_true(imapfolder_named(SLICE("none"), &missing));
    int lock = metadata_lock(&folder, &metadata);
    assert_true(lock >= 0 && metadata_set(&metadata, SLICE("/private/a"), &value));
    assert_true(metadata_store(lock, &folder, &metadata));
    metadata_free(&metadata);
    metadata_unlock(&lock);
    assert_true(metadata_load(&folder, &metadata));
    assert_true(slice_equal(*metadata_find(&metadata, SLICE("/private/a")), value));
    metadata_free(&metadata);
    assert_true(metadata_load(NULL, &metadata));
    assert_int_equal(metadata.count, 0);
    metadata_free(&metadata);
    assert_int_equal(metadata_lock(&missing, &metadata), -1);
    assert_int_equal(errno, ENOENT);
    metadata_free(&metadata);
}

static const struct {
    const char *text;
    bool fine;
} requests[] = {
    {"/private/a", true},
    {"(/private/a /SHARED/b)", true},
    {"\"/private/with blank\"", true},
    {"(DEPTH infinity) /private", true},
    {"(MAXSIZE 0 depth 1) (/shared)", true},
    {"(DEPTH 1) (DEPTH 1) /shared", false},
    {"", false},
    {"()", false},
    {"(/private/a", false},
    {"(/private/a )", false},
    {"/private/", false},
    {"/", false},
    {"/privately/a", false},
    {"/private/a//b", false},
    {"\"/private/\xc3\xa9\"", false},
    {"\"/private/a*\"", false},
    {"(DEPTH 3) /private", false},
    {"(DEPTH -1) /private", false},
    {"(MAXSIZE 4294967296) /private", false},
    {"(MAXSIZE) /private", false},
    {"(NONE 1) /private", false},
    {"(DEPTH 1)", false},
};

static bool parse_text(struct arena *arena, const char *text, struct metadatarequest *request)
{
    struct parse parse;
    parse_begin(&parse, slice_text(text), arena);
    return metadatarequest_parse(&parse, request) && parse_at_end(&parse);
}

static void requests_are_parsed(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct metadatarequest request;
        if (parse_text(&arena, requests[i].text, &request) != requests[i].fine)
            fail_msg("%s", requests[i].text);
        arena_free(&arena);
    }
}

static void depth(void **state)
{
    (void)state;
    struct arena arena;
    struct metadatarequest request;
    arena_init(&arena, 1 << 20);
    assert_true(parse_text(&arena, "(/private/A /shared/x)", &request));
    assert_true(metadatarequest_has(&request, SLICE("/private/a")));
    assert_false(metadatarequest_has(&request, SLICE("/private/a/b")));
    assert_true(metadatarequest_has(&request, SLICE("/shared/x")));
    assert_true(parse_text(&arena, "(DEPTH 1) /private/a", &request));
    assert_true(metadatarequest_has(&request, SLICE("/private/a/b")));
    assert_false(metadatarequest_has(&request, SLICE("/private/a/b/c")));
    assert_false(metadatarequest_has(&request, SLICE("/private/ab")));
    assert_true(parse_text(&arena, "(DEPTH infinity) /private", &request));
    assert_true(metadatarequest_has(&request, SLICE("/private/a/b/c")));
    assert_false(metadatarequest_has(&request, SLICE("/shared/a")));
    arena_free(&arena);
}

#define IN_ACCOUNT(test) cmocka_unit_test_setup_teardown(test, account_make, account_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content),
        cmocka_unit_test(every_split_point),
        cmocka_unit_test(entries_are_set_and_removed),
        cmocka_unit_test(requests_are_parsed),
        cmocka_unit_test(depth),
        IN_ACCOUNT(a_file_of_a_folder_and_of_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
