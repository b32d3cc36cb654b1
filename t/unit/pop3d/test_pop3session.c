/* pop3session: transcripts of the TRANSACTION and UPDATE states over a real Maildir */
#include "unit.h"

#include "io.h"
#include "pop3reply.h"
#include "pop3session.h"
#include "sessionend.h"
#include "unixsocket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct box {
    char path[64];
    int fd;
    int kept_stderr;
    struct pop3session session;
    char answer[65536];
};

static int make_box(void **state)
{
    static struct box box;
    snprintf(box.path, sizeof box.path, "/tmp/test_pop3d.XXXXXX");
    if (!mkdtemp(box.path))
        return -1;
    box.fd = open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    box.kept_stderr = dup(STDERR_FILENO);
    int log = openat(box.fd, "log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDERR_FILENO);
    io_close(&log);
    *state = &box;
    return maildir_create(box.fd, "Maildir") ? 0 : -1;
}

static int remove_box(void **state)
{
    struct box *box = *state;
    char command[128];
    dup2(box->kept_stderr, STDERR_FILENO);
    io_close(&box->kept_stderr);
    io_close(&box->fd);
    snprintf(command, sizeof command, "rm -rf '%s'", box->path);
    return system(command);
}

static void put(struct box *box, const char *path, const char *content)
{
    int fd = openat(box->fd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_true(io_write_all(fd, slice_text(content), 0));
    io_close(&fd);
}

static void put_three(struct box *box)
{
    put(box, "Maildir/mailbox-uids", "uidvalidity 0000000100\nuidnext 0000000010\n");
    put(box, "Maildir/cur/1000000001.a,S=15,W=15,U=3:2,S", "a: b\r\n\r\n.body\r\n");
    put(box, "Maildir/cur/1000000002.b,U=4:2,", "c: d\n\nline 1\nline 2");
    put(box, "Maildir/new/1000000003.c", "e: f\n\n");
}

static const struct pop3session_peer peer = {
    .account = "u1@example.jp", .client = "192.0.2.1", .tls = "TLSv1.2"};

/* What the server says to `input`; `pending` came before it through the pipe. The client then
 * closes its side. */
static const char *converse(struct box *box, const char *pending, const char *input)
{
    int pair[2];
    assert_true(unixsocket_pair(SOCK_STREAM, pair));
    assert_true(io_write_all(pair[0], slice_text(input), 0));
    shutdown(pair[0], SHUT_WR);
    assert_true(pop3session_init(&box->session, &peer, pair[1], pair[1], slice_text(pending)));
    pop3session_run(&box->session, box->fd, "Maildir");
    pop3session_free(&box->session);
    io_close(&pair[1]);
    size_t size = 0;
    ssize_t got;
    while ((got = read(pair[0], box->answer + size, sizeof box->answer - size - 1)) > 0)
        size += (size_t)got;
    box->answer[size] = '\0';
    io_close(&pair[0]);
    return box->answer;
}

static size_t count_files(struct box *box, const char *folder)
{
    size_t count = 0;
    int fd = openat(box->fd, folder, O_RDONLY | O_DIRECTORY);
    DIR *list = fdopendir(fd);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));)
        count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

static const char *read_log(struct box *box)
{
    int fd = openat(box->fd, "log", O_RDONLY);
    ssize_t got = read(fd, box->answer, sizeof box->answer - 1);
    box->answer[got > 0 ? got : 0] = '\0';
    io_close(&fd);
    return box->answer;
}

/* ---- transcripts -------------------------------------------------------------------------------
 */

