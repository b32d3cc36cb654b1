/* csvtable - see csvtable.h */
#include "csvtable.h"

#include <csv.h>
#include <stdlib.h>

enum { ROOM_FIRST = 1024 };

/* What libcsv's callbacks work on. It is given a line at a time, so that they know which it is. */
struct reading {
    struct csvtable *table;
    struct csvproblems *problems;
    struct csv_parser parser;
    struct csvtable_row row; /* that is being read */
    unsigned line;
    bool in_row;
    bool bad; /* the row has been reported */
    bool filled;
    bool full;    /* more rows than may be */
    bool trouble; /* memory is out */
};

struct slice csvtable_field(const struct csvtable *table, const struct csvtable_row *row, size_t at)
{
    if (at >= row->count || at >= CSVTABLE_COLUMNS_MAX)
        return SLICE("");
    size_t index = row->first + at;
    size_t start = index == 0 ? 0 : table->ends[index - 1];
    return slice_part(str_slice(&table->bytes), start, table->ends[index] - start);
}

void csvtable_free(struct csvtable *table)
{
    if (table->bytes.data)
        explicit_bzero(table->bytes.data, table->bytes.capacity);
    str_free(&table->bytes);
    free(table->ends);
    free(table->rows);
    *table = (struct csvtable){0};
}

/* Room for one more. */
static bool grow(void *array, size_t count, size_t *room, size_t size)
{
    void **memory = array;
    if (count < *room)
        return true;
    size_t wanted = *room == 0 ? ROOM_FIRST : *room * 2;
    void *more = reallocarray(*memory, wanted, size);
    if (!more)
        return false;
    *memory = more;
    *room = wanted;
    return true;
}

/* ---- rows ---- */

static void begin_row(struct reading *reading)
{
    reading->in_row = true;
    reading->bad = reading->filled = false;
    reading->row =
        (struct csvtable_row){.line = reading->line, .first = reading->table->field_count};
}

/* What the row's fields have taken is given back. */
static void drop_row(struct reading *reading)
{
    struct csvtable *table = reading->table;
    table->field_count = reading->row.first;
    str_truncate(&table->bytes, table->field_count == 0 ? 0 : table->ends[table->field_count - 1]);
    reading->in_row = false;
}

static void report_row(struct reading *reading, const char *text)
{
    if (!reading->bad)
        csvproblems_add(reading->problems, reading->row.line, "", "%s", text);
    reading->bad = true;
}

static void take_field(void *bytes, size_t size, void *data)
{
    struct reading *reading = data;
    struct csvtable *table = reading->table;
    reading->filled = reading->filled || size > 0;
    if (reading->row.count++ >= CSVTABLE_COLUMNS_MAX)
        return;
    if (size > CSVTABLE_FIELD_MAX) {
        csvproblems_add(reading->problems, reading->row.line, "",
                        "field %zu has more than %d bytes", reading->row.count, CSVTABLE_FIELD_MAX);
        reading->bad = true;
        size = 0;
    }
    if (!grow(&table->ends, table->field_count, &table->field_room, sizeof *table->ends) ||
        (size > 0 && !str_append(&table->bytes, slice_of(bytes, size)))) {
        reading->trouble = true;
        return;
    }
    table->ends[table->field_count++] = table->bytes.size;
}

static void end_row(int byte, void *data)
{
    struct reading *reading = data;
    struct csvtable *table = reading->table;
    (void)byte;
    if (!reading->filled || reading->bad || reading->trouble) {
        drop_row(reading);
    } else if (table->row_count == CSVTABLE_ROWS_MAX) {
        drop_row(reading);
        reading->full = true;
    } else if (!grow(&table->rows, table->row_count, &table->row_room, sizeof *table->rows)) {
        reading->trouble = true;
    } else {
        table->rows[table->row_count++] = reading->row;
    }
    reading->in_row = false;
}

