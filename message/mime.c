/* mime - the structure of a message, see mime.h; fields are in mimefield.c, encodings in
 * mimedecode.c */
#include "mime.h"

#include "number.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_PARTS = 16,
    /* Bytes of a boundary; RFC 2046 5.1.1 allows 70. A multipart with a longer one is a leaf. */
    BOUNDARY_MAX = 1000,
};

/* ---- memory: parts live in blocks, the first of which begins with the root ------------------- */

struct block {
    struct mime_part parts[BLOCK_PARTS];
    struct block *next;
    size_t used;
};

void mime_free(struct mime_part **root)
{
    /* The root is the first member of the first block. */
    struct block *block = (struct block *)(void *)*root;
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    *root = NULL;
}

/* ---- the parser ------------------------------------------------------------------------------
 * One pass over the lines. `levels` are the parts that are open at this line, from the root to the
 * innermost. A line is compared with the boundaries of all open multiparts, since the boundary of
 * one ends all parts inside of it; there are at most MIME_DEPTH_MAX, so time stays linear. */

struct level {
    struct mime_part *part;
    struct mime_part *last_child;
    struct str boundary; /* of a multipart; empty otherwise */
    bool closed;         /* its closing delimiter was seen: what follows is the epilogue */
    bool is_digest;
    size_t lines_before; /* LFs before the body */
};

struct parser {
    struct slice message;
    struct block *first, *last;
    struct level levels[MIME_DEPTH_MAX + 1];
    size_t depth;   /* levels in use */
    bool in_header; /* of the innermost part */
    size_t count;   /* parts */
    size_t lines;   /* LFs seen */
    bool global;    /* message/global is a message */
    bool full;      /* no more parts: boundaries are text from here on */
    bool failed;    /* no memory */
};

static struct mime_part *part_allocate(struct parser *parser)
{
    if (!parser->last || parser->last->used == BLOCK_PARTS) {
        struct block *block = malloc(sizeof *block);
        if (!block) {
            parser->failed = true;
            return NULL;
        }
        block->next = NULL;
        block->used = 0;
        if (parser->last)
            parser->last->next = block;
        else
            parser->first = block;
        parser->last = block;
    }
    parser->count++;
    struct mime_part *part = &parser->last->parts[parser->last->used++];
    *part = (struct mime_part){0};
    return part;
}

static struct level *innermost(struct parser *parser)
{
    return &parser->levels[parser->depth - 1];
}

/* RFC 2046 5.1.5: the parts of a digest are messages where they don't say otherwise. */
static void set_default_type(struct mime_part *part, bool in_digest)
{
    part->type = in_digest ? SLICE("message") : SLICE("text");
    part->subtype = in_digest ? SLICE("rfc822") : SLICE("plain");
}

/* Opens a part below the innermost one; its header begins at `header`. */
static bool part_open(struct parser *parser, size_t header)
{
    struct level *above = parser->depth > 0 ? innermost(parser) : NULL;
    struct mime_part *part = part_allocate(parser);
    if (!part)
        return false;
    part->header = header;
    part->body = header;
    set_default_type(part, above && above->is_digest);
    if (above) {
        part->parent = above->part;
        if (above->last_child)
            above->last_child->next = part;
        else
            above->part->first_child = part;
        above->last_child = part;
    }
    struct level *level = &parser->levels[parser->depth++];
    *level = (struct level){.part = part, .lines_before = parser->lines};
    str_init(&level->boundary, BOUNDARY_MAX);
    parser->in_header = true;
    return true;
}

static bool can_open(const struct parser *parser)
{
    return parser->depth <= MIME_DEPTH_MAX && parser->count < MIME_PARTS_MAX;
}

/* A container that can't be looked into, so that nobody takes it for one. */
static void make_opaque(struct mime_part *part)
{
    part->type = SLICE("application");
    part->subtype = SLICE("octet-stream");
}

static bool is_type(const struct mime_part *part, const char *type)
{
    return slice_equal_nocase(part->type, slice_text(type));
}

static bool is_subtype(const struct mime_part *part, const char *subtype)
{
    return slice_equal_nocase(part->subtype, slice_text(subtype));
}

bool mime_is_global(const struct mime_part *part)
{
    return is_type(part, "message") && is_subtype(part, "global");
}

/* Other than message/rfc822 it may be encoded. */
static bool is_encoded(struct slice header)
{
    struct slice field;
    struct mime_parameters encoding;
    if (!mime_find_field(header, "Content-Transfer-Encoding", &field))
        return false;
    if (!mime_parse_parameters(field, &encoding))
        return true;
    bool found = slice_equal_nocase(str_slice(&encoding.value), SLICE("base64")) ||
                 slice_equal_nocase(str_slice(&encoding.value), SLICE("quoted-printable"));
    mime_free_parameters(&encoding);
    return found;
}

