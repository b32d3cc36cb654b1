/* tlsreport - see tlsreport.h */
#include "tlsreport.h"

#include "number.h"

#include <time.h>

enum { FIELD_COUNT = 8 /* with the policy's own following */ };

static const char *const names[TLSREPORT_RESULTS] = {
    [TLSREPORT_SUCCESS] = "success",
    [TLSREPORT_STARTTLS_NOT_SUPPORTED] = "starttls-not-supported",
    [TLSREPORT_CERTIFICATE_HOST_MISMATCH] = "certificate-host-mismatch",
    [TLSREPORT_CERTIFICATE_EXPIRED] = "certificate-expired",
    [TLSREPORT_CERTIFICATE_NOT_TRUSTED] = "certificate-not-trusted",
    [TLSREPORT_VALIDATION_FAILURE] = "validation-failure",
    [TLSREPORT_TLSA_INVALID] = "tlsa-invalid",
    [TLSREPORT_DNSSEC_INVALID] = "dnssec-invalid",
    [TLSREPORT_DANE_REQUIRED] = "dane-required",
    [TLSREPORT_STS_POLICY_FETCH_ERROR] = "sts-policy-fetch-error",
    [TLSREPORT_STS_POLICY_INVALID] = "sts-policy-invalid",
    [TLSREPORT_STS_WEBPKI_INVALID] = "sts-webpki-invalid",
};

const char *tlsreport_result_name(enum tlsreport_result result)
{
    return names[result];
}

enum tlsreport_result tlsreport_result_named(struct slice name)
{
    for (size_t i = 0; i < TLSREPORT_RESULTS; i++)
        if (slice_equal(name, slice_text(names[i])))
            return (enum tlsreport_result)i;
    return TLSREPORT_VALIDATION_FAILURE;
}

static void put_field(struct str *text, struct slice field)
{
    if (text->size > 0)
        str_append_byte(text, '\t');
    str_append_printable(text, slice_part(field, 0, TLSREPORT_FIELD_MAX));
}

bool tlsreport_put_key(struct str *text, const struct tlsreport_line *line)
{
    put_field(text, line->domain);
    put_field(text, line->policy_type);
    put_field(text, slice_text(names[line->result]));
    put_field(text, line->sending_ip);
    put_field(text, line->mx);
    put_field(text, line->mx_ip);
    put_field(text, line->reason);
    for (size_t i = 0; i < line->policy_count; i++)
        put_field(text, line->policy[i]);
    return !text->failed;
}

bool tlsreport_parse(struct slice text, struct tlsreport_line *line)
{
    struct slice fields[FIELD_COUNT];
    size_t tabs = 0;
    for (size_t i = 0; i < text.size; i++)
        tabs += text.data[i] == '\t';
    if (tabs + 1 < FIELD_COUNT || tabs + 1 > FIELD_COUNT + TLSREPORT_POLICY_MAX)
        return false;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        fields[i] = slice_cut(&text, '\t');
    *line = (struct tlsreport_line){.domain = fields[1],
                                    .policy_type = fields[2],
                                    .result = tlsreport_result_named(fields[3]),
                                    .sending_ip = fields[4],
                                    .mx = fields[5],
                                    .mx_ip = fields[6],
                                    .reason = fields[7],
                                    .policy_count = tabs + 1 - FIELD_COUNT};
    for (size_t i = 0; i < line->policy_count; i++)
        line->policy[i] = slice_cut(&text, '\t');
    return line->domain.size > 0 && number_parse(fields[0], INT64_MAX, &line->count);
}

void tlsreport_date(int64_t seconds, char date[TLSREPORT_DATE_SIZE])
{
    time_t time = (time_t)seconds;
    struct tm parts;
    if (!gmtime_r(&time, &parts) || strftime(date, TLSREPORT_DATE_SIZE, "%Y-%m-%d", &parts) == 0)
        date[0] = '\0';
}

bool tlsreport_is_date(struct slice text)
{
    if (text.size != TLSREPORT_DATE_SIZE - 1)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (i == 4 || i == 7 ? text.data[i] != '-' : !slice_is_digit(text.data[i]))
            return false;
    return true;
}
