/* basesubject - see basesubject.h */
#include "basesubject.h"

#include "mime.h"

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static void skip_blanks(struct slice *text)
{
    while (text->size > 0 && is_blank(text->data[0]))
        *text = slice_from(*text, 1);
}

/* subj-blob = "[" *BLOBCHAR "]" *WSP. BLOBCHAR ends at 0x7F in the RFC's ABNF, which is older than
 * step 1, that makes UTF-8 of all: higher bytes are taken. */
static bool skip_blob(struct slice *text)
{
    if (!slice_starts(*text, SLICE("[")))
        return false;
    size_t size = 1;
    while (size < text->size && text->data[size] != '[' && text->data[size] != ']')
        size++;
    if (size == text->size || text->data[size] != ']')
        return false;
    *text = slice_from(*text, size + 1);
    skip_blanks(text);
    return true;
}

/* subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static bool skip_refwd(struct slice *text)
{
    struct slice rest = *text;
    if (slice_starts_nocase(rest, SLICE("fwd")))
        rest = slice_from(rest, 3);
    else if (slice_starts_nocase(rest, SLICE("re")) || slice_starts_nocase(rest, SLICE("fw")))
        rest = slice_from(rest, 2);
    else
        return false;
    skip_blanks(&rest);
    (void)skip_blob(&rest);
    if (!slice_starts(rest, SLICE(":")))
        return false;
    *text = slice_from(rest, 1);
    return true;
}

/* Step 2: subj-trailer = "(fwd)" / WSP */
static void cut_trailers(struct slice *text, bool *is_reply)
{
    static const struct slice forward = {"(fwd)", 5};
    for (;;) {
        bool is_forward = text->size >= forward.size &&
                          slice_equal_nocase(slice_from(*text, text->size - forward.size), forward);
        if (is_forward)
            text->size -= forward.size;
        else if (text->size > 0 && is_blank(text->data[text->size - 1]))
            text->size--;
        else
            return;
        *is_reply |= is_forward;
    }
}

/* Steps 3 to 5. Blobs stand one behind the other, so what holds for the first of them holds for
 * all: a refwd behind them takes them along (subj-leader); else all go that leave something. */
static void cut_leaders(struct slice *text, bool *is_reply)
{
    for (;;) {
        skip_blanks(text);
        struct slice rest = *text, last = *text;
        for (struct slice before = rest; skip_blob(&rest); before = rest)
            last = before;
        if (!skip_refwd(&rest)) {
            *text = rest.size > 0 ? rest : last;
            return;
        }
        *text = rest;
        *is_reply = true;
    }
}

/* Step 6: subj-fwd-hdr = "[fwd:", subj-fwd-trl = "]" */
static bool cut_forward(struct slice *text)
{
    static const struct slice head = {"[fwd:", 5};
    if (text->size <= head.size || !slice_starts_nocase(*text, head) ||
        !slice_ends(*text, SLICE("]")))
        return false;
    *text = slice_part(*text, head.size, text->size - head.size - 1);
    return true;
}

struct slice basesubject_of(struct slice subject, bool *is_reply)
{
    *is_reply = false;
    for (;;) {
        cut_trailers(&subject, is_reply);
        cut_leaders(&subject, is_reply);
        if (!cut_forward(&subject))
            return subject;
        *is_reply = true;
    }
}

/* Step 1, behind the decoding: tabs and runs of blanks are one space, in place. */
static void collapse(struct str *text)
{
    size_t size = 0;
    for (size_t i = 0; i < text->size; i++) {
        bool blank = is_blank(text->data[i]);
        if (blank && size > 0 && text->data[size - 1] == ' ')
            continue;
        text->data[size++] = blank ? ' ' : text->data[i];
    }
    str_truncate(text, size);
}

bool basesubject_append(struct str *base, struct slice field, struct charset_cache *charsets,
                        bool *is_reply)
{
    struct str utf8;
    str_init(&utf8, MIME_FIELD_MAX * 3);
    *is_reply = false;
    bool done = mime_decode_header_with(charsets, field, &utf8);
    if (done) {
        collapse(&utf8);
        done = str_append(base, basesubject_of(str_slice(&utf8), is_reply));
    }
    str_free(&utf8);
    return done;
}
