/*
 * queuefile - the form of a message in the queue
 *
 * ROOT/queue/message/ID holds an envelope block, an empty line, then the message in wire form:
 *
 *     mail-suite-queue 1
 *     id 0cw9x2k4m7q1p
 *     size 0000000000001234            bytes of the message, 16 digits, written last
 *     check 1a2b3c4d                   CRC-32 of the message, written with the size
 *     arrived 1763766000               seconds since 1970
 *     origin by=submission client=192.0.2.1 user=u1@example.jp
 *     body 8bit                        7bit, 8bit or binary; behind it, where they were said:
 *                                      utf8 (SMTPUTF8), ret=HDRS|FULL, envid=XTEXT (RFC 3461)
 *     sender u1@example.jp
 *     T u2@example.jp                  one line per recipient; the first byte is its status:
 *                                      T to do, W to do and its sender was told of the delay, D done,
 *                                      F failed, S delivered or R relayed and its sender wants to
 *                                      know; F, S and R become D when the report is out
 *      notify=SUCCESS,FAILURE orcpt=rfc822;u@example.com      what it wants to hear of, if said
 *     D u3@example.org
 *
 * A file is written as .ID, a draft, and gets its name when it is on disk; the new name is not
 * synced. So a draft that a power cut left may be a message that was acknowledged: it is, if size and
 * check are right (queue/draft.h).
 *
 * Lines of the block end in LF. Status bytes are overwritten in place. A file whose size is not
 * block + size was cut short and was never acknowledged. No value holds a control byte.
 * ROOT/queue/failure/ID collects, one line each, what is to be reported: netstrings recipient,
 * enhanced status, text, the other server; written and synced before the status byte says F. (Of
 * S and R it is written behind the byte: a crash may cost the words, never a second delivery.)
 */
#ifndef COMMON_QUEUEFILE_H
#define COMMON_QUEUEFILE_H

#include "envelope.h"

#include <stdint.h>
#include <sys/types.h>

enum {
    QUEUEFILE_ID_SIZE = 13, /* base32 digits: microseconds since 1970 and a random tail */
    QUEUEFILE_SIZE_DIGITS = 16,
    QUEUEFILE_CHECK_DIGITS = 8,
    /* From the first digit of the size to the last of the check. */
    QUEUEFILE_SEAL_SIZE = QUEUEFILE_SIZE_DIGITS + sizeof "\ncheck " - 1 + QUEUEFILE_CHECK_DIGITS,
    QUEUEFILE_BLOCK_MAX = 1048576,
};

enum queuefile_status {
    QUEUEFILE_TODO = 'T',
    QUEUEFILE_WARNED = 'W', /* to do; a report of the delay went out */
    QUEUEFILE_DONE = 'D',
    QUEUEFILE_FAILED = 'F',    /* a report is owed, as with the next two */
    QUEUEFILE_DELIVERED = 'S', /* into a mailbox of ours */
    QUEUEFILE_RELAYED = 'R',   /* to a server that does not report */
};
/* T or W */
bool queuefile_is_todo(char status);
/* S or R */
bool queuefile_is_success(char status);
/* "todo", "done" or "failed", as mailq and mailctl show it: that a report is owed yet is not told. */
const char *queuefile_status_word(char status);

struct queuefile_recipient {
    char status; /* enum queuefile_status */
    struct slice address;
    unsigned notify;    /* bits of dsn.h */
    struct slice orcpt; /* empty: none was given */
    off_t offset;       /* of the status byte in the file */
};

struct queuefile {
    struct slice id;
    uint64_t size;  /* of the message */
    uint32_t check; /* CRC-32 of the message */
    off_t start;    /* where the message begins */
    int64_t arrived;
    struct slice origin;
    struct slice sender;
    enum envelope_body body;
    bool utf8;
    enum dsn_return ret;
    struct slice envid;                     /* xtext; empty: none was given */
    struct queuefile_recipient *recipients; /* owned */
    size_t recipient_count;
};

/* Parses the block at the front of `bytes` (slices point into it). 1: done; 0: more bytes are
 * needed; -1: garbage, or out of memory (errno ENOMEM). Call queuefile_free after 1. */
int queuefile_parse(struct slice bytes, struct queuefile *file);
void queuefile_free(struct queuefile *file);

/* Writes the block for `envelope`; the seal is left as zeros at *seal_offset. False when the
 * envelope has no recipient, too many, a control byte anywhere, or there is no memory. */
bool queuefile_format(struct str *block, struct slice id, int64_t arrived,
                      const struct envelope *envelope, off_t *seal_offset);

/* The seal, size and check as they stand in the file: what a message gets when it is whole. */
void queuefile_format_seal(uint64_t size, uint32_t check, char seal[QUEUEFILE_SEAL_SIZE]);

/* The name of a file that is being written. */
void queuefile_draft_name(const char *id, char name[QUEUEFILE_ID_SIZE + 2]);

/* Is this a well-formed id (and so safe as a file name)? */
bool queuefile_is_id(struct slice id);
/* When an id was made, in microseconds since 1970: the message's time of arrival. */
int64_t queuefile_id_time(struct slice id);
/* A new id, unique but for an accident that linkat's EEXIST shows. */
void queuefile_new_id(char id[QUEUEFILE_ID_SIZE + 1]);

#endif
