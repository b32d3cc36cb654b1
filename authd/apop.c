/* apop - see apop.h */
#include "apop.h"

#include "encode.h"

#include <bearssl.h>

bool apop_matches(struct slice timestamp, struct slice secret, struct slice digest)
{
    unsigned char bytes[br_md5_SIZE];
    unsigned difference = secret.size == 0 || timestamp.size == 0;
    struct str expected;
    br_md5_context md5;
    br_md5_init(&md5);
    br_md5_update(&md5, timestamp.data, timestamp.size);
    br_md5_update(&md5, secret.data, secret.size);
    br_md5_out(&md5, bytes);
    str_init(&expected, sizeof bytes * 2);
    encode_hex(slice_of(bytes, sizeof bytes), &expected);
    difference |= expected.failed || expected.size != digest.size;
    /* All of it, so that time says nothing about where they differ. */
    for (size_t i = 0; i < expected.size && i < digest.size; i++)
        difference |= (unsigned)(expected.data[i] ^ digest.data[i]);
    str_free(&expected);
    return difference == 0;
}
