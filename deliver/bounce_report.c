/* bounce_report - see bounce_report.h */
#include "bounce_report.h"

#include "clock.h"
#include "io.h"
#include "log.h"
#include "queuefile.h"
#include "returned.h"

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
    FIELD_UNTIL,
    FIELD_BODY,
    FIELD_UTF8,
    FIELD_RET,
    FIELD_ENVID,
    FIELD_RECIPIENTS,
    FIELDS_PER_RECIPIENT = 6
};

static const struct {
    const char *name;
    unsigned actions; /* that recipients may have in it */
    bool has_sender;
} kinds[] = {
    [REPORT_FAILED] = {"failed", 1u << REPORT_ACTION_FAILED, true},
    [REPORT_DOUBLE] = {"double", 1u << REPORT_ACTION_FAILED, false},
    [REPORT_DELAYED] = {"delayed", 1u << REPORT_ACTION_DELAYED, true},
    [REPORT_SUCCESS] = {"success",
                        1u << REPORT_ACTION_DELIVERED | 1u << REPORT_ACTION_RELAYED |
                            1u << REPORT_ACTION_EXPANDED,
                        true},
};

static bool parse_kind(struct slice name, enum report_kind *kind)
{
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_equal(name, slice_text(kinds[i].name))) {
            *kind = (enum report_kind)i;
            return true;
        }
    return false;
}

/* One line, and not too long. */
static bool is_line(struct slice text, size_t max)
{
    return text.size <= max && !slice_has_control(text);
}

static bool parse_recipient(const struct wire_message *message, size_t at, enum report_kind kind,
                            struct report_recipient *one)
{
    *one = (struct report_recipient){.address = wire_field(message, at),
                                     .status = wire_field(message, at + 2),
                                     .text = wire_field(message, at + 3),
                                     .orcpt = wire_field(message, at + 4),
                                     .server = wire_field(message, at + 5)};
    return report_parse_action(wire_field(message, at + 1), &one->action) &&
           (kinds[kind].actions & 1u << one->action) != 0 && one->address.size > 0 &&
           is_line(one->address, BOUNCE_ADDRESS_MAX) && is_line(one->status, BOUNCE_STATUS_MAX) &&
           is_line(one->text, WIRE_MAX_SIZE) && is_line(one->server, BOUNCE_TEXT_MAX) &&
           (one->orcpt.size == 0 || dsn_is_orcpt(one->orcpt));
}

static bool parse_recipients(const struct wire_message *message, struct bounce_request *request)
{
    size_t fields = message->count - FIELD_RECIPIENTS;
    request->recipient_count = fields / FIELDS_PER_RECIPIENT;
    if (fields == 0 || fields % FIELDS_PER_RECIPIENT != 0 ||
        request->recipient_count > REPORT_RECIPIENTS_MAX)
        return false;
    for (size_t i = 0; i < request->recipient_count; i++)
        if (!parse_recipient(message, FIELD_RECIPIENTS + i * FIELDS_PER_RECIPIENT, request->kind,
                             &request->recipients[i]))
            return false;
    return true;
}

/* What the envelope said of the whole message. */
static bool parse_wishes(const struct wire_message *message, struct bounce_request *request)
{
    struct slice utf8 = wire_field(message, FIELD_UTF8);
    request->envid = wire_field(message, FIELD_ENVID);
    request->is_utf8 = slice_equal(utf8, SLICE("1"));
    return envelope_parse_body(wire_field(message, FIELD_BODY), &request->body) &&
           (request->is_utf8 || slice_equal(utf8, SLICE("0"))) &&
           dsn_parse_return(wire_field(message, FIELD_RET), &request->ret) &&
           (request->envid.size == 0 || dsn_is_envid(request->envid));
}

bool bounce_request_parse(const struct wire_message *message, struct bounce_request *request)
{
    uint64_t arrived, until;
    if (message->count <= FIELD_RECIPIENTS ||
        !slice_equal(wire_field(message, FIELD_PROTOCOL), SLICE("bounce/2")) ||
        !queuefile_is_id(wire_field(message, FIELD_ID)) ||
        !wire_number(message, FIELD_START, INT64_MAX / 2, &request->start) ||
        !wire_number(message, FIELD_SIZE, INT64_MAX / 2, &request->size) ||
        !wire_number(message, FIELD_ARRIVED, INT64_MAX, &arrived) ||
        !wire_number(message, FIELD_UNTIL, INT64_MAX, &until) ||
        !parse_kind(wire_field(message, FIELD_KIND), &request->kind))
        return false;
    request->id = wire_field(message, FIELD_ID);
    request->arrived = (int64_t)arrived;
    request->until = (int64_t)until;
    request->sender = wire_field(message, FIELD_SENDER);
    return kinds[request->kind].has_sender == (request->sender.size > 0) &&
           is_line(request->sender, BOUNCE_ADDRESS_MAX) && parse_wishes(message, request) &&
           parse_recipients(message, request);
}

