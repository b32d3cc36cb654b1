/* loop_check - see loop_check.h */
#include "loop_check.h"

#include <string.h>

void loop_check_init(struct loop_check *check, struct slice recipient, struct slice account)
{
    *check = (struct loop_check){.recipient = recipient, .account = account};
}

static bool is_field(struct slice line, struct slice name)
{
    struct slice rest = slice_from(line, name.size);
    return slice_starts_nocase(line, name) && slice_starts(slice_trim(rest), SLICE(":"));
}

static void end_line(struct loop_check *check)
{
    struct slice line = slice_of(
        check->line, check->size < LOOP_CHECK_LINE_MAX ? check->size : (size_t)LOOP_CHECK_LINE_MAX);
    check->is_over = slice_trim(line).size == 0;
    /* A line that was cut is longer than any recipient. */
    if (check->size < LOOP_CHECK_LINE_MAX && is_field(line, SLICE("Delivered-To"))) {
        struct slice value = slice_trim(slice_from(line, slice_find(line, ':') + 1));
        check->is_looping = check->is_looping || slice_equal_nocase(value, check->recipient) ||
                            slice_equal_nocase(value, check->account);
    }
    if (is_field(line, SLICE("Received")))
        check->received++;
    check->size = 0;
}

static void add_to_line(struct loop_check *check, struct slice bytes)
{
    if (check->size < LOOP_CHECK_LINE_MAX) {
        struct slice part = slice_part(bytes, 0, LOOP_CHECK_LINE_MAX - check->size);
        if (part.size > 0)
            memcpy(check->line + check->size, part.data, part.size);
    }
    check->size += bytes.size;
}

void loop_check_feed(struct loop_check *check, struct slice bytes)
{
    while (bytes.size > 0 && !check->is_over) {
        size_t end = slice_find(bytes, '\n');
        add_to_line(check, slice_part(bytes, 0, end));
        if (end == bytes.size)
            return;
        end_line(check);
        bytes = slice_from(bytes, end + 1);
    }
}

bool loop_check_is_bad(const struct loop_check *check)
{
    return check->is_looping || check->received > LOOP_CHECK_RECEIVED_MAX;
}
