/* keyset - see keyset.h */
#include "keyset.h"

#include "io.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CERTIFICATE, KEY, FILES };

static const char *const file_names[FILES] = {[CERTIFICATE] = "cert", [KEY] = "key"};

void keyset_init(struct keyset *keyset)
{
    *keyset = (struct keyset){0};
}

void keyset_free(struct keyset *keyset)
{
    for (size_t i = 0; i < keyset->count; i++)
        keypair_free(&keyset->entries[i].pair);
    free(keyset->entries);
    *keyset = (struct keyset){0};
}

size_t keyset_pairs(const struct keyset *keyset)
{
    size_t pairs = 0;
    for (size_t i = 0; i < keyset->count; i++)
        pairs += keyset->entries[i].pair != NULL;
    return pairs;
}

/* ---- reading one pair ------------------------------------------------------------------------ */

static void file_path(const struct keyset_entry *entry, const char *folder, size_t which,
                      char path[PATH_MAX])
{
    if (snprintf(path, PATH_MAX, "%s/%s/%s%s.pem", folder, entry->host, file_names[which],
                 entry->suffix) >= PATH_MAX)
        path[0] = '\0'; /* which does not exist */
}

static void say_trouble(const struct keyset_entry *entry, const char *path, const char *cause)
{
    struct log_line line;
    log_begin(&line, "trouble");
    log_text(&line, "action", "take over the certificate of");
    log_text(&line, "host", entry->host);
    log_text(&line, "file", path);
    log_text(&line, "cause", cause);
    log_text(&line, "in-force", entry->pair ? "the old one" : "none");
    log_text(&line, "remedy",
             "put the right file there (root:keyd, mode 0640); it is read within seconds");
    log_end(&line);
}

static void say_taken(const struct keyset_entry *entry, const char *path, bool renewed)
{
    struct log_line line;
    log_begin(&line, renewed ? "certificate-renewed" : "certificate");
    log_text(&line, "host", entry->host);
    log_text(&line, "file", path);
    log_text(&line, "kind", key_kind_name(entry->pair->kind));
    log_number(&line, "chain", (int64_t)entry->pair->chain_length);
    log_end(&line);
}

static void wipe(struct str *str)
{
    if (str->data)
        explicit_bzero(str->data, str->capacity);
    str_free(str);
}

/* Whole at once, so that no copy of a key is left behind by growing. */
static bool read_file(const char *path, struct str *content)
{
    str_init(content, KEYPAIR_FILE_MAX);
    return str_reserve(content, KEYPAIR_FILE_MAX) && io_read_file(AT_FDCWD, path, content);
}

/* A key that anybody on the machine can read is in force all the same: mail goes on. */
static void check_mode(const struct keyset_entry *entry, const char *path)
{
    struct stat info;
    struct log_line line;
    if (stat(path, &info) < 0 || !(info.st_mode & S_IROTH))
        return;
    log_begin(&line, "warning");
    log_text(&line, "host", entry->host);
    log_text(&line, "file", path);
    log_text(&line, "cause", "every user of this machine can read this private key");
    log_text(&line, "remedy", "chmod 0640");
    log_end(&line);
}

static struct keypair *read_pair(const struct keyset_entry *entry, const char *folder)
{
    char paths[FILES][PATH_MAX];
    struct str contents[FILES] = {{0}};
    char error[KEYPAIR_ERROR_MAX];
    bool good = true;
    struct keypair *pair = NULL;
    for (size_t i = 0; i < FILES; i++)
        file_path(entry, folder, i, paths[i]);
    for (size_t i = 0; i < FILES && good; i++) {
        good = read_file(paths[i], &contents[i]);
        if (!good)
            say_trouble(entry, paths[i],
                        errno == EFBIG ? "the file is too large" : strerror(errno));
    }
    if (good) {
        pair = keypair_make(str_slice(&contents[CERTIFICATE]), str_slice(&contents[KEY]), error);
        if (pair)
            check_mode(entry, paths[KEY]);
        else
            say_trouble(entry,
                        paths[strncmp(error, "the certificate", 15) == 0 ? CERTIFICATE : KEY],
                        error);
    }
    for (size_t i = 0; i < FILES; i++)
        wipe(&contents[i]);
    return pair;
}

