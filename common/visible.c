/* visible - see visible.h */
#include "visible.h"

#include <string.h>

size_t visible_hidden_size(struct slice text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    /* U+0080 to U+009F: the control characters of ISO 6429 */
    if (text.size >= 2 && bytes[0] == 0xc2 && bytes[1] >= 0x80 && bytes[1] < 0xa0)
        return 2;
    if (text.size < 3 || bytes[0] != 0xe2)
        return 0;
    /* U+2028 to U+202E: separators of lines, embeddings, overrides; U+2066 to U+2069: isolates */
    bool hidden = (bytes[1] == 0x80 && bytes[2] >= 0xa8 && bytes[2] <= 0xae) ||
                  (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9);
    return hidden ? 3 : 0;
}

static char shown(char byte, bool lines)
{
    if (byte == '\t')
        return ' ';
    bool is_control = (unsigned char)byte < ' ' || byte == 0x7f;
    return is_control && !(lines && byte == '\n') ? '?' : byte;
}

void visible_make(char *text, size_t size, bool lines)
{
    for (size_t at = 0; at < size;) {
        size_t hidden = visible_hidden_size(slice_of(text + at, size - at));
        memset(text + at, '?', hidden);
        if (hidden == 0)
            text[at] = shown(text[at], lines);
        at += hidden > 0 ? hidden : 1;
    }
}
