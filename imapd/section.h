/*
 * section - the part of a message that BODY[...] names (RFC 3501 6.4.5)
 */
#ifndef IMAPD_SECTION_H
#define IMAPD_SECTION_H

#include "mime.h"
#include "parse.h"

enum section_kind {
    SECTION_ALL,        /* BODY[], BODY[1.2] */
    SECTION_HEADER,     /* BODY[HEADER], BODY[1.HEADER] */
    SECTION_FIELDS,     /* HEADER.FIELDS (...) */
    SECTION_FIELDS_NOT, /* HEADER.FIELDS.NOT (...) */
    SECTION_TEXT,
    SECTION_MIME, /* behind part numbers only */
};

enum { SECTION_DEPTH_MAX = 128 };

struct section {
    enum section_kind kind;
    uint32_t *path; /* part numbers, in the arena */
    size_t depth;
    struct slice *fields; /* names of header fields, in the arena */
    size_t field_count;
};

/* Parses from behind '[' up to and with ']'. */
bool section_parse(struct parse *parse, struct section *section);
/* Writes what stands between the brackets. */
void section_append(struct str *out, const struct section *section);

/* Is the section found in the header, or the whole message, without the tree of parts? */
bool section_needs_parts(const struct section *section);
/* The bytes of a section without fields; `root` may be NULL unless section_needs_parts. False:
 * there is no such part. */
bool section_find(const struct section *section, struct slice whole, const struct mime_part *root,
                  struct slice *bytes);
/* The part that the numbers name, NULL when there is none. */
const struct mime_part *section_part(const struct section *section, const struct mime_part *root);
/* SECTION_FIELDS and SECTION_FIELDS_NOT: the fields out of `header`, and the empty line. */
bool section_filter(const struct section *section, struct slice header, struct str *out);

#endif
