/* queuefile - see queuefile.h */
#include "queuefile.h"

#include "clock.h"
#include "number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    ID_TIME_DIGITS = 11, /* 55 bits of microseconds: the year 3111 */
    ID_DIGIT_BITS = 5,
    ID_DIGIT_MASK = 31,
};

/* In the order of ASCII, so that ids sort by age; without letters that look like others. */
static const char id_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

bool queuefile_is_id(struct slice id)
{
    if (id.size != QUEUEFILE_ID_SIZE)
        return false;
    for (size_t i = 0; i < id.size; i++)
        if (id.data[i] == '\0' || !strchr(id_digits, id.data[i]))
            return false;
    return true;
}

int64_t queuefile_id_time(struct slice id)
{
    uint64_t time = 0;
    for (size_t i = 0; i < ID_TIME_DIGITS && i < id.size; i++) {
        const char *digit = id.data[i] != '\0' ? strchr(id_digits, id.data[i]) : NULL;
        time = time << ID_DIGIT_BITS | (digit ? (uint64_t)(digit - id_digits) : 0);
    }
    return (int64_t)time;
}

void queuefile_new_id(char id[QUEUEFILE_ID_SIZE + 1])
{
    uint64_t time = (uint64_t)clock_microseconds();
    unsigned random = 0;
    /* Without random bytes two messages of one microsecond would meet at linkat, and try again. */
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        random = (unsigned)clock_ms();
    for (size_t i = ID_TIME_DIGITS; i-- > 0; time >>= ID_DIGIT_BITS)
        id[i] = id_digits[time & ID_DIGIT_MASK];
    for (size_t i = ID_TIME_DIGITS; i < QUEUEFILE_ID_SIZE; i++, random >>= ID_DIGIT_BITS)
        id[i] = id_digits[random & ID_DIGIT_MASK];
    id[QUEUEFILE_ID_SIZE] = '\0';
}

void queuefile_format_seal(uint64_t size, uint32_t check, char seal[QUEUEFILE_SEAL_SIZE])
{
    static const char between[] = "\ncheck ";
    for (size_t i = QUEUEFILE_SIZE_DIGITS; i-- > 0; size /= 10)
        seal[i] = (char)('0' + size % 10);
    memcpy(seal + QUEUEFILE_SIZE_DIGITS, between, sizeof between - 1);
    number_put_hex(check, seal + QUEUEFILE_SEAL_SIZE - QUEUEFILE_CHECK_DIGITS,
                   QUEUEFILE_CHECK_DIGITS);
}

void queuefile_draft_name(const char *id, char name[QUEUEFILE_ID_SIZE + 2])
{
    snprintf(name, QUEUEFILE_ID_SIZE + 2, ".%s", id);
}

/* ---- parsing -----------------------------------------------------------------------------------
 */

/* Cuts the line "NAME VALUE". 1, 0: not whole yet, -1: another line. */
static int cut_field(struct slice *rest, struct slice name, struct slice *value)
{
    size_t end = slice_find(*rest, '\n');
    struct slice line = slice_part(*rest, 0, end);
    struct slice start = slice_part(line, 0, name.size);
    /* Garbage is seen at its first bytes, not after half a megabyte of it. */
    if (memcmp(start.data ? start.data : "", name.data, start.size) != 0)
        return -1;
    if (end == rest->size)
        return 0;
    if (start.size < name.size)
        return -1;
    *value = slice_from(line, name.size);
    if (slice_has_control(*value))
        return -1;
    *rest = slice_from(*rest, end + 1);
    return 1;
}

static bool set_magic(struct queuefile *file, struct slice value)
{
    (void)file;
    return value.size == 0;
}

static bool set_id(struct queuefile *file, struct slice value)
{
    file->id = value;
    return queuefile_is_id(value);
}

static bool set_size(struct queuefile *file, struct slice value)
{
    return value.size == QUEUEFILE_SIZE_DIGITS && number_parse(value, INT64_MAX, &file->size);
}

static bool set_check(struct queuefile *file, struct slice value)
{
    uint64_t check;
    if (value.size != QUEUEFILE_CHECK_DIGITS || !number_parse_hex(value, &check))
        return false;
    file->check = (uint32_t)check;
    return true;
}

static bool set_arrived(struct queuefile *file, struct slice value)
{
    uint64_t seconds;
    if (!number_parse(value, INT64_MAX, &seconds))
        return false;
    file->arrived = (int64_t)seconds;
    return true;
}

static bool set_origin(struct queuefile *file, struct slice value)
{
    file->origin = value;
    return value.size <= ENVELOPE_ORIGIN_MAX;
}

static const char *const body_names[] = {
    [ENVELOPE_BODY_7BIT] = "7bit",
    [ENVELOPE_BODY_8BIT] = "8bit",
    [ENVELOPE_BODY_BINARY] = "binary",
};

