/* bounce_report - see bounce_report.h */
#include "bounce_report.h"

#include "clock.h"
#include "io.h"
#include "log.h"
#include "queuefile.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

/* What a report about a report bears as its sender; queue-inject takes it from us alone. */
#define DOUBLE_SENDER "#@[]"

enum {
    FIELD_PROTOCOL,
    FIELD_ID,
    FIELD_START,
    FIELD_SIZE,
    FIELD_SENDER,
    FIELD_ARRIVED,
    FIELD_KIND,
    FIELD_RECIPIENTS,
    FIELDS_PER_RECIPIENT = 3
};

static bool parse_recipients(const struct wire_message *message, struct bounce_request *request)
{
    size_t fields = message->count - FIELD_RECIPIENTS;
    request->recipient_count = fields / FIELDS_PER_RECIPIENT;
    if (fields == 0 || fields % FIELDS_PER_RECIPIENT != 0 ||
        request->recipient_count > REPORT_RECIPIENTS_MAX)
        return false;
    for (size_t i = 0; i < request->recipient_count; i++) {
        size_t at = FIELD_RECIPIENTS + i * FIELDS_PER_RECIPIENT;
        struct report_recipient *one = &request->recipients[i];
        *one = (struct report_recipient){.address = wire_field(message, at),
                                         .status = wire_field(message, at + 1),
                                         .text = wire_field(message, at + 2)};
        if (one->address.size == 0 || one->address.size > BOUNCE_ADDRESS_MAX ||
            one->status.size > BOUNCE_STATUS_MAX || slice_has_control(one->address) ||
            slice_has_control(one->status) || slice_has_control(one->text))
            return false;
    }
    return true;
}

bool bounce_request_parse(const struct wire_message *message, struct bounce_request *request)
{
    uint64_t arrived;
    struct slice kind = wire_field(message, FIELD_KIND);
    if (message->count <= FIELD_RECIPIENTS ||
        !slice_equal(wire_field(message, FIELD_PROTOCOL), SLICE("bounce/1")) ||
        !queuefile_is_id(wire_field(message, FIELD_ID)) ||
        !wire_number(message, FIELD_START, INT64_MAX / 2, &request->start) ||
        !wire_number(message, FIELD_SIZE, INT64_MAX / 2, &request->size) ||
        !wire_number(message, FIELD_ARRIVED, INT64_MAX, &arrived))
        return false;
    request->id = wire_field(message, FIELD_ID);
    request->arrived = (int64_t)arrived;
    request->sender = wire_field(message, FIELD_SENDER);
    request->is_double = slice_equal(kind, SLICE("double"));
    bool is_kind = request->is_double
                       ? request->sender.size == 0
                       : slice_equal(kind, SLICE("failed")) && request->sender.size > 0;
    return is_kind && request->sender.size <= BOUNCE_ADDRESS_MAX &&
           !slice_has_control(request->sender) && parse_recipients(message, request);
}

bool bounce_recipient(const struct bounce_request *request, struct slice postmaster, const char *me,
                      struct str *to)
{
    if (!request->is_double)
        return str_append(to, request->sender);
    if (postmaster.size > 0)
        return str_append(to, postmaster);
    return str_format(to, "postmaster@%s", me);
}

void bounce_init(struct bounce *bounce)
{
    directory_init(&bounce->directory);
    inject_init(&bounce->inject);
    str_init(&bounce->reply, INJECT_REPLY_MAX);
}

void bounce_free(struct bounce *bounce)
{
    inject_close(&bounce->inject);
    directory_close(&bounce->directory);
    str_free(&bounce->reply);
}

/* ---- the work ----------------------------------------------------------------------------------- */

/* What one report needs, owned. */
struct work {
    struct str me, from, postmaster, to, header, text;
    char unique[64];
};

static void work_init(struct work *work)
{
    str_init(&work->me, BOUNCE_TEXT_MAX);
    str_init(&work->from, BOUNCE_TEXT_MAX);
    str_init(&work->postmaster, BOUNCE_ADDRESS_MAX);
    str_init(&work->to, BOUNCE_ADDRESS_MAX);
    str_init(&work->header, REPORT_HEADER_MAX);
    str_init(&work->text, REPORT_MAX);
}

