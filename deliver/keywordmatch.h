/*
 * keywordmatch - does a message's From or Subject have an account's keyword? (forwards(5), SPEC R7.2)
 *
 * Compared is what a reader sees: fields unfolded, encoded words decoded (RFC 2047), 8-bit and
 * ISO-2022-JP that stand there as they are taken as what they are; without regard to case and width
 * (casefold.h) and of the two codes that some Japanese characters have; any run of blanks counts as one. Of From that is all that stands there, names and
 * addresses, with and without the backslashes of quoted strings; international domains are found
 * by both of their forms.
 *
 * Headers are strangers' bytes: KEYWORDMATCH_HEADER_MAX bytes of one are looked at, and of a field
 * KEYWORDMATCH_FIELD_MAX. Time is linear in these, for each keyword.
 */
#ifndef DELIVER_KEYWORDMATCH_H
#define DELIVER_KEYWORDMATCH_H

#include "casefold.h"
#include "charset.h"
#include "forwardrule.h"

enum {
    KEYWORDMATCH_HEADER_MAX = 131072,
    KEYWORDMATCH_FIELD_MAX = 16384,
    KEYWORDMATCH_TEXT_MAX = 262144, /* of all fields of one kind, as compared */
};

/* All fields of one kind. */
struct keywordmatch_text {
    struct str lines; /* as compared; fields are divided by line ends */
    bool is_full;     /* one found no room; it, and what is behind it, is not looked at */
};

struct keywordmatch {
    /* Kept from message to message. */
    struct charset_cache charsets;
    struct casefold folds;
    struct keywordmatch_text from, subject;
    struct str decoded, labels, folded;
};

void keywordmatch_init(struct keywordmatch *match);
void keywordmatch_free(struct keywordmatch *match);

/* Reads a header; what stands behind its empty line is not looked at. False: no memory. */
bool keywordmatch_read(struct keywordmatch *match, struct slice header);
/* Of the header that was read last. The keyword is UTF-8; under FORWARDRULE_ALL the answer is yes. */
bool keywordmatch_has(struct keywordmatch *match, enum forwardrule_condition condition,
                      struct slice keyword);

#endif
