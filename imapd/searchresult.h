/*
 * searchresult - what a search found, told as the client asked for it: SEARCH and ESEARCH answers
 * (RFC 3501 7.2.5; RFC 4731, RFC 9051 6.4.4 and 7.3.4; RFC 5182 SAVE; RFC 9394 PARTIAL; RFC 5267)
 *
 * Shared by SEARCH and SORT: the numbers come in some order, and MIN, MAX, PARTIAL and ALL mean that
 * order (RFC 5267 3.1).
 */
#ifndef IMAPD_SEARCHRESULT_H
#define IMAPD_SEARCHRESULT_H

#include "imapsession.h"
#include "partial.h"

enum searchresult_option {
    SEARCHRESULT_MIN = 1 << 0,
    SEARCHRESULT_MAX = 1 << 1,
    SEARCHRESULT_COUNT = 1 << 2,
    SEARCHRESULT_ALL = 1 << 3,
    SEARCHRESULT_SAVE = 1 << 4,
    SEARCHRESULT_PARTIAL = 1 << 5,
    SEARCHRESULT_UPDATE = 1 << 6,
    SEARCHRESULT_CONTEXT = 1 << 7, /* a hint that more of the same will come */
};

struct searchresult_return {
    bool extended;    /* RETURN was there: the answer is ESEARCH */
    unsigned options; /* never 0 with `extended` */
    struct partial partial;
};

/* "RETURN (...) ", with the space behind it, where it stands; else nothing is consumed and the plain
 * answer is wanted. False: BAD. */
bool searchresult_parse(struct parse *parse, struct searchresult_return *wanted);
/* Has the account the capabilities that this asks for: `extended` for RETURN itself, `context` for
 * results that are kept up to date? False: BAD. */
bool searchresult_has(const struct imapsession *session, const struct searchresult_return *wanted,
                      const char *extended, const char *context);

struct searchresult {
    uint32_t *indexes; /* of session->mailbox->messages, each once, in the order of the answer */
    size_t count;
    struct slice mailbox; /* its name, for ESEARCH of several (RFC 7377 2.1); else empty */
    uint64_t modseq; /* the highest of these messages, where the client is to hear it; else 0 */
};

/* The untagged answer: "* NAME 2 3 5" (NAME is SEARCH or SORT), or ESEARCH; and SAVE. Numbers are
 * UIDs where session->uid. ANSWER_DONE, or why "$" could not be kept (it is empty then). */
enum answer searchresult_tell(struct imapsession *session, const struct searchresult_return *wanted,
                              const char *name, const struct searchresult *found);
/* A search with SAVE that ends with NO empties "$" (RFC 5182 2.1). Returns `answer`. */
enum answer searchresult_fail(struct imapsession *session, const struct searchresult_return *wanted,
                              enum answer answer);

/* Message number or UID of the message at `index`. */
uint32_t searchresult_number(const struct imapsession *session, bool uid, uint32_t index);
/* "2,10:11": numbers in the order given; ranges only where they rise by one. */
void searchresult_append_set(struct str *out, const struct imapsession *session, bool uid,
                             const uint32_t *indexes, size_t count);

#endif