static bool find_body(struct slice name, enum envelope_body *body)
{
    for (unsigned i = 0; i < sizeof body_names / sizeof *body_names; i++)
        if (slice_equal(name, slice_text(body_names[i]))) {
            *body = (enum envelope_body)i;
            return true;
        }
    return false;
}

static bool set_body_word(struct queuefile *file, struct slice word)
{
    struct slice value = word;
    struct slice name = slice_cut(&value, '=');
    if (slice_equal(word, SLICE("utf8")))
        return file->utf8 = true;
    if (slice_equal(name, SLICE("ret")))
        return value.size > 0 && dsn_parse_return(value, &file->ret);
    file->envid = value;
    return slice_equal(name, SLICE("envid")) && dsn_is_envid(value);
}

static bool set_body(struct queuefile *file, struct slice value)
{
    if (!find_body(slice_cut(&value, ' '), &file->body))
        return false;
    while (value.size > 0)
        if (!set_body_word(file, slice_cut(&value, ' ')))
            return false;
    return true;
}

static bool set_sender(struct queuefile *file, struct slice value)
{
    file->sender = value;
    return value.size <= ENVELOPE_ADDRESS_MAX;
}

struct field {
    struct slice name; /* with what stands between it and the value */
    bool (*set)(struct queuefile *file, struct slice value);
};

static const struct field fields[] = {
    {{"mail-suite-queue 1", 18}, set_magic},
    {{"id ", 3}, set_id},
    {{"size ", 5}, set_size},
    {{"check ", 6}, set_check},
    {{"arrived ", 8}, set_arrived},
    {{"origin ", 7}, set_origin},
    {{"body ", 5}, set_body},
    {{"sender ", 7}, set_sender},
};

enum { WISHES_MAX = DSN_ORCPT_MAX + DSN_NOTIFY_TEXT_MAX + 32 };

/* The line behind a recipient's that says what its sender wants to hear. */
static bool is_wishes(struct slice line)
{
    return line.size > 0 && line.data[0] == ' ';
}

/* Counts the recipient lines, up to and with the empty line that ends them. */
static int count_recipients(struct slice rest, size_t *count)
{
    for (*count = 0;;) {
        size_t end = slice_find(rest, '\n');
        if (end == 0 && rest.size > 0)
            return *count > 0 ? 1 : -1;
        bool has_wishes = is_wishes(rest);
        if (end > (has_wishes ? (size_t)WISHES_MAX : (size_t)ENVELOPE_ADDRESS_MAX + 2) ||
            *count > ENVELOPE_RECIPIENTS_MAX)
            return -1;
        if (end == rest.size)
            return 0;
        *count += has_wishes ? 0 : 1;
        rest = slice_from(rest, end + 1);
    }
}

bool queuefile_is_todo(char status)
{
    return status == QUEUEFILE_TODO || status == QUEUEFILE_WARNED;
}

bool queuefile_is_success(char status)
{
    return status == QUEUEFILE_DELIVERED || status == QUEUEFILE_RELAYED;
}

const char *queuefile_status_word(char status)
{
    if (queuefile_is_todo(status))
        return "todo";
    return status == QUEUEFILE_FAILED ? "failed" : "done";
}

static bool is_status(char byte)
{
    return queuefile_is_todo(byte) || queuefile_is_success(byte) || byte == QUEUEFILE_DONE ||
           byte == QUEUEFILE_FAILED;
}

/* " notify=SUCCESS orcpt=rfc822;x@y", either of them or both, in this order */
static bool parse_wishes(struct slice line, struct queuefile_recipient *recipient)
{
    struct slice words = slice_from(line, 1);
    while (words.size > 0) {
        struct slice value = slice_cut(&words, ' ');
        struct slice name = slice_cut(&value, '=');
        bool is_notify = slice_equal(name, SLICE("notify")) && recipient->notify == 0;
        if (!is_notify && (!slice_equal(name, SLICE("orcpt")) || recipient->orcpt.size > 0))
            return false;
        if (is_notify ? !dsn_parse_notify(value, &recipient->notify) || recipient->notify == 0
                      : !dsn_is_orcpt(value))
            return false;
        if (!is_notify)
            recipient->orcpt = value;
    }
    return recipient->notify != 0 || recipient->orcpt.size > 0;
}

static bool parse_recipients(struct slice bytes, struct slice *rest, struct queuefile *file)
{
    for (size_t i = 0; i < file->recipient_count; i++) {
        off_t offset = (off_t)(bytes.size - rest->size);
        struct slice line = slice_cut(rest, '\n');
        if (line.size < 3 || !is_status(line.data[0]) || line.data[1] != ' ' ||
            slice_has_control(line))
            return false;
        file->recipients[i] = (struct queuefile_recipient){
            .status = line.data[0], .address = slice_from(line, 2), .offset = offset};
        if (is_wishes(*rest) && !parse_wishes(slice_cut(rest, '\n'), &file->recipients[i]))
            return false;
    }
    return rest->size > 0 && rest->data[0] == '\n';
}

