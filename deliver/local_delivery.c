/* local_delivery - see local_delivery.h */
#include "local_delivery.h"

#include "clock.h"
#include "hash.h"
#include "io.h"
#include "log.h"
#include "loop_check.h"
#include "mailboxdeliver.h"
#include "maildir.h"
#include "maildirrepeat.h"
#include "maildirsize.h"
#include "outgoing.h"
#include "queuefile.h"
#include "quotawarning.h"
#include "removal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { HEADER_READ = 65536 };

#define FULL_TEXT "sorry, mailbox is full (#4.5.2)"
static const char delivered_before[] = "delivered before";

/* ---- the request --------------------------------------------------------------------------------
 */

/* Whole lines that end in CRLF. */
static bool is_header(struct slice lines)
{
    return lines.size == 0 || (slice_ends(lines, SLICE("\r\n")) && !slice_has(lines, '\0'));
}

static bool is_folder(struct slice name)
{
    return name.size > 0 && name.data[0] != '.' && !slice_has(name, '/') &&
           !slice_has_control(name);
}

enum {
    FIELD_PROTOCOL,
    FIELD_ID,
    FIELD_START,
    FIELD_SIZE,
    FIELD_SENDER,
    FIELD_MAILBOX,
    FIELD_RECIPIENT,
    FIELD_ADDED,
    FIELD_FORWARD,
    FIELD_BODY,
    FIELD_REPEAT,
    FIELD_SYNC,
    FIELD_TERMS,
    FIELD_COUNT
};

bool local_request_parse(const struct wire_message *message, struct local_request *request)
{
    *request = (struct local_request){
        .sender = wire_field(message, FIELD_SENDER),
        .recipient = wire_field(message, FIELD_RECIPIENT),
        .added = wire_field(message, FIELD_ADDED),
        .forward = wire_field(message, FIELD_FORWARD),
        .is_repeat = slice_equal(wire_field(message, FIELD_REPEAT), SLICE("1")),
        .spares_folder = slice_equal(wire_field(message, FIELD_SYNC), SLICE("file")),
    };
    return message->count == FIELD_COUNT &&
           slice_equal(wire_field(message, FIELD_PROTOCOL), SLICE("local/4")) &&
           envelope_parse_body(wire_field(message, FIELD_BODY), &request->body) &&
           (request->is_repeat || slice_equal(wire_field(message, FIELD_REPEAT), SLICE("0"))) &&
           (request->spares_folder ||
            slice_equal(wire_field(message, FIELD_SYNC), SLICE("folder"))) &&
           queuefile_is_id(wire_field(message, FIELD_ID)) &&
           wire_copy_text(message, FIELD_ID, request->id, sizeof request->id) &&
           wire_number(message, FIELD_START, INT64_MAX / 2, &request->start) &&
           wire_number(message, FIELD_SIZE, INT64_MAX / 2, &request->size) &&
           is_folder(wire_field(message, FIELD_MAILBOX)) &&
           wire_copy_text(message, FIELD_MAILBOX, request->mailbox, sizeof request->mailbox) &&
           request->sender.size <= LOCAL_DELIVERY_ADDRESS_MAX &&
           !slice_has_control(request->sender) && request->recipient.size > 0 &&
           request->recipient.size <= LOCAL_DELIVERY_ADDRESS_MAX &&
           !slice_has_control(request->recipient) && is_header(request->added) &&
           deliveryterms_read(wire_field(message, FIELD_TERMS), &request->terms);
}

/* The lines that are the same whenever the message is delivered. */
static bool put_envelope(const struct local_request *request, struct str *head)
{
    str_append_text(head, "Return-Path: <");
    str_append(head, request->sender);
    str_append_text(head, ">\r\nDelivered-To: ");
    str_append(head, request->recipient);
    return str_append_text(head, "\r\n");
}

bool local_delivery_head(const struct local_request *request, struct str *head)
{
    return put_envelope(request, head) && str_append(head, request->added);
}

