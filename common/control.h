/*
 * control - the text files under ROOT/control, one setting per file
 *
 * Readers of values say file, line and what to do when a value is wrong: `error` then holds the
 * sentence, without the program's name. A file that is missing gives the default.
 * Blank lines and lines that begin with '#' don't count.
 */
#ifndef COMMON_CONTROL_H
#define COMMON_CONTROL_H

#include "str.h"

#include <stdint.h>

enum { CONTROL_FILE_MAX = 1048576, CONTROL_ERROR_MAX = 512 };

struct control {
    int folder; /* ROOT/control, not owned */
    char error[CONTROL_ERROR_MAX];
};

/* Opens the control folder of `root` (NULL: of the current folder, which life_begin made ROOT).
 * -1 with errno. */
int control_open_root(const char *root);
void control_init(struct control *control, int folder);

/* The first line of control/NAME, trimmed, into `value`; `otherwise` when there is no such file.
 * False: error says why. */
bool control_text(struct control *control, const char *name, const char *otherwise,
                  struct str *value);
bool control_number(struct control *control, const char *name, uint64_t least, uint64_t most,
                    uint64_t otherwise, uint64_t *value);

/* Walks the lines of a file: reads it whole into `content` (its str gives the maximum); then
 * control_next_line cuts the next line that counts. */
struct control_lines {
    struct str content;
    struct slice rest;
    unsigned number; /* of the line last returned, from 1 */
};
/* A missing file has no lines. False: control->error says why. The caller frees. */
bool control_lines_open(struct control *control, const char *name, struct control_lines *lines);
bool control_next_line(struct control_lines *lines, struct slice *line);
void control_lines_free(struct control_lines *lines);

/* Writes "control/NAME line N: ..." into control->error; returns false for the caller's return. */
bool control_fail(struct control *control, const char *name, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
