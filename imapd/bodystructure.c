/* bodystructure - see bodystructure.h */
#include "bodystructure.h"

#include "headerlex.h"
#include "imapenvelope.h"
#include "quote.h"

/* ---- parameters -------------------------------------------------------------------------------
 * Continuations of RFC 2231 are joined to one "name*", as Dovecot gives them: that is the form that
 * most clients read. */

static bool is_plain_in_percent(char byte)
{
    return slice_is_digit(byte) || slice_is_letter(byte) || slice_has(SLICE("!#$&+-.^_`|~"), byte);
}

/* charset'language'text, the language left out. */
static void append_extended(struct str *out, const struct mime_parameter *parameter)
{
    struct slice value = str_slice(&parameter->value);
    struct str text;
    str_init(&text, MIME_FIELD_MAX * 4);
    str_append(&text, str_slice(&parameter->charset));
    str_append_text(&text, "''");
    for (size_t i = 0; i < value.size; i++) {
        if (is_plain_in_percent(value.data[i]))
            str_append_byte(&text, value.data[i]);
        else
            str_format(&text, "%%%02X", (unsigned)(unsigned char)value.data[i]);
    }
    quote_string(out, str_slice(&text));
    str_free(&text);
}

static void append_parameter(struct str *out, const struct mime_parameter *parameter)
{
    bool is_extended = parameter->charset.size > 0;
    struct str name;
    str_init(&name, MIME_FIELD_MAX + 1);
    str_append(&name, str_slice(&parameter->name));
    str_append_text(&name, is_extended ? "*" : "");
    quote_string(out, str_slice(&name));
    str_append_byte(out, ' ');
    if (is_extended)
        append_extended(out, parameter);
    else
        quote_string(out, str_slice(&parameter->value));
    str_free(&name);
}

/* The parameters of a field; a text without a charset is US-ASCII (RFC 2045 5.2, RFC 3501 7.4.2).
 */
static void append_parameters(struct str *out, struct slice field, bool is_text)
{
    struct mime_parameters parameters;
    size_t start = out->size;
    if (!mime_parse_parameters(field, &parameters)) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < parameters.count; i++) {
        str_append_byte(out, i == 0 ? '(' : ' ');
        append_parameter(out, &parameters.list[i]);
    }
    if (is_text && !mime_parameter(&parameters, "charset"))
        str_append_text(out, parameters.count > 0 ? " \"charset\" \"us-ascii\""
                                                  : "(\"charset\" \"us-ascii\"");
    str_append_text(out, out->size > start ? ")" : "NIL");
    mime_free_parameters(&parameters);
}

/* ---- fields of a part ------------------------------------------------------------------------ */

/* What the header of a part says; no data where it says nothing. */
struct part_fields {
    struct slice type, id, description, encoding, md5, disposition, language, location;
};

static void find_fields(struct slice header, struct part_fields *fields)
{
    const struct {
        struct slice name; /* what follows "Content-" */
        struct slice *value;
    } wanted[] = {
        {SLICE("Type"), &fields->type},
        {SLICE("ID"), &fields->id},
        {SLICE("Description"), &fields->description},
        {SLICE("Transfer-Encoding"), &fields->encoding},
        {SLICE("MD5"), &fields->md5},
        {SLICE("Disposition"), &fields->disposition},
        {SLICE("Language"), &fields->language},
        {SLICE("Location"), &fields->location},
    };
    static const char front[] = "Content-";
    struct mime_field field;
    while (mime_next_field(&header, &field)) {
        if (!slice_starts_nocase(field.name, slice_of(front, sizeof front - 1)))
            continue;
        struct slice name = slice_from(field.name, sizeof front - 1);
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (!wanted[i].value->data && slice_equal_nocase(name, wanted[i].name))
                *wanted[i].value = field.value;
    }
}

static void append_nil_or_text(struct str *out, struct slice value)
{
    if (value.size > 0)
        quote_field(out, value);
    else
        str_append_text(out, "NIL");
}

/* The first word of a field, or `otherwise`. */
static void append_word(struct str *out, struct slice field, struct slice otherwise)
{
    struct headerlex lex;
    headerlex_begin(&lex, field, ";=");
    bool found = headerlex_next(&lex) == HEADERLEX_WORD && lex.text.size > 0;
    quote_string(out, found ? str_slice(&lex.text) : otherwise);
    headerlex_end(&lex);
}

static void append_disposition(struct str *out, struct slice field)
{
    struct slice rest = field;
    if (slice_trim(slice_cut(&rest, ';')).size == 0) {
        str_append_text(out, "NIL");
        return;
    }
    str_append_byte(out, '(');
    append_word(out, field, SLICE("attachment"));
    str_append_byte(out, ' ');
    append_parameters(out, field, false);
    str_append_byte(out, ')');
}

