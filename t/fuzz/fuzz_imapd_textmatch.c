/* A line that is looked for, then a message: the fast way finds what the plain way finds. */
#include "../unit/imapd/plainsearch.h"
#include "textmatch.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void compare(struct slice message, struct slice folded)
{
    struct textmatch match;
    struct textneedle needle;
    struct mime_part *root = mime_parse(message);
    if (!root)
        return;
    struct slice header = slice_part(message, 0, root->header_size);
    mime_free(&root);
    textmatch_init(&match);
    textneedle_make(&needle, folded);
    check(textmatch_header(&match, header, &needle) == plainsearch_header(header, folded));
    check(textmatch_field(&match, header, SLICE("Subject"), &needle) ==
          plainsearch_field(header, SLICE("Subject"), folded));
    check(textmatch_body(&match, message, header.size, &needle) ==
          plainsearch_body(message, folded));
    textmatch_free(&match);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice message = slice_of(data, size);
    struct slice wanted = slice_without_line_end(slice_cut(&message, '\n'));
    struct str utf8, folded;
    str_init(&utf8, 1 << 20);
    str_init(&folded, 1 << 22);
    if (charset_to_utf8(SLICE("UTF-8"), wanted, &utf8, NULL) &&
        casefold_fold(str_slice(&utf8), &folded))
        compare(message, str_slice(&folded));
    str_free(&utf8);
    str_free(&folded);
    return 0;
}
