/* bindroute - see bindroute.h */
#include "bindroute.h"

#include "idn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static bool parse_address(struct slice word, unsigned size, struct ip *ip)
{
    *ip = (struct ip){.size = 0};
    return slice_equal(word, SLICE("-")) || (ip_parse(word, ip) && ip->size == size);
}

bool bindroute_parse(struct slice value, struct bindroute *route)
{
    *route = (struct bindroute){.is_bound = true};
    struct slice v4 = slice_cut_word(&value), v6 = slice_cut_word(&value);
    struct slice helo = slice_cut_word(&value);
    if (slice_equal(helo, SLICE("-")))
        helo = SLICE("");
    return parse_address(v4, 4, &route->v4) && parse_address(v6, 16, &route->v6) &&
           (route->v4.size > 0 || route->v6.size > 0) &&
           slice_copy_text(helo, route->helo, sizeof route->helo);
}

static bool is_same(const struct ip *a, const struct ip *b)
{
    return a->size == b->size && (a->size == 0 || ip_equal(a, b));
}

bool bindroute_equal(const struct bindroute *a, const struct bindroute *b)
{
    return a->is_bound == b->is_bound && is_same(&a->v4, &b->v4) && is_same(&a->v6, &b->v6) &&
           strcmp(a->helo, b->helo) == 0;
}

/* In lower case and A-labels, as the table has it. False: in no table. */
static bool domain_key(struct slice sender, char key[IDN_NAME_MAX + 1])
{
    size_t at = slice_find_last(sender, '@');
    struct slice domain = slice_from(sender, at + 1);
    if (slice_has_high(domain))
        return idn_to_ascii(domain, key);
    if (!slice_copy_text(domain, key, IDN_NAME_MAX + 1))
        return false;
    for (size_t i = 0; key[i] != '\0'; i++)
        key[i] = slice_lower(key[i]);
    return true;
}

enum bindroute_result bindroute_find(struct cdbfile *table, struct slice sender,
                                     struct bindroute *route)
{
    char name[IDN_NAME_MAX + 1];
    struct slice value;
    *route = (struct bindroute){.is_bound = false};
    if (!cdbfile_refresh(table, AT_FDCWD, BINDROUTE_FILE))
        return errno == ENOENT ? BINDROUTE_OK : BINDROUTE_TROUBLE;
    struct slice key = domain_key(sender, name) ? slice_text(name) : SLICE("");
    for (;;) {
        enum cdbfile_result result = cdbfile_find(table, key, &value);
        if (result == CDBFILE_FOUND)
            return bindroute_parse(value, route) ? BINDROUTE_OK : BINDROUTE_TROUBLE;
        if (result == CDBFILE_TROUBLE)
            return BINDROUTE_TROUBLE;
        if (key.size == 0)
            return BINDROUTE_OK;
        /* The next longest ".parent", at last the line for all. */
        key = slice_from(key, slice_find(slice_from(key, 1), '.') + 1);
    }
}

bool bindroute_source(const struct bindroute *route, const struct ip *to, const struct ip **source)
{
    const struct ip *fitting = to->size == 4 ? &route->v4 : &route->v6;
    *source = fitting->size > 0 ? fitting : NULL;
    return !route->is_bound || *source;
}