static void work_free(struct work *work)
{
    struct str *const all[] = {&work->me, &work->from,   &work->postmaster,
                               &work->to, &work->header, &work->text};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        str_free(all[i]);
}

static enum verdict trouble(struct bounce *bounce, const char *text)
{
    str_clear(&bounce->reply);
    str_append_text(&bounce->reply, text);
    return VERDICT_TEMP;
}

static bool read_settings(struct bounce *bounce, struct work *work)
{
    if (!directory_host(&bounce->directory, "me", &work->me) || !str_text(&work->me))
        return false;
    if (!directory_host(&bounce->directory, "bouncefrom", &work->from) || work->from.size == 0)
        str_append_text(&work->from, "MAILER-DAEMON");
    /* Without one it is postmaster@me. */
    if (!directory_host(&bounce->directory, "postmaster", &work->postmaster))
        str_clear(&work->postmaster);
    return !work->from.failed;
}

/* A part of the message is enough: its header. */
static bool read_header(const struct bounce_request *request, int fd, struct work *work)
{
    size_t size = request->size < REPORT_HEADER_MAX ? (size_t)request->size : REPORT_HEADER_MAX;
    char *room = str_reserve(&work->header, size);
    if (!room || !io_pread_all(fd, room, size, (off_t)request->start))
        return false;
    str_added(&work->header, size);
    return true;
}

static bool make_unique(const struct bounce_request *request, struct work *work)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    snprintf(work->unique, sizeof work->unique, "report.%.*s.%016llx", SLICE_PRINTF(request->id),
             (unsigned long long)random);
    return true;
}

static enum verdict put_into_queue(struct bounce *bounce, const struct bounce_request *request,
                                   const struct work *work)
{
    struct envelope envelope;
    envelope_init(&envelope);
    str_format(&envelope.origin, "by=bounce about=%.*s", SLICE_PRINTF(request->id));
    if (request->is_double)
        str_append_text(&envelope.sender, DOUBLE_SENDER);
    envelope.utf8 = slice_has_high(str_slice(&work->to));
    envelope.body =
        slice_has_high(str_slice(&work->text)) ? ENVELOPE_BODY_8BIT : ENVELOPE_BODY_7BIT;
    bool is_complete = envelope_add_recipient(&envelope, str_slice(&work->to)) &&
                       !envelope.origin.failed && !envelope.sender.failed;
    enum verdict verdict;
    if (is_complete) {
        inject_begin(&bounce->inject, &envelope);
        inject_data(&bounce->inject, str_slice(&work->text));
        verdict = inject_finish(&bounce->inject, &bounce->reply);
    } else {
        verdict = trouble(bounce, "4.3.0 no memory");
    }
    envelope_free(&envelope);
    return verdict;
}

static enum verdict write_report(struct bounce *bounce, const struct bounce_request *request,
                                 int fd, struct work *work)
{
    if (!read_settings(bounce, work))
        return trouble(bounce, "4.3.5 cdb/host.cdb can't be read");
    if (!bounce_recipient(request, str_slice(&work->postmaster), str_text(&work->me), &work->to) ||
        !make_unique(request, work))
        return trouble(bounce, "4.3.0 no memory");
    if (!read_header(request, fd, work)) {
        log_trouble("read the message", "to report about", errno, NULL);
        return trouble(bounce, "4.3.0 the message can't be read");
    }
    struct report report = {.me = str_text(&work->me),
                            .from = str_slice(&work->from),
                            .to = str_slice(&work->to),
                            .is_double = request->is_double,
                            .id = request->id,
                            .arrived = request->arrived,
                            .now = clock_seconds(),
                            .unique = work->unique,
                            .header = report_header(str_slice(&work->header)),
                            .recipients = request->recipients,
                            .recipient_count = request->recipient_count};
    if (!report_write(&report, &work->text))
        return trouble(bounce, "4.3.0 no memory for the report");
    return put_into_queue(bounce, request, work);
}

enum verdict bounce_report(struct bounce *bounce, const struct bounce_request *request, int fd)
{
    struct work work;
    work_init(&work);
    enum verdict verdict = write_report(bounce, request, fd, &work);
    work_free(&work);
    return verdict;
}
