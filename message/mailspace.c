/* mailspace - see mailspace.h */
#include "mailspace.h"

bool mailspace_is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

size_t mailspace_comment(struct slice text)
{
    size_t depth = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == '(')
            depth++;
        else if (text.data[i] == ')' && --depth == 0)
            return i + 1;
    }
    return text.size;
}

void mailspace_skip(struct slice *text)
{
    for (;;) {
        if (text->size > 0 && mailspace_is_space(text->data[0]))
            *text = slice_from(*text, 1);
        else if (text->size > 0 && text->data[0] == '(')
            *text = slice_from(*text, mailspace_comment(*text));
        else
            return;
    }
}
