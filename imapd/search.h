/*
 * search - the keys of SEARCH as a tree, and what they say about a message (RFC 3501 6.4.4)
 */
#ifndef IMAPD_SEARCH_H
#define IMAPD_SEARCH_H

#include "messagekeys.h"
#include "parse.h"
#include "searchresult.h"
#include "textmatch.h"

enum search_kind {
    SEARCH_ALL,
    SEARCH_AND, /* of `child` and its `next`s */
    SEARCH_OR,  /* of `child` and its one `next` */
    SEARCH_NOT, /* of `child` */
    SEARCH_SET,
    SEARCH_UID,
    SEARCH_FLAG,    /* one of `flags` is set */
    SEARCH_KEYWORD, /* `name` */
    SEARCH_RECENT,
    SEARCH_BEFORE, /* INTERNALDATE */
    SEARCH_ON,
    SEARCH_SINCE,
    SEARCH_LARGER,
    SEARCH_SMALLER,
    SEARCH_OLDER, /* RFC 5032 */
    SEARCH_YOUNGER,
    SEARCH_SAVED_SUPPORTED, /* RFC 8514; all */
    SEARCH_SAVED_BEFORE,
    SEARCH_SAVED_ON,
    SEARCH_SAVED_SINCE,
    SEARCH_EMAIL, /* RFC 8474: the object `name` */
    SEARCH_THREAD,
    SEARCH_MODSEQ,      /* RFC 7162 3.1.5: changed at `size` or later */
    SEARCH_SENT_BEFORE, /* Date: */
    SEARCH_SENT_ON,
    SEARCH_SENT_SINCE,
    SEARCH_HEADER, /* `needle` in field `name` */
    SEARCH_BODY,
    SEARCH_TEXT,
};

enum { SEARCH_DEPTH_MAX = 50 };

struct search_key {
    enum search_kind kind;
    struct search_key *child, *next;
    unsigned cost; /* of looking: list, file's size, header, body */
    struct sequence set;
    unsigned flags;
    struct slice name;
    struct textneedle needle;
    int64_t day;   /* since 1970 */
    uint64_t size; /* bytes; of OLDER and YOUNGER seconds; of MODSEQ that */
};

enum search_result { SEARCH_OK, SEARCH_SYNTAX, SEARCH_BAD_CHARSET };

/* "CHARSET name ", with the space behind it, where it stands; else empty: UTF-8. False: BAD. */
bool search_parse_charset(struct parse *parse, struct slice *charset);
/* The same for SEARCH and ESEARCH, which have none behind ENABLE UTF8=ACCEPT (RFC 6855 3). */
bool search_take_charset(const struct imapsession *session, struct parse *parse,
                         struct slice *charset);
/* Parses the keys: all of the rest, strings being in `charset`. The tree lives in the parse's arena.
 * SORT and THREAD, whose charset stands elsewhere, call it as well. */
enum search_result search_parse(struct parse *parse, struct slice charset,
                                struct search_key **root);
/* Gives '*' and "$" their values in all sets, in memory of `arena`. False without memory. */
bool search_resolve(struct search_key *key, const struct imapsession *session, struct arena *arena);

/* search_parse, and what the command is answered. */
enum answer search_read(struct parse *parse, struct slice charset, struct search_key **root);
/* Are there message numbers in it? "$" is none: it stands for UIDs. */
bool search_has_numbers(const struct search_key *key);
/* Who searches for mod-sequences is told them from now on. False: BAD, a key belongs to a capability
 * that this account has not. */
bool search_enable(struct imapsession *session, const struct search_key *root);
/* All of that for the command at work: ANSWER_DONE, ANSWER_SYNTAX, ANSWER_BAD_CHARSET ... */
enum answer search_prepare(struct imapsession *session, struct parse *parse, struct slice charset,
                           struct search_key **root);
/* Which messages fit, in the order of the mailbox; memory of session->arena. `ends` (of
 * SEARCHRESULT_MIN and _MAX; 0: all) says that only the first, or the last of them counts, which
 * then are all that is found. False without memory. */
bool search_run(struct imapsession *session, const struct search_key *root, unsigned ends,
                struct searchresult *found);

/* What is kept from message to message while keys are looked at. */
struct searcher {
    struct mailbox *mailbox;
    int64_t now; /* seconds since 1970, for OLDER and YOUNGER */
    struct messagefile file;
    struct textmatch match;
    struct messagekeys_reader keys;
};
void searcher_begin(struct searcher *searcher, struct mailbox *mailbox);
void searcher_end(struct searcher *searcher);
/* Does the message at `index` fit? One that can't be read has no text. */
bool searcher_fits(struct searcher *searcher, const struct search_key *root, size_t index);

#endif
