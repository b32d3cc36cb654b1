/* engine: viruses are found wherever they are packed, and each known way of libclamav to call an
 * unscanned message clean is noticed */
#include "unit.h"

#include "engine.h"
#include "samples.h"
#include "tempfolder.h"

#include <clamav.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

static struct engine engine;
static char base[] = "/tmp/mail-suite-scan-XXXXXX";
static char temporary[64], signatures[64];
static char home[4096];

static void write_signature(const char *name, struct slice bytes)
{
    char path[128];
    struct str hex;
    str_init(&hex, 1000);
    encode_hex(bytes, &hex);
    snprintf(path, sizeof path, "%s/%s.ndb", signatures, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s:0:*:%s\n", name, str_text(&hex));
    fclose(file);
    str_free(&hex);
}

static int load(void **state)
{
    (void)state;
    if (!mkdtemp(base) || !getcwd(home, sizeof home))
        return -1;
    snprintf(temporary, sizeof temporary, "%s/tmp", base);
    snprintf(signatures, sizeof signatures, "%s/db", base);
    if (mkdir(temporary, 0700) < 0 || mkdir(signatures, 0700) < 0)
        return -1;
    write_signature("Pretended", SLICE(SAMPLES_VIRUS));
    /* The suite's own file, from the source tree, where the tests are run. */
    const char *const folders[] = {"etc/clamav", signatures, "/nonexistent/clamav"};
    return engine_load(&engine, folders, 3, 60000) && engine_set_folder(&engine, temporary) ? 0
                                                                                            : -1;
}

static int unload(void **state)
{
    (void)state;
    engine_free(&engine);
    tempfolder_remove(base);
    return 0;
}

/* The samples, by number, so that a table can name them. */
enum sample {
    CLEAN,
    IN_TEXT,
    ATTACHED,
    ZIPPED,
    ZIPPED_TWICE,
    TAR_GZIPPED,
    IN_MESSAGE,
    ENCRYPTED,
    ENCRYPTED_AND_VIRUS,
    RAR,
    RAR_AND_VIRUS,
    TOO_DEEP,
    TOO_DEEP_AND_VIRUS,
    TOO_DEEP_AND_ENCRYPTED,
};

static void attach_rar(struct str *mail)
{
    struct str rar;
    str_init(&rar, SAMPLES_MAX);
    samples_rar(&rar);
    samples_mail_attach(mail, str_slice(&rar));
    str_free(&rar);
}

static void attach_zips(struct str *mail, struct slice content, int depth)
{
    struct str zip;
    str_init(&zip, SAMPLES_MAX);
    samples_zips(&zip, content, depth);
    samples_mail_attach(mail, str_slice(&zip));
    str_free(&zip);
}

static void attach_encrypted(struct str *mail)
{
    struct str zip;
    str_init(&zip, SAMPLES_MAX);
    samples_zip(&zip, SLICE("0123456789abcdefghijklmnopqrstuvwxyz"), true);
    samples_mail_attach(mail, str_slice(&zip));
    str_free(&zip);
}

static void attach_tar(struct str *mail, struct slice content)
{
    struct str tar;
    str_init(&tar, SAMPLES_MAX);
    samples_tar_gzip(&tar, content);
    samples_mail_attach(mail, str_slice(&tar));
    str_free(&tar);
}

/* A mail with the virus attached: its bytes are nowhere to be seen before it is decoded. */
static void append_inner_mail(struct str *out, struct slice virus)
{
    struct str inner;
    str_init(&inner, SAMPLES_MAX);
    samples_mail_begin(&inner);
    samples_mail_attach(&inner, virus);
    samples_mail_end(&inner);
    /* Another boundary than the outer mail's. */
    for (size_t i = 0; i < inner.size; i++) {
        bool is_boundary = slice_starts(slice_from(str_slice(&inner), i), SLICE("sample"));
        str_append_text(out, is_boundary ? "in" : "");
        str_append_byte(out, inner.data[i]);
    }
    str_free(&inner);
}

static void make(struct str *mail, enum sample sample)
{
    const struct slice virus = SLICE(SAMPLES_VIRUS);
    struct str inner;
    str_init(&inner, SAMPLES_MAX);
    append_inner_mail(&inner, virus);
    str_init(mail, SAMPLES_MAX);
    samples_mail_begin(mail);
    if (sample == IN_TEXT)
        str_append_text(mail, "\r\nSee: " SAMPLES_VIRUS "\r\n");
    if (sample == CLEAN)
        samples_mail_attach(mail, SLICE("nothing that anybody would look for"));
    if (sample == ENCRYPTED || sample == ENCRYPTED_AND_VIRUS || sample == TOO_DEEP_AND_ENCRYPTED)
        attach_encrypted(mail);
    if (sample == RAR || sample == RAR_AND_VIRUS)
        attach_rar(mail);
    if (sample == TOO_DEEP || sample == TOO_DEEP_AND_VIRUS || sample == TOO_DEEP_AND_ENCRYPTED)
        attach_zips(mail, SLICE("nothing is at the bottom"), 31);
    if (sample == ATTACHED || sample == ENCRYPTED_AND_VIRUS || sample == RAR_AND_VIRUS ||
        sample == TOO_DEEP_AND_VIRUS)
        samples_mail_attach(mail, virus);
    if (sample == ZIPPED)
        attach_zips(mail, str_slice(&inner), 1);
    if (sample == ZIPPED_TWICE)
        attach_zips(mail, str_slice(&inner), 2);
    if (sample == TAR_GZIPPED)
        attach_tar(mail, str_slice(&inner));
    if (sample == IN_MESSAGE)
        str_append_text(mail, "--sample\r\nContent-Type: message/rfc822\r\n\r\n");
    if (sample == IN_MESSAGE)
        str_append(mail, str_slice(&inner));
    str_free(&inner);
    assert_true(str_append_text(mail, "--sample--\r\n"));
}

static const struct {
    const char *name;
    enum sample sample;
    bool is_infected, is_encrypted, has_rar, is_beyond_limits;
} cases[] = {
    {"clean", CLEAN, false, false, false, false},
    {"in the text", IN_TEXT, true, false, false, false},
    {"attached", ATTACHED, true, false, false, false},
    {"in a zip", ZIPPED, true, false, false, false},
    {"in a zip in a zip", ZIPPED_TWICE, true, false, false, false},
    {"in a tar.gz", TAR_GZIPPED, true, false, false, false},
    {"in a message in the message", IN_MESSAGE, true, false, false, false},
    {"encrypted", ENCRYPTED, false, true, false, false},
    {"encrypted beside a virus", ENCRYPTED_AND_VIRUS, true, true, false, false},
    {"RAR", RAR, false, false, true, false},
    {"RAR beside a virus", RAR_AND_VIRUS, true, false, true, false},
    {"too deep", TOO_DEEP, false, false, false, true},
    {"too deep beside a virus", TOO_DEEP_AND_VIRUS, true, false, false, true},
    {"too deep beside encrypted", TOO_DEEP_AND_ENCRYPTED, false, true, false, true},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static void check_findings(const char *name, const struct findings *findings, size_t i)
{
    if (!findings->is_complete || (findings->infection[0] != '\0') != cases[i].is_infected ||
        findings->is_encrypted != cases[i].is_encrypted || findings->has_rar != cases[i].has_rar ||
        findings->is_beyond_limits != cases[i].is_beyond_limits)
        fail_msg("%s, %s: complete %d (%s) infection \"%s\" encrypted %d rar %d limits %d",
                 cases[i].name, name, findings->is_complete, findings->reason, findings->infection,
                 findings->is_encrypted, findings->has_rar, findings->is_beyond_limits);
}

static void remove_carriage_returns(struct str *mail)
{
    size_t size = 0;
    for (size_t i = 0; i < mail->size; i++)
        if (mail->data[i] != '\r')
            mail->data[size++] = mail->data[i];
    str_truncate(mail, size);
}

static void finds_what_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct str mail;
        struct findings findings;
        make(&mail, cases[i].sample);
        engine_scan(&engine, str_slice(&mail), &findings);
        check_findings("CRLF", &findings, i);
        /* The same again: nothing was remembered. */
        engine_scan(&engine, str_slice(&mail), &findings);
        check_findings("again", &findings, i);
        remove_carriage_returns(&mail);
        engine_scan(&engine, str_slice(&mail), &findings);
        check_findings("LF", &findings, i);
        str_free(&mail);
    }
}

