/* vetting - see vetting.h */
#include "vetting.h"

#include "clock.h"
#include "io.h"
#include "ip.h"
#include "log.h"
#include "number.h"
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum {
    TARPIT_ERRORS = 10, /* as in the table of settings, should there be no cdb/host.cdb */
    TARPIT_DELAY_S = 1,
    TARPIT_DELAY_MAX_S = 60,
    GREET_DELAY_MAX_MS = 60000,
};

void vetting_init(struct vetting *vetting)
{
    *vetting = (struct vetting){.question = -1, .lookupd = -1};
}

void vetting_free(struct vetting *vetting)
{
    io_close(&vetting->question);
    io_close(&vetting->lookupd);
}

/* An answer that is awaited costs lookupd no place once it is there. */
void vetting_release(struct vetting *vetting)
{
    io_close(&vetting->lookupd);
}

static uint64_t host_number(struct session *session, const char *name, uint64_t otherwise)
{
    uint64_t value;
    return directory_host_number(&session->directory, name, &value) ? value : otherwise;
}

/* Not of this machine, nor one of our own servers. */
static bool is_foreign(const struct session *session)
{
    struct ip client;
    bool is_ours = session->peer->service != SESSION_SMTP && !session_is_submission(session);
    return !is_ours && ip_parse(slice_text(session->peer->client), &client) &&
           !ip_is_loopback(&client);
}

static bool is_stranger(const struct session *session)
{
    return session->peer->service == SESSION_SMTP && is_foreign(session);
}

/* ---- asking lookupd ---------------------------------------------------------------------------*/

static void say_unreachable(struct session *session)
{
    if (!session->vetting.is_unreachable)
        log_trouble("ask about a client", LOOKUP_SOCKET, errno, "is lookupd running?");
    session->vetting.is_unreachable = true;
}

/* Not all of it: most of its pages are never touched. */
static void forget_client(struct vetting *vetting)
{
    vetting->client.name[0] = '\0';
    vetting->client.listing_count = 0;
}

static void ask_about_client(struct session *session)
{
    struct vetting *vetting = &session->vetting;
    forget_client(vetting);
    io_close(&vetting->question);
    vetting->question = lookup_client_ask(session->peer->client);
    vetting->deadline = clock_deadline(LOOKUP_CLIENT_MS);
    if (vetting->question < 0)
        say_unreachable(session);
}

static const struct lookup_client *know_client(struct session *session)
{
    struct vetting *vetting = &session->vetting;
    if (vetting->question >= 0 &&
        !lookup_client_read(vetting->question, vetting->deadline, &vetting->client))
        say_unreachable(session);
    io_close(&vetting->question);
    return &vetting->client;
}

const char *vetting_name(struct session *session)
{
    return know_client(session)->name;
}

/* Is this one within the host's rate? A rate that is not limited costs no question. */
static bool is_within_rate(struct session *session, const char *what, const char *setting)
{
    uint64_t seconds;
    if (!session->vetting.is_stranger || host_number(session, setting, 0) == 0)
        return true;
    switch (lookup_rate(&session->vetting.lookupd, what, session->peer->client, &seconds)) {
    case LOOKUP_NO:
        return false;
    case LOOKUP_TROUBLE:
        say_unreachable(session);
        break;
    case LOOKUP_YES:
        break;
    }
    return true;
}

/* ---- the beginning ----------------------------------------------------------------------------*/

