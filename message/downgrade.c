/* downgrade - see downgrade.h */
#include "downgrade.h"

#include "mime.h"

#include <stdint.h>
#include <string.h>

/* ---- what a text has --------------------------------------------------------------------------*/

static bool has_high(struct slice text)
{
    uint64_t all = 0;
    size_t at = 0;
    for (; at + sizeof all <= text.size; at += sizeof all) {
        uint64_t word;
        memcpy(&word, text.data + at, sizeof word);
        all |= word;
    }
    return (all & UINT64_C(0x8080808080808080)) || slice_has_high(slice_from(text, at));
}

/* The line is what stands before an LF, or at the end before nothing. */
static bool is_binary_line(struct slice line, bool has_end)
{
    bool has_cr = slice_ends(line, SLICE("\r"));
    line.size -= has_cr ? 1 : 0;
    return has_cr != has_end || line.size > DOWNGRADE_LINE_MAX || slice_has(line, '\r');
}

/* The same of a line without its line end. */
static bool is_binary_content(struct slice line)
{
    return line.size > DOWNGRADE_LINE_MAX || slice_has(line, '\0') || slice_has(line, '\r');
}

static bool has_binary(struct slice text)
{
    if (slice_has(text, '\0'))
        return true;
    while (text.size > 0) {
        size_t end = slice_find(text, '\n');
        if (is_binary_line(slice_part(text, 0, end), end < text.size))
            return true;
        text = slice_from(text, end + 1);
    }
    return false;
}

unsigned downgrade_traits(struct slice text)
{
    return (has_high(text) ? DOWNGRADE_HIGH : 0u) | (has_binary(text) ? DOWNGRADE_BINARY : 0u);
}

bool downgrade_is_needed(unsigned traits, enum downgrade_target target)
{
    return target == DOWNGRADE_TO_7BIT ? traits != 0 : traits & DOWNGRADE_BINARY;
}

/* ---- header fields ----------------------------------------------------------------------------*/

struct rewriter {
    struct slice message;
    enum downgrade_target target;
    struct contentwriter out;
};

/* Line by line, with what can't be there made blank. */
static void put_clean(struct rewriter *rewriter, struct slice text, bool loses_high)
{
    for (size_t i = 0; i < text.size; i++) {
        bool is_lost = loses_high && (text.data[i] & 0x80);
        bool is_blank = text.data[i] == '\0' || text.data[i] == '\r';
        contentwriter_put(&rewriter->out, is_lost    ? SLICE("?")
                                          : is_blank ? SLICE(" ")
                                                     : slice_part(text, i, 1));
    }
}

/* Where a line that is too long is folded: before the last blank that stands behind something else,
 * else after as much as there may be. */
static size_t find_fold(struct slice line, size_t most)
{
    size_t least = 0;
    while (least < most && (line.data[least] == ' ' || line.data[least] == '\t'))
        least++;
    for (size_t i = most; i > least; i--)
        if (line.data[i] == ' ' || line.data[i] == '\t')
            return i;
    return most;
}

/* One line of a header or between parts, in lines that are short enough (RFC 5322 2.2.3). */
static void put_folded(struct rewriter *rewriter, struct slice line, bool loses_high)
{
    size_t most = DOWNGRADE_LINE_MAX;
    if (slice_starts(line, SLICE("--")) && is_binary_content(line)) {
        /* What is made of it must not be taken for a boundary. */
        contentwriter_put(&rewriter->out, SLICE(" "));
        most--;
    }
    while (line.size > most) {
        size_t size = find_fold(line, most);
        put_clean(rewriter, slice_part(line, 0, size), loses_high);
        line = slice_from(line, size);
        bool is_at_blank = line.data[0] == ' ' || line.data[0] == '\t';
        contentwriter_put(&rewriter->out, is_at_blank ? SLICE("\r\n") : SLICE("\r\n "));
        most = DOWNGRADE_LINE_MAX - (is_at_blank ? 0 : 1);
    }
    put_clean(rewriter, line, loses_high);
}

