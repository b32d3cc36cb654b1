/* BODYSTRUCTURE, BODY and ENVELOPE of any bytes are well-formed answers. */
#include "bodystructure.h"
#include "imapenvelope.h"
#include "literal.h"
#include "section.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { OUT_MAX = 64 << 20 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* The size of the quoted string or literal at the front; 0: neither. */
static size_t string_size(struct slice text)
{
    struct literal literal;
    if (text.data[0] == '{') {
        size_t head = slice_find(text, '\n') + 1;
        must(literal_at_end(slice_part(text, 0, head), &literal) && literal.start == 0 &&
             !literal.too_long && literal.size <= text.size - head);
        return head + (size_t)literal.size;
    }
    if (text.data[0] != '"')
        return 0;
    for (size_t i = 1; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        must(byte != '\r' && byte != '\n' && byte < 0x80);
        if (byte == '"')
            return i + 1;
        if (byte == '\\')
            i++;
    }
    abort();
}

static void check_answer(const struct str *answer)
{
    size_t depth = 0;
    struct slice rest = str_slice(answer);
    if (answer->failed)
        return;
    must(!slice_has(rest, '\0'));
    while (rest.size > 0) {
        size_t string = string_size(rest);
        char byte = rest.data[0];
        rest = slice_from(rest, string > 0 ? string : 1);
        if (string > 0)
            continue;
        must(byte == '(' || byte == ')' || byte == ' ' || slice_is_digit(byte) ||
             slice_is_letter(byte));
        must(byte != ')' || depth > 0);
        depth += byte == '(';
        depth -= byte == ')';
        must(depth > 0 || rest.size == 0);
    }
    must(depth == 0);
}

static void check_sections(struct slice whole, const struct mime_part *root)
{
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t path[] = {1 + i % 3, 1 + i / 3 % 3, 1 + i / 9 % 3};
        struct section section = {.kind = (enum section_kind)(i % 6), .path = path};
        struct slice found;
        for (section.depth = 0; section.depth <= 3; section.depth++)
            if (section_find(&section, whole, root, &found) && found.size > 0)
                must(found.data >= whole.data &&
                     found.data + found.size <= whole.data + whole.size);
    }
}

/* A comment in front says nothing, but has the whole field read as if it were an unusual one. */
static void check_addresses(struct slice field)
{
    struct str out, slow, commented;
    str_init(&out, OUT_MAX);
    str_init(&slow, OUT_MAX);
    str_init(&commented, OUT_MAX);
    field = slice_part(field, 0, 65536);
    str_append_text(&commented, "()");
    str_append(&commented, field);
    str_append_byte(&out, '(');
    imapenvelope_append_addresses(&out, field);
    str_append_byte(&out, ')');
    check_answer(&out);
    str_append_byte(&slow, '(');
    imapenvelope_append_addresses(&slow, str_slice(&commented));
    str_append_byte(&slow, ')');
    must(out.failed || slow.failed || slice_equal(str_slice(&out), str_slice(&slow)));
    str_free(&out);
    str_free(&slow);
    str_free(&commented);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice whole = slice_of(bytes, size);
    struct mime_part *root = mime_parse_global(whole);
    struct str out;
    must(root);
    str_init(&out, OUT_MAX);
    for (unsigned form = 0; form <= (BODYSTRUCTURE_EXTENDED | BODYSTRUCTURE_REV2); form++) {
        bodystructure_append(&out, whole, root, form);
        check_answer(&out);
        str_clear(&out);
    }
    imapenvelope_append(&out, slice_part(whole, root->header, root->header_size));
    check_answer(&out);
    check_addresses(whole);
    check_sections(whole, root);
    str_free(&out);
    mime_free(&root);
    return 0;
}
