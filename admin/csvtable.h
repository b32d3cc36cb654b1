/*
 * csvtable - CSV text (RFC 4180) as rows of fields
 *
 * Lines end in CRLF or LF. Blanks belong to fields; a quote stands only around a whole field, or
 * doubled within it. Blank lines, and rows of empty fields alone, which spreadsheet programs leave
 * behind, are no rows. Pure.
 */
#ifndef ADMIN_CSVTABLE_H
#define ADMIN_CSVTABLE_H

#include "csvproblems.h"
#include "str.h"

enum {
    CSVTABLE_ROWS_MAX = 100000,
    CSVTABLE_COLUMNS_MAX = 32, /* further fields of a row are counted only */
    CSVTABLE_FIELD_MAX = 4096, /* bytes */
};

struct csvtable_row {
    unsigned line; /* in which it begins */
    size_t first;  /* of `ends` */
    size_t count;  /* fields, as the row has them */
};

struct csvtable {
    struct str bytes; /* of all fields, one behind the other */
    size_t *ends;     /* of each field, in `bytes` */
    size_t field_count, field_room;
    struct csvtable_row *rows;
    size_t row_count, row_room;
};

/* Reads `text`, which is UTF-8. What is wrong is reported, and its row left out. False only when
 * memory is out. The caller frees in any case. */
bool csvtable_parse(struct csvtable *table, struct slice text, struct csvproblems *problems);
/* Wipes it: there are passwords in it. */
void csvtable_free(struct csvtable *table);

/* Field `at` of a row, from 0; empty where there is none. */
struct slice csvtable_field(const struct csvtable *table, const struct csvtable_row *row,
                            size_t at);

#endif
