/* Any header gives keys that are bounded, can be read again, and are the same each time; any bytes
 * are keys or are not. */
#include "messagekeys.h"

#include "basesubject.h"
#include "messageid.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_keys(struct slice header)
{
    struct str first, second;
    struct messagekeys keys;
    str_init(&first, MESSAGEKEYS_SIZE_MAX);
    str_init(&second, MESSAGEKEYS_SIZE_MAX);
    must(messagekeys_extract(header, NULL, &first) && messagekeys_extract(header, NULL, &second));
    must(slice_equal(str_slice(&first), str_slice(&second)));
    must(messagekeys_read(str_slice(&first), &keys));
    must(messagekeys_reference_count(&keys) <= MESSAGEKEYS_REFERENCES_MAX);
    for (size_t i = 0; i < messagekeys_reference_count(&keys); i++)
        must(messagekeys_reference(&keys, i) != 0);
    for (size_t i = 0; i < MESSAGEKEYS_TEXTS; i++)
        must(keys.texts[i].size <= MESSAGEKEYS_TEXT_MAX);
    str_free(&first);
    str_free(&second);
}

/* A base subject is its own base subject, but for a blob or a "(fwd)" that was the last. */
static void check_subject(struct slice field)
{
    struct str base;
    bool is_reply;
    str_init(&base, 1 << 24);
    must(basesubject_append(&base, field, NULL, &is_reply));
    struct slice again = basesubject_of(str_slice(&base), &is_reply);
    must(again.size <= base.size);
    must(base.size == 0 || (base.data[0] != ' ' && base.data[base.size - 1] != ' '));
    str_free(&base);
}

static void check_ids(struct slice field)
{
    struct str id;
    size_t before = field.size;
    str_init(&id, MESSAGEID_SIZE_MAX);
    while (messageid_next(&field, &id)) {
        must(field.size < before && slice_has(str_slice(&id), '@'));
        before = field.size;
    }
    must(field.size == 0);
    str_free(&id);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice input = slice_of(bytes, size);
    struct messagekeys keys;
    check_keys(input);
    check_subject(input);
    check_ids(input);
    if (messagekeys_read(input, &keys))
        for (size_t i = 0; i < messagekeys_reference_count(&keys); i++)
            (void)messagekeys_reference(&keys, i);
    return 0;
}