/* libclamav's usual way, by a descriptor, must say the same as ours. */
static void a_file_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        char path[] = "/tmp/mail-suite-sample-XXXXXX";
        struct str mail;
        const char *name = NULL;
        unsigned long scanned = 0;
        struct cl_scan_options options = {.general = CL_SCAN_GENERAL_HEURISTICS, .parse = ~0u};
        make(&mail, cases[i].sample);
        int fd = mkstemp(path);
        assert_true(fd >= 0 && unlink(path) == 0);
        assert_int_equal(write(fd, mail.data, mail.size), mail.size);
        struct cl_engine *handle = engine.handle;
        cl_engine_set_clcb_file_inspection(handle, NULL);
        cl_engine_set_clcb_virus_found(handle, NULL);
        cl_error_t by_file = cl_scandesc(fd, NULL, &name, &scanned, handle, &options);
        cl_fmap_t *map = cl_fmap_open_memory(mail.data, mail.size);
        cl_error_t by_map = cl_scanmap_callback(map, NULL, &name, &scanned, handle, &options, NULL);
        cl_fmap_close(map);
        assert_int_equal(by_file, by_map);
        assert_int_equal(by_file == CL_VIRUS, cases[i].is_infected);
        close(fd);
        str_free(&mail);
    }
    engine_free(&engine);
    const char *const folders[] = {"etc/clamav", signatures};
    assert_true(engine_load(&engine, folders, 2, 60000));
    assert_true(engine_set_folder(&engine, temporary));
}

