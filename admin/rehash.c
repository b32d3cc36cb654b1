/* rehash - see rehash.h */
#include "rehash.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const struct rehash *left = a, *right = b;
    return strcmp(left->local, right->local);
}

void rehash_sort(struct rehash *of, size_t count)
{
    if (count > 1)
        qsort(of, count, sizeof *of, compare);
}

/* The hash in a line of the users file: LOCAL:HASH, and :SETTINGS. */
static bool find_hash(struct slice line, struct rehash *key, struct slice *hash)
{
    char error[USERLINE_ERROR_MAX];
    struct slice rest = slice_trim(line);
    if (rest.size == 0 || rest.data[0] == '#' ||
        !userline_check_local(slice_cut(&rest, ':'), key->local, error))
        return false;
    *hash = slice_cut(&rest, ':');
    if (userline_is_void(*hash))
        *hash = slice_from(*hash, strlen(USERLINE_VOID));
    return hash->size > 0;
}

static const struct rehash *find(const struct rehash *of, size_t count, struct slice line,
                                 struct slice *hash)
{
    struct rehash key;
    if (count == 0 || !find_hash(line, &key, hash))
        return NULL;
    const struct rehash *found = bsearch(&key, of, count, sizeof *of, compare);
    return found && slice_equal(found->was, *hash) ? found : NULL;
}

bool rehash_users(const struct rehash *of, size_t count, struct slice users, struct str *fresh,
                  size_t *done)
{
    *done = 0;
    while (users.size > 0) {
        struct slice hash, line = slice_part(users, 0, slice_find(users, '\n') + 1);
        const struct rehash *found = find(of, count, line, &hash);
        users = slice_from(users, line.size);
        if (!found) {
            str_append(fresh, line);
            continue;
        }
        size_t before = (size_t)(hash.data - line.data);
        str_append(fresh, slice_part(line, 0, before));
        str_append(fresh, found->now);
        str_append(fresh, slice_from(line, before + hash.size));
        ++*done;
    }
    return !fresh->failed;
}