/* Cuts off the next line with its line end, and gives it without. */
static struct slice cut_line(struct slice *rest, bool *has_end)
{
    size_t size = slice_find(*rest, '\n');
    struct slice line = slice_part(*rest, 0, size);
    *has_end = size < rest->size;
    *rest = slice_from(*rest, size + 1);
    line.size -= *has_end && slice_ends(line, SLICE("\r")) ? 1 : 0;
    return line;
}

static void put_header_text(struct rewriter *rewriter, struct slice text)
{
    if (!(downgrade_traits(text) & DOWNGRADE_BINARY)) {
        contentwriter_put(&rewriter->out, text);
        return;
    }
    while (text.size > 0) {
        bool has_end;
        put_folded(rewriter, cut_line(&text, &has_end), false);
        if (has_end)
            contentwriter_put(&rewriter->out, SLICE("\r\n"));
    }
}

/* The header but for Content-Transfer-Encoding. */
static void put_other_fields(struct rewriter *rewriter, struct slice header)
{
    struct slice rest = header;
    struct mime_field field;
    const char *done = header.data;
    while (mime_next_field(&rest, &field)) {
        if (!slice_equal_nocase(field.name, SLICE("Content-Transfer-Encoding")))
            continue;
        put_header_text(rewriter, slice_of(done, (size_t)(field.whole.data - done)));
        done = field.whole.data + field.whole.size;
    }
    put_header_text(rewriter, slice_of(done, (size_t)(header.data + header.size - done)));
}

/* The empty line; nothing where the header just stops. */
static struct slice header_end(struct slice header)
{
    struct slice end = slice_ends(header, SLICE("\r\n")) ? SLICE("\r\n") : SLICE("\n");
    struct slice fields = slice_part(header, 0, header.size - end.size);
    if (header.size < end.size || !slice_ends(header, end) ||
        (fields.size > 0 && !slice_ends(fields, SLICE("\n"))))
        return SLICE("");
    return end;
}

/* `encoding` NULL: as it is. */
static void put_header(struct rewriter *rewriter, const struct mime_part *part,
                       const char *encoding)
{
    struct slice header = slice_part(rewriter->message, part->header, part->header_size);
    struct slice version, end = header_end(header);
    if (!encoding || end.size == 0) {
        put_header_text(rewriter, header);
        return;
    }
    header.size -= end.size;
    put_other_fields(rewriter, header);
    if (!part->parent && !mime_find_field(header, "MIME-Version", &version))
        contentwriter_put(&rewriter->out, SLICE("MIME-Version: 1.0\r\n"));
    contentwriter_put(&rewriter->out, SLICE("Content-Transfer-Encoding: "));
    contentwriter_put(&rewriter->out, slice_text(encoding));
    contentwriter_put(&rewriter->out, SLICE("\r\n\r\n"));
}

/* ---- bodies -----------------------------------------------------------------------------------*/

enum encoding { ENCODING_NONE, ENCODING_8BIT, ENCODING_BINARY, ENCODING_QUOTED, ENCODING_BASE64 };

/* What the part says; anything unknown is none. */
static enum encoding said_encoding(const struct rewriter *rewriter, const struct mime_part *part)
{
    static const struct {
        const char *name;
        enum encoding encoding;
    } names[] = {{"8bit", ENCODING_8BIT},
                 {"binary", ENCODING_BINARY},
                 {"quoted-printable", ENCODING_QUOTED},
                 {"base64", ENCODING_BASE64}};
    struct slice value, header = slice_part(rewriter->message, part->header, part->header_size);
    if (!mime_find_field(header, "Content-Transfer-Encoding", &value))
        return ENCODING_NONE;
    value = slice_trim(value);
    size_t size = 0;
    while (size < value.size && !slice_has(SLICE(" \t\r\n(;"), value.data[size]))
        size++;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_equal_nocase(slice_part(value, 0, size), slice_text(names[i].name)))
            return names[i].encoding;
    return ENCODING_NONE;
}

/* What a part says that needs no encoding, where it said more than the target takes. */
static const char *lower_claim(const struct rewriter *rewriter, enum encoding said)
{
    if (rewriter->target == DOWNGRADE_TO_7BIT)
        return said == ENCODING_8BIT || said == ENCODING_BINARY ? "7bit" : NULL;
    return said == ENCODING_BINARY ? "8bit" : NULL;
}