static const struct {
    const char *what, *input, *answer;
} transcripts[] = {
    {"sizes", "STAT\r\nLIST\r\nLIST 2\r\n",
     "+OK 3 45\r\n+OK\r\n1 15\r\n2 22\r\n3 8\r\n.\r\n+OK 2 22\r\n"},
    {"names", "UIDL\r\nUIDL 3\r\n",
     "+OK\r\n1 0000000300000064\r\n2 0000000400000064\r\n3 0000000a00000064\r\n.\r\n"
     "+OK 3 0000000a00000064\r\n"},
    {"retrieve", "RETR 1\r\nRETR 2\r\nretr 3\n",
     "+OK 15 octets\r\na: b\r\n\r\n..body\r\n.\r\n"
     "+OK 22 octets\r\nc: d\r\n\r\nline 1\r\nline 2\r\n.\r\n"
     "+OK 8 octets\r\ne: f\r\n\r\n.\r\n"},
    {"top", "TOP 2 0\r\nTOP 2 1\r\nTOP 2 99999999\r\n",
     "+OK\r\nc: d\r\n\r\n.\r\n+OK\r\nc: d\r\n\r\nline 1\r\n.\r\n"
     "+OK\r\nc: d\r\n\r\nline 1\r\nline 2\r\n.\r\n"},
    {"marked as deleted",
     "DELE 2\r\nSTAT\r\nLIST\r\nUIDL\r\nRETR 2\r\nTOP 2 1\r\nLIST 2\r\nUIDL 2\r\nDELE 2\r\n"
     "RSET\r\nSTAT\r\n",
     "+OK\r\n+OK 2 23\r\n+OK\r\n1 15\r\n3 8\r\n.\r\n"
     "+OK\r\n1 0000000300000064\r\n3 0000000a00000064\r\n.\r\n"
     "-ERR that message is marked as deleted\r\n-ERR that message is marked as deleted\r\n"
     "-ERR that message is marked as deleted\r\n-ERR that message is marked as deleted\r\n"
     "-ERR that message is marked as deleted\r\n+OK\r\n+OK 3 45\r\n"},
    {"no such message", "RETR 4\r\nRETR 0\r\nRETR x\r\nLIST -1\r\nDELE 99999999999999999999\r\n",
     "-ERR no such message\r\n-ERR no such message\r\n-ERR no such message\r\n"
     "-ERR no such message\r\n-ERR no such message\r\n"},
    {"syntax", "RETR\r\nRETR 1 2\r\nDELE\r\nTOP 1\r\nTOP 1 x\r\nTOP 1 1 1\r\nLIST 1 2\r\n",
     "-ERR syntax: RETR message\r\n-ERR syntax: RETR message\r\n-ERR syntax: DELE message\r\n"
     "-ERR syntax: TOP message lines\r\n-ERR syntax: TOP message lines\r\n"
     "-ERR syntax: TOP message lines\r\n-ERR syntax: LIST [message]\r\n"},
    {"not in this state", "USER a\r\nPASS b\r\nSTLS\r\nAUTH PLAIN\r\nLAST\r\n\r\nNOOP\r\n",
     "-ERR unknown command, or not now\r\n-ERR unknown command, or not now\r\n"
     "-ERR unknown command, or not now\r\n-ERR unknown command, or not now\r\n"
     "-ERR unknown command, or not now\r\n-ERR unknown command, or not now\r\n+OK\r\n"},
    {"capabilities", "CAPA\r\n",
     "+OK capabilities follow\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 "
     "USER\r\nLANG\r\nEXPIRE NEVER\r\n"
     "IMPLEMENTATION mail-suite\r\n.\r\n"},
    {"bad bytes", "NOOP\r\r\nNOOP\r\n", "-ERR a NUL or CR stands in that line\r\n+OK\r\n"},
    {"a line without an end", "NOOP\r\nNO", "+OK\r\n"},
};

static void transcripts_hold(void **state)
{
    struct box *box = *state;
    put_three(box);
    for (size_t i = 0; i < sizeof transcripts / sizeof *transcripts; i++) {
        const char *answer = converse(box, "", transcripts[i].input);
        char expected[4096];
        snprintf(expected, sizeof expected, "+OK logged in\r\n%s", transcripts[i].answer);
        if (strcmp(answer, expected) != 0)
            fail_msg("%s:\n%s", transcripts[i].what, answer);
    }
    /* Nothing was deleted: no session said QUIT. */
    assert_int_equal(count_files(box, "Maildir/cur"), 3);
    assert_non_null(strstr(read_log(box), "end=disconnected"));
}

