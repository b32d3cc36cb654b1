/*
 * replytext - the text of an automatic reply (replies(5), SPEC R8.1): what may stand in it, and in
 * which form it goes out
 *
 * Width is counted as Japanese systems do: a character that takes two bytes in Shift_JIS, or is
 * wide by Unicode's tables, is 2, every other 1, a line's end too. Pure but for iconv's tables.
 */
#ifndef ADMIN_REPLYTEXT_H
#define ADMIN_REPLYTEXT_H

#include "str.h"

enum {
    REPLYTEXT_WIDTH_MAX = 600,
    REPLYTEXT_FILE_MAX = 65536, /* more is not looked at */
    REPLYTEXT_ERROR_MAX = 256,
    REPLYTEXT_SENT_MAX = 8192, /* of either form */
    /* Columns of a line of seven bits: of full-width characters that is 78 bytes (RFC 5322 2.1.1). */
    REPLYTEXT_COLUMNS = 72,
};

/* Is it right? If not, `error` says what is wrong in line *line (from 1). The line end at the end of
 * the file, which editors add, counts for nothing. */
bool replytext_check(struct slice text, unsigned *line, char error[REPLYTEXT_ERROR_MAX]);
/* Nothing but blanks and line ends: the account does not answer. */
bool replytext_is_empty(struct slice text);

/* The forms of a right text as bodies of messages, lines ended by CRLF: UTF-8 as written, and seven
 * bits with lines folded: ASCII or ISO-2022-JP (RFC 1468); nothing, when a character is in neither.
 * False: no memory, or no such converter. */
bool replytext_forms(struct slice text, struct str *utf8, struct str *seven);

#endif