bool bounce_is_whole(const struct bounce_request *request, uint64_t size_max)
{
    return (request->kind == REPORT_FAILED || request->kind == REPORT_DOUBLE) &&
           request->ret != DSN_RETURN_HEADERS && request->body != ENVELOPE_BODY_BINARY &&
           request->size <= size_max;
}

bool bounce_recipient(const struct bounce_request *request, struct slice postmaster, const char *me,
                      struct str *to)
{
    if (request->kind != REPORT_DOUBLE)
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
    struct str me, from, postmaster, to, message, text;
    uint64_t size_max; /* of an original that goes back whole */
    char unique[64];
};

static void work_init(struct work *work)
{
    str_init(&work->me, BOUNCE_TEXT_MAX);
    str_init(&work->from, BOUNCE_TEXT_MAX);
    str_init(&work->postmaster, BOUNCE_ADDRESS_MAX);
    str_init(&work->to, BOUNCE_ADDRESS_MAX);
    str_init(&work->message, BOUNCE_SIZE_MOST + REPORT_HEADER_MAX);
    /* Quoted-printable triples what it encodes, and breaks its lines. */
    str_init(&work->text, REPORT_MAX + 4 * BOUNCE_SIZE_MOST);
}

static void work_free(struct work *work)
{
    struct str *const all[] = {&work->me, &work->from,    &work->postmaster,
                               &work->to, &work->message, &work->text};
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
    if (!directory_host_number(&bounce->directory, "bounce-size", &work->size_max))
        work->size_max = BOUNCE_SIZE_DEFAULT;
    return !work->from.failed;
}

/* All of the message, or a part that holds its header. */
static bool read_original(const struct bounce_request *request, int fd, struct work *work)
{
    uint64_t most = REPORT_HEADER_MAX;
    if (bounce_is_whole(request, work->size_max) && request->size > most)
        most = request->size;
    size_t size = (size_t)(request->size < most ? request->size : most);
    char *room = str_reserve(&work->message, size);
    if (!room || !io_pread_all(fd, room, size, (off_t)request->start))
        return false;
    str_added(&work->message, size);
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
    if (request->kind == REPORT_DOUBLE)
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

/* Of forwarded mail the first sender is told, not the address that we made of his. */
static bool find_first_sender(struct bounce *bounce, struct str *to)
{
    struct str original;
    str_init(&original, BOUNCE_ADDRESS_MAX);
    enum srs_result result =
        returned_find(&bounce->directory, str_slice(to), clock_seconds(), &original);
    if (result != SRS_OK) {
        str_free(&original);
        return result != SRS_TROUBLE;
    }
    str_free(to);
    *to = original;
    return true;
}

static enum verdict write_report(struct bounce *bounce, const struct bounce_request *request,
                                 int fd, struct work *work)
{
    if (!read_settings(bounce, work))
        return trouble(bounce, "4.3.5 cdb/host.cdb can't be read");
    if (!bounce_recipient(request, str_slice(&work->postmaster), str_text(&work->me), &work->to) ||
        !make_unique(request, work))
        return trouble(bounce, "4.3.0 no memory");
    if (!find_first_sender(bounce, &work->to))
        return trouble(bounce, "4.3.5 the directory can't be read");
    if (!read_original(request, fd, work)) {
        log_trouble("read the message", "to report about", errno, NULL);
        return trouble(bounce, "4.3.0 the message can't be read");
    }
    struct report report = {.kind = request->kind,
                            .me = str_text(&work->me),
                            .from = str_slice(&work->from),
                            .to = str_slice(&work->to),
                            .id = request->id,
                            .arrived = request->arrived,
                            .now = clock_seconds(),
                            .until = request->until,
                            .envid = request->envid,
                            .unique = work->unique,
                            .message = str_slice(&work->message),
                            .is_whole = bounce_is_whole(request, work->size_max),
                            .is_utf8 = request->is_utf8,
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
