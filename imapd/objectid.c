/* objectid - see objectid.h */
#include "objectid.h"

#include "number.h"

static bool append(struct str *out, char kind, uint64_t id)
{
    char text[1 + 16] = {kind};
    number_put_hex(id, text + 1, sizeof text - 1);
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
