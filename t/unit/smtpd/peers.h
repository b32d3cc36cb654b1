/*
 * peers - the programs that smtpd asks, played: authd, stated, tlsd and queue-inject; and a
 * directory to read
 *
 * All of it lives in a temporary folder that becomes the current one. What the players answer is
 * told by the names they are asked about. One process per player, one more per connection.
 */
#ifndef TEST_SMTPD_PEERS_H
#define TEST_SMTPD_PEERS_H

#include "auth.h"
#include "clock.h"
#include "inject.h"
#include "io.h"
#include "lookup.h"
#include "state.h"
#include "tls.h"
#include "unixsocket.h"
#include "wire.h"

#include <cdb.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PEERS_MAX = 8, PEERS_MESSAGE_MAX = 200000, PEERS_KEY_MAX = 200 };

struct peers {
    char folder[64];
    pid_t players[PEERS_MAX];
    size_t count;
};

/* ---- the directory ----------------------------------------------------------------------------*/

struct peers_record {
    const char *key;
    const char *value;
};

static bool peers_write_cdb(const char *path, const struct peers_record records[])
{
    struct cdb_make make;
    char temporary[PEERS_KEY_MAX];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || cdb_make_start(&make, fd) < 0)
        return false;
    for (size_t i = 0; records[i].key; i++)
        cdb_make_add(&make, records[i].key, (unsigned)strlen(records[i].key), records[i].value,
                     (unsigned)strlen(records[i].value));
    bool done = cdb_make_finish(&make) == 0;
    close(fd);
    return done && rename(temporary, path) == 0;
}

static const struct peers_record peers_domains[] = {
    {"example.jp", "10:example.jp,5:70100,"},
    {"child.example.jp", "10:example.jp,5:70100,"},
    {"other.jp", "8:other.jp,5:70102,"},
    {"broken.jp", "9:broken.jp,5:70101,"}, /* its own file is missing */
    {NULL, NULL},
};

static const struct peers_record peers_accounts[] = {
    {"au1", ""},
    {"au2", ""},
    {"afull", ""},
    {"apaused", ""},
    {"astopped", ""},
    {"asmall", "12:message-size,4:2000,"},
    {"apostmaster", ""},
    {"agrey", "8:greylist,2:on,"},
    {"sadmin", ""},
    {"sgreylist", "off"},
    {"splus-addressing", "on"},
    {"smisuse-recipients", "0"},
    {"smisuse-rejected", "0"},
    {"smisuse-window", "600"},
    {"spostmaster", "box"},
    {"scatch-all", ""},
    {"smessage-size", "20971520"},
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

/* Another plan. */
static const struct peers_record peers_others[] = {
    {"au3", ""},
    {"afull", ""},
    {"spostmaster", "box"},
    {"scatch-all", ""},
    {"smessage-size", "10000"},
    {"sreceive-limit", "0"},
    {"sreceive-window", "60"},
    {"slimit-pause", "7200"},
    {"sover-quota-reply", "552"},
    {NULL, NULL},
};

static const struct peers_record peers_host[] = {
    {"me", "mail.example.jp"}, {"databytes", "52428800"}, {"recipients-max", "100"},
    {"errors-max", "20"},      {"timeout-smtp", "20"},    {"postmaster", "postmaster@example.jp"},
    {"plaintext-auth", "off"}, {"tarpit-delay", "0"},     {NULL, NULL},
};

/* Writes cdb/host.cdb: the usual values, and in place of them or behind them the NAME, VALUE pairs
 * up to a NULL. */
static bool peers_set_host(const char *const pairs[])
{
    struct peers_record records[32];
    size_t count = 0;
    for (; peers_host[count].key; count++)
        records[count] = peers_host[count];
    for (size_t i = 0; pairs[i]; i += 2) {
        size_t at = 0;
        while (at < count && strcmp(records[at].key, pairs[i]) != 0)
            at++;
        records[at] = (struct peers_record){pairs[i], pairs[i + 1]};
        count += at == count;
    }
    records[count] = (struct peers_record){NULL, NULL};
    return peers_write_cdb("cdb/host.cdb", records);
}

/* ---- players ----------------------------------------------------------------------------------*/

typedef void peers_play(int fd);

static void peers_answer(int fd, const char *const fields[], size_t count, const int *fds,
                         size_t fd_count)
{
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    for (size_t i = 0; i < count; i++)
        wire_put_text(&packet, fields[i]);
    if (wire_send(fd, str_slice(&packet), fds, fd_count, CLOCK_NEVER) != WIRE_OK)
        _exit(1);
    str_free(&packet);
}

#define PEERS_ANSWER(fd, ...)                                                                      \
    peers_answer(fd, (const char *const[]){__VA_ARGS__},                                           \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), NULL, 0)

