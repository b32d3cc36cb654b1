/* route - see route.h */
#include "route.h"

#include "number.h"

enum { PORT_HIGHEST = 65535 };

/* Where the port's colon is; the size when there is none. A literal's colons are in its brackets.
 */
static size_t find_port(struct slice value)
{
    size_t bracket = slice_find_last(value, ']');
    size_t colon = slice_find_last(value, ':');
    return bracket < value.size && colon < bracket ? value.size : colon;
}

static bool is_host(struct slice host)
{
    for (size_t i = 0; i < host.size; i++)
        if (host.data[i] <= ' ' || host.data[i] == 0x7f)
            return false;
    return host.size > 0;
}

bool route_parse(struct slice value, struct route *route)
{
    unsigned number;
    size_t colon = find_port(value);
    struct slice host = slice_part(value, 0, colon);
    struct slice port = colon < value.size ? slice_from(value, colon + 1) : SLICE("25");
    *route = (struct route){0};
    if (value.size == 0)
        return slice_copy_text(SLICE("25"), route->port, sizeof route->port);
    return is_host(host) && number_parse_unsigned(port, PORT_HIGHEST, &number) && number > 0 &&
           slice_copy_text(host, route->host, sizeof route->host) &&
           slice_copy_text(port, route->port, sizeof route->port);
}

/* The next key to look for: the domain, ".parent" from the longest on, "". */
static bool next_key(struct slice *key)
{
    size_t dot;
    if (key->size == 0)
        return false;
    dot = slice_find(slice_from(*key, 1), '.');
    *key = slice_from(*key, dot + 1);
    return true;
}

enum route_result route_find(route_table *look_up, void *table, struct slice domain,
                             struct route *route)
{
    struct slice key = domain;
    do {
        struct slice value;
        enum cdbfile_result result = look_up(table, key, &value);
        if (result == CDBFILE_TROUBLE)
            return ROUTE_TROUBLE;
        if (result == CDBFILE_FOUND)
            return route_parse(value, route) ? ROUTE_FOUND : ROUTE_TROUBLE;
    } while (next_key(&key));
    return route_parse(SLICE(""), route) ? ROUTE_FOUND : ROUTE_TROUBLE;
}
