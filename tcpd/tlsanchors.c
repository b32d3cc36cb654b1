/* tlsanchors - see tlsanchors.h */
#include "tlsanchors.h"

#include "io.h"
#include "pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 4096 };

static void append_name(void *owner, const void *bytes, size_t size)
{
    str_append(owner, slice_of(bytes, size));
}

/* NULL as it was when there is nothing to copy. */
static unsigned char *copy(const void *bytes, size_t size)
{
    unsigned char *kept = malloc(size > 0 ? size : 1);
    if (kept)
        memcpy(kept, bytes, size);
    return kept;
}

static void free_one(br_x509_trust_anchor *anchor)
{
    free(anchor->dn.data);
    if (anchor->pkey.key_type == BR_KEYTYPE_RSA) {
        free(anchor->pkey.key.rsa.n);
        free(anchor->pkey.key.rsa.e);
    } else {
        free(anchor->pkey.key.ec.q);
    }
}

/* Copies key and name out of the decoder's memory. */
static bool keep(br_x509_trust_anchor *anchor, const struct str *name, const br_x509_pkey *key)
{
    *anchor = (br_x509_trust_anchor){
        .dn = {.data = copy(name->data, name->size), .len = name->size},
        .flags = BR_X509_TA_CA,
        .pkey = *key,
    };
    bool done;
    if (key->key_type == BR_KEYTYPE_RSA) {
        anchor->pkey.key.rsa.n = copy(key->key.rsa.n, key->key.rsa.nlen);
        anchor->pkey.key.rsa.e = copy(key->key.rsa.e, key->key.rsa.elen);
        done = anchor->pkey.key.rsa.n && anchor->pkey.key.rsa.e;
    } else {
        anchor->pkey.key.ec.q = copy(key->key.ec.q, key->key.ec.qlen);
        done = anchor->pkey.key.ec.q;
    }
    if (done && anchor->dn.data)
        return true;
    free_one(anchor);
    return false;
}

static bool make_room(struct tlsanchors *anchors)
{
    if ((anchors->count & (anchors->count - 1)) != 0)
        return true;
    size_t room = anchors->count ? anchors->count * 2 : 1;
    br_x509_trust_anchor *grown = reallocarray(anchors->list, room, sizeof *grown);
    if (grown)
        anchors->list = grown;
    return grown != NULL;
}

bool tlsanchors_add(struct tlsanchors *anchors, const unsigned char *der, size_t size)
{
    br_x509_decoder_context decoder;
    struct str name;
    str_init(&name, NAME_MAX_BYTES);
    br_x509_decoder_init(&decoder, append_name, &name);
    br_x509_decoder_push(&decoder, der, size);
    const br_x509_pkey *key = br_x509_decoder_get_pkey(&decoder);
    bool done = key && !name.failed && name.size > 0 && anchors->count < TLSANCHORS_MAX &&
                make_room(anchors) && keep(&anchors->list[anchors->count], &name, key);
    if (done)
        anchors->count++;
    str_free(&name);
    return done;
}

static bool take(const char *name, struct slice der, void *owner)
{
    if (strcmp(name, "CERTIFICATE") == 0 || strcmp(name, "X509 CERTIFICATE") == 0)
        (void)tlsanchors_add(owner, (const unsigned char *)der.data, der.size);
    return true;
}

bool tlsanchors_load(struct tlsanchors *anchors, const char *path)
{
    struct str text;
    *anchors = (struct tlsanchors){.count = 0};
    str_init(&text, TLSANCHORS_FILE_MAX);
    bool done = io_read_file(AT_FDCWD, path, &text);
    if (done && (pem_walk(str_slice(&text), take, anchors) != PEM_DONE || anchors->count == 0)) {
        tlsanchors_free(anchors);
        errno = EPROTO;
        done = false;
    }
    str_free(&text);
    return done;
}

void tlsanchors_free(struct tlsanchors *anchors)
{
    for (size_t i = 0; i < anchors->count; i++)
        free_one(&anchors->list[i]);
    free(anchors->list);
    *anchors = (struct tlsanchors){.count = 0};
}