static void peers_answer_auth(int fd, struct wire_message *message)
{
    struct slice user = wire_field(message, 5);
    bool is_right = slice_equal(wire_field(message, 6), SLICE("secret"));
    if (slice_equal(user, SLICE("locked@example.jp")))
        PEERS_ANSWER(fd, "no", auth_code_name(AUTH_LOCKED), "0", "locked for a time");
    else if (slice_equal(user, SLICE("expired@example.jp")))
        PEERS_ANSWER(fd, "no", auth_code_name(AUTH_EXPIRED), "0", "set a new password");
    else if (slice_equal(user, SLICE("disabled@example.jp")))
        PEERS_ANSWER(fd, "no", auth_code_name(AUTH_DISABLED), "0", "this account is off");
    else if (slice_equal(user, SLICE("strict@example.jp")))
        PEERS_ANSWER(fd, "no", auth_code_name(AUTH_TLS_REQUIRED), "0", "TLS first");
    else if (slice_equal(user, SLICE("gone@example.jp")) && is_right)
        PEERS_ANSWER(fd, "ok", "gone@example.jp");
    else if (!is_right)
        PEERS_ANSWER(fd, "no", auth_code_name(AUTH_FAILED), "50", "wrong");
    else if (slice_equal(user, SLICE("stopped@example.jp")))
        PEERS_ANSWER(fd, "ok", "stopped@example.jp");
    else if (slice_equal(user, SLICE("small@example.jp")))
        PEERS_ANSWER(fd, "ok", "small@example.jp");
    else
        PEERS_ANSWER(fd, "ok", "u1@example.jp");
}

/* The files of a session: what stated was asked, and what it was told. */
static void peers_state_file(char *name, size_t size, const char *kind, pid_t pid)
{
    snprintf(name, size, "%s.%ld", kind, (long)pid);
}

