/* section - see section.h */
#include "section.h"

#include "quote.h"
#include "source.h"

/* The kind that `text` names, without part numbers. */
static bool kind_of(struct slice text, bool has_path, enum section_kind *kind)
{
    static const struct {
        const char *name;
        enum section_kind kind;
    } kinds[] = {
        {"HEADER", SECTION_HEADER},
        {"HEADER.FIELDS", SECTION_FIELDS},
        {"HEADER.FIELDS.NOT", SECTION_FIELDS_NOT},
        {"TEXT", SECTION_TEXT},
        {"MIME", SECTION_MIME},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!slice_equal_nocase(text, slice_text(kinds[i].name)))
            continue;
        *kind = kinds[i].kind;
        return has_path || *kind != SECTION_MIME;
    }
    return false;
}

/* "1.2.HEADER": part numbers, then perhaps a word. */
static bool parse_spec(struct slice text, struct arena *arena, struct section *section)
{
    section->path = arena_take_many(arena, SECTION_DEPTH_MAX, sizeof *section->path);
    if (!section->path)
        return false;
    while (text.size > 0 && slice_is_digit(text.data[0])) {
        struct parse number;
        uint64_t value;
        parse_begin(&number, text, arena);
        if (text.data[0] == '0' || section->depth == SECTION_DEPTH_MAX ||
            !parse_number(&number, UINT32_MAX, &value))
            return false;
        section->path[section->depth++] = (uint32_t)value;
        if (parse_at_end(&number))
            return true;
        /* a '.' leads on to something */
        if (!parse_byte(&number, '.') || parse_at_end(&number))
            return false;
        text = slice_from(text, number.at);
    }
    return text.size == 0 || kind_of(text, section->depth > 0, &section->kind);
}

static bool parse_fields(struct parse *parse, struct section *section)
{
    size_t most = (parse->text.size - parse->at) / 2 + 1;
    section->fields = arena_take_many(parse->arena, most, sizeof *section->fields);
    if (!section->fields || !parse_space(parse) || !parse_byte(parse, '('))
        return false;
    while (!parse_byte(parse, ')')) {
        if (section->field_count == most ||
            !parse_astring(parse, &section->fields[section->field_count]))
            return false;
        section->field_count++;
        parse_space(parse);
    }
    return section->field_count > 0;
}

bool section_parse(struct parse *parse, struct section *section)
{
    struct slice text;
    *section = (struct section){.kind = SECTION_ALL};
    if (parse_byte(parse, ']'))
        return true;
    if (!parse_name(parse, &text) || !parse_spec(text, parse->arena, section))
        return false;
    bool has_fields = section->kind == SECTION_FIELDS || section->kind == SECTION_FIELDS_NOT;
    if (has_fields && !parse_fields(parse, section))
        return false;
    return parse_byte(parse, ']');
}

static void append_fields(struct str *out, const struct section *section)
{
    str_append_text(out, " (");
    for (size_t i = 0; i < section->field_count; i++) {
        if (i > 0)
            str_append_byte(out, ' ');
        quote_astring(out, section->fields[i]);
    }
    str_append_byte(out, ')');
}

void section_append(struct str *out, const struct section *section)
{
    static const char *const names[] = {
        [SECTION_ALL] = "",
        [SECTION_HEADER] = "HEADER",
        [SECTION_FIELDS] = "HEADER.FIELDS",
        [SECTION_FIELDS_NOT] = "HEADER.FIELDS.NOT",
        [SECTION_TEXT] = "TEXT",
        [SECTION_MIME] = "MIME",
    };
    for (size_t i = 0; i < section->depth; i++) {
        if (i > 0)
            str_append_byte(out, '.');
        str_append_number(out, section->path[i]);
    }
    if (section->depth > 0 && section->kind != SECTION_ALL)
        str_append_byte(out, '.');
    str_append_text(out, names[section->kind]);
    if (section->field_count > 0)
        append_fields(out, section);
}

bool section_needs_parts(const struct section *section)
{
    return section->depth > 0;
}

/* Numbers count the parts of a multipart; in what is none, 1 is the body itself. A message within
 * goes on counting in its own body; a 1 too many stands for the part itself, as in Dovecot. */
const struct mime_part *section_part(const struct section *section, const struct mime_part *root)
{
    const struct mime_part *part = NULL, *within = root;
    for (size_t i = 0; i < section->depth; i++) {
        uint32_t number = section->path[i];
        if (part && part->is_message)
            within = part->first_child;
        else if (part)
            within = part->is_multipart ? part : NULL;
        if (!within || !within->is_multipart) {
            if (number != 1)
                return NULL;
            part = within ? within : part;
            continue;
        }
        part = within->first_child;
        while (part && --number > 0)
            part = part->next;
        if (!part)
            return NULL;
    }
    return part;
}

static struct slice header_of(struct slice whole, const struct mime_part *part)
{
    return slice_part(whole, part->header, part->header_size);
}

static struct slice body_of(struct slice whole, const struct mime_part *part)
{
    return slice_part(whole, part->body, part->body_size);
}

static bool find_in_part(const struct section *section, struct slice whole,
                         const struct mime_part *root, struct slice *bytes)
{
    const struct mime_part *part = section_part(section, root);
    if (!part)
        return false;
    if (section->kind == SECTION_ALL)
        *bytes = body_of(whole, part);
    else if (section->kind == SECTION_MIME)
        *bytes = header_of(whole, part);
    else if (!part->is_message || !part->first_child)
        return false; /* HEADER and TEXT are of messages within */
    else if (section->kind == SECTION_TEXT)
        *bytes = body_of(whole, part->first_child);
    else
        *bytes = header_of(whole, part->first_child);
    return true;
}

bool section_find(const struct section *section, struct slice whole, const struct mime_part *root,
                  struct slice *bytes)
{
    if (section->depth > 0)
        return find_in_part(section, whole, root, bytes);
    struct slice header = source_header_of(whole);
    if (section->kind == SECTION_ALL)
        *bytes = whole;
    else if (section->kind == SECTION_TEXT)
        *bytes = slice_from(whole, header.size);
    else
        *bytes = header;
    return true;
}

static bool is_listed(const struct section *section, struct slice name)
{
    for (size_t i = 0; i < section->field_count; i++)
        if (slice_equal_nocase(section->fields[i], name))
            return true;
    return false;
}

bool section_filter(const struct section *section, struct slice header, struct str *out)
{
    struct mime_field field;
    bool wanted = section->kind == SECTION_FIELDS;
    while (mime_next_field(&header, &field))
        if (is_listed(section, field.name) == wanted)
            str_append(out, field.whole);
    return str_append_text(out, "\r\n");
}
