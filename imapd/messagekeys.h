/*
 * messagekeys - what SORT and THREAD want to know of a message's header (RFC 5256, RFC 5957), as
 * one small string of bytes that can be kept
 *
 * Texts are in the form that sorts by i;unicode-casemap (casemap.h); of one longer than
 * MESSAGEKEYS_TEXT_MAX the first bytes and a hash of all are there, so that what differs stays
 * different. Message ids are numbers (messageid_hash).
 */
#ifndef IMAPD_MESSAGEKEYS_H
#define IMAPD_MESSAGEKEYS_H

#include "charset.h"
#include "messagefile.h"

enum messagekeys_text {
    MESSAGEKEYS_SUBJECT,      /* base subject, RFC 5256 2.1 */
    MESSAGEKEYS_FROM,         /* addr-mailbox of the first address; of a group, its name */
    MESSAGEKEYS_DISPLAY_FROM, /* RFC 5957 3 */
    MESSAGEKEYS_TO,
    MESSAGEKEYS_DISPLAY_TO,
    MESSAGEKEYS_CC,
    MESSAGEKEYS_TEXTS,
};

enum {
    MESSAGEKEYS_TEXT_MAX = 512,
    /* Of more references the first, which names the thread, and the last are kept. */
    MESSAGEKEYS_REFERENCES_MAX = 128,
    MESSAGEKEYS_SIZE_MAX = 5120,
    /* What stands behind so many bytes of a header is not seen. */
    MESSAGEKEYS_HEADER_MAX = 262144,
};

struct messagekeys {
    bool has_date;    /* else INTERNALDATE is to be taken (RFC 5256 2.2) */
    int64_t date;     /* Date:, seconds since 1970 */
    int zone_minutes; /* of it */
    bool is_reply;    /* or forward, by its subject */
    uint64_t id;      /* Message-ID; 0: none */
    /* Of References, or of In-Reply-To the first (RFC 5256 3, REFERENCES 1): eight bytes each. */
    struct slice references;
    struct slice texts[MESSAGEKEYS_TEXTS];
};

/* The keys of a header (whole, or its beginning), appended to `bytes`. Any bytes are accepted. False
 * when `bytes` is full or memory is out. `charsets`: converters to keep open, or NULL. */
bool messagekeys_extract(struct slice header, struct charset_cache *charsets, struct str *bytes);
/* What was extracted; slices point into `bytes`. False: these are of another version, or damaged. */
bool messagekeys_read(struct slice bytes, struct messagekeys *keys);

size_t messagekeys_reference_count(const struct messagekeys *keys);
uint64_t messagekeys_reference(const struct messagekeys *keys, size_t place);
/* The thread is that of the first message of the line of references; a message that names none, and
 * has no name itself, is a thread of its own, by its id as an object (RFC 8474 5.2). */
uint64_t messagekeys_thread(const struct messagekeys *keys, uint64_t email_id);
/* The sent date of RFC 5256 2.2; `arrived` is the INTERNALDATE. */
int64_t messagekeys_sent(const struct messagekeys *keys, int64_t arrived);

/* For who wants the keys of many messages of one mailbox. */
struct messagekeys_reader {
    struct mailbox *mailbox;
    struct messagefile file;
    struct charset_cache charsets;
    struct str bytes;
};

void messagekeys_begin(struct messagekeys_reader *reader, struct mailbox *mailbox);
/* Leaves what was extracted in the mailbox's cache. */
void messagekeys_end(struct messagekeys_reader *reader);
/* The keys of the message at `index`, valid till the next call. One that can't be read has those of
 * an empty header. False when it is gone. */
bool messagekeys_get(struct messagekeys_reader *reader, size_t index, struct messagekeys *keys);

#endif
