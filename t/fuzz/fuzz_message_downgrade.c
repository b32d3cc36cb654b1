/* Any bytes as a message: what comes out fits, and each part decodes to what it was. */
#include "downgrade.h"
#include "mime.h"
#include "str.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUTPUT_MAX = 1 << 24 };

static void check(int holds)
{
    if (!holds)
        abort();
}

static bool take(void *owner, struct slice bytes)
{
    return str_append(owner, bytes);
}

static const struct mime_part *next_part(const struct mime_part *part)
{
    if (part->first_child)
        return part->first_child;
    while (part && !part->next)
        part = part->parent;
    return part ? part->next : NULL;
}

static struct slice header_of(struct slice message, const struct mime_part *part)
{
    return slice_part(message, part->header, part->header_size);
}

/* Where its parts are is anybody's guess: it shares its boundary with one around it, or has none. */
static bool is_without_parts(struct slice message, const struct mime_part *part)
{
    struct slice type = SLICE("");
    return !part->first_child && mime_find_field(header_of(message, part), "Content-Type", &type) &&
           slice_starts_nocase(slice_trim(type), SLICE("multipart"));
}

/* All bodies, one behind the other. False: headers are so broken that they had to be changed, or it
 * can't be said what the parts are. */
static bool decode_all(struct slice message, const struct mime_part *root, struct str *all)
{
    for (const struct mime_part *part = root; part; part = next_part(part)) {
        struct slice encoding = SLICE("");
        if (downgrade_traits(header_of(message, part)) & DOWNGRADE_BINARY ||
            is_without_parts(message, part))
            return false;
        if (part->first_child)
            continue;
        mime_find_field(header_of(message, part), "Content-Transfer-Encoding", &encoding);
        mime_decode_body(slice_part(message, part->body, part->body_size), encoding, all);
        str_append_text(all, "|");
    }
    return true;
}

static void check_fits(struct slice output, const struct mime_part *root,
                       enum downgrade_target target)
{
    for (const struct mime_part *part = root; part; part = next_part(part))
        if (!part->first_child)
            check(!downgrade_is_needed(
                downgrade_traits(slice_part(output, part->body, part->body_size)), target));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str output, before, after;
    if (size < 1)
        return 0;
    enum downgrade_target target = data[0] & 1 ? DOWNGRADE_TO_7BIT : DOWNGRADE_TO_8BIT;
    struct slice message = slice_of(data + 1, size - 1);
    str_init(&output, OUTPUT_MAX);
    str_init(&before, OUTPUT_MAX);
    str_init(&after, OUTPUT_MAX);
    struct mime_part *root = mime_parse(message);
    check(root && downgrade_write(message, target, take, &output));
    struct mime_part *changed = mime_parse(str_slice(&output));
    check(changed != NULL);
    if (decode_all(message, root, &before)) {
        check_fits(str_slice(&output), changed, target);
        check(decode_all(str_slice(&output), changed, &after));
        check(slice_equal(str_slice(&before), str_slice(&after)));
        check(!(downgrade_traits(str_slice(&output)) & DOWNGRADE_BINARY) ||
              !slice_ends(str_slice(&output), SLICE("\n")));
    }
    mime_free(&root);
    mime_free(&changed);
    str_free(&output);
    str_free(&before);
    str_free(&after);
    return 0;
}
