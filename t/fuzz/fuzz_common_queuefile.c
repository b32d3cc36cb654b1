/* queuefile_parse over any bytes: what it takes is in keeping with itself */
#include "queuefile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct queuefile *file, struct slice bytes)
{
    if (!queuefile_is_id(file->id) || file->recipient_count == 0 ||
        file->recipient_count > ENVELOPE_RECIPIENTS_MAX || file->start <= 0 ||
        (size_t)file->start > bytes.size || bytes.data[file->start - 1] != '\n')
        abort();
    for (size_t i = 0; i < file->recipient_count; i++) {
        const struct queuefile_recipient *one = &file->recipients[i];
        if (one->address.size == 0 || one->address.size > ENVELOPE_ADDRESS_MAX ||
            one->offset <= 0 || one->offset >= file->start ||
            bytes.data[one->offset] != one->status || slice_has(one->address, '\n'))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct queuefile file;
    struct slice bytes = slice_of(data, size);
    int result = queuefile_parse(bytes, &file);
    if (result == 1) {
        check(&file, bytes);
        /* Its block alone is enough, and one byte less is not. */
        struct queuefile again;
        if (queuefile_parse(slice_part(bytes, 0, (size_t)file.start - 1), &again) != 0)
            abort();
        queuefile_free(&file);
    }
    return 0;
}