static void peers_note(int fd, struct wire_message *message, const char *kind)
{
    struct str line;
    char name[32];
    uid_t uid;
    pid_t pid;
    str_init(&line, 4000);
    for (size_t i = 1; i < message->count; i++) {
        str_append(&line, wire_field(message, i));
        str_append_byte(&line, i + 1 < message->count ? ' ' : '\n');
    }
    if (!unixsocket_peer(fd, &uid, &pid))
        _exit(1);
    peers_state_file(name, sizeof name, kind, pid);
    int file = open(name, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (file < 0 || !io_write_all(file, str_slice(&line), CLOCK_NEVER))
        _exit(1);
    io_close(&file);
    str_free(&line);
}

static void peers_answer_state(int fd, struct wire_message *message)
{
    struct slice account = wire_field(message, 2);
    bool is_question = slice_equal(wire_field(message, 1), SLICE("allows"));
    peers_note(fd, message, is_question ? "asked" : "told");
    if (!is_question)
        return;
    if (slice_equal(account, SLICE("full@example.jp")) ||
        slice_equal(account, SLICE("full@other.jp")))
        PEERS_ANSWER(fd, "no", "over-capacity", "sorry, mailbox is full (#4.5.2)");
    else if (slice_equal(account, SLICE("paused@example.jp")))
        PEERS_ANSWER(fd, "no", "receive-pause", "sorry, that message exceeds my limit");
    else if (slice_equal(account, SLICE("stopped@example.jp")))
        PEERS_ANSWER(fd, "no", "send-lock", "sending is stopped for a day");
    else if (slice_equal(account, SLICE("small@example.jp")) &&
             slice_equal(wire_field(message, 3), SLICE("send")))
        PEERS_ANSWER(fd, "no", "send-pause", "sorry, that message exceeds my limit");
    else
        PEERS_ANSWER(fd, "ok");
}

/* Who is asked about, says what is known. */
static void peers_answer_lookup(int fd, struct wire_message *message)
{
    struct slice verb = wire_field(message, 1), second = wire_field(message, 2);
    if (slice_equal(verb, SLICE("client")) && slice_equal(second, SLICE("192.0.2.66")))
        PEERS_ANSWER(fd, "ok", "client.example.org", "tag.example", "tag", "", "bl.example",
                     "reject", "seen spamming");
    else if (slice_equal(verb, SLICE("client")) && slice_equal(second, SLICE("192.0.2.67")))
        PEERS_ANSWER(fd, "ok", "", "tag.example", "tag", "why not");
    else if (slice_equal(verb, SLICE("client")) && slice_equal(second, SLICE("192.0.2.5")))
        PEERS_ANSWER(fd, "ok", "client.example.org");
    else if (slice_equal(verb, SLICE("rate")) &&
             slice_equal(wire_field(message, 3), SLICE("192.0.2.70")))
        PEERS_ANSWER(fd, "no", "30");
    else if (slice_equal(verb, SLICE("greylist")) &&
             !slice_equal(wire_field(message, 3), SLICE("known@example.org")))
        PEERS_ANSWER(fd, "no", "299");
    else
        PEERS_ANSWER(fd, "ok", "");
}

/* The "TLS" of the players: the client's own connection comes back as the plain end. */
static void peers_answer_tls(int fd, struct wire_message *message)
{
    int client = wire_take_fd(message, 0);
    const char *const fields[] = {"ok", "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", ""};
    if (slice_equal(wire_field(message, 2), SLICE("192.0.2.99")))
        PEERS_ANSWER(fd, "no", "handshake failed");
    else
        peers_answer(fd, fields, 4, &client, 1);
    io_close(&client);
}

typedef void peers_reply(int fd, struct wire_message *message);

static void peers_serve_packets(int fd, peers_reply *reply)
{
    static struct wire_message message;
    wire_init(&message);
    while (wire_receive(fd, &message, CLOCK_NEVER) == WIRE_OK)
        reply(fd, &message);
    wire_free(&message);
}

static void peers_play_auth(int fd)
{
    peers_serve_packets(fd, peers_answer_auth);
}

static void peers_play_state(int fd)
{
    peers_serve_packets(fd, peers_answer_state);
}

static void peers_play_lookup(int fd)
{
    peers_serve_packets(fd, peers_answer_lookup);
}

static void peers_play_tls(int fd)
{
    peers_serve_packets(fd, peers_answer_tls);
}

/* The next netstring of the stream. */
static bool peers_read_netstring(int fd, struct str *input, struct str *netstring)
{
    for (;;) {
        struct slice rest = str_slice(input), field;
        int cut = wire_cut_netstring(&rest, PEERS_MESSAGE_MAX, &field);
        if (cut < 0)
            return false;
        if (cut > 0) {
            str_clear(netstring);
            str_append(netstring, field);
            str_remove_front(input, input->size - rest.size);
            return true;
        }
        char bytes[4096];
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got <= 0 || !str_append(input, slice_of(bytes, (size_t)got)))
            return false;
    }
}

static void peers_write_message(const struct str *envelope, const struct str *message)
{
    struct slice rest = str_slice(envelope), field;
    struct str text;
    str_init(&text, PEERS_MESSAGE_MAX * 2);
    while (rest.size > 0 && wire_cut_netstring(&rest, PEERS_MESSAGE_MAX, &field) == 1) {
        str_append(&text, field);
        str_append_text(&text, "\n");
    }
    str_append_text(&text, "\n");
    str_append(&text, str_slice(message));
    io_replace_file(AT_FDCWD, "last-message", str_slice(&text), 0644, (uid_t)-1, (gid_t)-1);
    str_free(&text);
}