/* Takes the boundary out of the field; without one, the part is plain text (RFC 2045 5.2). */
static void begin_multipart(struct parser *parser, struct level *level, struct slice field)
{
    struct mime_parameters parameters;
    if (!mime_parse_parameters(field, &parameters)) {
        parser->failed = true;
        return;
    }
    const struct mime_parameter *boundary = mime_parameter(&parameters, "boundary");
    bool found = boundary && boundary->value.size > 0 &&
                 str_append(&level->boundary, slice_trim(str_slice(&boundary->value)));
    mime_free_parameters(&parameters);
    if (!found || level->boundary.size == 0) {
        str_clear(&level->boundary);
        set_default_type(level->part, false);
        return;
    }
    level->part->is_multipart = true;
    level->is_digest = is_subtype(level->part, "digest");
}

/* Looks at the Content-Type of the part whose header just ended. */
static void classify(struct parser *parser, struct level *level)
{
    struct mime_part *part = level->part;
    struct slice header = slice_part(parser->message, part->header, part->header_size);
    struct slice field = SLICE("");
    if (mime_find_field(header, "Content-Type", &field) &&
        !mime_split_type(field, &part->type, &part->subtype))
        set_default_type(part, false);
    bool is_multipart = is_type(part, "multipart");
    bool is_message = (is_type(part, "message") && is_subtype(part, "rfc822")) ||
                      (parser->global && mime_is_global(part) && !is_encoded(header));
    if ((is_multipart || is_message) && !can_open(parser))
        make_opaque(part);
    else if (is_multipart)
        begin_multipart(parser, level, field);
    else
        part->is_message = is_message;
}

/* The header of the innermost part ended before `body`. */
static void header_end(struct parser *parser, size_t body)
{
    struct level *level = innermost(parser);
    level->part->header_size = body - level->part->header;
    level->part->body = body;
    level->lines_before = parser->lines;
    parser->in_header = false;
    classify(parser, level);
    if (level->part->is_message && !parser->failed)
        part_open(parser, body);
}

/* Closes the innermost part: its body ends at `end`, before which there are `lines` LFs. */
static void part_close(struct parser *parser, size_t end, size_t lines)
{
    struct level *level = innermost(parser);
    struct mime_part *part = level->part;
    if (end > part->body) {
        part->body_size = end - part->body;
        part->body_lines = lines - level->lines_before;
    }
    /* RFC 2046 5.1: a multipart has at least one part; one without is shown as text. */
    if (part->is_multipart && !part->first_child) {
        part->is_multipart = false;
        set_default_type(part, false);
    }
    str_free(&level->boundary);
    parser->depth--;
}

/* Closes parts until `depth` are open. `end` is where a boundary's line begins, or the message's
 * end. A header that never ended ends here. */
static void close_down_to(struct parser *parser, size_t depth, size_t end, bool at_boundary)
{
    if (parser->in_header)
        header_end(parser, end);
    if (parser->in_header) /* an empty message inside a message */
        header_end(parser, end);
    const char *data = parser->message.data;
    size_t lines = parser->lines;
    size_t body_end = end;
    /* The line end in front of a boundary belongs to the boundary (RFC 2046 5.1.1), unless it is
     * the one that ends the header. */
    size_t least = innermost(parser)->part->body;
    if (at_boundary && body_end > least && data[body_end - 1] == '\n') {
        body_end--;
        lines--;
        if (body_end > least && data[body_end - 1] == '\r')
            body_end--;
    }
    while (parser->depth > depth)
        part_close(parser, body_end, lines);
}

/* ---- boundaries ----------------------------------------------------------------------------- */

enum delimiter { DELIMITER_NONE, DELIMITER_OPEN, DELIMITER_CLOSE };

/* Compares the whole line, so that one boundary may begin with another. Blanks at the end are
 * allowed for: gateways add them. */
static enum delimiter match(struct slice line, struct slice boundary)
{
    struct slice rest = slice_from(line, 2);
    if (boundary.size == 0 || !slice_starts(rest, boundary))
        return DELIMITER_NONE;
    rest = slice_trim(slice_from(rest, boundary.size));
    if (rest.size == 0)
        return DELIMITER_OPEN;
    return slice_equal(rest, SLICE("--")) ? DELIMITER_CLOSE : DELIMITER_NONE;
}

/* The open multipart whose delimiter this line is, innermost first: broken mailers use the same
 * boundary twice. */
static enum delimiter find_delimiter(const struct parser *parser, struct slice line, size_t *at)
{
    for (size_t i = parser->depth; i-- > 0;) {
        const struct level *level = &parser->levels[i];
        if (level->closed || !level->part->is_multipart)
            continue;
        enum delimiter found = match(line, str_slice(&level->boundary));
        if (found != DELIMITER_NONE) {
            *at = i;
            return found;
        }
    }
    return DELIMITER_NONE;
}

