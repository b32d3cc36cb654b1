/* password - see password.h */
#include "password.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What new hashes begin with, of Debian's default cost (16 MB), and of the least but one (1 MB). That
 * is 1,500 of them within a second on two processors; j85 (2 MB) would be two. */
static const char *const schemes[] = {[PASSWORD_FULL] = "$y$j9T$", [PASSWORD_QUICK] = "$y$j75$"};

/* The least that follows the last '$' of any scheme's hash: MD5-crypt's 22 characters. */
enum { PASSWORD_DIGEST_LEAST = 22, PASSWORD_DES_SIZE = 13, PASSWORD_BSDI_SIZE = 20 };

_Static_assert(PASSWORD_SECRET_MAX < CRYPT_MAX_PASSPHRASE_SIZE, "libxcrypt takes it");
_Static_assert(PASSWORD_HASH_MAX >= CRYPT_OUTPUT_SIZE, "a hash fits");

/* What crypt_r works in, and the secret as the C string it wants; 32 KB, so not on the stack. */
struct work {
    struct crypt_data data;
    char secret[PASSWORD_SECRET_MAX + 1];
    char setting[PASSWORD_HASH_MAX];
};

static struct work *work_begin(void)
{
    return calloc(1, sizeof(struct work));
}

static void work_end(struct work *work)
{
    if (work)
        explicit_bzero(work, sizeof *work);
    free(work);
}

static bool is_failure(const char *hash)
{
    return !hash || hash[0] == '*';
}

/* libxcrypt gives its state of yescrypt back only at the thread's end; nothing to free here. */
static const char *compute(struct work *work)
{
    errno = 0;
    const char *hash = crypt_r(work->secret, work->setting, &work->data);
    return is_failure(hash) ? NULL : hash;
}

/* What crypt(3) takes for a fresh salt. Its prefixes say the scheme alone; the cost is a number. */
static bool make_setting(enum password_strength strength, char setting[PASSWORD_HASH_MAX])
{
    static const unsigned long costs[] = {[PASSWORD_FULL] = 5, [PASSWORD_QUICK] = 1};
    return crypt_gensalt_rn("$y$", costs[strength], NULL, 0, setting, PASSWORD_HASH_MAX) &&
           slice_starts(slice_text(setting), slice_text(schemes[strength]));
}

bool password_hash(struct slice secret, char hash[PASSWORD_HASH_MAX])
{
    return password_hash_as(secret, PASSWORD_FULL, hash);
}

bool password_is_quick(struct slice hash)
{
    return slice_starts(hash, slice_text(schemes[PASSWORD_QUICK]));
}

bool password_hash_as(struct slice secret, enum password_strength strength,
                      char hash[PASSWORD_HASH_MAX])
{
    struct work *work = work_begin();
    bool done = false;
    if (!work)
        return false;
    if (secret.size == 0 || !slice_copy_text(secret, work->secret, sizeof work->secret)) {
        errno = EINVAL;
    } else if (make_setting(strength, work->setting)) {
        const char *made = compute(work);
        done = made && slice_copy_text(slice_text(made), hash, PASSWORD_HASH_MAX);
    }
    int error = errno;
    work_end(work);
    errno = error;
    return done;
}

/* Does not stop at the first difference, so that time says nothing about the hash. */
static bool is_same(struct slice a, struct slice b)
{
    unsigned char difference = a.size != b.size;
    for (size_t i = 0; i < a.size && i < b.size; i++)
        difference |= (unsigned char)(a.data[i] ^ b.data[i]);
    return difference == 0;
}

enum password_result password_verify(struct slice secret, struct slice hash)
{
    struct work *work = work_begin();
    enum password_result result = PASSWORD_DIFFERS;
    if (!work)
        return PASSWORD_TROUBLE;
    if (secret.size > 0 && slice_copy_text(secret, work->secret, sizeof work->secret) &&
        password_is_hash(hash) && slice_copy_text(hash, work->setting, sizeof work->setting)) {
        const char *made = compute(work);
        if (made && is_same(slice_text(made), hash))
            result = PASSWORD_MATCHES;
        else if (!made && errno == ENOMEM)
            result = PASSWORD_TROUBLE;
    }
    work_end(work);
    return result;
}

static bool is_printable(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == ':')
            return false;
    return true;
}

static bool is_des_text(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!slice_is_letter(text.data[i]) && !slice_is_digit(text.data[i]) &&
            text.data[i] != '.' && text.data[i] != '/')
            return false;
    return true;
}

/* A scheme's name alone is not enough: any two letters are a salt of DES-crypt, and a password
 * typed where its hash belongs must not pass for one. */
static bool has_whole_digest(struct slice hash)
{
    if (hash.size == 0)
        return false;
    if (hash.data[0] == '$')
        return hash.size - slice_find_last(hash, '$') > PASSWORD_DIGEST_LEAST;
    if (hash.data[0] == '_')
        return hash.size == PASSWORD_BSDI_SIZE;
    return hash.size == PASSWORD_DES_SIZE && is_des_text(hash);
}

bool password_is_hash(struct slice hash)
{
    char text[PASSWORD_HASH_MAX];
    if (!has_whole_digest(hash) || !is_printable(hash) || !slice_copy_text(hash, text, sizeof text))
        return false;
    int kind = crypt_checksalt(text);
    return kind == CRYPT_SALT_OK || kind == CRYPT_SALT_METHOD_LEGACY;
}
