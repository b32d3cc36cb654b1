/*
 * judge - what a scan's findings mean for the message (scan/1); pure
 */
#ifndef SCAN_JUDGE_H
#define SCAN_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

enum { FINDING_MAX = 128, REASON_MAX = 160 };

/* What a scan saw. */
struct findings {
    bool is_complete;            /* only then may the message be clean */
    char reason[REASON_MAX];     /* why it is not complete */
    char infection[FINDING_MAX]; /* name of the first one found; empty when none was */
    bool is_encrypted;           /* an archive or document needs a password */
    bool has_rar;                /* a RAR archive that could not be opened */
    bool is_beyond_limits;       /* too deep, too large, too many files, too slow */
};

/* The operator's choice about what can't be looked into. */
struct policy {
    bool encrypted_passes;
    bool limits_pass;
};

struct judgement {
    const char *word; /* "clean", "infected", "refused", "failed" */
    const char *text; /* the field that goes with it; points into `findings` or is constant */
};

struct judgement judge(const struct findings *findings, const struct policy *policy);

#endif
