/* pem - see pem.h */
#include "pem.h"

#include <bearssl.h>
#include <string.h>

enum { PEM_OBJECT_MAX = 65536 };

struct walk {
    br_pem_decoder_context decoder;
    char name[PEM_NAME_MAX];
    bool open; /* within an object */
    struct str der;
    pem_object *found;
    void *owner;
};

static void take_bytes(void *context, const void *bytes, size_t size)
{
    struct str *der = context;
    str_append(der, slice_of(bytes, size));
}

static void wipe(struct str *str)
{
    if (str->data)
        explicit_bzero(str->data, str->capacity);
}

static enum pem_result begin_object(struct walk *walk)
{
    walk->open = true;
    str_clear(&walk->der);
    br_pem_decoder_setdest(&walk->decoder, take_bytes, &walk->der);
    /* Room for all of it at once, so that no copy of a key is left behind by growing. */
    bool room = str_reserve(&walk->der, PEM_OBJECT_MAX) != NULL;
    bool fits = slice_copy_text(slice_text(br_pem_decoder_name(&walk->decoder)), walk->name,
                                sizeof walk->name);
    return room && fits ? PEM_DONE : PEM_BROKEN;
}

static enum pem_result end_object(struct walk *walk)
{
    walk->open = false;
    if (walk->der.failed)
        return PEM_BROKEN;
    return walk->found(walk->name, str_slice(&walk->der), walk->owner) ? PEM_DONE : PEM_ENDED;
}

static enum pem_result handle_event(struct walk *walk, int event)
{
    if (event == BR_PEM_BEGIN_OBJ)
        return begin_object(walk);
    return event == BR_PEM_END_OBJ ? end_object(walk) : PEM_BROKEN;
}

static enum pem_result walk_text(struct walk *walk, struct slice text)
{
    while (text.size > 0) {
        size_t used = br_pem_decoder_push(&walk->decoder, text.data, text.size);
        text = slice_from(text, used);
        int event = br_pem_decoder_event(&walk->decoder);
        enum pem_result result = event != 0  ? handle_event(walk, event)
                                 : used == 0 ? PEM_BROKEN
                                             : PEM_DONE;
        if (result != PEM_DONE)
            return result;
    }
    return PEM_DONE;
}

/* OpenSSL's old form says so in a header line that is no base64. */
static bool is_encrypted(struct slice text)
{
    static const char *const marks[] = {"Proc-Type: 4,ENCRYPTED", "BEGIN ENCRYPTED PRIVATE KEY"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (memmem(text.data, text.size, marks[i], strlen(marks[i])))
            return true;
    return false;
}

enum pem_result pem_walk(struct slice text, pem_object *found, void *owner)
{
    struct walk walk = {.found = found, .owner = owner};
    if (text.size == 0)
        return PEM_DONE;
    if (is_encrypted(text))
        return PEM_ENCRYPTED;
    str_init(&walk.der, PEM_OBJECT_MAX);
    br_pem_decoder_init(&walk.decoder);
    enum pem_result result = walk_text(&walk, text);
    if (result == PEM_DONE) /* a last line may lack its end */
        result = walk_text(&walk, SLICE("\n"));
    if (result == PEM_DONE && walk.open)
        result = PEM_BROKEN;
    wipe(&walk.der);
    str_free(&walk.der);
    explicit_bzero(&walk.decoder, sizeof walk.decoder);
    return result;
}
