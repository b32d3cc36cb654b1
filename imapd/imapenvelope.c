/* imapenvelope - see imapenvelope.h */
#include "imapenvelope.h"

#include "addresslist.h"
#include "mime.h"
#include "quote.h"

#include <string.h>

/* ---- addresses --------------------------------------------------------------------------------
 * An address without a domain can't have NIL there, which would make it a group (RFC 3501 7.4.2);
 * these are the words that Dovecot uses. */

#define MISSING_DOMAIN  "MISSING_DOMAIN"
#define MISSING_MAILBOX "MISSING_MAILBOX"

struct address_list {
    struct str *out;
    bool any; /* "(" has been written */
};

static struct slice nil_if_empty(struct slice text)
{
    return text.size > 0 ? text : (struct slice){0};
}

static struct slice text_or(struct slice text, struct slice otherwise)
{
    return text.size > 0 ? text : otherwise;
}

static void append_mailbox(struct str *out, const struct addresslist_entry *entry)
{
    str_append_byte(out, '(');
    quote_nstring(out, nil_if_empty(entry->name));
    str_append_text(out, " NIL ");
    quote_string(out, text_or(entry->mailbox, SLICE(MISSING_MAILBOX)));
    str_append_byte(out, ' ');
    quote_string(out, text_or(entry->domain, SLICE(MISSING_DOMAIN)));
    str_append_byte(out, ')');
}

static void append_group(struct str *out, struct slice name)
{
    str_append_text(out, "(NIL NIL ");
    quote_string(out, name);
    str_append_text(out, " NIL)");
}

static bool append_entry(void *owner, const struct addresslist_entry *entry)
{
    struct address_list *list = owner;
    if (!list->any)
        str_append_byte(list->out, '(');
    list->any = true;
    switch (entry->kind) {
    case ADDRESSLIST_MAILBOX:
        append_mailbox(list->out, entry);
        break;
    case ADDRESSLIST_GROUP:
        append_group(list->out, entry->name);
        break;
    case ADDRESSLIST_GROUP_END:
        str_append_text(list->out, "(NIL NIL NIL NIL)");
        break;
    }
    return !list->out->failed;
}

bool imapenvelope_append_addresses(struct str *out, struct slice field)
{
    struct address_list list = {.out = out};
    addresslist_walk(field, append_entry, &list);
    return str_append_text(out, list.any ? ")" : "NIL");
}

/* ---- the envelope ---------------------------------------------------------------------------- */

enum field {
    FIELD_DATE,
    FIELD_SUBJECT,
    FIELD_FROM,
    FIELD_SENDER,
    FIELD_REPLY_TO,
    FIELD_TO,
    FIELD_CC,
    FIELD_BCC,
    FIELD_IN_REPLY_TO,
    FIELD_MESSAGE_ID,
    FIELD_COUNT,
};

static const struct {
    struct slice name;
    bool is_addresses;
} fields[FIELD_COUNT] = {
    [FIELD_DATE] = {SLICE_INIT("Date"), false},
    [FIELD_SUBJECT] = {SLICE_INIT("Subject"), false},
    [FIELD_FROM] = {SLICE_INIT("From"), true},
    [FIELD_SENDER] = {SLICE_INIT("Sender"), true},
    [FIELD_REPLY_TO] = {SLICE_INIT("Reply-To"), true},
    [FIELD_TO] = {SLICE_INIT("To"), true},
    [FIELD_CC] = {SLICE_INIT("Cc"), true},
    [FIELD_BCC] = {SLICE_INIT("Bcc"), true},
    [FIELD_IN_REPLY_TO] = {SLICE_INIT("In-Reply-To"), false},
    [FIELD_MESSAGE_ID] = {SLICE_INIT("Message-ID"), false},
};

/* What the header says. Of texts the first field counts; addresses are often spread over several
 * fields of one name, and all of them count. */
struct values {
    struct slice field[FIELD_COUNT]; /* no data where there is none */
    struct str joined[FIELD_COUNT];  /* of several fields; `field` points into it */
    bool any_joined;
};

static void begin_joining(struct values *values)
{
    if (values->any_joined)
        return;
    values->any_joined = true;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        str_init(&values->joined[i], MIME_FIELD_MAX);
}

static void end_joining(struct values *values)
{
    for (size_t i = 0; values->any_joined && i < FIELD_COUNT; i++)
        str_free(&values->joined[i]);
}

static void take_field(struct values *values, enum field which, struct slice value)
{
    struct slice *field = &values->field[which];
    struct str *joined = &values->joined[which];
    if (!field->data) {
        *field = value;
        return;
    }
    if (!fields[which].is_addresses)
        return;
    begin_joining(values);
    if (joined->size == 0)
        str_append(joined, *field);
    str_append_text(joined, ", ");
    str_append(joined, value);
    *field = str_slice(joined);
}

static void find_fields(struct slice header, struct values *values)
{
    struct mime_field field;
    while (mime_next_field(&header, &field))
        for (size_t i = 0; i < FIELD_COUNT; i++)
            if (slice_equal_nocase(field.name, fields[i].name)) {
                take_field(values, (enum field)i, field.value);
                break;
            }
}

/* From's addresses, in the answer already. */
struct place {
    size_t start, size;
};

static void append_again(struct str *out, struct place place)
{
    char *room = str_reserve(out, place.size);
    if (!room)
        return;
    memcpy(room, out->data + place.start, place.size);
    str_added(out, place.size);
}

/* Sender and Reply-To that are missing or hold no address are From's (RFC 3501 7.4.2). */
static void append_addresses_or(struct str *out, struct slice field, struct place from)
{
    size_t start = out->size;
    imapenvelope_append_addresses(out, field);
    if (!slice_equal(slice_from(str_slice(out), start), SLICE("NIL")))
        return;
    str_truncate(out, start);
    append_again(out, from);
}

static struct place append_addresses(struct str *out, struct slice field)
{
    size_t start = out->size;
    imapenvelope_append_addresses(out, field);
    return (struct place){start, out->size - start};
}

/* The fields with a blank in front of each but the first. */
static void append_values(struct str *out, const struct slice values[FIELD_COUNT])
{
    struct place from = {0, 0};
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        str_append_byte(out, i == 0 ? '(' : ' ');
        if (i == FIELD_FROM)
            from = append_addresses(out, values[i]);
        else if (i == FIELD_SENDER || i == FIELD_REPLY_TO)
            append_addresses_or(out, values[i], from);
        else if (fields[i].is_addresses)
            imapenvelope_append_addresses(out, values[i]);
        else if (values[i].data)
            quote_field(out, values[i]);
        else
            str_append(out, SLICE("NIL"));
    }
    str_append_byte(out, ')');
}

bool imapenvelope_append(struct str *out, struct slice header)
{
    struct values values;
    memset(values.field, 0, sizeof values.field);
    values.any_joined = false;
    find_fields(header, &values);
    append_values(out, values.field);
    end_joining(&values);
    return !out->failed;
}