/* ---- looking for changes --------------------------------------------------------------------- */

static void mark_file(const struct keyset_entry *entry, const char *folder, size_t which,
                      struct keyset_mark *mark)
{
    char path[PATH_MAX];
    struct stat info;
    file_path(entry, folder, which, path);
    memset(mark, 0, sizeof *mark);
    if (stat(path, &info) < 0)
        return;
    mark->device = info.st_dev;
    mark->inode = info.st_ino;
    mark->size = info.st_size;
    mark->changed = info.st_ctim; /* also when only mode or owner were mended */
}

static bool marks_equal(const struct keyset_mark a[FILES], const struct keyset_mark b[FILES])
{
    return memcmp(a, b, sizeof *a * FILES) == 0;
}

static bool try_pair(struct keyset_entry *entry, const char *folder)
{
    char path[PATH_MAX];
    bool renewed = entry->pair != NULL;
    memcpy(entry->tried, entry->seen, sizeof entry->tried);
    entry->was_tried = true;
    struct keypair *pair = read_pair(entry, folder);
    if (!pair)
        return false;
    keypair_free(&entry->pair);
    entry->pair = pair;
    file_path(entry, folder, CERTIFICATE, path);
    say_taken(entry, path, renewed);
    return true;
}

/* True when another pair is in force now. */
static bool look_at_entry(struct keyset_entry *entry, const char *folder, bool patient)
{
    struct keyset_mark now[FILES];
    for (size_t i = 0; i < FILES; i++)
        mark_file(entry, folder, i, &now[i]);
    bool quiet = marks_equal(now, entry->seen);
    memcpy(entry->seen, now, sizeof entry->seen);
    if (entry->was_tried && marks_equal(now, entry->tried))
        return false;
    return (quiet || !patient) && try_pair(entry, folder);
}

static struct keyset_entry *find_entry(struct keyset *keyset, const char *host, const char *suffix)
{
    for (size_t i = 0; i < keyset->count; i++)
        if (strcmp(keyset->entries[i].host, host) == 0 &&
            strcmp(keyset->entries[i].suffix, suffix) == 0)
            return &keyset->entries[i];
    return NULL;
}

static struct keyset_entry *add_entry(struct keyset *keyset, const char *host, const char *suffix)
{
    if (keyset->count == KEYSET_MAX) {
        if (!keyset->too_many)
            log_trouble("take over all certificates of", KEYSET_FOLDER, 0,
                        "at most 4096 are possible; use wildcards");
        keyset->too_many = true;
        return NULL;
    }
    size_t size = (keyset->count + 1) * sizeof *keyset->entries; /* bounded above */
    struct keyset_entry *entries = realloc(keyset->entries, size);
    if (!entries)
        return NULL;
    keyset->entries = entries;
    struct keyset_entry *entry = &entries[keyset->count++];
    memset(entry, 0, sizeof *entry);
    memcpy(entry->host, host, strlen(host)); /* both were measured */
    memcpy(entry->suffix, suffix, strlen(suffix));
    return entry;
}

static void note_pair(struct keyset *keyset, const char *host, const char *suffix)
{
    struct keyset_entry *entry = find_entry(keyset, host, suffix);
    if (!entry)
        entry = add_entry(keyset, host, suffix);
    if (entry)
        entry->found = true;
}

/* "cert.pem" -> "", "cert-ecdsa.pem" -> "-ecdsa", and the same for a key without certificate, which
 * is trouble to be named. */
static bool pair_suffix(const char *name, char suffix[KEYSET_SUFFIX_MAX + 1])
{
    struct slice rest = slice_text(name);
    if (!slice_ends(rest, SLICE(".pem")))
        return false;
    rest.size -= 4;
    for (size_t i = 0; i < FILES; i++) {
        struct slice beginning = slice_text(file_names[i]);
        if (slice_starts(rest, beginning)) {
            struct slice end = slice_from(rest, beginning.size);
            return (end.size == 0 || end.data[0] == '-') &&
                   slice_copy_text(end, suffix, KEYSET_SUFFIX_MAX + 1);
        }
    }
    return false;
}