static int parse_list(struct slice bytes, struct slice rest, struct queuefile *file)
{
    int counted = count_recipients(rest, &file->recipient_count);
    if (counted != 1)
        return counted;
    if (file->recipient_count > ENVELOPE_RECIPIENTS_MAX)
        return -1;
    file->recipients = calloc(file->recipient_count, sizeof *file->recipients);
    if (!file->recipients) {
        errno = ENOMEM;
        return -1;
    }
    if (!parse_recipients(bytes, &rest, file)) {
        queuefile_free(file);
        errno = EPROTO;
        return -1;
    }
    file->start = (off_t)(bytes.size - rest.size + 1);
    return 1;
}

int queuefile_parse(struct slice bytes, struct queuefile *file)
{
    *file = (struct queuefile){0};
    bytes = slice_part(bytes, 0, QUEUEFILE_BLOCK_MAX);
    struct slice rest = bytes;
    int result = 1;
    errno = EPROTO;
    for (size_t i = 0; result == 1 && i < sizeof fields / sizeof *fields; i++) {
        struct slice value;
        result = cut_field(&rest, fields[i].name, &value);
        if (result == 1 && !fields[i].set(file, value))
            result = -1;
    }
    if (result == 1)
        result = parse_list(bytes, rest, file);
    return result == 0 && bytes.size == QUEUEFILE_BLOCK_MAX ? -1 : result;
}

void queuefile_free(struct queuefile *file)
{
    free(file->recipients);
    file->recipients = NULL;
    file->recipient_count = 0;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static bool is_writable_recipient(const struct envelope_recipient *recipient)
{
    return recipient->address.size > 0 && !slice_has_control(str_slice(&recipient->address)) &&
           (recipient->orcpt.size == 0 || dsn_is_orcpt(str_slice(&recipient->orcpt)));
}

static bool is_writable(const struct envelope *envelope)
{
    if (envelope->recipient_count == 0 || envelope->recipient_count > ENVELOPE_RECIPIENTS_MAX ||
        envelope->origin.failed || envelope->sender.failed ||
        slice_has_control(str_slice(&envelope->origin)) ||
        slice_has_control(str_slice(&envelope->sender)))
        return false;
    for (size_t i = 0; i < envelope->recipient_count; i++)
        if (!is_writable_recipient(&envelope->recipients[i]))
            return false;
    return envelope->envid.size == 0 || dsn_is_envid(str_slice(&envelope->envid));
}

static void put_line(struct str *block, const char *name, struct slice value)
{
    str_append_text(block, name);
    str_append_byte(block, ' ');
    str_append(block, value);
    str_append_byte(block, '\n');
}

static void put_body(struct str *block, const struct envelope *envelope)
{
    str_format(block, "body %s%s", body_names[envelope->body], envelope->utf8 ? " utf8" : "");
    if (envelope->ret != DSN_RETURN_DEFAULT)
        str_format(block, " ret=%s", dsn_return_name(envelope->ret));
    if (envelope->envid.size > 0) {
        str_append_text(block, " envid=");
        str_append(block, str_slice(&envelope->envid));
    }
    str_append_byte(block, '\n');
}

static void put_recipient(struct str *block, const struct envelope_recipient *recipient)
{
    put_line(block, "T", str_slice(&recipient->address));
    if (recipient->notify == 0 && recipient->orcpt.size == 0)
        return;
    if (recipient->notify != 0) {
        str_append_text(block, " notify=");
        dsn_format_notify(recipient->notify, block);
    }
    if (recipient->orcpt.size > 0) {
        str_append_text(block, " orcpt=");
        str_append(block, str_slice(&recipient->orcpt));
    }
    str_append_byte(block, '\n');
}

bool queuefile_format(struct str *block, struct slice id, int64_t arrived,
                      const struct envelope *envelope, off_t *seal_offset)
{
    char number[NUMBER_TEXT_SIZE];
    char seal[QUEUEFILE_SEAL_SIZE];
    if (!queuefile_is_id(id) || arrived < 0 || !is_writable(envelope))
        return false;
    queuefile_format_seal(0, 0, seal);
    put_line(block, "mail-suite-queue", SLICE("1"));
    put_line(block, "id", id);
    *seal_offset = (off_t)(block->size + sizeof "size");
    put_line(block, "size", slice_of(seal, sizeof seal));
    put_line(block, "arrived", number_format((uint64_t)arrived, number));
    put_line(block, "origin", str_slice(&envelope->origin));
    put_body(block, envelope);
    put_line(block, "sender", str_slice(&envelope->sender));
    for (size_t i = 0; i < envelope->recipient_count; i++)
        put_recipient(block, &envelope->recipients[i]);
    str_append_byte(block, '\n');
    return !block->failed;
}
