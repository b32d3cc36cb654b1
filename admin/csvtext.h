/*
 * csvtext - the bytes of a CSV file as UTF-8, and text as a spreadsheet program wants it
 *
 * What is UTF-8 (with or without a byte order mark) is taken as it stands; else it is Shift_JIS as
 * Windows has it (CP932), which is what Excel in Japanese writes as "CSV". Pure.
 */
#ifndef ADMIN_CSVTEXT_H
#define ADMIN_CSVTEXT_H

#include "csvproblems.h"
#include "str.h"

/* By which Excel knows UTF-8. */
#define CSVTEXT_MARK "\xef\xbb\xbf"

enum {
    CSVTEXT_FILE_MAX = 16777216,
    CSVTEXT_UTF8_MAX = 3 * CSVTEXT_FILE_MAX, /* half-width katakana: one byte becomes three */
};

/* Appends to `utf8` (empty, maximum CSVTEXT_UTF8_MAX), without a byte order mark. What is neither is
 * reported with line and column. False only when memory is out. */
bool csvtext_decode(struct slice bytes, struct str *utf8, struct csvproblems *problems);

/* Appends a field, in quotes where RFC 4180 asks for them. */
bool csvtext_put_field(struct str *text, struct slice field);

/* Appends `utf8` in Shift_JIS. False: memory is out, or (*line > 0) Shift_JIS has no such character
 * in that line. */
bool csvtext_to_shift_jis(struct slice utf8, struct str *text, unsigned *line);

#endif
