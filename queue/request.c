/* request - see request.h */
#include "request.h"

#include "admission.h"
#include "failure.h"

struct slice request_sender(const struct loaded *loaded)
{
    struct slice sender = loaded->file.sender;
    return slice_equal(sender, SLICE(ADMISSION_DOUBLE_SENDER)) ? SLICE("") : sender;
}

static void put_message(struct str *packet, const char *protocol, const struct loaded *loaded)
{
    wire_put_text(packet, protocol);
    wire_put(packet, loaded->file.id);
    wire_put_number(packet, (uint64_t)loaded->file.start);
    wire_put_number(packet, loaded->file.size);
    wire_put(packet, request_sender(loaded));
}

void request_local(struct str *packet, const struct loaded *loaded, size_t recipient,
                   const char *mailbox, struct slice added)
{
    put_message(packet, "local/1", loaded);
    wire_put_text(packet, mailbox);
    wire_put(packet, loaded->file.recipients[recipient].address);
    wire_put(packet, added);
}

static void put_recipient(struct str *packet, const struct queuefile_recipient *recipient)
{
    struct str notify;
    str_init(&notify, DSN_NOTIFY_TEXT_MAX);
    dsn_format_notify(recipient->notify, &notify);
    wire_put(packet, recipient->address);
    wire_put(packet, str_slice(&notify));
    wire_put(packet, recipient->orcpt);
    str_free(&notify);
}

void request_remote(struct str *packet, const struct loaded *loaded, const struct job *job,
                    struct slice added)
{
    put_message(packet, "remote/2", loaded);
    wire_put_text(packet, envelope_body_letter(loaded->file.body));
    wire_put_text(packet, loaded->file.utf8 ? "1" : "0");
    wire_put_text(packet, dsn_return_name(loaded->file.ret));
    wire_put(packet, loaded->file.envid);
    wire_put_text(packet, job->destination->route.host);
    wire_put_text(packet, job->destination->route.port);
    wire_put(packet, added);
    for (size_t i = 0; i < job->count; i++)
        put_recipient(packet, &loaded->file.recipients[job->recipients[i]]);
}

/* The last reason that was noted for a recipient. */
static struct failure find_failure(struct slice failures, struct slice recipient)
{
    struct failure found = {.status = SLICE("5.0.0"), .text = SLICE("delivery failed")};
    struct failure one;
    while (failure_next(&failures, &one))
        if (slice_equal(one.recipient, recipient))
            found = one;
    return found;
}

void request_bounce(struct str *packet, const struct loaded *loaded, const struct job *job,
                    struct slice failures)
{
    put_message(packet, "bounce/1", loaded);
    wire_put_number(packet, (uint64_t)loaded->file.arrived);
    wire_put_text(packet, loaded->file.sender.size > 0 ? "failed" : "double");
    for (size_t i = 0; i < job->count; i++) {
        struct slice recipient = loaded->file.recipients[job->recipients[i]].address;
        struct failure failure = find_failure(failures, recipient);
        wire_put(packet, recipient);
        wire_put(packet, failure.status);
        wire_put(packet, failure.text);
    }
}

/* "5.1.1": a digit of the verdict's class, then two numbers (RFC 3463 2). */
static bool is_status(struct slice status, char class)
{
    struct slice rest = status;
    struct slice first = slice_cut(&rest, '.');
    struct slice second = slice_cut(&rest, '.');
    struct slice parts[] = {second, rest};
    if (first.size != 1 || first.data[0] != class)
        return false;
    for (size_t part = 0; part < 2; part++) {
        if (parts[part].size == 0 || parts[part].size > 3)
            return false;
        for (size_t i = 0; i < parts[part].size; i++)
            if (!slice_is_digit(parts[part].data[i]))
                return false;
    }
    return true;
}

static void set_text(struct outcome *outcome, struct slice text)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size && size < sizeof outcome->text - 1; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        outcome->text[size++] = byte < ' ' || byte == 0x7f ? ' ' : (char)byte;
    }
    outcome->text[size] = '\0';
}

static const struct {
    char class;
    const char *status;
} classes[] = {
    [VERDICT_OK] = {'2', "2.0.0"},
    [VERDICT_TEMP] = {'4', "4.0.0"},
    [VERDICT_PERM] = {'5', "5.0.0"},
};

void request_set_outcome(struct outcome *outcome, enum verdict verdict, const char *status,
                         struct slice text)
{
    *outcome = (struct outcome){.verdict = verdict};
    bool fits = slice_copy_text(slice_text(status), outcome->status, sizeof outcome->status);
    if (!fits || !is_status(slice_text(status), classes[verdict].class))
        slice_copy_text(slice_text(classes[verdict].status), outcome->status,
                        sizeof outcome->status);
    set_text(outcome, text);
}

/* Verdict, status, text; of remote also whether the duty to report went along. */
enum { FIELDS_LOCAL = 3, FIELDS_REMOTE = 4 };

void request_outcome(const struct wire_message *answer, size_t index, size_t count,
                     struct outcome *outcome)
{
    char status[REQUEST_STATUS_MAX];
    const size_t fields = count > 0 ? answer->count / count : 0;
    if (index >= count || answer->count != count * fields ||
        (fields != FIELDS_LOCAL && fields != FIELDS_REMOTE)) {
        request_set_outcome(outcome, VERDICT_TEMP, "4.3.5",
                            SLICE("the delivery program's answer is not understood"));
        return;
    }
    size_t first = index * fields;
    if (!wire_copy_text(answer, first + 1, status, sizeof status))
        status[0] = '\0';
    request_set_outcome(outcome, verdict_from_letter(wire_field(answer, first)), status,
                        wire_field(answer, first + 2));
    outcome->is_passed_on =
        fields == FIELDS_REMOTE && slice_equal(wire_field(answer, first + 3), SLICE("1"));
}
