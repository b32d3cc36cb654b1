/*
 * test_tlsrelay - TLS between two of our engines, with keyd's worker behind the server
 *
 * The server (a forked child: the record buffers are one per process) and the client speak through
 * a socketpair; what each relays to its plain side is checked.
 */
#include "unit.h"

#include "clock.h"
#include "exits.h"
#include "io.h"
#include "keyworker.h"
#include "samples.h"
#include "tlsengine.h"
#include "tlsrelay.h"
#include "unixsocket.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IDLE_MS = 5000, LINGER_MS = 500, BULK = 3000000 };

static char folder[] = "/tmp/test_tlsrelay.XXXXXX";
static pid_t keyd;
static int leash[2];

/* ---- the world around --------------------------------------------------------------------------
 */

static void put(const char *name, const char *content)
{
    int fd = open("default", O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_true(io_replace_file(fd, name, slice_text(content), 0640, (uid_t)-1, (gid_t)-1));
    close(fd);
}

static int start_keyd(void **state)
{
    struct keyset keyset;
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("default", 0700) < 0 || pipe(leash) < 0)
        return -1;
    signal(SIGPIPE, SIG_IGN);
    put("cert.pem", SAMPLE_EC_CERTIFICATE);
    put("key.pem", SAMPLE_EC_SEC1);
    put("cert-rsa.pem", SAMPLE_RSA_CERTIFICATE);
    put("key-rsa.pem", SAMPLE_RSA_PKCS1);
    keyset_init(&keyset);
    struct keyworker_task task = {
        .listener = unixsocket_listen("keyd", SOCK_SEQPACKET, 16),
        .leash = leash[0],
        .asker = getuid(),
        .keyset = &keyset,
        .sessions = sessiontable_make(),
    };
    if (task.listener < 0 || !task.sessions || !keyset_look(&keyset, ".", false))
        return -1;
    keyd = fork();
    if (keyd == 0) {
        close(leash[1]);
        _exit(keyworker_run(&task));
    }
    close(task.listener);
    keyset_free(&keyset);
    sessiontable_free(&task.sessions);
    return keyd > 0 ? 0 : -1;
}

static int stop_keyd(void **state)
{
    static const char *const files[] = {"default/cert.pem", "default/key.pem",
                                        "default/cert-rsa.pem", "default/key-rsa.pem", "keyd"};
    int status = -1;
    (void)state;
    close(leash[1]); /* the worker finishes by itself */
    if (waitpid(keyd, &status, 0) != keyd || status != EXIT_DONE)
        return -1;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    return rmdir("default") == 0 ? rmdir(folder) : -1;
}

/* ---- the two ends ------------------------------------------------------------------------------
 */

/* The server's process: relays what the client says to its own plain end, where it comes back. */
static void *echo(void *owner)
{
    char bytes[4096];
    ssize_t got;
    int fd = *(int *)owner;
    while ((got = read(fd, bytes, sizeof bytes)) > 0) {
        if (!io_write_all(fd, slice_of(bytes, (size_t)got), CLOCK_NEVER))
            break;
        if (memchr(bytes, '!', (size_t)got)) /* the program hangs up */
            break;
    }
    shutdown(fd, SHUT_RDWR);
    return NULL;
}

static _Noreturn void be_server(int net, const char *keyd_path)
{
    static struct tlsengine tls;
    static struct tlsrelay relay;
    struct tlskeys keys;
    int plain[2];
    pthread_t thread;
    tlskeys_open(&keys, keyd_path);
    if (!tlsengine_serve(&tls, &keys) || !unixsocket_pair(SOCK_STREAM, plain))
        _exit(9);
    tlsrelay_init(&relay, tls.engine, net);
    if (tlsrelay_handshake(&relay, clock_deadline(IDLE_MS)) != TLSRELAY_DONE)
        _exit(keys.fd < 0 && strstr(tlsengine_reason(&tls), "keyd is not there") ? 7 : 8);
    tlskeys_close(&keys);
    if (pthread_create(&thread, NULL, echo, &plain[1]) != 0)
        _exit(9);
    enum tlsrelay_end end = tlsrelay_run(&relay, plain[0], IDLE_MS, LINGER_MS);
    close(plain[0]);
    close(net);
    pthread_join(thread, NULL);
    _exit(end == TLSRELAY_DONE ? 0 : 6);
}

static const struct tlsanchors no_anchors;

