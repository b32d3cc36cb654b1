/* objectid - see objectid.h */
#include "objectid.h"

static bool append(struct str *out, char kind, uint64_t id)
{
    static const char digits[] = "0123456789abcdef";
    char text[1 + 16] = {kind};
    for (size_t i = sizeof text - 1; i > 0; i--, id >>= 4)
        text[i] = digits[id & 15];
    return str_append(out, slice_of(text, sizeof text));
}

bool objectid_append_mailbox(struct str *out, uint64_t id)
{
    return append(out, 'F', id);
}

bool objectid_append_email(struct str *out, uint64_t id)
{
    return append(out, 'M', id);
}

bool objectid_append_thread(struct str *out, uint64_t id)
{
    return append(out, 'T', id);
}
