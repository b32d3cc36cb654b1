/*
 * log - one line per event on standard error
 *
 *     queued[812]: delivered id=0cw9x2k4m7q1p recipient=u1@example.jp attempt=1
 *
 * A line is "PROGRAM[PID]: EVENT KEY=VALUE ...": an eye reads it, and so does awk. A value with
 * other than plain printable characters stands in double quotes, its quotes, backslashes and
 * control characters (visible.h) written as \" \\ \n \xHH. Each line leaves in one write of at most LOG_LINE_MAX
 * bytes, so lines of several processes never mix; a longer one is cut and ends in "...". Lines that
 * may wait for the next (log_end_later) leave in one write with it.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "slice.h"

#include <stdint.h>

enum {
    LOG_LINE_MAX = 2048,
    LOG_WRITE_MAX = 4096, /* PIPE_BUF: what a pipe takes without mixing it with others' bytes */
};

struct log_line {
    char text[LOG_LINE_MAX];
    size_t size;
};

/* The name in front of each line; `program` must live as long as the process. */
void log_init(const char *program);

void log_begin(struct log_line *line, const char *event);
void log_value(struct log_line *line, const char *key, struct slice value);
void log_text(struct log_line *line, const char *key, const char *value);
void log_number(struct log_line *line, const char *key, int64_t value);
void log_end(struct log_line *line);
/* For who says more before he waits for others: the line leaves with the next that can't wait, or
 * with log_flush, which must come before a long wait, a fork, and an end without a further line
 * (common/loop sees to the waits). */
void log_end_later(struct log_line *line);
bool log_is_waiting(void);
void log_flush(void);

/* An event with one value, or none (key NULL). */
void log_event(const char *event, const char *key, const char *value);
/* Trouble: what was done, to what, why, and what to do; "cause" is strerror(error) unless 0. */
void log_trouble(const char *action, const char *object, int error, const char *remedy);

#endif
