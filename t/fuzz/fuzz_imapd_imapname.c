/* imapname: names and patterns of clients, first byte says whether in UTF-8 - what is made can be
 * told, and is found again by what was told */
#include "imapname.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_told(const struct imapsession *session, const struct imapfolder *folder)
{
    struct str told;
    struct arena arena;
    struct parse parse;
    struct slice name;
    struct imapfolder again;
    str_init(&told, 65536);
    arena_init(&arena, 1 << 20);
    if (!imapname_append(session, &told, slice_text(folder->name)))
        abort();
    parse_begin(&parse, str_slice(&told), &arena);
    if (!parse_astring(&parse, &name) || imapname_take(session, name, &again) != ANSWER_DONE ||
        strcmp(again.name, folder->name) != 0 || strcmp(again.path, folder->path) != 0)
        abort();
    arena_free(&arena);
    str_free(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct imapsession session;
    struct imapfolder folder;
    struct str pattern;
    bool normalised;
    if (size == 0)
        return 0;
    session.enabled = data[0] & 1 ? ENABLED_REV2 : 0;
    struct slice text = slice_of(data + 1, size - 1);
    if (imapname_take_new(&session, text, &folder, &normalised) == ANSWER_DONE)
        check_told(&session, &folder);
    str_init(&pattern, 65536);
    if (imapname_take_pattern(&session, text, &pattern))
        (void)imapfolder_matches(str_slice(&pattern), text);
    str_free(&pattern);
    return 0;
}
