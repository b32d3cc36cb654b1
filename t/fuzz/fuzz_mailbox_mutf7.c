/* Modified UTF-7 and names of folders: what is accepted has one form, there and back. */
#include "imapfolder.h"
#include "mutf7.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_folder(struct slice name)
{
    struct imapfolder folder, again;
    if (imapfolder_named(name, &folder)) {
        must(slice_starts(slice_text(folder.path), SLICE(IMAPFOLDER_ROOT)));
        must(imapfolder_is_inbox(&folder) ||
             (imapfolder_from_disk(slice_text(folder.path + sizeof IMAPFOLDER_ROOT), &again) &&
              strcmp(again.name, folder.name) == 0));
    }
    if (imapfolder_from_disk(name, &folder))
        must(imapfolder_named(slice_text(folder.name), &again) &&
             strcmp(again.path, folder.path) == 0 &&
             slice_equal(slice_text(folder.path + sizeof IMAPFOLDER_ROOT), name));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice text = slice_of(bytes, size);
    struct str there, back;
    str_init(&there, 1 << 20);
    str_init(&back, 1 << 20);
    if (mutf7_to_utf8(text, &there))
        must(mutf7_from_utf8(str_slice(&there), &back) && slice_equal(str_slice(&back), text));
    str_clear(&there);
    str_clear(&back);
    if (mutf7_from_utf8(text, &there))
        must(mutf7_to_utf8(str_slice(&there), &back) && slice_equal(str_slice(&back), text));
    check_folder(text);
    size_t half = size / 2;
    (void)imapfolder_matches(slice_part(text, 0, half), slice_from(text, half));
    str_free(&there);
    str_free(&back);
    return 0;
}
