/*
 * contentwriter - writes the bodies of MIME parts in encodings that pass everywhere (RFC 2045 6)
 *
 * What is written arrives at the caller's function in pieces of some kilobytes. No line of the
 * encoded text is longer than 76 bytes, and none begins with "--", so that none is taken for a
 * boundary. Pure.
 */
#ifndef MESSAGE_CONTENTWRITER_H
#define MESSAGE_CONTENTWRITER_H

#include "slice.h"

/* False: nothing more is wanted. */
typedef bool contentwriter_take(void *owner, struct slice bytes);

struct contentwriter {
    contentwriter_take *take;
    void *owner;
    bool failed;
    bool at_line_start;
    size_t used;
    char buffer[8192];
};

void contentwriter_init(struct contentwriter *writer, contentwriter_take *take, void *owner);
/* As it is. */
void contentwriter_put(struct contentwriter *writer, struct slice bytes);
/* Hands over what is collected. False: the function said no, now or before. */
bool contentwriter_flush(struct contentwriter *writer);

/* The bytes as quoted-printable; line ends that are CRLF stay line ends. */
void contentwriter_put_quoted(struct contentwriter *writer, struct slice bytes);
/* Text that says it is quoted-printable, but has long lines or bytes that may not be in it: the
 * same, mended so that it decodes to the same. */
void contentwriter_mend_quoted(struct contentwriter *writer, struct slice text);
/* The bytes as base64; there is no line end behind the last line. */
void contentwriter_put_base64(struct contentwriter *writer, struct slice bytes);
/* The same as for quoted-printable. */
void contentwriter_mend_base64(struct contentwriter *writer, struct slice text);

#endif
