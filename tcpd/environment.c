/* environment - see environment.h */
#include "environment.h"

#include <stdio.h>

void environment_init(struct environment *environment)
{
    *environment = (struct environment){0};
}

bool environment_put(struct environment *environment, struct slice variable)
{
    char *at = environment->bytes + environment->used;
    size_t room = sizeof environment->bytes - environment->used;
    if (environment->count == ENVIRONMENT_COUNT || !slice_copy_text(variable, at, room))
        return false;
    environment->variables[environment->count++] = at;
    environment->used += variable.size + 1;
    return true;
}

bool environment_set(struct environment *environment, const char *name, const char *value)
{
    char variable[256];
    int size = snprintf(variable, sizeof variable, "%s=%s", name, value);
    return size > 0 && (size_t)size < sizeof variable &&
           environment_put(environment, slice_text(variable));
}

bool environment_set_number(struct environment *environment, const char *name, unsigned value)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%u", value);
    return environment_set(environment, name, digits);
}

bool environment_put_words(struct environment *environment, struct slice words)
{
    for (struct slice word = slice_cut_word(&words); word.size > 0; word = slice_cut_word(&words))
        if (!environment_put(environment, word))
            return false;
    return true;
}
