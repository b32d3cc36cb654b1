/* lookup - see lookup.h */
#include "lookup.h"

#include "clock.h"
#include "io.h"
#include "unixsocket.h"

#include <sys/socket.h>

enum { LISTING_FIELDS = 3, SECONDS_MAX = 86400 * 366 };

const char *lookup_action_name(enum lookup_action action)
{
    return action == LOOKUP_REJECT ? "reject" : "tag";
}

static void begin_question(struct str *packet, const char *verb)
{
    str_init(packet, WIRE_MAX_SIZE);
    wire_put_text(packet, "lookup/1");
    wire_put_text(packet, verb);
}

/* ---- the client -------------------------------------------------------------------------------*/

int lookup_client_ask(const char *address)
{
    struct str packet;
    int fd = unixsocket_connect(LOOKUP_SOCKET, SOCK_SEQPACKET);
    if (fd < 0)
        return -1;
    begin_question(&packet, "client");
    wire_put_text(&packet, address);
    if (packet.failed || wire_send(fd, str_slice(&packet), NULL, 0, 0) != WIRE_OK)
        io_close(&fd);
    str_free(&packet);
    return fd;
}

static bool decode_listing(const struct wire_message *message, size_t at,
                           struct lookup_listing *listing)
{
    struct slice action = wire_field(message, at + 1);
    listing->action = slice_equal(action, SLICE("tag")) ? LOOKUP_TAG : LOOKUP_REJECT;
    return slice_equal(action, slice_text(lookup_action_name(listing->action))) &&
           wire_copy_text(message, at, listing->zone, sizeof listing->zone) &&
           wire_copy_text(message, at + 2, listing->text, sizeof listing->text);
}

bool lookup_client_decode(const struct wire_message *message, struct lookup_client *client)
{
    bool done = message->count >= 2 && (message->count - 2) % LISTING_FIELDS == 0 &&
                slice_equal(wire_field(message, 0), SLICE("ok")) &&
                wire_copy_text(message, 1, client->name, sizeof client->name);
    client->listing_count = 0;
    for (size_t at = 2; done && at < message->count; at += LISTING_FIELDS)
        done = client->listing_count < LOOKUP_LISTINGS_MAX &&
               decode_listing(message, at, &client->listings[client->listing_count++]);
    if (!done) {
        client->name[0] = '\0';
        client->listing_count = 0;
    }
    return done;
}

void lookup_client_encode(const struct lookup_client *client, struct str *packet)
{
    wire_put_text(packet, "ok");
    wire_put_text(packet, client->name);
    for (size_t i = 0; i < client->listing_count; i++) {
        wire_put_text(packet, client->listings[i].zone);
        wire_put_text(packet, lookup_action_name(client->listings[i].action));
        wire_put_text(packet, client->listings[i].text);
    }
}

bool lookup_client_read(int fd, int64_t deadline, struct lookup_client *client)
{
    struct wire_message answer;
    wire_init(&answer);
    client->name[0] = '\0';
    client->listing_count = 0;
    bool done =
        wire_receive(fd, &answer, deadline) == WIRE_OK && lookup_client_decode(&answer, client);
    wire_free(&answer);
    return done;
}

/* ---- rates and greylisting --------------------------------------------------------------------*/

static enum lookup_verdict ask(int *fd, struct str *packet, uint64_t *seconds)
{
    struct wire_message answer;
    enum lookup_verdict verdict = LOOKUP_TROUBLE;
    wire_init(&answer);
    *seconds = 0;
    if (!packet->failed &&
        wire_ask_kept(fd, LOOKUP_SOCKET, str_slice(packet), NULL, 0, &answer, LOOKUP_TIMEOUT_MS)) {
        if (slice_equal(wire_field(&answer, 0), SLICE("ok")))
            verdict = LOOKUP_YES;
        else if (slice_equal(wire_field(&answer, 0), SLICE("no")) &&
                 wire_number(&answer, 1, SECONDS_MAX, seconds))
            verdict = LOOKUP_NO;
    }
    wire_free(&answer);
    str_free(packet);
    return verdict;
}

enum lookup_verdict lookup_rate(int *fd, const char *what, const char *address, uint64_t *seconds)
{
    struct str packet;
    begin_question(&packet, "rate");
    wire_put_text(&packet, what);
    wire_put_text(&packet, address);
    return ask(fd, &packet, seconds);
}

enum lookup_verdict lookup_greylist(int *fd, const char *address, struct slice sender,
                                    struct slice recipient, uint64_t *seconds)
{
    struct str packet;
    begin_question(&packet, "greylist");
    wire_put_text(&packet, address);
    wire_put(&packet, sender);
    wire_put(&packet, recipient);
    return ask(fd, &packet, seconds);
}
