/* literal - see literal.h */
#include "literal.h"

#include "number.h"

bool literal_at_end(struct slice line, struct literal *literal)
{
    line = slice_without_line_end(line);
    if (!slice_ends(line, SLICE("}")))
        return false;
    line.size--;
    bool waits = !slice_ends(line, SLICE("+"));
    if (!waits)
        line.size--;
    size_t digits = line.size;
    while (digits > 0 && slice_is_digit(line.data[digits - 1]))
        digits--;
    if (digits == line.size || digits == 0 || line.data[digits - 1] != '{')
        return false;
    bool is_binary = digits > 1 && line.data[digits - 2] == '~';
    *literal = (struct literal){
        .waits = waits, .is_binary = is_binary, .start = digits - (is_binary ? 2 : 1)};
    literal->too_long = !number_parse(slice_from(line, digits), UINT64_MAX, &literal->size);
    return true;
}
