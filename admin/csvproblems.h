/*
 * csvproblems - everything that is wrong with a CSV file, collected to be said at once
 */
#ifndef ADMIN_CSVPROBLEMS_H
#define ADMIN_CSVPROBLEMS_H

#include "slice.h"

#include <jansson.h>

/* More are only counted: a file that is none at all must not fill the memory. */
enum { CSVPROBLEMS_MAX = 10000, CSVPROBLEMS_TEXT_MAX = 1024 };

struct csvproblem {
    unsigned line;      /* 0: the file as a whole */
    const char *column; /* its name, static; "" for the row as a whole */
    char *text;
};

struct csvproblems {
    struct csvproblem *of;
    size_t kept;
    size_t count;
    bool trouble; /* memory was out, and something is missing */
};

/* All zero is empty. */
void csvproblems_free(struct csvproblems *problems);
void csvproblems_add(struct csvproblems *problems, unsigned line, const char *column,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* By line; those of one line stay in their order. */
void csvproblems_sort(struct csvproblems *problems);
/* A list of {"line", "column", "error"}; NULL when memory is out. */
json_t *csvproblems_json(const struct csvproblems *problems);
/* Writes "mailctl: FILE line 3: password: ..." for each to `fd`. */
void csvproblems_print(const struct csvproblems *problems, const char *file, int fd);

#endif