void local_delivery_account(const struct local_request *request, const char *domain,
                            char address[LOCAL_DELIVERY_ADDRESS_MAX + 1])
{
    snprintf(address, LOCAL_DELIVERY_ADDRESS_MAX + 1, "%s@%s", request->mailbox, domain);
}

void local_delivery_name(const struct local_request *request, char name[32])
{
    /* Nobody gains by two recipients that look alike, but one message's loss of a copy. */
    snprintf(name, 32, "%s%016llx", request->id,
             (unsigned long long)hash_add(HASH_START, request->recipient));
}

/* ---- the verdict --------------------------------------------------------------------------------
 */

static void set_result(struct local_result *result, enum verdict verdict, const char *status,
                       const char *text)
{
    *result = (struct local_result){.verdict = verdict, .status = status, .text = text};
}

void local_result_from_errno(int error, struct local_result *result)
{
    switch (error) {
    case EDQUOT:
        set_result(result, VERDICT_TEMP, "4.2.2", FULL_TEXT);
        break;
    case ENOSPC:
        set_result(result, VERDICT_TEMP, "4.3.1", "the mail store's disk is full");
        break;
    case EACCES:
    case EPERM:
    case ENOTDIR:
    case ELOOP:
    case EROFS:
        set_result(result, VERDICT_TEMP, "4.3.5", "the mailbox can't be written to");
        break;
    default:
        set_result(result, VERDICT_TEMP, "4.3.0", "the mailbox has passing trouble");
        break;
    }
}

static void log_failure(const struct local_request *request, const char *path, int error)
{
    struct log_line line;
    bool is_access = error == EACCES || error == EPERM || error == ENOTDIR || error == ELOOP;
    log_begin(&line, "trouble");
    log_text(&line, "action", "deliver to");
    log_text(&line, "object", path);
    log_text(&line, "id", request->id);
    log_value(&line, "recipient", request->recipient);
    log_number(&line, "errno", error);
    log_text(&line, "remedy",
             is_access ? "make it a folder of the domain's uid, mode 0700" : "look at the disk");
    log_end(&line);
}

/* ---- the delivery -------------------------------------------------------------------------------
 */

/* Looks at the header of a message that is too large to be held. */
static bool check_header(const struct local_request *request, int fd, struct loop_check *check)
{
    char bytes[HEADER_READ];
    uint64_t at = 0;
    while (at < request->size && !check->is_over && !loop_check_is_bad(check)) {
        uint64_t left = request->size - at;
        size_t part = left < sizeof bytes ? (size_t)left : sizeof bytes;
        if (!io_pread_all(fd, bytes, part, (off_t)(request->start + at)))
            return false;
        loop_check_feed(check, slice_of(bytes, part));
        at += part;
    }
    return true;
}

static bool was_delivered(const struct local_request *request, const char *path, const char *name,
                          int fd)
{
    struct str head;
    str_init(&head, LOCAL_DELIVERY_ADDED_MAX);
    struct maildirrepeat_content content = {
        .fd = fd, .start = (off_t)request->start, .size = request->size};
    bool found = false;
    if (put_envelope(request, &head)) {
        content.head = str_slice(&head);
        found = maildirrepeat_find(AT_FDCWD, path, name, &content);
    }
    str_free(&head);
    return found;
}

static bool take_encoded(void *owner, struct slice bytes)
{
    return maildir_write(owner, bytes);
}

/* RFC 3030's binary content in the form that POP3 and IMAP clients can be given. */
static void copy_encoded(struct maildir_delivery *delivery, const struct local_request *request,
                         int fd)
{
    struct outgoing content;
    if (!outgoing_open(&content, fd, (off_t)request->start, request->size, NULL, 0)) {
        delivery->error = errno;
        return;
    }
    bool is_needed = downgrade_is_needed(content.traits, DOWNGRADE_TO_8BIT);
    if (!outgoing_write(&content, is_needed ? OUTGOING_8BIT : OUTGOING_AS_IS, take_encoded,
                        delivery) &&
        delivery->error == 0)
        delivery->error = ENOMEM;
    outgoing_close(&content);
}

