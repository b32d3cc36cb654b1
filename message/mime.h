/*
 * mime - the structure of a message: header fields, parts, encodings (RFC 5322, 2045, 2046, 2047,
 * 2231)
 *
 * A pure parser over a message in memory; nothing is copied: offsets and slices point into the
 * message. Any bytes are accepted, in linear time. Depth and number of parts are bounded: a
 * multipart or message that lies too deep is a leaf, application/octet-stream; behind the last part
 * that is allowed, all text belongs to that part. A multipart without parts is a leaf, text/plain.
 */
#ifndef MESSAGE_MIME_H
#define MESSAGE_MIME_H

#include "str.h"

#include <stdbool.h>

enum {
    MIME_DEPTH_MAX = 50,
    MIME_PARTS_MAX = 10000,
    MIME_PARAMETERS_MAX = 64, /* of one field; further ones are ignored */
    MIME_FIELD_MAX = 1048576, /* bytes of one field that are looked at when decoding */
};

struct mime_part {
    size_t header;              /* offset of the first header byte in the message */
    size_t header_size;         /* with the empty line that ends it */
    size_t body;                /* offset of the body */
    size_t body_size;           /* without the line end that belongs to the boundary after it */
    size_t body_lines;          /* number of LFs in the body */
    struct slice type, subtype; /* as written; "text", "plain" when missing or broken */
    bool is_multipart;          /* children are its parts */
    bool is_message; /* message/rfc822 and its like: the one child is the message inside */
    struct mime_part *first_child;
    struct mime_part *next; /* sibling */
    struct mime_part *parent;
};

/* Parses a whole message. NULL only without memory. One mime_free frees all of the tree. */
struct mime_part *mime_parse(struct slice message);
/* The same for who shows messages: the one in a message/global (RFC 6532 3.7), too, is looked into, where
 * it is not encoded. Who rewrites messages must not: its header has UTF-8, so all of it has to be encoded
 * as one. */
struct mime_part *mime_parse_global(struct slice message);
/* Does the type say so, encoded or not? */
bool mime_is_global(const struct mime_part *part);
void mime_free(struct mime_part **root);
/* The part that comes next in the message: those within a part, of messages too, before those behind
 * it. NULL behind the last. */
const struct mime_part *mime_next_part(const struct mime_part *part);

/* Walks header fields. `header` is the header's bytes; *rest starts as them. Unfolded by nobody:
 * `value` keeps its line breaks, without the last line end and without the blanks behind the colon.
 * A line that is no field is skipped. False at the end. `whole` is the field with its line end. */
struct mime_field {
    struct slice name, value, whole;
};
bool mime_next_field(struct slice *rest, struct mime_field *field);
/* The first field of that name (without colon, any case). */
bool mime_find_field(struct slice header, const char *name, struct slice *value);

/* A structured field as "value; name=value; ..." (Content-Type, Content-Disposition), comments and
 * quoting taken away, RFC 2231 continuations joined. `attributes` own their text. */
struct mime_parameter {
    struct str name, value; /* name in lower case */
    struct str charset;     /* from RFC 2231; empty when none */
};
struct mime_parameters {
    struct str value;
    struct mime_parameter *list;
    size_t count;
};
/* False only without memory; there is nothing to free then. */
bool mime_parse_parameters(struct slice field, struct mime_parameters *parameters);
void mime_free_parameters(struct mime_parameters *parameters);
/* NULL when there is none. */
const struct mime_parameter *mime_parameter(const struct mime_parameters *parameters,
                                            const char *name);
/* The value in UTF-8: by its charset, or as mime_decode_header does, which is how most mailers
 * write file names. */
bool mime_decode_parameter(const struct mime_parameter *parameter, struct str *utf8);
/* "text/plain; ..." -> "text", "plain" as written. False, and nothing set, when it is broken. */
bool mime_split_type(struct slice field, struct slice *type, struct slice *subtype);

/* Undoes base64 and quoted-printable; any other encoding copies. Broken input gives what can be
 * had. False when `out` is full. */
bool mime_decode_body(struct slice body, struct slice transfer_encoding, struct str *out);

/* A header value in UTF-8: unfolded, encoded words decoded (RFC 2047), raw 8-bit taken as UTF-8 or,
 * failing that, Latin-1. */
bool mime_decode_header(struct slice value, struct str *utf8);
/* The same with converters that stay open (charset.h). */
struct charset_cache;
bool mime_decode_header_with(struct charset_cache *cache, struct slice value, struct str *utf8);
/* Its first step alone: line ends taken away (RFC 5322 2.2.3). */
bool mime_unfold(struct slice value, struct str *line);

#endif
