/* submission - see submission.h */
#include "submission.h"

#include "addresslist.h"
#include "encodedword.h"
#include "maildate.h"

/* ---- the dot ------------------------------------------------------------------------------------ */

static struct slice take_line(struct submission_dot *dot, struct slice *input)
{
    size_t end = slice_find(*input, '\n');
    bool is_whole = end < input->size;
    struct slice run = slice_part(*input, 0, is_whole ? end + 1 : end);
    *input = slice_from(*input, run.size);
    dot->place = is_whole ? SUBMISSION_LINE_START : SUBMISSION_MIDDLE;
    return run;
}

struct slice submission_undot(struct submission_dot *dot, struct slice *input)
{
    char byte = input->size > 0 ? input->data[0] : '\0';
    if (input->size == 0)
        return SLICE("");
    switch (dot->place) {
    case SUBMISSION_LINE_START:
        if (byte != '.')
            return take_line(dot, input);
        dot->place = SUBMISSION_DOT;
        *input = slice_from(*input, 1);
        return SLICE("");
    case SUBMISSION_DOT:
        if (byte == '\n') {
            dot->ended = true;
            return SLICE("");
        }
        if (byte == '\r') {
            dot->place = SUBMISSION_DOT_CR;
            *input = slice_from(*input, 1);
            return SLICE("");
        }
        dot->place = SUBMISSION_MIDDLE;
        return SLICE(".");
    case SUBMISSION_DOT_CR:
        if (byte == '\n') {
            dot->ended = true;
            return SLICE("");
        }
        dot->place = SUBMISSION_MIDDLE;
        return SLICE(".\r");
    case SUBMISSION_MIDDLE:
        break;
    }
    return take_line(dot, input);
}

/* ---- the header --------------------------------------------------------------------------------- */

void submission_init(struct submission *submission)
{
    *submission = (struct submission){.me = "localhost"};
    str_init(&submission->header, SUBMISSION_HEADER_MAX + 4096);
}

void submission_free(struct submission *submission)
{
    str_free(&submission->header);
}

static size_t line_size(struct slice text)
{
    size_t end = slice_find(text, '\n');
    return end < text.size ? end + 1 : text.size;
}

/* Printable ASCII. Blanks in front of the colon are an old way of writing (RFC 5322 4.5). */
static bool is_field_name(struct slice name)
{
    while (name.size > 0 && (name.data[name.size - 1] == ' ' || name.data[name.size - 1] == '\t'))
        name = slice_part(name, 0, name.size - 1);
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.data[i] <= ' ' || (unsigned char)name.data[i] >= 0x7f)
            return false;
    return name.size > 0;
}

/* The field at the front with its folded lines; 0: there is none. */
static size_t field_size(struct slice text)
{
    size_t size = line_size(text);
    struct slice line = slice_part(text, 0, size);
    size_t name = slice_find(line, ':');
    if (name == line.size || !is_field_name(slice_part(line, 0, name)))
        return 0;
    while (size < text.size && (text.data[size] == ' ' || text.data[size] == '\t'))
        size += line_size(slice_from(text, size));
    return size;
}

/* "From user date" of an mbox, which some programs put first. */
static size_t envelope_line_size(struct slice text)
{
    return slice_starts(text, SLICE("From ")) || slice_starts(text, SLICE(">From "))
               ? line_size(text)
               : 0;
}

bool submission_has_header(struct slice text, bool is_whole)
{
    size_t at = envelope_line_size(text);
    for (;;) {
        struct slice rest = slice_from(text, at);
        size_t size = field_size(rest);
        if (size == 0)
            return is_whole || slice_has(rest, '\n');
        if (size == rest.size)
            return is_whole; /* it may go on */
        at += size;
    }
}

enum field_kind {
    FIELD_OTHER,
    FIELD_TO,
    FIELD_DROPPED_TO,
    FIELD_DROPPED,
    FIELD_FROM,
    FIELD_DATE,
    FIELD_ID
};

static const struct {
    const char *name;
    enum field_kind kind;
    bool is_resent;
} known_fields[] = {
    {"To", FIELD_TO, false},
    {"Cc", FIELD_TO, false},
    {"Bcc", FIELD_DROPPED_TO, false},
    {"Resent-To", FIELD_TO, true},
    {"Resent-Cc", FIELD_TO, true},
    {"Resent-Bcc", FIELD_DROPPED_TO, true},
    {"Return-Path", FIELD_DROPPED, false},
    {"From", FIELD_FROM, false},
    {"Date", FIELD_DATE, false},
    {"Message-ID", FIELD_ID, false},
};

struct field {
    struct slice whole, value;
    enum field_kind kind;
    bool is_resent;
};

static struct field read_field(struct slice whole)
{
    size_t colon = slice_find(whole, ':');
    struct slice name = slice_trim(slice_part(whole, 0, colon));
    struct field field = {.whole = whole, .value = slice_from(whole, colon + 1)};
    for (size_t i = 0; i < sizeof known_fields / sizeof *known_fields; i++)
        if (slice_equal_nocase(name, slice_text(known_fields[i].name))) {
            field.kind = known_fields[i].kind;
            field.is_resent = known_fields[i].is_resent;
        }
    return field;
}

