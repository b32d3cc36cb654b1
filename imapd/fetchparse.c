/* fetchparse - the items of FETCH, see fetch.h */
#include "fetch.h"

/* Items without arguments. RFC822 and its kin are sections under an older name. */
static const struct simple {
    const char *name;
    enum fetch_kind kind;
    enum section_kind section;
    bool peeks;
} simples[] = {
    {"BODYSTRUCTURE", FETCH_BODYSTRUCTURE, SECTION_ALL, true},
    {"ENVELOPE", FETCH_ENVELOPE, SECTION_ALL, true},
    {"FLAGS", FETCH_FLAGS, SECTION_ALL, true},
    {"INTERNALDATE", FETCH_INTERNALDATE, SECTION_ALL, true},
    {"RFC822", FETCH_BODY, SECTION_ALL, false},
    {"RFC822.HEADER", FETCH_BODY, SECTION_HEADER, true},
    {"RFC822.SIZE", FETCH_SIZE, SECTION_ALL, true},
    {"RFC822.TEXT", FETCH_BODY, SECTION_TEXT, false},
    {"UID", FETCH_UID, SECTION_ALL, true},
};
enum { SIMPLE_COUNT = sizeof simples / sizeof *simples, MACRO_MAX = 5 };

static const struct macro {
    const char *name;
    enum fetch_kind kinds[MACRO_MAX];
    size_t count;
} macros[] = {
    {"FAST", {FETCH_FLAGS, FETCH_INTERNALDATE, FETCH_SIZE}, 3},
    {"ALL", {FETCH_FLAGS, FETCH_INTERNALDATE, FETCH_SIZE, FETCH_ENVELOPE}, 4},
    {"FULL", {FETCH_FLAGS, FETCH_INTERNALDATE, FETCH_SIZE, FETCH_ENVELOPE, FETCH_BODY_PLAIN}, 5},
};

/* "<offset.length>"; RFC 3501 wants a length of at least one. */
static bool parse_partial(struct parse *parse, struct fetch_item *item)
{
    uint64_t offset, length;
    if (!parse_byte(parse, '<'))
        return true;
    if (!parse_number(parse, UINT32_MAX, &offset) || !parse_byte(parse, '.') ||
        !parse_number(parse, UINT32_MAX, &length) || length == 0 || !parse_byte(parse, '>'))
        return false;
    item->is_partial = true;
    item->offset = (uint32_t)offset;
    item->length = (uint32_t)length;
    return true;
}

static bool parse_body(struct parse *parse, bool peeks, struct fetch_item *item)
{
    *item = (struct fetch_item){.kind = FETCH_BODY, .peeks = peeks};
    if (parse_byte(parse, '['))
        return section_parse(parse, &item->section) && parse_partial(parse, item);
    item->kind = FETCH_BODY_PLAIN;
    item->peeks = true;
    return !peeks;
}

static bool parse_item(struct parse *parse, struct fetch_item *item)
{
    struct slice name;
    if (!parse_name(parse, &name))
        return false;
    bool peeks = slice_equal_nocase(name, SLICE("BODY.PEEK"));
    if (peeks || slice_equal_nocase(name, SLICE("BODY")))
        return parse_body(parse, peeks, item);
    for (size_t i = 0; i < SIMPLE_COUNT; i++) {
        if (!slice_equal_nocase(name, slice_text(simples[i].name)))
            continue;
        *item = (struct fetch_item){.kind = simples[i].kind,
                                    .label = simples[i].name,
                                    .section = {.kind = simples[i].section},
                                    .peeks = simples[i].peeks};
        return true;
    }
    return false;
}

static bool parse_macro(struct parse *parse, struct fetch_request *request)
{
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++) {
        if (!parse_word(parse, macros[i].name))
            continue;
        for (size_t k = 0; k < macros[i].count; k++)
            request->items[k] = (struct fetch_item){.kind = macros[i].kinds[k], .peeks = true};
        request->count = macros[i].count;
        return true;
    }
    return false;
}

static size_t count_words(struct slice text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == ' ';
    return count;
}

bool fetch_parse(struct parse *parse, struct fetch_request *request)
{
    size_t most = count_words(slice_from(parse->text, parse->at)) + MACRO_MAX;
    request->items = arena_take_many(parse->arena, most, sizeof *request->items);
    request->count = 0;
    if (!request->items)
        return false;
    if (!parse_byte(parse, '('))
        return (parse_macro(parse, request) ||
                parse_item(parse, &request->items[request->count++])) &&
               parse_at_end(parse);
    do {
        if (request->count == most || !parse_item(parse, &request->items[request->count++]))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')') && parse_at_end(parse);
}

bool fetch_has(const struct fetch_request *request, enum fetch_kind kind)
{
    for (size_t i = 0; i < request->count; i++)
        if (request->items[i].kind == kind)
            return true;
    return false;
}

bool fetch_add(struct arena *arena, struct fetch_request *request, enum fetch_kind kind)
{
    struct fetch_item *items = arena_take_many(arena, request->count + 1, sizeof *items);
    if (!items)
        return false;
    items[0] = (struct fetch_item){.kind = kind, .peeks = true};
    for (size_t i = 0; i < request->count; i++)
        items[i + 1] = request->items[i];
    request->items = items;
    request->count++;
    return true;
}