static void look_into_host(struct keyset *keyset, int parent, const char *host)
{
    int fd = openat(parent, host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    bool any = false;
    if (!folder) {
        if (errno != ENOTDIR)            /* a stray file is none of ours */
            note_pair(keyset, host, ""); /* reading it will say why not */
        io_close(&fd);
        return;
    }
    for (struct dirent *file = readdir(folder); file; file = readdir(folder)) {
        char suffix[KEYSET_SUFFIX_MAX + 1];
        if (pair_suffix(file->d_name, suffix)) {
            note_pair(keyset, host, suffix);
            any = true;
        }
    }
    if (!any)
        note_pair(keyset, host, ""); /* an empty folder: reading it will say so */
    closedir(folder);
}

/* False when the folder itself can't be read: all that was known stays. */
static bool look_for_hosts(struct keyset *keyset, const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) {
        if (!keyset->trouble)
            log_trouble("read", path, errno, "make setup creates it (root:keyd, mode 0750)");
        keyset->trouble = true;
        return false;
    }
    keyset->trouble = false;
    for (size_t i = 0; i < keyset->count; i++)
        keyset->entries[i].found = false;
    for (struct dirent *host = readdir(folder); host; host = readdir(folder))
        if (host->d_name[0] != '.' && strlen(host->d_name) <= KEYSET_HOST_MAX)
            look_into_host(keyset, dirfd(folder), host->d_name);
    closedir(folder);
    return true;
}

static bool drop_missing(struct keyset *keyset)
{
    bool changed = false;
    for (size_t i = keyset->count; i-- > 0;) {
        struct keyset_entry *entry = &keyset->entries[i];
        if (entry->found)
            continue;
        changed = changed || entry->pair;
        log_event("certificate-removed", "host", entry->host);
        keypair_free(&entry->pair);
        *entry = keyset->entries[--keyset->count];
    }
    return changed;
}

bool keyset_look(struct keyset *keyset, const char *folder, bool patient)
{
    if (!look_for_hosts(keyset, folder))
        return false;
    bool changed = drop_missing(keyset);
    for (size_t i = 0; i < keyset->count; i++)
        if (look_at_entry(&keyset->entries[i], folder, patient))
            changed = true;
    return changed;
}

/* ---- finding --------------------------------------------------------------------------------- */

static const struct keypair *find_kind(const struct keyset *keyset, struct slice host,
                                       const enum key_kind kinds[], size_t kind_count)
{
    const struct keypair *best = NULL;
    size_t best_rank = kind_count;
    for (size_t i = 0; i < keyset->count; i++) {
        const struct keyset_entry *entry = &keyset->entries[i];
        if (!entry->pair || !slice_equal_nocase(host, slice_text(entry->host)))
            continue;
        for (size_t rank = 0; rank < best_rank; rank++) {
            if (kinds[rank] == entry->pair->kind) {
                best = entry->pair;
                best_rank = rank;
            }
        }
    }
    return best;
}

const struct keypair *keyset_find(const struct keyset *keyset, struct slice name,
                                  const enum key_kind kinds[], size_t kind_count)
{
    char wildcard[KEYSET_HOST_MAX + 2];
    struct slice rest = slice_from(name, slice_find(name, '.'));
    const struct keypair *pair = find_kind(keyset, name, kinds, kind_count);
    if (!pair && rest.size > 1 && rest.size < KEYSET_HOST_MAX) {
        int size = snprintf(wildcard, sizeof wildcard, "_%.*s", SLICE_PRINTF(rest));
        pair = find_kind(keyset, slice_of(wildcard, (size_t)size), kinds, kind_count);
    }
    return pair ? pair : find_kind(keyset, SLICE(KEYSET_DEFAULT), kinds, kind_count);
}
