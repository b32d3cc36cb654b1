/* forwardline - see forwardline.h */
#include "forwardline.h"

#include "mailaddress.h"

#include <stdio.h>

enum { SHOWN_MAX = 80 };

bool forwardline_check_target(struct slice text, char target[FORWARDLINE_TARGET_MAX + 1],
                              char error[USERLINE_ERROR_MAX])
{
    struct mailaddress address;
    struct str canonical;
    struct slice shown = slice_part(text, 0, SHOWN_MAX);
    /* SPEC R7.4: it could be taken for an option where somebody puts it on a command line. */
    if (slice_starts(text, SLICE("-"))) {
        snprintf(error, USERLINE_ERROR_MAX, "\"%.*s\": a target may not begin with -",
                 SLICE_PRINTF(shown));
        return false;
    }
    str_init(&canonical, FORWARDLINE_TARGET_MAX);
    bool good = mailaddress_parse(text, MAILADDRESS_UTF8, &address) &&
                mailaddress_canonical(&address, &canonical) &&
                slice_copy_text(str_slice(&canonical), target, FORWARDLINE_TARGET_MAX + 1);
    str_free(&canonical);
    if (!good)
        snprintf(error, USERLINE_ERROR_MAX, "\"%.*s\" is no mail address (such as u@example.jp)",
                 SLICE_PRINTF(shown));
    return good;
}

bool forwardline_parse(struct forwardline *forward, struct slice line,
                       char error[USERLINE_ERROR_MAX])
{
    struct slice local = slice_cut_word(&line);
    struct slice condition = slice_cut_word(&line);
    if (!userline_check_local(local, forward->local, error))
        return false;
    if (!slice_equal(condition, SLICE("all"))) {
        snprintf(error, USERLINE_ERROR_MAX, "\"%.*s\": write LOCAL all TARGET",
                 SLICE_PRINTF(slice_part(condition, 0, SHOWN_MAX)));
        return false;
    }
    return forwardline_check_target(slice_trim(line), forward->target, error);
}

bool forwardline_format(const struct forwardline *forward, struct str *line)
{
    return str_format(line, "%s all %s", forward->local, forward->target);
}
