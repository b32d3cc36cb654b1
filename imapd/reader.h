/*
 * reader - collects one whole command: its lines and the literals between them
 *
 * Shared by imap-login and imapd. Synchronising literals are asked for with "+" as they come,
 * non-synchronising ones (RFC 7888) are just read, so that a command that does not parse never
 * leaves the stream in the middle of one. A literal that the owner wants to take itself (APPEND's
 * message, which goes to the disk and not into memory) is left in the stream.
 */
#ifndef IMAPD_READER_H
#define IMAPD_READER_H

#include "literal.h"
#include "stream.h"

enum { READER_TAG_MAX = 64 }; /* as spawnd takes them */

struct reader_limits {
    size_t line;    /* bytes of one line with its line end */
    size_t literal; /* bytes of one literal that is kept in memory */
    size_t command; /* bytes of all lines and literals of one command */
};

enum reader_result {
    READER_COMMAND, /* `text` is a whole command, without its last line end */
    READER_MESSAGE, /* `text` ends with the announcement of `literal`, which the owner takes */
    READER_REFUSED, /* BAD or NO: `why`; the stream stands behind the command */
    READER_CLOSING, /* BYE: `why`; the client is sending what nobody will read */
    READER_GONE,    /* `stream_result` says how */
};

/* Does the owner take the literal that is announced at the end of `text`? */
typedef bool reader_takes(struct slice text, void *owner);

struct reader {
    struct stream *stream;
    struct reader_limits limits;
    reader_takes *takes; /* NULL: none is taken */
    void *owner;
    struct str text;
    struct literal literal;
    bool has_nul; /* one that no literal8 holds */
    bool too_big; /* READER_REFUSED over a literal's size: [TOOBIG] */
    const char *why;
    enum stream_result stream_result;
};

/* The stream must have been made with reader_input_max. */
void reader_init(struct reader *reader, struct stream *stream, const struct reader_limits *limits,
                 reader_takes *takes, void *owner);
void reader_free(struct reader *reader);
size_t reader_input_max(const struct reader_limits *limits);

/* The next command. After READER_REFUSED `text` holds its beginning, for the tag. */
enum reader_result reader_next(struct reader *reader);
/* After READER_MESSAGE: asks for the literal where the client waits for that. */
void reader_accept(struct reader *reader);
/* After READER_MESSAGE and the literal's bytes: what follows up to the line end goes to `text`. */
enum reader_result reader_finish(struct reader *reader);

/* The tag at the beginning of a command, "*" if it has none that can be one. */
struct slice reader_tag(struct slice text);

#endif
