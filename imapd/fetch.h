/*
 * fetch - what FETCH asks for, and who answers it (RFC 3501 6.4.5, RFC 9051 6.4.5)
 *
 * Each item has a row in the table of fetchitems.c: its name, what may follow the name, how much of
 * the message it needs, and the function that writes it. The loop over messages is in fetch.c.
 */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "imapsession.h"
#include "partial.h"
#include "section.h"
#include "source.h"

struct fetch_item;
struct fetch_job;

/* Parses what follows the item's name. */
typedef bool fetch_parser(struct parse *parse, struct fetch_item *item);
/* Looks, before the line begins, whether the item can be had. What it returns other than
 * ANSWER_DONE leaves the message out, and is the command's answer. */
typedef enum answer fetch_checker(struct fetch_job *job, struct fetch_item *item);
/* Puts what the mailbox keeps of a message, once it was made, into job->scratch. False with errno:
 * the message can't be read. */
typedef bool fetch_maker(struct fetch_job *job);
/* Appends the item, name and value, to job->out. False with errno: the line can't be ended. */
typedef bool fetch_writer(struct fetch_job *job, const struct fetch_item *item);

/* How much of a message an item needs, each more than the one before. Who needs something gets it
 * before the message's line begins, so that a file that is gone leaves no half line. */
enum fetch_need {
    FETCH_NEEDS_NOTHING,
    FETCH_NEEDS_SIZE,
    FETCH_NEEDS_FILE, /* open */
    FETCH_NEEDS_HEADER,
    FETCH_NEEDS_WHOLE,
};

struct fetch_kind {
    const char *name;
    fetch_parser *parse;  /* NULL: nothing follows the name */
    fetch_checker *check; /* NULL: nothing to look at */
    fetch_writer *write;
    enum fetch_need need;
    bool reads;                /* \Seen is set */
    enum section_kind section; /* of RFC822.HEADER and its like */
    enum mailbox_fact fact;    /* or 0: what `make` makes, and the mailbox's cache may have */
    fetch_maker *make;
    const char *capability; /* without which there is no such item; NULL: none */
};

struct fetch_item {
    const struct fetch_kind *kind;
    enum fetch_need need;
    bool reads;
    struct section section; /* of BODY[...], BINARY[...] */
    bool is_partial;
    uint64_t offset, length; /* number64 of RFC 9051 */
};

struct fetch_request {
    struct fetch_item *items; /* in the arena */
    size_t count;
    enum fetch_need need; /* of the item that needs most */
    bool reads;
};

/* What may follow the items (RFC 4466 2.4). */
struct fetch_modifiers {
    bool is_page;
    struct partial page; /* RFC 9394 3.3 */
    bool is_changed;     /* RFC 7162 3.1.4: messages that were changed since then */
    uint64_t changed_since;
    bool tells_vanished; /* RFC 7162 3.2.6: and what is gone since then */
};

/* One message of a FETCH. */
struct fetch_job {
    struct imapsession *session;
    struct fetch_request *request;
    struct source source; /* its index is the message's */
    struct str *out;      /* the line; a writer may send what it holds and go on */
    struct str scratch;   /* memory that items of all messages share: of one ENVELOPE or so */
    struct str fields;    /* and of parts of a message, as long as they come */
    bool tells_flags;     /* FLAGS go out although nobody asked: \Seen was set */
    bool tells_modseq;    /* the same of MODSEQ */
    bool tells_uid;       /* and of the UID (RFC 7162 3.2.4) */
    const struct fetch_kind *found; /* NULL, or whose fact was found in the cache last */
    struct slice fact;              /* it; valid till the mailbox is asked for another */
};

/* The row of that name, in any case; NULL: there is none. */
const struct fetch_kind *fetch_kind(struct slice name);
struct mailbox_message *fetch_message(const struct fetch_job *job);
/* What the item's fact is: from the cache, or made, which needs the message. False with errno. Valid
 * till job->scratch or the mailbox changes. */
bool fetch_fact(struct fetch_job *job, const struct fetch_kind *kind, struct slice *bytes);
/* Sends what is collected of the line so far, to go on with a literal from elsewhere. */
void fetch_send_so_far(struct fetch_job *job);

/* The items behind the message set: one, or a list in parentheses. */
bool fetch_parse(struct parse *parse, struct fetch_request *request);
/* " (PARTIAL 1:50 CHANGEDSINCE 17 VANISHED)", or nothing. */
bool fetch_parse_modifiers(struct parse *parse, struct fetch_modifiers *modifiers);
/* Adds an item that was not asked for, in front. False without memory. */
bool fetch_add(struct arena *arena, struct fetch_request *request, const char *name);
bool fetch_has(const struct fetch_request *request, const char *name);

/* For NOTIFY (RFC 5465 5.2): may this client ask for the items? UID is added, and nothing of it sets
 * \\Seen: nobody has read the messages. False: BAD. */
bool fetch_prepare_unasked(struct imapsession *session, struct arena *arena,
                           struct fetch_request *request);
/* Tells them of the messages from position `first` on. */
void fetch_tell_unasked(struct imapsession *session, struct fetch_request *request, size_t first);

/* Items of other files. */
fetch_parser fetchbody_parse, fetchbody_parse_peek, fetchbinary_parse, fetchbinary_parse_size,
    fetchpreview_parse;
fetch_checker fetchbinary_check;
fetch_maker fetchpreview_make, fetchobject_make_keys;
fetch_writer fetchbody_write, fetchbinary_write, fetchbinary_write_size, fetchpreview_write,
    fetchobject_write_email, fetchobject_write_modseq, fetchobject_write_thread;

/* "<offset.length>", or nothing; RFC 3501 wants a length of at least one. */
bool fetchbody_parse_partial(struct parse *parse, struct fetch_item *item);
/* The part of `bytes` that the item asks for. */
struct slice fetchbody_cut(const struct fetch_item *item, struct slice bytes);
/* "<offset>", where a part was asked for, and the space behind the name. */
void fetchbody_append_offset(struct str *out, const struct fetch_item *item);

#endif