static void the_canary_sings(void **state)
{
    (void)state;
    char reason[REASON_MAX];
    if (!engine_is_sound(&engine, reason))
        fail_msg("%s", reason);
}

static void small_messages(void **state)
{
    (void)state;
    for (size_t size = 0; size < 20; size++) {
        struct findings findings;
        engine_scan(&engine, slice_part(SLICE("A: b\r\n\r\nhello, world"), 0, size), &findings);
        if (!findings.is_complete)
            fail_msg("%zu bytes: %s", size, findings.reason);
    }
}

static void a_message_beyond_the_limit_of_a_file(void **state)
{
    (void)state;
    static const char nothing[1];
    struct findings findings;
    /* So large that nobody looks at its bytes. */
    engine_scan(&engine, slice_of(nothing, (size_t)1 << 40), &findings);
    assert_true(findings.is_complete && findings.is_beyond_limits);
    assert_string_equal(findings.infection, "");
}

/* The largest that may come, with the fields that were put in front of it, is looked through. */
static void a_message_as_large_as_may_be(void **state)
{
    (void)state;
    static const char head[] = "Received: from a\r\nSubject: large\r\n\r\n";
    struct findings findings;
    char *message = calloc(1, ENGINE_MESSAGE_MAX);
    assert_non_null(message);
    memset(message, 'y', ENGINE_MESSAGE_MAX);
    for (size_t i = sizeof head - 1; i < ENGINE_MESSAGE_MAX - 1; i += 1000)
        memcpy(message + i, "\r\n", 2);
    memcpy(message, head, sizeof head - 1);
    for (size_t size = ENGINE_ATTACHMENT_LIMIT; size < ENGINE_ATTACHMENT_LIMIT + 2000;
         size += 1999) {
        engine_scan(&engine, slice_of(message, size), &findings);
        if (!findings.is_complete || findings.is_beyond_limits)
            fail_msg("%zu bytes: complete %d (%s) limits %d", size, findings.is_complete,
                     findings.reason, findings.is_beyond_limits);
    }
    free(message);
}

