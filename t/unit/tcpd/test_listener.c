/* test_listener - the lines of control/listen, and sockets opened by them */
#include "unit.h"

#include "io.h"
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void lines(void **state)
{
    static const struct {
        const char *line;
        const char *name; /* NULL: refused */
        bool proxy;
    } cases[] = {
        {"smtp 0.0.0.0:25", "0.0.0.0:25", false},
        {"imaps  [::]:993\tproxy", "[::]:993", true},
        {"web 127.0.0.1:8080", "127.0.0.1:8080", false},
        {"smtp", NULL, false},
        {"", NULL, false},
        {"smtps 0.0.0.0:465", NULL, false},
        {"smtp 0.0.0.0", NULL, false},
        {"smtp *:25", NULL, false},
        {"smtp 0.0.0.0:25 Proxy", NULL, false},
        {"smtp 0.0.0.0:25 proxy proxy", NULL, false},
        {"smtp 0.0.0.0:0", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct listener_line line;
        char error[CONTROL_ERROR_MAX] = "";
        char name[IP_TEXT_MAX + 10];
        bool good = listener_parse(slice_text(cases[i].line), &line, error);
        assert_int_equal(good, cases[i].name != NULL);
        if (good) {
            listener_name(&line, name);
            assert_string_equal(name, cases[i].name);
            assert_int_equal(line.proxy, cases[i].proxy);
        } else {
            assert_true(error[0] != '\0');
        }
    }
}

static bool read_text(const char *text, const char *service, struct listener_list *list,
                      char error[CONTROL_ERROR_MAX])
{
    char path[] = "/tmp/test_listener.XXXXXX";
    struct control control;
    assert_non_null(mkdtemp(path));
    int folder = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(folder >= 0);
    assert_true(io_replace_file(folder, "listen", slice_text(text), 0600, (uid_t)-1, (gid_t)-1));
    control_init(&control, folder);
    bool good = listener_read(&control, slice_text(service), list);
    memcpy(error, control.error, CONTROL_ERROR_MAX);
    unlinkat(folder, "listen", 0);
    close(folder);
    rmdir(path);
    return good;
}

static void files(void **state)
{
    struct listener_list list;
    char error[CONTROL_ERROR_MAX];
    (void)state;
    static const char text[] = "# all\nsmtp 0.0.0.0:25\n\n  smtp [::]:25 proxy\nimap 0.0.0.0:143\n";
    assert_true(read_text(text, "smtp", &list, error));
    assert_int_equal(list.count, 2);
    assert_true(list.lines[1].proxy);
    assert_true(read_text(text, "imap", &list, error));
    assert_int_equal(list.count, 1);
    assert_true(read_text(text, "pop3", &list, error));
    assert_int_equal(list.count, 0);
    /* A wrong line of another service is an error all the same: who sees it can correct it. */
    assert_false(read_text("smtp 0.0.0.0:25\nimap 143\n", "smtp", &list, error));
    assert_non_null(strstr(error, "control/listen line 2: "));
    assert_false(read_text("smtp 0.0.0.0:25\nsmtp 0.0.0.0:25 proxy\n", "smtp", &list, error));
    assert_non_null(strstr(error, "twice"));
    struct str many;
    str_init(&many, 65536);
    for (int i = 0; i <= LISTENER_MAX; i++)
        str_format(&many, "smtp 127.0.0.1:%d\n", 1000 + i);
    assert_false(read_text(str_text(&many), "smtp", &list, error));
    str_free(&many);
}

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

static void sockets(void **state)
{
    struct listener_line line = {.port = 0};
    (void)state;
    assert_true(ip_parse(SLICE("127.0.0.1"), &line.ip));
    int fd = listener_open(&line);
    assert_true(fd >= 0);
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    assert_true(ip_from_socket(&address, &line.ip, &line.port));
    assert_int_equal(listener_open(&line), -1);
    assert_int_equal(errno, EADDRINUSE);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, size), 0);
    int served = accept(fd, NULL, NULL);
    assert_true(served >= 0);
    assert_int_equal(option(served, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option(served, SOL_SOCKET, SO_KEEPALIVE), 1);
    io_close(&served);
    io_close(&client);
    io_close(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(files),
        cmocka_unit_test(sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
