/* metadatarequest - see metadatarequest.h */
#include "metadatarequest.h"

static bool is_name(struct slice name)
{
    static const char *const roots[] = {"/private/", "/shared/"};
    bool rooted = slice_starts(name, slice_text(roots[0])) ||
                  slice_starts(name, slice_text(roots[1])) ||
                  slice_equal(name, SLICE("/private")) || slice_equal(name, SLICE("/shared"));
    if (!rooted || name.size > METADATAREQUEST_NAME_MAX || name.data[name.size - 1] == '/')
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char byte = name.data[i];
        if (byte < ' ' || byte == 0x7f || byte == '*' || byte == '%' ||
            (byte == '/' && i + 1 < name.size && name.data[i + 1] == '/'))
            return false;
    }
    return true;
}

bool metadatarequest_parse_name(struct parse *parse, struct slice *name)
{
    struct slice given;
    if (!parse_astring(parse, &given))
        return false;
    char *text = arena_take(parse->arena, given.size + 1);
    if (!text)
        return false;
    for (size_t i = 0; i < given.size; i++)
        text[i] = slice_lower(given.data[i]);
    *name = slice_of(text, given.size);
    return is_name(*name);
}

static bool add_name(struct parse *parse, struct metadatarequest *request)
{
    return request->count < METADATAREQUEST_ENTRIES_MAX &&
           metadatarequest_parse_name(parse, &request->names[request->count++]);
}

bool metadatarequest_parse_entries(struct parse *parse, struct metadatarequest *request)
{
    request->names =
        arena_take_many(parse->arena, METADATAREQUEST_ENTRIES_MAX, sizeof *request->names);
    if (!request->names)
        return false;
    if (!parse_byte(parse, '('))
        return add_name(parse, request);
    do {
        if (!add_name(parse, request))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')');
}

static bool parse_depth(struct parse *parse, unsigned *depth)
{
    uint64_t number;
    if (parse_word(parse, "infinity")) {
        *depth = METADATAREQUEST_ENDLESS;
        return true;
    }
    if (!parse_number(parse, 1, &number))
        return false;
    *depth = (unsigned)number;
    return true;
}

static bool parse_option(struct parse *parse, struct metadatarequest *request)
{
    if (parse_word(parse, "DEPTH"))
        return parse_space(parse) && parse_depth(parse, &request->depth);
    request->has_max_size = true;
    return parse_word(parse, "MAXSIZE") && parse_space(parse) &&
           parse_number(parse, UINT32_MAX, &request->max_size);
}

bool metadatarequest_parse_options(struct parse *parse, struct metadatarequest *request)
{
    struct parse ahead = *parse;
    if (!parse_byte(&ahead, '('))
        return false;
    do {
        if (!parse_option(&ahead, request))
            return false;
    } while (parse_space(&ahead));
    if (!parse_byte(&ahead, ')'))
        return false;
    *parse = ahead;
    return true;
}

/* A '(' may begin the options or the entries. An entry begins with '/', an option does not. */
static bool options_come(const struct parse *parse)
{
    struct parse ahead = *parse;
    return parse_byte(&ahead, '(') && slice_is_letter(parse_peek(&ahead));
}

bool metadatarequest_parse(struct parse *parse, struct metadatarequest *request)
{
    *request = (struct metadatarequest){0};
    if (options_come(parse) &&
        (!metadatarequest_parse_options(parse, request) || !parse_space(parse)))
        return false;
    return metadatarequest_parse_entries(parse, request);
}

static bool is_wanted(struct slice name, struct slice asked, unsigned depth)
{
    if (slice_equal(name, asked))
        return true;
    if (depth == 0 || !slice_starts(name, asked) || name.data[asked.size] != '/')
        return false;
    return depth == METADATAREQUEST_ENDLESS || !slice_has(slice_from(name, asked.size + 1), '/');
}

bool metadatarequest_has(const struct metadatarequest *request, struct slice name)
{
    for (size_t i = 0; i < request->count; i++)
        if (is_wanted(name, request->names[i], request->depth))
            return true;
    return false;
}
