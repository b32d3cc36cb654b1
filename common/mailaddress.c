/* mailaddress - see mailaddress.h */
#include "mailaddress.h"

#include "charset.h"

#include <string.h>

enum {
    /* RFC 5321 4.5.3.1 asks for 64 at least, and for no limit where that can be: what rewrites
     * senders (SRS, VERP) makes longer ones. */
    LOCAL_MAX = 255,
    DOMAIN_MAX = 255,
    ADDRESS_MAX = 320,
    LABEL_MAX = 63,
};

static bool is_high(char byte)
{
    return (unsigned char)byte >= 0x80;
}

/* Bytes above 127 are welcome with SMTPUTF8 alone, and then only as UTF-8 (RFC 6531 3.3). */
static bool is_welcome(struct slice text, unsigned flags)
{
    return !slice_has_high(text) || ((flags & MAILADDRESS_UTF8) && charset_is_utf8(text));
}

/* RFC 5322 atext, and the bytes of UTF-8, which is_welcome looks at. */
static bool is_atext(char byte)
{
    return slice_is_letter(byte) || slice_is_digit(byte) || is_high(byte) ||
           (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", byte));
}

/* A dot-string, with the dots of the Japanese carriers: two in a row, or one at the end. */
static size_t dot_string_size(struct slice text)
{
    size_t size = 0;
    if (text.size > 0 && text.data[0] == '.')
        return 0;
    while (size < text.size && (is_atext(text.data[size]) || text.data[size] == '.'))
        size++;
    return size;
}

/* RFC 5321 4.1.2 Quoted-string; 0 when there is none. */
static size_t quoted_string_size(struct slice text)
{
    size_t at = 1;
    while (at < text.size && text.data[at] != '"') {
        if (text.data[at] == '\\')
            at++;
        if (at >= text.size || (unsigned char)text.data[at] < ' ' || text.data[at] == 0x7f)
            return 0;
        at++;
    }
    return at < text.size ? at + 1 : 0;
}

static size_t local_size(struct slice text)
{
    bool is_quoted = text.size > 0 && text.data[0] == '"';
    return is_quoted ? quoted_string_size(text) : dot_string_size(text);
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]": what is in it is the business of who connects to it. */
static size_t literal_size(struct slice text)
{
    size_t at = 1;
    while (at < text.size && text.data[at] != ']') {
        char byte = text.data[at];
        if (!slice_is_letter(byte) && !slice_is_digit(byte) && byte != '.' && byte != ':' &&
            byte != '-')
            return 0;
        at++;
    }
    return at > 1 && at < text.size ? at + 1 : 0;
}

static bool is_name_byte(char byte)
{
    return slice_is_letter(byte) || slice_is_digit(byte) || byte == '-' || byte == '_' ||
           is_high(byte);
}

static size_t name_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size && (is_name_byte(text.data[size]) || text.data[size] == '.'))
        size++;
    return size;
}

static bool is_label(struct slice label)
{
    if (label.size == 0 || label.size > LABEL_MAX || label.data[0] == '-' ||
        label.data[label.size - 1] == '-')
        return false;
    for (size_t i = 0; i < label.size; i++)
        if (!is_name_byte(label.data[i]))
            return false;
    return true;
}

bool mailaddress_is_domain(struct slice text, unsigned flags)
{
    if (text.size == 0 || text.size > DOMAIN_MAX || !is_welcome(text, flags))
        return false;
    struct slice rest = text;
    while (rest.size > 0)
        if (!is_label(slice_cut(&rest, '.')))
            return false;
    return text.data[text.size - 1] != '.';
}

/* Cuts the domain off the front of *rest. */
static bool cut_domain(struct slice *rest, unsigned flags, struct slice *domain)
{
    bool is_literal = rest->size > 0 && rest->data[0] == '[';
    size_t size = is_literal ? literal_size(*rest) : name_size(*rest);
    *domain = slice_part(*rest, 0, size);
    *rest = slice_from(*rest, size);
    if (is_literal)
        return size > 0 && size <= DOMAIN_MAX;
    return mailaddress_is_domain(*domain, flags);
}