/* False: decided. */
static bool has_room(struct capacity *capacity, const struct local_request *request,
                     struct local_delivery *delivery, uint64_t bytes)
{
    static const struct {
        enum verdict verdict;
        const char *status, *text;
    } refusals[] = {
        [CAPACITY_FULL] = {VERDICT_TEMP, "4.2.2", FULL_TEXT},
        [CAPACITY_FULL_FOR_GOOD] = {VERDICT_PERM, "5.2.2", "sorry, mailbox is full (#5.2.2)"},
        [CAPACITY_TOO_LARGE] = {VERDICT_PERM, "5.2.3",
                                "sorry, the message is larger than all of the mailbox (#5.2.3)"},
    };
    struct local_result *result = &delivery->result;
    enum capacity_answer answer =
        capacity_check(capacity, &request->terms, delivery->path, bytes, &result->full);
    if (answer == CAPACITY_FITS)
        return true;
    result->verdict = refusals[answer].verdict;
    result->status = refusals[answer].status;
    result->text = refusals[answer].text;
    return false;
}

/* A worker that died may have placed it and not counted it: it is counted again, with all others. */
static void count_anew(const struct local_delivery *delivery)
{
    int maildir = open(delivery->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (maildir >= 0)
        maildirsize_forget(maildir);
    io_close(&maildir);
}

/* A repeat took the place of what was counted before. */
static void note_placed(struct capacity *capacity, const struct local_request *request,
                        const struct local_delivery *delivery)
{
    const struct maildir_delivery *maildir = &delivery->maildir;
    if (maildir->repeated) {
        count_anew(delivery);
        return;
    }
    capacity_add(capacity, maildir->size);
    if (request->terms.warnings.count > 0 && capacity->mailbox_used != CAPACITY_UNKNOWN)
        quotawarning_check(request, capacity->domain, delivery->path, capacity->mailbox_used,
                           capacity->mailbox_used + maildir->size);
}

/* Everything of the message is in `text` (head and message), or only the head is. */
static int write_to(struct capacity *capacity, const struct local_request *request,
                    struct local_delivery *delivery, const char *name, const struct str *text,
                    bool is_whole, int fd)
{
    struct maildir_delivery *maildir = &delivery->maildir;
    if (!maildir_begin(maildir, AT_FDCWD, delivery->path, name, NULL))
        return maildir->error;
    maildir->spares_folder = request->spares_folder;
    maildir_write(maildir, str_slice(text));
    if (request->body == ENVELOPE_BODY_BINARY)
        copy_encoded(maildir, request, fd);
    else if (!is_whole)
        maildir_copy(maildir, fd, (off_t)request->start, request->size);
    /* What an encoding makes of it is known now. */
    if (request->body == ENVELOPE_BODY_BINARY && maildir->error == 0 &&
        !has_room(capacity, request, delivery, maildir->size)) {
        maildir_abort(maildir);
        return 0;
    }
    delivery->is_placed = mailboxdeliver_place(maildir, request->is_repeat);
    int error = delivery->is_placed ? 0 : maildir->error;
    if (delivery->is_placed)
        note_placed(capacity, request, delivery);
    else
        maildir_abort(maildir);
    return error;
}

static void fail(const struct local_request *request, struct local_delivery *delivery, int error)
{
    log_failure(request, delivery->path, error);
    local_result_from_errno(error, &delivery->result);
}

/* A Maildir that lacks one of its folders is mended, once. */
static void write_or_mend(struct capacity *capacity, const struct local_request *request,
                          struct local_delivery *delivery, const struct str *text, bool is_whole,
                          int fd)
{
    char name[32];
    local_delivery_name(request, name);
    if (request->is_repeat && was_delivered(request, delivery->path, name, fd)) {
        set_result(&delivery->result, VERDICT_OK, "2.0.0", delivered_before);
        count_anew(delivery);
        return;
    }
    if (!has_room(capacity, request, delivery, text->size + (is_whole ? 0 : request->size)))
        return;
    int error = write_to(capacity, request, delivery, name, text, is_whole, fd);
    if (error == ENOTDIR && removal_unmark_old(AT_FDCWD, request->mailbox, clock_seconds()))
        error = ENOENT;
    if (error == ENOENT && maildir_create(AT_FDCWD, delivery->path))
        error = write_to(capacity, request, delivery, name, text, is_whole, fd);
    /* The next try is routed anew, and learns whether the account is gone or there again. */
    if (error != 0 && removal_is_marked(AT_FDCWD, request->mailbox))
        set_result(&delivery->result, VERDICT_TEMP, "4.2.1", "the mailbox was just removed");
    else if (error != 0)
        fail(request, delivery, error);
}

/* Appends the message to `text` when it is small enough. False: it can't be read. */
static bool read_message(const struct local_request *request, int fd, struct str *text)
{
    char *room = str_reserve(text, (size_t)request->size);
    if (!room) {
        errno = ENOMEM;
        return false;
    }
    if (!io_pread_all(fd, room, (size_t)request->size, (off_t)request->start))
        return false;
    str_added(text, (size_t)request->size);
    return true;
}

static void place(struct capacity *capacity, const struct local_request *request, int fd,
                  struct str *text, struct local_delivery *delivery)
{
    struct loop_check check;
    char account[LOCAL_DELIVERY_ADDRESS_MAX + 1];
    struct local_result *result = &delivery->result;
    bool is_whole = request->size <= LOCAL_DELIVERY_BUFFER && request->body != ENVELOPE_BODY_BINARY;
    size_t head = text->size;
    local_delivery_account(request, capacity->domain, account);
    loop_check_init(&check, request->recipient, slice_text(account));
    bool is_read = is_whole ? read_message(request, fd, text) : check_header(request, fd, &check);
    if (!is_read) {
        log_trouble("read the message", request->id, errno, NULL);
        set_result(result, VERDICT_TEMP, "4.3.0", "the message can't be read");
        return;
    }
    if (is_whole)
        loop_check_feed(&check, slice_from(str_slice(text), head));
    if (loop_check_is_bad(&check)) {
        set_result(result, VERDICT_PERM, "5.4.6",
                   check.is_looping ? "mail loop: it was delivered to this address before"
                                    : "mail loop: too many Received fields");
        return;
    }
    if (!request->terms.receives) {
        set_result(result, VERDICT_OK, "2.0.0", "not kept: the account receives no mail");
        return;
    }
    snprintf(delivery->path, sizeof delivery->path, "%s/Maildir", request->mailbox);
    int lock = capacity_lock(&request->terms, delivery->path);
    write_or_mend(capacity, request, delivery, text, is_whole, fd);
    io_close(&lock);
}

void local_place(struct capacity *capacity, const struct local_request *request, int fd,
                 struct local_delivery *delivery)
{
    struct str text;
    delivery->is_placed = false;
    delivery->result = (struct local_result){.verdict = VERDICT_TEMP};
    str_init(&text, LOCAL_DELIVERY_BUFFER + LOCAL_DELIVERY_ADDED_MAX + 1024);
    if (local_delivery_head(request, &text))
        place(capacity, request, fd, &text, delivery);
    else
        set_result(&delivery->result, VERDICT_TEMP, "4.3.0", "no memory");
    str_free(&text);
}

void local_begin_sync(const struct local_delivery *delivery)
{
    if (delivery->is_placed)
        maildir_begin_sync(&delivery->maildir);
}

void local_commit(const struct local_request *request, struct local_delivery *delivery,
                  struct local_result *result)
{
    if (delivery->is_placed) {
        bool was_there = delivery->maildir.repeated;
        delivery->is_placed = false;
        if (maildir_commit(&delivery->maildir) == VERDICT_OK)
            set_result(&delivery->result, VERDICT_OK, "2.0.0",
                       was_there ? delivered_before : "delivered");
        else
            fail(request, delivery, delivery->maildir.error);
    }
    *result = delivery->result;
}
