/* Addresses: what is accepted has a canonical form, which is accepted and its own canonical form. */
#include "mailaddress.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mailaddress *address)
{
    struct mailaddress again;
    struct str first, second;
    str_init(&first, 320);
    str_init(&second, 320);
    if (!mailaddress_canonical(address, &first))
        abort();
    if (address->domain.size > 0 &&
        (!mailaddress_parse(str_slice(&first), MAILADDRESS_UTF8, &again) ||
         !mailaddress_canonical(&again, &second) ||
         !slice_equal(str_slice(&first), str_slice(&second))))
        abort();
    /* It goes into lines and paths of other programs. */
    if (slice_has(str_slice(&first), '\n') || slice_has(str_slice(&first), '\0') ||
        slice_has(address->domain, '/'))
        abort();
    str_free(&first);
    str_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mailaddress address;
    struct slice input = slice_of(data, size);
    for (unsigned flags = 0; flags < 8; flags++) {
        if (mailaddress_parse_path(input, flags, &address))
            check(&address);
        if (mailaddress_parse(input, flags, &address))
            check(&address);
    }
    return 0;
}
