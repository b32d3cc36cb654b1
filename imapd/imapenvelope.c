/* imapenvelope - see imapenvelope.h */
#include "imapenvelope.h"

#include "headerlex.h"
#include "mime.h"
#include "quote.h"

/* ---- addresses --------------------------------------------------------------------------------
 * RFC 5322 3.4, and whatever else stands in such fields. An address without a domain can't have NIL
 * there, which would make it a group (RFC 3501 7.4.2); these are the words that Dovecot uses. */

/* A byte of a field can become 17 of an answer; what stands behind so many is not told. */
enum { ADDRESSES_SIZE_MAX = 131072 };

#define MISSING_DOMAIN  "MISSING_DOMAIN"
#define MISSING_MAILBOX "MISSING_MAILBOX"

struct address {
    struct str name;    /* phrase, or all that was read so far */
    struct str mailbox; /* without blanks */
    struct str domain;
    bool has_at;
    bool is_angle; /* the address stood in <> */
    bool is_whole; /* what still comes before the ',' does not belong to it */
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
    address->has_at = address->is_angle = address->is_whole = false;
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

/* Words without '@' are a name, but one alone is taken for a mailbox of this host. */
static bool is_name_only(const struct address *address)
{
    return !address->is_angle && !address->has_at && slice_has(str_slice(&address->name), ' ');
}

/* Writes the address that was read, if there was anything. */
static void finish_address(struct address_list *list)
{
    struct address *address = &list->address;
    bool is_something =
        address->is_angle || address->has_at || address->mailbox.size > 0 || address->name.size > 0;
    if (is_something) {
        bool name_only = is_name_only(address);
        if (name_only)
            str_clear(&address->mailbox);
        /* Without <> the name can only be a comment: "a@b (Name)". */
        bool has_name = (address->is_angle || name_only) && address->name.size > 0;
        const struct str *name = has_name ? &address->name : &list->lex.comment;
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

static void take_at(struct address *address)
{
    address->is_whole |= address->has_at;
    address->has_at = true;
}

static void add_to_name(struct address_list *list, struct slice text)
{
    struct str *name = &list->address.name;
    if (list->lex.spaced && name->size > 0)
        str_append_byte(name, ' ');
    str_append(name, text);
}

static bool ends_in_dot(const struct str *text)
{
    return text->size > 0 && text->data[text->size - 1] == '.';
}

/* A word of the mailbox or domain. Two with a blank between belong together only around a dot: of
 * "a b@c d" the address is b@c. */
static void add_to_address(struct address_list *list, struct slice text)
{
    struct address *address = &list->address;
    struct str *part = address->has_at ? &address->domain : &address->mailbox;
    bool is_apart =
        list->lex.spaced && part->size > 0 && !ends_in_dot(part) && !slice_equal(text, SLICE("."));
    if (is_apart && address->has_at)
        address->is_whole = true;
    if (address->is_whole)
        return;
    if (is_apart)
        str_clear(part);
    str_append(part, text);
}

/* "<@a,@b:local@domain>", behind the '<'. The route is dropped, as RFC 5322 4.4 asks. */
static void read_angle(struct address_list *list)
{
    struct address *address = &list->address;
    str_clear(&address->mailbox);
    str_clear(&address->domain);
    address->has_at = address->is_whole = false;
    address->is_angle = true;
    for (;;) {
        enum headerlex_token token = headerlex_next(&list->lex);
        if (token == HEADERLEX_END || (token == HEADERLEX_SPECIAL && list->lex.special == '>'))
            return;
        if (token == HEADERLEX_WORD) {
            add_to_address(list, str_slice(&list->lex.text));
        } else if (list->lex.special == ':') {
            str_clear(&address->domain);
            str_clear(&address->mailbox);
            address->has_at = address->is_whole = false;
        } else if (list->lex.special == '@') {
            take_at(address);
        } else if (list->lex.special == '.') {
            add_to_address(list, SLICE("."));
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
        take_at(address);
        break;
    case '.':
        add_to_name(list, SLICE("."));
        add_to_address(list, SLICE("."));
        break;
    default: /* a '>' too many */
        break;
    }
}

bool imapenvelope_append_addresses(struct str *out, struct slice field)
{
    struct address_list list = {.out = out};
    headerlex_begin(&list.lex, slice_part(field, 0, ADDRESSES_SIZE_MAX), "<>@,;:.");
    str_init(&list.address.name, MIME_FIELD_MAX);
    str_init(&list.address.mailbox, MIME_FIELD_MAX);
    str_init(&list.address.domain, MIME_FIELD_MAX);
    enum headerlex_token token;
    while (!out->failed && (token = headerlex_next(&list.lex)) != HEADERLEX_END) {
        if (token == HEADERLEX_SPECIAL) {
            take_special(&list, list.lex.special);
        } else if (!list.address.is_angle) { /* words behind <> belong to nothing */
            add_to_name(&list, str_slice(&list.lex.text));
            add_to_address(&list, str_slice(&list.lex.text));
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
