/* messagekeysget - the keys of messages in their files, see messagekeys.h */
#include "messagekeys.h"

void messagekeys_begin(struct messagekeys_reader *reader)
{
    *reader = (struct messagekeys_reader){.charsets = {.used = 0}};
    messagefile_init(&reader->file);
    str_init(&reader->bytes, MESSAGEKEYS_SIZE_MAX);
}

void messagekeys_end(struct messagekeys_reader *reader)
{
    messagefile_free(&reader->file);
    charset_cache_free(&reader->charsets);
    str_free(&reader->bytes);
}

static bool extract(struct messagekeys_reader *reader, struct mailbox *mailbox, size_t index)
{
    struct slice header;
    str_clear(&reader->bytes);
    messagefile_begin(&reader->file, mailbox, index);
    bool done = messagefile_header(&reader->file, &header) &&
                messagekeys_extract(header, &reader->charsets, &reader->bytes);
    messagefile_end(&reader->file);
    return done;
}

bool messagekeys_get(struct messagekeys_reader *reader, struct mailbox *mailbox, size_t index,
                     struct messagekeys *keys)
{
    if (!extract(reader, mailbox, index) || !messagekeys_read(str_slice(&reader->bytes), keys))
        *keys = (struct messagekeys){0};
    return !mailbox->messages[index].gone;
}
