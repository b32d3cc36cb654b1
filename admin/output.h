/*
 * output - a result as JSON, or as text for the eye
 *
 * A list of objects becomes a table, an object lines "name  value", anything else one line each.
 */
#ifndef ADMIN_OUTPUT_H
#define ADMIN_OUTPUT_H

#include "str.h"

#include <jansson.h>

enum { OUTPUT_MAX = 268435456 };

bool output_print(json_t *result, bool json);
/* What output_print prints without JSON. */
bool output_text(json_t *result, struct str *text);

#endif
