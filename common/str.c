/* str - see str.h */
#include "str.h"

#include "number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STR_FIRST_CAPACITY = 64 };

void str_init(struct str *str, size_t max)
{
    *str = (struct str){.max = max};
}

struct str str_on(char *bytes, size_t size)
{
    return (struct str){.data = bytes, .capacity = size, .max = size};
}

void str_free(struct str *str)
{
    free(str->data);
    *str = (struct str){.max = str->max};
}

void str_clear(struct str *str)
{
    str->size = 0;
    str->failed = false;
}

/* Makes room for `total` bytes; capacity doubles, so that appending stays cheap. */
static bool grow(struct str *str, size_t total)
{
    if (total <= str->capacity)
        return true;
    size_t capacity = str->capacity ? str->capacity : STR_FIRST_CAPACITY;
    while (capacity < total)
        if (!number_multiply(capacity, 2, &capacity))
            return false;
    char *data = realloc(str->data, capacity);
    if (!data)
        return false;
    str->data = data;
    str->capacity = capacity;
    return true;
}

char *str_reserve(struct str *str, size_t size)
{
    size_t total;
    if (str->failed || !number_add(str->size, size, &total) || total > str->max ||
        !grow(str, total)) {
        str->failed = true;
        return NULL;
    }
    return str->data + str->size;
}

void str_prepare(struct str *str, size_t size)
{
    if (!str->failed && size <= str->max)
        (void)grow(str, size);
}

void str_added(struct str *str, size_t size)
{
    if (size <= str->capacity - str->size)
        str->size += size;
}

bool str_append(struct str *str, struct slice bytes)
{
    if (bytes.size == 0)
        return !str->failed;
    char *room = str_reserve(str, bytes.size);
    if (!room)
        return false;
    memcpy(room, bytes.data, bytes.size);
    str->size += bytes.size;
    return true;
}

bool str_append_text(struct str *str, const char *text)
{
    return str_append(str, slice_text(text));
}

bool str_append_list(struct str *str, const char *const texts[])
{
    for (size_t i = 0; texts[i]; i++)
        str_append_text(str, texts[i]);
    return !str->failed;
}

bool str_append_printable(struct str *str, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        str_append_byte(str, bytes.data[i] >= ' ' && bytes.data[i] <= '~' ? bytes.data[i] : '?');
    return !str->failed;
}

bool str_append_filled(struct str *str, struct slice text, struct slice detail)
{
    size_t place = slice_find(text, '$');
    str_append(str, slice_part(text, 0, place));
    if (place < text.size)
        str_append_printable(str, detail);
    return str_append(str, slice_from(text, place + 1));
}

bool str_append_number(struct str *str, uint64_t number)
{
    char digits[NUMBER_TEXT_SIZE];
    return str_append(str, number_format(number, digits));
}

bool str_format_list(struct str *str, const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size < 0) {
        str->failed = true;
        return false;
    }
    /* vsnprintf wants a byte for its NUL; it is not counted in the str's size. */
    size_t room;
    if (str->failed || !number_add(str->size, (size_t)size, &room) || room > str->max ||
        !grow(str, room + 1)) {
        str->failed = true;
        return false;
    }
    vsnprintf(str->data + str->size, (size_t)size + 1, format, list);
    str->size += (size_t)size;
    return true;
}

bool str_format(struct str *str, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    bool done = str_format_list(str, format, list);
    va_end(list);
    return done;
}

void str_remove_front(struct str *str, size_t size)
{
    if (size > str->size)
        size = str->size;
    str->size -= size;
    if (str->size > 0 && size > 0)
        memmove(str->data, str->data + size, str->size);
}

void str_truncate(struct str *str, size_t size)
{
    if (size < str->size)
        str->size = size;
}

struct slice str_slice(const struct str *str)
{
    return slice_of(str->data ? str->data : "", str->size);
}

const char *str_text(struct str *str)
{
    if (str->failed || slice_has(str_slice(str), '\0') || !grow(str, str->size + 1))
        return NULL;
    str->data[str->size] = '\0';
    return str->data;
}
