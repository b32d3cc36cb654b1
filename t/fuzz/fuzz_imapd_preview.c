/* The preview of any message is UTF-8 of at most 200 characters, on one line. */
#include "charset.h"
#include "htmltext.h"
#include "preview.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice input = slice_of(bytes, size);
    struct str text;
    str_init(&text, PREVIEW_TEXT_MAX);
    preview_append(&text, input);
    must(!text.failed && charset_is_utf8(str_slice(&text)));
    must(!slice_has_control(str_slice(&text)));
    size_t characters = 0;
    for (size_t i = 0; i < text.size; i++)
        characters += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    must(characters <= PREVIEW_CHARACTERS);
    str_free(&text);
    /* No text is longer than twice its page: "&yen;" shrinks, a block's tag is one blank. */
    str_init(&text, size * 2 + 16);
    must(htmltext_append(&text, input));
    str_free(&text);
    return 0;
}
