/*
 * slice - a read-only run of bytes: pointer and length
 *
 * A slice owns nothing and holds any byte, NUL included. It is valid as long as
 * what it points into; nothing may keep a slice into a buffer that grows.
 * "nocase" folds ASCII letters only, whatever the locale.
 */
#ifndef COMMON_SLICE_H
#define COMMON_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data;
    size_t size;
};

/* A slice of a string literal; and as what a static one begins with. */
#define SLICE(literal) ((struct slice)SLICE_INIT(literal))
#define SLICE_INIT(literal)                                                                        \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
/* For printf's "%.*s"; only for slices known to be shorter than INT_MAX. */
#define SLICE_PRINTF(slice) (int)(slice).size, (slice).data

static inline struct slice slice_of(const void *data, size_t size);
/* The bytes of a C string; NULL gives the empty slice. */
static inline struct slice slice_text(const char *text);

static inline bool slice_equal(struct slice a, struct slice b);
static inline bool slice_equal_nocase(struct slice a, struct slice b);
static inline bool slice_starts(struct slice whole, struct slice prefix);
bool slice_starts_nocase(struct slice whole, struct slice prefix);
bool slice_ends(struct slice whole, struct slice suffix);

/* Position of the first (last) `byte`; the slice's size when there is none. */
static inline size_t slice_find(struct slice whole, char byte);
size_t slice_find_last(struct slice whole, char byte);
static inline bool slice_has(struct slice whole, char byte);

/* From `start` on, and the part of at most `size` bytes; both clipped to what is there. */
static inline struct slice slice_from(struct slice whole, size_t start);
static inline struct slice slice_part(struct slice whole, size_t start, size_t size);

/* Cuts off and returns what stands before the first `separator` (or all), and
 * leaves in *rest what follows it. An empty *rest gives an empty slice. */
static inline struct slice slice_cut(struct slice *rest, char separator);
/* Cuts off the next word; words are divided by runs of spaces and tabs. */
struct slice slice_cut_word(struct slice *rest);
/* Without spaces, tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice whole);

/* Without the LF at the end, and without the CR that is last then. */
struct slice slice_without_line_end(struct slice line);

/* Position of the first NUL, or CR that is no part of CRLF; the slice's size when there is none. */
size_t slice_find_stray(struct slice text);

/* Is there a byte below the blank, or DEL? What goes into lines of ours must have none. */
bool slice_has_control(struct slice whole);
/* Is there a byte that ASCII does not know? */
bool slice_has_high(struct slice whole);

/* Copies into `text` (capacity bytes, NUL added). False when it does not fit
 * or holds a NUL; text is then the empty string. */
bool slice_copy_text(struct slice whole, char *text, size_t capacity);

static inline char slice_lower(char byte);
static inline bool slice_is_digit(char byte);
static inline bool slice_is_letter(char byte);

/* ---- what parsers call for each byte and word stands here, to be inlined -----------------------
 */

static inline struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){data, size};
}

static inline struct slice slice_text(const char *text)
{
    return (struct slice){text ? text : "", text ? strlen(text) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline size_t slice_find(struct slice whole, char byte)
{
    const char *found = whole.size ? memchr(whole.data, byte, whole.size) : NULL;
    return found ? (size_t)(found - whole.data) : whole.size;
}

static inline bool slice_has(struct slice whole, char byte)
{
    return slice_find(whole, byte) < whole.size;
}

static inline struct slice slice_from(struct slice whole, size_t start)
{
    if (start > whole.size)
        start = whole.size;
    /* An empty slice may have no data, and nothing may be added to NULL. */
    return start == 0 ? whole : (struct slice){whole.data + start, whole.size - start};
}

static inline struct slice slice_part(struct slice whole, size_t start, size_t size)
{
    struct slice part = slice_from(whole, start);
    if (part.size > size)
        part.size = size;
    return part;
}

static inline bool slice_starts(struct slice whole, struct slice prefix)
{
    return whole.size >= prefix.size && slice_equal(slice_part(whole, 0, prefix.size), prefix);
}

static inline struct slice slice_cut(struct slice *rest, char separator)
{
    size_t end = slice_find(*rest, separator);
    struct slice head = slice_part(*rest, 0, end);
    *rest = slice_from(*rest, end < rest->size ? end + 1 : end);
    return head;
}

static inline char slice_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (slice_lower(a.data[i]) != slice_lower(b.data[i]))
            return false;
    return true;
}

static inline bool slice_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static inline bool slice_is_letter(char byte)
{
    char lower = slice_lower(byte);
    return lower >= 'a' && lower <= 'z';
}

#endif
