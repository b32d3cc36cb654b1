/* imapfolder - see imapfolder.h */
#include "imapfolder.h"

#include "mutf7.h"

#include <string.h>

enum { IMAPFOLDER_PATTERN_MAX = 1024 };

#define DOT_ON_DISK SLICE("&AC4-")

/* "." and ".." would do no harm here, but to a client that makes folders of its own by these names.
 */
static bool is_level(struct slice level)
{
    return level.size > 0 && !slice_equal(level, SLICE(".")) && !slice_equal(level, SLICE(".."));
}

static bool levels_are_right(struct slice name)
{
    while (name.size > 0)
        if (!is_level(slice_cut(&name, IMAPFOLDER_SEPARATOR)))
            return false;
    return true;
}

static bool begins_with_inbox(struct slice name)
{
    struct slice rest = name;
    return slice_equal_nocase(slice_cut(&rest, IMAPFOLDER_SEPARATOR), SLICE(IMAPFOLDER_INBOX));
}

/* ".Work.2026" for "Work/2026". */
static bool append_disk_name(struct str *disk, struct slice name)
{
    str_append_byte(disk, '.');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '.')
            str_append(disk, DOT_ON_DISK);
        else
            str_append_byte(disk, name.data[i] == IMAPFOLDER_SEPARATOR ? '.' : name.data[i]);
    }
    return !disk->failed;
}

static bool fill_path(struct imapfolder *folder)
{
    struct str disk;
    str_init(&disk, IMAPFOLDER_DISK_MAX);
    bool done = append_disk_name(&disk, slice_text(folder->name));
    if (done) {
        memcpy(folder->path, IMAPFOLDER_ROOT "/", sizeof IMAPFOLDER_ROOT);
        done = slice_copy_text(str_slice(&disk), folder->path + sizeof IMAPFOLDER_ROOT,
                               sizeof folder->path - sizeof IMAPFOLDER_ROOT);
    }
    str_free(&disk);
    return done;
}

enum imapfolder_fault imapfolder_check(struct slice name, struct imapfolder *folder)
{
    if (slice_has_control(name))
        return IMAPFOLDER_CONTROL;
    if (name.size == 0 || name.data[name.size - 1] == IMAPFOLDER_SEPARATOR ||
        !levels_are_right(name))
        return IMAPFOLDER_EMPTY_LEVEL;
    if (!slice_copy_text(name, folder->name, sizeof folder->name))
        return IMAPFOLDER_LONG;
    if (!mutf7_is_valid(name))
        return IMAPFOLDER_ENCODING;
    if (begins_with_inbox(name))
        memcpy(folder->name, IMAPFOLDER_INBOX, sizeof IMAPFOLDER_INBOX - 1);
    if (imapfolder_is_inbox(folder))
        return slice_copy_text(SLICE(IMAPFOLDER_ROOT), folder->path, sizeof folder->path)
                   ? IMAPFOLDER_FINE
                   : IMAPFOLDER_LONG;
    return fill_path(folder) ? IMAPFOLDER_FINE : IMAPFOLDER_LONG;
}

/* LINE SEPARATOR or PARAGRAPH SEPARATOR, which no new name may have (RFC 6855 3). */
static bool has_separator(struct slice name)
{
    struct str utf8;
    bool has = false;
    str_init(&utf8, IMAPFOLDER_UTF8_MAX);
    if (slice_has(name, '&') && mutf7_to_utf8(name, &utf8))
        has = memmem(utf8.data, utf8.size, "\xe2\x80\xa8", 3) ||
              memmem(utf8.data, utf8.size, "\xe2\x80\xa9", 3);
    str_free(&utf8);
    return has;
}

enum imapfolder_fault imapfolder_check_new(struct slice name, struct imapfolder *folder)
{
    if (name.size > 0 && name.data[name.size - 1] == IMAPFOLDER_SEPARATOR)
        name.size--;
    if (slice_has(name, '*') || slice_has(name, '%'))
        return IMAPFOLDER_WILDCARD;
    if (has_separator(name))
        return IMAPFOLDER_CONTROL;
    return imapfolder_check(name, folder);
}

