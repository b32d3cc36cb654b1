/* imapenvelope - see imapenvelope.h */
#include "imapenvelope.h"

#include "addresslist.h"
#include "headerlex.h"
#include "mime.h"
#include "quote.h"

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
    const char *name;
    bool is_addresses;
} fields[FIELD_COUNT] = {
    [FIELD_DATE] = {"Date", false},
    [FIELD_SUBJECT] = {"Subject", false},
    [FIELD_FROM] = {"From", true},
    [FIELD_SENDER] = {"Sender", true},
    [FIELD_REPLY_TO] = {"Reply-To", true},
    [FIELD_TO] = {"To", true},
    [FIELD_CC] = {"Cc", true},
    [FIELD_BCC] = {"Bcc", true},
    [FIELD_IN_REPLY_TO] = {"In-Reply-To", false},
    [FIELD_MESSAGE_ID] = {"Message-ID", false},
};

/* What the header says. Of texts the first field counts; addresses are often spread over several
 * fields of one name, and all of them count. */
struct values {
    struct slice field[FIELD_COUNT]; /* no data where there is none */
    struct str joined[FIELD_COUNT];  /* of several fields; `field` points into it */
};

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
            if (slice_equal_nocase(field.name, slice_text(fields[i].name)))
                take_field(values, (enum field)i, field.value);
}

static void append_text_field(struct str *out, struct slice value)
{
    struct str text;
    str_init(&text, MIME_FIELD_MAX);
    if (value.data && headerlex_unfold(value, &text))
        quote_string(out, str_slice(&text));
    else
        str_append_text(out, "NIL");
    str_free(&text);
}

/* Sender and Reply-To that are missing or hold no address are From's (RFC 3501 7.4.2). */
static void append_address_field(struct str *out, struct slice value, struct slice from)
{
    size_t start = out->size;
    imapenvelope_append_addresses(out, value);
    if (from.data && slice_equal(slice_from(str_slice(out), start), SLICE("NIL"))) {
        str_truncate(out, start);
        imapenvelope_append_addresses(out, from);
    }
}

static void append_field(struct str *out, const struct values *values, enum field which)
{
    bool falls_back = which == FIELD_SENDER || which == FIELD_REPLY_TO;
    struct slice from = falls_back ? values->field[FIELD_FROM] : (struct slice){0};
    if (fields[which].is_addresses)
        append_address_field(out, values->field[which], from);
    else
        append_text_field(out, values->field[which]);
}

bool imapenvelope_append(struct str *out, struct slice header)
{
    struct values values = {0};
    for (size_t i = 0; i < FIELD_COUNT; i++)
        str_init(&values.joined[i], MIME_FIELD_MAX);
    find_fields(header, &values);
    str_append_byte(out, '(');
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (i > 0)
            str_append_byte(out, ' ');
        append_field(out, &values, (enum field)i);
    }
    for (size_t i = 0; i < FIELD_COUNT; i++)
        str_free(&values.joined[i]);
    return str_append_byte(out, ')');
}
