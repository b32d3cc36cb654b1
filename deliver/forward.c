/* forward - see forward.h */
#include "forward.h"

#include "io.h"
#include "log.h"
#include "mailaddress.h"
#include "wire.h"

#include <errno.h>

enum { PART = 32768, HEAD_MAX = 2 * (ENVELOPE_ADDRESS_MAX + 32) };

void forward_init(struct forward *forward, const char *inject_path)
{
    envelope_init(&forward->envelope);
    keywordmatch_init(&forward->match);
    inject_init(&forward->inject);
    forward->inject.path = inject_path;
}

void forward_free(struct forward *forward)
{
    envelope_free(&forward->envelope);
    keywordmatch_free(&forward->match);
    inject_close(&forward->inject);
}

/* ---- the field ---------------------------------------------------------------------------------- */

enum { FIELD_BODY, FIELD_UTF8, FIELD_NOTIFY, FIELD_SENDER, FIELD_RULES };

/* What stands in front of the rules. */
struct head {
    enum envelope_body body;
    bool utf8;
    unsigned notify;
    struct slice sender;
};

static bool is_address(struct slice address)
{
    struct mailaddress parsed;
    return mailaddress_parse(address, MAILADDRESS_UTF8, &parsed);
}

/* Cuts it off the front of *rest. */
static bool cut_head(struct slice *rest, struct head *head)
{
    struct slice field[FIELD_RULES];
    for (size_t i = 0; i < FIELD_RULES; i++)
        if (wire_cut_netstring(rest, rest->size, &field[i]) != 1)
            return false;
    head->utf8 = slice_equal(field[FIELD_UTF8], SLICE("1"));
    head->sender = field[FIELD_SENDER];
    return envelope_parse_body(field[FIELD_BODY], &head->body) &&
           (head->utf8 || slice_equal(field[FIELD_UTF8], SLICE("0"))) &&
           dsn_parse_notify(field[FIELD_NOTIFY], &head->notify) &&
           (head->sender.size == 0 || is_address(head->sender)) && rest->size > 0;
}

static bool check_targets(struct slice targets, size_t *count)
{
    struct slice target;
    int cut;
    while ((cut = forwardrule_cut_target(&targets, &target)) == 1)
        if (++*count > FORWARDRULE_TARGETS_MAX || !is_address(target))
            return false;
    return cut == 0;
}

bool forward_check(struct slice field)
{
    struct head head;
    struct forwardrule rule;
    size_t targets = 0;
    int cut;
    if (field.size == 0)
        return true;
    if (!cut_head(&field, &head))
        return false;
    while ((cut = forwardrule_cut(&field, &rule)) == 1)
        if (!check_targets(rule.targets, &targets))
            return false;
    return cut == 0;
}

/* ---- whither a message goes --------------------------------------------------------------------- */

static bool has_recipient(const struct envelope *envelope, struct slice address)
{
    for (size_t i = 0; i < envelope->recipient_count; i++)
        if (slice_equal(str_slice(&envelope->recipients[i].address), address))
            return true;
    return false;
}

static bool add_targets(struct envelope *envelope, struct slice targets, unsigned notify)
{
    struct slice target;
    while (forwardrule_cut_target(&targets, &target) == 1) {
        if (has_recipient(envelope, target))
            continue;
        if (!envelope_add_recipient_dsn(envelope, target, notify, SLICE("")))
            return false;
        /* RFC 6531 3.4: an address of UTF-8 needs the extension, whatever the message came with. */
        envelope->utf8 = envelope->utf8 || slice_has_high(target);
    }
    return true;
}

bool forward_choose(struct forward *forward, struct slice field, struct slice header)
{
    struct head head;
    struct forwardrule rule;
    struct envelope *envelope = &forward->envelope;
    envelope_clear(envelope);
    if (field.size == 0)
        return true;
    if (!forward_check(field) || !cut_head(&field, &head) ||
        !keywordmatch_read(&forward->match, header) || !str_append(&envelope->sender, head.sender))
        return false;
    envelope->body = head.body;
    envelope->utf8 = head.utf8;
    while (forwardrule_cut(&field, &rule) == 1)
        if (keywordmatch_has(&forward->match, rule.condition, rule.keyword) &&
            !add_targets(envelope, rule.targets, head.notify))
            return false;
    return true;
}

