/* listrequest - see listrequest.h */
#include "listrequest.h"

#include "imapstatus.h"

/* What stands behind the name of a return option. */
typedef bool parse_details(struct parse *parse, struct listrequest *request);

struct list_option {
    const char *name;
    enum listrequest_option option;
    parse_details *details; /* NULL: nothing */
};

static bool parse_status(struct parse *parse, struct listrequest *request)
{
    return parse_space(parse) && imapstatus_parse_items(parse, &request->status_items);
}

/* RFC 9590 3.1: "METADATA" [SP getmetadata-options] SP entries */
static bool parse_metadata(struct parse *parse, struct listrequest *request)
{
    return parse_space(parse) && metadatarequest_parse(parse, &request->metadata);
}

static const struct list_option selections[] = {
    {"RECURSIVEMATCH", LISTREQUEST_RECURSIVE, NULL},
    {"REMOTE", LISTREQUEST_REMOTE, NULL},
    {"SPECIAL-USE", LISTREQUEST_SPECIAL_USE, NULL},
    {"SUBSCRIBED", LISTREQUEST_SUBSCRIBED, NULL},
};
static const struct list_option returns[] = {
    {"CHILDREN", LISTREQUEST_CHILDREN, NULL},
    {"METADATA", LISTREQUEST_METADATA, parse_metadata},
    {"SPECIAL-USE", LISTREQUEST_SPECIAL_USE, NULL},
    {"STATUS", LISTREQUEST_STATUS, parse_status},
    {"SUBSCRIBED", LISTREQUEST_SUBSCRIBED, NULL},
};
enum {
    SELECTION_COUNT = sizeof selections / sizeof *selections,
    RETURN_COUNT = sizeof returns / sizeof *returns,
};

static bool parse_option(struct parse *parse, struct listrequest *request,
                         const struct list_option *options, size_t count, unsigned *taken)
{
    for (size_t i = 0; i < count; i++) {
        if (!parse_word(parse, options[i].name))
            continue;
        *taken |= options[i].option;
        return !options[i].details || options[i].details(parse, request);
    }
    return false;
}

/* "(" [option *(SP option)] ")" */
static bool parse_options(struct parse *parse, struct listrequest *request,
                          const struct list_option *options, size_t count, unsigned *taken)
{
    request->is_extended = true;
    if (!parse_byte(parse, '('))
        return false;
    if (parse_byte(parse, ')'))
        return true;
    do {
        if (!parse_option(parse, request, options, count, taken))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')');
}

static bool parse_patterns(struct parse *parse, struct listrequest *request)
{
    if (!parse_byte(parse, '(')) {
        request->pattern_count = 1;
        return parse_pattern(parse, &request->patterns[0]);
    }
    request->is_extended = true;
    do {
        if (request->pattern_count == LISTREQUEST_PATTERNS_MAX ||
            !parse_pattern(parse, &request->patterns[request->pattern_count++]))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')');
}

bool listrequest_parse(struct parse *parse, struct listrequest *request)
{
    *request = (struct listrequest){0};
    if (parse_peek(parse) == '(' &&
        (!parse_options(parse, request, selections, SELECTION_COUNT, &request->selects) ||
         !parse_space(parse)))
        return false;
    if (!parse_astring(parse, &request->reference) || !parse_space(parse) ||
        !parse_patterns(parse, request))
        return false;
    if (parse_space(parse) &&
        (!parse_word(parse, "RETURN") || !parse_space(parse) ||
         !parse_options(parse, request, returns, RETURN_COUNT, &request->returns)))
        return false;
    /* RFC 5258 3.1: RECURSIVEMATCH says nothing without what is to match. */
    if ((request->selects & LISTREQUEST_RECURSIVE) &&
        !(request->selects & (LISTREQUEST_SUBSCRIBED | LISTREQUEST_SPECIAL_USE)))
        return false;
    return parse_at_end(parse);
}
