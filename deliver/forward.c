/* forward - see forward.h */
#include "forward.h"

#include "io.h"
#include "log.h"
#include "mailaddress.h"
#include "wire.h"

#include <errno.h>

enum { PART = 32768, HEAD_MAX = ENVELOPE_ADDRESS_MAX + 32 };

enum { FIELD_BODY, FIELD_UTF8, FIELD_NOTIFY, FIELD_SENDER, FIELD_TARGETS };

static bool is_address(struct slice address, unsigned flags)
{
    struct mailaddress parsed;
    return mailaddress_parse(address, MAILADDRESS_UTF8 | flags, &parsed);
}

static bool read_head(const struct slice field[FIELD_TARGETS], struct envelope *envelope,
                      unsigned *notify)
{
    envelope->utf8 = slice_equal(field[FIELD_UTF8], SLICE("1"));
    return envelope_parse_body(field[FIELD_BODY], &envelope->body) &&
           (envelope->utf8 || slice_equal(field[FIELD_UTF8], SLICE("0"))) &&
           dsn_parse_notify(field[FIELD_NOTIFY], notify) &&
           (field[FIELD_SENDER].size == 0 || is_address(field[FIELD_SENDER], 0)) &&
           str_append(&envelope->sender, field[FIELD_SENDER]);
}

bool forward_read(struct slice field, struct envelope *envelope)
{
    struct slice head[FIELD_TARGETS];
    unsigned notify;
    envelope_clear(envelope);
    if (field.size == 0)
        return true;
    for (size_t i = 0; i < FIELD_TARGETS; i++)
        if (wire_cut_netstring(&field, field.size, &head[i]) != 1)
            return false;
    if (!read_head(head, envelope, &notify) || field.size == 0)
        return false;
    while (field.size > 0) {
        struct slice target;
        if (envelope->recipient_count >= FORWARD_TARGETS_MAX ||
            wire_cut_netstring(&field, field.size, &target) != 1 || !is_address(target, 0) ||
            !envelope_add_recipient_dsn(envelope, target, notify, SLICE("")))
            return false;
        /* RFC 6531 3.4: an address of UTF-8 needs the extension, whatever the message came with. */
        envelope->utf8 = envelope->utf8 || slice_has_high(target);
    }
    return true;
}

static bool send_message(struct inject *inject, const struct local_request *request, int fd)
{
    char bytes[PART];
    for (uint64_t at = 0; at < request->size;) {
        uint64_t left = request->size - at;
        size_t part = left < sizeof bytes ? (size_t)left : sizeof bytes;
        if (!io_pread_all(fd, bytes, part, (off_t)(request->start + at)))
            return false;
        inject_data(inject, slice_of(bytes, part));
        at += part;
    }
    return true;
}

static void send_head(struct inject *inject, const struct local_request *request)
{
    struct str head;
    str_init(&head, HEAD_MAX);
    str_append_text(&head, "Delivered-To: ");
    str_append(&head, request->recipient);
    if (str_append_text(&head, "\r\n"))
        inject_data(inject, str_slice(&head));
    else
        inject->broken = true;
    str_free(&head);
}

static void log_forwarded(const struct local_request *request, const struct envelope *envelope,
                          enum verdict verdict, struct slice reply)
{
    struct log_line line;
    log_begin(&line, verdict == VERDICT_OK ? "forwarded" : "not-forwarded");
    log_text(&line, "id", request->id);
    log_value(&line, "recipient", request->recipient);
    log_number(&line, "targets", (int64_t)envelope->recipient_count);
    log_value(&line, verdict == VERDICT_OK ? "as" : "reason", reply);
    log_end(&line);
}

static void set_result(struct local_result *result, enum verdict verdict, bool is_kept)
{
    static const struct local_result results[] = {
        [VERDICT_OK] = {VERDICT_OK, "2.0.0", "delivered and forwarded"},
        [VERDICT_TEMP] = {VERDICT_TEMP, "4.3.0", "the forwarded copy can't be queued now"},
        [VERDICT_PERM] = {VERDICT_PERM, "5.3.0", "the queue refuses the forwarded copy"},
    };
    *result = results[verdict];
    if (verdict == VERDICT_OK && !is_kept)
        result->text = "forwarded, not kept";
}

void forward_message(struct inject *inject, struct envelope *envelope,
                     const struct local_request *request, int fd, struct local_result *result)
{
    enum verdict verdict = VERDICT_TEMP;
    struct str reply;
    str_init(&reply, INJECT_REPLY_MAX);
    str_clear(&envelope->origin);
    str_format(&envelope->origin, "by=forward id=%s user=", request->id);
    str_append(&envelope->origin, request->recipient);
    inject_begin(inject, envelope);
    send_head(inject, request);
    if (send_message(inject, request, fd)) {
        verdict = inject_finish(inject, &reply);
    } else {
        log_trouble("read the message", request->id, errno, NULL);
        inject_abort(inject);
    }
    log_forwarded(request, envelope, verdict, str_slice(&reply));
    set_result(result, verdict, request->terms.receives);
    str_free(&reply);
}
