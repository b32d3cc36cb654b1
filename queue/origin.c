/* origin - see origin.h */
#include "origin.h"

struct slice origin_word(struct slice origin, struct slice key)
{
    while (origin.size > 0) {
        struct slice word = slice_cut_word(&origin);
        if (slice_starts(word, key))
            return slice_from(word, key.size);
    }
    return SLICE("");
}
