/* objectid - see objectid.h */
#include "objectid.h"

#include "number.h"

enum { TEXT_SIZE = 1 + 16, CLIENTS_TEXT_MAX = 255 };

static struct slice write_text(char text[TEXT_SIZE], char kind, uint64_t id)
{
    text[0] = kind;
    number_put_hex(id, text + 1, TEXT_SIZE - 1);
    return slice_of(text, TEXT_SIZE);
}

static bool append(struct str *out, char kind, uint64_t id)
{
    char text[TEXT_SIZE];
    return str_append(out, write_text(text, kind, id));
}

static bool names(struct slice name, char kind, uint64_t id)
{
    char text[TEXT_SIZE];
    return slice_equal(name, write_text(text, kind, id));
}

bool objectid_append_mailbox(struct str *out, uint64_t id)
{
    return append(out, 'F', id);
}

bool objectid_append_email(struct str *out, uint64_t id)
{
    return append(out, 'M', id);
}

bool objectid_append_thread(struct str *out, uint64_t id)
{
    return append(out, 'T', id);
}

bool objectid_is_valid(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (!slice_is_letter(byte) && !slice_is_digit(byte) && byte != '_' && byte != '-')
            return false;
    }
    return text.size > 0 && text.size <= CLIENTS_TEXT_MAX;
}

bool objectid_names_email(struct slice text, uint64_t id)
{
    return names(text, 'M', id);
}

bool objectid_names_thread(struct slice text, uint64_t id)
{
    return names(text, 'T', id);
}
