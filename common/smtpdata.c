/* smtpdata - see smtpdata.h */
#include "smtpdata.h"

void smtpdata_decoder_init(struct smtpdata_decoder *decoder)
{
    *decoder = (struct smtpdata_decoder){.place = SMTPDATA_LINE_START};
}

void smtpdata_decoder_init_plain(struct smtpdata_decoder *decoder)
{
    *decoder = (struct smtpdata_decoder){.place = SMTPDATA_LINE_START, .is_plain = true};
}

void smtpdata_decode_end(struct smtpdata_decoder *decoder)
{
    decoder->has_bare = decoder->has_bare || decoder->place == SMTPDATA_CR;
}

static void end_line(struct smtpdata_decoder *decoder)
{
    if (decoder->line > decoder->line_max)
        decoder->line_max = decoder->line;
    decoder->line = 0;
    decoder->place = SMTPDATA_LINE_START;
}

static void add_to_line(struct smtpdata_decoder *decoder, uint64_t size)
{
    decoder->line += size;
    /* Counted at once, so that a line without end is seen before its end. */
    if (decoder->line > decoder->line_max)
        decoder->line_max = decoder->line;
}

/* At a line's start: only a dot is special, and not always. */
static size_t decode_line_start(struct smtpdata_decoder *decoder, struct slice input,
                                struct slice *run)
{
    (void)run;
    if (decoder->is_plain || input.data[0] != '.') {
        decoder->place = SMTPDATA_MIDDLE;
        return 0;
    }
    decoder->place = SMTPDATA_DOT;
    return 1;
}

/* Behind a dot that began the line: CRLF would end the message. */
static size_t decode_dot(struct smtpdata_decoder *decoder, struct slice input, struct slice *run)
{
    (void)run;
    if (input.data[0] != '\r') {
        decoder->place = SMTPDATA_MIDDLE;
        return 0;
    }
    decoder->place = SMTPDATA_DOT_CR;
    return 1;
}

static size_t decode_dot_cr(struct smtpdata_decoder *decoder, struct slice input, struct slice *run)
{
    if (input.data[0] == '\n') {
        decoder->ended = true;
        return 1;
    }
    /* The CR that was held back belongs to the message after all, which is refused for it. */
    decoder->has_bare = true;
    decoder->place = SMTPDATA_MIDDLE;
    add_to_line(decoder, 1);
    *run = SLICE("\r");
    return 0;
}

static size_t decode_cr(struct smtpdata_decoder *decoder, struct slice input, struct slice *run)
{
    if (input.data[0] != '\n') {
        decoder->has_bare = true;
        decoder->place = SMTPDATA_MIDDLE;
        add_to_line(decoder, 1);
        return 0;
    }
    *run = slice_part(input, 0, 1);
    end_line(decoder);
    return 1;
}

/* As many whole lines as there are, up to one that begins with a dot. */
static size_t decode_middle(struct smtpdata_decoder *decoder, struct slice input, struct slice *run)
{
    size_t at = 0;
    while (at < input.size && decoder->place == SMTPDATA_MIDDLE) {
        struct slice rest = slice_from(input, at);
        size_t line_end = slice_find(rest, '\n');
        size_t cr = slice_find(slice_part(rest, 0, line_end), '\r');
        if (cr < line_end && cr + 1 < line_end) { /* a CR inside the line */
            decoder->has_bare = true;
            add_to_line(decoder, cr + 1);
            at += cr + 1;
        } else if (line_end == rest.size) { /* the line goes on beyond the input */
            add_to_line(decoder, cr);
            at = input.size;
            if (cr < rest.size)
                decoder->place = SMTPDATA_CR;
        } else if (cr == line_end) { /* an LF without CR */
            decoder->has_bare = true;
            add_to_line(decoder, line_end + 1);
            at += line_end + 1;
        } else { /* CRLF */
            add_to_line(decoder, cr);
            end_line(decoder);
            at += line_end + 1;
            if (at < input.size && (decoder->is_plain || input.data[at] != '.'))
                decoder->place = SMTPDATA_MIDDLE;
        }
    }
    *run = slice_part(input, 0, at);
    return at;
}