static bool peers_take_message(int fd, struct str *input, struct str *envelope)
{
    struct str part, message;
    bool done = peers_read_netstring(fd, input, envelope);
    str_init(&part, PEERS_MESSAGE_MAX);
    str_init(&message, PEERS_MESSAGE_MAX);
    while (done && (done = peers_read_netstring(fd, input, &part)) && part.size > 0)
        str_append(&message, str_slice(&part));
    if (done)
        peers_write_message(envelope, &message);
    str_free(&part);
    str_free(&message);
    return done;
}

static void peers_play_inject(int fd)
{
    struct str input, envelope, answer;
    struct slice fields[WIRE_MAX_FIELDS];
    size_t count;
    str_init(&input, PEERS_MESSAGE_MAX * 2);
    str_init(&envelope, PEERS_MESSAGE_MAX);
    str_init(&answer, 1000);
    if (!peers_take_message(fd, &input, &envelope) ||
        !wire_split(str_slice(&envelope), fields, WIRE_MAX_FIELDS, &count) || count < 6)
        return;
    if (slice_equal(fields[2], SLICE("temp@example.org")))
        wire_put_text(&answer, "Zthe disk is full");
    else if (slice_equal(fields[2], SLICE("perm@example.org")))
        wire_put_text(&answer, "D5.6.7 not like that");
    else
        wire_put_text(&answer, "K0cw9x2k4m7q1p");
    (void)io_write_all(fd, str_slice(&answer), CLOCK_NEVER);
}

static bool peers_start_player(struct peers *peers, const char *path, int type, peers_play *play)
{
    int fd = unixsocket_listen(path, type, 10);
    pid_t pid = fd < 0 ? -1 : fork();
    if (pid == 0) {
        signal(SIGCHLD, SIG_IGN);
        io_set_nonblocking(fd, false);
        for (;;) {
            int client = accept(fd, NULL, NULL);
            if (client >= 0 && fork() == 0) {
                play(client);
                _exit(0);
            }
            io_close(&client);
        }
    }
    io_close(&fd);
    if (pid > 0)
        peers->players[peers->count++] = pid;
    return pid > 0;
}

static bool peers_start(struct peers *peers)
{
    *peers = (struct peers){.folder = "/tmp/mail-suite-smtpd-XXXXXX"};
    if (!mkdtemp(peers->folder) || chdir(peers->folder) < 0)
        return false;
    const char *const folders[] = {"cdb",        "cdb/domain", "run",        "run/authd",
                                   "run/stated", "run/tlsd",   "run/inject", "run/lookupd"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(folders[i], 0755) < 0)
            return false;
    return peers_write_cdb("cdb/domains.cdb", peers_domains) &&
           peers_write_cdb("cdb/domain/example.jp.cdb", peers_accounts) &&
           peers_write_cdb("cdb/domain/other.jp.cdb", peers_others) &&
           peers_start_player(peers, AUTH_SOCKET, SOCK_SEQPACKET, peers_play_auth) &&
           peers_start_player(peers, STATE_SOCKET, SOCK_SEQPACKET, peers_play_state) &&
           peers_start_player(peers, LOOKUP_SOCKET, SOCK_SEQPACKET, peers_play_lookup) &&
           peers_start_player(peers, TLS_SOCKET, SOCK_SEQPACKET, peers_play_tls) &&
           peers_start_player(peers, INJECT_SOCKET, SOCK_STREAM, peers_play_inject);
}

static void peers_stop(struct peers *peers)
{
    char command[128];
    for (size_t i = 0; i < peers->count; i++) {
        kill(peers->players[i], SIGKILL);
        waitpid(peers->players[i], NULL, 0);
    }
    snprintf(command, sizeof command, "rm -rf %s", peers->folder);
    if (chdir("/") < 0 || system(command) != 0)
        fprintf(stderr, "%s stays\n", peers->folder);
}

#endif
