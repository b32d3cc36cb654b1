/* uidlnames - see uidlnames.h */
#include "uidlnames.h"

#include "io.h"
#include "number.h"

#include <errno.h>
#include <stdlib.h>

enum { FILE_MAX = 256 * 1024 * 1024 };

void uidlnames_init(struct uidlnames *names)
{
    *names = (struct uidlnames){0};
    str_init(&names->content, FILE_MAX);
}

void uidlnames_free(struct uidlnames *names)
{
    str_free(&names->content);
    free(names->of);
    names->of = NULL;
    names->count = 0;
}

/* RFC 1939 7: one to 70 bytes from 0x21 to 0x7E. */
static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.size > 0 && text.size <= UIDLNAMES_MAX;
}

static size_t count_lines(struct slice content)
{
    size_t count = 0;
    for (; content.size > 0; count++)
        (void)slice_cut(&content, '\n');
    return count;
}

bool uidlnames_parse(struct uidlnames *names, struct slice content)
{
    names->of = calloc(count_lines(content) + 1, sizeof *names->of);
    if (!names->of)
        return false;
    while (slice_has(content, '\n')) {
        uint64_t uid;
        struct slice line = slice_cut(&content, '\n');
        if (!number_parse(slice_cut(&line, ' '), UINT32_MAX, &uid) || !is_name(line) ||
            (names->count > 0 && uid <= names->of[names->count - 1].uid))
            continue;
        names->of[names->count].uid = (uint32_t)uid;
        names->of[names->count++].name = line;
    }
    return true;
}

bool uidlnames_load(struct uidlnames *names, int folder)
{
    if (!io_read_file(folder, "mailbox-uidls", &names->content))
        return errno == ENOENT;
    return uidlnames_parse(names, str_slice(&names->content));
}

struct slice uidlnames_find(const struct uidlnames *names, uint32_t uid)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names->of[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->count && names->of[low].uid == uid ? names->of[low].name : SLICE("");
}