typedef size_t decode_place(struct smtpdata_decoder *decoder, struct slice input,
                            struct slice *run);

static decode_place *const decode_at[] = {
    [SMTPDATA_LINE_START] = decode_line_start,
    [SMTPDATA_DOT] = decode_dot,
    [SMTPDATA_DOT_CR] = decode_dot_cr,
    [SMTPDATA_MIDDLE] = decode_middle,
    [SMTPDATA_CR] = decode_cr,
};

size_t smtpdata_decode(struct smtpdata_decoder *decoder, struct slice input, struct slice *run)
{
    size_t used = 0;
    *run = SLICE("");
    /* Steps that only change the place are taken together. */
    while (used < input.size && run->size == 0 && !decoder->ended)
        used += decode_at[decoder->place](decoder, slice_from(input, used), run);
    decoder->size += run->size;
    return used;
}

void smtpdata_encoder_init(struct smtpdata_encoder *encoder, bool stuffs)
{
    *encoder = (struct smtpdata_encoder){.place = SMTPDATA_LINE_START, .stuffs = stuffs};
}

static size_t encode_held_cr(struct smtpdata_encoder *encoder, struct slice input,
                             struct slice *run)
{
    bool is_line_end = input.data[0] == '\n';
    encoder->place = is_line_end ? SMTPDATA_LINE_START : SMTPDATA_MIDDLE;
    *run = is_line_end ? SLICE("\r\n") : SLICE(" ");
    return is_line_end ? 1 : 0;
}

/* The length of the longest run that can go out as it is. `begins` says that a line begins at its
 * front, whose dot was looked after already. */
static size_t plain_run(struct smtpdata_encoder *encoder, struct slice input)
{
    size_t at = 0;
    while (at < input.size) {
        struct slice rest = slice_from(input, at);
        size_t line_end = slice_find(rest, '\n');
        size_t cr = slice_find(slice_part(rest, 0, line_end), '\r');
        bool is_line = line_end < rest.size && cr + 1 == line_end;
        encoder->place = is_line ? SMTPDATA_LINE_START : SMTPDATA_MIDDLE;
        if (!is_line) {
            at += cr;
            if (cr == 0 && at > 0) /* nothing of this line went out */
                encoder->place = SMTPDATA_LINE_START;
            return at;
        }
        at += line_end + 1;
        if (encoder->stuffs && at < input.size && input.data[at] == '.')
            return at;
    }
    return at;
}

size_t smtpdata_encode(struct smtpdata_encoder *encoder, struct slice input, struct slice *run)
{
    *run = SLICE("");
    if (input.size == 0)
        return 0;
    if (encoder->place == SMTPDATA_CR)
        return encode_held_cr(encoder, input, run);
    if (encoder->place == SMTPDATA_LINE_START && encoder->stuffs && input.data[0] == '.') {
        encoder->place = SMTPDATA_DOT;
        *run = SLICE(".");
        return 0;
    }
    if (input.data[0] == '\n') {
        encoder->place = SMTPDATA_LINE_START;
        *run = SLICE("\r\n");
        return 1;
    }
    if (input.data[0] == '\r' && (input.size == 1 || input.data[1] != '\n')) {
        encoder->place = SMTPDATA_CR;
        return 1;
    }
    size_t used = plain_run(encoder, input);
    *run = slice_part(input, 0, used);
    return used;
}

struct slice smtpdata_encode_end(struct smtpdata_encoder *encoder)
{
    bool at_start = encoder->place == SMTPDATA_LINE_START;
    encoder->place = SMTPDATA_LINE_START;
    if (!encoder->stuffs)
        return at_start ? SLICE("") : SLICE("\r\n");
    return at_start ? SLICE(".\r\n") : SLICE("\r\n.\r\n");
}
