/*
 * unit - what every unit test includes: cmocka with the headers it wants, and a few helpers
 */
#ifndef T_UNIT_H
#define T_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "slice.h"

/* Compares a slice with a C string, and shows both when they differ. */
static inline void assert_slice(struct slice value, const char *text)
{
    if (!slice_equal(value, slice_text(text)))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_PRINTF(value), text);
}

#endif
