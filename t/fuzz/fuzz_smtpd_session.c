/*
 * smtpd's whole dialogue, one client's bytes in one go
 *
 * The first byte chooses the service. Whatever comes: the session ends, each reply line is one, and
 * a message that reaches queue-inject is whole: our Received field in front, a recipient, and
 * outside of BINARYMIME no line end but CRLF.
 */
#include "clock.h"
#include "inject.h"
#include "io.h"
#include "session.h"
#include "state.h"
#include "unixsocket.h"

#include <cdb.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_report_fd(void *fd);

enum { INPUT_MAX = 16384, STORE_MAX = 4 << 20, SOCKET_BYTES = 4 << 20 };

static char folder[] = "/tmp/fuzz-smtpd-session-XXXXXX";
static int folder_fd, start_fd, null_fd, error_fd;

static void want(bool condition)
{
    if (!condition)
        abort();
}

/* ---- the directory ----------------------------------------------------------------------------*/

static void write_cdb(const char *path, const char *const records[][2])
{
    struct cdb_make make;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    want(fd >= 0 && cdb_make_start(&make, fd) == 0);
    for (size_t i = 0; records[i][0]; i++)
        cdb_make_add(&make, records[i][0], (unsigned)strlen(records[i][0]), records[i][1],
                     (unsigned)strlen(records[i][1]));
    want(cdb_make_finish(&make) == 0);
    close(fd);
}

static void write_directory(void)
{
    static const char *const host[][2] = {
        {"me", "mail.example.jp"}, {"databytes", "3000"},
        {"recipients-max", "10"},  {"errors-max", "20"},
        {"timeout-smtp", "5"},     {"timeout-smtp-data", "5"},
        {"line-max", "2000"},      {"plaintext-auth", "on"},
        {"hops-max", "5"},         {NULL, NULL},
    };
    static const char *const domains[][2] = {{"example.jp", "10:example.jp,5:70100,"},
                                             {NULL, NULL}};
    static const char *const accounts[][2] = {
        {"au1", ""},
        {"au2", ""},
        {"apostmaster", ""},
        {"sadmin", ""},
        {"sgreylist", "off"},
        {"splus-addressing", "on"},
        {"smisuse-recipients", "0"},
        {"smisuse-rejected", "0"},
        {"smisuse-window", "600"},
        {"spostmaster", "box"},
        {"scatch-all", ""},
        {"smessage-size", "3000"},
        {"ssend-limit", "100"},
        {"ssend-window", "3600"},
        {"sreceive-limit", "200"},
        {"sreceive-window", "60"},
        {"slimit-pause", "7200"},
        {"saccount-send-limit", "10"},
        {"saccount-recipients-limit", "0"},
        {"saccount-send-window", "86400"},
        {"ssend-lock-time", "86400"},
        {"sover-quota-reply", "452"},
        {NULL, NULL},
    };
    want(mkdir("cdb", 0755) == 0 && mkdir("cdb/domain", 0755) == 0 && mkdir("run", 0755) == 0 &&
         mkdir("run/stated", 0755) == 0 && mkdir("run/inject", 0755) == 0);
    write_cdb("cdb/host.cdb", host);
    write_cdb("cdb/domains.cdb", domains);
    write_cdb("cdb/domain/example.jp.cdb", accounts);
}

/* ---- the programs that it asks, one thread for each connection --------------------------------*/

typedef void *play(void *connection);

struct player {
    int fd;
    play *play;
};

static void start_thread(play *run, void *argument)
{
    pthread_t thread;
    want(pthread_create(&thread, NULL, run, argument) == 0 && pthread_detach(thread) == 0);
}

static void *accept_all(void *argument)
{
    const struct player *player = argument;
    for (;;) {
        int fd = accept(player->fd, NULL, NULL);
        if (fd >= 0)
            start_thread(player->play, (void *)(intptr_t)fd);
    }
    return NULL;
}

static void start_player(struct player *player, const char *path, int type, play *run)
{
    player->fd = unixsocket_listen(path, type, 10);
    player->play = run;
    want(player->fd >= 0 && io_set_nonblocking(player->fd, false));
    start_thread(accept_all, player);
}

/* stated: everybody may. */
static void *play_state(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char bytes[WIRE_MAX_SIZE];
    ssize_t got;
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        struct slice rest = slice_of(bytes, (size_t)got), field;
        wire_cut_netstring(&rest, WIRE_MAX_SIZE, &field);
        wire_cut_netstring(&rest, WIRE_MAX_SIZE, &field);
        if (slice_equal(field, SLICE("allows")) && send(fd, "2:ok,", 5, MSG_NOSIGNAL) != 5)
            break;
    }
    close(fd);
    return NULL;
}

static bool has_only_whole_line_ends(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        bool is_cr = text.data[i] == '\r', is_lf = text.data[i] == '\n';
        if ((is_lf && (i == 0 || text.data[i - 1] != '\r')) ||
            (is_cr && (i + 1 == text.size || text.data[i + 1] != '\n')))
            return false;
    }
    return slice_ends(text, SLICE("\r\n"));
}

