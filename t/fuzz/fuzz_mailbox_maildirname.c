/* maildir names: any file name parses or is refused, and what was parsed survives being written */
#include "maildir.h"

#include <limits.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maildir_name parsed, again;
    struct str name;
    if (size > NAME_MAX || !maildir_parse_name(slice_of(data, size), &parsed))
        return 0;
    str_init(&name, 2 * (size_t)NAME_MAX);
    if (!maildir_format_name(&name, &parsed) || parsed.uid > MAILDIR_UID_MAX ||
        parsed.keywords >> MAILDIR_KEYWORDS || parsed.date < 0)
        abort();
    /* A name of fields alone has an empty unique part, which no message of ours has. */
    if (parsed.unique.size > 0 &&
        (!maildir_parse_name(str_slice(&name), &again) ||
         !slice_equal(parsed.unique, again.unique) || parsed.uid != again.uid ||
         parsed.flags != again.flags || parsed.keywords != again.keywords ||
         parsed.size != again.size || parsed.crlf_size != again.crlf_size ||
         parsed.date != again.date))
        abort();
    str_free(&name);
    return 0;
}