static void input_read_too_far_comes_first(void **state)
{
    struct box *box = *state;
    put_three(box);
    assert_string_equal(converse(box, "STAT\r\nUIDL 1\r\nNO", "OP\r\nQUIT\r\nNOOP\r\n"),
                        "+OK logged in\r\n+OK 3 45\r\n+OK 1 0000000300000064\r\n+OK\r\n"
                        "+OK bye\r\n");
}

static void quit_removes_what_is_marked(void **state)
{
    struct box *box = *state;
    put_three(box);
    assert_string_equal(converse(box, "", "DELE 1\r\nDELE 3\r\nQUIT\r\n"),
                        "+OK logged in\r\n+OK\r\n+OK\r\n+OK bye\r\n");
    assert_int_equal(count_files(box, "Maildir/cur"), 1);
    assert_int_equal(count_files(box, "Maildir/new"), 0);
    assert_non_null(strstr(read_log(box), "session account=u1@example.jp client=192.0.2.1 "
                                          "tls=TLSv1.2 messages=3 retrieved=0 bytes=0 deleted=2"));
    /* The numbers start anew, the names do not. */
    assert_string_equal(converse(box, "", "UIDL\r\nQUIT\r\n"),
                        "+OK logged in\r\n+OK\r\n1 0000000400000064\r\n.\r\n+OK bye\r\n");
    assert_non_null(strstr(read_log(box), "end=quit"));
}

