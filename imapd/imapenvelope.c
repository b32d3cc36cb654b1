/* imapenvelope - see imapenvelope.h */
#include "imapenvelope.h"

#include "headerlex.h"
#include "mime.h"
#include "quote.h"

/* ---- addresses --------------------------------------------------------------------------------
 * RFC 5322 3.4, and whatever else stands in such fields. An address without a domain can't have NIL
 * there, which would make it a group (RFC 3501 7.4.2); these are the words that Dovecot uses. */

#define MISSING_DOMAIN  "MISSING_DOMAIN"
#define MISSING_MAILBOX "MISSING_MAILBOX"

struct address {
    struct str name;    /* phrase, or all that was read so far */
    struct str mailbox; /* without blanks */
    struct str domain;
    bool has_at;
    bool is_angle; /* the address stood in <> */
};

struct address_list {
    struct headerlex lex;
    struct address address; /* the one being read */
    struct str *out;
    bool any; /* "(" has been written */
    bool in_group;
};

static void address_clear(struct address *address)
{
    str_clear(&address->name);
    str_clear(&address->mailbox);
    str_clear(&address->domain);
    address->has_at = address->is_angle = false;
}

static void begin_address(struct address_list *list)
{
    if (!list->any)
        str_append_byte(list->out, '(');
    list->any = true;
    str_append_byte(list->out, '(');
}

static struct slice nil_if_empty(const struct str *text)
{
    return text->size > 0 ? str_slice(text) : (struct slice){0};
}

static struct slice text_or(const struct str *text, struct slice otherwise)
{
    return text->size > 0 ? str_slice(text) : otherwise;
}

/* Writes the address that was read, if there was anything. */
static void finish_address(struct address_list *list)
{
    struct address *address = &list->address;
    bool is_something =
        address->is_angle || address->has_at || address->mailbox.size > 0 || address->name.size > 0;
    if (is_something) {
        /* Without <> the name can only be a comment: "a@b (Name)". */
        const struct str *name =
            address->is_angle && address->name.size > 0 ? &address->name : &list->lex.comment;
        begin_address(list);
        quote_nstring(list->out, nil_if_empty(name));
        str_append_text(list->out, " NIL ");
        quote_string(list->out, text_or(&address->mailbox, SLICE(MISSING_MAILBOX)));
        str_append_byte(list->out, ' ');
        quote_string(list->out, text_or(&address->domain, SLICE(MISSING_DOMAIN)));
        str_append_byte(list->out, ')');
    }
    address_clear(address);
    str_clear(&list->lex.comment);
}

static void begin_group(struct address_list *list)
{
    begin_address(list);
    str_append_text(list->out, "NIL NIL ");
    quote_string(list->out, str_slice(&list->address.name));
    str_append_text(list->out, " NIL)");
    address_clear(&list->address);
    str_clear(&list->lex.comment);
    list->in_group = true;
}

static void end_group(struct address_list *list)
{
    finish_address(list);
    if (list->in_group) {
        begin_address(list);
        str_append_text(list->out, "NIL NIL NIL NIL)");
    }
    list->in_group = false;
}

static void add_to_name(struct address_list *list, struct slice text)
{
    struct str *name = &list->address.name;
    if (list->lex.spaced && name->size > 0)
        str_append_byte(name, ' ');
    str_append(name, text);
}

static void add_to_address(struct address *address, struct slice text)
{
    str_append(address->has_at ? &address->domain : &address->mailbox, text);
}

/* "<@a,@b:local@domain>", behind the '<'. The route is dropped, as RFC 5322 4.4 asks. */
static void read_angle(struct address_list *list)
{
    struct address *address = &list->address;
    str_clear(&address->mailbox);
    str_clear(&address->domain);
    address->has_at = false;
    address->is_angle = true;
    for (;;) {
        enum headerlex_token token = headerlex_next(&list->lex);
        if (token == HEADERLEX_END || (token == HEADERLEX_SPECIAL && list->lex.special == '>'))
            return;
        if (token == HEADERLEX_WORD) {
            add_to_address(address, str_slice(&list->lex.text));
        } else if (list->lex.special == ':') {
            str_clear(&address->domain);
            str_clear(&address->mailbox);
            address->has_at = false;
        } else if (list->lex.special == '@') {
            address->has_at = true;
        } else if (list->lex.special == '.') {
            add_to_address(address, SLICE("."));
        }
    }
}

static void take_special(struct address_list *list, char special)
{
    struct address *address = &list->address;
    switch (special) {
    case ',':
        finish_address(list);
        break;
    case ';':
        end_group(list);
        break;
    case ':':
        begin_group(list);
        break;
    case '<':
        read_angle(list);
        break;
    case '@':
        add_to_name(list, SLICE("@"));
        address->has_at = true;
        break;
    case '.':
        add_to_name(list, SLICE("."));
        add_to_address(address, SLICE("."));
        break;
    default: /* a '>' too many */
        break;
    }
}

bool imapenvelope_append_addresses(struct str *out, struct slice field)
{
    struct address_list list = {.out = out};
    headerlex_begin(&list.lex, field, "<>@,;:.");
    str_init(&list.address.name, MIME_FIELD_MAX);
    str_init(&list.address.mailbox, MIME_FIELD_MAX);
    str_init(&list.address.domain, MIME_FIELD_MAX);
    enum headerlex_token token;
    while (!out->failed && (token = headerlex_next(&list.lex)) != HEADERLEX_END) {
        if (token == HEADERLEX_SPECIAL) {
            take_special(&list, list.lex.special);
        } else if (!list.address.is_angle) { /* words behind <> belong to nothing */
            add_to_name(&list, str_slice(&list.lex.text));
            add_to_address(&list.address, str_slice(&list.lex.text));
        }
    }
    finish_address(&list);
    if (list.in_group)
        end_group(&list);
    str_append_text(out, list.any ? ")" : "NIL");
    headerlex_end(&list.lex);
    str_free(&list.address.name);
    str_free(&list.address.mailbox);
    str_free(&list.address.domain);
    return !out->failed;
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

/* The first field of each name; no data where there is none. */
static void find_fields(struct slice header, struct slice values[FIELD_COUNT])
{
    struct mime_field field;
    while (mime_next_field(&header, &field))
        for (size_t i = 0; i < FIELD_COUNT; i++)
            if (!values[i].data && slice_equal_nocase(field.name, slice_text(fields[i].name)))
                values[i] = field.value;
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

bool imapenvelope_append(struct str *out, struct slice header)
{
    struct slice values[FIELD_COUNT] = {{0}};
    find_fields(header, values);
    str_append_byte(out, '(');
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (i > 0)
            str_append_byte(out, ' ');
        bool falls_back = i == FIELD_SENDER || i == FIELD_REPLY_TO;
        if (fields[i].is_addresses)
            append_address_field(out, values[i],
                                 falls_back ? values[FIELD_FROM] : (struct slice){0});
        else
            append_text_field(out, values[i]);
    }
    return str_append_byte(out, ')');
}
