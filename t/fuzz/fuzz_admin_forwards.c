/*
 * Lines of a forwards file, and what is compiled of them: what is taken survives being written and read
 * again, and programs read the same rule. With a first byte 'r' the rest is a record, as local gets it.
 */
#include "forwardline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 262144 };

static void check(bool condition)
{
    if (!condition)
        abort();
}

/* The rule as compiled has the line's keyword and targets. */
static void check_rule(const struct forwardline *line)
{
    struct str record;
    struct forwardrule rule;
    struct slice rest, target;
    size_t count = 0;
    str_init(&record, TEXT_MAX);
    check(forwardline_put_rule(line, &record));
    rest = str_slice(&record);
    check(forwardrule_cut(&rest, &rule) == 1 && rest.size == 0);
    check(rule.condition == line->condition &&
          slice_equal(rule.keyword, str_slice(&line->keyword)));
    while (forwardrule_cut_target(&rule.targets, &target) == 1)
        check(slice_equal(target, slice_text(line->targets[count++])));
    check(count == line->target_count && rule.targets.size == 0);
    str_free(&record);
}

static void try_line(struct slice text)
{
    struct forwardline one, other;
    struct str first, second;
    char error[USERLINE_ERROR_MAX] = "";
    forwardline_init(&one);
    forwardline_init(&other);
    str_init(&first, TEXT_MAX);
    str_init(&second, TEXT_MAX);
    if (forwardline_parse(&one, text, error)) {
        check(one.target_count > 0 && one.target_count <= FORWARDLINE_TARGETS_MAX);
        check(forwardline_format(&one, &first));
        check(forwardline_parse(&other, str_slice(&first), error));
        check(forwardline_format(&other, &second));
        check(slice_equal(str_slice(&first), str_slice(&second)));
        check(forwardline_compare(&one, &other) == 0);
        check_rule(&one);
    } else {
        check(error[0] != '\0' && strlen(error) < sizeof error);
    }
    str_free(&first);
    str_free(&second);
    forwardline_free(&one);
    forwardline_free(&other);
}

/* What is cut off lies within the record, in order. */
static void try_record(struct slice record)
{
    struct forwardrule rule;
    struct slice target;
    const char *end = record.data + record.size;
    while (forwardrule_cut(&record, &rule) == 1) {
        check((rule.condition == FORWARDRULE_ALL) == (rule.keyword.size == 0));
        check(rule.targets.data + rule.targets.size <= end);
        while (forwardrule_cut_target(&rule.targets, &target) == 1)
            check(target.size <= FORWARDRULE_TARGET_MAX && target.data + target.size <= end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'r')
        try_record(slice_of(data + 1, size - 1));
    else
        try_line(slice_of(data, size));
    return 0;
}
