/* xclient - see xclient.h */
#include "xclient.h"

#include "dsn.h"
#include "number.h"

#include <stddef.h>

enum { VALUE_MAX = 512 };

typedef bool check(struct slice value, char *text, size_t capacity);

static bool take_name(struct slice value, char *text, size_t capacity)
{
    return mailaddress_is_domain(value, MAILADDRESS_UTF8) && slice_copy_text(value, text, capacity);
}

/* "192.0.2.1", "IPV6:2001:db8::1"; some leave the prefix out. */
static bool take_address(struct slice value, char *text, size_t capacity)
{
    struct ip ip;
    struct slice prefix = SLICE("IPV6:");
    (void)capacity;
    if (slice_starts_nocase(value, prefix))
        value = slice_from(value, prefix.size);
    if (!ip_parse(value, &ip))
        return false;
    ip_format(&ip, text);
    return true;
}

static bool take_port(struct slice value, char *text, size_t capacity)
{
    unsigned port;
    return number_parse_unsigned(value, 65535, &port) && slice_copy_text(value, text, capacity);
}

static bool take_protocol(struct slice value, char *text, size_t capacity)
{
    return (slice_equal_nocase(value, SLICE("SMTP")) ||
            slice_equal_nocase(value, SLICE("ESMTP"))) &&
           slice_copy_text(value, text, capacity);
}

/* A name is cut as EHLO's is; what it may do to fields and logs is trace.h's business. */
static bool take_helo(struct slice value, char *text, size_t capacity)
{
    return !slice_has_control(value) &&
           slice_copy_text(slice_part(value, 0, capacity - 1), text, capacity);
}

static bool take_login(struct slice value, char *text, size_t capacity)
{
    return value.size > 0 && !slice_has_control(value) && slice_copy_text(value, text, capacity);
}

static const struct {
    const char *name;
    size_t offset;
    size_t capacity;
    check *take;
} attributes[] = {
#define PLACE(field) offsetof(struct xclient, field), sizeof(((struct xclient *)0)->field)
    [XCLIENT_NAME] = {"NAME", PLACE(name), take_name},
    [XCLIENT_ADDR] = {"ADDR", PLACE(address), take_address},
    [XCLIENT_PORT] = {"PORT", PLACE(port), take_port},
    [XCLIENT_PROTO] = {"PROTO", PLACE(protocol), take_protocol},
    [XCLIENT_HELO] = {"HELO", PLACE(helo), take_helo},
    [XCLIENT_LOGIN] = {"LOGIN", PLACE(login), take_login},
    [XCLIENT_DESTADDR] = {"DESTADDR", PLACE(server_address), take_address},
    [XCLIENT_DESTPORT] = {"DESTPORT", PLACE(server_port), take_port},
#undef PLACE
};

static bool is_unavailable(struct slice value)
{
    return slice_equal_nocase(value, SLICE("[UNAVAILABLE]")) ||
           slice_equal_nocase(value, SLICE("[TEMPUNAVAIL]"));
}

static bool take_value(struct slice coded, size_t at, struct xclient *xclient)
{
    struct str value;
    str_init(&value, VALUE_MAX);
    char *text = (char *)xclient + attributes[at].offset;
    bool is_good = dsn_decode_xtext(coded, &value) &&
                   (is_unavailable(str_slice(&value)) ||
                    attributes[at].take(str_slice(&value), text, attributes[at].capacity));
    str_free(&value);
    return is_good;
}

static bool take_word(struct slice word, struct xclient *xclient)
{
    struct slice name = slice_cut(&word, '=');
    for (unsigned i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        if (!slice_equal_nocase(name, slice_text(attributes[i].name)))
            continue;
        bool is_again = (xclient->said & 1u << i) != 0;
        xclient->said |= 1u << i;
        return !is_again && take_value(word, i, xclient);
    }
    return false;
}

bool xclient_parse(struct slice argument, struct xclient *xclient)
{
    bool is_good = true;
    *xclient = (struct xclient){.said = 0};
    for (struct slice word = slice_cut_word(&argument); is_good && word.size > 0;
         word = slice_cut_word(&argument))
        is_good = take_word(word, xclient);
    return is_good && xclient->said != 0;
}
