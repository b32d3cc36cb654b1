/*
 * str - a growing buffer of bytes with a hard maximum
 *
 * Every str is made with the size it may never pass. An append that would pass it,
 * or finds no memory, appends nothing, returns false and sets `failed`; from then on
 * every append fails until str_clear. So a run of appends may be checked once, at its end.
 * The owner calls str_free. Slices taken from a str end with the next append.
 */
#ifndef COMMON_STR_H
#define COMMON_STR_H

#include "slice.h"

#include <stdarg.h>
#include <stdint.h>

struct str {
    char *data;      /* NULL while nothing was appended */
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
    size_t max;      /* bytes it may ever hold */
    bool failed;     /* an append failed since the last str_clear */
};

void str_init(struct str *str, size_t max);
/* A str on the caller's memory, which is all it will ever have; it is not freed. */
struct str str_on(char *bytes, size_t size);
/* Gives the memory back; the str is empty and may be used again. */
void str_free(struct str *str);
/* Empty, `failed` forgotten, memory kept. */
void str_clear(struct str *str);

bool str_append(struct str *str, struct slice bytes);
bool str_append_text(struct str *str, const char *text);
/* Several. Where it is said often, this rather than str_format: vfprintf is slow. */
#define str_append_texts(str, ...) str_append_list(str, (const char *const[]){__VA_ARGS__, NULL})
/* The same with a list that ends in NULL. */
bool str_append_list(struct str *str, const char *const texts[]);
static inline bool str_append_byte(struct str *str, char byte);
bool str_append_number(struct str *str, uint64_t number);
/* On one line of 7 bits: bytes that are not printable ASCII become '?'. */
bool str_append_printable(struct str *str, struct slice bytes);
/* A text whose first '$', if it has one, is the place for `detail`, which is appended as
 * str_append_printable does. */
bool str_append_filled(struct str *str, struct slice text, struct slice detail);
bool str_format(struct str *str, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool str_format_list(struct str *str, const char *format, va_list list)
    __attribute__((format(printf, 2, 0)));

/* Room for `size` more bytes at the end, to be filled by the caller, who then calls
 * str_added with what was really used. NULL when there can't be so much. */
char *str_reserve(struct str *str, size_t size);
void str_added(struct str *str, size_t size);
/* Makes room for `size` bytes in advance. Without memory nothing has failed: it is made when it is
 * needed. */
void str_prepare(struct str *str, size_t size);

/* Drops the first `size` bytes; all when there are fewer. */
void str_remove_front(struct str *str, size_t size);
/* Shortens to `size` bytes; does nothing when it is shorter already. */
void str_truncate(struct str *str, size_t size);

struct slice str_slice(const struct str *str);
/* The content as a C string, valid till the next change. NULL when it holds a NUL,
 * failed, or there is no memory for the end mark. */
const char *str_text(struct str *str);

static inline bool str_append_byte(struct str *str, char byte)
{
    /* Capacity may have been doubled beyond the maximum. */
    if (str->failed || str->size >= str->capacity || str->size >= str->max)
        return str_append(str, slice_of(&byte, 1));
    str->data[str->size++] = byte;
    return true;
}

#endif
