/* vault - see vault.h */
#include "vault.h"

#include <sys/mman.h>

/* Both are a second net: where the kernel does not grant them, the secrets are in memory still. */
void vault_hold(const struct vault *vault)
{
    (void)!mlock(vault->bytes, vault->size);
    (void)!madvise(vault->bytes, vault->size, MADV_DONTDUMP);
}

bool vault_open(struct vault *vault, size_t size)
{
    *vault = (struct vault){.size = size > 0 ? size : 1};
    void *bytes =
        mmap(NULL, vault->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return false;
    vault->bytes = bytes;
    vault_hold(vault);
    return true;
}

bool vault_keep(struct vault *vault, struct slice secret, struct slice *kept)
{
    if (secret.size > vault->size - vault->used)
        return false;
    char *place = vault->bytes + vault->used;
    if (secret.size > 0)
        memcpy(place, secret.data, secret.size);
    vault->used += secret.size;
    *kept = slice_of(place, secret.size);
    return true;
}

void vault_close(struct vault *vault)
{
    if (vault->bytes) {
        explicit_bzero(vault->bytes, vault->size);
        (void)!munmap(vault->bytes, vault->size);
    }
    *vault = (struct vault){0};
}
