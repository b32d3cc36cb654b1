/* autoreply - see autoreply.h */
#include "autoreply.h"

#include "clock.h"
#include "io.h"
#include "log.h"
#include "number.h"
#include "replied.h"
#include "replymessage.h"
#include "replyrules.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

enum { START_MAX = 65536, UNIQUE_MAX = 48, RANDOM_DIGITS = 16 };

/* Who sent the message. */
static struct slice sender_of(const struct local_request *request)
{
    return request->terms.reply_to.size > 0 ? request->terms.reply_to : request->sender;
}

static void log_reply(const struct local_request *request, const char *event, const char *key,
                      struct slice value)
{
    struct log_line line;
    log_begin(&line, event);
    log_text(&line, "id", request->id);
    log_value(&line, "recipient", request->recipient);
    log_value(&line, "to", sender_of(request));
    log_value(&line, key, value);
    log_end(&line);
}

static void log_stopped(const struct local_request *request, const char *reason)
{
    log_reply(request, "not-auto-replied", "reason", slice_text(reason));
}

/* The header, and what fits behind it. False: the message can't be read. */
static bool read_start(const struct local_request *request, int fd, struct str *start)
{
    size_t size = request->size < START_MAX ? (size_t)request->size : START_MAX;
    char *room = str_reserve(start, size);
    if (!room || !io_pread_all(fd, room, size, (off_t)request->start))
        return false;
    str_added(start, size);
    return true;
}

static enum replyrules_verdict decide(const struct local_request *request, struct slice domain,
                                      struct slice start, struct slice *header)
{
    struct replyrules_mail mail = {
        .sender = sender_of(request),
        .recipient = request->recipient,
        .mailbox = slice_text(request->mailbox),
        .domain = domain,
        .added = request->added,
    };
    *header = replyrules_header(start, request->size <= START_MAX, &mail.is_whole);
    mail.header = *header;
    return replyrules_decide(&mail);
}

/* The domain that the mail was addressed to, a child's perhaps; in UTF-8 it would not reach all. */
static struct slice choose_domain(const struct local_request *request, struct slice domain)
{
    struct slice addressed =
        slice_from(request->recipient, slice_find_last(request->recipient, '@') + 1);
    return slice_has_high(addressed) ? domain : addressed;
}

static bool make_unique(const struct local_request *request, char unique[UNIQUE_MAX])
{
    uint64_t random;
    char digits[RANDOM_DIGITS];
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    number_put_hex(random, digits, sizeof digits);
    snprintf(unique, UNIQUE_MAX, "auto.%s.%.*s", request->id, RANDOM_DIGITS, digits);
    return true;
}

/* RFC 3834 3.3: from the null sender; and no report of it, for nobody waits for it. */
static enum verdict queue_reply(struct inject *inject, const struct local_request *request,
                                struct slice message, struct str *answer)
{
    struct envelope envelope;
    enum verdict verdict = VERDICT_TEMP;
    envelope_init(&envelope);
    str_format(&envelope.origin, "by=reply id=%s user=", request->id);
    str_append(&envelope.origin, request->recipient);
    envelope.utf8 = slice_has_high(sender_of(request));
    envelope.body = envelope.utf8 ? ENVELOPE_BODY_8BIT : ENVELOPE_BODY_7BIT;
    if (!envelope.origin.failed &&
        envelope_add_recipient_dsn(&envelope, sender_of(request), DSN_NOTIFY_NEVER, SLICE(""))) {
        inject_begin(inject, &envelope);
        inject_data(inject, message);
        verdict = inject_finish(inject, answer);
    }
    envelope_free(&envelope);
    return verdict;
}

static void send_reply(struct inject *inject, const struct local_request *request,
                       const struct replymessage *reply)
{
    struct str message, answer;
    str_init(&message, REPLYMESSAGE_MAX);
    str_init(&answer, INJECT_REPLY_MAX);
    enum verdict verdict = VERDICT_TEMP;
    if (replymessage_compose(reply, &message))
        verdict = queue_reply(inject, request, str_slice(&message), &answer);
    if (verdict == VERDICT_OK)
        log_reply(request, "auto-replied", "as", str_slice(&answer));
    else
        log_reply(request, "not-auto-replied", "reason",
                  answer.size > 0 ? str_slice(&answer) : SLICE("no memory"));
    str_free(&message);
    str_free(&answer);
}

/* Noted first, sent then: what breaks off in between costs a reply, and never makes two. */
static void answer_sender(struct inject *inject, const struct local_request *request,
                          struct slice domain, struct slice start, struct slice header)
{
    char unique[UNIQUE_MAX];
    const struct replymessage reply = {
        .local = slice_text(request->mailbox),
        .domain = choose_domain(request, domain),
        .to = sender_of(request),
        .utf8 = request->terms.reply,
        .seven = request->terms.reply_seven,
        .start = start,
        .header = header,
        .now = clock_seconds(),
        .unique = unique,
    };
    enum replied_result result = make_unique(request, unique)
                                     ? replied_note(request->mailbox, sender_of(request), reply.now,
                                                    request->terms.reply_interval)
                                     : REPLIED_TROUBLE;
    if (result == REPLIED_FIRST)
        send_reply(inject, request, &reply);
    else if (result == REPLIED_BEFORE)
        log_stopped(request, "answered-before");
    else
        log_trouble("note who is answered in", request->mailbox, errno,
                    "look at the disk, and at the file replied there");
}

void autoreply_answer(struct inject *inject, const struct local_request *request,
                      struct slice domain, int fd)
{
    struct str start;
    struct slice header;
    if (request->terms.reply.size == 0)
        return;
    str_init(&start, START_MAX);
    if (!read_start(request, fd, &start)) {
        log_trouble("read the message", request->id, errno, NULL);
    } else {
        enum replyrules_verdict verdict = decide(request, domain, str_slice(&start), &header);
        if (verdict == REPLYRULES_ANSWER)
            answer_sender(inject, request, domain, str_slice(&start), header);
        else
            log_stopped(request, replyrules_name(verdict));
    }
    str_free(&start);
}
