/* output - see output.h */
#include "output.h"

#include "clock.h"
#include "io.h"
#include "slice.h"
#include "visible.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = 16, CELL_MAX = 131072, INDENT = 2 };

/* Characters, as a terminal counts columns: near enough for names and numbers. */
static size_t width_of(struct slice text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.size; i++)
        width += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return width;
}

static void append_padded(struct str *text, struct slice cell, size_t width)
{
    str_append(text, cell);
    for (size_t used = width_of(cell); used < width; used++)
        str_append_byte(text, ' ');
}

static void append_string(struct str *text, struct slice string)
{
    size_t start = text->size;
    if (string.size > 0 && str_append(text, string))
        visible_make(text->data + start, string.size, true);
}

static void append_scalar(struct str *text, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        append_string(text, slice_of(json_string_value(value), json_string_length(value)));
        break;
    case JSON_INTEGER:
        str_format(text, "%lld", (long long)json_integer_value(value));
        break;
    /* As settings are written: what is shown can be set. */
    case JSON_TRUE:
        str_append_text(text, "on");
        break;
    case JSON_FALSE:
        str_append_text(text, "off");
        break;
    default:
        str_append_text(text, "-");
        break;
    }
}

static void append_list_on_line(struct str *text, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i > 0)
            str_append_byte(text, ' ');
        append_scalar(text, json_array_get(list, i));
    }
}

/* Words may stand on one line; sentences want one each. */
static bool is_word(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value) &&
           !(json_is_string(value) && strchr(json_string_value(value), ' '));
}

static bool is_flat(const json_t *value)
{
    if (json_is_object(value))
        return false;
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++)
        if (!is_word(json_array_get(value, i)))
            return false;
    return true;
}

static void append_flat(struct str *text, const json_t *value)
{
    if (json_is_array(value))
        append_list_on_line(text, value);
    else
        append_scalar(text, value);
}

/* ---- tables ---- */

struct table {
    const char *columns[COLUMNS_MAX];
    size_t widths[COLUMNS_MAX];
    size_t count;
};

/* On one line, whatever it says: else it could pass for rows of its own. */
static void append_cell(struct str *cell, const json_t *value)
{
    append_flat(cell, value);
    visible_make(cell->data, cell->size, false);
}

static void measure(struct table *table, const json_t *row)
{
    struct str cell;
    str_init(&cell, CELL_MAX);
    for (size_t column = 0; column < table->count; column++) {
        str_clear(&cell);
        const json_t *value = json_object_get(row, table->columns[column]);
        if (value)
            append_cell(&cell, value);
        size_t width = width_of(str_slice(&cell));
        if (width > table->widths[column])
            table->widths[column] = width;
    }
    str_free(&cell);
}

/* The first row's keys are the columns. */
static void find_columns(struct table *table, json_t *rows)
{
    const char *key;
    json_t *value;
    json_object_foreach(json_array_get(rows, 0), key, value)
    {
        if (table->count == COLUMNS_MAX)
            break;
        table->columns[table->count] = key;
        table->widths[table->count++] = strlen(key);
    }
    for (size_t i = 0; i < json_array_size(rows); i++)
        measure(table, json_array_get(rows, i));
}

static void append_row(struct str *text, const struct table *table, const json_t *row,
                       size_t indent)
{
    struct str cell;
    str_init(&cell, CELL_MAX);
    append_padded(text, slice_text(""), indent);
    for (size_t column = 0; column < table->count; column++) {
        bool last = column + 1 == table->count;
        str_clear(&cell);
        const json_t *value = row ? json_object_get(row, table->columns[column]) : NULL;
        if (value)
            append_cell(&cell, value);
        else if (!row)
            str_append_text(&cell, table->columns[column]);
        append_padded(text, str_slice(&cell), last ? 0 : table->widths[column] + INDENT);
    }
    while (text->size > 0 && text->data[text->size - 1] == ' ')
        str_truncate(text, text->size - 1);
    str_append_byte(text, '\n');
    str_free(&cell);
}

static void append_table(struct str *text, json_t *rows, size_t indent)
{
    struct table table = {0};
    find_columns(&table, rows);
    append_row(text, &table, NULL, indent);
    for (size_t i = 0; i < json_array_size(rows); i++)
        append_row(text, &table, json_array_get(rows, i), indent);
}

/* ---- objects ---- */

static void append_value(struct str *text, json_t *value, size_t indent);

static void append_object(struct str *text, json_t *object, size_t indent)
{
    const char *key;
    json_t *value;
    size_t width = 0;
    json_object_foreach(object, key, value)
    {
        if (is_flat(value) && strlen(key) > width)
            width = strlen(key);
    }
    json_object_foreach(object, key, value)
    {
        append_padded(text, slice_text(""), indent);
        if (is_flat(value)) {
            append_padded(text, slice_text(key), width + INDENT);
            append_flat(text, value);
            str_append_byte(text, '\n');
        } else {
            str_format(text, "%s\n", key);
            append_value(text, value, indent + INDENT);
        }
    }
}

static void append_value(struct str *text, json_t *value, size_t indent)
{
    if (json_is_object(value)) {
        append_object(text, value, indent);
    } else if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
        append_table(text, value, indent);
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            append_padded(text, slice_text(""), indent);
            append_scalar(text, json_array_get(value, i));
            str_append_byte(text, '\n');
        }
    } else {
        append_padded(text, slice_text(""), indent);
        append_scalar(text, value);
        str_append_byte(text, '\n');
    }
}

bool output_text(json_t *result, struct str *text)
{
    append_value(text, result, 0);
    return !text->failed;
}

bool output_print(json_t *result, bool json)
{
    struct str text;
    str_init(&text, OUTPUT_MAX);
    if (json) {
        char *dump = json_dumps(result, JSON_INDENT(2) | JSON_ENCODE_ANY);
        str_append_text(&text, dump ? dump : "");
        str_append_byte(&text, '\n');
        free(dump);
    } else {
        output_text(result, &text);
    }
    bool done = !text.failed && io_write_all(STDOUT_FILENO, str_slice(&text), CLOCK_NEVER);
    str_free(&text);
    return done;
}