typedef void put_body(struct contentwriter *out, struct slice body);

struct way {
    const char *encoding; /* as the header is to say; NULL: as it says */
    put_body *put;
};

static struct way choose_way(const struct rewriter *rewriter, const struct mime_part *part,
                             struct slice body)
{
    enum encoding said = said_encoding(rewriter, part);
    if (part->first_child || !downgrade_is_needed(downgrade_traits(body), rewriter->target))
        return (struct way){lower_claim(rewriter, said), contentwriter_put};
    if (said == ENCODING_QUOTED)
        return (struct way){NULL, contentwriter_mend_quoted};
    if (said == ENCODING_BASE64)
        return (struct way){NULL, contentwriter_mend_base64};
    if (slice_equal_nocase(part->type, SLICE("text")))
        return (struct way){"quoted-printable", contentwriter_put_quoted};
    return (struct way){"base64", contentwriter_put_base64};
}

/* The last line of a message has a line end, which must not become part of what it decodes to. */
static void end_body(struct rewriter *rewriter, const struct way *way)
{
    bool is_quoted = way->put == contentwriter_put_quoted || way->put == contentwriter_mend_quoted;
    if (way->put != contentwriter_put && !rewriter->out.at_line_start)
        contentwriter_put(&rewriter->out, is_quoted ? SLICE("=\r\n") : SLICE("\r\n"));
}

/* ---- between the parts ------------------------------------------------------------------------*/

/* A boundary's line stays what it is, without the blanks at its end, and with one for others. */
static bool put_boundary(struct rewriter *rewriter, struct slice line)
{
    struct slice name = slice_part(line, 0, slice_find(line, '\r'));
    struct slice rest = slice_trim(slice_from(line, name.size));
    while (name.size > 0 && slice_has(SLICE(" \t"), name.data[name.size - 1]))
        name.size--;
    if (!slice_starts(name, SLICE("--")) || is_binary_content(name) ||
        (rest.size > 0 && !slice_equal(rest, SLICE("--"))))
        return false;
    contentwriter_put(&rewriter->out, name);
    contentwriter_put(&rewriter->out, rest.size > 0 ? SLICE(" --") : SLICE(""));
    return true;
}

static void put_between(struct rewriter *rewriter, struct slice text)
{
    while (text.size > 0) {
        bool has_end;
        struct slice line = cut_line(&text, &has_end);
        if (!put_boundary(rewriter, line))
            put_folded(rewriter, line, rewriter->target == DOWNGRADE_TO_7BIT);
        if (has_end)
            contentwriter_put(&rewriter->out, SLICE("\r\n"));
    }
}

/* ---- the message ------------------------------------------------------------------------------*/

/* Writes header and, where there are no parts inside, body. Returns where it ended. */
static size_t put_part(struct rewriter *rewriter, const struct mime_part *part)
{
    struct slice body = slice_part(rewriter->message, part->body, part->body_size);
    struct way way = choose_way(rewriter, part, body);
    put_header(rewriter, part, way.encoding);
    if (part->first_child)
        return part->body;
    way.put(&rewriter->out, body);
    if (part->body + part->body_size == rewriter->message.size)
        end_body(rewriter, &way);
    return part->body + part->body_size;
}

static void put_between_to(struct rewriter *rewriter, size_t *done, size_t end)
{
    if (end > *done)
        put_between(rewriter, slice_part(rewriter->message, *done, end - *done));
}

bool downgrade_write(struct slice message, enum downgrade_target target, contentwriter_take *take,
                     void *owner)
{
    struct rewriter rewriter = {.message = message, .target = target};
    struct mime_part *root = mime_parse(message);
    size_t done = 0;
    if (!root)
        return false;
    contentwriter_init(&rewriter.out, take, owner);
    for (const struct mime_part *part = root; part && !rewriter.out.failed;
         part = mime_next_part(part)) {
        put_between_to(&rewriter, &done, part->header);
        done = put_part(&rewriter, part);
    }
    put_between_to(&rewriter, &done, message.size);
    mime_free(&root);
    return contentwriter_flush(&rewriter.out);
}
