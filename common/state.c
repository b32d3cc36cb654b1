/* state - see state.h */
#include "state.h"

#include "unixsocket.h"

#include <stdarg.h>
#include <sys/socket.h>

/* Domains of one packet: as many as any message will have, well below WIRE_MAX_FIELDS. */
enum { STATE_DOMAINS_MAX = 100 };

static void put_head(struct str *packet, const char *verb)
{
    wire_put_text(packet, "state/1");
    wire_put_text(packet, verb);
}

static void begin(struct str *packet, const char *verb)
{
    str_init(packet, WIRE_MAX_SIZE);
    put_head(packet, verb);
}

static bool ask(int *fd, const struct str *packet, struct wire_message *answer, int64_t timeout_ms)
{
    return !packet->failed &&
           wire_ask_kept(fd, STATE_SOCKET, str_slice(packet), NULL, 0, answer, timeout_ms) &&
           answer->count > 0;
}

static bool tell(int *fd, const struct str *packet)
{
    return !packet->failed &&
           wire_tell_kept(fd, STATE_SOCKET, str_slice(packet), NULL, 0, STATE_TIMEOUT_MS);
}

struct slice state_domain(struct slice account)
{
    return slice_from(account, slice_find_last(account, '@'));
}

int state_connect(void)
{
    return unixsocket_connect(STATE_SOCKET, SOCK_SEQPACKET);
}

bool state_ask(int *fd, struct wire_message *answer, const char *verb, ...)
{
    struct str packet;
    va_list fields;
    begin(&packet, verb);
    va_start(fields, verb);
    for (const char *field; (field = va_arg(fields, const char *));)
        wire_put_text(&packet, field);
    va_end(fields);
    bool done = ask(fd, &packet, answer, STATE_TIMEOUT_MS);
    str_free(&packet);
    return done;
}

bool state_ask_allows(int *fd, struct wire_message *answer, const char *account, const char *action,
                      const struct state_rule rules[], size_t count, int64_t timeout_ms)
{
    struct str packet;
    begin(&packet, "allows");
    wire_put_text(&packet, account);
    wire_put_text(&packet, action);
    for (size_t i = 0; i < count; i++) {
        if (rules[i].limit == 0)
            continue;
        wire_put_text(&packet, rules[i].name);
        wire_put_number(&packet, rules[i].limit);
        wire_put_number(&packet, rules[i].window_s);
        wire_put_number(&packet, rules[i].lasts_s);
    }
    bool done = ask(fd, &packet, answer, timeout_ms);
    str_free(&packet);
    return done;
}

static bool tell_count(int *fd, const char *verb, const char *account, size_t count)
{
    struct str packet;
    begin(&packet, verb);
    wire_put_text(&packet, account);
    wire_put_number(&packet, count);
    bool done = tell(fd, &packet);
    str_free(&packet);
    return done;
}

bool state_sent(int *fd, const char *account, size_t recipients)
{
    return tell_count(fd, "sent", account, recipients);
}

bool state_rejected(int *fd, const char *account, size_t recipients)
{
    return tell_count(fd, "rejected", account, recipients);
}

bool state_received(int *fd, struct slice domains)
{
    bool done = true;
    while (domains.size > 0 && done) {
        struct str packet;
        begin(&packet, "received");
        for (size_t i = 0; i < STATE_DOMAINS_MAX && domains.size > 0; i++)
            wire_put(&packet, slice_cut(&domains, '\0'));
        done = tell(fd, &packet);
        str_free(&packet);
    }
    return done;
}

/* ---- for those who send it themselves ---------------------------------------------------------*/

void state_put_question(struct str *packet, const char *verb, struct slice account,
                        struct slice more)
{
    put_head(packet, verb);
    wire_put(packet, account);
    wire_put(packet, more);
}
