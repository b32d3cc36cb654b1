/* edit - see edit.h */
#include "edit.h"

static struct slice key_of(struct slice line, enum edit_key kind)
{
    struct slice rest = slice_trim(line);
    switch (kind) {
    case EDIT_FIRST_WORD:
        return slice_cut_word(&rest);
    case EDIT_FIRST_FIELD:
        return slice_cut(&rest, ':');
    case EDIT_LINE:
        break;
    }
    return rest;
}

bool edit_find(struct slice text, enum edit_key kind, struct slice key, struct slice *line)
{
    while (text.size > 0) {
        struct slice next = slice_cut(&text, '\n');
        struct slice trimmed = slice_trim(next);
        if (trimmed.size == 0 || trimmed.data[0] == '#' ||
            !slice_equal_nocase(key_of(next, kind), key))
            continue;
        *line = next;
        return true;
    }
    return false;
}

/* What stands before and behind the line and its end. */
static struct slice before(struct slice text, struct slice line)
{
    return slice_part(text, 0, (size_t)(line.data - text.data));
}

static struct slice behind(struct slice text, struct slice line)
{
    return slice_from(text, (size_t)(line.data - text.data) + line.size + 1);
}

bool edit_put(struct str *out, struct slice text, struct slice line, struct slice replacement)
{
    bool fresh = !line.data;
    struct slice head = fresh ? text : before(text, line);
    str_append(out, head);
    if (head.size > 0 && head.data[head.size - 1] != '\n')
        str_append_byte(out, '\n');
    str_append(out, replacement);
    str_append_byte(out, '\n');
    return fresh ? !out->failed : str_append(out, behind(text, line));
}

bool edit_remove(struct str *out, struct slice text, struct slice line)
{
    str_append(out, before(text, line));
    return str_append(out, behind(text, line));
}