/* RFC 5321 4.3.1: a client waits for the greeting. One that doesn't reads no answers at all. */
static bool speaks_early(struct session *session)
{
    char byte;
    uint64_t wait_ms = host_number(session, "greet-delay", 0);
    if (wait_ms == 0)
        return false;
    if (wait_ms > GREET_DELAY_MAX_MS)
        wait_ms = GREET_DELAY_MAX_MS;
    vetting_release(&session->vetting);
    struct pollfd in = {.fd = session->stream.in, .events = POLLIN};
    return poll(&in, 1, (int)wait_ms) > 0 &&
           recv(session->stream.in, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool vetting_begin(struct session *session)
{
    struct vetting *vetting = &session->vetting;
    vetting->is_stranger = is_stranger(session);
    forget_client(vetting);
    if (!vetting->is_stranger)
        return true;
    if (!is_within_rate(session, "connection", "connection-rate")) {
        session_refuse(session, REPLY_CONNECTIONS_TOO_MANY, "rate", SLICE("connection"));
        return false;
    }
    ask_about_client(session);
    if (session->state == SESSION_START && speaks_early(session)) {
        session_refuse(session, REPLY_EARLY, "greeting", SLICE("early"));
        return false;
    }
    return true;
}

/* ---- the transaction --------------------------------------------------------------------------*/

bool vetting_sender(struct session *session)
{
    session->vetting.greylisted_s = 0;
    if (is_within_rate(session, "message", "message-rate"))
        return true;
    session_refuse(session, REPLY_MAIL_TOO_MUCH, "rate", SLICE("message"));
    return false;
}

/* RFC 5321 4.5.1: who is refused must be able to ask why. */
static bool is_postmaster(struct slice address)
{
    struct slice local = slice_part(address, 0, slice_find_last(address, '@'));
    return slice_equal_nocase(local, SLICE("postmaster"));
}

static void log_listed(struct session *session, const struct lookup_listing *listing,
                       struct slice recipient)
{
    struct log_line line;
    log_begin(&line, "blocklisted");
    log_text(&line, "session", session->id);
    log_text(&line, "client", session->peer->client);
    log_text(&line, "list", listing->zone);
    log_text(&line, "text", listing->text);
    log_value(&line, "recipient", recipient);
    log_end(&line);
}

static void refuse_listed(struct session *session, const struct lookup_listing *listing,
                          struct slice recipient)
{
    struct str detail;
    log_listed(session, listing, recipient);
    str_init(&detail, sizeof *listing + IP_TEXT_MAX * 2);
    str_format(&detail, "%s is listed by %s", session->peer->client, listing->zone);
    if (listing->text[0] != '\0')
        str_format(&detail, ": %s", listing->text);
    session_reply_detail(session, REPLY_BLOCKLISTED, str_slice(&detail));
    str_free(&detail);
}

static bool is_listed(struct session *session, struct slice recipient)
{
    const struct lookup_client *client = know_client(session);
    for (size_t i = 0; i < client->listing_count; i++)
        if (client->listings[i].action == LOOKUP_REJECT) {
            refuse_listed(session, &client->listings[i], recipient);
            return true;
        }
    return false;
}

static void log_greylisted(struct session *session, struct slice recipient, uint64_t seconds)
{
    struct log_line line;
    log_begin(&line, "greylisted");
    log_text(&line, "session", session->id);
    log_text(&line, "client", session->peer->client);
    log_value(&line, "sender", str_slice(&session->envelope.sender));
    log_value(&line, "recipient", recipient);
    log_number(&line, "seconds", (int64_t)seconds);
    log_end(&line);
}

static void reply_greylisted(struct session *session, uint64_t seconds)
{
    char digits[NUMBER_TEXT_SIZE];
    session_reply_detail(session, REPLY_GREYLISTED, number_format(seconds, digits));
}

/* Seconds after which the client may come again; 0: it may now. */
static uint64_t ask_greylist(struct session *session, struct slice recipient,
                             const struct directory_account *account)
{
    bool is_on;
    uint64_t seconds = 0;
    if (!directory_setting_is_on(&session->directory, account, "greylist", &is_on) || !is_on)
        return 0;
    if (lookup_greylist(&session->vetting.lookupd, session->peer->client,
                        str_slice(&session->envelope.sender), recipient,
                        &seconds) == LOOKUP_TROUBLE)
        say_unreachable(session);
    if (seconds > 0)
        log_greylisted(session, recipient, seconds);
    return seconds;
}

static bool is_greylisted(struct session *session, struct slice recipient,
                          const struct directory_account *account)
{
    uint64_t seconds = ask_greylist(session, recipient, account);
    if (seconds == 0)
        return false;
    /* A server that only asks whether an address exists (a callback) sends from nobody, too, and
     * would take a refusal here for the answer: a message from nobody is refused later. */
    if (session->envelope.sender.size == 0) {
        if (seconds > session->vetting.greylisted_s)
            session->vetting.greylisted_s = seconds;
        return false;
    }
    reply_greylisted(session, seconds);
    return true;
}

bool vetting_recipient(struct session *session, struct slice address,
                       const struct directory_account *account)
{
    if (!session->vetting.is_stranger || session->account[0] != '\0')
        return true;
    if (!is_within_rate(session, "recipient", "recipient-rate")) {
        session_refuse(session, REPLY_MAIL_TOO_MUCH, "rate", SLICE("recipient"));
        return false;
    }
    return is_postmaster(address) ||
           (!is_listed(session, address) && !is_greylisted(session, address, account));
}

bool vetting_takes_message(struct session *session)
{
    uint64_t seconds = session->vetting.greylisted_s;
    session->vetting.greylisted_s = 0;
    return seconds == 0;
}

void vetting_write_fields(struct session *session, struct inject *inject)
{
    struct str fields;
    const struct lookup_client *client = know_client(session);
    str_init(&fields, sizeof *client * 2);
    for (size_t i = 0; i < client->listing_count; i++) {
        const struct lookup_listing *listing = &client->listings[i];
        str_format(&fields, "X-Blocklist: %s %s", session->peer->client, listing->zone);
        if (listing->text[0] != '\0')
            str_format(&fields, "\r\n\t(%s)", listing->text);
        str_append(&fields, SLICE("\r\n"));
    }
    if (fields.size > 0)
        inject_data(inject, str_slice(&fields));
    str_free(&fields);
}

/* ---- patience ---------------------------------------------------------------------------------*/

void vetting_error(struct session *session)
{
    uint64_t most = host_number(session, "tarpit-errors", TARPIT_ERRORS);
    uint64_t delay_s = host_number(session, "tarpit-delay", TARPIT_DELAY_S);
    if (!is_foreign(session) || session->counts.errors <= most || delay_s == 0)
        return;
    if (delay_s > TARPIT_DELAY_MAX_S)
        delay_s = TARPIT_DELAY_MAX_S;
    /* Nobody else waits with it: no place at our servers, and no answer that is ready. */
    session_release(session);
    if (stream_flush(&session->stream) != STREAM_OK)
        return;
    struct pollfd in = {.fd = session->stream.in, .events = POLLRDHUP};
    (void)poll(&in, 1, (int)(delay_s * 1000)); /* a client that leaves is not waited for */
}
