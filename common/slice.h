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

struct slice {
    const char *data;
    size_t size;
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
/* For printf's "%.*s"; only for slices known to be shorter than INT_MAX. */
#define SLICE_PRINTF(slice) (int)(slice).size, (slice).data

struct slice slice_of(const void *data, size_t size);
/* The bytes of a C string; NULL gives the empty slice. */
struct slice slice_text(const char *text);

bool slice_equal(struct slice a, struct slice b);
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_starts(struct slice whole, struct slice prefix);
bool slice_starts_nocase(struct slice whole, struct slice prefix);
bool slice_ends(struct slice whole, struct slice suffix);

/* Position of the first (last) `byte`; the slice's size when there is none. */
size_t slice_find(struct slice whole, char byte);
size_t slice_find_last(struct slice whole, char byte);
bool slice_has(struct slice whole, char byte);

/* From `start` on, and the part of at most `size` bytes; both clipped to what is there. */
struct slice slice_from(struct slice whole, size_t start);
struct slice slice_part(struct slice whole, size_t start, size_t size);

/* Cuts off and returns what stands before the first `separator` (or all), and
 * leaves in *rest what follows it. An empty *rest gives an empty slice. */
struct slice slice_cut(struct slice *rest, char separator);
/* Cuts off the next word; words are divided by runs of spaces and tabs. */
struct slice slice_cut_word(struct slice *rest);
/* Without spaces, tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice whole);

/* Without the LF at the end, and without the CR that is last then. */
struct slice slice_without_line_end(struct slice line);

/* Is there a byte below the blank, or DEL? What goes into lines of ours must have none. */
bool slice_has_control(struct slice whole);
/* Is there a byte that ASCII does not know? */
bool slice_has_high(struct slice whole);

/* Copies into `text` (capacity bytes, NUL added). False when it does not fit
 * or holds a NUL; text is then the empty string. */
bool slice_copy_text(struct slice whole, char *text, size_t capacity);

char slice_lower(char byte);
bool slice_is_digit(char byte);
bool slice_is_letter(char byte);

#endif