/* A mail with `count` zeros, gzipped to next to nothing. */
static void make_zeros(struct str *mail, size_t count)
{
    static unsigned char zeros[65536];
    static unsigned char packed[SAMPLES_MAX / 2];
    z_stream stream = {.next_out = packed, .avail_out = sizeof packed};
    assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    while (count > 0) {
        stream.next_in = zeros;
        stream.avail_in = (unsigned)(count < sizeof zeros ? count : sizeof zeros);
        count -= stream.avail_in;
        assert_int_equal(deflate(&stream, count == 0 ? Z_FINISH : Z_NO_FLUSH),
                         count == 0 ? Z_STREAM_END : Z_OK);
    }
    str_init(mail, SAMPLES_MAX);
    samples_mail_begin(mail);
    samples_mail_attach(mail, slice_of((const char *)packed, stream.total_out));
    samples_mail_end(mail);
    assert_int_equal(deflateEnd(&stream), Z_OK);
    assert_false(mail->failed);
}

/* SPEC R5.2: what is 100 MB or more before it is compressed. */
static void an_attachment_before_compression(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        bool is_beyond_limits;
    } sizes[] = {{1000000, false},
                 {ENGINE_ATTACHMENT_LIMIT - 1, false},
                 {ENGINE_ATTACHMENT_LIMIT, true},
                 {ENGINE_ATTACHMENT_LIMIT + 5000000, true}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct str mail;
        struct findings findings;
        make_zeros(&mail, sizes[i].count);
        engine_scan(&engine, str_slice(&mail), &findings);
        if (!findings.is_complete || findings.is_beyond_limits != sizes[i].is_beyond_limits)
            fail_msg("%zu bytes: complete %d (%s) limits %d", sizes[i].count, findings.is_complete,
                     findings.reason, findings.is_beyond_limits);
        str_free(&mail);
    }
}

static void expect_not_scanned(const char *what)
{
    static const enum sample samples[] = {CLEAN, ATTACHED, ZIPPED, TAR_GZIPPED, IN_MESSAGE};
    const struct policy policy = {true, true};
    char reason[REASON_MAX];
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct str mail;
        struct findings findings;
        make(&mail, samples[i]);
        engine_scan(&engine, str_slice(&mail), &findings);
        struct judgement judgement = judge(&findings, &policy);
        bool is_failed = strcmp(judgement.word, "failed") == 0;
        if (!is_failed && strcmp(judgement.word, "infected") != 0)
            fail_msg("%s, sample %d: %s %s", what, samples[i], judgement.word, judgement.text);
        if (is_failed)
            assert_true(strlen(judgement.text) > 0);
        str_free(&mail);
    }
    assert_false(engine_is_sound(&engine, reason));
}

/* First way: libclamav answers "clean" without its temporary folder. */
static void a_missing_folder_is_not_clean(void **state)
{
    (void)state;
    assert_true(engine_set_folder(&engine, "/nonexistent/tmp"));
    expect_not_scanned("missing folder");
    assert_true(engine_set_folder(&engine, temporary));
    the_canary_sings(NULL);
}

static void a_read_only_folder_is_not_clean(void **state)
{
    (void)state;
    /* Mode bits don't stop root; a folder in /proc stops everybody. */
    assert_true(engine_set_folder(&engine, "/proc"));
    expect_not_scanned("read-only folder");
    assert_true(engine_set_folder(&engine, temporary));
    the_canary_sings(NULL);
}