struct client {
    struct tls_check check;
    struct tlsengine tls;
    struct tlsrelay relay;
    pid_t server;
    int net;
    int plain[2];
    pthread_t thread;
    enum tlsrelay_end end;
};

static void *relay_client(void *owner)
{
    struct client *client = owner;
    client->end = tlsrelay_run(&client->relay, client->plain[0], IDLE_MS, LINGER_MS);
    close(client->plain[0]);
    close(client->net);
    return NULL;
}

static bool start(struct client *client, const char *keyd_path, const char *name)
{
    int net[2];
    assert_true(unixsocket_pair(SOCK_STREAM, net));
    client->server = fork();
    if (client->server == 0) {
        close(net[0]);
        be_server(net[1], keyd_path);
    }
    close(net[1]);
    client->net = net[0];
    client->check = (struct tls_check){.kind = TLS_CHECK_NONE, .server_name = name};
    assert_true(tlsengine_connect(&client->tls, &client->check, &no_anchors));
    tlsrelay_init(&client->relay, client->tls.engine, client->net);
    if (tlsrelay_handshake(&client->relay, clock_deadline(IDLE_MS)) != TLSRELAY_DONE)
        return false;
    assert_true(unixsocket_pair(SOCK_STREAM, client->plain));
    assert_int_equal(pthread_create(&client->thread, NULL, relay_client, client), 0);
    return true;
}

static int server_status(const struct client *client)
{
    int status = -1;
    assert_int_equal(waitpid(client->server, &status, 0), client->server);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void say(struct client *client, const char *text)
{
    assert_true(io_write_all(client->plain[1], slice_text(text), clock_deadline(IDLE_MS)));
}

static void hear(struct client *client, const char *text)
{
    char bytes[256];
    size_t size = strlen(text);
    for (size_t have = 0; have < size;) {
        ssize_t got = io_read(client->plain[1], bytes + have, size - have, clock_deadline(IDLE_MS));
        assert_true(got > 0);
        have += (size_t)got;
    }
    assert_memory_equal(bytes, text, size);
}

/* ---- the tests ---------------------------------------------------------------------------------
 */

/* The program on our side closes: close_notify goes out, both relays end well. */
static void client_closes(void **state)
{
    static struct client client;
    (void)state;
    assert_true(start(&client, "keyd", "mail.example.jp"));
    assert_string_equal(tlsengine_version(&client.tls), "TLSv1.2");
    assert_string_equal(tlsengine_cipher(&client.tls), "ECDHE-ECDSA-AES128-GCM-SHA256");
    say(&client, "hello");
    hear(&client, "hello");
    close(client.plain[1]);
    pthread_join(client.thread, NULL);
    assert_int_equal(client.end, TLSRELAY_DONE);
    assert_int_equal(server_status(&client), 0);
}

/* The program on the other side closes after its last words: they arrive, then the end. */
static void server_closes(void **state)
{
    static struct client client;
    char byte;
    (void)state;
    assert_true(start(&client, "keyd", ""));
    say(&client, "bye!");
    hear(&client, "bye!");
    assert_int_equal(io_read(client.plain[1], &byte, 1, clock_deadline(IDLE_MS)), 0);
    close(client.plain[1]);
    pthread_join(client.thread, NULL);
    assert_int_equal(client.end, TLSRELAY_DONE);
    assert_int_equal(server_status(&client), 0);
}

static void *write_bulk(void *owner)
{
    char bytes[10007];
    int fd = *(int *)owner;
    memset(bytes, 'x', sizeof bytes);
    for (size_t sent = 0; sent < BULK; sent += sizeof bytes)
        if (!io_write_all(fd, slice_of(bytes, sizeof bytes), clock_deadline(IDLE_MS)))
            break;
    return NULL;
}

/* Much more than all buffers hold, both ways at once: nobody waits for the other for ever. */
static void full_duplex(void **state)
{
    static struct client client;
    char bytes[8192];
    size_t heard = 0;
    pthread_t writer;
    (void)state;
    assert_true(start(&client, "keyd", ""));
    assert_int_equal(pthread_create(&writer, NULL, write_bulk, &client.plain[1]), 0);
    while (heard < BULK) {
        ssize_t got = io_read(client.plain[1], bytes, sizeof bytes, clock_deadline(IDLE_MS));
        assert_true(got > 0);
        heard += (size_t)got;
    }
    pthread_join(writer, NULL);
    close(client.plain[1]);
    pthread_join(client.thread, NULL);
    assert_int_equal(server_status(&client), 0);
}

static void keyd_away(void **state)
{
    static struct client client;
    (void)state;
    assert_false(start(&client, "nowhere", ""));
    assert_string_equal(tlsengine_reason(&client.tls), "handshake failure"); /* the alert came */
    close(client.net);
    assert_int_equal(server_status(&client), 7);
}

/* A peer that speaks no TLS, says nothing, or goes away in the midst of a handshake. */
static void odd_peers(void **state)
{
    static struct tlsengine tls;
    static struct tlsrelay relay;
    struct tlskeys keys = {.fd = -1};
    int net[2];
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(unixsocket_pair(SOCK_STREAM, net));
        assert_true(tlsengine_serve(&tls, &keys));
        tlsrelay_init(&relay, tls.engine, net[0]);
        if (i == 0)
            assert_int_equal(write(net[1], "EHLO example.jp\r\n", 17), 17);
        if (i == 1) {
            assert_int_equal(write(net[1], "\x16\3\1\1\0\1", 6), 6);
            close(net[1]);
        }
        enum tlsrelay_end end = tlsrelay_handshake(&relay, clock_deadline(50));
        assert_int_equal(end, i == 2 ? TLSRELAY_TIMEOUT : TLSRELAY_BROKEN);
        assert_true(tlsengine_reason(&tls)[0] != '\0');
        close(net[0]);
        if (i != 1)
            close(net[1]);
    }
}

