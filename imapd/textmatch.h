/*
 * textmatch - is this text in that message? whatever its case, charsets and encodings (RFC 5255 4.1,
 * I18NLEVEL=1)
 *
 * A text is in a message when its folded form (casefold.h) is in the folded form of a header field
 * (unfolded, encoded words decoded, RFC 2047) or of a text part (transfer encoding and charset
 * undone), parts in parts and messages in messages included. HTML is searched as it stands.
 *
 * Most mail is ASCII, and most messages don't have what is looked for: so bytes are looked at as they
 * lie wherever that says as much as decoding them would, and converters, tables and buffers are made
 * once for all messages. Time is linear in the message; memory is bounded by a few times its largest
 * part.
 */
#ifndef IMAPD_TEXTMATCH_H
#define IMAPD_TEXTMATCH_H

#include "casefold.h"
#include "charset.h"

/* What is looked for. */
struct textneedle {
    struct slice folded;  /* not owned; the empty text is in everything that can be read */
    bool is_ascii;        /* may be in text that is ASCII */
    bool has_blank;       /* a blank or tab: may stand across a fold of a header */
    bool has_line_end;    /* CR or LF */
    size_t first, second; /* places of its two rarest bytes */
};
/* `folded` must live as long. */
void textneedle_make(struct textneedle *needle, struct slice folded);

/* What is kept from message to message; zeroes are a new one. */
struct textmatch {
    struct casefold casefold;
    struct charset_cache charsets;
    struct str line, decoded, utf8, folded;
};
void textmatch_init(struct textmatch *match);
void textmatch_free(struct textmatch *match);

/* In a header: any field with its name, and the fields called `name`, by their values. */
bool textmatch_header(struct textmatch *match, struct slice header,
                      const struct textneedle *needle);
bool textmatch_field(struct textmatch *match, struct slice header, struct slice name,
                     const struct textneedle *needle);
/* In the body of a whole message, which has `header_size` bytes of header. Headers of parts within
 * count as body. */
bool textmatch_body(struct textmatch *match, struct slice message, size_t header_size,
                    const struct textneedle *needle);

#endif
