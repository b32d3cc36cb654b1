/* Any bytes as netstrings: what splits is the same bytes when it is put together again, and a stream
 * that is cut one by one gives the same fields. */
#include "wire.h"

#include <stdlib.h>

enum { FIELDS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_same(struct slice packet, const struct slice *fields, size_t count)
{
    struct str again;
    str_init(&again, WIRE_MAX_SIZE);
    for (size_t i = 0; i < count; i++)
        wire_put(&again, fields[i]);
    check(!again.failed && slice_equal(str_slice(&again), packet));
    str_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice packet = slice_of(data, size);
    struct slice fields[FIELDS_MAX];
    struct slice rest = packet;
    struct slice field;
    size_t count, cut = 0;
    if (size > WIRE_MAX_SIZE)
        return 0;
    bool whole = wire_split(packet, fields, FIELDS_MAX, &count);
    check(count <= FIELDS_MAX);
    if (whole)
        check_same(packet, fields, count);
    while (wire_cut_netstring(&rest, size, &field) == 1) {
        check(field.data >= packet.data && field.data + field.size < packet.data + size);
        if (cut < count)
            check(slice_equal(field, fields[cut]));
        cut++;
    }
    check(!whole || (cut == count && rest.size == 0));
    return 0;
}
