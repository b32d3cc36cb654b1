/* plainaddress - see plainaddress.h */
#include "plainaddress.h"

#include "mailspace.h"

/* What ends a word: controls, among them the ESC of ISO-2022-JP, in which other bytes are no longer
 * what they seem; blanks; what begins a comment or a quoted string; and the special characters but
 * the dot. */
static bool is_word_byte(char byte)
{
    static const bool ends_word[' ' + 32] = {
        [' '] = true, ['"'] = true, ['('] = true, [','] = true,
        [':'] = true, [';'] = true, ['<'] = true, ['>'] = true,
    };
    unsigned char code = (unsigned char)byte;
    return code > '@' ? code != 0x7F : code >= ' ' && code != '@' && !ends_word[code];
}

/* The size of the word, or words with dots between, that begins there. */
static size_t word_size(struct slice text, size_t start)
{
    size_t at = start;
    while (at < text.size && is_word_byte(text.data[at]))
        at++;
    return at - start;
}

static bool has_at(struct slice text, size_t place, char byte)
{
    return place < text.size && text.data[place] == byte;
}

static size_t skip_blanks(struct slice text, size_t at)
{
    while (at < text.size && mailspace_is_space(text.data[at]))
        at++;
    return at;
}

/* "local@domain" at *at, which goes behind it. */
static bool take_address(struct slice field, size_t *at, struct addresslist_entry *entry)
{
    size_t local = word_size(field, *at);
    if (local == 0 || !has_at(field, *at + local, '@'))
        return false;
    size_t domain = word_size(field, *at + local + 1);
    entry->mailbox = slice_part(field, *at, local);
    entry->domain = slice_part(field, *at + local + 1, domain);
    *at += local + 1 + domain;
    return domain > 0;
}

/* Words with one blank between them, and the blanks behind. */
static bool take_phrase(struct slice field, size_t *at, struct addresslist_entry *entry)
{
    size_t start = *at, size = word_size(field, start);
    for (size_t more = 1; size > 0 && more > 0 && has_at(field, start + size, ' ');) {
        more = word_size(field, start + size + 1);
        size += more > 0 ? 1 + more : 0;
    }
    entry->name = slice_part(field, start, size);
    *at = skip_blanks(field, start + size);
    return size > 0;
}

/* A quoted string without a backslash or a control in it, and the blanks behind. */
static bool take_quoted(struct slice field, size_t *at, struct addresslist_entry *entry)
{
    size_t start = *at + 1, end = start;
    while (end < field.size && (unsigned char)field.data[end] >= ' ' && field.data[end] != '"' &&
           field.data[end] != '\\' && field.data[end] != 0x7F)
        end++;
    if (!has_at(field, end, '"'))
        return false;
    entry->name = slice_part(field, start, end - start);
    *at = skip_blanks(field, end + 1);
    return true;
}

static bool take_angle(struct slice field, size_t *at, struct addresslist_entry *entry)
{
    if (!has_at(field, *at, '<'))
        return false;
    ++*at;
    return take_address(field, at, entry) && has_at(field, (*at)++, '>');
}

static bool take_entry(struct slice field, size_t *at, struct addresslist_entry *entry)
{
    if (has_at(field, *at, '<'))
        return take_angle(field, at, entry);
    if (has_at(field, *at, '"'))
        return take_quoted(field, at, entry) && take_angle(field, at, entry);
    size_t start = *at;
    if (take_address(field, at, entry))
        return true;
    *at = start;
    return take_phrase(field, at, entry) && take_angle(field, at, entry);
}

void plainaddress_skip(struct slice *field)
{
    size_t at = 0;
    while (at < field->size && (field->data[at] == ',' || mailspace_is_space(field->data[at])))
        at++;
    *field = slice_from(*field, at);
}

bool plainaddress_cut(struct slice *field, struct addresslist_entry *entry)
{
    size_t at = 0;
    *entry = (struct addresslist_entry){.kind = ADDRESSLIST_MAILBOX, .name = SLICE("")};
    if (!take_entry(*field, &at, entry))
        return false;
    at = skip_blanks(*field, at);
    if (at < field->size && field->data[at] != ',')
        return false;
    *field = slice_from(*field, at < field->size ? at + 1 : at);
    return true;
}
