/*
 * plainsearch - what textmatch.h promises, done the slow and simple way: all is decoded, converted and
 * folded as a whole, then compared. Test and fuzz target hold the fast way against it.
 */
#ifndef T_IMAPD_PLAINSEARCH_H
#define T_IMAPD_PLAINSEARCH_H

#include "casefold.h"
#include "charset.h"
#include "mime.h"
#include "source.h"

#include <string.h>

enum { PLAINSEARCH_MAX = 1 << 28 };

static inline bool plainsearch_utf8(const struct str *utf8, struct slice needle)
{
    struct str folded;
    str_init(&folded, PLAINSEARCH_MAX);
    bool found = !utf8->failed && casefold_fold(str_slice(utf8), &folded) &&
                 (needle.size == 0 || (folded.size >= needle.size &&
                                       memmem(folded.data, folded.size, needle.data, needle.size)));
    str_free(&folded);
    return found;
}

static inline bool plainsearch_value(struct slice value, struct slice needle)
{
    struct str utf8;
    str_init(&utf8, PLAINSEARCH_MAX);
    bool found = mime_decode_header(value, &utf8) && plainsearch_utf8(&utf8, needle);
    str_free(&utf8);
    return found;
}

static inline bool plainsearch_header(struct slice header, struct slice needle)
{
    struct mime_field field;
    while (mime_next_field(&header, &field))
        if (plainsearch_value(slice_trim(field.whole), needle))
            return true;
    return false;
}

static inline bool plainsearch_field(struct slice header, struct slice name, struct slice needle)
{
    struct mime_field field;
    while (mime_next_field(&header, &field))
        if (slice_equal_nocase(field.name, name) && plainsearch_value(field.value, needle))
            return true;
    return false;
}

static inline void plainsearch_label(struct slice header, struct str *label)
{
    struct slice field;
    struct mime_parameters parameters;
    if (mime_find_field(header, "Content-Type", &field) &&
        mime_parse_parameters(field, &parameters)) {
        const struct mime_parameter *found = mime_parameter(&parameters, "charset");
        if (found)
            str_append(label, str_slice(&found->value));
        mime_free_parameters(&parameters);
    }
}

static inline bool plainsearch_text(struct slice header, struct slice body, struct slice needle)
{
    struct str decoded, utf8, label;
    struct slice encoding = SLICE("");
    str_init(&decoded, PLAINSEARCH_MAX);
    str_init(&utf8, PLAINSEARCH_MAX);
    str_init(&label, MIME_FIELD_MAX);
    plainsearch_label(header, &label);
    (void)mime_find_field(header, "Content-Transfer-Encoding", &encoding);
    bool found = mime_decode_body(body, encoding, &decoded) &&
                 charset_to_utf8(charset_of(str_slice(&label), str_slice(&decoded)),
                                 str_slice(&decoded), &utf8, NULL) &&
                 plainsearch_utf8(&utf8, needle);
    str_free(&decoded);
    str_free(&utf8);
    str_free(&label);
    return found;
}

static inline bool plainsearch_part(struct slice whole, const struct mime_part *part,
                                    struct slice needle)
{
    struct slice header = slice_part(whole, part->header, part->header_size);
    for (const struct mime_part *child = part->first_child; child; child = child->next)
        if (plainsearch_header(slice_part(whole, child->header, child->header_size), needle) ||
            plainsearch_part(whole, child, needle))
            return true;
    bool is_text = slice_equal_nocase(part->type, SLICE("text")) ||
                   slice_equal_nocase(part->type, SLICE("message"));
    return !part->first_child && is_text &&
           plainsearch_text(header, slice_part(whole, part->body, part->body_size), needle);
}

static inline bool plainsearch_body(struct slice whole, struct slice needle)
{
    struct mime_part *root = mime_parse(whole);
    bool found = root && plainsearch_part(whole, root, needle);
    mime_free(&root);
    return found;
}

#endif
