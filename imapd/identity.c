/* identity - see identity.h */
#include "identity.h"

static void keep(struct slice value, char kept[IDENTITY_KEPT_MAX + 1])
{
    struct str text = str_on(kept, IDENTITY_KEPT_MAX);
    str_append_printable(&text, slice_part(value, 0, IDENTITY_KEPT_MAX));
    kept[text.size] = '\0';
}

static void take_pair(struct slice name, struct slice value, struct identity *identity)
{
    if (slice_equal_nocase(name, SLICE("name")))
        keep(value, identity->name);
    else if (slice_equal_nocase(name, SLICE("version")))
        keep(value, identity->version);
}

static bool parse_pair(struct parse *parse, struct identity *identity)
{
    struct slice name, value;
    bool is_nil;
    if (!parse_string(parse, &name) || name.size > IDENTITY_NAME_MAX || !parse_space(parse) ||
        !parse_nstring(parse, &value, &is_nil) || value.size > IDENTITY_VALUE_MAX)
        return false;
    take_pair(name, value, identity);
    return true;
}

bool identity_parse(struct parse *parse, struct identity *identity)
{
    *identity = (struct identity){0};
    if (parse_word(parse, "NIL"))
        return parse_at_end(parse);
    if (!parse_byte(parse, '('))
        return false;
    for (size_t pairs = 0; !parse_byte(parse, ')'); pairs++) {
        if (pairs == IDENTITY_PAIRS_MAX || (pairs > 0 && !parse_space(parse)) ||
            !parse_pair(parse, identity))
            return false;
    }
    return parse_at_end(parse);
}

void identity_describe(struct log_line *line, const struct identity *identity)
{
    if (identity->name[0])
        log_text(line, "agent", identity->name);
    if (identity->version[0])
        log_text(line, "version", identity->version);
}
