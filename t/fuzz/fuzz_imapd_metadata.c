/* metadata: the file of annotations - what is read and written again reads the same */
#include "metadata.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct metadata *metadata, const struct metadata *again)
{
    if (metadata->count != again->count)
        abort();
    for (size_t i = 0; i < metadata->count; i++)
        if (!slice_equal(metadata->entries[i].name, again->entries[i].name) ||
            !slice_equal(metadata->entries[i].value, again->entries[i].value))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct metadata metadata, again;
    struct str content;
    metadata_parse(slice_of(data, size), &metadata);
    str_init(&content, METADATA_FILE_MAX);
    if (metadata_format(&metadata, &content)) {
        metadata_parse(str_slice(&content), &again);
        check_same(&metadata, &again);
    }
    str_free(&content);
    return 0;
}
