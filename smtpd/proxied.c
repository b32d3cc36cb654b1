/* proxied - see proxied.h */
#include "proxied.h"

#include "allowance.h"
#include "log.h"
#include "login.h"
#include "session.h"

#include <string.h>

/* A client whose address the proxy does not know: nobody's, and in no network. */
#define ADDRESS_UNKNOWN "0.0.0.0"

bool proxied_is_trusted(const struct session *session)
{
    return session->peer->speaks_for_others;
}

static void log_client(const struct session *session)
{
    struct log_line line;
    log_begin(&line, "xclient");
    log_text(&line, "session", session->id);
    log_text(&line, "proxy", session->proxied.proxy);
    log_text(&line, "client", session->peer->client);
    log_text(&line, "port", session->peer->client_port);
    if (session->proxied.name[0] != '\0')
        log_text(&line, "name", session->proxied.name);
    if (session->account[0] != '\0')
        log_text(&line, "user", session->account);
    log_end(&line);
}

/* Text of the capacity of both. */
static void copy(char *to, const char *from, size_t capacity, const char *otherwise)
{
    const char *text = from[0] != '\0' ? from : otherwise;
    size_t size = strnlen(text, capacity - 1);
    memmove(to, text, size);
    to[size] = '\0';
}

/* What is not said stays; but another address has no name till one is said. */
static void take_peer(struct session *session, const struct xclient *xclient)
{
    struct proxied *proxied = &session->proxied;
    const struct session_peer *before = session->peer;
    bool is_other = xclient_says(xclient, XCLIENT_ADDR);
    if (proxied->proxy[0] == '\0')
        copy(proxied->proxy, before->client, sizeof proxied->proxy, "");
    copy(proxied->client, is_other ? xclient->address : before->client, sizeof proxied->client,
         ADDRESS_UNKNOWN);
    copy(proxied->client_port,
         xclient_says(xclient, XCLIENT_PORT) ? xclient->port : before->client_port,
         sizeof proxied->client_port, "0");
    copy(proxied->server,
         xclient_says(xclient, XCLIENT_DESTADDR) ? xclient->server_address : before->server,
         sizeof proxied->server, ADDRESS_UNKNOWN);
    if (is_other || xclient_says(xclient, XCLIENT_NAME))
        copy(proxied->name, xclient->name, sizeof proxied->name, "");
    session->other_peer = *before;
    session->other_peer.client = proxied->client;
    session->other_peer.client_port = proxied->client_port;
    session->other_peer.server = proxied->server;
    session->peer = &session->other_peer;
}

/* As if it had connected just now, but for what TLS there is. */
static void begin_anew(struct session *session, const struct xclient *xclient)
{
    session->counts.errors = 0;
    session->counts.idle_commands = 0;
    session->counts.login_failures = 0;
    session->is_extended = slice_equal_nocase(slice_text(xclient->protocol), SLICE("ESMTP"));
    copy(session->helo, xclient->helo, sizeof session->helo, "");
    session_reset(session);
}

/* The proxy has checked the password. LMTP is for servers: a login opens nothing there. False:
 * answered. */
static bool take_login(struct session *session, const struct xclient *xclient)
{
    session->account[0] = '\0';
    if (xclient->login[0] == '\0' || session->peer->service == SESSION_LMTP) {
        allowance_set_size(session);
        return true;
    }
    session->login_moment = board_moment(&session->board);
    if (login_take(session, xclient->login))
        return true;
    session->account[0] = '\0';
    allowance_set_size(session);
    session_refuse(session, REPLY_XCLIENT_LOGIN_UNKNOWN, "user", slice_text(xclient->login));
    return false;
}

void proxied_take(struct session *session, struct slice argument)
{
    struct xclient xclient;
    if (!proxied_is_trusted(session)) {
        session_refuse(session, REPLY_XCLIENT_NOT_YOURS, "command", SLICE("XCLIENT"));
        return;
    }
    if (!xclient_parse(argument, &xclient)) {
        session_reply_detail(session, REPLY_SYNTAX, SLICE("XCLIENT attribute=value..."));
        return;
    }
    if (!take_login(session, &xclient))
        return;
    begin_anew(session, &xclient);
    take_peer(session, &xclient);
    log_client(session);
    /* Not that of a connection that just began: what a proxy pipelines is no early talk. */
    session->state = SESSION_READY;
    if (vetting_begin(session))
        session_reply(session, session_greeting(session));
    session->state = SESSION_START;
}
