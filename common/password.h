/*
 * password - password hashes of crypt(3), by libxcrypt
 *
 * New ones are yescrypt ("$y$j9T$", some 20 ms and 16 MB each); any that libxcrypt knows are
 * verified, so that users can move in from elsewhere. Programs that call it link -lcrypt.
 *
 * A quick hash is yescrypt, too ("$y$j75$", a sixteenth of time and memory), for passwords that come
 * by the thousand: who has it gets one at full strength as soon as there was time.
 */
#ifndef COMMON_PASSWORD_H
#define COMMON_PASSWORD_H

#include "slice.h"

enum {
    PASSWORD_SECRET_MAX = 511, /* bytes; libxcrypt takes no longer one */
    PASSWORD_HASH_MAX = 384,   /* with its NUL */
    PASSWORD_HASH_MS = 20,     /* about so long a processor works on one */
};

enum password_strength { PASSWORD_FULL, PASSWORD_QUICK };

enum password_result {
    PASSWORD_MATCHES,
    PASSWORD_DIFFERS, /* also: too long, holds a NUL, empty or unusable hash */
    PASSWORD_TROUBLE, /* memory is out */
};

/* A new hash of `secret` under a fresh salt. False with errno: EINVAL (too long, empty, or a NUL
 * in it), or trouble. */
bool password_hash(struct slice secret, char hash[PASSWORD_HASH_MAX]);
bool password_hash_as(struct slice secret, enum password_strength strength,
                      char hash[PASSWORD_HASH_MAX]);

/* Is it a hash as PASSWORD_QUICK makes them? */
bool password_is_quick(struct slice hash);

/* Costs what the hash's scheme costs. What crypt(3) wrote is wiped. */
enum password_result password_verify(struct slice secret, struct slice hash);

/* Is it a hash that password_verify can verify, by its form? For checks of control files. */
bool password_is_hash(struct slice hash);

#endif
