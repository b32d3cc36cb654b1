/* Any bytes as a message: the tree must lie inside of it and inside of its bounds. */
#include "mime.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static size_t check_part(struct slice message, const struct mime_part *part, size_t depth)
{
    size_t count = 1;
    check(depth <= MIME_DEPTH_MAX);
    check(part->body == part->header + part->header_size && part->body <= message.size);
    check(part->body_size <= message.size - part->body && part->body_lines <= part->body_size);
    check(part->type.size > 0 && part->subtype.size > 0);
    check((part->is_multipart || part->is_message) == (part->first_child != NULL));
    check(!part->is_message || !part->first_child->next);
    for (const struct mime_part *child = part->first_child; child; child = child->next) {
        check(child->parent == part && child->header >= part->body);
        check(child->body + child->body_size <= part->body + part->body_size);
        check(!child->next || child->next->header >= child->body + child->body_size);
        count += check_part(message, child, depth + 1);
    }
    return count;
}

static void decode_part(struct slice message, const struct mime_part *part)
{
    struct slice encoding = SLICE("");
    struct str body;
    str_init(&body, 100000);
    mime_find_field(slice_part(message, part->header, part->header_size),
                    "Content-Transfer-Encoding", &encoding);
    mime_decode_body(slice_part(message, part->body, part->body_size), encoding, &body);
    str_free(&body);
    for (const struct mime_part *child = part->first_child; child; child = child->next)
        decode_part(message, child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice message = slice_of(data, size);
    struct mime_part *root = mime_parse(message);
    if (!root)
        return 0;
    check(check_part(message, root, 0) <= MIME_PARTS_MAX);
    decode_part(message, root);
    mime_free(&root);
    return 0;
}
