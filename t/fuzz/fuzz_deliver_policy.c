/* What the DNS and web servers say of a domain's TLS: TLSA records, MTA-STS records and policies. */
#include "dane.h"
#include "stspolicy.h"

#include <arpa/nameser.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_records(struct slice answer)
{
    static struct dane dane;
    struct str text;
    if (dane_parse(answer, &dane) == DANE_USABLE && dane.count == 0)
        abort();
    if (dane.count > TLS_RECORDS_MAX || dane.size > sizeof dane.bytes)
        abort();
    str_init(&text, 1 << 20);
    for (size_t i = 0; i < dane.count; i++)
        if (!dane_put_record(dane.records[i], &text))
            abort();
    str_free(&text);
}

/* What was accepted reads the same again in our own form. */
static void check_policy(struct slice input)
{
    static struct stspolicy policy, again;
    struct str text, twice;
    const char *reason;
    if (!stspolicy_parse(input, &policy, &reason))
        return;
    str_init(&text, STSPOLICY_TEXT_MAX);
    str_init(&twice, STSPOLICY_TEXT_MAX);
    if (!stspolicy_put(&policy, &text) || !stspolicy_parse(str_slice(&text), &again, &reason) ||
        !stspolicy_put(&again, &twice) || !slice_equal(str_slice(&text), str_slice(&twice)))
        abort();
    (void)stspolicy_allows(&policy, "mx.example.org");
    str_free(&text);
    str_free(&twice);
}

static void take_text(struct slice text, void *owner)
{
    (void)owner;
    char id[STSPOLICY_ID_MAX + 1];
    if (stspolicy_parse_record(text, id) && (id[0] == '\0' || strlen(id) > STSPOLICY_ID_MAX))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    check_records(input);
    check_policy(input);
    take_text(input, NULL);
    (void)mx_parse_data(input, ns_t_txt, take_text, NULL);
    return 0;
}
