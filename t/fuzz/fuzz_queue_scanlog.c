/* scanlog_parse over any bytes: what is read can be written the same */
#include "scanlog.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scanlog_entry entry, again;
    struct str record;
    if (!scanlog_parse(slice_of(data, size), &entry))
        return 0;
    str_init(&record, JOURNAL_RECORD_MAX);
    if (!scanlog_format(&record, &entry) || !scanlog_parse(str_slice(&record), &again) ||
        again.check != entry.check || again.scanned != entry.scanned ||
        !slice_equal(again.id, entry.id))
        abort();
    str_free(&record);
    return 0;
}