static bool has_condition(struct slice field)
{
    struct head head;
    struct forwardrule rule;
    if (!cut_head(&field, &head))
        return false;
    while (forwardrule_cut(&field, &rule) == 1)
        if (rule.condition != FORWARDRULE_ALL)
            return true;
    return false;
}

/* Reads the message's header only where a keyword is looked for. */
static bool choose(struct forward *forward, const struct local_request *request, int fd)
{
    struct str header;
    bool done = true;
    str_init(&header, KEYWORDMATCH_HEADER_MAX);
    if (has_condition(request->forward)) {
        size_t size = request->size < KEYWORDMATCH_HEADER_MAX ? (size_t)request->size
                                                              : KEYWORDMATCH_HEADER_MAX;
        char *room = size > 0 ? str_reserve(&header, size) : NULL;
        done = size == 0 || (room && io_pread_all(fd, room, size, (off_t)request->start));
        if (done)
            str_added(&header, size);
    }
    done = done && forward_choose(forward, request->forward, str_slice(&header));
    str_free(&header);
    return done;
}

/* ---- the copy ----------------------------------------------------------------------------------- */

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

static void put_delivered_to(struct str *head, struct slice address)
{
    str_append_text(head, "Delivered-To: ");
    str_append(head, address);
    str_append_text(head, "\r\n");
}

static void send_head(struct inject *inject, const struct local_request *request,
                      const char *domain)
{
    struct str head;
    char account[LOCAL_DELIVERY_ADDRESS_MAX + 1];
    str_init(&head, HEAD_MAX);
    put_delivered_to(&head, request->recipient);
    local_delivery_account(request, domain, account);
    if (!slice_equal_nocase(request->recipient, slice_text(account)))
        put_delivered_to(&head, slice_text(account));
    if (!head.failed)
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
        [VERDICT_OK] = {.verdict = VERDICT_OK,
                        .status = "2.0.0",
                        .text = "delivered and forwarded"},
        [VERDICT_TEMP] = {.verdict = VERDICT_TEMP,
                          .status = "4.3.0",
                          .text = "the forwarded copy can't be queued now"},
        [VERDICT_PERM] = {.verdict = VERDICT_PERM,
                          .status = "5.3.0",
                          .text = "the queue refuses the forwarded copy"},
    };
    *result = results[verdict];
    if (verdict == VERDICT_OK && !is_kept)
        result->text = "forwarded, not kept";
}

static void send_copy(struct forward *forward, const struct local_request *request,
                      const char *domain, int fd, struct local_result *result)
{
    enum verdict verdict = VERDICT_TEMP;
    struct envelope *envelope = &forward->envelope;
    struct str reply;
    str_init(&reply, INJECT_REPLY_MAX);
    str_clear(&envelope->origin);
    str_format(&envelope->origin, "by=forward id=%s user=", request->id);
    str_append(&envelope->origin, request->recipient);
    inject_begin(&forward->inject, envelope);
    send_head(&forward->inject, request, domain);
    if (send_message(&forward->inject, request, fd)) {
        verdict = inject_finish(&forward->inject, &reply);
    } else {
        log_trouble("read the message", request->id, errno, NULL);
        inject_abort(&forward->inject);
    }
    log_forwarded(request, envelope, verdict, str_slice(&reply));
    set_result(result, verdict, request->terms.receives);
    str_free(&reply);
}

void forward_message(struct forward *forward, const struct local_request *request,
                     const char *domain, int fd, struct local_result *result)
{
    if (request->forward.size == 0)
        return;
    if (!choose(forward, request, fd)) {
        log_trouble("choose the forwards of", request->id, errno, NULL);
        *result = (struct local_result){
            .verdict = VERDICT_TEMP, .status = "4.3.0", .text = "forwarding has passing trouble"};
    } else if (forward->envelope.recipient_count > 0) {
        send_copy(forward, request, domain, fd, result);
    }
}
