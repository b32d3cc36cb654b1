/*
 * The text of an automatic reply: checked, and what is right has its two forms, within their bounds.
 */
#include "charset.h"
#include "replytext.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

/* Lines end in CRLF and only there, and are no longer than SMTP's. */
static void check_lines(struct slice text, size_t most)
{
    while (text.size > 0) {
        check(slice_has(text, '\n'));
        struct slice line = slice_cut(&text, '\n');
        check(slice_ends(line, SLICE("\r")) && line.size <= most);
        line.size--;
        check(!slice_has(line, '\r') && !slice_has(line, '\0'));
    }
}

static void check_forms(struct slice text)
{
    struct str utf8, seven;
    str_init(&utf8, REPLYTEXT_SENT_MAX);
    str_init(&seven, REPLYTEXT_SENT_MAX);
    check(replytext_forms(text, &utf8, &seven));
    check(!utf8.failed && !seven.failed && charset_is_utf8(str_slice(&utf8)));
    check_lines(str_slice(&utf8), REPLYTEXT_SENT_MAX);
    check_lines(str_slice(&seven), 998);
    check(!slice_has_high(str_slice(&seven)));
    str_free(&utf8);
    str_free(&seven);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    unsigned line = 0;
    char error[REPLYTEXT_ERROR_MAX] = "";
    bool is_right = replytext_check(text, &line, error);
    check(is_right == (error[0] == '\0') && strlen(error) < sizeof error && line >= 1);
    (void)!replytext_is_empty(text);
    if (is_right)
        check_forms(text);
    return 0;
}
