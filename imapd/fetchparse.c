/* fetchparse - the items of FETCH, see fetch.h */
#include "fetch.h"

#include "modseq.h"

#include <string.h>

enum { MACRO_MAX = 5 };

static const struct macro {
    const char *name;
    const char *items[MACRO_MAX];
} macros[] = {
    {"FAST", {"FLAGS", "INTERNALDATE", "RFC822.SIZE"}},
    {"ALL", {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"}},
    {"FULL", {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"}},
};

/* `parse` stands behind the name; NULL: only the name is there. */
static bool take_item(struct parse *parse, struct slice name, struct fetch_request *request)
{
    struct fetch_item *item = &request->items[request->count];
    const struct fetch_kind *kind = fetch_kind(name);
    if (!kind)
        return false;
    *item = (struct fetch_item){
        .kind = kind, .need = kind->need, .reads = kind->reads, .section = {.kind = kind->section}};
    if (kind->parse && !kind->parse(parse, item))
        return false;
    if (item->need > request->need)
        request->need = item->need;
    request->reads |= item->reads;
    request->count++;
    return true;
}

static bool parse_item(struct parse *parse, struct fetch_request *request)
{
    struct slice name;
    return parse_name(parse, &name) && take_item(parse, name, request);
}

static bool parse_macro(struct parse *parse, struct fetch_request *request)
{
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++) {
        if (!parse_word(parse, macros[i].name))
            continue;
        struct parse nothing;
        parse_begin(&nothing, SLICE(""), parse->arena);
        for (size_t k = 0; k < MACRO_MAX && macros[i].items[k]; k++)
            take_item(&nothing, slice_text(macros[i].items[k]), request);
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
    *request = (struct fetch_request){0};
    request->items = arena_take_many(parse->arena, most, sizeof *request->items);
    if (!request->items)
        return false;
    if (!parse_byte(parse, '('))
        return parse_macro(parse, request) || parse_item(parse, request);
    do {
        if (request->count == most || !parse_item(parse, request))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')');
}

static bool parse_modifier(struct parse *parse, struct fetch_modifiers *modifiers)
{
    if (!modifiers->is_page && parse_word(parse, "PARTIAL")) {
        modifiers->is_page = true;
        return parse_space(parse) && partial_parse(parse, &modifiers->page);
    }
    if (!modifiers->is_changed && parse_word(parse, "CHANGEDSINCE")) {
        modifiers->is_changed = true;
        return parse_space(parse) && modseq_parse(parse, &modifiers->changed_since);
    }
    bool again = modifiers->tells_vanished;
    modifiers->tells_vanished = parse_word(parse, "VANISHED");
    return modifiers->tells_vanished && !again;
}

bool fetch_parse_modifiers(struct parse *parse, struct fetch_modifiers *modifiers)
{
    *modifiers = (struct fetch_modifiers){0};
    if (parse_at_end(parse))
        return true;
    if (!parse_space(parse) || !parse_byte(parse, '('))
        return false;
    do {
        if (!parse_modifier(parse, modifiers))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')');
}

bool fetch_has(const struct fetch_request *request, const char *name)
{
    for (size_t i = 0; i < request->count; i++)
        if (strcmp(request->items[i].kind->name, name) == 0)
            return true;
    return false;
}

bool fetch_add(struct arena *arena, struct fetch_request *request, const char *name)
{
    struct fetch_request grown = {.reads = request->reads, .need = request->need};
    struct parse nothing;
    parse_begin(&nothing, SLICE(""), arena);
    grown.items = arena_take_many(arena, request->count + 1, sizeof *grown.items);
    if (!grown.items || !take_item(&nothing, slice_text(name), &grown))
        return false;
    for (size_t i = 0; i < request->count; i++)
        grown.items[grown.count++] = request->items[i];
    *request = grown;
    return true;
}
