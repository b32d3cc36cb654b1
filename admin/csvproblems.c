/* csvproblems - see csvproblems.h */
#include "csvproblems.h"

#include "visible.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_STEP = 256 };

void csvproblems_free(struct csvproblems *problems)
{
    for (size_t i = 0; i < problems->kept; i++)
        free(problems->of[i].text);
    free(problems->of);
    *problems = (struct csvproblems){0};
}

static bool make_room(struct csvproblems *problems)
{
    if (problems->kept % ROOM_STEP != 0)
        return true;
    struct csvproblem *more =
        reallocarray(problems->of, problems->kept + ROOM_STEP, sizeof *problems->of);
    if (more)
        problems->of = more;
    return more != NULL;
}

void csvproblems_add(struct csvproblems *problems, unsigned line, const char *column,
                     const char *format, ...)
{
    char text[CSVPROBLEMS_TEXT_MAX];
    va_list list;
    problems->count++;
    if (problems->kept == CSVPROBLEMS_MAX)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    /* What the file says is quoted. */
    visible_make(text, strlen(text), false);
    char *copy = make_room(problems) ? strdup(text) : NULL;
    if (!copy)
        problems->trouble = true;
    else
        problems->of[problems->kept++] = (struct csvproblem){line, column, copy};
}

/* Each pass over the rows adds by rising lines; qsort alone would mix those of one line. */
struct keyed {
    struct csvproblem problem;
    size_t at;
};

static int compare(const void *a, const void *b)
{
    const struct keyed *left = a, *right = b;
    if (left->problem.line != right->problem.line)
        return left->problem.line < right->problem.line ? -1 : 1;
    return left->at < right->at ? -1 : left->at > right->at;
}

void csvproblems_sort(struct csvproblems *problems)
{
    struct keyed *keyed = calloc(problems->kept + 1, sizeof *keyed);
    if (!keyed)
        return;
    for (size_t i = 0; i < problems->kept; i++)
        keyed[i] = (struct keyed){problems->of[i], i};
    qsort(keyed, problems->kept, sizeof *keyed, compare);
    for (size_t i = 0; i < problems->kept; i++)
        problems->of[i] = keyed[i].problem;
    free(keyed);
}

/* What the file says is quoted in a text, cut anywhere: a half character is no JSON. */
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);
    if (json)
        return json;
    char plain[CSVPROBLEMS_TEXT_MAX];
    size_t size = 0;
    for (; text[size] != '\0' && size + 1 < sizeof plain; size++)
        plain[size] = (unsigned char)text[size] < 0x80 ? text[size] : '?';
    plain[size] = '\0';
    return json_string(plain);
}

json_t *csvproblems_json(const struct csvproblems *problems)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < problems->kept; i++) {
        const struct csvproblem *problem = &problems->of[i];
        json_t *entry = json_pack("{s:I, s:s, s:o}", "line", (json_int_t)problem->line, "column",
                                  problem->column, "error", text_json(problem->text));
        if (json_array_append_new(list, entry) < 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

void csvproblems_print(const struct csvproblems *problems, const char *file, int fd)
{
    for (size_t i = 0; i < problems->kept; i++) {
        const struct csvproblem *problem = &problems->of[i];
        char place[32] = "";
        if (problem->line > 0)
            snprintf(place, sizeof place, " line %u", problem->line);
        (void)!dprintf(fd, "mailctl: %s%s: %s%s%s\n", file, place, problem->column,
                       problem->column[0] != '\0' ? ": " : "", problem->text);
    }
    if (problems->count > problems->kept)
        (void)!dprintf(fd, "mailctl: %s: and %zu more\n", file, problems->count - problems->kept);
}
