/* request - see request.h */
#include "request.h"

#include "admission.h"
#include "failure.h"
#include "route.h"

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
                   const struct request_delivery *delivery)
{
    put_message(packet, "local/4", loaded);
    wire_put_text(packet, delivery->mailbox);
    wire_put(packet, loaded->file.recipients[recipient].address);
    wire_put(packet, delivery->added);
    wire_put(packet, delivery->forward);
    wire_put_text(packet, envelope_body_letter(loaded->file.body));
    wire_put_text(packet, delivery->is_repeat ? "1" : "0");
    wire_put_text(packet, delivery->spares_folder ? "file" : "folder");
    wire_put(packet, delivery->terms);
}

void request_remote(struct str *packet, const struct loaded *loaded, const struct job *job,
                    struct slice added)
{
    struct route route;
    const struct destination *to = job->destination;
    if (!route_parse(to->is_routed ? slice_text(to->name) : SLICE(""), &route))
        packet->failed = true;
    put_message(packet, "remote/2", loaded);
    wire_put_text(packet, envelope_body_letter(loaded->file.body));
    wire_put_text(packet, loaded->file.utf8 ? "1" : "0");
    wire_put_text(packet, dsn_return_name(loaded->file.ret));
    wire_put(packet, loaded->file.envid);
    wire_put_text(packet, route.host);
    wire_put_text(packet, route.port);
    wire_put(packet, added);
    for (size_t i = 0; i < job->count; i++) {
        const struct queuefile_recipient *one = &loaded->file.recipients[job->recipients[i]];
        dsn_put_recipient(packet, one->address, one->notify, one->orcpt);
    }
}

/* "failed", or "double" where nobody is there to be told but postmaster. */
static const char *report_kind(const struct loaded *loaded, enum job_report report)
{
    static const char *const names[] = {"failed", "success", "delayed"};
    return report == JOB_REPORT_FAILED && loaded->file.sender.size == 0 ? "double" : names[report];
}

static const struct {
    char status;
    const char *action;
    struct failure otherwise; /* where no reason was kept */
} actions[] = {
    {QUEUEFILE_FAILED, "failed", {.status = {"5.0.0", 5}, .text = {"delivery failed", 15}}},
    {QUEUEFILE_DELIVERED, "delivered", {.status = {"2.0.0", 5}, .text = {"delivered", 9}}},
    {QUEUEFILE_RELAYED, "relayed", {.status = {"2.0.0", 5}, .text = {"relayed", 7}}},
    {QUEUEFILE_TODO, "delayed", {.status = {"4.0.0", 5}, .text = {"not delivered yet", 17}}},
};
enum { ACTIONS = sizeof actions / sizeof *actions };

/* "4.4.1 can't connect", as it is kept in memory */
static void read_reason(struct slice reason, struct failure *failure)
{
    struct slice text = reason;
    struct slice status = slice_cut(&text, ' ');
    if (reason.size == 0)
        return;
    failure->status = status;
    failure->text = text;
}

static void put_report(struct str *packet, const struct job *job, uint16_t index,
                       struct slice failures)
{
    const struct queuefile_recipient *recipient = &job->message->loaded->file.recipients[index];
    size_t at = 0;
    while (at < ACTIONS - 1 && actions[at].status != recipient->status)
        at++;
    struct failure failure = actions[at].otherwise;
    if (job->report == JOB_REPORT_DELAYED)
        read_reason(message_reason(job->message, index), &failure);
    else
        failure_find(failures, recipient->address, &failure);
    wire_put(packet, recipient->address);
    wire_put_text(packet, actions[at].action);
    wire_put(packet, failure.status);
    wire_put(packet, failure.text);
    wire_put(packet, recipient->orcpt);
    wire_put(packet, failure.server);
}

void request_bounce(struct str *packet, const struct loaded *loaded, const struct job *job,
                    struct slice failures, int64_t until)
{
    const struct queuefile *file = &loaded->file;
    put_message(packet, "bounce/2", loaded);
    wire_put_number(packet, (uint64_t)file->arrived);
    wire_put_text(packet, report_kind(loaded, (enum job_report)job->report));
    wire_put_number(packet, until > 0 ? (uint64_t)until : 0);
    wire_put_text(packet, envelope_body_letter(file->body));
    wire_put_text(packet, file->utf8 ? "1" : "0");
    wire_put_text(packet, dsn_return_name(file->ret));
    wire_put(packet, file->envid);
    for (size_t i = 0; i < job->count; i++)
        put_report(packet, job, job->recipients[i], failures);
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

/* One line of at most `room` bytes with its NUL. */
static void set_line(char *line, size_t room, struct slice text)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size && size < room - 1; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        line[size++] = byte < ' ' || byte == 0x7f ? ' ' : (char)byte;
    }
    line[size] = '\0';
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
    set_line(outcome->text, sizeof outcome->text, text);
}

/* Verdict, status, text; of remote also whether the duty to report went along, and where to. */
enum { FIELDS_LOCAL = 3, FIELDS_LOCAL_FULL = 5, FIELDS_REMOTE = 4, FIELDS_REMOTE_SERVER = 5 };

static void read_verdict(const struct wire_message *answer, size_t first, struct outcome *outcome)
{
    char status[REQUEST_STATUS_MAX];
    if (!wire_copy_text(answer, first + 1, status, sizeof status))
        status[0] = '\0';
    request_set_outcome(outcome, verdict_from_letter(wire_field(answer, first)), status,
                        wire_field(answer, first + 2));
}

static void set_not_understood(struct outcome *outcome)
{
    request_set_outcome(outcome, VERDICT_TEMP, "4.3.5",
                        SLICE("the delivery program's answer is not understood"));
}

/* A worker has a word in its own domain alone. */
static bool is_of_domain(struct slice account, struct slice domain)
{
    return slice_equal(slice_from(state_domain(account), 1), domain) && !slice_has_control(account);
}

void request_local_outcome(const struct wire_message *answer, struct slice domain,
                           struct outcome *outcome)
{
    struct slice full = wire_field(answer, 3), cause = wire_field(answer, 4);
    if (answer->count != FIELDS_LOCAL && answer->count != FIELDS_LOCAL_FULL) {
        set_not_understood(outcome);
        return;
    }
    read_verdict(answer, 0, outcome);
    if (answer->count == FIELDS_LOCAL_FULL && is_of_domain(full, domain) &&
        !slice_copy_text(full, outcome->full, sizeof outcome->full))
        return;
    set_line(outcome->cause, sizeof outcome->cause, cause);
}

void request_outcome(const struct wire_message *answer, size_t index, size_t count,
                     struct outcome *outcome)
{
    const size_t fields = count > 0 ? answer->count / count : 0;
    if (index >= count || answer->count != count * fields || fields < FIELDS_LOCAL ||
        fields > FIELDS_REMOTE_SERVER) {
        set_not_understood(outcome);
        return;
    }
    size_t first = index * fields;
    read_verdict(answer, first, outcome);
    outcome->is_passed_on =
        fields >= FIELDS_REMOTE && slice_equal(wire_field(answer, first + 3), SLICE("1"));
    if (fields == FIELDS_REMOTE_SERVER)
        set_line(outcome->server, sizeof outcome->server, wire_field(answer, first + 4));
}
