/*
 * bounce_report - a request of queued (bounce/2) turned into a report and put into the queue
 */
#ifndef DELIVER_BOUNCE_REPORT_H
#define DELIVER_BOUNCE_REPORT_H

#include "directory.h"
#include "inject.h"
#include "report.h"
#include "wire.h"

enum {
    BOUNCE_TEXT_MAX = 256,
    BOUNCE_ADDRESS_MAX = 320,
    BOUNCE_STATUS_MAX = 16,
    BOUNCE_SIZE_DEFAULT = 50000,
    BOUNCE_SIZE_MOST = 20971520,
};

struct bounce_request {
    struct slice id;
    uint64_t start, size;
    struct slice sender;
    int64_t arrived;
    enum report_kind kind;
    int64_t until; /* REPORT_DELAYED: when it is given up */
    enum envelope_body body;
    bool is_utf8;
    enum dsn_return ret;
    struct slice envid;
    struct report_recipient recipients[REPORT_RECIPIENTS_MAX];
    size_t recipient_count;
};

/* False: not bounce/2. Slices point into the message. */
bool bounce_request_parse(const struct wire_message *message, struct bounce_request *request);

struct bounce {
    struct directory directory;
    struct inject inject;
    struct str reply; /* queue id, or why not */
};
void bounce_init(struct bounce *bounce);
void bounce_free(struct bounce *bounce);

/* Writes the report about the message in `fd` and puts it into the queue. bounce->reply says what
 * became of it, beginning with a status code unless it is VERDICT_OK. */
enum verdict bounce_report(struct bounce *bounce, const struct bounce_request *request, int fd);

/* May all of the original go back? RFC 3461 4.3 knows failures alone; what the sender did not say, a
 * limit in bytes decides. Pure. */
bool bounce_is_whole(const struct bounce_request *request, uint64_t size_max);

/* Who gets the report, and from whom it is: pure. `postmaster` and `from` are the settings, which
 * may be empty. False when `to` is full. */
bool bounce_recipient(const struct bounce_request *request, struct slice postmaster, const char *me,
                      struct str *to);

#endif