bool imapfolder_named(struct slice name, struct imapfolder *folder)
{
    return imapfolder_check(name, folder) == IMAPFOLDER_FINE;
}

static bool append_wire_name(struct str *name, struct slice disk)
{
    while (disk.size > 0) {
        if (slice_starts(disk, DOT_ON_DISK)) {
            str_append_byte(name, '.');
            disk = slice_from(disk, DOT_ON_DISK.size);
        } else {
            str_append_byte(name, disk.data[0] == '.' ? IMAPFOLDER_SEPARATOR : disk.data[0]);
            disk = slice_from(disk, 1);
        }
    }
    return !name->failed;
}

bool imapfolder_from_disk(struct slice file_name, struct imapfolder *folder)
{
    if (!slice_starts(file_name, SLICE(".")) || slice_has(file_name, IMAPFOLDER_SEPARATOR))
        return false;
    struct str name;
    str_init(&name, IMAPFOLDER_NAME_MAX);
    bool done = append_wire_name(&name, slice_from(file_name, 1)) &&
                imapfolder_named(str_slice(&name), folder) && !imapfolder_is_inbox(folder) &&
                slice_equal(slice_text(folder->path + sizeof IMAPFOLDER_ROOT), file_name);
    str_free(&name);
    return done;
}

bool imapfolder_is_inbox(const struct imapfolder *folder)
{
    return strcmp(folder->name, IMAPFOLDER_INBOX) == 0;
}

bool imapfolder_is_within(struct slice name, struct slice above)
{
    return slice_starts(name, above) &&
           (name.size == above.size || name.data[above.size] == IMAPFOLDER_SEPARATOR);
}

bool imapfolder_parent(struct slice name, struct slice *parent)
{
    size_t end = slice_find_last(name, IMAPFOLDER_SEPARATOR);
    *parent = slice_part(name, 0, end);
    return end < name.size;
}

static char fold(char byte, bool nocase)
{
    return nocase ? slice_lower(byte) : byte;
}

/* Bytes of the pattern that each want one of the name. */
static size_t wanted_bytes(struct slice pattern)
{
    size_t count = 0;
    for (size_t i = 0; i < pattern.size; i++)
        count += pattern.data[i] != '*' && pattern.data[i] != '%';
    return count;
}

/* "**" is "*": patterns of stars alone would cost most. */
static bool is_repeated(struct slice pattern, size_t at)
{
    return at > 0 && pattern.data[at] == pattern.data[at - 1] &&
           (pattern.data[at] == '*' || pattern.data[at] == '%');
}

/* One step per byte of the pattern over the set of places in the name that can be reached: no
 * pattern is slow, whatever its stars. */
bool imapfolder_matches(struct slice pattern, struct slice name)
{
    bool reached[IMAPFOLDER_UTF8_MAX + 2] = {true};
    if (name.size > IMAPFOLDER_UTF8_MAX || pattern.size > IMAPFOLDER_PATTERN_MAX ||
        wanted_bytes(pattern) > name.size)
        return false;
    size_t inbox = begins_with_inbox(name) ? sizeof IMAPFOLDER_INBOX - 1 : 0;
    for (size_t p = 0; p < pattern.size; p++) {
        char byte = pattern.data[p];
        bool is_star = byte == '*', is_percent = byte == '%';
        if (is_repeated(pattern, p))
            continue;
        if (is_star || is_percent) {
            for (size_t i = 0; i < name.size; i++)
                if (reached[i] && (is_star || name.data[i] != IMAPFOLDER_SEPARATOR))
                    reached[i + 1] = true;
            continue;
        }
        for (size_t i = name.size; i > 0; i--)
            reached[i] =
                reached[i - 1] && fold(name.data[i - 1], i <= inbox) == fold(byte, i <= inbox);
        reached[0] = false;
    }
    return reached[name.size];
}
