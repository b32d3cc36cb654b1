/* returned - see returned.h */
#include "returned.h"

enum { SECONDS_PER_DAY = 86400 };

/* Looked at before anything is asked, since next to nobody's address begins so. */
static bool may_be_rewritten(struct slice address)
{
    return slice_starts_nocase(address, SLICE("SRS0")) ||
           slice_starts_nocase(address, SLICE("SRS1"));
}

static enum srs_result reverse(struct directory *directory, struct slice local, struct slice domain,
                               int64_t now_seconds, struct str *original)
{
    struct str secret;
    enum srs_result result = SRS_TROUBLE;
    str_init(&secret, DIRECTORY_VALUE_MAX);
    if (directory_host(directory, "srs-secret", &secret))
        result = secret.size < SRS_SECRET_MIN
                     ? SRS_NONE
                     : srs_reverse(str_slice(&secret), now_seconds / SECONDS_PER_DAY, local, domain,
                                   original);
    str_free(&secret);
    return result;
}

/* The address before `address` was rewritten, once. */
static enum srs_result find_once(struct directory *directory, struct slice address,
                                 int64_t now_seconds, struct str *original)
{
    struct directory_domain domain;
    size_t at = slice_find_last(address, '@');
    if (!may_be_rewritten(address))
        return SRS_NONE;
    switch (directory_domain(directory, slice_from(address, at + 1), &domain)) {
    case DIRECTORY_FOUND:
        break;
    case DIRECTORY_TROUBLE:
        return SRS_TROUBLE;
    case DIRECTORY_UNKNOWN_DOMAIN:
    case DIRECTORY_UNKNOWN_USER:
        return SRS_NONE;
    }
    return reverse(directory, slice_part(address, 0, at), slice_from(address, at + 1), now_seconds,
                   original);
}

enum srs_result returned_find(struct directory *directory, struct slice address,
                              int64_t now_seconds, struct str *original)
{
    enum srs_result result = find_once(directory, address, now_seconds, original);
    if (result != SRS_OK)
        return result;
    /* Two domains of ours forwarded it: SRS1 of the second leads to SRS0 of the first, no further. */
    struct str first;
    str_init(&first, original->max);
    enum srs_result again = find_once(directory, str_slice(original), now_seconds, &first);
    if (again == SRS_OK) {
        str_clear(original);
        if (!str_append(original, str_slice(&first)))
            again = SRS_TROUBLE;
    }
    str_free(&first);
    return again == SRS_NONE ? SRS_OK : again;
}
