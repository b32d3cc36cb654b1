/* trace - see trace.h */
#include "trace.h"

#include "maildate.h"

#include <string.h>

bool trace_clean_helo(struct slice helo, struct str *clean)
{
    helo = slice_part(helo, 0, TRACE_HELO_MAX);
    for (size_t i = 0; i < helo.size; i++) {
        char byte = helo.data[i];
        bool is_plain = slice_is_letter(byte) || slice_is_digit(byte) || byte == '.' ||
                        byte == '-' || byte == '_' || byte == ':' || byte == '[' || byte == ']';
        str_append_byte(clean, is_plain ? byte : '?');
    }
    return !clean->failed;
}

/* RFC 3848, and 6531 4.3 with its registry. */
static void append_protocol(const struct trace *trace, struct str *field)
{
    if (trace->is_lmtp)
        str_append_text(field, trace->utf8 ? "UTF8LMTP" : "LMTP");
    else if (trace->is_extended)
        str_append_text(field, trace->utf8 ? "UTF8SMTP" : "ESMTP");
    else
        str_append_text(field, "SMTP");
    if (!trace->is_lmtp && !trace->is_extended)
        return;
    str_append_text(field, trace->tls_version[0] != '\0' ? "S" : "");
    str_append_text(field, trace->account[0] != '\0' ? "A" : "");
}

/* The bits of a cipher's key, by its name; 0 where it tells nothing. */
static unsigned key_bits(const char *cipher)
{
    static const struct {
        const char *part;
        unsigned bits;
    } parts[] = {{"CHACHA20", 256}, {"AES256", 256},  {"AES_256", 256},
                 {"AES128", 128},   {"AES_128", 128}, {"3DES", 112}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(cipher, parts[i].part))
            return parts[i].bits;
    return 0;
}

/* As Postfix writes it, for which programs that read traces look. */
static void append_tls(const struct trace *trace, struct str *field)
{
    if (trace->tls_version[0] == '\0')
        return;
    unsigned bits = key_bits(trace->tls_cipher);
    str_format(field, "\t(using %s with cipher %s", trace->tls_version, trace->tls_cipher);
    if (bits > 0)
        str_format(field, " (%u/%u bits)", bits, bits);
    str_append_text(field, ")\r\n");
}

/* RFC 5321 4.4: the name by which the client called itself; in the comment what is known. */
static void append_client(const struct trace *trace, struct str *field)
{
    bool is_ipv6 = slice_has(slice_text(trace->client), ':');
    str_append_text(field, "Received: from ");
    trace_clean_helo(trace->helo, field);
    str_append_text(field, " (");
    trace_clean_helo(slice_text(trace->name), field);
    str_append_text(field, trace->name[0] != '\0' ? " " : "");
    str_append_texts(field, is_ipv6 ? "[IPv6:" : "[", trace->client, "])\r\n");
}

/* 8 bits in a field need SMTPUTF8 (RFC 6532). */
static bool may_name_recipient(const struct trace *trace)
{
    return trace->recipient.size > 0 && !slice_has_control(trace->recipient) &&
           (trace->utf8 || !slice_has_high(trace->recipient));
}

bool trace_received(const struct trace *trace, struct str *field)
{
    append_client(trace, field);
    append_tls(trace, field);
    str_append_texts(field, "\tby ", trace->me, " with ");
    append_protocol(trace, field);
    str_append_texts(field, " id ", trace->id);
    if (may_name_recipient(trace)) {
        str_append_text(field, "\r\n\tfor <");
        str_append(field, trace->recipient);
        str_append_byte(field, '>');
    }
    str_append_text(field, ";\r\n\t");
    return maildate_format(field, trace->seconds) && str_append(field, SLICE("\r\n"));
}

bool trace_origin(const struct trace *trace, struct str *origin)
{
    str_append_texts(origin, "by=", trace->service, " client=", trace->client, " helo=");
    trace_clean_helo(slice_part(trace->helo, 0, TRACE_ORIGIN_HELO_MAX), origin);
    /* Beside a user there is no room for it, and no need. */
    if (trace->name[0] != '\0' && trace->account[0] == '\0') {
        str_append_text(origin, " name=");
        trace_clean_helo(slice_text(trace->name), origin);
    }
    if (trace->tls_version[0] != '\0')
        str_append_texts(origin, " tls=", trace->tls_version);
    if (trace->account[0] != '\0')
        str_append_texts(origin, " user=", trace->account);
    return !origin->failed;
}
