/*
 * imapsession - one logged-in connection: its stream, its selected mailbox, the command at work
 */
#ifndef IMAPD_IMAPSESSION_H
#define IMAPD_IMAPSESSION_H

#include "answer.h"
#include "arena.h"
#include "identity.h"
#include "imapfolder.h"
#include "mailbox.h"
#include "parse.h"
#include "reader.h"
#include "savedsearch.h"
#include "stream.h"
#include "terms.h"

/* Every bound of a session; what happens when it is met stands beside it. */
enum {
    IMAPSESSION_LINE_MAX = 65536,         /* BAD; long UID sets need more than RFC 7162's 8192 */
    IMAPSESSION_LITERAL_MAX = 262144,     /* NO [TOOBIG], or BYE when it comes unasked */
    IMAPSESSION_COMMAND_MAX = 1048576,    /* BAD */
    IMAPSESSION_ARENA_MAX = 16 * 1048576, /* BAD: what is parsed out of one command */
    IMAPSESSION_OUT_MAX = 32 * 1048576,   /* NO: one line of an answer, an ENVELOPE for example */
    IMAPSESSION_MESSAGE_MAX = 100 * 1048576, /* NO [TOOBIG]; the plans' highest (SPEC R5.1) */
    IMAPSESSION_READ_MAX = 512 * 1048576,    /* NO: of a message that has to be read into memory */
    IMAPSESSION_IDLE_MS = 30 * 60 * 1000,    /* BYE; RFC 3501 5.4 */
    IMAPSESSION_BAD_MAX = 20,                /* BYE: BADs one after the other */
    IMAPSESSION_CAPABILITIES_MAX = 2048,     /* bytes of their names, all together */
    IMAPSESSION_KEEP_BUFFER = 16384,         /* larger buffers are given back after a command */
    IMAPSESSION_SETTLE = 64, /* names of files that follow before the client is looked at again */
    IMAPSESSION_REST_MS = 2000, /* of silence, then compression gives memory back */
};

/* What the client has enabled (RFC 5161), and so how the session speaks to it. */
enum {
    ENABLED_REV2 = 1 << 0,      /* IMAP4rev2 (RFC 9051) */
    ENABLED_CONDSTORE = 1 << 1, /* RFC 7162 3.1; also by a command of that extension */
    ENABLED_QRESYNC = 1 << 2,   /* RFC 7162 3.2; CONDSTORE is then, too */
    ENABLED_UTF8 = 1 << 3,      /* UTF8=ACCEPT (RFC 6855); rev2 alone makes names UTF-8, too */
};

struct append_options;
struct compression;
struct imapcommand;
struct notify;
struct searchcontexts;

struct imapsession {
    struct stream stream;
    struct reader reader;
    struct arena arena;      /* of the command at work */
    struct str out;          /* scratch: the line that is being made */
    struct str code;         /* response code of the tagged answer, instead of the table's */
    struct str capabilities; /* as announced, made once */
    const char *account, *client, *tls;
    struct terms terms;              /* what the account may */
    int64_t quota_counted_ms;        /* clock_ms: its mail was counted before a refusal; 0: never */
    struct compression *compression; /* NULL: none */
    unsigned enabled;                /* ENABLED_... */

    unsigned bad_in_row;
    uint64_t commands;
    const char *how; /* it ended; for the log */

    /* the command at work */
    const struct imapcommand *command;
    struct slice tag;                      /* in the arena */
    const struct append_options *appended; /* of the message that was just read; else NULL */

    /* the selected mailbox */
    struct mailbox *mailbox;         /* NULL: none */
    size_t told_exists, told_recent; /* what the client knows */
    size_t told_keywords;
    uint64_t told_modseq;            /* all changes up to it were told */
    bool holds_back;                 /* removals were not told yet when news were told last */
    struct savedsearch saved;        /* "$" */
    struct searchcontexts *contexts; /* searches kept up to date; NULL: none */
    struct imapfolder folder;
    bool read_only;

    struct notify *notify; /* events told unasked; NULL: none */

    bool uid;                /* the command is UID FETCH or its like */
    bool has_numbers;        /* and searches by message numbers all the same */
    bool starts_compression; /* with the first byte behind this command's answer */
    bool ended;
    struct identity identity; /* of the client */
};

/* Takes the descriptors of the client. `pending` is what the login program read too far. */
bool imapsession_begin(struct imapsession *session, int in, int out, struct slice pending);
void imapsession_end(struct imapsession *session);

/* "TAG OK [CAPABILITY ...] Logged in" */
void imapsession_greet(struct imapsession *session, struct slice tag);
/* "TAG NO [UNAVAILABLE]" and the end: the account's folder can't be used. */
void imapsession_refuse(struct imapsession *session, struct slice tag);
/* One command; false when the session has ended. */
bool imapsession_step(struct imapsession *session);
/* All of them. */
void imapsession_run(struct imapsession *session);

/* Ends the session with a BYE. */
void imapsession_bye(struct imapsession *session, const char *text, const char *how);
/* How the stream broke. */
void imapsession_lost(struct imapsession *session, enum stream_result result);
/* Has names of files follow what was answered, till the client sends something. */
void imapsession_settle(struct imapsession *session);
/* Gives back what an idle connection needs not hold. */
void imapsession_slim(struct imapsession *session);
/* The same, and what costs time to make again: for who waits, perhaps for long. */
void imapsession_rest(struct imapsession *session);

/* Starts and sends one untagged line, "* " in front, collected in session->out. */
struct str *imapsession_line(struct imapsession *session);
void imapsession_send(struct imapsession *session);

/* Is the flag to be told? IMAP4rev2 has no \Recent (RFC 9051 2.3.2). */
bool imapsession_shows_recent(const struct imapsession *session, bool recent);
/* Is there a capability of that name, and is it not off for this account? */
bool imapsession_has(const struct imapsession *session, const char *capability);
/* The largest message that the account may append, in bytes. */
uint64_t imapsession_message_max(const struct imapsession *session);

void imapsession_unselect(struct imapsession *session);
/* Is this folder the selected mailbox? */
bool imapsession_is_selected(const struct imapsession *session, const struct imapfolder *folder);
/* Opens another folder than the selected one; if it is that, the selected mailbox is given back and
 * session_close_other does nothing. NULL: *answer says why. */
struct mailbox *imapsession_open_to_read(struct imapsession *session,
                                         const struct imapfolder *folder, enum answer *answer);
/* For who takes all of it away, whoever brought it. */
struct mailbox *imapsession_open_to_empty(struct imapsession *session,
                                          const struct imapfolder *folder, enum answer *answer);
/* For APPEND, COPY, MOVE: also where the selected one was opened by EXAMINE; [TRYCREATE]. */
struct mailbox *imapsession_open_to_fill(struct imapsession *session,
                                         const struct imapfolder *folder, enum answer *answer);
void imapsession_close_other(struct imapsession *session, struct mailbox *mailbox);

#endif
