/* keywordmatch: a stranger's header, and a keyword of ours - within bounds, and what is plain is found. */
#include "keywordmatch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line is the keyword, the rest the header. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keywordmatch match;
    if (match.from.lines.max == 0)
        keywordmatch_init(&match);
    struct slice header = slice_of(data, size);
    struct slice keyword = slice_cut(&header, '\n');
    if (!forwardrule_is_keyword(keyword))
        keyword = SLICE("a");
    if (!keywordmatch_read(&match, header) || match.from.lines.size > KEYWORDMATCH_TEXT_MAX ||
        match.subject.lines.size > KEYWORDMATCH_TEXT_MAX)
        abort();
    (void)keywordmatch_has(&match, FORWARDRULE_FROM, keyword);
    bool is_found = keywordmatch_has(&match, FORWARDRULE_SUBJECT, keyword);
    /* The same again. */
    if (!keywordmatch_read(&match, header) ||
        keywordmatch_has(&match, FORWARDRULE_SUBJECT, keyword) != is_found)
        abort();
    /* Its own subject has it. */
    struct str own;
    str_init(&own, 2000);
    str_append_text(&own, "Subject: x");
    str_append(&own, keyword);
    str_append_text(&own, "x\r\n");
    bool is_plain =
        !slice_has_high(keyword) && !slice_has(keyword, '=') && !slice_has(keyword, '?');
    if (!keywordmatch_read(&match, str_slice(&own)) ||
        (is_plain && !keywordmatch_has(&match, FORWARDRULE_SUBJECT, keyword)))
        abort();
    str_free(&own);
    return 0;
}