/* True if the line, which begins at `start` and ends before `next`, was a delimiter. */
static bool take_delimiter(struct parser *parser, struct slice line, size_t start, size_t next)
{
    size_t at;
    enum delimiter found = find_delimiter(parser, line, &at);
    if (found == DELIMITER_NONE)
        return false;
    if (found == DELIMITER_OPEN && parser->count >= MIME_PARTS_MAX) {
        parser->full = true;
        return false;
    }
    close_down_to(parser, at + 1, start, true);
    parser->lines += line.data[line.size - 1] == '\n';
    if (found == DELIMITER_OPEN)
        part_open(parser, next);
    else
        parser->levels[at].closed = true;
    return true;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static bool is_empty_line(struct slice line)
{
    return line.data[0] == '\n' || (line.size == 2 && line.data[0] == '\r' && line.data[1] == '\n');
}

static void take_line(struct parser *parser, struct slice line, size_t start)
{
    size_t next = start + line.size;
    bool dashes = line.size > 2 && line.data[0] == '-' && line.data[1] == '-';
    if (dashes && !parser->full && take_delimiter(parser, line, start, next))
        return;
    if (line.data[line.size - 1] == '\n')
        parser->lines++;
    if (parser->in_header && is_empty_line(line))
        header_end(parser, next);
}

/* ---- lines of bodies: those that begin with no dash mean nothing, and are counted --------------- */

enum { SCAN_SIZE = 16, SCANS_MAX = 255 /* that a lane of bytes can count */ };

typedef uint8_t scan __attribute__((vector_size(SCAN_SIZE)));

static scan scan_for(const char *from, char byte)
{
    scan bytes, wanted = (scan){0} + (uint8_t)byte;
    memcpy(&bytes, from, sizeof bytes);
    return (scan)(bytes == wanted);
}

static bool scan_has_none(scan bytes)
{
    uint64_t halves[2];
    memcpy(halves, &bytes, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

/* Up to SCANS_MAX blocks from *at on, which goes to the first with an LF and a dash behind it, or that
 * is not whole. True when it found none. */
static bool count_blocks(struct slice text, size_t *at, size_t *lines)
{
    scan counts = {0};
    bool is_plain = true;
    for (int i = 0; i < SCANS_MAX && text.size - *at > SCAN_SIZE; i++, *at += SCAN_SIZE) {
        scan ends = scan_for(text.data + *at, '\n');
        is_plain = scan_has_none(ends & scan_for(text.data + *at + 1, '-'));
        if (!is_plain)
            break;
        counts -= ends; /* a lane that fits is -1 */
    }
    for (size_t i = 0; i < SCAN_SIZE; i++)
        *lines += counts[i];
    return is_plain;
}

/* The size of the lines up to the next one that begins with a dash; adds their LFs to *lines. */
static size_t count_lines(struct slice text, size_t *lines)
{
    size_t at = 0;
    while (text.size - at > SCAN_SIZE && count_blocks(text, &at, lines))
        ;
    for (; at < text.size; at++) {
        if (text.data[at] != '\n')
            continue;
        ++*lines;
        if (at + 1 < text.size && text.data[at + 1] == '-')
            return at + 1;
    }
    return text.size;
}

static size_t skip_lines(struct parser *parser, size_t start)
{
    struct slice rest = slice_from(parser->message, start);
    if (parser->in_header || rest.size == 0 || rest.data[0] == '-')
        return start;
    return start + count_lines(rest, &parser->lines);
}

static void take_lines(struct parser *parser)
{
    size_t start = 0;
    while (start < parser->message.size && !parser->failed) {
        struct slice rest = slice_from(parser->message, start);
        size_t size = slice_find(rest, '\n');
        if (size < rest.size)
            size++;
        take_line(parser, slice_part(rest, 0, size), start);
        start = skip_lines(parser, start + size);
    }
}

static void parser_init(struct parser *parser, struct slice message, bool global)
{
    parser->message = message;
    parser->first = parser->last = NULL; /* levels are set as they are opened */
    parser->depth = parser->count = parser->lines = 0;
    parser->global = global;
    parser->in_header = parser->full = parser->failed = false;
}

static struct mime_part *parse(struct slice message, bool global)
{
    struct parser *parser = malloc(sizeof *parser);
    if (!parser)
        return NULL;
    parser_init(parser, message, global);
    if (part_open(parser, 0)) {
        take_lines(parser);
        close_down_to(parser, 0, message.size, false);
    }
    bool failed = parser->failed;
    struct mime_part *root = parser->first ? &parser->first->parts[0] : NULL;
    free(parser);
    if (failed)
        mime_free(&root);
    return root;
}

struct mime_part *mime_parse(struct slice message)
{
    return parse(message, false);
}

struct mime_part *mime_parse_global(struct slice message)
{
    return parse(message, true);
}

const struct mime_part *mime_next_part(const struct mime_part *part)
{
    if (part->first_child)
        return part->first_child;
    while (part && !part->next)
        part = part->parent;
    return part ? part->next : NULL;
}
