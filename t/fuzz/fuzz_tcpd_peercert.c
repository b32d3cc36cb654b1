/* The certificates that servers show us, before any signature was looked at. */
#include "peercert.h"
#include "tlsverify.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice whole, struct slice part)
{
    if (part.size > 0 &&
        (part.data < whole.data || part.data + part.size > whole.data + whole.size))
        abort();
}

static void check_parts(struct slice input)
{
    struct peercert certificate;
    if (!peercert_parse(input, &certificate))
        return;
    check_inside(input, certificate.key);
    check_inside(input, certificate.names);
    check_inside(input, certificate.common_name);
    (void)peercert_has_name(&certificate, SLICE("mx.example.org"));
    (void)tlsverify_record_matches(SLICE("\3\1\1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), input);
}

/* The whole way: the first byte says how, the rest is a chain of one or two. */
static void check_chain(const uint8_t *data, size_t size)
{
    static struct tlsverify verify;
    static const struct tlsanchors none = {.count = 0};
    struct tls_check check = {.kind = (enum tls_check_kind)(data[0] % 3), .name_count = 1};
    check.is_lenient = data[0] & 0x80;
    check.names[0] = SLICE("mx.example.org");
    check.records[check.record_count++] = SLICE("\2\1\1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    check.records[check.record_count++] = slice_of(data, size < 600 && size > 3 ? size : 4);
    tlsverify_init(&verify, &check, &none, 1795348800);
    const br_x509_class **class = &verify.vtable;
    (*class)->start_chain(class, NULL);
    for (size_t half = 0; half < 2; half++) {
        size_t at = half * (size / 2);
        (*class)->start_cert(class, (uint32_t)(size - at));
        (*class)->append(class, data + at, size - at);
        (*class)->end_cert(class);
    }
    if ((*class)->end_chain(class) == 0 && !(*class)->get_pkey(class, NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_parts(slice_of(data, size));
    if (size >= 4)
        check_chain(data, size);
    return 0;
}
