/* scanconfig - see scanconfig.h */
#include "scanconfig.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static bool read_number(struct directory *directory, const char *name, unsigned *number)
{
    uint64_t value;
    if (!directory_host_number(directory, name, &value) || value == 0 || value > UINT32_MAX)
        return false;
    *number = (unsigned)value;
    return true;
}

static bool read_passes(struct directory *directory, const char *name, bool *passes)
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    bool found = directory_host(directory, name, &value);
    *passes = found && slice_equal(str_slice(&value), SLICE("pass"));
    str_free(&value);
    return found;
}

static bool read_path(struct directory *directory, const char *name, char path[PATH_MAX])
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    bool found = directory_host(directory, name, &value) &&
                 slice_copy_text(str_slice(&value), path, PATH_MAX);
    str_free(&value);
    return found;
}

/* FNV-1a */
static uint64_t hash(uint64_t seed, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ byte[i]) * 0x100000001b3;
    return seed;
}

static uint64_t hash_file(const char *name, const struct stat *info)
{
    uint64_t sum = hash(0xcbf29ce484222325, name, strlen(name));
    sum = hash(sum, &info->st_size, sizeof info->st_size);
    sum = hash(sum, &info->st_ino, sizeof info->st_ino);
    return hash(sum, &info->st_mtim, sizeof info->st_mtim);
}

uint64_t scanconfig_fingerprint(const char *folder)
{
    uint64_t sum = 0;
    DIR *open_folder = opendir(folder);
    struct dirent *entry;
    while (open_folder && (entry = readdir(open_folder))) {
        struct stat info;
        if (fstatat(dirfd(open_folder), entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode))
            sum += hash_file(entry->d_name, &info);
    }
    if (open_folder)
        closedir(open_folder);
    return sum;
}

bool scanconfig_read(struct directory *directory, struct scanconfig *config)
{
    *config = (struct scanconfig){0};
    if (!read_path(directory, "clamdb", config->clamdb) ||
        !read_number(directory, "scan-workers", &config->workers) ||
        !read_number(directory, "scan-timeout", &config->timeout_s) ||
        !read_passes(directory, "scan-encrypted", &config->policy.encrypted_passes) ||
        !read_passes(directory, "scan-limits", &config->policy.limits_pass))
        return false;
    config->files = scanconfig_fingerprint(config->clamdb) * 3 +
                    scanconfig_fingerprint(SCANCONFIG_OWN_SIGNATURES);
    return true;
}

bool scanconfig_is_same(const struct scanconfig *a, const struct scanconfig *b)
{
    return strcmp(a->clamdb, b->clamdb) == 0 && a->workers == b->workers &&
           a->timeout_s == b->timeout_s && a->files == b->files &&
           a->policy.encrypted_passes == b->policy.encrypted_passes &&
           a->policy.limits_pass == b->policy.limits_pass;
}