static bool cut_mailbox(struct slice *rest, unsigned flags, struct mailaddress *address)
{
    size_t size = local_size(*rest);
    address->local = slice_part(*rest, 0, size);
    *rest = slice_from(*rest, size);
    if (size == 0 || size > LOCAL_MAX || !is_welcome(address->local, flags))
        return false;
    if ((flags & MAILADDRESS_BARE_POSTMASTER) && (rest->size == 0 || rest->data[0] == '>') &&
        slice_equal_nocase(address->local, SLICE("postmaster"))) {
        address->domain = SLICE("");
        return true;
    }
    if (rest->size == 0 || rest->data[0] != '@')
        return false;
    *rest = slice_from(*rest, 1);
    return cut_domain(rest, flags, &address->domain) &&
           size + 1 + address->domain.size <= ADDRESS_MAX;
}

/* "@a,@b:" in front of a mailbox: understood and ignored (RFC 5321 4.1.1.3). */
static bool cut_route(struct slice *rest, unsigned flags)
{
    struct slice domain;
    while (rest->size > 0 && rest->data[0] == '@') {
        *rest = slice_from(*rest, 1);
        if (!cut_domain(rest, flags, &domain) || rest->size == 0)
            return false;
        char separator = rest->data[0];
        *rest = slice_from(*rest, 1);
        if (separator == ':')
            return true;
        if (separator != ',' || rest->size == 0 || rest->data[0] != '@')
            return false;
    }
    return true;
}

bool mailaddress_parse_path(struct slice text, unsigned flags, struct mailaddress *address)
{
    *address = (struct mailaddress){.local = SLICE(""), .domain = SLICE(""), .rest = SLICE("")};
    if (text.size == 0 || text.data[0] != '<')
        return false;
    struct slice rest = slice_from(text, 1);
    bool is_empty = rest.size > 0 && rest.data[0] == '>';
    if (is_empty ? !(flags & MAILADDRESS_EMPTY)
                 : !cut_route(&rest, flags) || !cut_mailbox(&rest, flags, address))
        return false;
    if (rest.size == 0 || rest.data[0] != '>')
        return false;
    address->rest = slice_from(rest, 1);
    return true;
}

bool mailaddress_parse(struct slice text, unsigned flags, struct mailaddress *address)
{
    *address = (struct mailaddress){.local = SLICE(""), .domain = SLICE(""), .rest = SLICE("")};
    if (text.size == 0)
        return flags & MAILADDRESS_EMPTY;
    return cut_mailbox(&text, flags, address) && text.size == 0;
}

/* Takes quotes and backslashes away; the backslash of "\x" never counts. */
static void append_unquoted(struct str *text, struct slice local)
{
    for (size_t i = 1; i + 1 < local.size; i++) {
        if (local.data[i] == '\\')
            i++;
        str_append_byte(text, local.data[i]);
    }
}

/* One writing for each mailbox: only '"' and '\' stand behind a backslash. */
static void append_quoted(struct str *text, struct slice plain)
{
    str_append_byte(text, '"');
    for (size_t i = 0; i < plain.size; i++) {
        if (plain.data[i] == '"' || plain.data[i] == '\\')
            str_append_byte(text, '\\');
        str_append_byte(text, plain.data[i]);
    }
    str_append_byte(text, '"');
}

static void append_local(struct str *text, struct slice local)
{
    if (local.size == 0 || local.data[0] != '"') {
        str_append(text, local);
        return;
    }
    struct str plain;
    str_init(&plain, LOCAL_MAX);
    append_unquoted(&plain, local);
    struct slice content = str_slice(&plain);
    if (content.size > 0 && dot_string_size(content) == content.size)
        str_append(text, content);
    else
        append_quoted(text, content);
    text->failed = text->failed || plain.failed;
    str_free(&plain);
}

bool mailaddress_canonical(const struct mailaddress *address, struct str *text)
{
    append_local(text, address->local);
    if (address->domain.size > 0)
        str_append_byte(text, '@');
    for (size_t i = 0; i < address->domain.size; i++)
        str_append_byte(text, slice_lower(address->domain.data[i]));
    return !text->failed;
}
