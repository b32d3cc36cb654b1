/* specialuse: the file of uses - what is read and written again reads the same, also when renamed */
#include "specialuse.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round(const struct specialuses *uses)
{
    struct specialuses again;
    struct str content;
    str_init(&content, SPECIALUSE_FILE_MAX);
    if (!specialuse_format(uses, &content))
        abort();
    specialuse_parse(str_slice(&content), &again);
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++)
        if (strcmp(uses->names[i], again.names[i]) != 0)
            abort();
    str_free(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct specialuses uses;
    struct slice text = slice_of(data, size);
    struct slice first = text;
    specialuse_parse(text, &uses);
    check_round(&uses);
    (void)specialuse_customary(slice_cut(&first, '\n'));
    specialuse_renamed(&uses, SLICE("a"), SLICE("b/c"));
    check_round(&uses);
    return 0;
}