/* RFC 3282: tags with commas between; one is a string, more are a list. */
static void append_language(struct str *out, struct slice field)
{
    struct headerlex lex;
    struct str list;
    size_t count = 0;
    enum headerlex_token token;
    str_init(&list, MIME_FIELD_MAX);
    headerlex_begin(&lex, field, ",");
    while ((token = headerlex_next(&lex)) != HEADERLEX_END) {
        if (token != HEADERLEX_WORD)
            continue;
        if (count++ > 0)
            str_append_byte(&list, ' ');
        quote_string(&list, str_slice(&lex.text));
    }
    headerlex_end(&lex);
    str_append_text(out, count > 1 ? "(" : "");
    str_append(out, count > 0 ? str_slice(&list) : SLICE("NIL"));
    str_append_text(out, count > 1 ? ")" : "");
    str_free(&list);
}

static void append_end(struct str *out, const struct part_fields *fields)
{
    str_append_byte(out, ' ');
    append_disposition(out, fields->disposition);
    str_append_byte(out, ' ');
    append_language(out, fields->language);
    str_append_byte(out, ' ');
    append_nil_or_text(out, fields->location);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void append_part(struct str *out, struct slice message, const struct mime_part *part,
                        unsigned form);

static bool is_text(const struct mime_part *part)
{
    return slice_equal_nocase(part->type, SLICE("text"));
}

/* Where the grammar wants a body. */
static void append_empty(struct str *out, unsigned form)
{
    str_append_text(out, "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0");
    str_append_text(out, form & BODYSTRUCTURE_EXTENDED ? " NIL NIL NIL NIL)" : ")");
}

static void append_multipart(struct str *out, struct slice message, const struct mime_part *part,
                             const struct part_fields *fields, unsigned form)
{
    for (const struct mime_part *child = part->first_child; child; child = child->next)
        append_part(out, message, child, form);
    if (!part->first_child)
        append_empty(out, form);
    str_append_byte(out, ' ');
    quote_string(out, part->subtype);
    if (!(form & BODYSTRUCTURE_EXTENDED))
        return;
    str_append_byte(out, ' ');
    append_parameters(out, fields->type, false);
    append_end(out, fields);
}

/* type, subtype, parameters, id, description, encoding, size */
static void append_basic(struct str *out, const struct mime_part *part,
                         const struct part_fields *fields)
{
    quote_string(out, part->type);
    str_append_byte(out, ' ');
    quote_string(out, part->subtype);
    str_append_byte(out, ' ');
    append_parameters(out, fields->type, is_text(part));
    str_append_byte(out, ' ');
    append_nil_or_text(out, fields->id);
    str_append_byte(out, ' ');
    append_nil_or_text(out, fields->description);
    str_append_byte(out, ' ');
    append_word(out, fields->encoding, SLICE("7bit"));
    str_append_byte(out, ' ');
    str_append_number(out, part->body_size);
}

/* The message inside; NULL: it is encoded (message/global), and nobody looks into it. */
static void append_message(struct str *out, struct slice message, const struct mime_part *inner,
                           unsigned form)
{
    str_append_byte(out, ' ');
    imapenvelope_append(out,
                        inner ? slice_part(message, inner->header, inner->header_size) : SLICE(""));
    str_append_byte(out, ' ');
    if (inner)
        append_part(out, message, inner, form);
    else
        append_empty(out, form);
}

static bool shows_message(const struct mime_part *part, unsigned form)
{
    return mime_is_global(part) ? (form & BODYSTRUCTURE_REV2) != 0 : part->is_message;
}

static void append_single(struct str *out, struct slice message, const struct mime_part *part,
                          const struct part_fields *fields, unsigned form)
{
    append_basic(out, part, fields);
    bool is_message = shows_message(part, form);
    if (is_message)
        append_message(out, message, part->first_child, form);
    if (is_text(part) || is_message) {
        str_append_byte(out, ' ');
        str_append_number(out, part->body_lines);
    }
    if (!(form & BODYSTRUCTURE_EXTENDED))
        return;
    str_append_byte(out, ' ');
    append_nil_or_text(out, fields->md5);
    append_end(out, fields);
}

/* Recursion is bounded by MIME_DEPTH_MAX. */
static void append_part(struct str *out, struct slice message, const struct mime_part *part,
                        unsigned form)
{
    struct part_fields fields = {0};
    find_fields(slice_part(message, part->header, part->header_size), &fields);
    str_append_byte(out, '(');
    if (part->is_multipart)
        append_multipart(out, message, part, &fields, form);
    else
        append_single(out, message, part, &fields, form);
    str_append_byte(out, ')');
}

bool bodystructure_append(struct str *out, struct slice message, const struct mime_part *part,
                          unsigned form)
{
    append_part(out, message, part, form);
    return !out->failed;
}

bool bodystructure_has_forms(struct slice structure)
{
    static const char global[] = "\"message\" \"global\"";
    for (struct slice rest = structure; rest.size > 0;
         rest = slice_from(rest, slice_find(slice_from(rest, 1), '"') + 1))
        if (slice_starts_nocase(rest, slice_of(global, sizeof global - 1)))
            return true;
    return false;
}
