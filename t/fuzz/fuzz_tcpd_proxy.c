/* fuzz_tcpd_proxy - PROXY headers, versions 1 and 2: one answer however they arrive */
#include "proxy.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const struct ip *ip)
{
    char text[IP_TEXT_MAX];
    struct ip back;
    ip_format(ip, text);
    if (!ip_parse(slice_text(text), &back) || !ip_equal(ip, &back))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header header;
    struct proxy_header again;
    size_t used;
    size_t used_again;
    enum proxy_result result = proxy_parse(slice_of(data, size), &header, &used);
    if (result == PROXY_MORE && size >= PROXY_MAX)
        abort(); /* a header has an end */
    if (result != PROXY_DONE)
        return 0;
    if (used == 0 || used > size || used > PROXY_MAX)
        abort();
    if (header.has_addresses) {
        check_address(&header.client);
        check_address(&header.server);
    }
    /* The header alone is enough, and nothing less: what comes behind is not looked at. */
    if (proxy_parse(slice_of(data, used), &again, &used_again) != PROXY_DONE ||
        used_again != used ||
        proxy_parse(slice_of(data, used - 1), &again, &used_again) != PROXY_MORE)
        abort();
    return 0;
}
