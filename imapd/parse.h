/*
 * parse - the words of an IMAP command (RFC 3501 9, formal syntax)
 *
 * Works on a whole command as reader.h collects it: lines and literals in one piece, the last line
 * end taken off. A pure cursor: every function consumes what it names and returns true, or
 * consumes nothing and returns false. Text that stands in the command as it is comes back as a
 * slice into it; quoted strings with escapes are copied into the arena.
 */
#ifndef IMAPD_PARSE_H
#define IMAPD_PARSE_H

#include "arena.h"
#include "sequence.h"

#include <stdint.h>

struct parse {
    struct slice text;
    size_t at;
    struct arena *arena;
    bool utf8; /* what stands in quotes has to be UTF-8 (RFC 6855 3, RFC 9051 9) */
};

void parse_begin(struct parse *parse, struct slice text, struct arena *arena);
bool parse_at_end(const struct parse *parse);
/* The next byte; NUL at the end. */
char parse_peek(const struct parse *parse);
bool parse_byte(struct parse *parse, char byte);
/* One space. Clients that send two are answered BAD: RFC 3501 9 note (2). */
bool parse_space(struct parse *parse);

bool parse_tag(struct parse *parse, struct slice *tag);
bool parse_atom(struct parse *parse, struct slice *atom);
/* The atom `word`, in any case. */
bool parse_word(struct parse *parse, const char *word);
/* A run of letters, digits, '.' and '-': the names of FETCH items and sections, in front of '['. */
bool parse_name(struct parse *parse, struct slice *name);
/* quoted / literal */
bool parse_string(struct parse *parse, struct slice *string);
bool parse_astring(struct parse *parse, struct slice *string);
/* "~{5}": any bytes (RFC 3516). */
bool parse_literal8(struct parse *parse, struct slice *string);
/* The same with NIL, which leaves *is_nil set. */
bool parse_nstring(struct parse *parse, struct slice *string, bool *is_nil);
/* list-mailbox: an astring that may have wildcards. */
bool parse_pattern(struct parse *parse, struct slice *pattern);
bool parse_number(struct parse *parse, uint64_t max, uint64_t *number);
bool parse_sequence(struct parse *parse, struct sequence *sequence);
/* "\Seen" or a keyword. */
bool parse_flag(struct parse *parse, struct slice *flag);

/* Is this an atom, and so may go on the wire without quotes? */
bool parse_is_atom(struct slice text);

#endif
