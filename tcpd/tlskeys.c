/* tlskeys - see tlskeys.h */
#include "tlskeys.h"

#include "clock.h"
#include "io.h"
#include "unixsocket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A signature is the longest of the other answers. */
enum { REPLY_MAX = KEY_SIGNATURE_MAX + 512 };

void tlskeys_open(struct tlskeys *keys, const char *path)
{
    keys->fd = unixsocket_connect(path, SOCK_SEQPACKET);
    keys->trouble[0] = '\0';
    wire_init(&keys->answer);
    wire_init_small(&keys->reply, REPLY_MAX);
    if (keys->fd < 0)
        snprintf(keys->trouble, sizeof keys->trouble, "keyd is not there (%s)", strerror(errno));
}

static void wipe(struct str *bytes)
{
    if (bytes->data)
        explicit_bzero(bytes->data, bytes->capacity);
}

void tlskeys_close(struct tlskeys *keys)
{
    wire_free(&keys->answer); /* certificates: no secret */
    wipe(&keys->reply.bytes);
    wire_free(&keys->reply);
    io_close(&keys->fd);
}

static void begin(struct str *packet, const char *verb)
{
    str_init(packet, WIRE_MAX_SIZE);
    wire_put_text(packet, "key/1");
    wire_put_text(packet, verb);
}

static bool note(struct tlskeys *keys, const char *trouble)
{
    snprintf(keys->trouble, sizeof keys->trouble, "%s", trouble);
    return false;
}

/* Sends `packet` (wiped and freed here) and waits for "ok". */
static bool ask(struct tlskeys *keys, struct str *packet, struct wire_message *answer)
{
    bool done = false;
    if (keys->fd >= 0 && !packet->failed) {
        if (wire_ask(keys->fd, str_slice(packet), NULL, 0, answer,
                     clock_deadline(KEY_TIMEOUT_MS)) != WIRE_OK)
            note(keys, "keyd did not answer");
        else if (slice_equal(wire_field(answer, 0), SLICE("ok")))
            done = true;
        else if (!wire_copy_text(answer, 1, keys->trouble, sizeof keys->trouble))
            note(keys, "keyd refused");
    }
    wipe(packet);
    str_free(packet);
    return done;
}

static bool find_kind(struct slice name, enum key_kind *kind)
{
    for (size_t i = 0; i < KEY_KINDS; i++) {
        if (slice_equal(name, slice_text(key_kind_name((enum key_kind)i)))) {
            *kind = (enum key_kind)i;
            return true;
        }
    }
    return false;
}

size_t tlskeys_chain(struct tlskeys *keys, const char *name, const enum key_kind kinds[],
                     size_t kind_count, enum key_kind *kind, struct slice chain[KEY_CHAIN_MAX])
{
    struct str packet;
    begin(&packet, "chain");
    wire_put_text(&packet, name);
    for (size_t i = 0; i < kind_count; i++)
        wire_put_text(&packet, key_kind_name(kinds[i]));
    if (!ask(keys, &packet, &keys->answer))
        return 0;
    size_t length = keys->answer.count < 3 ? 0 : keys->answer.count - 2;
    if (length == 0 || length > KEY_CHAIN_MAX || !find_kind(wire_field(&keys->answer, 1), kind)) {
        note(keys, "keyd answers nonsense");
        return 0;
    }
    for (size_t i = 0; i < length; i++)
        chain[i] = wire_field(&keys->answer, i + 2);
    return length;
}

size_t tlskeys_sign(struct tlskeys *keys, unsigned algorithm, struct slice message,
                    unsigned char *signature, size_t room)
{
    struct str packet;
    size_t size = 0;
    begin(&packet, "sign");
    wire_put_number(&packet, algorithm);
    wire_put(&packet, message);
    if (ask(keys, &packet, &keys->reply)) {
        struct slice given = wire_field(&keys->reply, 1);
        if (given.size > 0 && given.size <= room) {
            memcpy(signature, given.data, given.size);
            size = given.size;
        } else {
            note(keys, "keyd answers nonsense");
        }
    }
    return size;
}

static bool take_session(struct wire_message *answer, struct key_session *session)
{
    uint64_t version;
    uint64_t suite;
    struct slice secret = wire_field(answer, 3);
    if (!wire_number(answer, 1, UINT16_MAX, &version) ||
        !wire_number(answer, 2, UINT16_MAX, &suite) || secret.size != sizeof session->secret)
        return false;
    session->version = (uint16_t)version;
    session->suite = (uint16_t)suite;
    memcpy(session->secret, secret.data, secret.size);
    return true;
}

bool tlskeys_load(struct tlskeys *keys, struct key_session *session)
{
    struct str packet;
    begin(&packet, "load");
    wire_put(&packet, slice_of(session->id, sizeof session->id));
    bool found = ask(keys, &packet, &keys->reply) && take_session(&keys->reply, session);
    if (!found && keys->fd >= 0)
        keys->trouble[0] = '\0'; /* no trouble: a full handshake follows */
    wipe(&keys->reply.bytes);
    return found;
}

void tlskeys_save(struct tlskeys *keys, const struct key_session *session)
{
    struct str packet;
    begin(&packet, "save");
    wire_put(&packet, slice_of(session->id, sizeof session->id));
    wire_put_number(&packet, session->version);
    wire_put_number(&packet, session->suite);
    wire_put(&packet, slice_of(session->secret, sizeof session->secret));
    (void)ask(keys, &packet, &keys->reply); /* not saved: the next session has a full handshake */
}
