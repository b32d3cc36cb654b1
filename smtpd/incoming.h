/*
 * incoming - one message on its way from the client to queue-inject, by DATA or by BDAT
 *
 * Never in memory as a whole. Puts our Received field in front, looks at the header as it streams
 * by, and holds the message to the limits. Whatever is wrong with it, its bytes go on being taken
 * to their end, so that the reply comes where the client waits for it.
 */
#ifndef SMTPD_INCOMING_H
#define SMTPD_INCOMING_H

#include "header.h"
#include "reply.h"
#include "smtpdata.h"

#include <stdint.h>

enum { INCOMING_ID_MAX = 56 };

struct session;

struct incoming {
    struct session *session;
    struct smtpdata_decoder decoder;
    struct header header;
    bool is_open;       /* queue-inject has its beginning and waits for more */
    bool is_binary;     /* RFC 3030: in the body, line ends have no meaning */
    bool has_bare;      /* a CR or LF stands alone where it may not */
    bool is_refused;    /* and goes nowhere */
    bool is_reported;   /* the client was told of the refusal */
    enum reply refusal; /* the first thing that was wrong with it */
    int64_t deadline;   /* for all of it */
    char id[INCOMING_ID_MAX];
};

enum incoming_framing {
    INCOMING_DOTS,   /* DATA: the message ends at CRLF "." CRLF */
    INCOMING_CHUNKS, /* BDAT: it ends where the client says */
};

/* Begins the message of the session's envelope, in session->incoming. Where that does not work the
 * message is refused. */
void incoming_begin(struct session *session, enum incoming_framing framing);
/* The same for bytes that belong to no message. */
void incoming_begin_refused(struct session *session, enum reply refusal);
/* Takes bytes of it. Returns how many; all, unless the message ended by its dot. */
size_t incoming_take(struct incoming *incoming, struct slice input);
void incoming_refuse(struct incoming *incoming, enum reply refusal);
/* All of it was taken: into the queue with it, and answers. */
void incoming_finish(struct incoming *incoming);
/* Answers with the refusal, to one command or (RFC 2033 4.2) for every recipient. */
void incoming_report(struct incoming *incoming, bool for_all);
/* Gives it up, if there is one. */
void incoming_abort(struct incoming *incoming);
/* Reads on within the message, at most `max` bytes; none where a client has ended it by something
 * that is no end, and waits. False: the session is over. */
bool incoming_read(struct incoming *incoming, size_t max, struct slice *bytes);

#endif
