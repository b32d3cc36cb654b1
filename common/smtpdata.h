/*
 * smtpdata - line ends and dots of a message on its way through SMTP (RFC 5321 4.5.2)
 *
 * The one place that decides about a lone CR or LF. A line ends in CRLF and in nothing else; two
 * servers that disagree about that let one message become two (SMTP smuggling). So the decoder
 * (smtpd) finds the end of the message only at CRLF "." CRLF and reports a lone CR or LF, for
 * which the message is refused; the encoder (remote, sendmail) never lets one out.
 *
 * Both are incremental and copy nothing: each call takes some bytes off the front of the input and
 * gives the run of output they stand for, which points into the input or is a constant.
 *
 *     while (input.size > 0 && !decoder.ended) {
 *         input = slice_from(input, smtpdata_decode(&decoder, input, &run));
 *         ... use run ...
 *     }
 */
#ifndef COMMON_SMTPDATA_H
#define COMMON_SMTPDATA_H

#include "slice.h"

#include <stdint.h>

enum smtpdata_place {
    SMTPDATA_LINE_START,
    SMTPDATA_DOT,    /* a dot began the line; it is not part of the message */
    SMTPDATA_DOT_CR, /* and a CR came behind it, which is held back */
    SMTPDATA_MIDDLE,
    SMTPDATA_CR,
};

struct smtpdata_decoder {
    enum smtpdata_place place;
    bool is_plain;     /* dots mean nothing, and the message ends where the caller says */
    bool ended;        /* CRLF "." CRLF was read; the rest of the input is the next command */
    bool has_bare;     /* a CR without LF or an LF without CR was seen */
    uint64_t size;     /* bytes of the message so far */
    uint64_t line;     /* bytes of the current line so far */
    uint64_t line_max; /* longest line so far, without its line end */
};

void smtpdata_decoder_init(struct smtpdata_decoder *decoder);
/* For messages whose size is known otherwise (BDAT, RFC 3030): all goes through as it is. */
void smtpdata_decoder_init_plain(struct smtpdata_decoder *decoder);
/* There will be no more: a CR at the very end stands alone. */
void smtpdata_decode_end(struct smtpdata_decoder *decoder);
/* Returns how many bytes were taken. It may be none when a byte that was held back comes out in
 * `run`, but never twice in succession. */
size_t smtpdata_decode(struct smtpdata_decoder *decoder, struct slice input, struct slice *run);

struct smtpdata_encoder {
    enum smtpdata_place place; /* LINE_START, DOT (the dot to add is out), MIDDLE, CR (held back) */
    bool stuffs;
};

/* With `stuffs`, a dot is added in front of one that begins a line, as DATA wants it; without, the
 * output is the message in the suite's wire form. A lone LF becomes CRLF, a lone CR a space. */
void smtpdata_encoder_init(struct smtpdata_encoder *encoder, bool stuffs);
/* Returns how many bytes were taken; none, as above, where `run` is an added byte. */
size_t smtpdata_encode(struct smtpdata_encoder *encoder, struct slice input, struct slice *run);
/* What remains to be written behind the last byte: the last line's end, and with `stuffs` the dot
 * that ends the message. */
struct slice smtpdata_encode_end(struct smtpdata_encoder *encoder);

#endif