static void check_message(struct slice envelope, struct slice message)
{
    struct slice fields[8] = {{NULL, 0}};
    for (size_t i = 0; i < 8; i++)
        want(wire_cut_netstring(&envelope, INJECT_ENVELOPE_MAX, &fields[i]) == 1);
    want(slice_equal(fields[0], SLICE("inject/2")) && fields[7].size > 0);
    want(slice_starts(message, SLICE("Received: from ")));
    want(slice_equal(fields[3], SLICE("B")) || has_only_whole_line_ends(message));
}

/* False: `input` is not the whole of a message yet. */
static bool take_message(int fd, const struct str *input, struct str *message)
{
    struct slice rest = str_slice(input), envelope, part;
    str_clear(message);
    if (wire_cut_netstring(&rest, INJECT_ENVELOPE_MAX, &envelope) != 1)
        return false;
    do {
        if (wire_cut_netstring(&rest, INJECT_CHUNK_MAX, &part) != 1)
            return false;
        want(str_append(message, part));
    } while (part.size > 0);
    want(rest.size == 0);
    check_message(envelope, str_slice(message));
    (void)send(fd, "14:K0cw9x2k4m7q1p,", 18, MSG_NOSIGNAL);
    return true;
}

static void *play_inject(void *argument)
{
    int fd = (int)(intptr_t)argument;
    struct str input, message;
    str_init(&input, STORE_MAX);
    str_init(&message, STORE_MAX);
    bool is_whole = false;
    while (!is_whole) {
        char *place = str_reserve(&input, 65536);
        ssize_t got = place ? read(fd, place, 65536) : -1;
        if (got <= 0)
            break;
        str_added(&input, (size_t)got);
        is_whole = take_message(fd, &input, &message);
    }
    str_free(&input);
    str_free(&message);
    close(fd);
    return NULL;
}

/* ---- a session --------------------------------------------------------------------------------*/

static void check_replies(int fd)
{
    static char bytes[SOCKET_BYTES];
    size_t size = 0;
    ssize_t got;
    while (size < sizeof bytes && (got = read(fd, bytes + size, sizeof bytes - size)) > 0)
        size += (size_t)got;
    struct slice rest = slice_of(bytes, size);
    while (rest.size > 0) {
        struct slice line = slice_cut(&rest, '\n');
        want(line.size >= 4 && line.size <= 1000 && slice_ends(line, SLICE("\r")));
        want(slice_is_digit(line.data[0]) && slice_is_digit(line.data[1]) &&
             slice_is_digit(line.data[2]) && (line.data[3] == ' ' || line.data[3] == '-'));
    }
}

static void run_session(uint8_t choice, struct slice input)
{
    static const char *const names[] = {"smtp", "submission", "submission", "lmtp"};
    static const enum session_service services[] = {SESSION_SMTP, SESSION_SUBMISSION,
                                                    SESSION_SUBMISSION, SESSION_LMTP};
    static struct session session;
    struct session_peer peer = {.service = services[choice & 3],
                                .service_name = names[choice & 3],
                                .client = "127.0.0.1",
                                .client_port = "4711",
                                .server = "127.0.0.1",
                                .speaks_for_others = (choice & 4) != 0};
    int pair[2], most = SOCKET_BYTES;
    want(unixsocket_pair(SOCK_STREAM, pair));
    for (int i = 0; i < 2; i++)
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &most, sizeof most);
    want(io_write_all(pair[0], input, CLOCK_NEVER));
    shutdown(pair[0], SHUT_WR);
    session_prepare(&session);
    want(session_begin(&session, &peer, pair[1], pair[1]));
    session_run(&session);
    want(session.end != NULL);
    session_free(&session);
    close(pair[1]);
    check_replies(pair[0]);
    close(pair[0]);
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", folder);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static struct player state, inject;
    (void)count;
    (void)arguments;
    signal(SIGPIPE, SIG_IGN);
    start_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    error_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    want(mkdtemp(folder) && chdir(folder) == 0);
    folder_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    want(start_fd >= 0 && null_fd >= 0 && error_fd >= 0 && folder_fd >= 0);
    atexit(remove_folder);
    write_directory();
    start_player(&state, STATE_SOCKET, SOCK_SEQPACKET, play_state);
    start_player(&inject, INJECT_SOCKET, SOCK_STREAM, play_inject);
    __sanitizer_set_report_fd((void *)(intptr_t)error_fd);
    return fchdir(start_fd);
}

/* The log is not what is looked for, and the corpus is named from where the fuzzer started. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX)
        return 0;
    want(fchdir(folder_fd) == 0 && dup2(null_fd, STDERR_FILENO) >= 0);
    run_session(data[0], slice_of(data + 1, size - 1));
    want(dup2(error_fd, STDERR_FILENO) >= 0 && fchdir(start_fd) == 0);
    return 0;
}
