/* partial - see partial.h */
#include "partial.h"

static bool parse_position(struct parse *parse, bool *from_end, uint32_t *position)
{
    uint64_t number;
    *from_end = parse_byte(parse, '-');
    if (!parse_number(parse, UINT32_MAX, &number) || number == 0)
        return false;
    *position = (uint32_t)number;
    return true;
}

bool partial_parse(struct parse *parse, struct partial *partial)
{
    struct parse ahead = *parse;
    uint32_t first, last;
    bool last_from_end;
    if (!parse_position(&ahead, &partial->from_end, &first) || !parse_byte(&ahead, ':') ||
        !parse_position(&ahead, &last_from_end, &last) || last_from_end != partial->from_end)
        return false;
    partial->first = first < last ? first : last;
    partial->last = first < last ? last : first;
    partial->text = slice_part(parse->text, parse->at, ahead.at - parse->at);
    *parse = ahead;
    return true;
}

void partial_clip(const struct partial *partial, size_t count, size_t *start, size_t *size)
{
    size_t last = partial->last < count ? partial->last : count;
    *start = *size = 0;
    if (partial->first > count)
        return;
    *size = last - partial->first + 1;
    *start = partial->from_end ? count - last : partial->first - 1;
}
