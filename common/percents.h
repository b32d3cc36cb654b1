/*
 * percents - a short list of percentages, "80 95": how full a mailbox is when its owner is warned
 */
#ifndef COMMON_PERCENTS_H
#define COMMON_PERCENTS_H

#include "str.h"

enum { PERCENTS_MAX = 8, PERCENTS_TEXT_MAX = PERCENTS_MAX * 4 };

struct percents {
    size_t count;
    unsigned char values[PERCENTS_MAX]; /* 1 to 100, each larger than the one before */
};

/* Numbers from 1 to 100 that rise, a blank between two; nothing is the empty list. */
bool percents_parse(struct slice text, struct percents *percents);
void percents_append(struct str *text, const struct percents *percents);

#endif