/* ---- lines ---- */

/* libcsv would drop them. */
static int is_blank(unsigned char byte)
{
    (void)byte;
    return 0;
}

static bool start_parser(struct reading *reading)
{
    reading->in_row = false;
    if (csv_init(&reading->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return false;
    csv_set_space_func(&reading->parser, is_blank);
    return true;
}

static void stop_parser(struct reading *reading)
{
    if (reading->parser.entry_buf)
        explicit_bzero(reading->parser.entry_buf, reading->parser.entry_size);
    csv_free(&reading->parser);
}

static size_t characters(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

/* A field with such a byte could pass for another in what reads it next. */
static bool check_bytes(struct reading *reading, struct slice line)
{
    size_t at = slice_find_stray(line);
    if (at == line.size)
        return true;
    csvproblems_add(reading->problems, reading->line, "", "character %zu: %s",
                    characters(slice_part(line, 0, at)) + 1,
                    line.data[at] == '\0'
                        ? "a NUL byte: is the file a CSV file (save it as \"CSV UTF-8\")?"
                        : "a CR without LF: lines end in CRLF or LF");
    reading->bad = true;
    return false;
}

/* Goes on behind a line that makes no sense as with a fresh row: each further error is worth being
 * told, too. */
static void recover(struct reading *reading, struct slice line, size_t at)
{
    bool quote = line.data[at] == '"';
    csvproblems_add(reading->problems, reading->line, "", "character %zu: %s",
                    characters(slice_part(line, 0, at)) + 1,
                    quote ? "a quote within a field that has none around it: put the field in "
                            "quotes and double those within it"
                          : "something follows a closing quote: double a quote that belongs to the "
                            "field");
    drop_row(reading);
    stop_parser(reading);
    reading->trouble = reading->trouble || !start_parser(reading);
}

static bool is_blank_line(struct slice line)
{
    return slice_without_line_end(line).size == 0;
}

static void take_line(struct reading *reading, struct slice line)
{
    bool fresh = !reading->in_row;
    /* libcsv passes over it; but only what follows begins a row. */
    if (fresh && is_blank_line(line))
        return;
    if (fresh)
        begin_row(reading);
    if (!check_bytes(reading, line)) {
        reading->in_row = !fresh;
        return;
    }
    size_t done = csv_parse(&reading->parser, line.data, line.size, take_field, end_row, reading);
    if (done == line.size)
        return;
    if (csv_error(&reading->parser) == CSV_EPARSE)
        recover(reading, line, done);
    else
        reading->trouble = true;
}

static void take_end(struct reading *reading)
{
    if (csv_fini(&reading->parser, take_field, end_row, reading) == 0)
        return;
    if (csv_error(&reading->parser) != CSV_EPARSE) {
        reading->trouble = true;
        return;
    }
    report_row(reading, "a quote that begins in this row is never closed");
    drop_row(reading);
}

static struct slice cut_line(struct slice *rest)
{
    size_t size = slice_find(*rest, '\n');
    struct slice line = slice_part(*rest, 0, size + 1);
    *rest = slice_from(*rest, line.size);
    return line;
}

bool csvtable_parse(struct csvtable *table, struct slice text, struct csvproblems *problems)
{
    struct reading reading = {.table = table, .problems = problems};
    *table = (struct csvtable){0};
    str_init(&table->bytes, text.size + 1);
    str_prepare(&table->bytes, text.size + 1);
    if (!start_parser(&reading))
        return false;
    while (text.size > 0 && !reading.full && !reading.trouble) {
        reading.line++;
        take_line(&reading, cut_line(&text));
    }
    if (!reading.full && !reading.trouble)
        take_end(&reading);
    if (reading.full)
        csvproblems_add(problems, reading.line, "", "the file has more than %d rows: divide it",
                        CSVTABLE_ROWS_MAX);
    stop_parser(&reading);
    return !reading.trouble;
}
