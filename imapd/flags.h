/*
 * flags - flags and keywords: their names on the wire, their bits in a mailbox
 */
#ifndef IMAPD_FLAGS_H
#define IMAPD_FLAGS_H

#include "mailbox.h"
#include "parse.h"

/* A list as a client sent it: system flags as bits, keywords as names. */
struct flags {
    unsigned flags;         /* enum maildir_flag */
    struct slice *keywords; /* in the arena */
    size_t keyword_count;
};

enum flags_result { FLAGS_OK, FLAGS_SYNTAX, FLAGS_UNKNOWN };

/* "(\Seen $Label1)"; with `bare_too` also without parentheses (STORE). */
enum flags_result flags_parse(struct parse *parse, bool bare_too, struct flags *flags);
/* The bits of the keywords, made in the mailbox where `create`. False: no room for one (when
 * `create`); keywords that are not there count as none otherwise. */
bool flags_keywords(struct mailbox *mailbox, const struct flags *flags, bool create,
                    uint32_t *keywords);
/* The system flag of that name; 0: none. */
unsigned flags_system(struct slice name);

/* "\Seen $Label1", with parentheses. */
void flags_append(struct str *out, const struct mailbox *mailbox, unsigned flags, uint32_t keywords,
                  bool recent);
/* All that the mailbox knows; `permanent`: as in PERMANENTFLAGS, with \* where there is room. */
void flags_append_all(struct str *out, const struct mailbox *mailbox, bool permanent);
size_t flags_keyword_count(const struct mailbox *mailbox);

#endif
