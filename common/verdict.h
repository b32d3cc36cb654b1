/*
 * verdict - how an attempt ended
 */
#ifndef COMMON_VERDICT_H
#define COMMON_VERDICT_H

#include "slice.h"

enum verdict {
    VERDICT_OK,   /* done, for good */
    VERDICT_TEMP, /* passing trouble: 4xx, try again, nothing is lost */
    VERDICT_PERM, /* will never work: 5xx, tell the sender */
};

/* The one place that decides whether an errno passes by itself. */
enum verdict verdict_from_errno(int error);

/* The letter that internal protocols carry: K, Z, D as in qmail. */
char verdict_letter(enum verdict verdict);
/* Anything but K and D counts as passing trouble. */
enum verdict verdict_from_letter(struct slice letter);

#endif