bool submission_qualify(struct slice address, const char *me, struct str *full)
{
    str_append(full, address);
    if (!slice_has(address, '@'))
        str_format(full, "@%s", me);
    return !full->failed;
}

static bool add_recipients(struct submission *submission, struct slice value,
                           struct envelope *envelope)
{
    struct str address, full;
    enum addresslist_result result;
    bool fits = true;
    str_init(&address, ADDRESSLIST_ADDRESS_MAX);
    str_init(&full, ENVELOPE_ADDRESS_MAX);
    while (fits && (result = addresslist_next(&value, &address)) != ADDRESSLIST_END) {
        str_clear(&full);
        if (result == ADDRESSLIST_ONE &&
            submission_qualify(str_slice(&address), submission->me, &full))
            fits = envelope_add_recipient(envelope, str_slice(&full));
        else
            submission->bad_count++;
    }
    str_free(&address);
    str_free(&full);
    return fits;
}

/* Walks the fields. Returns the size of the header without the empty line. */
struct walk {
    bool has_resent, has[FIELD_ID + 1];
    size_t size;
};

static struct walk walk_fields(struct slice text)
{
    struct walk walk = {.size = envelope_line_size(text)};
    size_t size;
    while ((size = field_size(slice_from(text, walk.size))) > 0) {
        struct field field = read_field(slice_part(text, walk.size, size));
        walk.has[field.kind] = true;
        walk.has_resent = walk.has_resent || field.is_resent;
        walk.size += size;
    }
    return walk;
}

static bool copy_field(struct submission *submission, const struct field *field, bool has_resent,
                       struct envelope *envelope)
{
    bool is_recipients = field->kind == FIELD_TO || field->kind == FIELD_DROPPED_TO;
    if (is_recipients && submission->reads_recipients && field->is_resent == has_resent &&
        !add_recipients(submission, field->value, envelope))
        return false;
    if (field->kind == FIELD_DROPPED_TO || field->kind == FIELD_DROPPED)
        return true;
    str_append(&submission->header, field->whole);
    if (!slice_ends(field->whole, SLICE("\n")))
        str_append_text(&submission->header, "\r\n");
    return !submission->header.failed;
}

/* As a quoted string. */
static void put_quoted(struct str *text, struct slice name)
{
    str_append_byte(text, '"');
    for (size_t i = 0; i < name.size; i++) {
        char byte = name.data[i];
        if (byte == '"' || byte == '\\')
            str_append_byte(text, '\\');
        str_append_byte(text, (unsigned char)byte < ' ' || byte == 0x7f ? ' ' : byte);
    }
    str_append_byte(text, '"');
}

/* A display name. */
static void put_name(struct str *text, struct slice name)
{
    if (slice_has_high(name))
        encodedword_append(text, name, sizeof "From: " - 1);
    else
        put_quoted(text, name);
    str_append_byte(text, ' ');
}

/* A report's sender is nobody, but From has to be an address (RFC 5322 3.6.2). */
static void put_from(struct submission *submission)
{
    struct str *header = &submission->header;
    str_append_text(header, "From: ");
    if (submission->name.size > 0)
        put_name(header, submission->name);
    str_append_byte(header, '<');
    if (submission->sender.size > 0)
        str_append(header, submission->sender);
    else
        str_append_texts(header, "MAILER-DAEMON@", submission->me);
    str_append_text(header, ">\r\n");
}

static void add_missing(struct submission *submission, const struct walk *walk)
{
    struct str *header = &submission->header;
    if (!walk->has[FIELD_FROM])
        put_from(submission);
    if (!walk->has[FIELD_DATE]) {
        str_append_text(header, "Date: ");
        maildate_format(header, submission->now);
        str_append_text(header, "\r\n");
    }
    if (!walk->has[FIELD_ID])
        str_format(header, "Message-ID: <%s@%s>\r\n", submission->unique, submission->me);
}

bool submission_read(struct submission *submission, struct slice text, struct envelope *envelope)
{
    struct walk walk = walk_fields(text);
    size_t at = envelope_line_size(text);
    if (walk.size > SUBMISSION_HEADER_MAX)
        return false;
    while (at < walk.size) {
        size_t size = field_size(slice_from(text, at));
        struct field field = read_field(slice_part(text, at, size));
        if (!copy_field(submission, &field, walk.has_resent, envelope))
            return false;
        at += size;
    }
    add_missing(submission, &walk);
    str_append_text(&submission->header, "\r\n");
    /* A first line that is no field begins the body. */
    struct slice rest = slice_from(text, walk.size);
    submission->header_size = walk.size + (slice_starts(rest, SLICE("\r\n")) ? 2 : 0);
    return !submission->header.failed;
}