/* Each question once on a connection; the second costs it. */
static void keyd_once(void **state)
{
    static const enum key_kind kinds[] = {KEY_RSA};
    struct tlskeys keys;
    enum key_kind kind;
    struct slice chain[KEY_CHAIN_MAX];
    char message[64 + 4 + 65] = {0};
    unsigned char signature[KEY_SIGNATURE_MAX];
    (void)state;
    message[64] = 3;
    message[67] = 65;
    struct slice good = slice_of(message, sizeof message);
    tlskeys_open(&keys, "keyd");
    assert_int_equal(tlskeys_chain(&keys, "x", kinds, 1, &kind, chain), 1);
    assert_int_equal(kind, KEY_RSA);
    assert_int_equal(tlskeys_sign(&keys, KEY_RSA_SHA256, good, signature, sizeof signature), 256);
    assert_int_equal(tlskeys_sign(&keys, KEY_RSA_SHA256, good, signature, sizeof signature), 0);
    assert_string_equal(keys.trouble, "keyd did not answer");
    tlskeys_close(&keys);
    /* No signature before a chain, none over anything else, none that does not fit. */
    tlskeys_open(&keys, "keyd");
    assert_int_equal(tlskeys_sign(&keys, KEY_RSA_SHA256, good, signature, sizeof signature), 0);
    tlskeys_close(&keys);
    tlskeys_open(&keys, "keyd");
    assert_int_equal(tlskeys_chain(&keys, "x", kinds, 1, &kind, chain), 1);
    assert_int_equal(
        tlskeys_sign(&keys, KEY_RSA_SHA256, SLICE("pay 100"), signature, sizeof signature), 0);
    tlskeys_close(&keys);
}

static void sessions(void **state)
{
    struct key_session session = {.id = {1, 2, 3}, .version = 0x303, .suite = 0xc02b};
    struct key_session found = {.id = {1, 2, 3}};
    struct tlskeys keys;
    (void)state;
    session.secret[5] = 5;
    tlskeys_open(&keys, "keyd");
    assert_false(tlskeys_load(&keys, &found));
    assert_string_equal(keys.trouble, ""); /* unknown is no trouble */
    tlskeys_save(&keys, &session);
    tlskeys_close(&keys);
    tlskeys_open(&keys, "keyd");
    assert_true(tlskeys_load(&keys, &found));
    assert_memory_equal(&found, &session, sizeof found);
    tlskeys_close(&keys);
}

static void error_texts(void **state)
{
    (void)state;
    for (int error = 0; error < 1024; error++)
        assert_true(tlsengine_error_text(error)[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_closes), cmocka_unit_test(server_closes),
        cmocka_unit_test(full_duplex),   cmocka_unit_test(keyd_away),
        cmocka_unit_test(odd_peers),     cmocka_unit_test(keyd_once),
        cmocka_unit_test(sessions),      cmocka_unit_test(error_texts),
    };
    return cmocka_run_group_tests(tests, start_keyd, stop_keyd);
}
