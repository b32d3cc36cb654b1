/*
 * edit - changing one line of a text file; all others stay, comments and order too
 */
#ifndef ADMIN_EDIT_H
#define ADMIN_EDIT_H

#include "str.h"

/* What a line is known by. */
enum edit_key {
    EDIT_LINE,        /* all of it */
    EDIT_FIRST_WORD,  /* NAME VALUE */
    EDIT_FIRST_FIELD, /* NAME:... */
};

/* The line, without its end, inside `text`; letters' case does not matter. False: none. */
bool edit_find(struct slice text, enum edit_key kind, struct slice key, struct slice *line);
/* Appends to `out` the text with `line` (from edit_find; or data NULL: at the end) replaced. */
bool edit_put(struct str *out, struct slice text, struct slice line, struct slice replacement);
/* Appends to `out` the text without `line`. */
bool edit_remove(struct str *out, struct slice text, struct slice line);

#endif