/* Second way: the disk is full. A limit on the size of files does the same to write(2). */
static void a_full_disk_is_not_clean(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit limit = {16, 16};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        const struct policy policy = {true, true};
        static const enum sample samples[] = {ATTACHED, ZIPPED, TAR_GZIPPED, IN_MESSAGE};
        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
            struct str mail;
            struct findings findings;
            make(&mail, samples[i]);
            engine_scan(&engine, str_slice(&mail), &findings);
            if (strcmp(judge(&findings, &policy).word, "clean") == 0)
                _exit(10 + (int)i);
            str_free(&mail);
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

enum { CHILDREN = 4, ROUNDS = 250 };

/* Scans with a folder of its own; the number of viruses missed. */
static int scan_as_child(int number)
{
    char path[128];
    int missed = 0;
    snprintf(path, sizeof path, "%s/child%d", base, number);
    if (!tempfolder_make(path) || !engine_set_folder(&engine, path))
        return 200;
    for (int i = 0; i < ROUNDS; i++) {
        struct str mail;
        struct findings findings;
        make(&mail, i % 2 ? ATTACHED : ZIPPED_TWICE);
        str_format(&mail, "%d %d\r\n", number, i);
        engine_scan(&engine, str_slice(&mail), &findings);
        missed += findings.infection[0] == '\0';
        str_free(&mail);
    }
    return missed;
}

/* Third way: children that were forked after the first scan make up the same file names, and in a
 * shared folder some viruses are missed. Each has a folder of its own, and none is. */
static void children_miss_nothing(void **state)
{
    (void)state;
    pid_t pids[CHILDREN];
    the_canary_sings(NULL); /* the first scan is before the fork */
    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(scan_as_child(i));
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void the_librarys_own_time_limit_is_a_limit(void **state)
{
    (void)state;
    struct engine hasty;
    struct str mail;
    struct findings findings;
    const char *const folders[] = {signatures};
    const struct policy policy = {true, false};
    assert_true(engine_load(&hasty, folders, 1, 1));
    assert_true(engine_set_folder(&hasty, temporary));
    str_init(&mail, 50000000);
    samples_mail_begin(&mail);
    for (int i = 0; i < 3000; i++)
        attach_zips(&mail, SLICE("content that takes a while to look through"), 3);
    samples_mail_end(&mail);
    engine_scan(&hasty, str_slice(&mail), &findings);
    struct judgement judgement = judge(&findings, &policy);
    if (strcmp(judgement.word, "refused") != 0 && strcmp(judgement.word, "failed") != 0)
        fail_msg("%s %s", judgement.word, judgement.text);
    str_free(&mail);
    engine_free(&hasty);
}

static void a_broken_signature_stops_the_load(void **state)
{
    (void)state;
    struct engine other;
    char path[128];
    const char *const nothing[] = {"/nonexistent", temporary};
    const char *const broken[] = {path};
    assert_false(engine_load(&other, nothing, 2, 1000));
    assert_null(other.handle);
    snprintf(path, sizeof path, "%s/broken", base);
    assert_int_equal(mkdir(path, 0700), 0);
    char file[160];
    snprintf(file, sizeof file, "%s/x.ndb", path);
    FILE *stream = fopen(file, "w");
    fputs("Broken:0:*:xyz\n", stream);
    fclose(stream);
    assert_false(engine_load(&other, broken, 1, 1000));
    assert_null(other.handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_there),
        cmocka_unit_test(the_canary_sings),
        cmocka_unit_test(small_messages),
        cmocka_unit_test(a_message_beyond_the_limit_of_a_file),
        cmocka_unit_test(a_message_as_large_as_may_be),
        cmocka_unit_test(an_attachment_before_compression),
        cmocka_unit_test(a_missing_folder_is_not_clean),
        cmocka_unit_test(a_read_only_folder_is_not_clean),
        cmocka_unit_test(a_full_disk_is_not_clean),
        cmocka_unit_test(children_miss_nothing),
        cmocka_unit_test(the_librarys_own_time_limit_is_a_limit),
        cmocka_unit_test(a_broken_signature_stops_the_load),
        cmocka_unit_test(a_file_gives_the_same),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
