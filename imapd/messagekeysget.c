/* messagekeysget - the keys of messages, out of the mailbox's cache or their files; see
 * messagekeys.h */
#include "messagekeys.h"

void messagekeys_begin(struct messagekeys_reader *reader, struct mailbox *mailbox)
{
    *reader = (struct messagekeys_reader){.mailbox = mailbox};
    messagefile_init(&reader->file);
    str_init(&reader->bytes, MESSAGEKEYS_SIZE_MAX);
}

void messagekeys_end(struct messagekeys_reader *reader)
{
    messagefile_free(&reader->file);
    charset_cache_free(&reader->charsets);
    str_free(&reader->bytes);
    mailbox_cache_flush(reader->mailbox);
}

/* What an earlier look left, into reader->bytes: there it outlives what the caller does with the
 * mailbox. False where nothing is, or that of another version. */
static bool recall(struct messagekeys_reader *reader, size_t index, struct messagekeys *keys)
{
    struct slice bytes;
    const struct mailbox_message *message = &reader->mailbox->messages[index];
    str_clear(&reader->bytes);
    return mailbox_cached(reader->mailbox, message, MAILBOX_KEYS, &bytes) &&
           str_append(&reader->bytes, bytes) && messagekeys_read(str_slice(&reader->bytes), keys);
}

static bool extract(struct messagekeys_reader *reader, size_t index, struct messagekeys *keys)
{
    struct slice header;
    struct mailbox *mailbox = reader->mailbox;
    str_clear(&reader->bytes);
    messagefile_begin(&reader->file, mailbox, index);
    bool done = messagefile_header(&reader->file, &header) &&
                messagekeys_extract(header, &reader->charsets, &reader->bytes) &&
                messagekeys_read(str_slice(&reader->bytes), keys);
    messagefile_end(&reader->file);
    if (done)
        mailbox_cache(mailbox, &mailbox->messages[index], MAILBOX_KEYS, str_slice(&reader->bytes));
    return done;
}

bool messagekeys_get(struct messagekeys_reader *reader, size_t index, struct messagekeys *keys)
{
    if (!recall(reader, index, keys) && !extract(reader, index, keys))
        *keys = (struct messagekeys){0};
    return !reader->mailbox->messages[index].gone;
}
