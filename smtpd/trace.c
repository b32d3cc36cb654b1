/* trace - see trace.h */
#include "trace.h"

#include "maildate.h"

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

static void append_protocol(const struct trace *trace, struct str *field)
{
    if (!trace->is_extended) {
        str_append_text(field, "SMTP");
        return;
    }
    str_append_text(field, trace->utf8 ? "UTF8SMTP" : "ESMTP");
    str_append_text(field, trace->tls_version[0] != '\0' ? "S" : "");
    str_append_text(field, trace->account[0] != '\0' ? "A" : "");
}

bool trace_received(const struct trace *trace, struct str *field)
{
    bool is_ipv6 = slice_has(slice_text(trace->client), ':');
    str_append_text(field, "Received: from ");
    trace_clean_helo(trace->helo, field);
    str_append_text(field, " (");
    if (slice_text(trace->name).size > 0)
        str_format(field, "%s ", trace->name);
    str_format(field, "[%s%s])\r\n\tby %s with ", is_ipv6 ? "IPv6:" : "", trace->client, trace->me);
    append_protocol(trace, field);
    if (trace->tls_version[0] != '\0')
        str_format(field, " (%s %s)", trace->tls_version, trace->tls_cipher);
    str_format(field, "\r\n\tid %s; ", trace->id);
    return maildate_format(field, trace->seconds) && str_append(field, SLICE("\r\n"));
}

bool trace_origin(const struct trace *trace, struct str *origin)
{
    str_format(origin, "by=%s client=%s helo=", trace->service, trace->client);
    trace_clean_helo(slice_part(trace->helo, 0, TRACE_ORIGIN_HELO_MAX), origin);
    if (trace->tls_version[0] != '\0')
        str_format(origin, " tls=%s", trace->tls_version);
    if (trace->account[0] != '\0')
        str_format(origin, " user=%s", trace->account);
    return !origin->failed;
}
