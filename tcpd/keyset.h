/*
 * keyset - the certificates below control/tls
 *
 *     control/tls/HOST/cert.pem       the leaf, then intermediates; PEM
 *     control/tls/HOST/key.pem        its key
 *     control/tls/HOST/cert-X.pem     a second pair, of another kind of key; any X, and so on
 *     control/tls/HOST/key-X.pem
 * HOST is a host name in lower case, "_.example.jp" for *.example.jp, or "default" for every other
 * name and clients that name none.
 *
 * A pair whose files changed is read anew once they were left alone for one look, so that a
 * certificate is not met before its key is there, too. If the new one does not hold, the old one
 * stays in force.
 */
#ifndef TCPD_KEYSET_H
#define TCPD_KEYSET_H

#include "keypair.h"
#include "slice.h"

#include <sys/stat.h>

#define KEYSET_FOLDER  "control/tls"
#define KEYSET_DEFAULT "default"

enum { KEYSET_MAX = 4096, KEYSET_HOST_MAX = 255, KEYSET_SUFFIX_MAX = 32 };

/* What tells a file from its successor. All zero: there is none. */
struct keyset_mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct keyset_entry {
    char host[KEYSET_HOST_MAX + 1];
    char suffix[KEYSET_SUFFIX_MAX + 1]; /* "" or "-X" */
    struct keyset_mark tried[2];        /* certificate and key as they were when last read */
    struct keyset_mark seen[2];         /* as of the last look */
    bool was_tried;
    bool found;           /* in the look that goes on */
    struct keypair *pair; /* NULL: none has held yet */
};

struct keyset {
    struct keyset_entry *entries; /* sorted by nothing: looked through */
    size_t count;
    bool too_many; /* said already */
    bool trouble;  /* the folder can't be read, said already */
};

void keyset_init(struct keyset *keyset);
void keyset_free(struct keyset *keyset);

/* Looks at the files (relative to ROOT), logs what changed and what is wrong. `patient`: wait for
 * files to be left alone; false at the start. True when a pair came, went or was renewed. */
bool keyset_look(struct keyset *keyset, const char *folder, bool patient);

/* The pair for a server name (any case; may be empty) of the first of `kinds` that there is: of the
 * name itself, else of its wildcard, else the default. NULL when there is none. */
const struct keypair *keyset_find(const struct keyset *keyset, struct slice name,
                                  const enum key_kind kinds[], size_t kind_count);
size_t keyset_pairs(const struct keyset *keyset);

#endif