static void a_new_account_has_an_empty_mailbox(void **state)
{
    struct box *box = *state;
    assert_int_equal(unlinkat(box->fd, "Maildir/cur", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(box->fd, "Maildir/new", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(box->fd, "Maildir/tmp", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(box->fd, "Maildir", AT_REMOVEDIR), 0);
    assert_string_equal(converse(box, "", "STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nQUIT\r\n"),
                        "+OK logged in\r\n+OK 0 0\r\n+OK\r\n.\r\n+OK\r\n.\r\n"
                        "-ERR no such message\r\n+OK bye\r\n");
}

static void only_one_session_has_the_mailbox(void **state)
{
    struct box *box = *state;
    struct maildrop holder;
    put_three(box);
    assert_int_equal(maildrop_open(&holder, box->fd, "Maildir", 0), MAILDROP_OK);
    assert_string_equal(converse(box, "", "STAT\r\n"),
                        "-ERR [IN-USE] another POP3 session has this mailbox\r\n");
    maildrop_close(&holder);
    assert_string_equal(converse(box, "", "STAT\r\n"), "+OK logged in\r\n+OK 3 45\r\n");
}

/* A message that IMAP removes while POP3 lists it. */
static void a_message_that_vanished_is_refused(void **state)
{
    struct box *box = *state;
    struct maildrop maildrop;
    put_three(box);
    assert_int_equal(maildrop_open(&maildrop, box->fd, "Maildir", 0), MAILDROP_OK);
    assert_int_equal(maildrop_size(&maildrop, 2), 22);
    struct mailbox *other = mailbox_open(box->fd, "Maildir", false);
    assert_non_null(other);
    assert_true(mailbox_remove(other, &other->messages[1]));
    assert_true(mailbox_set_flags(other, &other->messages[0], MAILBOX_ADD, MAILDIR_FLAGGED, 0));
    mailbox_close(&other);
    assert_int_equal(mailbox_open_message(maildrop.mailbox, maildrop_message(&maildrop, 2)), -1);
    assert_int_equal(errno, ENOENT);
    int fd = mailbox_open_message(maildrop.mailbox, maildrop_message(&maildrop, 1));
    assert_true(fd >= 0);
    io_close(&fd);
    /* To remove what is gone is no failure. */
    maildrop_delete(&maildrop, 1);
    maildrop_delete(&maildrop, 2);
    assert_int_equal(maildrop_update(&maildrop), 0);
    maildrop_close(&maildrop);
    assert_int_equal(count_files(box, "Maildir/cur"), 1);
}

static void a_mailbox_that_is_none_is_passing_trouble(void **state)
{
    struct box *box = *state;
    assert_int_equal(unlinkat(box->fd, "Maildir/new", AT_REMOVEDIR), 0);
    put(box, "Maildir/new", "a file");
    assert_string_equal(converse(box, "", "STAT\r\n"),
                        "-ERR [SYS/TEMP] the mailbox can't be read at the moment\r\n");
}

static void limits_are_answered(void **state)
{
    struct box *box = *state;
    char *input = malloc(100000);
    assert_non_null(input);
    memset(input, 'x', 100000);
    memcpy(input + 90000, "\r\nNOOP\r\nQUIT\r\n", 15);
    assert_string_equal(converse(box, "", input),
                        "+OK logged in\r\n-ERR line too long\r\n+OK\r\n+OK bye\r\n");
    free(input);
    char many[POP3SESSION_ERRORS_MAX * 4 + 1];
    for (size_t i = 0; i < sizeof many - 1; i++)
        many[i] = "FO\r\n"[i % 4];
    many[sizeof many - 1] = '\0';
    const char *answer = converse(box, many, "NOOP\r\n");
    assert_non_null(strstr(answer, "-ERR too many errors, bye\r\n"));
    assert_null(strstr(answer, "bye\r\n+OK\r\n"));
}

static void a_large_message_goes_out_whole(void **state)
{
    struct box *box = *state;
    enum { LINES = 40000 };
    struct maildir_delivery delivery;
    assert_true(maildir_begin(&delivery, box->fd, "Maildir", NULL, "h"));
    for (int i = 0; i < LINES; i++)
        assert_true(maildir_write(&delivery, i % 3 ? SLICE("a line\n") : SLICE(".dot\r\n")));
    assert_int_equal(maildir_commit(&delivery), VERDICT_OK);
    int file = openat(box->fd, "out", O_RDWR | O_CREAT, 0600);
    int null = open("/dev/null", O_RDONLY);
    assert_true(pop3session_init(&box->session, &peer, null, file, SLICE("RETR 1\r\nQUIT\r\n")));
    pop3session_run(&box->session, box->fd, "Maildir");
    assert_string_equal(box->session.end, "quit");
    assert_int_equal(box->session.counts.bytes, delivery.crlf_size);
    pop3session_free(&box->session);
    struct stat info;
    assert_int_equal(fstat(file, &info), 0);
    size_t dots = (LINES + 2) / 3;
    char head[64];
    int head_size = snprintf(head, sizeof head, "+OK logged in\r\n+OK %llu octets\r\n",
                             (unsigned long long)delivery.crlf_size);
    assert_int_equal(info.st_size,
                     (size_t)head_size + delivery.crlf_size + dots + strlen(".\r\n+OK bye\r\n"));
    io_close(&null);
    io_close(&file);
}

static void every_reply_is_one_line(void **state)
{
    (void)state;
    for (unsigned i = 0; i < POP3REPLY_COUNT * POP3LANGUAGE_COUNT; i++) {
        struct str line;
        str_init(&line, POP3REPLY_LINE_MAX);
        assert_true(pop3reply_format(i % POP3LANGUAGE_COUNT, i / POP3LANGUAGE_COUNT,
                                     SLICE("a\r\n+OK b\0c"), &line));
        assert_true(line.size > 2 && (line.data[0] == '+' || line.data[0] == '-'));
        assert_int_equal(slice_find(str_slice(&line), '\r'), line.size - 2);
        assert_int_equal(slice_find(str_slice(&line), '\n'), line.size - 1);
        str_free(&line);
    }
}

/* What begins a reply in one language begins it in the other: +OK, or -ERR and its code. */
static void languages_differ_in_words_alone(void **state)
{
    (void)state;
    for (unsigned name = 0; name < POP3REPLY_COUNT; name++) {
        struct str lines[POP3LANGUAGE_COUNT];
        struct slice codes[POP3LANGUAGE_COUNT];
        for (unsigned i = 0; i < POP3LANGUAGE_COUNT; i++) {
            str_init(&lines[i], POP3REPLY_LINE_MAX);
            assert_true(pop3reply_format(i, name, SLICE("x"), &lines[i]));
            struct slice rest = str_slice(&lines[i]), word = slice_cut_word(&rest);
            bool has_code = slice_starts(rest, SLICE("["));
            codes[i] = slice_part(str_slice(&lines[i]), 0,
                                  has_code ? slice_find(str_slice(&lines[i]), ']') : word.size);
        }
        assert_true(slice_equal(codes[0], codes[1]));
        for (unsigned i = 0; i < POP3LANGUAGE_COUNT; i++)
            str_free(&lines[i]);
    }
}

static void languages_by_name(void **state)
{
    static const struct {
        const char *tag;
        bool known;
        enum pop3language language;
    } tags[] = {
        {"en", true, POP3LANGUAGE_ENGLISH},
        {"JA", true, POP3LANGUAGE_JAPANESE},
        {"*", true, POP3LANGUAGE_ENGLISH},
        {"ja-JP", true, POP3LANGUAGE_JAPANESE},
        {"en-GB", true, POP3LANGUAGE_ENGLISH},
        {"de", false, 0},
        {"jap", false, 0},
        {"", false, 0},
        {"-ja", false, 0},
        {"i-default", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        enum pop3language language = POP3LANGUAGE_COUNT;
        assert_int_equal(pop3language_named(slice_text(tags[i].tag), &language), tags[i].known);
        if (tags[i].known)
            assert_int_equal(language, tags[i].language);
    }
}

/* Told before it looks at what the client has sent; nothing is removed. */
static void a_session_that_is_to_end_says_why(void **state)
{
    struct box *box = *state;
    int pair[2];
    char answer[1000];
    put_three(box);
    assert_true(unixsocket_pair(SOCK_STREAM, pair));
    assert_true(pop3session_init(&box->session, &peer, pair[1], pair[1], SLICE("")));
    assert_true(io_write_all(pair[0], SLICE("DELE 1\r\nQUIT\r\n"), 0));
    sessionend_watch(pair[1]);
    assert_true(sessionend_signal(getpid(), SESSIONEND_REMOVED));
    pop3session_run(&box->session, box->fd, "Maildir");
    pop3session_free(&box->session);
    close(pair[1]);
    ssize_t got = read(pair[0], answer, sizeof answer);
    assert_true(got > 0);
    assert_slice(slice_of(answer, (size_t)got),
                 "+OK logged in\r\n-ERR The account was deleted\r\n");
    assert_non_null(strstr(read_log(box), "end=account-removed"));
    assert_int_equal(count_files(box, "Maildir/cur") + count_files(box, "Maildir/new"), 3);
    close(pair[0]);
    sessionend_watch(-1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_box, remove_box)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(transcripts_hold),
        TEST(input_read_too_far_comes_first),
        TEST(quit_removes_what_is_marked),
        TEST(a_new_account_has_an_empty_mailbox),
        TEST(only_one_session_has_the_mailbox),
        TEST(a_message_that_vanished_is_refused),
        TEST(a_mailbox_that_is_none_is_passing_trouble),
        TEST(limits_are_answered),
        TEST(a_session_that_is_to_end_says_why),
        TEST(a_large_message_goes_out_whole),
        cmocka_unit_test(every_reply_is_one_line),
        cmocka_unit_test(languages_differ_in_words_alone),
        cmocka_unit_test(languages_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
