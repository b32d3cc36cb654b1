/* forwardline - see forwardline.h */
#include "forwardline.h"

#include "mailaddress.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 80 };

void forwardline_init(struct forwardline *forward)
{
    *forward = (struct forwardline){.condition = FORWARDRULE_ALL};
    str_init(&forward->keyword, USERLINE_VALUE_MAX);
}

void forwardline_free(struct forwardline *forward)
{
    while (forward->target_count > 0)
        free(forward->targets[--forward->target_count]);
    free(forward->targets);
    forward->targets = NULL;
    str_free(&forward->keyword);
}

/* ---- targets ---- */

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
                !slice_starts(str_slice(&canonical), SLICE("-")) && /* "-a" in quotes */
                slice_copy_text(str_slice(&canonical), target, FORWARDLINE_TARGET_MAX + 1);
    str_free(&canonical);
    if (!good)
        snprintf(error, USERLINE_ERROR_MAX, "\"%.*s\" is no mail address (such as u@example.jp)",
                 SLICE_PRINTF(shown));
    return good;
}

/* Where the target is, or belongs. */
static size_t find_place(const struct forwardline *forward, const char *target, bool *is_there)
{
    size_t from = 0, to = forward->target_count;
    *is_there = false;
    while (from < to && !*is_there) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(target, forward->targets[middle]);
        *is_there = order == 0;
        if (order <= 0)
            to = middle;
        else
            from = middle + 1;
    }
    return *is_there ? to : from;
}

bool forwardline_has_target(const struct forwardline *forward, const char *target)
{
    bool is_there;
    (void)find_place(forward, target, &is_there);
    return is_there;
}

bool forwardline_add_target(struct forwardline *forward, const char *target)
{
    bool is_there;
    size_t place = find_place(forward, target, &is_there);
    if (is_there)
        return true;
    if (forward->target_count >= FORWARDLINE_TARGETS_MAX)
        return false;
    char **more =
        reallocarray(forward->targets, forward->target_count + 1, sizeof *forward->targets);
    if (more)
        forward->targets = more;
    char *copy = more ? strdup(target) : NULL;
    if (!copy)
        return false;
    memmove(&forward->targets[place + 1], &forward->targets[place],
            (forward->target_count - place) * sizeof *forward->targets);
    forward->targets[place] = copy;
    forward->target_count++;
    return true;
}

bool forwardline_del_target(struct forwardline *forward, const char *target)
{
    bool is_there;
    size_t place = find_place(forward, target, &is_there);
    if (!is_there)
        return false;
    free(forward->targets[place]);
    forward->target_count--;
    memmove(&forward->targets[place], &forward->targets[place + 1],
            (forward->target_count - place) * sizeof *forward->targets);
    return true;
}

/* ---- reading ---- */

/* The next word; blanks in a quoted local part don't end it. */
static struct slice cut_target(struct slice *rest)
{
    size_t size = 0;
    bool in_quotes = false;
    *rest = slice_trim(*rest);
    for (; size < rest->size; size++) {
        char byte = rest->data[size];
        if (!in_quotes && (byte == ' ' || byte == '\t'))
            break;
        if (in_quotes && byte == '\\' && size + 1 < rest->size)
            size++;
        else if (byte == '"')
            in_quotes = !in_quotes;
    }
    struct slice target = slice_part(*rest, 0, size);
    *rest = slice_trim(slice_from(*rest, size));
    return target;
}

static bool read_target(struct forwardline *forward, struct slice text,
                        char error[USERLINE_ERROR_MAX])
{
    char target[FORWARDLINE_TARGET_MAX + 1];
    if (!forwardline_check_target(text, target, error))
        return false;
    if (forwardline_has_target(forward, target)) {
        snprintf(error, USERLINE_ERROR_MAX, "%.*s stands in this line twice: keep one",
                 SLICE_PRINTF(slice_part(slice_text(target), 0, SHOWN_MAX)));
        return false;
    }
    if (forwardline_add_target(forward, target))
        return true;
    snprintf(error, USERLINE_ERROR_MAX, "more than %d targets", FORWARDLINE_TARGETS_MAX);
    return false;
}

static bool read_targets(struct forwardline *forward, struct slice rest,
                         char error[USERLINE_ERROR_MAX])
{
    do {
        if (!read_target(forward, cut_target(&rest), error))
            return false;
    } while (rest.size > 0);
    return true;
}

static bool read_keyword(struct forwardline *forward, struct slice *rest,
                         char error[USERLINE_ERROR_MAX])
{
    *rest = slice_trim(*rest);
    if (!userline_cut_value(rest, &forward->keyword, error))
        return false;
    if (forwardrule_is_keyword(str_slice(&forward->keyword)))
        return true;
    snprintf(error, USERLINE_ERROR_MAX,
             "a keyword has 1 to %d bytes of UTF-8, no control characters, and is not blank",
             FORWARDRULE_KEYWORD_MAX);
    return false;
}

bool forwardline_parse(struct forwardline *forward, struct slice line,
                       char error[USERLINE_ERROR_MAX])
{
    forwardline_free(forward);
    forwardline_init(forward);
    struct slice local = slice_cut_word(&line);
    struct slice condition = slice_cut_word(&line);
    if (!userline_check_local(local, forward->local, error))
        return false;
    if (!forwardrule_find(condition, &forward->condition)) {
        snprintf(error, USERLINE_ERROR_MAX,
                 "\"%.*s\": write LOCAL all TARGET, or LOCAL from|subject \"KEYWORD\" TARGET...",
                 SLICE_PRINTF(slice_part(condition, 0, SHOWN_MAX)));
        return false;
    }
    if (forward->condition == FORWARDRULE_ALL)
        return read_target(forward, slice_trim(line), error);
    return read_keyword(forward, &line, error) && read_targets(forward, line, error);
}

/* ---- writing ---- */

bool forwardline_format(const struct forwardline *forward, struct str *line)
{
    str_append_texts(line, forward->local, " ", forwardrule_name(forward->condition));
    if (forward->condition != FORWARDRULE_ALL) {
        str_append_byte(line, ' ');
        userline_put_quoted(line, str_slice(&forward->keyword));
    }
    for (size_t i = 0; i < forward->target_count; i++)
        str_append_texts(line, " ", forward->targets[i]);
    return !line->failed;
}

static int compare_keywords(struct slice left, struct slice right)
{
    size_t shorter = left.size < right.size ? left.size : right.size;
    int order = shorter > 0 ? memcmp(left.data, right.data, shorter) : 0;
    return order != 0 ? order : (left.size > right.size) - (left.size < right.size);
}

int forwardline_compare(const struct forwardline *left, const struct forwardline *right)
{
    if (left->condition != right->condition)
        return left->condition < right->condition ? -1 : 1;
    if (left->condition == FORWARDRULE_ALL)
        return strcmp(left->targets[0], right->targets[0]);
    return compare_keywords(str_slice(&left->keyword), str_slice(&right->keyword));
}

bool forwardline_put_rule(const struct forwardline *forward, struct str *record)
{
    struct str targets;
    str_init(&targets, record->max);
    for (size_t i = 0; i < forward->target_count; i++)
        wire_put_text(&targets, forward->targets[i]);
    const struct forwardrule rule = {.condition = forward->condition,
                                     .keyword = str_slice(&forward->keyword),
                                     .targets = str_slice(&targets)};
    bool done = !targets.failed && forwardrule_put(record, &rule);
    record->failed = record->failed || !done;
    str_free(&targets);
    return done;
}
