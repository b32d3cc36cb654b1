/* dsn - see dsn.h */
#include "dsn.h"

#include "wire.h"

static const struct {
    const char *name;
    unsigned bit;
} words[] = {
    {"NEVER", DSN_NOTIFY_NEVER},
    {"SUCCESS", DSN_NOTIFY_SUCCESS},
    {"FAILURE", DSN_NOTIFY_FAILURE},
    {"DELAY", DSN_NOTIFY_DELAY},
};

static unsigned find_word(struct slice word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal_nocase(word, slice_text(words[i].name)))
            return words[i].bit;
    return 0;
}

bool dsn_parse_notify(struct slice text, unsigned *notify)
{
    *notify = 0;
    if (text.size == 0)
        return true;
    if (text.size > DSN_NOTIFY_TEXT_MAX || slice_ends(text, SLICE(",")))
        return false;
    while (text.size > 0) {
        unsigned bit = find_word(slice_cut(&text, ','));
        if (bit == 0)
            return false;
        *notify |= bit;
    }
    return (*notify & DSN_NOTIFY_NEVER) == 0 || *notify == DSN_NOTIFY_NEVER;
}

bool dsn_format_notify(unsigned notify, struct str *text)
{
    const char *between = "";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if ((notify & words[i].bit) == 0)
            continue;
        str_append_text(text, between);
        str_append_text(text, words[i].name);
        between = ",";
    }
    return !text->failed;
}

bool dsn_wants_failure(unsigned notify)
{
    return notify == 0 || (notify & DSN_NOTIFY_FAILURE) != 0;
}

bool dsn_wants_delay(unsigned notify)
{
    return notify == 0 || (notify & DSN_NOTIFY_DELAY) != 0;
}

bool dsn_wants_success(unsigned notify)
{
    return (notify & DSN_NOTIFY_SUCCESS) != 0;
}

bool dsn_parse_return(struct slice text, enum dsn_return *value)
{
    *value = DSN_RETURN_DEFAULT;
    if (slice_equal_nocase(text, SLICE("FULL")))
        *value = DSN_RETURN_FULL;
    else if (slice_equal_nocase(text, SLICE("HDRS")))
        *value = DSN_RETURN_HEADERS;
    return *value != DSN_RETURN_DEFAULT || text.size == 0;
}

const char *dsn_return_name(enum dsn_return value)
{
    static const char *const names[] = {"", "FULL", "HDRS"};
    return names[value];
}

static bool is_plain(char byte)
{
    return byte > ' ' && byte < 0x7f && byte != '+' && byte != '=';
}

/* The value of an upper-case hexadecimal digit (RFC 3461 4), or -1. */
static int hex_value(char digit)
{
    if (slice_is_digit(digit))
        return digit - '0';
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The byte that stands at the front of *text; -1: none does. */
static int cut_byte(struct slice *text)
{
    char first = text->data[0];
    if (is_plain(first)) {
        *text = slice_from(*text, 1);
        return (unsigned char)first;
    }
    if (first != '+' || text->size < 3)
        return -1;
    int high = hex_value(text->data[1]), low = hex_value(text->data[2]);
    if (high < 0 || low < 0)
        return -1;
    *text = slice_from(*text, 3);
    return high * 16 + low;
}

bool dsn_is_xtext(struct slice text)
{
    while (text.size > 0)
        if (cut_byte(&text) < 0)
            return false;
    return true;
}

bool dsn_decode_xtext(struct slice text, struct str *decoded)
{
    while (text.size > 0) {
        int byte = cut_byte(&text);
        if (byte < 0 || !str_append_byte(decoded, (char)byte))
            return false;
    }
    return true;
}

bool dsn_encode_xtext(struct slice text, struct str *encoded)
{
    for (size_t i = 0; i < text.size; i++) {
        if (is_plain(text.data[i]))
            str_append_byte(encoded, text.data[i]);
        else
            str_format(encoded, "+%02X", (unsigned)(unsigned char)text.data[i]);
    }
    return !encoded->failed;
}

bool dsn_is_envid(struct slice text)
{
    return text.size > 0 && text.size <= DSN_ENVID_MAX && dsn_is_xtext(text);
}

/* RFC 6533 3: utf-8-addr-unitext and utf-8-addr-xtext have characters that xtext has not. */
static bool is_utf8_address(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] <= ' ' || text.data[i] == 0x7f)
            return false;
    return text.size > 0;
}

bool dsn_is_orcpt(struct slice text)
{
    struct slice address = text;
    struct slice type = slice_cut(&address, ';');
    if (text.size > DSN_ORCPT_MAX || type.size == 0 || address.size == 0)
        return false;
    for (size_t i = 0; i < type.size; i++)
        if (!slice_is_letter(type.data[i]) && !slice_is_digit(type.data[i]) && type.data[i] != '-')
            return false;
    return slice_equal_nocase(type, SLICE("utf-8")) ? is_utf8_address(address)
                                                    : dsn_is_xtext(address);
}

void dsn_put_recipient(struct str *packet, struct slice address, unsigned notify,
                       struct slice orcpt)
{
    struct str text;
    str_init(&text, DSN_NOTIFY_TEXT_MAX);
    dsn_format_notify(notify, &text);
    wire_put(packet, address);
    wire_put(packet, str_slice(&text));
    wire_put(packet, orcpt);
    str_free(&text);
}

bool dsn_check_recipient(struct slice notify_text, struct slice orcpt, unsigned *notify)
{
    return dsn_parse_notify(notify_text, notify) && (orcpt.size == 0 || dsn_is_orcpt(orcpt));
}

bool dsn_check_message(struct slice ret_text, struct slice envid, enum dsn_return *ret)
{
    return dsn_parse_return(ret_text, ret) && (envid.size == 0 || dsn_is_envid(envid));
}
