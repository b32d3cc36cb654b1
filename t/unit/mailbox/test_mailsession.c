/* mailsession: what a copy of a template is told, and its way into the account's folder */
#include "unit.h"

#include "mailsession.h"
#include "template.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const variables[][2] = {{"FOLDER", "u1"},        {"ACCOUNT", "u1@example.jp"},
                                           {"CLIENT", "192.0.2.1"}, {"TLS", "1"},
                                           {"TERMS", "quota=7"},    {"TAG", "a001"}};
enum { VARIABLES = sizeof variables / sizeof *variables };

/* What template_serve leaves behind: each variable is a C string. */
static void fill(struct wire_message *message, size_t without, const char *terms)
{
    struct str packet;
    str_init(&packet, 1000);
    template_put_connection(&packet, 1);
    for (size_t i = 0; i < VARIABLES; i++)
        if (i != without)
            template_put_variable(&packet, variables[i][0],
                                  i == 4 && terms ? terms : variables[i][1]);
    wire_init(message);
    assert_true(str_append(&message->bytes, str_slice(&packet)));
    assert_true(
        wire_split(str_slice(&message->bytes), message->fields, WIRE_MAX_FIELDS, &message->count));
    for (size_t i = 0; i < message->count; i++)
        message->bytes.data[message->fields[i].data - message->bytes.data +
                            (ptrdiff_t)message->fields[i].size] = '\0';
    str_free(&packet);
}

static void all_but_the_tag_must_be_there(void **state)
{
    struct wire_message message;
    struct mailsession session;
    (void)state;
    for (size_t without = 0; without <= VARIABLES; without++) {
        fill(&message, without, NULL);
        bool read = mailsession_read(&session, &message);
        assert_int_equal(read, without >= 5);
        if (read) {
            assert_string_equal(session.folder, "u1");
            assert_string_equal(session.account, "u1@example.jp");
            assert_string_equal(session.client, "192.0.2.1");
            assert_string_equal(session.tls, "1");
            assert_int_equal(session.terms.quota, 7);
            assert_int_equal(session.tag != NULL, without != 5);
        }
        wire_free(&message);
    }
    fill(&message, VARIABLES, "quota=x");
    assert_false(mailsession_read(&session, &message));
    wire_free(&message);
}

/* In a child: 0 when it came in, else errno. */
static int enter(const char *folder)
{
    pid_t pid = fork();
    if (pid == 0) {
        const struct mailsession session = {.folder = folder};
        const struct sandbox sandbox = {.grants = SANDBOX_READ_FILES, .write_paths = {"."}};
        if (!mailsession_enter(&session, &sandbox))
            _exit(errno);
        _exit(mkdir("inside", 0700) < 0 ? 102 : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void remove_folder(const char *folder)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static void a_folder_is_made_and_entered(void **state)
{
    char folder[] = "/tmp/test_mailsession.XXXXXX";
    struct stat info;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(enter("u1"), 0);
    assert_int_equal(stat("u1/inside", &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(symlink("nowhere", "u2"), 0);
    assert_int_equal(enter("u2"), ENOENT);
    assert_int_equal(chdir("/"), 0);
    remove_folder(folder);
}

static bool renames_inside(void)
{
    return mkdir("inside/a", 0700) == 0 && mkdir("inside/b", 0700) == 0 &&
           mkdir("inside/a/c", 0700) == 0 && rename("inside/a/c", "inside/b/c") == 0;
}

/* Without seccomp, which sanitizers can't have, modes and the uid alone hold that back. */
static bool is_confined_to_files(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(MAIL_SUITE_SANITIZER)
    return false;
#else
    return true;
#endif
}

/* Landlock is not asked about these. */
static bool makes_what_is_no_file(void)
{
    char *const words[] = {(char[]){"false"}, NULL};
    execv("/bin/false", words);
    return symlink("inside", "link") == 0 || mkfifo("fifo", 0600) == 0 ||
           mknod("device", S_IFCHR | 0600, 0) == 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

/* Before it has entered its own, files are as the uid and their modes say; then its own alone. */
static void no_other_folder_is_reached(void **state)
{
    static const struct sandbox sandbox = {
        .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES | SANDBOX_NARROW, .write_paths = {"."}};
    char folder[] = "/tmp/test_mailsession.XXXXXX";
    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
        skip();
    assert_non_null(mkdtemp(folder));
    pid_t pid = fork();
    if (pid == 0) {
        const struct mailsession session = {.folder = "u1"};
        if (chdir(folder) < 0 || mkdir("other", 0700) < 0)
            _exit(1);
        sandbox_enter(&sandbox);
        if (mkdir("other/before", 0700) < 0)
            _exit(2);
        if (!mailsession_enter(&session, &sandbox) || mkdir("inside", 0700) < 0)
            _exit(3);
        if (mkdir("../other/after", 0700) == 0 || open("..", O_RDONLY | O_DIRECTORY) >= 0)
            _exit(4);
        if (!renames_inside() || renameat(AT_FDCWD, "inside", AT_FDCWD, "../other/inside") == 0)
            _exit(5);
        if (is_confined_to_files() && makes_what_is_no_file())
            _exit(6);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    remove_folder(folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_but_the_tag_must_be_there),
        cmocka_unit_test(a_folder_is_made_and_entered),
        cmocka_unit_test(no_other_folder_is_reached),
    };
    return cmocka_run_group_tests_name("mailsession", tests, NULL, NULL);
}
